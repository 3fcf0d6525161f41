#include "optimizer/bound/walks.h"

#include <string.h>

enum { WALKS_FIRST = 4096 };

void walks_open(struct walks *walks, struct arena *arena)
{
    *walks = (struct walks){.arena = arena};
}

/* What is outgrown stays in the arena: all of it together is less than what is in use. */
static void *grown(struct arena *arena, const void *from, size_t size, uint32_t *cap)
{
    uint32_t before = *cap;
    *cap = before == 0 ? WALKS_FIRST : 2 * before;
    void *to = arena_need(arena, size * *cap);
    if (before > 0) memcpy(to, from, size * before);
    return to;
}

static uint64_t hash_of(uint32_t technician, const uint16_t *visits, uint32_t count)
{
    uint64_t hash = technician + UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < count; i++) {
        hash = (hash ^ visits[i]) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    return hash;
}

static bool same(const struct walks *walks, uint32_t index, uint32_t technician,
                 const uint16_t *visits, uint32_t count)
{
    const struct known_walk *walk = &walks->list[index];
    return walk->technician == technician && walk->count == count &&
           memcmp(walks_visits(walks, index), visits, sizeof *visits * count) == 0;
}

/* Where it stands in the table, or would. */
static uint32_t *entry_of(const struct walks *walks, uint32_t technician, const uint16_t *visits,
                          uint32_t count)
{
    uint32_t at = (uint32_t)hash_of(technician, visits, count) & walks->table_mask;
    while (walks->table[at] != 0 && !same(walks, walks->table[at] - 1, technician, visits, count))
        at = (at + 1) & walks->table_mask;
    return &walks->table[at];
}

static void table_grow(struct walks *walks)
{
    if (walks->table != NULL && 2 * (walks->count + 1) <= walks->table_mask) return;
    uint32_t size = walks->table == NULL ? 4 * WALKS_FIRST : 4 * (walks->table_mask + 1);
    walks->table = arena_need(walks->arena, sizeof *walks->table * size);
    walks->table_mask = size - 1;
    for (uint32_t i = 0; i < walks->count; i++) {
        const struct known_walk *walk = &walks->list[i];
        *entry_of(walks, walk->technician, walks_visits(walks, i), walk->count) = i + 1;
    }
}

uint32_t walks_add(struct walks *walks, uint32_t technician, int64_t cost, const uint16_t *visits,
                   uint32_t count)
{
    table_grow(walks);
    uint32_t *entry = entry_of(walks, technician, visits, count);
    if (*entry != 0) {
        struct known_walk *known = &walks->list[*entry - 1];
        if (cost < known->cost)
            *known = (struct known_walk){cost, technician, known->first, known->count, false};
        return *entry - 1;
    }
    if (walks->count == walks->cap)
        walks->list = grown(walks->arena, walks->list, sizeof *walks->list, &walks->cap);
    while (walks->visits_used + count > walks->visits_cap)
        walks->visits =
            grown(walks->arena, walks->visits, sizeof *walks->visits, &walks->visits_cap);
    memcpy(walks->visits + walks->visits_used, visits, sizeof *visits * count);
    walks->list[walks->count] =
        (struct known_walk){cost, technician, walks->visits_used, (uint16_t)count, false};
    walks->visits_used += count;
    *entry = ++walks->count;
    return walks->count - 1;
}
