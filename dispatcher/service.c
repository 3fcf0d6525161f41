/* service.c - the dispatcher as a process: its listener, its clock and its signals around
 * batches.h. */
#include "dispatcher/service.h"

#include "base/alive.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "dispatcher/batches.h"
#include "dispatcher/password_pool.h"
#include "sp_listener.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PURGE_STEPS = 8, /* of engine_purge, four times a second */
    PRIORITIES = 3,  /* 1 is everybody's */
    BATCH_PRIORITY = 2,
    BATCH_US = 5000, /* nobody waits longer for others to join his batch */
};
#define FREEZE_MARGIN_REAL_US (500 * 1000)

struct service {
    struct event_base *base;
    struct sp_listener *listener;
    struct engine *engine;
    struct store *store;
    struct clock clock;
    struct event *batch_event, *tick_event, *term_event, *int_event, *held_event, *disk_event;
    int disk_pipe[2]; /* a byte when there is progress on the disk */
    bool disk_failed;
    struct batches *batches;
    struct password_pool *passwords;
    int64_t first_mono_us; /* when the first of those that wait came */
};

/* --- the ports of batches.h --- */

static int64_t port_mono_us(void *context)
{
    (void)context;
    return clock_mono_us();
}

static int64_t port_domain_us(void *context)
{
    const struct service *service = context;
    return clock_now_us(&service->clock);
}

static void port_reply(void *context, struct sp_ticket to, const void *bytes, size_t size)
{
    const struct service *service = context;
    sp_reply(service->listener, to, bytes, size);
}

static bool port_alive(void *context, struct sp_ticket ticket)
{
    const struct service *service = context;
    return sp_ticket_alive(service->listener, ticket);
}

static void port_password(void *context, uint32_t slot, struct password_work *work)
{
    const struct service *service = context;
    password_pool_start(service->passwords, slot, work);
}

/* --- the loop --- */

static void schedule_tick(struct service *service)
{
    double rate = service->clock.wall ? 1 : service->clock.rate;
    int64_t wait_us = batches_tick_wait_us(service->batches, rate);
    evtimer_del(service->tick_event);
    if (wait_us == INT64_MAX) return;
    struct timeval wait = {wait_us / US_PER_SECOND, wait_us % US_PER_SECOND};
    evtimer_add(service->tick_event, &wait);
}

static void on_batch(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct service *service = context;
    batches_run(service->batches);
    schedule_tick(service);
}

/* The batch has a lower priority than what is readable, since one read takes few of the requests
 * that came in while the last batch was committed. */
static void on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes, size_t size)
{
    struct service *service = context;
    const struct timeval soon = {0, 0};
    batches_put(service->batches, ticket, bytes, size);
    if (batches_waiting(service->batches) == 1) {
        service->first_mono_us = clock_mono_us();
        event_add(service->batch_event, &soon);
    } else if (clock_mono_us() - service->first_mono_us > BATCH_US) {
        on_batch(-1, 0, service);
    }
}

/* --- the disk --- */

/* In the thread that syncs. A pipe that is full has said it already. */
static void tell_progress(void *context)
{
    const struct service *service = context;
    ssize_t written = write(service->disk_pipe[1], "", 1);
    CHECK(written == 1 || errno == EAGAIN);
}

/* A disk that failed ends us: what is written and not on it must not be told of, and looks stored
 * to this connection. */
static void on_progress(evutil_socket_t fd, short what, void *context)
{
    struct service *service = context;
    char bytes[64];
    (void)what;
    CHECK(read(fd, bytes, sizeof bytes) > 0 || errno == EAGAIN);
    if (batches_release(service->batches)) return;
    log_error("the disk did not take what was written: the end");
    service->disk_failed = true;
    event_base_loopbreak(service->base);
}

/* While a batch runs, the answers of the last one need not wait for its end. */
static void breathe(void *context)
{
    struct service *service = context;
    if (!batches_release_due(service->batches)) return;
    batches_release(service->batches);
    sp_listener_push_out(service->listener);
}

