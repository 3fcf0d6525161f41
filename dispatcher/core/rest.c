/* rest.c - what is left of a technician's day at a moment, as route.h sees it.
 *
 * The plan never chooses lateness, but delay happens: a visit that is dispatched, frozen or pinned
 * stays with its technician even when he cannot be in time any more. So its window, and the end of
 * his shift, are stretched exactly as far as delay alone already forces (his pinned visits in
 * order, nothing in between); every rule stays hard, and nobody can make such a visit later than it
 * must be. All of that is true for the order they are in: in another one, what was stretched is
 * as it was before.
 */
#include "base/check.h"
#include "dispatcher/core/state.h"

#include <string.h>

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t travel_us(const struct core *core, struct point from, struct point to)
{
    return travel_seconds(core->travel, from, to) * INT64_C(1000000);
}

static struct route_visit plain_visit(const struct core *core, uint32_t index)
{
    const struct appointment *it = &core->appointments[index];
    struct route_visit visit = {.at = it->point, .service_us = it->service_us};
    if (it->pin_start_us != 0) { /* a person's word outdoes windows and wishes */
        visit.window_count = 1;
        visit.windows[0] = (struct window){it->pin_start_us, it->pin_start_us};
        return visit;
    }
    visit.window_count = it->window_count;
    memcpy(visit.windows, it->windows, it->window_count * sizeof it->windows[0]);
    visit.late_us_max = it->late_us_max;
    visit.preferred_count = it->preferred_count;
    memcpy(visit.preferred, it->preferred, it->preferred_count * sizeof it->preferred[0]);
    return visit;
}

/* The break that the plan laid on the way may begin only after he left: then he is as late as the
 * plan said. */
static int64_t arrival_us(const struct core *core, const struct appointment *it)
{
    const struct shift *shift = &core->shifts[it->shift];
    int64_t arrival = it->departed_us + travel_us(core, it->departed_from, it->point);
    int64_t rested = later(it->departed_us, shift->break_earliest_us) + shift->break_us;
    bool rests = shift->break_us > 0 && it->departed_us <= shift->break_latest_us &&
                 it->planned_start_us >= rested;
    if (!rests || it->planned_start_us > arrival + shift->break_us) return arrival;
    return later(arrival, it->planned_start_us);
}

static int64_t predicted_end_us(const struct core *core, uint32_t index)
{
    const struct appointment *it = &core->appointments[index];
    int64_t begin = it->begun_us;
    if (it->status == APPOINTMENT_EN_ROUTE) {
        struct route_visit visit = plain_visit(core, index);
        int64_t arrival = arrival_us(core, it);
        begin = visit_earliest_start_us(&visit, arrival);
        if (begin == INT64_MAX) begin = arrival;
    }
    return begin + it->service_us + it->delay_us;
}

enum mobility appointment_mobility(const struct core *core, uint32_t index, int64_t now_us)
{
    const struct appointment *it = &core->appointments[index];
    if (it->shift != NONE) {
        const struct board *board = &core->boards[it->board];
        int64_t freeze_us = core->territories[board->territory].policy.freeze_us;
        if (it->planned_start_us < now_us + freeze_us) return MOBILITY_FROZEN;
    }
    if (it->pin_technician) return MOBILITY_PINNED;
    if (it->shift != NONE && changes_left(core, it->shift) == 0) return MOBILITY_PINNED;
    bool told = it->status == APPOINTMENT_DISPATCHED || it->status == APPOINTMENT_ACCEPTED;
    return told ? MOBILITY_PINNED : MOBILITY_MOVABLE;
}

/* A shift from which an absence is taken: the longer of the parts before and after it is left. */
static void take_absence(const struct shift *shift, int64_t now_us, struct rest *rest)
{
    struct route_day *day = &rest->day;
    if (shift->absent_end_us <= shift->absent_start_us) return;
    if (shift->absent_end_us <= day->available_us || shift->absent_start_us >= shift->end_us)
        return;
    int64_t before = shift->absent_start_us - later(day->available_us, now_us);
    int64_t after = shift->end_us - shift->absent_end_us;
    if (before <= 0 && after <= 0) {
        rest->off = true;
    } else if (before >= after) {
        day->shift_end_us = shift->absent_start_us;
        day->overtime_us_max = 0;
    } else {
        day->available_us = shift->absent_end_us;
    }
}

/* 0 would be no limit: one second is next to nothing. */
static int32_t travel_left_s(const struct technician *technician, const struct shift *shift)
{
    if (technician->travel_s_max == 0) return 0;
    int64_t left_s = technician->travel_s_max - shift->travelled_us / 1000000;
    return left_s < 1 ? 1 : (int32_t)left_s;
}

/* Whoever has nothing to do takes his break, if that makes nobody wait: since when he may, and long
 * enough ago that the next visit is still in time. */
