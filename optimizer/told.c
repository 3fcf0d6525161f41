#include "optimizer/told.h"

#include <stdio.h>

static const int64_t SECOND_US = 1000000;

static struct point point_of(const Callout__Point *point)
{
    if (point == NULL) return (struct point){INT32_MAX, INT32_MAX}; /* refused as no place */
    return (struct point){point->lat_e7, point->lon_e7};
}

static int32_t or_whole(int32_t percent)
{
    return percent == 0 ? 100 : percent;
}

static void policy_of(const Callout__Policy *told, struct policy *policy)
{
    *policy = policy_default;
    if (told == NULL) return;
    policy->version = told->version;
    policy->freeze_us = told->freeze_seconds * SECOND_US;
    policy->overtime_price_percent = told->overtime_price_percent;
    policy->overtime_tier_us = told->overtime_tier_seconds * SECOND_US;
    policy->overtime_tier_price_percent = told->overtime_tier_price_percent;
    policy->travel_price_percent = or_whole(told->travel_price_percent);
    policy->lateness_price_percent = or_whole(told->lateness_price_percent);
    policy->unserved_s_per_priority = told->unserved_seconds_per_priority;
    policy->change_technician_s = told->change_technician_seconds;
    policy->change_start_s = told->change_start_seconds;
    policy->change_start_tolerance_us = told->change_start_tolerance_seconds * SECOND_US;
    policy->preferred_window_missed_s = told->preferred_window_missed_seconds;
    policy->preferred_technician_missed_s = told->preferred_technician_missed_seconds;
    policy->changes_per_technician_day_max = told->changes_per_technician_day_max;
    policy->changed_visits_percent_max = told->changed_visits_percent_max;
}

/* Prices beyond these would overflow a route's cost; nobody means them. */
static enum err policy_check(const struct policy *policy, struct problem *problem)
{
    const struct {
        const char *field;
        int64_t value, max;
    } ranges[] = {
        {"overtime_price_percent", policy->overtime_price_percent, POLICY_PERCENT_MAX},
        {"overtime_tier_seconds", policy->overtime_tier_us, INT64_MAX},
        {"overtime_tier_price_percent", policy->overtime_tier_price_percent, POLICY_PERCENT_MAX},
        {"travel_price_percent", policy->travel_price_percent, POLICY_PERCENT_MAX},
        {"lateness_price_percent", policy->lateness_price_percent, POLICY_PERCENT_MAX},
        {"unserved_seconds_per_priority", policy->unserved_s_per_priority, POLICY_PRICE_S_MAX},
        {"change_technician_seconds", policy->change_technician_s, POLICY_PRICE_S_MAX},
        {"change_start_seconds", policy->change_start_s, POLICY_PRICE_S_MAX},
        {"change_start_tolerance_seconds", policy->change_start_tolerance_us, INT64_MAX},
        {"preferred_window_missed_seconds", policy->preferred_window_missed_s, POLICY_PRICE_S_MAX},
        {"preferred_technician_missed_seconds", policy->preferred_technician_missed_s,
         POLICY_PRICE_S_MAX},
        {"changes_per_technician_day_max", policy->changes_per_technician_day_max, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].value >= 0 && ranges[i].value <= ranges[i].max) continue;
        char field[80];
        snprintf(field, sizeof field, "policy.%s", ranges[i].field);
        return problem_set(problem, ERR_INVALID, field, "is %lld; must be from 0 to %lld",
                           (long long)ranges[i].value, (long long)ranges[i].max);
    }
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
                .break_us = told->break_seconds * SECOND_US,
                .leg_s_max = told->leg_seconds_max,
                .travel_s_max = told->travel_seconds_max},
        .skills = skills,
        .skill_count = (uint32_t)told->n_skills,
        .changes_limited = told->changes_left >= 0,
        .changes_left = told->changes_left,
        .keeps_order = told->keeps_order != 0,
    };
    return workday_set_technician(day, &technician, problem);
}

static enum mobility mobility_of(Callout__Mobility told)
{
    if (told == CALLOUT__MOBILITY__FROZEN) return VISIT_FROZEN;
    return told == CALLOUT__MOBILITY__TECHNICIAN_PINNED ? VISIT_PINNED : VISIT_MOVABLE;
}

/* Room for the skills that a visit names: its own, and those of its choices. */
struct skill_room {
    struct skill_named skills[LIMIT_SKILLS_PER_ENTITY];
    struct skill_named any_of[LIMIT_SKILL_CHOICES_PER_ORDER][LIMIT_SKILLS_PER_ENTITY];
};

