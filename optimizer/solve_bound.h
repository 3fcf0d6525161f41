/* solve_bound.h - how good a solved file's plan is: a bound beside the search.
 *
 * Idea: a plan is found first, then the bound (bound/bound.h) has its turn, beginning with all
 * routes that the search has found; what routes it finds go back to the pool, and the master and
 * some more search make of them what they can.
 *
 * A gap that cuts leave is closed by splitting plans (bound/tree.h), where a day is small enough
 * for that: the first cuts, then a tree, then more cuts and another one. The tree finds the best
 * plan, too.
 *
 * With --work all of it is counted: the search has its rounds, the bound goes on until nothing
 * raises it, and the same file, seed and work give the same plan and proof. With --cpu-seconds the
 * search has the first part, the bound the second until it has converged, and what is left is the
 * search's again.
 *
 * Owner: solve_bound_open .. solve_bound_close; the solver is borrowed in between, and its instance
 * must stay. Thread: the solver's.
 */
#ifndef CALLOUT_OPTIMIZER_SOLVE_BOUND_H
#define CALLOUT_OPTIMIZER_SOLVE_BOUND_H

#include "optimizer/bound/bound.h"
#include "optimizer/bound/tree.h"
#include "optimizer/solve.h"

/* A tree with all that it rests on. */
struct solve_tree {
    struct arena arena;
    struct proof proof; /* a copy of what its routes were chosen by */
    struct choice choice;
    struct tree tree;
    bool open;
};

struct solve_bound {
    struct bound bound;
    struct solve_tree trees[2];
    struct solve_tree *best; /* the one of the highest bound; NULL: none */
    struct solver *solver;
    enum bound_end end;
};

void solve_bound_open(struct solve_bound *it, struct solver *solver,
                      const struct bound_options *options);
void solve_bound_close(struct solve_bound *it);

/* Raises the bound until it converges, the plan is proven best, or options.stop says so. */
enum bound_end solve_bound_run(struct solve_bound *it, uint32_t rounds);

/* Gives the routes that could be part of a better plan to the solver's pool, and lets the master
 * choose; true if the plan became better. */
bool solve_bound_recombine(struct solve_bound *it);

/* What is proved: the proof, and the tree that it is the begin of, or NULL. False: nothing yet. */
struct solve_proof {
    const struct proof *proof;
    const struct tree *tree;
};
bool solve_bound_proof(const struct solve_bound *it, struct solve_proof *proof);

/* In seconds: no plan costs less. */
int64_t solve_proof_seconds(const struct solve_proof *proof);

/* The gap in percent of what the plan costs beyond what nobody could avoid. */
double solve_proof_gap_percent(const struct solve_proof *proof, int64_t cost);

#endif
