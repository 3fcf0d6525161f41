/* fake_dispatcher.h - a dispatcher in miniature: its log is a list of technicians.
 *
 * Idea: tests steer it through the gateway itself, by UpsertWorkOrder with an id that is a command:
 *   "T1"       commits a change for technician T1
 *   "big"      the same, whose event has FAKE_BIG letters
 *   "race:T1"  the next Pull of T1 is read, then a change is committed and told, then the Pull
 * answered
 *   "hang"     nothing is answered from here on
 *   "end:X"    the session X ends; the gateway is told to forget it
 * Hello of the device "ended" is answered GONE, with a body.
 * Its figures are those of two territories, of which one has no name that is easy to write.
 * Sessions: "device-T1" is the device of T1, "key-X" an API key, all else nobody. Login takes the
 * password "right", and gives the session of 32 letters "s", which a Logout with that token ends.
 * It runs in a thread of its own; its log outlives a stop, as a store would.
 */
#ifndef CALLOUT_TESTS_FAKE_DISPATCHER_H
#define CALLOUT_TESTS_FAKE_DISPATCHER_H

#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/inner.pb-c.h"
#include "pb/people.pb-c.h"
#include "sp_listener.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAKE_SESSION "ssssssssssssssssssssssssssssssss"

enum { FAKE_BIG = 500000 };
enum { FAKE_LOG_MAX = 256, FAKE_FOLLOWS_MAX = 16, FAKE_ID = 32, FAKE_EPOCH = 7 };

struct fake_follow {
    struct sp_ticket ticket;
    uint64_t after_seq;
};

struct fake {
    char url[80];
    char log[FAKE_LOG_MAX][FAKE_ID]; /* log[seq - 1]: whose change it was */
    uint64_t tip;
    char race[FAKE_ID], ended[2 * FAKE_ID];
    bool hang, logged_in, logged_out_all;
    char peer[64]; /* of the last request */
    struct fake_follow follows[FAKE_FOLLOWS_MAX];
    unsigned follow_count;
    struct event_base *base;
    struct sp_listener *listener;
    struct event *stop;
    int stop_pipe[2];
    pthread_t thread;
    struct arena arena;
};

/* --- answering --- */

static inline void fake_reply(struct fake *fake, struct sp_ticket ticket,
                              const ProtobufCMessage *body)
{
    Callout__Reply reply;
    callout__reply__init(&reply);
    reply.log_epoch = FAKE_EPOCH;
    reply.log_seq = fake->tip;
    reply.server_time_us = INT64_C(1790000000000000);
    reply.clock_rate = 1;
    reply.body = message_encode(body, &fake->arena);
    ProtobufCBinaryData bytes = message_encode(&reply.base, &fake->arena);
    sp_reply(fake->listener, ticket, bytes.data, bytes.len);
}

static inline void fake_forward_reply(struct fake *fake, struct sp_ticket ticket,
                                      const ProtobufCMessage *body)
{
    Callout__ForwardReply forward;
    Callout__Reply reply;
    callout__forward_reply__init(&forward);
    callout__reply__init(&reply);
    reply.body = message_encode(body, &fake->arena);
    forward.reply = &reply;
    ProtobufCBinaryData ended = {strlen(fake->ended), (uint8_t *)fake->ended};
    if (ended.len > 0) {
        forward.ended_sessions = &ended;
        forward.n_ended_sessions = 1;
    }
    fake_reply(fake, ticket, &forward.base);
}

static inline void fake_tell(struct fake *fake, struct sp_ticket ticket, uint64_t after_seq)
{
    Callout__FollowReply reply;
    char *names[FAKE_LOG_MAX];
    callout__follow_reply__init(&reply);
    for (uint64_t seq = after_seq; seq < fake->tip; seq++)
        names[reply.n_technician_ids++] = fake->log[seq];
    reply.technician_ids = names;
    reply.tip_seq = fake->tip;
    fake_reply(fake, ticket, &reply.base);
}

