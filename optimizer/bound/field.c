#include "optimizer/bound/field.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { CELLS_MIN = 64, PASSES_MAX = 24 };

static int32_t max_s(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int64_t fine(int64_t seconds)
{
    return seconds * PROOF_FINE;
}

/* --- prices ---------------------------------------------------------------------------------- */

int64_t field_price_of_leg(const struct field *field, int32_t leg)
{
    if (leg > field->who->leg_max) return FIELD_FAR;
    return fine(leg) * field->in->policy.travel_price_percent / 100;
}

int64_t field_end_price(const struct field *field, int32_t end)
{
    if (end > field->who->latest_end) return FIELD_FAR;
    int32_t over = end - field->who->shift_end;
    if (over <= 0) return 0;
    return fine(part_price(policy_overtime_price_s(&field->in->policy, over)));
}

int64_t field_price_of_start(const struct instance *in, uint32_t visit, int32_t start)
{
    const struct node *node = &in->nodes[visit];
    int64_t price = 0;
    if (node->soft) {
        /* Shared out, so that no sum of them is more than the part of a route may be. */
        int32_t most = PART_MAX_S / (int32_t)in->route_max;
        int32_t soft = instance_start_price(in, visit, start);
        price = soft < most ? soft : most;
    }
    int32_t moved = start - node->planned;
    if (node->change_start > 0 && (moved > in->tolerance || moved < -in->tolerance))
        price += node->change_start;
    return fine(price);
}

int64_t field_start_price(const struct field *field, uint32_t place, int32_t start)
{
    return field_price_of_start(field->in, field->spots[place].visit, start);
}

/* --- stretches ------------------------------------------------------------------------------- */

struct cutting {
    struct stretch *list;
    uint32_t count;
};

/* Cuts the stretch that has `time` within it, so that one begins there. */
static void cut_at(struct cutting *cutting, int32_t time)
{
    for (uint32_t i = 0; i < cutting->count; i++) {
        struct stretch *stretch = &cutting->list[i];
        if (time <= stretch->open || time > stretch->close) continue;
        if (cutting->count == FIELD_STRETCHES_MAX) return;
        for (uint32_t k = cutting->count++; k > i + 1; k--)
            cutting->list[k] = cutting->list[k - 1];
        cutting->list[i + 1] = (struct stretch){time, stretch->close, 0};
        stretch->close = time - 1;
        return;
    }
}

/* Where the price of a start may fall. */
static void cut_all(struct cutting *cutting, const struct instance *in, uint32_t visit)
{
    const struct node *node = &in->nodes[visit];
    if (node->change_start > 0) {
        cut_at(cutting, node->planned - in->tolerance);
        cut_at(cutting, node->planned + in->tolerance + 1);
    }
    if (!node->soft) return;
    const struct wish *wish = &in->wishes[visit];
    for (uint32_t i = 0; i < wish->preferred_count; i++)
        cut_at(cutting, in->spans[wish->preferred_at + i].open);
    for (uint32_t i = 0; i < wish->due_count; i++)
        cut_at(cutting, in->spans[wish->due_at + i].open);
}

/* All starts that a visit may have, from `from` on. */
uint32_t field_stretches(const struct instance *in, uint32_t visit, int32_t from,
                         struct stretch *list)
{
    const struct node *node = &in->nodes[visit];
    struct cutting cutting = {.list = list};
    for (uint32_t i = 0; i <= node->span_count; i++) {
        struct stretch stretch = {node->open, node->close, 0};
        if (i > 0) {
            const struct span *span = &in->spans[node->span_at + i - 1];
            stretch = (struct stretch){span->open, span->close, 0};
        }
        if (stretch.open < from) stretch.open = from;
        if (stretch.open <= stretch.close) list[cutting.count++] = stretch;
    }
    if (node->soft || node->change_start > 0) cut_all(&cutting, in, visit);
    for (uint32_t i = 0; i < cutting.count; i++)
        list[i].price = field_price_of_start(in, visit, list[i].open);
    return cutting.count;
}

/* --- the graph ------------------------------------------------------------------------------- */

/* When anybody leaves. */
static void spot_time(struct field *field, struct spot_of_field *spot)
{
    spot->last_cell = field->cells - 1;
    if (spot->stretch_count == 0) return;
    const struct stretch *list = field->stretches + spot->stretch_at;
    int32_t most = field->who->latest_end - spot->service;
    if (list[0].open <= most) spot->first_cell = field_cell(field, list[0].open + spot->service);
    int32_t last = list[spot->stretch_count - 1].close;
    if (last < most) spot->last_cell = field_cell(field, last + spot->service);
}

static void spot_fill(struct field *field, struct spot_of_field *spot, uint32_t visit,
                      const struct recall *recall, const struct duals *duals,
                      uint32_t *stretches_used)
{
    const struct instance *in = field->in;
    const struct node *node = &in->nodes[visit];
    spot->visit = visit;
    spot->bit = recall->bit[visit];
    spot->service = node->service;
    spot->load = node->load;
    spot->worth = fine(instance_who_price(in, field->technician, visit)) - duals->visit[visit];
    spot->priced = node->soft || node->change_start > 0;
    spot->stretch_at = *stretches_used;
    spot->stretch_count =
        field_stretches(in, visit, field->begin, field->stretches + *stretches_used);
    *stretches_used += spot->stretch_count;
    spot_time(field, spot);
    if (spot->priced)
        field->relaxed |= RELAXED_WAITING | (field->who->break_length > 0 ? RELAXED_BREAK : 0U);
}

/* The place where he is free to choose. */
static uint32_t last_place(const struct instance *in, uint32_t technician)
{
    uint32_t last = NO_INDEX;
    for (uint32_t v = 0; v < in->visit_count && in->technicians[technician].frozen > 0; v++) {
        const struct node *node = &in->nodes[v];
        if (!node->frozen || node->home != technician) continue;
        if (last == NO_INDEX || instance_before(in, last, v)) last = v;
    }
    return last == NO_INDEX ? in->technicians[technician].start : in->nodes[last].place;
}

struct candidate {
    int64_t price; /* of the way there and back, less the dual */
    uint32_t visit;
};

static int by_price(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    if (left->price != right->price) return left->price < right->price ? -1 : 1;
    return left->visit < right->visit ? -1 : left->visit > right->visit;
}

static int by_visit(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    return left->visit < right->visit ? -1 : left->visit > right->visit;
}

static bool may_have(const struct field *field, uint32_t visit)
{
    const struct node *node = &field->in->nodes[visit];
    return !node->frozen && instance_allows(field->in, field->technician, visit) &&
           node->load <= field->who->capacity && node->last_close >= field->begin;
}

/* Those whom he may have, by rank; of more than `places_max` those that are most worth it. */
static uint32_t candidates(const struct field *field, const struct duals *duals, uint32_t here,
                           uint32_t places_max, struct candidate *list)
{
    const struct instance *in = field->in;
    uint32_t count = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        if (!may_have(field, v)) continue;
        uint32_t place = in->nodes[v].place;
        int32_t way =
            instance_travel(in, here, place) + instance_travel(in, place, field->who->end);
        list[count++] = (struct candidate){fine(way) - duals->visit[v], v};
    }
    if (places_max == 0 || count <= places_max) return count;
    qsort(list, count, sizeof *list, by_price);
    qsort(list, places_max, sizeof *list, by_visit);
    return places_max;
}

