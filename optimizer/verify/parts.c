/* parts.c - do the parts of split plans prove what they say?
 *
 * Idea: by the duals that were checked before (bound.c) a plan that costs less than `below` has no
 * route that costs `below` less the bound or more beyond what it pays for. All routes that do not
 * are found by going through them, nobody visited twice, and are few. Each part of the plans has
 * duals of its own; every route that its plans may have is held against them.
 */
#include "base/check.h"
#include "optimizer/verify/verify_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUTES_MAX = 400000, STEPS_MAX = 100000000, DEEPEST = 100, MEMORY_MAX = 1 << 30 };

/* Routes of all technicians, those of one after the other. */
struct routes {
    uint64_t *sets; /* of visits */
    int64_t *cost;  /* in 1/fine s */
    uint32_t count, room, words;
};

struct listing {
    const struct certificate *in;
    struct pricing pricing;
    struct routes *routes;
    int64_t limit; /* routes that cost less beyond what they pay are listed */
    uint64_t set[(CERTIFICATE_VISITS_MAX + 63) / 64];
    uint64_t steps;
    bool full;
};

struct so_far {
    int64_t time, travel, load;
    int64_t rest;  /* of its cost, in 1/fine s: all but travel, less what it pays */
    int64_t plain; /* the same, with what it pays */
    uint32_t place, count;
    uint64_t cuts[CERTIFICATE_CUTS_MAX / 64]; /* that hold a count */
    bool rested;
};

static void note(struct listing *it, int64_t cost)
{
    struct routes *to = it->routes;
    if (to->count == ROUTES_MAX) {
        it->full = true;
        return;
    }
    if (to->count == to->room) {
        to->room = to->room == 0 ? 1024 : 2 * to->room;
        to->sets = realloc(to->sets, sizeof *to->sets * to->words * to->room);
        to->cost = realloc(to->cost, sizeof *to->cost * to->room);
        CHECK(to->sets != NULL && to->cost != NULL);
    }
    memcpy(to->sets + (size_t)to->count * to->words, it->set, sizeof *to->sets * to->words);
    to->cost[to->count++] = cost;
}

static void go_home(struct listing *it, const struct so_far *at)
{
    const struct certificate *in = it->in;
    const struct cert_technician *who = it->pricing.who;
    int64_t leg = certificate_travel(in, in->visits[it->pricing.list[at->place]].at, who->to);
    int64_t home = at->rested ? at->time + leg : rule_rested(who, at->time, leg);
    if (leg > who->leg_max || home > who->latest_end || at->travel + leg > who->travel_max) return;
    int64_t over = home > who->shift_end ? home - who->shift_end : 0;
    int64_t end = in->fine * (rule_travel_price(&in->policy, at->travel + leg) +
                              rule_overtime_price(&in->policy, over));
    if (at->rest + end < it->limit) note(it, at->plain + end);
}

/* What can follow comes to the limit; cuts of later visits are left out, which only costs less. */
static bool hopeless(const struct listing *it, const struct so_far *at)
{
    int64_t rest = remain_least(&it->pricing, at->place, at->rested, at->time);
    if (rest == CERTIFICATE_UNLIMITED) return true;
    int64_t rounding = it->in->policy.travel_percent % 100 == 0 ? 0 : it->in->fine;
    return at->rest + fine_travel(it->in, at->travel) + rest - rounding >= it->limit;
}

static void go_on(struct listing *it, const struct so_far *at, uint32_t from);

static void arrive(struct listing *it, const struct so_far *from, int64_t arrival, bool rested)
{
    struct start starts[STARTS_MAX];
    const struct cert_visit *visit = &it->in->visits[it->pricing.list[from->place]];
    uint32_t count = starts_worth(&it->pricing, from->place, arrival, starts);
    for (uint32_t i = 0; i < count && !it->full; i++) {
        struct so_far at = *from;
        at.time = starts[i].at + visit->service;
        at.rested = rested;
        at.rest += starts[i].price;
        at.plain += starts[i].price;
        if (!hopeless(it, &at)) go_on(it, &at, visit->at);
    }
}

