/* master.h - the set-partitioning master over the pool: which of the routes ever found go together.
 *
 * Idea: the pool stays outside GLPK: a small active set is solved, the rest is priced by hand with
 * its duals, and what could improve is added ("sprint"). Where the whole day has room, that linear
 * program and its basis are kept for the next call, and only edited: a new visit is a new row, one
 * that is gone a free row, a route that no longer holds is priced out of reach. A copy of it gets
 * cuts (cut.h); then the columns whose reduced cost leaves room for a better plan make a small
 * integer program. Its answer is only believed after it has been rebuilt route by route and costs
 * less.
 *
 * GLPK stops the program when it is called wrongly or runs out of memory, calls a NaN optimal, and
 * may repeat a warning for ever without counting a pivot. So all of it is an attempt (lp/lp.h), and
 * when that fails, GLPK's environment is thrown away: nothing of ours lives in it, the pool makes
 * the program anew. Every number is checked before it goes in and after it
 * comes out. If it is silent for ever only the parent helps (base/alive.h).
 *
 * Thread: one, always the same for all masters. Work is counted in pivots and nodes, never timed.
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
    /* Asked every hundred pivots; true ends the call. May be NULL. */
    bool (*stop)(void *context);
    void *context;
    /* For tests: what GLPK is made to do. */
    enum master_fault { FAULT_NONE, FAULT_ABORT, FAULT_NAN, FAULT_NAN_INSIDE, FAULT_HANG } fault;
};

extern const struct master_limits master_limits_default;

enum master_end {
    MASTER_BETTER,    /* the plan was recombined */
    MASTER_NO_BETTER, /* the pool has no better one: proven */
    MASTER_LIMIT,     /* none was found within the limits, or `stop` said so */
    MASTER_FAILED,    /* GLPK gave up, aborted or answered nonsense */
};

struct master_report {
    enum master_end end;
    uint32_t columns, active; /* that hold today, that GLPK saw */
    uint32_t cuts;
    int pivots, nodes;
    bool whole; /* everybody took part */
    bool warm;  /* the linear program was that of the last call */
    /* No plan made of the pool's routes costs less, by the duals rounded to 1/256 s and priced anew
     * in integers. It says nothing about routes that nobody has found yet. */
    int64_t lp_cost;
};

/* What the linear program says: only of those who took part, by rank in the plan's instance, until
 * the next call. */
struct master_prices {
    bool known;
    const uint8_t *member; /* by technician: took part; NULL: nobody did */
    int32_t *visit; /* what serving it costs, all in all, in seconds; INT32_MIN: took no part */
    int32_t *technician; /* what one more like him would save */
    int32_t *route_gap;  /* by technician: by how much his route is dearer than the duals say */
};

struct master;
struct master *master_open(void);
void master_close(struct master *master);

/* Makes `plan` better if it can; it is unchanged otherwise. Its routes are kept in the pool.
 * `seeds` has a byte for each technician: not 0 for those to start from; others join as far as the
 * pool ties them together. Where there is room for all, all take part. */
void master_recombine(struct master *master, struct plan *plan, struct pool *pool,
                      const uint8_t *seeds, const struct master_limits *limits,
                      struct master_report *report);

const struct master_prices *master_prices(const struct master *master);

/* The visit of this slot is gone: another may get the slot. */
void master_forget_visit(struct master *master, uint32_t slot);

/* Gives GLPK's memory back; at the end of the thread that used it, after all master_close. */
void master_leave(void);

#endif
