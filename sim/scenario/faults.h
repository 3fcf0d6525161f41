/* faults.h - what goes wrong on one day of a scenario, as a timeline: whom the seed chose, when.
 *
 * A share means so many of the day's technicians, at least one; who they are is the seed's choice.
 * The orders of a storm are among the day's orders (generate.h), its slow roads are here.
 * Owner: scenario_faults fills the list, faults_fini frees it. Thread: one (day/zone.h).
 */
#ifndef CALLOUT_SIM_SCENARIO_FAULTS_H
#define CALLOUT_SIM_SCENARIO_FAULTS_H

#include "sim/scenario/scenario.h"

struct fault_event {
    int64_t begin_us, end_us; /* domain time; the same for what has no length */
    enum fault_kind kind;     /* FAULT_STORM comes as FAULT_TRAVEL */
    size_t fault;             /* in scenario.faults */
    int32_t technician;       /* in the day's technicians; -1: everybody, or nobody's */
    int32_t amount;           /* travel and lost messages: percent; drift: metres; skew: seconds */
    int32_t bearing;          /* of a drift, degrees */
    enum fault_part part;
};

struct fault_list {
    struct fault_event *items; /* ascending by begin_us */
    size_t count;
};

void scenario_faults(const struct scenario *scenario, const struct day *day, int32_t index,
                     uint64_t seed, struct fault_list *out);
void faults_fini(struct fault_list *list);

#endif
