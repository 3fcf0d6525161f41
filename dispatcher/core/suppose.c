#include "dispatcher/core/suppose.h"

#include "base/check.h"

#include <string.h>

void suppose_begin(struct supposition *supposition, struct core *core)
{
    supposition->core = core;
    supposition->visit_count = supposition->shift_count = 0;
}

void suppose_end(struct supposition *supposition)
{
    struct core *core = supposition->core;
    for (uint32_t i = 0; i < supposition->visit_count; i++) {
        const struct standing *was = &supposition->visits[i];
        struct appointment *it = &core->appointments[was->appointment];
        it->shift = was->shift;
        it->pin_to = was->pin_to;
        it->pin_technician = was->pin_technician;
        it->late = was->late;
        it->status = was->status;
        it->planned_start_us = was->planned_start_us;
        it->planned_end_us = was->planned_end_us;
        it->pin_start_us = was->pin_start_us;
    }
    for (uint32_t i = 0; i < supposition->shift_count; i++) {
        struct shift *shift = &core->shifts[supposition->shifts[i].shift];
        shift->route_count = supposition->shifts[i].count;
        memcpy(shift->route, supposition->shifts[i].route,
               shift->route_count * sizeof shift->route[0]);
    }
    supposition->visit_count = supposition->shift_count = 0;
}

static void keep_visit(struct supposition *supposition, uint32_t index)
{
    for (uint32_t i = 0; i < supposition->visit_count; i++) {
        if (supposition->visits[i].appointment == index) return;
    }
    CHECK(supposition->visit_count < SUPPOSED_VISITS);
    const struct appointment *it = &supposition->core->appointments[index];
    supposition->visits[supposition->visit_count++] = (struct standing){
        .appointment = index,
        .shift = it->shift,
        .pin_to = it->pin_to,
        .pin_technician = it->pin_technician,
        .late = it->late,
        .status = it->status,
        .planned_start_us = it->planned_start_us,
        .planned_end_us = it->planned_end_us,
        .pin_start_us = it->pin_start_us,
    };
}

static void keep_shift(struct supposition *supposition, uint32_t index)
{
    for (uint32_t i = 0; i < supposition->shift_count; i++) {
        if (supposition->shifts[i].shift == index) return;
    }
    CHECK(supposition->shift_count < SUPPOSED_SHIFTS);
    const struct shift *shift = &supposition->core->shifts[index];
    uint32_t at = supposition->shift_count++;
    supposition->shifts[at].shift = index;
    supposition->shifts[at].count = shift->route_count;
    memcpy(supposition->shifts[at].route, shift->route,
           shift->route_count * sizeof shift->route[0]);
}

void suppose_off(struct supposition *supposition, uint32_t index, uint32_t technician,
                 int64_t start_us)
{
    keep_visit(supposition, index);
    struct appointment *it = &supposition->core->appointments[index];
    if (it->shift != NONE) {
        keep_shift(supposition, it->shift);
        struct shift *shift = &supposition->core->shifts[it->shift];
        uint32_t kept = 0;
        for (uint32_t i = 0; i < shift->route_count; i++) {
            if (shift->route[i] != index) shift->route[kept++] = shift->route[i];
        }
        shift->route_count = kept;
    }
    it->shift = NONE;
    it->status = APPOINTMENT_UNSCHEDULED;
    it->planned_start_us = it->planned_end_us = 0;
    it->pin_technician = technician != NONE;
    it->pin_to = technician;
    it->pin_start_us = start_us;
}

void suppose_route(struct supposition *supposition, uint32_t index, const uint32_t *route,
                   const int64_t *start_us, uint32_t count)
{
    keep_shift(supposition, index);
    struct core *core = supposition->core;
    struct shift *shift = &core->shifts[index];
    CHECK(count <= LIMIT_VISITS_PER_ROUTE);
    shift->route_count = count;
    for (uint32_t i = 0; i < count; i++) {
        keep_visit(supposition, route[i]);
        struct appointment *it = &core->appointments[route[i]];
        CHECK(it->shift == NONE || it->shift == index);
        shift->route[i] = route[i];
        it->shift = index;
        it->planned_start_us = start_us[i];
        it->planned_end_us = start_us[i] + it->service_us;
        it->late = appointment_late(core, route[i], start_us[i]);
        if (it->status == APPOINTMENT_UNSCHEDULED) it->status = APPOINTMENT_SCHEDULED;
    }
}
