/* Where a territory wants it, a plan waits for a person: taken whole, in part, or not at all. */
#include "desk.h"
#include "pb/inner.pb-c.h"

enum { WAIT_S = 600, ROUTES_MAX = 4 };

/* --- who asks what --- */

static Callout__Principal ann(void)
{
    return a_key("ann", "dispatcher");
}

static const Callout__BoardReply *board(struct desk *desk)
{
    Callout__BoardRequest request;
    Callout__Principal who = ann();
    callout__board_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    return desk_body(desk, desk_ask_as(desk, &who, "Board", "", &request.base),
                     &callout__board_reply__descriptor);
}

static const Callout__ProposalReply *proposal(struct desk *desk)
{
    Callout__ProposalRequest request;
    Callout__Principal who = ann();
    callout__proposal_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    return desk_body(desk, desk_ask_as(desk, &who, "Proposal", "", &request.base),
                     &callout__proposal_reply__descriptor);
}

static void set_review(struct desk *desk, uint32_t wait_seconds, Callout__Status expected)
{
    Callout__SetReviewRequest request;
    Callout__Principal who = ann();
    callout__set_review_request__init(&request);
    request.territory_id = words("north");
    request.wait_seconds = wait_seconds;
    assert_int_equal(desk_ask_as(desk, &who, "SetReview", "", &request.base)->status, expected);
}

static void accept_under(struct desk *desk, const char *request_id, uint64_t number,
                         const char *technician_id, Callout__Status expected)
{
    char *names[] = {words(technician_id)};
    Callout__AcceptProposalRequest request;
    Callout__Principal who = ann();
    callout__accept_proposal_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    request.number = number;
    request.technician_ids = names;
    request.n_technician_ids = technician_id[0] != '\0';
    Callout__Reply *reply = desk_ask_as(desk, &who, "AcceptProposal", request_id, &request.base);
    if (reply->status != expected) fail_msg("%d: %s", (int)reply->status, reply->text);
}

/* Of `technician_id` and with whom he exchanges; "": all of it. */
static void accept(struct desk *desk, uint64_t number, const char *technician_id,
                   Callout__Status expected)
{
    char id[32];
    snprintf(id, sizeof id, "accept-%u", ++desk->asked);
    accept_under(desk, id, number, technician_id, expected);
}

static void discard(struct desk *desk, uint64_t number, Callout__Status expected)
{
    Callout__DiscardProposalRequest request;
    Callout__Principal who = ann();
    callout__discard_proposal_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    request.number = number;
    assert_int_equal(desk_ask_as(desk, &who, "DiscardProposal", "", &request.base)->status,
                     expected);
}

/* --- the optimizer --- */

struct planned {
    const char *technician_id, *first, *second; /* NULL: so many visits less */
};

static uint64_t propose(struct desk *desk, Callout__CandidateStage stage,
                        const struct planned *planned, size_t count)
{
    Callout__PlanCandidate candidate;
    Callout__CandidateRoute routes[ROUTES_MAX], *all[ROUTES_MAX];
    char *visits[ROUTES_MAX][2];
    callout__plan_candidate__init(&candidate);
    for (size_t i = 0; i < count; i++) {
        callout__candidate_route__init(&routes[i]);
        visits[i][0] = words(planned[i].first != NULL ? planned[i].first : "");
        visits[i][1] = words(planned[i].second != NULL ? planned[i].second : "");
        routes[i].technician_id = words(planned[i].technician_id);
        routes[i].appointment_ids = visits[i];
        routes[i].n_appointment_ids =
            (size_t)(planned[i].first != NULL) + (size_t)(planned[i].second != NULL);
        all[i] = &routes[i];
    }
    candidate.territory_id = words("north");
    candidate.service_day = DESK_DAY;
    candidate.stage = stage;
    candidate.routes = all;
    candidate.n_routes = count;
    candidate.base_revision = (uint64_t)desk_seq(desk);
    const Callout__ProposePlanReply *reply =
        desk_body(desk, desk_inner(desk, "ProposePlan", &candidate.base),
                  &callout__propose_plan_reply__descriptor);
    assert_int_equal(reply->n_refused, 0);
    return reply->plan_version;
}

#define SEARCH       CALLOUT__CANDIDATE_STAGE__SEARCH
#define REPAIR       CALLOUT__CANDIDATE_STAGE__REPAIR
#define COUNT(items) (sizeof(items) / sizeof((items)[0]))

static const char *owner(struct desk *desk, const char *appointment_id)
{
    const char *technician_id = "?";
    (void)core_appointment(engine_core(desk->engine), appointment_id, &technician_id);
    return technician_id;
}

