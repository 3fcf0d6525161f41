/* What a recorded day teaches: its journeys and visits become the spreads of a scenario, its people
 * and orders a day to be lived again. */
#include "tests/dispatcher/desk.h"

#include "dispatcher/replay.h"
#include "dispatcher/store/store.h"
#include "sim/scenario/generate.h"
#include "sim/scratch.h"
#include "sim/world/like.h"
#include "sim/world/recorded.h"

enum { VISITS = 12, LEG_S = 220 }; /* as the plan reckons from home to the orders' site */

#define AT(hour, minute) (DESK_DAY_US + (hour)*HOUR_US + (minute)*US_PER_MINUTE)

static void report(struct desk *desk, struct desk_device *device, int64_t at_us,
                   const char *appointment_id, Callout__AppointmentStatus status)
{
    desk->now_us = at_us;
    Callout__Command *command = desk_status(desk, ++device->seq, appointment_id, status);
    command->device_time_us = at_us;
    Callout__CommandResult *result = desk_push_one(desk, device, command);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__APPLIED);
}

/* Twelve technicians with a visit each. */
static void furnish(struct desk *desk, int visits)
{
    Callout__PlanCandidate candidate;
    callout__plan_candidate__init(&candidate);
    candidate.territory_id = words("north");
    candidate.service_day = DESK_DAY;
    candidate.routes = arena_need(&desk->arena, VISITS * sizeof *candidate.routes);
    desk_do(desk, "UpsertTerritory", desk_territory(desk, "UTC"));
    for (int i = 0; i < visits; i++) {
        char id[8];
        snprintf(id, sizeof id, "T%d", i);
        desk_do(desk, "UpsertTechnician", desk_technician(desk, id));
        DESK_NEW(desk, Callout__CandidateRoute, route);
        callout__candidate_route__init(route);
        route->technician_id = arena_text(&desk->arena, id);
        snprintf(id, sizeof id, "W%d", i);
        desk_do(desk, "UpsertWorkOrder", &desk_order(desk, id)->base);
        snprintf(id, sizeof id, "W%d.1", i);
        route->appointment_ids = arena_need(&desk->arena, sizeof(char *));
        route->appointment_ids[route->n_appointment_ids++] = arena_text(&desk->arena, id);
        candidate.routes[candidate.n_routes++] = route;
    }
    candidate.base_revision = candidate.cause_seq = (uint64_t)desk_seq(desk);
    desk_inner(desk, "ProposePlan", &candidate.base);
}

