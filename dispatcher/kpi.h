/* kpi.h - the figures of a service day, read from what the log led to: store and core.
 *
 * Idea: nothing here is counted while things happen. What is asked is always the whole day, from
 * check-ins, orders, plans and the core, all of which replay rebuilds: so live, replayed and
 * simulated figures are the same. What each figure means is proto/model/kpi.h.
 *
 * Owner: results live in the arena. Thread: the engine's; a query, nothing is changed. Cost: a few
 * store rows for each appointment and published plan of the day.
 */
#ifndef CALLOUT_DISPATCHER_KPI_H
#define CALLOUT_DISPATCHER_KPI_H

#include "base/arena.h"
#include "base/err.h"
#include "dispatcher/core/core.h"
#include "dispatcher/store/store.h"
#include "model/kpi.h"

/* Of one visit that somebody left for. */
struct leg {
    const char *technician_id, *appointment_id;
    enum appointment_status status;
    int64_t planned_start_us, late_us;
    struct kpi_leg times;
};

struct day_figures {
    struct kpi kpi;
    struct leg *legs; /* by technician, in the order of departure */
    uint32_t leg_count;
};

/* The figures of a territory's day as of day->now_us. A day of which nothing is known is empty. */
MUST_USE enum err day_figures(struct store *store, const struct core *core,
                              const char *territory_id, int64_t service_day,
                              const struct kpi_day *day, struct arena *arena,
                              struct day_figures *out);

#endif
