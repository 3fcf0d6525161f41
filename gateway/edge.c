/* edge.c - what happens to a request, in the order in which it can be refused most cheaply:
 *
 *      envelope -> method -> session (cached, or asked about) -> body -> limits -> room -> held
 *      or forwarded
 *
 * Whatever is wrong with a request, it gets a reply that names the field; only broken framing
 * closes a connection, and that is the listener's affair.
 */
#include "gateway/gateway.h"

#include "base/check.h"
#include "base/crashpoint.h"
#include "base/digest.h"
#include "gateway/http.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/people.pb-c.h"
#include "sp_peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROTO_MAJOR = 1, ADDRESS_SIZE = 48 };

static const struct session_holder nobody = {.kind = SESSION_NOBODY};

/* One request while it is looked at; all pointers live in the request arena or in the listener. */
struct inbound {
    struct gateway *gateway;
    struct asker asker;
    char peer[ADDRESS_SIZE];
    const uint8_t *bytes;
    size_t size;
    const Callout__Request *request;
    struct method method;
    const struct session_holder *holder;
    const ProtobufCMessage *body;
    uint32_t retry_after_ms;
    bool asked;     /* its session is being asked about; it comes again */
    bool was_asked; /* it came again: it has waited */
};

/* A request that waits for its session. */
struct waiting {
    struct asker asker;
    size_t size;
    uint8_t bytes[];
};

static void handle(const struct asker *asker, const uint8_t *bytes, size_t size,
                   const struct session_holder *resolved);

/* --- envelope and method
 * ---------------------------------------------------------------------------- */

static enum err check_version(uint32_t major, struct problem *problem)
{
    if (major == PROTO_MAJOR) return ERR_OK;
    if (major == 0)
        return problem_set(problem, ERR_INVALID, "proto_major", "must be given; %d is spoken here",
                           PROTO_MAJOR);
    return problem_set(problem, ERR_VERSION, "proto_major", "%u is not spoken here, %d is", major,
                       PROTO_MAJOR);
}

/* Inner methods are for our own processes; from outside they do not exist. */
static enum err check_method(struct inbound *in, struct problem *problem)
{
    const char *name = in->request->method;
    bool known = method_find(name, &in->method);
    if (!known || strcmp(in->method.service->short_name, "Inner") == 0)
        return problem_set(problem, ERR_NOT_FOUND, "method", "there is no method \"%.40s\"", name);
    in->asker.method = metrics_method(&in->gateway->metrics, in->method.method->name);
    return ERR_OK;
}

/* What cannot even be split into fields is named as a whole. */
static enum err name_whole(enum err err, struct problem *problem, const char *whole)
{
    if (err != ERR_OK && problem->field[0] == '\0')
        snprintf(problem->field, sizeof problem->field, "%s", whole);
    return err;
}

static enum err read_envelope(struct inbound *in, struct problem *problem)
{
    ProtobufCMessage *message;
    enum err err = message_decode(&callout__request__descriptor, in->bytes, in->size,
                                  &in->gateway->request_arena, &message, problem);
    if (err != ERR_OK) return name_whole(err, problem, "request");
    in->request = (const Callout__Request *)message;
    if (strlen(in->request->request_id) > LIMIT_ID)
        return problem_set(problem, ERR_INVALID, "request_id", "at most %d bytes", LIMIT_ID);
    snprintf(in->asker.request_id, sizeof in->asker.request_id, "%s", in->request->request_id);
    err = check_version(in->request->proto_major, problem);
    return err != ERR_OK ? err : check_method(in, problem);
}

static uint32_t deadline_of(const struct inbound *in)
{
    uint32_t ms = in->request->deadline_ms;
    if (ms == 0 || ms > LIMIT_REQUEST_DEADLINE_MS) ms = LIMIT_REQUEST_DEADLINE_MS;
    return ms - ms / 10 + 1; /* our "busy" should reach the client before its patience ends */
}

/* --- limits
 * ------------------------------------------------------------------------------------------- */

static bool is_local_peer(const char *peer)
{
    return strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0 || strcmp(peer, "unix") == 0;
}

