/* plan.c - see plan.h. The two states and their rules are those of model/route.c (I1 to I3). */
#include "optimizer/core/plan.h"

#include "base/check.h"
#include "optimizer/core/plain.h"

#include <stddef.h>
#include <string.h>

static int32_t min_s(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t max_s(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* --- from stop to stop --- */

enum fit { FITS_NOT, FITS_LATE, FITS };

/* Departures from a stop, in both states. */
struct leaving {
    int32_t ahead, behind;
};

static struct leaving leaving_after(const struct instance *in, const struct technician *technician,
                                    const struct node *node, struct leaving from, int32_t leg)
{
    int32_t late = min_s(from.behind + leg, rested(technician, from.ahead, leg));
    return (struct leaving){node_leave(in, node, from.ahead + leg), node_leave(in, node, late)};
}

static enum fit fits_before(const struct technician *technician, const struct stop *next,
                            struct leaving from, int32_t leg)
{
    int32_t ahead = from.ahead + leg;
    int32_t behind = min_s(from.behind + leg, rested(technician, from.ahead, leg));
    if (ahead <= next->slack_ahead || behind <= next->slack_behind) return FITS;
    if (ahead <= next->late_ahead || behind <= next->late_behind) return FITS_LATE;
    return FITS_NOT;
}

/* --- refresh --- */

/* Places and legs of stops `first` .. `last` + 1, the end among them; false if one is too long. */
static bool lay(const struct instance *in, const struct technician *technician, struct route *route,
                uint32_t first, uint32_t last)
{
    bool fits = true;
    for (uint32_t i = first; i <= last + 1; i++) {
        struct stop *stop = &route->stops[i];
        stop->place = i > route->count ? technician->end : in->nodes[stop->visit].place;
        stop->leg = instance_travel(in, stop[-1].place, stop->place);
        fits &= stop->leg <= technician->leg_max;
    }
    return fits;
}

/* Both ends, all legs, and what they and the visits come to; false if it is too much. */
static bool lay_all(const struct instance *in, const struct technician *technician,
                    struct route *route)
{
    struct stop *stops = route->stops;
    bool has_break = technician->break_length > 0;
    stops[0] = (struct stop){.visit = NO_VISIT, .place = technician->start};
    stops[0].ahead = has_break ? technician->available : NEVER;
    stops[0].behind = has_break ? NEVER : technician->available;
    struct stop *end = &stops[route->count + 1];
    end->visit = NO_VISIT;
    end->late_ahead = end->slack_ahead = NOWAY; /* nobody comes home with the break ahead */
    end->late_behind = technician->latest_end;
    end->slack_behind = min_s(technician->shift_end, technician->latest_end);
    route->travel = route->load = 0;
    route->set = 0;
    bool fits = lay(in, technician, route, 1, route->count);
    for (uint32_t i = 1; i <= route->count; i++) {
        const struct node *node = &in->nodes[stops[i].visit];
        route->set += node->hash;
        route->load += node->load;
        route->travel += stops[i].leg;
    }
    route->travel += end->leg;
    return fits && route->travel <= technician->travel_max && route->load <= technician->capacity;
}

/* Earliest departures from stop `first` on; beyond `last` only as far as they move. False as soon
 * as a window, the break or the end is lost. */
static bool forward(const struct instance *in, const struct technician *technician,
                    struct route *route, uint32_t first, uint32_t last)
{
    struct stop *stop = &route->stops[first];
    for (uint32_t i = first; i <= route->count; i++, stop++) {
        const struct node *node = &in->nodes[stop->visit];
        int32_t late =
            min_s(stop[-1].behind + stop->leg, rested(technician, stop[-1].ahead, stop->leg));
        int32_t ahead = node_leave(in, node, stop[-1].ahead + stop->leg);
        int32_t behind = node_leave(in, node, late);
        if (i > last && ahead == stop->ahead && behind == stop->behind) return true;
        if (min_s(ahead, behind) >= NEVER) return false;
        stop->ahead = ahead;
        stop->behind = behind;
    }
    route->end = min_s(stop[-1].behind + stop->leg, rested(technician, stop[-1].ahead, stop->leg));
    return route->end <= technician->latest_end;
}

/* The latest arrivals at `stop` given those of the one after it, which is `leg` away. */
static void latest(const struct instance *in, const struct technician *technician,
                   const struct node *node, int32_t leg, int32_t next_ahead, int32_t next_behind,
                   int32_t *ahead, int32_t *behind)
{
    *behind = node_latest(in, node, next_behind - leg);
    int32_t leave = next_ahead - leg;
    int32_t after_break = next_behind - technician->break_length;
    if (after_break >= technician->break_earliest)
        leave = max_s(leave, min_s(technician->break_latest, after_break - leg));
    *ahead = node_latest(in, node, leave);
}

/* Latest arrivals from stop `last` back; before `first` only as far as they move. */
static void backward(const struct instance *in, const struct technician *technician,
                     struct route *route, uint32_t first, uint32_t last)
{
    bool overtime = technician->latest_end > technician->shift_end;
    for (uint32_t i = last; i > 0; i--) {
        struct stop *stop = &route->stops[i];
        const struct stop *next = stop + 1, before = *stop;
        const struct node *node = &in->nodes[stop->visit];
        latest(in, technician, node, next->leg, next->late_ahead, next->late_behind,
               &stop->late_ahead, &stop->late_behind);
        stop->slack_ahead = stop->late_ahead;
        stop->slack_behind = stop->late_behind;
        if (overtime)
            latest(in, technician, node, next->leg, next->slack_ahead, next->slack_behind,
                   &stop->slack_ahead, &stop->slack_behind);
        if (i < first && stop->late_ahead == before.late_ahead &&
            stop->late_behind == before.late_behind && stop->slack_ahead == before.slack_ahead &&
            stop->slack_behind == before.slack_behind)
            return;
    }
}

void route_starts(const struct instance *in, uint32_t technician, const struct route *route,
                  int32_t *starts)
{
    const struct technician *who = &in->technicians[technician];
    const struct stop *stops = route->stops;
    bool behind = true;
    for (uint32_t i = route->count + 1; i > 0; i--) {
        int32_t after = rested(who, stops[i - 1].ahead, stops[i].leg);
        bool here = behind && after < stops[i - 1].behind + stops[i].leg;
        int32_t arrival = (behind ? stops[i - 1].behind : stops[i - 1].ahead) + stops[i].leg;
        if (here) {
            behind = false;
            arrival = after;
        }
        if (i > route->count) continue;
        const struct node *node = &in->nodes[stops[i].visit];
        starts[i - 1] = node_leave(in, node, arrival) - node->service;
    }
}

static int32_t overtime_price(const struct instance *in, int32_t overtime)
{
    return part_price(policy_overtime_price_s(&in->policy, overtime));
}

/* What depends on when each stop starts: moving what was told, and soft starts. */
static int32_t starts_price(const struct instance *in, uint32_t technician, struct route *route)
{
    int32_t starts[ROUTE_MAX];
    int64_t moved_price = 0, soft_price = 0;
    route_starts(in, technician, route, starts);
    for (uint32_t i = 0; i < route->count; i++) {
        uint32_t visit = route->stops[i + 1].visit;
        const struct node *node = &in->nodes[visit];
        int32_t shift = starts[i] - node->planned;
        if (max_s(shift, -shift) > in->tolerance) moved_price += node->change_start;
        if (node->soft) soft_price += instance_start_price(in, visit, starts[i]);
    }
    route->soft_price = part_price(soft_price);
    return part_price(moved_price) + route->soft_price;
}

static int32_t visits_price(const struct instance *in, uint32_t technician, struct route *route)
{
    int64_t price = 0;
    int32_t told = 0;
    route->soft = false;
    route->soft_price = 0;
    for (uint32_t i = 1; i <= route->count; i++) {
        const struct node *node = &in->nodes[route->stops[i].visit];
        price += instance_who_price(in, technician, route->stops[i].visit);
        told |= node->change_start;
        route->soft |= node->soft;
    }
    int32_t who_price = part_price(price);
    if (told == 0 && !route->soft) return who_price;
    return who_price + starts_price(in, technician, route);
}

static void price_route(const struct instance *in, uint32_t technician, struct route *route)
{
    int32_t over = route->end - in->technicians[technician].shift_end;
    route->overtime = route->count > 0 ? max_s(over, 0) : 0;
    route->overtime_price = route->overtime > 0 ? overtime_price(in, route->overtime) : 0;
    route->cost = instance_travel_price(in, route->travel) + route->overtime_price +
                  visits_price(in, technician, route);
}

bool route_refresh(const struct instance *in, uint32_t technician, struct route *route)
{
    const struct technician *who = &in->technicians[technician];
    bool fits = lay_all(in, who, route);
    if (route->count == 0) /* going home is always allowed, and needs no break */
        route->end = who->available + route->travel;
    else if (!fits || !forward(in, who, route, 1, route->count))
        return false;
    backward(in, who, route, 1, route->count);
    price_route(in, technician, route);
    return true;
}

/* Brings a route up to date in which the visits of stops first .. last (none: last is first - 1)
 * stand where legs of `legs` seconds in all were. Load and set are the caller's. False, as
 * route_refresh, if some rule does not hold. */
static bool mend(const struct instance *in, uint32_t technician, struct route *route,
                 uint32_t first, uint32_t last, int32_t legs)
{
    const struct technician *who = &in->technicians[technician];
    bool fits = lay(in, who, route, first, last);
    for (uint32_t i = first; i <= last + 1; i++)
        legs -= route->stops[i].leg;
    route->travel -= legs;
    if (!fits || route->travel > who->travel_max || route->load > who->capacity) return false;
    if (!forward(in, who, route, first, last)) return false;
    backward(in, who, route, first, last);
    price_route(in, technician, route);
    return true;
}

/* --- plans --- */

bool route_same(const struct route *a, const struct route *b)
{
    if (a->set != b->set || a->count != b->count) return false;
    for (uint32_t i = 1; i <= a->count; i++) {
        if (a->stops[i].visit != b->stops[i].visit) return false;
    }
    return true;
}

void route_copy(struct route *to, const struct route *from)
{
    memcpy(to, from, offsetof(struct route, stops) + sizeof *from->stops * (from->count + 2));
}

static void unserved_add(struct plan *plan, uint32_t visit)
{
    plan->route_of[visit] = NO_INDEX;
    plan->unserved_at[visit] = plan->unserved_count;
    plan->unserved[plan->unserved_count++] = (uint16_t)visit;
    plan->cost += plan->in->nodes[visit].price;
}

static void unserved_drop(struct plan *plan, uint32_t visit, uint32_t technician)
{
    uint32_t at = plan->unserved_at[visit];
    CHECK(plan->route_of[visit] == NO_INDEX && plan->unserved[at] == visit);
    uint16_t moved = plan->unserved[--plan->unserved_count];
    plan->unserved[at] = moved;
    plan->unserved_at[moved] = at;
    plan->route_of[visit] = technician;
    plan->cost -= plan->in->nodes[visit].price;
}

void plan_make(struct plan *plan, const struct instance *in, uint32_t *stamp_next,
               struct arena *arena)
{
    *plan = (struct plan){.in = in, .stamp_next = stamp_next};
    plan->routes = arena_need(arena, sizeof *plan->routes * (in->technician_count + 1));
    plan->route_of = arena_need(arena, sizeof *plan->route_of * (in->visit_count + 1));
    plan->stop_of = arena_need(arena, sizeof *plan->stop_of * (in->visit_count + 1));
    plan->unserved = arena_need(arena, sizeof *plan->unserved * (in->visit_count + 1));
    plan->unserved_at = arena_need(arena, sizeof *plan->unserved_at * (in->visit_count + 1));
    for (uint32_t t = 0; t < in->technician_count; t++) {
        CHECK(route_refresh(in, t, &plan->routes[t]));
        plan->routes[t].stamp = ++*stamp_next;
        plan->cost += plan->routes[t].cost;
    }
    for (uint32_t v = 0; v < in->visit_count; v++)
        unserved_add(plan, v);
}

void plan_copy(struct plan *to, const struct plan *from)
{
    const struct instance *in = from->in;
    CHECK(to->in == in);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (to->routes[t].stamp != from->routes[t].stamp)
            route_copy(&to->routes[t], &from->routes[t]);
    }
    memcpy(to->route_of, from->route_of, sizeof *to->route_of * in->visit_count);
    memcpy(to->stop_of, from->stop_of, sizeof *to->stop_of * in->visit_count);
    memcpy(to->unserved, from->unserved, sizeof *to->unserved * from->unserved_count);
    memcpy(to->unserved_at, from->unserved_at, sizeof *to->unserved_at * in->visit_count);
    to->unserved_count = from->unserved_count;
    to->cost = from->cost;
}

void plan_copy_route(struct plan *to, const struct plan *from, uint32_t technician)
{
    const struct route *route = &from->routes[technician];
    if (to->routes[technician].stamp == route->stamp) return;
    route_copy(&to->routes[technician], route);
    for (uint32_t i = 1; i <= route->count; i++) {
        to->route_of[route->stops[i].visit] = technician;
        to->stop_of[route->stops[i].visit] = (uint16_t)i;
    }
}

void plan_copy_unserved(struct plan *to, const struct plan *from)
{
    for (uint32_t i = 0; i < from->unserved_count; i++) {
        uint32_t visit = from->unserved[i];
        to->unserved[i] = (uint16_t)visit;
        to->unserved_at[visit] = i;
        to->route_of[visit] = NO_INDEX;
    }
    to->unserved_count = from->unserved_count;
    to->cost = from->cost;
}

/* The visits from stop `at` on stand where they stand now. */
static void number_stops(struct plan *plan, const struct route *route, uint32_t at)
{
    for (uint32_t i = at; i <= route->count; i++)
        plan->stop_of[route->stops[i].visit] = (uint16_t)i;
}

/* The visit of stop `at` is new. */
static void refresh_put(const struct instance *in, uint32_t technician, struct route *route,
                        uint32_t at)
{
    struct stop *stop = &route->stops[at];
    const struct node *node = &in->nodes[stop->visit];
    route->load += node->load;
    route->set += node->hash;
    if (!in->plain) {
        CHECK(mend(in, technician, route, at, at, stop[1].leg));
        return;
    }
    stop->ahead = NEVER;
    stop->late_ahead = stop->slack_ahead = NOWAY;
    plain_mend(in, technician, route, at, at, stop[1].leg);
}

void plan_put(struct plan *plan, uint32_t visit, uint32_t technician, uint32_t at)
{
    struct route *route = &plan->routes[technician];
    CHECK(at >= 1 && at <= route->count + 1 && route->count < plan->in->route_max);
    memmove(&route->stops[at + 1], &route->stops[at],
            sizeof *route->stops * (route->count + 2 - at));
    route->stops[at].visit = (uint16_t)visit;
    route->count++;
    unserved_drop(plan, visit, technician);
    plan->cost -= route->cost;
    refresh_put(plan->in, technician, route, at);
    plan->cost += route->cost;
    route->stamp = ++*plan->stamp_next;
    number_stops(plan, route, at);
}

/* Does the technician come from stop `at` - 1 straight to stop `at` + `count`, by all rules? */
static bool closes(const struct instance *in, uint32_t technician, const struct route *route,
                   uint32_t at, uint32_t count, int32_t leg, int32_t legs)
{
    const struct stop *before = &route->stops[at - 1], *rest = before + 1 + count;
    const struct technician *who = &in->technicians[technician];
    if (count == route->count) return true;
    if (in->plain) return before->behind + leg <= rest->late_behind;
    if (leg > who->leg_max || route->travel + leg - legs > who->travel_max) return false;
    return fits_before(who, rest, (struct leaving){before->ahead, before->behind}, leg) != FITS_NOT;
}

/* As plan_take_run; the books are the caller's. */
static bool take_run(const struct instance *in, uint32_t technician, struct route *route,
                     uint32_t at, uint32_t count)
{
    struct stop *first = &route->stops[at], *rest = first + count;
    int32_t legs = rest->leg;
    for (const struct stop *stop = first; stop < rest; stop++)
        legs += stop->leg;
    int32_t leg = instance_travel(in, first[-1].place, rest->place);
    if (!closes(in, technician, route, at, count, leg, legs)) return false;
    for (const struct stop *stop = first; stop < rest; stop++) {
        route->load -= in->nodes[stop->visit].load;
        route->set -= in->nodes[stop->visit].hash;
    }
    memmove(first, rest, sizeof *first * (route->count + 2 - at - count));
    route->count -= count;
    if (in->plain)
        plain_mend(in, technician, route, at, at - 1, legs);
    else if (route->count == 0)
        CHECK(route_refresh(in, technician, route));
    else
        CHECK(mend(in, technician, route, at, at - 1, legs));
    return true;
}

bool plan_take_run(struct plan *plan, uint32_t technician, uint32_t at, uint32_t count)
{
    const struct instance *in = plan->in;
    struct route *route = &plan->routes[technician];
    CHECK(at > in->technicians[technician].frozen && at + count <= route->count + 1);
    int32_t cost = route->cost;
    uint16_t visits[ROUTE_MAX];
    for (uint32_t i = 0; i < count; i++)
        visits[i] = route->stops[at + i].visit;
    if (!take_run(in, technician, route, at, count)) return false;
    route->stamp = ++*plan->stamp_next;
    plan->cost += route->cost - cost;
    for (uint32_t i = 0; i < count; i++)
        unserved_add(plan, visits[i]);
    number_stops(plan, route, at);
    return true;
}

bool plan_take(struct plan *plan, uint32_t visit)
{
    return plan_take_run(plan, plan->route_of[visit], plan_stop_of(plan, visit), 1);
}

void plan_restore_route(struct plan *plan, uint32_t technician, const struct route *route)
{
    plan->cost += route->cost - plan->routes[technician].cost;
    route_copy(&plan->routes[technician], route);
    number_stops(plan, route, 1);
}

void plan_restore_visit(struct plan *plan, uint32_t visit, uint32_t technician)
{
    if (plan->route_of[visit] != NO_INDEX && technician == NO_INDEX)
        unserved_add(plan, visit);
    else if (plan->route_of[visit] == NO_INDEX && technician != NO_INDEX)
        unserved_drop(plan, visit, technician);
    else
        plan->route_of[visit] = technician;
}

bool plan_set_route(struct plan *plan, uint32_t technician, const uint16_t *visits, uint32_t count)
{
    struct route *route = &plan->routes[technician], wanted;
    if (count > plan->in->route_max) return false;
    wanted.count = count;
    for (uint32_t i = 0; i < count; i++)
        wanted.stops[i + 1].visit = visits[i];
    if (!route_refresh(plan->in, technician, &wanted)) return false;
    for (uint32_t i = 1; i <= route->count; i++)
        unserved_add(plan, route->stops[i].visit);
    for (uint32_t i = 0; i < count; i++)
        unserved_drop(plan, visits[i], technician);
    plan->cost += wanted.cost - route->cost;
    wanted.stamp = ++*plan->stamp_next;
    route_copy(route, &wanted);
    number_stops(plan, route, 1);
    return true;
}

/* --- scan --- */

/* When the technician is home if he leaves for `next` like this. */
static int32_t end_after(const struct instance *in, const struct technician *technician,
                         const struct stop *next, struct leaving from, int32_t leg)
{
    for (; next->visit != NO_VISIT; leg = (++next)->leg)
        from = leaving_after(in, technician, &in->nodes[next->visit], from, leg);
    return min_s(from.behind + leg, rested(technician, from.ahead, leg));
}

/* Behind a frozen visit nothing new starts within the freeze, save an emergency. */
static bool kept_out(const struct technician *technician, const struct node *node, uint32_t rank)
{
    return technician->frozen > 0 && !node->emergency && node->home != rank;
}

bool route_has_room(const struct instance *in, const struct route *route, uint32_t technician,
                    uint32_t visit)
{
    return route->count < in->route_max &&
           in->nodes[visit].load <= in->technicians[technician].capacity - route->load;
}

/* The price of all soft starts if `visit` stood before stop `at`. */
static int32_t soft_price_with(const struct instance *in, const struct route *route,
                               uint32_t technician, uint32_t visit, uint32_t at)
{
    struct route trial;
    trial.count = route->count + 1;
    const struct technician *who = &in->technicians[technician];
    for (uint32_t i = 1; i <= trial.count; i++)
        trial.stops[i].visit = i == at ? (uint16_t)visit : route->stops[i < at ? i : i - 1].visit;
    (void)lay_all(in, who, &trial);
    CHECK(forward(in, who, &trial, 1, trial.count));
    starts_price(in, technician, &trial);
    return trial.soft_price;
}

/* One visit asked for in one route: what is the same for all places. */
struct question {
    const struct instance *in;
    const struct route *route;
    const struct technician *who;
    const struct node *node;
    const int32_t *to_visit, *from_visit; /* travel, by place */
    uint32_t technician, visit;
    int32_t fixed; /* who serves it, less what is counted again: overtime and soft starts */
    bool weighted; /* travel has a price of its own */
    bool watch;    /* the freeze may keep it out */
    bool soft;
};

static struct question question(const struct instance *in, const struct route *route,
                                uint32_t technician, uint32_t visit)
{
    const struct technician *who = &in->technicians[technician];
    const struct node *node = &in->nodes[visit];
    return (struct question){
        .in = in,
        .route = route,
        .who = who,
        .node = node,
        .to_visit = in->into + (size_t)node->place * in->stride,
        .from_visit = in->from + (size_t)node->place * in->stride,
        .technician = technician,
        .visit = visit,
        .fixed =
            instance_who_price(in, technician, visit) - route->overtime_price - route->soft_price,
        .weighted = in->policy.travel_price_percent != 100,
        .watch = kept_out(who, node, technician),
        .soft = node->soft || route->soft,
    };
}

static struct detour detour_at(const struct question *q, uint32_t at)
{
    const struct stop *stops = q->route->stops;
    return (struct detour){q->to_visit[stops[at - 1].place], q->from_visit[stops[at].place]};
}

static int32_t detour_price(const struct question *q, int32_t longer)
{
    return instance_travel_price(q->in, q->route->travel + longer) -
           instance_travel_price(q->in, q->route->travel);
}

/* What the place costs at least: all but overtime and soft starts. */
static inline int32_t bound(const struct question *q, uint32_t at, struct detour detour)
{
    int32_t longer = detour.there + detour.on - q->route->stops[at].leg;
    return q->fixed + (q->weighted ? detour_price(q, longer) : longer);
}

/* See route_probe; `cost` is its bound. */
static int32_t probe(const struct question *q, uint32_t at, struct detour detour, int32_t cost,
                     int32_t below)
{
    const struct stop *before = &q->route->stops[at - 1], *next = before + 1;
    int32_t there = detour.there, on = detour.on;
    struct leaving left = leaving_after(q->in, q->who, q->node,
                                        (struct leaving){before->ahead, before->behind}, there);
    enum fit fit = fits_before(q->who, next, left, on);
    if (fit == FITS_NOT) return INT32_MAX;
    if (there + on - next->leg > q->who->travel_max - q->route->travel ||
        max_s(there, on) > q->who->leg_max)
        return INT32_MAX;
    if (q->watch && min_s(left.ahead, left.behind) - q->node->service < q->in->frozen_until)
        return INT32_MAX;
    if (fit == FITS_LATE) {
        int32_t over = end_after(q->in, q->who, next, left, on) - q->who->shift_end;
        cost += overtime_price(q->in, max_s(over, 0));
    }
    if (q->soft && cost < below)
        cost += soft_price_with(q->in, q->route, q->technician, q->visit, at);
    return cost < below ? cost : INT32_MAX;
}

int32_t route_probe(const struct instance *in, const struct route *route, uint32_t technician,
                    uint32_t visit, uint32_t at, struct detour detour, int32_t below)
{
    const struct stop *before = &route->stops[at - 1];
    if (in->plain)
        return plain_probe(before, before + 1, &in->nodes[visit], detour.there, detour.on, below);
    struct question q = question(in, route, technician, visit);
    int32_t cost = bound(&q, at, detour);
    return cost < below ? probe(&q, at, detour, cost, below) : INT32_MAX;
}

struct spot route_scan_below(const struct instance *in, const struct route *route,
                             uint32_t technician, uint32_t visit, int32_t below)
{
    struct spot best = {NO_INDEX, 0, below};
    if (!route_has_room(in, route, technician, visit)) return best;
    if (in->plain) return plain_scan(in, route, technician, visit, below);
    struct question q = question(in, route, technician, visit);
    const struct stop *stops = route->stops;
    uint32_t at = q.who->frozen + 1;
    int32_t leaves = q.node->open + q.node->service; /* no earlier */
    while (at <= route->count && max_s(stops[at].late_ahead, stops[at].late_behind) < leaves)
        at++;
    for (; at <= route->count + 1; at++) {
        if (min_s(stops[at - 1].ahead, stops[at - 1].behind) > q.node->last_close) break;
        struct detour detour = detour_at(&q, at);
        int32_t cost = bound(&q, at, detour);
        if (cost < best.cost) cost = probe(&q, at, detour, cost, best.cost);
        if (cost < best.cost) best = (struct spot){technician, at, cost};
    }
    return best;
}

struct spot route_scan(const struct instance *in, const struct route *route, uint32_t technician,
                       uint32_t visit)
{
    return route_scan_below(in, route, technician, visit, INT32_MAX);
}

uint32_t route_frozen_out(const struct instance *in, uint32_t technician, const struct route *route)
{
    const struct technician *who = &in->technicians[technician];
    if (who->frozen == 0 || route->count <= who->frozen) return NO_INDEX;
    int32_t starts[ROUTE_MAX];
    route_starts(in, technician, route, starts);
    for (uint32_t i = who->frozen; i < route->count; i++) {
        const struct node *node = &in->nodes[route->stops[i + 1].visit];
        if (starts[i] >= in->frozen_until) return NO_INDEX;
        if (kept_out(who, node, technician)) return route->stops[i + 1].visit;
    }
    return NO_INDEX;
}

/* --- pins --- */

static bool is_reordered(const struct instance *in, uint32_t technician, const struct route *route)
{
    uint32_t last = NO_INDEX;
    for (uint32_t i = 1; i <= route->count; i++) {
        uint32_t visit = route->stops[i].visit;
        if (in->nodes[visit].home != technician || !node_placed(&in->nodes[visit])) continue;
        if (last != NO_INDEX && instance_before(in, visit, last)) return true;
        last = visit;
    }
    return false;
}

bool route_keeps_order(const struct instance *in, uint32_t technician, const struct route *route)
{
    enum placed_order order = in->technicians[technician].order;
    if (order == ORDER_FREE || !is_reordered(in, technician, route)) return true;
    if (order == ORDER_FIXED) return false;
    int32_t starts[ROUTE_MAX];
    route_starts(in, technician, route, starts);
    for (uint32_t i = 0; i < route->count; i++) {
        const struct node *node = &in->nodes[route->stops[i + 1].visit];
        if (node->stretched > 0 && starts[i] > node->last_close - node->stretched) return false;
    }
    return true;
}

bool plan_keeps_pins(const struct plan *plan, const struct plan *before)
{
    const struct node *nodes = plan->in->nodes;
    int64_t more = 0;
    for (uint32_t i = 0; i < plan->unserved_count; i++) {
        uint32_t visit = plan->unserved[i];
        more += nodes[visit].pinned != NO_INDEX;
        if (node_placed(&nodes[visit]) && before->route_of[visit] != NO_INDEX) return false;
    }
    for (uint32_t i = 0; i < before->unserved_count; i++)
        more -= nodes[before->unserved[i]].pinned != NO_INDEX;
    return more <= 0;
}

/* --- check --- */

static void check_stop(const struct stop *now, const struct stop *then)
{
    CHECK(now->place == then->place && now->leg == then->leg);
    CHECK(now->ahead == then->ahead && now->behind == then->behind);
    CHECK(now->late_ahead == then->late_ahead && now->late_behind == then->late_behind);
    CHECK(now->slack_ahead == then->slack_ahead && now->slack_behind == then->slack_behind);
}

static void check_route(const struct route *now, const struct route *then)
{
    CHECK(now->cost == then->cost && now->set == then->set && now->load == then->load);
    CHECK(now->travel == then->travel && now->end == then->end);
    CHECK(now->overtime == then->overtime && now->soft_price == then->soft_price);
}

void plan_check(const struct plan *plan)
{
    const struct instance *in = plan->in;
    int64_t cost = 0;
    uint32_t served = 0;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        struct route again;
        route_copy(&again, &plan->routes[t]);
        CHECK(route_refresh(in, t, &again));
        check_route(&plan->routes[t], &again);
        cost += again.cost;
        served += again.count;
        CHECK(again.count >= in->technicians[t].frozen);
        for (uint32_t i = 1; i <= again.count; i++) {
            uint32_t visit = again.stops[i].visit;
            CHECK(plan->route_of[visit] == t && instance_allows(in, t, visit));
            CHECK(plan->stop_of[visit] == i);
            check_stop(&plan->routes[t].stops[i], &again.stops[i]);
            CHECK(in->nodes[visit].frozen == (i <= in->technicians[t].frozen));
        }
    }
    CHECK(served + plan->unserved_count == in->visit_count);
    for (uint32_t i = 0; i < plan->unserved_count; i++) {
        CHECK(plan->route_of[plan->unserved[i]] == NO_INDEX);
        cost += in->nodes[plan->unserved[i]].price;
    }
    CHECK(cost == plan->cost);
}
