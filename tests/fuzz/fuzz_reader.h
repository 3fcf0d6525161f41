/* fuzz_reader.h - what each reader's target does with its bytes: a file that is refused says why,
 * and one that is taken has a plan that holds. */
#ifndef CALLOUT_FUZZ_READER_H
#define CALLOUT_FUZZ_READER_H

#include "base/check.h"
#include "optimizer/solve_tool.h"
#include "optimizer/write_plan.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { FUZZ_VISITS_MAX = 30, FUZZ_ROUNDS = 10 };

/* Enough of the solver to see that nothing in a hostile file upsets it. */
static inline void fuzz_plan(struct solve_input *input)
{
    static const struct solve_budget budget = {.work = FUZZ_ROUNDS, .seed = 1};
    struct problem problem = {0};
    solve_input_begin(input);
    struct solve_effort effort = {.stopped_because = "nothing"};
    if (input->solver.in.visit_count <= FUZZ_VISITS_MAX)
        effort.stopped_because = solve_run(input, &budget, false);
    plan_check(&input->solver.plan);
    FILE *out = fopen("/dev/null", "w");
    CHECK(out != NULL);
    CHECK(write_plan_json(input, &effort, out, &problem) == ERR_OK);
    CHECK(write_plan_text(input, &effort, out, &problem) == ERR_OK);
    fclose(out);
}

static inline void fuzz_reader(enum err (*read)(struct solve_input *, const char *, size_t,
                                                struct problem *),
                               const uint8_t *bytes, size_t size)
{
    static struct solve_input input;
    struct problem problem = {0};
    solve_input_open(&input);
    if (read(&input, (const char *)bytes, size, &problem) == ERR_OK)
        fuzz_plan(&input);
    else
        CHECK(problem.text[0] != '\0');
    solve_input_close(&input);
}

#endif
