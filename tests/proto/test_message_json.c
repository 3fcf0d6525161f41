/* A message, its JSON and back: what goes through comes out the same, and what is wrong is named.
 */
#include "message_json.h"

#include "base/limits.h"
#include "pb/dispatch.pb-c.h"
#include "pb/fact.pb-c.h"
#include "pb/field.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_message.h"

enum { ARENA_CAP = 16 << 20, ROUNDS = 2000 };

static ProtobufCBinaryData to_bytes(const ProtobufCMessageDescriptor *type, const char *text,
                                    struct arena *arena)
{
    ProtobufCBinaryData bytes = {0, NULL};
    struct problem problem = {{0}, {0}};
    enum err err = message_from_json(type, text, strlen(text), arena, &bytes, &problem);
    if (err != ERR_OK) print_message("%s: %s in %s\n", problem.field, problem.text, text);
    assert_int_equal(err, ERR_OK);
    return bytes;
}

static char *to_text(const ProtobufCMessageDescriptor *type, ProtobufCBinaryData bytes,
                     struct arena *arena)
{
    ProtobufCMessage *message;
    struct problem problem = {{0}, {0}};
    assert_int_equal(message_decode(type, bytes.data, bytes.len, arena, &message, &problem),
                     ERR_OK);
    json_t *json = message_json(message);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static const ProtobufCMessageDescriptor *const types[] = {
    &callout__request__descriptor,        &callout__reply__descriptor,
    &callout__push_request__descriptor,   &callout__upsert_work_order_request__descriptor,
    &callout__pull_reply__descriptor,     &callout__upsert_technician_request__descriptor,
    &callout__snapshot_reply__descriptor, &callout__explain_reply__descriptor,
    &callout__fact_body__descriptor,      &callout__upsert_territory_request__descriptor,
};

static void what_goes_through_json_comes_out_the_same(void **state)
{
    (void)state;
    static struct random_message random;
    struct arena arena;
    arena_open(&arena, ARENA_CAP);
    random.rng = (struct rng){20261122};
    for (int round = 0; round < ROUNDS; round++) {
        const ProtobufCMessageDescriptor *type =
            types[round % (int)(sizeof types / sizeof types[0])];
        random.size = 0;
        put_message(&random, type, 0);
        ProtobufCMessage *message, *again;
        assert_int_equal(message_decode(type, random.bytes, random.size, &arena, &message, NULL),
                         ERR_OK);
        ProtobufCBinaryData before = message_encode(message, &arena);
        char *text = to_text(type, before, &arena);
        ProtobufCBinaryData read = to_bytes(type, text, &arena);
        assert_int_equal(message_decode(type, read.data, read.len, &arena, &again, NULL), ERR_OK);
        ProtobufCBinaryData after = message_encode(again, &arena);
        if (before.len != after.len || memcmp(before.data, after.data, after.len) != 0)
            fail_msg("round %d, %s: %s", round, type->name, text);
        free(text);
        arena_rewind(&arena);
    }
    arena_close(&arena);
}

/* --- what may be said in more than one way --- */

struct equal {
    const ProtobufCMessageDescriptor *type;
    const char *text, *canonical;
};

static const struct equal equals[] = {
    {&callout__point__descriptor, "{\"latE7\":5,\"lonE7\":-5}", "{\"latE7\":5,\"lonE7\":-5}"},
    {&callout__point__descriptor, "{\"lat_e7\":\"5\",\"lon_e7\":-5.0}",
     "{\"latE7\":5,\"lonE7\":-5}"},
    {&callout__point__descriptor, "{\"latE7\":0,\"lonE7\":null}", "{}"},
    {&callout__point__descriptor, "{\"latE7\":-2147483648,\"lonE7\":2147483647}",
     "{\"latE7\":-2147483648,\"lonE7\":2147483647}"},
    {&callout__point__descriptor, "{\"latE7\":1e3}", "{\"latE7\":1000}"},
    {&callout__mutation_reply__descriptor, "{\"logSeq\":7,\"duplicate\":true}",
     "{\"logSeq\":\"7\",\"duplicate\":true}"},
    {&callout__mutation_reply__descriptor, "{\"logSeq\":\"18446744073709551615\"}",
     "{\"logSeq\":\"18446744073709551615\"}"},
    {&callout__violation__descriptor, "{\"rule\":\"RULE_LEG\",\"amount\":-1}",
     "{\"rule\":\"RULE_LEG\",\"amount\":\"-1\"}"},
    {&callout__violation__descriptor, "{\"rule\":4}", "{\"rule\":\"RULE_LEG\"}"},
    {&callout__violation__descriptor, "{\"rule\":4711}", "{\"rule\":4711}"},
    {&callout__pull_request__descriptor, "{\"cursor\":\"-_8\"}", "{\"cursor\":\"+/8=\"}"},
    {&callout__pull_request__descriptor, "{\"cursor\":\"+/8=\"}", "{\"cursor\":\"+/8=\"}"},
    {&callout__pull_request__descriptor, "{\"cursor\":\"\"}", "{}"},
    {&callout__command__descriptor, "{\"heartbeat\":{}}", "{\"heartbeat\":{}}"},
    {&callout__reply__descriptor, "{\"clockRate\":\"0.5\"}", "{\"clockRate\":0.5}"},
};

static void some_things_may_be_said_in_several_ways(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, ARENA_CAP);
    for (size_t i = 0; i < sizeof equals / sizeof equals[0]; i++) {
        const struct equal *row = &equals[i];
        char *text = to_text(row->type, to_bytes(row->type, row->text, &arena), &arena);
        assert_string_equal(text, row->canonical);
        free(text);
    }
    arena_close(&arena);
}

