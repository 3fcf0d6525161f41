#include "optimizer/keeper.h"

enum { VISITS_MAX = 300, ROUNDS_MAX = 400, LABELS_MAX = 60000 };

void keeper_open(struct keeper *keeper)
{
    *keeper = (struct keeper){.bounding = false};
    carry_open(&keeper->carry, &carry_options_default);
}

static void bound_end(struct keeper *keeper)
{
    if (keeper->bounding) bound_close(&keeper->bound);
    keeper->bounding = false;
}

void keeper_close(struct keeper *keeper)
{
    bound_end(keeper);
    carry_close(&keeper->carry);
}

void keeper_forget(struct keeper *keeper)
{
    bound_end(keeper);
    carry_forget(&keeper->carry);
    keeper->carried = false;
}

/* Is the bound in hand better than what was carried? */
static bool bound_is_better(const struct keeper *keeper)
{
    if (!keeper->bounding || keeper->bound.proof.bound == INT64_MIN) return false;
    return !keeper->carried || keeper->bound.proof.bound > keeper->carry.proof.bound;
}

const struct proof *keeper_proof(const struct keeper *keeper)
{
    if (bound_is_better(keeper)) return &keeper->bound.proof;
    return keeper->carried ? &keeper->carry.proof : NULL;
}

void keeper_pause(struct keeper *keeper, const struct solver *solver)
{
    if (bound_is_better(keeper))
        carry_keep(&keeper->carry, &solver->day, &solver->in, &keeper->bound.proof);
    bound_end(keeper);
    keeper->carried = false;
}

void keeper_event(struct keeper *keeper, const struct solver *solver)
{
    keeper->full = keeper->reported = false;
    keeper->rounds = 0;
    keeper->carried = carry_over(&keeper->carry, &solver->day, &solver->in, &solver->plan);
}

static void bound_begin(struct keeper *keeper, const struct solver *solver)
{
    struct bound_options options = bound_options_default;
    options.labels_max = LABELS_MAX;
    bound_open(&keeper->bound, &solver->in, &options);
    bound_take_plan(&keeper->bound, &solver->plan);
    bound_take_pool(&keeper->bound, &solver->pool);
    keeper->bounding = true;
}

bool keeper_work(struct keeper *keeper, struct solver *solver, bool (*stop)(void *context),
                 void *context, int64_t now_us)
{
    if (keeper->full || solver->in.visit_count == 0 || solver->in.visit_count > VISITS_MAX)
        return false;
    if (!keeper->bounding) {
        pool_judge(&solver->pool, &solver->in);
        bound_begin(keeper, solver);
    }
    keeper->bound.options.stop = stop;
    keeper->bound.options.context = context;
    enum bound_end end = bound_run(&keeper->bound, 1, solver->plan.cost);
    if (bound_is_better(keeper)) keeper->computed_us = now_us;
    keeper->full = end != BOUND_MORE || ++keeper->rounds >= ROUNDS_MAX;
    return !keeper->full;
}
