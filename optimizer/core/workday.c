#include "optimizer/core/workday.h"

#include "base/check.h"

#include <string.h>

/* Each visit has one need, and one that changes has two for a moment. */
enum { MEMORY_MAX = 1 << 30, NEEDS_MAX = LIMIT_VISITS_PER_PLAN + 1, FIRST_CAP = 64 };

static const int64_t TIME_MAX_US = INT64_C(400000000) * 1000000; /* about 12 years around the day */

/* --- tables ------------------------------------------------------------------------------------
 */

static uint64_t text_hash(const char *text)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, text, strlen(text));
    return digest.state;
}

static uint64_t point_hash(struct point at)
{
    struct digest digest = digest_start();
    digest_u64(&digest, (uint64_t)(uint32_t)at.lat_e7 << 32 | (uint32_t)at.lon_e7);
    return digest.state;
}

static void table_put(struct id_table *table, uint64_t hash, uint32_t slot)
{
    uint32_t at = (uint32_t)hash & table->mask;
    while (table->entries[at] != 0)
        at = (at + 1) & table->mask;
    table->entries[at] = slot + 1;
    table->used++;
}

/* An empty table for `cap` entries, at most half full. */
static void table_make(struct arena *memory, struct id_table *table, uint32_t cap)
{
    table->entries = arena_need(memory, sizeof *table->entries * cap * 2);
    table->mask = cap * 2 - 1;
    table->used = 0;
}

/* Takes `slot` out and moves up what had to step aside for it (Knuth 6.4, algorithm R). */
static void table_drop(struct id_table *table, uint32_t slot, uint64_t hash,
                       uint64_t (*hash_of)(const struct workday *, uint32_t),
                       const struct workday *day)
{
    uint32_t at = (uint32_t)hash & table->mask;
    while (table->entries[at] != slot + 1) {
        CHECK(table->entries[at] != 0);
        at = (at + 1) & table->mask;
    }
    table->used--;
    for (uint32_t next = (at + 1) & table->mask; table->entries[next] != 0;
         next = (next + 1) & table->mask) {
        uint32_t home = (uint32_t)hash_of(day, table->entries[next] - 1) & table->mask;
        if (((next - home) & table->mask) < ((next - at) & table->mask)) continue;
        table->entries[at] = table->entries[next];
        at = next;
    }
    table->entries[at] = 0;
}

static uint64_t visit_hash(const struct workday *day, uint32_t slot)
{
    return text_hash(day->visits[slot].id);
}

static uint64_t place_hash(const struct workday *day, uint32_t slot)
{
    return point_hash(day->places[slot].at);
}

uint32_t workday_visit(const struct workday *day, const char *id)
{
    uint32_t at = (uint32_t)text_hash(id) & day->visit_ids.mask;
    for (; day->visit_ids.entries[at] != 0; at = (at + 1) & day->visit_ids.mask) {
        uint32_t slot = day->visit_ids.entries[at] - 1;
        if (strcmp(day->visits[slot].id, id) == 0) return slot;
    }
    return NO_INDEX;
}

uint32_t workday_technician(const struct workday *day, const char *id)
{
    uint32_t at = (uint32_t)text_hash(id) & day->technician_ids.mask;
    for (; day->technician_ids.entries[at] != 0; at = (at + 1) & day->technician_ids.mask) {
        uint32_t slot = day->technician_ids.entries[at] - 1;
        if (strcmp(day->technicians[slot].id, id) == 0) return slot;
    }
    return NO_INDEX;
}

/* --- growth: twice the room in the same arena; what is left behind is at most as much again -----
 */

static void *grown(struct arena *memory, const void *old, size_t size, uint32_t count, uint32_t cap)
{
    void *room = arena_need(memory, size * cap);
    if (count > 0) memcpy(room, old, size * count);
    return room;
}

