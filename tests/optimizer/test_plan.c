/* The O(1) questions of plan.h against the one definition of timing, model/route.h. */
#include "optimizer/core/alike.h"
#include "optimizer/core/near.h"
#include "optimizer/core/plan.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The cheapest place for `visit` by trying each one from scratch. */
static struct spot slow_scan(const struct workday *day, const struct instance *in,
                             const struct route *route, uint32_t technician, uint32_t visit,
                             uint32_t *probes)
{
    struct spot best = {NO_INDEX, 0, INT32_MAX};
    uint32_t slot = in->technicians[technician].slot, slots[ROUTE_MAX + 1];
    struct route_stop stops[ROUTE_MAX];
    struct route_times before, after;
    for (uint32_t i = 0; i < route->count; i++)
        slots[i] = in->nodes[route->stops[i + 1].visit].slot;
    assert_int_equal(judge(day, slot, slots, route->count, stops, &before), ROUTE_FITS);
    struct cost_parts old = price(day, slot, slots, route->count, stops, &before);
    assert_int_equal(cost_total(&old), route->cost);
    slots[route->count] = in->nodes[visit].slot;
    if (!carries(day, slot, slots, route->count + 1)) return best;
    for (uint32_t at = 1; at <= route->count + 1; at++) {
        uint32_t trial[ROUTE_MAX];
        for (uint32_t i = 0, from = 0; i <= route->count; i++)
            trial[i] = i + 1 == at ? in->nodes[visit].slot : slots[from++];
        ++*probes;
        if (judge(day, slot, trial, route->count + 1, stops, &after) != ROUTE_FITS) continue;
        struct cost_parts new = price(day, slot, trial, route->count + 1, stops, &after);
        int32_t cost = (int32_t)(cost_total(&new) - cost_total(&old));
        if (cost < best.cost) best = (struct spot){technician, at, cost};
    }
    return best;
}

static void check_times(const struct workday *day, const struct instance *in, uint32_t technician,
                        const struct route *route)
{
    uint32_t slots[ROUTE_MAX];
    struct route_stop stops[ROUTE_MAX];
    struct route_times times;
    int32_t starts[ROUTE_MAX];
    for (uint32_t i = 0; i < route->count; i++)
        slots[i] = in->nodes[route->stops[i + 1].visit].slot;
    uint32_t slot = in->technicians[technician].slot;
    assert_int_equal(judge(day, slot, slots, route->count, stops, &times), ROUTE_FITS);
    assert_true(carries(day, slot, slots, route->count));
    assert_int_equal(times.travel_s, route->travel);
    assert_int_equal(times.end_us, US(BASE_S + route->end));
    if (route->count == 0) return;
    assert_int_equal(times.overtime_us, US(route->overtime));
    route_starts(in, technician, route, starts);
    for (uint32_t i = 0; i < route->count; i++)
        assert_int_equal(stops[i].start_us, US(BASE_S + starts[i]));
}

/* Whatever leaves a route, what is left knows its times. */
static void take_at_random(struct plan *plan, struct rng *rng)
{
    for (uint32_t t = 0; t < plan->in->technician_count; t++) {
        const struct route *route = &plan->routes[t];
        for (uint32_t tries = 0; tries < 4 && route->count > 0; tries++) {
            uint32_t at = 1 + rng_below(rng, route->count);
            if (!plan_take_run(plan, t, at, 1 + rng_below(rng, route->count + 1 - at))) continue;
            plan_check(plan);
        }
    }
}

static struct detour detour_at(const struct instance *in, const struct route *route, uint32_t visit,
                               uint32_t at)
{
    uint32_t place = in->nodes[visit].place;
    return (struct detour){instance_travel(in, route->stops[at - 1].place, place),
                           instance_travel(in, place, route->stops[at].place)};
}

