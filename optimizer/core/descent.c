#include "optimizer/core/descent.h"

#include "base/check.h"

#include <string.h>

enum { SUM_MAX = 1 << 30 };

/* --- open --- */

/* Nobody is served before the shift or after it. */
static struct span within(const struct technician *who, const struct node *node)
{
    return (struct span){node->open > who->available ? node->open : who->available,
                         node->close < who->latest_end ? node->close : who->latest_end};
}

/* Is the day so short that no sum of times over a route is more than a number? */
static bool times_are_small(const struct instance *in)
{
    const struct technician *who = &in->technicians[0];
    int64_t longest = 0, service = 0;
    for (uint32_t a = 0; a < in->place_count; a++) {
        for (uint32_t b = 0; b < in->place_count; b++) {
            if (instance_travel(in, a, b) > longest) longest = instance_travel(in, a, b);
        }
    }
    for (uint32_t v = 0; v < in->visit_count; v++) {
        if (in->nodes[v].service > service) service = in->nodes[v].service;
    }
    int64_t most = (int64_t)who->latest_end - who->available + longest + service;
    return most * (in->visit_count + INT64_C(2)) <= SUM_MAX;
}

bool descent_suits(const struct instance *in)
{
    if (!in->plain || in->stability != NULL || in->technician_count == 0) return false;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (in->technicians[t].alike != 0) return false;
    }
    for (uint32_t v = 0; v < in->visit_count; v++) {
        struct span window = within(&in->technicians[0], &in->nodes[v]);
        if (in->nodes[v].pinned != NO_INDEX || !instance_allows(in, 0, v)) return false;
        if (window.open > window.close) return false;
    }
    return times_are_small(in);
}

static void legs_build(struct descent *descent, struct arena *arena)
{
    const struct instance *in = descent->in;
    const struct technician *who = &in->technicians[0];
    uint32_t rows = descent->rows;
    int32_t *legs = arena_need(arena, sizeof *legs * rows * rows);
    int32_t *into = arena_need(arena, sizeof *into * rows * rows);
    descent->symmetric = true;
    for (uint32_t a = 0; a < rows; a++) {
        for (uint32_t b = 0; b < rows; b++) {
            uint32_t from = a == 0 ? who->start : in->nodes[a - 1].place;
            uint32_t to = b == 0 ? who->end : in->nodes[b - 1].place;
            if (a + b > 0) /* an empty route is nobody's way */
                into[b * rows + a] = legs[a * rows + b] = instance_travel(in, from, to);
            if (a > b) descent->symmetric &= legs[a * rows + b] == legs[b * rows + a];
        }
    }
    descent->legs = legs;
    descent->into = into;
}

static void cells_build(struct descent *descent)
{
    const struct instance *in = descent->in;
    const struct technician *who = &in->technicians[0];
    for (uint32_t v = 0; v < descent->visits; v++) {
        const struct node *node = &in->nodes[v];
        struct span window = within(who, node);
        uint16_t row = (uint16_t)(v + 1);
        descent->cells[v] = (struct cell){
            .row = row, .own = {node->service, 0, window.open, window.close, row, row}};
    }
    for (uint32_t r = 0; r < descent->routes; r++) {
        for (uint32_t end = 0; end < 2; end++) {
            struct cell *cell = &descent->cells[descent_start(descent, r) + end];
            *cell = (struct cell){.route = (uint16_t)r,
                                  .own = {0, 0, who->available, who->latest_end, 0, 0}};
            cell->head = cell->tail = cell->own;
        }
    }
}

/* How well `next` comes after `visit`: the leg, a little of the wait, all of the warp. */
static int64_t far_after(const struct descent *descent, uint32_t visit, uint32_t next)
{
    const struct node *one = &descent->in->nodes[visit], *other = &descent->in->nodes[next];
    int64_t leg = descent->legs[(visit + 1) * descent->rows + next + 1];
    int64_t wait = (int64_t)other->open - leg - one->service - one->close;
    int64_t warp = (int64_t)one->open + one->service + leg - other->close;
    return 5 * leg + (wait > 0 ? wait : 0) + (warp > 0 ? 5 * warp : 0);
}

