/* candidate.h - a solver's plan as the message that proposes it. */
#ifndef CALLOUT_OPTIMIZER_CANDIDATE_H
#define CALLOUT_OPTIMIZER_CANDIDATE_H

#include "optimizer/solve.h"
#include "pb/inner.pb-c.h"

/* Fills routes, unserved_ids and cost: only routes with news, and empty ones for people who are
 * away but still have visits by the plan in force (whoever takes them must name both routes). The
 * message borrows ids from the solver's workday until it changes; arrays are the arena's.
 * False: nothing differs. */
bool candidate_fill(Callout__PlanCandidate *candidate, const struct solver *solver,
                    struct arena *arena);

#endif
