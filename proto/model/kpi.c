/* kpi.c - a technician's day is walked from edge to edge of what he reported; between two edges he
 * does exactly one thing, so the parts add up to the time walked, whatever overlaps. */
#include "model/kpi.h"

#include "base/check.h"

static const int64_t HOUR_US = 3600 * INT64_C(1000000);

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- lengths: values of 2^(5+e) to 2^(6+e) fall into 32 buckets of 2^e each */

enum { FINE_BITS = 5, FINE = 1 << FINE_BITS, VALUE_BITS = 41 };
_Static_assert(KPI_BUCKETS == (VALUE_BITS - FINE_BITS) * FINE + FINE + 1,
               "every length has its bucket");

static uint32_t bucket_of(int64_t us)
{
    uint64_t value = us > 0 ? (uint64_t)us : 0;
    uint32_t coarse = 0;
    if (value >= UINT64_C(1) << VALUE_BITS) return KPI_BUCKETS - 1;
    while (value >> coarse >= 2 * FINE)
        coarse++;
    return coarse * FINE + (uint32_t)(value >> coarse);
}

int64_t kpi_bucket_end_us(uint32_t bucket)
{
    CHECK(bucket < KPI_BUCKETS);
    if (bucket < 2 * FINE) return bucket;
    uint32_t coarse = bucket / FINE - 1, fine = bucket % FINE + FINE;
    return (int64_t)(((uint64_t)fine + 1) << coarse) - 1;
}

void kpi_lengths_add(struct kpi_lengths *lengths, int64_t us)
{
    lengths->count++;
    lengths->sum_us += later(us, 0);
    lengths->buckets[bucket_of(us)]++;
}

int64_t kpi_lengths_at(const struct kpi_lengths *lengths, uint32_t permille)
{
    int64_t wanted = (lengths->count * (int64_t)permille + 999) / 1000, seen = 0;
    if (lengths->count == 0) return -1;
    uint32_t bucket = 0;
    for (; bucket < KPI_BUCKETS - 1; bucket++) {
        seen += lengths->buckets[bucket];
        if (seen > 0 && seen >= wanted) break;
    }
    return kpi_bucket_end_us(bucket);
}

int64_t kpi_lengths_mean(const struct kpi_lengths *lengths)
{
    return kpi_mean(lengths->sum_us, lengths->count);
}

static void merge_lengths(struct kpi_lengths *to, const struct kpi_lengths *from)
{
    to->count += from->count;
    to->sum_us += from->sum_us;
    for (uint32_t i = 0; i < KPI_BUCKETS; i++)
        to->buckets[i] += from->buckets[i];
}

/* --- sums */

static void merge_hour(struct kpi_hour *to, const struct kpi_hour *from)
{
    for (uint32_t part = 0; part < KPI_PARTS; part++)
        to->parts_us[part] += from->parts_us[part];
    to->overtime_us += from->overtime_us;
    to->windowed += from->windowed;
    to->on_time += from->on_time;
}

void kpi_merge(struct kpi *to, const struct kpi *from)
{
#define MERGE(name) to->name += from->name;
    KPI_EACH_SUM(MERGE)
#undef MERGE
#define MERGE(name) merge_lengths(&to->name, &from->name);
    KPI_EACH_LENGTHS(MERGE)
#undef MERGE
    for (uint32_t i = 0; i < KPI_HOURS; i++)
        merge_hour(&to->hours[i], &from->hours[i]);
}

int64_t kpi_mean(int64_t sum, int64_t count)
{
    return count == 0 ? -1 : (sum + count / 2) / count;
}

int64_t kpi_permille(int64_t part, int64_t whole)
{
    return kpi_mean(part * 1000, whole);
}

/* --- visits */

static int64_t hour_end_us(const struct kpi_day *day, uint32_t hour)
{
    return hour + 1 == KPI_HOURS ? INT64_MAX : day->begin_us + (hour + 1) * HOUR_US;
}