static void step(struct listing *it, const struct so_far *from, uint32_t here, uint32_t place)
{
    const struct certificate *in = it->in;
    const struct cert_technician *who = it->pricing.who;
    uint32_t v = it->pricing.list[place];
    int64_t leg = certificate_travel(in, here, in->visits[v].at);
    struct so_far at = *from;
    at.place = place;
    at.travel += leg;
    at.load += in->visits[v].load;
    if (leg > who->leg_max || at.travel > who->travel_max || at.load > who->capacity) return;
    if (at.count == DEEPEST) {
        it->full = true;
        return;
    }
    at.count++;
    at.rest += it->pricing.who_price[place];
    at.plain += rule_who_price(in, it->pricing.technician, v) * in->fine;
    at.rest -= cuts_count(in, v, at.cuts);
    certificate_add(it->set, v);
    arrive(it, &at, from->time + leg, from->rested);
    int64_t late = from->rested ? CERTIFICATE_UNLIMITED : rule_rested(who, from->time, leg);
    if (late != CERTIFICATE_UNLIMITED) arrive(it, &at, late, true);
    it->set[v / 64] &= ~(UINT64_C(1) << (v % 64));
}

static void go_on(struct listing *it, const struct so_far *at, uint32_t from)
{
    if (++it->steps > STEPS_MAX) it->full = true;
    if (at->count > 0) go_home(it, at);
    for (uint32_t place = 0; place < it->pricing.open_count && !it->full; place++) {
        if (!certificate_has(it->set, it->pricing.list[place])) step(it, at, from, place);
    }
}

/* False: there are too many. */
static bool list(const struct certificate *in, uint32_t technician, int64_t limit,
                 struct routes *routes, uint64_t *steps)
{
    struct arena memory;
    struct listing it = {.in = in, .routes = routes, .limit = limit, .steps = *steps};
    it.pricing.who = &in->technicians[technician];
    it.pricing.in = in;
    it.pricing.technician = technician;
    arena_open(&memory, MEMORY_MAX);
    pricing_prepare(&it.pricing, &memory);
    const struct so_far start = {.time = it.pricing.who->available,
                                 .rested = it.pricing.who->break_length == 0};
    go_on(&it, &start, it.pricing.who->from);
    arena_close(&memory);
    *steps = it.steps;
    return !it.full;
}

/* --- a part ---------------------------------------------------------------------------------- */

struct parting {
    const struct certificate *in;
    struct verify_report *report;
    struct routes routes;
    uint32_t *first; /* by technician: of his routes; those of who is like him */
    uint32_t *end;
    uint32_t path[CERTIFICATE_DEPTH_MAX]; /* splits above, and the side */
    bool together[CERTIFICATE_DEPTH_MAX];
    uint32_t depth;
};

static const uint64_t *set_of(const struct parting *it, uint32_t route)
{
    return it->routes.sets + (size_t)route * it->routes.words;
}

/* Do the splits above leave him this route? */
static bool allowed(const struct parting *it, uint32_t technician, uint32_t route)
{
    const uint64_t *set = set_of(it, route);
    for (uint32_t i = 0; i < it->depth; i++) {
        const struct cert_part *split = &it->in->parts_of[it->path[i]];
        bool first = certificate_has(set, split->visit);
        bool second = split->with_technician ? split->other == technician
                                             : certificate_has(set, split->other);
        if (!it->together[i] && first && second) return false;
        if (it->together[i] && (split->with_technician ? first && !second : first != second))
            return false;
    }
    return true;
}

/* Who stands together with anybody is served. */
static bool is_served(const struct parting *it, uint32_t visit)
{
    for (uint32_t i = 0; i < it->depth; i++) {
        const struct cert_part *split = &it->in->parts_of[it->path[i]];
        if (it->together[i] &&
            (split->visit == visit || (!split->with_technician && split->other == visit)))
            return true;
    }
    return false;
}

static int64_t beyond(const struct parting *it, const struct cert_part *part, uint32_t route)
{
    const struct certificate *in = it->in;
    const uint64_t *set = set_of(it, route);
    int64_t beyond = it->routes.cost[route];
    for (uint32_t word = 0; word < it->routes.words; word++) {
        for (uint64_t left = set[word]; left != 0; left &= left - 1)
            beyond -= part->visits[word * 64 + (uint32_t)__builtin_ctzll(left)];
    }
    for (uint32_t c = 0; c < in->part_cut_count; c++) {
        const uint32_t *cut = in->part_cuts[c];
        if (part->cuts[c] != 0 && certificate_has(set, cut[0]) + certificate_has(set, cut[1]) +
                                          certificate_has(set, cut[2]) >=
                                      2)
            beyond -= part->cuts[c];
    }
    return beyond;
}

static struct word word_part(const struct cert_part *part)
{
    struct word word;
    snprintf(word.text, sizeof word.text, "line %u, part", part->line);
    return word;
}

