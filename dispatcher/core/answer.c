/* answer.c - what a move would be: made by supposition, measured, taken back. */
#include "dispatcher/core/answer.h"

#include "base/check.h"
#include "dispatcher/core/ask.h"

#include <string.h>

int64_t plan_parts_total(const struct plan_parts *parts)
{
    return cost_total(&parts->route) + parts->unserved;
}

struct plan_parts plan_parts_less(const struct plan_parts *a, const struct plan_parts *b)
{
    return (struct plan_parts){
        .route.travel = a->route.travel - b->route.travel,
        .route.overtime = a->route.overtime - b->route.overtime,
        .route.lateness = a->route.lateness - b->route.lateness,
        .route.preferred_window = a->route.preferred_window - b->route.preferred_window,
        .route.preferred_technician = a->route.preferred_technician - b->route.preferred_technician,
        .route.change_technician = a->route.change_technician - b->route.change_technician,
        .route.change_start = a->route.change_start - b->route.change_start,
        .unserved = a->unserved - b->unserved,
    };
}

void plan_parts_add(struct plan_parts *to, const struct plan_parts *more)
{
    static const struct plan_parts nothing;
    struct plan_parts less = plan_parts_less(&nothing, more);
    *to = plan_parts_less(to, &less);
}

/* --- asking ------------------------------------------------------------- */

enum err ask_open(struct ask *ask, struct core *core, const char *appointment_id, int64_t now_us,
                  struct arena *arena, struct problem *problem)
{
    uint32_t index = NONE;
    enum err err = find_appointment(core, appointment_id, &index, problem);
    if (err != ERR_OK) return err;
    const struct appointment *it = &core->appointments[index];
    if (!life_plannable(it->status))
        return problem_set(problem, ERR_CONFLICT, "appointment_id",
                           "is %s: it is not planned any more",
                           appointment_status_name(it->status));
    if (it->held) return refuse_held(problem);
    *ask = (struct ask){.core = core, .arena = arena, .now_us = now_us, .appointment = index};
    ask->policy = &core->territories[core->boards[it->board].territory].policy;
    ask->home = it->shift;
    ask->was_frozen = appointment_mobility(core, index, now_us) == MOBILITY_FROZEN;
    ask->was_pinned = appointment_mobility(core, index, now_us) != MOBILITY_MOVABLE;
    ask->start_before_us = it->shift == NONE ? 0 : it->planned_start_us;
    ask->supposition = arena_need(arena, sizeof *ask->supposition);
    suppose_begin(ask->supposition, core);
    return ERR_OK;
}

struct plan_parts route_parts(const struct ask *ask, uint32_t shift)
{
    return (struct plan_parts){.route = shift_parts(ask->core, shift, ask->now_us, NULL, NULL)};
}

struct plan_parts change_parts(const struct policy *policy, int64_t now_us,
                               const struct standing *was, uint32_t shift, int64_t start_us)
{
    static const struct route_times no_times;
    const struct route_visit rules = {.window_count = 0};
    const struct route_stop stop = {.start_us = start_us};
    const struct cost_visit visit = {.rules = &rules,
                                     .comes_from_other = was->shift != shift,
                                     .published = was->shift != NONE,
                                     .planned_start_us = was->planned_start_us};
    return (struct plan_parts){.route = cost_of_route(policy, now_us, &visit, &stop, 1, &no_times)};
}

void add_changes(const struct ask *ask, struct plan_parts *delta)
{
    const struct supposition *supposition = ask->supposition;
    for (uint32_t i = 0; i < supposition->visit_count; i++) {
        const struct standing *was = &supposition->visits[i];
        const struct appointment *it = &ask->core->appointments[was->appointment];
        if (it->shift == NONE) continue;
        struct plan_parts change =
            change_parts(ask->policy, ask->now_us, was, it->shift, it->planned_start_us);
        plan_parts_add(delta, &change);
    }
}

int64_t late_after_us(const struct core *core, uint32_t index, int64_t start_us)
{
    const struct appointment *it = &core->appointments[index];
    if (it->pin_start_us != 0) return start_us > it->pin_start_us ? start_us - it->pin_start_us : 0;
    struct route_visit visit = {.window_count = it->window_count};
    memcpy(visit.windows, it->windows, it->window_count * sizeof it->windows[0]);
    return visit_late_us(&visit, start_us);
}

