/* The optimizer's loop against a small dispatcher: news, candidates, echo, garbage, silence,
 * bursts, late candidates, and a master that is slow or broken. */
#include "base/clock.h"
#include "message.h"
#include "optimizer/master.h"
#include "optimizer/service.h"
#include "pb/inner.pb-c.h"
#include "pb/wire.pb-c.h"
#include "random_day.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { SERVERS = 3, VISITS = 6, TECHNICIANS = 2, TIMEOUT_S = 60 };

/* What the dispatcher knows: two technicians far apart, a few visits near each, one plan. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    nng_socket socket;
    bool ending;
    uint64_t revision, event, plan_version;
    uint32_t visit_count, garbage_left, refusals_left;
    uint32_t routes[TECHNICIANS][VISITS];
    uint32_t counts[TECHNICIANS];
    uint64_t settled; /* the newest revision that was said to have nothing better */
    uint32_t snapshots, events_told;
    uint32_t late_left;  /* candidates for both that are overtaken on their way */
    bool news_kept_back; /* of such a one, until its hold is over or another candidate comes */
    uint32_t overtaken, stale;
    uint32_t first_stage; /* of the first plan since plans were lost; 0: none came yet */
    bool first_whole;     /* everything is planned by it */
    uint64_t bounded;     /* the newest revision whose bound was told */
    int64_t bound, bound_cost;
} board = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct timespec seconds_from_now(long milliseconds)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += milliseconds / 1000;
    at.tv_nsec += milliseconds % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static uint32_t planned_count(void)
{
    return board.counts[0] + board.counts[1];
}

/* --- what happens to the master --- */

/* Under board.lock. */
static struct {
    enum master_fault fault;
    bool no_pivots; /* it may not make any */
    bool slow;      /* it goes on and on until it is asked to stop */
    bool at_work;
    uint32_t time; /* how often something was injected */
    uint32_t calls, ends[MASTER_FAILED + 1];
} injected;

/* The linker gives the service this instead of master_recombine (CMakeLists.txt). */
void injected_recombine(struct master *master, struct plan *plan, struct pool *pool,
                        const uint8_t *seeds, const struct master_limits *limits,
                        struct master_report *report) __asm__("__wrap_master_recombine");
void real_recombine(struct master *master, struct plan *plan, struct pool *pool,
                    const uint8_t *seeds, const struct master_limits *limits,
                    struct master_report *report) __asm__("__real_master_recombine");

static void go_on_until_stopped(const struct master_limits *limits)
{
    int64_t until_us = clock_mono_us() + TIMEOUT_S * US_PER_SECOND;
    while (!limits->stop(limits->context) && clock_mono_us() < until_us)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (clock_mono_us() >= until_us) fail_msg("nobody told the master to stop");
}

void injected_recombine(struct master *master, struct plan *plan, struct pool *pool,
                        const uint8_t *seeds, const struct master_limits *limits,
                        struct master_report *report)
{
    struct master_limits mine = *limits;
    pthread_mutex_lock(&board.lock);
    mine.fault = injected.fault;
    if (injected.no_pivots) mine.pivots_max = 0;
    if (mine.fault != FAULT_NONE) mine.stop = NULL; /* or an expired hold may come before it */
    uint32_t time = injected.time;
    bool slow = injected.at_work = injected.slow;
    injected.slow = false;
    pthread_cond_broadcast(&board.changed);
    pthread_mutex_unlock(&board.lock);
    if (slow) go_on_until_stopped(limits);
    real_recombine(master, plan, pool, seeds, &mine, report);
    pthread_mutex_lock(&board.lock);
    if (time == injected.time) { /* else it was for an earlier event, in idle time */
        injected.calls++;
        injected.ends[report->end]++;
    }
    injected.at_work = false;
    pthread_mutex_unlock(&board.lock);
}

/* --- what it says --- */

static char technician_ids[TECHNICIANS][4] = {"T0", "T1"};

