/* run_tool.h - `callout sim run`: a scenario in virtual time, and what it came to.
 *
 * `callout sim run SCENARIO | FILE | DAY-DIR | DATA-DIR [--seed N] [--set KEY=VALUE]... [--json]
 *   [--like DIR] [--policy SCENARIO] [--solver COMMAND] [--report DIR] [--no-cost] [--no-progress]`
 *   lives the scenario's days once; prints the figures for people, or with --json as one object, or
 *   writes the planner's page. A scenario with faults is lived a second time without them, so that
 *   the report can say what they cost; --no-cost leaves that out.
 * `... --seeds N | FIRST-LAST [--threads T]`
 *   the same for many seeds, T processes at once: means with intervals (`callout sim sweep`).
 *
 * The same scenario, seed and program give the same bytes, the key "times" of --json aside.
 * Exit codes: 3 a command was lost or is there twice, 5 the scenario is not sound (every error with
 * its line), 130 interrupted.
 */
#ifndef CALLOUT_SIM_RUN_RUN_TOOL_H
#define CALLOUT_SIM_RUN_RUN_TOOL_H

/* `callout sim VERB`: run, or one of sim/sim.h; argv[0] is "sim". Returns an exit code. */
int sim_verbs_main(int argc, char **argv);

#endif
