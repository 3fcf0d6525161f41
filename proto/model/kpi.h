/* kpi.h - the figures of a service day, each defined once: the same live, in replay and simulated.
 *
 * Idea: a `struct kpi` is only sums and counts, so the figures of several days or territories are
 * the sum of theirs (kpi_merge), in any order. Shares, means and percentiles are made of the sums
 * when somebody looks. What is fed in is what happened, by check-ins: a time that nobody reported
 * is not guessed, except where it says "estimated".
 *
 * Each figure, with the usual definition of the field behind it:
 *
 *  Visits. An appointment of the day is exactly one of: `completed`, `incomplete`, `no_access`,
 *      `running` (on the way, on site or at work), `open` (planned with somebody, not begun),
 *      `unserved` (nobody has it, or the day ended without it), `cancelled`. What the day ended
 *      without counts there, and once more on the day that it went to.
 *  On-time share = on_time / windowed: of the arrivals at appointments that have an arrival window,
 *      those that were in time (on-time arrival rate). In time is who is at the door, or begins,
 *      at no time after the end of a window: early is in time. As soon as a window is promised,
 *      only promised ones count. Who never arrives is not late but unserved, and a missed SLA.
 *      `lateness` has the late ones only, from the window's end to the arrival.
 *  First response time = the mean, or a percentile, of `response`: from when the customer waited
 *      to the first arrival of a technician on site (mean time to arrive). He waits since the order
 *      came in, or since it may start at the earliest, or its first window opens, if that is later;
 *      who is there before that responds in 0.
 *  Time to repair: `repair`, from the same moment to COMPLETED, of what was completed (MTTR).
 *  SLA attainment = sla_met / sla_due: of the appointments whose deadlines are decided, those that
 *      kept all (SLA compliance rate). A deadline is the end of the last window, for the arrival,
 *      and the order's due time, for COMPLETED. It is decided when it was kept or has passed; a
 *      deadline that had passed before the day began was decided then. Cancelled ones have none;
 *      NO_ACCESS ends the due time: what the customer prevented is no breach.
 *  First-time fix = first_fixed / first_tried: of the first visits of orders that ended COMPLETED
 *      or INCOMPLETE, those that ended COMPLETED (first-time fix rate). NO_ACCESS is no try.
 *  Utilisation = work / paid, and the same of each part: the paid time of a technician's day falls
 *      into exactly one of KPI_WORK (at work), KPI_TRAVEL (on the way, and the way home, which is
 *      estimated and told in home_us too), KPI_WAIT (on site, before the work, or while it pauses),
 *      KPI_BREAK, KPI_IDLE (the rest). Nothing counts twice: where reports overlap, work outdoes
 *      waiting, waiting travel, travel a break. Paid is shift_us + overtime_us = the sum of the
 *      parts; shift_us is the shift less absence, overtime_us what lies before or after the shift,
 *      from the first thing done to the last, absence_us what of the shift he was away and did
 *      nothing. Of a day that is going on, all this is until now.
 *      The break is what was reported as one, or else the first idle piece in which it fits by the
 *      shift's rules; one that was taken within a wait or a journey stays part of these.
 *  Travel per visit = travel / arrivals, the way home included.
 *  Planned against actual (legs): journeys that arrived, with the travel time that the plan
 *      reckoned with for them, and work that ended, with the order's service time (calibration).
 *  Stability. moves per appointment = (technician_changes + start_changes) / visits, as
 *      dispatcher/core/stability.c counts them: what plans did to what was planned before, never
 *      what people or the field did. `moves_after_promise` are those whose customer had a window
 *      promised by then; `overrides` the technician-days that an emergency took beyond their limit.
 *  Optimizer latency: `solve`, from a problem's arrival at the optimizer to the proposal, of the
 *      published plans, by the monotonic clock; `repair_solve` the same of the first answer only.
 *
 * Owner: the caller owns all. Pure, any thread. Times are UTC microseconds, lengths microseconds.
 */
#ifndef CALLOUT_MODEL_KPI_H
#define CALLOUT_MODEL_KPI_H

#include "model/route.h"

#include <stdbool.h>
#include <stdint.h>

/* --- lengths of time, with their distribution ----------------------------------------------------
 */

/* Below 64 us each value has its bucket; above, a bucket is 1/32 of its value wide at most. What is
 * longer than 2^41 us (25 days) counts there. */
enum { KPI_BUCKETS = 1185 };

struct kpi_lengths {
    int64_t count, sum_us;
    uint32_t buckets[KPI_BUCKETS];
};

void kpi_lengths_add(struct kpi_lengths *lengths, int64_t us); /* below 0 is 0 */
/* The length that `permille` of them do not exceed, rounded up to its bucket's end, at most 1/32
 * too much; -1: there are none. */
int64_t kpi_lengths_at(const struct kpi_lengths *lengths, uint32_t permille);
int64_t kpi_lengths_mean(const struct kpi_lengths *lengths); /* -1: there are none */
/* The greatest length of a bucket. */
int64_t kpi_bucket_end_us(uint32_t bucket);

/* --- the sums ------------------------------------------------------------------------------------
 */

enum kpi_part { KPI_WORK, KPI_TRAVEL, KPI_WAIT, KPI_BREAK, KPI_IDLE, KPI_PARTS };

