#include "optimizer/core/pool.h"

#include "base/check.h"

#include <string.h>

void pool_open(struct pool *pool, uint32_t cap, struct arena *arena)
{
    CHECK(cap > 0 && (cap & (cap - 1)) == 0);
    *pool = (struct pool){.cap = cap, .mask = cap - 1};
    pool->columns = arena_need(arena, sizeof *pool->columns * cap);
    pool->visits = arena_need(arena, sizeof *pool->visits * cap * ROUTE_MAX);
    pool->chains = arena_need(arena, sizeof *pool->chains * cap);
}

void pool_clear(struct pool *pool)
{
    pool->used = pool->oldest = 0;
    memset(pool->chains, 0, sizeof *pool->chains * pool->cap);
}

static uint64_t key_of(const struct instance *in, uint32_t technician, uint64_t set)
{
    struct digest digest = digest_start();
    digest_u64(&digest, in->technicians[technician].hash);
    digest_u64(&digest, set);
    return digest.state | 1;
}

static uint32_t *chain_of(struct pool *pool, uint64_t key)
{
    return &pool->chains[(uint32_t)(key >> 20) & pool->mask];
}

static uint32_t find(struct pool *pool, uint64_t key)
{
    uint32_t at = *chain_of(pool, key);
    while (at != 0 && pool->columns[at - 1].key != key)
        at = pool->columns[at - 1].next;
    return at == 0 ? NO_INDEX : at - 1;
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

static uint32_t place_for(struct pool *pool, uint64_t key)
{
    uint32_t index;
    if (pool->used < pool->cap) {
        index = pool->used++;
    } else {
        index = pool->oldest;
        pool->oldest = (pool->oldest + 1) & pool->mask;
        unlink_column(pool, index);
    }
    uint32_t *chain = chain_of(pool, key);
    pool->columns[index] = (struct column){.key = key, .next = *chain};
    *chain = index + 1;
    return index;
}

void pool_add(struct pool *pool, const struct instance *in, uint32_t technician,
              const struct route *route)
{
    if (route->count == 0) return;
    uint64_t key = key_of(in, technician, route->set);
    uint32_t index = find(pool, key);
    if (index != NO_INDEX && pool->columns[index].cost <= route->cost) return;
    if (index == NO_INDEX) index = place_for(pool, key);
    struct column *column = &pool->columns[index];
    column->technician = in->technicians[technician].slot;
    column->cost = route->cost;
    column->count = route->count;
    uint16_t *visits = pool->visits + (size_t)index * ROUTE_MAX;
    for (uint32_t i = 0; i < route->count; i++)
        visits[i] = (uint16_t)in->nodes[route->stops[i + 1].visit].slot;
}

void pool_forget_visit(struct pool *pool, uint32_t slot)
{
    for (uint32_t c = 0; c < pool->used; c++) {
        uint16_t *visits = pool->visits + (size_t)c * ROUTE_MAX;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < pool->columns[c].count; i++) {
            if (visits[i] != slot) visits[kept++] = visits[i];
        }
        pool->columns[c].count = kept;
    }
}

bool pool_route(const struct pool *pool, uint32_t column, const struct instance *in,
                uint32_t *technician, struct route *route)
{
    const struct column *from = &pool->columns[column];
    const uint16_t *visits = pool->visits + (size_t)column * ROUTE_MAX;
    *technician = in->technician_of_slot[from->technician];
    if (*technician == NO_INDEX) return false;
    route->count = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        uint32_t visit = in->visit_of_slot[visits[i]];
        if (visit == NO_INDEX) continue;
        if (!instance_allows(in, *technician, visit)) return false;
        bool prefix = route->count < in->technicians[*technician].frozen;
        if (in->nodes[visit].frozen != prefix) return false;
        if (prefix && route->count > 0 &&
            instance_before(in, visit, route->stops[route->count].visit))
            return false;
        route->stops[++route->count].visit = (uint16_t)visit;
    }
    if (route->count == 0 || route->count < in->technicians[*technician].frozen) return false;
    return route_refresh(in, *technician, route) &&
           route_frozen_out(in, *technician, route) == NO_INDEX;
}
