/* small_day.h - random small days with every rule in them, and the best plan there is.
 *
 * The best plan is found the plain way: for each technician all orders of all visits that he may
 * serve, judged and priced by the auditor, then the cheapest way to share the visits out.
 */
#ifndef CALLOUT_TESTS_SMALL_DAY_H
#define CALLOUT_TESTS_SMALL_DAY_H

#include "audited.h"
#include "base/rng.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    TECHNICIANS = 3,
    ORDERS = 8,
    SETS = 1 << ORDERS,
    PLACES = 2 * TECHNICIANS + ORDERS,
    SERVICE_DAY = 20780,
};

#define US(seconds) ((int64_t)(seconds)*1000000)
#define BASE_S      ((int64_t)SERVICE_DAY * 86400 + 7 * 3600)

/* --- a small day ----------------------------------------------------------------------------- */

struct table {
    struct travel travel; /* first: what is asked is this object */
    int32_t seconds[PLACES][PLACES];
};

struct small_day {
    struct rng rng;
    struct table table;
    struct policy policy;
    struct audit_problem problem;
    struct technician_told technicians[TECHNICIANS];
    struct visit_told visits[ORDERS];
    char technician_ids[TECHNICIANS][12], visit_ids[ORDERS][12];
    struct skill_named technician_skills[TECHNICIANS][2], visit_skills[ORDERS][1];
};

static inline int32_t table_seconds(const struct travel *travel, struct point from, struct point to)
{
    const struct table *table = (const struct table *)(const void *)travel;
    return table->seconds[from.lat_e7][to.lat_e7];
}

/* One time in `often`. */
static inline bool now_and_then(struct small_day *day, uint32_t often)
{
    return rng_below(&day->rng, often) == 0;
}

static inline int64_t between(struct small_day *day, int64_t low, int64_t high)
{
    return low + rng_below(&day->rng, (uint32_t)(high - low + 1));
}

/* Places in a plane with roads that are worse one way; or numbers that obey no triangle. */
static inline void make_travel(struct small_day *day)
{
    int64_t x[PLACES], y[PLACES];
    bool plane = !now_and_then(day, 3);
    day->table.travel.seconds = table_seconds;
    for (uint32_t i = 0; i < PLACES; i++) {
        x[i] = between(day, 0, 1200);
        y[i] = between(day, 0, 1200);
    }
    for (uint32_t i = 0; i < PLACES; i++) {
        for (uint32_t j = 0; j < PLACES; j++) {
            int64_t apart = llabs(x[i] - x[j]) + llabs(y[i] - y[j]) + between(day, 0, 200);
            if (!plane) apart = between(day, 0, 3000);
            day->table.seconds[i][j] = i == j ? 0 : (int32_t)apart;
        }
    }
}

static inline void make_policy(struct small_day *day)
{
    day->policy = policy_default;
    day->policy.overtime_price_percent = (int32_t)between(day, 100, 300);
    day->policy.unserved_s_per_priority = (int32_t)between(day, 200, 3600);
    day->policy.change_technician_s = (int32_t)between(day, 0, 900);
    day->policy.change_start_s = (int32_t)between(day, 0, 300);
    day->policy.change_start_tolerance_us = US(between(day, 0, 1800));
    day->policy.travel_price_percent = now_and_then(day, 2) ? 100 : (int32_t)between(day, 50, 200);
    day->policy.lateness_price_percent = (int32_t)between(day, 10, 300);
    day->policy.preferred_window_missed_s = (int32_t)between(day, 0, 900);
    day->policy.preferred_technician_missed_s = (int32_t)between(day, 0, 900);
    if (now_and_then(day, 2)) {
        day->policy.overtime_tier_us = US(between(day, 300, 1800));
        day->policy.overtime_tier_price_percent =
            day->policy.overtime_price_percent + (int32_t)between(day, 0, 300);
    }
}

static inline struct point place(uint32_t index)
{
    return (struct point){(int32_t)index, 0};
}

