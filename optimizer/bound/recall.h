/* recall.h - which visits a walk remembers, and how that is a word of 64 bits.
 *
 * Idea: proof.h says that at a visit v a walk remembers v and some visits of v's near list. Each
 * visit has a colour, one of 64, such that all of those differ in colour, for every v: so the word
 * of the colours says who they are. Near are those to whom one comes back soonest.
 *
 * Owner: arrays live in the arena given to recall_make. Thread: read-only once made.
 */
#ifndef CALLOUT_OPTIMIZER_RECALL_H
#define CALLOUT_OPTIMIZER_RECALL_H

#include "optimizer/core/instance.h"

struct recall {
    uint32_t visits;
    uint16_t *near; /* [v * PROOF_NEAR_MAX ..]: ranks */
    uint8_t *near_count;
    uint64_t *bit;  /* by visit: its colour */
    uint64_t *keep; /* [v * visits + w]: the colours of what is known at v and still known at w */
    uint64_t *back; /* [v * visits + w]: w's colour if v may remember w; else 0 */
    uint16_t *nearest; /* [v * visits ..]: all visits, the shortest leg first; NULL: not sorted */
};

/* Lists of up to `near_max` <= PROOF_NEAR_MAX visits. */
void recall_make(struct recall *recall, const struct instance *in, uint32_t near_max,
                 struct arena *arena);

/* Fills `nearest`, which pays where many prices are made with the same recall. */
void recall_sort(struct recall *recall, const struct instance *in, struct arena *arena);

#endif
