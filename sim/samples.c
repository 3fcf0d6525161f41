#include "sim/samples.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void samples_fini(struct samples *samples)
{
    free(samples->us);
    *samples = (struct samples){0};
}

void samples_add(struct samples *samples, int64_t us)
{
    if (samples->count == samples->room) {
        samples->room = samples->room == 0 ? 256 : samples->room * 2;
        samples->us = realloc(samples->us, samples->room * sizeof *samples->us);
        CHECK(samples->us != NULL);
    }
    samples->us[samples->count++] = us;
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double samples_percentile_ms(const struct samples *samples, double percent)
{
    if (samples->count == 0) return 0;
    int64_t *sorted = malloc(samples->count * sizeof *sorted);
    CHECK(sorted != NULL);
    memcpy(sorted, samples->us, samples->count * sizeof *sorted);
    qsort(sorted, samples->count, sizeof *sorted, by_size);
    size_t rank = (size_t)ceil(percent / 100 * (double)samples->count);
    int64_t us = sorted[rank == 0 ? 0 : rank - 1];
    free(sorted);
    return (double)us / 1000;
}
