/* Children are restarted when they end and killed when they hang. This program is its own child: a
 * first word makes it one. */
#include "dispatcher/children.h"

#include "base/alive.h"
#include "base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_S = 30 };

static int be_child(const char *word)
{
    const struct timespec nap = {0, 10000000};
    if (strcmp(word, "ends") == 0) return 7;
    if (strcmp(word, "hangs") == 0) alive_beat();
    for (;;) {
        if (strcmp(word, "beats") == 0) alive_beat();
        nanosleep(&nap, NULL);
    }
}

/* Looks until a child ended; fails the test when none does. */
static void wait_for_end(struct child *child)
{
    int64_t limit_us = clock_mono_us() + PATIENCE_S * US_PER_SECOND;
    while (!children_look(child, 1)) {
        assert_true(clock_mono_us() < limit_us);
        assert_false(children_wait(20));
    }
}

static void start(struct child *child, const char *role)
{
    child_init(child, role);
    assert_int_equal(child_start(child), ERR_OK);
}

static void one_that_ends_is_started_again_later_each_time(void **state)
{
    (void)state;
    struct child child;
    start(&child, "ends");
    wait_for_end(&child);
    assert_int_equal(child.exit_code, 7);
    assert_int_equal(child.delay_ms, CHILD_DELAY_MS_MIN);
    assert_int_equal(child.pid, 0);
    child.restart_us = clock_mono_us() + 3600 * US_PER_SECOND;
    children_restart(&child, 1);
    assert_int_equal(child.pid, 0);
    child.restart_us = 0;
    children_restart(&child, 1);
    assert_int_not_equal(child.pid, 0);
    child.started_us = INT64_MAX / 2; /* it lives for less than a second, however slow we are */
    wait_for_end(&child);
    assert_int_equal(child.delay_ms, 2 * CHILD_DELAY_MS_MIN);
    child_fini(&child);
}

static void one_that_falls_silent_is_killed(void **state)
{
    (void)state;
    struct child child;
    start(&child, "hangs");
    child.silence_ms = 100;
    wait_for_end(&child);
    assert_int_equal(child.exit_code, 128 + SIGKILL);
    child_fini(&child);
}

static void one_that_never_beat_is_not_watched(void **state)
{
    (void)state;
    struct child child;
    start(&child, "sleeps");
    child.silence_ms = 1;
    for (int i = 0; i < 10; i++) {
        assert_false(children_wait(10));
        assert_false(children_look(&child, 1));
    }
    child_stop(&child, 1000);
    child_fini(&child);
}

static void one_that_beats_lives_until_it_is_stopped(void **state)
{
    (void)state;
    struct child child;
    start(&child, "beats");
    child.silence_ms = 20 * ALIVE_BEAT_MS;
    int64_t limit_us = clock_mono_us() + PATIENCE_S * US_PER_SECOND;
    while (child.beat_us == 0) {
        assert_true(clock_mono_us() < limit_us);
        assert_false(children_wait(10));
        assert_false(children_look(&child, 1));
    }
    pid_t pid = child.pid;
    child_stop(&child, 5000);
    assert_int_equal(child.pid, 0);
    assert_int_equal(kill(pid, 0), -1);
    child_fini(&child);
}

int main(int argc, char **argv)
{
    if (argc > 1) return be_child(argv[1]);
    children_open();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_ends_is_started_again_later_each_time),
        cmocka_unit_test(one_that_falls_silent_is_killed),
        cmocka_unit_test(one_that_never_beat_is_not_watched),
        cmocka_unit_test(one_that_beats_lives_until_it_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
