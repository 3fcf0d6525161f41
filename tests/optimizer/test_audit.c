/* The auditor on days that one can work out by hand: each rule broken once, and said in words. */
#include "base/exit_code.h"
#include "optimizer/audit/audit.h"
#include "tests/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEPT = 8, DAY = 20780 };

#define US(seconds) ((int64_t)(seconds)*1000000)
#define AT(h, m)    (US((int64_t)DAY * 86400) + US((h)*3600 + (m)*60))

/* Everybody lives on one street: a place is its second from home. */
static int32_t street_seconds(const struct travel *travel, struct point from, struct point to)
{
    (void)travel;
    return abs(from.lat_e7 - to.lat_e7);
}

static const struct travel street = {street_seconds};

static struct point minutes_away(int32_t minutes)
{
    return (struct point){minutes * 60, 0};
}

/* --- a day: T1 and T2 live at home and work from 8 to 16; A, B, C lie 10, 20 and 30 minutes away,
 * and take half an hour each --- */

struct world {
    struct policy policy;
    struct technician_told technicians[2];
    struct visit_told visits[3];
    struct audit_problem problem;
    struct arena memory;
    struct audit audit;
    struct audit_violation kept[KEPT];
    struct audit_report report;
    struct audit_route routes[3];
    struct audit_stop stops[3][4];
    struct audit_plan plan;
};

static void world_make(struct world *world)
{
    static const char *const visit_ids[] = {"A", "B", "C"}, *const technician_ids[] = {"T1", "T2"};
    *world = (struct world){.policy = policy_default};
    for (uint32_t t = 0; t < 2; t++)
        world->technicians[t] = (struct technician_told){
            .id = technician_ids[t], .day = {.available_us = AT(8, 0), .shift_end_us = AT(16, 0)}};
    for (uint32_t v = 0; v < 3; v++)
        world->visits[v] = (struct visit_told){
            .id = visit_ids[v],
            .visit = {.at = minutes_away(10 * (int32_t)(v + 1)), .service_us = US(1800)},
            .priority = v + 1,
            .technician_id = ""};
    world->problem = (struct audit_problem){.travel = &street,
                                            .now_us = AT(7, 0),
                                            .policy = &world->policy,
                                            .technicians = world->technicians,
                                            .technician_count = 2,
                                            .visits = world->visits,
                                            .visit_count = 3,
                                            .zero_us = AT(0, 0)};
}

/* A route as a text: "A B C". */
static void go(struct world *world, const char *technician, const char *stops)
{
    static const char *const ids[] = {"A", "B", "C", "D"};
    uint32_t r = world->plan.route_count++;
    world->routes[r] = (struct audit_route){.technician_id = technician, .stops = world->stops[r]};
    for (const char *at = stops; *at != '\0'; at++) {
        if (*at == ' ') continue;
        struct audit_stop *stop = &world->stops[r][world->routes[r].stop_count++];
        *stop = (struct audit_stop){.visit_id = *at == '-' ? NULL : ids[*at - 'A']};
    }
    world->plan.routes = world->routes;
}

/* The times of a route's next stop; from then on it is timed. */
static void at(struct world *world, uint32_t stop, int64_t arrival, int64_t start,
               int64_t departure)
{
    uint32_t r = world->plan.route_count - 1;
    struct audit_stop *it = &world->stops[r][stop];
    it->arrival_us = arrival;
    it->start_us = start;
    it->departure_us = departure;
    world->routes[r].timed = true;
}

static const struct audit_report *audited(struct world *world)
{
    arena_open(&world->memory, 1 << 20);
    world->report = (struct audit_report){.violations = world->kept, .violation_max = KEPT};
    audit_open(&world->audit, &world->problem, &world->memory);
    audit_plan(&world->audit, &world->plan, &world->report);
    arena_close(&world->memory);
    return &world->report;
}

static void assert_clean(struct world *world)
{
    const struct audit_report *report = audited(world);
    if (report->violation_count > 0) fail_msg("%s", report->violations[0].text);
}

/* Exactly this is wrong. */
static void assert_wrong(struct world *world, enum audit_rule rule, const char *text)
{
    const struct audit_report *report = audited(world);
    assert_true(report->violation_count > 0);
    assert_string_equal(report->violations[0].text, text);
    assert_int_equal(report->violations[0].rule, rule);
    assert_int_equal(report->violation_count, 1);
    assert_int_equal(report->broken, 1u << rule);
}

