#include "optimizer/solve.h"

#include "base/check.h"
#include "optimizer/core/stability.h"

enum {
    POOL_COLUMNS = 16384,
    POOL_PIECES = 40960, /* of six visits */
    WORK_MEMORY_MAX = 1 << 30,
    EVENT_HOT_S = 60,
    UNSERVED_HOT_S = 2000,
    COLD_S = 2,
    LEGS_HOT_PERCENT = 150, /* of the mean leg of a first plan, which is twice that of a good one */
    LEGS_COLD_PERCENT = 4,
    BREED_MAX = 300, /* visits: of more, ruin and recreate finds better plans in the same time, */
    BREED_LONG_MAX = 500, /* unless routes are long */
    LONG_VISITS = 16,
    RETOLD_S = 60, /* starts that move by less are not worth telling anyone */
};

void solver_open(struct solver *solver, const struct travel *travel, int64_t service_day)
{
    *solver = (struct solver){.master_limits = master_limits_default};
    workday_open(&solver->day, travel, service_day);
    arena_open(&solver->kept, 64 << 20);
    arena_open(&solver->work, WORK_MEMORY_MAX);
    arena_open(&solver->again, WORK_MEMORY_MAX);
    arena_open(&solver->recombining, WORK_MEMORY_MAX);
    pool_open(&solver->pool, POOL_COLUMNS, POOL_PIECES, &solver->kept);
    solver->recombiner = master_open();
}

void solver_close(struct solver *solver)
{
    master_close(solver->recombiner);
    workday_close(&solver->day);
    arena_close(&solver->kept);
    arena_close(&solver->work);
    arena_close(&solver->again);
    arena_close(&solver->recombining);
}

void solver_remove_visit(struct solver *solver, const char *id)
{
    uint32_t slot;
    workday_remove_visit(&solver->day, id, &slot);
    if (slot == NO_INDEX) return;
    pool_forget_visit(&solver->pool, slot);
    master_forget_visit(solver->recombiner, slot);
}

/* Who is left out now need not be tried again where nothing changes. */
static void note_left_out(struct solver *solver)
{
    const struct instance *in = &solver->in;
    for (uint32_t v = 0; v < in->visit_count; v++)
        solver->day.visits[in->nodes[v].slot].left_out = solver->plan.route_of[v] == NO_INDEX;
    for (uint32_t t = 0; t < in->technician_count; t++)
        solver->day.technicians[in->technicians[t].slot].tried =
            repair_mark(in, &solver->plan.routes[t]);
}

void solver_renew(struct solver *solver)
{
    arena_rewind(&solver->work);
    solver->stamp = 0;
    solver->searching = false;
    solver->recombined = 0;
    instance_build(&solver->in, &solver->day, &solver->work);
    plan_make(&solver->plan, &solver->in, &solver->stamp, &solver->work);
    solver->published = repair_published(&solver->in, &solver->work);
    stability_build(&solver->in, &solver->published, &solver->work);
}

void solver_begin(struct solver *solver)
{
    solver_renew(solver);
    solver->work_done = 0;
    repair(&solver->plan, &solver->work);
    note_left_out(solver);
    pool_turn(&solver->pool);
    pool_keep(&solver->pool, &solver->plan);
}

static bool same_visits(const struct solver *solver, uint32_t technician)
{
    const struct route *route = &solver->plan.routes[technician];
    const uint32_t *starts = solver->published.starts + technician;
    if (route->count != starts[1] - starts[0]) return false;
    for (uint32_t i = 0; i < route->count; i++) {
        if (route->stops[i + 1].visit != solver->published.visits[starts[0] + i]) return false;
    }
    return true;
}

enum route_news solver_route_news(const struct solver *solver, uint32_t technician)
{
    if (!same_visits(solver, technician)) return NEWS_VISITS;
    const struct route *route = &solver->plan.routes[technician];
    int32_t starts[ROUTE_MAX];
    if (route->count > 0) route_starts(&solver->in, technician, route, starts);
    for (uint32_t i = 0; i < route->count; i++) {
        int32_t moved = starts[i] - solver->in.nodes[route->stops[i + 1].visit].planned;
        if (moved >= RETOLD_S || moved <= -RETOLD_S) return NEWS_STARTS;
    }
    return NEWS_NONE;
}

