#include "optimizer/audit/audit.h"

#include "base/check.h"
#include "optimizer/audit/audit_impl.h"

#include <inttypes.h>
#include <string.h>

/* --- open --- */

static uint32_t technician_of(const struct audit *audit, const char *id)
{
    for (uint32_t t = 0; t < audit->problem->technician_count; t++) {
        if (strcmp(audit->problem->technicians[t].id, id) == 0) return t;
    }
    return NO_INDEX;
}

static uint32_t visit_of(const struct audit *audit, const char *id)
{
    for (uint32_t v = 0; v < audit->problem->visit_count; v++) {
        if (strcmp(audit->problem->visits[v].id, id) == 0) return v;
    }
    return NO_INDEX;
}

static void take_visit(struct audit *audit, uint32_t v)
{
    const struct visit_told *told = &audit->problem->visits[v];
    uint32_t named =
        told->technician_id[0] == 0 ? NO_INDEX : technician_of(audit, told->technician_id);
    audit->visits[v] = told->visit;
    audit->home[v] = told->planned_start_us != 0 ? named : NO_INDEX;
    audit->owner[v] = told->mobility != VISIT_MOVABLE ? named : NO_INDEX;
    if (told->mobility == VISIT_FROZEN && audit->home[v] != NO_INDEX) audit->frozen[named]++;
}

void audit_open(struct audit *audit, const struct audit_problem *problem, struct arena *arena)
{
    uint32_t visits = problem->visit_count + 1, technicians = problem->technician_count + 1;
    *audit = (struct audit){
        .problem = problem,
        .days = arena_need(arena, sizeof *audit->days * technicians),
        .visits = arena_need(arena, sizeof *audit->visits * visits),
        .home = arena_need(arena, sizeof *audit->home * visits),
        .owner = arena_need(arena, sizeof *audit->owner * visits),
        .frozen = arena_need(arena, sizeof *audit->frozen * technicians),
        .capacities = arena_need(arena, sizeof *audit->capacities * technicians),
        .walk = {.stops = arena_need(arena, sizeof *audit->walk.stops * visits)},
        .other = {.stops = arena_need(arena, sizeof *audit->other.stops * visits)},
        .list = arena_need(arena, sizeof *audit->list * visits),
        .route = arena_need(arena, sizeof *audit->route * visits),
        .served_by = arena_need(arena, sizeof *audit->served_by * visits),
        .has_route = arena_need(arena, sizeof *audit->has_route * technicians),
    };
    for (uint32_t t = 0; t < problem->technician_count; t++) {
        audit->days[t] = problem->technicians[t].day;
        audit->capacities[t] = problem->technicians[t].capacity;
        if (audit->days[t].available_us < problem->now_us)
            audit->days[t].available_us = problem->now_us;
    }
    for (uint32_t v = 0; v < problem->visit_count; v++)
        take_visit(audit, v);
    audit_stretch(audit, arena);
}

/* --- one route --- */

static void check_walked(struct audit *audit, uint32_t technician, const uint32_t *visits,
                         uint32_t count, struct audit_report *report)
{
    audit_check_people(audit, technician, visits, count, report);
    if (count > 0) {
        audit_check_times(audit, technician, visits, count, report);
        audit_check_travel(audit, technician, visits, count, report);
        audit_check_load(audit, technician, visits, count, report);
    }
    audit_price_route(audit, technician, visits, count, &report->cost);
}

void audit_route(struct audit *audit, uint32_t technician, const uint32_t *visits, uint32_t count,
                 struct audit_report *report)
{
    audit_walk_best(audit, technician, visits, count);
    check_walked(audit, technician, visits, count, report);
}

/* --- a route with times of its own --- */

/* One stop after another: nobody is there before he can be. `*at_us` is when he was free where he
 * was; a break leaves him where he is, for as long as it lasts. */
