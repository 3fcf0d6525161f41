/* audit_tool.h - the tool that checks a plan against the file it was made for.
 *
 * `callout audit FILE PLAN.json [--format solomon|vrplib|vroom|day] [--no-overtime] [--json]`
 *
 * It reads the problem as `callout solve` does, and lets the auditor (audit/audit.h) walk the
 * plan's routes by the times that the plan says, in both forms if it has both. What it says of its
 * own figures is checked too.
 */
#ifndef CALLOUT_OPTIMIZER_AUDIT_TOOL_H
#define CALLOUT_OPTIMIZER_AUDIT_TOOL_H

#include "optimizer/audit/audit.h"

/* The problem of a workday as it was told, in order of id. It borrows from the workday, and takes
 * what it needs of the arena. */
void audit_problem_of(const struct workday *day, struct arena *memory,
                      struct audit_problem *problem);

/* The tool's main; argv[0] is the tool's word. Returns an exit code. */
int audit_main(int argc, char **argv);

#endif
