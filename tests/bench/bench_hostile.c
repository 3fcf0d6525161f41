/* bench_hostile ROUNDS - what the worst messages cost their reader: envelope and body, decoded as
 * the gateway does it, in CPU time and in memory of the request's arena; against an honest Push
 * of the same size in the same run. A message that costs more than 4 MiB or 10 ms is named, and the
 * bench fails.
 */
#include "base/check.h"
#include "base/limits.h"
#include "figures.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/wire.pb-c.h"

#include <stdbool.h>
#include <string.h>

enum { ROUNDS_DEFAULT = 50, MS_MAX = 10, SIZE = LIMIT_MESSAGE - 1024, NOTE = 1150 };

/* Pieces over and over as the body of a method: of field `tag`, if it is not 0, in one message. */
static const struct bomb {
    const char *name, *method, *piece;
    size_t piece_size;
    uint32_t inside; /* the field of the body that holds them; 0: they are the body */
} bombs[] = {
    {"submessages", "UpsertWorkOrder", "\x5a\x00", 2, 1},
    {"submessages_few", "UpsertWorkOrder", "\x5a\x7e\x0a\x7c", 4, 0},
    {"unknown", "Ping", "\xf8\x07\x01", 3, 0},
    {"unknown_in_commands", "Push", "\x0a\x06\xf8\x07\x01\xf8\x07\x01", 8, 0},
    {"texts", "UpsertWorkOrder", "\x9a\x01\x01x", 4, 1},
    {"empty_texts", "UpsertTerritory", "\x12\x00", 2, 0},
    {"commands", "Push", "\x0a\x00", 2, 0},
    {"commands_with_bodies", "Push", "\x0a\x02\x52\x00", 4, 0},
    {"fixes", "Push", "\x0a\x0b\x7a\x09\x0a\x07\x12\x05\x08\x80\x01\x10\x02", 13, 0},
    {"singles", "CancelWorkOrder", "\x0a\x00", 2, 0},
    {"groups", "Ping", "\x0b", 1, 0},
    {"bad_text_at_the_end", "CancelWorkOrder", NULL, 0, 0},
};

static void put_varint(uint8_t *bytes, size_t *size, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes[(*size)++] = (uint8_t)(value | 0x80);
    bytes[(*size)++] = (uint8_t)value;
}

static size_t make_bomb(const struct bomb *bomb, size_t room, uint8_t *body)
{
    size_t size = 0;
    if (bomb->piece == NULL) { /* all of it is scanned before it is refused */
        body[size++] = 0x0a;
        put_varint(body, &size, room);
        memset(body + size, 'x', room);
        body[size + room - 1] = 0xff;
        return size + room;
    }
    room = room / bomb->piece_size * bomb->piece_size;
    if (bomb->inside != 0) {
        put_varint(body, &size, bomb->inside << 3 | 2);
        put_varint(body, &size, room);
    }
    for (size_t at = 0; at < room; at += bomb->piece_size)
        memcpy(body + size + at, bomb->piece, bomb->piece_size);
    return size + room;
}

/* As many commands as a Push may have, with reasons as long as they may be. */
static size_t make_push(uint8_t *body)
{
    static char note[NOTE + 1];
    static Callout__Command commands[LIMIT_BATCH_COMMANDS], *pointers[LIMIT_BATCH_COMMANDS];
    static Callout__StatusReport reports[LIMIT_BATCH_COMMANDS];
    Callout__PushRequest push;
    memset(note, 'n', NOTE);
    callout__push_request__init(&push);
    for (unsigned i = 0; i < LIMIT_BATCH_COMMANDS; i++) {
        callout__command__init(&commands[i]);
        callout__status_report__init(&reports[i]);
        reports[i].appointment_id = reports[i].reason = note;
        commands[i].seq = i + 1;
        commands[i].body_case = CALLOUT__COMMAND__BODY_STATUS;
        commands[i].status = &reports[i];
        reports[i].appointment_id = note + NOTE - 8;
        pointers[i] = &commands[i];
    }
    push.n_commands = LIMIT_BATCH_COMMANDS;
    push.commands = pointers;
    return callout__push_request__pack(&push, body);
}

