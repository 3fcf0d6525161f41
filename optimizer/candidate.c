#include "optimizer/candidate.h"

#include "base/borrowed.h"
#include "base/check.h"
#include "base/log.h"
#include "optimizer/core/stability.h"

static Callout__CandidateRoute *route_add(Callout__PlanCandidate *candidate, struct arena *arena,
                                          const char *technician_id, size_t visits_max)
{
    Callout__CandidateRoute *route = arena_need(arena, sizeof *route);
    callout__candidate_route__init(route);
    route->technician_id = borrowed(technician_id);
    route->appointment_ids = arena_need(arena, sizeof *route->appointment_ids * (visits_max + 1));
    candidate->routes[candidate->n_routes++] = route;
    return route;
}

static void route_fill(Callout__PlanCandidate *candidate, const struct solver *solver,
                       uint32_t technician, struct arena *arena)
{
    const struct route *from = &solver->plan.routes[technician];
    const char *id = solver->day.technicians[solver->in.technicians[technician].slot].id;
    Callout__CandidateRoute *route = route_add(candidate, arena, id, from->count);
    for (uint32_t i = 1; i <= from->count; i++) {
        uint32_t slot = solver->in.nodes[from->stops[i].visit].slot;
        route->appointment_ids[route->n_appointment_ids++] = borrowed(solver->day.visits[slot].id);
    }
}

/* People who are away, and whose visits the plan in force still has with them. */
static void leavers_fill(Callout__PlanCandidate *candidate, const struct workday *day,
                         struct arena *arena)
{
    uint8_t *leaves = arena_need(arena, day->technician_count + 1);
    for (uint32_t i = 0; i < day->visits_used; i++) {
        const struct visit_slot *visit = &day->visits[day->visit_order[i]];
        uint32_t who = visit->technician;
        if (who == NO_INDEX || visit->planned_start_us == 0 || day->technicians[who].working)
            continue;
        leaves[who] = 1;
    }
    for (uint32_t i = 0; i < day->technician_count; i++) {
        uint32_t slot = day->technician_order[i];
        if (leaves[slot]) route_add(candidate, arena, day->technicians[slot].id, 0);
    }
}

static void unserved_fill(Callout__PlanCandidate *candidate, const struct solver *solver,
                          struct arena *arena)
{
    const struct plan *plan = &solver->plan;
    candidate->unserved_ids =
        arena_need(arena, sizeof *candidate->unserved_ids * (plan->unserved_count + 1));
    for (uint32_t v = 0; v < solver->in.visit_count; v++) {
        const struct visit_slot *visit = &solver->day.visits[solver->in.nodes[v].slot];
        if (plan->route_of[v] != NO_INDEX || visit->planned_start_us == 0) continue;
        candidate->unserved_ids[candidate->n_unserved_ids++] = borrowed(visit->id);
    }
}

/* Does the route hold to the microsecond? It should; if not, it and all that exchanges visits with
 * it is left as it is by the dispatcher. */
static bool holds(const struct solver *solver, uint32_t technician)
{
    const struct plan *plan = &solver->plan;
    if (!stability_holds(plan, technician)) return false;
    if (!route_keeps_order(plan->in, technician, &plan->routes[technician])) return false;
    struct route_times times;
    enum route_rule rule = solver_route_rule(solver, technician, &times);
    if (rule == ROUTE_FITS) return true;
    log_warn("the route of %s does not hold: %s, stop %u of %u, %u frozen",
             solver->day.technicians[solver->in.technicians[technician].slot].id,
             route_rule_text(rule), times.rule_index, solver->plan.routes[technician].count,
             solver->in.technicians[technician].frozen);
    return false;
}

bool candidate_fill(Callout__PlanCandidate *candidate, const struct solver *solver,
                    struct arena *arena)
{
    size_t routes_max = solver->in.technician_count + solver->day.technician_count;
    candidate->routes = arena_need(arena, sizeof *candidate->routes * (routes_max + 1));
    candidate->cost_seconds = solver->plan.cost;
    for (uint32_t t = 0; t < solver->in.technician_count; t++) {
        if (solver_route_news(solver, t) != NEWS_NONE && holds(solver, t))
            route_fill(candidate, solver, t, arena);
    }
    leavers_fill(candidate, &solver->day, arena);
    unserved_fill(candidate, solver, arena);
    return candidate->n_routes > 0;
}
