/* Statistics of a study: quantiles as the tables have them, and intervals that hold the true mean
 * as often as they say, with few values and with skewed ones. */
#include "base/check.h"
#include "base/rng.h"
#include "sim/study/stats.h"
#include "sim/study/verdict.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_near(double value, double expected, double within)
{
    if (!(fabs(value - expected) <= within)) fail_msg("%.9g is not %.9g", value, expected);
}

static void quantiles_are_those_of_the_tables(void **state)
{
    (void)state;
    assert_near(stats_t_quantile(0.975, 1), 12.7062047, 1e-6);
    assert_near(stats_t_quantile(0.975, 5), 2.5705818, 1e-6);
    assert_near(stats_t_quantile(0.95, 10), 1.8124611, 1e-6);
    assert_near(stats_t_quantile(0.025, 30), -2.0422725, 1e-6);
    assert_near(stats_t_quantile(0.995, 499), 2.5857176, 1e-5);
    assert_near(stats_t_quantile(0.5, 7), 0, 1e-7);
    assert_near(stats_t(2.2281389, 10), 0.975, 1e-7);
    assert_near(stats_normal(1.959963985), 0.975, 1e-9);
    assert_near(stats_normal(0), 0.5, 0);
}

static void a_mean_and_its_interval_are_those_of_the_book(void **state)
{
    (void)state;
    /* By hand: mean 5, squares 10, deviation sqrt(2.5), error sqrt(0.5), t(4) 2.7764451. */
    static const double values[] = {3, 4, 5, 6, 7};
    struct interval t = stats_t_interval(values, 5, 0.95);
    assert_near(t.mean, 5, 0);
    assert_near(t.high - 5, 2.7764451 * sqrt(0.5), 1e-6);
    assert_near(5 - t.low, t.high - 5, 1e-12);
    assert_near(stats_deviation(values, 5), sqrt(2.5), 1e-12);
}

/* Nearly normal with mean 0 and deviation 1: twelve even numbers, less their mean. */
static double draw_normal(struct rng *rng)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += rng_unit(rng);
    return sum;
}

/* Skewed, with mean 1. */
static double draw_skewed(struct rng *rng)
{
    return -log(1 - rng_unit(rng));
}

struct coverage {
    int t, bootstrap, t_below, t_above; /* of 2000 */
};

static struct coverage cover(double (*draw)(struct rng *), double mean, size_t count,
                             double confidence)
{
    struct rng rng = {42};
    struct coverage coverage = {0};
    double values[64];
    CHECK(count <= 64);
    for (uint64_t round = 0; round < 2000; round++) {
        for (size_t i = 0; i < count; i++)
            values[i] = draw(&rng);
        struct interval t = stats_t_interval(values, count, confidence);
        struct interval b = stats_bootstrap(values, count, confidence, 500, round);
        coverage.t += t.low <= mean && mean <= t.high;
        coverage.t_below += mean < t.low;
        coverage.t_above += mean > t.high;
        coverage.bootstrap += b.low <= mean && mean <= b.high;
    }
    return coverage;
}

static void intervals_hold_the_mean_as_often_as_they_say(void **state)
{
    (void)state;
    struct coverage coverage = cover(draw_normal, 0, 10, 0.95);
    assert_in_range(coverage.t, 1870, 1930); /* 95 % is 1900, its deviation 10 */
    assert_in_range(coverage.bootstrap, 1850, 1930);
    assert_in_range(coverage.t_below, 25, 75); /* the misses lie on both sides */
    coverage = cover(draw_normal, 0, 30, 0.80);
    assert_in_range(coverage.t, 1545, 1655);
    assert_in_range(coverage.bootstrap, 1530, 1660);
    coverage = cover(draw_skewed, 1, 50, 0.95);
    assert_in_range(coverage.t, 1830, 1930);
    assert_in_range(coverage.bootstrap, 1830, 1930);
}

static void no_difference_is_found_as_often_as_chance_has_it(void **state)
{
    (void)state;
    struct rng rng = {7};
    double differences[20];
    int found = 0, below = 0;
    for (uint64_t round = 0; round < 2000; round++) {
        for (int i = 0; i < 20; i++)
            differences[i] = draw_normal(&rng);
        struct paired paired = paired_judge(differences, 20, GOAL_MORE, 0.95, round);
        found += paired.verdict != VERDICT_NOT_DIFFERENT;
        below += paired.p_value < 0.05;
        assert_true((paired.p_value < 0.05) == (paired.verdict != VERDICT_NOT_DIFFERENT));
    }
    assert_in_range(found, 65, 135); /* 5 % */
    assert_int_equal(found, below);
}

static enum verdict judge(const double *differences, size_t count, enum goal goal)
{
    return paired_judge(differences, count, goal, 0.95, 1).verdict;
}

static void verdicts_follow_the_goal(void **state)
{
    (void)state;
    static const double up[] = {3, 4, 5, 4, 3}, down[] = {-3, -4, -5, -4, -3}, none[5] = {0},
                        mixed[] = {3, -4, 2, -1, 0}, all_one[] = {2, 2, 2};
    assert_int_equal(judge(up, 5, GOAL_MORE), VERDICT_BETTER);
    assert_int_equal(judge(up, 5, GOAL_LESS), VERDICT_WORSE);
    assert_int_equal(judge(up, 5, GOAL_NONE), VERDICT_HIGHER);
    assert_int_equal(judge(down, 5, GOAL_MORE), VERDICT_WORSE);
    assert_int_equal(judge(down, 5, GOAL_LESS), VERDICT_BETTER);
    assert_int_equal(judge(down, 5, GOAL_NONE), VERDICT_LOWER);
    assert_int_equal(judge(none, 5, GOAL_MORE), VERDICT_SAME);
    assert_int_equal(judge(mixed, 5, GOAL_MORE), VERDICT_NOT_DIFFERENT);
    assert_int_equal(judge(all_one, 3, GOAL_MORE), VERDICT_BETTER);
    assert_int_equal(judge(up, 1, GOAL_MORE), VERDICT_TOO_FEW);
    assert_int_equal(judge(up, 0, GOAL_MORE), VERDICT_TOO_FEW);
}

static void what_is_better_is_known_by_name(void **state)
{
    (void)state;
    assert_int_equal(goal_of("kpi.on_time_permille"), GOAL_MORE);
    assert_int_equal(goal_of("served"), GOAL_MORE);
    assert_int_equal(goal_of("total.unserved"), GOAL_LESS);
    assert_int_equal(goal_of("travel_s"), GOAL_LESS);
    assert_int_equal(goal_of("moves_per_appointment"), GOAL_LESS);
    assert_int_equal(goal_of("optimizer.latency_p99_us"), GOAL_LESS);
    assert_int_equal(goal_of("technicians"), GOAL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_those_of_the_tables),
        cmocka_unit_test(a_mean_and_its_interval_are_those_of_the_book),
        cmocka_unit_test(intervals_hold_the_mean_as_often_as_they_say),
        cmocka_unit_test(no_difference_is_found_as_often_as_chance_has_it),
        cmocka_unit_test(verdicts_follow_the_goal),
        cmocka_unit_test(what_is_better_is_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
