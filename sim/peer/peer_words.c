#include "sim/peer/peer_words.h"

#include "base/check.h"
#include "optimizer/core/stability.h"
#include "optimizer/read_plan.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most that VROOM takes for a priority, and a leg that nobody takes. */
enum { PRIORITY_MAX = 100, NO_LEG_S = 1000000, LATEST_S = 100 * 86400 };

/* --- the problem ------------------------------------------------------------------------------ */

struct writer {
    const struct solver *solver;
    const struct instance *in;
    int32_t zero;      /* nobody leaves before; VROOM knows no time below 0 */
    json_int_t *index; /* in the matrix, by place; -1: not in it */
    uint32_t *places;  /* by index */
    uint32_t place_count;
};

static json_t *made(json_t *value)
{
    CHECK(value != NULL);
    return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
    CHECK(json_object_set_new(object, key, value) == 0);
}

static void append(json_t *array, json_t *value)
{
    CHECK(json_array_append_new(array, value) == 0);
}

static json_t *place_of(struct writer *writer, uint32_t place)
{
    if (writer->index[place] < 0) {
        writer->index[place] = writer->place_count;
        writer->places[writer->place_count++] = place;
    }
    return made(json_integer(writer->index[place]));
}

static int32_t on_clock(const struct writer *writer, int32_t time)
{
    if (time <= writer->zero) return 0;
    return time < LATEST_S ? time - writer->zero : LATEST_S;
}

static json_t *span_of(const struct writer *writer, int32_t open, int32_t close)
{
    return made(json_pack("[i, i]", on_clock(writer, open), on_clock(writer, close)));
}

/* What is frozen comes first in every route and is not told. */
static const struct stop *frozen_end(const struct writer *writer, uint32_t technician)
{
    return &writer->solver->plan.routes[technician]
                .stops[writer->in->technicians[technician].frozen];
}

/* Numbers from need_count on stand for visits that are pinned. */
static uint32_t skill_of(const struct instance *in, uint32_t visit)
{
    return in->nodes[visit].pinned == NO_INDEX ? in->nodes[visit].need : in->need_count + visit;
}

static json_t *skills_of(const struct instance *in, uint32_t technician)
{
    json_t *skills = made(json_array());
    for (uint32_t need = 0; need < in->need_count; need++)
        if (in->can[need * in->technician_count + technician] & CAN_SERVE)
            append(skills, made(json_integer(need)));
    for (uint32_t v = 0; v < in->visit_count; v++)
        if (in->nodes[v].pinned == technician && instance_allows(in, technician, v))
            append(skills, made(json_integer(in->need_count + v)));
    return skills;
}

static json_t *vehicle_of(struct writer *writer, uint32_t technician)
{
    const struct technician *who = &writer->in->technicians[technician];
    const struct stop *from = frozen_end(writer, technician);
    bool rests = who->break_length > 0 && from->ahead <= who->break_latest;
    int32_t start = rests ? from->ahead : from->behind;
    json_t *vehicle = made(json_pack(
        "{s:i, s:s, s:o, s:o, s:o, s:o}", "id", (int)technician, "profile", "car", "start_index",
        place_of(writer, from->place), "end_index", place_of(writer, who->end), "skills",
        skills_of(writer->in, technician), "time_window", span_of(writer, start, who->latest_end)));
    if (rests)
        set(vehicle, "breaks",
            made(json_pack("[{s:i, s:i, s:[o]}]", "id", (int)technician, "service",
                           who->break_length, "time_windows",
                           span_of(writer, who->break_earliest, who->break_latest))));
    return vehicle;
}

static void add_window(const struct writer *writer, json_t *windows, int32_t open, int32_t close)
{
    if (open <= close && close >= writer->zero) append(windows, span_of(writer, open, close));
}

/* Empty: nobody can come in time any more. */
static json_t *windows_of(const struct writer *writer, const struct node *node)
{
    const struct span *more = &writer->in->spans[node->span_at];
    json_t *windows = made(json_array());
    add_window(writer, windows, node->open, node->close);
    for (uint32_t i = 0; i < node->span_count; i++)
        add_window(writer, windows, more[i].open, more[i].close);
    return windows;
}

static void add_visit(struct writer *writer, json_t *visits, uint32_t visit, int32_t price_most)
{
    const struct node *node = &writer->in->nodes[visit];
    if (node->frozen || node->pinned == NOBODY) return;
    json_t *windows = windows_of(writer, node);
    if (json_array_size(windows) == 0) {
        json_decref(windows);
        return;
    }
    int64_t price = node->pinned == NO_INDEX ? node->price : price_most;
    int priority = (int)(price * PRIORITY_MAX / price_most);
    append(visits, made(json_pack("{s:i, s:o, s:i, s:i, s:[i], s:o}", "id", (int)visit,
                                  "location_index", place_of(writer, node->place), "service",
                                  node->service, "priority", priority < 1 ? 1 : priority, "skills",
                                  (int)skill_of(writer->in, visit), "time_windows", windows)));
}

