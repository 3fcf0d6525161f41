/* trouble.h - a scenario's faults, brought upon a world at their time and taken away again.
 *
 * Owner: the world and the result outlive it; trouble_end cancels what has not happened. Thread:
 * the loop's.
 */
#ifndef CALLOUT_SIM_WORLD_TROUBLE_H
#define CALLOUT_SIM_WORLD_TROUBLE_H

#include "sim/world/result.h"
#include "sim/world/world.h"

struct trouble;

/* Of day `index`; notes in the result what happens, when it happens. */
struct trouble *trouble_begin(struct world *world, const struct scenario *scenario,
                              const struct day *day, int32_t index, uint64_t seed,
                              struct run_result *result);
void trouble_end(struct trouble *trouble); /* may be NULL; what goes on is ended now */

#endif
