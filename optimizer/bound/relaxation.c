#include "optimizer/bound/relaxation.h"

#include "base/check.h"

#include <math.h>
#include <string.h>

enum {
    WALKS_MANY = 4000,
    PASSED_MAX = 10,
    WALKS_MANY_ROUGH = 20000,
    ROUGH_ROOM = 600 * PROOF_FINE,
};

/* Dearer than anything: a crew that must have a walk and has none yet. */
static const double MISSING_S = 4e9;

static void crews_fill(struct relaxation *r)
{
    const struct instance *in = r->in;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct technician *who = &in->technicians[t];
        if (who->alike != t) {
            r->crew_of[t] = r->crew_of[who->alike];
            r->crews[r->crew_of[t]].size++;
            continue;
        }
        r->crew_of[t] = r->crew_count;
        struct crew *crew = &r->crews[r->crew_count++];
        *crew = (struct crew){.technician = t, .size = 1, .must = who->frozen > 0};
        int32_t home = instance_travel(in, who->start, who->end);
        if (!crew->must) crew->empty = (int64_t)PROOF_FINE * instance_travel_price(in, home);
    }
}

void relaxation_open(struct relaxation *r, const struct instance *in, struct walks *walks,
                     struct arena *arena)
{
    *r = (struct relaxation){.in = in, .arena = arena, .walks = walks};
    r->crews = arena_need(arena, sizeof *r->crews * (in->technician_count + 1));
    r->crew_of = arena_need(arena, sizeof *r->crew_of * (in->technician_count + 1));
    crews_fill(r);
    r->visit_dual = arena_need(arena, sizeof *r->visit_dual * (in->visit_count + 1));
    r->crew_dual = arena_need(arena, sizeof *r->crew_dual * (r->crew_count + 1));
}

void relaxation_close(struct relaxation *r)
{
    if (r->lp != NULL && r->world == lp_world()) lp_drop(r->lp);
    r->lp = NULL;
}

/* --- columns --------------------------------------------------------------------------------- */

static void used_add(struct relaxation *r, uint32_t walk)
{
    if (r->used_count == r->used_cap) {
        uint32_t before = r->used_cap;
        r->used_cap = before == 0 ? 2048 : 2 * before;
        struct used_walk *used = arena_need(r->arena, sizeof *used * r->used_cap);
        if (before > 0) memcpy(used, r->used, sizeof *used * before);
        r->used = used;
    }
    r->used[r->used_count++] = (struct used_walk){.walk = walk};
}

/* The walk's entries; returns how many. */
static int entries_of(const struct relaxation *r, uint32_t index, int *rows, double *values)
{
    const struct known_walk *walk = &r->walks->list[index];
    const uint16_t *visits = walks_visits(r->walks, index);
    int count = 0, n = (int)r->in->visit_count;
    for (uint32_t i = 0; i < walk->count; i++) {
        int row = visits[i] + 1, at = 1;
        while (at <= count && rows[at] != row)
            at++;
        if (at > count) {
            rows[++count] = row;
            values[count] = 0;
        }
        values[at]++;
    }
    rows[++count] = n + 1 + (int)r->crew_of[walk->technician];
    values[count] = 1;
    for (uint32_t c = 0; c < r->cut_count; c++) {
        uint32_t counts = proof_cut_counts(&r->cuts[c], visits, walk->count);
        if (counts == 0) continue;
        rows[++count] = n + (int)(r->crew_count + c) + 1;
        values[count] = counts;
    }
    return count;
}

static bool walk_enter(struct relaxation *r, uint32_t index)
{
    int rows[ROUTE_MAX + PROOF_CUTS_MAX + 3];
    double values[ROUTE_MAX + PROOF_CUTS_MAX + 3];
    const struct known_walk *walk = &r->walks->list[index];
    int count = entries_of(r, index, rows, values);
    int column = lp_column_add(r->lp, count, rows, values);
    int64_t cost = walk->cost - r->crews[r->crew_of[walk->technician]].empty;
    return lp_column_price(r->lp, column, (double)cost / PROOF_FINE);
}

