/* http_streams.c - GET /api/stream: what changes, for as long as a page is open.
 *
 * Idea: a stream is an asker like others, who never gets tired: it asks EventFeed from its cursor,
 * is held and woken as every poll is, writes what came, and asks again on the next tick. So rights,
 * sessions and limits are those of any EventFeed, and what changes within a tick comes as one.
 *
 *      asked once, not held --refused--> an ordinary answer with its status
 *            | OK
 *      the head, the first event --tick--> asked and held --OK--> an event --tick--> ...
 *                                                 \-- over: the last event says why
 *
 * I1: http->streams.list has each stream that lives, and each has its ask's request; on_left and
 * end take both away.
 */
#include "gateway/http_impl.h"

#include "base/check.h"
#include "base/clock.h"
#include "gateway/shell.h"
#include "message_json.h"
#include "pb/dispatch.pb-c.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STREAMS_PER_SESSION = 6,
    UNREAD_MAX = 256 * 1024, /* bytes that he has not taken: then he is gone, or too slow */
    BEAT_S = 15,
    BEAT_S_MAX = 60,
    AGAIN_US = 1000000, /* after a refusal that passes */
};

struct stream {
    struct ask *ask;
    uint64_t epoch, seq; /* what he has; epoch 0: not known */
    int64_t next_us, written_us, beat_us;
    bool asking, begun;
    size_t token_size;
    uint8_t token[HTTP_TOKEN_MAX];
};

static int64_t now_us(void)
{
    return clock_mono_us();
}

/* --- cursors --- */

static bool read_number(const char **text, uint64_t *out)
{
    size_t size = strspn(*text, "0123456789");
    if (size == 0 || size > 20) return false;
    errno = 0;
    *out = strtoull(*text, NULL, 10);
    *text += size;
    return errno == 0; /* an epoch has all 64 bits, and no more */
}

/* EPOCH-SEQ, as in log_epoch and log_seq of any reply. */
static bool read_cursor(const char *text, struct stream *out)
{
    bool right = read_number(&text, &out->epoch) && *text++ == '-' && read_number(&text, &out->seq);
    return right && (*text == '\0' || *text == '&');
}

/* ?cursor=EPOCH-SEQ and &beat=SECONDS; a browser that comes back by itself says Last-Event-ID. */
static enum err read_query(struct evhttp_request *request, struct stream *out,
                           struct problem *problem)
{
    const char *query = strchr(evhttp_request_get_uri(request), '?');
    const char *last = http_header(request, "Last-Event-ID");
    const char *cursor = query == NULL ? NULL : strstr(query, "cursor=");
    const char *beat = query == NULL ? NULL : strstr(query, "beat=");
    uint64_t seconds = BEAT_S;
    if (beat != NULL) {
        beat += 5;
        if (!read_number(&beat, &seconds) || seconds < 1 || seconds > BEAT_S_MAX)
            return problem_set(problem, ERR_INVALID, "beat", "1 to %d seconds", BEAT_S_MAX);
    }
    out->beat_us = (int64_t)seconds * US_PER_SECOND;
    if (last[0] != '\0' ? read_cursor(last, out) : cursor != NULL && read_cursor(cursor + 7, out))
        return ERR_OK;
    return problem_set(problem, ERR_INVALID, "cursor",
                       "must be EPOCH-SEQ: logEpoch and logSeq of the answer to go on from");
}

/* --- the end --- */

static void forget(struct http *http, struct stream *stream)
{
    struct streams *streams = &http->streams;
    unsigned i = 0;
    while (streams->list[i] != stream)
        i++;
    streams->list[i] = streams->list[--streams->count];
    http->counters.streams = streams->count;
    sodium_memzero(stream->token, sizeof stream->token);
    free(stream);
}

/* The client is gone. */
static void on_left(struct evhttp_connection *connection, void *context)
{
    struct ask *ask = context;
    forget(ask->http, ask->stream);
    http_ask_left(connection, ask);
}

