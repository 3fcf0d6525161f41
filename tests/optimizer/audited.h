/* audited.h - a solver's plan before the auditor, who is told the problem as the solver was. */
#ifndef CALLOUT_TESTS_AUDITED_H
#define CALLOUT_TESTS_AUDITED_H

#include "optimizer/audit/audit.h"
#include "optimizer/solve.h"

#include <stdio.h>
#include <stdlib.h>

enum { AUDITED_KEPT = 16, AUDITED_MEMORY = 64 << 20 };

struct audited {
    struct arena memory;
    struct audit audit;
    struct audit_violation kept[AUDITED_KEPT];
    struct audit_report report;
};

/* The problem must stay where it is until audited_close. */
static inline void audited_open(struct audited *audited, const struct audit_problem *problem)
{
    arena_open(&audited->memory, AUDITED_MEMORY);
    audit_open(&audited->audit, problem, &audited->memory);
    audited->report =
        (struct audit_report){.violations = audited->kept, .violation_max = AUDITED_KEPT};
}

static inline void audited_close(struct audited *audited)
{
    arena_close(&audited->memory);
}

/* Checks the solver's routes, as sequences without times. */
static inline void audited_plan(struct audited *audited, const struct solver *solver)
{
    const struct instance *in = &solver->in;
    struct audit_plan plan = {.route_count = in->technician_count};
    struct audit_route *routes =
        arena_need(&audited->memory, sizeof *routes * (in->technician_count + 1));
    struct audit_stop *stops = arena_need(&audited->memory, sizeof *stops * (in->visit_count + 1));
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct route *route = &solver->plan.routes[t];
        routes[t] = (struct audit_route){.technician_id =
                                             solver->day.technicians[in->technicians[t].slot].id,
                                         .stops = stops,
                                         .stop_count = route->count};
        for (uint32_t i = 1; i <= route->count; i++)
            *stops++ = (struct audit_stop){
                .visit_id = solver->day.visits[in->nodes[route->stops[i].visit].slot].id};
    }
    plan.routes = routes;
    audit_plan(&audited->audit, &plan, &audited->report);
}

/* How the solver counts it: a pinned visit that has no place yet is kept before all others. */
static inline int64_t audited_cost(const struct audited *audited)
{
    return audited->report.cost.total + (int64_t)audited->report.unserved_pinned * PINNED_EXTRA_S;
}

/* Prints what is wrong; true if nothing is, the solver's own idea of the price included. */
static inline bool audited_clean(const struct audited *audited, const struct solver *solver)
{
    const struct audit_report *report = &audited->report;
    for (uint32_t i = 0; i < report->violation_count && i < report->violation_max; i++)
        printf("%s: %s\n", audit_rule_name(report->violations[i].rule), report->violations[i].text);
    if (solver->plan.cost != audited_cost(audited))
        printf("the plan costs %lld, and says %lld\n", (long long)audited_cost(audited),
               (long long)solver->plan.cost);
    return report->violation_count == 0 && solver->plan.cost == audited_cost(audited);
}

#endif
