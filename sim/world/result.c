#include "sim/world/result.h"

#include "base/check.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void run_result_init(struct run_result *result)
{
    *result = (struct run_result){0};
}

void run_result_fini(struct run_result *result)
{
    free(result->days);
    free(result->untroubled);
    free(result->backlog);
    free(result->legs);
    free(result->faults);
    *result = (struct run_result){0};
}

/* --- lists ----------------------------------------------------------------------------------- */

/* Room for one more behind `count` items; the room doubles at each power of two. */
static void *grown(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) return items;
    items = realloc(items, (count == 0 ? 1 : 2 * count) * size);
    CHECK(items != NULL);
    return items;
}

struct run_day *run_result_day(struct run_result *result)
{
    result->days = grown(result->days, result->day_count, sizeof *result->days);
    struct run_day *day = &result->days[result->day_count++];
    *day = (struct run_day){0};
    return day;
}

struct run_backlog *run_result_backlog(struct run_result *result)
{
    result->backlog = grown(result->backlog, result->backlog_count, sizeof *result->backlog);
    struct run_backlog *backlog = &result->backlog[result->backlog_count++];
    *backlog = (struct run_backlog){0};
    return backlog;
}

struct run_leg *run_result_leg(struct run_result *result)
{
    result->legs = grown(result->legs, result->leg_count, sizeof *result->legs);
    struct run_leg *leg = &result->legs[result->leg_count++];
    *leg = (struct run_leg){0};
    return leg;
}

struct run_fault *run_result_fault(struct run_result *result)
{
    result->faults = grown(result->faults, result->fault_count, sizeof *result->faults);
    struct run_fault *fault = &result->faults[result->fault_count++];
    *fault = (struct run_fault){0};
    return fault;
}

/* --- lateness -------------------------------------------------------------------------------- */

