/* A device and a key against a gateway that loses replies, forgets, refuses and resets, over the
 * real listener. What must hold: each saved command has its effect exactly once and in order, and
 * the replica ends up as the server has it. */
#include "gateway/client/api.h"
#include "stage.h"

/* --- the tests
 * ------------------------------------------------------------------------------------- */

static void enrols_pushes_and_follows(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    save(stage, 450); /* more than two batches, saved before there is a session */
    live_until(stage, all_acknowledged);
    assert_applied_once(stage, 450);
    assert_int_equal(stage->results, 450);
    assert_int_equal(stage->duplicates, 0);
    assert_string_equal(client_technician_id(stage->client), "T1");
    live_until(stage, is_live_with_visits);
    assert_true(client_domain_us(stage->client) > 1000 * US_PER_SECOND);
}

static bool knows_version_2(struct stage *stage)
{
    const struct replica_visit *visit = client_appointment(stage->client, "A2");
    return visit != NULL && visit->planned_start_us == 2 * US_PER_MINUTE;
}

static void a_held_poll_brings_the_change(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    change_plan(stage);
    live_until(stage, knows_version_2);
    assert_int_equal(stage->snapshots_told, 1);
}

static void a_reply_lost_after_the_commit_has_one_effect(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    misbehave(stage, SWALLOW_AFTER, "Push", CALLOUT__STATUS__OK);
    save(stage, 10);
    live_until(stage, all_acknowledged);
    assert_applied_once(stage, 10);
    assert_int_equal(stage->results, 10);
    assert_true(stage->duplicates > 0);
}

static void a_request_lost_before_the_server_is_sent_again(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    misbehave(stage, SWALLOW_BEFORE, "Push", CALLOUT__STATUS__OK);
    save(stage, 10);
    live_until(stage, all_acknowledged);
    assert_applied_once(stage, 10);
    assert_int_equal(stage->duplicates, 0);
}

static void a_server_from_a_backup_is_told_again(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    save(stage, 20);
    live_until(stage, all_acknowledged);
    pthread_mutex_lock(&stage->gateway.lock);
    stage->gateway.last_seq = 5;
    memset(&stage->gateway.applied[6], 0, sizeof stage->gateway.applied - 6 * sizeof(uint32_t));
    pthread_mutex_unlock(&stage->gateway.lock);
    save(stage, 1); /* answered with GAP */
    live_until(stage, all_acknowledged);
    assert_applied_once(stage, 21);
}

static bool server_has_20(struct stage *stage)
{
    pthread_mutex_lock(&stage->gateway.lock);
    bool has = stage->gateway.last_seq == 20;
    pthread_mutex_unlock(&stage->gateway.lock);
    return has;
}

/* Nothing new to say, and the session is still good: the log's epoch alone tells. */
static void a_restored_server_is_told_again_unasked(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    save(stage, 20);
    live_until(stage, all_acknowledged);
    pthread_mutex_lock(&stage->gateway.lock);
    stage->gateway.last_seq = 5;
    stage->gateway.log_epoch = 2;
    memset(&stage->gateway.applied[6], 0, sizeof stage->gateway.applied - 6 * sizeof(uint32_t));
    pthread_mutex_unlock(&stage->gateway.lock);
    change_plan(stage); /* the held poll is answered */
    live_until(stage, server_has_20);
    assert_applied_once(stage, 20);
    assert_int_equal(stage->gateway.hellos, 2);
}

static bool was_told_two_snapshots(struct stage *stage)
{
    return stage->snapshots_told == 2;
}

static void a_void_cursor_leads_to_a_snapshot(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    misbehave(stage, ANSWER_STATUS, "Pull", CALLOUT__STATUS__RESET);
    change_plan(stage); /* the held poll is answered; the next one is refused */
    live_until(stage, was_told_two_snapshots);
    assert_int_equal(stage->gateway.snapshots, 4); /* of two pages each */
}

static void an_ended_session_leads_to_hello(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    misbehave(stage, ANSWER_STATUS, "Push", CALLOUT__STATUS__UNAUTH);
    save(stage, 3);
    live_until(stage, all_acknowledged);
    assert_applied_once(stage, 3);
    assert_int_equal(stage->gateway.hellos, 2);
}

static void what_was_not_stored_is_sent_again(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    misbehave(stage, ANSWER_STATUS, "Push", CALLOUT__STATUS__RETRY);
    save(stage, 3);
    live_until(stage, all_acknowledged);
    assert_applied_once(stage, 3);
    assert_int_equal(stage->gateway.hellos, 1);
}

