/* sp_listener.h - our end of every connection: a listener that speaks SP (nng's REQ) on libevent.
 *
 * Idea: stock nng dials tcp://, tls+tcp:// and ipc://; this is what it reaches. nng 1.5.2 must not
 * listen itself: strangers wedge it for good (nng #1518, #1594). A connection may have any number
 * of requests outstanding, and replies go out in any order: that is what lets a poll be held. Wire:
 * greeting both ways 00 'S' 'P' 00 <protocol, 16 bit big endian: REQ 0x30, ours REP 0x31> 00 00; a
 * message is an 8-byte big-endian length (on ipc one byte 0x01 before it), then the 4-byte request
 * id (top bit set), then the body. Relays (nng_device) put words of their own before the id: such
 * requests are refused, devices dial us directly.
 *
 * Owner: the caller owns the event_base; the listener owns its connections. A request is known by a
 * ticket (slot, generation, request id), never by a pointer: a ticket of a connection that is gone
 * is refused quietly, so tickets may be held in batches, polls and lists for as long as one likes.
 * Thread: the event_base's only. SIGPIPE is ignored process-wide from the first listener on.
 * Limits: limits.h (message size, greeting and frame deadlines, connections in all and per address,
 * unread reply bytes); a peer that breaks framing or a limit is closed, a request that is merely
 * wrong gets an error reply from whoever handles it.
 */
#ifndef CALLOUT_SP_LISTENER_H
#define CALLOUT_SP_LISTENER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct sp_listener;

struct sp_ticket {
    uint32_t slot, generation; /* the connection */
    uint32_t request;          /* the REQ id that the reply echoes */
};

/* One whole request. `bytes` is borrowed until return; `peer` is its address for logs and limits.
 */
typedef void sp_on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes,
                           size_t size);
/* A request of more than LIMIT_MESSAGE was read past without being stored. */
typedef void sp_on_oversize(void *context, struct sp_ticket ticket, uint64_t size);

struct sp_listener_options {
    const char *url; /* tcp://HOST:PORT, tls+tcp://HOST:PORT, ipc://PATH; port 0 picks one */
    const char *certificate_file; /* PEM chain, for tls+tcp only */
    const char *key_file;
    bool trusted; /* an inner socket: no per-address limit, replies up to 64 MiB unread */
    sp_on_request *on_request; /* may reply, but not close the listener */
    void *context;
    sp_on_oversize *on_oversize; /* NULL: too large a request closes the connection */
    bool unlimited_per_address;  /* a laboratory, where thousands of clients share one address */
    uint32_t deadline_ms;        /* for a greeting and for a message; 0: those of limits.h */
};

struct sp_counters {
    uint64_t accepted, closed, open, requests, replies, bytes_in, bytes_out;
    uint64_t refused_greeting, refused_frame, refused_size, refused_limit, timed_out, tls_failed;
    uint64_t dropped_replies; /* the connection was gone */
};

MUST_USE enum err sp_listener_open(struct sp_listener **out, struct event_base *base,
                                   const struct sp_listener_options *options,
                                   struct problem *problem);
void sp_listener_close(struct sp_listener *listener);
/* Who connects from now on gets this certificate; connections that there are keep theirs. Nothing
 * happens to a listener without TLS. An error leaves what there was. */
MUST_USE enum err sp_listener_renew(struct sp_listener *listener, const char *certificate_file,
                                    const char *key_file, struct problem *problem);

/* Sends a reply; the bytes are copied. False: the connection is gone, which is not an error. */
bool sp_reply(struct sp_listener *listener, struct sp_ticket ticket, const void *bytes,
              size_t size);
/* Gives the kernel now what it takes of the replies that wait, for a thread that will not be back
 * in its loop soon. */
void sp_listener_push_out(struct sp_listener *listener);
bool sp_ticket_alive(const struct sp_listener *listener, struct sp_ticket ticket);
/* The peer's address ("192.0.2.7", "unix"), or "" when it is gone. Valid until the next call. */
const char *sp_peer(const struct sp_listener *listener, struct sp_ticket ticket);
/* The port really bound, for tcp and tls. */
uint16_t sp_listener_port(const struct sp_listener *listener);
const struct sp_counters *sp_listener_counters(const struct sp_listener *listener);
/* Reply bytes that still wait for their readers: who stops cleanly runs the loop until none are
 * left. */
size_t sp_listener_unsent(const struct sp_listener *listener);

#endif