static void tell_violations(const struct ask *ask, const struct judged *judged, struct move *out)
{
    out->violation_count = judged->slips.count;
    out->violations = arena_need(ask->arena, (out->violation_count + 1) * sizeof *out->violations);
    for (uint32_t i = 0; i < out->violation_count; i++)
        out->violations[i] = violation_of(ask->core, &judged->slips.items[i]);
}

static void tell_knock_on(const struct ask *ask, const struct judged *judged, struct move *out)
{
    const struct core *core = ask->core;
    out->knock_on = arena_need(ask->arena, (judged->count + 1) * sizeof *out->knock_on);
    for (uint32_t i = 0; i < judged->count; i++) {
        const struct appointment *it = &core->appointments[judged->route[i]];
        int64_t start_us = judged->start_us[i];
        if (i == judged->place || it->planned_start_us == start_us) continue;
        out->knock_on[out->knock_on_count++] = (struct knock_on){
            .appointment_id = it->id,
            .start_before_us = it->planned_start_us,
            .start_after_us = start_us,
            .late_us = late_after_us(core, judged->route[i], start_us),
            .becomes_late = !it->late && appointment_late(core, judged->route[i], start_us),
        };
    }
}

void tell_judged(const struct ask *ask, const struct judged *judged, struct move *out)
{
    const struct core *core = ask->core;
    *out =
        (struct move){.technician_id = core->technicians[core->shifts[judged->shift].technician].id,
                      .place = judged->place + 1,
                      .start_us = judged->start_us[judged->place]};
    out->late_us = late_after_us(core, ask->appointment, out->start_us);
    tell_violations(ask, judged, out);
    tell_knock_on(ask, judged, out);
}

void ask_move(const struct ask *ask, uint32_t shift, int64_t start_us, uint32_t place,
              struct move *out)
{
    struct core *core = ask->core;
    struct judged *judged = arena_need(ask->arena, sizeof *judged);
    uint32_t technician = core->shifts[shift].technician;
    const struct appointment *it = &core->appointments[ask->appointment];
    struct plan_parts before = route_parts(ask, shift);
    if (ask->home != NONE && ask->home != shift) {
        struct plan_parts home = route_parts(ask, ask->home);
        plan_parts_add(&before, &home);
    }
    if (it->status == APPOINTMENT_UNSCHEDULED)
        before.unserved += it->priority * ask->policy->unserved_s_per_priority;
    const struct wish wish = {.place = place,
                              .stays = ask->was_pinned && ask->home == shift,
                              .from = ask->home,
                              .told_us = ask->start_before_us};
    suppose_off(ask->supposition, ask->appointment, technician, start_us);
    judge(core, ask->appointment, shift, wish, ask->now_us, judged);
    tell_judged(ask, judged, out);
    suppose_route(ask->supposition, shift, judged->route, judged->start_us, judged->count);
    struct plan_parts after = route_parts(ask, shift);
    if (ask->home != NONE && ask->home != shift) {
        struct plan_parts home = route_parts(ask, ask->home);
        plan_parts_add(&after, &home);
    }
    out->delta = plan_parts_less(&after, &before);
    add_changes(ask, &out->delta);
    suppose_end(ask->supposition);
}

/* --- Candidates --------------------------------------------------------- */

static void weigh_violations(const struct move *move, uint32_t *unmendable, int64_t *gives_way_us)
{
    *unmendable = 0;
    *gives_way_us = 0;
    for (uint32_t i = 0; i < move->violation_count; i++) {
        bool mends = move->violations[i].rule <= RULE_TRAVEL;
        *unmendable += !mends;
        *gives_way_us += mends ? move->violations[i].amount : 0;
    }
}

bool move_better(const struct move *a, const struct move *b)
{
    uint32_t unmendable[2];
    int64_t gives_way_us[2];
    weigh_violations(a, &unmendable[0], &gives_way_us[0]);
    weigh_violations(b, &unmendable[1], &gives_way_us[1]);
    if (unmendable[0] != unmendable[1]) return unmendable[0] < unmendable[1];
    if (gives_way_us[0] != gives_way_us[1]) return gives_way_us[0] < gives_way_us[1];
    int64_t costs[2] = {plan_parts_total(&a->delta), plan_parts_total(&b->delta)};
    if (costs[0] != costs[1]) return costs[0] < costs[1];
    return strcmp(a->technician_id, b->technician_id) < 0;
}

