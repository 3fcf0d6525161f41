/* A day from two CSV files: what is right is read as it stands, what is wrong is named by its
 * place. */
#include "base/check.h"
#include "base/clock.h"
#include "day/csv.h"
#include "day/day.h"
#include "day/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TECHNICIAN_HEAD                                                                            \
    "technician_id,name,home_lon,home_lat,shift_start,shift_end,break_earliest,break_latest,"      \
    "break_minutes,skills,overtime_minutes_max\n"
#define ORDER_HEAD                                                                                 \
    "order_id,received_at,lon,lat,address,work_type,service_minutes,priority,skill,window_start,"  \
    "window_end,due_at\n"
#define TECHNICIAN                                                                                 \
    "T1,Ada,9.5,47.1,2026-11-23T07:00,2026-11-23T15:30,2026-11-23T10:30,2026-11-23T12:30,30,"      \
    "hvac:3 gas:1,60\n"
#define ORDER                                                                                      \
    "W1,2026-11-23T00:00,9.6,47.2,Mill Lane 3,repair,45,5,hvac:2,2026-11-23T08:00,"                \
    "2026-11-23T12:00,2026-11-23T18:00\n"

static struct day_errors errors;

static enum err parse(struct day *day, const char *technicians, const char *orders)
{
    return day_parse(day, technicians, strlen(technicians), orders, strlen(orders), "Europe/Vaduz",
                     &errors);
}

static int64_t utc(const char *text)
{
    int64_t time_us;
    CHECK(clock_parse_utc(text, &time_us));
    return time_us;
}

static void a_day_is_read_as_it_stands(void **state)
{
    (void)state;
    struct day day;
    assert_int_equal(parse(&day, TECHNICIAN_HEAD TECHNICIAN, ORDER_HEAD ORDER), ERR_OK);
    assert_int_equal(day.technician_count, 1);
    assert_int_equal(day.order_count, 1);
    const struct day_technician *technician = &day.technicians[0];
    assert_string_equal(technician->name, "Ada");
    assert_int_equal(technician->home.lat_e7, 471000000);
    assert_int_equal(technician->shift_start_us, utc("2026-11-23T06:00")); /* winter: UTC+1 */
    assert_int_equal(technician->break_s, 1800);
    assert_int_equal(technician->overtime_s_max, 3600);
    assert_int_equal(technician->skill_count, 2);
    assert_string_equal(technician->skills[1].name, "gas");
    const struct day_order *order = &day.orders[0];
    assert_int_equal(order->at.lon_e7, 96000000);
    assert_int_equal(order->service_s, 2700);
    assert_int_equal(order->window_end_us, utc("2026-11-23T11:00"));
    assert_int_equal(day.service_day, utc("2026-11-23T00:00") / US_PER_DAY);
    assert_true(day_order_servable(&day, order));
    day_fini(&day);
}

static void mark_crlf_quotes_and_column_order_do_not_matter(void **state)
{
    (void)state;
    struct day day;
    enum err err =
        parse(&day,
              "\xef\xbb\xbf" TECHNICIAN_HEAD "T1,\"Ada \"\"Bee\"\" Cee\",9.5,47.1,"
              "2026-11-23T07:00,2026-11-23T15:30,,,0,,0\r\n\r\n",
              "due_at,order_id,received_at,lon,lat,address,work_type,service_minutes,priority,"
              "skill,window_start,window_end,colour\r\n"
              ",W1,2026-11-23T00:00,9.6,47.2,\"Mill Lane 3, 2nd floor\",repair,45,5,,"
              "2026-11-23T08:00,2026-11-23T12:00,red\r\n");
    assert_int_equal(err, ERR_OK);
    assert_string_equal(day.technicians[0].name, "Ada \"Bee\" Cee");
    assert_string_equal(day.orders[0].address, "Mill Lane 3, 2nd floor");
    assert_int_equal(day.orders[0].skill_count, 0);
    day_fini(&day);
}

