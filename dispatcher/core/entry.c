/* entry.c - what technicians write, need and do beside the states of a visit: all of it is kept,
 * nothing of it is refused to whom the visit belongs or belonged.
 *
 * Entries are only added, so they need no rule for conflicts: their union is right in any order.
 */
#include "dispatcher/core/state.h"

/* A break that the plan knew nothing of. */
#define UNPLANNED_BREAK_US (15 * INT64_C(60000000))
/* Who begins earlier than planned is at work. */
#define EARLY_US (2 * INT64_C(3600000000))

static void emit_entry(struct core *core, const struct fact *fact, uint32_t index,
                       const struct fact_entry *entry, struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    it->entries++;
    acts_put(acts, ROW_VISIT_ENTRY,
             &(struct row_visit_entry){
                 .appointment_id = it->id,
                 .seq = core->seq,
                 .kind = entry->kind,
                 .technician_id = fact->technician_id,
                 .time_us = happened_us(core, fact, 0),
                 .item_id = entry->item_id,
                 .text = entry->text,
                 .sha256 = entry->sha256,
                 .media_type = entry->media_type,
                 .size = entry->size,
             });
}

/* Whoever has it now is told what there is new about it. */
static void tell_owner(struct core *core, uint32_t index, struct acts *acts)
{
    if (core->appointments[index].shift == NONE) return;
    emit_change(core, index, owner_id(core, index), core->appointments[index].planned_start_us,
                acts);
}

enum err step_entry(struct core *core, const struct fact *fact, struct acts *acts,
                    struct problem *problem)
{
    const struct fact_entry *entry = &fact->entry;
    uint32_t index, technician;
    enum err err = find_own(core, fact, entry->appointment_id, &index, &technician, problem);
    if (err != ERR_OK) return err;
    emit_entry(core, fact, index, entry, acts);
    if (entry->sha256[0] != '\0')
        acts_put(acts, ROW_BLOB_USE,
                 &(struct row_blob_use){entry->sha256, core->appointments[index].id,
                                        core->technicians[technician].id, entry->media_type,
                                        entry->size});
    tell_owner(core, index, acts);
    return ERR_OK;
}

/* --- what is missing --- */

/* Before he has left for it, somebody has to see to it first; on site he waits. */
static void wait_for(struct core *core, const struct fact *fact, uint32_t index, struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    uint32_t need = 1U << fact->status.need;
    if (fact->status.need == NEED_HELP || it->status == APPOINTMENT_EN_ROUTE) {
        it->needs |= need;
    } else if (life_plannable(it->status)) {
        it->needs |= need;
        it->held = true;
        take_away(core, index, acts);
        return;
    } else {
        uint32_t open = it->needs; /* what is inferred now would close it */
        bool moves = it->status != APPOINTMENT_PAUSED;
        if (moves) report_state(core, fact, index, APPOINTMENT_PAUSED, acts);
        if (moves) journal(core, fact, index, APPOINTMENT_PAUSED, false, true, acts);
        it->needs = open | need;
    }
    touch_appointment(core, index, true);
    touch_shift(core, it->shift);
    emit_assignment(core, index, acts);
    emit_appointment(core, index, acts);
    tell_owner(core, index, acts);
}

enum err step_need(struct core *core, const struct fact *fact, struct acts *acts,
                   struct problem *problem)
{
    uint32_t index, technician;
    enum err err = find_own(core, fact, fact->status.appointment_id, &index, &technician, problem);
    if (err != ERR_OK) return err;
    const struct appointment *it = &core->appointments[index];
    bool his = it->shift != NONE && core->shifts[it->shift].technician == technician;
    bool open = his && !life_final(it->status);
    struct fact_entry entry = {.text = fact->status.reason,
                               .kind = (enum entry_kind)(ENTRY_NEED + (int)fact->status.need),
                               .item_id = "",
                               .sha256 = "",
                               .media_type = ""};
    emit_entry(core, fact, index, &entry, acts);
    if (open)
        wait_for(core, fact, index, acts);
    else
        tell_owner(core, index, acts);
    if (!open) core->step_is_event = false;
    return ERR_OK;
}

/* --- breaks, consent --- */

static uint32_t shift_at(const struct core *core, uint32_t technician, int64_t at_us)
{
    uint32_t at = core->technicians[technician].first_shift;
    for (; at != NONE; at = core->shifts[at].next_of_technician) {
        const struct shift *it = &core->shifts[at];
        if (at_us >= it->start_us - EARLY_US && at_us <= it->end_us + it->overtime_us_max) break;
    }
    return at;
}

enum err step_break(struct core *core, const struct fact *fact, struct acts *acts,
                    struct problem *problem)
{
    uint32_t technician;
    (void)acts;
    enum err err = find_technician(core, fact->technician_id, &technician, problem);
    if (err != ERR_OK) return err;
    int64_t at_us = happened_us(core, fact, 0);
    uint32_t index = shift_at(core, technician, at_us);
    core->step_is_event = index != NONE;
    if (index == NONE) return ERR_OK; /* his free time is his own */
    struct shift *shift = &core->shifts[index];
    bool planned = shift->break_us > 0 && !shift->break_done;
    if (fact->rest.ended) {
        if (shift->rest_until_us > at_us) shift->rest_until_us = at_us;
    } else {
        shift->rest_until_us = at_us + (planned ? shift->break_us : UNPLANNED_BREAK_US);
        shift->break_done = true;
    }
    core->technicians[technician].roster_seq = core->seq;
    touch_shift(core, index);
    return ERR_OK;
}

enum err step_consent(struct core *core, const struct fact *fact, struct acts *acts,
                      struct problem *problem)
{
    uint32_t technician;
    enum err err = find_technician(core, fact->technician_id, &technician, problem);
    if (err != ERR_OK) return err;
    struct technician *person = &core->technicians[technician];
    person->unseen = !fact->consent.granted;
    person->roster_seq = core->seq;
    acts_put(acts, ROW_CONSENT,
             &(struct row_consent){person->id, fact->consent.notice_version, fact->consent.granted,
                                   core->now_us});
    return ERR_OK;
}
