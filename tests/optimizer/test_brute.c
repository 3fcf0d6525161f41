/* Random small days with every rule in them, against the best plan there is.
 *
 * No plan of the solver may break a rule, cost less than that, or say another price than the
 * auditor; and nearly all must cost no more.
 *
 * CALLOUT_CASES=N in the environment makes it N cases instead of a few hundred.
 */
#include "small_day.h"

enum { CASES_DEFAULT = 500, ROUNDS = 1000 };

static struct brute brutes[TECHNICIANS];

/* --- the solver against it ------------------------------------------------------------------- */

struct tally {
    uint32_t cases, broken, below, equal;
    int64_t gap_max, gap_sum;
    uint64_t gap_seed, tried;
};

static void solve_case(struct solver *solver, const struct small_day *day, uint64_t seed)
{
    solver_open(solver, &day->table.travel, SERVICE_DAY);
    tell(day, &solver->day);
    solver_fresh(solver, ROUNDS, seed);
}

/* All that one needs to understand a case. */
static void describe(const struct small_day *day)
{
    for (uint32_t t = 0; t < day->problem.technician_count; t++) {
        const struct technician_told *told = &day->technicians[t];
        printf("%s from %lld to %lld + %lld, break of %lld in %lld..%lld, carries %d:", told->id,
               (long long)seconds(told->day.available_us),
               (long long)seconds(told->day.shift_end_us),
               (long long)(told->day.overtime_us_max / 1000000),
               (long long)(told->day.break_us / 1000000),
               (long long)seconds(told->day.break_earliest_us),
               (long long)seconds(told->day.break_latest_us), (int)told->capacity);
        if (told->day.leg_s_max > 0) printf(" leg of %d", (int)told->day.leg_s_max);
        if (told->day.travel_s_max > 0) printf(" travel of %d", (int)told->day.travel_s_max);
        for (uint32_t i = 0; i < told->skill_count; i++)
            printf(" %s %u", told->skills[i].name, told->skills[i].level);
        printf("\n");
    }
    for (uint32_t v = 0; v < day->problem.visit_count; v++) {
        const struct visit_told *told = &day->visits[v];
        printf("%s of %lld s, load %d, priority %u, %s with '%s' at %lld%s", told->id,
               (long long)(told->visit.service_us / 1000000), (int)told->load, told->priority,
               told->mobility == VISIT_MOVABLE  ? "movable"
               : told->mobility == VISIT_PINNED ? "pinned"
                                                : "frozen",
               told->technician_id, (long long)seconds(told->planned_start_us),
               told->published ? " published" : "");
        for (uint32_t w = 0; w < told->visit.window_count; w++)
            printf(" %lld..%lld", (long long)seconds(told->visit.windows[w].start_us),
                   (long long)seconds(told->visit.windows[w].end_us));
        if (told->visit.late_us_max > 0)
            printf(" late %lld", (long long)(told->visit.late_us_max / 1000000));
        for (uint32_t w = 0; w < told->visit.preferred_count; w++)
            printf(" best %lld..%lld", (long long)seconds(told->visit.preferred[w].start_us),
                   (long long)seconds(told->visit.preferred[w].end_us));
        for (uint32_t i = 0; i < told->preferred_count; i++)
            printf(" best %s", told->preferred[i]);
        for (uint32_t i = 0; i < told->required_count; i++)
            printf(" only %s", told->required[i]);
        if (told->choice_count > 0) printf(" needs gas 3 or heat 1");
        for (uint32_t i = 0; i < told->skill_count; i++)
            printf(" needs %s %u", told->skills[i].name, told->skills[i].level);
        for (uint32_t i = 0; i < told->excluded_count; i++)
            printf(" not %s", told->excluded[i]);
        printf("\n");
    }
    printf("frozen until %lld\n", (long long)seconds(day->problem.frozen_until_us));
}

