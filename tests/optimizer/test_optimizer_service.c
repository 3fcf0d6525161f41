/* The optimizer's loop against a small dispatcher: news, candidates, echo, garbage, silence. */
#include "base/clock.h"
#include "message.h"
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

enum { SERVERS = 3, VISITS = 6, TIMEOUT_S = 60 };

/* What the dispatcher knows. One technician, a few visits, one plan. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    nng_socket socket;
    bool ending;
    uint64_t revision, event, plan_version;
    uint32_t visit_count, garbage_left, refusals_left;
    uint32_t route[VISITS];
    uint32_t route_count;
    uint64_t settled; /* the newest revision that was said to have nothing better */
    uint32_t proposals, snapshots;
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

/* --- what it says --- */

static ProtobufCBinaryData problem_say(uint64_t have, struct arena *arena)
{
    static char territory[] = "north", technician_id[] = "T0", nobody[] = "";
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
    Callout__Point home;
    callout__point__init(&home);
    home.lat_e7 = 471000000;
    home.lon_e7 = 95000000;
    Callout__ProblemTechnician technician, *technicians[] = {&technician};
    callout__problem_technician__init(&technician);
    technician.changes_left = -1;
    technician.technician_id = technician_id;
    technician.start = technician.end = &home;
    technician.available_us = US(BASE_S + 8 * 3600);
    technician.shift_end_us = US(BASE_S + 18 * 3600);
    news.technicians = technicians;
    news.n_technicians = 1;
    Callout__ProblemVisit visits[VISITS], *list[VISITS];
    Callout__Point places[VISITS];
    for (uint32_t i = 0; i < board.visit_count; i++) {
        callout__problem_visit__init(&visits[i]);
        callout__point__init(&places[i]);
        places[i].lat_e7 = 471000000 + (int32_t)i * 20000;
        places[i].lon_e7 = 95000000;
        visits[i].appointment_id = ids[i];
        visits[i].point = board.garbage_left > 0 ? NULL : &places[i];
        visits[i].service_seconds = 600;
        visits[i].priority = 5;
        visits[i].mobility = CALLOUT__MOBILITY__MOVABLE;
        visits[i].technician_id = nobody;
        for (uint32_t r = 0; r < board.route_count; r++) {
            if (board.route[r] != i) continue;
            visits[i].technician_id = technician_id;
            visits[i].position = r;
            visits[i].planned_start_us = US(BASE_S + 8 * 3600 + (int64_t)r * 700);
            visits[i].published = 1;
        }
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
    while (!board.ending && have == board.revision &&
           pthread_cond_timedwait(&board.changed, &board.lock, &until) == 0)
        ;
    board.snapshots += have == 0;
    Callout__NextProblemReply nothing;
    callout__next_problem_reply__init(&nothing);
    return have == board.revision ? message_encode(&nothing.base, arena) : problem_say(have, arena);
}

/* --- what it hears --- */

static ProtobufCBinaryData propose_plan(const Callout__PlanCandidate *candidate, uint32_t *status,
                                        struct arena *arena)
{
    Callout__ProposePlanReply reply;
    callout__propose_plan_reply__init(&reply);
    board.proposals++;
    if (candidate->settled && candidate->base_revision > board.settled)
        board.settled = candidate->base_revision;
    *status = CALLOUT__STATUS__CONFLICT;
    if (candidate->n_routes > 0 && candidate->base_revision == board.revision) {
        if (board.refusals_left > 0) {
            board.refusals_left--;
        } else {
            board.route_count = 0;
            const Callout__CandidateRoute *route = candidate->routes[0];
            for (size_t i = 0; i < route->n_appointment_ids; i++)
                board.route[board.route_count++] = number_of(route->appointment_ids[i]);
            board.revision++;
            reply.plan_version = ++board.plan_version;
            *status = CALLOUT__STATUS__OK;
        }
    }
    pthread_cond_broadcast(&board.changed);
    return message_encode(&reply.base, arena);
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
    bool asks = strcmp(request->method, "NextProblem") == 0;
    assert_int_equal(message_decode(asks ? &callout__next_problem_request__descriptor
                                         : &callout__plan_candidate__descriptor,
                                    request->body.data, request->body.len, &arena, &body, &problem),
                     ERR_OK);
    uint32_t status = CALLOUT__STATUS__OK;
    pthread_mutex_lock(&board.lock);
    if (asks)
        reply.body = next_problem((const Callout__NextProblemRequest *)body, &arena);
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
    while (board.settled < board.revision || board.route_count < board.visit_count) {
        if (pthread_cond_timedwait(&board.changed, &board.lock, &until) != 0) break;
    }
    bool good = board.settled >= board.revision && board.route_count == board.visit_count;
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
    board.route_count = 0;
    uint32_t before = board.snapshots;
    pthread_mutex_unlock(&board.lock);
    event_happens(VISITS);
    assert_true(all_planned_and_settled());
    assert_true(board.snapshots > before);
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
        cmocka_unit_test(a_refusal_is_not_the_end),
        cmocka_unit_test(garbage_asks_for_a_snapshot),
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
