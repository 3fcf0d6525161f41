/* client.c - see client.h.
 *
 * Two lines, each a channel with at most one request out: `command` (Enroll, Hello, Snapshot, Push)
 * and `poll` (Pull). `step` looks at what the device knows and asks the next thing on each line
 * that is free and not backing off; every reply changes what is known and ends in `step` again.
 * There is no other state machine.
 */
#include "gateway/client/client.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/rng.h"
#include "gateway/client/channel.h"
#include "gateway/client/domain.h"
#include "gateway/client/identity.h"
#include "gateway/client/outbox.h"
#include "message.h"
#include "pb/wire.pb-c.h"
#include "signed_bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ARENA_BYTES = 32 << 20,                               /* a decoded reply of LIMIT_REPLY */
    COMMAND_RESEND_MS = LIMIT_REQUEST_DEADLINE_MS + 2000, /* the server gave up before that */
    POLL_SLACK_MS = 15000,                                /* beyond the longest hold */
    BACKOFF_MS_MIN = 1000,
    BACKOFF_MS_MAX = 60000,
    PUSH_BYTES_MAX = 128 * 1024,
    SESSION_BYTES_MAX = 64,
    NONCE_BYTES_MAX = 64,
    PATH_BYTES = 1024,
    PAGE_TOKEN_BYTES = 512,
    PROTO_MAJOR = 1,
};

/* What the server has stays so long at least, and until it is in a backup; but not for ever, where
 * nobody makes one. */
static const int64_t outbox_keep_us = 72 * 3600 * US_PER_SECOND;
static const int64_t outbox_keep_us_max = 35 * 86400 * US_PER_SECOND;

/* What is out on a line. */
enum asked { ASKED_NOTHING, ASKED_ENROLL, ASKED_HELLO, ASKED_SNAPSHOT, ASKED_PUSH, ASKED_PULL };

struct line {
    struct client *client;
    struct channel *channel;
    struct client_timer backoff;
    uint32_t failures; /* in a row */
    enum asked asked;
};

struct client {
    struct client_loop *loop;
    struct client_events events;
    void *context;
    char folder[PATH_BYTES];
    char enrol_token[256], device_name[LIMIT_NAME + 1], app_build[LIMIT_NAME + 1];
    char boot_id[IDENTITY_BOOT_ID];
    uint32_t hold_ms;
    int64_t clock_ahead_us; /* of the device's wall clock, where that is made up */

    struct identity identity;
    struct device_file *file;
    struct outbox *outbox;
    struct replica *replica;
    struct rng jitter;

    struct line command, poll;
    uint8_t session[SESSION_BYTES_MAX];
    size_t session_size; /* 0: no session */
    uint8_t nonce[NONCE_BYTES_MAX];
    size_t nonce_size; /* 0: the next Hello asks for one */
    bool stopped;
    bool ending; /* ended by the server: what is not sent yet is handed over, then all is erased */
    bool taking; /* inside a reply: what callbacks ask for waits until it is taken over whole */
    enum client_state told_state;
    uint64_t acked_seq; /* the server has commands up to here; known since Hello */
    uint64_t safe_seq;  /* and these are in a backup of it */
    uint64_t plan_seq;  /* of the log: the plan that the replica has; 0: not told since the start */
    uint64_t log_epoch; /* of the server's log; 0: not known yet */
    uint32_t batch_max; /* commands per Push: halved while the server cannot take them */
    char page_token[PAGE_TOKEN_BYTES];
    bool paging; /* a Snapshot is between its pages */
    struct domain_clock domain;
    struct client_counters counters;
};

static void step(struct client *client);

static int64_t wall_us(const struct client *client)
{
    return client_loop_wall_us(client->loop) + client->clock_ahead_us;
}

/* --- telling the app ------------------------------------------------------------------------- */

enum client_state client_state(const struct client *client)
{
    if (client->stopped) return CLIENT_STOPPED;
    if (client->session_size > 0) return CLIENT_LIVE;
    return client->identity.device_id[0] == '\0' ? CLIENT_NEW : CLIENT_GREETING;
}

static void tell_state(struct client *client)
{
    enum client_state state = client_state(client);
    if (state == client->told_state) return;
    client->told_state = state;
    if (client->events.on_state != NULL) client->events.on_state(client->context, client, state);
}