static inline void fake_commit(struct fake *fake, const char *technician_id)
{
    snprintf(fake->log[fake->tip++ % FAKE_LOG_MAX], FAKE_ID, "%s", technician_id);
    for (unsigned i = 0; i < fake->follow_count; i++)
        fake_tell(fake, fake->follows[i].ticket, fake->follows[i].after_seq);
    fake->follow_count = 0;
}

/* --- methods --- */

static inline void fake_follow(struct fake *fake, struct sp_ticket ticket,
                               const Callout__FollowRequest *request)
{
    bool hold = request->hold_ms > 0 && request->after_seq == fake->tip &&
                request->log_epoch == FAKE_EPOCH && fake->follow_count < FAKE_FOLLOWS_MAX;
    if (hold)
        fake->follows[fake->follow_count++] = (struct fake_follow){ticket, request->after_seq};
    else
        fake_tell(fake, ticket, request->after_seq);
}

static inline void fake_resolve(struct fake *fake, struct sp_ticket ticket,
                                const Callout__ResolveSessionRequest *request)
{
    Callout__ResolveSessionReply reply;
    Callout__Principal principal;
    char token[2 * FAKE_ID];
    callout__resolve_session_reply__init(&reply);
    callout__principal__init(&principal);
    snprintf(token, sizeof token, "%.*s", (int)request->session_token.len,
             (const char *)request->session_token.data);
    bool device = strncmp(token, "device-", 7) == 0, key = strncmp(token, "key-", 4) == 0;
    bool ended = strcmp(token, fake->ended) == 0;
    bool person = strcmp(token, FAKE_SESSION) == 0 && fake->logged_in;
    principal.kind = CALLOUT__PRINCIPAL_KIND__ANONYMOUS;
    if (device && !ended) principal.kind = CALLOUT__PRINCIPAL_KIND__DEVICE;
    if (key && !ended) principal.kind = CALLOUT__PRINCIPAL_KIND__KEY;
    if (person) principal.kind = CALLOUT__PRINCIPAL_KIND__PERSON;
    principal.id = token;
    if (device) principal.technician_id = token + 7;
    reply.principal = &principal;
    fake_reply(fake, ticket, &reply.base);
}

/* The cursor is a decimal seq; news is any later change of this technician. */
static inline void fake_pull(struct fake *fake, struct sp_ticket ticket, const char *technician_id,
                             const Callout__PullRequest *request)
{
    Callout__PullReply reply;
    char text[24] = "", cursor[24], *left[] = {text};
    callout__pull_reply__init(&reply);
    memcpy(text, request->cursor.data, request->cursor.len);
    for (uint64_t seq = strtoull(text, NULL, 10); seq < fake->tip; seq++)
        if (strcmp(fake->log[seq], technician_id) == 0) reply.n_left_scope = 1;
    reply.left_scope = left;
    reply.cursor.len =
        (size_t)snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)fake->tip);
    reply.cursor.data = (uint8_t *)cursor;
    if (strcmp(fake->race, technician_id) == 0) {
        fake->race[0] = '\0';
        fake_commit(fake, technician_id);
    }
    fake_forward_reply(fake, ticket, &reply.base);
}

static inline void fake_feed(struct fake *fake, struct sp_ticket ticket,
                             const Callout__EventFeedRequest *request)
{
    Callout__EventFeedReply reply;
    Callout__FeedEvent event, *events[] = {&event};
    callout__event_feed_reply__init(&reply);
    callout__feed_event__init(&event);
    event.seq = reply.next_after_seq = fake->tip;
    if (fake->tip > 0 && strcmp(fake->log[(fake->tip - 1) % FAKE_LOG_MAX], "big") == 0) {
        event.text = arena_need(&fake->arena, FAKE_BIG + 1);
        memset(event.text, 'b', FAKE_BIG);
    }
    reply.events = events;
    reply.n_events = request->after_seq < fake->tip;
    fake_forward_reply(fake, ticket, &reply.base);
}

