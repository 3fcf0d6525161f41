/* Random days of events: what is frozen or pinned stays, whoever is away gets nothing. */
#include "audited.h"
#include "optimizer/core/stability.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FREEZE_S = 1800 };

struct live_day {
    struct random_day made;
    struct solver solver;
    int64_t now_s;
    bool gone[DAY_VISITS], away[DAY_TECHNICIANS];
    uint16_t frozen[DAY_TECHNICIANS][ROUTE_MAX]; /* numbers of visits, as published */
    uint32_t frozen_count[DAY_TECHNICIANS];
};

static uint32_t number_of_visit(const struct solver *solver, uint32_t rank)
{
    return (uint32_t)strtoul(solver->day.visits[solver->in.nodes[rank].slot].id + 1, NULL, 10);
}

static uint32_t number_of_technician(const struct solver *solver, uint32_t rank)
{
    return (uint32_t)strtoul(solver->day.technicians[solver->in.technicians[rank].slot].id + 1,
                             NULL, 10);
}

/* The plan becomes what the dispatcher has. */
static void publish(struct live_day *day)
{
    const struct solver *solver = &day->solver;
    for (uint32_t v = 0; v < day->made.visit_count; v++) {
        day->made.visits[v].technician_id = "";
        day->made.visits[v].planned_start_us = 0;
        day->made.visits[v].published = false;
    }
    for (uint32_t t = 0; t < solver->in.technician_count; t++) {
        const struct route *route = &solver->plan.routes[t];
        int32_t starts[ROUTE_MAX];
        if (route->count > 0) route_starts(&solver->in, t, route, starts);
        for (uint32_t i = 0; i < route->count; i++) {
            struct visit_told *told =
                &day->made.visits[number_of_visit(solver, route->stops[i + 1].visit)];
            told->technician_id = day->made.technician_ids[number_of_technician(solver, t)];
            told->planned_start_us = US(BASE_S + starts[i]);
            told->position = i;
            told->published = true;
        }
    }
}

static uint32_t owner_of(const struct live_day *day, uint32_t v)
{
    const char *id = day->made.visits[v].technician_id;
    return id[0] == '\0' ? NO_INDEX : (uint32_t)strtoul(id + 1, NULL, 10);
}

/* Time goes on: what has begun leaves, what is near freezes, some are dispatched. */
static void advance(struct live_day *day)
{
    struct rng *rng = &day->made.rng;
    day->now_s += rng_below(rng, 1500);
    int64_t frozen_until = day->now_s + FREEZE_S;
    for (uint32_t v = 0; v < day->made.visit_count; v++) {
        struct visit_told *told = &day->made.visits[v];
        if (told->planned_start_us == 0) {
            told->mobility = VISIT_MOVABLE;
            told->visit.not_before_us = 0;
        } else if (told->planned_start_us < US(day->now_s)) {
            day->gone[v] = true;
        } else if (told->planned_start_us < US(frozen_until)) {
            told->mobility = VISIT_FROZEN;
            told->visit.not_before_us = told->planned_start_us;
        } else {
            if (told->mobility == VISIT_FROZEN) told->mobility = VISIT_PINNED; /* delay thawed it */
            told->visit.not_before_us = 0;
            if (rng_below(rng, 8) == 0) told->mobility = VISIT_PINNED;
        }
    }
    for (uint32_t t = 0; t < day->made.technician_count; t++) {
        struct route_day *times = &day->made.technicians[t].day;
        if (times->available_us < US(day->now_s)) times->available_us = US(day->now_s);
        if (times->available_us > times->break_latest_us) times->break_us = 0;
    }
}

static bool has_pinned(const struct live_day *day, uint32_t t)
{
    for (uint32_t v = 0; v < day->made.visit_count; v++) {
        if (!day->gone[v] && owner_of(day, v) == t && day->made.visits[v].mobility != VISIT_MOVABLE)
            return true;
    }
    return false;
}

static void happen(struct live_day *day)
{
    struct rng *rng = &day->made.rng;
    uint32_t v = rng_below(rng, day->made.visit_count);
    uint32_t t = rng_below(rng, day->made.technician_count);
    switch (rng_below(rng, 4)) {
    case 0: day->made.technicians[t].day.available_us += US(rng_below(rng, 3600)); break;
    case 1: day->gone[v] = true; break;
    case 2:
        if (!has_pinned(day, t)) day->away[t] = !day->away[t];
        break;
    default:
        if (day->gone[v]) {
            random_visit(&day->made, v);
            day->made.visits[v].emergency = rng_below(rng, 4) == 0;
            day->gone[v] = false;
        }
    }
}

