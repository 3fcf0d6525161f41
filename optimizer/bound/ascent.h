/* ascent.h - duals of a program over walks that is too large for the simplex method: approached.
 *
 * Idea: what the duals of the visits prove, over the walks that are known, is a concave function of
 * them: their sum, and the least reduced cost of each crew's walks. It is climbed by the volume
 * method (Barahona and Anbil 2000): a direction is 1 less how often the walks that were the least
 * of late serve each visit, averaged; a step that proves more becomes the place to step from.
 * Numbers here only say where to look: what pricing proves of them is exact (proof.h).
 *
 * Owner: arrays live in the arena given to ascent_open; the relaxation is borrowed. Thread: one at
 * a time.
 */
#ifndef CALLOUT_OPTIMIZER_ASCENT_H
#define CALLOUT_OPTIMIZER_ASCENT_H

#include "optimizer/bound/relaxation.h"

struct ascent {
    struct relaxation *of;
    double *dual, *best;         /* by visit, in 1/PROOF_FINE s */
    double *serves, *serves_avg; /* how often a visit is served by the least walks */
    double *least;               /* by crew */
    uint32_t *pick;              /* its walk; NO_INDEX: none */
    double value, hoped;         /* what `dual` proves; what may be proved */
};

void ascent_open(struct ascent *ascent, struct relaxation *relaxation, struct arena *arena);

/* Takes so many steps from relaxation->visit_dual, and leaves the best duals there, in crew_dual
 * and value. `stop`, which may be NULL, is asked along the way; false: it ended that. */
bool ascent_make(struct ascent *ascent, uint32_t steps, bool (*stop)(void *context), void *context);

#endif
