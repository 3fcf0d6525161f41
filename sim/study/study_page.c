#include "sim/study/study_page.h"

#include "base/check.h"
#include "sim/study/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 320, BOOTSTRAP_SEED = 1 };

#define PERMILLE 10.0
#define MINUTE   60e6
#define HOUR     3600e6

/* What planners look at first: a figure of a run's object, by its path. */
static const struct key {
    const char *figure, *word, *name, *unit;
    double size; /* of the unit in the figure's */
    int decimals;
    bool boxed, compared; /* has charts of its own */
} keys[] = {
    {"kpi.completed", "completed", "Visits completed", "", 1, 1, false, true},
    {"kpi.unserved", "unserved", "Unserved", "", 1, 1, true, true},
    {"kpi.on_time_permille", "on_time", "On time", "%", PERMILLE, 1, true, true},
    {"kpi.sla_permille", "sla", "Deadlines kept (SLA)", "%", PERMILLE, 1, false, true},
    {"kpi.response.mean_us", "response", "First response, mean", "min", MINUTE, 1, true, true},
    {"kpi.first_time_fix_permille", "fixed", "First-time fix", "%", PERMILLE, 1, false, false},
    {"kpi.work_permille", "work", "Paid time at work", "%", PERMILLE, 1, false, true},
    {"kpi.travel_per_arrival_us", "travel", "Travel per visit", "min", MINUTE, 1, true, true},
    {"kpi.overtime_us", "overtime", "Overtime", "h", HOUR, 1, false, true},
    {"kpi.moves_per_visit_permille", "moves", "Moves for each 100 visits", "", PERMILLE, 1, true,
     true},
    {"kpi.moves_after_promise", "promised", "Moves after a promise", "", 1, 1, false, true},
    {"latency.plan.p95_us", "plan", "Plan, p95", "ms", 1000, 1, false, false},
    {"commands.lost", "lost", "Commands lost", "", 1, 0, false, false},
    {"commands.doubled", "doubled", "Commands doubled", "", 1, 0, false, false},
};
enum { KEYS = sizeof keys / sizeof *keys };

struct study_sheets {
    const struct study_options *options;
    struct results *results;
    struct page *page;
    double *values; /* room for a value of every seed */
};

/* --- what the results have --- */

static bool find_figure(struct results *results, const char *name, size_t *out)
{
    size_t count = results_figures(results);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(results_figure(results, i), name) != 0) continue;
        *out = i;
        return true;
    }
    return false;
}

/* The values of a variant's seeds, in the unit; none where no run has the figure. */
static size_t take(const struct study_sheets *it, const char *figure, size_t variant, double size)
{
    size_t at;
    if (!find_figure(it->results, figure, &at)) return 0;
    size_t count = results_values(it->results, variant, at, it->values);
    for (size_t i = 0; i < count; i++)
        it->values[i] /= size;
    return count;
}

static double mean_of(const struct study_sheets *it, const char *figure, size_t variant,
                      double size)
{
    size_t count = take(it, figure, variant, size);
    return stats_mean(it->values, count);
}

static const char *variant_name(const struct study_sheets *it, size_t variant)
{
    return it->options->variants[variant].name;
}

/* What is set, without the sections: there is little room beside a chart. */
static const char *short_name(const struct study_sheets *it, size_t variant, char out[LABEL])
{
    const char *at = variant_name(it, variant);
    size_t used = 0;
    out[0] = '\0';
    while (*at != '\0' && used < LABEL - 1) {
        size_t size = strcspn(at, ","), key = strcspn(at, "=,");
        size_t section = key;
        while (section > 0 && at[section - 1] != '.')
            section--;
        if (key == size) section = 0; /* a scenario's name */
        used += (size_t)snprintf(out + used, LABEL - used, "%s%.*s", used == 0 ? "" : ", ",
                                 (int)(size - section), at + section);
        at += size;
        at += strspn(at, ", ");
    }
    return out;
}

/* --- tiles and the table of variants --- */

static void add_tiles(const struct study_sheets *it)
{
    for (size_t k = 0; k < KEYS; k++) {
        const struct key *key = &keys[k];
        size_t count = take(it, key->figure, 0, key->size);
        if (count == 0) continue;
        struct interval interval = stats_t_interval(it->values, count, it->options->confidence);
        page_tile(it->page, key->name, interval.mean, key->decimals, key->unit, interval.low,
                  interval.high);
    }
}