enum err core_candidates(struct core *core, const char *appointment_id, int64_t now_us,
                         struct arena *arena, struct candidates *out, struct problem *problem)
{
    struct ask ask;
    enum err err = ask_open(&ask, core, appointment_id, now_us, arena, problem);
    if (err != ERR_OK) return err;
    *out = (struct candidates){.technician_id = owner_id(core, ask.appointment)};
    uint32_t first = core->boards[core->appointments[ask.appointment].board].first_shift;
    for (uint32_t s = first; s != NONE; s = core->shifts[s].next_of_board)
        out->count++;
    out->items = arena_need(arena, (out->count + 1) * sizeof *out->items);
    out->count = 0;
    for (uint32_t s = first; s != NONE; s = core->shifts[s].next_of_board) {
        if (shift_is_off(&core->shifts[s])) continue;
        if (s != ask.home && core->shifts[s].route_count == LIMIT_VISITS_PER_ROUTE) continue;
        struct move move;
        ask_move(&ask, s, 0, 0, &move);
        out->fitting += move.violation_count == 0;
        uint32_t at = out->count++;
        for (; at > 0 && move_better(&move, &out->items[at - 1]); at--)
            out->items[at] = out->items[at - 1];
        out->items[at] = move;
    }
    return ERR_OK;
}

/* --- CheckMove ---------------------------------------------------------- */

static enum err find_target(const struct ask *ask, const struct move_wish *wish, uint32_t *shift,
                            struct problem *problem)
{
    const struct core *core = ask->core;
    uint32_t technician = NONE;
    enum err err = find_technician(core, wish->technician_id, &technician, problem);
    if (err != ERR_OK) return err;
    *shift = find_shift(core, technician, core->appointments[ask->appointment].board);
    return *shift == NONE ? problem_set(problem, ERR_CONFLICT, "technician_id",
                                        "has no shift on the appointment's service day")
                          : check_place(core, ask->appointment, *shift, wish->place, problem);
}

enum err check_place(const struct core *core, uint32_t appointment, uint32_t shift, uint32_t place,
                     struct problem *problem)
{
    bool on_it = core->appointments[appointment].shift == shift;
    uint32_t others = core->shifts[shift].route_count - on_it;
    if (others == LIMIT_VISITS_PER_ROUTE)
        return problem_set(problem, ERR_TOO_LARGE, "technician_id", "the route is full");
    if (place > others + 1)
        return problem_set(problem, ERR_INVALID, "place",
                           "the technician has %u others left, so it is at most %u", others,
                           others + 1);
    return ERR_OK;
}

/* What the move leaves on the route that it comes from. */
static void tell_left(const struct ask *ask, const struct move *move, struct move_check *out)
{
    const struct core *core = ask->core;
    const struct shift *shift = &core->shifts[ask->home];
    const struct appointment *it = &core->appointments[ask->appointment];
    uint32_t at = 0;
    (void)move;
    while (shift->route[at] != ask->appointment)
        at++;
    struct rest rest;
    rest_of_day(core, ask->home, ask->now_us, &rest);
    out->left_count = shift->route_count - 1;
    out->idle_from_us =
        at == 0 ? rest.day.available_us : core->appointments[shift->route[at - 1]].planned_end_us;
    out->idle_until_us = at + 1 == shift->route_count
                             ? shift->end_us
                             : core->appointments[shift->route[at + 1]].planned_start_us;
    struct point from = at == 0 ? rest.day.start : core->appointments[shift->route[at - 1]].point;
    struct point to = at + 1 == shift->route_count ? rest.day.end
                                                   : core->appointments[shift->route[at + 1]].point;
    const struct travel *travel = core->travel;
    out->travel_saved_s = travel_seconds(travel, from, it->point) +
                          travel_seconds(travel, it->point, to) - travel_seconds(travel, from, to);
}

enum err core_check_move(struct core *core, const char *appointment_id,
                         const struct move_wish *wish, int64_t now_us, struct arena *arena,
                         struct move_check *out, struct problem *problem)
{
    struct ask ask;
    uint32_t shift = NONE;
    enum err err = ask_open(&ask, core, appointment_id, now_us, arena, problem);
    if (err == ERR_OK) err = find_target(&ask, wish, &shift, problem);
    if (err != ERR_OK) return err;
    *out = (struct move_check){
        .pinned = ask.was_pinned,
        .frozen = ask.was_frozen,
        .technician_before = owner_id(core, ask.appointment),
        .start_before_us = ask.start_before_us,
        .leaves = ask.home != NONE && ask.home != shift,
    };
    ask_move(&ask, shift, wish->start_us, wish->place, &out->move);
    if (out->leaves) tell_left(&ask, &out->move, out);
    return ERR_OK;
}

