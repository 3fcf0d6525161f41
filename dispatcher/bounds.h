/* bounds.h - how good each day's plan is, as the optimizer last proved it.
 *
 * Idea: a bound changes no plan, so it is no fact. What a plan was published with stands in its
 * row; what was learnt since is noted here, the newest of each day, and lost with the process: the
 * optimizer says it again. The prices of a report stay until the next report.
 *
 * Owner: the engine. Thread: the engine's.
 */
#ifndef CALLOUT_DISPATCHER_BOUNDS_H
#define CALLOUT_DISPATCHER_BOUNDS_H

#include "dispatcher/engine_impl.h"

/* Notes the bound of a candidate; one that is not known is passed over. */
void bounds_note(struct engine *engine, const Callout__PlanCandidate *candidate);

void bounds_close(struct engine *engine);

/* The newest bound of that problem, out of the call's arena; known is false when there is none.
 * `plan` is the row of its plan in force, NULL if it has none. */
Callout__PlanBound *bound_newest(struct call *call, const struct problem_key *key,
                                 const struct row_plan *plan);

Callout__PlanBound *bound_copy(struct arena *arena, const Callout__PlanBound *bound);

/* The bound that a plan was published with; NULL: none. */
Callout__PlanBound *bound_of_plan(struct arena *arena, const struct row_plan *plan);

#endif
