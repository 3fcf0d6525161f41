/* draw.h - how likely, and how long: draws from a seed, in integers, alike on every machine.
 *
 * Durations of journeys, visits and messages are lognormal: never negative, with most draws a
 * little below the usual value and a few far above it. `spread` is the standard deviation of the
 * logarithm in permille; 100 means about a tenth up or down. Thread: none.
 */
#ifndef CALLOUT_SIM_DRAW_H
#define CALLOUT_SIM_DRAW_H

#include "base/rng.h"

#include <stdbool.h>

enum { PERMILLE = 1000, DRAW_SPREAD_MAX = 2000 };

bool draw_happens(struct rng *rng, uint32_t permille);
int64_t draw_between(struct rng *rng, int64_t low, int64_t high); /* uniform, [low, high) */
/* Normal with mean 0, in 1/65536 of its standard deviation; never beyond 3 of them. */
int32_t draw_normal(struct rng *rng);
/* Lognormal around its median; one draw of the generator's words whatever the parameters. */
int64_t draw_about(struct rng *rng, int64_t median, uint32_t spread);

#endif
