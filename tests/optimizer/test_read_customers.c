/* Benchmarks' texts: what their convention makes of them, and how what is wrong is named. */
#include "optimizer/solve_tool.h"
#include "optimizer/write_plan.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef enum err reader(struct solve_input *input, const char *text, size_t size,
                        struct problem *problem);

static json_t *solved(reader *read, const char *text)
{
    static const struct solve_budget some_work = {.work = 1000, .seed = 7};
    struct solve_input input;
    struct problem problem = {0};
    solve_input_open(&input);
    enum err err = read(&input, text, strlen(text), &problem);
    if (err != ERR_OK) fail_msg("%s: %s", problem.field, problem.text);
    solve_input_begin(&input);
    struct solve_effort effort = {.stopped_because = solve_run(&input, &some_work, false)};
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(write_plan_json(&input, &effort, file, &problem), ERR_OK);
    rewind(file);
    json_t *plan = json_loadf(file, 0, NULL);
    assert_non_null(plan);
    fclose(file);
    plan_check(&input.solver.plan);
    solve_input_close(&input);
    return plan;
}

static json_int_t number(const json_t *plan, const char *key)
{
    return json_integer_value(json_object_get(plan, key));
}

static json_t *stop(const json_t *plan, size_t route, size_t at)
{
    json_t *stops =
        json_object_get(json_array_get(json_object_get(plan, "routes"), route), "stops");
    assert_true(at < json_array_size(stops));
    return json_array_get(stops, at);
}

struct refused {
    const char *text, *field, *says;
};

static void assert_refused(reader *read, const struct refused *refused)
{
    struct solve_input input;
    struct problem problem = {0};
    solve_input_open(&input);
    enum err err = read(&input, refused->text, strlen(refused->text), &problem);
    solve_input_close(&input);
    if (err == ERR_OK) fail_msg("not refused: %s", refused->text);
    assert_string_equal(problem.field, refused->field);
    if (strstr(problem.text, refused->says) == NULL)
        fail_msg("%s: %s; not: %s", problem.field, problem.text, refused->says);
}

/* --- Solomon --------------------------------------------------------------------------------- */

#define FLEET(number, capacity)                                                                    \
    "Tiny\n\nVEHICLE\nNUMBER     CAPACITY\n  " number "  " capacity "\n\n"                         \
    "CUSTOMER\nCUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME\n\n"

/* From (0,0) to (1,1): 10 x 1.4142 is 14, and from there to (3,3) 28, but from (0,0) 42. */
static void travel_is_ten_times_as_long_and_whole(void **state)
{
    (void)state;
    json_t *plan = solved(read_solomon, FLEET("2", "10") "0 0 0 0 0 100 0\n"
                                                         "1 1 1 5 0 3 2.5\n"
                                                         "2 3 3 5 6.1 90 1\n");
    assert_int_equal(number(plan, "objective"), 14 + 28 + 42);
    assert_int_equal(number(plan, "vehicles"), 1);
    assert_int_equal(number(stop(plan, 0, 0), "id"), 1);
    assert_int_equal(number(stop(plan, 0, 0), "start"), 14);
    assert_int_equal(number(stop(plan, 0, 0), "departure"), 14 + 25);
    assert_int_equal(number(stop(plan, 0, 1), "arrival"), 14 + 25 + 28);
    json_decref(plan);
}

/* One vehicle could take all the way, but not all the load. */
static void a_vehicle_takes_no_more_than_its_capacity(void **state)
{
    (void)state;
    json_t *plan = solved(read_solomon, FLEET("3", "9") "0 0 0 0 0 100 0\n"
                                                        "1 1 0 5 0 90 0\n"
                                                        "2 1 0 5 0 90 0\n"
                                                        "3 1 0 4 0 90 0\n");
    assert_int_equal(number(plan, "vehicles"), 2);
    assert_int_equal(number(plan, "travel"), 40);
    json_decref(plan);
}

static void the_fleet_is_as_large_as_the_file_says(void **state)
{
    (void)state;
    json_t *plan = solved(read_solomon, FLEET("1", "9") "0 0 0 0 0 100 0\n"
                                                        "1 1 0 5 0 90 0\n"
                                                        "4711 50 0 5 0 90 0\n");
    assert_int_equal(number(plan, "vehicles"), 1);
    assert_int_equal(json_array_size(json_object_get(plan, "unassigned")), 1);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(plan, "unassigned"), 0)),
                     4711);
    json_decref(plan);
}

