#include "optimizer/told.h"

static const int64_t SECOND_US = 1000000;

static struct point point_of(const Callout__Point *point)
{
    if (point == NULL) return (struct point){INT32_MAX, INT32_MAX}; /* refused as no place */
    return (struct point){point->lat_e7, point->lon_e7};
}

static void policy_of(const Callout__Policy *told, struct policy *policy)
{
    *policy = policy_default;
    if (told == NULL) return;
    policy->version = told->version;
    policy->freeze_us = told->freeze_seconds * SECOND_US;
    policy->overtime_price_percent = told->overtime_price_percent;
    policy->unserved_s_per_priority = told->unserved_seconds_per_priority;
    policy->change_technician_s = told->change_technician_seconds;
    policy->change_start_s = told->change_start_seconds;
    policy->change_start_tolerance_us = told->change_start_tolerance_seconds * SECOND_US;
}

/* Prices beyond these would overflow a route's cost; nobody means them. */
static enum err policy_check(const struct policy *policy, struct problem *problem)
{
    enum { PRICE_MAX_S = 1000000, PERCENT_MAX = 10000 };
    if (policy->overtime_price_percent < 0 || policy->overtime_price_percent > PERCENT_MAX)
        return problem_set(problem, ERR_INVALID, "policy.overtime_price_percent", "out of range");
    if (policy->unserved_s_per_priority < 0 || policy->unserved_s_per_priority > PRICE_MAX_S ||
        policy->change_technician_s < 0 || policy->change_technician_s > PRICE_MAX_S ||
        policy->change_start_s < 0 || policy->change_start_s > PRICE_MAX_S ||
        policy->change_start_tolerance_us < 0)
        return problem_set(problem, ERR_INVALID, "policy", "a price is out of range");
    return ERR_OK;
}

static enum err skills_of(Callout__Skill *const *told, size_t count, struct skill_named *skills,
                          struct problem *problem)
{
    if (count > LIMIT_SKILLS_PER_ENTITY)
        return problem_set(problem, ERR_TOO_LARGE, "skills", "more than %d",
                           LIMIT_SKILLS_PER_ENTITY);
    for (size_t i = 0; i < count; i++)
        skills[i] = (struct skill_named){told[i]->name, told[i]->level};
    return ERR_OK;
}

static enum err take_technician(struct workday *day, const Callout__ProblemTechnician *told,
                                struct problem *problem)
{
    if (told->removed) {
        workday_remove_technician(day, told->technician_id);
        return ERR_OK;
    }
    struct skill_named skills[LIMIT_SKILLS_PER_ENTITY];
    enum err err = skills_of(told->skills, told->n_skills, skills, problem);
    if (err != ERR_OK) return err;
    const struct technician_told technician = {
        .id = told->technician_id,
        .day = {.start = point_of(told->start),
                .end = point_of(told->end),
                .available_us = told->available_us,
                .shift_end_us = told->shift_end_us,
                .overtime_us_max = told->overtime_seconds_max * SECOND_US,
                .break_earliest_us = told->break_earliest_us,
                .break_latest_us = told->break_latest_us,
                .break_us = told->break_seconds * SECOND_US},
        .skills = skills,
        .skill_count = (uint32_t)told->n_skills,
    };
    return workday_set_technician(day, &technician, problem);
}

static enum mobility mobility_of(Callout__Mobility told)
{
    if (told == CALLOUT__MOBILITY__FROZEN) return VISIT_FROZEN;
    return told == CALLOUT__MOBILITY__TECHNICIAN_PINNED ? VISIT_PINNED : VISIT_MOVABLE;
}

static enum err take_visit(struct solver *solver, const Callout__ProblemVisit *told,
                           struct problem *problem)
{
    if (told->removed) {
        solver_remove_visit(solver, told->appointment_id);
        return ERR_OK;
    }
    struct skill_named skills[LIMIT_SKILLS_PER_ENTITY];
    enum err err = skills_of(told->skills, told->n_skills, skills, problem);
    if (err != ERR_OK) return err;
    if (told->n_windows > LIMIT_WINDOWS_PER_ORDER || told->n_excluded_technician_ids > EXCLUDED_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "visits", "too many windows or exclusions");
    struct visit_told visit = {
        .id = told->appointment_id,
        .visit = {.at = point_of(told->point),
                  .service_us = told->service_seconds * SECOND_US,
                  .window_count = (uint32_t)told->n_windows,
                  .not_before_us = told->not_before_us},
        .priority = told->priority,
        .skills = skills,
        .skill_count = (uint32_t)told->n_skills,
        .mobility = mobility_of(told->mobility),
        .technician_id = told->technician_id,
        .excluded_count = (uint32_t)told->n_excluded_technician_ids,
        .planned_start_us = told->planned_start_us,
        .position = told->position,
        .emergency = told->emergency,
        .published = told->published,
    };
    for (size_t i = 0; i < told->n_windows; i++)
        visit.visit.windows[i] =
            (struct window){told->windows[i]->start_us, told->windows[i]->end_us};
    for (size_t i = 0; i < told->n_excluded_technician_ids; i++)
        visit.excluded[i] = told->excluded_technician_ids[i];
    return workday_set_visit(&solver->day, &visit, problem);
}

enum err told_apply(struct solver *solver, const Callout__NextProblemReply *news,
                    struct problem *problem)
{
    struct policy policy;
    policy_of(news->policy, &policy);
    enum err err = policy_check(&policy, problem);
    if (err != ERR_OK) return err;
    workday_set_time(&solver->day, news->now_us, news->frozen_until_us, &policy);
    for (size_t i = 0; i < news->n_technicians && err == ERR_OK; i++)
        err = take_technician(&solver->day, news->technicians[i], problem);
    for (size_t i = 0; i < news->n_visits && err == ERR_OK; i++)
        err = take_visit(solver, news->visits[i], problem);
    return err;
}
