#include "optimizer/core/alike.h"

static bool same(const struct instance *in, uint32_t a, uint32_t b)
{
    const struct technician *one = &in->technicians[a], *other = &in->technicians[b];
    if (one->available != other->available || one->latest_end != other->latest_end ||
        one->shift_end != other->shift_end || one->start != other->start ||
        one->end != other->end || one->leg_max != other->leg_max ||
        one->travel_max != other->travel_max || one->capacity != other->capacity ||
        one->break_earliest != other->break_earliest || one->break_latest != other->break_latest ||
        one->break_length != other->break_length)
        return false;
    for (uint32_t need = 0; need < in->need_count; need++) {
        const uint8_t *can = in->can + (size_t)need * in->technician_count;
        if (can[a] != can[b]) return false;
    }
    return true;
}

static void kinds(struct alike *alike, const struct instance *in, const uint8_t *alone,
                  uint32_t *last)
{
    for (uint32_t t = 0; t < in->technician_count; t++) {
        uint32_t kind = 0;
        while (kind < alike->kind_count &&
               (alone[t] || alone[alike->first[kind]] || !same(in, alike->first[kind], t)))
            kind++;
        if (kind == alike->kind_count)
            alike->first[alike->kind_count++] = t;
        else
            alike->next[last[kind]] = t;
        last[kind] = t;
        alike->kind_of[t] = kind;
        alike->next[t] = NO_INDEX;
    }
}

void alike_open(struct alike *alike, const struct instance *in, struct arena *arena)
{
    size_t count = in->technician_count + UINT32_C(1);
    *alike = (struct alike){.kind_of = arena_need(arena, sizeof *alike->kind_of * count),
                            .next = arena_need(arena, sizeof *alike->next * count),
                            .first = arena_need(arena, sizeof *alike->first * count),
                            .first_empty = arena_need(arena, sizeof *alike->first_empty * count),
                            .empty = arena_need(arena, count)};
    /* Whom some visit knows by name is like nobody else. */
    uint8_t *alone = arena_need(arena, count);
    for (uint32_t v = 0; v < in->visit_count; v++) {
        const struct node *node = &in->nodes[v];
        if (node->pinned < in->technician_count) alone[node->pinned] = 1;
        if (node->home < in->technician_count) alone[node->home] = 1;
    }
    kinds(alike, in, alone, arena_need(arena, sizeof *alike->first * count));
}

void alike_look(struct alike *alike, const struct plan *plan)
{
    for (uint32_t kind = 0; kind < alike->kind_count; kind++)
        alike->first_empty[kind] = NO_INDEX;
    for (uint32_t t = plan->in->technician_count; t-- > 0;) {
        alike->empty[t] = plan->routes[t].count == 0;
        if (alike->empty[t]) alike->first_empty[alike->kind_of[t]] = t;
    }
}

void alike_changed(struct alike *alike, const struct plan *plan, uint32_t technician)
{
    uint32_t *first = &alike->first_empty[alike->kind_of[technician]];
    alike->empty[technician] = plan->routes[technician].count == 0;
    if (alike->empty[technician]) {
        if (technician < *first) *first = technician;
        return;
    }
    while (*first != NO_INDEX && !alike->empty[*first])
        *first = alike->next[*first];
}
