/* search.c - see search.h. Names in comments (string, split string, blink) are the paper's. */
#include "optimizer/core/search.h"

#include "base/check.h"
#include "optimizer/core/stability.h"

#include <string.h>

enum {
    REMOVED_MEAN = 10, /* visits taken out in one round, on average */
    STRING_MAX = 10,   /* visits in one string, where routes are long */
    STRING_MIN = 5,    /* as many always; between them two thirds of the mean route */
    BLINK_ONE_IN = 100,
    ALONE_ONE_IN = 10,   /* rounds in which the first visit put back opens a route */
    REHEAT_PART = 4,     /* of the first heat */
    VENTURE_ONE_IN = 16, /* rounds, of the smallest day; never in plain ones */
    TRIALS = 4,          /* of a visit in such a round */
    TOGETHER_MAX = 3,    /* visits in one trial */
    UNSERVED_MAX = 24,   /* unserved ones that are tried again in one round */
    ABSENT_MAX = 512,
    BESIDE_FROM = 300,    /* visits: fewer are looked at all, with the help of memory */
    LENGTH_EVERY = 256,   /* rounds between two looks at the mean length of a route */
    MEMORY_MAX = 2 << 20, /* pairs of a visit and a technician whose places are remembered */
    LOOKS_EACH = 128,     /* of a population, at pairs of visits: as long as a round */
};

/* --- open --- */

static void technicians_by_need(struct search *search, struct arena *arena)
{
    const struct instance *in = search->in;
    search->serves =
        arena_need(arena, sizeof *search->serves * in->need_count * in->technician_count + 1);
    search->serves_count = arena_need(arena, sizeof *search->serves_count * (in->need_count + 1));
    for (uint32_t need = 0; need < in->need_count; need++) {
        for (uint32_t t = 0; t < in->technician_count; t++) {
            if (in->can[need * in->technician_count + t] & CAN_SERVE)
                search->serves[need * in->technician_count + search->serves_count[need]++] =
                    (uint16_t)t;
        }
    }
}

/* Orders by what is the same for all are of no use. */
static void weigh_orders(struct search *search, struct arena *arena)
{
    const struct instance *in = search->in;
    static const uint8_t weights[ORDER_COUNT] = {4, 4, 2, 4, 2, 2, 2, 2, 2, 1};
    bool varies[ORDER_COUNT] = {[BY_CHANCE] = true, [BY_FAR] = true, [BY_CLOSE] = true};
    const struct node *first = in->nodes;
    for (uint32_t v = 1; v < in->visit_count; v++) {
        const struct node *node = &in->nodes[v];
        varies[BY_PRICE] |= node->price != first->price;
        varies[BY_CHOICE] |= search->serves_count[node->need] != search->serves_count[first->need];
        varies[BY_LOAD] |= node->load != first->load;
        varies[BY_SERVICE] |= node->service != first->service;
        varies[BY_ROOM] |= node->last_close - node->open != first->last_close - first->open;
        varies[BY_BEGIN] |= node->open != first->open;
        varies[BY_END] |= node->last_close != first->last_close;
    }
    for (uint32_t order = 0; order < ORDER_COUNT; order++)
        search->weights_sum += search->weights[order] = varies[order] ? weights[order] : 0;
    search->far = arena_need(arena, sizeof *search->far * (in->visit_count + 1));
    for (uint32_t v = 0; v < in->visit_count; v++)
        search->far[v] = -1;
}

static void note_dirty(struct search *search, uint32_t technician)
{
    if (search->is_dirty[technician]) return;
    search->is_dirty[technician] = 1;
    search->dirty[search->dirty_count++] = technician;
}

static void open_breed(struct search *search, struct arena *arena)
{
    uint32_t routes = 0;
    for (uint32_t t = 0; t < search->in->technician_count; t++)
        routes += search->now.routes[t].count > 0;
    search->breed = arena_need(arena, sizeof *search->breed);
    breed_open(search->breed, search->in, routes > 0 ? routes : 1, search->options.seed,
               search->options.pool, arena);
}

