/* scratch.h - a private folder in memory for a run's device folders: nothing in it reaches a disk.
 *
 * It lies in /dev/shm, or where that is missing or small in $TMPDIR or /tmp. Whoever made it holds
 * a lock on it until it is removed or the process ends; folders of this user that nobody holds are
 * what a killed process left, and go when the next one is made. Thread: one.
 */
#ifndef CALLOUT_SIM_SCRATCH_H
#define CALLOUT_SIM_SCRATCH_H

#include "base/err.h"

enum { SCRATCH_PATH = 256 };

MUST_USE enum err scratch_make(char path[SCRATCH_PATH], struct problem *problem);
/* With all that is in it; symbolic links are removed, not followed. "" is nothing. */
void scratch_remove(const char *path);

#endif
