/* bound_message.h - a proof and what things are worth, as messages for the dispatcher. */
#ifndef CALLOUT_OPTIMIZER_BOUND_MESSAGE_H
#define CALLOUT_OPTIMIZER_BOUND_MESSAGE_H

#include "optimizer/bound/shadow.h"
#include "pb/inner.pb-c.h"

/* Of a plan that costs so much, by a proof of the state `base_revision`, whose duals were last
 * computed in full so many seconds ago. */
void plan_bound_fill(Callout__PlanBound *bound, const struct proof *proof, uint64_t base_revision,
                     int64_t cost, int64_t age_seconds);

/* Puts the prices that are worth something into the report. It borrows ids and names from the
 * workday until that changes; arrays are the arena's. */
void bound_report_prices(Callout__BoundReport *report, const struct workday *day,
                         const struct instance *in, const struct shadow_list *list,
                         struct arena *arena);

#endif
