#include "optimizer/audit_tool.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "optimizer/input_file.h"
#include "optimizer/read_plan.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 1000, PLAN_BYTES_MAX = 64 << 20, MEMORY_MAX = 1 << 30 };

static const char TOOL[] = "callout audit";

/* --- command line ---------------------------------------------------------------------------- */

struct options {
    const char *path, *plan_path, *format;
    bool overtime, json, help;
};

static int usage(FILE *out)
{
    fputs(
        "usage: callout audit FILE PLAN.json [--format solomon|vrplib|vroom|day] [--no-overtime]\n"
        "                     [--json]\n\n"
        "Checks a plan for FILE against every rule, and counts its cost again. PLAN.json is what\n"
        "callout solve FILE --json prints, or a solution in VROOM's own words; - is standard\n"
        "input. For example:\n\n"
        "  callout solve monday --json >plan.json\n"
        "  callout audit monday plan.json\n"
        "  vroom -i city.json | callout audit city.json - --format vroom\n\n"
        "Say --no-overtime if the plan was made with it. Exit codes: 0 every rule holds, 3 a rule\n"
        "is broken or a figure is wrong, 5 FILE or PLAN.json cannot be read.\n",
        out);
    return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option words[] = {
        {"format", required_argument, NULL, 'f'},
        {"no-overtime", no_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *out = (struct options){.overtime = true};
    optind = 1;
    for (int word; (word = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        switch (word) {
        case 'f': out->format = optarg; break;
        case 'o': out->overtime = false; break;
        case 'j': out->json = true; break;
        case 'h': out->help = true; return true;
        default: return false;
        }
    }
    if (optind + 2 != argc) return false;
    out->path = argv[optind];
    out->plan_path = argv[optind + 1];
    return true;
}

/* --- what the plan says of itself ------------------------------------------------------------ */

/* In the order of the auditor's visits. */
static const uint32_t *priorities_of(const struct solve_input *input, struct arena *memory)
{
    const struct workday *day = &input->solver.day;
    uint32_t *priorities = arena_need(memory, sizeof *priorities * (day->visits_used + 1));
    for (uint32_t i = 0; i < day->visits_used; i++)
        priorities[i] = input->priorities[day->visit_order[i]];
    return priorities;
}

/* The prices are the plan's own: in VROOM's format they only keep the order of its objectives. */
static void price_as_claimed(struct audit_problem *problem, const struct plan_claims *claims,
                             const uint32_t *priorities, struct arena *memory)
{
    if (claims->unserved_s < 0 || claims->unserved_per_priority_s < 0) return;
    int64_t *prices = arena_need(memory, sizeof *prices * (problem->visit_count + 1));
    for (uint32_t v = 0; v < problem->visit_count; v++)
        prices[v] = claims->unserved_s + priorities[v] * claims->unserved_per_priority_s;
    problem->unserved_s = prices;
}

static void check_number(struct audit_report *report, const char *name, int64_t claimed,
                         int64_t counted)
{
    if (claimed >= 0 && claimed != counted)
        audit_complain(report, AUDIT_CLAIM, "plan: says %s %" PRId64 ", and it is %" PRId64, name,
                       claimed, counted);
}

static void check_unassigned(const struct audit *audit, const struct plan_claims *claims,
                             struct audit_report *report)
{
    for (uint32_t v = 0; v < audit->problem->visit_count; v++) {
        const char *id = audit->problem->visits[v].id;
        bool listed = false, served = audit->served_by[v] != NO_INDEX;
        for (uint32_t i = 0; i < claims->unassigned_count && !listed; i++)
            listed = strcmp(claims->unassigned[i], id) == 0;
        if (listed && served)
            audit_complain(report, AUDIT_CLAIM, "order %s: is served, and listed as unassigned",
                           id);
        if (!listed && !served)
            audit_complain(report, AUDIT_CLAIM,
                           "order %s: is not served, and not listed as unassigned", id);
    }
}

static void check_claims(const struct audit *audit, const struct audit_plan *plan,
                         const struct plan_claims *claims, const uint32_t *priorities,
                         struct audit_report *report)
{
    int64_t priority = 0, vehicles = 0;
    for (uint32_t v = 0; v < audit->problem->visit_count; v++) {
        if (audit->served_by[v] != NO_INDEX) priority += priorities[v];
    }
    for (uint32_t r = 0; r < plan->route_count; r++)
        vehicles += plan->routes[r].stop_count > 0;
    if (claims->unserved_s >= 0)
        check_number(report, "objective", claims->objective, report->cost.total);
    check_number(report, "travel", claims->travel_s, report->cost.travel_s);
    check_number(report, "overtime", claims->overtime_s, report->cost.overtime_s);
    check_number(report, "vehicles", claims->vehicles, vehicles);
    check_number(report, "priority_served", claims->priority_served, priority);
    if (claims->lists_unassigned) check_unassigned(audit, claims, report);
}

/* --- words ----------------------------------------------------------------------------------- */

static void print_text(const struct audit_report *report)
{
    const struct audit_cost *cost = &report->cost;
    uint32_t shown = report->violation_count < SHOWN_MAX ? report->violation_count : SHOWN_MAX;
    for (uint32_t i = 0; i < shown; i++)
        printf("%s\n", report->violations[i].text);
    if (shown < report->violation_count) printf("and %u more\n", report->violation_count - shown);
    printf("%s: %u violations; %u served, %u not; travel %" PRId64 " s, overtime %" PRId64
           " s, cost %" PRId64 "\n",
           report->violation_count == 0 ? "clean" : "broken", report->violation_count,
           report->served, report->unserved, cost->travel_s, cost->overtime_s, cost->total);
}

static json_t *cost_word(const struct audit_cost *cost)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "travel",
                     (json_int_t)cost->travel, "overtime", (json_int_t)cost->overtime, "lateness",
                     (json_int_t)cost->lateness, "preferred_window",
                     (json_int_t)cost->preferred_window, "preferred_technician",
                     (json_int_t)cost->preferred_technician, "change_technician",
                     (json_int_t)cost->change_technician, "change_start",
                     (json_int_t)cost->change_start, "idle", (json_int_t)cost->idle, "unserved",
                     (json_int_t)cost->unserved, "total", (json_int_t)cost->total);
}

/* False: it cannot be written. */
static bool print_json(const struct audit_report *report)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < report->violation_count && i < SHOWN_MAX; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "rule",
                                              audit_rule_name(report->violations[i].rule), "text",
                                              report->violations[i].text));
    json_t *word =
        json_pack("{s:b, s:I, s:o, s:I, s:I, s:I, s:I, s:o}", "clean", report->violation_count == 0,
                  "violation_count", (json_int_t)report->violation_count, "violations", list,
                  "served", (json_int_t)report->served, "unserved", (json_int_t)report->unserved,
                  "travel_s", (json_int_t)report->cost.travel_s, "overtime_s",
                  (json_int_t)report->cost.overtime_s, "cost", cost_word(&report->cost));
    bool written = word != NULL && json_dumpf(word, stdout, JSON_INDENT(1)) == 0;
    json_decref(word);
    return written && putchar('\n') != EOF;
}

