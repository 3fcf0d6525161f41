#include "dispatcher/core/core.h"

#include "base/check.h"
#include "dispatcher/core/state.h"

#include <string.h>

struct core *core_open(struct arena *arena, const struct travel *travel)
{
    struct core *core = arena_need(arena, sizeof *core);
    core->travel = travel;
    core->territories = arena_need(arena, LIMIT_TERRITORIES * sizeof *core->territories);
    core->skills = arena_need(arena, LIMIT_SKILLS * sizeof *core->skills);
    core->technicians = arena_need(arena, LIMIT_TECHNICIANS * sizeof *core->technicians);
    core->shifts = arena_need(arena, LIMIT_SHIFTS * sizeof *core->shifts);
    core->orders = arena_need(arena, LIMIT_APPOINTMENTS * sizeof *core->orders);
    core->appointments = arena_need(arena, LIMIT_APPOINTMENTS * sizeof *core->appointments);
    core->boards = arena_need(arena, BOARDS_MAX * sizeof *core->boards);
    id_index_open(&core->territory_ids, arena, core->territories, sizeof *core->territories,
                  LIMIT_TERRITORIES);
    id_index_open(&core->skill_ids, arena, core->skills, sizeof *core->skills, LIMIT_SKILLS);
    id_index_open(&core->technician_ids, arena, core->technicians, sizeof *core->technicians,
                  LIMIT_TECHNICIANS);
    id_index_open(&core->order_ids, arena, core->orders, sizeof *core->orders, LIMIT_APPOINTMENTS);
    id_index_open(&core->appointment_ids, arena, core->appointments, sizeof *core->appointments,
                  LIMIT_APPOINTMENTS);
    return core;
}

int64_t core_seq(const struct core *core)
{
    return core->seq;
}

int64_t core_time_us(const struct core *core)
{
    return core->now_us;
}

const char *fact_kind_name(enum fact_kind kind)
{
    static const char *const names[FACT_KINDS] = {
        "none",         "territory", "technician",  "work order", "cancel", "absence", "assign",
        "unassign",     "pin",       "freeze",      "plan",       "tick",   "status",  "decline",
        "running late", "drift",     "quarantined", "resolve",    "swap",   "hold",    "release",
        "restore",      "message",   "entry",       "need",       "break",  "consent",
    };
    return (unsigned)kind < FACT_KINDS ? names[kind] : "unknown";
}

bool fact_is_event(enum fact_kind kind)
{
    return kind != FACT_PLAN && kind != FACT_TERRITORY && kind != FACT_NONE &&
           kind != FACT_QUARANTINED && kind != FACT_RESOLVE && kind != FACT_MESSAGE &&
           kind != FACT_ENTRY && kind != FACT_CONSENT;
}

typedef enum err step_function(struct core *, const struct fact *, struct acts *, struct problem *);

static enum err step_nothing(struct core *core, const struct fact *fact, struct acts *acts,
                             struct problem *problem)
{
    (void)core;
    (void)fact;
    (void)acts;
    (void)problem;
    return ERR_OK;
}

static step_function *const steps[FACT_KINDS] = {
    [FACT_TERRITORY] = step_territory,
    [FACT_TECHNICIAN] = step_technician,
    [FACT_WORK_ORDER] = step_work_order,
    [FACT_CANCEL] = step_cancel,
    [FACT_ABSENCE] = step_absence,
    [FACT_ASSIGN] = step_assign,
    [FACT_UNASSIGN] = step_unassign,
    [FACT_PIN] = step_pin,
    [FACT_FREEZE] = step_freeze,
    [FACT_PLAN] = step_plan,
    [FACT_TICK] = step_tick,
    [FACT_STATUS] = step_status,
    [FACT_DECLINE] = step_decline,
    [FACT_LATE] = step_late,
    [FACT_DRIFT] = step_drift,
    [FACT_QUARANTINED] = step_nothing,
    [FACT_RESOLVE] = step_resolve,
    [FACT_SWAP] = step_swap,
    [FACT_HOLD] = step_hold,
    [FACT_RELEASE] = step_release,
    [FACT_RESTORE] = step_restore,
    [FACT_MESSAGE] = step_message,
    [FACT_ENTRY] = step_entry,
    [FACT_NEED] = step_need,
    [FACT_BREAK] = step_break,
    [FACT_CONSENT] = step_consent,
};

