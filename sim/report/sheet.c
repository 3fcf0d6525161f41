#include "sim/report/sheet.h"

#include "base/check.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    char *own = strdup(text);
    CHECK(own != NULL);
    return own;
}

struct sheet *sheet_open(const char *id, const char *title, const char *note, const char *label)
{
    struct sheet *sheet = calloc(1, sizeof *sheet);
    CHECK(sheet != NULL);
    sheet->id = copy(id);
    sheet->title = copy(title);
    sheet->note = copy(note);
    sheet->label = copy(label);
    return sheet;
}

void sheet_close(struct sheet *sheet)
{
    if (sheet == NULL) return;
    for (size_t c = 0; c < sheet->column_count; c++) {
        free(sheet->columns[c].name);
        free(sheet->columns[c].unit);
    }
    for (size_t r = 0; r < sheet->row_count; r++)
        free(sheet->labels[r]);
    free(sheet->columns);
    free(sheet->labels);
    free(sheet->values);
    free(sheet->id);
    free(sheet->title);
    free(sheet->note);
    free(sheet->label);
    free(sheet);
}

void sheet_column(struct sheet *sheet, const char *name, const char *unit, int decimals)
{
    CHECK(sheet->row_count == 0);
    size_t size = (sheet->column_count + 1) * sizeof *sheet->columns;
    sheet->columns = realloc(sheet->columns, size);
    CHECK(sheet->columns != NULL);
    sheet->columns[sheet->column_count++] = (struct sheet_column){copy(name), copy(unit), decimals};
}

size_t sheet_row(struct sheet *sheet, const char *label)
{
    CHECK(sheet->column_count > 0);
    if (sheet->row_count == sheet->row_cap) {
        sheet->row_cap = sheet->row_cap == 0 ? 32 : sheet->row_cap * 2;
        size_t values = sheet->row_cap * sheet->column_count;
        sheet->labels = realloc(sheet->labels, sheet->row_cap * sizeof *sheet->labels);
        sheet->values = realloc(sheet->values, values * sizeof *sheet->values);
        CHECK(sheet->labels != NULL && sheet->values != NULL);
    }
    size_t row = sheet->row_count++;
    sheet->labels[row] = copy(label);
    for (size_t c = 0; c < sheet->column_count; c++)
        sheet->values[row * sheet->column_count + c] = NAN;
    return row;
}

void sheet_set(struct sheet *sheet, size_t row, size_t column, double value)
{
    CHECK(row < sheet->row_count && column < sheet->column_count);
    sheet->values[row * sheet->column_count + column] = value;
}

double sheet_get(const struct sheet *sheet, size_t row, size_t column)
{
    CHECK(row < sheet->row_count && column < sheet->column_count);
    return sheet->values[row * sheet->column_count + column];
}

/* --- HTML ---------------------------------------------------------------------------- */

void html_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: fputc(*text, out);
        }
    }
}

/* Digits in groups of three, with a narrow space between them. */
void html_number(FILE *out, double value, int decimals)
{
    char digits[64];
    if (!isfinite(value)) return;
    if (fabs(value) < 0.5 * pow(10, -decimals)) value = 0; /* no minus before nothing */
    int length = snprintf(digits, sizeof digits, "%.*f", decimals, value);
    CHECK(length > 0 && (size_t)length < sizeof digits);
    int whole = decimals > 0 ? length - decimals - 1 : length;
    for (int i = 0; i < length; i++) {
        bool group = i > 0 && i < whole && (whole - i) % 3 == 0 && digits[i - 1] != '-';
        if (group && whole > 4) fputs("&#8239;", out);
        if (digits[i] == '-')
            fputs("&#8722;", out);
        else
            fputc(digits[i], out);
    }
}

static void write_head(const struct sheet *sheet, FILE *out)
{
    fputs("<thead><tr><th scope=\"col\">", out);
    html_text(out, sheet->label);
    fputs("</th>", out);
    for (size_t c = 0; c < sheet->column_count; c++) {
        fputs("<th scope=\"col\">", out);
        html_text(out, sheet->columns[c].name);
        if (sheet->columns[c].unit[0] != '\0') {
            fputs(" <span class=\"unit\">", out);
            html_text(out, sheet->columns[c].unit);
            fputs("</span>", out);
        }
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n", out);
}

void sheet_write_table(const struct sheet *sheet, FILE *out)
{
    fputs("<table>\n", out);
    write_head(sheet, out);
    fputs("<tbody>\n", out);
    for (size_t r = 0; r < sheet->row_count; r++) {
        fputs("<tr><th scope=\"row\">", out);
        html_text(out, sheet->labels[r]);
        fputs("</th>", out);
        for (size_t c = 0; c < sheet->column_count; c++) {
            fputs("<td>", out);
            html_number(out, sheet_get(sheet, r, c), sheet->columns[c].decimals);
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table>\n", out);
}

/* --- CSV and JSON -------------------------------------------------------------------- */

static void csv_text(FILE *out, const char *text)
{
    fputc('"', out);
    if (*text != '\0' && strchr("=+-@\t\r", *text) != NULL) fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void sheet_write_csv(const struct sheet *sheet, FILE *out)
{
    csv_text(out, sheet->label);
    for (size_t c = 0; c < sheet->column_count; c++) {
        char name[256];
        const struct sheet_column *column = &sheet->columns[c];
        bool unit = column->unit[0] != '\0';
        snprintf(name, sizeof name, unit ? "%.120s (%.60s)" : "%.120s%.60s", column->name,
                 column->unit);
        fputc(',', out);
        csv_text(out, name);
    }
    fputs("\r\n", out);
    for (size_t r = 0; r < sheet->row_count; r++) {
        csv_text(out, sheet->labels[r]);
        for (size_t c = 0; c < sheet->column_count; c++) {
            double value = sheet_get(sheet, r, c);
            fputc(',', out);
            if (isfinite(value)) fprintf(out, "%.*f", sheet->columns[c].decimals, value);
        }
        fputs("\r\n", out);
    }
}

static json_t *made(json_t *value)
{
    CHECK(value != NULL);
    return value;
}

/* A number with as many decimals as the page shows, so that the same run gives the same bytes. */
static json_t *json_number(double value, int decimals)
{
    if (!isfinite(value)) return json_null();
    double scale = pow(10, decimals);
    return made(json_real(round(value * scale) / scale));
}

json_t *sheet_json(const struct sheet *sheet)
{
    json_t *columns = made(json_array()), *rows = made(json_array());
    for (size_t c = 0; c < sheet->column_count; c++) {
        json_t *column = made(json_pack("{s:s, s:s}", "name", sheet->columns[c].name, "unit",
                                        sheet->columns[c].unit));
        CHECK(json_array_append_new(columns, column) == 0);
    }
    for (size_t r = 0; r < sheet->row_count; r++) {
        json_t *row = made(json_array());
        CHECK(json_array_append_new(row, made(json_string(sheet->labels[r]))) == 0);
        for (size_t c = 0; c < sheet->column_count; c++)
            CHECK(json_array_append_new(
                      row, json_number(sheet_get(sheet, r, c), sheet->columns[c].decimals)) == 0);
        CHECK(json_array_append_new(rows, row) == 0);
    }
    return made(json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", sheet->id, "title", sheet->title,
                          "rows_are", sheet->label, "columns", columns, "rows", rows));
}
