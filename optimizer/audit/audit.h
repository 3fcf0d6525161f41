/* audit.h - checks a plan against every rule and counts its price again, apart from the solver.
 *
 * Idea: whoever makes plans fast must not be the one who judges them. This room knows the rules
 * from their text (model/route.h, model/cost.h, model/policy.h, core/workday.h) and shares data
 * types with the solver, but no code: `tests/tidy/apart.sh` asks the linker. It does everything the
 * plain way: a route is walked stop by stop once for each leg on which the break may lie.
 *
 * What delay has broken is not held against a plan: visits that must stay with their technician,
 * walked in order with nothing in between, stretch their own last window to when he gets there, end
 * a break that they leave no room for, put off the latest end of his day, and are never too far or
 * too much for him; nothing else is stretched.
 *
 * Owner: all of the problem and of the plan is borrowed; the arrays of `struct audit` live in the
 * arena given to audit_open. Thread: one at a time.
 */
#ifndef CALLOUT_OPTIMIZER_AUDIT_H
#define CALLOUT_OPTIMIZER_AUDIT_H

#include "base/arena.h"
#include "optimizer/core/workday.h"

#include <stdbool.h>
#include <stdint.h>

/* The problem as it was told. Visits and technicians stand in any order. */
struct audit_problem {
    const struct travel *travel;
    int64_t now_us, frozen_until_us;
    const struct policy *policy;
    const struct technician_told *technicians;
    uint32_t technician_count;
    const struct visit_told *visits;
    uint32_t visit_count;
    const int64_t *unserved_s; /* price of leaving each visit out; NULL: as the policy says */
    bool clock_of_seconds;     /* in words, times are whole seconds since `zero_us` */
    int64_t zero_us;
};

/* One stop as planned; times mean something in a timed route only. */
struct audit_stop {
    const char *visit_id; /* NULL: the break */
    int64_t arrival_us, start_us, departure_us;
};

struct audit_route {
    const char *technician_id;
    const struct audit_stop *stops;
    uint32_t stop_count;
    /* The plan says when everything happens, the break included; that is checked, and nothing need
     * be as early as it could be. If not, the stops are visits only, and the route is timed by the
     * rules: as early as can be, with the break on the leg that gets him soonest to the next place,
     * on the first of these when there are several. */
    bool timed;
};

struct audit_plan {
    const struct audit_route *routes;
    uint32_t route_count;
};

enum audit_rule {
    AUDIT_UNKNOWN,    /* an id that the problem does not have */
    AUDIT_TWICE,      /* an order or a technician comes twice */
    AUDIT_TECHNICIAN, /* the order may not be served by this technician */
    AUDIT_PINNED,     /* an order that must stay with its technician does not */
    AUDIT_FROZEN,     /* what is frozen must come first, in its order */
    AUDIT_ORDER,      /* delay has stretched the day, and what must stay is in another order */
    AUDIT_FREEZE,     /* a new order behind frozen ones, too soon */
    AUDIT_WINDOW,     /* service starts where no window allows it */
    AUDIT_BREAK,
    AUDIT_SHIFT,
    AUDIT_LEG,      /* a leg longer than the technician may travel in one go */
    AUDIT_TRAVEL,   /* legs longer together than he may travel in a day */
    AUDIT_CAPACITY, /* more load than he can carry */
    AUDIT_TIMES,    /* times that cannot be: somebody is at two places, or faster than travel */
    AUDIT_CLAIM,    /* a number of the plan is not what it says */
    AUDIT_RULE_COUNT
};

/* The name of a rule in one word, such as "window". */
const char *audit_rule_name(enum audit_rule rule);

struct audit_violation {
    enum audit_rule rule;
    char text[240]; /* "order 12: starts 10:41, after the end of its last window 10:30" */
};

/* Price seconds, part by part as in model/cost.h, and what is a matter of the whole plan. */
struct audit_cost {
    int64_t travel, overtime, lateness;
    int64_t preferred_window, preferred_technician;
    int64_t change_technician, change_start;
    int64_t idle;     /* the way to the end place of technicians who serve nobody */
    int64_t unserved; /* by the priority of each */
    int64_t total;
    int64_t travel_s, overtime_s; /* plain seconds of those who serve somebody */
};

struct audit_report {
    struct audit_violation *violations; /* the caller's, room for `violation_max`; the first ones */
    uint32_t violation_max;
    uint32_t violation_count; /* all of them, also those there was no room for */
    uint32_t broken;          /* bit 1 << rule of each rule that does not hold */
    struct audit_cost cost;   /* of known, allowed stops; means little where rules are broken */
    uint32_t served, unserved;
    uint32_t unserved_pinned; /* of these, pinned to somebody who does not have them yet */
};

/* How a walk through a route went. */
struct audit_walk {
    uint32_t break_leg; /* the break lies before the stop of this number; count: on the way home */
    bool no_break;      /* there is none */
    bool break_missed;
    uint32_t windows_missed;
    int64_t break_start_us, end_us;
    struct audit_stop *stops; /* by place in the route */
};

struct audit {
    const struct audit_problem *problem;
    struct route_day *days;        /* by technician, as stretched */
    struct route_visit *visits;    /* by visit, as stretched */
    uint32_t *home;                /* by visit: technician that has it in the plan in force */
    uint32_t *owner;               /* by visit: the only technician who may serve it, or NO_INDEX */
    uint32_t *frozen;              /* by technician: how many of his visits are frozen */
    int64_t *capacities;           /* by technician, as stretched; 0: unlimited */
    struct audit_walk walk, other; /* room for two walks */
    uint32_t *list, *route;        /* room for the visits of one route */
    uint32_t *served_by;           /* by visit, of the plan under audit */
    bool *has_route;               /* by technician, there */
    bool reordered;                /* those who must stay, on the route in hand */
};

/* `problem` must outlive `audit`. Ids in the problem must be unique. */
void audit_open(struct audit *audit, const struct audit_problem *problem, struct arena *arena);

/* Checks one route, given as places in the problem's arrays, and adds its price to the report. A
 * route without visits is always fine. */
void audit_route(struct audit *audit, uint32_t technician, const uint32_t *visits, uint32_t count,
                 struct audit_report *report);

/* Checks a whole plan and prices it; the report begins anew, with the caller's room. */
void audit_plan(struct audit *audit, const struct audit_plan *plan, struct audit_report *report);

/* What leaving one visit out costs, and the sum of all parts into `total`. */
int64_t audit_price_unserved(const struct audit *audit, uint32_t visit);
void audit_total(struct audit_cost *cost);

/* Adds a violation in words. */
void audit_complain(struct audit_report *report, enum audit_rule rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
