#include "optimizer/core/repair.h"

#include "base/check.h"
#include "optimizer/core/stability.h"

#include <stddef.h>

enum { REGRET_MAX = 64, EJECT_KEPT = 16, EJECT_TRIALS = 6000 };

/* --- taking over --- */

struct published repair_published(const struct instance *in, struct arena *scratch)
{
    uint16_t *list = arena_need(scratch, sizeof *list * (in->visit_count + 1));
    uint32_t *starts = arena_need(scratch, sizeof *starts * (in->technician_count + 2));
    for (uint32_t v = 0; v < in->visit_count; v++) {
        uint32_t home = in->nodes[v].home;
        if (home != NO_INDEX) starts[home + 2]++;
    }
    for (uint32_t t = 0; t < in->technician_count; t++)
        starts[t + 2] += starts[t + 1];
    for (uint32_t v = 0; v < in->visit_count; v++) {
        uint32_t home = in->nodes[v].home;
        if (home != NO_INDEX) list[starts[home + 1]++] = (uint16_t)v;
    }
    for (uint32_t t = 0; t < in->technician_count; t++) {
        for (uint32_t i = starts[t] + 1; i < starts[t + 1]; i++) {
            uint16_t visit = list[i];
            uint32_t at = i;
            for (; at > starts[t] && instance_before(in, visit, list[at - 1]); at--)
                list[at] = list[at - 1];
            list[at] = visit;
        }
    }
    return (struct published){list, starts};
}

static void erase(uint16_t *list, uint32_t *count, uint32_t at)
{
    (*count)--;
    for (uint32_t i = at; i < *count; i++)
        list[i] = list[i + 1];
}

/* Which one to drop so that the rest fits, at the least price; `count` if no single one helps. A
 * pinned one goes only when there is nothing else. */
static uint32_t one_to_drop(const struct plan *plan, uint32_t technician, const uint16_t *list,
                            uint32_t count, uint32_t frozen)
{
    const struct instance *in = plan->in;
    uint32_t best = count;
    int64_t best_price = INT64_MAX;
    bool movable = false;
    for (uint32_t i = frozen; i < count; i++)
        movable |= in->nodes[list[i]].pinned == NO_INDEX;
    for (uint32_t drop = frozen; drop < count; drop++) {
        if (movable && in->nodes[list[drop]].pinned != NO_INDEX) continue;
        struct route route;
        route.count = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (i != drop) route.stops[++route.count].visit = list[i];
        }
        if (!route_refresh(in, technician, &route)) continue;
        int64_t price = in->nodes[list[drop]].price + (int64_t)route.cost;
        if (price < best_price) {
            best = drop;
            best_price = price;
        }
    }
    return best;
}

/* The cheapest of those that stand before or at the first stop that does not fit. */
static uint32_t worst_of(const struct plan *plan, uint32_t technician, const uint16_t *list,
                         uint32_t count, uint32_t frozen)
{
    const struct instance *in = plan->in;
    struct route route;
    route.count = 0;
    uint32_t fits = 0;
    while (fits < count) {
        route.stops[++route.count].visit = list[fits];
        if (!route_refresh(in, technician, &route)) break;
        fits++;
    }
    uint32_t worst = frozen;
    for (uint32_t i = frozen + 1; i <= fits && i < count; i++) {
        if (in->nodes[list[i]].price <= in->nodes[list[worst]].price) worst = i;
    }
    /* Those who must stay fit together, and without triangles perhaps no beginning of them does. */
    for (uint32_t i = frozen; i < count && node_placed(&in->nodes[list[worst]]); i++) {
        if (!node_placed(&in->nodes[list[i]])) worst = i;
    }
    return worst;
}

static void take_over_route(struct plan *plan, uint32_t technician, uint16_t *list, uint32_t count)
{
    uint32_t frozen = plan->in->technicians[technician].frozen;
    while (count > 0 && !plan_set_route(plan, technician, list, count)) {
        CHECK(count > frozen);
        uint32_t drop = one_to_drop(plan, technician, list, count, frozen);
        if (drop == count) drop = worst_of(plan, technician, list, count, frozen);
        erase(list, &count, drop);
    }
}

void repair_take_over(struct plan *plan, struct arena *scratch)
{
    const struct instance *in = plan->in;
    struct published published = repair_published(in, scratch);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        uint16_t list[ROUTE_MAX];
        uint32_t count = 0;
        for (uint32_t i = published.starts[t]; i < published.starts[t + 1]; i++) {
            uint16_t visit = published.visits[i];
            if (count < in->route_max && instance_allows(in, t, visit)) list[count++] = visit;
        }
        take_over_route(plan, t, list, count);
    }
}

/* --- insertion --- */

