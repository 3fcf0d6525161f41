#include "optimizer/bound/separate.h"

#include "optimizer/core/cut.h"

#include <string.h>

/* The chosen walks as columns of a partition, each visit once in each. */
static void partition_of(struct partition *partition, const struct walks *walks,
                         uint32_t visit_count, const struct chosen *chosen, uint32_t count,
                         struct arena *scratch)
{
    uint32_t total = 0, used = 0;
    for (uint32_t i = 0; i < count; i++)
        total += walks->list[chosen[i].walk].count;
    *partition = (struct partition){.visits = visit_count, .count = count};
    partition->first = arena_need(scratch, sizeof *partition->first * (count + 1));
    partition->rows = arena_need(scratch, sizeof *partition->rows * (total + 1));
    uint32_t *last = arena_need(scratch, sizeof *last * (visit_count + 1));
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t *visits = walks_visits(walks, chosen[i].walk);
        partition->first[i] = used;
        for (uint32_t k = 0; k < walks->list[chosen[i].walk].count; k++) {
            if (last[visits[k]] == i + 1) continue;
            last[visits[k]] = i + 1;
            partition->rows[used++] = (uint16_t)(visits[k] + 1);
        }
    }
    partition->first[count] = used;
}

static bool is_of(const struct proof_cut *cut, uint32_t visit)
{
    return cut->visits[0] == visit || cut->visits[1] == visit || cut->visits[2] == visit;
}

/* What lies between the first and the second of its three on the walk, and so on by pairs. */
static void remember(const struct proof_cut *cut, uint8_t *memory, const uint16_t *visits,
                     uint32_t count)
{
    bool open = false;
    uint32_t from = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_of(cut, visits[i])) continue;
        if (open) {
            for (uint32_t k = from + 1; k < i; k++)
                memory[visits[k] / 8] |= (uint8_t)(1U << (visits[k] % 8));
        }
        open = !open;
        from = i;
    }
}

static void sort(uint16_t visits[3])
{
    for (uint32_t i = 1; i < 3; i++) {
        for (uint32_t k = i; k > 0 && visits[k - 1] > visits[k]; k--) {
            uint16_t visit = visits[k];
            visits[k] = visits[k - 1];
            visits[k - 1] = visit;
        }
    }
}

uint32_t separate(const struct walks *walks, uint32_t visit_count, const struct chosen *chosen,
                  uint32_t count, const struct proof_cut *old, uint32_t old_count,
                  struct proof_cut *cuts, uint32_t max, struct arena *arena, struct arena *scratch)
{
    struct partition partition;
    struct cuts found;
    partition_of(&partition, walks, visit_count, chosen, count, scratch);
    struct part *parts = arena_need(scratch, sizeof *parts * (count + 1));
    for (uint32_t i = 0; i < count; i++)
        parts[i] = (struct part){i, chosen[i].share};
    cuts_open(&found, &partition, scratch);
    uint32_t added = cuts_find(&found, &partition, parts, count, scratch);
    if (added > max) added = max;
    size_t bytes = visit_count / 8 + 1;
    for (uint32_t c = 0; c < added; c++) {
        struct proof_cut *cut = &cuts[c];
        uint8_t *memory = arena_need(arena, bytes);
        *cut = (struct proof_cut){.memory = memory};
        for (uint32_t i = 0; i < 3; i++)
            cut->visits[i] = (uint16_t)(found.cut[c].rows[i] - 1);
        sort(cut->visits);
        for (uint32_t i = 0; i < count; i++)
            remember(cut, memory, walks_visits(walks, chosen[i].walk),
                     walks->list[chosen[i].walk].count);
        for (uint32_t i = 0; i < old_count; i++) {
            if (memcmp(old[i].visits, cut->visits, sizeof cut->visits) != 0) continue;
            for (size_t k = 0; k < bytes; k++)
                memory[k] |= old[i].memory[k];
        }
    }
    return added;
}
