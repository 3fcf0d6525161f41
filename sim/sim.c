/* sim.c - see sim.h: options, the day, the system, then live_run between import and report. */
#include "sim/sim.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "sim/import.h"
#include "sim/live.h"
#include "sim/report.h"
#include "sim/scenario/scenario_tool.h"
#include "sim/scratch.h"
#include "sim/study/study_tool.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, TOKEN_BYTES = 128, NOT_SET = -1 };

static const double rate_default = 120, rate_max = 720;
static const int64_t before_shift_us = 30 * US_PER_MINUTE; /* the system starts so long before */
static const int64_t after_shift_us = 60 * US_PER_MINUTE;  /* and needs so long for overtime */
static const double closing_s = 6; /* of --for: starting, draining, ending */

struct options {
    bool demo;
    const char *data, *gateway, *key_file, *ca_file, *tokens_file, *day, *fleet, *territory, *zone;
    const char *metrics, *work;
    double for_s, rate;
    uint64_t seed;
    long ill, emergencies, cancels;
    bool json;
};

static int usage(void)
{
    fprintf(stderr,
            "usage: callout sim demo [--for TIME] [--json] [--day DIR] [--rate R] [--data DIR] "
            "[--work N]\n"
            "       callout sim live --data DIR | --gateway URL --key-file FILE --tokens FILE\n"
            "                        --day DIR [--for TIME] [--json] [--fleet DIR]\n"
            "       both: [--territory NAME] [--time-zone ZONE] [--seed N] [--ill N]\n"
            "             [--emergencies N] [--cancels N] [--metrics FILE]\n"
            "       callout sim run SCENARIO | FILE | DAY-DIR [--seed N] [--report DIR]\n"
            "       callout sim scenario [NAME | FILE] [--show | --csv DIR | --keys]\n"
            "       callout sim sweep SCENARIO [--seeds N] [--vary KEY=V1,V2]...\n"
            "       callout sim compare SCENARIO [--with KEY=V]... [--against SCENARIO]...\n"
            "A day is a folder with technicians.csv and orders.csv; TIME is 60, 60s, 10m or 1h.\n");
    return EXIT_USAGE;
}

/* --- options --------------------------------------------------------------------------------- */

/* "60", "60s", "10m", "1h" in seconds; negative: not a time. */
static double read_seconds(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || !isfinite(value) || value <= 0) return -1;
    double unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : 1;
    if (*end != '\0' && strchr("smh", *end) != NULL) end++;
    return *end == '\0' && value * unit < 1e8 ? value * unit : -1;
}

static bool read_count(const char *text, long *out)
{
    char *end;
    *out = strtol(text, &end, 10);
    return end != text && *end == '\0' && *out >= 0 && *out <= 100000;
}

static bool read_option(struct options *out, int word)
{
    long seed;
    switch (word) {
    case 'd': out->data = optarg; return true;
    case 'g': out->gateway = optarg; return true;
    case 'k': out->key_file = optarg; return true;
    case 'c': out->ca_file = optarg; return true;
    case 'T': out->tokens_file = optarg; return true;
    case 'D': out->day = optarg; return true;
    case 'F': out->fleet = optarg; return true;
    case 't': out->territory = optarg; return true;
    case 'z': out->zone = optarg; return true;
    case 'm': out->metrics = optarg; return true;
    case 'w': out->work = optarg; return true;
    case 'j': out->json = true; return true;
    case 'f': out->for_s = read_seconds(optarg); return out->for_s > 0;
    case 'r': out->rate = read_seconds(optarg); return out->rate > 0;
    case 'i': return read_count(optarg, &out->ill);
    case 'e': return read_count(optarg, &out->emergencies);
    case 'x': return read_count(optarg, &out->cancels);
    case 's':
        if (!read_count(optarg, &seed)) return false;
        out->seed = (uint64_t)seed;
        return true;
    default: return false;
    }
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"data", required_argument, NULL, 'd'},
        {"gateway", required_argument, NULL, 'g'},
        {"key-file", required_argument, NULL, 'k'},
        {"ca", required_argument, NULL, 'c'},
        {"tokens", required_argument, NULL, 'T'},
        {"day", required_argument, NULL, 'D'},
        {"fleet", required_argument, NULL, 'F'},
        {"territory", required_argument, NULL, 't'},
        {"time-zone", required_argument, NULL, 'z'},
        {"metrics", required_argument, NULL, 'm'},
        {"work", required_argument, NULL, 'w'},
        {"json", no_argument, NULL, 'j'},
        {"for", required_argument, NULL, 'f'},
        {"rate", required_argument, NULL, 'r'},
        {"ill", required_argument, NULL, 'i'},
        {"emergencies", required_argument, NULL, 'e'},
        {"cancels", required_argument, NULL, 'x'},
        {"seed", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    *out = (struct options){.territory = "main",
                            .zone = "Europe/Vaduz",
                            .seed = 1,
                            .ill = NOT_SET,
                            .emergencies = NOT_SET,
                            .cancels = NOT_SET};
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;)
        if (!read_option(out, word)) return false;
    return optind == argc;
}

