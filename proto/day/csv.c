#include "day/csv.h"

#include <string.h>

void csv_open(struct csv *csv, const char *text, size_t size)
{
    static const char mark[3] = {'\xef', '\xbb', '\xbf'};
    *csv = (struct csv){.at = text, .end = text + size, .next_line = 1};
    if (size >= sizeof mark && memcmp(text, mark, sizeof mark) == 0) csv->at += sizeof mark;
}

/* Is `at` a line end? Its length, or 0. */
static size_t line_end(const struct csv *csv, const char *at)
{
    if (at < csv->end && *at == '\n') return 1;
    if (at + 1 < csv->end && at[0] == '\r' && at[1] == '\n') return 2;
    return 0;
}

static void skip_empty_lines(struct csv *csv)
{
    for (size_t size; (size = line_end(csv, csv->at)) > 0; csv->at += size)
        csv->next_line++;
}

static void skip_line(struct csv *csv)
{
    while (csv->at < csv->end && *csv->at != '\n')
        csv->at++;
    if (csv->at < csv->end) {
        csv->at++;
        csv->next_line++;
    }
}

struct row {
    struct csv *csv;
    size_t used; /* of csv->bytes */
    struct problem *problem;
};

static enum err put(struct row *row, char byte)
{
    if (byte == '\0') return problem_set(row->problem, ERR_INVALID, "", "a NUL byte");
    if (row->used + 1 >= CSV_ROW_BYTES)
        return problem_set(row->problem, ERR_TOO_LARGE, "", "a row has at most %d bytes",
                           CSV_ROW_BYTES);
    row->csv->bytes[row->used++] = byte;
    return ERR_OK;
}

static enum err read_quoted(struct row *row)
{
    struct csv *csv = row->csv;
    csv->at++;
    enum err err = ERR_OK;
    while (csv->at < csv->end && err == ERR_OK) {
        if (*csv->at == '"') {
            csv->at++;
            if (csv->at == csv->end || *csv->at != '"') return ERR_OK;
        }
        if (*csv->at == '\n') csv->next_line++;
        err = put(row, *csv->at++);
    }
    if (err != ERR_OK) return err;
    return problem_set(row->problem, ERR_INVALID, "", "a quote is opened and never closed");
}

static enum err read_bare(struct row *row)
{
    struct csv *csv = row->csv;
    enum err err = ERR_OK;
    while (err == ERR_OK && csv->at < csv->end && *csv->at != ',' && line_end(csv, csv->at) == 0) {
        if (*csv->at == '"')
            return problem_set(row->problem, ERR_INVALID, "",
                               "a quote inside a field that does not begin with one");
        err = put(row, *csv->at++);
    }
    return err;
}

static enum err read_field(struct row *row)
{
    struct csv *csv = row->csv;
    if (csv->field_count == CSV_FIELDS_MAX)
        return problem_set(row->problem, ERR_TOO_LARGE, "", "a row has at most %d fields",
                           CSV_FIELDS_MAX);
    csv->fields[csv->field_count++] = csv->bytes + row->used;
    bool quoted = csv->at < csv->end && *csv->at == '"';
    enum err err = quoted ? read_quoted(row) : read_bare(row);
    if (err != ERR_OK) return err;
    if (csv->at < csv->end && *csv->at != ',' && line_end(csv, csv->at) == 0)
        return problem_set(row->problem, ERR_INVALID, "", "text behind a closing quote");
    if (row->used + 1 >= CSV_ROW_BYTES)
        return problem_set(row->problem, ERR_TOO_LARGE, "", "a row has at most %d bytes",
                           CSV_ROW_BYTES);
    csv->bytes[row->used++] = '\0';
    return ERR_OK;
}

bool csv_next(struct csv *csv, enum err *err, struct problem *problem)
{
    skip_empty_lines(csv);
    if (csv->at == csv->end) return false;
    csv->line = csv->next_line;
    csv->field_count = 0;
    struct row row = {.csv = csv, .problem = problem};
    for (;;) {
        *err = read_field(&row);
        if (*err != ERR_OK) {
            skip_line(csv);
            return true;
        }
        size_t end = line_end(csv, csv->at);
        if (end > 0) csv->next_line++;
        if (end > 0 || csv->at == csv->end) {
            csv->at += end;
            return true;
        }
        csv->at++; /* the comma */
    }
}
