/* walks.h - all walks that pricing has found, each once.
 *
 * Owner: the arena given to walks_open. Thread: one at a time.
 */
#ifndef CALLOUT_OPTIMIZER_WALKS_H
#define CALLOUT_OPTIMIZER_WALKS_H

#include "optimizer/core/instance.h"

struct known_walk {
    int64_t cost;        /* in 1/PROOF_FINE s */
    uint32_t technician; /* the first of those alike */
    uint32_t first;      /* of its visits */
    uint16_t count;
    bool inside; /* the relaxation's note: it may be chosen */
};

struct walks {
    struct arena *arena;
    struct known_walk *list;
    uint32_t count, cap;
    uint16_t *visits;
    uint32_t visits_used, visits_cap;
    uint32_t *table; /* by hash: index + 1 */
    uint32_t table_mask;
};

void walks_open(struct walks *walks, struct arena *arena);
/* Returns its index, also of one that is known already; the cheaper cost stays. */
uint32_t walks_add(struct walks *walks, uint32_t technician, int64_t cost, const uint16_t *visits,
                   uint32_t count);

static inline const uint16_t *walks_visits(const struct walks *walks, uint32_t index)
{
    return walks->visits + walks->list[index].first;
}

#endif
