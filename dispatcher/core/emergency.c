/* emergency.c - where an emergency goes at least cost, and whom it displaces.
 *
 * A combination is a technician and up to EJECTED_MAX of his movable visits that make room; a
 * superset of what makes room already is not looked at. What a combination costs at least is what
 * its two routes cost; those that it ejects cost more when others take them, or when nobody does.
 * So combinations are tried from the least of these bounds on, until no bound is below the best, or
 * TRIED_MAX are. Whoever can take it without that anybody goes is tried before them: he may be the
 * best, however many have a lesser bound.
 */
#include "base/check.h"
#include "dispatcher/core/ask.h"

#include <string.h>

enum { TRIED_MAX = 64 };

struct combination {
    uint32_t shift, count;
    uint32_t ejected[EJECTED_MAX];
    int64_t at_least;
};

struct search {
    struct ask ask;
    struct judged *judged, *best;
    struct combination items[TRIED_MAX]; /* the least that make room, in order */
    struct combination plain; /* the least where nobody goes; shift NONE: there is none */
    uint32_t count;
};

static int64_t unserved_price(const struct search *search, uint32_t index)
{
    return search->ask.core->appointments[index].priority *
           search->ask.policy->unserved_s_per_priority;
}

static void add_route(const struct search *search, struct plan_parts *sum, uint32_t shift)
{
    struct plan_parts parts = route_parts(&search->ask, shift);
    plan_parts_add(sum, &parts);
}

/* The emergency is taken from whoever has it, the ejected from their route; none is pinned. */
static void take_off(const struct search *search, const struct combination *it)
{
    const struct ask *ask = &search->ask;
    suppose_off(ask->supposition, ask->appointment, ask->core->shifts[it->shift].technician, 0);
    for (uint32_t i = 0; i < it->count; i++)
        suppose_off(ask->supposition, it->ejected[i], NONE, 0);
}

/* As long as it is one of the least; of equals whoever came first. */
static void keep(struct search *search, struct combination it)
{
    struct combination *items = search->items;
    if (it.count == 0 && (search->plain.shift == NONE || it.at_least < search->plain.at_least))
        search->plain = it;
    if (search->count == TRIED_MAX && it.at_least >= items[TRIED_MAX - 1].at_least) return;
    uint32_t at = search->count < TRIED_MAX ? search->count++ : TRIED_MAX - 1;
    for (; at > 0 && items[at - 1].at_least > it.at_least; at--)
        items[at] = items[at - 1];
    items[at] = it;
}

/* Does it make room? Then it is kept, with what it costs at least. */
static bool look_at(struct search *search, struct combination it)
{
    const struct ask *ask = &search->ask;
    const struct wish wish = {.strict = true, .from = ask->home, .told_us = ask->start_before_us};
    struct plan_parts before = {.unserved = 0};
    add_route(search, &before, it.shift);
    take_off(search, &it);
    bool room = ask->core->shifts[it.shift].route_count < LIMIT_VISITS_PER_ROUTE;
    if (room) judge(ask->core, ask->appointment, it.shift, wish, ask->now_us, search->judged);
    suppose_end(ask->supposition);
    if (!room || search->judged->count == 0) return false;
    it.at_least = search->judged->cost - plan_parts_total(&before);
    keep(search, it);
    return true;
}

static bool may_go(const struct search *search, uint32_t index)
{
    const struct ask *ask = &search->ask;
    return index != ask->appointment && !ask->core->appointments[index].emergency &&
           appointment_mobility(ask->core, index, ask->now_us) == MOBILITY_MOVABLE;
}

static void look_at_shift(struct search *search, uint32_t shift)
{
    const struct shift *it = &search->ask.core->shifts[shift];
    bool alone[LIMIT_VISITS_PER_ROUTE] = {false};
    if (look_at(search, (struct combination){.shift = shift})) return;
    for (uint32_t i = 0; i < it->route_count; i++) {
        if (!may_go(search, it->route[i])) continue;
        alone[i] = look_at(search, (struct combination){shift, 1, {it->route[i], 0}, 0});
    }
    for (uint32_t i = 0; i < it->route_count; i++) {
        for (uint32_t k = i + 1; k < it->route_count; k++) {
            if (alone[i] || alone[k] || !may_go(search, it->route[i]) ||
                !may_go(search, it->route[k]))
                continue;
            (void)look_at(search, (struct combination){shift, 2, {it->route[i], it->route[k]}, 0});
        }
    }
}

/* Gives it to whom it costs least, within the rules; else nobody has it. */
static void give_away(struct search *search, uint32_t index, struct plan_parts *delta)
{
    const struct ask *ask = &search->ask;
    struct core *core = ask->core;
    const struct wish wish = {.strict = true, .from = NONE};
    int64_t least = unserved_price(search, index);
    uint32_t to = NONE;
    for (uint32_t s = core->boards[core->appointments[index].board].first_shift; s != NONE;
         s = core->shifts[s].next_of_board) {
        if (core->shifts[s].route_count == LIMIT_VISITS_PER_ROUTE) continue;
        judge(core, index, s, wish, ask->now_us, search->judged);
        if (search->judged->count == 0) continue;
        struct plan_parts before = route_parts(ask, s);
        int64_t more = search->judged->cost - plan_parts_total(&before);
        if (more >= least) continue;
        least = more;
        to = s;
        *search->best = *search->judged;
    }
    if (to == NONE) {
        delta->unserved += unserved_price(search, index);
        return;
    }
    struct plan_parts before = route_parts(ask, to);
    suppose_route(ask->supposition, to, search->best->route, search->best->start_us,
                  search->best->count);
    add_route(search, delta, to);
    *delta = plan_parts_less(delta, &before);
}

