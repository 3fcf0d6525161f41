/* rng.h - splitmix64: the only source of chance in pure code. State is one word of its owner. */
#ifndef CALLOUT_BASE_RNG_H
#define CALLOUT_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

/* Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators". */
static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Uniform in [0, bound) up to a bias of bound / 2^32 (Lemire's multiplication); bound > 0. */
static inline uint32_t rng_below(struct rng *rng, uint32_t bound)
{
    return (uint32_t)(((rng_next(rng) >> 32) * (uint64_t)bound) >> 32);
}

/* Uniform in [0, 1), 53 bits. */
static inline double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

#endif
