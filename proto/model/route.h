/* route.h - the one definition of when the stops of a route happen, and whether its rules hold.
 *
 * Idea: a technician-day is a start (place and time), stops in order, an end. Everything happens as
 * early as it can: leaving early never makes a later stop later, so the earliest times decide
 * feasibility exactly. The one break of the day is taken where it costs least.
 *
 * The rules (all hard):
 *   R1  service starts inside one of the stop's windows, or at most `late_us_max` after its end and
 *       before the next one opens, and not before `not_before_us`; lateness has a price (cost.h),
 *       but nobody waits for a later window instead
 *   R2  the break starts within [break_earliest, break_latest]; it may lie within a journey, which
 *       it then lengthens, or in a wait; a route without stops needs no break
 *   R3  the technician is at the end place by shift_end + overtime_max
 *   R4  no leg is longer than leg_s_max and all together than travel_s_max, the way to the end
 *       place included; a route without stops only goes there, which is always allowed
 *   R5  skills, pins and the freeze are not about time: their checks stand with their owners
 *
 * Owner: the caller owns all arrays. Pure, any thread. Times are UTC microseconds.
 */
#ifndef CALLOUT_MODEL_ROUTE_H
#define CALLOUT_MODEL_ROUTE_H

#include "base/limits.h"
#include "model/travel.h"

struct window {
    int64_t start_us, end_us; /* both inclusive, for the start of service */
};

/* A technician's day as a route sees it: what is left of it from `available_us` on. */
struct route_day {
    struct point start, end;
    int64_t available_us; /* leaves `start` no earlier */
    int64_t shift_end_us;
    int64_t overtime_us_max;   /* 0: none */
    int64_t break_earliest_us; /* the break's start lies in [earliest, latest] */
    int64_t break_latest_us;
    int64_t break_us;     /* its length; 0: no break, or already taken */
    int32_t leg_s_max;    /* 0: no limit */
    int32_t travel_s_max; /* of all legs; 0: no limit */
};

struct route_visit {
    struct point at;
    int64_t service_us;
    struct window windows[LIMIT_WINDOWS_PER_ORDER];   /* ascending, not overlapping */
    uint32_t window_count;                            /* 0: any time */
    int64_t not_before_us;                            /* 0, or the frozen start */
    int64_t late_us_max;                              /* after a window's end; 0: not at all */
    struct window preferred[LIMIT_WINDOWS_PER_ORDER]; /* wishes: they allow and forbid nothing */
    uint32_t preferred_count;                         /* 0: any time is as good */
    /* By so much delay has lengthened the last window. It did so for the order in which the
     * technician's pinned visits are: in another one the window is what it was. */
    int64_t stretched_us;
};

struct route_stop {
    int64_t arrival_us, start_us, departure_us;
    int64_t break_start_us; /* the break lies on the way to (or waiting at) this stop; 0: not */
    int64_t late_us;        /* how long after the end of its window it starts */
};

enum route_rule {
    ROUTE_FITS,
    ROUTE_WINDOW_MISSED,
    ROUTE_BREAK_MISSED,
    ROUTE_SHIFT_EXCEEDED,
    ROUTE_LEG_TOO_LONG,
    ROUTE_TRAVEL_EXCEEDED,
};

struct route_times {
    enum route_rule rule; /* the first rule that fails */
    uint32_t rule_index;  /* at which stop; count means the way to the end */
    int64_t miss_us;      /* by how much at least: with so much more of it, this rule holds here */
    int64_t rested_miss_us; /* of a window: by how much with the break behind; else miss_us */
    int64_t end_us;         /* when the technician is at the end place */
    int64_t overtime_us;    /* how much of that lies after shift_end */
    int64_t break_start_us; /* on the last leg; 0: it is at a stop, or there is none */
    int32_t travel_s;       /* all legs */
    int32_t wait_s;         /* arrived but not started */
};

/* The earliest start of a service that could begin at `at_us`; INT64_MAX: the last window is over,
 * and the lateness allowed after it. */
int64_t visit_earliest_start_us(const struct route_visit *visit, int64_t at_us);

/* How long after the end of the window that it belongs to a service starts; 0: inside one. */
int64_t visit_late_us(const struct route_visit *visit, int64_t start_us);

/* Does it start where the customer likes it best, or is there no such wish? */
bool visit_preferred(const struct route_visit *visit, int64_t start_us);

/* Puts `count` windows in ascending order, and makes one of those that overlap or touch. Returns
 * how many are left. */
uint32_t windows_merge(struct window *windows, uint32_t count);

/* Times a route of `count` <= LIMIT_STOPS_PER_ROUTE stops. `stops` (count entries) is filled as
 * far as the route fits. Returns times->rule. */
enum route_rule route_time(const struct travel *travel, const struct route_day *day,
                           const struct route_visit *const *visits, uint32_t count,
                           struct route_stop *stops, struct route_times *times);

/* Lets the rule that failed give way by exactly times->miss_us: for a window the last one of
 * `visit`, the stop that it failed at; else the day's (visit may be NULL). What else fails may show
 * only then: some steps per stop lead to a route that fits. */
void route_give_way(struct route_day *day, struct route_visit *visit,
                    const struct route_times *times);

const char *route_rule_text(enum route_rule rule);

#endif