/* --- what is refused --- */

struct refusal {
    const ProtobufCMessageDescriptor *type;
    const char *text;
    enum err err;
    const char *field;
};

static const struct refusal refusals[] = {
    {&callout__point__descriptor, "", ERR_INVALID, "line 1, column 0"},
    {&callout__point__descriptor, "{\"latE7\":1", ERR_INVALID, "line 1, column 10"},
    {&callout__point__descriptor, "{\"latE7\":1} x", ERR_INVALID, "line 1, column 13"},
    {&callout__point__descriptor, "[]", ERR_INVALID, ""},
    {&callout__point__descriptor, "{\"latE7\":1,\"latE7\":2}", ERR_INVALID, "line 1, column 18"},
    {&callout__point__descriptor, "{\"latE7\":1,\"lat_e7\":2}", ERR_INVALID, "lat_e7"},
    {&callout__point__descriptor, "{\"height\":1}", ERR_INVALID, "height"},
    {&callout__point__descriptor, "{\"latE7\":2147483648}", ERR_INVALID, "lat_e7"},
    {&callout__point__descriptor, "{\"latE7\":0.5}", ERR_INVALID, "lat_e7"},
    {&callout__point__descriptor, "{\"latE7\":\"5x\"}", ERR_INVALID, "lat_e7"},
    {&callout__point__descriptor, "{\"latE7\":\" 5\"}", ERR_INVALID, "lat_e7"},
    {&callout__point__descriptor, "{\"latE7\":[]}", ERR_INVALID, "lat_e7"},
    {&callout__point__descriptor, "{\"latE7\":1e400}", ERR_INVALID, "line 1, column 14"},
    {&callout__mutation_reply__descriptor, "{\"logSeq\":-1}", ERR_INVALID, "log_seq"},
    {&callout__mutation_reply__descriptor, "{\"logSeq\":\"18446744073709551616\"}", ERR_INVALID,
     "log_seq"},
    {&callout__mutation_reply__descriptor, "{\"duplicate\":1}", ERR_INVALID, "duplicate"},
    {&callout__violation__descriptor, "{\"rule\":\"RULE_OF_THUMB\"}", ERR_INVALID, "rule"},
    {&callout__violation__descriptor, "{\"text\":\"\\ud800\"}", ERR_INVALID, "line 1, column 16"},
    {&callout__violation__descriptor, "{\"text\":\"\\u0000\"}", ERR_INVALID, "line 1, column 16"},
    {&callout__pull_request__descriptor, "{\"cursor\":\"a b\"}", ERR_INVALID, "cursor"},
    {&callout__pull_request__descriptor, "{\"cursor\":\"====\"}", ERR_INVALID, "cursor"},
    {&callout__command__descriptor, "{\"heartbeat\":{},\"decline\":{}}", ERR_INVALID, "decline"},
    {&callout__push_request__descriptor,
     "{\"commands\":[{},{\"status\":{\"point\":{\"latE7\":{}}}}]}", ERR_INVALID,
     "commands[1].status.point.lat_e7"},
    {&callout__reply__descriptor, "{\"clockRate\":\"NaN\"}", ERR_INVALID, "clock_rate"},
};

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, ARENA_CAP);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *row = &refusals[i];
        ProtobufCBinaryData bytes;
        struct problem problem = {{0}, {0}};
        enum err err =
            message_from_json(row->type, row->text, strlen(row->text), &arena, &bytes, &problem);
        if (err != row->err || strcmp(problem.field, row->field) != 0)
            fail_msg("%s: %s, \"%s\": %s", row->text, err_name(err), problem.field, problem.text);
    }
    arena_close(&arena);
}

/* Depth is no message's of ours; neither memory nor the stack follows it. */
static void a_text_that_would_take_much_memory_is_refused_unread(void **state)
{
    (void)state;
    static const char *const pieces[] = {"[", "{\"a\":", "[],", "{},", "0,"};
    struct arena arena;
    char *text = malloc(LIMIT_MESSAGE * 4);
    arena_open(&arena, ARENA_CAP);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t size = 0, length = strlen(pieces[i]);
        for (; size + length < LIMIT_MESSAGE * 4; size += length)
            memcpy(text + size, pieces[i], length);
        ProtobufCBinaryData bytes;
        assert_int_equal(
            message_from_json(&callout__push_request__descriptor, text, size, &arena, &bytes, NULL),
            ERR_TOO_LARGE);
    }
    arena_close(&arena);
    free(text);
}

static void a_message_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    size_t size = LIMIT_MESSAGE + 100;
    char *text = malloc(size);
    arena_open(&arena, ARENA_CAP);
    memset(text, 'x', size);
    memcpy(text, "{\"text\":\"", 9);
    memcpy(text + size - 2, "\"}", 2);
    ProtobufCBinaryData bytes;
    assert_int_equal(
        message_from_json(&callout__violation__descriptor, text, size, &arena, &bytes, NULL),
        ERR_TOO_LARGE);
    arena_close(&arena);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_through_json_comes_out_the_same),
        cmocka_unit_test(some_things_may_be_said_in_several_ways),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_text_that_would_take_much_memory_is_refused_unread),
        cmocka_unit_test(a_message_beyond_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
