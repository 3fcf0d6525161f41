/* stage.h - a device's client on a stage: a gateway that loses replies, forgets, refuses and
 * resets, over the real listener, as its test asks for it. */
#ifndef CALLOUT_TESTS_CLIENT_STAGE_H
#define CALLOUT_TESTS_CLIENT_STAGE_H

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "gateway/client/client.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/wire.pb-c.h"
#include "signed_bytes.h"
#include "sp_listener.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEQ_MAX = 1000, WAIT_MS = 60000, VISITS = 3 };
enum { OUTAGES = 4, OUTAGE_MS = 1500, SOON_MS = 4000 }; /* a try is due within 1 s */

/* --- the gateway: one thread with a listener; the test scripts its misdeeds
 * ----------------------- */

enum misdeed {
    BEHAVE,
    SWALLOW_BEFORE, /* the connection breaks and nothing was done */
    SWALLOW_AFTER,  /* it was done, and the connection breaks */
    ANSWER_STATUS,  /* answers with `status` instead */
};

struct gateway {
    pthread_mutex_t lock; /* guards all below but base and listener */
    enum misdeed misdeed; /* of the next request for `method`, then BEHAVE */
    const char *method;
    Callout__Status status;
    uint64_t
        unreadable; /* a Push with this command in it is INVALID, unless the command is empty */

    uint64_t log_epoch, last_seq, safe_seq;
    uint64_t plan_acked; /* of the last AckPlan */
    Callout__AckStage plan_stage;
    uint32_t applied[SEQ_MAX]; /* how often each seq had its effect */
    uint64_t version;          /* of the appointments */
    struct sp_ticket held;
    bool holding;
    uint64_t held_version;
    unsigned enrolments, hellos, snapshots, mutations, sessions;
    char last_request_id[64];
    uint8_t key[crypto_sign_PUBLICKEYBYTES]; /* of the device that enrolled */
    bool ended;                              /* the device was revoked */

    char url[96];
    struct event_base *base;
    struct sp_listener *listener;
    struct event *nudge; /* the appointments changed, or an end was asked for */
    struct event *sever, *down, *up;
    bool ending;
    pthread_t thread;
};

static inline void answer(struct gateway *gateway, struct sp_ticket ticket, Callout__Status status,
                          const ProtobufCMessage *body)
{
    struct arena arena;
    arena_open(&arena, 4 << 20);
    Callout__Reply reply;
    callout__reply__init(&reply);
    reply.status = status;
    reply.server_time_us = 1000 * US_PER_SECOND + clock_mono_us();
    reply.clock_rate = 1;
    reply.log_epoch = gateway->log_epoch;
    reply.log_seq = 40 + gateway->version;
    bool refused = status == CALLOUT__STATUS__RETRY || status == CALLOUT__STATUS__INVALID;
    reply.retry_after_ms = refused ? 10 : 0;
    char why[] = "commands: nobody can read this";
    if (status == CALLOUT__STATUS__INVALID) reply.text = why;
    if (body != NULL) reply.body = message_encode(body, &arena);
    ProtobufCBinaryData packed = message_encode(&reply.base, &arena);
    sp_reply(gateway->listener, ticket, packed.data, packed.len);
    arena_close(&arena);
}

/* Appointment i of the day: its start tells the version. */
static inline void fill(Callout__FieldAppointment *field, Callout__Appointment *appointment,
                        char *id, int i, uint64_t version)
{
    callout__field_appointment__init(field);
    callout__appointment__init(appointment);
    id[0] = 'A';
    id[1] = (char)('0' + i);
    id[2] = '\0';
    appointment->appointment_id = id;
    appointment->status = CALLOUT__APPOINTMENT_STATUS__SCHEDULED;
    appointment->planned_start_us = (int64_t)version * US_PER_MINUTE;
    field->appointment = appointment;
}

