#include "gateway/client/api.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/rng.h"
#include "gateway/client/channel.h"
#include "gateway/client/domain.h"
#include "gateway/client/identity.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_BYTES = 32 << 20,
    RESEND_MS = LIMIT_REQUEST_DEADLINE_MS + 2000, /* the server gave up before that */
    RESEND_HELD_MS = LIMIT_HOLD_MS + 15000,
    BACKOFF_MS_MIN = 200,
    BACKOFF_MS_MAX = 10000,
    KEY_BYTES = 256,
    PROTO_MAJOR = 1,
};

struct waiting {
    struct waiting *next;
    const ProtobufCMessageDescriptor *reply_type;
    api_done *done;
    void *context;
    size_t size;
    uint8_t bytes[]; /* the packed Request */
};

struct api {
    struct client_loop *loop;
    struct channel *channel;
    struct client_timer backoff;
    struct waiting *first, *last; /* the first is the one that is out */
    size_t count;
    char key[KEY_BYTES], app_build[LIMIT_NAME + 1];
    struct rng chance;
    uint32_t failures;
    struct domain_clock domain;
};

static void step(struct api *api)
{
    if (api->first == NULL || channel_busy(api->channel) || api->backoff.place != 0) return;
    channel_ask(api->channel, api->first->bytes, api->first->size);
}

static void on_backoff_over(void *context)
{
    step(context);
}

static void back_off(struct api *api, uint32_t retry_after_ms)
{
    uint32_t ms = (uint32_t)BACKOFF_MS_MIN << (api->failures < 6 ? api->failures : 6);
    api->failures++;
    if (ms > BACKOFF_MS_MAX) ms = BACKOFF_MS_MAX;
    if (retry_after_ms > 0) ms = retry_after_ms;
    ms += rng_below(&api->chance, ms / 2 + 1);
    client_timer_set(api->loop, &api->backoff, client_loop_now_us(api->loop) + (int64_t)ms * 1000);
}

/* --- answers --------------------------------------------------------------------------------- */

static bool worth_repeating(Callout__Status status)
{
    return status == CALLOUT__STATUS__RETRY || status == CALLOUT__STATUS__RATE ||
           status == CALLOUT__STATUS__BUSY || status == CALLOUT__STATUS__IO ||
           status == CALLOUT__STATUS__SUPERSEDED;
}

static void finish_first(struct api *api, const struct api_answer *answer)
{
    struct waiting *waiting = api->first;
    api->first = waiting->next;
    if (api->first == NULL) api->last = NULL;
    api->count--;
    api->failures = 0;
    step(api); /* before the callback, which may ask more */
    if (waiting->done != NULL) waiting->done(waiting->context, answer);
    free(waiting);
}

static void take_reply(struct api *api, const Callout__Reply *reply, struct arena *arena)
{
    struct api_answer answer = {.err = (enum err)reply->status,
                                .text = reply->text,
                                .error_count = reply->n_errors,
                                .errors = reply->errors,
                                .log_seq = reply->log_seq};
    ProtobufCMessage *message;
    struct problem problem = {0};
    if (answer.err == ERR_OK) {
        answer.err = message_decode(api->first->reply_type, reply->body.data, reply->body.len,
                                    arena, &message, &problem);
        if (answer.err == ERR_OK)
            answer.message = message;
        else
            answer.text = problem.text;
    }
    finish_first(api, &answer);
}

static void on_reply(void *context, const uint8_t *bytes, size_t size)
{
    struct api *api = context;
    if (api->first == NULL) return;
    struct arena arena;
    arena_open(&arena, ARENA_BYTES);
    ProtobufCMessage *message;
    if (bytes == NULL || message_decode(&callout__reply__descriptor, bytes, size, &arena, &message,
                                        NULL) != ERR_OK) {
        back_off(api, 0);
    } else {
        const Callout__Reply *reply = (const Callout__Reply *)message;
        domain_learn(&api->domain, reply->server_time_us, reply->clock_rate,
                     client_loop_now_us(api->loop));
        if (worth_repeating(reply->status))
            back_off(api, reply->retry_after_ms);
        else
            take_reply(api, reply, &arena);
    }
    arena_close(&arena);
}

/* --- the door -------------------------------------------------------------------------------- */

enum err api_open(struct api **out, struct client_loop *loop, const struct api_options *options,
                  struct problem *problem)
{
    struct api *api = calloc(1, sizeof *api);
    CHECK(api != NULL);
    CHECK(strlen(options->key) < sizeof api->key);
    api->loop = loop;
    api->backoff = (struct client_timer){.fire = on_backoff_over, .context = api};
    api->chance = (struct rng){identity_chance()};
    snprintf(api->key, sizeof api->key, "%s", options->key);
    snprintf(api->app_build, sizeof api->app_build, "%s",
             options->app_build == NULL ? "" : options->app_build);
    struct channel_options channel = {.url = options->url,
                                      .ca_file = options->ca_file,
                                      .tls_name = options->tls_name,
                                      .resend_ms = options->held ? RESEND_HELD_MS : RESEND_MS,
                                      .on_reply = on_reply,
                                      .context = api};
    enum err err = channel_open(&api->channel, loop, &channel, problem);
    if (err == ERR_OK) err = channel_online(api->channel, true, problem);
    if (err != ERR_OK) {
        api_close(api);
        return err;
    }
    *out = api;
    return ERR_OK;
}

