/* alive.h - how a child of `callout serve` shows that it has not hung.
 *
 * Idea: a solver can loop for ever without crashing, and nobody but its parent may kill it. The
 * parent leaves the writing end of a pipe open and names it in CALLOUT_ALIVE_FD; the child writes
 * a byte now and then, and is killed and restarted when it falls silent for ALIVE_SILENCE_MS after
 * its first byte. Without that variable nobody watches, and alive_beat does nothing.
 *
 * Thread: the child's main thread. Order: beat at least once a second, also while waiting for a
 * held reply; the call is cheap enough for every slice of a search.
 */
#ifndef CALLOUT_BASE_ALIVE_H
#define CALLOUT_BASE_ALIVE_H

#define ALIVE_VARIABLE "CALLOUT_ALIVE_FD"

enum {
    ALIVE_BEAT_MS = 500,      /* beats closer together than this are dropped */
    ALIVE_SILENCE_MS = 10000, /* the parent kills a child after this much silence */
};

void alive_beat(void);

#endif
