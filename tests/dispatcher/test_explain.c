/* Answers through the engine: who may ask, what is refused by name, and what the log knows about
 * why an appointment was moved. */
#include "desk.h"

static Callout__Reply *ask_as(struct desk *desk, const char *role, const char *method,
                              const ProtobufCMessage *body)
{
    Callout__Principal who = a_key(role, role);
    return desk_ask_as(desk, &who, method, "", body);
}

static void *answer(struct desk *desk, const char *method, const ProtobufCMessage *body,
                    const ProtobufCMessageDescriptor *type)
{
    uint64_t digest = desk_digest(desk);
    int64_t seq = desk_seq(desk);
    Callout__Reply *reply = ask_as(desk, "dispatcher", method, body);
    if (reply->status != CALLOUT__STATUS__OK) fail_msg("%s: %s", method, reply->text);
    assert_true(desk_digest(desk) == digest && desk_seq(desk) == seq);
    return desk_body(desk, reply, type);
}

static Callout__ExplainReply *explain(struct desk *desk, const char *id, Callout__Question question,
                                      const char *technician_id)
{
    Callout__ExplainRequest request;
    callout__explain_request__init(&request);
    request.appointment_id = words(id);
    request.question = question;
    request.technician_id = words(technician_id);
    return answer(desk, "Explain", &request.base, &callout__explain_reply__descriptor);
}

/* A plan of T1's route, as the optimizer proposes it because of the last fact; T2 takes W2. */
static void propose(struct desk *desk, const char *first, const char *second)
{
    Callout__PlanCandidate candidate;
    Callout__CandidateRoute route, other, *routes[] = {&route, &other};
    char *ids[] = {words(first), words(second)}, *others[] = {words("W2.1")};
    callout__plan_candidate__init(&candidate);
    callout__candidate_route__init(&route);
    candidate.territory_id = words("north");
    candidate.service_day = DESK_DAY;
    candidate.base_revision = candidate.cause_seq = (uint64_t)desk_seq(desk);
    candidate.routes = routes;
    candidate.n_routes = 1 + (second[0] != '\0');
    callout__candidate_route__init(&other);
    other.technician_id = words("T2");
    other.appointment_ids = others;
    other.n_appointment_ids = 1;
    route.technician_id = words("T1");
    route.appointment_ids = ids;
    route.n_appointment_ids = second[0] != '\0' ? 2 : 1;
    Callout__ProposePlanReply *reply =
        desk_body(desk, desk_inner(desk, "ProposePlan", &candidate.base),
                  &callout__propose_plan_reply__descriptor);
    assert_int_equal(reply->routes_applied, candidate.n_routes);
}

static void each_change_has_its_cause_its_gain_and_whom_it_displaced(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    propose(&desk, "W1.1", "");
    int64_t cause = desk_seq(&desk) + 1;
    Callout__UpsertWorkOrderRequest *urgent = desk_order(&desk, "W3");
    urgent->work_order->priority = 9;
    desk_do(&desk, "UpsertWorkOrder", &urgent->base);
    propose(&desk, "W3.1", "W1.1");
    Callout__ExplainReply *why =
        explain(&desk, "W1.1", CALLOUT__QUESTION__QUESTION_UNSPECIFIED, "");
    assert_int_equal(why->n_changes, 2);
    const Callout__AppointmentChange *last = why->changes[0], *first = why->changes[1];
    assert_int_equal(last->log_seq, desk_seq(&desk));
    assert_int_equal(last->plan_version, 2);
    assert_int_equal(last->cause_seq, cause);
    assert_string_equal(last->cause_kind, "work order");
    assert_string_equal(last->cause_text, "work order W3");
    assert_string_equal(last->cause_actor, "admin");
    assert_string_equal(last->delta->technician_after, "T1");
    assert_int_equal(last->delta->start_after_us - last->delta->start_before_us,
                     INT64_C(1800) * US_PER_SECOND);
    /* What it gained: orders of priority 9 and 5; what it cost: another start for W1.1, and T2's
     * way to W2.1 and back. W2.1 has nothing to do with W1.1. */
    assert_int_equal(last->gain->unserved, 14 * 3600);
    assert_int_equal(last->gain->travel, -440);
    assert_int_equal(last->gain->change_start, -24);
    assert_int_equal(last->gain->total, 14 * 3600 - 440 - 24);
    assert_int_equal(last->broken, CALLOUT__RULE__RULE_UNSPECIFIED);
    assert_int_equal(last->n_displaced, 1);
    assert_string_equal(last->displaced[0]->appointment_id, "W3.1");
    assert_int_equal(first->plan_version, 1);
    assert_int_equal(first->gain->unserved, 5 * 3600);
    assert_int_equal(first->n_displaced, 0);
    /* What a person does is its own cause, and no plan gained by it. */
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base);
    why = explain(&desk, "W1.1", CALLOUT__QUESTION__WHY_CHANGED, "");
    assert_int_equal(why->n_changes, 3);
    assert_int_equal(why->changes[0]->cause_seq, desk_seq(&desk));
    assert_string_equal(why->changes[0]->cause_kind, "assign");
    assert_null(why->changes[0]->gain);
    assert_string_equal(why->changes[0]->delta->technician_before, "T1");
    assert_string_equal(why->text, "moved last from T1 to T2, because of fact 9: assign W1.1");
    desk_close(&desk);
}