static void folder_path(const struct client *client, const char *name, char path[PATH_BYTES + 16])
{
    snprintf(path, PATH_BYTES + 16, "%s/%s", client->folder, name);
}

/* Nothing of the technician's stays on a device that is not his any more. */
static void erase_folder(struct client *client)
{
    char path[PATH_BYTES + 16];
    replica_erase(client->replica);
    outbox_erase(client->outbox);
    folder_path(client, "identity", path);
    identity_erase(&client->identity, path);
}

static void stop(struct client *client, enum err err, const char *text)
{
    if (client->stopped) return;
    client->stopped = true;
    client->session_size = 0;
    if (client->ending) erase_folder(client);
    tell_state(client);
    if (client->events.on_stopped != NULL)
        client->events.on_stopped(client->context, client, err, text);
}

/* --- asking ---------------------------------------------------------------------------------- */

static void ask_bytes(struct line *line, enum asked asked, const char *method,
                      ProtobufCBinaryData body, struct arena *arena)
{
    struct client *client = line->client;
    Callout__Request request;
    callout__request__init(&request);
    request.proto_major = PROTO_MAJOR;
    request.app_build = client->app_build;
    request.session_token = (ProtobufCBinaryData){client->session_size, client->session};
    union {
        const char *literal;
        char *text;
    } name = {method}; /* protobuf-c has no const texts; it only reads them */
    request.method = name.text;
    request.body = body;
    ProtobufCBinaryData packed = message_encode(&request.base, arena);
    line->asked = asked;
    channel_ask(line->channel, packed.data, packed.len);
}

static void ask(struct line *line, enum asked asked, const char *method,
                const ProtobufCMessage *message)
{
    struct arena arena;
    arena_open(&arena, 2 * LIMIT_MESSAGE);
    ask_bytes(line, asked, method, message_encode(message, &arena), &arena);
    arena_close(&arena);
}

static void ask_enroll(struct client *client)
{
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    char algorithm[] = "ed25519";
    identity_sign(&client->identity, client->enrol_token, strlen(client->enrol_token), signature);
    Callout__EnrollRequest request;
    callout__enroll_request__init(&request);
    request.enrol_token = client->enrol_token;
    request.key_algorithm = algorithm;
    request.public_key =
        (ProtobufCBinaryData){sizeof client->identity.public_key, client->identity.public_key};
    request.signature = (ProtobufCBinaryData){sizeof signature, signature};
    request.device_name = client->device_name;
    ask(&client->command, ASKED_ENROLL, "Enroll", &request.base);
}

/* The clock that commands carry: domain time as we reckon it, or before the first reply our own. */
static int64_t command_time_us(const struct client *client)
{
    int64_t domain_us = client_domain_us(client);
    return domain_us != 0 ? domain_us : wall_us(client);
}

static void ask_hello(struct client *client)
{
    Callout__HelloRequest request;
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    struct arena arena;
    callout__hello_request__init(&request);
    request.device_id = client->identity.device_id;
    request.epoch = client->identity.epoch;
    request.device_time_us = command_time_us(client);
    request.nonce = (ProtobufCBinaryData){client->nonce_size, client->nonce};
    arena_open(&arena, LIMIT_MESSAGE);
    if (client->nonce_size > 0) {
        ProtobufCBinaryData text = signed_hello(&request, client->identity.server_name, &arena);
        identity_sign(&client->identity, text.data, text.len, signature);
        request.signature = (ProtobufCBinaryData){sizeof signature, signature};
    }
    client->nonce_size = 0; /* good for once */
    ask(&client->command, ASKED_HELLO, "Hello", &request.base);
    arena_close(&arena);
}

static void ask_snapshot(struct client *client)
{
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    request.page_token = client->page_token;
    ask(&client->command, ASKED_SNAPSHOT, "Snapshot", &request.base);
}

/* What our clocks show, so that the dispatcher knows how long ago each command was made. */
static size_t pack_clocks(struct client *client, uint8_t *out)
{
    Callout__PushRequest request;
    callout__push_request__init(&request);
    request.device_time_us = command_time_us(client);
    request.mono_us = client_loop_now_us(client->loop);
    request.boot_id = client->boot_id;
    return callout__push_request__pack(&request, out);
}

