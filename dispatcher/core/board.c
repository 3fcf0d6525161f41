/* board.c - who has which appointment: the moves that keep I1 and I2, and the rows they leave. */
#include "base/check.h"
#include "dispatcher/core/state.h"

#include <string.h>

void touch_board(struct core *core, uint32_t index)
{
    core->boards[index].revision = core->seq;
    if (core->step_is_event) core->boards[index].event_seq = core->seq;
}

void touch_appointment(struct core *core, uint32_t index, bool stale)
{
    struct appointment *it = &core->appointments[index];
    it->version = it->changed_seq = core->seq;
    if (stale) it->touch_seq = core->seq;
    touch_board(core, it->board);
}

void touch_shift(struct core *core, uint32_t index)
{
    core->shifts[index].touch_seq = core->seq;
    touch_board(core, core->shifts[index].board);
}

const char *owner_id(const struct core *core, uint32_t index)
{
    uint32_t shift = core->appointments[index].shift;
    return shift == NONE ? "" : core->technicians[core->shifts[shift].technician].id;
}

void emit_appointment(struct core *core, uint32_t index, struct acts *acts)
{
    const struct appointment *it = &core->appointments[index];
    const struct board *board = &core->boards[it->board];
    acts_put(acts, ROW_APPOINTMENT,
             &(struct row_appointment){
                 .appointment_id = it->id,
                 .work_order_id = core->orders[it->order].id,
                 .territory_id = core->territories[board->territory].id,
                 .service_day = board->service_day,
                 .status = it->status,
                 .late = it->late,
                 .version = it->version,
                 .held = it->held,
                 .needs = it->needs,
             });
}

void emit_assignment(struct core *core, uint32_t index, struct acts *acts)
{
    const struct appointment *it = &core->appointments[index];
    if (it->shift == NONE) {
        acts_erase(acts, ROW_ASSIGNMENT, &(struct row_assignment){.appointment_id = it->id}, 1);
        return;
    }
    acts_put(acts, ROW_ASSIGNMENT,
             &(struct row_assignment){
                 .appointment_id = it->id,
                 .technician_id = owner_id(core, index),
                 .plan_version = core->boards[it->board].plan_version,
                 .position = it->position,
                 .planned_start_us = it->planned_start_us,
                 .planned_end_us = it->planned_end_us,
             });
}

void emit_pin(const struct core *core, uint32_t index, struct acts *acts)
{
    const struct appointment *it = &core->appointments[index];
    struct row_pin row = {it->id, it->pin_technician ? core->technicians[it->pin_to].id : "",
                          it->pin_start_us};
    if (it->pin_technician || it->pin_start_us != 0)
        acts_put(acts, ROW_PIN, &row);
    else
        acts_erase(acts, ROW_PIN, &row, 1);
}

void pin_release(struct core *core, uint32_t index, uint32_t technician, struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    if (!it->pin_technician || it->pin_to != technician) return;
    it->pin_technician = false;
    it->pin_to = NONE;
    emit_pin(core, index, acts);
}

static void note_plan_changed(struct core *core, const char *technician_id)
{
    uint32_t technician = id_index_find(&core->technician_ids, technician_id);
    if (technician != NONE) core->technicians[technician].changed_seq = core->seq;
}

void emit_change(struct core *core, uint32_t index, const char *owner_before,
                 int64_t start_before_us, struct acts *acts)
{
    const struct appointment *it = &core->appointments[index];
    const char *owner_after = owner_id(core, index);
    int64_t start_after_us = it->shift == NONE ? 0 : it->planned_start_us;
    bool moved = strcmp(owner_before, owner_after) != 0 || start_before_us != start_after_us;
    if (moved) note_plan_changed(core, owner_before);
    if (moved) note_plan_changed(core, owner_after);
    acts_put(acts, ROW_CHANGE,
             &(struct row_change){
                 .seq = core->seq,
                 .number = ++core->change_number,
                 .territory_id = core->territories[core->boards[it->board].territory].id,
                 .appointment_id = it->id,
                 .owner_before = owner_before,
                 .owner_after = owner_after,
                 .start_before_us = start_before_us,
                 .start_after_us = start_after_us,
             });
}

static void remember(uint32_t *list, uint32_t *count, uint32_t max, uint32_t technician)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (list[i] == technician) return;
    }
    if (*count == max) { /* the oldest makes room */
        for (uint32_t i = 1; i < max; i++)
            list[i - 1] = list[i];
        (*count)--;
    }
    list[(*count)++] = technician;
}

void exclude(struct core *core, uint32_t index, uint32_t technician)
{
    struct appointment *it = &core->appointments[index];
    remember(it->excluded, &it->excluded_count, EXCLUDED_MAX, technician);
}

void route_leave(struct core *core, uint32_t index)
{
    struct appointment *it = &core->appointments[index];
    CHECK(it->shift != NONE);
    struct shift *shift = &core->shifts[it->shift];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < shift->route_count; i++) {
        if (shift->route[i] != index) shift->route[kept++] = shift->route[i];
    }
    shift->route_count = kept;
    remember(it->former, &it->former_count, FORMER_MAX, shift->technician);
    it->shift = NONE;
    it->position = 0;
}

void route_enter(struct core *core, uint32_t index, uint32_t shift_index, uint32_t place)
{
    struct appointment *it = &core->appointments[index];
    struct shift *shift = &core->shifts[shift_index];
    CHECK(it->shift == NONE && shift->route_count < LIMIT_VISITS_PER_ROUTE);
    CHECK(place <= shift->route_count);
    for (uint32_t i = shift->route_count++; i > place; i--)
        shift->route[i] = shift->route[i - 1];
    shift->route[place] = index;
    it->shift = shift_index;
}

uint32_t route_number(struct core *core, uint32_t shift_index, uint32_t place)
{
    const struct shift *shift = &core->shifts[shift_index];
    uint32_t at = place, next = 0;
    if (place > 0) next = core->appointments[shift->route[place - 1]].position + 1;
    for (; at < shift->route_count; at++, next++) {
        struct appointment *it = &core->appointments[shift->route[at]];
        if (at > place && it->position >= next) break;
        it->position = next;
    }
    return at;
}

void unassign(struct core *core, uint32_t index, struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    const char *owner = owner_id(core, index);
    int64_t start_us = it->planned_start_us;
    uint32_t technician = it->shift == NONE ? NONE : core->shifts[it->shift].technician;
    if (technician != NONE && core->technicians[technician].current == index)
        core->technicians[technician].current = NONE;
    if (it->shift != NONE) route_leave(core, index);
    it->status = APPOINTMENT_UNSCHEDULED;
    it->planned_start_us = it->planned_end_us = 0;
    it->dispatched_us = it->offers = it->departed_us = it->begun_us = it->delay_us = 0;
    it->late = false;
    if (!it->held) it->needs = 0; /* who is to help is somebody else now */
    touch_appointment(core, index, true);
    emit_assignment(core, index, acts);
    emit_appointment(core, index, acts);
    emit_change(core, index, owner, start_us, acts);
}

void take_away(struct core *core, uint32_t index, struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    uint32_t shift = it->shift;
    it->pin_technician = false;
    it->pin_to = NONE;
    it->pin_start_us = 0;
    emit_pin(core, index, acts);
    unassign(core, index, acts);
    if (shift != NONE) touch_shift(core, shift);
}
