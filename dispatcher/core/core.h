/* core.h - the dispatcher's rules: pure, deterministic, in memory, no clock, no chance, no I/O.
 *
 * Idea: core_step takes one fact, changes the state and says in acts what has to be stored and
 * sent. The same facts always give the same state, the same acts and the same digest: live, in
 * replay, in the simulator. Owner: all memory is the arena's that core_open was given. Thread: one
 * at a time. Order: the acts of a step are performed before the next step; what they send leaves
 * only after the commit. After a failed commit the core is thrown away and rebuilt.
 */
#ifndef CALLOUT_CORE_H
#define CALLOUT_CORE_H

#include "base/arena.h"
#include "base/err.h"
#include "dispatcher/core/act.h"
#include "dispatcher/core/fact.h"
#include "model/skill.h"
#include "model/travel.h"

/* Grows when the same facts would lead to another state: replay does not compare across versions.
 */
#define CORE_VERSION 11

struct core;

struct core *core_open(struct arena *arena, const struct travel *travel);

/* Applies one fact. Not ERR_OK: the state is unchanged, nothing is to be stored, *problem says why.
 * ERR_INVALID (a field), ERR_NOT_FOUND, ERR_CONFLICT (life cycle, stale version, or a plan that
 * changes nothing), ERR_TOO_LARGE (a limit of limits.h). */
MUST_USE enum err core_step(struct core *core, const struct fact *fact, struct acts *acts,
                            struct problem *problem);

int64_t core_seq(const struct core *core);     /* of the last fact applied; 0: none */
int64_t core_time_us(const struct core *core); /* of the last fact */
/* When a FACT_TICK is due; INT64_MAX: never. A tick at that time always changes something. */
int64_t core_next_wake_us(const struct core *core);

/* A hash of everything that matters. */
uint64_t core_digest(const struct core *core);
/* The whole state as bytes (in `arena`), and back into a core just opened. */
struct blob core_save(const struct core *core, struct arena *arena);
MUST_USE enum err core_load(struct core *core, struct blob image);

/* --- reading: what the shell needs to answer questions; all borrowed until the next step
 * ------------- */

/* The technician-day that is going on or comes next, and what is in progress; NULL: unknown person.
 */
struct core_technician {
    const char *technician_id, *territory_id, *current_appointment_id; /* "" none */
    bool absent;
    int64_t changed_seq; /* the last fact that gave him, took from him or moved a visit; 0: none */
    int64_t version;     /* the last one that made or changed him */
};
bool core_technician(const struct core *core, const char *technician_id, int64_t now_us,
                     struct core_technician *out);
/* The status of an appointment and who has it ("" nobody); APPOINTMENT_NONE: unknown. */
enum appointment_status core_appointment(const struct core *core, const char *appointment_id,
                                         const char **technician_id);
bool core_skill_known(const struct core *core, const char *name);
/* The zone of a territory, or NULL. */
const char *core_territory_zone(const struct core *core, const char *territory_id);
struct core_territory {
    const char *territory_id, *time_zone;
    int64_t today; /* the service day that began last; 0: none yet */
};
bool core_territory(const struct core *core, uint32_t index, struct core_territory *out);

typedef void core_visit_id(void *context, const char *id);
/* A technician's appointments, done or not, that lie between these moments, and whatever he is at
 * or left open; those of a day newest first. */
void core_visits_of(const struct core *core, const char *technician_id, int64_t from_us,
                    int64_t to_us, core_visit_id *visit, void *context);
/* The appointments of a territory's day, newest first, and its technicians. */
void core_board_appointments(const struct core *core, const char *territory_id, int64_t service_day,
                             core_visit_id *visit, void *context);
void core_board_technicians(const struct core *core, const char *territory_id, int64_t service_day,
                            core_visit_id *visit, void *context);
/* What a day is judged by afterwards (record.c); false: there is no such thing. */
struct core_visit {
    const char *appointment_id, *work_order_id, *technician_id; /* "": nobody has it */
    enum appointment_status status;
    bool first; /* visit of its order */
    struct point point;
    struct point departed_from; /* once he left for it, where that was */
    int64_t service_us;
    int64_t planned_start_us;      /* once he left for it, what was planned then */
    int64_t end_us;                /* as planned, or when it really ended */
    int64_t created_us;            /* when its order came in */
    int64_t promised_us;           /* since when its customer has a promise; 0: he has none */
    int64_t day_seq;               /* the fact that brought it to its day */
    int64_t departed_us, begun_us; /* for it, with it; 0: not yet */
    bool held;                     /* its order is on hold */
    bool emergency;
    bool frozen;                   /* starts so soon that its technician counts on it */
    int64_t seq, version;          /* the last fact that changed it */
    int64_t accept_by_us; /* its technician's until then, unless he accepts; 0: he is not asked */
    uint32_t needs;       /* that are open: bits 1 << enum need */
    uint32_t entries;     /* rows of visit_entry that it has */
};
bool core_visit(const struct core *core, const char *appointment_id, struct core_visit *out);
struct core_shift {
    int64_t start_us, end_us, break_earliest_us, break_latest_us, break_us;
    int64_t absent_start_us, absent_end_us; /* both 0: present */
    int64_t rest_until_us;                  /* of a break that he has begun; 0: none */
    struct point end;
};
bool core_shift(const struct core *core, const char *technician_id, int64_t service_day,
                struct core_shift *out);
/* What a technician has still to do on a day, as it would go from now: his visits in order, and
 * the way to the end of his day. Returns how many; 0: no such shift, or nothing to do. */
