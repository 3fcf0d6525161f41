/* write_plan.h - the plan of a solved file, in the file's own words: JSON, or text for people.
 *
 * Times are whole seconds of the input's clock, or, for a day folder, local times as in its CSV
 * files. For VROOM's format the JSON says the same in VROOM's words too (write_vroom.h). Travel is
 * counted for technicians who serve somebody. Each route is timed anew by
 * model/route.h: ERR_INTERNAL if one of them breaks a rule, and then nothing is written.
 */
#ifndef CALLOUT_OPTIMIZER_WRITE_PLAN_H
#define CALLOUT_OPTIMIZER_WRITE_PLAN_H

#include "optimizer/solve_bound.h"
#include "optimizer/solve_input.h"

#include <stdio.h>

struct solve_effort {
    double cpu_seconds;
    uint64_t work;                   /* rounds of search */
    const char *stopped_because;     /* one word */
    const struct solve_proof *proof; /* of the plan's bound; NULL: none was asked for */
};

MUST_USE enum err write_plan_json(const struct solve_input *input,
                                  const struct solve_effort *effort, FILE *out,
                                  struct problem *problem);
MUST_USE enum err write_plan_text(const struct solve_input *input,
                                  const struct solve_effort *effort, FILE *out,
                                  struct problem *problem);

#endif
