/* admin.c - /healthz, /metrics and /metrics/process, for whoever watches the gateway. GET only,
 * nothing secret. */
#include "gateway/http_visitors.h"
#include "gateway/shell.h"

#include "base/check.h"
#include "base/clock.h"
#include "sp_socket.h"
#include "url.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER_MAX = 16 * 1024, TIMEOUT_S = 5 };

struct admin {
    struct shell *shell;
    struct visitors *visitors;
    struct evhttp *http;
    unsigned port;
};

static void send_text(struct evhttp_request *request, int code, const char *reason,
                      struct evbuffer *text)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    evhttp_add_header(headers, "Connection", "close");
    evhttp_send_reply(request, code, reason, text);
}

/* libevent compares what it decoded, up to a NUL: "/metrics%00x" would be /metrics. */
static bool asks_exactly(struct evhttp_request *request, const char *path)
{
    const char *uri = evhttp_request_get_uri(request);
    size_t size = strcspn(uri, "?");
    if (size == strlen(path) && strncmp(uri, path, size) == 0) return true;
    evhttp_send_error(request, HTTP_NOTFOUND, NULL);
    return false;
}

/* --- /healthz
 * ------------------------------------------------------------------------------------- */

static void on_healthz(struct evhttp_request *request, void *context)
{
    const struct admin *admin = context;
    if (!asks_exactly(request, "/healthz")) return;
    bool healthy = hold_healthy(&admin->shell->gateway);
    struct evbuffer *text = evbuffer_new();
    CHECK(text != NULL);
    evbuffer_add_printf(text, healthy ? "ok\n" : "the dispatcher does not answer\n");
    send_text(request, healthy ? HTTP_OK : HTTP_SERVUNAVAIL, healthy ? "OK" : "Unavailable", text);
    evbuffer_free(text);
}

/* --- /metrics: the text format of Prometheus
 * -------------------------------------------------------- */

static void head(struct evbuffer *out, const char *name, const char *type, const char *help)
{
    evbuffer_add_printf(out, "# HELP callout_gateway_%s %s\n# TYPE callout_gateway_%s %s\n", name,
                        help, name, type);
}

static void one(struct evbuffer *out, const char *name, const char *type, const char *help,
                uint64_t value)
{
    head(out, name, type, help);
    evbuffer_add_printf(out, "callout_gateway_%s %" PRIu64 "\n", name, value);
}

static struct sp_counters sum_of_doors(const struct shell *shell)
{
    struct sp_counters sum = {0};
    for (unsigned i = 0; i < shell->door_count; i++) {
        const struct sp_counters *door = sp_listener_counters(shell->doors[i].listener);
        sum.open += door->open;
        sum.accepted += door->accepted;
        sum.bytes_in += door->bytes_in;
        sum.bytes_out += door->bytes_out;
        sum.refused_greeting += door->refused_greeting;
        sum.refused_frame += door->refused_frame;
        sum.refused_size += door->refused_size;
        sum.refused_limit += door->refused_limit;
        sum.timed_out += door->timed_out;
        sum.tls_failed += door->tls_failed;
        sum.dropped_replies += door->dropped_replies;
    }
    return sum;
}

/* As every process says it to Prometheus; 0 where /proc does not tell. */
static void write_memory(struct evbuffer *out)
{
    uint64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        if (fscanf(file, "%*s %" SCNu64, &pages) != 1) pages = 0;
        fclose(file);
    }
    evbuffer_add_printf(out,
                        "# HELP process_resident_memory_bytes Resident memory.\n"
                        "# TYPE process_resident_memory_bytes gauge\n"
                        "process_resident_memory_bytes %" PRIu64 "\n",
                        pages * (uint64_t)sysconf(_SC_PAGESIZE));
}