static void tell_displaced(const struct search *search, struct emergency_option *out)
{
    const struct ask *ask = &search->ask;
    const struct core *core = ask->core;
    const struct supposition *supposition = ask->supposition;
    out->displaced =
        arena_need(ask->arena, (supposition->visit_count + 1) * sizeof *out->displaced);
    out->displaced_count = 0;
    for (uint32_t i = 0; i < supposition->visit_count; i++) {
        const struct standing *was = &supposition->visits[i];
        const struct appointment *it = &core->appointments[was->appointment];
        bool same = was->shift == it->shift && was->planned_start_us == it->planned_start_us;
        if (was->appointment == ask->appointment || same) continue;
        out->displaced[out->displaced_count++] = (struct displacement){
            .appointment_id = it->id,
            .technician_before = core->technicians[core->shifts[was->shift].technician].id,
            .technician_after = owner_id(core, was->appointment),
            .start_before_us = was->planned_start_us,
            .start_after_us = it->planned_start_us,
            .late_us = late_after_us(core, was->appointment, it->planned_start_us),
        };
    }
}

/* Does it all by supposition, and measures it. */
static void try_it(struct search *search, const struct combination *it, bool strict,
                   struct emergency_option *out)
{
    const struct ask *ask = &search->ask;
    struct core *core = ask->core;
    struct plan_parts before = {.unserved = 0}, delta = {.unserved = 0};
    bool leaves = ask->home != NONE && ask->home != it->shift;
    add_route(search, &before, it->shift);
    if (leaves) add_route(search, &before, ask->home);
    if (ask->home == NONE) before.unserved = unserved_price(search, ask->appointment);
    take_off(search, it);
    const struct wish wish = {.strict = strict, .from = ask->home, .told_us = ask->start_before_us};
    judge(core, ask->appointment, it->shift, wish, ask->now_us, search->judged);
    CHECK(search->judged->count > 0);
    out->found = true;
    tell_judged(ask, search->judged, &out->move);
    suppose_route(ask->supposition, it->shift, search->judged->route, search->judged->start_us,
                  search->judged->count);
    add_route(search, &delta, it->shift);
    if (leaves) add_route(search, &delta, ask->home);
    delta = plan_parts_less(&delta, &before);
    for (uint32_t i = 0; i < it->count; i++)
        give_away(search, it->ejected[i], &delta);
    add_changes(ask, &delta);
    out->move.delta = delta;
    tell_displaced(search, out);
    suppose_end(ask->supposition);
}

static void search_within(struct search *search, struct emergency_option *best)
{
    const struct ask *ask = &search->ask;
    const struct core *core = ask->core;
    uint32_t first = core->boards[core->appointments[ask->appointment].board].first_shift;
    for (uint32_t s = first; s != NONE; s = core->shifts[s].next_of_board)
        look_at_shift(search, s);
    int64_t home = ask->home == NONE ? unserved_price(search, ask->appointment) : 0;
    if (search->plain.shift != NONE) try_it(search, &search->plain, true, best);
    for (uint32_t i = 0; i < search->count; i++) {
        struct emergency_option option = {.found = false};
        if (best->found && ask->home == NONE &&
            search->items[i].at_least - home >= plan_parts_total(&best->move.delta))
            return;
        try_it(search, &search->items[i], true, &option);
        if (best->found &&
            plan_parts_total(&option.move.delta) >= plan_parts_total(&best->move.delta))
            continue;
        *best = option;
    }
}

static bool only_late(const struct move *move)
{
    for (uint32_t i = 0; i < move->violation_count; i++) {
        if (move->violations[i].rule > RULE_TRAVEL) return false;
    }
    return move->violation_count > 0;
}

static void search_delaying(struct search *search, struct emergency_option *best)
{
    const struct ask *ask = &search->ask;
    const struct core *core = ask->core;
    struct move least;
    struct combination it = {.shift = NONE};
    uint32_t first = core->boards[core->appointments[ask->appointment].board].first_shift;
    for (uint32_t s = first; s != NONE; s = core->shifts[s].next_of_board) {
        struct move move;
        if (s != ask->home && core->shifts[s].route_count == LIMIT_VISITS_PER_ROUTE) continue;
        ask_move(ask, s, 0, 0, &move);
        if (!only_late(&move) || (it.shift != NONE && !move_better(&move, &least))) continue;
        least = move;
        it.shift = s;
    }
    if (it.shift != NONE) try_it(search, &it, false, best);
}

enum err core_emergency(struct core *core, const char *appointment_id, int64_t now_us,
                        struct arena *arena, struct emergency *out, struct problem *problem)
{
    struct search search = {.plain = {.shift = NONE}};
    enum err err = ask_open(&search.ask, core, appointment_id, now_us, arena, problem);
    if (err != ERR_OK) return err;
    const struct appointment *it = &core->appointments[search.ask.appointment];
    if (!it->emergency)
        return problem_set(problem, ERR_CONFLICT, "appointment_id",
                           "its order is not of the emergency class: ask Candidates");
    search.judged = arena_need(arena, sizeof *search.judged);
    search.best = arena_need(arena, sizeof *search.best);
    *out = (struct emergency){.technician_id = owner_id(core, search.ask.appointment),
                              .planned_start_us = search.ask.start_before_us};
    search_within(&search, &out->within_rules);
    search_delaying(&search, &out->delaying);
    return ERR_OK;
}