/* --- a run ----------------------------------------------------------------------------------- */

struct run {
    struct options options;
    struct day day;
    struct system system;
    char work[PATH_BYTES]; /* a folder of our own: data, devices, the system's log */
    char data[PATH_BYTES];
    char log[PATH_BYTES];
    char *tokens_text;
    const char **tokens;
    int64_t began_mono_us;
    struct live *live;
    struct live_summary summary;
};

static int fail(const struct problem *problem, enum err err)
{
    fprintf(stderr, "callout sim: %s: %s\n", problem->field, problem->text);
    if (err == ERR_INVALID || err == ERR_TOO_LARGE) return EXIT_CONFIG;
    return err == ERR_IO || err == ERR_NOT_FOUND ? EXIT_UNREACHABLE : EXIT_FAILED;
}

/* The day that comes with the source: beside the program's build folder, or below the current one.
 */
static void find_own_day(char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "sim/day");
    if (access(path, R_OK) == 0) return;
    char program[PATH_BYTES];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0) return;
    program[size] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/');
        if (slash == NULL) return;
        *slash = '\0';
    }
    snprintf(path, PATH_BYTES, "%.1000s/sim/day", program);
}

static int read_day(struct run *run)
{
    static struct day_errors errors;
    char folder[PATH_BYTES], technicians[PATH_BYTES + 32], orders[PATH_BYTES + 32];
    if (run->options.day != NULL)
        snprintf(folder, sizeof folder, "%s", run->options.day);
    else
        find_own_day(folder);
    snprintf(technicians, sizeof technicians, "%s/technicians.csv", folder);
    snprintf(orders, sizeof orders, "%s/orders.csv", folder);
    if (day_read(&run->day, technicians, orders, run->options.zone, &errors) == ERR_OK)
        return EXIT_DONE;
    import_print_errors(&errors);
    return EXIT_CONFIG;
}

/* How many of each, unless told: enough of everything that changes a plan. */
static void choose_trouble(struct run *run)
{
    struct options *options = &run->options;
    if (options->ill == NOT_SET) options->ill = (long)run->day.technician_count / 6;
    if (options->emergencies == NOT_SET) options->emergencies = (long)run->day.order_count / 5;
    if (options->cancels == NOT_SET) options->cancels = (long)run->day.order_count / 12;
}

/* With --for the day is made to fit, within what the system can keep up with. */
static double choose_rate(const struct run *run)
{
    const struct options *options = &run->options;
    if (options->rate > 0) return options->rate;
    if (options->for_s == 0) return rate_default;
    double day_s =
        (double)(run->day.end_us - run->day.start_us + before_shift_us + after_shift_us) /
        US_PER_SECOND;
    double live_s = options->for_s > 2 * closing_s ? options->for_s - closing_s : closing_s;
    double rate = ceil(day_s / live_s);
    return rate < 60 ? 60 : rate > rate_max ? rate_max : rate;
}

static enum err make_work_folder(struct run *run, struct problem *problem)
{
    snprintf(run->work, sizeof run->work, "/tmp/callout-sim-XXXXXX");
    if (mkdtemp(run->work) == NULL)
        return problem_set(problem, ERR_IO, run->work, "cannot be made");
    snprintf(run->log, sizeof run->log, "%.1000s/serve.log", run->work);
    if (run->options.data != NULL)
        snprintf(run->data, sizeof run->data, "%s", run->options.data);
    else
        snprintf(run->data, sizeof run->data, "%.1000s/data", run->work);
    return ERR_OK;
}

/* --- the system of a demo -------------------------------------------------------------------- */

static enum err start_system(struct run *run, struct problem *problem)
{
    char clock[64], start[32], seed[32];
    const char *work = run->options.work;
    snprintf(clock, sizeof clock, "%s,%g",
             clock_format_utc(run->day.start_us - before_shift_us, start), choose_rate(run));
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)run->options.seed);
    const char *more[] = {"--listen", "tcp://127.0.0.1:0",
                          "--admin",  "127.0.0.1:0",
                          "--clock",  clock,
                          "--seed",   seed,
                          "--lab",    work ? "--work" : NULL,
                          work,       NULL};
    return system_start(&run->system, run->data, more, run->log, problem);
}