static void insertion_is_exact(void **state)
{
    (void)state;
    uint32_t probes = 0, fitting = 0, stamp = 0;
    for (uint64_t seed = 1; probes < 100000; seed++) {
        struct random_day made;
        struct workday day;
        struct instance in;
        struct plan plan;
        struct arena arena;
        random_day_make(&made, seed, 2, 14);
        if (seed % 3 == 0) random_rules(&made);
        random_loads(&made);
        if (seed % 3 == 1) random_plain(&made);
        workday_open(&day, seed % 2 == 0 ? &travel_any : &travel_straight, SERVICE_DAY);
        arena_open(&arena, 1 << 24);
        tell_all(&made, &day);
        instance_build(&in, &day, &arena);
        plan_make(&plan, &in, &stamp, &arena);
        for (uint32_t v = 0; v < in.visit_count; v++) {
            uint32_t technician = rng_below(&made.rng, in.technician_count);
            const struct route *route = &plan.routes[technician];
            struct spot slow = slow_scan(&day, &in, route, technician, v, &probes);
            struct spot quick = route_scan(&in, route, technician, v);
            assert_int_equal(quick.technician, slow.technician);
            if (slow.technician == NO_INDEX) continue;
            assert_int_equal(quick.cost, slow.cost);
            assert_int_equal(quick.at, slow.at);
            struct spot below = route_scan_below(&in, route, technician, v, quick.cost + 1);
            assert_int_equal(below.cost, quick.cost);
            assert_int_equal(below.at, quick.at);
            below = route_scan_below(&in, route, technician, v, quick.cost);
            assert_int_equal(below.technician, NO_INDEX);
            if (!instance_allows(&in, technician, v)) continue;
            struct detour detour = detour_at(&in, route, v, quick.at);
            assert_int_equal(
                route_probe(&in, route, technician, v, quick.at, detour, quick.cost + 1),
                quick.cost);
            assert_int_equal(route_probe(&in, route, technician, v, quick.at, detour, quick.cost),
                             INT32_MAX);
            fitting++;
            plan_put(&plan, v, technician, quick.at);
            check_times(&day, &in, technician, route);
        }
        plan_check(&plan);
        take_at_random(&plan, &made.rng);
        arena_close(&arena);
        workday_close(&day);
    }
    print_message("%u probes, %u insertions\n", probes, fitting);
    assert_true(fitting > 5000);
}

/* Takes each visit out and puts it back; returns how many cannot leave without breaking a rule. */
static uint32_t take_each(struct plan *plan)
{
    int64_t cost = plan->cost;
    uint32_t stuck = 0;
    for (uint32_t v = 0; v < plan->in->visit_count; v++) {
        uint32_t t = plan->route_of[v];
        if (t == NO_INDEX) continue;
        struct route before;
        route_copy(&before, &plan->routes[t]);
        if (plan_take(plan, v)) {
            plan_check(plan);
            plan_restore_route(plan, t, &before);
            plan_restore_visit(plan, v, t);
        } else {
            stuck++;
        }
        plan_check(plan);
        assert_int_equal(plan->cost, cost);
    }
    return stuck;
}

/* Without triangles a visit may be what makes the others reachable. */
static uint32_t take_and_restore_all(uint64_t seed, const struct travel *travel, bool plain)
{
    struct random_day made;
    struct workday day;
    struct instance in;
    struct plan plan, copy;
    struct arena arena;
    uint32_t stamp = 0;
    random_day_make(&made, seed, 3, 30);
    if (plain) random_plain(&made);
    workday_open(&day, travel, SERVICE_DAY);
    arena_open(&arena, 1 << 24);
    tell_all(&made, &day);
    instance_build(&in, &day, &arena);
    plan_make(&plan, &in, &stamp, &arena);
    plan_make(&copy, &in, &stamp, &arena);
    for (uint32_t v = 0; v < in.visit_count; v++) {
        for (uint32_t t = 0; t < in.technician_count && plan.route_of[v] == NO_INDEX; t++) {
            struct spot spot = route_scan(&in, &plan.routes[t], t, v);
            if (instance_allows(&in, t, v) && spot.technician != NO_INDEX)
                plan_put(&plan, v, t, spot.at);
        }
    }
    plan_copy(&copy, &plan);
    plan_check(&copy);
    uint32_t stuck = take_each(&plan);
    arena_close(&arena);
    workday_close(&day);
    return stuck;
}

static void take_and_restore(void **state)
{
    (void)state;
    uint32_t stuck = 0;
    for (uint64_t seed = 5; seed < 25; seed++) {
        assert_int_equal(take_and_restore_all(seed, &travel_straight, seed % 2 == 0), 0);
        stuck += take_and_restore_all(seed, &travel_any, seed % 2 == 0);
    }
    assert_true(stuck > 0);
}

