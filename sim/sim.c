/* sim.c - see sim.h: options, the day, the system, then live_run between import and report. */
#include "sim/sim.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/nearest.h"
#include "sim/console.h"
#include "sim/hands.h"
#include "sim/import.h"
#include "sim/live.h"
#include "sim/phone.h"
#include "sim/report.h"
#include "sim/scenario/scenario_tool.h"
#include "sim/scratch.h"
#include "sim/sim_options.h"
#include "sim/study/study_tool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };

static const double rate_default = 120, rate_max = 720;
static const int64_t before_shift_us = 30 * US_PER_MINUTE; /* the system starts so long before */
static const int64_t after_shift_us = 60 * US_PER_MINUTE;  /* and needs so long for overtime */
static const double closing_s = 6; /* of --for: starting, draining, ending */

/* --- a run ----------------------------------------------------------------------------------- */

struct run {
    struct sim_options options;
    struct day day;
    struct system system;
    char work[PATH_BYTES]; /* a folder of our own: data, devices, the system's log */
    char data[PATH_BYTES];
    char log[PATH_BYTES];
    char *tokens_text;
    const char **tokens;
    char console[CONSOLE_TEXT]; /* where to look on, and as whom; "": nowhere */
    char app[CONSOLE_TEXT];     /* where to be one of the technicians; "": nowhere */
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
    struct sim_options *options = &run->options;
    if (options->ill == SIM_NOT_SET) options->ill = (long)run->day.technician_count / 6;
    if (options->emergencies == SIM_NOT_SET) options->emergencies = (long)run->day.order_count / 5;
    if (options->cancels == SIM_NOT_SET) options->cancels = (long)run->day.order_count / 12;
}

/* With --for the day is made to fit, within what the system can keep up with. */
static double choose_rate(const struct run *run)
{
    const struct sim_options *options = &run->options;
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
    const char *work = run->options.work, *http = run->options.http;
    if (http == NULL) http = console_address();
    snprintf(clock, sizeof clock, "%s,%g",
             clock_format_utc(run->day.start_us - before_shift_us, start), choose_rate(run));
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)run->options.seed);
    const char *more[16] = {
        "--listen", "tcp://127.0.0.1:0", "--admin", "127.0.0.1:0", "--clock", clock, "--seed", seed,
        "--lab"};
    size_t count = 9;
    if (work != NULL) more[count++] = "--work", more[count++] = work;
    if (http != NULL) more[count++] = "--http", more[count++] = http;
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
    size_t room = count * SYSTEM_TOKEN + 1024;
    const char **ids = calloc(count + 1, sizeof *ids);
    run->tokens_text = calloc(room, 1);
    CHECK(ids != NULL && run->tokens_text != NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = run->day.technicians[i].id;
    enum err err = system_enrol(run->system.data_dir, ids, count, run->tokens_text, room, problem);
    free(ids);
    return err == ERR_OK ? split_tokens(run, problem) : err;
}