static inline void fake_upsert(struct fake *fake, struct sp_ticket ticket,
                               const Callout__UpsertWorkOrderRequest *request)
{
    Callout__MutationReply reply;
    const char *id = request->work_order->work_order_id;
    callout__mutation_reply__init(&reply);
    if (strcmp(id, "hang") == 0)
        fake->hang = true;
    else if (strncmp(id, "race:", 5) == 0)
        snprintf(fake->race, FAKE_ID, "%s", id + 5);
    else if (strncmp(id, "end:", 4) == 0)
        snprintf(fake->ended, sizeof fake->ended, "%s", id + 4);
    else
        fake_commit(fake, id);
    reply.log_seq = fake->tip;
    if (!fake->hang) fake_forward_reply(fake, ticket, &reply.base);
}

static inline void fake_login(struct fake *fake, struct sp_ticket ticket,
                              const Callout__LoginRequest *request)
{
    Callout__LoginReply reply;
    Callout__WhoAmIReply who;
    char name[] = "dora";
    callout__login_reply__init(&reply);
    callout__who_am_ireply__init(&who);
    fake->logged_in = strcmp(request->password, "right") == 0;
    who.name = name;
    reply.who = &who;
    reply.expires_us = 7;
    reply.session_token.data = (uint8_t *)(uintptr_t)FAKE_SESSION;
    reply.session_token.len = fake->logged_in ? strlen(FAKE_SESSION) : 0;
    fake_forward_reply(fake, ticket, &reply.base);
}

static inline void fake_logout(struct fake *fake, struct sp_ticket ticket,
                               const Callout__ForwardRequest *forward,
                               const Callout__LogoutRequest *request)
{
    Callout__LogoutReply reply;
    callout__logout_reply__init(&reply);
    if (forward->session_token.len != strlen(FAKE_SESSION)) abort();
    fake->logged_in = false;
    fake->logged_out_all = !request->only_this;
    snprintf(fake->ended, sizeof fake->ended, "%s", FAKE_SESSION);
    fake_forward_reply(fake, ticket, &reply.base);
    fake->ended[0] = '\0';
}

static inline void fake_hello(struct fake *fake, struct sp_ticket ticket,
                              const Callout__HelloRequest *request)
{
    Callout__HelloReply hello;
    Callout__ForwardReply forward;
    Callout__Reply reply;
    callout__hello_reply__init(&hello);
    callout__forward_reply__init(&forward);
    callout__reply__init(&reply);
    if (strcmp(request->device_id, "ended") == 0) reply.status = CALLOUT__STATUS__GONE;
    hello.wipe = reply.status == CALLOUT__STATUS__GONE;
    hello.last_seq = 7;
    reply.body = message_encode(&hello.base, &fake->arena);
    forward.reply = &reply;
    fake_reply(fake, ticket, &forward.base);
}

static inline void fake_kpis(struct fake *fake, struct sp_ticket ticket)
{
    Callout__KpisReply reply;
    Callout__DayKpis days[2], *both[] = {&days[0], &days[1]};
    Callout__Kpis kpis[2];
    Callout__KpiLengths solve;
    char odd[] = "no\"r\\th", plain[] = "south";
    callout__kpis_reply__init(&reply);
    callout__kpi_lengths__init(&solve);
    for (unsigned i = 0; i < 2; i++) {
        callout__day_kpis__init(&days[i]);
        callout__kpis__init(&kpis[i]);
        days[i].kpis = &kpis[i];
        days[i].service_day = 20780;
    }
    solve.count = 3;
    solve.p95_us = 12500;
    days[0].territory_id = odd;
    kpis[0].on_time_permille = 875;
    kpis[0].start_changes = 4;
    kpis[0].travel_us = INT64_C(90500000);
    kpis[0].solve = &solve;
    days[1].territory_id = plain;
    kpis[1].on_time_permille = -1;
    reply.days = both;
    reply.n_days = 2;
    fake_reply(fake, ticket, &reply.base);
}

