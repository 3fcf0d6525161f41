#include "optimizer/core/breed.h"

#include "base/check.h"

#include <string.h>

enum {
    ALIKE_COUNT = 5,  /* members that one is compared with */
    ELITE = 4,        /* cost alone counts for so many */
    TURN_EVERY = 100, /* children between two looks at the prices */
    HOLD_PERCENT = 40,
    DEARER_PERCENT = 120,
    CHEAPER_PERCENT = 85,
    LATE_PRICE = 6 * PRICE_UNIT, /* to begin with */
    PRICE_MAX = 1000 * PRICE_UNIT,
    MEND_FACTOR = 10, /* prices when a child that breaks something is to be mended */
};

/* --- members --- */

static void member_open(struct member *member, uint32_t visits, uint32_t routes,
                        struct arena *arena)
{
    member->visits = arena_need(arena, sizeof *member->visits * (visits + 1));
    member->starts = arena_need(arena, sizeof *member->starts * (routes + 2));
    member->before = arena_need(arena, sizeof *member->before * (visits + 1));
    member->after = arena_need(arena, sizeof *member->after * (visits + 1));
}

static void member_copy(const struct breed *breed, struct member *to, const struct member *from)
{
    uint32_t visits = breed->in->visit_count;
    struct member arrays = *to;
    *to = *from;
    to->visits = memcpy(arrays.visits, from->visits, sizeof *to->visits * visits);
    to->starts = memcpy(arrays.starts, from->starts, sizeof *to->starts * (from->routes + 1));
    to->before = memcpy(arrays.before, from->before, sizeof *to->before * visits);
    to->after = memcpy(arrays.after, from->after, sizeof *to->after * visits);
}

static void price(const struct breed *breed, struct member *member)
{
    const struct descent *descent = &breed->descent;
    member->cost =
        member->travel +
        (member->warp * descent->late_price + member->excess * descent->load_price) / PRICE_UNIT;
}

static void link_visits(struct member *member)
{
    for (uint32_t r = 0; r < member->routes; r++) {
        for (uint32_t i = member->starts[r]; i < member->starts[r + 1]; i++) {
            uint32_t visit = member->visits[i];
            member->before[visit] = i == member->starts[r] ? CELL_NONE : member->visits[i - 1];
            member->after[visit] =
                i + 1u == member->starts[r + 1] ? CELL_NONE : member->visits[i + 1];
        }
    }
}

/* What descent has made of it. */
static void member_read(const struct breed *breed, struct member *member)
{
    const struct descent *descent = &breed->descent;
    uint32_t count = 0;
    member->routes = 0;
    member->travel = member->warp = member->excess = 0;
    member->holds = true;
    for (uint32_t r = 0; r < descent->routes; r++) {
        const struct tour *tour = &descent->tours[r];
        if (tour->count == 0) continue;
        member->starts[member->routes++] = (uint16_t)count;
        uint32_t c = descent->cells[descent_start(descent, r)].after;
        for (; c < descent->visits; c = descent->cells[c].after)
            member->visits[count++] = (uint16_t)c;
        member->travel += tour->travel;
        member->warp += tour->warp;
        if (tour->load > descent->capacity) member->excess += tour->load - descent->capacity;
        member->holds &= tour->count <= breed->in->route_max;
    }
    CHECK(count == descent->visits);
    member->starts[member->routes] = (uint16_t)count;
    member->holds &= member->warp == 0 && member->excess == 0;
    link_visits(member);
    price(breed, member);
}

/* Neighbours behind, and first visits, that only one of them has. */
static uint32_t differ(const struct breed *breed, const struct member *a, const struct member *b)
{
    uint32_t differ = 0;
    for (uint32_t v = 0; v < breed->in->visit_count; v++) {
        differ += a->after[v] != b->after[v];
        differ += a->before[v] == CELL_NONE && b->before[v] != CELL_NONE;
    }
    return differ;
}

/* --- kinds --- */

/* Of the list's member i: how far those are that are most alike, all in all. */
static uint32_t apart_of(const struct breed *breed, struct kind *kind, uint32_t i)
{
    const uint16_t *apart = breed->apart[kind->list[i]];
    uint32_t near[ALIKE_COUNT], count = 0, sum = 0;
    for (uint32_t other = 0; other < kind->count; other++) {
        uint32_t far = apart[kind->list[other]];
        if (other == i || (count == ALIKE_COUNT && far >= near[count - 1])) continue;
        uint32_t at = count < ALIKE_COUNT ? count++ : count - 1;
        for (; at > 0 && near[at - 1] > far; at--)
            near[at] = near[at - 1];
        near[at] = far;
    }
    for (uint32_t n = 0; n < count; n++)
        sum += near[n];
    kind->closest[i] = count > 0 ? near[0] : UINT32_MAX;
    return count > 0 ? sum * ALIKE_COUNT / count : 0;
}

