/* children.h - child processes that run this same program in other roles, watched and restarted.
 *
 * Idea: a child that ends is started again after a delay that doubles from CHILD_DELAY_MS_MIN to
 * CHILD_DELAY_MS_MAX; one that lived for a second begins anew with the shortest. A child that beats
 * (base/alive.h) and then falls silent is killed first. Children die with their parent.
 *
 * Owner: the caller owns struct child; its arguments are copied.
 * Thread: one. Order: children_open first, before any other thread exists.
 */
#ifndef CALLOUT_DISPATCHER_CHILDREN_H
#define CALLOUT_DISPATCHER_CHILDREN_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CHILD_ARGS_MAX = 80,
    CHILD_DELAY_MS_MIN = 50,
    CHILD_DELAY_MS_MAX = 5000,
    CHILD_ENDS_KEPT = 8,
};

struct child {
    char *args[CHILD_ARGS_MAX + 2]; /* "callout", role, options, NULL */
    int arg_count;
    pid_t pid;          /* 0: not running */
    int beats_fd;       /* the reading end of its signs of life */
    int64_t started_us; /* monotonic, as all times here */
    int64_t beat_us;    /* 0: it has not beaten yet, so it is not watched */
    int64_t restart_us; /* when it is to be started again */
    int64_t delay_ms;
    int64_t silence_ms;                /* ALIVE_SILENCE_MS */
    int exit_code;                     /* of its last end; 128 + signal when it was killed */
    uint32_t ends;                     /* how often it ended without being told to */
    int64_t ended_us[CHILD_ENDS_KEPT]; /* UTC, of the last ones: a ring by number */
};

/* Keeps CHLD, TERM and INT for children_wait. */
void children_open(void);

void child_init(struct child *child, const char *role);
void child_arg(struct child *child, const char *text);
void child_fini(struct child *child); /* not running */
MUST_USE enum err child_start(struct child *child);

/* Sleeps until a signal or for timeout_ms; true when TERM or INT asked us to stop. */
bool children_wait(int timeout_ms);
/* Notes ends and signs of life, and kills the silent; true when one has ended. */
bool children_look(struct child *children, int count);
/* Starts those that are due. */
void children_restart(struct child *children, int count);
/* TERM, and KILL after limit_ms; returns when it is gone. */
void child_stop(struct child *child, int limit_ms);

#endif
