#include "optimizer/core/partition.h"

#include "base/check.h"

static uint32_t class_of(const struct instance *in, uint32_t technician)
{
    return in->technicians[technician].alike;
}

/* --- who takes part --- */

struct room {
    uint32_t rows, rows_max;
};

static bool has_room(const struct room *room, const struct plan *plan, uint32_t technician)
{
    return room->rows + 1 + plan->routes[technician].count <= room->rows_max;
}

static void join(struct partition *partition, struct room *room, uint32_t technician)
{
    if (partition->member[technician]) return;
    partition->member[technician] = 1;
    room->rows += 1 + partition->plan->routes[technician].count;
}

/* How much the pool connects each technician with those who take part: by visits that one has now
 * and the other had in some route. */
static uint32_t *ties(const struct partition *partition, const struct pool *pool,
                      struct arena *arena)
{
    const struct instance *in = partition->in;
    uint32_t *weights = arena_need(arena, sizeof *weights * (in->technician_count + 1));
    for (uint32_t c = 0; c < pool->used; c++) {
        if (!pool_holds(pool, c)) continue;
        uint16_t visits[ROUTE_MAX];
        uint32_t who = in->technician_of_slot[pool->columns[c].technician];
        uint32_t count = pool_visits(pool, c, in, visits);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t has = partition->plan->route_of[visits[i]];
            if (has == NO_INDEX || has == who) continue;
            if (partition->member[who]) weights[has]++;
            if (partition->member[has]) weights[who]++;
        }
    }
    return weights;
}

/* The seeds, and as many of those tied to them as there is room for, the most tied first. */
static void members_choose(struct partition *partition, const struct pool *pool,
                           const uint8_t *seeds, struct room *room, struct arena *arena)
{
    uint32_t count = partition->in->technician_count;
    for (uint32_t t = 0; t < count; t++) {
        if (seeds[t] && has_room(room, partition->plan, t)) join(partition, room, t);
    }
    const uint32_t *weights = ties(partition, pool, arena);
    for (;;) {
        uint32_t best = NO_INDEX;
        for (uint32_t t = 0; t < count; t++) {
            if (partition->member[t] || weights[t] == 0) continue;
            if (!has_room(room, partition->plan, t)) continue;
            if (best == NO_INDEX || weights[t] > weights[best]) best = t;
        }
        if (best == NO_INDEX) return;
        join(partition, room, best);
    }
}

static void members(struct partition *partition, const struct pool *pool, const uint8_t *seeds,
                    uint32_t rows_max, struct arena *arena)
{
    const struct instance *in = partition->in;
    partition->member = arena_need(arena, in->technician_count + 1);
    partition->whole = in->visit_count + in->technician_count <= rows_max;
    struct room room = {partition->plan->unserved_count, rows_max};
    if (!partition->whole) {
        members_choose(partition, pool, seeds, &room, arena);
        return;
    }
    for (uint32_t t = 0; t < in->technician_count; t++)
        join(partition, &room, t);
}

/* --- rows --- */

static int32_t empty_cost(const struct instance *in, uint32_t technician)
{
    const struct technician *who = &in->technicians[technician];
    return instance_travel_price(in, instance_travel(in, who->start, who->end));
}

static void visit_rows(struct partition *partition)
{
    const struct instance *in = partition->in;
    const struct plan *plan = partition->plan;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        uint32_t has = plan->route_of[v];
        if (has != NO_INDEX && !partition->member[has]) continue;
        partition->row_of_visit[v] = ++partition->visits;
        partition->owner[partition->visits] = v;
        if (has == NO_INDEX) partition->base_cost -= in->nodes[v].price;
    }
}

static void class_rows(struct partition *partition, struct arena *arena)
{
    const struct instance *in = partition->in;
    uint32_t *row_of = arena_need(arena, sizeof *row_of * (in->technician_count + 1));
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (!partition->member[t]) continue;
        uint32_t *row = &row_of[class_of(in, t)];
        if (*row == 0) {
            *row = partition->visits + ++partition->classes;
            partition->owner[*row] = t;
        }
        partition->row_of_class[t] = *row;
        partition->size[*row]++;
        partition->base_cost += empty_cost(in, t) - partition->plan->routes[t].cost;
    }
    /* What one of the class has found serves another, whether or not he himself takes part. */
    for (uint32_t t = 0; t < in->technician_count; t++)
        partition->row_of_class[t] = row_of[class_of(in, t)];
}

static void rows_make(struct partition *partition, struct arena *arena)
{
    const struct instance *in = partition->in;
    size_t rows = in->visit_count + in->technician_count + 1;
    partition->row_of_visit = arena_need(arena, sizeof(uint32_t) * (in->visit_count + 1));
    partition->row_of_class = arena_need(arena, sizeof(uint32_t) * (in->technician_count + 1));
    partition->owner = arena_need(arena, sizeof(uint32_t) * rows);
    partition->size = arena_need(arena, sizeof(uint32_t) * rows);
    partition->base_cost = partition->plan->cost;
    visit_rows(partition);
    class_rows(partition, arena);
}

/* --- columns --- */

/* Appends the column's rows; false if it touches others. */
static bool column_rows(struct partition *partition, const uint16_t *visits, uint32_t count)
{
    uint16_t *rows = partition->rows + partition->first[partition->count];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = partition->row_of_visit[visits[i]];
        if (row == 0) return false;
        rows[i] = (uint16_t)row;
    }
    return true;
}