/* Journeys of twice the time and work of one and a half times the time that was reckoned with. */
static void live(struct desk *desk, int visits)
{
    for (int i = 0; i < visits; i++) {
        char technician_id[8], appointment_id[8];
        snprintf(technician_id, sizeof technician_id, "T%d", i);
        snprintf(appointment_id, sizeof appointment_id, "W%d.1", i);
        struct desk_device device = desk_device(desk, technician_id);
        int64_t there_us = AT(8, 1) + (int64_t)2 * LEG_S * US_PER_SECOND;
        int64_t done_us = there_us + 45 * US_PER_MINUTE;
        report(desk, &device, AT(8, 1), appointment_id, CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
        report(desk, &device, there_us, appointment_id, CALLOUT__APPOINTMENT_STATUS__ON_SITE);
        report(desk, &device, there_us, appointment_id, CALLOUT__APPOINTMENT_STATUS__WORKING);
        report(desk, &device, done_us, appointment_id, CALLOUT__APPOINTMENT_STATUS__COMPLETED);
    }
}

static void record(const char *folder, int visits)
{
    struct desk desk;
    struct store *store;
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    desk_open(&desk, store, folder);
    furnish(&desk, visits);
    live(&desk, visits);
    desk_close(&desk);
}

static enum err learn(int visits, struct scenario *scenario, struct problem *problem)
{
    char folder[SCRATCH_PATH];
    struct day_errors errors;
    struct like_count count;
    assert_int_equal(scenario_read(scenario, "town-small", NULL, 0, &errors), ERR_OK);
    assert_int_equal(scratch_make(folder, problem), ERR_OK);
    record(folder, visits);
    snprintf(scenario->like, sizeof scenario->like, "%s", folder);
    enum err err = like_learn(scenario, &count, problem);
    assert_int_equal(count.journeys, visits);
    assert_int_equal(count.services, visits);
    scratch_remove(folder);
    return err;
}

static void what_was_recorded_becomes_the_spread(void **state)
{
    static struct scenario scenario;
    struct problem problem = {0};
    (void)state;
    if (learn(VISITS, &scenario, &problem) != ERR_OK) fail_msg("%s", problem.text);
    for (int i = 0; i < SPREAD_POINTS; i++) {
        assert_int_equal(scenario.roads.travel.permille[i], 2000);
        assert_int_equal(scenario.service.work.permille[i], 1500);
    }
    for (int hour = 0; hour < HOURS; hour++) {
        assert_int_equal(scenario.roads.by_hour[hour], 100);
        assert_int_equal(scenario.service.by_hour[hour], 100);
    }
}

static void too_little_is_not_taken_for_a_spread(void **state)
{
    static struct scenario scenario, before;
    struct problem problem = {0};
    struct day_errors errors;
    (void)state;
    assert_int_equal(scenario_read(&before, "town-small", NULL, 0, &errors), ERR_OK);
    assert_int_equal(learn(4, &scenario, &problem), ERR_INVALID);
    assert_non_null(strstr(problem.text, "4 journeys"));
    assert_memory_equal(&scenario.roads, &before.roads, sizeof before.roads);
    assert_memory_equal(&scenario.service, &before.service, sizeof before.service);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    static struct scenario scenario;
    struct problem problem = {0};
    struct day_errors errors;
    struct like_count count;
    (void)state;
    assert_int_equal(scenario_read(&scenario, "town-small", NULL, 0, &errors), ERR_OK);
    assert_int_equal(like_learn(&scenario, &count, &problem), ERR_OK); /* nobody to be like */
    snprintf(scenario.like, sizeof scenario.like, "/nowhere/at/all");
    assert_int_not_equal(like_learn(&scenario, &count, &problem), ERR_OK);
    assert_true(problem.text[0] != '\0');
}

/* --- the day itself --- */

static void order_at(struct desk *desk, int64_t now_us, const char *id, int64_t start_us,
                     int64_t end_us, bool emergency)
{
    Callout__UpsertWorkOrderRequest *request = desk_order(desk, id);
    DESK_NEW(desk, Callout__ArrivalWindow, window);
    callout__arrival_window__init(window);
    window->start_us = start_us;
    window->end_us = end_us;
    request->work_order->windows = arena_need(&desk->arena, sizeof window);
    request->work_order->windows[0] = window;
    request->work_order->n_windows = start_us != 0;
    request->work_order->emergency = emergency;
    request->work_order->priority = now_us < AT(8, 0) ? 5 : 7;
    desk->now_us = now_us;
    desk_do(desk, "UpsertWorkOrder", &request->base);
}

/* Two orders of Monday, one of them said twice, and one of Tuesday. */
static void record_orders(const char *folder)
{
    struct desk desk;
    struct store *store;
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    desk_open(&desk, store, folder);
    desk.now_us = AT(6, 0);
    desk_do(&desk, "UpsertTerritory", desk_territory(&desk, "Europe/Vaduz"));
    desk_do(&desk, "UpsertTechnician", desk_technician(&desk, "T1"));
    desk_do(&desk, "UpsertTechnician", desk_technician(&desk, "T2"));
    order_at(&desk, AT(7, 0), "W1", AT(9, 0), AT(10, 0), false);
    order_at(&desk, AT(7, 1), "W3", AT(9, 0) + US_PER_DAY, AT(10, 0) + US_PER_DAY, false);
    order_at(&desk, AT(8, 30), "W1", AT(9, 0), AT(11, 0), false);
    order_at(&desk, AT(10, 7), "W2", 0, 0, true);
    desk_close(&desk);
}

static void a_recorded_day_is_there_to_be_lived_again(void **state)
{
    static struct scenario scenario;
    struct problem problem = {0};
    static struct day_errors errors;
    struct day day;
    char folder[SCRATCH_PATH], files[SCRATCH_PATH];
    (void)state;
    assert_int_equal(scratch_make(folder, &problem), ERR_OK);
    assert_int_equal(scratch_make(files, &problem), ERR_OK);
    record_orders(folder);
    assert_true(recorded_is(folder));
    assert_int_equal(scenario_read(&scenario, folder, NULL, 0, &errors), ERR_OK);
    uint64_t digest = scenario_digest(&scenario);
    if (recorded_take(&scenario, files, &problem) != ERR_OK) fail_msg("%s", problem.text);
    assert_true(scenario_digest(&scenario) == digest); /* wherever the files lie */
    assert_false(recorded_is(files));
    if (scenario_day(&day, &scenario, NULL, 1, 0, &errors) != ERR_OK)
        fail_msg("%s: %s", errors.items[0].field, errors.items[0].text);
    assert_int_equal(day.service_day, DESK_DAY);
    assert_string_equal(day.time_zone, "Europe/Vaduz");
    assert_int_equal(day.technician_count, 2);
    assert_int_equal(day.technicians[0].shift_start_us, AT(8, 0));
    assert_int_equal(day.technicians[0].home.lat_e7, 471000000);
    assert_int_equal(day.order_count, 2);
    const struct day_order *first = &day.orders[0], *second = &day.orders[1];
    assert_string_equal(first->id, "W1");
    assert_int_equal(first->received_us, AT(7, 0));
    assert_int_equal(first->priority, 7);
    assert_int_equal(first->window_start_us, AT(9, 0));
    assert_int_equal(first->window_end_us, AT(11, 30)); /* half an hour of service */
    assert_string_equal(second->id, "W2");
    assert_string_equal(second->work_type, "emergency");
    assert_int_equal(second->received_us, AT(10, 7));
    assert_int_equal(second->window_end_us, AT(17, 0));
    day_fini(&day);
    scratch_remove(folder);
    scratch_remove(files);
}

static void a_folder_without_a_day_is_named(void **state)
{
    struct problem problem = {0};
    struct day day;
    struct store *store;
    char folder[SCRATCH_PATH];
    (void)state;
    assert_int_equal(scratch_make(folder, &problem), ERR_OK);
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    store_close(store);
    assert_int_equal(recorded_day(&day, folder, &problem), ERR_NOT_FOUND);
    assert_non_null(strstr(problem.text, "no day"));
    scratch_remove(folder);
    assert_int_not_equal(recorded_day(&day, folder, &problem), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_recorded_becomes_the_spread),
        cmocka_unit_test(too_little_is_not_taken_for_a_spread),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(a_recorded_day_is_there_to_be_lived_again),
        cmocka_unit_test(a_folder_without_a_day_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