struct core_stop {
    const char *appointment_id; /* "": the way to the end */
    int64_t leave_us, arrival_us, start_us, end_us;
    int64_t break_start_us; /* 0: the break is not here */
    int64_t late_us;        /* after its last window, or a person's pin */
    int64_t travel_us;
};
enum { CORE_STOPS_MAX = LIMIT_VISITS_PER_ROUTE + 1 };
uint32_t core_stops(const struct core *core, const char *technician_id, int64_t service_day,
                    int64_t now_us, struct core_stop stops[CORE_STOPS_MAX]);
/* How long after its last window, or a person's pin, an appointment would start then. */
int64_t core_late_us(const struct core *core, const char *appointment_id, int64_t start_us);
/* The last fact that changed what a board shows of a technician's day; 0: none. */
int64_t core_shift_seq(const struct core *core, const char *technician_id, int64_t service_day);
/* The technicians of a territory in order of entry, until the visitor says false. */
void core_technicians_of(const struct core *core, const char *territory_id,
                         bool (*visit)(void *context, const char *id), void *context);
/* May be known where a technician is at that moment? He is at work: within a shift and not absent,
 * or on the way to or at a visit; and he has not refused it. */
bool core_at_work(const struct core *core, const char *technician_id, int64_t at_us);
/* How often his device tells its place. `version` is another one whenever something has changed. */
struct core_sampling {
    int32_t moving_s, resting_s;
    uint64_t version;
};
struct core_sampling core_sampling(const struct core *core, const char *technician_id);
/* The last fact that changed who he is, his shifts, absences, breaks or his consent. */
int64_t core_roster_seq(const struct core *core, const char *technician_id);
/* Is this appointment a technician's, or was it? Then its past is his, too. */
bool core_was_his(const struct core *core, const char *technician_id, const char *appointment_id);
/* Where an appointment is; NULL: there is none. */
const char *core_territory_of(const struct core *core, const char *appointment_id);
/* How long the plan reckons with from one place to another. */
int64_t core_travel_us(const struct core *core, struct point from, struct point to);

/* Predicted arrival at the visit that a technician is on the way to; 0: he is not. */
int64_t core_predicted_arrival_us(const struct core *core, const char *technician_id,
                                  int64_t now_us, const struct point *from);

/* --- the problem: what the optimizer works on (problem.c)
 * ------------------------------------------ */

struct problem_key {
    const char *territory_id;
    int64_t service_day;
    uint64_t revision;  /* seq of the last fact that touched this day */
    uint64_t event_seq; /* of the last one that asks for a new plan */
    uint64_t plan_version;
    uint64_t reset_seq; /* a delta on an older revision would miss what left the day */
};
/* Visits the days that have a problem, in a fixed order: `index` from 0; false when there is none.
 */
bool core_problem_key(const struct core *core, uint32_t index, struct problem_key *out);

/* What plans have changed in a day so far. */
struct core_stability {
    uint32_t technician_changes; /* visits that went from one technician to another, or to nobody */
    uint32_t start_changes;      /* starts that the plan moved by more than the tolerance */
    uint32_t overrides;          /* technician-days that an emergency took beyond their limit */
    uint32_t moves_after_promise; /* of both kinds of changes: those whose customer had the promise
                                     of a window by then, kept or not */
};
bool core_stability(const struct core *core, const char *territory_id, int64_t service_day,
                    struct core_stability *out);

/* How many visits of a day plans may still take from who has them (stability.c). */
struct hands_left {
    bool limited;
    uint32_t visits;
};
struct hands_left core_hands_left(const struct core *core, const char *territory_id,
                                  int64_t service_day);

enum mobility { MOBILITY_MOVABLE = 1, MOBILITY_PINNED = 2, MOBILITY_FROZEN = 3 };

struct problem_technician {
    const char *technician_id;
    bool removed;
    struct route_day day;
    const struct skill *skills; /* valid on that day */
    uint32_t skill_count;
    int32_t changes_left; /* that plans may make; -1: any number */
    bool keeps_order; /* delay has stretched his own limits: his pinned visits keep their order */
};
struct problem_visit {
    const char *appointment_id, *technician_id; /* technician "": none */
    bool removed, emergency, published, changed_hands;
    struct route_visit visit;
    int64_t priority, planned_start_us;
    enum mobility mobility;
    uint32_t position;
    const struct skill *skills;
    uint32_t skill_count;
    const struct skill_choice *choices;
    uint32_t choice_count;
    const char *excluded[LIMIT_TECHNICIANS_PER_ORDER + 4]; /* by the order, and who declined it */
    const char *required[LIMIT_TECHNICIANS_PER_ORDER], *preferred[LIMIT_TECHNICIANS_PER_ORDER];
    uint32_t excluded_count, required_count, preferred_count;
};
struct problem_sink {
    void *context;
    void (*technician)(void *context, const struct problem_technician *technician);
    void (*visit)(void *context, const struct problem_visit *visit);
};
/* Tells the sink what changed after `have_revision` (0: everything), as seen at now_us. Removed
 * ones are told only in a delta. Technicians and pinned visits are always told: time alone changes
 * them. */
void core_problem(const struct core *core, const char *territory_id, int64_t service_day,
                  uint64_t have_revision, int64_t now_us, const struct problem_sink *sink);
const struct policy *core_policy(const struct core *core, const char *territory_id);
const char *core_skill_name(const struct core *core, uint16_t skill);

/* The cost of the plan in force for what is left of a day, as policy.h defines it, without change
 * price. */
int64_t core_plan_cost_s(const struct core *core, const char *territory_id, int64_t service_day,
                         int64_t now_us);

#endif