void search_open(struct search *search, const struct plan *plan,
                 const struct search_options *options, struct arena *arena)
{
    const struct instance *in = plan->in;
    uint32_t visits = in->visit_count, technicians = in->technician_count;
    *search = (struct search){.in = in, .options = *options, .rng = {options->seed}};
    plan_make(&search->now, in, plan->stamp_next, arena);
    plan_make(&search->best, in, plan->stamp_next, arena);
    plan_copy(&search->now, plan);
    plan_copy(&search->best, plan);
    technicians_by_need(search, arena);
    near_open(&search->near, in, arena);
    search->beside = visits > BESIDE_FROM;
    alike_open(&search->alike, in, arena);
    alike_look(&search->alike, &search->now);
    weigh_orders(search, arena);
    if ((size_t)visits * technicians <= MEMORY_MAX)
        search->memory = arena_need(arena, sizeof *search->memory * 2 * visits * technicians + 1);
    search->stamp_before = arena_need(arena, sizeof *search->stamp_before * (technicians + 1));
    search->saved = arena_need(arena, sizeof *search->saved * (technicians + 1));
    search->saved_of = arena_need(arena, sizeof *search->saved_of * (technicians + 1));
    search->saved_round = arena_need(arena, sizeof *search->saved_round * (technicians + 1));
    search->absent = arena_need(arena, sizeof *search->absent * ABSENT_MAX);
    search->absent_from = arena_need(arena, sizeof *search->absent_from * ABSENT_MAX);
    search->keys = arena_need(arena, sizeof *search->keys * ABSENT_MAX);
    search->dirty = arena_need(arena, sizeof *search->dirty * (technicians + 1));
    search->is_dirty = arena_need(arena, technicians + 1);
    if (options->breed && visits > 1 && descent_suits(in)) open_breed(search, arena);
}

void search_restart(struct search *search, const struct plan *plan)
{
    plan_copy(&search->now, plan);
    alike_look(&search->alike, plan);
    if (plan->cost < search->best.cost) plan_copy(&search->best, plan);
    for (uint32_t t = 0; t < search->in->technician_count; t++)
        note_dirty(search, t);
}

/* --- ruin --- */

static void save(struct search *search, uint32_t technician)
{
    if (search->saved_round[technician] == search->round) return;
    search->saved_round[technician] = search->round;
    search->stamp_before[technician] = search->now.routes[technician].stamp;
    search->saved_of[search->saved_count] = technician;
    route_copy(&search->saved[search->saved_count++], &search->now.routes[technician]);
}

static void take_run(struct search *search, uint32_t technician, uint32_t at, uint32_t count)
{
    if (count == 0 || search->absent_count + count > ABSENT_MAX) return;
    uint16_t visits[ROUTE_MAX];
    for (uint32_t i = 0; i < count; i++)
        visits[i] = search->now.routes[technician].stops[at + i].visit;
    if (!plan_take_run(&search->now, technician, at, count)) return;
    for (uint32_t i = 0; i < count; i++) {
        search->absent[search->absent_count] = visits[i];
        search->absent_from[search->absent_count++] = technician;
    }
}

/* Takes out a string of `length` visits around stop `at`; half the time a split string, which
 * leaves some in its middle where they were. */
static void take_string(struct search *search, uint32_t technician, uint32_t at, uint32_t length)
{
    struct rng *rng = &search->rng;
    uint32_t frozen = search->in->technicians[technician].frozen;
    uint32_t stops = search->now.routes[technician].count - frozen, kept = 0;
    if (length > 1 && length < stops && (rng_next(rng) & 1)) {
        kept = 1;
        while (length + kept < stops && rng_below(rng, 100) != 0)
            kept++;
        kept = 1 + rng_below(rng, kept);
    }
    uint32_t span = length + kept, offset = at - frozen; /* offset from 1 */
    uint32_t first_min = offset > span ? offset - span + 1 : 1;
    uint32_t first_max = offset + span <= stops + 1 ? offset : stops - span + 1;
    uint32_t first = frozen + first_min + rng_below(rng, first_max - first_min + 1);
    uint32_t head = kept == 0 ? length : 1 + rng_below(rng, length - 1);
    save(search, technician);
    take_run(search, technician, first + head + kept, length - head);
    take_run(search, technician, first, head);
    alike_changed(&search->alike, &search->now, technician);
}