/* Behind a proxy only HTTP tells who it is that asks (http.h). */
static bool has_address(const struct inbound *in)
{
    if (in->gateway->options.behind_proxy && in->asker.door != HTTP_DOOR) return false;
    return strcmp(in->peer, "unix") != 0 && strcmp(in->peer, HTTP_PEER_UNKNOWN) != 0;
}

/* Whoever has a whole IPv6 network has one bucket for it. */
static void net_text(const char *peer, char out[ADDRESS_SIZE])
{
    uint64_t net = sp_address_read(peer).key;
    if (net != 0)
        snprintf(out, ADDRESS_SIZE, "net %llx", (unsigned long long)net);
    else
        snprintf(out, ADDRESS_SIZE, "%s", peer);
}

static enum err take(struct inbound *in, enum throttle_kind kind, const char *subject,
                     uint32_t cost, struct problem *problem)
{
    const struct gateway_options *options = &in->gateway->options;
    bool by_address = kind == THROTTLE_ENROLL || kind == THROTTLE_RESOLVE || kind == THROTTLE_LOGIN;
    if (options->lab && is_local_peer(in->peer)) return ERR_OK;
    if (by_address && !has_address(in)) return ERR_OK;
    char net[ADDRESS_SIZE];
    net_text(in->peer, net);
    if (by_address) subject = net;
    if (throttle_take(&in->gateway->throttle, kind, subject, cost, gateway_now_us(in->gateway),
                      &in->retry_after_ms))
        return ERR_OK;
    return problem_set(problem, ERR_RATE, "", "too many requests: again in %u ms",
                       in->retry_after_ms);
}

/* Per device and address: who knows a device's id from elsewhere cannot use up its Hellos. */
static enum err take_hello(struct inbound *in, struct problem *problem)
{
    char subject[LIMIT_ID + ADDRESS_SIZE + 2], net[ADDRESS_SIZE];
    net_text(in->peer, net);
    snprintf(subject, sizeof subject, "%.64s %s",
             ((const Callout__HelloRequest *)in->body)->device_id, net);
    return take(in, THROTTLE_HELLO, subject, 1, problem);
}

static enum err check_limits(struct inbound *in, struct problem *problem)
{
    const ProtobufCMessageDescriptor *type = in->method.method->input;
    if (type == &callout__enroll_request__descriptor)
        return take(in, THROTTLE_ENROLL, in->peer, 1, problem);
    if (type == &callout__hello_request__descriptor) return take_hello(in, problem);
    if (type == &callout__login_request__descriptor)
        return take(in, THROTTLE_LOGIN, in->peer, 1, problem);
    if (in->holder->kind == SESSION_KEY || in->holder->kind == SESSION_PERSON)
        return take(in, THROTTLE_KEY, in->holder->id, 1, problem);
    if (type == &callout__pull_request__descriptor)
        return take(in, THROTTLE_PULL, in->holder->id, 1, problem);
    if (type == &callout__put_blob_request__descriptor ||
        type == &callout__get_blob_request__descriptor)
        return take(in, THROTTLE_BLOB, in->holder->id, 1, problem);
    if (type != &callout__push_request__descriptor) return ERR_OK;
    size_t commands = ((const Callout__PushRequest *)in->body)->n_commands;
    if (commands <= 1) return take(in, THROTTLE_PUSH, in->holder->id, 1, problem);
    return take(in, THROTTLE_QUEUE, in->holder->id, (uint32_t)commands, problem);
}

/* Is there room at the dispatcher? Keys and people are few: they wait. */
static enum err check_room(struct inbound *in, enum admission_kind kind, struct problem *problem)
{
    struct gateway *gateway = in->gateway;
    if (admission_ask(&gateway->admission, kind, upstream_in_flight(gateway->upstream),
                      gateway_now_us(gateway), &in->retry_after_ms))
        return ERR_OK;
    return problem_set(problem, ERR_BUSY, "", "too many ask at once: again in %u ms",
                       in->retry_after_ms);
}

