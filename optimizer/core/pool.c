#include "optimizer/core/pool.h"

#include "base/check.h"

#include <string.h>

void pool_open(struct pool *pool, uint32_t cap, uint32_t pieces_cap, struct arena *arena)
{
    CHECK(cap > 0 && (cap & (cap - 1)) == 0);
    *pool = (struct pool){.cap = cap, .mask = cap - 1, .pieces_cap = pieces_cap};
    pool->columns = arena_need(arena, sizeof *pool->columns * cap);
    pool->pieces = arena_need(arena, sizeof *pool->pieces * pieces_cap);
    pool->chains = arena_need(arena, sizeof *pool->chains * cap);
    pool_turn(pool);
}

void pool_clear(struct pool *pool)
{
    pool->used = pool->pieces_used = pool->free = pool->pieces_free = pool->hand = 0;
    memset(pool->chains, 0, sizeof *pool->chains * pool->cap);
}

void pool_turn(struct pool *pool)
{
    pool->turn++;
    pool->keeping++;
}

/* --- keys --- */

static uint64_t key_of(const struct instance *in, uint32_t technician, uint64_t set)
{
    struct digest digest = digest_start();
    digest_u64(&digest, in->technicians[in->technicians[technician].alike].hash);
    digest_u64(&digest, set);
    return digest.state | 1;
}

static uint32_t *chain_of(const struct pool *pool, uint64_t key)
{
    return &pool->chains[(uint32_t)(key >> 20) & pool->mask];
}

static uint32_t find(const struct pool *pool, uint64_t key)
{
    uint32_t at = *chain_of(pool, key);
    while (at != 0 && pool->columns[at - 1].key != key)
        at = pool->columns[at - 1].next;
    return at == 0 ? NO_INDEX : at - 1;
}

static void link_column(struct pool *pool, uint32_t index, uint64_t key)
{
    uint32_t *chain = chain_of(pool, key);
    pool->columns[index].key = key;
    pool->columns[index].next = *chain;
    *chain = index + 1;
}

static void unlink_column(struct pool *pool, uint32_t index)
{
    uint32_t *link = chain_of(pool, pool->columns[index].key);
    while (*link != index + 1) {
        CHECK(*link != 0);
        link = &pool->columns[*link - 1].next;
    }
    *link = pool->columns[index].next;
}

uint32_t pool_find(const struct pool *pool, const struct instance *in, uint32_t technician,
                   uint64_t set)
{
    return find(pool, key_of(in, technician, set));
}

/* --- places --- */

static void pieces_release(struct pool *pool, uint32_t first)
{
    if (first == 0) return;
    uint32_t last = first;
    while (pool->pieces[last - 1].next != 0)
        last = pool->pieces[last - 1].next;
    pool->pieces[last - 1].next = pool->pieces_free;
    pool->pieces_free = first;
}

static void column_release(struct pool *pool, uint32_t index)
{
    struct column *column = &pool->columns[index];
    unlink_column(pool, index);
    pieces_release(pool, column->piece);
    *column = (struct column){.next = pool->free};
    pool->free = index + 1;
}

/* Lets the hand go on until it has made room. */
static void make_room(struct pool *pool)
{
    for (uint32_t steps = 0;; steps++) {
        CHECK(steps <= 2 * pool->used); /* the kept routes of one plan never fill it */
        uint32_t index = pool->hand;
        pool->hand = index + 1 < pool->used ? index + 1 : 0;
        struct column *column = &pool->columns[index];
        if (column->key == 0 || column->kept == pool->keeping) continue;
        if (!column->again) {
            column_release(pool, index);
            return;
        }
        column->again = false;
    }
}

static uint32_t piece_take(struct pool *pool)
{
    while (pool->pieces_free == 0 && pool->pieces_used == pool->pieces_cap)
        make_room(pool);
    uint32_t piece = pool->pieces_free;
    if (piece == 0)
        piece = ++pool->pieces_used;
    else
        pool->pieces_free = pool->pieces[piece - 1].next;
    pool->pieces[piece - 1].next = 0;
    return piece;
}

static uint32_t column_take(struct pool *pool)
{
    if (pool->free == 0 && pool->used == pool->cap) make_room(pool);
    if (pool->free == 0) return pool->used++;
    uint32_t index = pool->free - 1;
    pool->free = pool->columns[index].next;
    return index;
}

/* Writes the visits' slots into as many pieces as they need, starting with those in hand. */
static void visits_write(struct pool *pool, uint32_t *piece, const uint16_t *slots, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (*piece == 0) *piece = piece_take(pool);
        struct piece *in = &pool->pieces[*piece - 1];
        in->visits[i % PIECE_VISITS] = slots[i];
        if (i % PIECE_VISITS == PIECE_VISITS - 1 || i + 1 == count) piece = &in->next;
    }
    pieces_release(pool, *piece);
    *piece = 0;
}

static void visits_read(const struct pool *pool, const struct column *column, uint16_t *slots)
{
    uint32_t piece = column->piece;
    for (uint32_t i = 0; i < column->count; i++) {
        slots[i] = pool->pieces[piece - 1].visits[i % PIECE_VISITS];
        if (i % PIECE_VISITS == PIECE_VISITS - 1) piece = pool->pieces[piece - 1].next;
    }
}