static void near_build(struct descent *descent, struct arena *arena)
{
    uint32_t visits = descent->visits;
    descent->near_count = visits - 1 < DESCENT_NEAR ? visits - 1 : DESCENT_NEAR;
    descent->near = arena_need(arena, sizeof *descent->near * visits * descent->near_count + 1);
    for (uint32_t v = 0; v < visits; v++) {
        int64_t far[DESCENT_NEAR];
        uint16_t *near = descent->near + (size_t)v * descent->near_count;
        uint32_t count = 0;
        for (uint32_t other = 0; other < visits; other++) {
            if (other == v) continue;
            int64_t one = far_after(descent, v, other), two = far_after(descent, other, v);
            int64_t key = one < two ? one : two;
            if (count == descent->near_count && key >= far[count - 1]) continue;
            uint32_t at = count < descent->near_count ? count++ : count - 1;
            for (; at > 0 && far[at - 1] > key; at--) {
                far[at] = far[at - 1];
                near[at] = near[at - 1];
            }
            far[at] = key;
            near[at] = (uint16_t)other;
        }
    }
}

void descent_open(struct descent *descent, const struct instance *in, struct arena *arena)
{
    uint32_t visits = in->visit_count, routes = in->technician_count;
    CHECK(visits > 0 && descent_suits(in) && visits + 2 * routes < CELL_NONE);
    *descent = (struct descent){.in = in,
                                .visits = visits,
                                .routes = routes,
                                .rows = visits + 1,
                                .capacity = in->technicians[0].capacity};
    legs_build(descent, arena);
    near_build(descent, arena);
    descent->cells = arena_need(arena, sizeof *descent->cells * (visits + 2 * routes));
    descent->tours = arena_need(arena, sizeof *descent->tours * routes);
    descent->tested = arena_need(arena, sizeof *descent->tested * visits);
    descent->order = arena_need(arena, sizeof *descent->order * visits);
    descent->row_a = arena_need(arena, sizeof *descent->row_a * (visits + 2));
    descent->row_b = arena_need(arena, sizeof *descent->row_b * (visits + 2));
    cells_build(descent);
    for (uint32_t v = 0; v < visits; v++)
        descent->order[v] = (uint16_t)v;
}

/* --- parts --- */

static inline int32_t leg(const struct descent *descent, uint32_t from, uint32_t to)
{
    return descent->legs[from * descent->rows + to];
}

static inline int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static inline struct part join(const struct descent *descent, const struct part *one,
                               const struct part *two)
{
    int32_t way = leg(descent, one->last, two->first);
    int32_t delta = one->length - one->warp + way;
    int32_t wait = most(two->early - delta - one->late, 0);
    int32_t warp = most(one->early + delta - two->late, 0);
    return (struct part){one->length + two->length + way + wait,
                         one->warp + two->warp + warp,
                         most(two->early - delta, one->early) - wait,
                         least(two->late - delta, one->late) + warp,
                         one->first,
                         two->last};
}

/* The warp of both together. */
static inline int32_t warp_of(const struct descent *descent, const struct part *one,
                              const struct part *two)
{
    int32_t delta = one->length - one->warp + leg(descent, one->last, two->first);
    return one->warp + two->warp + most(one->early + delta - two->late, 0);
}

static inline int64_t penalty(const struct descent *descent, int32_t warp, int32_t load)
{
    int64_t sum = (int64_t)warp * descent->late_price;
    if (load > descent->capacity) sum += ((int64_t)load - descent->capacity) * descent->load_price;
    return sum / PRICE_UNIT;
}

/* The part joined by the stops from one cell to another, both included. */
static struct part join_cells(const struct descent *descent, struct part part, uint32_t from,
                              uint32_t to)
{
    const struct cell *cells = descent->cells;
    for (uint32_t c = from;; c = cells[c].after) {
        part = join(descent, &part, &cells[c].own);
        if (c == to) return part;
    }
}

/* --- routes --- */

