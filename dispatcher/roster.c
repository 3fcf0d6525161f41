/* roster.c - who there is to send and where, as people look after it: technicians with their shifts
 * and absences, territories. */
#include "base/clock.h"
#include "dispatcher/authz.h"
#include "dispatcher/page_token.h"

#include <string.h>

enum { TECHNICIANS_PAGE = 100, DAYS = 7, DAYS_MAX = 31, ABSENCES_MAX = 100, DAYS_TOLD_MAX = 2048 };

static Callout__Shift *shift_message(struct arena *arena, const struct row_shift *it)
{
    Callout__Shift *out = arena_need(arena, sizeof *out);
    callout__shift__init(out);
    out->technician_id = arena_text(arena, it->technician_id);
    out->service_day = it->service_day;
    out->start_us = it->start_us;
    out->end_us = it->end_us;
    out->overtime_seconds_max = (int32_t)it->overtime_seconds_max;
    out->break_earliest_us = it->break_earliest_us;
    out->break_latest_us = it->break_latest_us;
    out->break_seconds = (int32_t)it->break_seconds;
    out->start = new_point(arena, it->start_lat_e7, it->start_lon_e7);
    out->end = new_point(arena, it->end_lat_e7, it->end_lon_e7);
    return out;
}

Callout__Shift *read_shift_message(struct call *call, const char *technician_id,
                                   int64_t service_day)
{
    union row row;
    const struct row_shift key = {.technician_id = technician_id, .service_day = service_day};
    if (store_get(call->engine->store, ROW_SHIFT, &key, &row) != ERR_OK) return NULL;
    return shift_message(call->arena, &row.shift);
}

/* --- Technicians --- */

struct technicians_page {
    struct call *call;
    const char *territory_id;
    int64_t first_day, days, from_us, to_us;
    Callout__TechniciansReply *answer;
    Callout__TechnicianEntry *entry; /* that is being filled */
    bool full;
};

static bool add_technician(void *context, const void *visited)
{
    struct technicians_page *page = context;
    const struct row_technician *row = visited;
    struct arena *arena = page->call->arena;
    if (strcmp(row->territory_id, page->territory_id) != 0) return true;
    page->full = page->answer->n_technicians == TECHNICIANS_PAGE;
    if (page->full) return false;
    Callout__TechnicianEntry *entry = arena_need(arena, sizeof *entry);
    callout__technician_entry__init(entry);
    entry->technician = arena_need(arena, sizeof *entry->technician);
    callout__technician__init(entry->technician);
    entry->technician->technician_id = arena_text(arena, row->technician_id);
    page->answer->technicians[page->answer->n_technicians++] = entry;
    return true;
}

/* The oldest go first, so that of too many the last ones are told. */
static bool add_absence(void *context, const void *visited)
{
    struct technicians_page *page = context;
    const struct row_absence *row = visited;
    struct arena *arena = page->call->arena;
    Callout__TechnicianEntry *entry = page->entry;
    bool meets = row->end_us > page->from_us && row->start_us < page->to_us;
    if (!meets && row->end_us <= page->call->engine->now_us) return true;
    if (entry->n_absences == ABSENCES_MAX) return false;
    Callout__Absence *absence = arena_need(arena, sizeof *absence);
    callout__absence__init(absence);
    absence->technician_id = entry->technician->technician_id;
    absence->start_us = row->start_us;
    absence->end_us = row->end_us;
    absence->reason = arena_text(arena, row->reason);
    entry->absences[entry->n_absences++] = absence;
    return true;
}

static void fill_shifts(struct technicians_page *page, Callout__Technician *to)
{
    to->shifts = arena_need(page->call->arena, (size_t)page->days * sizeof *to->shifts);
    for (int64_t i = 0; i < page->days; i++) {
        Callout__Shift *shift =
            read_shift_message(page->call, to->technician_id, page->first_day + i);
        if (shift != NULL) to->shifts[to->n_shifts++] = shift;
    }
}

static enum err fill_technician(struct technicians_page *page, Callout__TechnicianEntry *entry)
{
    struct call *call = page->call;
    struct core_technician now;
    const struct row_absence key = {.technician_id = entry->technician->technician_id};
    Callout__Technician *whole = read_technician_message(call, key.technician_id);
    if (whole == NULL) return ERR_INTERNAL;
    entry->technician = whole;
    fill_shifts(page, whole);
    if (core_technician(call->engine->core, key.technician_id, call->engine->now_us, &now))
        entry->version = (uint64_t)now.version;
    entry->absences = arena_need(call->arena, ABSENCES_MAX * sizeof *entry->absences);
    page->entry = entry;
    return store_each(call->engine->store, ROW_ABSENCE, &key, 1, false, add_absence, page);
}

