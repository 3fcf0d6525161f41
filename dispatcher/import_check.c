/* import_check.c - rows of a CSV file against what there is: what each would make or change.
 *
 * Idea: the rows are read by the very parser of `callout import` (day/day.h), and each becomes the
 * message that would do it. What there is already is the ground that the row's columns are laid on,
 * so that nothing is lost of what the file does not know; a row that leaves its ground as it was is
 * told as the same. So whoever sends only the rows that are new or changed, and then checks again,
 * finds all of them the same.
 */
#include "base/clock.h"
#include "day/day.h"
#include "dispatcher/authz.h"
#include "dispatcher/engine_impl.h"

#include <stdio.h>
#include <string.h>

enum { CSV_MAX = 128 * 1024, ROWS_MAX = 500, NEW_SKILLS_MAX = 200 };

struct check {
    struct call *call;
    const Callout__CheckImportRequest *request;
    const char *zone;
    Callout__CheckImportReply *answer;
};

static void add_problem(struct check *it, unsigned line, const char *column, const char *text)
{
    Callout__CheckImportReply *answer = it->answer;
    answer->problem_count++;
    if (answer->n_problems == DAY_ERRORS_MAX) return;
    Callout__ImportProblem *problem = arena_need(it->call->arena, sizeof *problem);
    callout__import_problem__init(problem);
    problem->line = line;
    problem->column = arena_text(it->call->arena, column);
    problem->text = arena_text(it->call->arena, text);
    answer->problems[answer->n_problems++] = problem;
}

static void note_skill(struct check *it, const char *name)
{
    Callout__CheckImportReply *answer = it->answer;
    if (core_skill_known(it->call->engine->core, name)) return;
    for (size_t i = 0; i < answer->n_new_skills; i++)
        if (strcmp(answer->new_skills[i], name) == 0) return;
    if (answer->n_new_skills < NEW_SKILLS_MAX)
        answer->new_skills[answer->n_new_skills++] = arena_text(it->call->arena, name);
}

static Callout__ImportRow *add_row(struct check *it, unsigned line, const char *id)
{
    Callout__ImportRow *row = arena_need(it->call->arena, sizeof *row);
    callout__import_row__init(row);
    row->line = line;
    row->id = arena_text(it->call->arena, id);
    it->answer->rows[it->answer->n_rows++] = row;
    return row;
}

/* --- laying columns on what there is; each says whether that changed it --- */

static bool lay_text(char **to, const char *text, struct arena *arena)
{
    if (strcmp(*to, text) == 0) return false;
    *to = arena_text(arena, text);
    return true;
}

static bool lay_number(int64_t *to, int64_t value)
{
    bool other = *to != value;
    *to = value;
    return other;
}

static bool lay_int(int32_t *to, int32_t value)
{
    bool other = *to != value;
    *to = value;
    return other;
}

static bool lay_point(Callout__Point **to, struct point at, struct arena *arena)
{
    if (*to != NULL && (*to)->lat_e7 == at.lat_e7 && (*to)->lon_e7 == at.lon_e7) return false;
    *to = new_point(arena, at.lat_e7, at.lon_e7);
    return true;
}

static const struct day_skill *skill_of(const struct day_skill *skills, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(skills[i].name, name) == 0) return &skills[i];
    return NULL;
}

/* Rows of a store have an order of their own: the same skills at the same levels are the same. */
static bool same_skills(Callout__Skill *const *have, size_t have_count,
                        const struct day_skill *skills, size_t count)
{
    for (size_t i = 0; i < have_count; i++) {
        const struct day_skill *it = skill_of(skills, count, have[i]->name);
        if (it == NULL || it->level != have[i]->level) return false;
    }
    return have_count == count;
}

/* A skill that he has keeps its validity. */
static Callout__Skill **lay_skills(struct check *it, Callout__Skill *const *have, size_t have_count,
                                   const struct day_skill *skills, size_t count)
{
    struct arena *arena = it->call->arena;
    Callout__Skill **out = arena_need(arena, (count + 1) * sizeof *out);
    for (size_t i = 0; i < count; i++) {
        note_skill(it, skills[i].name);
        out[i] = arena_need(arena, sizeof *out[i]);
        callout__skill__init(out[i]);
        for (size_t k = 0; k < have_count; k++)
            if (strcmp(have[k]->name, skills[i].name) == 0) *out[i] = *have[k];
        out[i]->name = arena_text(arena, skills[i].name);
        out[i]->level = skills[i].level;
    }
    return out;
}

static bool repeats_skill(const struct day_skill *skills, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (skill_of(skills, i, skills[i].name) != NULL) return true;
    return false;
}

/* Where something is that lies in another territory is said to those who may look there. */
static const char *elsewhere(const struct check *it, const char *territory_id)
{
    return granted(it->call, territory_id) ? "is in another territory" : "there is no such thing";
}

/* --- technicians --- */

