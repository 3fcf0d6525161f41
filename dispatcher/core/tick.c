/* tick.c - what time alone brings about: dispatch of the next visit, offers that ran out, a new
 * day. */
#include "dispatcher/core/state.h"

static const int64_t NEVER = INT64_MAX;

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When something is due with a shift: only its next visit can be. */
static int64_t shift_wake_us(const struct core *core, const struct shift *shift)
{
    if (shift->route_count == 0) return NEVER;
    const struct appointment *next = &core->appointments[shift->route[0]];
    const struct policy *policy = &core->territories[core->boards[shift->board].territory].policy;
    if (next->status == APPOINTMENT_DISPATCHED)
        return later(next->dispatched_us, shift->start_us) + policy->accept_timeout_us;
    if (next->status != APPOINTMENT_SCHEDULED) return NEVER;
    uint32_t current = core->technicians[shift->technician].current;
    bool on_site = current != NONE && core->appointments[current].shift != NONE &&
                   &core->shifts[core->appointments[current].shift] == shift &&
                   core->appointments[current].status >= APPOINTMENT_ON_SITE;
    return on_site ? core->now_us : next->planned_start_us - policy->dispatch_ahead_us;
}

int64_t core_next_wake_us(const struct core *core)
{
    int64_t wake_us = NEVER;
    for (uint32_t i = 0; i < core->shift_count; i++) {
        int64_t due = shift_wake_us(core, &core->shifts[i]);
        if (due < wake_us) wake_us = due;
    }
    return wake_us == NEVER ? NEVER : later(wake_us, core->now_us);
}

static void offer(struct core *core, uint32_t index, struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    it->status = APPOINTMENT_DISPATCHED;
    it->dispatched_us = core->now_us;
    it->offers++;
    touch_appointment(core, index, false);
    emit_appointment(core, index, acts);
    emit_change(core, index, owner_id(core, index), it->planned_start_us, acts);
}

static void wake_shift(struct core *core, uint32_t shift_index, struct acts *acts)
{
    struct shift *shift = &core->shifts[shift_index];
    uint32_t next = shift->route[0];
    if (core->appointments[next].status == APPOINTMENT_DISPATCHED &&
        core->appointments[next].offers >= 2) {
        exclude(core, next, shift->technician);
        pin_release(core, next, shift->technician, acts);
        unassign(core, next, acts);
        touch_shift(core, shift_index);
        core->step_is_event = true;
        touch_board(core, shift->board);
        return;
    }
    offer(core, next, acts);
}

/* The days before are over: what was not served is kept, on the new day. */
static void roll_day(struct core *core, uint32_t territory, int64_t service_day, struct acts *acts)
{
    core->territories[territory].today = service_day;
    uint32_t to = board_need(core, territory, service_day);
    for (uint32_t b = 0; to != NONE && b < core->board_count; b++) {
        if (core->boards[b].territory != territory || core->boards[b].service_day >= service_day)
            continue;
        uint32_t index = core->boards[b].first_appointment;
        uint32_t *link = &core->boards[b].first_appointment;
        for (uint32_t next; index != NONE; index = next) {
            struct appointment *it = &core->appointments[index];
            next = it->next_of_board;
            if (!life_plannable(it->status)) {
                link = &it->next_of_board;
                continue;
            }
            if (it->shift != NONE) unassign(core, index, acts);
            acts_put(acts, ROW_CARRY_OVER,
                     &(struct row_carry_over){
                         .territory_id = core->territories[territory].id,
                         .service_day = core->boards[b].service_day,
                         .appointment_id = it->id,
                         .seq = core->seq,
                     });
            core->boards[b].reset_seq = core->seq;
            touch_board(core, b);
            *link = next;
            it->board = to;
            it->day_seq = core->seq;
            it->changed_hands = false;
            it->next_of_board = core->boards[to].first_appointment;
            core->boards[to].first_appointment = index;
            touch_appointment(core, index, true);
            emit_appointment(core, index, acts);
        }
    }
}

enum err step_tick(struct core *core, const struct fact *fact, struct acts *acts,
                   struct problem *problem)
{
    core->step_is_event = false; /* a dispatch asks for no new plan; a lost offer does */
    uint32_t territory = NONE;
    if (fact->tick.territory_id[0] != '\0') {
        enum err err = find_territory(core, fact->tick.territory_id, &territory, problem);
        if (err != ERR_OK) return err;
        if (core->territories[territory].today >= fact->tick.service_day)
            return problem_set(problem, ERR_CONFLICT, "service_day", "that day has begun already");
        core->step_is_event = true;
        roll_day(core, territory, fact->tick.service_day, acts);
        return ERR_OK;
    }
    bool due = false;
    for (uint32_t i = 0; i < core->shift_count; i++) {
        if (shift_wake_us(core, &core->shifts[i]) > core->now_us) continue;
        wake_shift(core, i, acts);
        due = true;
    }
    return due ? ERR_OK : problem_set(problem, ERR_CONFLICT, "", "nothing is due");
}
