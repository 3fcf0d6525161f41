/* planner.c - one held question, one problem in hand at a time.
 *
 *   what a problem waits for
 *
 *      IDLE --news--> repair --differs--> REPLY --published--> NEWS --news of our plan--> SEARCH
 *                        \--same--------------------------------------------------------> SEARCH
 *      SEARCH --done--> master --> last candidate (settled) --> IDLE
 *                \--nothing was ever planned: what was found--> REPLY (and nothing to search after)
 *
 *   S1  news of an event restarts the problem from any state: what was searched stays in the pool
 *   S2  nothing better is proposed before the news of what was published has come: it would be
 *       stale
 *   S3  between two chunks of work the driver looks for replies, so news interrupts a search; in
 *       lock-step it does not, so that the same facts give the same candidates
 *   S4  the last candidate of every revision says `settled`, also when it has no routes; what idle
 *       time finds after it is proposed as another
 *   S5  guesses of later orders are in a problem only while its first plan is searched: news takes
 *       them out before it is applied, and the end of the search before anything is proposed
 *   S6  while nothing else is to be done the bound of the plan is raised, and told when nothing
 *       raises it any more (keeper.h); it changes no plan
 */
#include "optimizer/planner.h"

#include "base/check.h"
#include "base/crashpoint.h"
#include "base/log.h"
#include "message.h"
#include "optimizer/bound_message.h"
#include "optimizer/candidate.h"
#include "optimizer/foresight.h"
#include "optimizer/keeper.h"
#include "optimizer/told.h"
#include "pb/wire.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROBLEMS_MAX = LIMIT_SERVICE_DAYS,
    FRESH_TIMES = 6,    /* a day without a plan gets this much more search, */
    FRESH_VISITS = 3,   /* once more for so many visits each, */
    FRESH_MAX = 80,     /* but no more than this: some 3 s at 300 visits */
    CALM_PART = 8,      /* an event that disturbs nothing gets this part of it */
    CHUNK_ROUNDS = 100, /* between two looks for replies: some 2 ms */
    GAIN_MIN_S = 20,    /* a plan must be better by this to be worth telling anyone */
    OWN_NEWS_WAIT_US = 2000000,
    RETRY_US = 200000, /* after garbage or a refusal to answer */
    MESSAGE_MEMORY = 64 << 20,
    PRICES_PAIRS_MAX = 10000, /* orders x technicians whose hours are priced in one go */
};

enum state { IDLE, AWAIT_REPLY, AWAIT_NEWS, SEARCHING, BOUNDING };

struct live {
    char territory_id[LIMIT_ID + 1];
    int64_t service_day;
    uint64_t revision, cause_seq;
    struct solver solver;
    enum state state;
    bool fresh; /* nothing of it was ever planned */
    struct guesses guesses;
    bool pending;         /* the repaired plan has routes that the dispatcher does not have */
    uint64_t rounds_left; /* of search for this event */
    uint64_t fresh_done;  /* rounds for a first plan that news cut short */
    bool settled;         /* its last candidate is out */
    uint32_t more_left;   /* searches after that, while nothing happens */
    uint32_t visits_before, unserved_before; /* at the last event */
    int64_t repaired_cost;
    int64_t arrived_us, until_us; /* monotonic */
    uint64_t events;              /* counts solves, for their seeds */
    uint64_t proposal;            /* the cookie that AWAIT_REPLY waits for */
    struct keeper keeper;         /* of the bound; open if options.bounds says so */
};

struct planner {
    struct planner_options options;
    struct planner_ports ports;
    struct live *problems[PROBLEMS_MAX];
    uint32_t problem_count;
    struct arena arena;        /* of one message */
    uint64_t cookie, question; /* the held question's; 0: none is out */
    int64_t ask_after_us;
    struct planner_counters counters;
};

static int64_t now_us(const struct planner *planner)
{
    return planner->ports.now_us(planner->ports.context);
}

/* --- asking --- */

/* Both questions of ours may safely be asked again, so a lost one is simply lost. */
static bool ask(struct planner *planner, uint64_t cookie, const char *method,
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
    request.body = message_encode(body, &planner->arena);
    ProtobufCBinaryData bytes = message_encode(&request.base, &planner->arena);
    return planner->ports.ask(planner->ports.context, cookie, bytes.data, bytes.len, deadline_ms);
}