void api_close(struct api *api)
{
    if (api == NULL) return;
    client_timer_cancel(api->loop, &api->backoff);
    channel_close(api->channel);
    while (api->first != NULL) {
        struct waiting *next = api->first->next;
        free(api->first);
        api->first = next;
    }
    memset(api->key, 0, sizeof api->key);
    free(api);
}

static struct waiting *pack(struct api *api, const char *method, const ProtobufCMessage *message,
                            const char *request_id)
{
    struct method found;
    CHECK(method_find(method, &found));
    CHECK(message->descriptor == found.method->input);
    char fresh[40];
    if (request_id == NULL)
        snprintf(fresh, sizeof fresh, "%016llx%016llx", (unsigned long long)rng_next(&api->chance),
                 (unsigned long long)identity_chance());
    union {
        const char *borrowed;
        char *text;
        uint8_t *bytes;
    } id = {request_id != NULL ? request_id : fresh}, name = {method}, key = {api->key};
    struct arena arena;
    arena_open(&arena, 4 * LIMIT_MESSAGE);
    Callout__Request request;
    callout__request__init(&request);
    request.proto_major = PROTO_MAJOR;
    request.app_build = api->app_build;
    request.session_token = (ProtobufCBinaryData){strlen(api->key), key.bytes};
    request.request_id = id.text;
    request.method = name.text;
    request.body = message_encode(message, &arena);
    size_t size = callout__request__get_packed_size(&request);
    CHECK(size <= LIMIT_MESSAGE);
    struct waiting *waiting = malloc(sizeof *waiting + size);
    CHECK(waiting != NULL);
    *waiting = (struct waiting){.reply_type = found.method->output, .size = size};
    callout__request__pack(&request, waiting->bytes);
    arena_close(&arena);
    return waiting;
}

static struct waiting *put_in_line(struct api *api, struct waiting *waiting, api_done *done,
                                   void *context)
{
    waiting->done = done;
    waiting->context = context;
    if (api->last == NULL)
        api->first = waiting;
    else
        api->last->next = waiting;
    api->last = waiting;
    api->count++;
    step(api);
    return waiting;
}

void api_ask(struct api *api, const char *method, const ProtobufCMessage *message,
             const char *request_id, api_done *done, void *context)
{
    put_in_line(api, pack(api, method, message, request_id), done, context);
}

/* --- asking and waiting ---------------------------------------------------------------------- */

struct call {
    struct client_loop *loop;
    struct arena *arena;
    struct problem *problem;
    const ProtobufCMessage *reply;
    enum err err;
    bool over;
};

static void on_answer(void *context, const struct api_answer *answer)
{
    struct call *call = context;
    call->over = true;
    call->err = answer->err;
    if (answer->err == ERR_OK) {
        /* The answer's memory ends with this callback: decode a copy that stays. */
        size_t size = protobuf_c_message_get_packed_size(answer->message);
        uint8_t *bytes = arena_need(call->arena, size + 1);
        protobuf_c_message_pack(answer->message, bytes);
        ProtobufCMessage *reply;
        call->err = message_decode(answer->message->descriptor, bytes, size, call->arena, &reply,
                                   call->problem);
        if (call->err == ERR_OK) call->reply = reply;
    } else if (answer->error_count > 0) {
        call->err = problem_set(call->problem, answer->err, answer->errors[0]->field, "%s",
                                answer->errors[0]->problem);
    } else {
        call->err = problem_set(call->problem, answer->err, "", "%s", answer->text);
    }
    client_loop_stop(call->loop);
}

enum err api_call(struct api *api, const char *method, const ProtobufCMessage *message,
                  const char *request_id, uint32_t timeout_ms, struct arena *arena,
                  const ProtobufCMessage **reply, struct problem *problem)
{
    struct call call = {.loop = api->loop, .arena = arena, .problem = problem};
    struct waiting *waiting =
        put_in_line(api, pack(api, method, message, request_id), on_answer, &call);
    client_loop_run(api->loop, client_loop_now_us(api->loop) + (int64_t)timeout_ms * 1000);
    if (!call.over) {
        waiting->done = NULL; /* its answer, should it still come, finds nobody */
        return problem_set(problem, ERR_IO, "gateway", "no answer within %u ms: %s", timeout_ms,
                           channel_connected(api->channel) ? "it is connected but silent"
                                                           : "it cannot be reached");
    }
    if (call.err == ERR_OK) *reply = call.reply;
    return call.err;
}

size_t api_waiting(const struct api *api)
{
    return api->count;
}

bool api_connected(const struct api *api)
{
    return channel_connected(api->channel);
}

int64_t api_domain_us(const struct api *api)
{
    return domain_at(&api->domain, client_loop_now_us(api->loop));
}

int64_t api_mono_at(const struct api *api, int64_t domain_us)
{
    CHECK(api->domain.domain_us != 0);
    return domain_mono_at(&api->domain, domain_us);
}

double api_rate(const struct api *api)
{
    return api->domain.rate;
}
