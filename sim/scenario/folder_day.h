/* folder_day.h - a day folder as a scenario's day: moved to later days, with more or fewer orders
 * and technicians. See generate.h, which is what callers use.
 */
#ifndef CALLOUT_SIM_SCENARIO_FOLDER_DAY_H
#define CALLOUT_SIM_SCENARIO_FOLDER_DAY_H

#include "sim/scenario/scenario.h"

MUST_USE enum err folder_day(struct day *out, const struct scenario *scenario, uint64_t seed,
                             int32_t index, struct day_errors *errors);

#endif
