/* The engine over stores that work and stores that do not: what is done once, what is undone whole,
 * and what survives. */
#include "desk.h"

#include <stdlib.h>

static uint64_t log_seq_of(struct desk *desk, const Callout__Reply *reply, bool *duplicate)
{
    Callout__MutationReply *answer = desk_body(desk, reply, &callout__mutation_reply__descriptor);
    *duplicate = answer->duplicate;
    return answer->log_seq;
}

/* --- once --- */

static void a_request_is_done_once_whatever_the_wire_does(void **state)
{
    (void)state;
    struct desk desk;
    bool again;
    desk_open_furnished(&desk);
    Callout__Principal shop = a_key("shop", "integrator"), other = a_key("other", "integrator");
    const ProtobufCMessage *order = &desk_order(&desk, "W7")->base;
    int64_t before = desk_seq(&desk);
    uint64_t seq =
        log_seq_of(&desk, desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", order), &again);
    assert_false(again);
    assert_int_equal(seq, before + 1);
    /* The same again, also within one batch and after a restart: the same answer, no fact. */
    struct engine_item items[2] = {desk_item(&desk, &shop, "UpsertWorkOrder", "a", order),
                                   desk_item(&desk, &shop, "UpsertWorkOrder", "a", order)};
    engine_batch(desk.engine, items, 2, desk.now_us);
    for (int i = 0; i < 2; i++)
        assert_int_equal(log_seq_of(&desk, desk_reply(&desk, &items[i], true), &again), seq);
    assert_true(again);
    desk_reopen(&desk, NULL);
    order = &desk_order(&desk, "W7")->base;
    assert_int_equal(
        log_seq_of(&desk, desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", order), &again), seq);
    assert_int_equal(desk_seq(&desk), before + 1);
    /* The id belongs to its principal, and to that one request. */
    assert_int_equal(
        log_seq_of(&desk, desk_ask_as(&desk, &other, "UpsertWorkOrder", "a", order), &again),
        seq + 1);
    Callout__Reply *reply =
        desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", &desk_order(&desk, "W8")->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__CONFLICT);
    assert_string_equal(reply->errors[0]->field, "request_id");
    desk_close(&desk);
}

static void two_in_one_batch_with_one_id_are_one(void **state)
{
    (void)state;
    struct desk desk;
    bool first, second;
    desk_open_furnished(&desk);
    Callout__Principal shop = a_key("shop", "integrator");
    const ProtobufCMessage *order = &desk_order(&desk, "W7")->base;
    struct engine_item items[2] = {desk_item(&desk, &shop, "UpsertWorkOrder", "a", order),
                                   desk_item(&desk, &shop, "UpsertWorkOrder", "a", order)};
    engine_batch(desk.engine, items, 2, desk.now_us);
    assert_int_equal(log_seq_of(&desk, desk_reply(&desk, &items[0], true), &first),
                     log_seq_of(&desk, desk_reply(&desk, &items[1], true), &second));
    assert_true(!first && second);
    desk_close(&desk);
}

static void what_was_refused_may_be_mended_and_sent_again(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__Principal shop = a_key("shop", "integrator");
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W7");
    order->work_order->priority = 77;
    uint64_t digest = desk_digest(&desk);
    Callout__Reply *reply = desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", &order->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__INVALID);
    assert_string_equal(reply->errors[0]->field, "work_order.priority");
    assert_true(desk_digest(&desk) == digest);
    order->work_order->priority = 7;
    reply = desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", &order->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    reply = desk_ask_as(&desk, &shop, "UpsertWorkOrder", "", &order->base);
    assert_string_equal(reply->errors[0]->field, "request_id");
    desk_close(&desk);
}

/* --- devices --- */

static void commands_are_applied_once_and_in_order(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__Command *first = desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED);
    Callout__CommandResult *result = desk_push_one(&desk, &device, first);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__APPLIED);
    uint64_t log_seq = result->log_seq, digest = desk_digest(&desk);
    assert_int_equal(log_seq, desk_seq(&desk));
    /* The answer was lost: it is sent again, and the stored one comes back. */
    result = desk_push_one(&desk, &device, first);
    assert_true(result->duplicate && result->log_seq == log_seq);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__APPLIED);
    /* The same number for something else. */
    result = desk_push_one(&desk, &device,
                           desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__PAYLOAD_MISMATCH);
    /* One is missing before it. */
    result = desk_push_one(&desk, &device,
                           desk_status(&desk, 3, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__OUTCOME_GAP);
    assert_true(desk_digest(&desk) == digest);
    desk_close(&desk);
}

/* What is wrong for good is rejected, and the commands behind it go on. */
static void a_rejected_command_does_not_block_those_behind_it(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__Command *commands[] = {
        desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__SCHEDULED),
        desk_status(&desk, 2, "W9.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE),
        desk_status(&desk, 3, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE),
    };
    Callout__PushReply *answer =
        desk_body(&desk, desk_ask_as(&desk, &device.who, "Push", "", desk_push(&desk, commands, 3)),
                  &callout__push_reply__descriptor);
    assert_int_equal(answer->results[0]->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_string_equal(answer->results[0]->errors[0]->field, "status.status");
    assert_int_equal(answer->results[1]->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_int_equal(answer->results[2]->outcome, CALLOUT__OUTCOME__APPLIED);
    assert_int_equal(answer->last_seq, 3);
    /* The rejection is remembered too. */
    Callout__CommandResult *result = desk_push_one(&desk, &device, commands[1]);
    assert_true(result->duplicate);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__REJECTED);
    desk_close(&desk);
}

/* --- commits that fail --- */

enum { SCRIPT = 60 };

static const char *script_method(struct desk *desk, int i, const ProtobufCMessage **body)
{
    char id[16];
    if (i % 3 == 1) {
        snprintf(id, sizeof id, "W%d.1", i - 1);
        *body = &desk_assign(desk, arena_text(&desk->arena, id), i % 2 == 0 ? "T1" : "T2")->base;
        return "Assign";
    }
    snprintf(id, sizeof id, "W%d", i);
    *body = &desk_order(desk, id)->base;
    return "UpsertWorkOrder";
}

/* Runs the script in batches of two until all is acknowledged; some assignments conflict, which is
 * an answer too. Returns how often RETRY was said. */
static int run_script(struct desk *desk)
{
    Callout__Principal admin = a_key("admin", "admin");
    int retries = 0;
    for (int i = 0; i < SCRIPT; i += 2) {
        struct engine_item items[2];
        for (bool done = false; !done;) {
            for (int k = 0; k < 2; k++) {
                char request_id[16];
                const ProtobufCMessage *body;
                const char *method = script_method(desk, i + k, &body);
                snprintf(request_id, sizeof request_id, "s-%d", i + k);
                items[k] = desk_item(desk, &admin, method, request_id, body);
            }
            engine_batch(desk->engine, items, 2, desk->now_us + i * US_PER_MINUTE);
            const Callout__Reply *a = desk_reply(desk, &items[0], true);
            const Callout__Reply *b = desk_reply(desk, &items[1], true);
            /* All or nothing: one RETRY in a batch is a RETRY for everybody in it. */
            assert_int_equal(a->status == CALLOUT__STATUS__RETRY,
                             b->status == CALLOUT__STATUS__RETRY);
            done = a->status != CALLOUT__STATUS__RETRY;
            retries += !done;
            if (!done) assert_int_equal(a->retry_after_ms, 100);
        }
    }
    return retries;
}

static void commits_that_fail_leave_the_digest_of_a_run_that_never_did(void **state)
{
    (void)state;
    struct desk well, ill;
    uint64_t well_rows, ill_rows;
    desk_open(&well, store_open_mem(), NULL);
    desk_furnish(&well);
    assert_int_equal(run_script(&well), 0);
    assert_int_equal(store_digest(well.store, &well_rows), ERR_OK);
    /* What is tried after a failure counts, too (F4): with every second no batch would ever do. */
    for (uint32_t every = 3; every <= 6; every++) {
        desk_open(&ill, store_open_mem(), NULL);
        desk_furnish(&ill);
        store_fail_commits(ill.store, every);
        assert_true(run_script(&ill) > 3);
        store_fail_commits(ill.store, 0);
        assert_int_equal(store_digest(ill.store, &ill_rows), ERR_OK);
        assert_true(ill_rows == well_rows);
        assert_true(desk_digest(&ill) == desk_digest(&well));
        assert_int_equal(desk_seq(&ill), desk_seq(&well));
        desk_close(&ill);
    }
    desk_close(&well);
}

/* --- garbage --- */

static void garbage_gets_an_answer_and_harms_nobody(void **state)
{
    (void)state;
    struct desk desk;
    uint8_t noise[] = {0xff, 0x03, 0x80, 0x80, 0x01, 0x7f};
    desk_open_furnished(&desk);
    Callout__Principal shop = a_key("shop", "integrator");
    struct engine_item items[4] = {
        {.bytes = noise, .size = sizeof noise},
        {.bytes = NULL, .size = 0, .oversize = true},
        desk_item(&desk, &shop, "UpsertWorkOrder", "a", &desk_order(&desk, "W7")->base),
        desk_item(&desk, NULL, "NoSuchThing", "b", NULL),
    };
    int64_t seq = desk_seq(&desk);
    engine_batch(desk.engine, items, 4, desk.now_us);
    assert_int_equal(desk_reply(&desk, &items[0], false)->status, CALLOUT__STATUS__INVALID);
    assert_int_equal(desk_reply(&desk, &items[1], false)->status, CALLOUT__STATUS__TOO_LARGE);
    assert_int_equal(desk_reply(&desk, &items[2], true)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_reply(&desk, &items[3], false)->status, CALLOUT__STATUS__INVALID);
    assert_int_equal(desk_seq(&desk), seq + 1);
    desk_close(&desk);
}

/* --- held, time, snapshots --- */

static void a_held_question_is_answered_by_the_next_event(void **state)
{
    (void)state;
    struct desk desk;
    ProtobufCBinaryData bytes;
    desk_open_furnished(&desk);
    Callout__NextProblemRequest request;
    callout__next_problem_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    request.have_revision = (uint64_t)desk_seq(&desk);
    request.hold_ms = 1000;
    struct engine_item item = desk_item(&desk, NULL, "NextProblem", "x", &request.base);
    engine_batch(desk.engine, &item, 1, desk.now_us);
    assert_int_equal(item.held, HELD_PROBLEM);
    assert_int_equal(item.hold_ms, 1000);
    assert_int_equal(
        engine_answer_held(desk.engine, item.bytes, item.size, false, desk.now_us, &bytes),
        ERR_BUSY);
    desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, "W3")->base);
    assert_int_equal(
        engine_answer_held(desk.engine, item.bytes, item.size, false, desk.now_us, &bytes), ERR_OK);
    item.reply = bytes;
    Callout__NextProblemReply *news =
        desk_body(&desk, desk_reply(&desk, &item, false), &callout__next_problem_reply__descriptor);
    assert_int_equal(news->base_revision, request.have_revision);
    assert_int_equal(news->revision, desk_seq(&desk));
    assert_int_equal(news->cause_seq, desk_seq(&desk));
    assert_int_equal(news->n_visits, 1);
    assert_string_equal(news->visits[0]->appointment_id, "W3.1");
    desk_close(&desk);
}

