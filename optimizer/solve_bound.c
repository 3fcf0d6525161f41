#include "optimizer/solve_bound.h"

#include <string.h>

void solve_bound_open(struct solve_bound *it, struct solver *solver,
                      const struct bound_options *options)
{
    *it = (struct solve_bound){.solver = solver, .end = BOUND_MORE};
    bound_open(&it->bound, &solver->in, options);
    bound_take_plan(&it->bound, &solver->plan);
    pool_judge(&solver->pool, &solver->in);
    bound_take_pool(&it->bound, &solver->pool);
}

static void tree_drop(struct solve_tree *tree)
{
    if (!tree->open) return;
    tree_close(&tree->tree);
    arena_close(&tree->arena);
    tree->open = false;
}

void solve_bound_close(struct solve_bound *it)
{
    for (uint32_t i = 0; i < 2; i++)
        tree_drop(&it->trees[i]);
    bound_close(&it->bound);
}

static int64_t solve_bound_seconds(const struct solve_bound *it)
{
    struct solve_proof proof;
    return solve_bound_proof(it, &proof) ? solve_proof_seconds(&proof) : INT64_MIN;
}

/* Every rule holds. */
static bool route_is_good(const struct instance *in, uint32_t technician, struct route *route)
{
    return route->count <= in->route_max && route_refresh(in, technician, route) &&
           route_keeps_order(in, technician, route) &&
           route_frozen_out(in, technician, route) == NO_INDEX;
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
    return route_is_good(in, walk->technician, route);
}

/* --- the tree -------------------------------------------------------------------------------- */

enum {
    TREE_MEMORY_MAX = 1 << 29,
    TREE_NODES_MAX = 4000,
    TREE_ROUTES_MAX = 60000,
    TREE_ROUTES = 4000,
    CUT_ROUNDS_BEFORE = 3, /* a tree is tried */
};

static const uint64_t TREE_STEPS_MAX = 2000000;
static const double TREE_ROOM = 0.02,
                    TREE_ROOM_MIN = 0.004; /* of the cost: how far above the bound its target is */

static void proof_copy(struct proof *to, const struct proof *from, struct arena *arena)
{
    int64_t *visits = arena_need(arena, sizeof *visits * (from->visit_count + 1));
    int64_t *technicians = arena_need(arena, sizeof *technicians * (from->technician_count + 1));
    struct proof_cut *cuts = arena_need(arena, sizeof *cuts * (from->cut_count + 1));
    memcpy(visits, from->visit_dual, sizeof *visits * from->visit_count);
    memcpy(technicians, from->technician_dual, sizeof *technicians * from->technician_count);
    memcpy(cuts, from->cuts, sizeof *cuts * from->cut_count);
    *to = *from;
    to->visit_dual = visits;
    to->technician_dual = technicians;
    to->cuts = cuts;
}

/* The first of his kind who has no visits yet. */
static uint32_t driver_of(const struct plan *plan, uint32_t technician)
{
    for (uint32_t t = technician; t < plan->in->technician_count; t++) {
        if (plan->in->technicians[t].alike == technician && plan->routes[t].count == 0) return t;
    }
    return NO_INDEX;
}

/* Makes the tree's plan; false: some rule that pricing widened does not hold. */
static bool tree_plan_make(const struct solve_tree *tree, struct plan *plan)
{
    const struct choice *choice = &tree->choice;
    for (uint32_t i = 0; i < tree->tree.plan_count; i++) {
        uint32_t index = tree->tree.plan[i];
        const struct known_walk *walk = &choice->routes.list[index];
        const uint16_t *order = choice->order + (size_t)index * CHOICE_LENGTH_MAX;
        uint32_t technician = driver_of(plan, walk->technician);
        if (technician == NO_INDEX || !plan_set_route(plan, technician, order, walk->count) ||
            !route_is_good(plan->in, technician, &plan->routes[technician]))
            return false;
    }
    return true;
}

/* The tree has none yet: the master may find one among the routes that it has looked at. */
static void tree_routes_give(struct solve_bound *it, const struct tree *tree)
{
    static struct route route;
    const struct instance *in = &it->solver->in;
    for (uint32_t j = 0; j < tree->column_count; j++) {
        uint32_t index = tree->columns[j];
        if (index == NO_INDEX) continue;
        const struct known_walk *walk = &tree->choice->routes.list[index];
        const uint16_t *order = tree->choice->order + (size_t)index * CHOICE_LENGTH_MAX;
        route.count = walk->count;
        for (uint32_t i = 0; i < walk->count; i++)
            route.stops[i + 1].visit = order[i];
        if (route_is_good(in, walk->technician, &route))
            pool_add(&it->solver->pool, in, walk->technician, &route);
    }
}

/* The plan that the tree has found becomes the solver's, if it is better and days may change as
 * they like. */
