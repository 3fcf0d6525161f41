/* What is read off the duals, against what really happens: the change is made, and all is solved
 * again, the linear program as far as it goes and the plan by brute force.
 *
 * CALLOUT_CASES=N in the environment makes it N cases instead of some dozens.
 */
#include "../short.h"
#include "optimizer/bound/bound.h"
#include "optimizer/bound/shadow.h"
#include "optimizer/bound_message.h"
#include "small_day.h"

enum { CASES_DEFAULT = 60, CASES_SHORT = 20, ROUNDS = 100, BOUND_ROUNDS = 200, HOUR_S = 3600 };

struct solved {
    struct small_day day;
    struct solver solver;
    struct audited audited;
    struct bound bound;
    enum bound_end end;
    int64_t best; /* by brute force */
};

static struct brute brutes[TECHNICIANS];

/* Solves what is in solved->day. */
static void solve(struct solved *solved, uint64_t seed)
{
    uint32_t served;
    solver_open(&solved->solver, &solved->day.table.travel, SERVICE_DAY);
    tell(&solved->day, &solved->solver.day);
    solver_fresh(&solved->solver, ROUNDS, seed);
    audited_open(&solved->audited, &solved->day.problem);
    solved->best = brute_force(&solved->audited.audit, brutes, &served);
    bound_open(&solved->bound, &solved->solver.in, &bound_options_default);
    bound_take_plan(&solved->bound, &solved->solver.plan);
    solved->end = bound_run(&solved->bound, BOUND_ROUNDS, INT64_MAX / 1024);
}

static void unsolve(struct solved *solved)
{
    bound_close(&solved->bound);
    audited_close(&solved->audited);
    solver_close(&solved->solver);
}

static struct solved before, after;

struct tally {
    uint32_t changes, worth, exact, too_low, wrong_sign;
};

/* The bound falls by no more than the price says, and so does, beyond the gap, the best plan. */
static void compare(const char *what, uint64_t seed, int64_t worth, struct tally *tally)
{
    int64_t fell = before.bound.proof.bound - after.bound.proof.bound;
    int64_t gap = before.best - proof_seconds(&before.bound.proof);
    int64_t saved = before.best - after.best;
    bool low =
        (after.end == BOUND_CONVERGED && fell > worth) || saved > gap + shadow_seconds(worth);
    bool sign = worth == 0 && gap == 0 && saved > 0;
    tally->changes++;
    tally->worth += worth > 0;
    tally->exact += fell == worth;
    tally->too_low += low;
    tally->wrong_sign += sign;
    if (low || sign)
        printf("case %llu, %s: worth %lld, the bound fell by %lld, the best plan by %lld s, gap "
               "%lld\n",
               (unsigned long long)seed, what, (long long)worth, (long long)fell, (long long)saved,
               (long long)gap);
}

/* The day of `before`, changed by the caller, is solved after. */
static void begin_change(uint64_t seed)
{
    small_day_make(&after.day, seed);
}

static void end_change(const char *what, uint64_t seed, int64_t worth, struct tally *tally)
{
    solve(&after, seed);
    compare(what, seed, worth, tally);
    unsolve(&after);
}

static void try_change(const struct shadow_price *price, uint64_t seed, struct tally *tally)
{
    begin_change(seed);
    if (price->kind == SHADOW_HOUR) {
        struct route_day *day = &after.day.technicians[price->technician].day;
        day->shift_end_us += US(HOUR_S);
        end_change("hour", seed, price->worth, tally);
    } else if (price->kind == SHADOW_WINDOW) {
        struct route_visit *visit = &after.day.visits[price->visit].visit;
        visit->window_count = 0;
        visit->late_us_max = 0;
        end_change("window", seed, price->worth, tally);
    }
}

/* Without the visit the bound is lower by its price at most: what it costs is what serving it does.
 */
static void try_without(const struct shadow_price *price, uint64_t seed, struct tally *tally)
{
    uint32_t last = before.day.problem.visit_count - 1;
    if (price->visit != last || last == 0 || before.solver.in.nodes[last].frozen) return;
    begin_change(seed);
    after.day.problem.visit_count--;
    end_change("visit", seed, price->worth, tally);
}

static uint32_t cases_wanted(void)
{
    const char *text = getenv("CALLOUT_CASES");
    if (text == NULL && short_form()) return CASES_SHORT;
    return text == NULL ? CASES_DEFAULT : (uint32_t)strtoul(text, NULL, 10);
}

static void prices_are_what_a_change_saves_at_most(void **state)
{
    struct tally tally = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= cases_wanted(); seed++) {
        struct arena arena;
        struct shadow_list list;
        small_day_make(&before.day, seed);
        solve(&before, seed);
        arena_open(&arena, (size_t)256 << 20);
        shadow_prices(&before.solver.day, &before.solver.in, &before.bound.recall,
                      &before.bound.proof, &shadow_options_default, &arena, &list);
        for (uint32_t i = 0; i < list.count; i++) {
            if (list.items[i].kind == SHADOW_VISIT)
                try_without(&list.items[i], seed, &tally);
            else
                try_change(&list.items[i], seed, &tally);
        }
        arena_close(&arena);
        unsolve(&before);
    }
    print_message("%u changes: %u worth something, %u exact to the unit, %u priced too low, %u "
                  "worth nothing and yet good\n",
                  tally.changes, tally.worth, tally.exact, tally.too_low, tally.wrong_sign);
    assert_int_equal(tally.too_low, 0);
    assert_int_equal(tally.wrong_sign, 0);
    assert_true(tally.worth > 0 && tally.exact > tally.changes / 4);
}

/* What is worth something is in the report, in the dispatcher's words. */
static void a_report_says_the_same(void **state)
{
    struct arena arena;
    struct shadow_list list;
    Callout__BoundReport report;
    Callout__PlanBound bound;
    (void)state;
    small_day_make(&before.day, 3);
    solve(&before, 3);
    arena_open(&arena, (size_t)256 << 20);
    shadow_prices(&before.solver.day, &before.solver.in, &before.bound.recall, &before.bound.proof,
                  &shadow_options_default, &arena, &list);
    callout__bound_report__init(&report);
    bound_report_prices(&report, &before.solver.day, &before.solver.in, &list, &arena);
    uint32_t at = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.items[i].worth <= 0) continue;
        assert_int_equal(report.prices[at]->seconds, shadow_seconds(list.items[i].worth));
        if (list.items[i].kind == SHADOW_VISIT)
            assert_string_equal(report.prices[at]->appointment_id,
                                before.day.visits[list.items[i].visit].id);
        at++;
    }
    assert_int_equal(report.n_prices, at);
    assert_true(at > 0);
    int64_t cost = before.solver.plan.cost, lower = proof_seconds(&before.bound.proof);
    plan_bound_fill(&bound, &before.bound.proof, 41, cost, 5);
    assert_true(bound.known && bound.certified);
    assert_int_equal(bound.gap_seconds, cost - lower);
    int64_t above = cost - before.bound.proof.hopeless;
    if (above > 0) assert_int_equal(bound.gap_ppm, (cost - lower) * 1000000 / above);
    arena_close(&arena);
    unsolve(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_says_the_same),
        cmocka_unit_test(prices_are_what_a_change_saves_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
