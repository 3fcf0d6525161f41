#include "optimizer/solve_bound.h"

void solve_bound_open(struct solve_bound *it, struct solver *solver,
                      const struct bound_options *options)
{
    *it = (struct solve_bound){.solver = solver, .end = BOUND_MORE};
    bound_open(&it->bound, &solver->in, options);
    bound_take_plan(&it->bound, &solver->plan);
    pool_judge(&solver->pool, &solver->in);
    bound_take_pool(&it->bound, &solver->pool);
}

void solve_bound_close(struct solve_bound *it)
{
    bound_close(&it->bound);
}

enum bound_end solve_bound_run(struct solve_bound *it, uint32_t rounds)
{
    if (it->end == BOUND_MORE) it->end = bound_run(&it->bound, rounds, it->solver->plan.cost);
    return it->end;
}

/* Whether a walk is a route: every visit once, and every rule holds. */
static bool route_of_walk(const struct solve_bound *it, uint32_t index, struct route *route)
{
    const struct instance *in = &it->solver->in;
    const struct known_walk *walk = &it->bound.walks.list[index];
    const uint16_t *visits = walks_visits(&it->bound.walks, index);
    if (walk->count > in->route_max) return false;
    route->count = walk->count;
    for (uint32_t i = 0; i < walk->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (visits[k] == visits[i]) return false;
        }
        route->stops[i + 1].visit = visits[i];
    }
    uint32_t technician = walk->technician;
    return route_refresh(in, technician, route) && route_keeps_order(in, technician, route) &&
           route_frozen_out(in, technician, route) == NO_INDEX;
}

bool solve_bound_recombine(struct solve_bound *it)
{
    static struct route route;
    const struct bound *bound = &it->bound;
    int64_t gap = it->solver->plan.cost * PROOF_FINE - bound->proof.bound;
    if (bound->proof.bound == INT64_MIN) return false;
    for (uint32_t i = 0; i < bound->walks.count; i++) {
        const struct known_walk *walk = &bound->walks.list[i];
        int64_t reduced = proof_reduced(&bound->proof, walk->technician,
                                        walks_visits(&bound->walks, i), walk->count, 0);
        if (reduced + walk->cost >= gap || !route_of_walk(it, i, &route)) continue;
        pool_add(&it->solver->pool, &it->solver->in, walk->technician, &route);
    }
    return solver_recombine(it->solver);
}

double proof_gap_percent(const struct proof *proof, int64_t cost)
{
    int64_t gap = cost - proof_seconds(proof), of = cost - proof->hopeless;
    return gap <= 0 || of <= 0 ? 0 : 100 * (double)gap / (double)of;
}
