/* policy.h - what a territory's plan is optimised for, and the defaults. One integer objective, in
 * seconds; hard rules are never priced. cost.h says what a route costs by it; a plan costs that,
 * and unserved_s_per_priority x priority of each unserved order.
 */
#ifndef CALLOUT_MODEL_POLICY_H
#define CALLOUT_MODEL_POLICY_H

#include <stdint.h>

struct policy {
    uint32_t version;          /* grows by one with each change */
    int64_t freeze_us;         /* planned starts nearer than this do not move */
    int64_t dispatch_ahead_us; /* the next visit is dispatched when it is at most this far away */
    int64_t accept_timeout_us; /* how long a technician may think about a dispatched visit */
    int32_t overtime_price_percent;
    int32_t unserved_s_per_priority;
    int32_t change_technician_s; /* price of giving a published visit to someone else, far ahead */
    int32_t change_start_s;      /* price of moving its start by more than the tolerance */
    int64_t change_start_tolerance_us;
    int64_t overtime_tier_us; /* overtime beyond this has the second price; 0: one price for all */
    int32_t overtime_tier_price_percent;
    int32_t travel_price_percent;           /* of each second of travel; 100 is its own time */
    int32_t lateness_price_percent;         /* of each second after a window's end */
    int32_t preferred_window_missed_s;      /* once for an order that is served in no such window */
    int32_t preferred_technician_missed_s;  /* once for an order that none of them serves */
    int32_t changes_per_technician_day_max; /* of published visits, by the optimizer; 0: no limit */
    int32_t changed_visits_percent_max;     /* of a day's, by the optimizer; 0: no limit */
    int32_t position_moving_s;              /* how often a device tells its place in motion, */
    int32_t position_resting_s;             /* and at rest */
};

/* What a price may be: sums over a route, and over a plan, never overflow, and no sum of prices
 * reaches what keeps a hard rule. The ranges that the dispatcher takes and the optimizer believes.
 */
enum { POLICY_PRICE_S_MAX = 1000000, POLICY_PERCENT_MAX = 10000 };

extern const struct policy policy_default;

/* The price of a change grows towards the start: x1 from four hours ahead, x4 at the start. */
int32_t policy_change_technician_s(const struct policy *policy, int64_t until_start_us);
int32_t policy_change_start_s(const struct policy *policy, int64_t until_start_us);

/* The price of so much overtime, in seconds: two tiers. */
int64_t policy_overtime_price_s(const struct policy *policy, int64_t overtime_s);

#endif
