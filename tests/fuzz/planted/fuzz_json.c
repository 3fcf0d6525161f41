/* A planted bug: a text that ends within an escape is read on. Found by the sanitizer. */
#include "message_json.h"

enum err planted_read(const ProtobufCMessageDescriptor *type, const char *text, size_t size,
                      struct arena *arena, ProtobufCBinaryData *out,
                      struct problem *problem) __asm__("__wrap_message_from_json");
enum err real_read(const ProtobufCMessageDescriptor *type, const char *text, size_t size,
                   struct arena *arena, ProtobufCBinaryData *out,
                   struct problem *problem) __asm__("__real_message_from_json");

enum err planted_read(const ProtobufCMessageDescriptor *type, const char *text, size_t size,
                      struct arena *arena, ProtobufCBinaryData *out, struct problem *problem)
{
    const volatile char *end = text + size;
    if (size > 1 && text[0] == '{' && end[-1] == '\\' && end[0] == 'u') size--;
    return real_read(type, text, size, arena, out, problem);
}