static uint32_t pick_seed(struct search *search)
{
    const struct search_options *options = &search->options;
    if (options->focus_count > 0 && rng_below(&search->rng, 4) != 0)
        return options->focus[rng_below(&search->rng, options->focus_count)];
    return rng_below(&search->rng, search->in->visit_count);
}

/* The mean number of movable visits in routes that have any, at least 1. */
static uint32_t mean_length(const struct search *search)
{
    uint32_t routes = 0, visits = 0;
    for (uint32_t t = 0; t < search->in->technician_count; t++) {
        uint32_t movable = search->now.routes[t].count - search->in->technicians[t].frozen;
        visits += movable;
        routes += movable > 0;
    }
    return routes == 0 ? 1 : (visits + routes - 1) / routes;
}

/* A string that may be a whole short route leaves nothing of it to build on. */
static uint32_t longest_string(struct search *search)
{
    if (search->round % LENGTH_EVERY == 1) search->mean_length = mean_length(search);
    uint32_t mean = search->mean_length, part = mean * 2 / 3;
    if (part < STRING_MIN) part = STRING_MIN < mean ? STRING_MIN : mean;
    return part < STRING_MAX ? part : STRING_MAX;
}

static void ruin(struct search *search)
{
    uint32_t string_max = longest_string(search);
    uint32_t strings_max = 4 * REMOVED_MEAN / (1 + string_max);
    uint32_t strings = 1 + rng_below(&search->rng, strings_max > 1 ? strings_max - 1 : 1);
    const uint16_t *near = near_nearest(&search->near, pick_seed(search));
    for (uint32_t i = 0; i < search->near.count && search->saved_count < strings; i++) {
        uint32_t technician = search->now.route_of[near[i]];
        if (technician == NO_INDEX || search->saved_round[technician] == search->round) continue;
        uint32_t frozen = search->in->technicians[technician].frozen;
        uint32_t at = plan_stop_of(&search->now, near[i]);
        if (at <= frozen) continue;
        uint32_t movable = search->now.routes[technician].count - frozen;
        uint32_t length = 1 + rng_below(&search->rng, movable < string_max ? movable : string_max);
        take_string(search, technician, at, length);
    }
}

/* Adds visits that were unserved before the round: ruin only appended to that list. */
static void add_unserved(struct search *search, const uint16_t *unserved, uint32_t count)
{
    uint32_t tried = count < UNSERVED_MAX ? count : UNSERVED_MAX;
    uint32_t first = tried < count ? rng_below(&search->rng, count) : 0;
    for (uint32_t i = 0; i < tried; i++) {
        search->absent[search->absent_count] = unserved[(first + i) % count];
        search->absent_from[search->absent_count++] = NO_INDEX;
    }
}

/* --- recreate --- */

static enum order pick_order(struct search *search)
{
    uint32_t at = rng_below(&search->rng, search->weights_sum);
    enum order order = BY_CHANCE;
    while (at >= search->weights[order])
        at -= search->weights[order++];
    return order;
}

/* Travel from the nearest start. */
static uint32_t far_of(struct search *search, uint32_t visit)
{
    const struct instance *in = search->in;
    if (search->far[visit] >= 0) return (uint32_t)search->far[visit];
    int32_t least = NEVER;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        int32_t far = instance_travel_into(in, in->nodes[visit].place, in->technicians[t].start);
        if (far < least) least = far;
    }
    search->far[visit] = least;
    return (uint32_t)least;
}