static void time_up_answers_a_held_question_with_nothing(void **state)
{
    (void)state;
    struct desk desk;
    ProtobufCBinaryData bytes;
    desk_open(&desk, store_open_mem(), NULL);
    Callout__NextProblemRequest request;
    callout__next_problem_request__init(&request);
    request.hold_ms = 1000;
    struct engine_item item = desk_item(&desk, NULL, "NextProblem", "x", &request.base);
    assert_int_equal(
        engine_answer_held(desk.engine, item.bytes, item.size, true, desk.now_us, &bytes), ERR_OK);
    item.reply = bytes;
    Callout__NextProblemReply *news =
        desk_body(&desk, desk_reply(&desk, &item, false), &callout__next_problem_reply__descriptor);
    assert_string_equal(news->territory_id, "");
    desk_close(&desk);
}

/* An order whose window moves to another day leaves this day's problem: the day is told anew. */
static void a_day_that_lost_a_visit_is_told_from_the_start(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__NextProblemRequest request;
    callout__next_problem_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    request.have_revision = (uint64_t)desk_seq(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W1");
    Callout__ArrivalWindow window;
    callout__arrival_window__init(&window);
    Callout__ArrivalWindow *windows[] = {&window};
    window.start_us = DESK_DAY_US + US_PER_DAY + 9 * HOUR_US;
    window.end_us = window.start_us + HOUR_US;
    order->work_order->windows = windows;
    order->work_order->n_windows = 1;
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    Callout__NextProblemReply *news =
        desk_body(&desk, desk_inner(&desk, "NextProblem", &request.base),
                  &callout__next_problem_reply__descriptor);
    assert_int_equal(news->base_revision, 0);
    assert_int_equal(news->n_visits, 1);
    assert_string_equal(news->visits[0]->appointment_id, "W2.1");
    desk_close(&desk);
}

static void the_day_begins_where_the_territory_is(void **state)
{
    (void)state;
    struct desk desk;
    struct core_territory territory;
    desk_open(&desk, store_open_mem(), NULL);
    desk_do(&desk, "UpsertTerritory", desk_territory(&desk, "Europe/Vaduz"));
    assert_true(engine_next_wake_us(desk.engine, desk.now_us) <= desk.now_us);
    assert_true(engine_tick(desk.engine, desk.now_us));
    assert_true(core_territory(engine_core(desk.engine), 0, &territory));
    assert_int_equal(territory.today, DESK_DAY);
    /* One hour before midnight in UTC, since it is winter. */
    int64_t wake_us = engine_next_wake_us(desk.engine, desk.now_us);
    assert_int_equal(wake_us, DESK_DAY_US + 23 * HOUR_US);
    assert_false(engine_tick(desk.engine, wake_us - 1));
    assert_true(engine_tick(desk.engine, wake_us));
    assert_true(core_territory(engine_core(desk.engine), 0, &territory));
    assert_int_equal(territory.today, DESK_DAY + 1);
    assert_false(engine_tick(desk.engine, wake_us));
    desk_close(&desk);
}

static Callout__Reply *advance(struct desk *desk, int64_t time_us)
{
    static uint32_t count;
    char id[24];
    Callout__Principal admin = a_key("admin", "admin");
    Callout__AdvanceClockRequest request;
    callout__advance_clock_request__init(&request);
    request.time_us = time_us;
    snprintf(id, sizeof id, "advance-%u", ++count);
    return desk_ask_as(desk, &admin, "AdvanceClock", id, &request.base);
}

static void what_is_due_on_the_way_happens_at_its_time(void **state)
{
    (void)state;
    struct desk desk;
    const char *technician;
    desk_open_furnished(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    const struct core *core = engine_core(desk.engine);
    assert_int_equal(advance(&desk, DESK_DAY_US + 8 * HOUR_US)->status, CALLOUT__STATUS__OK);
    assert_int_equal(core_appointment(core, "W1.1", &technician), APPOINTMENT_DISPATCHED);
    assert_true(core_time_us(core) < DESK_DAY_US + 8 * HOUR_US);
    assert_int_equal(advance(&desk, DESK_DAY_US + 9 * HOUR_US)->status, CALLOUT__STATUS__OK);
    assert_int_equal(core_appointment(core, "W1.1", &technician), APPOINTMENT_UNSCHEDULED);
    assert_int_equal(core_time_us(core), DESK_DAY_US + 8 * HOUR_US + 20 * US_PER_MINUTE);
    assert_int_equal(advance(&desk, DESK_DAY_US)->status, CALLOUT__STATUS__INVALID);
    desk_close(&desk);
}

static void nothing_is_lost_at_a_stop(void **state)
{
    (void)state;
    struct desk desk;
    uint64_t rows = 0;
    desk_open_furnished(&desk);
    assert_int_equal(run_script(&desk), 0);
    uint64_t digest = desk_digest(&desk);
    int64_t seq = desk_seq(&desk);
    desk_reopen(&desk, NULL);
    assert_true(desk_digest(&desk) == digest && desk_seq(&desk) == seq);
    assert_int_equal(store_row_count(desk.store, ROW_SNAPSHOT, &rows), ERR_OK);
    assert_int_equal(rows, 1);
    desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, "later")->base);
    digest = desk_digest(&desk);
    desk_reopen(&desk, NULL); /* a snapshot, and a fact behind it */
    assert_true(desk_digest(&desk) == digest && desk_seq(&desk) == seq + 1);
    desk_close(&desk);
}

