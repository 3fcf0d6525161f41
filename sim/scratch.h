/* scratch.h - a private folder in memory for a run's device folders: nothing in it reaches a disk.
 *
 * It lies in /dev/shm, or where that is missing in $TMPDIR or /tmp. Thread: none.
 */
#ifndef CALLOUT_SIM_SCRATCH_H
#define CALLOUT_SIM_SCRATCH_H

#include "base/err.h"

enum { SCRATCH_PATH = 256 };

MUST_USE enum err scratch_make(char path[SCRATCH_PATH], struct problem *problem);
/* With all that is in it; symbolic links are removed, not followed. "" is nothing. */
void scratch_remove(const char *path);

#endif
