#include "sim/world/recorded.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "day/zone.h"
#include "dispatcher/store/store.h"
#include "message.h"
#include "pb/fact.pb-c.h"
#include "sim/scenario/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FACT_ARENA = 64 << 20, PATH_BYTES = SCENARIO_PATH + 32 };

/* What the log has of an order: its last words, and when its first came. */
struct ordered {
    struct day_order order;
    char territory_id[LIMIT_ID + 1];
    int64_t service_day;
};

/* A technician's shift on a day; the rest is as it was last said. */
struct worker {
    struct day_technician technician;
    char territory_id[LIMIT_ID + 1];
    int64_t service_day;
};

struct zone {
    char territory_id[LIMIT_ID + 1], name[LIMIT_ID + 1];
};

struct recording {
    struct arena arena;
    struct ordered *orders;
    struct worker *workers;
    struct zone *zones;
    size_t order_count, worker_count, zone_count;
};

/* --- lists ----------------------------------------------------------------------------------- */

/* Room for one more, zeroed; lists grow by halves. */
static void *grow(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) == 0) {
        items = realloc(items, (count == 0 ? 1 : 2 * count) * size);
        CHECK(items != NULL);
    }
    memset((char *)items + count * size, 0, size);
    return items;
}

static struct ordered *order_of(struct recording *recording, const char *id)
{
    for (size_t i = 0; i < recording->order_count; i++)
        if (strcmp(recording->orders[i].order.id, id) == 0) return &recording->orders[i];
    recording->orders = grow(recording->orders, recording->order_count, sizeof *recording->orders);
    struct ordered *it = &recording->orders[recording->order_count++];
    snprintf(it->order.id, sizeof it->order.id, "%s", id);
    return it;
}

static struct worker *worker_of(struct recording *recording, const char *id, int64_t service_day)
{
    for (size_t i = 0; i < recording->worker_count; i++) {
        struct worker *it = &recording->workers[i];
        if (it->service_day == service_day && strcmp(it->technician.id, id) == 0) return it;
    }
    recording->workers =
        grow(recording->workers, recording->worker_count, sizeof *recording->workers);
    struct worker *it = &recording->workers[recording->worker_count++];
    snprintf(it->technician.id, sizeof it->technician.id, "%s", id);
    it->service_day = service_day;
    return it;
}

static struct zone *zone_of(struct recording *recording, const char *territory_id)
{
    for (size_t i = 0; i < recording->zone_count; i++)
        if (strcmp(recording->zones[i].territory_id, territory_id) == 0)
            return &recording->zones[i];
    recording->zones = grow(recording->zones, recording->zone_count, sizeof *recording->zones);
    struct zone *it = &recording->zones[recording->zone_count++];
    snprintf(it->territory_id, sizeof it->territory_id, "%s", territory_id);
    return it;
}

/* --- facts ----------------------------------------------------------------------------------- */

static size_t take_skills(struct day_skill *out, Callout__Skill *const *skills, size_t count)
{
    size_t taken = count < DAY_SKILLS_MAX ? count : DAY_SKILLS_MAX;
    for (size_t i = 0; i < taken; i++) {
        snprintf(out[i].name, sizeof out[i].name, "%.47s", skills[i]->name);
        out[i].level = skills[i]->level;
    }
    return taken;
}

static struct point point_of(const Callout__Point *point)
{
    return point == NULL ? (struct point){0, 0} : (struct point){point->lat_e7, point->lon_e7};
}

/* On the wire a window is about arrival, in a file about service. */
static void take_window(struct day_order *to, const Callout__WorkOrder *from)
{
    to->window_start_us = from->earliest_start_us;
    to->window_end_us = 0; /* of the day */
    if (from->n_windows == 0) return;
    to->window_start_us = from->windows[0]->start_us;
    to->window_end_us = from->windows[0]->end_us + to->service_s * US_PER_SECOND;
}