/* The commands lie packed in the outbox: a PushRequest is put together around them. */
static void ask_push(struct client *client)
{
    enum { TAG_COMMANDS = 1 << 3 | 2, CLOCKS_MAX = 64 + IDENTITY_BOOT_ID };
    struct arena arena;
    arena_open(&arena, 4 * LIMIT_MESSAGE);
    uint8_t *body = arena_need(&arena, PUSH_BYTES_MAX + LIMIT_COMMAND + CLOCKS_MAX);
    size_t size = 0;
    for (uint32_t i = 0; i < client->batch_max && size < PUSH_BYTES_MAX; i++) {
        const uint8_t *command;
        size_t command_size;
        enum err err =
            outbox_read(client->outbox, client->acked_seq + 1 + i, &command, &command_size);
        if (err != ERR_OK) break;
        body[size++] = TAG_COMMANDS;
        size_t rest = command_size;
        for (; rest >= 0x80; rest >>= 7)
            body[size++] = (uint8_t)(rest | 0x80);
        body[size++] = (uint8_t)rest;
        memcpy(body + size, command, command_size);
        size += command_size;
    }
    if (size == 0) {
        stop(client, ERR_IO, "the outbox cannot be read");
    } else {
        size += pack_clocks(client, body + size);
        ask_bytes(&client->command, ASKED_PUSH, "Push", (ProtobufCBinaryData){size, body}, &arena);
    }
    arena_close(&arena);
}

static void ask_pull(struct client *client)
{
    Callout__PullRequest request;
    callout__pull_request__init(&request);
    request.cursor = replica_cursor(client->replica);
    request.hold_ms = client->hold_ms;
    ask(&client->poll, ASKED_PULL, "Pull", &request.base);
}

static bool line_free(const struct line *line)
{
    return !channel_busy(line->channel) && line->backoff.place == 0;
}

/* An ended device has only its commands left to tell. */
static void hand_over(struct client *client)
{
    if (client->acked_seq < outbox_last_seq(client->outbox))
        ask_push(client);
    else
        stop(client, ERR_GONE, "the device is not in use any more: its data was erased");
}

/* The next thing to ask on the command line, the most urgent first. */
static void step_command(struct client *client)
{
    if (!line_free(&client->command)) return;
    if (client->identity.device_id[0] == '\0') {
        if (client->enrol_token[0] != '\0') ask_enroll(client);
    } else if (client->session_size == 0)
        ask_hello(client);
    else if (client->ending)
        hand_over(client);
    else if (replica_cursor(client->replica).len == 0)
        ask_snapshot(client);
    else if (client->acked_seq < outbox_last_seq(client->outbox))
        ask_push(client);
}

static void step(struct client *client)
{
    if (client->stopped || client->taking) return;
    step_command(client);
    if (client->session_size > 0 && !client->ending && !client->stopped &&
        replica_cursor(client->replica).len > 0 && line_free(&client->poll))
        ask_pull(client);
}

/* --- waiting --------------------------------------------------------------------------------- */

static void on_backoff_over(void *context)
{
    struct line *line = context;
    step(line->client);
}

/* Waits what the server said, or 1 to 60 s growing; a part of it is chance, so that a fleet that
 * was cut off together does not come back together. */
static void back_off(struct line *line, uint32_t retry_after_ms)
{
    struct client *client = line->client;
    client->counters.failures++;
    uint32_t shift = line->failures < 6 ? line->failures : 6;
    line->failures++;
    uint32_t ms = (uint32_t)BACKOFF_MS_MIN << shift;
    if (ms > BACKOFF_MS_MAX) ms = BACKOFF_MS_MAX;
    ms = ms / 2 + rng_below(&client->jitter, ms / 2 + 1);
    if (retry_after_ms > 0)
        ms = retry_after_ms + rng_below(&client->jitter, retry_after_ms / 2 + 1);
    client_timer_set(client->loop, &line->backoff,
                     client_loop_now_us(client->loop) + (int64_t)ms * 1000);
}

/* --- replies --------------------------------------------------------------------------------- */