static bool lay_shift(struct check *it, Callout__Technician *to, const struct day_technician *row)
{
    struct arena *arena = it->call->arena;
    int64_t service_day = zone_service_day(it->zone, row->shift_start_us);
    Callout__Shift *shift = read_shift_message(it->call, to->technician_id, service_day);
    bool other = shift == NULL;
    if (shift == NULL) {
        shift = arena_need(arena, sizeof *shift);
        callout__shift__init(shift);
        shift->technician_id = to->technician_id;
        shift->service_day = service_day;
    }
    other |= lay_number(&shift->start_us, row->shift_start_us);
    other |= lay_number(&shift->end_us, row->shift_end_us);
    other |= lay_int(&shift->overtime_seconds_max, row->overtime_s_max);
    other |= lay_int(&shift->break_seconds, row->break_s);
    if (row->break_s > 0) {
        other |= lay_number(&shift->break_earliest_us, row->break_earliest_us);
        other |= lay_number(&shift->break_latest_us, row->break_latest_us);
    }
    shift->start = shift->end = NULL; /* his home */
    to->shifts = arena_need(arena, sizeof *to->shifts);
    to->shifts[0] = shift;
    to->n_shifts = other;
    return other;
}

static void check_technician(struct check *it, const struct day_technician *row)
{
    struct call *call = it->call;
    struct core_technician now;
    Callout__Technician *to = read_technician_message(call, row->id);
    bool other = false, fresh = to == NULL;
    if (!fresh && strcmp(to->territory_id, it->request->territory_id) != 0) {
        add_problem(it, row->line, "technician_id", elsewhere(it, to->territory_id));
        return;
    }
    if (repeats_skill(row->skills, row->skill_count)) {
        add_problem(it, row->line, "skills", "one of them comes twice");
        return;
    }
    if (fresh) {
        to = arena_need(call->arena, sizeof *to);
        callout__technician__init(to);
        to->technician_id = arena_text(call->arena, row->id);
        to->territory_id = it->request->territory_id;
    }
    other |= lay_text(&to->name, row->name, call->arena);
    other |= lay_point(&to->home, row->home, call->arena);
    other |= !same_skills(to->skills, to->n_skills, row->skills, row->skill_count);
    to->skills = lay_skills(it, to->skills, to->n_skills, row->skills, row->skill_count);
    to->n_skills = row->skill_count;
    other |= lay_shift(it, to, row);
    Callout__ImportRow *out = add_row(it, row->line, row->id);
    out->state = fresh   ? CALLOUT__IMPORT_STATE__IMPORT_NEW
                 : other ? CALLOUT__IMPORT_STATE__IMPORT_CHANGED
                         : CALLOUT__IMPORT_STATE__IMPORT_SAME;
    if (!other && !fresh) return;
    out->technician = to;
    if (core_technician(call->engine->core, row->id, call->engine->now_us, &now))
        out->expected_version = (uint64_t)now.version;
}

/* --- orders --- */

/* The file knows one window; what was told to the customer of it since, or what he likes, stays. */
static bool lay_window(struct check *it, Callout__WorkOrder *to, const struct day_order *row)
{
    int64_t end_us = row->window_end_us - row->service_s * US_PER_SECOND;
    for (size_t i = 0; i < to->n_windows; i++)
        if (to->windows[i]->start_us == row->window_start_us && to->windows[i]->end_us == end_us)
            return false;
    Callout__ArrivalWindow *window = arena_need(it->call->arena, sizeof *window);
    callout__arrival_window__init(window);
    window->start_us = row->window_start_us;
    window->end_us = end_us;
    to->windows = arena_need(it->call->arena, sizeof *to->windows);
    to->windows[0] = window;
    to->n_windows = 1;
    return true;
}

static Callout__WorkOrder *new_order(struct check *it, const struct day_order *row)
{
    struct arena *arena = it->call->arena;
    Callout__WorkOrder *to = arena_need(arena, sizeof *to);
    callout__work_order__init(to);
    to->work_order_id = arena_text(arena, row->id);
    to->territory_id = it->request->territory_id;
    to->site = arena_need(arena, sizeof *to->site);
    callout__site__init(to->site);
    char site_id[LIMIT_ID + 8];
    snprintf(site_id, sizeof site_id, "S-%.60s", row->id);
    to->site->site_id = arena_text(arena, site_id);
    return to;
}

static bool lay_order(struct check *it, Callout__WorkOrder *to, const struct day_order *row)
{
    struct arena *arena = it->call->arena;
    bool emergency = strcmp(row->work_type, "emergency") == 0, other = false;
    other |= lay_text(&to->site->address, row->address, arena);
    other |= lay_point(&to->site->point, row->at, arena);
    other |= lay_text(&to->work_type, row->work_type, arena);
    other |= lay_int(&to->service_seconds, row->service_s);
    other |= to->priority != row->priority;
    to->priority = row->priority;
    other |= !same_skills(to->skills, to->n_skills, row->skills, row->skill_count);
    to->skills = lay_skills(it, to->skills, to->n_skills, row->skills, row->skill_count);
    to->n_skills = row->skill_count;
    other |= lay_window(it, to, row);
    other |= lay_number(&to->due_us, row->due_us);
    other |= to->emergency != emergency;
    to->emergency = emergency;
    return other;
}

