/* Scenarios lived through in virtual time: a seed gives the same bytes, days follow one another in
 * one system, every kind of fault costs something and loses nothing, and the verb says it all. */
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "sim/world/run.h"
#include "tests/shell.h"
#include "tests/short.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OUTPUT_BYTES = 1 << 20 };

static const char little[] = "[scenario]\n"
                             "name = little\n"
                             "[town]\n"
                             "width_m = 6000\n"
                             "height_m = 5000\n"
                             "[workforce]\n"
                             "technicians = 4\n"
                             "[demand]\n"
                             "orders = 16\n"
                             "[skill all]\n"
                             "people = 1\n"
                             "needs = 1\n"
                             "[optimizer]\n"
                             "rounds = 100\n";

static struct scenario scenario;
static struct run_result result;

static void read_scenario(const char *more)
{
    static struct day_errors errors;
    char text[4096];
    snprintf(text, sizeof text, "%s%s", little, more);
    const struct scenario_source source = {.name = "test", .text = text, .size = strlen(text)};
    if (scenario_parse(&scenario, &source, &errors) != ERR_OK)
        fail_msg("%s: %s", errors.items[0].field, errors.items[0].text);
}

static void live(uint64_t seed, bool with_cost)
{
    static struct day_errors errors;
    const struct run_options options = {.scenario = &scenario, .seed = seed};
    enum err err = with_cost ? run_with_cost(&result, &options, &errors)
                             : run_scenario(&result, &options, &errors);
    if (err != ERR_OK) fail_msg("%s: %s", errors.items[0].field, errors.items[0].text);
    assert_int_equal(result.commands.lost, 0);
    assert_int_equal(result.commands.doubled, 0);
    assert_int_equal(result.commands.acknowledged, result.commands.saved);
    assert_int_equal(result.commands.orders, result.commands.order_facts);
    assert_int_equal(result.commands.facts + result.commands.aside + result.commands.rejected,
                     result.commands.saved);
}

/* The result as text, without what was measured; the caller frees it. */
static char *text_of_result(void)
{
    json_t *object = run_result_json(&result);
    assert_int_equal(json_object_del(object, "times"), 0);
    char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    assert_non_null(text);
    json_decref(object);
    return text;
}

static char *text_of_seed(uint64_t seed)
{
    live(seed, false);
    char *text = text_of_result();
    run_result_fini(&result);
    return text;
}

static void a_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    read_scenario("");
    char *first = text_of_seed(5), *again = text_of_seed(5), *other = text_of_seed(6);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_non_null(strstr(first, "\"digest\""));
    free(first);
    free(again);
    free(other);
}

/* What of the day the figures must hold, whatever the seed. */
static void the_figures_of_a_day_agree(void **state)
{
    (void)state;
    read_scenario("");
    live(1, false);
    const struct kpi *kpi = &result.kpi;
    assert_int_equal(result.day_count, 1);
    assert_int_equal(kpi->technician_days, result.days[0].technicians);
    assert_int_equal(kpi->visits, kpi->completed + kpi->incomplete + kpi->no_access +
                                      kpi->cancelled + kpi->unserved);
    assert_true(kpi->completed > 8);
    assert_int_equal(result.leg_count, kpi->legs);
    assert_int_equal(result.days[0].known + result.days[0].called, result.days[0].orders);
    assert_int_equal(result.untroubled == NULL, 1);
    struct run_lateness groups[RUN_LATENESS_GROUPS];
    int64_t arrivals = 0, hours_us = 0;
    run_lateness(kpi, groups);
    for (int i = 0; i < RUN_LATENESS_GROUPS; i++)
        arrivals += groups[i].arrivals;
    assert_int_equal(arrivals, kpi->windowed);
    for (int i = 0; i < KPI_HOURS; i++)
        for (int part = 0; part < KPI_PARTS; part++)
            hours_us += kpi->hours[i].parts_us[part];
    assert_int_equal(hours_us, kpi->shift_us + kpi->overtime_us);
    const struct run_backlog *last = &result.backlog[result.backlog_count - 1];
    assert_true(result.backlog_count > 40);
    assert_int_equal(last->done, kpi->completed + kpi->incomplete + kpi->no_access);
    assert_true(result.pieces.repair.count > 10 && result.pieces.search.count > 10);
    run_result_fini(&result);
}

