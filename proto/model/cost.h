/* cost.h - the one definition of what a route costs, part by part, once route.h has timed it.
 *
 * All parts are price seconds: whole seconds times what the policy says of them. What lasts a part
 * of a second counts as that second, and a price is rounded down once per part; lateness once per
 * stop. What leaving somebody unserved costs is a matter of the plan (policy.h), not of a route.
 *
 * Pure, any thread. With a policy within its ranges no part overflows.
 */
#ifndef CALLOUT_MODEL_COST_H
#define CALLOUT_MODEL_COST_H

#include "model/policy.h"
#include "model/route.h"

struct cost_parts {
    int64_t travel;   /* seconds of all legs x travel_price_percent */
    int64_t overtime; /* in two tiers */
    int64_t lateness; /* seconds after the window's end x lateness_price_percent, of each stop */
    int64_t preferred_window;     /* stops that start in none of the windows that they prefer */
    int64_t preferred_technician; /* stops that prefer others than this technician */
    int64_t change_technician;    /* published stops that somebody else has in the plan in force */
    int64_t change_start;         /* published stops that move by more than the tolerance; both grow
                                     towards the start that was told */
};

/* What a stop's price depends on besides its times. */
struct cost_visit {
    const struct route_visit *rules;
    bool prefers_others;      /* it names technicians that it prefers, and not this one */
    bool comes_from_other;    /* somebody else has it in the plan in force */
    bool published;           /* that plan was told */
    int64_t planned_start_us; /* as told; 0: not planned */
};

/* `stops` and `times` are what route_time made of these `count` visits. */
struct cost_parts cost_of_route(const struct policy *policy, int64_t now_us,
                                const struct cost_visit *visits, const struct route_stop *stops,
                                uint32_t count, const struct route_times *times);

int64_t cost_total(const struct cost_parts *parts);

#endif
