/* planner.h - the optimizer as a state machine: news in, candidates out, work in counted chunks.
 *
 * Idea: whoever has a wire and a clock drives it; service.c does so live, the simulator in virtual
 * time. The driver calls planner_tick, and then goes round: each reply to planner_answered,
 * planner_tick, and if planner_searching, one planner_work. So news interrupts a search between two
 * chunks. When nothing is searched, there is nothing to do until a reply comes or planner_wake_us.
 *
 * Owner: the planner copies nothing that it is told and keeps nothing of it; its ports' context is
 * the caller's. Thread: one, always the same (GLPK keeps its environment per thread).
 */
#ifndef CALLOUT_OPTIMIZER_PLANNER_H
#define CALLOUT_OPTIMIZER_PLANNER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct planner;
struct solver;
struct proof;

struct planner_ports {
    void *context;
    /* Sends a packed Request to the dispatcher; planner_answered is told the reply by its cookie,
     * later. False: it was not sent. */
    bool (*ask)(void *context, uint64_t cookie, const void *bytes, size_t size,
                uint32_t deadline_ms);
    int64_t (*now_us)(void *context); /* monotonic */
    /* Somebody else in the place of search and master; NULL: nobody. solver->plan holds, and
     * becomes what he thinks best; false: he has no answer, and it is as it was. What he plans is
     * proposed as the last candidate, dearer or not, and nothing before it; asked once an event. */
    bool (*solve)(void *context, struct solver *solver);
    /* Asked now and then within a long piece of work: true ends it, for a reply waits. */
    bool (*news_waits)(void *context);
    /* A bound was computed in full: what proves it, of solver->plan. All is borrowed until return.
     * NULL: nobody keeps it. */
    void (*proved)(void *context, const char *territory_id, int64_t service_day,
                   const struct solver *solver, const struct proof *proof);
};

enum {
    PLANNER_ROUNDS = 2000,         /* of search per event: some 40 ms at 300 visits */
    PLANNER_MORE_SEARCHES = 4,     /* of as many rounds, after the last candidate, while idle */
    PLANNER_EXPECTED_PERCENT = 25, /* later orders, for each hundred that a first plan knows */
};

struct planner_options {
    uint64_t rounds, seed;
    uint32_t more_searches;
    uint32_t expected_percent; /* what a day's first plan leaves room for (foresight.h); 0: none */
    bool lockstep; /* the same facts give the same candidates: nothing depends on the clock */
    bool bounds;   /* how good a plan is, too: at once where it can be, in full while idle */
};

/* Work done since planner_open: the same news and seed give the same counts. */
struct planner_counters {
    uint64_t events;  /* taken; what came together is one */
    uint64_t repairs; /* also those of an echo of our own plan */
    uint64_t rounds;  /* of search */
    uint64_t recombinations, pivots, nodes;
    uint64_t candidates; /* sent, with routes or without */
    uint64_t bounds;     /* reported, computed in full */
};

struct planner *planner_open(const struct planner_options *options,
                             const struct planner_ports *ports);
void planner_close(struct planner *planner); /* may be NULL */
/* Gives GLPK's memory back; at the end of the thread, after the last planner_close. */
void planner_leave(void);

/* Asks for news unless that question is out, and goes on where a reply stays away for too long. */
void planner_tick(struct planner *planner);
/* A question was answered, or (err) will not be. */
void planner_answered(struct planner *planner, uint64_t cookie, enum err err, const uint8_t *reply,
                      size_t size);

bool planner_searching(const struct planner *planner);
/* One chunk of a search, and at its end the master and the last candidate. True: the same search
 * goes on. */
bool planner_work(struct planner *planner);

/* When planner_tick has something to do though no reply came (monotonic); INT64_MAX: never. */
int64_t planner_wake_us(const struct planner *planner);
const struct planner_counters *planner_counters(const struct planner *planner);

#endif
