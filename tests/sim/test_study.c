/* Sweeps and comparisons as their user sees them, with a script in the place of a run: what is
 * planted is found, what was run is kept, and no run can take the study down with it. */
#include "base/check.h"
#include "own_folder.h"
#include "tests/shell.h"

#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* --- the script ------------------------------------------------------------------------------ */

/* A run's figures from its seed and what is set. on_time has much noise that all variants of a seed
 * share and a little of its own where a technician is more (planted better, +5) or the freeze is
 * longer (planted worse, -5). What `extra` says is done first; $seed and $sets are known to it. */
static void write_worker(const char *extra)
{
    char path[128];
    snprintf(path, sizeof path, "%s/worker", folder);
    FILE *out = fopen(path, "w");
    CHECK(out != NULL);
    fprintf(out,
            "#!/bin/sh\n"
            "cd '%s' || exit 9\n"
            "scenario=$1; seed=$3; shift 4; sets=\"$*\"\n"
            "echo $seed $sets >>calls\n"
            "%s\n"
            "common=$(( (seed * 7919 + 13) %% 401 ))\n"
            "own=$(( (seed * 104729 + 7) %% 9 - 4 ))\n"
            "on_time=$(( 500 + common ))\n"
            "case \"$sets\" in\n"
            "*technicians=9*) on_time=$((on_time + 5 + own));;\n"
            "*freeze=2h*) on_time=$((on_time - 5 + own));;\n"
            "esac\n"
            "echo \"{\\\"seed\\\": $seed, \\\"kpi\\\": {\\\"on_time\\\": $on_time, "
            "\\\"on_time_permille\\\": $on_time, \\\"travel_s\\\": $((9000 + common))}, "
            "\\\"samples\\\": [1, 2], \\\"name\\\": "
            "\\\"x\\\"}\"\n",
            folder, extra);
    CHECK(fclose(out) == 0 && chmod(path, 0755) == 0);
}

/* Runs `callout sim ARGUMENTS --worker` and returns its exit code; what it printed is in `text`,
 * and what it complained in FOLDER/complaint. */
static int sim(const char *arguments, char *text, size_t size)
{
    char command[1024];
    snprintf(command, sizeof command,
             "cd '%s' && %s sim %s --worker %s/worker --no-progress 2>complaint", folder,
             CALLOUT_BINARY, arguments, folder);
    return shell_output(command, text, size);
}

static size_t read_all(const char *name, char *text, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "r");
    size_t have = in == NULL ? 0 : fread(text, 1, size - 1, in);
    if (in != NULL) fclose(in);
    text[have] = '\0';
    return have;
}

static size_t lines_of(const char *name)
{
    static char text[1 << 20];
    size_t count = 0, size = read_all(name, text, sizeof text);
    for (size_t i = 0; i < size; i++)
        count += text[i] == '\n';
    return count;
}

static bool complained(const char *word)
{
    char text[4096];
    read_all("complaint", text, sizeof text);
    if (strstr(text, word) != NULL) return true;
    print_message("no \"%s\" in: %s", word, text);
    return false;
}

/* The figure's row of the variant; the whole is freed by the caller. */
static json_t *row_of(json_t *whole, size_t variant, const char *figure)
{
    size_t i;
    json_t *row, *about = json_array_get(json_object_get(whole, "variants"), variant);
    json_array_foreach(json_object_get(about, "figures"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "figure")), figure) == 0) return row;
    }
    fail_msg("no figure %s", figure);
    return NULL;
}