/* Who has a nonce was let in before, and it does not keep for long. */
static enum err check_room_for_body(struct inbound *in, struct problem *problem)
{
    const ProtobufCMessageDescriptor *type = in->method.method->input;
    if (type == &callout__enroll_request__descriptor)
        return check_room(in, ADMISSION_ARRIVAL, problem);
    if (type == &callout__hello_request__descriptor) {
        bool arrives = ((const Callout__HelloRequest *)in->body)->nonce.len == 0;
        return check_room(in, arrives ? ADMISSION_ARRIVAL : ADMISSION_GUEST, problem);
    }
    if (in->holder->kind != SESSION_DEVICE || in->was_asked) return ERR_OK;
    return check_room(in, ADMISSION_GUEST, problem);
}

/* --- sessions
 * ------------------------------------------------------------------------------------------- */

static void copy_text(char *out, size_t room, const char *text)
{
    snprintf(out, room, "%s", text);
}

static struct session_holder holder_of(const Callout__Principal *principal)
{
    struct session_holder holder = nobody;
    if (principal == NULL) return holder;
    if (principal->kind == CALLOUT__PRINCIPAL_KIND__DEVICE) holder.kind = SESSION_DEVICE;
    if (principal->kind == CALLOUT__PRINCIPAL_KIND__KEY) holder.kind = SESSION_KEY;
    if (principal->kind == CALLOUT__PRINCIPAL_KIND__PERSON) holder.kind = SESSION_PERSON;
    holder.epoch = principal->epoch;
    copy_text(holder.id, sizeof holder.id, principal->id);
    copy_text(holder.technician_id, sizeof holder.technician_id, principal->technician_id);
    copy_text(holder.role, sizeof holder.role, principal->role);
    return holder;
}

static void on_resolved(void *context, const struct upstream_answer *answer)
{
    struct waiting *waiting = context;
    struct gateway *gateway = waiting->asker.gateway;
    ProtobufCMessage *message = NULL;
    struct arena arena;
    answer_heard(gateway, answer);
    arena_open(&arena, LIMIT_REQUEST_ARENA);
    if (answer->err == ERR_OK && answer->reply->status == CALLOUT__STATUS__OK &&
        message_decode(&callout__resolve_session_reply__descriptor, answer->reply->body.data,
                       answer->reply->body.len, &arena, &message, NULL) == ERR_OK) {
        const Callout__ResolveSessionReply *reply = (const Callout__ResolveSessionReply *)message;
        struct session_holder holder = holder_of(reply->principal);
        handle(&waiting->asker, waiting->bytes, waiting->size, &holder);
    } else {
        enum err err = gateway->stopping ? ERR_RETRY : ERR_BUSY;
        answer_error(gateway, &waiting->asker, err, NULL, 1000);
    }
    gateway->waiting_bytes -= waiting->size;
    arena_close(&arena);
    free(waiting);
}

static enum err ask_for_holder(struct inbound *in, struct problem *problem)
{
    struct gateway *gateway = in->gateway;
    enum err err = take(in, THROTTLE_RESOLVE, in->peer, 1, problem);
    if (err == ERR_OK) err = check_room(in, ADMISSION_GUEST, problem);
    if (err != ERR_OK) return err;
    if (in->size > GATEWAY_WAITING_BYTES_MAX - gateway->waiting_bytes)
        return problem_set(problem, ERR_BUSY, "", "too many new sessions at once");
    Callout__ResolveSessionRequest request;
    callout__resolve_session_request__init(&request);
    request.session_token = in->request->session_token;
    struct waiting *waiting = malloc(sizeof *waiting + in->size);
    CHECK(waiting != NULL);
    waiting->asker = in->asker;
    waiting->size = in->size;
    memcpy(waiting->bytes, in->bytes, in->size);
    arena_rewind(&gateway->pack_arena);
    ProtobufCBinaryData body = message_encode(&request.base, &gateway->pack_arena);
    err = upstream_ask(gateway->upstream, "ResolveSession", body, deadline_of(in), on_resolved,
                       waiting);
    if (err != ERR_OK) {
        free(waiting);
        return problem_set(problem, err, "", "too much is under way");
    }
    gateway->waiting_bytes += in->size;
    in->asked = true;
    return ERR_OK;
}

static bool allows_anonymous(const struct method *method)
{
    const ProtobufCMessageDescriptor *type = method->method->input;
    return type == &callout__enroll_request__descriptor ||
           type == &callout__hello_request__descriptor ||
           type == &callout__login_request__descriptor ||
           type == &callout__ping_request__descriptor;
}

