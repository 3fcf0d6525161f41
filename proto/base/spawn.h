/* spawn.h - starts another program.
 *
 * Idea: vfork, not fork. A process with threads that has a library open which cleans up after a
 * fork (PROJ closes its database in the child) may hang in the child, before it becomes the
 * program: the clean-up wants locks that a thread held which is not there any more. After vfork
 * nothing is cleaned up. What posix_spawn does not know is the end with the parent.
 *
 * The child holds nothing of ours but its standard descriptors and what is not close-on-exec.
 * Owner: the caller, who waits for the child and closes what it was given. Thread: any.
 */
#ifndef CALLOUT_BASE_SPAWN_H
#define CALLOUT_BASE_SPAWN_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct spawn {
    const char *program;          /* its path */
    const char *const *arguments; /* the first is its name; NULL at the end */
    int input, output;            /* its standard input and output; -1: ours */
    const char *log_path;         /* its standard error is added to this file; NULL: ours */
    bool apart;                   /* leads a process group: a terminal's interrupt is not for it */
    bool ends_with_us;            /* SIGTERM when the thread that started it ends */
};

/* ERR_IO: no process could be made. A program that cannot be started ends with code 127. */
enum err spawn_start(const struct spawn *spawn, pid_t *pid, struct problem *problem);

#endif
