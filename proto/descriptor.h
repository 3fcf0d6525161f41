/* descriptor.h - what whoever walks a message by its descriptors needs: how a type stands on the
 * wire, and the name of a field that is wrong, such as "work_order.windows[0].end_us".
 *
 * Idea: the walker keeps one step for each level on its stack, and the path is written out only
 * where something is refused.
 */
#ifndef CALLOUT_DESCRIPTOR_H
#define CALLOUT_DESCRIPTOR_H

#include "base/err.h"

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

/* Of a single value. */
ProtobufCWireType field_wire_type(ProtobufCType type);

struct field_step {
    const struct field_step *before;
    const ProtobufCFieldDescriptor *field;
    uint32_t index; /* of a repeated field */
};

/* Refuses the field that `step` leads to (NULL: the message itself) and returns `err`. A path that
 * is longer than problem.field is cut at its end. */
enum err field_refuse(const struct field_step *step, struct problem *problem, enum err err,
                      const char *text);

#endif
