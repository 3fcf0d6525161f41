/* Taking back: what one did is undone to the place, by facts that a replay does again, and not when
 * something later stands on it. */
#include "desk_views.h"

static Callout__MutationReply *edit(struct desk *desk, const char *method,
                                    const ProtobufCMessage *body, Callout__Status expected)
{
    Callout__Principal who = a_key("ann", "dispatcher");
    return desk_edit_as(desk, &who, method, body, expected);
}

struct place {
    char technician_id[16];
    int64_t start_us;
    bool pinned, held;
    Callout__AppointmentStatus status;
};

static struct place place(struct desk *desk, const char *id)
{
    const Callout__Appointment *it = desk_on_board(desk, id)->appointment;
    struct place place = {.start_us = it->planned_start_us,
                          .pinned = it->pin != NULL,
                          .held = it->on_hold,
                          .status = it->status};
    snprintf(place.technician_id, sizeof place.technician_id, "%s", desk_owner(desk, id));
    return place;
}

static void stands_at(struct desk *desk, const char *id, struct place was)
{
    struct place is = place(desk, id);
    assert_string_equal(is.technician_id, was.technician_id);
    assert_int_equal(is.start_us, was.start_us);
    assert_int_equal(is.pinned, was.pinned);
    assert_int_equal(is.held, was.held);
    assert_int_equal(is.status, was.status);
}

static Callout__MutationReply *undo(struct desk *desk, uint64_t seq, Callout__Status expected)
{
    Callout__UndoRequest request;
    callout__undo_request__init(&request);
    request.seq = seq;
    return edit(desk, "Undo", &request.base, expected);
}

static const Callout__UndoListReply *undo_list(struct desk *desk, const char *name)
{
    Callout__UndoListRequest request;
    Callout__Principal who = a_key(name, "dispatcher");
    callout__undo_list_request__init(&request);
    return desk_body(desk, desk_ask_as(desk, &who, "UndoList", "", &request.base),
                     &callout__undo_list_reply__descriptor);
}

static void assign(struct desk *desk, const char *id, const char *technician_id)
{
    edit(desk, "Assign", &desk_assign(desk, id, technician_id)->base, CALLOUT__STATUS__OK);
}

/* Undoes what was just done, and W1.1 stands where it stood. */
static void undone(struct desk *desk, const char *method, const ProtobufCMessage *body)
{
    struct place before = place(desk, "W1.1"), other = place(desk, "W2.1");
    edit(desk, method, body, CALLOUT__STATUS__OK);
    undo(desk, 0, CALLOUT__STATUS__OK);
    stands_at(desk, "W1.1", before);
    stands_at(desk, "W2.1", other);
}