static void add_what_if(const struct study_sheets *it)
{
    struct sheet *sheet =
        sheet_open("what_if", "What if", "Means over the seeds of each variant.", "variant");
    size_t column = 0, at;
    for (size_t k = 0; k < KEYS; k++)
        if (find_figure(it->results, keys[k].figure, &at))
            sheet_column(sheet, keys[k].name, keys[k].unit, keys[k].decimals);
    sheet_column(sheet, "seeds", "", 0);
    for (size_t variant = 0; variant < it->options->variant_count; variant++) {
        size_t row = sheet_row(sheet, variant_name(it, variant));
        column = 0;
        for (size_t k = 0; k < KEYS; k++)
            if (find_figure(it->results, keys[k].figure, &at))
                sheet_set(sheet, row, column++, mean_of(it, keys[k].figure, variant, keys[k].size));
        sheet_set(sheet, row, column, (double)results_count(it->results, variant));
    }
    page_table(it->page, sheet);
}

/* --- differences, seed by seed --- */

static void add_difference(const struct study_sheets *it, const struct key *key, size_t at)
{
    char id[LABEL], title[LABEL], label[2 * LABEL], name[LABEL];
    snprintf(id, sizeof id, "difference_%s", key->word);
    snprintf(title, sizeof title, "%s, difference", key->name);
    snprintf(label, sizeof label, "Against %s, seed by seed: the mean and its interval.",
             variant_name(it, 0));
    struct sheet *sheet = sheet_open(id, title, label, "variant");
    sheet_column(sheet, "difference", key->unit, key->decimals + 1);
    sheet_column(sheet, "at least", key->unit, key->decimals + 1);
    sheet_column(sheet, "at most", key->unit, key->decimals + 1);
    sheet_column(sheet, "pairs of seeds", "", 0);
    for (size_t variant = 1; variant < it->options->variant_count; variant++) {
        size_t count = results_differences(it->results, 0, variant, at, it->values);
        struct paired paired = paired_judge(it->values, count, goal_of(key->figure),
                                            it->options->confidence, BOOTSTRAP_SEED);
        snprintf(label, sizeof label, "%s: %s", verdict_name(paired.verdict),
                 short_name(it, variant, name));
        size_t row = sheet_row(sheet, label);
        sheet_set(sheet, row, 0, paired.t.mean / key->size);
        sheet_set(sheet, row, 1, paired.t.low / key->size);
        sheet_set(sheet, row, 2, paired.t.high / key->size);
        sheet_set(sheet, row, 3, (double)paired.pairs);
    }
    page_figure(it->page, sheet, CHART_RANGES);
}

static void add_differences(const struct study_sheets *it)
{
    size_t at;
    if (it->options->variant_count < 2) return;
    for (size_t k = 0; k < KEYS; k++)
        if (keys[k].compared && find_figure(it->results, keys[k].figure, &at))
            add_difference(it, &keys[k], at);
}

/* --- how the seeds spread --- */

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void add_boxes(const struct study_sheets *it, const struct key *key)
{
    static const char *const names[] = {"least", "lower quartile", "median", "upper quartile",
                                        "most"};
    char name[LABEL];
    struct sheet *sheet = sheet_open(key->word, key->name, "Over the seeds.", "variant");
    for (size_t c = 0; c < 5; c++)
        sheet_column(sheet, names[c], key->unit, key->decimals);
    for (size_t variant = 0; variant < it->options->variant_count; variant++) {
        size_t count = take(it, key->figure, variant, key->size);
        size_t row = sheet_row(sheet, short_name(it, variant, name));
        if (count == 0) continue;
        qsort(it->values, count, sizeof *it->values, by_size);
        for (size_t c = 0; c < 5; c++)
            sheet_set(sheet, row, c, it->values[c * (count - 1) / 4]);
    }
    page_figure(it->page, sheet, CHART_BOXES);
}

static void add_all_boxes(const struct study_sheets *it)
{
    size_t at;
    for (size_t k = 0; k < KEYS; k++)
        if (keys[k].boxed && find_figure(it->results, keys[k].figure, &at)) add_boxes(it, &keys[k]);
}

/* --- means of several figures side by side --- */

struct part {
    const char *figure, *name;
};

