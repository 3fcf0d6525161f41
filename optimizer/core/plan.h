/* plan.h - routes that know when everything happens, so that "could this go there?" is O(1).
 *
 * Idea: each stop keeps the earliest departure in two states (break ahead, break behind, as in
 * model/route.c) and the latest arrival in the same two states for which all that follows still
 * fits: once within the overtime allowed, once within the shift. Inserting a visit between two
 * stops then needs the arithmetic of its two new legs only. It is exact, with the break in any leg
 * and with several windows, because earlier is never worse. Lateness that is allowed lengthens a
 * window; what it costs is known when all starts are (route_starts).
 *
 * A change is carried along its route, in each state, only as far as it moves anything. `stamp`
 * names a route's content: a route with an equal stamp is the same route, also after it was changed
 * and put back.
 *
 * Owner: arrays live in the arena given to plan_make. Thread: one at a time.
 */
#ifndef CALLOUT_OPTIMIZER_PLAN_H
#define CALLOUT_OPTIMIZER_PLAN_H

#include "optimizer/core/instance.h"

/* A route has room for as many visits as any problem may ask for; see instance.route_max. */
enum { ROUTE_MAX = LIMIT_STOPS_PER_ROUTE };

struct stop {
    uint16_t visit, place;             /* visit is NO_VISIT at both ends */
    int32_t leg;                       /* travel from the stop before */
    int32_t ahead, behind;             /* earliest departure */
    int32_t late_ahead, late_behind;   /* latest arrival, overtime allowed */
    int32_t slack_ahead, slack_behind; /* latest arrival within the shift */
};

struct route {
    uint32_t count; /* visits: stops 1 .. count; 0 is the start, count + 1 the end */
    uint32_t stamp;
    int32_t travel, overtime; /* seconds */
    int32_t overtime_price;
    int32_t soft_price; /* of starts: lateness and preferred windows */
    int32_t cost;       /* of all parts of cost.h */
    int32_t end;        /* when the technician is at the end place */
    int32_t load;       /* of its visits */
    bool soft;          /* some visit's start has a price */
    uint64_t set;       /* sum of the visits' hashes */
    struct stop stops[ROUTE_MAX + 2];
};

struct plan {
    const struct instance *in;
    struct route *routes;  /* by technician */
    uint32_t *route_of;    /* by visit; NO_INDEX: unserved */
    uint16_t *stop_of;     /* by served visit: its stop, from 1 */
    uint16_t *unserved;    /* in any order */
    uint32_t *unserved_at; /* where a visit stands in `unserved` */
    uint32_t unserved_count;
    int64_t cost;
    uint32_t *stamp_next; /* shared by all plans of a workspace */
};

/* An empty plan: nobody is served. Its frozen visits are not in it yet. */
void plan_make(struct plan *plan, const struct instance *in, uint32_t *stamp_next,
               struct arena *arena);

/* Brings times and cost of the route up to date with its visits; false if some rule does not hold,
 * and then only visits and `set` mean anything. Does not touch plan->cost. */
bool route_refresh(const struct instance *in, uint32_t technician, struct route *route);

/* Do they have the same visits in the same order? */
bool route_same(const struct route *a, const struct route *b);

/* Copies only what is in use. */
void route_copy(struct route *to, const struct route *from);

/* Makes `to` the same plan, copying only routes whose stamps differ. Both have the same instance.
 */
void plan_copy(struct plan *to, const struct plan *from);

/* The same by parts: some routes (each that differs), then cost and who is unserved. */
void plan_copy_route(struct plan *to, const struct plan *from, uint32_t technician);
void plan_copy_unserved(struct plan *to, const struct plan *from);

/* Changes that keep the plan's books: cost, route_of, unserved. plan_put wants an unserved visit
 * and a place where it fits (CHECK), plan_take a served one that is not frozen. */
void plan_put(struct plan *plan, uint32_t visit, uint32_t technician, uint32_t at);
bool plan_take(struct plan *plan, uint32_t visit);

/* Takes `count` stops out of a route, from stop `at` on; they are unserved afterwards. False, and
 * nothing happened, if the rest does not fit (travel times need not obey the triangle). */
bool plan_take_run(struct plan *plan, uint32_t technician, uint32_t at, uint32_t count);

/* Undo: the route is again what it was, and each visit that came or went is put into the books. */
void plan_restore_route(struct plan *plan, uint32_t technician, const struct route *route);
void plan_restore_visit(struct plan *plan, uint32_t visit, uint32_t technician);

/* Gives the technician these visits instead of his own if all rules hold; those that come from
 * elsewhere must be unserved, those that he had and has no more become unserved. */
bool plan_set_route(struct plan *plan, uint32_t technician, const uint16_t *visits, uint32_t count);

/* The stop at which the visit stands in its route, from 1. */
static inline uint32_t plan_stop_of(const struct plan *plan, uint32_t visit)
{
    return plan->stop_of[visit];
}

/* Where a visit would cost least. */
struct spot {
    uint32_t technician; /* NO_INDEX: it fits nowhere */
    uint32_t at;         /* before this stop */
    int32_t cost;        /* added to the route's */
};

/* The cheapest place in one route; technician NO_INDEX when there is none. Skills and pins are the
 * caller's (instance_allows). The price of moving starts that were told is not in it: only a
 * refresh knows that. O(1) per place; where starts have a price (soft visits), O(stops) for each
 * place that could be the cheapest. */
struct spot route_scan(const struct instance *in, const struct route *route, uint32_t technician,
                       uint32_t visit);

/* The same where only a place that costs less than `below` is of use: what cannot is not timed. */
struct spot route_scan_below(const struct instance *in, const struct route *route,
                             uint32_t technician, uint32_t visit, int32_t below);

/* Is there room for it, time aside? */
bool route_has_room(const struct instance *in, const struct route *route, uint32_t technician,
                    uint32_t visit);

/* The travel from the stop before that place and to the one after it. */
struct detour {
    int32_t there, on;
};

/* The cost of that one place, where there is room: INT32_MAX if it does not fit there, or for less
 * than `below`. The least over all places is what route_scan finds. */
int32_t route_probe(const struct instance *in, const struct route *route, uint32_t technician,
                    uint32_t visit, uint32_t at, struct detour detour, int32_t below);

/* When each stop's service starts, by the definition of route.h: starts[i] of stop i + 1. */
void route_starts(const struct instance *in, uint32_t technician, const struct route *route,
                  int32_t *starts);

/* The first visit that the freeze does not let start when it would: a new one behind a frozen one,
 * too soon. NO_INDEX: none. */
uint32_t route_frozen_out(const struct instance *in, uint32_t technician,
                          const struct route *route);

/* Are those who must stay with the technician in their published order or, where it may change, in
 * time? What the dispatcher stretched for delay, it stretched for that order. */
bool route_keeps_order(const struct instance *in, uint32_t technician, const struct route *route);

/* Does this plan keep on their routes those pinned visits that stand there in `before`? One that
 * has a place in the published plan may not leave it, whatever that would save; of the others no
 * more may be unserved than before. */
bool plan_keeps_pins(const struct plan *plan, const struct plan *before);

/* Recounts everything from nothing and CHECKs the books: for tests. */
void plan_check(const struct plan *plan);

#endif