static uint64_t mixed(uint64_t mark, int32_t a, int32_t b)
{
    mark ^= (uint64_t)(uint32_t)a << 32 | (uint32_t)b;
    return (mark ^ mark >> 29) * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t repair_mark(const struct instance *in, const struct route *route)
{
    uint64_t mark = route->count;
    for (uint32_t i = 0; i <= route->count; i++) {
        const struct stop *stop = &route->stops[i];
        if (i > 0) mark ^= in->nodes[stop->visit].hash;
        mark = mixed(mark, stop->ahead, stop->behind);
        mark = mixed(mark, route->stops[i + 1].late_ahead, route->stops[i + 1].late_behind);
    }
    return mark | 1;
}

/* May the technician serve it, and was it not tried in this very route? */
static bool worth_a_try(const struct plan *plan, uint32_t technician, uint32_t visit)
{
    const struct instance *in = plan->in;
    if (!instance_allows(in, technician, visit)) return false;
    return !in->nodes[visit].left_out ||
           in->technicians[technician].tried != repair_mark(in, &plan->routes[technician]);
}

struct choice {
    struct spot best;
    int32_t second; /* cost in the next best route; INT32_MAX: none */
    uint32_t second_technician;
};

static void choice_add(struct choice *choice, struct spot spot)
{
    if (spot.technician == NO_INDEX) return;
    if (spot.cost < choice->best.cost) {
        choice->second = choice->best.cost;
        choice->second_technician = choice->best.technician;
        choice->best = spot;
    } else if (spot.cost < choice->second) {
        choice->second = spot.cost;
        choice->second_technician = spot.technician;
    }
}

static struct choice choose(const struct plan *plan, uint32_t visit)
{
    const struct instance *in = plan->in;
    struct choice choice = {{NO_INDEX, 0, INT32_MAX}, INT32_MAX, NO_INDEX};
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (!worth_a_try(plan, t, visit)) continue;
        choice_add(&choice, route_scan(in, &plan->routes[t], t, visit));
    }
    return choice;
}

/* What it costs to pass the best place by: the dearest first. */
static int64_t regret(const struct choice *choice, int32_t price)
{
    if (choice->best.technician == NO_INDEX || choice->best.cost >= price) return -1;
    int32_t instead = choice->second < price ? choice->second : price;
    return (int64_t)instead - choice->best.cost;
}

static void insert_by_regret(struct plan *plan, struct arena *scratch)
{
    const struct instance *in = plan->in;
    uint32_t count = plan->unserved_count;
    struct choice *choices = arena_need(scratch, sizeof *choices * (in->visit_count + 1));
    for (uint32_t i = 0; i < count; i++)
        choices[plan->unserved[i]] = choose(plan, plan->unserved[i]);
    for (;;) {
        uint32_t next = NO_INDEX;
        int64_t most = -1;
        for (uint32_t i = 0; i < plan->unserved_count; i++) {
            uint32_t visit = plan->unserved[i];
            int64_t value = regret(&choices[visit], in->nodes[visit].price);
            if (value > most || (value == most && value >= 0 && visit < next)) {
                next = visit;
                most = value;
            }
        }
        if (next == NO_INDEX) return;
        uint32_t changed = choices[next].best.technician;
        plan_put(plan, next, changed, choices[next].best.at);
        for (uint32_t i = 0; i < plan->unserved_count; i++) {
            uint32_t visit = plan->unserved[i];
            struct choice *choice = &choices[visit];
            if (!instance_allows(in, changed, visit)) continue;
            if (choice->best.technician == changed || choice->second_technician == changed)
                *choice = choose(plan, visit);
            else
                choice_add(choice, route_scan(in, &plan->routes[changed], changed, visit));
        }
    }
}

/* The dearest first, then the one with the least room in time. */
static bool sooner(const struct instance *in, uint32_t a, uint32_t b)
{
    const struct node *left = &in->nodes[a], *right = &in->nodes[b];
    if (left->price != right->price) return left->price > right->price;
    int32_t left_room = left->last_close - left->open, right_room = right->last_close - right->open;
    if (left_room != right_room) return left_room < right_room;
    return a < b;
}

static void sift(const struct instance *in, uint16_t *heap, uint32_t at, uint32_t count)
{
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && sooner(in, heap[child], heap[child + 1])) child++;
        if (!sooner(in, heap[at], heap[child])) return;
        uint16_t swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
    }
}

