/* repair.h - after an event, a plan that holds again: close to the published one, in well under 1
 * ms.
 *
 * Idea: take over the published routes, drop the cheapest of what no longer fits, insert what is
 * unserved where it costs least (most regret first), and where a dear visit does not fit, let one
 * cheaper or more movable visit step aside for it. Who could not be served at the last event is
 * tried where something has changed; what a change elsewhere makes room for, the search finds.
 *
 * Thread: one at a time. Pure; all chance-free.
 */
#ifndef CALLOUT_OPTIMIZER_REPAIR_H
#define CALLOUT_OPTIMIZER_REPAIR_H

#include "optimizer/core/plan.h"

/* The plan that the dispatcher has: visits[starts[t]] .. visits[starts[t + 1] - 1] is the route of
 * technician t, also what he may not serve any more. */
struct published {
    const uint16_t *visits;
    const uint32_t *starts;
};
struct published repair_published(const struct instance *in, struct arena *arena);

/* Puts the published routes into an empty plan, as far as their rules still hold. */
void repair_take_over(struct plan *plan, struct arena *scratch);

/* Names a route with all its times; never 0. */
uint64_t repair_mark(const struct instance *in, const struct route *route);

/* Serves what can be served. `scratch` is rewound by the caller. Who was left out before is not
 * tried again in a route that has been the same since (in->technicians[].tried). */
void repair_insert(struct plan *plan, struct arena *scratch);

/* Lets one visit step aside for each unserved one that cannot be served otherwise. `trials_max`
 * bounds the routes that are tried. */
void repair_eject(struct plan *plan, uint32_t trials_max, struct arena *scratch);

/* Takes back what the freeze forbids to start so soon; it stays unserved. */
void repair_freeze(struct plan *plan);

/* Leaves the technician only what must stay with him, in its order: that always fits
 * (instance.h). */
void repair_keep_placed(struct plan *plan, uint32_t technician);

/* All of it, in this order. */
void repair(struct plan *plan, struct arena *scratch);

#endif
