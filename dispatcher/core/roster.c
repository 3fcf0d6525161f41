/* roster.c - territories, the people and their shifts. */
#include "base/check.h"
#include "dispatcher/core/state.h"

#include <string.h>

static void text_set(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);
    CHECK(length < size);
    memcpy(to, from, length + 1);
}

static uint32_t skill_number(const struct core *core, const char *name)
{
    return id_index_find(&core->skill_ids, name);
}

bool core_skill_known(const struct core *core, const char *name)
{
    return skill_number(core, name) != NONE;
}

const char *core_skill_name(const struct core *core, uint16_t skill)
{
    CHECK(skill < core->skill_count);
    return core->skills[skill].name;
}

static void emit_policy(const struct territory *territory, struct acts *acts)
{
    const struct policy *policy = &territory->policy;
    acts_put(acts, ROW_POLICY,
             &(struct row_policy){
                 .territory_id = territory->id,
                 .version = policy->version,
                 .freeze_us = policy->freeze_us,
                 .dispatch_ahead_us = policy->dispatch_ahead_us,
                 .accept_timeout_us = policy->accept_timeout_us,
                 .overtime_price_percent = policy->overtime_price_percent,
                 .unserved_s_per_priority = policy->unserved_s_per_priority,
                 .change_technician_s = policy->change_technician_s,
                 .change_start_s = policy->change_start_s,
                 .change_start_tolerance_us = policy->change_start_tolerance_us,
                 .overtime_tier_us = policy->overtime_tier_us,
                 .overtime_tier_price_percent = policy->overtime_tier_price_percent,
                 .travel_price_percent = policy->travel_price_percent,
                 .lateness_price_percent = policy->lateness_price_percent,
                 .preferred_window_missed_s = policy->preferred_window_missed_s,
                 .preferred_technician_missed_s = policy->preferred_technician_missed_s,
                 .changes_per_technician_day_max = policy->changes_per_technician_day_max,
                 .position_moving_s = policy->position_moving_s,
                 .position_resting_s = policy->position_resting_s,
             });
}

/* The policy says what is frozen, of every visit: its days are told anew. */
static void touch_days(struct core *core, uint32_t territory)
{
    for (uint32_t i = 0; i < core->board_count; i++) {
        if (core->boards[i].territory != territory) continue;
        core->boards[i].reset_seq = core->seq;
        touch_board(core, i);
    }
}

static enum err check_territory(const struct core *core, const struct fact_territory *it,
                                bool is_new, struct problem *problem)
{
    if (!id_valid(it->territory_id))
        return problem_set(problem, ERR_INVALID, "territory.territory_id",
                           "must be 1 to %d bytes without control characters", LIMIT_ID);
    if (strlen(it->time_zone) > LIMIT_ID)
        return problem_set(problem, ERR_INVALID, "territory.time_zone", "is longer than %d bytes",
                           LIMIT_ID);
    if (is_new && core->territory_count == LIMIT_TERRITORIES)
        return problem_set(problem, ERR_TOO_LARGE, "territory", "at most %d territories",
                           LIMIT_TERRITORIES);
    uint32_t more = 0;
    for (uint32_t i = 0; i < it->skill_count; i++) {
        size_t size = strlen(it->skill_names[i]);
        if (size == 0 || size > LIMIT_NAME)
            return problem_set(problem, ERR_INVALID, "skill_names", "a name must be 1 to %d bytes",
                               LIMIT_NAME);
        more += skill_number(core, it->skill_names[i]) == NONE;
    }
    if (core->skill_count + more > LIMIT_SKILLS)
        return problem_set(problem, ERR_TOO_LARGE, "skill_names", "at most %d skills",
                           LIMIT_SKILLS);
    return ERR_OK;
}

enum err step_territory(struct core *core, const struct fact *fact, struct acts *acts,
                        struct problem *problem)
{
    const struct fact_territory *it = &fact->territory;
    uint32_t index = id_index_find(&core->territory_ids, it->territory_id);
    bool is_new = index == NONE;
    enum err err = check_territory(core, it, is_new, problem);
    if (err != ERR_OK) return err;
    if (is_new) {
        index = core->territory_count++;
        text_set(core->territories[index].id, sizeof core->territories[index].id, it->territory_id);
        core->territories[index].policy = policy_default;
        id_index_add(&core->territory_ids, index);
    }
    struct territory *territory = &core->territories[index];
    text_set(territory->zone, sizeof territory->zone, it->time_zone);
    if (it->policy_given) {
        uint32_t version = territory->policy.version + !is_new;
        territory->policy = it->policy;
        territory->policy.version = version;
    }
    acts_put(
        acts, ROW_TERRITORY,
        &(struct row_territory){territory->id, it->name, it->time_zone, territory->policy.version});
    emit_policy(territory, acts);
    for (uint32_t i = 0; i < it->skill_count; i++) {
        if (skill_number(core, it->skill_names[i]) != NONE) continue;
        struct skill_entry *entry = &core->skills[core->skill_count];
        text_set(entry->name, sizeof entry->name, it->skill_names[i]);
        id_index_add(&core->skill_ids, core->skill_count++);
        acts_put(acts, ROW_SKILL, &(struct row_skill){entry->name});
    }
    touch_days(core, index);
    return ERR_OK;
}