static const struct planned at_first[] = {{"T1", "W1.1", NULL}, {"T3", "W3.1", NULL}};
static const struct planned better[] = {
    {"T1", NULL, NULL}, {"T2", "W1.1", NULL}, {"T3", NULL, NULL}, {"T4", "W3.1", NULL}};

/* W1 with T1, W3 with T3, and from now on plans wait. */
static void open_with_plan(struct desk *desk)
{
    desk_open_furnished(desk);
    desk_do(desk, "UpsertTechnician", desk_technician(desk, "T3"));
    desk_do(desk, "UpsertTechnician", desk_technician(desk, "T4"));
    desk_do(desk, "UpsertWorkOrder", &desk_order(desk, "W3")->base);
    set_review(desk, WAIT_S, CALLOUT__STATUS__OK);
    assert_int_equal(propose(desk, SEARCH, at_first, COUNT(at_first)), 1); /* the first waits not */
}

/* --- what waits --- */

static void without_review_nothing_waits(void **state)
{
    struct desk desk;
    (void)state;
    open_with_plan(&desk);
    set_review(&desk, 0, CALLOUT__STATUS__OK);
    assert_int_equal(propose(&desk, SEARCH, better, COUNT(better)), 2);
    assert_string_equal(owner(&desk, "W1.1"), "T2");
    assert_int_equal(proposal(&desk)->wait_seconds, 0);
    set_review(&desk, 86401, CALLOUT__STATUS__INVALID);
    desk_close(&desk);
}

static void a_better_plan_waits_and_is_shown(void **state)
{
    struct desk desk;
    (void)state;
    open_with_plan(&desk);
    uint64_t digest = desk_digest(&desk);
    int64_t seq = desk_seq(&desk);
    assert_int_equal(propose(&desk, SEARCH, better, COUNT(better)), 0);
    assert_int_equal(board(&desk)->solver->proposal_number, 1);
    assert_int_equal(board(&desk)->solver->proposal_changes, 2);
    const Callout__ProposalReply *seen = proposal(&desk);
    assert_int_equal(seen->number, 1);
    assert_int_equal(seen->until_us - seen->made_us, WAIT_S * US_PER_SECOND);
    assert_int_equal(seen->diff->moved, 2);
    assert_int_equal(seen->diff->plan->n_changes, 2);
    assert_non_null(seen->diff->after);
    assert_int_equal(seen->n_parts, 2);
    assert_int_equal(seen->parts[0]->n_technician_ids, 2);
    assert_string_equal(seen->parts[0]->appointment_ids[0], "W1.1");
    assert_true(desk_digest(&desk) == digest && desk_seq(&desk) == seq); /* nothing has happened */
    assert_string_equal(owner(&desk, "W1.1"), "T1");
    desk_close(&desk);
}

static void repairs_and_emergencies_never_wait(void **state)
{
    static const struct planned repaired[] = {{"T2", "W2.1", NULL}};
    static const struct planned urgent[] = {{"T4", "W4.1", NULL}};
    struct desk desk;
    (void)state;
    open_with_plan(&desk);
    assert_int_equal(propose(&desk, REPAIR, repaired, COUNT(repaired)), 2);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W4");
    order->work_order->emergency = true;
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    assert_int_equal(propose(&desk, SEARCH, urgent, COUNT(urgent)), 3);
    assert_int_equal(proposal(&desk)->number, 0);
    desk_close(&desk);
}

/* --- what becomes of it --- */

static void accepted_whole_it_is_a_plan_of_a_person(void **state)
{
    struct desk desk;
    (void)state;
    open_with_plan(&desk);
    propose(&desk, SEARCH, better, COUNT(better));
    accept(&desk, 2, "", CALLOUT__STATUS__CONFLICT); /* it is another one */
    accept_under(&desk, "once", 1, "", CALLOUT__STATUS__OK);
    assert_string_equal(owner(&desk, "W1.1"), "T2");
    assert_string_equal(owner(&desk, "W3.1"), "T4");
    assert_int_equal(board(&desk)->plan->version, 2);
    assert_int_equal(board(&desk)->solver->proposal_number, 0);
    accept_under(&desk, "once", 1, "", CALLOUT__STATUS__OK); /* asked twice, done once */
    accept(&desk, 1, "", CALLOUT__STATUS__CONFLICT);
    assert_int_equal(board(&desk)->plan->version, 2);
    Callout__EventFeedRequest feed;
    Callout__Principal who = ann();
    callout__event_feed_request__init(&feed);
    const Callout__EventFeedReply *reply =
        desk_body(&desk, desk_ask_as(&desk, &who, "EventFeed", "", &feed.base),
                  &callout__event_feed_reply__descriptor);
    assert_string_equal(reply->events[reply->n_events - 1]->actor, "ann");
    uint64_t digest = desk_digest(&desk);
    desk_reopen(&desk, NULL);
    assert_true(desk_digest(&desk) == digest);
    assert_int_equal(proposal(&desk)->wait_seconds, WAIT_S);
    desk_close(&desk);
}