static void the_reasons_of_an_unserved_one_are_told_for_each_technician(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W3");
    Callout__Skill skill, *skills[] = {&skill};
    callout__skill__init(&skill);
    skill.name = words("gas");
    skill.level = 2;
    order->work_order->skills = skills;
    order->work_order->n_skills = 1;
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    Callout__ExplainReply *why =
        explain(&desk, "W3.1", CALLOUT__QUESTION__QUESTION_UNSPECIFIED, "");
    assert_int_equal(why->n_technicians, 2);
    const Callout__TechnicianReason *reason = why->technicians[0];
    assert_string_equal(reason->technician_id, "T1");
    assert_int_equal(reason->first_failing->rule, CALLOUT__RULE__RULE_SKILL);
    assert_int_equal(reason->first_failing->amount, 2);
    assert_string_equal(reason->first_failing->skill, "gas");
    assert_int_equal(reason->n_relaxations, 1);
    assert_true(reason->relaxable);
    assert_string_equal(why->text,
                        "nobody can serve it; nearest to it is T1: lacks 2 levels of gas "
                        "that W3.1 needs");
    why = explain(&desk, "W3.1", CALLOUT__QUESTION__WHY_NOT_TECHNICIAN, "T2");
    assert_string_equal(why->text, "T2 cannot: lacks 2 levels of gas that W3.1 needs");
    assert_string_equal(why->alternative->technician_id, "T2");
    why = explain(&desk, "W1.1", CALLOUT__QUESTION__WHY_UNSERVED, "");
    assert_null(why->technicians[0]->first_failing);
    desk_close(&desk);
}

static void a_candidate_is_what_check_move_says_and_assign_does(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__CandidatesRequest request;
    callout__candidates_request__init(&request);
    request.appointment_id = words("W1.1");
    request.count = 1;
    Callout__CandidatesReply *found =
        answer(&desk, "Candidates", &request.base, &callout__candidates_reply__descriptor);
    assert_int_equal(found->n_candidates, 1);
    assert_int_equal(found->technicians, 2);
    assert_int_equal(found->fitting, 2);
    assert_int_equal(found->basis->log_seq, desk_seq(&desk));
    Callout__CheckMoveRequest wish;
    callout__check_move_request__init(&wish);
    wish.appointment_id = words("W1.1");
    wish.technician_id = found->candidates[0]->technician_id;
    Callout__CheckMoveReply *check =
        answer(&desk, "CheckMove", &wish.base, &callout__check_move_reply__descriptor);
    assert_int_equal(check->move->start_us, found->candidates[0]->start_us);
    assert_int_equal(check->move->cost_delta->total, found->candidates[0]->cost_delta->total);
    assert_int_equal(check->move->n_violations, 0);
    assert_false(check->pinned);
    assert_null(check->left_behind);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", wish.technician_id)->base);
    wish.technician_id = words("T2");
    check = answer(&desk, "CheckMove", &wish.base, &callout__check_move_reply__descriptor);
    assert_true(check->pinned);
    assert_string_equal(check->left_behind->technician_id, "T1");
    assert_int_equal(check->start_before_us, found->candidates[0]->start_us);
    desk_close(&desk);
}

