/* read_vroom.c - VROOM's JSON into a workday: first the whole file into told technicians and
 * orders, then, as the earliest shift is known, onto the solver's clock.
 *
 * The first thing wrong ends it: `struct entry` remembers that, so that getters can be called one
 * after another and the outcome is asked once.
 */
#include "base/check.h"
#include "base/clock.h"
#include "optimizer/json_matrix.h"
#include "optimizer/solve_input.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t CLOCK_MAX_S = UINT32_MAX;
static const int64_t HORIZON_US = HORIZON_DAYS * US_PER_DAY;
static const int64_t ABSENT = -1;

enum { LEG_MAX_S = HORIZON_DAYS * 86400 + 1, STEPS_MAX = 2 * ROUTE_MAX };

/* The clock of the solver stands a day later, because 0 means "none" to it. */
#define CLOCK_US US_PER_DAY

/* One object of the file. */
struct entry {
    const json_t *object;
    const char *list; /* it is list[index]; "" for the file itself */
    size_t index;
    const char *part; /* of that one, such as ".breaks[0]"; mostly "" */
    enum err err;
    struct problem *problem;
};

struct vroom {
    struct solve_input *input;
    const char *profile; /* name of the matrix */
    size_t technician_count, order_count;
    struct technician_told *technicians;
    int64_t *break_ids;
    struct visit_told *orders;
    uint32_t *priorities;
    const char *loads; /* what amounts are called in this file; NULL: there are none */
};

/* --- entries --------------------------------------------------------------------------------- */

static void refuse(struct entry *entry, enum err err, const char *key, const char *text)
{
    if (entry->err != ERR_OK) return;
    char field[96];
    if (entry->list[0] == '\0')
        snprintf(field, sizeof field, "%s", key);
    else
        snprintf(field, sizeof field, "%s[%zu]%s%s%s", entry->list, entry->index, entry->part,
                 key[0] == '\0' ? "" : ".", key);
    entry->err = problem_set(entry->problem, err, field, "%s", text);
}

/* What we do not understand would change what the plan means. */
static void only(struct entry *entry, const char *const *keys)
{
    void *at = NULL;
    if (!json_is_object(entry->object)) {
        refuse(entry, ERR_INVALID, "", "must be an object");
        return;
    }
    for (at = json_object_iter((json_t *)(uintptr_t)entry->object); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)entry->object, at)) {
        const char *key = json_object_iter_key(at);
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i] == NULL) refuse(entry, ERR_INVALID, key, "is not supported");
    }
}

/* A whole number from 0 to `high`; `otherwise` where there is none. */
static int64_t whole(struct entry *entry, const char *key, int64_t high, int64_t otherwise)
{
    const json_t *value = json_object_get(entry->object, key);
    if (value == NULL) return otherwise;
    if (json_is_integer(value) && json_integer_value(value) >= 0 &&
        json_integer_value(value) <= high)
        return json_integer_value(value);
    char text[96];
    snprintf(text, sizeof text, "must be a whole number from 0 to %" PRId64, high);
    refuse(entry, ERR_INVALID, key, text);
    return otherwise;
}

static int64_t needed(struct entry *entry, const char *key, int64_t high)
{
    if (entry->err == ERR_OK && json_object_get(entry->object, key) == NULL)
        refuse(entry, ERR_INVALID, key, "is missing");
    return whole(entry, key, high, 0);
}

/* The array of that name with at most `max` entries; NULL where there is none. */
static const json_t *array(struct entry *entry, const char *key, size_t max)
{
    const json_t *value = json_object_get(entry->object, key);
    if (value == NULL) return NULL;
    char text[64];
    if (json_is_array(value) && json_array_size(value) <= max) return value;
    snprintf(text, sizeof text, "must be an array of at most %zu", max);
    refuse(entry, ERR_INVALID, key, text);
    return NULL;
}

/* [from, to] in seconds, onto the solver's clock. */
static struct window window_of(struct entry *entry, const char *key, const json_t *pair)
{
    const json_t *from = json_array_get(pair, 0), *to = json_array_get(pair, 1);
    if (json_array_size(pair) != 2 || !json_is_integer(from) || !json_is_integer(to) ||
        json_integer_value(from) < 0 || json_integer_value(to) < json_integer_value(from) ||
        json_integer_value(to) > CLOCK_MAX_S) {
        refuse(entry, ERR_INVALID, key, "must be two whole numbers of seconds, ascending");
        return (struct window){0};
    }
    return (struct window){json_integer_value(from) * US_PER_SECOND + CLOCK_US,
                           json_integer_value(to) * US_PER_SECOND + CLOCK_US};
}

