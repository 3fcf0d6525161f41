/* What comes from outside and is wrong, or too much, is refused by name and ends nothing. */
#include "desk.h"
#include "dispatcher/store/store_ops.h"

/* An administrator's request that is refused: the field that is named. */
static const char *refused(struct desk *desk, const char *method, const ProtobufCMessage *body)
{
    char id[32];
    Callout__Principal admin = a_key("admin", "admin");
    snprintf(id, sizeof id, "request-%u", ++desk->asked);
    int64_t seq = desk_seq(desk);
    Callout__Reply *reply = desk_ask_as(desk, &admin, method, id, body);
    assert_int_not_equal(reply->status, CALLOUT__STATUS__OK);
    assert_int_equal(reply->n_errors, 1);
    assert_true(desk_seq(desk) == seq);
    return reply->errors[0]->field;
}

static const ProtobufCMessage *with_shift(struct desk *desk, Callout__Shift **shift)
{
    const ProtobufCMessage *message = desk_technician(desk, "T9");
    *shift = ((const Callout__UpsertTechnicianRequest *)message)->technician->shifts[0];
    return message;
}

/* With a break that ends after the end of time, the sums of a day would overflow. */
static void a_break_lies_in_our_time(void **state)
{
    (void)state;
    const int64_t wrong[] = {INT64_MAX, INT64_MIN, INT64_MAX - US_PER_SECOND};
    struct desk desk;
    Callout__Shift *shift;
    desk_open_furnished(&desk);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const ProtobufCMessage *message = with_shift(&desk, &shift);
        shift->break_seconds = 3600;
        shift->break_earliest_us = wrong[i];
        shift->break_latest_us = INT64_MAX;
        assert_string_equal(refused(&desk, "UpsertTechnician", message),
                            "technician.shifts.break_earliest_us");
        shift->break_earliest_us = 0;
        shift->break_latest_us = wrong[i];
        assert_string_equal(refused(&desk, "UpsertTechnician", message),
                            "technician.shifts.break_latest_us");
    }
    desk_close(&desk);
}

/* Each new service day takes one of a bounded number of places for ever. */
static void a_shift_is_of_the_day_on_which_it_begins(void **state)
{
    (void)state;
    const int64_t wrong[] = {INT64_MAX, INT64_MIN, 0, DESK_DAY + 3, DESK_DAY - 3};
    struct desk desk;
    Callout__Shift *shift;
    desk_open_furnished(&desk);
    const ProtobufCMessage *message = with_shift(&desk, &shift);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        shift->service_day = wrong[i];
        assert_string_equal(refused(&desk, "UpsertTechnician", message),
                            "technician.shifts.service_day (of start_us)");
    }
    shift->service_day = DESK_DAY - 1; /* a night shift of the day before */
    desk_do(&desk, "UpsertTechnician", message);
    desk_close(&desk);
}

static void a_reason_is_bounded_also_when_a_start_is_given(void **state)
{
    (void)state;
    static char reason[LIMIT_TEXT + 2];
    struct desk desk;
    desk_open_furnished(&desk);
    memset(reason, 'r', LIMIT_TEXT + 1);
    Callout__AssignRequest *request = desk_assign(&desk, "W1.1", "T1");
    request->start_us = DESK_DAY_US + 9 * HOUR_US;
    request->override_reason = reason;
    assert_string_equal(refused(&desk, "Assign", &request->base), "override_reason");
    reason[LIMIT_TEXT] = '\0';
    request->start_us = INT64_MAX;
    assert_string_equal(refused(&desk, "Assign", &request->base), "start_us");
    request->start_us = DESK_DAY_US + 9 * HOUR_US;
    desk_do(&desk, "Assign", &request->base);
    desk_close(&desk);
}

/* An appointment's id is an id as well: the optimizer and the devices hold it in as much room. */
static void the_id_of_an_appointment_is_within_the_limit_of_ids(void **state)
{
    (void)state;
    char id[LIMIT_ID + 1];
    struct desk desk;
    desk_open_furnished(&desk);
    memset(id, 'W', sizeof id);
    id[LIMIT_WORK_ORDER_ID + 1] = '\0';
    assert_string_equal(refused(&desk, "UpsertWorkOrder", &desk_order(&desk, id)->base),
                        "work_order.work_order_id");
    id[LIMIT_WORK_ORDER_ID] = '\0';
    desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, id)->base);
    strcat(id, ".1");
    assert_true(strlen(id) <= LIMIT_ID);
    const char *owner;
    assert_int_equal(core_appointment(engine_core(desk.engine), id, &owner),
                     APPOINTMENT_UNSCHEDULED);
    desk_close(&desk);
}