static void rest_idle(const struct core *core, const struct shift *shift, int64_t now_us,
                      struct route_day *day)
{
    const struct technician *technician = &core->technicians[shift->technician];
    bool under_way = technician->place_us >= shift->start_us;
    int64_t free_us = under_way ? technician->place_us : shift->start_us;
    int64_t begun_us = later(free_us, shift->break_earliest_us);
    if (day->break_us == 0 || begun_us >= now_us || begun_us > shift->break_latest_us) return;
    int64_t rested_us = begun_us + day->break_us;
    if (shift->route_count > 0) {
        const struct appointment *next = &core->appointments[shift->route[0]];
        if (rested_us + travel_us(core, day->start, next->point) > next->planned_start_us) return;
    }
    day->available_us = later(day->available_us, rested_us);
    day->break_us = 0;
}

static void start_of_rest(const struct core *core, const struct shift *shift, int64_t now_us,
                          struct rest *rest)
{
    const struct technician *technician = &core->technicians[shift->technician];
    struct route_day *day = &rest->day;
    *day = (struct route_day){
        .start = shift->start,
        .end = shift->end,
        .available_us = later(now_us, shift->start_us),
        .shift_end_us = shift->end_us,
        .overtime_us_max = shift->overtime_us_max,
        .break_earliest_us = shift->break_earliest_us,
        .break_latest_us = shift->break_latest_us,
        .break_us = shift->break_done ? 0 : shift->break_us,
        .leg_s_max = technician->leg_s_max,
        .travel_s_max = travel_left_s(technician, shift),
    };
    uint32_t current = technician->current;
    if (current != NONE && core->appointments[current].board == shift->board) {
        day->start = core->appointments[current].point;
        day->available_us = later(now_us, predicted_end_us(core, current));
    } else if (technician->place_us >= shift->start_us - 2 * INT64_C(3600000000) &&
               technician->place_us > 0) {
        day->start = technician->place;
    }
    int64_t rests_us = shift->rest_until_us - now_us; /* what he is at waits, too */
    if (rests_us > 0) day->available_us += rests_us;
    rest->off = day->available_us >= shift->end_us + shift->overtime_us_max;
    if (current == NONE) rest_idle(core, shift, now_us, day);
}

/* A break that was missed, or that would lie in an absence, is not waited for. */
static void drop_missed_break(struct route_day *day)
{
    bool missed = day->available_us > day->break_latest_us;
    bool absent = day->shift_end_us + day->overtime_us_max < day->break_earliest_us + day->break_us;
    if (missed || absent) day->break_us = 0;
}

/* The pinned visits lie where they lie: the limits of travel give way as far as they must. */
static void allow_legs(const struct core *core, struct rest *rest)
{
    struct route_day *day = &rest->day;
    struct point at = day->start;
    int32_t travel_s = 0;
    for (uint32_t i = 0; i <= rest->pinned_count; i++) {
        struct point to =
            i < rest->pinned_count ? core->appointments[rest->pinned[i]].point : day->end;
        int32_t leg_s = travel_seconds(core->travel, at, to);
        travel_s += leg_s;
        if (day->leg_s_max > 0 && day->leg_s_max < leg_s) {
            day->leg_s_max = leg_s;
            rest->keeps_order = true;
        }
        at = to;
    }
    if (day->travel_s_max > 0 && day->travel_s_max < travel_s) {
        day->travel_s_max = travel_s;
        rest->keeps_order = true;
    }
}

static void stretch_window(struct route_visit *visit)
{
    if (visit->window_count > 0) visit->windows[visit->window_count - 1].end_us = INT64_MAX / 4;
}

/* Times the pinned visits with nothing in between. Only what cannot be in time is stretched; where
 * the break has no room then, they are rather late, and where it still has none, it is dropped. */
static void time_stretched(const struct core *core, struct rest *rest, struct route_day *endless,
                           struct route_visit *visits, struct route_stop *stops,
                           struct route_times *times)
{
    const struct route_visit *order[LIMIT_VISITS_PER_ROUTE];
    uint32_t count = rest->pinned_count;
    for (uint32_t i = 0; i < count; i++)
        order[i] = &visits[i];
    for (bool all = false;
         route_time(core->travel, endless, order, count, stops, times) != ROUTE_FITS;) {
        bool window = times->rule == ROUTE_WINDOW_MISSED;
        CHECK(window || times->rule == ROUTE_BREAK_MISSED);
        rest->keeps_order |= !window;
        if (!window && all) rest->day.break_us = endless->break_us = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (!window || i == times->rule_index) stretch_window(&visits[i]);
        }
        all |= !window;
    }
}

/* When the pinned visits start if nothing else is done; stretches the day's end and drops a break
 * that they leave no room for. */
