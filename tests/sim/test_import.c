/* `callout import` as a whole: a good day goes in, twice without effect; a broken one changes
 * nothing. */
#include "base/check.h"
#include "own_folder.h"
#include "tests/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs the import of a day's two files (through `filter`, a sed script for the orders) and returns
 * its exit code; what it said is in `text`. */
static int import(const char *filter, char *text, size_t size)
{
    char command[2048];
    snprintf(command, sizeof command,
             "sed '%s' %s/sim/day/orders.csv >%s/orders.csv && %s import --data %s/data "
             "%s/sim/day/technicians.csv %s/orders.csv 2>&1",
             filter, CALLOUT_SOURCE_DIR, folder, CALLOUT_BINARY, folder, CALLOUT_SOURCE_DIR,
             folder);
    return shell_output(command, text, size);
}

static void a_day_goes_in_once(void **state)
{
    (void)state;
    char text[8192];
    assert_int_equal(import("", text, sizeof text), 0);
    assert_non_null(strstr(text, "imported 8 technicians and 50 orders\n"));
    assert_int_equal(import("", text, sizeof text), 0);
    assert_non_null(strstr(text, "59 rows were there already"));
}

static void a_broken_row_keeps_the_day_out(void **state)
{
    (void)state;
    char text[8192], path[96];
    assert_int_equal(import("3s/,9\\.[0-9]*,/,NaN,/", text, sizeof text), 5);
    assert_non_null(strstr(text, "orders.csv line 3, lon: \"NaN\" is not a number\n"));
    snprintf(path, sizeof path, "%s/data", folder);
    assert_int_not_equal(access(path, F_OK), 0); /* not even a folder was made */
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(a_day_goes_in_once),
        CASE(a_broken_row_keeps_the_day_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
