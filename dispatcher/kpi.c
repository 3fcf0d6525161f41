/* kpi.c - from check-ins to what happened: to each visit, and on each technician's day.
 *
 * An attempt begins when a technician leaves for a visit and ends when it is over, or when it is
 * taken from him. Reports of others meanwhile, and reports that lead back, were journaled but moved
 * nothing (core/field.c): they are passed over here by the same rules. An attempt that was taken
 * away shows in no check-in but in the changes, which are read only where check-ins do not tell.
 */
#include "dispatcher/kpi.h"

#include "dispatcher/core/life.h"
#include "dispatcher/engine_impl.h"

#include <stdlib.h>
#include <string.h>

struct person {
    const char *id;
    struct core_shift shift;
    struct kpi_stretch *stretches;
    uint32_t count, room;
    uint32_t left;       /* visits that he has still to do or to end */
    int64_t last_end_us; /* of what he did; 0: nothing yet */
    struct point last_point;
};

/* What a technician said about a visit, or (status UNSCHEDULED) that it was taken from him. */
struct report {
    int64_t seq, at_us;
    enum appointment_status status;
    const char *technician_id;
    bool rests; /* of PAUSED: for the break */
};

struct reading {
    struct store *store;
    const struct core *core;
    const struct kpi_day *day;
    struct arena *arena;
    struct day_figures *out;
    struct person *people;
    uint32_t person_count, person_room, leg_room;
    struct report *reports; /* of one visit */
    uint32_t report_count, report_room;
    int64_t from_seq, until_seq; /* which facts are of this day, both inclusive */
    enum err err;
};

static void *grown(struct arena *arena, void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room) return items;
    *room = *room == 0 ? 16 : *room * 2;
    void *more = arena_need(arena, *room * size);
    if (count > 0) memcpy(more, items, count * size);
    return more;
}

/* --- people */

static struct person *find_person(struct reading *reading, const char *id)
{
    for (uint32_t i = 0; i < reading->person_count; i++) {
        if (strcmp(reading->people[i].id, id) == 0) return &reading->people[i];
    }
    return NULL;
}

struct crew {
    struct reading *reading;
    int64_t service_day;
};

static void add_person(void *context, const char *id)
{
    struct crew *crew = context;
    struct reading *reading = crew->reading;
    struct person person = {.id = id};
    if (!core_shift(reading->core, id, crew->service_day, &person.shift)) return;
    reading->people = grown(reading->arena, reading->people, reading->person_count,
                            &reading->person_room, sizeof *reading->people);
    reading->people[reading->person_count++] = person;
}

static void add_stretch(struct reading *reading, const char *technician_id, enum kpi_part part,
                        int64_t start_us, int64_t end_us)
{
    struct person *person = find_person(reading, technician_id);
    if (person == NULL || start_us >= end_us) return;
    person->stretches = grown(reading->arena, person->stretches, person->count, &person->room,
                              sizeof *person->stretches);
    person->stretches[person->count++] = (struct kpi_stretch){part, start_us, end_us};
}

static void count_technician_days(struct reading *reading)
{
    for (uint32_t i = 0; i < reading->person_count; i++) {
        const struct person *person = &reading->people[i];
        const struct core_shift *shift = &person->shift;
        bool done = person->left == 0 && person->last_end_us != 0;
        const struct kpi_technician_day it = {
            .shift_start_us = shift->start_us,
            .shift_end_us = shift->end_us,
            .break_earliest_us = shift->break_earliest_us,
            .break_latest_us = shift->break_latest_us,
            .break_us = shift->break_us,
            .absent_start_us = shift->absent_start_us,
            .absent_end_us = shift->absent_end_us,
            .home_us = done ? core_travel_us(reading->core, person->last_point, shift->end) : 0,
            .stretches = person->stretches,
            .stretch_count = person->count,
        };
        kpi_add_technician_day(&reading->out->kpi, reading->day, &it);
    }
}

/* --- reports */