static uint32_t order_key(struct search *search, enum order order, uint32_t visit)
{
    const struct node *node = &search->in->nodes[visit];
    switch (order) {
    case BY_CHANCE: return 0;
    case BY_PRICE: return UINT32_MAX - (uint32_t)node->price;
    case BY_CHOICE: return search->serves_count[node->need];
    case BY_LOAD: return UINT32_MAX - (uint32_t)node->load;
    case BY_SERVICE: return UINT32_MAX - (uint32_t)node->service;
    case BY_ROOM: return (uint32_t)(node->last_close - node->open);
    case BY_BEGIN: return (uint32_t)(node->open - NOWAY);
    case BY_END: return (uint32_t)(NEVER - node->last_close);
    case BY_FAR: return UINT32_MAX - far_of(search, visit);
    case BY_CLOSE: return far_of(search, visit);
    case ORDER_COUNT: break;
    }
    return 0;
}

/* Sorts absent visits by the chosen order, equal ones by chance. */
static void order_absent(struct search *search)
{
    enum order order = pick_order(search);
    uint16_t visits[ABSENT_MAX];
    uint32_t from[ABSENT_MAX];
    for (uint32_t i = 0; i < search->absent_count; i++) {
        uint64_t chance = rng_next(&search->rng) >> 48;
        uint64_t key =
            (uint64_t)order_key(search, order, search->absent[i]) << 32 | chance << 16 | i;
        uint32_t at = i;
        for (; at > 0 && search->keys[at - 1] > key; at--)
            search->keys[at] = search->keys[at - 1];
        search->keys[at] = key;
        visits[i] = search->absent[i];
        from[i] = search->absent_from[i];
    }
    for (uint32_t i = 0; i < search->absent_count; i++) {
        uint16_t index = (uint16_t)search->keys[i];
        search->absent[i] = visits[index];
        search->absent_from[i] = from[index];
    }
}

/* What is known of the visit in that route: one of two entries, for the other may be of the route
 * as it was before this round, which an undo brings back. */
static struct remembered *recall(const struct search *search, uint32_t technician, uint32_t visit)
{
    size_t at = (size_t)visit * search->in->technician_count + technician;
    struct remembered *two = &search->memory[2 * at];
    uint32_t stamp = search->now.routes[technician].stamp;
    if (two[0].stamp == stamp) return &two[0];
    if (two[1].stamp == stamp) return &two[1];
    return two[0].stamp == search->stamp_before[technician] ? &two[1] : &two[0];
}

/* The cheapest place in the technician's route, where it is cheaper than `below`; otherwise
 * INT32_MAX, or what it costs. */
static struct spot spot_in(struct search *search, uint32_t technician, uint32_t visit,
                           int32_t below)
{
    const struct instance *in = search->in;
    const struct route *route = &search->now.routes[technician];
    if (search->memory == NULL) return route_scan_below(in, route, technician, visit, below);
    struct remembered *known = recall(search, technician, visit);
    if (known->stamp != route->stamp || (known->at == 0 && known->cost < below)) {
        struct spot spot = route_scan_below(in, route, technician, visit, below);
        *known = (struct remembered){route->stamp, spot.cost, (uint16_t)spot.at};
    }
    return (struct spot){technician, known->at, known->cost};
}

/* A small oversight: see the paper's blink. */
static bool seen(struct search *search)
{
    return rng_below(&search->rng, BLINK_ONE_IN) != 0;
}

static void look_in(struct search *search, uint32_t technician, uint32_t visit, struct spot *best)
{
    struct spot spot = spot_in(search, technician, visit, best->cost);
    if (spot.cost < best->cost && seen(search)) *best = spot;
}

static void look_at(struct search *search, const struct beside *beside, uint32_t technician,
                    uint32_t visit, uint32_t at, struct spot *best)
{
    const struct instance *in = search->in;
    const struct route *route = &search->now.routes[technician];
    uint32_t place = in->nodes[visit].place;
    uint32_t before = route->stops[at - 1].place, next = route->stops[at].place;
    struct detour detour;
    if (beside->legs.on != NULL)
        detour = (struct detour){beside->legs.there[before], beside->legs.on[next]};
    else
        detour = (struct detour){instance_travel_into(in, place, before),
                                 instance_travel(in, place, next)};
    int32_t cost = route_probe(in, route, technician, visit, at, detour, best->cost);
    if (cost >= best->cost || at <= in->technicians[technician].frozen) return;
    if (route_has_room(in, route, technician, visit) && seen(search))
        *best = (struct spot){technician, at, cost};
}

