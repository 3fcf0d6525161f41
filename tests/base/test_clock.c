/* The domain clock: what `--clock` may say, and that a restarted process goes on with the same
 * clock. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_scaled_clock_starts_where_it_was_told(void **state)
{
    (void)state;
    struct clock clock;
    struct problem problem;
    assert_int_equal(clock_parse("2026-11-23T06:00:00Z,120", &clock, &problem), ERR_OK);
    char text[32];
    assert_string_equal(clock_format_utc(clock.start_us, text), "2026-11-23T06:00:00Z");
    assert_false(clock.wall);
    clock.mono_start_us = clock_mono_us() - US_PER_SECOND;
    assert_true(clock_now_us(&clock) - clock.start_us >= 120 * US_PER_SECOND);
}

static void a_printed_clock_is_the_same_clock(void **state)
{
    (void)state;
    struct clock clock, again;
    assert_int_equal(clock_parse("1795413600,0.25", &clock, NULL), ERR_OK);
    clock.mono_start_us -= 5 * US_PER_SECOND;
    char text[CLOCK_TEXT_SIZE];
    clock_print(&clock, text);
    assert_int_equal(clock_parse(text, &again, NULL), ERR_OK);
    assert_int_equal(again.start_us, clock.start_us);
    assert_int_equal(again.mono_start_us, clock.mono_start_us);
    assert_true(again.rate >= clock.rate && again.rate <= clock.rate);
    assert_int_equal(clock_parse("wall", &clock, NULL), ERR_OK);
    clock_print(&clock, text);
    assert_string_equal(text, "wall");
}

static void a_bad_clock_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "120",
                                      "2026-02-30T06:00:00Z,1",
                                      "100,nan",
                                      "100,-1",
                                      "100,200000",
                                      "100,1,",
                                      "100,1,-5",
                                      "100,1,5x",
                                      "yesterday,1",
                                      "2026-11-23T06:00:00Z"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct clock clock;
        struct problem problem = {0};
        assert_int_equal(clock_parse(bad[i], &clock, &problem), ERR_INVALID);
        assert_string_equal(problem.field, "--clock");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scaled_clock_starts_where_it_was_told),
        cmocka_unit_test(a_printed_clock_is_the_same_clock),
        cmocka_unit_test(a_bad_clock_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
