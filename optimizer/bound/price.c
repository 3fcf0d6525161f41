#include "optimizer/bound/price.h"

#include "base/check.h"

#include <string.h>

enum { BEGINS_MAX = 64, CELL_WORDS = 2 };

struct label {
    int64_t cost;
    uint64_t memory;
    uint64_t cuts[CUT_WORDS];
    int32_t time; /* of departure */
    int32_t travel, load;
    uint32_t parent; /* index + 1 */
    uint32_t next;   /* dearer ones of the same place, state and cell: index + 1 */
    uint32_t queued; /* next of the cell: index + 1 */
    uint16_t place, count;
    uint8_t state;
    bool dead;
};

/* Labels of one place and state. */
struct shelf {
    uint64_t used[CELL_WORDS]; /* cells that have labels */
    uint32_t *first;           /* by cell: index + 1 of the cheapest */
};

struct pricing {
    struct field field;
    const struct instance *in;
    const struct recall *recall;
    const struct duals *duals;
    const struct price_options *options;
    struct desk *desk;
    struct arena *arena;
    struct label *labels; /* the desk's */
    uint32_t count;
    uint32_t *queue;       /* by cell: index + 1 */
    struct shelf *shelves; /* [state * (field.count + 1) + place] */
    int64_t limit;
    int64_t *end_cost;   /* by place: of the cheapest walk that ends there */
    uint32_t *end_label; /* index + 1 */
    int64_t least;
    uint16_t begin[ROUTE_MAX]; /* frozen visits */
    uint32_t begin_count;
    uint32_t taken;               /* labels, so far */
    bool counts, weighs, travels; /* what may become too much */
    bool full;
};

enum { LABELS_A_LOOK = 256, LABELS_FIRST = 4096, DESK_MAX = 1 << 30 };

void desk_open(struct desk *desk)
{
    *desk = (struct desk){.label_cap = 0};
    arena_open(&desk->arena, DESK_MAX);
    arena_open(&desk->labels_arena, DESK_MAX);
}

void desk_close(struct desk *desk)
{
    arena_close(&desk->arena);
    arena_close(&desk->labels_arena);
}

/* Room for one more label; what is outgrown stays in the arena. */
static void desk_grow(struct desk *desk, uint32_t used)
{
    if (used < desk->label_cap) return;
    uint32_t cap = desk->label_cap == 0 ? LABELS_FIRST : 2 * desk->label_cap;
    struct label *labels = arena_need(&desk->labels_arena, sizeof *labels * cap);
    if (used > 0) memcpy(labels, desk->labels, sizeof *labels * used);
    desk->labels = labels;
    desk->label_cap = cap;
}

/* --- dominance ------------------------------------------------------------------------------- */

/* What `a` may have to pay for cuts where `b` has not. */
static int64_t cuts_behind(const struct pricing *p, const struct label *a, const struct label *b)
{
    int64_t behind = 0;
    for (uint32_t word = 0; word < CUT_WORDS; word++) {
        uint64_t more = a->cuts[word] & ~b->cuts[word];
        for (; more != 0; more &= more - 1)
            behind -= p->duals->cuts[word * 64 + (uint32_t)__builtin_ctzll(more)].dual;
    }
    return behind;
}

static bool as_good(const struct pricing *p, const struct label *a, const struct label *b)
{
    if (a->time > b->time || a->cost > b->cost) return false;
    if (!p->options->quick && (a->memory & ~b->memory) != 0) return false;
    if (p->weighs && a->load > b->load) return false;
    if (p->travels && a->travel > b->travel) return false;
    if (p->counts && a->count > b->count) return false;
    if (p->duals->cut_count == 0 || p->options->quick) return true;
    return a->cost + cuts_behind(p, a, b) <= b->cost;
}

static struct shelf *shelf_of(struct pricing *p, int state, uint32_t place)
{
    return &p->shelves[(uint32_t)state * (p->field.count + 1) + place];
}

/* The cells of the shelf that are used, from `from` to `to`. */
static uint64_t cells_of(const struct shelf *shelf, uint32_t word, uint32_t from, uint32_t to)
{
    uint64_t used = shelf->used[word];
    uint32_t low = word * 64, high = low + 63;
    if (from > high || to < low) return 0;
    if (from > low) used &= ~UINT64_C(0) << (from - low);
    if (to < high) used &= ~UINT64_C(0) >> (high - to);
    return used;
}

