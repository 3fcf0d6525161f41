/* message.h - bytes to message and back, safely: the only way that outside bytes become structs.
 *
 * protobuf-c has no recursion limit, no UTF-8 or NUL check, and hostile input can make it
 * take 90 times its size in memory. So every message is scanned first against its own descriptor
 * (depth, counts, sizes, wire types, no groups, valid UTF-8 without NUL), then unpacked into an
 * arena with a cap. A newer peer's unknown fields are passed over, and its unknown enum values come
 * through as they are, for the operation to refuse: a device's outbox must not stick at one
 * command.
 *
 * Owner: a decoded message lives in the arena that the caller gave; it is never freed by itself.
 */
#ifndef CALLOUT_MESSAGE_H
#define CALLOUT_MESSAGE_H

#include "base/arena.h"
#include "base/err.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

/* Decodes; on failure *problem names the field (a path such as "work_order.windows[0]"). */
MUST_USE enum err message_decode(const ProtobufCMessageDescriptor *type, const void *bytes,
                                 size_t size, struct arena *arena, ProtobufCMessage **out,
                                 struct problem *problem);

/* Packs into the arena; never fails for messages of ours below LIMIT_REPLY (CHECK). */
ProtobufCBinaryData message_encode(const ProtobufCMessage *message, struct arena *arena);

/* The method `name` of any of our services, or NULL. */
struct method {
    const ProtobufCMethodDescriptor *method;
    const ProtobufCServiceDescriptor *service;
};
bool method_find(const char *name, struct method *out);

#endif