/* The places after visits that may well stand before it. What a place costs is at least the leg
 * that is known and the least for the other, less the leg that goes and what else the route pays.
 */
static void look_after(struct search *search, const struct beside *beside, uint32_t visit,
                       const uint8_t *can, struct spot *best)
{
    const struct plan *plan = &search->now;
    const struct node *node = &search->in->nodes[visit];
    for (uint32_t i = 0; i < beside->before_count; i++) {
        struct neighbour other = beside->before[i];
        uint32_t t = plan->route_of[other.visit], at = plan->stop_of[other.visit] + 1u;
        if (t == NO_INDEX || !(can[t] & CAN_SERVE)) continue;
        const struct route *route = &plan->routes[t];
        const struct stop *stop = &route->stops[at];
        int32_t leave = stop[-1].ahead < stop[-1].behind ? stop[-1].ahead : stop[-1].behind;
        if (leave + other.leg > node->last_close) continue;
        int32_t saved = stop->leg + route->overtime_price + route->soft_price;
        if (other.leg + beside->least_after - saved < best->cost)
            look_at(search, beside, t, visit, at, best);
    }
}

/* The places before visits that may well stand after it. */
static void look_before(struct search *search, const struct beside *beside, uint32_t visit,
                        const uint8_t *can, struct spot *best)
{
    const struct plan *plan = &search->now;
    const struct node *node = &search->in->nodes[visit];
    for (uint32_t i = 0; i < beside->after_count; i++) {
        struct neighbour other = beside->after[i];
        uint32_t t = plan->route_of[other.visit], at = plan->stop_of[other.visit];
        if (t == NO_INDEX || !(can[t] & CAN_SERVE)) continue;
        const struct route *route = &plan->routes[t];
        const struct stop *stop = &route->stops[at];
        int32_t late = stop->late_ahead > stop->late_behind ? stop->late_ahead : stop->late_behind;
        if (late - other.leg - node->service < node->open) continue;
        int32_t saved = stop->leg + route->overtime_price + route->soft_price;
        if (other.leg + beside->least_before - saved < best->cost)
            look_at(search, beside, t, visit, at, best);
    }
}

/* Looks only at places beside visits that may well stand there, and at empty routes. */
static struct spot spot_beside(struct search *search, uint32_t visit, struct spot best)
{
    const struct instance *in = search->in;
    const uint8_t *can = in->can + (size_t)in->nodes[visit].need * in->technician_count;
    const struct beside *beside = near_beside(&search->near, visit);
    look_after(search, beside, visit, can, &best);
    look_before(search, beside, visit, can, &best);
    for (uint32_t kind = 0; kind < search->alike.kind_count; kind++) {
        uint32_t t = search->alike.first_empty[kind];
        if (t != NO_INDEX && can[t] & CAN_SERVE) look_in(search, t, visit, &best);
    }
    return best;
}

/* The cheapest place that is cheaper than leaving it unserved, with small oversights. */
static struct spot best_spot(struct search *search, uint32_t visit)
{
    const struct instance *in = search->in;
    const struct node *node = &in->nodes[visit];
    struct spot best = {NO_INDEX, 0, node->price};
    if (node->pinned != NO_INDEX) {
        if (node->pinned == NOBODY || !instance_allows(in, node->pinned, visit)) return best;
        struct spot spot = spot_in(search, node->pinned, visit, best.cost);
        return spot.cost < best.cost ? spot : best;
    }
    if (search->beside) {
        struct spot spot = spot_beside(search, visit, best);
        if (spot.technician != NO_INDEX) return spot;
    }
    const uint16_t *list = search->serves + (size_t)node->need * in->technician_count;
    for (uint32_t i = 0; i < search->serves_count[node->need]; i++) {
        if (!alike_spare(&search->alike, list[i])) look_in(search, list[i], visit, &best);
    }
    return best;
}