static int32_t lat_of(uint32_t technician)
{
    return 471000000 + (int32_t)technician * 2000000;
}

static void say_plan_of(uint32_t visit, Callout__ProblemVisit *out)
{
    for (uint32_t t = 0; t < TECHNICIANS; t++) {
        for (uint32_t r = 0; r < board.counts[t]; r++) {
            if (board.routes[t][r] != visit) continue;
            out->technician_id = technician_ids[t];
            out->position = r;
            out->planned_start_us = US(BASE_S + 8 * 3600 + (int64_t)r * 700);
            out->published = 1;
        }
    }
}

static void say_technicians(Callout__NextProblemReply *news, struct arena *arena)
{
    news->technicians = arena_need(arena, TECHNICIANS * sizeof *news->technicians);
    news->n_technicians = TECHNICIANS;
    for (uint32_t t = 0; t < TECHNICIANS; t++) {
        Callout__Point *home = arena_need(arena, sizeof *home);
        callout__point__init(home);
        home->lat_e7 = lat_of(t);
        home->lon_e7 = 95000000;
        Callout__ProblemTechnician *out = arena_need(arena, sizeof *out);
        callout__problem_technician__init(out);
        out->changes_left = -1;
        out->technician_id = technician_ids[t];
        out->start = out->end = home;
        out->available_us = US(BASE_S + 8 * 3600);
        out->shift_end_us = US(BASE_S + 18 * 3600);
        news->technicians[t] = out;
    }
}

static ProtobufCBinaryData problem_say(uint64_t have, struct arena *arena)
{
    static char territory[] = "north", nobody[] = "";
    static char ids[VISITS][4] = {"V0", "V1", "V2", "V3", "V4", "V5"};
    Callout__NextProblemReply news;
    callout__next_problem_reply__init(&news);
    news.territory_id = territory;
    news.service_day = SERVICE_DAY;
    news.base_revision = have;
    news.revision = board.revision;
    news.cause_seq = board.event > have ? board.event : 0;
    news.plan_version = board.plan_version;
    news.now_us = US(BASE_S + 6 * 3600);
    news.frozen_until_us = news.now_us;
    board.events_told += news.cause_seq != 0;
    say_technicians(&news, arena);
    Callout__ProblemVisit visits[VISITS], *list[VISITS];
    Callout__Point places[VISITS];
    for (uint32_t i = 0; i < board.visit_count; i++) {
        callout__problem_visit__init(&visits[i]);
        callout__point__init(&places[i]);
        places[i].lat_e7 = lat_of(i % TECHNICIANS) + (int32_t)i * 20000;
        places[i].lon_e7 = 95000000;
        visits[i].appointment_id = ids[i];
        visits[i].point = board.garbage_left > 0 ? NULL : &places[i];
        visits[i].service_seconds = 600 + (int32_t)(board.event % 60); /* so routes are new ones */
        visits[i].priority = 5;
        visits[i].mobility = CALLOUT__MOBILITY__MOVABLE;
        visits[i].technician_id = nobody;
        say_plan_of(i, &visits[i]);
        list[i] = &visits[i];
    }
    news.visits = list;
    news.n_visits = board.visit_count;
    if (board.garbage_left > 0) board.garbage_left--;
    return message_encode(&news.base, arena);
}

static ProtobufCBinaryData next_problem(const Callout__NextProblemRequest *request,
                                        struct arena *arena)
{
    uint64_t have = request->n_have > 0 ? request->have[0]->revision : 0;
    struct timespec until = seconds_from_now(300);
    while (!board.ending && (have == board.revision || board.news_kept_back) &&
           pthread_cond_timedwait(&board.changed, &board.lock, &until) == 0)
        ;
    board.news_kept_back = false;
    board.snapshots += have == 0;
    Callout__NextProblemReply nothing;
    callout__next_problem_reply__init(&nothing);
    return have == board.revision ? message_encode(&nothing.base, arena) : problem_say(have, arena);
}