static void accepted_in_part_the_rest_waits_on(void **state)
{
    struct desk desk;
    (void)state;
    open_with_plan(&desk);
    propose(&desk, SEARCH, better, COUNT(better));
    accept(&desk, 1, "T9", CALLOUT__STATUS__INVALID);
    accept(&desk, 1, "T2", CALLOUT__STATUS__OK); /* with T1, from whom it comes */
    assert_string_equal(owner(&desk, "W1.1"), "T2");
    assert_string_equal(owner(&desk, "W3.1"), "T3");
    const Callout__ProposalReply *rest = proposal(&desk);
    assert_int_equal(rest->number, 2);
    assert_int_equal(rest->n_parts, 1);
    assert_string_equal(rest->parts[0]->appointment_ids[0], "W3.1");
    accept(&desk, 2, "T1", CALLOUT__STATUS__INVALID);
    accept(&desk, 2, "", CALLOUT__STATUS__OK);
    assert_string_equal(owner(&desk, "W3.1"), "T4");
    assert_int_equal(proposal(&desk)->number, 0);
    desk_close(&desk);
}

static void turned_down_it_does_not_come_again(void **state)
{
    static const struct planned other[] = {{"T1", NULL, NULL}, {"T4", "W1.1", NULL}};
    struct desk desk;
    (void)state;
    open_with_plan(&desk);
    propose(&desk, SEARCH, better, COUNT(better));
    discard(&desk, 7, CALLOUT__STATUS__CONFLICT);
    discard(&desk, 1, CALLOUT__STATUS__OK);
    discard(&desk, 1, CALLOUT__STATUS__CONFLICT);
    assert_int_equal(propose(&desk, SEARCH, better, COUNT(better)), 0);
    assert_int_equal(proposal(&desk)->number, 0);
    assert_string_equal(owner(&desk, "W1.1"), "T1");
    assert_int_equal(propose(&desk, SEARCH, other, COUNT(other)), 0);
    assert_int_equal(proposal(&desk)->number, 2);
    desk_close(&desk);
}

static void a_newer_one_takes_its_place_unless_somebody_looks(void **state)
{
    static const struct planned newer[] = {{"T1", NULL, NULL}, {"T4", "W1.1", NULL}};
    struct desk desk;
    (void)state;
    open_with_plan(&desk);
    propose(&desk, SEARCH, better, COUNT(better));
    propose(&desk, SEARCH, newer, COUNT(newer));
    assert_int_equal(proposal(&desk)->number, 2);
    assert_int_equal(propose(&desk, SEARCH, better, COUNT(better)), 0);
    assert_int_equal(proposal(&desk)->number, 2);
    accept(&desk, 2, "", CALLOUT__STATUS__OK);
    assert_string_equal(owner(&desk, "W1.1"), "T4");
    desk_close(&desk);
}

static void its_time_ends_and_facts_overtake_it(void **state)
{
    struct desk desk;
    (void)state;
    open_with_plan(&desk);
    propose(&desk, SEARCH, better, COUNT(better));
    desk_do(&desk, "Assign", &desk_assign(&desk, "W2.1", "T1")->base);
    const Callout__ProposalReply *left = proposal(&desk); /* what T1 is part of is overtaken */
    assert_int_equal(left->n_parts, 1);
    assert_string_equal(left->parts[0]->appointment_ids[0], "W3.1");
    desk.now_us += (WAIT_S - 1) * US_PER_SECOND;
    assert_int_equal(board(&desk)->solver->proposal_number, 1);
    desk.now_us += US_PER_SECOND;
    assert_int_equal(board(&desk)->solver->proposal_number, 0);
    accept(&desk, 1, "", CALLOUT__STATUS__CONFLICT);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_review_nothing_waits),
        cmocka_unit_test(a_better_plan_waits_and_is_shown),
        cmocka_unit_test(repairs_and_emergencies_never_wait),
        cmocka_unit_test(accepted_whole_it_is_a_plan_of_a_person),
        cmocka_unit_test(accepted_in_part_the_rest_waits_on),
        cmocka_unit_test(turned_down_it_does_not_come_again),
        cmocka_unit_test(a_newer_one_takes_its_place_unless_somebody_looks),
        cmocka_unit_test(its_time_ends_and_facts_overtake_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
