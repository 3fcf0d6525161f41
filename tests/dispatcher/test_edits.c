/* What people at a screen do by hand, and what they are told when it cannot be done. */
#include "desk.h"

static Callout__Principal ann(void)
{
    return a_key("ann", "admin");
}

static Callout__MutationReply *edit_as(struct desk *desk, const Callout__Principal *who,
                                       const char *method, const ProtobufCMessage *body,
                                       Callout__Status expected)
{
    char id[32];
    snprintf(id, sizeof id, "edit-%u", ++desk->asked);
    Callout__Reply *reply = desk_ask_as(desk, who, method, id, body);
    if (reply->status != expected) fail_msg("%s: %d %s", method, reply->status, reply->text);
    return (Callout__MutationReply *)desk_decode(desk, &callout__mutation_reply__descriptor,
                                                 reply->body);
}

static Callout__MutationReply *edit(struct desk *desk, const char *method,
                                    const ProtobufCMessage *body, Callout__Status expected)
{
    Callout__Principal who = ann();
    return edit_as(desk, &who, method, body, expected);
}

static void open_furnished(struct desk *desk)
{
    desk_open(desk, store_open_mem(), NULL);
    desk_furnish(desk);
}

/* --- two people and one appointment --- */

static void a_clash_shows_both(void **state)
{
    struct desk desk;
    (void)state;
    open_furnished(&desk);
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
    open_furnished(&desk);
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
    open_furnished(&desk);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clash_shows_both),
        cmocka_unit_test(every_edit_may_expect),
        cmocka_unit_test(an_override_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
