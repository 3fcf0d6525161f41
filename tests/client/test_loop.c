/* The clients' loop: timers in the order of their times, notes from any thread, once each. */
#include "base/clock.h"
#include "base/rng.h"
#include "gateway/client/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { TIMERS = 500, POSTS = 10000 };

static struct client_loop *loop;

static int open_loop(void **state)
{
    (void)state;
    return (int)client_loop_open(&loop);
}

static int close_loop(void **state)
{
    (void)state;
    client_loop_close(loop);
    return 0;
}

/* --- timers ---------------------------------------------------------------------------------- */

static int64_t last_at_us;
static size_t fired;

static void on_timer(void *context)
{
    const struct client_timer *timer = context;
    assert_true(timer->at_us >= last_at_us);
    assert_true(clock_mono_us() >= timer->at_us);
    last_at_us = timer->at_us;
    fired++;
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
    (void)state;
    static struct client_timer timers[TIMERS];
    struct rng rng = {7};
    int64_t now_us = clock_mono_us();
    last_at_us = 0;
    fired = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        timers[i] = (struct client_timer){.fire = on_timer, .context = &timers[i]};
        client_timer_set(loop, &timers[i], now_us + rng_below(&rng, 20000));
    }
    for (size_t i = 0; i < TIMERS; i += 3) /* every third is moved, */
        client_timer_set(loop, &timers[i], now_us + rng_below(&rng, 20000));
    for (size_t i = 0; i < TIMERS; i += 5) /* every fifth cancelled */
        client_timer_cancel(loop, &timers[i]);
    client_loop_run(loop, now_us + 40000);
    assert_int_equal(fired, TIMERS - TIMERS / 5);
    for (size_t i = 0; i < TIMERS; i++)
        assert_int_equal(timers[i].place, 0);
}

/* --- notes ----------------------------------------------------------------------------------- */

static size_t runs;

static void on_note(void *context)
{
    (void)context;
    runs++;
}

static void on_last_note(void *context)
{
    (void)context;
    client_loop_stop(loop);
}

static void *post_often(void *context)
{
    struct client_note *notes = context;
    for (int i = 0; i < POSTS; i++)
        client_loop_post(loop, &notes[0]);
    client_loop_post(loop, &notes[1]);
    return NULL;
}

static void a_note_from_another_thread_runs_on_the_loop(void **state)
{
    (void)state;
    struct client_note notes[] = {{.run = on_note}, {.run = on_last_note}};
    pthread_t thread;
    runs = 0;
    assert_int_equal(pthread_create(&thread, NULL, post_often, notes), 0);
    client_loop_run(loop, INT64_MAX);
    pthread_join(thread, NULL);
    assert_true(runs >= 1 && runs <= POSTS);
    client_loop_withdraw(loop, &notes[0]);
}

static void a_waiting_note_is_not_queued_twice_and_can_be_withdrawn(void **state)
{
    (void)state;
    struct client_note first = {.run = on_note}, second = {.run = on_note},
                       third = {.run = on_note};
    runs = 0;
    client_loop_post(loop, &first);
    client_loop_post(loop, &second);
    client_loop_post(loop, &third);
    client_loop_post(loop, &first);
    client_loop_withdraw(loop, &second);
    client_loop_run(loop, clock_mono_us() + 2000);
    assert_int_equal(runs, 2);
    client_loop_post(loop, &second); /* the queue still holds together */
    client_loop_run(loop, clock_mono_us() + 2000);
    assert_int_equal(runs, 3);
}

static void a_stop_before_the_run_counts(void **state)
{
    (void)state;
    client_loop_stop(loop);
    client_loop_run(loop, INT64_MAX);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        CASE(timers_fire_in_the_order_of_their_times),
        CASE(a_note_from_another_thread_runs_on_the_loop),
        CASE(a_waiting_note_is_not_queued_twice_and_can_be_withdrawn),
        CASE(a_stop_before_the_run_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
