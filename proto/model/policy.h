/* policy.h - what a territory's plan is optimised for, and the defaults. One integer objective, in
 * seconds; hard rules are never priced.
 *
 * cost = travel + overtime x overtime_price_percent / 100
 *      + unserved_s_per_priority x priority of each unserved order + change price
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
};

extern const struct policy policy_default;

/* The price of a change grows towards the start: x1 from four hours ahead, x4 at the start. */
int32_t policy_change_technician_s(const struct policy *policy, int64_t until_start_us);
int32_t policy_change_start_s(const struct policy *policy, int64_t until_start_us);

#endif
