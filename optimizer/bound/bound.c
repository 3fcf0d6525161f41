#include "optimizer/bound/bound.h"

#include "base/check.h"
#include "optimizer/bound/separate.h"

#include <string.h>

enum {
    KEPT_MAX = 1 << 30,
    WALKS_QUICK = 30, /* per pricing */
    WALKS_EXACT = 60,
    ENOUGH_QUICK = 8, /* walks found that make exact pricing wait */
    PIVOTS_MAX = 200000,
    SLICE_PIVOTS = 200,
    EARLY_ROUNDS = 10,
    EARLY_ROUNDS_ROUGH = 20,
    EARLY_LABELS = 5000,
    STEPS_ROUGH = 500,
    WAIT_ROUGH = 12, /* rounds that raise nothing */
    NOISE = 4,       /* 1/PROOF_FINE s: duals are rounded */
    SMOOTH_OF_8 = 4,
    SMOOTH_GUESS_OF_8 = 7, /* while the program's duals mean little */
    GUESSED_ROUNDS = 12,
    CUTS_AT_ONCE = 30,
};

static const double SHARE_MIN = 1e-6, ENOUGH = 1e-6, /* shares of the program's value */
    ENOUGH_ROUGH = 1e-3, FAR_ROUGH = 0.1, TRIFLE = 2e-4;

const struct bound_options bound_options_default = {
    .near_max = 10,
    .cut_rounds = 30,
    .labels_max = 200000,
    .rough_above = 300,
    .rough_places = 100,
};

void bound_open(struct bound *b, const struct instance *in, const struct bound_options *options)
{
    *b = (struct bound){.in = in, .options = *options};
    b->labels_now = options->labels_max < EARLY_LABELS ? options->labels_max : EARLY_LABELS;
    arena_open(&b->kept, KEPT_MAX);
    recall_make(&b->recall, in, options->near_max, &b->kept);
    recall_sort(&b->recall, in, &b->kept);
    walks_open(&b->walks, &b->kept);
    relaxation_open(&b->relaxation, in, &b->walks, &b->kept);
    size_t visits = in->visit_count + 1, technicians = in->technician_count + 1;
    b->visit_dual = arena_need(&b->kept, sizeof(int64_t) * visits);
    b->crew_dual = arena_need(&b->kept, sizeof(int64_t) * technicians);
    b->least = arena_need(&b->kept, sizeof(int64_t) * technicians);
    b->crew_first = arena_need(&b->kept, sizeof(uint32_t) * technicians);
    for (uint32_t c = 0; c < b->relaxation.crew_count; c++)
        b->crew_first[c] = b->relaxation.crews[c].technician;
    b->relaxation.rough = in->visit_count > options->rough_above;
    if (b->relaxation.rough) ascent_open(&b->ascent, &b->relaxation, &b->kept);
    crowd_open(&b->crowd, options->threads, in->technician_count, &b->kept);
    b->member = arena_need(&b->kept, sizeof *b->member * visits);
    b->keep = arena_need(&b->kept, sizeof *b->keep * visits);
    b->proof_visit_dual = arena_need(&b->kept, sizeof(int64_t) * visits);
    b->proof_technician_dual = arena_need(&b->kept, sizeof(int64_t) * technicians);
    b->center_visit = arena_need(&b->kept, sizeof(int64_t) * visits);
    b->center_crew = arena_need(&b->kept, sizeof(int64_t) * technicians);
    b->proof = (struct proof){.visit_count = in->visit_count,
                              .technician_count = in->technician_count,
                              .visit_dual = b->proof_visit_dual,
                              .technician_dual = b->proof_technician_dual,
                              .cuts = b->proof_cuts,
                              .near = b->recall.near,
                              .near_count = b->recall.near_count,
                              .hopeless = price_hopeless(in),
                              .bound = INT64_MIN};
}

void bound_close(struct bound *b)
{
    relaxation_close(&b->relaxation);
    arena_close(&b->kept);
    crowd_close(&b->crowd);
}