static void tell(struct live_day *day)
{
    workday_set_time(&day->solver.day, US(day->now_s), US(day->now_s + FREEZE_S), &policy_default);
    for (uint32_t t = 0; t < day->made.technician_count; t++) {
        if (day->away[t])
            workday_remove_technician(&day->solver.day, day->made.technician_ids[t]);
        else
            tell_technician(&day->made, &day->solver.day, t);
    }
    for (uint32_t v = 0; v < day->made.visit_count; v++) {
        if (day->gone[v])
            solver_remove_visit(&day->solver, day->made.visit_ids[v]);
        else
            tell_visit(&day->made, &day->solver.day, v);
    }
}

/* What of each route is frozen, in order of planned start. */
static void note_frozen(struct live_day *day)
{
    memset(day->frozen_count, 0, sizeof day->frozen_count);
    for (uint32_t v = 0; v < day->made.visit_count; v++) {
        uint32_t t = owner_of(day, v);
        if (day->gone[v] || t == NO_INDEX || day->made.visits[v].mobility != VISIT_FROZEN) continue;
        uint32_t at = day->frozen_count[t]++;
        int64_t start = day->made.visits[v].planned_start_us;
        for (; at > 0 && day->made.visits[day->frozen[t][at - 1]].planned_start_us > start; at--)
            day->frozen[t][at] = day->frozen[t][at - 1];
        day->frozen[t][at] = (uint16_t)v;
    }
}

static void check_route(const struct live_day *day, uint32_t rank)
{
    const struct solver *solver = &day->solver;
    const struct route *route = &solver->plan.routes[rank];
    uint32_t t = number_of_technician(solver, rank);
    int32_t starts[ROUTE_MAX];
    assert_false(day->away[t]);
    assert_true(route->count >= day->frozen_count[t]);
    if (route->count > 0) route_starts(&solver->in, rank, route, starts);
    for (uint32_t i = 0; i < route->count; i++) {
        uint32_t v = number_of_visit(solver, route->stops[i + 1].visit);
        assert_false(day->gone[v]);
        if (i < day->frozen_count[t]) {
            assert_int_equal(v, day->frozen[t][i]);
            assert_true(US(BASE_S + starts[i]) >= day->made.visits[v].planned_start_us);
            continue;
        }
        bool is_new = owner_of(day, v) != t && !day->made.visits[v].emergency;
        if (is_new && day->frozen_count[t] > 0)
            assert_true(BASE_S + starts[i] >= day->now_s + FREEZE_S);
    }
}

/* Only a day that delay has not broken can be held against its rules as told. */
static bool as_told(const struct live_day *day, uint32_t rank)
{
    const struct technician *who = &day->solver.in.technicians[rank];
    const struct route_day *told =
        &day->made.technicians[number_of_technician(&day->solver, rank)].day;
    if (US(BASE_S + who->latest_end) > told->shift_end_us + told->overtime_us_max) return false;
    if (told->break_us > 0 && who->break_length == 0) return false;
    const struct route *route = &day->solver.plan.routes[rank];
    for (uint32_t i = 1; i <= route->count; i++) {
        const struct node *node = &day->solver.in.nodes[route->stops[i].visit];
        const struct visit_told *visit =
            &day->made.visits[number_of_visit(&day->solver, route->stops[i].visit)];
        uint32_t windows = visit->visit.window_count;
        if (windows > 0 && US(BASE_S + node->last_close) > visit->visit.windows[windows - 1].end_us)
            return false;
    }
    return true;
}

/* The auditor is told what the solver was, and looks at every rule and price. */
static void check_by_auditor(const struct live_day *day)
{
    static struct technician_told technicians[DAY_TECHNICIANS];
    static struct visit_told visits[DAY_VISITS];
    static struct audited audited;
    struct audit_problem problem = {.travel = &travel_straight,
                                    .now_us = US(day->now_s),
                                    .frozen_until_us = US(day->now_s + FREEZE_S),
                                    .policy = &day->solver.day.policy,
                                    .technicians = technicians,
                                    .visits = visits,
                                    .zero_us = US(BASE_S)};
    for (uint32_t t = 0; t < day->made.technician_count; t++) {
        if (!day->away[t]) technicians[problem.technician_count++] = day->made.technicians[t];
    }
    for (uint32_t v = 0; v < day->made.visit_count; v++) {
        if (!day->gone[v]) visits[problem.visit_count++] = day->made.visits[v];
    }
    audited_open(&audited, &problem);
    audited_plan(&audited, &day->solver);
    assert_true(audited_clean(&audited, &day->solver));
    audited_close(&audited);
}

