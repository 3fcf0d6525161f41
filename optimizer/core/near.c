#include "optimizer/core/near.h"

#include <string.h>

enum { WAIT_SHARE = 5 }; /* so many seconds of waiting are as far as one of travel */

void near_open(struct near *near, const struct instance *in, struct arena *arena)
{
    size_t visits = in->visit_count;
    *near = (struct near){.in = in, .count = visits < NEAR_MAX ? (uint32_t)visits : NEAR_MAX};
    near->nearest = arena_need(arena, sizeof *near->nearest * visits * near->count + 1);
    near->nearest_known = arena_need(arena, visits + 1);
    near->beside = arena_need(arena, sizeof *near->beside * (visits + 1));
    near->arena = arena;
    near->keys = arena_need(arena, sizeof *near->keys * NEAR_MAX);
}

/* --- the smallest keys, in order --- */

static void sift_down(uint64_t *heap, uint32_t at, uint32_t count)
{
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1] > heap[child]) child++;
        if (heap[at] >= heap[child]) return;
        uint64_t swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
    }
}

/* A heap of the `cap` smallest keys so far, the largest on top. */
static void heap_add(uint64_t *heap, uint32_t *count, uint32_t cap, uint64_t key)
{
    if (*count == cap) {
        if (key >= heap[0]) return;
        heap[0] = key;
        sift_down(heap, 0, cap);
        return;
    }
    uint32_t at = (*count)++;
    for (; at > 0 && heap[(at - 1) / 2] < key; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = key;
}

/* Empties the heap into the visits of its keys, smallest first. */
static void heap_list(uint64_t *heap, uint32_t count, uint16_t *list)
{
    while (count > 0) {
        list[count - 1] = (uint16_t)heap[0];
        heap[0] = heap[--count];
        sift_down(heap, 0, count);
    }
}

static uint64_t key_of(int32_t far, uint32_t visit)
{
    return (uint64_t)far << 16 | visit;
}

/* --- lists --- */

const uint16_t *near_nearest(struct near *near, uint32_t visit)
{
    const struct instance *in = near->in;
    uint16_t *list = near->nearest + (size_t)visit * near->count;
    if (near->nearest_known[visit]) return list;
    const int32_t *row = in->from + (size_t)in->nodes[visit].place * in->stride;
    uint32_t count = 0;
    for (uint32_t v = 0; v < in->visit_count; v++) {
        int32_t far = v == visit ? 0 : row[in->nodes[v].place] + 1;
        heap_add(near->keys, &count, near->count, key_of(far, v));
    }
    heap_list(near->keys, count, list);
    near->nearest_known[visit] = 1;
    return list;
}

/* How far `next` is from `visit` when it comes right after it, waiting included; -1: it cannot. */
static int32_t far_after(const struct node *visit, const struct node *next, int32_t leg)
{
    if (visit->open + visit->service + leg > next->last_close) return -1;
    int64_t wait = (int64_t)next->open - visit->last_close - visit->service - leg;
    return wait > 0 ? leg + (int32_t)(wait / WAIT_SHARE) : leg;
}

static int32_t less(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* The shortest legs from any start and to any end. */
static void ends(const struct instance *in, const struct node *node, struct beside *out)
{
    out->least_before = out->least_after = NEVER;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        const struct technician *who = &in->technicians[t];
        int32_t there = instance_travel_into(in, node->place, who->start);
        int32_t home = instance_travel(in, node->place, who->end);
        out->least_before = less(out->least_before, there);
        out->least_after = less(out->least_after, home);
    }
}

static const uint16_t *narrow(const int32_t *row, uint32_t count, struct arena *arena)
{
    for (uint32_t i = 0; i < count; i++) {
        if (row[i] > UINT16_MAX) return NULL;
    }
    uint16_t *out = arena_need(arena, sizeof *out * (count + 1));
    for (uint32_t i = 0; i < count; i++)
        out[i] = (uint16_t)row[i];
    return out;
}

static struct legs legs_of(const struct instance *in, uint32_t place, struct arena *arena)
{
    const int32_t *there = in->into + (size_t)place * in->stride;
    const int32_t *on = in->from + (size_t)place * in->stride;
    struct legs legs = {NULL, narrow(on, in->place_count, arena)};
    bool same = memcmp(there, on, sizeof *on * in->place_count) == 0;
    legs.there = same ? legs.on : narrow(there, in->place_count, arena);
    if (legs.there == NULL || legs.on == NULL) legs.there = legs.on = NULL;
    return legs;
}

static void beside_fill(const struct instance *in, uint32_t visit, struct beside *out)
{
    const struct node *node = &in->nodes[visit];
    uint64_t before[BESIDE_MAX], after[BESIDE_MAX];
    uint16_t list[BESIDE_MAX];
    ends(in, node, out);
    for (uint32_t v = 0; v < in->visit_count; v++) {
        if (v == visit) continue;
        const struct node *other = &in->nodes[v];
        int32_t there = instance_travel_into(in, node->place, other->place);
        int32_t on = instance_travel(in, node->place, other->place);
        int32_t far_before = far_after(other, node, there), far = far_after(node, other, on);
        out->least_before = less(out->least_before, there);
        out->least_after = less(out->least_after, on);
        if (far_before >= 0)
            heap_add(before, &out->before_count, BESIDE_MAX, key_of(far_before, v));
        if (far >= 0) heap_add(after, &out->after_count, BESIDE_MAX, key_of(far, v));
    }
    heap_list(before, out->before_count, list);
    for (uint32_t i = 0; i < out->before_count; i++)
        out->before[i] = (struct neighbour){
            list[i], instance_travel_into(in, node->place, in->nodes[list[i]].place)};
    heap_list(after, out->after_count, list);
    for (uint32_t i = 0; i < out->after_count; i++)
        out->after[i] =
            (struct neighbour){list[i], instance_travel(in, node->place, in->nodes[list[i]].place)};
}

const struct beside *near_beside(struct near *near, uint32_t visit)
{
    if (near->beside[visit] == NULL) {
        near->beside[visit] = arena_need(near->arena, sizeof *near->beside[visit]);
        beside_fill(near->in, visit, near->beside[visit]);
        near->beside[visit]->legs = legs_of(near->in, near->in->nodes[visit].place, near->arena);
    }
    return near->beside[visit];
}

static void fetch(const void *from, size_t size)
{
    enum { LINE = 64 };
    for (size_t at = 0; at < size; at += LINE)
        __builtin_prefetch((const char *)from + at);
}

void near_soon(const struct near *near, uint32_t visit)
{
    const struct beside *beside = near->beside[visit];
    if (beside == NULL) return;
    fetch(beside, sizeof *beside);
    if (beside->legs.on == NULL) return;
    fetch(beside->legs.on, sizeof *beside->legs.on * near->in->place_count);
    if (beside->legs.there != beside->legs.on)
        fetch(beside->legs.there, sizeof *beside->legs.there * near->in->place_count);
}
