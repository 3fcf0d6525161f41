/* sp_connection.h - one peer: greeting, then messages in, replies out. Private to the listener.
 *
 *      GREETING --8 good bytes--> HEAD --length--> BODY --request--> HEAD
 *                                   \--length too large--> DRAIN --oversize--> HEAD
 *
 * A silent or slow peer is bounded by one timer: it runs during the greeting and from the first
 * byte of a message to its last; between messages a connection may rest as long as it likes.
 *
 * Owner: the listener, which learns by on_end that the connection has to go and then closes it; no
 * callback comes after that. Closing from inside a callback is allowed.
 */
#ifndef CALLOUT_SP_CONNECTION_H
#define CALLOUT_SP_CONNECTION_H

#include "sp_listener.h"

struct bufferevent;
struct sp_connection;

/* What all connections of a listener share. */
struct sp_rules {
    bool unix_framing;              /* one byte 0x01 before each length */
    bool at_once;                   /* how replies are sent (sp_send.h) */
    size_t message_max, outbox_max; /* bytes */
    uint64_t drain_max;             /* 0: nothing is drained */
    unsigned greeting_ms, frame_ms;
    struct sp_counters *counters;
    void *context;
    void (*on_message)(void *context, uint32_t slot, uint32_t request, const uint8_t *bytes,
                       size_t size);
    void (*on_oversize)(void *context, uint32_t slot, uint32_t request, uint64_t size);
    void (*on_greeting)(void *context, uint32_t slot); /* it speaks SP */
    void (*on_end)(void *context, uint32_t slot);
};

/* Takes the bufferevent. `rules` is borrowed until the connection is closed. */
struct sp_connection *sp_connection_open(const struct sp_rules *rules, struct bufferevent *stream,
                                         uint32_t slot);
void sp_connection_close(struct sp_connection *connection);

/* Queues a reply. False: the peer reads too slowly, and the connection has to be closed. */
bool sp_connection_send(struct sp_connection *connection, uint32_t request, const void *bytes,
                        size_t size);
size_t sp_connection_unsent(const struct sp_connection *connection);
void sp_connection_push_out(struct sp_connection *connection);
int sp_connection_descriptor(const struct sp_connection *connection);

#endif