/* Back at the depot when it closes, or not served at all. */
static void the_depots_window_is_everybodys_shift(void **state)
{
    (void)state;
    json_t *plan = solved(read_solomon, FLEET("2", "9") "0 0 0 0 3 10 0\n"
                                                        "1 4 0 5 0 90 0\n"
                                                        "2 3 0 5 0 90 0.9\n"
                                                        "3 3 0 5 0 90 1.1\n");
    json_t *unassigned = json_object_get(plan, "unassigned");
    assert_int_equal(json_array_size(unassigned), 2);
    assert_int_equal(json_integer_value(json_array_get(unassigned, 0)), 1);
    assert_int_equal(json_integer_value(json_array_get(unassigned, 1)), 3);
    assert_int_equal(number(stop(plan, 0, 0), "start"), 60);
    json_decref(plan);
}

static void blanks_and_line_ends_do_not_matter(void **state)
{
    (void)state;
    json_t *plan = solved(read_solomon, "a title\r\nof two lines\r\nvehicle\r\n\r\n\t2\t 10 \r\n"
                                        "Customer\r\n 0 0 0 0 0 100 0\r\n\r\n \t\r\n"
                                        "1 3.000 -4 5 0 90 0   \r\n2 3.0 -4. 5 0 90 0");
    assert_int_equal(number(plan, "objective"), 100);
    json_decref(plan);
}

#define DEPOT "0 0 0 0 0 100 0\n"

static void what_is_wrong_is_named_by_line_and_field(void **state)
{
    (void)state;
    static const struct refused refusals[] = {
        {"", "line 1, VEHICLE", "is missing"},
        {"{\n\n]\n", "line 4, VEHICLE", "is missing"},
        {"T\nVEHICLE\n", "line 3, NUMBER", "is missing"},
        {"T\nVEHICLE\n0 5\n", "line 3, NUMBER", "from 1 to"},
        {"T\nVEHICLE\n5\n", "line 3, CAPACITY", "is missing"},
        {"T\nVEHICLE\n5 x\n", "line 3, CAPACITY", "not \"x\""},
        {"T\nVEHICLE\n5 5 5\n", "line 3, CAPACITY", "more on this line"},
        {"T\nVEHICLE\n5 5\n", "line 4, CUSTOMER", "is missing"},
        {FLEET("1", "9"), "line 10, CUSTOMER", "no depot"},
        {FLEET("1", "9") "1 0 0 0 0 100 0\n", "line 10, CUST NO.", "0, the depot"},
        {FLEET("1", "9") "0 0 0 1 0 100 0\n", "line 10, DEMAND of the depot", "0 to 0"},
        {FLEET("1", "9") "0 0 0 0 0 100 1\n", "line 10, SERVICE TIME of the depot", "0 to 0"},
        {FLEET("1", "9") DEPOT "1 0 0 0 0 100\n", "line 11, SERVICE TIME", "is missing"},
        {FLEET("1", "9") DEPOT "1 0 0 0 0 100 0 0\n", "line 11, SERVICE TIME", "more on this"},
        {FLEET("1", "9") DEPOT "\nend\n", "line 12, CUST NO.", "not \"end\""},
        {FLEET("1", "9") DEPOT "1.5 0 0 0 0 100 0\n", "line 11, CUST NO.", "whole number"},
        {FLEET("1", "9") DEPOT "1 0.0001 0 0 0 100 0\n", "line 11, XCOORD.", "3 decimals"},
        {FLEET("1", "9") DEPOT "1 0 200001 0 0 100 0\n", "line 11, YCOORD.", "to 200000"},
        {FLEET("1", "9") DEPOT "1 0 0 -1 0 100 0\n", "line 11, DEMAND", "from 0"},
        {FLEET("1", "9") DEPOT "1 0 0 1 1e2 100 0\n", "line 11, READY TIME", "not \"1e2\""},
        {FLEET("1", "9") DEPOT "1 0 0 1 9 8 0\n", "line 11, DUE DATE", "before READY TIME"},
        {FLEET("1", "9") DEPOT "1 0 0 1 0 9999999999999999999 0\n", "line 11, DUE DATE", "to 8640"},
        {FLEET("1", "9") DEPOT "1 0 0 1 0 9 99999\n", "line 11, SERVICE TIME", "to 8640"},
        {FLEET("1", "9") DEPOT "2 0 0 1 0 9 9\n2 0 0 1 0 9 9\n", "line 12, CUST NO.", "twice"},
        {FLEET("1", "9") DEPOT "0 0 0 1 0 9 9\n", "line 11, CUST NO.", "twice"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        assert_refused(read_solomon, &refusals[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(travel_is_ten_times_as_long_and_whole),
        cmocka_unit_test(a_vehicle_takes_no_more_than_its_capacity),
        cmocka_unit_test(the_fleet_is_as_large_as_the_file_says),
        cmocka_unit_test(the_depots_window_is_everybodys_shift),
        cmocka_unit_test(blanks_and_line_ends_do_not_matter),
        cmocka_unit_test(what_is_wrong_is_named_by_line_and_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
