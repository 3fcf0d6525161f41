/* Whole solves: never better than brute force, nearly always as good, and the same for the same
 * facts. */
#include "optimizer/solve.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BRUTE_VISITS = 7, BRUTE_SETS = 1 << BRUTE_VISITS };

/* --- brute force --- */

struct brute {
    const struct workday *day;
    uint32_t visits[BRUTE_VISITS], count; /* slots */
    uint32_t technician;
    int64_t best[BRUTE_SETS]; /* cheapest route of that technician through each set; -1: none */
};

/* All orders that begin with order[0 .. length). A window that is missed stays missed. */
static void brute_extend(struct brute *brute, uint32_t *order, uint32_t length, uint32_t set)
{
    struct route_stop stops[ROUTE_MAX];
    struct route_times times;
    enum route_rule rule = judge(brute->day, brute->technician, order, length, stops, &times);
    if (rule == ROUTE_WINDOW_MISSED) return;
    if (rule == ROUTE_FITS) {
        struct cost_parts parts =
            price(brute->day, brute->technician, order, length, stops, &times);
        int64_t cost = cost_total(&parts);
        if (brute->best[set] < 0 || cost < brute->best[set]) brute->best[set] = cost;
    }
    for (uint32_t i = 0; i < brute->count; i++) {
        if ((set >> i & 1) || !may_serve(brute->day, brute->technician, brute->visits[i])) continue;
        order[length] = brute->visits[i];
        if (!carries(brute->day, brute->technician, order, length + 1)) continue;
        brute_extend(brute, order, length + 1, set | 1u << i);
    }
}

static int64_t brute_price(const struct workday *day, const uint32_t *visits, uint32_t unserved)
{
    int64_t sum = 0;
    for (uint32_t i = 0; unserved >> i != 0; i++) {
        if (unserved >> i & 1)
            sum += (int64_t)day->visits[visits[i]].priority * day->policy.unserved_s_per_priority;
    }
    return sum;
}

/* The least cost of any plan for two technicians. */
static int64_t brute_force(const struct workday *day)
{
    static struct brute brute[2];
    uint32_t order[BRUTE_VISITS], all = (1u << day->visits_used) - 1;
    for (uint32_t t = 0; t < 2; t++) {
        brute[t] = (struct brute){.day = day, .technician = t, .count = day->visits_used};
        memcpy(brute[t].visits, day->visit_order, sizeof *day->visit_order * day->visits_used);
        for (uint32_t set = 0; set < BRUTE_SETS; set++)
            brute[t].best[set] = -1;
        brute_extend(&brute[t], order, 0, 0);
    }
    int64_t best = INT64_MAX;
    for (uint32_t first = 0; first <= all; first++) {
        if (brute[0].best[first] < 0) continue;
        for (uint32_t rest = all & ~first, second = rest;; second = (second - 1) & rest) {
            if (brute[1].best[second] >= 0) {
                int64_t cost = brute[0].best[first] + brute[1].best[second] +
                               brute_price(day, brute[0].visits, rest & ~second);
                if (cost < best) best = cost;
            }
            if (second == 0) break;
        }
    }
    return best;
}

/* Every rule, by others than those who made the plan. */
static void audit(const struct solver *solver)
{
    const struct instance *in = &solver->in;
    plan_check(&solver->plan);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        assert_true(solver_route_holds(solver, t));
        for (uint32_t i = 1; i <= solver->plan.routes[t].count; i++) {
            const struct node *node = &in->nodes[solver->plan.routes[t].stops[i].visit];
            assert_true(may_serve(&solver->day, in->technicians[t].slot, node->slot));
        }
    }
}

static void as_good_as_brute_force(void **state)
{
    (void)state;
    enum { CASES = 200 };
    uint32_t equal = 0;
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        struct random_day made;
        static struct solver solver;
        random_day_make(&made, seed * 7919, 2, 3 + (uint32_t)(seed % (BRUTE_VISITS - 2)));
        random_loads(&made);
        if (seed % 2 == 0) random_rules(&made);
        solver_open(&solver, seed % 3 == 0 ? &travel_any : &travel_straight, SERVICE_DAY);
        tell_all(&made, &solver.day);
        solver_fresh(&solver, 500, seed);
        audit(&solver);
        int64_t best = brute_force(&solver.day);
        assert_true(solver.plan.cost >= best);
        equal += solver.plan.cost == best;
        solver_close(&solver);
    }
    print_message("equal to brute force in %u of %d cases\n", equal, CASES);
    assert_true(equal >= CASES * 99 / 100);
}

