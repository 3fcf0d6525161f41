#include "sp_connection.h"

#include "base/check.h"
#include "base/limits.h"
#include "sp_send.h"
#include "sp_wire.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum phase { GREETING, HEAD, BODY, DRAIN };

struct sp_connection {
    const struct sp_rules *rules;
    struct bufferevent *stream;
    struct event *deadline;
    enum phase phase;
    bool timing;      /* the deadline runs */
    bool in_callback; /* close now means: free when the callback is done */
    bool doomed;
    uint32_t slot;
    uint32_t request; /* DRAIN: the id, once it is known */
    uint64_t size;    /* BODY, DRAIN: of the whole message */
    uint64_t left;    /* DRAIN: what is still to come */
};

/* --- life --- */

static void destroy(struct sp_connection *connection)
{
    event_free(connection->deadline);
    bufferevent_free(connection->stream);
    free(connection);
}

static void end(struct sp_connection *connection, uint64_t *counter)
{
    if (counter != NULL) ++*counter;
    connection->rules->on_end(connection->rules->context, connection->slot);
}

static void start_deadline(struct sp_connection *connection, unsigned ms)
{
    struct timeval time = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
    event_add(connection->deadline, &time);
    connection->timing = true;
}

static void stop_deadline(struct sp_connection *connection)
{
    if (connection->timing) event_del(connection->deadline);
    connection->timing = false;
}

/* --- incoming --- */

/* Each step reads one piece: true when it did, false when more bytes are needed or the peer broke a
 * rule, in which case the connection is doomed. */

static bool step_greeting(struct sp_connection *connection, struct evbuffer *in)
{
    uint8_t bytes[SP_GREETING_SIZE];
    if (evbuffer_get_length(in) < sizeof bytes) return false;
    evbuffer_remove(in, bytes, sizeof bytes);
    if (memcmp(bytes, sp_greeting_of_req, sizeof bytes) != 0) {
        end(connection, &connection->rules->counters->refused_greeting);
        return false;
    }
    stop_deadline(connection);
    connection->phase = HEAD;
    connection->rules->on_greeting(connection->rules->context, connection->slot);
    return true;
}

static bool step_head(struct sp_connection *connection, struct evbuffer *in)
{
    const struct sp_rules *rules = connection->rules;
    uint8_t head[1 + SP_LENGTH_SIZE];
    size_t mark = rules->unix_framing ? 1 : 0, head_size = mark + SP_LENGTH_SIZE;
    if (evbuffer_get_length(in) < head_size) return false;
    evbuffer_remove(in, head, head_size);
    connection->size = connection->left = sp_read_number(head + mark, SP_LENGTH_SIZE);
    connection->request = 0;
    if ((mark == 1 && head[0] != SP_UNIX_MARK) || connection->size < SP_ID_SIZE) {
        end(connection, &rules->counters->refused_frame);
        return false;
    }
    if (connection->size <= rules->message_max + SP_ID_SIZE) {
        connection->phase = BODY;
        return true;
    }
    rules->counters->refused_size++;
    connection->phase = DRAIN;
    if (connection->size <= rules->drain_max) return true;
    end(connection, NULL);
    return false;
}

static bool step_body(struct sp_connection *connection, struct evbuffer *in)
{
    const struct sp_rules *rules = connection->rules;
    size_t size = (size_t)connection->size;
    if (evbuffer_get_length(in) < size) return false;
    const uint8_t *bytes = evbuffer_pullup(in, (ev_ssize_t)size);
    uint32_t request = (uint32_t)sp_read_number(bytes, SP_ID_SIZE);
    if (!sp_is_request_id(request)) {
        end(connection, &rules->counters->refused_frame);
        return false;
    }
    stop_deadline(connection);
    rules->counters->requests++;
    rules->on_message(rules->context, connection->slot, request, bytes + SP_ID_SIZE,
                      size - SP_ID_SIZE);
    evbuffer_drain(in, size);
    connection->phase = HEAD;
    return true;
}

