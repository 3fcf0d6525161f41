/* cut.h - subset-row cuts: of three visits, at most one and a half are served by routes that serve
 * two of them or more, so at most one such route is chosen.
 *
 * Idea: the linear program mixes three routes that share three visits pairwise, half of each; no
 * plan can. Each violated triple becomes a row: sum of chosen columns that hold two or three of its
 * visits <= 1 (Jepsen, Petersen, Spoorendonk, Pisinger 2008, "Subset-row inequalities applied to
 * the vehicle-routing problem with time windows"). They close most of the gap between the linear
 * program and the best plan, so that few columns are left to choose from.
 *
 * Owner: arrays live in the arena given to cuts_open.
 */
#ifndef CALLOUT_OPTIMIZER_CUT_H
#define CALLOUT_OPTIMIZER_CUT_H

#include "optimizer/core/partition.h"

enum { CUTS_MAX = 150, CUTS_PER_VISIT_MAX = 24, CUTS_ADDED_MAX = 30 };

struct cut {
    uint16_t rows[3]; /* visits, as rows of the partition */
};

struct cuts {
    uint32_t count;
    struct cut cut[CUTS_MAX];
    uint8_t *of_row;   /* [row * CUTS_PER_VISIT_MAX ..]: cuts that the visit is in */
    uint8_t *of_count; /* by row */
};

_Static_assert(CUTS_MAX <= UINT8_MAX, "cuts are numbered in a byte");

void cuts_open(struct cuts *cuts, const struct partition *partition, struct arena *arena);

/* The cuts that hold two or more of the column's visits; `list` has room for CUTS_MAX. */
uint32_t cuts_of_column(const struct cuts *cuts, const struct partition *partition, uint32_t column,
                        uint8_t *list);

/* A column that is chosen in part. */
struct part {
    uint32_t column;
    double share;
};

/* Adds those triples that are violated most. Returns how many. */
uint32_t cuts_find(struct cuts *cuts, const struct partition *partition, const struct part *parts,
                   uint32_t count, struct arena *scratch);

#endif