static const char *ca_file_of(const struct run *run)
{
    return run->system.ca_file[0] == '\0' ? NULL : run->system.ca_file;
}

static int import(struct run *run)
{
    static struct day_errors errors;
    struct import_result result;
    struct import_target target = {.url = run->system.gateway,
                                   .ca_file = ca_file_of(run),
                                   .key = run->system.key,
                                   .territory_id = run->options.territory,
                                   .known_at_us = run->day.start_us - before_shift_us};
    enum err err = import_day(&run->day, &target, &result, &errors);
    if (err == ERR_OK) return EXIT_DONE;
    import_print_errors(&errors);
    return err == ERR_IO ? EXIT_UNREACHABLE : EXIT_CONFIG;
}

/* --- enrolment ------------------------------------------------------------------------------- */

/* One token per line, in the order of the technicians. */
static enum err split_tokens(struct run *run, struct problem *problem)
{
    size_t count = run->day.technician_count, have = 0;
    run->tokens = calloc(count, sizeof *run->tokens);
    CHECK(run->tokens != NULL);
    for (char *at = run->tokens_text; *at != '\0' && have < count;) {
        size_t size = strcspn(at, "\r\n");
        char *end = at + size;
        end += strspn(end, "\r\n");
        at[size] = '\0';
        if (size > 0) run->tokens[have++] = at;
        at = end;
    }
    if (have == count) return ERR_OK;
    return problem_set(problem, ERR_INVALID, "tokens", "%zu for %zu technicians", have, count);
}

static enum err enrol(struct run *run, struct problem *problem)
{
    size_t count = run->day.technician_count;
    size_t room = count * TOKEN_BYTES + 1024;
    const char **arguments = calloc(count + 8, sizeof *arguments);
    run->tokens_text = calloc(room, 1);
    CHECK(arguments != NULL && run->tokens_text != NULL);
    size_t used = 0;
    arguments[used++] = "callout";
    arguments[used++] = "admin";
    arguments[used++] = "enrol";
    arguments[used++] = "--data";
    arguments[used++] = run->system.data_dir;
    for (size_t i = 0; i < count; i++)
        arguments[used++] = run->day.technicians[i].id;
    enum err err = system_command(arguments, run->tokens_text, room, problem);
    free(arguments);
    return err == ERR_OK ? split_tokens(run, problem) : err;
}

static enum err read_tokens(struct run *run, struct problem *problem)
{
    size_t room = run->day.technician_count * TOKEN_BYTES + 1024;
    FILE *file = fopen(run->options.tokens_file, "r");
    if (file == NULL)
        return problem_set(problem, ERR_NOT_FOUND, run->options.tokens_file, "cannot be read");
    run->tokens_text = calloc(room, 1);
    CHECK(run->tokens_text != NULL);
    size_t size = fread(run->tokens_text, 1, room - 1, file);
    fclose(file);
    run->tokens_text[size] = '\0';
    return split_tokens(run, problem);
}

/* --- living ---------------------------------------------------------------------------------- */

static enum live_show choose_show(const struct options *options)
{
    if (options->json) return LIVE_QUIET;
    return isatty(STDOUT_FILENO) ? LIVE_BOARD : LIVE_LINES;
}

static int live(struct run *run)
{
    const struct options *options = &run->options;
    char folder[PATH_BYTES];
    if (options->fleet != NULL)
        snprintf(folder, sizeof folder, "%s", options->fleet);
    else
        snprintf(folder, sizeof folder, "%.1000s/fleet", run->work);
    struct live_options live_options = {
        .day = &run->day,
        .system = &run->system,
        .ca_file = ca_file_of(run),
        .territory_id = options->territory,
        .folder = folder,
        .tokens = run->tokens,
        .habits = &habits_default,
        .seed = options->seed,
        .ill = (uint32_t)options->ill,
        .emergencies = (uint32_t)options->emergencies,
        .cancels = (uint32_t)options->cancels,
        .known_at_us = options->demo ? run->day.start_us - before_shift_us : 0,
        .until_mono_us = options->for_s == 0
                             ? INT64_MAX
                             : run->began_mono_us + (int64_t)((options->for_s - 2) * US_PER_SECOND),
        .show = choose_show(options),
    };
    struct problem problem = {0};
    enum err err = live_run(&run->live, &live_options, &run->summary, &problem);
    return err == ERR_OK ? EXIT_DONE : fail(&problem, err);
}

