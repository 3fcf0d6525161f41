/* What people at a screen do by hand, and what they are told when it cannot be done. */
#include "desk_views.h"

static Callout__Principal ann(void)
{
    return a_key("ann", "admin");
}

static Callout__MutationReply *edit(struct desk *desk, const char *method,
                                    const ProtobufCMessage *body, Callout__Status expected)
{
    Callout__Principal who = ann();
    return desk_edit_as(desk, &who, method, body, expected);
}

/* --- two people and one appointment --- */

static void a_clash_shows_both(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__MutationReply *first =
        edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base, CALLOUT__STATUS__OK);
    assert_non_null(first->move);
    assert_string_equal(first->move->technician_id, "T1");
    edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base, CALLOUT__STATUS__OK);
    uint64_t digest = desk_digest(&desk);
    Callout__AssignRequest *late = desk_assign(&desk, "W1.1", "T1");
    late->expected_version = first->log_seq;
    Callout__Clash *clash = edit(&desk, "Assign", &late->base, CALLOUT__STATUS__CONFLICT)->clash;
    assert_true(digest == desk_digest(&desk));
    assert_non_null(clash);
    assert_int_equal(clash->expected_version, first->log_seq);
    assert_int_equal(clash->version, first->log_seq + 1);
    assert_string_equal(clash->now->appointment->assignment->technician_id, "T2");
    assert_string_equal(clash->since->technician_before, "T1");
    assert_string_equal(clash->since->technician_after, "T2");
    assert_int_equal(clash->n_changes, 1);
    assert_string_equal(clash->changes[0]->actor, "ann");
    assert_string_equal(clash->changes[0]->kind, "assign");
    late->expected_version = clash->version;
    edit(&desk, "Assign", &late->base, CALLOUT__STATUS__OK);
    desk_close(&desk);
}

/* Every edit may say what it is meant for. */
static void every_edit_may_expect(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    uint64_t old =
        edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base, CALLOUT__STATUS__OK)
            ->log_seq;
    edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base, CALLOUT__STATUS__OK);
    Callout__UnassignRequest unassign;
    callout__unassign_request__init(&unassign);
    unassign.appointment_id = words("W1.1");
    unassign.expected_version = old;
    assert_non_null(edit(&desk, "Unassign", &unassign.base, CALLOUT__STATUS__CONFLICT)->clash);
    Callout__SetPinRequest pin;
    callout__set_pin_request__init(&pin);
    pin.appointment_id = words("W1.1");
    pin.expected_version = old;
    assert_non_null(edit(&desk, "SetPin", &pin.base, CALLOUT__STATUS__CONFLICT)->clash);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W1");
    order->expected_version = old;
    Callout__Clash *clash =
        edit(&desk, "UpsertWorkOrder", &order->base, CALLOUT__STATUS__CONFLICT)->clash;
    assert_string_equal(clash->now->appointment->appointment_id, "W1.1");
    Callout__CancelWorkOrderRequest cancel;
    callout__cancel_work_order_request__init(&cancel);
    cancel.work_order_id = words("W1");
    cancel.expected_version = old;
    assert_non_null(edit(&desk, "CancelWorkOrder", &cancel.base, CALLOUT__STATUS__CONFLICT)->clash);
    Callout__ReportAbsenceRequest absence;
    Callout__Absence away;
    callout__report_absence_request__init(&absence);
    callout__absence__init(&away);
    away.technician_id = words("T2");
    absence.absence = &away;
    absence.expected_plan_seq = old;
    clash = edit(&desk, "ReportAbsence", &absence.base, CALLOUT__STATUS__CONFLICT)->clash;
    assert_int_equal(clash->version, old + 1);
    assert_int_equal(clash->n_changes, 1);
    absence.expected_plan_seq = clash->version;
    edit(&desk, "ReportAbsence", &absence.base, CALLOUT__STATUS__OK);
    desk_close(&desk);
}

