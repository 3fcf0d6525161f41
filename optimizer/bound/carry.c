#include "optimizer/bound/carry.h"

#include "base/check.h"

#include <string.h>

enum { CARRY_MEMORY_MAX = 1 << 29 };

const struct carry_options carry_options_default = {
    .metric = true, .exact_max = 4, .labels_max = 4000, .few_labels = 200};

/* A visit as it was; names are slots. */
struct known_visit {
    uint64_t hash; /* 0: none */
    struct point at;
    struct node node;
    uint64_t windows, wishes; /* digests of all spans */
    uint32_t home;            /* technician's slot */
    int64_t dual;
};

struct known_technician {
    uint64_t hash; /* 0: none */
    struct point start, end;
    struct technician was;
    int64_t dual;
};

struct known {
    struct known_visit *visits; /* by slot */
    uint32_t visit_slots;
    struct known_technician *technicians; /* by slot */
    uint32_t technician_slots;
    /* [visit slot * technician_slots + technician slot]: instance_who_price; -1: he may not. */
    int32_t *who_price;
    struct proof_cut cuts[PROOF_CUTS_MAX]; /* of visits' slots, memory too */
    uint32_t cut_count;
    uint32_t relaxed;
    struct policy policy;
    int32_t tolerance;
};

void carry_open(struct carry *carry, const struct carry_options *options)
{
    *carry = (struct carry){.options = *options};
    arena_open(&carry->memory[0], CARRY_MEMORY_MAX);
    arena_open(&carry->memory[1], CARRY_MEMORY_MAX);
    desk_open(&carry->desk);
}

void carry_close(struct carry *carry)
{
    arena_close(&carry->memory[0]);
    arena_close(&carry->memory[1]);
    desk_close(&carry->desk);
}

void carry_forget(struct carry *carry)
{
    carry->known = NULL;
}

/* --- what is known --------------------------------------------------------------------------- */

static uint64_t spans_digest(const struct instance *in, uint32_t at, uint32_t count, uint64_t more)
{
    struct digest digest = digest_start();
    digest_u64(&digest, more);
    for (uint32_t i = 0; i < count; i++) {
        digest_u64(&digest, (uint64_t)(int64_t)in->spans[at + i].open);
        digest_u64(&digest, (uint64_t)(int64_t)in->spans[at + i].close);
    }
    return digest.state;
}

static uint64_t wishes_digest(const struct instance *in, uint32_t visit)
{
    const struct wish *wish = &in->wishes[visit];
    if (!in->nodes[visit].soft) return 0;
    uint64_t due = spans_digest(in, wish->due_at, wish->due_count, 1);
    return spans_digest(in, wish->preferred_at, wish->preferred_count, due);
}

static uint32_t slot_of(const struct instance *in, uint32_t technician)
{
    return technician < in->technician_count ? in->technicians[technician].slot : NO_INDEX;
}

static struct known_visit visit_as_is(const struct workday *day, const struct instance *in,
                                      uint32_t visit, int64_t dual)
{
    const struct node *node = &in->nodes[visit];
    return (struct known_visit){
        .hash = node->hash,
        .at = day->places[node->place].at,
        .node = *node,
        .windows = spans_digest(in, node->span_at, node->span_count, 0),
        .wishes = wishes_digest(in, visit),
        .home = slot_of(in, node->home),
        .dual = dual,
    };
}

static struct known_technician technician_as_is(const struct workday *day,
                                                const struct technician *who, int64_t dual)
{
    return (struct known_technician){who->hash, day->places[who->start].at,
                                     day->places[who->end].at, *who, dual};
}

static void cuts_keep(struct known *known, const struct instance *in, const struct proof *proof,
                      struct arena *arena)
{
    for (uint32_t c = 0; c < proof->cut_count; c++) {
        struct proof_cut *cut = &known->cuts[c];
        uint8_t *memory = arena_need(arena, known->visit_slots / 8 + 1);
        *cut = (struct proof_cut){.dual = proof->cuts[c].dual, .memory = memory};
        for (uint32_t i = 0; i < 3; i++)
            cut->visits[i] = (uint16_t)in->nodes[proof->cuts[c].visits[i]].slot;
        for (uint32_t v = 0; v < in->visit_count; v++) {
            uint32_t slot = in->nodes[v].slot;
            if (proof->cuts[c].memory[v / 8] >> (v % 8) & 1)
                memory[slot / 8] |= (uint8_t)(1U << (slot % 8));
        }
    }
    known->cut_count = proof->cut_count;
}