static const char *id_of(struct vroom *vroom, struct entry *entry)
{
    char text[LIMIT_ID];
    snprintf(text, sizeof text, "%" PRId64, needed(entry, "id", INT64_MAX));
    char *id = arena_text(&vroom->input->memory, text);
    CHECK(id != NULL);
    return id;
}

static const struct skill_named *skills_of(struct vroom *vroom, struct entry *entry,
                                           uint32_t *count)
{
    const json_t *list = array(entry, "skills", LIMIT_SKILLS_PER_ENTITY);
    *count = (uint32_t)json_array_size(list);
    struct skill_named *skills = arena_need(&vroom->input->memory, sizeof *skills * (*count + 1));
    for (uint32_t i = 0; i < *count; i++) {
        const json_t *skill = json_array_get(list, i);
        char text[32];
        if (!json_is_integer(skill) || json_integer_value(skill) < 0)
            refuse(entry, ERR_INVALID, "skills", "must be whole numbers from 0");
        snprintf(text, sizeof text, "%" PRId64, (int64_t)json_integer_value(skill));
        skills[i] = (struct skill_named){arena_text(&vroom->input->memory, text), 1};
        CHECK(skills[i].name != NULL);
    }
    return skills;
}

/* --- the matrix ------------------------------------------------------------------------------ */

/* Its rows have been read before; what stands beside them is looked at here. */
static enum err take_matrix(struct vroom *vroom, const json_t *root,
                            const struct json_matrix *matrix, struct problem *problem)
{
    static const char *const keys[] = {"durations", NULL};
    json_t *matrices = json_object_get(root, "matrices");
    if (json_object_size(matrices) != 1)
        return problem_set(problem, ERR_INVALID, "matrices",
                           "must be an object with one profile and its durations");
    void *first = json_object_iter(matrices);
    vroom->profile = arena_text(&vroom->input->memory, json_object_iter_key(first));
    CHECK(vroom->profile != NULL);
    struct entry entry = {json_object_iter_value(first), "", 0, "", ERR_OK, problem};
    only(&entry, keys);
    if (matrix->size == 0)
        refuse(&entry, ERR_INVALID, "matrices", "needs durations, an array of rows");
    travel_matrix_open(&vroom->input->matrix, matrix->seconds, matrix->size);
    return entry.err;
}

static struct point place(struct vroom *vroom, struct entry *entry, const char *key,
                          enum place_role role)
{
    int64_t index = needed(entry, key, vroom->input->matrix.size - 1);
    return travel_matrix_point((uint32_t)index, role);
}

/* Who has no place to start or to end may do so anywhere. */
static struct point place_or_any(struct vroom *vroom, struct entry *entry, const char *key,
                                 enum place_role role)
{
    if (json_object_get(entry->object, key) == NULL) return travel_matrix_point(PLACE_ANY, role);
    return place(vroom, entry, key, role);
}

/* The one number of an array of that name, 0 where there is none. */
static int32_t amount(struct entry *entry, const char *key, int32_t high)
{
    const json_t *list = array(entry, key, 1);
    if (json_array_size(list) == 0) return 0;
    const json_t *value = json_array_get(list, 0);
    if (json_is_integer(value) && json_integer_value(value) >= 0 &&
        json_integer_value(value) <= high)
        return (int32_t)json_integer_value(value);
    char text[96];
    snprintf(text, sizeof text, "must hold one whole number from 0 to %" PRId32, high);
    refuse(entry, ERR_INVALID, key, text);
    return 0;
}

/* --- technicians ----------------------------------------------------------------------------- */