static bool shelf_has_better(const struct pricing *p, const struct shelf *shelf,
                             const struct label *label, uint32_t cell)
{
    for (uint32_t word = 0; word < CELL_WORDS; word++) {
        uint64_t cells = cells_of(shelf, word, 0, cell);
        for (; cells != 0; cells &= cells - 1) {
            uint32_t at = shelf->first[word * 64 + (uint32_t)__builtin_ctzll(cells)];
            for (; at != 0 && p->labels[at - 1].cost <= label->cost; at = p->labels[at - 1].next) {
                if (as_good(p, &p->labels[at - 1], label)) return true;
            }
        }
    }
    return false;
}

/* Takes those off the shelf that the new label is as good as. */
static void shelf_clear(struct pricing *p, struct shelf *shelf, const struct label *label,
                        uint32_t cell)
{
    for (uint32_t word = 0; word < CELL_WORDS; word++) {
        uint64_t cells = cells_of(shelf, word, cell, 64 * CELL_WORDS - 1);
        for (; cells != 0; cells &= cells - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(cells);
            uint32_t *at = &shelf->first[word * 64 + bit];
            while (*at != 0) {
                struct label *other = &p->labels[*at - 1];
                if (as_good(p, label, other)) {
                    other->dead = true;
                    *at = other->next;
                } else {
                    at = &other->next;
                }
            }
            if (shelf->first[word * 64 + bit] == 0) shelf->used[word] &= ~(UINT64_C(1) << bit);
        }
    }
}

static void shelf_put(struct pricing *p, struct shelf *shelf, uint32_t index, uint32_t cell)
{
    struct label *label = &p->labels[index];
    uint32_t *at = &shelf->first[cell];
    while (*at != 0 && p->labels[*at - 1].cost < label->cost)
        at = &p->labels[*at - 1].next;
    label->next = *at;
    *at = index + 1;
    shelf->used[cell / 64] |= UINT64_C(1) << (cell % 64);
}

static void label_add(struct pricing *p, const struct label *label)
{
    uint32_t cell = field_cell(&p->field, label->time);
    struct shelf *shelf = shelf_of(p, label->state, label->place);
    if (shelf_has_better(p, shelf, label, cell)) return;
    if (label->state == AHEAD &&
        shelf_has_better(p, shelf_of(p, BEHIND, label->place), label, cell))
        return;
    if (p->count == p->options->labels_max) {
        p->full = true;
        return;
    }
    desk_grow(p->desk, p->count);
    p->labels = p->desk->labels;
    shelf_clear(p, shelf, label, cell);
    uint32_t index = p->count++;
    p->labels[index] = *label;
    shelf_put(p, shelf, index, cell);
    p->labels[index].queued = p->queue[cell];
    p->queue[cell] = index + 1;
}

/* --- going on -------------------------------------------------------------------------------- */

/* The label's cuts at a visit, and what the walk pays for them. */
static int64_t cuts_at(const struct pricing *p, uint32_t visit, uint64_t *cuts)
{
    int64_t price = 0;
    for (uint32_t word = 0; word < CUT_WORDS; word++) {
        uint64_t member = p->duals->member[visit][word];
        uint64_t held = cuts[word] & (p->duals->keep[visit][word] | member);
        for (uint64_t second = held & member; second != 0; second &= second - 1)
            price -= p->duals->cuts[word * 64 + (uint32_t)__builtin_ctzll(second)].dual;
        cuts[word] = held ^ member;
    }
    return price;
}