uint32_t pool_visits(const struct pool *pool, uint32_t column, const struct instance *in,
                     uint16_t *visits)
{
    visits_read(pool, &pool->columns[column], visits);
    for (uint32_t i = 0; i < pool->columns[column].count; i++)
        visits[i] = (uint16_t)in->visit_of_slot[visits[i]];
    return pool->columns[column].count;
}

/* --- judging --- */

/* Makes a route of today from a column; false if some rule does not let it hold. */
static bool route_of(const struct instance *in, uint32_t technician, const uint16_t *slots,
                     uint32_t count, struct route *route)
{
    const struct technician *who = &in->technicians[technician];
    route->count = count;
    if (count < who->frozen || count == 0) return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t visit = in->visit_of_slot[slots[i]];
        if (visit == NO_INDEX || !instance_allows(in, technician, visit)) return false;
        if (in->nodes[visit].frozen != (i < who->frozen)) return false;
        if (i > 0 && i < who->frozen && instance_before(in, visit, route->stops[i].visit))
            return false;
        route->stops[i + 1].visit = (uint16_t)visit;
    }
    return route_refresh(in, technician, route) && route_keeps_order(in, technician, route) &&
           route_frozen_out(in, technician, route) == NO_INDEX;
}

/* Its set is another one since visits were struck: of two with one set the cheaper stays. */
static void rekey(struct pool *pool, uint32_t index, uint64_t key)
{
    struct column *column = &pool->columns[index];
    uint32_t other = find(pool, key);
    if (other != NO_INDEX) {
        const struct column *twin = &pool->columns[other];
        bool better = twin->judged == pool->turn && twin->holds && twin->cost <= column->cost;
        column_release(pool, better ? index : other);
        if (better) return;
    }
    unlink_column(pool, index);
    link_column(pool, index, key);
}

static void judge(struct pool *pool, const struct instance *in, uint32_t index)
{
    struct column *column = &pool->columns[index];
    column->judged = pool->turn;
    column->holds = false;
    uint32_t technician = in->technician_of_slot[column->technician];
    if (technician == NO_INDEX) return; /* he may come back */
    uint16_t slots[ROUTE_MAX];
    struct route route;
    visits_read(pool, column, slots);
    if (!route_of(in, technician, slots, column->count, &route)) return;
    column->holds = true;
    column->cost = route.cost;
    uint64_t key = key_of(in, technician, route.set);
    if (key != column->key) rekey(pool, index, key);
}

void pool_judge(struct pool *pool, const struct instance *in)
{
    for (uint32_t c = 0; c < pool->used; c++) {
        if (pool->columns[c].key != 0 && pool->columns[c].judged != pool->turn) judge(pool, in, c);
    }
}

/* --- adding --- */

/* The column of that key as of today. */
static uint32_t find_today(struct pool *pool, const struct instance *in, uint64_t key)
{
    uint32_t index = find(pool, key);
    if (index == NO_INDEX || pool->columns[index].judged == pool->turn) return index;
    judge(pool, in, index);
    return find(pool, key);
}

static uint32_t add(struct pool *pool, const struct instance *in, uint32_t technician,
                    const struct route *route)
{
    uint64_t key = key_of(in, technician, route->set);
    uint32_t index = find_today(pool, in, key);
    if (index == NO_INDEX) {
        index = column_take(pool);
        pool->columns[index] = (struct column){.serial = ++pool->serial};
        link_column(pool, index, key);
    } else {
        pool->columns[index].again = true;
        if (pool->columns[index].holds && pool->columns[index].cost <= route->cost) return index;
    }
    struct column *column = &pool->columns[index];
    uint32_t kept = column->kept;
    pool->changes++;
    column->kept = pool->keeping; /* not to be taken away for the sake of its own pieces */
    uint16_t slots[ROUTE_MAX];
    for (uint32_t i = 0; i < route->count; i++)
        slots[i] = (uint16_t)in->nodes[route->stops[i + 1].visit].slot;
    visits_write(pool, &column->piece, slots, route->count);
    column->technician = in->technicians[technician].slot;
    column->cost = route->cost;
    column->count = (uint16_t)route->count;
    column->judged = pool->turn;
    column->holds = true;
    column->kept = kept;
    return index;
}

void pool_add(struct pool *pool, const struct instance *in, uint32_t technician,
              const struct route *route)
{
    if (route->count > 0) (void)add(pool, in, technician, route);
}

void pool_keep(struct pool *pool, const struct plan *plan)
{
    pool->keeping++;
    for (uint32_t t = 0; t < plan->in->technician_count; t++) {
        if (plan->routes[t].count == 0) continue;
        uint32_t index = add(pool, plan->in, t, &plan->routes[t]);
        pool->columns[index].kept = pool->keeping;
    }
}

void pool_forget_visit(struct pool *pool, uint32_t slot)
{
    for (uint32_t c = 0; c < pool->used; c++) {
        struct column *column = &pool->columns[c];
        if (column->key == 0) continue;
        uint16_t slots[ROUTE_MAX];
        visits_read(pool, column, slots);
        uint32_t kept = 0;
        for (uint32_t i = 0; i < column->count; i++) {
            if (slots[i] != slot) slots[kept++] = slots[i];
        }
        if (kept == column->count) continue;
        visits_write(pool, &column->piece, slots, kept);
        column->count = (uint16_t)kept;
        column->judged = 0; /* its key is of another set now */
    }
}
