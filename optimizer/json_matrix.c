#include "optimizer/json_matrix.h"

#include "base/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char rows_field[] = "matrices.durations";

/* --- over a text ----------------------------------------------------------------------------- */

/* Each function stands at the first byte of what it is asked for, blanks aside, and leaves the
 * text behind it; false: it is not there. */
struct scan {
    const char *at, *end;
};

static void pass_blanks(struct scan *scan)
{
    while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) != NULL && *scan->at != '\0')
        scan->at++;
}

static bool pass(struct scan *scan, char c)
{
    pass_blanks(scan);
    if (scan->at == scan->end || *scan->at != c) return false;
    scan->at++;
    return true;
}

static bool pass_string(struct scan *scan)
{
    if (!pass(scan, '"')) return false;
    for (; scan->at < scan->end && *scan->at != '"'; scan->at++) {
        if (*scan->at == '\\' && scan->at + 1 < scan->end) scan->at++;
    }
    return pass(scan, '"');
}

/* Whatever brackets hold, or one word of a number, true, false or null. */
static bool pass_value(struct scan *scan)
{
    size_t depth = 0;
    do {
        pass_blanks(scan);
        if (scan->at == scan->end) return false;
        char c = *scan->at;
        if (c == '"') {
            if (!pass_string(scan)) return false;
            continue;
        }
        if ((c == '}' || c == ']') && depth == 0) return false;
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        scan->at++;
        bool bare = strchr("{}[],:", c) == NULL;
        while (bare && scan->at < scan->end && strchr(" \t\r\n{}[],:\"", *scan->at) == NULL)
            scan->at++;
    } while (depth > 0);
    return true;
}

/* Into an object, up to the value of that key; of any key when it is NULL. */
static bool enter(struct scan *scan, const char *key)
{
    if (!pass(scan, '{')) return false;
    do {
        pass_blanks(scan);
        const char *name = scan->at + 1;
        if (!pass_string(scan)) return false;
        size_t length = (size_t)(scan->at - 1 - name);
        if (!pass(scan, ':')) return false;
        if (key == NULL || (length == strlen(key) && memcmp(name, key, length) == 0)) return true;
    } while (pass_value(scan) && pass(scan, ','));
    return false;
}

/* --- rows ------------------------------------------------------------------------------------ */

/* A whole number from 0; what is above `max` is cut down to it. */
static bool pass_number(struct scan *scan, int32_t max, int32_t *out)
{
    pass_blanks(scan);
    const char *begin = scan->at;
    int64_t value = 0;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++) {
        value = value * 10 + (*scan->at - '0');
        if (value > max) value = max;
    }
    if (scan->at == begin || (*begin == '0' && scan->at > begin + 1)) return false;
    *out = (int32_t)value;
    return true;
}

/* As many as there seem to be in the row that begins here. */
static size_t row_length(struct scan scan)
{
    size_t commas = 0;
    if (!pass(&scan, '[') || pass(&scan, ']')) return 0;
    for (; scan.at < scan.end && *scan.at != ']' && *scan.at != '['; scan.at++)
        commas += *scan.at == ',';
    return commas + 1;
}

static enum err read_row(struct scan *scan, uint32_t index, uint32_t size, int32_t leg_max,
                         int32_t *out, struct problem *problem)
{
    char field[64];
    snprintf(field, sizeof field, "%s[%u]", rows_field, index);
    if (row_length(*scan) != size)
        return problem_set(problem, ERR_INVALID, field,
                           "must be an array of %u, like the first row", size);
    bool fine = pass(scan, '[');
    for (uint32_t i = 0; i < size && fine; i++)
        fine = pass_number(scan, leg_max, &out[i]) && pass(scan, i + 1 < size ? ',' : ']');
    if (!fine) return problem_set(problem, ERR_INVALID, field, "must be whole numbers from 0");
    return ERR_OK;
}

static enum err read_rows(struct scan *scan, struct json_matrix *out, int32_t leg_max,
                          struct problem *problem)
{
    uint32_t rows = 0;
    bool more = true;
    for (; rows < out->size && more; rows++) {
        int32_t *row = out->seconds + (size_t)rows * out->size;
        enum err err = read_row(scan, rows, out->size, leg_max, row, problem);
        if (err != ERR_OK) return err;
        more = pass(scan, ',');
    }
    if (rows < out->size || more)
        return problem_set(problem, ERR_INVALID, rows_field,
                           "must have as many rows as the first has numbers, %u", out->size);
    return ERR_OK;
}

enum err json_matrix_read(struct json_matrix *out, const char *text, size_t size, uint32_t size_max,
                          int32_t leg_max, struct arena *memory, struct problem *problem)
{
    struct scan scan = {text, text + size};
    *out = (struct json_matrix){0};
    if (!enter(&scan, "matrices") || !enter(&scan, NULL) || !enter(&scan, "durations") ||
        !pass(&scan, '['))
        return ERR_OK;
    pass_blanks(&scan);
    out->begin = out->end = (size_t)(scan.at - text);
    if (scan.at == scan.end || *scan.at != '[') return ERR_OK;
    size_t length = row_length(scan);
    if (length == 0)
        return problem_set(problem, ERR_INVALID, "matrices.durations[0]", "must not be empty");
    if (length > size_max)
        return problem_set(problem, ERR_TOO_LARGE, rows_field, "at most %u rows", size_max);
    out->size = (uint32_t)length;
    out->seconds = arena_need(memory, sizeof *out->seconds * length * length);
    enum err err = read_rows(&scan, out, leg_max, problem);
    out->end = (size_t)(scan.at - text);
    return err;
}

/* --- the rest -------------------------------------------------------------------------------- */

struct rest {
    const struct json_matrix *matrix;
    const char *text;
    size_t size, at;
};

static size_t give(void *buffer, size_t room, void *data)
{
    struct rest *rest = data;
    if (rest->at == rest->matrix->begin) rest->at = rest->matrix->end;
    size_t stop = rest->at < rest->matrix->begin ? rest->matrix->begin : rest->size;
    size_t count = stop - rest->at < room ? stop - rest->at : room;
    memcpy(buffer, rest->text + rest->at, count);
    rest->at += count;
    return count;
}

/* Columns count characters, of which UTF-8 has one for each byte that does not continue one. */
static void name_place(const char *text, size_t at, char *field, size_t size)
{
    unsigned line = 1, column = 0;
    for (size_t i = 0; i < at; i++) {
        column += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (text[i] != '\n') continue;
        line++;
        column = 0;
    }
    snprintf(field, size, "line %u, column %u", line, column);
}

json_t *json_tree_without(const struct json_matrix *matrix, const char *text, size_t size,
                          struct problem *problem)
{
    json_error_t error;
    struct rest rest = {matrix, text, size, 0};
    json_t *root = json_load_callback(give, &rest, JSON_REJECT_DUPLICATES, &error);
    if (root != NULL) return root;
    char field[64];
    size_t at = (size_t)error.position;
    if (at > matrix->begin) at += matrix->end - matrix->begin;
    name_place(text, at < size ? at : size, field, sizeof field);
    problem_set(problem, ERR_INVALID, field, "%s", error.text);
    return NULL;
}
