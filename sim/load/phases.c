#include "sim/load/phases.h"

#include "base/check.h"
#include "base/clock.h"
#include "sim/load/device.h"
#include "sim/load/gateway_memory.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TICK_MS = 50,
    DIALLING_MAX = 256, /* devices that are on their way to be ready */
    READY_S = 180,      /* all of them */
    SETTLE_MS = 1500,   /* until parked polls are parked and memory is at rest */
    STORM_S = 120,
    WATCH_TICKS = 10, /* between looks at the gateway's memory, and words for people */
};

struct phase {
    struct load *load;
    const char *name;
    bool (*over)(struct load *load);
    int64_t until_us;
    uint32_t ticks;
    bool interrupted;
};

/* --- the tick --- */

static void start_more(struct load *load)
{
    uint32_t started = 0;
    for (uint32_t i = 0; i < load->options.clients; i++) {
        struct device *device = &load->devices[i];
        if (!device->dialling && started < load->may_dial && started - load->ready < DIALLING_MAX)
            device->dialling = true;
        if (device->dialling) started++;
    }
}

static void say_progress(const struct phase *phase)
{
    const struct load *load = phase->load;
    if (!isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\r\033[K%s: %u of %u devices ready, %llu check-ins ", phase->name, load->ready,
            load->options.clients, (unsigned long long)load->count.acknowledged);
}

static void watch_memory(struct load *load)
{
    uint64_t bytes = gateway_memory(load->system.admin);
    if (bytes > load->storm.gateway_peak_bytes) load->storm.gateway_peak_bytes = bytes;
}

static void watch(const struct phase *phase)
{
    say_progress(phase);
    if (phase->load->storming) watch_memory(phase->load);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct phase *phase = context;
    struct load *load = phase->load;
    int64_t now_us = clock_mono_us();
    (void)fd;
    (void)what;
    start_more(load);
    for (uint32_t i = 0; i < load->options.clients; i++)
        device_tick(&load->devices[i], now_us);
    if (++phase->ticks % WATCH_TICKS == 0) watch(phase);
    if (now_us >= phase->until_us || phase->over(load)) event_base_loopbreak(load->base);
}

static void on_signal(evutil_socket_t signal_number, short what, void *context)
{
    struct phase *phase = context;
    (void)signal_number;
    (void)what;
    phase->interrupted = true;
    event_base_loopbreak(phase->load->base);
}

/* Runs the loop until `over` or for at most `limit_us`; false: interrupted. */
static bool run(struct load *load, const char *name, bool (*over)(struct load *), int64_t limit_us)
{
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};
    struct phase phase = {load, name, over, clock_mono_us() + limit_us, 0, false};
    struct event *ticker = event_new(load->base, -1, EV_PERSIST, on_tick, &phase);
    struct event *interrupt = evsignal_new(load->base, SIGINT, on_signal, &phase);
    struct event *term = evsignal_new(load->base, SIGTERM, on_signal, &phase);
    CHECK(ticker != NULL && interrupt != NULL && term != NULL);
    event_add(ticker, &tick);
    event_add(interrupt, NULL);
    event_add(term, NULL);
    event_base_dispatch(load->base);
    event_free(ticker);
    event_free(interrupt);
    event_free(term);
    if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    return !phase.interrupted;
}

/* --- the phases --- */

static bool all_ready(struct load *load)
{
    return load->ready == load->options.clients;
}

static bool one_ready(struct load *load)
{
    return load->ready > 0;
}

static bool never(struct load *load)
{
    (void)load;
    return false;
}

static bool all_synced(struct load *load)
{
    return load->storm.synced == load->options.clients;
}

static bool push(struct load *load)
{
    load->pushing = true;
    load->count.from_us = clock_mono_us();
    load->count.to_us = load->count.from_us + load->options.for_us;
    bool whole = run(load, "load", never, load->options.for_us);
    int64_t ended_us = clock_mono_us();
    if (ended_us < load->count.to_us) load->count.to_us = ended_us;
    load->pushing = false;
    return whole;
}

static bool storm(struct load *load)
{
    if (!run(load, "rest", never, SETTLE_MS * 1000)) return false;
    load->storming = true;
    load->storm.cut_us = clock_mono_us();
    for (uint32_t i = 0; i < load->options.clients; i++)
        device_cut(&load->devices[i]);
    bool whole = run(load, "storm", all_synced, STORM_S * US_PER_SECOND);
    watch_memory(load);
    return whole;
}

enum err phases_run(struct load *load, bool *interrupted, struct problem *problem)
{
    load->devices = calloc(load->options.clients, sizeof *load->devices);
    CHECK(load->devices != NULL);
    for (uint32_t i = 0; i < load->options.clients; i++)
        device_open(&load->devices[i], load, i);
    load->may_dial = 1; /* what the first of all takes is the gateway's own */
    bool whole = run(load, "first hello", one_ready, READY_S * US_PER_SECOND);
    if (whole) whole = run(load, "rest", never, SETTLE_MS * 1000);
    load->first_bytes = gateway_memory(load->system.admin);
    load->may_dial = load->options.clients;
    if (whole) whole = run(load, "hello", all_ready, READY_S * US_PER_SECOND);
    if (whole && !all_ready(load))
        return problem_set(problem, ERR_IO, "gateway", "%u of %u devices were ready after %d s",
                           load->ready, load->options.clients, READY_S);
    if (whole) whole = run(load, "rest", never, SETTLE_MS * 1000);
    load->held_bytes = gateway_memory(load->system.admin);
    if (whole && load->options.for_us > 0) whole = push(load);
    if (whole && load->options.storm) whole = storm(load);
    load->enough = true;
    for (uint32_t i = 0; i < load->options.clients; i++)
        device_close(&load->devices[i]);
    free(load->devices);
    *interrupted = !whole;
    return ERR_OK;
}
