/* absence.c - a technician is away: what he was to do then is to be planned anew. */
#include "dispatcher/core/state.h"

/* Everything of the shift that was to start while he is away, and has not begun, is to be planned
 * anew. */
static void free_absent_visits(struct core *core, uint32_t shift_index, struct acts *acts)
{
    struct shift *shift = &core->shifts[shift_index];
    struct rest rest;
    rest_of_day(core, shift_index, core->now_us, &rest);
    for (uint32_t i = shift->route_count; i-- > 0;) {
        uint32_t index = shift->route[i];
        const struct appointment *it = &core->appointments[index];
        bool meets = it->planned_end_us > shift->absent_start_us &&
                     it->planned_start_us < shift->absent_end_us;
        if (meets && rest.off) pin_release(core, index, shift->technician, acts);
        if (meets) unassign(core, index, acts);
    }
    uint32_t current = core->technicians[shift->technician].current;
    if (current == NONE || core->appointments[current].shift != shift_index) return;
    if (core->appointments[current].status == APPOINTMENT_EN_ROUTE &&
        shift->absent_start_us <= core->now_us)
        unassign(core, current, acts);
}

static bool absence_meets(const struct shift *shift, int64_t start_us, int64_t end_us)
{
    return start_us < shift->end_us + shift->overtime_us_max && end_us > shift->start_us;
}

enum err step_absence(struct core *core, const struct fact *fact, struct acts *acts,
                      struct problem *problem)
{
    const struct fact_absence *it = &fact->absence;
    uint32_t technician;
    enum err err = find_technician(core, it->technician_id, &technician, problem);
    if (err != ERR_OK) return err;
    uint64_t plan_seq = (uint64_t)core->technicians[technician].changed_seq;
    if (it->expected_plan_seq != 0 && it->expected_plan_seq != plan_seq)
        return problem_set(problem, ERR_CONFLICT, "expected_plan_seq",
                           "his plan changed meanwhile, with fact %llu",
                           (unsigned long long)plan_seq);
    int64_t start_us = it->start_us != 0 ? it->start_us : core->now_us;
    int64_t end_us = it->end_us;
    uint32_t first = core->technicians[technician].first_shift;
    for (uint32_t s = first; end_us == 0 && s != NONE; s = core->shifts[s].next_of_technician) {
        if (absence_meets(&core->shifts[s], start_us, start_us + 1))
            end_us = core->shifts[s].end_us + core->shifts[s].overtime_us_max;
    }
    if (end_us == 0) /* between shifts: the next one */
        for (uint32_t s = first; s != NONE; s = core->shifts[s].next_of_technician) {
            const struct shift *shift = &core->shifts[s];
            if (shift->start_us < start_us) continue;
            if (end_us == 0 || shift->end_us < end_us)
                end_us = shift->end_us + shift->overtime_us_max;
        }
    if (end_us == 0)
        return problem_set(problem, ERR_CONFLICT, "absence.end_us",
                           "there is no shift to be absent from: give an end");
    if (end_us <= start_us)
        return problem_set(problem, ERR_INVALID, "absence.end_us", "must be after start_us");
    core->technicians[technician].roster_seq = core->seq;
    for (uint32_t s = first; s != NONE; s = core->shifts[s].next_of_technician) {
        struct shift *shift = &core->shifts[s];
        if (!absence_meets(shift, start_us, end_us)) continue;
        bool away = shift->absent_end_us > shift->absent_start_us;
        if (!away || start_us < shift->absent_start_us) shift->absent_start_us = start_us;
        if (!away || end_us > shift->absent_end_us) shift->absent_end_us = end_us;
        touch_shift(core, s);
        free_absent_visits(core, s, acts);
    }
    acts_put(acts, ROW_ABSENCE,
             &(struct row_absence){core->technicians[technician].id, start_us, end_us, it->reason});
    return ERR_OK;
}
