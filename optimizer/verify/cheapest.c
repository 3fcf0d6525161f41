/* cheapest.c - the cheapest walk of one technician, by a plain dynamic programme in integers.
 *
 * Idea: a label is a walk from the start to a visit, all that counts of it: when it leaves, what it
 * has cost beyond what it pays, what it remembers. Labels come in order of time. One that another
 * label at the same visit outdoes in everything is dropped, for whatever follows it can follow the
 * other one, and costs no more there; so is one that cannot come home below the best so far, by the
 * bounds of remain.c. Which walks there are is said in README.md.
 */
#include "base/check.h"
#include "optimizer/verify/verify_impl.h"

#include <stdlib.h>
#include <string.h>

#define NO_LABEL UINT32_MAX

enum { MEMORY_MAX = 1 << 30 };

struct label {
    int64_t time, travel, load;
    int64_t rest;           /* of its cost, in 1/fine s: all but travel, less what it pays */
    uint32_t place, before; /* the label that it goes on from */
    uint32_t older;         /* kept at the same place and phase */
    bool rested;
};

struct programme {
    struct pricing pricing;
    struct label *labels;
    uint64_t *sets; /* by label: remembered visits, then cuts that hold a count */
    uint32_t count, room, words;
    uint32_t *heap; /* labels to come, the earliest first */
    uint32_t waiting;
    uint32_t *kept; /* by place and phase: the newest one */
    bool bounded;   /* remain is known */
    int64_t best;   /* what a walk must stay below */
    uint32_t best_label;
    bool best_empty, found;
    uint64_t work, work_max; /* comparisons */
};

static uint64_t *set_of(const struct programme *it, uint32_t label)
{
    return it->sets + (size_t)label * it->words;
}

static uint64_t *cuts_of(const struct programme *it, uint32_t label)
{
    return set_of(it, label) + it->pricing.in->visit_words;
}

/* --- labels in order of time ----------------------------------------------------------------- */

static bool comes_first(const struct programme *it, uint32_t a, uint32_t b)
{
    const struct label *left = &it->labels[a], *right = &it->labels[b];
    return left->time != right->time ? left->time < right->time : a < b;
}

static void heap_put(struct programme *it, uint32_t label)
{
    uint32_t at = it->waiting++;
    for (; at > 0 && comes_first(it, label, it->heap[(at - 1) / 2]); at = (at - 1) / 2)
        it->heap[at] = it->heap[(at - 1) / 2];
    it->heap[at] = label;
}

static uint32_t heap_take(struct programme *it)
{
    uint32_t first = it->heap[0], moved = it->heap[--it->waiting], at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= it->waiting) break;
        if (child + 1 < it->waiting && comes_first(it, it->heap[child + 1], it->heap[child]))
            child++;
        if (!comes_first(it, it->heap[child], moved)) break;
        it->heap[at] = it->heap[child];
        at = child;
    }
    it->heap[at] = moved;
    return first;
}

/* Room for one more label; false: there are too many, or too large ones. */
static bool make_room(struct programme *it)
{
    if (it->count < it->room) return true;
    size_t each = sizeof *it->labels + sizeof *it->heap + sizeof *it->sets * it->words;
    uint32_t room = it->room == 0 ? 1024 : 2 * it->room;
    if (room > VERIFY_LABELS_MAX || room * each > MEMORY_MAX) return false;
    it->labels = realloc(it->labels, sizeof *it->labels * room);
    it->heap = realloc(it->heap, sizeof *it->heap * room);
    it->sets = realloc(it->sets, sizeof *it->sets * it->words * room);
    CHECK(it->labels != NULL && it->heap != NULL && it->sets != NULL);
    it->room = room;
    return true;
}

/* --- a label's price ------------------------------------------------------------------------- */

/* Rounded down; a route's travel is rounded once, at its end. */
static int64_t cost_of(const struct programme *it, const struct label *label)
{
    return label->rest + fine_travel(it->pricing.in, label->travel);
}

/* What that may be too much by, where travel has a price that is rounded. */
static int64_t rounding(const struct certificate *in)
{
    return in->policy.travel_percent % 100 == 0 ? 0 : in->fine;
}

static bool hopeless(const struct programme *it, const struct label *label)
{
    if (!it->bounded) return label->time > it->pricing.who->latest_end;
    int64_t rest = remain_least(&it->pricing, label->place, label->rested, label->time);
    if (rest == CERTIFICATE_UNLIMITED) return true;
    if (it->best == CERTIFICATE_UNLIMITED) return false;
    return cost_of(it, label) + rest - rounding(it->pricing.in) >= it->best;
}

