#include "gateway/metrics.h"

#include "base/check.h"

#include <string.h>

const int64_t metrics_latency_bounds_us[METRICS_LATENCY_BUCKETS] = {
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000};

void metrics_init(struct metrics *metrics)
{
    *metrics = (struct metrics){.methods = {"none"}, .method_count = 1};
}

unsigned metrics_method(struct metrics *metrics, const char *name)
{
    for (unsigned i = 1; i < metrics->method_count; i++)
        if (strcmp(metrics->methods[i], name) == 0) return i;
    if (metrics->method_count == METRICS_METHODS_MAX) return 0;
    metrics->methods[metrics->method_count] = name;
    return metrics->method_count++;
}

void metrics_answered(struct metrics *metrics, unsigned method, enum err status)
{
    CHECK(method < METRICS_METHODS_MAX);
    metrics->requests[method][(unsigned)status < ERR_COUNT ? status : ERR_INTERNAL]++;
}

void metrics_latency(struct metrics *metrics, int64_t us)
{
    unsigned bucket = 0;
    while (bucket < METRICS_LATENCY_BUCKETS && us > metrics_latency_bounds_us[bucket])
        bucket++;
    metrics->latency[bucket]++;
    metrics->latency_count++;
    metrics->latency_sum_us += (uint64_t)us;
}