static void write_connections(struct evbuffer *out, const struct shell *shell)
{
    struct sp_counters sum = sum_of_doors(shell);
    const struct {
        const char *reason;
        uint64_t count;
    } refused[] = {
        {"greeting", sum.refused_greeting}, {"frame", sum.refused_frame},
        {"size", sum.refused_size},         {"limit", sum.refused_limit},
        {"timeout", sum.timed_out},         {"tls", sum.tls_failed},
    };
    one(out, "connections", "gauge", "Open connections.", sum.open);
    one(out, "connections_accepted_total", "counter", "Connections since the start.", sum.accepted);
    one(out, "received_bytes_total", "counter", "Bytes of requests.", sum.bytes_in);
    one(out, "sent_bytes_total", "counter", "Bytes of replies.", sum.bytes_out);
    one(out, "replies_dropped_total", "counter", "Replies whose asker was gone.",
        sum.dropped_replies);
    head(out, "refused_total", "counter", "Connections or messages refused, by reason.");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        evbuffer_add_printf(out, "callout_gateway_refused_total{reason=\"%s\"} %" PRIu64 "\n",
                            refused[i].reason, refused[i].count);
}

static void write_http(struct evbuffer *out, const struct shell *shell)
{
    if (shell->http == NULL) return;
    const struct http_counters *http = http_counters(shell->http);
    one(out, "http_connections", "gauge", "Open connections for HTTP.", http->open);
    one(out, "http_connections_accepted_total", "counter", "Connections since the start.",
        http->accepted);
    one(out, "http_requests_total", "counter", "Requests that came in whole.", http->requests);
    one(out, "http_received_bytes_total", "counter", "Bytes of requests.", http->bytes_in);
    one(out, "http_sent_bytes_total", "counter", "Bytes of answers, without their heads.",
        http->bytes_out);
    one(out, "http_streams", "gauge", "Pages that are told what changes.", http->streams);
    one(out, "http_streams_dropped_total", "counter", "Streams whose readers were too slow.",
        http->streams_dropped);
    head(out, "http_refused_total", "counter", "Connections or requests refused, by reason.");
    evbuffer_add_printf(out,
                        "callout_gateway_http_refused_total{reason=\"request\"} %" PRIu64 "\n"
                        "callout_gateway_http_refused_total{reason=\"limit\"} %" PRIu64 "\n"
                        "callout_gateway_http_refused_total{reason=\"timeout\"} %" PRIu64 "\n",
                        http->refused, http->refused_limit, http->timed_out);
}

static void write_requests(struct evbuffer *out, const struct metrics *metrics)
{
    head(out, "requests_total", "counter", "Requests answered, by method and status.");
    for (unsigned method = 0; method < metrics->method_count; method++)
        for (unsigned status = 0; status < ERR_COUNT; status++) {
            if (metrics->requests[method][status] == 0) continue;
            evbuffer_add_printf(
                out, "callout_gateway_requests_total{method=\"%s\",status=\"%s\"} %" PRIu64 "\n",
                metrics->methods[method], err_name((enum err)status),
                metrics->requests[method][status]);
        }
}

static void write_latency(struct evbuffer *out, const struct metrics *metrics)
{
    uint64_t sum = 0;
    head(out, "forward_seconds", "histogram", "How long the dispatcher took.");
    for (unsigned i = 0; i < METRICS_LATENCY_BUCKETS; i++) {
        sum += metrics->latency[i];
        evbuffer_add_printf(out, "callout_gateway_forward_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
                            (double)metrics_latency_bounds_us[i] / 1e6, sum);
    }
    evbuffer_add_printf(out,
                        "callout_gateway_forward_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
                        "callout_gateway_forward_seconds_sum %.6f\n"
                        "callout_gateway_forward_seconds_count %" PRIu64 "\n",
                        metrics->latency_count, (double)metrics->latency_sum_us / 1e6,
                        metrics->latency_count);
}

