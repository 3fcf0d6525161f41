/* When something happened, told by clocks that are wrong, ahead, or were started again. */
#include "dispatcher/device_clock.h"

#include "base/clock.h"
#include "words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_US  (INT64_C(20780) * US_PER_DAY)
#define HOUR_US (60 * US_PER_MINUTE)

struct made {
    struct row_device device;
    Callout__PushRequest push;
    Callout__Command command;
};

/* A command of ten minutes ago, sent now, with a clock that is wrong by `wrong_us`. */
static struct made a_command(int64_t wrong_us)
{
    struct made made = {.device = {.boot_id = ""}};
    callout__push_request__init(&made.push);
    callout__command__init(&made.command);
    made.command.device_time_us = NOW_US + wrong_us - 10 * US_PER_MINUTE;
    made.push.device_time_us = NOW_US + wrong_us;
    return made;
}

static struct device_time read_at(struct made *made, double rate)
{
    struct device_clock clock;
    device_clock_open(&clock, &made->device, &made->push, NOW_US, rate);
    return device_clock_read(&clock, &made->command);
}

static void a_right_clock_is_believed(void **state)
{
    (void)state;
    struct made made = a_command(US_PER_SECOND); /* as much as the network takes */
    struct device_time time = read_at(&made, 1);
    assert_int_equal(time.happened_us, made.command.device_time_us);
    assert_false(time.uncertain);
}

static void a_clock_two_hours_behind_or_ten_years_ahead_is_put_right(void **state)
{
    (void)state;
    const int64_t wrong_us[] = {-2 * HOUR_US, 3650 * US_PER_DAY, 30 * US_PER_SECOND};
    for (size_t i = 0; i < sizeof wrong_us / sizeof wrong_us[0]; i++) {
        struct made made = a_command(wrong_us[i]);
        struct device_time time = read_at(&made, 1);
        assert_int_equal(time.happened_us, NOW_US - 10 * US_PER_MINUTE);
        assert_int_equal(time.uncertain, i < 2);
    }
}

static void what_hello_said_counts_until_a_push_says_more(void **state)
{
    (void)state;
    struct made made = a_command(-2 * HOUR_US);
    device_clock_sample(&made.device, NOW_US - US_PER_DAY - 2 * HOUR_US, NOW_US - US_PER_DAY);
    made.push.device_time_us = 0;
    assert_int_equal(read_at(&made, 1).happened_us, NOW_US - 10 * US_PER_MINUTE);
    made.push.device_time_us = NOW_US; /* somebody has set it */
    made.command.device_time_us = NOW_US - US_PER_MINUTE;
    assert_int_equal(read_at(&made, 1).happened_us, NOW_US - US_PER_MINUTE);
}

/* Samples are late by their way here: the least delayed of those that agree is kept. */
static void the_least_delayed_sample_is_the_best(void **state)
{
    (void)state;
    struct row_device device = {.boot_id = ""};
    const int64_t late_us[] = {900000, 200000, 1500000, 700000};
    for (size_t i = 0; i < sizeof late_us / sizeof late_us[0]; i++)
        device_clock_sample(&device, NOW_US - HOUR_US, NOW_US + late_us[i]);
    assert_int_equal(device.clock_offset_us, HOUR_US + 200000);
}

/* The wall clock was set in between: the other one knows how long ago it was. */
static void the_clock_that_only_runs_gives_the_age(void **state)
{
    (void)state;
    struct made made = a_command(0);
    made.push.boot_id = made.command.boot_id = words("b1");
    made.push.mono_us = 5000 * US_PER_SECOND;
    made.command.mono_us = made.push.mono_us - 3 * US_PER_MINUTE;
    made.command.device_time_us = NOW_US - 5 * HOUR_US;
    struct device_time time = read_at(&made, 1);
    assert_int_equal(time.happened_us, NOW_US - 3 * US_PER_MINUTE);
    assert_true(time.uncertain);
    made.command.mono_us = made.push.mono_us - US_PER_SECOND;
    made.command.device_time_us = NOW_US - 2 * US_PER_MINUTE;
    /* With a clock that runs 120 times as fast, a second was two minutes. */
    assert_int_equal(read_at(&made, 120).happened_us, NOW_US - 2 * US_PER_MINUTE);
}

static void a_start_in_between_makes_it_doubtful(void **state)
{
    (void)state;
    struct made made = a_command(0);
    made.command.boot_id = words("b1");
    made.push.boot_id = words("b2");
    made.push.mono_us = 7 * US_PER_SECOND;
    made.command.mono_us = 90000 * US_PER_SECOND;
    struct device_time time = read_at(&made, 1);
    assert_int_equal(time.happened_us, NOW_US - 10 * US_PER_MINUTE);
    assert_true(time.uncertain);
    made.push.boot_id = words("");
    assert_false(read_at(&made, 1).uncertain); /* nobody knows of another start */
    made.device.boot_id = "b2";
    assert_true(read_at(&made, 1).uncertain);
}

static void what_lies_ahead_happened_now(void **state)
{
    (void)state;
    struct made made = a_command(0);
    made.push.device_time_us = 0;
    made.command.device_time_us = NOW_US + 4 * US_PER_MINUTE;
    assert_int_equal(read_at(&made, 1).happened_us, NOW_US);
    assert_false(read_at(&made, 1).uncertain);
    made.command.device_time_us = NOW_US + 6 * US_PER_MINUTE;
    assert_int_equal(read_at(&made, 1).happened_us, NOW_US);
    assert_true(read_at(&made, 1).uncertain);
}

static void any_number_is_taken(void **state)
{
    (void)state;
    const int64_t numbers[] = {INT64_MIN, -1, 0, 1, NOW_US, INT64_MAX};
    enum { N = sizeof numbers / sizeof numbers[0] };
    for (size_t i = 0; i < N * N * N; i++) {
        bool corrected;
        struct made made = a_command(0);
        struct device_clock clock;
        made.push.device_time_us = numbers[i % N];
        made.push.mono_us = numbers[i / N % N];
        made.command.device_time_us = numbers[i / N / N];
        made.command.mono_us = numbers[i % N];
        made.push.boot_id = made.command.boot_id = words("b");
        assert_true(read_at(&made, 120).happened_us <= NOW_US);
        device_clock_open(&clock, &made.device, &made.push, NOW_US, 1);
        int64_t fix_us = device_clock_fix_us(&clock, numbers[i / N / N], &corrected);
        assert_true(fix_us <= NOW_US + 5 * US_PER_MINUTE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_clock_is_believed),
        cmocka_unit_test(a_clock_two_hours_behind_or_ten_years_ahead_is_put_right),
        cmocka_unit_test(what_hello_said_counts_until_a_push_says_more),
        cmocka_unit_test(the_least_delayed_sample_is_the_best),
        cmocka_unit_test(the_clock_that_only_runs_gives_the_age),
        cmocka_unit_test(a_start_in_between_makes_it_doubtful),
        cmocka_unit_test(what_lies_ahead_happened_now),
        cmocka_unit_test(any_number_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
