#include "base/clock.h"
#include "optimizer/solve_input.h"

static uint32_t skills_of(const struct day_skill *from, size_t count, struct skill_named *skills)
{
    for (size_t i = 0; i < count; i++)
        skills[i] = (struct skill_named){from[i].name, from[i].level};
    return (uint32_t)count;
}

static enum err take_technician(struct workday *day, const struct day_technician *from,
                                bool overtime, struct problem *problem)
{
    struct skill_named skills[DAY_SKILLS_MAX];
    const struct technician_told told = {
        .id = from->id,
        .day = {.start = from->home,
                .end = from->home,
                .available_us = from->shift_start_us,
                .shift_end_us = from->shift_end_us,
                .overtime_us_max = overtime ? from->overtime_s_max * US_PER_SECOND : 0,
                .break_earliest_us = from->break_earliest_us,
                .break_latest_us = from->break_latest_us,
                .break_us = from->break_s * US_PER_SECOND},
        .skills = skills,
        .skill_count = skills_of(from->skills, from->skill_count, skills),
    };
    return workday_set_technician(day, &told, problem);
}

static enum err take_order(struct solve_input *input, const struct day_order *from,
                           struct problem *problem)
{
    struct workday *day = &input->solver.day;
    struct skill_named skills[DAY_SKILLS_MAX];
    int64_t service_us = from->service_s * US_PER_SECOND;
    const struct visit_told told = {
        .id = from->id,
        .visit = {.at = from->at,
                  .service_us = service_us,
                  .windows = {{from->window_start_us, from->window_end_us - service_us}},
                  .window_count = 1},
        .priority = from->priority,
        .skills = skills,
        .skill_count = skills_of(from->skills, from->skill_count, skills),
        .technician_id = "",
    };
    enum err err = workday_set_visit(day, &told, problem);
    if (err == ERR_OK) input->priorities[workday_visit(day, from->id)] = from->priority;
    return err;
}

/* Nothing is planned and nothing frozen: the whole day lies ahead. */
enum err read_day(struct solve_input *input, const struct day *day, bool overtime,
                  struct problem *problem)
{
    if (day->technician_count + day->order_count > SOLVE_PLACES_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "orders.csv",
                           "at most %d technicians and orders together", SOLVE_PLACES_MAX);
    input->format = SOLVE_DAY;
    input->price_priority = policy_default.unserved_s_per_priority;
    input->priorities =
        arena_need(&input->memory, sizeof *input->priorities * (day->order_count + 1));
    solver_open(&input->solver, &travel_straight, day->service_day);
    input->solver_open = true;
    workday_set_time(&input->solver.day, day->start_us, day->start_us, &policy_default);
    enum err err = ERR_OK;
    for (size_t i = 0; i < day->technician_count && err == ERR_OK; i++)
        err = take_technician(&input->solver.day, &day->technicians[i], overtime, problem);
    for (size_t i = 0; i < day->order_count && err == ERR_OK; i++)
        err = take_order(input, &day->orders[i], problem);
    return err;
}