struct cost {
    double ms, mib;
    enum err err;
};

static enum err read_request(const uint8_t *bytes, size_t size, struct arena *arena)
{
    ProtobufCMessage *message;
    struct problem problem;
    struct method method;
    enum err err =
        message_decode(&callout__request__descriptor, bytes, size, arena, &message, &problem);
    if (err != ERR_OK) return err;
    const Callout__Request *request = (const Callout__Request *)message;
    CHECK(method_find(request->method, &method));
    return message_decode(method.method->input, request->body.data, request->body.len, arena,
                          &message, &problem);
}

/* The fastest of the rounds: what the machine's other users took is not the message's. */
static struct cost measure(const char *name, uint8_t *body, size_t size, unsigned rounds)
{
    static uint8_t bytes[LIMIT_MESSAGE];
    union {
        const char *constant;
        char *text;
    } method = {name};
    struct arena arena;
    struct cost cost = {.ms = 1e9};
    Callout__Request request;
    callout__request__init(&request);
    request.proto_major = 1;
    request.method = method.text;
    request.body = (ProtobufCBinaryData){size, body};
    CHECK(callout__request__get_packed_size(&request) <= sizeof bytes);
    size_t all = callout__request__pack(&request, bytes);
    arena_open(&arena, LIMIT_REQUEST_ARENA);
    for (unsigned i = 0; i < rounds; i++) {
        arena_rewind(&arena);
        double from = cpu_ms();
        cost.err = read_request(bytes, all, &arena);
        double ms = cpu_ms() - from, mib = (double)arena.used / (1 << 20);
        if (ms < cost.ms) cost.ms = ms;
        if (mib > cost.mib) cost.mib = mib;
    }
    arena_close(&arena);
    return cost;
}

static bool tell(const char *name, const struct cost *cost, const struct cost *honest)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "hostile_%s", name);
    figure(prefix, "ms", cost->ms, "ms");
    figure(prefix, "times_honest", cost->ms / honest->ms, "ratio");
    figure(prefix, "arena_mib", cost->mib, "MiB");
    if (cost->ms <= MS_MAX && cost->mib <= (double)LIMIT_REQUEST_ARENA / (1 << 20)) return true;
    fprintf(stderr, "missed: %s costs %.2f ms and %.2f MiB\n", name, cost->ms, cost->mib);
    return false;
}

/* Of what is refused at its full size also the largest that is taken: that is unpacked too. */
static bool tell_both(const struct bomb *bomb, unsigned rounds, const struct cost *honest)
{
    static uint8_t body[LIMIT_MESSAGE];
    char name[64];
    size_t taken = 0, refused = SIZE - 16;
    size_t size = make_bomb(bomb, refused, body);
    struct cost cost = measure(bomb->method, body, size, rounds);
    bool good = tell(bomb->name, &cost, honest);
    if (cost.err != ERR_TOO_LARGE) return good;
    while (refused - taken > 64) {
        size_t half = taken + (refused - taken) / 2;
        size = make_bomb(bomb, half, body);
        if (measure(bomb->method, body, size, 1).err == ERR_OK)
            taken = half;
        else
            refused = half;
    }
    size = make_bomb(bomb, taken, body);
    cost = measure(bomb->method, body, size, rounds);
    snprintf(name, sizeof name, "%s_taken", bomb->name);
    return tell(name, &cost, honest) && good;
}

int main(int argc, char **argv)
{
    static uint8_t body[LIMIT_MESSAGE];
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    struct cost honest = measure("Push", body, make_push(body), rounds);
    CHECK(honest.err == ERR_OK);
    bool good = tell("honest_push", &honest, &honest);
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++)
        good = tell_both(&bombs[i], rounds, &honest) && good;
    return good ? 0 : 1;
}
