/* study.h - many seeds of one or more variants of a scenario: run, kept, summed up, compared.
 *
 * A study runs every variant on every seed, seeds outermost, so that whatever is there when it is
 * interrupted can be compared. What a run is, is the caller's: a program and its arguments that
 * print one JSON object (`callout sim run ... --json`).
 * Thread: one. Same results, same bytes: a summary depends on figures and settings only, not on the
 * order or the number of workers.
 */
#ifndef CALLOUT_SIM_STUDY_STUDY_H
#define CALLOUT_SIM_STUDY_STUDY_H

#include "sim/study/results.h"

#include <jansson.h>
#include <stdio.h>

struct study_options {
    const struct results_variant *variants; /* the first is what others are compared with */
    size_t variant_count;
    uint64_t seed_first;
    size_t seed_count;
    size_t workers;
    int64_t limit_us;  /* per run; 0: none */
    double confidence; /* 0.95 */
    /* The program and its arguments for a run, NULL behind them; kept until the next call. */
    const char *const *(*arguments)(void *context, size_t variant, uint64_t seed);
    void *context;
    FILE *progress; /* NULL: none. On a terminal one line that changes, else a line per tenth */
};

struct study_count {
    size_t runs, done, kept, failed; /* kept: of done, were in the file already */
    char failure[512];               /* the first one */
    bool interrupted;
};

/* Runs what the results do not have yet. ERR_IO: the file cannot be written or nothing started. */
MUST_USE enum err study_run(const struct study_options *options, struct results *results,
                            struct study_count *count, struct problem *problem);

/* Means with intervals, per variant and figure. */
json_t *study_summary(const struct study_options *options, struct results *results);
/* Paired differences of each variant from the first. */
json_t *study_comparison(const struct study_options *options, struct results *results);

/* The same for people. With `filter`, figures whose names hold it. */
void study_print_summary(json_t *summary, const char *filter, FILE *out);
void study_print_comparison(json_t *comparison, const char *filter, FILE *out);

#endif
