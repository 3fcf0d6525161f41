/* sim.h - the simulator's verbs.
 *
 * `callout sim demo [--for TIME] [--json] [--day DIR] [--rate R] [--data DIR] [--work N]`
 *   starts the real system on an empty folder, loads a day and lets the fleet live through it;
 *   shows a board on a terminal, lines elsewhere, one object with --json; ends by itself.
 * `callout sim live --data DIR | --gateway URL --key-file FILE --tokens FILE --day DIR
 *                   [--for TIME] [--json] [--fleet DIR] [--control FILE]`
 *   the same fleet against a system that runs already.
 * Both: [--territory NAME] [--time-zone ZONE] [--seed N] [--ill N] [--emergencies N] [--cancels N]
 *       [--metrics FILE]
 * `callout sim take-over`, `give-back`, `phone`
 *   a real client in the place of one of its technicians (hands.h, phone.h).
 * `callout sim scenario [NAME | FILE] ...`
 *   what a simulated world is, without a run (scenario/scenario_tool.h).
 * `callout sim sweep SCENARIO ...`, `callout sim compare SCENARIO ...`
 *   many seeds of a scenario, and of variants of it (study/study_tool.h).
 */
#ifndef CALLOUT_SIM_SIM_H
#define CALLOUT_SIM_SIM_H

/* The role's main; argv[0] is the role's word. Returns an exit code. */
int sim_main(int argc, char **argv);

#endif
