/* Lower bounds against the best plans there are, on random small days with every rule in them. */
#include "optimizer/bound/bound.h"
#include "optimizer/bound/carry.h"
#include "small_day.h"

enum { PRICED_CASES = 150, BOUND_CASES = 200, ROUGH_CASES = 40, CARRIED_CASES = 150, ROUNDS = 300 };

static uint32_t cases_wanted(uint32_t otherwise)
{
    const char *text = getenv("CALLOUT_CASES");
    return text == NULL ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

/* A small day, solved, audited and searched through. */
struct world {
    struct small_day day;
    struct solver solver;
    struct audited audited;
    struct brute brutes[TECHNICIANS];
    int64_t best;
    uint32_t served;
    struct arena memory;
    struct desk desk;
};

/* No detour is shorter than the way. */
static void make_metric(struct small_day *day)
{
    for (uint32_t k = 0; k < PLACES; k++) {
        for (uint32_t i = 0; i < PLACES; i++) {
            for (uint32_t j = 0; j < PLACES; j++) {
                int32_t by = day->table.seconds[i][k] + day->table.seconds[k][j];
                if (by < day->table.seconds[i][j]) day->table.seconds[i][j] = by;
            }
        }
    }
}

static void world_begin(struct world *world, uint64_t seed)
{
    solver_open(&world->solver, &world->day.table.travel, SERVICE_DAY);
    tell(&world->day, &world->solver.day);
    solver_fresh(&world->solver, ROUNDS, seed);
    audited_open(&world->audited, &world->day.problem);
    world->best = brute_force(&world->audited.audit, world->brutes, &world->served);
    arena_open(&world->memory, 1 << 30);
    desk_open(&world->desk);
}

static void world_open(struct world *world, uint64_t seed)
{
    small_day_make(&world->day, seed);
    world_begin(world, seed);
}

static void world_open_metric(struct world *world, uint64_t seed)
{
    small_day_make(&world->day, seed);
    make_metric(&world->day);
    world_begin(world, seed);
}

static void world_close(struct world *world)
{
    arena_close(&world->memory);
    desk_close(&world->desk);
    audited_close(&world->audited);
    solver_close(&world->solver);
}

/* The least reduced cost of all routes that the technician could have. */
static int64_t least_of_all(const struct world *world, uint32_t technician, const int64_t *dual)
{
    int64_t least = FIELD_FAR;
    for (uint32_t set = 0; set < SETS; set++) {
        int64_t cost = world->brutes[technician].best[set];
        if (cost == INT64_MAX) continue;
        cost *= PROOF_FINE;
        for (uint32_t v = 0; v < world->day.problem.visit_count; v++)
            cost -= (set >> v & 1) != 0 ? dual[v] : 0;
        if (cost < least) least = cost;
    }
    return least;
}

static void pricing_is_exact_or_below(void **state)
{
    (void)state;
    static struct world world;
    uint32_t equal = 0, strict = 0, all = 0;
    for (uint64_t seed = 1; seed <= cases_wanted(PRICED_CASES); seed++) {
        world_open(&world, seed);
        struct recall recall;
        int64_t dual[ORDERS];
        const struct instance *in = &world.solver.in;
        recall_make(&recall, in, 8, &world.memory);
        for (uint32_t v = 0; v < in->visit_count; v++)
            dual[v] = between(&world.day, -500, 4000) * PROOF_FINE + between(&world.day, 0, 255);
        const struct duals duals = {.visit = dual};
        for (uint32_t t = 0; t < in->technician_count; t++) {
            const struct price_options options = {
                .limit = FIELD_FAR / 2, .labels_max = 100000, .walks_max = 8};
            struct priced priced;
            price(&priced, in, &recall, t, &duals, &options, &world.desk);
            int64_t least = least_of_all(&world, t, dual);
            assert_true(priced.closed);
            if (priced.least > least)
                fail_msg("case %llu, technician %u: %lld but %lld is possible",
                         (unsigned long long)seed, t, (long long)priced.least, (long long)least);
            all++;
            equal += priced.least == least;
            if (priced.relaxed == RELAXED_ELEMENTARY && priced.least < least) {
                strict++;
                if (getenv("CALLOUT_VERBOSE"))
                    printf("case %llu, technician %u: %lld, %lld below %lld\n",
                           (unsigned long long)seed, t, (long long)priced.least,
                           (long long)(least - priced.least), (long long)least);
            }
        }
        world_close(&world);
    }
    print_message("%u prices, %u equal to the best route, %u below without a reason\n", all, equal,
                  strict);
}

/* No route there is costs less than the proof's duals say of it (D1 and D3 of proof.h). */
static void no_route_is_cheaper(const struct world *world, const struct proof *proof)
{
    const struct instance *in = &world->solver.in;
    for (uint32_t v = 0; v < in->visit_count; v++)
        assert_true(proof->visit_dual[v] <= (int64_t)PROOF_FINE * in->nodes[v].price);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        for (uint32_t set = 0; set < SETS; set++) {
            const struct brute *brute = &world->brutes[t];
            uint16_t visits[ORDERS];
            uint32_t count = 0;
            if (brute->best[set] == INT64_MAX) continue;
            for (uint32_t left = set; left != 0; left &= left - 1, count++)
                visits[count] = (uint16_t)brute->best_order[set][count];
            assert_true(proof_reduced(proof, t, visits, count, brute->best[set]) >= 0);
        }
    }
    assert_true(proof->bound == proof_sum(proof));
}

