#include "optimizer/bound/tree.h"

#include "base/check.h"
#include "optimizer/bound/separate.h"

#include <math.h>
#include <string.h>

enum {
    SCRATCH_MAX = 1 << 28,
    ROUTES_AT_ONCE = 40,
    FIRST_ROUTES = 240,
    CUTS_AT_ONCE = 30,
    CUT_ROUNDS_ROOT = 20,
    CUT_ROUNDS = 2,
    PIVOTS_MAX = 20000,
    ROUNDS_MAX = 200,
    NOISE = 4, /* 1/PROOF_FINE s: duals are rounded */
};

static const double SHARE_MIN = 1e-6, MUCH_MIN = 1e6;

/* --- routes ---------------------------------------------------------------------------------- */

static const struct known_walk *route_of(const struct tree *t, uint32_t route)
{
    return &t->choice->routes.list[route];
}

static bool holds(const struct tree *t, uint32_t route, uint32_t visit)
{
    return (t->sets[(size_t)route * t->words + visit / 64] >> (visit % 64) & 1) != 0;
}

static bool counts(const struct tree *t, uint32_t route, const uint16_t cut[3])
{
    return holds(t, route, cut[0]) + holds(t, route, cut[1]) + holds(t, route, cut[2]) >= 2;
}

static uint32_t crew_of(const struct tree *t, uint32_t route)
{
    return t->relaxation->crew_of[route_of(t, route)->technician];
}

static void sets_fill(struct tree *t)
{
    uint32_t count = t->choice->routes.count;
    t->words = t->in->visit_count / 64 + 1;
    t->sets = arena_need(t->arena, sizeof *t->sets * t->words * (count + 1));
    for (uint32_t r = 0; r < count; r++) {
        const uint16_t *visits = walks_visits(&t->choice->routes, r);
        for (uint32_t i = 0; i < route_of(t, r)->count; i++)
            t->sets[(size_t)r * t->words + visits[i] / 64] |= UINT64_C(1) << (visits[i] % 64);
    }
}

/* --- the program ----------------------------------------------------------------------------- */

static void cut_add(struct tree *t, const uint16_t visits[3])
{
    uint32_t routes = t->choice->routes.count, count = 0, c = t->cut_count;
    memcpy(t->cuts[c], visits, sizeof t->cuts[c]);
    for (uint32_t r = 0; r < routes; r++)
        count += counts(t, r, visits);
    t->cut_routes[c] = arena_need(t->arena, sizeof(uint32_t) * (count + 1));
    for (uint32_t r = 0; r < routes; r++) {
        if (counts(t, r, visits)) t->cut_routes[c][t->cut_routes_count[c]++] = r;
    }
    int *columns = arena_need(&t->scratch, sizeof *columns * (t->column_count + 1)), used = 0;
    double *values = arena_need(&t->scratch, sizeof *values * (t->column_count + 1));
    for (uint32_t j = 0; j < t->column_count; j++) {
        if (t->columns[j] == NO_INDEX || !counts(t, t->columns[j], visits)) continue;
        columns[++used] = (int)j + 1;
        values[used] = 1;
    }
    lp_row_fill(t->lp, lp_row_add(t->lp, LP_AT_MOST, 1), used, columns, values);
    t->cut_count++;
}

static double price_of(const struct tree *t, uint32_t route)
{
    int64_t cost = route_of(t, route)->cost - t->relaxation->crews[crew_of(t, route)].empty;
    return t->allowed[route] ? (double)cost / PROOF_FINE : t->much;
}

