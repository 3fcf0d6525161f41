/* partition.h - the set-partitioning problem of a plan and the pool: rows to be covered, columns to
 * choose from.
 *
 * Idea: some technicians take part, with the visits that they have and those that nobody has; all
 * others keep their routes. Rows 1 .. visits are visits (served once, or unserved at its price),
 * the next `classes` rows are classes of equal technicians (at most so many routes as there are of
 * them who take part). Columns are the pool's routes that hold today and touch none but these rows.
 * A column costs what it adds to its technician's empty route.
 *
 * Owner: all arrays live in the arena given to partition_make; plan and pool are borrowed.
 */
#ifndef CALLOUT_OPTIMIZER_PARTITION_H
#define CALLOUT_OPTIMIZER_PARTITION_H

#include "optimizer/core/plan.h"
#include "optimizer/core/pool.h"

struct partition {
    const struct plan *plan;
    const struct instance *in;
    bool whole;             /* everybody takes part */
    uint8_t *member;        /* by technician */
    uint32_t *row_of_visit; /* by rank; 0: takes no part */
    uint32_t *row_of_class; /* by technician; 0 */
    uint32_t *owner;        /* by row: the visit, or the first technician of the class */
    uint32_t *size;         /* by row: how many of the class take part */
    uint32_t visits, classes;
    int64_t base_cost; /* of the empty routes of all members, and of those who take no part */

    uint32_t count; /* columns */
    uint32_t *class_row;
    int32_t *cost;
    uint32_t *first; /* rows[first[c]] .. rows[first[c + 1] - 1], in order of the route */
    uint16_t *rows;
    uint32_t *place;  /* in the pool */
    uint8_t *current; /* a route of the plan as it stands (or of equal set) */
};

/* `seeds` has a byte for each technician: not 0 for those to start from; others join as far as the
 * pool ties them together and there is room in `rows_max` rows. Where all have room, all take part.
 * The plan's routes must be in the pool, and the pool judged. */
void partition_make(struct partition *partition, const struct plan *plan, const struct pool *pool,
                    const uint8_t *seeds, uint32_t rows_max, struct arena *arena);

/* Rebuilds `answer`, a copy of the plan, from the chosen columns; false if they do not fit
 * together or break a rule, and then `answer` is of no use. */
bool partition_answer(const struct partition *partition, const uint32_t *chosen, uint32_t count,
                      struct plan *answer, struct arena *scratch);

#endif