static inline void make_technician(struct small_day *day, uint32_t t)
{
    struct technician_told *told = &day->technicians[t];
    int64_t start = BASE_S + between(day, 0, 3600), length = between(day, 5400, 5 * 3600);
    snprintf(day->technician_ids[t], sizeof day->technician_ids[t], "T%u", t);
    *told = (struct technician_told){.id = day->technician_ids[t]};
    told->day = (struct route_day){.start = place(2 * t),
                                   .end = place(now_and_then(day, 3) ? 2 * t + 1 : 2 * t),
                                   .available_us = US(start),
                                   .shift_end_us = US(start + length),
                                   .overtime_us_max = now_and_then(day, 2) ? US(3600) : 0};
    if (!now_and_then(day, 3)) {
        int64_t earliest = start + between(day, 0, length / 2);
        told->day.break_us = US(between(day, 600, 2400));
        told->day.break_earliest_us = US(earliest);
        told->day.break_latest_us = US(earliest + between(day, 0, 3600));
    }
    if (now_and_then(day, 4)) told->capacity = (int32_t)between(day, 3, 12);
    if (now_and_then(day, 5)) told->day.leg_s_max = (int32_t)between(day, 600, 2400);
    if (now_and_then(day, 5)) told->day.travel_s_max = (int32_t)between(day, 1800, 7200);
    told->skills = day->technician_skills[t];
    for (uint32_t s = 0; s < 2; s++) {
        if (now_and_then(day, 3)) continue;
        day->technician_skills[t][told->skill_count++] =
            (struct skill_named){s == 0 ? "gas" : "heat", (uint32_t)between(day, 1, 3)};
    }
}

static inline void make_windows(struct small_day *day, struct route_visit *visit)
{
    int64_t from = BASE_S;
    visit->window_count = rng_below(&day->rng, 4);
    for (uint32_t w = 0; w < visit->window_count; w++) {
        int64_t start = from + between(day, 0, 2 * 3600);
        from = start + between(day, 0, 5400);
        visit->windows[w] = (struct window){US(start), US(from)};
        from += between(day, 1, 3600);
    }
}

static const struct skill_named any_skill[] = {{"gas", 3}, {"heat", 1}};

/* Wishes lie anywhere, and may overlap the windows and one another. */
static inline void make_wishes(struct small_day *day, struct visit_told *told)
{
    uint32_t technicians = day->problem.technician_count;
    struct route_visit *visit = &told->visit;
    if (now_and_then(day, 4)) visit->late_us_max = US(between(day, 60, 3600));
    if (now_and_then(day, 4)) visit->preferred_count = 1 + rng_below(&day->rng, 2);
    for (uint32_t w = 0; w < visit->preferred_count; w++) {
        int64_t start = BASE_S + between(day, 0, 4 * 3600);
        visit->preferred[w] = (struct window){US(start), US(start + between(day, 0, 5400))};
    }
    visit->preferred_count = windows_merge(visit->preferred, visit->preferred_count);
    if (now_and_then(day, 5))
        told->preferred[told->preferred_count++] =
            day->technician_ids[rng_below(&day->rng, technicians)];
    if (now_and_then(day, 8))
        told->required[told->required_count++] =
            day->technician_ids[rng_below(&day->rng, technicians)];
    if (now_and_then(day, 8)) told->required[told->required_count++] = "T1";
    if (now_and_then(day, 5))
        told->choices[told->choice_count++] = (struct choice_told){any_skill, 2};
}

static inline void make_visit(struct small_day *day, uint32_t v)
{
    struct visit_told *told = &day->visits[v];
    snprintf(day->visit_ids[v], sizeof day->visit_ids[v], "V%u", v);
    *told = (struct visit_told){.id = day->visit_ids[v], .technician_id = ""};
    told->visit.at = place(2 * TECHNICIANS + v);
    told->visit.service_us = US(between(day, 300, 3600));
    make_windows(day, &told->visit);
    told->priority = (uint32_t)between(day, 1, 9);
    told->emergency = now_and_then(day, 8);
    told->load = (int32_t)between(day, 0, 4);
    told->skills = day->visit_skills[v];
    if (now_and_then(day, 3)) {
        told->skill_count = 1;
        day->visit_skills[v][0] = (struct skill_named){now_and_then(day, 2) ? "gas" : "heat",
                                                       (uint32_t)between(day, 1, 2)};
    }
    make_wishes(day, told);
    if (now_and_then(day, 5))
        told->excluded[told->excluded_count++] =
            day->technician_ids[rng_below(&day->rng, day->problem.technician_count)];
}

