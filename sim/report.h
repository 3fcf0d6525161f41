/* report.h - what a live run found: for people, as one JSON object, and as measured values. */
#ifndef CALLOUT_SIM_REPORT_H
#define CALLOUT_SIM_REPORT_H

#include "sim/live.h"

/* What went wrong in a run that had to go well; NULL: nothing. Borrowed for ever. */
const char *report_failure(const struct live_summary *summary);

void report_text(const struct live_summary *summary);
void report_json(const struct live_summary *summary);

/* Writes a file of "metric,value,unit" lines. `*held` is false, and standard error says why, when a
 * bar of the loop benchmark was missed: a day of 300 orders at 120 times the speed must do this. */
MUST_USE enum err report_metrics(const struct live_summary *summary, const char *path, bool *held,
                                 struct problem *problem);

#endif
