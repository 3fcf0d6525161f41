/* plain.h - the arithmetic of plan.h for days without breaks, overtime and prices of time.
 *
 * Idea: where in->plain holds, only `behind` and `late_behind` of a stop say anything and a route
 * costs its travel, so that a place is judged by two comparisons, and a change is carried along the
 * route only as far as it moves anything. The results are those of the general arithmetic: tests
 * hold one against the other.
 *
 * Thread: one at a time; pure.
 */
#ifndef CALLOUT_OPTIMIZER_PLAIN_H
#define CALLOUT_OPTIMIZER_PLAIN_H

#include "optimizer/core/plan.h"

/* What the visit adds to the route when it is put between these neighbouring stops; INT32_MAX if
 * it does not fit there or is not cheaper than `below`. */
static inline int32_t plain_probe(const struct stop *before, const struct stop *next,
                                  const struct node *node, int32_t there, int32_t on, int32_t below)
{
    int32_t cost = there + on - next->leg;
    if (cost >= below) return INT32_MAX;
    int32_t arrival = before->behind + there;
    if (arrival > node->close) return INT32_MAX;
    int32_t leave = (arrival > node->open ? arrival : node->open) + node->service;
    return leave + on <= next->late_behind ? cost : INT32_MAX;
}

/* As route_scan_below. */
struct spot plain_scan(const struct instance *in, const struct route *route, uint32_t technician,
                       uint32_t visit, int32_t below);

/* Brings a route up to date in which the visits of stops first .. last (none: last is first - 1)
 * stand where legs of `legs` seconds in all were. Load and set are the caller's. All of it must
 * fit: ask before. */
void plain_mend(const struct instance *in, uint32_t technician, struct route *route, uint32_t first,
                uint32_t last, int32_t legs);

#endif
