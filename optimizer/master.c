/* master.c - see master.h. The only file that includes glpk.h.
 *
 * Only some technicians take part, with the visits that they have and those that nobody has: all
 * others keep their routes. Rows 1 .. V are visits (= 1), V + 1 .. V + T technicians (<= 1). The
 * first V columns of the program are the unserved ones, then come routes: run->inside[j - 1 - V] is
 * the pool column behind column j. A route costs what it adds to its technician's empty route.
 */
#include "optimizer/master.h"

#include "base/check.h"

#include <glpk.h>
#include <math.h>
#include <setjmp.h>
#include <string.h>

enum { ROUNDS_MAX = 60, ADDED_PER_TECHNICIAN = 6 };

const struct master_limits master_limits_default = {
    .pivots_max = 1500,
    .nodes_max = 40,
    .rows_max = 200,
    .columns_max = 500,
};

struct columns {
    uint32_t count;
    uint16_t *technician;
    int32_t *cost;
    uint32_t *first;  /* visits[first[c]] .. visits[first[c + 1] - 1] */
    uint16_t *visits; /* ranks, in order of the route */
    uint8_t *is_inside;
    uint8_t *is_current; /* a route of the plan as it stands */
};

struct run {
    struct plan *plan;
    const struct instance *in;
    const struct master_limits *limits;
    struct master_report *report;
    struct arena *scratch;
    struct columns columns;
    int64_t base_cost;                     /* of empty routes, and of all that does not take part */
    int *row_of_visit, *row_of_technician; /* 0: does not take part */
    uint32_t *visit_of_row;
    int visits, technicians; /* that take part */
    uint32_t *inside;        /* pool column of each route column */
    uint32_t inside_count;
    double *dual; /* by row, from 1 */
    uint32_t *chosen;
    uint32_t chosen_count;
    glp_prob *program;
    bool heuristic_given;
};

/* GLPK's hooks have no better way home. */
static jmp_buf escape;

static void on_abort(void *info)
{
    (void)info;
    longjmp(escape, 1);
}

static int on_text(void *info, const char *text)
{
    (void)info;
    (void)text;
    return 1; /* not to the terminal */
}

void master_close(void)
{
    glp_free_env();
}

/* --- columns --- */

static int32_t empty_cost(const struct instance *in, uint32_t technician)
{
    const struct technician *who = &in->technicians[technician];
    return instance_travel_price(in, instance_travel(in, who->start, who->end));
}

static void column_add(struct columns *columns, const struct instance *in, uint32_t technician,
                       const struct route *route, bool current)
{
    uint32_t c = columns->count++;
    columns->technician[c] = (uint16_t)technician;
    columns->cost[c] = route->cost - empty_cost(in, technician);
    columns->is_current[c] = current;
    uint16_t *visits = columns->visits + columns->first[c];
    for (uint32_t i = 0; i < route->count; i++)
        visits[i] = route->stops[i + 1].visit;
    columns->first[c + 1] = columns->first[c] + route->count;
}

/* --- who takes part --- */

static void member_add(struct run *run, uint32_t technician)
{
    if (run->row_of_technician[technician] != 0) return;
    run->row_of_technician[technician] = 1;
    run->technicians++;
    run->visits += (int)run->plan->routes[technician].count;
}

static bool room_for(const struct run *run, uint32_t technician)
{
    uint32_t rows = (uint32_t)(run->visits + run->technicians) + 1;
    return rows + run->plan->routes[technician].count <= run->limits->rows_max;
}

/* How much the pool connects each technician with those who take part: by visits that one has now
 * and the other had in some route. */
static uint32_t *ties(const struct run *run, const struct pool *pool)
{
    uint32_t *weights = arena_need(run->scratch, sizeof *weights * (run->in->technician_count + 1));
    for (uint32_t c = 0; c < pool->used; c++) {
        uint32_t who = run->in->technician_of_slot[pool->columns[c].technician];
        if (who == NO_INDEX) continue;
        for (uint32_t i = 0; i < pool->columns[c].count; i++) {
            uint32_t visit = run->in->visit_of_slot[pool->visits[(size_t)c * ROUTE_MAX + i]];
            uint32_t has = visit == NO_INDEX ? NO_INDEX : run->plan->route_of[visit];
            if (has == NO_INDEX || has == who) continue;
            if (run->row_of_technician[who] != 0) weights[has]++;
            if (run->row_of_technician[has] != 0) weights[who]++;
        }
    }
    return weights;
}

