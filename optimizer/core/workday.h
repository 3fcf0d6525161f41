/* workday.h - the live problem of one territory and day, keyed by the ids of the outside.
 *
 * Idea: everything that the dispatcher tells us is kept here in slots, and changed in place by
 * deltas. A slot number is stable as long as its owner stays, so that what is found once (travel
 * times, routes in the pool) survives the next event. Nothing is solved on slots: instance.h makes
 * the dense view in canonical order (by id), so the order in which things arrived never matters.
 *
 * Travel times are asked once per pair of places that can follow one another, when a place gains
 * the role of an origin or a destination; both a matrix and its transpose are kept, because a scan
 * over a route reads one row of each.
 *
 * Owner: the struct owns its arena; all inputs are borrowed until return. Thread: one at a time.
 * Errors: ERR_INVALID names the field; after an error the workday is unchanged.
 */
#ifndef CALLOUT_OPTIMIZER_WORKDAY_H
#define CALLOUT_OPTIMIZER_WORKDAY_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/limits.h"
#include "model/policy.h"
#include "model/route.h"
#include "model/skill.h"
#include "model/travel.h"

#include <stdbool.h>
#include <stdint.h>

#define NO_INDEX UINT32_MAX

struct skill_named {
    const char *name;
    uint32_t level;
};

/* A technician as told; times in UTC microseconds. */
struct technician_told {
    const char *id;
    struct route_day day;
    const struct skill_named *skills;
    uint32_t skill_count;
    int32_t capacity; /* for the loads of the visits of a route together; 0: unlimited */
    bool changes_limited;
    int32_t changes_left; /* that plans may still make to his day (stability.h) */
    bool keeps_order;     /* his limits are stretched: his placed visits stay in their order */
};

/* Who may not serve a visit: as many as an order may name, and as many who may have declined it. */
enum { NAMED_MAX = LIMIT_TECHNICIANS_PER_ORDER, EXCLUDED_MAX = NAMED_MAX + 4 };
enum { LOAD_MAX = 1000000 };

/* At least one of these. */
struct choice_told {
    const struct skill_named *any_of;
    uint32_t count;
};

enum mobility { VISIT_MOVABLE, VISIT_PINNED, VISIT_FROZEN };

/* A visit as told. `technician_id` is empty when it is neither planned nor pinned. */
struct visit_told {
    const char *id;
    struct route_visit visit;
    uint32_t priority;
    const struct skill_named *skills;
    uint32_t skill_count;
    struct choice_told choices[LIMIT_SKILL_CHOICES_PER_ORDER];
    uint32_t choice_count;
    enum mobility mobility;
    const char *technician_id;
    const char *excluded[EXCLUDED_MAX]; /* technicians who may not serve it */
    uint32_t excluded_count;
    const char *required[NAMED_MAX]; /* one of these; none: anybody */
    uint32_t required_count;
    const char *preferred[NAMED_MAX]; /* any other one has a price; none: all are as good */
    uint32_t preferred_count;
    int64_t planned_start_us; /* 0: not planned */
    uint32_t position;
    bool emergency, published;
    bool changed_hands; /* a plan took it from who had it before: that counts once */
    int32_t load;       /* takes room in the vehicle all day, in units of the input; 0: none */
};

struct place_slot {
    struct point at;
    uint32_t origins, destinations; /* how many owners leave from here, go here; 0 and 0: free */
};

struct technician_slot {
    char id[LIMIT_ID + 1];
    bool working; /* false: only named by a visit, or removed */
    struct route_day day;
    uint32_t start, end; /* places */
    struct skill skills[LIMIT_SKILLS_PER_ENTITY];
    uint32_t skill_count;
    int32_t capacity;
    bool changes_limited;
    int32_t changes_left;
    bool keeps_order;
    uint64_t tried; /* the solver's note: repair_mark of the route that nobody left out fits into */
};

struct visit_slot {
    char id[LIMIT_ID + 1];
    bool used;
    struct route_visit visit;
    uint32_t place;
    uint32_t priority;
    uint32_t need; /* index of its need_set */
    enum mobility mobility;
    uint32_t technician; /* slot or NO_INDEX */
    int64_t planned_start_us;
    uint32_t position;
    bool emergency, published, changed_hands;
    bool left_out; /* the solver's note: as it is told, it could not be served */
    int32_t load;
};

/* What some visits ask of their technician; few differ, so technicians are matched against sets. */
struct named_set {
    uint32_t slots[EXCLUDED_MAX]; /* of technicians, ascending */
    uint32_t count;
};

struct need_set {
    uint32_t users; /* visits; 0: free */
    struct skill skills[LIMIT_SKILLS_PER_ENTITY];
    uint32_t count;
    struct skill_choice choices[LIMIT_SKILL_CHOICES_PER_ORDER];
    uint32_t choice_count;
    struct named_set excluded, required, preferred;
};

/* id -> slot: open addressing over a power of two; entries are slot + 1. */
struct id_table {
    uint32_t *entries;
    uint32_t mask, used;
};

struct workday {
    struct arena memory;
    const struct travel *travel;
    int64_t service_day;
    int64_t now_us, frozen_until_us;
    struct policy policy;
    bool hands_limited;
    uint32_t hands_left; /* visits that may still be taken from who has them, if limited */
    uint32_t visits_per_route_max; /* LIMIT_VISITS_PER_ROUTE, unless somebody raises it */

    struct technician_slot *technicians;
    uint32_t technician_count, technician_cap;
    uint32_t *technician_order; /* slots by id */
    struct id_table technician_ids;

    struct visit_slot *visits;
    uint32_t visit_count, visit_cap; /* count includes free slots */
    uint32_t *visit_order;           /* slots in use, by id */
    uint32_t visits_used;
    uint32_t *visit_free;
    uint32_t visit_free_count;
    struct id_table visit_ids;

    struct place_slot *places;
    uint32_t place_count, place_cap;
    uint32_t *place_free;
    uint32_t place_free_count;
    int32_t *travel_from;        /* [from * place_cap + to] */
    int32_t *travel_into;        /* [to * place_cap + from] */
    struct id_table place_table; /* by coordinates */

    const char **skill_names;
    uint32_t skill_count;
    struct need_set *needs;
    uint32_t need_count, need_cap;
};

/* Makes an empty day; `travel` is kept until workday_close. */
void workday_open(struct workday *day, const struct travel *travel, int64_t service_day);
void workday_close(struct workday *day);

/* Time only moves forward by what the dispatcher says; the policy is taken as it is. */
void workday_set_time(struct workday *day, int64_t now_us, int64_t frozen_until_us,
                      const struct policy *policy);

/* How many visits may still be taken from who has them (stability.h). A new day has no limit.
 */
void workday_limit_hands(struct workday *day, bool limited, uint32_t left);

/* Adds a technician or visit, or replaces all that was known of it. */
MUST_USE enum err workday_set_technician(struct workday *day, const struct technician_told *told,
                                         struct problem *problem);
MUST_USE enum err workday_set_visit(struct workday *day, const struct visit_told *told,
                                    struct problem *problem);

/* What is not there may be removed: deltas repeat themselves after a reconnect. */
void workday_remove_technician(struct workday *day, const char *id);
/* *slot is the freed slot, NO_INDEX if there was none: whoever remembers slots must forget it. */
void workday_remove_visit(struct workday *day, const char *id, uint32_t *slot);

/* NO_INDEX if there is none. */
uint32_t workday_visit(const struct workday *day, const char *id);
uint32_t workday_technician(const struct workday *day, const char *id);

/* The same for the same facts, whatever way they came. */
uint64_t workday_digest(const struct workday *day);

#endif
