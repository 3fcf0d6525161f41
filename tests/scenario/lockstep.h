/* lockstep.h - a day in lock-step: some hundred facts, each after the plan of the former is
 * committed. What happens next depends on nothing but the board, so the same states lead to the
 * same day, whoever carries the messages.
 */
#ifndef CALLOUT_TESTS_LOCKSTEP_H
#define CALLOUT_TESTS_LOCKSTEP_H

#include "base/clock.h"
#include "base/rng.h"
#include "caller.h"
#include "day/day.h"
#include "tests/dispatcher/phone_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LOCKSTEP_STEPS = 110, LOCKSTEP_MINUTES = 5 };
#define LOCKSTEP_TERRITORY "north"

struct lockstep {
    struct caller *caller;
    struct rng rng; /* state 0: the plain day; else what happens is drawn */
    const struct day *day;
    Callout__Policy *policy; /* of the plain day; NULL: the default */
    uint32_t step, asked;
    size_t orders_sent;
    uint64_t device_seq[DEVICES_MAX];
    int64_t now_us;
    uint32_t facts, pushed; /* requests that were done; commands among them */
};

/* Asks and wants ERR_OK or, if allowed, a conflict: rules may forbid what the script tries. */
static inline const Callout__Reply *lockstep_ask(struct lockstep *it, int device,
                                                 const char *method, const ProtobufCMessage *body,
                                                 bool may_conflict)
{
    char id[32];
    snprintf(id, sizeof id, "lockstep-%u", ++it->asked);
    const Callout__Reply *reply = it->caller->ask(it->caller, device, method, id, body);
    if (reply == NULL) fail_msg("step %u: no reply to %s", it->step, method);
    bool conflict = reply->status == CALLOUT__STATUS__CONFLICT;
    if (reply->status != CALLOUT__STATUS__OK && !(conflict && may_conflict))
        fail_msg("step %u: %s: status %d, %s", it->step, method, (int)reply->status, reply->text);
    return reply;
}

static inline void *lockstep_body(struct lockstep *it, const Callout__Reply *reply,
                                  const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = NULL;
    assert_int_equal(
        message_decode(type, reply->body.data, reply->body.len, &it->caller->arena, &message, NULL),
        ERR_OK);
    return message;
}

static inline const Callout__BoardReply *lockstep_board(struct lockstep *it)
{
    Callout__BoardRequest request;
    callout__board_request__init(&request);
    request.territory_id = words(LOCKSTEP_TERRITORY);
    request.service_day = it->day->service_day;
    return lockstep_body(it, lockstep_ask(it, -1, "Board", &request.base, false),
                         &callout__board_reply__descriptor);
}

static inline bool lockstep_settled(const Callout__BoardReply *board)
{
    return board->revision == board->settled_revision;
}

/* --- the fleet --- */

static inline Callout__Point *lockstep_point(struct lockstep *it, struct point at)
{
    Callout__Point *point = arena_need(&it->caller->arena, sizeof *point);
    callout__point__init(point);
    point->lat_e7 = at.lat_e7;
    point->lon_e7 = at.lon_e7;
    return point;
}

static inline Callout__Skill **lockstep_skills(struct lockstep *it, const struct day_skill *skills,
                                               size_t count)
{
    Callout__Skill **out = arena_need(&it->caller->arena, (count + 1) * sizeof *out);
    for (size_t i = 0; i < count; i++) {
        out[i] = arena_need(&it->caller->arena, sizeof *out[i]);
        callout__skill__init(out[i]);
        out[i]->name = words(skills[i].name);
        out[i]->level = skills[i].level;
    }
    return out;
}

/* --- what is drawn of a fleet, its orders and its prices --- */

static inline uint32_t lockstep_draw(struct lockstep *it, uint32_t bound)
{
    return rng_below(&it->rng, bound);
}

static inline bool lockstep_chance(struct lockstep *it, uint32_t one_in)
{
    return it->rng.state != 0 && lockstep_draw(it, one_in) == 0;
}

