/* page.h - the planner's report: one HTML file that needs nothing else, and the same figures as CSV
 * and JSON.
 *
 * Idea: a page is tiles, then figures in the order they were added. Each figure is a sheet: its
 * chart, its table behind a fold (open on paper), its CSV as a link inside the file. Colours follow
 * the reader's choice of light or dark. The foot says how to get the same page again.
 *
 * Owner: the page owns its sheets; texts are copied. Thread: one. The same calls give the same
 * bytes.
 */
#ifndef CALLOUT_SIM_REPORT_PAGE_H
#define CALLOUT_SIM_REPORT_PAGE_H

#include "base/err.h"
#include "sim/report/chart.h"

struct page;

struct page *page_open(const char *title, const char *summary);
void page_close(struct page *page); /* may be NULL */

/* A number to see first; low and high are its confidence interval, NAN when there is none. */
void page_tile(struct page *page, const char *name, double value, int decimals, const char *unit,
               double low, double high);
/* Takes the sheet. */
void page_figure(struct page *page, struct sheet *sheet, enum chart_kind kind);
/* A sheet without a chart. */
void page_table(struct page *page, struct sheet *sheet);
/* What stands at the foot: "seed", "1". */
void page_note(struct page *page, const char *name, const char *value);

void page_write_html(const struct page *page, FILE *out);
json_t *page_json(const struct page *page);

/* Makes the folder, if missing, and tries whether page_write could write into it: before hours of
 * work, not after. */
MUST_USE enum err page_try(const char *folder, struct problem *problem);
/* FOLDER/report.html, report.json and a CSV file of each sheet; the folder is made if missing. */
MUST_USE enum err page_write(const struct page *page, const char *folder, struct problem *problem);

#endif