static enum err choose_days(struct technicians_page *page,
                            const Callout__TechniciansRequest *request, const char *zone)
{
    int64_t today = zone_service_day(zone, page->call->engine->now_us);
    page->first_day = request->first_day != 0 ? request->first_day : today;
    page->days = request->days != 0 ? request->days : DAYS;
    if (page->days > DAYS_MAX)
        return problem_set(&page->call->problem, ERR_TOO_LARGE, "days", "at most %d", DAYS_MAX);
    if (page->first_day < today - 5 * 366 || page->first_day > today + 5 * 366)
        return problem_set(&page->call->problem, ERR_INVALID, "first_day",
                           "is more than five years away from now");
    page->from_us = zone_day_begin_us(zone, page->first_day);
    page->to_us = zone_day_begin_us(zone, page->first_day + page->days);
    return ERR_OK;
}

enum err handle_technicians(struct call *call)
{
    const Callout__TechniciansRequest *request = (const Callout__TechniciansRequest *)call->message;
    const char *zone = core_territory_zone(call->engine->core, request->territory_id), *after;
    if (zone == NULL)
        return problem_set(&call->problem, ERR_NOT_FOUND, "territory_id", "there is no such thing");
    Callout__TechniciansReply *answer = arena_need(call->arena, sizeof *answer);
    callout__technicians_reply__init(answer);
    answer->technicians = arena_need(call->arena, TECHNICIANS_PAGE * sizeof *answer->technicians);
    struct technicians_page page = {
        .call = call, .territory_id = request->territory_id, .answer = answer};
    enum err err = choose_days(&page, request, zone);
    if (err == ERR_OK) err = page_token_read(call, request->page_token, &after);
    if (err != ERR_OK) return err;
    const struct row_technician key = {.technician_id = after};
    err = store_each(call->engine->store, ROW_TECHNICIAN, &key, 0, true, add_technician, &page);
    for (size_t i = 0; i < answer->n_technicians && err == ERR_OK; i++)
        err = fill_technician(&page, answer->technicians[i]);
    if (page.full)
        answer->next_page_token = page_token_make(
            call, answer->technicians[TECHNICIANS_PAGE - 1]->technician->technician_id);
    call->answer = &answer->base;
    return err;
}

/* --- Territories --- */

struct territories {
    struct call *call;
    Callout__TerritoriesReply *answer;
};

static bool add_territory(void *context, const void *visited)
{
    struct territories *it = context;
    const struct row_territory *row = visited;
    struct arena *arena = it->call->arena;
    if (!granted(it->call, row->territory_id)) return true;
    Callout__TerritoryEntry *entry = arena_need(arena, sizeof *entry);
    callout__territory_entry__init(entry);
    entry->territory = arena_need(arena, sizeof *entry->territory);
    callout__territory__init(entry->territory);
    entry->territory->territory_id = arena_text(arena, row->territory_id);
    entry->territory->name = arena_text(arena, row->name);
    entry->territory->time_zone = arena_text(arena, row->time_zone);
    entry->territory->policy =
        policy_message(arena, core_policy(it->call->engine->core, entry->territory->territory_id));
    it->answer->territories[it->answer->n_territories++] = entry;
    return it->answer->n_territories < LIMIT_TERRITORIES;
}

static bool add_skill_name(void *context, const void *visited)
{
    struct territories *it = context;
    const struct row_skill *row = visited;
    it->answer->skill_names[it->answer->n_skill_names++] = arena_text(it->call->arena, row->name);
    return it->answer->n_skill_names < LIMIT_SKILLS;
}

static bool count_technician(void *context, const char *id)
{
    (void)id;
    ++*(uint32_t *)context;
    return true;
}

enum err handle_territories(struct call *call)
{
    Callout__TerritoriesReply *answer = arena_need(call->arena, sizeof *answer);
    callout__territories_reply__init(answer);
    answer->territories = arena_need(call->arena, LIMIT_TERRITORIES * sizeof *answer->territories);
    answer->skill_names = arena_need(call->arena, LIMIT_SKILLS * sizeof *answer->skill_names);
    struct territories it = {call, answer};
    struct store *store = call->engine->store;
    const struct row_territory first = {.territory_id = ""};
    const struct row_skill skill = {.name = ""};
    enum err err = store_each(store, ROW_TERRITORY, &first, 0, false, add_territory, &it);
    if (err == ERR_OK) err = store_each(store, ROW_SKILL, &skill, 0, false, add_skill_name, &it);
    for (size_t i = 0; i < answer->n_territories; i++)
        core_technicians_of(call->engine->core, answer->territories[i]->territory->territory_id,
                            count_technician, &answer->territories[i]->technicians);
    call->answer = &answer->base;
    return err;
}

/* --- absences --- */

struct absent {
    const struct row_absence *taken_back;
    int64_t start_us, end_us;  /* of a shift */
    int64_t from_us, until_us; /* of all absences that meet it; both 0: none does */
};

static bool merge_absence(void *context, const void *visited)
{
    struct absent *it = context;
    const struct row_absence *row = visited;
    if (row->start_us == it->taken_back->start_us || row->start_us >= it->end_us ||
        row->end_us <= it->start_us)
        return true;
    bool first = it->until_us == 0;
    if (first || row->start_us < it->from_us) it->from_us = row->start_us;
    if (first || row->end_us > it->until_us) it->until_us = row->end_us;
    return true;
}

