/* The decoder against bytes that mean harm: rows 1 to 22 of the list of hostile inputs. */
#include "message.h"

#include "pb/dispatch.pb-c.h"
#include "pb/entity.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/wire.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_CAP = 4 << 20 };

static enum err decode(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
                       struct arena *arena, struct problem *problem)
{
    ProtobufCMessage *message = NULL;
    *problem = (struct problem){{0}, {0}};
    arena_rewind(arena);
    enum err err = message_decode(type, bytes, size, arena, &message, problem);
    assert_true((err == ERR_OK) == (message != NULL));
    return err;
}

/* --- small hand-written inputs --- */

struct hostile {
    const char *what;
    const ProtobufCMessageDescriptor *type;
    const char *bytes;
    size_t size;
    enum err err;
    const char *field;
};

#define BYTES(text) text, sizeof(text) - 1

static const struct hostile small_inputs[] = {
    {"garbage", &callout__request__descriptor, BYTES("\xff\xfe\xfd\xfc\x00\x01"), ERR_INVALID, ""},
    {"cut varint", &callout__request__descriptor, BYTES("\x08\x80"), ERR_INVALID, "proto_major"},
    {"cut key", &callout__request__descriptor, BYTES("\x88"), ERR_INVALID, ""},
    {"nothing", &callout__request__descriptor, BYTES(""), ERR_OK, ""},
    {"longer than its parent", &callout__request__descriptor, BYTES("\x3a\x05Ping"), ERR_INVALID,
     "method"},
    {"length of 2^63", &callout__request__descriptor,
     BYTES("\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), ERR_INVALID, "method"},
    {"given twice", &callout__request__descriptor, BYTES("\x08\x01\x08\x01"), ERR_INVALID,
     "proto_major"},
    {"two different ids", &callout__cancel_work_order_request__descriptor,
     BYTES("\x0a\x01"
           "a"
           "\x0a\x01"
           "b"),
     ERR_INVALID, "work_order_id"},
    {"text where a number belongs", &callout__request__descriptor, BYTES("\x0a\x01x"), ERR_INVALID,
     "proto_major"},
    {"number where text belongs", &callout__request__descriptor, BYTES("\x38\x01"), ERR_INVALID,
     "method"},
    {"varint of eleven bytes", &callout__request__descriptor,
     BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), ERR_INVALID, "proto_major"},
    {"varint of 65 bits", &callout__fix__descriptor,
     BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), ERR_INVALID, NULL},
    {"number too big for its type", &callout__request__descriptor,
     BYTES("\x08\x80\x80\x80\x80\x10"), ERR_INVALID, "proto_major"},
    {"truth of 2", &callout__work_order__descriptor, BYTES("\x88\x01\x02"), ERR_INVALID,
     "emergency"},
    {"unknown enum", &callout__reply__descriptor, BYTES("\x10\x63"), ERR_OK, ""},
    {"negative enum", &callout__reply__descriptor,
     BYTES("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_INVALID, "status"},
    {"group", &callout__request__descriptor, BYTES("\x0b\x0c"), ERR_INVALID, ""},
    {"end of a group", &callout__request__descriptor, BYTES("\x0c"), ERR_INVALID, ""},
    {"wire type 6", &callout__request__descriptor, BYTES("\x0e\x01"), ERR_INVALID, ""},
    {"field number 0", &callout__request__descriptor, BYTES("\x00\x01"), ERR_INVALID, ""},
    {"bad UTF-8", &callout__request__descriptor, BYTES("\x3a\x02\xc3\x28"), ERR_INVALID, "method"},
    {"overlong UTF-8", &callout__request__descriptor, BYTES("\x3a\x02\xc0\xaf"), ERR_INVALID,
     "method"},
    {"surrogate", &callout__request__descriptor, BYTES("\x3a\x03\xed\xa0\x80"), ERR_INVALID,
     "method"},
    {"beyond Unicode", &callout__request__descriptor, BYTES("\x3a\x04\xf4\x90\x80\x80"),
     ERR_INVALID, "method"},
    {"cut UTF-8", &callout__request__descriptor, BYTES("\x3a\x03\xf0\x9f\x98"), ERR_INVALID,
     "method"},
    {"NUL in text", &callout__request__descriptor,
     BYTES("\x3a\x03"
           "a\0b"),
     ERR_INVALID, "method"},
    {"four-byte character", &callout__request__descriptor, BYTES("\x3a\x04\xf0\x9f\x98\x80"),
     ERR_OK, ""},
    {"NaN", &callout__reply__descriptor, BYTES("\x51\0\0\0\0\0\0\xf8\x7f"), ERR_INVALID,
     "clock_rate"},
    {"infinity", &callout__reply__descriptor, BYTES("\x51\0\0\0\0\0\0\xf0\x7f"), ERR_INVALID,
     "clock_rate"},
    {"unknown field", &callout__request__descriptor, BYTES("\xfa\x07\x02hi"), ERR_OK, ""},
    {"unknown field, cut", &callout__request__descriptor, BYTES("\xfa\x07\x03hi"), ERR_INVALID, ""},
    {"path into a repeated field", &callout__work_order__descriptor,
     BYTES("\x62\x02\x08\x01\x62\x02\x0a\x01"), ERR_INVALID, "windows[1].start_us"},
};

static void refuses_small_hostile_inputs_by_name(void **state)
{
    struct arena arena;
    struct problem problem;
    (void)state;
    arena_open(&arena, ARENA_CAP);
    for (size_t i = 0; i < sizeof small_inputs / sizeof *small_inputs; i++) {
        const struct hostile *row = &small_inputs[i];
        enum err err = decode(row->type, row->bytes, row->size, &arena, &problem);
        if (err != row->err || (row->field != NULL && strcmp(problem.field, row->field) != 0))
            fail_msg("%s: %s at \"%s\": %s", row->what, err_name(err), problem.field, problem.text);
    }
    arena_close(&arena);
}

/* Every prefix of a good message is refused or read, never misread past its end. */
static void survives_every_cut_of_a_good_message(void **state)
{
    struct arena arena, scratch;
    struct problem problem;
    (void)state;
    arena_open(&arena, ARENA_CAP);
    arena_open(&scratch, ARENA_CAP);
    char id[] = "order-7", skill_name[] = "gas";
    Callout__Skill skill, *skills[] = {&skill};
    Callout__WorkOrder order;
    callout__skill__init(&skill);
    callout__work_order__init(&order);
    skill.name = skill_name;
    skill.level = 3;
    order.work_order_id = id;
    order.skills = skills;
    order.n_skills = 1;
    order.earliest_start_us = INT64_C(1790000000000000);
    ProtobufCBinaryData good = message_encode(&order.base, &arena);
    for (size_t size = 0; size < good.len; size++) {
        uint8_t *cut = malloc(size + 1); /* of its own, so that a sanitizer sees one byte too far */
        memcpy(cut, good.data, size);
        decode(&callout__work_order__descriptor, cut, size, &scratch, &problem);
        free(cut);
    }
    assert_int_equal(
        decode(&callout__work_order__descriptor, good.data, good.len, &scratch, &problem), ERR_OK);
    arena_close(&scratch);
    arena_close(&arena);
}

/* --- big inputs --- */

struct repeated_piece {
    const char *what;
    const ProtobufCMessageDescriptor *type;
    const char *piece;
    size_t piece_size, total;
    enum err err;
};

static const struct repeated_piece big_inputs[] = {
    {"empty sub-messages", &callout__work_order__descriptor, BYTES("\x62\x00"), 1 << 20,
     ERR_TOO_LARGE},
    {"unknown fields", &callout__request__descriptor, BYTES("\xf8\x07\x01"), 1 << 20,
     ERR_TOO_LARGE},
    {"a singular field 100,000 times", &callout__request__descriptor, BYTES("\x08\x01"), 200000,
     ERR_INVALID},
    {"a million unpacked numbers", &callout__pull_reply__descriptor, BYTES("\x20\x01"), 2000000,
     ERR_TOO_LARGE},
};

static void refuses_big_bombs(void **state)
{
    struct arena arena;
    struct problem problem;
    (void)state;
    arena_open(&arena, ARENA_CAP);
    for (size_t i = 0; i < sizeof big_inputs / sizeof *big_inputs; i++) {
        const struct repeated_piece *row = &big_inputs[i];
        size_t size = row->total / row->piece_size * row->piece_size;
        char *bytes = malloc(size);
        for (size_t at = 0; at < size; at += row->piece_size)
            memcpy(bytes + at, row->piece, row->piece_size);
        enum err err = decode(row->type, bytes, size, &arena, &problem);
        if (err != row->err) fail_msg("%s: %s, %s", row->what, err_name(err), problem.text);
        assert_int_equal(arena.used, 0); /* refused by the scan, before anything was taken */
        free(bytes);
    }
    arena_close(&arena);
}

static size_t write_varint(uint8_t *out, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    return size;
}

static void refuses_a_million_packed_numbers_and_a_huge_text(void **state)
{
    struct arena arena;
    struct problem problem;
    enum { SIZE = 10 << 20 };
    (void)state;
    arena_open(&arena, ARENA_CAP);
    uint8_t *bytes = malloc(SIZE + 16);
    memset(bytes, 1, SIZE + 16);
    bytes[0] = 0x22; /* PullReply.cause_seqs */
    size_t head = 1 + write_varint(bytes + 1, 1000000);
    assert_int_equal(
        decode(&callout__pull_reply__descriptor, bytes, head + 1000000, &arena, &problem),
        ERR_TOO_LARGE);
    assert_string_equal(problem.field, "cause_seqs[0]");
    memset(bytes, 'a', SIZE + 16);
    bytes[0] = 0x3a; /* Request.method */
    head = 1 + write_varint(bytes + 1, SIZE);
    assert_int_equal(decode(&callout__request__descriptor, bytes, head + SIZE, &arena, &problem),
                     ERR_TOO_LARGE);
    assert_string_equal(problem.field, "method");
    free(bytes);
    arena_close(&arena);
}

/* Our contract has no recursive message; this type stands for one that slipped in. */
static const ProtobufCMessageDescriptor recursive;
static const ProtobufCFieldDescriptor recursive_fields[] = {
    {.name = "inner",
     .id = 1,
     .label = PROTOBUF_C_LABEL_NONE,
     .type = PROTOBUF_C_TYPE_MESSAGE,
     .offset = sizeof(ProtobufCMessage),
     .descriptor = &recursive},
};
static const unsigned recursive_by_name[] = {0};
static const ProtobufCIntRange recursive_ranges[] = {{1, 0}, {0, 1}};
static const ProtobufCMessageDescriptor recursive = {
    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "recursive",
    .sizeof_message = sizeof(ProtobufCMessage) + sizeof(void *),
    .n_fields = 1,
    .fields = recursive_fields,
    .fields_sorted_by_name = recursive_by_name,
    .n_field_ranges = 1,
    .field_ranges = recursive_ranges,
};

static void refuses_deep_nesting_before_the_stack_ends(void **state)
{
    struct arena arena;
    struct problem problem;
    enum { DEPTH = 9000, SIZE = DEPTH * 4 };
    (void)state;
    arena_open(&arena, ARENA_CAP);
    uint8_t *bytes = malloc(SIZE);
    size_t start = SIZE;
    for (unsigned i = 0; i < DEPTH; i++) {
        uint8_t head[12] = {0x0a};
        size_t head_size = 1 + write_varint(head + 1, SIZE - start);
        start -= head_size;
        memcpy(bytes + start, head, head_size);
    }
    assert_int_equal(decode(&recursive, bytes + start, SIZE - start, &arena, &problem),
                     ERR_INVALID);
    assert_non_null(strstr(problem.text, "deeply"));
    free(bytes);
    arena_close(&arena);
}

static void takes_the_last_member_of_a_oneof(void **state)
{
    static const char bytes[] = "\x52\x03\x0a\x01"
                                "x"                     /* status.appointment_id */
                                "\x82\x01\x02\x08\x05"; /* heartbeat.battery_percent */
    struct arena arena;
    ProtobufCMessage *message;
    (void)state;
    arena_open(&arena, ARENA_CAP);
    assert_int_equal(message_decode(&callout__command__descriptor, bytes, sizeof bytes - 1, &arena,
                                    &message, NULL),
                     ERR_OK);
    const Callout__Command *command = (const Callout__Command *)message;
    assert_int_equal(command->body_case, CALLOUT__COMMAND__BODY_HEARTBEAT);
    assert_int_equal(command->heartbeat->battery_percent, 5);
    arena_close(&arena);
}

static void refuses_what_does_not_fit_the_arena(void **state)
{
    struct arena arena;
    struct problem problem;
    (void)state;
    arena_open(&arena, 256);
    assert_int_equal(
        decode(&callout__request__descriptor, BYTES("\x3a\x04Ping\x2a\x01r"), &arena, &problem),
        ERR_TOO_LARGE);
    arena_close(&arena);
}

static void finds_methods_of_all_services(void **state)
{
    struct method method;
    (void)state;
    assert_true(method_find("Pull", &method));
    assert_ptr_equal(method.method->input, &callout__pull_request__descriptor);
    assert_true(method_find("EventFeed", &method));
    assert_string_equal(method.service->short_name, "Dispatch");
    assert_true(method_find("Forward", &method));
    assert_string_equal(method.service->short_name, "Inner");
    assert_false(method_find("pull", &method));
    assert_false(method_find("", &method));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_small_hostile_inputs_by_name),
        cmocka_unit_test(survives_every_cut_of_a_good_message),
        cmocka_unit_test(refuses_big_bombs),
        cmocka_unit_test(refuses_a_million_packed_numbers_and_a_huge_text),
        cmocka_unit_test(refuses_deep_nesting_before_the_stack_ends),
        cmocka_unit_test(takes_the_last_member_of_a_oneof),
        cmocka_unit_test(refuses_what_does_not_fit_the_arena),
        cmocka_unit_test(finds_methods_of_all_services),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