/* --- who --- */

static void everybody_is_known_and_served_once(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    go(&world, "T1", "A B");
    go(&world, "T2", "C");
    assert_clean(&world);
    assert_int_equal(world.report.served, 3);
    assert_int_equal(world.report.cost.total, 2 * 20 * 60 + 2 * 30 * 60);
    world_make(&world);
    go(&world, "T3", "A");
    assert_wrong(&world, AUDIT_UNKNOWN, "technician T3: is not in the problem");
    world_make(&world);
    go(&world, "T1", "A D");
    assert_wrong(&world, AUDIT_UNKNOWN, "order D: is not in the problem");
    world_make(&world);
    go(&world, "T1", "A");
    go(&world, "T2", "A");
    assert_wrong(&world, AUDIT_TWICE, "order A: is served by T1 and by T2");
    world_make(&world);
    go(&world, "T1", "A");
    go(&world, "T1", "B");
    assert_wrong(&world, AUDIT_TWICE, "technician T1: has two routes");
}

static void skills_and_choices_count(void **state)
{
    (void)state;
    static const struct skill_named gas_2 = {"gas", 2}, gas_3 = {"gas", 3},
                                    either[] = {{"gas", 3}, {"heat", 1}};
    struct world world;
    world_make(&world);
    world.technicians[0].skills = &gas_2;
    world.technicians[0].skill_count = 1;
    world.visits[0].skills = &gas_2;
    world.visits[0].skill_count = 1;
    go(&world, "T1", "A");
    assert_clean(&world);
    world.visits[0].skills = &gas_3;
    assert_wrong(&world, AUDIT_TECHNICIAN, "order A: T1 lacks skill gas at level 3");
    world.visits[0].skill_count = 0;
    world.visits[0].choices[0] = (struct choice_told){either, 2};
    world.visits[0].choice_count = 1;
    assert_wrong(&world, AUDIT_TECHNICIAN,
                 "order A: T1 has none of the 2 skills of which it needs one, such as gas at "
                 "level 3");
    world.technicians[0].skills = &gas_3;
    assert_clean(&world);
}

static void named_technicians_count(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    go(&world, "T1", "A");
    world.visits[0].excluded[0] = "T1";
    world.visits[0].excluded_count = 1;
    assert_wrong(&world, AUDIT_TECHNICIAN, "order A: is with T1, who may not serve it");
    world.visits[0].excluded_count = 0;
    world.visits[0].required[0] = "T2";
    world.visits[0].required_count = 1;
    assert_wrong(&world, AUDIT_TECHNICIAN, "order A: is with T1, and needs one such as T2");
    world.visits[0].required_count = 0;
    world.visits[0].mobility = VISIT_PINNED;
    world.visits[0].technician_id = "T2";
    assert_wrong(&world, AUDIT_TECHNICIAN, "order A: is with T1, and only T2 may serve it");
}

/* --- when --- */

static void service_starts_within_a_window(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    struct route_visit *visit = &world.visits[0].visit;
    visit->window_count = 2;
    visit->windows[0] = (struct window){AT(8, 0), AT(8, 5)};
    visit->windows[1] = (struct window){AT(9, 0), AT(9, 30)};
    go(&world, "T1", "A"); /* there at 8:10, waits for the second */
    assert_clean(&world);
    visit->window_count = 1;
    assert_wrong(&world, AUDIT_WINDOW,
                 "order A: starts 08:10, after the end of its last window 08:05");
    visit->late_us_max = US(299);
    assert_wrong(&world, AUDIT_WINDOW,
                 "order A: starts 08:10, after the end of its last window 08:09:59");
    visit->late_us_max = US(300);
    assert_clean(&world);
    assert_int_equal(world.report.cost.lateness, 300);
    visit->window_count = 2; /* lateness does not reach into the next window, nor wait for it */
    visit->windows[1].start_us = AT(8, 10);
    assert_clean(&world);
    assert_int_equal(world.report.cost.lateness, 0);
    visit->windows[1].start_us = AT(8, 11);
    assert_clean(&world);
    assert_int_equal(world.report.cost.lateness, 300);
    at(&world, 0, AT(8, 10), AT(8, 50), AT(9, 30)); /* the second is open */
    assert_clean(&world);
    visit->late_us_max = 0;
    at(&world, 0, AT(8, 10), AT(8, 10), AT(9, 30));
    assert_wrong(&world, AUDIT_WINDOW, "order A: starts 08:10, before it may, which is from 08:11");
}

