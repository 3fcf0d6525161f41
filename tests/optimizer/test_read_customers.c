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

/* (0,0) to (9,9) is 127.27.., to (3000,4000) 50000: no more, no less. */
static void distances_are_exact(void **state)
{
    (void)state;
    json_t *near = solved(read_solomon, FLEET("1", "9") "0 0 0 0 0 90 0\n1 9 9 1 0 90 0\n");
    json_t *far = solved(read_solomon, FLEET("1", "9") "0 0 0 0 0 90000 0\n"
                                                       "1 3000 4000 1 0 90000 0\n");
    assert_int_equal(number(near, "objective"), 254);
    assert_int_equal(number(far, "objective"), 100000);
    json_decref(near);
    json_decref(far);
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
        {FLEET("1", "9") DEPOT "1 0.0001 0 0 0 100 0\n", "line 11, XCOORD.", "3 digits behind"},
        {FLEET("1", "9") DEPOT "1 0 200001 0 0 100 0\n", "line 11, YCOORD.", "to 200000"},
        {FLEET("1", "9") DEPOT "1 0 0 -1 0 100 0\n", "line 11, DEMAND", "from 0"},
        {FLEET("1", "9") DEPOT "1 0 0 1 1e2 100 0\n", "line 11, READY TIME", "not \"1e2\""},
        {FLEET("1", "9") DEPOT "1 0 0 1 9 8 0\n", "line 11, DUE DATE", "before READY TIME"},
        {FLEET("1", "9") DEPOT "1 0 0 1 0 9999999999999999999 0\n", "line 11, DUE DATE",
         "to 777600"},
        {FLEET("1", "9") DEPOT "1 0 0 1 0 9 99999\n", "line 11, SERVICE TIME", "to 8640"},
        {FLEET("1", "9") DEPOT "2 0 0 1 0 9 9\n2 0 0 1 0 9 9\n", "line 12, CUST NO.", "twice"},
        {FLEET("1", "9") DEPOT "0 0 0 1 0 9 9\n", "line 11, CUST NO.", "twice"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        assert_refused(read_solomon, &refusals[i]);
}

/* --- VRPLIB ---------------------------------------------------------------------------------- */

#define HEAD(dimension)                                                                            \
    "NAME : tiny\nCOMMENT : three : four\nTYPE : VRPTW\nDIMENSION : " dimension                    \
    "\nEDGE_WEIGHT_TYPE : EXPLICIT\nEDGE_WEIGHT_FORMAT : FULL_MATRIX\n"
#define DEPOT_1 "DEPOT_SECTION\n1\n-1\n"
#define WEIGHTS "EDGE_WEIGHT_SECTION\n"

/* 2 before 3 costs 3, 3 before 2 costs 30. */
static void a_matrix_is_taken_as_it_is(void **state)
{
    (void)state;
    json_t *plan =
        solved(read_vrplib, HEAD("3") WEIGHTS "0 1 10\n10 0 1\n1 10 0\n" DEPOT_1 "EOF\n");
    assert_int_equal(number(plan, "objective"), 3);
    assert_int_equal(number(plan, "vehicles"), 1);
    assert_int_equal(number(stop(plan, 0, 0), "id"), 2);
    assert_int_equal(number(stop(plan, 0, 1), "id"), 3);
    json_decref(plan);
}

/* Sections in another order, a matrix in other lines, a depot in the middle. */
static void sections_come_as_they_like(void **state)
{
    (void)state;
    json_t *plan =
        solved(read_vrplib,
               "EDGE_WEIGHT_FORMAT:FULL_MATRIX\r\nDIMENSION: 3\r\nEDGE_WEIGHT_TYPE :EXPLICIT\r\n"
               "TIME_WINDOW_SECTION\r\n2\t5\t100\r\n1\t30\t40\r\n3\t0\t9999999999\r\n"
               "DEPOT_SECTION\r\n 2 -1\r\nSERVICE_TIME_SECTION\n1 7\n2 0\n3 8\n"
               "NODE_COORD_SECTION\n1 1.5 1\n2 0 0\n3 0 1\nVEHICLES : 1\nCAPACITY : 4\n"
               "DEMAND_SECTION\n3 2\n2 0\n1 2\nEDGE_WEIGHT_SECTION\n0 10 10 10\n0 10 10\n10 0\n");
    assert_int_equal(number(plan, "objective"), 30);
    assert_int_equal(number(stop(plan, 0, 0), "id"), 3);
    assert_int_equal(number(stop(plan, 0, 0), "start"), 15);
    assert_int_equal(number(stop(plan, 0, 0), "departure"), 23);
    assert_int_equal(number(stop(plan, 0, 1), "id"), 1);
    assert_int_equal(number(stop(plan, 0, 1), "start"), 33);
    json_decref(plan);
}

/* Apart from each other in time, so that each needs a vehicle of his own. */
static void without_vehicles_there_are_enough(void **state)
{
    (void)state;
    static const char text[] =
        HEAD("4") WEIGHTS "0 5 5 5 5 0 5 5 5 5 0 5 5 5 5 0\n" DEPOT_1 "TIME_WINDOW_SECTION\n"
                          "1 0 100\n2 5 5\n3 5 5\n4 5 5\n";
    json_t *plan = solved(read_vrplib, text);
    assert_int_equal(number(plan, "vehicles"), 3);
    assert_int_equal(number(plan, "objective"), 30);
    json_decref(plan);
}

static void what_vrplib_has_and_we_have_not_is_refused_by_name(void **state)
{
    (void)state;
    static const struct refused refusals[] = {
        {"", "line 1, DIMENSION", "is missing"},
        {"DISTANCE : 5\n", "line 1, DISTANCE", "not supported"},
        {"TYPE : PDPTW\n", "line 1, TYPE", "\"PDPTW\" is not supported"},
        {"\nEDGE_WEIGHT_TYPE : EUC_2D\n", "line 2, EDGE_WEIGHT_TYPE", "EXPLICIT would be"},
        {"EDGE_WEIGHT_FORMAT : LOWER_ROW\n", "line 1, EDGE_WEIGHT_FORMAT", "FULL_MATRIX would be"},
        {"DIMENSION : 0\n", "line 1, DIMENSION", "from 1 to"},
        {"DIMENSION : 9999\n", "line 1, DIMENSION", "from 1 to"},
        {"DIMENSION : 2\nDIMENSION : 2\n", "line 2, DIMENSION", "comes twice"},
        {WEIGHTS "0\n", "line 1, EDGE_WEIGHT_SECTION", "behind DIMENSION"},
        {HEAD("1"), "line 7, EDGE_WEIGHT_SECTION", "is missing"},
        {HEAD("1") WEIGHTS "0\n", "line 9, DEPOT_SECTION", "is missing"},
        {HEAD("2") WEIGHTS "0 1\n1\n", "line 10, EDGE_WEIGHT_SECTION", "3 of 4"},
        {HEAD("2") WEIGHTS "0 1\n1 0 1\n", "line 9, EDGE_WEIGHT_SECTION", "more on this line"},
        {HEAD("2") WEIGHTS "0 1\n-1 0\n", "line 9, EDGE_WEIGHT_SECTION", "not \"-1\""},
        {HEAD("2") WEIGHTS "0 1.5\n1 0\n", "line 8, EDGE_WEIGHT_SECTION", "whole number"},
        {HEAD("2") "DEPOT_SECTION\n3\n", "line 8, DEPOT_SECTION", "1 to 2"},
        {HEAD("2") "DEPOT_SECTION\n1\n2\n-1\n", "line 9, DEPOT_SECTION", "several depots"},
        {HEAD("2") "DEMAND_SECTION\n1 0\n", "line 9, DEMAND_SECTION", "before each node"},
        {HEAD("2") "DEMAND_SECTION\n1 0\n1 0\n", "line 9, DEMAND_SECTION", "comes twice"},
        {HEAD("2") "DEMAND_SECTION\n1 0\n2 1 3\n", "line 9, DEMAND_SECTION", "more on this"},
        {HEAD("2") WEIGHTS "0 1 1 0\n" DEPOT_1 "DEMAND_SECTION\n1 0\n2 1\n", "line 15, CAPACITY",
         "is missing"},
        {HEAD("2") WEIGHTS "0 1 1 0\n" DEPOT_1 "CAPACITY : 2\nDEMAND_SECTION\n1 1\n2 1\n",
         "line 16, DEMAND_SECTION", "the depot"},
        {HEAD("2") WEIGHTS "0 1 1 0\n" DEPOT_1 "SERVICE_TIME_SECTION\n1 1\n2 1\n",
         "line 15, SERVICE_TIME_SECTION", "the depot"},
        {HEAD("2") "TIME_WINDOW_SECTION\n1 0 9\n2 8 7\n", "line 9, TIME_WINDOW_SECTION",
         "from 8 to"},
        {HEAD("2") "SERVICE_TIME_SECTION\n1 0\n2 86401\n", "line 9, SERVICE_TIME_SECTION",
         "to 86400"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        assert_refused(read_vrplib, &refusals[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(travel_is_ten_times_as_long_and_whole),
        cmocka_unit_test(a_vehicle_takes_no_more_than_its_capacity),
        cmocka_unit_test(the_fleet_is_as_large_as_the_file_says),
        cmocka_unit_test(the_depots_window_is_everybodys_shift),
        cmocka_unit_test(blanks_and_line_ends_do_not_matter),
        cmocka_unit_test(distances_are_exact),
        cmocka_unit_test(what_is_wrong_is_named_by_line_and_field),
        cmocka_unit_test(a_matrix_is_taken_as_it_is),
        cmocka_unit_test(sections_come_as_they_like),
        cmocka_unit_test(without_vehicles_there_are_enough),
        cmocka_unit_test(what_vrplib_has_and_we_have_not_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
