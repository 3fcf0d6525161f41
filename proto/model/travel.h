/* travel.h - how long it takes to get from one place to another.
 *
 * Idea: everyone who needs a travel time asks this interface, so that a road network or a matrix
 * can take the place of the straight line without the askers knowing.
 * Thread: an implementation is read-only once made, so any thread may ask.
 * The travel time need not be symmetric.
 */
#ifndef CALLOUT_MODEL_TRAVEL_H
#define CALLOUT_MODEL_TRAVEL_H

#include "model/geo.h"

struct travel {
    /* Whole seconds from `from` to `to`, at least 0; `travel` is this object. */
    int32_t (*seconds)(const struct travel *travel, struct point from, struct point to);
};

static inline int32_t travel_seconds(const struct travel *travel, struct point from,
                                     struct point to)
{
    return travel->seconds(travel, from, to);
}

/* The default: great circle x 1.3 at 40 km/h, in whole seconds rounded up. */
extern const struct travel travel_straight;

#endif
