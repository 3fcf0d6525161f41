/* restore.c - what a person or a plan did is taken back: each visit is put again where it stood.
 *
 * All is checked before anything is changed. A visit goes to the place among the others that its
 * start had; rules that fail there give way, as they do for a person with a reason: it had been so.
 */
#include "dispatcher/core/ask.h"

#include <string.h>

static enum err refuse_who(const char *technician_id, const char *why, struct problem *problem)
{
    return problem_set(problem, ERR_CONFLICT, "technician_id", "%.64s %s", technician_id, why);
}

static bool comes_back(const struct fact_restore *it, const char *technician_id)
{
    for (uint32_t i = 0; i < it->absence_count; i++) {
        if (strcmp(it->absences[i].technician_id, technician_id) == 0) return true;
    }
    return false;
}

static enum err check_whom(const struct core *core, const struct fact_restore *it,
                           const struct fact_standing *standing, uint32_t index,
                           struct problem *problem)
{
    struct rest rest;
    uint32_t technician, pinned;
    if (standing->pin_technician_id[0] != '\0') {
        enum err err = find_technician(core, standing->pin_technician_id, &pinned, problem);
        if (err != ERR_OK) return err;
    }
    if (standing->technician_id[0] == '\0') return ERR_OK;
    enum err err = find_technician(core, standing->technician_id, &technician, problem);
    if (err != ERR_OK) return err;
    uint32_t shift = find_shift(core, technician, core->appointments[index].board);
    if (shift == NONE)
        return refuse_who(standing->technician_id, "has no shift on its service day", problem);
    if (core->shifts[shift].route_count + it->count >= LIMIT_VISITS_PER_ROUTE)
        return refuse_who(standing->technician_id, "has no room left on his route", problem);
    rest_of_day(core, shift, core->now_us, &rest);
    if (rest.off && !comes_back(it, standing->technician_id))
        return refuse_who(standing->technician_id, "is away now", problem);
    return ERR_OK;
}

static enum err check_restore(const struct core *core, const struct fact *fact,
                              struct problem *problem)
{
    const struct fact_restore *it = &fact->restore;
    for (uint32_t i = 0; i < it->absence_count; i++) {
        uint32_t technician;
        enum err err = find_technician(core, it->absences[i].technician_id, &technician, problem);
        if (err != ERR_OK) return err;
    }
    for (uint32_t i = 0; i < it->count; i++) {
        uint32_t index;
        enum err err = find_appointment(core, it->standings[i].appointment_id, &index, problem);
        if (err != ERR_OK) return err;
        for (uint32_t before = 0; before < i; before++)
            if (strcmp(it->standings[before].appointment_id, it->standings[i].appointment_id) == 0)
                return problem_set(problem, ERR_INVALID, "standings", "one of them stands twice");
        enum appointment_status status = core->appointments[index].status;
        if (!life_plannable(status) && status != APPOINTMENT_CANCELLED)
            return problem_set(problem, ERR_CONFLICT, "appointment_id",
                               "%.64s is %s by now: it cannot be put back",
                               it->standings[i].appointment_id, appointment_status_name(status));
        err = check_whom(core, it, &it->standings[i], index, problem);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

static void take_back_absence(struct core *core, const struct fact_absence_before *it,
                              struct acts *acts)
{
    uint32_t technician = id_index_find(&core->technician_ids, it->technician_id);
    uint32_t index = find_shift_of(core, it->technician_id, it->service_day);
    core->technicians[technician].roster_seq = core->seq;
    if (index != NONE) { /* it may have been on no shift's day */
        struct shift *shift = &core->shifts[index];
        shift->absent_start_us = it->start_us;
        shift->absent_end_us = it->end_us;
        touch_shift(core, index);
    }
    acts_erase(acts, ROW_ABSENCE,
               &(struct row_absence){.technician_id = core->technicians[technician].id,
                                     .start_us = it->taken_back_us},
               2);
}

/* Off its route, and as if it had just come in. */
static struct stood take_off(struct core *core, const struct fact_standing *standing,
                             uint32_t index)
{
    struct appointment *it = &core->appointments[index];
    struct stood stood = take_out(core, index);
    it->status = APPOINTMENT_UNSCHEDULED;
    it->held = standing->held && standing->technician_id[0] == '\0';
    it->late = false;
    it->planned_start_us = it->planned_end_us = 0;
    it->dispatched_us = it->offers = 0;
    it->pin_technician = standing->pin_technician_id[0] != '\0';
    it->pin_to = NONE;
    if (it->pin_technician)
        it->pin_to = id_index_find(&core->technician_ids, standing->pin_technician_id);
    it->pin_start_us = standing->pin_start_us;
    return stood;
}

static void leave_with_nobody(struct core *core, const struct stood *stood, struct acts *acts)
{
    if (stood->shift != NONE) touch_shift(core, stood->shift);
    touch_appointment(core, stood->appointment, true);
    emit_pin(core, stood->appointment, acts);
    emit_assignment(core, stood->appointment, acts);
    emit_appointment(core, stood->appointment, acts);
    emit_change(core, stood->appointment, stood->owner, stood->start_us, acts);
}

/* Among what he has, behind all that starts no later. */
static uint32_t place_by_start(const struct core *core, uint32_t index, int64_t start_us)
{
    const struct shift *shift = &core->shifts[index];
    uint32_t place = 1;
    for (uint32_t i = 0; i < shift->route_count; i++)
        place += core->appointments[shift->route[i]].planned_start_us <= start_us;
    return place;
}

static void put_again(struct core *core, const struct fact_standing *standing,
                      const struct stood *stood, struct acts *acts)
{
    uint32_t index = stood->appointment;
    struct appointment *it = &core->appointments[index];
    bool pinned = it->pin_technician;
    uint32_t pin_to = it->pin_to;
    uint32_t technician = id_index_find(&core->technician_ids, standing->technician_id);
    uint32_t shift = find_shift(core, technician, it->board);
    struct judged *judged = arena_need(acts->arena, sizeof *judged);
    const struct wish wish = {.place = place_by_start(core, shift, standing->start_us),
                              .told_us = standing->start_us,
                              .from = stood->shift};
    judge(core, index, shift, wish, core->now_us, judged);
    put_in(core, stood, shift, standing->pin_start_us, judged, acts);
    it->pin_technician = pinned;
    it->pin_to = pin_to;
    emit_pin(core, index, acts);
}

enum err step_restore(struct core *core, const struct fact *fact, struct acts *acts,
                      struct problem *problem)
{
    const struct fact_restore *it = &fact->restore;
    enum err err = check_restore(core, fact, problem);
    if (err != ERR_OK) return err;
    struct stood *stood = arena_need(acts->arena, (it->count + 1) * sizeof *stood);
    for (uint32_t i = 0; i < it->absence_count; i++)
        take_back_absence(core, &it->absences[i], acts);
    for (uint32_t i = 0; i < it->count; i++) {
        uint32_t index = id_index_find(&core->appointment_ids, it->standings[i].appointment_id);
        stood[i] = take_off(core, &it->standings[i], index);
    }
    for (uint32_t i = 0; i < it->count; i++) {
        if (it->standings[i].technician_id[0] == '\0')
            leave_with_nobody(core, &stood[i], acts);
        else
            put_again(core, &it->standings[i], &stood[i], acts);
    }
    return ERR_OK;
}
