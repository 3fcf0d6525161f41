/* From the dispatcher's words to a plan and back to words. */
#include "optimizer/candidate.h"
#include "optimizer/told.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TECHNICIANS = 3, VISITS = 9 };

static char skill_texts[2][8] = {"gas", "wire"};

/* A message that owns its parts. */
struct message {
    Callout__NextProblemReply news;
    Callout__ProblemTechnician technicians[TECHNICIANS], *technician_list[TECHNICIANS];
    Callout__ProblemVisit visits[VISITS], *visit_list[VISITS];
    Callout__Point homes[TECHNICIANS], places[VISITS];
    Callout__ArrivalWindow windows[VISITS], *window_list[VISITS];
    char technician_ids[TECHNICIANS][8], visit_ids[VISITS][8], territory_id[8];
};

static void message_make(struct message *message)
{
    callout__next_problem_reply__init(&message->news);
    snprintf(message->territory_id, sizeof message->territory_id, "north");
    message->news.territory_id = message->territory_id;
    message->news.service_day = SERVICE_DAY;
    message->news.revision = 1;
    message->news.now_us = US(BASE_S + 6 * 3600);
    message->news.frozen_until_us = message->news.now_us + US(1800);
    message->news.technicians = message->technician_list;
    message->news.visits = message->visit_list;
    for (int32_t i = 0; i < TECHNICIANS; i++) {
        Callout__ProblemTechnician *technician = &message->technicians[i];
        callout__problem_technician__init(technician);
        technician->changes_left = -1;
        callout__point__init(&message->homes[i]);
        message->homes[i].lat_e7 = 471000000 + i * 300000;
        message->homes[i].lon_e7 = 95000000;
        snprintf(message->technician_ids[i], sizeof message->technician_ids[i], "T%d", i);
        technician->technician_id = message->technician_ids[i];
        technician->start = technician->end = &message->homes[i];
        technician->available_us = US(BASE_S + 8 * 3600);
        technician->shift_end_us = US(BASE_S + 16 * 3600);
        technician->break_earliest_us = US(BASE_S + 11 * 3600);
        technician->break_latest_us = US(BASE_S + 13 * 3600);
        technician->break_seconds = 1800;
        message->technician_list[message->news.n_technicians++] = technician;
    }
    for (int32_t i = 0; i < VISITS; i++) {
        Callout__ProblemVisit *visit = &message->visits[i];
        callout__problem_visit__init(visit);
        callout__point__init(&message->places[i]);
        callout__arrival_window__init(&message->windows[i]);
        message->places[i].lat_e7 = 471000000 + i % TECHNICIANS * 300000 + i * 1000;
        message->places[i].lon_e7 = 95000000 + i * 1000;
        message->windows[i].start_us = US(BASE_S + 8 * 3600);
        message->windows[i].end_us = US(BASE_S + 15 * 3600);
        message->window_list[i] = &message->windows[i];
        snprintf(message->visit_ids[i], sizeof message->visit_ids[i], "V%d", i);
        visit->appointment_id = message->visit_ids[i];
        visit->point = &message->places[i];
        visit->service_seconds = 1800;
        visit->priority = 5;
        visit->n_windows = 1;
        visit->windows = &message->window_list[i];
        visit->mobility = CALLOUT__MOBILITY__MOVABLE;
        message->visit_list[message->news.n_visits++] = visit;
    }
}

/* What the candidate proposes becomes what the next message says. */
static void message_publish(struct message *message, const Callout__PlanCandidate *candidate)
{
    for (size_t r = 0; r < candidate->n_routes; r++) {
        const Callout__CandidateRoute *route = candidate->routes[r];
        for (size_t i = 0; i < route->n_appointment_ids; i++) {
            Callout__ProblemVisit *visit = &message->visits[number_of(route->appointment_ids[i])];
            visit->technician_id = message->technician_ids[number_of(route->technician_id)];
            visit->position = (uint32_t)i;
            visit->planned_start_us = US(BASE_S + 8 * 3600 + (int64_t)i * 3600);
            visit->published = 1;
        }
    }
}

static const Callout__CandidateRoute *route_of(const Callout__PlanCandidate *candidate,
                                               const char *technician_id)
{
    for (size_t i = 0; i < candidate->n_routes; i++) {
        if (strcmp(candidate->routes[i]->technician_id, technician_id) == 0)
            return candidate->routes[i];
    }
    return NULL;
}

