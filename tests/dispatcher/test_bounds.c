/* How good a plan is goes with it: into its row, onto the board, and into answers about prices. */
#include "desk.h"
#include "pb/inner.pb-c.h"

static const Callout__BoardReply *board(struct desk *desk)
{
    Callout__BoardRequest request;
    Callout__Principal who = a_key("ann", "dispatcher");
    callout__board_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    return desk_body(desk, desk_ask_as(desk, &who, "Board", "", &request.base),
                     &callout__board_reply__descriptor);
}

static Callout__PlanBound a_bound(uint64_t base_revision, int64_t lower)
{
    Callout__PlanBound bound;
    callout__plan_bound__init(&bound);
    bound.known = true;
    bound.base_revision = base_revision;
    bound.cost_seconds = 4000;
    bound.lower_bound_seconds = lower;
    bound.gap_seconds = 4000 - lower;
    bound.gap_ppm = (4000 - lower) * 250;
    bound.age_seconds = 7;
    return bound;
}

/* Gives W1 to T1, and says how good that is. */
static uint64_t propose(struct desk *desk, Callout__PlanBound *bound)
{
    Callout__PlanCandidate candidate;
    Callout__CandidateRoute route;
    Callout__CandidateRoute *routes[] = {&route};
    char *visits[] = {words("W1.1")};
    callout__plan_candidate__init(&candidate);
    callout__candidate_route__init(&route);
    route.technician_id = words("T1");
    route.appointment_ids = visits;
    route.n_appointment_ids = 1;
    candidate.territory_id = words("north");
    candidate.service_day = DESK_DAY;
    candidate.routes = routes;
    candidate.n_routes = 1;
    candidate.base_revision = candidate.cause_seq = bound->base_revision;
    candidate.bound = bound;
    const Callout__ProposePlanReply *reply =
        desk_body(desk, desk_inner(desk, "ProposePlan", &candidate.base),
                  &callout__propose_plan_reply__descriptor);
    return reply->plan_version;
}

static Callout__Reply *report(struct desk *desk, Callout__PlanBound *bound,
                              Callout__ShadowPrice **prices, size_t count)
{
    Callout__BoundReport message;
    callout__bound_report__init(&message);
    message.territory_id = words("north");
    message.service_day = DESK_DAY;
    message.bound = bound;
    message.prices = prices;
    message.n_prices = count;
    return desk_inner(desk, "ReportBound", &message.base);
}

static const Callout__PlanDiffsReply *diffs(struct desk *desk)
{
    Callout__PlanDiffsRequest request;
    Callout__Principal who = a_key("ann", "dispatcher");
    callout__plan_diffs_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    return desk_body(desk, desk_ask_as(desk, &who, "PlanDiffs", "", &request.base),
                     &callout__plan_diffs_reply__descriptor);
}

static bool feed_has(struct desk *desk, int64_t lower)
{
    Callout__EventFeedRequest request;
    Callout__Principal who = a_key("ann", "dispatcher");
    callout__event_feed_request__init(&request);
    const Callout__EventFeedReply *reply =
        desk_body(desk, desk_ask_as(desk, &who, "EventFeed", "", &request.base),
                  &callout__event_feed_reply__descriptor);
    for (size_t i = 0; i < reply->n_events; i++) {
        const Callout__PlanBound *bound = reply->events[i]->bound;
        if (bound != NULL && bound->lower_bound_seconds == lower) return true;
    }
    return false;
}

/* A plan keeps what it was published with, also when everything is read again. */
static void a_plan_carries_its_bound(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    assert_false(board(&desk)->solver->bound_known);
    Callout__PlanBound bound = a_bound((uint64_t)desk_seq(&desk), 3900);
    assert_int_equal(propose(&desk, &bound), 1);
    for (int again = 0; again < 2; again++) {
        const Callout__SolverState *solver = board(&desk)->solver;
        assert_true(solver->bound_known);
        assert_int_equal(solver->bound_seconds, 3900);
        assert_int_equal(solver->gap_permille, 25);
        assert_int_equal(solver->bound->gap_seconds, 100);
        assert_true(solver->bound->certified);
        assert_int_equal(board(&desk)->plan->bound->lower_bound_seconds, 3900);
        assert_int_equal(diffs(&desk)->diffs[0]->plan->bound->gap_ppm, 25000);
        assert_int_equal(diffs(&desk)->diffs[0]->plan->bound->age_seconds, 7);
        assert_true(feed_has(&desk, 3900));
        desk_reopen(&desk, NULL);
    }
    desk_close(&desk);
}

