/* A generated world: the same from the same seed, sound days that CSV files carry unchanged,
 * streets on which the shortest way is the shortest. */
#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "day/zone.h"
#include "model/travel.h"
#include "sim/habits.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/generate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct scenario scenario;
static struct day_errors errors;

static void read_scenario(const char *name, const char *const *sets, size_t set_count)
{
    if (scenario_read(&scenario, name, sets, set_count, &errors) != ERR_OK)
        fail_msg("%s: %s", errors.items[0].field, errors.items[0].text);
}

static struct day make_day(uint64_t seed, int32_t index)
{
    struct day day;
    struct town *town = NULL;
    if (scenario.folder.path[0] == '\0') town = town_open(&scenario.town, seed);
    if (scenario_day(&day, &scenario, town, seed, index, &errors) != ERR_OK)
        fail_msg("%s: %s", errors.items[0].field, errors.items[0].text);
    town_close(town);
    return day;
}

static uint64_t digest_of(const struct day *day)
{
    struct digest digest = digest_start();
    for (size_t i = 0; i < day->technician_count; i++) {
        const struct day_technician *row = &day->technicians[i];
        digest_bytes(&digest, row->id, strlen(row->id));
        digest_bytes(&digest, row->name, strlen(row->name));
        digest_u64(&digest, (uint64_t)row->home.lat_e7 << 32 | (uint32_t)row->home.lon_e7);
        digest_u64(&digest, (uint64_t)row->shift_start_us);
        digest_bytes(&digest, row->skills[0].name, strlen(row->skills[0].name));
    }
    for (size_t i = 0; i < day->order_count; i++) {
        const struct day_order *row = &day->orders[i];
        digest_bytes(&digest, row->id, strlen(row->id));
        digest_bytes(&digest, row->address, strlen(row->address));
        digest_u64(&digest, (uint64_t)row->at.lat_e7 << 32 | (uint32_t)row->at.lon_e7);
        digest_u64(&digest, (uint64_t)row->received_us);
        digest_u64(&digest, (uint64_t)row->window_start_us);
        digest_u64(&digest, (uint64_t)row->window_end_us);
        digest_u64(&digest, (uint64_t)row->service_s);
    }
    return digest.state;
}

/* A figure of this test is one of every machine: whole numbers only. */
static void a_seed_gives_one_world(void **state)
{
    (void)state;
    read_scenario("town-small", NULL, 0);
    struct day a = make_day(1, 0), b = make_day(1, 0), c = make_day(2, 0);
    assert_true(digest_of(&a) == digest_of(&b));
    assert_true(digest_of(&a) != digest_of(&c));
    day_fini(&a);
    day_fini(&b);
    day_fini(&c);
    read_scenario("town-300x50", NULL, 0);
    struct day d = make_day(1, 0);
    assert_int_equal(d.order_count, 300);
    assert_int_equal(d.technician_count, 50);
    assert_true(digest_of(&d) == UINT64_C(0xd71a44ae84a9884c));
    day_fini(&d);
}

/* All but the line of the file that they stand in. */
static void assert_same_day(const struct day *a, const struct day *b)
{
    assert_int_equal(a->technician_count, b->technician_count);
    assert_int_equal(a->order_count, b->order_count);
    assert_int_equal(a->service_day, b->service_day);
    assert_int_equal(a->start_us, b->start_us);
    assert_int_equal(a->end_us, b->end_us);
    for (size_t i = 0; i < a->technician_count; i++)
        assert_memory_equal(&a->technicians[i], &b->technicians[i],
                            offsetof(struct day_technician, line));
    for (size_t i = 0; i < a->order_count; i++)
        assert_memory_equal(&a->orders[i], &b->orders[i], offsetof(struct day_order, line));
}

