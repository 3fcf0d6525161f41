/* signed_bytes.h - what a device's key signs, to the byte: its Hello and its commands.
 *
 * Idea: a label that no other signature begins with and a zero byte, then each value with its
 * length before it (4 bytes), numbers least byte first. So no two different things have the same
 * bytes, and whoever writes a client in another language needs nothing of protobuf for Hello.
 *
 * Owner: the bytes lie in the caller's arena.
 */
#ifndef CALLOUT_SIGNED_BYTES_H
#define CALLOUT_SIGNED_BYTES_H

#include "base/arena.h"
#include "pb/field.pb-c.h"

/* Of a Hello to the installation of that name; its signature is not looked at. */
ProtobufCBinaryData signed_hello(const Callout__HelloRequest *hello, const char *server_name,
                                 struct arena *arena);
/* Of a command by that device; its signature is left out. */
ProtobufCBinaryData signed_command(const Callout__Command *command, const char *device_id,
                                   uint32_t epoch, struct arena *arena);

#endif
