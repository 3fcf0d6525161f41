/* keeper.h - the bound of one live problem: carried over each event at once, raised while idle.
 *
 * Use, around the calls of solve.h:
 *
 *   keeper_pause   before solver_begin: the instance that the bound is of goes away
 *   keeper_event   after it: the last duals become a proof of the new state
 *   keeper_proof   what is proved of the state as it is; NULL: nothing
 *   keeper_work    while nothing else is to be done: one round of column generation
 *
 * Days of more orders than VISITS_MAX are not bounded.
 *
 * Owner: the keeper copies what it keeps; the solver is borrowed during a call, and its instance
 * until keeper_pause. Thread: the solver's.
 */
#ifndef CALLOUT_OPTIMIZER_KEEPER_H
#define CALLOUT_OPTIMIZER_KEEPER_H

#include "optimizer/bound/bound.h"
#include "optimizer/bound/carry.h"
#include "optimizer/solve.h"

struct keeper {
    struct carry carry;
    struct bound bound;
    bool bounding;       /* `bound` is open */
    bool carried;        /* carry.proof is of the state as it is */
    bool full;           /* nothing raises the bound of this state any more */
    bool reported;       /* somebody was told what full computation has found of this state */
    uint32_t rounds;     /* of this state */
    int64_t computed_us; /* when duals were last computed in full; the caller's clock */
};

void keeper_open(struct keeper *keeper);
void keeper_close(struct keeper *keeper);
/* The day begins anew, and slots mean nothing any more. */
void keeper_forget(struct keeper *keeper);

void keeper_pause(struct keeper *keeper, const struct solver *solver);
void keeper_event(struct keeper *keeper, const struct solver *solver);

const struct proof *keeper_proof(const struct keeper *keeper);

/* `stop` is asked now and then, and ends the round. True: there is more to do. */
bool keeper_work(struct keeper *keeper, struct solver *solver, bool (*stop)(void *context),
                 void *context, int64_t now_us);

#endif