static inline const char *lockstep_anybody(struct lockstep *it)
{
    return it->day->technicians[lockstep_draw(it, (uint32_t)it->day->technician_count)].id;
}

static inline void lockstep_policy(struct lockstep *it, Callout__Policy *policy)
{
    callout__policy__init(policy);
    policy->freeze_seconds = 1800;
    policy->dispatch_ahead_seconds = 3600;
    policy->accept_timeout_seconds = 600;
    policy->overtime_price_percent = 150;
    policy->unserved_seconds_per_priority = 3600;
    policy->change_technician_seconds = (int32_t)lockstep_draw(it, 300);
    policy->change_start_seconds = (int32_t)lockstep_draw(it, 60);
    policy->change_start_tolerance_seconds = 900;
    policy->overtime_tier_seconds = (int32_t)lockstep_draw(it, 2) * 900;
    policy->overtime_tier_price_percent = 300;
    policy->lateness_price_percent = (int32_t)lockstep_draw(it, 300);
    policy->preferred_window_missed_seconds = (int32_t)lockstep_draw(it, 1800);
    policy->preferred_technician_missed_seconds = (int32_t)lockstep_draw(it, 1800);
    policy->travel_price_percent = (int32_t)lockstep_draw(it, 2) * (20 + (int32_t)it->step);
}

/* Whom an order names: mostly nobody. */
static inline char **lockstep_names(struct lockstep *it, size_t *count)
{
    char **names = arena_need(&it->caller->arena, 2 * sizeof *names);
    while (*count < 2 && lockstep_chance(it, 8))
        names[(*count)++] = words(lockstep_anybody(it));
    return names;
}

static inline Callout__SkillChoice **lockstep_choices(struct lockstep *it, size_t *count)
{
    const struct day_technician *one =
        &it->day->technicians[lockstep_draw(it, (uint32_t)it->day->technician_count)];
    Callout__SkillChoice **choices = arena_need(&it->caller->arena, sizeof *choices);
    choices[0] = arena_need(&it->caller->arena, sizeof *choices[0]);
    callout__skill_choice__init(choices[0]);
    choices[0]->any_of = lockstep_skills(it, one->skills, one->skill_count);
    choices[0]->n_any_of = one->skill_count;
    *count = one->skill_count > 0;
    return choices;
}

/* More windows than one: later, promised, or preferred ones. */
static inline void lockstep_windows(struct lockstep *it, Callout__WorkOrder *order)
{
    const Callout__ArrivalWindow *first = order->windows[0];
    int64_t end_us = first->end_us;
    while (order->n_windows < 3 && lockstep_chance(it, 3)) {
        Callout__ArrivalWindow *window = arena_need(&it->caller->arena, sizeof *window);
        callout__arrival_window__init(window);
        window->preferred = lockstep_chance(it, 2);
        window->promised = lockstep_chance(it, 3);
        window->start_us = end_us + (1 + lockstep_draw(it, 3600)) * US_PER_SECOND;
        if (window->preferred && order->n_windows == 1) window->start_us = first->start_us;
        window->end_us = window->start_us + lockstep_draw(it, 7200) * US_PER_SECOND;
        if (window->end_us > end_us) end_us = window->end_us;
        order->windows[order->n_windows++] = window;
    }
}

static inline void lockstep_wishes(struct lockstep *it, Callout__WorkOrder *order)
{
    if (it->rng.state == 0) return;
    lockstep_windows(it, order);
    if (lockstep_chance(it, 3)) order->late_seconds_max = (int32_t)lockstep_draw(it, 5400);
    if (lockstep_chance(it, 5))
        order->skill_choices = lockstep_choices(it, &order->n_skill_choices);
    order->required_technician_ids = lockstep_names(it, &order->n_required_technician_ids);
    order->preferred_technician_ids = lockstep_names(it, &order->n_preferred_technician_ids);
    order->excluded_technician_ids = lockstep_names(it, &order->n_excluded_technician_ids);
}

