/* The demo is the whole system on real input: it ends by itself, in time, with nothing lost; and
 * what it recorded can be told again, and learnt from. */
#include "base/check.h"
#include "sim/scratch.h"
#include "sim/world/like.h"
#include "tests/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int callout(const char *arguments, char *text, size_t size)
{
    char command[1024];
    snprintf(command, sizeof command, "%s %s", CALLOUT_BINARY, arguments);
    return shell_output(command, text, size);
}

static int run(const char *arguments, char *text, size_t size)
{
    char line[512];
    snprintf(line, sizeof line, "sim %.500s", arguments);
    return callout(line, text, size);
}

/* The value behind a key, a text. */
static const char *text_of(const char *json, const char *key, char out[64])
{
    const char *at = strstr(json, key);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(key), "\": \"%63[^\"]", out), 1);
    return out;
}

/* The log of a day that was lived leads to the very tables that the live system left. */
static void expect_replay(const char *data)
{
    char line[512], text[4096], replayed[64], stored[64];
    snprintf(line, sizeof line, "replay --json %s", data);
    assert_int_equal(callout(line, text, sizeof text), 0);
    print_message("%s", text);
    assert_string_equal(text_of(text, "\"tables_digest", replayed),
                        text_of(text, "\"stored_tables_digest", stored));
    snprintf(line, sizeof line, "verify --json %s", data);
    assert_int_equal(callout(line, text, sizeof text), 0);
}

/* The recorded day lives again as often as one likes, all of its people and orders in it. */
static void expect_the_day_again(const char *data)
{
    static char text[2][256 * 1024];
    char line[512];
    snprintf(line, sizeof line, "run %s --json --set optimizer.rounds=50", data);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run(line, text[i], sizeof text[i]), 0);
        assert_non_null(strstr(text[i], "\"technicians\":8,"));
        *strstr(text[i], "\"times\"") = '\0';
    }
    assert_string_equal(text[0], text[1]);
    snprintf(line, sizeof line, "run --like %s --set optimizer.rounds=50", data);
    assert_int_equal(run(line, text[0], sizeof text[0]), 0);
}

/* Its people take as long as sim/luck.c lets them, and a bit longer where messages do. */
static void expect_likeness(const char *data)
{
    static struct scenario scenario;
    struct day_errors errors;
    struct like_count count;
    struct problem problem = {0};
    assert_int_equal(scenario_read(&scenario, "town-small", NULL, 0, &errors), ERR_OK);
    snprintf(scenario.like, sizeof scenario.like, "%s", data);
    enum err err = like_learn(&scenario, &count, &problem);
    if (err != ERR_OK) { /* the machine was too slow for a day to learn from */
        assert_non_null(strstr(problem.text, "at least"));
        return;
    }
    assert_true(count.journeys > 0);
    print_message("%zu journeys, %zu services; medians %d and %d permille\n", count.journeys,
                  count.services, scenario.roads.travel.permille[SPREAD_POINTS / 2],
                  scenario.service.work.permille[SPREAD_POINTS / 2]);
    assert_in_range(scenario.roads.travel.permille[SPREAD_POINTS / 2], 700, 2500);
    assert_in_range(scenario.service.work.permille[SPREAD_POINTS / 2], 700, 1600);
    char line[512], text[4096];
    snprintf(line, sizeof line,
             "run town-small --like %s --set demand.orders=8 --set workforce.technicians=2 "
             "--set optimizer.rounds=50",
             data);
    assert_int_equal(run(line, text, sizeof text), 0);
    assert_non_null(strstr(text, "completed"));
    expect_the_day_again(data);
}

static void the_demo_lives_and_loses_nothing(void **state)
{
    (void)state;
    char text[8192], line[512], data[SCRATCH_PATH];
    struct problem problem;
    assert_int_equal(scratch_make(data, &problem), ERR_OK);
    snprintf(line, sizeof line, "demo --for 20s --json --data %s", data);
    assert_int_equal(run(line, text, sizeof text), 0);
    assert_non_null(strstr(text, "\"ok\": true"));
    assert_non_null(strstr(text, "\"commands_lost\": 0,"));
    assert_non_null(strstr(text, "\"technicians\": 8,"));
    expect_replay(data);
    expect_likeness(data);
    scratch_remove(data);
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
