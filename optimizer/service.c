/* service.c - the loop: one thread, one held question, one problem in hand at a time.
 *
 *   what a problem waits for
 *
 *      IDLE --news--> repair --differs--> REPLY --published--> NEWS --news of our plan--> SEARCH
 *                        \--same--------------------------------------------------------> SEARCH
 *      SEARCH --done--> last candidate (settled) --> IDLE
 *
 *   S1  news of an event restarts the problem from any state: what was searched stays in the pool
 *   S2  nothing better is proposed before the news of what was published has come: it would be
 *       stale
 *   S3  between two chunks of work the bus is looked at, so news interrupts a search; with
 *       --lockstep a search always runs to its end, so that the same facts give the same candidates
 *   S4  the last candidate of every revision says `settled`, also when it has no routes; what idle
 *       time finds after it is proposed as another
 */
#include "optimizer/service.h"

#include "base/alive.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "bus.h"
#include "message.h"
#include "optimizer/candidate.h"
#include "optimizer/told.h"
#include "pb/wire.pb-c.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROBLEMS_MAX = 512,
    ROUNDS_DEFAULT = 2000, /* of search per event: some 40 ms at 300 visits */
    FRESH_TIMES = 6,       /* a day without a plan gets this much more */
    CALM_PART = 8,         /* an event that disturbs nothing gets this part of it */
    CHUNK_ROUNDS = 100,    /* between two looks at the bus: some 2 ms */
    MORE_SEARCHES = 4,     /* of as many rounds, after the last candidate, while idle */
    GAIN_MIN_S = 20,       /* a plan must be better by this to be worth telling anyone */
    WAIT_MS = 400,         /* alive_beat wants one a second */
    OWN_NEWS_WAIT_US = 2000000,
    RETRY_US = 200000, /* after garbage or a refusal to answer */
    MESSAGE_MEMORY = 64 << 20,
};

enum state { IDLE, AWAIT_REPLY, AWAIT_NEWS, SEARCHING };

struct live {
    char territory_id[LIMIT_ID + 1];
    int64_t service_day;
    uint64_t revision, cause_seq;
    struct solver solver;
    enum state state;
    bool fresh;           /* nothing of it was ever planned */
    bool pending;         /* the repaired plan has routes that the dispatcher does not have */
    uint64_t rounds_left; /* of search for this event */
    bool settled;         /* its last candidate is out */
    uint32_t more_left;   /* searches after that, while nothing happens */
    uint32_t visits_before, unserved_before; /* at the last event */
    int64_t repaired_cost;
    int64_t arrived_us, until_us; /* monotonic */
    uint64_t events;              /* counts solves, for their seeds */
    uint64_t proposal;            /* the cookie that AWAIT_REPLY waits for */
};

struct service {
    struct bus *bus;
    bool lockstep;
    uint64_t rounds, seed;
    struct live *problems[PROBLEMS_MAX];
    uint32_t problem_count;
    struct arena arena;        /* of one message */
    uint64_t cookie, question; /* the held question's; 0: none is out */
    uint64_t solves;           /* events taken; what came together is one */
    int64_t ask_after_us;
};

static volatile sig_atomic_t stopping;

