/* run_page.h - a simulated run as the planner's report: tiles, charts with their tables, the foot.
 *
 * Idea: everything is made of struct run_result, and where orders lie, of the scenario that it is a
 * run of; what was measured on this machine is left out, so the same seed gives the same bytes.
 * Many runs are a study's page (sim/study/study_page.h).
 * Order: the scenario's time zone is open (day/zone.h). Thread: one.
 */
#ifndef CALLOUT_SIM_WORLD_RUN_PAGE_H
#define CALLOUT_SIM_WORLD_RUN_PAGE_H

#include "sim/report/page.h"
#include "sim/world/result.h"

struct run_page_about {
    const char *command; /* the line that makes this page again; NULL: not said */
    const char *version;
    const struct scenario *scenario; /* for the map of demand; NULL: without */
};

/* The caller's, to be closed. */
struct page *run_page(const struct run_result *result, const struct run_page_about *about);

#endif