static void check_numbers(struct parting *it, const struct cert_part *part)
{
    const struct certificate *in = it->in;
    int64_t sum = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        sum += part->visits[v];
        if (part->visits[v] > in->visits[v].unserved * in->fine && !is_served(it, v))
            verify_find(it->report, word_part(part),
                        "the dual of visit %.60s is above the price of leaving it unserved",
                        in->visits[v].id);
    }
    for (uint32_t t = 0; t < in->technician_count; t++)
        sum += part->technicians[t];
    for (uint32_t c = 0; c < in->part_cut_count; c++) {
        sum += part->cuts[c];
        if (part->cuts[c] > 0)
            verify_find(it->report, word_part(part), "the dual of its cut %u is above 0", c + 1);
    }
    if (sum != part->bound)
        verify_find(it->report, word_part(part),
                    "its duals come to %lld, and the certificate says %lld", (long long)sum,
                    (long long)part->bound);
}

static int64_t idle(const struct certificate *in, uint32_t technician)
{
    const struct cert_technician *who = &in->technicians[technician];
    int64_t home = certificate_travel(in, who->from, who->to);
    return in->fine * rule_travel_price(&in->policy, home);
}

static void check_part(struct parting *it, const struct cert_part *part)
{
    const struct certificate *in = it->in;
    check_numbers(it, part);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        int64_t least = idle(in, t);
        for (uint32_t r = it->first[t]; r < it->end[t]; r++) {
            if (!allowed(it, t, r)) continue;
            int64_t cost = beyond(it, part, r);
            if (cost < least) least = cost;
        }
        if (least < part->technicians[t])
            verify_find(it->report, word_part(part),
                        "the dual of technician %.60s is %lld, and a route of his costs %lld "
                        "beyond what it pays",
                        in->technicians[t].id, (long long)part->technicians[t], (long long)least);
    }
}

/* Goes through the parts; returns the least of their bounds. */
static int64_t check_parts(struct parting *it)
{
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < it->in->part_count; i++) {
        const struct cert_part *part = &it->in->parts_of[i];
        if (part->split) {
            if (it->depth == CERTIFICATE_DEPTH_MAX) {
                verify_find(it->report, word_part(part), "plans are split too often");
                return INT64_MIN;
            }
            it->path[it->depth] = i;
            it->together[it->depth++] = true;
            continue;
        }
        check_part(it, part);
        if (part->bound < least) least = part->bound;
        while (it->depth > 0 && !it->together[it->depth - 1])
            it->depth--;
        if (it->depth > 0) it->together[it->depth - 1] = false;
    }
    return least;
}

/* --- all of them ----------------------------------------------------------------------------- */

static bool list_all(struct parting *it, int64_t bound)
{
    const struct certificate *in = it->in;
    int64_t room = in->below * in->fine - bound;
    uint64_t steps = 0;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        uint32_t other = verify_first_alike(in, t);
        if (in->technicians[t].frozen_count > 0) {
            verify_find(it->report, word_technician(in, t),
                        "has frozen visits, and plans are split only where nobody has");
            return false;
        }
        if (other != t) {
            it->first[t] = it->first[other];
            it->end[t] = it->end[other];
            continue;
        }
        int64_t most = in->technicians[t].dual;
        for (uint32_t k = t + 1; k < in->technician_count; k++) {
            if (in->technicians[k].dual > most && verify_first_alike(in, k) == t)
                most = in->technicians[k].dual;
        }
        it->first[t] = it->routes.count;
        if (!list(in, t, most + room, &it->routes, &steps)) {
            verify_find(it->report, word_technician(in, t),
                        "has too many routes to split plans by");
            return false;
        }
        it->end[t] = it->routes.count;
    }
    return true;
}

int64_t verify_parts(const struct certificate *in, int64_t bound, struct verify_report *report)
{
    static _Thread_local struct parting it;
    struct arena memory;
    if (in->part_count == 0) return bound;
    it = (struct parting){.in = in, .report = report};
    it.routes.words = in->visit_words;
    arena_open(&memory, MEMORY_MAX);
    it.first = arena_need(&memory, sizeof *it.first * (in->technician_count + 1));
    it.end = arena_need(&memory, sizeof *it.end * (in->technician_count + 1));
    int64_t least = list_all(&it, bound) ? check_parts(&it) : INT64_MIN;
    arena_close(&memory);
    free(it.routes.sets);
    free(it.routes.cost);
    if (least > in->below * in->fine) least = in->below * in->fine;
    return least > bound ? least : bound;
}
