/* study_page.h - a sweep or a comparison as the planner's report.
 *
 * Tiles are the first variant's means with their intervals over the seeds; charts show what the
 * seeds of each variant came to, and by how much each variant differs from the first, seed by seed.
 * Only figures that the runs have are shown. Thread: one. The same results give the same bytes.
 */
#ifndef CALLOUT_SIM_STUDY_STUDY_PAGE_H
#define CALLOUT_SIM_STUDY_STUDY_PAGE_H

#include "sim/report/page.h"
#include "sim/study/study.h"

struct study_page_about {
    const char *title;
    const char *command; /* the line that makes this page again */
    const char *version;
};

/* The caller's, to be closed. */
struct page *study_page(const struct study_options *options, struct results *results,
                        const struct study_page_about *about);

#endif