static int report(struct run *run)
{
    const struct options *options = &run->options;
    if (options->json)
        report_json(&run->summary);
    else
        report_text(&run->summary);
    bool held = true;
    struct problem problem = {0};
    if (options->metrics != NULL &&
        report_metrics(&run->summary, options->metrics, &held, &problem) != ERR_OK)
        return fail(&problem, ERR_IO);
    const char *failure = report_failure(&run->summary);
    if (failure != NULL) {
        fprintf(stderr, "callout sim: %s\n", failure);
        return EXIT_FAILED;
    }
    return held ? EXIT_DONE : EXIT_VIOLATION;
}

/* The end of what the system said, for whoever has to find out what went wrong. */
static void print_log_tail(const char *path)
{
    char tail[4096];
    FILE *file = fopen(path, "r");
    if (file == NULL) return;
    if (fseek(file, -(long)(sizeof tail - 1), SEEK_END) != 0) rewind(file);
    size_t size = fread(tail, 1, sizeof tail - 1, file);
    fclose(file);
    fprintf(stderr, "--- the end of the system's log:\n%.*s", (int)size, tail);
}

static void close_run(struct run *run)
{
    live_close(run->live);
    free(run->tokens);
    free(run->tokens_text);
    day_fini(&run->day);
}

static int run_demo(struct run *run)
{
    struct problem problem = {0};
    enum err err = make_work_folder(run, &problem);
    if (err == ERR_OK) err = start_system(run, &problem);
    if (err != ERR_OK) {
        print_log_tail(run->log);
        return fail(&problem, err);
    }
    int code = import(run);
    if (code == EXIT_DONE && (err = enrol(run, &problem)) != ERR_OK) code = fail(&problem, err);
    if (code == EXIT_DONE) code = live(run);
    bool ended_well = system_stop(&run->system);
    if (code == EXIT_DONE) code = report(run);
    if (code == EXIT_DONE && !ended_well) {
        fprintf(stderr, "callout sim: the system did not end cleanly\n");
        code = EXIT_FAILED;
    }
    if (code == EXIT_DONE || code == EXIT_VIOLATION) {
        scratch_remove(run->work);
        return code;
    }
    print_log_tail(run->log);
    fprintf(stderr, "callout sim: its data and log stay in %s\n", run->work);
    return code;
}

static enum err find_system(struct run *run, struct problem *problem)
{
    const struct options *options = &run->options;
    if (options->data != NULL) return system_find(&run->system, options->data, problem);
    snprintf(run->system.gateway, sizeof run->system.gateway, "%s", options->gateway);
    if (options->ca_file != NULL)
        snprintf(run->system.ca_file, sizeof run->system.ca_file, "%s", options->ca_file);
    return system_read_line(options->key_file, run->system.key, sizeof run->system.key, problem);
}

static int run_live(struct run *run)
{
    struct problem problem = {0};
    enum err err = make_work_folder(run, &problem);
    if (err == ERR_OK) err = find_system(run, &problem);
    if (err == ERR_OK)
        err = run->options.tokens_file != NULL ? read_tokens(run, &problem) : enrol(run, &problem);
    int code = err == ERR_OK ? live(run) : fail(&problem, err);
    if (code == EXIT_DONE) code = report(run);
    scratch_remove(run->work);
    return code;
}

int sim_main(int argc, char **argv)
{
    static struct run run;
    if (argc >= 2 && strcmp(argv[1], "scenario") == 0) return scenario_main(argc - 1, argv + 1);
    if (argc >= 2 && (strcmp(argv[1], "sweep") == 0 || strcmp(argv[1], "compare") == 0))
        return study_main(argc - 1, argv + 1);
    run.began_mono_us = clock_mono_us();
    bool demo = argc >= 2 && strcmp(argv[1], "demo") == 0;
    bool live_verb = argc >= 2 && strcmp(argv[1], "live") == 0;
    if (!demo && !live_verb) return usage();
    if (!read_options(&run.options, argc - 1, argv + 1)) return usage();
    run.options.demo = demo;
    bool by_url = run.options.gateway != NULL && run.options.key_file != NULL &&
                  run.options.tokens_file != NULL;
    if (live_verb && (run.options.day == NULL || (run.options.data == NULL && !by_url)))
        return usage();
    log_open("sim", LOG_WARN);
    live_catch_signals();
    int code = read_day(&run);
    if (code != EXIT_DONE) return code;
    choose_trouble(&run);
    code = demo ? run_demo(&run) : run_live(&run);
    close_run(&run);
    return code;
}