static bool add_check_in(void *context, const void *visited)
{
    struct reading *reading = context;
    const struct row_check_in *row = visited;
    /* A check-in of earlier builds says only what the device said. */
    bool said = row->device_time_us > 0 && row->device_time_us <= row->received_us;
    int64_t at_us = said ? row->device_time_us : row->received_us;
    if (row->status < APPOINTMENT_EN_ROUTE || row->status > APPOINTMENT_NO_ACCESS) return true;
    if (row->seq < reading->from_seq || row->seq > reading->until_seq) return true;
    reading->reports = grown(reading->arena, reading->reports, reading->report_count,
                             &reading->report_room, sizeof *reading->reports);
    reading->reports[reading->report_count++] = (struct report){
        .seq = row->seq,
        .at_us = row->happened_us > 0 ? row->happened_us : at_us,
        .status = (enum appointment_status)row->status,
        .technician_id = arena_text(reading->arena, row->technician_id),
        .rests = row->status == APPOINTMENT_PAUSED && strcmp(row->reason, "break") == 0,
    };
    return true;
}

/* Changes come newest first; they are put where they belong, before the reports of their fact. */
static bool add_taken(void *context, const void *visited)
{
    struct reading *reading = context;
    const struct row_change *row = visited;
    if (row->owner_before[0] == '\0' || strcmp(row->owner_before, row->owner_after) == 0)
        return true;
    if (row->seq < reading->from_seq || row->seq > reading->until_seq) return true;
    reading->reports = grown(reading->arena, reading->reports, reading->report_count,
                             &reading->report_room, sizeof *reading->reports);
    uint32_t at = reading->report_count++;
    for (; at > 0 && reading->reports[at - 1].seq >= row->seq; at--)
        reading->reports[at] = reading->reports[at - 1];
    reading->reports[at] = (struct report){
        .seq = row->seq,
        .status = APPOINTMENT_UNSCHEDULED,
        .technician_id = arena_text(reading->arena, row->owner_before),
    };
    return true;
}

/* When a fact happened; the store knows no visit of another table while it reads one. */
static void time_taken(struct reading *reading)
{
    for (uint32_t i = 0; i < reading->report_count; i++) {
        union row row;
        struct report *it = &reading->reports[i];
        if (it->status != APPOINTMENT_UNSCHEDULED) continue;
        enum err err =
            store_get(reading->store, ROW_FACT, &(struct row_fact){.seq = it->seq}, &row);
        if (err == ERR_OK) it->at_us = row.fact.time_us;
        if (err != ERR_OK && err != ERR_NOT_FOUND) reading->err = err;
    }
}

/* Do the check-ins tell all? Not if it was begun twice, by two, or was not going on any more
 * although it was begun and not ended. */
static bool tell_all(const struct reading *reading, const struct core_visit *visit)
{
    uint32_t begun = 0;
    bool ended = false;
    for (uint32_t i = 0; i < reading->report_count; i++) {
        const struct report *it = &reading->reports[i];
        begun += it->status == APPOINTMENT_EN_ROUTE;
        ended |= life_final(it->status);
        if (strcmp(it->technician_id, reading->reports[0].technician_id) != 0) return false;
    }
    bool goes_on = reading->until_seq == INT64_MAX && life_in_progress(visit->status);
    return begun <= 1 && (ended || goes_on);
}

static enum err read_reports(struct reading *reading, const struct core_visit *visit)
{
    const struct row_check_in key = {.appointment_id = visit->appointment_id};
    reading->report_count = 0;
    enum err err = store_each(reading->store, ROW_CHECK_IN, &key, 1, false, add_check_in, reading);
    if (err != ERR_OK || reading->report_count == 0 || tell_all(reading, visit)) return err;
    err = store_history_of(reading->store, visit->appointment_id, add_taken, reading);
    if (err == ERR_OK) time_taken(reading);
    return err;
}

/* --- what became of a visit */

struct course {
    struct reading *reading;
    const char *technician_id;     /* of the attempt; NULL: nobody is at it */
    const char *last_id;           /* of the last attempt; NULL: nobody ever began */
    enum appointment_status stage; /* of the attempt */
    bool rests;
    int64_t since_us, last_us;
    int64_t first_arrived_us, first_begun_us; /* of all attempts */
    struct kpi_leg leg;                       /* the last attempt */
};

