/* master.c - see master.h.
 *
 *   M1  program->inside[j - 1] says what GLPK's column j is: a visit left unserved, or a column of
 *       the pool by place and serial
 *   M2  GLPK's rows are not the partition's: run->row_in says where each of those stands. Rows of
 *       visits that are gone stay as free rows until the program is made anew
 *   M3  a program lives in the world it was made in: after an abort lp_world() differs and the
 *       pointer means nothing any more
 */
#include "optimizer/master.h"

#include "base/check.h"
#include "optimizer/core/cut.h"
#include "optimizer/core/partition.h"
#include "optimizer/lp/lp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS_MAX = 60,          /* of pricing */
    ADDED_PER_TECHNICIAN = 6, /* columns per round */
    ADDED_MAX = 400,          /* in all, per round */
    CUT_ROUNDS_MAX = 12,
    BRANCH_PIVOTS_MAX = 1000,
    SLICE_PIVOTS = 100, /* between two looks at `stop` */
    INSIDE_MAX = 3000,  /* columns of a program that is kept */
    DEAD_ROWS_MAX = 50,
    FINE = 256, /* prices are in 1/256 s */
    SCRATCH_MAX = 512 << 20,
};

static const double SHARE_MIN = 1e-6, OUT_OF_REACH = 4e9;

const struct master_limits master_limits_default = {
    .pivots_max = 2500,
    .nodes_max = 60,
    .rows_max = 240,
    .columns_max = 700,
};

/* What a column of GLPK's stands for. */
struct inside {
    uint32_t place;  /* in the pool; NO_INDEX: its visit stays unserved */
    uint32_t serial; /* of that column, when it came in */
    int row;         /* of its class; of the visit */
    uint32_t column; /* of today's partition; NO_INDEX: void */
};

/* What a row of GLPK's stands for, from call to call. */
struct kept_row {
    uint64_t hash; /* 0: dead */
    uint32_t slot;
    bool is_class;
};

struct program {
    struct lp *lp;
    struct inside *inside;
    uint32_t count, cap;
};

struct master {
    struct arena scratch;
    struct master_prices prices;
    struct program kept;
    struct kept_row *rows; /* of the kept program: rows[r - 1] */
    uint32_t row_count, row_cap, dead_rows;
    uint64_t world; /* in which it was made */
    struct program trial;
};

/* A column that may come in. */
struct offer {
    int64_t reduced;
    uint32_t column;
};

struct run {
    struct master *master;
    struct plan *plan;
    struct pool *pool;
    const struct master_limits *limits;
    struct master_report *report;
    struct arena *scratch;
    struct partition partition;
    struct cuts cuts;
    struct program *program; /* the one in hand */
    int *row_in;             /* GLPK's row, by row of the partition */
    int cut_rows;            /* GLPK's row of the first cut, - 1 */
    int64_t *dual;           /* by row of the partition, in 1/256 s */
    int64_t cut_dual[CUTS_MAX];
    int64_t *reduced;   /* by column of the partition, in 1/256 s */
    int64_t *least;     /* of a class, by row */
    uint32_t *of_class; /* columns added in this round, by row */
    struct offer *offers;
    uint8_t *is_inside; /* by column of the partition */
    int64_t bound;      /* in 1/256 s, without the base cost */
    bool stopped;
    bool in_part; /* the integer program has not all that matters */
};

/* --- the program's columns --- */

static void inside_add(struct program *program, struct inside inside)
{
    if (program->count == program->cap) {
        program->cap = program->cap == 0 ? 1024 : 2 * program->cap;
        program->inside = realloc(program->inside, sizeof *program->inside * program->cap);
        CHECK(program->inside != NULL);
    }
    program->inside[program->count++] = inside;
}

static int column_new(struct program *program, struct inside inside, int count, const int *rows,
                      const double *values)
{
    int column = lp_column_add(program->lp, count, rows, values);
    inside_add(program, inside);
    CHECK(program->count == (uint32_t)column);
    return column;
}