static void sort(uint64_t *keys, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        uint32_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

/* Rank by cost, and less so by how common it is. */
static void judge(const struct breed *breed, struct kind *kind)
{
    uint64_t keys[MANY];
    uint32_t count = kind->count, commons = count > ELITE ? count - ELITE : 0;
    for (uint32_t i = 0; i < count; i++)
        keys[i] = (uint64_t)(UINT32_MAX - apart_of(breed, kind, i)) << 32 | i;
    sort(keys, count);
    for (uint32_t rank = 0; rank < count; rank++) {
        uint32_t i = (uint32_t)keys[rank];
        kind->fitness[i] = i * count + commons * rank;
    }
}

static void drop(struct breed *breed, struct kind *kind, uint32_t i)
{
    breed->free[breed->free_count++] = kind->list[i];
    kind->count--;
    memmove(kind->list + i, kind->list + i + 1, sizeof *kind->list * (kind->count - i));
}

/* Twins first, then the least fit; the cheapest stays. */
static uint32_t worst_of(const struct kind *kind)
{
    uint32_t worst = 1;
    for (uint32_t i = 2; i < kind->count; i++) {
        bool twin = kind->closest[i] == 0, worst_twin = kind->closest[worst] == 0;
        if (twin != worst_twin ? twin : kind->fitness[i] >= kind->fitness[worst]) worst = i;
    }
    return worst;
}

static void thin(struct breed *breed, struct kind *kind)
{
    while (kind->count > FEW) {
        judge(breed, kind);
        drop(breed, kind, worst_of(kind));
    }
}

static void add_to(struct breed *breed, struct kind *kind, const struct member *member)
{
    if (kind->count == MANY) thin(breed, kind);
    uint16_t place = breed->free[--breed->free_count];
    struct member *own = &breed->members[place];
    member_copy(breed, own, member);
    uint32_t at = kind->count++;
    for (; at > 0 && breed->members[kind->list[at - 1]].cost > own->cost; at--)
        kind->list[at] = kind->list[at - 1];
    kind->list[at] = place;
    for (uint32_t i = 0; i < kind->count; i++) {
        uint16_t other = kind->list[i];
        if (other == place) continue;
        uint32_t far = differ(breed, own, &breed->members[other]);
        breed->apart[place][other] = breed->apart[other][place] = (uint16_t)far;
    }
}

static bool add(struct breed *breed, const struct member *member)
{
    add_to(breed, member->holds ? &breed->holding : &breed->breaking, member);
    if (!member->holds || (breed->best.holds && member->travel >= breed->best.travel)) return false;
    member_copy(breed, &breed->best, member);
    breed->since_best = 0;
    return true;
}

/* --- prices --- */

static int32_t turned(int32_t price, uint32_t fine, uint32_t all)
{
    uint32_t percent = fine * 100 / all;
    if (percent + 5 <= HOLD_PERCENT)
        price = (int32_t)((int64_t)price * DEARER_PERCENT / 100) + 1;
    else if (percent >= HOLD_PERCENT + 5)
        price = price * CHEAPER_PERCENT / 100;
    return price < 1 ? 1 : price > PRICE_MAX ? PRICE_MAX : price;
}

static void turn_prices(struct breed *breed)
{
    struct descent *descent = &breed->descent;
    if (breed->judged < TURN_EVERY) return;
    descent->late_price = turned(descent->late_price, breed->in_time, breed->judged);
    descent->load_price = turned(descent->load_price, breed->in_load, breed->judged);
    breed->in_time = breed->in_load = breed->judged = 0;
    struct kind *kind = &breed->breaking;
    for (uint32_t i = 0; i < kind->count; i++) {
        uint16_t place = kind->list[i];
        uint32_t at = i;
        price(breed, &breed->members[place]);
        for (; at > 0 && breed->members[kind->list[at - 1]].cost > breed->members[place].cost; at--)
            kind->list[at] = kind->list[at - 1];
        kind->list[at] = place;
    }
}

/* --- making one --- */

static void offer_routes(struct breed *breed)
{
    const struct descent *descent = &breed->descent;
    struct route route;
    if (breed->pool == NULL) return;
    for (uint32_t r = 0; r < descent->routes; r++) {
        const struct tour *tour = &descent->tours[r];
        if (tour->count == 0 || tour->count > breed->in->route_max || tour->warp > 0 ||
            tour->load > descent->capacity)
            continue;
        route.count = 0;
        route.set = 0;
        route.cost = tour->travel;
        uint32_t c = descent->cells[descent_start(descent, r)].after;
        for (; c < descent->visits; c = descent->cells[c].after) {
            route.stops[++route.count].visit = (uint16_t)c;
            route.set += breed->in->nodes[c].hash;
        }
        pool_add(breed->pool, breed->in, 0, &route);
    }
}

/* Makes a good member of the child's routes; it becomes the child. */
static bool raise(struct breed *breed)
{
    struct descent *descent = &breed->descent;
    struct member *child = &breed->child;
    descent_load(descent, child->visits, child->starts, child->routes);
    descent_run(descent, &breed->rng);
    member_read(breed, child);
    offer_routes(breed);
    breed->judged++;
    breed->in_time += child->warp == 0;
    breed->in_load += child->excess == 0;
    bool better = add(breed, child);
    if (!child->holds && rng_below(&breed->rng, 2) == 0) {
        int32_t late = descent->late_price, load = descent->load_price;
        descent->late_price *= MEND_FACTOR;
        descent->load_price *= MEND_FACTOR;
        descent_run(descent, &breed->rng);
        descent->late_price = late;
        descent->load_price = load;
        member_read(breed, child);
        offer_routes(breed);
        if (child->holds) better |= add(breed, child);
    }
    turn_prices(breed);
    return better;
}

/* --- the first ones --- */

/* How many routes the best plan has is not known: from as many as were given to twice as many. */
static uint32_t a_number_of_routes(struct breed *breed)
{
    uint32_t routes = breed->routes_begin + rng_below(&breed->rng, breed->routes_begin + 1);
    return routes < breed->in->technician_count ? routes : breed->in->technician_count;
}

/* Visits by chance on so many routes, on each in the order in which their windows close. */
static void make_any(struct breed *breed)
{
    const struct instance *in = breed->in;
    struct member *child = &breed->child;
    uint32_t routes = a_number_of_routes(breed), count = in->visit_count, at = 0;
    uint16_t *of = child->before; /* route by visit, for now */
    for (uint32_t v = 0; v < count; v++)
        of[v] = (uint16_t)rng_below(&breed->rng, routes);
    for (uint32_t r = 0; r < routes; r++) {
        child->starts[r] = (uint16_t)at;
        for (uint32_t v = 0; v < count; v++) {
            if (of[v] != r) continue;
            uint32_t i = at++;
            for (;
                 i > child->starts[r] && in->nodes[child->visits[i - 1]].close > in->nodes[v].close;
                 i--)
                child->visits[i] = child->visits[i - 1];
            child->visits[i] = (uint16_t)v;
        }
    }
    child->starts[routes] = (uint16_t)at;
    child->routes = routes;
}

/* --- crossing --- */

static uint32_t tournament(struct breed *breed)
{
    uint32_t all = breed->holding.count + breed->breaking.count, best = NO_INDEX;
    uint64_t best_value = 0;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = rng_below(&breed->rng, all);
        const struct kind *kind = &breed->holding;
        if (at >= kind->count) {
            at -= kind->count;
            kind = &breed->breaking;
        }
        uint64_t value = ((uint64_t)kind->fitness[at] << 20) / kind->count / kind->count;
        if (best != NO_INDEX && value >= best_value) continue;
        best = kind->list[at];
        best_value = value;
    }
    return best;
}