static bool command_stands(struct stage *stage, uint64_t seq)
{
    const char *why;
    const uint8_t *packed;
    size_t size;
    if (client_refused(stage->client, seq, &why, &packed, &size) != ERR_OK) return false;
    assert_string_equal(why, "commands: nobody can read this");
    Callout__Command *command = callout__command__unpack(NULL, size, packed);
    assert_non_null(command);
    assert_int_equal(command->body_case, CALLOUT__COMMAND__BODY_HEARTBEAT);
    assert_int_equal(command->seq, seq);
    callout__command__free_unpacked(command, NULL);
    return true;
}

/* It holds up nothing behind it, and what was saved under its number is still there, also after a
 * restart: only the server cannot read it. */
static void a_command_that_nobody_can_read_makes_way(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    stage->gateway.unreadable = 4;
    save(stage, 10);
    live_until(stage, all_acknowledged);
    assert_applied_once(stage, 10);
    assert_int_equal(client_counters(stage->client)->rejected, 1);
    client_close(stage->client);
    stage->client = NULL;
    device_open(stage, NULL);
    for (uint64_t seq = 1; seq <= 10; seq++)
        assert_int_equal(command_stands(stage, seq), seq == 4);
    save(stage, 1);
    live_until(stage, all_acknowledged);
    assert_applied_once(stage, 11);
}

static bool has_no_visits(struct stage *stage)
{
    size_t count;
    (void)!client_appointments(stage->client, &count);
    return count == 0;
}

/* Nothing is left of it but what the server got: no visit, no command, no key. */
static void a_revoked_device_hands_over_and_erases(void **state)
{
    struct stage *stage = *state;
    static const char *const files[] = {"device.db", "identity"};
    char path[600];
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    stage->gateway.ended = true;
    misbehave(stage, ANSWER_STATUS, "Push", CALLOUT__STATUS__GONE);
    save(stage, 3);
    live_until(stage, has_no_visits);
    live_until(stage, is_stopped);
    assert_int_equal(client_state(stage->client), CLIENT_STOPPED);
    assert_applied_once(stage, 3);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", stage->device, files[i]);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    Callout__Command command;
    Callout__Heartbeat heartbeat;
    struct problem problem;
    uint64_t seq;
    callout__command__init(&command);
    callout__heartbeat__init(&heartbeat);
    command.body_case = CALLOUT__COMMAND__BODY_HEARTBEAT;
    command.heartbeat = &heartbeat;
    assert_int_equal(client_save(stage->client, &command, &seq, &problem), ERR_GONE);
}

static void a_wrong_token_stops(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "GUESS");
    live_until(stage, is_stopped);
    assert_int_equal(stage->gateway.hellos, 0);
}

static void a_restarted_device_goes_on(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    struct problem problem;
    assert_int_equal(client_set_online(stage->client, false, &problem), ERR_OK);
    save(stage, 7);
    client_close(stage->client);
    stage->client = NULL;
    device_open(stage, NULL);
    assert_int_equal(client_unsent(stage->client), 7);
    size_t count;
    client_appointments(stage->client, &count);
    assert_int_equal(count, VISITS); /* before a word from the server */
    live_until(stage, all_acknowledged);
    save(stage, 1);
    live_until(stage, all_acknowledged);
    assert_applied_once(stage, 8);
    assert_int_equal(stage->gateway.enrolments, 1);
    assert_int_equal(stage->gateway.snapshots, 2);
}

static void an_earlier_versions_folder_is_refused_by_name(void **state)
{
    struct stage *stage = *state;
    char path[160];
    assert_int_equal(mkdir(stage->device, 0700), 0);
    snprintf(path, sizeof path, "%s/outbox", stage->device);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fclose(file) == 0);
    struct client_options options = {
        .url = stage->gateway.url, .folder = stage->device, .enrol_token = "TOKEN"};
    struct problem problem;
    assert_int_equal(client_open(&stage->client, stage->loop, &options, &problem), ERR_VERSION);
    assert_string_equal(problem.field, path);
}

/* What of the server's word was damaged is asked for again; the device's own word is whole. */
static void a_damaged_replica_is_fetched_again(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    client_close(stage->client);
    struct device_file *file;
    sqlite3_stmt *statement;
    assert_int_equal(device_file_open(&file, stage->device, true, NULL), ERR_OK);
    assert_int_equal(device_file_prepare(file, &statement,
                                         "DELETE FROM visit WHERE appointment_id = 'A1'", NULL),
                     ERR_OK);
    assert_int_equal(device_file_run(file, statement, NULL), ERR_OK);
    sqlite3_finalize(statement);
    device_file_close(file);
    device_open(stage, NULL);
    size_t count;
    client_appointments(stage->client, &count);
    assert_int_equal(count, 0);
    live_until(stage, is_live_with_visits);
    assert_int_equal(stage->gateway.snapshots, 4); /* of two pages each */
}

