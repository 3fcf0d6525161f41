#include "model/policy.h"

#define MINUTE_US INT64_C(60000000)

const struct policy policy_default = {
    .version = 1,
    .freeze_us = 30 * MINUTE_US,
    .dispatch_ahead_us = 60 * MINUTE_US,
    .accept_timeout_us = 10 * MINUTE_US,
    .overtime_price_percent = 150,
    .unserved_s_per_priority = 3600,
    .change_technician_s = 60,
    .change_start_s = 10,
    .change_start_tolerance_us = 15 * MINUTE_US,
    .travel_price_percent = 100,
    .lateness_price_percent = 100,
    .position_moving_s = 30,
    .position_resting_s = 300,
};

static int32_t grown(int32_t price_s, int64_t until_start_us)
{
    static const int64_t far_us = 240 * MINUTE_US;
    if (until_start_us >= far_us) return price_s;
    if (until_start_us < 0) until_start_us = 0;
    return (int32_t)(price_s + price_s * INT64_C(3) * (far_us - until_start_us) / far_us);
}

int32_t policy_change_technician_s(const struct policy *policy, int64_t until_start_us)
{
    return grown(policy->change_technician_s, until_start_us);
}

int32_t policy_change_start_s(const struct policy *policy, int64_t until_start_us)
{
    return grown(policy->change_start_s, until_start_us);
}

int64_t policy_overtime_price_s(const struct policy *policy, int64_t overtime_s)
{
    int64_t tier_s = policy->overtime_tier_us / 1000000;
    int64_t beyond_s = tier_s > 0 && overtime_s > tier_s ? overtime_s - tier_s : 0;
    return ((overtime_s - beyond_s) * policy->overtime_price_percent +
            beyond_s * policy->overtime_tier_price_percent) /
           100;
}