static bool route_enter(struct tree *t, uint32_t route)
{
    int rows[ROUTE_MAX + TREE_CUTS_MAX + 2], count = 0;
    double values[ROUTE_MAX + TREE_CUTS_MAX + 2];
    uint32_t n = t->in->visit_count;
    const uint16_t *visits = walks_visits(&t->choice->routes, route);
    for (uint32_t i = 0; i < route_of(t, route)->count; i++)
        rows[++count] = visits[i] + 1;
    rows[++count] = (int)(n + crew_of(t, route)) + 1;
    for (uint32_t c = 0; c < t->cut_count; c++) {
        if (counts(t, route, t->cuts[c]))
            rows[++count] = (int)(n + t->relaxation->crew_count + c) + 1;
    }
    for (int i = 1; i <= count; i++)
        values[i] = 1;
    t->columns[t->column_count++] = route;
    t->inside[route] = 1;
    return lp_column_price(t->lp, lp_column_add(t->lp, count, rows, values), price_of(t, route));
}

static void stand_in(struct tree *t, uint32_t row)
{
    const int rows[] = {0, (int)row};
    const double one[] = {0, 1};
    int column = lp_column_add(t->lp, 1, rows, one);
    lp_row_basic(t->lp, (int)row, false);
    lp_column_basic(t->lp, column, true);
    CHECK(lp_column_price(t->lp, column, t->much));
    t->columns[t->column_count++] = NO_INDEX;
}

static void program_make(struct tree *t)
{
    const struct relaxation *r = t->relaxation;
    t->lp = lp_make();
    t->world = lp_world();
    for (uint32_t v = 0; v < t->in->visit_count; v++)
        (void)lp_row_add(t->lp, LP_EXACTLY, 1);
    for (uint32_t c = 0; c < r->crew_count; c++)
        (void)lp_row_add(t->lp, LP_AT_MOST, r->crews[c].size);
    for (uint32_t v = 0; v < t->in->visit_count; v++)
        stand_in(t, v + 1);
}

/* --- a node ---------------------------------------------------------------------------------- */

static bool complies(const struct tree *t, uint32_t route, const struct tree_node *of,
                     bool together)
{
    bool first = holds(t, route, of->visit);
    bool second = of->with_technician ? route_of(t, route)->technician == of->other
                                      : holds(t, route, of->other);
    if (!together) return !first || !second;
    return of->with_technician ? !first || second : first == second;
}

/* Which routes and visits left out the plans of this node may have. */
static bool node_enter(struct tree *t, uint32_t index)
{
    uint32_t n = t->in->visit_count, routes = t->choice->routes.count;
    uint8_t *served = arena_need(&t->scratch, n + 1);
    memset(t->allowed, 1, routes);
    for (uint32_t at = index; t->nodes[at].parent != NO_INDEX; at = t->nodes[at].parent) {
        const struct tree_node *parent = &t->nodes[t->nodes[at].parent];
        bool together = t->nodes[at].together;
        for (uint32_t r = 0; r < routes; r++)
            t->allowed[r] &= complies(t, r, parent, together);
        if (!together) continue;
        served[parent->visit] = 1;
        if (!parent->with_technician) served[parent->other] = 1;
    }
    for (uint32_t v = 0; v < n; v++) {
        double price = served[v] ? t->much : t->in->nodes[v].price;
        if (!lp_column_price(t->lp, (int)v + 1, price)) return false;
    }
    for (uint32_t j = n; j < t->column_count; j++) {
        if (!lp_column_price(t->lp, (int)j + 1, price_of(t, t->columns[j]))) return false;
    }
    t->nodes[index].visit_dual = NULL;
    return true;
}

static bool dual_read(struct tree *t, uint32_t row, int64_t most, int64_t *dual)
{
    double value = lp_row_dual(t->lp, (int)row);
    if (isnan(value)) return false;
    *dual = llround(value * PROOF_FINE);
    if (*dual > most) *dual = most;
    return true;
}

static bool duals_read(struct tree *t)
{
    uint32_t n = t->in->visit_count, crews = t->relaxation->crew_count;
    for (uint32_t v = 0; v < n; v++) {
        if (!dual_read(t, v + 1, INT64_MAX, &t->visit_dual[v])) return false;
    }
    for (uint32_t c = 0; c < crews; c++) {
        if (!dual_read(t, n + c + 1, 0, &t->crew_dual[c])) return false;
        t->crew_dual[c] += t->relaxation->crews[c].empty;
    }
    for (uint32_t c = 0; c < t->cut_count; c++) {
        if (!dual_read(t, n + crews + c + 1, 0, &t->cut_dual[c])) return false;
    }
    return true;
}

