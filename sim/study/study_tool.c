#include "sim/study/study_tool.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/exit_code.h"
#include "base/version.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/scenario_tool.h"
#include "sim/study/study.h"
#include "sim/study/study_page.h"
#include "sim/study/workers.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_BYTES = 256,
    VARIES_MAX = 8,
    TEXT_BYTES = 2048,
    ARGUMENTS_MAX = 2 * SCENARIO_SETS_MAX + 24
};

/* One point of the comparison: a scenario and what is set in it. */
struct variant {
    char name[NAME_BYTES];
    const char *scenario;
    const char *policy; /* a scenario's name or file; NULL: the scenario's own */
    const char *solver; /* NULL: our optimizer */
    char *sets[SCENARIO_SETS_MAX];
    size_t set_count;
};

struct tool {
    bool compares;
    const char *scenario, *worker, *out, *figures, *report;
    char command[TEXT_BYTES];              /* as it was given */
    const char *common[SCENARIO_SETS_MAX]; /* --set: of every variant */
    size_t common_count;
    const char *policy, *solver; /* of every variant of a sweep */
    const char *solver_seconds, *solver_ms;
    char like[SCENARIO_LIKE_SIZE]; /* as what is set */
    const char *varies[VARIES_MAX];
    size_t vary_count;
    struct variant variants[RESULTS_VARIANTS_MAX];
    struct results_variant about[RESULTS_VARIANTS_MAX];
    size_t variant_count;
    uint64_t seed_first;
    size_t seed_count, workers;
    double confidence, limit_s;
    bool json, no_progress, help;
    char program[1024], program_digest[20];
    /* of the run that is started next */
    const char *arguments[ARGUMENTS_MAX];
    char seed[24];
};

static int usage(FILE *out, bool compares)
{
    static const char sweep[] =
        "callout sim sweep town-small --seeds 100 --vary workforce.technicians=7,8,9\n"
        "callout sim sweep week --vary demand.orders=60,80 --out week.jsonl --report week\n"
        "\n"
        "usage: callout sim sweep SCENARIO | FILE | DAY-DIR [--vary KEY=V1,V2,...]... "
        "[OPTION]...\n"
        "  --vary KEY=V1,V2,...    each value, in every combination; "
        "`callout sim scenario --keys`\n"
        "  --policy SCENARIO       the policy of that one\n"
        "  --solver COMMAND        a program that speaks VROOM's JSON plans instead\n";
    static const char compare[] =
        "callout sim compare town-small --with policy.freeze=1h --seeds 60\n"
        "callout sim compare town-small --with \"workforce.technicians=9, demand.orders=60\"\n"
        "callout sim compare monday.ini --against tuesday.ini --report days\n"
        "callout sim compare town-small --solver ./other-solver --policy careful.ini\n"
        "\n"
        "usage: callout sim compare SCENARIO | FILE | DAY-DIR VARIANT... [OPTION]...\n"
        "Each variant is lived on the same seeds as the scenario as it is:\n"
        "  --with \"KEY=V, KEY=V\"  with these values; `callout sim scenario --keys`\n"
        "  --against SCENARIO      another scenario\n"
        "  --policy SCENARIO       with the policy of that one\n"
        "  --solver COMMAND        with a program that speaks VROOM's JSON as planner\n";
    static const char both[] =
        "  --solver-seconds S      it is killed after so long; 10\n"
        "  --solver-ms MS          what an answer takes in virtual time; 50\n"
        "  --seeds N | FIRST-LAST  30 seeds from 1 unless told\n"
        "  --set KEY=VALUE         in every variant\n"
        "  --like DIR              journeys and visits take as long as recorded in a data folder\n"
        "  --workers N             runs at once; as many as there are processors\n"
        "  --out FILE              keeps every run; the same command goes on from there\n"
        "  --confidence PERCENT    95\n"
        "  --report DIR            the same as a page, with its figures as CSV and JSON\n"
        "  --figures WORD          prints only figures whose names hold it\n"
        "  --limit SECONDS         a longer run is ended and counts as failed\n"
        "  --json  --no-progress\n"
        "  --worker PROGRAM        runs this in place of callout sim run\n";
    fputs(compares ? compare : sweep, out);
    fputs(both, out);
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int complain(const char *what, const char *text)
{
    fprintf(stderr, "callout sim: %s: %s\n", what, text);
    return EXIT_USAGE;
}

/* --- options --------------------------------------------------------------------------------- */

static bool read_whole(const char *text, uint64_t *out, const char **end)
{
    char *behind;
    errno = 0;
    if (text[0] < '0' || text[0] > '9') return false;
    *out = strtoull(text, &behind, 10);
    *end = behind;
    return errno == 0 && *out <= INT64_MAX;
}

/* "500": from 1 on; "7-12". */
static bool read_seeds(const char *text, struct tool *tool)
{
    uint64_t first, last;
    const char *end;
    if (!read_whole(text, &first, &end)) return false;
    if (*end == '\0') {
        last = first;
        first = 1;
    } else if (*end != '-' || !read_whole(end + 1, &last, &end) || *end != '\0')
        return false;
    if (last < first || last - first >= RESULTS_SEEDS_MAX) return false;
    tool->seed_first = first;
    tool->seed_count = (size_t)(last - first) + 1;
    return true;
}

static bool read_number(const char *text, double low, double high, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out) && *out >= low && *out <= high;
}