/* Makes the route one of these visits, in this order. */
static void route_set(struct descent *descent, uint32_t route, const uint16_t *row, uint32_t count)
{
    struct cell *cells = descent->cells;
    uint32_t start = descent_start(descent, route), before = start;
    int32_t load = 0, travel = 0;
    for (uint32_t i = 0; i <= count; i++) {
        uint32_t c = i < count ? row[i] : start + 1;
        struct cell *cell = &cells[c];
        cells[before].after = (uint16_t)c;
        cell->before = (uint16_t)before;
        cell->route = (uint16_t)route;
        cell->at = (uint16_t)(i + 1);
        if (i < count) load += descent->in->nodes[c].load;
        cell->leg = leg(descent, cells[before].row, cell->row);
        travel += cell->leg;
        cell->load_to = load;
        cell->travel_to = travel;
        cell->head = join(descent, &cells[before].head, &cell->own);
        before = c;
    }
    for (uint32_t c = start + 1; c != start; c = cells[c].before) {
        struct cell *ahead = &cells[cells[c].before];
        ahead->tail = join(descent, &ahead->own, &cells[c].tail);
    }
    struct tour *out = &descent->tours[route];
    int32_t warp = cells[start + 1].head.warp;
    *out = (struct tour){travel, load, warp, count, penalty(descent, warp, load), descent->moves};
}

void descent_load(struct descent *descent, const uint16_t *visits, const uint16_t *starts,
                  uint32_t routes)
{
    CHECK(routes <= descent->routes);
    descent->moves++;
    for (uint32_t r = 0; r < descent->routes; r++) {
        uint32_t from = r < routes ? starts[r] : 0, to = r < routes ? starts[r + 1] : 0;
        route_set(descent, r, visits + from, to - from);
    }
}

/* --- moves --- */

/* One or two stops in a row, with what stands around them. */
struct chain {
    uint32_t before, first, last, after; /* cells */
    struct part part;
    int32_t travel, load; /* within it; of it */
    uint32_t count;
};

static struct chain chain_at(const struct descent *descent, uint32_t first, uint32_t count)
{
    const struct cell *cells = descent->cells, *cell = &cells[first];
    struct chain chain = {
        cell->before, first, first, cell->after, cell->own, 0, descent->in->nodes[first].load,
        count};
    if (count == 1) return chain;
    const struct cell *other = &cells[cell->after];
    chain.last = cell->after;
    chain.after = other->after;
    chain.travel = leg(descent, cell->row, other->row);
    chain.load += descent->in->nodes[chain.last].load;
    chain.part = join(descent, &cell->own, &other->own);
    return chain;
}

static uint32_t copy_row(const struct descent *descent, uint16_t *row, uint32_t count,
                         uint32_t from, uint32_t to)
{
    const struct cell *cells = descent->cells;
    for (uint32_t c = from;; c = cells[c].after) {
        row[count++] = (uint16_t)c;
        if (c == to) return count;
    }
}

static uint32_t copy_row_turned(const struct descent *descent, uint16_t *row, uint32_t count,
                                uint32_t from, uint32_t to)
{
    const struct cell *cells = descent->cells;
    for (uint32_t c = to;; c = cells[c].before) {
        row[count++] = (uint16_t)c;
        if (c == from) return count;
    }
}

/* From the first visit of its route up to `to`: nothing if that is the start. */
static uint32_t copy_head(const struct descent *descent, uint16_t *row, uint32_t to)
{
    if (to >= descent->visits) return 0;
    uint32_t start = descent_start(descent, descent->cells[to].route);
    return copy_row(descent, row, 0, descent->cells[start].after, to);
}

/* From `from` to the last visit: nothing if it is the end. */
static uint32_t copy_tail(const struct descent *descent, uint16_t *row, uint32_t count,
                          uint32_t from)
{
    const struct cell *cells = descent->cells;
    for (uint32_t c = from; c < descent->visits; c = cells[c].after)
        row[count++] = (uint16_t)c;
    return count;
}

static uint32_t copy_chain(const struct descent *descent, uint16_t *row, uint32_t count,
                           const struct chain *chain, bool turned)
{
    return turned ? copy_row_turned(descent, row, count, chain->first, chain->last)
                  : copy_row(descent, row, count, chain->first, chain->last);
}