static void columns_make(struct partition *partition, const struct pool *pool, struct arena *arena)
{
    const struct instance *in = partition->in;
    size_t cap = pool->used + 1, visits = 0;
    for (uint32_t c = 0; c < pool->used; c++)
        visits += pool_holds(pool, c) ? pool->columns[c].count : 0;
    partition->class_row = arena_need(arena, sizeof *partition->class_row * cap);
    partition->cost = arena_need(arena, sizeof *partition->cost * cap);
    partition->first = arena_need(arena, sizeof *partition->first * (cap + 1));
    partition->rows = arena_need(arena, sizeof *partition->rows * (visits + 1));
    partition->place = arena_need(arena, sizeof *partition->place * cap);
    partition->current = arena_need(arena, cap);
    for (uint32_t c = 0; c < pool->used; c++) {
        if (!pool_holds(pool, c)) continue;
        uint16_t list[ROUTE_MAX];
        uint32_t technician = in->technician_of_slot[pool->columns[c].technician];
        uint32_t row = partition->row_of_class[technician], at = partition->count;
        uint32_t count = pool_visits(pool, c, in, list);
        if (row == 0 || !column_rows(partition, list, count)) continue;
        partition->class_row[at] = row;
        partition->cost[at] = pool->columns[c].cost - empty_cost(in, technician);
        partition->place[at] = c;
        partition->first[at + 1] = partition->first[at] + count;
        partition->count++;
    }
}

/* Columns stand in the order of their places. */
static uint32_t column_at(const struct partition *partition, uint32_t place)
{
    uint32_t low = 0, high = partition->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (partition->place[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    CHECK(low < partition->count && partition->place[low] == place);
    return low;
}

static void mark_current(struct partition *partition, const struct pool *pool)
{
    const struct instance *in = partition->in;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct route *route = &partition->plan->routes[t];
        if (!partition->member[t] || route->count == 0) continue;
        partition->current[column_at(partition, pool_find(pool, in, t, route->set))] = 1;
    }
}

void partition_make(struct partition *partition, const struct plan *plan, const struct pool *pool,
                    const uint8_t *seeds, uint32_t rows_max, struct arena *arena)
{
    *partition = (struct partition){.plan = plan, .in = plan->in};
    members(partition, pool, seeds, rows_max, arena);
    rows_make(partition, arena);
    columns_make(partition, pool, arena);
    mark_current(partition, pool);
}

/* --- the answer --- */

struct answer {
    const struct partition *partition;
    struct plan *plan;
    uint8_t *taken; /* by technician */
};

static uint64_t set_of(const struct partition *partition, uint32_t column)
{
    uint64_t set = 0;
    for (uint32_t i = partition->first[column]; i < partition->first[column + 1]; i++)
        set += partition->in->nodes[partition->owner[partition->rows[i]]].hash;
    return set;
}

/* Who of the class is free; with `exact` only who serves that very set already. */
static uint32_t driver_of(const struct answer *answer, uint32_t column, bool exact)
{
    const struct partition *partition = answer->partition;
    uint64_t set = set_of(partition, column);
    for (uint32_t t = 0; t < partition->in->technician_count; t++) {
        if (!partition->member[t] || answer->taken[t]) continue;
        if (partition->row_of_class[t] != partition->class_row[column]) continue;
        if (!exact || partition->plan->routes[t].set == set) return t;
    }
    return NO_INDEX;
}

static bool give(struct answer *answer, uint32_t column, uint32_t technician)
{
    const struct partition *partition = answer->partition;
    uint16_t visits[ROUTE_MAX];
    uint32_t count = 0;
    for (uint32_t i = partition->first[column]; i < partition->first[column + 1]; i++) {
        uint16_t visit = (uint16_t)partition->owner[partition->rows[i]];
        uint32_t has = answer->plan->route_of[visit];
        if (has != NO_INDEX && has != technician) return false;
        visits[count++] = visit;
    }
    answer->taken[technician] = 1;
    return plan_set_route(answer->plan, technician, visits, count);
}

/* Leaves each who takes part with what is frozen. */
static bool clear_members(struct answer *answer)
{
    const struct instance *in = answer->partition->in;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (!answer->partition->member[t]) continue;
        uint16_t visits[ROUTE_MAX];
        for (uint32_t i = 0; i < in->technicians[t].frozen; i++)
            visits[i] = answer->plan->routes[t].stops[i + 1].visit;
        if (!plan_set_route(answer->plan, t, visits, in->technicians[t].frozen)) return false;
    }
    return true;
}

bool partition_answer(const struct partition *partition, const uint32_t *chosen, uint32_t count,
                      struct plan *plan, struct arena *scratch)
{
    struct answer answer = {partition, plan, NULL};
    answer.taken = arena_need(scratch, partition->in->technician_count + 1);
    uint8_t *given = arena_need(scratch, count + 1);
    if (!clear_members(&answer)) return false;
    /* First those who keep what they have: nobody is told of a swap between equals. */
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < count; i++) {
            if (given[i]) continue;
            uint32_t technician = driver_of(&answer, chosen[i], pass == 0);
            if (technician == NO_INDEX && pass == 0) continue;
            if (technician == NO_INDEX || !give(&answer, chosen[i], technician)) return false;
            given[i] = 1;
        }
    }
    return true;
}
