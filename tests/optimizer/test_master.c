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
    master_leave();
}

/* The plan in hand stays, the next event is solved as ever, and a GLPK that is well again finds
 * what it would have found. */
static void survives(enum master_fault fault, enum master_end end)
{
    static struct solver solver;
    fill(&solver, 3);
    int64_t before = solver.plan.cost;
    for (uint32_t i = 0; i < 100; i++) {
        solver.master_limits.fault = i % 10 == 9 ? FAULT_NONE : fault; /* also out of a warm one */
        bool better = solver_recombine(&solver);
        plan_check(&solver.plan);
        if (solver.master_limits.fault == FAULT_NONE) {
            assert_true(solver.plan.cost < before);
            solver_begin(&solver);
            continue;
        }
        assert_false(better);
        assert_int_equal(solver.master.end, end);
        assert_int_equal(solver.plan.cost, before);
    }
    solver.master_limits.fault = fault;
    solver_remove_visit(&solver, "V007");
    solver_begin(&solver);
    solver_search(&solver, 100, 7, false);
    (void)solver_improve(&solver, 100);
    assert_false(solver_recombine(&solver));
    plan_check(&solver.plan);
    for (uint32_t t = 0; t < solver.in.technician_count; t++)
        assert_true(solver_route_holds(&solver, t));
    solver.master_limits.fault = FAULT_NONE;
    (void)solver_recombine(&solver);
    assert_int_not_equal(solver.master.end, MASTER_FAILED);
    plan_check(&solver.plan);
    solver_close(&solver);
    master_leave();
}

static void an_abort_is_survived(void **state)
{
    (void)state;
    survives(FAULT_ABORT, MASTER_FAILED);
}

static void a_nan_is_refused(void **state)
{
    (void)state;
    survives(FAULT_NAN, MASTER_FAILED);
}

static void a_nan_inside_is_noticed(void **state)
{
    (void)state;
    survives(FAULT_NAN_INSIDE, MASTER_FAILED);
}

/* GLPK repeats itself for ever, without a pivot that could be counted. */
static void a_loop_is_left(void **state)
{
    (void)state;
    survives(FAULT_HANG, MASTER_FAILED);
}

/* Two territories share one thread: when the program of one takes GLPK's memory with it, the other
 * makes its own anew. */
static void a_neighbour_is_not_harmed(void **state)
{
    (void)state;
    static struct solver one, other;
    fill(&one, 5);
    fill(&other, 6);
    for (uint32_t i = 0; i < 5; i++) {
        other.recombined = one.recombined = 0; /* ask again, although nothing is new */
        (void)solver_recombine(&other);
        assert_int_not_equal(other.master.end, MASTER_FAILED);
        assert_int_equal(other.master.warm, i > 0 && i != 3);
        one.master_limits.fault = i == 2 ? FAULT_ABORT : FAULT_NONE;
        (void)solver_recombine(&one);
        assert_int_equal(one.master.end == MASTER_FAILED, i == 2);
    }
    solver_close(&one);
    solver_close(&other);
    master_leave();
}

/* Wherever the pivots run out, the plan holds, and with enough of them it becomes better. */
static void limits_are_kept(void **state)
{
    (void)state;
    static struct solver solver;
    fill(&solver, 4);
    int64_t before = solver.plan.cost;
    uint32_t cut_short = 0;
    solver.master_limits.nodes_max = 0;
    for (int pivots = 1; pivots < 1000; pivots += pivots) {
        solver.master_limits.pivots_max = pivots;
        solver_begin(&solver);
        (void)solver_recombine(&solver);
        assert_true(solver.master.pivots <= pivots);
        assert_true(solver.plan.cost <= before);
        plan_check(&solver.plan);
        cut_short += solver.master.end == MASTER_LIMIT;
    }
    assert_true(cut_short > 2);
    solver.master_limits = master_limits_default;
    solver_begin(&solver);
    assert_true(solver_recombine(&solver));
    solver_close(&solver);
    master_leave();
}

static bool stop_at_third(void *context)
{
    uint32_t *asked = context;
    return ++*asked >= 3;
}

/* The next event need not wait: the call ends, and the next one goes on where this one was. */
static void an_event_ends_it(void **state)
{
    (void)state;
    static struct solver solver;
    fill(&solver, 4);
    uint32_t asked = 0;
    solver.master_limits.stop = stop_at_third;
    solver.master_limits.context = &asked;
    assert_false(solver_recombine(&solver));
    assert_int_equal(solver.master.end, MASTER_LIMIT);
    assert_int_equal(asked, 3);
    plan_check(&solver.plan);
    solver.master_limits.stop = NULL;
    assert_true(solver_recombine(&solver));
    assert_true(solver.master.warm);
    solver_close(&solver);
    master_leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recombines),       cmocka_unit_test(an_abort_is_survived),
        cmocka_unit_test(a_nan_is_refused), cmocka_unit_test(a_nan_inside_is_noticed),
        cmocka_unit_test(a_loop_is_left),   cmocka_unit_test(a_neighbour_is_not_harmed),
        cmocka_unit_test(limits_are_kept),  cmocka_unit_test(an_event_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
