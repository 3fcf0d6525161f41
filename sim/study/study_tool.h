/* study_tool.h - `callout sim sweep` and `callout sim compare`.
 *
 * `callout sim sweep SCENARIO [--seeds N | FIRST-LAST] [--vary KEY=V1,V2,...]... [--set KEY=V]...
 *   runs the scenario on every seed, once per combination of the varied values; says the mean of
 *   every figure with its intervals.
 * `callout sim compare SCENARIO [--with "KEY=V, KEY=V"]... [--against SCENARIO]...
 *   [--solver COMMAND]...
 *   runs the variants on the same seeds; says by how much each differs from the first, with
 *   intervals of the paired differences and a verdict.
 * Both: [--workers N] [--out FILE] [--report DIR] [--json] [--confidence PERCENT] [--limit S]
 *   [--figures WORD] [--no-progress] [--worker PROGRAM] [--seeds ...] [--set ...]
 *
 * --report writes a page of it (study_page.h), with its figures as CSV and JSON.
 * --out keeps each run as a JSON line; the same command goes on where it was interrupted (INT: exit
 * 130, what is there is summed up). A run is `callout sim run SCENARIO --seed N --set ... --json`;
 * --worker puts another program with these arguments in its place. Exit 1: runs failed.
 */
#ifndef CALLOUT_SIM_STUDY_STUDY_TOOL_H
#define CALLOUT_SIM_STUDY_STUDY_TOOL_H

/* The verbs' main; argv[0] is the verb. Returns an exit code. */
int study_main(int argc, char **argv);

#endif
