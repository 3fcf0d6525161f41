/* habits.h - people, customers and roads as a scenario has them, in the words of luck.h. */
#ifndef CALLOUT_SIM_HABITS_H
#define CALLOUT_SIM_HABITS_H

#include "sim/luck.h"
#include "sim/scenario/scenario.h"

/* The scenario is kept: the laws of travel and work are its spreads. */
struct habits habits_of(const struct scenario *scenario);

#endif