/* --- the tool -------------------------------------------------------------------------------- */

static int fail(const struct problem *problem)
{
    fprintf(stderr, "%s: %s: %s\n", TOOL, problem->field, problem->text);
    return EXIT_CONFIG;
}

/* Checks the plan in one of its forms; what is wrong is added to the report. */
static enum err audit_form(const struct solve_input *input, const char *text, size_t size,
                           enum plan_form form, struct arena *memory, struct audit_report *report,
                           bool *both_forms, struct problem *wrong)
{
    struct audit_problem problem;
    struct audit_plan plan;
    struct plan_claims claims;
    struct audit audit;
    audit_problem_of(&input->solver.day, memory, &problem);
    bool day = input->format == SOLVE_DAY;
    problem.clock_of_seconds = !day;
    problem.zero_us = day ? problem.now_us / US_PER_DAY * US_PER_DAY : input->clock_us;
    enum err err = read_plan(text, size, form, input->clock_us, memory, &plan, &claims, wrong);
    if (err != ERR_OK) return err;
    const uint32_t *priorities = priorities_of(input, memory);
    price_as_claimed(&problem, &claims, priorities, memory);
    audit_open(&audit, &problem, memory);
    audit_plan(&audit, &plan, report);
    check_claims(&audit, &plan, &claims, priorities, report);
    *both_forms = claims.both_forms;
    return ERR_OK;
}

static int audit_input(const struct solve_input *input, const struct options *options,
                       const char *text, size_t size, struct arena *memory)
{
    struct problem wrong = {0};
    struct audit_report report = {.violation_max = SHOWN_MAX};
    report.violations = arena_need(memory, sizeof *report.violations * SHOWN_MAX);
    bool both_forms = false;
    enum err err = audit_form(input, text, size, PLAN_STOPS, memory, &report, &both_forms, &wrong);
    if (err == ERR_OK && both_forms && report.violation_count == 0)
        err = audit_form(input, text, size, PLAN_STEPS, memory, &report, &both_forms, &wrong);
    if (err != ERR_OK) {
        fprintf(stderr, "%s: %s: %s: %s\n", TOOL, options->plan_path, wrong.field, wrong.text);
        return EXIT_CONFIG;
    }
    if (!options->json)
        print_text(&report);
    else if (!print_json(&report))
        return EXIT_FAILED;
    if (fflush(stdout) != 0 || ferror(stdout)) return EXIT_FAILED;
    return report.violation_count == 0 ? EXIT_DONE : EXIT_VIOLATION;
}

static int audit_files(struct solve_input *input, const struct options *options)
{
    struct problem problem = {0};
    char *text;
    size_t size;
    struct arena memory;
    const char *path = strcmp(options->plan_path, "-") == 0 ? "/dev/stdin" : options->plan_path;
    if (input_file_read(input, TOOL, options->format, options->path, options->overtime, &problem) !=
            ERR_OK ||
        file_take(path, PLAN_BYTES_MAX, &text, &size, &problem) != ERR_OK)
        return fail(&problem);
    arena_open(&memory, MEMORY_MAX);
    int code = audit_input(input, options, text, size, &memory);
    arena_close(&memory);
    free(text);
    return code;
}

int audit_main(int argc, char **argv)
{
    struct options options;
    if (!read_options(&options, argc, argv)) return usage(stderr);
    if (options.help) return usage(stdout);
    if (options.format != NULL && !input_format_known(TOOL, options.format)) return EXIT_USAGE;
    static struct solve_input input;
    solve_input_open(&input);
    int code = audit_files(&input, &options);
    solve_input_close(&input);
    return code;
}