static int32_t dearest(const struct instance *in)
{
    int32_t most = 1;
    for (uint32_t v = 0; v < in->visit_count; v++)
        if (in->nodes[v].pinned == NO_INDEX && in->nodes[v].price > most) most = in->nodes[v].price;
    return most;
}

/* Only a leg from where somebody leaves to where somebody goes is known. */
static int32_t leg_of(const struct writer *writer, uint32_t from, uint32_t to)
{
    const struct place_slot *places = writer->solver->day.places;
    if (from == to) return 0;
    if (places[from].origins == 0 || places[to].destinations == 0) return NO_LEG_S;
    return instance_travel(writer->in, from, to);
}

static void write_matrix(const struct writer *writer, FILE *out)
{
    fputs(", \"matrices\": {\"car\": {\"durations\": [", out);
    for (uint32_t i = 0; i < writer->place_count; i++) {
        fputs(i == 0 ? "\n[" : ",\n[", out);
        for (uint32_t j = 0; j < writer->place_count; j++)
            fprintf(out, j == 0 ? "%" PRId32 : ",%" PRId32,
                    leg_of(writer, writer->places[i], writer->places[j]));
        fputc(']', out);
    }
    fputs("]}}}\n", out);
}

static json_t *write_entities(struct writer *writer)
{
    const struct instance *in = writer->in;
    json_t *vehicles = made(json_array()), *visits = made(json_array());
    int32_t price_most = dearest(in);
    for (uint32_t t = 0; t < in->technician_count; t++)
        append(vehicles, vehicle_of(writer, t));
    for (uint32_t v = 0; v < in->visit_count; v++)
        add_visit(writer, visits, v, price_most);
    return made(json_pack("{s:o, s:o}", "vehicles", vehicles, "jobs", visits));
}

static int32_t first_start(const struct instance *in)
{
    int32_t first = NEVER;
    for (uint32_t t = 0; t < in->technician_count; t++)
        if (in->technicians[t].available < first) first = in->technicians[t].available;
    return first;
}

char *peer_words_write(const struct solver *solver, size_t *size)
{
    const struct instance *in = &solver->in;
    struct writer writer = {.solver = solver, .in = in, .zero = first_start(in)};
    writer.index = malloc(sizeof *writer.index * (in->place_count + 1));
    writer.places = malloc(sizeof *writer.places * (in->place_count + 1));
    CHECK(writer.index != NULL && writer.places != NULL);
    for (uint32_t p = 0; p < in->place_count; p++)
        writer.index[p] = -1;
    json_t *entities = write_entities(&writer);
    char *head = json_dumps(entities, JSON_COMPACT), *text = NULL;
    FILE *out = open_memstream(&text, size);
    CHECK(head != NULL && out != NULL);
    fwrite(head, 1, strlen(head) - 1, out); /* the matrices come before its last brace */
    write_matrix(&writer, out);
    CHECK(fclose(out) == 0);
    json_decref(entities);
    free(head);
    free(writer.index);
    free(writer.places);
    return text;
}

/* --- the answer ------------------------------------------------------------------------------- */

struct answer {
    struct plan *plan;
    const struct plan *before;
    bool *told_vehicle, *told_visit; /* a second time is an error */
    uint32_t left_out;
    size_t route;
    struct problem *problem;
};

static enum err refuse(struct answer *answer, const char *key, const char *id, const char *text)
{
    char field[80];
    snprintf(field, sizeof field, "routes[%zu].%s %.40s", answer->route, key, id);
    return problem_set(answer->problem, ERR_INVALID, field, "%s", text);
}

/* A rank below `count`, or NO_INDEX. */
static uint32_t rank_of(const char *text, uint32_t count)
{
    uint64_t rank = 0;
    if (*text == '\0' || strlen(text) > 9) return NO_INDEX;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return NO_INDEX;
        rank = rank * 10 + (uint64_t)(*text - '0');
    }
    return rank < count ? (uint32_t)rank : NO_INDEX;
}

