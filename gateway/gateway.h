/* gateway.h - the gateway without its sockets: requests in, replies out, the dispatcher asked.
 *
 *      edge.c      a request comes in: envelope, session, limits, then forwarded or held
 *      hold.c      polls that wait (the rules are core/polls.h), and the follower that wakes them
 *      answer.c    replies to clients, from the dispatcher's answer or our own
 *      upstream.c  questions to the dispatcher, and what is known of it
 *
 * Who drives it (shell.h live, sim/world/hub.h in virtual time) calls edge_request for what comes
 * in, upstream_answered for what the dispatcher says, and hold_tick ten times a second.
 *
 * Owner: the caller. Thread: one. Whatever is here may vanish at any moment.
 */
#ifndef CALLOUT_GATEWAY_GATEWAY_H
#define CALLOUT_GATEWAY_GATEWAY_H

#include "base/arena.h"
#include "gateway/core/admission.h"
#include "gateway/core/polls.h"
#include "gateway/core/sessions.h"
#include "gateway/core/throttle.h"
#include "gateway/metrics.h"
#include "gateway/options.h"
#include "gateway/ports.h"
#include "gateway/upstream.h"

enum {
    GATEWAY_POLLS_MAX = LIMIT_CONNECTIONS,
    GATEWAY_SESSIONS_MAX = 16384,
    GATEWAY_BUCKETS_MAX = 65536,
    GATEWAY_WAITING_BYTES_MAX = 64 << 20, /* requests whose session is being asked about */
};

struct gateway;

/* Who waits for a reply, and to what. A plain value: the ticket may be dead by the time. */
struct asker {
    struct gateway *gateway;
    unsigned door;
    struct sp_ticket ticket;
    unsigned method; /* index in metrics */
    char request_id[LIMIT_ID + 1];
};

/* What a parked poll needs to be asked again and to be answered. */
struct held {
    struct asker asker;
    bool feed;                    /* EventFeed, else Pull */
    uint64_t holder;              /* who holds its session: hold_holder_of */
    ProtobufCBinaryData question; /* a packed ForwardRequest; malloc'ed */
    ProtobufCBinaryData empty;    /* body of the last answer without news; malloc'ed */
};

struct gateway {
    struct gateway_options options;
    struct gateway_ports ports;
    struct upstream *upstream;
    struct arena memory;        /* of the tables below, for the life of the process */
    struct arena request_arena; /* decoding one request */
    struct arena pack_arena;    /* packing one question: hostile requests cannot fill this one */
    struct arena reply_arena;   /* one answer of the dispatcher */
    struct arena send_arena;    /* packing one reply */
    struct sessions sessions;
    struct throttle throttle;
    struct admission admission;
    struct polls polls;
    struct held *held; /* by poll slot */
    struct metrics metrics;
    size_t waiting_bytes;
    bool stopping;
    /* The follower: */
    uint64_t follow_seq, follow_epoch, rights_version;
    bool following;                         /* a Follow is out */
    bool heart_asked;                       /* a heartbeat is out */
    int64_t heart_asked_us, heart_heard_us; /* monotonic; 0: never */
};

static inline int64_t gateway_now_us(const struct gateway *gateway)
{
    return gateway->ports.now_us(gateway->ports.context);
}

/* --- gateway.c --- */

/* `seed` keeps strangers from guessing how its tables hash. */
void gateway_open(struct gateway *gateway, const struct gateway_options *options,
                  const struct gateway_ports *ports, uint64_t seed);
/* Everyone who waits gets his reply: the process ends. */
void gateway_stop(struct gateway *gateway);
void gateway_close(struct gateway *gateway);

/* --- answer.c --- */

/* Sends `reply`; fills in its request id and, where they are missing, log position and time. */
void answer_send(struct gateway *gateway, const struct asker *asker, Callout__Reply *reply);
/* An error of our own; problem may be NULL. */
void answer_error(struct gateway *gateway, const struct asker *asker, enum err err,
                  const struct problem *problem, uint32_t retry_after_ms);
/* What an answer tells of how busy the dispatcher is. */
void answer_heard(struct gateway *gateway, const struct upstream_answer *answer);
/* The reply inside a Forward's answer, in `arena`; a BUSY of our own when there is none. Sessions
 * that the dispatcher ended are forgotten here. */
Callout__Reply *answer_of_forward(struct gateway *gateway, const struct upstream_answer *answer,
                                  struct arena *arena);

/* --- hold.c --- */

/* Holds a Pull or EventFeed of `holder`. `question` is copied; `subject` says whose poll it is. */
void hold_start(struct gateway *gateway, const struct asker *asker,
                const struct session_holder *holder, bool feed, uint64_t subject, uint64_t topic,
                uint32_t hold_ms, ProtobufCBinaryData question);
uint64_t hold_topic_of(const char *technician_id);
#define HOLD_FEED_TOPIC UINT64_C(2)      /* technicians' topics are odd */
void hold_tick(struct gateway *gateway); /* ends holds, follows the dispatcher, feels its pulse */
void hold_stop(struct gateway *gateway); /* answers all RETRY */
bool hold_healthy(const struct gateway *gateway);

/* --- edge.c --- */

/* `bytes` is borrowed until return. */
void edge_request(struct gateway *gateway, unsigned door, struct sp_ticket ticket,
                  const uint8_t *bytes, size_t size);
/* A request that was too large to be kept. */
void edge_oversize(struct gateway *gateway, unsigned door, struct sp_ticket ticket, uint64_t size);

#endif