/* --- plans -------------------------------------------------------------- */

void tally_shift(const struct core *core, uint32_t index, int64_t now_us, enum rule *broken,
                 struct plan_tally *sum)
{
    const struct shift *shift = &core->shifts[index];
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct plan_parts route = {.route = shift_parts(core, index, now_us, broken, stops)};
    plan_parts_add(&sum->parts, &route);
    for (uint32_t i = 0; i < shift->route_count; i++)
        sum->late_us += late_after_us(core, shift->route[i], stops[i].start_us);
}

struct plan_tally core_plan_tally(const struct core *core, const char *territory_id,
                                  int64_t service_day, int64_t now_us)
{
    struct plan_tally sum = {.unserved = 0};
    uint32_t territory = id_index_find(&core->territory_ids, territory_id);
    uint32_t board = territory == NONE ? NONE : find_board(core, territory, service_day);
    if (board == NONE) return sum;
    for (uint32_t s = core->boards[board].first_shift; s != NONE; s = core->shifts[s].next_of_board)
        tally_shift(core, s, now_us, NULL, &sum);
    const struct policy *policy = &core->territories[territory].policy;
    for (uint32_t a = core->boards[board].first_appointment; a != NONE;
         a = core->appointments[a].next_of_board) {
        const struct appointment *it = &core->appointments[a];
        if (it->status != APPOINTMENT_UNSCHEDULED || it->held) continue;
        sum.parts.unserved += it->priority * policy->unserved_s_per_priority;
        sum.unserved++;
    }
    return sum;
}

int64_t core_plan_cost_s(const struct core *core, const char *territory_id, int64_t service_day,
                         int64_t now_us)
{
    struct plan_tally tally = core_plan_tally(core, territory_id, service_day, now_us);
    return plan_parts_total(&tally.parts);
}

bool core_appointment_day(const struct core *core, const char *appointment_id,
                          struct appointment_day *out)
{
    uint32_t index = id_index_find(&core->appointment_ids, appointment_id);
    if (index == NONE) return false;
    const struct board *board = &core->boards[core->appointments[index].board];
    *out = (struct appointment_day){core->territories[board->territory].id, board->service_day,
                                    (uint64_t)board->revision, (uint64_t)board->plan_version};
    return true;
}

static int64_t minutes_up(int64_t us)
{
    return (us + 59999999) / 60000000;
}

void violation_text(const struct violation *violation, struct problem *out)
{
    const char *whose = violation->appointment_id;
    long long minutes = minutes_up(violation->amount);
    switch (violation->rule) {
    case RULE_NONE:
    case RULES: problem_set(out, ERR_OK, "", "breaks no rule"); return;
    case RULE_WINDOW:
        problem_set(out, ERR_OK, whose, "%.64s starts %lld min later than it may", whose, minutes);
        return;
    case RULE_BREAK:
        problem_set(out, ERR_OK, "", "the break starts %lld min after its latest", minutes);
        return;
    case RULE_SHIFT:
        problem_set(out, ERR_OK, "", "comes home %lld min after the shift and its overtime",
                    minutes);
        return;
    case RULE_LEG:
        problem_set(out, ERR_OK, "", "a journey is %lld min longer than the technician may travel",
                    minutes);
        return;
    case RULE_TRAVEL:
        problem_set(out, ERR_OK, "", "travels %lld min longer in the day than the technician may",
                    minutes);
        return;
    case RULE_SKILL:
        problem_set(out, ERR_OK, whose, "lacks %lld level%s of %.64s that %.64s needs",
                    (long long)violation->amount, violation->amount == 1 ? "" : "s",
                    violation->skill, whose);
        return;
    case RULE_REQUIRED:
        problem_set(out, ERR_OK, whose, "%.64s must be done by others", whose);
        return;
    case RULE_EXCLUDED:
        problem_set(out, ERR_OK, whose, "%.64s excludes the technician, or he declined it", whose);
        return;
    case RULE_ABSENT: problem_set(out, ERR_OK, "", "is away or done for the day"); return;
    case RULE_FROZEN:
        problem_set(out, ERR_OK, whose, "goes before %.64s, which is frozen", whose);
        return;
    }
}
