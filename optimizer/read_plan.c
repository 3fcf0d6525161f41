#include "optimizer/read_plan.h"

#include "base/check.h"
#include "base/clock.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const int64_t TIME_MAX_S = INT64_C(1) << 40, NUMBER_MAX = INT64_C(1) << 60;

struct reader {
    struct arena *memory;
    enum plan_form form;
    bool both_forms;
    int64_t zero_us;
    size_t route, stop; /* where we are, for messages */
    enum err err;
    struct problem *problem;
};

static void refuse(struct reader *reader, const char *key, const char *text)
{
    if (reader->err != ERR_OK) return;
    char field[80];
    snprintf(field, sizeof field, "routes[%zu].stops[%zu].%s", reader->route, reader->stop, key);
    reader->err = problem_set(reader->problem, ERR_INVALID, field, "%s", text);
}

/* An id is a text or a whole number; NULL if it is neither. */
static const char *id_of(struct reader *reader, const json_t *value)
{
    char number[32];
    if (json_is_string(value)) return arena_text(reader->memory, json_string_value(value));
    if (!json_is_integer(value)) return NULL;
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return arena_text(reader->memory, number);
}

static int64_t seconds_of(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL) return 0;
    if (json_is_integer(value) && json_integer_value(value) >= -TIME_MAX_S &&
        json_integer_value(value) <= TIME_MAX_S)
        return json_integer_value(value) * US_PER_SECOND;
    refuse(reader, key, "must be a whole number of seconds");
    return 0;
}

static int64_t time_of(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    int64_t time_us = 0;
    if (json_is_integer(value)) return reader->zero_us + seconds_of(reader, object, key);
    if (!json_is_string(value) || !clock_parse_utc(json_string_value(value), &time_us))
        refuse(reader, key, "must be a time such as 2026-11-23T08:00:00, or whole seconds");
    return time_us;
}

static bool is_word(const json_t *object, const char *key, const char *word)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && strcmp(text, word) == 0;
}

/* --- our own form ---------------------------------------------------------------------------- */

static void read_stop(struct reader *reader, const json_t *object, struct audit_stop *stop)
{
    *stop = (struct audit_stop){.arrival_us = time_of(reader, object, "arrival"),
                                .start_us = time_of(reader, object, "start"),
                                .departure_us = time_of(reader, object, "departure")};
    if (is_word(object, "kind", "break")) return;
    if (!is_word(object, "kind", "visit")) refuse(reader, "kind", "must be visit or break");
    stop->visit_id = id_of(reader, json_object_get(object, "id"));
    if (stop->visit_id == NULL) refuse(reader, "id", "must be a text or a whole number");
}

/* --- VROOM's form ---------------------------------------------------------------------------- */

/* False: nothing happens at this step. */
static bool read_step(struct reader *reader, const json_t *object, struct audit_stop *stop)
{
    if (is_word(object, "type", "start") || is_word(object, "type", "end")) return false;
    int64_t arrival_us = time_of(reader, object, "arrival");
    int64_t start_us = arrival_us + seconds_of(reader, object, "waiting_time");
    *stop = (struct audit_stop){.arrival_us = arrival_us,
                                .start_us = start_us,
                                .departure_us = start_us + seconds_of(reader, object, "service")};
    if (seconds_of(reader, object, "setup") != 0) refuse(reader, "setup", "is not supported");
    if (is_word(object, "type", "break")) return true;
    if (!is_word(object, "type", "job"))
        refuse(reader, "type", "must be start, end, break or one of an order");
    stop->visit_id = id_of(reader, json_object_get(object, "id"));
    if (stop->visit_id == NULL) refuse(reader, "id", "must be a text or a whole number");
    return true;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void read_route(struct reader *reader, const json_t *object, struct audit_route *route)
{
    const json_t *stops = json_object_get(object, "stops"), *stop;
    const json_t *steps = json_object_get(object, "steps");
    if (stops != NULL && steps != NULL) reader->both_forms = true;
    bool vroom = steps != NULL && (stops == NULL || reader->form == PLAN_STEPS);
    const char *who = vroom ? "vehicle" : "technician";
    if (vroom) stops = steps;
    struct audit_stop *list =
        arena_need(reader->memory, sizeof *list * (json_array_size(stops) + 1));
    *route = (struct audit_route){.timed = true, .stops = list};
    route->technician_id = id_of(reader, json_object_get(object, who));
    reader->stop = 0;
    if (!json_is_array(stops)) refuse(reader, "", "there must be a list of stops or steps");
    if (route->technician_id == NULL) refuse(reader, who, "must be a text or a whole number");
    json_array_foreach(stops, reader->stop, stop)
    {
        if (reader->err != ERR_OK) return;
        bool counts = true;
        if (vroom)
            counts = read_step(reader, stop, &list[route->stop_count]);
        else
            read_stop(reader, stop, &list[route->stop_count]);
        route->stop_count += counts;
    }
}

static int64_t claim(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value)) return -1;
    int64_t number = json_integer_value(value);
    return number < 0 || number > NUMBER_MAX ? NUMBER_MAX : number;
}