static enum err check_route(struct answer *answer, const struct audit_route *route)
{
    const struct instance *in = answer->plan->in;
    uint32_t technician = rank_of(route->technician_id, in->technician_count);
    if (technician == NO_INDEX || answer->told_vehicle[technician])
        return refuse(answer, "vehicle", route->technician_id,
                      "is no vehicle of the problem, or has another route");
    answer->told_vehicle[technician] = true;
    for (uint32_t i = 0; i < route->stop_count; i++) {
        const char *id = route->stops[i].visit_id;
        if (id == NULL) continue;
        uint32_t visit = rank_of(id, in->visit_count);
        if (visit == NO_INDEX || in->nodes[visit].frozen || answer->told_visit[visit])
            return refuse(answer, "job", id, "is no job of the problem, or comes twice");
        answer->told_visit[visit] = true;
    }
    return ERR_OK;
}

/* The frozen ones, and what the route says that he may serve. */
static uint32_t list_route(struct answer *answer, const struct audit_route *route,
                           uint32_t technician, uint16_t *visits)
{
    const struct plan *plan = answer->plan;
    uint32_t count = 0;
    for (; count < plan->in->technicians[technician].frozen; count++)
        visits[count] = plan->routes[technician].stops[count + 1].visit;
    for (uint32_t i = 0; i < route->stop_count; i++) {
        if (route->stops[i].visit_id == NULL) continue;
        uint32_t visit = rank_of(route->stops[i].visit_id, plan->in->visit_count);
        if (count < plan->in->route_max && instance_allows(plan->in, technician, visit))
            visits[count++] = (uint16_t)visit;
        else
            answer->left_out++;
    }
    return count;
}

/* What must stay, and of the others as many as find a place that is free. */
static void take_one_by_one(struct answer *answer, uint32_t technician, const uint16_t *visits,
                            uint32_t count)
{
    struct plan *plan = answer->plan;
    repair_keep_placed(plan, technician);
    for (uint32_t i = 0; i < count; i++) {
        if (plan->route_of[visits[i]] != NO_INDEX) continue;
        struct spot spot = route_scan(plan->in, &plan->routes[technician], technician, visits[i]);
        if (spot.technician != NO_INDEX)
            plan_put(plan, visits[i], technician, spot.at);
        else
            answer->left_out++;
    }
}

static bool has_all_placed(const struct plan *plan, const struct plan *before, uint32_t technician)
{
    const struct route *was = &before->routes[technician];
    for (uint32_t i = 1; i <= was->count; i++) {
        uint32_t visit = was->stops[i].visit;
        if (plan->in->nodes[visit].pinned != NO_INDEX && plan->route_of[visit] == NO_INDEX)
            return false;
    }
    return true;
}

static void take_route(struct answer *answer, const struct audit_route *route)
{
    struct plan *plan = answer->plan;
    uint32_t technician = rank_of(route->technician_id, plan->in->technician_count);
    uint16_t visits[ROUTE_MAX];
    uint32_t count = list_route(answer, route, technician, visits);
    if (!plan_set_route(plan, technician, visits, count) ||
        !route_keeps_order(plan->in, technician, &plan->routes[technician]) ||
        !has_all_placed(plan, answer->before, technician))
        take_one_by_one(answer, technician, visits, count);
}

static enum err take_plan(struct answer *answer, const struct audit_plan *words,
                          struct arena *memory)
{
    for (answer->route = 0; answer->route < words->route_count; answer->route++) {
        enum err err = check_route(answer, &words->routes[answer->route]);
        if (err != ERR_OK) return err;
    }
    for (uint32_t t = 0; t < answer->plan->in->technician_count; t++)
        repair_keep_placed(answer->plan, t);
    for (uint32_t r = 0; r < words->route_count; r++)
        take_route(answer, &words->routes[r]);
    repair_freeze(answer->plan);
    stability_repair(answer->plan, memory);
    if (plan_keeps_pins(answer->plan, answer->before)) return ERR_OK;
    return problem_set(answer->problem, ERR_INVALID, "routes",
                       "a pinned visit cannot stay where it is");
}

enum err peer_words_read(const char *text, size_t size, struct plan *plan, struct arena *memory,
                         uint32_t *left_out, struct problem *problem)
{
    struct audit_plan words;
    struct plan_claims claims;
    struct plan before;
    enum err err = read_plan(text, size, PLAN_STEPS, 0, memory, &words, &claims, problem);
    if (err != ERR_OK) return err;
    plan_make(&before, plan->in, plan->stamp_next, memory);
    plan_copy(&before, plan);
    struct answer answer = {.plan = plan, .before = &before, .problem = problem};
    answer.told_vehicle = arena_need(memory, plan->in->technician_count + 1);
    answer.told_visit = arena_need(memory, plan->in->visit_count + 1);
    err = take_plan(&answer, &words, memory);
    *left_out = answer.left_out;
    return err;
}
