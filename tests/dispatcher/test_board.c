/* What a board shows, and that somebody who has had it once needs only what changed since. */
#include "base/limits.h"
#include "desk.h"

static Callout__BoardReply *board_as(struct desk *desk, const Callout__Principal *who,
                                     const Callout__BoardRequest *request)
{
    return desk_body(desk, desk_ask_as(desk, who, "Board", "", &request->base),
                     &callout__board_reply__descriptor);
}

static Callout__BoardRequest about_north(void)
{
    Callout__BoardRequest request;
    callout__board_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    return request;
}

static Callout__BoardReply *board(struct desk *desk, uint64_t after_seq)
{
    Callout__BoardRequest request = about_north();
    Callout__Principal admin = a_key("admin", "admin");
    request.after_seq = after_seq;
    return board_as(desk, &admin, &request);
}

static const Callout__FeedAppointment *find(const Callout__BoardReply *reply, const char *id)
{
    for (size_t i = 0; i < reply->n_appointments; i++)
        if (strcmp(reply->appointments[i]->appointment->appointment_id, id) == 0)
            return reply->appointments[i];
    return NULL;
}

static void add_window(struct desk *desk, Callout__UpsertWorkOrderRequest *request,
                       int64_t start_us, int64_t end_us)
{
    DESK_NEW(desk, Callout__ArrivalWindow, window);
    callout__arrival_window__init(window);
    window->start_us = start_us;
    window->end_us = end_us;
    window->promised = true;
    request->work_order->windows = arena_need(&desk->arena, sizeof window);
    request->work_order->windows[0] = window;
    request->work_order->n_windows = 1;
}

static void shows_the_day(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W3");
    add_window(&desk, order, DESK_DAY_US + 9 * HOUR_US, DESK_DAY_US + 10 * HOUR_US);
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W3.1", "T1")->base);
    const Callout__BoardReply *reply = board(&desk, 0);
    assert_true(reply->complete);
    assert_int_equal(reply->n_technicians, 2);
    assert_int_equal(reply->n_appointments, 3);
    assert_non_null(reply->policy);
    const Callout__BoardTechnician *has = NULL;
    for (size_t i = 0; i < 2; i++)
        if (reply->technicians[i]->n_stops > 0) has = reply->technicians[i];
    assert_non_null(has);
    assert_int_equal(has->shift->start_us, DESK_DAY_US + 8 * HOUR_US);
    assert_int_equal(has->n_stops, 2); /* the visit, and home */
    assert_string_equal(has->stops[0]->appointment_id, "W3.1");
    assert_true(has->stops[0]->travel_seconds > 60);
    assert_int_equal(has->stops[0]->arrival_us,
                     has->stops[0]->leave_us + has->stops[0]->travel_seconds * US_PER_SECOND);
    assert_string_equal(has->stops[1]->appointment_id, "");
    assert_true(has->stops[1]->leave_us == has->stops[0]->end_us);
    const Callout__FeedAppointment *visit = find(reply, "W3.1");
    assert_int_equal(visit->n_windows, 1);
    assert_true(visit->windows[0]->promised);
    assert_int_equal(visit->predicted_start_us, DESK_DAY_US + 9 * HOUR_US);
    assert_int_equal(visit->late_seconds, 0);
    assert_int_equal(visit->service_seconds, 1800);
    desk_close(&desk);
}