static struct known *known_make(const struct workday *day, const struct instance *in,
                                const struct proof *proof, struct arena *arena)
{
    struct known *known = arena_need(arena, sizeof *known);
    known->visit_slots = day->visit_count;
    known->technician_slots = day->technician_count;
    known->visits = arena_need(arena, sizeof *known->visits * (known->visit_slots + 1));
    known->technicians =
        arena_need(arena, sizeof *known->technicians * (known->technician_slots + 1));
    size_t pairs = (size_t)known->visit_slots * known->technician_slots;
    known->who_price = arena_need(arena, sizeof *known->who_price * (pairs + 1));
    memset(known->who_price, -1, sizeof *known->who_price * (pairs + 1));
    for (uint32_t v = 0; v < in->visit_count; v++) {
        uint32_t slot = in->nodes[v].slot;
        known->visits[slot] = visit_as_is(day, in, v, proof->visit_dual[v]);
        int32_t *who_price = known->who_price + (size_t)slot * known->technician_slots;
        for (uint32_t t = 0; t < in->technician_count; t++) {
            if (instance_allows(in, t, v))
                who_price[in->technicians[t].slot] = instance_who_price(in, t, v);
        }
    }
    for (uint32_t t = 0; t < in->technician_count; t++)
        known->technicians[in->technicians[t].slot] =
            technician_as_is(day, &in->technicians[t], proof->technician_dual[t]);
    cuts_keep(known, in, proof, arena);
    known->relaxed = proof->relaxed;
    known->policy = in->policy;
    known->tolerance = in->tolerance;
    return known;
}

void carry_keep(struct carry *carry, const struct workday *day, const struct instance *in,
                const struct proof *proof)
{
    struct arena *arena = &carry->memory[carry->turn ^= 1];
    arena_rewind(arena);
    carry->known = known_make(day, in, proof, arena);
}

/* --- what has changed ------------------------------------------------------------------------ */

struct change {
    struct carry *carry;
    const struct known *known;
    const struct workday *day;
    const struct instance *in;
    int64_t *visit_dual, *technician_dual; /* by rank */
    uint8_t *reprice;                      /* technicians, by rank */
    uint8_t *anew;                         /* visits, by rank: their dual began with 0 */
};

/* May it be served only when and as it could before, and at no lower price of its start? */
static bool visit_is_tighter(const struct known_visit *was, const struct known_visit *now)
{
    const struct node *a = &was->node, *b = &now->node;
    if (!point_same(was->at, now->at) || b->service < a->service || b->load < a->load) return false;
    if (was->wishes != now->wishes || a->soft != b->soft) return false;
    if (a->span_count == 0 && b->span_count == 0) return b->open >= a->open && b->close <= a->close;
    return a->open == b->open && a->close == b->close && was->windows == now->windows;
}

/* By how much less it costs anybody who is not its home. */
static int32_t who_cheaper_by(const struct node *was, const struct node *now)
{
    return was->change_technician > now->change_technician
               ? was->change_technician - now->change_technician
               : 0;
}

/* By how much less its start may cost. */
static int32_t start_cheaper_by(const struct node *was, const struct node *now)
{
    bool told_anew = was->change_start > now->change_start || was->planned != now->planned;
    return told_anew ? was->change_start : 0;
}

static void reprice_all_who_may(struct change *change, uint32_t visit)
{
    const struct instance *in = change->in;
    for (uint32_t t = 0; t < in->technician_count; t++) {
        bool limited = in->technicians[t].leg_max < INT32_MAX;
        if ((limited || !change->carry->options.metric) && instance_allows(in, t, visit))
            change->reprice[t] = 1;
    }
}

/* Who might not serve it before, or for more than what is taken off its dual. */
static void reprice_new_servers(struct change *change, const struct known_visit *was,
                                uint32_t visit)
{
    const struct instance *in = change->in;
    const struct known *known = change->known;
    const int32_t *before = known->who_price + (size_t)was->node.slot * known->technician_slots;
    int32_t less = who_cheaper_by(&was->node, &in->nodes[visit]);
    for (uint32_t t = 0; t < in->technician_count; t++) {
        uint32_t slot = in->technicians[t].slot;
        int32_t price = slot < known->technician_slots ? before[slot] : -1;
        if (instance_allows(in, t, visit) &&
            (price < 0 || instance_who_price(in, t, visit) < price - less))
            change->reprice[t] = 1;
    }
}

static void visit_change(struct change *change, uint32_t visit)
{
    const struct instance *in = change->in;
    const struct node *node = &in->nodes[visit];
    const struct known *known = change->known;
    const struct known_visit *was =
        node->slot < known->visit_slots ? &known->visits[node->slot] : NULL;
    int64_t most = (int64_t)node->price * PROOF_FINE;
    struct known_visit now = visit_as_is(change->day, in, visit, 0);
    bool known_before = was != NULL && was->hash == node->hash;
    int64_t dual = 0;
    if (known_before && visit_is_tighter(was, &now)) {
        int64_t less =
            (int64_t)who_cheaper_by(&was->node, node) + start_cheaper_by(&was->node, node);
        dual = was->dual - less * PROOF_FINE;
    } else {
        change->anew[visit] = 1;
        reprice_all_who_may(change, visit);
        if (node->frozen) change->reprice[node->home] = 1; /* no route of his is without it */
    }
    if (known_before) reprice_new_servers(change, was, visit);
    change->visit_dual[visit] = dual < most ? dual : most;
}