/* "": it may be changed, as far as can be said before. */
static const char *why_not(struct check *it, const Callout__FieldAppointment *whole)
{
    if (strcmp(whole->work_order->territory_id, it->request->territory_id) != 0)
        return elsewhere(it, whole->work_order->territory_id);
    return "";
}

static void check_order(struct check *it, const struct day_order *row)
{
    struct call *call = it->call;
    const char *appointment_id = order_appointment_id(call->arena, row->id);
    const Callout__FieldAppointment *whole = read_field_appointment(call, appointment_id);
    bool fresh = whole == NULL || whole->work_order == NULL;
    const char *why = fresh ? "" : why_not(it, whole);
    if (strlen(row->id) > LIMIT_WORK_ORDER_ID) why = "is longer than 62 bytes";
    if (why[0] != '\0') {
        add_problem(it, row->line, "order_id", why);
        return;
    }
    if (repeats_skill(row->skills, row->skill_count)) {
        add_problem(it, row->line, "skill", "one of them comes twice");
        return;
    }
    Callout__WorkOrder *to = fresh ? new_order(it, row) : whole->work_order;
    bool other = lay_order(it, to, row);
    bool over = !fresh && !life_plannable((enum appointment_status)whole->appointment->status);
    if (other && over) { /* begun, done or cancelled: its file comes too late */
        add_problem(it, row->line, "order_id", "is under way or over: it cannot be changed");
        return;
    }
    Callout__ImportRow *out = add_row(it, row->line, row->id);
    out->state = fresh   ? CALLOUT__IMPORT_STATE__IMPORT_NEW
                 : other ? CALLOUT__IMPORT_STATE__IMPORT_CHANGED
                         : CALLOUT__IMPORT_STATE__IMPORT_SAME;
    if (!fresh && !other) return;
    out->work_order = to;
    if (!fresh) out->expected_version = whole->appointment->version;
}

/* --- the operation --- */

static enum err check_rows(struct check *it, enum day_table which, struct day_errors *errors)
{
    struct call *call = it->call;
    const char *csv = it->request->csv;
    struct day day;
    enum err err =
        day_parse_rows(&day, which, csv, strlen(csv), it->request->first_line, it->zone, errors);
    size_t kept = errors->count < DAY_ERRORS_MAX ? errors->count : DAY_ERRORS_MAX;
    size_t rows = day.technician_count + day.order_count;
    for (size_t i = 0; i < kept; i++)
        add_problem(it, errors->places[i].line, errors->places[i].column, errors->items[i].text);
    it->answer->problem_count = (uint32_t)errors->count;
    if (rows > ROWS_MAX) {
        day_fini(&day);
        return problem_set(&call->problem, ERR_TOO_LARGE, "csv", "at most %d rows at once",
                           ROWS_MAX);
    }
    (void)err; /* it is in the list */
    it->answer->rows = arena_need(call->arena, (rows + 1) * sizeof *it->answer->rows);
    for (size_t i = 0; i < day.technician_count; i++)
        check_technician(it, &day.technicians[i]);
    for (size_t i = 0; i < day.order_count; i++)
        check_order(it, &day.orders[i]);
    day_fini(&day);
    return ERR_OK;
}

enum err handle_check_import(struct call *call)
{
    const Callout__CheckImportRequest *request = (const Callout__CheckImportRequest *)call->message;
    const char *zone = core_territory_zone(call->engine->core, request->territory_id);
    bool technicians = request->table == CALLOUT__IMPORT_TABLE__IMPORT_TECHNICIANS;
    if (zone == NULL)
        return problem_set(&call->problem, ERR_NOT_FOUND, "territory_id", "there is no such thing");
    if (!technicians && request->table != CALLOUT__IMPORT_TABLE__IMPORT_WORK_ORDERS)
        return problem_set(&call->problem, ERR_INVALID, "table", "says nothing");
    if (strlen(request->csv) > CSV_MAX)
        return problem_set(&call->problem, ERR_TOO_LARGE, "csv", "at most %d bytes", CSV_MAX);
    Callout__CheckImportReply *answer = arena_need(call->arena, sizeof *answer);
    callout__check_import_reply__init(answer);
    answer->problems = arena_need(call->arena, DAY_ERRORS_MAX * sizeof *answer->problems);
    answer->new_skills = arena_need(call->arena, NEW_SKILLS_MAX * sizeof *answer->new_skills);
    struct check check = {call, request, zone[0] == '\0' ? "UTC" : zone, answer};
    struct day_errors *errors = arena_need(call->arena, sizeof *errors);
    enum err err = check_rows(&check, technicians ? DAY_TECHNICIANS : DAY_ORDERS, errors);
    call->answer = &answer->base;
    return err;
}
