#include "sim/study/study.h"

#include "base/check.h"
#include "base/clock.h"
#include "sim/study/verdict.h"
#include "sim/study/workers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A run that is to be made. */
struct point {
    size_t variant, seed;
};

struct course {
    const struct study_options *options;
    struct results *results;
    struct study_count *count;
    struct point *points;
    size_t point_count, ended;
    int64_t began_us, shown_us;
    size_t shown_tenth;
    bool terminal;
    enum err err; /* the first failure of the file */
    struct problem *problem;
};

/* --- progress -------------------------------------------------------------------------------- */

/* What is left if runs go on taking as long as they did. */
static void print_left(const struct course *course)
{
    int64_t took_us = clock_mono_us() - course->began_us;
    int64_t left_s = 0;
    if (course->ended > 0)
        left_s = took_us / (int64_t)course->ended * (int64_t)(course->point_count - course->ended) /
                 US_PER_SECOND;
    fprintf(course->options->progress, "%zu of %zu runs", course->count->done, course->count->runs);
    if (course->count->failed > 0)
        fprintf(course->options->progress, ", %zu failed", course->count->failed);
    if (course->ended > 0 && course->ended < course->point_count)
        fprintf(course->options->progress, ", %lld:%02lld left", (long long)(left_s / 60),
                (long long)(left_s % 60));
}

static void show_progress(struct course *course, bool last)
{
    FILE *out = course->options->progress;
    int64_t now_us = clock_mono_us();
    size_t tenth = course->point_count == 0 ? 10 : course->ended * 10 / course->point_count;
    if (out == NULL) return;
    if (course->terminal) {
        if (!last && now_us - course->shown_us < US_PER_SECOND / 4) return;
        course->shown_us = now_us;
        fputs("\r\033[K", out);
        print_left(course);
        if (last) fputc('\n', out);
        fflush(out);
    } else if (last || tenth > course->shown_tenth) {
        course->shown_tenth = tenth;
        print_left(course);
        fputc('\n', out);
    }
}

static void on_tick(void *context)
{
    show_progress(context, false);
}

/* --- running --------------------------------------------------------------------------------- */

static const char *const *on_arguments(void *context, size_t run)
{
    struct course *course = context;
    const struct point *point = &course->points[run];
    return course->options->arguments(course->options->context, point->variant,
                                      course->options->seed_first + point->seed);
}

/* The last line of what the run complained. */
static const char *last_line(const char *complaint, char text[WORKER_COMPLAINT + 1])
{
    snprintf(text, WORKER_COMPLAINT + 1, "%s", complaint);
    size_t size = strlen(text);
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        text[--size] = '\0';
    const char *newline = strrchr(text, '\n');
    return newline == NULL ? text : newline + 1;
}

static void note_failure(struct course *course, const struct point *point, int code,
                         const char *text)
{
    struct study_count *count = course->count;
    uint64_t seed = course->options->seed_first + point->seed;
    if (count->failed++ > 0) return;
    int used = snprintf(count->failure, sizeof count->failure, "%.120s, seed %llu",
                        course->options->variants[point->variant].name, (unsigned long long)seed);
    if (code > 0)
        used += snprintf(count->failure + used, sizeof count->failure - (size_t)used, ", exit %d",
                         code);
    snprintf(count->failure + used, sizeof count->failure - (size_t)used, ": %.300s", text);
}

static void on_done(void *context, const struct worker_outcome *outcome)
{
    struct course *course = context;
    const struct point *point = &course->points[outcome->run];
    struct problem problem = {0};
    char text[WORKER_COMPLAINT + 1];
    enum err err;
    course->ended++;
    if (outcome->exit_code == 0) {
        double seconds = (double)outcome->took_us / US_PER_SECOND;
        err = results_add(course->results, point->variant, point->seed, outcome->answer,
                          outcome->answer_size, seconds, &problem);
        if (err == ERR_OK) course->count->done++;
        if (err == ERR_INVALID) note_failure(course, point, 0, problem.text);
    } else {
        const char *line = last_line(outcome->complaint, text);
        if (line[0] == '\0') line = "it did not say why";
        note_failure(course, point, outcome->exit_code, line);
        err = results_fail(course->results, point->variant, point->seed, line, &problem);
    }
    if (err == ERR_OK || err == ERR_INVALID || course->err != ERR_OK) return;
    course->err = err;
    *course->problem = problem;
}

/* Seeds outermost: what is there when it ends early can be compared. */
static void list_points(struct course *course)
{
    const struct study_options *options = course->options;
    course->points = calloc(options->variant_count * options->seed_count, sizeof *course->points);
    CHECK(course->points != NULL);
    for (size_t seed = 0; seed < options->seed_count; seed++)
        for (size_t variant = 0; variant < options->variant_count; variant++)
            if (!results_has(course->results, variant, seed))
                course->points[course->point_count++] = (struct point){variant, seed};
}