/* A visit's row, with the column that leaves it unserved in the basis. */
static bool visit_enter(struct run *run, uint32_t row)
{
    struct lp *lp = run->program->lp;
    int at = lp_row_add(lp, LP_EXACTLY, 1);
    run->row_in[row] = at;
    const int index[] = {0, at};
    const double one[] = {0, 1};
    int column =
        column_new(run->program, (struct inside){NO_INDEX, 0, at, NO_INDEX}, 1, index, one);
    lp_row_basic(lp, at, false);
    lp_column_basic(lp, column, true);
    return lp_column_price(lp, column, run->partition.in->nodes[run->partition.owner[row]].price);
}

static void class_enter(struct run *run, uint32_t row)
{
    run->row_in[row] = lp_row_add(run->program->lp, LP_AT_MOST, run->partition.size[row]);
}

static bool column_enter(struct run *run, uint32_t c)
{
    const struct partition *partition = &run->partition;
    int index[ROUTE_MAX + CUTS_MAX + 2], length = 0;
    double one[ROUTE_MAX + CUTS_MAX + 2];
    for (uint32_t i = partition->first[c]; i < partition->first[c + 1]; i++)
        index[++length] = run->row_in[partition->rows[i]];
    index[++length] = run->row_in[partition->class_row[c]];
    uint8_t cuts[CUTS_MAX];
    uint32_t cut_count = cuts_of_column(&run->cuts, partition, c, cuts);
    for (uint32_t i = 0; i < cut_count; i++)
        index[++length] = run->cut_rows + cuts[i] + 1;
    for (int i = 1; i <= length; i++)
        one[i] = 1;
    uint32_t place = partition->place[c];
    struct inside inside = {place, run->pool->columns[place].serial,
                            run->row_in[partition->class_row[c]], c};
    int column = column_new(run->program, inside, length, index, one);
    run->is_inside[c] = 1;
    double cost = partition->cost[c];
    if (run->limits->fault == FAULT_NAN) cost = NAN;
    return lp_column_price(run->program->lp, column, cost);
}

/* --- solving --- */

static void provoke(struct run *run)
{
    switch (run->limits->fault) {
    case FAULT_ABORT: lp_provoke(run->program->lp, LP_FAULT_ABORT); break;
    case FAULT_NAN_INSIDE: lp_provoke(run->program->lp, LP_FAULT_NAN); break;
    case FAULT_HANG: lp_provoke(run->program->lp, LP_FAULT_HANG); break;
    case FAULT_NONE:
    case FAULT_NAN: break;
    }
}

static int pivots_left(const struct run *run)
{
    return run->limits->pivots_max - run->report->pivots;
}

static bool asked_to_stop(struct run *run)
{
    if (run->limits->stop != NULL && run->limits->stop(run->limits->context)) run->stopped = true;
    return run->stopped || pivots_left(run) <= 0;
}

static enum lp_end slice(struct run *run, enum lp_method method)
{
    int most = pivots_left(run) < SLICE_PIVOTS ? pivots_left(run) : SLICE_PIVOTS;
    return lp_solve(run->program->lp, method, most, &run->report->pivots);
}

enum solved { SOLVED, SOLVED_LIMIT, SOLVED_FAILED };

/* A basis that became singular is given up for an advanced one, once. */
static enum solved solve(struct run *run, enum lp_method method)
{
    for (bool again = false;;) {
        if (asked_to_stop(run)) return SOLVED_LIMIT;
        enum lp_end end = slice(run, method);
        if (end == LP_LIMIT) continue;
        if (end != LP_SINGULAR) return end == LP_SOLVED ? SOLVED : SOLVED_FAILED;
        if (again) return SOLVED_FAILED;
        again = true;
        lp_basis_make(run->program->lp);
        method = LP_PRIMAL;
    }
}

static bool dual_read(const struct run *run, int row, int64_t most, int64_t *dual)
{
    double value = lp_row_dual(run->program->lp, row);
    if (isnan(value)) return false;
    *dual = llround(value * FINE);
    if (*dual > most) *dual = most;
    return true;
}

static bool duals_read(struct run *run)
{
    const struct partition *partition = &run->partition;
    for (uint32_t row = 1; row <= partition->visits + partition->classes; row++) {
        int64_t most = 0;
        if (row <= partition->visits)
            most = (int64_t)partition->in->nodes[partition->owner[row]].price * FINE;
        if (!dual_read(run, run->row_in[row], most, &run->dual[row])) return false;
    }
    for (uint32_t k = 0; k < run->cuts.count; k++) {
        if (!dual_read(run, run->cut_rows + (int)k + 1, 0, &run->cut_dual[k])) return false;
    }
    return true;
}