enum err step_freeze(struct core *core, const struct fact *fact, struct acts *acts,
                     struct problem *problem)
{
    uint32_t index;
    enum err err = find_territory(core, fact->freeze.territory_id, &index, problem);
    if (err != ERR_OK) return err;
    struct territory *territory = &core->territories[index];
    territory->policy.freeze_us = fact->freeze.freeze_us;
    territory->policy.version++;
    emit_policy(territory, acts);
    touch_days(core, index);
    return ERR_OK;
}

static enum err check_skills(const struct core *core, const struct fact_technician *it,
                             struct problem *problem)
{
    if (it->skill_count > LIMIT_SKILLS_PER_ENTITY)
        return problem_set(problem, ERR_TOO_LARGE, "technician.skills", "at most %d",
                           LIMIT_SKILLS_PER_ENTITY);
    for (uint32_t i = 0; i < it->skill_count; i++) {
        if (!core_skill_known(core, it->skills[i].name))
            return problem_set(problem, ERR_INVALID, "technician.skills",
                               "unknown skill \"%.64s\": add it with UpsertTerritory first",
                               it->skills[i].name);
    }
    return ERR_OK;
}

/* How many boards and shifts the technician would add. */
static enum err check_shifts(const struct core *core, const struct fact_technician *it,
                             uint32_t index, uint32_t territory, struct problem *problem)
{
    uint32_t boards = 0, shifts = 0;
    for (uint32_t i = 0; i < it->shift_count; i++) {
        const struct fact_shift *shift = &it->shifts[i];
        if (shift->end_us <= shift->start_us)
            return problem_set(problem, ERR_INVALID, "technician.shifts",
                               "a shift ends before it starts");
        if (shift->break_us > 0 && shift->break_latest_us < shift->break_earliest_us)
            return problem_set(problem, ERR_INVALID, "technician.shifts",
                               "break_latest_us is before break_earliest_us");
        for (uint32_t k = 0; k < i; k++) {
            if (it->shifts[k].service_day == shift->service_day)
                return problem_set(problem, ERR_INVALID, "technician.shifts",
                                   "two shifts on one service day");
        }
        uint32_t board = find_board(core, territory, shift->service_day);
        boards += board == NONE;
        shifts += board == NONE || index == NONE || find_shift(core, index, board) == NONE;
    }
    if (core->board_count + boards > BOARDS_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "technician.shifts", "too many service days");
    if (core->shift_count + shifts > LIMIT_SHIFTS)
        return problem_set(problem, ERR_TOO_LARGE, "technician.shifts", "at most %d shifts",
                           LIMIT_SHIFTS);
    return ERR_OK;
}

static void set_shift(struct core *core, uint32_t technician, uint32_t territory,
                      const struct fact_shift *it, struct acts *acts)
{
    uint32_t board = board_need(core, territory, it->service_day);
    uint32_t index = find_shift(core, technician, board);
    struct technician *person = &core->technicians[technician];
    if (index == NONE) {
        index = core->shift_count++;
        core->shifts[index] = (struct shift){.technician = technician, .board = board};
        core->shifts[index].next_of_technician = person->first_shift;
        person->first_shift = index;
        core->shifts[index].next_of_board = core->boards[board].first_shift;
        core->boards[board].first_shift = index;
    }
    struct shift *shift = &core->shifts[index];
    shift->start_us = it->start_us;
    shift->end_us = it->end_us;
    shift->overtime_us_max = it->overtime_us_max;
    shift->break_earliest_us = it->break_earliest_us;
    shift->break_latest_us = it->break_latest_us;
    shift->break_us = it->break_us;
    shift->start = it->start_given ? it->start : person->home;
    shift->end = it->end_given ? it->end : person->home;
    touch_shift(core, index);
    acts_put(acts, ROW_SHIFT,
             &(struct row_shift){
                 .technician_id = person->id,
                 .service_day = it->service_day,
                 .start_us = it->start_us,
                 .end_us = it->end_us,
                 .overtime_seconds_max = it->overtime_us_max / 1000000,
                 .break_earliest_us = it->break_earliest_us,
                 .break_latest_us = it->break_latest_us,
                 .break_seconds = it->break_us / 1000000,
                 .start_lat_e7 = shift->start.lat_e7,
                 .start_lon_e7 = shift->start.lon_e7,
                 .end_lat_e7 = shift->end.lat_e7,
                 .end_lon_e7 = shift->end.lon_e7,
             });
}

