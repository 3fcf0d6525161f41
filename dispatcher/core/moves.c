/* moves.c - what people do with an appointment by hand: assign, unassign, swap, pin. */
#include "base/check.h"
#include "dispatcher/core/ask.h"

#include <string.h>

enum err check_version(const struct core *core, uint32_t index, uint64_t expected,
                       struct problem *problem)
{
    uint64_t version = index == NONE ? 0 : (uint64_t)core->appointments[index].version;
    if (expected == 0 || expected == version) return ERR_OK;
    return problem_set(problem, ERR_CONFLICT, "expected_version",
                       "the appointment changed meanwhile: its version is %llu",
                       (unsigned long long)version);
}

enum err refuse_move(enum appointment_status from, enum actor_role role, const char *wish,
                     struct problem *problem)
{
    char targets[128];
    life_targets(from, role, targets, sizeof targets);
    return problem_set(problem, ERR_CONFLICT, "appointment_id",
                       "is %s and cannot be %s; it may become: %s", appointment_status_name(from),
                       wish, targets[0] == '\0' ? "nothing else" : targets);
}

enum err refuse_held(struct problem *problem)
{
    return problem_set(problem, ERR_CONFLICT, "appointment_id",
                       "its work order is on hold: release it first");
}

static enum err find_versioned(struct core *core, const struct fact *fact, uint32_t *index,
                               struct problem *problem)
{
    enum err err = find_appointment(core, fact->subject.id, index, problem);
    if (err != ERR_OK) return err;
    return check_version(core, *index, fact->subject.expected_version, problem);
}

