/* orders.c - work orders and what people do with their appointments: cancel, assign, unassign, pin.
 */
#include "base/check.h"
#include "dispatcher/core/ask.h"

#include <string.h>

static enum err check_skills(const struct core *core, const struct fact_skill *skills,
                             uint32_t count, uint32_t max, const char *field,
                             struct problem *problem)
{
    if (count > max) return problem_set(problem, ERR_TOO_LARGE, field, "at most %u", max);
    for (uint32_t i = 0; i < count; i++) {
        if (core_skill_known(core, skills[i].name)) continue;
        return problem_set(problem, ERR_INVALID, field,
                           "unknown skill \"%.64s\": nobody was ever registered with it",
                           skills[i].name);
    }
    return ERR_OK;
}

static enum err check_choices(const struct core *core, const struct fact_work_order *it,
                              struct problem *problem)
{
    static const char field[] = "work_order.skill_choices";
    if (it->choice_count > LIMIT_SKILL_CHOICES_PER_ORDER)
        return problem_set(problem, ERR_TOO_LARGE, field, "at most %d",
                           LIMIT_SKILL_CHOICES_PER_ORDER);
    for (uint32_t i = 0; i < it->choice_count; i++) {
        if (it->choices[i].count == 0)
            return problem_set(problem, ERR_INVALID, field, "a choice of no skill at all");
        enum err err = check_skills(core, it->choices[i].any_of, it->choices[i].count,
                                    LIMIT_SKILLS_PER_CHOICE, field, problem);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

static enum err check_named(const struct core *core, const struct fact_named *named,
                            const char *field, struct problem *problem)
{
    if (named->count > LIMIT_TECHNICIANS_PER_ORDER)
        return problem_set(problem, ERR_TOO_LARGE, field, "at most %d",
                           LIMIT_TECHNICIANS_PER_ORDER);
    for (uint32_t i = 0; i < named->count; i++) {
        if (id_index_find(&core->technician_ids, named->technician_ids[i]) != NONE) continue;
        return problem_set(problem, ERR_INVALID, field,
                           "unknown technician \"%.64s\": add him with UpsertTechnician first",
                           named->technician_ids[i]);
    }
    return ERR_OK;
}

static enum err check_need(const struct core *core, const struct fact_work_order *it,
                           struct problem *problem)
{
    enum err err = check_skills(core, it->skills, it->skill_count, LIMIT_SKILLS_PER_ENTITY,
                                "work_order.skills", problem);
    if (err == ERR_OK) err = check_choices(core, it, problem);
    if (err == ERR_OK)
        err = check_named(core, &it->required, "work_order.required_technician_ids", problem);
    if (err == ERR_OK)
        err = check_named(core, &it->preferred, "work_order.preferred_technician_ids", problem);
    if (err == ERR_OK)
        err = check_named(core, &it->excluded, "work_order.excluded_technician_ids", problem);
    return err;
}

static bool window_preferred(const struct fact_work_order *it, uint32_t i)
{
    return it->window_preferred != NULL && it->window_preferred[i];
}

/* Those of a kind are in order and apart; a preferred one may lie anywhere among the others. */
static enum err check_windows(const struct fact_work_order *it, struct problem *problem)
{
    uint32_t last[2] = {NONE, NONE};
    if (it->window_count > LIMIT_WINDOWS_PER_ORDER)
        return problem_set(problem, ERR_TOO_LARGE, "work_order.windows", "at most %d",
                           LIMIT_WINDOWS_PER_ORDER);
    char field[48];
    for (uint32_t i = 0; i < it->window_count; i++) {
        strcpy(field, "work_order.windows[0].end_us");
        field[strlen("work_order.windows[")] = (char)('0' + i);
        if (it->windows[i].end_us < it->windows[i].start_us)
            return problem_set(problem, ERR_INVALID, field, "the window ends before it starts");
        uint32_t *before = &last[window_preferred(it, i)];
        if (*before != NONE && it->windows[i].start_us <= it->windows[*before].end_us)
            return problem_set(problem, ERR_INVALID, field,
                               "windows must be in ascending order and not overlap");
        *before = i;
    }
    if (it->due_us != 0 && it->earliest_start_us != 0 &&
        it->due_us < it->earliest_start_us + it->service_us)
        return problem_set(problem, ERR_INVALID, "work_order.due_us",
                           "must be at least earliest_start_us + service_seconds");
    return ERR_OK;
}

static enum err check_order(const struct core *core, const struct fact_work_order *it,
                            uint32_t *territory, struct problem *problem)
{
    if (!id_valid(it->work_order_id) || strlen(it->work_order_id) > LIMIT_WORK_ORDER_ID)
        return problem_set(problem, ERR_INVALID, "work_order.work_order_id",
                           "must be 1 to %d bytes without control characters", LIMIT_WORK_ORDER_ID);
    enum err err = find_territory(core, it->territory_id, territory, problem);
    if (err == ERR_OK) err = check_need(core, it, problem);
    if (err == ERR_OK) err = check_windows(it, problem);
    return err;
}

/* Site, customer, contact and asset come with the order; without an id they belong to it alone. */
static void emit_around(const struct fact_work_order *it, const char *order_id,
                        const char **site_id, struct acts *acts)
{
    *site_id = it->site_id[0] != '\0' ? it->site_id : order_id;
    acts_put(acts, ROW_SITE,
             &(struct row_site){*site_id, it->customer_id, it->address, it->access_note,
                                it->site_time_zone, it->point.lat_e7, it->point.lon_e7});
    if (it->customer_id[0] != '\0')
        acts_put(acts, ROW_CUSTOMER,
                 &(struct row_customer){it->customer_id, it->customer_name, it->customer_locale,
                                        it->customer_external_id});
    if (it->contact_id[0] != '\0')
        acts_put(acts, ROW_CONTACT,
                 &(struct row_contact){it->contact_id, it->customer_id, it->contact_name,
                                       it->contact_phone, it->contact_email});
    if (it->asset_id[0] != '\0')
        acts_put(acts, ROW_ASSET,
                 &(struct row_asset){.asset_id = it->asset_id, .site_id = *site_id});
}

static void emit_choices(const struct core *core, const struct fact_work_order *it,
                         const char *order_id, struct acts *acts)
{
    acts_erase(acts, ROW_WORK_ORDER_CHOICE,
               &(struct row_work_order_choice){.work_order_id = order_id}, 1);
    for (uint32_t c = 0; c < it->choice_count; c++) {
        for (uint32_t i = 0; i < it->choices[c].count; i++) {
            const struct fact_skill *skill = &it->choices[c].any_of[i];
            uint32_t name = id_index_find(&core->skill_ids, skill->name);
            acts_put(acts, ROW_WORK_ORDER_CHOICE,
                     &(struct row_work_order_choice){order_id, c, core->skills[name].name,
                                                     skill->level});
        }
    }
}

static void emit_named(const struct core *core, const struct fact_named *named,
                       enum technician_wish wish, const char *order_id, struct acts *acts)
{
    for (uint32_t i = 0; i < named->count; i++) {
        uint32_t technician = id_index_find(&core->technician_ids, named->technician_ids[i]);
        acts_put(
            acts, ROW_WORK_ORDER_TECHNICIAN,
            &(struct row_work_order_technician){order_id, core->technicians[technician].id, wish});
    }
}

static void emit_technicians(const struct core *core, const struct fact_work_order *it,
                             const char *order_id, struct acts *acts)
{
    acts_erase(acts, ROW_WORK_ORDER_TECHNICIAN,
               &(struct row_work_order_technician){.work_order_id = order_id}, 1);
    emit_named(core, &it->required, WISH_REQUIRED, order_id, acts);
    emit_named(core, &it->preferred, WISH_PREFERRED, order_id, acts);
    emit_named(core, &it->excluded, WISH_EXCLUDED, order_id, acts);
}

static void emit_order(const struct core *core, const struct fact_work_order *it,
                       const char *order_id, struct acts *acts)
{
    const char *site_id;
    emit_around(it, order_id, &site_id, acts);
    acts_put(acts, ROW_WORK_ORDER,
             &(struct row_work_order){
                 .work_order_id = order_id,
                 .territory_id = it->territory_id,
                 .external_id = it->external_id,
                 .customer_id = it->customer_id,
                 .site_id = site_id,
                 .contact_id = it->contact_id,
                 .asset_id = it->asset_id,
                 .work_type = it->work_type,
                 .service_seconds = it->service_us / 1000000,
                 .priority = it->priority,
                 .earliest_start_us = it->earliest_start_us,
                 .due_us = it->due_us,
                 .note = it->note,
                 .emergency = it->emergency,
                 .late_seconds_max = it->late_us_max / 1000000,
             });
    emit_choices(core, it, order_id, acts);
    emit_technicians(core, it, order_id, acts);
    acts_erase(acts, ROW_WORK_ORDER_SKILL,
               &(struct row_work_order_skill){.work_order_id = order_id}, 1);
    acts_erase(acts, ROW_ARRIVAL_WINDOW, &(struct row_arrival_window){.work_order_id = order_id},
               1);
    for (uint32_t i = 0; i < it->skill_count; i++) {
        uint32_t skill = id_index_find(&core->skill_ids, it->skills[i].name);
        acts_put(acts, ROW_WORK_ORDER_SKILL,
                 &(struct row_work_order_skill){order_id, core->skills[skill].name,
                                                it->skills[i].level});
    }
    for (uint32_t i = 0; i < it->window_count; i++) {
        acts_put(acts, ROW_ARRIVAL_WINDOW,
                 &(struct row_arrival_window){.work_order_id = order_id,
                                              .start_us = it->windows[i].start_us,
                                              .preferred = window_preferred(it, i),
                                              .end_us = it->windows[i].end_us,
                                              .promised = it->promised[i]});
    }
}

static void board_add(struct core *core, uint32_t board, uint32_t appointment)
{
    struct appointment *it = &core->appointments[appointment];
    it->board = board;
    it->day_seq = core->seq;
    it->next_of_board = core->boards[board].first_appointment;
    core->boards[board].first_appointment = appointment;
}

static uint32_t appointment_add(struct core *core, const char *order_id, uint32_t territory,
                                uint32_t board)
{
    uint32_t order = core->order_count++, index = core->appointment_count++;
    struct work_order *work = &core->orders[order];
    struct appointment *it = &core->appointments[index];
    strcpy(work->id, order_id); /* id_valid bounds it */
    work->territory = territory;
    work->appointment = index;
    strcpy(it->id, order_id);
    strcat(it->id, ".1");
    it->order = order;
    it->shift = it->pin_to = NONE;
    it->status = APPOINTMENT_UNSCHEDULED;
    it->created_us = core->now_us;
    board_add(core, board, index);
    id_index_add(&core->order_ids, order);
    id_index_add(&core->appointment_ids, index);
    return index;
}

static uint32_t skills_set(const struct core *core, struct skill *to, const struct fact_skill *from,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = id_index_find(&core->skill_ids, from[i].name);
        to[i] = (struct skill){(uint16_t)name, (uint16_t)from[i].level};
    }
    return count;
}

static void named_set(const struct core *core, struct named *to, const struct fact_named *from)
{
    to->count = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        uint32_t technician = id_index_find(&core->technician_ids, from->technician_ids[i]);
        if (!named_has(to, technician)) to->technicians[to->count++] = technician;
    }
}

