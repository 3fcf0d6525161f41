/* write_vroom.h - a plan's JSON in VROOM's words as well, so that what reads VROOM's solutions
 * reads ours: code, summary, of each route `vehicle` and `steps`, and unassigned as objects.
 *
 * `duration` of a step is the travel up to it. A break stands where it begins; a step that waits
 * while it lasts arrives when it ends.
 */
#ifndef CALLOUT_OPTIMIZER_WRITE_VROOM_H
#define CALLOUT_OPTIMIZER_WRITE_VROOM_H

#include "optimizer/solve_input.h"

#include <jansson.h>

/* `plan` is what write_plan.c makes of the input: its routes and stops are completed in place. */
void write_vroom_words(const struct solve_input *input, json_t *plan);

#endif
