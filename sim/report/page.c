#include "sim/report/page.h"

#include "base/check.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, WIDE_COLUMNS = 4 /* tables with more take the whole width */ };

struct tile {
    char *name, *unit;
    double value, low, high;
    int decimals;
};

struct figure {
    struct sheet *sheet;
    enum chart_kind kind;
    bool drawn;
};

struct note {
    char *name, *value;
};

struct page {
    char *title, *summary;
    struct tile *tiles;
    struct figure *figures;
    struct note *notes;
    size_t tile_count, figure_count, note_count;
};

static const char style[] =
    ":root{color-scheme:light dark;--paper:#fbfbfa;--card:#fff;--ink:#1c2026;--soft:#5c6570;"
    "--rule:#dfe2e6;--h0:#2f6fab;--h1:#d98324;--h2:#3f8f5b;--h3:#a4549c;--h4:#c4483f;--h5:#6f7f2d;"
    "--h6:#3a8f98;--h7:#7a6a58;--heat:#2f6fab;--on:#fff}"
    "@media(prefers-color-scheme:dark){:root{--paper:#15181c;--card:#1d2126;--ink:#e8eaed;"
    "--soft:#a1aab4;--rule:#343a42;--h0:#6aa9e0;--h1:#eba655;--h2:#72c08d;--h3:#cd8ac6;"
    "--h4:#ea827a;--h5:#b0c065;--h6:#6cc4cd;--h7:#b5a48f;--heat:#6aa9e0;--on:#10141a}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}"
    "main,header,footer{max-width:1180px;margin:0 auto;padding:0 24px}"
    "header{padding-top:36px}h1{font-size:28px;line-height:1.2;margin:0 0 6px}"
    "header p{color:var(--soft);margin:0 0 24px;max-width:70ch}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:12px;"
    "padding:0;margin:0 0 28px;list-style:none}"
    ".tiles li{background:var(--card);border:1px solid var(--rule);border-radius:10px;"
    "padding:12px 16px}.tiles b{display:block;font-size:26px;font-weight:600;line-height:1.25;"
    "font-variant-numeric:tabular-nums}.tiles small{color:var(--soft);font-size:13px}"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,520px),1fr));"
    "gap:16px;align-items:start}"
    "figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:10px;"
    "padding:16px 18px;min-width:0}"
    "figure.wide{grid-column:1/-1}.wide table{font-size:13px}"
    "h2{font-size:17px;margin:0}figcaption p{margin:2px 0 10px;color:var(--soft);font-size:14px}"
    "svg{display:block;width:100%;height:auto;font:16px system-ui,sans-serif}"
    ".tick{fill:var(--soft)}.end{text-anchor:end}.middle,.cell{text-anchor:middle}"
    ".cell{fill:var(--ink);font-size:15px}.cell.dark{fill:var(--on)}"
    ".grid{stroke:var(--rule);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}"
    ".heat{fill:var(--heat)}.area{fill-opacity:.85;stroke:var(--card);stroke-width:1}"
    ".line{fill:none!important;stroke-width:2.5;stroke-linejoin:round}"
    ".whisker{stroke-width:2.5;stroke-linecap:round}.median{stroke:var(--card);stroke-width:2.5}"
    ".place{fill-opacity:.35;stroke-width:1}"
    ".legend{display:flex;flex-wrap:wrap;gap:2px 16px;list-style:none;margin:0 0 6px;padding:0;"
    "font-size:14px;color:var(--soft)}.legend i{display:inline-block;width:11px;height:11px;"
    "border-radius:3px;margin-right:6px}"
    "details{margin-top:10px;font-size:14px}summary{cursor:pointer;color:var(--soft)}"
    ".scroll{overflow-x:auto;max-height:420px;overflow-y:auto}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}"
    "th,td{padding:3px 10px;text-align:right;border-bottom:1px solid "
    "var(--rule);white-space:nowrap}"
    "th[scope=row],thead th:first-child{text-align:left;font-weight:400}"
    "thead th{color:var(--soft);font-weight:600}.unit{font-weight:400}"
    "a{color:var(--h0)}.none{color:var(--soft)}"
    "footer{color:var(--soft);font-size:13px;padding-top:24px;padding-bottom:40px}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0}"
    "dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}"
    "@media print{:root{color-scheme:light}body{background:#fff;font-size:12px}"
    "figure,.tiles "
    "li{break-inside:avoid;border-color:#bbb}.scroll{max-height:none;overflow:visible}"
    "a.csv,summary{display:none}.figures{display:block}figure{margin-bottom:12px}}";

