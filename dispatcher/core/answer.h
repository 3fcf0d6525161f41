/* answer.h - answers for people about the plan as it is: who could do it, what a move would break
 * and cost, why nobody does it, and where an emergency costs least.
 *
 * Idea: an answer is computed by the rules and prices that plans are checked with (route.h, cost.h)
 * on the state as it would be after the move; whoever then makes the move gets just that. Nobody
 * asks the optimizer.
 * Owner: arrays lie in the arena, texts are borrowed from the core until its next step. Thread: the
 * core's. The core is changed while an answer is computed, and is as before when it returns.
 * Errors: ERR_NOT_FOUND (no such appointment or technician), ERR_CONFLICT (it has begun or is over,
 * no shift on that day), ERR_INVALID (a field), ERR_TOO_LARGE (the route is full).
 */
#ifndef CALLOUT_CORE_ANSWER_H
#define CALLOUT_CORE_ANSWER_H

#include "dispatcher/core/core.h"
#include "model/cost.h"

/* The numbers are those of dispatch.proto, Rule. */
enum rule {
    RULE_NONE,
    RULE_WINDOW,
    RULE_BREAK,
    RULE_SHIFT,
    RULE_LEG,
    RULE_TRAVEL,
    RULE_SKILL,
    RULE_REQUIRED,
    RULE_EXCLUDED,
    RULE_ABSENT,
    RULE_FROZEN,
    RULES
};

struct violation {
    enum rule rule;
    const char *appointment_id; /* whose rule it is; "": the technician's */
    int64_t amount;             /* microseconds, or levels of the skill; 0: yes or no */
    const char *skill;          /* of RULE_SKILL; else "" */
};

/* What a technician's plan for a day breaks as it stands: his own rules, and those of his visits.
 * At most `max` of them; returns how many. Visits that are late are none of it (core_late_us). */
uint32_t core_violations(const struct core *core, const char *technician_id, int64_t service_day,
                         int64_t now_us, struct violation *out, uint32_t max);

/* One line for people, such as "W2.1 starts 12 min later than it may". */
void violation_text(const struct violation *violation, struct problem *out);

/* What a plan costs, or a difference of two. */
struct plan_parts {
    struct cost_parts route; /* of all routes */
    int64_t unserved;
};
int64_t plan_parts_total(const struct plan_parts *parts);
/* What is left of a day, without change prices: the parts of core_plan_cost_s, and what people ask
 * of it. */
struct plan_tally {
    struct plan_parts parts;
    int64_t late_us;   /* after their windows, of all visits together */
    uint32_t unserved; /* orders that nobody has, but for those on hold */
};
struct plan_tally core_plan_tally(const struct core *core, const char *territory_id,
                                  int64_t service_day, int64_t now_us);

/* The day that an appointment is planned on; false: there is no such appointment. */
struct appointment_day {
    const char *territory_id;
    int64_t service_day;
    uint64_t revision, plan_version;
};
bool core_appointment_day(const struct core *core, const char *appointment_id,
                          struct appointment_day *out);

/* What keeps everybody from an appointment, as far as that can be said at a glance: nobody is
 * there, has the skills, is allowed, or its windows are over. RULE_NONE: none of it; who asks
 * core_candidates knows more. */
enum rule core_unserved_rule(const struct core *core, const char *appointment_id, int64_t now_us);

struct knock_on {
    const char *appointment_id;
    int64_t start_before_us, start_after_us;
    int64_t late_us; /* after its last window then */
    bool becomes_late;
};

struct move {
    const char *technician_id;
    uint32_t place; /* from 1 among what the technician has left */
    int64_t start_us, late_us;
    struct plan_parts delta;      /* change prices by the starts that people would be told */
    struct violation *violations; /* what time cannot mend first, then in the order of the route */
    uint32_t violation_count;
    struct knock_on *knock_on; /* the others on the route whose start changes */
    uint32_t knock_on_count;
};

/* One for each technician with a shift on the appointment's day: what breaks no rule first, by
 * cost; then by what would have to give way. `place` and start_us are those that Assign takes when
 * nothing else is wished. */
struct candidates {
    struct move *items;
    uint32_t count, fitting;
    const char *technician_id; /* who has it now; "" nobody */
};
MUST_USE enum err core_candidates(struct core *core, const char *appointment_id, int64_t now_us,
                                  struct arena *arena, struct candidates *out,
                                  struct problem *problem);

struct move_wish {
    const char *technician_id;
    int64_t start_us; /* 0: whenever it costs least */
    uint32_t place;   /* from 1; 0: where it costs least */
};
struct move_check {
    struct move move;
    bool pinned, frozen;
    const char *technician_before; /* "" nobody */
    int64_t start_before_us;
    bool leaves; /* another route, and then: */
    uint32_t left_count;
    int64_t idle_from_us, idle_until_us;
    int64_t travel_saved_s;
};
MUST_USE enum err core_check_move(struct core *core, const char *appointment_id,
                                  const struct move_wish *wish, int64_t now_us, struct arena *arena,
                                  struct move_check *out, struct problem *problem);

/* Who would be displaced: now with somebody else, with nobody (technician_after ""), or later. */
struct displacement {
    const char *appointment_id, *technician_before, *technician_after;
    int64_t start_before_us, start_after_us, late_us;
};
struct emergency_option {
    bool found;
    struct move move; /* delta is of all that moves */
    struct displacement *displaced;
    uint32_t displaced_count;
};
/* Where an order of the emergency class goes at least cost, by the plan in force without it:
 * within the rules, with at most EJECTED_MAX visits put off the route for others to take, or
 * nobody if nobody can; and without putting anybody off, with the least that becomes too late.
 * Of the first as many as there is work for are tried in the order of what they cost at least. */
enum { EJECTED_MAX = 2 };
struct emergency {
    struct emergency_option within_rules, delaying;
    const char *technician_id; /* who has it in the plan in force; "" nobody */
    int64_t planned_start_us;
};
MUST_USE enum err core_emergency(struct core *core, const char *appointment_id, int64_t now_us,
                                 struct arena *arena, struct emergency *out,
                                 struct problem *problem);

#endif
