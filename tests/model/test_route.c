/* When the stops of a route happen: small stories, and many random days against every possible
 * break. */
#include "base/rng.h"
#include "model/policy.h"
#include "model/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINUTE INT64_C(60000000)

enum { STOPS_MAX = 4, DAYS = 30000 };

/* A world on a line: one minute for each step of latitude. */
static int32_t line_seconds(const struct travel *travel, struct point from, struct point to)
{
    (void)travel;
    int32_t steps = from.lat_e7 - to.lat_e7;
    return 60 * (steps < 0 ? -steps : steps);
}
static const struct travel line = {line_seconds};

static struct route_visit visit_at(int32_t place, int64_t service, int64_t open, int64_t close)
{
    return (struct route_visit){.at = {place, 0},
                                .service_us = service * MINUTE,
                                .windows = {{open * MINUTE, close * MINUTE}},
                                .window_count = 1};
}

/* A day from minute 0 to 480 at place 0, without a break. */
static struct route_day plain_day(void)
{
    return (struct route_day){.shift_end_us = 480 * MINUTE};
}

static void he_waits_for_the_window(void **state)
{
    (void)state;
    struct route_visit visit = visit_at(10, 30, 60, 90);
    const struct route_visit *visits[] = {&visit};
    struct route_day day = plain_day();
    struct route_stop stop;
    struct route_times times;
    assert_int_equal(route_time(&line, &day, visits, 1, &stop, &times), ROUTE_FITS);
    assert_int_equal(stop.arrival_us, 10 * MINUTE);
    assert_int_equal(stop.start_us, 60 * MINUTE);
    assert_int_equal(stop.departure_us, 90 * MINUTE);
    assert_int_equal(times.end_us, 100 * MINUTE);
    assert_int_equal(times.travel_s, 20 * 60);
    assert_int_equal(times.wait_s, 50 * 60);
}

static void the_second_window_serves_too(void **state)
{
    (void)state;
    struct route_visit visit = visit_at(100, 30, 20, 90);
    visit.windows[1] = (struct window){200 * MINUTE, 210 * MINUTE};
    visit.window_count = 2;
    const struct route_visit *visits[] = {&visit};
    struct route_day day = plain_day();
    struct route_stop stop;
    struct route_times times;
    assert_int_equal(route_time(&line, &day, visits, 1, &stop, &times), ROUTE_FITS);
    assert_int_equal(stop.start_us, 200 * MINUTE);
}

static void the_rule_that_fails_is_named(void **state)
{
    (void)state;
    struct route_visit near = visit_at(10, 30, 0, 480), late = visit_at(20, 30, 0, 49);
    const struct route_visit *visits[] = {&near, &late};
    struct route_day day = plain_day();
    struct route_stop stops[2];
    struct route_times times;
    assert_int_equal(route_time(&line, &day, visits, 2, stops, &times), ROUTE_WINDOW_MISSED);
    assert_int_equal(times.rule_index, 1);
    late.windows[0].end_us = 50 * MINUTE; /* both bounds belong to the window */
    assert_int_equal(route_time(&line, &day, visits, 2, stops, &times), ROUTE_FITS);
    day.shift_end_us = 99 * MINUTE;
    assert_int_equal(route_time(&line, &day, visits, 2, stops, &times), ROUTE_SHIFT_EXCEEDED);
    day.overtime_us_max = MINUTE;
    assert_int_equal(route_time(&line, &day, visits, 2, stops, &times), ROUTE_FITS);
    assert_int_equal(times.overtime_us, MINUTE);
    day.break_us = 30 * MINUTE;
    day.break_latest_us = -1; /* before the day begins */
    assert_int_equal(route_time(&line, &day, visits, 2, stops, &times), ROUTE_BREAK_MISSED);
}

static void a_frozen_start_is_not_anticipated(void **state)
{
    (void)state;
    struct route_visit visit = visit_at(10, 30, 0, 480);
    visit.not_before_us = 77 * MINUTE;
    const struct route_visit *visits[] = {&visit};
    struct route_day day = plain_day();
    struct route_stop stop;
    struct route_times times;
    assert_int_equal(route_time(&line, &day, visits, 1, &stop, &times), ROUTE_FITS);
    assert_int_equal(stop.start_us, 77 * MINUTE);
}