static void check_step(const struct audit *audit, const struct audit_stop *stop, int64_t leg_us,
                       int64_t service_us, int64_t rest_us, int64_t free_us,
                       struct audit_report *report)
{
    if (stop->arrival_us < free_us + leg_us + rest_us)
        audit_complain(report, AUDIT_TIMES, "order %s: arrives %s, and cannot be there before %s",
                       stop->visit_id, audit_time(audit, stop->arrival_us).text,
                       audit_time(audit, free_us + leg_us + rest_us).text);
    if (stop->start_us < stop->arrival_us)
        audit_complain(report, AUDIT_TIMES, "order %s: starts %s, before he arrives %s",
                       stop->visit_id, audit_time(audit, stop->start_us).text,
                       audit_time(audit, stop->arrival_us).text);
    if (stop->departure_us < stop->start_us + service_us)
        audit_complain(report, AUDIT_TIMES, "order %s: leaves %s, before the service is over %s",
                       stop->visit_id, audit_time(audit, stop->departure_us).text,
                       audit_time(audit, stop->start_us + service_us).text);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void take_break(struct audit *audit, uint32_t technician, const struct audit_stop *stop,
                       uint32_t leg, int64_t free_us, struct audit_report *report)
{
    const char *who = audit->problem->technicians[technician].id;
    const struct route_day *day = &audit->days[technician];
    if (!audit->walk.no_break)
        audit_complain(report, AUDIT_BREAK, "technician %s: has more than one break", who);
    if (stop->start_us < free_us)
        audit_complain(report, AUDIT_TIMES,
                       "technician %s: rests from %s, and is not free before %s", who,
                       audit_time(audit, stop->start_us).text, audit_time(audit, free_us).text);
    if (stop->departure_us < stop->start_us + day->break_us)
        audit_complain(report, AUDIT_BREAK, "technician %s: the break ends %s, too soon", who,
                       audit_time(audit, stop->departure_us).text);
    audit->walk.no_break = false;
    audit->walk.break_leg = leg;
    audit->walk.break_start_us = stop->start_us;
}

/* What the plan says of its times becomes the walk. Stops that do not count (unknown, or served
 * elsewhere) have been left out of `visits`, and are passed over here. */
static void walk_as_told(struct audit *audit, uint32_t technician, const struct audit_route *route,
                         const uint32_t *visits, uint32_t count, struct audit_report *report)
{
    const struct route_day *day = &audit->days[technician];
    struct audit_walk *walk = &audit->walk;
    struct point at = day->start;
    int64_t free_us = day->available_us, rested_us = 0, rest_us = 0;
    *walk = (struct audit_walk){.no_break = true, .stops = walk->stops};
    for (uint32_t i = 0, done = 0; i < route->stop_count; i++) {
        const struct audit_stop *stop = &route->stops[i];
        if (stop->visit_id == NULL) {
            take_break(audit, technician, stop, done, free_us, report);
            rest_us += stop->departure_us - stop->start_us;
            rested_us = stop->departure_us;
            continue;
        }
        if (done == count || strcmp(stop->visit_id, audit->problem->visits[visits[done]].id) != 0)
            continue;
        const struct route_visit *visit = &audit->visits[visits[done]];
        int64_t leg_us = audit_leg_us(audit, at, visit->at);
        check_step(audit, stop, leg_us, visit->service_us, rest_us, free_us, report);
        if (stop->start_us < rested_us)
            audit_complain(report, AUDIT_TIMES, "order %s: starts %s, while he rests until %s",
                           stop->visit_id, audit_time(audit, stop->start_us).text,
                           audit_time(audit, rested_us).text);
        walk->stops[done++] = *stop;
        free_us = stop->departure_us;
        at = visit->at;
        rest_us = rested_us = 0;
    }
    walk->end_us = later(free_us + audit_leg_us(audit, at, day->end) + rest_us, rested_us);
}

/* --- a whole plan --- */

/* The stops that count, as places in the problem's arrays; the others are complained of. */
static uint32_t known_stops(struct audit *audit, uint32_t technician,
                            const struct audit_route *route, uint32_t *visits,
                            struct audit_report *report)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < route->stop_count; i++) {
        const char *id = route->stops[i].visit_id;
        if (id == NULL) continue;
        uint32_t v = visit_of(audit, id);
        if (v == NO_INDEX) {
            audit_complain(report, AUDIT_UNKNOWN, "order %s: is not in the problem", id);
        } else if (audit->served_by[v] != NO_INDEX) {
            audit_complain(report, AUDIT_TWICE, "order %s: is served by %s and by %s", id,
                           audit->problem->technicians[audit->served_by[v]].id,
                           route->technician_id);
        } else {
            audit->served_by[v] = technician;
            visits[count++] = v;
        }
    }
    return count;
}

static void check_route(struct audit *audit, const struct audit_route *route,
                        struct audit_report *report)
{
    uint32_t t = technician_of(audit, route->technician_id);
    if (t == NO_INDEX) {
        audit_complain(report, AUDIT_UNKNOWN, "technician %s: is not in the problem",
                       route->technician_id);
        return;
    }
    if (audit->has_route[t]) {
        audit_complain(report, AUDIT_TWICE, "technician %s: has two routes", route->technician_id);
        return;
    }
    audit->has_route[t] = true;
    uint32_t *visits = audit->route;
    uint32_t count = known_stops(audit, t, route, visits, report);
    if (route->timed && count > 0)
        walk_as_told(audit, t, route, visits, count, report);
    else
        audit_walk_best(audit, t, visits, count);
    check_walked(audit, t, visits, count, report);
}

static void check_unserved(const struct audit *audit, uint32_t v, struct audit_report *report)
{
    const struct visit_told *told = &audit->problem->visits[v];
    bool pinned = told->mobility != VISIT_MOVABLE && told->technician_id[0] != 0;
    report->cost.unserved += audit_price_unserved(audit, v);
    report->unserved++;
    report->unserved_pinned += pinned;
    if (pinned && audit->owner[v] != NO_INDEX && audit->owner[v] == audit->home[v])
        audit_complain(report, AUDIT_PINNED, "order %s: must stay with %s, and nobody serves it",
                       told->id, told->technician_id);
}

void audit_plan(struct audit *audit, const struct audit_plan *plan, struct audit_report *report)
{
    const struct audit_problem *problem = audit->problem;
    *report = (struct audit_report){.violations = report->violations,
                                    .violation_max = report->violation_max};
    memset(audit->has_route, 0, sizeof *audit->has_route * problem->technician_count);
    for (uint32_t v = 0; v < problem->visit_count; v++)
        audit->served_by[v] = NO_INDEX;
    for (uint32_t r = 0; r < plan->route_count; r++)
        check_route(audit, &plan->routes[r], report);
    for (uint32_t t = 0; t < problem->technician_count; t++) {
        if (!audit->has_route[t]) audit_route(audit, t, NULL, 0, report);
    }
    for (uint32_t v = 0; v < problem->visit_count; v++) {
        if (audit->served_by[v] == NO_INDEX)
            check_unserved(audit, v, report);
        else
            report->served++;
    }
    audit_total(&report->cost);
}
