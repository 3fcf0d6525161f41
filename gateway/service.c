#include "gateway/service.h"

#include "base/alive.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "gateway/gateway.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <event2/util.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { TICK_MS = 100, PARTING_MS = 1000 };

/* --- memory
 * ----------------------------------------------------------------------------------------- */

static uint64_t random_seed(void)
{
    uint64_t seed;
    evutil_secure_rng_get_bytes(&seed, sizeof seed);
    return seed;
}

static void memory_open(struct gateway *gateway)
{
    arena_open(&gateway->memory, SIZE_MAX);
    arena_open(&gateway->request_arena, LIMIT_REQUEST_ARENA);
    arena_open(&gateway->pack_arena, 2 * LIMIT_INNER_MESSAGE);
    arena_open(&gateway->reply_arena, 4 * LIMIT_INNER_MESSAGE);
    sessions_init(&gateway->sessions, &gateway->memory, GATEWAY_SESSIONS_MAX, random_seed());
    throttle_init(&gateway->throttle, &gateway->memory, GATEWAY_BUCKETS_MAX, random_seed());
    polls_init(&gateway->polls, &gateway->memory, GATEWAY_POLLS_MAX);
    gateway->held = arena_need(&gateway->memory, GATEWAY_POLLS_MAX * sizeof(struct held));
}

static void memory_close(struct gateway *gateway)
{
    arena_close(&gateway->reply_arena);
    arena_close(&gateway->pack_arena);
    arena_close(&gateway->request_arena);
    arena_close(&gateway->memory);
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

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    alive_beat();
    hold_tick(context);
}

static void on_signal(evutil_socket_t signal_number, short what, void *context)
{
    struct gateway *gateway = context;
    (void)what;
    log_info("signal %d: answering what is held, then the end", (int)signal_number);
    event_base_loopbreak(gateway->base);
}

/* Everyone who waits gets a reply, and a moment to read it. */
static void part(struct gateway *gateway)
{
    const struct timeval moment = {.tv_usec = 20000};
    int64_t until_us = clock_mono_us() + PARTING_MS * INT64_C(1000);
    gateway->stopping = true;
    hold_stop(gateway);
    upstream_abandon(gateway->upstream);
    while (edge_unsent(gateway) > 0 && clock_mono_us() < until_us) {
        event_base_loopexit(gateway->base, &moment);
        event_base_dispatch(gateway->base);
    }
}

static void run(struct gateway *gateway)
{
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};
    struct event *ticker = event_new(gateway->base, -1, EV_PERSIST, on_tick, gateway);
    struct event *term = evsignal_new(gateway->base, SIGTERM, on_signal, gateway);
    struct event *interrupt = evsignal_new(gateway->base, SIGINT, on_signal, gateway);
    CHECK(ticker != NULL && term != NULL && interrupt != NULL);
    event_add(ticker, &tick);
    event_add(term, NULL);
    event_add(interrupt, NULL);
    hold_tick(gateway);
    event_base_dispatch(gateway->base);
    part(gateway);
    event_free(interrupt);
    event_free(term);
    event_free(ticker);
}

static void say_where(const struct gateway *gateway)
{
    for (unsigned i = 0; i < gateway->door_count; i++)
        log_info("listening on %s (port %u)", gateway->options.listen[i],
                 sp_listener_port(gateway->doors[i].listener));
    log_info("admin on http://%s, dispatcher at %s", gateway->options.admin,
             gateway->options.dispatcher);
}

static enum err serve(struct gateway *gateway, struct problem *problem)
{
    struct admin *admin = NULL;
    enum err err =
        upstream_open(&gateway->upstream, gateway->base, gateway->options.dispatcher, problem);
    if (err == ERR_OK) err = edge_open(gateway, problem);
    if (err == ERR_OK) err = admin_open(&admin, gateway, problem);
    if (err == ERR_OK) {
        say_where(gateway);
        run(gateway);
    }
    admin_close(admin);
    edge_close(gateway);
    upstream_close(gateway->upstream);
    return err;
}

int gateway_main(int argc, char **argv)
{
    struct gateway gateway = {.stopping = false};
    struct problem problem = {{0}, {0}};
    log_open("gateway", LOG_INFO);
    enum err err = gateway_options_read(argc, argv, &gateway.options, &problem);
    if (err != ERR_OK) {
        bool usage = err == ERR_INVALID;
        fprintf(stderr, "callout gateway: %s: %s\n%s", problem.field, problem.text,
                usage ? gateway_usage : "");
        return usage ? EXIT_USAGE : EXIT_CONFIG;
    }
    CHECK(evthread_use_pthreads() == 0); /* nng's threads wake our loop */
    gateway.base = event_base_new();
    CHECK(gateway.base != NULL);
    raise_descriptor_limit();
    memory_open(&gateway);
    metrics_init(&gateway.metrics);
    err = serve(&gateway, &problem);
    if (err != ERR_OK) log_error("%s: %s", problem.field, problem.text);
    memory_close(&gateway);
    event_base_free(gateway.base);
    return err == ERR_OK ? EXIT_DONE : EXIT_CONFIG;
}