static void technicians_grow(struct workday *day)
{
    uint32_t count = day->technician_count, cap = day->technician_cap * 2;
    day->technicians = grown(&day->memory, day->technicians, sizeof *day->technicians, count, cap);
    day->technician_order =
        grown(&day->memory, day->technician_order, sizeof *day->technician_order, count, cap);
    table_make(&day->memory, &day->technician_ids, cap);
    for (uint32_t i = 0; i < count; i++)
        table_put(&day->technician_ids, text_hash(day->technicians[i].id), i);
    day->technician_cap = cap;
}

static void visits_grow(struct workday *day)
{
    uint32_t count = day->visit_count, cap = day->visit_cap * 2;
    CHECK(day->visit_free_count == 0);
    day->visits = grown(&day->memory, day->visits, sizeof *day->visits, count, cap);
    day->visit_order =
        grown(&day->memory, day->visit_order, sizeof *day->visit_order, day->visits_used, cap);
    day->visit_free = arena_need(&day->memory, sizeof *day->visit_free * cap);
    table_make(&day->memory, &day->visit_ids, cap);
    for (uint32_t i = 0; i < count; i++)
        table_put(&day->visit_ids, text_hash(day->visits[i].id), i);
    day->visit_cap = cap;
}

static int32_t *matrix_grown(struct workday *day, const int32_t *old, uint32_t cap)
{
    uint32_t count = day->place_count;
    int32_t *room = arena_need(&day->memory, sizeof *room * cap * cap);
    for (uint32_t row = 0; row < count; row++)
        memcpy(room + (size_t)row * cap, old + (size_t)row * day->place_cap, sizeof *room * count);
    return room;
}

static void places_grow(struct workday *day)
{
    uint32_t count = day->place_count, cap = day->place_cap * 2;
    day->places = grown(&day->memory, day->places, sizeof *day->places, count, cap);
    day->place_free = arena_need(&day->memory, sizeof *day->place_free * cap);
    day->travel_from = matrix_grown(day, day->travel_from, cap);
    day->travel_into = matrix_grown(day, day->travel_into, cap);
    table_make(&day->memory, &day->place_table, cap);
    for (uint32_t i = 0; i < day->place_count; i++)
        table_put(&day->place_table, place_hash(day, i), i);
    day->place_cap = cap;
}

/* --- open, close, time ---------------------------------------------------------------------------
 */

void workday_open(struct workday *day, const struct travel *travel, int64_t service_day)
{
    *day = (struct workday){.travel = travel, .service_day = service_day, .policy = policy_default};
    arena_open(&day->memory, MEMORY_MAX);
    day->visits_per_route_max = LIMIT_VISITS_PER_ROUTE;
    day->technician_cap = day->visit_cap = day->place_cap = FIRST_CAP / 2;
    technicians_grow(day);
    visits_grow(day);
    places_grow(day);
    day->skill_names = arena_need(&day->memory, sizeof *day->skill_names * LIMIT_SKILLS);
    day->need_cap = FIRST_CAP;
    day->needs = arena_need(&day->memory, sizeof *day->needs * day->need_cap);
}

void workday_close(struct workday *day)
{
    arena_close(&day->memory);
    *day = (struct workday){0};
}

void workday_limit_hands(struct workday *day, bool limited, uint32_t left)
{
    day->hands_limited = limited;
    day->hands_left = limited ? left : 0;
}

void workday_set_time(struct workday *day, int64_t now_us, int64_t frozen_until_us,
                      const struct policy *policy)
{
    day->now_us = now_us;
    day->frozen_until_us = frozen_until_us;
    day->policy = *policy;
}

/* --- places --- */

static uint32_t place_find(const struct workday *day, struct point at)
{
    uint32_t entry = (uint32_t)point_hash(at) & day->place_table.mask;
    for (; day->place_table.entries[entry] != 0; entry = (entry + 1) & day->place_table.mask) {
        uint32_t slot = day->place_table.entries[entry] - 1;
        if (point_same(day->places[slot].at, at)) return slot;
    }
    return NO_INDEX;
}