void run_lateness(const struct kpi *kpi, struct run_lateness groups[RUN_LATENESS_GROUPS])
{
    static const int minutes[RUN_LATENESS_GROUPS] = {0, 5, 10, 15, 30, 60, 90, 120, -1};
    for (int i = 0; i < RUN_LATENESS_GROUPS; i++)
        groups[i] =
            (struct run_lateness){minutes[i] < 0 ? INT64_MAX : minutes[i] * US_PER_MINUTE, 0};
    groups[0].arrivals = kpi->on_time;
    for (uint32_t bucket = 0; bucket < KPI_BUCKETS; bucket++) {
        int group = 1;
        while (kpi_bucket_end_us(bucket) > groups[group].up_to_us)
            group++;
        groups[group].arrivals += kpi->lateness.buckets[bucket];
    }
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put(json_t *object, const char *name, json_t *value)
{
    CHECK(json_object_set_new(object, name, value) == 0);
}

static void put_int(json_t *object, const char *name, int64_t value)
{
    put(object, name, json_integer((json_int_t)value));
}

static void put_count(json_t *object, const char *name, uint64_t value)
{
    put_int(object, name, (int64_t)value);
}

static void put_text(json_t *object, const char *name, const char *text)
{
    put(object, name, json_string(text));
}

static void put_hex(json_t *object, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    put_text(object, name, text);
}

static void put_time(json_t *object, const char *name, int64_t time_us)
{
    char text[32];
    put_text(object, name, clock_format_utc(time_us, text));
}

/* What does not exist, such as a mean of nothing, is left out. */
static void put_known(json_t *object, const char *name, int64_t value)
{
    if (value >= 0) put_int(object, name, value);
}

static json_t *lengths_json(const struct kpi_lengths *it)
{
    json_t *object = json_object();
    put_int(object, "count", it->count);
    put_known(object, "mean_us", kpi_lengths_mean(it));
    put_known(object, "p50_us", kpi_lengths_at(it, 500));
    put_known(object, "p95_us", kpi_lengths_at(it, 950));
    put_known(object, "p99_us", kpi_lengths_at(it, 990));
    return object;
}

static json_t *kpi_json(const struct kpi *kpi)
{
    json_t *object = json_object();
#define SAY(name) put_int(object, #name, kpi->name);
    KPI_EACH_SUM(SAY)
#undef SAY
#define SAY(name, part, whole) put_known(object, #name, kpi_permille(kpi->part, kpi->whole));
    KPI_EACH_SHARE(SAY)
#undef SAY
    put_known(object, "travel_per_arrival_us", kpi_mean(kpi->travel_us, kpi->arrivals));
#define SAY(name) put(object, #name, lengths_json(&kpi->name));
    KPI_EACH_LENGTHS(SAY)
#undef SAY
    return object;
}

/* Below each figure that both have, by how much the faults changed it. */
static json_t *difference_json(json_t *with, json_t *without)
{
    const char *name;
    json_t *value, *object = json_object();
    json_object_foreach(with, name, value)
    {
        json_t *other = json_object_get(without, name);
        if (json_is_object(value))
            put(object, name, difference_json(value, other));
        else if (other != NULL)
            put_int(object, name, json_integer_value(value) - json_integer_value(other));
    }
    return object;
}

static json_t *hours_json(const struct kpi *kpi)
{
    json_t *hours = json_array();
    for (int i = 0; i < KPI_HOURS; i++) {
        const struct kpi_hour *it = &kpi->hours[i];
        json_t *hour = json_pack(
            "{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "hour", i, "work_us",
            (json_int_t)it->parts_us[KPI_WORK], "travel_us", (json_int_t)it->parts_us[KPI_TRAVEL],
            "wait_us", (json_int_t)it->parts_us[KPI_WAIT], "break_us",
            (json_int_t)it->parts_us[KPI_BREAK], "idle_us", (json_int_t)it->parts_us[KPI_IDLE],
            "overtime_us", (json_int_t)it->overtime_us, "windowed", (json_int_t)it->windowed,
            "on_time", (json_int_t)it->on_time);
        CHECK(hour != NULL && json_array_append_new(hours, hour) == 0);
    }
    return hours;
}

static json_t *lateness_json(const struct kpi *kpi)
{
    struct run_lateness groups[RUN_LATENESS_GROUPS];
    json_t *array = json_array();
    run_lateness(kpi, groups);
    for (int i = 0; i < RUN_LATENESS_GROUPS; i++) {
        json_t *group = json_object();
        if (groups[i].up_to_us != INT64_MAX)
            put_int(group, "up_to_minutes", groups[i].up_to_us / US_PER_MINUTE);
        put_int(group, "arrivals", groups[i].arrivals);
        CHECK(json_array_append_new(array, group) == 0);
    }
    return array;
}

static json_t *days_json(const struct run_result *result)
{
    json_t *days = json_array();
    for (size_t i = 0; i < result->day_count; i++) {
        const struct run_day *it = &result->days[i];
        char date[32];
        clock_format_utc(it->service_day * US_PER_DAY, date)[10] = '\0';
        json_t *day = json_object();
        put_text(day, "date", date);
        put_time(day, "begin", it->begin_us);
        put_int(day, "technicians", it->technicians);
        put_int(day, "orders", it->orders);
        put_int(day, "known", it->known);
        put_int(day, "called", it->called);
        put(day, "kpi", kpi_json(&it->kpi));
        put(day, "hours", hours_json(&it->kpi));
        put(day, "lateness", lateness_json(&it->kpi));
        CHECK(json_array_append_new(days, day) == 0);
    }
    return days;
}

static json_t *backlog_json(const struct run_result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->backlog_count; i++) {
        const struct run_backlog *it = &result->backlog[i];
        json_t *point = json_object();
        put_time(point, "time", it->time_us);
        put_int(point, "unserved", it->unserved);
        put_int(point, "open", it->open);
        put_int(point, "running", it->running);
        put_int(point, "done", it->done);
        put_int(point, "cancelled", it->cancelled);
        CHECK(json_array_append_new(array, point) == 0);
    }
    return array;
}

static json_t *legs_json(const struct run_result *result)
{
    json_t *legs = json_array();
    for (size_t i = 0; i < result->leg_count; i++) {
        const struct run_leg *it = &result->legs[i];
        json_t *leg = json_object();
        put_int(leg, "day", it->day);
        put_text(leg, "technician", it->technician_id);
        put_text(leg, "appointment", it->appointment_id);
        put_time(leg, "departed", it->departed_us);
        put_int(leg, "planned_travel_us", it->planned_travel_us);
        put_int(leg, "travel_us", it->travel_us);
        put_int(leg, "planned_service_us", it->planned_service_us);
        put_int(leg, "worked_us", it->worked_us);
        put_int(leg, "late_us", it->late_us);
        CHECK(json_array_append_new(legs, leg) == 0);
    }
    return legs;
}

static json_t *faults_json(const struct run_result *result)
{
    json_t *faults = json_array();
    for (size_t i = 0; i < result->fault_count; i++) {
        const struct run_fault *it = &result->faults[i];
        json_t *fault = json_object();
        put_text(fault, "name", it->name);
        put_text(fault, "kind", fault_kind_name(it->kind));
        put_time(fault, "begin", it->begin_us);
        put_time(fault, "end", it->end_us);
        put_int(fault, "technicians", it->technicians);
        put_int(fault, "amount", it->amount);
        CHECK(json_array_append_new(faults, fault) == 0);
    }
    return faults;
}