/* The walk is over: it goes home. */
static void go_home(struct programme *it, uint32_t index)
{
    const struct label *label = &it->labels[index];
    const struct pricing *pricing = &it->pricing;
    const struct certificate *in = pricing->in;
    const struct cert_technician *who = pricing->who;
    int64_t leg = certificate_travel(in, in->visits[pricing->list[label->place]].at, who->to);
    int64_t home = label->rested ? label->time + leg : rule_rested(who, label->time, leg);
    if (leg > who->leg_max || home > who->latest_end || label->travel + leg > who->travel_max)
        return;
    int64_t over = home > who->shift_end ? home - who->shift_end : 0;
    int64_t cost = label->rest + in->fine * (rule_travel_price(&in->policy, label->travel + leg) +
                                             rule_overtime_price(&in->policy, over));
    if (cost >= it->best) return;
    it->best = cost;
    it->best_label = index;
    it->best_empty = false;
    it->found = true;
}

/* --- moves ----------------------------------------------------------------------------------- */

int64_t cuts_count(const struct certificate *in, uint32_t visit, uint64_t *cuts)
{
    int64_t paid = 0;
    for (uint32_t c = 0; c < in->cut_count; c++) {
        const struct cert_cut *cut = &in->cuts[c];
        uint64_t bit = UINT64_C(1) << (c % 64);
        bool member = false;
        for (uint32_t m = 0; m < cut->member_count; m++)
            member |= cut->members[m] == visit;
        if (member) {
            if ((cuts[c / 64] & bit) != 0) paid += cut->dual;
            cuts[c / 64] ^= bit;
        } else if (!certificate_has(cut->memory, visit)) {
            cuts[c / 64] &= ~bit;
        }
    }
    return paid;
}

/* A new label at `place`, that starts there then. False: no room. */
static bool arrive(struct programme *it, uint32_t before, const struct label *from, int64_t leg,
                   bool rested, uint32_t place, struct start start)
{
    const struct certificate *in = it->pricing.in;
    const struct cert_visit *visit = &in->visits[it->pricing.list[place]];
    struct label label = {.time = start.at + visit->service,
                          .travel = from->travel + leg,
                          .load = from->load + visit->load,
                          .rest = from->rest + start.price + it->pricing.who_price[place],
                          .place = place,
                          .before = before,
                          .rested = rested};
    if (hopeless(it, &label)) return true;
    if (!make_room(it)) return false;
    uint64_t *set = set_of(it, it->count);
    if (before == NO_LABEL)
        memset(set, 0, sizeof *set * it->words);
    else
        memcpy(set, set_of(it, before), sizeof *set * it->words);
    for (uint32_t w = 0; w < in->visit_words; w++)
        set[w] &= visit->near[w];
    certificate_add(set, it->pricing.list[place]);
    label.rest -= cuts_count(in, it->pricing.list[place], cuts_of(it, it->count));
    if (hopeless(it, &label)) return true;
    it->labels[it->count] = label;
    heap_put(it, it->count++);
    return true;
}

static bool move(struct programme *it, uint32_t before, const struct label *from, uint32_t at,
                 uint32_t place)
{
    struct pricing *pricing = &it->pricing;
    const struct cert_technician *who = pricing->who;
    const struct cert_visit *visit = &pricing->in->visits[pricing->list[place]];
    struct start starts[STARTS_MAX];
    int64_t leg = certificate_travel(pricing->in, at, visit->at);
    if (leg > who->leg_max || from->travel + leg > who->travel_max) return true;
    if (from->load + visit->load > who->capacity) return true;
    uint32_t count = starts_worth(pricing, place, from->time + leg, starts);
    for (uint32_t i = 0; i < count; i++) {
        if (!arrive(it, before, from, leg, from->rested, place, starts[i])) return false;
    }
    int64_t arrival = from->rested ? CERTIFICATE_UNLIMITED : rule_rested(who, from->time, leg);
    if (arrival == CERTIFICATE_UNLIMITED) return true;
    count = starts_worth(pricing, place, arrival, starts);
    for (uint32_t i = 0; i < count; i++) {
        if (!arrive(it, before, from, leg, true, place, starts[i])) return false;
    }
    return true;
}

/* --- who outdoes whom ------------------------------------------------------------------------ */

