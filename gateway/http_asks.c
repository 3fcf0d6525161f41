/* http_asks.c - requests of operations: from what came over HTTP to the edge, and back.
 *
 * I1: asks[slot].request is not NULL exactly while evhttp has not let go of that request and it has
 * no answer yet; evhttp's close callback clears it when the client leaves first.
 */
#include "gateway/http_impl.h"

#include "base/check.h"
#include "gateway/gzip.h"
#include "gateway/shell.h"
#include "message_json.h"
#include "pb/field.pb-c.h"
#include "pb/people.pb-c.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PROTO_MAJOR = 1, PACKED_MIN = 2048 };

#define STREAM "/api/stream"

/* What a request turned out to ask. */
struct wish {
    struct evhttp_request *request;
    bool packed;
    enum http_act act;
    struct method method;
    uint8_t token[HTTP_TOKEN_MAX];
    size_t token_size;
};

/* --- answers --- */

static json_t *made(json_t *json)
{
    CHECK(json != NULL);
    return json;
}

json_t *http_reply_json(const Callout__Reply *reply, const ProtobufCMessage *body)
{
    json_t *json = message_json(&reply->base);
    json_object_del(json, "body");
    if (json_object_get(json, "status") == NULL)
        CHECK(json_object_set_new(json, "status", made(json_string("OK"))) == 0);
    if (body != NULL) CHECK(json_object_set_new(json, "body", message_json(body)) == 0);
    return json;
}

/* Short answers go as they are: what belongs to a session is short, and so its secrets never share
 * a compressed text with words that somebody else chose (BREACH). */
static bool send_packed(struct http *http, struct evhttp_request *request,
                        struct http_status status, const char *text, size_t size)
{
    if (size < PACKED_MIN || !http_takes_gzip(http_header(request, "Accept-Encoding")))
        return false;
    size_t packed_size;
    uint8_t *packed = gzip_pack(text, size, &packed_size);
    if (packed == NULL) return false;
    http_put_header(request, "Content-Encoding", "gzip");
    http_send_bytes(http, request, status, packed, packed_size);
    free(packed);
    return true;
}

void http_send_json(struct http *http, struct evhttp_request *request, struct http_status status,
                    json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    CHECK(text != NULL);
    size_t size = strlen(text);
    http_put_header(request, "Vary", "Accept-Encoding");
    if (!send_packed(http, request, status, text, size))
        http_send_bytes(http, request, status, text, size);
    free(text);
    json_decref(json);
}

static void set_cookie(struct http *http, struct evhttp_request *request, const uint8_t *token)
{
    char cookie[HTTP_COOKIE_SIZE];
    const struct http_origin origin = http_origin_of(http, request);
    http_cookie_write(&origin, token, cookie);
    http_put_header(request, "Set-Cookie", cookie);
}

/* The token goes into the cookie, and into no page. */
static void take_token(struct http *http, struct ask *ask, Callout__LoginReply *login)
{
    if (login->session_token.len != HTTP_SESSION_BYTES) return;
    set_cookie(http, ask->request, login->session_token.data);
    http_csrf_write(login->session_token.data, ask->csrf);
    sodium_memzero(login->session_token.data, login->session_token.len);
    login->session_token.len = 0;
}

/* What a browser's session needs besides the answer. */
static void finish_act(struct http *http, struct ask *ask, enum err err, ProtobufCMessage *body,
                       json_t **json, const Callout__Reply *reply)
{
    if (ask->act == HTTP_LOGIN && body != NULL) take_token(http, ask, (Callout__LoginReply *)body);
    if (ask->act == HTTP_LOGOUT && (err == ERR_OK || err == ERR_UNAUTH))
        set_cookie(http, ask->request, NULL);
    *json = http_reply_json(reply, body);
    if (err == ERR_OK && (ask->act == HTTP_LOGIN || ask->act == HTTP_WHO))
        CHECK(json_object_set_new(*json, "csrf", made(json_string(ask->csrf))) == 0);
}

static struct ask *find_ask(const struct http *http, struct sp_ticket ticket)
{
    if (ticket.slot >= VISITORS_MAX) return NULL;
    const struct ask *ask = &http->asks[ticket.slot];
    bool alive = ask->request != NULL && ask->generation == ticket.generation;
    return alive ? (struct ask *)(uintptr_t)ask : NULL;
}

