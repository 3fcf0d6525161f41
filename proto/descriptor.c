#include "descriptor.h"

#include "base/check.h"

#include <stdbool.h>
#include <stdio.h>

ProtobufCWireType field_wire_type(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM: return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
    CHECK(false); /* proto3 has no other type */
    return PROTOBUF_C_WIRE_TYPE_VARINT;
}

enum { PATH_SIZE = sizeof((struct problem *)0)->field };

/* Writes the path down to a step, as much of it as there is room for, and returns its length. */
static size_t write_path(const struct field_step *step, char path[PATH_SIZE])
{
    if (step == NULL) return 0;
    size_t before = write_path(step->before, path), room = PATH_SIZE - before;
    const char *dot = before == 0 ? "" : ".", *name = step->field->name;
    int length = step->field->label == PROTOBUF_C_LABEL_REPEATED
                     ? snprintf(path + before, room, "%s%s[%u]", dot, name, step->index)
                     : snprintf(path + before, room, "%s%s", dot, name);
    return (size_t)length < room ? before + (size_t)length : PATH_SIZE - 1;
}

enum err field_refuse(const struct field_step *step, struct problem *problem, enum err err,
                      const char *text)
{
    char path[PATH_SIZE] = "";
    write_path(step, path);
    return problem_set(problem, err, path, "%s", text);
}