static uint32_t place_take(struct workday *day, struct point at)
{
    uint32_t slot = place_find(day, at);
    if (slot != NO_INDEX) return slot;
    if (day->place_free_count > 0) {
        slot = day->place_free[--day->place_free_count];
    } else {
        if (day->place_count == day->place_cap) places_grow(day);
        slot = day->place_count++;
    }
    day->places[slot] = (struct place_slot){.at = at};
    table_put(&day->place_table, point_hash(at), slot);
    return slot;
}

static void travel_ask(struct workday *day, uint32_t from, uint32_t to)
{
    int32_t seconds = travel_seconds(day->travel, day->places[from].at, day->places[to].at);
    CHECK(seconds >= 0);
    day->travel_from[(size_t)from * day->place_cap + to] = seconds;
    day->travel_into[(size_t)to * day->place_cap + from] = seconds;
}

static void origin_add(struct workday *day, uint32_t place)
{
    if (day->places[place].origins++ > 0) return;
    for (uint32_t i = 0; i < day->place_count; i++) {
        if (day->places[i].destinations > 0) travel_ask(day, place, i);
    }
}

static void destination_add(struct workday *day, uint32_t place)
{
    if (day->places[place].destinations++ > 0) return;
    for (uint32_t i = 0; i < day->place_count; i++) {
        if (day->places[i].origins > 0) travel_ask(day, i, place);
    }
}

static void place_release(struct workday *day, uint32_t place, bool origin, bool destination)
{
    struct place_slot *slot = &day->places[place];
    slot->origins -= origin;
    slot->destinations -= destination;
    if (slot->origins + slot->destinations > 0) return;
    table_drop(&day->place_table, place, point_hash(slot->at), place_hash, day);
    day->place_free[day->place_free_count++] = place;
}

/* --- skills --- */

static uint32_t skill_intern(struct workday *day, const char *name)
{
    for (uint32_t i = 0; i < day->skill_count; i++) {
        if (strcmp(day->skill_names[i], name) == 0) return i;
    }
    if (day->skill_count == LIMIT_SKILLS) return NO_INDEX;
    day->skill_names[day->skill_count] = arena_text(&day->memory, name);
    CHECK(day->skill_names[day->skill_count] != NULL);
    return day->skill_count++;
}

/* Sorted by name index and level, so that equal sets compare equal. */
static enum err skills_read(struct workday *day, const struct skill_named *told, uint32_t count,
                            struct skill *out, struct problem *problem)
{
    if (count > LIMIT_SKILLS_PER_ENTITY)
        return problem_set(problem, ERR_TOO_LARGE, "skills", "more than %d skills",
                           LIMIT_SKILLS_PER_ENTITY);
    for (uint32_t i = 0; i < count; i++) {
        if (told[i].level < 1 || told[i].level > LIMIT_SKILL_LEVEL ||
            strlen(told[i].name) > LIMIT_NAME)
            return problem_set(problem, ERR_INVALID, "skills", "level or name out of range");
        uint32_t name = skill_intern(day, told[i].name);
        if (name == NO_INDEX)
            return problem_set(problem, ERR_TOO_LARGE, "skills", "too many distinct skills");
        struct skill skill = {(uint16_t)name, (uint16_t)told[i].level};
        uint32_t at = i;
        for (; at > 0 && (out[at - 1].name > skill.name ||
                          (out[at - 1].name == skill.name && out[at - 1].level > skill.level));
             at--)
            out[at] = out[at - 1];
        out[at] = skill;
    }
    return ERR_OK;
}

static bool skills_same(const struct skill *a, uint32_t a_count, const struct skill *b,
                        uint32_t b_count)
{
    return a_count == b_count && memcmp(a, b, sizeof *a * a_count) == 0;
}

static bool named_same(const struct named_set *a, const struct named_set *b)
{
    return a->count == b->count && memcmp(a->slots, b->slots, sizeof *a->slots * a->count) == 0;
}