/* Replies are bounded one by one, but many consoles may ask at once. */
static void a_batch_of_great_replies_is_taken_in_parts(void **state)
{
    (void)state;
    enum { ORDERS = 300, ASKERS = LIMIT_FACTS_PER_COMMIT };
    static struct engine_item items[ASKERS];
    char id[16], text[LIMIT_TEXT + 1];
    struct desk desk;
    desk_open_furnished(&desk);
    memset(text, 'x', LIMIT_TEXT);
    text[LIMIT_TEXT] = '\0';
    for (int i = 0; i < ORDERS; i++) {
        snprintf(id, sizeof id, "B%d", i);
        Callout__UpsertWorkOrderRequest *request = desk_order(&desk, id);
        request->work_order->site->address = text;
        request->work_order->site->access_note = text;
        desk_do(&desk, "UpsertWorkOrder", &request->base);
    }
    Callout__Principal console = a_key("console", "dispatcher");
    Callout__BoardRequest board;
    callout__board_request__init(&board);
    board.territory_id = words("north");
    for (uint32_t i = 0; i < ASKERS; i++)
        items[i] = desk_item(&desk, &console, "Board", "", &board.base);
    uint32_t parts = 0;
    for (uint32_t first = 0; first < ASKERS; parts++) {
        uint32_t done = engine_batch(desk.engine, items + first, ASKERS - first, desk.now_us);
        assert_in_range(done, 1, ASKERS - first);
        for (uint32_t i = first; i < first + done; i++)
            assert_true(items[i].reply.len > ORDERS * 2 * LIMIT_TEXT);
        first += done;
    }
    assert_true(parts > 1);
    desk_close(&desk);
}

static enum err (*real_put)(struct store *, enum row_kind, const void *);

static bool is_magic(enum row_kind kind, const void *row)
{
    const char *reason = kind == ROW_CHECK_IN ? ((const struct row_check_in *)row)->reason : "";
    return strcmp(reason, "MAGIC") == 0;
}

static enum err refusing_put(struct store *store, enum row_kind kind, const void *row)
{
    return is_magic(kind, row) ? ERR_CONFLICT : real_put(store, kind, row);
}

/* A store whose rows wait: only its commit knows that one is refused, and not which. */
static bool magic_waits;
static enum err (*real_commit)(struct store *);

static enum err waiting_put(struct store *store, enum row_kind kind, const void *row)
{
    if (store->at_once) return refusing_put(store, kind, row);
    magic_waits = magic_waits || is_magic(kind, row);
    return real_put(store, kind, row);
}

static enum err refusing_commit(struct store *store)
{
    bool refused = magic_waits;
    magic_waits = false;
    return refused ? ERR_CONFLICT : real_commit(store);
}

static Callout__PushReply *push(struct desk *desk, const struct desk_device *device,
                                Callout__Command *const *commands, size_t count)
{
    return desk_body(desk,
                     desk_ask_as(desk, &device->who, "Push", "", desk_push(desk, commands, count)),
                     &callout__push_reply__descriptor);
}

