/* figures.h - what benchmarks share: CPU time, percentiles, and lines that run.sh appends. */
#ifndef CALLOUT_TESTS_FIGURES_H
#define CALLOUT_TESTS_FIGURES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static inline double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Highest resident memory of this process so far. */
static inline double peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* metric,value,unit: `name` is a prefix for all metrics of one run. */
static inline void figure(const char *name, const char *metric, double value, const char *unit)
{
    printf("%s_%s,%.6g,%s\n", name, metric, value, unit);
    fflush(stdout);
}

static inline void progress(const char *name, uint32_t done, uint32_t all)
{
    if (isatty(STDERR_FILENO)) fprintf(stderr, "\r%s %u of %u  ", name, done, all);
    if (isatty(STDERR_FILENO) && done == all) fputs("\r\033[K", stderr);
}

/* Samples of one quantity. */
enum { SAMPLES_MAX = 65536 };
struct samples {
    double items[SAMPLES_MAX];
    uint32_t count;
};

static inline void sample(struct samples *samples, double value)
{
    if (samples->count < SAMPLES_MAX) samples->items[samples->count++] = value;
}

static inline int samples_order(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static inline double samples_sum(const struct samples *samples)
{
    double sum = 0;
    for (uint32_t i = 0; i < samples->count; i++)
        sum += samples->items[i];
    return sum;
}

/* The nearest rank; 100 is the maximum. Sorts the samples. */
static inline double percentile(struct samples *samples, uint32_t percent)
{
    if (samples->count == 0) return 0;
    qsort(samples->items, samples->count, sizeof *samples->items, samples_order);
    uint32_t rank = (samples->count * percent + 99) / 100;
    return samples->items[rank == 0 ? 0 : rank - 1];
}

#endif