enum err step_unassign(struct core *core, const struct fact *fact, struct acts *acts,
                       struct problem *problem)
{
    uint32_t index;
    enum err err = find_versioned(core, fact, &index, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    if (!life_allows(it->status, APPOINTMENT_UNSCHEDULED, fact->role))
        return refuse_move(it->status, fact->role, "unassigned", problem);
    take_away(core, index, acts);
    return ERR_OK;
}

static enum err check_assign(struct core *core, const struct fact *fact, uint32_t *index,
                             uint32_t *shift, struct problem *problem)
{
    uint32_t technician;
    enum err err = find_versioned(core, fact, index, problem);
    if (err != ERR_OK) return err;
    err = find_technician(core, fact->subject.technician_id, &technician, problem);
    if (err != ERR_OK) return err;
    const struct appointment *it = &core->appointments[*index];
    if (it->held) return refuse_held(problem);
    if (!life_plannable(it->status))
        return refuse_move(it->status, fact->role, "assigned", problem);
    *shift = find_shift(core, technician, it->board);
    if (*shift == NONE)
        return problem_set(problem, ERR_CONFLICT, "technician_id",
                           "has no shift on the appointment's service day");
    return check_place(core, *index, *shift, fact->subject.place, problem);
}

/* Every rule that it breaks is named, as far as there is room. */
static enum err refuse_breaking(const struct core *core, const struct slips *slips,
                                struct problem *problem)
{
    struct violation first = violation_of(core, &slips->items[0]);
    struct problem text, more = {{0}, {0}};
    violation_text(&first, &text);
    if (slips->count > 1) {
        struct violation second = violation_of(core, &slips->items[1]);
        struct problem also;
        violation_text(&second, &also);
        problem_set(&more, ERR_OK, "", slips->count > 2 ? "; %.90s; and more" : "; %.90s",
                    also.text);
    }
    bool who = first.rule == RULE_ABSENT || first.rule == RULE_SKILL ||
               first.rule == RULE_EXCLUDED || first.rule == RULE_REQUIRED;
    return problem_set(problem, ERR_CONFLICT, who ? "technician_id" : "appointment_id",
                       "%.90s%s: give an override_reason to assign all the same", text.text,
                       more.text);
}

static enum err judge_assign(struct core *core, const struct fact *fact, uint32_t index,
                             uint32_t shift, struct arena *arena, struct judged *judged,
                             struct problem *problem)
{
    const struct fact_subject *it = &fact->subject;
    struct supposition *supposition = arena_need(arena, sizeof *supposition);
    bool stays = core->appointments[index].shift == shift &&
                 appointment_mobility(core, index, core->now_us) != MOBILITY_MOVABLE;
    const struct wish wish = {.place = it->place,
                              .stays = stays,
                              .told_us = core->appointments[index].planned_start_us,
                              .from = core->appointments[index].shift};
    suppose_begin(supposition, core);
    suppose_off(supposition, index, core->shifts[shift].technician, it->start_us);
    judge(core, index, shift, wish, core->now_us, judged);
    suppose_end(supposition);
    if (judged->slips.count == 0 || it->reason[0] != '\0') return ERR_OK;
    return refuse_breaking(core, &judged->slips, problem);
}

static void set_start(struct core *core, uint32_t index, int64_t start_us)
{
    struct appointment *it = &core->appointments[index];
    it->planned_start_us = start_us;
    it->planned_end_us = start_us + it->service_us;
    it->late = appointment_late(core, index, start_us);
}

/* The others of the route, whose numbers or starts make room, are told. */
static void make_room(struct core *core, const struct judged *judged, struct acts *acts)
{
    const struct shift *shift = &core->shifts[judged->shift];
    uint32_t end = route_number(core, judged->shift, judged->place);
    for (uint32_t i = 0; i < shift->route_count; i++) {
        uint32_t index = shift->route[i];
        int64_t start_us = core->appointments[index].planned_start_us;
        bool moves = judged->start_us[i] != start_us;
        bool renumbered = i > judged->place && i < end;
        if (i == judged->place || (!moves && !renumbered)) continue;
        if (moves) set_start(core, index, judged->start_us[i]);
        touch_appointment(core, index, moves);
        emit_assignment(core, index, acts);
        emit_appointment(core, index, acts);
        emit_change(core, index, owner_id(core, index), start_us, acts);
    }
}

struct stood take_out(struct core *core, uint32_t index)
{
    const struct appointment *it = &core->appointments[index];
    struct stood stood = {index, it->shift, owner_id(core, index), it->planned_start_us};
    if (it->shift != NONE) route_leave(core, index);
    return stood;
}

void put_in(struct core *core, const struct stood *stood, uint32_t shift, int64_t pin_start_us,
            const struct judged *judged, struct acts *acts)
{
    uint32_t index = stood->appointment;
    struct appointment *it = &core->appointments[index];
    it->pin_technician = true;
    it->pin_to = core->shifts[shift].technician;
    it->pin_start_us = pin_start_us;
    route_enter(core, index, shift, judged->place);
    set_start(core, index, judged->start_us[judged->place]);
    it->status = APPOINTMENT_SCHEDULED;
    it->dispatched_us = it->offers = 0;
    if (stood->shift != NONE) touch_shift(core, stood->shift);
    touch_shift(core, shift);
    make_room(core, judged, acts);
    touch_appointment(core, index, true);
    emit_pin(core, index, acts);
    emit_assignment(core, index, acts);
    emit_appointment(core, index, acts);
    emit_change(core, index, stood->owner, stood->start_us, acts);
}

enum err step_assign(struct core *core, const struct fact *fact, struct acts *acts,
                     struct problem *problem)
{
    uint32_t index = NONE, shift = NONE;
    struct judged *judged = arena_need(acts->arena, sizeof *judged);
    enum err err = check_assign(core, fact, &index, &shift, problem);
    if (err == ERR_OK) err = judge_assign(core, fact, index, shift, acts->arena, judged, problem);
    if (err != ERR_OK) return err;
    struct stood stood = take_out(core, index);
    put_in(core, &stood, shift, fact->subject.start_us, judged, acts);
    return ERR_OK;
}

/* --- two at once --- */

struct swap {
    struct {
        uint32_t index, shift, place; /* what goes where; place from 0 */
        struct judged *judged;
    } items[2]; /* on one route, the one in front first */
};

static uint32_t place_of(const struct core *core, uint32_t index)
{
    const struct shift *shift = &core->shifts[core->appointments[index].shift];
    uint32_t place = 0;
    while (shift->route[place] != index)
        place++;
    return place;
}

static enum err check_swappable(const struct core *core, uint32_t index, const char *field,
                                const struct fact *fact, struct problem *problem)
{
    const struct appointment *it = &core->appointments[index];
    if (!life_plannable(it->status)) return refuse_move(it->status, fact->role, "swapped", problem);
    if (it->shift != NONE) return ERR_OK;
    return problem_set(problem, ERR_CONFLICT, field, "nobody has it: it can only be assigned");
}

static enum err find_swap(struct core *core, const struct fact *fact, uint32_t *a, uint32_t *b,
                          struct problem *problem)
{
    enum err err = find_appointment(core, fact->swap.id, a, problem);
    if (err == ERR_OK) err = find_appointment(core, fact->swap.other_id, b, problem);
    if (err == ERR_OK) err = check_version(core, *a, fact->swap.expected_version, problem);
    if (err == ERR_OK) err = check_version(core, *b, fact->swap.other_expected_version, problem);
    if (err == ERR_OK) err = check_swappable(core, *a, "appointment_id", fact, problem);
    if (err == ERR_OK) err = check_swappable(core, *b, "other_appointment_id", fact, problem);
    if (err != ERR_OK) return err;
    if (*a == *b || core->appointments[*a].board != core->appointments[*b].board)
        return problem_set(problem, ERR_INVALID, "other_appointment_id",
                           "must be another one of the same service day");
    return ERR_OK;
}

static void plan_swap(const struct core *core, uint32_t a, uint32_t b, struct arena *arena,
                      struct swap *swap)
{
    uint32_t place_a = place_of(core, a), place_b = place_of(core, b);
    bool b_first = place_a < place_b;
    for (int i = 0; i < 2; i++) {
        bool is_b = (i == 0) == b_first;
        swap->items[i].index = is_b ? b : a;
        swap->items[i].shift = core->appointments[is_b ? a : b].shift;
        swap->items[i].place = is_b ? place_a : place_b;
        swap->items[i].judged = arena_need(arena, sizeof *swap->items[i].judged);
    }
}

/* Each is put where the other was; on one route what the second makes of it is what counts. */
static enum err judge_swap(struct core *core, const struct fact *fact, struct swap *swap,
                           struct arena *arena, struct problem *problem)
{
    struct supposition *supposition = arena_need(arena, sizeof *supposition);
    struct slips *slips = arena_need(arena, sizeof *slips);
    struct wish wishes[2];
    for (int i = 0; i < 2; i++) {
        const struct appointment *it = &core->appointments[swap->items[i].index];
        wishes[i] = (struct wish){
            .place = swap->items[i].place + 1, .told_us = it->planned_start_us, .from = it->shift};
    }
    suppose_begin(supposition, core);
    for (int i = 0; i < 2; i++)
        suppose_off(supposition, swap->items[i].index,
                    core->shifts[swap->items[i].shift].technician, 0);
    for (int i = 0; i < 2; i++) {
        struct judged *judged = swap->items[i].judged;
        judge(core, swap->items[i].index, swap->items[i].shift, wishes[i], core->now_us, judged);
        suppose_route(supposition, swap->items[i].shift, judged->route, judged->start_us,
                      judged->count);
    }
    suppose_end(supposition);
    bool one_route = swap->items[0].shift == swap->items[1].shift;
    *slips = swap->items[1].judged->slips;
    const struct slips *more = &swap->items[0].judged->slips;
    for (uint32_t i = 0; i < more->count && !one_route && slips->count < SLIPS_MAX; i++)
        slips->items[slips->count++] = more->items[i];
    if (slips->count == 0 || fact->swap.reason[0] != '\0') return ERR_OK;
    return refuse_breaking(core, slips, problem);
}

enum err step_swap(struct core *core, const struct fact *fact, struct acts *acts,
                   struct problem *problem)
{
    uint32_t a = NONE, b = NONE;
    struct swap swap;
    struct stood stood[2];
    enum err err = find_swap(core, fact, &a, &b, problem);
    if (err != ERR_OK) return err;
    plan_swap(core, a, b, acts->arena, &swap);
    err = judge_swap(core, fact, &swap, acts->arena, problem);
    if (err != ERR_OK) return err;
    for (int i = 0; i < 2; i++)
        stood[i] = take_out(core, swap.items[i].index);
    for (int i = 0; i < 2; i++)
        put_in(core, &stood[i], swap.items[i].shift, 0, swap.items[i].judged, acts);
    return ERR_OK;
}

/* --- pins --- */

/* Whom a pin of the technician means; NONE: no such pin is wanted. */
static enum err pin_technician(const struct core *core, const struct fact *fact, uint32_t index,
                               uint32_t *out, struct problem *problem)
{
    const struct appointment *it = &core->appointments[index];
    uint32_t technician = NONE;
    *out = NONE;
    if (!fact->subject.pin_technician) return ERR_OK;
    if (fact->subject.technician_id[0] != '\0') {
        enum err err = find_technician(core, fact->subject.technician_id, &technician, problem);
        if (err != ERR_OK) return err;
    } else if (it->shift != NONE) {
        technician = core->shifts[it->shift].technician;
    } else {
        return problem_set(problem, ERR_INVALID, "pin.technician_id",
                           "must be given: the appointment has no technician yet");
    }
    if (find_shift(core, technician, it->board) == NONE)
        return problem_set(problem, ERR_CONFLICT, "pin.technician_id",
                           "has no shift on the appointment's service day");
    *out = technician;
    return ERR_OK;
}

enum err step_pin(struct core *core, const struct fact *fact, struct acts *acts,
                  struct problem *problem)
{
    uint32_t index, technician;
    enum err err = find_versioned(core, fact, &index, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    if (it->held) return refuse_held(problem);
    if (!life_plannable(it->status)) return refuse_move(it->status, fact->role, "pinned", problem);
    err = pin_technician(core, fact, index, &technician, problem);
    if (err != ERR_OK) return err;
    if (fact->subject.pin_time && fact->subject.start_us == 0 && it->shift == NONE)
        return problem_set(problem, ERR_INVALID, "pin.start_us",
                           "must be given: the appointment is not planned yet");
    it->pin_technician = technician != NONE;
    it->pin_to = technician;
    it->pin_start_us = !fact->subject.pin_time       ? 0
                       : fact->subject.start_us != 0 ? fact->subject.start_us
                                                     : it->planned_start_us;
    emit_pin(core, index, acts);
    if (technician != NONE && it->shift != NONE &&
        core->shifts[it->shift].technician != technician) { /* no plan could move it any more */
        touch_shift(core, it->shift);
        unassign(core, index, acts);
        return ERR_OK;
    }
    touch_appointment(core, index, true);
    emit_appointment(core, index, acts);
    emit_change(core, index, owner_id(core, index), it->planned_start_us, acts);
    return ERR_OK;
}
