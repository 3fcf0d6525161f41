/* greedy_solver.c - a small external solver: VROOM's JSON in, a solution in VROOM's words out.
 *
 * Dearest jobs first, each at the end of the first vehicle that may and can still serve it. It
 * knows nothing of breaks and of second time windows.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static json_int_t item(const json_t *array, size_t at)
{
    return json_integer_value(json_array_get(array, at));
}

static int dearer(const void *a, const void *b)
{
    json_int_t x = number(*(json_t *const *)a, "priority"),
               y = number(*(json_t *const *)b, "priority");
    if (x != y) return x < y ? 1 : -1;
    x = number(*(json_t *const *)a, "id"), y = number(*(json_t *const *)b, "id");
    return (x > y) - (x < y);
}

static int may(const json_t *vehicle, const json_t *order)
{
    const json_t *has = json_object_get(vehicle, "skills"),
                 *needs = json_object_get(order, "skills");
    for (size_t n = 0; n < json_array_size(needs); n++) {
        size_t s = 0;
        while (s < json_array_size(has) && item(has, s) != item(needs, n))
            s++;
        if (s == json_array_size(has)) return 0;
    }
    return 1;
}

static json_int_t leg(const json_t *root, json_int_t from, json_int_t to)
{
    const json_t *car = json_object_get(json_object_get(root, "matrices"), "car");
    return item(json_array_get(json_object_get(car, "durations"), (size_t)from), (size_t)to);
}

/* When service of the job would start at the vehicle's end; -1: it does not fit. */
static json_int_t start_of(const json_t *root, const json_t *vehicle, const json_t *state,
                           const json_t *order)
{
    const json_t *window = json_array_get(json_object_get(order, "time_windows"), 0);
    json_int_t place = number(order, "location_index");
    json_int_t start = number(state, "time") + leg(root, number(state, "place"), place);
    if (start < item(window, 0)) start = item(window, 0);
    json_int_t home =
        start + number(order, "service") + leg(root, place, number(vehicle, "end_index"));
    if (start > item(window, 1) || home > item(json_object_get(vehicle, "time_window"), 1))
        return -1;
    return start;
}

static int serve(const json_t *root, const json_t *vehicle, json_t *state, const json_t *order)
{
    json_int_t start = start_of(root, vehicle, state, order);
    if (!may(vehicle, order) || start < 0) return 0;
    json_t *step = json_pack("{s:s, s:I, s:I, s:I}", "type", "job", "id", number(order, "id"),
                             "arrival", start, "service", number(order, "service"));
    json_array_append_new(json_object_get(state, "steps"), step);
    json_object_set_new(state, "time", json_integer(start + number(order, "service")));
    json_object_set(state, "place", json_object_get(order, "location_index"));
    return 1;
}

int main(void)
{
    json_t *root = json_loadf(stdin, 0, NULL);
    json_t *vehicles = json_object_get(root, "vehicles"), *orders = json_object_get(root, "jobs");
    size_t vehicle_count = json_array_size(vehicles), order_count = json_array_size(orders);
    json_t *routes = json_array(), *unassigned = json_array();
    json_t **dearest = calloc(order_count + 1, sizeof *dearest);
    for (size_t v = 0; v < vehicle_count; v++) {
        const json_t *vehicle = json_array_get(vehicles, v);
        json_array_append_new(routes, json_pack("{s:I, s:[], s:I, s:I}", "vehicle",
                                                number(vehicle, "id"), "steps", "time",
                                                item(json_object_get(vehicle, "time_window"), 0),
                                                "place", number(vehicle, "start_index")));
    }
    for (size_t j = 0; j < order_count; j++)
        dearest[j] = json_array_get(orders, j);
    qsort(dearest, order_count, sizeof(json_t *), dearer);
    for (size_t j = 0; j < order_count; j++) {
        size_t v = 0;
        while (v < vehicle_count &&
               !serve(root, json_array_get(vehicles, v), json_array_get(routes, v), dearest[j]))
            v++;
        if (v == vehicle_count)
            json_array_append_new(unassigned, json_pack("{s:I}", "id", number(dearest[j], "id")));
    }
    json_t *answer =
        json_pack("{s:i, s:o, s:o}", "code", 0, "routes", routes, "unassigned", unassigned);
    json_dumpf(answer, stdout, JSON_COMPACT);
    json_decref(answer);
    json_decref(root);
    free(dearest);
    return 0;
}