/* Could he have a route that he could not have before, or a cheaper one? */
static bool technician_is_tighter(const struct known_technician *was,
                                  const struct known_technician *now)
{
    const struct technician *a = &was->was, *b = &now->was;
    return point_same(was->start, now->start) && point_same(was->end, now->end) &&
           b->available >= a->available && b->latest_end <= a->latest_end &&
           b->shift_end <= a->shift_end && b->break_earliest == a->break_earliest &&
           b->break_latest == a->break_latest && b->break_length == a->break_length &&
           b->leg_max <= a->leg_max && b->travel_max <= a->travel_max && b->capacity <= a->capacity;
}

static void technician_change(struct change *change, uint32_t technician)
{
    const struct technician *who = &change->in->technicians[technician];
    const struct known *known = change->known;
    const struct known_technician *was =
        who->slot < known->technician_slots ? &known->technicians[who->slot] : NULL;
    struct known_technician now = technician_as_is(change->day, who, 0);
    if (was != NULL && was->hash == who->hash) {
        change->technician_dual[technician] = was->dual;
        if (technician_is_tighter(was, &now)) return;
    }
    change->reprice[technician] = 1;
}

/* Whoever had to begin with a visit, and has not any more. */
static void thawed(struct change *change)
{
    const struct instance *in = change->in;
    for (uint32_t slot = 0; slot < change->known->visit_slots; slot++) {
        const struct known_visit *was = &change->known->visits[slot];
        if (was->hash == 0 || !was->node.frozen || was->home == NO_INDEX) continue;
        uint32_t visit = slot < change->day->visit_count ? in->visit_of_slot[slot] : NO_INDEX;
        bool still = visit != NO_INDEX && in->nodes[visit].hash == was->hash &&
                     in->nodes[visit].frozen && slot_of(in, in->nodes[visit].home) == was->home;
        uint32_t home = was->home < change->day->technician_count
                            ? in->technician_of_slot[was->home]
                            : NO_INDEX;
        if (!still && home != NO_INDEX) change->reprice[home] = 1;
    }
}

/* --- cuts ------------------------------------------------------------------------------------ */

/* The ranks of those that are there still; a cut of fewer than two counts nothing. */
static uint32_t members_left(const struct change *change, const struct proof_cut *cut,
                             uint16_t *ranks)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t slot = cut->visits[i];
        uint32_t visit =
            slot < change->day->visit_count ? change->in->visit_of_slot[slot] : NO_INDEX;
        bool same =
            visit != NO_INDEX && change->in->nodes[visit].hash == change->known->visits[slot].hash;
        if (!same || (count > 0 && ranks[count - 1] == visit)) continue;
        ranks[count++] = (uint16_t)visit;
    }
    return count;
}

static void members_put(struct proof_cut *cut, uint16_t *ranks, uint32_t count)
{
    if (count == 2) ranks[2] = ranks[1];
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t at = i;
        for (; at > 0 && cut->visits[at - 1] > ranks[i]; at--)
            cut->visits[at] = cut->visits[at - 1];
        cut->visits[at] = ranks[i];
    }
}

static uint32_t cuts_carry(const struct change *change, struct proof_cut *cuts, struct arena *arena)
{
    const struct known *known = change->known;
    const struct instance *in = change->in;
    uint32_t count = 0;
    for (uint32_t c = 0; c < known->cut_count; c++) {
        uint16_t ranks[3];
        uint32_t members = members_left(change, &known->cuts[c], ranks);
        if (members < 2) continue;
        uint8_t *memory = arena_need(arena, in->visit_count / 8 + 1);
        cuts[count] = (struct proof_cut){.dual = known->cuts[c].dual, .memory = memory};
        members_put(&cuts[count++], ranks, members);
        for (uint32_t v = 0; v < in->visit_count; v++) {
            uint32_t slot = in->nodes[v].slot;
            if (change->anew[v] || (known->cuts[c].memory[slot / 8] >> (slot % 8) & 1))
                memory[v / 8] |= (uint8_t)(1U << (v % 8));
        }
    }
    return count;
}

/* --- pricing --------------------------------------------------------------------------------- */