/* Paper cannot be unfolded: all tables are open there. */
static const char script[] =
    "addEventListener('beforeprint',()=>document.querySelectorAll('details').forEach(d=>{"
    "d.dataset.was=d.open?'1':'';d.open=true}));"
    "addEventListener('afterprint',()=>document.querySelectorAll('details').forEach(d=>{"
    "d.open=d.dataset.was==='1'}));";

static char *copy(const char *text)
{
    char *own = strdup(text);
    CHECK(own != NULL);
    return own;
}

static void *grown(void *items, size_t count, size_t size)
{
    void *more = realloc(items, (count + 1) * size);
    CHECK(more != NULL);
    return more;
}

struct page *page_open(const char *title, const char *summary)
{
    struct page *page = calloc(1, sizeof *page);
    CHECK(page != NULL);
    page->title = copy(title);
    page->summary = copy(summary);
    return page;
}

void page_close(struct page *page)
{
    if (page == NULL) return;
    for (size_t i = 0; i < page->tile_count; i++) {
        free(page->tiles[i].name);
        free(page->tiles[i].unit);
    }
    for (size_t i = 0; i < page->figure_count; i++)
        sheet_close(page->figures[i].sheet);
    for (size_t i = 0; i < page->note_count; i++) {
        free(page->notes[i].name);
        free(page->notes[i].value);
    }
    free(page->tiles);
    free(page->figures);
    free(page->notes);
    free(page->title);
    free(page->summary);
    free(page);
}

void page_tile(struct page *page, const char *name, double value, int decimals, const char *unit,
               double low, double high)
{
    page->tiles = grown(page->tiles, page->tile_count, sizeof *page->tiles);
    page->tiles[page->tile_count++] =
        (struct tile){copy(name), copy(unit), value, low, high, decimals};
}

static void add_figure(struct page *page, struct figure figure)
{
    page->figures = grown(page->figures, page->figure_count, sizeof *page->figures);
    page->figures[page->figure_count++] = figure;
}

void page_figure(struct page *page, struct sheet *sheet, enum chart_kind kind)
{
    add_figure(page, (struct figure){.sheet = sheet, .kind = kind, .drawn = true});
}

void page_table(struct page *page, struct sheet *sheet)
{
    add_figure(page, (struct figure){.sheet = sheet});
}

void page_note(struct page *page, const char *name, const char *value)
{
    page->notes = grown(page->notes, page->note_count, sizeof *page->notes);
    page->notes[page->note_count++] = (struct note){copy(name), copy(value)};
}

/* --- HTML ---------------------------------------------------------------------------- */

static void write_tile(const struct tile *tile, FILE *out)
{
    fputs("<li>", out);
    html_text(out, tile->name);
    fputs("<b>", out);
    if (isfinite(tile->value))
        html_number(out, tile->value, tile->decimals);
    else
        fputs("&#8211;", out);
    fputs(" <small>", out);
    html_text(out, tile->unit);
    fputs("</small></b>", out);
    if (isfinite(tile->low) && isfinite(tile->high)) {
        fputs("<small>95&#8239;%: ", out);
        html_number(out, tile->low, tile->decimals);
        fputs(" to ", out);
        html_number(out, tile->high, tile->decimals);
        fputs("</small>", out);
    }
    fputs("</li>\n", out);
}

static void write_csv_link(const struct sheet *sheet, FILE *out)
{
    char *csv = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&csv, &size);
    CHECK(text != NULL);
    sheet_write_csv(sheet, text);
    CHECK(fclose(text) == 0);
    fprintf(out, "<p><a class=\"csv\" download=\"%s.csv\" href=\"data:text/csv;charset=utf-8,",
            sheet->id);
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)csv[i];
        bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= 'a' && byte <= 'z') || strchr("-_.~", byte) != NULL;
        fprintf(out, plain && byte != 0 ? "%c" : "%%%02X", byte);
    }
    fputs("\">CSV</a></p>\n", out);
    free(csv);
}

static void write_figure(const struct figure *figure, FILE *out)
{
    const struct sheet *sheet = figure->sheet;
    bool wide = !figure->drawn && sheet->column_count > WIDE_COLUMNS;
    fprintf(out, "<figure id=\"%s\"%s><figcaption><h2>", sheet->id, wide ? " class=\"wide\"" : "");
    html_text(out, sheet->title);
    fputs("</h2><p>", out);
    html_text(out, sheet->note);
    fputs("</p></figcaption>\n", out);
    if (figure->drawn) chart_write(out, sheet, figure->kind);
    fputs(figure->drawn ? "<details>" : "<details open>", out);
    fputs("<summary>Table</summary><div class=\"scroll\" tabindex=\"0\">\n", out);
    sheet_write_table(sheet, out);
    fputs("</div>", out);
    write_csv_link(sheet, out);
    fputs("</details></figure>\n", out);
}

