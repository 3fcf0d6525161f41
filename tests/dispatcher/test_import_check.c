/* A CSV file is looked at before anything is changed: every row says what it would do, every error
 * where it is; what was taken once is the same the second time, and nothing that the file does not
 * know is lost. And the list of addresses. */
#include "desk.h"
#include "pb/roster.pb-c.h"

static const char technicians_head[] =
    "technician_id,name,home_lon,home_lat,shift_start,shift_end,break_earliest,break_latest,"
    "break_minutes,skills,overtime_minutes_max\n";
static const char orders_head[] = "order_id,received_at,lon,lat,address,work_type,service_minutes,"
                                  "priority,skill,window_start,window_end,due_at\n";

static Callout__CheckImportReply *check_at(struct desk *desk, Callout__ImportTable table,
                                           const char *head, const char *rows, uint32_t first_line)
{
    Callout__CheckImportRequest request;
    callout__check_import_request__init(&request);
    char *csv = arena_need(&desk->arena, strlen(head) + strlen(rows) + 1);
    strcpy(csv, head);
    strcat(csv, rows);
    request.territory_id = words("north");
    request.table = table;
    request.csv = csv;
    request.first_line = first_line;
    return desk_body(desk, desk_do(desk, "CheckImport", &request.base),
                     &callout__check_import_reply__descriptor);
}

static Callout__CheckImportReply *orders(struct desk *desk, const char *rows)
{
    return check_at(desk, CALLOUT__IMPORT_TABLE__IMPORT_WORK_ORDERS, orders_head, rows, 0);
}

static Callout__CheckImportReply *technicians(struct desk *desk, const char *rows)
{
    return check_at(desk, CALLOUT__IMPORT_TABLE__IMPORT_TECHNICIANS, technicians_head, rows, 0);
}

static void send_order(struct desk *desk, const Callout__ImportRow *row)
{
    Callout__UpsertWorkOrderRequest request;
    callout__upsert_work_order_request__init(&request);
    request.work_order = row->work_order;
    request.expected_version = row->expected_version;
    desk_do(desk, "UpsertWorkOrder", &request.base);
}

static void send_technician(struct desk *desk, const Callout__ImportRow *row)
{
    Callout__UpsertTechnicianRequest request;
    callout__upsert_technician_request__init(&request);
    request.technician = row->technician;
    request.expected_version = row->expected_version;
    desk_do(desk, "UpsertTechnician", &request.base);
}

#define ORDER_A                                                                                    \
    "A1,2026-11-23T07:00,9.52,47.14,\"Gasse 1, Vaduz\",repair,30,5,gas:2,"                         \
    "2026-11-23T09:00,2026-11-23T12:00,2026-11-24T12:00\n"

static void a_row_is_new_then_the_same_then_changed(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    int64_t before = desk_seq(&desk);
    const Callout__CheckImportReply *reply = orders(&desk, ORDER_A);
    assert_int_equal(desk_seq(&desk), before); /* it only looks */
    assert_int_equal(reply->problem_count, 0);
    assert_int_equal(reply->n_rows, 1);
    assert_int_equal(reply->rows[0]->state, CALLOUT__IMPORT_STATE__IMPORT_NEW);
    assert_int_equal(reply->rows[0]->line, 2);
    send_order(&desk, reply->rows[0]);
    reply = orders(&desk, ORDER_A);
    assert_int_equal(reply->rows[0]->state, CALLOUT__IMPORT_STATE__IMPORT_SAME);
    assert_null(reply->rows[0]->work_order);
    reply = orders(&desk, "A1,2026-11-23T07:00,9.52,47.14,\"Gasse 2, Vaduz\",repair,30,5,gas:2,"
                          "2026-11-23T09:00,2026-11-23T12:00,2026-11-24T12:00\n");
    assert_int_equal(reply->rows[0]->state, CALLOUT__IMPORT_STATE__IMPORT_CHANGED);
    assert_true(reply->rows[0]->expected_version > 0);
    send_order(&desk, reply->rows[0]);
    desk_close(&desk);
}

static void what_the_file_does_not_know_stays(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__ImportRow *row = orders(&desk, ORDER_A)->rows[0];
    Callout__Contact contact;
    callout__contact__init(&contact);
    contact.contact_id = words("K1");
    contact.phone = words("+4235550100");
    row->work_order->contact = &contact;
    row->work_order->note = words("ring twice");
    row->work_order->windows[0]->promised = true;
    send_order(&desk, row);
    const Callout__ImportRow *same = orders(&desk, ORDER_A)->rows[0];
    assert_int_equal(same->state, CALLOUT__IMPORT_STATE__IMPORT_SAME);
    const Callout__WorkOrder *other =
        orders(&desk, "A1,2026-11-23T07:00,9.52,47.14,\"Gasse 1, Vaduz\",repair,30,7,gas:2,"
                      "2026-11-23T09:00,2026-11-23T12:00,2026-11-24T12:00\n")
            ->rows[0]
            ->work_order;
    assert_int_equal(other->priority, 7);
    assert_string_equal(other->note, "ring twice");
    assert_string_equal(other->contact->phone, "+4235550100");
    assert_true(other->windows[0]->promised);
    desk_close(&desk);
}

