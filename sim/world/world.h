/* world.h - a fleet's day in virtual time: the whole system, the network, technicians, customers.
 *
 * Idea: what sim/live.h does against a running system, without a process, a socket or a clock. The
 * system is the hub, the network is the link, the day comes in through an API key, and the people
 * are the very same ones. Everything follows from the seed: the same options give the same digest.
 *
 * Owner: what the options point at is kept until world_close; the day's time zone is open
 * (day/zone.h). Thread: one, and one world at a time in a process (seeded.h).
 */
#ifndef CALLOUT_SIM_WORLD_WORLD_H
#define CALLOUT_SIM_WORLD_WORLD_H

#include "sim/customers.h"
#include "sim/fleet.h"
#include "sim/import.h"
#include "sim/tally.h"
#include "sim/world/hub.h"
#include "sim/world/link.h"

struct peer; /* sim/peer/peer.h */

struct world_options {
    const struct day *day;
    const char *territory_id;
    uint64_t seed;
    const struct habits *habits;
    const struct travel *roads; /* what journeys really take; NULL: as everyone estimates */
    struct link_conditions network;
    struct hub_costs costs;
    struct planner_options planner;
    struct peer *peer;           /* in the optimizer's place; NULL: our own */
    const struct policy *policy; /* of the territory; NULL: the usual one */
    const int64_t *absent_at_us; /* when each of the day's technicians falls ill; NULL: see ill */
    uint32_t ill, emergencies, cancels, cancel_permille;
    void (*worked)(void *context, const struct hub_work *work); /* may be NULL */
    void *worked_context;
    int64_t before_us;   /* the system and the phones are there so long before the first shift */
    int64_t known_at_us; /* orders received up to then are in at the start; 0: up to the start */
};

/* A usual day: good network, the figures of a live system. */
struct world_options world_options_default(const struct day *day, uint64_t seed);

struct world;

/* Opens everything, takes the day in and enrols the phones. ERR_INVALID: the system refused a row;
 * *problem says which. */
MUST_USE enum err world_open(struct world **out, const struct world_options *options,
                             struct problem *problem);
void world_close(struct world *world); /* may be NULL */

/* Lives until then, or until the day is over: everybody is home or ill and nobody will call any
 * more. False: it goes on. */
bool world_live(struct world *world, int64_t until_us);
/* Nobody does anything any more; lets the outboxes drain. False: after so long some command is
 * still not acknowledged. */
bool world_drain(struct world *world, int64_t patience_us);

/* After world_drain: all phones are off, and the system lives on until then. */
void world_sleep(struct world *world, int64_t until_us);
/* The next day is taken in, and its people wake; what the day before left undone, the system has
 * carried over. `day` is kept until world_close; `absent_at_us` is borrowed. ERR_IO: somebody who
 * called the day before has no answer yet. */
MUST_USE enum err world_next_day(struct world *world, const struct day *day,
                                 const int64_t *absent_at_us, struct problem *problem);

/* What the days came to. All but the CPU time in `system` repeats with the options; with a peer, if
 * it answers the same to the same. */
struct world_sum {
    struct fleet_count fleet;
    struct customers_count customers;
    struct tally_count tally;
    struct link_counters network;
    struct hub_counters system;
    struct import_result imported;     /* of all days */
    const struct watch_totals *totals; /* borrowed until world_close */
    int64_t begin_us, now_us;
    uint64_t digest; /* of every message and of the board at the end */
};

MUST_USE enum err world_sum(struct world *world, struct world_sum *out, struct problem *problem);

/* For whoever brings trouble about, from timers of the loop. */
struct client_loop *world_loop(struct world *world);
struct fleet *world_fleet(struct world *world);
struct link_net *world_net(struct world *world);
struct hub *world_hub(struct world *world);
/* By his id; NULL: he never worked here. */
struct person *world_person(struct world *world, const char *technician_id);
/* His phone loses so many permille of the messages more than the others. */
void world_set_loss(struct world *world, const char *technician_id, uint32_t permille);
void world_set_travel(struct world *world, int32_t percent); /* of all roads, from now on */

#endif