static bool need_same(const struct need_set *a, const struct need_set *b)
{
    if (!skills_same(a->skills, a->count, b->skills, b->count)) return false;
    if (a->choice_count != b->choice_count) return false;
    for (uint32_t i = 0; i < a->choice_count; i++) {
        const struct skill_choice *left = &a->choices[i], *right = &b->choices[i];
        if (!skills_same(left->any_of, left->count, right->any_of, right->count)) return false;
    }
    return named_same(&a->excluded, &b->excluded) && named_same(&a->required, &b->required) &&
           named_same(&a->preferred, &b->preferred);
}

/* The index of an equal need in use, or of a place for it. */
static uint32_t need_intern(struct workday *day, const struct need_set *need)
{
    uint32_t free = day->need_count;
    for (uint32_t i = 0; i < day->need_count; i++) {
        if (day->needs[i].users == 0)
            free = i;
        else if (need_same(&day->needs[i], need))
            return i;
    }
    CHECK(free < NEEDS_MAX);
    if (free == day->need_cap) {
        day->needs =
            grown(&day->memory, day->needs, sizeof *day->needs, day->need_count, day->need_cap * 2);
        day->need_cap *= 2;
    }
    if (free == day->need_count) day->need_count++;
    day->needs[free] = *need;
    return free;
}

/* --- technicians --- */

static bool id_valid(const char *id)
{
    size_t length = strlen(id);
    return length > 0 && length <= LIMIT_ID;
}

static bool time_valid(const struct workday *day, int64_t time_us)
{
    int64_t base = day->service_day * INT64_C(86400000000);
    return time_us >= base - TIME_MAX_US && time_us <= base + TIME_MAX_US;
}

static void order_insert(uint32_t *order, uint32_t count, uint32_t at, uint32_t slot)
{
    memmove(order + at + 1, order + at, sizeof *order * (count - at));
    order[at] = slot;
}

