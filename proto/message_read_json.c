/* message_read_json.c - JSON to a packed message.
 *
 * The message is written from its last byte to its first: by the time that a length is due, what it
 * counts is there, so nothing is measured beforehand or copied afterwards.
 */
#include "message_json.h"

#include "base/check.h"
#include "base/limits.h"
#include "descriptor.h"

#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_SIZE = MESSAGE_JSON_NAME_SIZE,
    TAG_BITS = 3,
    VARINT_BYTES = 10,
    /* What jansson takes for an object, a list, and a value with its name and place, and more. */
    OBJECT_COST = 256,
    LIST_COST = 160,
    VALUE_COST = 112,
};

struct writer {
    const struct field_step *step;
    uint8_t *bytes;
    size_t at; /* the message is bytes[at] and all behind it */
    struct problem *problem;
};

static enum err refuse(struct writer *writer, enum err err, const char *text)
{
    return field_refuse(writer->step, writer->problem, err, text);
}

/* --- bytes, from the back --- */

static enum err put_bytes(struct writer *writer, const void *bytes, size_t size)
{
    if (size > writer->at)
        return refuse(writer, ERR_TOO_LARGE, "the message is larger than one request may be");
    writer->at -= size;
    if (size > 0) memcpy(writer->bytes + writer->at, bytes, size);
    return ERR_OK;
}

static enum err put_varint(struct writer *writer, uint64_t value)
{
    uint8_t bytes[VARINT_BYTES];
    size_t size = 0;
    do {
        bytes[size++] = (uint8_t)(value >= 0x80 ? (value & 0x7f) | 0x80 : value);
        value >>= 7;
    } while (value > 0);
    return put_bytes(writer, bytes, size);
}

static enum err put_key(struct writer *writer, const ProtobufCFieldDescriptor *field,
                        ProtobufCWireType type)
{
    return put_varint(writer, (uint64_t)field->id << TAG_BITS | (uint64_t)type);
}

/* The length and key of what was written since the message began at `end`. */
static enum err put_head(struct writer *writer, const ProtobufCFieldDescriptor *field, size_t end)
{
    enum err err = put_varint(writer, end - writer->at);
    return err == ERR_OK ? put_key(writer, field, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) : err;
}

static enum err put_little_endian(struct writer *writer, uint64_t value, size_t size)
{
    uint8_t bytes[sizeof value];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    return put_bytes(writer, bytes, size);
}

/* --- numbers --- */

struct whole {
    bool negative;
    uint64_t magnitude;
};

static bool whole_of_text(const char *text, struct whole *out)
{
    out->negative = *text == '-';
    if (out->negative) text++;
    if (*text < '0' || *text > '9') return false;
    char *end;
    errno = 0;
    out->magnitude = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* Doubles hold each whole number up to 2^53. */
static bool whole_of_real(double real, struct whole *out)
{
    if (fabs(real) > 9007199254740992.0 || trunc(real) != real) return false;
    *out = (struct whole){real < 0, (uint64_t)fabs(real)};
    return true;
}

static bool whole_of(const json_t *value, struct whole *out)
{
    if (json_is_string(value)) return whole_of_text(json_string_value(value), out);
    if (json_is_real(value)) return whole_of_real(json_real_value(value), out);
    if (!json_is_integer(value)) return false;
    json_int_t number = json_integer_value(value);
    *out = (struct whole){number < 0, number < 0 ? 0 - (uint64_t)number : (uint64_t)number};
    return true;
}

/* In two's complement of 64 bits, when it lies within -low..high. */
static enum err take_whole(struct writer *writer, const json_t *value, uint64_t low, uint64_t high,
                           uint64_t *out)
{
    struct whole whole;
    if (!whole_of(value, &whole)) return refuse(writer, ERR_INVALID, "must be a whole number");
    if (whole.magnitude > (whole.negative ? low : high))
        return refuse(writer, ERR_INVALID, "the number is outside the range of its type");
    *out = whole.negative ? 0 - whole.magnitude : whole.magnitude;
    return ERR_OK;
}

static uint64_t zigzag(uint64_t value)
{
    return value << 1 ^ (value >> 63 == 1 ? UINT64_MAX : 0);
}

static enum err take_enum(struct writer *writer, const ProtobufCEnumDescriptor *type,
                          const json_t *value, uint64_t *out)
{
    if (!json_is_string(value)) return take_whole(writer, value, 0, INT32_MAX, out);
    const ProtobufCEnumValue *known =
        protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(value));
    if (known == NULL) return refuse(writer, ERR_INVALID, "is not one of this field's words");
    *out = (uint64_t)known->value;
    return ERR_OK;
}

static enum err take_real(struct writer *writer, const json_t *value, double *out)
{
    *out = json_number_value(value);
    if (json_is_string(value)) {
        char *end;
        const char *text = json_string_value(value);
        *out = strtod(text, &end);
        if (end == text || *end != '\0') return refuse(writer, ERR_INVALID, "must be a number");
    } else if (!json_is_number(value)) {
        return refuse(writer, ERR_INVALID, "must be a number");
    }
    return isfinite(*out) ? ERR_OK : refuse(writer, ERR_INVALID, "the number must be finite");
}