static uint32_t check(const struct live_day *day)
{
    const struct solver *solver = &day->solver;
    uint32_t held = 0;
    plan_check(&solver->plan);
    check_by_auditor(day);
    for (uint32_t rank = 0; rank < solver->in.technician_count; rank++) {
        check_route(day, rank);
        if (!as_told(day, rank)) continue;
        assert_true(solver_route_holds(solver, rank));
        held++;
    }
    for (uint32_t rank = 0; rank < solver->in.visit_count; rank++) {
        uint32_t v = number_of_visit(solver, rank), t = solver->plan.route_of[rank];
        if (day->made.visits[v].mobility == VISIT_MOVABLE) continue;
        assert_int_not_equal(t, NO_INDEX);
        assert_int_equal(number_of_technician(solver, t), owner_of(day, v));
    }
    return held;
}

/* As the dispatcher says it when delay has stretched limits and windows. */
static void stretch(struct live_day *day)
{
    for (uint32_t t = 0; t < day->made.technician_count; t++)
        day->made.technicians[t].keeps_order = rng_below(&day->made.rng, 3) == 0;
    for (uint32_t v = 0; v < day->made.visit_count; v++) {
        struct visit_told *told = &day->made.visits[v];
        bool late = told->mobility != VISIT_MOVABLE && told->visit.window_count > 0;
        told->visit.stretched_us =
            late && rng_below(&day->made.rng, 2) ? US(rng_below(&day->made.rng, 3600)) : 0;
    }
}

static void what_must_stay_stays(void **state)
{
    (void)state;
    uint32_t held = 0, frozen = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        static struct live_day day;
        day = (struct live_day){.now_s = BASE_S + 6 * 3600};
        random_day_make(&day.made, seed * 104729, 5, 36);
        solver_open(&day.solver, &travel_straight, SERVICE_DAY);
        tell_all(&day.made, &day.solver.day);
        solver_fresh(&day.solver, 300, seed);
        for (uint32_t step = 0; step < 40; step++) {
            publish(&day);
            advance(&day);
            happen(&day);
            stretch(&day);
            tell(&day);
            note_frozen(&day);
            for (uint32_t t = 0; t < day.made.technician_count; t++)
                frozen += day.frozen_count[t];
            solver_begin(&day.solver);
            held += check(&day);
            int64_t repaired = day.solver.plan.cost;
            solver_search(&day.solver, 100, step, false);
            (void)solver_improve(&day.solver, 100);
            held += check(&day);
            (void)solver_recombine(&day.solver);
            held += check(&day);
            assert_true(day.solver.plan.cost <= repaired);
        }
        solver_close(&day.solver);
    }
    print_message("%u routes held against route.h, %u frozen visits\n", held, frozen);
    assert_true(held > 1000 && frozen > 200);
}

/* Visits that leave a technician or come to him from another; 0 if an emergency comes to him. */
static int32_t changes_of(const struct live_day *day, uint32_t rank)
{
    const struct plan *plan = &day->solver.plan;
    int32_t changes = 0;
    for (uint32_t v = 0; v < day->solver.in.visit_count; v++) {
        const struct node *node = &day->solver.in.nodes[v];
        bool had = node->home == rank, has = plan->route_of[v] == rank;
        if (has && !had && node->emergency) return 0;
        changes += had != has && node->home != NO_INDEX;
    }
    return changes;
}

static uint32_t check_limits(const struct live_day *day)
{
    uint32_t checked = 0;
    for (uint32_t t = 0; t < day->solver.in.technician_count; t++) {
        if (day->solver.in.stability->broken[t]) continue; /* not proposed: see candidate.c */
        assert_true(changes_of(day, t) <= day->solver.in.technicians[t].changes_left);
        checked++;
    }
    return checked;
}

static void limit_changes(struct live_day *day)
{
    for (uint32_t t = 0; t < day->made.technician_count; t++) {
        day->made.technicians[t].changes_limited = true;
        day->made.technicians[t].changes_left = (int32_t)rng_below(&day->made.rng, 3);
    }
}

/* Visits that leave who has them and count; where an emergency comes in nothing does. */
static int32_t hands_changed(const struct live_day *day)
{
    const struct instance *in = &day->solver.in;
    int32_t changed = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        const struct node *node = &in->nodes[v];
        uint32_t now = day->solver.plan.route_of[v];
        if (node->home == now) continue;
        if (node->emergency && now != NO_INDEX) return 0;
        if (node->home == NO_INDEX ||
            day->made.visits[number_of_visit(&day->solver, v)].changed_hands)
            continue;
        changed += !in->stability->excused[node->home] && instance_allows(in, node->home, v);
    }
    return changed;
}

