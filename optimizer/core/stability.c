#include "optimizer/core/stability.h"

enum {
    /* The dispatcher counts in microseconds, and keeps starts that move by less than a minute. */
    MARGIN_S = 120,
    /* Where no change is left one costs more than it could save of travel, so that a search does
     * not look for what will not hold; and less than to leave somebody out. */
    NONE_LEFT_PRICE_S = 1800,
};

static bool published_holds(const struct instance *in, uint32_t technician,
                            const struct published *published)
{
    const uint32_t *starts_at = published->starts + technician;
    struct route route = {.count = 0};
    for (uint32_t i = starts_at[0]; i < starts_at[1] && route.count < ROUTE_MAX; i++)
        route.stops[++route.count].visit = published->visits[i];
    return route.count == 0 || route_refresh(in, technician, &route);
}

static void time_untouched(const struct instance *in, uint32_t technician,
                           struct stability *stability)
{
    const uint32_t *starts_at = stability->published.starts + technician;
    struct route route = {.count = 0};
    int32_t starts[ROUTE_MAX];
    for (uint32_t i = starts_at[0]; i < starts_at[1] && route.count < ROUTE_MAX; i++)
        route.stops[++route.count].visit = stability->published.visits[i];
    bool fits = route.count > 0 && route_refresh(in, technician, &route);
    if (fits) route_starts(in, technician, &route, starts);
    for (uint32_t i = 0; i < route.count; i++) {
        uint32_t visit = route.stops[i + 1].visit;
        stability->untouched[visit] = fits ? starts[i] : in->nodes[visit].planned;
    }
}

static void limit_hands(struct instance *in, struct stability *stability)
{
    stability->hands_max = in->hands_left;
    for (uint32_t t = 0; t < in->technician_count; t++)
        stability->excused[t] = !published_holds(in, t, &stability->published);
    for (uint32_t v = 0; v < in->visit_count && in->hands_left == 0; v++) {
        struct node *node = &in->nodes[v];
        if (node->home == NO_INDEX || node->changed_hands || stability->excused[node->home])
            continue;
        if (node->change_technician < NONE_LEFT_PRICE_S)
            node->change_technician = NONE_LEFT_PRICE_S;
    }
}

void stability_build(struct instance *in, const struct published *published, struct arena *arena)
{
    bool limited = in->hands_left != UNLIMITED;
    for (uint32_t t = 0; t < in->technician_count; t++)
        limited |= in->technicians[t].changes_left != UNLIMITED;
    if (!limited) return;
    struct stability *stability = arena_need(arena, sizeof *stability);
    *stability = (struct stability){.published = *published};
    stability->untouched = arena_need(arena, sizeof *stability->untouched * (in->visit_count + 1));
    stability->broken = arena_need(arena, in->technician_count + 1);
    stability->excused = arena_need(arena, in->technician_count + 1);
    if (in->hands_left != UNLIMITED) limit_hands(in, stability);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (in->technicians[t].changes_left != UNLIMITED) time_untouched(in, t, stability);
    }
    in->stability = stability;
}

static bool moved(const struct instance *in, uint32_t visit, int32_t start)
{
    int32_t from_told = start - in->nodes[visit].planned;
    int32_t from_untouched = start - in->stability->untouched[visit];
    int32_t most = in->tolerance > MARGIN_S ? in->tolerance - MARGIN_S : 0;
    return (from_told > most || from_told < -most) &&
           (from_untouched > most || from_untouched < -most);
}

static bool gives_up(const struct instance *in, uint32_t visit)
{
    uint32_t home = in->nodes[visit].home;
    return home != NO_INDEX && in->stability->broken[home];
}

