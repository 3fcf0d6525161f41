/* sheet.h - a table of figures: what a chart draws, a page shows below it, and a CSV file holds.
 *
 * Idea: whatever the report says is a sheet first, so a chart cannot show what its table does not
 * have. A row has a label and a number for each column; NAN is "not known" and is left empty.
 *
 * Owner: texts are copied; sheet_close frees all. Thread: one.
 */
#ifndef CALLOUT_SIM_REPORT_SHEET_H
#define CALLOUT_SIM_REPORT_SHEET_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

struct sheet_column {
    char *name, *unit; /* unit "": a number of things */
    int decimals;
};

struct sheet {
    char *id; /* a word: the file's name, and the anchor in the page */
    char *title, *note;
    char *label; /* what the rows are */
    struct sheet_column *columns;
    size_t column_count;
    char **labels;
    double *values; /* by row, then by column */
    size_t row_count, row_cap;
};

struct sheet *sheet_open(const char *id, const char *title, const char *note, const char *label);
void sheet_close(struct sheet *sheet); /* may be NULL */

/* All columns before the first row. */
void sheet_column(struct sheet *sheet, const char *name, const char *unit, int decimals);
/* The numbers of the row are NAN until they are set. */
size_t sheet_row(struct sheet *sheet, const char *label);
void sheet_set(struct sheet *sheet, size_t row, size_t column, double value);
double sheet_get(const struct sheet *sheet, size_t row, size_t column);

/* Text in HTML, with what has a meaning there escaped. */
void html_text(FILE *out, const char *text);
/* A number as people read it; nothing for NAN. */
void html_number(FILE *out, double value, int decimals);

void sheet_write_table(const struct sheet *sheet, FILE *out);
/* RFC 4180; a text that a spreadsheet would take for a formula gets an apostrophe. */
void sheet_write_csv(const struct sheet *sheet, FILE *out);
json_t *sheet_json(const struct sheet *sheet);

#endif