/* One broken row each: where it is said to be wrong, and a word of what is said. */
static const struct broken {
    const char *field, *words, *row;
} broken_orders[] = {
#define ROW(id, received, lon, lat, minutes, priority, skill, start, end, due)                     \
    id "," received "," lon "," lat ",Mill Lane,repair," minutes "," priority "," skill "," start  \
       "," end "," due "\n"
#define D "2026-11-23T"
    {"orders.csv line 3, lat", "\"NaN\" is not a number",
     ROW("W2", D "00:00", "9.6", "NaN", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, lon", "is not a number",
     ROW("W2", D "00:00", "inf", "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, lon", "is not a number",
     ROW("W2", D "00:00", "0x10", "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, lon", "is not a number",
     ROW("W2", D "00:00", "1e999", "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, lat", "between -90 and 90",
     ROW("W2", D "00:00", "9.6", "91", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, lon", "between -180 and 180",
     ROW("W2", D "00:00", "-180.1", "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, window_end", "before window_start",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "5", "a:1", D "12:00", D "08:00", "")},
    {"orders.csv line 3, window_end", "does not fit",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "5", "a:1", D "08:00", D "08:30", "")},
    {"orders.csv line 3, service_minutes", "between 1 and 1440",
     ROW("W2", D "00:00", "9.6", "47.2", "-5", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, service_minutes", "is not a whole number",
     ROW("W2", D "00:00", "9.6", "47.2", "4.5", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, priority", "between 1 and 9",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "10", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, priority", "is not a number",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, skill", "not name:level",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "5", "welding", D "08:00", D "12:00", "")},
    {"orders.csv line 3, skill", "not name:level",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "5", "a:0", D "08:00", D "12:00", "")},
    {"orders.csv line 3, skill", "at most 8",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "5", "a:1 a:1 a:1 a:1 a:1 a:1 a:1 a:1 a:1",
         D "08:00", D "12:00", "")},
    {"orders.csv line 3, received_at", "is not a local time",
     ROW("W2", "yesterday", "9.6", "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, window_start", "is not a local time",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "5", "a:1", "2026-02-30T08:00", D "12:00", "")},
    {"orders.csv line 3, window_start", "is not a local time",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "5", "a:1", D "08:00Z", D "12:00", "")},
    {"orders.csv line 3, due_at", "before window_start",
     ROW("W2", D "00:00", "9.6", "47.2", "45", "5", "a:1", D "08:00", D "12:00", D "07:00")},
    {"orders.csv line 3, order_id", "\"W1\" comes twice",
     ROW("W1", D "00:00", "9.6", "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, order_id", "must not be empty",
     ROW("", D "00:00", "9.6", "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, order_id", "at most 64 bytes",
     ROW("W2345678901234567890123456789012345678901234567890123456789012345", D "00:00", "9.6",
         "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, order_id", "UTF-8",
     ROW("W\xff", D "00:00", "9.6", "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3, order_id", "control",
     ROW("W\t2", D "00:00", "9.6", "47.2", "45", "5", "a:1", D "08:00", D "12:00", "")},
    {"orders.csv line 3", "3 fields where the head has 12", "W2,2026-11-23T00:00,9.6\n"},
    {"orders.csv line 3", "never closed", "W2,\"2026-11-23T00:00,9.6\n"},
    {"orders.csv line 3", "a quote inside", "W2,2026\"11,9.6\n"},
    {"orders.csv line 3", "behind a closing quote", "\"W2\"x,2026,9.6\n"},
};

static void each_broken_order_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken_orders / sizeof *broken_orders; i++) {
        char orders[1024];
        snprintf(orders, sizeof orders, ORDER_HEAD ORDER "%s", broken_orders[i].row);
        struct day day;
        assert_int_equal(parse(&day, TECHNICIAN_HEAD TECHNICIAN, orders), ERR_INVALID);
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.items[0].field, broken_orders[i].field);
        if (strstr(errors.items[0].text, broken_orders[i].words) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", errors.items[0].text, broken_orders[i].words);
    }
}

static const struct broken broken_technicians[] = {
    {"technicians.csv line 2, shift_end", "after shift_start",
     "T1,Ada,9.5,47.1," D "15:30," D "07:00,,,0,,0\n"},
    {"technicians.csv line 2, shift_end", "24 hours",
     "T1,Ada,9.5,47.1," D "07:00,2026-11-25T07:00,,,0,,0\n"},
    {"technicians.csv line 2, break_latest", "before break_earliest",
     "T1,Ada,9.5,47.1," D "07:00," D "15:00," D "12:00," D "11:00,30,,0\n"},
    {"technicians.csv line 2, break_earliest", "within the shift",
     "T1,Ada,9.5,47.1," D "07:00," D "15:00," D "06:00," D "11:00,30,,0\n"},
    {"technicians.csv line 2, break_earliest", "is not a local time",
     "T1,Ada,9.5,47.1," D "07:00," D "15:00,," D "11:00,30,,0\n"},
    {"technicians.csv line 2, home_lat", "is not a number",
     "T1,Ada,9.5,nan," D "07:00," D "15:00,,,0,,0\n"},
    {"technicians.csv line 2, overtime_minutes_max", "between 0 and 720",
     "T1,Ada,9.5,47.1," D "07:00," D "15:00,,,0,,9999\n"},
    {"technicians.csv line 2, name", "must not be empty",
     "T1,,9.5,47.1," D "07:00," D "15:00,,,0,,0\n"},
};

static void each_broken_technician_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken_technicians / sizeof *broken_technicians; i++) {
        char technicians[1024];
        snprintf(technicians, sizeof technicians, TECHNICIAN_HEAD "%s", broken_technicians[i].row);
        struct day day;
        assert_int_equal(parse(&day, technicians, ORDER_HEAD), ERR_INVALID);
        assert_int_equal(errors.count, 1);
        assert_string_equal(errors.items[0].field, broken_technicians[i].field);
        if (strstr(errors.items[0].text, broken_technicians[i].words) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", errors.items[0].text, broken_technicians[i].words);
    }
}

static void a_missing_column_an_empty_file_and_a_nul_are_named(void **state)
{
    (void)state;
    struct day day;
    assert_int_equal(parse(&day, TECHNICIAN_HEAD TECHNICIAN, "order_id,lon\n"), ERR_INVALID);
    assert_int_equal(errors.count, 10);
    assert_string_equal(errors.items[0].field, "orders.csv line 1, received_at");
    assert_int_equal(parse(&day, "", ORDER_HEAD), ERR_INVALID);
    assert_non_null(strstr(errors.items[0].text, "the file is empty"));
    static const char nul[] = ORDER_HEAD "W\0001,";
    assert_int_equal(day_parse(&day, TECHNICIAN_HEAD TECHNICIAN,
                               sizeof(TECHNICIAN_HEAD TECHNICIAN) - 1, nul, sizeof nul - 1,
                               "Europe/Vaduz", &errors),
                     ERR_INVALID);
    assert_non_null(strstr(errors.items[0].text, "NUL"));
    assert_int_equal(day_parse(&day, "", 0, "", 0, "Mars/Olympus", &errors), ERR_INVALID);
    assert_string_equal(errors.items[0].field, "time zone");
}

static void all_errors_are_counted_and_a_hundred_kept(void **state)
{
    (void)state;
    static char orders[64 * 1024];
    size_t size = (size_t)snprintf(orders, sizeof orders, ORDER_HEAD);
    for (int i = 0; i < 150; i++)
        size += (size_t)snprintf(orders + size, sizeof orders - size, "W%d,x\n", i);
    struct day day;
    assert_int_equal(parse(&day, TECHNICIAN_HEAD TECHNICIAN, orders), ERR_INVALID);
    assert_int_equal(errors.count, 150);
    assert_string_equal(errors.items[99].field, "orders.csv line 101");
}

static void a_row_of_a_million_columns_is_refused(void **state)
{
    (void)state;
    static char orders[1000 * 1000];
    size_t size = (size_t)snprintf(orders, sizeof orders, ORDER_HEAD);
    memset(orders + size, ',', sizeof orders - size - 1);
    struct day day;
    assert_int_equal(parse(&day, TECHNICIAN_HEAD TECHNICIAN, orders), ERR_INVALID);
    assert_int_equal(errors.count, 1);
    assert_non_null(strstr(errors.items[0].text, "at most 64 fields"));
}

static void local_times_around_the_change_of_clocks(void **state)
{
    (void)state;
    int64_t time_us;
    assert_int_equal(zone_open("Europe/Vaduz", NULL), ERR_OK);
    assert_true(zone_parse_us("2026-07-01T12:00", &time_us));
    assert_int_equal(time_us, utc("2026-07-01T10:00"));
    /* On 29 March 02:30 never comes: it means 03:30 in summer time. */
    assert_true(zone_parse_us("2026-03-29T02:30", &time_us));
    assert_int_equal(time_us, utc("2026-03-29T01:30"));
    /* On 25 October 02:30 comes twice: it means the first. */
    assert_true(zone_parse_us("2026-10-25T02:30", &time_us));
    assert_int_equal(time_us, utc("2026-10-25T00:30"));
    assert_true(zone_parse_us("2026-10-25T03:00", &time_us));
    assert_int_equal(time_us, utc("2026-10-25T02:00"));
    assert_int_equal(zone_open("America/St_Johns", NULL), ERR_OK);
    assert_true(zone_parse_us("2026-11-23T12:00", &time_us));
    assert_int_equal(time_us, utc("2026-11-23T15:30"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_is_read_as_it_stands),
        cmocka_unit_test(mark_crlf_quotes_and_column_order_do_not_matter),
        cmocka_unit_test(each_broken_order_is_named),
        cmocka_unit_test(each_broken_technician_is_named),
        cmocka_unit_test(a_missing_column_an_empty_file_and_a_nul_are_named),
        cmocka_unit_test(all_errors_are_counted_and_a_hundred_kept),
        cmocka_unit_test(a_row_of_a_million_columns_is_refused),
        cmocka_unit_test(local_times_around_the_change_of_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