bool stability_holds(const struct plan *plan, uint32_t technician)
{
    const struct instance *in = plan->in;
    if (in->stability == NULL) return true;
    const struct route *route = &plan->routes[technician];
    const uint32_t *starts_at = in->stability->published.starts + technician;
    int32_t left = in->technicians[technician].changes_left, changes = 0;
    int32_t starts[ROUTE_MAX];
    if (route->count > 0) route_starts(in, technician, route, starts);
    for (uint32_t i = 0; i < route->count; i++) {
        uint32_t visit = route->stops[i + 1].visit;
        uint32_t home = in->nodes[visit].home;
        if (home != technician && gives_up(in, visit)) return false;
        if (home != technician && in->nodes[visit].emergency) left = UNLIMITED;
        if (left == UNLIMITED) continue;
        changes += home == technician ? moved(in, visit, starts[i]) : home != NO_INDEX;
    }
    if (left == UNLIMITED) return true;
    for (uint32_t i = starts_at[0]; i < starts_at[1]; i++)
        changes += plan->route_of[in->stability->published.visits[i]] != technician;
    return changes <= left;
}

/* Does an emergency come to him that he did not have? */
static bool takes_emergency(const struct plan *plan, uint32_t technician)
{
    const struct route *route = &plan->routes[technician];
    for (uint32_t i = 1; i <= route->count; i++) {
        const struct node *node = &plan->in->nodes[route->stops[i].visit];
        if (node->emergency && node->home != technician) return true;
    }
    return false;
}

static int32_t hands_changed(const struct plan *plan)
{
    const struct instance *in = plan->in;
    int32_t count = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        const struct node *node = &in->nodes[v];
        uint32_t now = plan->route_of[v];
        if (node->home == NO_INDEX || node->home == now || node->changed_hands) continue;
        if (in->stability->excused[node->home] || !instance_allows(in, node->home, v)) continue;
        if (takes_emergency(plan, node->home)) continue;
        count += now == NO_INDEX || !takes_emergency(plan, now);
    }
    return count;
}

bool stability_holds_hands(const struct plan *plan)
{
    const struct instance *in = plan->in;
    return in->hands_left == UNLIMITED || hands_changed(plan) <= in->stability->hands_max;
}

static bool all_hold(const struct plan *plan)
{
    bool hold = stability_holds_hands(plan);
    for (uint32_t t = 0; t < plan->in->technician_count; t++)
        hold = hold && stability_holds(plan, t);
    return hold;
}

/* The cheapest place at which the limits hold as well. */
static void insert_within(struct plan *plan, uint32_t visit)
{
    const struct instance *in = plan->in;
    struct spot best = {NO_INDEX, 0, in->nodes[visit].price};
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (!instance_allows(in, t, visit)) continue;
        struct spot spot = route_scan(in, &plan->routes[t], t, visit);
        if (spot.technician == NO_INDEX || spot.cost >= best.cost) continue;
        plan_put(plan, visit, t, spot.at);
        if (stability_holds(plan, t) && stability_holds_hands(plan)) best = spot;
        if (!plan_take(plan, visit)) return;
    }
    if (best.technician != NO_INDEX) plan_put(plan, visit, best.technician, best.at);
}

void stability_repair(struct plan *plan, struct arena *scratch)
{
    const struct instance *in = plan->in;
    if (in->stability == NULL || all_hold(plan)) return;
    for (uint32_t t = 0; t < in->technician_count; t++)
        (void)plan_set_route(plan, t, NULL, 0);
    repair_take_over(plan, scratch);
    for (uint32_t t = 0; t < in->technician_count; t++)
        in->stability->broken[t] = !stability_holds(plan, t);
    int32_t hands = in->hands_left == UNLIMITED ? 0 : hands_changed(plan);
    if (hands > in->stability->hands_max) in->stability->hands_max = hands;
    uint32_t count = plan->unserved_count;
    uint16_t *unserved = arena_need(scratch, sizeof *unserved * (count + 1));
    for (uint32_t i = 0; i < count; i++) { /* dearest first, then in order of id */
        uint32_t at = i;
        uint16_t visit = plan->unserved[i];
        for (; at > 0; at--) {
            int32_t before = in->nodes[unserved[at - 1]].price, price = in->nodes[visit].price;
            if (before > price || (before == price && unserved[at - 1] < visit)) break;
            unserved[at] = unserved[at - 1];
        }
        unserved[at] = visit;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!gives_up(in, unserved[i])) insert_within(plan, unserved[i]);
    }
    repair_freeze(plan);
}