static void answer(struct http *http, struct ask *ask, const Callout__Reply *reply)
{
    enum err err = (enum err)reply->status;
    ProtobufCMessage *body = NULL;
    json_t *json;
    /* An edit that came too late brings both versions with its CONFLICT, a Push what is missing
     * with its GAP, a device that was ended what it may still do with its GONE. */
    bool told = err == ERR_OK || reply->body.len > 0;
    if (told && message_decode(ask->method.method->output, reply->body.data, reply->body.len,
                               &http->reply_arena, &body, NULL) != ERR_OK)
        body = NULL;
    http_put_headers(ask->request, "application/json", reply->retry_after_ms);
    finish_act(http, ask, err, body, &json, reply);
    http_send_json(http, ask->request, http_status_of(err), json);
}

void http_reply(struct http *http, struct sp_ticket to, const void *bytes, size_t size)
{
    struct ask *ask = find_ask(http, to);
    ProtobufCMessage *message;
    if (ask == NULL) return;
    arena_rewind(&http->reply_arena);
    CHECK(message_decode(&callout__reply__descriptor, bytes, size, &http->reply_arena, &message,
                         NULL) == ERR_OK); /* our own */
    const Callout__Reply *reply = (const Callout__Reply *)message;
    if (ask->stream != NULL) {
        http_streams_reply(http, ask->stream, reply);
        return;
    }
    if (ask->packed) {
        http_put_headers(ask->request, "application/x-protobuf", reply->retry_after_ms);
        http_send_bytes(http, ask->request, http_status_of((enum err)reply->status), bytes, size);
    } else {
        answer(http, ask, reply);
    }
    http_ask_free(ask);
}

void http_refuse(struct http *http, struct evhttp_request *request, bool packed,
                 struct http_status status, enum err err, const struct problem *problem)
{
    Callout__Reply reply;
    Callout__FieldError error, *errors[] = {&error};
    callout__reply__init(&reply);
    callout__field_error__init(&error);
    reply.status = (Callout__Status)err;
    reply.text = (char *)(uintptr_t)problem->text;
    error.field = (char *)(uintptr_t)problem->field;
    error.problem = reply.text;
    reply.errors = errors;
    reply.n_errors = problem->field[0] != '\0';
    http->counters.refused++;
    http_put_headers(request, packed ? "application/x-protobuf" : "application/json", 0);
    if (!packed) {
        http_send_json(http, request, status, http_reply_json(&reply, NULL));
        return;
    }
    arena_rewind(&http->reply_arena);
    ProtobufCBinaryData bytes = message_encode(&reply.base, &http->reply_arena);
    http_send_bytes(http, request, status, bytes.data, bytes.len);
}

/* --- what a request asks --- */

void http_ask_free(struct ask *ask)
{
    sodium_memzero(ask->csrf, sizeof ask->csrf);
    ask->request = NULL;
    ask->stream = NULL;
    ask->http->asking--;
}

/* evhttp hands a request back to us when its connection broke, and frees it itself when all
 * ends. */
void http_ask_left(struct evhttp_connection *connection, void *context)
{
    struct ask *ask = context;
    (void)connection;
    if (evhttp_request_get_connection(ask->request) == NULL) evhttp_request_free(ask->request);
    http_ask_free(ask);
}

static bool type_is(const char *given, const char *wanted)
{
    size_t size = strlen(wanted);
    return strncasecmp(given, wanted, size) == 0 && (given[size] == '\0' || given[size] == ';');
}

static bool is_post(struct evhttp_request *request)
{
    return evhttp_request_get_command(request) == EVHTTP_REQ_POST;
}

/* Exactly one of ours, and nothing more: no query, no escapes. */
static enum err find_session_act(struct wish *wish, const char *path, struct problem *problem)
{
    static const struct {
        const char *path, *method;
        enum http_act act;
        bool post;
    } acts[] = {
        {"/session", "WhoAmI", HTTP_WHO, false},
        {"/session/login", "Login", HTTP_LOGIN, true},
        {"/session/logout", "Logout", HTTP_LOGOUT, true},
        {"/session/logout-everywhere", "Logout", HTTP_LOGOUT, true},
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(path, acts[i].path) != 0 || is_post(wish->request) != acts[i].post) continue;
        wish->act = acts[i].act;
        CHECK(method_find(acts[i].method, &wish->method));
        return ERR_OK;
    }
    return problem_set(problem, ERR_NOT_FOUND, "", "there is no such thing about a session");
}