static void take_order(struct recording *recording, const Callout__WorkOrder *from,
                       int64_t service_day, int64_t time_us)
{
    struct ordered *it = order_of(recording, from->work_order_id);
    struct day_order *to = &it->order;
    if (to->received_us == 0) to->received_us = time_us;
    it->service_day = service_day;
    snprintf(it->territory_id, sizeof it->territory_id, "%s", from->territory_id);
    const char *type = from->emergency ? "emergency" : from->work_type;
    snprintf(to->work_type, sizeof to->work_type, "%s", type);
    snprintf(to->address, sizeof to->address, "%s", from->site == NULL ? "" : from->site->address);
    to->at = point_of(from->site == NULL ? NULL : from->site->point);
    to->service_s = (from->service_seconds + 59) / 60 * 60; /* a file knows minutes */
    to->priority = from->priority;
    to->skill_count = take_skills(to->skills, from->skills, from->n_skills);
    to->due_us = from->due_us;
    take_window(to, from);
}

static void take_technician(struct recording *recording, const Callout__Technician *from)
{
    for (size_t i = 0; i < from->n_shifts; i++) {
        const Callout__Shift *shift = from->shifts[i];
        struct worker *it = worker_of(recording, from->technician_id, shift->service_day);
        struct day_technician *to = &it->technician;
        snprintf(it->territory_id, sizeof it->territory_id, "%s", from->territory_id);
        const char *name = from->name[0] == '\0' ? from->technician_id : from->name;
        snprintf(to->name, sizeof to->name, "%s", name);
        to->home = point_of(from->home);
        to->shift_start_us = shift->start_us;
        to->shift_end_us = shift->end_us;
        to->overtime_s_max = shift->overtime_seconds_max;
        to->break_s = shift->break_seconds;
        to->break_earliest_us = shift->break_seconds == 0 ? 0 : shift->break_earliest_us;
        to->break_latest_us = shift->break_seconds == 0 ? 0 : shift->break_latest_us;
        to->skill_count = take_skills(to->skills, from->skills, from->n_skills);
    }
}

static bool take_fact(void *context, const void *visited)
{
    struct recording *recording = context;
    const struct row_fact *row = visited;
    ProtobufCMessage *message;
    if (message_decode(&callout__fact_body__descriptor, row->body.bytes, row->body.size,
                       &recording->arena, &message, NULL) == ERR_OK) {
        const Callout__FactBody *body = (const Callout__FactBody *)message;
        const Callout__Territory *territory = NULL;
        if (body->body_case == CALLOUT__FACT_BODY__BODY_UPSERT_TERRITORY)
            territory = body->upsert_territory->territory;
        if (body->body_case == CALLOUT__FACT_BODY__BODY_UPSERT_TECHNICIAN)
            take_technician(recording, body->upsert_technician->technician);
        if (body->body_case == CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER)
            take_order(recording, body->upsert_work_order->work_order, body->service_day,
                       row->time_us);
        if (territory != NULL)
            snprintf(zone_of(recording, territory->territory_id)->name, LIMIT_ID + 1, "%s",
                     territory->time_zone);
    }
    arena_rewind(&recording->arena);
    return true;
}

/* --- the day --------------------------------------------------------------------------------- */

/* A worker of the territory and day with the most orders; NULL: nobody worked on any. */
static const struct worker *choose_day(const struct recording *recording)
{
    const struct worker *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < recording->worker_count; i++) {
        const struct worker *it = &recording->workers[i];
        bool known = best != NULL && best->service_day == it->service_day &&
                     strcmp(best->territory_id, it->territory_id) == 0;
        size_t count = 0;
        for (size_t j = 0; j < recording->order_count && !known; j++)
            count += recording->orders[j].service_day == it->service_day &&
                     strcmp(recording->orders[j].territory_id, it->territory_id) == 0;
        if (count <= most) continue;
        most = count;
        best = it;
    }
    return best;
}

/* Without a window it is the day's, and service must fit whatever the window. */
static void bound_order(struct day_order *order, const struct day *day)
{
    int64_t service_us = order->service_s * US_PER_SECOND;
    if (order->window_start_us == 0) order->window_start_us = day->start_us;
    if (order->window_end_us == 0) order->window_end_us = day->end_us;
    if (order->window_end_us < order->window_start_us + service_us)
        order->window_end_us = order->window_start_us + service_us;
}