/* Finds who asks. `resolved` is what the dispatcher said about this very request, or NULL. */
static enum err find_holder(struct inbound *in, const struct session_holder *resolved,
                            struct problem *problem)
{
    struct sessions *sessions = &in->gateway->sessions;
    ProtobufCBinaryData token = in->request->session_token;
    in->holder = &nobody;
    if (allows_anonymous(&in->method)) return ERR_OK;
    if (token.len == 0)
        return problem_set(problem, ERR_UNAUTH, "session_token", "must be given: say Hello first");
    if (token.len > SESSION_TOKEN_MAX)
        return problem_set(problem, ERR_UNAUTH, "session_token", "is not one of ours");
    if (resolved != NULL) {
        sessions_put(sessions, token.data, token.len, resolved, gateway_now_us(in->gateway));
        in->gateway->metrics.session_misses++;
        in->holder = resolved;
    } else {
        const struct session_holder *known =
            sessions_find(sessions, token.data, token.len, gateway_now_us(in->gateway));
        if (known == NULL) return ask_for_holder(in, problem);
        in->holder = known;
        in->gateway->metrics.session_hits++;
    }
    if (in->holder->kind != SESSION_NOBODY) return ERR_OK;
    return problem_set(problem, ERR_UNAUTH, "session_token", "is unknown or has ended");
}

/* --- where it goes
 * ---------------------------------------------------------------------------------------- */

static enum err read_body(struct inbound *in, struct problem *problem)
{
    ProtobufCMessage *message;
    ProtobufCBinaryData body = in->request->body;
    enum err err = message_decode(in->method.method->input, body.data, body.len,
                                  &in->gateway->request_arena, &message, problem);
    if (err == ERR_OK) in->body = message;
    return name_whole(err, problem, "body");
}

/* protobuf-c's structs have no const; packing only reads. */
static char *unconst(const char *text)
{
    union {
        const char *constant;
        char *text;
    } both = {text};
    return both.text;
}

static ProtobufCBinaryData pack_forward(const struct inbound *in)
{
    static const Callout__PrincipalKind kinds[] = {
        [SESSION_NOBODY] = CALLOUT__PRINCIPAL_KIND__ANONYMOUS,
        [SESSION_DEVICE] = CALLOUT__PRINCIPAL_KIND__DEVICE,
        [SESSION_KEY] = CALLOUT__PRINCIPAL_KIND__KEY,
        [SESSION_PERSON] = CALLOUT__PRINCIPAL_KIND__PERSON,
    };
    Callout__Principal principal;
    Callout__ForwardRequest forward;
    callout__principal__init(&principal);
    callout__forward_request__init(&forward);
    principal.kind = kinds[in->holder->kind];
    principal.id = unconst(in->holder->id);
    principal.epoch = in->holder->epoch;
    principal.technician_id = unconst(in->holder->technician_id);
    principal.role = unconst(in->holder->role);
    forward.principal = &principal;
    forward.method = in->request->method;
    forward.body = in->request->body;
    forward.request_id = in->request->request_id;
    forward.peer = unconst(in->peer);
    if (in->method.method->input == &callout__logout_request__descriptor)
        forward.session_token = in->request->session_token;
    arena_rewind(&in->gateway->pack_arena);
    return message_encode(&forward.base, &in->gateway->pack_arena);
}

static void on_forwarded(void *context, const struct upstream_answer *answer)
{
    struct asker *asker = context;
    struct gateway *gateway = asker->gateway;
    arena_rewind(&gateway->reply_arena);
    answer_heard(gateway, answer);
    metrics_latency(&gateway->metrics, answer->took_us);
    answer_send(gateway, asker, answer_of_forward(gateway, answer, &gateway->reply_arena));
    crash_here(CRASH_REPLY_PASSED_ON);
    free(asker);
}

static void forward(struct inbound *in)
{
    struct asker *asker = malloc(sizeof *asker);
    CHECK(asker != NULL);
    *asker = in->asker;
    enum err err = upstream_ask(in->gateway->upstream, "Forward", pack_forward(in), deadline_of(in),
                                on_forwarded, asker);
    crash_here(CRASH_REQUEST_FORWARDED);
    if (err == ERR_OK) return;
    free(asker);
    answer_error(in->gateway, &in->asker, err, NULL, 1000);
}

