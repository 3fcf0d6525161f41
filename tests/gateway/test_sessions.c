/* The cache of sessions, and the token buckets: both pure, both with time passed in. */
#include "gateway/core/sessions.h"
#include "gateway/core/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_open(&arena, 16 << 20);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

static void remembers_for_thirty_seconds(void **state)
{
    struct sessions sessions;
    struct session_holder holder = {.kind = SESSION_DEVICE, .id = "d1", .epoch = 3};
    (void)state;
    sessions_init(&sessions, &arena, 64, 42);
    assert_null(sessions_find(&sessions, "token", 5, 0));
    sessions_put(&sessions, "token", 5, &holder, 0);
    assert_string_equal(sessions_find(&sessions, "token", 5, 30 * SECOND - 1)->id, "d1");
    assert_null(sessions_find(&sessions, "token", 5, 30 * SECOND));
    assert_null(sessions_find(&sessions, "toke", 4, 0));
    sessions_put(&sessions, "token", 5, &holder, 40 * SECOND);
    assert_non_null(sessions_find(&sessions, "token", 5, 41 * SECOND));
    sessions_forget(&sessions, "token", 5);
    assert_null(sessions_find(&sessions, "token", 5, 41 * SECOND));
}

static void remembers_nobody_for_two_seconds(void **state)
{
    struct sessions sessions;
    struct session_holder nobody = {.kind = SESSION_NOBODY};
    (void)state;
    sessions_init(&sessions, &arena, 64, 42);
    sessions_put(&sessions, "guess", 5, &nobody, 0);
    assert_int_equal(sessions_find(&sessions, "guess", 5, 2 * SECOND - 1)->kind, SESSION_NOBODY);
    assert_null(sessions_find(&sessions, "guess", 5, 2 * SECOND));
}

/* More tokens than places: the table stays right about whatever it still knows. */
static void stays_right_when_it_overflows(void **state)
{
    struct sessions sessions;
    struct session_holder holder = {.kind = SESSION_KEY};
    unsigned known = 0;
    (void)state;
    sessions_init(&sessions, &arena, 64, 42);
    for (unsigned i = 0; i < 1000; i++) {
        holder.epoch = i;
        sessions_put(&sessions, &i, sizeof i, &holder, i);
    }
    for (unsigned i = 0; i < 1000; i++) {
        const struct session_holder *found = sessions_find(&sessions, &i, sizeof i, 1000);
        if (found == NULL) continue;
        assert_int_equal(found->epoch, i);
        known++;
    }
    assert_int_equal(known, 64);
}

static void lets_a_burst_through_and_then_the_rate(void **state)
{
    struct throttle throttle;
    uint32_t retry_ms = 0;
    (void)state;
    throttle_init(&throttle, &arena, 64, 42);
    for (unsigned i = 0; i < 12; i++) /* six Hellos, each asked twice */
        assert_true(throttle_take(&throttle, THROTTLE_HELLO, "d1", 1, 0, &retry_ms));
    assert_false(throttle_take(&throttle, THROTTLE_HELLO, "d1", 1, 0, &retry_ms));
    assert_int_equal(retry_ms, 5000);
    assert_true(
        throttle_take(&throttle, THROTTLE_HELLO, "d2", 1, 0, &retry_ms)); /* its own bucket */
    assert_true(throttle_take(&throttle, THROTTLE_PULL, "d1", 1, 0, &retry_ms));
    assert_false(throttle_take(&throttle, THROTTLE_HELLO, "d1", 1, 5 * SECOND - 1, &retry_ms));
    assert_int_equal(retry_ms, 1);
    assert_true(throttle_take(&throttle, THROTTLE_HELLO, "d1", 1, 5 * SECOND, &retry_ms));
    assert_false(throttle_take(&throttle, THROTTLE_HELLO, "d1", 1, 5 * SECOND, &retry_ms));
}

static void counts_what_a_request_costs(void **state)
{
    struct throttle throttle;
    uint32_t retry_ms = 0;
    (void)state;
    throttle_init(&throttle, &arena, 64, 42);
    assert_true(throttle_take(&throttle, THROTTLE_PUSH, "d1", 200, 0, &retry_ms));
    assert_true(throttle_take(&throttle, THROTTLE_PUSH, "d1", 200, 0, &retry_ms));
    assert_false(throttle_take(&throttle, THROTTLE_PUSH, "d1", 200, 0, &retry_ms));
    assert_int_equal(retry_ms, 5000); /* a hundred too many, 20 per second */
    assert_true(throttle_take(&throttle, THROTTLE_PUSH, "d1", 100, 0, &retry_ms));
    assert_true(throttle_take(&throttle, THROTTLE_PUSH, "d2", 100000, 0, &retry_ms));
    assert_false(throttle_take(&throttle, THROTTLE_PUSH, "d2", 1, 0, &retry_ms));
}

/* Strangers cannot push a limited one out of the table by being many: full buckets go first. */
static void keeps_the_emptiest_buckets(void **state)
{
    struct throttle throttle;
    uint32_t retry_ms;
    char name[16];
    (void)state;
    throttle_init(&throttle, &arena, 8, 42);
    for (unsigned i = 0; i < 12; i++) /* six Hellos, each asked twice */
        assert_true(throttle_take(&throttle, THROTTLE_HELLO, "d1", 1, 0, &retry_ms));
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "stranger%u", i);
        throttle_take(&throttle, THROTTLE_PULL, name, 1, 0, &retry_ms);
    }
    assert_false(throttle_take(&throttle, THROTTLE_HELLO, "d1", 1, 0, &retry_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(remembers_for_thirty_seconds, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(remembers_nobody_for_two_seconds, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(stays_right_when_it_overflows, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(lets_a_burst_through_and_then_the_rate, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(counts_what_a_request_costs, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(keeps_the_emptiest_buckets, open_arena, close_arena),
    };
    return cmocka_run_group_tests_name("sessions and throttle", tests, NULL, NULL);
}
