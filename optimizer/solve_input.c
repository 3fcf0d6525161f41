#include "optimizer/solve_input.h"

#include "base/check.h"

enum { INPUT_MEMORY_MAX = 1 << 30, PRICE_MAX = 1 << 30 };

void solve_input_open(struct solve_input *input)
{
    *input = (struct solve_input){0};
    arena_open(&input->memory, INPUT_MEMORY_MAX);
}

void solve_input_close(struct solve_input *input)
{
    if (input->solver_open) solver_close(&input->solver);
    arena_close(&input->memory);
    *input = (struct solve_input){0};
}

/* --- prices that keep an order of objectives ------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* No plan travels for longer: neither than all shifts together, nor than the longest leg to every
 * stop. */
static int64_t travel_bound(const struct solve_input *input)
{
    const struct instance *in = &input->solver.in;
    int64_t shifts = 0, longest = 0;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct technician *who = &in->technicians[t];
        if (who->latest_end > who->available) shifts += who->latest_end - who->available;
    }
    for (size_t i = 0; i < (size_t)input->matrix.size * input->matrix.size; i++) {
        if (input->matrix.seconds[i] > longest) longest = input->matrix.seconds[i];
    }
    return least(shifts, longest * (in->visit_count + in->technician_count));
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* One order more is worth any travel, and one step of priority any number of orders. Where that
 * would be too much for 32 bits, a step is worth as many orders as there is room for, two at the
 * least; steps are as wide as the priorities' common divisor. */
static void price_in_order(struct solve_input *input)
{
    const struct instance *in = &input->solver.in;
    uint32_t highest = 0, divisor = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        uint32_t priority = input->priorities[in->nodes[v].slot];
        if (priority > highest) highest = priority;
        divisor = common_divisor(priority, divisor);
    }
    int64_t steps = divisor == 0 ? 0 : highest / divisor;
    int64_t order = least(travel_bound(input) + 1, PRICE_MAX / (1 + 2 * steps));
    int64_t step = order * (in->visit_count + INT64_C(1));
    if (steps > 0) step = least(step, (PRICE_MAX - order) / steps);
    CHECK(order + steps * step <= PRICE_MAX || steps == 0);
    input->price_unserved = (int32_t)order;
    input->price_priority = steps == 0 ? 0 : (int32_t)(step / divisor);
}

/* The workday prices an order by the policy, from 1 to 9; here it is priced by what the input says.
 */
static void price_visits(struct solve_input *input)
{
    struct instance *in = &input->solver.in;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        struct node *node = &in->nodes[v];
        node->price =
            input->price_unserved + (int32_t)input->priorities[node->slot] * input->price_priority;
    }
}

/* --- the first plan -------------------------------------------------------------------------- */

static void note_dropped(struct solve_input *input)
{
    const struct solver *solver = &input->solver;
    input->dropped = arena_need(&input->memory, sizeof *input->dropped * solver->in.visit_count);
    input->dropped_count = 0;
    for (uint32_t v = 0; v < solver->in.visit_count; v++) {
        const struct node *node = &solver->in.nodes[v];
        if (node->home != NO_INDEX && solver->plan.route_of[v] != node->home)
            input->dropped[input->dropped_count++] = node->slot;
    }
}

/* From an empty plan once more, as prices have changed what is best. */
void solve_input_begin(struct solve_input *input)
{
    struct solver *solver = &input->solver;
    solver->day.visits_per_route_max = ROUTE_MAX;
    solver_begin(solver);
    if (input->format == SOLVE_DAY) return;
    price_in_order(input);
    price_visits(input);
    plan_make(&solver->plan, &solver->in, &solver->stamp, &solver->work);
    repair_take_over(&solver->plan, &solver->work);
    note_dropped(input);
    repair(&solver->plan, &solver->work);
    pool_keep(&solver->pool, &solver->plan); /* the master chooses among what it knows */
}

int64_t solve_input_priority_served(const struct solve_input *input)
{
    const struct solver *solver = &input->solver;
    int64_t sum = 0;
    for (uint32_t v = 0; v < solver->in.visit_count; v++) {
        if (solver->plan.route_of[v] != NO_INDEX)
            sum += input->priorities[solver->in.nodes[v].slot];
    }
    return sum;
}
