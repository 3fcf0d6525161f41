/* What was found is kept, whatever comes after it, and the master chooses the best of it. */
#include "optimizer/solve.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* --- the pool --- */

static uint32_t holding(const struct pool *pool)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < pool->used; c++)
        count += pool_holds(pool, c);
    return count;
}

/* Each chain names living columns by their keys, no piece is used twice, and none is lost. */
static void pool_is_sound(const struct pool *pool, struct arena *arena)
{
    uint8_t *seen = arena_need(arena, pool->pieces_cap + 1);
    uint32_t living = 0, linked = 0, pieces = 0;
    for (uint32_t c = 0; c < pool->used; c++) {
        const struct column *column = &pool->columns[c];
        if (column->key == 0) continue;
        living++;
        for (uint32_t piece = column->piece; piece != 0; piece = pool->pieces[piece - 1].next) {
            assert_int_equal(seen[piece]++, 0);
            pieces++;
        }
    }
    for (uint32_t chain = 0; chain <= pool->mask; chain++) {
        for (uint32_t at = pool->chains[chain]; at != 0; at = pool->columns[at - 1].next) {
            assert_true(pool->columns[at - 1].key != 0);
            linked++;
        }
    }
    for (uint32_t piece = pool->pieces_free; piece != 0; piece = pool->pieces[piece - 1].next) {
        assert_int_equal(seen[piece]++, 0);
        pieces++;
    }
    assert_int_equal(living, linked);
    assert_int_equal(pieces, pool->pieces_used);
}

/* A search that finds many times what the pool has room for, while visits come and go. */
static void a_small_pool_keeps_the_plan(void **state)
{
    (void)state;
    struct random_day made;
    static struct solver solver;
    struct arena memory, scratch;
    random_day_make(&made, 77, 8, 60);
    solver_open(&solver, &travel_straight, SERVICE_DAY);
    arena_open(&memory, 1 << 20);
    arena_open(&scratch, 1 << 20);
    pool_open(&solver.pool, 16, 40, &memory);
    tell_all(&made, &solver.day);
    for (uint32_t event = 0; event < 40; event++) {
        uint32_t v = rng_below(&made.rng, made.visit_count);
        if (event % 3 == 0)
            solver_remove_visit(&solver, made.visit_ids[v]);
        else
            tell_visit(&made, &solver.day, v);
        solver_begin(&solver);
        solver_search(&solver, 200, event, event % 5 == 0);
        while (!solver_search_over(&solver)) {
            (void)solver_improve(&solver, 50);
            for (uint32_t t = 0; t < solver.in.technician_count; t++) {
                const struct route *route = &solver.plan.routes[t];
                if (route->count == 0) continue;
                uint32_t at = pool_find(&solver.pool, &solver.in, t, route->set);
                assert_true(at != NO_INDEX);
                assert_true(solver.pool.columns[at].cost <= route->cost);
            }
        }
        arena_rewind(&scratch);
        pool_is_sound(&solver.pool, &scratch);
        (void)solver_recombine(&solver);
        assert_int_not_equal(solver.master.end, MASTER_FAILED);
        arena_rewind(&scratch);
        pool_is_sound(&solver.pool, &scratch);
    }
    print_message("%u columns through %u places\n", solver.pool.serial, solver.pool.cap);
    assert_true(solver.pool.serial > 3 * solver.pool.cap); /* it had to choose */
    solver_close(&solver);
    arena_close(&memory);
    arena_close(&scratch);
    master_leave();
}

/* A column says today's price of its route, and today's rules. */
static void columns_are_of_today(void **state)
{
    (void)state;
    struct random_day made;
    static struct solver solver;
    random_day_make(&made, 5, 6, 40);
    solver_open(&solver, &travel_straight, SERVICE_DAY);
    tell_all(&made, &solver.day);
    solver_begin(&solver);
    solver_search(&solver, 300, 1, true);
    (void)solver_improve(&solver, 300);
    uint32_t before = holding(&solver.pool);
    for (uint32_t v = 0; v < 10; v++) {
        random_visit(&made, v);
        tell_visit(&made, &solver.day, v);
    }
    solver_remove_visit(&solver, made.visit_ids[11]);
    solver_begin(&solver);
    pool_judge(&solver.pool, &solver.in);
    uint32_t after = holding(&solver.pool);
    assert_in_range(after, 1, before - 1);
    for (uint32_t c = 0; c < solver.pool.used; c++) {
        if (!pool_holds(&solver.pool, c)) continue;
        uint16_t visits[ROUTE_MAX];
        struct route route;
        uint32_t who = solver.in.technician_of_slot[solver.pool.columns[c].technician];
        route.count = pool_visits(&solver.pool, c, &solver.in, visits);
        for (uint32_t i = 0; i < route.count; i++) {
            assert_true(instance_allows(&solver.in, who, visits[i]));
            route.stops[i + 1].visit = visits[i];
        }
        assert_true(route_refresh(&solver.in, who, &route));
        assert_int_equal(route.cost, solver.pool.columns[c].cost);
        assert_int_equal(pool_find(&solver.pool, &solver.in, who, route.set), c);
    }
    solver_close(&solver);
}

