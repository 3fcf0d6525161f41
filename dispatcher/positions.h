/* positions.h - where technicians are, while they are at work.
 *
 * Idea: a fix that was taken off shift is refused before anything of it is stored: its coordinates
 * reach no table, log, result or file, only a count. The others are kept in the order of their own
 * times, however late they come, for POSITIONS_KEPT_US. The newest one that can be believed is
 * where the technician is; it only moves forward. What cannot be believed is kept with a flag and
 * not used: at (0, 0), or reached at a speed that nobody travels at. When the fixes after it agree
 * with it for a minute, it was the one before that was wrong.
 *
 * Positions are not facts; they are rows of the batch in which they came.
 */
#ifndef CALLOUT_DISPATCHER_POSITIONS_H
#define CALLOUT_DISPATCHER_POSITIONS_H

#include "dispatcher/device_clock.h"
#include "dispatcher/engine_impl.h"

#define POSITIONS_KEPT_US (60 * US_PER_DAY)

struct positions {
    uint32_t refused, flagged;
    bool moved; /* he is somewhere else now: */
    struct point place;
    int64_t at_us;
};

/* Stores a batch of one technician's; ERR_INVALID and ERR_TOO_LARGE name a field, and then nothing
 * was stored. */
MUST_USE enum err positions_put(struct engine *engine, const char *technician_id,
                                const struct device_clock *clock,
                                const Callout__PositionBatch *batch, struct positions *out,
                                struct problem *problem);

/* Takes every place out of the commands of a Push. */
void positions_blot(Callout__PushRequest *push);

#endif
