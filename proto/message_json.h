/* message_json.h - messages as JSON and back, by their descriptors: the canonical mapping of
 * proto3.
 *
 * Names are in lowerCamelCase (read: also as the contract writes them), 64-bit integers are text
 * (read: also numbers), enums go by name (read: also by number), bytes are base64 (read: also the
 * URL's alphabet, padded or not), and what has its type's zero is left out. Numbers must be finite.
 * Source: protobuf.dev, "ProtoJSON Format".
 *
 * Idea: JSON from outside never becomes a struct by a way of its own. It becomes the bytes of its
 * message, and those go through message_decode like everybody's.
 */
#ifndef CALLOUT_MESSAGE_JSON_H
#define CALLOUT_MESSAGE_JSON_H

#include "message.h"

#include <jansson.h>

/* The caller's to json_decref. */
json_t *message_json(const ProtobufCMessage *message);

enum { MESSAGE_JSON_NAME_SIZE = 96 };

/* The JSON name of a field: technician_id is technicianId. */
void message_json_name(const char *name, char out[MESSAGE_JSON_NAME_SIZE]);

/* The packed message of type `type` that this text says, in the arena; at most LIMIT_MESSAGE bytes.
 * A name that the message does not have is refused, as is a name or a member of a oneof that comes
 * twice. ERR_INVALID, ERR_TOO_LARGE: *problem names the field, or the line of what is no JSON. */
MUST_USE enum err message_from_json(const ProtobufCMessageDescriptor *type, const char *text,
                                    size_t size, struct arena *arena, ProtobufCBinaryData *out,
                                    struct problem *problem);

#endif