/* Nothing where no run has the first of them. */
static void add_parts(const struct study_sheets *it, struct sheet *sheet, const struct part *parts,
                      size_t count, const char *unit, double size)
{
    char name[LABEL];
    size_t at;
    if (!find_figure(it->results, parts[0].figure, &at)) {
        sheet_close(sheet);
        return;
    }
    for (size_t c = 0; c < count; c++)
        sheet_column(sheet, parts[c].name, unit, 1);
    for (size_t variant = 0; variant < it->options->variant_count; variant++) {
        size_t row = sheet_row(sheet, short_name(it, variant, name));
        for (size_t c = 0; c < count; c++)
            sheet_set(sheet, row, c, mean_of(it, parts[c].figure, variant, size));
    }
    page_figure(it->page, sheet, CHART_BARS);
}

static void add_use_of_time(const struct study_sheets *it)
{
    static const struct part parts[] = {{"kpi.work_permille", "Work"},
                                        {"kpi.travel_permille", "Travel"},
                                        {"kpi.wait_permille", "Wait"},
                                        {"kpi.break_permille", "Break"},
                                        {"kpi.idle_permille", "Idle"}};
    struct sheet *sheet =
        sheet_open("time", "What the paid time is used for", "Means over the seeds.", "variant");
    add_parts(it, sheet, parts, sizeof parts / sizeof *parts, "%", PERMILLE);
}

static void add_latency(const struct study_sheets *it)
{
    static const struct part parts[] = {{"latency.plan.p50_us", "p50"},
                                        {"latency.plan.p95_us", "p95"},
                                        {"latency.plan.p99_us", "p99"}};
    struct sheet *sheet = sheet_open("latency", "From an event to a plan",
                                     "In virtual time; means over the seeds.", "variant");
    add_parts(it, sheet, parts, sizeof parts / sizeof *parts, "ms", 1000);
}

/* Where somebody else planned: how his calls ended. */
static void add_peers(const struct study_sheets *it)
{
    static const struct part parts[] = {{"peer.answered", "answered"},
                                        {"peer.hung", "no answer in time"},
                                        {"peer.died", "died"},
                                        {"peer.nonsense", "nonsense"},
                                        {"peer.left_out", "visits left out by a rule"}};
    struct sheet *sheet = sheet_open("peers", "Other solvers",
                                     "Calls by how they ended, means over the seeds.", "variant");
    add_parts(it, sheet, parts, sizeof parts / sizeof *parts, "", 1);
}

static void add_cost(const struct study_sheets *it)
{
    static const struct part parts[] = {{"cost.unserved", "more unserved"},
                                        {"cost.completed", "more completed"},
                                        {"cost.technician_changes", "more changes of technician"}};
    struct sheet *sheet =
        sheet_open("cost", "What the faults cost",
                   "With them less without them, means over the seeds.", "variant");
    add_parts(it, sheet, parts, sizeof parts / sizeof *parts, "", 1);
}

/* --- the page --- */

static void add_notes(const struct study_sheets *it, const struct study_page_about *about)
{
    const struct study_options *options = it->options;
    char seeds[64];
    snprintf(seeds, sizeof seeds, "%llu to %llu", (unsigned long long)options->seed_first,
             (unsigned long long)(options->seed_first + options->seed_count - 1));
    page_note(it->page, "command", about->command);
    page_note(it->page, "seeds", seeds);
    page_note(it->page, "version", about->version);
    for (size_t variant = 0; variant < options->variant_count; variant++) {
        char name[LABEL];
        snprintf(name, sizeof name, "configuration of %.200s", variant_name(it, variant));
        page_note(it->page, name, options->variants[variant].configuration);
    }
}

struct page *study_page(const struct study_options *options, struct results *results,
                        const struct study_page_about *about)
{
    char summary[LABEL];
    size_t runs = 0;
    for (size_t variant = 0; variant < options->variant_count; variant++)
        runs += results_count(results, variant);
    snprintf(summary, sizeof summary,
             "%zu runs of %zu %s. Figures first: means of the first variant, with their %g %% "
             "intervals.",
             runs, options->variant_count, options->variant_count == 1 ? "variant" : "variants",
             options->confidence * 100);
    struct study_sheets it = {.options = options,
                              .results = results,
                              .page = page_open(about->title, summary),
                              .values = calloc(options->seed_count + 1, sizeof(double))};
    CHECK(it.values != NULL);
    add_tiles(&it);
    add_what_if(&it);
    add_differences(&it);
    add_all_boxes(&it);
    add_use_of_time(&it);
    add_latency(&it);
    add_peers(&it);
    add_cost(&it);
    add_notes(&it, about);
    free(it.values);
    return it.page;
}