static void plan_and_absence(void **state)
{
    (void)state;
    static struct message message;
    static struct solver solver;
    struct problem problem;
    struct arena arena;
    arena_open(&arena, 1 << 20);
    message_make(&message);
    solver_open(&solver, &travel_straight, SERVICE_DAY);
    assert_int_equal(told_apply(&solver, &message.news, &problem), ERR_OK);
    solver_fresh(&solver, 500, 1);
    assert_int_equal(solver.plan.unserved_count, 0);
    Callout__PlanCandidate candidate;
    callout__plan_candidate__init(&candidate);
    assert_true(candidate_fill(&candidate, &solver, &arena));
    assert_int_equal(candidate.n_unserved_ids, 0);
    message_publish(&message, &candidate);

    /* Told back, there is nothing to say but that starts were guessed. */
    assert_int_equal(told_apply(&solver, &message.news, &problem), ERR_OK);
    solver_begin(&solver);
    for (uint32_t t = 0; t < TECHNICIANS; t++)
        assert_int_not_equal(solver_route_news(&solver, t), NEWS_VISITS);

    /* Somebody is away: his route is named, and empty, and others have his visits. */
    const char *away = message.visits[0].technician_id;
    message.technicians[number_of(away)].removed = 1;
    assert_int_equal(told_apply(&solver, &message.news, &problem), ERR_OK);
    solver_begin(&solver);
    callout__plan_candidate__init(&candidate);
    assert_true(candidate_fill(&candidate, &solver, &arena));
    const Callout__CandidateRoute *left = route_of(&candidate, away);
    assert_non_null(left);
    assert_int_equal(left->n_appointment_ids, 0);
    uint32_t rank = solver.in.visit_of_slot[workday_visit(&solver.day, "V0")];
    assert_int_not_equal(solver.plan.route_of[rank], NO_INDEX);
    solver_close(&solver);
    arena_close(&arena);
}

static void refused(struct message *message, const char *field)
{
    static struct solver solver;
    struct problem problem;
    solver_open(&solver, &travel_straight, SERVICE_DAY);
    assert_int_not_equal(told_apply(&solver, &message->news, &problem), ERR_OK);
    assert_string_equal(problem.field, field);
    solver_close(&solver);
}

static void nonsense_is_named(void **state)
{
    (void)state;
    static struct message message;
    message_make(&message);
    message.visits[4].point = NULL;
    refused(&message, "point");
    message_make(&message);
    message.windows[3].end_us = 0;
    refused(&message, "windows");
    message_make(&message);
    message.visits[2].priority = 1000;
    refused(&message, "priority");
    message_make(&message);
    message.visits[2].service_seconds = -5;
    refused(&message, "service_seconds");
    message_make(&message);
    message.technicians[1].shift_end_us = INT64_MIN;
    refused(&message, "available_us");
    message_make(&message);
    Callout__Policy policy;
    callout__policy__init(&policy);
    policy.unserved_seconds_per_priority = -1;
    message.news.policy = &policy;
    refused(&message, "policy.unserved_seconds_per_priority");
}

/* Two technicians alike but for skills, limits and names: each rule that is told counts. */
static void rules_are_taken_in(void **state)
{
    (void)state;
    static struct message message;
    static struct solver solver;
    struct problem problem;
    message_make(&message);
    Callout__Skill gas, wire;
    callout__skill__init(&gas);
    callout__skill__init(&wire);
    gas.name = skill_texts[0];
    wire.name = skill_texts[1];
    gas.level = wire.level = 2;
    Callout__Skill *gas_list[] = {&gas}, *either[] = {&gas, &wire}, *wire_list[] = {&wire};
    Callout__SkillChoice choice, *choices[] = {&choice};
    callout__skill_choice__init(&choice);
    choice.any_of = either;
    choice.n_any_of = 2;
    message.technicians[0].skills = gas_list;
    message.technicians[1].skills = wire_list;
    message.technicians[0].n_skills = message.technicians[1].n_skills = 1;
    message.visits[0].skill_choices = choices;
    message.visits[0].n_skill_choices = 1;
    char *named[] = {message.technician_ids[2]};
    message.visits[1].required_technician_ids = named;
    message.visits[2].excluded_technician_ids = named;
    message.visits[3].preferred_technician_ids = named;
    message.visits[1].n_required_technician_ids = message.visits[2].n_excluded_technician_ids =
        message.visits[3].n_preferred_technician_ids = 1;
    message.visits[4].late_seconds_max = 600;
    message.windows[5].preferred = 1;
    message.technicians[1].leg_seconds_max = 1234;
    message.technicians[1].travel_seconds_max = 5678;
    solver_open(&solver, &travel_straight, SERVICE_DAY);
    assert_int_equal(told_apply(&solver, &message.news, &problem), ERR_OK);
    solver_begin(&solver);
    const struct instance *in = &solver.in; /* ranks are the numbers: ids are in order */
    static const bool allowed[4][TECHNICIANS] = {{1, 1, 0}, {0, 0, 1}, {1, 1, 0}, {1, 1, 1}};
    for (uint32_t v = 0; v < 4; v++)
        for (uint32_t t = 0; t < TECHNICIANS; t++)
            assert_int_equal(instance_allows(in, t, v), allowed[v][t]);
    for (uint32_t t = 0; t < TECHNICIANS; t++) {
        uint8_t can = in->can[in->nodes[3].need * TECHNICIANS + t];
        assert_int_equal((can & CAN_BUT_NOT_PREFERRED) == 0, t == 2);
    }
    assert_int_equal(in->nodes[4].close, in->nodes[3].close + 600);
    assert_int_equal(in->nodes[5].close, NEVER - 1); /* a wish forbids nothing */
    assert_int_equal(in->technicians[1].leg_max, 1234);
    assert_int_equal(in->technicians[1].travel_max, 5678);
    solver_close(&solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_and_absence),
        cmocka_unit_test(nonsense_is_named),
        cmocka_unit_test(rules_are_taken_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