static void the_break_has_its_window(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    world.problem.technician_count = 1;
    struct route_day *day = &world.technicians[0].day;
    day->break_us = US(1200);
    day->break_earliest_us = AT(8, 30);
    day->break_latest_us = AT(9, 0);
    world.visits[0].visit.window_count = 1;
    world.visits[0].visit.windows[0] = (struct window){AT(8, 15), AT(8, 15)};
    go(&world, "T1", "A"); /* 8:15 to 8:45, rests on the way home, there at 9:15 */
    assert_clean(&world);
    assert_int_equal(world.audit.walk.end_us, AT(9, 15));
    day->break_latest_us = AT(8, 44);
    assert_wrong(&world, AUDIT_BREAK,
                 "technician T1: the break starts 08:45, after the latest start 08:44");
    world.visits[0].visit.windows[0] =
        (struct window){AT(8, 50), AT(8, 50)}; /* rests in the wait */
    assert_clean(&world);
    assert_int_equal(world.audit.walk.end_us, AT(9, 30));
}

static void a_told_break_is_checked(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    struct route_day *day = &world.technicians[0].day;
    day->break_us = US(1200);
    day->break_earliest_us = AT(8, 30);
    day->break_latest_us = AT(9, 0);
    go(&world, "T1", "A - B");
    at(&world, 0, AT(8, 10), AT(8, 10), AT(8, 40));
    at(&world, 1, AT(8, 45), AT(8, 45), AT(9, 5));
    at(&world, 2, AT(9, 10), AT(9, 10), AT(9, 40));
    assert_clean(&world);
    at(&world, 1, AT(8, 39), AT(8, 39), AT(8, 59));
    assert_wrong(&world, AUDIT_TIMES,
                 "technician T1: rests from 08:39, and is not free before 08:40");
    at(&world, 1, AT(8, 45), AT(8, 45), AT(9, 4));
    assert_wrong(&world, AUDIT_BREAK, "technician T1: the break ends 09:04, too soon");
    at(&world, 1, AT(9, 1), AT(9, 1), AT(9, 21));
    at(&world, 2, AT(9, 21), AT(9, 21), AT(9, 51));
    assert_wrong(&world, AUDIT_BREAK,
                 "technician T1: the break starts 09:01, after the latest start 09:00");
    at(&world, 2, AT(9, 20), AT(9, 20), AT(9, 50));
    at(&world, 1, AT(9, 0), AT(9, 0), AT(9, 22));
    audited(&world);
    assert_int_equal(world.report.broken, 1u << AUDIT_TIMES); /* he rests while he works */
    day->break_earliest_us = AT(8, 50);
    at(&world, 1, AT(8, 49), AT(8, 49), AT(9, 9));
    assert_wrong(&world, AUDIT_BREAK,
                 "technician T1: the break starts 08:49, before the earliest start 08:50");
    world_make(&world);
    world.technicians[0].day.break_us = US(1200);
    go(&world, "T1", "A");
    at(&world, 0, AT(8, 10), AT(8, 10), AT(8, 40));
    assert_wrong(&world, AUDIT_BREAK, "technician T1: has no break");
}

static void nobody_is_faster_than_travel(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    go(&world, "T1", "A B");
    at(&world, 0, AT(8, 10), AT(8, 10), AT(8, 40));
    at(&world, 1, AT(8, 50), AT(8, 50), AT(9, 20));
    assert_clean(&world);
    at(&world, 1, AT(8, 49), AT(8, 50), AT(9, 20));
    assert_wrong(&world, AUDIT_TIMES, "order B: arrives 08:49, and cannot be there before 08:50");
    at(&world, 1, AT(8, 50), AT(8, 49), AT(9, 20));
    assert_wrong(&world, AUDIT_TIMES, "order B: starts 08:49, before he arrives 08:50");
    at(&world, 1, AT(8, 50), AT(8, 50), AT(9, 19));
    assert_wrong(&world, AUDIT_TIMES, "order B: leaves 09:19, before the service is over 09:20");
    at(&world, 1, AT(8, 50), AT(8, 50), AT(9, 20));
    at(&world, 0, AT(8, 9), AT(8, 10), AT(8, 40));
    assert_wrong(&world, AUDIT_TIMES, "order A: arrives 08:09, and cannot be there before 08:10");
}