/* Forty minutes after the end are allowed, but there the next window begins. */
static void lateness_ends_where_the_next_window_begins(void **state)
{
    (void)state;
    struct route_visit visit = visit_at(0, 30, 60, 90);
    visit.windows[1] = (struct window){120 * MINUTE, 130 * MINUTE};
    visit.window_count = 2;
    assert_int_equal(visit_earliest_start_us(&visit, 91 * MINUTE), 120 * MINUTE);
    visit.late_us_max = 40 * MINUTE;
    assert_int_equal(visit_earliest_start_us(&visit, 91 * MINUTE), 91 * MINUTE); /* nobody waits */
    assert_int_equal(visit_late_us(&visit, 91 * MINUTE), MINUTE);
    assert_int_equal(visit_late_us(&visit, 120 * MINUTE - 1), 30 * MINUTE - 1);
    assert_int_equal(visit_late_us(&visit, 120 * MINUTE), 0);
    assert_int_equal(visit_earliest_start_us(&visit, 170 * MINUTE), 170 * MINUTE);
    assert_int_equal(visit_late_us(&visit, 170 * MINUTE), 40 * MINUTE);
    assert_int_equal(visit_earliest_start_us(&visit, 170 * MINUTE + 1), INT64_MAX);

    struct route_day day = plain_day();
    day.available_us = 95 * MINUTE;
    const struct route_visit *visits[] = {&visit};
    struct route_stop stop;
    struct route_times times;
    assert_int_equal(route_time(&line, &day, visits, 1, &stop, &times), ROUTE_FITS);
    assert_int_equal(stop.late_us, 5 * MINUTE);
}

static void windows_that_meet_are_one(void **state)
{
    (void)state;
    struct window windows[] = {{50, 60}, {10, 20}, {20, 30}, {55, 58}};
    assert_int_equal(windows_merge(windows, 4), 2);
    assert_int_equal(windows[0].start_us, 10);
    assert_int_equal(windows[0].end_us, 30);
    assert_int_equal(windows[1].start_us, 50);
    assert_int_equal(windows[1].end_us, 60);
}

static void nobody_travels_longer_than_he_may(void **state)
{
    (void)state;
    struct route_visit near = visit_at(10, 30, 0, 480), far = visit_at(40, 30, 0, 480);
    const struct route_visit *visits[] = {&near, &far};
    struct route_day day = plain_day(); /* legs of 10, 30 and 40 minutes */
    struct route_stop stops[2];
    struct route_times times;
    day.leg_s_max = 39 * 60;
    assert_int_equal(route_time(&line, &day, visits, 2, stops, &times), ROUTE_LEG_TOO_LONG);
    assert_int_equal(times.rule_index, 2);
    day.leg_s_max = 40 * 60;
    assert_int_equal(route_time(&line, &day, visits, 2, stops, &times), ROUTE_FITS);
    day.travel_s_max = 80 * 60 - 1;
    assert_int_equal(route_time(&line, &day, visits, 2, stops, &times), ROUTE_TRAVEL_EXCEEDED);
    assert_int_equal(times.rule_index, 2);
    day.travel_s_max = 80 * 60;
    assert_int_equal(route_time(&line, &day, visits, 2, stops, &times), ROUTE_FITS);
    day.start.lat_e7 = 100; /* too far from home, but home he may */
    assert_int_equal(route_time(&line, &day, visits, 0, stops, &times), ROUTE_FITS);
}

/* --- every possible break --- */

struct any_day {
    struct route_day day;
    struct route_visit visits[STOPS_MAX];
    uint32_t count;
};

static int64_t pick(struct rng *rng, int64_t low, int64_t high)
{
    return low + rng_below(rng, (uint32_t)(high - low + 1));
}