/* In whole seconds of price, rounded up: so much more may a's travel come to than b's. */
static int64_t travel_ahead(const struct certificate *in, int64_t a, int64_t b)
{
    int64_t percent = (a - b) * in->policy.travel_percent;
    return percent >= 0 ? (percent + 99) / 100 : -(-percent / 100);
}

/* `a` leaves no later, and from the same visit. */
static bool outdoes(const struct programme *it, uint32_t a, uint32_t b)
{
    const struct certificate *in = it->pricing.in;
    const struct cert_technician *who = it->pricing.who;
    const struct label *left = &it->labels[a], *right = &it->labels[b];
    if (who->travel_max != CERTIFICATE_UNLIMITED && left->travel > right->travel) return false;
    if (who->capacity != CERTIFICATE_UNLIMITED && left->load > right->load) return false;
    int64_t room =
        right->rest - left->rest - in->fine * travel_ahead(in, left->travel, right->travel);
    if (room < 0) return false;
    const uint64_t *his = set_of(it, a), *other = set_of(it, b);
    for (uint32_t w = 0; w < in->visit_words; w++) {
        if ((his[w] & ~other[w]) != 0) return false;
    }
    const uint64_t *cuts = cuts_of(it, a), *others = cuts_of(it, b);
    for (uint32_t c = 0; c < in->cut_count && room >= 0; c++) {
        if (certificate_has(cuts, c) && !certificate_has(others, c)) room += in->cuts[c].dual;
    }
    return room >= 0;
}

static uint32_t *kept_at(struct programme *it, uint32_t place, bool rested)
{
    return &it->kept[2 * place + (rested ? 1 : 0)];
}

/* With the break behind one can do all that one can with it ahead. */
static bool outdone(struct programme *it, uint32_t label)
{
    const struct label *own = &it->labels[label];
    for (uint32_t rested = own->rested; rested < 2; rested++) {
        uint32_t other = *kept_at(it, own->place, rested == 1);
        for (; other != NO_LABEL; other = it->labels[other].older, it->work++) {
            if (outdoes(it, other, label)) return true;
        }
    }
    return false;
}

/* --- the programme --------------------------------------------------------------------------- */

static bool go_on(struct programme *it, uint32_t label)
{
    struct label from = it->labels[label];
    uint32_t at = it->pricing.in->visits[it->pricing.list[from.place]].at;
    go_home(it, label);
    for (uint32_t place = 0; place < it->pricing.open_count; place++) {
        if (certificate_has(set_of(it, label), it->pricing.list[place])) continue;
        if (!move(it, label, &from, at, place)) return false;
    }
    return true;
}

static bool run(struct programme *it)
{
    while (it->waiting > 0) {
        uint32_t label = heap_take(it);
        struct label *own = &it->labels[label];
        if (hopeless(it, own) || outdone(it, label)) continue;
        uint32_t *kept = kept_at(it, own->place, own->rested);
        own->older = *kept;
        *kept = label;
        if (it->work > it->work_max || !go_on(it, label)) return false;
    }
    return true;
}

/* His frozen visits one after the other: what is waiting for one of them goes on to the next. */
static bool walk_frozen(struct programme *it, const struct label *start)
{
    const struct cert_technician *who = it->pricing.who;
    uint32_t first = it->pricing.open_count;
    if (!move(it, NO_LABEL, start, who->from, first)) return false;
    for (uint32_t i = 1; i < who->frozen_count; i++) {
        uint32_t begin = it->count - it->waiting, end = it->count;
        uint32_t at = it->pricing.in->visits[it->pricing.list[first + i - 1]].at;
        it->waiting = 0;
        for (uint32_t label = begin; label < end; label++) {
            struct label from = it->labels[label];
            if (!move(it, label, &from, at, first + i)) return false;
        }
    }
    return true;
}

static bool begin(struct programme *it)
{
    const struct cert_technician *who = it->pricing.who;
    const struct certificate *in = it->pricing.in;
    const struct label start = {.time = who->available, .rested = who->break_length == 0};
    if (who->frozen_count > 0) return walk_frozen(it, &start);
    int64_t idle =
        in->fine * rule_travel_price(&in->policy, certificate_travel(in, who->from, who->to));
    if (idle < it->best) {
        it->best = idle;
        it->best_empty = it->found = true;
    }
    for (uint32_t place = 0; place < it->pricing.open_count; place++) {
        if (!move(it, NO_LABEL, &start, who->from, place)) return false;
    }
    return true;
}

/* --- what does not change -------------------------------------------------------------------- */