/* What a planner looks at is what is simulated; reading also checks every rule of a day. */
static void days_come_back_from_their_files(void **state)
{
    (void)state;
    static const char *const names[] = {"town-small", "town-300x50", "week", "storm", "faults"};
    char folder[] = "/tmp/callout-test-town-XXXXXX", command[128], people[64], orders[64];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(people, sizeof people, "%s/technicians.csv", folder);
    snprintf(orders, sizeof orders, "%s/orders.csv", folder);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        read_scenario(names[i], NULL, 0);
        for (int32_t index = 0; index < scenario.days; index++) {
            struct day day = make_day(3 + i, index), back;
            struct problem problem;
            assert_int_equal(scenario_write_day(&day, folder, &problem), ERR_OK);
            if (day_read(&back, people, orders, "Europe/Vaduz", &errors) != ERR_OK)
                fail_msg("%s: %s", errors.items[0].field, errors.items[0].text);
            assert_same_day(&day, &back);
            day_fini(&day);
            day_fini(&back);
        }
    }
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* --- common random numbers -------------------------------------------------------------------- */

static const struct day_order *order_of(const struct day *day, const char *id)
{
    for (size_t i = 0; i < day->order_count; i++)
        if (strcmp(day->orders[i].id, id) == 0) return &day->orders[i];
    return NULL;
}

static void more_of_one_thing_leaves_the_rest_as_it_was(void **state)
{
    (void)state;
    static const char *const more[] = {"demand.orders=60", "workforce.technicians=9"};
    read_scenario("town-small", NULL, 0);
    struct day few = make_day(5, 0);
    read_scenario("town-small", more, 2);
    struct day many = make_day(5, 0);
    assert_int_equal(few.order_count, 49); /* 110 % of 45 on a Monday */
    assert_int_equal(many.order_count, 66);
    for (size_t i = 0; i < few.order_count; i++) {
        const struct day_order *same = order_of(&many, few.orders[i].id);
        assert_non_null(same);
        assert_memory_equal(same, &few.orders[i], sizeof *same);
    }
    assert_int_equal(many.technician_count, 9);
    for (size_t i = 0; i < few.technician_count; i++)
        assert_memory_equal(&many.technicians[i], &few.technicians[i], sizeof *few.technicians);
    day_fini(&few);
    day_fini(&many);
}

static void shares_hold_over_many(void **state)
{
    (void)state;
    static const char *const sets[] = {"demand.orders=4000", "demand.known_percent=60",
                                       "work emergency.share=0"};
    read_scenario("town-300x50", sets, 3);
    struct day day = make_day(9, 0);
    size_t known = 0, repairs = 0, electrical = 0, electricians = 0;
    for (size_t i = 0; i < day.order_count; i++) {
        known += day.orders[i].received_us == day.orders[0].received_us;
        repairs += strcmp(day.orders[i].work_type, "repair") == 0;
        electrical += day.orders[i].skill_count > 0 &&
                      strcmp(day.orders[i].skills[0].name, "electrical") == 0;
    }
    for (size_t i = 0; i < day.technician_count; i++)
        electricians += strcmp(day.technicians[i].skills[0].name, "electrical") == 0;
    assert_in_range(known, 2300, 2500);
    assert_in_range(repairs, 1584, 1784);   /* 40 of 95 */
    assert_in_range(electrical, 915, 1105); /* 30 of 100, of all but the 15 of 95 that need none */
    assert_in_range(electricians, 14, 16);  /* evenly spread: 15 of 50 */
    day_fini(&day);
}

/* --- streets --------------------------------------------------------------------------------- */