/* Puts visits into the route at places that chance chooses; false if it does not hold then. */
static bool put_anywhere(struct search *search, uint32_t technician, const uint16_t *visits,
                         uint32_t count)
{
    const struct route *route = &search->now.routes[technician];
    uint32_t frozen = search->in->technicians[technician].frozen, stops = route->count;
    uint16_t list[ROUTE_MAX];
    if (stops + count > search->in->route_max) return false;
    for (uint32_t i = 0; i < stops; i++)
        list[i] = route->stops[i + 1].visit;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = frozen + rng_below(&search->rng, stops - frozen + 1);
        memmove(list + at + 1, list + at, sizeof *list * (stops - at));
        list[at] = visits[i];
        stops++;
    }
    save(search, technician);
    if (!plan_set_route(&search->now, technician, list, stops)) return false;
    alike_changed(&search->alike, &search->now, technician);
    return true;
}

static uint32_t any_technician(struct search *search, uint32_t visit)
{
    const struct instance *in = search->in;
    const struct node *node = &in->nodes[visit];
    if (node->pinned != NO_INDEX)
        return node->pinned != NOBODY && instance_allows(in, node->pinned, visit) ? node->pinned
                                                                                  : NO_INDEX;
    uint32_t count = search->serves_count[node->need];
    if (count == 0) return NO_INDEX;
    return search
        ->serves[(size_t)node->need * in->technician_count + rng_below(&search->rng, count)];
}

/* Absent visits from the one at `from` on, as many as chance wants, that the technician may serve.
 */
static uint32_t group_of(struct search *search, uint32_t from, uint32_t technician, uint16_t *group)
{
    uint32_t count = 1, wanted = 1 + rng_below(&search->rng, TOGETHER_MAX);
    group[0] = search->absent[from];
    for (uint32_t i = from + 1; i < search->absent_count && count < wanted; i++) {
        uint16_t other = search->absent[i];
        if (search->now.route_of[other] == NO_INDEX &&
            instance_allows(search->in, technician, other))
            group[count++] = other;
    }
    return count;
}

/* What is cheap now may be in the way of what is cheaper in the end: some rounds put visits
 * wherever they fit, dear or not, and together with others those that may fit only so. Acceptance
 * decides. */
static void venture(struct search *search)
{
    for (uint32_t i = 0; i < search->absent_count; i++) {
        uint32_t visit = search->absent[i];
        for (uint32_t t = 0; t < TRIALS && search->now.route_of[visit] == NO_INDEX; t++) {
            uint32_t technician = any_technician(search, visit);
            if (technician == NO_INDEX) break;
            uint16_t group[TOGETHER_MAX];
            uint32_t count = group_of(search, i, technician, group);
            (void)put_anywhere(search, technician, group, count);
        }
    }
}

/* The more visits there are, the less can chance do. */
static bool ventures_now(struct search *search)
{
    uint32_t one_in = VENTURE_ONE_IN + search->in->visit_count / 4;
    return !search->in->plain && rng_below(&search->rng, one_in) == 0;
}

/* An empty route for the visit, at any price: one visit alone never pays for a route that several
 * would share. */
static struct spot spot_alone(struct search *search, uint32_t visit)
{
    const struct instance *in = search->in;
    const uint8_t *can = in->can + (size_t)in->nodes[visit].need * in->technician_count;
    struct spot best = {NO_INDEX, 0, in->nodes[visit].price};
    if (in->nodes[visit].pinned != NO_INDEX) return best;
    for (uint32_t kind = 0; kind < search->alike.kind_count; kind++) {
        uint32_t t = search->alike.first_empty[kind];
        if (t != NO_INDEX && can[t] & CAN_SERVE) look_in(search, t, visit, &best);
    }
    return best;
}