/* Whom the order asks for. */
static void set_need(const struct core *core, struct appointment *to,
                     const struct fact_work_order *it)
{
    to->skill_count = skills_set(core, to->skills, it->skills, it->skill_count);
    to->choice_count = it->choice_count;
    for (uint32_t i = 0; i < it->choice_count; i++)
        to->choices[i].count =
            skills_set(core, to->choices[i].any_of, it->choices[i].any_of, it->choices[i].count);
    named_set(core, &to->required, &it->required);
    named_set(core, &to->preferred_technicians, &it->preferred);
    named_set(core, &to->forbidden, &it->excluded);
}

/* When it may start, and when it should: as soon as one window is promised, only promised ones
 * count. */
static void set_windows(struct appointment *to, const struct fact_work_order *it)
{
    bool promised = false;
    for (uint32_t i = 0; i < it->window_count && !it->any_window; i++)
        promised |= it->promised[i];
    to->window_count = to->preferred_count = 0;
    for (uint32_t i = 0; i < it->window_count; i++) {
        if (!promised || it->promised[i]) to->windows[to->window_count++] = it->windows[i];
        if (window_preferred(it, i)) to->preferred[to->preferred_count++] = it->windows[i];
    }
    to->window_count = windows_merge(to->windows, to->window_count);
    to->late_us_max = it->late_us_max;
    if (it->window_count > 0 || it->earliest_start_us == 0) return;
    to->window_count = 1;
    to->windows[0] = (struct window){
        it->earliest_start_us, it->due_us != 0 ? it->due_us - it->service_us
                                               : it->earliest_start_us + 7 * INT64_C(86400000000)};
}

