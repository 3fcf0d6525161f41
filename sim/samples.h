/* samples.h - a growing list of measured durations, and its percentiles. */
#ifndef CALLOUT_SIM_SAMPLES_H
#define CALLOUT_SIM_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
    int64_t *us;
    size_t count, room;
};

void samples_fini(struct samples *samples);
void samples_add(struct samples *samples, int64_t us);
/* The smallest sample that at least `percent` of all do not exceed, in milliseconds; 0: no sample.
 */
double samples_percentile_ms(const struct samples *samples, double percent);

#endif
