#include "sim/study/results.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 200, DEPTH_MAX = 16, LINE_MAX_BYTES = 4 << 20, FAILED = -1 };

/* One run's figures; the number of a figure is its place in `names`. */
struct row {
    bool there;
    double *values; /* as many as there were names when it came */
    size_t count;
};

struct results {
    struct results_options options;
    FILE *file; /* NULL: none. Closing any descriptor of it would lose the lock: there is one */
    char *names[RESULTS_FIGURES_MAX];
    size_t name_count;
    size_t sorted[RESULTS_FIGURES_MAX]; /* places in names, by name */
    struct row *rows;                   /* by variant, then seed */
    size_t foreign;
};

static struct row *row_of(const struct results *results, size_t variant, size_t seed)
{
    CHECK(variant < results->options.variant_count && seed < results->options.seed_count);
    return &results->rows[variant * results->options.seed_count + seed];
}

/* --- figures --------------------------------------------------------------------------------- */

/* FAILED: there is no room for another name. */
static int place_of(struct results *results, const char *name)
{
    for (size_t i = 0; i < results->name_count; i++)
        if (strcmp(results->names[i], name) == 0) return (int)i;
    if (results->name_count == RESULTS_FIGURES_MAX) return FAILED;
    size_t size = strlen(name) + 1;
    char *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, name, size);
    results->names[results->name_count] = copy;
    return (int)results->name_count++;
}

static bool set_figure(struct results *results, struct row *row, const char *name, double value)
{
    int place = place_of(results, name);
    if (place == FAILED) return false;
    if ((size_t)place >= row->count) {
        row->values = realloc(row->values, ((size_t)place + 1) * sizeof *row->values);
        CHECK(row->values != NULL);
        for (; row->count <= (size_t)place; row->count++)
            row->values[row->count] = NAN;
    }
    CHECK(row->values != NULL && (size_t)place < row->count);
    row->values[place] = value;
    return true;
}

static bool take_figures(struct results *results, struct row *row, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (!json_is_number(value)) continue;
        if (!set_figure(results, row, name, json_number_value(value))) return false;
    }
    return row->count > 0;
}

/* The numbers below an object as "path.name", into one flat object. */
static bool flatten(json_t *object, const char *path, int depth, json_t *flat)
{
    char name[NAME_BYTES];
    const char *key;
    json_t *value;
    if (depth == DEPTH_MAX) return false;
    json_object_foreach(object, key, value)
    {
        if (path[0] == '\0' && strcmp(key, "times") == 0) continue;
        int size = snprintf(name, sizeof name, "%s%s%s", path, path[0] == '\0' ? "" : ".", key);
        if (size >= NAME_BYTES) return false;
        if (json_is_object(value) && !flatten(value, name, depth + 1, flat)) return false;
        if (!json_is_number(value) || strcmp(name, "seed") == 0) continue;
        if (json_object_set(flat, name, value) != 0) return false;
        if (json_object_size(flat) > RESULTS_FIGURES_MAX) return false;
    }
    return true;
}

static void forget_row(struct row *row)
{
    free(row->values);
    *row = (struct row){0};
}

/* --- lines ----------------------------------------------------------------------------------- */

static const char *text_of(json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));
    return text == NULL ? "" : text;
}

/* The row that a line is about; NULL: none of this study. */
static struct row *row_of_line(const struct results *results, json_t *line)
{
    const struct results_options *options = &results->options;
    json_int_t seed = json_integer_value(json_object_get(line, "seed"));
    if (strcmp(text_of(line, "program"), options->program) != 0) return NULL;
    if (seed < 0 || (uint64_t)seed < options->seed_first) return NULL;
    if ((uint64_t)seed - options->seed_first >= options->seed_count) return NULL;
    for (size_t i = 0; i < options->variant_count; i++)
        if (strcmp(text_of(line, "variant"), options->variants[i].name) == 0 &&
            strcmp(text_of(line, "configuration"), options->variants[i].configuration) == 0)
            return row_of(results, i, (size_t)((uint64_t)seed - options->seed_first));
    return NULL;
}

