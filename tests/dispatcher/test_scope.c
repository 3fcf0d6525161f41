/* What a device may see of its technician's visits: time brings them, and takes them away. */
#include "desk.h"

enum { DAYS = 14 };

/* T1 works from 8 to 17 on each of two weeks. */
static void employ(struct desk *desk)
{
    Callout__UpsertTechnicianRequest *request =
        (Callout__UpsertTechnicianRequest *)(uintptr_t)desk_technician(desk, "T1");
    Callout__Technician *technician = request->technician;
    technician->shifts = arena_need(&desk->arena, DAYS * sizeof *technician->shifts);
    technician->n_shifts = DAYS;
    for (int64_t i = 0; i < DAYS; i++) {
        DESK_NEW(desk, Callout__Shift, shift);
        callout__shift__init(shift);
        shift->service_day = DESK_DAY + i;
        shift->start_us = DESK_DAY_US + i * US_PER_DAY + 8 * HOUR_US;
        shift->end_us = shift->start_us + 9 * HOUR_US;
        technician->shifts[i] = shift;
    }
    desk_do(desk, "UpsertTechnician", &request->base);
}

static char *one_text(struct desk *desk, const char *text)
{
    return arena_text(&desk->arena, text);
}

/* An order for 12 o'clock of that day, with everything that somebody could be told of it; T1's. */
static void give(struct desk *desk, const char *id, int64_t day)
{
    char visit[LIMIT_ID];
    Callout__UpsertWorkOrderRequest *request = desk_order(desk, id);
    Callout__WorkOrder *order = request->work_order;
    DESK_NEW(desk, Callout__ArrivalWindow, window);
    DESK_NEW(desk, Callout__Customer, customer);
    DESK_NEW(desk, Callout__Contact, contact);
    callout__arrival_window__init(window);
    callout__customer__init(customer);
    callout__contact__init(contact);
    window->start_us = DESK_DAY_US + day * US_PER_DAY + 12 * HOUR_US;
    window->end_us = window->start_us + HOUR_US / 4;
    order->earliest_start_us = window->start_us;
    order->windows = arena_need(&desk->arena, sizeof *order->windows);
    order->windows[order->n_windows++] = window;
    order->customer = customer;
    customer->customer_id = one_text(desk, "C1");
    customer->name = one_text(desk, "Frick");
    customer->external_id = one_text(desk, "crm-77");
    order->contact = contact;
    contact->contact_id = one_text(desk, id);
    contact->name = one_text(desk, "Rita");
    contact->phone = one_text(desk, "+423 1234567");
    contact->email = one_text(desk, "rita@example.org");
    order->excluded_technician_ids = arena_need(&desk->arena, sizeof(char *));
    order->excluded_technician_ids[order->n_excluded_technician_ids++] = one_text(desk, "T2");
    desk_do(desk, "UpsertWorkOrder", &request->base);
    snprintf(visit, sizeof visit, "%s.1", id);
    Callout__AssignRequest *assign = desk_assign(desk, one_text(desk, visit), "T1");
    desk_do(desk, "Assign", &assign->base);
}

static void begin(struct desk *desk, struct desk_device *device)
{
    desk_open(desk, store_open_mem(), NULL);
    desk_do(desk, "UpsertTerritory", desk_territory(desk, "UTC"));
    desk_do(desk, "UpsertTechnician", desk_technician(desk, "T2"));
    employ(desk);
    *device = desk_device(desk, "T1");
}

static void set_time(struct desk *desk, int64_t day, int64_t hour)
{
    desk->now_us = DESK_DAY_US + day * US_PER_DAY + hour * HOUR_US;
}

/* --- a device that only remembers --- */

struct memory {
    struct desk *desk;
    struct desk_device *device;
    ProtobufCBinaryData cursor;
    Callout__FieldAppointment *visits[64];
    size_t count;
};

