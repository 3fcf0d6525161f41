/* audit_problem.c - what was told, taken out of the workday again. */
#include "optimizer/audit_tool.h"

#include <string.h>

static const struct skill_named *skills_of(const struct workday *day, const struct skill *skills,
                                           uint32_t count, struct arena *memory)
{
    struct skill_named *list = arena_need(memory, sizeof *list * (count + 1));
    for (uint32_t i = 0; i < count; i++)
        list[i] = (struct skill_named){day->skill_names[skills[i].name], skills[i].level};
    return list;
}

static uint32_t names_of(const struct workday *day, const struct named_set *set, const char **names)
{
    for (uint32_t i = 0; i < set->count; i++)
        names[i] = day->technicians[set->slots[i]].id;
    return set->count;
}

static struct technician_told
technician_of(const struct workday *day, const struct technician_slot *from, struct arena *memory)
{
    return (struct technician_told){
        .id = from->id,
        .day = from->day,
        .skills = skills_of(day, from->skills, from->skill_count, memory),
        .skill_count = from->skill_count,
        .capacity = from->capacity,
    };
}

static struct visit_told visit_of(const struct workday *day, const struct visit_slot *from,
                                  struct arena *memory)
{
    const struct need_set *need = &day->needs[from->need];
    struct visit_told told = {
        .id = from->id,
        .visit = from->visit,
        .priority = from->priority,
        .skills = skills_of(day, need->skills, need->count, memory),
        .skill_count = need->count,
        .choice_count = need->choice_count,
        .mobility = from->mobility,
        .technician_id = from->technician == NO_INDEX ? "" : day->technicians[from->technician].id,
        .planned_start_us = from->planned_start_us,
        .position = from->position,
        .emergency = from->emergency,
        .published = from->published,
        .load = from->load,
    };
    for (uint32_t i = 0; i < need->choice_count; i++) {
        const struct skill_choice *choice = &need->choices[i];
        told.choices[i] = (struct choice_told){
            skills_of(day, choice->any_of, choice->count, memory), choice->count};
    }
    told.excluded_count = names_of(day, &need->excluded, told.excluded);
    told.required_count = names_of(day, &need->required, told.required);
    told.preferred_count = names_of(day, &need->preferred, told.preferred);
    return told;
}

void audit_problem_of(const struct workday *day, struct arena *memory,
                      struct audit_problem *problem)
{
    struct technician_told *technicians =
        arena_need(memory, sizeof *technicians * (day->technician_count + 1));
    struct visit_told *visits = arena_need(memory, sizeof *visits * (day->visits_used + 1));
    *problem = (struct audit_problem){.travel = day->travel,
                                      .now_us = day->now_us,
                                      .frozen_until_us = day->frozen_until_us,
                                      .policy = &day->policy,
                                      .technicians = technicians,
                                      .visits = visits,
                                      .visit_count = day->visits_used};
    for (uint32_t i = 0; i < day->technician_count; i++) {
        const struct technician_slot *from = &day->technicians[day->technician_order[i]];
        if (from->working)
            technicians[problem->technician_count++] = technician_of(day, from, memory);
    }
    for (uint32_t i = 0; i < day->visits_used; i++)
        visits[i] = visit_of(day, &day->visits[day->visit_order[i]], memory);
}
