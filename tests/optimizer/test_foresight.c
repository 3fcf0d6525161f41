/* Guesses of later orders: the same for the same day, gone without a trace, and worth their while.
 */
#include "optimizer/foresight.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TECHNICIANS = 8, KNOWN = FORESIGHT_FROM, DAYS = 12, ROUNDS = 1500, PERCENT = 50 };

static struct random_day told;

static void open_day(struct solver *solver, uint64_t seed, uint32_t known)
{
    random_day_make(&told, seed, TECHNICIANS, DAY_VISITS);
    solver_open(solver, &travel_straight, SERVICE_DAY);
    workday_set_time(&solver->day, US(BASE_S), 0, &told.policy);
    for (uint32_t i = 0; i < told.technician_count; i++)
        tell_technician(&told, &solver->day, i);
    for (uint32_t i = 0; i < known; i++)
        tell_visit(&told, &solver->day, i);
}

static void search(struct solver *solver)
{
    solver_search(solver, ROUNDS, 1, true);
    while (!solver_search_over(solver))
        (void)solver_improve(solver, ROUNDS);
}

static void plan_first(struct solver *solver, struct guesses *guesses, uint32_t percent)
{
    foresee(guesses, solver, percent, 1);
    solver_begin(solver);
    search(solver);
    keep_plan(guesses, solver);
}

static void the_same_day_has_the_same_guesses(void **state)
{
    static struct solver one, other;
    struct guesses guesses;
    (void)state;
    open_day(&one, 7, KNOWN);
    solver_open(&other, &travel_straight, SERVICE_DAY);
    workday_set_time(&other.day, US(BASE_S), 0, &told.policy);
    for (uint32_t i = told.technician_count; i-- > 0;)
        tell_technician(&told, &other.day, i);
    for (uint32_t i = KNOWN; i-- > 0;)
        tell_visit(&told, &other.day, i);
    uint64_t before = workday_digest(&one.day);
    foresee(&guesses, &one, PERCENT, 3);
    assert_int_equal(guesses.count, KNOWN * PERCENT / 100);
    foresee(&guesses, &other, PERCENT, 3);
    assert_true(workday_digest(&one.day) == workday_digest(&other.day));
    forget_guesses(&guesses, &one);
    assert_true(workday_digest(&one.day) == before);
    solver_close(&one);
    solver_close(&other);
}

/* Two hours are left of a day that ends ten hours after the first shift's start at most. */
static void less_is_expected_of_a_shorter_day(void **state)
{
    static struct solver solver;
    struct guesses guesses;
    (void)state;
    open_day(&solver, 7, KNOWN);
    workday_set_time(&solver.day, US(BASE_S + 15 * 3600), 0, &told.policy);
    foresee(&guesses, &solver, PERCENT, 3);
    assert_in_range(guesses.count, 0, KNOWN * PERCENT / 100 / 3);
    forget_guesses(&guesses, &solver);
    workday_set_time(&solver.day, US(BASE_S + 23 * 3600), 0, &told.policy);
    foresee(&guesses, &solver, PERCENT, 3);
    assert_int_equal(guesses.count, 0);
    solver_close(&solver);
}

static void of_few_orders_nothing_is_guessed(void **state)
{
    static struct solver solver;
    struct guesses guesses;
    (void)state;
    open_day(&solver, 7, KNOWN - 1);
    foresee(&guesses, &solver, PERCENT, 3);
    assert_int_equal(guesses.count, 0);
    solver_close(&solver);
}

/* Somebody may call an order as a guess would be called. */
static void an_order_keeps_its_name(void **state)
{
    static struct solver solver;
    static char name[] = "~guess-0";
    struct guesses guesses;
    struct problem problem;
    (void)state;
    open_day(&solver, 7, KNOWN - 1);
    told.visits[KNOWN - 1].id = name;
    assert_int_equal(workday_set_visit(&solver.day, &told.visits[KNOWN - 1], &problem), ERR_OK);
    uint64_t before = workday_digest(&solver.day);
    plan_first(&solver, &guesses, PERCENT);
    assert_true(workday_visit(&solver.day, name) != NO_INDEX);
    assert_true(workday_digest(&solver.day) == before);
    solver_close(&solver);
}

/* The plan that is left has all known orders that fit, holds, and costs what it says. */
static void guesses_leave_a_plan_that_holds(void **state)
{
    static struct solver solver;
    struct guesses guesses;
    (void)state;
    open_day(&solver, 9, KNOWN);
    plan_first(&solver, &guesses, PERCENT);
    assert_int_equal(solver.in.visit_count, KNOWN);
    int64_t cost = 0;
    uint32_t served = 0;
    for (uint32_t t = 0; t < solver.in.technician_count; t++) {
        assert_true(solver_route_holds(&solver, t));
        cost += solver.plan.routes[t].cost;
        served += solver.plan.routes[t].count;
    }
    assert_int_equal(served + solver.plan.unserved_count, KNOWN);
    for (uint32_t i = 0; i < solver.plan.unserved_count; i++)
        cost += solver.in.nodes[solver.plan.unserved[i]].price;
    assert_true(cost == solver.plan.cost);
    for (uint32_t t = 0; t < solver.in.technician_count; t++)
        for (uint32_t i = 0; i < solver.plan.routes[t].count; i++)
            assert_true(
                solver.day.visits[solver.in.nodes[solver.plan.routes[t].stops[i + 1].visit].slot]
                    .id[0] == 'V');
    solver_close(&solver);
}

/* What the day costs when the rest of its orders come one by one and nothing that was planned
 * changes its technician. */
static int64_t day_cost(uint64_t seed, uint32_t percent)
{
    static struct solver solver;
    struct guesses guesses;
    open_day(&solver, seed, KNOWN);
    plan_first(&solver, &guesses, percent);
    for (uint32_t i = KNOWN; i < DAY_VISITS; i++) {
        uint32_t lists[DAY_TECHNICIANS][ROUTE_MAX], counts[DAY_TECHNICIANS];
        for (uint32_t t = 0; t < solver.in.technician_count; t++) {
            const struct route *route = &solver.plan.routes[t];
            counts[t] = route->count;
            for (uint32_t at = 0; at < route->count; at++)
                lists[t][at] = solver.in.nodes[route->stops[at + 1].visit].slot;
        }
        tell_visit(&told, &solver.day, i);
        solver_renew(&solver);
        for (uint32_t t = 0; t < solver.in.technician_count; t++) {
            uint16_t visits[ROUTE_MAX];
            for (uint32_t at = 0; at < counts[t]; at++)
                visits[at] = (uint16_t)solver.in.visit_of_slot[lists[t][at]];
            assert_true(plan_set_route(&solver.plan, t, visits, counts[t]));
        }
        repair_insert(&solver.plan, &solver.work);
    }
    int64_t cost = solver.plan.cost;
    solver_close(&solver);
    return cost;
}

static void later_orders_cost_less(void **state)
{
    int64_t without = 0, with = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= DAYS; seed++) {
        without += day_cost(seed, 0);
        with += day_cost(seed, PERCENT);
    }
    print_message("%lld s without, %lld s with\n", (long long)without, (long long)with);
    assert_true(with < without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_day_has_the_same_guesses),
        cmocka_unit_test(less_is_expected_of_a_shorter_day),
        cmocka_unit_test(of_few_orders_nothing_is_guessed),
        cmocka_unit_test(an_order_keeps_its_name),
        cmocka_unit_test(guesses_leave_a_plan_that_holds),
        cmocka_unit_test(later_orders_cost_less),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    master_leave();
    return failed;
}
