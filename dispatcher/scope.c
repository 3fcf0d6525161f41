#include "dispatcher/scope.h"

#include "base/check.h"
#include "base/clock.h"
#include "dispatcher/field_record.h"

#include <string.h>

#define SCOPE_BEFORE_US  (7 * US_PER_DAY)
#define SCOPE_AFTER_US   (2 * US_PER_DAY)
#define SCOPE_CONTACT_US US_PER_DAY

enum scope scope_at(const struct core *core, const char *technician_id, const char *appointment_id,
                    int64_t at_us)
{
    struct core_visit it;
    if (!core_visit(core, appointment_id, &it) || strcmp(it.technician_id, technician_id) != 0)
        return SCOPE_NONE;
    if (life_in_progress(it.status)) return SCOPE_CONTACT;
    int64_t start_us = it.planned_start_us, end_us = it.end_us;
    if (end_us < start_us) end_us = start_us; /* done before its time */
    if (at_us < start_us - SCOPE_BEFORE_US || at_us > end_us + SCOPE_AFTER_US) return SCOPE_NONE;
    bool near = at_us >= start_us - SCOPE_CONTACT_US && at_us <= end_us + SCOPE_CONTACT_US;
    return near ? SCOPE_CONTACT : SCOPE_VISIT;
}

enum scope scope_at_both(const struct core *core, const char *technician_id,
                         const char *appointment_id, int64_t a_us, int64_t b_us)
{
    enum scope a = scope_at(core, technician_id, appointment_id, a_us);
    enum scope b = scope_at(core, technician_id, appointment_id, b_us);
    return a < b ? a : b;
}

void scope_each(const struct core *core, const char *technician_id, int64_t from_us, int64_t to_us,
                core_visit_id *visit, void *context)
{
    core_visits_of(core, technician_id, from_us - SCOPE_AFTER_US, to_us + SCOPE_BEFORE_US, visit,
                   context);
}

Callout__FieldAppointment *scope_read(struct call *call, const char *appointment_id,
                                      enum scope scope)
{
    CHECK(scope != SCOPE_NONE);
    Callout__FieldAppointment *out = read_field_appointment(call, appointment_id);
    if (out == NULL || record_read_for_device(call, out) != ERR_OK) return NULL;
    if (out->work_order == NULL) return out;
    Callout__WorkOrder *order = out->work_order;
    order->n_required_technician_ids = 0;
    order->n_preferred_technician_ids = 0;
    order->n_excluded_technician_ids = 0;
    if (order->customer != NULL) order->customer->external_id = arena_text(call->arena, "");
    if (scope < SCOPE_CONTACT) order->contact = NULL;
    if (order->contact != NULL) order->contact->email = arena_text(call->arena, "");
    return out;
}