static enum err read_tokens(struct run *run, struct problem *problem)
{
    size_t room = run->day.technician_count * SYSTEM_TOKEN + 1024;
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

/* One of the technicians is whoever opens the app with this link; until then he is virtual. */
static void open_app(struct run *run)
{
    const struct fleet_options fleet = {
        .day = &run->day, .seed = run->options.seed, .ill = (uint32_t)run->options.ill};
    struct problem problem = {0};
    size_t who = fleet_well(&fleet);
    if (who == run->day.technician_count) return;
    if (console_app_link(&run->system, run->day.technicians[who].id, run->app, &problem) != ERR_OK)
        fprintf(stderr, "callout sim: no link for the app: %s: %s\n", problem.field, problem.text);
}

/* A demo without a console is one, too. */
static void open_console(struct run *run)
{
    struct problem problem = {0};
    enum err err =
        console_open(&run->system, run->options.territory, run->log, run->console, &problem);
    FILE *out = run->options.json ? stderr : stdout; /* a pipe gets its one object */
    if (err == ERR_OK) open_app(run);
    if (err == ERR_OK)
        fprintf(out, "%s\n%s%s", run->console, run->app, run->app[0] == '\0' ? "" : "\n");
    else
        fprintf(stderr, "callout sim: no console: %s: %s\n", problem.field, problem.text);
    fflush(out);
}

/* --- living ---------------------------------------------------------------------------------- */

static enum live_show choose_show(const struct sim_options *options)
{
    if (options->json) return LIVE_QUIET;
    return isatty(STDOUT_FILENO) ? LIVE_BOARD : LIVE_LINES;
}

static int live(struct run *run)
{
    const struct sim_options *options = &run->options;
    char folder[PATH_BYTES], control[HANDS_PATH], hint[PATH_BYTES] = "";
    hands_path(run->system.data_dir, control);
    if (run->system.data_dir[0] != '\0')
        snprintf(hint, sizeof hint,
                 "%s%s%s%scallout sim phone --data %.400s TECHNICIAN takes one over", run->console,
                 run->console[0] == '\0' ? "" : "\n", run->app, run->app[0] == '\0' ? "" : "\n",
                 run->system.data_dir);
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
        .control = options->control != NULL          ? options->control
                   : run->system.data_dir[0] == '\0' ? NULL
                                                     : control,
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
        .hint = hint,
    };
    struct problem problem = {0};
    enum err err = live_run(&run->live, &live_options, &run->summary, &problem);
    return err == ERR_OK ? EXIT_DONE : fail(&problem, err);
}

static int report(struct run *run)
{
    const struct sim_options *options = &run->options;
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
    if (code == EXIT_DONE) open_console(run);
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
    const struct sim_options *options = &run->options;
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

/* A verb that lives elsewhere, a question about all of them, or a word that was meant otherwise. */
static int other_verb(const char *word, int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*main)(int argc, char **argv); /* NULL: only to be meant */
    } verbs[] = {{"scenario", scenario_main},
                 {"sweep", study_main},
                 {"compare", study_main},
                 {"take-over", hands_main},
                 {"give-back", hands_main},
                 {"phone", phone_main},
                 {"run", NULL},
                 {"demo", NULL},
                 {"live", NULL}};
    enum { VERBS = sizeof verbs / sizeof verbs[0] };
    const char *words[VERBS];
    for (int i = 0; i < VERBS; i++) {
        words[i] = verbs[i].word;
        if (strcmp(word, words[i]) == 0 && verbs[i].main != NULL) return verbs[i].main(argc, argv);
    }
    bool asks = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
    if (asks) return sim_usage(stdout, "");
    const char *nearest = word[0] == '\0' ? NULL : nearest_word(word, words, VERBS);
    if (word[0] != '\0') fprintf(stderr, "callout sim: there is no verb \"%s\"", word);
    if (nearest != NULL) fprintf(stderr, "; did you mean \"%s\"?", nearest);
    if (word[0] != '\0') fputs("\n\n", stderr);
    return sim_usage(stderr, "");
}

int sim_main(int argc, char **argv)
{
    static struct run run;
    const char *verb = argc >= 2 ? argv[1] : "";
    bool demo = strcmp(verb, "demo") == 0, live_verb = strcmp(verb, "live") == 0;
    if (!demo && !live_verb) return other_verb(verb, argc - 1, argv + 1);
    run.began_mono_us = clock_mono_us();
    if (!sim_options_read(&run.options, argc - 1, argv + 1)) return sim_usage(stderr, verb);
    if (run.options.help) return sim_usage(stdout, verb);
    run.options.demo = demo;
    bool by_url = run.options.gateway != NULL && run.options.key_file != NULL &&
                  run.options.tokens_file != NULL;
    if (live_verb && (run.options.day == NULL || (run.options.data == NULL && !by_url)))
        return sim_usage(stderr, verb);
    log_open("sim", LOG_WARN);
    live_catch_signals();
    int code = read_day(&run);
    if (code != EXIT_DONE) return code;
    choose_trouble(&run);
    code = demo ? run_demo(&run) : run_live(&run);
    close_run(&run);
    return code;
}