static void time_pinned(const struct core *core, struct rest *rest, int64_t now_us)
{
    struct route_visit visits[LIMIT_VISITS_PER_ROUTE];
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct route_times times;
    for (uint32_t i = 0; i < rest->pinned_count; i++) {
        visits[i] = plain_visit(core, rest->pinned[i]);
        if (appointment_mobility(core, rest->pinned[i], now_us) == MOBILITY_FROZEN)
            visits[i].not_before_us = core->appointments[rest->pinned[i]].planned_start_us;
    }
    allow_legs(core, rest);
    struct route_day endless = rest->day;
    endless.overtime_us_max = INT64_MAX / 4;
    time_stretched(core, rest, &endless, visits, stops, &times);
    for (uint32_t i = 0; i < rest->pinned_count; i++)
        rest->pinned_start_us[i] = stops[i].start_us;
    int64_t over_us = times.end_us - rest->day.shift_end_us;
    if (over_us <= rest->day.overtime_us_max) return;
    rest->day.overtime_us_max = over_us;
    rest->keeps_order = true;
}

void rest_of_day(const struct core *core, uint32_t index, int64_t now_us, struct rest *rest)
{
    const struct shift *shift = &core->shifts[index];
    rest->off = rest->keeps_order = false;
    rest->pinned_count = 0;
    start_of_rest(core, shift, now_us, rest);
    take_absence(shift, now_us, rest);
    if (rest->off) { /* what a person left with him all the same fits, and nothing beside it */
        rest->day.shift_end_us = rest->day.available_us;
        rest->day.overtime_us_max = 0;
    }
    drop_missed_break(&rest->day);
    for (uint32_t i = 0; i < shift->route_count; i++) {
        if (appointment_mobility(core, shift->route[i], now_us) == MOBILITY_MOVABLE) continue;
        rest->pinned[rest->pinned_count++] = shift->route[i];
    }
    if (rest->pinned_count > 0) time_pinned(core, rest, now_us);
    if (rest->off && rest->pinned_count > 0) { /* leaves just in time for it */
        struct point first = core->appointments[rest->pinned[0]].point;
        rest->day.available_us =
            later(rest->day.available_us,
                  rest->pinned_start_us[0] - travel_us(core, rest->day.start, first));
    }
}

struct route_visit rest_visit(const struct core *core, const struct rest *rest, uint32_t index,
                              int64_t now_us)
{
    struct route_visit visit = plain_visit(core, index);
    for (uint32_t i = 0; i < rest->pinned_count; i++) {
        if (rest->pinned[i] != index) continue;
        if (visit.window_count > 0) {
            struct window *last = &visit.windows[visit.window_count - 1];
            int64_t own_us = last->end_us;
            last->end_us = later(own_us, rest->pinned_start_us[i] - visit.late_us_max);
            visit.stretched_us = last->end_us - own_us;
        }
        if (appointment_mobility(core, index, now_us) == MOBILITY_FROZEN)
            visit.not_before_us = core->appointments[index].planned_start_us;
    }
    return visit;
}

bool appointment_late(const struct core *core, uint32_t index, int64_t start_us)
{
    const struct appointment *it = &core->appointments[index];
    if (it->pin_start_us != 0) return start_us > it->pin_start_us;
    struct route_visit visit = plain_visit(core, index);
    return visit_late_us(&visit, start_us) > 0;
}

bool named_has(const struct named *named, uint32_t technician)
{
    for (uint32_t i = 0; i < named->count; i++) {
        if (named->technicians[i] == technician) return true;
    }
    return false;
}

uint32_t valid_skills(const struct technician *technician, const struct shift *shift,
                      struct skill *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < technician->skill_count; i++) {
        if (skill_valid(technician->skill_from_us[i], technician->skill_to_us[i], shift->start_us,
                        shift->end_us))
            out[count++] = technician->skills[i];
    }
    return count;
}

/* Skills (valid on the day), whom the order names, who declined it, and pins; a person's pin
 * overrules all else. */
bool appointment_serves(const struct core *core, uint32_t index, uint32_t shift_index)
{
    const struct appointment *it = &core->appointments[index];
    const struct shift *shift = &core->shifts[shift_index];
    const struct technician *technician = &core->technicians[shift->technician];
    if (it->pin_technician) return it->pin_to == shift->technician;
    for (uint32_t i = 0; i < it->excluded_count; i++) {
        if (it->excluded[i] == shift->technician) return false;
    }
    if (named_has(&it->forbidden, shift->technician)) return false;
    if (it->required.count > 0 && !named_has(&it->required, shift->technician)) return false;
    struct skill valid[LIMIT_SKILLS_PER_ENTITY];
    uint32_t count = valid_skills(technician, shift, valid);
    return skills_cover(valid, count, it->skills, it->skill_count) &&
           skills_cover_choices(valid, count, it->choices, it->choice_count);
}
