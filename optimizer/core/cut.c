#include "optimizer/core/cut.h"

static const float VIOLATION_MIN = 0.03F;

void cuts_open(struct cuts *cuts, const struct partition *partition, struct arena *arena)
{
    *cuts = (struct cuts){0};
    cuts->of_row = arena_need(arena, (size_t)(partition->visits + 1) * CUTS_PER_VISIT_MAX);
    cuts->of_count = arena_need(arena, partition->visits + 1);
}

uint32_t cuts_of_column(const struct cuts *cuts, const struct partition *partition, uint32_t column,
                        uint8_t *list)
{
    uint8_t seen[CUTS_MAX] = {0};
    uint32_t count = 0;
    for (uint32_t i = partition->first[column]; i < partition->first[column + 1]; i++) {
        uint32_t row = partition->rows[i];
        const uint8_t *of = cuts->of_row + (size_t)row * CUTS_PER_VISIT_MAX;
        for (uint32_t k = 0; k < cuts->of_count[row]; k++) {
            if (++seen[of[k]] == 2) list[count++] = of[k];
        }
    }
    return count;
}

/* --- finding --- */

enum { MATES_MAX = 48 };

/* What of the solution touches each visit. */
struct shares {
    const struct partition *partition;
    uint32_t rows;   /* visits + 1 */
    float *together; /* [a * rows + b]: share of columns that hold both */
    uint16_t *mates; /* [a * MATES_MAX ..]: visits with which it shares anything */
    uint8_t *mate_count;
    const struct part *parts;
    uint32_t *first, *list; /* parts that hold a visit: list[first[a] .. first[a + 1]) */
};

static void shares_fill(struct shares *shares, uint32_t count, struct arena *scratch)
{
    const struct partition *partition = shares->partition;
    uint32_t rows = shares->rows;
    shares->together = arena_need(scratch, sizeof(float) * rows * rows);
    shares->first = arena_need(scratch, sizeof(uint32_t) * (rows + 2));
    for (uint32_t p = 0; p < count; p++) {
        uint32_t from = partition->first[shares->parts[p].column];
        uint32_t to = partition->first[shares->parts[p].column + 1];
        for (uint32_t i = from; i < to; i++) {
            shares->first[partition->rows[i] + 2]++;
            for (uint32_t k = from; k < to; k++)
                shares->together[(size_t)partition->rows[i] * rows + partition->rows[k]] +=
                    (float)shares->parts[p].share;
        }
    }
    for (uint32_t row = 1; row <= rows; row++)
        shares->first[row + 1] += shares->first[row];
    shares->list = arena_need(scratch, sizeof(uint32_t) * (shares->first[rows + 1] + 1));
    for (uint32_t p = 0; p < count; p++) {
        uint32_t c = shares->parts[p].column;
        for (uint32_t i = partition->first[c]; i < partition->first[c + 1]; i++)
            shares->list[shares->first[partition->rows[i] + 1]++] = p;
    }
}

static void mates_fill(struct shares *shares, struct arena *scratch)
{
    uint32_t rows = shares->rows;
    shares->mates = arena_need(scratch, sizeof(uint16_t) * rows * MATES_MAX);
    shares->mate_count = arena_need(scratch, rows);
    for (uint32_t a = 1; a < rows; a++) {
        const float *together = shares->together + (size_t)a * rows;
        for (uint32_t b = 1; b < rows && shares->mate_count[a] < MATES_MAX; b++) {
            if (b != a && together[b] > 1e-4F)
                shares->mates[a * MATES_MAX + shares->mate_count[a]++] = (uint16_t)b;
        }
    }
}

static bool part_holds(const struct shares *shares, uint32_t part, uint32_t row)
{
    const struct partition *partition = shares->partition;
    uint32_t c = shares->parts[part].column;
    for (uint32_t i = partition->first[c]; i < partition->first[c + 1]; i++) {
        if (partition->rows[i] == row) return true;
    }
    return false;
}

/* By how much the chosen shares that hold two or three of them exceed 1. */
static float violation(const struct shares *shares, uint32_t a, uint32_t b, uint32_t c)
{
    const float *of_a = shares->together + (size_t)a * shares->rows;
    const float *of_b = shares->together + (size_t)b * shares->rows;
    float sum = of_a[b] + of_a[c] + of_b[c] - 1; /* counts who holds all three thrice */
    if (sum <= VIOLATION_MIN) return 0;
    for (uint32_t i = shares->first[a]; i < shares->first[a + 1]; i++) {
        uint32_t part = shares->list[i];
        if (part_holds(shares, part, b) && part_holds(shares, part, c))
            sum -= 2 * (float)shares->parts[part].share;
    }
    return sum;
}

struct found {
    float violation;
    struct cut cut;
};

static void found_add(struct found *found, uint32_t *count, uint32_t cap, float violated,
                      struct cut cut)
{
    if (*count == cap && found[cap - 1].violation >= violated) return;
    if (*count < cap) (*count)++;
    uint32_t at = *count - 1;
    for (; at > 0 && found[at - 1].violation < violated; at--)
        found[at] = found[at - 1];
    found[at] = (struct found){violated, cut};
}

/* Triples of which `middle` shares something with both others; if all share, it is the first. */
static void triples_around(const struct shares *shares, uint32_t middle, struct found *found,
                           uint32_t *count, uint32_t cap)
{
    const uint16_t *mates = shares->mates + (size_t)middle * MATES_MAX;
    for (uint32_t i = 0; i < shares->mate_count[middle]; i++) {
        for (uint32_t k = i + 1; k < shares->mate_count[middle]; k++) {
            uint32_t a = mates[i], b = mates[k];
            bool all = shares->together[(size_t)a * shares->rows + b] > 1e-4F;
            if (all && middle > a) continue;
            float violated = violation(shares, middle, a, b);
            if (violated <= VIOLATION_MIN) continue;
            found_add(found, count, cap, violated,
                      (struct cut){{(uint16_t)middle, (uint16_t)a, (uint16_t)b}});
        }
    }
}

static bool cut_add(struct cuts *cuts, const struct cut *cut, uint8_t *fresh)
{
    if (cuts->count == CUTS_MAX) return false;
    for (uint32_t i = 0; i < 3; i++) {
        /* Few new ones for one visit: the others are met by them, as often as not. */
        uint32_t row = cut->rows[i];
        if (cuts->of_count[row] == CUTS_PER_VISIT_MAX || fresh[row] >= 4) return false;
    }
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t row = cut->rows[i];
        fresh[row]++;
        cuts->of_row[row * CUTS_PER_VISIT_MAX + cuts->of_count[row]++] = (uint8_t)cuts->count;
    }
    cuts->cut[cuts->count++] = *cut;
    return true;
}

uint32_t cuts_find(struct cuts *cuts, const struct partition *partition, const struct part *parts,
                   uint32_t count, struct arena *scratch)
{
    enum { FOUND_MAX = 4 * CUTS_ADDED_MAX };
    struct shares shares = {.partition = partition, .rows = partition->visits + 1, .parts = parts};
    shares_fill(&shares, count, scratch);
    mates_fill(&shares, scratch);
    struct found found[FOUND_MAX];
    uint32_t found_count = 0, added = 0;
    for (uint32_t row = 1; row < shares.rows; row++)
        triples_around(&shares, row, found, &found_count, FOUND_MAX);
    uint8_t *fresh = arena_need(scratch, shares.rows);
    for (uint32_t i = 0; i < found_count && added < CUTS_ADDED_MAX; i++)
        added += cut_add(cuts, &found[i].cut, fresh);
    return added;
}
