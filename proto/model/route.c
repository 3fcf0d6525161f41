/* route.c - earliest times by two states per stop: the break is still ahead, or it is behind.
 *
 *   I1  `ahead[i]` is the earliest departure from place i with the break not yet taken, `behind[i]`
 *       the earliest with it taken; NEVER when that cannot be. Place 0 is the start, place i + 1 is
 *       stop i.
 *   I2  on a leg that is left at t and takes d, the break starts at b = max(t, earliest) <= latest
 *       and the arrival is max(t + d, earliest) + length: the same whether b lies in the journey or
 *       in the wait after it (then b = earliest), so a leg has at most one sensible break.
 *   I3  both states are monotone in t (leaving later never arrives earlier), hence the minimum of
 *       each state is enough: no other prefix can ever do better.
 */
#include "model/route.h"

#include "base/check.h"

static const int64_t NEVER = INT64_MAX;

/* A gap between two windows belongs to the first one as far as lateness reaches. */
int64_t visit_earliest_start_us(const struct route_visit *visit, int64_t at_us)
{
    if (at_us < visit->not_before_us) at_us = visit->not_before_us;
    if (visit->window_count == 0) return at_us;
    for (uint32_t i = 0; i < visit->window_count; i++) {
        const struct window *window = &visit->windows[i];
        if (at_us <= window->end_us) return at_us > window->start_us ? at_us : window->start_us;
        bool over = i + 1 < visit->window_count && at_us >= window[1].start_us;
        if (!over && at_us - window->end_us <= visit->late_us_max) return at_us;
    }
    return NEVER;
}

int64_t visit_late_us(const struct route_visit *visit, int64_t start_us)
{
    int64_t late_us = 0;
    for (uint32_t i = 0; i < visit->window_count && start_us >= visit->windows[i].start_us; i++)
        late_us = start_us - visit->windows[i].end_us;
    return late_us > 0 ? late_us : 0;
}

bool visit_preferred(const struct route_visit *visit, int64_t start_us)
{
    for (uint32_t i = 0; i < visit->preferred_count; i++) {
        const struct window *window = &visit->preferred[i];
        if (start_us >= window->start_us && start_us <= window->end_us) return true;
    }
    return visit->preferred_count == 0;
}

uint32_t windows_merge(struct window *windows, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct window window = windows[i];
        uint32_t at = i;
        for (; at > 0 && windows[at - 1].start_us > window.start_us; at--)
            windows[at] = windows[at - 1];
        windows[at] = window;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || windows[i].start_us > windows[kept - 1].end_us)
            windows[kept++] = windows[i];
        else if (windows[i].end_us > windows[kept - 1].end_us)
            windows[kept - 1].end_us = windows[i].end_us;
    }
    return kept;
}

static int64_t arrival_after_break(const struct route_day *day, int64_t left_us, int64_t leg_us)
{
    if (left_us == NEVER || left_us > day->break_latest_us) return NEVER;
    int64_t reached = left_us + leg_us;
    return (reached > day->break_earliest_us ? reached : day->break_earliest_us) + day->break_us;
}

static int64_t finish(const struct route_visit *visit, int64_t arrival_us)
{
    if (arrival_us == NEVER) return NEVER;
    int64_t start = visit_earliest_start_us(visit, arrival_us);
    return start == NEVER ? NEVER : start + visit->service_us;
}

struct pass {
    int64_t ahead[LIMIT_STOPS_PER_ROUTE + 2], behind[LIMIT_STOPS_PER_ROUTE + 2]; /* see I1 */
    int32_t leg_s[LIMIT_STOPS_PER_ROUTE + 1];
    bool break_on_leg[LIMIT_STOPS_PER_ROUTE + 1]; /* behind[i + 1] came from ahead[i] */
};

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Fills `stops` backwards: at each place we know whether the break is behind us. */
static void trace_back(const struct route_day *day, const struct route_visit *const *visits,
                       uint32_t count, const struct pass *pass, struct route_stop *stops,
                       struct route_times *times)
{
    bool behind = true;
    for (uint32_t leg = count + 1; leg-- > 0;) {
        bool here = behind && day->break_us > 0 && pass->break_on_leg[leg];
        if (here) behind = false;
        int64_t left = behind ? pass->behind[leg] : pass->ahead[leg];
        int64_t break_start = 0, arrival = left + pass->leg_s[leg] * INT64_C(1000000);
        if (here) {
            break_start = left > day->break_earliest_us ? left : day->break_earliest_us;
            arrival = arrival_after_break(day, left, pass->leg_s[leg] * INT64_C(1000000));
        }
        if (leg == count) {
            times->break_start_us = break_start;
            continue;
        }
        int64_t start = visit_earliest_start_us(visits[leg], arrival);
        stops[leg] = (struct route_stop){arrival, start, start + visits[leg]->service_us,
                                         break_start, visit_late_us(visits[leg], start)};
        times->wait_s += (int32_t)((start - arrival) / 1000000);
    }
}

static enum route_rule fails(struct route_times *times, enum route_rule rule, int64_t miss_us)
{
    times->miss_us = times->rested_miss_us = miss_us;
    return times->rule = rule;
}

static enum route_rule travel_rule(const struct route_day *day, int32_t leg_s,
                                   struct route_times *times)
{
    int32_t longer_s = leg_s - day->leg_s_max;
    if (day->leg_s_max > 0 && longer_s > 0)
        return fails(times, ROUTE_LEG_TOO_LONG, longer_s * INT64_C(1000000));
    longer_s = times->travel_s - day->travel_s_max;
    if (day->travel_s_max > 0 && longer_s > 0)
        return fails(times, ROUTE_TRAVEL_EXCEEDED, longer_s * INT64_C(1000000));
    return ROUTE_FITS;
}