static void spots_fill(struct field *field, const struct recall *recall, const struct duals *duals,
                       uint32_t here, uint32_t places_max, struct arena *arena)
{
    const struct instance *in = field->in;
    uint32_t n = in->visit_count, stretches = 0;
    struct candidate *list = arena_need(arena, sizeof *list * (n + 1));
    uint32_t count = candidates(field, duals, here, places_max, list);
    field->spots = arena_need(arena, sizeof *field->spots * (count + 1));
    uint32_t wanted = FIELD_STRETCHES_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const struct node *node = &in->nodes[list[i].visit];
        wanted += node->soft || node->change_start > 0 ? FIELD_STRETCHES_MAX : 1 + node->span_count;
    }
    field->stretches = arena_need(arena, sizeof *field->stretches * wanted);
    for (uint32_t i = 0; i < count; i++)
        spot_fill(field, &field->spots[field->count++], list[i].visit, recall, duals, &stretches);
}

static uint32_t place_of(const struct field *field, uint32_t spot, uint32_t here)
{
    return spot == field->count ? here : field->in->nodes[field->spots[spot].visit].place;
}

/* The earliest that anybody leaves a place. */
static int32_t leaves_at(const struct field *field, uint32_t spot)
{
    const struct spot_of_field *from = &field->spots[spot];
    if (spot == field->count || from->stretch_count == 0) return field->begin;
    return field->stretches[from->stretch_at].open + from->service;
}

