#include "optimizer/bound/shadow.h"

#include <string.h>

enum { HOUR_S = 3600 };

const struct shadow_options shadow_options_default = {
    .windows_max = 10, .freezes_max = 10, .labels_max = 200000};

struct shadow {
    const struct workday *day;
    const struct instance *in;
    const struct recall *recall;
    const struct proof *proof;
    const struct shadow_options *options;
    struct arena *arena;
    struct desk desk;
    struct shadow_list *list;
};

/* --- changed instances ----------------------------------------------------------------------- */

static struct node *nodes_copy(const struct instance *in, struct arena *arena)
{
    struct node *nodes = arena_need(arena, sizeof *nodes * (in->visit_count + 1));
    memcpy(nodes, in->nodes, sizeof *nodes * in->visit_count);
    return nodes;
}

static struct technician *technicians_copy(const struct instance *in, struct arena *arena)
{
    struct technician *list = arena_need(arena, sizeof *list * (in->technician_count + 1));
    memcpy(list, in->technicians, sizeof *list * in->technician_count);
    return list;
}

struct instance shadow_longer(const struct instance *in, uint32_t technician, int32_t seconds,
                              struct arena *arena)
{
    struct instance changed = *in;
    changed.technicians = technicians_copy(in, arena);
    changed.technicians[technician].shift_end += seconds;
    changed.technicians[technician].latest_end += seconds;
    return changed;
}

struct instance shadow_any_time(const struct instance *in, uint32_t visit, struct arena *arena)
{
    struct instance changed = *in;
    changed.nodes = nodes_copy(in, arena);
    changed.wishes = arena_need(arena, sizeof *changed.wishes * (in->visit_count + 1));
    memcpy(changed.wishes, in->wishes, sizeof *changed.wishes * in->visit_count);
    struct node *node = &changed.nodes[visit];
    node->open = NOWAY / 2;
    node->close = node->last_close = NEVER - 1;
    node->span_count = 0;
    changed.wishes[visit].due_count = 0;
    node->soft = changed.wishes[visit].preferred_count > 0;
    return changed;
}

struct instance shadow_thawed(const struct instance *in, uint32_t visit, struct arena *arena)
{
    struct instance changed = *in;
    changed.nodes = nodes_copy(in, arena);
    changed.technicians = technicians_copy(in, arena);
    struct node *node = &changed.nodes[visit];
    if (node->frozen) changed.technicians[node->home].frozen--;
    node->frozen = false;
    node->pinned = NO_INDEX;
    return changed;
}

/* --- one technician -------------------------------------------------------------------------- */

static struct duals duals_of(const struct proof *proof, struct arena *arena)
{
    struct duals duals = {
        .visit = proof->visit_dual, .cut_count = proof->cut_count, .cuts = proof->cuts};
    duals.member = arena_need(arena, sizeof *duals.member * (proof->visit_count + 1));
    duals.keep = arena_need(arena, sizeof *duals.keep * (proof->visit_count + 1));
    for (uint32_t c = 0; c < proof->cut_count; c++) {
        uint64_t bit = UINT64_C(1) << (c % 64);
        for (uint32_t v = 0; v < proof->visit_count; v++) {
            if ((proof->cuts[c].memory[v / 8] >> (v % 8) & 1) != 0) duals.keep[v][c / 64] |= bit;
        }
        for (uint32_t i = 0; i < 3; i++) {
            duals.member[proof->cuts[c].visits[i]][c / 64] |= bit;
            duals.keep[proof->cuts[c].visits[i]][c / 64] |= bit;
        }
    }
    return duals;
}

int64_t shadow_saving(const struct instance *changed, const struct recall *recall,
                      const struct proof *proof, uint32_t technician, uint32_t labels_max,
                      struct desk *desk, struct arena *arena)
{
    struct duals duals = duals_of(proof, arena);
    struct priced priced;
    int64_t dual = proof->technician_dual[technician];
    const struct price_options options = {.limit = dual, .labels_max = labels_max, .walks_max = 1};
    price(&priced, changed, recall, technician, &duals, &options, desk);
    return priced.least < dual ? dual - priced.least : 0;
}

static int64_t saving(struct shadow *it, const struct instance *changed, uint32_t technician)
{
    return shadow_saving(changed, it->recall, it->proof, technician, it->options->labels_max,
                         &it->desk, it->arena);
}

/* What all who may serve it could save together: it is served once, by one of them. */
static int64_t saving_by_one(struct shadow *it, const struct instance *changed, uint32_t visit,
                             uint32_t but)
{
    int64_t most = 0;
    for (uint32_t t = 0; t < it->in->technician_count; t++) {
        if (t == but || it->in->technicians[t].alike != t) continue;
        if (!instance_allows(changed, t, visit)) continue;
        int64_t his = saving(it, changed, t);
        if (his > most) most = his;
    }
    return most;
}