/* At eleven the one of ten o'clock is an hour late, and says so although nobody did anything. */
static void the_whole_order_is_told_with_its_contact(void **state)
{
    struct desk desk;
    Callout__WorkOrderDetailRequest request;
    Callout__Principal admin = a_key("admin", "admin");
    (void)state;
    desk_open_furnished(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W3");
    DESK_NEW(&desk, Callout__Contact, contact);
    callout__contact__init(contact);
    contact->contact_id = words("K3");
    contact->name = words("Ms Vogt");
    contact->phone = words("+4235550100");
    order->work_order->contact = contact;
    add_window(&desk, order, DESK_DAY_US + 9 * HOUR_US, DESK_DAY_US + 10 * HOUR_US);
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    callout__work_order_detail_request__init(&request);
    request.appointment_id = words("W3.1");
    const Callout__WorkOrderDetailReply *reply =
        desk_body(&desk, desk_ask_as(&desk, &admin, "WorkOrderDetail", "", &request.base),
                  &callout__work_order_detail_reply__descriptor);
    assert_string_equal(reply->appointment->appointment_id, "W3.1");
    assert_string_equal(reply->work_order->contact->phone, "+4235550100");
    assert_int_equal(reply->work_order->n_windows, 1);
    assert_true(reply->work_order->windows[0]->promised);
    request.appointment_id = words("W4.1");
    const Callout__Reply *refusal =
        desk_ask_as(&desk, &admin, "WorkOrderDetail", "", &request.base);
    assert_int_equal(refusal->status, CALLOUT__STATUS__NOT_FOUND);
    desk_close(&desk);
}

static void says_who_is_late_and_why_unserved(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W3");
    add_window(&desk, order, DESK_DAY_US + 9 * HOUR_US, DESK_DAY_US + 10 * HOUR_US);
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W3.1", "T1")->base);
    order = desk_order(&desk, "W4");
    add_window(&desk, order, DESK_DAY_US + 9 * HOUR_US, DESK_DAY_US + 10 * HOUR_US);
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    assert_int_equal(find(board(&desk, 0), "W4.1")->unserved_rule, CALLOUT__RULE__RULE_UNSPECIFIED);
    order = desk_order(&desk, "W5");
    DESK_NEW(&desk, Callout__Skill, gas);
    callout__skill__init(gas);
    gas->name = words("gas");
    gas->level = 1;
    order->work_order->skills = &gas;
    order->work_order->n_skills = 1;
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    desk.now_us = DESK_DAY_US + 11 * HOUR_US;
    const Callout__BoardReply *reply = board(&desk, 0);
    assert_true(find(reply, "W3.1")->late_seconds > 3600);
    assert_int_equal(find(reply, "W4.1")->unserved_rule, CALLOUT__RULE__RULE_WINDOW);
    assert_int_equal(find(reply, "W5.1")->unserved_rule, CALLOUT__RULE__RULE_SKILL);
    assert_true(find(reply, "W5.1")->unserved_text[0] != '\0');
    assert_int_equal(find(reply, "W1.1")->unserved_rule, CALLOUT__RULE__RULE_UNSPECIFIED);
    desk_close(&desk);
}

static const Callout__BoardTechnician *technician_on(const Callout__BoardReply *reply,
                                                     const char *technician_id)
{
    for (size_t i = 0; i < reply->n_technicians; i++)
        if (strcmp(reply->technicians[i]->technician->technician_id, technician_id) == 0)
            return reply->technicians[i];
    fail_msg("%s is not on the board", technician_id);
    return NULL;
}

/* Whoever overrode a rule, and whoever comes later, sees what it breaks. */
static void says_what_the_plan_breaks(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W3");
    DESK_NEW(&desk, Callout__Skill, gas);
    callout__skill__init(gas);
    gas->name = words("gas");
    gas->level = 2;
    order->work_order->skills = &gas;
    order->work_order->n_skills = 1;
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    const Callout__BoardReply *reply = board(&desk, 0);
    assert_int_equal(find(reply, "W1.1")->n_violations, 0);
    assert_int_equal(technician_on(reply, "T1")->n_violations, 0);
    Callout__AssignRequest *assign = desk_assign(&desk, "W3.1", "T1");
    assign->override_reason = words("he learns it");
    desk_do(&desk, "Assign", &assign->base);
    order = desk_order(&desk, "W4");
    order->work_order->service_seconds = 12 * 3600;
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    assign = desk_assign(&desk, "W4.1", "T1");
    assign->override_reason = words("today he must");
    desk_do(&desk, "Assign", &assign->base);
    reply = board(&desk, 0);
    const Callout__FeedAppointment *visit = find(reply, "W3.1");
    assert_int_equal(visit->n_violations, 1);
    assert_int_equal(visit->violations[0]->rule, CALLOUT__RULE__RULE_SKILL);
    assert_int_equal(visit->violations[0]->amount, 2);
    assert_string_equal(visit->violations[0]->skill, "gas");
    assert_int_equal(find(reply, "W1.1")->n_violations, 0);
    const Callout__BoardTechnician *over = technician_on(reply, "T1");
    assert_int_equal(over->n_violations, 1);
    assert_int_equal(over->violations[0]->rule, CALLOUT__RULE__RULE_SHIFT);
    assert_true(over->violations[0]->amount > 3 * 3600); /* at work from 8 to 17 */
    assert_int_equal(technician_on(reply, "T2")->n_violations, 0);
    desk_close(&desk);
}

static void tells_what_changed_since(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    const Callout__BoardReply *reply = board(&desk, 0);
    uint64_t seen = reply->log_seq;
    reply = board(&desk, seen);
    assert_false(reply->complete);
    assert_int_equal(reply->n_technicians + reply->n_appointments, 0);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    reply = board(&desk, seen);
    assert_int_equal(reply->n_appointments, 1);
    assert_int_equal(reply->n_technicians, 1);
    assert_string_equal(reply->technicians[0]->technician->technician_id, "T1");
    assert_non_null(find(reply, "W1.1"));
    seen = reply->log_seq;
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base);
    reply = board(&desk, seen);
    assert_int_equal(reply->n_technicians, 2); /* who lost it, too */
    assert_true(board(&desk, 1000)->complete); /* from another log */
    desk_close(&desk);
}

