/* The planner, driven by hand: what it asks is kept, and answered when the story says so. */
#include "message.h"
#include "optimizer/foresight.h"
#include "optimizer/planner.h"
#include "pb/inner.pb-c.h"
#include "pb/wire.pb-c.h"
#include "random_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    CHUNKS_MAX = 1000,
    ROUNDS = 200,
    DAYS = LIMIT_SERVICE_DAYS,
    ORDERS_MAX = FORESIGHT_FROM, /* who takes ten minutes each fill most of a day */
};

/* Its questions that are not answered yet; none: 0. */
static struct {
    uint64_t news, proposal;
    bool settled; /* the proposal says that nothing better is known */
    int64_t service_day;
    uint32_t routes, visits;
} asked;

static struct arena memory;

static bool hear(void *context, uint64_t cookie, const void *bytes, size_t size,
                 uint32_t deadline_ms)
{
    ProtobufCMessage *message;
    struct problem problem;
    (void)context, (void)deadline_ms;
    assert_int_equal(
        message_decode(&callout__request__descriptor, bytes, size, &memory, &message, &problem),
        ERR_OK);
    const Callout__Request *request = (const Callout__Request *)message;
    if (strcmp(request->method, "NextProblem") == 0) {
        asked.news = cookie;
        return true;
    }
    assert_string_equal(request->method, "ProposePlan");
    assert_int_equal(message_decode(&callout__plan_candidate__descriptor, request->body.data,
                                    request->body.len, &memory, &message, &problem),
                     ERR_OK);
    const Callout__PlanCandidate *candidate = (const Callout__PlanCandidate *)message;
    asked.proposal = cookie;
    asked.settled = candidate->settled;
    asked.service_day = candidate->service_day;
    asked.routes = (uint32_t)candidate->n_routes;
    asked.visits = 0;
    for (size_t r = 0; r < candidate->n_routes; r++) {
        const Callout__CandidateRoute *route = candidate->routes[r];
        for (size_t i = 0; i < route->n_appointment_ids; i++)
            assert_int_equal(route->appointment_ids[i][0], 'V');
        asked.visits += (uint32_t)route->n_appointment_ids;
    }
    return true;
}

static int64_t no_time(void *context)
{
    (void)context;
    return 0;
}

static struct planner *open_planner(void)
{
    const struct planner_options options = {
        .rounds = ROUNDS, .seed = 1, .lockstep = true, .expected_percent = 50};
    const struct planner_ports ports = {.ask = hear, .now_us = no_time};
    memset(&asked, 0, sizeof asked);
    arena_open(&memory, 256 << 20);
    struct planner *planner = planner_open(&options, &ports);
    planner_tick(planner);
    return planner;
}

static void close_planner(struct planner *planner)
{
    planner_close(planner);
    planner_leave();
    arena_close(&memory);
}

static void answer(struct planner *planner, uint64_t *cookie, const ProtobufCMessage *body)
{
    Callout__Reply reply;
    callout__reply__init(&reply);
    reply.status = CALLOUT__STATUS__OK;
    reply.body = message_encode(body, &memory);
    ProtobufCBinaryData bytes = message_encode(&reply.base, &memory);
    uint64_t question = *cookie;
    assert_int_not_equal(question, 0);
    *cookie = 0;
    planner_answered(planner, question, ERR_OK, bytes.data, bytes.len);
    planner_tick(planner);
}