/* A promise that is replaced by another goes on. */
static void set_promise(struct core *core, struct appointment *to, const struct fact_work_order *it)
{
    bool promised = false;
    for (uint32_t i = 0; i < it->window_count; i++)
        promised |= it->promised[i];
    if (!promised) to->promised_us = 0;
    if (promised && to->promised_us == 0) to->promised_us = core->now_us;
}

/* Changes what the planner sees; one in progress or over keeps what it was done with. */
static void set_demand(struct core *core, uint32_t index, const struct fact_work_order *it)
{
    struct appointment *to = &core->appointments[index];
    to->point = it->point;
    to->service_us = it->service_us;
    to->priority = it->priority;
    to->emergency = it->emergency;
    set_need(core, to, it);
    set_windows(to, it);
    set_promise(core, to, it);
}

/* The customer wants it on another day: the day that it leaves is told anew from the start, since a
 * change list names only what is still there. */
static void change_day(struct core *core, uint32_t index, uint32_t board, struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    if (it->shift != NONE) {
        touch_shift(core, it->shift);
        unassign(core, index, acts);
    }
    uint32_t *link = &core->boards[it->board].first_appointment;
    while (*link != index)
        link = &core->appointments[*link].next_of_board;
    *link = it->next_of_board;
    core->boards[it->board].reset_seq = core->seq;
    touch_board(core, it->board);
    board_add(core, board, index);
}