/* The leg from or to the visit that is the shortest of the route. */
static int32_t far_from(const struct breed *breed, const struct member *member, uint32_t route,
                        uint32_t visit)
{
    const struct descent *descent = &breed->descent;
    int32_t far = INT32_MAX;
    for (uint32_t i = member->starts[route]; i < member->starts[route + 1]; i++) {
        int32_t leg = descent->legs[(visit + 1) * descent->rows + member->visits[i] + 1u];
        if (leg < far) far = leg;
    }
    return member->visits[member->starts[route]] == visit ? -1 : far;
}

/* Marks the visits of the `count` routes with the least keys, and says which they are. */
static void mark_least(const struct member *member, uint64_t *keys, uint32_t count, uint8_t *marks,
                       uint8_t *chosen)
{
    sort(keys, member->routes);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t r = (uint32_t)keys[i];
        chosen[r] = 1;
        for (uint32_t at = member->starts[r]; at < member->starts[r + 1]; at++)
            marks[member->visits[at]] = 1;
    }
}

/* Some routes of `one` that lie together, and as many of `two` that have most of their visits. */
static void choose_routes(struct breed *breed, const struct member *one, const struct member *two,
                          uint8_t *chosen_one, uint8_t *chosen_two)
{
    uint64_t keys[LIMIT_TECHNICIANS];
    uint32_t fewer = one->routes < two->routes ? one->routes : two->routes;
    uint32_t count = 1 + rng_below(&breed->rng, fewer > 1 ? fewer - 1 : 1);
    uint32_t seed = rng_below(&breed->rng, breed->in->visit_count);
    memset(breed->of_one, 0, breed->in->visit_count);
    memset(breed->of_two, 0, breed->in->visit_count);
    for (uint32_t r = 0; r < one->routes; r++)
        keys[r] = (uint64_t)(far_from(breed, one, r, seed) + 1) << 32 | r;
    mark_least(one, keys, count, breed->of_one, chosen_one);
    for (uint32_t r = 0; r < two->routes; r++) {
        uint32_t foreign = UINT16_MAX;
        for (uint32_t i = two->starts[r]; i < two->starts[r + 1]; i++)
            foreign += breed->of_one[two->visits[i]] ? UINT32_MAX : 1u;
        keys[r] = (uint64_t)foreign << 32 | r;
    }
    mark_least(two, keys, count, breed->of_two, chosen_two);
}