/* Where `id` stands, or would stand, among the technicians by id. */
static uint32_t technician_rank(const struct workday *day, const char *id)
{
    uint32_t low = 0, high = day->technician_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (strcmp(day->technicians[day->technician_order[middle]].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The slot of that name, made if need be; NO_INDEX when there are too many. */
static uint32_t technician_name(struct workday *day, const char *id)
{
    uint32_t slot = workday_technician(day, id);
    if (slot != NO_INDEX) return slot;
    if (day->technician_count == LIMIT_TECHNICIANS) return NO_INDEX;
    if (day->technician_count == day->technician_cap) technicians_grow(day);
    uint32_t rank = technician_rank(day, id);
    slot = day->technician_count;
    order_insert(day->technician_order, slot, rank, slot);
    day->technician_count++;
    memset(&day->technicians[slot], 0, sizeof day->technicians[slot]);
    memcpy(day->technicians[slot].id, id, strlen(id) + 1);
    table_put(&day->technician_ids, text_hash(id), slot);
    return slot;
}

static enum err technician_check(const struct workday *day, const struct technician_told *told,
                                 struct problem *problem)
{
    const struct route_day *times = &told->day;
    if (!id_valid(told->id))
        return problem_set(problem, ERR_INVALID, "technician_id", "empty or too long");
    if (!point_valid(times->start) || !point_valid(times->end))
        return problem_set(problem, ERR_INVALID, "start", "no such place on earth");
    if (!time_valid(day, times->available_us) || !time_valid(day, times->shift_end_us))
        return problem_set(problem, ERR_INVALID, "available_us", "far from the service day");
    if (times->break_us > 0 &&
        (!time_valid(day, times->break_earliest_us) || !time_valid(day, times->break_latest_us)))
        return problem_set(problem, ERR_INVALID, "break_earliest_us", "far from the service day");
    if (times->leg_s_max < 0)
        return problem_set(problem, ERR_INVALID, "leg_seconds_max", "below 0");
    if (times->travel_s_max < 0)
        return problem_set(problem, ERR_INVALID, "travel_seconds_max", "below 0");
    if (times->break_us < 0 || times->break_us > TIME_MAX_US || times->overtime_us_max < 0 ||
        times->overtime_us_max > TIME_MAX_US)
        return problem_set(problem, ERR_INVALID, "break_seconds", "out of range");
    if (told->capacity < 0)
        return problem_set(problem, ERR_INVALID, "capacity", "must be 0 or more");
    if (told->changes_limited && told->changes_left < 0)
        return problem_set(problem, ERR_INVALID, "changes_left", "must be 0 or more");
    return ERR_OK;
}

enum err workday_set_technician(struct workday *day, const struct technician_told *told,
                                struct problem *problem)
{
    enum err err = technician_check(day, told, problem);
    if (err != ERR_OK) return err;
    struct skill skills[LIMIT_SKILLS_PER_ENTITY];
    err = skills_read(day, told->skills, told->skill_count, skills, problem);
    if (err != ERR_OK) return err;
    uint32_t slot = technician_name(day, told->id);
    if (slot == NO_INDEX)
        return problem_set(problem, ERR_TOO_LARGE, "technicians", "too many technicians");
    /* The new places are taken before the old ones are let go: an unmoved one is not asked again.
     */
    uint32_t start = place_take(day, told->day.start);
    origin_add(day, start);
    uint32_t end = place_take(day, told->day.end);
    destination_add(day, end);
    struct technician_slot *technician = &day->technicians[slot];
    if (technician->working) {
        place_release(day, technician->start, true, false);
        place_release(day, technician->end, false, true);
    }
    technician->working = true;
    technician->day = told->day;
    technician->start = start;
    technician->end = end;
    memcpy(technician->skills, skills, sizeof *skills * told->skill_count);
    technician->skill_count = told->skill_count;
    technician->capacity = told->capacity;
    technician->changes_limited = told->changes_limited;
    technician->changes_left = told->changes_left;
    technician->keeps_order = told->keeps_order;
    technician->tried = 0;
    return ERR_OK;
}

void workday_remove_technician(struct workday *day, const char *id)
{
    uint32_t slot = workday_technician(day, id);
    if (slot == NO_INDEX || !day->technicians[slot].working) return;
    day->technicians[slot].working = false;
    place_release(day, day->technicians[slot].start, true, false);
    place_release(day, day->technicians[slot].end, false, true);
}

/* --- visits --- */

static uint32_t visit_rank(const struct workday *day, const char *id)
{
    uint32_t low = 0, high = day->visits_used;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (strcmp(day->visits[day->visit_order[middle]].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Ascending, and apart from one another. */
static bool windows_valid(const struct window *windows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (windows[i].end_us < windows[i].start_us) return false;
        if (i > 0 && windows[i].start_us <= windows[i - 1].end_us) return false;
    }
    return true;
}

static enum err visit_check(const struct workday *day, const struct visit_told *told,
                            struct problem *problem)
{
    const struct route_visit *visit = &told->visit;
    if (!id_valid(told->id))
        return problem_set(problem, ERR_INVALID, "appointment_id", "empty or too long");
    if (!point_valid(visit->at))
        return problem_set(problem, ERR_INVALID, "point", "no such place on earth");
    if (visit->service_us < 0 || visit->service_us > LIMIT_SERVICE_SECONDS * INT64_C(1000000))
        return problem_set(problem, ERR_INVALID, "service_seconds", "out of range");
    if (told->load < 0 || told->load > LOAD_MAX)
        return problem_set(problem, ERR_INVALID, "load", "must be from 0 to %d", LOAD_MAX);
    if (told->priority > LIMIT_PRIORITY)
        return problem_set(problem, ERR_INVALID, "priority", "more than %d", LIMIT_PRIORITY);
    if (visit->window_count > LIMIT_WINDOWS_PER_ORDER)
        return problem_set(problem, ERR_TOO_LARGE, "windows", "more than %d",
                           LIMIT_WINDOWS_PER_ORDER);
    if (visit->preferred_count > LIMIT_WINDOWS_PER_ORDER)
        return problem_set(problem, ERR_TOO_LARGE, "windows", "more than %d preferred",
                           LIMIT_WINDOWS_PER_ORDER);
    if (!windows_valid(visit->windows, visit->window_count) ||
        !windows_valid(visit->preferred, visit->preferred_count))
        return problem_set(problem, ERR_INVALID, "windows", "not ascending");
    if (visit->stretched_us < 0 || visit->stretched_us > TIME_MAX_US)
        return problem_set(problem, ERR_INVALID, "stretched_us", "is out of range");
    if (visit->late_us_max < 0 || visit->late_us_max > TIME_MAX_US)
        return problem_set(problem, ERR_INVALID, "late_seconds_max", "out of range");
    if (visit->not_before_us != 0 && !time_valid(day, visit->not_before_us))
        return problem_set(problem, ERR_INVALID, "not_before_us", "far from the service day");
    if (told->technician_id[0] != 0 && !id_valid(told->technician_id))
        return problem_set(problem, ERR_INVALID, "technician_id", "too long");
    return ERR_OK;
}

/* The slot of that visit, made if need be; NO_INDEX when the day is full. */
static uint32_t visit_name(struct workday *day, const char *id)
{
    uint32_t slot = workday_visit(day, id);
    if (slot != NO_INDEX) return slot;
    if (day->visits_used == LIMIT_VISITS_PER_PLAN) return NO_INDEX;
    if (day->visit_free_count > 0) {
        slot = day->visit_free[--day->visit_free_count];
    } else {
        if (day->visit_count == day->visit_cap) visits_grow(day);
        slot = day->visit_count++;
    }
    order_insert(day->visit_order, day->visits_used, visit_rank(day, id), slot);
    day->visits_used++;
    memset(&day->visits[slot], 0, sizeof day->visits[slot]);
    memcpy(day->visits[slot].id, id, strlen(id) + 1);
    table_put(&day->visit_ids, text_hash(id), slot);
    return slot;
}

static enum err named_read(struct workday *day, const char *const *ids, uint32_t count,
                           uint32_t max, const char *field, struct named_set *out,
                           struct problem *problem)
{
    if (count > max) return problem_set(problem, ERR_TOO_LARGE, field, "more than %u", max);
    for (uint32_t i = 0; i < count; i++) {
        if (!id_valid(ids[i])) return problem_set(problem, ERR_INVALID, field, "no such id");
        uint32_t slot = technician_name(day, ids[i]), at = out->count++;
        if (slot == NO_INDEX)
            return problem_set(problem, ERR_TOO_LARGE, "technicians", "too many technicians");
        for (; at > 0 && out->slots[at - 1] > slot; at--)
            out->slots[at] = out->slots[at - 1];
        out->slots[at] = slot;
    }
    return ERR_OK;
}

static enum err choices_read(struct workday *day, const struct visit_told *told,
                             struct need_set *need, struct problem *problem)
{
    if (told->choice_count > LIMIT_SKILL_CHOICES_PER_ORDER)
        return problem_set(problem, ERR_TOO_LARGE, "skill_choices", "more than %d",
                           LIMIT_SKILL_CHOICES_PER_ORDER);
    for (uint32_t i = 0; i < told->choice_count; i++) {
        const struct choice_told *from = &told->choices[i];
        struct skill skills[LIMIT_SKILLS_PER_ENTITY];
        if (from->count > LIMIT_SKILLS_PER_CHOICE)
            return problem_set(problem, ERR_TOO_LARGE, "skill_choices", "more than %d in one",
                               LIMIT_SKILLS_PER_CHOICE);
        enum err err = skills_read(day, from->any_of, from->count, skills, problem);
        if (err != ERR_OK) return err;
        memcpy(need->choices[i].any_of, skills, sizeof *skills * from->count);
        need->choices[i].count = from->count;
        need->choice_count++;
    }
    return ERR_OK;
}

static enum err need_read(struct workday *day, const struct visit_told *told, uint32_t *index,
                          struct problem *problem)
{
    struct need_set need = {.count = told->skill_count};
    enum err err = skills_read(day, told->skills, told->skill_count, need.skills, problem);
    if (err == ERR_OK) err = choices_read(day, told, &need, problem);
    if (err == ERR_OK)
        err = named_read(day, told->excluded, told->excluded_count, EXCLUDED_MAX,
                         "excluded_technician_ids", &need.excluded, problem);
    if (err == ERR_OK)
        err = named_read(day, told->required, told->required_count, NAMED_MAX,
                         "required_technician_ids", &need.required, problem);
    if (err == ERR_OK)
        err = named_read(day, told->preferred, told->preferred_count, NAMED_MAX,
                         "preferred_technician_ids", &need.preferred, problem);
    if (err == ERR_OK) *index = need_intern(day, &need);
    return err;
}

enum err workday_set_visit(struct workday *day, const struct visit_told *told,
                           struct problem *problem)
{
    enum err err = visit_check(day, told, problem);
    if (err != ERR_OK) return err;
    uint32_t need;
    err = need_read(day, told, &need, problem);
    if (err != ERR_OK) return err;
    uint32_t technician =
        told->technician_id[0] == 0 ? NO_INDEX : technician_name(day, told->technician_id);
    if (told->technician_id[0] != 0 && technician == NO_INDEX)
        return problem_set(problem, ERR_TOO_LARGE, "technicians", "too many technicians");
    uint32_t slot = visit_name(day, told->id);
    if (slot == NO_INDEX)
        return problem_set(problem, ERR_TOO_LARGE, "visits", "more than %d", LIMIT_VISITS_PER_PLAN);
    uint32_t place = place_take(day, told->visit.at);
    origin_add(day, place);
    destination_add(day, place);
    struct visit_slot *visit = &day->visits[slot];
    day->needs[need].users++;
    if (visit->used) {
        place_release(day, visit->place, true, true);
        day->needs[visit->need].users--;
    }
    visit->used = true;
    visit->visit = told->visit;
    visit->place = place;
    visit->priority = told->priority;
    visit->need = need;
    visit->mobility = told->mobility;
    visit->technician = technician;
    visit->planned_start_us = told->planned_start_us;
    visit->position = told->position;
    visit->emergency = told->emergency;
    visit->published = told->published;
    visit->changed_hands = told->changed_hands;
    visit->load = told->load;
    visit->left_out = false;
    return ERR_OK;
}

void workday_remove_visit(struct workday *day, const char *id, uint32_t *slot)
{
    *slot = workday_visit(day, id);
    if (*slot == NO_INDEX) return;
    uint32_t rank = visit_rank(day, id);
    day->visits_used--;
    memmove(day->visit_order + rank, day->visit_order + rank + 1,
            sizeof *day->visit_order * (day->visits_used - rank));
    table_drop(&day->visit_ids, *slot, text_hash(id), visit_hash, day);
    place_release(day, day->visits[*slot].place, true, true);
    day->needs[day->visits[*slot].need].users--;
    day->visits[*slot].used = false;
    day->visit_free[day->visit_free_count++] = *slot;
}

/* --- digest --- */

static void digest_text(struct digest *digest, const char *text)
{
    digest_bytes(digest, text, strlen(text));
}

static void digest_point(struct digest *digest, struct point at)
{
    digest_u64(digest, (uint64_t)(uint32_t)at.lat_e7 << 32 | (uint32_t)at.lon_e7);
}

/* Skill numbers depend on who came first, so a set is summed over the names. */
static void digest_skills(struct digest *digest, const struct workday *day,
                          const struct skill *skills, uint32_t count)
{
    uint64_t sum = count;
    for (uint32_t i = 0; i < count; i++)
        sum += (text_hash(day->skill_names[skills[i].name]) | 1) * (skills[i].level + UINT64_C(7));
    digest_u64(digest, sum);
}

static void digest_technician(struct digest *digest, const struct workday *day,
                              const struct technician_slot *technician)
{
    digest_text(digest, technician->id);
    digest_point(digest, technician->day.start);
    digest_point(digest, technician->day.end);
    digest_u64(digest, (uint64_t)technician->day.available_us);
    digest_u64(digest, (uint64_t)technician->day.shift_end_us);
    digest_u64(digest, (uint64_t)technician->day.overtime_us_max);
    digest_u64(digest, (uint64_t)technician->day.break_earliest_us);
    digest_u64(digest, (uint64_t)technician->day.break_latest_us);
    digest_u64(digest, (uint64_t)technician->day.break_us);
    digest_u64(digest,
               (uint64_t)technician->day.leg_s_max << 32 | (uint32_t)technician->day.travel_s_max);
    digest_skills(digest, day, technician->skills, technician->skill_count);
    digest_u64(digest, (uint64_t)technician->capacity);
    digest_u64(digest, technician->changes_limited ? 1 + (uint64_t)technician->changes_left : 0);
    digest_u64(digest, technician->keeps_order);
}

static void digest_windows(struct digest *digest, const struct window *windows, uint32_t count)
{
    digest_u64(digest, count);
    for (uint32_t i = 0; i < count; i++) {
        digest_u64(digest, (uint64_t)windows[i].start_us);
        digest_u64(digest, (uint64_t)windows[i].end_us);
    }
}

/* Slots depend on who came first too. */
static void digest_named(struct digest *digest, const struct workday *day,
                         const struct named_set *named)
{
    uint64_t sum = named->count;
    for (uint32_t i = 0; i < named->count; i++)
        sum += text_hash(day->technicians[named->slots[i]].id) | 1;
    digest_u64(digest, sum);
}

static void digest_need(struct digest *digest, const struct workday *day,
                        const struct need_set *need)
{
    digest_skills(digest, day, need->skills, need->count);
    for (uint32_t i = 0; i < need->choice_count; i++)
        digest_skills(digest, day, need->choices[i].any_of, need->choices[i].count);
    digest_named(digest, day, &need->excluded);
    digest_named(digest, day, &need->required);
    digest_named(digest, day, &need->preferred);
}

static void digest_visit(struct digest *digest, const struct workday *day,
                         const struct visit_slot *visit)
{
    digest_text(digest, visit->id);
    digest_point(digest, visit->visit.at);
    digest_u64(digest, (uint64_t)visit->visit.service_us);
    digest_windows(digest, visit->visit.windows, visit->visit.window_count);
    digest_windows(digest, visit->visit.preferred, visit->visit.preferred_count);
    digest_u64(digest, (uint64_t)visit->visit.late_us_max);
    digest_u64(digest, (uint64_t)visit->visit.stretched_us);
    digest_u64(digest, (uint64_t)visit->visit.not_before_us);
    digest_u64(digest, visit->priority);
    digest_need(digest, day, &day->needs[visit->need]);
    digest_u64(digest, visit->mobility);
    digest_text(digest,
                visit->technician == NO_INDEX ? "" : day->technicians[visit->technician].id);
    digest_u64(digest, (uint64_t)visit->planned_start_us);
    digest_u64(digest, visit->position);
    digest_u64(digest, (uint64_t)visit->changed_hands << 2 | (uint64_t)visit->emergency << 1 |
                           visit->published);
    digest_u64(digest, (uint64_t)visit->load);
}

uint64_t workday_digest(const struct workday *day)
{
    struct digest digest = digest_start();
    digest_u64(&digest, (uint64_t)day->now_us);
    digest_u64(&digest, (uint64_t)day->frozen_until_us);
    digest_u64(&digest, day->hands_limited ? 1 + (uint64_t)day->hands_left : 0);
    for (uint32_t i = 0; i < day->technician_count; i++) {
        const struct technician_slot *technician = &day->technicians[day->technician_order[i]];
        if (technician->working) digest_technician(&digest, day, technician);
    }
    for (uint32_t i = 0; i < day->visits_used; i++)
        digest_visit(&digest, day, &day->visits[day->visit_order[i]]);
    return digest.state;
}