/* The seeds, and as many of those tied to them as there is room for, the most tied first. */
static void members_choose(struct run *run, const struct pool *pool, const uint8_t *seeds)
{
    uint32_t count = run->in->technician_count;
    run->visits = (int)run->plan->unserved_count;
    for (uint32_t t = 0; t < count; t++) {
        if (seeds[t] && room_for(run, t)) member_add(run, t);
    }
    const uint32_t *weights = ties(run, pool);
    for (;;) {
        uint32_t best = NO_INDEX;
        for (uint32_t t = 0; t < count; t++) {
            if (run->row_of_technician[t] != 0 || weights[t] == 0 || !room_for(run, t)) continue;
            if (best == NO_INDEX || weights[t] > weights[best]) best = t;
        }
        if (best == NO_INDEX) return;
        member_add(run, best);
    }
}

/* Numbers the rows. */
static void rows_make(struct run *run)
{
    const struct instance *in = run->in;
    int visits = 0, technicians = 0;
    run->base_cost = run->plan->cost;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        uint32_t has = run->plan->route_of[v];
        if (has != NO_INDEX && run->row_of_technician[has] == 0) continue;
        run->row_of_visit[v] = ++visits;
        run->visit_of_row[visits] = v;
        if (has == NO_INDEX) run->base_cost -= in->nodes[v].price;
    }
    CHECK(visits == run->visits);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (run->row_of_technician[t] == 0) continue;
        run->row_of_technician[t] = visits + ++technicians;
        run->base_cost += empty_cost(in, t) - run->plan->routes[t].cost;
    }
}

static bool takes_part(const struct run *run, uint32_t technician, const struct route *route)
{
    if (run->row_of_technician[technician] == 0) return false;
    for (uint32_t i = 1; i <= route->count; i++) {
        if (run->row_of_visit[route->stops[i].visit] == 0) return false;
    }
    return true;
}

/* The plan's own routes, then all of the pool that hold today. */
static void columns_make(struct run *run, const struct pool *pool)
{
    struct columns *columns = &run->columns;
    const struct instance *in = run->in;
    size_t cap = pool->used + in->technician_count + 1, visits = 0;
    for (uint32_t c = 0; c < pool->used; c++)
        visits += pool->columns[c].count;
    columns->technician = arena_need(run->scratch, sizeof *columns->technician * cap);
    columns->cost = arena_need(run->scratch, sizeof *columns->cost * cap);
    columns->first = arena_need(run->scratch, sizeof *columns->first * (cap + 1));
    columns->visits =
        arena_need(run->scratch, sizeof *columns->visits * (visits + in->visit_count + 1));
    columns->is_inside = arena_need(run->scratch, cap);
    columns->is_current = arena_need(run->scratch, cap);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (run->row_of_technician[t] != 0 && run->plan->routes[t].count > 0)
            column_add(columns, in, t, &run->plan->routes[t], true);
    }
    for (uint32_t c = 0; c < pool->used; c++) {
        uint32_t technician;
        struct route route;
        if (pool_route(pool, c, in, &technician, &route) && takes_part(run, technician, &route))
            column_add(columns, in, technician, &route, false);
    }
    run->report->columns = columns->count;
}

/* --- the linear program --- */

static bool cost_set(glp_prob *program, int column, double cost)
{
    if (!isfinite(cost)) return false;
    glp_set_obj_coef(program, column, cost);
    return true;
}

