/* problem.c - what the optimizer is told about a day, and the other questions of the shell. */
#include "base/check.h"
#include "dispatcher/core/judge.h"
#include "dispatcher/core/state.h"

static bool board_over(const struct core *core, const struct board *board)
{
    return board->service_day < core->territories[board->territory].today;
}

bool core_problem_key(const struct core *core, uint32_t index, struct problem_key *out)
{
    for (uint32_t b = 0, seen = 0; b < core->board_count; b++) {
        const struct board *board = &core->boards[b];
        if (board_over(core, board) || seen++ != index) continue;
        *out = (struct problem_key){core->territories[board->territory].id,
                                    board->service_day,
                                    (uint64_t)board->revision,
                                    (uint64_t)board->event_seq,
                                    (uint64_t)board->plan_version,
                                    (uint64_t)board->reset_seq};
        return true;
    }
    return false;
}

static uint32_t key_board(const struct core *core, const char *territory_id, int64_t service_day)
{
    uint32_t territory = id_index_find(&core->territory_ids, territory_id);
    return territory == NONE ? NONE : find_board(core, territory, service_day);
}

static void tell_technician(const struct core *core, uint32_t shift_index, const struct rest *rest,
                            const struct problem_sink *sink)
{
    const struct shift *shift = &core->shifts[shift_index];
    const struct technician *person = &core->technicians[shift->technician];
    struct skill valid[LIMIT_SKILLS_PER_ENTITY];
    struct problem_technician out = {.technician_id = person->id,
                                     .removed = rest->off && rest->pinned_count == 0,
                                     .day = rest->day,
                                     .keeps_order = rest->keeps_order,
                                     .skills = valid};
    out.skill_count = valid_skills(person, shift, valid);
    uint32_t left = changes_left(core, shift_index);
    out.changes_left = left == UNLIMITED_CHANGES ? -1 : (int32_t)left;
    sink->technician(sink->context, &out);
}

static void tell_named(const struct core *core, const struct named *named, const char **ids,
                       uint32_t *count)
{
    for (uint32_t i = 0; i < named->count; i++)
        ids[(*count)++] = core->technicians[named->technicians[i]].id;
}

/* A person's pin overrules what the order asks of its technician; what it prefers is a price. */
static void tell_need(const struct core *core, const struct appointment *it,
                      struct problem_visit *out)
{
    tell_named(core, &it->preferred_technicians, out->preferred, &out->preferred_count);
    if (it->pin_technician) {
        out->technician_id = core->technicians[it->pin_to].id;
        return;
    }
    out->skills = it->skills;
    out->skill_count = it->skill_count;
    out->choices = it->choices;
    out->choice_count = it->choice_count;
    tell_named(core, &it->required, out->required, &out->required_count);
    tell_named(core, &it->forbidden, out->excluded, &out->excluded_count);
    for (uint32_t i = 0; i < it->excluded_count; i++)
        out->excluded[out->excluded_count++] = core->technicians[it->excluded[i]].id;
}

static void tell_visit(const struct core *core, uint32_t index, const struct rest *rest,
                       int64_t now_us, const struct problem_sink *sink)
{
    static const struct rest nobody = {.off = true};
    const struct appointment *it = &core->appointments[index];
    struct problem_visit out = {
        .appointment_id = it->id,
        .technician_id = owner_id(core, index),
        .removed = it->held || !life_plannable(it->status),
        .emergency = it->emergency,
        .published = it->shift != NONE,
        .changed_hands = it->changed_hands,
        .visit = rest_visit(core, rest != NULL ? rest : &nobody, index, now_us),
        .priority = it->priority,
        .planned_start_us = it->shift == NONE ? 0 : it->planned_start_us,
        .mobility = appointment_mobility(core, index, now_us),
        .position = it->position,
    };
    tell_need(core, it, &out);
    sink->visit(sink->context, &out);
}

static bool pinned_in(const struct rest *rest, uint32_t index)
{
    for (uint32_t i = 0; i < rest->pinned_count; i++) {
        if (rest->pinned[i] == index) return true;
    }
    return false;
}

void core_problem(const struct core *core, const char *territory_id, int64_t service_day,
                  uint64_t have_revision, int64_t now_us, const struct problem_sink *sink)
{
    uint32_t board = key_board(core, territory_id, service_day);
    if (board == NONE) return;
    for (uint32_t s = core->boards[board].first_shift; s != NONE;
         s = core->shifts[s].next_of_board) {
        struct rest rest;
        rest_of_day(core, s, now_us, &rest);
        tell_technician(core, s, &rest, sink);
        for (uint32_t i = 0; i < core->shifts[s].route_count; i++) {
            uint32_t visit = core->shifts[s].route[i];
            bool changed = (uint64_t)core->appointments[visit].changed_seq > have_revision;
            if (changed || pinned_in(&rest, visit)) tell_visit(core, visit, &rest, now_us, sink);
        }
    }
    for (uint32_t a = core->boards[board].first_appointment; a != NONE;
         a = core->appointments[a].next_of_board) {
        const struct appointment *it = &core->appointments[a];
        bool on_route = it->shift != NONE && life_plannable(it->status);
        if (on_route || (uint64_t)it->changed_seq <= have_revision) continue;
        if (have_revision == 0 && (it->held || !life_plannable(it->status))) continue;
        tell_visit(core, a, NULL, now_us, sink);
    }
}