static struct variant *add_variant(struct tool *tool, const char *scenario)
{
    if (tool->variant_count == RESULTS_VARIANTS_MAX) return NULL;
    struct variant *variant = &tool->variants[tool->variant_count++];
    *variant = (struct variant){.scenario = scenario};
    return variant;
}

static bool add_set(struct variant *variant, const char *text, size_t size)
{
    while (size > 0 && text[0] == ' ') {
        text++;
        size--;
    }
    if (size == 0 || variant->set_count == SCENARIO_SETS_MAX) return false;
    char *set = calloc(size + 1, 1);
    CHECK(set != NULL);
    memcpy(set, text, size);
    variant->sets[variant->set_count++] = set;
    return true;
}

/* "KEY=V, KEY=V" */
static bool read_with(struct tool *tool, const char *text)
{
    struct variant *variant = add_variant(tool, NULL);
    if (variant == NULL) return false;
    for (;;) {
        size_t size = strcspn(text, ",");
        if (!add_set(variant, text, size)) return false;
        text += size;
        if (*text++ == '\0') return true;
    }
}

/* Of a comparison it is one variant, of a sweep all of them. */
static bool add_solver(struct tool *tool, const char *command)
{
    struct variant *variant = tool->compares ? add_variant(tool, NULL) : NULL;
    if (tool->compares && variant == NULL) return false;
    *(tool->compares ? &variant->solver : &tool->solver) = command;
    return true;
}

static bool add_policy(struct tool *tool, const char *scenario)
{
    struct variant *variant = tool->compares ? add_variant(tool, NULL) : NULL;
    if (tool->compares && variant == NULL) return false;
    *(tool->compares ? &variant->policy : &tool->policy) = scenario;
    return true;
}

static bool add_common(struct tool *tool, const char *set)
{
    if (tool->common_count == SCENARIO_SETS_MAX) return false;
    tool->common[tool->common_count++] = set;
    return true;
}

static bool add_like(struct tool *tool, const char *folder)
{
    return scenario_like_here(folder, tool->like) && add_common(tool, tool->like);
}

static bool read_option(struct tool *tool, int word)
{
    double workers, number;
    switch (word) {
    case 's': return read_seeds(optarg, tool);
    case 'v':
        if (tool->compares || tool->vary_count == VARIES_MAX) return false;
        tool->varies[tool->vary_count++] = optarg;
        return true;
    case 'w': return tool->compares && read_with(tool, optarg);
    case 'a': return tool->compares && add_variant(tool, optarg) != NULL;
    case 'P': return add_solver(tool, optarg);
    case 'O': return add_policy(tool, optarg);
    case 'L': return add_like(tool, optarg);
    case 'W': tool->solver_seconds = optarg; return read_number(optarg, 0.001, 3600, &number);
    case 'M': tool->solver_ms = optarg; return read_number(optarg, 0.001, 3600000, &number);
    case 'S': return add_common(tool, optarg);
    case 'n':
        if (!read_number(optarg, 1, WORKERS_MAX, &workers)) return false;
        tool->workers = (size_t)workers;
        return true;
    case 'c':
        if (!read_number(optarg, 50, 99.99, &tool->confidence)) return false;
        tool->confidence /= 100;
        return true;
    case 'l': return read_number(optarg, 0.01, 1e6, &tool->limit_s);
    case 'o': tool->out = optarg; return true;
    case 'f': tool->figures = optarg; return true;
    case 'r': tool->report = optarg; return true;
    case 'j': tool->json = true; return true;
    case 'q': tool->no_progress = true; return true;
    case 'p': tool->worker = optarg; return true;
    case 'h': tool->help = true; return true;
    default: return false;
    }
}

