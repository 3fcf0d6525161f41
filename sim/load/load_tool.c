#include "sim/load/load_tool.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "gateway/client/identity.h"
#include "sim/load/figures.h"
#include "sim/load/phases.h"
#include "sim/load/setup.h"
#include "sp_dialler.h"

#include <event2/event.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { ARENA_BYTES = 16 << 20, OWN_DESCRIPTORS = 64 };

static const char usage[] =
    "usage: callout load --data DIR [--gateway URL] [--clients N] [--for TIME] [--batch N]\n"
    "                    [--kind status|position] [--hold] [--storm] [--one-address] [--json]\n"
    "Many devices, each with a key, a session and a sequence of its own, push check-ins to a "
    "system\n"
    "that runs on the folder DIR, each the next one when the last was acknowledged. Technicians "
    "and\n"
    "work orders are made for them (load-...): use a folder that is for this.\n"
    "  --data DIR        of the running system: its API key, addresses and private socket\n"
    "  --gateway URL     one of its gateways; without it the first in DIR/endpoints\n"
    "  --clients N       devices, 100 without it; each is a connection, here and at the gateway\n"
    "  --for TIME        how long they push: 10s, 5m; 0 for not at all; 10s without it\n"
    "  --batch N         check-ins in one Push, at most 200; 1 without it\n"
    "  --kind status     WORKING and PAUSED by turns on an appointment of its own: facts\n"
    "  --kind position   a fix each: a place on the map and in the track, not a fact\n"
    "  --hold            each device holds a Pull all the time\n"
    "  --storm           at the end all are cut off at once and come back: Hello, Push, Pull\n"
    "  --one-address     all dial from one address; else each from its own of 127.0.0.0/8, so "
    "that\n"
    "                    limits per address hold as they would outside\n"
    "  --json            one object on standard output\n"
    "The gateway's limits hold for these devices, too, unless the system was started with --lab.\n"
    "examples:\n"
    "  callout serve --data /tmp/lab --lab &\n"
    "  callout load --data /tmp/lab --clients 1000 --for 30s\n"
    "  callout load --data /tmp/lab --clients 1000 --batch 10 --json\n"
    "  callout load --data /tmp/lab --clients 10000 --for 0 --storm\n";

static bool read_number(const char *text, uint32_t max, uint32_t *out)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *out = (uint32_t)number;
    return end != text && *end == '\0' && text[0] != '-' && number >= 1 && number <= max;
}

static bool read_time(const char *text, int64_t *out_us)
{
    char *end;
    double value = strtod(text, &end);
    double unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : 1;
    if (*end != '\0' && strchr("smh", *end) != NULL) end++;
    *out_us = (int64_t)(value * unit * 1e6);
    return end != text && *end == '\0' && value >= 0 && value * unit < 1e6;
}

static bool take_option(struct load_options *out, int letter)
{
    switch (letter) {
    case 'd': out->data_dir = optarg; return true;
    case 'g': out->gateway = optarg; return true;
    case 'n': return read_number(optarg, LOAD_CLIENTS_MAX, &out->clients);
    case 'f': return read_time(optarg, &out->for_us);
    case 'b': return read_number(optarg, LIMIT_BATCH_COMMANDS, &out->batch);
    case 'k':
        out->kind = strcmp(optarg, "position") == 0 ? LOAD_POSITION : LOAD_STATUS;
        return out->kind == LOAD_POSITION || strcmp(optarg, "status") == 0;
    case 'H': out->hold = true; return true;
    case 's': out->storm = true; return true;
    case 'o': out->one_address = true; return true;
    case 'j': out->json = true; return true;
    case 'h': fputs(usage, stdout); exit(EXIT_DONE);
    default: return false;
    }
}