/* What every route costs beyond what its visits and cuts pay. */
static void reduce(struct tree *t)
{
    for (uint32_t r = 0; r < t->choice->routes.count; r++) {
        const uint16_t *visits = walks_visits(&t->choice->routes, r);
        int64_t reduced = route_of(t, r)->cost;
        for (uint32_t i = 0; i < route_of(t, r)->count; i++)
            reduced -= t->visit_dual[visits[i]];
        t->reduced[r] = reduced;
    }
    for (uint32_t c = 0; c < t->cut_count; c++) {
        if (t->cut_dual[c] == 0) continue;
        for (uint32_t i = 0; i < t->cut_routes_count[c]; i++)
            t->reduced[t->cut_routes[c][i]] -= t->cut_dual[c];
    }
}

/* The routes that would make the program cheapest come in. Returns how many; -1: it failed. */
static int routes_take(struct tree *t)
{
    uint32_t best[ROUTES_AT_ONCE], count = 0;
    int64_t least[ROUTES_AT_ONCE];
    for (uint32_t r = 0; r < t->choice->routes.count; r++) {
        if (!t->allowed[r] || t->inside[r]) continue;
        int64_t reduced = t->reduced[r] - t->crew_dual[crew_of(t, r)];
        if (reduced >= -NOISE || (count == ROUTES_AT_ONCE && reduced >= least[count - 1])) continue;
        uint32_t at = count < ROUTES_AT_ONCE ? count++ : count - 1;
        for (; at > 0 && least[at - 1] > reduced; at--) {
            least[at] = least[at - 1];
            best[at] = best[at - 1];
        }
        least[at] = reduced;
        best[at] = r;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!route_enter(t, best[i])) return -1;
    }
    return (int)count;
}

/* Routes to begin with: those that cost least beyond what the proof's duals pay for. */
static void routes_prime(struct tree *t)
{
    uint32_t routes = t->choice->routes.count, want = FIRST_ROUTES < routes ? FIRST_ROUTES : routes;
    memset(t->allowed, 1, routes);
    for (uint32_t c = 0; c < t->relaxation->crew_count; c++)
        t->crew_dual[c] = t->proof->technician_dual[t->relaxation->crews[c].technician];
    memcpy(t->visit_dual, t->proof->visit_dual, sizeof(int64_t) * t->in->visit_count);
    reduce(t);
    for (uint32_t r = 0; r < routes; r++)
        t->reduced[r] -= t->crew_dual[crew_of(t, r)] + INT64_MAX / 4;
    while (t->column_count < t->in->visit_count + want) {
        memset(t->crew_dual, 0, sizeof(int64_t) * t->relaxation->crew_count);
        if (routes_take(t) <= 0) return;
    }
}

static int64_t *copy_of(struct tree *t, const int64_t *from, uint32_t count)
{
    int64_t *to = arena_need(t->arena, sizeof *to * (count + 1));
    memcpy(to, from, sizeof *to * count);
    return to;
}

/* The bound of the duals in hand becomes the node's, if it is better than the one it has. */
static void bound_take(struct tree *t, struct tree_node *node)
{
    uint32_t crews = t->relaxation->crew_count;
    int64_t bound = 0;
    int64_t *least = arena_need(&t->scratch, sizeof *least * (crews + 1));
    for (uint32_t c = 0; c < crews; c++)
        least[c] = t->relaxation->crews[c].empty;
    for (uint32_t r = 0; r < t->choice->routes.count; r++) {
        uint32_t crew = crew_of(t, r);
        if (t->allowed[r] && t->reduced[r] < least[crew]) least[crew] = t->reduced[r];
    }
    for (uint32_t v = 0; v < t->in->visit_count; v++)
        bound += t->visit_dual[v];
    for (uint32_t c = 0; c < crews; c++)
        bound += least[c] * t->relaxation->crews[c].size;
    for (uint32_t c = 0; c < t->cut_count; c++)
        bound += t->cut_dual[c];
    if (node->visit_dual != NULL && bound <= node->bound) return;
    node->bound = bound;
    node->visit_dual = copy_of(t, t->visit_dual, t->in->visit_count);
    node->crew_dual = copy_of(t, least, crews);
    node->cut_dual = copy_of(t, t->cut_dual, t->cut_count);
    node->cut_count = t->cut_count;
}

