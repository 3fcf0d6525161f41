/* run.h - a scenario lived through in virtual time, day by day in one system, into a run_result.
 *
 * Idea: each day of the horizon comes in at its midnight, as an office would send it the evening
 * before; people, customers and faults do what the scenario and the seed say; what was not served
 * is carried over by the dispatcher itself. A day's figures are taken when its midnight has passed,
 * so that what it ended without counts as that. In the end the log is held against what was said:
 * each command and each order has one fact.
 *
 * Owner: the options are kept until run_scenario returns. Thread: one, and one run at a time in a
 * process (seeded.h). Order: the scenario was read in this process (its time zone is open).
 */
#ifndef CALLOUT_SIM_WORLD_RUN_H
#define CALLOUT_SIM_WORLD_RUN_H

#include "sim/world/result.h"
#include "sim/world/world.h"

struct run_options {
    const struct scenario *scenario;
    uint64_t seed;
    bool untroubled; /* without the scenario's faults; the orders of a storm stay away too */
    /* Changes to how each world is opened, such as a peer; NULL: none. */
    void (*adjust)(void *context, struct world_options *options);
    /* Now and then, and once at the end; permille of all days. False: end here. May be NULL. */
    bool (*progress)(void *context, int32_t permille);
    void *context; /* of both */
};

/* ERR_INVALID: a day cannot be made or was refused, see *errors. ERR_RETRY: progress ended it. On
 * error *out holds nothing; else run_result_fini frees it. */
MUST_USE enum err run_scenario(struct run_result *out, const struct run_options *options,
                               struct day_errors *errors);

/* The same with the scenario's faults and without them, the cost of which `out` then says. A
 * scenario without faults is lived once. */
MUST_USE enum err run_with_cost(struct run_result *out, const struct run_options *options,
                                struct day_errors *errors);

#endif
