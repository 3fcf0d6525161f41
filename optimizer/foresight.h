/* foresight.h - a day's first plan leaves room for orders that are likely still to come.
 *
 * Idea: of Bent and Van Hentenryck 2004, "Scenario-based planning for partially dynamic vehicle
 * routing with stochastic customers". Guesses of later orders are planned with the known ones, then
 * taken out: what stays has somebody near, with time and skill, where orders come from. A guess has
 * the skills and windows of one known order and the place of another, comes at some moment of the
 * working day, and has the least priority.
 *
 * Use: foresee, solver_begin, a search; then forget_guesses, or keep_plan to have its plan without
 * them. Guesses never leave the optimizer.
 *
 * Owner: the guesses lie in the solver's workday. The same day and seed have the same guesses.
 */
#ifndef CALLOUT_OPTIMIZER_FORESIGHT_H
#define CALLOUT_OPTIMIZER_FORESIGHT_H

#include "optimizer/solve.h"

enum {
    FORESIGHT_FROM = 40, /* known orders: fewer say too little of those to come */
    GUESSES_MAX = 256,
};

struct guesses {
    uint32_t count;
    uint16_t names[GUESSES_MAX]; /* numbers in their ids */
};

/* Adds `percent` guesses for each hundred known orders, fewer when part of the working day is over.
 * The instance does not have them before solver_begin. */
void foresee(struct guesses *guesses, struct solver *solver, uint32_t percent, uint64_t seed);

/* They are gone, and the instance and its plan mean nothing before the next solver_begin. */
void forget_guesses(struct guesses *guesses, struct solver *solver);

/* They are gone, and the plan is as it was without them; who was left out for them is inserted. */
void keep_plan(struct guesses *guesses, struct solver *solver);

#endif