static int by_leg(const void *a, const void *b)
{
    const struct arc *left = a, *right = b;
    if (left->leg != right->leg) return left->leg < right->leg ? -1 : 1;
    return left->to < right->to ? -1 : left->to > right->to;
}

/* `spot_of`: by visit, its place of the graph; field->count: it has none. */
static void arcs_from(struct field *field, const struct recall *recall, uint32_t spot,
                      uint32_t here, const uint16_t *spot_of, uint32_t *arcs_used)
{
    const struct instance *in = field->in;
    struct spot_of_field *from = &field->spots[spot];
    const int32_t *row = in->from + (size_t)place_of(field, spot, here) * in->stride;
    bool first = spot == field->count; /* where nobody has sorted them yet */
    bool by_rank = first || recall->nearest == NULL;
    const uint16_t *by = by_rank ? NULL : recall->nearest + (size_t)from->visit * recall->visits;
    int32_t leaves = leaves_at(field, spot);
    from->arc_at = *arcs_used;
    for (uint32_t i = 0; i < recall->visits; i++) {
        uint32_t visit = by_rank ? i : by[i], to = spot_of[visit];
        const struct node *node = &in->nodes[visit];
        int32_t leg = row[node->place];
        if (to == field->count || to == spot || leg > field->who->leg_max ||
            leaves + leg > node->last_close)
            continue;
        field->arcs[(*arcs_used)++] =
            (struct arc){.price = field_price_of_leg(field, leg), .leg = leg, .to = (uint16_t)to};
    }
    from->arc_count = *arcs_used - from->arc_at;
    if (first && recall->nearest != NULL)
        qsort(field->arcs + from->arc_at, from->arc_count, sizeof *field->arcs, by_leg);
    from->home_leg = row[field->who->end];
    from->home = field_price_of_leg(field, from->home_leg);
}

static void arcs_fill(struct field *field, const struct recall *recall, uint32_t here,
                      struct arena *arena)
{
    uint32_t used = 0;
    field->sorted = recall->nearest != NULL;
    uint16_t *spot_of = arena_need(arena, sizeof *spot_of * (recall->visits + 1));
    for (uint32_t v = 0; v < recall->visits; v++)
        spot_of[v] = (uint16_t)field->count;
    for (uint32_t p = 0; p < field->count; p++)
        spot_of[field->spots[p].visit] = (uint16_t)p;
    field->arcs =
        arena_need(arena, sizeof *field->arcs * ((size_t)(field->count + 1) * field->count + 1));
    for (uint32_t p = 0; p <= field->count; p++)
        arcs_from(field, recall, p, here, spot_of, &used);
}

static void cells_choose(struct field *field)
{
    int64_t range = (int64_t)field->who->latest_end - field->begin + 1;
    if (range < 1) range = 1;
    while (range >> field->shift >= 2 * CELLS_MIN)
        field->shift++;
    field->cells = (uint32_t)((range - 1) >> field->shift) + 1;
}

/* --- what follows ---------------------------------------------------------------------------- */

static size_t row_of(const struct field *field, int state, uint32_t cell)
{
    return ((size_t)state * field->cells + cell) * (field->count + 1);
}

