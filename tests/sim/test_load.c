/* `callout load` against the running system: its figures are what the fact log says, too. */
#include "tests/shell.h"
#include "tests/store/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char *folder;
static char output[65536];

/* Runs a shell command in the folder with $C for the program; its output is kept. */
__attribute__((format(printf, 1, 2))) static int shell(const char *format, ...)
{
    char text[1024], command[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(command, sizeof command, "cd %s && C=%s; { %s; } 2>&1", folder, CALLOUT_BINARY, text);
    return shell_output(command, output, sizeof output);
}

static double number_after(const char *name)
{
    const char *at = strstr(output, name);
    if (at == NULL) fail_msg("no %s in: %s", name, output);
    return strtod(at + strlen(name), NULL);
}

static void start(void)
{
    int code = shell("{ $C serve --data data --listen tcp://127.0.0.1:0 --http 127.0.0.1:0 --admin "
                     "127.0.0.1:0 --lab --clock 2026-11-23T22:00:00Z,1" /* late in a day */
                     " >out 2>log & echo $! >pid; }; until grep -q ready out;"
                     " do kill -0 $(cat pid) || exit 1; sleep 0.05; done");
    assert_int_equal(code, 0);
}

static void stop(void)
{
    assert_int_equal(
        shell("kill $(cat pid); while kill -0 $(cat pid) 2>/dev/null; do sleep 0.05; done"), 0);
}

static int count_facts(void)
{
    assert_int_equal(shell("$C replay --json data"), 0);
    return (int)number_after("\"facts\": ");
}

static void every_acknowledged_check_in_is_a_fact(void **state)
{
    (void)state;
    start();
    assert_int_equal(shell("$C load --data data --clients 1 --for 0 --json"), 0);
    stop();
    int before = count_facts();
    start();
    assert_int_equal(shell("$C load --data data --clients 6 --for 1s --batch 3 --json"), 0);
    int acknowledged = (int)number_after("\"acknowledged\": ");
    assert_true(acknowledged >= 18); /* each device at least once */
    assert_int_equal(acknowledged % 3, 0);
    assert_true(number_after("\"p50\": ") > 0);
    assert_true(number_after("\"gateway_bytes_per_device\": ") >= 0);
    assert_int_equal((int)number_after("\"rejected\": "), 0);
    stop();
    /* What was on its way at the end may be a fact without having been counted. */
    assert_true(count_facts() >= before + acknowledged);
    assert_int_equal(shell("$C verify data"), 0);
}

static void all_devices_come_back_from_a_storm(void **state)
{
    (void)state;
    start();
    assert_int_equal(shell("$C load --data data --clients 40 --for 0 --storm --json"), 0);
    assert_int_equal((int)number_after("\"synced\": "), 40);
    assert_true(number_after("\"all_synced_seconds\": ") > 0);
    stop();
}

static void a_wrong_command_line_is_answered_with_how_it_goes(void **state)
{
    (void)state;
    assert_int_equal(shell("$C load --help"), 0);
    assert_non_null(strstr(output, "--clients 1000 --for 30s"));
    assert_int_equal(shell("$C load"), 2);
    assert_int_equal(shell("$C load --data data --batch 201"), 2);
    assert_int_equal(shell("$C load --data data --clients 0"), 2);
    assert_int_equal(shell("$C load --data data --kind photo"), 2);
    assert_int_equal(shell("$C load --data nowhere"), 4);
    assert_non_null(strstr(output, "no system runs on this folder"));
}

static int begin(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int finish(void **state)
{
    (void)state;
    shell("rm -rf data");
    folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_acknowledged_check_in_is_a_fact, begin, finish),
        cmocka_unit_test_setup_teardown(all_devices_come_back_from_a_storm, begin, finish),
        cmocka_unit_test_setup_teardown(a_wrong_command_line_is_answered_with_how_it_goes, begin,
                                        finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
