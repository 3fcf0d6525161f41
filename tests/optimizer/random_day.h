/* random_day.h - small made-up days for the optimizer's tests, all from one seed. */
#ifndef CALLOUT_TESTS_RANDOM_DAY_H
#define CALLOUT_TESTS_RANDOM_DAY_H

#include "base/rng.h"
#include "model/cost.h"
#include "optimizer/core/plan.h"
#include "optimizer/core/workday.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_TECHNICIANS = 8, DAY_VISITS = 64, SERVICE_DAY = 20780 };

#define US(seconds) ((int64_t)(seconds)*1000000)
#define BASE_S      ((int64_t)SERVICE_DAY * 86400)

struct random_day {
    struct rng rng;
    uint32_t technician_count, visit_count;
    struct technician_told technicians[DAY_TECHNICIANS];
    struct visit_told visits[DAY_VISITS];
    char technician_ids[DAY_TECHNICIANS][8], visit_ids[DAY_VISITS][8];
    struct skill_named technician_skills[DAY_TECHNICIANS][2], visit_skills[DAY_VISITS][1];
    struct skill_named visit_choices[DAY_VISITS][2];
    struct policy policy;
};

/* The number in an id such as V017. */
static inline uint32_t number_of(const char *id)
{
    return (uint32_t)strtoul(id + 1, NULL, 10);
}

static const char *const skill_words[] = {"hvac", "network"};

static inline struct point random_point(struct rng *rng)
{
    /* About 11 by 8 km, so that a journey takes up to half an hour. */
    return (struct point){471000000 + (int32_t)rng_below(rng, 1000000),
                          95000000 + (int32_t)rng_below(rng, 1000000)};
}

/* Travel without symmetry and without triangles: there and back differ, and a detour may be the
 * shorter way. */
static inline int32_t any_seconds(const struct travel *travel, struct point from, struct point to)
{
    (void)travel;
    if (point_same(from, to)) return 0;
    struct rng rng = {((uint64_t)(uint32_t)from.lat_e7 << 32 | (uint32_t)to.lat_e7) ^
                      ((uint64_t)(uint32_t)from.lon_e7 << 16) ^ (uint64_t)(uint32_t)to.lon_e7};
    return (int32_t)rng_below(&rng, 2400);
}
static const struct travel travel_any = {any_seconds};

static inline void random_technician(struct random_day *day, uint32_t i)
{
    struct rng *rng = &day->rng;
    struct point home = random_point(rng);
    int64_t start = BASE_S + 7 * 3600 + rng_below(rng, 7200);
    int64_t length = 4 * 3600 + rng_below(rng, 4 * 3600);
    struct technician_told *told = &day->technicians[i];
    *told = (struct technician_told){.id = day->technician_ids[i]};
    snprintf(day->technician_ids[i], sizeof day->technician_ids[i], "T%02u", i);
    told->day = (struct route_day){.start = home,
                                   .end = rng_below(rng, 4) ? home : random_point(rng),
                                   .available_us = US(start),
                                   .shift_end_us = US(start + length),
                                   .overtime_us_max = rng_below(rng, 2) ? US(3600) : 0};
    if (rng_below(rng, 3) != 0) {
        int64_t earliest = start + 3600 + rng_below(rng, 3600);
        told->day.break_us = US(1200 + rng_below(rng, 1800));
        told->day.break_earliest_us = US(earliest);
        told->day.break_latest_us = US(earliest + rng_below(rng, 5400));
    }
    told->skills = day->technician_skills[i];
    for (uint32_t s = 0; s < 2; s++) {
        if (rng_below(rng, 3) == 0) continue;
        day->technician_skills[i][told->skill_count++] =
            (struct skill_named){skill_words[s], 1 + rng_below(rng, 3)};
    }
}