static uint32_t hour_of(const struct kpi_day *day, int64_t at_us)
{
    int64_t hour = at_us < day->begin_us ? 0 : (at_us - day->begin_us) / HOUR_US;
    return (uint32_t)earlier(hour, KPI_HOURS - 1);
}

int64_t kpi_late_us(const struct kpi_visit *visit)
{
    struct route_visit rules = {.window_count = visit->window_count};
    for (uint32_t i = 0; i < visit->window_count; i++)
        rules.windows[i] = visit->windows[i];
    int64_t late_us = visit_late_us(&rules, visit->arrived_us);
    if (visit->begun_us == 0) return late_us;
    return earlier(late_us, visit_late_us(&rules, visit->begun_us));
}

static void count_end(struct kpi *kpi, const struct kpi_visit *visit)
{
    kpi->visits++;
    switch (visit->end) {
    case KPI_OPEN: kpi->open++; break;
    case KPI_UNSERVED: kpi->unserved++; break;
    case KPI_RUNNING: kpi->running++; break;
    case KPI_COMPLETED: kpi->completed++; break;
    case KPI_INCOMPLETE: kpi->incomplete++; break;
    case KPI_NO_ACCESS: kpi->no_access++; break;
    case KPI_CANCELLED: kpi->cancelled++; break;
    }
    bool fixed = visit->end == KPI_COMPLETED;
    if (!visit->first || (!fixed && visit->end != KPI_INCOMPLETE)) return;
    kpi->first_tried++;
    kpi->first_fixed += fixed;
}

static void count_arrival(struct kpi *kpi, const struct kpi_day *day, const struct kpi_visit *visit)
{
    kpi->arrivals++;
    if (visit->waiting_us != 0)
        kpi_lengths_add(&kpi->response, visit->arrived_us - visit->waiting_us);
    if (visit->window_count == 0) return;
    struct kpi_hour *hour = &kpi->hours[hour_of(day, visit->arrived_us)];
    int64_t late_us = kpi_late_us(visit);
    kpi->windowed++;
    hour->windowed++;
    kpi->on_time += late_us == 0;
    hour->on_time += late_us == 0;
    if (late_us > 0) kpi_lengths_add(&kpi->lateness, late_us);
}

enum term { TERM_NONE, TERM_AHEAD, TERM_MET, TERM_MISSED };

static enum term term_of(const struct kpi_day *day, int64_t deadline_us, bool kept)
{
    if (kept) return TERM_MET;
    if (deadline_us < day->begin_us) return TERM_NONE; /* missed, on a day before */
    return deadline_us < day->now_us ? TERM_MISSED : TERM_AHEAD;
}

static enum term arrival_term(const struct kpi_day *day, const struct kpi_visit *visit)
{
    if (visit->window_count == 0) return TERM_NONE;
    bool kept = visit->arrived_us != 0 && kpi_late_us(visit) == 0;
    int64_t deadline_us = visit->windows[visit->window_count - 1].end_us;
    if (visit->arrived_us != 0 && !kept && deadline_us >= day->begin_us) return TERM_MISSED;
    return term_of(day, deadline_us, kept);
}

static enum term due_term(const struct kpi_day *day, const struct kpi_visit *visit)
{
    if (visit->due_us == 0 || visit->end == KPI_NO_ACCESS) return TERM_NONE;
    bool kept = visit->end == KPI_COMPLETED && visit->ended_us <= visit->due_us;
    return term_of(day, visit->due_us, kept);
}

/* One miss decides; otherwise all have to be decided. */
static void count_sla(struct kpi *kpi, const struct kpi_day *day, const struct kpi_visit *visit)
{
    enum term arrival = arrival_term(day, visit), due = due_term(day, visit);
    if (visit->end == KPI_CANCELLED) return;
    bool missed = arrival == TERM_MISSED || due == TERM_MISSED;
    bool ahead = arrival == TERM_AHEAD || due == TERM_AHEAD;
    bool any = arrival != TERM_NONE || due != TERM_NONE;
    if (!any || (ahead && !missed)) return;
    kpi->sla_due++;
    kpi->sla_met += !missed;
}

