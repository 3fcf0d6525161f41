/* The watch joins the feed and the devices' receipts: one latency for each event and device. */
#include "base/clock.h"
#include "sim/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MS = 1000 };

static int open_watch(void **state)
{
    *state = watch_open();
    return 0;
}

static int close_watch(void **state)
{
    watch_close(*state);
    return 0;
}

/* An event that the feed tells, committed at `committed_us`. */
static void event(struct watch *watch, uint64_t seq, int64_t committed_us)
{
    char kind[] = "status", text[] = "T1 works";
    Callout__FeedEvent event;
    callout__feed_event__init(&event);
    event.seq = seq;
    event.kind = kind;
    event.text = text;
    event.is_event = 1;
    event.committed_mono_us = committed_us;
    watch_feed(watch, &event);
}

/* A plan for the event `cause` that changed one technician's assignments. */
static void plan(struct watch *watch, uint64_t seq, uint64_t cause, const char *technician)
{
    char kind[] = "plan", id[16], *ids[] = {id};
    snprintf(id, sizeof id, "%s", technician);
    Callout__FeedEvent event;
    callout__feed_event__init(&event);
    event.seq = seq;
    event.kind = kind;
    event.cause_seq = cause;
    event.changed_appointments = 2;
    event.technician_ids = ids;
    event.n_technician_ids = 1;
    event.plan_version = seq;
    watch_feed(watch, &event);
}

static void receipt(struct watch *watch, const char *technician, uint64_t cause,
                    enum replica_change_kind kind, int64_t received_us, int64_t in_reach_since_us)
{
    struct replica_change change = {.appointment_id = "A1", .kind = kind};
    int64_t unknown = 0;
    struct client_news news = {.changes = &change,
                               .change_count = 1,
                               .cause_count = 1,
                               .cause_seqs = &cause,
                               .cause_committed_mono_us = &unknown,
                               .received_mono_us = received_us};
    watch_receipt(watch, technician, &news, in_reach_since_us);
}

static void the_first_plan_for_an_event_is_measured_from_the_event(void **state)
{
    struct watch *watch = *state;
    event(watch, 10, 1000 * MS);
    plan(watch, 11, 10, "T1");
    receipt(watch, "T1", 11, REPLICA_CAME, 1030 * MS, 0);
    watch_join(watch, INT64_MAX);
    const struct watch_totals *totals = watch_totals(watch);
    assert_int_equal(totals->events_with_change, 1);
    assert_int_equal(totals->latency.count, 1);
    assert_int_equal(totals->latency.us[0], 30 * MS);
    struct watch_line lines[WATCH_LINES];
    assert_int_equal(watch_lines(watch, lines), 1);
    assert_int_equal(lines[0].changed, 2);
    assert_int_equal(lines[0].to_device_us, 30 * MS);
}

static void a_later_plan_for_the_same_event_is_counted_apart(void **state)
{
    struct watch *watch = *state;
    event(watch, 10, 1000 * MS);
    plan(watch, 11, 10, "T1");
    plan(watch, 12, 10, "T2");
    receipt(watch, "T1", 11, REPLICA_CAME, 1030 * MS, 0);
    receipt(watch, "T1", 12, REPLICA_MOVED, 1090 * MS, 0);
    receipt(watch, "T2", 12, REPLICA_CAME, 1095 * MS, 0);
    watch_join(watch, INT64_MAX);
    const struct watch_totals *totals = watch_totals(watch);
    assert_int_equal(totals->latency.count, 1);
    assert_int_equal(totals->improvement.count, 2);
    assert_int_equal(totals->events_with_change, 1);
}

static void one_latency_for_each_event_and_device(void **state)
{
    struct watch *watch = *state;
    event(watch, 10, 1000 * MS);
    plan(watch, 11, 10, "T1");
    receipt(watch, "T1", 10, REPLICA_CAME, 1030 * MS, 0); /* told by the event's own number */
    receipt(watch, "T1", 11, REPLICA_CAME, 1031 * MS, 0);
    watch_join(watch, INT64_MAX);
    assert_int_equal(watch_totals(watch)->latency.count, 1);
    assert_int_equal(watch_totals(watch)->latency.us[0], 30 * MS);
}

static void no_signal_no_latency(void **state)
{
    struct watch *watch = *state;
    event(watch, 10, 1000 * MS);
    plan(watch, 11, 10, "T1");
    receipt(watch, "T1", 11, REPLICA_CAME, 9000 * MS, 8999 * MS);
    watch_join(watch, INT64_MAX);
    const struct watch_totals *totals = watch_totals(watch);
    assert_int_equal(totals->latency.count, 0);
    assert_int_equal(totals->without_signal, 1);
    assert_int_equal(totals->events_with_change, 1);
}

static void a_status_alone_is_no_new_assignment(void **state)
{
    struct watch *watch = *state;
    event(watch, 10, 1000 * MS);
    receipt(watch, "T1", 10, REPLICA_STATUS, 1010 * MS, 0);
    watch_join(watch, INT64_MAX);
    assert_int_equal(watch_totals(watch)->events_with_change, 0);
}

/* Plans that come with a bound, and one that does not. */
static void gaps_are_of_plans_with_a_bound(void **state)
{
    struct watch *watch = *state;
    plan(watch, 1, 0, "T1");
    for (uint64_t seq = 2; seq <= 3; seq++) {
        char kind[] = "plan";
        Callout__FeedEvent event;
        Callout__PlanBound bound;
        callout__feed_event__init(&event);
        callout__plan_bound__init(&bound);
        bound.known = 1;
        bound.gap_ppm = (int64_t)seq * 10000;
        event.seq = seq;
        event.kind = kind;
        event.bound = &bound;
        watch_feed(watch, &event);
    }
    const struct watch_totals *totals = watch_totals(watch);
    assert_int_equal(totals->plans, 3);
    assert_int_equal(totals->bounded_plans, 2);
    assert_int_equal(totals->gap_ppm_sum, 50000);
    assert_int_equal(totals->gap_ppm_last, 30000);
}

static void percentiles_are_samples(void **state)
{
    (void)state;
    struct samples samples = {0};
    assert_true(samples_percentile_ms(&samples, 99) == 0);
    for (int i = 100; i > 0; i--)
        samples_add(&samples, i * MS);
    assert_true(samples_percentile_ms(&samples, 50) == 50);
    assert_true(samples_percentile_ms(&samples, 99) == 99);
    assert_true(samples_percentile_ms(&samples, 100) == 100);
    samples_fini(&samples);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, open_watch, close_watch)
    const struct CMUnitTest tests[] = {
        CASE(the_first_plan_for_an_event_is_measured_from_the_event),
        CASE(a_later_plan_for_the_same_event_is_counted_apart),
        CASE(one_latency_for_each_event_and_device),
        CASE(no_signal_no_latency),
        CASE(a_status_alone_is_no_new_assignment),
        CASE(gaps_are_of_plans_with_a_bound),
        cmocka_unit_test(percentiles_are_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
