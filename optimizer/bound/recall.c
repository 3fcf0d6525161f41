#include "optimizer/bound/recall.h"

#include "base/check.h"
#include "optimizer/bound/proof.h"

#include <stdlib.h>
#include <string.h>

/* --- who is near ----------------------------------------------------------------------------- */

/* How long after leaving v one is back at v by way of w, or NEVER. */
static int32_t round_trip(const struct instance *in, const struct node *v, const struct node *w)
{
    int64_t left = (int64_t)(v->open > -NEVER / 4 ? v->open : -NEVER / 4) + v->service;
    int64_t there = left + instance_travel(in, v->place, w->place);
    if (there > w->last_close) return NEVER;
    int64_t leave = (there > w->open ? there : w->open) + w->service;
    int64_t back = leave + instance_travel(in, w->place, v->place);
    if (back > v->last_close) return NEVER;
    return (int32_t)(instance_travel(in, v->place, w->place) +
                     instance_travel(in, w->place, v->place));
}

/* Can any technician have both? */
static bool meet(const struct instance *in, uint32_t a, uint32_t b)
{
    uint32_t pin = in->nodes[a].pinned, other = in->nodes[b].pinned;
    if (pin != NO_INDEX && other != NO_INDEX && pin != other) return false;
    if (pin != NO_INDEX || other != NO_INDEX) return true;
    const uint8_t *one = in->can + (size_t)in->nodes[a].need * in->technician_count;
    const uint8_t *two = in->can + (size_t)in->nodes[b].need * in->technician_count;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        if (one[t] & two[t] & CAN_SERVE) return true;
    }
    return false;
}

static void near_fill(struct recall *recall, const struct instance *in, uint32_t v, uint32_t max)
{
    uint16_t *near = recall->near + (size_t)v * PROOF_NEAR_MAX;
    int32_t trip[PROOF_NEAR_MAX];
    uint32_t count = 0;
    for (uint32_t w = 0; w < recall->visits; w++) {
        if (w == v || in->nodes[w].frozen || !meet(in, v, w)) continue;
        int32_t there = round_trip(in, &in->nodes[v], &in->nodes[w]);
        int32_t here = round_trip(in, &in->nodes[w], &in->nodes[v]);
        int32_t least = there < here ? there : here;
        if (least >= NEVER || (count == max && trip[max - 1] <= least)) continue;
        uint32_t at = count < max ? count++ : max - 1;
        for (; at > 0 && trip[at - 1] > least; at--) {
            trip[at] = trip[at - 1];
            near[at] = near[at - 1];
        }
        trip[at] = least;
        near[at] = (uint16_t)w;
    }
    recall->near_count[v] = (uint8_t)count;
}

/* --- colours --------------------------------------------------------------------------------- */

struct colouring {
    uint32_t *first, *user; /* lists that hold a visit: user[first[v] .. first[v + 1]) */
    uint8_t *colour;        /* 64: none yet */
};

static void users_fill(struct colouring *to, const struct recall *recall, struct arena *scratch)
{
    uint32_t n = recall->visits, total = 0;
    to->first = arena_need(scratch, sizeof *to->first * (n + 2));
    for (uint32_t v = 0; v < n; v++) {
        for (uint32_t i = 0; i < recall->near_count[v]; i++)
            to->first[recall->near[v * PROOF_NEAR_MAX + i] + 2]++;
        total += recall->near_count[v];
    }
    for (uint32_t v = 1; v <= n; v++)
        to->first[v + 1] += to->first[v];
    to->user = arena_need(scratch, sizeof *to->user * (total + 1));
    for (uint32_t v = 0; v < n; v++) {
        for (uint32_t i = 0; i < recall->near_count[v]; i++)
            to->user[to->first[recall->near[v * PROOF_NEAR_MAX + i] + 1]++] = v;
    }
}

/* The colours in v's list and of v itself. */
static uint64_t seen_at(const struct colouring *colouring, const struct recall *recall, uint32_t v)
{
    uint64_t seen = 0;
    if (colouring->colour[v] < 64) seen |= UINT64_C(1) << colouring->colour[v];
    for (uint32_t i = 0; i < recall->near_count[v]; i++) {
        uint8_t colour = colouring->colour[recall->near[v * PROOF_NEAR_MAX + i]];
        if (colour < 64) seen |= UINT64_C(1) << colour;
    }
    return seen;
}

