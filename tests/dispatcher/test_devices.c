/* Who may ask what from a device: enrolment, keys, signatures, sessions, and their ends. */
#include "desk.h"
#include "dispatcher/authz.h"

#include <stdlib.h>

/* --- who may ask what --- */

/* Another one's appointment and one that does not exist are answered alike. */
static void what_is_not_his_does_not_exist_for_a_technician(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device two = desk_device(&desk, "T2");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    uint64_t digest = desk_digest(&desk);
    Callout__CommandResult *his = desk_push_one(
        &desk, &two, desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    Callout__CommandResult *none = desk_push_one(
        &desk, &two, desk_status(&desk, 2, "W9.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    assert_int_equal(his->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_int_equal(none->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_string_equal(his->text, none->text);
    assert_string_equal(his->errors[0]->field, none->errors[0]->field);
    assert_true(desk_digest(&desk) == digest);
    desk_close(&desk);
}

static void an_enrolment_token_is_for_one_device_and_few_tries(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    const char *token = desk_admin(&desk, "enrol", "T1");
    struct phone_key *key = desk_key(&desk);
    assert_int_equal(desk_enroll_by(&desk, key, token)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_enroll_by(&desk, key, token)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_enroll(&desk, token)->status, CALLOUT__STATUS__UNAUTH);
    assert_int_equal(desk_enroll(&desk, "guess")->status, CALLOUT__STATUS__UNAUTH);
    /* Five wrong signatures, and it is worth nothing. */
    Callout__EnrollRequest request;
    phone_key_enroll(key, desk_admin(&desk, "enrol", "T2"), &request);
    key->signature[5] ^= 1;
    for (int i = 0; i < 5; i++)
        assert_int_equal(desk_ask_as(&desk, nobody_yet(), "Enroll", "", &request.base)->status,
                         CALLOUT__STATUS__INVALID);
    assert_int_equal(desk_enroll(&desk, request.enrol_token)->status, CALLOUT__STATUS__UNAUTH);
    /* Without any signature it is not better. */
    phone_key_enroll(key, desk_admin(&desk, "enrol", "T2"), &request);
    request.signature.len = 0;
    assert_int_equal(desk_ask_as(&desk, nobody_yet(), "Enroll", "", &request.base)->status,
                     CALLOUT__STATUS__INVALID);
    desk_close(&desk);
}

/* A key belongs to one device; only whose enrolment's reply was lost is told again. */
static bool note_token(void *context, const void *visited)
{
    struct row_enrol_token *token = context;
    const struct row_enrol_token *row = visited;
    *token = *row;
    token->token_hash = strdup(row->token_hash);
    token->technician_id = strdup(row->technician_id);
    token->device_id = "";
    return false;
}

static void an_enrolment_token_is_good_for_a_quarter_of_an_hour(void **state)
{
    (void)state;
    struct desk desk;
    struct row_enrol_token row = {.token_hash = NULL};
    desk_open_furnished(&desk);
    const char *token = desk_admin(&desk, "enrol", "T1");
    assert_int_equal(store_each(desk.store, ROW_ENROL_TOKEN, NULL, 0, false, note_token, &row),
                     ERR_OK);
    assert_in_range(row.expires_wall_us, clock_wall_us() + 14 * US_PER_MINUTE,
                    clock_wall_us() + 15 * US_PER_MINUTE);
    row.expires_wall_us = clock_wall_us() - 1;
    assert_int_equal(store_begin(desk.store), ERR_OK);
    assert_int_equal(store_put(desk.store, ROW_ENROL_TOKEN, &row), ERR_OK);
    assert_int_equal(store_commit(desk.store), ERR_OK);
    assert_int_equal(desk_enroll(&desk, token)->status, CALLOUT__STATUS__UNAUTH);
    free((char *)(uintptr_t)row.token_hash);
    free((char *)(uintptr_t)row.technician_id);
    desk_close(&desk);
}

static void a_key_is_enrolled_once(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    assert_int_equal(desk_enroll_by(&desk, device.key, desk_admin(&desk, "enrol", "T1"))->status,
                     CALLOUT__STATUS__CONFLICT);
    assert_int_equal(desk_enroll_by(&desk, device.key, desk_admin(&desk, "enrol", "T2"))->status,
                     CALLOUT__STATUS__CONFLICT);
    struct phone_key *key = desk_key(&desk);
    Callout__EnrollReply *first =
        desk_body(&desk, desk_enroll_by(&desk, key, desk_admin(&desk, "enrol", "T2")),
                  &callout__enroll_reply__descriptor);
    Callout__EnrollReply *again =
        desk_body(&desk, desk_enroll_by(&desk, key, desk_admin(&desk, "enrol", "T2")),
                  &callout__enroll_reply__descriptor);
    assert_string_equal(first->device_id, again->device_id);
    assert_int_equal(again->epoch, 1);
    desk_close(&desk);
}

static void a_hello_is_for_once(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    const Callout__Principal *nobody = nobody_yet();
    /* The one that was good is not good again. */
    assert_int_equal(desk_ask_as(&desk, nobody, "Hello", "", &device.hello.base)->status,
                     CALLOUT__STATUS__UNAUTH);
    assert_int_equal(desk_hello(&desk, &device)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_ask_as(&desk, nobody, "Hello", "", &device.hello.base)->status,
                     CALLOUT__STATUS__UNAUTH);
    /* Whatever is signed counts: a bit of each, and it is another Hello. */
    uint8_t *bits[] = {device.hello.nonce.data, NULL, device.hello.signature.data};
    for (size_t i = 0; i < 4; i++) {
        device.hello.nonce.len = device.hello.signature.len = 0;
        Callout__HelloReply *challenge =
            desk_body(&desk, desk_ask_as(&desk, nobody, "Hello", "", &device.hello.base),
                      &callout__hello_reply__descriptor);
        if (i == 3) challenge->server_name = words("another");
        phone_key_hello(device.key, challenge, &device.hello);
        bits[0] = device.hello.nonce.data;
        bits[2] = device.hello.signature.data;
        if (i == 1) device.hello.device_time_us++;
        if (i == 0 || i == 2) bits[i][20] ^= 1;
        assert_int_equal(desk_ask_as(&desk, nobody, "Hello", "", &device.hello.base)->status,
                         CALLOUT__STATUS__UNAUTH);
    }
    /* Who has no device gets a nonce all the same, and nothing for it. */
    struct desk_device nowhere = device;
    nowhere.hello.device_id = words("nowhere");
    assert_int_equal(desk_hello(&desk, &nowhere)->status, CALLOUT__STATUS__UNAUTH);
    assert_int_equal(desk_hello(&desk, &device)->status, CALLOUT__STATUS__OK);
    desk_close(&desk);
}

/* Both the one before and the one after the hour are told the truth. */
static void another_device_takes_the_place_of_the_first(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    struct desk_device first = desk_device(&desk, "T1");
    struct desk_device second = desk_device(&desk, "T1");
    assert_int_equal(second.who.epoch, first.who.epoch + 1);
    Callout__SnapshotRequest snapshot;
    callout__snapshot_request__init(&snapshot);
    assert_int_equal(desk_ask_as(&desk, &first.who, "Snapshot", "", &snapshot.base)->status,
                     CALLOUT__STATUS__GONE);
    assert_int_equal(desk_ask_as(&desk, &second.who, "Snapshot", "", &snapshot.base)->status,
                     CALLOUT__STATUS__OK);
    assert_int_equal(desk_resolve(&desk, first.token)->kind, CALLOUT__PRINCIPAL_KIND__ANONYMOUS);
    /* It is told so, and may hand over what it still had: kept, but not applied. */
    Callout__Reply *told = desk_hello(&desk, &first);
    assert_int_equal(told->status, CALLOUT__STATUS__GONE);
    Callout__HelloReply *hello =
        (Callout__HelloReply *)desk_decode(&desk, &callout__hello_reply__descriptor, told->body);
    assert_true(hello->wipe);
    Callout__Principal *gone = desk_resolve(&desk, hello->session_token);
    assert_string_equal(gone->role, "gone");
    uint64_t digest = desk_digest(&desk);
    Callout__CommandResult *result = desk_push_one(
        &desk, &first, desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_string_equal(result->errors[0]->field, "device_id");
    assert_true(desk_digest(&desk) == digest);
    assert_int_equal(desk_ask_as(&desk, gone, "Snapshot", "", &snapshot.base)->status,
                     CALLOUT__STATUS__GONE);
    desk_close(&desk);
}

static void sign(struct desk *desk, struct desk_device *device, Callout__Command *command)
{
    ProtobufCBinaryData text =
        signed_command(command, device->who.id, device->who.epoch, &desk->arena);
    command->signature = phone_key_sign(device->key, text.data, text.len);
}

static void a_signed_command_is_the_devices(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    struct desk_device device = desk_device(&desk, "T1");
    Callout__Command *wrong = desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED);
    sign(&desk, &device, wrong);
    wrong->device_time_us++;
    Callout__CommandResult *refused = desk_push_one(&desk, &device, wrong);
    assert_int_equal(refused->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_string_equal(refused->errors[0]->field, "signature");
    Callout__Command *right = desk_status(&desk, 2, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
    sign(&desk, &device, right);
    assert_int_equal(desk_push_one(&desk, &device, right)->outcome, CALLOUT__OUTCOME__APPLIED);
    desk_close(&desk);
}

/* Each costs as much as a hundred others: so a Push does some, and tells how far it came. */
static void a_push_has_few_signatures_checked(void **state)
{
    (void)state;
    struct desk desk;
    Callout__Command *commands[LIMIT_BATCH_COMMANDS];
    uint8_t signatures[LIMIT_BATCH_COMMANDS][crypto_sign_BYTES];
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    for (uint64_t i = 0; i < LIMIT_BATCH_COMMANDS; i++) {
        commands[i] = desk_status(&desk, i + 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
        sign(&desk, &device, commands[i]);
        memcpy(signatures[i], commands[i]->signature.data, crypto_sign_BYTES);
        commands[i]->signature.data = signatures[i];
    }
    for (uint64_t done = 0; done < LIMIT_BATCH_COMMANDS; done += LIMIT_BATCH_SIGNED) {
        Callout__Reply *reply =
            desk_ask_as(&desk, &device.who, "Push", "",
                        desk_push(&desk, commands, LIMIT_BATCH_COMMANDS)); /* all, every time */
        Callout__PushReply *answer = desk_body(&desk, reply, &callout__push_reply__descriptor);
        assert_int_equal(answer->last_seq, done + LIMIT_BATCH_SIGNED);
        assert_int_equal(answer->n_results, done + LIMIT_BATCH_SIGNED);
        assert_false(answer->results[done]->duplicate);
        assert_string_not_equal(answer->results[done]->errors[0]->field, "signature");
    }
    desk_close(&desk);
}

static void put_session(struct store *store, const char *token_hash, const char *device_id,
                        int64_t epoch, int64_t good_for_us)
{
    struct row_session row = {token_hash, device_id, epoch, clock_wall_us() + good_for_us,
                              clock_wall_us() + US_PER_DAY};
    assert_int_equal(store_begin(store), ERR_OK);
    assert_int_equal(store_put(store, ROW_SESSION, &row), ERR_OK);
    assert_int_equal(store_commit(store), ERR_OK);
}

struct found_session {
    char token_hash[65];
};

static bool note_session(void *context, const void *visited)
{
    struct found_session *found = context;
    snprintf(found->token_hash, sizeof found->token_hash, "%s",
             ((const struct row_session *)visited)->token_hash);
    return false;
}

static void sessions_expire_and_are_revoked(void **state)
{
    (void)state;
    struct desk desk;
    struct found_session found;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    assert_int_equal(store_each(desk.store, ROW_SESSION, NULL, 0, false, note_session, &found),
                     ERR_OK);
    put_session(desk.store, found.token_hash, device.who.id, 1, -1);
    assert_int_equal(desk_resolve(&desk, device.token)->kind, CALLOUT__PRINCIPAL_KIND__ANONYMOUS);
    put_session(desk.store, found.token_hash, device.who.id, 2, US_PER_DAY); /* another enrolment */
    assert_int_equal(desk_resolve(&desk, device.token)->kind, CALLOUT__PRINCIPAL_KIND__ANONYMOUS);
    put_session(desk.store, found.token_hash, device.who.id, 1, US_PER_DAY);
    assert_int_equal(desk_resolve(&desk, device.token)->kind, CALLOUT__PRINCIPAL_KIND__DEVICE);
    /* The device says hello again, and goes on. */
    Callout__HelloReply *hello =
        desk_body(&desk, desk_hello(&desk, &device), &callout__hello_reply__descriptor);
    assert_int_equal(desk_resolve(&desk, hello->session_token)->kind,
                     CALLOUT__PRINCIPAL_KIND__DEVICE);
    /* Revoked, nothing helps, not even what the gateway still remembers. */
    desk_admin(&desk, "revoke", device.who.id);
    assert_int_equal(desk_resolve(&desk, hello->session_token)->kind,
                     CALLOUT__PRINCIPAL_KIND__ANONYMOUS);
    assert_int_equal(desk_hello(&desk, &device)->status, CALLOUT__STATUS__GONE);
    Callout__PullRequest pull;
    callout__pull_request__init(&pull);
    assert_int_equal(desk_ask_as(&desk, &device.who, "Pull", "", &pull.base)->status,
                     CALLOUT__STATUS__GONE);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_his_does_not_exist_for_a_technician),
        cmocka_unit_test(an_enrolment_token_is_for_one_device_and_few_tries),
        cmocka_unit_test(an_enrolment_token_is_good_for_a_quarter_of_an_hour),
        cmocka_unit_test(a_key_is_enrolled_once),
        cmocka_unit_test(a_hello_is_for_once),
        cmocka_unit_test(another_device_takes_the_place_of_the_first),
        cmocka_unit_test(a_signed_command_is_the_devices),
        cmocka_unit_test(a_push_has_few_signatures_checked),
        cmocka_unit_test(sessions_expire_and_are_revoked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