/* --- what it hears --- */

static void apply_route(const Callout__CandidateRoute *route)
{
    uint32_t t = number_of(route->technician_id);
    board.counts[t] = 0;
    for (size_t i = 0; i < route->n_appointment_ids; i++)
        board.routes[t][board.counts[t]++] = number_of(route->appointment_ids[i]);
}

/* A later fact touched the last route's day while the candidate was on its way: only the others
 * count, and the news of both is not there yet. */
static size_t overtake(const Callout__PlanCandidate *candidate, Callout__ProposePlanReply *reply)
{
    static char reason[] = "a later fact touched it";
    static Callout__RouteRefusal refusal, *refused[] = {&refusal};
    size_t applied = candidate->n_routes - 1;
    callout__route_refusal__init(&refusal);
    refusal.technician_id = technician_ids[number_of(candidate->routes[applied]->technician_id)];
    refusal.reason = reason;
    reply->refused = refused;
    reply->n_refused = 1;
    board.late_left--;
    board.overtaken++;
    board.event = ++board.revision;
    board.news_kept_back = true;
    return applied;
}

static void take_candidate(const Callout__PlanCandidate *candidate,
                           Callout__ProposePlanReply *reply)
{
    size_t applied = candidate->n_routes;
    if (board.late_left > 0 && candidate->n_routes == TECHNICIANS)
        applied = overtake(candidate, reply);
    for (size_t i = 0; i < applied; i++)
        apply_route(candidate->routes[i]);
    if (board.first_stage == 0) board.first_whole = planned_count() == board.visit_count;
    if (board.first_stage == 0) board.first_stage = candidate->stage;
    board.revision++;
    reply->routes_applied = (uint32_t)applied;
    reply->plan_version = ++board.plan_version;
}

static ProtobufCBinaryData propose_plan(const Callout__PlanCandidate *candidate, uint32_t *status,
                                        struct arena *arena)
{
    Callout__ProposePlanReply reply;
    callout__propose_plan_reply__init(&reply);
    board.news_kept_back = false;
    if (candidate->settled && candidate->base_revision > board.settled)
        board.settled = candidate->base_revision;
    *status = CALLOUT__STATUS__CONFLICT;
    /* One that was on its way when the plans were lost may be of before, too. */
    board.stale += board.overtaken > 0 && candidate->base_revision != board.revision;
    if (candidate->n_routes > 0 && candidate->base_revision == board.revision) {
        if (board.refusals_left > 0) {
            board.refusals_left--;
        } else {
            take_candidate(candidate, &reply);
            *status = CALLOUT__STATUS__OK;
        }
    }
    pthread_cond_broadcast(&board.changed);
    return message_encode(&reply.base, arena);
}

static ProtobufCBinaryData report_bound(const Callout__BoundReport *report, struct arena *arena)
{
    Callout__BoundReportReply reply;
    callout__bound_report_reply__init(&reply);
    board.bounded = report->bound->base_revision;
    board.bound = report->bound->lower_bound_seconds;
    board.bound_cost = report->bound->cost_seconds;
    pthread_cond_broadcast(&board.changed);
    return message_encode(&reply.base, arena);
}

static const ProtobufCMessageDescriptor *body_of(const char *method)
{
    if (strcmp(method, "NextProblem") == 0) return &callout__next_problem_request__descriptor;
    if (strcmp(method, "ReportBound") == 0) return &callout__bound_report__descriptor;
    return &callout__plan_candidate__descriptor;
}

