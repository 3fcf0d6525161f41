/* conflict.c - reports that do not fit what the plan knew: kept, shown to people, never refused. */
#include "base/check.h"
#include "dispatcher/core/state.h"

static const char *const texts[CONFLICT_KINDS] = {
    [CONFLICT_NONE] = "",
    [CONFLICT_DONE_AFTER_CANCEL] = "done after it was cancelled: billing is to be looked at",
    [CONFLICT_TAKEN_BACK] = "it had been taken from the technician",
    [CONFLICT_BEGUN_BY_TWO] = "another technician has begun it: this visit counts as assisting",
    [CONFLICT_ENDED_BEFORE] = "it had ended before this report",
    [CONFLICT_ANSWERED_LATE] = "it could not be accepted or declined any more",
    [CONFLICT_NOT_IN_PROGRESS] = "it is not in progress",
    [CONFLICT_CHECKLIST_OPEN] = "a required item of the checklist has no answer",
};

void dispute(struct core *core, const struct fact *fact, uint32_t appointment, uint32_t technician,
             enum conflict_kind kind, struct acts *acts)
{
    struct appointment *it = &core->appointments[appointment];
    CHECK(kind > CONFLICT_NONE && kind < CONFLICT_KINDS);
    acts->conflict = true;
    acts->conflict_text = texts[kind];
    if (it->disputed_seq != 0 && it->disputed_kind == kind && it->disputed_by == technician) return;
    it->disputed_seq = core->seq;
    it->disputed_kind = kind;
    it->disputed_by = technician;
    acts_put(acts, ROW_CONFLICT,
             &(struct row_conflict){
                 .seq = core->seq,
                 .kind = kind,
                 .territory_id = core->territories[core->orders[it->order].territory].id,
                 .appointment_id = it->id,
                 .technician_id = core->technicians[technician].id,
                 .reported = fact->kind == FACT_STATUS    ? fact->status.status
                             : fact->kind == FACT_DECLINE ? APPOINTMENT_UNSCHEDULED
                                                          : APPOINTMENT_NONE,
                 .other_technician_id = owner_id(core, appointment),
                 .status = it->status,
                 .other_seq = it->changed_seq,
                 .time_us = core->now_us,
             });
}

/* Whether the conflict is there and open is known to the tables, where whoever asks has looked. */
enum err step_resolve(struct core *core, const struct fact *fact, struct acts *acts,
                      struct problem *problem)
{
    (void)problem;
    int64_t seq = fact->resolve.conflict_seq;
    for (uint32_t i = 0; i < core->appointment_count; i++) {
        struct appointment *it = &core->appointments[i];
        if (it->disputed_seq != seq) continue;
        it->disputed_seq = 0;
        it->disputed_kind = it->disputed_by = 0;
        break;
    }
    acts_put(acts, ROW_CONFLICT_RESOLUTION,
             &(struct row_conflict_resolution){seq, core->seq, core->now_us, fact->resolve.actor,
                                               fact->resolve.note});
    return ERR_OK;
}
