/* field.c - what technicians report. Facts beat plans: a report about an appointment that is his,
 * or was, is never refused; what it implies is inferred and marked, what it contradicts is flagged.
 */
#include "base/check.h"
#include "dispatcher/core/ask.h"

static bool had_it(const struct appointment *it, uint32_t technician)
{
    for (uint32_t i = 0; i < it->former_count; i++) {
        if (it->former[i] == technician) return true;
    }
    return false;
}

/* When it really happened: the device's word, if it lies between what we knew before and now. */
int64_t happened_us(const struct core *core, const struct fact *fact, int64_t not_before_us)
{
    int64_t at = fact->happened_us != 0 ? fact->happened_us : fact->device_time_us;
    if (at == 0 || at > core->now_us) at = core->now_us;
    return at > not_before_us ? at : not_before_us;
}

/* What cannot have happened before: nobody arrives before he left, or ends before he began. */
static int64_t earliest_us(const struct appointment *it, enum appointment_status status)
{
    if (status > APPOINTMENT_ON_SITE && it->begun_us > it->departed_us) return it->begun_us;
    return status > APPOINTMENT_EN_ROUTE ? it->departed_us : 0;
}

void journal(struct core *core, const struct fact *fact, uint32_t index,
             enum appointment_status status, bool inferred, bool moved, struct acts *acts)
{
    int64_t not_before_us = moved ? earliest_us(&core->appointments[index], status) : 0;
    int64_t at_us = happened_us(core, fact, not_before_us);
    bool clamped = happened_us(core, fact, 0) < not_before_us;
    acts_put(acts, ROW_CHECK_IN,
             &(struct row_check_in){
                 .appointment_id = core->appointments[index].id,
                 .seq = core->seq,
                 .number = ++core->check_in_number,
                 .technician_id = fact->technician_id,
                 .status = status,
                 .device_time_us = fact->device_time_us,
                 .received_us = core->now_us,
                 .inferred = inferred,
                 .reason = fact->status.reason,
                 .lat_e7 = fact->status.point_given ? fact->status.point.lat_e7 : 0,
                 .lon_e7 = fact->status.point_given ? fact->status.point.lon_e7 : 0,
                 .happened_us = at_us,
                 .time_flags = (fact->time_uncertain ? TIME_UNCERTAIN : 0) |
                               (clamped ? TIME_CLAMPED : 0) | (fact->told ? TIME_TOLD : 0),
             });
}

/* The break that the plan laid before this visit, or on the way to it, is taken with it: there was
 * time for both since he became free. */
static void take_break(struct core *core, const struct appointment *it, int64_t departed_us)
{
    struct shift *shift = &core->shifts[it->shift];
    const struct technician *person = &core->technicians[shift->technician];
    bool under_way = person->place_us >= shift->start_us;
    int64_t free_us = under_way ? person->place_us : shift->start_us;
    struct point from = person->place_us > 0 ? person->place : shift->start;
    int64_t leg_us = travel_seconds(core->travel, from, it->point) * INT64_C(1000000);
    int64_t start_us = departed_us + leg_us;
    if (start_us < it->planned_start_us) start_us = it->planned_start_us;
    int64_t begun_us = start_us - shift->break_us; /* at the latest */
    if (shift->break_us > 0 && free_us <= shift->break_latest_us &&
        begun_us >= shift->break_earliest_us && begun_us >= free_us + leg_us)
        shift->break_done = true;
}

static void leave_for(struct core *core, const struct fact *fact, uint32_t index)
{
    struct appointment *it = &core->appointments[index];
    struct technician *person = &core->technicians[core->shifts[it->shift].technician];
    uint32_t shift = it->shift, former_count = it->former_count;
    it->departed_us = happened_us(core, fact, person->place_us);
    take_break(core, it, it->departed_us);
    route_leave(core, index);
    it->former_count = former_count; /* he still has it */
    it->shift = shift;
    it->departed_from = person->place_us > 0 ? person->place : core->shifts[shift].start;
    if (fact->status.point_given) it->departed_from = fact->status.point;
    core->shifts[shift].travelled_us +=
        travel_seconds(core->travel, it->departed_from, it->point) * INT64_C(1000000);
    person->current = index;
}

static void finish(struct core *core, const struct fact *fact, uint32_t index)
{
    struct appointment *it = &core->appointments[index];
    struct technician *person = &core->technicians[core->shifts[it->shift].technician];
    if (person->current == index) person->current = NONE;
    person->place = it->point;
    person->place_us = happened_us(core, fact, earliest_us(it, APPOINTMENT_COMPLETED));
    it->planned_end_us = person->place_us;
}