static inline void answer_pull(struct gateway *gateway, struct sp_ticket ticket, uint64_t since)
{
    Callout__PullReply reply;
    callout__pull_reply__init(&reply);
    Callout__FieldAppointment field;
    Callout__FieldAppointment *fields[] = {&field};
    Callout__Appointment appointment;
    char id[8];
    uint64_t cause = 100 + gateway->version;
    int64_t committed_us = clock_mono_us();
    if (gateway->version > since) {
        fill(&field, &appointment, id, (int)(gateway->version % VISITS), gateway->version);
        reply.n_appointments = 1;
        reply.appointments = fields;
        reply.n_cause_seqs = 1;
        reply.cause_seqs = &cause;
        reply.n_cause_committed_mono_us = 1;
        reply.cause_committed_mono_us = &committed_us;
    }
    reply.cursor = (ProtobufCBinaryData){sizeof gateway->version, (uint8_t *)&gateway->version};
    answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
}

static inline void handle_pull(struct gateway *gateway, struct sp_ticket ticket,
                               const Callout__PullRequest *request)
{
    uint64_t since = 0;
    if (request->cursor.len == sizeof since) memcpy(&since, request->cursor.data, sizeof since);
    if (since < gateway->version) {
        answer_pull(gateway, ticket, since);
        return;
    }
    gateway->held = ticket;
    gateway->held_version = since;
    gateway->holding = true;
}

static inline void handle_snapshot(struct gateway *gateway, struct sp_ticket ticket,
                                   const Callout__SnapshotRequest *request)
{
    gateway->snapshots++;
    Callout__SnapshotReply reply;
    callout__snapshot_reply__init(&reply);
    Callout__FieldAppointment fields[VISITS], *list[VISITS];
    Callout__Appointment appointments[VISITS];
    char ids[VISITS][8], next_page[] = "1";
    /* Two pages: the first visit, then the others. */
    bool first = request->page_token[0] == '\0';
    for (int i = 0; i < VISITS; i++) {
        fill(&fields[i], &appointments[i], ids[i], i, gateway->version);
        list[i] = &fields[i];
    }
    reply.appointments = first ? list : list + 1;
    reply.n_appointments = first ? 1 : VISITS - 1;
    if (first)
        reply.next_page_token = next_page;
    else
        reply.cursor = (ProtobufCBinaryData){sizeof gateway->version, (uint8_t *)&gateway->version};
    answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
}

static inline void note_plan_ack(struct gateway *gateway, const Callout__Command *command)
{
    if (command->body_case != CALLOUT__COMMAND__BODY_ACK_PLAN) return;
    gateway->plan_acked = command->ack_plan->log_seq;
    gateway->plan_stage = command->ack_plan->stage;
}

static inline void handle_push(struct gateway *gateway, struct sp_ticket ticket,
                               const Callout__PushRequest *request, bool replying)
{
    static Callout__CommandResult results[LIMIT_BATCH_COMMANDS], *list[LIMIT_BATCH_COMMANDS];
    Callout__PushReply reply;
    callout__push_reply__init(&reply);
    Callout__Status status = CALLOUT__STATUS__OK;
    for (size_t i = 0; i < request->n_commands; i++) {
        uint64_t seq = request->commands[i]->seq;
        bool empty = request->commands[i]->body_case == CALLOUT__COMMAND__BODY__NOT_SET;
        CHECK(seq < SEQ_MAX);
        if (seq == gateway->unreadable && !empty) {
            answer(gateway, ticket, CALLOUT__STATUS__INVALID, NULL);
            return;
        }
        if (seq > gateway->last_seq + 1) {
            status = CALLOUT__STATUS__GAP;
            break;
        }
        callout__command_result__init(&results[i]);
        results[i].seq = seq;
        results[i].outcome = empty ? CALLOUT__OUTCOME__REJECTED : CALLOUT__OUTCOME__APPLIED;
        results[i].duplicate = seq <= gateway->last_seq;
        if (seq == gateway->last_seq + 1) {
            gateway->applied[seq]++;
            note_plan_ack(gateway, request->commands[i]);
            gateway->last_seq = seq;
        }
        list[reply.n_results++] = &results[i];
    }
    reply.results = list;
    reply.last_seq = gateway->last_seq;
    if (replying) answer(gateway, ticket, status, &reply.base);
}

