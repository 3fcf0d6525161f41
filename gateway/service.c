#include "gateway/service.h"

#include "base/alive.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "gateway/shell.h"

#include <event2/event.h>
#include <event2/util.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { TICK_MS = 100, PARTING_MS = 1000, TRIM_EVERY_US = 1000000 };

/* --- the gateway's ports --- */

static int64_t port_now_us(void *context)
{
    (void)context;
    return clock_mono_us();
}

static enum err port_ask(void *context, uint64_t cookie, const void *bytes, size_t size,
                         uint32_t deadline_ms)
{
    struct shell *shell = context;
    dial_ask(shell->dial, (uint32_t)cookie, bytes, size, deadline_ms);
    return ERR_OK;
}

static void on_answer(void *context, uint64_t cookie, enum err err, const uint8_t *reply,
                      size_t size)
{
    struct shell *shell = context;
    upstream_answered(shell->gateway.upstream, cookie, err, reply, size);
}

static void port_reply(void *context, unsigned door, struct sp_ticket to, const void *bytes,
                       size_t size)
{
    struct shell *shell = context;
    if (door == HTTP_DOOR)
        http_reply(shell->http, to, bytes, size);
    else
        sp_reply(shell->doors[door].listener, to, bytes, size);
}

static bool port_alive(void *context, unsigned door, struct sp_ticket ticket)
{
    const struct shell *shell = context;
    if (door == HTTP_DOOR) return http_alive(shell->http, ticket);
    return sp_ticket_alive(shell->doors[door].listener, ticket);
}

static const char *port_peer(void *context, unsigned door, struct sp_ticket ticket)
{
    const struct shell *shell = context;
    if (door == HTTP_DOOR) return http_peer(shell->http, ticket);
    return sp_peer(shell->doors[door].listener, ticket);
}

static uint64_t random_seed(void)
{
    uint64_t seed;
    evutil_secure_rng_get_bytes(&seed, sizeof seed);
    return seed;
}

/* A connection is a descriptor: take as many as we may have. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) log_warn("cannot raise the limit of descriptors");
}

/* --- the loop
 * ------------------------------------------------------------------------------------------ */

/* A handshake takes some twenty kilobytes for a moment. After a crowd of them that would stay ours
 * for as long as we live. */
static void give_memory_back(struct shell *shell)
{
    int64_t now_us = clock_mono_us();
    uint64_t turnover = doors_turnover(shell);
    if (turnover == shell->trimmed_turnover || now_us < shell->trimmed_us + TRIM_EVERY_US) return;
    shell->trimmed_turnover = turnover;
    shell->trimmed_us = now_us;
    malloc_trim(0);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct shell *shell = context;
    alive_beat();
    dial_tick(shell->dial);
    kpis_tick(&shell->kpis);
    hold_tick(&shell->gateway);
    if (shell->http != NULL) http_tick(shell->http);
    admin_tick(shell->admin);
    renew_tick(shell);
    give_memory_back(shell);
}

static void on_hangup(evutil_socket_t signal_number, short what, void *context)
{
    (void)signal_number;
    (void)what;
    renew_all(context);
}

static void on_signal(evutil_socket_t signal_number, short what, void *context)
{
    struct shell *shell = context;
    (void)what;
    log_info("signal %d: answering what is held, then the end", (int)signal_number);
    event_base_loopbreak(shell->base);
}

static size_t unanswered(const struct shell *shell)
{
    return doors_unsent(shell) + (shell->http != NULL ? http_unanswered(shell->http) : 0);
}

/* Everyone who waits gets a reply, and a moment to read it. */
static void part(struct shell *shell)
{
    const struct timeval moment = {.tv_usec = 20000};
    int64_t until_us = clock_mono_us() + PARTING_MS * INT64_C(1000);
    gateway_stop(&shell->gateway);
    while (unanswered(shell) > 0 && clock_mono_us() < until_us) {
        event_base_loopexit(shell->base, &moment);
        event_base_dispatch(shell->base);
    }
}