/* How long after its last chance the service could start. */
static int64_t window_miss_us(const struct route_visit *visit, int64_t at_us)
{
    if (at_us < visit->not_before_us) at_us = visit->not_before_us;
    return at_us - visit->windows[visit->window_count - 1].end_us - visit->late_us_max;
}

/* At least one of the two arrivals can be. */
static enum route_rule misses_window(struct route_times *times, const struct route_visit *visit,
                                     int64_t plain_us, int64_t after_us)
{
    fails(times, ROUTE_WINDOW_MISSED, window_miss_us(visit, earlier(plain_us, after_us)));
    if (after_us != NEVER) times->rested_miss_us = window_miss_us(visit, after_us);
    return times->rule;
}

/* How much later the break would have to be allowed for one more leg to have room for it. */
static int64_t break_miss_us(const struct route_day *day, const struct pass *pass, uint32_t count)
{
    int64_t miss_us = NEVER;
    for (uint32_t leg = 0; leg <= count; leg++) {
        if (pass->ahead[leg] == NEVER || pass->ahead[leg] <= day->break_latest_us) continue;
        miss_us = earlier(miss_us, pass->ahead[leg] - day->break_latest_us);
    }
    return miss_us;
}

enum route_rule route_time(const struct travel *travel, const struct route_day *day,
                           const struct route_visit *const *visits, uint32_t count,
                           struct route_stop *stops, struct route_times *times)
{
    CHECK(count <= LIMIT_STOPS_PER_ROUTE);
    *times = (struct route_times){.end_us = day->available_us};
    if (count == 0) {
        times->travel_s = travel_seconds(travel, day->start, day->end);
        times->end_us += times->travel_s * INT64_C(1000000);
        return times->rule = ROUTE_FITS; /* going home is always allowed */
    }
    struct pass pass;
    pass.ahead[0] = day->break_us > 0 ? day->available_us : NEVER;
    pass.behind[0] = day->break_us > 0 ? NEVER : day->available_us;
    struct point at = day->start;
    for (uint32_t leg = 0; leg <= count; leg++) {
        struct point to = leg < count ? visits[leg]->at : day->end;
        int32_t seconds = pass.leg_s[leg] = travel_seconds(travel, at, to);
        int64_t leg_us = seconds * INT64_C(1000000);
        times->travel_s += seconds;
        times->rule_index = leg;
        if (travel_rule(day, seconds, times) != ROUTE_FITS) return times->rule;
        int64_t plain = pass.ahead[leg] == NEVER ? NEVER : pass.ahead[leg] + leg_us;
        int64_t after = pass.behind[leg] == NEVER ? NEVER : pass.behind[leg] + leg_us;
        int64_t rested = arrival_after_break(day, pass.ahead[leg], leg_us);
        pass.break_on_leg[leg] = rested < after;
        if (rested < after) after = rested;
        bool lost = after == NEVER && (plain == NEVER || leg == count);
        pass.ahead[leg + 1] = leg < count ? finish(visits[leg], plain) : NEVER;
        pass.behind[leg + 1] = leg < count ? finish(visits[leg], after) : after;
        if (lost) return fails(times, ROUTE_BREAK_MISSED, break_miss_us(day, &pass, leg));
        if (earlier(pass.ahead[leg + 1], pass.behind[leg + 1]) == NEVER)
            return misses_window(times, visits[leg], plain, after);
        at = to;
    }
    times->end_us = pass.behind[count + 1];
    int64_t over = times->end_us - day->shift_end_us;
    times->overtime_us = over > 0 ? over : 0;
    if (over > day->overtime_us_max)
        return fails(times, ROUTE_SHIFT_EXCEEDED, over - day->overtime_us_max);
    trace_back(day, visits, count, &pass, stops, times);
    return times->rule = ROUTE_FITS;
}

void route_give_way(struct route_day *day, struct route_visit *visit,
                    const struct route_times *times)
{
    CHECK(times->rule == ROUTE_FITS || times->miss_us > 0);
    switch (times->rule) {
    case ROUTE_FITS: return;
    case ROUTE_WINDOW_MISSED:
        visit->windows[visit->window_count - 1].end_us += times->miss_us;
        return;
    case ROUTE_BREAK_MISSED: day->break_latest_us += times->miss_us; return;
    case ROUTE_SHIFT_EXCEEDED: day->overtime_us_max += times->miss_us; return;
    case ROUTE_LEG_TOO_LONG: day->leg_s_max += (int32_t)(times->miss_us / 1000000); return;
    case ROUTE_TRAVEL_EXCEEDED: day->travel_s_max += (int32_t)(times->miss_us / 1000000); return;
    }
}

const char *route_rule_text(enum route_rule rule)
{
    switch (rule) {
    case ROUTE_FITS: return "fits";
    case ROUTE_WINDOW_MISSED: return "arrives after the last arrival window";
    case ROUTE_BREAK_MISSED: return "leaves no room for the break";
    case ROUTE_SHIFT_EXCEEDED: return "comes home after the end of the shift and its overtime";
    case ROUTE_LEG_TOO_LONG: return "travels longer in one go than the technician may";
    case ROUTE_TRAVEL_EXCEEDED: return "travels longer in the day than the technician may";
    }
    return "unknown rule";
}
