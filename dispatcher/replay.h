/* replay.h - what reads a data folder: what happened, is it sound, and what can be learnt of it?
 *
 * `callout replay DIR [--until SEQ] [--json]`
 *      rebuilds core and tables from the fact log, and compares their digests with the folder's
 * `callout verify DIR [--json]`
 *      checks the file's own structure, the hash chains, and that replay leads to the tables
 *      and to the changes that devices follow; nothing is replayed that its chain does not seal
 */
#ifndef CALLOUT_DISPATCHER_REPLAY_H
#define CALLOUT_DISPATCHER_REPLAY_H

#include "base/err.h"

struct leg; /* kpi.h */

/* The roles' mains. 0: all well, 3: a difference was found, 5: no such folder. */
int replay_main(int argc, char **argv);
int verify_main(int argc, char **argv);

/* Visits the legs of every territory and day of a folder that had a plan, as of its last fact; the
 * leg is borrowed. ERR_INVALID: a fact cannot be replayed; others: there is no such folder. */
MUST_USE enum err replay_legs(const char *folder, void (*visit)(void *context, const struct leg *),
                              void *context, struct problem *problem);

#endif