void kpi_add_visit(struct kpi *kpi, const struct kpi_day *day, const struct kpi_visit *visit)
{
    CHECK(visit->window_count <= LIMIT_WINDOWS_PER_ORDER);
    count_end(kpi, visit);
    if (visit->arrived_us != 0) count_arrival(kpi, day, visit);
    count_sla(kpi, day, visit);
    if (visit->end == KPI_COMPLETED && visit->waiting_us != 0)
        kpi_lengths_add(&kpi->repair, visit->ended_us - visit->waiting_us);
}

void kpi_add_leg(struct kpi *kpi, const struct kpi_leg *leg)
{
    if (leg->departed_us != 0 && leg->arrived_us != 0) {
        kpi->legs++;
        kpi->leg_planned_us += leg->planned_travel_us;
        kpi->leg_actual_us += leg->arrived_us - leg->departed_us;
    }
    if (leg->begun_us != 0 && leg->ended_us != 0) {
        kpi->services++;
        kpi->service_planned_us += leg->planned_service_us;
        kpi->service_actual_us += leg->worked_us;
    }
}

void kpi_add_plan(struct kpi *kpi, int64_t solve_us, bool first)
{
    kpi->plans++;
    kpi_lengths_add(&kpi->solve, solve_us);
    if (first) kpi_lengths_add(&kpi->repair_solve, solve_us);
}

/* --- a technician's day */

struct walk {
    struct kpi *kpi;
    const struct kpi_day *day;
    const struct kpi_technician_day *it;
    int64_t home_start_us, home_end_us; /* both 0: not on the way home */
    int64_t idle_since_us;              /* -1: busy */
    bool rested;
};

static bool shift_has(const struct kpi_technician_day *it, int64_t at_us)
{
    return at_us >= it->shift_start_us && at_us < it->shift_end_us;
}

static bool absent(const struct kpi_technician_day *it, int64_t at_us)
{
    return at_us >= it->absent_start_us && at_us < it->absent_end_us && shift_has(it, at_us);
}

static void count_part(struct walk *walk, enum kpi_part part, int64_t from_us, int64_t to_us)
{
    struct kpi *kpi = walk->kpi;
    int64_t *const sums[KPI_PARTS] = {&kpi->work_us, &kpi->travel_us, &kpi->wait_us, &kpi->break_us,
                                      &kpi->idle_us};
    *sums[part] += to_us - from_us;
    bool overtime = !shift_has(walk->it, from_us);
    while (from_us < to_us) {
        uint32_t hour = hour_of(walk->day, from_us);
        int64_t until_us = earlier(to_us, hour_end_us(walk->day, hour));
        kpi->hours[hour].parts_us[part] += until_us - from_us;
        if (overtime) kpi->hours[hour].overtime_us += until_us - from_us;
        from_us = until_us;
    }
}

/* An idle piece ends: the break lies in it if it fits. Shift edges cut pieces, so a break never
 * straddles one. */
static void end_idle(struct walk *walk, int64_t end_us)
{
    const struct kpi_technician_day *it = walk->it;
    int64_t since_us = walk->idle_since_us;
    walk->idle_since_us = -1;
    if (since_us < 0 || since_us >= end_us) return;
    int64_t start_us = later(since_us, it->break_earliest_us);
    bool fits = it->break_us > 0 && !walk->rested && start_us <= it->break_latest_us &&
                start_us + it->break_us <= end_us;
    if (!fits) {
        count_part(walk, KPI_IDLE, since_us, end_us);
        return;
    }
    walk->rested = true;
    count_part(walk, KPI_IDLE, since_us, start_us);
    count_part(walk, KPI_BREAK, start_us, start_us + it->break_us);
    count_part(walk, KPI_IDLE, start_us + it->break_us, end_us);
}

/* What is done at a moment; KPI_IDLE: nothing. The parts are in the order of who outdoes whom, but
 * for waiting, which outdoes travel. */
