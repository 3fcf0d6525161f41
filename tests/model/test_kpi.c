/* The figures of a day: small stories with figures that one can do by hand, and what must hold of
 * every day: parts add up, order does not matter, days together are the sum of days. */
#include "base/rng.h"
#include "model/kpi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

enum { STRETCHES_MAX = 24, CASES = 2000 };

static const struct kpi_day whole_day = {0, 48 * HOUR};

static int64_t paid_us(const struct kpi *kpi)
{
    return kpi->shift_us + kpi->overtime_us;
}

static int64_t parts_us(const struct kpi *kpi)
{
    return kpi->work_us + kpi->travel_us + kpi->wait_us + kpi->break_us + kpi->idle_us;
}

/* --- lengths --- */

static void a_length_is_in_the_bucket_that_ends_next(void **state)
{
    (void)state;
    for (uint32_t i = 0; i + 1 < KPI_BUCKETS; i++) {
        struct kpi_lengths lengths = {0};
        int64_t end_us = kpi_bucket_end_us(i);
        kpi_lengths_add(&lengths, end_us);
        assert_int_equal(lengths.buckets[i], 1);
        kpi_lengths_add(&lengths, end_us + 1);
        assert_int_equal(lengths.buckets[i + 1], 1);
        assert_true(kpi_lengths_at(&lengths, 500) == end_us);
    }
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void a_percentile_is_at_most_a_thirtysecond_above_the_true_one(void **state)
{
    (void)state;
    struct rng rng = {11};
    int64_t values[301];
    for (uint32_t round = 0; round < 100; round++) {
        int64_t sum = 0;
        struct kpi_lengths lengths = {0};
        uint32_t count = 1 + rng_below(&rng, 300);
        for (uint32_t i = 0; i < count; i++) {
            values[i] = (int64_t)(rng_next(&rng) >> (24 + rng_below(&rng, 40)));
            sum += values[i];
            kpi_lengths_add(&lengths, values[i]);
        }
        assert_int_equal(lengths.sum_us, sum);
        qsort(values, count, sizeof values[0], compare_numbers);
        for (uint32_t permille = 1; permille <= 1000; permille += 37) {
            int64_t truth = values[(count * permille + 999) / 1000 - 1];
            int64_t told = kpi_lengths_at(&lengths, permille);
            assert_true(told >= truth && told <= truth + truth / 32);
        }
    }
    struct kpi_lengths none = {0};
    assert_int_equal(kpi_lengths_at(&none, 500), -1);
    assert_int_equal(kpi_lengths_mean(&none), -1);
    kpi_lengths_add(&none, -5); /* a clock that ran backwards is no length */
    assert_int_equal(kpi_lengths_at(&none, 500), 0);
    assert_int_equal(none.sum_us, 0);
    kpi_lengths_add(&none, INT64_MAX / 2);
    assert_int_equal(none.buckets[KPI_BUCKETS - 1], 1);
}

/* --- visits --- */

static struct kpi_visit arrived(int64_t at_us)
{
    return (struct kpi_visit){.end = KPI_COMPLETED,
                              .first = true,
                              .waiting_us = 8 * HOUR,
                              .arrived_us = at_us,
                              .begun_us = at_us + 2 * MINUTE,
                              .ended_us = at_us + HOUR,
                              .window_count = 2,
                              .windows = {{9 * HOUR, 10 * HOUR}, {14 * HOUR, 15 * HOUR}}};
}

static int64_t late_us(int64_t arrived_us, int64_t begun_us)
{
    struct kpi_visit visit = arrived(arrived_us);
    visit.begun_us = begun_us;
    return kpi_late_us(&visit);
}

static void in_time_is_who_is_at_the_door_in_time_or_waits_for_the_window(void **state)
{
    (void)state;
    assert_int_equal(late_us(7 * HOUR, 9 * HOUR), 0);
    assert_int_equal(late_us(10 * HOUR, 10 * HOUR + MINUTE), 0); /* at its end is in time */
    assert_int_equal(late_us(10 * HOUR + MINUTE, 10 * HOUR + 2 * MINUTE), MINUTE);
    assert_int_equal(late_us(11 * HOUR, 14 * HOUR), 0); /* early for the second */
    assert_int_equal(late_us(11 * HOUR, 0), HOUR);
    assert_int_equal(late_us(16 * HOUR, 16 * HOUR), HOUR);
}

static void each_visit_is_one_of_seven_and_figures_are_of_those_they_name(void **state)
{
    (void)state;
    struct kpi kpi = {0};
    struct kpi_visit visit = arrived(9 * HOUR + 30 * MINUTE); /* in time, fixed */
    kpi_add_visit(&kpi, &whole_day, &visit);
    visit = arrived(10 * HOUR + 30 * MINUTE); /* late by half an hour, not fixed */
    visit.end = KPI_INCOMPLETE;
    kpi_add_visit(&kpi, &whole_day, &visit);
    visit = arrived(9 * HOUR); /* fixed, but it is the second visit */
    visit.first = false;
    kpi_add_visit(&kpi, &whole_day, &visit);
    visit = arrived(9 * HOUR); /* nobody opened: no try */
    visit.end = KPI_NO_ACCESS;
    kpi_add_visit(&kpi, &whole_day, &visit);
    visit = (struct kpi_visit){.end = KPI_CANCELLED, .window_count = 1, .windows = {{0, HOUR}}};
    kpi_add_visit(&kpi, &whole_day, &visit);
    visit.end = KPI_UNSERVED; /* its window is over */
    kpi_add_visit(&kpi, &whole_day, &visit);
    visit.end = KPI_OPEN;
    visit.windows[0].end_us = 50 * HOUR; /* that may still come */
    kpi_add_visit(&kpi, &whole_day, &visit);
    visit.end = KPI_RUNNING;
    visit.arrived_us = 20 * HOUR; /* nobody knows since when he waited */
    visit.window_count = 0;
    kpi_add_visit(&kpi, &whole_day, &visit);
    assert_int_equal(kpi.visits, 8);
    assert_int_equal(kpi.completed, 2);
    assert_int_equal(kpi.completed + kpi.incomplete + kpi.no_access + kpi.running + kpi.open +
                         kpi.unserved + kpi.cancelled,
                     kpi.visits);
    assert_int_equal(kpi.arrivals, 5);
    assert_int_equal(kpi.windowed, 4);
    assert_int_equal(kpi.on_time, 3);
    assert_int_equal(kpi.lateness.count, 1);
    assert_int_equal(kpi.lateness.sum_us, 30 * MINUTE);
    assert_int_equal(kpi.hours[9].windowed, 3);
    assert_int_equal(kpi.hours[10].windowed, 1);
    assert_int_equal(kpi.hours[10].on_time, 0);
    assert_int_equal(kpi.sla_due, 5); /* four arrivals, and the one that nobody came to */
    assert_int_equal(kpi.sla_met, 3);
    assert_int_equal(kpi.first_tried, 2);
    assert_int_equal(kpi.first_fixed, 1);
    assert_int_equal(kpi.response.count, 4);
    assert_int_equal(kpi.response.sum_us, 90 * MINUTE + 150 * MINUTE + 2 * 60 * MINUTE);
    assert_int_equal(kpi.repair.count, 2);
    assert_int_equal(kpi.repair.sum_us, 150 * MINUTE + 120 * MINUTE);
    assert_int_equal(kpi_permille(kpi.on_time, kpi.windowed), 750);
    assert_int_equal(kpi_permille(1, 0), -1);
}

static void due(const struct kpi_day *day, enum appointment_end end, int64_t ended_us,
                int64_t due_us, int64_t decided, int64_t met)
{
    struct kpi kpi = {0};
    struct kpi_visit visit = {
        .end = end, .arrived_us = ended_us, .ended_us = ended_us, .due_us = due_us};
    kpi_add_visit(&kpi, day, &visit);
    assert_int_equal(kpi.sla_due, decided);
    assert_int_equal(kpi.sla_met, met);
}

static void a_deadline_counts_once_when_it_is_decided(void **state)
{
    (void)state;
    const struct kpi_day noon = {0, 12 * HOUR}, tomorrow = {24 * HOUR, 36 * HOUR};
    due(&noon, KPI_COMPLETED, 9 * HOUR, 10 * HOUR, 1, 1);
    due(&noon, KPI_COMPLETED, 11 * HOUR, 10 * HOUR, 1, 0);
    due(&noon, KPI_OPEN, 0, 10 * HOUR, 1, 0);
    due(&noon, KPI_OPEN, 0, 14 * HOUR, 0, 0);
    due(&noon, KPI_INCOMPLETE, 9 * HOUR, 14 * HOUR, 0, 0);
    due(&noon, KPI_INCOMPLETE, 9 * HOUR, 10 * HOUR, 1, 0);
    due(&noon, KPI_NO_ACCESS, 9 * HOUR, 10 * HOUR, 0, 0);
    due(&noon, KPI_CANCELLED, 0, 10 * HOUR, 0, 0);
    due(&tomorrow, KPI_OPEN, 0, 10 * HOUR, 0, 0); /* it was missed the day before */
    due(&tomorrow, KPI_COMPLETED, 30 * HOUR, 10 * HOUR, 0, 0);
    /* In time at the door, but not done in time: one miss decides. */
    struct kpi kpi = {0};
    struct kpi_visit visit = arrived(9 * HOUR);
    visit.due_us = visit.ended_us - 1;
    kpi_add_visit(&kpi, &noon, &visit);
    assert_int_equal(kpi.sla_due, 1);
    assert_int_equal(kpi.sla_met, 0);
    /* Late at the door: however early it is done, that is a miss. */
    kpi = (struct kpi){0};
    visit = arrived(10 * HOUR + MINUTE);
    visit.windows[0].end_us = 10 * HOUR;
    visit.window_count = 1;
    visit.due_us = 20 * HOUR;
    visit.end = KPI_RUNNING;
    kpi_add_visit(&kpi, &noon, &visit);
    assert_int_equal(kpi.sla_due, 1);
    assert_int_equal(kpi.sla_met, 0);
    visit = arrived(9 * HOUR);
    /* At the door in time, the rest may still be: not decided. */
    kpi = (struct kpi){0};
    visit.end = KPI_RUNNING;
    visit.due_us = 13 * HOUR;
    kpi_add_visit(&kpi, &noon, &visit);
    assert_int_equal(kpi.sla_due, 0);
}

/* --- a technician's day --- */

/* 8 to 16, a break of 30 min from 12 to 13; on the way 8:30, there 9:00, at work 9:10 to 11, then
 * 13:00 to 13:20 on the way, paused on site, at work until 16:30; home takes 15 min. */
static void a_day_by_hand(void **state)
{
    (void)state;
    struct kpi kpi = {0};
    const struct kpi_stretch stretches[] = {
        {KPI_TRAVEL, 8 * HOUR + 30 * MINUTE, 9 * HOUR},
        {KPI_WAIT, 9 * HOUR, 9 * HOUR + 10 * MINUTE},
        {KPI_WORK, 9 * HOUR + 10 * MINUTE, 11 * HOUR},
        {KPI_TRAVEL, 13 * HOUR, 13 * HOUR + 20 * MINUTE},
        {KPI_WORK, 13 * HOUR + 20 * MINUTE, 16 * HOUR + 30 * MINUTE},
    };
    const struct kpi_technician_day it = {.shift_start_us = 8 * HOUR,
                                          .shift_end_us = 16 * HOUR,
                                          .break_earliest_us = 12 * HOUR,
                                          .break_latest_us = 13 * HOUR,
                                          .break_us = 30 * MINUTE,
                                          .home_us = 15 * MINUTE,
                                          .stretches = stretches,
                                          .stretch_count = 5};
    kpi_add_technician_day(&kpi, &whole_day, &it);
    assert_int_equal(kpi.technician_days, 1);
    assert_int_equal(kpi.shift_us, 8 * HOUR);
    assert_int_equal(kpi.overtime_us, 45 * MINUTE);
    assert_int_equal(kpi.travel_us, 65 * MINUTE);
    assert_int_equal(kpi.home_us, 15 * MINUTE);
    assert_int_equal(kpi.wait_us, 10 * MINUTE);
    assert_int_equal(kpi.work_us, 300 * MINUTE);
    assert_int_equal(kpi.break_us, 30 * MINUTE);
    assert_int_equal(kpi.idle_us, 120 * MINUTE);
    assert_int_equal(kpi.hours[8].parts_us[KPI_IDLE], 30 * MINUTE);
    assert_int_equal(kpi.hours[12].parts_us[KPI_BREAK], 30 * MINUTE);
    assert_int_equal(kpi.hours[16].overtime_us, 45 * MINUTE);
    assert_int_equal(kpi.hours[16].parts_us[KPI_TRAVEL], 15 * MINUTE);
    /* Seen at 9:05, there is no more than that. */
    const struct kpi_day early = {0, 9 * HOUR + 5 * MINUTE};
    kpi = (struct kpi){0};
    kpi_add_technician_day(&kpi, &early, &it);
    assert_int_equal(paid_us(&kpi), 65 * MINUTE);
    assert_int_equal(kpi.wait_us, 5 * MINUTE);
    assert_int_equal(kpi.work_us, 0);
}

static void what_overlaps_counts_once_and_absence_is_not_paid(void **state)
{
    (void)state;
    struct kpi kpi = {0};
    const struct kpi_stretch stretches[] = {
        {KPI_TRAVEL, 8 * HOUR, 10 * HOUR}, /* two phones, or a report that came late */
        {KPI_WORK, 9 * HOUR, 11 * HOUR},
        {KPI_BREAK, 9 * HOUR, 12 * HOUR},
        {KPI_WORK, 15 * HOUR, INT64_MAX}, /* he still is, although he said that he is away */
    };
    const struct kpi_technician_day it = {.shift_start_us = 8 * HOUR,
                                          .shift_end_us = 16 * HOUR,
                                          .break_earliest_us = 12 * HOUR,
                                          .break_latest_us = 13 * HOUR,
                                          .break_us = 30 * MINUTE,
                                          .absent_start_us = 13 * HOUR,
                                          .absent_end_us = 18 * HOUR,
                                          .stretches = stretches,
                                          .stretch_count = 4};
    const struct kpi_day day = {0, 17 * HOUR};
    kpi_add_technician_day(&kpi, &day, &it);
    assert_int_equal(kpi.travel_us, HOUR);
    assert_int_equal(kpi.work_us, 2 * HOUR + 2 * HOUR);
    assert_int_equal(kpi.break_us, HOUR); /* what he reported; no other is looked for */
    assert_int_equal(kpi.idle_us, HOUR);
    assert_int_equal(kpi.absence_us, 2 * HOUR);
    assert_int_equal(kpi.shift_us, 6 * HOUR);
    assert_int_equal(kpi.overtime_us, HOUR);
}

static int64_t break_us(int64_t free_from_us, int64_t free_until_us)
{
    struct kpi kpi = {0};
    const struct kpi_stretch stretches[] = {{KPI_WORK, 8 * HOUR, free_from_us},
                                            {KPI_WORK, free_until_us, 18 * HOUR}};
    const struct kpi_technician_day it = {.shift_start_us = 8 * HOUR,
                                          .shift_end_us = 16 * HOUR,
                                          .break_earliest_us = 12 * HOUR,
                                          .break_latest_us = 13 * HOUR,
                                          .break_us = 30 * MINUTE,
                                          .stretches = stretches,
                                          .stretch_count = 2};
    kpi_add_technician_day(&kpi, &whole_day, &it);
    return kpi.break_us;
}

static void the_break_is_the_first_idle_piece_that_its_rules_allow(void **state)
{
    (void)state;
    assert_int_equal(break_us(11 * HOUR, 12 * HOUR + 30 * MINUTE), 30 * MINUTE);
    assert_int_equal(break_us(11 * HOUR, 12 * HOUR + 29 * MINUTE), 0);
    assert_int_equal(break_us(13 * HOUR, 14 * HOUR), 30 * MINUTE);
    assert_int_equal(break_us(13 * HOUR + MINUTE, 15 * HOUR), 0);
}

/* --- what must hold of every day --- */

struct random_day {
    struct kpi_day day;
    struct kpi_technician_day it;
    struct kpi_stretch stretches[STRETCHES_MAX];
};

static int64_t minutes(struct rng *rng, int64_t from, int64_t to)
{
    return (from + rng_below(rng, (uint32_t)(to - from + 1))) * MINUTE;
}

static void random_day(struct rng *rng, struct random_day *out)
{
    *out = (struct random_day){.day = {0, minutes(rng, 0, 1800)}};
    struct kpi_technician_day *it = &out->it;
    it->shift_start_us = minutes(rng, 300, 700);
    it->shift_end_us = it->shift_start_us + minutes(rng, 0, 600);
    it->break_earliest_us = minutes(rng, 600, 800);
    it->break_latest_us = it->break_earliest_us + minutes(rng, 0, 120);
    it->break_us = minutes(rng, 0, 60);
    if (rng_below(rng, 3) == 0) {
        it->absent_start_us = minutes(rng, 200, 1200);
        it->absent_end_us = it->absent_start_us + minutes(rng, 0, 600);
    }
    if (rng_below(rng, 2) == 0) it->home_us = minutes(rng, 0, 90);
    it->stretch_count = rng_below(rng, STRETCHES_MAX + 1);
    it->stretches = out->stretches;
    for (uint32_t i = 0; i < it->stretch_count; i++) {
        int64_t start_us = minutes(rng, 250, 1400);
        out->stretches[i] = (struct kpi_stretch){(enum kpi_part)rng_below(rng, KPI_IDLE), start_us,
                                                 start_us + minutes(rng, 0, 120)};
        if (rng_below(rng, 40) == 0) out->stretches[i].end_us = INT64_MAX;
    }
}

static void the_parts_of_a_day_add_up(void **state)
{
    (void)state;
    struct rng rng = {12};
    for (uint32_t round = 0; round < CASES; round++) {
        struct random_day random;
        struct kpi kpi = {0};
        random_day(&rng, &random);
        const struct kpi_technician_day *it = &random.it;
        kpi_add_technician_day(&kpi, &random.day, it);
        assert_int_equal(parts_us(&kpi), paid_us(&kpi));
        int64_t shift_us = it->shift_end_us;
        if (random.day.now_us < shift_us) shift_us = random.day.now_us;
        shift_us -= it->shift_start_us;
        assert_int_equal(kpi.shift_us + kpi.absence_us, shift_us > 0 ? shift_us : 0);
        int64_t sums[KPI_PARTS] = {0}, overtime_us = 0;
        for (uint32_t hour = 0; hour < KPI_HOURS; hour++) {
            int64_t hour_us = 0;
            for (uint32_t part = 0; part < KPI_PARTS; part++) {
                sums[part] += kpi.hours[hour].parts_us[part];
                hour_us += kpi.hours[hour].parts_us[part];
            }
            overtime_us += kpi.hours[hour].overtime_us;
            assert_true(hour + 1 == KPI_HOURS || hour_us <= HOUR);
        }
        assert_int_equal(overtime_us, kpi.overtime_us);
        assert_int_equal(sums[KPI_WORK], kpi.work_us);
        assert_int_equal(sums[KPI_TRAVEL], kpi.travel_us);
        assert_int_equal(sums[KPI_WAIT], kpi.wait_us);
        assert_int_equal(sums[KPI_BREAK], kpi.break_us);
        assert_int_equal(sums[KPI_IDLE], kpi.idle_us);
    }
}

/* Work is what is work, minute by minute, whoever else says something else. */
static void work_is_the_union_of_what_was_reported(void **state)
{
    (void)state;
    struct rng rng = {13};
    for (uint32_t round = 0; round < CASES; round++) {
        struct random_day random;
        struct kpi kpi = {0};
        int64_t work_us = 0;
        random_day(&rng, &random);
        kpi_add_technician_day(&kpi, &random.day, &random.it);
        for (int64_t at_us = 0; at_us < random.day.now_us; at_us += MINUTE) {
            bool works = false;
            for (uint32_t i = 0; i < random.it.stretch_count; i++) {
                const struct kpi_stretch *it = &random.stretches[i];
                works |= it->part == KPI_WORK && at_us >= it->start_us && at_us < it->end_us;
            }
            work_us += works ? MINUTE : 0;
        }
        assert_int_equal(kpi.work_us, work_us);
    }
}

static void the_order_of_reports_does_not_matter(void **state)
{
    (void)state;
    struct rng rng = {14};
    for (uint32_t round = 0; round < CASES; round++) {
        struct random_day random;
        struct kpi one = {0}, other = {0};
        random_day(&rng, &random);
        kpi_add_technician_day(&one, &random.day, &random.it);
        for (uint32_t i = random.it.stretch_count; i > 1; i--) {
            uint32_t with = rng_below(&rng, i);
            struct kpi_stretch it = random.stretches[i - 1];
            random.stretches[i - 1] = random.stretches[with];
            random.stretches[with] = it;
        }
        kpi_add_technician_day(&other, &random.day, &random.it);
        assert_memory_equal(&one, &other, sizeof one);
    }
}

static struct kpi_visit random_visit(struct rng *rng)
{
    struct kpi_visit it = {.end = (enum appointment_end)rng_below(rng, KPI_CANCELLED + 1),
                           .first = rng_below(rng, 2) == 0,
                           .waiting_us = minutes(rng, 0, 900),
                           .window_count = rng_below(rng, 3)};
    if (rng_below(rng, 3) > 0) it.arrived_us = minutes(rng, 300, 1200);
    if (it.arrived_us != 0 && rng_below(rng, 3) > 0) it.begun_us = it.arrived_us + 5 * MINUTE;
    if (it.begun_us != 0) it.ended_us = it.begun_us + minutes(rng, 1, 100);
    if (rng_below(rng, 2) == 0) it.due_us = minutes(rng, 300, 2000);
    for (uint32_t i = 0; i < it.window_count; i++)
        it.windows[i] = (struct window){(500 + 300 * i) * MINUTE, (600 + 300 * i) * MINUTE};
    return it;
}

/* Whatever is counted goes into one of three days by chance, and into one that has it all, in
 * another order: the three together are that one. */
static void days_together_are_the_sum_of_days(void **state)
{
    (void)state;
    struct rng rng = {15};
    for (uint32_t round = 0; round < 50; round++) {
        static struct kpi days[3], all, sum;
        static struct random_day people[40];
        struct kpi_visit visits[40];
        memset(days, 0, sizeof days);
        memset(&all, 0, sizeof all);
        memset(&sum, 0, sizeof sum);
        for (uint32_t i = 0; i < 40; i++) {
            random_day(&rng, &people[i]);
            people[i].day = whole_day;
            people[i].it.stretches = people[i].stretches;
            visits[i] = random_visit(&rng);
            struct kpi *day = &days[rng_below(&rng, 3)];
            const struct kpi_leg leg = {.departed_us = HOUR,
                                        .arrived_us = visits[i].arrived_us,
                                        .begun_us = visits[i].begun_us,
                                        .ended_us = visits[i].ended_us,
                                        .planned_travel_us = i * MINUTE,
                                        .worked_us = i * SECOND};
            kpi_add_technician_day(day, &whole_day, &people[i].it);
            kpi_add_visit(day, &whole_day, &visits[i]);
            kpi_add_leg(day, &leg);
            kpi_add_plan(day, i * 1000, i % 3 == 0);
            kpi_add_leg(&all, &leg);
        }
        for (uint32_t i = 40; i-- > 0;) {
            kpi_add_technician_day(&all, &whole_day, &people[i].it);
            kpi_add_visit(&all, &whole_day, &visits[i]);
            kpi_add_plan(&all, i * 1000, i % 3 == 0);
        }
        for (uint32_t i = 0; i < 3; i++) {
            days[i].days = days[i].overrides = days[i].start_changes = 1;
            days[i].technician_changes = days[i].moves_after_promise = 1;
            kpi_merge(&sum, &days[i]);
        }
        all.days = all.overrides = all.start_changes = 3;
        all.technician_changes = all.moves_after_promise = 3;
        assert_memory_equal(&sum, &all, sizeof sum);
        assert_int_equal(all.completed + all.incomplete + all.no_access + all.running + all.open +
                             all.unserved + all.cancelled,
                         all.visits);
        assert_true(all.on_time <= all.windowed && all.windowed <= all.arrivals);
        assert_true(all.sla_met <= all.sla_due && all.first_fixed <= all.first_tried);
        assert_int_equal(all.windowed - all.on_time, all.lateness.count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_is_in_the_bucket_that_ends_next),
        cmocka_unit_test(a_percentile_is_at_most_a_thirtysecond_above_the_true_one),
        cmocka_unit_test(in_time_is_who_is_at_the_door_in_time_or_waits_for_the_window),
        cmocka_unit_test(each_visit_is_one_of_seven_and_figures_are_of_those_they_name),
        cmocka_unit_test(a_deadline_counts_once_when_it_is_decided),
        cmocka_unit_test(a_day_by_hand),
        cmocka_unit_test(what_overlaps_counts_once_and_absence_is_not_paid),
        cmocka_unit_test(the_break_is_the_first_idle_piece_that_its_rules_allow),
        cmocka_unit_test(the_parts_of_a_day_add_up),
        cmocka_unit_test(work_is_the_union_of_what_was_reported),
        cmocka_unit_test(the_order_of_reports_does_not_matter),
        cmocka_unit_test(days_together_are_the_sum_of_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
