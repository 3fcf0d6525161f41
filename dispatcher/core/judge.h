/* judge.h - a visit put on a technician's route: at which place, when everybody starts then, and
 * which rules that breaks by how much. Who assigns by hand and who asks what would be are judged
 * alike.
 *
 * Idea: a place where a rule fails is not a place of no use; the rule gives way by exactly what it
 * misses (route.h), and so on until the route fits. What gave way are the slips; with a break to
 * take, that of two ways is kept which asks for less, which need not be the least. The best place
 * has the fewest slips of the kind that time cannot mend, then the least that gives way in all,
 * then the least cost.
 */
#ifndef CALLOUT_CORE_JUDGE_H
#define CALLOUT_CORE_JUDGE_H

#include "dispatcher/core/answer.h"
#include "dispatcher/core/state.h"
#include "model/cost.h"

enum { SLIPS_MAX = LIMIT_VISITS_PER_ROUTE + 2 * LIMIT_SKILLS_PER_ENTITY };

struct slip {
    enum rule rule;
    uint32_t appointment; /* whose rule; NONE: the technician's */
    int64_t amount;       /* microseconds, or levels; 0: yes or no */
    uint32_t skill;       /* of RULE_SKILL; else NONE */
};

struct slips {
    uint32_t count;
    struct slip items[SLIPS_MAX];
};

/* What is wished of a move. */
struct wish {
    uint32_t place;  /* from 1; 0: the best */
    bool stays;      /* with whom a person or the freeze keeps it: he may serve it */
    int64_t told_us; /* when it was to start; 0: nobody was told */
    uint32_t from;   /* the shift that it stood in; NONE. An emergency may step in before what is
                        frozen, but not overtake it on its own route */
    bool strict;     /* no rule gives way: without a place where all hold, `count` is 0 */
};

struct judged {
    uint32_t shift, place, count; /* place from 0; count with the visit */
    uint32_t route[LIMIT_VISITS_PER_ROUTE];
    int64_t start_us[LIMIT_VISITS_PER_ROUTE]; /* others start no earlier than they were told, if
                                                 all rules bear that */
    struct slips slips;
    int64_t cost; /* of the route then, but for change prices */
};

/* The visit stands in no route, and its pins are those that it would have; the shift has room, and
 * the wished place. */
void judge(const struct core *core, uint32_t appointment, uint32_t shift, struct wish wish,
           int64_t now_us, struct judged *out);
/* What a shift's route costs as it stands; rules that fail give way first. `broken` (may be NULL)
 * is the first that did, `stops` (may be NULL) are the route's, as shift_stops says. */
struct cost_parts shift_parts(const struct core *core, uint32_t shift, int64_t now_us,
                              enum rule *broken, struct route_stop *stops);
/* When the stops of a shift's route (as many as it has) happen from now on, on what is left of the
 * day; rules that fail give way first. */
void shift_stops(const struct core *core, uint32_t shift, int64_t now_us, struct route_day *day,
                 struct route_stop *stops, struct route_times *times);

/* What the route breaks as it stands: of who does it, then of time. A visit that is late is none of
 * it; who comes home a minute too late is, whatever the reason. */
void shift_slips(const struct core *core, uint32_t shift, int64_t now_us, struct slips *out);

/* A slip as its reader gets it; texts are borrowed from the core. */
struct violation violation_of(const struct core *core, const struct slip *slip);

#endif