static void a_bound_is_below_the_best_plan(void **state)
{
    (void)state;
    static struct world world;
    static struct bound bound;
    uint32_t equal = 0, cases = cases_wanted(BOUND_CASES);
    int64_t gap = 0;
    for (uint64_t seed = 1; seed <= cases; seed++) {
        world_open(&world, seed);
        bound_open(&bound, &world.solver.in, &bound_options_default);
        bound_take_plan(&bound, &world.solver.plan);
        enum bound_end end = bound_run(&bound, 200, INT64_MAX);
        if (end != BOUND_CONVERGED) fail_msg("case %llu: end %d", (unsigned long long)seed, end);
        if (proof_seconds(&bound.proof) > world.best)
            fail_msg("case %llu: no plan costs less than %lld, and one costs %lld",
                     (unsigned long long)seed, (long long)proof_seconds(&bound.proof),
                     (long long)world.best);
        no_route_is_cheaper(&world, &bound.proof);
        equal += proof_seconds(&bound.proof) == world.best;
        gap += world.best - proof_seconds(&bound.proof);
        bound_close(&bound);
        world_close(&world);
    }
    print_message("%u cases, %u bounds are what the best plan costs, %lld s below in all\n", cases,
                  equal, (long long)gap);
    assert_true(equal * 2 > cases);
}

/* As a day of many visits is bounded; returns what is proved, in seconds. */
static int64_t bound_roughly(struct world *world, uint32_t threads, struct bound *bound)
{
    struct bound_options options = bound_options_default;
    options.rough_above = 0;
    options.rough_places = 3;
    options.threads = threads;
    bound_open(bound, &world->solver.in, &options);
    bound_take_plan(bound, &world->solver.plan);
    assert_int_equal(bound_run(bound, 400, INT64_MAX), BOUND_CONVERGED);
    return proof_seconds(&bound->proof);
}

static void a_rough_bound_holds_with_any_number_of_threads(void **state)
{
    (void)state;
    static struct world world;
    static struct bound one, three;
    uint32_t equal = 0, cases = cases_wanted(ROUGH_CASES);
    for (uint64_t seed = 1; seed <= cases; seed++) {
        world_open(&world, seed);
        int64_t proven = bound_roughly(&world, 1, &one);
        assert_true(proven <= world.best);
        no_route_is_cheaper(&world, &one.proof);
        (void)bound_roughly(&world, 3, &three);
        assert_true(one.proof.bound == three.proof.bound && one.rounds == three.rounds);
        assert_memory_equal(one.proof.visit_dual, three.proof.visit_dual,
                            sizeof(int64_t) * world.solver.in.visit_count);
        equal += 1000 * (world.best - proven) <= 5 * world.best;
        bound_close(&one);
        bound_close(&three);
        world_close(&world);
    }
    print_message("%u cases, %u bounds are within half a percent of the best plan\n", cases, equal);
    assert_true(equal * 3 > cases);
}

/* --- over an event --------------------------------------------------------------------------- */

static void change_technician(struct small_day *day, const struct small_day *other, uint32_t t)
{
    struct technician_told *told = &day->technicians[t];
    if (now_and_then(day, 4)) {
        *told = other->technicians[t];
        return;
    }
    told->day.available_us += US(between(day, -1800, 1800));
    if (now_and_then(day, 2)) told->day.shift_end_us += US(between(day, -1800, 1800));
    if (now_and_then(day, 4)) told->day.break_us = 0;
}

