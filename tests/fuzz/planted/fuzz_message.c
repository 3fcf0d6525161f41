/* A planted bug: whether a number goes on is looked for behind the last byte. Found by the
 * sanitizer. */
#include "message.h"

enum err planted_decode(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
                        struct arena *arena, ProtobufCMessage **out,
                        struct problem *problem) __asm__("__wrap_message_decode");
enum err real_decode(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
                     struct arena *arena, ProtobufCMessage **out,
                     struct problem *problem) __asm__("__real_message_decode");

enum err planted_decode(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
                        struct arena *arena, ProtobufCMessage **out, struct problem *problem)
{
    const volatile uint8_t *end = (const uint8_t *)bytes + size;
    if (size >= 8 && end[-1] == 0x80 && end[0] == 0x80) size--;
    return real_decode(type, bytes, size, arena, out, problem);
}