/* What leaves the day cannot be told by what is left of it: everything is told again. */
static void tells_all_again_when_one_left(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    uint64_t seen = board(&desk, 0)->log_seq;
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W1");
    add_window(&desk, order, DESK_DAY_US + US_PER_DAY + 9 * HOUR_US,
               DESK_DAY_US + US_PER_DAY + 10 * HOUR_US);
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    const Callout__BoardReply *reply = board(&desk, seen);
    assert_true(reply->complete);
    assert_null(find(reply, "W1.1"));
    assert_non_null(find(reply, "W2.1"));
    desk_close(&desk);
}

static void pages_are_signed(void **state)
{
    struct desk desk;
    char id[16];
    (void)state;
    desk_open_furnished(&desk);
    for (int i = 10; i < 450; i++) {
        snprintf(id, sizeof id, "W%d", i);
        desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, id)->base);
    }
    Callout__Principal admin = a_key("admin", "admin"), other = a_key("other", "admin");
    Callout__BoardRequest request = about_north();
    const Callout__BoardReply *first = board_as(&desk, &admin, &request);
    assert_true(first->next_page_token[0] != '\0');
    request.page_token = first->next_page_token;
    const Callout__BoardReply *second = board_as(&desk, &admin, &request);
    assert_int_equal(first->n_technicians + first->n_appointments + second->n_appointments, 444);
    assert_int_equal(second->log_seq, first->log_seq);
    assert_string_equal(second->next_page_token, "");
    Callout__Reply *refused = desk_ask_as(&desk, &other, "Board", "", &request.base);
    assert_int_equal(refused->status, CALLOUT__STATUS__INVALID);
    request.page_token[0] ^= 1;
    refused = desk_ask_as(&desk, &admin, "Board", "", &request.base);
    assert_int_equal(refused->status, CALLOUT__STATUS__INVALID);
    request.page_token = words("400");
    refused = desk_ask_as(&desk, &admin, "Board", "", &request.base);
    assert_int_equal(refused->status, CALLOUT__STATUS__INVALID);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_day),
        cmocka_unit_test(the_whole_order_is_told_with_its_contact),
        cmocka_unit_test(says_who_is_late_and_why_unserved),
        cmocka_unit_test(says_what_the_plan_breaks),
        cmocka_unit_test(tells_what_changed_since),
        cmocka_unit_test(tells_all_again_when_one_left),
        cmocka_unit_test(pages_are_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
