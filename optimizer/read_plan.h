/* read_plan.h - a plan as JSON, for the auditor: what `callout solve --json` prints, or a solution
 * in VROOM's words.
 *
 * VROOM's routes are known by their `steps`: start, job and end, break; `vehicle` and `id` are
 * those of the problem. Whatever else stands in either form is passed over, unless it is a claim.
 *
 * Owner: all that is read lives in the arena. Thread: any.
 */
#ifndef CALLOUT_OPTIMIZER_READ_PLAN_H
#define CALLOUT_OPTIMIZER_READ_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "optimizer/audit/audit.h"

/* What the plan says of itself; a number that it does not say is -1. */
struct plan_claims {
    int64_t objective, travel_s, overtime_s, vehicles, priority_served;
    int64_t unserved_s, unserved_per_priority_s; /* the prices that its objective is made with */
    const char **unassigned;
    uint32_t unassigned_count;
    bool lists_unassigned;
    bool both_forms; /* some route has stops and steps */
};

enum plan_form { PLAN_STOPS, PLAN_STEPS };

/* `form` is the one to read of a route that has both. `zero_us` is the time that a plain number
 * counts seconds from. ERR_INVALID or ERR_TOO_LARGE: the problem names the place in the plan. */
MUST_USE enum err read_plan(const char *text, size_t size, enum plan_form form, int64_t zero_us,
                            struct arena *memory, struct audit_plan *plan,
                            struct plan_claims *claims, struct problem *problem);

#endif