static enum kpi_part part_of(const struct course *course)
{
    if (course->stage == APPOINTMENT_EN_ROUTE) return KPI_TRAVEL;
    if (course->stage == APPOINTMENT_WORKING) return KPI_WORK;
    return course->rests ? KPI_BREAK : KPI_WAIT;
}

static void end_stage(struct course *course, int64_t at_us)
{
    if (course->technician_id == NULL) return;
    add_stretch(course->reading, course->technician_id, part_of(course), course->since_us, at_us);
    if (course->stage == APPOINTMENT_WORKING) course->leg.worked_us += at_us - course->since_us;
}

static bool moves_on(const struct course *course, const struct report *report)
{
    if (course->technician_id == NULL) return true;
    if (strcmp(course->technician_id, report->technician_id) != 0) return false;
    bool again = course->stage == APPOINTMENT_PAUSED && report->status == APPOINTMENT_WORKING;
    return report->status > course->stage || again;
}

static void enter_stage(struct course *course, const struct report *report, int64_t at_us)
{
    enum appointment_status to = report->status;
    if (course->technician_id == NULL) course->leg = (struct kpi_leg){.departed_us = at_us};
    course->technician_id = course->last_id = report->technician_id;
    course->stage = to;
    course->since_us = at_us;
    course->rests = report->rests;
    bool there = to == APPOINTMENT_ON_SITE || to == APPOINTMENT_WORKING ||
                 to == APPOINTMENT_COMPLETED || to == APPOINTMENT_NO_ACCESS;
    if (there && course->leg.arrived_us == 0) course->leg.arrived_us = at_us;
    if (there && course->first_arrived_us == 0) course->first_arrived_us = at_us;
    bool works = to == APPOINTMENT_WORKING;
    if (works && course->leg.begun_us == 0) course->leg.begun_us = at_us;
    if (works && course->first_begun_us == 0) course->first_begun_us = at_us;
    if (life_final(to)) course->leg.ended_us = at_us;
}

static void follow_reports(struct course *course)
{
    const struct reading *reading = course->reading;
    for (uint32_t i = 0; i < reading->report_count && course->leg.ended_us == 0; i++) {
        const struct report *report = &reading->reports[i];
        int64_t at_us = report->at_us > course->last_us ? report->at_us : course->last_us;
        if (report->status == APPOINTMENT_UNSCHEDULED) {
            if (course->technician_id == NULL ||
                strcmp(course->technician_id, report->technician_id) != 0)
                continue;
            end_stage(course, at_us);
            course->technician_id = NULL;
        } else if (moves_on(course, report)) {
            end_stage(course, at_us);
            enter_stage(course, report, at_us);
        }
        course->last_us = at_us;
    }
    if (course->leg.ended_us == 0) end_stage(course, INT64_MAX);
}

/* --- what was to become of it */

struct windows {
    struct kpi_visit *visit;
    bool promised; /* as soon as one is, only promised ones count */
};

