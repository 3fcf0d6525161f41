/* separate.h - cuts that the chosen shares of walks violate.
 *
 * Idea: core/cut.h finds the triples; here each gets the memory that it needs to count those walks
 * which make it violated, and no more: the visits between two of its three on each such walk
 * (limited memory, Pecin et al. 2017). So labels of walks elsewhere need not tell whom they owe.
 *
 * Thread: one at a time; pure.
 */
#ifndef CALLOUT_OPTIMIZER_SEPARATE_H
#define CALLOUT_OPTIMIZER_SEPARATE_H

#include "optimizer/bound/proof.h"
#include "optimizer/bound/walks.h"

struct chosen {
    uint32_t walk;
    double share;
};

/* Fills `cuts` (room for `max`) with the most violated, duals 0; returns how many. Memory is taken
 * from `arena`, work from `scratch`. `old` are cuts that there are already: one of the same three
 * remembers what both do. */
uint32_t separate(const struct walks *walks, uint32_t visit_count, const struct chosen *chosen,
                  uint32_t count, const struct proof_cut *old, uint32_t old_count,
                  struct proof_cut *cuts, uint32_t max, struct arena *arena, struct arena *scratch);

#endif
