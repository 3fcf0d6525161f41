/* chance.h - where the chance of a simulated world comes from: one stream per seed, purpose and
 * thing, so that one more technician or order leaves the luck of all others as it was.
 *
 * Runs that are compared take the same seed, and then differ only by what the compared settings
 * did (common random numbers). Whoever needs chance asks for the stream of what it is about: order
 * 17 of day 2 does not depend on who works or on what was drawn before. How long things take then
 * is sim/luck.h's. Thread: any.
 */
#ifndef CALLOUT_SIM_SCENARIO_CHANCE_H
#define CALLOUT_SIM_SCENARIO_CHANCE_H

#include "base/rng.h"

#include <stdbool.h>

enum chance {
    CHANCE_TOWN = 1,   /* streets and suburbs */
    CHANCE_PERSON,     /* a technician's home, shift and skills; a: index */
    CHANCE_ORDER,      /* a: day, b: index */
    CHANCE_STORM,      /* orders of a storm; a: day, b: fault << 32 | index */
    CHANCE_COPY,       /* which orders of a day folder come twice; a: day, b: index */
    CHANCE_FAULT,      /* whom a fault meets; a: day, b: fault << 32 | technician */
    CHANCE_HABIT = 10, /* who falls ill on a day; a: day, b: of the technician */
};

static inline struct rng chance_of(uint64_t seed, enum chance what, uint64_t a, uint64_t b)
{
    struct rng rng = {seed};
    uint64_t state = rng_next(&rng) ^ (uint64_t)what;
    rng.state = state;
    state = rng_next(&rng) ^ a;
    rng.state = state;
    state = rng_next(&rng) ^ b;
    rng.state = state;
    return (struct rng){rng_next(&rng)};
}

/* Uniform in [low, high], both included; not the whole range of 32 bits. */
static inline int32_t chance_between(struct rng *rng, int32_t low, int32_t high)
{
    return (int32_t)(low + (int64_t)rng_below(rng, (uint32_t)((int64_t)high - low) + 1));
}

static inline bool chance_permille(struct rng *rng, int32_t permille)
{
    return (int32_t)rng_below(rng, 1000) < permille;
}

#endif
