/* outlook.c - how a day would go from now if nothing is changed, for people who look at it. */
#include "dispatcher/core/ask.h"

/* What happens on the way to a stop, from where he is at `leave_us`. */
static struct core_stop way_to(const struct core *core, struct point from, struct point to,
                               int64_t leave_us)
{
    return (struct core_stop){
        .appointment_id = "", .leave_us = leave_us, .travel_us = core_travel_us(core, from, to)};
}

uint32_t core_stops(const struct core *core, const char *technician_id, int64_t service_day,
                    int64_t now_us, struct core_stop out[CORE_STOPS_MAX])
{
    uint32_t index = find_shift_of(core, technician_id, service_day);
    struct route_stop stops[LIMIT_VISITS_PER_ROUTE];
    struct route_times times;
    struct route_day day;
    if (index == NONE || core->shifts[index].route_count == 0) return 0;
    const struct shift *shift = &core->shifts[index];
    shift_stops(core, index, now_us, &day, stops, &times);
    struct point at = day.start;
    int64_t leave_us = day.available_us;
    for (uint32_t i = 0; i < shift->route_count; i++) {
        const struct appointment *it = &core->appointments[shift->route[i]];
        out[i] = way_to(core, at, it->point, leave_us);
        out[i].appointment_id = it->id;
        out[i].arrival_us = stops[i].arrival_us;
        out[i].start_us = stops[i].start_us;
        out[i].end_us = leave_us = stops[i].departure_us;
        out[i].break_start_us = stops[i].break_start_us;
        out[i].late_us = late_after_us(core, shift->route[i], stops[i].start_us);
        at = it->point;
    }
    struct core_stop *home = &out[shift->route_count];
    *home = way_to(core, at, day.end, leave_us);
    home->arrival_us = home->start_us = home->end_us = times.end_us;
    home->break_start_us = times.break_start_us;
    return shift->route_count + 1;
}

uint32_t core_violations(const struct core *core, const char *technician_id, int64_t service_day,
                         int64_t now_us, struct violation *out, uint32_t max)
{
    uint32_t index = find_shift_of(core, technician_id, service_day), count = 0;
    struct slips slips;
    if (index == NONE) return 0;
    shift_slips(core, index, now_us, &slips);
    while (count < slips.count && count < max) {
        out[count] = violation_of(core, &slips.items[count]);
        count++;
    }
    return count;
}

int64_t core_late_us(const struct core *core, const char *appointment_id, int64_t start_us)
{
    uint32_t index = id_index_find(&core->appointment_ids, appointment_id);
    return index == NONE ? 0 : late_after_us(core, index, start_us);
}

int64_t core_shift_seq(const struct core *core, const char *technician_id, int64_t service_day)
{
    uint32_t index = find_shift_of(core, technician_id, service_day);
    if (index == NONE) return 0;
    const struct shift *shift = &core->shifts[index];
    const struct technician *person = &core->technicians[shift->technician];
    int64_t seq = shift->touch_seq > person->changed_seq ? shift->touch_seq : person->changed_seq;
    for (uint32_t i = 0; i <= shift->route_count; i++) {
        uint32_t visit = i < shift->route_count ? shift->route[i] : person->current;
        if (visit != NONE && core->appointments[visit].changed_seq > seq)
            seq = core->appointments[visit].changed_seq;
    }
    return seq;
}

/* --- why nobody has it, as far as that can be said without trying --- */

static bool away(const struct shift *shift, int64_t now_us)
{
    int64_t end_us = shift->end_us + shift->overtime_us_max;
    bool absent = shift->absent_end_us > shift->absent_start_us;
    if (shift_is_off(shift) || now_us >= end_us) return true;
    return absent && shift->absent_start_us <= now_us && shift->absent_end_us >= shift->end_us;
}

static bool names_bar(const struct appointment *it, uint32_t technician)
{
    for (uint32_t i = 0; i < it->excluded_count; i++) {
        if (it->excluded[i] == technician) return true;
    }
    return named_has(&it->forbidden, technician) ||
           (it->required.count > 0 && !named_has(&it->required, technician));
}

static bool has_skills(const struct core *core, const struct appointment *it,
                       const struct shift *shift)
{
    struct skill valid[LIMIT_SKILLS_PER_ENTITY];
    uint32_t count = valid_skills(&core->technicians[shift->technician], shift, valid);
    return skills_cover(valid, count, it->skills, it->skill_count) &&
           skills_cover_choices(valid, count, it->choices, it->choice_count);
}

enum rule core_unserved_rule(const struct core *core, const char *appointment_id, int64_t now_us)
{
    uint32_t index = id_index_find(&core->appointment_ids, appointment_id);
    bool here = false, skilled = false;
    if (index == NONE) return RULE_NONE;
    const struct appointment *it = &core->appointments[index];
    for (uint32_t s = core->boards[it->board].first_shift; s != NONE;
         s = core->shifts[s].next_of_board) {
        const struct shift *shift = &core->shifts[s];
        if (away(shift, now_us)) continue;
        here = true;
        if (!has_skills(core, it, shift)) continue;
        skilled = true;
        if (names_bar(it, shift->technician)) continue;
        bool over = it->window_count > 0 &&
                    it->windows[it->window_count - 1].end_us + it->late_us_max < now_us;
        return over ? RULE_WINDOW : RULE_NONE;
    }
    if (!here) return RULE_ABSENT;
    return !skilled ? RULE_SKILL : it->required.count > 0 ? RULE_REQUIRED : RULE_EXCLUDED;
}