/* The chain goes behind cell v of its own route. */
static bool relocate_within(struct descent *descent, const struct chain *chain,
                            const struct part *moved, uint32_t v, bool turned, int64_t delta)
{
    const struct cell *cells = descent->cells;
    const struct tour *route = &descent->tours[cells[v].route];
    if (delta >= route->penalty) return false;
    bool later = cells[v].at > cells[chain->first].at;
    struct part part = cells[later ? chain->before : v].head;
    if (later) {
        part = join_cells(descent, part, chain->after, v);
        part = join(descent, &part, moved);
        part = join(descent, &part, &cells[cells[v].after].tail);
    } else {
        part = join(descent, &part, moved);
        part = join_cells(descent, part, cells[v].after, chain->before);
        part = join(descent, &part, &cells[chain->after].tail);
    }
    if (delta + penalty(descent, part.warp, route->load) >= route->penalty) return false;
    uint16_t *row = descent->row_a;
    uint32_t count = copy_head(descent, row, later ? chain->before : v);
    if (later) count = copy_row(descent, row, count, chain->after, v);
    count = copy_chain(descent, row, count, chain, turned);
    if (!later) count = copy_row(descent, row, count, cells[v].after, chain->before);
    count = copy_tail(descent, row, count, later ? cells[v].after : chain->after);
    descent->moves++;
    route_set(descent, cells[v].route, row, count);
    return true;
}

/* The chain goes behind cell v. */
static bool relocate(struct descent *descent, const struct chain *chain, uint32_t v, bool turned)
{
    const struct cell *cells = descent->cells;
    if (v == chain->before || v == chain->first || v == chain->last) return false;
    uint32_t first = turned ? chain->last : chain->first;
    uint32_t last = turned ? chain->first : chain->last, next = cells[v].after;
    uint32_t before_row = cells[chain->before].row, after_row = cells[chain->after].row;
    int64_t delta = leg(descent, before_row, after_row) -
                    leg(descent, before_row, cells[chain->first].row) -
                    leg(descent, cells[chain->last].row, after_row) +
                    leg(descent, cells[v].row, cells[first].row) +
                    leg(descent, cells[last].row, cells[next].row) -
                    leg(descent, cells[v].row, cells[next].row);
    if (turned) delta += leg(descent, cells[first].row, cells[last].row) - chain->travel;
    uint32_t from = cells[chain->first].route, to = cells[v].route;
    const struct tour *old = &descent->tours[from], *other = &descent->tours[to];
    int64_t now = old->penalty + other->penalty;
    if (delta >= now) return false;
    struct part moved = chain->part;
    if (turned) moved = join(descent, &cells[first].own, &cells[last].own);
    if (from == to) return relocate_within(descent, chain, &moved, v, turned, delta);
    int32_t warp = warp_of(descent, &cells[chain->before].head, &cells[chain->after].tail);
    int64_t left = penalty(descent, warp, old->load - chain->load);
    if (delta + left >= now) return false;
    struct part head = join(descent, &cells[v].head, &moved);
    warp = warp_of(descent, &head, &cells[next].tail);
    if (delta + left + penalty(descent, warp, other->load + chain->load) >= now) return false;
    uint32_t count_a = copy_head(descent, descent->row_a, chain->before);
    count_a = copy_tail(descent, descent->row_a, count_a, chain->after);
    uint32_t count_b = copy_head(descent, descent->row_b, v);
    count_b = copy_chain(descent, descent->row_b, count_b, chain, turned);
    count_b = copy_tail(descent, descent->row_b, count_b, next);
    descent->moves++;
    route_set(descent, from, descent->row_a, count_a);
    route_set(descent, to, descent->row_b, count_b);
    return true;
}

/* Two chains of one route change places; `one` stands before `two`, with visits between them. */
static bool swap_within(struct descent *descent, const struct chain *one, const struct chain *two,
                        int64_t delta)
{
    const struct cell *cells = descent->cells;
    uint32_t r = cells[one->first].route;
    const struct tour *route = &descent->tours[r];
    if (delta >= route->penalty) return false;
    struct part part = join(descent, &cells[one->before].head, &two->part);
    part = join_cells(descent, part, one->after, two->before);
    part = join(descent, &part, &one->part);
    int32_t warp = warp_of(descent, &part, &cells[two->after].tail);
    if (delta + penalty(descent, warp, route->load) >= route->penalty) return false;
    uint16_t *row = descent->row_a;
    uint32_t count = copy_head(descent, row, one->before);
    count = copy_row(descent, row, count, two->first, two->last);
    count = copy_row(descent, row, count, one->after, two->before);
    count = copy_row(descent, row, count, one->first, one->last);
    count = copy_tail(descent, row, count, two->after);
    descent->moves++;
    route_set(descent, r, row, count);
    return true;
}