static void emit_solves(struct core *core, struct acts *acts)
{
    for (uint32_t i = 0; i < core->board_count; i++) {
        const struct board *board = &core->boards[i];
        if (board->revision != core->seq) continue;
        acts_solve(acts, core->territories[board->territory].id, board->service_day,
                   core->step_is_event);
    }
}

enum err core_step(struct core *core, const struct fact *fact, struct acts *acts,
                   struct problem *problem)
{
    CHECK(fact->kind > FACT_NONE && fact->kind < FACT_KINDS);
    CHECK(fact->seq == core->seq + 1);
    CHECK(fact->time_us >= core->now_us);
    int64_t before_us = core->now_us;
    core->seq = fact->seq;
    core->now_us = fact->time_us;
    core->check_in_number = core->change_number = 0;
    core->step_is_event = fact_is_event(fact->kind);
    enum err err = steps[fact->kind](core, fact, acts, problem);
    if (err != ERR_OK) {
        core->seq--;
        core->now_us = before_us;
        return err;
    }
    emit_solves(core, acts);
    return ERR_OK;
}

bool id_valid(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > LIMIT_ID) return false;
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) return false;
    }
    return true;
}

static enum err found(uint32_t item, uint32_t *out, const char *field, const char *what,
                      const char *id, struct problem *problem)
{
    if (item == NONE) {
        return problem_set(problem, ERR_NOT_FOUND, field, "there is no %s \"%.64s\"", what, id);
    }
    *out = item;
    return ERR_OK;
}

enum err find_territory(const struct core *core, const char *id, uint32_t *out,
                        struct problem *problem)
{
    return found(id_index_find(&core->territory_ids, id), out, "territory_id", "territory", id,
                 problem);
}

enum err find_technician(const struct core *core, const char *id, uint32_t *out,
                         struct problem *problem)
{
    return found(id_index_find(&core->technician_ids, id), out, "technician_id", "technician", id,
                 problem);
}

enum err find_appointment(const struct core *core, const char *id, uint32_t *out,
                          struct problem *problem)
{
    return found(id_index_find(&core->appointment_ids, id), out, "appointment_id", "appointment",
                 id, problem);
}

uint32_t find_board(const struct core *core, uint32_t territory, int64_t service_day)
{
    for (uint32_t i = core->board_count; i-- > 0;) {
        const struct board *board = &core->boards[i];
        if (board->territory == territory && board->service_day == service_day) return i;
    }
    return NONE;
}

uint32_t board_need(struct core *core, uint32_t territory, int64_t service_day)
{
    uint32_t index = find_board(core, territory, service_day);
    if (index != NONE || core->board_count == BOARDS_MAX) return index;
    index = core->board_count++;
    core->boards[index] = (struct board){.territory = territory,
                                         .first_shift = NONE,
                                         .first_appointment = NONE,
                                         .service_day = service_day};
    return index;
}

uint32_t shift_slot(const struct core *core, uint32_t technician, uint32_t board)
{
    uint32_t at = core->technicians[technician].first_shift;
    while (at != NONE && core->shifts[at].board != board)
        at = core->shifts[at].next_of_technician;
    return at;
}

uint32_t find_shift(const struct core *core, uint32_t technician, uint32_t board)
{
    uint32_t at = shift_slot(core, technician, board);
    return at != NONE && shift_is_off(&core->shifts[at]) ? NONE : at;
}
