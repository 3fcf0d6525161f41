/* search.h - makes a plan that holds better: ruin and recreate by counted work.
 *
 * Idea: SISR (Christiaens, Vanden Berghe 2020, "Slack induction by string removals"): take strings
 * of neighbouring visits out of a few routes that lie together, put them back greedily with small
 * oversights, accept as simulated annealing does. The cheapest place of a visit in a route is
 * remembered with the route's stamp, so that only changed routes are scanned again.
 *
 * Where the day is uniform, and it is asked for, a population searches instead (breed.h). It serves
 * everybody or holds not at all: until somebody is left out no more, both take turns.
 *
 * All arithmetic is in integers: the same seed gives the same plan on every machine.
 *
 * Owner: arrays live in the arena given to search_open; the plan is the caller's.
 */
#ifndef CALLOUT_OPTIMIZER_SEARCH_H
#define CALLOUT_OPTIMIZER_SEARCH_H

#include "base/rng.h"
#include "optimizer/core/alike.h"
#include "optimizer/core/breed.h"
#include "optimizer/core/near.h"
#include "optimizer/core/plan.h"
#include "optimizer/core/pool.h"

struct search_options {
    uint64_t rounds;       /* for which the temperature falls from hot to cold */
    int32_t hot_s, cold_s; /* temperatures: a loss of this much is accepted one time in e */
    uint32_t coolings;     /* in equal parts of the rounds, each from the best plan; 0 is 1 */
    const uint16_t *focus; /* ruin begins near these most of the time; NULL: anywhere */
    uint32_t focus_count;
    uint64_t seed;
    struct pool *pool; /* takes every route found; may be NULL */
    bool breed;        /* where the day is uniform: a population instead (breed.h) */
};

/* In what order visits that were taken out are put back. */
enum order {
    BY_CHANCE,
    BY_PRICE,
    BY_CHOICE,
    BY_LOAD,
    BY_SERVICE,
    BY_ROOM,
    BY_BEGIN,
    BY_END,
    BY_FAR,
    BY_CLOSE,
    ORDER_COUNT
};

struct remembered {
    uint32_t stamp;
    int32_t cost;
    uint16_t at; /* 0: no place there costs less than `cost` */
};

struct search {
    const struct instance *in;
    struct search_options options;
    struct rng rng;
    uint64_t done; /* rounds */
    uint64_t cooling;
    struct plan now, best;
    struct near near;
    struct alike alike;
    uint32_t weights[ORDER_COUNT]; /* of the orders in which visits are put back */
    uint32_t weights_sum;
    int32_t *far;              /* by visit: from the nearest start; -1: not known yet */
    uint16_t *serves;          /* technicians with the skills of each need, by rank */
    uint32_t *serves_count;    /* by need */
    struct remembered *memory; /* [2 * (visit * technician_count + technician)]; NULL: too many */

    struct route *saved; /* routes as they were before this round */
    bool beside;         /* look beside near visits only */
    uint32_t *saved_of;  /* technicians that they belong to */
    uint32_t saved_count;
    uint32_t *stamp_before; /* by technician: of his route when it was last saved */
    uint32_t *saved_round;  /* by technician: the round in which it was saved */
    uint32_t *dirty;        /* technicians whose routes may differ from the best plan's */
    uint32_t dirty_count;
    uint8_t *is_dirty;    /* by technician */
    uint32_t mean_length; /* of the routes, every now and then */
    uint32_t round;
    uint16_t *absent;      /* visits to be put back */
    uint32_t *absent_from; /* where they were; NO_INDEX: unserved */
    uint32_t absent_count;
    uint64_t *keys;      /* for sorting them */
    struct breed *breed; /* NULL: ruin and recreate alone */
    uint32_t turns;      /* of both */
};

/* Starts from `plan`, which must hold. */
void search_open(struct search *search, const struct plan *plan,
                 const struct search_options *options, struct arena *arena);

/* Runs some rounds, not past options.rounds; true if search->best became better. */
bool search_run(struct search *search, uint64_t rounds);

/* Goes on from another plan of the same instance, for example a recombined one. */
void search_restart(struct search *search, const struct plan *plan);

#endif
