/* What a timed route costs, part by part: small stories with sums that one can do by hand. */
#include "model/cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)

static void overtime_has_two_tiers(void **state)
{
    (void)state;
    struct policy policy = policy_default; /* 150 % */
    assert_int_equal(policy_overtime_price_s(&policy, 3600), 5400);
    policy.overtime_tier_us = 1800 * SECOND;
    policy.overtime_tier_price_percent = 300;
    assert_int_equal(policy_overtime_price_s(&policy, 1800), 2700);
    assert_int_equal(policy_overtime_price_s(&policy, 1801), 2703);
    assert_int_equal(policy_overtime_price_s(&policy, 3600), 2700 + 5400);
}

/* Ten minutes of travel at 120 %, a minute and a bit of overtime, 90.2 seconds late at 200 %. */
static void each_part_is_named(void **state)
{
    (void)state;
    struct policy policy = policy_default;
    policy.travel_price_percent = 120;
    policy.lateness_price_percent = 200;
    policy.preferred_window_missed_s = 700;
    policy.preferred_technician_missed_s = 50;
    struct route_visit rules = {.windows = {{0, 100 * MINUTE}},
                                .window_count = 1,
                                .preferred = {{10 * MINUTE, 20 * MINUTE}},
                                .preferred_count = 1};
    struct cost_visit visits[2] = {{.rules = &rules}, {.rules = &rules, .prefers_others = true}};
    struct route_stop stops[2] = {
        {.start_us = 20 * MINUTE},
        {.start_us = 100 * MINUTE + 90 * SECOND + 200000, .late_us = 90 * SECOND + 200000}};
    struct route_times times = {.travel_s = 600, .overtime_us = 61 * SECOND + 1};
    struct cost_parts parts = cost_of_route(&policy, 0, visits, stops, 2, &times);
    assert_int_equal(parts.travel, 720);
    assert_int_equal(parts.overtime, 62 * 150 / 100);
    assert_int_equal(parts.lateness, 91 * 2);
    assert_int_equal(parts.preferred_window, 700);
    assert_int_equal(parts.preferred_technician, 50);
    assert_int_equal(parts.change_technician, 0);
    assert_int_equal(parts.change_start, 0);
    assert_int_equal(cost_total(&parts), 720 + 93 + 182 + 700 + 50);
}

static void a_change_is_priced_if_somebody_was_told(void **state)
{
    (void)state;
    const struct route_visit anytime = {.window_count = 0};
    struct cost_visit visit = {.rules = &anytime, .comes_from_other = true};
    struct route_stop stop = {.start_us = 320 * MINUTE};
    struct route_times times = {.travel_s = 0};
    struct cost_parts parts = cost_of_route(&policy_default, 0, &visit, &stop, 1, &times);
    assert_int_equal(cost_total(&parts), 0);
    visit.published = true;
    visit.planned_start_us = 300 * MINUTE; /* five hours ahead: the plain price */
    parts = cost_of_route(&policy_default, 0, &visit, &stop, 1, &times);
    assert_int_equal(parts.change_technician, 60);
    assert_int_equal(parts.change_start, 10);
    stop.start_us = 315 * MINUTE; /* as much as is tolerated */
    parts = cost_of_route(&policy_default, 0, &visit, &stop, 1, &times);
    assert_int_equal(parts.change_start, 0);
    parts = cost_of_route(&policy_default, 300 * MINUTE, &visit, &stop, 1, &times);
    assert_int_equal(parts.change_technician, 240);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overtime_has_two_tiers),
        cmocka_unit_test(each_part_is_named),
        cmocka_unit_test(a_change_is_priced_if_somebody_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
