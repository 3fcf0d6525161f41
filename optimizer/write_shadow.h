/* write_shadow.h - what things are worth to a file's plan, in the file's own words. */
#ifndef CALLOUT_OPTIMIZER_WRITE_SHADOW_H
#define CALLOUT_OPTIMIZER_WRITE_SHADOW_H

#include "optimizer/bound/shadow.h"
#include "optimizer/solve_input.h"

#include <jansson.h>

/* The word for a kind: visit, technician, hour, skill_hour, window, freeze. */
const char *shadow_kind_name(enum shadow_kind kind);

/* A list of objects with kind, seconds, and whichever of order, technician and skill it is of. Only
 * what is worth something; windows only where there are few enough orders. */
json_t *shadow_words(const struct solve_input *input, const struct proof *proof);

/* A line for people for the dearest of each kind but orders. */
void shadow_print(const json_t *words, FILE *out);

#endif
