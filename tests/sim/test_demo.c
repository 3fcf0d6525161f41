/* The demo is the whole system on real input: it ends by itself, in time, with nothing lost. */
#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static int run(const char *arguments, char *text, size_t size)
{
    char command[1024];
    snprintf(command, sizeof command, "%s sim %s", CALLOUT_BINARY, arguments);
    FILE *output = popen(command, "r");
    CHECK(output != NULL);
    size_t have = fread(text, 1, size - 1, output);
    text[have] = '\0';
    int status = pclose(output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_demo_lives_and_loses_nothing(void **state)
{
    (void)state;
    char text[8192];
    assert_int_equal(run("demo --for 20s --json", text, sizeof text), 0);
    assert_non_null(strstr(text, "\"ok\": true"));
    assert_non_null(strstr(text, "\"commands_lost\": 0,"));
    assert_non_null(strstr(text, "\"technicians\": 8,"));
}

static void without_a_terminal_it_prints_lines(void **state)
{
    (void)state;
    char text[8192];
    assert_int_equal(run("demo --for 15s --seed 7", text, sizeof text), 0);
    assert_non_null(strstr(text, "changed a device  p50"));
    assert_non_null(strstr(text, "8 technicians lived"));
    assert_null(strchr(text, '\033'));
}

static void a_day_that_is_not_there_is_named(void **state)
{
    (void)state;
    char text[8192];
    assert_int_equal(run("demo --day /nowhere 2>&1", text, sizeof text), 5);
    assert_non_null(strstr(text, "/nowhere/technicians.csv"));
    assert_int_equal(run("demo --for soon 2>&1", text, sizeof text), 2);
    assert_int_equal(run("live --data /nowhere --day sim/day 2>&1", text, sizeof text), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_lives_and_loses_nothing),
        cmocka_unit_test(without_a_terminal_it_prints_lines),
        cmocka_unit_test(a_day_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