enum err study_run(const struct study_options *options, struct results *results,
                   struct study_count *count, struct problem *problem)
{
    struct course course = {.options = options,
                            .results = results,
                            .count = count,
                            .began_us = clock_mono_us(),
                            .terminal =
                                options->progress != NULL && isatty(fileno(options->progress)),
                            .problem = problem};
    list_points(&course);
    *count = (struct study_count){.runs = options->variant_count * options->seed_count};
    count->kept = count->done = count->runs - course.point_count;
    struct worker_plan plan = {.workers = options->workers,
                               .runs = course.point_count,
                               .limit_us = options->limit_us,
                               .arguments = on_arguments,
                               .done = on_done,
                               .tick = on_tick,
                               .context = &course};
    enum err err = workers_run(&plan, problem);
    show_progress(&course, true);
    count->interrupted = workers_interrupted();
    free(course.points);
    return course.err != ERR_OK ? course.err : err;
}

/* --- what they say --------------------------------------------------------------------------- */

/* JSON knows no NAN. Twelve digits: the rest of a double is noise of the machine. */
static json_t *number(double value)
{
    char text[40];
    if (!isfinite(value)) return json_null();
    snprintf(text, sizeof text, "%.12g", value);
    return json_real(strtod(text, NULL));
}

static void set_interval(json_t *object, const char *low, const char *high,
                         struct interval interval)
{
    json_object_set_new(object, low, number(interval.low));
    json_object_set_new(object, high, number(interval.high));
}

/* The bootstrap of a figure has a seed of its own: more figures do not change it. */
static uint64_t bootstrap_seed(const char *figure)
{
    uint64_t seed = UINT64_C(0xcbf29ce484222325);
    for (; *figure != '\0'; figure++)
        seed = (seed ^ (unsigned char)*figure) * UINT64_C(0x100000001b3);
    return seed;
}

static json_t *head_of(const struct study_options *options)
{
    json_t *head =
        json_pack("{s:I, s:I, s:o}", "seed_first", (json_int_t)options->seed_first, "seed_count",
                  (json_int_t)options->seed_count, "confidence", number(options->confidence));
    CHECK(head != NULL);
    return head;
}

static json_t *variant_head(const struct study_options *options, const struct results *results,
                            size_t variant)
{
    const struct results_variant *about = &options->variants[variant];
    json_t *head =
        json_pack("{s:s, s:s, s:I}", "variant", about->name, "configuration", about->configuration,
                  "runs", (json_int_t)results_count(results, variant));
    CHECK(head != NULL);
    return head;
}

static json_t *sum_up(const struct study_options *options, const struct results *results,
                      size_t variant, size_t figure, double *values)
{
    size_t count = results_values(results, variant, figure, values);
    if (count == 0) return NULL;
    double least = values[0], most = values[0];
    for (size_t i = 0; i < count; i++) {
        if (values[i] < least) least = values[i];
        if (values[i] > most) most = values[i];
    }
    const char *name = results_figure(results, figure);
    json_t *row = json_pack("{s:s, s:I}", "figure", name, "count", (json_int_t)count);
    CHECK(row != NULL);
    json_object_set_new(row, "mean", number(stats_mean(values, count)));
    set_interval(row, "low", "high", stats_t_interval(values, count, options->confidence));
    set_interval(row, "bootstrap_low", "bootstrap_high",
                 stats_bootstrap(values, count, options->confidence, BOOTSTRAP_RESAMPLES,
                                 bootstrap_seed(name)));
    json_object_set_new(row, "deviation", number(stats_deviation(values, count)));
    json_object_set_new(row, "least", number(least));
    json_object_set_new(row, "most", number(most));
    return row;
}

static json_t *compare(const struct study_options *options, const struct results *results,
                       size_t variant, size_t figure, double *values)
{
    const char *name = results_figure(results, figure);
    size_t count = results_differences(results, 0, variant, figure, values);
    if (count == 0) return NULL;
    struct paired paired =
        paired_judge(values, count, goal_of(name), options->confidence, bootstrap_seed(name));
    json_t *row =
        json_pack("{s:s, s:s, s:I, s:I}", "figure", name, "verdict", verdict_name(paired.verdict),
                  "pairs", (json_int_t)paired.pairs, "equal", (json_int_t)paired.equal);
    CHECK(row != NULL);
    json_object_set_new(row, "difference", number(paired.t.mean));
    set_interval(row, "low", "high", paired.t);
    set_interval(row, "bootstrap_low", "bootstrap_high", paired.bootstrap);
    json_object_set_new(row, "p_value", number(paired.p_value));
    count = results_values(results, 0, figure, values);
    json_object_set_new(row, "base_mean", number(stats_mean(values, count)));
    count = results_values(results, variant, figure, values);
    json_object_set_new(row, "mean", number(stats_mean(values, count)));
    return row;
}

