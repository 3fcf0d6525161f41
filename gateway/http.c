#include "gateway/http_impl.h"

#include "base/check.h"
#include "base/clock.h"
#include "gateway/openapi.h"
#include "gateway/shell.h"
#include "sp_socket.h"
#include "url.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    HEADERS_MAX = 16 * 1024,
    BODY_MAX = 1024 * 1024,
    IDLE_S = 75, /* a connection between two requests; longer than a poll is held */
};

/* --- answers --- */

struct bufferevent *http_stream_of(struct evhttp_request *request)
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

void http_put_headers(struct evhttp_request *request, const char *type, uint32_t retry_after_ms)
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
    visitors_answered(http->visitors, http_stream_of(request));
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
    evutil_socket_t fd = bufferevent_getfd(http_stream_of(request));
    if (fd >= 0) shutdown(fd, SHUT_RDWR);
}

void http_send_bytes(struct http *http, struct evhttp_request *request, struct http_status status,
                     const void *bytes, size_t size)
{
    struct evbuffer *body = evbuffer_new();
    CHECK(body != NULL && evbuffer_add(body, bytes, size) == 0);
    http_send(http, request, status, body);
    evbuffer_free(body);
}

static bool wants_openapi(struct evhttp_request *request)
{
    return evhttp_request_get_command(request) == EVHTTP_REQ_GET &&
           strcmp(evhttp_request_get_uri(request), "/api/openapi.json") == 0;
}

static void send_openapi(struct http *http, struct evhttp_request *request)
{
    if (http->openapi == NULL) http->openapi = openapi_text();
    http_put_headers(request, "application/json", 0);
    http_send_bytes(http, request, http_status_of(ERR_OK), http->openapi, strlen(http->openapi));
}

struct http_origin http_origin_of(const struct http *http, struct evhttp_request *request)
{
    const struct gateway_options *options = &http->shell->gateway.options;
    bool by_proxy = options->behind_proxy &&
                    strcasecmp(http_header(request, "X-Forwarded-Proto"), "https") == 0;
    return (struct http_origin){.secure = options->http_tls || by_proxy,
                                .host = http_header(request, "Host"),
                                .port = http->port};
}

static bool is_for_us(const struct http *http, struct evhttp_request *request)
{
    const struct gateway_options *options = &http->shell->gateway.options;
    if (evhttp_request_get_uri(request)[0] != '/') return false; /* a whole URI has a host, too */
    return http_host_is_ours(http_header(request, "Host"), options->http_names,
                             options->http_name_count);
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct http *http = context;
    struct problem problem = {{0}, {0}};
    const struct http_status misdirected = {421, "Misdirected Request"};
    http->counters.requests++;
    visitors_asked(http->visitors, http_stream_of(request));
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
    else if (!get || !(http_authority_answer(http, request) || http_files_answer(http, request)))
        http_ask(http, request);
}

/* --- for whoever runs it --- */

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
    http_streams_tick(http);
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

static enum err open_tls(const struct http *http, SSL_CTX **out, struct problem *problem)
{
    const struct gateway_options *options = &http->shell->gateway.options;
    char certificate[1024], key[1024];
    *out = NULL;
    if (!options->http_tls) return ERR_OK;
    snprintf(certificate, sizeof certificate, "%s/server.pem", options->tls_dir);
    snprintf(key, sizeof key, "%s/server.key", options->tls_dir);
    return sp_tls_open(out, certificate, key, problem);
}

enum err http_renew(struct http *http, bool files, struct problem *problem)
{
    SSL_CTX *fresh;
    enum err err = open_tls(http, &fresh, problem);
    if (err != ERR_OK) return err;
    if (fresh != NULL) {
        visitors_renew(http->visitors, fresh);
        sp_tls_close(http->tls); /* each connection has a hold of its own */
        http->tls = fresh;
        http_authority_read(http);
    }
    return files ? http_files_open(http, problem) : ERR_OK;
}

static enum err open_socket(struct http *http, struct problem *problem)
{
    const struct gateway_options *options = &http->shell->gateway.options;
    struct url url;
    enum err err = url_parse_host_port(options->http, &url, problem);
    if (err != ERR_OK) return err;
    uint16_t port = (uint16_t)strtoul(url.port, NULL, 10);
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(http->evhttp, url.host, port);
    if (bound == NULL)
        return problem_set(problem, ERR_IO, "--http", "%.100s: %s", options->http, strerror(errno));
    http->port = sp_socket_port(evhttp_bound_socket_get_fd(bound));
    visitors_listen(http->visitors, evhttp_bound_socket_get_listener(bound));
    return ERR_OK;
}

unsigned http_port(const struct http *http)
{
    return http->port;
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
    enum err err = open_tls(http, &http->tls, problem);
    http_authority_read(http);
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
    http_streams_close(http);
    http_files_close(http);
    evhttp_free(http->evhttp);
    visitors_close(http->visitors);
    sp_tls_close(http->tls);
    free(http->openapi);
    arena_close(&http->request_arena);
    arena_close(&http->reply_arena);
    free(http);
}