/* A plan from elsewhere, with a pool that has seen none of it. */
static void a_plan_from_elsewhere_is_taken(void **state)
{
    (void)state;
    struct random_day made;
    static struct solver solver;
    random_day_make(&made, 9, 8, 50);
    solver_open(&solver, &travel_straight, SERVICE_DAY);
    tell_all(&made, &solver.day);
    for (uint32_t round = 0; round < 3; round++) {
        solver_begin(&solver);
        solver_search(&solver, 200, round, true);
        (void)solver_improve(&solver, 200);
        if (round > 0) pool_clear(&solver.pool);
        int64_t before = solver.plan.cost;
        bool better = solver_recombine(&solver);
        assert_int_not_equal(solver.master.end, MASTER_FAILED);
        assert_true(better ? solver.plan.cost < before : solver.plan.cost == before);
        plan_check(&solver.plan);
    }
    solver_close(&solver);
    master_leave();
}

/* --- the master against all choices --- */

enum { FEW_VISITS = 14, FEW_TECHNICIANS = 6 };

/* The least cost of any choice of columns: technicians one after the other, over sets of visits. */
static int64_t best_choice(const struct solver *solver)
{
    const struct instance *in = &solver->in;
    const struct pool *pool = &solver->pool;
    static int64_t best[2][1 << FEW_VISITS];
    uint32_t sets = 1u << in->visit_count;
    for (uint32_t set = 0; set < sets; set++) {
        best[0][set] = 0;
        for (uint32_t v = 0; v < in->visit_count; v++) {
            if (!(set >> v & 1)) best[0][set] += in->nodes[v].price;
        }
    }
    /* best[.][set]: the visits outside the set are unserved or served by those who had a turn */
    for (uint32_t t = 0; t < in->technician_count; t++) {
        int64_t(*now)[1 << FEW_VISITS] = &best[(t + 1) % 2];
        const struct technician *who = &in->technicians[t];
        int64_t home = instance_travel_price(in, instance_travel(in, who->start, who->end));
        for (uint32_t set = 0; set < sets; set++)
            (*now)[set] = best[t % 2][set] + home;
        for (uint32_t c = 0; c < pool->used; c++) {
            if (!pool_holds(pool, c)) continue;
            uint32_t of = in->technician_of_slot[pool->columns[c].technician];
            if (in->technicians[of].alike != who->alike) continue;
            uint16_t visits[ROUTE_MAX];
            uint32_t count = pool_visits(pool, c, in, visits), mask = 0;
            for (uint32_t i = 0; i < count; i++)
                mask |= 1u << visits[i];
            for (uint32_t set = 0; set < sets; set++) {
                if (set & mask) continue;
                int64_t cost = best[t % 2][set | mask] + pool->columns[c].cost;
                if (cost < (*now)[set]) (*now)[set] = cost;
            }
        }
    }
    return best[in->technician_count % 2][0];
}

/* The duals add up to a bound of their own, to a second for each. */
static void prices_add_up(const struct solver *solver, int64_t best)
{
    const struct master_prices *prices = master_prices(solver->recombiner);
    const struct instance *in = &solver->in;
    assert_true(prices->known);
    int64_t sum = 0, off = in->visit_count + in->technician_count;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        assert_true(prices->visit[v] <= in->nodes[v].price);
        sum += prices->visit[v];
    }
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct technician *who = &in->technicians[t];
        assert_true(prices->technician[t] >= 0 && prices->route_gap[t] >= -1);
        sum += instance_travel_price(in, instance_travel(in, who->start, who->end));
        sum -= prices->technician[t];
    }
    assert_in_range(sum + off, 0, best + 2 * off);
}

/* Days of few visits and short searches: whatever the master proves is so. Every second day has
 * two pairs of technicians who are alike. */
static void as_good_as_all_choices(void **state)
{
    (void)state;
    uint32_t better = 0, cut = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct random_day made;
        static struct solver solver;
        random_day_make(&made, seed * 271, FEW_TECHNICIANS, FEW_VISITS);
        for (uint32_t t = 0; t + 1 < FEW_TECHNICIANS && seed % 2 == 0; t += 2) {
            const char *id = made.technicians[t + 1].id;
            made.technicians[t + 1] = made.technicians[t];
            made.technicians[t + 1].id = id;
        }
        solver_open(&solver, &travel_straight, SERVICE_DAY);
        tell_all(&made, &solver.day);
        solver_begin(&solver);
        solver_search(&solver, 80, seed, true);
        (void)solver_improve(&solver, 80);
        solver_begin(&solver); /* the repaired plan, and all that the search has found */
        better += solver_recombine(&solver);
        plan_check(&solver.plan);
        int64_t best = best_choice(&solver);
        assert_true(solver.master.lp_cost <= best);
        assert_int_equal(solver.plan.cost, best);
        prices_add_up(&solver, best);
        cut += solver.master.cuts > 0;
        solver_close(&solver);
    }
    print_message("%u plans became better, %u with cuts\n", better, cut);
    assert_true(better > 50 && cut > 5);
    master_leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_pool_keeps_the_plan),
        cmocka_unit_test(columns_are_of_today),
        cmocka_unit_test(a_plan_from_elsewhere_is_taken),
        cmocka_unit_test(as_good_as_all_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