static void ask_for_news(struct planner *planner)
{
    if (planner->question != 0 || now_us(planner) < planner->ask_after_us) return;
    arena_rewind(&planner->arena);
    Callout__NextProblemRequest request;
    callout__next_problem_request__init(&request);
    Callout__ProblemKey **keys =
        arena_need(&planner->arena, sizeof *keys * (planner->problem_count + 1));
    for (uint32_t i = 0; i < planner->problem_count; i++) {
        struct live *live = planner->problems[i];
        if (live->revision == 0) continue; /* unnamed: a snapshot comes */
        Callout__ProblemKey *key = arena_need(&planner->arena, sizeof *key);
        callout__problem_key__init(key);
        key->territory_id = live->territory_id;
        key->service_day = live->service_day;
        key->revision = live->revision;
        keys[request.n_have++] = key;
    }
    request.have = keys;
    request.hold_ms = LIMIT_HOLD_MS;
    uint64_t cookie = ++planner->cookie;
    if (ask(planner, cookie, "NextProblem", &request.base, LIMIT_HOLD_MS + 5000))
        planner->question = cookie;
    else
        planner->ask_after_us = now_us(planner) + RETRY_US;
}

static int64_t age_s(const struct planner *planner, const struct live *live)
{
    return (now_us(planner) - live->keeper.computed_us) / 1000000;
}

/* NULL: nothing is known. */
static Callout__PlanBound *bound_of(struct planner *planner, const struct live *live, int64_t cost)
{
    const struct proof *proof = planner->options.bounds ? keeper_proof(&live->keeper) : NULL;
    if (proof == NULL) return NULL;
    Callout__PlanBound *bound = arena_need(&planner->arena, sizeof *bound);
    plan_bound_fill(bound, proof, live->revision, cost, age_s(planner, live));
    return bound;
}

static uint64_t propose(struct planner *planner, struct live *live, Callout__CandidateStage stage,
                        bool with_plan, bool settled, bool *has_routes)
{
    arena_rewind(&planner->arena);
    Callout__PlanCandidate candidate;
    callout__plan_candidate__init(&candidate);
    candidate.territory_id = live->territory_id;
    candidate.service_day = live->service_day;
    candidate.base_revision = live->revision;
    candidate.cause_seq = live->cause_seq;
    candidate.stage = stage;
    candidate.settled = settled;
    candidate.work = live->solver.work_done;
    candidate.solve_us = planner->options.lockstep ? 0 : now_us(planner) - live->arrived_us;
    *has_routes = with_plan && candidate_fill(&candidate, &live->solver, &planner->arena);
    if (!with_plan) candidate.cost_seconds = live->repaired_cost;
    if (!*has_routes && !settled) return 0;
    candidate.bound = bound_of(planner, live, candidate.cost_seconds);
    planner->counters.candidates++;
    uint64_t cookie = ++planner->cookie;
    bool asked = ask(planner, cookie, "ProposePlan", &candidate.base, LIMIT_REQUEST_DEADLINE_MS);
    crash_here(CRASH_CANDIDATE_PROPOSED);
    return asked ? cookie : 0;
}

/* --- layers --- */

static void start_search(struct planner *planner, struct live *live)
{
    live->state = SEARCHING;
    if (planner->ports.solve != NULL) return;
    uint64_t seed = planner->options.seed * UINT64_C(1000003) + live->events++;
    if (live->fresh) {
        foresee(&live->guesses, &live->solver, planner->options.expected_percent, seed);
        if (live->guesses.count > 0) solver_begin(&live->solver);
    }
    if (live->settled)
        solver_search_more(&live->solver, planner->options.rounds, seed);
    else
        solver_search(&live->solver, live->rounds_left, seed, live->fresh);
}

/* After the last candidate: while nothing happens the search goes on for a while. */
static void go_on(struct planner *planner, struct live *live)
{
    live->state = IDLE;
    bool once = planner->options.lockstep || planner->ports.solve != NULL;
    if (planner->options.bounds && (once || live->more_left == 0)) live->state = BOUNDING;
    if (once || live->more_left == 0) return;
    live->more_left--;
    start_search(planner, live);
}