static void take_enroll(struct client *client, const Callout__EnrollReply *reply)
{
    struct identity *identity = &client->identity;
    if (strlen(reply->server_name) >= sizeof identity->server_name || reply->device_id[0] == '\0' ||
        strlen(reply->device_id) > LIMIT_ID || strlen(reply->technician_id) > LIMIT_ID) {
        stop(client, ERR_INVALID, "the server's answer to Enroll makes no sense");
        return;
    }
    snprintf(identity->device_id, sizeof identity->device_id, "%s", reply->device_id);
    snprintf(identity->technician_id, sizeof identity->technician_id, "%s", reply->technician_id);
    identity->epoch = reply->epoch;
    snprintf(identity->server_name, sizeof identity->server_name, "%s", reply->server_name);
    char path[PATH_BYTES + 16];
    folder_path(client, "identity", path);
    struct problem problem = {0};
    if (identity_save(identity, path, &problem) != ERR_OK) stop(client, ERR_IO, problem.text);
}

/* The server knows up to `last_seq`: go on from there, wherever the device thought it was. */
static void resume_from(struct client *client, uint64_t last_seq)
{
    struct problem problem = {0};
    if (last_seq > outbox_last_seq(client->outbox)) {
        if (outbox_skip_to(client->outbox, last_seq, &problem) != ERR_OK)
            stop(client, ERR_IO, problem.text);
    } else if (last_seq + 1 < outbox_first_seq(client->outbox)) {
        stop(client, ERR_GAP, "the server lost commands that this device does not keep any more");
    }
    client->acked_seq = last_seq;
}

/* The first half of Hello: what is to be signed. The installation's name is the one that the device
 * enrolled at, so that no other one can pass its signature on. */
static bool take_nonce(struct client *client, const Callout__HelloReply *reply)
{
    struct identity *identity = &client->identity;
    if (reply->session_token.len > 0 || reply->nonce.len == 0 ||
        reply->nonce.len > sizeof client->nonce)
        return false;
    if (identity->server_name[0] == '\0' &&
        strlen(reply->server_name) < sizeof identity->server_name)
        snprintf(identity->server_name, sizeof identity->server_name, "%s", reply->server_name);
    memcpy(client->nonce, reply->nonce.data, reply->nonce.len);
    client->nonce_size = reply->nonce.len;
    return true;
}

static void take_hello(struct client *client, const Callout__HelloReply *reply)
{
    if (take_nonce(client, reply)) return;
    if (reply->session_token.len == 0 || reply->session_token.len > sizeof client->session) {
        back_off(&client->command, 0);
        return;
    }
    client->counters.hellos++;
    client->session_size = reply->session_token.len;
    memcpy(client->session, reply->session_token.data, reply->session_token.len);
    if (strlen(reply->technician_id) <= LIMIT_ID && reply->technician_id[0] != '\0')
        snprintf(client->identity.technician_id, sizeof client->identity.technician_id, "%s",
                 reply->technician_id);
    client->safe_seq = reply->safe_seq;
    resume_from(client, reply->last_seq);
}

static void tell_news(struct client *client, struct client_news *news)
{
    news->received_mono_us = client_loop_now_us(client->loop);
    if (client->events.on_news != NULL && (news->change_count > 0 || news->snapshot))
        client->events.on_news(client->context, client, news);
}

/* The log's end when a reply was made is what it is true for; of a Snapshot, when its first page
 * was. */
static void take_snapshot(struct client *client, const Callout__SnapshotReply *reply,
                          uint64_t log_seq)
{
    if (!client->paging) client->plan_seq = log_seq;
    struct client_news news = {.snapshot = true};
    news.changes =
        replica_apply_snapshot(client->replica, reply, !client->paging, &news.change_count);
    client->paging = reply->next_page_token[0] != '\0';
    bool lost = strlen(reply->next_page_token) >= sizeof client->page_token ||
                (!client->paging && reply->cursor.len == 0);
    snprintf(client->page_token, sizeof client->page_token, "%s",
             lost ? "" : reply->next_page_token);
    if (client->paging && !lost) return;
    client->paging = false;
    client->counters.snapshots++;
    if (lost)
        back_off(&client->command, 0); /* nothing to follow from: ask again, but not at once */
    else
        tell_news(client, &news);
}