static inline void random_visit(struct random_day *day, uint32_t i)
{
    struct rng *rng = &day->rng;
    struct visit_told *told = &day->visits[i];
    *told = (struct visit_told){.id = day->visit_ids[i], .technician_id = ""};
    snprintf(day->visit_ids[i], sizeof day->visit_ids[i], "V%03u", i);
    told->visit.at = random_point(rng);
    told->visit.service_us = US(600 + rng_below(rng, 3600));
    told->visit.window_count = rng_below(rng, 4);
    int64_t from = BASE_S + 7 * 3600;
    for (uint32_t w = 0; w < told->visit.window_count; w++) {
        int64_t start = from + rng_below(rng, 4 * 3600);
        from = start + 600 + rng_below(rng, 2 * 3600);
        told->visit.windows[w] = (struct window){US(start), US(from)};
        from += 60;
    }
    told->priority = 1 + rng_below(rng, 9);
    told->skills = day->visit_skills[i];
    if (rng_below(rng, 2) == 0) {
        told->skill_count = 1;
        day->visit_skills[i][0] =
            (struct skill_named){skill_words[rng_below(rng, 2)], 1 + rng_below(rng, 2)};
    }
    if (day->technician_count > 0 && rng_below(rng, 4) == 0)
        told->excluded[told->excluded_count++] =
            day->technician_ids[rng_below(rng, day->technician_count)];
}

static inline void random_day_make(struct random_day *day, uint64_t seed, uint32_t technicians,
                                   uint32_t visits)
{
    *day = (struct random_day){.rng = {seed}, technicians, visits, .policy = policy_default};
    for (uint32_t i = 0; i < technicians; i++)
        random_technician(day, i);
    for (uint32_t i = 0; i < visits; i++)
        random_visit(day, i);
}

/* Vehicles of half the technicians fill up. */
static inline void random_loads(struct random_day *day)
{
    for (uint32_t i = 0; i < day->technician_count; i++) {
        if (rng_below(&day->rng, 2))
            day->technicians[i].capacity = 4 + (int32_t)rng_below(&day->rng, 12);
    }
    for (uint32_t i = 0; i < day->visit_count; i++)
        day->visits[i].load = (int32_t)rng_below(&day->rng, 5);
}

/* Nothing but shifts and single windows: see instance.plain. */
static inline void random_plain(struct random_day *day)
{
    for (uint32_t i = 0; i < day->technician_count; i++)
        day->technicians[i].day.break_us = day->technicians[i].day.overtime_us_max = 0;
    for (uint32_t i = 0; i < day->visit_count; i++) {
        if (day->visits[i].visit.window_count > 1) day->visits[i].visit.window_count = 1;
    }
}

/* --- every rule and every price that there is --- */

static inline void random_policy(struct random_day *day)
{
    struct rng *rng = &day->rng;
    struct policy *policy = &day->policy;
    policy->overtime_tier_us = rng_below(rng, 2) ? US(rng_below(rng, 2400)) : 0;
    policy->overtime_tier_price_percent = 150 + (int32_t)rng_below(rng, 300);
    policy->lateness_price_percent = 1 + (int32_t)rng_below(rng, 400);
    policy->preferred_window_missed_s = rng_below(rng, 3) ? (int32_t)rng_below(rng, 2400) : 0;
    policy->preferred_technician_missed_s = rng_below(rng, 3) ? (int32_t)rng_below(rng, 1800) : 0;
    policy->travel_price_percent = rng_below(rng, 2) ? 100 : 1 + (int32_t)rng_below(rng, 300);
}

static inline void random_names(struct random_day *day, const char **names, uint32_t *count)
{
    while (*count < 2 && rng_below(&day->rng, 4) == 0)
        names[(*count)++] = day->technician_ids[rng_below(&day->rng, day->technician_count)];
}

static inline void random_wishes(struct random_day *day, uint32_t i)
{
    struct rng *rng = &day->rng;
    struct visit_told *told = &day->visits[i];
    if (rng_below(rng, 3) == 0) told->visit.late_us_max = US(1 + rng_below(rng, 5400));
    int64_t from = BASE_S + 6 * 3600;
    while (told->visit.preferred_count < 2 && rng_below(rng, 3) == 0) {
        int64_t start = from + rng_below(rng, 5 * 3600);
        from = start + rng_below(rng, 2 * 3600);
        told->visit.preferred[told->visit.preferred_count++] =
            (struct window){US(start), US(from++)};
    }
    random_names(day, told->required, &told->required_count);
    random_names(day, told->preferred, &told->preferred_count);
    if (rng_below(rng, 4) != 0) return;
    struct skill_named *choices = day->visit_choices[i];
    choices[0] = (struct skill_named){skill_words[0], 1 + rng_below(rng, 3)};
    choices[1] = (struct skill_named){skill_words[1], 1 + rng_below(rng, 3)};
    told->choices[0] = (struct choice_told){choices, 2};
    told->choices[1] = (struct choice_told){choices + rng_below(rng, 2), 1};
    told->choice_count = 1 + rng_below(rng, 2);
}