static struct duals duals_of(const struct change *change, const struct proof_cut *cuts,
                             uint32_t count, struct arena *arena)
{
    uint32_t n = change->in->visit_count;
    struct duals duals = {.visit = change->visit_dual, .cut_count = count, .cuts = cuts};
    duals.member = arena_need(arena, sizeof *duals.member * (n + 1));
    duals.keep = arena_need(arena, sizeof *duals.keep * (n + 1));
    for (uint32_t c = 0; c < count; c++) {
        uint64_t bit = UINT64_C(1) << (c % 64);
        for (uint32_t i = 0; i < 3; i++)
            duals.member[cuts[c].visits[i]][c / 64] |= bit;
        for (uint32_t v = 0; v < n; v++) {
            if (cuts[c].memory[v / 8] >> (v % 8) & 1) duals.keep[v][c / 64] |= bit;
        }
    }
    return duals;
}

/* What his route of the plan comes to: the least is no more. */
static int64_t reduced_of_plan(const struct proof *proof, const struct plan *plan,
                               uint32_t technician)
{
    const struct route *route = &plan->routes[technician];
    uint16_t visits[ROUTE_MAX];
    for (uint32_t i = 0; i < route->count; i++)
        visits[i] = route->stops[i + 1].visit;
    return proof_reduced(proof, technician, visits, route->count, route->cost) +
           proof->technician_dual[technician];
}

static void reprice(struct change *change, struct proof *proof, const struct plan *plan,
                    struct arena *arena)
{
    struct carry *carry = change->carry;
    const struct carry_options *options = &carry->options;
    struct recall recall;
    bool made = false;
    const struct duals duals = duals_of(change, proof->cuts, proof->cut_count, arena);
    carry->repriced = 0;
    for (uint32_t t = 0; t < change->in->technician_count; t++) {
        if (!change->reprice[t]) continue;
        if (!made) recall_make(&recall, change->in, PROOF_NEAR_MAX / 2, arena);
        made = true;
        bool exact = carry->repriced++ < options->exact_max;
        const struct price_options wanted = {
            .limit = reduced_of_plan(proof, plan, t),
            .labels_max = exact ? options->labels_max : options->few_labels,
        };
        struct priced priced;
        price(&priced, change->in, &recall, t, &duals, &wanted, &carry->desk);
        change->technician_dual[t] = priced.least;
        proof->relaxed |= priced.relaxed;
    }
}

/* --- all of it ------------------------------------------------------------------------------- */

static bool same_prices(const struct known *known, const struct instance *in)
{
    struct policy was = known->policy, now = in->policy;
    return was.overtime_price_percent == now.overtime_price_percent &&
           was.overtime_tier_us == now.overtime_tier_us &&
           was.overtime_tier_price_percent == now.overtime_tier_price_percent &&
           was.travel_price_percent == now.travel_price_percent &&
           was.lateness_price_percent == now.lateness_price_percent &&
           was.preferred_window_missed_s == now.preferred_window_missed_s &&
           was.preferred_technician_missed_s == now.preferred_technician_missed_s &&
           known->tolerance == in->tolerance;
}

bool carry_over(struct carry *carry, const struct workday *day, const struct instance *in,
                const struct plan *plan)
{
    if (carry->known == NULL) return false;
    struct arena *arena = &carry->memory[carry->turn ^ 1];
    arena_rewind(arena);
    struct change change = {.carry = carry, .known = carry->known, .day = day, .in = in};
    change.visit_dual = arena_need(arena, sizeof(int64_t) * (in->visit_count + 1));
    change.technician_dual = arena_need(arena, sizeof(int64_t) * (in->technician_count + 1));
    change.reprice = arena_need(arena, in->technician_count + 1);
    change.anew = arena_need(arena, in->visit_count + 1);
    struct proof_cut *cuts = arena_need(arena, sizeof *cuts * PROOF_CUTS_MAX);
    for (uint32_t v = 0; v < in->visit_count; v++)
        visit_change(&change, v);
    for (uint32_t t = 0; t < in->technician_count; t++)
        technician_change(&change, t);
    thawed(&change);
    if (!same_prices(carry->known, in)) memset(change.reprice, 1, in->technician_count);
    struct proof *proof = &carry->proof;
    *proof = (struct proof){.visit_count = in->visit_count,
                            .technician_count = in->technician_count,
                            .cut_count = cuts_carry(&change, cuts, arena),
                            .visit_dual = change.visit_dual,
                            .technician_dual = change.technician_dual,
                            .cuts = cuts,
                            .relaxed = carry->known->relaxed,
                            .hopeless = price_hopeless(in)};
    proof->near = arena_need(arena, sizeof *proof->near * PROOF_NEAR_MAX * (in->visit_count + 1));
    proof->near_count = arena_need(arena, in->visit_count + 1);
    reprice(&change, proof, plan, arena);
    proof->bound = proof_sum(proof);
    carry->turn ^= 1;
    carry->known = known_make(day, in, proof, arena);
    return true;
}
