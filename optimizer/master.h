/* master.h - the set-partitioning master over the pool: which of the routes ever found go together.
 *
 * Idea: one row per visit (served once, or unserved at its price), one per technician (one route at
 * most). The pool stays outside GLPK: a small active set is solved, the rest is priced by hand with
 * its duals, and what could improve is added ("sprint"). Then the columns whose reduced cost leaves
 * room for a better plan make a small integer program. Its answer is only believed after it has
 * been rebuilt route by route and costs less.
 *
 * GLPK stops the program when it is called wrongly or runs out of memory, and calls a NaN optimal:
 * so its error hook jumps back here and its environment is thrown away (nothing of ours lives in
 * it), and every number is checked before it goes in and after it comes out.
 *
 * Thread: one, always the same. Work is counted in pivots and nodes, never timed.
 */
#ifndef CALLOUT_OPTIMIZER_MASTER_H
#define CALLOUT_OPTIMIZER_MASTER_H

#include "optimizer/core/plan.h"
#include "optimizer/core/pool.h"

struct master_limits {
    int pivots_max;       /* of all linear programs together */
    int nodes_max;        /* of the integer program */
    uint32_t rows_max;    /* visits and technicians that take part */
    uint32_t columns_max; /* of the integer program */
    /* For tests: what GLPK is made to do. */
    enum master_fault { FAULT_NONE, FAULT_ABORT, FAULT_NAN, FAULT_NAN_INSIDE } fault;
};

extern const struct master_limits master_limits_default;

enum master_end {
    MASTER_BETTER,    /* the plan was recombined */
    MASTER_NO_BETTER, /* proven, or nothing found within the limits */
    MASTER_FAILED,    /* GLPK gave up, aborted or answered nonsense */
};

struct master_report {
    enum master_end end;
    uint32_t columns, active; /* that hold today, that GLPK saw */
    int pivots, nodes;
    int64_t lp_cost; /* rounded down; only meaningful if the sprint came to its end */
};

/* Makes `plan` better if it can; it is unchanged otherwise. `seeds` has a byte for each technician:
 * not 0 for those to start from; others join as far as the pool ties them together. */
void master_recombine(struct plan *plan, const struct pool *pool, const uint8_t *seeds,
                      const struct master_limits *limits, struct arena *scratch,
                      struct master_report *report);

/* Gives GLPK's memory back; at the end of the thread that used it. */
void master_close(void);

#endif
