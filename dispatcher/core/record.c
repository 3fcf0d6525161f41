/* record.c - what is known of a visit and of a technician's day once they are past. */
#include "dispatcher/core/state.h"

#include <string.h>

/* An order's appointments are numbered from 1, behind its id. */
static bool is_first(const char *appointment_id)
{
    size_t size = strlen(appointment_id);
    return size > 2 && strcmp(appointment_id + size - 2, ".1") == 0;
}

static int64_t accept_by_us(const struct core *core, const struct appointment *it)
{
    if (it->status != APPOINTMENT_DISPATCHED || it->shift == NONE) return 0;
    const struct policy *policy = &core->territories[core->boards[it->board].territory].policy;
    int64_t asked_us = it->dispatched_us, start_us = core->shifts[it->shift].start_us;
    return (asked_us > start_us ? asked_us : start_us) + policy->accept_timeout_us;
}

bool core_visit(const struct core *core, const char *appointment_id, struct core_visit *out)
{
    uint32_t index = id_index_find(&core->appointment_ids, appointment_id);
    if (index == NONE) return false;
    const struct appointment *it = &core->appointments[index];
    *out = (struct core_visit){
        .appointment_id = it->id,
        .work_order_id = core->orders[it->order].id,
        .technician_id = owner_id(core, index),
        .status = it->status,
        .first = is_first(it->id),
        .point = it->point,
        .departed_from = it->departed_from,
        .service_us = it->service_us,
        .planned_start_us = it->planned_start_us,
        .end_us = it->planned_end_us,
        .created_us = it->created_us,
        .promised_us = it->promised_us,
        .day_seq = it->day_seq,
        .departed_us = it->departed_us,
        .begun_us = it->begun_us,
        .held = it->held,
        .emergency = it->emergency,
        .frozen = life_plannable(it->status) &&
                  appointment_mobility(core, index, core->now_us) == MOBILITY_FROZEN,
        .seq = it->changed_seq,
        .version = it->version,
        .accept_by_us = accept_by_us(core, it),
        .needs = it->needs,
        .entries = it->entries,
    };
    return true;
}

uint32_t find_shift_of(const struct core *core, const char *technician_id, int64_t service_day)
{
    uint32_t technician = id_index_find(&core->technician_ids, technician_id);
    if (technician == NONE) return NONE;
    uint32_t at = core->technicians[technician].first_shift;
    while (at != NONE && core->boards[core->shifts[at].board].service_day != service_day)
        at = core->shifts[at].next_of_technician;
    return at != NONE && shift_is_off(&core->shifts[at]) ? NONE : at;
}

bool core_shift(const struct core *core, const char *technician_id, int64_t service_day,
                struct core_shift *out)
{
    uint32_t at = find_shift_of(core, technician_id, service_day);
    if (at == NONE) return false;
    const struct shift *it = &core->shifts[at];
    *out = (struct core_shift){
        .start_us = it->start_us,
        .end_us = it->end_us,
        .break_earliest_us = it->break_earliest_us,
        .break_latest_us = it->break_latest_us,
        .break_us = it->break_us,
        .absent_start_us = it->absent_start_us,
        .absent_end_us = it->absent_end_us,
        .rest_until_us = it->rest_until_us,
        .end = it->end,
    };
    return true;
}

void core_technicians_of(const struct core *core, const char *territory_id,
                         bool (*visit)(void *context, const char *id), void *context)
{
    uint32_t territory = id_index_find(&core->territory_ids, territory_id);
    for (uint32_t i = 0; i < core->technician_count && territory != NONE; i++) {
        const struct technician *it = &core->technicians[i];
        if (it->territory == territory && !visit(context, it->id)) return;
    }
}

bool core_at_work(const struct core *core, const char *technician_id, int64_t at_us)
{
    uint32_t technician = id_index_find(&core->technician_ids, technician_id);
    if (technician == NONE) return false;
    const struct technician *person = &core->technicians[technician];
    if (person->unseen) return false;
    if (person->current != NONE && at_us >= core->appointments[person->current].departed_us)
        return true;
    for (uint32_t at = person->first_shift; at != NONE; at = core->shifts[at].next_of_technician) {
        const struct shift *it = &core->shifts[at];
        if (shift_is_off(it) || at_us < it->start_us || at_us > it->end_us) continue;
        if (at_us < it->absent_start_us || at_us >= it->absent_end_us) return true;
    }
    return false;
}

struct core_sampling core_sampling(const struct core *core, const char *technician_id)
{
    uint32_t technician = id_index_find(&core->technician_ids, technician_id);
    if (technician == NONE) return (struct core_sampling){0};
    uint32_t territory = core->technicians[technician].territory;
    const struct policy *policy = &core->territories[territory].policy;
    return (struct core_sampling){policy->position_moving_s, policy->position_resting_s,
                                  (uint64_t)(territory + 1) << 32 | policy->version};
}

int64_t core_roster_seq(const struct core *core, const char *technician_id)
{
    uint32_t technician = id_index_find(&core->technician_ids, technician_id);
    return technician == NONE ? 0 : core->technicians[technician].roster_seq;
}

const char *core_territory_of(const struct core *core, const char *appointment_id)
{
    uint32_t index = id_index_find(&core->appointment_ids, appointment_id);
    if (index == NONE) return NULL;
    return core->territories[core->orders[core->appointments[index].order].territory].id;
}

int64_t core_travel_us(const struct core *core, struct point from, struct point to)
{
    return travel_seconds(core->travel, from, to) * INT64_C(1000000);
}
