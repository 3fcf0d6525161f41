/* crowd.h - the cheapest walks of many technicians for the same duals, in several threads.
 *
 * Idea: no pricing needs another one's result, so threads take the next technician who is waiting,
 * each with a desk of its own. What they find is kept by technician: it does not depend on how many
 * threads there are.
 *
 * Owner: crowd_open .. crowd_close; walks live until the next crowd_price. Thread: the owner's,
 * which prices too and waits for the others.
 */
#ifndef CALLOUT_OPTIMIZER_CROWD_H
#define CALLOUT_OPTIMIZER_CROWD_H

#include "optimizer/bound/price.h"

enum { CROWD_THREADS_MAX = 32 };

struct crowd {
    struct desk desks[CROWD_THREADS_MAX];
    struct arena found[CROWD_THREADS_MAX];
    uint32_t threads;
    struct priced *priced; /* by the last call, in its order */
};

struct crowd_order {
    const struct instance *in;
    const struct recall *recall;
    const struct duals *duals;
    const uint32_t *technicians;
    const int64_t *limits; /* in the same order */
    uint32_t count;
    struct price_options options; /* `limit` aside; `stop` is asked by all threads */
};

/* `technicians_max`: of one order. Fewer threads than 1 are 1. */
void crowd_open(struct crowd *crowd, uint32_t threads, uint32_t technicians_max,
                struct arena *arena);
void crowd_close(struct crowd *crowd);

/* False: it was stopped, and nothing is of use. */
bool crowd_price(struct crowd *crowd, const struct crowd_order *order);

#endif