static bool add_window(void *context, const void *visited)
{
    struct windows *windows = context;
    struct kpi_visit *visit = windows->visit;
    const struct row_arrival_window *row = visited;
    bool promised = row->promised != 0;
    if (promised && !windows->promised) visit->window_count = 0;
    windows->promised |= promised;
    if (windows->promised && !promised) return true;
    if (visit->window_count == LIMIT_WINDOWS_PER_ORDER) return false;
    visit->windows[visit->window_count++] = (struct window){row->start_us, row->end_us};
    return true;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum err read_demand(struct reading *reading, const struct core_visit *it,
                            struct kpi_visit *out)
{
    union row row;
    const struct row_work_order key = {.work_order_id = it->work_order_id};
    const struct row_arrival_window first = {.work_order_id = it->work_order_id};
    struct windows windows = {out, false};
    enum err err = store_get(reading->store, ROW_WORK_ORDER, &key, &row);
    if (err != ERR_OK) return err;
    int64_t earliest_us = row.work_order.earliest_start_us;
    out->due_us = row.work_order.due_us;
    err = store_each(reading->store, ROW_ARRIVAL_WINDOW, &first, 1, false, add_window, &windows);
    out->window_count = windows_merge(out->windows, out->window_count);
    if (out->window_count > 0) earliest_us = later(earliest_us, out->windows[0].start_us);
    if (it->created_us != 0) out->waiting_us = later(it->created_us, earliest_us);
    return err;
}

static enum appointment_end end_of(const struct core_visit *it)
{
    switch (it->status) {
    case APPOINTMENT_EN_ROUTE:
    case APPOINTMENT_ON_SITE:
    case APPOINTMENT_WORKING:
    case APPOINTMENT_PAUSED: return KPI_RUNNING;
    case APPOINTMENT_COMPLETED: return KPI_COMPLETED;
    case APPOINTMENT_INCOMPLETE: return KPI_INCOMPLETE;
    case APPOINTMENT_NO_ACCESS: return KPI_NO_ACCESS;
    case APPOINTMENT_CANCELLED: return KPI_CANCELLED;
    case APPOINTMENT_NONE:
    case APPOINTMENT_UNSCHEDULED:
    case APPOINTMENT_SCHEDULED:
    case APPOINTMENT_DISPATCHED:
    case APPOINTMENT_ACCEPTED:
    case APPOINTMENT_STATUSES:
    default: return it->technician_id[0] == '\0' ? KPI_UNSERVED : KPI_OPEN;
    }
}

/* Whose day it still is, and where it left him. */
static void note_person(struct reading *reading, const struct core_visit *it,
                        const struct course *course)
{
    struct person *owner = find_person(reading, it->technician_id);
    if (owner != NULL && !life_final(it->status)) owner->left++;
    if (course->last_id == NULL) return;
    struct person *person = find_person(reading, course->last_id);
    if (person == NULL || person->last_end_us >= course->last_us) return;
    person->last_end_us = course->last_us;
    person->last_point = it->point;
}

static void add_leg(struct reading *reading, const struct core_visit *it,
                    const struct kpi_visit *visit, const struct course *course)
{
    struct day_figures *out = reading->out;
    if (course->technician_id == NULL) return;
    out->legs =
        grown(reading->arena, out->legs, out->leg_count, &reading->leg_room, sizeof *out->legs);
    struct leg *leg = &out->legs[out->leg_count++];
    *leg = (struct leg){
        .technician_id = course->technician_id,
        .appointment_id = arena_text(reading->arena, it->appointment_id),
        .status = it->status,
        .planned_start_us = it->planned_start_us,
        .late_us = visit->arrived_us != 0 ? kpi_late_us(visit) : 0,
        .times = course->leg,
    };
    leg->times.planned_travel_us = core_travel_us(reading->core, it->departed_from, it->point);
    leg->times.planned_service_us = it->service_us;
    kpi_add_leg(&out->kpi, &leg->times);
}

/* A visit of the day; `carried`: the day ended without it, and it went to another one. */
static enum err count_visit(struct reading *reading, const char *appointment_id, bool carried)
{
    struct core_visit it;
    struct kpi_visit visit = {.end = KPI_UNSERVED};
    struct course course = {.reading = reading};
    if (!core_visit(reading->core, appointment_id, &it)) return ERR_OK;
    if (!carried) reading->from_seq = it.day_seq;
    enum err err = read_demand(reading, &it, &visit);
    if (err == ERR_OK) err = read_reports(reading, &it);
    if (err != ERR_OK) return err;
    follow_reports(&course);
    if (!carried) visit.end = end_of(&it);
    visit.first = it.first;
    visit.arrived_us = course.first_arrived_us;
    visit.begun_us = course.first_begun_us;
    visit.ended_us = course.leg.ended_us;
    kpi_add_visit(&reading->out->kpi, reading->day, &visit);
    if (carried) return reading->err;
    note_person(reading, &it, &course);
    add_leg(reading, &it, &visit, &course);
    return reading->err;
}

static void count_board_visit(void *context, const char *appointment_id)
{
    struct reading *reading = context;
    enum err err = count_visit(reading, appointment_id, false);
    if (reading->err == ERR_OK) reading->err = err;
}

/* --- what the tables say of the day as a whole */

struct seqs {
    struct arena *arena;
    struct noted {
        int64_t seq;
        const char *id;
    } * items;
    uint32_t count, room;
};

static void note_seq(struct seqs *seqs, int64_t seq, const char *id)
{
    seqs->items = grown(seqs->arena, seqs->items, seqs->count, &seqs->room, sizeof *seqs->items);
    seqs->items[seqs->count++] = (struct noted){seq, arena_text(seqs->arena, id)};
}

static bool note_carried(void *context, const void *visited)
{
    const struct row_carry_over *row = visited;
    note_seq(context, row->seq, row->appointment_id);
    return true;
}

static bool note_plan(void *context, const void *visited)
{
    const struct row_plan *row = visited;
    note_seq(context, row->seq, "");
    return true;
}

static enum err count_carried(struct reading *reading, const char *territory_id,
                              int64_t service_day)
{
    struct seqs carried = {.arena = reading->arena};
    const struct row_carry_over key = {.territory_id = territory_id, .service_day = service_day};
    enum err err =
        store_each(reading->store, ROW_CARRY_OVER, &key, 2, false, note_carried, &carried);
    for (uint32_t i = 0; i < carried.count && err == ERR_OK; i++) {
        reading->from_seq = 0;
        reading->until_seq = carried.items[i].seq;
        err = count_visit(reading, carried.items[i].id, true);
    }
    reading->until_seq = INT64_MAX;
    return err;
}

static enum err count_plan(struct reading *reading, int64_t seq)
{
    union row row;
    enum err err = store_get(reading->store, ROW_FACT, &(struct row_fact){.seq = seq}, &row);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err != ERR_OK) return err;
    Callout__FactBody *body = fact_body(&row.fact);
    if (body == NULL) return ERR_OK; /* it was erased */
    if (body->body_case == CALLOUT__FACT_BODY__BODY_PLAN)
        kpi_add_plan(&reading->out->kpi, body->plan->solve_us,
                     body->plan->stage == CALLOUT__CANDIDATE_STAGE__REPAIR);
    callout__fact_body__free_unpacked(body, NULL);
    return ERR_OK;
}