/* Some of it is in the plan in force: what starts soon is frozen, some is pinned, much has been
 * told. Nobody says that this plan still holds. */
static inline void make_published(struct small_day *day)
{
    bool told_at_all = now_and_then(day, 2);
    day->problem.frozen_until_us = day->problem.now_us + US(between(day, 0, 2 * 3600));
    for (uint32_t v = 0; v < day->problem.visit_count; v++) {
        struct visit_told *told = &day->visits[v];
        bool planned = told_at_all && !now_and_then(day, 3), pinned = now_and_then(day, 8);
        if (!planned && !pinned) continue;
        told->technician_id =
            day->technician_ids[rng_below(&day->rng, day->problem.technician_count)];
        if (pinned) told->mobility = VISIT_PINNED;
        if (!planned) continue;
        told->planned_start_us = US(BASE_S + between(day, 0, 5 * 3600));
        told->position = v;
        told->published = !now_and_then(day, 4);
        if (told->planned_start_us >= day->problem.frozen_until_us) continue;
        told->mobility = VISIT_FROZEN;
        told->visit.not_before_us = told->planned_start_us;
    }
}

static inline void small_day_make(struct small_day *day, uint64_t seed)
{
    *day = (struct small_day){.rng = {seed}};
    day->problem = (struct audit_problem){.travel = &day->table.travel,
                                          .now_us = US(BASE_S),
                                          .policy = &day->policy,
                                          .technicians = day->technicians,
                                          .technician_count = 1 + rng_below(&day->rng, TECHNICIANS),
                                          .visits = day->visits,
                                          .visit_count = 1 + rng_below(&day->rng, ORDERS),
                                          .zero_us = US(BASE_S - 7 * 3600)};
    make_travel(day);
    make_policy(day);
    for (uint32_t t = 0; t < day->problem.technician_count; t++)
        make_technician(day, t);
    for (uint32_t v = 0; v < day->problem.visit_count; v++)
        make_visit(day, v);
    make_published(day);
}

static inline void tell(const struct small_day *day, struct workday *to)
{
    struct problem problem;
    workday_set_time(to, day->problem.now_us, day->problem.frozen_until_us, &day->policy);
    for (uint32_t t = 0; t < day->problem.technician_count; t++) {
        if (workday_set_technician(to, &day->technicians[t], &problem) != ERR_OK)
            fail_msg("%s: %s", problem.field, problem.text);
    }
    for (uint32_t v = 0; v < day->problem.visit_count; v++) {
        if (workday_set_visit(to, &day->visits[v], &problem) != ERR_OK)
            fail_msg("%s: %s", problem.field, problem.text);
    }
}

/* --- the best plan --------------------------------------------------------------------------- */

struct brute {
    struct audit *audit;
    uint32_t technician;
    uint32_t order[ORDERS];
    uint32_t may;       /* set of visits that he may serve, time aside */
    int64_t best[SETS]; /* the cheapest way through each set; INT64_MAX: there is none */
    uint32_t best_order[SETS][ORDERS];
    uint32_t part[SETS]; /* what he has of the set, if he and those before him share it best */
    uint64_t tried;
};

static inline uint32_t judge(struct brute *brute, uint32_t count, int64_t *cost)
{
    struct audit_report report = {0};
    audit_route(brute->audit, brute->technician, brute->order, count, &report);
    audit_total(&report.cost);
    *cost = report.cost.total;
    brute->tried++;
    return report.broken;
}

/* Not even more visits behind it make this beginning right. Where the break has no place any more,
 * a visit more only makes the day longer. */
