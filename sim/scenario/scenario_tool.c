#include "sim/scenario/scenario_tool.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "model/travel.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/generate.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEGS_SEEN = 200 };

struct options {
    const char *name, *csv;
    const char *sets[SCENARIO_SETS_MAX];
    size_t set_count;
    uint64_t seed;
    bool show, keys, help;
};

static struct day_errors errors;

static int usage(FILE *out)
{
    fprintf(out,
            "callout sim scenario                        what comes with the program\n"
            "callout sim scenario town-small             what the seed makes of it\n"
            "callout sim scenario my.ini --csv /tmp/day  the days as CSV files to look at\n"
            "\n"
            "usage: callout sim scenario [NAME | FILE] [--show | --csv DIR | --keys] [--seed N]\n"
            "                            [--set SECTION.KEY=VALUE]...\n"
            "  --show       the scenario with every value, as a text to start from\n"
            "  --keys       every section and key with its default, meaning and range\n"
            "  --set X      overrides a value: demand.orders=400, \"shift early.share=10\"\n");
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int print_errors(enum err err)
{
    size_t kept = errors.count < DAY_ERRORS_MAX ? errors.count : DAY_ERRORS_MAX;
    for (size_t i = 0; i < kept; i++)
        fprintf(stderr, "%s: %s\n", errors.items[i].field, errors.items[i].text);
    if (errors.count > kept) fprintf(stderr, "and %zu more\n", errors.count - kept);
    return err == ERR_IO ? EXIT_FAILED : EXIT_CONFIG;
}

static int print_problem(const struct problem *problem)
{
    fprintf(stderr, "callout sim scenario: %s: %s\n", problem->field, problem->text);
    return EXIT_FAILED;
}

/* --- options --------------------------------------------------------------------------------- */

static bool read_seed(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return end != text && *end == '\0' && text[0] != '-' && errno == 0;
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"show", no_argument, NULL, 'w'},
        {"csv", required_argument, NULL, 'c'},
        {"keys", no_argument, NULL, 'k'},
        {"seed", required_argument, NULL, 's'},
        {"set", required_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *out = (struct options){.seed = 1};
    for (int word; (word = getopt_long(argc, argv, "h", words, NULL)) != -1;)
        switch (word) {
        case 'w': out->show = true; break;
        case 'k': out->keys = true; break;
        case 'h': out->help = true; break;
        case 'c': out->csv = optarg; break;
        case 's':
            if (!read_seed(optarg, &out->seed)) return false;
            break;
        case 'S':
            if (out->set_count == SCENARIO_SETS_MAX) return false;
            out->sets[out->set_count++] = optarg;
            break;
        default: return false;
        }
    if (optind < argc) out->name = argv[optind++];
    return optind == argc && out->show + out->keys + (out->csv != NULL) <= 1;
}

/* --- what is there --------------------------------------------------------------------------- */

static int list_builtins(void)
{
    static struct scenario scenario;
    for (size_t i = 0; i < scenario_builtin_count; i++) {
        const char *name = scenario_builtins[i].name;
        enum err err = scenario_read(&scenario, name, NULL, 0, &errors);
        if (err != ERR_OK) return print_errors(err);
        printf("%-12s  %s\n", name, scenario.about);
    }
    return EXIT_DONE;
}

static int print_text(char *text)
{
    fputs(text, stdout);
    free(text);
    return EXIT_DONE;
}

/* --- the days -------------------------------------------------------------------------------- */

/* What journeys take on the streets against the dispatcher's estimate, in percent. */
static int64_t streets_percent(struct town *town, const struct day *day)
{
    int64_t streets_s = 0, straight_s = 0;
    for (size_t i = 1; i < day->order_count && i <= LEGS_SEEN; i++) {
        struct point from = day->orders[i - 1].at, to = day->orders[i].at;
        streets_s += town_seconds(town, from, to);
        straight_s += travel_seconds(&travel_straight, from, to);
    }
    return straight_s == 0 ? 100 : streets_s * 100 / straight_s;
}

static void print_day(const struct scenario *scenario, struct town *town, const struct day *day,
                      int32_t index, uint64_t seed)
{
    char date[32];
    struct fault_list faults;
    size_t later = 0, unservable = 0;
    int64_t work_s = 0, shift_s = 0;
    for (size_t i = 0; i < day->order_count; i++) {
        work_s += day->orders[i].service_s;
        unservable += day_order_servable(day, &day->orders[i]) == 0;
        if (i > 0 && day->orders[i].received_us > day->orders[0].received_us) later++;
    }
    for (size_t i = 0; i < day->technician_count; i++)
        shift_s +=
            (day->technicians[i].shift_end_us - day->technicians[i].shift_start_us) / US_PER_SECOND;
    scenario_faults(scenario, day, index, seed, &faults);
    printf("day %d  %.10s  %zu technicians, %lld h  %zu orders (%zu of them come later), %lld h  "
           "%zu nobody can serve  %zu faults",
           index + 1, clock_format_utc(day->service_day * US_PER_DAY, date), day->technician_count,
           (long long)(shift_s / 3600), day->order_count, later, (long long)(work_s / 3600),
           unservable, faults.count);
    if (town != NULL)
        printf("  streets %lld %% of straight", (long long)streets_percent(town, day));
    printf("\n");
    faults_fini(&faults);
}

static void print_scenario(const struct scenario *scenario, const struct town *town, uint64_t seed)
{
    printf("%s: %s\nseed %llu, configuration %016llx, time zone %s\n", scenario->name,
           scenario->about, (unsigned long long)seed, (unsigned long long)scenario_digest(scenario),
           scenario->time_zone);
    if (town == NULL) return;
    struct town_size size = town_size(town);
    printf("town of %d crossings and %lld km of streets\n", size.crossings,
           (long long)(size.length_m / 1000));
}

static int write_csv(const struct options *options, const struct scenario *scenario,
                     const struct day *day, int32_t index)
{
    char folder[SCENARIO_PATH];
    struct problem problem;
    if (mkdir(options->csv, 0777) != 0 && errno != EEXIST) {
        (void)problem_set(&problem, ERR_IO, options->csv, "cannot be made: %s", strerror(errno));
        return print_problem(&problem);
    }
    if (scenario->days == 1)
        snprintf(folder, sizeof folder, "%.400s", options->csv);
    else
        snprintf(folder, sizeof folder, "%.400s/day-%d", options->csv, index + 1);
    (void)mkdir(folder, 0777); /* what is wrong with it shows at the first file */
    enum err err = scenario_write_day(day, folder, &problem);
    return err == ERR_OK ? EXIT_DONE : print_problem(&problem);
}

static int each_day(const struct options *options, const struct scenario *scenario,
                    struct town *town)
{
    int code = EXIT_DONE;
    for (int32_t index = 0; index < scenario->days && code == EXIT_DONE; index++) {
        struct day day;
        enum err err = scenario_day(&day, scenario, town, options->seed, index, &errors);
        if (err != ERR_OK) return print_errors(err);
        if (options->csv != NULL)
            code = write_csv(options, scenario, &day, index);
        else
            print_day(scenario, town, &day, index, options->seed);
        day_fini(&day);
    }
    return code;
}

int scenario_main(int argc, char **argv)
{
    static struct options options;
    static struct scenario scenario;
    if (!read_options(&options, argc, argv)) return usage(stderr);
    if (options.help) return usage(stdout);
    if (options.keys) return print_text(scenario_keys());
    if (options.name == NULL) return list_builtins();
    enum err err = scenario_read(&scenario, options.name, options.sets, options.set_count, &errors);
    if (err != ERR_OK) return print_errors(err);
    if (options.show) return print_text(scenario_print(&scenario));
    struct town *town = NULL;
    if (scenario.folder.path[0] == '\0') town = town_open(&scenario.town, options.seed);
    if (options.csv == NULL) print_scenario(&scenario, town, options.seed);
    int code = each_day(&options, &scenario, town);
    town_close(town);
    return code;
}

bool scenario_like_here(const char *folder, char out[SCENARIO_LIKE_SIZE])
{
    char here[SCENARIO_PATH];
    bool whole = folder[0] == '/' || getcwd(here, sizeof here) == NULL;
    int size = snprintf(out, SCENARIO_LIKE_SIZE, "scenario.like=%s%s%s", whole ? "" : here,
                        whole ? "" : "/", folder);
    return size < SCENARIO_LIKE_SIZE;
}
