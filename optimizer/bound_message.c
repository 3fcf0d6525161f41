#include "optimizer/bound_message.h"

#include "base/borrowed.h"

enum { PRICES_MAX = 10000, MILLION = 1000000 };

void plan_bound_fill(Callout__PlanBound *bound, const struct proof *proof, uint64_t base_revision,
                     int64_t cost, int64_t age_seconds)
{
    int64_t lower = proof_seconds(proof), above = cost - proof->hopeless;
    callout__plan_bound__init(bound);
    bound->known = true;
    bound->certified = true;
    bound->base_revision = base_revision;
    bound->cost_seconds = cost;
    bound->lower_bound_seconds = lower;
    bound->gap_seconds = cost > lower ? cost - lower : 0;
    bound->gap_ppm = above > 0 ? bound->gap_seconds * MILLION / above : 0;
    bound->age_seconds = age_seconds;
}

static Callout__ShadowPriceKind kind_of(enum shadow_kind kind)
{
    switch (kind) {
    case SHADOW_VISIT: return CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_VISIT;
    case SHADOW_TECHNICIAN: return CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_TECHNICIAN;
    case SHADOW_HOUR: return CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_HOUR;
    case SHADOW_SKILL_HOUR: return CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_SKILL_HOUR;
    case SHADOW_WINDOW: return CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_WINDOW;
    case SHADOW_FREEZE: return CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_FREEZE;
    case SHADOW_KINDS: break;
    }
    return CALLOUT__SHADOW_PRICE_KIND__SHADOW_PRICE_KIND_UNSPECIFIED;
}

void bound_report_prices(Callout__BoundReport *report, const struct workday *day,
                         const struct instance *in, const struct shadow_list *list,
                         struct arena *arena)
{
    report->prices = arena_need(arena, sizeof *report->prices * (list->count + 1));
    for (uint32_t i = 0; i < list->count && report->n_prices < PRICES_MAX; i++) {
        const struct shadow_price *from = &list->items[i];
        if (from->worth <= 0) continue;
        Callout__ShadowPrice *to = arena_need(arena, sizeof *to);
        callout__shadow_price__init(to);
        to->kind = kind_of(from->kind);
        to->seconds = shadow_seconds(from->worth);
        if (from->visit != NO_INDEX)
            to->appointment_id = borrowed(day->visits[in->nodes[from->visit].slot].id);
        if (from->technician != NO_INDEX)
            to->technician_id =
                borrowed(day->technicians[in->technicians[from->technician].slot].id);
        if (from->skill != NO_INDEX) to->skill = borrowed(day->skill_names[from->skill]);
        report->prices[report->n_prices++] = to;
    }
}
