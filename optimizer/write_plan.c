#include "optimizer/write_plan.h"

#include "base/check.h"
#include "base/clock.h"
#include "optimizer/write_shadow.h"
#include "optimizer/write_vroom.h"

#include <stdlib.h>
#include <string.h>

/* --- words of the input ---------------------------------------------------------------------- */

/* "2026-11-23T08:00:00", or the whole units of a clock that began at 0. */
static json_t *time_word(const struct solve_input *input, int64_t time_us)
{
    char text[32];
    if (input->format != SOLVE_DAY)
        return json_integer((time_us - input->clock_us) / US_PER_SECOND);
    clock_format_utc(time_us, text);
    text[strcspn(text, "Z")] = '\0'; /* local time, which has no zone */
    return json_string(text);
}

static json_t *id_word(const struct solve_input *input, const char *id)
{
    if (input->format != SOLVE_DAY) return json_integer(strtoll(id, NULL, 10));
    return json_string(id);
}

static const char *visit_id(const struct solve_input *input, uint32_t visit)
{
    return input->solver.day.visits[input->solver.in.nodes[visit].slot].id;
}

static uint32_t technician_slot(const struct solve_input *input, uint32_t technician)
{
    return input->solver.in.technicians[technician].slot;
}

/* --- a route --------------------------------------------------------------------------------- */

static enum route_rule time_route(const struct solver *solver, uint32_t technician,
                                  struct route_stop *stops, struct route_times *all)
{
    const struct route *route = &solver->plan.routes[technician];
    const struct route_visit *visits[ROUTE_MAX];
    for (uint32_t i = 0; i < route->count; i++)
        visits[i] = &solver->day.visits[solver->in.nodes[route->stops[i + 1].visit].slot].visit;
    const struct route_day *day =
        &solver->day.technicians[solver->in.technicians[technician].slot].day;
    return route_time(solver->day.travel, day, visits, route->count, stops, all);
}

static json_t *stop_word(const struct solve_input *input, const char *kind, json_t *id,
                         const struct route_stop *times)
{
    json_t *stop =
        json_pack("{s:s, s:o, s:o, s:o, s:o}", "kind", kind, "id", id, "arrival",
                  time_word(input, times->arrival_us), "start", time_word(input, times->start_us),
                  "departure", time_word(input, times->departure_us));
    CHECK(stop != NULL);
    return stop;
}

/* The break, if it lies on this leg. */
static void add_break(const struct solve_input *input, uint32_t technician, int64_t start_us,
                      json_t *stops)
{
    if (start_us == 0) return;
    uint32_t slot = technician_slot(input, technician);
    const struct route_stop times = {
        .arrival_us = start_us,
        .start_us = start_us,
        .departure_us = start_us + input->solver.day.technicians[slot].day.break_us};
    json_t *id =
        input->format == SOLVE_VROOM ? json_integer(input->break_ids[slot]) : json_string("break");
    CHECK(json_array_append_new(stops, stop_word(input, "break", id, &times)) == 0);
}

/* NULL if the route breaks a rule. */
static json_t *route_word(const struct solve_input *input, uint32_t technician)
{
    const struct solver *solver = &input->solver;
    const struct route *route = &solver->plan.routes[technician];
    struct route_stop times[ROUTE_MAX];
    struct route_times all;
    if (time_route(solver, technician, times, &all) != ROUTE_FITS) return NULL;
    json_t *stops = json_array();
    for (uint32_t i = 0; i < route->count; i++) {
        add_break(input, technician, times[i].break_start_us, stops);
        json_t *id = id_word(input, visit_id(input, route->stops[i + 1].visit));
        CHECK(json_array_append_new(stops, stop_word(input, "visit", id, &times[i])) == 0);
    }
    add_break(input, technician, all.break_start_us, stops);
    const char *id = solver->day.technicians[technician_slot(input, technician)].id;
    json_t *word = json_pack("{s:o, s:o}", "technician", id_word(input, id), "stops", stops);
    CHECK(word != NULL);
    return word;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Ids of those who are not served, in the canonical order. */
static json_t *unassigned_word(const struct solve_input *input)
{
    json_t *list = json_array();
    for (uint32_t v = 0; v < input->solver.in.visit_count; v++) {
        if (input->solver.plan.route_of[v] == NO_INDEX)
            CHECK(json_array_append_new(list, id_word(input, visit_id(input, v))) == 0);
    }
    return list;
}

/* Ids of those that did not fit where the input had them. */
static json_t *dropped_word(const struct solve_input *input)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < input->dropped_count; i++) {
        const char *id = input->solver.day.visits[input->dropped[i]].id;
        CHECK(json_array_append_new(list, id_word(input, id)) == 0);
    }
    return list;
}

static json_t *constants_word(const struct solve_input *input)
{
    return json_pack("{s:i, s:i, s:i}", "unserved", (int)input->price_unserved,
                     "unserved_per_priority", (int)input->price_priority, "overtime_percent",
                     (int)input->solver.in.policy.overtime_price_percent);
}

/* Benchmarks' texts know no other cost. */
static bool counts_distance(const struct solve_input *input)
{
    return input->format == SOLVE_SOLOMON || input->format == SOLVE_VRPLIB;
}

/* How much cheaper a plan could be at most. */
static void add_bound(json_t *word, const struct solve_input *input,
                      const struct solve_proof *proof)
{
    int64_t cost = input->solver.plan.cost;
    int64_t bound = solve_proof_seconds(proof), gap = cost > bound ? cost - bound : 0;
    CHECK(json_object_set_new(word, "bound", json_integer(bound)) == 0);
    CHECK(json_object_set_new(word, "gap", json_integer(gap)) == 0);
    CHECK(json_object_set_new(word, "gap_percent",
                              json_real(solve_proof_gap_percent(proof, cost))) == 0);
    CHECK(json_object_set_new(word, "shadow_prices", shadow_words(input, proof->proof)) == 0);
}

