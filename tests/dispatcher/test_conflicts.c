/* What devices say and the plan knew otherwise, or could not be applied: people see all of it. */
#include "desk.h"

static void *ask(struct desk *desk, const char *method, const ProtobufCMessage *body,
                 const ProtobufCMessageDescriptor *type)
{
    return desk_body(desk, desk_do(desk, method, body), type);
}

static Callout__ConflictsReply *conflicts(struct desk *desk, const char *territory_id,
                                          bool resolved_too)
{
    Callout__ConflictsRequest request;
    callout__conflicts_request__init(&request);
    request.territory_id = words(territory_id);
    request.resolved_too = resolved_too;
    return ask(desk, "Conflicts", &request.base, &callout__conflicts_reply__descriptor);
}

static Callout__Reply *resolve(struct desk *desk, const char *request_id, uint64_t seq)
{
    Callout__ResolveConflictRequest request;
    Callout__Principal who = a_key("mia", "dispatcher");
    callout__resolve_conflict_request__init(&request);
    request.seq = seq;
    request.note = words("told both");
    return desk_ask_as(desk, &who, "ResolveConflict", request_id, &request.base);
}

static Callout__DeadLettersReply *letters(struct desk *desk, bool dismissed_too)
{
    Callout__DeadLettersRequest request;
    callout__dead_letters_request__init(&request);
    request.dismissed_too = dismissed_too;
    return ask(desk, "DeadLetters", &request.base, &callout__dead_letters_reply__descriptor);
}

static struct desk_device at_work(struct desk *desk)
{
    desk_open(desk, store_open_mem(), NULL);
    desk_furnish(desk);
    desk->now_us = DESK_DAY_US + 9 * HOUR_US;
    desk_do(desk, "Assign", &desk_assign(desk, "W1.1", "T1")->base);
    return desk_device(desk, "T1");
}

