/* compare.h - how good is the live plan? Now and then it meets a fresh solve of the same problem.
 *
 * `callout compare --data DIR [--times N] [--every SECONDS] [--rounds N] [--seed N]`
 *
 * Idea: at each instant the problem is asked for as the optimizer sees it. Its published plan,
 * mended where the latest event broke it, is one plan; a search from nothing but the frozen visits
 * and the visits in progress, with many rounds, is the other. Prices of changes count for neither:
 * nobody was told anything. All questions are asked first and solved at the end, so that the system
 * that is looked at keeps its processor. Prints a line per instant and "metric,value,unit" lines.
 */
#ifndef CALLOUT_OPTIMIZER_COMPARE_H
#define CALLOUT_OPTIMIZER_COMPARE_H

/* The tool's main; argv[0] is the tool's word. Returns an exit code. */
int compare_main(int argc, char **argv);

#endif