static void answer(nng_ctx context, const void *bytes, size_t size)
{
    struct arena arena;
    struct problem problem;
    ProtobufCMessage *message, *body;
    Callout__Reply reply;
    arena_open(&arena, 1 << 22);
    callout__reply__init(&reply);
    reply.clock_rate = 1;
    assert_int_equal(
        message_decode(&callout__request__descriptor, bytes, size, &arena, &message, &problem),
        ERR_OK);
    const Callout__Request *request = (const Callout__Request *)message;
    const ProtobufCMessageDescriptor *type = body_of(request->method);
    assert_int_equal(
        message_decode(type, request->body.data, request->body.len, &arena, &body, &problem),
        ERR_OK);
    uint32_t status = CALLOUT__STATUS__OK;
    pthread_mutex_lock(&board.lock);
    if (type == &callout__next_problem_request__descriptor)
        reply.body = next_problem((const Callout__NextProblemRequest *)body, &arena);
    else if (type == &callout__bound_report__descriptor)
        reply.body = report_bound((const Callout__BoundReport *)body, &arena);
    else
        reply.body = propose_plan((const Callout__PlanCandidate *)body, &status, &arena);
    pthread_mutex_unlock(&board.lock);
    reply.status = (Callout__Status)status;
    ProtobufCBinaryData packed = message_encode(&reply.base, &arena);
    nng_msg *out;
    assert_int_equal(nng_msg_alloc(&out, 0), 0);
    assert_int_equal(nng_msg_append(out, packed.data, packed.len), 0);
    nng_aio *aio;
    assert_int_equal(nng_aio_alloc(&aio, NULL, NULL), 0);
    nng_aio_set_msg(aio, out);
    nng_ctx_send(context, aio);
    nng_aio_wait(aio);
    if (nng_aio_result(aio) != 0) nng_msg_free(out);
    nng_aio_free(aio);
    arena_close(&arena);
}

static bool is_ending(void)
{
    pthread_mutex_lock(&board.lock);
    bool ending = board.ending;
    pthread_mutex_unlock(&board.lock);
    return ending;
}

/* Looks up now and then whether it is over: nng 1.5.2 panics when a socket is closed under a send.
 */
static void *serve(void *argument)
{
    nng_ctx context;
    nng_aio *aio;
    assert_int_equal(nng_ctx_open(&context, board.socket), 0);
    assert_int_equal(nng_aio_alloc(&aio, NULL, NULL), 0);
    nng_aio_set_timeout(aio, 50);
    while (!is_ending()) {
        nng_ctx_recv(context, aio);
        nng_aio_wait(aio);
        if (nng_aio_result(aio) != 0) continue;
        nng_msg *message = nng_aio_get_msg(aio);
        answer(context, nng_msg_body(message), nng_msg_len(message));
        nng_msg_free(message);
    }
    nng_aio_free(aio);
    return argument;
}

static void *optimize(void *argument)
{
    static char role[] = "optimizer", option[] = "--dispatcher", url[] = "inproc://dispatcher",
                work[] = "--work", rounds[] = "200";
    char *words[] = {role, option, url, work, rounds, NULL};
    static int code;
    code = optimizer_main(5, words);
    (void)argument;
    return &code;
}

/* --- the story --- */

static void event_happens(uint32_t visits)
{
    pthread_mutex_lock(&board.lock);
    board.visit_count = visits;
    board.event = ++board.revision;
    pthread_cond_broadcast(&board.changed);
    pthread_mutex_unlock(&board.lock);
}

/* Waits until the newest revision is settled; true if so and all visits are planned. */
static bool all_planned_and_settled(void)
{
    struct timespec until = seconds_from_now(TIMEOUT_S * 1000);
    pthread_mutex_lock(&board.lock);
    while (board.settled < board.revision || planned_count() < board.visit_count) {
        if (pthread_cond_timedwait(&board.changed, &board.lock, &until) != 0) break;
    }
    bool good = board.settled >= board.revision && planned_count() == board.visit_count;
    pthread_mutex_unlock(&board.lock);
    return good;
}

static void events_become_plans(void **state)
{
    (void)state;
    event_happens(2);
    assert_true(all_planned_and_settled());
    for (uint32_t visits = 3; visits <= VISITS - 1; visits++) {
        event_happens(visits);
        assert_true(all_planned_and_settled());
    }
    assert_int_equal(board.snapshots, 1);
}