static Callout__FieldAppointment **remembered(struct memory *memory, const char *visit)
{
    for (size_t i = 0; i < memory->count; i++)
        if (strcmp(memory->visits[i]->appointment->appointment_id, visit) == 0)
            return &memory->visits[i];
    return NULL;
}

static void remember(struct memory *memory, Callout__FieldAppointment *visit)
{
    Callout__FieldAppointment **known = remembered(memory, visit->appointment->appointment_id);
    if (known == NULL) known = &memory->visits[memory->count++];
    *known = visit;
}

static Callout__SnapshotReply *snapshot_page(struct memory *memory, const char *token)
{
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    request.page_token = words(token);
    return desk_body(memory->desk,
                     desk_ask_as(memory->desk, &memory->device->who, "Snapshot", "", &request.base),
                     &callout__snapshot_reply__descriptor);
}

static void take_snapshot(struct memory *memory)
{
    const Callout__SnapshotReply *page;
    const char *token = "";
    memory->count = 0;
    do {
        page = snapshot_page(memory, token);
        for (size_t i = 0; i < page->n_appointments; i++)
            remember(memory, page->appointments[i]);
        token = page->next_page_token;
    } while (token[0] != '\0');
    memory->cursor = page->cursor;
}

/* Returns how many visits were told, left ones among them. */
static size_t take_news(struct memory *memory)
{
    Callout__PullRequest request;
    callout__pull_request__init(&request);
    request.cursor = memory->cursor;
    Callout__PullReply *news = desk_body(
        memory->desk, desk_ask_as(memory->desk, &memory->device->who, "Pull", "", &request.base),
        &callout__pull_reply__descriptor);
    for (size_t i = 0; i < news->n_appointments; i++)
        remember(memory, news->appointments[i]);
    for (size_t i = 0; i < news->n_left_scope; i++) {
        Callout__FieldAppointment **left = remembered(memory, news->left_scope[i]);
        if (left != NULL) *left = memory->visits[--memory->count];
    }
    memory->cursor = news->cursor;
    return news->n_appointments + news->n_left_scope;
}

static const char *phone_of(struct memory *memory, const char *visit)
{
    Callout__FieldAppointment **known = remembered(memory, visit);
    if (known == NULL) return NULL;
    const Callout__Contact *contact = (*known)->work_order->contact;
    return contact == NULL ? "" : contact->phone;
}

/* --- the tests --- */

static void a_visit_comes_a_week_ahead_and_goes_after_two_days(void **state)
{
    (void)state;
    static const struct {
        int64_t day, hour;
        const char *phone; /* NULL: the visit is not to be seen; "": it is, the contact not */
    } life[] = {
        {0, 6, NULL}, {1, 11, NULL}, {1, 13, ""}, {4, 9, ""},   {7, 11, ""},    {7, 13, "+"},
        {8, 12, "+"}, {9, 11, "+"},  {9, 14, ""}, {10, 11, ""}, {10, 14, NULL}, {13, 0, NULL},
    };
    struct desk desk;
    struct desk_device device;
    begin(&desk, &device);
    give(&desk, "FAR", 8);
    struct memory follows = {.desk = &desk, .device = &device};
    take_snapshot(&follows);
    for (size_t i = 0; i < sizeof life / sizeof life[0]; i++) {
        struct memory fresh = {.desk = &desk, .device = &device};
        set_time(&desk, life[i].day, life[i].hour);
        take_news(&follows);
        take_snapshot(&fresh);
        const char *told = phone_of(&follows, "FAR.1"), *read = phone_of(&fresh, "FAR.1");
        if (life[i].phone == NULL) {
            assert_null(told);
            assert_null(read);
        } else {
            assert_non_null(told);
            assert_non_null(read);
            assert_int_equal(told[0], life[i].phone[0]);
            assert_int_equal(read[0], life[i].phone[0]);
        }
        assert_int_equal(take_news(&follows), 0);
    }
    desk_close(&desk);
}

