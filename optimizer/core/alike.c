#include "optimizer/core/alike.h"

static void kinds(struct alike *alike, const struct instance *in, uint32_t *last)
{
    for (uint32_t t = 0; t < in->technician_count; t++) {
        uint32_t first = in->technicians[t].alike;
        uint32_t kind = first == t ? alike->kind_count++ : alike->kind_of[first];
        if (first == t)
            alike->first[kind] = t;
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
    kinds(alike, in, arena_need(arena, sizeof *alike->first * count));
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