void bound_take_route(struct bound *b, uint32_t technician, const struct route *route)
{
    uint16_t visits[ROUTE_MAX];
    if (route->count == 0) return;
    for (uint32_t i = 0; i < route->count; i++)
        visits[i] = route->stops[i + 1].visit;
    (void)walks_add(&b->walks, b->in->technicians[technician].alike,
                    (int64_t)route->cost * PROOF_FINE, visits, route->count);
}

/* What a plan's visits are worth, by the way to and from them: a guess that is nearer to the truth
 * than the first duals of the program. */
static void center_guess(struct bound *b, const struct plan *plan, uint32_t technician)
{
    const struct route *route = &plan->routes[technician];
    int64_t empty = b->relaxation.crews[b->relaxation.crew_of[technician]].empty;
    int64_t cost = (int64_t)route->cost * PROOF_FINE - empty, ways = 1;
    if (cost < 0) cost = 0;
    for (uint32_t i = 1; i <= route->count; i++)
        ways += route->stops[i].leg + route->stops[i + 1].leg + 1;
    for (uint32_t i = 1; i <= route->count; i++) {
        int64_t way = route->stops[i].leg + route->stops[i + 1].leg + 1;
        b->center_visit[route->stops[i].visit] = cost / ways * way;
    }
}

void bound_take_plan(struct bound *b, const struct plan *plan)
{
    for (uint32_t t = 0; t < b->in->technician_count; t++)
        bound_take_route(b, t, &plan->routes[t]);
    if (b->centered) return;
    for (uint32_t t = 0; t < b->in->technician_count; t++)
        center_guess(b, plan, t);
    for (uint32_t v = 0; v < b->in->visit_count; v++) {
        int64_t most = (int64_t)b->in->nodes[v].price * PROOF_FINE;
        if (plan->route_of[v] == NO_INDEX || b->center_visit[v] > most) b->center_visit[v] = most;
    }
    for (uint32_t c = 0; c < b->relaxation.crew_count; c++)
        b->center_crew[c] = b->relaxation.crews[c].empty;
    b->centered = b->guessed = true;
}

void bound_take_pool(struct bound *b, const struct pool *pool)
{
    struct route route;
    for (uint32_t c = 0; c < pool->used; c++) {
        uint16_t visits[ROUTE_MAX];
        if (!pool_holds(pool, c)) continue;
        uint32_t technician = b->in->technician_of_slot[pool->columns[c].technician];
        route.count = pool_visits(pool, c, b->in, visits);
        for (uint32_t i = 0; i < route.count; i++)
            route.stops[i + 1].visit = visits[i];
        if (route_refresh(b->in, technician, &route)) bound_take_route(b, technician, &route);
    }
}

/* --- duals ----------------------------------------------------------------------------------- */

/* Between the program's own and those of the best proof: so many eighths of the latter. */
static int64_t between(int64_t own, int64_t best, int64_t eighths)
{
    return own + (best - own) / 8 * eighths;
}

static void duals_set(struct bound *b, int64_t eighths)
{
    const struct relaxation *r = &b->relaxation;
    if (!b->centered) eighths = 0;
    for (uint32_t v = 0; v < b->in->visit_count; v++)
        b->visit_dual[v] = between(r->visit_dual[v], b->center_visit[v], eighths);
    for (uint32_t c = 0; c < r->crew_count; c++)
        b->crew_dual[c] = between(r->crew_dual[c], b->center_crew[c], eighths);
    for (uint32_t c = 0; c < r->cut_count; c++)
        b->cut_dual[c] = between(r->cut_dual[c], r->cuts[c].dual, eighths);
}

/* The cuts that have a price, numbered anew, and who is in them. */
static uint32_t cuts_set(struct bound *b)
{
    const struct relaxation *r = &b->relaxation;
    uint32_t count = 0, n = b->in->visit_count;
    memset(b->member, 0, sizeof *b->member * n);
    memset(b->keep, 0, sizeof *b->keep * n);
    for (uint32_t c = 0; c < r->cut_count; c++) {
        if (b->cut_dual[c] == 0) continue;
        b->cuts[count] = r->cuts[c];
        b->cuts[count].dual = b->cut_dual[c];
        uint64_t bit = UINT64_C(1) << (count % 64);
        for (uint32_t i = 0; i < 3; i++)
            b->member[r->cuts[c].visits[i]][count / 64] |= bit;
        for (uint32_t v = 0; v < n; v++) {
            if (r->cuts[c].memory[v / 8] >> (v % 8) & 1) b->keep[v][count / 64] |= bit;
        }
        count++;
    }
    return count;
}

