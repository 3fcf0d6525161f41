#include "optimizer/input_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES_MAX = 256 << 20 };

typedef enum err read_text(struct solve_input *input, const char *text, size_t size,
                           struct problem *problem);

static const struct {
    const char *name;
    read_text *read; /* NULL: a folder */
} formats[] = {
    {"solomon", read_solomon}, {"vrplib", read_vrplib}, {"vroom", read_vroom}, {"day", NULL}};

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

enum err input_file_read(struct solve_input *input, const char *tool, const char *format,
                         const char *path, bool overtime, struct problem *problem)
{
    read_text *read = formats[format_named(format)].read;
    if (read == NULL) return read_day_folder(input, tool, path, overtime, problem);
    char *text;
    size_t size;
    enum err err = file_take(path, INPUT_BYTES_MAX, &text, &size, problem);
    if (err != ERR_OK) return err;
    err = read(input, text, size, problem);
    free(text);
    return err;
}
