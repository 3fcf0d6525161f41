/* hub.h - the whole system in one thread and in virtual time: gateway, dispatcher and optimizer
 * between them, over a simulated disk.
 *
 * Idea: the three parts are the live ones (gateway/gateway.h, dispatcher/batches.h over the engine,
 * optimizer/planner.h); the hub is their sockets, their clock and their parent. Each part works at
 * the pace of the costs below, by work that is counted: so events overtake searches, and a burst
 * becomes a larger batch, as they do live, and the same seed does the same twice.
 *   H1  a part that is busy takes nothing in until it is done; what it says leaves at the end
 *   H2  a question reaches the dispatcher at least once: like nng's, it is sent again when the
 *       dispatcher comes back; its asker hears one answer, or that its deadline passed
 *   H3  a kill loses what a process holds, never what the disk holds; `serve` brings it back after
 *       restart_us, and only its neighbours' questions and the clients' patience bridge the gap
 *
 * Domain time is the loop's time, at rate 1. Owner: the loop outlives the hub. Thread: the loop's.
 * Order: nothing here may be called from inside a callback of the hub: a timer of now does.
 */
#ifndef CALLOUT_SIM_WORLD_HUB_H
#define CALLOUT_SIM_WORLD_HUB_H

#include "base/err.h"
#include "gateway/client/loop.h"
#include "optimizer/planner.h"
#include "sp_listener.h"

struct core;
struct disk;
struct hub;
struct store;

/* How long things take, in microseconds of one core of the machine that the system would run on. */
struct hub_costs {
    int64_t ipc_us;         /* one way between two parts */
    int64_t batch_us;       /* a commit with synchronous=FULL, whatever is in it */
    int64_t request_us;     /* each request in it */
    int64_t repair_us;      /* an event, or an echo, taken into the problem and repaired */
    int64_t rounds_1000_us; /* a thousand rounds of search */
    int64_t pivots_1000_us; /* a thousand pivots of the master */
    int64_t answer_us;      /* whoever stands in the optimizer's place, however long he took */
    int64_t restart_us;     /* from a kill until the part serves again */
};

/* Estimates for two cores of 2020, 300 visits and a laptop's disk; compare hub_work.cpu_us. */
extern const struct hub_costs hub_costs_default;

enum hub_part { HUB_GATEWAY, HUB_DISPATCHER, HUB_OPTIMIZER, HUB_PARTS };

/* What the optimizer did in one go, for figures: all but cpu_us repeats with the seed. */
struct hub_work {
    struct planner_counters done; /* by this piece of work */
    int64_t virtual_us, cpu_us;
};

struct hub_options {
    struct hub_costs costs;
    struct planner_options planner;
    bool lab; /* clients named 127.0.0.1 have no limits */
    uint64_t seed;
    int64_t snapshot_every; /* facts of the dispatcher's log (dispatcher/engine.h); 0: as live */
    void *context;          /* of all below */
    /* A reply for a client; the bytes are borrowed. */
    void (*reply)(void *context, struct sp_ticket to, const uint8_t *bytes, size_t size);
    /* Is the client still there? NULL: always. */
    bool (*alive)(void *context, struct sp_ticket ticket);
    /* The gateway is gone until then, and with it every connection; may be NULL. */
    void (*gateway_down)(void *context, int64_t until_us);
    void (*worked)(void *context, const struct hub_work *work); /* may be NULL */
    /* In the place of search and master (optimizer/planner.h); NULL: nobody. */
    bool (*solve)(void *context, struct solver *solver);
};

struct hub_counters {
    uint64_t requests, replies; /* of clients */
    uint64_t batches, largest;  /* of the dispatcher; requests in the largest */
    uint64_t questions, resent; /* between the parts */
    uint64_t kills[HUB_PARTS];  /* the power's included */
    uint64_t digest;            /* of every reply, to whom and when: equal runs have equal ones */
    int64_t dispatcher_cpu_us, optimizer_cpu_us; /* of this machine: these never repeat */
};

/* Fills in what stands for a live system. */
struct hub_options hub_options_default(void);
/* Everything is served at once. */
struct hub *hub_open(struct client_loop *loop, const struct hub_options *options);
void hub_close(struct hub *hub);

/* A client's request; bytes and peer are borrowed. While the gateway is down it is lost. */
void hub_request(struct hub *hub, struct sp_ticket from, const char *peer, const uint8_t *bytes,
                 size_t size);

/* As `callout admin VERB ARGUMENTS` does (people.c in the dispatcher has the verbs): "enrol" T01
 * writes a token, "key" NAME ROLE a key. Done at once, not in a batch. ERR_RETRY: the dispatcher is
 * down. */
MUST_USE enum err hub_admin(struct hub *hub, const char *verb, const char *const *arguments,
                            size_t count, char *out, size_t room);

/* While it is held the optimizer takes nothing in: a day that comes order by order is then planned
 * once, and not once for each. */
void hub_hold_optimizer(struct hub *hub, bool held);

/* kill -9. */
void hub_kill(struct hub *hub, enum hub_part part);
/* All three at once. The same happens by itself where disk_cut_power_at says so. */
void hub_lose_power(struct hub *hub);
/* The power is lost, and the disk is what disk_keep kept: disk_bring_back. */
bool hub_bring_back(struct hub *hub, bool as_restored);
bool hub_is_up(const struct hub *hub, enum hub_part part);

struct disk *hub_disk(struct hub *hub);
struct hub_counters hub_counters(const struct hub *hub);
/* Both for looking only, and NULL while the dispatcher is down. */
struct store *hub_store(struct hub *hub);
const struct core *hub_core(const struct hub *hub);

#endif