/* At most one break, in at most one window; without a window it may be at any time of the shift. */
static void read_break(struct vroom *vroom, struct entry *vehicle, struct route_day *day, size_t i)
{
    static const char *const keys[] = {"id", "description", "time_windows", "service", NULL};
    const json_t *breaks = array(vehicle, "breaks", 1);
    if (json_array_size(breaks) == 0) return;
    struct entry entry = *vehicle;
    entry.object = json_array_get(breaks, 0);
    entry.part = ".breaks[0]";
    only(&entry, keys);
    vroom->break_ids[i] = needed(&entry, "id", INT64_MAX);
    day->break_us = needed(&entry, "service", LIMIT_SERVICE_SECONDS) * US_PER_SECOND;
    if (day->break_us == 0) refuse(&entry, ERR_INVALID, "service", "must be 1 at the least");
    day->break_earliest_us = day->available_us;
    day->break_latest_us = day->shift_end_us;
    const json_t *windows = array(&entry, "time_windows", 1);
    if (json_array_size(windows) == 1) {
        struct window window = window_of(&entry, "time_windows", json_array_get(windows, 0));
        day->break_earliest_us = window.start_us;
        day->break_latest_us = window.end_us;
    }
    vehicle->err = entry.err;
}

static enum err read_vehicle(struct vroom *vroom, const json_t *object, size_t i,
                             struct problem *problem)
{
    static const char *const keys[] = {"id",     "description", "profile", "start_index",
                                       "skills", "time_window", "breaks",  "end_index",
                                       "steps",  "capacity",    NULL};
    struct entry entry = {object, "vehicles", i, "", ERR_OK, problem};
    struct technician_told *told = &vroom->technicians[i];
    only(&entry, keys);
    told->id = id_of(vroom, &entry);
    told->day.start = place_or_any(vroom, &entry, "start_index", PLACE_START);
    told->day.end = place_or_any(vroom, &entry, "end_index", PLACE_END);
    if (told->day.start.lat_e7 == PLACE_ANY && told->day.end.lat_e7 == PLACE_ANY)
        refuse(&entry, ERR_INVALID, "start_index", "is missing, and end_index too");
    told->capacity = amount(&entry, "capacity", CAPACITY_MAX);
    told->skills = skills_of(vroom, &entry, &told->skill_count);
    const json_t *profile = json_object_get(object, "profile");
    const char *name = json_string_value(profile);
    if (profile != NULL && (name == NULL || strcmp(name, vroom->profile) != 0))
        refuse(&entry, ERR_INVALID, "profile", "must be that of the one matrix");
    struct window shift = {ABSENT, INT64_MAX};
    const json_t *given = json_object_get(object, "time_window");
    if (given != NULL) shift = window_of(&entry, "time_window", given);
    told->day.available_us = shift.start_us;
    told->day.shift_end_us = shift.end_us;
    read_break(vroom, &entry, &told->day, i);
    return entry.err;
}

/* --- orders ---------------------------------------------------------------------------------- */

/* What is only delivered, or only picked up, takes the same room for the length of a route. Where a
 * file has both, it would not. */
static int32_t load_of(struct vroom *vroom, struct entry *entry)
{
    static const char *const names[] = {"delivery", "pickup", "amount"};
    int32_t load = 0;
    for (size_t i = 0; i < 3; i++) {
        int32_t here = amount(entry, names[i], LOAD_MAX);
        char text[64];
        if (here == 0) continue;
        if (vroom->loads == NULL) vroom->loads = names[i];
        snprintf(text, sizeof text, "is not supported in a file with %s", vroom->loads);
        if (vroom->loads != names[i]) refuse(entry, ERR_INVALID, names[i], text);
        load = here;
    }
    return load;
}

static void read_windows(struct entry *entry, struct route_visit *visit)
{
    const json_t *windows = array(entry, "time_windows", LIMIT_WINDOWS_PER_ORDER);
    visit->window_count = (uint32_t)json_array_size(windows);
    for (uint32_t i = 0; i < visit->window_count; i++) {
        visit->windows[i] = window_of(entry, "time_windows", json_array_get(windows, i));
        if (i > 0 && visit->windows[i].start_us <= visit->windows[i - 1].end_us)
            refuse(entry, ERR_INVALID, "time_windows", "must be in order and apart");
    }
}

static enum err read_order(struct vroom *vroom, const json_t *object, size_t i,
                           struct problem *problem)
{
    static const char *const keys[] = {
        "id",           "description", "location_index", "service", "priority", "skills",
        "time_windows", "delivery",    "pickup",         "amount",  NULL};
    struct entry entry = {object, "jobs", i, "", ERR_OK, problem};
    struct visit_told *told = &vroom->orders[i];
    only(&entry, keys);
    told->id = id_of(vroom, &entry);
    told->technician_id = ""; /* unless steps say otherwise */
    told->visit.at = place(vroom, &entry, "location_index", PLACE_VISIT);
    told->visit.service_us = whole(&entry, "service", LIMIT_SERVICE_SECONDS, 0) * US_PER_SECOND;
    told->skills = skills_of(vroom, &entry, &told->skill_count);
    told->load = load_of(vroom, &entry);
    vroom->priorities[i] = (uint32_t)whole(&entry, "priority", VROOM_PRIORITY_MAX, 0);
    read_windows(&entry, &told->visit);
    return entry.err;
}

