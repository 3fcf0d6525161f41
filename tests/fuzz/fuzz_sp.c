/* Bytes on a connection, however they are cut: what becomes of them depends on the bytes alone, and
 * what is answered comes out whole. The first byte chooses the framing, the second how the rest is
 * cut; a request that begins with 'e' is answered, one with 'x' closes its connection. */
#include "base/check.h"
#include "base/digest.h"
#include "sp_connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MESSAGE_MAX = 512, DRAIN_MAX = 2048, OUTBOX_MAX = 4096, SLOT = 3 };

struct line {
    struct sp_connection *connection; /* NULL: it ended */
    struct sp_counters counters;
    struct sp_rules rules;
    struct digest seen;
    uint64_t answered; /* bytes, heads included */
};

static void note(struct line *line, uint64_t kind, uint32_t request, uint64_t size)
{
    digest_u64(&line->seen, kind);
    digest_u64(&line->seen, request);
    digest_u64(&line->seen, size);
}

static void on_greeting(void *context, uint32_t slot)
{
    struct line *line = context;
    CHECK(slot == SLOT && line->connection != NULL);
    note(line, 'h', 0, 0);
}

static void on_end(void *context, uint32_t slot)
{
    struct line *line = context;
    CHECK(slot == SLOT && line->connection != NULL);
    note(line, 'x', 0, 0);
    sp_connection_close(line->connection);
    line->connection = NULL;
}

static void on_message(void *context, uint32_t slot, uint32_t request, const uint8_t *bytes,
                       size_t size)
{
    struct line *line = context;
    CHECK(line->connection != NULL && size <= MESSAGE_MAX && request >> 31 == 1);
    note(line, 'm', request, size);
    digest_bytes(&line->seen, bytes, size);
    if (size > 0 && bytes[0] == 'x')
        on_end(context, slot);
    else if (size > 0 && bytes[0] == 'e' &&
             sp_connection_send(line->connection, request, bytes, size))
        line->answered += (line->rules.unix_framing ? 13u : 12u) + size;
}

static void on_oversize(void *context, uint32_t slot, uint32_t request, uint64_t size)
{
    struct line *line = context;
    CHECK(slot == SLOT && size > MESSAGE_MAX && size <= DRAIN_MAX);
    note(line, 'o', request, size);
}

/* Pieces of 1 to 64 bytes by chance; `cut` 0: all at once. */
static void feed(struct event_base *base, struct bufferevent *peer, const uint8_t *bytes,
                 size_t size, uint32_t cut)
{
    uint32_t word = cut;
    for (size_t at = 0; at < size;) {
        word = word * 1664525u + 1013904223u;
        size_t piece = cut == 0 ? size : 1 + (word >> 24) % 64;
        if (piece > size - at) piece = size - at;
        CHECK(bufferevent_write(peer, bytes + at, piece) == 0);
        event_base_loop(base, EVLOOP_NONBLOCK);
        at += piece;
    }
    for (int round = 0; round < 4; round++)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

/* What one way of cutting makes of the bytes. */
static uint64_t listen_to(const uint8_t *bytes, size_t size, bool unix_framing, uint32_t cut)
{
    static struct event_base *base; /* making one takes longer than all the rest */
    struct line line = {.seen = digest_start()};
    struct bufferevent *pair[2];
    if (base == NULL) base = event_base_new();
    CHECK(base != NULL && bufferevent_pair_new(base, 0, pair) == 0);
    line.rules = (struct sp_rules){.unix_framing = unix_framing,
                                   .message_max = MESSAGE_MAX,
                                   .outbox_max = OUTBOX_MAX,
                                   .drain_max = DRAIN_MAX,
                                   .greeting_ms = 60000,
                                   .frame_ms = 60000,
                                   .counters = &line.counters,
                                   .context = &line,
                                   .on_message = on_message,
                                   .on_oversize = on_oversize,
                                   .on_greeting = on_greeting,
                                   .on_end = on_end};
    bufferevent_enable(pair[1], EV_READ | EV_WRITE);
    line.connection = sp_connection_open(&line.rules, pair[0], SLOT);
    feed(base, pair[1], bytes, size, cut);
    if (line.connection != NULL) { /* what was answered is there, behind the greeting */
        size_t unsent = sp_connection_unsent(line.connection);
        size_t sent = evbuffer_get_length(bufferevent_get_input(pair[1]));
        CHECK(sent + unsent == 8 + line.answered);
        note(&line, 'a', 0, line.answered);
        sp_connection_close(line.connection);
    }
    note(&line, 'r', 0, line.counters.refused_frame + line.counters.refused_size);
    note(&line, 'g', 0, line.counters.refused_greeting);
    bufferevent_free(pair[1]);
    event_base_loop(base, EVLOOP_NONBLOCK);
    return line.seen.state;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) return 0;
    bool unix_framing = (bytes[0] & 1) != 0;
    uint64_t whole = listen_to(bytes + 2, size - 2, unix_framing, 0);
    CHECK(listen_to(bytes + 2, size - 2, unix_framing, 1u + bytes[1]) == whole);
    return 0;
}
