/* orders.c - work orders: new, changed, cancelled, put on hold and released. */
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

static void emit_items(const struct fact_work_order *it, const char *order_id, struct acts *acts)
{
    acts_erase(acts, ROW_WORK_ORDER_ITEM, &(struct row_work_order_item){.work_order_id = order_id},
               1);
    for (uint32_t i = 0; i < it->item_count; i++)
        acts_put(acts, ROW_WORK_ORDER_ITEM,
                 &(struct row_work_order_item){order_id, i, it->items[i].item_id, it->items[i].text,
                                               it->items[i].required, it->items[i].kind});
}

/* He found that more is to be done than he could do. */
static void emit_follow_up(const struct fact *fact, const char *order_id, struct acts *acts)
{
    const char *of = fact->work_order.follow_up_of;
    if (of == NULL || of[0] == '\0') return;
    acts_put(acts, ROW_FOLLOW_UP, &(struct row_follow_up){order_id, of, fact->technician_id});
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
                 .items = it->item_count,
             });
    emit_items(it, order_id, acts);
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
    emit_follow_up(fact, core->orders[appointment->order].id, acts);
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

static enum err find_order(struct core *core, const struct fact *fact, uint32_t *index,
                           struct problem *problem)
{
    uint32_t order = id_index_find(&core->order_ids, fact->subject.id);
    if (order == NONE)
        return problem_set(problem, ERR_NOT_FOUND, "work_order_id",
                           "there is no work order \"%.64s\"", fact->subject.id);
    *index = core->orders[order].appointment;
    return check_version(core, *index, fact->subject.expected_version, problem);
}

enum err step_cancel(struct core *core, const struct fact *fact, struct acts *acts,
                     struct problem *problem)
{
    uint32_t index = NONE;
    enum err err = find_order(core, fact, &index, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
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
    it->needs = 0;
    touch_appointment(core, index, true);
    emit_assignment(core, index, acts);
    emit_appointment(core, index, acts);
    emit_change(core, index, owner, start_us, acts);
    return ERR_OK;
}

/* Nobody plans it until it is released; who has it, loses it. */
enum err step_hold(struct core *core, const struct fact *fact, struct acts *acts,
                   struct problem *problem)
{
    uint32_t index = NONE;
    enum err err = find_order(core, fact, &index, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    if (it->held) return refuse_held(problem);
    if (!life_plannable(it->status))
        return refuse_move(it->status, fact->role, "put on hold", problem);
    it->held = true;
    take_away(core, index, acts);
    return ERR_OK;
}

enum err step_release(struct core *core, const struct fact *fact, struct acts *acts,
                      struct problem *problem)
{
    uint32_t index = NONE;
    enum err err = find_order(core, fact, &index, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    if (!it->held || !life_plannable(it->status))
        return problem_set(problem, ERR_CONFLICT, "work_order_id", "is not on hold");
    it->held = false;
    it->needs = 0;
    touch_appointment(core, index, true);
    emit_appointment(core, index, acts);
    emit_change(core, index, "", 0, acts);
    return ERR_OK;
}
