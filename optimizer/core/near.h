/* near.h - which visits lie near a visit, and which of them may well stand next to it in a route.
 *
 * Idea: lists are made when they are first asked for, and kept. `nearest` is by travel alone. Of
 * `before` and `after` are only those that time lets stand there in somebody's route; among them,
 * waiting counts a little beside travel. All ties are broken by rank.
 *
 * Owner: arrays live in the arena given to near_open. Thread: one at a time.
 */
#ifndef CALLOUT_OPTIMIZER_NEAR_H
#define CALLOUT_OPTIMIZER_NEAR_H

#include "optimizer/core/instance.h"

enum { NEAR_MAX = 100, BESIDE_MAX = 40 };

struct near {
    const struct instance *in;
    uint32_t count; /* in each list of the nearest */
    uint16_t *nearest;
    uint8_t *nearest_known;
    struct beside **beside; /* by visit; NULL: not known yet */
    uint64_t *keys;
    struct arena *arena;
};

/* Travel from every place to one visit and from it to every place, in half the width: what is read
 * most should lie close together. NULL where a leg is too long for it. */
struct legs {
    const uint16_t *there, *on; /* by place; the same row where travel is */
};

struct neighbour {
    uint16_t visit;
    int32_t leg; /* between the two */
};

/* Who may stand next to one visit, the nearest first. */
struct beside {
    struct legs legs;
    uint32_t before_count, after_count;
    int32_t least_before, least_after; /* no leg to it, or from it, is shorter */
    struct neighbour before[BESIDE_MAX], after[BESIDE_MAX];
};

void near_open(struct near *near, const struct instance *in, struct arena *arena);

/* near->count visits, itself first. */
const uint16_t *near_nearest(struct near *near, uint32_t visit);
const struct beside *near_beside(struct near *near, uint32_t visit);

/* Says that its neighbours will be asked for soon: a big day's do not stay in the cache. */
void near_soon(const struct near *near, uint32_t visit);

#endif