static void the_day_ends(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    world.technicians[0].day.shift_end_us = AT(8, 45);
    world.technicians[0].day.overtime_us_max = US(299);
    world.policy.overtime_price_percent = 200;
    go(&world, "T1", "A"); /* home at 8:50 */
    assert_wrong(&world, AUDIT_SHIFT,
                 "technician T1: is at the end place 08:50, after the latest end 08:49:59");
    world.technicians[0].day.overtime_us_max = US(300);
    assert_clean(&world);
    assert_int_equal(world.report.cost.overtime_s, 300);
    assert_int_equal(world.report.cost.overtime, 600);
    world.policy.overtime_tier_us = US(100);
    world.policy.overtime_tier_price_percent = 300;
    assert_clean(&world);
    assert_int_equal(world.report.cost.overtime, 200 + 600);
}

/* --- how far, and how much --- */

static void legs_days_and_loads_are_limited(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    go(&world, "T1", "A C");
    world.technicians[0].day.leg_s_max = 1800;
    world.technicians[0].day.travel_s_max = 3600;
    assert_clean(&world);
    world.technicians[0].day.leg_s_max = 1799;
    assert_wrong(&world, AUDIT_LEG, "technician T1: leg 3 takes 1800 s, longer than 1799 s");
    world.technicians[0].day.leg_s_max = 0;
    world.technicians[0].day.travel_s_max = 3599;
    assert_wrong(&world, AUDIT_TRAVEL, "technician T1: travels 3600 s, more than 3599 s");
    world.technicians[0].day.travel_s_max = 0;
    world.visits[0].load = 3;
    world.visits[2].load = 4;
    assert_clean(&world);
    world.technicians[0].capacity = 6;
    assert_wrong(&world, AUDIT_CAPACITY, "technician T1: carries 7, more than 6");
    world.technicians[0].capacity = 7;
    assert_clean(&world);
}

/* --- what is planned already --- */

static void plan_visit(struct world *world, uint32_t v, enum mobility mobility, int64_t start_us)
{
    world->visits[v].mobility = mobility;
    world->visits[v].technician_id = "T1";
    world->visits[v].planned_start_us = start_us;
    if (mobility == VISIT_FROZEN) world->visits[v].visit.not_before_us = start_us;
}

static void what_is_pinned_stays(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    plan_visit(&world, 0, VISIT_PINNED, AT(10, 0));
    go(&world, "T1", "B");
    assert_wrong(&world, AUDIT_PINNED, "order A: must stay with T1, and nobody serves it");
    world.visits[0].planned_start_us = 0; /* he does not have it yet */
    assert_clean(&world);
    assert_int_equal(world.report.unserved_pinned, 1);
}

static void what_is_frozen_comes_first(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    world.problem.frozen_until_us = AT(9, 0);
    plan_visit(&world, 1, VISIT_FROZEN, AT(8, 30));
    go(&world, "T1", "B A"); /* 8:30 to 9:00, A at 9:10 */
    assert_clean(&world);
    world.problem.frozen_until_us = AT(9, 11);
    assert_wrong(&world, AUDIT_FREEZE,
                 "order A: is new with T1 and starts 09:10, within the freeze until 09:11");
    world.visits[0].emergency = true;
    assert_clean(&world);
    world.plan.route_count = 0;
    go(&world, "T1", "A B");
    assert_wrong(&world, AUDIT_FROZEN, "technician T1: stop 1 must be order B, not A");
    world.plan.route_count = 0;
    go(&world, "T1", "B");
    at(&world, 0, AT(8, 20), AT(8, 29), AT(9, 0));
    assert_wrong(&world, AUDIT_WINDOW, "order B: starts 08:29, before it may, which is from 08:30");
}

static void who_keeps_the_order_keeps_it(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    plan_visit(&world, 1, VISIT_PINNED, AT(8, 30));
    plan_visit(&world, 0, VISIT_PINNED, AT(9, 10));
    go(&world, "T1", "A B");
    assert_clean(&world);
    world.technicians[0].keeps_order = true;
    assert_wrong(&world, AUDIT_ORDER, "technician T1: order B must come before order A");
    world.technicians[0].keeps_order = false;
    world.visits[1].visit.window_count = 1;
    world.visits[1].visit.windows[0] = (struct window){AT(8, 0), AT(12, 0)};
    world.visits[1].visit.stretched_us = US(3600 * 5 / 2); /* until 9:30 by itself */
    assert_clean(&world);
    world.visits[1].visit.stretched_us = US(3600 * 13 / 4);
    assert_wrong(&world, AUDIT_ORDER,
                 "order B: starts 08:50, which its window allows in another order only");
    world.technicians[0].keeps_order = true;
    world.plan.route_count = 0;
    go(&world, "T1", "B A");
    assert_clean(&world);
}