/* --- onto the solver's clock ----------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The earliest shift; where no shift has a beginning, the earliest window. */
static int64_t begin_of(const struct vroom *vroom)
{
    int64_t shifts = INT64_MAX, windows = INT64_MAX;
    for (size_t i = 0; i < vroom->technician_count; i++) {
        int64_t start = vroom->technicians[i].day.available_us;
        if (start != ABSENT) shifts = earlier(shifts, start);
    }
    for (size_t i = 0; i < vroom->order_count; i++) {
        const struct route_visit *visit = &vroom->orders[i].visit;
        if (visit->window_count > 0) windows = earlier(windows, visit->windows[0].start_us);
    }
    if (shifts != INT64_MAX) return shifts;
    return windows != INT64_MAX ? windows : CLOCK_US;
}

/* Windows beyond the horizon and those that are over are dropped; if that leaves none, one that
 * nobody reaches says so. */
static void keep_reachable(struct route_visit *visit, int64_t begin_us)
{
    uint32_t kept = 0;
    if (visit->window_count == 0) return;
    for (uint32_t i = 0; i < visit->window_count; i++) {
        struct window window = visit->windows[i];
        if (window.end_us < begin_us || window.start_us > begin_us + HORIZON_US) continue;
        window.end_us = earlier(window.end_us, begin_us + HORIZON_US);
        visit->windows[kept++] = window;
    }
    if (kept == 0)
        visit->windows[kept++] =
            (struct window){begin_us - US_PER_SECOND, begin_us - US_PER_SECOND};
    visit->window_count = kept;
}

static enum err tell_technician(struct vroom *vroom, size_t i, int64_t begin_us,
                                struct problem *problem)
{
    struct workday *day = &vroom->input->solver.day;
    struct technician_told *told = &vroom->technicians[i];
    struct route_day *times = &told->day;
    char field[64];
    snprintf(field, sizeof field, "vehicles[%zu].id", i);
    if (workday_technician(day, told->id) != NO_INDEX)
        return problem_set(problem, ERR_INVALID, field, "%s comes twice", told->id);
    if (times->available_us == ABSENT) times->available_us = begin_us;
    if (times->available_us > begin_us + HORIZON_US)
        return problem_set(problem, ERR_INVALID, field, "begins more than %d days after the first",
                           HORIZON_DAYS);
    times->shift_end_us = earlier(times->shift_end_us, begin_us + HORIZON_US);
    if (times->break_us > 0) {
        if (times->break_earliest_us == ABSENT) times->break_earliest_us = begin_us;
        times->break_latest_us = earlier(times->break_latest_us, begin_us + HORIZON_US);
        times->break_earliest_us = earlier(times->break_earliest_us, begin_us + 2 * HORIZON_US);
    }
    enum err err = workday_set_technician(day, told, problem);
    if (err == ERR_OK)
        vroom->input->break_ids[workday_technician(day, told->id)] = vroom->break_ids[i];
    return err;
}

static enum err tell_order(struct vroom *vroom, size_t i, int64_t begin_us, struct problem *problem)
{
    struct workday *day = &vroom->input->solver.day;
    struct visit_told *told = &vroom->orders[i];
    char field[64];
    snprintf(field, sizeof field, "jobs[%zu].id", i);
    if (workday_visit(day, told->id) != NO_INDEX)
        return problem_set(problem, ERR_INVALID, field, "%s comes twice", told->id);
    keep_reachable(&told->visit, begin_us);
    enum err err = workday_set_visit(day, told, problem);
    if (err == ERR_OK)
        vroom->input->priorities[workday_visit(day, told->id)] = vroom->priorities[i];
    return err;
}