static void each_edit_is_undone(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    undone(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    assign(&desk, "W1.1", "T1");
    assign(&desk, "W2.1", "T2");
    undone(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base);
    Callout__UnassignRequest unassign;
    callout__unassign_request__init(&unassign);
    unassign.appointment_id = words("W1.1");
    undone(&desk, "Unassign", &unassign.base);
    Callout__SetPinRequest pin;
    callout__set_pin_request__init(&pin);
    pin.appointment_id = words("W1.1");
    undone(&desk, "SetPin", &pin.base);
    Callout__SwapRequest swap;
    callout__swap_request__init(&swap);
    swap.appointment_id = words("W1.1");
    swap.other_appointment_id = words("W2.1");
    undone(&desk, "Swap", &swap.base);
    Callout__HoldWorkOrderRequest hold;
    callout__hold_work_order_request__init(&hold);
    hold.work_order_id = words("W1");
    undone(&desk, "HoldWorkOrder", &hold.base);
    Callout__CancelWorkOrderRequest cancel;
    callout__cancel_work_order_request__init(&cancel);
    cancel.work_order_id = words("W1");
    undone(&desk, "CancelWorkOrder", &cancel.base);
    Callout__ReportAbsenceRequest sick;
    Callout__Absence absence;
    callout__report_absence_request__init(&sick);
    callout__absence__init(&absence);
    absence.technician_id = words("T1");
    sick.absence = &absence;
    undone(&desk, "ReportAbsence", &sick.base);
    const Callout__BoardReply *reply = desk_board(&desk);
    for (size_t i = 0; i < reply->n_technicians; i++)
        assert_int_equal(reply->technicians[i]->absent_end_us, 0);
    uint64_t rows = 1;
    assert_int_equal(store_row_count(desk.store, ROW_ABSENCE, &rows), ERR_OK);
    assert_int_equal(rows, 0);
    uint64_t digest = desk_digest(&desk);
    desk_reopen(&desk, NULL);
    assert_true(digest == desk_digest(&desk));
    desk_close(&desk);
}

static void an_order_is_as_it_was(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W1");
    order->work_order->priority = 9;
    order->work_order->service_seconds = 7200;
    edit(&desk, "UpsertWorkOrder", &order->base, CALLOUT__STATUS__OK);
    assert_int_equal(desk_on_board(&desk, "W1.1")->priority, 9);
    undo(&desk, 0, CALLOUT__STATUS__OK);
    assert_int_equal(desk_on_board(&desk, "W1.1")->priority, 5);
    assert_int_equal(desk_on_board(&desk, "W1.1")->service_seconds, 1800);
    edit(&desk, "UpsertWorkOrder", &desk_order(&desk, "W7")->base, CALLOUT__STATUS__OK);
    undo(&desk, 0, CALLOUT__STATUS__OK);
    assert_int_equal(desk_on_board(&desk, "W7.1")->appointment->status,
                     CALLOUT__APPOINTMENT_STATUS__CANCELLED);
    undo(&desk, 0, CALLOUT__STATUS__NOT_FOUND);
    desk_close(&desk);
}

/* One after the other, the newest first, twenty of them; and everybody his own. */
static void twenty_deep_and_ones_own(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    struct place first = place(&desk, "W1.1");
    for (int i = 0; i < 25; i++) {
        assign(&desk, "W1.1", i % 2 == 0 ? "T1" : "T2");
        if (i == 4) first = place(&desk, "W1.1");
    }
    assert_int_equal(undo_list(&desk, "bob")->n_items, 0);
    const Callout__UndoListReply *list = undo_list(&desk, "ann");
    assert_int_equal(list->n_items, 20);
    assert_true(list->items[0]->seq > list->items[19]->seq);
    assert_true(list->items[0]->possible);
    assert_false(list->items[1]->possible); /* the newest stands on it */
    assert_string_equal(list->items[0]->appointment_ids[0], "W1.1");
    for (int i = 0; i < 20; i++)
        undo(&desk, 0, CALLOUT__STATUS__OK);
    stands_at(&desk, "W1.1", first);
    undo(&desk, 0, CALLOUT__STATUS__NOT_FOUND);
    desk_close(&desk);
}

static void what_stands_on_it_is_named(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__MutationReply *mine =
        edit(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base, CALLOUT__STATUS__OK);
    assign(&desk, "W2.1", "T1"); /* of the same route, but another */
    uint64_t digest = desk_digest(&desk);
    Callout__Principal bob = a_key("bob", "dispatcher");
    desk_edit_as(&desk, &bob, "Assign", &desk_assign(&desk, "W1.1", "T2")->base,
                 CALLOUT__STATUS__OK);
    assert_false(undo_list(&desk, "ann")->items[1]->possible);
    assert_non_null(strstr(undo_list(&desk, "ann")->items[1]->why_not, "bob"));
    undo(&desk, mine->log_seq, CALLOUT__STATUS__CONFLICT);
    Callout__UndoRequest request;
    callout__undo_request__init(&request);
    desk_edit_as(&desk, &bob, "Undo", &request.base, CALLOUT__STATUS__OK);
    assert_true(digest != desk_digest(&desk));
    undo(&desk, mine->log_seq, CALLOUT__STATUS__OK); /* he has taken his back */
    assert_string_equal(desk_owner(&desk, "W1.1"), "");
    assign(&desk, "W1.1", "T1");
    desk.now_us = DESK_DAY_US + 9 * HOUR_US;
    struct desk_device phone = desk_device(&desk, "T1");
    desk_push_one(&desk, &phone,
                  desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    undo(&desk, 0, CALLOUT__STATUS__CONFLICT);
    assert_int_equal(desk_on_board(&desk, "W1.1")->appointment->status,
                     CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
    desk_close(&desk);
}

/* The same request again is the same undo. */
static void an_undo_is_done_once(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    assign(&desk, "W1.1", "T1");
    assign(&desk, "W2.1", "T1");
    Callout__UndoRequest request;
    callout__undo_request__init(&request);
    Callout__Principal who = a_key("ann", "dispatcher");
    for (int i = 0; i < 2; i++)
        assert_int_equal(desk_ask_as(&desk, &who, "Undo", "once", &request.base)->status,
                         CALLOUT__STATUS__OK);
    assert_string_equal(desk_owner(&desk, "W1.1"), "T1");
    assert_string_equal(desk_owner(&desk, "W2.1"), "");
    desk_close(&desk);
}

/* --- what a plan did --- */

static void publish(struct desk *desk, const char *technician_id, char **ids, size_t count)
{
    Callout__PlanCandidate plan;
    Callout__CandidateRoute route;
    callout__plan_candidate__init(&plan);
    callout__candidate_route__init(&route);
    route.technician_id = words(technician_id);
    route.appointment_ids = ids;
    route.n_appointment_ids = count;
    Callout__CandidateRoute *routes[] = {&route};
    plan.territory_id = words("north");
    plan.service_day = DESK_DAY;
    plan.base_revision = (uint64_t)desk_seq(desk);
    plan.cause_seq = (uint64_t)desk_seq(desk);
    plan.routes = routes;
    plan.n_routes = 1;
    const Callout__ProposePlanReply *reply =
        desk_body(desk, desk_inner(desk, "ProposePlan", &plan.base),
                  &callout__propose_plan_reply__descriptor);
    assert_true(reply->plan_version > 0);
}

static void a_plan_is_shown_and_taken_back(void **state)
{
    struct desk desk;
    char *one[] = {words("W1.1")}, *both[] = {words("W2.1"), words("W1.1")};
    (void)state;
    desk_open_furnished(&desk);
    publish(&desk, "T1", one, 1);
    struct place before = place(&desk, "W1.1");
    publish(&desk, "T1", both, 2);
    Callout__PlanDiffsRequest request;
    callout__plan_diffs_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    request.count = 1;
    Callout__Principal who = a_key("ann", "dispatcher");
    const Callout__PlanDiffsReply *reply =
        desk_body(&desk, desk_ask_as(&desk, &who, "PlanDiffs", "", &request.base),
                  &callout__plan_diffs_reply__descriptor);
    assert_int_equal(reply->n_diffs, 1);
    const Callout__PlanDiff *diff = reply->diffs[0];
    assert_int_equal(diff->plan->version, 2);
    assert_int_equal(diff->plan->n_changes, 2);
    assert_int_equal(diff->newly_served, 1);
    assert_int_equal(diff->rescheduled, 1);
    assert_non_null(diff->gain);
    assert_true(diff->before->unserved == diff->after->unserved + 1);
    assert_int_equal(diff->before->travel_seconds - diff->after->travel_seconds,
                     diff->gain->travel);
    assert_true(diff->after->travel_seconds > 0);
    assert_true(diff->before->cost_seconds > diff->after->cost_seconds);
    int64_t cost_seconds = diff->before->cost_seconds;
    request.page_token = reply->next_page_token;
    reply = desk_body(&desk, desk_ask_as(&desk, &who, "PlanDiffs", "", &request.base),
                      &callout__plan_diffs_reply__descriptor);
    assert_int_equal(reply->diffs[0]->plan->version, 1);
    assert_int_equal(reply->diffs[0]->after->cost_seconds, cost_seconds); /* nothing between */
    assert_string_equal(reply->next_page_token, "");
    Callout__RollBackPlanRequest back;
    callout__roll_back_plan_request__init(&back);
    back.territory_id = words("north");
    back.service_day = DESK_DAY;
    back.version = 2;
    char *wrong[] = {words("W7.1")};
    back.appointment_ids = wrong;
    back.n_appointment_ids = 1;
    edit(&desk, "RollBackPlan", &back.base, CALLOUT__STATUS__INVALID);
    back.n_appointment_ids = 0;
    edit(&desk, "RollBackPlan", &back.base, CALLOUT__STATUS__OK);
    before.pinned = true; /* or the next plan would do it again */
    stands_at(&desk, "W1.1", before);
    assert_string_equal(desk_owner(&desk, "W2.1"), "");
    edit(&desk, "RollBackPlan", &back.base, CALLOUT__STATUS__CONFLICT);
    undo(&desk, 0, CALLOUT__STATUS__OK);
    assert_string_equal(desk_owner(&desk, "W2.1"), "T1");
    back.version = 3;
    edit(&desk, "RollBackPlan", &back.base, CALLOUT__STATUS__NOT_FOUND);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_edit_is_undone),
        cmocka_unit_test(an_order_is_as_it_was),
        cmocka_unit_test(twenty_deep_and_ones_own),
        cmocka_unit_test(what_stands_on_it_is_named),
        cmocka_unit_test(an_undo_is_done_once),
        cmocka_unit_test(a_plan_is_shown_and_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