static uint32_t chosen_list(struct tree *t, struct chosen *chosen, double most)
{
    uint32_t count = 0;
    for (uint32_t j = t->in->visit_count; j < t->column_count; j++) {
        double share = lp_column_share(t->lp, (int)j + 1);
        if (share > SHARE_MIN && share < most)
            chosen[count++] = (struct chosen){t->columns[j], share};
    }
    return count;
}

/* Returns how many cuts came in. */
static uint32_t cut_off(struct tree *t)
{
    struct chosen *chosen = arena_need(&t->scratch, sizeof *chosen * (t->column_count + 1));
    struct proof_cut cuts[CUTS_AT_ONCE];
    uint32_t count = chosen_list(t, chosen, 1 - SHARE_MIN), room = t->cuts_max - t->cut_count;
    uint32_t added = separate(&t->choice->routes, t->in->visit_count, chosen, count, NULL, 0, cuts,
                              room < CUTS_AT_ONCE ? room : CUTS_AT_ONCE, &t->scratch, &t->scratch);
    for (uint32_t i = 0; i < added; i++)
        cut_add(t, cuts[i].visits);
    return added;
}

static bool solve(struct tree *t, enum lp_method method)
{
    enum lp_end end = lp_solve(t->lp, method, PIVOTS_MAX, &t->pivots);
    if (end == LP_SINGULAR) {
        lp_basis_make(t->lp);
        end = lp_solve(t->lp, LP_PRIMAL, PIVOTS_MAX, &t->pivots);
    }
    return end == LP_SOLVED && duals_read(t);
}

/* A visit with a dual above its price, where it may be left out, was rounded up. */
static void duals_hold(struct tree *t, uint32_t index)
{
    uint8_t *served = arena_need(&t->scratch, t->in->visit_count + 1);
    for (uint32_t at = index; t->nodes[at].parent != NO_INDEX; at = t->nodes[at].parent) {
        const struct tree_node *parent = &t->nodes[t->nodes[at].parent];
        if (!t->nodes[at].together) continue;
        served[parent->visit] = 1;
        if (!parent->with_technician) served[parent->other] = 1;
    }
    for (uint32_t v = 0; v < t->in->visit_count; v++) {
        int64_t most = (int64_t)t->in->nodes[v].price * PROOF_FINE;
        if (!served[v] && t->visit_dual[v] > most) t->visit_dual[v] = most;
    }
}

/* --- splitting ------------------------------------------------------------------------------- */

struct splitting {
    double best;
    uint16_t visit, other;
    bool with_technician;
};

static void consider(struct splitting *splitting, double share, uint32_t visit, uint32_t other,
                     bool with_technician)
{
    double value = share < 1 - share ? share : 1 - share;
    if (value <= splitting->best) return;
    *splitting = (struct splitting){value, (uint16_t)visit, (uint16_t)other, with_technician};
}

