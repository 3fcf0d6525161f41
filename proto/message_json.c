#include "message_json.h"

#include "base/check.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *made(json_t *value)
{
    CHECK(value != NULL);
    return value;
}

static json_t *wide(int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    return made(json_string(text));
}

static json_t *wide_unsigned(uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return made(json_string(text));
}

static json_t *enum_name(const ProtobufCEnumDescriptor *type, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    return made(value != NULL ? json_string(value->name) : json_integer(number));
}

static json_t *base64(const ProtobufCBinaryData *bytes)
{
    size_t room = sodium_base64_ENCODED_LEN(bytes->len, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(room);
    CHECK(text != NULL);
    sodium_bin2base64(text, room, bytes->data, bytes->len, sodium_base64_VARIANT_ORIGINAL);
    json_t *value = made(json_string(text));
    free(text);
    return value;
}

static json_t *value_json(const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32: return made(json_integer(*(const int32_t *)at));
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: return made(json_integer(*(const uint32_t *)at));
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64: return wide(*(const int64_t *)at);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: return wide_unsigned(*(const uint64_t *)at);
    case PROTOBUF_C_TYPE_FLOAT: return made(json_real((double)*(const float *)at));
    case PROTOBUF_C_TYPE_DOUBLE: return made(json_real(*(const double *)at));
    case PROTOBUF_C_TYPE_BOOL: return made(json_boolean(*(const protobuf_c_boolean *)at));
    case PROTOBUF_C_TYPE_ENUM: return enum_name(field->descriptor, *(const int *)at);
    case PROTOBUF_C_TYPE_STRING: return made(json_string(*(const char *const *)at));
    case PROTOBUF_C_TYPE_MESSAGE: return message_json(*(const ProtobufCMessage *const *)at);
    case PROTOBUF_C_TYPE_BYTES: return base64(at);
    }
    CHECK(false); /* proto3 has no other type */
    return NULL;
}

static size_t value_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: return sizeof(int64_t);
    case PROTOBUF_C_TYPE_DOUBLE: return sizeof(double);
    case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
    default: return sizeof(int32_t);
    }
}

/* Is it told? A member of a oneof when it is the one that was chosen, whatever its value; anything
 * else when it is not its type's zero. */
static bool is_told(const ProtobufCFieldDescriptor *field, const char *message)
{
    static const char zeros[sizeof(int64_t)];
    const void *at = message + field->offset, *quantifier = message + field->quantifier_offset;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        return *(const unsigned *)quantifier == field->id;
    if (field->type == PROTOBUF_C_TYPE_STRING) return **(const char *const *)at != '\0';
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) return *(const void *const *)at != NULL;
    if (field->type == PROTOBUF_C_TYPE_BYTES) return ((const ProtobufCBinaryData *)at)->len > 0;
    return memcmp(at, zeros, value_size(field)) != 0;
}

/* NULL: there is nothing in it. */
static json_t *list_json(const ProtobufCFieldDescriptor *field, const char *message)
{
    const char *items = *(const char *const *)(const void *)(message + field->offset);
    size_t count = *(const size_t *)(const void *)(message + field->quantifier_offset);
    json_t *list = count > 0 ? made(json_array()) : NULL;
    for (size_t i = 0; i < count; i++)
        CHECK(json_array_append_new(list, value_json(field, items + i * value_size(field))) == 0);
    return list;
}

void message_json_name(const char *name, char out[MESSAGE_JSON_NAME_SIZE])
{
    size_t used = 0;
    for (bool up = false; *name != '\0' && used + 1 < MESSAGE_JSON_NAME_SIZE; name++) {
        if (*name == '_') {
            up = true;
            continue;
        }
        out[used++] = up && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
        up = false;
    }
    out[used] = '\0';
}

json_t *message_json(const ProtobufCMessage *message)
{
    json_t *object = made(json_object());
    const char *bytes = (const char *)message;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        char name[MESSAGE_JSON_NAME_SIZE];
        json_t *value = NULL;
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            value = list_json(field, bytes);
        else if (is_told(field, bytes))
            value = value_json(field, bytes + field->offset);
        if (value == NULL) continue;
        message_json_name(field->name, name);
        CHECK(json_object_set_new(object, name, value) == 0);
    }
    return object;
}