static void run(struct shell *shell)
{
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};
    struct event *ticker = event_new(shell->base, -1, EV_PERSIST, on_tick, shell);
    struct event *term = evsignal_new(shell->base, SIGTERM, on_signal, shell);
    struct event *interrupt = evsignal_new(shell->base, SIGINT, on_signal, shell);
    struct event *hangup = evsignal_new(shell->base, SIGHUP, on_hangup, shell);
    CHECK(ticker != NULL && term != NULL && interrupt != NULL && hangup != NULL);
    renew_start(shell);
    event_add(hangup, NULL);
    event_add(ticker, &tick);
    event_add(term, NULL);
    event_add(interrupt, NULL);
    hold_tick(&shell->gateway);
    event_base_dispatch(shell->base);
    part(shell);
    event_free(hangup);
    event_free(interrupt);
    event_free(term);
    event_free(ticker);
}

static void say_where(const struct shell *shell)
{
    const struct gateway_options *options = &shell->gateway.options;
    for (unsigned i = 0; i < shell->door_count; i++)
        log_info("listening on %s (port %u)", options->listen[i],
                 sp_listener_port(shell->doors[i].listener));
    if (options->http != NULL)
        log_info("listening on %s://%s (port %u)", options->http_tls ? "https" : "http",
                 options->http, http_port(shell->http));
    log_info("admin on http://%s (port %u), dispatcher at %s", options->admin,
             admin_port(shell->admin), options->dispatcher);
}

static enum err open_http(struct shell *shell, struct problem *problem)
{
    enum err err = http_open(&shell->http, shell, problem);
    if (err != ERR_IO || !shell->gateway.options.http_if_free) return err;
    log_warn("no door for HTTP: %s: %s", problem->field, problem->text);
    shell->gateway.options.http = NULL;
    return ERR_OK;
}

static enum err serve(struct shell *shell, struct problem *problem)
{
    const struct dial_options dispatcher = {.url = shell->gateway.options.dispatcher,
                                            .cookie_max = UPSTREAM_IN_FLIGHT_MAX,
                                            .on_answer = on_answer,
                                            .context = shell};
    enum err err = dial_open(&shell->dial, shell->base, &dispatcher, problem);
    if (err == ERR_OK) err = doors_open(shell, problem);
    if (err == ERR_OK && shell->gateway.options.http != NULL) err = open_http(shell, problem);
    if (err == ERR_OK) err = admin_open(&shell->admin, shell, problem);
    if (err == ERR_OK) {
        say_where(shell);
        run(shell);
    }
    admin_close(shell->admin);
    http_close(shell->http);
    doors_close(shell);
    dial_close(shell->dial);
    return err;
}

static void shell_open(struct shell *shell, const struct gateway_options *options)
{
    const struct gateway_ports ports = {.context = shell,
                                        .now_us = port_now_us,
                                        .ask = port_ask,
                                        .reply = port_reply,
                                        .alive = port_alive,
                                        .peer = port_peer};
    *shell = (struct shell){.base = event_base_new()};
    CHECK(shell->base != NULL);
    gateway_open(&shell->gateway, options, &ports, random_seed());
    kpis_open(&shell->kpis, &shell->gateway);
}

int gateway_main(int argc, char **argv)
{
    struct shell shell;
    struct gateway_options options;
    struct problem problem = {{0}, {0}};
    log_open("gateway", LOG_INFO);
    enum err err = gateway_options_read(argc, argv, &options, &problem);
    if (err != ERR_OK) {
        bool usage = err == ERR_INVALID;
        fprintf(stderr, "callout gateway: %s: %s\n%s", problem.field, problem.text,
                usage ? gateway_usage : "");
        return usage ? EXIT_USAGE : EXIT_CONFIG;
    }
    raise_descriptor_limit();
    shell_open(&shell, &options);
    err = serve(&shell, &problem);
    if (err != ERR_OK) log_error("%s: %s", problem.field, problem.text);
    kpis_close(&shell.kpis);
    gateway_close(&shell.gateway);
    event_base_free(shell.base);
    return err == ERR_OK ? EXIT_DONE : EXIT_CONFIG;
}