void page_write_html(const struct page *page, FILE *out)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
          out);
    html_text(out, page->title);
    fprintf(out, "</title>\n<style>%s", style);
    for (int hue = 0; hue < 8; hue++)
        fprintf(out,
                ".h%d{fill:var(--h%d);stroke:var(--h%d);background:var(--h%d)}rect.h%d"
                "{stroke:none}",
                hue, hue, hue, hue, hue);
    fputs("</style></head><body>\n<header><h1>", out);
    html_text(out, page->title);
    fputs("</h1><p>", out);
    html_text(out, page->summary);
    fputs("</p></header>\n<main><ul class=\"tiles\">\n", out);
    for (size_t i = 0; i < page->tile_count; i++)
        write_tile(&page->tiles[i], out);
    fputs("</ul><div class=\"figures\">\n", out);
    for (size_t i = 0; i < page->figure_count; i++)
        write_figure(&page->figures[i], out);
    fputs("</div></main>\n<footer><dl>\n", out);
    for (size_t i = 0; i < page->note_count; i++) {
        fputs("<dt>", out);
        html_text(out, page->notes[i].name);
        fputs("</dt><dd>", out);
        html_text(out, page->notes[i].value);
        fputs("</dd>\n", out);
    }
    fprintf(out, "</dl></footer><script>%s</script></body></html>\n", script);
}

/* --- JSON and files ------------------------------------------------------------------- */

static json_t *made(json_t *value)
{
    CHECK(value != NULL);
    return value;
}

static json_t *number(double value, int decimals)
{
    double places = pow(10, decimals);
    return isfinite(value) ? made(json_real(round(value * places) / places)) : json_null();
}

static json_t *tile_json(const struct tile *tile)
{
    return made(json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", tile->name, "unit", tile->unit,
                          "value", number(tile->value, tile->decimals), "low",
                          number(tile->low, tile->decimals), "high",
                          number(tile->high, tile->decimals)));
}

json_t *page_json(const struct page *page)
{
    json_t *tiles = made(json_array()), *sheets = made(json_array()), *notes = made(json_object());
    for (size_t i = 0; i < page->tile_count; i++)
        CHECK(json_array_append_new(tiles, tile_json(&page->tiles[i])) == 0);
    for (size_t i = 0; i < page->figure_count; i++)
        CHECK(json_array_append_new(sheets, sheet_json(page->figures[i].sheet)) == 0);
    for (size_t i = 0; i < page->note_count; i++)
        CHECK(json_object_set_new(notes, page->notes[i].name,
                                  made(json_string(page->notes[i].value))) == 0);
    return made(json_pack("{s:s, s:s, s:o, s:o, s:o}", "title", page->title, "summary",
                          page->summary, "kpis", tiles, "sheets", sheets, "notes", notes));
}

static void json_line(const struct page *page, FILE *out)
{
    json_t *json = page_json(page);
    CHECK(json_dumpf(json, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) == 0 || ferror(out));
    fputc('\n', out);
    json_decref(json);
}

static enum err fail(struct problem *problem, const char *path)
{
    return problem_set(problem, ERR_IO, path, "cannot be written: %s", strerror(errno));
}

static enum err write_file(const char *folder, const char *name, const char *end,
                           const struct page *page, const struct sheet *sheet,
                           struct problem *problem)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    if (length < 0 || (size_t)length >= sizeof path)
        return problem_set(problem, ERR_TOO_LARGE, "folder", "its path is too long");
    FILE *out = fopen(path, "wb");
    if (out == NULL) return fail(problem, path);
    if (sheet != NULL)
        sheet_write_csv(sheet, out);
    else if (strcmp(end, ".json") == 0)
        json_line(page, out);
    else
        page_write_html(page, out);
    bool bad = ferror(out) != 0;
    if (fclose(out) != 0 || bad) return fail(problem, path);
    return ERR_OK;
}

enum err page_try(const char *folder, struct problem *problem)
{
    struct stat info;
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) return fail(problem, folder);
    if (stat(folder, &info) != 0) return fail(problem, folder);
    errno = ENOTDIR;
    if (!S_ISDIR(info.st_mode)) return fail(problem, folder);
    return access(folder, W_OK | X_OK) == 0 ? ERR_OK : fail(problem, folder);
}

enum err page_write(const struct page *page, const char *folder, struct problem *problem)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) return fail(problem, folder);
    enum err err = write_file(folder, "report", ".html", page, NULL, problem);
    if (err == ERR_OK) err = write_file(folder, "report", ".json", page, NULL, problem);
    for (size_t i = 0; i < page->figure_count && err == ERR_OK; i++) {
        const struct sheet *sheet = page->figures[i].sheet;
        err = write_file(folder, sheet->id, ".csv", page, sheet, problem);
    }
    return err;
}