/* --- pricing --------------------------------------------------------------------------------- */

/* Those that would make the program cheaper come in. Returns how many. */
static int walks_take(struct bound *b, uint32_t crew, const struct priced *priced)
{
    int added = 0;
    uint32_t technician = b->relaxation.crews[crew].technician;
    for (uint32_t i = 0; i < priced->count; i++) {
        const struct walk *walk = &priced->walks[i];
        int64_t reduced =
            relaxation_reduced(&b->relaxation, crew, walk->cost, walk->visits, walk->count);
        if (reduced >= -NOISE) continue;
        uint32_t index = walks_add(&b->walks, technician, walk->cost, walk->visits, walk->count);
        if (b->walks.list[index].inside) continue;
        if (!relaxation_add(&b->relaxation, index)) return -1;
        added++;
    }
    return added;
}

static bool asked_to_stop(const struct bound *b)
{
    return b->options.stop != NULL && b->options.stop(b->options.context);
}

/* Quickly, for walks; exactly; or somewhat, for a bound that is better than none. */
enum effort { PRICE_QUICK, PRICE_EARLY, PRICE_EXACT };

/* Prices all technicians by the duals that are set. Returns how many walks came in; -1: it was
 * stopped, or failed. */
static int price_all(struct bound *b, enum effort effort)
{
    const struct relaxation *r = &b->relaxation;
    const struct duals duals = {b->visit_dual, cuts_set(b), b->cuts, b->member, b->keep};
    int added = 0;
    bool quick = effort == PRICE_QUICK;
    uint32_t labels_max = b->labels_now;
    b->unclosed = false;
    if (effort != PRICE_EXACT && labels_max > EARLY_LABELS) labels_max = EARLY_LABELS;
    const struct crowd_order order = {
        .in = b->in,
        .recall = &b->recall,
        .duals = &duals,
        .technicians = b->crew_first,
        .limits = b->crew_dual,
        .count = r->crew_count,
        .options = {.labels_max = labels_max,
                    .walks_max = quick ? WALKS_QUICK : WALKS_EXACT,
                    .quick = quick,
                    .places_max = b->relaxation.rough ? b->options.rough_places : 0,
                    .stop = b->options.stop,
                    .context = b->options.context},
    };
    if (!crowd_price(&b->crowd, &order)) return -1;
    for (uint32_t c = 0; c < r->crew_count; c++) {
        const struct priced *priced = &b->crowd.priced[c];
        b->least[c] = priced->least;
        b->unclosed |= effort == PRICE_EXACT && !priced->closed;
        b->relaxed |= priced->relaxed;
        b->labels += priced->labels;
        b->pricings++;
        b->exact_pricings += !quick;
        int more = walks_take(b, c, priced);
        if (more < 0) return -1;
        added += more;
    }
    return added;
}

/* --- the proof ------------------------------------------------------------------------------- */

static void center_set(struct bound *b, const int64_t *crew_dual)
{
    memcpy(b->center_visit, b->visit_dual, sizeof(int64_t) * b->in->visit_count);
    memcpy(b->center_crew, crew_dual, sizeof(int64_t) * b->relaxation.crew_count);
    for (uint32_t c = 0; c < b->relaxation.cut_count; c++)
        b->relaxation.cuts[c].dual = b->cut_dual[c];
    b->centered = true;
}

