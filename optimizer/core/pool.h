/* pool.h - every route ever found is kept as a column: who drives it, whom it serves, what it
 * costs.
 *
 * Idea: of each (technician, set of visits) only the cheapest sequence stays. When the pool is full
 * the oldest goes. Columns name slots of the workday, so they outlive the event; a visit that is
 * removed is struck from all of them.
 *
 * Owner: all memory is taken from the arena at pool_open. Thread: one at a time.
 */
#ifndef CALLOUT_OPTIMIZER_POOL_H
#define CALLOUT_OPTIMIZER_POOL_H

#include "optimizer/core/plan.h"

struct column {
    uint64_t key;        /* of technician and set; 0: empty place */
    uint32_t technician; /* slot */
    int32_t cost;
    uint32_t count;
    uint32_t next; /* in its hash chain: index + 1 */
};

struct pool {
    struct column *columns;
    uint16_t *visits; /* of column c: visits[c * ROUTE_MAX ..], slots in order */
    uint32_t *chains; /* index + 1 of the first column with that hash */
    uint32_t cap, mask;
    uint32_t used, oldest; /* a ring once it is full */
};

/* `cap` is a power of two. */
void pool_open(struct pool *pool, uint32_t cap, struct arena *arena);
void pool_add(struct pool *pool, const struct instance *in, uint32_t technician,
              const struct route *route);
/* The visit of this slot is gone. */
void pool_forget_visit(struct pool *pool, uint32_t slot);
void pool_clear(struct pool *pool);

/* The column as a route of this instance, without visits that are not in it any more; false if it
 * does not hold there. */
bool pool_route(const struct pool *pool, uint32_t column, const struct instance *in,
                uint32_t *technician, struct route *route);

#endif
