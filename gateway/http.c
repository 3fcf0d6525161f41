/* I1: asks[slot].request is not NULL exactly while evhttp has not let go of that request and it has
 * no answer yet; evhttp's close callback clears it when the client leaves first. */
#include "gateway/http_impl.h"

#include "base/check.h"
#include "base/clock.h"
#include "gateway/openapi.h"
#include "gateway/shell.h"
#include "message_json.h"
#include "url.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    PROTO_MAJOR = 1,
    HEADERS_MAX = 16 * 1024,
    BODY_MAX = 1024 * 1024,
    IDLE_S = 75, /* a connection between two requests; longer than a poll is held */
};

/* --- answers --- */

static struct bufferevent *stream_of(struct evhttp_request *request)
{
    return evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
}

const char *http_header(struct evhttp_request *request, const char *name)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), name);
    return value == NULL ? "" : value;
}

void http_put_header(struct evhttp_request *request, const char *name, const char *value)
{
    CHECK(evhttp_add_header(evhttp_request_get_output_headers(request), name, value) == 0);
}

static void put_headers(struct evhttp_request *request, const char *type, uint32_t retry_after_ms)
{
    http_put_header(request, "Content-Type", type);
    http_put_header(request, "Cache-Control", "no-store");
    http_put_header(request, "X-Content-Type-Options", "nosniff");
    http_put_header(request, "Content-Security-Policy",
                    "default-src 'none'; frame-ancestors 'none'");
    if (retry_after_ms == 0) return;
    char seconds[16];
    snprintf(seconds, sizeof seconds, "%u", (retry_after_ms + 999) / 1000);
    http_put_header(request, "Retry-After", seconds);
}

/* His next request may come. */
static void let_go(struct http *http, struct evhttp_request *request)
{
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
    visitors_answered(http->visitors, stream_of(request));
}

void http_send(struct http *http, struct evhttp_request *request, struct http_status status,
               struct evbuffer *body)
{
    if (body != NULL) http->counters.bytes_out += evbuffer_get_length(body);
    let_go(http, request);
    evhttp_send_reply(request, status.code, status.reason, body);
}

void http_done(struct http *http, struct evhttp_request *request)
{
    let_go(http, request);
    evhttp_send_reply_end(request);
}

void http_cut(struct evhttp_request *request)
{
    evutil_socket_t fd = bufferevent_getfd(stream_of(request));
    if (fd >= 0) shutdown(fd, SHUT_RDWR);
}

static void send_bytes(struct http *http, struct evhttp_request *request, struct http_status status,
                       const void *bytes, size_t size)
{
    struct evbuffer *body = evbuffer_new();
    CHECK(body != NULL && evbuffer_add(body, bytes, size) == 0);
    http_send(http, request, status, body);
    evbuffer_free(body);
}

/* The envelope, in which the body's bytes give way to what they say. */
static char *reply_text(struct http *http, const Callout__Reply *reply,
                        const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *body;
    json_t *json = message_json(&reply->base);
    json_object_del(json, "body");
    if (json_object_get(json, "status") == NULL)
        CHECK(json_object_set_new(json, "status", json_string("OK")) == 0);
    if (reply->status == CALLOUT__STATUS__OK && type != NULL &&
        message_decode(type, reply->body.data, reply->body.len, &http->reply_arena, &body, NULL) ==
            ERR_OK)
        CHECK(json_object_set_new(json, "body", message_json(body)) == 0);
    char *text = json_dumps(json, JSON_COMPACT);
    CHECK(text != NULL);
    json_decref(json);
    return text;
}

static void send_reply(struct http *http, struct evhttp_request *request, bool packed,
                       struct http_status status, const ProtobufCMessageDescriptor *type,
                       const Callout__Reply *reply, ProtobufCBinaryData bytes)
{
    put_headers(request, packed ? "application/x-protobuf" : "application/json",
                reply->retry_after_ms);
    if (packed) {
        send_bytes(http, request, status, bytes.data, bytes.len);
        return;
    }
    char *text = reply_text(http, reply, type);
    send_bytes(http, request, status, text, strlen(text));
    free(text);
}