/* Arrives at the label's place, everything but start and price in it already. */
static void arrive(struct pricing *p, struct label *label, int32_t arrival)
{
    const struct field *field = &p->field;
    const struct spot_of_field *spot = &field->spots[label->place];
    int64_t cost = label->cost, cheapest = FIELD_FAR;
    for (uint32_t i = 0; i < spot->stretch_count; i++) {
        const struct stretch *stretch = &field->stretches[spot->stretch_at + i];
        if (stretch->close < arrival) continue;
        int32_t start = arrival > stretch->open ? arrival : stretch->open;
        label->time = start + spot->service;
        if (label->time > field->who->latest_end) return;
        int64_t price = start == stretch->open ? stretch->price
                        : spot->priced         ? field_start_price(field, label->place, start)
                                               : 0;
        if (price < cheapest) {
            cheapest = price;
            label->cost = cost + price;
            uint32_t cell = field_cell(field, label->time);
            int64_t after = field_after_leaving(field, label->state, cell, label->place);
            if (label->cost + after < p->limit) label_add(p, label);
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

/* Neither this arc nor any after it is the way to a walk below the limit. */
static bool is_over(const struct pricing *p, const struct label *from, const struct arc *arc)
{
    return from->cost + field_after_arc(&p->field, from->state, from->time, arc) >= p->limit;
}

static void go_on(struct pricing *p, uint32_t index, const struct arc *arc)
{
    const struct label *from = &p->labels[index];
    const struct field *field = &p->field;
    const struct spot_of_field *to = &field->spots[arc->to];
    int32_t plain = from->time + arc->leg;
    int64_t cost = from->cost + arc->price;
    bool now = cost + least_arriving(field, from->state, plain, arc->to) < p->limit;
    int32_t late = from->state == AHEAD ? rested(field->who, from->time, arc->leg) : NEVER;
    bool rest = late < NEVER && cost + least_arriving(field, BEHIND, late, arc->to) < p->limit;
    if (!now && !rest) return;
    const struct recall *recall = p->recall;
    bool first = from->place == field->count;
    size_t pair = first ? 0 : (size_t)field->spots[from->place].visit * recall->visits + to->visit;
    if (!first && (from->memory & recall->back[pair]) != 0) return;
    struct label label = {.parent = index + 1, .place = arc->to, .state = from->state};
    label.travel = from->travel + arc->leg;
    label.load = from->load + to->load;
    label.count = (uint16_t)(from->count + 1);
    if (label.travel > field->who->travel_max || label.load > field->who->capacity) return;
    if (p->counts && label.count > p->in->route_max) return;
    label.memory = (first ? 0 : from->memory & recall->keep[pair]) | to->bit;
    label.cost = cost + to->worth;
    if (p->duals->cut_count > 0) {
        memcpy(label.cuts, from->cuts, sizeof label.cuts);
        label.cost += cuts_at(p, to->visit, label.cuts);
    }
    int64_t base = label.cost;
    if (now) arrive(p, &label, plain);
    if (!rest) return;
    label.state = BEHIND;
    label.cost = base;
    arrive(p, &label, late);
}

/* The way to the end place. */
static void finish(struct pricing *p, uint32_t index)
{
    const struct label *label = &p->labels[index];
    const struct field *field = &p->field;
    const struct spot_of_field *spot = &field->spots[label->place];
    if (label->place == field->count && p->begin_count == 0) return; /* nobody visited */
    if (spot->home >= FIELD_FAR || label->travel + spot->home_leg > field->who->travel_max) return;
    int32_t end = label->time + spot->home_leg;
    if (label->state == AHEAD) end = rested(field->who, label->time, spot->home_leg);
    int64_t over = field_end_price(field, end);
    if (over >= FIELD_FAR) return;
    int64_t cost = label->cost + spot->home + over;
    if (cost < p->least) p->least = cost;
    if (cost >= p->limit || cost >= p->end_cost[label->place]) return;
    p->end_cost[label->place] = cost;
    p->end_label[label->place] = index + 1;
}

static bool asked_to_stop(const struct pricing *p)
{
    return p->options->stop != NULL && p->options->stop(p->options->context);
}

static void cell_run(struct pricing *p, uint32_t cell)
{
    while (p->queue[cell] != 0 && !p->full) {
        uint32_t index = p->queue[cell] - 1;
        p->queue[cell] = p->labels[index].queued;
        if (p->labels[index].dead) continue;
        if (++p->taken % LABELS_A_LOOK == 0 && asked_to_stop(p)) {
            p->labels[index].queued = p->queue[cell];
            p->queue[cell] = index + 1;
            p->full = true;
            return;
        }
        finish(p, index);
        const struct spot_of_field *spot = &p->field.spots[p->labels[index].place];
        const struct arc *arc = &p->field.arcs[spot->arc_at];
        for (uint32_t i = 0; i < spot->arc_count && !p->labels[index].dead; i++) {
            if (is_over(p, &p->labels[index], &arc[i])) break;
            go_on(p, index, &arc[i]);
        }
        if (p->full) { /* it is not finished */
            p->labels[index].queued = p->queue[cell];
            p->queue[cell] = index + 1;
        }
    }
}

/* --- the begin ------------------------------------------------------------------------------- */

static void begin_find(struct pricing *p, uint32_t technician)
{
    const struct instance *in = p->in;
    for (uint32_t v = 0; v < in->visit_count && in->technicians[technician].frozen > 0; v++) {
        const struct node *node = &in->nodes[v];
        if (!node->frozen || node->home != technician || p->begin_count == ROUTE_MAX) continue;
        uint32_t at = p->begin_count++;
        for (; at > 0 && instance_before(in, v, p->begin[at - 1]); at--)
            p->begin[at] = p->begin[at - 1];
        p->begin[at] = (uint16_t)v;
    }
}

struct begin {
    int64_t cost;
    int32_t time;
    int state;
};

struct begins {
    struct begin list[BEGINS_MAX];
    uint32_t count;
};

/* Where there is no more room, the last becomes as early and as cheap as both. */
static void begins_add(struct begins *to, struct begin begin)
{
    for (uint32_t i = 0; i < to->count; i++) {
        const struct begin *other = &to->list[i];
        if (other->time <= begin.time && other->cost <= begin.cost && other->state >= begin.state)
            return;
    }
    if (to->count < BEGINS_MAX) {
        to->list[to->count++] = begin;
        return;
    }
    struct begin *last = &to->list[BEGINS_MAX - 1];
    if (begin.time < last->time) last->time = begin.time;
    if (begin.cost < last->cost) last->cost = begin.cost;
    if (begin.state > last->state) last->state = begin.state;
}

/* On to a frozen visit that one arrives at then. */
static void begin_arrive(const struct pricing *p, struct begins *to, uint32_t visit,
                         struct begin begin, int32_t arrival)
{
    struct stretch list[FIELD_STRETCHES_MAX];
    uint32_t count = field_stretches(p->in, visit, INT32_MIN, list);
    for (uint32_t i = 0; i < count; i++) {
        if (list[i].close < arrival) continue;
        int32_t start = arrival > list[i].open ? arrival : list[i].open;
        int64_t price = field_price_of_start(p->in, visit, start);
        begins_add(to, (struct begin){begin.cost + price, start + p->in->nodes[visit].service,
                                      begin.state});
    }
}

static void begin_walk(struct pricing *p, struct begins *begins, int32_t *travel, int32_t *load)
{
    const struct instance *in = p->in;
    const struct technician *who = p->field.who;
    uint32_t at = who->start;
    for (uint32_t i = 0; i < p->begin_count; i++) {
        uint32_t visit = p->begin[i];
        struct begins from = *begins;
        int32_t leg = instance_travel(in, at, in->nodes[visit].place);
        begins->count = 0;
        for (uint32_t k = 0; k < from.count; k++) {
            struct begin begin = from.list[k];
            begin.cost += field_price_of_leg(&p->field, leg) - p->duals->visit[visit] +
                          (int64_t)PROOF_FINE * instance_who_price(in, p->field.technician, visit);
            begin_arrive(p, begins, visit, begin, begin.time + leg);
            if (begin.state == BEHIND) continue;
            int32_t late = rested(who, begin.time, leg);
            begin.state = BEHIND;
            if (late < NEVER) begin_arrive(p, begins, visit, begin, late);
        }
        *travel += leg;
        *load += in->nodes[visit].load;
        at = in->nodes[visit].place;
    }
}

static void begin(struct pricing *p)
{
    const struct technician *who = p->field.who;
    struct begins begins = {.count = 1};
    begins.list[0] = (struct begin){0, who->available, who->break_length > 0 ? AHEAD : BEHIND};
    int32_t travel = 0, load = 0;
    begin_walk(p, &begins, &travel, &load);
    for (uint32_t i = 0; i < begins.count; i++) {
        const struct begin *from = &begins.list[i];
        if (from->time > who->latest_end || from->time < who->available) continue;
        const struct label label = {.cost = from->cost,
                                    .time = from->time,
                                    .travel = travel,
                                    .load = load,
                                    .place = (uint16_t)p->field.count,
                                    .count = (uint16_t)p->begin_count,
                                    .state = (uint8_t)from->state};
        label_add(p, &label);
    }
}

/* --- what was found -------------------------------------------------------------------------- */

/* The least that one of the labels that nobody looked at can come to. */
static void least_of_rest(struct pricing *p)
{
    for (uint32_t cell = 0; cell < p->field.cells; cell++) {
        for (uint32_t at = p->queue[cell]; at != 0; at = p->labels[at - 1].queued) {
            const struct label *label = &p->labels[at - 1];
            int64_t least =
                label->cost + field_after_leaving(&p->field, label->state, cell, label->place);
            if (!label->dead && least < p->least) p->least = least;
        }
    }
}

static void walk_make(struct pricing *p, uint32_t at, int64_t reduced, struct walk *walk)
{
    uint32_t count = p->labels[at - 1].count;
    uint16_t *visits = arena_need(p->arena, sizeof *visits * (count + 1));
    memcpy(visits, p->begin, sizeof *visits * p->begin_count);
    for (uint32_t i = count; i > p->begin_count; at = p->labels[at - 1].parent)
        visits[--i] = (uint16_t)p->field.spots[p->labels[at - 1].place].visit;
    *walk = (struct walk){.reduced = reduced, .count = count, .visits = visits};
    walk->cost = reduced;
    for (uint32_t i = 0; i < count; i++)
        walk->cost += p->duals->visit[visits[i]];
    for (uint32_t c = 0; c < p->duals->cut_count; c++) {
        const struct proof_cut *cut = &p->duals->cuts[c];
        if (cut->dual != 0) walk->cost += cut->dual * proof_cut_counts(cut, visits, count);
    }
}

static void walks_make(struct pricing *p, struct priced *priced)
{
    uint32_t max = p->options->walks_max;
    uint32_t *best = arena_need(p->arena, sizeof *best * (max + 1)), count = 0;
    for (uint32_t place = 0; place <= p->field.count && max > 0; place++) {
        int64_t cost = p->end_cost[place];
        if (p->end_label[place] == 0 || (count == max && p->end_cost[best[max - 1]] <= cost))
            continue;
        uint32_t at = count < max ? count++ : max - 1;
        for (; at > 0 && p->end_cost[best[at - 1]] > cost; at--)
            best[at] = best[at - 1];
        best[at] = place;
    }
    priced->walks = arena_need(p->arena, sizeof *priced->walks * (count + 1));
    for (uint32_t i = 0; i < count; i++)
        walk_make(p, p->end_label[best[i]], p->end_cost[best[i]] - p->field.rounding,
                  &priced->walks[i]);
    priced->count = count;
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Could a route have more visits than any may have? */
static bool may_be_long(const struct pricing *p)
{
    const struct field *field = &p->field;
    int32_t shortest = INT32_MAX;
    for (uint32_t i = 0; i < field->count; i++) {
        if (field->spots[i].service < shortest) shortest = field->spots[i].service;
    }
    int64_t range = (int64_t)field->who->latest_end - field->begin;
    return shortest <= 0 || range / shortest + p->begin_count >= p->in->route_max;
}

static void pricing_open(struct pricing *p)
{
    const struct field *field = &p->field;
    int64_t load = 0;
    for (uint32_t i = 0; i < field->count; i++)
        load += field->spots[i].load;
    for (uint32_t i = 0; i < p->begin_count; i++)
        load += p->in->nodes[p->begin[i]].load;
    p->weighs = field->who->capacity != UNLIMITED && (load > field->who->capacity);
    p->travels = field->who->travel_max < INT32_MAX;
    p->counts = may_be_long(p);
    p->queue = arena_need(p->arena, sizeof *p->queue * (field->cells + 1));
    size_t shelves = 2 * (size_t)(field->count + 1);
    p->shelves = arena_need(p->arena, sizeof *p->shelves * shelves);
    uint32_t *first = arena_need(p->arena, sizeof *first * shelves * field->cells);
    for (size_t i = 0; i < shelves; i++)
        p->shelves[i].first = first + i * field->cells;
    p->end_cost = arena_need(p->arena, sizeof *p->end_cost * (field->count + 1));
    p->end_label = arena_need(p->arena, sizeof *p->end_label * (field->count + 1));
    for (uint32_t i = 0; i <= field->count; i++)
        p->end_cost[i] = FIELD_FAR;
}

/* All labels go, and the begin comes back. */
static void clear(struct pricing *p)
{
    size_t shelves = 2 * (size_t)(p->field.count + 1);
    p->count = 0;
    p->full = false;
    memset(p->queue, 0, sizeof *p->queue * p->field.cells);
    memset(p->shelves[0].first, 0, sizeof *p->queue * shelves * p->field.cells);
    for (size_t i = 0; i < shelves; i++)
        memset(p->shelves[i].used, 0, sizeof p->shelves[i].used);
    begin(p);
}

/* The least that any of the labels there are could come to. */
static int64_t least_possible(const struct pricing *p)
{
    int64_t least = p->limit;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct label *label = &p->labels[i];
        uint32_t cell = field_cell(&p->field, label->time);
        int64_t cost =
            label->cost + field_after_leaving(&p->field, label->state, cell, label->place);
        if (cost < least) least = cost;
    }
    return least;
}

/* Walks that come near to what could be are found in far less time, where there are any. False:
 * there were none, and it is as it was. */
static bool try_near_the_least(struct pricing *p)
{
    int64_t limit = p->limit, least = least_possible(p);
    if (least < -FIELD_FAR / 2) return false;
    for (int64_t part = 8; part > 1; part /= 2) {
        p->limit = least + (limit - least) / part;
        clear(p);
        for (uint32_t cell = 0; cell < p->field.cells && !p->full; cell++)
            cell_run(p, cell);
        for (uint32_t i = 0; i <= p->field.count; i++) {
            if (p->end_label[i] != 0) return true;
        }
        if (p->full) return true; /* with a wider limit it would be so even sooner */
    }
    p->limit = limit;
    clear(p);
    return false;
}

void price(struct priced *priced, const struct instance *in, const struct recall *recall,
           uint32_t technician, const struct duals *duals, const struct price_options *options,
           struct desk *desk)
{
    arena_rewind(&desk->arena);
    struct pricing *p = arena_need(&desk->arena, sizeof *p);
    *p = (struct pricing){
        .in = in, .recall = recall, .duals = duals, .options = options, .desk = desk};
    p->arena = &desk->arena;
    field_make(&p->field, in, recall, technician, duals, options->quick ? options->places_max : 0,
               p->arena);
    CHECK(p->field.cells <= 64 * CELL_WORDS);
    begin_find(p, technician);
    pricing_open(p);
    p->limit = p->least = options->limit + p->field.rounding;
    begin(p);
    bool some = options->quick && try_near_the_least(p);
    for (uint32_t cell = 0; cell < p->field.cells && !p->full && !some; cell++)
        cell_run(p, cell);
    if (p->full) least_of_rest(p);
    *priced = (struct priced){.least = p->least - p->field.rounding,
                              .closed = !p->full && !options->quick,
                              .labels = p->count,
                              .relaxed = p->field.relaxed};
    int64_t empty = instance_travel(in, p->field.who->start, p->field.who->end);
    empty = (int64_t)PROOF_FINE * instance_travel_price(in, (int32_t)empty);
    if (p->begin_count == 0 && empty < priced->least) priced->least = empty;
    walks_make(p, priced);
}

static bool is_hopeless(const struct instance *in, uint32_t visit)
{
    const struct node *node = &in->nodes[visit];
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct technician *who = &in->technicians[t];
        int32_t from = who->available > node->open ? who->available : node->open;
        if (instance_allows(in, t, visit) && node->load <= who->capacity &&
            node->last_close >= who->available && from + node->service <= who->latest_end)
            return false;
    }
    return true;
}

int64_t price_hopeless(const struct instance *in)
{
    int64_t sum = 0;
    for (uint32_t v = 0; v < in->visit_count; v++)
        sum += is_hopeless(in, v) ? in->nodes[v].price : 0;
    return sum;
}
