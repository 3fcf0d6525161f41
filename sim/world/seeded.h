/* seeded.h - the process's random bytes from a seed, so that a run repeats itself to the byte.
 *
 * Idea: keys, tokens, salts and jitter all come from libsodium's randombytes; a simulated run puts
 * a generator with a seed in its place. Whoever does so serves no real device: the keys can be
 * guessed by anyone who knows the seed.
 * Thread: one run per process at a time, and no other thread that asks for random bytes.
 */
#ifndef CALLOUT_SIM_WORLD_SEEDED_H
#define CALLOUT_SIM_WORLD_SEEDED_H

#include <stdint.h>

void seeded_begin(uint64_t seed);
void seeded_end(void); /* the system's random bytes again */

#endif