/* Of technicians who differ only in name, one empty route is enough; who is somebody's by name is
 * like nobody. */
static void one_empty_route_of_a_kind(void **state)
{
    (void)state;
    struct random_day made;
    struct workday day;
    struct instance in;
    struct plan plan;
    struct alike alike;
    struct arena arena;
    uint32_t stamp = 0;
    random_day_make(&made, 9, 4, 6);
    for (uint32_t i = 1; i < 4; i++) {
        const char *id = made.technicians[i].id;
        made.technicians[i] = made.technicians[0];
        made.technicians[i].id = id;
    }
    made.technicians[2].capacity = 7;
    for (uint32_t i = 0; i < 6; i++)
        made.visits[i].skill_count = made.visits[i].excluded_count = 0;
    workday_open(&day, &travel_straight, SERVICE_DAY);
    arena_open(&arena, 1 << 24);
    tell_all(&made, &day);
    instance_build(&in, &day, &arena);
    plan_make(&plan, &in, &stamp, &arena);
    alike_open(&alike, &in, &arena);
    alike_look(&alike, &plan);
    const bool spare_at_first[] = {false, true, false, true};
    for (uint32_t t = 0; t < 4; t++)
        assert_int_equal(alike_spare(&alike, t), spare_at_first[t]);
    uint32_t visit = 0;
    while (route_scan(&in, &plan.routes[0], 0, visit).technician == NO_INDEX)
        visit++;
    plan_put(&plan, visit, 0, 1);
    alike_changed(&alike, &plan, 0);
    const bool spare_then[] = {false, false, false, true};
    for (uint32_t t = 0; t < 4; t++)
        assert_int_equal(alike_spare(&alike, t), spare_then[t]);
    assert_true(plan_take(&plan, visit));
    alike_changed(&alike, &plan, 0);
    for (uint32_t t = 0; t < 4; t++)
        assert_int_equal(alike_spare(&alike, t), spare_at_first[t]);
    arena_close(&arena);
    workday_close(&day);
}

/* Bounds that spare looks must never be above what a look would find. */
static void bounds_beside_hold(void **state)
{
    (void)state;
    struct random_day made;
    struct workday day;
    struct instance in;
    struct near near;
    struct arena arena;
    random_day_make(&made, 3, 4, DAY_VISITS);
    workday_open(&day, &travel_straight, SERVICE_DAY);
    arena_open(&arena, 1 << 24);
    tell_all(&made, &day);
    instance_build(&in, &day, &arena);
    near_open(&near, &in, &arena);
    for (uint32_t v = 0; v < in.visit_count; v++) {
        const struct beside *beside = near_beside(&near, v);
        uint32_t place = in.nodes[v].place;
        for (uint32_t o = 0; o < in.visit_count; o++) {
            if (o == v) continue;
            uint32_t other = in.nodes[o].place;
            assert_true(beside->least_before <= instance_travel(&in, other, place));
            assert_true(beside->least_after <= instance_travel(&in, place, other));
            assert_int_equal(beside->legs.there[other], instance_travel(&in, other, place));
            assert_int_equal(beside->legs.on[other], instance_travel(&in, place, other));
        }
        for (uint32_t t = 0; t < in.technician_count; t++) {
            const struct technician *who = &in.technicians[t];
            assert_true(beside->least_before <= instance_travel(&in, who->start, place));
            assert_true(beside->least_after <= instance_travel(&in, place, who->end));
        }
        for (uint32_t i = 0; i < beside->before_count; i++)
            assert_int_equal(beside->before[i].leg,
                             instance_travel(&in, in.nodes[beside->before[i].visit].place, place));
        for (uint32_t i = 0; i < beside->after_count; i++)
            assert_int_equal(beside->after[i].leg,
                             instance_travel(&in, place, in.nodes[beside->after[i].visit].place));
    }
    arena_close(&arena);
    workday_close(&day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(insertion_is_exact),
        cmocka_unit_test(take_and_restore),
        cmocka_unit_test(one_empty_route_of_a_kind),
        cmocka_unit_test(bounds_beside_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