static inline void lockstep_territory(struct lockstep *it)
{
    static const char *const names[] = {"electrical", "plumbing", "network", "hvac", "gas", "lift"};
    Callout__UpsertTerritoryRequest request;
    Callout__Territory territory;
    callout__upsert_territory_request__init(&request);
    callout__territory__init(&territory);
    char *skills[DAY_SKILLS_MAX * 16];
    request.n_skill_names = sizeof names / sizeof names[0];
    for (size_t i = 0; i < request.n_skill_names; i++)
        skills[i] = words(names[i]);
    for (size_t i = 0; i < it->day->technician_count; i++) {
        for (size_t k = 0; k < it->day->technicians[i].skill_count; k++)
            skills[request.n_skill_names++] = words(it->day->technicians[i].skills[k].name);
    }
    territory.territory_id = words(LOCKSTEP_TERRITORY);
    territory.time_zone = words(it->day->time_zone);
    Callout__Policy policy;
    territory.policy = it->policy;
    if (it->rng.state != 0) {
        lockstep_policy(it, &policy);
        territory.policy = &policy;
    }
    request.territory = &territory;
    request.skill_names = skills;
    lockstep_ask(it, -1, "UpsertTerritory", &request.base, false);
}

static inline void lockstep_technician(struct lockstep *it, const struct day_technician *from)
{
    Callout__UpsertTechnicianRequest request;
    Callout__Technician technician;
    Callout__Shift shift, *shifts[] = {&shift};
    callout__upsert_technician_request__init(&request);
    callout__technician__init(&technician);
    callout__shift__init(&shift);
    technician.technician_id = words(from->id);
    technician.territory_id = words(LOCKSTEP_TERRITORY);
    technician.name = words(from->name);
    technician.home = lockstep_point(it, from->home);
    technician.skills = lockstep_skills(it, from->skills, from->skill_count);
    technician.n_skills = from->skill_count;
    if (lockstep_chance(it, 3)) technician.leg_seconds_max = 300 + (int32_t)lockstep_draw(it, 2400);
    if (lockstep_chance(it, 3))
        technician.travel_seconds_max = 1800 + (int32_t)lockstep_draw(it, 7200);
    technician.shifts = shifts;
    technician.n_shifts = 1;
    shift.service_day = it->day->service_day;
    shift.start_us = from->shift_start_us;
    shift.end_us = from->shift_end_us;
    shift.overtime_seconds_max = from->overtime_s_max;
    shift.break_earliest_us = from->break_earliest_us;
    shift.break_latest_us = from->break_latest_us;
    shift.break_seconds = from->break_s;
    request.technician = &technician;
    lockstep_ask(it, -1, "UpsertTechnician", &request.base, false);
}

static inline void lockstep_device(struct lockstep *it, int device)
{
    struct phone_key key;
    Callout__EnrollRequest enroll;
    Callout__HelloRequest hello;
    phone_key_make(&key);
    phone_key_enroll(&key, it->caller->token(it->caller, it->day->technicians[device].id), &enroll);
    callout__hello_request__init(&hello);
    const Callout__EnrollReply *enrolled =
        lockstep_body(it, lockstep_ask(it, -2, "Enroll", &enroll.base, false),
                      &callout__enroll_reply__descriptor);
    hello.device_id = enrolled->device_id;
    hello.epoch = enrolled->epoch;
    phone_key_hello(&key,
                    lockstep_body(it, lockstep_ask(it, -2, "Hello", &hello.base, false),
                                  &callout__hello_reply__descriptor),
                    &hello);
    it->caller->hello(it->caller, device,
                      lockstep_body(it, lockstep_ask(it, -2, "Hello", &hello.base, false),
                                    &callout__hello_reply__descriptor));
}