/* The least that follows an arrival at the begin of the cell. */
static int64_t arriving(const struct field *field, int state, uint32_t cell, uint32_t place)
{
    const struct spot_of_field *spot = &field->spots[place];
    int32_t arrival = field->begin + (int32_t)(cell << field->shift);
    int64_t least = FIELD_FAR;
    for (uint32_t i = 0; i < spot->stretch_count; i++) {
        const struct stretch *stretch = &field->stretches[spot->stretch_at + i];
        if (stretch->close < arrival) continue;
        int32_t start = max_s(arrival, stretch->open);
        int32_t leave = start + spot->service;
        if (leave > field->who->latest_end) break;
        int64_t price = start == stretch->open ? stretch->price
                        : spot->priced         ? field_start_price(field, place, start)
                                               : 0;
        int64_t then = field->after_leaving[row_of(field, state, field_cell(field, leave)) + place];
        if (price + then < least) least = price + then;
        if (!spot->priced) break; /* later is never better */
    }
    return least >= FIELD_FAR ? FIELD_FAR : least + spot->worth;
}

static int64_t leaving_behind(const struct field *field, uint32_t cell, uint32_t place)
{
    const struct spot_of_field *spot = &field->spots[place];
    int32_t leave = field->begin + (int32_t)(cell << field->shift);
    int64_t least = FIELD_FAR;
    if (spot->home < FIELD_FAR) {
        int64_t end = field_end_price(field, leave + spot->home_leg);
        if (end < FIELD_FAR) least = spot->home + end;
    }
    uint32_t stride = field->count + 1, left = field->cells - cell;
    const int64_t *now = field->after_arriving + row_of(field, BEHIND, cell);
    const int64_t *any = field->after_any + (size_t)BEHIND * field->cells + cell;
    const struct arc *arc = &field->arcs[spot->arc_at], *end = arc + spot->arc_count;
    for (; arc < end; arc++) {
        uint32_t cells = (uint32_t)arc->leg >> field->shift;
        if (cells >= left || arc->price + any[cells] >= least) {
            if (field->sorted) break;
            continue;
        }
        int64_t cost = arc->price + now[(size_t)cells * stride + arc->to];
        if (cost < least) least = cost;
    }
    return least;
}

/* With the break on the way to what comes next, or on a later one. */
static int64_t leaving_ahead(const struct field *field, uint32_t cell, uint32_t place)
{
    const struct spot_of_field *spot = &field->spots[place];
    const struct technician *who = field->who;
    int32_t leave = field->begin + (int32_t)(cell << field->shift);
    int64_t least = FIELD_FAR;
    if (spot->home < FIELD_FAR && leave <= who->break_latest) {
        int64_t end = field_end_price(field, rested(who, leave, spot->home_leg));
        if (end < FIELD_FAR) least = spot->home + end;
    }
    uint32_t stride = field->count + 1, left = field->cells - cell;
    const int64_t *plain = field->after_arriving + row_of(field, AHEAD, cell);
    const int64_t *after = field->after_arriving + row_of(field, BEHIND, cell);
    const int64_t *any = field->after_any + (size_t)AHEAD * field->cells + cell;
    for (uint32_t i = 0; i < spot->arc_count; i++) {
        const struct arc *arc = &field->arcs[spot->arc_at + i];
        uint32_t cells = (uint32_t)arc->leg >> field->shift;
        if (cells >= left || arc->price + any[cells] >= least) {
            if (field->sorted) break;
            continue;
        }
        int64_t cost = arc->price + plain[(size_t)cells * stride + arc->to];
        if (cost < least) least = cost;
        if (leave > who->break_latest) continue;
        int32_t arrival = rested(who, leave, arc->leg);
        if (arrival > who->latest_end) continue;
        cells = field_cell(field, arrival) - cell;
        cost = arc->price + after[(size_t)cells * stride + arc->to];
        if (cost < least) least = cost;
    }
    return least;
}

/* What follows any arrival in this cell or later; with the break ahead, that other state too. */
static void any_fill(struct field *field, int state, uint32_t cell)
{
    int64_t *any = field->after_any + (size_t)state * field->cells + cell;
    const int64_t *arrive = field->after_arriving + row_of(field, state, cell);
    int64_t least = cell + 1 < field->cells ? any[1] : FIELD_FAR;
    if (state == AHEAD && field->after_any[(size_t)BEHIND * field->cells + cell] < least)
        least = field->after_any[(size_t)BEHIND * field->cells + cell];
    for (uint32_t p = 0; p < field->count; p++) {
        if (arrive[p] < least) least = arrive[p];
    }
    *any = least;
}