/* --- values; of each, `bits` is what stands on the wire --- */

static enum err take_scalar(struct writer *writer, const ProtobufCFieldDescriptor *field,
                            const json_t *value, uint64_t *bits)
{
    const uint64_t low_32 = UINT64_C(1) << 31, low_64 = UINT64_C(1) << 63;
    double real;
    enum err err;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SFIXED32: return take_whole(writer, value, low_32, INT32_MAX, bits);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: return take_whole(writer, value, 0, UINT32_MAX, bits);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SFIXED64: return take_whole(writer, value, low_64, INT64_MAX, bits);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: return take_whole(writer, value, 0, UINT64_MAX, bits);
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SINT64:
        err = field->type == PROTOBUF_C_TYPE_SINT32
                  ? take_whole(writer, value, low_32, INT32_MAX, bits)
                  : take_whole(writer, value, low_64, INT64_MAX, bits);
        if (err == ERR_OK) *bits = zigzag(*bits);
        return err;
    case PROTOBUF_C_TYPE_BOOL:
        *bits = json_is_true(value);
        return json_is_boolean(value) ? ERR_OK
                                      : refuse(writer, ERR_INVALID, "must be true or false");
    case PROTOBUF_C_TYPE_ENUM: return take_enum(writer, field->descriptor, value, bits);
    case PROTOBUF_C_TYPE_DOUBLE:
        err = take_real(writer, value, &real);
        if (err == ERR_OK) memcpy(bits, &real, sizeof real);
        return err;
    case PROTOBUF_C_TYPE_FLOAT: /* no message of ours has one */
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: break;
    }
    CHECK(false);
    return ERR_INTERNAL;
}

static enum err put_scalar(struct writer *writer, const ProtobufCFieldDescriptor *field,
                           uint64_t bits)
{
    ProtobufCWireType type = field_wire_type(field->type);
    if (type == PROTOBUF_C_WIRE_TYPE_VARINT) return put_varint(writer, bits);
    return put_little_endian(writer, bits, type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4);
}