/* What somebody has in mind is what there is; NONE has no version. */
static enum err check_version(const struct core *core, uint32_t index, uint64_t expected,
                              struct problem *problem)
{
    uint64_t version = index == NONE ? 0 : (uint64_t)core->appointments[index].version;
    if (expected == 0 || expected == version) return ERR_OK;
    return problem_set(problem, ERR_CONFLICT, "expected_version",
                       "the appointment changed meanwhile: its version is %llu",
                       (unsigned long long)version);
}

enum err step_work_order(struct core *core, const struct fact *fact, struct acts *acts,
                         struct problem *problem)
{
    const struct fact_work_order *it = &fact->work_order;
    uint32_t territory = 0;
    enum err err = check_order(core, it, &territory, problem);
    if (err != ERR_OK) return err;
    uint32_t order = id_index_find(&core->order_ids, it->work_order_id);
    if (order == NONE && core->appointment_count == LIMIT_APPOINTMENTS)
        return problem_set(problem, ERR_TOO_LARGE, "work_order", "at most %d", LIMIT_APPOINTMENTS);
    if (order != NONE && core->orders[order].territory != territory)
        return problem_set(problem, ERR_INVALID, "work_order.territory_id",
                           "an order stays in its territory");
    uint32_t index = order == NONE ? NONE : core->orders[order].appointment;
    if (index != NONE && life_final(core->appointments[index].status))
        return problem_set(problem, ERR_CONFLICT, "work_order.work_order_id",
                           "its appointment is %s already",
                           appointment_status_name(core->appointments[index].status));
    err = check_version(core, index, it->expected_version, problem);
    if (err != ERR_OK) return err;
    uint32_t board = board_need(core, territory, it->service_day);
    if (board == NONE)
        return problem_set(problem, ERR_TOO_LARGE, "work_order.windows", "too many service days");
    if (index == NONE) index = appointment_add(core, it->work_order_id, territory, board);
    struct appointment *appointment = &core->appointments[index];
    emit_order(core, it, core->orders[appointment->order].id, acts);
    if (life_plannable(appointment->status)) {
        set_demand(core, index, it);
        if (appointment->board != board) change_day(core, index, board, acts);
        if (appointment->shift != NONE && !appointment_serves(core, index, appointment->shift))
            unassign(core, index, acts);
        if (appointment->shift != NONE) { /* perhaps longer or shorter */
            appointment->planned_end_us = appointment->planned_start_us + it->service_us;
            emit_assignment(core, index, acts);
        }
    }
    touch_appointment(core, index, true);
    emit_appointment(core, index, acts);
    emit_change(core, index, owner_id(core, index), appointment->planned_start_us, acts);
    return ERR_OK;
}

