/* A scenario from its text: what is right is read as it stands and comes back from its print, what
 * is wrong is named by line and key, all of it at once. */
#include "base/check.h"
#include "base/nearest.h"
#include "sim/scenario/chance.h"
#include "sim/scenario/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct scenario scenario, other;
static struct day_errors errors;

static enum err parse_with(const char *text, const char *const *sets, size_t set_count)
{
    struct scenario_source source = {"t.ini", text, strlen(text), sets, set_count};
    return scenario_parse(&scenario, &source, &errors);
}

static enum err parse(const char *text)
{
    return parse_with(text, NULL, 0);
}

/* The text of the error at that place; fails if there is none. */
static const char *error_at(const char *field)
{
    for (size_t i = 0; i < errors.count && i < DAY_ERRORS_MAX; i++)
        if (strcmp(errors.items[i].field, field) == 0) return errors.items[i].text;
    for (size_t i = 0; i < errors.count && i < DAY_ERRORS_MAX; i++)
        print_message("%s: %s\n", errors.items[i].field, errors.items[i].text);
    fail_msg("no error at %s", field);
    return "";
}

static void an_empty_text_is_a_small_town(void **state)
{
    (void)state;
    assert_int_equal(parse(""), ERR_OK);
    assert_int_equal(scenario.days, 1);
    assert_int_equal(scenario.workforce.technicians, 8);
    assert_int_equal(scenario.work_count, 5);
    assert_int_equal(scenario.policy.freeze_us, 30 * 60 * INT64_C(1000000));
}

static void every_kind_of_value_is_read(void **state)
{
    (void)state;
    assert_int_equal(
        parse("[scenario]\r\n"
              "name = a name   # and a comment\r\n"
              "first_day = 2026-11-24\n"
              "[town]\n"
              "center = -33.5 18.4241\n"
              "[demand]\n"
              "open = 07:30\n"
              "by_hour = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24\n"
              "[policy]\n"
              "freeze = 1h10m\n"
              "[roads]\n"
              "travel = even 80 130\n"
              "[fault clocks]\n"
              "kind = clock_skew\n"
              "seconds = -1h\n"
              "share_percent = 10\n"
              "for = 90s"),
        ERR_OK);
    assert_string_equal(scenario.name, "a name");
    assert_int_equal(scenario.first_day, 20781);
    assert_int_equal(scenario.town.center.lat_e7, -335000000);
    assert_int_equal(scenario.town.center.lon_e7, 184241000);
    assert_int_equal(scenario.demand.open_s, 7 * 3600 + 1800);
    assert_int_equal(scenario.demand.by_hour[23], 24);
    assert_int_equal(scenario.policy.freeze_us, 4200 * INT64_C(1000000));
    assert_int_equal(scenario.roads.travel.permille[0], 800);
    assert_int_equal(scenario.roads.travel.permille[20], 1300);
    assert_int_equal(scenario.fault_count, 1);
    assert_string_equal(scenario.faults[0].name, "clocks");
    assert_int_equal(scenario.faults[0].kind, FAULT_CLOCK_SKEW);
    assert_int_equal(scenario.faults[0].seconds, -3600);
    assert_int_equal(scenario.faults[0].for_s, 90);
}

static void sections_of_a_kind_take_the_place_of_the_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("[skill lift]\npeople = 1\nneeds = 1\n"
                           "[work visit]\nskill = lift\nusual = 30m\n[work other]\nskill = none\n"),
                     ERR_OK);
    assert_int_equal(scenario.skill_count, 1);
    assert_int_equal(scenario.work_count, 2);
    assert_int_equal(scenario.shift_count, 2); /* none of them in the text */
    assert_string_equal(scenario.works[1].name, "other");
}