static void open_disk_event(struct service *service)
{
    CHECK(pipe(service->disk_pipe) == 0);
    for (int end = 0; end < 2; end++)
        CHECK(evutil_make_socket_nonblocking(service->disk_pipe[end]) == 0 &&
              evutil_make_socket_closeonexec(service->disk_pipe[end]) == 0);
    service->disk_event =
        event_new(service->base, service->disk_pipe[0], EV_READ | EV_PERSIST, on_progress, service);
    CHECK(service->disk_event != NULL);
    event_add(service->disk_event, NULL);
    store_sync_apart(service->store, tell_progress, service);
}

static void on_password(void *context, uint32_t slot)
{
    struct service *service = context;
    batches_password_done(service->batches, slot);
    batches_run(service->batches);
    schedule_tick(service);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct service *service = context;
    batches_tick(service->batches);
    schedule_tick(service);
}

static void on_held_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct service *service = context;
    batches_answer_held(service->batches);
    for (int step = 0; step < PURGE_STEPS && engine_purge(service->engine, port_domain_us(service));
         step++) {
    }
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
        .breathe = breathe,
        .breathe_context = service,
        .freeze_margin_us = (int64_t)(FREEZE_MARGIN_REAL_US * (rate < 1 ? 1 : rate)),
    };
    enum err err = store_open_spatialite(&service->store, options->data, problem);
    if (err != ERR_OK) return err;
    err = engine_open(&service->engine, service->store, &engine, problem);
    if (err != ERR_OK) return err;
    const struct batches_ports ports = {.context = service,
                                        .mono_us = port_mono_us,
                                        .domain_us = port_domain_us,
                                        .reply = port_reply,
                                        .alive = port_alive,
                                        .password = port_password};
    service->batches = batches_open(service->engine, &ports);
    return ERR_OK;
}

static enum err open_events(struct service *service, const struct options *options,
                            struct problem *problem)
{
    struct timeval often = {0, 250 * 1000};
    struct sp_listener_options listener = {
        .url = options->socket, .trusted = true, .on_request = on_request, .context = service};
    service->base = event_base_new();
    CHECK(service->base != NULL);
    event_base_priority_init(service->base, PRIORITIES);
    service->passwords = password_pool_open(service->base, on_password, service);
    service->batch_event = evtimer_new(service->base, on_batch, service);
    event_priority_set(service->batch_event, BATCH_PRIORITY);
    service->tick_event = evtimer_new(service->base, on_tick, service);
    service->held_event = event_new(service->base, -1, EV_PERSIST, on_held_timer, service);
    service->term_event = evsignal_new(service->base, SIGTERM, on_signal, service);
    service->int_event = evsignal_new(service->base, SIGINT, on_signal, service);
    open_disk_event(service);
    event_add(service->held_event, &often);
    evsignal_add(service->term_event, NULL);
    evsignal_add(service->int_event, NULL);
    return sp_listener_open(&service->listener, service->base, &listener, problem);
}

static void close_all(struct service *service)
{
    struct event *events[] = {service->batch_event, service->tick_event, service->held_event,
                              service->term_event,  service->int_event,  service->disk_event};
    if (service->listener != NULL) sp_listener_close(service->listener);
    password_pool_close(service->passwords);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (events[i] != NULL) event_free(events[i]);
    }
    if (service->base != NULL) event_base_free(service->base);
    batches_close(service->batches);
    if (service->engine != NULL) engine_close(service->engine);
    if (service->store != NULL) store_close(service->store);
    if (service->disk_event == NULL) return;
    close(service->disk_pipe[0]);
    close(service->disk_pipe[1]);
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
        if (service.disk_failed) code = EXIT_FAILED;
    } else {
        log_error("%s: %s %s", err_name(err), problem.field, problem.text);
        code =
            err == ERR_BUSY || err == ERR_INVALID || err == ERR_VERSION ? EXIT_CONFIG : EXIT_FAILED;
    }
    close_all(&service);
    return code;
}
