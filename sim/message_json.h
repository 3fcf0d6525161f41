/* message_json.h - a message as JSON, by its descriptor: the canonical mapping of proto3 (names in
 * lowerCamelCase, 64-bit integers as text, enums by name, what is not set left out). */
#ifndef CALLOUT_SIM_MESSAGE_JSON_H
#define CALLOUT_SIM_MESSAGE_JSON_H

#include "message.h"

#include <jansson.h>

/* The caller's to json_decref. Bytes fields are left out: no answer of ours has one. */
json_t *message_json(const ProtobufCMessage *message);

#endif
