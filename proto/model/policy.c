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
