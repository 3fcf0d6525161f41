/* price.c - model/cost.h and model/policy.h, read again and written down once more. */
#include "optimizer/audit/audit_impl.h"

#include <string.h>

static int64_t whole_seconds(int64_t us)
{
    return us % 1000000 == 0 ? us / 1000000 : us / 1000000 + 1;
}

/* Four times the price at the start, once four hours before it, a straight line in between. */
static int64_t price_of_change(const struct audit *audit, int64_t price_s, int64_t planned_us)
{
    const int64_t four_hours_us = INT64_C(4) * 3600 * 1000000;
    int64_t ahead_us = planned_us - audit->problem->now_us;
    if (ahead_us >= four_hours_us) return price_s;
    if (ahead_us <= 0) return 4 * price_s;
    return price_s + 3 * price_s * (four_hours_us - ahead_us) / four_hours_us;
}

static int64_t price_of_overtime(const struct policy *policy, int64_t overtime_s)
{
    int64_t first_s = overtime_s, second_s = 0;
    if (policy->overtime_tier_us > 0 && overtime_s > policy->overtime_tier_us / 1000000) {
        first_s = policy->overtime_tier_us / 1000000;
        second_s = overtime_s - first_s;
    }
    return (first_s * policy->overtime_price_percent +
            second_s * policy->overtime_tier_price_percent) /
           100;
}

static bool starts_as_preferred(const struct route_visit *visit, int64_t start_us)
{
    if (visit->preferred_count == 0) return true;
    for (uint32_t i = 0; i < visit->preferred_count; i++) {
        if (start_us >= visit->preferred[i].start_us && start_us <= visit->preferred[i].end_us)
            return true;
    }
    return false;
}

static bool prefers_another(const struct visit_told *told, const char *technician)
{
    for (uint32_t i = 0; i < told->preferred_count; i++) {
        if (strcmp(told->preferred[i], technician) == 0) return false;
    }
    return told->preferred_count > 0;
}

/* By the windows as told: what delay did to them changes no price. Where nobody may be late by
 * choice, lateness has none. */
static int64_t price_of_lateness(const struct policy *policy, const struct route_visit *visit,
                                 int64_t start_us)
{
    if (visit->late_us_max == 0) return 0;
    return whole_seconds(audit_late_us(visit, start_us)) * policy->lateness_price_percent / 100;
}

static void price_visit(const struct audit *audit, uint32_t technician, uint32_t v,
                        int64_t start_us, struct audit_cost *cost)
{
    const struct policy *policy = audit->problem->policy;
    const struct visit_told *told = &audit->problem->visits[v];
    cost->lateness += price_of_lateness(policy, &told->visit, start_us);
    if (prefers_another(told, audit->problem->technicians[technician].id))
        cost->preferred_technician += policy->preferred_technician_missed_s;
    if (!starts_as_preferred(&audit->visits[v], start_us))
        cost->preferred_window += policy->preferred_window_missed_s;
    if (!told->published || told->planned_start_us == 0) return;
    if (audit->home[v] != technician)
        cost->change_technician +=
            price_of_change(audit, policy->change_technician_s, told->planned_start_us);
    int64_t early_us = told->planned_start_us - start_us, late_us = -early_us;
    if (early_us > policy->change_start_tolerance_us || late_us > policy->change_start_tolerance_us)
        cost->change_start +=
            price_of_change(audit, policy->change_start_s, told->planned_start_us);
}

void audit_price_route(struct audit *audit, uint32_t technician, const uint32_t *visits,
                       uint32_t count, struct audit_cost *cost)
{
    const struct route_day *day = &audit->days[technician];
    const struct policy *policy = audit->problem->policy;
    struct point at = day->start;
    int64_t travel_s = 0;
    for (uint32_t i = 0; i <= count; i++) {
        struct point to = i < count ? audit->visits[visits[i]].at : day->end;
        travel_s += audit_leg_us(audit, at, to) / 1000000;
        at = to;
    }
    if (count == 0) {
        cost->idle += travel_s * policy->travel_price_percent / 100;
        return;
    }
    int64_t over_us = audit->walk.end_us - day->shift_end_us;
    int64_t overtime_s = over_us > 0 ? whole_seconds(over_us) : 0;
    cost->travel_s += travel_s;
    cost->travel += travel_s * policy->travel_price_percent / 100;
    cost->overtime_s += overtime_s;
    cost->overtime += price_of_overtime(policy, overtime_s);
    for (uint32_t i = 0; i < count; i++)
        price_visit(audit, technician, visits[i], audit->walk.stops[i].start_us, cost);
}

int64_t audit_price_unserved(const struct audit *audit, uint32_t visit)
{
    const struct audit_problem *problem = audit->problem;
    if (problem->unserved_s != NULL) return problem->unserved_s[visit];
    return (int64_t)problem->visits[visit].priority * problem->policy->unserved_s_per_priority;
}

void audit_total(struct audit_cost *cost)
{
    cost->total = cost->travel + cost->overtime + cost->lateness + cost->preferred_window +
                  cost->preferred_technician + cost->change_technician + cost->change_start +
                  cost->idle + cost->unserved;
}