static void proof_take(struct bound *b)
{
    const struct relaxation *r = &b->relaxation;
    const struct instance *in = b->in;
    int64_t bound = 0;
    for (uint32_t v = 0; v < in->visit_count; v++)
        bound += b->visit_dual[v];
    for (uint32_t c = 0; c < r->crew_count; c++)
        bound += b->least[c] * r->crews[c].size;
    for (uint32_t c = 0; c < r->cut_count; c++)
        bound += b->cut_dual[c];
    if (bound <= b->proof.bound) return;
    memcpy(b->proof_visit_dual, b->visit_dual, sizeof(int64_t) * in->visit_count);
    center_set(b, b->least);
    for (uint32_t t = 0; t < in->technician_count; t++)
        b->proof_technician_dual[t] = b->least[r->crew_of[t]];
    b->proof.cut_count = 0;
    for (uint32_t c = 0; c < r->cut_count; c++) {
        if (b->cut_dual[c] == 0) continue;
        b->proof_cuts[b->proof.cut_count] = r->cuts[c];
        b->proof_cuts[b->proof.cut_count++].dual = b->cut_dual[c];
    }
    b->proof.relaxed = b->relaxed;
    b->proof.bound = bound;
    CHECK(proof_sum(&b->proof) == bound);
}

/* --- rounds ---------------------------------------------------------------------------------- */

/* The program's value and the proof's agree. */
static bool closed(const struct bound *b)
{
    if (b->proof.bound == INT64_MIN) return false;
    double gap = b->relaxation.value - (double)b->proof.bound / PROOF_FINE;
    return gap < 0.02 || gap < (b->relaxation.rough ? ENOUGH_ROUGH : ENOUGH) * b->relaxation.value;
}

/* The walks that are chosen in part. */
static uint32_t chosen_list(struct bound *b, struct chosen *chosen)
{
    uint32_t count = 0;
    for (uint32_t j = 0; j < b->relaxation.used_count; j++) {
        double share = relaxation_share(&b->relaxation, j);
        if (share > SHARE_MIN && share < 1 - SHARE_MIN)
            chosen[count++] = (struct chosen){b->relaxation.used[j].walk, share};
    }
    return count;
}

/* In slices, so that whoever waits need not wait for all of it. */
static enum lp_end solve(struct bound *b, enum lp_method method)
{
    if (b->relaxation.rough) {
        bool all = ascent_make(&b->ascent, STEPS_ROUGH, b->options.stop, b->options.context);
        return all ? LP_SOLVED : LP_LIMIT;
    }
    for (int pivots = 0; pivots < PIVOTS_MAX; pivots += SLICE_PIVOTS) {
        enum lp_end end = relaxation_solve(&b->relaxation, method, SLICE_PIVOTS);
        if (end != LP_LIMIT || asked_to_stop(b)) return end;
    }
    return LP_FAILED;
}

/* Cuts off the solution that all agree on. False: there is nothing to cut, or it did not help. */
static bool cut_off(struct bound *b)
{
    struct relaxation *r = &b->relaxation;
    struct proof_cut cuts[CUTS_AT_ONCE];
    if (b->relaxation.rough || b->cut_rounds >= b->options.cut_rounds || b->open) return false;
    if (solve(b, LP_PRIMAL) != LP_SOLVED) return false;
    struct arena *scratch = &b->crowd.desks[0].arena;
    arena_rewind(scratch);
    struct chosen *chosen = arena_need(scratch, sizeof *chosen * (r->used_count + 1));
    uint32_t count = chosen_list(b, chosen);
    relaxation_age_cuts(r);
    uint32_t room = PROOF_CUTS_MAX - r->cut_count;
    uint32_t added = separate(&b->walks, b->in->visit_count, chosen, count, r->cuts, r->cut_count,
                              cuts, room < CUTS_AT_ONCE ? room : CUTS_AT_ONCE, &b->kept, scratch);
    for (uint32_t i = 0; i < added; i++) {
        if (!relaxation_cut(r, &cuts[i])) return false;
    }
    b->cut_rounds++;
    if (added == 0) return false;
    enum lp_end end = solve(b, LP_DUAL_THEN_PRIMAL);
    return end == LP_SOLVED || end == LP_LIMIT;
}