static struct ask *find_ask(const struct http *http, struct sp_ticket ticket)
{
    if (ticket.slot >= VISITORS_MAX) return NULL;
    const struct ask *ask = &http->asks[ticket.slot];
    bool alive = ask->request != NULL && ask->generation == ticket.generation;
    return alive ? (struct ask *)(uintptr_t)ask : NULL;
}

void http_reply(struct http *http, struct sp_ticket to, const void *bytes, size_t size)
{
    struct ask *ask = find_ask(http, to);
    ProtobufCMessage *reply;
    if (ask == NULL) return;
    struct evhttp_request *request = ask->request;
    ask->request = NULL;
    http->asking--;
    arena_rewind(&http->reply_arena);
    CHECK(message_decode(&callout__reply__descriptor, bytes, size, &http->reply_arena, &reply,
                         NULL) == ERR_OK); /* our own */
    send_reply(http, request, ask->packed,
               http_status_of((enum err)((const Callout__Reply *)reply)->status),
               ask->method.method->output, (const Callout__Reply *)reply,
               (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)bytes});
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
    arena_rewind(&http->reply_arena);
    send_reply(http, request, packed, status, NULL, &reply,
               message_encode(&reply.base, &http->reply_arena));
}

/* --- requests --- */

/* evhttp hands a request back to us when its connection broke, and frees it itself when all ends.
 */
static void on_left(struct evhttp_connection *connection, void *context)
{
    struct ask *ask = context;
    (void)connection;
    if (evhttp_request_get_connection(ask->request) == NULL) evhttp_request_free(ask->request);
    ask->request = NULL;
    ask->http->asking--;
}

/* There is a slot for each connection, and each has one request at a time. */
static struct ask *new_ask(struct http *http)
{
    while (http->asks[http->next].request != NULL)
        http->next = (http->next + 1) % VISITORS_MAX;
    struct ask *ask = &http->asks[http->next];
    *ask = (struct ask){.http = http, .generation = ask->generation + 1};
    http->asking++;
    return ask;
}

static bool type_is(const char *given, const char *wanted)
{
    size_t size = strlen(wanted);
    return strncasecmp(given, wanted, size) == 0 && (given[size] == '\0' || given[size] == ';');
}

static enum err check_request(struct evhttp_request *request, bool *packed, struct problem *problem)
{
    const char *type = http_header(request, "Content-Type");
    *packed = type_is(type, "application/x-protobuf");
    if (evhttp_request_get_command(request) != EVHTTP_REQ_POST)
        return problem_set(problem, ERR_NOT_FOUND, "", "there is nothing to get here: POST");
    if (*packed || type_is(type, "application/json")) return ERR_OK;
    return problem_set(problem, ERR_INVALID, "Content-Type",
                       "must be application/json or application/x-protobuf");
}

/* POST /api/METHOD and nothing more: no query, no escapes. */
static enum err find_operation(struct evhttp_request *request, struct method *out,
                               struct problem *problem)
{
    const char *path = evhttp_request_get_uri(request);
    if (strncmp(path, "/api/", 5) == 0 && method_find(path + 5, out) &&
        strcmp(out->service->short_name, "Inner") != 0)
        return ERR_OK;
    return problem_set(problem, ERR_NOT_FOUND, "", "there is no such operation");
}

static enum err read_body(struct http *http, struct evhttp_request *request, bool packed,
                          const struct method *method, ProtobufCBinaryData *out,
                          struct problem *problem)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    size_t size = evbuffer_get_length(input);
    const uint8_t *bytes = size > 0 ? evbuffer_pullup(input, -1) : (const uint8_t *)"{}";
    if (!packed)
        return message_from_json(method->method->input, (const char *)bytes, size > 0 ? size : 2,
                                 &http->request_arena, out, problem);
    *out = (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)bytes};
    return size <= LIMIT_MESSAGE ? ERR_OK
                                 : problem_set(problem, ERR_TOO_LARGE, "body",
                                               "a request has at most %d bytes", LIMIT_MESSAGE);
}

