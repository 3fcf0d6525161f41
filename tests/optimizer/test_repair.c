/* Who steps aside for whom in a day that is too full: what repair remembers from one question to
 * the next must answer as if everything were asked anew. */
#include "optimizer/core/repair.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { KEPT = 16 }; /* swaps that are looked at to their end */

struct aside {
    uint32_t technician, out, at;
    int64_t cost; /* of his route */
};

/* After those that cost as much. */
static void keep(struct aside *kept, uint32_t *count, struct aside aside)
{
    uint32_t at = (*count)++;
    for (; at > 0 && kept[at - 1].cost > aside.cost; at--)
        kept[at] = kept[at - 1];
    kept[at] = aside;
}

/* Every visit is taken out in turn, and put back. */
static uint32_t all_asides(struct plan *plan, uint32_t visit, struct aside *kept)
{
    const struct instance *in = plan->in;
    uint32_t count = 0;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        for (uint32_t at = in->technicians[t].frozen + 1; at <= plan->routes[t].count; at++) {
            struct route before;
            if (!instance_allows(in, t, visit)) continue;
            route_copy(&before, &plan->routes[t]);
            uint32_t out = before.stops[at].visit;
            if (!plan_take(plan, out)) continue;
            struct spot spot = route_scan(in, &plan->routes[t], t, visit);
            int64_t cost = (int64_t)plan->routes[t].cost - before.cost + spot.cost;
            plan_restore_route(plan, t, &before);
            plan_restore_visit(plan, out, t);
            if (spot.technician != NO_INDEX)
                keep(kept, &count, (struct aside){t, out, spot.at, cost});
        }
    }
    return count < KEPT ? count : KEPT;
}

static struct spot best_elsewhere(const struct plan *plan, uint32_t visit)
{
    const struct instance *in = plan->in;
    struct spot best = {NO_INDEX, 0, in->nodes[visit].price};
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (t == plan->route_of[visit] || !instance_allows(in, t, visit)) continue;
        struct spot spot = route_scan(in, &plan->routes[t], t, visit);
        if (spot.technician != NO_INDEX && spot.cost < best.cost) best = spot;
    }
    return best;
}

static bool slow_eject_for(struct plan *plan, uint32_t visit)
{
    struct aside kept[DAY_VISITS], best = {.out = NO_INDEX};
    struct spot best_spot = {NO_INDEX, 0, 0};
    int64_t best_cost = plan->in->nodes[visit].price;
    uint32_t count = all_asides(plan, visit, kept);
    for (uint32_t i = 0; i < count && kept[i].cost < best_cost; i++) {
        struct spot spot = best_elsewhere(plan, kept[i].out);
        if (kept[i].cost + spot.cost >= best_cost) continue;
        best_cost = kept[i].cost + spot.cost;
        best = kept[i];
        best_spot = spot;
    }
    if (best.out == NO_INDEX) return false;
    assert_true(plan_take(plan, best.out));
    plan_put(plan, visit, best.technician, best.at);
    if (best_spot.technician != NO_INDEX)
        plan_put(plan, best.out, best_spot.technician, best_spot.at);
    return true;
}

/* The dearest first, then who has the least room in time, then by rank. */
static uint32_t next_of(const struct plan *plan, const uint8_t *waiting)
{
    const struct node *nodes = plan->in->nodes;
    uint32_t next = NO_INDEX;
    for (uint32_t v = 0; v < plan->in->visit_count; v++) {
        if (!waiting[v]) continue;
        int32_t room = nodes[v].last_close - nodes[v].open;
        if (next == NO_INDEX || nodes[v].price > nodes[next].price ||
            (nodes[v].price == nodes[next].price &&
             room < nodes[next].last_close - nodes[next].open))
            next = v;
    }
    return next;
}

static uint32_t slow_eject(struct plan *plan)
{
    uint8_t waiting[DAY_VISITS] = {0};
    uint32_t next, swaps = 0;
    for (uint32_t i = 0; i < plan->unserved_count; i++)
        waiting[plan->unserved[i]] = 1;
    while ((next = next_of(plan, waiting)) != NO_INDEX) {
        waiting[next] = 0;
        if (plan->route_of[next] == NO_INDEX) swaps += slow_eject_for(plan, next);
    }
    return swaps;
}

static uint32_t eject_both_ways(uint64_t seed)
{
    struct random_day made;
    struct workday day;
    struct instance in;
    struct plan plan, slow;
    struct arena arena;
    uint32_t stamp = 0;
    random_day_make(&made, seed, 4, DAY_VISITS);
    if (seed % 3 == 0) random_rules(&made);
    if (seed % 2 == 0) random_loads(&made);
    if (seed % 3 == 1) random_plain(&made);
    workday_open(&day, seed % 2 == 0 ? &travel_any : &travel_straight, SERVICE_DAY);
    arena_open(&arena, 1 << 24);
    tell_all(&made, &day);
    instance_build(&in, &day, &arena);
    plan_make(&plan, &in, &stamp, &arena);
    plan_make(&slow, &in, &stamp, &arena);
    for (uint32_t v = 0; v < in.visit_count; v++) { /* whoever comes first, not the dearest */
        struct spot spot = best_elsewhere(&plan, v);
        if (spot.technician != NO_INDEX) plan_put(&plan, v, spot.technician, spot.at);
    }
    plan_copy(&slow, &plan);
    int64_t before = plan.cost;
    uint32_t swaps = slow_eject(&slow);
    repair_eject(&plan, UINT32_MAX, &arena);
    plan_check(&plan);
    assert_int_equal(plan.cost, slow.cost);
    assert_true(swaps > 0 ? plan.cost <= before : plan.cost == before);
    for (uint32_t v = 0; v < in.visit_count; v++)
        assert_int_equal(plan.route_of[v], slow.route_of[v]);
    arena_close(&arena);
    workday_close(&day);
    return swaps;
}