/* --- no price moves a rule --- */

/* As the dispatcher does: the limits of travel give way to what is pinned. */
static void allow_leg(struct route_day *day, struct point *at, struct point to, int32_t *travel_s)
{
    int32_t leg_s = travel_seconds(&travel_straight, *at, to);
    *travel_s += leg_s;
    if (day->leg_s_max > 0 && day->leg_s_max < leg_s) day->leg_s_max = leg_s;
    if (day->travel_s_max > 0 && day->travel_s_max < *travel_s) day->travel_s_max = *travel_s;
    *at = to;
}

/* What the plan says becomes what was told; every other visit is pinned to whom it has. */
static uint32_t publish(struct random_day *made, const struct solver *solver)
{
    uint32_t pinned = 0;
    for (uint32_t t = 0; t < solver->in.technician_count; t++) {
        const struct route *route = &solver->plan.routes[t];
        int32_t starts[ROUTE_MAX];
        route_starts(&solver->in, t, route, starts);
        uint32_t who = number_of(solver->day.technicians[solver->in.technicians[t].slot].id);
        struct route_day *day = &made->technicians[who].day;
        struct point at = day->start;
        int32_t travel_s = 0;
        for (uint32_t i = 0; i < route->count; i++) {
            uint32_t slot = solver->in.nodes[route->stops[i + 1].visit].slot;
            struct visit_told *told = &made->visits[number_of(solver->day.visits[slot].id)];
            told->technician_id = made->technician_ids[who];
            told->planned_start_us = US(BASE_S + starts[i]);
            told->position = i;
            told->published = true;
            told->mobility = i % 2 == 0 ? VISIT_PINNED : VISIT_MOVABLE;
            pinned += i % 2 == 0;
            if (i % 2 == 0) allow_leg(day, &at, told->visit.at, &travel_s);
        }
        if (route->count > 0) allow_leg(day, &at, day->end, &travel_s);
    }
    return pinned;
}

static struct policy extreme_policy(struct rng *rng)
{
    struct policy policy = policy_default;
    int32_t *prices[] = {&policy.unserved_s_per_priority, &policy.change_technician_s,
                         &policy.change_start_s, &policy.preferred_window_missed_s,
                         &policy.preferred_technician_missed_s};
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++)
        *prices[i] = rng_below(rng, 2) ? POLICY_PRICE_S_MAX : (int32_t)rng_below(rng, 2);
    policy.travel_price_percent = rng_below(rng, 2) ? POLICY_PERCENT_MAX : 1;
    policy.lateness_price_percent = rng_below(rng, 2) ? POLICY_PERCENT_MAX : 1;
    policy.overtime_price_percent = POLICY_PERCENT_MAX;
    return policy;
}

static void keeps_its_pins(const struct solver *solver)
{
    for (uint32_t v = 0; v < solver->in.visit_count; v++) {
        const struct node *node = &solver->in.nodes[v];
        if (node->pinned == NO_INDEX) continue;
        assert_int_equal(solver->plan.route_of[v], node->pinned);
    }
}

/* Prices as far out as they go, and orders that would like the room of those that must stay. */
static void no_price_moves_a_rule(void **state)
{
    (void)state;
    enum { CASES = 60, FIRST = 20, ALL = 50 };
    uint32_t pinned = 0;
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        struct random_day made;
        static struct solver solver;
        random_day_make(&made, seed * 104729, 3, ALL);
        random_rules(&made);
        made.policy = extreme_policy(&made.rng);
        made.visit_count = FIRST;
        solver_open(&solver, &travel_straight, SERVICE_DAY);
        tell_all(&made, &solver.day);
        solver_fresh(&solver, 300, seed);
        audit(&solver);
        pinned += publish(&made, &solver);
        made.visit_count = ALL;
        for (uint32_t i = FIRST; i < ALL; i++)
            made.visits[i].priority = LIMIT_PRIORITY;
        tell_all(&made, &solver.day);
        solver_begin(&solver);
        keeps_its_pins(&solver);
        solver_search(&solver, 1000, seed, true);
        while (!solver_search_over(&solver))
            (void)solver_improve(&solver, 1000);
        (void)solver_recombine(&solver);
        keeps_its_pins(&solver);
        audit(&solver);
        solver_close(&solver);
    }
    assert_true(pinned > 5 * CASES);
}

