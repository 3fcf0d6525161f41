/* lp.c - see lp.h. The only file that includes glpk.h. All that is in use across GLPK's hooks lives
 * in memory, none of it in registers: a jump home may come from any call of GLPK. */
#include "optimizer/lp/lp.h"

#include <glpk.h>
#include <math.h>
#include <setjmp.h>

enum { WORDS_MAX = 3000 }; /* lines of text from one call */

static const double PRICE_MAX = 1e12;

/* GLPK's hooks have no better way home. */
static jmp_buf escape;
static uint64_t world = 1;
static uint32_t words;

static void on_abort(void *info)
{
    (void)info;
    longjmp(escape, 1);
}

/* Nothing goes to the terminal. One call that says too much goes round in circles. */
static int on_text(void *info, const char *text)
{
    (void)info;
    (void)text;
    if (++words > WORDS_MAX) longjmp(escape, 1);
    return 1;
}

bool lp_attempt(void (*work)(void *context), void *context)
{
    words = 0;
    glp_term_hook(on_text, NULL);
    glp_error_hook(on_abort, NULL);
    if (setjmp(escape) != 0) {
        glp_free_env(); /* every program went with it */
        world++;
        return false;
    }
    work(context);
    glp_error_hook(NULL, NULL);
    return true;
}

uint64_t lp_world(void)
{
    return world;
}

void lp_leave(void)
{
    glp_free_env();
    world++;
}

/* --- programs -------------------------------------------------------------------------------- */

/* A program is GLPK's own; only the name is ours. */
static glp_prob *prob(struct lp *lp)
{
    return (glp_prob *)lp;
}

static struct lp *named(glp_prob *problem)
{
    return (struct lp *)problem;
}

struct lp *lp_make(void)
{
    glp_prob *problem = glp_create_prob();
    glp_set_obj_dir(problem, GLP_MIN);
    return named(problem);
}

struct lp *lp_copy(struct lp *from)
{
    glp_prob *problem = glp_create_prob();
    glp_copy_prob(problem, prob(from), GLP_OFF);
    return named(problem);
}

void lp_drop(struct lp *lp)
{
    glp_delete_prob(prob(lp));
}

int lp_rows(struct lp *lp)
{
    return glp_get_num_rows(prob(lp));
}

int lp_columns(struct lp *lp)
{
    return glp_get_num_cols(prob(lp));
}

/* --- rows ------------------------------------------------------------------------------------ */

int lp_row_add(struct lp *lp, enum lp_row_kind kind, double bound)
{
    int row = glp_add_rows(prob(lp), 1);
    lp_row_bound(lp, row, kind, bound);
    return row;
}

void lp_row_bound(struct lp *lp, int row, enum lp_row_kind kind, double bound)
{
    switch (kind) {
    case LP_FREE: glp_set_row_bnds(prob(lp), row, GLP_FR, 0, 0); return;
    case LP_EXACTLY: glp_set_row_bnds(prob(lp), row, GLP_FX, bound, bound); return;
    case LP_AT_MOST: glp_set_row_bnds(prob(lp), row, GLP_UP, 0, bound); return;
    }
}

bool lp_row_is_free(struct lp *lp, int row)
{
    return glp_get_row_type(prob(lp), row) == GLP_FR;
}

void lp_row_fill(struct lp *lp, int row, int count, const int *columns, const double *values)
{
    glp_set_mat_row(prob(lp), row, count, columns, values);
}

void lp_rows_delete(struct lp *lp, int count, const int *numbers)
{
    if (count > 0) glp_del_rows(prob(lp), count, numbers);
}

/* --- columns --------------------------------------------------------------------------------- */

int lp_column_add(struct lp *lp, int count, const int *rows, const double *values)
{
    int column = glp_add_cols(prob(lp), 1);
    glp_set_col_bnds(prob(lp), column, GLP_LO, 0, 0);
    glp_set_mat_col(prob(lp), column, count, rows, values);
    return column;
}

bool lp_column_price(struct lp *lp, int column, double price)
{
    if (!isfinite(price) || fabs(price) > PRICE_MAX) return false;
    glp_set_obj_coef(prob(lp), column, price);
    return true;
}

void lp_column_void(struct lp *lp, int column)
{
    glp_set_col_bnds(prob(lp), column, GLP_FX, 0, 0);
}

void lp_columns_delete(struct lp *lp, int count, const int *numbers)
{
    if (count > 0) glp_del_cols(prob(lp), count, numbers);
}

/* --- the basis ------------------------------------------------------------------------------- */

void lp_row_basic(struct lp *lp, int row, bool basic)
{
    glp_set_row_stat(prob(lp), row, basic ? GLP_BS : GLP_NS);
}