static inline void lockstep_order(struct lockstep *it, const struct day_order *from, bool emergency)
{
    Callout__UpsertWorkOrderRequest request;
    Callout__WorkOrder order;
    Callout__Site site;
    Callout__ArrivalWindow window, *windows[3] = {&window};
    callout__upsert_work_order_request__init(&request);
    callout__work_order__init(&order);
    callout__site__init(&site);
    callout__arrival_window__init(&window);
    order.work_order_id = words(from->id);
    order.territory_id = words(LOCKSTEP_TERRITORY);
    order.service_seconds = from->service_s;
    order.priority = from->priority;
    order.emergency = emergency;
    order.skills = lockstep_skills(it, from->skills, from->skill_count);
    order.n_skills = from->skill_count;
    order.site = &site;
    order.windows = windows;
    order.n_windows = 1;
    site.address = words(from->address);
    site.point = lockstep_point(it, from->at);
    window.start_us = from->window_start_us;
    window.end_us = from->window_end_us - from->service_s * US_PER_SECOND;
    lockstep_wishes(it, &order);
    request.work_order = &order;
    lockstep_ask(it, -1, "UpsertWorkOrder", &request.base, false);
}

/* --- what happens in the day --- */

static inline void lockstep_clock(struct lockstep *it, int64_t time_us)
{
    Callout__AdvanceClockRequest request;
    callout__advance_clock_request__init(&request);
    request.time_us = it->now_us = time_us;
    lockstep_ask(it, -1, "AdvanceClock", &request.base, false);
}

static inline void lockstep_push(struct lockstep *it, int device, Callout__Command *command)
{
    Callout__PushRequest request;
    callout__push_request__init(&request);
    command->seq = ++it->device_seq[device];
    command->device_time_us = it->now_us;
    request.commands = &command;
    request.n_commands = 1;
    lockstep_ask(it, device, "Push", &request.base, false);
    it->pushed++;
}

/* The visit that a technician is at or goes to next; NULL: he has none. */
static inline const Callout__Appointment *lockstep_next(const Callout__BoardReply *board,
                                                        const char *technician_id)
{
    const Callout__Appointment *best = NULL;
    for (size_t i = 0; i < board->n_appointments; i++) {
        const Callout__Appointment *at = board->appointments[i]->appointment;
        bool over = at->status >= CALLOUT__APPOINTMENT_STATUS__COMPLETED;
        if (at->assignment == NULL || over ||
            strcmp(at->assignment->technician_id, technician_id) != 0)
            continue;
        bool begun = at->status >= CALLOUT__APPOINTMENT_STATUS__EN_ROUTE;
        bool best_begun = best != NULL && best->status >= CALLOUT__APPOINTMENT_STATUS__EN_ROUTE;
        if (best == NULL || (begun && !best_begun) ||
            (begun == best_begun && at->planned_start_us < best->planned_start_us))
            best = at;
    }
    return best;
}

/* A technician reports the next state of his next visit; now and then something else. */
static inline void lockstep_report(struct lockstep *it, const Callout__BoardReply *board)
{
    int device = (int)(it->step % it->day->technician_count);
    const Callout__Appointment *at = lockstep_next(board, it->day->technicians[device].id);
    if (at == NULL || at->planned_start_us > it->now_us + 60 * US_PER_MINUTE) return;
    Callout__Command command;
    Callout__StatusReport status;
    Callout__RunningLate late;
    Callout__Decline decline;
    callout__command__init(&command);
    callout__status_report__init(&status);
    callout__running_late__init(&late);
    callout__decline__init(&decline);
    status.appointment_id = late.appointment_id = decline.appointment_id = at->appointment_id;
    status.status = at->status < CALLOUT__APPOINTMENT_STATUS__ACCEPTED
                        ? CALLOUT__APPOINTMENT_STATUS__ACCEPTED
                    : at->status == CALLOUT__APPOINTMENT_STATUS__WORKING
                        ? CALLOUT__APPOINTMENT_STATUS__COMPLETED
                        : at->status + 1;
    command.body_case = CALLOUT__COMMAND__BODY_STATUS;
    command.status = &status;
    if (it->step % 13 == 5 && at->status >= CALLOUT__APPOINTMENT_STATUS__ON_SITE) {
        late.delay_seconds = 1800;
        command.body_case = CALLOUT__COMMAND__BODY_RUNNING_LATE;
        command.running_late = &late;
    } else if (it->step % 17 == 6 && at->status < CALLOUT__APPOINTMENT_STATUS__EN_ROUTE) {
        command.body_case = CALLOUT__COMMAND__BODY_DECLINE;
        command.decline = &decline;
    }
    lockstep_push(it, device, &command);
}