static bool is_scalar(const ProtobufCFieldDescriptor *field)
{
    return field_wire_type(field->type) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

static enum err put_text(struct writer *writer, const json_t *value)
{
    if (!json_is_string(value)) return refuse(writer, ERR_INVALID, "must be a text");
    return put_bytes(writer, json_string_value(value), json_string_length(value));
}

/* Both alphabets of RFC 4648, with or without padding, straight to where they belong. */
static enum err put_base64(struct writer *writer, const json_t *value)
{
    if (!json_is_string(value)) return refuse(writer, ERR_INVALID, "must be a text in base64");
    const char *text = json_string_value(value), *end;
    size_t size = json_string_length(value), count;
    while (size > 0 && text[size - 1] == '=')
        size--;
    bool url = strpbrk(text, "-_") != NULL;
    size_t room = size / 4 * 3 + 3;
    uint8_t *bytes = malloc(room);
    CHECK(bytes != NULL);
    bool sound = json_string_length(value) - size <= 2 &&
                 sodium_base642bin(bytes, room, text, size, NULL, &count, &end,
                                   url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING
                                       : sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
                 end == text + size;
    enum err err =
        sound ? put_bytes(writer, bytes, count) : refuse(writer, ERR_INVALID, "is not base64");
    free(bytes);
    return err;
}

static enum err put_object(struct writer *writer, const ProtobufCMessageDescriptor *type,
                           json_t *object);

/* A text, bytes or a message, with length and key. */
static enum err put_long(struct writer *writer, const ProtobufCFieldDescriptor *field,
                         json_t *value)
{
    size_t end = writer->at;
    enum err err = field->type == PROTOBUF_C_TYPE_STRING ? put_text(writer, value)
                   : field->type == PROTOBUF_C_TYPE_BYTES
                       ? put_base64(writer, value)
                       : put_object(writer, field->descriptor, value);
    return err == ERR_OK ? put_head(writer, field, end) : err;
}

/* --- fields --- */

static enum err put_list(struct writer *writer, const ProtobufCFieldDescriptor *field, json_t *list)
{
    struct field_step step = {writer->step, field, 0};
    size_t end = writer->at;
    enum err err = ERR_OK;
    /* cppcheck-suppress autoVariables ; it is taken back below */
    writer->step = &step;
    if (!json_is_array(list)) err = refuse(writer, ERR_INVALID, "must be a list");
    for (size_t i = json_array_size(list); i-- > 0 && err == ERR_OK;) {
        uint64_t bits;
        step.index = (uint32_t)i;
        if (!is_scalar(field)) {
            err = put_long(writer, field, json_array_get(list, i));
            continue;
        }
        err = take_scalar(writer, field, json_array_get(list, i), &bits);
        if (err == ERR_OK) err = put_scalar(writer, field, bits);
    }
    if (err == ERR_OK && is_scalar(field) && writer->at != end) err = put_head(writer, field, end);
    writer->step = step.before;
    return err;
}

/* What has its type's zero is left out, unless it is a member of a oneof: there it says which. */
static enum err put_one(struct writer *writer, const ProtobufCFieldDescriptor *field, json_t *value)
{
    struct field_step step = {writer->step, field, 0};
    uint64_t bits = 1;
    enum err err = ERR_OK;
    bool chosen = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    writer->step = &step;
    if (is_scalar(field))
        err = take_scalar(writer, field, value, &bits);
    else if (field->type != PROTOBUF_C_TYPE_MESSAGE && json_is_string(value))
        bits = json_string_length(value);
    bool told = chosen || bits != 0;
    if (err == ERR_OK && told && !is_scalar(field)) err = put_long(writer, field, value);
    if (err == ERR_OK && told && is_scalar(field)) {
        err = put_scalar(writer, field, bits);
        if (err == ERR_OK) err = put_key(writer, field, field_wire_type(field->type));
    }
    writer->step = step.before;
    return err;
}

/* technicianId: technician_id */
static void snake(const char *name, char out[NAME_SIZE])
{
    size_t used = 0;
    for (; *name != '\0' && used + 2 < NAME_SIZE; name++) {
        bool capital = *name >= 'A' && *name <= 'Z';
        if (capital) out[used++] = '_';
        out[used++] = (char)(capital ? *name - 'A' + 'a' : *name);
    }
    out[*name == '\0' ? used : 0] = '\0';
}

static enum err find_field(struct writer *writer, const ProtobufCMessageDescriptor *type,
                           const char *name, const ProtobufCFieldDescriptor **out)
{
    char wanted[NAME_SIZE];
    snake(name, wanted);
    *out = protobuf_c_message_descriptor_get_field_by_name(type, wanted);
    if (*out != NULL) return ERR_OK;
    return problem_set(writer->problem, ERR_INVALID, name, "is not a field of %s",
                       type->short_name);
}

/* Two names for one field, or two members of one oneof, have no honest meaning. */
static bool came_before(uint64_t *seen, const ProtobufCMessageDescriptor *type,
                        const ProtobufCFieldDescriptor *field)
{
    size_t place = (size_t)(field - type->fields);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        place = 0; /* the first member stands for all of them */
        while (type->fields[place].quantifier_offset != field->quantifier_offset ||
               (type->fields[place].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
            place++;
    }
    bool before = (seen[place / 64] >> (place % 64) & 1) != 0;
    seen[place / 64] |= UINT64_C(1) << (place % 64);
    return before;
}

static enum err put_object(struct writer *writer, const ProtobufCMessageDescriptor *type,
                           json_t *object)
{
    uint64_t seen[2] = {0};
    const char *name;
    json_t *value;
    CHECK(type->n_fields <= 128);
    if (!json_is_object(object)) return refuse(writer, ERR_INVALID, "must be an object");
    json_object_foreach(object, name, value)
    {
        const ProtobufCFieldDescriptor *field;
        enum err err = find_field(writer, type, name, &field);
        if (err != ERR_OK) return err;
        if (json_is_null(value)) continue;
        if (came_before(seen, type, field)) {
            struct field_step step = {writer->step, field, 0};
            return field_refuse(&step, writer->problem, ERR_INVALID, "is said twice");
        }
        err = field->label == PROTOBUF_C_LABEL_REPEATED ? put_list(writer, field, value)
                                                        : put_one(writer, field, value);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

/* --- the text --- */

/* An upper bound of the memory that the tree of this text takes. */
static size_t tree_cost(const char *text, size_t size)
{
    size_t cost = size;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (text[i] == '{')
            cost += OBJECT_COST;
        else if (text[i] == '[')
            cost += LIST_COST;
        else if (text[i] == ',' || text[i] == ':')
            cost += VALUE_COST;
    }
    return cost;
}

enum err message_from_json(const ProtobufCMessageDescriptor *type, const char *text, size_t size,
                           struct arena *arena, ProtobufCBinaryData *out, struct problem *problem)
{
    struct writer writer = {.at = LIMIT_MESSAGE, .problem = problem};
    if (tree_cost(text, size) > LIMIT_REQUEST_ARENA)
        return problem_set(problem, ERR_TOO_LARGE, "",
                           "the text has more values than one request may");
    json_error_t error;
    json_t *tree = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (tree == NULL) {
        char where[sizeof problem->field];
        snprintf(where, sizeof where, "line %d, column %d", error.line, error.column);
        return problem_set(problem, ERR_INVALID, where, "is not JSON: %s", error.text);
    }
    writer.bytes = arena_take(arena, LIMIT_MESSAGE);
    enum err err = writer.bytes != NULL
                       ? put_object(&writer, type, tree)
                       : problem_set(problem, ERR_TOO_LARGE, "", "there is no room for it");
    json_decref(tree);
    if (err == ERR_OK)
        *out = (ProtobufCBinaryData){LIMIT_MESSAGE - writer.at, writer.bytes + writer.at};
    return err;
}