static int64_t reduced_cost(const struct run *run, uint32_t c)
{
    const struct partition *partition = &run->partition;
    int64_t cost = (int64_t)partition->cost[c] * FINE - run->dual[partition->class_row[c]];
    for (uint32_t i = partition->first[c]; i < partition->first[c + 1]; i++)
        cost -= run->dual[partition->rows[i]];
    if (run->cuts.count == 0) return cost;
    uint8_t cuts[CUTS_MAX];
    uint32_t count = cuts_of_column(&run->cuts, partition, c, cuts);
    for (uint32_t i = 0; i < count; i++)
        cost -= run->cut_dual[cuts[i]];
    return cost;
}

/* Prices all columns, and bounds from below what any choice of them costs: weak duality holds for
 * any duals of the right sign, so it does for rounded ones. */
static void price_all(struct run *run)
{
    const struct partition *partition = &run->partition;
    uint32_t visits = partition->visits, rows = visits + partition->classes;
    memset(run->least, 0, sizeof *run->least * (rows + 1));
    for (uint32_t c = 0; c < partition->count; c++) {
        run->reduced[c] = reduced_cost(run, c);
        uint32_t row = partition->class_row[c];
        if (run->reduced[c] < run->least[row]) run->least[row] = run->reduced[c];
    }
    run->bound = 0;
    for (uint32_t row = 1; row <= visits; row++)
        run->bound += run->dual[row];
    for (uint32_t row = visits + 1; row <= rows; row++)
        run->bound += (run->dual[row] + run->least[row]) * partition->size[row];
    for (uint32_t k = 0; k < run->cuts.count; k++)
        run->bound += run->cut_dual[k];
}

/* --- pricing in --- */

static int cheaper(const void *a, const void *b)
{
    const struct offer *left = a, *right = b;
    if (left->reduced != right->reduced) return left->reduced < right->reduced ? -1 : 1;
    return left->column < right->column ? -1 : 1;
}

/* Columns outside with a reduced cost below `limit`, the cheapest first; returns how many. */
static uint32_t offers_make(struct run *run, int64_t limit)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < run->partition.count; c++) {
        if (run->is_inside[c] || run->reduced[c] >= limit) continue;
        run->offers[count++] = (struct offer){run->reduced[c], c};
    }
    qsort(run->offers, count, sizeof *run->offers, cheaper);
    return count;
}

/* Adds the few best of each class that could improve. Returns how many; -1 on a bad number. */
static int price_in(struct run *run)
{
    const struct partition *partition = &run->partition;
    uint32_t rows = partition->visits + partition->classes, added = 0;
    memset(run->of_class, 0, sizeof *run->of_class * (rows + 1));
    uint32_t count = offers_make(run, -FINE / 64);
    for (uint32_t i = 0; i < count && added < ADDED_MAX; i++) {
        uint32_t c = run->offers[i].column, row = partition->class_row[c];
        if (run->of_class[row] >= ADDED_PER_TECHNICIAN * partition->size[row]) continue;
        run->of_class[row]++;
        if (!column_enter(run, c)) return -1;
        added++;
    }
    return (int)added;
}

/* The linear program over all columns. */
static enum solved sprint(struct run *run, enum lp_method method)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        enum solved end = solve(run, method);
        if (end != SOLVED) return end;
        if (!duals_read(run)) return SOLVED_FAILED;
        price_all(run);
        int added = price_in(run);
        if (added < 0) return SOLVED_FAILED;
        if (added == 0) return SOLVED;
        method = LP_PRIMAL;
    }
    return SOLVED_LIMIT;
}

/* --- the kept program --- */

static void program_drop(struct master *master)
{
    if (master->kept.lp != NULL && master->world == lp_world()) lp_drop(master->kept.lp);
    master->kept.lp = NULL;
    master->kept.count = master->row_count = master->dead_rows = 0;
}

