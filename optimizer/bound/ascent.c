#include "optimizer/bound/ascent.h"

#include <math.h>
#include <string.h>

enum { PATIENCE = 10, STEPS_A_LOOK = 8 };

static const double SHARE_NEW = 0.1, /* of a new answer in the average */
    HOPE = 0.01,                     /* share by which more might be proved */
    STEP_FIRST = 0.5, STEP_MAX = 2, STEP_UP = 1.1, STEP_DOWN = 0.7, STEP_MIN = 1e-3, FAR_OFF = 1e15;

/* What `dual` proves over the known walks, and which these are. */
static void look(struct ascent *a)
{
    const struct relaxation *r = a->of;
    for (uint32_t c = 0; c < r->crew_count; c++) {
        a->least[c] = r->crews[c].must ? FAR_OFF : (double)r->crews[c].empty;
        a->pick[c] = NO_INDEX;
    }
    for (uint32_t j = 0; j < r->used_count; j++) {
        if (r->used[j].walk == NO_INDEX) continue;
        const struct known_walk *walk = &r->walks->list[r->used[j].walk];
        const uint16_t *visits = r->walks->visits + walk->first;
        double reduced = (double)walk->cost;
        uint32_t crew = r->crew_of[walk->technician];
        for (uint32_t i = 0; i < walk->count; i++)
            reduced -= a->dual[visits[i]];
        if (reduced >= a->least[crew]) continue;
        a->least[crew] = reduced;
        a->pick[crew] = r->used[j].walk;
    }
    a->value = 0;
    for (uint32_t v = 0; v < r->in->visit_count; v++)
        a->value += a->dual[v];
    for (uint32_t c = 0; c < r->crew_count; c++)
        a->value += a->least[c] * r->crews[c].size;
}

static void serves_fill(struct ascent *a)
{
    const struct relaxation *r = a->of;
    memset(a->serves, 0, sizeof *a->serves * r->in->visit_count);
    for (uint32_t c = 0; c < r->crew_count; c++) {
        if (a->pick[c] == NO_INDEX) continue;
        const struct known_walk *walk = &r->walks->list[a->pick[c]];
        const uint16_t *visits = r->walks->visits + walk->first;
        for (uint32_t i = 0; i < walk->count; i++)
            a->serves[visits[i]] += r->crews[c].size;
    }
}

static double most_of(const struct relaxation *r, uint32_t visit)
{
    return (double)r->in->nodes[visit].price * PROOF_FINE;
}

/* From the best duals, along the average. False: there is nowhere to go. */
static bool step(struct ascent *a, double value, double length)
{
    const struct relaxation *r = a->of;
    double square = 0;
    for (uint32_t v = 0; v < r->in->visit_count; v++) {
        double towards = 1 - a->serves_avg[v];
        if (towards < 0 || a->best[v] < most_of(r, v)) square += towards * towards;
    }
    if (square < 1e-9) return false;
    double by = length * (a->hoped - value) / square;
    for (uint32_t v = 0; v < r->in->visit_count; v++)
        a->dual[v] = fmin(a->best[v] + by * (1 - a->serves_avg[v]), most_of(r, v));
    return true;
}

/* False: it was stopped. */
static bool climb(struct ascent *a, uint32_t steps, bool (*stop)(void *context), void *context)
{
    uint32_t n = a->of->in->visit_count, waited = 0;
    bool stopped = false;
    double best = -FAR_OFF, length = STEP_FIRST;
    for (uint32_t i = 0; i <= steps; i++) {
        look(a);
        double hope = a->value + HOPE * fabs(a->value);
        if (hope > a->hoped) a->hoped = hope;
        serves_fill(a);
        for (uint32_t v = 0; v < n; v++)
            a->serves_avg[v] = i == 0
                                   ? a->serves[v]
                                   : SHARE_NEW * a->serves[v] + (1 - SHARE_NEW) * a->serves_avg[v];
        if (i == 0 || a->value > best) {
            best = a->value;
            memcpy(a->best, a->dual, sizeof *a->best * n);
            if (i > 0 && length < STEP_MAX) length *= STEP_UP;
            waited = 0;
        } else if (++waited >= PATIENCE) {
            length *= STEP_DOWN;
            waited = 0;
        }
        stopped = i % STEPS_A_LOOK == 0 && stop != NULL && stop(context);
        if (stopped || length < STEP_MIN || !step(a, best, length)) break;
    }
    memcpy(a->dual, a->best, sizeof *a->best * n);
    look(a);
    return !stopped;
}

void ascent_open(struct ascent *a, struct relaxation *r, struct arena *arena)
{
    size_t visits = sizeof(double) * (r->in->visit_count + 1), crews = r->crew_count + 1;
    *a = (struct ascent){.of = r, .dual = arena_need(arena, visits)};
    a->best = arena_need(arena, visits);
    a->serves = arena_need(arena, visits);
    a->serves_avg = arena_need(arena, visits);
    a->least = arena_need(arena, sizeof *a->least * crews);
    a->pick = arena_need(arena, sizeof *a->pick * crews);
}

bool ascent_make(struct ascent *a, uint32_t steps, bool (*stop)(void *context), void *context)
{
    struct relaxation *r = a->of;
    a->hoped = r->value * PROOF_FINE;
    for (uint32_t v = 0; v < r->in->visit_count; v++)
        a->dual[v] = (double)r->visit_dual[v];
    bool all = climb(a, steps, stop, context);
    for (uint32_t v = 0; v < r->in->visit_count; v++)
        r->visit_dual[v] = llround(a->dual[v]);
    for (uint32_t c = 0; c < r->crew_count; c++)
        r->crew_dual[c] = llround(a->least[c]);
    r->value = a->value / PROOF_FINE;
    return all;
}