static void near_drop(struct recall *recall, uint32_t v, uint32_t w)
{
    uint16_t *near = recall->near + (size_t)v * PROOF_NEAR_MAX;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < recall->near_count[v]; i++) {
        if (near[i] != w) near[kept++] = near[i];
    }
    recall->near_count[v] = (uint8_t)kept;
}

/* Gives v a colour that differs from all it is listed with; where there is none, lists that have
 * colour 0 already lose v. */
static void colour_one(struct colouring *to, struct recall *recall, uint32_t v)
{
    uint64_t seen = seen_at(to, recall, v);
    for (uint32_t i = to->first[v]; i < to->first[v + 1]; i++)
        seen |= seen_at(to, recall, to->user[i]);
    uint8_t colour = 0;
    while (colour < 63 && (seen >> colour & 1) != 0)
        colour++;
    uint64_t bit = UINT64_C(1) << colour;
    for (uint32_t i = to->first[v]; i < to->first[v + 1]; i++) {
        if (seen_at(to, recall, to->user[i]) & bit) near_drop(recall, to->user[i], v);
    }
    if (seen_at(to, recall, v) & bit) recall->near_count[v] = 0;
    to->colour[v] = colour;
    recall->bit[v] = bit;
}

/* --- all of it ------------------------------------------------------------------------------- */

static void tables_fill(struct recall *recall)
{
    uint32_t n = recall->visits;
    for (uint32_t v = 0; v < n; v++) {
        uint64_t *back = recall->back + (size_t)v * n;
        back[v] = recall->bit[v];
        for (uint32_t i = 0; i < recall->near_count[v]; i++) {
            uint32_t w = recall->near[v * PROOF_NEAR_MAX + i];
            back[w] = recall->bit[w];
        }
    }
    for (uint32_t v = 0; v < n; v++) {
        for (uint32_t w = 0; w < n; w++) {
            const uint64_t *back = recall->back + (size_t)v * n;
            uint64_t keep = 0;
            for (uint32_t i = 0; i < recall->near_count[w]; i++)
                keep |= back[recall->near[w * PROOF_NEAR_MAX + i]];
            recall->keep[(size_t)v * n + w] = keep;
        }
    }
}

void recall_make(struct recall *recall, const struct instance *in, uint32_t near_max,
                 struct arena *arena)
{
    CHECK(near_max <= PROOF_NEAR_MAX);
    uint32_t n = in->visit_count;
    *recall = (struct recall){.visits = n};
    recall->near = arena_need(arena, sizeof *recall->near * PROOF_NEAR_MAX * (n + 1));
    recall->near_count = arena_need(arena, n + 1);
    recall->bit = arena_need(arena, sizeof *recall->bit * (n + 1));
    recall->keep = arena_need(arena, sizeof *recall->keep * ((size_t)n * n + 1));
    recall->back = arena_need(arena, sizeof *recall->back * ((size_t)n * n + 1));
    for (uint32_t v = 0; v < n && near_max > 0; v++)
        near_fill(recall, in, v, near_max);
    struct colouring colouring = {.colour = arena_need(arena, n + 1)};
    memset(colouring.colour, 64, n + 1);
    users_fill(&colouring, recall, arena);
    for (uint32_t v = 0; v < n; v++)
        colour_one(&colouring, recall, v);
    tables_fill(recall);
}

/* --- legs ------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

void recall_sort(struct recall *recall, const struct instance *in, struct arena *arena)
{
    uint32_t n = recall->visits;
    recall->nearest = arena_need(arena, sizeof *recall->nearest * ((size_t)n * n + 1));
    uint64_t *keys = arena_need(arena, sizeof *keys * (n + 1)); /* the leg, then the rank */
    for (uint32_t v = 0; v < n; v++) {
        for (uint32_t w = 0; w < n; w++) {
            int32_t leg = instance_travel(in, in->nodes[v].place, in->nodes[w].place);
            keys[w] = (uint64_t)(uint32_t)leg << 16 | w;
        }
        qsort(keys, n, sizeof *keys, by_value);
        for (uint32_t w = 0; w < n; w++)
            recall->nearest[(size_t)v * n + w] = (uint16_t)keys[w];
    }
}