static struct any_day random_day(struct rng *rng)
{
    struct any_day any = {.count = (uint32_t)pick(rng, 1, STOPS_MAX)};
    any.day.start.lat_e7 = (int32_t)pick(rng, 0, 20);
    any.day.end.lat_e7 = (int32_t)pick(rng, 0, 20);
    any.day.available_us = pick(rng, 0, 20) * MINUTE;
    any.day.shift_end_us = pick(rng, 60, 200) * MINUTE;
    any.day.overtime_us_max = pick(rng, 0, 20) * MINUTE;
    any.day.break_us = pick(rng, 0, 3) == 0 ? 0 : pick(rng, 1, 30) * MINUTE;
    any.day.break_earliest_us = pick(rng, 0, 80) * MINUTE;
    any.day.break_latest_us = any.day.break_earliest_us + pick(rng, 0, 40) * MINUTE;
    for (uint32_t i = 0; i < any.count; i++) {
        int64_t open = pick(rng, 0, 100);
        any.visits[i] =
            visit_at((int32_t)pick(rng, 0, 20), pick(rng, 0, 15), open, open + pick(rng, 0, 60));
        any.visits[i].windows[1].start_us = any.visits[i].windows[0].end_us + 5 * MINUTE;
        any.visits[i].windows[1].end_us = any.visits[i].windows[0].end_us + 10 * MINUTE;
        any.visits[i].window_count = (uint32_t)pick(rng, 0, 2);
        any.visits[i].late_us_max = pick(rng, 0, 2) == 0 ? pick(rng, 1, 20) * MINUTE : 0;
    }
    return any;
}

/* The end of the day when the break starts at minute `at` on leg `break_leg` (in the journey, or in
 * the wait after it), else -1. break_leg -1: none is taken. */
static int64_t end_with_break(const struct any_day *any, int break_leg, int64_t at_us)
{
    struct point here = any->day.start;
    int64_t now = any->day.available_us;
    for (uint32_t leg = 0; leg <= any->count; leg++) {
        struct point to = leg < any->count ? any->visits[leg].at : any->day.end;
        int64_t arrival = now + line_seconds(&line, here, to) * INT64_C(1000000);
        if ((int)leg == break_leg) {
            if (at_us < now) return -1; /* he still works */
            arrival = (at_us < arrival ? arrival : at_us) + any->day.break_us;
        }
        here = to;
        now = arrival;
        if (leg == any->count) break;
        now = visit_earliest_start_us(&any->visits[leg], arrival);
        if (now == INT64_MAX) return -1;
        now += any->visits[leg].service_us;
    }
    return now <= any->day.shift_end_us + any->day.overtime_us_max ? now : -1;
}

static int64_t best_end(const struct any_day *any)
{
    if (any->day.break_us == 0) return end_with_break(any, -1, 0);
    int64_t best = -1;
    for (int leg = 0; leg <= (int)any->count; leg++) {
        for (int64_t at = any->day.break_earliest_us; at <= any->day.break_latest_us;
             at += MINUTE) {
            int64_t end = end_with_break(any, leg, at);
            if (end >= 0 && (best < 0 || end < best)) best = end;
        }
    }
    return best;
}

/* The times that were given hold the rules, one stop after the other. */
static void check_stops(const struct any_day *any, const struct route_stop *stops,
                        const struct route_times *times)
{
    uint32_t breaks = times->break_start_us != 0;
    int64_t left = any->day.available_us;
    for (uint32_t i = 0; i < any->count; i++) {
        assert_true(stops[i].arrival_us >= left);
        assert_true(stops[i].start_us >= stops[i].arrival_us);
        assert_int_equal(visit_earliest_start_us(&any->visits[i], stops[i].start_us),
                         stops[i].start_us);
        assert_int_equal(stops[i].departure_us, stops[i].start_us + any->visits[i].service_us);
        if (stops[i].break_start_us != 0) {
            breaks++;
            assert_in_range(stops[i].break_start_us, any->day.break_earliest_us,
                            any->day.break_latest_us);
        }
        left = stops[i].departure_us;
    }
    assert_true(times->end_us >= left);
    assert_true(breaks <= 1);
}

static void no_break_gives_an_earlier_end(void **state)
{
    (void)state;
    struct rng rng = {20261123};
    uint32_t fitting = 0;
    for (int i = 0; i < DAYS; i++) {
        struct any_day any = random_day(&rng);
        const struct route_visit *visits[STOPS_MAX];
        struct route_stop stops[STOPS_MAX];
        struct route_times times;
        for (uint32_t v = 0; v < any.count; v++)
            visits[v] = &any.visits[v];
        int64_t best = best_end(&any);
        enum route_rule rule = route_time(&line, &any.day, visits, any.count, stops, &times);
        assert_int_equal(rule == ROUTE_FITS, best >= 0);
        if (rule != ROUTE_FITS) continue;
        assert_int_equal(times.end_us, best);
        check_stops(&any, stops, &times);
        fitting++;
    }
    assert_in_range(fitting, DAYS / 10, DAYS * 9 / 10); /* both kinds were met */
}

