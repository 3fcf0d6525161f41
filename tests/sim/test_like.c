/* What a recorded day teaches: its journeys and visits become the spreads of a scenario. */
#include "tests/dispatcher/desk.h"

#include "dispatcher/replay.h"
#include "dispatcher/store/store.h"
#include "sim/scratch.h"
#include "sim/world/like.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_recorded_becomes_the_spread),
        cmocka_unit_test(too_little_is_not_taken_for_a_spread),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