static int64_t claim_or(const json_t *object, const char *key, const json_t *other,
                        const char *other_key)
{
    int64_t number = claim(object, key);
    return number >= 0 ? number : claim(other, other_key);
}

static void read_claims(struct reader *reader, const json_t *root, struct plan_claims *claims)
{
    const json_t *constants = json_object_get(root, "constants"), *list, *entry;
    const json_t *summary = json_object_get(root, "summary"); /* VROOM's */
    size_t i;
    *claims = (struct plan_claims){
        .objective = claim(root, "objective"),
        .travel_s = claim_or(root, "travel", summary, "duration"),
        .overtime_s = claim(root, "overtime"),
        .vehicles = claim(root, "vehicles"),
        .priority_served = claim_or(root, "priority_served", summary, "priority"),
        .unserved_s = claim(constants, "unserved"),
        .unserved_per_priority_s = claim(constants, "unserved_per_priority"),
    };
    list = json_object_get(root, "unassigned");
    claims->lists_unassigned = json_is_array(list);
    claims->unassigned =
        arena_need(reader->memory, sizeof *claims->unassigned * (json_array_size(list) + 1));
    json_array_foreach(list, i, entry)
    {
        const char *id =
            id_of(reader, json_is_object(entry) ? json_object_get(entry, "id") : entry);
        if (id != NULL) claims->unassigned[claims->unassigned_count++] = id;
    }
}

static void read_root(struct reader *reader, const json_t *root, struct audit_plan *plan,
                      struct plan_claims *claims)
{
    const json_t *routes = json_object_get(root, "routes"), *route;
    if (!json_is_array(routes)) {
        reader->err = problem_set(reader->problem, ERR_INVALID, "routes", "must be an array");
        return;
    }
    struct audit_route *list =
        arena_need(reader->memory, sizeof *list * (json_array_size(routes) + 1));
    plan->routes = list;
    plan->route_count = (uint32_t)json_array_size(routes);
    json_array_foreach(routes, reader->route, route)
    {
        read_route(reader, route, &list[reader->route]);
        if (reader->err != ERR_OK) return;
    }
    read_claims(reader, root, claims);
}

enum err read_plan(const char *text, size_t size, enum plan_form form, int64_t zero_us,
                   struct arena *memory, struct audit_plan *plan, struct plan_claims *claims,
                   struct problem *problem)
{
    json_error_t error;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        char field[64];
        snprintf(field, sizeof field, "line %d, column %d", error.line, error.column);
        return problem_set(problem, ERR_INVALID, field, "%s", error.text);
    }
    struct reader reader = {.memory = memory, .form = form, .zero_us = zero_us, .problem = problem};
    *plan = (struct audit_plan){0};
    *claims = (struct plan_claims){0};
    read_root(&reader, root, plan, claims);
    claims->both_forms = reader.both_forms;
    json_decref(root);
    return reader.err;
}