static enum err count_plans(struct reading *reading, const char *territory_id, int64_t service_day)
{
    struct seqs plans = {.arena = reading->arena};
    const struct row_plan key = {.territory_id = territory_id, .service_day = service_day};
    enum err err = store_each(reading->store, ROW_PLAN, &key, 2, false, note_plan, &plans);
    for (uint32_t i = 0; i < plans.count && err == ERR_OK; i++)
        err = count_plan(reading, plans.items[i].seq);
    return err;
}

static void count_stability(struct reading *reading, const char *territory_id, int64_t service_day)
{
    struct core_stability stability;
    struct kpi *kpi = &reading->out->kpi;
    if (!core_stability(reading->core, territory_id, service_day, &stability)) return;
    kpi->days = 1;
    kpi->technician_changes = stability.technician_changes;
    kpi->start_changes = stability.start_changes;
    kpi->moves_after_promise = stability.moves_after_promise;
    kpi->overrides = stability.overrides;
}

static int compare_legs(const void *a, const void *b)
{
    const struct leg *x = a, *y = b;
    int who = strcmp(x->technician_id, y->technician_id);
    if (who != 0) return who;
    if (x->times.departed_us != y->times.departed_us)
        return x->times.departed_us < y->times.departed_us ? -1 : 1;
    return strcmp(x->appointment_id, y->appointment_id);
}

enum err day_figures(struct store *store, const struct core *core, const char *territory_id,
                     int64_t service_day, const struct kpi_day *day, struct arena *arena,
                     struct day_figures *out)
{
    struct reading reading = {.store = store,
                              .core = core,
                              .day = day,
                              .arena = arena,
                              .out = out,
                              .until_seq = INT64_MAX};
    struct crew crew = {&reading, service_day};
    memset(out, 0, sizeof *out);
    core_board_technicians(core, territory_id, service_day, add_person, &crew);
    core_board_appointments(core, territory_id, service_day, count_board_visit, &reading);
    enum err err = reading.err;
    if (err == ERR_OK) err = count_carried(&reading, territory_id, service_day);
    if (err == ERR_OK) err = count_plans(&reading, territory_id, service_day);
    count_stability(&reading, territory_id, service_day);
    count_technician_days(&reading);
    if (out->leg_count > 1) qsort(out->legs, out->leg_count, sizeof out->legs[0], compare_legs);
    return err;
}