static void stepping_aside_is_exact(void **state)
{
    (void)state;
    uint32_t swaps = 0;
    for (uint64_t seed = 1; seed <= 150; seed++)
        swaps += eject_both_ways(seed);
    print_message("%u visits stepped aside\n", swaps);
    assert_true(swaps > 200);
}

/* A visit without a place, and the route that it just left. */
static bool left_out_beside(struct plan *plan, uint32_t *visit, uint32_t *technician)
{
    for (uint32_t v = 0; v < plan->in->visit_count; v++) {
        *technician = plan->route_of[v];
        *visit = v;
        if (*technician != NO_INDEX && plan_take(plan, v)) return true;
    }
    return false;
}

/* Both notes are gone with it. */
static void told_anew(const struct random_day *made, struct workday *day, struct instance *in,
                      uint32_t technician, uint32_t visit)
{
    struct visit_slot *visit_slot = &day->visits[in->nodes[visit].slot];
    struct technician_slot *slot = &day->technicians[in->technicians[technician].slot];
    visit_slot->left_out = true;
    slot->tried = in->technicians[technician].tried;
    tell_all(made, day);
    assert_false(visit_slot->left_out);
    assert_int_equal(slot->tried, 0);
}

/* Nobody is tried again in a route that is what it was when he was left out; but a route that has
 * changed in anything, a technician told anew, or a visit told anew, and he is. */
static void who_is_left_out_is_tried_where_something_changed(void **state)
{
    (void)state;
    uint32_t tried = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct random_day made;
        struct workday day;
        struct instance in;
        struct plan plan;
        struct arena arena;
        uint32_t stamp = 0, visit, technician;
        random_day_make(&made, seed, 1, 6);
        workday_open(&day, &travel_straight, SERVICE_DAY);
        arena_open(&arena, 1 << 24);
        tell_all(&made, &day);
        instance_build(&in, &day, &arena);
        plan_make(&plan, &in, &stamp, &arena);
        repair(&plan, &arena);
        if (left_out_beside(&plan, &visit, &technician)) {
            for (uint32_t i = 0; i < plan.unserved_count; i++)
                in.nodes[plan.unserved[i]].left_out = true;
            in.technicians[technician].tried = repair_mark(&in, &plan.routes[technician]);
            repair_insert(&plan, &arena);
            repair_eject(&plan, UINT32_MAX, &arena);
            assert_int_equal(plan.route_of[visit], NO_INDEX);
            told_anew(&made, &day, &in, technician, visit);
            in.technicians[technician].tried ^= 2; /* of another route */
            repair_insert(&plan, &arena);
            assert_int_equal(plan.route_of[visit], technician);
            tried++;
        }
        arena_close(&arena);
        workday_close(&day);
    }
    assert_true(tried > 50);
}

static void a_mark_names_all_times(void **state)
{
    (void)state;
    struct random_day made;
    struct workday day;
    struct instance in;
    struct plan plan;
    struct arena arena;
    uint32_t stamp = 0;
    random_day_make(&made, 1, 2, DAY_VISITS);
    workday_open(&day, &travel_straight, SERVICE_DAY);
    arena_open(&arena, 1 << 24);
    tell_all(&made, &day);
    instance_build(&in, &day, &arena);
    plan_make(&plan, &in, &stamp, &arena);
    repair(&plan, &arena);
    struct route *route = &plan.routes[0];
    assert_true(route->count > 1);
    uint64_t mark = repair_mark(&in, route);
    assert_true(mark != 0 && mark == repair_mark(&in, route));
    int32_t *times[] = {&route->stops[0].ahead, &route->stops[1].behind,
                        &route->stops[1].late_ahead, &route->stops[route->count + 1].late_behind};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        ++*times[i];
        assert_true(mark != repair_mark(&in, route));
        --*times[i];
    }
    uint16_t visit = route->stops[1].visit;
    route->stops[1].visit = route->stops[2].visit;
    assert_true(mark != repair_mark(&in, route));
    route->stops[1].visit = visit;
    assert_true(mark == repair_mark(&in, route));
    arena_close(&arena);
    workday_close(&day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stepping_aside_is_exact),
        cmocka_unit_test(who_is_left_out_is_tried_where_something_changed),
        cmocka_unit_test(a_mark_names_all_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
