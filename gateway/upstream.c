#include "gateway/upstream.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/limits.h"
#include "gateway/ports.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

#define NO_ASK UINT32_MAX

struct ask {
    upstream_done *done; /* NULL: free */
    void *context;
    int64_t asked_us;
    uint32_t next_free;
};

struct upstream {
    const struct gateway_ports *ports;
    struct arena arena;        /* of one question */
    struct arena answer_arena; /* of one answer; while it is looked at, more may be asked */
    struct ask asks[UPSTREAM_IN_FLIGHT_MAX];
    uint32_t first_free, in_flight;
    bool abandoned; /* what is still answered is nobody's any more */
    /* The newest envelope's: */
    uint64_t log_epoch, log_seq;
    int64_t server_time_us, heard_mono_us; /* 0: never heard of it */
    double clock_rate;
};

static int64_t now_us(const struct upstream *upstream)
{
    return upstream->ports->now_us(upstream->ports->context);
}

/* --- answers --- */

static void remember(struct upstream *upstream, const Callout__Reply *reply)
{
    if (reply->log_epoch == 0) return; /* an error before the store was open */
    bool same_log = reply->log_epoch == upstream->log_epoch;
    if (!same_log || reply->log_seq > upstream->log_seq) upstream->log_seq = reply->log_seq;
    upstream->log_epoch = reply->log_epoch;
    upstream->server_time_us = reply->server_time_us;
    upstream->clock_rate = reply->clock_rate;
    upstream->heard_mono_us = now_us(upstream);
}

static void finish(struct upstream *upstream, uint32_t index, struct upstream_answer *answer)
{
    struct ask ask = upstream->asks[index];
    CHECK(ask.done != NULL);
    upstream->asks[index] = (struct ask){.next_free = upstream->first_free};
    upstream->first_free = index;
    upstream->in_flight--;
    answer->took_us = now_us(upstream) - ask.asked_us;
    ask.done(ask.context, answer);
}

void upstream_answered(struct upstream *upstream, uint64_t cookie, enum err err,
                       const uint8_t *reply, size_t size)
{
    struct upstream_answer answer = {.err = err};
    ProtobufCMessage *message = NULL;
    struct arena *arena = &upstream->answer_arena;
    CHECK(cookie < UPSTREAM_IN_FLIGHT_MAX);
    if (upstream->abandoned) return;
    arena_rewind(arena);
    if (err == ERR_OK &&
        message_decode(&callout__reply__descriptor, reply, size, arena, &message, NULL) != ERR_OK)
        answer.err = ERR_IO;
    answer.reply = (const Callout__Reply *)message;
    if (answer.reply != NULL) remember(upstream, answer.reply);
    finish(upstream, (uint32_t)cookie, &answer);
}

void upstream_abandon(struct upstream *upstream)
{
    upstream->abandoned = true;
    for (uint32_t i = 0; i < UPSTREAM_IN_FLIGHT_MAX; i++) {
        struct upstream_answer answer = {.err = ERR_RETRY};
        if (upstream->asks[i].done != NULL) finish(upstream, i, &answer);
    }
}

/* --- life --- */

struct upstream *upstream_open(const struct gateway_ports *ports)
{
    struct upstream *upstream = calloc(1, sizeof *upstream);
    CHECK(upstream != NULL);
    upstream->ports = ports;
    arena_open(&upstream->arena, 4 * LIMIT_INNER_MESSAGE);
    arena_open(&upstream->answer_arena, 4 * LIMIT_INNER_MESSAGE);
    upstream->first_free = NO_ASK;
    for (uint32_t i = UPSTREAM_IN_FLIGHT_MAX; i-- > 0;) {
        upstream->asks[i].next_free = upstream->first_free;
        upstream->first_free = i;
    }
    return upstream;
}

void upstream_close(struct upstream *upstream)
{
    arena_close(&upstream->arena);
    arena_close(&upstream->answer_arena);
    free(upstream);
}

/* --- questions --- */

enum err upstream_ask(struct upstream *upstream, const char *method, ProtobufCBinaryData body,
                      uint32_t deadline_ms, upstream_done *done, void *context)
{
    uint32_t index = upstream->first_free;
    if (upstream->abandoned) return ERR_RETRY;
    if (index == NO_ASK) return ERR_BUSY;
    union {
        const char *constant;
        char *text;
    } name = {method}; /* packing only reads it */
    Callout__Request request;
    callout__request__init(&request);
    request.proto_major = 1;
    request.deadline_ms = deadline_ms;
    request.method = name.text;
    request.body = body;
    arena_rewind(&upstream->arena);
    ProtobufCBinaryData bytes = message_encode(&request.base, &upstream->arena);
    const struct gateway_ports *ports = upstream->ports;
    enum err err = ports->ask(ports->context, index, bytes.data, bytes.len, deadline_ms);
    if (err != ERR_OK) return err;
    upstream->first_free = upstream->asks[index].next_free;
    upstream->asks[index] = (struct ask){done, context, now_us(upstream), NO_ASK};
    upstream->in_flight++;
    return ERR_OK;
}

/* --- what is known --- */

void upstream_stamp(const struct upstream *upstream, Callout__Reply *reply)
{
    if (reply->log_epoch != 0 || upstream->heard_mono_us == 0) return;
    int64_t since_us = now_us(upstream) - upstream->heard_mono_us;
    reply->log_epoch = upstream->log_epoch;
    reply->log_seq = upstream->log_seq;
    reply->server_time_us =
        upstream->server_time_us + (int64_t)((double)since_us * upstream->clock_rate);
    reply->clock_rate = upstream->clock_rate;
}

uint64_t upstream_log_seq(const struct upstream *upstream)
{
    return upstream->log_seq;
}

uint32_t upstream_in_flight(const struct upstream *upstream)
{
    return upstream->in_flight;
}