/* Unserved visits, dearest first. */
static uint16_t *by_price(const struct plan *plan, uint32_t *count, struct arena *scratch)
{
    *count = plan->unserved_count;
    uint16_t *list = arena_need(scratch, sizeof *list * (*count + 1));
    for (uint32_t i = 0; i < *count; i++)
        list[i] = plan->unserved[i];
    for (uint32_t i = *count / 2; i-- > 0;)
        sift(plan->in, list, i, *count);
    for (uint32_t end = *count; end > 1;) {
        uint16_t last = list[--end];
        list[end] = list[0];
        list[0] = last;
        sift(plan->in, list, 0, end);
    }
    return list;
}

static void insert_by_price(struct plan *plan, struct arena *scratch)
{
    uint32_t count;
    uint16_t *list = by_price(plan, &count, scratch);
    for (uint32_t i = 0; i < count; i++) {
        struct choice choice = choose(plan, list[i]);
        if (choice.best.technician != NO_INDEX && choice.best.cost < plan->in->nodes[list[i]].price)
            plan_put(plan, list[i], choice.best.technician, choice.best.at);
    }
}

void repair_insert(struct plan *plan, struct arena *scratch)
{
    if (plan->unserved_count > REGRET_MAX)
        insert_by_price(plan, scratch);
    else
        insert_by_regret(plan, scratch);
}

/* --- ejection --- */

struct swap {
    uint32_t technician, out; /* this visit leaves his route ... */
    uint32_t at;              /* ... and the unserved one stands before this stop of the rest */
    int64_t cost;             /* of that route */
};

/* What a route is without one of its visits: asked for again by each unserved one. */
struct rests {
    uint32_t stamp;               /* of the route; 0: nothing is known yet */
    const struct route **without; /* by stop; NULL: the rest does not fit */
};

/* What is known of the plan as it is, so that nothing is worked out twice. */
struct ejection {
    struct plan *plan;
    struct arena *scratch;
    struct rests *rests;     /* by technician */
    struct spot *elsewhere;  /* by visit: its best place in another's route ... */
    uint32_t *elsewhere_for; /* ... of the plan with this stamp */
    uint32_t trials_left;
};

/* NULL if the rest does not fit. A route has room for many more stops than it has: only those in
 * use are there. */
static const struct route *route_without(const struct instance *in, uint32_t technician,
                                         const struct route *route, uint32_t stop,
                                         struct arena *scratch)
{
    struct route *rest = arena_need(scratch, offsetof(struct route, stops) +
                                                 sizeof *rest->stops * (route->count + 1));
    rest->count = route->count - 1;
    for (uint32_t i = 1; i <= rest->count; i++)
        rest->stops[i].visit = route->stops[i < stop ? i : i + 1].visit;
    return route_refresh(in, technician, rest) ? rest : NULL;
}

static const struct rests *rests_of(struct ejection *ejection, uint32_t technician)
{
    const struct instance *in = ejection->plan->in;
    const struct route *route = &ejection->plan->routes[technician];
    struct rests *rests = &ejection->rests[technician];
    if (rests->stamp == route->stamp) return rests;
    rests->stamp = route->stamp;
    rests->without = arena_need(ejection->scratch, sizeof(void *) * (route->count + 1));
    for (uint32_t i = in->technicians[technician].frozen + 1; i <= route->count; i++)
        rests->without[i] = route_without(in, technician, route, i, ejection->scratch);
    return rests;
}

/* What a swap must cost less than: the dearest of those kept, or leaving the visit out. */
static int64_t swap_below(const struct swap *kept, uint32_t count, int32_t price)
{
    if (count < EJECT_KEPT) return price;
    return kept[EJECT_KEPT - 1].cost < price ? kept[EJECT_KEPT - 1].cost : price;
}

/* Keeps the cheapest few, cheapest first; it is cheaper than the last of them. */
static void swap_keep(struct swap *kept, uint32_t *count, struct swap swap)
{
    if (*count < EJECT_KEPT) (*count)++;
    uint32_t at = *count - 1;
    for (; at > 0 && kept[at - 1].cost > swap.cost; at--)
        kept[at] = kept[at - 1];
    kept[at] = swap;
}

static uint32_t swaps_of(struct ejection *ejection, uint32_t visit, struct swap *kept)
{
    const struct plan *plan = ejection->plan;
    const struct instance *in = plan->in;
    uint32_t count = 0;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct route *route = &plan->routes[t];
        if (!worth_a_try(plan, t, visit)) continue;
        const struct rests *rests = rests_of(ejection, t);
        for (uint32_t i = in->technicians[t].frozen + 1; i <= route->count; i++) {
            if (ejection->trials_left == 0) return count;
            ejection->trials_left--;
            const struct route *rest = rests->without[i];
            if (rest == NULL) continue;
            int64_t saved = (int64_t)route->cost - rest->cost;
            int64_t below = swap_below(kept, count, in->nodes[visit].price) + saved;
            if (below > INT32_MAX) below = INT32_MAX;
            if (below < INT32_MIN) continue;
            struct spot spot = route_scan_below(in, rest, t, visit, (int32_t)below);
            if (spot.technician == NO_INDEX) continue;
            const struct swap swap = {t, route->stops[i].visit, spot.at, spot.cost - saved};
            swap_keep(kept, &count, swap);
        }
    }
    return count;
}