static void kept_rows_note(struct run *run)
{
    struct master *master = run->master;
    const struct partition *partition = &run->partition;
    const struct instance *in = partition->in;
    uint32_t rows = (uint32_t)lp_rows(master->kept.lp);
    if (rows > master->row_cap) {
        master->row_cap = 2 * rows;
        master->rows = realloc(master->rows, sizeof *master->rows * master->row_cap);
        CHECK(master->rows != NULL);
    }
    for (uint32_t row = 1; row <= partition->visits + partition->classes; row++) {
        uint32_t owner = partition->owner[row];
        struct kept_row *kept = &master->rows[run->row_in[row] - 1];
        if (row <= partition->visits)
            *kept = (struct kept_row){in->nodes[owner].hash, in->nodes[owner].slot, false};
        else
            *kept =
                (struct kept_row){in->technicians[owner].hash, in->technicians[owner].slot, true};
    }
    master->row_count = rows;
}

/* The plan as it stands is a basis: each route, and all but one of its visits unserved at 0. */
static bool current_enter(struct run *run)
{
    const struct partition *partition = &run->partition;
    for (uint32_t c = 0; c < partition->count; c++) {
        if (!partition->current[c]) continue;
        if (!column_enter(run, c)) return false;
        int column = lp_columns(run->program->lp);
        /* Column j is the unserved one of GLPK's row j in a program that is new. */
        int first = run->row_in[partition->rows[partition->first[c]]];
        lp_column_basic(run->program->lp, first, false);
        lp_column_basic(run->program->lp, column, true);
    }
    return true;
}

static bool program_make(struct run *run)
{
    const struct partition *partition = &run->partition;
    program_drop(run->master);
    run->program->lp = lp_make();
    run->master->world = lp_world();
    for (uint32_t row = 1; row <= partition->visits; row++) {
        if (!visit_enter(run, row)) return false;
    }
    for (uint32_t row = 1; row <= partition->classes; row++)
        class_enter(run, partition->visits + row);
    return current_enter(run);
}

/* Finds the rows of those who are there still, and frees those of visits that are gone. */
static void rows_find(struct run *run)
{
    struct master *master = run->master;
    const struct partition *partition = &run->partition;
    const struct instance *in = partition->in;
    for (uint32_t i = 0; i < master->row_count; i++) {
        struct kept_row *row = &master->rows[i];
        if (row->is_class) {
            uint32_t technician = in->technician_of_slot[row->slot];
            uint32_t to = technician == NO_INDEX ? 0 : partition->row_of_class[technician];
            if (to != 0 && partition->owner[to] == technician) run->row_in[to] = (int)i + 1;
            continue;
        }
        uint32_t visit = row->hash == 0 ? NO_INDEX : in->visit_of_slot[row->slot];
        if (visit != NO_INDEX && in->nodes[visit].hash == row->hash) {
            run->row_in[partition->row_of_visit[visit]] = (int)i + 1;
        } else if (!lp_row_is_free(run->program->lp, (int)i + 1)) {
            row->hash = 0;
            master->dead_rows++;
            lp_row_bound(run->program->lp, (int)i + 1, LP_FREE, 0);
        }
    }
}

static bool rows_edit(struct run *run)
{
    const struct partition *partition = &run->partition;
    rows_find(run);
    for (uint32_t row = 1; row <= partition->visits; row++) {
        if (run->row_in[row] == 0 && !visit_enter(run, row)) return false;
    }
    for (uint32_t row = partition->visits + 1; row <= partition->visits + partition->classes;
         row++) {
        if (run->row_in[row] == 0)
            class_enter(run, row);
        else
            lp_row_bound(run->program->lp, run->row_in[row], LP_AT_MOST, partition->size[row]);
    }
    return true;
}

/* Deletes the columns whose numbers stand in numbers[1 .. count], in rising order. */
static void columns_delete(struct program *program, int count, const int *numbers)
{
    if (count == 0) return;
    uint32_t kept = 0;
    for (uint32_t i = 0, next = 1; i < program->count; i++) {
        if (next <= (uint32_t)count && (uint32_t)numbers[next] == i + 1)
            next++;
        else
            program->inside[kept++] = program->inside[i];
    }
    program->count = kept;
    lp_columns_delete(program->lp, count, numbers);
}

/* Finds each column's meaning and price of today. What means nothing any more is deleted, or, while
 * it is in the basis, priced out of reach. */
