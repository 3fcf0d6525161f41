/* stats.h - what can be said of a figure from a sample of seeds: means, and intervals that hold the
 * true mean as often as they say.
 *
 * Student's t interval for the mean, and an expanded percentile bootstrap (Hesterberg 2015, "What
 * teachers should know about the bootstrap"): the percentile interval with the tails widened by the
 * small-sample factor, so that it covers with few seeds too. Samples are summed in the order given:
 * the same values in the same order give the same figures.
 * Thread: any.
 */
#ifndef CALLOUT_SIM_STUDY_STATS_H
#define CALLOUT_SIM_STUDY_STATS_H

#include <stddef.h>
#include <stdint.h>

struct interval {
    double mean, low, high; /* low and high are NAN for fewer than two values */
};

double stats_mean(const double *values, size_t count); /* NAN: no values */
/* Of a sample: divided by count - 1; 0 for fewer than two values. */
double stats_deviation(const double *values, size_t count);

/* Probabilities below a value, and the value below which a probability lies. `freedom` >= 1. */
double stats_normal(double z);
double stats_t(double t, double freedom);
double stats_t_quantile(double probability, double freedom);

/* `confidence` is 0.95 for 95 %. */
struct interval stats_t_interval(const double *values, size_t count, double confidence);
struct interval stats_bootstrap(const double *values, size_t count, double confidence,
                                uint32_t resamples, uint64_t seed);

/* How probable a mean at least so far from 0 is if the true one is 0. 1 if all values are 0, 0 if
 * all are one other value; NAN for fewer than two values. */
double stats_p_value(const double *values, size_t count);

#endif
