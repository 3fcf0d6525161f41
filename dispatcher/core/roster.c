/* roster.c - territories, technicians and their shifts. */
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
                 .changed_visits_percent_max = policy->changed_visits_percent_max,
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

static enum err check_days_off(const struct fact_technician *it, struct problem *problem)
{
    for (uint32_t i = 0; i < it->day_off_count; i++) {
        for (uint32_t k = 0; k < it->shift_count; k++) {
            if (it->shifts[k].service_day == it->days_off[i])
                return problem_set(problem, ERR_INVALID, "days_off",
                                   "one of them has a shift in the same request");
        }
    }
    return ERR_OK;
}

/* Each shift by itself, and how many boards and shifts the technician would add. */
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
        shifts += board == NONE || index == NONE || shift_slot(core, index, board) == NONE;
    }
    if (core->board_count + boards > BOARDS_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "technician.shifts", "too many service days");
    if (core->shift_count + shifts > LIMIT_SHIFTS)
        return problem_set(problem, ERR_TOO_LARGE, "technician.shifts", "at most %d shifts",
                           LIMIT_SHIFTS);
    return ERR_OK;
}

static void emit_shift(const struct core *core, uint32_t index, struct acts *acts)
{
    const struct shift *shift = &core->shifts[index];
    acts_put(acts, ROW_SHIFT,
             &(struct row_shift){
                 .technician_id = core->technicians[shift->technician].id,
                 .service_day = core->boards[shift->board].service_day,
                 .start_us = shift->start_us,
                 .end_us = shift->end_us,
                 .overtime_seconds_max = shift->overtime_us_max / 1000000,
                 .break_earliest_us = shift->break_earliest_us,
                 .break_latest_us = shift->break_latest_us,
                 .break_seconds = shift->break_us / 1000000,
                 .start_lat_e7 = shift->start.lat_e7,
                 .start_lon_e7 = shift->start.lon_e7,
                 .end_lat_e7 = shift->end.lat_e7,
                 .end_lon_e7 = shift->end.lon_e7,
             });
}

static uint32_t add_shift(struct core *core, uint32_t technician, uint32_t board)
{
    struct technician *person = &core->technicians[technician];
    uint32_t index = core->shift_count++;
    core->shifts[index] = (struct shift){.technician = technician, .board = board};
    core->shifts[index].next_of_technician = person->first_shift;
    person->first_shift = index;
    core->shifts[index].next_of_board = core->boards[board].first_shift;
    core->boards[board].first_shift = index;
    return index;
}

static void set_shift(struct core *core, uint32_t technician, uint32_t territory,
                      const struct fact_shift *it, struct acts *acts)
{
    uint32_t board = board_need(core, territory, it->service_day);
    uint32_t index = shift_slot(core, technician, board);
    const struct technician *person = &core->technicians[technician];
    if (index == NONE) index = add_shift(core, technician, board);
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
    emit_shift(core, index, acts);
}

/* What he was to do that day, and has not set out for, is to be planned anew. */
static void end_shift(struct core *core, uint32_t index, struct acts *acts)
{
    struct shift *shift = &core->shifts[index];
    for (uint32_t i = shift->route_count; i-- > 0;) {
        uint32_t visit = shift->route[i];
        pin_release(core, visit, shift->technician, acts);
        unassign(core, visit, acts);
    }
    shift->end_us = shift->start_us;
    shift->overtime_us_max = shift->break_us = 0;
    shift->absent_start_us = shift->absent_end_us = 0;
    touch_shift(core, index);
    core->boards[shift->board].reset_seq = core->seq;
    acts_erase(acts, ROW_SHIFT,
               &(struct row_shift){.technician_id = core->technicians[shift->technician].id,
                                   .service_day = core->boards[shift->board].service_day},
               2);
}

static bool same_point(struct point a, struct point b)
{
    return a.lat_e7 == b.lat_e7 && a.lon_e7 == b.lon_e7;
}

/* His name, skills, limits and home count for the shifts that are not told anew, too: plans for
 * them are stale. One that began or ended at his home does so at the new one. */