static bool columns_edit(struct run *run)
{
    struct program *program = run->program;
    const struct partition *partition = &run->partition;
    uint32_t *column_of = arena_need(run->scratch, sizeof *column_of * (run->pool->used + 1));
    int *gone = arena_need(run->scratch, sizeof *gone * (program->count + 1));
    double *unserved =
        arena_need(run->scratch, sizeof *unserved * (size_t)(lp_rows(program->lp) + 1));
    int gone_count = 0;
    for (uint32_t c = 0; c < partition->count; c++)
        column_of[partition->place[c]] = c + 1;
    for (uint32_t row = 1; row <= partition->visits; row++)
        unserved[run->row_in[row]] = partition->in->nodes[partition->owner[row]].price;
    for (uint32_t i = 0; i < program->count; i++) {
        struct inside *inside = &program->inside[i];
        double price = OUT_OF_REACH;
        if (inside->place == NO_INDEX) {
            price = unserved[inside->row]; /* 0 where the visit is gone */
        } else {
            uint32_t c = inside->place < run->pool->used ? column_of[inside->place] : 0;
            bool same = c != 0 && run->pool->columns[inside->place].serial == inside->serial &&
                        run->row_in[partition->class_row[c - 1]] == inside->row;
            inside->column = same ? c - 1 : NO_INDEX;
            if (same) {
                run->is_inside[c - 1] = 1;
                price = partition->cost[c - 1];
            } else if (!lp_column_is_basic(program->lp, (int)i + 1)) {
                gone[++gone_count] = (int)i + 1;
                continue;
            }
        }
        if (!lp_column_price(program->lp, (int)i + 1, price)) return false;
    }
    columns_delete(program, gone_count, gone);
    return true;
}

/* Keeps the kept program small: columns that are far from being chosen go. */
static void columns_purge(struct run *run)
{
    struct program *program = run->program;
    if (program->count <= INSIDE_MAX) return;
    int *gone = arena_need(run->scratch, sizeof *gone * (program->count + 1)), count = 0;
    for (uint32_t i = 0; i < program->count; i++) {
        if (program->inside[i].place == NO_INDEX) continue;
        if (!lp_column_is_basic(program->lp, (int)i + 1)) gone[++count] = (int)i + 1;
    }
    columns_delete(program, count, gone);
}

/* A column that means nothing must not be chosen. */
static bool void_chosen(const struct run *run)
{
    for (uint32_t i = 0; i < run->program->count; i++) {
        const struct inside *inside = &run->program->inside[i];
        if (inside->place != NO_INDEX && inside->column == NO_INDEX &&
            lp_column_share(run->program->lp, (int)i + 1) > SHARE_MIN)
            return true;
    }
    return false;
}

/* Solves the linear program, the one of the last call if there is one. */
static enum solved relax(struct run *run)
{
    struct master *master = run->master;
    run->program = &master->kept;
    run->report->warm = run->partition.whole && master->kept.lp != NULL &&
                        master->world == lp_world() && master->dead_rows <= DEAD_ROWS_MAX;
    enum solved end = SOLVED_FAILED;
    if (run->report->warm && rows_edit(run) && columns_edit(run)) {
        provoke(run);
        end = sprint(run, LP_PRIMAL);
    }
    if (end == SOLVED_LIMIT || (end == SOLVED && !void_chosen(run))) return end;
    memset(run->is_inside, 0, run->partition.count);
    run->report->warm = false;
    if (!program_make(run)) return SOLVED_FAILED;
    provoke(run);
    return sprint(run, LP_PRIMAL);
}

/* --- cuts --- */

static void trial_make(struct run *run)
{
    struct program *from = &run->master->kept, *to = &run->master->trial;
    to->lp = lp_copy(from->lp);
    to->count = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        inside_add(to, from->inside[i]);
        if (from->inside[i].place != NO_INDEX && from->inside[i].column == NO_INDEX)
            lp_column_void(to->lp, (int)i + 1);
    }
    run->program = to;
    run->cut_rows = lp_rows(to->lp);
}