static int32_t around(const struct descent *descent, const struct chain *place,
                      const struct chain *chain)
{
    const struct cell *cells = descent->cells;
    return leg(descent, cells[place->before].row, cells[chain->first].row) +
           leg(descent, cells[chain->last].row, cells[place->after].row);
}

/* The two chains change places. */
static bool swap(struct descent *descent, const struct chain *one, const struct chain *two)
{
    const struct cell *cells = descent->cells;
    uint32_t a = cells[one->first].route, b = cells[two->first].route;
    int64_t delta = (int64_t)around(descent, one, two) + around(descent, two, one) -
                    around(descent, one, one) - around(descent, two, two);
    const struct tour *route_a = &descent->tours[a], *route_b = &descent->tours[b];
    int64_t now = route_a->penalty + route_b->penalty;
    if (delta >= now) return false;
    if (a == b) {
        uint32_t at_one = cells[one->first].at, at_two = cells[two->first].at;
        if (at_one + one->count < at_two) return swap_within(descent, one, two, delta);
        if (at_two + two->count < at_one) return swap_within(descent, two, one, delta);
        return false;
    }
    struct part head = join(descent, &cells[one->before].head, &two->part);
    int32_t warp = warp_of(descent, &head, &cells[one->after].tail);
    int64_t sum = delta + penalty(descent, warp, route_a->load - one->load + two->load);
    if (sum >= now) return false;
    head = join(descent, &cells[two->before].head, &one->part);
    warp = warp_of(descent, &head, &cells[two->after].tail);
    sum += penalty(descent, warp, route_b->load - two->load + one->load);
    if (sum >= now) return false;
    uint32_t count_a = copy_head(descent, descent->row_a, one->before);
    count_a = copy_chain(descent, descent->row_a, count_a, two, false);
    count_a = copy_tail(descent, descent->row_a, count_a, one->after);
    uint32_t count_b = copy_head(descent, descent->row_b, two->before);
    count_b = copy_chain(descent, descent->row_b, count_b, one, false);
    count_b = copy_tail(descent, descent->row_b, count_b, two->after);
    descent->moves++;
    route_set(descent, a, descent->row_a, count_a);
    route_set(descent, b, descent->row_b, count_b);
    return true;
}

/* What lies behind u up to v, of the same route, is driven the other way round. */
static bool turn(struct descent *descent, uint32_t u, uint32_t v)
{
    const struct cell *cells = descent->cells;
    uint32_t x = cells[u].after, y = cells[v].after, r = cells[u].route;
    const struct tour *route = &descent->tours[r];
    int64_t delta = (int64_t)leg(descent, cells[u].row, cells[v].row) +
                    leg(descent, cells[x].row, cells[y].row) -
                    leg(descent, cells[u].row, cells[x].row) -
                    leg(descent, cells[v].row, cells[y].row);
    if (descent->symmetric && delta >= route->penalty) return false;
    struct part part = cells[u].head;
    for (uint32_t c = v; c != u; c = cells[c].before) {
        part = join(descent, &part, &cells[c].own);
        if (!descent->symmetric && c != x)
            delta += leg(descent, cells[c].row, cells[cells[c].before].row) -
                     leg(descent, cells[cells[c].before].row, cells[c].row);
    }
    int32_t warp = warp_of(descent, &part, &cells[y].tail);
    if (delta + penalty(descent, warp, route->load) >= route->penalty) return false;
    uint32_t count = copy_head(descent, descent->row_a, u);
    count = copy_row_turned(descent, descent->row_a, count, x, v);
    count = copy_tail(descent, descent->row_a, count, y);
    descent->moves++;
    route_set(descent, r, descent->row_a, count);
    return true;
}