/* W1 goes to T2, who begins it; T1 has not heard of it and begins too. */
static uint64_t two_begin(struct desk *desk, struct desk_device *first)
{
    desk_do(desk, "Assign", &desk_assign(desk, "W1.1", "T2")->base);
    struct desk_device second = desk_device(desk, "T2");
    desk_push_one(desk, &second,
                  desk_status(desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    Callout__CommandResult *result = desk_push_one(
        desk, first, desk_status(desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__CONFLICT_RECORDED);
    return result->log_seq;
}

static void a_conflict_is_seen_and_resolved_once(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    uint64_t seq = two_begin(&desk, &device);
    Callout__ConflictsReply *open = conflicts(&desk, "north", false);
    assert_int_equal(open->n_conflicts, 1);
    const Callout__Conflict *it = open->conflicts[0];
    assert_int_equal(it->seq, seq);
    assert_int_equal(it->kind, CALLOUT__CONFLICT_KIND__BEGUN_BY_TWO);
    assert_string_equal(it->appointment_id, "W1.1");
    assert_string_equal(it->technician_id, "T1");
    assert_string_equal(it->other_technician_id, "T2");
    assert_int_equal(it->status, CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
    assert_int_equal(it->other_seq, seq - 1);
    assert_int_equal(conflicts(&desk, "south", false)->n_conflicts, 0);
    assert_int_equal(resolve(&desk, "r0", seq - 1)->status, CALLOUT__STATUS__NOT_FOUND);
    Callout__Reply *reply = resolve(&desk, "r1", seq);
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    assert_int_equal(resolve(&desk, "r1", seq)->status, CALLOUT__STATUS__OK); /* the same again */
    reply = resolve(&desk, "r2", seq);
    assert_int_equal(reply->status, CALLOUT__STATUS__CONFLICT);
    assert_string_equal(reply->text, "\"mia\" has resolved it");
    assert_int_equal(conflicts(&desk, "", false)->n_conflicts, 0);
    it = conflicts(&desk, "", true)->conflicts[0];
    assert_true(it->resolved);
    assert_string_equal(it->note, "told both");
    assert_string_equal(it->resolved_by, "mia");
    /* All of it comes back from the log. */
    uint64_t digest = desk_digest(&desk);
    engine_abandon(desk.engine);
    const struct engine_options options = {.clock_by_hand = true};
    assert_int_equal(engine_open(&desk.engine, desk.store, &options, NULL), ERR_OK);
    assert_true(desk_digest(&desk) == digest);
    desk_close(&desk);
}

static void the_feed_names_conflicts(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    uint64_t seq = two_begin(&desk, &device);
    assert_int_equal(resolve(&desk, "r1", seq)->status, CALLOUT__STATUS__OK);
    Callout__EventFeedRequest request;
    callout__event_feed_request__init(&request);
    request.after_seq = seq - 2;
    Callout__EventFeedReply *feed =
        ask(&desk, "EventFeed", &request.base, &callout__event_feed_reply__descriptor);
    assert_int_equal(feed->n_events, 3);
    assert_int_equal(feed->events[0]->conflict, CALLOUT__CONFLICT_KIND__CONFLICT_KIND_UNSPECIFIED);
    assert_int_equal(feed->events[1]->conflict, CALLOUT__CONFLICT_KIND__BEGUN_BY_TWO);
    assert_string_equal(feed->events[2]->kind, "resolve");
    assert_false(feed->events[2]->is_event); /* the optimizer has nothing to do */
    desk_close(&desk);
}

static void pages_of_conflicts_miss_none(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    enum { MANY = 450 };
    /* Two kinds in turn: each opens one of its own. */
    for (uint64_t i = 0; i < MANY; i++) {
        Callout__Command *command =
            desk_status(&desk, i + 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__NO_ACCESS);
        command->status->reason = words("nobody there");
        if (i == 0) command->status->status = CALLOUT__APPOINTMENT_STATUS__COMPLETED;
        if (i % 2 == 1) {
            DESK_NEW(&desk, Callout__Decline, decline);
            callout__decline__init(decline);
            decline->appointment_id = words("W1.1");
            command->body_case = CALLOUT__COMMAND__BODY_DECLINE;
            command->decline = decline;
        }
        Callout__CommandResult *result = desk_push_one(&desk, &device, command);
        assert_int_equal(result->outcome == CALLOUT__OUTCOME__CONFLICT_RECORDED, i > 0);
    }
    Callout__ConflictsRequest request;
    callout__conflicts_request__init(&request);
    uint64_t last = 0, count = 0;
    do {
        Callout__ConflictsReply *page =
            ask(&desk, "Conflicts", &request.base, &callout__conflicts_reply__descriptor);
        for (size_t i = 0; i < page->n_conflicts; i++, count++) {
            assert_true(page->conflicts[i]->seq > last);
            last = page->conflicts[i]->seq;
        }
        request.page_token = page->next_page_token;
    } while (request.page_token[0] != '\0');
    assert_int_equal(count, MANY - 1);
    desk_close(&desk);
}

/* --- dead letters --- */

static void what_was_rejected_is_kept_for_people(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    Callout__Command *never = desk_status(&desk, 1, "W9.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED);
    for (int i = 0; i < 2; i++)
        assert_int_equal(desk_push_one(&desk, &device, never)->outcome, CALLOUT__OUTCOME__REJECTED);
    Callout__DeadLettersReply *reply = letters(&desk, false);
    assert_int_equal(reply->n_letters, 1);
    const Callout__DeadLetter *it = reply->letters[0];
    assert_string_equal(it->device_id, device.who.id);
    assert_string_equal(it->technician_id, "T1");
    assert_string_equal(it->territory_id, "north");
    assert_string_equal(it->field, "appointment_id");
    assert_string_equal(it->problem, "there is no appointment \"W9.1\"");
    assert_string_equal(it->command->status->appointment_id, "W9.1");
    assert_int_equal(it->times, 1); /* a repetition got its stored result */
    Callout__DismissDeadLetterRequest dismiss;
    callout__dismiss_dead_letter_request__init(&dismiss);
    dismiss.device_id = it->device_id;
    dismiss.epoch = it->epoch;
    dismiss.seq = it->seq;
    Callout__Principal mia = a_key("mia", "dispatcher");
    assert_int_equal(desk_ask_as(&desk, &mia, "DismissDeadLetter", "d", &dismiss.base)->status,
                     CALLOUT__STATUS__NOT_FOUND);
    dismiss.outcome = it->outcome;
    for (int i = 0; i < 2; i++)
        assert_int_equal(desk_ask_as(&desk, &mia, "DismissDeadLetter", "d", &dismiss.base)->status,
                         CALLOUT__STATUS__OK);
    assert_int_equal(letters(&desk, false)->n_letters, 0);
    reply = letters(&desk, true);
    assert_string_equal(reply->letters[0]->dismissed_by, "mia");
    assert_non_null(reply->letters[0]->command);
    desk_close(&desk);
}

static uint64_t letters_kept(struct desk *desk)
{
    uint64_t count = 0;
    assert_int_equal(store_row_count(desk->store, ROW_DEAD_LETTER, &count), ERR_OK);
    return count;
}

/* As if all but `left` of its letters were there. */
static void fill_letters(struct desk *desk, const char *device_id, int64_t left)
{
    union row row;
    const struct row_device key = {.device_id = device_id};
    assert_int_equal(store_begin(desk->store), ERR_OK);
    assert_int_equal(store_get(desk->store, ROW_DEVICE, &key, &row), ERR_OK);
    row.device.letters = LIMIT_DEAD_LETTERS - left;
    assert_int_equal(store_put(desk->store, ROW_DEVICE, &row.device), ERR_OK);
    assert_int_equal(store_commit(desk->store), ERR_OK);
}

/* Whoever has a device's key could fill the disk with what is refused, ended or not. */
static void letters_of_a_device_have_an_end(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    Callout__Command *wrong[4];
    for (uint64_t i = 0; i < 4; i++)
        wrong[i] = desk_status(&desk, i + 1, "W9.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED);
    fill_letters(&desk, device.who.id, 2);
    const ProtobufCMessage *push = desk_push(&desk, wrong, 4);
    Callout__PushReply *reply = desk_body(&desk, desk_ask_as(&desk, &device.who, "Push", "", push),
                                          &callout__push_reply__descriptor);
    assert_int_equal(reply->last_seq, 4); /* it goes on, and each has its answer */
    assert_int_equal(reply->results[3]->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_int_equal(letters_kept(&desk), 2);
    desk_close(&desk);
}

static void a_device_that_was_ended_hands_over_so_much_and_no_more(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    Callout__Command *late[5];
    for (uint64_t i = 0; i < 5; i++)
        late[i] = desk_status(&desk, i + 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
    desk_admin(&desk, "revoke", device.who.id);
    fill_letters(&desk, device.who.id, 2);
    const ProtobufCMessage *push = desk_push(&desk, late, 4);
    Callout__PushReply *reply = desk_body(&desk, desk_ask_as(&desk, &device.who, "Push", "", push),
                                          &callout__push_reply__descriptor);
    assert_int_equal(reply->last_seq, 2);
    push = desk_push(&desk, late, 2); /* these are there, and it is told so */
    reply = desk_body(&desk, desk_ask_as(&desk, &device.who, "Push", "", push),
                      &callout__push_reply__descriptor);
    assert_int_equal(reply->n_results, 2);
    push = desk_push(&desk, late + 2, 3);
    assert_int_equal(desk_ask_as(&desk, &device.who, "Push", "", push)->status,
                     CALLOUT__STATUS__GONE);
    assert_int_equal(letters_kept(&desk), 2);
    desk_close(&desk);
}

static void a_used_number_flags_its_device(void **state)
{
    (void)state;
    struct desk desk;
    union row row;
    struct desk_device device = at_work(&desk);
    desk_push_one(&desk, &device,
                  desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED));
    int64_t seq = desk_seq(&desk);
    for (int i = 0; i < 3; i++) {
        Callout__CommandResult *result = desk_push_one(
            &desk, &device, desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
        assert_int_equal(result->outcome, CALLOUT__OUTCOME__PAYLOAD_MISMATCH);
    }
    assert_int_equal(desk_seq(&desk), seq);
    Callout__DeadLettersReply *reply = letters(&desk, false);
    assert_int_equal(reply->n_letters, 1); /* however often it comes */
    assert_int_equal(reply->letters[0]->outcome, CALLOUT__OUTCOME__PAYLOAD_MISMATCH);
    assert_int_equal(reply->letters[0]->times, 3);
    assert_int_equal(reply->letters[0]->command->status->status,
                     CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
    assert_int_equal(
        store_get(desk.store, ROW_DEVICE, &(struct row_device){.device_id = device.who.id}, &row),
        ERR_OK);
    assert_int_equal(row.device.mismatches, 3);
    assert_int_equal(row.device.last_seq, 1);
    Callout__KpisRequest request;
    callout__kpis_request__init(&request);
    Callout__KpisReply *figures =
        ask(&desk, "Kpis", &request.base, &callout__kpis_reply__descriptor);
    assert_int_equal(figures->counts->payload_mismatches, 3);
    desk_close(&desk);
}

static void positions_are_never_a_dead_letters_payload(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    Callout__Command command;
    Callout__PositionBatch batch;
    Callout__Fix fix, *fixes[] = {&fix};
    callout__command__init(&command);
    callout__position_batch__init(&batch);
    callout__fix__init(&fix);
    fix.point = desk_point(&desk, 910000000, 95000000); /* outside the earth */
    batch.fixes = fixes;
    batch.n_fixes = 1;
    command.seq = 1;
    command.body_case = CALLOUT__COMMAND__BODY_POSITIONS;
    command.positions = &batch;
    assert_int_equal(desk_push_one(&desk, &device, &command)->outcome, CALLOUT__OUTCOME__REJECTED);
    Callout__DeadLettersReply *reply = letters(&desk, false);
    assert_int_equal(reply->n_letters, 1);
    assert_null(reply->letters[0]->command);
    desk_close(&desk);
}

/* --- three times --- */

static struct row_check_in last_check_in;

static bool keep_check_in(void *context, const void *row)
{
    (void)context;
    last_check_in = *(const struct row_check_in *)row;
    return true;
}

static void a_check_in_keeps_three_times(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    const int64_t behind_us = 2 * HOUR_US, ago_us = 7 * US_PER_MINUTE;
    Callout__Command *command =
        desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED);
    command->device_time_us = desk.now_us - behind_us - ago_us;
    Callout__PushRequest *push = (Callout__PushRequest *)(uintptr_t)desk_push(&desk, &command, 1);
    push->device_time_us = desk.now_us - behind_us;
    desk_ask_as(&desk, &device.who, "Push", "", &push->base);
    assert_int_equal(store_each(desk.store, ROW_CHECK_IN, NULL, 0, false, keep_check_in, NULL),
                     ERR_OK);
    assert_int_equal(last_check_in.device_time_us, command->device_time_us);
    assert_int_equal(last_check_in.happened_us, desk.now_us - ago_us);
    assert_int_equal(last_check_in.received_us, desk.now_us);
    assert_int_equal(last_check_in.time_flags, TIME_UNCERTAIN);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conflict_is_seen_and_resolved_once),
        cmocka_unit_test(the_feed_names_conflicts),
        cmocka_unit_test(pages_of_conflicts_miss_none),
        cmocka_unit_test(what_was_rejected_is_kept_for_people),
        cmocka_unit_test(letters_of_a_device_have_an_end),
        cmocka_unit_test(a_device_that_was_ended_hands_over_so_much_and_no_more),
        cmocka_unit_test(a_used_number_flags_its_device),
        cmocka_unit_test(positions_are_never_a_dead_letters_payload),
        cmocka_unit_test(a_check_in_keeps_three_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