static void cut_enter(struct run *run, uint32_t k)
{
    struct lp *lp = run->program->lp;
    int *index = arena_need(run->scratch, sizeof *index * (run->program->count + 1)), length = 0;
    double *one = arena_need(run->scratch, sizeof *one * (run->program->count + 1));
    const struct partition *partition = &run->partition;
    for (uint32_t i = 0; i < run->program->count; i++) {
        uint32_t c = run->program->inside[i].column, held = 0;
        if (c == NO_INDEX) continue;
        for (uint32_t at = partition->first[c]; at < partition->first[c + 1]; at++) {
            uint16_t row = partition->rows[at];
            const uint16_t *of = run->cuts.cut[k].rows;
            held += row == of[0] || row == of[1] || row == of[2];
        }
        if (held < 2) continue;
        index[++length] = (int)i + 1;
        one[length] = 1;
    }
    int row = lp_row_add(lp, LP_AT_MOST, 1);
    CHECK(row == run->cut_rows + (int)k + 1);
    lp_row_fill(lp, row, length, index, one);
}

/* Adds cuts that the solution violates; returns how many. */
static uint32_t cut_round(struct run *run)
{
    struct part *parts = arena_need(run->scratch, sizeof *parts * (run->program->count + 1));
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->program->count; i++) {
        double share = lp_column_share(run->program->lp, (int)i + 1);
        if (run->program->inside[i].column == NO_INDEX || share < SHARE_MIN) continue;
        if (share < 1 - SHARE_MIN)
            parts[count++] = (struct part){run->program->inside[i].column, share};
    }
    uint32_t before = run->cuts.count;
    uint32_t added = cuts_find(&run->cuts, &run->partition, parts, count, run->scratch);
    for (uint32_t k = before; k < run->cuts.count; k++)
        cut_enter(run, k);
    run->report->cuts = run->cuts.count;
    return added;
}

/* What a better plan may cost more than the bound, in 1/256 s. */
static int64_t gap_of(const struct run *run)
{
    int64_t gap = (run->plan->cost - run->partition.base_cost) * FINE - run->bound;
    /* A better plan is better by a second. */
    return gap - FINE + 1;
}

static enum solved tighten(struct run *run)
{
    for (int round = 0; round < CUT_ROUNDS_MAX && gap_of(run) > 0; round++) {
        int64_t gap = gap_of(run);
        if (cut_round(run) == 0) break;
        enum solved end = sprint(run, LP_DUAL_THEN_PRIMAL);
        if (end != SOLVED) return end;
        if (gap_of(run) * 10 > gap * 9) break; /* more of them would not close it either */
    }
    return SOLVED;
}

/* --- the integer program --- */

/* The reduced cost up to which columns take part: what a better plan can be made of, but of so many
 * the cheapest only, and then nothing is proven. */
static int64_t narrow_to(struct run *run)
{
    int64_t gap = gap_of(run);
    uint32_t count = 0;
    for (uint32_t c = 0; c < run->partition.count; c++) {
        if (run->reduced[c] <= gap) run->offers[count++] = (struct offer){run->reduced[c], c};
    }
    if (count <= run->limits->columns_max) return gap;
    run->in_part = true;
    qsort(run->offers, count, sizeof *run->offers, cheaper);
    return run->offers[run->limits->columns_max].reduced;
}

/* Leaves those columns in the program, and the plan's own. */
static bool narrow(struct run *run)
{
    struct program *program = run->program;
    int64_t limit = narrow_to(run);
    int *gone = arena_need(run->scratch, sizeof *gone * (program->count + 1)), count = 0;
    for (uint32_t i = 0; i < program->count; i++) {
        uint32_t c = program->inside[i].column;
        if (program->inside[i].place == NO_INDEX) continue;
        if (c != NO_INDEX && (run->reduced[c] <= limit || run->partition.current[c])) continue;
        if (lp_column_is_basic(program->lp, (int)i + 1)) continue;
        gone[++count] = (int)i + 1;
        if (c != NO_INDEX) run->is_inside[c] = 0;
    }
    columns_delete(program, count, gone);
    uint32_t offered = offers_make(run, limit + 1);
    for (uint32_t i = 0; i < offered && program->count < INSIDE_MAX; i++) {
        if (!column_enter(run, run->offers[i].column)) return false;
    }
    return true;
}

