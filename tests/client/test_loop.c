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

/* --- a virtual loop --------------------------------------------------------------------------- */

static const int64_t morning_us = INT64_C(1795420800) * US_PER_SECOND; /* 2026-11-23T08:00:00Z */

static int open_virtual(void **state)
{
    (void)state;
    return (int)client_loop_open_virtual(&loop, morning_us);
}

enum { TRACE = 64 };
static char trace[TRACE];
static size_t traced;

/* A timer that writes its letter down, and may set another. */
struct lettered {
    struct client_timer timer;
    struct client_timer *then;
    int64_t then_us; /* after now */
    int64_t fired_us;
    char letter;
};

static void on_lettered(void *context)
{
    struct lettered *lettered = context;
    assert_true(traced < TRACE - 1);
    trace[traced++] = lettered->letter;
    trace[traced] = '\0';
    lettered->fired_us = client_loop_now_us(loop);
    if (lettered->then != NULL)
        client_timer_set(loop, lettered->then, lettered->fired_us + lettered->then_us);
}

static void on_lettered_note(void *context)
{
    const char *letter = context;
    trace[traced++] = *letter;
    trace[traced] = '\0';
}

static struct lettered lettered(char letter)
{
    return (struct lettered){.timer = {.fire = on_lettered}, .letter = letter};
}

static void virtual_time_jumps_to_the_next_timer(void **state)
{
    (void)state;
    struct lettered late = lettered('l'), soon = lettered('s');
    late.timer.context = &late;
    soon.timer.context = &soon;
    traced = 0;
    assert_int_equal(client_loop_now_us(loop), morning_us);
    client_timer_set(loop, &late.timer, morning_us + 10 * 3600 * US_PER_SECOND);
    client_timer_set(loop, &soon.timer, morning_us + 1);
    client_loop_run(loop, INT64_MAX); /* ends by itself: nothing is left to happen */
    assert_string_equal(trace, "sl");
    assert_int_equal(soon.fired_us, morning_us + 1);
    assert_int_equal(late.fired_us, morning_us + 10 * 3600 * US_PER_SECOND);
    assert_int_equal(client_loop_wall_us(loop), late.fired_us);
}

static void a_virtual_run_ends_at_its_time_with_later_timers_left(void **state)
{
    (void)state;
    struct lettered first = lettered('a'), second = lettered('b');
    first.timer.context = &first;
    second.timer.context = &second;
    first.then = &second.timer;
    first.then_us = 2 * US_PER_SECOND;
    traced = 0;
    client_timer_set(loop, &first.timer, morning_us + US_PER_SECOND);
    client_loop_run(loop, morning_us + 2 * US_PER_SECOND);
    assert_string_equal(trace, "a");
    assert_int_equal(client_loop_now_us(loop), morning_us + 2 * US_PER_SECOND);
    client_loop_run(loop, morning_us + 3 * US_PER_SECOND);
    assert_string_equal(trace, "ab");
    client_timer_set(loop, &second.timer, morning_us); /* in the past: fires, and time stays */
    client_loop_run(loop, morning_us + 3 * US_PER_SECOND);
    assert_string_equal(trace, "abb");
    assert_int_equal(second.fired_us, morning_us + 3 * US_PER_SECOND);
}

/* Enough timers that a heap without turns would mix them up. */
static void timers_of_one_time_fire_in_the_order_they_were_set(void **state)
{
    (void)state;
    struct lettered letters[26];
    traced = 0;
    for (size_t i = 0; i < 26; i++) {
        letters[i] = lettered((char)('a' + i));
        letters[i].timer.context = &letters[i];
        client_timer_set(loop, &letters[i].timer, morning_us + 5);
    }
    client_timer_set(loop, &letters[2].timer, morning_us + 5); /* set again: the last now */
    client_timer_cancel(loop, &letters[7].timer);
    client_loop_run(loop, INT64_MAX);
    assert_string_equal(trace, "abdefgijklmnopqrstuvwxyzc");
}

static void notes_run_before_time_moves_on(void **state)
{
    (void)state;
    struct lettered timer = lettered('t');
    timer.timer.context = &timer;
    char letters[2][2] = {"1", "2"};
    struct client_note one = {.run = on_lettered_note, .context = letters[0]},
                       two = {.run = on_lettered_note, .context = letters[1]};
    traced = 0;
    client_timer_set(loop, &timer.timer, morning_us);
    client_loop_post(loop, &one);
    client_loop_post(loop, &two);
    client_loop_run(loop, INT64_MAX);
    assert_string_equal(trace, "12t");
    client_loop_stop(loop);
    client_timer_set(loop, &timer.timer, morning_us);
    client_loop_run(loop, INT64_MAX);
    assert_string_equal(trace, "12t");
    client_timer_cancel(loop, &timer.timer);
}

int main(void)
{
#define CASE(test)    cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
#define VIRTUAL(test) cmocka_unit_test_setup_teardown(test, open_virtual, close_loop)
    const struct CMUnitTest tests[] = {
        CASE(timers_fire_in_the_order_of_their_times),
        CASE(a_note_from_another_thread_runs_on_the_loop),
        CASE(a_waiting_note_is_not_queued_twice_and_can_be_withdrawn),
        CASE(a_stop_before_the_run_counts),
        VIRTUAL(virtual_time_jumps_to_the_next_timer),
        VIRTUAL(a_virtual_run_ends_at_its_time_with_later_timers_left),
        VIRTUAL(timers_of_one_time_fire_in_the_order_they_were_set),
        VIRTUAL(notes_run_before_time_moves_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