void lp_column_basic(struct lp *lp, int column, bool basic)
{
    glp_set_col_stat(prob(lp), column, basic ? GLP_BS : GLP_NL);
}

bool lp_column_is_basic(struct lp *lp, int column)
{
    return glp_get_col_stat(prob(lp), column) == GLP_BS;
}

bool lp_row_is_basic(struct lp *lp, int row)
{
    return glp_get_row_stat(prob(lp), row) == GLP_BS;
}

void lp_basis_make(struct lp *lp)
{
    words = 0;
    glp_adv_basis(prob(lp), 0);
}

/* --- solving --------------------------------------------------------------------------------- */

enum lp_end lp_solve(struct lp *lp, enum lp_method method, int pivots_max, int *pivots)
{
    glp_smcp options;
    glp_init_smcp(&options);
    options.msg_lev = GLP_MSG_DBG; /* for on_text to hear what it complains of */
    options.meth = method == LP_PRIMAL ? GLP_PRIMAL : GLP_DUALP;
    options.it_lim = pivots_max;
    int before = glp_get_it_cnt(prob(lp));
    words = 0;
    int failed = glp_simplex(prob(lp), &options);
    *pivots += glp_get_it_cnt(prob(lp)) - before;
    if (failed == GLP_EITLIM) return LP_LIMIT;
    if (failed != 0) return LP_SINGULAR;
    bool fine = glp_get_status(prob(lp)) == GLP_OPT && isfinite(glp_get_obj_val(prob(lp)));
    return fine ? LP_SOLVED : LP_FAILED;
}

static double sane(double value)
{
    return isfinite(value) && fabs(value) <= PRICE_MAX ? value : (double)NAN;
}

double lp_value(struct lp *lp)
{
    return glp_get_obj_val(prob(lp));
}

double lp_row_dual(struct lp *lp, int row)
{
    return sane(glp_get_row_dual(prob(lp), row));
}

double lp_column_share(struct lp *lp, int column)
{
    return sane(glp_get_col_prim(prob(lp), column));
}

/* --- the integer program --------------------------------------------------------------------- */

struct tree {
    const struct lp_branching *branching;
    glp_prob *problem;
    double *known;
    int begin;
};

static void on_tree(glp_tree *glp, void *info)
{
    struct tree *tree = info;
    words = 0;
    switch (glp_ios_reason(glp)) {
    case GLP_IHEUR:
        if (tree->known != NULL) glp_ios_heur_sol(glp, tree->known);
        tree->known = NULL;
        break;
    case GLP_ISELECT:
        if (tree->branching->enough(tree->branching->context,
                                    glp_get_it_cnt(tree->problem) - tree->begin))
            glp_ios_terminate(glp);
        break;
    default: break;
    }
}

enum lp_end lp_branch(struct lp *lp, const struct lp_branching *branching, bool *chosen,
                      int *pivots)
{
    struct tree tree = {branching, prob(lp), branching->known, glp_get_it_cnt(prob(lp))};
    *chosen = false;
    for (int i = 1; i <= lp_columns(lp); i++)
        glp_set_col_kind(prob(lp), i, GLP_BV);
    glp_iocp options;
    glp_init_iocp(&options);
    options.msg_lev = GLP_MSG_DBG;
    options.out_dly = 0;
    /* Preprocessing of each node, and the default way of branching, cost thrice what they save. */
    options.br_tech = GLP_BR_MFV;
    options.pp_tech = GLP_PP_NONE;
    options.cb_func = on_tree;
    options.cb_info = &tree;
    words = 0;
    int failed = glp_intopt(prob(lp), &options);
    *pivots += glp_get_it_cnt(prob(lp)) - tree.begin;
    if (failed != 0 && failed != GLP_ESTOP) return LP_FAILED;
    int status = glp_mip_status(prob(lp));
    *chosen = status == GLP_OPT || status == GLP_FEAS;
    return failed == 0 && *chosen ? LP_SOLVED : LP_LIMIT;
}

double lp_column_choice(struct lp *lp, int column)
{
    return sane(glp_mip_col_val(prob(lp), column));
}

/* --- for tests ------------------------------------------------------------------------------- */

void lp_provoke(struct lp *lp, enum lp_fault fault)
{
    switch (fault) {
    case LP_FAULT_ABORT: glp_set_obj_coef(prob(lp), -1, 0); return;
    case LP_FAULT_NAN: glp_set_obj_coef(prob(lp), 1, (double)NAN); return;
    case LP_FAULT_HANG:
        for (;;) /* as GLPK does when it takes one step again and again */
            glp_printf("Warning: numerical instability\n");
    }
}
