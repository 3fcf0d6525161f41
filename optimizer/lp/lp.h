/* lp.h - linear programs and how they are solved: all that anybody here asks of GLPK.
 *
 * Idea: a program has rows (bounds on sums) and columns (from 0 up, with a price); it is minimised.
 * Rows and columns are numbered from 1, in order; deleting moves those behind. A solved program
 * keeps its basis, so that after a change the next solve goes on from there.
 *
 * GLPK may abort, or warn without end. Whoever calls it does so within lp_attempt, which ends the
 * attempt then: GLPK's memory is freed, and with it every program of the thread. lp_world tells a
 * pointer of before from one that is good. Prices are checked on their way in, results on their way
 * out.
 *
 * Owner: lp_drop, or an attempt that failed, frees a program. Thread: a program lives and dies in
 * the thread that made it; attempts are made by one thread at a time, and not within one another.
 */
#ifndef CALLOUT_OPTIMIZER_LP_H
#define CALLOUT_OPTIMIZER_LP_H

#include <stdbool.h>
#include <stdint.h>

struct lp;

enum lp_row_kind { LP_FREE, LP_EXACTLY, LP_AT_MOST };
enum lp_method { LP_PRIMAL, LP_DUAL_THEN_PRIMAL };
enum lp_end { LP_SOLVED, LP_LIMIT, LP_SINGULAR, LP_FAILED };

/* Calls `work`. False: GLPK gave up in it, wherever that was. Locals of whoever called this are as
 * they were only if `work` alone changes them, through the context. */
bool lp_attempt(void (*work)(void *context), void *context);
/* Another one than before: all programs of before are gone. */
uint64_t lp_world(void);
/* Gives GLPK's memory back, with all programs; at the end of the thread. */
void lp_leave(void);

struct lp *lp_make(void);
struct lp *lp_copy(struct lp *from);
void lp_drop(struct lp *lp);

int lp_rows(struct lp *lp);
int lp_columns(struct lp *lp);

/* A new row; returns its number. */
int lp_row_add(struct lp *lp, enum lp_row_kind kind, double bound);
void lp_row_bound(struct lp *lp, int row, enum lp_row_kind kind, double bound);
bool lp_row_is_free(struct lp *lp, int row);
/* All of a row, where it has not one that is 1: those columns' entries. */
void lp_row_fill(struct lp *lp, int row, int count, const int *columns, const double *values);
/* numbers[1 .. count], rising. */
void lp_rows_delete(struct lp *lp, int count, const int *numbers);

/* A new column, from 0 up, with values[1 .. count] in rows[1 .. count]; returns its number. */
int lp_column_add(struct lp *lp, int count, const int *rows, const double *values);
/* False: that is no price; nothing has changed. */
bool lp_column_price(struct lp *lp, int column, double price);
/* It is not to be used. */
void lp_column_void(struct lp *lp, int column);
void lp_columns_delete(struct lp *lp, int count, const int *numbers);

/* The basis: a row or column is in it, or stands at its bound. */
void lp_row_basic(struct lp *lp, int row, bool basic);
void lp_column_basic(struct lp *lp, int column, bool basic);
bool lp_column_is_basic(struct lp *lp, int column);
bool lp_row_is_basic(struct lp *lp, int row);
/* Another basis, made from nothing. */
void lp_basis_make(struct lp *lp);

/* Goes on for up to so many pivots, and counts them in *pivots. LP_SINGULAR: this basis leads
 * nowhere; another one may. */
enum lp_end lp_solve(struct lp *lp, enum lp_method method, int pivots_max, int *pivots);

/* After LP_SOLVED. Infinite or absurd numbers are NAN. */
double lp_value(struct lp *lp);
double lp_row_dual(struct lp *lp, int row);
double lp_column_share(struct lp *lp, int column);

/* The integer program: all columns are 0 or 1. */
struct lp_branching {
    void *context;
    double *known; /* [1 .. columns]: a choice that holds, to begin with */
    /* At each node, with the pivots so far: true ends it. */
    bool (*enough)(void *context, int pivots);
};
/* From the basis of a solved program. LP_LIMIT: ended early, with a choice or without. */
enum lp_end lp_branch(struct lp *lp, const struct lp_branching *branching, bool *chosen,
                      int *pivots);
double lp_column_choice(struct lp *lp, int column);

/* For tests: GLPK is made to do what is worst. */
enum lp_fault { LP_FAULT_ABORT, LP_FAULT_NAN, LP_FAULT_HANG };
void lp_provoke(struct lp *lp, enum lp_fault fault);

#endif