static bool step_drain(struct sp_connection *connection, struct evbuffer *in)
{
    const struct sp_rules *rules = connection->rules;
    if (connection->request == 0) {
        uint8_t word[SP_ID_SIZE];
        if (evbuffer_get_length(in) < sizeof word) return false;
        evbuffer_remove(in, word, sizeof word);
        connection->left -= sizeof word;
        connection->request = (uint32_t)sp_read_number(word, sizeof word);
        if (!sp_is_request_id(connection->request)) {
            end(connection, &rules->counters->refused_frame);
            return false;
        }
    }
    size_t here = evbuffer_get_length(in);
    if (here > connection->left) here = (size_t)connection->left;
    evbuffer_drain(in, here);
    connection->left -= here;
    if (connection->left > 0) return false;
    stop_deadline(connection);
    connection->phase = HEAD;
    rules->on_oversize(rules->context, connection->slot, connection->request,
                       connection->size - SP_ID_SIZE);
    return true;
}

static bool step(struct sp_connection *connection, struct evbuffer *in)
{
    switch (connection->phase) {
    case GREETING: return step_greeting(connection, in);
    case HEAD: return step_head(connection, in);
    case BODY: return step_body(connection, in);
    case DRAIN: return step_drain(connection, in);
    }
    return false;
}

static void on_read(struct bufferevent *stream, void *context)
{
    struct sp_connection *connection = context;
    struct evbuffer *in = bufferevent_get_input(stream);
    connection->in_callback = true;
    while (!connection->doomed && step(connection, in) && !connection->doomed)
        ;
    connection->in_callback = false;
    if (connection->doomed) {
        destroy(connection);
        return;
    }
    bool partial = connection->phase != HEAD || evbuffer_get_length(in) > 0;
    if (partial && !connection->timing) start_deadline(connection, connection->rules->frame_ms);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    struct sp_connection *connection = context;
    struct sp_counters *counters = connection->rules->counters;
    uint64_t *counter = NULL;
    if ((what & BEV_EVENT_CONNECTED) != 0) return; /* the TLS handshake is done */
    if ((what & BEV_EVENT_TIMEOUT) != 0) counter = &counters->timed_out;
    if ((what & BEV_EVENT_ERROR) != 0 && connection->phase == GREETING &&
        bufferevent_openssl_get_ssl(stream) != NULL)
        counter = &counters->tls_failed;
    end(connection, counter);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    struct sp_connection *connection = context;
    (void)fd;
    (void)what;
    connection->timing = false;
    end(connection, &connection->rules->counters->timed_out);
}

struct sp_connection *sp_connection_open(const struct sp_rules *rules, struct bufferevent *stream,
                                         uint32_t slot)
{
    struct sp_connection *connection = calloc(1, sizeof *connection);
    CHECK(connection != NULL);
    connection->rules = rules;
    connection->stream = stream;
    connection->slot = slot;
    connection->deadline = evtimer_new(bufferevent_get_base(stream), on_deadline, connection);
    CHECK(connection->deadline != NULL);
    const struct timeval unread = {.tv_sec = LIMIT_UNREAD_MS / 1000};
    bufferevent_setcb(stream, on_read, NULL, on_event, connection);
    bufferevent_setwatermark(stream, EV_READ, 0, rules->message_max + 4096);
    bufferevent_set_timeouts(stream, NULL, &unread);
    bufferevent_write(stream, sp_greeting_of_rep, sizeof sp_greeting_of_rep);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
    start_deadline(connection, rules->greeting_ms);
    return connection;
}

void sp_connection_close(struct sp_connection *connection)
{
    if (!connection->in_callback) {
        destroy(connection);
        return;
    }
    connection->doomed = true; /* on_read is below us on the stack and still needs it */
    bufferevent_disable(connection->stream, EV_READ | EV_WRITE);
}

/* --- outgoing --- */

bool sp_connection_send(struct sp_connection *connection, uint32_t request, const void *bytes,
                        size_t size)
{
    const struct sp_rules *rules = connection->rules;
    uint8_t space[SP_HEAD_MAX];
    size_t head_size;
    CHECK(size <= rules->outbox_max);
    if (sp_connection_unsent(connection) > rules->outbox_max - size) return false;
    const uint8_t *head = sp_write_head(space, rules->unix_framing, request, size, &head_size);
    sp_send(connection->stream, rules->at_once, head, head_size, bytes, size);
    rules->counters->bytes_out += head_size + size;
    return true;
}

size_t sp_connection_unsent(const struct sp_connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->stream));
}

void sp_connection_push_out(struct sp_connection *connection)
{
    sp_push_out(connection->stream);
}

int sp_connection_descriptor(const struct sp_connection *connection)
{
    return bufferevent_getfd(connection->stream);
}