static void take_result(struct client *client, const Callout__CommandResult *result)
{
    if (result->outcome == CALLOUT__OUTCOME__OUTCOME_GAP || result->seq != client->acked_seq + 1)
        return;
    client->acked_seq = result->seq;
    client->counters.acknowledged++;
    if (result->outcome == CALLOUT__OUTCOME__REJECTED ||
        result->outcome == CALLOUT__OUTCOME__PAYLOAD_MISMATCH)
        client->counters.rejected++;
    if (result->outcome == CALLOUT__OUTCOME__CONFLICT_RECORDED) client->counters.conflicts++;
    if (client->events.on_result != NULL) client->events.on_result(client->context, client, result);
}

static void forget_old(struct client *client)
{
    struct problem problem = {0};
    uint64_t safe_seq = client->safe_seq < client->acked_seq ? client->safe_seq : client->acked_seq;
    int64_t now_us = wall_us(client);
    enum err err = outbox_forget(client->outbox, safe_seq, now_us - outbox_keep_us, &problem);
    if (err == ERR_OK)
        err =
            outbox_forget(client->outbox, client->acked_seq, now_us - outbox_keep_us_max, &problem);
    if (err != ERR_OK) stop(client, ERR_IO, problem.text);
}

static void take_push(struct client *client, const Callout__PushReply *reply)
{
    uint64_t before = client->acked_seq;
    for (size_t i = 0; i < reply->n_results; i++)
        take_result(client, reply->results[i]);
    /* Results tell; last_seq rules: it may lie behind (a gap) or ahead (results left out). */
    if (reply->last_seq != client->acked_seq) resume_from(client, reply->last_seq);
    client->batch_max = LIMIT_BATCH_COMMANDS;
    if (client->acked_seq == before) {
        back_off(&client->command, 0);
        return;
    }
    forget_old(client);
}

static void take_pull(struct client *client, const Callout__PullReply *reply, uint64_t log_seq)
{
    if (!reply->more) client->plan_seq = log_seq;
    client->counters.pulls++;
    struct client_news news = {.cause_count = reply->n_cause_seqs, .cause_seqs = reply->cause_seqs};
    if (reply->n_cause_committed_mono_us == reply->n_cause_seqs)
        news.cause_committed_mono_us = reply->cause_committed_mono_us;
    else
        news.cause_count = 0;
    news.changes = replica_apply(client->replica, reply, &news.change_count);
    tell_news(client, &news);
}

/* Takes the body of an OK reply over. */
static void take_body(struct line *line, enum asked asked, const Callout__Reply *reply,
                      struct arena *arena)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        [ASKED_ENROLL] = &callout__enroll_reply__descriptor,
        [ASKED_HELLO] = &callout__hello_reply__descriptor,
        [ASKED_SNAPSHOT] = &callout__snapshot_reply__descriptor,
        [ASKED_PUSH] = &callout__push_reply__descriptor,
        [ASKED_PULL] = &callout__pull_reply__descriptor,
    };
    CHECK(asked != ASKED_NOTHING);
    ProtobufCMessage *message;
    if (message_decode(types[asked], reply->body.data, reply->body.len, arena, &message, NULL) !=
        ERR_OK) {
        back_off(line, 0);
        return;
    }
    line->failures = 0;
    struct client *client = line->client;
    switch (asked) {
    case ASKED_NOTHING: break;
    case ASKED_ENROLL: take_enroll(client, (const Callout__EnrollReply *)message); break;
    case ASKED_HELLO: take_hello(client, (const Callout__HelloReply *)message); break;
    case ASKED_SNAPSHOT:
        take_snapshot(client, (const Callout__SnapshotReply *)message, reply->log_seq);
        break;
    case ASKED_PUSH: take_push(client, (const Callout__PushReply *)message); break;
    case ASKED_PULL: take_pull(client, (const Callout__PullReply *)message, reply->log_seq); break;
    }
}

/* UNAUTH on what a session carried: the session is over. On Hello itself: wait and try again, since
 * only GONE says that a device is ended for good. */
static void take_unauth(struct line *line, enum asked asked, uint32_t retry_after_ms)
{
    if (asked == ASKED_ENROLL)
        stop(line->client, ERR_UNAUTH, "the enrolment token is not valid, or not any more");
    else if (asked == ASKED_HELLO)
        back_off(line, retry_after_ms);
    else
        line->client->session_size = 0;
}