static enum err pack_envelope(struct http *http, struct evhttp_request *request, bool packed,
                              const struct method *method, ProtobufCBinaryData *out,
                              struct problem *problem)
{
    Callout__Request envelope;
    uint8_t token[HTTP_TOKEN_MAX];
    callout__request__init(&envelope);
    arena_rewind(&http->request_arena);
    enum err err = read_body(http, request, packed, method, &envelope.body, problem);
    if (err != ERR_OK) return err;
    const char *id = http_header(request, "Idempotency-Key");
    if (strlen(id) > LIMIT_ID)
        return problem_set(problem, ERR_INVALID, "Idempotency-Key", "at most %d bytes", LIMIT_ID);
    envelope.proto_major = PROTO_MAJOR;
    envelope.method = (char *)(uintptr_t)method->method->name;
    envelope.request_id = (char *)(uintptr_t)id;
    envelope.session_token.data = token;
    envelope.session_token.len = http_bearer(http_header(request, "Authorization"), token);
    *out = message_encode(&envelope.base, &http->request_arena);
    return ERR_OK;
}

static void pass_on(struct http *http, struct evhttp_request *request, bool packed,
                    const struct method *method, ProtobufCBinaryData envelope)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    char *address = NULL;
    uint16_t port;
    struct ask *ask = new_ask(http);
    evhttp_connection_get_peer(connection, &address, &port);
    ask->request = request;
    ask->packed = packed;
    ask->method = *method;
    snprintf(ask->peer, sizeof ask->peer, "%s", address == NULL ? "" : address);
    evhttp_connection_set_closecb(connection, on_left, ask);
    struct sp_ticket ticket = {.slot = (uint32_t)(ask - http->asks), .generation = ask->generation};
    edge_request(&http->shell->gateway, HTTP_DOOR, ticket, envelope.data, envelope.len);
}

static bool wants_openapi(struct evhttp_request *request)
{
    return evhttp_request_get_command(request) == EVHTTP_REQ_GET &&
           strcmp(evhttp_request_get_uri(request), "/api/openapi.json") == 0;
}

static void send_openapi(struct http *http, struct evhttp_request *request)
{
    if (http->openapi == NULL) http->openapi = openapi_text();
    put_headers(request, "application/json", 0);
    send_bytes(http, request, http_status_of(ERR_OK), http->openapi, strlen(http->openapi));
}

static bool is_for_us(const struct http *http, struct evhttp_request *request)
{
    const struct gateway_options *options = &http->shell->gateway.options;
    return http_host_is_ours(http_header(request, "Host"), options->http_names,
                             options->http_name_count);
}