static enum err find_operation(struct wish *wish, struct problem *problem)
{
    const char *path = evhttp_request_get_uri(wish->request);
    size_t size = strcspn(path, "?");
    if (strncmp(path, "/session", 8) == 0) return find_session_act(wish, path, problem);
    if (!is_post(wish->request) && size == strlen(STREAM) && strncmp(path, STREAM, size) == 0) {
        wish->act = HTTP_STREAM;
        return ERR_OK;
    }
    if (!is_post(wish->request))
        return problem_set(problem, ERR_NOT_FOUND, "", "there is nothing to get here: POST");
    if (strncmp(path, "/api/", 5) == 0 && method_find(path + 5, &wish->method) &&
        strcmp(wish->method.service->short_name, "Inner") != 0)
        return ERR_OK;
    return problem_set(problem, ERR_NOT_FOUND, "", "there is no such operation");
}

/* A type that no form can send: a page of somebody else has to ask before it may. */
static enum err check_type(struct wish *wish, struct problem *problem)
{
    const char *type = http_header(wish->request, "Content-Type");
    if (!is_post(wish->request)) return ERR_OK;
    wish->packed = wish->act == HTTP_OPERATION && type_is(type, "application/x-protobuf");
    if (wish->packed || type_is(type, "application/json")) return ERR_OK;
    return problem_set(problem, ERR_INVALID, "Content-Type",
                       "must be application/json or application/x-protobuf");
}

/* Who comes in, and says so in the body: a cookie that a browser brings along, such as that of a
 * console in the next tab, says nothing about him. */
static bool comes_in(const struct wish *wish)
{
    const ProtobufCMessageDescriptor *type =
        wish->method.method == NULL ? NULL : wish->method.method->input;
    return wish->act == HTTP_LOGIN || type == &callout__enroll_request__descriptor ||
           type == &callout__hello_request__descriptor ||
           type == &callout__ping_request__descriptor;
}

static enum err take_cookie(struct http *http, struct wish *wish, struct problem *problem)
{
    struct evhttp_request *request = wish->request;
    const struct http_origin origin = http_origin_of(http, request);
    bool changes = is_post(request), comes = comes_in(wish);
    enum err err = ERR_NOT_FOUND;
    if (!comes) err = http_cookie_read(&origin, http_header(request, "Cookie"), wish->token);
    if (err == ERR_INVALID) return problem_set(problem, err, "Cookie", "has two sessions");
    wish->token_size = err == ERR_OK ? HTTP_SESSION_BYTES : 0;
    if (wish->token_size == 0 && !comes) return ERR_OK;
    err = http_origin_check(&origin, http_header(request, "Origin"),
                            http_header(request, "Sec-Fetch-Site"), changes && !comes, problem);
    if (err != ERR_OK || !changes || comes) return err;
    if (http_csrf_is(wish->token, http_header(request, "X-Callout-Csrf"))) return ERR_OK;
    return problem_set(problem, ERR_UNAUTH, "X-Callout-Csrf",
                       "must be the csrf of this session, as GET /session tells it");
}

/* Who asks: a Bearer, or else the cookie of a page of ours. */
static enum err find_token(struct http *http, struct wish *wish, struct problem *problem)
{
    const char *authorization = http_header(wish->request, "Authorization");
    if (authorization[0] == '\0' || wish->act == HTTP_LOGIN)
        return take_cookie(http, wish, problem);
    wish->token_size = http_bearer(authorization, wish->token);
    return ERR_OK;
}

static enum err read_body(struct http *http, const struct wish *wish, ProtobufCBinaryData *out,
                          struct problem *problem)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(wish->request);
    size_t size = evbuffer_get_length(input);
    const char *bytes = size > 0 ? (const char *)evbuffer_pullup(input, -1) : "{}";
    if (size == 0) size = 2;
    if (wish->act == HTTP_LOGOUT || wish->act == HTTP_WHO) { /* the path says it all */
        bool all = strstr(evhttp_request_get_uri(wish->request), "everywhere") != NULL;
        bytes = wish->act == HTTP_WHO || all ? "{}" : "{\"onlyThis\":true}";
        size = strlen(bytes);
    }
    if (!wish->packed)
        return message_from_json(wish->method.method->input, bytes, size, &http->request_arena, out,
                                 problem);
    if (evbuffer_get_length(input) == 0) size = 0;
    *out = (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)bytes};
    return size <= LIMIT_MESSAGE ? ERR_OK
                                 : problem_set(problem, ERR_TOO_LARGE, "body",
                                               "a request has at most %d bytes", LIMIT_MESSAGE);
}