static void enter_state(struct core *core, const struct fact *fact, uint32_t index,
                        enum appointment_status status)
{
    struct appointment *it = &core->appointments[index];
    if (status == APPOINTMENT_EN_ROUTE) leave_for(core, fact, index);
    if (status == APPOINTMENT_ON_SITE) it->begun_us = happened_us(core, fact, it->departed_us);
    if (status == APPOINTMENT_WORKING && it->status == APPOINTMENT_ON_SITE)
        it->begun_us = happened_us(core, fact, it->begun_us);
    if (life_final(status)) finish(core, fact, index);
    it->status = status;
    if (status == APPOINTMENT_WORKING || life_final(status)) it->needs = 0;
}

void report_state(struct core *core, const struct fact *fact, uint32_t index,
                  enum appointment_status to, struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    enum appointment_status path[APPOINTMENT_STATUSES];
    uint32_t count = life_inferred(it->status, to, path);
    for (uint32_t i = 0; i < count; i++) {
        journal(core, fact, index, path[i], true, true, acts);
        enter_state(core, fact, index, path[i]);
    }
    enter_state(core, fact, index, to);
}

/* He did it although it had been given to somebody else, or to nobody: it is his again. What was
 * planned for nobody counts as planned for now. */
static void take_back(struct core *core, uint32_t index, uint32_t shift)
{
    struct appointment *it = &core->appointments[index];
    if (it->shift != NONE) {
        touch_shift(core, it->shift);
        route_leave(core, index);
    }
    if (it->planned_start_us == 0) {
        it->planned_start_us = core->now_us;
        it->planned_end_us = core->now_us + it->service_us;
    }
    it->held = false;
    it->shift = shift; /* without a place in the route: he has left for it */
    it->status = APPOINTMENT_SCHEDULED;
}

/* Does the report move the appointment on? Otherwise it is journaled and looked at by people. */
static bool may_move(struct core *core, const struct fact *fact, uint32_t index,
                     uint32_t technician, struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    bool his = it->shift != NONE && core->shifts[it->shift].technician == technician;
    enum appointment_status to = fact->status.status;
    if (life_final(it->status)) {
        bool done = it->status == APPOINTMENT_CANCELLED && life_final(to);
        enum conflict_kind kind = done ? CONFLICT_DONE_AFTER_CANCEL : CONFLICT_ENDED_BEFORE;
        if (it->status != to || !his) dispute(core, fact, index, technician, kind, acts);
        return false;
    }
    if (his) return life_ahead(it->status, to);
    if (life_in_progress(it->status)) {
        dispute(core, fact, index, technician, CONFLICT_BEGUN_BY_TWO, acts);
        return false;
    }
    bool doing = to >= APPOINTMENT_EN_ROUTE; /* accepting is not doing */
    dispute(core, fact, index, technician, doing ? CONFLICT_TAKEN_BACK : CONFLICT_ANSWERED_LATE,
            acts);
    uint32_t shift = find_shift(core, technician, it->board);
    if (shift == NONE || !doing) return false;
    take_back(core, index, shift);
    return true;
}

enum err find_own(struct core *core, const struct fact *fact, const char *appointment_id,
                  uint32_t *index, uint32_t *technician, struct problem *problem)
{
    enum err err = find_technician(core, fact->technician_id, technician, problem);
    if (err == ERR_OK) err = find_appointment(core, appointment_id, index, problem);
    if (err != ERR_OK) return err;
    const struct appointment *it = &core->appointments[*index];
    bool his = it->shift != NONE && core->shifts[it->shift].technician == *technician;
    if (his || had_it(it, *technician)) return ERR_OK;
    return problem_set(problem, ERR_NOT_FOUND, "appointment_id",
                       "there is no appointment \"%.64s\"", appointment_id);
}

bool core_was_his(const struct core *core, const char *technician_id, const char *appointment_id)
{
    uint32_t technician = id_index_find(&core->technician_ids, technician_id);
    uint32_t index = id_index_find(&core->appointment_ids, appointment_id);
    if (technician == NONE || index == NONE) return false;
    const struct appointment *it = &core->appointments[index];
    return (it->shift != NONE && core->shifts[it->shift].technician == technician) ||
           had_it(it, technician);
}