static void take_line(struct results *results, const char *text, size_t size)
{
    json_t *line = json_loadb(text, size, 0, NULL);
    json_t *figures = json_object_get(line, "figures");
    struct row *row = json_is_object(line) ? row_of_line(results, line) : NULL;
    if (row == NULL)
        results->foreign++;
    else if (json_is_object(figures)) {
        forget_row(row);
        row->there = take_figures(results, row, figures);
    }
    json_decref(line);
}

/* Takes the lines of the file and cuts off a half one at its end. */
static enum err read_file(struct results *results, struct problem *problem)
{
    char *line = NULL;
    size_t room = 0;
    off_t whole = 0;
    for (ssize_t size; (size = getline(&line, &room, results->file)) > 0;) {
        if (line[size - 1] != '\n') break;
        if (size <= LINE_MAX_BYTES) take_line(results, line, (size_t)size);
        whole += size;
    }
    free(line);
    if (!ferror(results->file) && ftruncate(fileno(results->file), whole) == 0) return ERR_OK;
    return problem_set(problem, ERR_IO, results->options.path, "cannot be read and cut: %s",
                       strerror(errno));
}

/* A line's first bytes: what begins otherwise is somebody's file, which is not ours to cut. */
static bool is_ours(int file)
{
    static const char first[] = "{\"variant\"";
    char found[sizeof first];
    struct stat about;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) return false;
    ssize_t size = pread(file, found, sizeof first - 1, 0);
    return size >= 0 && memcmp(found, first, (size_t)size) == 0;
}

static enum err open_file(struct results *results, struct problem *problem)
{
    const char *path = results->options.path;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0)
        return problem_set(problem, ERR_IO, path, "cannot be opened: %s", strerror(errno));
    results->file = fdopen(file, "r");
    CHECK(results->file != NULL);
    if (fcntl(file, F_SETLK, &lock) != 0)
        return problem_set(problem, ERR_BUSY, path, "another study writes to this file");
    if (!is_ours(file))
        return problem_set(problem, ERR_INVALID, path,
                           "holds something else than runs of a study: name a new file");
    return read_file(results, problem);
}

static enum err write_line(struct results *results, json_t *line, struct problem *problem)
{
    enum err err = ERR_OK;
    char *text = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER);
    CHECK(text != NULL);
    size_t size = strlen(text);
    text[size++] = '\n'; /* takes the place of the zero byte: written with its size */
    if (results->file != NULL && write(fileno(results->file), text, size) != (ssize_t)size)
        err = problem_set(problem, ERR_IO, results->options.path, "cannot be written: %s",
                          strerror(errno));
    free(text);
    return err;
}

static json_t *begin_line(const struct results *results, size_t variant, size_t seed)
{
    const struct results_variant *about = &results->options.variants[variant];
    uint64_t number = results->options.seed_first + seed;
    json_t *line = json_pack("{s:s, s:s, s:s, s:I}", "variant", about->name, "configuration",
                             about->configuration, "program", results->options.program, "seed",
                             (json_int_t)number);
    CHECK(line != NULL);
    return line;
}

/* --- the table ------------------------------------------------------------------------------- */

enum err results_open(struct results **out, const struct results_options *options,
                      struct problem *problem)
{
    CHECK(options->variant_count > 0 && options->variant_count <= RESULTS_VARIANTS_MAX);
    CHECK(options->seed_count > 0 && options->seed_count <= RESULTS_SEEDS_MAX);
    struct results *results = calloc(1, sizeof *results);
    CHECK(results != NULL);
    results->options = *options;
    results->rows = calloc(options->variant_count * options->seed_count, sizeof *results->rows);
    CHECK(results->rows != NULL);
    enum err err = options->path == NULL ? ERR_OK : open_file(results, problem);
    if (err == ERR_OK)
        *out = results;
    else
        results_close(results);
    return err;
}

void results_close(struct results *results)
{
    if (results == NULL) return;
    size_t rows = results->options.variant_count * results->options.seed_count;
    for (size_t i = 0; i < rows; i++)
        free(results->rows[i].values);
    for (size_t i = 0; i < results->name_count; i++)
        free(results->names[i]);
    if (results->file != NULL) fclose(results->file);
    free(results->rows);
    free(results);
}

