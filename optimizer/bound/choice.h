/* choice.h - every route that a plan cheaper than a given cost could have.
 *
 * Idea: by a proof (proof.h) a plan's cost is the bound and what each of its routes costs beyond
 * what it pays for. So a plan below `target` has no route that costs more than target - bound
 * beyond that. Where these are few, they are listed: per technician all walks are gone through,
 * none visiting anybody twice, and left where nothing that can follow stays below that price
 * (field.h). Of walks with the same visits the cheapest is kept.
 *
 * Work is counted in steps. Owner: the arena given to choice_make. Thread: one at a time.
 */
#ifndef CALLOUT_OPTIMIZER_CHOICE_H
#define CALLOUT_OPTIMIZER_CHOICE_H

#include "optimizer/bound/price.h"
#include "optimizer/bound/walks.h"

enum { CHOICE_VISITS_MAX = 320, CHOICE_LENGTH_MAX = 40 };

struct choice {
    int64_t target;      /* seconds: routes of plans that cost less are all here */
    struct walks routes; /* visits ascend */
    uint16_t *order;     /* [route * CHOICE_LENGTH_MAX ..]: as they are served */
    int64_t *best;       /* by route: what that order costs */
    int64_t *beyond;     /* by route: the least that it costs beyond what it pays */
    uint32_t best_count;
    uint64_t steps;
};

struct choice_options {
    uint32_t routes_max;
    uint32_t routes_wanted; /* where there are more, the target falls until there are not */
    uint64_t steps_max;
    bool (*stop)(void *context); /* asked now and then: true ends it. May be NULL */
    void *context;
};

/* False: there are more than so many routes or steps, or longer ones than CHOICE_LENGTH_MAX, or it
 * is a day that is not listed (of too many visits, or with frozen ones); the list is of no use. */
bool choice_make(struct choice *choice, const struct instance *in, const struct recall *recall,
                 const struct proof *proof, int64_t target, const struct choice_options *options,
                 struct desk *desk, struct arena *arena);

#endif