static void describe_plans(const struct small_day *day, const struct solver *solver,
                           uint32_t served)
{
    for (uint32_t t = day->problem.technician_count; t-- > 0;) {
        uint32_t part = brutes[t].part[served];
        printf("%s:", day->technicians[t].id);
        for (uint32_t i = 1; i <= solver->plan.routes[t].count; i++)
            printf(" %s", day->visits[solver->plan.routes[t].stops[i].visit].id);
        printf("; the best is");
        for (uint32_t i = 0, left = part; left != 0; left &= left - 1, i++)
            printf(" %s", day->visits[brutes[t].best_order[part][i]].id);
        printf("\n");
        served &= ~part;
    }
}

static void describe_cost(const struct audit_cost *cost)
{
    printf("travel %lld, overtime %lld, lateness %lld, preferred window %lld and technician %lld, "
           "change of technician %lld and start %lld, idle %lld, unserved %lld\n",
           (long long)cost->travel, (long long)cost->overtime, (long long)cost->lateness,
           (long long)cost->preferred_window, (long long)cost->preferred_technician,
           (long long)cost->change_technician, (long long)cost->change_start, (long long)cost->idle,
           (long long)cost->unserved);
}

static void run_case(uint64_t seed, struct tally *tally)
{
    static struct small_day day;
    static struct solver solver;
    static struct audited audited;
    small_day_make(&day, seed);
    solve_case(&solver, &day, seed);
    audited_open(&audited, &day.problem);
    audited_plan(&audited, &solver);
    if (!audited_clean(&audited, &solver)) {
        printf("in case %llu\n", (unsigned long long)seed);
        tally->broken++;
    }
    uint32_t served;
    int64_t best = brute_force(&audited.audit, brutes, &served);
    for (uint32_t t = 0; t < day.problem.technician_count; t++)
        tally->tried += brutes[t].tried;
    int64_t gap = solver.plan.cost - best;
    tally->cases++;
    tally->below += gap < 0;
    tally->equal += gap == 0;
    if (gap != 0)
        printf("case %llu: %lld, and %lld is possible\n", (unsigned long long)seed,
               (long long)solver.plan.cost, (long long)best);
    if (gap > tally->gap_max) {
        tally->gap_max = gap;
        tally->gap_seed = seed;
    }
    tally->gap_sum += gap;
    if (getenv("CALLOUT_CASE") != NULL) {
        describe(&day);
        describe_plans(&day, &solver, served);
        describe_cost(&audited.report.cost);
    }
    audited_close(&audited);
    solver_close(&solver);
}

static uint32_t cases_wanted(void)
{
    const char *text = getenv("CALLOUT_CASES");
    return text == NULL ? CASES_DEFAULT : (uint32_t)strtoul(text, NULL, 10);
}

static void as_good_as_brute_force_and_never_better(void **state)
{
    (void)state;
    struct tally tally = {0};
    if (getenv("CALLOUT_CASE") != NULL) {
        run_case(strtoull(getenv("CALLOUT_CASE"), NULL, 10), &tally);
        return;
    }
    for (uint64_t seed = 1; seed <= cases_wanted(); seed++)
        run_case(seed, &tally);
    print_message("%u cases, %llu routes tried: %u equal, %u below, %u with a broken rule; worst "
                  "gap %lld s in case %llu, %lld s in all\n",
                  tally.cases, (unsigned long long)tally.tried, tally.equal, tally.below,
                  tally.broken, (long long)tally.gap_max, (unsigned long long)tally.gap_seed,
                  (long long)tally.gap_sum);
    assert_int_equal(tally.broken, 0);
    assert_int_equal(tally.below, 0);
    assert_true(tally.equal * 100 >= tally.cases * 99);
}

/* A frozen visit and a pinned one behind it fit, and the frozen one alone does not: the way home
 * from there is too long, and by way of the other it is shorter. */
static void a_beginning_that_does_not_fit_is_no_mishap(void **state)
{
    struct tally tally = {0};
    (void)state;
    run_case(18781, &tally);
    assert_int_equal(tally.broken, 0);
    assert_int_equal(tally.below, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beginning_that_does_not_fit_is_no_mishap),
        cmocka_unit_test(as_good_as_brute_force_and_never_better),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