/* A is pinned and its window is over before he can be there: as late as that, and no later. */
static void delay_stretches_no_more_than_it_must(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    plan_visit(&world, 0, VISIT_PINNED, AT(8, 0));
    world.visits[0].visit.window_count = 1;
    world.visits[0].visit.windows[0] = (struct window){AT(8, 0), AT(8, 0)};
    world.technicians[0].day.shift_end_us = AT(8, 30);
    world.technicians[0].day.break_us = US(600);
    world.technicians[0].day.break_latest_us = AT(8, 1);
    world.technicians[0].day.leg_s_max = 60;
    world.technicians[0].day.travel_s_max = 60;
    go(&world, "T1", "A"); /* 8:10, home at 8:50, and no room for the break */
    assert_clean(&world);
    world.visits[0].mobility = VISIT_MOVABLE;
    audited(&world);
    assert_int_equal(world.report.broken,
                     1u << AUDIT_WINDOW | 1u << AUDIT_SHIFT | 1u << AUDIT_LEG | 1u << AUDIT_TRAVEL);
    world.visits[0].mobility = VISIT_PINNED;
    world.technicians[0].day.leg_s_max = world.technicians[0].day.travel_s_max = 0;
    world.plan.route_count = 0;
    go(&world, "T1", "B A");
    audited(&world);
    assert_int_equal(world.report.broken, 1u << AUDIT_WINDOW | 1u << AUDIT_SHIFT);
}

/* --- prices --- */

static void each_part_has_its_price(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    world.policy.travel_price_percent = 50;
    world.policy.preferred_window_missed_s = 70;
    world.policy.preferred_technician_missed_s = 80;
    world.policy.unserved_s_per_priority = 1000;
    world.technicians[1].day.end = minutes_away(1);
    world.visits[0].visit.preferred_count = 1;
    world.visits[0].visit.preferred[0] = (struct window){AT(8, 0), AT(8, 9)};
    world.visits[0].preferred[0] = "T2";
    world.visits[0].preferred_count = 1;
    go(&world, "T1", "A");
    assert_clean(&world);
    const struct audit_cost *cost = &world.report.cost;
    assert_int_equal(cost->travel, 600);
    assert_int_equal(cost->preferred_window, 70);
    assert_int_equal(cost->preferred_technician, 80);
    assert_int_equal(cost->unserved, 5000);
    assert_int_equal(cost->idle, 30);
    assert_int_equal(cost->total, 600 + 70 + 80 + 5000 + 30);
    world.visits[0].visit.preferred[0].end_us = AT(8, 10);
    world.visits[0].preferred[0] = "T1";
    assert_clean(&world);
    assert_int_equal(cost->total, 600 + 5000 + 30);
}

static void changes_cost_more_towards_the_start(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    world.policy.change_technician_s = 60;
    world.policy.change_start_s = 10;
    world.policy.change_start_tolerance_us = US(900);
    plan_visit(&world, 0, VISIT_MOVABLE, AT(8, 25));
    world.visits[0].published = true;
    go(&world, "T1", "A"); /* a quarter of an hour earlier than told */
    assert_clean(&world);
    assert_int_equal(world.report.cost.change_start, 0);
    world.policy.change_start_tolerance_us = US(899);
    world.problem.now_us = AT(4, 25);
    assert_clean(&world);
    assert_int_equal(world.report.cost.change_start, 10);
    world.problem.now_us = AT(6, 25);
    assert_clean(&world);
    assert_int_equal(world.report.cost.change_start, 25);
    world.plan.route_count = 0;
    go(&world, "T2", "A");
    assert_clean(&world);
    assert_int_equal(world.report.cost.change_technician, 150);
    world.visits[0].published = false;
    assert_clean(&world);
    assert_int_equal(world.report.cost.change_technician + world.report.cost.change_start, 0);
}

/* --- the tool --- */