static void check_hands(const struct live_day *day, int32_t left, uint32_t *held)
{
    int32_t most = day->solver.in.stability->hands_max;
    assert_true(hands_changed(day) <= (most > left ? most : left));
    *held += most == left;
}

static void no_more_visits_change_hands_than_may(void **state)
{
    (void)state;
    uint32_t held = 0, steps = 0, spent = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        static struct live_day day;
        day = (struct live_day){.now_s = BASE_S + 6 * 3600};
        random_day_make(&day.made, seed * 6007, 5, 36);
        solver_open(&day.solver, &travel_straight, SERVICE_DAY);
        tell_all(&day.made, &day.solver.day);
        solver_fresh(&day.solver, 300, seed);
        for (uint32_t step = 0; step < 30; step++, steps += 3) {
            int32_t left = (int32_t)rng_below(&day.made.rng, 3);
            publish(&day);
            advance(&day);
            happen(&day);
            for (uint32_t v = 0; v < day.made.visit_count; v++)
                day.made.visits[v].changed_hands = rng_below(&day.made.rng, 4) == 0;
            tell(&day);
            workday_limit_hands(&day.solver.day, true, (uint32_t)left);
            solver_begin(&day.solver);
            check_hands(&day, left, &held);
            solver_search(&day.solver, 100, step, false);
            (void)solver_improve(&day.solver, 100);
            check_hands(&day, left, &held);
            (void)solver_recombine(&day.solver);
            check_hands(&day, left, &held);
            spent += left > 0 && hands_changed(&day) == left;
        }
        solver_close(&day.solver);
    }
    print_message("%u of %u plans within what was left, %u spent it\n", held, steps, spent);
    assert_true(held > steps * 9 / 10 && spent > 10);
}

static void no_day_is_changed_more_than_it_may_be(void **state)
{
    (void)state;
    uint32_t checked = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        static struct live_day day;
        day = (struct live_day){.now_s = BASE_S + 6 * 3600};
        random_day_make(&day.made, seed * 7919, 5, 36);
        solver_open(&day.solver, &travel_straight, SERVICE_DAY);
        tell_all(&day.made, &day.solver.day);
        solver_fresh(&day.solver, 300, seed);
        for (uint32_t step = 0; step < 30; step++) {
            publish(&day);
            advance(&day);
            happen(&day);
            limit_changes(&day);
            tell(&day);
            solver_begin(&day.solver);
            checked += check_limits(&day);
            solver_search(&day.solver, 100, step, false);
            (void)solver_improve(&day.solver, 100);
            checked += check_limits(&day);
            (void)solver_recombine(&day.solver);
            checked += check_limits(&day);
            plan_check(&day.solver.plan);
        }
        solver_close(&day.solver);
    }
    print_message("%u routes kept their limits\n", checked);
    assert_true(checked > 1000);
}

/* One urgent order into a full day: served, and nearly everybody keeps his visits. */
static void an_urgent_order_moves_little(void **state)
{
    (void)state;
    uint32_t moved_max = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static struct live_day day;
        day = (struct live_day){.now_s = BASE_S + 6 * 3600};
        random_day_make(&day.made, seed * 7, 8, 64);
        day.made.visit_count = 63;
        solver_open(&day.solver, &travel_straight, SERVICE_DAY);
        tell_all(&day.made, &day.solver.day);
        solver_fresh(&day.solver, 2000, seed);
        publish(&day);
        day.made.visit_count = 64;
        day.made.visits[63].priority = 9;
        day.made.visits[63].visit.window_count = 0;
        tell(&day);
        solver_begin(&day.solver);
        plan_check(&day.solver.plan);
        uint32_t moved = 0;
        for (uint32_t v = 0; v < day.solver.in.visit_count; v++) {
            uint32_t home = day.solver.in.nodes[v].home;
            moved += home != NO_INDEX && home != day.solver.plan.route_of[v];
        }
        if (moved > moved_max) moved_max = moved;
        solver_close(&day.solver);
    }
    print_message("at most %u visits changed hands\n", moved_max);
    assert_true(moved_max <= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_stay_stays),
        cmocka_unit_test(no_day_is_changed_more_than_it_may_be),
        cmocka_unit_test(no_more_visits_change_hands_than_may),
        cmocka_unit_test(an_urgent_order_moves_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