static inline void handle_enroll(struct gateway *gateway, struct sp_ticket ticket,
                                 const Callout__EnrollRequest *request)
{
    gateway->enrolments++;
    CHECK(request->public_key.len == sizeof gateway->key);
    memcpy(gateway->key, request->public_key.data, sizeof gateway->key);
    bool known = strcmp(request->enrol_token, "TOKEN") == 0 && request->public_key.len == 32 &&
                 request->signature.len == 64;
    char device[] = "D1", technician[] = "T1", server_name[] = "here";
    Callout__EnrollReply reply;
    callout__enroll_reply__init(&reply);
    reply.device_id = device;
    reply.technician_id = technician;
    reply.epoch = 1;
    reply.server_name = server_name;
    if (known)
        answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
    else
        answer(gateway, ticket, CALLOUT__STATUS__UNAUTH, NULL);
}

static inline void handle_hello(struct gateway *gateway, struct sp_ticket ticket,
                                const Callout__HelloRequest *request)
{
    Callout__HelloReply reply;
    callout__hello_reply__init(&reply);
    CHECK(strcmp(request->device_id, "D1") == 0);
    if (request->nonce.len == 0) {
        uint8_t nonce[2] = {7, (uint8_t)gateway->sessions};
        char server_name[] = "elsewhere";
        reply.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
        reply.server_name = server_name; /* it enrolled at another one, and signs that one's name */
        answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
        return;
    }
    struct arena arena;
    arena_open(&arena, 1 << 16);
    ProtobufCBinaryData text = signed_hello(request, "here", &arena);
    CHECK(request->nonce.len == 2 && request->nonce.data[1] == (uint8_t)gateway->sessions);
    CHECK(request->signature.len == crypto_sign_BYTES &&
          crypto_sign_verify_detached(request->signature.data, text.data, text.len, gateway->key) ==
              0);
    arena_close(&arena);
    gateway->hellos++;
    gateway->sessions++;
    uint8_t token[32] = {(uint8_t)gateway->sessions};
    reply.wipe = gateway->ended;
    reply.session_token = (ProtobufCBinaryData){sizeof token, token};
    reply.last_seq = gateway->last_seq;
    reply.safe_seq = gateway->safe_seq;
    answer(gateway, ticket, gateway->ended ? CALLOUT__STATUS__GONE : CALLOUT__STATUS__OK,
           &reply.base);
}

static inline void handle_cancel(struct gateway *gateway, struct sp_ticket ticket,
                                 const Callout__Request *request)
{
    if (strcmp(gateway->last_request_id, request->request_id) != 0) gateway->mutations++;
    snprintf(gateway->last_request_id, sizeof gateway->last_request_id, "%s", request->request_id);
    Callout__MutationReply reply;
    callout__mutation_reply__init(&reply);
    reply.log_seq = 5;
    answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
}

static inline void dispatch(struct gateway *gateway, struct sp_ticket ticket,
                            const Callout__Request *request, const ProtobufCMessage *body,
                            bool replying)
{
    if (strcmp(request->method, "Push") == 0)
        handle_push(gateway, ticket, (const Callout__PushRequest *)body, replying);
    else if (!replying)
        return;
    else if (strcmp(request->method, "Enroll") == 0)
        handle_enroll(gateway, ticket, (const Callout__EnrollRequest *)body);
    else if (strcmp(request->method, "Hello") == 0)
        handle_hello(gateway, ticket, (const Callout__HelloRequest *)body);
    else if (strcmp(request->method, "Snapshot") == 0)
        handle_snapshot(gateway, ticket, (const Callout__SnapshotRequest *)body);
    else if (strcmp(request->method, "Pull") == 0)
        handle_pull(gateway, ticket, (const Callout__PullRequest *)body);
    else
        handle_cancel(gateway, ticket, request);
}

static inline void on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes,
                              size_t size)
{
    struct gateway *gateway = context;
    struct arena arena;
    arena_open(&arena, 4 << 20);
    ProtobufCMessage *message, *body;
    CHECK(message_decode(&callout__request__descriptor, bytes, size, &arena, &message, NULL) ==
          ERR_OK);
    const Callout__Request *request = (const Callout__Request *)message;
    struct method method;
    CHECK(method_find(request->method, &method));
    CHECK(message_decode(method.method->input, request->body.data, request->body.len, &arena, &body,
                         NULL) == ERR_OK);
    pthread_mutex_lock(&gateway->lock);
    enum misdeed misdeed = BEHAVE;
    if (gateway->misdeed != BEHAVE && strcmp(gateway->method, request->method) == 0) {
        misdeed = gateway->misdeed;
        gateway->misdeed = BEHAVE;
    }
    if (misdeed == ANSWER_STATUS)
        answer(gateway, ticket, gateway->status, NULL);
    else if (misdeed != SWALLOW_BEFORE)
        dispatch(gateway, ticket, request, body, misdeed == BEHAVE);
    pthread_mutex_unlock(&gateway->lock);
    if (misdeed == SWALLOW_BEFORE || misdeed == SWALLOW_AFTER) event_active(gateway->sever, 0, 0);
    arena_close(&arena);
}

