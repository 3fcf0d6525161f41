/* remain.c - lower bounds of what the rest of a walk costs, from every place at every time.
 *
 * Idea: the same programme without a memory of the visits that were made, without loads, limits of
 * travel and cuts, backwards in time. Leaving later never costs less (a later start may be chosen
 * for its price), so what is least from the begin of a bucket holds for all of it.
 *
 * A move that stays within its bucket needs what is not known yet. There are few in a row, as many
 * as their shortest one goes into the bucket's width: that many rounds settle it.
 */
#include "base/check.h"
#include "optimizer/verify/verify_impl.h"

enum { BUCKETS_WANTED = 160, BUCKETS_MAX = 640 };

int64_t fine_travel(const struct certificate *in, int64_t travel)
{
    return travel * in->policy.travel_percent * in->fine / 100;
}

/* One who is new with him waits for the end of the freeze. */
static int64_t after_freeze(const struct pricing *pricing, uint32_t place, int64_t time)
{
    int64_t until = pricing->in->policy.frozen_until;
    bool out =
        time < until && rule_frozen_out(pricing->in, pricing->technician, pricing->list[place]);
    return out ? until : time;
}

void spots_build(struct pricing *pricing)
{
    const struct certificate *in = pricing->in;
    for (uint32_t place = 0; place < pricing->count; place++) {
        const struct cert_visit *visit = &in->visits[pricing->list[place]];
        bool liked = visit->best.count == 0 || in->policy.preferred_window == 0;
        bool plain =
            visit->windows.count == 1 && visit->due.count == 0 && liked && visit->told_start == 0;
        struct spot *spot = &pricing->spots[place];
        *spot = (struct spot){.at = visit->at, .plain = plain, .service = visit->service};
        if (!plain) continue;
        spot->open = after_freeze(pricing, place, visit->windows.items[0].open);
        spot->close = visit->windows.items[0].close;
    }
}

static const struct cert_visit *visit_at(const struct pricing *pricing, uint32_t place)
{
    return &pricing->in->visits[pricing->list[place]];
}

static int64_t start_price(const struct pricing *pricing, uint32_t place, int64_t start)
{
    struct start_price price = rule_start_price(pricing->in, pricing->list[place], start);
    return (price.lateness + price.preferred_window + price.change_start) * pricing->in->fine;
}

uint32_t starts_worth(const struct pricing *pricing, uint32_t place, int64_t arrival,
                      struct start *starts)
{
    const struct cert_visit *visit = visit_at(pricing, place);
    const struct spot *spot = &pricing->spots[place];
    if (spot->plain) {
        int64_t start = arrival > spot->open ? arrival : spot->open;
        starts[0] = (struct start){start, 0};
        return start <= spot->close ? 1 : 0;
    }
    int64_t at = rule_start(visit, after_freeze(pricing, place, arrival));
    if (at == CERTIFICATE_UNLIMITED) return 0;
    uint32_t count = 0;
    starts[count++] = (struct start){at, start_price(pricing, place, at)};
    for (uint32_t i = pricing->points_at[place]; i < pricing->points_at[place + 1]; i++) {
        if (starts[count - 1].price == 0) break;
        if (pricing->points[i] <= at) continue;
        at = rule_start(visit, pricing->points[i]);
        if (at == CERTIFICATE_UNLIMITED) break;
        int64_t price = start_price(pricing, place, at);
        CHECK(count < STARTS_MAX);
        if (price < starts[count - 1].price) starts[count++] = (struct start){at, price};
    }
    return count;
}

/* --- the programme --------------------------------------------------------------------------- */

static int64_t *entry(const struct remain *remain, uint32_t place, bool rested, uint32_t bucket)
{
    size_t row = (size_t)(rested ? remain->count : 0) + place;
    return &remain->least[row * remain->buckets + bucket];
}

static uint32_t bucket_of(const struct remain *remain, int64_t time)
{
    int64_t bucket = (time - remain->from) / remain->width;
    return bucket < remain->buckets ? (uint32_t)bucket : remain->buckets - 1;
}

int64_t remain_least(const struct pricing *pricing, uint32_t place, bool rested, int64_t time)
{
    const struct remain *remain = &pricing->remain;
    if (time > pricing->who->latest_end) return CERTIFICATE_UNLIMITED;
    return *entry(remain, place, rested, bucket_of(remain, time));
}

static int64_t least_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t going_home(const struct pricing *pricing, uint32_t place, bool rested, int64_t time)
{
    const struct cert_technician *who = pricing->who;
    int64_t leg = certificate_travel(pricing->in, visit_at(pricing, place)->at, who->to);
    int64_t home = rested ? time + leg : rule_rested(who, time, leg);
    if (leg > who->leg_max || home > who->latest_end) return CERTIFICATE_UNLIMITED;
    int64_t over = home > who->shift_end ? home - who->shift_end : 0;
    return fine_travel(pricing->in, leg) +
           rule_overtime_price(&pricing->in->policy, over) * pricing->in->fine;
}