/* The best place of a served visit in another's route; where none is cheaper than leaving it out,
 * the price of that. */
static struct spot elsewhere(struct ejection *ejection, uint32_t visit)
{
    const struct plan *plan = ejection->plan;
    const struct instance *in = plan->in;
    struct spot *spot = &ejection->elsewhere[visit];
    if (ejection->elsewhere_for[visit] == *plan->stamp_next) return *spot;
    ejection->elsewhere_for[visit] = *plan->stamp_next;
    *spot = (struct spot){NO_INDEX, 0, in->nodes[visit].price};
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (t == plan->route_of[visit] || !instance_allows(in, t, visit)) continue;
        struct spot here = route_scan_below(in, &plan->routes[t], t, visit, spot->cost);
        if (here.technician != NO_INDEX) *spot = here;
    }
    return *spot;
}

/* Makes the best of the swaps if it pays; what left is served elsewhere or stays unserved. */
static void eject_for(struct ejection *ejection, uint32_t visit, const struct swap *kept,
                      uint32_t count)
{
    struct plan *plan = ejection->plan;
    const struct instance *in = plan->in;
    int64_t best_cost = in->nodes[visit].price;
    const struct swap *best = NULL;
    struct spot best_spot = {NO_INDEX, 0, 0};
    for (uint32_t i = 0; i < count && kept[i].cost < best_cost; i++) {
        struct spot spot = elsewhere(ejection, kept[i].out);
        int64_t cost = kept[i].cost + spot.cost;
        if (cost >= best_cost) continue;
        best_cost = cost;
        best = &kept[i];
        best_spot = spot;
    }
    if (best == NULL) return;
    if (!plan_take(plan, best->out)) return;
    plan_put(plan, visit, best->technician, best->at);
    if (best_spot.technician != NO_INDEX)
        plan_put(plan, best->out, best_spot.technician, best_spot.at);
}

void repair_eject(struct plan *plan, uint32_t trials_max, struct arena *scratch)
{
    const struct instance *in = plan->in;
    uint32_t count;
    const uint16_t *list = by_price(plan, &count, scratch);
    struct ejection ejection = {
        .plan = plan,
        .scratch = scratch,
        .rests = arena_need(scratch, sizeof *ejection.rests * (in->technician_count + 1)),
        .elsewhere = arena_need(scratch, sizeof *ejection.elsewhere * (in->visit_count + 1)),
        .elsewhere_for =
            arena_need(scratch, sizeof *ejection.elsewhere_for * (in->visit_count + 1)),
        .trials_left = trials_max,
    };
    for (uint32_t i = 0; i < count && ejection.trials_left > 0; i++) {
        if (plan->route_of[list[i]] != NO_INDEX) continue;
        struct swap kept[EJECT_KEPT];
        uint32_t found = swaps_of(&ejection, list[i], kept);
        eject_for(&ejection, list[i], kept, found);
    }
}

/* --- all --- */

void repair_keep_placed(struct plan *plan, uint32_t technician)
{
    const struct instance *in = plan->in;
    uint16_t list[ROUTE_MAX];
    uint32_t count = 0;
    for (uint32_t v = 0; v < in->visit_count && count < ROUTE_MAX; v++) {
        const struct node *node = &in->nodes[v];
        if (!node_placed(node) || node->home != technician) continue;
        uint32_t at = count++;
        for (; at > 0 && instance_before(in, v, list[at - 1]); at--)
            list[at] = list[at - 1];
        list[at] = (uint16_t)v;
    }
    CHECK(plan_set_route(plan, technician, list, count));
}

/* Where travel has no triangles, what goes may be what made the rest fit. */
void repair_freeze(struct plan *plan)
{
    for (uint32_t t = 0; t < plan->in->technician_count; t++) {
        uint32_t visit;
        while ((visit = route_frozen_out(plan->in, t, &plan->routes[t])) != NO_INDEX) {
            if (!plan_take(plan, visit)) repair_keep_placed(plan, t);
        }
    }
}

void repair(struct plan *plan, struct arena *scratch)
{
    repair_take_over(plan, scratch);
    repair_insert(plan, scratch);
    if (plan->unserved_count > 0) repair_eject(plan, EJECT_TRIALS, scratch);
    repair_freeze(plan);
    stability_repair(plan, scratch);
}
