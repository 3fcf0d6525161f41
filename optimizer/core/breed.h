/* breed.h - a population of whole plans of a uniform day: two of them make a third.
 *
 * Idea: hybrid genetic search (Vidal 2012; Kool and others 2022 for windows). A child takes some
 * routes of one parent and the rest of the other (selective route exchange, Nagata and Braysy
 * 2009), what is missing is put in where it costs least, and descent.h makes it good. Members that
 * break windows or capacity live beside those that hold: the prices of that are turned so that two
 * in five children hold. Who stays is decided by cost and by how much a member differs from those
 * most like it, so that a crowd of the same is thinned.
 *
 * All arithmetic is in integers: the same seed gives the same plans on every machine.
 *
 * Owner: arrays live in the arena given to breed_open. Thread: one at a time; pure.
 */
#ifndef CALLOUT_OPTIMIZER_BREED_H
#define CALLOUT_OPTIMIZER_BREED_H

#include "base/rng.h"
#include "optimizer/core/descent.h"
#include "optimizer/core/pool.h"

enum {
    FEW = 25,  /* members that stay when a kind is thinned */
    MANY = 65, /* with so many it is */
    MEMBERS = 2 * MANY,
};

/* A whole plan. */
struct member {
    uint16_t *visits, *starts; /* of route r: visits[starts[r]] .. visits[starts[r + 1] - 1] */
    uint16_t *before, *after;  /* by visit; CELL_NONE: an end */
    uint32_t routes;           /* none is empty */
    int64_t travel, warp, excess;
    int64_t cost; /* at the prices of now */
    bool holds;
};

/* Members of one kind, the cheapest first. */
struct kind {
    uint16_t list[MANY]; /* places in breed.members */
    uint32_t count;
    uint32_t fitness[MANY]; /* less is better; of list */
    uint32_t closest[MANY]; /* how far the most alike is; of list */
};

struct breed {
    const struct instance *in;
    struct pool *pool; /* takes every route that holds; may be NULL */
    struct rng rng;
    struct descent descent;
    struct member members[MEMBERS];
    uint16_t (*apart)[MEMBERS]; /* how much two members differ */
    uint16_t free[MEMBERS];
    uint32_t free_count;
    struct kind holding, breaking;
    struct member child, other, best; /* best.holds: there is one */
    uint32_t routes_begin;            /* of the first members */
    uint32_t made, since_best;
    uint32_t in_time, in_load; /* of the children since the prices were turned */
    uint32_t judged;
    uint8_t *of_one, *of_two; /* by visit: is on routes that are exchanged */
};

/* `routes` that the first members shall have, about. */
void breed_open(struct breed *breed, const struct instance *in, uint32_t routes, uint64_t seed,
                struct pool *pool, struct arena *arena);

/* Takes in a plan, if everybody is served in it. */
void breed_take(struct breed *breed, const struct plan *plan);

/* Makes one member; returns whether the best one that holds became better. */
bool breed_round(struct breed *breed);

/* What that one costs; INT64_MAX while none holds. */
static inline int64_t breed_least(const struct breed *breed)
{
    return breed->best.holds ? breed->best.travel : INT64_MAX;
}

/* Makes the plan that of the best one that holds: there must be one. */
void breed_give(const struct breed *breed, struct plan *plan);

#endif