/* A day with one technician and one visit that nobody has yet. */
/* One technician, and so many orders at one place. */
static void tell_orders(struct planner *planner, int64_t service_day, uint64_t revision,
                        uint32_t count)
{
    static char territory[] = "north", nobody[] = "", person[] = "T0", ids[ORDERS_MAX][8];
    static Callout__ProblemVisit orders[ORDERS_MAX], *visits[ORDERS_MAX];
    Callout__NextProblemReply news;
    Callout__ProblemTechnician technician, *technicians[] = {&technician};
    Callout__Point place;
    callout__next_problem_reply__init(&news);
    callout__problem_technician__init(&technician);
    callout__point__init(&place);
    place.lat_e7 = 471000000;
    place.lon_e7 = 95000000;
    news.territory_id = territory;
    news.service_day = service_day;
    news.revision = news.cause_seq = revision;
    news.now_us = news.frozen_until_us = US(service_day * 86400);
    technician.technician_id = person;
    technician.start = technician.end = &place;
    technician.available_us = US(service_day * 86400 + 8 * 3600);
    technician.shift_end_us = US(service_day * 86400 + 17 * 3600);
    for (uint32_t i = 0; i < count; i++) {
        Callout__ProblemVisit *visit = visits[i] = &orders[i];
        callout__problem_visit__init(visit);
        snprintf(ids[i], sizeof ids[i], "V%u", i);
        visit->appointment_id = ids[i];
        visit->point = &place;
        visit->service_seconds = 600;
        visit->priority = 5;
        visit->mobility = CALLOUT__MOBILITY__MOVABLE;
        visit->technician_id = nobody;
    }
    news.technicians = technicians;
    news.visits = visits;
    news.n_technicians = 1;
    news.n_visits = count;
    answer(planner, &asked.news, &news.base);
}

static void tell_snapshot(struct planner *planner, int64_t service_day, uint64_t revision)
{
    tell_orders(planner, service_day, revision, 1);
}

/* Time went on: no event, nothing else. */
static void tell_time(struct planner *planner, int64_t service_day, uint64_t revision)
{
    static char territory[] = "north";
    Callout__NextProblemReply news;
    callout__next_problem_reply__init(&news);
    news.territory_id = territory;
    news.service_day = service_day;
    news.base_revision = revision;
    news.revision = revision + 1;
    news.now_us = news.frozen_until_us = US(service_day * 86400 + 60);
    answer(planner, &asked.news, &news.base);
}

static void refuse_all(struct planner *planner)
{
    Callout__ProposePlanReply reply;
    callout__propose_plan_reply__init(&reply);
    answer(planner, &asked.proposal, &reply.base);
}

/* Searches until a candidate comes out. */
static void work(struct planner *planner)
{
    for (uint32_t i = 0; asked.proposal == 0; i++) {
        assert_true(planner_searching(planner));
        assert_in_range(i, 0, CHUNKS_MAX);
        (void)planner_work(planner);
        planner_tick(planner);
    }
}

/* The first plan of a day is refused when all its rounds are done; then time goes on. */
static void a_spent_search_does_not_begin_anew(void **state)
{
    struct planner *planner = open_planner();
    (void)state;
    tell_snapshot(planner, SERVICE_DAY, 1);
    work(planner);
    assert_false(asked.settled);
    assert_int_equal(asked.routes, 1);
    refuse_all(planner);
    tell_time(planner, SERVICE_DAY, 1);
    work(planner);
    assert_true(asked.settled);
    close_planner(planner);
}

/* Each is told once, as the dispatcher would: past days stay where they are. */
static void as_many_days_are_planned_as_an_installation_holds(void **state)
{
    struct planner *planner = open_planner();
    (void)state;
    for (uint32_t i = 0; i < DAYS; i++) {
        tell_snapshot(planner, SERVICE_DAY + i, i + 1);
        work(planner);
        assert_int_equal(asked.service_day, SERVICE_DAY + i);
        assert_int_equal(asked.routes, 1);
        refuse_all(planner);
        work(planner);
        assert_true(asked.settled);
        refuse_all(planner);
    }
    close_planner(planner);
}

/* News in the middle of a first plan, and its end: what was guessed for it is nobody's business. */
static void guesses_stay_with_the_planner(void **state)
{
    struct planner *planner = open_planner();
    (void)state;
    tell_orders(planner, SERVICE_DAY, 1, ORDERS_MAX);
    assert_true(planner_searching(planner));
    (void)planner_work(planner);
    assert_int_equal(asked.proposal, 0);
    tell_time(planner, SERVICE_DAY, 1);
    work(planner);
    assert_false(asked.settled);
    assert_int_equal(asked.visits, ORDERS_MAX);
    refuse_all(planner);
    work(planner);
    assert_true(asked.settled);
    close_planner(planner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spent_search_does_not_begin_anew),
        cmocka_unit_test(as_many_days_are_planned_as_an_installation_holds),
        cmocka_unit_test(guesses_stay_with_the_planner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