static inline bool hopeless(const struct brute *brute, uint32_t broken, uint32_t count)
{
    uint32_t for_good =
        1u << AUDIT_WINDOW | 1u << AUDIT_BREAK | 1u << AUDIT_CAPACITY | 1u << AUDIT_FREEZE;
    if (count >= brute->audit->frozen[brute->technician]) for_good |= 1u << AUDIT_FROZEN;
    return (broken & for_good) != 0;
}

static inline void try_all(struct brute *brute, uint32_t count, uint32_t set)
{
    int64_t cost;
    uint32_t broken = judge(brute, count, &cost);
    if (broken == 0 && cost < brute->best[set]) {
        brute->best[set] = cost;
        memcpy(brute->best_order[set], brute->order, sizeof *brute->order * count);
    }
    if (hopeless(brute, broken, count)) return;
    for (uint32_t v = 0; v < brute->audit->problem->visit_count; v++) {
        if ((set >> v & 1) != 0 || (brute->may >> v & 1) == 0) continue;
        brute->order[count] = v;
        try_all(brute, count + 1, set | 1u << v);
    }
}

static inline void find_routes(struct brute *brute, struct audit *audit, uint32_t technician)
{
    brute->audit = audit;
    brute->technician = technician;
    brute->may = 0;
    brute->tried = 0;
    for (uint32_t set = 0; set < SETS; set++)
        brute->best[set] = INT64_MAX;
    for (uint32_t v = 0; v < audit->problem->visit_count; v++) {
        int64_t cost;
        brute->order[0] = v;
        if ((judge(brute, 1, &cost) >> AUDIT_TECHNICIAN & 1) == 0) brute->may |= 1u << v;
    }
    try_all(brute, 0, 0);
}

/* What leaving these out costs; INT64_MAX: one of them must stay where it is. */
static inline int64_t price_of_rest(const struct audit *audit, uint32_t rest)
{
    int64_t sum = 0;
    for (uint32_t v = 0; v < audit->problem->visit_count; v++) {
        const struct visit_told *told = &audit->problem->visits[v];
        if ((rest >> v & 1) == 0) continue;
        sum += audit_price_unserved(audit, v);
        if (told->mobility == VISIT_MOVABLE || told->technician_id[0] == 0) continue;
        if (audit->owner[v] == audit->home[v]) return INT64_MAX;
        sum += PINNED_EXTRA_S;
    }
    return sum;
}

/* The cheapest way to share a set out among one technician and those before him. */
static inline int64_t share(struct brute *brute, const int64_t *before, uint32_t set)
{
    int64_t least = INT64_MAX;
    for (uint32_t part = set;; part = (part - 1) & set) {
        int64_t mine = brute->best[part], theirs = before[set & ~part];
        if (mine < INT64_MAX && theirs < INT64_MAX && mine + theirs < least) {
            least = mine + theirs;
            brute->part[set] = part;
        }
        if (part == 0) return least;
    }
}

/* The least cost of any plan, and the visits that are served in it; `brutes` has room for
 * TECHNICIANS. */
static inline int64_t brute_force(struct audit *audit, struct brute *brutes, uint32_t *served)
{
    int64_t least[SETS], before[SETS], best = INT64_MAX;
    uint32_t all = (1u << audit->problem->visit_count) - 1;
    for (uint32_t set = 0; set <= all; set++)
        least[set] = set == 0 ? 0 : INT64_MAX;
    for (uint32_t t = 0; t < audit->problem->technician_count; t++) {
        find_routes(&brutes[t], audit, t);
        memcpy(before, least, sizeof before);
        for (uint32_t set = 0; set <= all; set++)
            least[set] = share(&brutes[t], before, set);
    }
    for (uint32_t set = 0; set <= all; set++) {
        int64_t rest = price_of_rest(audit, all & ~set);
        if (rest == INT64_MAX || least[set] == INT64_MAX || least[set] + rest >= best) continue;
        best = least[set] + rest;
        *served = set;
    }
    return best;
}

static inline int64_t seconds(int64_t time_us)
{
    return time_us / 1000000 - BASE_S;
}

#endif
