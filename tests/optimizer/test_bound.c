/* Lower bounds against the best plans there are, on random small days with every rule in them. */
#include "optimizer/bound/bound.h"
#include "small_day.h"

enum { PRICED_CASES = 150, BOUND_CASES = 200, ROUNDS = 300 };

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

static void world_open(struct world *world, uint64_t seed)
{
    small_day_make(&world->day, seed);
    solver_open(&world->solver, &world->day.table.travel, SERVICE_DAY);
    tell(&world->day, &world->solver.day);
    solver_fresh(&world->solver, ROUNDS, seed);
    audited_open(&world->audited, &world->day.problem);
    world->best = brute_force(&world->audited.audit, world->brutes, &world->served);
    arena_open(&world->memory, 1 << 30);
    desk_open(&world->desk);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pricing_is_exact_or_below),
        cmocka_unit_test(a_bound_is_below_the_best_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
