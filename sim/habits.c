#include "sim/habits.h"

#include "base/clock.h"

static void copy_hours(uint32_t out[LUCK_HOURS], const int32_t percent[HOURS])
{
    for (int hour = 0; hour < LUCK_HOURS; hour++)
        out[hour] = (uint32_t)percent[hour];
}

struct habits habits_of(const struct scenario *scenario)
{
    const struct scenario_people *people = &scenario->people;
    const struct scenario_network *network = &scenario->network;
    struct habits habits = {
        .decline = (uint32_t)people->decline_permille,
        .no_access = (uint32_t)scenario->customers.no_access_permille,
        .incomplete = (uint32_t)people->incomplete_permille,
        .forget_check_out = (uint32_t)people->forget_check_out_permille,
        .positions = (uint32_t)people->positions_permille,
        .late_start = (uint32_t)people->late_start_permille,
        .late_least_us = people->late_least_s * US_PER_SECOND,
        .late_most_us = people->late_most_s * US_PER_SECOND,
        .signal_losses = (uint32_t)network->outage_permille,
        .loss_least_us = network->outage_least_s * US_PER_SECOND,
        .loss_most_us = network->outage_most_s * US_PER_SECOND,
        .travel = {spread_factor, &scenario->roads.travel},
        .work = {spread_factor, &scenario->service.work},
    };
    copy_hours(habits.travel_by_hour, scenario->roads.by_hour);
    copy_hours(habits.work_by_hour, scenario->service.by_hour);
    return habits;
}