static bool read_options(struct load_options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"data", required_argument, NULL, 'd'},    {"gateway", required_argument, NULL, 'g'},
        {"clients", required_argument, NULL, 'n'}, {"for", required_argument, NULL, 'f'},
        {"batch", required_argument, NULL, 'b'},   {"kind", required_argument, NULL, 'k'},
        {"hold", no_argument, NULL, 'H'},          {"storm", no_argument, NULL, 's'},
        {"one-address", no_argument, NULL, 'o'},   {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    *out = (struct load_options){.clients = 100, .batch = 1, .for_us = 10 * US_PER_SECOND};
    for (int letter; (letter = getopt_long(argc, argv, "", words, NULL)) != -1;)
        if (!take_option(out, letter)) return false;
    return optind == argc && out->data_dir != NULL;
}

/* Each device is a descriptor here, and one at the gateway. */
static enum err raise_descriptor_limit(uint32_t clients, struct problem *problem)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return ERR_OK;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max >= clients + OWN_DESCRIPTORS)
        return ERR_OK;
    return problem_set(problem, ERR_CONFLICT, "--clients",
                       "%u devices need %u descriptors, %llu are allowed (ulimit -n)", clients,
                       clients + OWN_DESCRIPTORS, (unsigned long long)limit.rlim_max);
}

static enum err load_open(struct load *load, struct problem *problem)
{
    uint64_t chance = identity_chance();
    enum err err = system_find(&load->system, load->options.data_dir, problem);
    if (err != ERR_OK) return err;
    if (load->options.gateway == NULL) load->options.gateway = load->system.gateway;
    if (strncmp(load->options.gateway, "tls+", 4) == 0) {
        char ca_file[SYSTEM_TEXT + 32];
        snprintf(ca_file, sizeof ca_file, "%s/tls/ca.pem", load->options.data_dir);
        err = sp_trust_open(&load->trust, ca_file, problem);
    }
    if (err == ERR_OK) err = raise_descriptor_limit(load->options.clients, problem);
    if (err != ERR_OK) return err;
    load->base = event_base_new();
    CHECK(load->base != NULL);
    arena_open(&load->arena, ARENA_BYTES);
    load->chance = (struct rng){chance};
    snprintf(load->run, sizeof load->run, "%08x", (unsigned)(chance >> 32));
    return ERR_OK;
}

static void load_close(struct load *load)
{
    for (uint32_t i = 0; load->tokens != NULL && i < load->options.clients; i++)
        free(load->tokens[i]);
    free(load->tokens);
    samples_fini(&load->count.latency);
    samples_fini(&load->storm.latency);
    samples_fini(&load->storm.whole);
    arena_close(&load->arena);
    sp_trust_close(load->trust);
    if (load->base != NULL) event_base_free(load->base);
}

static int exit_code(const struct load *load, bool interrupted)
{
    bool back = !load->options.storm || load->storm.synced == load->options.clients;
    if (interrupted) return EXIT_INTERRUPTED;
    return back && load->rejected == 0 ? EXIT_DONE : EXIT_VIOLATION;
}

static int refuse(enum err err, const struct problem *problem)
{
    fprintf(stderr, "callout load: %s: %s\n", problem->field, problem->text);
    if (err == ERR_NOT_FOUND || err == ERR_IO) return EXIT_UNREACHABLE;
    return err == ERR_INVALID || err == ERR_CONFLICT ? EXIT_CONFIG : EXIT_FAILED;
}

int load_main(int argc, char **argv)
{
    static struct load load;
    struct problem problem = {{0}, {0}};
    bool interrupted = false;
    log_open("load", LOG_INFO);
    if (!read_options(&load.options, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    enum err err = load_open(&load, &problem);
    if (err == ERR_OK) err = setup_make(&load, &problem);
    if (err == ERR_OK) err = phases_run(&load, &interrupted, &problem);
    if (err == ERR_OK) figures_print(&load, interrupted);
    int code = err == ERR_OK ? exit_code(&load, interrupted) : refuse(err, &problem);
    load_close(&load);
    return code;
}
