/* field.h - one technician's day as a graph, with the duals in its prices, and what it costs at
 * least to finish a walk from anywhere in it.
 *
 * Idea: places of the graph are the visits that the technician may serve; its last place is where
 * he is when he is free to choose: his start, or his last frozen visit. Time is cut into cells.
 * From each place, cell and state of the break (ahead or behind, as in model/route.c) the least
 * cost of all that may follow is found backwards, over walks that remember nothing. Leaving later
 * never is cheaper, so what holds at the begin of a cell holds in all of it.
 *
 * Prices are in 1/PROOF_FINE s. What is wider here than the rules is said in proof.h and `relaxed`.
 *
 * Owner: arrays live in the arena given to field_make, which the caller rewinds between fields.
 * Thread: each field has one; instance and recall are only read.
 */
#ifndef CALLOUT_OPTIMIZER_FIELD_H
#define CALLOUT_OPTIMIZER_FIELD_H

#include "optimizer/bound/proof.h"
#include "optimizer/bound/recall.h"
#include "optimizer/core/plan.h"

enum { CUT_WORDS = PROOF_CUTS_MAX / 64 };

/* More than any walk costs, with room for some additions. */
#define FIELD_FAR (INT64_MAX / 8)

/* Duals that a technician's routes are priced by. */
struct duals {
    const int64_t *visit; /* by rank */
    uint32_t cut_count;
    const struct proof_cut *cuts;
    /* By visit, a bit for each cut: one of its three; its count outlives the visit. */
    uint64_t (*member)[CUT_WORDS], (*keep)[CUT_WORDS];
};

struct arc {
    int64_t price; /* of the leg */
    int32_t leg;
    uint16_t to; /* place of the graph */
};

/* A stretch of time in which a service may start, and in which later is never cheaper. */
struct stretch {
    int32_t open, close;
    int64_t price; /* of a start at `open` */
};

struct spot_of_field {
    uint32_t visit; /* rank; NO_INDEX: the last place */
    uint32_t arc_at, arc_count;
    uint32_t stretch_at, stretch_count;
    int32_t service, load;
    uint64_t bit;  /* see recall.h */
    int64_t worth; /* what serving it costs, less its dual */
    int64_t home;  /* price of the way to the end place, FIELD_FAR: too long a leg */
    int32_t home_leg;
    uint32_t first_cell, last_cell; /* in which anybody leaves */
    bool priced;                    /* starts within a stretch differ in price */
};

enum { AHEAD, BEHIND };
enum { FIELD_STRETCHES_MAX = 32 };

struct field {
    const struct instance *in;
    const struct technician *who;
    uint32_t technician;
    uint32_t count; /* visits; the last place is spots[count] */
    struct spot_of_field *spots;
    struct arc *arcs; /* of each place; the shortest leg first, if they are sorted */
    bool sorted;
    struct stretch *stretches;
    int32_t begin; /* of the first cell */
    uint32_t shift, cells;
    /* [(state * cells + cell) * (count + 1) + place]: the least that follows a departure in this
     * cell; an arrival, with the visit's worth. */
    int64_t *after_leaving, *after_arriving;
    /* [state * cells + cell]: the least that follows any arrival in this cell or later, with the
     * break behind by then or, in AHEAD, not. */
    int64_t *after_any;
    int64_t rounding; /* what a walk may seem to cost too much; see RELAXED_ROUNDING */
    uint32_t relaxed; /* of enum proof_relaxed */
};

static inline uint32_t field_cell(const struct field *field, int32_t time)
{
    return (uint32_t)(time - field->begin) >> field->shift;
}

/* `places_max`: only so many visits, those that by themselves are the most worth the way; what
 * follows then says nothing of the others. 0: all. */
void field_make(struct field *field, const struct instance *in, const struct recall *recall,
                uint32_t technician, const struct duals *duals, uint32_t places_max,
                struct arena *arena);

/* All starts that a visit may have, from `from` on; returns how many stretches. `list` has room for
 * FIELD_STRETCHES_MAX. */
uint32_t field_stretches(const struct instance *in, uint32_t visit, int32_t from,
                         struct stretch *list);
int64_t field_price_of_start(const struct instance *in, uint32_t visit, int32_t start);
int64_t field_price_of_leg(const struct field *field, int32_t leg);

/* The price of a start at `start`, which lies in a stretch of the place. */
int64_t field_start_price(const struct field *field, uint32_t place, int32_t start);

/* The price of coming home at `end`, the way there aside; FIELD_FAR: too late. */
int64_t field_end_price(const struct field *field, int32_t end);

/* No arc from here costs less than this one and what may follow it, nor do the longer ones after
 * it; FIELD_FAR: nobody arrives in time;
 * -FIELD_FAR: they are not sorted. */
static inline int64_t field_after_arc(const struct field *field, int state, int32_t leave,
                                      const struct arc *arc)
{
    if (!field->sorted) return -FIELD_FAR;
    int32_t arrival = leave + arc->leg;
    if (arrival > field->who->latest_end) return FIELD_FAR;
    return arc->price + field->after_any[(size_t)state * field->cells + field_cell(field, arrival)];
}

static inline int64_t field_after_leaving(const struct field *field, int state, uint32_t cell,
                                          uint32_t place)
{
    return field->after_leaving[((size_t)state * field->cells + cell) * (field->count + 1) + place];
}

#endif