static void take_gap(struct line *line, ProtobufCBinaryData body, struct arena *arena)
{
    ProtobufCMessage *message;
    struct client *client = line->client;
    if (message_decode(&callout__push_reply__descriptor, body.data, body.len, arena, &message,
                       NULL) == ERR_OK &&
        body.len > 0)
        resume_from(client, ((const Callout__PushReply *)message)->last_seq);
    else
        client->session_size = 0; /* Hello tells last_seq */
    back_off(line, 0);
}

/* The command that the server stumbles over is alone: an empty one goes in its place. Once, since a
 * server that refuses that, too, does not stumble over what it says. */
static bool make_way(struct client *client, const char *why)
{
    Callout__Command empty;
    callout__command__init(&empty);
    empty.seq = client->acked_seq + 1;
    uint8_t bytes[32];
    CHECK(callout__command__get_packed_size(&empty) <= sizeof bytes);
    return outbox_make_way(client->outbox, empty.seq, why, bytes,
                           callout__command__pack(&empty, bytes), NULL) == ERR_OK;
}

/* The server cannot take this request as it is: fewer commands at once, so that at last the one
 * that it stumbles over is alone, and the rest is through. */
static void take_refusal(struct line *line, enum asked asked, const Callout__Reply *reply)
{
    struct client *client = line->client;
    bool unreadable =
        reply->status == CALLOUT__STATUS__INVALID || reply->status == CALLOUT__STATUS__TOO_LARGE;
    if (asked == ASKED_ENROLL) {
        stop(client, (enum err)reply->status, reply->text);
        return;
    }
    if (asked == ASKED_PUSH && client->batch_max == 1 && unreadable &&
        make_way(client, reply->text))
        return;
    if (asked == ASKED_PUSH && client->batch_max > 1) client->batch_max /= 2;
    if (asked == ASKED_SNAPSHOT) {
        client->paging = false;
        client->page_token[0] = '\0';
    }
    back_off(line, reply->retry_after_ms);
}

static void take_reset(struct line *line, enum asked asked)
{
    struct client *client = line->client;
    client->paging = false;
    client->page_token[0] = '\0';
    replica_forget(client->replica);
    if (asked == ASKED_SNAPSHOT) back_off(line, 0);
}

/* The device was ended. What it knows of its technician's customers goes at once; the commands that
 * the server does not have are handed over first, if it opens a session for that. */
static void take_gone(struct line *line, enum asked asked, const Callout__Reply *reply,
                      struct arena *arena)
{
    struct client *client = line->client;
    ProtobufCMessage *message;
    bool handing_over = client->ending;
    client->ending = asked != ASKED_ENROLL;
    client->paging = false;
    if (client->ending) replica_erase(client->replica);
    client->session_size = 0;
    if (asked == ASKED_HELLO && reply->body.len > 0 &&
        message_decode(&callout__hello_reply__descriptor, reply->body.data, reply->body.len, arena,
                       &message, NULL) == ERR_OK)
        take_hello(client, (const Callout__HelloReply *)message);
    bool says_hello = client->ending && asked != ASKED_HELLO && !handing_over;
    if (client->session_size == 0 && !says_hello) stop(client, ERR_GONE, reply->text);
}

static void take_status(struct line *line, enum asked asked, const Callout__Reply *reply,
                        struct arena *arena)
{
    switch (reply->status) {
    case CALLOUT__STATUS__OK: take_body(line, asked, reply, arena); break;
    case CALLOUT__STATUS__UNAUTH: take_unauth(line, asked, reply->retry_after_ms); break;
    case CALLOUT__STATUS__GAP: take_gap(line, reply->body, arena); break;
    case CALLOUT__STATUS__RESET: take_reset(line, asked); break;
    case CALLOUT__STATUS__GONE: take_gone(line, asked, reply, arena); break;
    case CALLOUT__STATUS__VERSION: stop(line->client, (enum err)reply->status, reply->text); break;
    case CALLOUT__STATUS__SUPERSEDED:
    case CALLOUT__STATUS__RATE:
    case CALLOUT__STATUS__BUSY:
    case CALLOUT__STATUS__RETRY:
    case CALLOUT__STATUS__IO: back_off(line, reply->retry_after_ms); break;
    case CALLOUT__STATUS__INVALID:
    case CALLOUT__STATUS__NOT_FOUND:
    case CALLOUT__STATUS__CONFLICT:
    case CALLOUT__STATUS__TOO_LARGE:
    case CALLOUT__STATUS__INTERNAL: take_refusal(line, asked, reply); break;
    case _CALLOUT__STATUS_IS_INT_SIZE: break;
    }
}