static void ways_on_streets_are_shortest_ways(void **state)
{
    (void)state;
    read_scenario("town-small", NULL, 0);
    struct town *town = town_open(&scenario.town, 4);
    struct rng rng = {11};
    struct town_address at[12];
    int64_t streets_s = 0, straight_s = 0;
    for (int i = 0; i < 12; i++)
        town_address(town, &rng, &at[i]);
    for (int a = 0; a < 12; a++)
        for (int b = 0; b < 12; b++) {
            int32_t direct = town_seconds(town, at[a].at, at[b].at);
            assert_int_equal(direct, town_seconds(town, at[b].at, at[a].at));
            assert_true((direct == 0) == (a == b));
            streets_s += direct;
            straight_s += travel_seconds(&travel_straight, at[a].at, at[b].at);
            /* No way round is shorter, but for the seconds to and from the crossing of the stop. */
            for (int c = 0; c < 12; c++)
                assert_true(direct <= town_seconds(town, at[a].at, at[c].at) +
                                          town_seconds(town, at[c].at, at[b].at) + 2);
            /* Nobody flies: at the best speed in a straight line. */
            double metres = point_distance_m(at[a].at, at[b].at);
            assert_true(direct >= (int32_t)(metres * 0.99 * 3.6 / scenario.town.main_kmh) - 30);
        }
    assert_in_range(streets_s * 100 / straight_s, 70, 150);
    town_close(town);
}

/* A person of a scenario drives on its streets, by its spread and hour. */
static void journeys_are_on_the_streets(void **state)
{
    (void)state;
    static const char by_hour[] = "roads.by_hour=100 100 100 100 100 100 100 100 200 100 100 "
                                  "100 100 100 100 100 100 100 100 100 100 100 100 100";
    static const char *const sets[] = {"roads.travel=even 150 150", "people.decline_permille=1000",
                                       by_hour, "people.incomplete_permille=0"};
    read_scenario("town-small", sets, 4);
    struct town *town = town_open(&scenario.town, 4);
    struct habits habits = habits_of(&scenario);
    struct luck luck = {.habits = &habits, .roads = town_roads(town), .seed = 1};
    struct rng rng = {11};
    struct town_address a, b;
    town_address(town, &rng, &a);
    town_address(town, &rng, &b);
    int64_t street_us = town_seconds(town, a.at, b.at) * US_PER_SECOND;
    assert_int_equal(luck_journey_us(&luck, "W1", a.at, b.at, 5 * 3600 * US_PER_SECOND),
                     street_us * 3 / 2);
    assert_int_equal(luck_journey_us(&luck, "W1", a.at, b.at, 8 * 3600 * US_PER_SECOND),
                     street_us * 3);
    assert_true(luck_says(&luck, LUCK_DECLINES, "W1"));
    assert_false(luck_says(&luck, LUCK_INCOMPLETE, "W1"));
    town_close(town);
}

static void a_town_is_connected_whatever_is_missing(void **state)
{
    (void)state;
    static const char *const sets[] = {"town.gaps_percent=60", "town.noise_percent=80",
                                       "town.country_percent=50"};
    read_scenario("town-small", sets, 3);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct town *town = town_open(&scenario.town, seed);
        struct rng rng = {seed};
        struct town_address a, b;
        for (int i = 0; i < 20; i++) {
            town_address(town, &rng, &a);
            town_address(town, &rng, &b);
            assert_true(point_valid(a.at));
            assert_in_range(town_seconds(town, a.at, b.at), 0, 3600);
        }
        struct point pole = {750000000, 0};
        assert_true(town_seconds(town, a.at, pole) > 3600);
        town_close(town);
    }
}

/* --- folders and faults ----------------------------------------------------------------------- */

