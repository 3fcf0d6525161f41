#include "sim/run/run_setup.h"

#include "base/clock.h"
#include "sim/peer/peer.h"
#include "sim/world/like.h"
#include "sim/world/recorded.h"

#include <stdio.h>
#include <string.h>

struct run_setup run_setup_default(void)
{
    return (struct run_setup){.solver_seconds = 10, .solver_us = hub_costs_default.answer_us};
}

static enum err refuse(struct day_errors *errors, const struct problem *problem)
{
    errors->count = 1;
    errors->items[0] = *problem;
    return ERR_INVALID;
}

/* A recorded day; what took how long is as it was, unless the scenario names another folder. */
static enum err take_recorded(struct run_setup *setup, struct scenario *scenario,
                              struct problem *problem)
{
    struct like_count count;
    if (!recorded_is(scenario->folder.path)) return ERR_OK;
    enum err err = scratch_make(setup->scratch, problem);
    if (err == ERR_OK) err = recorded_take(scenario, setup->scratch, problem);
    if (err != ERR_OK || scenario->like[0] != '\0') return err;
    memcpy(scenario->like, scenario->folder.path, sizeof scenario->like);
    if (like_learn(scenario, &count, problem) == ERR_OK) return ERR_OK;
    fprintf(stderr, "callout sim: journeys and visits take as long as usual: %s: %s\n",
            problem->field, problem->text);
    scenario->like[0] = '\0';
    return ERR_OK;
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
    if (scenario->like[0] != '\0' && like_learn(scenario, &count, &problem) != ERR_OK)
        return refuse(errors, &problem);
    if (take_recorded(setup, scenario, &problem) != ERR_OK) return refuse(errors, &problem);
    setup->like = scenario->like[0] != '\0';
    return ERR_OK;
}

void run_setup_world(struct run_setup *setup, struct world_options *options)
{
    if (setup->like) options->roads = NULL; /* like.h */
    if (setup->solver == NULL) return;
    const struct peer_options peer = {setup->solver, setup->solver_seconds};
    peer_close(setup->peer);
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
    scratch_remove(setup->scratch);
    setup->scratch[0] = '\0';
}
