/* channel.h - one line to the gateway with one request at a time: bytes out, bytes back.
 *
 * Idea: the line reconnects by itself, and does so when a request was not answered for `resend_ms`;
 * what is not answered is sent again after each reconnect (transport.h has the promises). So a
 * request is never cancelled. Going offline ends the connection alone; the request waits and goes
 * out with the next one.
 *
 * Owner: channel_ask copies; the bytes of on_reply are borrowed until it returns.
 * Thread: the loop's.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_CHANNEL_H
#define CALLOUT_GATEWAY_CLIENT_CHANNEL_H

#include "gateway/client/loop.h"

struct channel;

struct channel_options {
    const char *url;     /* tcp://HOST:PORT, tls+tcp://HOST:PORT, ipc://PATH; or the transport's */
    const char *ca_file; /* PEM; needed for tls+tcp */
    const char
        *tls_name; /* the name that the server's certificate must carry; NULL: the URL's host */
    uint32_t resend_ms; /* longer than the server may hold a request */
    /* bytes NULL: the request was given up by the transport; ask again later. */
    void (*on_reply)(void *context, const uint8_t *bytes, size_t size);
    void *context;
};

/* The channel starts offline. */
MUST_USE enum err channel_open(struct channel **out, struct client_loop *loop,
                               const struct channel_options *options, struct problem *problem);
void channel_close(struct channel *channel); /* may be NULL; a request that is out is forgotten */

MUST_USE enum err channel_online(struct channel *channel, bool online, struct problem *problem);
/* Only when not busy. */
void channel_ask(struct channel *channel, const void *bytes, size_t size);
bool channel_busy(const struct channel *channel);
bool channel_connected(const struct channel *channel);

#endif