/* What a rule would not have is done for a reason, and the reason is there to be read. */
static void an_override_is_remembered(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W3");
    DESK_NEW(&desk, Callout__Skill, gas);
    callout__skill__init(gas);
    gas->name = words("gas");
    gas->level = 1;
    order->work_order->skills = &gas;
    order->work_order->n_skills = 1;
    edit(&desk, "UpsertWorkOrder", &order->base, CALLOUT__STATUS__OK);
    Callout__AssignRequest *assign = desk_assign(&desk, "W3.1", "T1");
    Callout__MutationReply *refused =
        edit(&desk, "Assign", &assign->base, CALLOUT__STATUS__CONFLICT);
    assert_null(refused->clash);
    assert_int_equal(refused->move->n_violations, 1);
    assert_int_equal(refused->move->violations[0]->rule, CALLOUT__RULE__RULE_SKILL);
    assign->override_reason = words("his colleague comes along");
    edit(&desk, "Assign", &assign->base, CALLOUT__STATUS__OK);
    Callout__ExplainRequest question;
    callout__explain_request__init(&question);
    question.appointment_id = words("W3.1");
    question.question = CALLOUT__QUESTION__WHY_CHANGED;
    Callout__Principal who = ann();
    Callout__ExplainReply *answer =
        desk_body(&desk, desk_ask_as(&desk, &who, "Explain", "", &question.base),
                  &callout__explain_reply__descriptor);
    assert_int_equal(answer->n_changes, 1);
    assert_string_equal(answer->changes[0]->reason, "his colleague comes along");
    assert_string_equal(answer->changes[0]->actor, "ann");
    assert_string_equal(answer->changes[0]->kind, "assign");
    question.all_changes = true;
    answer = desk_body(&desk, desk_ask_as(&desk, &who, "Explain", "", &question.base),
                       &callout__explain_reply__descriptor);
    assert_int_equal(answer->n_changes, 2); /* that it came in, too */
    desk_close(&desk);
}

/* --- two at once --- */

static Callout__SwapRequest swap_of(const char *a, const char *b)
{
    Callout__SwapRequest swap;
    callout__swap_request__init(&swap);
    swap.appointment_id = words(a);
    swap.other_appointment_id = words(b);
    return swap;
}

static void two_change_places(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    uint64_t version =
        edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base, CALLOUT__STATUS__OK)
            ->log_seq;
    Callout__SwapRequest swap = swap_of("W1.1", "W2.1");
    edit(&desk, "Swap", &swap.base, CALLOUT__STATUS__CONFLICT); /* nobody has W2.1 */
    edit(&desk, "Assign", &desk_assign(&desk, "W2.1", "T2")->base, CALLOUT__STATUS__OK);
    edit(&desk, "Swap", &swap.base, CALLOUT__STATUS__OK);
    assert_string_equal(desk_owner(&desk, "W1.1"), "T2");
    assert_string_equal(desk_owner(&desk, "W2.1"), "T1");
    swap.expected_version = version;
    Callout__Clash *clash = edit(&desk, "Swap", &swap.base, CALLOUT__STATUS__CONFLICT)->clash;
    assert_string_equal(clash->now->appointment->appointment_id, "W1.1");
    swap.expected_version = clash->version;
    swap.other_expected_version = version;
    clash = edit(&desk, "Swap", &swap.base, CALLOUT__STATUS__CONFLICT)->clash;
    assert_string_equal(clash->now->appointment->appointment_id, "W2.1");
    swap = swap_of("W1.1", "W1.1");
    edit(&desk, "Swap", &swap.base, CALLOUT__STATUS__INVALID);
    desk_close(&desk);
}

