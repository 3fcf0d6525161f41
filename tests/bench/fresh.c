/* fresh.c - how good is the plan in force? Asks a running dispatcher for the problem of now, and
 * solves it from nothing: what is frozen or pinned stays, all else is free, and no change costs
 * anything.
 *
 * usage: bench_fresh --data DIR [--rounds N]
 * prints: {"published": seconds, "fresh": seconds, "worse_percent": x, "visits": n}
 */
#include "base/check.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "bus.h"
#include "message.h"
#include "optimizer/told.h"
#include "pb/wire.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ASK_MS = 10000, ROUNDS_DEFAULT = 40000, TRIES = 400 };

static bool dispatcher_url(const char *data, char *url, size_t size)
{
    char path[4200], line[512];
    bool found = false;
    snprintf(path, sizeof path, "%s/endpoints", data);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "dispatcher ", 11) != 0) continue;
        snprintf(url, size, "%s", line + 11);
        found = true;
    }
    if (file != NULL) fclose(file);
    return found;
}

/* The whole problem as it is now; the message lives in the arena. */
static Callout__NextProblemReply *ask_problem(struct bus *bus, struct arena *arena)
{
    Callout__Request request = CALLOUT__REQUEST__INIT;
    Callout__NextProblemRequest body = CALLOUT__NEXT_PROBLEM_REQUEST__INIT;
    ProtobufCMessage *message;
    uint8_t *bytes;
    size_t size;
    request.proto_major = 1;
    request.method = arena_text(arena, "NextProblem");
    request.body = message_encode(&body.base, arena);
    ProtobufCBinaryData packed = message_encode(&request.base, arena);
    if (bus_call(bus, packed.data, packed.len, ASK_MS, &bytes, &size) != ERR_OK) return NULL;
    enum err err = message_decode(&callout__reply__descriptor, bytes, size, arena, &message, NULL);
    free(bytes);
    if (err != ERR_OK) return NULL;
    ProtobufCBinaryData reply = ((Callout__Reply *)message)->body;
    err = message_decode(&callout__next_problem_reply__descriptor, reply.data, reply.len, arena,
                         &message, NULL);
    return err == ERR_OK ? (Callout__NextProblemReply *)message : NULL;
}

/* The problem at a moment when the optimizer was done with it. */
static Callout__NextProblemReply *ask_settled(struct bus *bus, struct arena *arena)
{
    for (int i = 0; i < TRIES; i++) {
        arena_rewind(arena);
        Callout__NextProblemReply *problem = ask_problem(bus, arena);
        if (problem == NULL || problem->settled_revision == problem->revision) return problem;
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    return NULL;
}

static void make_changes_free(Callout__NextProblemReply *problem)
{
    for (size_t i = 0; i < problem->n_visits; i++)
        problem->visits[i]->published = false;
}

static void forget_plan(Callout__NextProblemReply *problem)
{
    for (size_t i = 0; i < problem->n_visits; i++) {
        Callout__ProblemVisit *visit = problem->visits[i];
        if (visit->mobility != CALLOUT__MOBILITY__MOVABLE) continue;
        visit->technician_id = (char *)(uintptr_t) "";
        visit->planned_start_us = 0;
        visit->position = 0;
    }
}

static int64_t solve(const Callout__NextProblemReply *problem, uint64_t rounds)
{
    static struct solver solver;
    struct problem wrong;
    solver_open(&solver, &travel_straight, problem->service_day);
    CHECK(told_apply(&solver, problem, &wrong) == ERR_OK);
    if (rounds > 0)
        solver_fresh(&solver, rounds, 1);
    else
        solver_begin(&solver);
    int64_t cost = solver.plan.cost;
    solver_close(&solver);
    return cost;
}

int main(int argc, char **argv)
{
    const char *data = NULL;
    uint64_t rounds = ROUNDS_DEFAULT;
    char url[512];
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--data") == 0) data = argv[i + 1];
        if (strcmp(argv[i], "--rounds") == 0) rounds = strtoull(argv[i + 1], NULL, 10);
    }
    if (data == NULL || rounds == 0) {
        fprintf(stderr, "usage: bench_fresh --data DIR [--rounds N]\n");
        return EXIT_USAGE;
    }
    log_open("bench", LOG_WARN);
    struct arena arena;
    struct bus *bus;
    struct problem wrong = {{0}, {0}};
    arena_open(&arena, (size_t)256 << 20);
    struct bus_options options = {.url = url, .in_flight_max = 1};
    if (!dispatcher_url(data, url, sizeof url) || bus_open(&bus, &options, &wrong) != ERR_OK) {
        fprintf(stderr, "bench_fresh: no system runs on %s %s\n", data, wrong.text);
        return EXIT_UNREACHABLE;
    }
    Callout__NextProblemReply *problem = ask_settled(bus, &arena);
    if (problem == NULL || problem->n_visits == 0) {
        fprintf(stderr, "bench_fresh: the dispatcher has no settled problem\n");
        return EXIT_VIOLATION;
    }
    make_changes_free(problem);
    int64_t published = solve(problem, 0);
    forget_plan(problem);
    int64_t fresh = solve(problem, rounds);
    printf("{\"published\": %lld, \"fresh\": %lld, \"worse_percent\": %.3f, \"visits\": %zu}\n",
           (long long)published, (long long)fresh,
           fresh > 0 ? 100.0 * (double)(published - fresh) / (double)fresh : 0.0,
           problem->n_visits);
    bus_close(bus);
    arena_close(&arena);
    return EXIT_DONE;
}
