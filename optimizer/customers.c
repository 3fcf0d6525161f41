#include "optimizer/customers.h"

#include "base/check.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

/* The clock of the solver stands a day later, because 0 means "none" to it. */
#define CLOCK_US US_PER_DAY

static int64_t on_clock(int32_t time)
{
    return CLOCK_US + time * US_PER_SECOND;
}

/* No more vehicles than customers are ever of use. */
static enum err fleet_size(const struct customers *customers, uint32_t *out,
                           struct problem *problem)
{
    uint32_t useful = customers->count - 1;
    uint32_t given = customers->vehicles == 0 ? LIMIT_ROUTES_PER_PLAN : customers->vehicles;
    if (given < useful) useful = given;
    if (useful > LIMIT_ROUTES_PER_PLAN)
        return problem_set(problem, ERR_TOO_LARGE, "vehicles",
                           "at most %d of use, there are %" PRIu32, LIMIT_ROUTES_PER_PLAN, useful);
    *out = useful > 0 ? useful : 1;
    return ERR_OK;
}

static enum err tell_vehicle(struct workday *day, const struct customers *customers,
                             uint32_t number, struct problem *problem)
{
    const struct customer *depot = &customers->all[customers->depot];
    char id[LIMIT_ID];
    snprintf(id, sizeof id, "%" PRIu32, number);
    const struct technician_told told = {
        .id = id,
        .day = {.start = travel_matrix_point(customers->depot, PLACE_START),
                .end = travel_matrix_point(customers->depot, PLACE_END),
                .available_us = on_clock(depot->open),
                .shift_end_us = on_clock(depot->close)},
        .capacity = customers->capacity,
    };
    return workday_set_technician(day, &told, problem);
}

static enum err tell_customer(struct workday *day, const struct customers *customers,
                              uint32_t index, struct problem *problem)
{
    const struct customer *customer = &customers->all[index];
    char id[LIMIT_ID], field[96];
    snprintf(id, sizeof id, "%" PRId64, customer->number);
    snprintf(field, sizeof field, "line %" PRIu32 ", %s", customer->line, customers->number_field);
    if (workday_visit(day, id) != NO_INDEX ||
        customer->number == customers->all[customers->depot].number)
        return problem_set(problem, ERR_INVALID, field, "%s comes twice", id);
    const struct visit_told told = {
        .id = id,
        .visit = {.at = travel_matrix_point(index, PLACE_VISIT),
                  .service_us = customer->service * US_PER_SECOND,
                  .windows = {{on_clock(customer->open), on_clock(customer->close)}},
                  .window_count = 1},
        .technician_id = "",
        .load = customer->load,
    };
    return workday_set_visit(day, &told, problem);
}

enum err customers_tell(struct solve_input *input, const struct customers *customers,
                        struct problem *problem)
{
    uint32_t vehicles = 0, count = customers->count;
    CHECK(customers->depot < count && count <= CUSTOMERS_MAX + 1);
    enum err err = fleet_size(customers, &vehicles, problem);
    if (err != ERR_OK) return err;
    input->clock_us = CLOCK_US;
    input->priorities = arena_need(&input->memory, sizeof *input->priorities * count);
    travel_matrix_open(&input->matrix, customers->travel, count);
    int64_t begin_us = on_clock(customers->all[customers->depot].open);
    solver_open(&input->solver, &input->matrix.travel, begin_us / US_PER_DAY);
    input->solver_open = true;
    struct policy policy = policy_default;
    policy.unserved_s_per_priority = 0; /* solve_input_begin sets the prices */
    workday_set_time(&input->solver.day, begin_us, begin_us, &policy);
    for (uint32_t i = 1; i <= vehicles && err == ERR_OK; i++)
        err = tell_vehicle(&input->solver.day, customers, i, problem);
    for (uint32_t i = 0; i < count && err == ERR_OK; i++) {
        if (i != customers->depot) err = tell_customer(&input->solver.day, customers, i, problem);
    }
    return err;
}