static void follow_technician(struct core *core, uint32_t technician, struct point home_before,
                              struct acts *acts)
{
    const struct technician *person = &core->technicians[technician];
    for (uint32_t s = person->first_shift; s != NONE; s = core->shifts[s].next_of_technician) {
        struct shift *shift = &core->shifts[s];
        const struct board *board = &core->boards[shift->board];
        if (board->service_day < core->territories[board->territory].today) continue;
        if (shift->touch_seq == core->seq || shift_is_off(shift)) continue;
        touch_shift(core, s);
        bool starts = same_point(shift->start, home_before);
        bool ends = same_point(shift->end, home_before);
        if (same_point(person->home, home_before) || (!starts && !ends)) continue;
        if (starts) shift->start = person->home;
        if (ends) shift->end = person->home;
        emit_shift(core, s, acts);
    }
}

static void set_shifts(struct core *core, uint32_t technician, const struct fact_technician *it,
                       struct acts *acts)
{
    uint32_t territory = core->technicians[technician].territory;
    for (uint32_t i = 0; i < it->shift_count; i++)
        set_shift(core, technician, territory, &it->shifts[i], acts);
    for (uint32_t i = 0; i < it->day_off_count; i++) {
        uint32_t board = find_board(core, territory, it->days_off[i]);
        uint32_t shift = board == NONE ? NONE : find_shift(core, technician, board);
        if (shift != NONE) end_shift(core, shift, acts);
    }
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

static enum err check_technician(const struct core *core, const struct fact_technician *it,
                                 uint32_t index, uint32_t territory, struct problem *problem)
{
    if (!id_valid(it->technician_id))
        return problem_set(problem, ERR_INVALID, "technician.technician_id",
                           "must be 1 to %d bytes without control characters", LIMIT_ID);
    if (index != NONE && core->technicians[index].territory != territory)
        return problem_set(problem, ERR_INVALID, "technician.territory_id",
                           "a technician stays in one territory");
    if (index == NONE && core->technician_count == LIMIT_TECHNICIANS)
        return problem_set(problem, ERR_TOO_LARGE, "technician", "at most %d", LIMIT_TECHNICIANS);
    uint64_t version = index == NONE ? 0 : (uint64_t)core->technicians[index].version;
    if (it->expected_version != 0 && it->expected_version != version)
        return problem_set(problem, ERR_CONFLICT, "expected_version",
                           "he was changed meanwhile, with fact %llu", (unsigned long long)version);
    enum err err = check_skills(core, it, problem);
    if (err == ERR_OK) err = check_days_off(it, problem);
    return err == ERR_OK ? check_shifts(core, it, index, territory, problem) : err;
}

static uint32_t add_technician(struct core *core, const struct fact_technician *it,
                               uint32_t territory)
{
    uint32_t index = core->technician_count++;
    struct technician *person = &core->technicians[index];
    text_set(person->id, sizeof person->id, it->technician_id);
    person->territory = territory;
    person->current = person->first_shift = NONE;
    person->home = it->home;
    id_index_add(&core->technician_ids, index);
    return index;
}

enum err step_technician(struct core *core, const struct fact *fact, struct acts *acts,
                         struct problem *problem)
{
    const struct fact_technician *it = &fact->technician;
    uint32_t territory, index = id_index_find(&core->technician_ids, it->technician_id);
    enum err err = find_territory(core, it->territory_id, &territory, problem);
    if (err == ERR_OK) err = check_technician(core, it, index, territory, problem);
    if (err != ERR_OK) return err;
    if (index == NONE) index = add_technician(core, it, territory);
    struct technician *person = &core->technicians[index];
    person->roster_seq = core->seq;
    struct point home_before = person->home;
    person->home = it->home;
    person->leg_s_max = (int32_t)it->leg_s_max;
    person->travel_s_max = (int32_t)it->travel_s_max;
    person->version = core->seq;
    acts_put(acts, ROW_TECHNICIAN,
             &(struct row_technician){.technician_id = person->id,
                                      .territory_id = core->territories[territory].id,
                                      .name = it->name,
                                      .leg_seconds_max = it->leg_s_max,
                                      .travel_seconds_max = it->travel_s_max,
                                      .lat_e7 = it->home.lat_e7,
                                      .lon_e7 = it->home.lon_e7});
    set_skills(core, person, it, acts);
    set_shifts(core, index, it, acts);
    follow_technician(core, index, home_before, acts);
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