/* Says that nothing better is known, with what is better than the plan in force if there is. */
static void settle(struct planner *planner, struct live *live, bool better,
                   Callout__CandidateStage stage)
{
    bool has_routes;
    live->settled = true;
    live->proposal = propose(planner, live, stage, better, true, &has_routes);
    if (!has_routes || live->proposal == 0) {
        go_on(planner, live);
        return;
    }
    live->state = AWAIT_REPLY;
    live->until_us = now_us(planner) + OWN_NEWS_WAIT_US;
}

static bool recombine(struct planner *planner, struct solver *solver)
{
    uint32_t before = solver->recombinations;
    bool better = solver_recombine(solver);
    if (solver->recombinations == before) return better; /* the pool had not changed */
    planner->counters.recombinations++;
    planner->counters.pivots += (uint64_t)solver->master.pivots;
    planner->counters.nodes += (uint64_t)solver->master.nodes;
    return better;
}

/* News ends what the master does: what is known by then is settled, and the event taken. */
static void finish_search(struct planner *planner, struct live *live)
{
    live->solver.master_limits.stop = planner->options.lockstep ? NULL : planner->ports.news_waits;
    live->solver.master_limits.context = planner->ports.context;
    bool recombined = recombine(planner, &live->solver);
    bool better = live->solver.plan.cost + GAIN_MIN_S <= live->repaired_cost || live->pending;
    Callout__CandidateStage stage =
        recombined ? CALLOUT__CANDIDATE_STAGE__MASTER : CALLOUT__CANDIDATE_STAGE__SEARCH;
    if (better || !live->settled)
        settle(planner, live, better, stage);
    else
        go_on(planner, live);
}

/* A day that has no plan gets what was found before the master is asked, whatever becomes of him.
 * False: that is no news. */
static bool publish_first(struct planner *planner, struct live *live)
{
    bool has_routes;
    live->fresh = false;
    live->proposal =
        propose(planner, live, CALLOUT__CANDIDATE_STAGE__SEARCH, true, false, &has_routes);
    if (live->proposal == 0) return false;
    live->rounds_left = 0;
    live->state = AWAIT_REPLY;
    live->until_us = now_us(planner) + OWN_NEWS_WAIT_US;
    return true;
}

static void let_solve(struct planner *planner, struct live *live)
{
    bool solved = planner->ports.solve(planner->ports.context, &live->solver);
    live->repaired_cost = live->solver.plan.cost;
    settle(planner, live, solved || live->pending,
           solved ? CALLOUT__CANDIDATE_STAGE__SEARCH : CALLOUT__CANDIDATE_STAGE__REPAIR);
}

static bool nothing_planned(const struct solver *solver)
{
    for (uint32_t v = 0; v < solver->in.visit_count; v++) {
        if (solver->in.nodes[v].home != NO_INDEX) return false;
    }
    return true;
}

/* When a day's first plan is out nothing is left, though work_done counts its search still. */
static void spend(struct live *live)
{
    uint64_t done = live->solver.work_done;
    live->rounds_left -= done < live->rounds_left ? done : live->rounds_left;
}