static void on_term(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

/* --- asking --- */

/* Both questions of ours may safely be asked again, so a lost one is simply lost. */
static bool ask(struct service *service, uint64_t cookie, const char *method,
                const ProtobufCMessage *body, uint32_t deadline_ms)
{
    char name[24], id[40];
    snprintf(name, sizeof name, "%s", method);
    snprintf(id, sizeof id, "optimizer-%llu", (unsigned long long)cookie);
    Callout__Request request;
    callout__request__init(&request);
    request.proto_major = 1;
    request.method = name;
    request.request_id = id;
    request.deadline_ms = deadline_ms;
    request.body = message_encode(body, &service->arena);
    ProtobufCBinaryData bytes = message_encode(&request.base, &service->arena);
    enum err err = bus_ask(service->bus, cookie, bytes.data, bytes.len, deadline_ms);
    if (err != ERR_OK) log_warn("%s was not sent: %s", method, err_name(err));
    return err == ERR_OK;
}

static void ask_for_news(struct service *service)
{
    if (service->question != 0 || clock_mono_us() < service->ask_after_us) return;
    arena_rewind(&service->arena);
    Callout__NextProblemRequest request;
    callout__next_problem_request__init(&request);
    Callout__ProblemKey **keys =
        arena_need(&service->arena, sizeof *keys * (service->problem_count + 1));
    for (uint32_t i = 0; i < service->problem_count; i++) {
        struct live *live = service->problems[i];
        if (live->revision == 0) continue; /* unnamed: a snapshot comes */
        Callout__ProblemKey *key = arena_need(&service->arena, sizeof *key);
        callout__problem_key__init(key);
        key->territory_id = live->territory_id;
        key->service_day = live->service_day;
        key->revision = live->revision;
        keys[request.n_have++] = key;
    }
    request.have = keys;
    request.hold_ms = LIMIT_HOLD_MS;
    uint64_t cookie = ++service->cookie;
    if (ask(service, cookie, "NextProblem", &request.base, LIMIT_HOLD_MS + 5000))
        service->question = cookie;
    else
        service->ask_after_us = clock_mono_us() + RETRY_US;
}

static uint64_t propose(struct service *service, struct live *live, Callout__CandidateStage stage,
                        bool with_plan, bool settled, bool *has_routes)
{
    arena_rewind(&service->arena);
    Callout__PlanCandidate candidate;
    callout__plan_candidate__init(&candidate);
    candidate.territory_id = live->territory_id;
    candidate.service_day = live->service_day;
    candidate.base_revision = live->revision;
    candidate.cause_seq = live->cause_seq;
    candidate.stage = stage;
    candidate.settled = settled;
    candidate.work = live->solver.work_done;
    candidate.solve_us = service->lockstep ? 0 : clock_mono_us() - live->arrived_us;
    *has_routes = with_plan && candidate_fill(&candidate, &live->solver, &service->arena);
    if (!with_plan) candidate.cost_seconds = live->repaired_cost;
    if (!*has_routes && !settled) return 0;
    uint64_t cookie = ++service->cookie;
    return ask(service, cookie, "ProposePlan", &candidate.base, LIMIT_REQUEST_DEADLINE_MS) ? cookie
                                                                                           : 0;
}

/* --- layers --- */

static void start_search(struct service *service, struct live *live)
{
    uint64_t seed = service->seed * UINT64_C(1000003) + live->events++;
    if (live->settled)
        solver_search_more(&live->solver, service->rounds, seed);
    else
        solver_search(&live->solver, live->rounds_left, seed, live->fresh);
    live->state = SEARCHING;
}

/* After the last candidate: while nothing happens the search goes on for a while. */
static void go_on(struct service *service, struct live *live)
{
    live->state = IDLE;
    if (service->lockstep || live->more_left == 0) return;
    live->more_left--;
    start_search(service, live);
}

/* Says that nothing better is known, with what is better than the plan in force if there is. */
static void settle(struct service *service, struct live *live, bool better,
                   Callout__CandidateStage stage)
{
    bool has_routes;
    live->settled = true;
    live->proposal = propose(service, live, stage, better, true, &has_routes);
    if (!has_routes || live->proposal == 0) {
        go_on(service, live);
        return;
    }
    live->state = AWAIT_REPLY;
    live->until_us = clock_mono_us() + OWN_NEWS_WAIT_US;
}

/* News ends what the master does: what is known by then is settled, and the event taken. */
static bool news_waits(void *context)
{
    struct service *service = context;
    alive_beat();
    return bus_wait(service->bus, 0);
}

static void finish_search(struct service *service, struct live *live)
{
    live->solver.master_limits.stop = service->lockstep ? NULL : news_waits;
    live->solver.master_limits.context = service;
    bool recombined = solver_recombine(&live->solver);
    bool better = live->solver.plan.cost + GAIN_MIN_S <= live->repaired_cost || live->pending;
    Callout__CandidateStage stage =
        recombined ? CALLOUT__CANDIDATE_STAGE__MASTER : CALLOUT__CANDIDATE_STAGE__SEARCH;
    if (better || !live->settled)
        settle(service, live, better, stage);
    else
        go_on(service, live);
}

static bool nothing_planned(const struct solver *solver)
{
    for (uint32_t v = 0; v < solver->in.visit_count; v++) {
        if (solver->in.nodes[v].home != NO_INDEX) return false;
    }
    return true;
}

static void begin(struct live *live)
{
    if (live->state == SEARCHING && !live->settled) live->rounds_left -= live->solver.work_done;
    solver_begin(&live->solver);
    live->repaired_cost = live->solver.plan.cost;
    live->pending = false;
    for (uint32_t t = 0; t < live->solver.in.technician_count; t++)
        live->pending |= solver_route_news(&live->solver, t) == NEWS_VISITS;
}

/* Nobody new, nobody gone, and all holds as it was: somebody did what was planned, most likely. */
static bool calm(const struct live *live)
{
    return live->solver.in.visit_count <= live->visits_before && !live->pending &&
           live->solver.plan.unserved_count <= live->unserved_before;
}

/* An event: what holds again is published at once, then made better. */
static void take_event(struct service *service, struct live *live)
{
    uint32_t more_left = live->more_left;
    service->solves++;
    begin(live);
    live->fresh = nothing_planned(&live->solver);
    live->rounds_left = service->rounds * (live->fresh ? FRESH_TIMES : 1);
    live->more_left = MORE_SEARCHES;
    if (!live->fresh && calm(live)) {
        live->rounds_left /= CALM_PART;
        live->more_left = more_left;
    }
    live->visits_before = live->solver.in.visit_count;
    live->unserved_before = live->solver.plan.unserved_count;
    live->settled = false;
    if (live->fresh) {
        start_search(service, live);
        return;
    }
    bool has_routes;
    live->proposal =
        propose(service, live, CALLOUT__CANDIDATE_STAGE__REPAIR, true, false, &has_routes);
    live->state = AWAIT_REPLY;
    live->until_us = clock_mono_us() + OWN_NEWS_WAIT_US;
    if (live->proposal == 0) start_search(service, live);
}

/* News without an event: our own plan was published, or time went on. */
static void take_echo(struct service *service, struct live *live)
{
    begin(live);
    if (live->settled)
        settle(service, live, live->pending, CALLOUT__CANDIDATE_STAGE__REPAIR);
    else
        start_search(service, live);
}

/* --- news --- */

static struct live *live_find(struct service *service, const char *territory_id, int64_t day)
{
    for (uint32_t i = 0; i < service->problem_count; i++) {
        struct live *live = service->problems[i];
        if (live->service_day == day && strcmp(live->territory_id, territory_id) == 0) return live;
    }
    return NULL;
}

static struct live *live_open(struct service *service, const char *territory_id, int64_t day)
{
    if (service->problem_count == PROBLEMS_MAX || strlen(territory_id) > LIMIT_ID) return NULL;
    struct live *live = calloc(1, sizeof *live);
    CHECK(live != NULL);
    snprintf(live->territory_id, sizeof live->territory_id, "%s", territory_id);
    live->service_day = day;
    solver_open(&live->solver, &travel_straight, day);
    service->problems[service->problem_count++] = live;
    return live;
}

/* Forgets what is known of the day; the pool too, since its slots mean nothing any more. */
static void live_reset(struct live *live)
{
    solver_close(&live->solver);
    solver_open(&live->solver, &travel_straight, live->service_day);
    live->revision = 0;
    live->state = IDLE;
}

/* Takes the news into its problem; false if it cannot be used. */
static bool news_apply(struct live *live, const Callout__NextProblemReply *news)
{
    if (news->base_revision == 0)
        live_reset(live);
    else if (news->base_revision != live->revision)
        return false;
    struct problem problem;
    enum err err = told_apply(&live->solver, news, &problem);
    if (err != ERR_OK) {
        log_error("news of %s cannot be used: %s: %s", live->territory_id, problem.field,
                  problem.text);
        return false;
    }
    live->revision = news->revision;
    return true;
}

static void take_news(struct service *service, const Callout__NextProblemReply *news)
{
    if (news->territory_id[0] == '\0') return; /* nothing within hold_ms */
    struct live *live = live_find(service, news->territory_id, news->service_day);
    if (live == NULL) live = live_open(service, news->territory_id, news->service_day);
    if (live == NULL) {
        log_error("no room for %s", news->territory_id);
        service->ask_after_us = clock_mono_us() + RETRY_US;
        return;
    }
    bool snapshot = news->base_revision == 0;
    if (!news_apply(live, news)) {
        live_reset(live);
        service->ask_after_us = clock_mono_us() + RETRY_US;
        return;
    }
    if (news->cause_seq == 0 && !snapshot) {
        take_echo(service, live);
        return;
    }
    live->cause_seq = news->cause_seq;
    live->arrived_us = clock_mono_us();
    take_event(service, live);
}

/* --- completions --- */

static const Callout__Reply *reply_of(struct service *service, const struct bus_completion *done,
                                      const char *what)
{
    ProtobufCMessage *message;
    struct problem problem;
    if (done->err != ERR_OK) return NULL;
    enum err err = message_decode(&callout__reply__descriptor, done->reply, done->reply_size,
                                  &service->arena, &message, &problem);
    if (err != ERR_OK) {
        log_error("the reply to %s cannot be read: %s: %s", what, problem.field, problem.text);
        return NULL;
    }
    return (const Callout__Reply *)message;
}

static ProtobufCMessage *body_of(struct service *service, const Callout__Reply *reply,
                                 const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message;
    struct problem problem;
    enum err err = message_decode(type, reply->body.data, reply->body.len, &service->arena,
                                  &message, &problem);
    if (err == ERR_OK) return message;
    log_error("a %s cannot be read: %s: %s", type->short_name, problem.field, problem.text);
    return NULL;
}

static void news_done(struct service *service, const struct bus_completion *done)
{
    service->question = 0;
    const Callout__Reply *reply = reply_of(service, done, "NextProblem");
    ProtobufCMessage *news = NULL;
    if (reply != NULL && reply->status == CALLOUT__STATUS__OK)
        news = body_of(service, reply, &callout__next_problem_reply__descriptor);
    else if (reply != NULL)
        log_warn("no news: %s", reply->text);
    if (news == NULL)
        service->ask_after_us = clock_mono_us() + RETRY_US;
    else
        take_news(service, (const Callout__NextProblemReply *)news);
}

static void proposal_done(struct service *service, const struct bus_completion *done)
{
    struct live *live = NULL;
    for (uint32_t i = 0; i < service->problem_count; i++) {
        if (service->problems[i]->proposal == done->cookie) live = service->problems[i];
    }
    if (live == NULL || live->state != AWAIT_REPLY) return;
    const Callout__Reply *reply = reply_of(service, done, "ProposePlan");
    const Callout__ProposePlanReply *result = NULL;
    if (reply != NULL && reply->status == CALLOUT__STATUS__OK)
        result = (const Callout__ProposePlanReply *)body_of(
            service, reply, &callout__propose_plan_reply__descriptor);
    if (result != NULL && result->n_refused > 0)
        log_info("%zu routes refused, %u published; the first refused of %s: %s", result->n_refused,
                 result->routes_applied, result->refused[0]->technician_id,
                 result->refused[0]->reason);
    if (result != NULL && result->plan_version > 0)
        live->state = AWAIT_NEWS;
    else if (live->settled)
        go_on(service, live);
    else
        start_search(service, live);
}

static void take_completions(struct service *service)
{
    struct bus_completion done;
    while (bus_next(service->bus, &done)) {
        arena_rewind(&service->arena);
        if (done.cookie == service->question)
            news_done(service, &done);
        else
            proposal_done(service, &done);
        free(done.reply);
        ask_for_news(service);
    }
}

/* --- the loop --- */

static struct live *searching(struct service *service)
{
    for (uint32_t i = 0; i < service->problem_count; i++) {
        if (service->problems[i]->state == SEARCHING) return service->problems[i];
    }
    return NULL;
}

/* One chunk, or in lock-step all of it. */
static void work(struct service *service, struct live *live)
{
    do {
        (void)solver_improve(&live->solver, CHUNK_ROUNDS);
        alive_beat();
    } while (service->lockstep && !solver_search_over(&live->solver));
    if (solver_search_over(&live->solver)) finish_search(service, live);
}

/* The news of a plan that was published never came: go on without. */
static void give_up_waiting(struct service *service)
{
    for (uint32_t i = 0; i < service->problem_count; i++) {
        struct live *live = service->problems[i];
        bool waits = live->state == AWAIT_REPLY || live->state == AWAIT_NEWS;
        if (!waits || clock_mono_us() <= live->until_us || service->lockstep) continue;
        if (live->settled)
            go_on(service, live);
        else
            start_search(service, live);
    }
}

static void run(struct service *service)
{
    while (!stopping) {
        alive_beat();
        ask_for_news(service);
        struct live *live = searching(service);
        (void)bus_wait(service->bus, live != NULL ? 0 : WAIT_MS);
        take_completions(service);
        give_up_waiting(service);
        live = searching(service);
        if (live != NULL) work(service, live);
    }
}

static const char usage[] =
    "usage: callout optimizer --dispatcher URL [--seed N] [--work N] [--lockstep]\n"
    "  --work N     rounds of search per event (default 2000)\n"
    "  --lockstep   a search is never cut short: the same facts give the same plans\n";

static int read_options(int argc, char **argv, struct service *service, const char **url)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(word, "--lockstep") == 0) {
            service->lockstep = true;
            continue;
        }
        if (value == NULL) return EXIT_USAGE;
        char *end = NULL;
        if (strcmp(word, "--dispatcher") == 0)
            *url = value;
        else if (strcmp(word, "--seed") == 0)
            service->seed = strtoull(value, &end, 10);
        else if (strcmp(word, "--work") == 0)
            service->rounds = strtoull(value, &end, 10);
        else
            return EXIT_USAGE;
        if (end != NULL && (*end != '\0' || end == value || value[0] == '-')) return EXIT_USAGE;
        i++;
    }
    return *url == NULL ? EXIT_USAGE : EXIT_DONE;
}

static void close_all(struct service *service)
{
    bus_close(service->bus);
    for (uint32_t i = 0; i < service->problem_count; i++) {
        solver_close(&service->problems[i]->solver);
        free(service->problems[i]);
    }
    arena_close(&service->arena);
    master_leave();
}

int optimizer_main(int argc, char **argv)
{
    static struct service service;
    service = (struct service){.rounds = ROUNDS_DEFAULT, .seed = 1};
    const char *url = NULL;
    if (read_options(argc, argv, &service, &url) != EXIT_DONE) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    log_open("optimizer", LOG_INFO);
    struct sigaction action = {.sa_handler = on_term};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct problem problem;
    const struct bus_options options = {.url = url, .in_flight_max = 64};
    if (bus_open(&service.bus, &options, &problem) != ERR_OK) {
        log_error("cannot dial %s: %s", url, problem.text);
        return EXIT_CONFIG;
    }
    arena_open(&service.arena, MESSAGE_MEMORY);
    run(&service);
    log_info("%llu problems were solved", (unsigned long long)service.solves);
    close_all(&service);
    return EXIT_DONE;
}