/* What is left of his absences on the days of his shifts without this one. */
struct cancelled {
    struct call *call;
    const struct row_absence *absence;
    Callout__Restored *to;
};

static bool add_day(void *context, const void *visited)
{
    struct cancelled *it = context;
    const struct row_shift *row = visited;
    int64_t end_us = row->end_us + row->overtime_seconds_max * US_PER_SECOND;
    if (row->start_us >= it->absence->end_us || end_us <= it->absence->start_us) return true;
    Callout__AbsenceBefore *day = arena_need(it->call->arena, sizeof *day);
    callout__absence_before__init(day);
    day->service_day = row->service_day;
    day->start_us = row->start_us; /* of the shift, until absences are known */
    day->end_us = end_us;
    it->to->absences[it->to->n_absences++] = day;
    return it->to->n_absences < DAYS_TOLD_MAX;
}

static enum err fill_day(struct cancelled *it, Callout__AbsenceBefore *day)
{
    struct absent left = {
        .taken_back = it->absence, .start_us = day->start_us, .end_us = day->end_us};
    day->technician_id = arena_text(it->call->arena, it->absence->technician_id);
    day->taken_back_us = it->absence->start_us;
    enum err err = store_each(it->call->engine->store, ROW_ABSENCE,
                              &(struct row_absence){.technician_id = day->technician_id}, 1, false,
                              merge_absence, &left);
    day->start_us = left.from_us;
    day->end_us = left.until_us;
    return err;
}

enum err cancel_absence_body(struct call *call, Callout__FactBody *body)
{
    const Callout__CancelAbsenceRequest *request =
        (const Callout__CancelAbsenceRequest *)call->message;
    struct store *store = call->engine->store;
    const struct row_absence key = {.technician_id = request->technician_id,
                                    .start_us = request->start_us};
    union row row;
    enum err err = store_get(store, ROW_ABSENCE, &key, &row);
    if (err == ERR_NOT_FOUND)
        return problem_set(&call->problem, err, "start_us", "there is no absence that begins then");
    if (err != ERR_OK) return err;
    struct row_absence absence = key;
    absence.end_us = row.absence.end_us;
    Callout__Restored *restored = arena_need(call->arena, sizeof *restored);
    callout__restored__init(restored);
    restored->why = request->reason;
    restored->absences = arena_need(call->arena, DAYS_TOLD_MAX * sizeof *restored->absences);
    struct cancelled it = {.call = call, .absence = &absence, .to = restored};
    err = store_each(store, ROW_SHIFT, &(struct row_shift){.technician_id = key.technician_id}, 1,
                     false, add_day, &it);
    if (restored->n_absences == 0) { /* it met no shift: only its row goes */
        Callout__AbsenceBefore *day = arena_need(call->arena, sizeof *day);
        callout__absence_before__init(day);
        restored->absences[restored->n_absences++] = day;
    }
    for (size_t i = 0; i < restored->n_absences && err == ERR_OK; i++)
        err = fill_day(&it, restored->absences[i]);
    body->body_case = CALLOUT__FACT_BODY__BODY_RESTORED;
    body->restored = restored;
    return err;
}

struct again {
    struct call *call;
    const Callout__UpsertTechnicianRequest *request;
    Callout__FactBody *bodies;
    uint32_t count, max;
};

static bool meets_new_shift(const struct again *it, const struct row_absence *row)
{
    const Callout__Technician *technician = it->request->technician;
    struct core_shift known;
    for (size_t i = 0; i < technician->n_shifts; i++) {
        const Callout__Shift *shift = technician->shifts[i];
        if (row->start_us < shift->end_us && row->end_us > shift->start_us &&
            !core_shift(it->call->engine->core, technician->technician_id, shift->service_day,
                        &known))
            return true;
    }
    return false;
}

static bool add_again(void *context, const void *visited)
{
    struct again *it = context;
    const struct row_absence *row = visited;
    struct arena *arena = it->call->arena;
    if (!meets_new_shift(it, row)) return true;
    Callout__ReportAbsenceRequest *report = arena_need(arena, sizeof *report);
    callout__report_absence_request__init(report);
    report->absence = arena_need(arena, sizeof *report->absence);
    callout__absence__init(report->absence);
    report->absence->technician_id = arena_text(arena, row->technician_id);
    report->absence->start_us = row->start_us;
    report->absence->end_us = row->end_us;
    report->absence->reason = arena_text(arena, row->reason);
    it->bodies[it->count].body_case = CALLOUT__FACT_BODY__BODY_REPORT_ABSENCE;
    it->bodies[it->count++].report_absence = report;
    return it->count < it->max;
}

uint32_t absences_again(struct call *call, const Callout__UpsertTechnicianRequest *request,
                        Callout__FactBody *bodies, uint32_t max)
{
    struct again it = {call, request, bodies, 0, max};
    if (request->technician == NULL || request->technician->n_shifts == 0) return 0;
    const struct row_absence key = {.technician_id = request->technician->technician_id};
    if (store_each(call->engine->store, ROW_ABSENCE, &key, 1, false, add_again, &it) != ERR_OK)
        return 0;
    return it.count;
}
