#include "optimizer/bound/choice.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { CHOICE_WORDS = CHOICE_VISITS_MAX / 64, SEEN_BITS = 16, STEPS_A_LOOK = 4096 };

/* A walk so far. */
struct so_far {
    int64_t cost;  /* less what its visits and cuts pay */
    int64_t plain; /* all of it */
    uint64_t visits[CHOICE_WORDS];
    uint64_t cuts[CUT_WORDS];
    int32_t time, travel, load;
    uint32_t place, count;
    int state;
};

struct listing {
    struct choice *choice;
    const struct instance *in;
    const struct duals *duals;
    struct field field;
    int64_t limit, dual; /* the technician's */
    uint8_t *visited;    /* by place */
    uint16_t walk[CHOICE_LENGTH_MAX];
    const struct choice_options *options;
    struct so_far
        *seen; /* by hash, walks that came here; the latest stays. `place` NO_INDEX: none */
    bool full;
};

static int64_t cuts_at(const struct duals *duals, uint32_t visit, uint64_t *cuts)
{
    int64_t price = 0;
    for (uint32_t word = 0; word < CUT_WORDS; word++) {
        uint64_t member = duals->member[visit][word];
        uint64_t held = cuts[word] & (duals->keep[visit][word] | member);
        for (uint64_t second = held & member; second != 0; second &= second - 1)
            price -= duals->cuts[word * 64 + (uint32_t)__builtin_ctzll(second)].dual;
        cuts[word] = held ^ member;
    }
    return price;
}

static struct duals duals_of(const struct proof *proof, uint32_t visits, struct arena *arena)
{
    struct duals duals = {
        .visit = proof->visit_dual, .cut_count = proof->cut_count, .cuts = proof->cuts};
    duals.member = arena_need(arena, sizeof *duals.member * (visits + 1));
    duals.keep = arena_need(arena, sizeof *duals.keep * (visits + 1));
    for (uint32_t c = 0; c < proof->cut_count; c++) {
        uint64_t bit = UINT64_C(1) << (c % 64);
        for (uint32_t i = 0; i < 3; i++)
            duals.member[proof->cuts[c].visits[i]][c / 64] |= bit;
        for (uint32_t v = 0; v < visits; v++) {
            if (proof->cuts[c].memory[v / 8] >> (v % 8) & 1) duals.keep[v][c / 64] |= bit;
        }
    }
    return duals;
}

static void order_keep(struct listing *l, uint32_t index, const struct so_far *at, int64_t cost)
{
    struct choice *choice = l->choice;
    choice->best[index] = cost;
    if (index == choice->best_count) choice->best_count++;
    memcpy(choice->order + (size_t)index * CHOICE_LENGTH_MAX, l->walk,
           sizeof *choice->order * at->count);
}

