/* message.c - a scan that believes nothing, then protobuf-c's own unpacking into an arena.
 *
 * I1: the scan accepts a message only if protobuf-c will: every length stays inside its parent,
 * every varint ends within ten bytes, every known field has a wire type that its descriptor allows.
 * I2: the scan counts what unpacking will take from the arena (an upper bound), so that a message
 *     which would not fit is refused by name instead of half unpacked.
 * I3: a singular field comes at most once. protobuf would merge or take the last; two different
 * values for one id have no honest meaning. Members of one oneof may follow each other: the last
 * counts.
 */
#include "message.h"

#include "base/check.h"
#include "descriptor.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/inner.pb-c.h"
#include "pb/people.pb-c.h"
#include "pb/roster.pb-c.h"

#include <math.h>
#include <string.h>

enum {
    DEPTH_MAX = 16,
    FIELDS_MAX = 64, /* of one message type of ours */
    FIELD_COST =
        96,        /* what protobuf-c notes down per field on the wire, and its place in an array */
    ROUNDING = 16, /* the arena aligns what it gives */
    VARINT_BYTES = 10,
};

struct span {
    const uint8_t *at, *end;
};

struct scan {
    const struct field_step
        *step;             /* NULL: the message itself; written out only where it is refused */
    size_t cost, cost_max; /* see I2 */
    struct problem *problem;
};

/* --- refusing, by name --- */

static enum err refuse(struct scan *scan, enum err err, const char *text)
{
    return field_refuse(scan->step, scan->problem, err, text);
}

static enum err spend(struct scan *scan, size_t bytes)
{
    if (bytes > scan->cost_max - scan->cost)
        return refuse(scan, ERR_TOO_LARGE, "the message takes more memory than one request may");
    scan->cost += bytes;
    return ERR_OK;
}

/* --- the pieces of the wire format --- */

static bool read_varint(struct span *span, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES && span->at < span->end; i++) {
        uint8_t byte = *span->at++;
        if (i == VARINT_BYTES - 1 && byte > 1) return false; /* more than 64 bits, or no end */
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool read_bytes(struct span *span, uint64_t size, struct span *out)
{
    if (size > (uint64_t)(span->end - span->at)) return false;
    *out = (struct span){span->at, span->at + size};
    span->at += size;
    return true;
}

/* A continuation byte whose value lies in [low, high]; the first one after some leads is narrower.
 */
static bool continues(const struct span *span, size_t at, uint8_t low, uint8_t high)
{
    return (size_t)(span->end - span->at) > at && span->at[at] >= low && span->at[at] <= high;
}

/* RFC 3629, table of well-formed sequences; NUL is refused too: C would cut the text there. */
static bool text_is_sound(struct span text)
{
    while (text.at < text.end) {
        uint8_t lead = *text.at;
        size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (lead == 0 || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4) return false;
        uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (size > 1 && !continues(&text, 1, low, high)) return false;
        for (size_t i = 2; i < size; i++)
            if (!continues(&text, i, 0x80, 0xbf)) return false;
        text.at += size;
    }
    return true;
}

/* --- one value, against its descriptor --- */

static enum err scan_varint(struct scan *scan, const ProtobufCFieldDescriptor *field,
                            uint64_t value)
{
    bool fits = true;
    bool fits_int32 = value <= INT32_MAX || value >= UINT64_MAX - INT32_MAX;
    if (field->type == PROTOBUF_C_TYPE_BOOL) fits = value <= 1;
    if (field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_SINT32)
        fits = value <= UINT32_MAX;
    if (field->type == PROTOBUF_C_TYPE_INT32) fits = fits_int32;
    if (field->type == PROTOBUF_C_TYPE_ENUM) fits = value <= INT32_MAX;
    if (!fits) return refuse(scan, ERR_INVALID, "the number is outside the range of its type");
    return ERR_OK;
}

static enum err scan_fixed(struct scan *scan, const ProtobufCFieldDescriptor *field,
                           const uint8_t *bytes)
{
    bool finite = true;
    if (field->type == PROTOBUF_C_TYPE_DOUBLE) {
        double value;
        memcpy(&value, bytes, sizeof value);
        finite = isfinite(value);
    } else if (field->type == PROTOBUF_C_TYPE_FLOAT) {
        float value;
        memcpy(&value, bytes, sizeof value);
        finite = isfinite(value);
    }
    return finite ? ERR_OK : refuse(scan, ERR_INVALID, "the number must be finite");
}

static enum err scan_scalar(struct scan *scan, const ProtobufCFieldDescriptor *field,
                            struct span *span)
{
    uint32_t wire_type = field_wire_type(field->type);
    uint64_t value = 0;
    struct span fixed;
    if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) {
        if (!read_varint(span, &value)) return refuse(scan, ERR_INVALID, "a varint does not end");
        return scan_varint(scan, field, value);
    }
    if (!read_bytes(span, wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4, &fixed))
        return refuse(scan, ERR_INVALID, "the value is cut off");
    return scan_fixed(scan, field, fixed.at);
}

static enum err scan_packed(struct scan *scan, const ProtobufCFieldDescriptor *field,
                            struct span values)
{
    enum err err = ERR_OK;
    while (err == ERR_OK && values.at < values.end) {
        err = spend(scan, 2 * sizeof(uint64_t));
        if (err == ERR_OK) err = scan_scalar(scan, field, &values);
    }
    return err;
}

static enum err scan_message(struct scan *scan, const ProtobufCMessageDescriptor *type,
                             struct span span, unsigned depth);

