/* Bytes from outside become messages or a named problem: never a crash, never more memory than the
 * arena's cap. The first byte chooses the method; what decodes must encode and decode again. */
#include "base/check.h"
#include "base/limits.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/fact.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/inner.pb-c.h"
#include "pb/people.pb-c.h"
#include "pb/roster.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const ProtobufCMessageDescriptor *choose(uint8_t byte)
{
    static const ProtobufCServiceDescriptor *const services[] = {
        &callout__field__descriptor, &callout__dispatch__descriptor, &callout__people__descriptor,
        &callout__roster__descriptor, &callout__inner__descriptor};
    unsigned index = byte;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        if (index < services[i]->n_methods) return services[i]->methods[index].input;
        index -= services[i]->n_methods;
    }
    return index % 2 == 0 ? &callout__request__descriptor : &callout__fact_body__descriptor;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) return 0;
    const ProtobufCMessageDescriptor *type = choose(bytes[0]);
    struct arena arena;
    struct problem problem = {0};
    ProtobufCMessage *message = NULL, *again = NULL;
    arena_open(&arena, LIMIT_REQUEST_ARENA);
    enum err err = message_decode(type, bytes + 1, size - 1, &arena, &message, &problem);
    CHECK(err == ERR_OK || problem.text[0] != '\0');
    if (err == ERR_OK) {
        struct arena other;
        arena_open(&other, 4 * (size_t)LIMIT_REQUEST_ARENA);
        ProtobufCBinaryData packed = message_encode(message, &other);
        CHECK(message_decode(type, packed.data, packed.len, &other, &again, &problem) == ERR_OK);
        arena_close(&other);
    }
    arena_close(&arena);
    return 0;
}