static void no_signal_for_a_while(void **state)
{
    struct stage *stage = *state;
    struct problem problem;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    assert_int_equal(client_set_online(stage->client, false, &problem), ERR_OK);
    save(stage, 5);
    change_plan(stage);
    client_loop_run(stage->loop, clock_mono_us() + 50000);
    assert_int_equal(client_unsent(stage->client), 5);
    assert_int_equal(client_set_online(stage->client, true, &problem), ERR_OK);
    live_until(stage, all_acknowledged);
    live_until(stage, knows_version_2);
    assert_applied_once(stage, 5);
}

/* Each outage is short, so the device is back soon; a wait that grows with every try would be at
 * its maximum of 30 s by then. */
static void short_outages_are_over_when_the_server_is_back(void **state)
{
    struct stage *stage = *state;
    device_open(stage, "TOKEN");
    live_until(stage, is_live_with_visits);
    for (int i = 1; i <= OUTAGES; i++) {
        event_active(stage->gateway.down, 0, 0);
        client_loop_run(stage->loop, clock_mono_us() + OUTAGE_MS * INT64_C(1000));
        save(stage, 1);
        event_active(stage->gateway.up, 0, 0);
        int64_t limit_us = clock_mono_us() + SOON_MS * INT64_C(1000);
        live_until(stage, all_acknowledged);
        assert_true(clock_mono_us() < limit_us);
    }
    assert_applied_once(stage, OUTAGES);
}

static void a_key_repeats_under_the_same_request_id(void **state)
{
    struct stage *stage = *state;
    struct api *api;
    struct api_options options = {.url = stage->gateway.url, .key = "KEY"};
    assert_int_equal(api_open(&api, stage->loop, &options, NULL), ERR_OK);
    Callout__CancelWorkOrderRequest request;
    callout__cancel_work_order_request__init(&request);
    struct arena arena;
    arena_open(&arena, 1 << 20);
    const ProtobufCMessage *reply;
    struct problem problem;
    misbehave(stage, ANSWER_STATUS, "CancelWorkOrder", CALLOUT__STATUS__RETRY);
    assert_int_equal(
        api_call(api, "CancelWorkOrder", &request.base, NULL, WAIT_MS, &arena, &reply, &problem),
        ERR_OK);
    assert_int_equal(((const Callout__MutationReply *)reply)->log_seq, 5);
    misbehave(stage, SWALLOW_AFTER, "CancelWorkOrder", CALLOUT__STATUS__OK);
    assert_int_equal(
        api_call(api, "CancelWorkOrder", &request.base, "r-1", WAIT_MS, &arena, &reply, &problem),
        ERR_OK);
    assert_string_equal(stage->gateway.last_request_id, "r-1");
    assert_int_equal(stage->gateway.mutations, 2);
    misbehave(stage, ANSWER_STATUS, "CancelWorkOrder", CALLOUT__STATUS__NOT_FOUND);
    assert_int_equal(
        api_call(api, "CancelWorkOrder", &request.base, NULL, WAIT_MS, &arena, &reply, &problem),
        ERR_NOT_FOUND);
    arena_close(&arena);
    api_close(api);
}

static void nobody_there_is_said_in_time(void **state)
{
    struct stage *stage = *state;
    struct api *api;
    struct api_options options = {.url = "ipc:///tmp/callout-nobody", .key = "KEY"};
    assert_int_equal(api_open(&api, stage->loop, &options, NULL), ERR_OK);
    Callout__BoardRequest request;
    callout__board_request__init(&request);
    struct arena arena;
    arena_open(&arena, 1 << 20);
    const ProtobufCMessage *reply;
    struct problem problem;
    assert_int_equal(api_call(api, "Board", &request.base, NULL, 100, &arena, &reply, &problem),
                     ERR_IO);
    assert_non_null(strstr(problem.text, "cannot be reached"));
    arena_close(&arena);
    api_close(api);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)
    const struct CMUnitTest tests[] = {
        CASE(enrols_pushes_and_follows),
        CASE(a_held_poll_brings_the_change),
        CASE(a_reply_lost_after_the_commit_has_one_effect),
        CASE(a_request_lost_before_the_server_is_sent_again),
        CASE(a_server_from_a_backup_is_told_again),
        CASE(a_restored_server_is_told_again_unasked),
        CASE(a_void_cursor_leads_to_a_snapshot),
        CASE(an_ended_session_leads_to_hello),
        CASE(what_was_not_stored_is_sent_again),
        CASE(a_command_that_nobody_can_read_makes_way),
        CASE(a_revoked_device_hands_over_and_erases),
        CASE(a_wrong_token_stops),
        CASE(a_restarted_device_goes_on),
        CASE(an_earlier_versions_folder_is_refused_by_name),
        CASE(a_damaged_replica_is_fetched_again),
        CASE(no_signal_for_a_while),
        CASE(short_outages_are_over_when_the_server_is_back),
        CASE(a_key_repeats_under_the_same_request_id),
        CASE(nobody_there_is_said_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
