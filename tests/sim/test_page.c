/* The planner's report as a file: what it says stands in the chart's table, the CSV and the JSON
 * alike, nothing in it comes from elsewhere, and hostile names stay texts. */
#include "sim/report/page.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char hostile[] = "=<script>alert('\"&')</script>";

static struct sheet *sheet_of(const char *id, size_t columns, size_t rows)
{
    struct sheet *sheet = sheet_open(id, "How the day went", "By the hour of the start.", "hour");
    for (size_t c = 0; c < columns; c++) {
        char name[32];
        snprintf(name, sizeof name, "column %zu", c);
        sheet_column(sheet, c == 0 ? hostile : name, "min", 1);
    }
    for (size_t r = 0; r < rows; r++) {
        char label[32];
        snprintf(label, sizeof label, "%02zu:00", r);
        size_t row = sheet_row(sheet, r == 1 ? hostile : label);
        for (size_t c = 0; c < columns; c++)
            if (r != 2 || c != 0) sheet_set(sheet, row, c, (double)(r * 7 + c) * 123.25 - 300);
    }
    return sheet;
}

static struct page *page_of_all_charts(void)
{
    struct page *page = page_open(hostile, "A day");
    page_tile(page, "On time", 96.25, 1, "%", 95.0, 97.5);
    page_tile(page, "First response", NAN, 0, "min", NAN, NAN);
    page_note(page, "seed", "1");
    page_figure(page, sheet_of("areas", 5, 24), CHART_AREAS);
    page_figure(page, sheet_of("lines", 2, 24), CHART_LINES);
    page_figure(page, sheet_of("bars", 2, 6), CHART_BARS);
    page_figure(page, sheet_of("heat", 12, 3), CHART_HEAT);
    page_figure(page, sheet_of("ranges", 3, 4), CHART_RANGES);
    page_figure(page, sheet_of("boxes", 5, 4), CHART_BOXES);
    page_figure(page, sheet_of("places", 3, 30), CHART_PLACES);
    page_figure(page, sheet_of("nothing", 3, 0), CHART_LINES);
    page_table(page, sheet_of("table", 3, 3));
    return page;
}

static char *html_of(const struct page *page)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    page_write_html(page, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        count++;
    return count;
}

static void needs_nothing_from_elsewhere(void **state)
{
    struct page *page = page_of_all_charts();
    char *html = html_of(page);
    (void)state;
    assert_null(strstr(html, "http"));
    assert_null(strstr(html, "<link"));
    assert_null(strstr(html, "src="));
    assert_null(strstr(html, "nan"));
    assert_null(strstr(html, "inf"));
    assert_int_equal(count_of(html, "href=\"data:text/csv"), 9);
    assert_int_equal(count_of(html, "<svg"), 7);
    assert_int_equal(count_of(html, "</svg>"), 7);
    assert_int_equal(count_of(html, "<table>"), 9);
    free(html);
    page_close(page);
}

static void a_hostile_name_stays_a_text(void **state)
{
    struct page *page = page_of_all_charts();
    char *html = html_of(page), *csv = NULL;
    size_t size;
    (void)state;
    assert_int_equal(count_of(html, "<script>"), 1);
    assert_true(count_of(html, "&lt;script&gt;") > 10);
    struct sheet *sheet = sheet_of("one", 1, 2);
    FILE *out = open_memstream(&csv, &size);
    sheet_write_csv(sheet, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(csv, "\"hour\",\"'=<script>alert('\"\"&')</script> (min)\"\r\n"
                             "\"00:00\",-300.0\r\n\"'=<script>alert('\"\"&')</script>\",562.8\r\n");
    sheet_close(sheet);
    free(csv);
    free(html);
    page_close(page);
}

/* Programs for tables take what begins with these for a formula; within quotes all else is text. */
static void a_cell_is_a_text_whatever_it_begins_with(void **state)
{
    static const char *const names[][2] = {
        {"=1+1", "\"'=1+1\""},         {"+1", "\"'+1\""},        {"-1", "\"'-1\""},
        {"@SUM(A1)", "\"'@SUM(A1)\""}, {"\t=1", "\"'\t=1\""},    {"\r=1", "\"'\r=1\""},
        {"a;b\n=1", "\"a;b\n=1\""},    {"\";=1", "\"\"\";=1\""}, {"a=1", "\"a=1\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sheet *sheet = sheet_open("one", "One", "", names[i][0]);
        char *csv = NULL;
        size_t size;
        FILE *out = open_memstream(&csv, &size);
        sheet_write_csv(sheet, out);
        assert_int_equal(fclose(out), 0);
        assert_memory_equal(csv, names[i][1], strlen(names[i][1]));
        assert_string_equal(csv + strlen(names[i][1]), "\r\n");
        sheet_close(sheet);
        free(csv);
    }
}

static void numbers_are_written_as_people_read_them(void **state)
{
    static const struct {
        double value;
        int decimals;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {-0.04, 1, "0.0"},
        {1234, 0, "1234"},
        {12345, 0, "12&#8239;345"},
        {-1234567.25, 2, "&#8722;1&#8239;234&#8239;567.25"},
        {-123456, 0, "&#8722;123&#8239;456"},
        {NAN, 1, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        html_number(out, cases[i].value, cases[i].decimals);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

static void all_three_forms_say_the_same(void **state)
{
    struct page *page = page_of_all_charts();
    json_t *json = page_json(page);
    (void)state;
    const json_t *sheets = json_object_get(json, "sheets");
    assert_int_equal(json_array_size(sheets), 9);
    const json_t *rows = json_object_get(json_array_get(sheets, 1), "rows");
    assert_int_equal(json_array_size(rows), 24);
    assert_true(json_is_null(json_array_get(json_array_get(rows, 2), 1)));
    double last = json_real_value(json_array_get(json_array_get(rows, 23), 2));
    assert_true(fabs(last - 19666.5) < 1e-9);
    char *html = html_of(page);
    assert_non_null(strstr(html, "19&#8239;666.5"));
    free(html);
    json_decref(json);
    page_close(page);
}

static char *file_of(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "rb");
    if (in == NULL) return NULL;
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, in) > 0);
    fclose(in);
    remove(path);
    return text;
}

static void the_same_page_gives_the_same_files(void **state)
{
    static const char *const names[] = {"report.html", "report.json", "areas.csv", "table.csv",
                                        "nothing.csv", "lines.csv",   "bars.csv",  "heat.csv",
                                        "ranges.csv",  "boxes.csv",   "places.csv"};
    char folder[] = "/tmp/callout-page-XXXXXX";
    struct problem problem;
    (void)state;
    assert_non_null(mkdtemp(folder));
    struct page *page = page_of_all_charts(), *again = page_of_all_charts();
    char *before[sizeof names / sizeof *names];
    assert_int_equal(page_write(page, folder, &problem), ERR_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(before[i] = file_of(folder, names[i]));
    assert_int_equal(page_write(again, folder, &problem), ERR_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *now = file_of(folder, names[i]);
        assert_string_equal(now, before[i]);
        free(now);
        free(before[i]);
    }
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(page_write(page, "/nowhere/at/all", &problem), ERR_IO);
    assert_string_equal(problem.field, "/nowhere/at/all");
    page_close(page);
    page_close(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_nothing_from_elsewhere),
        cmocka_unit_test(a_hostile_name_stays_a_text),
        cmocka_unit_test(a_cell_is_a_text_whatever_it_begins_with),
        cmocka_unit_test(numbers_are_written_as_people_read_them),
        cmocka_unit_test(all_three_forms_say_the_same),
        cmocka_unit_test(the_same_page_gives_the_same_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