static void recreate(struct search *search)
{
    order_absent(search);
    bool alone = rng_below(&search->rng, ALONE_ONE_IN) == 0;
    if (ventures_now(search)) venture(search);
    for (uint32_t i = 0; i < search->absent_count; i++) {
        if (search->beside && i + 1 < search->absent_count)
            near_soon(&search->near, search->absent[i + 1]);
        if (search->now.route_of[search->absent[i]] != NO_INDEX) continue; /* a venture */
        struct spot spot = {NO_INDEX, 0, 0};
        if (alone && i == 0) spot = spot_alone(search, search->absent[i]);
        if (spot.technician == NO_INDEX) spot = best_spot(search, search->absent[i]);
        if (spot.technician == NO_INDEX) continue;
        save(search, spot.technician);
        plan_put(&search->now, search->absent[i], spot.technician, spot.at);
        alike_changed(&search->alike, &search->now, spot.technician);
    }
}

/* --- acceptance --- */

/* The temperature in 1/256 s: it halves in equal steps, and falls in a straight line between. All
 * coolings but the first begin less hot, for they begin with a good plan. */
static uint64_t temperature(const struct search *search)
{
    uint64_t hot = (uint64_t)search->options.hot_s << 8,
             cold = (uint64_t)search->options.cold_s << 8;
    if (search->cooling > 0) hot = hot / REHEAT_PART > cold ? hot / REHEAT_PART : cold;
    uint64_t halvings = 1;
    while (hot >> halvings > cold)
        halvings++;
    uint64_t coolings = search->options.coolings > 1 ? search->options.coolings : 1;
    uint64_t progress = (search->done << 8) * coolings / (search->options.rounds + 1);
    progress -= search->cooling << 8;
    if (progress > 256) progress = 256;
    progress *= halvings;
    return (hot >> (progress >> 8)) * (512 - (progress & 255)) / 512;
}

/* -ln of a uniform number in (0, 1], in 1/65536: the logarithm by its leading bits and a parabola.
 */
static uint64_t minus_log(struct rng *rng)
{
    uint32_t draw = (uint32_t)(rng_next(rng) >> 32) | 1;
    uint64_t zeros = 0;
    for (; !(draw & 0x80000000u); draw <<= 1)
        zeros++;
    uint64_t part = (draw & 0x7fffffffu) >> 15;
    part += (part * (65536 - part) >> 16) * 22545 >> 16;
    return (((zeros + 1) << 16) - part) * 45426 >> 16;
}

/* As plan_keeps_pins, of this round. */
static bool pins_hold(const struct search *search)
{
    int32_t fewer = 0;
    for (uint32_t i = 0; i < search->absent_count; i++) {
        const struct node *node = &search->in->nodes[search->absent[i]];
        if (node->pinned == NO_INDEX) continue;
        bool was = search->absent_from[i] != NO_INDEX;
        bool is = search->now.route_of[search->absent[i]] != NO_INDEX;
        if (was && !is && node_placed(node)) return false;
        fewer += was - is;
    }
    return fewer <= 0;
}

static bool freeze_holds(const struct search *search)
{
    for (uint32_t i = 0; i < search->saved_count; i++) {
        uint32_t technician = search->saved_of[i];
        const struct route *route = &search->now.routes[technician];
        if (!route_keeps_order(search->in, technician, route)) return false;
        if (route_frozen_out(search->in, technician, route) != NO_INDEX) return false;
        if (!stability_holds(&search->now, technician)) return false;
    }
    return stability_holds_hands(&search->now);
}

static void undo(struct search *search)
{
    for (uint32_t i = 0; i < search->saved_count; i++) {
        plan_restore_route(&search->now, search->saved_of[i], &search->saved[i]);
        alike_changed(&search->alike, &search->now, search->saved_of[i]);
    }
    for (uint32_t i = 0; i < search->absent_count; i++)
        plan_restore_visit(&search->now, search->absent[i], search->absent_from[i]);
}

/* Most routes that a round has touched come out as they went in: they are the same routes then,
 * and what is remembered of them holds. */