/* By way of `next`, where he arrives then. */
static int64_t going_on(const struct pricing *pricing, uint32_t next, bool rested, int64_t arrival)
{
    struct start starts[STARTS_MAX];
    const struct spot *spot = &pricing->spots[next];
    int64_t best = CERTIFICATE_UNLIMITED;
    if (arrival > pricing->who->latest_end) return best;
    if (spot->plain) {
        if (arrival < spot->open) arrival = spot->open;
        if (arrival > spot->close) return best;
        return remain_least(pricing, next, rested, arrival + spot->service);
    }
    uint32_t count = starts_worth(pricing, next, arrival, starts);
    for (uint32_t i = 0; i < count; i++) {
        int64_t left = starts[i].at + visit_at(pricing, next)->service;
        int64_t rest = remain_least(pricing, next, rested, left);
        if (rest == CERTIFICATE_UNLIMITED) break;
        best = least_of(best, starts[i].price + rest);
    }
    return best;
}

static int64_t from_here(const struct pricing *pricing, uint32_t place, bool rested, int64_t time)
{
    const struct cert_technician *who = pricing->who;
    const struct certificate *in = pricing->in;
    const int32_t *legs = in->travel + (size_t)pricing->spots[place].at * in->place_count;
    int64_t best = going_home(pricing, place, rested, time);
    for (uint32_t next = 0; next < pricing->open_count; next++) {
        int64_t leg = legs[pricing->spots[next].at];
        if (next == place || leg > who->leg_max) continue;
        int64_t rest = going_on(pricing, next, rested, time + leg);
        if (!rested) {
            int64_t arrival = rule_rested(who, time, leg);
            if (arrival != CERTIFICATE_UNLIMITED)
                rest = least_of(rest, going_on(pricing, next, true, arrival));
        }
        if (rest == CERTIFICATE_UNLIMITED) continue;
        best = least_of(best, rest + fine_travel(in, leg) + pricing->who_price[next]);
    }
    return best;
}

/* The shortest that a move and its service take. */
static int64_t shortest_move(const struct pricing *pricing)
{
    int64_t least = CERTIFICATE_SECONDS_MAX;
    for (uint32_t a = 0; a < pricing->count; a++) {
        for (uint32_t b = 0; b < pricing->open_count; b++) {
            if (a == b) continue;
            least = least_of(least, visit_at(pricing, b)->service +
                                        certificate_travel(pricing->in, visit_at(pricing, a)->at,
                                                           visit_at(pricing, b)->at));
        }
    }
    return least;
}

static bool round_of(struct pricing *pricing, uint32_t bucket)
{
    struct remain *remain = &pricing->remain;
    int64_t time = remain->from + bucket * remain->width;
    bool changed = false;
    for (uint32_t rested = pricing->who->break_length > 0 ? 0 : 1; rested < 2; rested++) {
        for (uint32_t place = 0; place < pricing->count; place++) {
            int64_t *least = entry(remain, place, rested == 1, bucket);
            int64_t value = from_here(pricing, place, rested == 1, time);
            if (value >= *least) continue;
            *least = value;
            changed = true;
        }
    }
    return changed;
}

void remain_build(struct pricing *pricing, struct arena *memory)
{
    struct remain *remain = &pricing->remain;
    const struct cert_technician *who = pricing->who;
    int64_t span = who->latest_end > who->available ? who->latest_end - who->available : 0;
    int64_t shortest = shortest_move(pricing), width = span / BUCKETS_WANTED + 1;
    if (shortest < width) width = shortest;
    if (width < span / BUCKETS_MAX + 1) width = span / BUCKETS_MAX + 1;
    *remain = (struct remain){.from = who->available,
                              .width = width,
                              .buckets = (uint32_t)(span / width) + 1,
                              .count = pricing->count};
    size_t size = (size_t)2 * pricing->count * remain->buckets + 1;
    remain->least = arena_need(memory, sizeof *remain->least * size);
    for (size_t i = 0; i < size; i++)
        remain->least[i] = CERTIFICATE_UNLIMITED;
    int64_t rounds = shortest > 0 ? width / shortest + 1 : pricing->in->policy.route_max;
    if (rounds > pricing->in->policy.route_max) rounds = pricing->in->policy.route_max;
    for (uint32_t bucket = remain->buckets; bucket-- > 0;) {
        for (int64_t round = 0; round <= rounds && round_of(pricing, bucket); round++) {
        }
    }
}