/* --- the same facts, the same plan --- */

static uint64_t plan_digest(const struct solver *solver)
{
    struct digest digest = digest_start();
    digest_u64(&digest, (uint64_t)solver->plan.cost);
    for (uint32_t t = 0; t < solver->in.technician_count; t++) {
        const char *who = solver->day.technicians[solver->in.technicians[t].slot].id;
        digest_bytes(&digest, who, strlen(who));
        for (uint32_t i = 1; i <= solver->plan.routes[t].count; i++) {
            uint32_t visit = solver->plan.routes[t].stops[i].visit;
            const char *id = solver->day.visits[solver->in.nodes[visit].slot].id;
            digest_bytes(&digest, id, strlen(id));
        }
    }
    return digest.state;
}

static uint64_t solved(struct solver *solver, uint64_t rounds, uint64_t seed)
{
    solver_fresh(solver, rounds, seed);
    audit(solver);
    return plan_digest(solver);
}

/* Tells the same day in an order that the seed chooses. */
static void tell_shuffled(const struct random_day *made, struct workday *day, uint64_t seed)
{
    struct rng rng = {seed};
    uint32_t order[DAY_TECHNICIANS + DAY_VISITS];
    uint32_t count = made->technician_count + made->visit_count;
    workday_set_time(day, US(BASE_S), 0, &policy_default);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = rng_below(&rng, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (order[i] < made->technician_count)
            tell_technician(made, day, order[i]);
        else
            tell_visit(made, day, order[i] - made->technician_count);
    }
}

static void order_of_input_does_not_matter(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct random_day made;
        static struct solver one, other;
        random_day_make(&made, seed, 6, 40);
        random_loads(&made);
        solver_open(&one, &travel_straight, SERVICE_DAY);
        solver_open(&other, &travel_straight, SERVICE_DAY);
        tell_all(&made, &one.day);
        tell_shuffled(&made, &other.day, seed);
        assert_int_equal(workday_digest(&one.day), workday_digest(&other.day));
        uint64_t digest = solved(&one, 1000, seed);
        assert_int_equal(digest, solved(&other, 1000, seed));
        solver_close(&one);
        solver_close(&other);
    }
}

static void same_seed_same_plan(void **state)
{
    (void)state;
    uint64_t digests[3];
    struct random_day made;
    random_day_make(&made, 11, 8, 64);
    for (uint32_t i = 0; i < 3; i++) {
        static struct solver solver;
        solver_open(&solver, &travel_straight, SERVICE_DAY);
        tell_all(&made, &solver.day);
        solver_begin(&solver);
        solver_search(&solver, 900, 5, true);
        while (!solver_search_over(&solver)) /* chunks of any size make no difference */
            (void)solver_improve(&solver, 100 + 37 * i);
        digests[i] = plan_digest(&solver);
        solver_close(&solver);
    }
    assert_int_equal(digests[0], digests[1]);
    assert_int_equal(digests[0], digests[2]);
}

static void any_number_of_searches_takes_no_more_memory(void **state)
{
    (void)state;
    static struct solver solver;
    struct random_day made;
    size_t used = 0;
    random_day_make(&made, 3, 6, 40);
    solver_open(&solver, &travel_straight, SERVICE_DAY);
    tell_all(&made, &solver.day);
    (void)solved(&solver, 200, 1);
    for (uint32_t i = 0; i < 5; i++) {
        solver_search_more(&solver, 50, i + 1);
        while (!solver_search_over(&solver))
            (void)solver_improve(&solver, 50);
        size_t now = solver.work.used + solver.again.used;
        assert_true(i == 0 || now == used);
        used = now;
    }
    solver_close(&solver);
}