/* A dispatcher gives the board's n-th open appointment to somebody, whatever the rules say. */
static inline void lockstep_assign(struct lockstep *it, const Callout__BoardReply *board)
{
    for (size_t i = it->step % (board->n_appointments + 1); i < board->n_appointments; i++) {
        const Callout__Appointment *at = board->appointments[i]->appointment;
        if (at->status > CALLOUT__APPOINTMENT_STATUS__SCHEDULED) continue;
        Callout__AssignRequest request;
        callout__assign_request__init(&request);
        request.appointment_id = at->appointment_id;
        request.technician_id =
            words(it->day->technicians[it->step % it->day->technician_count].id);
        request.override_reason = words("promised");
        lockstep_ask(it, -1, "Assign", &request.base, true);
        return;
    }
}

static inline void lockstep_cancel(struct lockstep *it)
{
    Callout__CancelWorkOrderRequest request;
    callout__cancel_work_order_request__init(&request);
    request.work_order_id = words(it->day->orders[it->step % it->orders_sent].id);
    lockstep_ask(it, -1, "CancelWorkOrder", &request.base, true);
}

static inline void lockstep_absence(struct lockstep *it)
{
    Callout__ReportAbsenceRequest request;
    Callout__Absence absence;
    callout__report_absence_request__init(&request);
    callout__absence__init(&absence);
    absence.technician_id = words(it->day->technicians[it->day->technician_count - 1].id);
    request.absence = &absence;
    lockstep_ask(it, -1, "ReportAbsence", &request.base, true);
}

static inline void lockstep_freeze(struct lockstep *it, int32_t seconds)
{
    Callout__SetFreezeHorizonRequest request;
    callout__set_freeze_horizon_request__init(&request);
    request.territory_id = words(LOCKSTEP_TERRITORY);
    request.freeze_seconds = seconds;
    lockstep_ask(it, -1, "SetFreezeHorizon", &request.base, false);
}

/* --- what may happen in a drawn day --- */

/* A pin of the technician, of the time, of both or, as often, of neither. */
static inline void lockstep_pin(struct lockstep *it, const Callout__Appointment *at)
{
    Callout__SetPinRequest request;
    Callout__Pin pin;
    callout__set_pin_request__init(&request);
    callout__pin__init(&pin);
    request.appointment_id = at->appointment_id;
    request.pin = &pin;
    pin.technician = lockstep_draw(it, 2) == 0;
    pin.time = lockstep_draw(it, 2) == 0;
    if (pin.technician && lockstep_draw(it, 2)) pin.technician_id = words(lockstep_anybody(it));
    if (pin.technician && at->assignment == NULL) pin.technician_id = words(lockstep_anybody(it));
    if (pin.time) pin.start_us = it->now_us + (int64_t)lockstep_draw(it, 300) * US_PER_MINUTE + 1;
    lockstep_ask(it, -1, "SetPin", &request.base, true);
}

static inline void lockstep_unassign(struct lockstep *it, const Callout__Appointment *at)
{
    Callout__UnassignRequest request;
    callout__unassign_request__init(&request);
    request.appointment_id = at->appointment_id;
    lockstep_ask(it, -1, "Unassign", &request.base, true);
}

static inline void lockstep_reassign(struct lockstep *it, const Callout__Appointment *at)
{
    Callout__AssignRequest request;
    callout__assign_request__init(&request);
    request.appointment_id = at->appointment_id;
    request.technician_id = words(lockstep_anybody(it));
    if (lockstep_draw(it, 2)) request.override_reason = words("promised");
    if (lockstep_draw(it, 3) == 0)
        request.start_us = it->now_us + (int64_t)lockstep_draw(it, 200) * US_PER_MINUTE + 1;
    lockstep_ask(it, -1, "Assign", &request.base, true);
}