static void all_errors_are_named_at_once(void **state)
{
    (void)state;
    assert_int_equal(parse("key = 1\n"
                           "[scenario]\n"
                           "dayz = 2\n"
                           "days = 99\n"
                           "days = 2\n"
                           "time_zone = Europe/Nowhere\n"
                           "[demnd]\n"
                           "orders = wrong too, but nobody knows where this belongs\n"
                           "[demand]\n"
                           "orders = 4x\n"
                           "open = 8:00\n"
                           "close = 07:00\n"
                           "by_hour = 1 2\n"
                           "[work a b]\n"
                           "[work]\n"
                           "[work c]\n"
                           "skill = nobody\n"
                           "least = 2x\n"
                           "[work c]\n"
                           "[town\n"
                           "nonsense\n"
                           "[fault f]\n"
                           "kind = strm\n"
                           "[fault g]\n"
                           "kind = storm\n"),
                     ERR_INVALID);
    error_at("t.ini line 1");
    assert_non_null(strstr(error_at("t.ini line 3, scenario.dayz"), "did you mean days?"));
    assert_non_null(strstr(error_at("t.ini line 4, scenario.days"), "between 1 and 28"));
    assert_non_null(strstr(error_at("t.ini line 5, scenario.days"), "first on line 4"));
    assert_non_null(strstr(error_at("t.ini line 6, scenario.time_zone"), "tz database"));
    assert_non_null(strstr(error_at("t.ini line 7"), "did you mean [demand]?"));
    assert_non_null(strstr(error_at("t.ini line 10, demand.orders"), "a whole number"));
    error_at("t.ini line 11, demand.open");
    assert_non_null(strstr(error_at("t.ini line 12, demand.close"), "after open"));
    assert_non_null(strstr(error_at("t.ini line 13, demand.by_hour"), "24 whole numbers"));
    assert_non_null(strstr(error_at("t.ini line 14, work"), "[work NAME]"));
    error_at("t.ini line 15, work");
    assert_non_null(strstr(error_at("t.ini line 17, work.skill"), "[skill nobody]"));
    error_at("t.ini line 18, work.least");
    assert_non_null(strstr(error_at("t.ini line 19, work.c"), "comes twice"));
    error_at("t.ini line 20");
    error_at("t.ini line 21");
    assert_non_null(strstr(error_at("t.ini line 23, fault.kind"), "sick_wave"));
    assert_non_null(strstr(error_at("t.ini line 24, fault.orders"), "needs it"));
    error_at("t.ini line 24, fault.for");
    assert_int_equal(errors.count, 20);
}

static void sizes_have_limits(void **state)
{
    (void)state;
    static char text[SCENARIO_BYTES_MAX + 2];
    memset(text, 'x', SCENARIO_BYTES_MAX + 1);
    assert_int_equal(parse(text), ERR_INVALID);
    memset(text, '\n', SCENARIO_LINES_MAX + 2);
    text[SCENARIO_LINES_MAX + 2] = '\0';
    assert_int_equal(parse(text), ERR_INVALID);
    assert_int_equal(errors.count, 1);
    assert_int_equal(parse("[town]\nwidth_m = 100000\nheight_m = 100000\nblock_m = 50\n"),
                     ERR_INVALID);
    error_at("t.ini line 4, town.block_m");
    assert_int_equal(parse("[scenario]\ndays = 28\n[demand]\norders = 8000\n"), ERR_INVALID);
    error_at("t.ini line 4, demand.orders");
    assert_int_equal(parse("[scenario]\ndays = 28\n[fault s]\nkind = storm\nfor = 1h\n"
                           "orders = 3000\n"),
                     ERR_INVALID);
}

static void a_day_folder_stands_alone(void **state)
{
    (void)state;
    assert_int_equal(parse("[folder]\npath = day\n[demand]\norders = 3\n"), ERR_INVALID);
    assert_non_null(strstr(error_at("t.ini line 4, demand"), "brings its own"));
}

static void overrides_come_last(void **state)
{
    (void)state;
    static const char *const sets[] = {"demand.orders=70", "work repair.share = 60",
                                       "demand.orders=71"};
    assert_int_equal(parse_with("[demand]\norders = 60\n", sets, 3), ERR_OK);
    assert_int_equal(scenario.demand.orders, 71);
    assert_int_equal(scenario.works[0].share, 60);
    static const char *const wrong[] = {"demand.order=70", "work nobody.share=6", "orders",
                                        "demand.orders=many"};
    assert_int_equal(parse_with("", wrong, 4), ERR_INVALID);
    assert_non_null(strstr(error_at("t.ini override, demand.order"), "did you mean orders?"));
    assert_non_null(strstr(error_at("t.ini override, work.nobody"), "no such one"));
    error_at("t.ini override");
    error_at("t.ini override, demand.orders");
    assert_int_equal(errors.count, 4);
}

/* --- printing -------------------------------------------------------------------------------- */

static void assert_comes_back(void)
{
    char *text = scenario_print(&scenario);
    struct scenario_source source = {"printed", text, strlen(text), NULL, 0};
    if (scenario_parse(&other, &source, &errors) != ERR_OK)
        fail_msg("%s: %s", errors.items[0].field, errors.items[0].text);
    char *again = scenario_print(&other);
    assert_string_equal(text, again);
    assert_true(scenario_digest(&scenario) == scenario_digest(&other));
    free(text);
    free(again);
}

static void what_is_printed_is_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < scenario_builtin_count; i++) {
        assert_int_equal(scenario_read(&scenario, scenario_builtins[i].name, NULL, 0, &errors),
                         ERR_OK);
        assert_string_equal(scenario.name, scenario_builtins[i].name);
        assert_comes_back();
    }
}