static json_t *commands_json(const struct run_commands *it)
{
    json_t *object = json_object();
    put_count(object, "saved", it->saved);
    put_count(object, "acknowledged", it->acknowledged);
    put_count(object, "rejected", it->rejected);
    put_count(object, "conflicts", it->conflicts);
    put_count(object, "aside", it->aside);
    put_count(object, "facts", it->facts);
    put_count(object, "orders", it->orders);
    put_count(object, "order_facts", it->order_facts);
    put_count(object, "lost", it->lost);
    put_count(object, "doubled", it->doubled);
    return object;
}

static json_t *system_json(const struct run_system *it)
{
    json_t *object = json_object();
    put_count(object, "messages_lost", it->messages_lost);
    put_count(object, "messages_twice", it->messages_twice);
    put_count(object, "messages_late", it->messages_late);
    put_count(object, "connects", it->connects);
    put_count(object, "breaks", it->breaks);
    put_count(object, "resent", it->resent);
    put_count(object, "bytes_up", it->bytes_up);
    put_count(object, "bytes_down", it->bytes_down);
    put_count(object, "requests", it->requests);
    put_count(object, "batches", it->batches);
    put_count(object, "largest_batch", it->largest_batch);
    put_count(object, "facts", it->facts);
    put_count(object, "events", it->events);
    put_count(object, "plans", it->plans);
    put_count(object, "kills", it->kills);
    put_count(object, "disk_failures", it->disk_failures);
    put_count(object, "repairs", it->repairs);
    put_count(object, "rounds", it->rounds);
    put_count(object, "pivots", it->pivots);
    return object;
}

static json_t *peer_json(const struct run_peer *it)
{
    json_t *object = json_object();
    put_count(object, "answered", it->answered);
    put_count(object, "hung", it->hung);
    put_count(object, "died", it->died);
    put_count(object, "nonsense", it->nonsense);
    put_count(object, "left_out", it->left_out);
    if (it->last_failure[0] != '\0') put_text(object, "last_failure", it->last_failure);
    return object;
}

static json_t *latency_json(const struct run_result *result)
{
    json_t *object = json_object();
    put(object, "plan", lengths_json(&result->kpi.solve));
    put(object, "first_plan", lengths_json(&result->kpi.repair_solve));
    put(object, "reach", lengths_json(&result->reach));
    put(object, "repair", lengths_json(&result->pieces.repair));
    put(object, "search", lengths_json(&result->pieces.search));
    return object;
}

static json_t *times_json(const struct run_times *it)
{
    json_t *object = json_object();
    put_int(object, "cpu_us", it->cpu_us);
    put_int(object, "wall_us", it->wall_us);
    put_int(object, "dispatcher_us", it->dispatcher_us);
    put_int(object, "optimizer_us", it->optimizer_us);
    put_int(object, "memory_peak_kib", it->memory_peak_kib);
    put_int(object, "events_per_s", it->events_per_s);
    put(object, "repair", lengths_json(&it->cpu.repair));
    put(object, "search", lengths_json(&it->cpu.search));
    put_int(object, "peer_us", it->peer_us);
    put_int(object, "peer_mean_us", it->peer_mean_us);
    put_int(object, "peer_worst_us", it->peer_worst_us);
    return object;
}

static void put_cost(json_t *object, const struct run_result *result)
{
    if (result->untroubled == NULL) return;
    json_t *without = kpi_json(result->untroubled);
    put(object, "cost", difference_json(json_object_get(object, "kpi"), without));
    put(object, "untroubled", without);
}

json_t *run_result_json(const struct run_result *result)
{
    json_t *object = json_object();
    put_text(object, "scenario", result->scenario);
    put_hex(object, "configuration", result->configuration);
    put_count(object, "seed", result->seed);
    put_text(object, "time_zone", result->time_zone);
    if (result->solver[0] != '\0') put_text(object, "solver", result->solver);
    put_time(object, "begin", result->begin_us);
    put_time(object, "end", result->end_us);
    put(object, "kpi", kpi_json(&result->kpi));
    put_cost(object, result);
    put(object, "commands", commands_json(&result->commands));
    put(object, "latency", latency_json(result));
    put(object, "system", system_json(&result->system));
    if (result->solver[0] != '\0') put(object, "peer", peer_json(&result->peer));
    put(object, "days", days_json(result));
    put(object, "hours", hours_json(&result->kpi));
    put(object, "lateness", lateness_json(&result->kpi));
    put(object, "backlog", backlog_json(result));
    put(object, "legs", legs_json(result));
    put(object, "faults", faults_json(result));
    put_hex(object, "digest", result->digest);
    put(object, "times", times_json(&result->times));
    return object;
}