/* The days when it could be seen lie between two polls. */
static void what_came_and_went_meanwhile_is_not_told(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device;
    begin(&desk, &device);
    give(&desk, "FAR", 8);
    struct memory memory = {.desk = &desk, .device = &device};
    take_snapshot(&memory);
    set_time(&desk, 13, 0);
    assert_int_equal(take_news(&memory), 0);
    desk_close(&desk);
}

/* Until the technician says that it is done, however long that takes. */
static void what_he_set_out_for_stays(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device;
    begin(&desk, &device);
    give(&desk, "LONG", 0);
    struct memory memory = {.desk = &desk, .device = &device};
    set_time(&desk, 0, 11);
    take_snapshot(&memory);
    desk_push_one(&desk, &device,
                  desk_status(&desk, 1, "LONG.1", CALLOUT__APPOINTMENT_STATUS__WORKING));
    set_time(&desk, 5, 8);
    take_news(&memory);
    assert_string_equal(phone_of(&memory, "LONG.1"), "+423 1234567");
    desk_push_one(&desk, &device,
                  desk_status(&desk, 2, "LONG.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED));
    take_news(&memory);
    assert_string_equal(phone_of(&memory, "LONG.1"), "+423 1234567");
    set_time(&desk, 6, 20);
    take_news(&memory);
    assert_string_equal(phone_of(&memory, "LONG.1"), "");
    set_time(&desk, 7, 20);
    take_news(&memory);
    assert_null(phone_of(&memory, "LONG.1"));
    desk_close(&desk);
}

static void a_device_is_told_nothing_that_is_not_for_it(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device;
    begin(&desk, &device);
    struct memory follows = {.desk = &desk, .device = &device}, fresh = follows;
    take_snapshot(&follows);
    give(&desk, "NOW", 0);
    take_news(&follows);
    take_snapshot(&fresh);
    const struct memory *const both[] = {&follows, &fresh};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(both[i]->count, 1);
        const Callout__WorkOrder *order = both[i]->visits[0]->work_order;
        assert_string_equal(order->customer->name, "Frick");
        assert_string_equal(order->customer->external_id, "");
        assert_string_equal(order->contact->phone, "+423 1234567");
        assert_string_equal(order->contact->email, "");
        assert_int_equal(order->n_excluded_technician_ids, 0);
        assert_int_equal(order->n_required_technician_ids, 0);
        assert_int_equal(order->n_preferred_technician_ids, 0);
    }
    desk_close(&desk);
}

/* A poll before the step of time is over sends no more than what the cursor answers for, or nobody
 * would take the contact away again. */
static void what_a_cursor_does_not_answer_for_is_not_sent(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device;
    begin(&desk, &device);
    give(&desk, "FAR", 8);
    struct memory memory = {.desk = &desk, .device = &device};
    desk.now_us = DESK_DAY_US + 7 * US_PER_DAY + 12 * HOUR_US - US_PER_MINUTE;
    take_snapshot(&memory);
    assert_string_equal(phone_of(&memory, "FAR.1"), "");
    desk.now_us += 2 * US_PER_MINUTE;
    desk_push_one(&desk, &device,
                  desk_status(&desk, 1, "FAR.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED));
    assert_int_equal(take_news(&memory), 1);
    assert_string_equal(phone_of(&memory, "FAR.1"), "");
    set_time(&desk, 9, 14);
    take_news(&memory);
    assert_string_equal(phone_of(&memory, "FAR.1"), "");
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_visit_comes_a_week_ahead_and_goes_after_two_days),
        cmocka_unit_test(what_came_and_went_meanwhile_is_not_told),
        cmocka_unit_test(what_he_set_out_for_stays),
        cmocka_unit_test(a_device_is_told_nothing_that_is_not_for_it),
        cmocka_unit_test(what_a_cursor_does_not_answer_for_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