/* The plan as it stands, so that nothing worse is looked at. */
static double *known_choice(struct run *run)
{
    const struct program *program = run->program;
    const struct partition *partition = &run->partition;
    double *x = arena_need(run->scratch, sizeof *x * (program->count + 1));
    for (uint32_t row = 1; row <= partition->visits; row++) {
        if (run->plan->route_of[partition->owner[row]] != NO_INDEX) continue;
        for (uint32_t i = 0; i < program->count; i++) {
            if (program->inside[i].place == NO_INDEX && program->inside[i].row == run->row_in[row])
                x[i + 1] = 1;
        }
    }
    for (uint32_t i = 0; i < program->count; i++) {
        uint32_t c = program->inside[i].column;
        if (c != NO_INDEX) x[i + 1] = partition->current[c];
    }
    return x;
}

static bool branched_enough(void *context, int pivots)
{
    struct run *run = context;
    run->report->nodes++;
    return run->report->nodes > run->limits->nodes_max || pivots > BRANCH_PIVOTS_MAX ||
           asked_to_stop(run);
}

/* Solves the integer program. */
static enum solved branch(struct run *run, uint32_t *chosen, uint32_t *chosen_count)
{
    const struct program *program = run->program;
    enum solved solved = solve(run, LP_PRIMAL);
    if (solved != SOLVED) return solved;
    const struct lp_branching branching = {run, known_choice(run), branched_enough};
    bool any;
    enum lp_end end = lp_branch(program->lp, &branching, &any, &run->report->pivots);
    if (end == LP_FAILED) return SOLVED_FAILED;
    if (!any) return SOLVED_LIMIT;
    for (uint32_t i = 0; i < program->count; i++) {
        double value = lp_column_choice(program->lp, (int)i + 1);
        if (isnan(value)) return SOLVED_FAILED;
        if (program->inside[i].place != NO_INDEX && value > 0.5) {
            if (program->inside[i].column == NO_INDEX) return SOLVED_FAILED;
            chosen[(*chosen_count)++] = program->inside[i].column;
        }
    }
    return end == LP_SOLVED && !run->in_part ? SOLVED : SOLVED_LIMIT;
}

/* --- all of it --- */

static void prices_note(struct run *run)
{
    const struct partition *partition = &run->partition;
    struct master_prices *prices = &run->master->prices;
    for (uint32_t row = 1; row <= partition->visits; row++)
        prices->visit[partition->owner[row]] = (int32_t)(run->dual[row] / FINE);
    for (uint32_t t = 0; t < partition->in->technician_count; t++) {
        if (partition->member[t])
            prices->technician[t] = (int32_t)(-run->dual[partition->row_of_class[t]] / FINE);
    }
    for (uint32_t c = 0; c < partition->count; c++) {
        if (!partition->current[c]) continue;
        uint32_t visit = partition->owner[partition->rows[partition->first[c]]];
        prices->route_gap[run->plan->route_of[visit]] = (int32_t)(run->reduced[c] / FINE);
    }
    prices->known = true;
}

static enum master_end end_of(enum solved solved)
{
    switch (solved) {
    case SOLVED: return MASTER_NO_BETTER;
    case SOLVED_LIMIT: return MASTER_LIMIT;
    case SOLVED_FAILED: return MASTER_FAILED;
    }
    return MASTER_FAILED;
}

static void bound_note(struct run *run)
{
    int64_t bound = run->bound + run->partition.base_cost * FINE;
    run->report->lp_cost = bound >= 0 ? bound / FINE : -((-bound + FINE - 1) / FINE);
}

static enum master_end integrate(struct run *run)
{
    trial_make(run);
    enum solved end = tighten(run);
    bound_note(run);
    if (end != SOLVED || gap_of(run) <= 0) return end_of(end);
    if (!narrow(run)) return MASTER_FAILED;
    uint32_t *chosen = arena_need(run->scratch, sizeof *chosen * (run->program->count + 1));
    uint32_t count = 0;
    run->report->active = run->program->count;
    end = branch(run, chosen, &count);
    if (end == SOLVED_FAILED || count == 0) return end_of(end);
    struct plan answer;
    plan_make(&answer, run->plan->in, run->plan->stamp_next, run->scratch);
    plan_copy(&answer, run->plan);
    if (!partition_answer(&run->partition, chosen, count, &answer, run->scratch) ||
        answer.cost >= run->plan->cost || !plan_keeps_pins(&answer, run->plan))
        return end_of(end);
    plan_copy(run->plan, &answer);
    return MASTER_BETTER;
}