/* Those visits of the route whose mark is as wanted; all of them without marks. */
static void append_route(struct member *to, const struct member *from, uint32_t route,
                         const uint8_t *marks, uint8_t wanted)
{
    uint32_t at = to->starts[to->routes];
    for (uint32_t i = from->starts[route]; i < from->starts[route + 1]; i++) {
        uint16_t visit = from->visits[i];
        if (marks == NULL || marks[visit] == wanted) to->visits[at++] = visit;
    }
    if (at > to->starts[to->routes]) to->starts[++to->routes] = (uint16_t)at;
}

static void insert_at(struct member *member, uint32_t route, uint32_t at, uint32_t visit)
{
    uint32_t count = member->starts[member->routes];
    memmove(member->visits + at + 1, member->visits + at, sizeof *member->visits * (count - at));
    member->visits[at] = (uint16_t)visit;
    for (uint32_t r = route + 1; r <= member->routes; r++)
        member->starts[r]++;
}

/* Could it be in time, if nothing else made anybody wait? */
static bool may_follow(const struct breed *breed, uint32_t row, uint32_t next)
{
    if (row == 0 || next == 0) return true;
    const struct node *one = &breed->in->nodes[row - 1], *other = &breed->in->nodes[next - 1];
    return one->open + one->service + breed->descent.legs[row * breed->descent.rows + next] <=
           other->close;
}

/* Puts it in where the way is least longer, among places that it may have, if there are any. */
static void insert_cheapest(const struct breed *breed, struct member *member, uint32_t visit)
{
    const struct descent *descent = &breed->descent;
    uint32_t row = visit + 1, best_route = 0, best_at = 0;
    int64_t best = INT64_MAX;
    for (uint32_t r = 0; r < member->routes; r++) {
        for (uint32_t i = member->starts[r]; i <= member->starts[r + 1]; i++) {
            uint32_t before = i == member->starts[r] ? 0 : member->visits[i - 1] + 1u;
            uint32_t after = i == member->starts[r + 1] ? 0 : member->visits[i] + 1u;
            int64_t cost = (int64_t)descent->legs[before * descent->rows + row] +
                           descent->legs[row * descent->rows + after] -
                           descent->legs[before * descent->rows + after];
            if (!may_follow(breed, before, row) || !may_follow(breed, row, after))
                cost += INT32_MAX;
            if (cost >= best) continue;
            best = cost;
            best_route = r;
            best_at = i;
        }
    }
    insert_at(member, best_route, best_at, visit);
}

/* Routes of `one` that are not chosen, and the chosen ones of `two`. What both kinds have stays
 * where the exchanged routes have it (`whole`), or where the others do. */
static void join_routes(struct breed *breed, struct member *to, const struct member *one,
                        const struct member *two, const uint8_t *chosen_one,
                        const uint8_t *chosen_two, bool whole)
{
    to->routes = 0;
    to->starts[0] = 0;
    for (uint32_t r = 0; r < one->routes; r++) {
        if (!chosen_one[r]) append_route(to, one, r, whole ? breed->of_two : NULL, 0);
    }
    for (uint32_t r = 0; r < two->routes; r++) {
        if (chosen_two[r]) append_route(to, two, r, whole ? NULL : breed->of_one, 1);
    }
    if (to->routes == 0) to->starts[++to->routes] = 0;
    uint32_t first = rng_below(&breed->rng, breed->in->visit_count);
    for (uint32_t i = 0; i < breed->in->visit_count; i++) {
        uint32_t visit = (first + i) % breed->in->visit_count;
        if (breed->of_one[visit] && !breed->of_two[visit]) insert_cheapest(breed, to, visit);
    }
}

