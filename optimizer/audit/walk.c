/* walk.c - a route, stop by stop, as somebody with a watch would tell it. */
#include "optimizer/audit/audit_impl.h"

int64_t audit_leg_us(const struct audit *audit, struct point from, struct point to)
{
    const struct travel *travel = audit->problem->travel;
    return travel->seconds(travel, from, to) * INT64_C(1000000);
}

/* The last moment at which service may start by window `i`: with the lateness allowed, but before
 * the next window opens. */
static int64_t last_moment_us(const struct route_visit *visit, uint32_t i)
{
    int64_t last = visit->windows[i].end_us + visit->late_us_max;
    if (i + 1 < visit->window_count && last >= visit->windows[i + 1].start_us)
        last = visit->windows[i + 1].start_us - 1;
    return last;
}

int64_t audit_start_us(const struct route_visit *visit, int64_t at_us, bool *missed)
{
    if (at_us < visit->not_before_us) at_us = visit->not_before_us;
    *missed = false;
    if (visit->window_count == 0) return at_us;
    for (uint32_t i = 0; i < visit->window_count; i++) {
        if (at_us > last_moment_us(visit, i)) continue;
        return at_us < visit->windows[i].start_us ? visit->windows[i].start_us : at_us;
    }
    *missed = true;
    return at_us;
}

int64_t audit_late_us(const struct route_visit *visit, int64_t start_us)
{
    for (uint32_t i = visit->window_count; i-- > 0;) {
        const struct window *window = &visit->windows[i];
        if (start_us < window->start_us) continue;
        return start_us > window->end_us ? start_us - window->end_us : 0;
    }
    return 0;
}

/* One who leaves at `left_us` and rests on this leg: as soon as he may, on the road if he is still
 * on it by then, else at the place where he waits for it. */
static int64_t rest_on_leg(const struct route_day *day, int64_t left_us, int64_t leg_us,
                           struct audit_walk *walk)
{
    int64_t begin = left_us < day->break_earliest_us ? day->break_earliest_us : left_us;
    int64_t there = left_us + leg_us;
    walk->break_start_us = begin;
    walk->break_missed = begin > day->break_latest_us;
    if (begin <= there) return there + day->break_us;
    return begin + day->break_us;
}

static void walk_with_break_on(const struct audit *audit, uint32_t technician,
                               const uint32_t *visits, uint32_t count, uint32_t break_leg,
                               struct audit_walk *walk)
{
    const struct route_day *day = &audit->days[technician];
    struct point at = day->start;
    int64_t now = day->available_us;
    walk->break_leg = break_leg;
    walk->no_break = day->break_us == 0;
    walk->break_missed = false;
    walk->windows_missed = 0;
    walk->break_start_us = 0;
    for (uint32_t i = 0; i <= count; i++) {
        struct point to = i < count ? audit->visits[visits[i]].at : day->end;
        int64_t leg = audit_leg_us(audit, at, to);
        now = i == break_leg && !walk->no_break ? rest_on_leg(day, now, leg, walk) : now + leg;
        at = to;
        if (i == count) break;
        const struct route_visit *visit = &audit->visits[visits[i]];
        struct audit_stop *stop = &walk->stops[i];
        bool missed;
        stop->visit_id = audit->problem->visits[visits[i]].id;
        stop->arrival_us = now;
        stop->start_us = audit_start_us(visit, now, &missed);
        stop->departure_us = now = stop->start_us + visit->service_us;
        walk->windows_missed += missed;
    }
    walk->end_us = now;
}

/* When he comes to the place behind the leg, if all went well up to there. */
static int64_t reached_us(const struct audit *audit, const struct audit_walk *walk,
                          const uint32_t *visits, uint32_t count, uint32_t leg)
{
    if (walk->break_missed) return INT64_MAX;
    for (uint32_t i = 0; i < leg && i < count; i++) {
        bool missed;
        audit_start_us(&audit->visits[visits[i]], walk->stops[i].arrival_us, &missed);
        if (missed) return INT64_MAX;
    }
    return leg < count ? walk->stops[leg].arrival_us : walk->end_us;
}

static void swap_walks(struct audit *audit)
{
    struct audit_walk walk = audit->walk;
    audit->walk = audit->other;
    audit->other = walk;
}

/* A customer in vain is worse than a break too late. */
static uint32_t faults(const struct audit_walk *walk)
{
    return 2 * walk->windows_missed + walk->break_missed;
}

/* Nothing fits: the walk with the fewest faults tells best what is wrong. */
static void walk_least_wrong(struct audit *audit, uint32_t technician, const uint32_t *visits,
                             uint32_t count)
{
    walk_with_break_on(audit, technician, visits, count, 0, &audit->walk);
    for (uint32_t leg = 1; leg <= count; leg++) {
        walk_with_break_on(audit, technician, visits, count, leg, &audit->other);
        if (faults(&audit->other) < faults(&audit->walk)) swap_walks(audit);
    }
}

void audit_walk_best(struct audit *audit, uint32_t technician, const uint32_t *visits,
                     uint32_t count)
{
    walk_with_break_on(audit, technician, visits, count, 0, &audit->walk);
    if (audit->walk.no_break) return;
    for (uint32_t leg = 1; leg <= count; leg++) {
        walk_with_break_on(audit, technician, visits, count, leg, &audit->other);
        if (reached_us(audit, &audit->other, visits, count, leg) <
            reached_us(audit, &audit->walk, visits, count, leg))
            swap_walks(audit);
    }
    if (faults(&audit->walk) > 0) walk_least_wrong(audit, technician, visits, count);
}