/* When nothing else is to be done, how good the plan is is told. */
static void a_bound_is_told(void **state)
{
    (void)state;
    event_happens(VISITS - 1);
    assert_true(all_planned_and_settled());
    struct timespec until = seconds_from_now(TIMEOUT_S * 1000);
    int timed_out = 0;
    pthread_mutex_lock(&board.lock);
    while (board.bounded != board.revision && timed_out == 0)
        timed_out = pthread_cond_timedwait(&board.changed, &board.lock, &until);
    assert_true(board.bounded == board.revision);
    assert_true(board.bound > 0 && board.bound <= board.bound_cost);
    pthread_mutex_unlock(&board.lock);
}

static void a_refusal_is_not_the_end(void **state)
{
    (void)state;
    pthread_mutex_lock(&board.lock);
    board.refusals_left = 1;
    pthread_mutex_unlock(&board.lock);
    event_happens(VISITS);
    assert_true(all_planned_and_settled());
}

static void garbage_asks_for_a_snapshot(void **state)
{
    (void)state;
    pthread_mutex_lock(&board.lock);
    board.garbage_left = 2;
    board.counts[0] = board.counts[1] = 0;
    uint32_t before = board.snapshots;
    pthread_mutex_unlock(&board.lock);
    event_happens(VISITS);
    assert_true(all_planned_and_settled());
    assert_true(board.snapshots > before);
}

/* The days of that one and of those after him are empty again, and must be planned anew. */
static void plans_are_lost(uint32_t from)
{
    pthread_mutex_lock(&board.lock);
    for (uint32_t t = from; t < TECHNICIANS; t++)
        board.counts[t] = 0;
    board.first_stage = 0;
    board.event = ++board.revision;
    pthread_cond_broadcast(&board.changed);
    pthread_mutex_unlock(&board.lock);
}

static bool master_is_at_work(void)
{
    struct timespec until = seconds_from_now(TIMEOUT_S * 1000);
    pthread_mutex_lock(&board.lock);
    while (!injected.at_work && pthread_cond_timedwait(&board.changed, &board.lock, &until) == 0)
        ;
    bool at_work = injected.at_work;
    pthread_mutex_unlock(&board.lock);
    return at_work;
}

/* Ten events while the optimizer is busy: the first calls it away, the others are one with the
 * second news. */
static void a_burst_is_solved_as_one(void **state)
{
    (void)state;
    pthread_mutex_lock(&board.lock);
    injected.slow = true;
    pthread_mutex_unlock(&board.lock);
    plans_are_lost(0);
    assert_true(master_is_at_work());
    pthread_mutex_lock(&board.lock);
    uint32_t before = board.events_told;
    for (uint32_t i = 0; i < 10; i++)
        board.event = ++board.revision;
    pthread_cond_broadcast(&board.changed);
    pthread_mutex_unlock(&board.lock);
    assert_true(all_planned_and_settled());
    assert_in_range(board.events_told - before, 1, 2);
}

static void what_a_late_candidate_left_is_planned_next(void **state)
{
    (void)state;
    pthread_mutex_lock(&board.lock);
    board.late_left = 1;
    board.overtaken = board.stale = 0;
    uint32_t snapshots = board.snapshots;
    pthread_mutex_unlock(&board.lock);
    plans_are_lost(0);
    assert_true(all_planned_and_settled());
    assert_int_equal(board.overtaken, 1);
    assert_int_equal(board.stale, 0); /* it waited for the news of what counted */
    assert_int_equal(board.snapshots, snapshots);
}

static void inject(enum master_fault fault, bool no_pivots)
{
    pthread_mutex_lock(&board.lock);
    injected.time++;
    injected.fault = fault;
    injected.no_pivots = no_pivots;
    injected.calls = 0;
    memset(injected.ends, 0, sizeof injected.ends);
    pthread_mutex_unlock(&board.lock);
}

