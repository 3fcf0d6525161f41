/* descent.h - makes a plan better by small moves, and may break windows and capacity meanwhile.
 *
 * Idea: the local search of HGS-VRPTW (Kool, Juninck, Roos, Cornelissen, Agterberg, van Hoorn,
 * Visser 2022). A visit that would be late is served in time, as if time were turned back for it:
 * the seconds turned back ("warp") have a price, and so has load above capacity. Every part of a
 * route is five numbers (struct part), two parts are joined in O(1), and so a move between two
 * routes is judged in O(1), for legs of any kind. Moves: one or two visits in a row go elsewhere,
 * turned or not; one or two change places with one or two; a piece of a route is turned; two routes
 * exchange their ends. Only visits that may well be neighbours are tried beside each other.
 *
 * Only for uniform days: plain ones (plain.h) with nobody pinned, where all technicians are alike
 * and may serve everybody, within their shift, and times are so small that their sums need no care.
 *
 * Owner: arrays live in the arena given to descent_open. Thread: one at a time; pure.
 */
#ifndef CALLOUT_OPTIMIZER_DESCENT_H
#define CALLOUT_OPTIMIZER_DESCENT_H

#include "base/rng.h"
#include "optimizer/core/instance.h"

enum { CELL_NONE = UINT16_MAX, DESCENT_NEAR = 40, PRICE_UNIT = 16 };

/* A row of stops driven one after the other. It takes `length` seconds, waiting included and those
 * turned back not taken off; who begins it between `early` and `late` wastes least. */
struct part {
    int32_t length, warp, early, late;
    uint16_t first, last; /* rows of `legs` */
};

/* A visit, or one end of a route. */
struct cell {
    uint16_t before, after, route, at; /* at: from 0, the start */
    uint16_t row;
    int32_t leg;                 /* from the one before */
    int32_t load_to, travel_to;  /* from the start up to here */
    struct part own, head, tail; /* head: from the start up to here; tail: from here to the end */
};

struct tour {
    int32_t travel, load, warp;
    uint32_t count;
    int64_t penalty;
    uint64_t changed; /* descent.moves at that time */
};

struct descent {
    const struct instance *in;
    uint32_t visits, routes; /* routes: as many as there are technicians */
    const int32_t *legs;     /* legs[a * rows + b]; row 0 is the depot, visit v has row v + 1 */
    const int32_t *into;     /* into[b * rows + a] is the same leg */
    uint32_t rows;
    bool symmetric;
    int32_t capacity;
    int32_t late_price, load_price; /* of a second, of a unit: in 1/PRICE_UNIT */
    uint16_t *near;                 /* near[v * near_count ..]: who may stand beside v */
    uint32_t near_count;
    struct cell *cells; /* visits, then start and end of each route */
    struct tour *tours;
    uint64_t moves;          /* that were made */
    uint64_t *tested;        /* by visit: moves when it was last tried */
    uint16_t *order;         /* in which visits are tried */
    uint16_t *row_a, *row_b; /* routes that are being made */
    uint64_t looks;          /* at pairs: the work done */
};

/* Is the day uniform? */
bool descent_suits(const struct instance *in);

void descent_open(struct descent *descent, const struct instance *in, struct arena *arena);

/* Begins from these routes: visits[starts[r]] .. visits[starts[r + 1] - 1]. */
void descent_load(struct descent *descent, const uint16_t *visits, const uint16_t *starts,
                  uint32_t routes);

/* Moves until no move helps, at the prices of now. */
void descent_run(struct descent *descent, struct rng *rng);

static inline uint32_t descent_start(const struct descent *descent, uint32_t route)
{
    return descent->visits + 2 * route;
}

#endif