/* A length-prefixed value: text, bytes, a message, or packed numbers. */
static enum err scan_sized(struct scan *scan, const ProtobufCFieldDescriptor *field,
                           struct span value, unsigned depth)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return scan_message(scan, field->descriptor, value, depth + 1);
    if (field_wire_type(field->type) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return scan_packed(scan, field, value);
    if (field->type == PROTOBUF_C_TYPE_STRING && !text_is_sound(value))
        return refuse(scan, ERR_INVALID, "the text must be UTF-8 without NUL");
    return spend(scan, (size_t)(value.end - value.at) + 1 + ROUNDING);
}

static bool wire_type_allowed(const ProtobufCFieldDescriptor *field, uint32_t wire_type)
{
    if (wire_type == field_wire_type(field->type)) return true;
    return field->label == PROTOBUF_C_LABEL_REPEATED &&
           wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

static enum err scan_known(struct scan *scan, const ProtobufCFieldDescriptor *field, uint32_t index,
                           uint32_t wire_type, struct span *span, unsigned depth)
{
    if (index > 0 && field->label != PROTOBUF_C_LABEL_REPEATED)
        return refuse(scan, ERR_INVALID, "the field is given more than once");
    if (!wire_type_allowed(field, wire_type))
        return refuse(scan, ERR_INVALID, "the field has a wire type that does not fit its type");
    if (wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) return scan_scalar(scan, field, span);
    uint64_t size;
    struct span value;
    if (!read_varint(span, &size) || !read_bytes(span, size, &value))
        return refuse(scan, ERR_INVALID, "the field is longer than what holds it");
    return scan_sized(scan, field, value, depth);
}

/* A field of a newer peer: well-formed, otherwise passed over. */
static enum err scan_unknown(struct scan *scan, uint32_t wire_type, struct span *span)
{
    uint64_t size = wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4;
    bool varint = wire_type == PROTOBUF_C_WIRE_TYPE_VARINT;
    bool sized = wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    struct span value = {span->at, span->at};
    if ((varint || sized) && !read_varint(span, &size))
        return refuse(scan, ERR_INVALID, "a varint does not end");
    if (!varint && !read_bytes(span, size, &value))
        return refuse(scan, ERR_INVALID, "an unknown field is longer than what holds it");
    return spend(scan, FIELD_COST + (size_t)(value.end - value.at) + ROUNDING);
}

static enum err read_key(struct scan *scan, struct span *span, uint32_t *tag, uint32_t *wire_type)
{
    uint64_t key;
    if (!read_varint(span, &key)) return refuse(scan, ERR_INVALID, "a varint does not end");
    if (key > UINT32_MAX || key >> 3 == 0)
        return refuse(scan, ERR_INVALID, "a field number is outside the range of protobuf");
    *tag = (uint32_t)(key >> 3);
    *wire_type = (uint32_t)(key & 7);
    if (*wire_type == 3 || *wire_type == 4) return refuse(scan, ERR_INVALID, "groups are not used");
    if (*wire_type > 5) return refuse(scan, ERR_INVALID, "there is no such wire type");
    return ERR_OK;
}

static enum err scan_message(struct scan *scan, const ProtobufCMessageDescriptor *type,
                             struct span span, unsigned depth)
{
    CHECK(type->n_fields <= FIELDS_MAX);
    if (depth > DEPTH_MAX) return refuse(scan, ERR_INVALID, "messages are nested too deeply");
    uint32_t seen[FIELDS_MAX] = {0};
    enum err err = spend(scan, type->sizeof_message + ROUNDING);
    while (err == ERR_OK && span.at < span.end) {
        uint32_t tag = 0, wire_type = 0;
        err = read_key(scan, &span, &tag, &wire_type);
        if (err != ERR_OK) break;
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, tag);
        if (field == NULL) {
            err = scan_unknown(scan, wire_type, &span);
            continue;
        }
        uint32_t index = seen[field - type->fields]++;
        const struct field_step step = {scan->step, field, index};
        scan->step = &step;
        err = spend(scan, FIELD_COST);
        if (err == ERR_OK) err = scan_known(scan, field, index, wire_type, &span, depth);
        scan->step = step.before;
    }
    return err;
}

/* --- the doors --- */

static void *take_from_arena(void *arena, size_t size)
{
    return arena_take(arena, size);
}

static void leave_to_arena(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

enum err message_decode(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
                        struct arena *arena, ProtobufCMessage **out, struct problem *problem)
{
    static const uint8_t nothing[1];
    const uint8_t *start = size == 0 ? nothing : bytes;
    struct scan scan = {.cost_max = arena->cap - arena->used, .problem = problem};
    enum err err = scan_message(&scan, type, (struct span){start, start + size}, 0);
    if (err != ERR_OK) return err;
    ProtobufCAllocator allocator = {take_from_arena, leave_to_arena, arena};
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, size, start);
    if (message == NULL)
        return problem_set(problem, ERR_TOO_LARGE, "",
                           "the message takes more memory than allowed");
    *out = message;
    return ERR_OK;
}

ProtobufCBinaryData message_encode(const ProtobufCMessage *message, struct arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_need(arena, size == 0 ? 1 : size);
    CHECK(protobuf_c_message_pack(message, bytes) == size);
    return (ProtobufCBinaryData){size, bytes};
}

bool method_find(const char *name, struct method *out)
{
    enum { SERVICES = 5 };
    const ProtobufCServiceDescriptor *const services[SERVICES] = {
        &callout__field__descriptor, &callout__dispatch__descriptor, &callout__people__descriptor,
        &callout__roster__descriptor, &callout__inner__descriptor};
    for (size_t i = 0; i < SERVICES; i++) {
        const ProtobufCMethodDescriptor *method =
            protobuf_c_service_descriptor_get_method_by_name(services[i], name);
        if (method == NULL) continue;
        *out = (struct method){method, services[i]};
        return true;
    }
    return false;
}