/* Whatever becomes of the master: there was a plan before it was asked, and the next event gets one
 * too, be the master still broken or not. */
static void a_plan_comes_before(enum master_fault fault, bool no_pivots, enum master_end end)
{
    for (uint32_t i = 0; i < 2; i++) {
        inject(FAULT_ABORT, false); /* GLPK forgets all: the fault meets a program yet to be made */
        plans_are_lost(1);
        assert_true(all_planned_and_settled());
        inject(fault, no_pivots);
        plans_are_lost(1);
        assert_true(all_planned_and_settled());
        assert_in_range(injected.ends[end], 1, injected.calls);
        assert_int_equal(board.first_stage, CALLOUT__CANDIDATE_STAGE__REPAIR);
        assert_true(board.first_whole);
    }
    plans_are_lost(0); /* a day without any plan is searched first, but gets one all the same */
    assert_true(all_planned_and_settled());
    inject(FAULT_NONE, false);
    plans_are_lost(1);
    assert_true(all_planned_and_settled());
    assert_in_range(injected.calls, 1, 100);
    assert_int_equal(injected.ends[MASTER_FAILED], 0);
}

/* The master goes on and on: by then the day has a plan, its first. */
static void a_new_day_has_a_plan_before_the_master(void **state)
{
    (void)state;
    pthread_mutex_lock(&board.lock);
    injected.slow = true;
    pthread_mutex_unlock(&board.lock);
    plans_are_lost(0);
    assert_true(master_is_at_work());
    pthread_mutex_lock(&board.lock);
    assert_int_equal(planned_count(), board.visit_count);
    assert_int_equal(board.first_stage, CALLOUT__CANDIDATE_STAGE__SEARCH);
    assert_true(board.first_whole);
    pthread_mutex_unlock(&board.lock);
    event_happens(VISITS);
    assert_true(all_planned_and_settled());
}

static void a_broken_master_keeps_no_plan_back(void **state)
{
    (void)state;
    a_plan_comes_before(FAULT_ABORT, false, MASTER_FAILED);
    a_plan_comes_before(FAULT_NAN, false, MASTER_FAILED);
    a_plan_comes_before(FAULT_NAN_INSIDE, false, MASTER_FAILED);
    a_plan_comes_before(FAULT_HANG, false, MASTER_FAILED);
    a_plan_comes_before(FAULT_NONE, true, MASTER_LIMIT);
}

int main(void)
{
    pthread_t servers[SERVERS], optimizer;
    if (nng_rep0_open(&board.socket) != 0 ||
        nng_listen(board.socket, "inproc://dispatcher", NULL, 0) != 0)
        return 1;
    for (uint32_t i = 0; i < SERVERS; i++)
        pthread_create(&servers[i], NULL, serve, NULL);
    pthread_create(&optimizer, NULL, optimize, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_become_plans),
        cmocka_unit_test(a_bound_is_told),
        cmocka_unit_test(a_refusal_is_not_the_end),
        cmocka_unit_test(garbage_asks_for_a_snapshot),
        cmocka_unit_test(a_burst_is_solved_as_one),
        cmocka_unit_test(what_a_late_candidate_left_is_planned_next),
        cmocka_unit_test(a_new_day_has_a_plan_before_the_master),
        cmocka_unit_test(a_broken_master_keeps_no_plan_back),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    void *code;
    raise(SIGTERM);
    pthread_mutex_lock(&board.lock);
    board.ending = true;
    pthread_cond_broadcast(&board.changed);
    pthread_mutex_unlock(&board.lock);
    pthread_join(optimizer, &code);
    for (uint32_t i = 0; i < SERVERS; i++)
        pthread_join(servers[i], NULL);
    nng_close(board.socket);
    return failed != 0 || *(int *)code != 0;
}