/* Which visit is shared most evenly by a technician and all others; else which two visits. */
static struct splitting split_find(struct tree *t, const struct chosen *chosen, uint32_t count)
{
    uint32_t n = t->in->visit_count, crews = t->relaxation->crew_count;
    struct splitting splitting = {.best = 1e-4};
    double *with = arena_need(&t->scratch, sizeof *with * ((size_t)n * (crews + n) + 1));
    double *pairs = with + (size_t)n * crews;
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t *visits = walks_visits(&t->choice->routes, chosen[i].walk);
        uint32_t length = route_of(t, chosen[i].walk)->count;
        for (uint32_t a = 0; a < length; a++) {
            with[(size_t)visits[a] * crews + crew_of(t, chosen[i].walk)] += chosen[i].share;
            for (uint32_t b = a + 1; b < length; b++)
                pairs[(size_t)visits[a] * n + visits[b]] += chosen[i].share;
        }
    }
    for (uint32_t v = 0; v < n; v++) {
        for (uint32_t c = 0; c < crews; c++) {
            const struct crew *crew = &t->relaxation->crews[c];
            if (crew->size == 1)
                consider(&splitting, with[(size_t)v * crews + c], v, crew->technician, true);
        }
    }
    if (splitting.best > 1e-3) return splitting;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = a + 1; b < n; b++)
            consider(&splitting, pairs[(size_t)a * n + b], a, b, false);
    }
    return splitting;
}

/* The program's solution is a plan. */
static void whole_take(struct tree *t, const struct chosen *chosen, uint32_t count)
{
    uint8_t *served = arena_need(&t->scratch, t->in->visit_count + 1);
    int64_t cost = 0;
    for (uint32_t c = 0; c < t->relaxation->crew_count; c++)
        cost += t->relaxation->crews[c].empty * t->relaxation->crews[c].size;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t route = chosen[i].walk;
        if (!t->allowed[route]) return;
        cost += route_of(t, route)->cost - t->relaxation->crews[crew_of(t, route)].empty;
        const uint16_t *visits = walks_visits(&t->choice->routes, route);
        for (uint32_t k = 0; k < route_of(t, route)->count; k++)
            served[visits[k]] = 1;
    }
    for (uint32_t v = 0; v < t->in->visit_count; v++)
        cost += served[v] ? 0 : (int64_t)t->in->nodes[v].price * PROOF_FINE;
    int64_t seconds = (cost + PROOF_FINE - 1) / PROOF_FINE;
    if (seconds >= t->target) return;
    t->target = seconds;
    t->plan_count = count;
    for (uint32_t i = 0; i < count; i++)
        t->plan[i] = chosen[i].walk;
}

static int64_t seconds_of(int64_t bound)
{
    return bound / PROOF_FINE + (bound > 0 && bound % PROOF_FINE != 0);
}

static bool node_solve(struct tree *t, uint32_t index)
{
    struct tree_node *node = &t->nodes[index];
    uint32_t cut_rounds = node->parent == NO_INDEX ? CUT_ROUNDS_ROOT : CUT_ROUNDS;
    arena_rewind(&t->scratch);
    if (!node_enter(t, index)) return false;
    enum lp_method method = LP_PRIMAL;
    for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
        if (!solve(t, method)) return false;
        arena_rewind(&t->scratch);
        duals_hold(t, index);
        reduce(t);
        int more = routes_take(t);
        if (more < 0) return false;
        method = more > 0 ? LP_PRIMAL : LP_DUAL_THEN_PRIMAL;
        if (more > 0) continue;
        bound_take(t, node);
        if (seconds_of(node->bound) >= t->target) return true;
        if (cut_rounds-- == 0 || t->cut_count == t->cuts_max || cut_off(t) == 0) break;
    }
    if (node->visit_dual == NULL) return false;
    struct chosen *chosen = arena_need(&t->scratch, sizeof *chosen * (t->column_count + 1));
    uint32_t count = chosen_list(t, chosen, 2);
    struct splitting splitting = split_find(t, chosen, count);
    node->visit = splitting.visit;
    node->other = splitting.other;
    node->with_technician = splitting.with_technician;
    node->whole = splitting.best <= 1e-3;
    if (node->whole) whole_take(t, chosen, count);
    return true;
}

/* --- the tree -------------------------------------------------------------------------------- */

