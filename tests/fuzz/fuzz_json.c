/* JSON from anywhere becomes a message or a named problem; what it became says the same when it is
 * written as JSON and read again. The first byte chooses the method. */
#include "base/check.h"
#include "base/limits.h"
#include "message_json.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const ProtobufCMessageDescriptor *choose(uint8_t byte)
{
    unsigned index =
        byte % (callout__field__descriptor.n_methods + callout__dispatch__descriptor.n_methods);
    if (index < callout__field__descriptor.n_methods)
        return callout__field__descriptor.methods[index].input;
    return callout__dispatch__descriptor.methods[index - callout__field__descriptor.n_methods]
        .input;
}

static void write_and_read(const ProtobufCMessageDescriptor *type, ProtobufCBinaryData packed,
                           struct arena *arena)
{
    ProtobufCMessage *message = NULL;
    ProtobufCBinaryData again;
    struct problem problem = {{0}, {0}};
    if (message_decode(type, packed.data, packed.len, arena, &message, &problem) != ERR_OK) return;
    ProtobufCBinaryData plain = message_encode(message, arena);
    json_t *json = message_json(message);
    char *text = json_dumps(json, JSON_COMPACT);
    CHECK(text != NULL);
    enum err err = message_from_json(type, text, strlen(text), arena, &again, &problem);
    if (err == ERR_OK) {
        CHECK(message_decode(type, again.data, again.len, arena, &message, &problem) == ERR_OK);
        again = message_encode(message, arena);
        CHECK(again.len == plain.len && memcmp(again.data, plain.data, plain.len) == 0);
    } else {
        CHECK(err == ERR_TOO_LARGE); /* a longer text than was read: names in full, quotes */
    }
    free(text);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) return 0;
    struct arena arena;
    struct problem problem = {{0}, {0}};
    ProtobufCBinaryData packed;
    const ProtobufCMessageDescriptor *type = choose(bytes[0]);
    arena_open(&arena, 16 * (size_t)LIMIT_REQUEST_ARENA);
    enum err err =
        message_from_json(type, (const char *)bytes + 1, size - 1, &arena, &packed, &problem);
    CHECK(err == ERR_OK || problem.text[0] != '\0');
    if (err == ERR_OK) write_and_read(type, packed, &arena);
    arena_close(&arena);
    return 0;
}