static void note(struct listing *l, const struct so_far *at, int64_t reduced)
{
    struct choice *choice = l->choice;
    uint16_t sorted[CHOICE_LENGTH_MAX];
    int64_t cost = reduced;
    for (uint32_t i = 0; i < at->count; i++) {
        uint32_t k = i;
        for (; k > 0 && sorted[k - 1] > l->walk[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = l->walk[i];
        cost += l->duals->visit[l->walk[i]];
    }
    for (uint32_t c = 0; c < l->duals->cut_count; c++)
        cost += l->duals->cuts[c].dual * proof_cut_counts(&l->duals->cuts[c], l->walk, at->count);
    uint32_t index = walks_add(&choice->routes, l->field.technician, cost, sorted, at->count);
    bool fresh = index == choice->best_count;
    int64_t beyond = reduced - l->dual;
    if (fresh || cost < choice->best[index]) order_keep(l, index, at, cost);
    if (fresh || beyond < choice->beyond[index]) choice->beyond[index] = beyond;
    if (choice->routes.count >= l->options->routes_max) l->full = true;
}

static void finish(struct listing *l, const struct so_far *at)
{
    const struct field *field = &l->field;
    const struct spot_of_field *spot = &field->spots[at->place];
    if (spot->home >= FIELD_FAR || at->travel + spot->home_leg > field->who->travel_max) return;
    int32_t end = at->time + spot->home_leg;
    if (at->state == AHEAD) end = rested(field->who, at->time, spot->home_leg);
    int64_t over = field_end_price(field, end);
    if (over >= FIELD_FAR) return;
    int64_t cost = at->cost + spot->home + over;
    if (cost < l->limit) note(l, at, cost - field->rounding);
}

static void go_on(struct listing *l, const struct so_far *at);

static void arrive(struct listing *l, const struct so_far *to, int32_t arrival)
{
    const struct field *field = &l->field;
    const struct spot_of_field *spot = &field->spots[to->place];
    int64_t cheapest = FIELD_FAR;
    for (uint32_t i = 0; i < spot->stretch_count; i++) {
        const struct stretch *stretch = &field->stretches[spot->stretch_at + i];
        if (stretch->close < arrival) continue;
        int32_t start = arrival > stretch->open ? arrival : stretch->open;
        struct so_far at = *to;
        at.time = start + spot->service;
        if (at.time > field->who->latest_end) return;
        int64_t price = start == stretch->open ? stretch->price
                        : spot->priced         ? field_start_price(field, at.place, start)
                                               : 0;
        if (price < cheapest) {
            cheapest = price;
            at.cost += price;
            at.plain += price;
            int64_t after =
                field_after_leaving(field, at.state, field_cell(field, at.time), at.place);
            if (at.cost + after < l->limit) go_on(l, &at);
        }
        if (!spot->priced) return;
    }
}

static int64_t least_arriving(const struct field *field, int state, int32_t arrival, uint32_t place)
{
    if (arrival > field->who->latest_end) return FIELD_FAR;
    size_t row = (size_t)state * field->cells + field_cell(field, arrival);
    return field->after_arriving[row * (field->count + 1) + place];
}

static void step(struct listing *l, const struct so_far *from, const struct arc *arc)
{
    const struct field *field = &l->field;
    const struct spot_of_field *to = &field->spots[arc->to];
    if (l->visited[arc->to]) return;
    int32_t plain = from->time + arc->leg;
    int64_t cost = from->cost + arc->price;
    bool now = cost + least_arriving(field, from->state, plain, arc->to) < l->limit;
    int32_t late = from->state == AHEAD ? rested(field->who, from->time, arc->leg) : NEVER;
    bool rest = late < NEVER && cost + least_arriving(field, BEHIND, late, arc->to) < l->limit;
    if (!now && !rest) return;
    struct so_far at = *from;
    at.place = arc->to;
    at.travel += arc->leg;
    at.load += to->load;
    if (at.travel > field->who->travel_max || at.load > field->who->capacity) return;
    if (at.count == l->in->route_max) return;
    if (at.count == CHOICE_LENGTH_MAX) {
        l->full = true;
        return;
    }
    l->walk[at.count++] = (uint16_t)to->visit;
    at.visits[to->visit / 64] |= UINT64_C(1) << (to->visit % 64);
    at.plain += arc->price + to->worth + l->duals->visit[to->visit];
    at.cost = cost + to->worth + cuts_at(l->duals, to->visit, at.cuts);
    l->visited[arc->to] = 1;
    if (now) arrive(l, &at, plain);
    if (rest) {
        at.state = BEHIND;
        arrive(l, &at, late);
    }
    l->visited[arc->to] = 0;
}

/* True: a walk with the same visits was here, no later and no dearer. Else this one is noted. */
static bool seen_better(struct listing *l, const struct so_far *at)
{
    uint64_t hash = at->place * 2 + (uint64_t)at->state;
    for (uint32_t i = 0; i < CHOICE_WORDS; i++)
        hash = (hash ^ at->visits[i] ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15);
    struct so_far *by = &l->seen[hash >> (64 - SEEN_BITS)];
    bool same = by->place == at->place && by->state == at->state &&
                memcmp(by->visits, at->visits, sizeof by->visits) == 0;
    if (same && by->time <= at->time && by->cost <= at->cost && by->plain <= at->plain &&
        by->travel <= at->travel && (by->cuts[0] & ~at->cuts[0]) == 0 &&
        (by->cuts[1] & ~at->cuts[1]) == 0)
        return true;
    *by = *at;
    return false;
}

static void go_on(struct listing *l, const struct so_far *at)
{
    if (at->count > 1 && seen_better(l, at)) return;
    const struct choice_options *options = l->options;
    if (++l->choice->steps >= options->steps_max) l->full = true;
    if (l->choice->steps % STEPS_A_LOOK == 0 && options->stop != NULL &&
        options->stop(options->context))
        l->full = true;
    if (l->full) return;
    finish(l, at);
    const struct spot_of_field *spot = &l->field.spots[at->place];
    const struct arc *arc = &l->field.arcs[spot->arc_at];
    for (uint32_t i = 0; i < spot->arc_count && !l->full; i++) {
        if (at->cost + field_after_arc(&l->field, at->state, at->time, &arc[i]) >= l->limit) break;
        step(l, at, &arc[i]);
    }
}

static void list(struct listing *l, const struct recall *recall, uint32_t technician, int64_t dual,
                 int64_t room, struct arena *arena)
{
    const struct technician *who = &l->in->technicians[technician];
    arena_rewind(arena);
    field_make(&l->field, l->in, recall, technician, l->duals, 0, arena);
    for (uint32_t i = 0; i < 1U << SEEN_BITS; i++)
        l->seen[i].place = NO_INDEX;
    l->visited = arena_need(arena, l->field.count + 1);
    l->dual = dual;
    l->limit = dual + room + l->field.rounding;
    const struct so_far at = {.time = who->available,
                              .place = l->field.count,
                              .state = who->break_length > 0 ? AHEAD : BEHIND};
    const struct spot_of_field *spot = &l->field.spots[at.place];
    const struct arc *arc = &l->field.arcs[spot->arc_at];
    for (uint32_t i = 0; i < spot->arc_count && !l->full; i++)
        step(l, &at, &arc[i]);
}

static int by_value(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* Lowers the target so far that no more than `wanted` routes are left, and drops the others. */
static void narrow(struct choice *choice, const struct proof *proof, uint32_t wanted,
                   struct arena *arena)
{
    struct walks all = choice->routes;
    if (all.count <= wanted) return;
    int64_t *sorted = arena_need(arena, sizeof *sorted * all.count);
    memcpy(sorted, choice->beyond, sizeof *sorted * all.count);
    qsort(sorted, all.count, sizeof *sorted, by_value);
    choice->target = (proof->bound + sorted[wanted]) / PROOF_FINE;
    int64_t room = choice->target * PROOF_FINE - proof->bound;
    walks_open(&choice->routes, arena);
    for (uint32_t r = 0; r < all.count; r++) {
        const struct known_walk *walk = &all.list[r];
        if (choice->beyond[r] >= room) continue;
        uint32_t kept = walks_add(&choice->routes, walk->technician, walk->cost,
                                  walks_visits(&all, r), walk->count);
        memmove(choice->order + (size_t)kept * CHOICE_LENGTH_MAX,
                choice->order + (size_t)r * CHOICE_LENGTH_MAX,
                sizeof *choice->order * CHOICE_LENGTH_MAX);
        choice->best[kept] = choice->best[r];
        choice->beyond[kept] = choice->beyond[r];
    }
    choice->best_count = choice->routes.count;
}

bool choice_make(struct choice *choice, const struct instance *in, const struct recall *recall,
                 const struct proof *proof, int64_t target, const struct choice_options *options,
                 struct desk *desk, struct arena *arena)
{
    *choice = (struct choice){.target = target};
    if (in->visit_count > CHOICE_VISITS_MAX) return false;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (in->technicians[t].frozen > 0) return false;
    }
    walks_open(&choice->routes, arena);
    choice->best = arena_need(arena, sizeof *choice->best * (options->routes_max + 1));
    choice->beyond = arena_need(arena, sizeof *choice->beyond * (options->routes_max + 1));
    choice->order =
        arena_need(arena, sizeof *choice->order * CHOICE_LENGTH_MAX * (options->routes_max + 1));
    const struct duals duals = duals_of(proof, in->visit_count, arena);
    struct listing l = {.choice = choice, .in = in, .duals = &duals, .options = options};
    l.seen = arena_need(arena, sizeof *l.seen << SEEN_BITS);
    int64_t room = target * PROOF_FINE - proof->bound;
    for (uint32_t t = 0; t < in->technician_count && !l.full; t++) {
        if (in->technicians[t].alike == t)
            list(&l, recall, t, proof->technician_dual[t], room, &desk->arena);
    }
    if (l.full) return false;
    narrow(choice, proof, options->routes_wanted, arena);
    return true;
}