static inline void listen_again(struct gateway *gateway)
{
    struct sp_listener_options options = {
        .url = gateway->url, .trusted = true, .on_request = on_request, .context = gateway};
    CHECK(sp_listener_open(&gateway->listener, gateway->base, &options, NULL) == ERR_OK);
}

static inline void on_sever(evutil_socket_t fd, short what, void *context)
{
    struct gateway *gateway = context;
    (void)fd;
    (void)what;
    sp_listener_close(gateway->listener);
    listen_again(gateway);
}

static inline void on_down(evutil_socket_t fd, short what, void *context)
{
    struct gateway *gateway = context;
    (void)fd;
    (void)what;
    sp_listener_close(gateway->listener);
    gateway->listener = NULL;
}

static inline void on_up(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    listen_again(context);
}

static inline void on_nudge(evutil_socket_t fd, short what, void *context)
{
    struct gateway *gateway = context;
    (void)fd;
    (void)what;
    pthread_mutex_lock(&gateway->lock);
    if (gateway->holding && gateway->held_version < gateway->version) {
        gateway->holding = false;
        answer_pull(gateway, gateway->held, gateway->held_version);
    }
    if (gateway->ending) event_base_loopbreak(gateway->base);
    pthread_mutex_unlock(&gateway->lock);
}