static double number_of(json_t *row, const char *key)
{
    json_t *value = json_object_get(row, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static const char *verdict_of(json_t *whole, size_t variant, const char *figure)
{
    return json_string_value(json_object_get(row_of(whole, variant, figure), "verdict"));
}

/* --- comparing ------------------------------------------------------------------------------- */

static void what_is_planted_is_found(void **state)
{
    (void)state;
    static char text[1 << 18];
    write_worker("");
    assert_int_equal(sim("compare town-small --with workforce.technicians=9 "
                         "--with policy.freeze=2h --with people.ill_permille=77 "
                         "--seeds 40 --json",
                         text, sizeof text),
                     0);
    json_t *whole = json_loads(text, 0, NULL);
    assert_non_null(whole);
    assert_string_equal(verdict_of(whole, 0, "kpi.on_time"), "better");
    assert_string_equal(verdict_of(whole, 1, "kpi.on_time"), "worse");
    assert_string_equal(verdict_of(whole, 2, "kpi.on_time"), "same");
    assert_string_equal(verdict_of(whole, 0, "kpi.travel_s"), "same");
    json_t *better = row_of(whole, 0, "kpi.on_time"), *same = row_of(whole, 2, "kpi.on_time");
    /* The noise that seeds share is gone: it is a hundred times the interval. */
    assert_true(number_of(better, "high") - number_of(better, "low") < 4);
    assert_true(number_of(better, "low") > 3 && number_of(better, "high") < 7);
    assert_true(number_of(better, "bootstrap_low") > 3);
    assert_int_equal(number_of(better, "pairs"), 40);
    assert_true(number_of(same, "difference") == 0 && number_of(same, "low") == 0 &&
                number_of(same, "high") == 0);
    assert_int_equal(number_of(same, "equal"), 40);
    json_decref(whole);
}

static void other_scenarios_can_be_compared(void **state)
{
    (void)state;
    static char text[1 << 18];
    write_worker("test \"$scenario\" != storm || sets=freeze=2h");
    assert_int_equal(
        sim("compare town-small --against storm --seeds 11-40 --json", text, sizeof text), 0);
    json_t *whole = json_loads(text, 0, NULL);
    assert_string_equal(verdict_of(whole, 0, "kpi.on_time"), "worse");
    json_decref(whole);
    assert_int_equal(sim("compare town-small --against storm --seeds 3", text, sizeof text), 0);
    assert_non_null(strstr(text, "storm against town-small"));
}

/* --- sweeping -------------------------------------------------------------------------------- */

static void a_sweep_says_means_of_all_combinations(void **state)
{
    (void)state;
    static char text[1 << 18], again[1 << 18];
    write_worker("");
    static const char arguments[] = "sweep town-small --seeds 25 --json "
                                    "--vary workforce.technicians=8,9 --vary demand.orders=40,50 "
                                    "--workers 1";
    assert_int_equal(sim(arguments, text, sizeof text), 0);
    assert_int_equal(lines_of("calls"), 100);
    json_t *whole = json_loads(text, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(whole, "variants")), 4);
    json_t *first = json_array_get(json_object_get(whole, "variants"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "variant")),
                        "workforce.technicians=8, demand.orders=40");
    double mean = 0;
    for (int seed = 1; seed <= 25; seed++)
        mean += (500 + (seed * 7919 + 13) % 401) / 25.0;
    json_t *row = row_of(whole, 0, "kpi.on_time");
    assert_true(number_of(row, "mean") - mean < 1e-6 && mean - number_of(row, "mean") < 1e-6);
    assert_int_equal(number_of(row, "count"), 25);
    assert_int_equal(json_array_size(json_object_get(first, "figures")), 3); /* no seed, no name */
    json_decref(whole);
    /* The same bytes with more workers. */
    char more[512];
    snprintf(more, sizeof more, "%s --workers 4", arguments);
    assert_int_equal(sim(more, again, sizeof again), 0);
    assert_string_equal(text, again);
}

static void what_was_run_is_kept(void **state)
{
    (void)state;
    static char text[1 << 18], whole[1 << 18], kept[1 << 18];
    write_worker("");
    assert_int_equal(sim("sweep town-small --seeds 30 --json", whole, sizeof whole), 0);
    assert_int_equal(lines_of("calls"), 30);
    assert_int_equal(sim("sweep town-small --seeds 12 --out r --json", text, sizeof text), 0);
    assert_int_equal(lines_of("calls"), 42);
    assert_int_equal(sim("sweep town-small --seeds 30 --out r --json", kept, sizeof kept), 0);
    assert_int_equal(lines_of("calls"), 60); /* 18 more */
    assert_string_equal(whole, kept);
    /* A study that was killed in the middle of a line runs that one again. */
    char path[128];
    struct stat stat_of_file;
    snprintf(path, sizeof path, "%s/r", folder);
    CHECK(stat(path, &stat_of_file) == 0 && truncate(path, stat_of_file.st_size - 9) == 0);
    assert_int_equal(sim("sweep town-small --seeds 30 --out r --json", kept, sizeof kept), 0);
    assert_int_equal(lines_of("calls"), 61);
    assert_string_equal(whole, kept);
    /* Another configuration has nothing there yet, and leaves what is. */
    assert_int_equal(
        sim("sweep town-small --seeds 30 --out r --json --set demand.orders=44", text, sizeof text),
        0);
    assert_int_equal(lines_of("calls"), 91);
    assert_true(complained("30 lines are of another study"));
    assert_int_equal(sim("sweep town-small --seeds 30 --out r --json", kept, sizeof kept), 0);
    assert_int_equal(lines_of("calls"), 91);
    /* So has another program. */
    write_worker("# not the same");
    assert_int_equal(sim("sweep town-small --seeds 30 --out r --json", kept, sizeof kept), 0);
    assert_int_equal(lines_of("calls"), 121);
}

