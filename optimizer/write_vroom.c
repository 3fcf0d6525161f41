#include "optimizer/write_vroom.h"

#include "base/check.h"
#include "base/clock.h"

#include <string.h>

struct sums {
    json_int_t service, waiting, travel;
};

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void set(json_t *object, const char *key, json_t *value)
{
    CHECK(json_object_set_new(object, key, value) == 0);
}

static json_int_t on_clock(const struct solve_input *input, int64_t time_us)
{
    return (time_us - input->clock_us) / US_PER_SECOND;
}

static json_t *step_word(const char *type, struct point at, json_int_t arrival, json_int_t duration)
{
    json_t *step = json_pack("{s:s, s:I, s:I, s:i, s:i, s:i}", "type", type, "arrival", arrival,
                             "duration", duration, "setup", 0, "service", 0, "waiting_time", 0);
    CHECK(step != NULL);
    if (at.lat_e7 != PLACE_ANY) set(step, "location_index", json_integer(at.lat_e7));
    return step;
}

/* A stop as a step; `left` is when the one before it ended. */
static json_t *stop_step(const json_t *stop, struct point at, json_int_t left, struct sums *sums)
{
    bool is_break = strcmp(json_string_value(json_object_get(stop, "kind")), "break") == 0;
    json_int_t arrival = number(stop, "arrival"), start = number(stop, "start");
    if (arrival < left) arrival = left;
    json_t *step = step_word(is_break ? "break" : "job", at, arrival, sums->travel);
    json_int_t service = number(stop, "departure") - start;
    set(step, "id", json_integer(number(stop, "id")));
    set(step, "service", json_integer(service));
    set(step, "waiting_time", json_integer(start - arrival));
    sums->service += service;
    sums->waiting += start - arrival;
    return step;
}

static void complete_route(const struct solve_input *input, uint32_t technician, json_t *word,
                           struct sums *all)
{
    const struct solver *solver = &input->solver;
    const struct route *route = &solver->plan.routes[technician];
    const struct technician_slot *who =
        &solver->day.technicians[solver->in.technicians[technician].slot];
    struct route_times times;
    struct sums sums = {0};
    CHECK(solver_route_rule(solver, technician, &times) == ROUTE_FITS);
    json_t *steps = json_array(), *stop;
    json_int_t left = on_clock(input, who->day.available_us);
    CHECK(json_array_append_new(steps, step_word("start", who->day.start, left, 0)) == 0);
    size_t i;
    uint32_t at = 0;
    json_array_foreach(json_object_get(word, "stops"), i, stop)
    {
        struct point place = {.lat_e7 = PLACE_ANY};
        if (strcmp(json_string_value(json_object_get(stop, "kind")), "visit") == 0) {
            const struct stop *here = &route->stops[++at];
            sums.travel += here->leg;
            place = solver->day.visits[solver->in.nodes[here->visit].slot].visit.at;
        }
        CHECK(json_array_append_new(steps, stop_step(stop, place, left, &sums)) == 0);
        left = number(stop, "departure");
    }
    CHECK(at == route->count);
    sums.travel = times.travel_s;
    json_t *end = step_word("end", who->day.end, on_clock(input, times.end_us), sums.travel);
    CHECK(json_array_append_new(steps, end) == 0);
    set(word, "vehicle", json_integer(number(word, "technician")));
    set(word, "cost", json_integer(sums.travel));
    set(word, "duration", json_integer(sums.travel));
    set(word, "service", json_integer(sums.service));
    set(word, "waiting_time", json_integer(sums.waiting));
    set(word, "steps", steps);
    all->service += sums.service;
    all->waiting += sums.waiting;
    all->travel += sums.travel;
}

static void complete_unassigned(json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *word = json_pack("{s:I, s:s}", "id", json_integer_value(json_array_get(list, i)),
                                 "type", "job");
        CHECK(word != NULL && json_array_set_new(list, i, word) == 0);
    }
}

void write_vroom_words(const struct solve_input *input, json_t *plan)
{
    const struct solver *solver = &input->solver;
    json_t *routes = json_object_get(plan, "routes");
    struct sums sums = {0};
    size_t at = 0;
    for (uint32_t t = 0; t < solver->in.technician_count; t++) {
        if (solver->plan.routes[t].count > 0)
            complete_route(input, t, json_array_get(routes, at++), &sums);
    }
    CHECK(at == json_array_size(routes));
    json_t *unassigned = json_object_get(plan, "unassigned");
    complete_unassigned(unassigned);
    set(plan, "code", json_integer(0));
    set(plan, "summary",
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "cost", sums.travel, "routes",
                  (json_int_t)at, "unassigned", (json_int_t)json_array_size(unassigned), "service",
                  sums.service, "duration", sums.travel, "waiting_time", sums.waiting, "priority",
                  number(plan, "priority_served")));
}
