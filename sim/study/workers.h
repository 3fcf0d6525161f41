/* workers.h - runs programs side by side, each for one answer on its standard output.
 *
 * Idea: a run is a process of its own, so a run that dies or hangs costs itself and nothing else,
 * and both cores are used without a thread. Who asks for runs says what to start next and takes
 * each outcome as it comes; the order of outcomes is the order in which runs ended.
 * Limits: an answer is at most WORKER_ANSWER_MAX bytes; a run that takes longer than the limit is
 * ended with all that it started. Owner: what the outcome points to is borrowed for the call.
 * Thread: one. Signals: once workers_catch_signals was called, the first INT or TERM ends the runs
 * that go on and workers_run returns; what was done stays done.
 */
#ifndef CALLOUT_SIM_STUDY_WORKERS_H
#define CALLOUT_SIM_STUDY_WORKERS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORKERS_MAX = 64, WORKER_ANSWER_MAX = 8 << 20, WORKER_COMPLAINT = 400 };

struct worker_outcome {
    size_t run;
    int exit_code; /* -1: ended by a signal, too long, or with too long an answer */
    const char *answer;
    size_t answer_size;
    const char *complaint; /* the end of its standard error, or why it was ended */
    int64_t took_us;
};

struct worker_plan {
    size_t workers;   /* at once, at most WORKERS_MAX */
    size_t runs;      /* numbered from 0; started in this order */
    int64_t limit_us; /* per run; 0: none */
    /* The program and its arguments with NULL behind them; kept until the next call. */
    const char *const *(*arguments)(void *context, size_t run);
    void (*done)(void *context, const struct worker_outcome *outcome);
    void (*tick)(void *context); /* now and then; may be NULL */
    void *context;
};

void workers_catch_signals(void);
bool workers_interrupted(void);

/* ERR_IO: no process could be started. Interrupted: ERR_OK, and workers_interrupted(). */
MUST_USE enum err workers_run(const struct worker_plan *plan, struct problem *problem);

#endif
