#include "sim/peer/peer.h"

#include "base/check.h"
#include "base/clock.h"
#include "sim/peer/peer_process.h"
#include "sim/peer/peer_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 512 << 20 };

struct peer {
    struct peer_options options;
    char *command;
    struct arena memory; /* of one call */
    struct peer_report report;
};

struct peer *peer_open(const struct peer_options *options)
{
    struct peer *peer = calloc(1, sizeof *peer);
    CHECK(peer != NULL);
    peer->options = *options;
    peer->command = strdup(options->command);
    CHECK(peer->command != NULL);
    arena_open(&peer->memory, MEMORY_MAX);
    return peer;
}

void peer_close(struct peer *peer)
{
    if (peer == NULL) return;
    arena_close(&peer->memory);
    free(peer->command);
    free(peer);
}

static enum peer_end take_answer(struct peer *peer, struct solver *solver, const char *text,
                                 size_t size, struct problem *problem)
{
    struct plan plan;
    uint32_t left_out = 0;
    plan_make(&plan, &solver->in, &solver->stamp, &peer->memory);
    plan_copy(&plan, &solver->plan);
    if (peer_words_read(text, size, &plan, &peer->memory, &left_out, problem) != ERR_OK)
        return PEER_NONSENSE;
    CHECK(plan_keeps_pins(&plan, &solver->plan));
    plan_copy(&solver->plan, &plan);
    peer->report.left_out += left_out;
    return PEER_ANSWERED;
}

static void note(struct peer *peer, enum peer_end end, double seconds,
                 const struct problem *problem)
{
    struct peer_report *report = &peer->report;
    report->ends[end]++;
    report->seconds += seconds;
    if (seconds > report->seconds_worst) report->seconds_worst = seconds;
    if (end != PEER_ANSWERED)
        snprintf(report->last_failure, sizeof report->last_failure, "%s: %s", problem->field,
                 problem->text);
}

enum peer_end peer_solve(struct peer *peer, struct solver *solver, struct problem *problem)
{
    int64_t began_us = clock_mono_us();
    const char *answer = "";
    size_t problem_size, answer_size = 0;
    arena_rewind(&peer->memory);
    char *text = peer_words_write(solver, &problem_size);
    enum peer_end end =
        peer_process_run(peer->command, text, problem_size, peer->options.seconds_max,
                         &peer->memory, &answer, &answer_size, problem);
    free(text);
    if (end == PEER_ANSWERED) end = take_answer(peer, solver, answer, answer_size, problem);
    note(peer, end, (double)(clock_mono_us() - began_us) / (double)US_PER_SECOND, problem);
    return end;
}

const struct peer_report *peer_report(const struct peer *peer)
{
    return &peer->report;
}