static bool read_options(struct tool *tool, int argc, char **argv)
{
    static const struct option words[] = {
        {"seeds", required_argument, NULL, 's'},
        {"vary", required_argument, NULL, 'v'},
        {"with", required_argument, NULL, 'w'},
        {"against", required_argument, NULL, 'a'},
        {"solver", required_argument, NULL, 'P'},
        {"solver-seconds", required_argument, NULL, 'W'},
        {"solver-ms", required_argument, NULL, 'M'},
        {"policy", required_argument, NULL, 'O'},
        {"like", required_argument, NULL, 'L'},
        {"set", required_argument, NULL, 'S'},
        {"workers", required_argument, NULL, 'n'},
        {"confidence", required_argument, NULL, 'c'},
        {"limit", required_argument, NULL, 'l'},
        {"out", required_argument, NULL, 'o'},
        {"figures", required_argument, NULL, 'f'},
        {"report", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},
        {"no-progress", no_argument, NULL, 'q'},
        {"worker", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int word; (word = getopt_long(argc, argv, "h", words, NULL)) != -1;)
        if (!read_option(tool, word)) return false;
    if (tool->help) return true;
    if (optind != argc - 1) return false;
    tool->scenario = argv[optind];
    return true;
}

/* --- variants -------------------------------------------------------------------------------- */

/* The `choice`-th value of "KEY=V1,V2,..." as "KEY=V"; false: there are not so many. */
static bool nth_value(const char *vary, size_t choice, char text[TEXT_BYTES])
{
    size_t key = strcspn(vary, "=");
    const char *value = vary + key;
    if (*value++ == '\0') return false;
    for (; choice > 0; choice--) {
        value += strcspn(value, ",");
        if (*value++ == '\0') return false;
    }
    int size =
        snprintf(text, TEXT_BYTES, "%.*s=%.*s", (int)key, vary, (int)strcspn(value, ","), value);
    return size < TEXT_BYTES;
}

/* Every combination of the varied values, the last one changing fastest. */
static int vary(struct tool *tool)
{
    size_t counts[VARIES_MAX] = {0}, total = 1;
    char text[TEXT_BYTES];
    for (size_t i = 0; i < tool->vary_count; i++) {
        while (nth_value(tool->varies[i], counts[i], text))
            counts[i]++;
        if (counts[i] == 0) return complain(tool->varies[i], "write KEY=V1,V2,...");
        total *= counts[i];
        if (total > RESULTS_VARIANTS_MAX) return complain("--vary", "at most 64 combinations");
    }
    for (size_t number = 0; number < total; number++) {
        struct variant *variant = add_variant(tool, tool->scenario);
        size_t left = number, each = total;
        for (size_t i = 0; i < tool->vary_count; i++) {
            CHECK(counts[i] > 0 && each >= counts[i]);
            each /= counts[i];
            CHECK(nth_value(tool->varies[i], left / each, text));
            left %= each;
            if (!add_set(variant, text, strlen(text))) return complain("--vary", "too many");
        }
    }
    return EXIT_DONE;
}

static void name_variant(struct variant *variant)
{
    size_t used = 0;
    if (variant->solver != NULL)
        snprintf(variant->name, sizeof variant->name, "%.200s", variant->solver);
    else if (variant->policy != NULL)
        snprintf(variant->name, sizeof variant->name, "policy of %.200s", variant->policy);
    else if (variant->set_count == 0)
        snprintf(variant->name, sizeof variant->name, "%.200s", variant->scenario);
    for (size_t i = 0; i < variant->set_count && used < sizeof variant->name; i++)
        used += (size_t)snprintf(variant->name + used, sizeof variant->name - used, "%s%s",
                                 i == 0 ? "" : ", ", variant->sets[i]);
}

/* A comparison begins with the scenario as it is. */
static int list_variants(struct tool *tool)
{
    if (!tool->compares) {
        int code = vary(tool);
        if (code != EXIT_DONE) return code;
    } else {
        if (tool->variant_count == 0)
            return complain("compare", "with what? --with, --against, --policy or --solver");
        if (tool->variant_count == RESULTS_VARIANTS_MAX) return complain("compare", "too many");
        memmove(&tool->variants[1], &tool->variants[0],
                tool->variant_count++ * sizeof *tool->variants);
        tool->variants[0] = (struct variant){.scenario = tool->scenario};
    }
    for (size_t i = 0; i < tool->variant_count; i++) {
        struct variant *variant = &tool->variants[i];
        if (variant->scenario == NULL) variant->scenario = tool->scenario;
        name_variant(variant);
        for (size_t j = 0; j < i; j++)
            if (strcmp(tool->variants[j].name, variant->name) == 0)
                return complain(variant->name, "comes twice");
    }
    return EXIT_DONE;
}

/* --- what a result must match ----------------------------------------------------------------- */

static bool digest_file(struct digest *digest, const char *path)
{
    char bytes[16384];
    FILE *in = fopen(path, "rb");
    if (in == NULL) return false;
    for (size_t size; (size = fread(bytes, 1, sizeof bytes, in)) > 0;)
        digest_bytes(digest, bytes, size);
    bool sound = !ferror(in);
    fclose(in);
    return sound;
}

static const char *policy_of(const struct tool *tool, const struct variant *variant)
{
    return variant->policy != NULL ? variant->policy : tool->policy;
}

static const char *solver_of(const struct tool *tool, const struct variant *variant)
{
    return variant->solver != NULL ? variant->solver : tool->solver;
}

static int refuse_scenario(const struct day_errors *errors)
{
    for (size_t i = 0; i < errors->count && i < DAY_ERRORS_MAX; i++)
        fprintf(stderr, "%s: %s\n", errors->items[i].field, errors->items[i].text);
    return EXIT_CONFIG;
}

/* What the scenario says, what the files of its day folder do, and who plans it how. */
static int configure(const struct tool *tool, const struct variant *variant,
                     struct results_variant *out)
{
    static struct scenario scenario;
    static struct day_errors errors;
    const char *sets[2 * SCENARIO_SETS_MAX];
    char path[SCENARIO_PATH + 32];
    size_t count = 0;
    for (size_t i = 0; i < tool->common_count; i++)
        sets[count++] = tool->common[i];
    for (size_t i = 0; i < variant->set_count; i++)
        sets[count++] = variant->sets[i];
    if (scenario_read(&scenario, variant->scenario, sets, count, &errors) != ERR_OK)
        return refuse_scenario(&errors);
    const char *policy = policy_of(tool, variant), *solver = solver_of(tool, variant);
    struct digest digest = {scenario_digest(&scenario)};
    static const char *const of_day[] = {"technicians.csv", "orders.csv", NULL};
    static const char *const of_data[] = {"callout.db", NULL};
    snprintf(path, sizeof path, "%s/orders.csv", scenario.folder.path);
    const char *const *files = access(path, F_OK) == 0 ? of_day : of_data;
    for (int i = 0; files[i] != NULL && scenario.folder.path[0] != '\0'; i++) {
        snprintf(path, sizeof path, "%s/%s", scenario.folder.path, files[i]);
        if (!digest_file(&digest, path)) {
            fprintf(stderr, "%s: cannot be read\n", path);
            return EXIT_CONFIG;
        }
    }
    if (policy != NULL) {
        if (scenario_read(&scenario, policy, NULL, 0, &errors) != ERR_OK)
            return refuse_scenario(&errors);
        digest_u64(&digest, scenario_digest(&scenario));
    }
    const char *const words[] = {solver, tool->solver_seconds, tool->solver_ms};
    for (int i = 0; i < 3; i++)
        if (words[i] != NULL) digest_bytes(&digest, words[i], strlen(words[i]) + 1);
    out->name = variant->name;
    snprintf(out->configuration, sizeof out->configuration, "%016llx",
             (unsigned long long)digest.state);
    return EXIT_DONE;
}

/* The program that runs: ourselves, or the one that takes our place. */
static int find_program(struct tool *tool)
{
    struct digest digest = digest_start();
    if (tool->worker != NULL)
        snprintf(tool->program, sizeof tool->program, "%.1000s", tool->worker);
    else {
        ssize_t size = readlink("/proc/self/exe", tool->program, sizeof tool->program - 1);
        if (size > 0) tool->program[size] = '\0';
    }
    if (!digest_file(&digest, tool->program)) {
        fprintf(stderr, "callout sim: %s: cannot be read; give the worker's path\n", tool->program);
        return EXIT_CONFIG;
    }
    snprintf(tool->program_digest, sizeof tool->program_digest, "%016llx",
             (unsigned long long)digest.state);
    return EXIT_DONE;
}

static int prepare(struct tool *tool)
{
    struct problem problem;
    int code = list_variants(tool);
    if (code == EXIT_DONE) code = find_program(tool);
    if (code == EXIT_DONE && tool->report != NULL && page_try(tool->report, &problem) != ERR_OK) {
        fprintf(stderr, "callout sim: %s: %s\n", problem.field, problem.text);
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < tool->variant_count && code == EXIT_DONE; i++)
        code = configure(tool, &tool->variants[i], &tool->about[i]);
    return code;
}

/* --- the study ------------------------------------------------------------------------------- */

static const char *const *on_arguments(void *context, size_t index, uint64_t seed)
{
    struct tool *tool = context;
    const struct variant *variant = &tool->variants[index];
    size_t count = 0;
    tool->arguments[count++] = tool->program;
    if (tool->worker == NULL) {
        tool->arguments[count++] = "sim";
        tool->arguments[count++] = "run";
    }
    tool->arguments[count++] = variant->scenario;
    snprintf(tool->seed, sizeof tool->seed, "%llu", (unsigned long long)seed);
    tool->arguments[count++] = "--seed";
    tool->arguments[count++] = tool->seed;
    tool->arguments[count++] = "--json";
    for (size_t i = 0; i < tool->common_count + variant->set_count; i++) {
        CHECK(count + 3 <= ARGUMENTS_MAX);
        tool->arguments[count++] = "--set";
        tool->arguments[count++] =
            i < tool->common_count ? tool->common[i] : variant->sets[i - tool->common_count];
    }
    const struct {
        const char *word, *value;
    } others[] = {{"--policy", policy_of(tool, variant)},
                  {"--solver", solver_of(tool, variant)},
                  {"--solver-seconds", tool->solver_seconds},
                  {"--solver-ms", tool->solver_ms}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i].value == NULL) continue;
        CHECK(count + 3 <= ARGUMENTS_MAX);
        tool->arguments[count++] = others[i].word;
        tool->arguments[count++] = others[i].value;
    }
    tool->arguments[count] = NULL;
    return tool->arguments;
}

