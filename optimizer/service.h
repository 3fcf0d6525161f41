/* service.h - the optimizer as a process: it asks the dispatcher what changed, and proposes plans.
 *
 * `callout optimizer --dispatcher URL [--seed N] [--work N]`
 */
#ifndef CALLOUT_OPTIMIZER_SERVICE_H
#define CALLOUT_OPTIMIZER_SERVICE_H

/* The role's main; argv[0] is the role's word. Returns an exit code. */
int optimizer_main(int argc, char **argv);

#endif