/* --- several days ---------------------------------------------------------------------------- */

static bool works_on(const char *technician_id, int32_t day)
{
    for (size_t i = 0; i < result.leg_count; i++)
        if (result.legs[i].day == day && strcmp(result.legs[i].technician_id, technician_id) == 0)
            return true;
    return false;
}

/* Too few people: what is left of one day is there on the next one, beside its own orders. */
static void what_a_day_leaves_undone_goes_to_the_next(void **state)
{
    (void)state;
    read_scenario("");
    scenario.days = 3;
    scenario.workforce.technicians = 2;
    scenario.demand.orders = 40;
    live(1, false);
    assert_int_equal(result.day_count, 3);
    for (int i = 0; i < 2; i++) {
        const struct run_day *day = &result.days[i], *next = &result.days[i + 1];
        assert_int_equal(next->service_day, day->service_day + 1);
        assert_true(day->kpi.unserved > 5);
        assert_int_equal(next->kpi.visits, day->kpi.unserved + (int64_t)next->orders);
        assert_true(next->kpi.completed > 5);
    }
    assert_true(works_on("T001", 0) && works_on("T001", 1) && works_on("T001", 2));
    assert_int_equal(result.kpi.technician_days, 6);
    run_result_fini(&result);
}

/* --- faults ---------------------------------------------------------------------------------- */

static int64_t visits_more(void)
{
    return result.kpi.visits - result.untroubled->visits;
}

static int64_t travel_more(void)
{
    return result.kpi.travel_us - result.untroubled->travel_us;
}

static int64_t absence_more(void)
{
    return result.kpi.absence_us - result.untroubled->absence_us;
}

static int64_t kills(void)
{
    return (int64_t)result.system.kills;
}

static int64_t power_cuts(void)
{
    return (int64_t)result.system.kills - 2; /* all three parts */
}

static int64_t disk_failures(void)
{
    return (int64_t)result.system.disk_failures;
}

static int64_t messages_lost(void)
{
    return (int64_t)result.system.messages_lost;
}

static int64_t anything(void)
{
    return memcmp(&result.kpi, result.untroubled, sizeof result.kpi) != 0;
}

/* The dispatcher knows how far a phone's clock is off: nothing shows. */
static int64_t nothing(void)
{
    return anything() == 0;
}

#define FROM_NINE "at = 09:00\nfor = 5h\n"

/* Each kind of fault alone, and what must be above 0 because of it. */
static const struct {
    const char *text;
    int64_t (*shows)(void);
    uint32_t technicians;
} faults[] = {
    {"kind = sick_wave\nshare_percent = 50\n" FROM_NINE, absence_more, 2},
    {"kind = travel\npercent = 300\n" FROM_NINE, travel_more, 0},
    {"kind = storm\norders = 6\npercent = 150\n" FROM_NINE, visits_more, 0},
    {"kind = network_loss\nshare_percent = 100\n" FROM_NINE, anything, 4},
    {"kind = network_poor\nshare_percent = 100\npercent = 40\n" FROM_NINE, messages_lost, 4},
    {"kind = gps_drift\nshare_percent = 100\nmetres = 8000\n" FROM_NINE, anything, 4},
    {"kind = clock_skew\nshare_percent = 100\nseconds = -40m\n" FROM_NINE, nothing, 4},
    {"kind = kill\npart = dispatcher\nat = 10:00\n", kills, 0},
    {"kind = kill\npart = gateway\nat = 10:00\n", kills, 0},
    {"kind = kill\npart = optimizer\nat = 10:00\n", kills, 0},
    {"kind = disk\nat = 10:00\nfor = 3m\n", disk_failures, 0},
    {"kind = power\nat = 10:00\n", power_cuts, 0},
};

