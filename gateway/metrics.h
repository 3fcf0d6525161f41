/* metrics.h - what the gateway counts, by method and status, and how long the dispatcher takes.
 *
 * Owner and thread: the gateway's loop. Plain numbers; the text of /metrics is made in admin.c.
 */
#ifndef CALLOUT_GATEWAY_METRICS_H
#define CALLOUT_GATEWAY_METRICS_H

#include "base/err.h"

#include <stdint.h>

enum { METRICS_METHODS_MAX = 64, METRICS_LATENCY_BUCKETS = 12 };

struct metrics {
    const char *methods[METRICS_METHODS_MAX]; /* [0] stands for what has no method */
    unsigned method_count;
    uint64_t requests[METRICS_METHODS_MAX][ERR_COUNT]; /* answered, by status */
    uint64_t latency[METRICS_LATENCY_BUCKETS + 1];     /* the last one: longer than all bounds */
    uint64_t latency_count, latency_sum_us;
    uint64_t polls_superseded, polls_woken, session_hits, session_misses;
};

extern const int64_t metrics_latency_bounds_us[METRICS_LATENCY_BUCKETS];

void metrics_init(struct metrics *metrics);
/* The index of a method of ours, or 0. `name` must be a string that lives on, or unknown. */
unsigned metrics_method(struct metrics *metrics, const char *name);
void metrics_answered(struct metrics *metrics, unsigned method, enum err status);
void metrics_latency(struct metrics *metrics, int64_t us);

#endif