enum route_rule solver_route_rule(const struct solver *solver, uint32_t technician,
                                  struct route_times *times)
{
    const struct route *route = &solver->plan.routes[technician];
    const struct route_visit *visits[ROUTE_MAX];
    struct route_stop stops[ROUTE_MAX];
    for (uint32_t i = 0; i < route->count; i++) {
        uint32_t slot = solver->in.nodes[route->stops[i + 1].visit].slot;
        visits[i] = &solver->day.visits[slot].visit;
    }
    const struct technician_slot *who =
        &solver->day.technicians[solver->in.technicians[technician].slot];
    return route_time(solver->day.travel, &who->day, visits, route->count, stops, times);
}

bool solver_route_holds(const struct solver *solver, uint32_t technician)
{
    struct route_times times;
    return solver_route_rule(solver, technician, &times) == ROUTE_FITS;
}

/* Visits that the event touched: unserved, moved, or in a route that has changed. */
static uint16_t *focus_of(struct solver *solver, uint32_t *count)
{
    const struct instance *in = &solver->in;
    const struct plan *plan = &solver->plan;
    uint16_t *focus = arena_need(&solver->work, sizeof *focus * (in->visit_count + 1));
    uint8_t *touched = arena_need(&solver->work, in->technician_count + 1);
    for (uint32_t v = 0; v < in->visit_count; v++) {
        uint32_t home = in->nodes[v].home, now = plan->route_of[v];
        if (home == now) continue;
        if (home != NO_INDEX) touched[home] = 1;
        if (now != NO_INDEX) touched[now] = 1;
    }
    *count = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        uint32_t now = plan->route_of[v];
        if (now == NO_INDEX || touched[now]) focus[(*count)++] = (uint16_t)v;
    }
    return focus;
}

/* A fresh search begins so hot that a typical visit may be given up for a while. */
static int32_t fresh_heat(const struct instance *in)
{
    int64_t sum = 0;
    for (uint32_t v = 0; v < in->visit_count; v++)
        sum += in->nodes[v].price % PINNED_EXTRA_S;
    return in->visit_count == 0 ? EVENT_HOT_S : (int32_t)(sum / in->visit_count / 10 + EVENT_HOT_S);
}

/* Where somebody is left out, another must be given up for a while to let him in: the hotter, the
 * dearer those are. */
static int32_t event_heat(const struct plan *plan)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < plan->unserved_count; i++)
        sum += plan->in->nodes[plan->unserved[i]].price % PINNED_EXTRA_S;
    if (plan->unserved_count == 0) return EVENT_HOT_S;
    int64_t heat = EVENT_HOT_S + sum / plan->unserved_count / 10;
    return heat < UNSERVED_HOT_S ? (int32_t)heat : UNSERVED_HOT_S;
}

static void search_begin(struct solver *solver, const struct search_options *options,
                         struct arena *arena)
{
    search_open(&solver->search, &solver->plan, options, arena);
    solver->searching = true;
}

void solver_search(struct solver *solver, uint64_t rounds, uint64_t seed, bool fresh)
{
    struct search_options options = {
        .rounds = rounds,
        .hot_s = fresh ? fresh_heat(&solver->in) : event_heat(&solver->plan),
        .cold_s = COLD_S,
        .seed = seed,
        .pool = &solver->pool,
    };
    if (!fresh) options.focus = focus_of(solver, &options.focus_count);
    search_begin(solver, &options, &solver->work);
}

/* The mean leg of the plan's routes. */
static int64_t mean_leg(const struct plan *plan)
{
    int64_t travel = 0, legs = 1;
    for (uint32_t t = 0; t < plan->in->technician_count; t++) {
        const struct route *route = &plan->routes[t];
        if (route->count == 0) continue;
        travel += route->travel;
        legs += route->count + 1;
    }
    return travel / legs;
}

/* A population is slow to begin with, and best where many visits share a route. */
static bool breeds(const struct plan *plan)
{
    uint32_t visits = plan->in->visit_count, routes = 0;
    for (uint32_t t = 0; t < plan->in->technician_count; t++)
        routes += plan->routes[t].count > 0;
    return visits <= BREED_MAX || (visits <= BREED_LONG_MAX && visits >= LONG_VISITS * routes);
}

void solver_search_legs(struct solver *solver, uint64_t rounds, uint64_t seed)
{
    int64_t leg = mean_leg(&solver->plan);
    const struct search_options options = {
        .rounds = rounds,
        .hot_s = (int32_t)(leg * LEGS_HOT_PERCENT / 100) + 1,
        .cold_s = (int32_t)(leg * LEGS_COLD_PERCENT / 100) + 1,
        .seed = seed,
        .pool = &solver->pool,
        .breed = breeds(&solver->plan),
    };
    search_begin(solver, &options, &solver->work);
}