/* A column that takes the place of a walk, in the basis to begin with. */
static void stand_in(struct relaxation *r, int row, double price)
{
    const int rows[] = {0, row};
    const double one[] = {0, 1};
    int column = lp_column_add(r->lp, 1, rows, one);
    lp_row_basic(r->lp, row, false);
    lp_column_basic(r->lp, column, true);
    CHECK(lp_column_price(r->lp, column, price));
}

/* Makes the program of what is known to be in it. */
static bool make(struct relaxation *r)
{
    const struct instance *in = r->in;
    bool first = r->used_count == 0;
    r->lp = lp_make();
    r->world = lp_world();
    for (uint32_t v = 0; v < in->visit_count; v++)
        (void)lp_row_add(r->lp, LP_EXACTLY, 1);
    for (uint32_t c = 0; c < r->crew_count; c++)
        (void)lp_row_add(r->lp, r->crews[c].must ? LP_EXACTLY : LP_AT_MOST, r->crews[c].size);
    for (uint32_t c = 0; c < r->cut_count; c++)
        (void)lp_row_add(r->lp, LP_AT_MOST, 1);
    for (uint32_t v = 0; v < in->visit_count; v++) {
        stand_in(r, (int)v + 1, in->nodes[v].price);
        if (first) used_add(r, NO_INDEX);
    }
    for (uint32_t c = 0; c < r->crew_count; c++) {
        if (!r->crews[c].must) continue;
        stand_in(r, (int)(in->visit_count + c) + 1, MISSING_S);
        if (first) used_add(r, NO_INDEX);
    }
    for (uint32_t j = 0; j < r->used_count; j++) {
        if (r->used[j].walk != NO_INDEX && !walk_enter(r, r->used[j].walk)) return false;
    }
    return true;
}

static bool ready(struct relaxation *r)
{
    if (r->lp != NULL && r->world == lp_world()) return true;
    return make(r);
}

bool relaxation_add(struct relaxation *r, uint32_t walk)
{
    if (r->walks->list[walk].inside) return true;
    if (!r->rough && !ready(r)) return false;
    r->walks->list[walk].inside = true;
    used_add(r, walk);
    return r->rough || walk_enter(r, walk);
}

/* Takes out what is far dearer than the least of its crew. */
static void age_roughly(struct relaxation *r)
{
    uint32_t kept = 0;
    if (r->used_count <= WALKS_MANY_ROUGH) return;
    for (uint32_t j = 0; j < r->used_count; j++) {
        struct used_walk *used = &r->used[j];
        struct known_walk *walk = &r->walks->list[used->walk];
        int64_t reduced = relaxation_reduced(r, r->crew_of[walk->technician], walk->cost,
                                             walks_visits(r->walks, used->walk), walk->count);
        used->passed = reduced > ROUGH_ROOM ? used->passed + 1 : 0;
        if (used->passed > 2)
            walk->inside = false;
        else
            r->used[kept++] = *used;
    }
    r->used_count = kept;
}

void relaxation_age_walks(struct relaxation *r)
{
    if (r->rough) age_roughly(r);
    if (r->rough || r->used_count <= WALKS_MANY || !ready(r)) return;
    int *gone = arena_need(r->arena, sizeof *gone * (r->used_count + 1)), count = 0;
    uint32_t kept = 0;
    for (uint32_t j = 0; j < r->used_count; j++) {
        struct used_walk *used = &r->used[j];
        bool idle = used->walk != NO_INDEX && !lp_column_is_basic(r->lp, (int)j + 1);
        used->passed = idle ? used->passed + 1 : 0;
        if (used->passed <= PASSED_MAX) {
            r->used[kept++] = *used;
            continue;
        }
        gone[++count] = (int)j + 1;
        r->walks->list[used->walk].inside = false;
    }
    r->used_count = kept;
    lp_columns_delete(r->lp, count, gone);
}

/* --- cuts ------------------------------------------------------------------------------------ */

