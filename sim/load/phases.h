/* phases.h - all devices through a run: they enrol and say hello, some at a time; they hold their
 * polls; they push for as long as asked; all are cut at once and come back. */
#ifndef CALLOUT_SIM_LOAD_PHASES_H
#define CALLOUT_SIM_LOAD_PHASES_H

#include "sim/load/load.h"

/* ERR_IO: the devices did not get ready. *interrupted: INT or TERM came, figures are partial. */
MUST_USE enum err phases_run(struct load *load, bool *interrupted, struct problem *problem);

#endif