static void print_results(const struct tool *tool, const struct study_options *options,
                          struct results *results, const struct study_count *count)
{
    json_t *whole =
        tool->compares ? study_comparison(options, results) : study_summary(options, results);
    if (tool->json) {
        json_object_set_new(whole, "scenario", json_string(tool->scenario));
        json_object_set_new(whole, "program", json_string(tool->program_digest));
        json_object_set_new(whole, "runs", json_integer((json_int_t)count->runs));
        json_object_set_new(whole, "done", json_integer((json_int_t)count->done));
        json_object_set_new(whole, "failed", json_integer((json_int_t)count->failed));
        json_object_set_new(whole, "interrupted", json_boolean(count->interrupted));
        json_dumpf(whole, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
        putchar('\n');
    } else if (tool->compares)
        study_print_comparison(whole, tool->figures, stdout);
    else
        study_print_summary(whole, tool->figures, stdout);
    json_decref(whole);
}

static int report(const struct tool *tool, const struct study_options *options,
                  struct results *results)
{
    char title[NAME_BYTES];
    struct problem problem;
    if (tool->report == NULL) return EXIT_DONE;
    snprintf(title, sizeof title, "%.200s, %s", tool->scenario,
             tool->compares ? "compared" : "swept");
    const struct study_page_about about = {title, tool->command, CALLOUT_VERSION};
    struct page *page = study_page(options, results, &about);
    enum err err = page_write(page, tool->report, &problem);
    page_close(page);
    if (err == ERR_OK) return EXIT_DONE;
    fprintf(stderr, "callout sim: %s: %s\n", problem.field, problem.text);
    return EXIT_FAILED;
}

static int tell(const struct tool *tool, const struct study_options *options,
                struct results *results, const struct study_count *count)
{
    print_results(tool, options, results, count);
    if (results_foreign(results) > 0)
        fprintf(stderr, "callout sim: %s: %zu lines are of another study and do not count\n",
                tool->out, results_foreign(results));
    if (count->failed > 0)
        fprintf(stderr, "callout sim: %zu runs failed, the first: %s\n", count->failed,
                count->failure);
    if (count->interrupted) {
        fprintf(stderr, "callout sim: interrupted after %zu of %zu runs%s\n", count->done,
                count->runs, tool->out == NULL ? "; with --out they would be kept" : "");
        (void)report(tool, options, results);
        return EXIT_INTERRUPTED;
    }
    int code = report(tool, options, results);
    return count->failed > 0 ? EXIT_FAILED : code;
}

static int study(struct tool *tool)
{
    struct study_options options = {.variants = tool->about,
                                    .variant_count = tool->variant_count,
                                    .seed_first = tool->seed_first,
                                    .seed_count = tool->seed_count,
                                    .workers = tool->workers,
                                    .limit_us = (int64_t)(tool->limit_s * US_PER_SECOND),
                                    .confidence = tool->confidence,
                                    .arguments = on_arguments,
                                    .context = tool,
                                    .progress = tool->no_progress ? NULL : stderr};
    struct results_options keep = {.variants = tool->about,
                                   .variant_count = tool->variant_count,
                                   .seed_first = tool->seed_first,
                                   .seed_count = tool->seed_count,
                                   .path = tool->out};
    struct results *results;
    struct study_count count;
    struct problem problem;
    memcpy(keep.program, tool->program_digest, sizeof keep.program);
    enum err err = results_open(&results, &keep, &problem);
    if (err == ERR_OK) {
        err = study_run(&options, results, &count, &problem);
        int code = tell(tool, &options, results, &count);
        results_close(results);
        if (err == ERR_OK) return code;
    }
    fprintf(stderr, "callout sim: %s: %s\n", problem.field, problem.text);
    return EXIT_FAILED;
}

/* As a shell takes it back, unless an argument has a quote in it. */
static void note_command(struct tool *tool, int argc, char **argv)
{
    size_t used = (size_t)snprintf(tool->command, sizeof tool->command, "callout sim");
    for (int i = 0; i < argc && used < sizeof tool->command; i++) {
        const char *quote = strpbrk(argv[i], " *?$&;|<>()\\\"") == NULL ? "" : "'";
        used += (size_t)snprintf(tool->command + used, sizeof tool->command - used, " %s%s%s",
                                 quote, argv[i], quote);
    }
}

int study_main(int argc, char **argv)
{
    static struct tool tool;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    tool = (struct tool){.compares = strcmp(argv[0], "compare") == 0,
                         .seed_first = 1,
                         .seed_count = 30,
                         .confidence = 0.95,
                         .workers = processors < 1 ? 1 : (size_t)processors};
    if (tool.workers > WORKERS_MAX) tool.workers = WORKERS_MAX;
    note_command(&tool, argc, argv); /* before getopt orders the arguments */
    if (!read_options(&tool, argc, argv)) return usage(stderr, tool.compares);
    if (tool.help) return usage(stdout, tool.compares);
    workers_catch_signals();
    int code = prepare(&tool);
    if (code == EXIT_DONE) code = study(&tool);
    for (size_t i = 0; i < tool.variant_count; i++)
        for (size_t j = 0; j < tool.variants[i].set_count; j++)
            free(tool.variants[i].sets[j]);
    return code;
}