/* On one route they change their order, and nobody else's. */
static void two_of_one_route(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    edit(&desk, "UpsertWorkOrder", &desk_order(&desk, "W3")->base, CALLOUT__STATUS__OK);
    const char *const ids[] = {"W1.1", "W2.1", "W3.1"};
    for (uint32_t i = 0; i < 3; i++) {
        Callout__AssignRequest *assign = desk_assign(&desk, ids[i], "T1");
        assign->place = i + 1;
        edit(&desk, "Assign", &assign->base, CALLOUT__STATUS__OK);
    }
    Callout__SwapRequest swap = swap_of("W1.1", "W3.1");
    edit(&desk, "Swap", &swap.base, CALLOUT__STATUS__OK);
    const Callout__BoardReply *reply = desk_board(&desk);
    const Callout__BoardTechnician *it = reply->technicians[reply->technicians[0]->n_stops == 0];
    assert_int_equal(it->n_stops, 4);
    assert_string_equal(it->stops[0]->appointment_id, "W3.1");
    assert_string_equal(it->stops[1]->appointment_id, "W2.1");
    assert_string_equal(it->stops[2]->appointment_id, "W1.1");
    for (int i = 0; i < 3; i++)
        assert_true(
            desk_on_board(&desk, it->stops[i]->appointment_id)->appointment->planned_start_us ==
            it->stops[i]->start_us);
    desk_close(&desk);
}

/* What one of them may not do needs a reason, and nothing moves without it. */
static void a_swap_keeps_the_rules(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base, CALLOUT__STATUS__OK);
    edit(&desk, "Assign", &desk_assign(&desk, "W2.1", "T2")->base, CALLOUT__STATUS__OK);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W1");
    order->work_order->n_excluded_technician_ids = 1;
    order->work_order->excluded_technician_ids = arena_need(&desk.arena, sizeof(char *));
    order->work_order->excluded_technician_ids[0] = words("T2");
    edit(&desk, "UpsertWorkOrder", &order->base, CALLOUT__STATUS__OK);
    uint64_t digest = desk_digest(&desk);
    Callout__SwapRequest swap = swap_of("W2.1", "W1.1");
    edit(&desk, "Swap", &swap.base, CALLOUT__STATUS__CONFLICT);
    assert_true(digest == desk_digest(&desk));
    swap.override_reason = words("the customer has changed his mind");
    edit(&desk, "Swap", &swap.base, CALLOUT__STATUS__OK);
    assert_string_equal(desk_owner(&desk, "W1.1"), "T2");
    desk_close(&desk);
}

/* --- on hold --- */

static size_t told_to_optimizer(struct desk *desk, const char *id)
{
    Callout__NextProblemRequest request;
    callout__next_problem_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    const Callout__NextProblemReply *reply =
        desk_body(desk, desk_inner(desk, "NextProblem", &request.base),
                  &callout__next_problem_reply__descriptor);
    size_t told = 0;
    for (size_t i = 0; i < reply->n_visits; i++)
        told += strcmp(reply->visits[i]->appointment_id, id) == 0 && !reply->visits[i]->removed;
    return told;
}

static void what_is_on_hold_is_not_planned(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__HoldWorkOrderRequest hold;
    Callout__ReleaseWorkOrderRequest release;
    callout__hold_work_order_request__init(&hold);
    callout__release_work_order_request__init(&release);
    hold.work_order_id = release.work_order_id = words("W1");
    hold.reason = words("waiting for the part");
    edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base, CALLOUT__STATUS__OK);
    edit(&desk, "ReleaseWorkOrder", &release.base, CALLOUT__STATUS__CONFLICT);
    assert_int_equal(told_to_optimizer(&desk, "W1.1"), 1);
    edit(&desk, "HoldWorkOrder", &hold.base, CALLOUT__STATUS__OK);
    edit(&desk, "HoldWorkOrder", &hold.base, CALLOUT__STATUS__CONFLICT);
    assert_string_equal(desk_owner(&desk, "W1.1"), "");
    assert_true(desk_on_board(&desk, "W1.1")->appointment->on_hold);
    assert_int_equal(told_to_optimizer(&desk, "W1.1"), 0);
    assert_int_equal(told_to_optimizer(&desk, "W2.1"), 1);
    edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base, CALLOUT__STATUS__CONFLICT);
    Callout__PlanCandidate plan;
    Callout__CandidateRoute route;
    char *ids[] = {words("W1.1")};
    callout__plan_candidate__init(&plan);
    callout__candidate_route__init(&route);
    route.technician_id = words("T1");
    route.appointment_ids = ids;
    route.n_appointment_ids = 1;
    Callout__CandidateRoute *routes[] = {&route};
    plan.territory_id = words("north");
    plan.service_day = DESK_DAY;
    plan.base_revision = (uint64_t)desk_seq(&desk);
    plan.routes = routes;
    plan.n_routes = 1;
    const Callout__ProposePlanReply *proposed =
        desk_body(&desk, desk_inner(&desk, "ProposePlan", &plan.base),
                  &callout__propose_plan_reply__descriptor);
    assert_int_equal(proposed->plan_version, 0);
    uint64_t digest = desk_digest(&desk);
    desk_reopen(&desk, NULL);
    assert_true(digest == desk_digest(&desk));
    edit(&desk, "ReleaseWorkOrder", &release.base, CALLOUT__STATUS__OK);
    assert_int_equal(told_to_optimizer(&desk, "W1.1"), 1);
    assert_false(desk_on_board(&desk, "W1.1")->appointment->on_hold);
    desk_close(&desk);
}