struct hands_left core_hands_left(const struct core *core, const char *territory_id,
                                  int64_t service_day)
{
    uint32_t board = key_board(core, territory_id, service_day);
    if (board == NONE) return (struct hands_left){.limited = false};
    return hands_left(core, board);
}

bool core_stability(const struct core *core, const char *territory_id, int64_t service_day,
                    struct core_stability *out)
{
    uint32_t board = key_board(core, territory_id, service_day);
    if (board == NONE) return false;
    *out = core->boards[board].stability;
    return true;
}

const struct policy *core_policy(const struct core *core, const char *territory_id)
{
    uint32_t territory = id_index_find(&core->territory_ids, territory_id);
    return territory == NONE ? NULL : &core->territories[territory].policy;
}

const char *core_territory_zone(const struct core *core, const char *territory_id)
{
    uint32_t territory = id_index_find(&core->territory_ids, territory_id);
    return territory == NONE ? NULL : core->territories[territory].zone;
}

bool core_territory(const struct core *core, uint32_t index, struct core_territory *out)
{
    if (index >= core->territory_count) return false;
    const struct territory *it = &core->territories[index];
    *out = (struct core_territory){it->id, it->zone, it->today};
    return true;
}

static bool lies_between(const struct appointment *it, int64_t from_us, int64_t to_us)
{
    int64_t last_us = it->planned_end_us;
    if (last_us < it->planned_start_us) last_us = it->planned_start_us; /* done before its time */
    return it->planned_start_us <= to_us && last_us >= from_us;
}

void core_visits_of(const struct core *core, const char *technician_id, int64_t from_us,
                    int64_t to_us, core_visit_id *visit, void *context)
{
    uint32_t index = id_index_find(&core->technician_ids, technician_id);
    if (index == NONE) return;
    uint32_t s = core->technicians[index].first_shift;
    for (; s != NONE; s = core->shifts[s].next_of_technician) {
        uint32_t a = core->boards[core->shifts[s].board].first_appointment;
        for (; a != NONE; a = core->appointments[a].next_of_board) {
            const struct appointment *it = &core->appointments[a];
            if (it->shift != s) continue;
            if (life_in_progress(it->status) || lies_between(it, from_us, to_us))
                visit(context, it->id);
        }
    }
}

void core_board_appointments(const struct core *core, const char *territory_id, int64_t service_day,
                             core_visit_id *visit, void *context)
{
    uint32_t board = key_board(core, territory_id, service_day);
    if (board == NONE) return;
    for (uint32_t a = core->boards[board].first_appointment; a != NONE;
         a = core->appointments[a].next_of_board)
        visit(context, core->appointments[a].id);
}

void core_board_technicians(const struct core *core, const char *territory_id, int64_t service_day,
                            core_visit_id *visit, void *context)
{
    uint32_t board = key_board(core, territory_id, service_day);
    if (board == NONE) return;
    for (uint32_t s = core->boards[board].first_shift; s != NONE; s = core->shifts[s].next_of_board)
        if (!shift_is_off(&core->shifts[s]))
            visit(context, core->technicians[core->shifts[s].technician].id);
}

bool core_technician(const struct core *core, const char *technician_id, int64_t now_us,
                     struct core_technician *out)
{
    uint32_t index = id_index_find(&core->technician_ids, technician_id);
    if (index == NONE) return false;
    const struct technician *person = &core->technicians[index];
    *out = (struct core_technician){
        .technician_id = person->id,
        .territory_id = core->territories[person->territory].id,
        .current_appointment_id =
            person->current == NONE ? "" : core->appointments[person->current].id,
        .changed_seq = person->changed_seq,
        .version = person->version,
    };
    for (uint32_t s = person->first_shift; s != NONE; s = core->shifts[s].next_of_technician) {
        const struct shift *shift = &core->shifts[s];
        if (now_us >= shift->absent_start_us && now_us < shift->absent_end_us) out->absent = true;
    }
    return true;
}

enum appointment_status core_appointment(const struct core *core, const char *appointment_id,
                                         const char **technician_id)
{
    uint32_t index = id_index_find(&core->appointment_ids, appointment_id);
    *technician_id = index == NONE ? "" : owner_id(core, index);
    return index == NONE ? APPOINTMENT_NONE : core->appointments[index].status;
}

int64_t core_predicted_arrival_us(const struct core *core, const char *technician_id,
                                  int64_t now_us, const struct point *from)
{
    uint32_t index = id_index_find(&core->technician_ids, technician_id);
    if (index == NONE || core->technicians[index].current == NONE) return 0;
    const struct appointment *it = &core->appointments[core->technicians[index].current];
    if (it->status != APPOINTMENT_EN_ROUTE) return 0;
    struct point start = from != NULL ? *from : it->departed_from;
    int64_t left_us = from != NULL ? now_us : it->departed_us;
    return left_us + travel_seconds(core->travel, start, it->point) * INT64_C(1000000);
}
