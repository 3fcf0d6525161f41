/* told.h - what the dispatcher tells about a problem, taken into a solver's workday.
 *
 * The message comes from another process, so nothing in it is believed: each entry is checked as it
 * is taken in. After an error the workday is part old and part new; ask for a snapshot.
 */
#ifndef CALLOUT_OPTIMIZER_TOLD_H
#define CALLOUT_OPTIMIZER_TOLD_H

#include "optimizer/solve.h"
#include "pb/inner.pb-c.h"

MUST_USE enum err told_apply(struct solver *solver, const Callout__NextProblemReply *news,
                             struct problem *problem);

#endif
