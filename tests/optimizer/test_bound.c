/* Lower bounds against the best plans there are, on random small days with every rule in them. */
#include "optimizer/bound/price.h"
#include "small_day.h"

enum { PRICED_CASES = 300, ROUNDS = 300 };

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
}

static void world_close(struct world *world)
{
    arena_close(&world->memory);
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
            price(&priced, in, &recall, t, &duals, &options, &world.memory);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pricing_is_exact_or_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
