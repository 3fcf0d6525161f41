/* like.h - durations as they were: a data folder's journeys and visits in the place of a scenario's
 * spreads.
 *
 * Idea: every journey of the folder that arrived gives a factor of the travel time that its plan
 * reckoned with, every completed visit one of its order's service time; the factors' quantiles are
 * the spreads. Figures of a factor are of the whole day, so the hours' percentages become 100. What
 * was reckoned with is everybody's estimate: a world with such factors has journeys that take the
 * estimate times the factor (world_options.roads NULL), not those of a town's streets.
 * Thread: one.
 */
#ifndef CALLOUT_SIM_WORLD_LIKE_H
#define CALLOUT_SIM_WORLD_LIKE_H

#include "base/err.h"
#include "sim/scenario/scenario.h"

struct like_count {
    size_t journeys, services; /* that gave a factor */
};

/* Puts what `scenario->like` has into the scenario; nothing if that is empty. ERR_INVALID: the
 * folder has too little to learn from, or is not sound; others: there is no such folder. */
MUST_USE enum err like_learn(struct scenario *scenario, struct like_count *count,
                             struct problem *problem);

#endif