static void change_visit(struct small_day *day, const struct small_day *other, uint32_t v)
{
    struct visit_told *told = &day->visits[v];
    uint32_t dice = rng_below(&day->rng, 6);
    if (dice == 0 && v < other->problem.visit_count) *told = other->visits[v];
    if (dice == 1) told->visit.service_us += US(between(day, 0, 900));
    if (dice == 2) told->planned_start_us += told->planned_start_us == 0 ? 0 : US(1200);
    if (dice == 3 && told->planned_start_us != 0)
        told->technician_id =
            day->technician_ids[rng_below(&day->rng, day->problem.technician_count)];
    if (dice == 4) told->mobility = VISIT_MOVABLE;
    if (dice == 5 && told->visit.window_count > 0)
        told->visit.windows[told->visit.window_count - 1].end_us += US(between(day, 0, 1800));
}

/* Some of the day becomes what it is in another one, or otherwise. */
static void change_day(struct world *world, const struct small_day *other)
{
    struct small_day *day = &world->day;
    struct workday *to = &world->solver.day;
    struct problem problem;
    uint32_t visits = day->problem.visit_count;
    if (now_and_then(day, 2)) visits = 1 + rng_below(&day->rng, other->problem.visit_count);
    for (uint32_t v = visits; v < day->problem.visit_count; v++)
        solver_remove_visit(&world->solver, day->visits[v].id);
    for (uint32_t v = 0; v < visits; v++) {
        bool fresh = v >= day->problem.visit_count;
        if (fresh)
            day->visits[v] = other->visits[v];
        else if (now_and_then(day, 3))
            change_visit(day, other, v);
        assert_int_equal(workday_set_visit(to, &day->visits[v], &problem), ERR_OK);
    }
    day->problem.visit_count = visits;
    for (uint32_t t = 0; t < day->problem.technician_count; t++) {
        if (now_and_then(day, 3)) change_technician(day, other, t);
        assert_int_equal(workday_set_technician(to, &day->technicians[t], &problem), ERR_OK);
    }
    if (now_and_then(day, 3)) day->problem.now_us += US(between(day, 0, 1800));
    workday_set_time(to, day->problem.now_us, day->problem.frozen_until_us, &day->policy);
}

static void world_again(struct world *world)
{
    solver_begin(&world->solver);
    audited_close(&world->audited);
    audited_open(&world->audited, &world->day.problem);
    world->best = brute_force(&world->audited.audit, world->brutes, &world->served);
}

static void duals_are_carried_over_events(void **state)
{
    (void)state;
    static struct world world;
    static struct small_day other;
    static struct bound carry_bound;
    uint32_t events = 0, repriced = 0, cases = cases_wanted(CARRIED_CASES);
    int64_t gap = 0;
    for (uint64_t seed = 1; seed <= cases; seed++) {
        struct carry carry;
        struct carry_options options = carry_options_default;
        options.metric = seed % 2 == 0;
        options.exact_max = seed % 3 == 0 ? 0 : 4;
        small_day_make(&other, seed + 1000000);
        small_day_make(&world.day, seed);
        if (other.problem.technician_count != world.day.problem.technician_count) continue;
        if (options.metric)
            world_open_metric(&world, seed);
        else
            world_open(&world, seed);
        bound_open(&carry_bound, &world.solver.in, &bound_options_default);
        bound_take_plan(&carry_bound, &world.solver.plan);
        assert_int_equal(bound_run(&carry_bound, 200, INT64_MAX), BOUND_CONVERGED);
        carry_open(&carry, &options);
        assert_false(carry_over(&carry, &world.solver.day, &world.solver.in, &world.solver.plan));
        carry_keep(&carry, &world.solver.day, &world.solver.in, &carry_bound.proof);
        bound_close(&carry_bound);
        for (uint32_t i = 0; i < 3; i++) {
            change_day(&world, &other);
            world_again(&world);
            assert_true(
                carry_over(&carry, &world.solver.day, &world.solver.in, &world.solver.plan));
            if (proof_seconds(&carry.proof) > world.best)
                fail_msg("case %llu, event %u: no plan costs less than %lld, and one costs %lld",
                         (unsigned long long)seed, i, (long long)proof_seconds(&carry.proof),
                         (long long)world.best);
            no_route_is_cheaper(&world, &carry.proof);
            events++;
            repriced += carry.repriced;
            gap += world.best - proof_seconds(&carry.proof);
        }
        carry_close(&carry);
        world_close(&world);
    }
    print_message("%u events, %u technicians priced again, %lld s below in all\n", events, repriced,
                  (long long)gap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pricing_is_exact_or_below),
        cmocka_unit_test(a_bound_is_below_the_best_plan),
        cmocka_unit_test(a_rough_bound_holds_with_any_number_of_threads),
        cmocka_unit_test(duals_are_carried_over_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