bool relaxation_cut(struct relaxation *r, const struct proof_cut *cut)
{
    if (r->rough || r->cut_count == PROOF_CUTS_MAX || !ready(r)) return false;
    r->cuts[r->cut_count] = *cut;
    int *columns = arena_need(r->arena, sizeof *columns * (r->used_count + 1)), count = 0;
    double *values = arena_need(r->arena, sizeof *values * (r->used_count + 1));
    for (uint32_t j = 0; j < r->used_count; j++) {
        uint32_t walk = r->used[j].walk;
        if (walk == NO_INDEX) continue;
        uint32_t counts =
            proof_cut_counts(cut, walks_visits(r->walks, walk), r->walks->list[walk].count);
        if (counts == 0) continue;
        columns[++count] = (int)j + 1;
        values[count] = counts;
    }
    int row = lp_row_add(r->lp, LP_AT_MOST, 1);
    lp_row_fill(r->lp, row, count, columns, values);
    r->cut_dual[r->cut_count++] = 0;
    return true;
}

void relaxation_age_cuts(struct relaxation *r)
{
    if (!ready(r)) return;
    int gone[PROOF_CUTS_MAX + 1], count = 0;
    uint32_t kept = 0, first = r->in->visit_count + r->crew_count + 1;
    for (uint32_t c = 0; c < r->cut_count; c++) {
        if (r->cut_dual[c] == 0 && lp_row_is_basic(r->lp, (int)(first + c))) {
            gone[++count] = (int)(first + c);
            continue;
        }
        r->cuts[kept] = r->cuts[c];
        r->cut_dual[kept++] = r->cut_dual[c];
    }
    r->cut_count = kept;
    lp_rows_delete(r->lp, count, gone);
}

/* --- solving --------------------------------------------------------------------------------- */

static bool dual_read(struct relaxation *r, uint32_t row, int64_t most, int64_t *dual)
{
    double value = lp_row_dual(r->lp, (int)row);
    if (isnan(value)) return false;
    *dual = llround(value * PROOF_FINE);
    if (*dual > most) *dual = most;
    return true;
}

static bool duals_read(struct relaxation *r)
{
    uint32_t row = 1;
    for (uint32_t v = 0; v < r->in->visit_count; v++, row++) {
        int64_t most = (int64_t)r->in->nodes[v].price * PROOF_FINE;
        if (!dual_read(r, row, most, &r->visit_dual[v])) return false;
    }
    for (uint32_t c = 0; c < r->crew_count; c++, row++) {
        int64_t most = r->crews[c].must ? INT64_MAX : 0;
        if (!dual_read(r, row, most, &r->crew_dual[c])) return false;
        r->crew_dual[c] += r->crews[c].empty;
    }
    for (uint32_t c = 0; c < r->cut_count; c++, row++) {
        if (!dual_read(r, row, 0, &r->cut_dual[c])) return false;
    }
    return true;
}

enum lp_end relaxation_solve(struct relaxation *r, enum lp_method method, int pivots_max)
{
    if (!ready(r)) return LP_FAILED;
    enum lp_end end = lp_solve(r->lp, method, pivots_max, &r->pivots);
    if (end == LP_SINGULAR) {
        lp_basis_make(r->lp);
        end = lp_solve(r->lp, LP_PRIMAL, pivots_max, &r->pivots);
    }
    if (end != LP_SOLVED) return end;
    r->value = lp_value(r->lp);
    for (uint32_t c = 0; c < r->crew_count; c++)
        r->value += (double)(r->crews[c].empty * r->crews[c].size) / PROOF_FINE;
    return duals_read(r) ? LP_SOLVED : LP_FAILED;
}

double relaxation_share(struct relaxation *r, uint32_t j)
{
    if (r->used[j].walk == NO_INDEX) return 0;
    double share = lp_column_share(r->lp, (int)j + 1);
    return isnan(share) ? 0 : share;
}

int64_t relaxation_reduced(const struct relaxation *r, uint32_t crew, int64_t cost,
                           const uint16_t *visits, uint32_t count)
{
    int64_t reduced = cost - r->crew_dual[crew];
    for (uint32_t i = 0; i < count; i++)
        reduced -= r->visit_dual[visits[i]];
    for (uint32_t c = 0; c < r->cut_count; c++) {
        if (r->cut_dual[c] != 0)
            reduced -= r->cut_dual[c] * proof_cut_counts(&r->cuts[c], visits, count);
    }
    return reduced;
}