/* A device has one Pull at a time. A key may be used by many consoles: one feed per connection. */
static uint64_t subject_of(const struct inbound *in, bool feed)
{
    struct digest digest = digest_start();
    digest_u64(&digest, feed);
    digest_u64(&digest, in->holder->kind);
    digest_bytes(&digest, in->holder->id, strlen(in->holder->id));
    if (!feed) return digest.state;
    digest_u64(&digest, in->asker.door);
    digest_u64(&digest, in->asker.ticket.slot);
    digest_u64(&digest, in->asker.ticket.generation);
    return digest.state;
}

static void route(struct inbound *in)
{
    const ProtobufCMessageDescriptor *type = in->method.method->input;
    bool pull = type == &callout__pull_request__descriptor;
    bool feed = type == &callout__event_feed_request__descriptor;
    uint32_t hold_ms = 0;
    if (pull) hold_ms = ((const Callout__PullRequest *)in->body)->hold_ms;
    if (feed) hold_ms = ((const Callout__EventFeedRequest *)in->body)->hold_ms;
    if (hold_ms == 0) {
        forward(in);
        return;
    }
    uint64_t topic = feed ? HOLD_FEED_TOPIC : hold_topic_of(in->holder->technician_id);
    hold_start(in->gateway, &in->asker, in->holder, feed, subject_of(in, feed), topic, hold_ms,
               pack_forward(in));
}

static enum err check_hold_size(const struct inbound *in, struct problem *problem)
{
    const ProtobufCMessageDescriptor *type = in->method.method->input;
    bool may_be_held = type == &callout__pull_request__descriptor ||
                       type == &callout__event_feed_request__descriptor;
    if (!may_be_held || in->request->body.len <= LIMIT_COMMAND) return ERR_OK;
    return problem_set(problem, ERR_TOO_LARGE, "body", "at most %d bytes", LIMIT_COMMAND);
}

/* Of the asker only door and ticket are known yet. */
static void handle(const struct asker *asker, const uint8_t *bytes, size_t size,
                   const struct session_holder *resolved)
{
    struct gateway *gateway = asker->gateway;
    const struct gateway_ports *ports = &gateway->ports;
    struct problem problem = {{0}, {0}};
    struct inbound in = {
        .gateway = gateway, .bytes = bytes, .size = size, .was_asked = resolved != NULL};
    in.asker = (struct asker){.gateway = gateway, .door = asker->door, .ticket = asker->ticket};
    snprintf(in.peer, sizeof in.peer, "%s",
             ports->peer(ports->context, asker->door, asker->ticket));
    arena_rewind(&gateway->request_arena);
    enum err err = read_envelope(&in, &problem);
    if (err == ERR_OK) err = find_holder(&in, resolved, &problem);
    if (in.asked) return;
    if (err == ERR_OK) err = read_body(&in, &problem);
    if (err == ERR_OK) err = check_limits(&in, &problem);
    if (err == ERR_OK) err = check_room_for_body(&in, &problem);
    if (err == ERR_OK) err = check_hold_size(&in, &problem);
    if (err != ERR_OK)
        answer_error(gateway, &in.asker, err, &problem, in.retry_after_ms);
    else
        route(&in);
}

/* --- the ways in --- */

void edge_request(struct gateway *gateway, unsigned door, struct sp_ticket ticket,
                  const uint8_t *bytes, size_t size)
{
    const struct asker asker = {.gateway = gateway, .door = door, .ticket = ticket};
    handle(&asker, bytes, size, NULL);
}

void edge_oversize(struct gateway *gateway, unsigned door, struct sp_ticket ticket, uint64_t size)
{
    const struct asker asker = {.gateway = gateway, .door = door, .ticket = ticket};
    struct problem problem;
    problem_set(&problem, ERR_TOO_LARGE, "request",
                "a request has at most %d bytes, this one has %llu", LIMIT_MESSAGE,
                (unsigned long long)size);
    answer_error(gateway, &asker, ERR_TOO_LARGE, &problem, 0);
}