typedef json_t *each_figure(const struct study_options *options, const struct results *results,
                            size_t variant, size_t figure, double *values);

static json_t *for_each(const struct study_options *options, struct results *results, size_t first,
                        each_figure *about)
{
    json_t *whole = head_of(options), *variants = json_array();
    double *values = malloc(options->seed_count * sizeof *values);
    CHECK(values != NULL);
    size_t figure_count = results_figures(results);
    for (size_t variant = first; variant < options->variant_count; variant++) {
        json_t *head = variant_head(options, results, variant), *figures = json_array();
        for (size_t figure = 0; figure < figure_count; figure++) {
            json_t *row = about(options, results, variant, figure, values);
            if (row != NULL) json_array_append_new(figures, row);
        }
        json_object_set_new(head, "figures", figures);
        json_array_append_new(variants, head);
    }
    free(values);
    json_object_set_new(whole, "variants", variants);
    return whole;
}

json_t *study_summary(const struct study_options *options, struct results *results)
{
    return for_each(options, results, 0, sum_up);
}

json_t *study_comparison(const struct study_options *options, struct results *results)
{
    json_t *whole = for_each(options, results, 1, compare);
    json_object_set_new(whole, "base", variant_head(options, results, 0));
    return whole;
}

/* --- for people ------------------------------------------------------------------------------ */

static const char *text_of(json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text == NULL ? "" : text;
}

/* Six digits say enough; "-" stands for what is not known. */
static const char *shown(json_t *row, const char *key, char text[24])
{
    json_t *value = json_object_get(row, key);
    if (json_is_number(value))
        snprintf(text, 24, "%.6g", json_number_value(value));
    else
        snprintf(text, 24, "-");
    return text;
}

static bool passes(json_t *row, const char *filter)
{
    return filter == NULL || strstr(text_of(row, "figure"), filter) != NULL;
}

static void print_bounds(json_t *row, FILE *out)
{
    char a[24], b[24], both[56];
    snprintf(both, sizeof both, "%s .. %s", shown(row, "low", a), shown(row, "high", b));
    fprintf(out, "  %-26s", both);
    snprintf(both, sizeof both, "%s .. %s", shown(row, "bootstrap_low", a),
             shown(row, "bootstrap_high", b));
    fprintf(out, "  %-26s", both);
}

void study_print_summary(json_t *summary, const char *filter, FILE *out)
{
    size_t v, f;
    json_t *variant, *row;
    char mean[24], least[24], most[24];
    double percent = json_number_value(json_object_get(summary, "confidence")) * 100;
    json_array_foreach(json_object_get(summary, "variants"), v, variant)
    {
        fprintf(out, "%s%s: %lld runs\n%-36s %12s  %g %% interval (t)%*s  bootstrap%*s  range\n",
                v == 0 ? "" : "\n", text_of(variant, "variant"),
                (long long)json_integer_value(json_object_get(variant, "runs")), "", "mean",
                percent, 8, "", 17, "");
        json_array_foreach(json_object_get(variant, "figures"), f, row)
        {
            if (!passes(row, filter)) continue;
            fprintf(out, "%-36s %12s", text_of(row, "figure"), shown(row, "mean", mean));
            print_bounds(row, out);
            fprintf(out, "  %s .. %s\n", shown(row, "least", least), shown(row, "most", most));
        }
    }
}

void study_print_comparison(json_t *comparison, const char *filter, FILE *out)
{
    size_t v, f;
    json_t *variant, *row;
    char base[24], mean[24], difference[24];
    double percent = json_number_value(json_object_get(comparison, "confidence")) * 100;
    json_array_foreach(json_object_get(comparison, "variants"), v, variant)
    {
        fprintf(out, "%s%s against %s\n%-36s %12s %12s %12s  %g %% interval (t)%*s  bootstrap\n",
                v == 0 ? "" : "\n", text_of(variant, "variant"),
                text_of(json_object_get(comparison, "base"), "variant"), "", "base", "mean",
                "difference", percent, 8, "");
        json_array_foreach(json_object_get(variant, "figures"), f, row)
        {
            if (!passes(row, filter)) continue;
            fprintf(out, "%-36s %12s %12s %12s", text_of(row, "figure"),
                    shown(row, "base_mean", base), shown(row, "mean", mean),
                    shown(row, "difference", difference));
            print_bounds(row, out);
            fprintf(out, "  %s\n", text_of(row, "verdict"));
        }
    }
}
