/* stretch.c - the day as delay has left it.
 *
 * Whoever must stay with a technician stays, late or not. Going from one of them to the next with
 * nothing in between, and without a rest, is the soonest that anybody can: what is late even then
 * was made late by delay, and by no plan.
 */
#include "base/check.h"
#include "optimizer/audit/audit_impl.h"

#include <string.h>

static bool goes_before(const struct visit_told *a, const struct visit_told *b)
{
    bool a_frozen = a->mobility == VISIT_FROZEN, b_frozen = b->mobility == VISIT_FROZEN;
    if (a_frozen != b_frozen) return a_frozen;
    if (a->planned_start_us != b->planned_start_us)
        return a->planned_start_us < b->planned_start_us;
    if (a->position != b->position) return a->position < b->position;
    return strcmp(a->id, b->id) < 0;
}

uint32_t audit_stay_with(const struct audit *audit, uint32_t technician, uint32_t *list)
{
    const struct visit_told *visits = audit->problem->visits;
    uint32_t count = 0;
    for (uint32_t v = 0; v < audit->problem->visit_count; v++) {
        if (audit->owner[v] != technician || audit->home[v] != technician) continue;
        uint32_t at = count++;
        for (; at > 0 && goes_before(&visits[v], &visits[list[at - 1]]); at--)
            list[at] = list[at - 1];
        list[at] = v;
    }
    return count;
}

/* The last moment at which service may start becomes the one at which it can. */
static void stretch_windows(struct audit *audit, uint32_t technician, const uint32_t *list,
                            uint32_t count)
{
    const struct route_day *day = &audit->days[technician];
    struct point at = day->start;
    int64_t now = day->available_us;
    for (uint32_t i = 0; i < count; i++) {
        struct route_visit *visit = &audit->visits[list[i]];
        bool missed;
        now = audit_start_us(visit, now + audit_leg_us(audit, at, visit->at), &missed);
        if (missed) visit->windows[visit->window_count - 1].end_us = now - visit->late_us_max;
        now += visit->service_us;
        at = visit->at;
    }
}

static void stretch_travel(struct audit *audit, uint32_t technician, const uint32_t *list,
                           uint32_t count)
{
    struct route_day *day = &audit->days[technician];
    struct point at = day->start;
    int32_t travel_s = 0;
    for (uint32_t i = 0; i <= count; i++) {
        struct point to = i < count ? audit->visits[list[i]].at : day->end;
        int32_t leg_s = (int32_t)(audit_leg_us(audit, at, to) / 1000000);
        travel_s += leg_s;
        if (day->leg_s_max > 0 && leg_s > day->leg_s_max) day->leg_s_max = leg_s;
        at = to;
    }
    if (day->travel_s_max > 0 && travel_s > day->travel_s_max) day->travel_s_max = travel_s;
}

static void stretch_capacity(struct audit *audit, uint32_t technician, const uint32_t *list,
                             uint32_t count)
{
    int64_t load = 0;
    for (uint32_t i = 0; i < count; i++)
        load += audit->problem->visits[list[i]].load;
    if (audit->capacities[technician] > 0 && load > audit->capacities[technician])
        audit->capacities[technician] = load;
}

static void stretch_day(struct audit *audit, uint32_t technician, const uint32_t *list,
                        uint32_t count)
{
    struct route_day *day = &audit->days[technician];
    stretch_windows(audit, technician, list, count);
    stretch_travel(audit, technician, list, count);
    stretch_capacity(audit, technician, list, count);
    audit_walk_best(audit, technician, list, count);
    if (audit->walk.break_missed || audit->walk.windows_missed > 0) {
        day->break_us = 0;
        audit_walk_best(audit, technician, list, count);
        CHECK(audit->walk.windows_missed == 0);
    }
    int64_t over_us = audit->walk.end_us - day->shift_end_us;
    if (over_us > day->overtime_us_max) day->overtime_us_max = over_us;
}

void audit_stretch(struct audit *audit, struct arena *arena)
{
    const struct audit_problem *problem = audit->problem;
    uint32_t *list = arena_need(arena, sizeof *list * (problem->visit_count + 1));
    for (uint32_t t = 0; t < problem->technician_count; t++) {
        uint32_t count = audit_stay_with(audit, t, list);
        if (count > 0) stretch_day(audit, t, list, count);
    }
}