static enum err tell(struct vroom *vroom, struct problem *problem)
{
    struct solve_input *input = vroom->input;
    int64_t begin_us = begin_of(vroom);
    input->format = SOLVE_VROOM;
    input->clock_us = CLOCK_US;
    input->priorities =
        arena_need(&input->memory, sizeof *input->priorities * (vroom->order_count + 1));
    input->break_ids =
        arena_need(&input->memory, sizeof *input->break_ids * (vroom->technician_count + 1));
    solver_open(&input->solver, &input->matrix.travel, begin_us / US_PER_DAY);
    input->solver_open = true;
    struct policy policy = policy_default;
    policy.unserved_s_per_priority = 0; /* solve_input_begin sets the prices */
    workday_set_time(&input->solver.day, begin_us, begin_us, &policy);
    enum err err = ERR_OK;
    for (size_t i = 0; i < vroom->technician_count && err == ERR_OK; i++)
        err = tell_technician(vroom, i, begin_us, problem);
    for (size_t i = 0; i < vroom->order_count && err == ERR_OK; i++)
        err = tell_order(vroom, i, begin_us, problem);
    return err;
}

/* --- steps: a plan to begin with ------------------------------------------------------------- */

/* The order of a step; NULL for a step that is none, or a wrong one. */
static struct visit_told *step_order(struct vroom *vroom, struct entry *step, int64_t break_id,
                                     const uint32_t *order_of_slot)
{
    static const char *const keys[] = {"type", "id", NULL};
    only(step, keys);
    const char *type = json_string_value(json_object_get(step->object, "type"));
    if (type == NULL) type = "";
    if (strcmp(type, "start") == 0 || strcmp(type, "end") == 0) return NULL;
    bool is_break = strcmp(type, "break") == 0;
    if (!is_break && strcmp(type, "job") != 0)
        refuse(step, ERR_INVALID, "type", "must be start, job, break or end");
    int64_t number = needed(step, "id", INT64_MAX);
    if (is_break && number != break_id)
        refuse(step, ERR_INVALID, "id", "this vehicle has no such break");
    if (is_break || step->err != ERR_OK) return NULL;
    char id[LIMIT_ID];
    snprintf(id, sizeof id, "%" PRId64, number);
    uint32_t slot = workday_visit(&vroom->input->solver.day, id);
    if (slot == NO_INDEX) {
        refuse(step, ERR_INVALID, "id", "there is no such job");
        return NULL;
    }
    struct visit_told *order = &vroom->orders[order_of_slot[slot]];
    if (order->technician_id[0] != '\0') refuse(step, ERR_INVALID, "id", "comes twice");
    return order;
}

/* A plan that nobody was told: its order is kept, and no change of it has a price. */
static enum err tell_steps(struct vroom *vroom, const json_t *vehicle, size_t i,
                           const uint32_t *order_of_slot, struct problem *problem)
{
    struct workday *day = &vroom->input->solver.day;
    struct entry entry = {vehicle, "vehicles", i, "", ERR_OK, problem};
    const json_t *steps = array(&entry, "steps", STEPS_MAX);
    for (size_t at = 0; at < json_array_size(steps) && entry.err == ERR_OK; at++) {
        char part[32];
        snprintf(part, sizeof part, ".steps[%zu]", at);
        struct entry step = {json_array_get(steps, at), "vehicles", i, part, ERR_OK, problem};
        struct visit_told *order = step_order(vroom, &step, vroom->break_ids[i], order_of_slot);
        if (step.err != ERR_OK) return step.err;
        if (order == NULL) continue;
        order->technician_id = vroom->technicians[i].id;
        order->planned_start_us = day->now_us;
        order->position = (uint32_t)at;
        enum err err = workday_set_visit(day, order, problem);
        if (err != ERR_OK) return err;
    }
    return entry.err;
}

static enum err tell_all_steps(struct vroom *vroom, const json_t *vehicles, struct problem *problem)
{
    const struct workday *day = &vroom->input->solver.day;
    uint32_t *order_of_slot =
        arena_need(&vroom->input->memory, sizeof *order_of_slot * (day->visit_count + 1));
    for (size_t i = 0; i < vroom->order_count; i++)
        order_of_slot[workday_visit(day, vroom->orders[i].id)] = (uint32_t)i;
    enum err err = ERR_OK;
    for (size_t i = 0; i < vroom->technician_count && err == ERR_OK; i++)
        err = tell_steps(vroom, json_array_get(vehicles, i), i, order_of_slot, problem);
    return err;
}

/* --- the file -------------------------------------------------------------------------------- */

