/* The master recombines what was found, and a GLPK that fails costs nothing but the attempt. */
#include "optimizer/solve.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A solver whose pool holds the routes of several searches, and whose plan is only a repaired one.
 */
static void fill(struct solver *solver, uint64_t seed)
{
    struct random_day made;
    random_day_make(&made, seed * 613, 8, 60);
    solver_open(solver, &travel_straight, SERVICE_DAY);
    tell_all(&made, &solver->day);
    for (uint64_t run = 0; run < 4; run++) {
        solver_begin(solver);
        solver_search(solver, 150, run, true);
        (void)solver_improve(solver, 150);
    }
    solver_begin(solver);
}

static void recombines(void **state)
{
    (void)state;
    uint32_t better = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct solver solver;
        fill(&solver, seed);
        int64_t before = solver.plan.cost;
        bool was_better = solver_recombine(&solver);
        plan_check(&solver.plan);
        assert_int_not_equal(solver.master.end, MASTER_FAILED);
        assert_true(was_better ? solver.plan.cost < before : solver.plan.cost == before);
        assert_true(solver.master.lp_cost <= solver.plan.cost);
        for (uint32_t t = 0; t < solver.in.technician_count; t++)
            assert_true(solver_route_holds(&solver, t));
        better += was_better;
        solver_close(&solver);
    }
    print_message("%u of 10 plans became better\n", better);
    assert_true(better >= 8);
    master_close();
}

static void survives(enum master_fault fault)
{
    static struct solver solver;
    fill(&solver, 3);
    int64_t before = solver.plan.cost;
    for (uint32_t i = 0; i < 100; i++) {
        solver.master_limits.fault = fault;
        assert_false(solver_recombine(&solver));
        assert_int_equal(solver.master.end, MASTER_FAILED);
        assert_int_equal(solver.plan.cost, before);
    }
    plan_check(&solver.plan);
    solver.master_limits.fault = FAULT_NONE;
    assert_true(solver_recombine(&solver));
    plan_check(&solver.plan);
    solver_close(&solver);
    master_close();
}

static void an_abort_is_survived(void **state)
{
    (void)state;
    survives(FAULT_ABORT);
}

static void a_nan_is_refused(void **state)
{
    (void)state;
    survives(FAULT_NAN);
}

static void a_nan_inside_is_noticed(void **state)
{
    (void)state;
    survives(FAULT_NAN_INSIDE);
}

static void limits_are_kept(void **state)
{
    (void)state;
    static struct solver solver;
    fill(&solver, 4);
    int64_t before = solver.plan.cost;
    solver.master_limits.pivots_max = 5;
    assert_false(solver_recombine(&solver));
    assert_int_equal(solver.plan.cost, before);
    assert_true(solver.master.pivots <= 5);
    solver_close(&solver);
    master_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recombines),       cmocka_unit_test(an_abort_is_survived),
        cmocka_unit_test(a_nan_is_refused), cmocka_unit_test(a_nan_inside_is_noticed),
        cmocka_unit_test(limits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