/* A dispatcher who was told sits at a screen: what does not follow is refused. */
static enum err check_told(const struct core *core, const struct fact *fact, uint32_t index,
                           uint32_t technician, struct problem *problem)
{
    const struct appointment *it = &core->appointments[index];
    bool his = it->shift != NONE && core->shifts[it->shift].technician == technician;
    if (!fact->told) return ERR_OK;
    enum err err = check_version(core, index, fact->status.expected_version, problem);
    if (err != ERR_OK) return err;
    if (his && life_ahead(it->status, fact->status.status)) return ERR_OK;
    if (his && it->status == fact->status.status) return ERR_OK; /* at another time */
    return problem_set(problem, ERR_CONFLICT, "appointment_id", "is %s with %s: it cannot be %s",
                       appointment_status_name(it->status),
                       his                 ? "him"
                       : it->shift == NONE ? "nobody"
                                           : owner_id(core, index),
                       appointment_status_name(fact->status.status));
}

/* It was so, but at another time than we thought. */
static void correct_time(struct core *core, const struct fact *fact, uint32_t index,
                         struct acts *acts)
{
    struct appointment *it = &core->appointments[index];
    struct technician *person = &core->technicians[core->shifts[it->shift].technician];
    int64_t at_us = happened_us(core, fact, earliest_us(it, it->status));
    if (it->status == APPOINTMENT_EN_ROUTE) it->departed_us = happened_us(core, fact, 0);
    if (it->status == APPOINTMENT_ON_SITE || it->status == APPOINTMENT_WORKING)
        it->begun_us = happened_us(core, fact, it->departed_us);
    if (life_final(it->status)) {
        if (person->place_us == it->planned_end_us) person->place_us = at_us;
        it->planned_end_us = at_us;
    }
    touch_appointment(core, index, true);
    touch_shift(core, it->shift);
    emit_assignment(core, index, acts);
    emit_appointment(core, index, acts);
    emit_change(core, index, owner_id(core, index), it->planned_start_us, acts);
}

enum err step_status(struct core *core, const struct fact *fact, struct acts *acts,
                     struct problem *problem)
{
    uint32_t index, technician;
    enum err err = find_own(core, fact, fact->status.appointment_id, &index, &technician, problem);
    if (err == ERR_OK) err = check_told(core, fact, index, technician, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    const char *owner = owner_id(core, index);
    int64_t start_us = it->planned_start_us;
    enum appointment_status to = fact->status.status;
    if (fact->told && it->status == to) {
        correct_time(core, fact, index, acts);
        journal(core, fact, index, to, false, true, acts);
        return ERR_OK;
    }
    bool moves = may_move(core, fact, index, technician, acts);
    if (moves) {
        bool open = to == APPOINTMENT_COMPLETED && fact->status.items_open > 0;
        if (open && !acts->conflict)
            dispute(core, fact, index, technician, CONFLICT_CHECKLIST_OPEN, acts);
        report_state(core, fact, index, to, acts);
        bool moves_problem = to >= APPOINTMENT_EN_ROUTE;
        touch_appointment(core, index, moves_problem);
        if (moves_problem) touch_shift(core, it->shift);
        emit_assignment(core, index, acts);
        emit_appointment(core, index, acts);
        emit_change(core, index, owner, start_us, acts);
    }
    journal(core, fact, index, to, false, moves, acts);
    return ERR_OK;
}

enum err step_decline(struct core *core, const struct fact *fact, struct acts *acts,
                      struct problem *problem)
{
    uint32_t index, technician;
    enum err err = find_own(core, fact, fact->status.appointment_id, &index, &technician, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    bool his = it->shift != NONE && core->shifts[it->shift].technician == technician;
    if (his && life_plannable(it->status)) {
        uint32_t shift = it->shift;
        pin_release(core, index, technician, acts);
        exclude(core, index, technician);
        unassign(core, index, acts);
        touch_shift(core, shift);
    } else {
        dispute(core, fact, index, technician, CONFLICT_ANSWERED_LATE, acts);
    }
    journal(core, fact, index, APPOINTMENT_UNSCHEDULED, false, false, acts);
    return ERR_OK;
}

enum err step_late(struct core *core, const struct fact *fact, struct acts *acts,
                   struct problem *problem)
{
    uint32_t index, technician;
    enum err err = find_own(core, fact, fact->status.appointment_id, &index, &technician, problem);
    if (err != ERR_OK) return err;
    struct appointment *it = &core->appointments[index];
    if (core->technicians[technician].current == index) {
        it->delay_us = fact->status.delay_us;
        touch_shift(core, it->shift);
        touch_appointment(core, index, true);
        emit_appointment(core, index, acts);
    } else {
        dispute(core, fact, index, technician, CONFLICT_NOT_IN_PROGRESS, acts);
    }
    journal(core, fact, index, it->status, false, false, acts);
    return ERR_OK;
}
