/* verify.h - is the plan what it says, and is the bound proved?
 *
 * Idea: two things are checked, apart from all who made them (tests/tidy/apart.sh asks the linker).
 * The plan: each route is walked and priced again, and each of its figures held against what the
 * certificate says. The bound: for each technician a plain dynamic programme looks for a route that
 * costs less than the duals say of it; where there is none, the sum of the duals is a bound of
 * every plan. README.md says what both mean, and what is relaxed.
 *
 * Integers only. Thread: one per call; a certificate may be read by several.
 */
#ifndef CALLOUT_OPTIMIZER_VERIFY_VERIFY_H
#define CALLOUT_OPTIMIZER_VERIFY_VERIFY_H

#include "optimizer/verify/certificate.h"

enum {
    VERIFY_FINDINGS_MAX = 50,
    VERIFY_VISITS_PROMISED = 300, /* that are checked within a minute */
    VERIFY_LABELS_MAX = 8000000,  /* of one technician; then he is given up */
};

struct verify_finding {
    char place[112]; /* "technician T1", "visit V3", "line 17, visit V3" */
    char text[320];
};

struct verify_report {
    struct verify_finding findings[VERIFY_FINDINGS_MAX];
    uint32_t finding_count; /* all of them, also those there was no room for */
    struct cert_parts parts;
    int64_t objective; /* as counted here */
    int64_t
        lower_bound; /* as proved here: what the duals add up to, in whole seconds, rounded up */
    uint32_t priced, given_up; /* technicians */
    uint64_t labels;
};

/* Comparisons of labels, for one technician; then he is given up: some minute. */
#define VERIFY_WORK_MAX UINT64_C(4000000000)

struct verify_watch {
    /* Called before each technician; `done` of `total` are priced. May be NULL. */
    void (*tell)(void *context, uint32_t done, uint32_t total);
    void *context;
    uint64_t work_max; /* VERIFY_WORK_MAX, or less */
};

/* Checks the plan and its figures. */
void verify_plan(const struct certificate *certificate, struct verify_report *report);

/* Checks duals, cuts, sums, and prices every technician. `watch` may be NULL: nobody looks. */
void verify_bound(const struct certificate *certificate, const struct verify_watch *watch,
                  struct verify_report *report);

/* The least that a route of a technician costs beyond what it pays for its visits and cuts, over
 * the relaxed routes of README.md, in 1/fine s; the walk of it in `visits` (route_max of them).
 * Routes that cost `enough` or more are of no interest. */
struct verify_cheapest {
    int64_t enough;    /* UNLIMITED: all are of interest */
    uint64_t work_max; /* VERIFY_WORK_MAX, or less */
    int64_t least;     /* UNLIMITED: there is none below `enough` */
    uint32_t *visits;  /* the caller's room */
    uint32_t visit_count;
    uint64_t labels;
};
/* False: it would take too long. */
bool verify_cheapest(const struct certificate *certificate, uint32_t technician,
                     struct verify_cheapest *cheapest);

#endif