/* A value of the field's range, at random. */
static void random_value(const struct field *field, void *value, struct rng *rng)
{
    int32_t *number = value;
    for (size_t i = 0; i < field->count && field->kind == FIELD_INTS; i++)
        number[i] = chance_between(rng, field->low, field->high);
    if (field->kind == FIELD_INT || field->kind == FIELD_SPAN)
        *number = chance_between(rng, field->low, field->high);
    if (field->kind == FIELD_SPAN_US)
        *(int64_t *)value = chance_between(rng, field->low, field->high) * INT64_C(1000000);
    if (field->kind == FIELD_CLOCK) *number = chance_between(rng, 0, 1440) * 60;
    if (field->kind == FIELD_DATE) *(int64_t *)value = chance_between(rng, 0, 40000);
    if (field->kind == FIELD_POINT)
        *(struct point *)value = (struct point){chance_between(rng, -750000000, 750000000),
                                                chance_between(rng, -1780000000, 1780000000)};
}

static void every_value_comes_back_from_its_print(void **state)
{
    (void)state;
    struct rng rng = {7};
    char text[FIELD_PRINTED], why[200];
    for (int round = 0; round < 200; round++)
        for (size_t s = 0; s < section_count; s++)
            for (size_t f = 0; f < sections[s].field_count; f++) {
                const struct field *field = &sections[s].fields[f];
                _Alignas(8) char value[SCENARIO_PATH] = {0}, back[SCENARIO_PATH] = {0};
                if (field->kind == FIELD_SPREAD || field->kind == FIELD_TEXT) continue;
                random_value(field, value, &rng);
                if (!field_read(field, field_print(field, value, text), back, why, sizeof why))
                    fail_msg("%s = %s: %s", field->key, text, why);
                assert_memory_equal(value, back, sizeof value);
            }
}

static void the_digest_tells_settings_apart(void **state)
{
    (void)state;
    static const char *const sets[] = {"policy.freeze=31m"};
    assert_int_equal(parse(""), ERR_OK);
    uint64_t digest = scenario_digest(&scenario);
    assert_int_equal(parse("# the same\n[demand]\norders = 45\n"), ERR_OK);
    assert_true(digest == scenario_digest(&scenario));
    assert_int_equal(parse_with("", sets, 1), ERR_OK);
    assert_true(digest != scenario_digest(&scenario));
}

/* --- spreads --------------------------------------------------------------------------------- */

static void a_spread_draws_what_its_text_says(void **state)
{
    (void)state;
    struct spread spread, learned;
    const char *why;
    struct rng rng = {3};
    int64_t sum = 0;
    static int32_t drawn[100000];
    assert_true(spread_parse("lognormal 100 25", &spread, &why));
    assert_int_equal(spread.permille[10], 1000);
    assert_in_range(spread.permille[19], 1508, 1510); /* e^(0.25 x 1.645) */
    for (int i = 0; i < 100000; i++)
        sum += drawn[i] = spread_draw(&spread, &rng);
    assert_in_range(sum / 100000, 1028, 1036); /* e^(0.25^2 / 2) is 1.0317 */
    spread_learn(&learned, drawn, 100000);
    for (int i = 1; i < SPREAD_POINTS - 1; i++)
        assert_in_range(learned.permille[i], spread.permille[i] - 20, spread.permille[i] + 20);
    char text[SPREAD_TEXT];
    assert_true(spread_parse(spread_print(&learned, text), &spread, &why));
    assert_memory_equal(&learned, &spread, sizeof spread);
}

static void a_wrong_spread_says_what_would_be_right(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "even",
                                        "even 80",
                                        "even 130 80",
                                        "even 80 130 1",
                                        "even 0 10",
                                        "lognormal 100 101",
                                        "lognormal -1 3",
                                        "normal 1 2",
                                        "quantiles 1 2 3",
                                        "even 80 9999999999",
                                        "even 1 2x"};
    struct spread spread;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *why = "";
        if (spread_parse(wrong[i], &spread, &why)) fail_msg("\"%s\" was taken", wrong[i]);
        assert_true(strlen(why) > 20);
    }
}

static void the_nearest_word_is_the_one_meant(void **state)
{
    (void)state;
    static const char *const words[] = {"orders", "open", "close", "known_percent"};
    assert_string_equal(nearest_word("oders", words, 4), "orders");
    assert_string_equal(nearest_word("known_percnt", words, 4), "known_percent");
    assert_string_equal(nearest_word("opens", words, 4), "open");
    assert_null(nearest_word("elephant", words, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_text_is_a_small_town),
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(sections_of_a_kind_take_the_place_of_the_defaults),
        cmocka_unit_test(all_errors_are_named_at_once),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(a_day_folder_stands_alone),
        cmocka_unit_test(overrides_come_last),
        cmocka_unit_test(what_is_printed_is_read_back),
        cmocka_unit_test(every_value_comes_back_from_its_print),
        cmocka_unit_test(the_digest_tells_settings_apart),
        cmocka_unit_test(a_spread_draws_what_its_text_says),
        cmocka_unit_test(a_wrong_spread_says_what_would_be_right),
        cmocka_unit_test(the_nearest_word_is_the_one_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
