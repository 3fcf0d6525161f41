/* scenario_tool.h - `callout sim scenario [NAME | FILE] [--show | --csv DIR | --keys] [--seed N]
 * [--set SECTION.KEY=VALUE]...`
 *
 * Alone it lists the scenarios that come with the program. With a name it says what the seed makes
 * of it, day by day; --show prints the scenario with every value, --csv writes each day's
 * technicians.csv and orders.csv (of a horizon of days into DIR/day-1, DIR/day-2, ...), --keys
 * lists every key of a scenario's text. Errors are listed all at once; exit 5.
 */
#ifndef CALLOUT_SIM_SCENARIO_SCENARIO_TOOL_H
#define CALLOUT_SIM_SCENARIO_SCENARIO_TOOL_H

#include "sim/scenario/scenario.h"

#include <stdbool.h>

/* The verb's main; argv[0] is the verb. Returns an exit code. */
int scenario_main(int argc, char **argv);

enum { SCENARIO_LIKE_SIZE = SCENARIO_PATH + 16 };

/* What --like FOLDER sets in a scenario: the path from where we are, not from where the scenario's
 * file is. False: it is too long. */
bool scenario_like_here(const char *folder, char out[SCENARIO_LIKE_SIZE]);

#endif
