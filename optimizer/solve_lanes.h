/* solve_lanes.h - several searches of one problem, joined at fixed points of counted work.
 *
 * Idea: a lane is a search with a seed, a memory, a pool and stamps of its own; lanes share only
 * the instance, which none of them changes. However many threads run them, each lane does the same
 * rounds, and what they found is taken in their order: so the plan is the same with one thread and
 * with several. Lane 0 is the solver's own search; with one lane nothing else is here.
 *
 * Owner: lanes_open .. lanes_close; the solver is borrowed in between, and must have a search.
 * Thread: the owner's. It runs lanes itself, and waits for the others before it returns; the master
 * never leaves it.
 */
#ifndef CALLOUT_OPTIMIZER_SOLVE_LANES_H
#define CALLOUT_OPTIMIZER_SOLVE_LANES_H

#include "optimizer/solve.h"

enum { LANES_MAX = 32 };

struct lanes {
    struct solver *solver;
    struct lane *others; /* lanes 1 .. count - 1 */
    uint32_t count, threads;
};

/* `count` lanes, from the solver's plan; the seeds of the others follow from that of its search. */
void lanes_open(struct lanes *lanes, struct solver *solver, uint32_t count, uint32_t threads);
void lanes_close(struct lanes *lanes);

/* Runs so many rounds of each lane. solver->plan is the best of all plans afterwards. The others
 * cool as the solver's search does: its options.rounds count. */
void lanes_improve(struct lanes *lanes, uint64_t rounds);

/* Gives the routes that the others found to the solver's pool. */
void lanes_gather(struct lanes *lanes);
/* All lanes go on from the solver's plan. */
void lanes_restart(struct lanes *lanes);

#endif
