/* bound.h - a lower bound of what any plan of an instance costs, by column generation.
 *
 * Idea: the linear program over walks (relaxation.h) has a few of them to begin with, such as the
 * routes of a plan; its duals price all others (price.h), the cheapest come in, and so on until
 * none would make it cheaper. Any duals at all give a proof once every technician is priced exactly
 * (proof.h): the best one so far is kept, so that it may be ended at any time. Duals are smoothed
 * towards those of the best proof (Wentges 1997), for the program's own swing widely; walks are
 * looked for quickly first, exactly where that finds none. Then cuts are added, and all begins
 * again from a dearer program.
 *
 * Of many visits the program is too large to be solved again and again: its duals are approached
 * (ascent.h), quick pricing looks at what is worth the way only, and there are no cuts. What is
 * proved is priced exactly, as ever.
 *
 * Everything is counted: the same instance, walks and number of rounds give the same proof.
 *
 * Owner: bound_open .. bound_close; the instance is borrowed in between. Thread: one, always the
 * same (GLPK).
 */
#ifndef CALLOUT_OPTIMIZER_BOUND_H
#define CALLOUT_OPTIMIZER_BOUND_H

#include "optimizer/bound/ascent.h"
#include "optimizer/bound/crowd.h"
#include "optimizer/bound/relaxation.h"
#include "optimizer/core/pool.h"

struct bound_options {
    uint32_t near_max;           /* visits that are remembered at each; PROOF_NEAR_MAX at most */
    uint32_t cut_rounds;         /* 0: none */
    uint32_t labels_max;         /* of one pricing */
    uint32_t rough_above;        /* instances of more visits are done roughly */
    uint32_t rough_places;       /* visits that quick pricing looks at then */
    uint32_t threads;            /* that price at the same time; what they find does not depend on
                                    it. 0 is 1 */
    bool (*stop)(void *context); /* asked between pricings, in all threads; true ends the
                                    run. May be NULL */
    void *context;
};

extern const struct bound_options bound_options_default;

enum bound_end {
    BOUND_MORE,      /* rounds are used up, or it was stopped */
    BOUND_CONVERGED, /* no more walks or cuts can raise it */
    BOUND_REACHED,   /* the target is proven */
    BOUND_FAILED,    /* GLPK gave up; the proof so far holds */
};

struct bound {
    const struct instance *in;
    struct bound_options options;
    struct arena kept;
    struct crowd crowd;
    struct recall recall;
    struct walks walks;
    struct relaxation relaxation;
    struct ascent ascent; /* if it is rough */
    struct proof proof;   /* the best so far; `bound` INT64_MIN: none yet */
    int64_t target;       /* seconds: no higher bound is of use */
    /* What pricing is by, and what it found. */
    int64_t *visit_dual, *crew_dual, cut_dual[PROOF_CUTS_MAX];
    int64_t *least;       /* by crew */
    uint32_t *crew_first; /* the first of its technicians */
    struct proof_cut cuts[PROOF_CUTS_MAX];
    uint64_t (*member)[CUT_WORDS], (*keep)[CUT_WORDS];
    uint32_t relaxed;
    uint32_t labels_now; /* room that exact pricing has, which grows with what it lacks */
    bool unclosed;       /* the last one lacked some */
    bool open;           /* it lacked some with all the room that there is */
    /* The proof's own memory. */
    int64_t *proof_visit_dual, *proof_technician_dual;
    struct proof_cut proof_cuts[PROOF_CUTS_MAX];
    /* Duals that the next ones stay near to: those of the best proof, or of the last round. */
    int64_t *center_visit, *center_crew; /* and relaxation.cuts[].dual */
    bool centered, guessed;              /* from a plan */
    uint32_t cut_rounds;
    bool converged;     /* without further cuts */
    double before_cuts; /* value of the program */
    /* Work. */
    uint32_t rounds, pricings, exact_pricings;
    uint32_t raised_at; /* the round that last raised the bound by more than a trifle */
    int64_t raised_to;
    uint64_t labels;
};

void bound_open(struct bound *bound, const struct instance *in,
                const struct bound_options *options);
void bound_close(struct bound *bound);

/* A route that the technician could have: to begin with, and to go on from. */
void bound_take_route(struct bound *bound, uint32_t technician, const struct route *route);
void bound_take_plan(struct bound *bound, const struct plan *plan);
/* All routes that hold; the pool is judged by the same instance. */
void bound_take_pool(struct bound *bound, const struct pool *pool);

/* Goes on for so many rounds. `target`: what the best plan costs, in seconds. */
enum bound_end bound_run(struct bound *bound, uint32_t rounds, int64_t target);

#endif