/* Soft windows, wishes, named technicians, choices, limits of travel, and a policy of its own. */
static inline void random_rules(struct random_day *day)
{
    struct rng *rng = &day->rng;
    random_policy(day);
    for (uint32_t i = 0; i < day->technician_count; i++) {
        struct route_day *times = &day->technicians[i].day;
        if (rng_below(rng, 3) == 0) times->leg_s_max = 600 + (int32_t)rng_below(rng, 1800);
        if (rng_below(rng, 3) == 0) times->travel_s_max = 2400 + (int32_t)rng_below(rng, 7200);
    }
    for (uint32_t i = 0; i < day->visit_count; i++)
        random_wishes(day, i);
}

static inline void tell_technician(const struct random_day *day, struct workday *to, uint32_t i)
{
    struct problem problem;
    if (workday_set_technician(to, &day->technicians[i], &problem) != ERR_OK) puts(problem.text);
}

static inline void tell_visit(const struct random_day *day, struct workday *to, uint32_t i)
{
    struct problem problem;
    if (workday_set_visit(to, &day->visits[i], &problem) != ERR_OK) puts(problem.text);
}

static inline void tell_all(const struct random_day *day, struct workday *to)
{
    workday_set_time(to, US(BASE_S), 0, &day->policy);
    for (uint32_t i = 0; i < day->technician_count; i++)
        tell_technician(day, to, i);
    for (uint32_t i = 0; i < day->visit_count; i++)
        tell_visit(day, to, i);
}

/* What the shared definition says about a route of slots. */
static inline enum route_rule judge(const struct workday *day, uint32_t technician_slot,
                                    const uint32_t *visit_slots, uint32_t count,
                                    struct route_stop *stops, struct route_times *times)
{
    const struct route_visit *visits[ROUTE_MAX];
    for (uint32_t i = 0; i < count; i++)
        visits[i] = &day->visits[visit_slots[i]].visit;
    return route_time(day->travel, &day->technicians[technician_slot].day, visits, count, stops,
                      times);
}

/* Do the loads of those visits fit into the vehicle? */
static inline bool carries(const struct workday *day, uint32_t technician_slot,
                           const uint32_t *visit_slots, uint32_t count)
{
    int32_t capacity = day->technicians[technician_slot].capacity, sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += day->visits[visit_slots[i]].load;
    return capacity == 0 || sum <= capacity;
}

static inline bool names(const struct named_set *set, uint32_t technician_slot)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->slots[i] == technician_slot) return true;
    }
    return false;
}

/* May he serve it, time aside? */
static inline bool may_serve(const struct workday *day, uint32_t technician_slot,
                             uint32_t visit_slot)
{
    const struct technician_slot *who = &day->technicians[technician_slot];
    const struct need_set *need = &day->needs[day->visits[visit_slot].need];
    if (names(&need->excluded, technician_slot)) return false;
    if (need->required.count > 0 && !names(&need->required, technician_slot)) return false;
    return skills_cover(who->skills, who->skill_count, need->skills, need->count) &&
           skills_cover_choices(who->skills, who->skill_count, need->choices, need->choice_count);
}

/* What the shared definition says that a route of slots costs, which nobody was told of. */
static inline struct cost_parts price(const struct workday *day, uint32_t technician_slot,
                                      const uint32_t *visit_slots, uint32_t count,
                                      const struct route_stop *stops,
                                      const struct route_times *times)
{
    struct cost_visit visits[ROUTE_MAX];
    for (uint32_t i = 0; i < count; i++) {
        const struct visit_slot *it = &day->visits[visit_slots[i]];
        const struct named_set *preferred = &day->needs[it->need].preferred;
        visits[i] = (struct cost_visit){.rules = &it->visit,
                                        .prefers_others = preferred->count > 0 &&
                                                          !names(preferred, technician_slot)};
    }
    return cost_of_route(&day->policy, day->now_us, visits, stops, count, times);
}

#endif