static void an_error_has_its_line_and_column(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    const Callout__CheckImportReply *reply = check_at(
        &desk, CALLOUT__IMPORT_TABLE__IMPORT_WORK_ORDERS, orders_head,
        ORDER_A "B1,2026-11-23T07:00,9.52,north,x,repair,30,12,,2026-11-23T09:00,"
                "2026-11-23T12:00,\n"
                "A1,2026-11-23T07:00,9.5,47.1,x,repair,30,5,,2026-11-23T09:00,2026-11-23T12:00,\n",
        41);
    assert_int_equal(reply->n_rows, 1); /* those without an error are told all the same */
    assert_int_equal(reply->rows[0]->line, 41);
    assert_int_equal(reply->problem_count, 3);
    assert_int_equal(reply->problems[0]->line, 42);
    assert_string_equal(reply->problems[0]->column, "lat");
    assert_string_equal(reply->problems[1]->column, "priority");
    assert_int_equal(reply->problems[2]->line, 43);
    assert_string_equal(reply->problems[2]->column, "order_id"); /* it comes twice */
    reply = orders(&desk, "");
    assert_int_equal(reply->problem_count, 0);
    reply = check_at(&desk, CALLOUT__IMPORT_TABLE__IMPORT_WORK_ORDERS, "order_id,lat\n", "", 0);
    assert_int_equal(reply->problems[0]->line, 1); /* columns are missing */
    assert_true(reply->problem_count >= 10);
    desk_close(&desk);
}

static void orders_under_way_and_unknown_skills_are_told(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    send_order(&desk, orders(&desk, ORDER_A)->rows[0]);
    Callout__CancelWorkOrderRequest cancel;
    callout__cancel_work_order_request__init(&cancel);
    cancel.work_order_id = words("A1");
    desk_do(&desk, "CancelWorkOrder", &cancel.base);
    assert_int_equal(orders(&desk, ORDER_A)->rows[0]->state, CALLOUT__IMPORT_STATE__IMPORT_SAME);
    const Callout__CheckImportReply *reply =
        orders(&desk, "A1,2026-11-23T07:00,9.52,47.14,\"Gasse 1, Vaduz\",repair,30,7,heat:2,"
                      "2026-11-23T09:00,2026-11-23T12:00,\n");
    assert_int_equal(reply->n_rows, 0);
    assert_string_equal(reply->problems[0]->column, "order_id");
    assert_int_equal(reply->n_new_skills, 1);
    assert_string_equal(reply->new_skills[0], "heat");
    desk_close(&desk);
}

