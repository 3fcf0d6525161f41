/* hold.c - polls that wait, and the follower that wakes them.
 *
 * I1: gateway->held[slot] has memory exactly while the poll of that slot is alive; whoever frees
 * the slot (polls_answered with POLL_ANSWER, drop, expire, drain) releases it. I2: the follower's
 * cursor moves only with an answer whose technicians were woken, so a change after the cursor is
 * still to be told, however often the dispatcher restarts in between.
 */
#include "gateway/gateway.h"

#include "base/check.h"
#include "base/digest.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum {
    FOLLOW_HOLD_MS = 20000,
    FOLLOW_DEADLINE_MS = 25000,
    FOLLOW_EMPTY_US = 10000, /* an answer without news that came sooner was not held: no hurry */
    HEART_EVERY_US = 1000000,
    HEART_DEADLINE_MS = 2000,
    HEART_SILENCE_US = 3500000,
    RETRY_AFTER_MS = 500,
};

struct question {
    struct gateway *gateway;
    struct poll_id id;
};

static ProtobufCBinaryData copy_of(ProtobufCBinaryData data)
{
    ProtobufCBinaryData copy = {data.len, malloc(data.len + 1)};
    CHECK(copy.data != NULL);
    if (data.len > 0) memcpy(copy.data, data.data, data.len);
    return copy;
}

static void release(struct held *held)
{
    free(held->question.data);
    free(held->empty.data);
    *held = (struct held){.feed = false};
}

static void give_up(struct gateway *gateway, struct poll_id id, enum err err)
{
    struct held *held = &gateway->held[id.slot];
    if (!polls_drop(&gateway->polls, id)) return;
    struct asker asker = held->asker;
    release(held);
    answer_error(gateway, &asker, err, NULL, err == ERR_SUPERSEDED ? 0 : RETRY_AFTER_MS);
}

/* --- asking about one poll
 * ------------------------------------------------------------------------ */

static bool feed_has_news(ProtobufCBinaryData body, struct arena *arena)
{
    ProtobufCMessage *message;
    if (message_decode(&callout__event_feed_reply__descriptor, body.data, body.len, arena, &message,
                       NULL) != ERR_OK)
        return true; /* let the client see what we cannot read */
    return ((const Callout__EventFeedReply *)message)->n_events > 0;
}

static bool pull_has_news(ProtobufCBinaryData body, struct arena *arena)
{
    ProtobufCMessage *message;
    if (message_decode(&callout__pull_reply__descriptor, body.data, body.len, arena, &message,
                       NULL) != ERR_OK)
        return true;
    const Callout__PullReply *pull = (const Callout__PullReply *)message;
    return pull->n_appointments > 0 || pull->n_left_scope > 0 || pull->n_plans > 0 ||
           pull->n_messages > 0 || pull->more;
}

static bool has_news(const struct held *held, const Callout__Reply *reply, struct arena *arena)
{
    if (reply->status != CALLOUT__STATUS__OK) return true;
    return held->feed ? feed_has_news(reply->body, arena) : pull_has_news(reply->body, arena);
}

static void ask(struct gateway *gateway, struct poll_id id);

static void on_answer(void *context, const struct upstream_answer *answer)
{
    struct question question = *(struct question *)context;
    struct gateway *gateway = question.gateway;
    struct held *held = &gateway->held[question.id.slot];
    free(context);
    arena_rewind(&gateway->reply_arena);
    Callout__Reply *reply = answer_of_forward(gateway, answer, &gateway->reply_arena);
    bool news = has_news(held, reply, &gateway->reply_arena);
    answer_heard(gateway, answer);
    metrics_latency(&gateway->metrics, answer->took_us);
    switch (polls_answered(&gateway->polls, question.id, news, gateway_now_us(gateway))) {
    case POLL_GONE: return;
    case POLL_ASK: ask(gateway, question.id); return;
    case POLL_STAY:
        free(held->empty.data);
        held->empty = copy_of(reply->body);
        return;
    case POLL_ANSWER:
        answer_send(gateway, &held->asker, reply);
        release(held);
        return;
    }
}

static void ask(struct gateway *gateway, struct poll_id id)
{
    struct held *held = &gateway->held[id.slot];
    const struct gateway_ports *ports = &gateway->ports;
    if (!ports->alive(ports->context, held->asker.door, held->asker.ticket)) {
        if (polls_drop(&gateway->polls, id)) release(held);
        return;
    }
    struct question *question = malloc(sizeof *question);
    CHECK(question != NULL);
    *question = (struct question){gateway, id};
    enum err err = upstream_ask(gateway->upstream, "Forward", held->question,
                                LIMIT_REQUEST_DEADLINE_MS, on_answer, question);
    if (err == ERR_OK) return;
    free(question);
    give_up(gateway, id, err);
}

/* --- the life of a poll
 * --------------------------------------------------------------------------- */