/* An operation, from its path to the edge. */
static void ask_operation(struct http *http, struct evhttp_request *request)
{
    struct problem problem = {{0}, {0}};
    struct method method;
    ProtobufCBinaryData envelope;
    bool packed = false;
    enum err err = check_request(request, &packed, &problem);
    if (err == ERR_OK) err = find_operation(request, &method, &problem);
    if (err == ERR_OK) err = pack_envelope(http, request, packed, &method, &envelope, &problem);
    if (err == ERR_OK)
        pass_on(http, request, packed, &method, envelope);
    else
        http_refuse(http, request, packed, http_status_of(err), err, &problem);
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct http *http = context;
    struct problem problem = {{0}, {0}};
    const struct http_status misdirected = {421, "Misdirected Request"};
    http->counters.requests++;
    visitors_asked(http->visitors, stream_of(request));
    enum err err = http_check_headers(request, &problem);
    if (err != ERR_OK) {
        http_refuse(http, request, false, http_status_of(err), err, &problem);
        return;
    }
    if (!is_for_us(http, request)) {
        problem_set(&problem, ERR_NOT_FOUND, "Host", "is not a name of this server");
        http_refuse(http, request, false, misdirected, ERR_NOT_FOUND, &problem);
        return;
    }
    bool get = evhttp_request_get_command(request) != EVHTTP_REQ_POST;
    if (wants_openapi(request))
        send_openapi(http, request);
    else if (!get || !http_files_answer(http, request))
        ask_operation(http, request);
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

size_t http_unanswered(const struct http *http)
{
    return http->asking + visitors_unsent(http->visitors);
}

const struct http_counters *http_counters(const struct http *http)
{
    return &http->counters;
}

void http_tick(struct http *http)
{
    visitors_tick(http->visitors, clock_mono_us());
    const struct visitors_counters *visitors = visitors_counters(http->visitors);
    http->counters.open = visitors->open;
    http->counters.accepted = visitors->accepted;
    http->counters.bytes_in = visitors->bytes_in;
    http->counters.timed_out = visitors->timed_out;
    http->counters.refused_limit = visitors->refused_limit;
}

/* --- life --- */

static struct bufferevent *on_accept(struct event_base *base, void *context)
{
    struct http *http = context;
    (void)base;
    return visitors_accept(http->visitors);
}

static enum err open_tls(struct http *http, struct problem *problem)
{
    const struct gateway_options *options = &http->shell->gateway.options;
    char certificate[1024], key[1024];
    if (!options->http_tls) return ERR_OK;
    snprintf(certificate, sizeof certificate, "%s/server.pem", options->tls_dir);
    snprintf(key, sizeof key, "%s/server.key", options->tls_dir);
    return sp_tls_open(&http->tls, certificate, key, problem);
}

static enum err open_socket(struct http *http, struct problem *problem)
{
    const struct gateway_options *options = &http->shell->gateway.options;
    struct url url;
    enum err err = url_parse_host_port(options->http, &url, problem);
    if (err != ERR_OK) return err;
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(
        http->evhttp, url.host, (uint16_t)strtoul(url.port, NULL, 10));
    if (bound == NULL)
        return problem_set(problem, ERR_IO, "--http", "%.100s: %s", options->http, strerror(errno));
    visitors_listen(http->visitors, evhttp_bound_socket_get_listener(bound));
    return ERR_OK;
}

enum err http_open(struct http **out, struct shell *shell, struct problem *problem)
{
    const struct gateway_options *options = &shell->gateway.options;
    struct http *http = calloc(1, sizeof *http);
    CHECK(http != NULL);
    http->shell = shell;
    http->basemap.fd = -1;
    arena_open(&http->request_arena, LIMIT_REQUEST_ARENA);
    arena_open(&http->reply_arena, 2 * LIMIT_INNER_OUTBOX);
    http->evhttp = evhttp_new(shell->base);
    CHECK(http->evhttp != NULL);
    enum err err = open_tls(http, problem);
    const struct visitors_options visitors = {.base = shell->base,
                                              .tls = http->tls,
                                              .unlimited_per_address =
                                                  options->lab || options->behind_proxy};
    http->visitors = visitors_open(&visitors);
    evhttp_set_bevcb(http->evhttp, on_accept, http);
    evhttp_set_gencb(http->evhttp, on_request, http);
    evhttp_set_allowed_methods(http->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST);
    evhttp_set_default_content_type(http->evhttp, NULL);
    evhttp_set_max_headers_size(http->evhttp, HEADERS_MAX);
    evhttp_set_max_body_size(http->evhttp, BODY_MAX);
    evhttp_set_timeout(http->evhttp, IDLE_S);
    if (err == ERR_OK && http_files_open(http, problem) != ERR_OK) err = ERR_INVALID;
    if (err == ERR_OK) err = open_socket(http, problem);
    if (err == ERR_OK)
        *out = http;
    else
        http_close(http);
    return err;
}

void http_close(struct http *http)
{
    if (http == NULL) return;
    for (uint32_t i = 0; i < VISITORS_MAX; i++) {
        struct evhttp_request *request = http->asks[i].request;
        if (request != NULL)
            evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
    }
    http_files_close(http);
    evhttp_free(http->evhttp);
    visitors_close(http->visitors);
    sp_tls_close(http->tls);
    free(http->openapi);
    arena_close(&http->request_arena);
    arena_close(&http->reply_arena);
    free(http);
}