static void end(struct http *http, struct stream *stream)
{
    struct ask *ask = stream->ask;
    struct evhttp_request *request = ask->request;
    forget(http, stream);
    http_ask_free(ask);
    http_done(http, request);
}

/* --- writing --- */

/* One event. False: he does not take what he is sent, and is cut off; `stream` is gone. */
static bool write_event(struct http *http, struct stream *stream, const char *name,
                        const char *data)
{
    struct evhttp_request *request = stream->ask->request;
    struct evbuffer *out = evbuffer_new();
    CHECK(out != NULL);
    size_t unread = evbuffer_get_length(bufferevent_get_output(http_stream_of(request)));
    if (unread > UNREAD_MAX) {
        evbuffer_free(out);
        http->counters.streams_dropped++;
        http_cut(request);
        end(http, stream);
        return false;
    }
    evbuffer_add_printf(out, "event: %s\n", name);
    if (stream->epoch != 0)
        evbuffer_add_printf(out, "id: %" PRIu64 "-%" PRIu64 "\n", stream->epoch, stream->seq);
    evbuffer_add_printf(out, "data: %s\n\n", data);
    http->counters.bytes_out += evbuffer_get_length(out);
    stream->written_us = now_us();
    evhttp_send_reply_chunk(request, out);
    evbuffer_free(out);
    return true;
}

static bool write_json(struct http *http, struct stream *stream, const char *name, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT); /* a line: JSON has no line ends within it */
    CHECK(text != NULL);
    bool goes_on = write_event(http, stream, name, text);
    free(text);
    json_decref(json);
    return goes_on;
}

static void write_head(struct stream *stream)
{
    struct evhttp_request *request = stream->ask->request;
    http_put_headers(request, "text/event-stream", 0);
    http_put_header(request, "X-Accel-Buffering", "no"); /* nginx passes each event on at once */
    evhttp_send_reply_start(request, 200, "OK");
    stream->begun = true;
}

/* Nothing happened for a while: the line is open, and this is how things stand. */
static void beat(struct http *http, struct stream *stream)
{
    Callout__Reply reply;
    const struct gateway *gateway = &http->shell->gateway;
    callout__reply__init(&reply);
    reply.status = hold_healthy(gateway) ? CALLOUT__STATUS__OK : CALLOUT__STATUS__BUSY;
    upstream_stamp(gateway->upstream, &reply);
    write_json(http, stream, "beat", http_reply_json(&reply, NULL));
}

/* --- asking --- */

static void ask_feed(struct http *http, struct stream *stream)
{
    Callout__Request envelope;
    Callout__EventFeedRequest feed;
    callout__request__init(&envelope);
    callout__event_feed_request__init(&feed);
    arena_rewind(&http->request_arena);
    feed.after_seq = stream->seq;
    feed.hold_ms = stream->begun ? LIMIT_HOLD_MS : 0;
    envelope.proto_major = 1;
    envelope.method = (char *)(uintptr_t) "EventFeed";
    envelope.session_token = (ProtobufCBinaryData){stream->token_size, stream->token};
    envelope.body = message_encode(&feed.base, &http->request_arena);
    ProtobufCBinaryData bytes = message_encode(&envelope.base, &http->request_arena);
    stream->asking = true;
    http_ask_edge(stream->ask, bytes); /* it may be answered before it returns */
}

static bool passes(enum err err)
{
    return err == ERR_BUSY || err == ERR_RETRY || err == ERR_RATE || err == ERR_IO ||
           err == ERR_SUPERSEDED;
}

/* He is told why there is no more; he reads everything again, or logs in. */
static void say_over(struct http *http, struct stream *stream, const Callout__Reply *reply)
{
    bool reset = reply->status == CALLOUT__STATUS__RESET;
    if (write_json(http, stream, reset ? "reset" : "over", http_reply_json(reply, NULL)))
        end(http, stream);
}