static json_t *plan_word(const struct solve_input *input, const struct solve_effort *effort,
                         struct problem *problem)
{
    const struct solver *solver = &input->solver;
    json_t *routes = json_array();
    json_int_t travel = 0, overtime = 0;
    for (uint32_t t = 0; t < solver->in.technician_count; t++) {
        const struct route *route = &solver->plan.routes[t];
        if (route->count == 0) continue;
        json_t *word = route_word(input, t);
        if (word == NULL) {
            json_decref(routes);
            problem_set(problem, ERR_INTERNAL, "routes", "the route of %s breaks a rule",
                        solver->day.technicians[technician_slot(input, t)].id);
            return NULL;
        }
        travel += route->travel;
        overtime += route->overtime;
        CHECK(json_array_append_new(routes, word) == 0);
    }
    json_t *word = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:f, s:I, s:s}", "objective",
                             (json_int_t)solver->plan.cost, "travel", travel, "overtime", overtime,
                             "vehicles", (json_int_t)json_array_size(routes), "priority_served",
                             (json_int_t)solve_input_priority_served(input), "unassigned",
                             unassigned_word(input), "routes", routes, "constants",
                             constants_word(input), "cpu_seconds", effort->cpu_seconds, "work",
                             (json_int_t)effort->work, "stopped_because", effort->stopped_because);
    CHECK(word != NULL);
    if (counts_distance(input)) CHECK(json_object_set_new(word, "cost", json_integer(travel)) == 0);
    if (effort->proof != NULL) add_bound(word, input, effort->proof);
    if (input->dropped_count > 0)
        CHECK(json_object_set_new(word, "steps_dropped", dropped_word(input)) == 0);
    return word;
}

enum err write_plan_json(const struct solve_input *input, const struct solve_effort *effort,
                         FILE *out, struct problem *problem)
{
    json_t *word = plan_word(input, effort, problem);
    if (word == NULL) return ERR_INTERNAL;
    if (input->format == SOLVE_VROOM) write_vroom_words(input, word);
    int failed = json_dumpf(word, out, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    json_decref(word);
    if (failed != 0 || fputc('\n', out) == EOF || fflush(out) != 0)
        return problem_set(problem, ERR_IO, "output", "cannot be written");
    return ERR_OK;
}

/* --- for people ------------------------------------------------------------------------------ */

static void print_word(const json_t *word, FILE *out)
{
    if (json_is_string(word))
        fputs(json_string_value(word), out);
    else
        fprintf(out, "%lld", (long long)json_integer_value(word));
}

/* Of a local time the hour and minute: the day is the folder's. */
static void print_time(const json_t *word, FILE *out)
{
    if (json_is_string(word) && json_string_length(word) > 16)
        fprintf(out, "%.5s", json_string_value(word) + 11);
    else
        print_word(word, out);
}

static void print_route(const json_t *route, FILE *out)
{
    size_t i;
    json_t *stop;
    print_word(json_object_get(route, "technician"), out);
    fputs(":", out);
    json_array_foreach(json_object_get(route, "stops"), i, stop)
    {
        fputs(i == 0 ? " " : ", ", out);
        print_time(json_object_get(stop, "start"), out);
        bool visit = strcmp(json_string_value(json_object_get(stop, "kind")), "visit") == 0;
        fputs(visit ? " " : " break", out);
        if (visit) print_word(json_object_get(stop, "id"), out);
    }
    fputc('\n', out);
}

static long long figure(const json_t *plan, const char *key)
{
    return (long long)json_integer_value(json_object_get(plan, key));
}

/* What each kind of file counts. */
static void print_figures(const struct solve_input *input, const json_t *plan, FILE *out)
{
    if (counts_distance(input))
        fprintf(out, "vehicles %lld, distance %lld\n", figure(plan, "vehicles"),
                figure(plan, "travel"));
    else
        fprintf(out, "travel %lld s, overtime %lld s, priority served %lld, objective %lld\n",
                figure(plan, "travel"), figure(plan, "overtime"), figure(plan, "priority_served"),
                figure(plan, "objective"));
}

enum err write_plan_text(const struct solve_input *input, const struct solve_effort *effort,
                         FILE *out, struct problem *problem)
{
    json_t *word = plan_word(input, effort, problem);
    if (word == NULL) return ERR_INTERNAL;
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(word, "routes"), i, item) print_route(item, out);
    const json_t *unassigned = json_object_get(word, "unassigned");
    fprintf(out, "unassigned %zu:", json_array_size(unassigned));
    json_array_foreach(unassigned, i, item)
    {
        fputc(' ', out);
        print_word(item, out);
    }
    fputc('\n', out);
    print_figures(input, word, out);
    if (effort->proof != NULL) {
        fprintf(out, "no plan costs less than %lld: gap %lld, %.2f %%\n", figure(word, "bound"),
                figure(word, "gap"), json_real_value(json_object_get(word, "gap_percent")));
        shadow_print(json_object_get(word, "shadow_prices"), out);
    }
    fprintf(out, "%.2f CPU seconds, %llu rounds, stopped because of %s\n", effort->cpu_seconds,
            (unsigned long long)effort->work, effort->stopped_because);
    json_decref(word);
    if (fflush(out) != 0 || ferror(out))
        return problem_set(problem, ERR_IO, "output", "cannot be written");
    return ERR_OK;
}