static inline void fake_forward(struct fake *fake, struct sp_ticket ticket,
                                const Callout__ForwardRequest *request)
{
    struct method method;
    ProtobufCMessage *body;
    Callout__PingReply pong;
    callout__ping_reply__init(&pong);
    if (!method_find(request->method, &method) ||
        message_decode(method.method->input, request->body.data, request->body.len, &fake->arena,
                       &body, NULL) != ERR_OK)
        abort(); /* the gateway let something through */
    snprintf(fake->peer, sizeof fake->peer, "%s", request->peer);
    if (method.method->input == &callout__login_request__descriptor)
        fake_login(fake, ticket, (Callout__LoginRequest *)body);
    else if (method.method->input == &callout__hello_request__descriptor)
        fake_hello(fake, ticket, (Callout__HelloRequest *)body);
    else if (method.method->input == &callout__logout_request__descriptor)
        fake_logout(fake, ticket, request, (Callout__LogoutRequest *)body);
    else if (method.method->input == &callout__pull_request__descriptor)
        fake_pull(fake, ticket, request->principal->technician_id, (Callout__PullRequest *)body);
    else if (method.method->input == &callout__event_feed_request__descriptor)
        fake_feed(fake, ticket, (Callout__EventFeedRequest *)body);
    else if (method.method->input == &callout__upsert_work_order_request__descriptor)
        fake_upsert(fake, ticket, (Callout__UpsertWorkOrderRequest *)body);
    else
        fake_forward_reply(fake, ticket, &pong.base);
}

static inline void fake_on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes,
                                   size_t size)
{
    struct fake *fake = context;
    struct method method;
    ProtobufCMessage *envelope, *body;
    arena_rewind(&fake->arena);
    if (fake->hang) return;
    if (message_decode(&callout__request__descriptor, bytes, size, &fake->arena, &envelope, NULL) !=
        ERR_OK)
        abort();
    const Callout__Request *request = (const Callout__Request *)envelope;
    if (!method_find(request->method, &method) ||
        message_decode(method.method->input, request->body.data, request->body.len, &fake->arena,
                       &body, NULL) != ERR_OK)
        abort();
    if (method.method->input == &callout__follow_request__descriptor)
        fake_follow(fake, ticket, (Callout__FollowRequest *)body);
    else if (method.method->input == &callout__resolve_session_request__descriptor)
        fake_resolve(fake, ticket, (Callout__ResolveSessionRequest *)body);
    else if (method.method->input == &callout__kpis_request__descriptor)
        fake_kpis(fake, ticket);
    else
        fake_forward(fake, ticket, (Callout__ForwardRequest *)body);
}

/* --- life --- */

static inline void fake_on_stop(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(context);
}

static inline void *fake_run(void *context)
{
    struct fake *fake = context;
    event_base_dispatch(fake->base);
    return NULL;
}

/* Zero *fake and set its url before the first start. */
static inline bool fake_start(struct fake *fake)
{
    struct sp_listener_options options = {
        .url = fake->url, .trusted = true, .on_request = fake_on_request, .context = fake};
    fake->base = event_base_new();
    fake->hang = false;
    fake->follow_count = 0;
    arena_open(&fake->arena, 8 << 20);
    if (sp_listener_open(&fake->listener, fake->base, &options, NULL) != ERR_OK) return false;
    if (pipe(fake->stop_pipe) != 0) return false;
    fake->stop = event_new(fake->base, fake->stop_pipe[0], EV_READ, fake_on_stop, fake->base);
    event_add(fake->stop, NULL);
    return pthread_create(&fake->thread, NULL, fake_run, fake) == 0;
}

static inline void fake_stop(struct fake *fake)
{
    if (write(fake->stop_pipe[1], "x", 1) != 1) abort();
    pthread_join(fake->thread, NULL);
    fake->follow_count = 0;
    sp_listener_close(fake->listener);
    event_free(fake->stop);
    event_base_free(fake->base);
    close(fake->stop_pipe[0]);
    close(fake->stop_pipe[1]);
    arena_close(&fake->arena);
}

#endif