static enum err refuse_move(enum appointment_status from, enum actor_role role, const char *wish,
                            struct problem *problem)
{
    char targets[128];
    life_targets(from, role, targets, sizeof targets);
    return problem_set(problem, ERR_CONFLICT, "appointment_id",
                       "is %s and cannot be %s; it may become: %s", appointment_status_name(from),
                       wish, targets[0] == '\0' ? "nothing else" : targets);
}

enum err step_cancel(struct core *core, const struct fact *fact, struct acts *acts,
                     struct problem *problem)
{
    uint32_t order = id_index_find(&core->order_ids, fact->subject.id);
    if (order == NONE)
        return problem_set(problem, ERR_NOT_FOUND, "work_order_id",
                           "there is no work order \"%.64s\"", fact->subject.id);
    uint32_t index = core->orders[order].appointment;
    struct appointment *it = &core->appointments[index];
    enum err err = check_version(core, index, fact->subject.expected_version, problem);
    if (err != ERR_OK) return err;
    if (!life_allows(it->status, APPOINTMENT_CANCELLED, fact->role))
        return refuse_move(it->status, fact->role, "cancelled", problem);
    const char *owner = owner_id(core, index);
    int64_t start_us = it->planned_start_us;
    uint32_t shift = it->shift;
    if (shift != NONE) {
        uint32_t *current = &core->technicians[core->shifts[shift].technician].current;
        if (*current == index) *current = NONE;
        route_leave(core, index);
        touch_shift(core, shift);
    }
    it->status = APPOINTMENT_CANCELLED;
    touch_appointment(core, index, true);
    emit_assignment(core, index, acts);
    emit_appointment(core, index, acts);
    emit_change(core, index, owner, start_us, acts);
    return ERR_OK;
}

static enum err find_versioned(struct core *core, const struct fact *fact, uint32_t *index,
                               struct problem *problem)
{
    enum err err = find_appointment(core, fact->subject.id, index, problem);
    if (err != ERR_OK) return err;
    return check_version(core, *index, fact->subject.expected_version, problem);
}