/* --- the list -------------------------------------------------------------------------------- */

static void add(struct shadow *it, enum shadow_kind kind, uint32_t visit, uint32_t technician,
                uint32_t skill, int64_t worth)
{
    it->list->items[it->list->count++] =
        (struct shadow_price){kind, visit, technician, skill, worth};
}

static void add_hours(struct shadow *it, int64_t *hours)
{
    for (uint32_t t = 0; t < it->in->technician_count; t++) {
        uint32_t alike = it->in->technicians[t].alike;
        struct instance longer = shadow_longer(it->in, t, HOUR_S, it->arena);
        hours[t] = alike < t ? hours[alike] : saving(it, &longer, t);
        add(it, SHADOW_HOUR, NO_INDEX, t, NO_INDEX, hours[t]);
    }
    for (uint32_t skill = 0; skill < it->day->skill_count; skill++) {
        uint32_t best = NO_INDEX;
        for (uint32_t t = 0; t < it->in->technician_count; t++) {
            const struct technician_slot *slot = &it->day->technicians[it->in->technicians[t].slot];
            bool has = false;
            for (uint32_t s = 0; s < slot->skill_count; s++)
                has |= slot->skills[s].name == skill;
            if (has && (best == NO_INDEX || hours[t] > hours[best])) best = t;
        }
        if (best != NO_INDEX) add(it, SHADOW_SKILL_HOUR, NO_INDEX, best, skill, hours[best]);
    }
}

static bool has_window(const struct instance *in, uint32_t visit)
{
    const struct node *node = &in->nodes[visit];
    return !node->frozen && (node->open > NOWAY / 2 || node->close < NEVER - 1);
}

/* The one with the highest dual that is not taken yet; NO_INDEX: none. */
static uint32_t dearest(const struct shadow *it, bool frozen, const uint8_t *taken)
{
    uint32_t best = NO_INDEX;
    for (uint32_t v = 0; v < it->in->visit_count; v++) {
        bool wanted = frozen ? it->in->nodes[v].frozen : has_window(it->in, v);
        if (!wanted || taken[v]) continue;
        if (best == NO_INDEX || it->proof->visit_dual[v] > it->proof->visit_dual[best]) best = v;
    }
    return best;
}

static void add_windows(struct shadow *it)
{
    uint8_t *taken = arena_need(it->arena, it->in->visit_count + 1);
    for (uint32_t i = 0; i < it->options->windows_max; i++) {
        uint32_t v = dearest(it, false, taken);
        if (v == NO_INDEX) return;
        struct instance changed = shadow_any_time(it->in, v, it->arena);
        taken[v] = 1;
        add(it, SHADOW_WINDOW, v, NO_INDEX, NO_INDEX, saving_by_one(it, &changed, v, NO_INDEX));
    }
}

static void add_freezes(struct shadow *it)
{
    uint8_t *taken = arena_need(it->arena, it->in->visit_count + 1);
    for (uint32_t i = 0; i < it->options->freezes_max; i++) {
        uint32_t v = dearest(it, true, taken);
        if (v == NO_INDEX) return;
        struct instance changed = shadow_thawed(it->in, v, it->arena);
        uint32_t home = it->in->nodes[v].home;
        taken[v] = 1;
        add(it, SHADOW_FREEZE, v, home, NO_INDEX,
            saving(it, &changed, home) + saving_by_one(it, &changed, v, home));
    }
}

void shadow_prices(const struct workday *day, const struct instance *in,
                   const struct recall *recall, const struct proof *proof,
                   const struct shadow_options *options, struct arena *arena,
                   struct shadow_list *list)
{
    struct shadow it = {.day = day,
                        .in = in,
                        .recall = recall,
                        .proof = proof,
                        .options = options,
                        .arena = arena,
                        .list = list};
    size_t most = (size_t)in->visit_count + 2 * (size_t)in->technician_count + day->skill_count +
                  options->windows_max + options->freezes_max;
    *list = (struct shadow_list){arena_need(arena, sizeof *list->items * (most + 1)), 0};
    int64_t *hours = arena_need(arena, sizeof *hours * (in->technician_count + 1));
    desk_open(&it.desk);
    for (uint32_t v = 0; v < in->visit_count; v++)
        add(&it, SHADOW_VISIT, v, NO_INDEX, NO_INDEX, proof->visit_dual[v]);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        int64_t dual = proof->technician_dual[t];
        if (in->technicians[t].frozen == 0)
            add(&it, SHADOW_TECHNICIAN, NO_INDEX, t, NO_INDEX, dual < 0 ? -dual : 0);
    }
    add_hours(&it, hours);
    add_windows(&it);
    add_freezes(&it);
    desk_close(&it.desk);
}
