#include "optimizer/solve_lanes.h"

#include "base/check.h"
#include "base/rng.h"

#include <pthread.h>
#include <stdlib.h>

enum { LANE_COLUMNS = 4096, LANE_PIECES = 16384, LANE_MEMORY_MAX = 1 << 30 };

struct lane {
    struct arena memory;
    uint32_t stamp;
    struct pool pool;
    struct plan start; /* what it began from, in its own stamps */
    struct search search;
};

/* --- plans of other stamps ------------------------------------------------------------------- */

/* The same plan. A stamp means nothing to a plan that counts its own, so visits are compared. */
static void take_plan(struct plan *to, const struct plan *from)
{
    const struct instance *in = to->in;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (!route_same(&to->routes[t], &from->routes[t])) CHECK(plan_set_route(to, t, NULL, 0));
    }
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct route *route = &from->routes[t];
        uint16_t visits[ROUTE_MAX];
        if (route_same(&to->routes[t], route)) continue;
        for (uint32_t i = 0; i < route->count; i++)
            visits[i] = route->stops[i + 1].visit;
        CHECK(plan_set_route(to, t, visits, route->count));
    }
    CHECK(to->cost == from->cost);
}

/* --- open and close -------------------------------------------------------------------------- */

static void lane_open(struct lane *lane, const struct solver *solver, uint64_t seed)
{
    arena_open(&lane->memory, LANE_MEMORY_MAX);
    lane->stamp = 0;
    pool_open(&lane->pool, LANE_COLUMNS, LANE_PIECES, &lane->memory);
    pool_turn(&lane->pool);
    plan_make(&lane->start, &solver->in, &lane->stamp, &lane->memory);
    take_plan(&lane->start, &solver->plan);
    struct search_options options = solver->search.options;
    options.seed = seed;
    options.pool = &lane->pool;
    search_open(&lane->search, &lane->start, &options, &lane->memory);
}

void lanes_open(struct lanes *lanes, struct solver *solver, uint32_t count, uint32_t threads)
{
    CHECK(count >= 1 && count <= LANES_MAX && threads >= 1 && solver->searching);
    *lanes = (struct lanes){.solver = solver, .count = count};
    lanes->threads = threads < count ? threads : count;
    if (count == 1) return;
    lanes->others = calloc(count - 1, sizeof *lanes->others);
    CHECK(lanes->others != NULL);
    struct rng rng = {solver->search.options.seed};
    for (uint32_t i = 0; i + 1 < count; i++)
        lane_open(&lanes->others[i], solver, rng_next(&rng));
}

void lanes_close(struct lanes *lanes)
{
    for (uint32_t i = 0; i + 1 < lanes->count; i++)
        arena_close(&lanes->others[i].memory);
    free(lanes->others);
    *lanes = (struct lanes){0};
}

/* --- running --------------------------------------------------------------------------------- */

/* What one thread does of a run: the lanes first, first + threads, ... */
struct share {
    struct lanes *lanes;
    uint64_t rounds;
    uint32_t first;
};

static void *run_share(void *argument)
{
    const struct share *share = argument;
    struct lanes *lanes = share->lanes;
    for (uint32_t i = share->first; i < lanes->count; i += lanes->threads) {
        struct search *search = i == 0 ? &lanes->solver->search : &lanes->others[i - 1].search;
        (void)search_run(search, share->rounds);
    }
    return NULL;
}

static void run_all(struct lanes *lanes, uint64_t rounds)
{
    const uint32_t count = lanes->threads;
    pthread_t threads[LANES_MAX];
    struct share shares[LANES_MAX];
    CHECK(count >= 1 && count <= LANES_MAX);
    for (uint32_t i = 0; i < count; i++)
        shares[i] = (struct share){lanes, rounds, i};
    for (uint32_t i = 1; i < count; i++)
        CHECK(pthread_create(&threads[i], NULL, run_share, &shares[i]) == 0);
    (void)run_share(&shares[0]);
    for (uint32_t i = 1; i < count; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

/* What is only known once the search is under way. */
static void follow(struct search_options *options, const struct search_options *first)
{
    options->rounds = first->rounds;
    options->coolings = first->coolings;
}

void lanes_improve(struct lanes *lanes, uint64_t rounds)
{
    struct solver *solver = lanes->solver;
    if (lanes->count == 1) {
        (void)solver_improve(solver, rounds);
        return;
    }
    uint64_t before = solver->search.done;
    for (uint32_t i = 0; i + 1 < lanes->count; i++)
        follow(&lanes->others[i].search.options, &solver->search.options);
    run_all(lanes, rounds);
    solver->work_done += (solver->search.done - before) * lanes->count;
    if (solver->search.best.cost < solver->plan.cost)
        plan_copy(&solver->plan, &solver->search.best);
    for (uint32_t i = 0; i + 1 < lanes->count; i++) {
        const struct plan *best = &lanes->others[i].search.best;
        if (best->cost < solver->plan.cost) take_plan(&solver->plan, best);
    }
    pool_keep(&solver->pool, &solver->plan);
}

/* --- joining --------------------------------------------------------------------------------- */

static void gather(struct solver *solver, struct lane *lane)
{
    const struct instance *in = &solver->in;
    pool_judge(&lane->pool, in);
    for (uint32_t column = 0; column < lane->pool.used; column++) {
        uint16_t visits[ROUTE_MAX];
        struct route route;
        if (!pool_holds(&lane->pool, column)) continue;
        uint32_t technician = in->technician_of_slot[lane->pool.columns[column].technician];
        route.count = pool_visits(&lane->pool, column, in, visits);
        for (uint32_t i = 0; i < route.count; i++)
            route.stops[i + 1].visit = visits[i];
        if (route_refresh(in, technician, &route)) pool_add(&solver->pool, in, technician, &route);
    }
    pool_clear(&lane->pool);
    pool_turn(&lane->pool);
}

void lanes_gather(struct lanes *lanes)
{
    for (uint32_t i = 0; i + 1 < lanes->count; i++)
        gather(lanes->solver, &lanes->others[i]);
}

void lanes_restart(struct lanes *lanes)
{
    struct solver *solver = lanes->solver;
    search_restart(&solver->search, &solver->plan);
    for (uint32_t i = 0; i + 1 < lanes->count; i++) {
        struct lane *lane = &lanes->others[i];
        take_plan(&lane->start, &solver->plan);
        search_restart(&lane->search, &lane->start);
    }
}
