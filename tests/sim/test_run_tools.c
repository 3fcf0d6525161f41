/* Whole runs as their user starts them: what is planted is found by a comparison of real days,
 * other solvers and policies take part, and whatever a solver does, the run goes on and says so. */
#include "base/check.h"
#include "tests/short.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SMALL                                                                                      \
    "town-small --set demand.orders=10 --set optimizer.rounds=50 --no-progress --json "            \
    "--set workforce.technicians=3 "

/* Runs `callout sim ARGUMENTS`, expects the exit code, and reads the object that it prints. */
static json_t *sim(const char *arguments, int code)
{
    char command[2048];
    json_error_t error;
    snprintf(command, sizeof command, "%s sim %s 2>/dev/null", CALLOUT_BINARY, arguments);
    FILE *output = popen(command, "r");
    CHECK(output != NULL);
    json_t *object = json_loadf(output, JSON_DISABLE_EOF_CHECK, &error);
    int status = pclose(output);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
    return object;
}

static const char *verdict_of(json_t *whole, size_t variant, const char *figure)
{
    size_t i;
    json_t *row, *about = json_array_get(json_object_get(whole, "variants"), variant);
    json_array_foreach(json_object_get(about, "figures"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "figure")), figure) == 0)
            return json_string_value(json_object_get(row, "verdict"));
    }
    fail_msg("no figure %s", figure);
    return NULL;
}

static void a_planted_difference_is_found_in_real_runs(void **state)
{
    size_t i;
    json_t *row;
    (void)state;
    NOT_IN_SHORT_FORM();
    json_t *whole = sim("compare " SMALL "--seeds 4 --workers 2 --with 'roads.travel=even 30 40' "
                        "--with 'roads.travel=even 400 500' --with workforce.technicians=3",
                        0);
    assert_non_null(whole);
    assert_string_equal(verdict_of(whole, 0, "kpi.travel_per_arrival_us"), "better");
    assert_string_equal(verdict_of(whole, 1, "kpi.travel_per_arrival_us"), "worse");
    json_t *same = json_array_get(json_object_get(whole, "variants"), 2);
    assert_true(json_array_size(json_object_get(same, "figures")) > 50);
    json_array_foreach(json_object_get(same, "figures"), i, row)
    {
        assert_string_equal(json_string_value(json_object_get(row, "verdict")), "same");
    }
    json_decref(whole);
}

static long long whole_number(json_t *object, const char *part, const char *key)
{
    json_t *value = json_object_get(json_object_get(object, part), key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void a_solver_plans_a_run_and_repeats_it(void **state)
{
    (void)state;
    json_t *runs[2];
    for (int i = 0; i < 2; i++) {
        runs[i] = sim("run " SMALL "--solver " CALLOUT_GREEDY_SOLVER " --solver-seconds 60", 0);
        assert_non_null(runs[i]);
        assert_true(whole_number(runs[i], "peer", "answered") > 10);
        assert_true(whole_number(runs[i], "times", "peer_mean_us") > 0);
        json_object_del(runs[i], "times");
    }
    assert_true(json_equal(runs[0], runs[1]));
    json_decref(runs[0]);
    json_decref(runs[1]);
}

static void whatever_a_solver_does_the_run_goes_on(void **state)
{
    static const struct {
        const char *options, *end;
    } cases[] = {
        {"--solver 'sleep 1000' --solver-seconds 0.01", "hung"},
        {"--solver 'exit 3'", "died"},
        {"--solver 'cat >/dev/null; echo 7'", "nonsense"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char arguments[1024];
        snprintf(arguments, sizeof arguments, "run " SMALL "%s", cases[i].options);
        json_t *run = sim(arguments, 0);
        assert_non_null(run);
        assert_int_equal(whole_number(run, "peer", "answered"), 0);
        assert_true(whole_number(run, "peer", cases[i].end) > 10);
        assert_true(whole_number(run, "kpi", "completed") > 0);
        assert_int_equal(whole_number(run, "commands", "lost"), 0);
        assert_true(json_is_string(json_object_get(json_object_get(run, "peer"), "last_failure")));
        json_decref(run);
    }
}

static long long figure_of(json_t *whole, const char *figure)
{
    size_t i;
    json_t *row, *about = json_array_get(json_object_get(whole, "variants"), 0);
    json_array_foreach(json_object_get(about, "figures"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "figure")), figure) == 0)
            return (long long)json_number_value(json_object_get(row, "mean"));
    }
    fail_msg("no figure %s", figure);
    return 0;
}

/* Our planner against another, and against itself under another policy, on the same seeds. */
static void solvers_and_policies_are_compared_over_whole_days(void **state)
{
    (void)state;
    NOT_IN_SHORT_FORM();
    char path[] = "/tmp/callout-test-policy-XXXXXX", arguments[1024];
    static const char text[] = "[policy]\nfreeze = 3h\n";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
    close(file);
    snprintf(arguments, sizeof arguments,
             "compare " SMALL "--seeds 2 --workers 2 --solver " CALLOUT_GREEDY_SOLVER
             " --policy %s --solver-seconds 60",
             path);
    json_t *whole = sim(arguments, 0);
    assert_non_null(whole);
    assert_int_equal(json_array_size(json_object_get(whole, "variants")), 2);
    assert_int_equal(figure_of(whole, "system.rounds"), 0); /* ours did not search in its place */
    assert_string_equal(verdict_of(whole, 0, "commands.lost"), "same");
    json_decref(whole);
    snprintf(arguments, sizeof arguments,
             "run " SMALL "--seeds 2 --solver " CALLOUT_GREEDY_SOLVER
             " --policy %s --solver-seconds 60",
             path);
    whole = sim(arguments, 0);
    assert_non_null(whole);
    assert_true(figure_of(whole, "peer.answered") > 10);
    json_decref(whole);
    unlink(path);
}

static void a_policy_is_taken_from_another_scenario(void **state)
{
    (void)state;
    char path[] = "/tmp/callout-test-policy-XXXXXX", arguments[512];
    static const char text[] = "[policy]\nfreeze = 3h\n";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
    close(file);
    snprintf(arguments, sizeof arguments, "run " SMALL "--policy %s", path);
    json_t *taken = sim(arguments, 0), *set = sim("run " SMALL "--set policy.freeze=3h", 0);
    assert_string_equal(json_string_value(json_object_get(taken, "digest")),
                        json_string_value(json_object_get(set, "digest")));
    assert_string_equal(json_string_value(json_object_get(taken, "configuration")),
                        json_string_value(json_object_get(set, "configuration")));
    json_decref(taken);
    json_decref(set);
    unlink(path);
}

static void wrong_words_are_refused(void **state)
{
    (void)state;
    assert_null(sim("run " SMALL "--like /nowhere/at/all", 5));
    assert_null(sim("run " SMALL "--policy /nowhere/at/all", 5));
    assert_null(sim("run " SMALL "--solver-seconds soon", 2));
    assert_null(sim("run " SMALL "--report /proc/nowhere", 1)); /* before the run */
    assert_null(sim("sweep " SMALL "--report /proc/nowhere", 1));
    assert_null(sim("sweep " SMALL "--policy /nowhere/at/all", 5));
    assert_null(sim("compare " SMALL "--solver-ms never --solver true", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_difference_is_found_in_real_runs),
        cmocka_unit_test(a_solver_plans_a_run_and_repeats_it),
        cmocka_unit_test(whatever_a_solver_does_the_run_goes_on),
        cmocka_unit_test(solvers_and_policies_are_compared_over_whole_days),
        cmocka_unit_test(a_policy_is_taken_from_another_scenario),
        cmocka_unit_test(wrong_words_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
