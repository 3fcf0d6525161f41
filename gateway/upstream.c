#include "gateway/upstream.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "bus.h"
#include "message.h"

#include <event2/event.h>
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
    struct bus *bus;
    struct event *ready;
    struct arena arena; /* of one question or one answer */
    struct ask asks[UPSTREAM_IN_FLIGHT_MAX];
    uint32_t first_free, in_flight;
    /* The newest envelope's: */
    uint64_t log_epoch, log_seq;
    int64_t server_time_us, heard_mono_us; /* 0: never heard of it */
    double clock_rate;
};

/* --- answers --- */

static void remember(struct upstream *upstream, const Callout__Reply *reply)
{
    if (reply->log_epoch == 0) return; /* an error before the store was open */
    bool same_log = reply->log_epoch == upstream->log_epoch;
    if (!same_log || reply->log_seq > upstream->log_seq) upstream->log_seq = reply->log_seq;
    upstream->log_epoch = reply->log_epoch;
    upstream->server_time_us = reply->server_time_us;
    upstream->clock_rate = reply->clock_rate;
    upstream->heard_mono_us = clock_mono_us();
}

static void finish(struct upstream *upstream, uint32_t index, struct upstream_answer *answer)
{
    struct ask ask = upstream->asks[index];
    CHECK(ask.done != NULL);
    upstream->asks[index] = (struct ask){.next_free = upstream->first_free};
    upstream->first_free = index;
    upstream->in_flight--;
    answer->took_us = clock_mono_us() - ask.asked_us;
    ask.done(ask.context, answer);
}

static void finish_with(struct upstream *upstream, const struct bus_completion *completion)
{
    struct upstream_answer answer = {.err = completion->err};
    ProtobufCMessage *message = NULL;
    struct arena arena; /* its own: `done` may ask again */
    arena_open(&arena, 4 * LIMIT_INNER_MESSAGE);
    if (answer.err == ERR_OK &&
        message_decode(&callout__reply__descriptor, completion->reply, completion->reply_size,
                       &arena, &message, NULL) != ERR_OK)
        answer.err = ERR_IO;
    answer.reply = (const Callout__Reply *)message;
    if (answer.reply != NULL) remember(upstream, answer.reply);
    finish(upstream, (uint32_t)completion->cookie, &answer);
    arena_close(&arena);
}

void upstream_tick(struct upstream *upstream)
{
    struct bus_completion completion;
    while (bus_next(upstream->bus, &completion)) {
        finish_with(upstream, &completion);
        free(completion.reply);
    }
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    upstream_tick(context);
}

/* On a thread of nng's: libevent was told to expect it (evthread). */
static void wake_loop(void *context)
{
    struct upstream *upstream = context;
    event_active(upstream->ready, EV_READ, 0);
}

void upstream_abandon(struct upstream *upstream)
{
    for (uint32_t i = 0; i < UPSTREAM_IN_FLIGHT_MAX; i++) {
        struct upstream_answer answer = {.err = ERR_RETRY};
        if (upstream->asks[i].done != NULL) finish(upstream, i, &answer);
    }
}

/* --- life --- */

enum err upstream_open(struct upstream **out, struct event_base *base, const char *url,
                       struct problem *problem)
{
    struct upstream *upstream = calloc(1, sizeof *upstream);
    CHECK(upstream != NULL);
    arena_open(&upstream->arena, 4 * LIMIT_INNER_MESSAGE);
    upstream->first_free = NO_ASK;
    for (uint32_t i = UPSTREAM_IN_FLIGHT_MAX; i-- > 0;) {
        upstream->asks[i].next_free = upstream->first_free;
        upstream->first_free = i;
    }
    upstream->ready = event_new(base, -1, EV_PERSIST, on_ready, upstream);
    CHECK(upstream->ready != NULL);
    struct bus_options options = {.url = url,
                                  .in_flight_max = UPSTREAM_IN_FLIGHT_MAX,
                                  .on_ready = wake_loop,
                                  .context = upstream};
    enum err err = bus_open(&upstream->bus, &options, problem);
    if (err != ERR_OK) {
        upstream_close(upstream);
        return err;
    }
    *out = upstream;
    return ERR_OK;
}

void upstream_close(struct upstream *upstream)
{
    if (upstream == NULL) return;
    bus_close(upstream->bus);
    event_free(upstream->ready);
    arena_close(&upstream->arena);
    free(upstream);
}

/* --- questions --- */

enum err upstream_ask(struct upstream *upstream, const char *method, ProtobufCBinaryData body,
                      uint32_t deadline_ms, upstream_done *done, void *context)
{
    uint32_t index = upstream->first_free;
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
    enum err err = bus_ask(upstream->bus, index, bytes.data, bytes.len, deadline_ms);
    if (err != ERR_OK) return err;
    upstream->first_free = upstream->asks[index].next_free;
    upstream->asks[index] = (struct ask){done, context, clock_mono_us(), NO_ASK};
    upstream->in_flight++;
    return ERR_OK;
}

/* --- what is known --- */

void upstream_stamp(const struct upstream *upstream, Callout__Reply *reply)
{
    if (reply->log_epoch != 0 || upstream->heard_mono_us == 0) return;
    int64_t since_us = clock_mono_us() - upstream->heard_mono_us;
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
