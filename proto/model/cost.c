#include "model/cost.h"

static int64_t seconds_up(int64_t us)
{
    return (us + 999999) / 1000000;
}

static void add_change(struct cost_parts *parts, const struct policy *policy, int64_t now_us,
                       const struct cost_visit *visit, int64_t start_us)
{
    if (!visit->published || visit->planned_start_us == 0) return;
    int64_t until_us = visit->planned_start_us - now_us;
    int64_t moved_us = start_us - visit->planned_start_us;
    if (moved_us < 0) moved_us = -moved_us;
    if (visit->comes_from_other)
        parts->change_technician += policy_change_technician_s(policy, until_us);
    if (moved_us > policy->change_start_tolerance_us)
        parts->change_start += policy_change_start_s(policy, until_us);
}

struct cost_parts cost_of_route(const struct policy *policy, int64_t now_us,
                                const struct cost_visit *visits, const struct route_stop *stops,
                                uint32_t count, const struct route_times *times)
{
    struct cost_parts parts = {
        .travel = times->travel_s * (int64_t)policy->travel_price_percent / 100,
        .overtime = policy_overtime_price_s(policy, seconds_up(times->overtime_us)),
    };
    for (uint32_t i = 0; i < count; i++) {
        parts.lateness += seconds_up(stops[i].late_us) * policy->lateness_price_percent / 100;
        if (!visit_preferred(visits[i].rules, stops[i].start_us))
            parts.preferred_window += policy->preferred_window_missed_s;
        if (visits[i].prefers_others)
            parts.preferred_technician += policy->preferred_technician_missed_s;
        add_change(&parts, policy, now_us, &visits[i], stops[i].start_us);
    }
    return parts;
}

int64_t cost_total(const struct cost_parts *parts)
{
    return parts->travel + parts->overtime + parts->lateness + parts->preferred_window +
           parts->preferred_technician + parts->change_technician + parts->change_start;
}