/* Two orders on a line from home, 100 s apart; both must be served, the break is on the way. */
static const char city[] =
    "{\"vehicles\":[{\"id\":7,\"start_index\":0,\"end_index\":0,\"time_window\":[1000,5000],"
    "\"breaks\":[{\"id\":9,\"time_windows\":[[1050,1100]],\"service\":600}]}],"
    "\"jobs\":[{\"id\":12,\"location_index\":1,\"service\":50,\"time_windows\":[[0,1900]]},"
    "{\"id\":13,\"location_index\":2,\"priority\":5}],"
    "\"matrices\":{\"car\":{\"durations\":[[0,100,200],[100,0,100],[200,100,0]]}}}";

/* What `callout audit` says of a plan for the city, and its exit code. */
static int tool_says(const char *plan, const char *options, char *said, size_t size)
{
    char folder[] = "/tmp/callout-audit-XXXXXX", path[64], command[1024];
    assert_non_null(mkdtemp(folder));
    const struct {
        const char *name, *text;
    } files[] = {{"city.json", city}, {"plan.json", plan}};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(files[i].text, file);
        fclose(file);
    }
    snprintf(command, sizeof command,
             "cd %s && { %s audit city.json plan.json %s 2>&1; code=$?; rm -r %s; exit $code; }",
             folder, CALLOUT_BINARY, options, folder);
    return shell_output(command, said, size);
}

#define ROUTE                                                                                      \
    "\"routes\":[{\"technician\":7,\"stops\":["                                                    \
    "{\"kind\":\"break\",\"id\":9,\"arrival\":1050,\"start\":1050,\"departure\":1650},"            \
    "{\"kind\":\"visit\",\"id\":12,\"arrival\":1700,\"start\":1700,\"departure\":1750}%s]}]"

static void assert_tool(const char *plan, int code, const char *text)
{
    char said[4096];
    int exit_code = tool_says(plan, "", said, sizeof said);
    if (strstr(said, text) == NULL) fail_msg("not \"%s\" but: %s", text, said);
    assert_int_equal(exit_code, code);
}

