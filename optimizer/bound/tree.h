/* tree.h - the bound raised to the cost of the best plan, by splitting what plans there may be.
 *
 * Idea: where all routes that a plan below a target could have are listed (choice.h), pricing is
 * going through the list. So the linear program over them is solved again and again at little cost:
 * first with cuts, then with its plans split in two: those where two visits stand in one route, or
 * a visit with one technician, and those where they do not. Each part of plans (a node without
 * children) has duals of its own; the least of their bounds holds for all plans below the target.
 * The part with the least bound is split next, so the bound rises as long as one goes on.
 *
 * A cut here counts a route once that holds two or three of its visits, in whatever order.
 *
 * Where a split says that a visit stands with somebody, it is served: its dual may be above the
 * price of leaving it out (D1 of proof.h does not bind).
 *
 * Work is counted in nodes. Owner: the arena given to tree_open; tree_close ends the linear
 * program. Thread: one, always the same (GLPK).
 */
#ifndef CALLOUT_OPTIMIZER_TREE_H
#define CALLOUT_OPTIMIZER_TREE_H

#include "optimizer/bound/choice.h"
#include "optimizer/bound/relaxation.h"

enum { TREE_CUTS_MAX = 192 };

struct tree_node {
    uint32_t parent; /* NO_INDEX: the root */
    bool together;   /* on this side of the parent's split */
    uint32_t child;  /* the first of two, together and apart; NO_INDEX: none */
    /* The split, where there are children: a visit, and another visit or a technician. */
    uint16_t visit, other;
    bool with_technician;
    bool whole; /* its solution is a plan; nothing is to be split */
    /* What proves the bound, as in proof.h; crews by relaxation.h. */
    int64_t bound; /* in 1/PROOF_FINE s */
    int64_t *visit_dual, *crew_dual, *cut_dual;
    uint32_t cut_count;
};

struct tree {
    const struct instance *in;
    const struct choice *choice;
    const struct relaxation *relaxation; /* whose crews they are */
    const struct proof *proof;           /* by which the routes were chosen */
    struct arena *arena, scratch;
    struct lp *lp;
    uint64_t world;
    double much; /* the price of what is not allowed */
    int pivots;

    uint64_t *sets; /* by route */
    uint32_t words;
    uint8_t *allowed, *inside; /* by route, of the node in hand */
    int64_t *reduced;
    uint32_t *columns; /* routes in the program; the first ones are visits left out */
    uint32_t column_count;
    uint16_t (*cuts)[3];
    uint32_t cut_count, cuts_max;
    uint32_t **cut_routes, *cut_routes_count; /* that count in it */
    int64_t *visit_dual, *crew_dual, *cut_dual;

    struct tree_node *nodes;
    uint32_t node_count, node_cap;
    int64_t target; /* seconds: what is proven is that no plan costs less, or the least bound */
    uint32_t *plan; /* routes of the best plan that was found; its cost is the target then */
    uint32_t plan_count;
};

void tree_open(struct tree *tree, const struct instance *in, const struct choice *choice,
               const struct relaxation *relaxation, const struct proof *proof, uint32_t nodes_max,
               struct arena *arena);
void tree_close(struct tree *tree);

/* Goes on until so many nodes are there, the bound is at the target, or `stop` says so. False: GLPK
 * gave up; what is proven holds. */
bool tree_run(struct tree *tree, uint32_t nodes, bool (*stop)(void *context), void *context);

/* In seconds: no plan costs less. */
int64_t tree_bound(const struct tree *tree);

#endif