/* Another log: the server was restored from a backup, and lacks what came after that. Hello tells
 * how much, also when this device has nothing new to say. */
static void note_log(struct client *client, uint64_t log_epoch)
{
    if (log_epoch == 0 || log_epoch == client->log_epoch) return;
    if (client->log_epoch != 0) client->session_size = 0;
    client->log_epoch = log_epoch;
}

static void on_reply(void *context, const uint8_t *bytes, size_t size)
{
    struct line *line = context;
    struct client *client = line->client;
    enum asked asked = line->asked;
    line->asked = ASKED_NOTHING;
    client->taking = true;
    struct arena arena;
    arena_open(&arena, ARENA_BYTES);
    ProtobufCMessage *message;
    if (bytes == NULL || message_decode(&callout__reply__descriptor, bytes, size, &arena, &message,
                                        NULL) != ERR_OK) {
        back_off(line, 0);
    } else if (!client->stopped) {
        const Callout__Reply *reply = (const Callout__Reply *)message;
        domain_learn(&client->domain, reply->server_time_us, reply->clock_rate,
                     client_loop_now_us(client->loop));
        note_log(client, reply->log_epoch);
        take_status(line, asked, reply, &arena);
        tell_state(client);
    }
    arena_close(&arena);
    client->taking = false;
    step(client);
}

/* --- the door -------------------------------------------------------------------------------- */

static void copy_option(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text == NULL ? "" : text);
}

static enum err open_database(struct client *client, bool durable, struct problem *problem)
{
    enum err err = device_file_open(&client->file, client->folder, durable, problem);
    if (err == ERR_OK) err = outbox_open(&client->outbox, client->file, problem);
    if (err == ERR_OK) err = replica_open(&client->replica, client->file, problem);
    return err;
}

