/* run_text.h - what a run came to, for people: on standard output, and as the planner's page. */
#ifndef CALLOUT_SIM_RUN_RUN_TEXT_H
#define CALLOUT_SIM_RUN_RUN_TEXT_H

#include "base/err.h"
#include "sim/world/result.h"

void run_print(const struct run_result *result, const struct scenario *scenario);

/* See sim/report/page.h for what is written; `command` makes the page again. */
MUST_USE enum err run_write_page(const struct run_result *result, const struct scenario *scenario,
                                 const char *command, const char *folder, struct problem *problem);

#endif
