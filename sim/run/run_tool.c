#include "sim/run/run_tool.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "sim/import.h"
#include "sim/run/run_text.h"
#include "sim/sim.h"
#include "sim/study/study_tool.h"
#include "sim/world/run.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SWEEP_ARGUMENTS_MAX = 2 * SCENARIO_SETS_MAX + 16, COMMAND_BYTES = 2048 };

struct tool {
    const char *name, *seeds, *threads, *report;
    uint64_t seed;
    char command[COMMAND_BYTES];
    const char *sets[SCENARIO_SETS_MAX];
    size_t set_count;
    bool json, help, no_cost, no_progress;
    bool shows; /* progress */
    int64_t began_us;
};

static volatile sig_atomic_t end_asked;

static void on_end_signal(int signal)
{
    (void)signal;
    end_asked = 1;
}

static int usage(FILE *out)
{
    fprintf(out, "callout sim run town-small\n"
                 "callout sim run week --seed 7 --report week\n"
                 "callout sim run monday.ini --seeds 100 --set workforce.technicians=9\n"
                 "\n"
                 "usage: callout sim run SCENARIO | FILE | DAY-DIR [OPTION]...\n"
                 "  --seed N           1 unless told\n"
                 "  --seeds N | A-B    many of them: means with intervals\n"
                 "  --threads T        so many runs at once, with --seeds\n"
                 "  --set KEY=VALUE    in place of the scenario's; `callout sim scenario --keys`\n"
                 "  --report DIR       the page, with its figures as CSV and JSON\n"
                 "  --json             one object on standard output\n"
                 "  --no-cost          does not live the days without their faults as well\n"
                 "  --no-progress\n");
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

/* --- options --------------------------------------------------------------------------------- */

static bool read_seed(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out <= INT64_MAX;
}

static bool read_option(struct tool *tool, int word)
{
    switch (word) {
    case 's':
        if (read_seed(optarg, &tool->seed)) return true;
        fprintf(stderr, "callout sim: --seed: \"%s\" is not a whole number\n", optarg);
        return false;
    case 'n': tool->seeds = optarg; return true;
    case 't': tool->threads = optarg; return true;
    case 'r': tool->report = optarg; return true;
    case 'e':
        if (tool->set_count == SCENARIO_SETS_MAX) return false;
        tool->sets[tool->set_count++] = optarg;
        return true;
    case 'j': tool->json = true; return true;
    case 'c': tool->no_cost = true; return true;
    case 'q': tool->no_progress = true; return true;
    case 'h': tool->help = true; return true;
    default: return false;
    }
}

static bool read_options(struct tool *tool, int argc, char **argv)
{
    static const struct option words[] = {
        {"seed", required_argument, NULL, 's'},    {"seeds", required_argument, NULL, 'n'},
        {"threads", required_argument, NULL, 't'}, {"set", required_argument, NULL, 'e'},
        {"report", required_argument, NULL, 'r'},  {"json", no_argument, NULL, 'j'},
        {"no-cost", no_argument, NULL, 'c'},       {"no-progress", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    *tool = (struct tool){.seed = 1};
    optind = 1;
    for (int word; (word = getopt_long(argc, argv, "h", words, NULL)) != -1;)
        if (!read_option(tool, word)) return false;
    if (tool->help) return true;
    if (argc - optind != 1) return false;
    tool->name = argv[optind];
    return true;
}

/* --- many seeds ------------------------------------------------------------------------------ */

/* An argument for getopt, which does not write what it permutes. */
static char *argument(const char *text)
{
    union {
        const char *borrowed;
        char *text;
    } both = {text};
    return both.text;
}

static int sweep(const struct tool *tool)
{
    char *argv[SWEEP_ARGUMENTS_MAX];
    int argc = 0;
    argv[argc++] = argument("sweep");
    argv[argc++] = argument(tool->name);
    argv[argc++] = argument("--seeds");
    argv[argc++] = argument(tool->seeds);
    if (tool->threads != NULL) {
        argv[argc++] = argument("--workers");
        argv[argc++] = argument(tool->threads);
    }
    for (size_t i = 0; i < tool->set_count; i++) {
        argv[argc++] = argument("--set");
        argv[argc++] = argument(tool->sets[i]);
    }
    if (tool->report != NULL) {
        argv[argc++] = argument("--report");
        argv[argc++] = argument(tool->report);
    }
    if (tool->json) argv[argc++] = argument("--json");
    if (tool->no_progress) argv[argc++] = argument("--no-progress");
    argv[argc] = NULL;
    CHECK(argc < SWEEP_ARGUMENTS_MAX);
    optind = 1;
    return study_main(argc, argv);
}

/* --- one seed -------------------------------------------------------------------------------- */

static bool on_progress(void *context, int32_t permille)
{
    const struct tool *tool = context;
    if (tool->shows && permille > 0) {
        int64_t took_us = clock_mono_us() - tool->began_us;
        int64_t left_s = took_us * (1000 - permille) / permille / US_PER_SECOND;
        fprintf(stderr, "\r%3d %%  %lld s left \x1b[K", permille / 10, (long long)left_s);
    }
    return !end_asked;
}

static int refuse(const struct day_errors *errors, enum err err)
{
    import_print_errors(errors);
    if (err == ERR_INVALID || err == ERR_TOO_LARGE) return EXIT_CONFIG;
    return err == ERR_NOT_FOUND || err == ERR_IO ? EXIT_UNREACHABLE : EXIT_FAILED;
}

/* What makes the same page again: where it was written to is no part of it. */
static void write_command(struct tool *tool)
{
    size_t used = (size_t)snprintf(
        tool->command, sizeof tool->command, "callout sim run %s --seed %llu%s", tool->name,
        (unsigned long long)tool->seed, tool->no_cost ? " --no-cost" : "");
    for (size_t i = 0; i < tool->set_count && used < sizeof tool->command; i++)
        used += (size_t)snprintf(tool->command + used, sizeof tool->command - used,
                                 strchr(tool->sets[i], ' ') == NULL ? " --set %s" : " --set \"%s\"",
                                 tool->sets[i]);
}

static int tell(const struct tool *tool, const struct scenario *scenario,
                const struct run_result *result)
{
    struct problem problem;
    enum err err = ERR_OK;
    if (tool->json) {
        json_t *object = run_result_json(result);
        json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        printf("\n");
        json_decref(object);
    } else
        run_print(result, scenario);
    if (tool->report != NULL)
        err = run_write_page(result, scenario, tool->command, tool->report, &problem);
    if (err != ERR_OK) {
        fprintf(stderr, "callout sim: %s: %s\n", problem.field, problem.text);
        return EXIT_FAILED;
    }
    const struct run_commands *said = &result->commands;
    if (said->lost + said->doubled == 0) return EXIT_DONE;
    fprintf(stderr, "callout sim: %llu commands were lost, %llu are there twice\n",
            (unsigned long long)said->lost, (unsigned long long)said->doubled);
    return EXIT_VIOLATION;
}

static int run_once(struct tool *tool)
{
    static struct scenario scenario;
    static struct day_errors errors;
    static struct run_result result;
    enum err err = scenario_read(&scenario, tool->name, tool->sets, tool->set_count, &errors);
    if (err != ERR_OK) return refuse(&errors, err);
    log_open("sim", scenario.fault_count > 0 ? LOG_SILENT : LOG_ERROR); /* faults are meant */
    struct run_options options = {
        .scenario = &scenario, .seed = tool->seed, .progress = on_progress, .context = tool};
    err = tool->no_cost ? run_scenario(&result, &options, &errors)
                        : run_with_cost(&result, &options, &errors);
    if (tool->shows) fprintf(stderr, "\r\x1b[K");
    if (err == ERR_RETRY && end_asked) return EXIT_INTERRUPTED;
    if (err != ERR_OK) return refuse(&errors, err);
    int code = tell(tool, &scenario, &result);
    run_result_fini(&result);
    return code;
}

int run_main(int argc, char **argv)
{
    static struct tool tool;
    const struct sigaction action = {.sa_handler = on_end_signal};
    if (!read_options(&tool, argc, argv)) return usage(stderr);
    if (tool.help) return usage(stdout);
    if (tool.seeds != NULL) return sweep(&tool);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    tool.shows = !tool.no_progress && isatty(STDERR_FILENO);
    tool.began_us = clock_mono_us();
    write_command(&tool);
    return run_once(&tool);
}

int sim_verbs_main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "run") == 0) return run_main(argc - 1, argv + 1);
    return sim_main(argc, argv);
}
