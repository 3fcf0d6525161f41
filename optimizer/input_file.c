#include "optimizer/input_file.h"

#include "base/check.h"
#include "optimizer/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_BYTES_MAX = 256 << 20, LINES_LOOKED_AT = 20 };

typedef enum err read_text(struct solve_input *input, const char *text, size_t size,
                           struct problem *problem);

static const struct {
    const char *name;
    enum solve_format format;
    read_text *read; /* NULL: a folder */
} formats[] = {
    {"solomon", SOLVE_SOLOMON, read_solomon},
    {"vrplib", SOLVE_VRPLIB, read_vrplib},
    {"vroom", SOLVE_VROOM, read_vroom},
    {"day", SOLVE_DAY, NULL},
};

enum { FORMATS = sizeof formats / sizeof *formats };

/* Its place among the formats; FORMATS if there is none of that name. */
static size_t format_named(const char *name)
{
    size_t i = 0;
    while (i < FORMATS && strcmp(formats[i].name, name) != 0)
        i++;
    return i;
}

bool input_format_known(const char *tool, const char *format)
{
    if (format_named(format) < FORMATS) return true;
    fprintf(stderr, "%s: --format %s: cannot be read; say solomon, vrplib, vroom or day\n", tool,
            format);
    return false;
}

/* --- what it is ------------------------------------------------------------------------------ */

static bool has_vrplib_key(struct words *words)
{
    struct word key;
    const char *line = words->at;
    if (!words_key(words, &key)) return false;
    bool colon = memchr(line, ':', (size_t)(words->at - line)) != NULL;
    return colon && (word_is(key, "NAME") || word_is(key, "TYPE") || word_is(key, "DIMENSION"));
}

enum solve_format input_format_of_text(const char *text, size_t size)
{
    struct words words;
    struct word first;
    words_open(&words, text, size, NULL);
    for (int i = 0; i < LINES_LOOKED_AT && words_line(&words); i++) {
        if (i == 0 && words_peek(&words, &first) && first.text[0] == '{') return SOLVE_VROOM;
        if (has_vrplib_key(&words)) return SOLVE_VRPLIB;
    }
    return SOLVE_SOLOMON;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* --- the whole of it ------------------------------------------------------------------------- */

/* Room grows with what is read: a file may be a pipe, whose size nobody knows. */
static char *read_whole(FILE *file, size_t max, size_t *size)
{
    size_t room = 1 << 16;
    char *text = malloc(room);
    *size = 0;
    while (text != NULL) {
        *size += fread(text + *size, 1, room - 1 - *size, file);
        if (*size < room - 1 || *size > max) break;
        char *more = realloc(text, room *= 2);
        if (more == NULL) free(text);
        text = more;
    }
    if (text != NULL) text[*size] = '\0';
    return text;
}

enum err file_take(const char *path, size_t max, char **text, size_t *size, struct problem *problem)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    char *bytes = read_whole(file, max, size);
    bool failed = bytes == NULL || ferror(file) != 0;
    fclose(file);
    if (!failed && *size <= max) {
        *text = bytes;
        return ERR_OK;
    }
    free(bytes);
    if (failed) return problem_set(problem, ERR_IO, path, "cannot be read");
    return problem_set(problem, ERR_TOO_LARGE, path, "at most %zu bytes", max);
}

static enum err read_day_folder(struct solve_input *input, const char *tool, const char *path,
                                bool overtime, struct problem *problem)
{
    static struct day_errors errors;
    struct day day;
    char technicians[1024], orders[1024];
    snprintf(technicians, sizeof technicians, "%s/technicians.csv", path);
    snprintf(orders, sizeof orders, "%s/orders.csv", path);
    /* All times of a plan are the folder's local ones; as UTC they have no clock that changes. */
    enum err err = day_read(&day, technicians, orders, "UTC", &errors);
    if (err != ERR_OK) {
        size_t kept = errors.count < DAY_ERRORS_MAX ? errors.count : DAY_ERRORS_MAX;
        for (size_t i = 0; i + 1 < kept; i++)
            fprintf(stderr, "%s: %s: %s\n", tool, errors.items[i].field, errors.items[i].text);
        *problem = errors.items[kept - 1];
        return err;
    }
    err = read_day(input, &day, overtime, problem);
    day_fini(&day);
    return err;
}

/* How a text of that format is read; one that nobody names is looked at. */
static read_text *reader_of(const char *format, const char *text, size_t size)
{
    if (format != NULL) return formats[format_named(format)].read;
    enum solve_format seen = input_format_of_text(text, size);
    size_t i = 0;
    while (formats[i].format != seen)
        i++;
    return formats[i].read;
}

enum err input_file_read(struct solve_input *input, const char *tool, const char *format,
                         const char *path, bool overtime, struct problem *problem)
{
    CHECK(format == NULL || format_named(format) < FORMATS);
    bool folder = format == NULL ? is_folder(path) : strcmp(format, "day") == 0;
    if (folder) return read_day_folder(input, tool, path, overtime, problem);
    char *text = NULL;
    size_t size = 0;
    enum err err = file_take(path, INPUT_BYTES_MAX, &text, &size, problem);
    if (err != ERR_OK) return err;
    err = reader_of(format, text, size)(input, text, size, problem);
    free(text);
    return err;
}