enum err step_unassign(struct core *core, const struct fact *fact, struct acts *acts,
                       struct problem *problem)
{
    uint32_t index;
    enum err err = find_versioned(core, fact, &index, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    if (!life_allows(it->status, APPOINTMENT_UNSCHEDULED, fact->role))
        return refuse_move(it->status, fact->role, "unassigned", problem);
    uint32_t shift = it->shift;
    it->pin_technician = false;
    it->pin_to = NONE;
    it->pin_start_us = 0;
    emit_pin(core, index, acts);
    unassign(core, index, acts);
    if (shift != NONE) touch_shift(core, shift);
    return ERR_OK;
}

static enum err check_assign(struct core *core, const struct fact *fact, uint32_t *index,
                             uint32_t *shift, struct problem *problem)
{
    uint32_t technician;
    enum err err = find_versioned(core, fact, index, problem);
    if (err != ERR_OK) return err;
    err = find_technician(core, fact->subject.technician_id, &technician, problem);
    if (err != ERR_OK) return err;
    const struct appointment *it = &core->appointments[*index];
    if (!life_plannable(it->status))
        return refuse_move(it->status, fact->role, "assigned", problem);
    *shift = find_shift(core, technician, it->board);
    if (*shift == NONE)
        return problem_set(problem, ERR_CONFLICT, "technician_id",
                           "has no shift on the appointment's service day");
    return check_place(core, *index, *shift, fact->subject.place, problem);
}

/* Every rule that it breaks is named, as far as there is room. */
static enum err refuse_breaking(const struct core *core, const struct slips *slips,
                                struct problem *problem)
{
    struct violation first = violation_of(core, &slips->items[0]);
    struct problem text, more = {{0}, {0}};
    violation_text(&first, &text);
    if (slips->count > 1) {
        struct violation second = violation_of(core, &slips->items[1]);
        struct problem also;
        violation_text(&second, &also);
        problem_set(&more, ERR_OK, "", slips->count > 2 ? "; %.90s; and more" : "; %.90s",
                    also.text);
    }
    bool who = first.rule == RULE_ABSENT || first.rule == RULE_SKILL ||
               first.rule == RULE_EXCLUDED || first.rule == RULE_REQUIRED;
    return problem_set(problem, ERR_CONFLICT, who ? "technician_id" : "appointment_id",
                       "%.90s%s: give an override_reason to assign all the same", text.text,
                       more.text);
}

static enum err judge_assign(struct core *core, const struct fact *fact, uint32_t index,
                             uint32_t shift, struct arena *arena, struct judged *judged,
                             struct problem *problem)
{
    const struct fact_subject *it = &fact->subject;
    struct supposition *supposition = arena_need(arena, sizeof *supposition);
    bool stays = core->appointments[index].shift == shift &&
                 appointment_mobility(core, index, core->now_us) != MOBILITY_MOVABLE;
    const struct wish wish = {.place = it->place,
                              .stays = stays,
                              .told_us = core->appointments[index].planned_start_us,
                              .from = core->appointments[index].shift};
    suppose_begin(supposition, core);
    suppose_off(supposition, index, core->shifts[shift].technician, it->start_us);
    judge(core, index, shift, wish, core->now_us, judged);
    suppose_end(supposition);
    if (judged->slips.count == 0 || it->reason[0] != '\0') return ERR_OK;
    return refuse_breaking(core, &judged->slips, problem);
}

static void set_start(struct core *core, uint32_t index, int64_t start_us)
{
    struct appointment *it = &core->appointments[index];
    it->planned_start_us = start_us;
    it->planned_end_us = start_us + it->service_us;
    it->late = appointment_late(core, index, start_us);
}

/* The others of the route, whose numbers or starts make room, are told. */
static void make_room(struct core *core, const struct judged *judged, struct acts *acts)
{
    const struct shift *shift = &core->shifts[judged->shift];
    uint32_t end = route_number(core, judged->shift, judged->place);
    for (uint32_t i = 0; i < shift->route_count; i++) {
        uint32_t index = shift->route[i];
        int64_t start_us = core->appointments[index].planned_start_us;
        bool moves = judged->start_us[i] != start_us;
        bool renumbered = i > judged->place && i < end;
        if (i == judged->place || (!moves && !renumbered)) continue;
        if (moves) set_start(core, index, judged->start_us[i]);
        touch_appointment(core, index, moves);
        emit_assignment(core, index, acts);
        emit_appointment(core, index, acts);
        emit_change(core, index, owner_id(core, index), start_us, acts);
    }
}

enum err step_assign(struct core *core, const struct fact *fact, struct acts *acts,
                     struct problem *problem)
{
    uint32_t index = NONE, shift = NONE;
    struct judged *judged = arena_need(acts->arena, sizeof *judged);
    enum err err = check_assign(core, fact, &index, &shift, problem);
    if (err == ERR_OK) err = judge_assign(core, fact, index, shift, acts->arena, judged, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    const char *owner = owner_id(core, index);
    uint32_t old_shift = it->shift;
    int64_t old_start_us = it->planned_start_us;
    if (old_shift != NONE) route_leave(core, index);
    it->pin_technician = true;
    it->pin_to = core->shifts[shift].technician;
    it->pin_start_us = fact->subject.start_us;
    route_enter(core, index, shift, judged->place);
    set_start(core, index, judged->start_us[judged->place]);
    it->status = APPOINTMENT_SCHEDULED;
    it->dispatched_us = it->offers = 0;
    if (old_shift != NONE) touch_shift(core, old_shift);
    touch_shift(core, shift);
    make_room(core, judged, acts);
    touch_appointment(core, index, true);
    emit_pin(core, index, acts);
    emit_assignment(core, index, acts);
    emit_appointment(core, index, acts);
    emit_change(core, index, owner, old_start_us, acts);
    return ERR_OK;
}

/* Whom a pin of the technician means; NONE: no such pin is wanted. */
static enum err pin_technician(const struct core *core, const struct fact *fact, uint32_t index,
                               uint32_t *out, struct problem *problem)
{
    const struct appointment *it = &core->appointments[index];
    uint32_t technician = NONE;
    *out = NONE;
    if (!fact->subject.pin_technician) return ERR_OK;
    if (fact->subject.technician_id[0] != '\0') {
        enum err err = find_technician(core, fact->subject.technician_id, &technician, problem);
        if (err != ERR_OK) return err;
    } else if (it->shift != NONE) {
        technician = core->shifts[it->shift].technician;
    } else {
        return problem_set(problem, ERR_INVALID, "pin.technician_id",
                           "must be given: the appointment has no technician yet");
    }
    if (find_shift(core, technician, it->board) == NONE)
        return problem_set(problem, ERR_CONFLICT, "pin.technician_id",
                           "has no shift on the appointment's service day");
    *out = technician;
    return ERR_OK;
}

enum err step_pin(struct core *core, const struct fact *fact, struct acts *acts,
                  struct problem *problem)
{
    uint32_t index, technician;
    enum err err = find_versioned(core, fact, &index, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    if (!life_plannable(it->status)) return refuse_move(it->status, fact->role, "pinned", problem);
    err = pin_technician(core, fact, index, &technician, problem);
    if (err != ERR_OK) return err;
    if (fact->subject.pin_time && fact->subject.start_us == 0 && it->shift == NONE)
        return problem_set(problem, ERR_INVALID, "pin.start_us",
                           "must be given: the appointment is not planned yet");
    it->pin_technician = technician != NONE;
    it->pin_to = technician;
    it->pin_start_us = !fact->subject.pin_time       ? 0
                       : fact->subject.start_us != 0 ? fact->subject.start_us
                                                     : it->planned_start_us;
    emit_pin(core, index, acts);
    if (technician != NONE && it->shift != NONE &&
        core->shifts[it->shift].technician != technician) { /* no plan could move it any more */
        touch_shift(core, it->shift);
        unassign(core, index, acts);
        return ERR_OK;
    }
    touch_appointment(core, index, true);
    emit_appointment(core, index, acts);
    emit_change(core, index, owner_id(core, index), it->planned_start_us, acts);
    return ERR_OK;
}