static void begin(struct planner *planner, struct live *live)
{
    if (live->state == SEARCHING && !live->settled) spend(live);
    if (live->state == SEARCHING && live->fresh) live->fresh_done += live->solver.work_done;
    planner->counters.repairs++;
    if (planner->options.bounds) keeper_pause(&live->keeper, &live->solver);
    solver_begin(&live->solver);
    if (planner->options.bounds) keeper_event(&live->keeper, &live->solver);
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

/* Everything that follows builds on a day's first plan. But who tells order by order shall not wait
 * for it each time anew. */
static uint64_t fresh_rounds(const struct planner *planner, const struct live *live)
{
    uint64_t least = planner->options.rounds * FRESH_TIMES;
    uint64_t times = FRESH_TIMES + live->solver.in.visit_count / FRESH_VISITS;
    uint64_t rounds = planner->options.rounds * (times < FRESH_MAX ? times : FRESH_MAX);
    return rounds > live->fresh_done + least ? rounds - live->fresh_done : least;
}

/* An event: what holds again is published at once, then made better. */
static void take_event(struct planner *planner, struct live *live)
{
    uint32_t more_left = live->more_left;
    planner->counters.events++;
    begin(planner, live);
    live->fresh = nothing_planned(&live->solver);
    live->rounds_left = live->fresh ? fresh_rounds(planner, live) : planner->options.rounds;
    live->more_left = planner->options.more_searches;
    if (!live->fresh && calm(live)) {
        live->rounds_left /= CALM_PART;
        live->more_left = more_left;
    }
    live->visits_before = live->solver.in.visit_count;
    live->unserved_before = live->solver.plan.unserved_count;
    live->settled = false;
    if (live->fresh || planner->ports.solve != NULL) {
        start_search(planner, live);
        return;
    }
    bool has_routes;
    live->proposal =
        propose(planner, live, CALLOUT__CANDIDATE_STAGE__REPAIR, true, false, &has_routes);
    live->state = AWAIT_REPLY;
    live->until_us = now_us(planner) + OWN_NEWS_WAIT_US;
    if (live->proposal == 0) start_search(planner, live);
}

/* News without an event: our own plan was published, or time went on. */
static void take_echo(struct planner *planner, struct live *live)
{
    begin(planner, live);
    if (live->settled)
        settle(planner, live, live->pending, CALLOUT__CANDIDATE_STAGE__REPAIR);
    else
        start_search(planner, live);
}

/* --- news --- */

static struct live *live_find(struct planner *planner, const char *territory_id, int64_t day)
{
    for (uint32_t i = 0; i < planner->problem_count; i++) {
        struct live *live = planner->problems[i];
        if (live->service_day == day && strcmp(live->territory_id, territory_id) == 0) return live;
    }
    return NULL;
}

static struct live *live_open(struct planner *planner, const char *territory_id, int64_t day)
{
    if (planner->problem_count == PROBLEMS_MAX || strlen(territory_id) > LIMIT_ID) return NULL;
    struct live *live = calloc(1, sizeof *live);
    CHECK(live != NULL);
    snprintf(live->territory_id, sizeof live->territory_id, "%s", territory_id);
    live->service_day = day;
    solver_open(&live->solver, &travel_straight, day);
    if (planner->options.bounds) keeper_open(&live->keeper);
    planner->problems[planner->problem_count++] = live;
    return live;
}

/* Forgets what is known of the day; the pool too, since its slots mean nothing any more. */
static void live_reset(const struct planner *planner, struct live *live)
{
    if (planner->options.bounds) keeper_forget(&live->keeper);
    solver_close(&live->solver);
    solver_open(&live->solver, &travel_straight, live->service_day);
    live->guesses.count = 0;
    live->revision = 0;
    live->state = IDLE;
}

/* Takes the news into its problem; false if it cannot be used. */
static bool news_apply(const struct planner *planner, struct live *live,
                       const Callout__NextProblemReply *news)
{
    if (news->base_revision == 0)
        live_reset(planner, live);
    else if (news->base_revision != live->revision)
        return false;
    forget_guesses(&live->guesses, &live->solver);
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

static void take_news(struct planner *planner, const Callout__NextProblemReply *news)
{
    if (news->territory_id[0] == '\0') return; /* nothing within hold_ms */
    struct live *live = live_find(planner, news->territory_id, news->service_day);
    if (live == NULL) live = live_open(planner, news->territory_id, news->service_day);
    if (live == NULL) {
        log_error("no room for %s", news->territory_id);
        planner->ask_after_us = now_us(planner) + RETRY_US;
        return;
    }
    bool snapshot = news->base_revision == 0;
    if (!news_apply(planner, live, news)) {
        live_reset(planner, live);
        planner->ask_after_us = now_us(planner) + RETRY_US;
        return;
    }
    if (news->cause_seq == 0 && !snapshot) {
        take_echo(planner, live);
        return;
    }
    live->cause_seq = news->cause_seq;
    live->arrived_us = now_us(planner);
    take_event(planner, live);
}

/* --- replies --- */

static const Callout__Reply *reply_of(struct planner *planner, enum err err, const uint8_t *bytes,
                                      size_t size, const char *what)
{
    ProtobufCMessage *message;
    struct problem problem;
    if (err != ERR_OK) return NULL;
    err = message_decode(&callout__reply__descriptor, bytes, size, &planner->arena, &message,
                         &problem);
    if (err == ERR_OK) return (const Callout__Reply *)message;
    log_error("the reply to %s cannot be read: %s: %s", what, problem.field, problem.text);
    return NULL;
}

static ProtobufCMessage *body_of(struct planner *planner, const Callout__Reply *reply,
                                 const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message;
    struct problem problem;
    enum err err = message_decode(type, reply->body.data, reply->body.len, &planner->arena,
                                  &message, &problem);
    if (err == ERR_OK) return message;
    log_error("a %s cannot be read: %s: %s", type->short_name, problem.field, problem.text);
    return NULL;
}

/* `reply` is NULL when none came, here and below. */
static void news_done(struct planner *planner, const Callout__Reply *reply)
{
    planner->question = 0;
    ProtobufCMessage *news = NULL;
    if (reply != NULL && reply->status == CALLOUT__STATUS__OK)
        news = body_of(planner, reply, &callout__next_problem_reply__descriptor);
    else if (reply != NULL)
        log_warn("no news: %s", reply->text);
    if (news == NULL)
        planner->ask_after_us = now_us(planner) + RETRY_US;
    else
        take_news(planner, (const Callout__NextProblemReply *)news);
}

static struct live *live_by_proposal(struct planner *planner, uint64_t cookie)
{
    struct live *live = NULL;
    for (uint32_t i = 0; i < planner->problem_count; i++) {
        if (planner->problems[i]->proposal == cookie) live = planner->problems[i];
    }
    return live != NULL && live->state == AWAIT_REPLY ? live : NULL;
}

static void proposal_done(struct planner *planner, struct live *live, const Callout__Reply *reply)
{
    const Callout__ProposePlanReply *result = NULL;
    if (reply != NULL && reply->status == CALLOUT__STATUS__OK)
        result = (const Callout__ProposePlanReply *)body_of(
            planner, reply, &callout__propose_plan_reply__descriptor);
    if (result != NULL && result->n_refused > 0)
        log_info("%zu routes refused, %u published; the first refused of %s: %s", result->n_refused,
                 result->routes_applied, result->refused[0]->technician_id,
                 result->refused[0]->reason);
    if (result != NULL && result->plan_version > 0)
        live->state = AWAIT_NEWS;
    else if (live->settled)
        go_on(planner, live);
    else
        start_search(planner, live);
}

void planner_answered(struct planner *planner, uint64_t cookie, enum err err, const uint8_t *bytes,
                      size_t size)
{
    arena_rewind(&planner->arena);
    if (cookie == planner->question) {
        news_done(planner, reply_of(planner, err, bytes, size, "NextProblem"));
    } else {
        struct live *live = live_by_proposal(planner, cookie);
        if (live != NULL)
            proposal_done(planner, live, reply_of(planner, err, bytes, size, "ProposePlan"));
    }
    ask_for_news(planner);
}

/* --- driving --- */

static struct live *searching(const struct planner *planner)
{
    for (uint32_t i = 0; i < planner->problem_count; i++) {
        if (planner->problems[i]->state == SEARCHING) return planner->problems[i];
    }
    return NULL;
}

/* Searches come before bounds. */
static struct live *bounding(const struct planner *planner)
{
    for (uint32_t i = 0; i < planner->problem_count; i++) {
        if (planner->problems[i]->state == BOUNDING) return planner->problems[i];
    }
    return NULL;
}

bool planner_searching(const struct planner *planner)
{
    return searching(planner) != NULL || bounding(planner) != NULL;
}

/* What is known of the plan in force, and what things are worth to it. Nobody waits for the reply.
 */
static void report_bound(struct planner *planner, struct live *live)
{
    const struct proof *proof = keeper_proof(&live->keeper);
    const struct instance *in = &live->solver.in;
    if (proof == NULL) return;
    arena_rewind(&planner->arena);
    Callout__BoundReport report;
    struct shadow_list list = {.count = 0};
    callout__bound_report__init(&report);
    report.territory_id = live->territory_id;
    report.service_day = live->service_day;
    report.bound = bound_of(planner, live, live->solver.plan.cost);
    struct shadow_options options = shadow_options_default;
    options.windows_max = options.freezes_max = 0; /* dear, and nothing interrupts them */
    if (in->visit_count * in->technician_count <= PRICES_PAIRS_MAX)
        shadow_prices(&live->solver.day, in, &live->keeper.bound.recall, proof, &options,
                      &planner->arena, &list);
    bound_report_prices(&report, &live->solver.day, in, &list, &planner->arena);
    planner->counters.bounds++;
    if (planner->ports.proved != NULL)
        planner->ports.proved(planner->ports.context, live->territory_id, live->service_day,
                              &live->solver, proof);
    (void)ask(planner, ++planner->cookie, "ReportBound", &report.base, LIMIT_REQUEST_DEADLINE_MS);
}

static bool raise_bound(struct planner *planner, struct live *live)
{
    if (keeper_work(&live->keeper, &live->solver, planner->ports.news_waits, planner->ports.context,
                    now_us(planner)))
        return true;
    live->state = IDLE;
    if (live->keeper.bounding) report_bound(planner, live);
    return false;
}

bool planner_work(struct planner *planner)
{
    struct live *live = searching(planner);
    if (live == NULL) {
        live = bounding(planner);
        CHECK(live != NULL);
        return raise_bound(planner, live);
    }
    if (planner->ports.solve != NULL) {
        let_solve(planner, live);
        return false;
    }
    uint64_t before = live->solver.work_done;
    (void)solver_improve(&live->solver, CHUNK_ROUNDS);
    planner->counters.rounds += live->solver.work_done - before;
    if (!solver_search_over(&live->solver)) return true;
    if (live->fresh) keep_plan(&live->guesses, &live->solver);
    if (live->fresh && publish_first(planner, live)) return false;
    finish_search(planner, live);
    return false;
}

/* Does the reply or the news that it waits for not come any more? In lock-step it always comes. */
static bool waits(const struct planner *planner, const struct live *live)
{
    return !planner->options.lockstep && (live->state == AWAIT_REPLY || live->state == AWAIT_NEWS);
}

/* The news of a plan that was published never came: go on without. */
static void give_up_waiting(struct planner *planner)
{
    for (uint32_t i = 0; i < planner->problem_count; i++) {
        struct live *live = planner->problems[i];
        if (!waits(planner, live) || now_us(planner) <= live->until_us) continue;
        if (live->settled)
            go_on(planner, live);
        else
            start_search(planner, live);
    }
}

void planner_tick(struct planner *planner)
{
    ask_for_news(planner);
    give_up_waiting(planner);
}

int64_t planner_wake_us(const struct planner *planner)
{
    int64_t wake_us = planner->question == 0 ? planner->ask_after_us : INT64_MAX;
    for (uint32_t i = 0; i < planner->problem_count; i++) {
        const struct live *live = planner->problems[i];
        if (waits(planner, live) && live->until_us + 1 < wake_us) wake_us = live->until_us + 1;
    }
    return wake_us;
}

const struct planner_counters *planner_counters(const struct planner *planner)
{
    return &planner->counters;
}

/* --- life --- */

struct planner *planner_open(const struct planner_options *options,
                             const struct planner_ports *ports)
{
    struct planner *planner = calloc(1, sizeof *planner);
    CHECK(planner != NULL);
    planner->options = *options;
    planner->ports = *ports;
    arena_open(&planner->arena, MESSAGE_MEMORY);
    return planner;
}

void planner_close(struct planner *planner)
{
    if (planner == NULL) return;
    for (uint32_t i = 0; i < planner->problem_count; i++) {
        if (planner->options.bounds) keeper_close(&planner->problems[i]->keeper);
        solver_close(&planner->problems[i]->solver);
        free(planner->problems[i]);
    }
    arena_close(&planner->arena);
    free(planner);
}

void planner_leave(void)
{
    master_leave();
}