static void add_visit(struct pricing *pricing, uint32_t visit)
{
    const struct certificate *in = pricing->in;
    pricing->who_price[pricing->count] =
        rule_who_price(in, pricing->technician, visit) * in->fine - in->visits[visit].dual;
    pricing->list[pricing->count++] = visit;
}

static void add_points(struct pricing *pricing, uint32_t place, uint32_t *used)
{
    const struct certificate *in = pricing->in;
    const struct cert_visit *visit = &in->visits[pricing->list[place]];
    uint32_t first = *used;
    pricing->points_at[place] = first;
    for (uint32_t i = 0; i < visit->windows.count; i++)
        pricing->points[(*used)++] = visit->windows.items[i].open;
    for (uint32_t i = 0; i < visit->due.count; i++)
        pricing->points[(*used)++] = visit->due.items[i].open;
    for (uint32_t i = 0; i < visit->best.count; i++)
        pricing->points[(*used)++] = visit->best.items[i].open;
    pricing->points[(*used)++] = visit->planned_start - in->policy.tolerance;
    for (uint32_t i = first + 1; i < *used; i++) {
        int64_t point = pricing->points[i];
        uint32_t at = i;
        for (; at > first && pricing->points[at - 1] > point; at--)
            pricing->points[at] = pricing->points[at - 1];
        pricing->points[at] = point;
    }
    pricing->points_at[place + 1] = *used;
}

void pricing_prepare(struct pricing *pricing, struct arena *memory)
{
    const struct certificate *in = pricing->in;
    size_t visits = in->visit_count + 1, points = 0;
    pricing->list = arena_need(memory, sizeof *pricing->list * visits);
    pricing->who_price = arena_need(memory, sizeof *pricing->who_price * visits);
    pricing->points_at = arena_need(memory, sizeof *pricing->points_at * (visits + 1));
    for (uint32_t v = 0; v < in->visit_count; v++) {
        const struct cert_visit *visit = &in->visits[v];
        if (!visit->frozen && rule_may_serve(in, pricing->technician, v)) add_visit(pricing, v);
    }
    pricing->open_count = pricing->count;
    for (uint32_t i = 0; i < pricing->who->frozen_count; i++)
        add_visit(pricing, pricing->who->frozen[i]);
    for (uint32_t place = 0; place < pricing->count; place++) {
        const struct cert_visit *visit = &in->visits[pricing->list[place]];
        points += visit->windows.count + visit->due.count + visit->best.count + 1;
    }
    pricing->points = arena_need(memory, sizeof *pricing->points * (points + 1));
    pricing->spots = arena_need(memory, sizeof *pricing->spots * visits);
    spots_build(pricing);
    uint32_t used = 0;
    for (uint32_t place = 0; place < pricing->count; place++)
        add_points(pricing, place, &used);
    remain_build(pricing, memory);
}

static uint32_t trace(const struct programme *it, uint32_t *visits)
{
    uint32_t count = 0, max = (uint32_t)it->pricing.in->policy.route_max;
    if (!it->found || it->best_empty) return 0;
    for (uint32_t l = it->best_label; l != NO_LABEL && count < max; l = it->labels[l].before)
        visits[count++] = it->pricing.list[it->labels[l].place];
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t visit = visits[i];
        visits[i] = visits[count - 1 - i];
        visits[count - 1 - i] = visit;
    }
    return count;
}

bool verify_cheapest(const struct certificate *in, uint32_t technician,
                     struct verify_cheapest *cheapest)
{
    struct arena memory;
    struct programme it = {
        .pricing = {.in = in, .who = &in->technicians[technician], .technician = technician},
        .words = in->visit_words + in->cut_words,
        .best = cheapest->enough,
        .best_label = NO_LABEL,
        .work_max = cheapest->work_max};
    arena_open(&memory, MEMORY_MAX);
    pricing_prepare(&it.pricing, &memory);
    it.kept = arena_need(&memory, sizeof *it.kept * 2 * (it.pricing.count + 1));
    memset(it.kept, 0xff, sizeof *it.kept * 2 * (it.pricing.count + 1));
    it.bounded = it.pricing.who->frozen_count < 2;
    bool done = begin(&it);
    it.bounded = true;
    if (done) done = run(&it);
    cheapest->visit_count = trace(&it, cheapest->visits);
    cheapest->least = it.found ? it.best : CERTIFICATE_UNLIMITED;
    cheapest->labels = it.count;
    free(it.labels);
    free(it.heap);
    free(it.sets);
    arena_close(&memory);
    return done;
}