/* Pricing had not room enough to say that there is nothing. False: it has all that there is. */
static bool more_labels(struct bound *b)
{
    uint32_t max = b->options.labels_max;
    b->open = b->labels_now >= max;
    b->labels_now = b->labels_now < max / 4 ? 4 * b->labels_now : max;
    return !b->open;
}

/* So many eighths of the duals are to be those of the best proof. */
static int64_t smoothing(const struct bound *b)
{
    double proven = (double)b->proof.bound / PROOF_FINE;
    if (b->relaxation.rough && proven < (1 - FAR_ROUGH) * b->relaxation.value) return 0;
    return b->guessed && b->rounds <= GUESSED_ROUNDS ? SMOOTH_GUESS_OF_8 : SMOOTH_OF_8;
}

/* Duals that are only approached go on to swing a little for ever. */
static bool waited_enough(struct bound *b)
{
    if (!b->relaxation.rough || b->proof.bound == INT64_MIN) return false;
    int64_t trifle = (int64_t)(TRIFLE * b->relaxation.value * PROOF_FINE);
    if (b->raised_at == 0 || b->proof.bound - b->raised_to > trifle) {
        b->raised_at = b->rounds;
        b->raised_to = b->proof.bound;
    }
    return b->rounds - b->raised_at >= WAIT_ROUGH;
}

static enum bound_end round_make(struct bound *b)
{
    enum lp_end end = solve(b, LP_PRIMAL);
    if (end != LP_SOLVED) return end == LP_LIMIT ? BOUND_MORE : BOUND_FAILED;
    b->rounds++;
    relaxation_age_walks(&b->relaxation);
    if (closed(b) || waited_enough(b)) return BOUND_CONVERGED;
    int64_t smooth = smoothing(b);
    duals_set(b, smooth);
    int added = price_all(b, PRICE_QUICK);
    if (added < 0) return BOUND_MORE;
    if (!b->relaxation.rough && b->proof.bound == INT64_MIN && smooth == SMOOTH_OF_8)
        center_set(b, b->crew_dual);
    if (added >= (b->relaxation.rough ? (int)b->relaxation.crew_count : ENOUGH_QUICK)) {
        uint32_t early = b->relaxation.rough ? EARLY_ROUNDS_ROUGH : EARLY_ROUNDS;
        if (b->rounds % early == 0 && price_all(b, PRICE_EARLY) >= 0) proof_take(b);
        return BOUND_MORE;
    }
    for (int64_t eighths = smooth;; eighths = 0) {
        duals_set(b, eighths);
        int more = price_all(b, PRICE_EXACT);
        if (more < 0) return BOUND_MORE;
        proof_take(b);
        if (more + added > 0) return BOUND_MORE;
        if (b->unclosed && more_labels(b)) return BOUND_MORE;
        if (eighths == 0) return BOUND_CONVERGED;
    }
}

struct stint {
    struct bound *bound;
    uint32_t rounds;
    enum bound_end end;
};

static void run(void *context)
{
    struct stint *run = context;
    struct bound *b = run->bound;
    for (uint32_t i = 0; i < b->walks.count && b->rounds == 0; i++) {
        if (!relaxation_add(&b->relaxation, i)) return;
    }
    if (b->relaxation.rough && b->rounds == 0)
        memcpy(b->relaxation.visit_dual, b->center_visit, sizeof(int64_t) * b->in->visit_count);
    for (uint32_t i = 0; i < run->rounds; i++) {
        run->end = round_make(b);
        if (run->end == BOUND_CONVERGED && cut_off(b)) run->end = BOUND_MORE;
        if (run->end != BOUND_MORE) return;
        if (b->proof.bound > INT64_MIN && proof_seconds(&b->proof) >= b->target) {
            run->end = BOUND_REACHED;
            return;
        }
        if (asked_to_stop(b)) return;
    }
}

enum bound_end bound_run(struct bound *b, uint32_t rounds, int64_t target)
{
    struct stint context = {b, rounds, BOUND_FAILED};
    b->target = target;
    return lp_attempt(run, &context) ? context.end : BOUND_FAILED;
}
