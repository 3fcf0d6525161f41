/* service.c - the loop around the engine: what came in is one batch, then replies go out.
 *
 * While a commit waits for the disk, requests pile up in the listener: they are the next batch.
 * That is the group commit; nobody waits for company. Held requests (Follow, NextProblem) are kept
 * as bytes and asked again after each batch that committed something, and when their time is up.
 */
#include "dispatcher/service.h"

#include "base/alive.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "dispatcher/engine.h"
#include "sp_listener.h"

#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HELD_MAX = 64 };
#define FREEZE_MARGIN_REAL_US (500 * 1000)
#define TICK_PAUSE_US         US_PER_SECOND /* after a tick that could not be stored */

struct waiting {
    struct sp_ticket ticket;
    uint8_t *bytes;
    size_t size;
    bool oversize;
    int64_t until_mono_us; /* held: when it is answered with what there is */
};

struct service {
    struct event_base *base;
    struct sp_listener *listener;
    struct engine *engine;
    struct store *store;
    struct clock clock;
    struct event *batch_event, *tick_event, *term_event, *int_event, *held_event, *alive_event;
    struct waiting queue[LIMIT_FACTS_PER_COMMIT];
    uint32_t queue_count;
    struct waiting held[HELD_MAX];
    uint32_t held_count;
    int64_t tick_after_mono_us; /* no tick before: the last one could not be stored */
};

static int64_t domain_us(const struct service *service)
{
    return clock_now_us(&service->clock);
}

static void schedule_tick(struct service *service)
{
    int64_t now_us = domain_us(service);
    int64_t wake_us = engine_next_wake_us(service->engine, now_us);
    evtimer_del(service->tick_event);
    double rate = service->clock.wall ? 1 : service->clock.rate;
    if (wake_us == INT64_MAX || rate <= 0) return;
    double wait_us = wake_us > now_us ? (double)(wake_us - now_us) / rate : 0;
    if (wait_us > 3600e6) wait_us = 3600e6;
    double pause_us = (double)(service->tick_after_mono_us - clock_mono_us());
    if (wait_us < pause_us) wait_us = pause_us;
    struct timeval wait = {(time_t)(wait_us / 1e6), (suseconds_t)((int64_t)wait_us % 1000000)};
    evtimer_add(service->tick_event, &wait);
}

static void answer_held(struct service *service)
{
    int64_t mono_us = clock_mono_us();
    uint32_t kept = 0;
    for (uint32_t i = 0; i < service->held_count; i++) {
        struct waiting *held = &service->held[i];
        ProtobufCBinaryData reply;
        bool gone = !sp_ticket_alive(service->listener, held->ticket);
        bool expired = mono_us >= held->until_mono_us;
        if (!gone && engine_answer_held(service->engine, held->bytes, held->size, expired,
                                        domain_us(service), &reply) == ERR_BUSY) {
            service->held[kept++] = *held;
            continue;
        }
        if (!gone) sp_reply(service->listener, held->ticket, reply.data, reply.len);
        free(held->bytes);
    }
    service->held_count = kept;
}

static void hold(struct service *service, struct waiting *waiting, uint32_t hold_ms)
{
    if (hold_ms > LIMIT_HOLD_MS) hold_ms = LIMIT_HOLD_MS;
    if (service->held_count ==
        HELD_MAX) { /* a neighbour that asks so often has forgotten the first */
        free(service->held[0].bytes);
        memmove(service->held, service->held + 1, (HELD_MAX - 1) * sizeof service->held[0]);
        service->held_count--;
    }
    waiting->until_mono_us = clock_mono_us() + hold_ms * INT64_C(1000);
    service->held[service->held_count++] = *waiting;
}

/* Runs queue[first, first + count) as one batch, and answers; returns how many it took. */
static uint32_t run_batch(struct service *service, uint32_t first, uint32_t count)
{
    static struct engine_item items[LIMIT_FACTS_PER_COMMIT];
    for (uint32_t i = 0; i < count; i++) {
        struct waiting *waiting = &service->queue[first + i];
        items[i] = (struct engine_item){
            .bytes = waiting->bytes, .size = waiting->size, .oversize = waiting->oversize};
    }
    uint32_t done = engine_batch(service->engine, items, count, domain_us(service));
    for (uint32_t i = 0; i < done; i++) {
        struct waiting *waiting = &service->queue[first + i];
        if (items[i].held != HELD_NOT) {
            hold(service, waiting, items[i].hold_ms);
            continue;
        }
        sp_reply(service->listener, waiting->ticket, items[i].reply.data, items[i].reply.len);
        free(waiting->bytes);
    }
    return done;
}

/* A request that may have killed us before runs alone (F3). */
static void on_batch(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct service *service = context;
    uint32_t first = 0, count = service->queue_count;
    while (first < count) {
        uint32_t size = 0;
        while (first + size < count) {
            struct waiting *next = &service->queue[first + size];
            struct engine_item item = {.bytes = next->bytes, .size = next->size};
            bool alone = engine_is_suspect(service->engine, &item);
            if (alone && size > 0) break;
            size++;
            if (alone) break;
        }
        first += run_batch(service, first, size);
    }
    service->queue_count = 0;
    answer_held(service);
    schedule_tick(service);
}

static void enqueue(struct service *service, struct sp_ticket ticket, const uint8_t *bytes,
                    size_t size, bool oversize)
{
    if (service->queue_count == LIMIT_FACTS_PER_COMMIT) on_batch(-1, 0, service);
    uint8_t *copy = malloc(size + 1);
    CHECK(copy != NULL);
    if (size > 0) memcpy(copy, bytes, size);
    service->queue[service->queue_count++] =
        (struct waiting){.ticket = ticket, .bytes = copy, .size = size, .oversize = oversize};
    if (service->queue_count > 1) return;
    struct timeval soon = {0, 0};
    event_add(service->batch_event, &soon); /* after everything that is readable now was read */
}

