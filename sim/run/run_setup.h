/* run_setup.h - what a run takes from elsewhere: a recorded day's people and orders, how long all
 * took on it, the policy of another scenario, and who stands in the optimizer's place.
 *
 * Owner: texts are borrowed. Order: scenario before the run, world at each of its worlds (the last
 * one is the run that counts), result after it, close.
 */
#ifndef CALLOUT_SIM_RUN_RUN_SETUP_H
#define CALLOUT_SIM_RUN_RUN_SETUP_H

#include "sim/scratch.h"
#include "sim/world/run.h"

struct run_setup {
    const char *policy;    /* a scenario's name or file; NULL: the scenario's own */
    const char *solver;    /* a command (sim/peer/peer.h); NULL: our optimizer */
    double solver_seconds; /* of the wall clock, per event; then it is killed */
    int64_t solver_us;     /* what an answer takes in virtual time */
    bool like;             /* the durations are a recorded day's */
    struct peer *peer;
    char scratch[SCRATCH_PATH]; /* a recorded day's files; "": none */
};

struct run_setup run_setup_default(void);

/* Takes the policy, the day of a data folder, and the durations that scenario->like names: of a
 * recorded day its own, if it has enough of them. ERR_INVALID: see *errors. */
MUST_USE enum err run_setup_scenario(struct run_setup *setup, struct scenario *scenario,
                                     struct day_errors *errors);
void run_setup_world(struct run_setup *setup, struct world_options *options);
void run_setup_result(const struct run_setup *setup, struct run_result *result);
void run_setup_close(struct run_setup *setup);

#endif