static void fill_day(struct day *out, const struct recording *recording, const struct worker *like)
{
    out->technicians = calloc(recording->worker_count + 1, sizeof *out->technicians);
    out->orders = calloc(recording->order_count + 1, sizeof *out->orders);
    CHECK(out->technicians != NULL && out->orders != NULL);
    out->service_day = like->service_day;
    out->start_us = INT64_MAX;
    for (size_t i = 0; i < recording->worker_count; i++) {
        const struct worker *it = &recording->workers[i];
        if (it->service_day != like->service_day || strcmp(it->territory_id, like->territory_id))
            continue;
        const struct day_technician *row = &it->technician;
        out->technicians[out->technician_count++] = *row;
        if (row->shift_start_us < out->start_us) out->start_us = row->shift_start_us;
        if (row->shift_end_us > out->end_us) out->end_us = row->shift_end_us;
    }
    for (size_t i = 0; i < recording->order_count; i++) {
        const struct ordered *it = &recording->orders[i];
        if (it->service_day != like->service_day || strcmp(it->territory_id, like->territory_id))
            continue;
        out->orders[out->order_count] = it->order;
        bound_order(&out->orders[out->order_count++], out);
    }
}

static enum err read_log(struct recording *recording, const char *data_dir, struct problem *problem)
{
    struct store *store;
    enum err err = store_open_reader(&store, data_dir, problem);
    if (err != ERR_OK) return err;
    arena_open(&recording->arena, FACT_ARENA);
    err = store_each(store, ROW_FACT, NULL, 0, false, take_fact, recording);
    arena_close(&recording->arena);
    store_close(store);
    return err == ERR_OK ? err : problem_set(problem, err, data_dir, "the log cannot be read");
}

enum err recorded_day(struct day *out, const char *data_dir, struct problem *problem)
{
    struct recording recording = {.order_count = 0};
    struct day day = {.service_day = 0};
    enum err err = read_log(&recording, data_dir, problem);
    const struct worker *like = err == ERR_OK ? choose_day(&recording) : NULL;
    if (err == ERR_OK && like == NULL)
        err = problem_set(problem, ERR_NOT_FOUND, data_dir,
                          "it has no day with technicians and orders");
    if (err == ERR_OK) {
        fill_day(&day, &recording, like);
        snprintf(day.time_zone, sizeof day.time_zone, "%s",
                 zone_of(&recording, like->territory_id)->name);
        err = zone_open(day.time_zone, problem);
    }
    if (err == ERR_OK)
        *out = day;
    else
        day_fini(&day);
    free(recording.orders);
    free(recording.workers);
    free(recording.zones);
    return err;
}

/* --- the door -------------------------------------------------------------------------------- */

bool recorded_is(const char *folder)
{
    char store[PATH_BYTES], orders[PATH_BYTES];
    snprintf(store, sizeof store, "%.512s/callout.db", folder);
    snprintf(orders, sizeof orders, "%.512s/orders.csv", folder);
    return folder[0] != '\0' && access(store, F_OK) == 0 && access(orders, F_OK) != 0;
}

enum err recorded_take(struct scenario *scenario, const char *scratch, struct problem *problem)
{
    struct day day;
    if (!recorded_is(scenario->folder.path)) return ERR_OK;
    if (strlen(scratch) >= sizeof scenario->folder.files)
        return problem_set(problem, ERR_TOO_LARGE, scratch, "the path is too long");
    enum err err = recorded_day(&day, scenario->folder.path, problem);
    if (err != ERR_OK) return err;
    err = scenario_write_day(&day, scratch, problem);
    snprintf(scenario->time_zone, sizeof scenario->time_zone, "%s", day.time_zone);
    snprintf(scenario->folder.files, sizeof scenario->folder.files, "%s", scratch);
    day_fini(&day);
    return err;
}
