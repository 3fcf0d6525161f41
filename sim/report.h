/* report.h - what a live run found: for people, as one JSON object, and as rows of results.csv. */
#ifndef CALLOUT_SIM_REPORT_H
#define CALLOUT_SIM_REPORT_H

#include "sim/live.h"

/* What went wrong in a run that had to go well; NULL: nothing. Borrowed for ever. */
const char *report_failure(const struct live_summary *summary);

void report_text(const struct live_summary *summary);
void report_json(const struct live_summary *summary);

/* Appends rows "date,commit,bench,metric,value,unit,bar" to a file. `*held` is false when a bar of
 * the loop benchmark was missed. */
MUST_USE enum err report_results(const struct live_summary *summary, const char *path,
                                 const char *commit, const char *bench, bool *held,
                                 struct problem *problem);

#endif