static void refused(struct desk *desk, const char *role, const char *method,
                    const ProtobufCMessage *body, Callout__Status status, const char *field)
{
    Callout__Reply *reply = ask_as(desk, role, method, body);
    assert_int_equal(reply->status, status);
    if (field[0] != '\0') assert_string_equal(reply->errors[0]->field, field);
}

static void who_may_not_ask_and_what_is_not_there_is_refused_by_name(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__CandidatesRequest request;
    callout__candidates_request__init(&request);
    refused(&desk, "dispatcher", "Candidates", &request.base, CALLOUT__STATUS__INVALID,
            "appointment_id");
    request.appointment_id = words("W9.1");
    refused(&desk, "dispatcher", "Candidates", &request.base, CALLOUT__STATUS__NOT_FOUND,
            "appointment_id");
    request.appointment_id = words("W1.1");
    refused(&desk, "integrator", "Candidates", &request.base, CALLOUT__STATUS__NOT_FOUND, "");
    refused(&desk, "technician", "Candidates", &request.base, CALLOUT__STATUS__NOT_FOUND, "");
    request.count = 51;
    refused(&desk, "admin", "Candidates", &request.base, CALLOUT__STATUS__INVALID, "count");
    Callout__CheckMoveRequest wish;
    callout__check_move_request__init(&wish);
    wish.appointment_id = words("W1.1");
    wish.technician_id = words("T9");
    refused(&desk, "dispatcher", "CheckMove", &wish.base, CALLOUT__STATUS__NOT_FOUND,
            "technician_id");
    wish.technician_id = words("T1");
    wish.place = 4000000000u;
    refused(&desk, "dispatcher", "CheckMove", &wish.base, CALLOUT__STATUS__INVALID, "place");
    wish.place = 0;
    wish.start_us = INT64_MIN;
    refused(&desk, "dispatcher", "CheckMove", &wish.base, CALLOUT__STATUS__INVALID, "start_us");
    wish.start_us = INT64_MAX;
    refused(&desk, "dispatcher", "CheckMove", &wish.base, CALLOUT__STATUS__INVALID, "start_us");
    Callout__ExplainRequest why;
    callout__explain_request__init(&why);
    why.appointment_id = words("W1.1");
    why.question = 77;
    refused(&desk, "dispatcher", "Explain", &why.base, CALLOUT__STATUS__INVALID, "question");
    why.question = CALLOUT__QUESTION__WHY_CHANGED;
    why.count = 51;
    refused(&desk, "dispatcher", "Explain", &why.base, CALLOUT__STATUS__INVALID, "count");
    Callout__EmergencyOptionsRequest options;
    callout__emergency_options_request__init(&options);
    options.appointment_id = words("W1.1");
    refused(&desk, "dispatcher", "EmergencyOptions", &options.base, CALLOUT__STATUS__CONFLICT,
            "appointment_id");
    Callout__CancelWorkOrderRequest cancel;
    callout__cancel_work_order_request__init(&cancel);
    cancel.work_order_id = words("W1");
    desk_do(&desk, "CancelWorkOrder", &cancel.base);
    wish.start_us = 0;
    refused(&desk, "dispatcher", "CheckMove", &wish.base, CALLOUT__STATUS__CONFLICT,
            "appointment_id");
    desk_close(&desk);
}

static void an_emergency_is_told_where_it_costs_least(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W3");
    order->work_order->emergency = true;
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    Callout__EmergencyOptionsRequest request;
    callout__emergency_options_request__init(&request);
    request.appointment_id = words("W3.1");
    Callout__EmergencyOptionsReply *options = answer(&desk, "EmergencyOptions", &request.base,
                                                     &callout__emergency_options_reply__descriptor);
    assert_non_null(options->within_rules);
    assert_int_equal(options->within_rules->n_displaced, 0);
    assert_int_equal(options->within_rules->move->cost_delta->unserved, -5 * 3600);
    assert_null(options->delaying);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_has_its_cause_its_gain_and_whom_it_displaced),
        cmocka_unit_test(the_reasons_of_an_unserved_one_are_told_for_each_technician),
        cmocka_unit_test(a_candidate_is_what_check_move_says_and_assign_does),
        cmocka_unit_test(who_may_not_ask_and_what_is_not_there_is_refused_by_name),
        cmocka_unit_test(an_emergency_is_told_where_it_costs_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
