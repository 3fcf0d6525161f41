/* message.c - what dispatchers and technicians write: kept, and changed by nothing. */
#include "dispatcher/core/state.h"

static void emit_message(const struct core *core, const struct fact *fact, uint32_t technician,
                         struct acts *acts)
{
    const struct fact_message *it = &fact->message;
    acts_put(acts, ROW_MESSAGE,
             &(struct row_message){
                 .technician_id = core->technicians[technician].id,
                 .seq = core->seq,
                 .time_us = core->now_us,
                 .from_technician = it->territory_id[0] == '\0',
                 .sender = it->from,
                 .text = it->text,
                 .appointment_id = it->appointment_id,
                 .in_reply_to = (int64_t)it->in_reply_to,
             });
}

/* To whom, of the territory; all of them are known before one is told. */
static enum err check_to(const struct core *core, const struct fact_message *it, uint32_t territory,
                         struct problem *problem)
{
    for (uint32_t i = 0; i < it->count; i++) {
        uint32_t technician;
        enum err err = find_technician(core, it->technician_ids[i], &technician, problem);
        if (err != ERR_OK) return err;
        if (core->technicians[technician].territory != territory)
            return problem_set(problem, ERR_NOT_FOUND, "technician_id",
                               "there is no technician \"%.64s\"", it->technician_ids[i]);
    }
    return ERR_OK;
}

static enum err check_about(const struct core *core, const char *appointment_id, uint32_t territory,
                            struct problem *problem)
{
    uint32_t index;
    if (appointment_id[0] == '\0') return ERR_OK;
    enum err err = find_appointment(core, appointment_id, &index, problem);
    if (err != ERR_OK || core->boards[core->appointments[index].board].territory == territory)
        return err;
    return problem_set(problem, ERR_NOT_FOUND, "appointment_id",
                       "there is no appointment \"%.64s\"", appointment_id);
}

enum err step_message(struct core *core, const struct fact *fact, struct acts *acts,
                      struct problem *problem)
{
    const struct fact_message *it = &fact->message;
    uint32_t technician, territory = NONE;
    if (it->territory_id[0] == '\0') { /* about what he writes is his word */
        enum err err = find_technician(core, fact->technician_id, &technician, problem);
        if (err == ERR_OK) emit_message(core, fact, technician, acts);
        return err;
    }
    enum err err = find_territory(core, it->territory_id, &territory, problem);
    if (err == ERR_OK) err = check_to(core, it, territory, problem);
    if (err == ERR_OK) err = check_about(core, it->appointment_id, territory, problem);
    if (err != ERR_OK) return err;
    for (uint32_t i = 0; i < it->count; i++)
        emit_message(core, fact, id_index_find(&core->technician_ids, it->technician_ids[i]), acts);
    for (uint32_t i = 0; i < core->technician_count && it->count == 0; i++)
        if (core->technicians[i].territory == territory) emit_message(core, fact, i, acts);
    return ERR_OK;
}
