/* Draws and luck: figures follow their laws, questions do not disturb one another, and a seed means
 * the same on every machine. */
#include "base/clock.h"
#include "sim/draw.h"
#include "sim/luck.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { DRAWS = 100000, ORDERS = 20000 };

static const int64_t midnight_us = INT64_C(1795392000) * US_PER_SECOND; /* 2026-11-23 */
static const struct point here = {471400000, 95200000}, there = {471900000, 95900000};

static int64_t at_hour(int hour)
{
    return midnight_us + hour * 60 * US_PER_MINUTE;
}

static void normal_draws_are_normal(void **state)
{
    (void)state;
    struct rng rng = {1};
    double sum = 0, squares = 0;
    int within = 0;
    for (int i = 0; i < DRAWS; i++) {
        double draw = draw_normal(&rng) / 65536.0;
        sum += draw;
        squares += draw * draw;
        within += fabs(draw) < 1;
    }
    assert_true(fabs(sum / DRAWS) < 0.01);
    assert_true(fabs(squares / DRAWS - 0.99) < 0.02); /* what lies beyond 3 was moved in */
    assert_true(abs(within - 68100) < 700);
}

static int by_size(const void *a, const void *b)
{
    const int64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

/* The quantiles of a lognormal: median, and median x e^(+-sigma) at 16 and 84 percent. */
static void durations_are_lognormal(void **state)
{
    (void)state;
    static int64_t draws[DRAWS];
    const uint32_t spreads[] = {100, 400, 1000};
    for (size_t k = 0; k < 3; k++) {
        struct rng rng = {2};
        double median = 3600e6, sigma = spreads[k] / 1000.0;
        for (int i = 0; i < DRAWS; i++)
            draws[i] = draw_about(&rng, (int64_t)median, spreads[k]);
        qsort(draws, DRAWS, sizeof *draws, by_size);
        assert_true(draws[0] > 0);
        assert_true(fabs((double)draws[DRAWS / 2] / median - 1) < 0.02);
        assert_true(fabs((double)draws[DRAWS * 8413 / 10000] / (median * exp(sigma)) - 1) < 0.03);
        assert_true(fabs((double)draws[DRAWS * 1587 / 10000] / (median * exp(-sigma)) - 1) < 0.03);
    }
}

static void a_seed_means_the_same_everywhere(void **state)
{
    (void)state;
    struct rng rng = {42};
    assert_int_equal(draw_about(&rng, 1000000, 400), 859527);
    assert_int_equal(draw_about(&rng, INT64_C(36000000000), 1500), 7943115234);
    assert_int_equal(draw_between(&rng, -1000000, 1000000), -563190);
    struct luck luck = {.habits = &habits_default, .seed = 7, .midnight_us = midnight_us};
    assert_int_equal(luck_journey_us(&luck, "A1", here, there, at_hour(8)), 1143438100);
    assert_int_equal(luck_work_us(&luck, "A1", 1800 * US_PER_SECOND, at_hour(8)), 1807200000);
}

static void an_answer_depends_on_its_question_alone(void **state)
{
    (void)state;
    struct luck luck = {.habits = &habits_default, .seed = 7, .midnight_us = midnight_us};
    int64_t first_us = luck_work_us(&luck, "A1", 1800 * US_PER_SECOND, at_hour(9));
    luck_says(&luck, LUCK_NO_ACCESS, "A2");
    luck_journey_us(&luck, "A1", here, there, at_hour(9));
    assert_int_equal(luck_work_us(&luck, "A1", 1800 * US_PER_SECOND, at_hour(9)), first_us);
    assert_true(luck_work_us(&luck, "A2", 1800 * US_PER_SECOND, at_hour(9)) != first_us);
    luck.seed = 8;
    assert_true(luck_work_us(&luck, "A1", 1800 * US_PER_SECOND, at_hour(9)) != first_us);
}

static uint32_t permille_that(const struct luck *luck, enum luck_question question)
{
    uint32_t count = 0;
    char id[16];
    for (int i = 0; i < ORDERS; i++) {
        snprintf(id, sizeof id, "A%d", i);
        count += luck_says(luck, question, id);
    }
    return count * 1000 / ORDERS;
}

static void what_is_likely_happens_as_often(void **state)
{
    (void)state;
    struct habits habits = habits_default;
    struct luck luck = {.habits = &habits, .seed = 3};
    habits.no_access = 250;
    habits.decline = 0;
    habits.forget_check_out = 1000;
    uint32_t without = permille_that(&luck, LUCK_NO_ACCESS);
    assert_true(without > 235 && without < 265);
    assert_int_equal(permille_that(&luck, LUCK_DECLINES), 0);
    assert_int_equal(permille_that(&luck, LUCK_FORGETS), 1000);
    habits.late_start = 1000;
    for (int i = 0; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof id, "T%d", i);
        int64_t late_us = luck_late_start_us(&luck, id);
        assert_true(late_us >= habits.late_least_us && late_us <= habits.late_most_us);
    }
    habits.late_start = 0;
    assert_int_equal(luck_late_start_us(&luck, "T1"), 0);
}

static int64_t mean_journey_us(const struct luck *luck, int hour)
{
    int64_t sum_us = 0;
    char id[16];
    for (int i = 0; i < ORDERS; i++) {
        snprintf(id, sizeof id, "A%d", i);
        sum_us += luck_journey_us(luck, id, here, there, at_hour(hour));
    }
    return sum_us / ORDERS;
}

static void roads_are_slower_when_everybody_drives(void **state)
{
    (void)state;
    int32_t percent = 100;
    struct luck luck = {.habits = &habits_default,
                        .seed = 5,
                        .midnight_us = midnight_us,
                        .travel_percent = &percent};
    int64_t night_us = mean_journey_us(&luck, 2), rush_us = mean_journey_us(&luck, 7 + 24);
    assert_true(llabs(rush_us * 85 - night_us * 120) < rush_us); /* 120 % against 85 %, rounded */
    int64_t usual_us = travel_seconds(&travel_straight, here, there) * US_PER_SECOND;
    assert_true(llabs(night_us * 100 / usual_us - 86) <= 1); /* the mean lies above the median */
    percent = 130;
    assert_true(llabs(mean_journey_us(&luck, 2) * 100 / night_us - 130) <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_draws_are_normal),
        cmocka_unit_test(durations_are_lognormal),
        cmocka_unit_test(a_seed_means_the_same_everywhere),
        cmocka_unit_test(an_answer_depends_on_its_question_alone),
        cmocka_unit_test(what_is_likely_happens_as_often),
        cmocka_unit_test(roads_are_slower_when_everybody_drives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