/* One cell, once. True: something became less. */
static bool pass(struct field *field, int state, uint32_t cell)
{
    bool changed = false;
    int64_t *leave = field->after_leaving + row_of(field, state, cell);
    int64_t *arrive = field->after_arriving + row_of(field, state, cell);
    for (uint32_t p = 0; p < field->count; p++) {
        int64_t cost = arriving(field, state, cell, p);
        if (cost >= arrive[p]) continue;
        arrive[p] = cost;
        changed = true;
    }
    any_fill(field, state, cell);
    for (uint32_t p = 0; p <= field->count; p++) {
        if (cell < field->spots[p].first_cell || cell > field->spots[p].last_cell) continue;
        int64_t cost =
            state == BEHIND ? leaving_behind(field, cell, p) : leaving_ahead(field, cell, p);
        if (cost >= leave[p]) continue;
        leave[p] = cost;
        changed = true;
    }
    return changed;
}

/* Who arrives within a cell leaves in a later one, unless a service is shorter than a cell: then it
 * is gone over until nothing changes. Where a round through several visits takes no time and pays,
 * that never ends: nothing is known then. */
static void cell_fill(struct field *field, int state, uint32_t cell, bool one_pass)
{
    for (uint32_t i = 0; i < PASSES_MAX; i++) {
        if (!pass(field, state, cell) || one_pass) return;
    }
    int64_t *leave = field->after_leaving + row_of(field, state, cell);
    int64_t *arrive = field->after_arriving + row_of(field, state, cell);
    for (uint32_t p = 0; p <= field->count; p++)
        leave[p] = arrive[p] = -FIELD_FAR;
    any_fill(field, state, cell);
}

static void follow(struct field *field, struct arena *arena)
{
    size_t size = row_of(field, BEHIND + 1, 0);
    field->after_leaving = arena_need(arena, sizeof *field->after_leaving * size);
    field->after_arriving = arena_need(arena, sizeof *field->after_arriving * size);
    for (size_t i = 0; i < size; i++)
        field->after_leaving[i] = field->after_arriving[i] = FIELD_FAR;
    field->after_any = arena_need(arena, sizeof *field->after_any * 2 * field->cells);
    bool one_pass = true;
    for (uint32_t p = 0; p < field->count; p++)
        one_pass &= field->spots[p].service >> field->shift > 0;
    for (uint32_t cell = field->cells; cell-- > 0;)
        cell_fill(field, BEHIND, cell, one_pass);
    if (field->who->break_length == 0) return;
    for (uint32_t cell = field->cells; cell-- > 0;)
        cell_fill(field, AHEAD, cell, one_pass);
}

static uint32_t relaxed_of(const struct field *field)
{
    uint32_t relaxed = RELAXED_ELEMENTARY;
    const struct technician *who = field->who;
    if (who->order != ORDER_FREE) relaxed |= RELAXED_ORDER;
    if (who->changes_left != UNLIMITED || field->in->hands_left != UNLIMITED)
        relaxed |= RELAXED_CHANGES;
    if (who->frozen > 0) relaxed |= RELAXED_FREEZE;
    if (field->in->policy.travel_price_percent % 100 != 0) relaxed |= RELAXED_ROUNDING;
    return relaxed;
}

void field_make(struct field *field, const struct instance *in, const struct recall *recall,
                uint32_t technician, const struct duals *duals, uint32_t places_max,
                struct arena *arena)
{
    *field =
        (struct field){.in = in, .who = &in->technicians[technician], .technician = technician};
    field->begin = field->who->available;
    field->relaxed = relaxed_of(field);
    if (field->relaxed & RELAXED_ROUNDING) field->rounding = PROOF_FINE;
    cells_choose(field);
    uint32_t here = last_place(in, technician);
    spots_fill(field, recall, duals, here, places_max, arena);
    field->spots[field->count].last_cell = field->cells - 1;
    arcs_fill(field, recall, here, arena);
    follow(field, arena);
}