static enum err open_folder(struct client *client, bool durable, struct problem *problem)
{
    char path[PATH_BYTES + 16];
    if (mkdir(client->folder, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, client->folder, "%s", strerror(errno));
    snprintf(path, sizeof path, "%s/outbox", client->folder);
    if (access(path, F_OK) == 0)
        return problem_set(
            problem, ERR_VERSION, path,
            "an earlier version's; it must send what it holds, then enrol the device "
            "again in an empty folder");
    enum err err = open_database(client, durable, problem);
    if (err != ERR_OK) return err; /* another process has this device, or its file is damaged */
    snprintf(path, sizeof path, "%s/identity", client->folder);
    err = identity_load(&client->identity, path, problem);
    if (err != ERR_OK) return err;
    if (client->identity.device_id[0] == '\0' && client->enrol_token[0] == '\0')
        return problem_set(problem, ERR_INVALID, "enrol_token",
                           "%s is not enrolled and there is no token", client->folder);
    return ERR_OK;
}

static enum err open_line(struct client *client, struct line *line, uint32_t resend_ms,
                          const struct client_options *options, struct problem *problem)
{
    *line = (struct line){.client = client, .backoff = {.fire = on_backoff_over, .context = line}};
    struct channel_options channel = {.url = options->url,
                                      .ca_file = options->ca_file,
                                      .tls_name = options->tls_name,
                                      .resend_ms = resend_ms,
                                      .on_reply = on_reply,
                                      .context = line};
    return channel_open(&line->channel, client->loop, &channel, problem);
}

enum err client_open(struct client **out, struct client_loop *loop,
                     const struct client_options *options, struct problem *problem)
{
    struct client *client = calloc(1, sizeof *client);
    CHECK(client != NULL);
    CHECK(strlen(options->folder) < sizeof client->folder);
    client->loop = loop;
    client->events = options->events;
    client->context = options->context;
    client->hold_ms = options->hold_ms > 0 ? options->hold_ms : LIMIT_HOLD_MS;
    client->batch_max = LIMIT_BATCH_COMMANDS;
    client->jitter = (struct rng){identity_chance()};
    copy_option(client->folder, sizeof client->folder, options->folder);
    copy_option(client->enrol_token, sizeof client->enrol_token, options->enrol_token);
    copy_option(client->device_name, sizeof client->device_name, options->device_name);
    copy_option(client->app_build, sizeof client->app_build, options->app_build);
    if (options->boot_id == NULL)
        identity_boot_id(client->boot_id);
    else
        copy_option(client->boot_id, sizeof client->boot_id, options->boot_id);
    enum err err = open_folder(client, !options->volatile_outbox, problem);
    if (err == ERR_OK)
        err = open_line(client, &client->command, COMMAND_RESEND_MS, options, problem);
    if (err == ERR_OK)
        err = open_line(client, &client->poll, client->hold_ms + POLL_SLACK_MS, options, problem);
    if (err == ERR_OK) err = client_set_online(client, true, problem);
    if (err != ERR_OK) {
        client_close(client);
        return err;
    }
    client->told_state = client_state(client);
    step(client);
    *out = client;
    return ERR_OK;
}

void client_close(struct client *client)
{
    if (client == NULL) return;
    client_timer_cancel(client->loop, &client->command.backoff);
    client_timer_cancel(client->loop, &client->poll.backoff);
    channel_close(client->command.channel);
    channel_close(client->poll.channel);
    replica_close(client->replica);
    outbox_close(client->outbox);
    device_file_close(client->file);
    memset(&client->identity, 0, sizeof client->identity);
    free(client);
}

enum err client_set_online(struct client *client, bool online, struct problem *problem)
{
    enum err err = channel_online(client->command.channel, online, problem);
    if (err == ERR_OK) err = channel_online(client->poll.channel, online, problem);
    return err;
}

void client_set_clock(struct client *client, int64_t ahead_us)
{
    client->clock_ahead_us = ahead_us;
}

enum err client_save(struct client *client, Callout__Command *command, uint64_t *seq,
                     struct problem *problem)
{
    CHECK(command->body_case != CALLOUT__COMMAND__BODY__NOT_SET);
    if (client->ending)
        return problem_set(problem, ERR_GONE, "device", "it is not in use any more");
    command->seq = outbox_last_seq(client->outbox) + 1;
    command->device_time_us = command_time_us(client);
    command->mono_us = client_loop_now_us(client->loop);
    command->boot_id = client->boot_id;
    size_t size = callout__command__get_packed_size(command);
    if (size > LIMIT_COMMAND)
        return problem_set(problem, ERR_TOO_LARGE, "command", "at most %d bytes", LIMIT_COMMAND);
    uint8_t bytes[LIMIT_COMMAND];
    callout__command__pack(command, bytes);
    enum err err =
        outbox_append(client->outbox, command->seq, wall_us(client), bytes, size, problem);
    if (err != ERR_OK) return err;
    client->counters.saved++;
    *seq = command->seq;
    step(client);
    return ERR_OK;
}

const struct replica_visit *client_appointments(const struct client *client, size_t *count)
{
    return replica_visits(client->replica, count);
}

const struct replica_visit *client_appointment(const struct client *client, const char *id)
{
    return replica_find(client->replica, id);
}

enum err client_refused(struct client *client, uint64_t seq, const char **why,
                        const uint8_t **packed, size_t *size)
{
    return outbox_read_refused(client->outbox, seq, why, packed, size);
}

uint64_t client_unsent(const struct client *client)
{
    return outbox_last_seq(client->outbox) - client->acked_seq;
}

uint64_t client_plan_seq(const struct client *client)
{
    return client->plan_seq;
}

bool client_connected(const struct client *client)
{
    return channel_connected(client->command.channel);
}

const char *client_technician_id(const struct client *client)
{
    return client->identity.technician_id;
}

const struct client_counters *client_counters(const struct client *client)
{
    return &client->counters;
}

int64_t client_domain_us(const struct client *client)
{
    return domain_at(&client->domain, client_loop_now_us(client->loop));
}

int64_t client_mono_at(const struct client *client, int64_t domain_us)
{
    CHECK(client->domain.domain_us != 0);
    return domain_mono_at(&client->domain, domain_us);
}