/* Rows, and one column for each visit that stays unserved. */
static bool program_make(struct run *run)
{
    int visits = run->visits;
    run->program = glp_create_prob();
    glp_set_obj_dir(run->program, GLP_MIN);
    glp_add_rows(run->program, visits + run->technicians);
    glp_add_cols(run->program, visits);
    for (int v = 1; v <= visits; v++) {
        const int index[] = {0, v};
        const double one[] = {0, 1};
        glp_set_row_bnds(run->program, v, GLP_FX, 1, 1);
        glp_set_col_bnds(run->program, v, GLP_LO, 0, 0);
        glp_set_mat_col(run->program, v, 1, index, one);
        if (!cost_set(run->program, v, run->in->nodes[run->visit_of_row[v]].price)) return false;
        glp_set_row_stat(run->program, v, GLP_NS);
        glp_set_col_stat(run->program, v, GLP_BS);
    }
    for (int t = 1; t <= run->technicians; t++)
        glp_set_row_bnds(run->program, visits + t, GLP_UP, 0, 1);
    return true;
}

static bool column_enter(struct run *run, uint32_t c)
{
    const struct columns *columns = &run->columns;
    int index[ROUTE_MAX + 2], length = 0;
    double one[ROUTE_MAX + 2];
    for (uint32_t i = columns->first[c]; i < columns->first[c + 1]; i++)
        index[++length] = run->row_of_visit[columns->visits[i]];
    index[++length] = run->row_of_technician[columns->technician[c]];
    for (int i = 1; i <= length; i++)
        one[i] = 1;
    int column = glp_add_cols(run->program, 1);
    glp_set_col_bnds(run->program, column, GLP_LO, 0, 0);
    glp_set_mat_col(run->program, column, length, index, one);
    run->inside[run->inside_count++] = c;
    run->columns.is_inside[c] = 1;
    double cost = columns->cost[c];
    if (run->limits->fault == FAULT_NAN) cost = NAN;
    return cost_set(run->program, column, cost);
}

/* Solves with what pivots are left; false unless optimal with finite duals. */
static bool solve(struct run *run)
{
    glp_smcp options;
    glp_init_smcp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.meth = GLP_PRIMAL;
    options.it_lim = run->limits->pivots_max - run->report->pivots;
    if (options.it_lim <= 0) return false;
    int before = glp_get_it_cnt(run->program);
    int failed = glp_simplex(run->program, &options);
    run->report->pivots += glp_get_it_cnt(run->program) - before;
    if (failed != 0 || glp_get_status(run->program) != GLP_OPT) return false;
    if (!isfinite(glp_get_obj_val(run->program))) return false;
    int rows = glp_get_num_rows(run->program);
    for (int row = 1; row <= rows; row++) {
        run->dual[row] = glp_get_row_dual(run->program, row);
        if (!isfinite(run->dual[row])) return false;
    }
    return true;
}

static double reduced_cost(const struct run *run, uint32_t c)
{
    const struct columns *columns = &run->columns;
    double cost = columns->cost[c] - run->dual[run->row_of_technician[columns->technician[c]]];
    for (uint32_t i = columns->first[c]; i < columns->first[c + 1]; i++)
        cost -= run->dual[run->row_of_visit[columns->visits[i]]];
    return cost;
}

/* Adds the few best of each technician that could improve. Returns how many; -1 on a bad number. */
static int price_in(struct run *run)
{
    struct best {
        double cost;
        uint32_t column;
    } * best;
    uint32_t technicians = run->in->technician_count;
    best = arena_need(run->scratch, sizeof *best * technicians * ADDED_PER_TECHNICIAN + 1);
    uint32_t *counts = arena_need(run->scratch, sizeof *counts * (technicians + 1));
    for (uint32_t c = 0; c < run->columns.count; c++) {
        if (run->columns.is_inside[c]) continue;
        double cost = reduced_cost(run, c);
        if (cost > -0.01) continue;
        uint32_t t = run->columns.technician[c];
        struct best *of = best + (size_t)t * ADDED_PER_TECHNICIAN;
        if (counts[t] == ADDED_PER_TECHNICIAN && of[counts[t] - 1].cost <= cost) continue;
        if (counts[t] < ADDED_PER_TECHNICIAN) counts[t]++;
        uint32_t at = counts[t] - 1;
        for (; at > 0 && of[at - 1].cost > cost; at--)
            of[at] = of[at - 1];
        of[at] = (struct best){cost, c};
    }
    int added = 0;
    for (uint32_t t = 0; t < technicians; t++) {
        for (uint32_t i = 0; i < counts[t]; i++, added++) {
            if (!column_enter(run, best[(size_t)t * ADDED_PER_TECHNICIAN + i].column)) return -1;
        }
    }
    return added;
}