static void tree_plan_take(struct solve_bound *it, struct solve_tree *tree)
{
    struct solver *solver = it->solver;
    struct plan plan;
    if (tree->tree.plan_count == 0) tree_routes_give(it, &tree->tree);
    if (tree->tree.plan_count == 0 || solver->in.stability != NULL) return;
    plan_make(&plan, &solver->in, &solver->stamp, &tree->arena);
    if (!tree_plan_make(tree, &plan) || plan.cost >= solver->plan.cost ||
        !plan_keeps_pins(&plan, &solver->plan))
        return;
    plan_copy(&solver->plan, &plan);
    pool_keep(&solver->pool, &solver->plan);
}

/* Tries to prove `target`, or what so many routes are enough for. NULL: there are too many. */
static const struct solve_tree *tree_try(struct solve_bound *it, int64_t target, uint32_t routes)
{
    struct bound *bound = &it->bound;
    struct solve_tree *tree = &it->trees[it->best == &it->trees[0]];
    const struct choice_options options = {TREE_ROUTES_MAX, routes, TREE_STEPS_MAX,
                                           bound->options.stop, bound->options.context};
    tree_drop(tree);
    arena_open(&tree->arena, TREE_MEMORY_MAX);
    proof_copy(&tree->proof, &bound->proof, &tree->arena);
    bool listed = choice_make(&tree->choice, bound->in, &bound->recall, &tree->proof, target,
                              &options, &bound->crowd.desks[0], &tree->arena);
    if (!listed) {
        arena_close(&tree->arena);
        return NULL;
    }
    tree_open(&tree->tree, bound->in, &tree->choice, &bound->relaxation, &tree->proof,
              TREE_NODES_MAX, &tree->arena);
    tree->open = true;
    (void)tree_run(&tree->tree, TREE_NODES_MAX, options.stop, options.context);
    if (tree_bound(&tree->tree) > solve_bound_seconds(it)) it->best = tree;
    tree_plan_take(it, tree);
    return tree;
}

static bool proven(const struct solve_bound *it)
{
    return solve_bound_seconds(it) >= it->solver->plan.cost;
}

static bool asked_to_stop(const struct solve_bound *it)
{
    const struct bound_options *options = &it->bound.options;
    return options->stop != NULL && options->stop(options->context);
}

/* The nearer the target, the fewer routes there are to choose from; it goes up from one that is
 * near enough to be reached. False: there were too many routes at every
 * target. */
static bool trees(struct solve_bound *it)
{
    bool any = false;
    double share = TREE_ROOM;
    uint32_t routes = TREE_ROUTES;
    while (!proven(it) && !asked_to_stop(it) && share >= TREE_ROOM_MIN) {
        int64_t bound = proof_seconds(&it->bound.proof), cost = it->solver->plan.cost;
        int64_t target = bound + 1 + (int64_t)(share * (double)(cost - it->bound.proof.hopeless));
        if (target > cost) target = cost;
        if (target <= solve_bound_seconds(it)) return any;
        const struct solve_tree *tree = tree_try(it, target, routes);
        if (tree == NULL) {
            share /= 2;
            continue;
        }
        any = true;
        if (tree_bound(&tree->tree) < tree->choice.target) return any; /* it takes too long */
        share *= 2;
        routes *= 2;
    }
    return any;
}

enum bound_end solve_bound_run(struct solve_bound *it, uint32_t rounds)
{
    uint32_t cut_rounds = it->bound.options.cut_rounds;
    if (it->end != BOUND_MORE) return it->end;
    for (uint32_t cuts = CUT_ROUNDS_BEFORE;; cuts += CUT_ROUNDS_BEFORE) {
        bool last = cuts >= cut_rounds;
        it->bound.options.cut_rounds = last ? cut_rounds : cuts;
        it->end = bound_run(&it->bound, rounds, it->solver->plan.cost);
        if (it->end != BOUND_CONVERGED) break;
        if (!trees(it)) cuts = cut_rounds; /* all of them, before it is tried again */
        if (proven(it)) it->end = BOUND_REACHED;
        if (it->end == BOUND_REACHED || last || asked_to_stop(it)) break;
    }
    return it->end;
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

bool solve_bound_proof(const struct solve_bound *it, struct solve_proof *proof)
{
    bool any = it->bound.proof.bound > INT64_MIN;
    *proof = (struct solve_proof){any ? &it->bound.proof : NULL, NULL};
    if (it->best != NULL && tree_bound(&it->best->tree) > proof_seconds(&it->bound.proof))
        *proof = (struct solve_proof){&it->best->proof, &it->best->tree};
    return any;
}

int64_t solve_proof_seconds(const struct solve_proof *proof)
{
    return proof->tree != NULL ? tree_bound(proof->tree) : proof_seconds(proof->proof);
}

double solve_proof_gap_percent(const struct solve_proof *proof, int64_t cost)
{
    int64_t gap = cost - solve_proof_seconds(proof), of = cost - proof->proof->hopeless;
    return gap <= 0 || of <= 0 ? 0 : 100 * (double)gap / (double)of;
}