static void push_magic(enum err (*put)(struct store *, enum row_kind, const void *),
                       enum err (*commit)(struct store *))
{
    struct desk desk;
    struct store *store = store_open_mem();
    struct store_ops ops = *store->ops;
    real_put = ops.put;
    real_commit = ops.commit;
    ops.put = put;
    if (commit != NULL) ops.commit = commit;
    store->ops = &ops;
    desk_open(&desk, store, NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__Command *const commands[] = {
        desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED),
        desk_status(&desk, 2, "W1.1", CALLOUT__APPOINTMENT_STATUS__NO_ACCESS),
        desk_status(&desk, 3, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE),
        desk_status(&desk, 4, "W1.1", CALLOUT__APPOINTMENT_STATUS__ON_SITE),
    };
    commands[1]->status->reason = words("MAGIC");
    Callout__PushReply *reply = push(&desk, &device, commands, 4);
    assert_int_equal(reply->last_seq, 2);
    assert_int_equal(reply->n_results, 2);
    assert_int_equal(reply->results[0]->outcome, CALLOUT__OUTCOME__APPLIED);
    assert_int_equal(reply->results[1]->outcome, CALLOUT__OUTCOME__REJECTED);
    reply = push(&desk, &device, commands, 4);
    assert_int_equal(reply->last_seq, 4);
    assert_int_equal(reply->n_results, 4);
    assert_true(reply->results[0]->duplicate && reply->results[1]->duplicate);
    assert_int_equal(reply->results[1]->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_int_equal(reply->results[2]->outcome, CALLOUT__OUTCOME__APPLIED);
    assert_int_equal(reply->results[3]->outcome, CALLOUT__OUTCOME__APPLIED);
    desk_close(&desk);
}

static void a_refused_command_takes_none_of_its_neighbours_along(void **state)
{
    (void)state;
    push_magic(refusing_put, NULL);
}

static void nor_does_one_that_only_the_commit_refuses(void **state)
{
    (void)state;
    push_magic(waiting_put, refusing_commit);
}

static bool broken;
static enum err (*real_begin)(struct store *);

static enum err broken_begin(struct store *store)
{
    return broken ? ERR_IO : real_begin(store);
}

/* As after a failed fsync: reads go on, and tell only what is stored. */
static void a_batch_that_cannot_begin_leaves_the_core_as_it_was(void **state)
{
    (void)state;
    struct desk desk;
    struct store *store = store_open_mem();
    struct store_ops ops = *store->ops;
    real_begin = ops.begin;
    ops.begin = broken_begin;
    store->ops = &ops;
    desk_open(&desk, store, NULL);
    desk_furnish(&desk);
    uint64_t digest = desk_digest(&desk);
    int64_t seq = desk_seq(&desk);
    Callout__Principal shop = a_key("shop", "integrator");
    broken = true;
    Callout__Reply *reply =
        desk_ask_as(&desk, &shop, "UpsertWorkOrder", "w3", &desk_order(&desk, "W3")->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__RETRY);
    assert_true(desk_digest(&desk) == digest && desk_seq(&desk) == seq);
    broken = false;
    reply = desk_ask_as(&desk, &shop, "UpsertWorkOrder", "w3", &desk_order(&desk, "W3")->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    assert_true(desk_seq(&desk) == seq + 1);
    desk_close(&desk);
}

/* The loop that asks for ticks relies on both: nothing was done, and it is due as before. */
static void a_tick_that_cannot_be_stored_stays_due(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    desk.now_us = DESK_DAY_US + 12 * HOUR_US;
    uint64_t digest = desk_digest(&desk);
    store_fail_commits(desk.store, 1);
    for (int i = 0; i < 3; i++) {
        assert_false(engine_tick(desk.engine, desk.now_us));
        assert_true(engine_next_wake_us(desk.engine, desk.now_us) <= desk.now_us);
        assert_true(desk_digest(&desk) == digest);
    }
    store_fail_commits(desk.store, 0);
    assert_true(engine_tick(desk.engine, desk.now_us));
    desk_close(&desk);
}

static void a_state_of_a_newer_app_is_refused_alone(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__Command *const commands[] = {
        desk_status(&desk, 1, "W1.1", (Callout__AppointmentStatus)99),
        desk_status(&desk, 2, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE),
    };
    Callout__PushReply *reply = push(&desk, &device, commands, 2);
    assert_int_equal(reply->last_seq, 2);
    assert_int_equal(reply->results[0]->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_string_equal(reply->results[0]->errors[0]->field, "status.status");
    assert_int_equal(reply->results[1]->outcome, CALLOUT__OUTCOME__APPLIED);
    desk_close(&desk);
}

static Callout__SnapshotReply *snapshot(struct desk *desk, const struct desk_device *device,
                                        const char *page_token)
{
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    request.page_token = words(page_token);
    return desk_body(desk, desk_ask_as(desk, &device->who, "Snapshot", "", &request.base),
                     &callout__snapshot_reply__descriptor);
}

static Callout__Status status_of_page(struct desk *desk, const struct desk_device *device,
                                      const char *method, char *token)
{
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    request.page_token = token;
    return desk_ask_as(desk, &device->who, method, "", &request.base)->status;
}

/* What the next page is, only we say; and only to him who got the page before. */
static void check_page_token(struct desk *desk, const struct desk_device *device, const char *given)
{
    struct desk_device other = desk_device(desk, "T2");
    char *token = arena_text(&desk->arena, given);
    assert_int_equal(status_of_page(desk, &other, "Snapshot", token), CALLOUT__STATUS__INVALID);
    for (size_t i = 0; token[i] != '\0'; i++) {
        token[i] ^= 1;
        assert_int_equal(status_of_page(desk, device, "Snapshot", token), CALLOUT__STATUS__INVALID);
        token[i] ^= 1;
    }
    assert_int_equal(status_of_page(desk, device, "Snapshot", token + 1), CALLOUT__STATUS__INVALID);
    assert_int_equal(status_of_page(desk, device, "Snapshot", words("100 P1-45.1")),
                     CALLOUT__STATUS__INVALID);
    assert_int_equal(status_of_page(desk, device, "Snapshot", token), CALLOUT__STATUS__OK);
}

/* After a restore the log's numbers mean something else. */
static void check_page_token_of_another_log(struct desk *desk, const struct desk_device *device,
                                            char *token)
{
    union row row;
    uint64_t epoch = 0;
    const struct row_meta key = {.name = STORE_META_LOG_EPOCH};
    assert_int_equal(store_get(desk->store, ROW_META, &key, &row), ERR_OK);
    memcpy(&epoch, row.meta.value.bytes, sizeof epoch);
    epoch ^= 1;
    const struct row_meta other = {STORE_META_LOG_EPOCH, {&epoch, sizeof epoch}};
    assert_int_equal(store_begin(desk->store), ERR_OK);
    assert_int_equal(store_put(desk->store, ROW_META, &other), ERR_OK);
    assert_int_equal(store_commit(desk->store), ERR_OK);
    const struct engine_options options = {.clock_by_hand = true};
    engine_close(desk->engine);
    assert_int_equal(engine_open(&desk->engine, desk->store, &options, NULL), ERR_OK);
    assert_int_equal(status_of_page(desk, device, "Snapshot", token), CALLOUT__STATUS__INVALID);
}

/* More than a page of orders on one day of one person's; what goes between two pages hides nothing.
 */
static void a_snapshot_in_pages_misses_nothing(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    char ids[3][60][24];
    for (int day = 0; day < 3; day++) {
        const ProtobufCMessage *technician = desk_technician(&desk, "T1");
        ((const Callout__UpsertTechnicianRequest *)technician)->technician->n_shifts = 1;
        Callout__Shift *shift =
            ((const Callout__UpsertTechnicianRequest *)technician)->technician->shifts[0];
        shift->start_us += day * US_PER_DAY;
        shift->end_us += day * US_PER_DAY;
        shift->service_day += day;
        shift->break_seconds = 0;
        assert_int_equal(desk_do(&desk, "UpsertTechnician", technician)->status, 0);
        for (int i = 0; i < 45; i++) {
            snprintf(ids[day][i], sizeof ids[day][i], "P%d-%02d", day, i);
            Callout__UpsertWorkOrderRequest *order = desk_order(&desk, ids[day][i]);
            order->work_order->n_windows = 0;
            order->work_order->earliest_start_us = shift->start_us;
            assert_int_equal(desk_do(&desk, "UpsertWorkOrder", &order->base)->status, 0);
            strcat(ids[day][i], ".1");
            Callout__AssignRequest *assign = desk_assign(&desk, ids[day][i], "T1");
            assign->override_reason = words("a long day");
            assert_int_equal(desk_do(&desk, "Assign", &assign->base)->status, 0);
        }
    }
    Callout__SnapshotReply *first = snapshot(&desk, &device, "");
    assert_int_equal(first->n_appointments, 100);
    assert_int_equal(first->cursor.len, 0);
    check_page_token(&desk, &device, first->next_page_token);
    char *told = first->appointments[3]->appointment->appointment_id;
    Callout__UnassignRequest unassign;
    callout__unassign_request__init(&unassign);
    unassign.appointment_id = told;
    assert_int_equal(desk_do(&desk, "Unassign", &unassign.base)->status, 0);
    Callout__SnapshotReply *second = snapshot(&desk, &device, first->next_page_token);
    assert_int_equal(second->n_appointments, 35);
    assert_string_equal(second->next_page_token, "");
    Callout__PullRequest pull;
    callout__pull_request__init(&pull);
    pull.cursor = second->cursor;
    Callout__PullReply *after =
        desk_body(&desk, desk_ask_as(&desk, &device.who, "Pull", "", &pull.base),
                  &callout__pull_reply__descriptor);
    assert_int_equal(after->n_left_scope, 1);
    assert_string_equal(after->left_scope[0], told);
    check_page_token_of_another_log(&desk, &device, first->next_page_token);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_break_lies_in_our_time),
        cmocka_unit_test(a_shift_is_of_the_day_on_which_it_begins),
        cmocka_unit_test(a_reason_is_bounded_also_when_a_start_is_given),
        cmocka_unit_test(the_id_of_an_appointment_is_within_the_limit_of_ids),
        cmocka_unit_test(a_batch_of_great_replies_is_taken_in_parts),
        cmocka_unit_test(a_batch_that_cannot_begin_leaves_the_core_as_it_was),
        cmocka_unit_test(a_refused_command_takes_none_of_its_neighbours_along),
        cmocka_unit_test(nor_does_one_that_only_the_commit_refuses),
        cmocka_unit_test(a_tick_that_cannot_be_stored_stays_due),
        cmocka_unit_test(a_state_of_a_newer_app_is_refused_alone),
        cmocka_unit_test(a_snapshot_in_pages_misses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