static void drop_unchanged(struct search *search)
{
    uint32_t changed = 0;
    for (uint32_t i = 0; i < search->saved_count; i++) {
        uint32_t technician = search->saved_of[i];
        struct route *route = &search->now.routes[technician];
        if (route_same(route, &search->saved[i]))
            route->stamp = search->saved[i].stamp;
        else
            search->saved_of[changed++] = technician;
    }
    search->saved_count = changed;
}

static void keep(struct search *search)
{
    if (search->options.pool == NULL) return;
    for (uint32_t i = 0; i < search->saved_count; i++)
        pool_add(search->options.pool, search->in, search->saved_of[i],
                 &search->now.routes[search->saved_of[i]]);
}

/* As plan_copy, but looks only at the routes that were changed since the last time. */
static void become_best(struct search *search)
{
    for (uint32_t i = 0; i < search->dirty_count; i++) {
        plan_copy_route(&search->best, &search->now, search->dirty[i]);
        search->is_dirty[search->dirty[i]] = 0;
    }
    search->dirty_count = 0;
    plan_copy_unserved(&search->best, &search->now);
}

static bool round_run(struct search *search)
{
    search->round++;
    search->saved_count = search->absent_count = 0;
    int64_t cost = search->now.cost;
    uint32_t unserved_count = search->now.unserved_count;
    ruin(search);
    add_unserved(search, search->now.unserved, unserved_count);
    recreate(search);
    int64_t limit = cost + (int64_t)(temperature(search) * minus_log(&search->rng) >> 24);
    search->done++;
    if (search->now.cost > limit || !freeze_holds(search) || !pins_hold(search)) {
        undo(search);
        return false;
    }
    drop_unchanged(search);
    keep(search);
    for (uint32_t i = 0; i < search->saved_count; i++)
        note_dirty(search, search->saved_of[i]);
    if (search->now.cost >= search->best.cost) return false;
    become_best(search);
    return true;
}

static void from_the_best(struct search *search)
{
    for (uint32_t i = 0; i < search->dirty_count; i++) {
        plan_copy_route(&search->now, &search->best, search->dirty[i]);
        search->is_dirty[search->dirty[i]] = 0;
    }
    search->dirty_count = 0;
    plan_copy_unserved(&search->now, &search->best);
    alike_look(&search->alike, &search->now);
}

/* --- a population instead --- */

/* What both ways of searching go on from. */
static void take_from_breed(struct search *search)
{
    breed_give(search->breed, &search->now);
    plan_copy(&search->best, &search->now);
    alike_look(&search->alike, &search->now);
}

/* A child is as many rounds as it was work, but the last one of a call never more than were left: a
 * call makes one child at least, so that many short calls do more than a long one. */
static bool run_breed(struct search *search, uint64_t until)
{
    struct breed *breed = search->breed;
    bool better = false;
    if (search->best.cost < breed_least(breed)) breed_take(breed, &search->best);
    while (search->done < until) {
        uint64_t before = breed->descent.looks;
        bool is_best = breed_round(breed);
        search->done += 1 + (breed->descent.looks - before) / LOOKS_EACH;
        if (!is_best || breed_least(breed) >= search->best.cost) continue;
        take_from_breed(search);
        better = true;
    }
    if (search->done > until) search->done = until;
    return better;
}

static bool run_rounds(struct search *search, uint64_t until)
{
    bool better = false;
    while (search->done < until) {
        uint64_t cooling = search->done * search->options.coolings / (search->options.rounds + 1);
        if (cooling > search->cooling) {
            search->cooling = cooling;
            from_the_best(search);
        }
        better |= round_run(search);
    }
    return better;
}

/* A population serves everybody or holds not at all: until it does, both ways take turns. */
bool search_run(struct search *search, uint64_t rounds)
{
    uint64_t left = search->options.rounds - search->done;
    if (search->in->visit_count == 0 || search->options.rounds <= search->done) return false;
    uint64_t until = search->done + (rounds < left ? rounds : left);
    if (search->breed == NULL) return run_rounds(search, until);
    search->turns++;
    if (search->best.unserved_count > 0 && search->turns % 2 == 0) return run_rounds(search, until);
    return run_breed(search, until);
}