void tree_open(struct tree *t, const struct instance *in, const struct choice *choice,
               const struct relaxation *relaxation, const struct proof *proof, uint32_t nodes_max,
               struct arena *arena)
{
    uint32_t routes = choice->routes.count, n = in->visit_count;
    *t = (struct tree){.in = in,
                       .choice = choice,
                       .relaxation = relaxation,
                       .proof = proof,
                       .arena = arena,
                       .target = choice->target,
                       .much = MUCH_MIN,
                       .node_cap = nodes_max,
                       .cuts_max = TREE_CUTS_MAX};
    arena_open(&t->scratch, SCRATCH_MAX);
    for (uint32_t v = 0; v < n; v++)
        t->much = fmax(t->much, 4.0 * in->nodes[v].price);
    sets_fill(t);
    t->allowed = arena_need(arena, routes + 1);
    t->inside = arena_need(arena, routes + 1);
    t->reduced = arena_need(arena, sizeof *t->reduced * (routes + 1));
    t->columns = arena_need(arena, sizeof *t->columns * (routes + n + 1));
    t->cuts = arena_need(arena, sizeof *t->cuts * TREE_CUTS_MAX);
    t->cut_routes = arena_need(arena, sizeof *t->cut_routes * TREE_CUTS_MAX);
    t->cut_routes_count = arena_need(arena, sizeof *t->cut_routes_count * TREE_CUTS_MAX);
    t->visit_dual = arena_need(arena, sizeof(int64_t) * (n + 1));
    t->crew_dual = arena_need(arena, sizeof(int64_t) * (relaxation->crew_count + 1));
    t->cut_dual = arena_need(arena, sizeof(int64_t) * (TREE_CUTS_MAX + 1));
    t->nodes = arena_need(arena, sizeof *t->nodes * (nodes_max + 2));
    t->plan = arena_need(arena, sizeof *t->plan * (in->technician_count + 1));
}

void tree_close(struct tree *t)
{
    if (t->lp != NULL && t->world == lp_world()) lp_drop(t->lp);
    t->lp = NULL;
    arena_close(&t->scratch);
}

/* The part of plans with the least bound; NO_INDEX: it cannot be split. */
static uint32_t weakest(const struct tree *t)
{
    uint32_t least = NO_INDEX;
    for (uint32_t i = 0; i < t->node_count; i++) {
        if (t->nodes[i].child == NO_INDEX &&
            (least == NO_INDEX || t->nodes[i].bound < t->nodes[least].bound))
            least = i;
    }
    return least;
}

int64_t tree_bound(const struct tree *t)
{
    uint32_t least = weakest(t);
    if (least == NO_INDEX) return INT64_MIN;
    int64_t bound = seconds_of(t->nodes[least].bound);
    return bound < t->target ? bound : t->target;
}

static bool split(struct tree *t, uint32_t index)
{
    for (uint32_t i = 0; i < 2; i++)
        t->nodes[t->node_count + i] =
            (struct tree_node){.parent = index, .together = i == 0, .child = NO_INDEX};
    if (!node_solve(t, t->node_count) || !node_solve(t, t->node_count + 1)) return false;
    t->nodes[index].child = t->node_count;
    t->node_count += 2;
    return true;
}

struct stint {
    struct tree *tree;
    uint32_t nodes;
    bool (*stop)(void *context);
    void *context;
    bool fine;
};

static void run(void *context)
{
    struct stint *stint = context;
    struct tree *t = stint->tree;
    if (t->lp == NULL) {
        program_make(t);
        routes_prime(t);
    }
    if (t->node_count == 0) {
        t->nodes[0] = (struct tree_node){.parent = NO_INDEX, .child = NO_INDEX};
        if (!node_solve(t, 0)) return;
        t->node_count = 1;
    }
    stint->fine = true;
    while (t->node_count + 2 <= stint->nodes && t->node_count + 2 <= t->node_cap) {
        uint32_t least = weakest(t);
        if (seconds_of(t->nodes[least].bound) >= t->target || t->nodes[least].whole) return;
        if (stint->stop != NULL && stint->stop(stint->context)) return;
        if (!split(t, least)) {
            stint->fine = false;
            return;
        }
    }
}

bool tree_run(struct tree *t, uint32_t nodes, bool (*stop)(void *context), void *context)
{
    struct stint stint = {t, nodes, stop, context, false};
    return lp_attempt(run, &stint) && stint.fine;
}