/* The linear program over the whole pool; false if it did not come to its end. */
static bool sprint(struct run *run)
{
    if (!program_make(run)) return false;
    for (uint32_t c = 0; c < run->columns.count; c++) {
        if (run->columns.is_current[c] && !column_enter(run, c)) return false;
    }
    if (run->limits->fault == FAULT_ABORT) glp_set_obj_coef(run->program, -1, 0);
    if (run->limits->fault == FAULT_NAN_INSIDE) glp_set_obj_coef(run->program, 1, NAN);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (!solve(run)) return false;
        int added = price_in(run);
        if (added < 0) return false;
        if (added == 0) return true;
    }
    return false;
}

/* --- the integer program --- */

/* Which columns could be in a plan that is better by a second: the cheapest of them. */
static bool filter(struct run *run, double gap)
{
    uint32_t *list = arena_need(run->scratch, sizeof *list * (run->columns.count + 1));
    double *costs = arena_need(run->scratch, sizeof *costs * (run->columns.count + 1));
    uint32_t count = 0;
    for (uint32_t c = 0; c < run->columns.count; c++) {
        double cost = reduced_cost(run, c);
        if (run->columns.is_inside[c] || cost >= gap) continue;
        if (count == run->limits->columns_max && costs[count - 1] <= cost) continue;
        if (count < run->limits->columns_max) count++;
        uint32_t at = count - 1;
        for (; at > 0 && costs[at - 1] > cost; at--) {
            costs[at] = costs[at - 1];
            list[at] = list[at - 1];
        }
        costs[at] = cost;
        list[at] = c;
    }
    for (uint32_t i = 0; i < count && run->inside_count < run->limits->columns_max; i++) {
        if (!column_enter(run, list[i])) return false;
    }
    return true;
}

/* Takes routes out of the program that no better plan can have. */
static void drop_hopeless(struct run *run, double gap)
{
    int visits = run->visits, dropped = 0;
    int *numbers = arena_need(run->scratch, sizeof *numbers * (run->inside_count + 2));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < run->inside_count; i++) {
        uint32_t c = run->inside[i];
        int column = visits + (int)i + 1;
        if (!run->columns.is_current[c] && reduced_cost(run, c) >= gap &&
            glp_get_col_stat(run->program, column) != GLP_BS) {
            numbers[++dropped] = column;
            run->columns.is_inside[c] = 0;
        } else {
            run->inside[kept++] = c;
        }
    }
    run->inside_count = kept;
    if (dropped > 0) glp_del_cols(run->program, dropped, numbers);
}

/* Hands the plan as it stands to GLPK, so that nothing worse is looked at. */
static void give_plan(struct run *run, glp_tree *tree)
{
    int visits = run->visits;
    double *x = arena_need(run->scratch, sizeof *x * ((size_t)visits + run->inside_count + 1));
    for (int v = 1; v <= visits; v++)
        x[v] = run->plan->route_of[run->visit_of_row[v]] == NO_INDEX;
    for (uint32_t i = 0; i < run->inside_count; i++)
        x[visits + (int)i + 1] = run->columns.is_current[run->inside[i]];
    glp_ios_heur_sol(tree, x);
}

static void on_tree(glp_tree *tree, void *info)
{
    struct run *run = info;
    switch (glp_ios_reason(tree)) {
    case GLP_IHEUR:
        if (!run->heuristic_given) give_plan(run, tree);
        run->heuristic_given = true;
        break;
    case GLP_ISELECT:
        if (++run->report->nodes > run->limits->nodes_max) glp_ios_terminate(tree);
        break;
    default: break;
    }
}

