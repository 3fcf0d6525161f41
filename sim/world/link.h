/* link.h - the simulated network between devices and keys on one side and the gateway on the other.
 *
 * Idea: a transport (gateway/client/transport.h) in virtual time. Each channel is a line with one
 * connection at a time; a message is under way for a while, may be lost, may arrive twice, may
 * arrive after later ones, and may take its connection with it. What REQ promises is kept: the
 * request that is out is sent again with each new connection and every resend_ms, so the gateway
 * may see a request more than once and the device may miss any reply.
 *   L1  a reply reaches its line only over the connection that the request came by, and only while
 *       that very request is out
 *   L2  a connection that ended on the device's side goes on living for the gateway for a while
 *       (linger): what is said to it is lost
 *   L3  lines with the same URL are one device: they lose their signal together
 *   L4  each line has a chance of its own, from the seed and its URL: what one device lives through
 *       does not change with what the others say
 *
 * A URL is sim://KIND/NAME, such as sim://phone/17 or sim://key/orders; KIND/ picks lines for a
 * cut. Owner: the loop and the server outlive the net; all channels are closed before it. Thread:
 * the loop's. Times are the loop's.
 */
#ifndef CALLOUT_SIM_WORLD_LINK_H
#define CALLOUT_SIM_WORLD_LINK_H

#include "gateway/client/loop.h"
#include "sp_listener.h"

/* How the network is; permille are of the messages, each way. */
struct link_conditions {
    int64_t latency_us;      /* one way, the median */
    uint32_t latency_spread; /* see sim/draw.h */
    uint32_t kbit_per_s;     /* of each line; 0: size does not matter */
    uint32_t lost, twice, late, breaking;
    int64_t late_us;   /* a late message takes up to so much longer: it may be overtaken */
    int64_t linger_us; /* the gateway goes on believing in a dead connection, at most */
};

extern const struct link_conditions link_good;  /* a town's mobile network on a usual day */
extern const struct link_conditions link_rough; /* of everything too much, for tests */

/* The gateway's end. `bytes` and `peer` (an IP address, the device's own) are borrowed. */
struct link_server {
    void *context;
    void (*request)(void *context, struct sp_ticket from, const char *peer, const uint8_t *bytes,
                    size_t size);
};

struct link_options {
    uint64_t seed;
    struct link_conditions conditions;
    struct link_server server;
    /* A line per event, for people and for comparing runs; NULL: none. */
    void (*trace)(void *context, const char *line);
    void *trace_context;
};

struct link_counters {
    uint64_t connects, breaks;
    uint64_t requests, requests_arrived; /* copies sent; resent ones count again */
    uint64_t resent;
    uint64_t replies, replies_arrived; /* arrived: and was still waited for */
    uint64_t lost, twice, late;
    uint64_t bytes_up, bytes_down;
    uint64_t digest; /* of all that happened, in order: equal runs have equal digests */
};

struct link_net;

/* The loop's channels go over the net from now on. */
struct link_net *link_open(struct client_loop *loop, const struct link_options *options);
void link_close(struct link_net *net);

/* How the network is from now on; what is under way is not touched. */
void link_set_conditions(struct link_net *net, const struct link_conditions *conditions);
/* The device of this URL loses so many more of the messages, each way. */
void link_worsen(struct link_net *net, const char *url, uint32_t lost);
/* So many permille of the devices whose URL begins with "sim://" and `kind` are out of reach until
 * then: their connections end, and no new one comes about. Chance says which. */
void link_cut(struct link_net *net, const char *kind, uint32_t permille, int64_t until_us);
/* The gateway is gone until then: every connection ends on both sides, what was under way is lost.
 */
void link_server_down(struct link_net *net, int64_t until_us);

/* A reply; the bytes are copied. To a ticket whose connection is gone it is dropped. */
void link_reply(struct link_net *net, struct sp_ticket to, const uint8_t *bytes, size_t size);
bool link_alive(const struct link_net *net, struct sp_ticket ticket);
struct link_counters link_counters(const struct link_net *net);

#endif