static enum master_end optimize(struct run *run)
{
    enum solved end = relax(run);
    if (end != SOLVED) {
        if (end == SOLVED_FAILED || !run->partition.whole)
            program_drop(run->master);
        else
            kept_rows_note(run);
        return end_of(end);
    }
    bound_note(run);
    prices_note(run);
    kept_rows_note(run);
    enum master_end result = gap_of(run) <= 0 ? MASTER_NO_BETTER : integrate(run);
    if (run->master->trial.lp != NULL) lp_drop(run->master->trial.lp);
    run->master->trial.lp = NULL;
    run->program = &run->master->kept;
    columns_purge(run);
    if (!run->partition.whole) program_drop(run->master);
    return result;
}

static struct run *run_make(struct master *master, struct plan *plan, struct pool *pool,
                            const struct master_limits *limits, struct master_report *report)
{
    const struct instance *in = plan->in;
    struct arena *scratch = &master->scratch;
    arena_rewind(scratch);
    struct run *run = arena_need(scratch, sizeof *run);
    *run = (struct run){.master = master,
                        .plan = plan,
                        .pool = pool,
                        .limits = limits,
                        .report = report,
                        .scratch = scratch};
    struct master_prices *prices = &master->prices;
    prices->known = false;
    prices->member = NULL;
    prices->visit = arena_need(scratch, sizeof *prices->visit * (in->visit_count + 1));
    prices->technician =
        arena_need(scratch, sizeof *prices->technician * (in->technician_count + 1));
    prices->route_gap = arena_need(scratch, sizeof *prices->route_gap * (in->technician_count + 1));
    for (uint32_t v = 0; v < in->visit_count; v++)
        prices->visit[v] = INT32_MIN;
    return run;
}

/* Arrays by rows and columns of the partition. */
static void run_size(struct run *run)
{
    const struct partition *partition = &run->partition;
    size_t rows = partition->visits + partition->classes + 1, columns = partition->count + 1;
    run->row_in = arena_need(run->scratch, sizeof *run->row_in * rows);
    run->dual = arena_need(run->scratch, sizeof *run->dual * rows);
    run->reduced = arena_need(run->scratch, sizeof *run->reduced * columns);
    run->is_inside = arena_need(run->scratch, columns);
    run->least = arena_need(run->scratch, sizeof *run->least * rows);
    run->of_class = arena_need(run->scratch, sizeof *run->of_class * rows);
    run->offers = arena_need(run->scratch, sizeof *run->offers * columns);
    cuts_open(&run->cuts, partition, run->scratch);
    run->report->columns = partition->count;
    run->report->whole = partition->whole;
    run->master->prices.member = partition->member;
}

static void attempt(void *context)
{
    struct run *run = context;
    run->report->end = optimize(run);
}

void master_recombine(struct master *master, struct plan *plan, struct pool *pool,
                      const uint8_t *seeds, const struct master_limits *limits,
                      struct master_report *report)
{
    *report = (struct master_report){.end = MASTER_NO_BETTER};
    struct run *run = run_make(master, plan, pool, limits, report);
    pool_keep(pool, plan);
    pool_judge(pool, plan->in);
    partition_make(&run->partition, plan, pool, seeds, limits->rows_max, run->scratch);
    if (run->partition.visits == 0 || run->partition.classes == 0) return;
    run_size(run);
    if (lp_attempt(attempt, run)) return;
    master->trial.lp = NULL;
    program_drop(master);
    report->end = MASTER_FAILED;
}

/* --- life --- */

struct master *master_open(void)
{
    struct master *master = calloc(1, sizeof *master);
    CHECK(master != NULL);
    arena_open(&master->scratch, SCRATCH_MAX);
    return master;
}

void master_close(struct master *master)
{
    if (master == NULL) return;
    program_drop(master);
    free(master->kept.inside);
    free(master->trial.inside);
    free(master->rows);
    arena_close(&master->scratch);
    free(master);
}

const struct master_prices *master_prices(const struct master *master)
{
    return &master->prices;
}

void master_forget_visit(struct master *master, uint32_t slot)
{
    for (uint32_t i = 0; i < master->row_count; i++) {
        if (!master->rows[i].is_class && master->rows[i].slot == slot) master->rows[i].hash = 0;
    }
}

void master_leave(void)
{
    lp_leave();
}