/* Solves the integer program; true if it has an answer, which is in run->chosen then. */
static bool choose(struct run *run)
{
    int columns = glp_get_num_cols(run->program), visits = run->visits;
    for (int column = 1; column <= columns; column++)
        glp_set_col_kind(run->program, column, GLP_BV);
    if (!solve(run)) return false;
    glp_iocp options;
    glp_init_iocp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.cb_func = on_tree;
    options.cb_info = run;
    int failed = glp_intopt(run->program, &options);
    if (failed != 0 && failed != GLP_ESTOP) return false;
    int status = glp_mip_status(run->program);
    if (status != GLP_OPT && status != GLP_FEAS) return false;
    run->chosen = arena_need(run->scratch, sizeof *run->chosen * (run->inside_count + 1));
    for (int column = visits + 1; column <= columns; column++) {
        double value = glp_mip_col_val(run->program, column);
        if (!isfinite(value)) return false;
        if (value > 0.5) run->chosen[run->chosen_count++] = run->inside[column - visits - 1];
    }
    return true;
}

/* --- the answer --- */

/* Rebuilds the plan from the chosen routes; false if it breaks a rule or is no better. */
static bool take_answer(struct run *run, struct plan *plan)
{
    const struct instance *in = run->in;
    const struct columns *columns = &run->columns;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (run->row_of_technician[t] == 0) continue;
        uint32_t frozen = in->technicians[t].frozen, movable = plan->routes[t].count - frozen;
        if (movable > 0 && !plan_take_run(plan, t, frozen + 1, movable)) return false;
    }
    for (uint32_t i = 0; i < run->chosen_count; i++) {
        uint32_t c = run->chosen[i], t = columns->technician[c];
        uint32_t count = columns->first[c + 1] - columns->first[c];
        const uint16_t *visits = columns->visits + columns->first[c];
        if (plan->routes[t].count != in->technicians[t].frozen) return false; /* twice */
        for (uint32_t v = 0; v < count; v++) {
            uint32_t has = plan->route_of[visits[v]];
            if (has != NO_INDEX && !(has == t && in->nodes[visits[v]].frozen)) return false;
        }
        if (!plan_set_route(plan, t, visits, count)) return false;
    }
    return plan->cost < run->plan->cost;
}

static enum master_end optimize(struct run *run)
{
    if (!sprint(run)) return MASTER_FAILED;
    double bound = glp_get_obj_val(run->program) + (double)run->base_cost;
    run->report->lp_cost = (int64_t)floor(bound + 1e-6);
    double gap = (double)run->plan->cost - bound;
    if (gap < 1) return MASTER_NO_BETTER;
    drop_hopeless(run, gap);
    if (!filter(run, gap)) return MASTER_FAILED;
    if (!choose(run)) return MASTER_NO_BETTER;
    struct plan answer;
    plan_make(&answer, run->in, run->plan->stamp_next, run->scratch);
    plan_copy(&answer, run->plan);
    if (!take_answer(run, &answer)) return MASTER_NO_BETTER;
    plan_copy(run->plan, &answer);
    return MASTER_BETTER;
}

void master_recombine(struct plan *plan, const struct pool *pool, const uint8_t *seeds,
                      const struct master_limits *limits, struct arena *scratch,
                      struct master_report *report)
{
    *report = (struct master_report){.end = MASTER_NO_BETTER};
    const struct instance *in = plan->in;
    struct run *run = arena_need(scratch, sizeof *run);
    *run = (struct run){
        .plan = plan, .in = in, .limits = limits, .report = report, .scratch = scratch};
    run->row_of_technician =
        arena_need(scratch, sizeof *run->row_of_technician * (in->technician_count + 1));
    run->row_of_visit = arena_need(scratch, sizeof *run->row_of_visit * (in->visit_count + 1));
    run->visit_of_row = arena_need(scratch, sizeof *run->visit_of_row * (in->visit_count + 1));
    members_choose(run, pool, seeds);
    if (run->technicians == 0 || run->visits == 0) return;
    rows_make(run);
    columns_make(run, pool);
    run->inside = arena_need(scratch, sizeof *run->inside * (run->columns.count + 1));
    run->dual =
        arena_need(scratch, sizeof *run->dual * (size_t)(run->visits + run->technicians + 1));
    glp_term_hook(on_text, NULL);
    glp_error_hook(on_abort, NULL);
    if (setjmp(escape) != 0) {
        glp_free_env(); /* the program went with it */
        report->end = MASTER_FAILED;
        return;
    }
    report->end = optimize(run);
    report->active = run->inside_count;
    glp_delete_prob(run->program);
    glp_error_hook(NULL, NULL);
}