static void what_is_of_another_territory_is_left_to_it(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    desk_furnish_south(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W9");
    order->work_order->territory_id = words("south");
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    const Callout__CheckImportReply *reply =
        technicians(&desk, "T9,Eva Beck,9.5,47.1,2026-11-23T08:00,2026-11-23T16:00,,,0,gas:2,60\n");
    assert_int_equal(reply->n_rows, 0);
    assert_string_equal(reply->problems[0]->column, "technician_id");
    reply = orders(&desk, "W9,2026-11-23T07:00,9.5,47.1,x,repair,30,5,,2026-11-23T09:00,"
                          "2026-11-23T12:00,\n");
    assert_int_equal(reply->n_rows, 0);
    assert_string_equal(reply->problems[0]->column, "order_id");
    desk_close(&desk);
}

static void technicians_are_compared_with_their_shift(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    static const char row[] = "T5,Eva Beck,9.5,47.1,2026-11-23T08:00,2026-11-23T16:00,"
                              "2026-11-23T11:00,2026-11-23T13:00,30,gas:2,60\n";
    const Callout__CheckImportReply *reply = technicians(&desk, row);
    assert_int_equal(reply->rows[0]->state, CALLOUT__IMPORT_STATE__IMPORT_NEW);
    send_technician(&desk, reply->rows[0]);
    assert_int_equal(technicians(&desk, row)->rows[0]->state, CALLOUT__IMPORT_STATE__IMPORT_SAME);
    reply = technicians(&desk, "T5,Eva Beck,9.5,47.1,2026-11-23T08:00,2026-11-23T17:00,"
                               "2026-11-23T11:00,2026-11-23T13:00,30,gas:2,60\n");
    assert_int_equal(reply->rows[0]->state, CALLOUT__IMPORT_STATE__IMPORT_CHANGED);
    assert_int_equal(reply->rows[0]->technician->n_shifts, 1);
    assert_true(reply->rows[0]->expected_version > 0);
    desk_close(&desk);
}

/* --- addresses --- */

static Callout__PutAddressesReply *put(struct desk *desk, const char *const *texts, size_t count,
                                       int32_t lat_e7)
{
    Callout__PutAddressesRequest request;
    callout__put_addresses_request__init(&request);
    request.addresses = arena_need(&desk->arena, count * sizeof *request.addresses);
    for (size_t i = 0; i < count; i++) {
        DESK_NEW(desk, Callout__Address, address);
        callout__address__init(address);
        address->text = words(texts[i]);
        address->point = desk_point(desk, lat_e7, 95000000 + (int32_t)i);
        request.addresses[request.n_addresses++] = address;
    }
    return desk_body(desk, desk_do(desk, "PutAddresses", &request.base),
                     &callout__put_addresses_reply__descriptor);
}

static Callout__FindAddressReply *find(struct desk *desk, const char *text, uint32_t count)
{
    Callout__FindAddressRequest request;
    callout__find_address_request__init(&request);
    request.text = words(text);
    request.count = count;
    return desk_body(desk, desk_do(desk, "FindAddress", &request.base),
                     &callout__find_address_reply__descriptor);
}

static void an_address_is_found_by_the_beginnings_of_its_words(void **state)
{
    (void)state;
    static const char *const texts[] = {"Bahnhofstrasse 1, Zürich", "Bahnhofstrasse 12, Zug",
                                        "Große Gasse 7, Vaduz", "Am Bahndamm 3, Zürich"};
    struct desk desk;
    desk_open_furnished(&desk);
    assert_int_equal(find(&desk, "bahn", 0)->known, 0);
    const Callout__PutAddressesReply *done = put(&desk, texts, 4, 471000000);
    assert_int_equal(done->added, 4);
    done = put(&desk, texts, 4, 471000000);
    assert_int_equal(done->same, 4); /* a second time changes nothing */
    done = put(&desk, texts, 1, 472000000);
    assert_int_equal(done->moved, 1);
    assert_int_equal(done->count, 4);
    const Callout__FindAddressReply *found = find(&desk, "zurich BAHNHOF", 0);
    assert_int_equal(found->n_addresses, 1);
    assert_string_equal(found->addresses[0]->text, texts[0]);
    assert_int_equal(found->addresses[0]->point->lat_e7, 472000000);
    found = find(&desk, "grosse 7", 0);
    assert_int_equal(found->n_addresses, 1);
    assert_string_equal(found->addresses[0]->text, texts[2]);
    assert_int_equal(find(&desk, "bahn", 0)->n_addresses, 3);
    found = find(&desk, "bahn", 2);
    assert_int_equal(found->n_addresses, 2);
    assert_true(found->more);
    assert_int_equal(find(&desk, "hofstrasse", 0)->n_addresses, 0); /* not in their middle */
    assert_int_equal(find(&desk, " ,;", 0)->n_addresses, 0);
    desk_close(&desk);
}

static void an_address_without_a_place_is_refused(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__PutAddressesRequest request;
    Callout__Address address, *list[] = {&address};
    Callout__Principal admin = a_key("admin", "admin");
    callout__put_addresses_request__init(&request);
    callout__address__init(&address);
    request.addresses = list;
    request.n_addresses = 1;
    address.text = words("Gasse 1");
    assert_int_equal(desk_ask_as(&desk, &admin, "PutAddresses", "", &request.base)->status,
                     CALLOUT__STATUS__INVALID);
    address.point = desk_point(&desk, 910000000, 0);
    assert_int_equal(desk_ask_as(&desk, &admin, "PutAddresses", "", &request.base)->status,
                     CALLOUT__STATUS__INVALID);
    assert_int_equal(find(&desk, "gasse", 0)->known, 0);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_new_then_the_same_then_changed),
        cmocka_unit_test(what_the_file_does_not_know_stays),
        cmocka_unit_test(an_error_has_its_line_and_column),
        cmocka_unit_test(orders_under_way_and_unknown_skills_are_told),
        cmocka_unit_test(what_is_of_another_territory_is_left_to_it),
        cmocka_unit_test(technicians_are_compared_with_their_shift),
        cmocka_unit_test(an_address_is_found_by_the_beginnings_of_its_words),
        cmocka_unit_test(an_address_without_a_place_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
