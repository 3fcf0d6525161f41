/* transport.h - what carries a channel's requests: sockets, or a network that a simulation made up.
 *
 * Idea: a loop may carry a transport (client_loop_carry); without one its channels use sockets. A
 * transport keeps its own end of each line and promises what REQ promises:
 *   T1  the request that is out is sent again with each new connection, until a reply to it came:
 *       it may arrive more than once. A connection on which it has waited for resend_ms is ended,
 *       or (as nng does) the request is sent on it again
 *   T2  one reply per request is handed up, later and never from within ask; a reply to an earlier
 *       request is dropped
 *   T3  between two tries to connect a line waits a random time, the longer the longer its
 *       connection has been gone (transport_waits)
 *
 * Owner: the transport is kept until the loop is closed; an end from open until close.
 * Thread: the loop's.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_TRANSPORT_H
#define CALLOUT_GATEWAY_CLIENT_TRANSPORT_H

#include "gateway/client/channel.h"

struct channel_transport {
    void *network; /* what open is given */
    /* The options are borrowed; on_reply and its context are not for the transport. */
    enum err (*open)(void *network, struct channel *channel, const struct channel_options *options,
                     void **end, struct problem *problem);
    void (*close)(void *end); /* nothing is handed up after it */
    enum err (*online)(void *end, bool online, struct problem *problem);
    void (*ask)(void *end, const void *bytes, size_t size); /* copies */
    bool (*connected)(const void *end);
};

extern const struct channel_transport transport_sp;

/* The reply to the request that is out; bytes NULL: there will be none, ask again later. */
void channel_answer(struct channel *channel, const uint8_t *bytes, size_t size);
struct client_loop *channel_loop(const struct channel *channel);

/* A wait is random below wait_ms once the connection has been gone for gone_us. */
struct transport_wait {
    int64_t gone_us;
    uint32_t wait_ms;
};
enum { TRANSPORT_WAITS = 4 };
extern const struct transport_wait transport_waits[TRANSPORT_WAITS];

#endif
