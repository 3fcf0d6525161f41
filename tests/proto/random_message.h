/* random_message.h - messages of any type with values near and far, as bytes on the wire. */
#ifndef CALLOUT_TESTS_PROTO_RANDOM_MESSAGE_H
#define CALLOUT_TESTS_PROTO_RANDOM_MESSAGE_H

#include "base/check.h"
#include "base/limits.h"
#include "base/rng.h"
#include "descriptor.h"

#include <stdlib.h>
#include <string.h>

struct random_message {
    struct rng rng;
    uint8_t bytes[LIMIT_MESSAGE];
    size_t size;
};

static inline void put(struct random_message *to, const void *bytes, size_t size)
{
    CHECK(to->size + size <= sizeof to->bytes);
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

static inline void put_number(struct random_message *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(to, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
    put(to, &(uint8_t){(uint8_t)value}, 1);
}

static inline void put_message(struct random_message *to, const ProtobufCMessageDescriptor *type,
                               int depth);

/* Numbers near the ends of their types are as likely as small ones. */
static inline uint64_t random_number(struct random_message *to, ProtobufCType type)
{
    uint64_t value = rng_next(&to->rng) >> rng_below(&to->rng, 64);
    if (rng_below(&to->rng, 8) == 0) value = UINT64_MAX - value;
    bool is_signed = type == PROTOBUF_C_TYPE_INT32;
    if (is_signed) return (uint64_t)(int64_t)(int32_t)value;
    bool narrow = type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_SINT32;
    return narrow ? (uint32_t)value : value;
}

/* A message inside another: written, then pushed back by its length. */
static inline void put_inner(struct random_message *to, const ProtobufCMessageDescriptor *type,
                             int depth)
{
    size_t begin = to->size;
    put_message(to, type, depth);
    size_t size = to->size - begin;
    uint8_t *copy = malloc(size + 1);
    CHECK(copy != NULL);
    memcpy(copy, to->bytes + begin, size);
    to->size = begin;
    put_number(to, size);
    put(to, copy, size);
    free(copy);
}

static inline void put_text_or_bytes(struct random_message *to, bool text)
{
    static const char *const texts[] = {"", "T01", "Grüße \"\\ \u2028\U0001F527", "\x01\x1f\x7f",
                                        "a\tb\nc"};
    uint8_t bytes[64];
    size_t size = rng_below(&to->rng, sizeof bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)rng_next(&to->rng);
    const char *word = texts[size % (sizeof texts / sizeof texts[0])];
    if (text) size = strlen(word);
    put_number(to, size);
    put(to, text ? (const void *)word : bytes, size);
}

/* An enum's word may also be one that only a newer peer knows. */
static inline uint64_t random_word(struct random_message *to, const ProtobufCEnumDescriptor *words)
{
    uint32_t place = rng_below(&to->rng, words->n_values + 1);
    return place < words->n_values ? (uint64_t)words->values[place].value : 4711;
}

static inline void put_value(struct random_message *to, const ProtobufCFieldDescriptor *field,
                             int depth)
{
    double real = (double)(int64_t)rng_next(&to->rng) / 1e7;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        put_inner(to, field->descriptor, depth + 1);
    else if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES)
        put_text_or_bytes(to, field->type == PROTOBUF_C_TYPE_STRING);
    else if (field->type == PROTOBUF_C_TYPE_DOUBLE)
        put(to, &real, sizeof real);
    else if (field->type == PROTOBUF_C_TYPE_BOOL)
        put_number(to, rng_below(&to->rng, 2));
    else if (field->type == PROTOBUF_C_TYPE_ENUM)
        put_number(to, random_word(to, field->descriptor));
    else
        put_number(to, random_number(to, field->type));
}

static inline void put_message(struct random_message *to, const ProtobufCMessageDescriptor *type,
                               int depth)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
        size_t count = rng_below(&to->rng, list ? 3 : 2);
        for (size_t k = 0; k < count && depth < 5; k++) {
            put_number(to, (uint64_t)field->id << 3 | field_wire_type(field->type));
            put_value(to, field, depth);
        }
    }
}

#endif
