/* verdict.h - is a figure of one variant better than of another? Which way is better, and what the
 * differences of the same seeds say.
 *
 * Runs of one seed share all their chance (scenario/chance.h), so each seed gives one difference,
 * and what the seeds have in common falls out. "Better" means that the t interval of the mean
 * difference does not hold 0. With many figures some look different by chance: at 95 % one in
 * twenty of those that are not.
 */
#ifndef CALLOUT_SIM_STUDY_VERDICT_H
#define CALLOUT_SIM_STUDY_VERDICT_H

#include "sim/study/stats.h"

enum goal { GOAL_NONE, GOAL_MORE, GOAL_LESS };

/* By the words of its name: on time, served and first-time fix are to grow, unserved, lateness,
 * travel, moves and the like to shrink. */
enum goal goal_of(const char *figure);

enum verdict {
    VERDICT_TOO_FEW, /* fewer than two seeds that both have */
    VERDICT_SAME,    /* equal on every seed */
    VERDICT_NOT_DIFFERENT,
    VERDICT_BETTER,
    VERDICT_WORSE,
    VERDICT_HIGHER, /* of a figure without a goal */
    VERDICT_LOWER,
};

const char *verdict_name(enum verdict verdict);

struct paired {
    size_t pairs, equal; /* seeds that both have; those without a difference */
    struct interval t, bootstrap;
    double p_value;
    enum verdict verdict;
};

/* What the differences say; `seed` is the bootstrap's. */
struct paired paired_judge(const double *differences, size_t count, enum goal goal,
                           double confidence, uint64_t seed);

enum { BOOTSTRAP_RESAMPLES = 2000 };

#endif
