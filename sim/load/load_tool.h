/* load_tool.h - `callout load`: many devices against a running system (load.h).
 *
 * Exit codes: 3 check-ins were rejected or not all devices came back from a storm, 4 the system is
 * not reachable, 130 interrupted with the figures so far.
 */
#ifndef CALLOUT_SIM_LOAD_LOAD_TOOL_H
#define CALLOUT_SIM_LOAD_LOAD_TOOL_H

/* The tool's main; argv[0] is its word. Returns an exit code. */
int load_main(int argc, char **argv);

#endif