static enum kpi_part part_at(const struct walk *walk, int64_t at_us)
{
    static const int rank[KPI_PARTS] = {
        [KPI_WORK] = 4, [KPI_WAIT] = 3, [KPI_TRAVEL] = 2, [KPI_BREAK] = 1, [KPI_IDLE] = 0};
    enum kpi_part best = KPI_IDLE;
    for (uint32_t i = 0; i < walk->it->stretch_count; i++) {
        const struct kpi_stretch *it = &walk->it->stretches[i];
        if (at_us >= it->start_us && at_us < it->end_us && rank[it->part] > rank[best])
            best = it->part;
    }
    bool home = at_us >= walk->home_start_us && at_us < walk->home_end_us;
    return best == KPI_IDLE && home ? KPI_TRAVEL : best;
}

/* The next moment after `at_us` at which something may change. */
static int64_t next_edge(const struct walk *walk, int64_t at_us, int64_t end_us)
{
    const struct kpi_technician_day *it = walk->it;
    const int64_t edges[] = {it->shift_start_us, it->shift_end_us,    it->absent_start_us,
                             it->absent_end_us,  walk->home_start_us, walk->home_end_us};
    for (uint32_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        if (edges[i] > at_us) end_us = earlier(end_us, edges[i]);
    for (uint32_t i = 0; i < it->stretch_count; i++) {
        if (it->stretches[i].start_us > at_us) end_us = earlier(end_us, it->stretches[i].start_us);
        if (it->stretches[i].end_us > at_us) end_us = earlier(end_us, it->stretches[i].end_us);
    }
    return end_us;
}

static void step(struct walk *walk, int64_t from_us, int64_t to_us)
{
    const struct kpi_technician_day *it = walk->it;
    enum kpi_part part = part_at(walk, from_us);
    bool away = part == KPI_IDLE && absent(it, from_us);
    bool cut = from_us == it->shift_start_us || from_us == it->shift_end_us;
    if (part != KPI_IDLE || away || cut) end_idle(walk, from_us);
    if (away) {
        walk->kpi->absence_us += to_us - from_us;
        return;
    }
    if (shift_has(it, from_us))
        walk->kpi->shift_us += to_us - from_us;
    else
        walk->kpi->overtime_us += to_us - from_us;
    if (part != KPI_IDLE)
        count_part(walk, part, from_us, to_us);
    else if (walk->idle_since_us < 0)
        walk->idle_since_us = from_us;
    bool home = from_us >= walk->home_start_us && from_us < walk->home_end_us;
    if (home && part == KPI_TRAVEL) walk->kpi->home_us += to_us - from_us;
}

void kpi_add_technician_day(struct kpi *kpi, const struct kpi_day *day,
                            const struct kpi_technician_day *it)
{
    struct walk walk = {.kpi = kpi, .day = day, .it = it, .idle_since_us = -1};
    int64_t first_us = it->shift_start_us, last_us = it->shift_end_us, done_us = INT64_MIN;
    for (uint32_t i = 0; i < it->stretch_count; i++) {
        CHECK(it->stretches[i].part < KPI_IDLE);
        if (it->stretches[i].start_us >= it->stretches[i].end_us) continue;
        walk.rested |= it->stretches[i].part == KPI_BREAK;
        first_us = earlier(first_us, it->stretches[i].start_us);
        done_us = later(done_us, it->stretches[i].end_us);
    }
    if (it->home_us > 0 && done_us != INT64_MIN && done_us != INT64_MAX) {
        walk.home_start_us = done_us;
        walk.home_end_us = done_us = done_us + it->home_us;
    }
    last_us = earlier(later(last_us, done_us), day->now_us);
    kpi->technician_days++;
    for (int64_t at_us = first_us; at_us < last_us;) {
        int64_t next_us = next_edge(&walk, at_us, last_us);
        step(&walk, at_us, next_us);
        at_us = next_us;
    }
    end_idle(&walk, last_us);
}