/* A better bound comes later; an event makes it one of before, until the next. */
static void a_bound_is_of_its_state(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    Callout__PlanBound bound = a_bound((uint64_t)desk_seq(&desk), 3900);
    propose(&desk, &bound);
    bound = a_bound((uint64_t)desk_seq(&desk), 3980);
    assert_int_equal(report(&desk, &bound, NULL, 0)->status, CALLOUT__STATUS__OK);
    desk.now_us += 60 * US_PER_SECOND;
    const Callout__PlanBound *seen = board(&desk)->solver->bound;
    assert_int_equal(seen->lower_bound_seconds, 3980);
    assert_int_equal(seen->age_seconds, 67);
    assert_true(seen->certified);
    assert_int_equal(board(&desk)->plan->bound->lower_bound_seconds, 3900);
    desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, "W3")->base);
    seen = board(&desk)->solver->bound;
    assert_int_equal(seen->lower_bound_seconds, 3980);
    assert_false(seen->certified);
    bound.known = false;
    assert_int_equal(report(&desk, &bound, NULL, 0)->status, CALLOUT__STATUS__INVALID);
    desk_close(&desk);
}

static Callout__ShadowPrice *a_price(struct desk *desk, Callout__ShadowPriceKind kind,
                                     const char *appointment_id, const char *skill, int64_t seconds)
{
    DESK_NEW(desk, Callout__ShadowPrice, price);
    callout__shadow_price__init(price);
    price->kind = kind;
    price->appointment_id = words(appointment_id);
    price->skill = words(skill);
    price->seconds = seconds;
    return price;
}

static const Callout__ShadowPricesReply *prices(struct desk *desk, const char *appointment_id,
                                                uint32_t count)
{
    Callout__ShadowPricesRequest request;
    Callout__Principal who = a_key("pat", "planner");
    callout__shadow_prices_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    request.appointment_id = words(appointment_id);
    request.count = count;
    return desk_body(desk, desk_ask_as(desk, &who, "ShadowPrices", "", &request.base),
                     &callout__shadow_prices_reply__descriptor);
}

static void prices_come_dearest_first(void **state)
{
    struct desk desk;
    (void)state;
    desk_open_furnished(&desk);
    assert_int_equal(prices(&desk, "", 0)->n_prices, 0);
    assert_false(prices(&desk, "", 0)->bound->known);
    Callout__PlanBound bound = a_bound((uint64_t)desk_seq(&desk), 3900);
    Callout__ShadowPrice *list[] = {
        a_price(&desk, CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_SKILL_HOUR, "", "gas", 900),
        a_price(&desk, CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_VISIT, "W1.1", "", 100),
        a_price(&desk, CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_VISIT, "W2.1", "", 2400),
        a_price(&desk, CALLOUT__SHADOW_PRICE_KIND__PRICE_OF_SKILL_HOUR, "", "heat", 1800),
    };
    assert_int_equal(report(&desk, &bound, list, 4)->status, CALLOUT__STATUS__OK);
    const Callout__ShadowPricesReply *reply = prices(&desk, "", 0);
    assert_true(reply->bound->known);
    assert_int_equal(reply->basis->log_seq, desk_seq(&desk));
    assert_int_equal(reply->n_prices, 4);
    assert_string_equal(reply->prices[0]->appointment_id, "W2.1");
    assert_string_equal(reply->prices[1]->appointment_id, "W1.1");
    assert_string_equal(reply->prices[2]->skill, "heat");
    reply = prices(&desk, "", 1);
    assert_int_equal(reply->n_prices, 2);
    assert_int_equal(reply->prices[1]->seconds, 1800);
    reply = prices(&desk, "W1.1", 0);
    assert_int_equal(reply->n_prices, 1);
    assert_int_equal(reply->prices[0]->seconds, 100);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_carries_its_bound),
        cmocka_unit_test(a_bound_is_of_its_state),
        cmocka_unit_test(prices_come_dearest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