/* A day changed many times is the day told at once. */
static void deltas_equal_a_snapshot(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct random_day made;
        static struct solver live, fresh;
        bool there[DAY_VISITS] = {false}, works[DAY_TECHNICIANS] = {false};
        random_day_make(&made, seed * 31, 6, DAY_VISITS);
        solver_open(&live, &travel_straight, SERVICE_DAY);
        workday_set_time(&live.day, US(BASE_S), 0, &policy_default);
        for (uint32_t step = 0; step < 600; step++) {
            uint32_t v = rng_below(&made.rng, made.visit_count);
            uint32_t t = rng_below(&made.rng, made.technician_count);
            if (rng_below(&made.rng, 2)) random_visit(&made, v);
            there[v] = rng_below(&made.rng, 3) != 0;
            if (there[v])
                tell_visit(&made, &live.day, v);
            else
                solver_remove_visit(&live, made.visit_ids[v]);
            works[t] = rng_below(&made.rng, 4) != 0;
            if (works[t])
                tell_technician(&made, &live.day, t);
            else
                workday_remove_technician(&live.day, made.technician_ids[t]);
            if (step % 100 == 99) solver_fresh(&live, 50, step);
        }
        solver_open(&fresh, &travel_straight, SERVICE_DAY);
        workday_set_time(&fresh.day, US(BASE_S), 0, &policy_default);
        /* A visit that was changed but not told again is still the old one: tell all to both. */
        for (uint32_t v = 0; v < made.visit_count; v++) {
            if (!there[v]) continue;
            tell_visit(&made, &live.day, v);
            tell_visit(&made, &fresh.day, v);
        }
        for (uint32_t t = 0; t < made.technician_count; t++) {
            if (works[t]) tell_technician(&made, &fresh.day, t);
        }
        assert_int_equal(workday_digest(&live.day), workday_digest(&fresh.day));
        pool_clear(&live.pool);
        live.recombinations = 0;
        uint64_t digest = solved(&live, 500, seed);
        assert_int_equal(digest, solved(&fresh, 500, seed));
        solver_close(&live);
        solver_close(&fresh);
    }
}

static void garbage_is_refused_by_name(void **state)
{
    (void)state;
    static struct workday day;
    struct random_day made;
    struct problem problem;
    random_day_make(&made, 3, 2, 4);
    workday_open(&day, &travel_straight, SERVICE_DAY);
    tell_all(&made, &day);
    uint64_t before = workday_digest(&day);
    struct visit_told visit = made.visits[0];
    visit.visit.at.lat_e7 = 2000000000;
    assert_int_equal(workday_set_visit(&day, &visit, &problem), ERR_INVALID);
    assert_string_equal(problem.field, "point");
    visit = made.visits[0];
    visit.visit.window_count = 1;
    visit.visit.windows[0] = (struct window){10, 5};
    assert_int_equal(workday_set_visit(&day, &visit, &problem), ERR_INVALID);
    assert_string_equal(problem.field, "windows");
    visit = made.visits[0];
    visit.load = LOAD_MAX + 1;
    assert_int_equal(workday_set_visit(&day, &visit, &problem), ERR_INVALID);
    assert_string_equal(problem.field, "load");
    visit = made.visits[0];
    visit.id = "";
    assert_int_equal(workday_set_visit(&day, &visit, &problem), ERR_INVALID);
    struct technician_told technician = made.technicians[0];
    technician.day.available_us = INT64_MAX;
    assert_int_equal(workday_set_technician(&day, &technician, &problem), ERR_INVALID);
    assert_string_equal(problem.field, "available_us");
    assert_int_equal(before, workday_digest(&day));
    workday_close(&day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_good_as_brute_force),
        cmocka_unit_test(no_price_moves_a_rule),
        cmocka_unit_test(order_of_input_does_not_matter),
        cmocka_unit_test(same_seed_same_plan),
        cmocka_unit_test(any_number_of_searches_takes_no_more_memory),
        cmocka_unit_test(deltas_equal_a_snapshot),
        cmocka_unit_test(garbage_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