void solver_search_more(struct solver *solver, uint64_t rounds, uint64_t seed)
{
    const struct search_options options = {
        .rounds = rounds,
        .hot_s = event_heat(&solver->plan),
        .cold_s = COLD_S,
        .seed = seed,
        .pool = &solver->pool,
    };
    arena_rewind(&solver->again); /* the search before is over, and there may be any number */
    search_begin(solver, &options, &solver->again);
}

bool solver_improve(struct solver *solver, uint64_t rounds)
{
    CHECK(solver->searching);
    uint64_t before = solver->search.done;
    bool better = search_run(&solver->search, rounds);
    solver->work_done += solver->search.done - before;
    if (!better) return false;
    plan_copy(&solver->plan, &solver->search.best);
    pool_keep(&solver->pool, &solver->plan);
    return true;
}

bool solver_search_over(const struct solver *solver)
{
    return solver->search.done >= solver->search.options.rounds || solver->in.visit_count == 0;
}

/* Technicians to start from: whose routes are not what the dispatcher has; if there are none,
 * everybody in turn. */
static uint32_t seeds_of(const struct solver *solver, uint8_t *seeds)
{
    uint32_t count = 0, technicians = solver->in.technician_count;
    for (uint32_t t = 0; t < technicians; t++)
        count += seeds[t] = !same_visits(solver, t);
    if (count == 0 && technicians > 0) seeds[solver->recombinations % technicians] = 1;
    return count == 0 ? 1 : count;
}

/* Where not all have room together, one of them and those tied to him, until all had their turn or
 * the pivots are spent. */
static bool recombine_in_parts(struct solver *solver, uint8_t *seeds)
{
    uint32_t technicians = solver->in.technician_count;
    struct master_limits limits = solver->master_limits;
    uint8_t *seed = arena_need(&solver->recombining, technicians + 1);
    bool better = false;
    for (uint32_t i = 0; i < technicians; i++) {
        uint32_t t = (solver->recombinations + i) % technicians;
        if (!seeds[t]) continue;
        seed[t] = 1;
        limits.pivots_max -= solver->master.pivots;
        master_recombine(solver->recombiner, &solver->plan, &solver->pool, seed, &limits,
                         &solver->master);
        seed[t] = 0;
        better |= solver->master.end == MASTER_BETTER;
        if (solver->master.end == MASTER_FAILED || solver->master.end == MASTER_LIMIT) break;
        const uint8_t *member = master_prices(solver->recombiner)->member;
        for (uint32_t m = 0; member != NULL && m < technicians; m++)
            seeds[m] &= !member[m];
    }
    return better;
}

static bool limits_hold(const struct plan *plan)
{
    for (uint32_t t = 0; t < plan->in->technician_count; t++) {
        if (!stability_holds(plan, t)) return false;
    }
    return stability_holds_hands(plan);
}

static bool recombine(struct solver *solver)
{
    uint32_t technicians = solver->in.technician_count;
    if (solver->recombined == solver->pool.changes) return false;
    arena_rewind(&solver->recombining);
    solver->master = (struct master_report){.end = MASTER_NO_BETTER};
    uint8_t *seeds = arena_need(&solver->recombining, technicians + 1);
    uint32_t seed_count = seeds_of(solver, seeds);
    bool better;
    if (solver->in.visit_count + technicians <= solver->master_limits.rows_max || seed_count == 1) {
        master_recombine(solver->recombiner, &solver->plan, &solver->pool, seeds,
                         &solver->master_limits, &solver->master);
        better = solver->master.end == MASTER_BETTER;
    } else {
        better = recombine_in_parts(solver, seeds);
    }
    solver->recombinations++;
    if (better) pool_keep(&solver->pool, &solver->plan);
    if (solver->master.whole && solver->master.end == MASTER_NO_BETTER)
        solver->recombined = solver->pool.changes;
    return better;
}

/* The master knows nothing of the limits of changes: what breaks one is not taken. */
bool solver_recombine(struct solver *solver)
{
    struct plan before;
    if (solver->in.stability == NULL) return recombine(solver);
    plan_make(&before, &solver->in, &solver->stamp, &solver->work);
    plan_copy(&before, &solver->plan);
    bool better = recombine(solver);
    if (!better || limits_hold(&solver->plan)) return better;
    plan_copy(&solver->plan, &before);
    return false;
}

void solver_fresh(struct solver *solver, uint64_t rounds, uint64_t seed)
{
    solver_begin(solver);
    solver_search(solver, rounds, seed, true);
    while (!solver_search_over(solver))
        (void)solver_improve(solver, rounds);
    (void)solver_recombine(solver);
}