static inline void lockstep_away(struct lockstep *it)
{
    Callout__ReportAbsenceRequest request;
    Callout__Absence absence;
    callout__report_absence_request__init(&request);
    callout__absence__init(&absence);
    absence.technician_id = words(lockstep_anybody(it));
    if (lockstep_draw(it, 2)) {
        absence.start_us = it->now_us + (int64_t)lockstep_draw(it, 240) * US_PER_MINUTE;
        absence.end_us = absence.start_us + (int64_t)(lockstep_draw(it, 120) + 1) * US_PER_MINUTE;
    }
    request.absence = &absence;
    lockstep_ask(it, -1, "ReportAbsence", &request.base, true);
}

static inline void lockstep_drawn(struct lockstep *it)
{
    const Callout__BoardReply *board = lockstep_board(it);
    if (board->n_appointments == 0) return;
    size_t which = lockstep_draw(it, (uint32_t)board->n_appointments);
    const Callout__Appointment *at = board->appointments[which]->appointment;
    switch (lockstep_draw(it, 16)) {
    case 0: lockstep_pin(it, at); break;
    case 1: lockstep_unassign(it, at); break;
    case 2: lockstep_reassign(it, at); break;
    case 3:
        if (lockstep_draw(it, 4) == 0) lockstep_away(it);
        break;
    case 4: lockstep_freeze(it, (int32_t)lockstep_draw(it, 5) * 900); break;
    case 5: lockstep_cancel(it); break;
    case 6:
    case 7:
        if (it->orders_sent < it->day->order_count)
            lockstep_order(it, &it->day->orders[it->orders_sent++], lockstep_draw(it, 3) == 0);
        break;
    default:
        it->step += lockstep_draw(it, 8) * 1000; /* somebody else's turn */
        lockstep_report(it, board);
        it->step %= 1000;
        break;
    }
}

/* --- the steps --- */

static inline void lockstep_happen(struct lockstep *it)
{
    if (it->rng.state != 0) {
        lockstep_drawn(it);
        return;
    }
    uint32_t hour = it->step % 9;
    bool more = it->orders_sent < it->day->order_count;
    const Callout__BoardReply *board = lockstep_board(it);
    if (it->step == 60)
        lockstep_absence(it);
    else if (it->step == 70)
        lockstep_freeze(it, 2700);
    else if (hour == 2 && more)
        lockstep_order(it, &it->day->orders[it->orders_sent++], it->step % 2 == 0);
    else if (hour == 5 && it->step % 2 == 0)
        lockstep_assign(it, board);
    else if (hour == 7 && it->step % 4 == 0)
        lockstep_cancel(it);
    else
        lockstep_report(it, board);
}

/* Does one step, which is at most one fact and what the clock brings with it. False: the day is
 * over. Call it again only when the board is settled. */
static inline bool lockstep_step(struct lockstep *it)
{
    size_t people = it->day->technician_count, early = it->day->order_count * 2 / 3;
    uint32_t n = it->step;
    if (n == 0) {
        lockstep_territory(it);
    } else if (n <= people) {
        lockstep_technician(it, &it->day->technicians[n - 1]);
        lockstep_device(it, (int)n - 1);
    } else if (n <= people + early) {
        lockstep_order(it, &it->day->orders[it->orders_sent++], false);
    } else if (n <= people + early + 2 * LOCKSTEP_STEPS) {
        uint32_t at = n - (uint32_t)(people + early) - 1;
        if (at % 2 == 0)
            lockstep_clock(it, it->day->start_us + (at / 2) * LOCKSTEP_MINUTES * US_PER_MINUTE);
        else
            lockstep_happen(it);
    } else {
        return false;
    }
    it->step++;
    return true;
}

#endif