static void set_skills(struct core *core, struct technician *person,
                       const struct fact_technician *it, struct acts *acts)
{
    acts_erase(acts, ROW_TECHNICIAN_SKILL,
               &(struct row_technician_skill){.technician_id = person->id}, 1);
    person->skill_count = it->skill_count;
    for (uint32_t i = 0; i < it->skill_count; i++) {
        const struct fact_skill *skill = &it->skills[i];
        uint16_t name = (uint16_t)skill_number(core, skill->name);
        person->skills[i] = (struct skill){name, (uint16_t)skill->level};
        person->skill_from_us[i] = skill->valid_from_us;
        person->skill_to_us[i] = skill->valid_to_us;
        acts_put(acts, ROW_TECHNICIAN_SKILL,
                 &(struct row_technician_skill){person->id, core->skills[name].name, skill->level,
                                                skill->valid_from_us, skill->valid_to_us});
    }
}

enum err step_technician(struct core *core, const struct fact *fact, struct acts *acts,
                         struct problem *problem)
{
    const struct fact_technician *it = &fact->technician;
    uint32_t territory, index = id_index_find(&core->technician_ids, it->technician_id);
    enum err err = find_territory(core, it->territory_id, &territory, problem);
    if (err == ERR_OK && !id_valid(it->technician_id))
        err = problem_set(problem, ERR_INVALID, "technician.technician_id",
                          "must be 1 to %d bytes without control characters", LIMIT_ID);
    if (err == ERR_OK && index != NONE && core->technicians[index].territory != territory)
        err = problem_set(problem, ERR_INVALID, "technician.territory_id",
                          "a technician stays in one territory");
    if (err == ERR_OK && index == NONE && core->technician_count == LIMIT_TECHNICIANS)
        err = problem_set(problem, ERR_TOO_LARGE, "technician", "at most %d", LIMIT_TECHNICIANS);
    if (err == ERR_OK) err = check_skills(core, it, problem);
    if (err == ERR_OK) err = check_shifts(core, it, index, territory, problem);
    if (err != ERR_OK) return err;
    if (index == NONE) {
        index = core->technician_count++;
        struct technician *person = &core->technicians[index];
        text_set(person->id, sizeof person->id, it->technician_id);
        person->territory = territory;
        person->current = person->first_shift = NONE;
        id_index_add(&core->technician_ids, index);
    }
    struct technician *person = &core->technicians[index];
    person->home = it->home;
    person->leg_s_max = (int32_t)it->leg_s_max;
    person->travel_s_max = (int32_t)it->travel_s_max;
    acts_put(acts, ROW_TECHNICIAN,
             &(struct row_technician){.technician_id = person->id,
                                      .territory_id = core->territories[territory].id,
                                      .name = it->name,
                                      .leg_seconds_max = it->leg_s_max,
                                      .travel_seconds_max = it->travel_s_max,
                                      .lat_e7 = it->home.lat_e7,
                                      .lon_e7 = it->home.lon_e7});
    set_skills(core, person, it, acts);
    for (uint32_t i = 0; i < it->shift_count; i++)
        set_shift(core, index, territory, &it->shifts[i], acts);
    return ERR_OK;
}

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

enum err step_drift(struct core *core, const struct fact *fact, struct acts *acts,
                    struct problem *problem)
{
    (void)acts;
    uint32_t index;
    enum err err = find_technician(core, fact->drift.technician_id, &index, problem);
    if (err != ERR_OK) return err;
    struct technician *person = &core->technicians[index];
    uint32_t current = person->current;
    if (current == NONE || core->appointments[current].status != APPOINTMENT_EN_ROUTE)
        return problem_set(problem, ERR_CONFLICT, "technician_id", "is not on the way to a visit");
    struct appointment *it = &core->appointments[current];
    it->departed_from = fact->drift.point;
    it->departed_us =
        fact->drift.fix_time_us > it->departed_us ? fact->drift.fix_time_us : it->departed_us;
    touch_shift(core, it->shift);
    return ERR_OK;
}