static enum err pack_envelope(struct http *http, struct wish *wish, ProtobufCBinaryData *out,
                              struct problem *problem)
{
    Callout__Request envelope;
    callout__request__init(&envelope);
    arena_rewind(&http->request_arena);
    enum err err = read_body(http, wish, &envelope.body, problem);
    if (err != ERR_OK) return err;
    const char *id = http_header(wish->request, "Idempotency-Key");
    if (strlen(id) > LIMIT_ID)
        return problem_set(problem, ERR_INVALID, "Idempotency-Key", "at most %d bytes", LIMIT_ID);
    envelope.proto_major = PROTO_MAJOR;
    envelope.method = (char *)(uintptr_t)wish->method.method->name;
    envelope.request_id = (char *)(uintptr_t)id;
    envelope.session_token = (ProtobufCBinaryData){wish->token_size, wish->token};
    *out = message_encode(&envelope.base, &http->request_arena);
    return ERR_OK;
}

/* The client's address; behind a proxy the proxy tells it, or nobody does. */
static void write_peer(const struct http *http, struct evhttp_request *request,
                       char out[HTTP_ADDRESS_SIZE])
{
    char *address = NULL;
    uint16_t port;
    if (!http->shell->gateway.options.behind_proxy) {
        evhttp_connection_get_peer(evhttp_request_get_connection(request), &address, &port);
        snprintf(out, HTTP_ADDRESS_SIZE, "%s", address == NULL ? "" : address);
    } else if (!http_forwarded_for(http_header(request, "X-Forwarded-For"), out,
                                   HTTP_ADDRESS_SIZE)) {
        snprintf(out, HTTP_ADDRESS_SIZE, "%s", HTTP_PEER_UNKNOWN);
    }
}

/* There is a slot for each connection, and each has one request at a time. */
struct ask *http_ask_new(struct http *http, struct evhttp_request *request)
{
    while (http->asks[http->next].request != NULL)
        http->next = (http->next + 1) % VISITORS_MAX;
    struct ask *ask = &http->asks[http->next];
    *ask = (struct ask){.http = http, .request = request, .generation = ask->generation + 1};
    write_peer(http, request, ask->peer);
    http->asking++;
    return ask;
}

void http_ask_edge(struct ask *ask, ProtobufCBinaryData envelope)
{
    struct http *http = ask->http;
    struct sp_ticket ticket = {.slot = (uint32_t)(ask - http->asks), .generation = ask->generation};
    edge_request(&http->shell->gateway, HTTP_DOOR, ticket, envelope.data, envelope.len);
}

static void pass_on(struct http *http, const struct wish *wish, ProtobufCBinaryData envelope)
{
    struct ask *ask = http_ask_new(http, wish->request);
    ask->packed = wish->packed;
    ask->act = wish->act;
    ask->method = wish->method;
    if (wish->act == HTTP_WHO && wish->token_size == HTTP_SESSION_BYTES)
        http_csrf_write(wish->token, ask->csrf);
    evhttp_connection_set_closecb(evhttp_request_get_connection(wish->request), http_ask_left, ask);
    http_ask_edge(ask, envelope);
}

void http_ask(struct http *http, struct evhttp_request *request)
{
    struct problem problem = {{0}, {0}};
    struct wish wish = {.request = request};
    ProtobufCBinaryData envelope = {0, NULL};
    enum err err = find_operation(&wish, &problem);
    if (err == ERR_OK) err = check_type(&wish, &problem);
    if (err == ERR_OK) err = find_token(http, &wish, &problem);
    bool forbidden = err == ERR_UNAUTH; /* he may be who he says, but his page is not ours */
    if (err == ERR_OK && wish.act == HTTP_STREAM)
        err = http_streams_open(http, request, wish.token, wish.token_size, &problem);
    else if (err == ERR_OK)
        err = pack_envelope(http, &wish, &envelope, &problem);
    struct http_status status = http_status_of(err);
    if (forbidden) status = (struct http_status){403, "Forbidden"};
    if (err == ERR_OK && wish.act != HTTP_STREAM) pass_on(http, &wish, envelope);
    if (err != ERR_OK) http_refuse(http, request, wish.packed, status, err, &problem);
    sodium_memzero(wish.token, sizeof wish.token);
}

/* --- the ports --- */

bool http_alive(const struct http *http, struct sp_ticket ticket)
{
    return find_ask(http, ticket) != NULL;
}

const char *http_peer(const struct http *http, struct sp_ticket ticket)
{
    const struct ask *ask = find_ask(http, ticket);
    return ask == NULL ? "" : ask->peer;
}
