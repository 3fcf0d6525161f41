#include "sim/run/run_tool.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "sim/import.h"
#include "sim/report/page.h"
#include "sim/run/run_setup.h"
#include "sim/run/run_text.h"
#include "sim/scenario/scenario_tool.h"
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

enum { SWEEP_ARGUMENTS_MAX = 2 * SCENARIO_SETS_MAX + 24, COMMAND_BYTES = 2048 };

struct tool {
    const char *name, *seeds, *threads, *report;
    const char *solver_seconds, *solver_ms; /* as told; NULL: not */
    uint64_t seed;
    char command[COMMAND_BYTES];
    const char *sets[SCENARIO_SETS_MAX];
    size_t set_count;
    char like[SCENARIO_LIKE_SIZE]; /* as what is set */
    struct run_setup setup;
    bool json, help, no_cost, no_progress;
    bool shows; /* progress */
    int64_t began_us;
};

static volatile sig_atomic_t end_asked;

/* Whoever asks twice does not want to wait for the next look; what that leaves in memory goes when
 * the next run begins (sim/scratch.h). */
static void on_end_signal(int signal)
{
    (void)signal;
    if (end_asked) _exit(EXIT_INTERRUPTED);
    end_asked = 1;
}

static int usage(FILE *out)
{
    fprintf(out, "callout sim run town-small\n"
                 "callout sim run week --seed 7 --report week\n"
                 "callout sim run monday.ini --seeds 100 --set workforce.technicians=9\n"
                 "callout sim run DATA --policy careful.ini       a recorded day, lived otherwise\n"
                 "\n"
                 "usage: callout sim run SCENARIO | FILE | DAY-DIR | DATA-DIR [OPTION]...\n"
                 "A scenario of `callout sim scenario`, a text like it, a folder with\n"
                 "technicians.csv and orders.csv, or the data folder of a system: its day with\n"
                 "the most orders, as they came, where all takes as long as it took.\n"
                 "  --seed N           1 unless told\n"
                 "  --seeds N | A-B    many of them: means with intervals\n"
                 "  --threads T        so many runs at once, with --seeds\n"
                 "  --set KEY=VALUE    in place of the scenario's; `callout sim scenario --keys`\n"
                 "  --like DATA-DIR    journeys and visits take as long as recorded there\n"
                 "  --policy SCENARIO  the policy of that one\n"
                 "  --solver COMMAND   a program that speaks VROOM's JSON plans instead\n"
                 "  --solver-seconds S it is killed after so long; 10\n"
                 "  --solver-ms MS     what an answer takes in virtual time; 50\n"
                 "  --report DIR       the page, with its figures as CSV and JSON\n"
                 "  --json             one object on standard output\n"
                 "  --no-cost          does not live the days without their faults as well\n"
                 "  --no-progress\n"
                 "Exit code 3: a command was lost, or is there twice. 130: interrupted.\n");
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

static bool read_positive(const char *text, double most, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0.001 && *out <= most;
}

static bool add_set(struct tool *tool, const char *set)
{
    if (tool->set_count == SCENARIO_SETS_MAX) return false;
    tool->sets[tool->set_count++] = set;
    return true;
}

static bool set_like(struct tool *tool, const char *folder)
{
    return scenario_like_here(folder, tool->like) && add_set(tool, tool->like);
}

static bool read_option(struct tool *tool, int word)
{
    double ms;
    switch (word) {
    case 'l': return set_like(tool, optarg);
    case 'p': tool->setup.policy = optarg; return true;
    case 'S': tool->setup.solver = optarg; return true;
    case 'w':
        tool->solver_seconds = optarg;
        return read_positive(optarg, 3600, &tool->setup.solver_seconds);
    case 'm':
        tool->solver_ms = optarg;
        if (!read_positive(optarg, 3600000, &ms)) return false;
        tool->setup.solver_us = (int64_t)(ms * 1000);
        return true;
    case 's':
        if (read_seed(optarg, &tool->seed)) return true;
        fprintf(stderr, "callout sim: --seed: \"%s\" is not a whole number\n", optarg);
        return false;
    case 'n': tool->seeds = optarg; return true;
    case 't': tool->threads = optarg; return true;
    case 'r': tool->report = optarg; return true;
    case 'e': return add_set(tool, optarg);
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
        {"seed", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'n'},
        {"threads", required_argument, NULL, 't'},
        {"set", required_argument, NULL, 'e'},
        {"report", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},
        {"no-cost", no_argument, NULL, 'c'},
        {"no-progress", no_argument, NULL, 'q'},
        {"like", required_argument, NULL, 'l'},
        {"policy", required_argument, NULL, 'p'},
        {"solver", required_argument, NULL, 'S'},
        {"solver-seconds", required_argument, NULL, 'w'},
        {"solver-ms", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *tool = (struct tool){.seed = 1, .setup = run_setup_default()};
    optind = 1;
    for (int word; (word = getopt_long(argc, argv, "h", words, NULL)) != -1;)
        if (!read_option(tool, word)) return false;
    if (tool->help) return true;
    if (tool->like[0] != '\0' && argc == optind) { /* the recorded day itself */
        tool->name = strchr(tool->like, '=') + 1;
        return true;
    }
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

struct words {
    char *argv[SWEEP_ARGUMENTS_MAX + 1];
    int argc;
};

/* A word and its value; nothing if that is NULL. */
static void add_option(struct words *words, const char *word, const char *value)
{
    if (value == NULL) return;
    CHECK(words->argc + 2 <= SWEEP_ARGUMENTS_MAX);
    words->argv[words->argc++] = argument(word);
    if (value[0] != '\0') words->argv[words->argc++] = argument(value);
}

static int sweep(const struct tool *tool)
{
    struct words words = {.argc = 0};
    add_option(&words, "sweep", tool->name);
    add_option(&words, "--seeds", tool->seeds);
    add_option(&words, "--workers", tool->threads);
    for (size_t i = 0; i < tool->set_count; i++)
        add_option(&words, "--set", tool->sets[i]);
    add_option(&words, "--policy", tool->setup.policy);
    add_option(&words, "--solver", tool->setup.solver);
    add_option(&words, "--solver-seconds", tool->solver_seconds);
    add_option(&words, "--solver-ms", tool->solver_ms);
    add_option(&words, "--report", tool->report);
    if (tool->json) add_option(&words, "--json", "");
    if (tool->no_progress) add_option(&words, "--no-progress", "");
    optind = 1;
    return study_main(words.argc, words.argv);
}

/* --- one seed -------------------------------------------------------------------------------- */

static void on_world(void *context, struct world_options *options)
{
    struct tool *tool = context;
    run_setup_world(&tool->setup, options);
}

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
static void add_words(struct tool *tool, const char *word, const char *value)
{
    size_t used = strlen(tool->command);
    const char *quote = strpbrk(value, " *?$&;|<>()\\\"") == NULL ? "" : "'";
    snprintf(tool->command + used, sizeof tool->command - used, " %s%s%s%s%s", word,
             value[0] == '\0' ? "" : " ", quote, value, quote);
}

static void write_command(struct tool *tool)
{
    char number[32];
    snprintf(tool->command, sizeof tool->command, "callout sim run %s", tool->name);
    snprintf(number, sizeof number, "%llu", (unsigned long long)tool->seed);
    add_words(tool, "--seed", number);
    if (tool->no_cost) add_words(tool, "--no-cost", "");
    for (size_t i = 0; i < tool->set_count; i++)
        add_words(tool, "--set", tool->sets[i]);
    if (tool->setup.policy != NULL) add_words(tool, "--policy", tool->setup.policy);
    if (tool->setup.solver == NULL) return;
    add_words(tool, "--solver", tool->setup.solver);
    snprintf(number, sizeof number, "%g", (double)tool->setup.solver_us / 1000);
    add_words(tool, "--solver-ms", number);
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

/* Before the run, not after it. */
static enum err try_report(const struct tool *tool, struct day_errors *errors)
{
    errors->count = 1;
    return page_try(tool->report, &errors->items[0]) == ERR_OK ? ERR_OK : ERR_CONFLICT;
}

static int run_once(struct tool *tool)
{
    static struct scenario scenario;
    static struct day_errors errors;
    static struct run_result result;
    enum err err = scenario_read(&scenario, tool->name, tool->sets, tool->set_count, &errors);
    if (err == ERR_OK) err = run_setup_scenario(&tool->setup, &scenario, &errors);
    if (err == ERR_OK && tool->report != NULL) err = try_report(tool, &errors);
    if (err != ERR_OK) return refuse(&errors, err);
    log_open("sim", scenario.fault_count > 0 ? LOG_SILENT : LOG_ERROR); /* faults are meant */
    struct run_options options = {.scenario = &scenario,
                                  .seed = tool->seed,
                                  .adjust = on_world,
                                  .progress = on_progress,
                                  .context = tool};
    err = tool->no_cost ? run_scenario(&result, &options, &errors)
                        : run_with_cost(&result, &options, &errors);
    if (tool->shows) fprintf(stderr, "\r\x1b[K");
    if (err == ERR_RETRY && end_asked) return EXIT_INTERRUPTED;
    if (err != ERR_OK) return refuse(&errors, err);
    run_setup_result(&tool->setup, &result);
    int code = tell(tool, &scenario, &result);
    run_result_fini(&result);
    return code;
}

static int run_main(int argc, char **argv)
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
    int code = run_once(&tool);
    run_setup_close(&tool.setup);
    return code;
}

int sim_verbs_main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "run") == 0) return run_main(argc - 1, argv + 1);
    return sim_main(argc, argv);
}