bool results_has(const struct results *results, size_t variant, size_t seed)
{
    return row_of(results, variant, seed)->there;
}

size_t results_count(const struct results *results, size_t variant)
{
    size_t count = 0;
    for (size_t seed = 0; seed < results->options.seed_count; seed++)
        count += results_has(results, variant, seed);
    return count;
}

size_t results_foreign(const struct results *results)
{
    return results->foreign;
}

enum err results_fail(struct results *results, size_t variant, size_t seed, const char *error,
                      struct problem *problem)
{
    json_t *line = begin_line(results, variant, seed);
    json_t *text = json_string(error);
    json_object_set_new(line, "error", text != NULL ? text : json_string("not UTF-8"));
    enum err err = write_line(results, line, problem);
    json_decref(line);
    return err;
}

static enum err add_flat(struct results *results, size_t variant, size_t seed, json_t *flat,
                         double seconds, struct problem *problem)
{
    struct row *row = row_of(results, variant, seed);
    forget_row(row);
    if (!take_figures(results, row, flat)) {
        forget_row(row);
        return problem_set(problem, ERR_INVALID, "answer", "no figures in it, or more than %d",
                           RESULTS_FIGURES_MAX);
    }
    row->there = true;
    json_t *line = begin_line(results, variant, seed);
    json_object_set_new(line, "seconds", json_real(seconds));
    json_object_set(line, "figures", flat);
    enum err err = write_line(results, line, problem);
    json_decref(line);
    return err;
}

enum err results_add(struct results *results, size_t variant, size_t seed, const char *answer,
                     size_t size, double seconds, struct problem *problem)
{
    json_error_t error;
    json_t *object = json_loadb(answer, size, JSON_REJECT_DUPLICATES, &error);
    json_t *flat = json_object();
    enum err err;
    if (!json_is_object(object))
        err = problem_set(problem, ERR_INVALID, "answer", "not one JSON object: %.100s",
                          object == NULL ? error.text : "it is another kind of value");
    else if (!flatten(object, "", 0, flat))
        err = problem_set(problem, ERR_INVALID, "answer", "names too long, too deep or too many");
    else
        err = add_flat(results, variant, seed, flat, seconds, problem);
    json_decref(object);
    json_decref(flat);
    if (err != ERR_INVALID) return err;
    struct problem second;
    enum err failed = results_fail(results, variant, seed, problem->text, &second);
    if (failed != ERR_OK) *problem = second;
    return failed != ERR_OK ? failed : err;
}

/* --- what it says ---------------------------------------------------------------------------- */

size_t results_figures(struct results *results)
{
    for (size_t i = 0; i < results->name_count; i++) {
        size_t at = i;
        for (; at > 0 && strcmp(results->names[results->sorted[at - 1]], results->names[i]) > 0;
             at--)
            results->sorted[at] = results->sorted[at - 1];
        results->sorted[at] = i;
    }
    return results->name_count;
}

const char *results_figure(const struct results *results, size_t figure)
{
    CHECK(figure < results->name_count);
    return results->names[results->sorted[figure]];
}

/* NAN: that run does not have it. */
static double results_value(const struct results *results, size_t variant, size_t seed,
                            size_t figure)
{
    const struct row *row = row_of(results, variant, seed);
    CHECK(figure < results->name_count);
    size_t place = results->sorted[figure];
    return row->there && place < row->count ? row->values[place] : NAN;
}

size_t results_values(const struct results *results, size_t variant, size_t figure, double *out)
{
    size_t count = 0;
    for (size_t seed = 0; seed < results->options.seed_count; seed++) {
        double value = results_value(results, variant, seed, figure);
        if (!isnan(value)) out[count++] = value;
    }
    return count;
}

size_t results_differences(const struct results *results, size_t base, size_t variant,
                           size_t figure, double *out)
{
    size_t count = 0;
    for (size_t seed = 0; seed < results->options.seed_count; seed++) {
        double difference = results_value(results, variant, seed, figure) -
                            results_value(results, base, seed, figure);
        if (!isnan(difference)) out[count++] = difference;
    }
    return count;
}
