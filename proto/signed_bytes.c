#include "signed_bytes.h"

#include "message.h"

#include <string.h>

struct writer {
    uint8_t *bytes;
    size_t size;
};

static void put_number(struct writer *out, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out->bytes[out->size++] = (uint8_t)(number >> (8 * i));
}

static void put_bytes(struct writer *out, const void *bytes, size_t size)
{
    put_number(out, size, 4);
    if (size > 0) memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static void put_text(struct writer *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

static void put_value(struct writer *out, uint64_t number, size_t size)
{
    put_number(out, size, 4);
    put_number(out, number, size);
}

static struct writer begin(const char *label, size_t room, struct arena *arena)
{
    size_t size = strlen(label) + 1;
    struct writer out = {arena_need(arena, size + room), size};
    memcpy(out.bytes, label, size);
    return out;
}

ProtobufCBinaryData signed_hello(const Callout__HelloRequest *hello, const char *server_name,
                                 struct arena *arena)
{
    size_t room = hello->nonce.len + strlen(hello->device_id) + strlen(server_name);
    struct writer out = begin("callout hello", room + 5 * 4 + 4 + 8, arena);
    put_bytes(&out, hello->nonce.data, hello->nonce.len);
    put_text(&out, hello->device_id);
    put_value(&out, hello->epoch, 4);
    put_text(&out, server_name);
    put_value(&out, (uint64_t)hello->device_time_us, 8);
    return (ProtobufCBinaryData){out.size, out.bytes};
}

ProtobufCBinaryData signed_command(const Callout__Command *command, const char *device_id,
                                   uint32_t epoch, struct arena *arena)
{
    Callout__Command bare = *command;
    bare.signature = (ProtobufCBinaryData){0, NULL};
    ProtobufCBinaryData packed = message_encode(&bare.base, arena);
    struct writer out = begin("callout command", packed.len + strlen(device_id) + 3 * 4 + 4, arena);
    put_text(&out, device_id);
    put_value(&out, epoch, 4);
    put_bytes(&out, packed.data, packed.len);
    return (ProtobufCBinaryData){out.size, out.bytes};
}
