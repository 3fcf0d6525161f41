#include "sim/run/run_setup.h"

#include "base/clock.h"
#include "sim/peer/peer.h"
#include "sim/world/like.h"

#include <stdio.h>

struct run_setup run_setup_default(void)
{
    return (struct run_setup){.solver_seconds = 10, .solver_us = hub_costs_default.answer_us};
}

enum err run_setup_scenario(struct run_setup *setup, struct scenario *scenario,
                            struct day_errors *errors)
{
    static struct scenario other;
    struct like_count count;
    struct problem problem = {0};
    if (setup->policy != NULL) {
        if (scenario_read(&other, setup->policy, NULL, 0, errors) != ERR_OK) return ERR_INVALID;
        scenario->policy = other.policy;
    }
    setup->like = scenario->like[0] != '\0';
    if (like_learn(scenario, &count, &problem) == ERR_OK) return ERR_OK;
    errors->count = 1;
    errors->items[0] = problem;
    return ERR_INVALID;
}

void run_setup_world(struct run_setup *setup, struct world_options *options)
{
    if (setup->like) options->roads = NULL; /* like.h */
    if (setup->solver == NULL) return;
    const struct peer_options peer = {setup->solver, setup->solver_seconds};
    run_setup_close(setup);
    setup->peer = peer_open(&peer);
    options->peer = setup->peer;
    options->costs.answer_us = setup->solver_us;
}

void run_setup_result(const struct run_setup *setup, struct run_result *result)
{
    if (setup->peer == NULL) return;
    const struct peer_report *report = peer_report(setup->peer);
    struct run_peer *it = &result->peer;
    snprintf(result->solver, sizeof result->solver, "%.120s", setup->solver);
    it->answered = report->ends[PEER_ANSWERED];
    it->hung = report->ends[PEER_HUNG];
    it->died = report->ends[PEER_DIED];
    it->nonsense = report->ends[PEER_NONSENSE];
    it->left_out = report->left_out;
    snprintf(it->last_failure, sizeof it->last_failure, "%.250s", report->last_failure);
    uint64_t calls = it->answered + it->hung + it->died + it->nonsense;
    result->times.peer_us = (int64_t)(report->seconds * (double)US_PER_SECOND);
    result->times.peer_worst_us = (int64_t)(report->seconds_worst * (double)US_PER_SECOND);
    result->times.peer_mean_us = calls == 0 ? 0 : result->times.peer_us / (int64_t)calls;
}

void run_setup_close(struct run_setup *setup)
{
    peer_close(setup->peer);
    setup->peer = NULL;
}