static void a_day_folder_moves_and_grows(void **state)
{
    (void)state;
    static const char *const sets[] = {"folder.path=" CALLOUT_SOURCE_DIR "/sim/day",
                                       "folder.orders_percent=140", "scenario.days=3",
                                       "folder.technicians_percent=200"};
    read_scenario("town-small", NULL, 0); /* its skills stand beside no folder */
    struct scenario_source source = {"empty", "", 0, sets, 4};
    assert_int_equal(scenario_parse(&scenario, &source, &errors), ERR_OK);
    struct day first = make_day(1, 0), third = make_day(1, 2);
    assert_in_range(first.order_count, 58, 84);
    assert_int_equal(first.technician_count, 16);
    assert_int_equal(third.service_day, first.service_day + 2);
    assert_int_equal(third.start_us, first.start_us + 2 * US_PER_DAY);
    assert_non_null(order_of(&first, "W001"));
    assert_null(order_of(&first, "W001-d3"));
    assert_non_null(order_of(&third, "W001-d3"));
    assert_int_equal(order_of(&third, "W001-d3")->window_end_us,
                     order_of(&first, "W001")->window_end_us + 2 * US_PER_DAY);
    day_fini(&first);
    day_fini(&third);
}

static size_t events_of(const struct fault_list *list, enum fault_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += list->items[i].kind == kind;
    return count;
}

static void faults_meet_whom_the_seed_chose(void **state)
{
    (void)state;
    read_scenario("storm", NULL, 0);
    struct day day = make_day(1, 0);
    struct fault_list list, again, other;
    scenario_faults(&scenario, &day, 0, 1, &list);
    scenario_faults(&scenario, &day, 0, 1, &again);
    scenario_faults(&scenario, &day, 0, 2, &other);
    assert_int_equal(list.count, 7); /* 2 of 8 ill, 4 without signal, slow roads */
    assert_int_equal(events_of(&list, FAULT_SICK_WAVE), 2);
    assert_int_equal(events_of(&list, FAULT_NETWORK_LOSS), 4);
    assert_int_equal(events_of(&list, FAULT_TRAVEL), 1);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].begin_us, again.items[i].begin_us);
        assert_int_equal(list.items[i].technician, again.items[i].technician);
        assert_true(i == 0 || list.items[i - 1].begin_us <= list.items[i].begin_us);
    }
    assert_true(list.items[0].begin_us != other.items[0].begin_us);
    int64_t half_past_11 = 0;
    CHECK(zone_parse_us("2026-11-23T11:30", &half_past_11));
    size_t storm = 0;
    for (size_t i = 0; i < day.order_count; i++)
        if (day.orders[i].id[0] == 'S') {
            storm++;
            assert_true(day.orders[i].received_us >= half_past_11);
            assert_int_equal(day.orders[i].priority, 9);
        }
    assert_int_equal(storm, 12);
    faults_fini(&list);
    faults_fini(&again);
    faults_fini(&other);
    day_fini(&day);
}

static void a_fault_keeps_to_its_day(void **state)
{
    (void)state;
    static const char text[] = "[scenario]\ndays = 3\n"
                               "[fault a]\nkind = kill\nday = 2\nat = 10:00\n"
                               "[fault b]\nkind = power\nday = 0\nat = 09:00\n";
    struct scenario_source source = {"t.ini", text, sizeof text - 1, NULL, 0};
    assert_int_equal(scenario_parse(&scenario, &source, &errors), ERR_OK);
    for (int32_t index = 0; index < 3; index++) {
        struct day day = make_day(1, index);
        struct fault_list list;
        scenario_faults(&scenario, &day, index, 1, &list);
        assert_int_equal(list.count, index == 1 ? 2 : 1);
        assert_int_equal(list.items[0].kind, FAULT_POWER);
        faults_fini(&list);
        day_fini(&day);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_one_world),
        cmocka_unit_test(days_come_back_from_their_files),
        cmocka_unit_test(more_of_one_thing_leaves_the_rest_as_it_was),
        cmocka_unit_test(shares_hold_over_many),
        cmocka_unit_test(ways_on_streets_are_shortest_ways),
        cmocka_unit_test(journeys_are_on_the_streets),
        cmocka_unit_test(a_town_is_connected_whatever_is_missing),
        cmocka_unit_test(a_day_folder_moves_and_grows),
        cmocka_unit_test(faults_meet_whom_the_seed_chose),
        cmocka_unit_test(a_fault_keeps_to_its_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
