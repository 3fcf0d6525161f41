/* figures.h - what came of a run, for people or as one JSON object. */
#ifndef CALLOUT_SIM_LOAD_FIGURES_H
#define CALLOUT_SIM_LOAD_FIGURES_H

#include "sim/load/load.h"

void figures_print(const struct load *load, bool interrupted);

#endif