static inline void *serve(void *context)
{
    struct gateway *gateway = context;
    event_base_loop(gateway->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

/* --- the stage: a folder, a gateway, a loop, a device
 * ---------------------------------------------- */

struct stage {
    struct gateway gateway;
    char folder[64], device[80];
    struct client_loop *loop;
    struct client *client;
    uint64_t results, duplicates;
    unsigned news, snapshots_told;
    bool stopped;
    bool volatile_outbox; /* many commands at once, and no power fails */
    struct client_timer poll;
    bool (*reached)(struct stage *stage);
};

static inline void on_result(void *context, struct client *client,
                             const Callout__CommandResult *result)
{
    struct stage *stage = context;
    (void)client;
    stage->results++;
    stage->duplicates += result->duplicate ? 1 : 0;
}

static inline void on_news(void *context, struct client *client, const struct client_news *news)
{
    struct stage *stage = context;
    (void)client;
    stage->news++;
    stage->snapshots_told += news->snapshot ? 1 : 0;
    if (!news->snapshot) {
        CHECK(news->cause_count == 1 && news->cause_committed_mono_us[0] <= news->received_mono_us);
    }
}

static inline void on_stopped(void *context, struct client *client, enum err err, const char *text)
{
    struct stage *stage = context;
    (void)client;
    (void)err;
    (void)text;
    stage->stopped = true;
}

static inline void device_open(struct stage *stage, const char *token)
{
    struct client_options options = {
        .url = stage->gateway.url,
        .folder = stage->device,
        .enrol_token = token,
        .volatile_outbox = stage->volatile_outbox,
        .events = {.on_result = on_result, .on_news = on_news, .on_stopped = on_stopped},
        .context = stage,
    };
    assert_int_equal(client_open(&stage->client, stage->loop, &options, NULL), ERR_OK);
}

static inline int stage_open(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    CHECK(stage != NULL);
    snprintf(stage->folder, sizeof stage->folder, "/tmp/callout-client-XXXXXX");
    CHECK(mkdtemp(stage->folder) != NULL);
    snprintf(stage->device, sizeof stage->device, "%s/device", stage->folder);
    struct gateway *gateway = &stage->gateway;
    snprintf(gateway->url, sizeof gateway->url, "ipc://%s/sock", stage->folder);
    gateway->version = 1;
    gateway->log_epoch = 1;
    CHECK(pthread_mutex_init(&gateway->lock, NULL) == 0);
    CHECK(evthread_use_pthreads() == 0);
    gateway->base = event_base_new();
    gateway->nudge = event_new(gateway->base, -1, 0, on_nudge, gateway);
    gateway->sever = event_new(gateway->base, -1, 0, on_sever, gateway);
    gateway->down = event_new(gateway->base, -1, 0, on_down, gateway);
    gateway->up = event_new(gateway->base, -1, 0, on_up, gateway);
    listen_again(gateway);
    CHECK(pthread_create(&gateway->thread, NULL, serve, gateway) == 0);
    CHECK(client_loop_open(&stage->loop) == ERR_OK);
    *state = stage;
    return 0;
}

static inline int stage_close(void **state)
{
    struct stage *stage = *state;
    struct gateway *gateway = &stage->gateway;
    client_close(stage->client);
    client_loop_close(stage->loop);
    pthread_mutex_lock(&gateway->lock);
    gateway->ending = true;
    pthread_mutex_unlock(&gateway->lock);
    event_active(gateway->nudge, 0, 0);
    pthread_join(gateway->thread, NULL);
    sp_listener_close(gateway->listener);
    event_free(gateway->nudge);
    event_free(gateway->sever);
    event_free(gateway->down);
    event_free(gateway->up);
    event_base_free(gateway->base);
    static const char *const files[] = {"identity", "device.db", "outbox"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", stage->device, files[i]);
        unlink(path);
    }
    rmdir(stage->device);
    CHECK(rmdir(stage->folder) == 0);
    free(stage);
    return 0;
}

static inline void on_poll(void *context)
{
    struct stage *stage = context;
    if (stage->reached(stage))
        client_loop_stop(stage->loop);
    else
        client_timer_set(stage->loop, &stage->poll, clock_mono_us() + 2000);
}

/* Lets the device live until the condition holds. */
static inline void live_until(struct stage *stage, bool (*reached)(struct stage *stage))
{
    stage->reached = reached;
    stage->poll = (struct client_timer){.fire = on_poll, .context = stage};
    client_timer_set(stage->loop, &stage->poll, clock_mono_us());
    client_loop_run(stage->loop, clock_mono_us() + WAIT_MS * INT64_C(1000));
    client_timer_cancel(stage->loop, &stage->poll);
    assert_true(reached(stage));
}

static inline bool all_acknowledged(struct stage *stage)
{
    return client_state(stage->client) == CLIENT_LIVE && client_unsent(stage->client) == 0;
}

static inline bool is_live_with_visits(struct stage *stage)
{
    size_t count;
    client_appointments(stage->client, &count);
    return client_state(stage->client) == CLIENT_LIVE && count == VISITS;
}

static inline bool is_stopped(struct stage *stage)
{
    return stage->stopped;
}

static inline void save(struct stage *stage, int count)
{
    for (int i = 0; i < count; i++) {
        Callout__Heartbeat heartbeat;
        callout__heartbeat__init(&heartbeat);
        Callout__Command command;
        callout__command__init(&command);
        command.body_case = CALLOUT__COMMAND__BODY_HEARTBEAT;
        command.heartbeat = &heartbeat;
        uint64_t seq;
        assert_int_equal(client_save(stage->client, &command, &seq, NULL), ERR_OK);
    }
}

static inline void misbehave(struct stage *stage, enum misdeed misdeed, const char *method,
                             Callout__Status status)
{
    pthread_mutex_lock(&stage->gateway.lock);
    stage->gateway.method = method;
    stage->gateway.status = status;
    stage->gateway.misdeed = misdeed;
    pthread_mutex_unlock(&stage->gateway.lock);
}

static inline void assert_applied_once(struct stage *stage, uint64_t last_seq)
{
    pthread_mutex_lock(&stage->gateway.lock);
    assert_int_equal(stage->gateway.last_seq, last_seq);
    for (uint64_t seq = 1; seq <= last_seq; seq++)
        assert_int_equal(stage->gateway.applied[seq], 1);
    pthread_mutex_unlock(&stage->gateway.lock);
}

static inline void change_plan(struct stage *stage)
{
    pthread_mutex_lock(&stage->gateway.lock);
    stage->gateway.version++;
    pthread_mutex_unlock(&stage->gateway.lock);
    event_active(stage->gateway.nudge, 0, 0);
}

#endif
