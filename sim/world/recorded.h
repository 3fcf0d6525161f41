/* recorded.h - the day of a data folder as a day to be lived again: who worked, what was ordered.
 *
 * Idea: the fact log has every technician and every order as it came. Of the territory and service
 * day with the most orders they become technicians.csv and orders.csv, as sim/scenario/folder_day.h
 * reads them; when an order was received is when its first fact was. What happened to it afterwards
 * is not taken: whether customers cancel, and what befalls people, is the scenario's. A day in the
 * files says less than a log: of several windows the first is taken, and neither a choice of skills
 * nor wishes for technicians.
 * Thread: one; the time zone of the territory is open afterwards (day/zone.h).
 */
#ifndef CALLOUT_SIM_WORLD_RECORDED_H
#define CALLOUT_SIM_WORLD_RECORDED_H

#include "base/err.h"
#include "day/day.h"
#include "sim/scenario/scenario.h"

/* A folder with a store and without a day's files. */
bool recorded_is(const char *folder);

/* The day, for day_fini. ERR_NOT_FOUND: there is no such folder, or nobody worked on a day of it.
 */
MUST_USE enum err recorded_day(struct day *out, const char *data_dir, struct problem *problem);

/* Where the scenario's folder is a recorded one, its day is written into `scratch` as files, which
 * folder.files names from then on, and the time zone is the territory's. Nothing otherwise. */
MUST_USE enum err recorded_take(struct scenario *scenario, const char *scratch,
                                struct problem *problem);

#endif