/* --- trouble --------------------------------------------------------------------------------- */

/* What ended and was not waited for yet has no command line any more. */
static bool still_runs(int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    FILE *in = fopen(path, "r");
    bool runs = in != NULL && fgetc(in) != EOF;
    if (in != NULL) fclose(in);
    return runs;
}

static void an_interrupt_keeps_what_is_there(void **state)
{
    (void)state;
    static char text[1 << 18];
    /* The run of seed 6 interrupts the study and would then go on for long, and so would what it
     * started. */
    write_worker("if [ $seed = 6 ] && [ ! -e again ]; then\n"
                 "  trap ': >told; exit 1' TERM; : >again; sleep 1000 & echo $! $$ >pids\n"
                 "  kill -INT $PPID; wait; fi");
    assert_int_equal(
        sim("sweep town-small --seeds 9 --workers 1 --out r --json", text, sizeof text), 130);
    assert_true(complained("interrupted after 5 of 9 runs"));
    assert_int_equal(lines_of("r"), 5);
    json_t *whole = json_loads(text, 0, NULL);
    assert_int_equal(number_of(row_of(whole, 0, "kpi.on_time"), "count"), 5);
    assert_true(json_is_true(json_object_get(whole, "interrupted")));
    json_decref(whole);
    char pids[64], told[80];
    snprintf(told, sizeof told, "%s/told", folder);
    int first = 0, second = 0;
    CHECK(read_all("pids", pids, sizeof pids) > 0 && sscanf(pids, "%d %d", &first, &second) == 2);
    assert_true(kill(second, 0) != 0 && errno == ESRCH);
    assert_int_equal(access(told, F_OK), 0); /* it was asked to end before it was made to */
    while (still_runs(first))
        sched_yield();
    assert_int_equal(
        sim("sweep town-small --seeds 9 --workers 1 --out r --json", text, sizeof text), 0);
    assert_int_equal(lines_of("r"), 9);
    assert_int_equal(lines_of("calls"), 10);
}

static void a_run_that_fails_costs_itself_only(void **state)
{
    (void)state;
    static char text[1 << 18];
    write_worker("case $seed in\n"
                 "2) echo some trouble >&2; echo the reason >&2; exit 4;;\n"
                 "3) echo nonsense; exit 0;;\n"
                 "4) kill -KILL $$;;\n"
                 "5) sleep 1000;;\n"
                 "6) exit 0;;\n"
                 "7) echo '{\"a\": \"no figure\"}'; exit 0;;\n"
                 "8) echo '[1]'; exit 0;;\n"
                 "9) head -c 9000000 /dev/zero; exit 0;;\n"
                 "esac");
    assert_int_equal(sim("sweep town-small --seeds 12 --limit 5 --out r --json", text, sizeof text),
                     1);
    assert_true(complained("8 runs failed, the first: town-small, seed 2, exit 4: the reason") ||
                complained("8 runs failed, the first: town-small, seed 3: not one JSON object"));
    json_t *whole = json_loads(text, 0, NULL);
    assert_int_equal(number_of(row_of(whole, 0, "kpi.on_time"), "count"), 4);
    assert_int_equal(json_integer_value(json_object_get(whole, "failed")), 8);
    json_decref(whole);
    read_all("r", text, sizeof text);
    assert_non_null(strstr(text, "\"seed\":4,\"error\":\"it was ended by a signal\""));
    assert_non_null(strstr(text, "\"seed\":5,\"error\":\"it took too long\""));
    assert_non_null(strstr(text, "\"seed\":9,\"error\":\"its answer is too long\""));
    /* They are tried again. */
    write_worker("");
    assert_int_equal(sim("sweep town-small --seeds 12 --out r --json", text, sizeof text), 0);
}