static int64_t cost_of(struct breed *breed, const struct member *member)
{
    const struct descent *descent = &breed->descent;
    descent_load(&breed->descent, member->visits, member->starts, member->routes);
    int64_t cost = 0;
    for (uint32_t r = 0; r < descent->routes; r++)
        cost += descent->tours[r].travel + descent->tours[r].penalty;
    return cost;
}

static void cross(struct breed *breed, const struct member *one, const struct member *two)
{
    uint8_t chosen_one[LIMIT_TECHNICIANS] = {0}, chosen_two[LIMIT_TECHNICIANS] = {0};
    choose_routes(breed, one, two, chosen_one, chosen_two);
    join_routes(breed, &breed->child, one, two, chosen_one, chosen_two, true);
    join_routes(breed, &breed->other, one, two, chosen_one, chosen_two, false);
    if (cost_of(breed, &breed->child) <= cost_of(breed, &breed->other)) return;
    struct member swap = breed->child;
    breed->child = breed->other;
    breed->other = swap;
}

static void make_child(struct breed *breed)
{
    judge(breed, &breed->holding);
    judge(breed, &breed->breaking);
    uint32_t one = tournament(breed), two = tournament(breed);
    for (uint32_t i = 0; i < 10 && two == one; i++)
        two = tournament(breed);
    cross(breed, &breed->members[one], &breed->members[two]);
}

bool breed_round(struct breed *breed)
{
    breed->since_best++;
    if (breed->made++ < FEW)
        make_any(breed);
    else
        make_child(breed);
    return raise(breed);
}

/* --- open, take, give --- */

static int32_t mean_leg(const struct descent *descent)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < descent->rows * descent->rows; i++)
        sum += descent->legs[i];
    return (int32_t)(sum / descent->rows / descent->rows);
}

void breed_open(struct breed *breed, const struct instance *in, uint32_t routes, uint64_t seed,
                struct pool *pool, struct arena *arena)
{
    *breed = (struct breed){.in = in, .pool = pool, .rng = {seed}, .routes_begin = routes};
    descent_open(&breed->descent, in, arena);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        member_open(&breed->members[i], in->visit_count, in->technician_count, arena);
        breed->free[breed->free_count++] = (uint16_t)i;
    }
    member_open(&breed->child, in->visit_count, in->technician_count, arena);
    member_open(&breed->other, in->visit_count, in->technician_count, arena);
    member_open(&breed->best, in->visit_count, in->technician_count, arena);
    breed->apart = arena_need(arena, sizeof *breed->apart * MEMBERS);
    breed->of_one = arena_need(arena, in->visit_count);
    breed->of_two = arena_need(arena, in->visit_count);
    int64_t load = 0;
    for (uint32_t v = 0; v < in->visit_count; v++)
        load += in->nodes[v].load;
    int64_t mean_load = load / in->visit_count + 1;
    int64_t price = 2 * (int64_t)mean_leg(&breed->descent) * PRICE_UNIT / mean_load;
    breed->descent.late_price = LATE_PRICE;
    breed->descent.load_price = price < 1 ? 1 : price > PRICE_MAX ? PRICE_MAX : (int32_t)price;
}

void breed_take(struct breed *breed, const struct plan *plan)
{
    struct member *child = &breed->child;
    uint32_t at = 0;
    if (plan->unserved_count > 0) return;
    child->routes = 0;
    for (uint32_t t = 0; t < breed->in->technician_count; t++) {
        const struct route *route = &plan->routes[t];
        if (route->count == 0) continue;
        child->starts[child->routes++] = (uint16_t)at;
        for (uint32_t i = 1; i <= route->count; i++)
            child->visits[at++] = route->stops[i].visit;
    }
    child->starts[child->routes] = (uint16_t)at;
    descent_load(&breed->descent, child->visits, child->starts, child->routes);
    member_read(breed, child);
    CHECK(child->holds);
    (void)add(breed, child);
}

void breed_give(const struct breed *breed, struct plan *plan)
{
    const struct member *best = &breed->best;
    CHECK(best->holds);
    for (uint32_t t = 0; t < breed->in->technician_count; t++)
        CHECK(plan_set_route(plan, t, NULL, 0));
    for (uint32_t r = 0; r < best->routes; r++)
        CHECK(plan_set_route(plan, r, best->visits + best->starts[r],
                             best->starts[r + 1] - best->starts[r]));
}