/* What follows u and what follows v, of different routes, is exchanged. */
static bool exchange_ends(struct descent *descent, uint32_t u, uint32_t v)
{
    const struct cell *cells = descent->cells, *at_u = &cells[u], *at_v = &cells[v];
    uint32_t x = at_u->after, y = at_v->after, a = at_u->route, b = at_v->route;
    const struct tour *route_a = &descent->tours[a], *route_b = &descent->tours[b];
    int64_t delta = (int64_t)leg(descent, at_u->row, cells[y].row) +
                    leg(descent, at_v->row, cells[x].row) - leg(descent, at_u->row, cells[x].row) -
                    leg(descent, at_v->row, cells[y].row);
    int64_t now = route_a->penalty + route_b->penalty;
    if (delta >= now) return false;
    int32_t load = at_u->load_to + route_b->load - at_v->load_to;
    int64_t sum = delta + penalty(descent, warp_of(descent, &at_u->head, &cells[y].tail), load);
    if (sum >= now) return false;
    load = at_v->load_to + route_a->load - at_u->load_to;
    sum += penalty(descent, warp_of(descent, &at_v->head, &cells[x].tail), load);
    if (sum >= now) return false;
    uint32_t count_a = copy_head(descent, descent->row_a, u);
    count_a = copy_tail(descent, descent->row_a, count_a, y);
    uint32_t count_b = copy_head(descent, descent->row_b, v);
    count_b = copy_tail(descent, descent->row_b, count_b, x);
    descent->moves++;
    route_set(descent, a, descent->row_a, count_a);
    route_set(descent, b, descent->row_b, count_b);
    return true;
}

/* --- run --- */

/* A visit that is tried beside others: what is the same for all of them. x comes after u, xx after
 * x. */
struct trial {
    uint32_t u;
    bool has_two;                                                             /* x is a visit */
    const int32_t *from_before, *from_u, *from_x, *into_u, *into_x, *into_xx; /* by row */
    int32_t out_one, out_two; /* the change of legs where u leaves, or u and x */
    int32_t leg_u, leg_x;     /* to u, to x */
    int32_t around_two;       /* to u, and from x */
    int32_t turned;           /* x before u instead */
    struct chain one, two;
};

static void trial_begin(const struct descent *descent, uint32_t u, struct trial *trial)
{
    const struct cell *cells = descent->cells, *cell = &cells[u], *x = &cells[cell->after];
    const struct cell *before = &cells[cell->before];
    size_t rows = descent->rows;
    trial->u = u;
    trial->has_two = cell->after < descent->visits;
    trial->from_before = descent->legs + before->row * rows;
    trial->from_u = descent->legs + cell->row * rows;
    trial->from_x = descent->legs + x->row * rows;
    trial->into_u = descent->into + cell->row * rows;
    trial->into_x = descent->into + x->row * rows;
    trial->leg_u = cell->leg;
    trial->leg_x = x->leg;
    trial->out_one = trial->from_before[x->row] - cell->leg - x->leg;
    trial->one = chain_at(descent, u, 1);
    if (!trial->has_two) return;
    const struct cell *xx = &cells[x->after];
    trial->into_xx = descent->into + xx->row * rows;
    trial->around_two = cell->leg + xx->leg;
    trial->out_two = trial->from_before[xx->row] - trial->around_two;
    trial->turned = trial->from_x[cell->row] - x->leg;
    trial->two = chain_at(descent, u, 2);
}

/* Each move is timed only if its legs alone do not make it useless: what penalties are there now
 * (`now`) is the most that it can save beside them. */

static bool go_behind(struct descent *descent, const struct trial *trial, uint32_t v, int64_t now)
{
    const struct cell *cells = descent->cells, *y = &cells[cells[v].after];
    int32_t in = trial->into_u[cells[v].row] - y->leg, out = trial->from_u[y->row] - y->leg;
    if (trial->out_one + in + trial->from_u[y->row] < now &&
        relocate(descent, &trial->one, v, false))
        return true;
    if (!trial->has_two) return false;
    if (trial->out_two + in + trial->from_x[y->row] < now &&
        relocate(descent, &trial->two, v, false))
        return true;
    return trial->out_two + trial->into_x[cells[v].row] + out + trial->turned < now &&
           relocate(descent, &trial->two, v, true);
}

static bool swap_with(struct descent *descent, const struct chain *chain, uint32_t v,
                      uint32_t count)
{
    const struct chain other = chain_at(descent, v, count);
    return swap(descent, chain, &other);
}

static bool change_places(struct descent *descent, const struct trial *trial, uint32_t v,
                          int64_t now)
{
    const struct cell *cells = descent->cells, *cell = &cells[v], *y = &cells[cell->after];
    int32_t around_v = cell->leg + y->leg;
    int32_t begins = trial->from_before[cell->row] + trial->into_u[cells[cell->before].row];
    if (trial->u < v &&
        begins + trial->into_x[cell->row] + trial->from_u[y->row] - trial->leg_u - trial->leg_x -
                around_v <
            now &&
        swap_with(descent, &trial->one, v, 1))
        return true;
    if (!trial->has_two) return false;
    begins -= trial->around_two;
    if (begins + trial->into_xx[cell->row] + trial->from_x[y->row] - around_v < now &&
        swap_with(descent, &trial->two, v, 1))
        return true;
    if (trial->u > v || cell->after >= descent->visits) return false;
    const struct cell *z = &cells[y->after];
    return begins + trial->into_xx[y->row] + trial->from_x[z->row] - cell->leg - z->leg < now &&
           swap_with(descent, &trial->two, v, 2);
}