static void refuse(struct http *http, struct stream *stream, const Callout__Reply *reply)
{
    struct ask *ask = stream->ask;
    struct evhttp_request *request = ask->request;
    forget(http, stream);
    http_ask_free(ask);
    http_put_headers(request, "application/json", reply->retry_after_ms);
    http_send_json(http, request, http_status_of((enum err)reply->status),
                   http_reply_json(reply, NULL));
}

static void take_events(struct http *http, struct stream *stream, const Callout__Reply *reply)
{
    ProtobufCMessage *body;
    if (message_decode(&callout__event_feed_reply__descriptor, reply->body.data, reply->body.len,
                       &http->reply_arena, &body, NULL) != ERR_OK)
        return;
    const Callout__EventFeedReply *feed = (const Callout__EventFeedReply *)body;
    bool first = !stream->begun;
    if (first) write_head(stream);
    stream->epoch = reply->log_epoch;
    stream->seq = feed->next_after_seq;
    if (first || feed->n_events > 0)
        write_json(http, stream, "changes", http_reply_json(reply, body));
}

void http_streams_reply(struct http *http, struct stream *stream, const Callout__Reply *reply)
{
    Callout__Reply other = *reply;
    bool same_log = stream->epoch == 0 || stream->epoch == reply->log_epoch;
    if (reply->status == CALLOUT__STATUS__OK && !same_log) other.status = CALLOUT__STATUS__RESET;
    enum err err = (enum err)other.status;
    stream->asking = false;
    stream->next_us = now_us();
    if (passes(err)) stream->next_us += AGAIN_US;
    if (err == ERR_OK)
        take_events(http, stream, reply);
    else if (!stream->begun)
        refuse(http, stream, &other);
    else if (!passes(err))
        say_over(http, stream, &other);
}

/* --- the door's side --- */

static enum err check_count(const struct http *http, const struct stream *fresh,
                            struct problem *problem)
{
    const struct streams *streams = &http->streams;
    unsigned same = 0;
    if (streams->count == STREAMS_MAX)
        return problem_set(problem, ERR_BUSY, "", "at most %d streams", STREAMS_MAX);
    for (unsigned i = 0; i < streams->count; i++)
        same += streams->list[i]->token_size == fresh->token_size &&
                sodium_memcmp(streams->list[i]->token, fresh->token, fresh->token_size) == 0;
    if (same < STREAMS_PER_SESSION) return ERR_OK;
    return problem_set(problem, ERR_RATE, "", "at most %d streams of one session",
                       STREAMS_PER_SESSION);
}

enum err http_streams_open(struct http *http, struct evhttp_request *request, const uint8_t *token,
                           size_t token_size, struct problem *problem)
{
    struct stream *stream = calloc(1, sizeof *stream);
    CHECK(stream != NULL && token_size <= sizeof stream->token);
    stream->token_size = token_size;
    if (token_size > 0) memcpy(stream->token, token, token_size);
    enum err err = read_query(request, stream, problem);
    if (err == ERR_OK) err = check_count(http, stream, problem);
    if (err != ERR_OK) {
        free(stream);
        return err;
    }
    stream->written_us = now_us();
    stream->ask = http_ask_new(http, request);
    stream->ask->stream = stream;
    http->streams.list[http->streams.count++] = stream;
    http->counters.streams = http->streams.count;
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_left, stream->ask);
    ask_feed(http, stream);
    return ERR_OK;
}

void http_streams_tick(struct http *http)
{
    struct streams *streams = &http->streams;
    bool stopping = http->shell->gateway.stopping;
    int64_t now = now_us();
    for (unsigned i = streams->count; i-- > 0;) { /* whoever ends gives his place to one seen */
        struct stream *stream = streams->list[i];
        if (stopping && stream->begun)
            end(http, stream);
        else if (!stream->asking && now >= stream->next_us)
            ask_feed(http, stream);
        else if (stream->begun && now - stream->written_us >= stream->beat_us)
            beat(http, stream);
    }
}

void http_streams_close(struct http *http)
{
    while (http->streams.count > 0)
        forget(http, http->streams.list[0]);
}