static void the_tool_checks_what_a_plan_says(void **state)
{
    (void)state;
    assert_tool("{\"routes\":[{\"technician\":7,\"stops\":["
                "{\"kind\":\"break\",\"id\":9,\"arrival\":1050,\"start\":1050,\"departure\":1650},"
                "{\"kind\":\"visit\",\"id\":12,\"arrival\":1700,\"start\":1700,"
                "\"departure\":1750}]}],\"travel\":200,\"overtime\":0,\"vehicles\":1,"
                "\"priority_served\":0,\"unassigned\":[13],\"objective\":6200,"
                "\"constants\":{\"unserved\":1000,\"unserved_per_priority\":1000}}",
                EXIT_DONE, "clean: 0 violations; 1 served, 1 not; travel 200 s");
    static const char *const wrong[][2] = {
        {"\"travel\":201", "plan: says travel 201, and it is 200"},
        {"\"overtime\":1", "plan: says overtime 1, and it is 0"},
        {"\"vehicles\":2", "plan: says vehicles 2, and it is 1"},
        {"\"priority_served\":5", "plan: says priority_served 5, and it is 0"},
        {"\"unassigned\":[]", "order 13: is not served, and not listed as unassigned"},
        {"\"unassigned\":[12,13]", "order 12: is served, and listed as unassigned"},
        {"\"objective\":1,\"constants\":{\"unserved\":1,\"unserved_per_priority\":0}",
         "plan: says objective 1, and it is 201"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char plan[1024];
        snprintf(plan, sizeof plan, "{" ROUTE ",%s}", "", wrong[i][0]);
        assert_tool(plan, EXIT_VIOLATION, wrong[i][1]);
    }
}

static void the_tool_checks_what_a_plan_does(void **state)
{
    (void)state;
    assert_tool("{\"routes\":[{\"technician\":7,\"stops\":[{\"kind\":\"visit\",\"id\":12,"
                "\"arrival\":1100,\"start\":1901,\"departure\":1951}]}]}",
                EXIT_VIOLATION, "order 12: starts 1901, after the end of its last window 1900");
    assert_tool("{\"routes\":[{\"technician\":7,\"stops\":[{\"kind\":\"visit\",\"id\":12,"
                "\"arrival\":1100,\"start\":1901,\"departure\":1951}]}]}",
                EXIT_VIOLATION, "technician 7: has no break");
}

/* VROOM's own words for the same route: it rests at home, travels, and drives on. */
static void the_tool_reads_the_words_of_vroom(void **state)
{
    (void)state;
    assert_tool("{\"code\":0,\"routes\":[{\"vehicle\":7,\"cost\":400,\"steps\":["
                "{\"type\":\"start\",\"arrival\":1000},"
                "{\"type\":\"break\",\"id\":9,\"arrival\":1000,\"waiting_time\":50,"
                "\"service\":600},"
                "{\"type\":\"job\",\"id\":12,\"arrival\":1700,\"service\":50},"
                "{\"type\":\"job\",\"id\":13,\"arrival\":1850,\"waiting_time\":5,\"service\":0},"
                "{\"type\":\"end\",\"arrival\":2055}]}],\"unassigned\":[]}",
                EXIT_DONE, "clean: 0 violations; 2 served, 0 not; travel 400 s");
}

/* A plan in both forms must be right in both. */
static void the_tool_reads_both_forms_of_a_plan(void **state)
{
    (void)state;
    static const char both[] =
        "{\"routes\":[{\"technician\":7,\"stops\":["
        "{\"kind\":\"break\",\"id\":9,\"arrival\":1050,\"start\":1050,\"departure\":1650},"
        "{\"kind\":\"visit\",\"id\":12,\"arrival\":1700,\"start\":1700,\"departure\":1750}],"
        "\"vehicle\":7,\"steps\":["
        "{\"type\":\"break\",\"id\":9,\"arrival\":1050,\"service\":600},"
        "{\"type\":\"job\",\"id\":12,\"arrival\":%d,\"service\":50}]}],"
        "\"summary\":{\"duration\":%d}}";
    char plan[1024];
    snprintf(plan, sizeof plan, both, 1700, 200);
    assert_tool(plan, EXIT_DONE, "clean: 0 violations; 1 served, 1 not");
    snprintf(plan, sizeof plan, both, 1699, 200);
    assert_tool(plan, EXIT_VIOLATION, "order 12: arrives 1699, and cannot be there before 1700");
    snprintf(plan, sizeof plan, both, 1700, 100);
    assert_tool(plan, EXIT_VIOLATION, "plan: says travel 100, and it is 200");
}

static void the_tool_refuses_what_is_no_plan(void **state)
{
    (void)state;
    assert_tool("{\"routes\":7}", EXIT_CONFIG,
                "callout audit: plan.json: routes: must be an array");
    assert_tool("{", EXIT_CONFIG, "callout audit: plan.json: line 1, column");
    assert_tool("{\"routes\":[{\"technician\":7,\"stops\":[{\"kind\":\"visit\",\"id\":12,"
                "\"arrival\":\"soon\"}]}]}",
                EXIT_CONFIG, "routes[0].stops[0].arrival: must be a time such as");
    assert_tool("{\"routes\":[{\"technician\":7,\"stops\":[{\"kind\":\"nap\",\"id\":12,"
                "\"arrival\":1,\"start\":1,\"departure\":1}]}]}",
                EXIT_CONFIG, "routes[0].stops[0].kind: must be visit or break");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_known_and_served_once),
        cmocka_unit_test(skills_and_choices_count),
        cmocka_unit_test(named_technicians_count),
        cmocka_unit_test(service_starts_within_a_window),
        cmocka_unit_test(the_break_has_its_window),
        cmocka_unit_test(a_told_break_is_checked),
        cmocka_unit_test(nobody_is_faster_than_travel),
        cmocka_unit_test(the_day_ends),
        cmocka_unit_test(legs_days_and_loads_are_limited),
        cmocka_unit_test(what_is_pinned_stays),
        cmocka_unit_test(what_is_frozen_comes_first),
        cmocka_unit_test(who_keeps_the_order_keeps_it),
        cmocka_unit_test(delay_stretches_no_more_than_it_must),
        cmocka_unit_test(each_part_has_its_price),
        cmocka_unit_test(changes_cost_more_towards_the_start),
        cmocka_unit_test(the_tool_checks_what_a_plan_says),
        cmocka_unit_test(the_tool_checks_what_a_plan_does),
        cmocka_unit_test(the_tool_reads_the_words_of_vroom),
        cmocka_unit_test(the_tool_reads_both_forms_of_a_plan),
        cmocka_unit_test(the_tool_refuses_what_is_no_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