static void wrong_arguments_are_refused_before_any_run(void **state)
{
    (void)state;
    static char text[1 << 16];
    static const struct {
        const char *arguments;
        int code;
        const char *said;
    } cases[] = {
        {"sweep", 2, "usage"},
        {"sweep town-small --seeds 0", 2, "usage"},
        {"sweep town-small --seeds 9-7", 2, "usage"},
        {"sweep town-small --seeds 1x", 2, "usage"},
        {"sweep town-small --confidence 101", 2, "usage"},
        {"sweep town-small --with demand.orders=3", 2, "usage"},
        {"sweep town-small --vary demand.orders", 2, "KEY=V1"},
        {"sweep town-small --vary demand.orders=3,3", 2, "comes twice"},
        {"sweep town-smal", 5, "did you mean town-small?"},
        {"sweep town-small --vary demand.oders=1,2", 5, "did you mean orders?"},
        {"compare town-small", 2, "with what?"},
        {"compare town-small --with demand.orders=3x", 5, "demand.orders"},
        {"compare town-small --with demand.orders=3 --out /nowhere/at/all", 1, "/nowhere"},
    };
    write_worker("");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sim(cases[i].arguments, text, sizeof text), cases[i].code);
        assert_true(complained(cases[i].said));
    }
    assert_int_equal(lines_of("calls"), 0);
}

/* Everything that the page shows is in a file of its own, too. */
static void a_report_says_the_same_as_a_page(void **state)
{
    static char text[1 << 16], again[1 << 16];
    (void)state;
    write_worker("");
    const char *arguments = "compare town-small --seeds 40 --with workforce.technicians=9 "
                            "--with policy.freeze=2h --report page";
    assert_int_equal(sim(arguments, text, sizeof text), 0);
    read_all("page/report.html", text, sizeof text);
    assert_non_null(strstr(text, "<svg"));
    assert_non_null(strstr(text, "callout sim compare town-small --seeds 40"));
    assert_null(strstr(text, "What the faults cost")); /* these runs say nothing of it */
    read_all("page/difference_on_time.csv", text, sizeof text);
    assert_non_null(strstr(text, "\"better: technicians=9\",0."));
    assert_non_null(strstr(text, "\"worse: freeze=2h\",-0."));
    read_all("page/what_if.csv", text, sizeof text);
    assert_non_null(strstr(text, "\"workforce.technicians=9\","));
    read_all("page/report.json", text, sizeof text);
    assert_int_equal(sim(arguments, again, sizeof again), 0);
    read_all("page/report.json", again, sizeof again);
    assert_string_equal(text, again);
    assert_int_equal(sim("sweep town-small --report /nowhere/at/all", text, sizeof text), 1);
    assert_true(complained("/nowhere"));
}

static void a_file_of_something_else_is_left_alone(void **state)
{
    static const char mine[] = "[scenario]\nname = mine\n[demand]\norders = 3";
    char path[128], text[4096];
    (void)state;
    write_worker("");
    snprintf(path, sizeof path, "%s/mine.ini", folder);
    FILE *out = fopen(path, "w");
    CHECK(out != NULL && fputs(mine, out) >= 0 && fclose(out) == 0);
    assert_int_equal(sim("sweep town-small --seeds 2 --out mine.ini", text, sizeof text), 1);
    assert_true(complained("mine.ini: holds something else"));
    read_all("mine.ini", text, sizeof text);
    assert_string_equal(text, mine);
    assert_int_equal(sim("sweep town-small --seeds 2 --out /dev/null", text, sizeof text), 1);
    assert_int_equal(lines_of("calls"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_planted_is_found),
        TEST(other_scenarios_can_be_compared),
        TEST(a_sweep_says_means_of_all_combinations),
        TEST(what_was_run_is_kept),
        TEST(a_file_of_something_else_is_left_alone),
        TEST(an_interrupt_keeps_what_is_there),
        TEST(a_run_that_fails_costs_itself_only),
        TEST(a_report_says_the_same_as_a_page),
        TEST(wrong_arguments_are_refused_before_any_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