/* --- told by telephone --- */

static Callout__ReportStatusRequest told(const char *technician_id, const char *appointment_id,
                                         Callout__AppointmentStatus status, int64_t happened_us)
{
    Callout__ReportStatusRequest request;
    callout__report_status_request__init(&request);
    request.technician_id = words(technician_id);
    request.appointment_id = words(appointment_id);
    request.status = status;
    request.happened_us = happened_us;
    return request;
}

static void a_dispatcher_tells_for_a_dead_phone(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base, CALLOUT__STATUS__OK);
    desk.now_us = DESK_DAY_US + 10 * HOUR_US;
    int64_t nine = DESK_DAY_US + 9 * HOUR_US;
    Callout__ReportStatusRequest request =
        told("T2", "W1.1", CALLOUT__APPOINTMENT_STATUS__WORKING, nine);
    edit(&desk, "ReportStatus", &request.base, CALLOUT__STATUS__NOT_FOUND); /* never his */
    request.technician_id = words("T1");
    request.happened_us = desk.now_us + HOUR_US;
    edit(&desk, "ReportStatus", &request.base, CALLOUT__STATUS__INVALID);
    request.happened_us = nine;
    edit(&desk, "ReportStatus", &request.base, CALLOUT__STATUS__OK);
    assert_int_equal(desk_on_board(&desk, "W1.1")->begun_us, nine);
    assert_int_equal(desk_on_board(&desk, "W1.1")->appointment->status,
                     CALLOUT__APPOINTMENT_STATUS__WORKING);
    request.happened_us = nine + 15 * US_PER_MINUTE; /* no, a quarter past */
    edit(&desk, "ReportStatus", &request.base, CALLOUT__STATUS__OK);
    assert_int_equal(desk_on_board(&desk, "W1.1")->begun_us, nine + 15 * US_PER_MINUTE);
    request.status = CALLOUT__APPOINTMENT_STATUS__EN_ROUTE;
    edit(&desk, "ReportStatus", &request.base, CALLOUT__STATUS__CONFLICT);
    request.status = CALLOUT__APPOINTMENT_STATUS__INCOMPLETE;
    edit(&desk, "ReportStatus", &request.base, CALLOUT__STATUS__INVALID); /* why? */
    request.status = CALLOUT__APPOINTMENT_STATUS__COMPLETED;
    request.happened_us = nine + 45 * US_PER_MINUTE;
    edit(&desk, "ReportStatus", &request.base, CALLOUT__STATUS__OK);
    assert_int_equal(desk_on_board(&desk, "W1.1")->appointment->planned_end_us,
                     nine + 45 * US_PER_MINUTE);
    uint64_t conflicts = 0;
    assert_int_equal(store_row_count(desk.store, ROW_CONFLICT, &conflicts), ERR_OK);
    assert_int_equal(conflicts, 0);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clash_shows_both),
        cmocka_unit_test(every_edit_may_expect),
        cmocka_unit_test(an_override_is_remembered),
        cmocka_unit_test(two_change_places),
        cmocka_unit_test(two_of_one_route),
        cmocka_unit_test(a_swap_keeps_the_rules),
        cmocka_unit_test(what_is_on_hold_is_not_planned),
        cmocka_unit_test(a_dispatcher_tells_for_a_dead_phone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
