/* solve_tool.h - the tool that solves a file: a benchmark's text, VROOM's JSON, or a day folder.
 *
 * `callout solve FILE [--format solomon|vrplib|vroom|day] [--cpu-seconds S | --work N] [--seed N]
 * [--searches K] [--threads N] [--no-overtime] [--json] [--bound] [--certificate CERT]`; `callout
 * solve --help` says what each is for.
 *
 * Idea: one long search, cooled over the whole effort, with the master let in at each eighth of it.
 * With --work the effort is counted in rounds, and the same seed gives the same plan; with
 * --cpu-seconds (5, when nothing is said) the process's own CPU time decides, looked at between
 * chunks of work. An interrupt ends it early: the best plan so far is written.
 */
#ifndef CALLOUT_OPTIMIZER_SOLVE_TOOL_H
#define CALLOUT_OPTIMIZER_SOLVE_TOOL_H

#include "optimizer/solve_bound.h"
#include "optimizer/solve_input.h"

struct solve_budget {
    uint64_t work;      /* rounds; 0: cpu_seconds rules */
    double cpu_seconds; /* of the process, from its start */
    uint64_t seed;
    uint32_t searches, threads; /* see solve_lanes.h; 0 means 1 */
};

/* Searches from the input's first plan until the budget is used; solver.plan is the best. Returns
 * why it ended, in a word. `progress`: a line on standard error that tells how far it is. */
const char *solve_run(struct solve_input *input, const struct solve_budget *budget, bool progress);

/* The same, with a bound; `bound` is open afterwards, and there may be a proof. "proven": no plan
 * is cheaper. */
const char *solve_and_bound(struct solve_input *input, const struct solve_budget *budget,
                            bool progress, struct solve_bound *bound);

/* The tool's main; argv[0] is the tool's word. Returns an exit code. */
int solve_main(int argc, char **argv);

#endif