static bool cross_over(struct descent *descent, const struct trial *trial, uint32_t v, int64_t now)
{
    const struct cell *cells = descent->cells, *y = &cells[cells[v].after];
    return trial->from_u[y->row] + trial->into_x[cells[v].row] - trial->leg_x - y->leg < now &&
           exchange_ends(descent, trial->u, v);
}

static bool turn_until(struct descent *descent, const struct trial *trial, uint32_t v, int64_t now)
{
    const struct cell *cells = descent->cells, *y = &cells[cells[v].after];
    if (cells[v].at <= cells[trial->u].at + 1u) return false;
    if (descent->symmetric &&
        trial->from_u[cells[v].row] + trial->from_x[y->row] - trial->leg_x - y->leg >= now)
        return false;
    return turn(descent, trial->u, v);
}

/* Tries every move that brings u and v together. */
static bool try_pair(struct descent *descent, const struct trial *trial, uint32_t v)
{
    const struct cell *cells = descent->cells;
    uint32_t a = cells[trial->u].route, b = cells[v].route;
    int64_t now = descent->tours[a].penalty + (a == b ? 0 : descent->tours[b].penalty);
    descent->looks++;
    if (go_behind(descent, trial, v, now) || change_places(descent, trial, v, now)) return true;
    if (a == b) return turn_until(descent, trial, v, now);
    if (cross_over(descent, trial, v, now)) return true;
    uint32_t start = cells[v].before;
    if (start < descent->visits) return false;
    return go_behind(descent, trial, start, now) || cross_over(descent, trial, start, now);
}

static uint32_t an_empty_route(const struct descent *descent)
{
    for (uint32_t r = 0; r < descent->routes; r++) {
        if (descent->tours[r].count == 0) return r;
    }
    return NO_INDEX;
}

static bool try_empty(struct descent *descent, const struct trial *trial)
{
    uint32_t route = an_empty_route(descent);
    if (route == NO_INDEX) return false;
    uint32_t start = descent_start(descent, route);
    int64_t now = descent->tours[descent->cells[trial->u].route].penalty;
    return go_behind(descent, trial, start, now) || cross_over(descent, trial, start, now);
}

static bool try_visit(struct descent *descent, uint32_t u, bool all)
{
    const uint16_t *near = descent->near + (size_t)u * descent->near_count;
    const struct cell *cells = descent->cells;
    uint64_t tested = descent->tested[u];
    bool moved = false;
    struct trial trial;
    descent->tested[u] = descent->moves;
    trial_begin(descent, u, &trial);
    for (uint32_t i = 0; i < descent->near_count; i++) {
        uint64_t mine = descent->tours[cells[u].route].changed;
        uint64_t others = descent->tours[cells[near[i]].route].changed;
        if (!all && mine <= tested && others <= tested) continue;
        if (!try_pair(descent, &trial, near[i])) continue;
        moved = true;
        trial_begin(descent, u, &trial);
    }
    if (!all && try_empty(descent, &trial)) moved = true;
    return moved;
}

static void shuffle(uint16_t *list, uint32_t count, struct rng *rng)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = rng_below(rng, i);
        uint16_t visit = list[i - 1];
        list[i - 1] = list[other];
        list[other] = visit;
    }
}

void descent_run(struct descent *descent, struct rng *rng)
{
    shuffle(descent->order, descent->visits, rng);
    for (uint32_t r = 0; r < descent->routes; r++) {
        struct tour *route = &descent->tours[r];
        route->penalty = penalty(descent, route->warp, route->load);
    }
    bool moved = true;
    for (uint32_t pass = 0; moved || pass < 2; pass++) {
        moved = false;
        for (uint32_t i = 0; i < descent->visits; i++)
            moved |= try_visit(descent, descent->order[i], pass == 0);
    }
}
