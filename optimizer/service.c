/* service.c - the planner on a bus: signals, the parent's watch, and the wait for replies. */
#include "optimizer/service.h"

#include "base/alive.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "bus.h"
#include "optimizer/planner.h"
#include "optimizer/solve.h"
#include "optimizer/write_certificate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 400 /* alive_beat wants one a second */ };

static volatile sig_atomic_t stopping;

static void on_term(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

/* --- the planner's ports --- */

/* Both questions of the planner may safely be asked again, so a lost one is simply lost. */
static bool port_ask(void *context, uint64_t cookie, const void *bytes, size_t size,
                     uint32_t deadline_ms)
{
    enum err err = bus_ask(context, cookie, bytes, size, deadline_ms);
    if (err != ERR_OK) log_warn("a question was not sent: %s", err_name(err));
    return err == ERR_OK;
}

static int64_t port_now_us(void *context)
{
    (void)context;
    return clock_mono_us();
}

static bool port_news_waits(void *context)
{
    alive_beat();
    return bus_wait(context, 0);
}

/* --- certificates --- */

static const char *certificates; /* a folder; NULL: none are kept */

/* FOLDER/TERRITORY-DAY.proof; what no file's name should have becomes an underscore. */
static void certificate_path(char *path, size_t size, const char *territory_id, int64_t day)
{
    int length = snprintf(path, size, "%s/", certificates);
    size_t from = length > 0 ? (size_t)length : 0;
    snprintf(path + from, size - from, "%s-%lld.proof", territory_id, (long long)day);
    for (char *at = path + from; *at != '\0'; at++) {
        if (*at == '/' || *at == ' ' || (at == path + from && *at == '.')) *at = '_';
    }
}

/* Written beside it and renamed: whoever reads it has all of one. */
static void port_proved(void *context, const char *territory_id, int64_t service_day,
                        const struct solver *solver, const struct proof *proof)
{
    char path[1024], fresh[1040];
    (void)context;
    certificate_path(path, sizeof path, territory_id, service_day);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *out = fopen(fresh, "w");
    bool written = out != NULL && write_certificate(&solver->day, &solver->in, &solver->plan, proof,
                                                    NULL, out) == ERR_OK;
    if (out != NULL && fclose(out) != 0) written = false;
    if (!written || rename(fresh, path) != 0) log_warn("%s cannot be written", path);
    alive_beat();
}

/* --- the loop --- */

static void take_completions(struct bus *bus, struct planner *planner)
{
    struct bus_completion done;
    while (bus_next(bus, &done)) {
        planner_answered(planner, done.cookie, done.err, done.reply, done.reply_size);
        free(done.reply);
    }
}

/* One chunk, or in lock-step all of it. */
static void work(struct planner *planner, bool lockstep)
{
    while (planner_work(planner) && lockstep)
        alive_beat();
}

static void run(struct bus *bus, struct planner *planner, bool lockstep)
{
    planner_tick(planner);
    while (!stopping) {
        alive_beat();
        (void)bus_wait(bus, planner_searching(planner) ? 0 : WAIT_MS);
        take_completions(bus, planner);
        planner_tick(planner);
        if (planner_searching(planner)) work(planner, lockstep);
    }
}

static const char usage[] =
    "usage: callout optimizer --dispatcher URL [--seed N] [--work N] [--lockstep]\n"
    "                         [--expect PERCENT] [--no-bounds] [--certificates DIR]\n"
    "  --certificates DIR  each bound that was computed in full leaves its proof there\n"
    "  --work N     rounds of search per event (default 2000)\n"
    "  --expect PERCENT  a day's first plan leaves room for so many later orders for each hundred\n"
    "               that are known (default 25; 0 where all orders are known by then)\n"
    "  --no-bounds  idle time is spent on better plans alone\n"
    "  --lockstep   a search is never cut short: the same facts give the same plans\n";

static int read_options(int argc, char **argv, struct planner_options *options, const char **url)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(word, "--lockstep") == 0) {
            options->lockstep = true;
            options->bounds = false;
            continue;
        }
        if (strcmp(word, "--no-bounds") == 0) {
            options->bounds = false;
            continue;
        }
        if (value == NULL) return EXIT_USAGE;
        char *end = NULL;
        if (strcmp(word, "--dispatcher") == 0)
            *url = value;
        else if (strcmp(word, "--seed") == 0)
            options->seed = strtoull(value, &end, 10);
        else if (strcmp(word, "--certificates") == 0)
            certificates = value;
        else if (strcmp(word, "--work") == 0)
            options->rounds = strtoull(value, &end, 10);
        else if (strcmp(word, "--expect") == 0)
            options->expected_percent = (uint32_t)strtoul(value, &end, 10);
        else
            return EXIT_USAGE;
        if (end != NULL && (*end != '\0' || end == value || value[0] == '-')) return EXIT_USAGE;
        i++;
    }
    return *url == NULL ? EXIT_USAGE : EXIT_DONE;
}

static void serve(struct bus *bus, const struct planner_options *options)
{
    const struct planner_ports ports = {.context = bus,
                                        .ask = port_ask,
                                        .now_us = port_now_us,
                                        .news_waits = port_news_waits,
                                        .proved = certificates != NULL ? port_proved : NULL};
    struct planner *planner = planner_open(options, &ports);
    run(bus, planner, options->lockstep);
    log_info("%llu problems were solved", (unsigned long long)planner_counters(planner)->events);
    bus_close(bus);
    planner_close(planner);
    planner_leave();
}

int optimizer_main(int argc, char **argv)
{
    struct planner_options options = {.rounds = PLANNER_ROUNDS,
                                      .seed = 1,
                                      .more_searches = PLANNER_MORE_SEARCHES,
                                      .expected_percent = PLANNER_EXPECTED_PERCENT,
                                      .bounds = true};
    const char *url = NULL;
    if (read_options(argc, argv, &options, &url) != EXIT_DONE) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    log_open("optimizer", LOG_INFO);
    struct sigaction action = {.sa_handler = on_term};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct problem problem;
    struct bus *bus;
    const struct bus_options bus_options = {.url = url, .in_flight_max = 64};
    if (bus_open(&bus, &bus_options, &problem) != ERR_OK) {
        log_error("cannot dial %s: %s", url, problem.text);
        return EXIT_CONFIG;
    }
    serve(bus, &options);
    return EXIT_DONE;
}