static void a_damaged_snapshot_is_not_believed(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    uint64_t digest = desk_digest(&desk);
    int64_t seq = desk_seq(&desk);
    desk_reopen(&desk, NULL);
    union row row;
    assert_int_equal(store_get(desk.store, ROW_SNAPSHOT, &(struct row_snapshot){.seq = seq}, &row),
                     ERR_OK);
    struct row_snapshot snapshot = row.snapshot;
    uint8_t *body = arena_need(&desk.arena, snapshot.body.size);
    memcpy(body, snapshot.body.bytes, snapshot.body.size);
    snapshot.body.bytes = body;
    for (size_t at = 0; at < snapshot.body.size; at += 97) { /* somewhere, each time elsewhere */
        body[at] ^= 0x10;
        assert_int_equal(store_begin(desk.store), ERR_OK);
        assert_int_equal(store_put(desk.store, ROW_SNAPSHOT, &snapshot), ERR_OK);
        assert_int_equal(store_commit(desk.store), ERR_OK);
        struct desk again;
        desk_open(&again, desk.store, NULL);
        assert_true(desk_digest(&again) == digest && desk_seq(&again) == seq);
        engine_close(again.engine);
        arena_close(&again.arena);
        body[at] ^= 0x10;
    }
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_done_once_whatever_the_wire_does),
        cmocka_unit_test(two_in_one_batch_with_one_id_are_one),
        cmocka_unit_test(what_was_refused_may_be_mended_and_sent_again),
        cmocka_unit_test(commands_are_applied_once_and_in_order),
        cmocka_unit_test(a_rejected_command_does_not_block_those_behind_it),
        cmocka_unit_test(commits_that_fail_leave_the_digest_of_a_run_that_never_did),
        cmocka_unit_test(garbage_gets_an_answer_and_harms_nobody),
        cmocka_unit_test(a_held_question_is_answered_by_the_next_event),
        cmocka_unit_test(time_up_answers_a_held_question_with_nothing),
        cmocka_unit_test(a_day_that_lost_a_visit_is_told_from_the_start),
        cmocka_unit_test(the_day_begins_where_the_territory_is),
        cmocka_unit_test(what_is_due_on_the_way_happens_at_its_time),
        cmocka_unit_test(nothing_is_lost_at_a_stop),
        cmocka_unit_test(a_damaged_snapshot_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