static bool same_request(const struct asker *a, const struct asker *b)
{
    return a->door == b->door && a->ticket.slot == b->ticket.slot &&
           a->ticket.generation == b->ticket.generation && a->ticket.request == b->ticket.request;
}

/* nng sends an unanswered request again by itself: then there is one request to answer, not two. */
static void supersede(struct gateway *gateway, struct poll_id older, const struct asker *newer)
{
    struct held *held = &gateway->held[older.slot];
    gateway->metrics.polls_superseded++;
    if (same_request(&held->asker, newer)) {
        if (polls_drop(&gateway->polls, older)) release(held);
    } else {
        give_up(gateway, older, ERR_SUPERSEDED);
    }
}

static uint64_t holder_of(enum session_kind kind, const char *id)
{
    struct digest digest = digest_start();
    digest_u64(&digest, kind);
    digest_bytes(&digest, id, strlen(id));
    return digest.state;
}

void hold_start(struct gateway *gateway, const struct asker *asker,
                const struct session_holder *holder, bool feed, uint64_t subject, uint64_t topic,
                uint32_t hold_ms, ProtobufCBinaryData question)
{
    struct poll_id id, older;
    if (hold_ms > LIMIT_HOLD_MS) hold_ms = LIMIT_HOLD_MS;
    int64_t deadline_us = gateway_now_us(gateway) + (int64_t)hold_ms * 1000;
    if (!polls_add(&gateway->polls, subject, topic, deadline_us, &id, &older)) {
        answer_error(gateway, asker, ERR_BUSY, NULL, RETRY_AFTER_MS);
        return;
    }
    gateway->held[id.slot] = (struct held){.asker = *asker,
                                           .feed = feed,
                                           .holder = holder_of(holder->kind, holder->id),
                                           .question = copy_of(question)};
    if (older.generation != 0) supersede(gateway, older, asker);
    ask(gateway, id);
}

uint64_t hold_topic_of(const char *technician_id)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, technician_id, strlen(technician_id));
    return digest.state | 1;
}

static void wake(struct gateway *gateway, uint64_t topic)
{
    struct poll_id id;
    for (uint32_t from = 0; polls_wake_next(&gateway->polls, topic, &from, &id);) {
        gateway->metrics.polls_woken++;
        ask(gateway, id);
    }
}

/* There was nothing new; its slot is free already. */
static void answer_empty(struct gateway *gateway, struct held *held)
{
    Callout__Reply reply;
    callout__reply__init(&reply);
    reply.body = held->empty;
    answer_send(gateway, &held->asker, &reply);
    release(held);
}

static void end_holds(struct gateway *gateway)
{
    struct poll_id id;
    for (uint32_t from = 0;
         polls_expire_next(&gateway->polls, gateway_now_us(gateway), &from, &id);) {
        answer_empty(gateway, &gateway->held[id.slot]);
    }
}

/* Whoever asks and vanishes, over and over, must not fill the room of those who wait. */
static void reap_gone(struct gateway *gateway)
{
    const struct gateway_ports *ports = &gateway->ports;
    struct poll_id id;
    for (uint32_t from = 0; polls_parked_next(&gateway->polls, &from, &id);) {
        struct held *held = &gateway->held[id.slot];
        if (ports->alive(ports->context, held->asker.door, held->asker.ticket)) continue;
        if (polls_drop(&gateway->polls, id)) release(held);
    }
}

void hold_stop(struct gateway *gateway)
{
    struct poll_id id;
    for (uint32_t from = 0; polls_drain_next(&gateway->polls, &from, &id);) {
        struct held *held = &gateway->held[id.slot];
        answer_error(gateway, &held->asker, ERR_RETRY, NULL, RETRY_AFTER_MS);
        release(held);
    }
}

/* --- following the dispatcher
 * ------------------------------------------------------------------------ */

static enum err ask_follow(struct gateway *gateway, uint32_t hold_ms, uint32_t deadline_ms,
                           upstream_done *done)
{
    Callout__FollowRequest request;
    callout__follow_request__init(&request);
    request.after_seq = gateway->follow_seq;
    request.log_epoch = gateway->follow_epoch;
    request.hold_ms = hold_ms;
    request.rights_version = gateway->rights_version;
    arena_rewind(&gateway->pack_arena);
    ProtobufCBinaryData body = message_encode(&request.base, &gateway->pack_arena);
    return upstream_ask(gateway->upstream, "Follow", body, deadline_ms, done, gateway);
}

static const Callout__FollowReply *follow_reply(const struct upstream_answer *answer,
                                                struct arena *arena)
{
    ProtobufCMessage *message;
    arena_rewind(arena);
    if (answer->err != ERR_OK || answer->reply->status != CALLOUT__STATUS__OK) return NULL;
    if (message_decode(&callout__follow_reply__descriptor, answer->reply->body.data,
                       answer->reply->body.len, arena, &message, NULL) != ERR_OK)
        return NULL;
    return (const Callout__FollowReply *)message;
}

