/* results.h - the figures of many runs: in memory as a table, in a file as one JSON line per run.
 *
 * A line: {"variant", "configuration", "program", "seed", "seconds", "figures": {NAME: NUMBER}}, or
 * "error" instead of figures. Figures are the numbers of a run's one JSON object, named by their
 * path ("kpi.on_time_permille"); arrays, texts, the seed itself, and the object "times", which is
 * measured and never repeats, are not figures.
 *
 * Idea: a run's line is written at once when the run ends, so that an interrupted study loses only
 * the runs that went on; a half line at the end is cut off. A line counts again only for the same
 * configuration and the same program, and if it has figures: failed runs are tried again.
 * A file that does not begin as such a line, or is no regular file, is refused and left as it was.
 * Order: what the table says does not depend on the order in which runs ended.
 * Owner: results_open, results_close. Thread: one. The file is locked: one study at a time.
 */
#ifndef CALLOUT_SIM_STUDY_RESULTS_H
#define CALLOUT_SIM_STUDY_RESULTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESULTS_FIGURES_MAX = 1024, RESULTS_SEEDS_MAX = 100000, RESULTS_VARIANTS_MAX = 64 };

/* What a line must match to count; texts are borrowed until results_close. */
struct results_variant {
    const char *name;
    char configuration[20]; /* in hexadecimal */
};

struct results_options {
    const struct results_variant *variants;
    size_t variant_count;
    uint64_t seed_first;
    size_t seed_count;
    char program[20];
    const char *path; /* NULL: in memory only */
};

struct results;

MUST_USE enum err results_open(struct results **out, const struct results_options *options,
                               struct problem *problem);
void results_close(struct results *results); /* may be NULL */

/* Was the run's line there, or has it been added? Seeds are counted from 0 = seed_first. */
bool results_has(const struct results *results, size_t variant, size_t seed);
size_t results_count(const struct results *results, size_t variant);
size_t results_foreign(const struct results *results); /* lines of the file that do not count */

/* Takes a run's answer. ERR_INVALID: it is not one JSON object with figures; the failure is on
 * file, and *problem says why. */
MUST_USE enum err results_add(struct results *results, size_t variant, size_t seed,
                              const char *answer, size_t size, double seconds,
                              struct problem *problem);
/* A run that failed. */
MUST_USE enum err results_fail(struct results *results, size_t variant, size_t seed,
                               const char *error, struct problem *problem);

/* Figures in the order in which their names stand, by bytes. */
size_t results_figures(struct results *results);
const char *results_figure(const struct results *results, size_t figure);
/* The values of a figure over the seeds that have it, in the order of seeds; returns how many. */
size_t results_values(const struct results *results, size_t variant, size_t figure, double *out);
/* The differences variant - base over the seeds that both have. */
size_t results_differences(const struct results *results, size_t base, size_t variant,
                           size_t figure, double *out);

#endif