static void on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes, size_t size)
{
    enqueue(context, ticket, bytes, size, false);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct service *service = context;
    int64_t now_us = domain_us(service);
    if (engine_tick(service->engine, now_us))
        answer_held(service);
    else if (engine_next_wake_us(service->engine, now_us) <= now_us)
        service->tick_after_mono_us = clock_mono_us() + TICK_PAUSE_US;
    schedule_tick(service);
}

static void on_held_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    answer_held(context);
    alive_beat();
}

static void on_signal(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct service *service = context;
    event_base_loopbreak(service->base);
}

struct options {
    const char *data, *socket;
    struct clock clock;
    bool lab;
};

static const char usage[] =
    "usage: callout dispatcher --data DIR --socket URL [--clock wall|START,RATE] [--lab]\n"
    "  --data DIR     the data folder; an empty or missing one is initialised\n"
    "  --socket URL   where gateway and optimizer reach it, such as "
    "ipc:///run/callout/dispatcher.sock\n"
    "  --clock C      domain time: wall, or START,RATE such as 2026-11-23T05:00:00Z,120\n"
    "  --lab          allows AdvanceClock when the rate is 0\n"
    "`callout serve` starts it together with its neighbours.\n";

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        {"data", required_argument, NULL, 'd'},  {"socket", required_argument, NULL, 's'},
        {"clock", required_argument, NULL, 'c'}, {"lab", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    struct problem problem;
    if (clock_parse("wall", &options->clock, NULL) != ERR_OK) return EXIT_FAILED;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'd') options->data = optarg;
        if (c == 's') options->socket = optarg;
        if (c == 'l') options->lab = true;
        if (c == 'h') {
            fputs(usage, stdout);
            exit(EXIT_DONE);
        }
        if (c == 'c' && clock_parse(optarg, &options->clock, &problem) != ERR_OK) {
            fprintf(stderr, "callout dispatcher: %s %s\n", problem.field, problem.text);
            return EXIT_CONFIG;
        }
        if (c == '?') return EXIT_USAGE;
    }
    if (options->data != NULL && options->socket != NULL && optind == argc) return EXIT_DONE;
    fputs(usage, stderr);
    return EXIT_USAGE;
}

static enum err open_engine(struct service *service, const struct options *options,
                            struct problem *problem)
{
    double rate = options->clock.wall ? 1 : options->clock.rate;
    struct engine_options engine = {
        .folder = options->data,
        .clock_rate = rate,
        .clock_by_hand = options->lab && rate <= 0,
        .freeze_margin_us = (int64_t)(FREEZE_MARGIN_REAL_US * (rate < 1 ? 1 : rate)),
    };
    enum err err = store_open_spatialite(&service->store, options->data, problem);
    if (err != ERR_OK) return err;
    return engine_open(&service->engine, service->store, &engine, problem);
}

static enum err open_events(struct service *service, const struct options *options,
                            struct problem *problem)
{
    struct timeval often = {0, 250 * 1000};
    struct sp_listener_options listener = {
        .url = options->socket, .trusted = true, .on_request = on_request, .context = service};
    service->base = event_base_new();
    CHECK(service->base != NULL);
    service->batch_event = evtimer_new(service->base, on_batch, service);
    service->tick_event = evtimer_new(service->base, on_tick, service);
    service->held_event = event_new(service->base, -1, EV_PERSIST, on_held_timer, service);
    service->term_event = evsignal_new(service->base, SIGTERM, on_signal, service);
    service->int_event = evsignal_new(service->base, SIGINT, on_signal, service);
    event_add(service->held_event, &often);
    evsignal_add(service->term_event, NULL);
    evsignal_add(service->int_event, NULL);
    return sp_listener_open(&service->listener, service->base, &listener, problem);
}

static void close_all(struct service *service)
{
    struct event *events[] = {service->batch_event, service->tick_event, service->held_event,
                              service->term_event, service->int_event};
    if (service->listener != NULL) sp_listener_close(service->listener);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (events[i] != NULL) event_free(events[i]);
    }
    if (service->base != NULL) event_base_free(service->base);
    if (service->engine != NULL) engine_close(service->engine);
    if (service->store != NULL) store_close(service->store);
    for (uint32_t i = 0; i < service->queue_count; i++)
        free(service->queue[i].bytes);
    for (uint32_t i = 0; i < service->held_count; i++)
        free(service->held[i].bytes);
}

int dispatcher_main(int argc, char **argv)
{
    static struct service service;
    struct options options = {0};
    struct problem problem = {{0}, {0}};
    int code = parse(argc, argv, &options);
    if (code != EXIT_DONE) return code;
    log_open("dispatcher", LOG_INFO);
    signal(SIGPIPE, SIG_IGN);
    service.clock = options.clock;
    enum err err = open_engine(&service, &options, &problem);
    if (err == ERR_OK) err = open_events(&service, &options, &problem);
    if (err == ERR_OK) {
        log_info("serving %s at fact %lld", options.data,
                 (long long)core_seq(engine_core(service.engine)));
        schedule_tick(&service);
        event_base_dispatch(service.base);
    } else {
        log_error("%s: %s %s", err_name(err), problem.field, problem.text);
        code =
            err == ERR_BUSY || err == ERR_INVALID || err == ERR_VERSION ? EXIT_CONFIG : EXIT_FAILED;
    }
    close_all(&service);
    return code;
}