/* Wakes whom the answer names. They ask at once, which leaves the reply's arena alone. */
static void wake_named(struct gateway *gateway, const Callout__FollowReply *follow, bool all)
{
    if (all) {
        wake(gateway, POLL_ALL_TOPICS);
        return;
    }
    for (size_t i = 0; i < follow->n_technician_ids; i++)
        wake(gateway, hold_topic_of(follow->technician_ids[i]));
    wake(gateway, HOLD_FEED_TOPIC);
}

/* A poll whose holder is not known any more says that it found nothing: whoever asks again says who
 * he is. `holder` 0: every feed; a device's poll ends soon enough, and then its row is looked at.
 */
static void end_polls_of(struct gateway *gateway, uint64_t holder)
{
    struct poll_id id;
    for (uint32_t from = 0; polls_parked_next(&gateway->polls, &from, &id);) {
        struct held *held = &gateway->held[id.slot];
        if (holder == 0 ? !held->feed : held->holder != holder) continue;
        polls_drop(&gateway->polls, id);
        answer_empty(gateway, held);
    }
}

static enum session_kind kind_of(const Callout__Principal *who)
{
    if (who->kind == CALLOUT__PRINCIPAL_KIND__PERSON) return SESSION_PERSON;
    return who->kind == CALLOUT__PRINCIPAL_KIND__DEVICE ? SESSION_DEVICE : SESSION_KEY;
}

/* Whose access changed is asked about again when he comes. */
static void take_rights(struct gateway *gateway, const Callout__FollowReply *reply)
{
    bool first = gateway->rights_version == 0; /* nobody is known from before */
    if (reply->rights_version == gateway->rights_version) return;
    gateway->rights_version = reply->rights_version;
    if (reply->rights_all && !first) {
        sessions_forget_holder(&gateway->sessions, SESSION_NOBODY, NULL);
        end_polls_of(gateway, 0);
    }
    for (size_t i = 0; i < reply->n_changed; i++) {
        enum session_kind kind = kind_of(reply->changed[i]);
        sessions_forget_holder(&gateway->sessions, kind, reply->changed[i]->id);
        end_polls_of(gateway, holder_of(kind, reply->changed[i]->id));
    }
}

static void follow(struct gateway *gateway);

static void on_followed(void *context, const struct upstream_answer *answer)
{
    struct gateway *gateway = context;
    gateway->following = false;
    const Callout__FollowReply *reply = follow_reply(answer, &gateway->reply_arena);
    if (reply == NULL) return; /* the next tick asks again, with the same cursor */
    uint64_t epoch = answer->reply->log_epoch, before = gateway->follow_seq;
    bool all = reply->all || epoch != gateway->follow_epoch;
    gateway->follow_epoch = epoch;
    gateway->follow_seq = reply->tip_seq;
    bool news = all || reply->tip_seq != before || reply->rights_version != gateway->rights_version;
    take_rights(gateway, reply);
    if (news) wake_named(gateway, reply, all);
    if (news || answer->took_us > FOLLOW_EMPTY_US) follow(gateway);
}

static void follow(struct gateway *gateway)
{
    if (gateway->following || gateway->stopping) return;
    gateway->following =
        ask_follow(gateway, FOLLOW_HOLD_MS, FOLLOW_DEADLINE_MS, on_followed) == ERR_OK;
}

/* The pulse: a Follow that is not held. It moves no cursor of changes; it shows that the dispatcher
 * lives, and brings its clock and whose access ended. */
static void on_heart(void *context, const struct upstream_answer *answer)
{
    struct gateway *gateway = context;
    gateway->heart_asked = false;
    if (answer->err == ERR_OK) gateway->heart_heard_us = gateway_now_us(gateway);
    const Callout__FollowReply *reply = follow_reply(answer, &gateway->reply_arena);
    if (reply != NULL) take_rights(gateway, reply);
}

static void feel_pulse(struct gateway *gateway)
{
    int64_t now_us = gateway_now_us(gateway);
    if (gateway->heart_asked || gateway->stopping) return;
    if (gateway->heart_asked_us != 0 && now_us - gateway->heart_asked_us < HEART_EVERY_US) return;
    gateway->heart_asked_us = now_us;
    gateway->heart_asked = ask_follow(gateway, 0, HEART_DEADLINE_MS, on_heart) == ERR_OK;
}

bool hold_healthy(const struct gateway *gateway)
{
    return gateway->heart_heard_us != 0 &&
           gateway_now_us(gateway) - gateway->heart_heard_us < HEART_SILENCE_US;
}

void hold_tick(struct gateway *gateway)
{
    end_holds(gateway);
    reap_gone(gateway);
    follow(gateway);
    feel_pulse(gateway);
}
