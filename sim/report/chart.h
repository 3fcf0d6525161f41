/* chart.h - a sheet as a picture: inline SVG that follows the page's colours, light and dark.
 *
 *   AREAS    columns stacked over the rows, as shares of a whole; the last one is the rest
 *   LINES    a line per column over the rows; NAN is a gap
 *   BARS     a bar per row and column
 *   HEAT     rows against columns, the value as a shade
 *   RANGES   a row each: value, low, high; a line at 0 when `zero` is in reach
 *   BOXES    a row each: least, lower quartile, median, upper quartile, most
 *   PLACES   a row each: x, y, count, as a circle on a plane without distortion
 *
 * Thread: any.
 */
#ifndef CALLOUT_SIM_REPORT_CHART_H
#define CALLOUT_SIM_REPORT_CHART_H

#include "sim/report/sheet.h"

enum chart_kind {
    CHART_AREAS,
    CHART_LINES,
    CHART_BARS,
    CHART_HEAT,
    CHART_RANGES,
    CHART_BOXES,
    CHART_PLACES,
};

/* A sheet without rows says so instead. */
void chart_write(FILE *out, const struct sheet *sheet, enum chart_kind kind);

#endif