/* An amount has no meaning to a vehicle that does not say how much it takes. */
static enum err check_capacities(const struct vroom *vroom, struct problem *problem)
{
    char field[64];
    for (size_t i = 0; i < vroom->technician_count && vroom->loads != NULL; i++) {
        if (vroom->technicians[i].capacity > 0) continue;
        snprintf(field, sizeof field, "vehicles[%zu].capacity", i);
        return problem_set(problem, ERR_INVALID, field, "must be 1 at the least, as jobs have a %s",
                           vroom->loads);
    }
    return ERR_OK;
}

/* The travel times between all places are kept twice; see SOLVE_PLACES_MAX. */
static enum err check_places(const struct vroom *vroom, struct problem *problem)
{
    uint32_t size = vroom->input->matrix.size, count = 2;
    uint8_t *used = arena_need(&vroom->input->memory, size);
    for (size_t i = 0; i < vroom->order_count; i++)
        used[vroom->orders[i].visit.at.lat_e7] |= 1;
    for (size_t i = 0; i < vroom->technician_count; i++) {
        const struct route_day *day = &vroom->technicians[i].day;
        if (day->start.lat_e7 != PLACE_ANY) used[day->start.lat_e7] |= 2;
        if (day->end.lat_e7 != PLACE_ANY) used[day->end.lat_e7] |= 4;
    }
    for (uint32_t i = 0; i < size; i++)
        count += (used[i] & 1U) + (used[i] >> 1 & 1U) + (used[i] >> 2 & 1U);
    if (count <= SOLVE_PLACES_MAX) return ERR_OK;
    return problem_set(problem, ERR_TOO_LARGE, "jobs", "at most %d places of jobs, starts and ends",
                       SOLVE_PLACES_MAX);
}

static enum err read_root(struct vroom *vroom, const json_t *root, const struct json_matrix *matrix,
                          struct problem *problem)
{
    static const char *const keys[] = {"vehicles", "jobs", "matrices", NULL};
    struct entry entry = {root, "", 0, "", ERR_OK, problem};
    only(&entry, keys);
    const json_t *vehicles = array(&entry, "vehicles", LIMIT_ROUTES_PER_PLAN);
    const json_t *orders = array(&entry, "jobs", LIMIT_VISITS_PER_PLAN);
    if (entry.err == ERR_OK && json_array_size(vehicles) == 0)
        refuse(&entry, ERR_INVALID, "vehicles", "there must be one at least");
    if (entry.err != ERR_OK) return entry.err;
    enum err err = take_matrix(vroom, root, matrix, problem);
    struct arena *memory = &vroom->input->memory;
    vroom->technician_count = json_array_size(vehicles);
    vroom->order_count = json_array_size(orders);
    vroom->technicians =
        arena_need(memory, sizeof *vroom->technicians * (vroom->technician_count + 1));
    vroom->break_ids = arena_need(memory, sizeof *vroom->break_ids * (vroom->technician_count + 1));
    vroom->orders = arena_need(memory, sizeof *vroom->orders * (vroom->order_count + 1));
    vroom->priorities = arena_need(memory, sizeof *vroom->priorities * (vroom->order_count + 1));
    for (size_t i = 0; i < vroom->technician_count && err == ERR_OK; i++)
        err = read_vehicle(vroom, json_array_get(vehicles, i), i, problem);
    for (size_t i = 0; i < vroom->order_count && err == ERR_OK; i++)
        err = read_order(vroom, json_array_get(orders, i), i, problem);
    if (err == ERR_OK) err = check_capacities(vroom, problem);
    if (err == ERR_OK) err = check_places(vroom, problem);
    if (err == ERR_OK) err = tell(vroom, problem);
    return err == ERR_OK ? tell_all_steps(vroom, vehicles, problem) : err;
}

enum err read_vroom(struct solve_input *input, const char *text, size_t size,
                    struct problem *problem)
{
    struct json_matrix matrix;
    enum err err =
        json_matrix_read(&matrix, text, size, VROOM_INDEX_MAX, LEG_MAX_S, &input->memory, problem);
    if (err != ERR_OK) return err;
    json_t *root = json_tree_without(&matrix, text, size, problem);
    if (root == NULL) return ERR_INVALID;
    struct vroom vroom = {.input = input, .profile = ""};
    err = read_root(&vroom, root, &matrix, problem);
    json_decref(root);
    return err;
}
