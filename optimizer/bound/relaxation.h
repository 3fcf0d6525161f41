/* relaxation.h - the linear program over walks: each visit once or at its price, each technician
 * one walk, of each three visits no more than the cuts allow.
 *
 *   Rows 1 .. visits are visits, then come the classes of technicians who are alike, then cuts. A
 *   walk stands in its visits' rows as often as it makes them, in its class's, and in a cut's as
 *   often as it counts there (proof.h). Nobody needs a walk who has nothing frozen; what his way
 *   home costs then is taken off each of his walks, and is in `base`.
 *
 * All calls that touch the program are made within lp_attempt. What it was made of is kept outside
 * of GLPK, so that after a failure it is made anew.
 *
 * Owner: arrays live in the arena given to relaxation_open; relaxation_close drops the program.
 */
#ifndef CALLOUT_OPTIMIZER_RELAXATION_H
#define CALLOUT_OPTIMIZER_RELAXATION_H

#include "optimizer/bound/field.h"
#include "optimizer/bound/walks.h"
#include "optimizer/lp/lp.h"

/* A class of technicians. */
struct crew {
    uint32_t technician; /* the first of them */
    uint32_t size;
    int64_t empty; /* price of the way home without visits, in 1/PROOF_FINE s; 0: never empty */
    bool must;     /* has frozen visits */
};

/* What a column of the program is. */
struct used_walk {
    uint32_t walk;   /* NO_INDEX: a visit that stays unserved, or a crew without a walk */
    uint32_t passed; /* rounds in a row in which nothing spoke for it */
};

struct relaxation {
    const struct instance *in;
    struct arena *arena;
    struct walks *walks;
    struct crew *crews;
    uint32_t crew_count;
    uint32_t *crew_of; /* by technician */
    struct lp *lp;     /* NULL: to be made */
    uint64_t world;
    bool rough; /* there is no program: duals are approached (ascent.h). There are no cuts */
    struct used_walk *used; /* of column j: used[j - 1] */
    uint32_t used_count, used_cap;
    struct proof_cut cuts[PROOF_CUTS_MAX]; /* their `dual` is the caller's to note */
    uint32_t cut_count;
    /* The last solution; in 1/PROOF_FINE s. */
    double value; /* with `base`; seconds */
    int64_t *visit_dual, *crew_dual, cut_dual[PROOF_CUTS_MAX];
    int pivots; /* in all */
};

void relaxation_open(struct relaxation *relaxation, const struct instance *in, struct walks *walks,
                     struct arena *arena);
void relaxation_close(struct relaxation *relaxation);

/* The walk may be chosen from now on. */
bool relaxation_add(struct relaxation *relaxation, uint32_t walk);

/* Cuts from now on; its memory stays where it is. False: there is no room. */
bool relaxation_cut(struct relaxation *relaxation, const struct proof_cut *cut);
/* Takes out cuts that bind nothing. */
void relaxation_age_cuts(struct relaxation *relaxation);
/* Takes out walks that nothing has spoken for in a long time, if there are too many. */
void relaxation_age_walks(struct relaxation *relaxation);

/* LP_SOLVED: value and duals are those of the best choice. */
enum lp_end relaxation_solve(struct relaxation *relaxation, enum lp_method method, int pivots_max);

/* How much of the walk of column j is chosen; 0 if it is no walk. */
double relaxation_share(struct relaxation *relaxation, uint32_t j);

/* What the last duals say of a walk: below 0, it would make the program cheaper. */
int64_t relaxation_reduced(const struct relaxation *relaxation, uint32_t crew, int64_t cost,
                           const uint16_t *visits, uint32_t count);

#endif