static void every_kind_of_fault_costs_and_loses_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char more[512];
        snprintf(more, sizeof more,
                 "[network]\nloss_permille = 0\noutage_permille = 0\n[fault it]\n%s",
                 faults[i].text);
        read_scenario(more);
        bool with_cost = scenario.faults[0].kind < FAULT_KILL; /* of others the counters tell */
        if (with_cost && short_form()) continue;
        live(3, with_cost);
        print_message("%s: %lld\n", fault_kind_name((enum fault_kind)scenario.faults[0].kind),
                      (long long)faults[i].shows());
        assert_int_equal(result.fault_count, 1);
        assert_string_equal(result.faults[0].name, "it");
        assert_int_equal(result.faults[0].kind, scenario.faults[0].kind);
        assert_int_equal(result.faults[0].technicians, faults[i].technicians);
        assert_true(faults[i].shows() > 0);
        run_result_fini(&result);
    }
}

/* --- ended early ----------------------------------------------------------------------------- */

static bool stop_at_noon(void *context, int32_t permille)
{
    int *calls = context;
    ++*calls;
    return permille < 400;
}

static void a_run_that_is_not_wanted_any_more_ends(void **state)
{
    (void)state;
    static struct day_errors errors;
    int calls = 0;
    read_scenario("");
    const struct run_options options = {
        .scenario = &scenario, .seed = 1, .progress = stop_at_noon, .context = &calls};
    assert_int_equal(run_scenario(&result, &options, &errors), ERR_RETRY);
    assert_true(calls > 10 && calls < 40);
}

/* --- the verb -------------------------------------------------------------------------------- */

static char output[OUTPUT_BYTES];

/* Its exit code; what it printed is in `output`. */
static int callout(const char *arguments)
{
    char command[1024];
    snprintf(command, sizeof command, "%s sim run %s 2>&1", CALLOUT_BINARY, arguments);
    return shell_output(command, output, sizeof output);
}

#define LITTLE "--set workforce.technicians=3 --set demand.orders=8 --set optimizer.rounds=50 "

static void many_seeds_are_alike_however_many_work_on_them(void **state)
{
    (void)state;
    static char one[OUTPUT_BYTES];
    assert_int_equal(callout("town-small " LITTLE "--seeds 3 --threads 1 --json --no-progress"), 0);
    memcpy(one, output, sizeof one);
    assert_int_equal(callout("town-small " LITTLE "--seeds 3 --threads 2 --json --no-progress"), 0);
    assert_string_equal(one, output);
    assert_non_null(strstr(output, "kpi.on_time_permille"));
    assert_null(strstr(output, "times."));
}

static void a_day_folder_is_a_scenario(void **state)
{
    (void)state;
    assert_int_equal(callout("sim/day --set optimizer.rounds=50 --no-progress"), 0);
    assert_non_null(strstr(output, "0 lost, 0 twice"));
    assert_non_null(strstr(output, "completed"));
}

static void what_is_wrong_with_a_scenario_is_said_by_line(void **state)
{
    (void)state;
    char path[] = "/tmp/callout-test-run-XXXXXX", arguments[64];
    int file = mkstemp(path);
    assert_true(file >= 0);
    FILE *out = fdopen(file, "w");
    fprintf(out,
            "[scenario]\nname = wrong\n[workforce]\ntechnicans = 5\n[demand]\norders = many\n");
    fclose(out);
    snprintf(arguments, sizeof arguments, "%s", path);
    assert_int_equal(callout(arguments), 5);
    assert_non_null(strstr(output, "line 4"));
    assert_non_null(strstr(output, "technicians"));
    assert_non_null(strstr(output, "line 6"));
    remove(path);
    assert_int_equal(callout("town-smal"), 4);
    assert_non_null(strstr(output, "town-small"));
    assert_int_equal(callout(""), 2);
    assert_int_equal(callout("town-small --seed x"), 2);
    assert_int_equal(callout("--help"), 0);
}

int main(void)
{
    log_open("test", LOG_SILENT); /* failures are made on purpose */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_bytes),
        cmocka_unit_test(the_figures_of_a_day_agree),
        cmocka_unit_test(what_a_day_leaves_undone_goes_to_the_next),
        cmocka_unit_test(every_kind_of_fault_costs_and_loses_nothing),
        cmocka_unit_test(a_run_that_is_not_wanted_any_more_ends),
        cmocka_unit_test(many_seeds_are_alike_however_many_work_on_them),
        cmocka_unit_test(a_day_folder_is_a_scenario),
        cmocka_unit_test(what_is_wrong_with_a_scenario_is_said_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