static enum err need_of(const Callout__ProblemVisit *told, struct skill_room *room,
                        struct visit_told *visit, struct problem *problem)
{
    visit->skills = room->skills;
    visit->skill_count = (uint32_t)told->n_skills;
    enum err err = skills_of(told->skills, told->n_skills, room->skills, problem);
    if (err != ERR_OK) return err;
    if (told->n_skill_choices > LIMIT_SKILL_CHOICES_PER_ORDER)
        return problem_set(problem, ERR_TOO_LARGE, "skill_choices", "more than %d",
                           LIMIT_SKILL_CHOICES_PER_ORDER);
    visit->choice_count = (uint32_t)told->n_skill_choices;
    for (size_t i = 0; i < told->n_skill_choices && err == ERR_OK; i++) {
        const Callout__SkillChoice *choice = told->skill_choices[i];
        visit->choices[i] = (struct choice_told){room->any_of[i], (uint32_t)choice->n_any_of};
        err = skills_of(choice->any_of, choice->n_any_of, room->any_of[i], problem);
    }
    return err;
}

static enum err names_of(char *const *ids, size_t count, size_t max, const char *field,
                         const char **names, uint32_t *name_count, struct problem *problem)
{
    if (count > max) return problem_set(problem, ERR_TOO_LARGE, field, "more than %zu", max);
    for (size_t i = 0; i < count; i++)
        names[i] = ids[i];
    *name_count = (uint32_t)count;
    return ERR_OK;
}

static enum err technicians_of(const Callout__ProblemVisit *told, struct visit_told *visit,
                               struct problem *problem)
{
    enum err err =
        names_of(told->excluded_technician_ids, told->n_excluded_technician_ids, EXCLUDED_MAX,
                 "excluded_technician_ids", visit->excluded, &visit->excluded_count, problem);
    if (err == ERR_OK)
        err = names_of(told->required_technician_ids, told->n_required_technician_ids, NAMED_MAX,
                       "required_technician_ids", visit->required, &visit->required_count, problem);
    if (err == ERR_OK)
        err = names_of(told->preferred_technician_ids, told->n_preferred_technician_ids, NAMED_MAX,
                       "preferred_technician_ids", visit->preferred, &visit->preferred_count,
                       problem);
    return err;
}

/* Preferred windows are wishes and allow nothing; the others do. */
static enum err windows_of(const Callout__ProblemVisit *told, struct route_visit *visit,
                           struct problem *problem)
{
    for (size_t i = 0; i < told->n_windows; i++) {
        const Callout__ArrivalWindow *from = told->windows[i];
        uint32_t *count = from->preferred ? &visit->preferred_count : &visit->window_count;
        if (*count == LIMIT_WINDOWS_PER_ORDER)
            return problem_set(problem, ERR_TOO_LARGE, "windows", "more than %d of a kind",
                               LIMIT_WINDOWS_PER_ORDER);
        struct window *to = from->preferred ? visit->preferred : visit->windows;
        to[(*count)++] = (struct window){from->start_us, from->end_us};
    }
    return ERR_OK;
}

static enum err take_visit(struct solver *solver, const Callout__ProblemVisit *told,
                           struct problem *problem)
{
    if (told->removed) {
        solver_remove_visit(solver, told->appointment_id);
        return ERR_OK;
    }
    struct skill_room room;
    struct visit_told visit = {
        .id = told->appointment_id,
        .visit = {.at = point_of(told->point),
                  .service_us = told->service_seconds * SECOND_US,
                  .not_before_us = told->not_before_us,
                  .late_us_max = told->late_seconds_max * SECOND_US,
                  .stretched_us = told->stretched_us},
        .priority = told->priority,
        .mobility = mobility_of(told->mobility),
        .technician_id = told->technician_id,
        .planned_start_us = told->planned_start_us,
        .position = told->position,
        .emergency = told->emergency,
        .published = told->published,
        .changed_hands = told->changed_hands,
    };
    enum err err = need_of(told, &room, &visit, problem);
    if (err == ERR_OK) err = technicians_of(told, &visit, problem);
    if (err == ERR_OK) err = windows_of(told, &visit.visit, problem);
    if (err == ERR_OK) err = workday_set_visit(&solver->day, &visit, problem);
    return err;
}

enum err told_apply(struct solver *solver, const Callout__NextProblemReply *news,
                    struct problem *problem)
{
    struct policy policy;
    policy_of(news->policy, &policy);
    enum err err = policy_check(&policy, problem);
    if (err != ERR_OK) return err;
    if (news->changed_visits_left > LIMIT_APPOINTMENTS)
        return problem_set(problem, ERR_INVALID, "changed_visits_left", "at most %d",
                           LIMIT_APPOINTMENTS);
    workday_set_time(&solver->day, news->now_us, news->frozen_until_us, &policy);
    workday_limit_hands(&solver->day, news->changed_visits_limited, news->changed_visits_left);
    for (size_t i = 0; i < news->n_technicians && err == ERR_OK; i++)
        err = take_technician(&solver->day, news->technicians[i], problem);
    for (size_t i = 0; i < news->n_visits && err == ERR_OK; i++)
        err = take_visit(solver, news->visits[i], problem);
    return err;
}