/* Every count and sum once, so that merging, messages and files cannot drift apart. */
/* clang-format off */
#define KPI_EACH_SUM(X)                                                                         \
    X(days) X(technician_days)                                                                  \
    X(visits) X(completed) X(incomplete) X(no_access) X(running) X(open) X(unserved)            \
    X(cancelled) X(arrivals) X(windowed) X(on_time) X(sla_due) X(sla_met) X(first_tried)        \
    X(first_fixed)                                                                              \
    X(shift_us) X(overtime_us) X(absence_us) X(home_us)                                         \
    X(work_us) X(travel_us) X(wait_us) X(break_us) X(idle_us)                                   \
    X(legs) X(leg_planned_us) X(leg_actual_us)                                                  \
    X(services) X(service_planned_us) X(service_actual_us)                                      \
    X(technician_changes) X(start_changes) X(moves_after_promise) X(overrides) X(plans)
/* clang-format on */

#define KPI_EACH_LENGTHS(X) X(response) X(lateness) X(repair) X(solve) X(repair_solve)

/* Hours of the service day, from its midnight; what lies before or after is in the first or last:
 * a day that loses or gains an hour has room. */
enum { KPI_HOURS = 30 };

struct kpi_hour {
    int64_t parts_us[KPI_PARTS]; /* overtime included */
    int64_t overtime_us;
    int64_t windowed, on_time; /* by the hour of the arrival */
};

struct kpi {
#define KPI_FIELD(name) int64_t name;
    KPI_EACH_SUM(KPI_FIELD)
#undef KPI_FIELD
#define KPI_FIELD(name) struct kpi_lengths name;
    KPI_EACH_LENGTHS(KPI_FIELD)
#undef KPI_FIELD
    struct kpi_hour hours[KPI_HOURS];
};

void kpi_merge(struct kpi *to, const struct kpi *from);

/* part / whole in thousandths, rounded to the nearest; -1: the whole is 0. */
int64_t kpi_permille(int64_t part, int64_t whole);
int64_t kpi_mean(int64_t sum, int64_t count); /* rounded to the nearest; -1: the count is 0 */

/* The figures that are shares, once: NAME, part, whole. */
#define KPI_EACH_SHARE(X)                                                                          \
    X(on_time_permille, on_time, windowed)                                                         \
    X(sla_permille, sla_met, sla_due)                                                              \
    X(first_time_fix_permille, first_fixed, first_tried)                                           \
    X(work_permille, work_us, shift_us + kpi->overtime_us)                                         \
    X(travel_permille, travel_us, shift_us + kpi->overtime_us)                                     \
    X(wait_permille, wait_us, shift_us + kpi->overtime_us)                                         \
    X(break_permille, break_us, shift_us + kpi->overtime_us)                                       \
    X(idle_permille, idle_us, shift_us + kpi->overtime_us)                                         \
    X(moves_per_visit_permille, technician_changes + kpi->start_changes, visits)                   \
    X(technician_changes_permille, technician_changes, visits)

/* --- what a day is made of -----------------------------------------------------------------------
 */

/* When the service day began, and until when it is looked at. */
struct kpi_day {
    int64_t begin_us, now_us;
};

struct kpi_visit {
    enum appointment_end {
        KPI_OPEN,
        KPI_UNSERVED,
        KPI_RUNNING,
        KPI_COMPLETED,
        KPI_INCOMPLETE,
        KPI_NO_ACCESS,
        KPI_CANCELLED
    } end;
    bool first;            /* visit of its order */
    int64_t waiting_us;    /* since when the customer waits; 0: not known */
    int64_t arrived_us;    /* the first time; 0: nobody did */
    int64_t begun_us;      /* work, the first time; 0: not */
    int64_t ended_us;      /* 0: not */
    int64_t due_us;        /* 0: none */
    uint32_t window_count; /* those that count, ascending */
    struct window windows[LIMIT_WINDOWS_PER_ORDER];
};

/* Something that a technician reported to do, not KPI_IDLE; end_us INT64_MAX: he still does. */
struct kpi_stretch {
    enum kpi_part part;
    int64_t start_us, end_us;
};

struct kpi_technician_day {
    int64_t shift_start_us, shift_end_us;
    int64_t break_earliest_us, break_latest_us, break_us; /* 0: none */
    int64_t absent_start_us, absent_end_us;               /* both 0: present */
    int64_t home_us; /* from the last stretch, how long home takes; 0: he is not done */
    const struct kpi_stretch *stretches; /* in any order */
    uint32_t stretch_count;
};

/* A visit's journey and work as planned when he left, and as they were; 0: not yet. */
struct kpi_leg {
    int64_t departed_us, arrived_us, begun_us, ended_us;
    int64_t planned_travel_us, planned_service_us;
    int64_t worked_us; /* pauses left out */
};

void kpi_add_visit(struct kpi *kpi, const struct kpi_day *day, const struct kpi_visit *visit);
void kpi_add_technician_day(struct kpi *kpi, const struct kpi_day *day,
                            const struct kpi_technician_day *it);
void kpi_add_leg(struct kpi *kpi, const struct kpi_leg *leg);
/* A published plan that took so long; `first`: it is the first answer, repair's. */
void kpi_add_plan(struct kpi *kpi, int64_t solve_us, bool first);

/* How late an arrival was: after the end of the window that it belongs to, by the better of its
 * arrival and its begin. */
int64_t kpi_late_us(const struct kpi_visit *visit);

#endif
