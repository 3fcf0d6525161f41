/* generate.h - the days of a scenario: who works and what is ordered, from the seed or a folder.
 *
 * Idea: each technician and each order has a chance of its own (chance.h), so that 10 % more orders
 * are the same orders and some more, and one more technician leaves the others as they were.
 * A generated order that is known before has received_us at its day's local midnight. With a day
 * folder the days are the folder's own day and the ones after it, and ids of later days and of
 * copies have "-d2" and "-c1" behind them; scenario.first_day is not used then.
 * Order: scenario_parse has opened the time zone. Thread: one (day/zone.h).
 */
#ifndef CALLOUT_SIM_SCENARIO_GENERATE_H
#define CALLOUT_SIM_SCENARIO_GENERATE_H

#include "sim/scenario/scenario.h"
#include "sim/scenario/town.h"

/* Day `index` from 0, for day_fini. `town` may be NULL with a day folder. Orders are sorted by when
 * they are received; storms' orders are among them. ERR_INVALID: the folder's files are not sound.
 */
MUST_USE enum err scenario_day(struct day *out, const struct scenario *scenario,
                               const struct town *town, uint64_t seed, int32_t index,
                               struct day_errors *errors);

/* The two files of a day as day_read reads them, into a folder that exists. */
MUST_USE enum err scenario_write_day(const struct day *day, const char *folder,
                                     struct problem *problem);

#endif