static void write_inner(struct evbuffer *out, const struct gateway *gateway)
{
    const struct metrics *metrics = &gateway->metrics;
    uint64_t tip = upstream_log_seq(gateway->upstream), seen = gateway->follow_seq;
    one(out, "dispatcher_up", "gauge", "1: the dispatcher answers.", hold_healthy(gateway));
    one(out, "in_flight", "gauge", "Questions to the dispatcher without an answer.",
        upstream_in_flight(gateway->upstream));
    one(out, "polls", "gauge", "Polls that are held.", gateway->polls.count);
    one(out, "polls_parked", "gauge", "Held polls that wait for news.", gateway->polls.parked);
    one(out, "polls_woken_total", "counter", "Polls asked about again.", metrics->polls_woken);
    one(out, "polls_superseded_total", "counter", "Polls replaced by a newer one.",
        metrics->polls_superseded);
    one(out, "session_hits_total", "counter", "Sessions known here.", metrics->session_hits);
    one(out, "session_misses_total", "counter", "Sessions asked about.", metrics->session_misses);
    one(out, "log_seq", "gauge", "Last committed fact that we heard of.", tip);
    one(out, "follow_lag_facts", "gauge", "Facts committed that no poll was woken for yet.",
        tip > seen ? tip - seen : 0);
}

/* What the process itself knows, for who looks often: nothing here makes the dispatcher think. */
static void on_process(struct evhttp_request *request, void *context)
{
    struct admin *admin = context;
    struct evbuffer *out = evbuffer_new();
    CHECK(out != NULL);
    write_memory(out);
    write_connections(out, admin->shell);
    send_text(request, HTTP_OK, "OK", out);
    evbuffer_free(out);
}

static void on_metrics(struct evhttp_request *request, void *context)
{
    struct admin *admin = context;
    if (!asks_exactly(request, "/metrics")) return;
    struct evbuffer *out = evbuffer_new();
    CHECK(out != NULL);
    const struct gateway *gateway = &admin->shell->gateway;
    write_memory(out);
    write_connections(out, admin->shell);
    write_http(out, admin->shell);
    write_requests(out, &gateway->metrics);
    write_latency(out, &gateway->metrics);
    write_inner(out, gateway);
    kpis_write(&admin->shell->kpis, out);
    send_text(request, HTTP_OK, "OK", out);
    evbuffer_free(out);
}

/* --- life
 * --------------------------------------------------------------------------------------------- */

static struct bufferevent *on_accept(struct event_base *base, void *context)
{
    struct admin *admin = context;
    (void)base;
    return visitors_accept(admin->visitors);
}

/* Nobody is here for longer than a request may take: evhttp's own limit is for each read. */
void admin_tick(struct admin *admin)
{
    visitors_tick(admin->visitors, clock_mono_us());
}

enum err admin_open(struct admin **out, struct shell *shell, struct problem *problem)
{
    struct url url;
    enum err err = url_parse_host_port(shell->gateway.options.admin, &url, problem);
    if (err != ERR_OK) return err;
    struct admin *admin = calloc(1, sizeof *admin);
    CHECK(admin != NULL);
    admin->shell = shell;
    admin->http = evhttp_new(shell->base);
    CHECK(admin->http != NULL);
    const struct visitors_options visitors = {.base = shell->base, .unlimited_per_address = true};
    admin->visitors = visitors_open(&visitors);
    evhttp_set_bevcb(admin->http, on_accept, admin);
    evhttp_set_allowed_methods(admin->http, EVHTTP_REQ_GET);
    evhttp_set_max_headers_size(admin->http, HEADER_MAX);
    evhttp_set_max_body_size(admin->http, 0);
    evhttp_set_timeout(admin->http, TIMEOUT_S);
    evhttp_set_cb(admin->http, "/healthz", on_healthz, admin);
    evhttp_set_cb(admin->http, "/metrics", on_metrics, admin);
    evhttp_set_cb(admin->http, "/metrics/process", on_process, admin);
    uint16_t port = (uint16_t)strtoul(url.port, NULL, 10);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(admin->http, url.host, port);
    if (bound != NULL) {
        admin->port = sp_socket_port(evhttp_bound_socket_get_fd(bound));
        visitors_listen(admin->visitors, evhttp_bound_socket_get_listener(bound));
        *out = admin;
        return ERR_OK;
    }
    err = problem_set(problem, ERR_IO, "--admin", "%.100s: %s", shell->gateway.options.admin,
                      strerror(errno));
    admin_close(admin);
    return err;
}

unsigned admin_port(const struct admin *admin)
{
    return admin->port;
}

void admin_close(struct admin *admin)
{
    if (admin == NULL) return;
    evhttp_free(admin->http);
    visitors_close(admin->visitors);
    free(admin);
}