/* What a rule misses is what it must give way by: a microsecond less, and it still fails there. */
static void a_rule_gives_way_by_what_it_misses(void **state)
{
    (void)state;
    struct rng rng = {20261124};
    uint32_t gave_way[ROUTE_TRAVEL_EXCEEDED + 1] = {0};
    for (int i = 0; i < DAYS / 10; i++) {
        struct any_day any = random_day(&rng);
        const struct route_visit *visits[STOPS_MAX];
        struct route_stop stops[STOPS_MAX];
        struct route_times times, less;
        for (uint32_t v = 0; v < any.count; v++)
            visits[v] = &any.visits[v];
        any.day.leg_s_max = (int32_t)pick(&rng, 0, 20) * 60;
        any.day.travel_s_max = (int32_t)pick(&rng, 0, 60) * 60;
        for (int step = 0; route_time(&line, &any.day, visits, any.count, stops, &times); step++) {
            assert_in_range(step, 0, 4 * STOPS_MAX);
            gave_way[times.rule]++;
            struct any_day kept = any;
            struct route_times almost = times;
            almost.miss_us -=
                times.rule == ROUTE_LEG_TOO_LONG || times.rule == ROUTE_TRAVEL_EXCEEDED ? 1000000
                                                                                        : 1;
            if (almost.miss_us > 0) {
                route_give_way(&any.day, &any.visits[times.rule_index % STOPS_MAX], &almost);
                route_time(&line, &any.day, visits, any.count, stops, &less);
                assert_int_equal(less.rule, times.rule);
                assert_int_equal(less.rule_index, times.rule_index);
            }
            any = kept;
            route_give_way(&any.day, &any.visits[times.rule_index % STOPS_MAX], &times);
        }
    }
    for (int rule = ROUTE_FITS + 1; rule <= ROUTE_TRAVEL_EXCEEDED; rule++)
        assert_in_range(gave_way[rule], 10, UINT32_MAX);
}

/* --- places and prices --- */

static void distances_are_those_of_the_sphere(void **state)
{
    (void)state;
    const struct point equator = {0, 0}, east = {0, 1 * GEO_E7}, pole = {90 * GEO_E7, 0};
    assert_in_range((uint64_t)point_distance_m(equator, east), 111194, 111196);
    assert_in_range((uint64_t)point_distance_m(equator, pole), 10007556, 10007559);
    assert_true(point_distance_m(east, east) <= 0);
    /* 111195 m x 1.3 at 40 km/h, rounded up. */
    assert_in_range(travel_seconds(&travel_straight, equator, east), 13009, 13010);
    assert_true(point_valid(pole));
    assert_false(point_valid((struct point){90 * GEO_E7 + 1, 0}));
    assert_false(point_valid((struct point){0, -180 * GEO_E7 - 1}));
}

static void a_change_costs_more_near_its_start(void **state)
{
    (void)state;
    const struct policy *policy = &policy_default;
    assert_int_equal(policy_change_technician_s(policy, 300 * MINUTE), 60);
    assert_int_equal(policy_change_technician_s(policy, 240 * MINUTE), 60);
    assert_int_equal(policy_change_technician_s(policy, 120 * MINUTE), 150);
    assert_int_equal(policy_change_technician_s(policy, 0), 240);
    assert_int_equal(policy_change_technician_s(policy, -MINUTE), 240);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(he_waits_for_the_window),
        cmocka_unit_test(the_second_window_serves_too),
        cmocka_unit_test(the_rule_that_fails_is_named),
        cmocka_unit_test(a_frozen_start_is_not_anticipated),
        cmocka_unit_test(lateness_ends_where_the_next_window_begins),
        cmocka_unit_test(windows_that_meet_are_one),
        cmocka_unit_test(nobody_travels_longer_than_he_may),
        cmocka_unit_test(no_break_gives_an_earlier_end),
        cmocka_unit_test(a_rule_gives_way_by_what_it_misses),
        cmocka_unit_test(distances_are_those_of_the_sphere),
        cmocka_unit_test(a_change_costs_more_near_its_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
