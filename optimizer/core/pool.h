/* pool.h - every route ever found is kept as a column: who drives it, whom it serves, what it
 * costs.
 *
 * Idea: of each (technician, set of visits) only the cheapest sequence stays; technicians of one
 * class count as one, so that what was found for one of them serves all. Columns name slots of the
 * workday, so they outlive the event: after pool_turn each is judged anew, when it is next asked
 * for, and visits that are gone are struck from it.
 *
 *   P1  visits stand in pieces of a few, chained; what is free is chained too, so that routes of
 *       any length share one memory and nothing is ever moved
 *   P2  when columns or pieces run out a hand goes round: a column that was found again since it
 *       last passed stays for another round, a kept one (of the best plan) stays, others go
 *   P3  the hash chains hold exactly the columns whose key is not 0
 *
 * Which columns hold a visit is not indexed: only the master asks, once a call and for all visits.
 *
 * Owner: all memory is taken from the arena at pool_open. Thread: one at a time.
 */
#ifndef CALLOUT_OPTIMIZER_POOL_H
#define CALLOUT_OPTIMIZER_POOL_H

#include "optimizer/core/plan.h"

enum { PIECE_VISITS = 6 };

struct piece {
    uint16_t visits[PIECE_VISITS]; /* slots, in order of the route */
    uint32_t next;                 /* index + 1 */
};

struct column {
    uint64_t key;        /* of class and set; 0: dead */
    uint32_t technician; /* slot of one of the class */
    int32_t cost;        /* by the instance that it was judged by */
    uint32_t piece;      /* the first: index + 1 */
    uint32_t serial;     /* names this column: never used twice */
    uint32_t judged;     /* pool->turn at that time */
    uint32_t kept;       /* pool->keeping when it was last kept */
    uint32_t next;       /* in its hash chain, or free: index + 1 */
    uint16_t count;
    bool holds; /* by that judgement */
    bool again; /* found again since the hand last passed */
};

struct pool {
    struct column *columns;
    struct piece *pieces;
    uint32_t *chains;           /* index + 1 of the first column with that hash */
    uint32_t cap, mask;         /* columns */
    uint32_t pieces_cap;        /* in all */
    uint32_t used, pieces_used; /* places that were ever in use */
    uint32_t free, pieces_free; /* chains of places that are free again: index + 1 */
    uint32_t hand;
    uint32_t serial, turn, keeping;
    uint64_t changes; /* columns that were new, or became cheaper */
};

/* Room for `cap` columns, a power of two, in so many pieces. */
void pool_open(struct pool *pool, uint32_t cap, uint32_t pieces_cap, struct arena *arena);
void pool_clear(struct pool *pool);

/* The workday has changed: from now on `in` of all calls is its new instance. */
void pool_turn(struct pool *pool);

void pool_add(struct pool *pool, const struct instance *in, uint32_t technician,
              const struct route *route);

/* Adds the plan's routes; they stay, whatever else is found, until the next call. */
void pool_keep(struct pool *pool, const struct plan *plan);

/* The visit of this slot is gone: struck from every column, before the slot names another. */
void pool_forget_visit(struct pool *pool, uint32_t slot);

/* Judges those columns that were not judged since pool_turn. */
void pool_judge(struct pool *pool, const struct instance *in);

/* After pool_judge: is there a column in this place that holds today? Places are 0 .. used - 1. */
static inline bool pool_holds(const struct pool *pool, uint32_t column)
{
    return pool->columns[column].key != 0 && pool->columns[column].holds;
}

/* Its visits as ranks, in order; returns how many. `visits` has room for ROUTE_MAX. */
uint32_t pool_visits(const struct pool *pool, uint32_t column, const struct instance *in,
                     uint16_t *visits);

/* The column of this technician's class and this set, NO_INDEX if there is none. */
uint32_t pool_find(const struct pool *pool, const struct instance *in, uint32_t technician,
                   uint64_t set);

#endif
