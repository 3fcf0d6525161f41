/* What is taken, what is refused by name, and what the log may hold all the same. */
#include "desk.h"
#include "dispatcher/core/core.h"
#include "pb/fact.pb-c.h"

static Callout__Policy *a_policy(struct desk *desk)
{
    DESK_NEW(desk, Callout__Policy, policy);
    callout__policy__init(policy);
    policy->freeze_seconds = 1800;
    policy->dispatch_ahead_seconds = 3600;
    policy->accept_timeout_seconds = 600;
    policy->overtime_price_percent = 150;
    policy->unserved_seconds_per_priority = 3600;
    return policy;
}

static const ProtobufCMessage *territory_with(struct desk *desk, Callout__Policy *policy)
{
    const ProtobufCMessage *request = desk_territory(desk, "UTC");
    ((Callout__UpsertTerritoryRequest *)(uintptr_t)request)->territory->policy = policy;
    return request;
}

static Callout__Reply *try_policy(struct desk *desk, Callout__Policy *policy)
{
    char id[32];
    Callout__Principal admin = a_key("admin", "admin");
    snprintf(id, sizeof id, "policy-%u", ++desk->asked);
    return desk_ask_as(desk, &admin, "UpsertTerritory", id, territory_with(desk, policy));
}

static void refused(struct desk *desk, Callout__Policy *policy, const char *field, const char *text)
{
    uint64_t digest = desk_digest(desk);
    Callout__Reply *reply = try_policy(desk, policy);
    assert_int_equal(reply->status, CALLOUT__STATUS__INVALID);
    assert_string_equal(reply->errors[0]->field, field);
    assert_non_null(strstr(reply->text, text));
    assert_true(desk_digest(desk) == digest);
}

static void a_policy_is_refused_by_field_and_range(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    Callout__Policy *policy = a_policy(&desk);
    policy->travel_price_percent = 10001;
    refused(&desk, policy, "territory.policy.travel_price_percent", "from 0 to 10000");
    policy = a_policy(&desk);
    policy->preferred_window_missed_seconds = -1;
    refused(&desk, policy, "territory.policy.preferred_window_missed_seconds", "from 0 to 1000000");
    policy = a_policy(&desk);
    policy->overtime_tier_seconds = 600; /* and a second price below the first */
    policy->overtime_tier_price_percent = 149;
    refused(&desk, policy, "territory.policy.overtime_tier_price_percent", "from 150 to 10000");
    policy = a_policy(&desk);
    uint8_t seven[] = {7};
    ProtobufCMessageUnknownField unknown = {99, PROTOBUF_C_WIRE_TYPE_VARINT, 1, seven};
    policy->base.n_unknown_fields = 1;
    policy->base.unknown_fields = &unknown;
    refused(&desk, policy, "territory.policy", "number 99");
    desk_close(&desk);
}

/* Each change is a version of its own; those of before stay to be read. */
static void a_policy_has_versions(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    Callout__Policy *policy = a_policy(&desk);
    assert_int_equal(try_policy(&desk, policy)->status, CALLOUT__STATUS__OK);
    policy->lateness_price_percent = 250;
    assert_int_equal(try_policy(&desk, policy)->status, CALLOUT__STATUS__OK);
    const struct policy *now = core_policy(engine_core(desk.engine), "north");
    assert_int_equal(now->version, 2);
    assert_int_equal(now->lateness_price_percent, 250);
    union row row;
    struct row_policy key = {.territory_id = "north", .version = 1};
    assert_int_equal(store_get(desk.store, ROW_POLICY, &key, &row), ERR_OK);
    assert_int_equal(row.policy.lateness_price_percent, 100); /* what its 0 meant */
    desk_close(&desk);
}

static Callout__ArrivalWindow *a_window(struct desk *desk, int64_t from_h, int64_t to_h)
{
    DESK_NEW(desk, Callout__ArrivalWindow, window);
    callout__arrival_window__init(window);
    window->start_us = DESK_DAY_US + from_h * HOUR_US;
    window->end_us = DESK_DAY_US + to_h * HOUR_US;
    return window;
}

struct told {
    struct route_visit visit;
};

static void hear_nothing(void *context, const struct problem_technician *technician)
{
    (void)context;
    (void)technician;
}

static void hear_w9(void *context, const struct problem_visit *visit)
{
    if (strcmp(visit->appointment_id, "W9.1") == 0) ((struct told *)context)->visit = visit->visit;
}

static struct route_visit told_of_w9(struct desk *desk)
{
    struct told told = {{.window_count = 99}};
    const struct problem_sink sink = {&told, hear_nothing, hear_w9};
    core_problem(engine_core(desk->engine), "north", DESK_DAY, 0, desk->now_us, &sink);
    return told.visit;
}

/* From 9 to 10 or from 12 to 14, of which 12 to 14 is promised, and best between 13 and 14. */
static Callout__UpsertWorkOrderRequest *promised_order(struct desk *desk)
{
    Callout__UpsertWorkOrderRequest *request = desk_order(desk, "W9");
    Callout__WorkOrder *order = request->work_order;
    order->windows = arena_need(&desk->arena, 3 * sizeof *order->windows);
    order->n_windows = 3;
    order->windows[0] = a_window(desk, 9, 10);
    order->windows[1] = a_window(desk, 12, 14);
    order->windows[2] = a_window(desk, 13, 14);
    order->windows[1]->promised = 1;
    order->windows[2]->preferred = 1;
    order->late_seconds_max = 600;
    return request;
}

static void a_promise_outdoes_the_other_windows(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    desk_do(&desk, "UpsertWorkOrder", &promised_order(&desk)->base);
    struct route_visit visit = told_of_w9(&desk);
    assert_int_equal(visit.window_count, 1);
    assert_int_equal(visit.windows[0].start_us, DESK_DAY_US + 12 * HOUR_US);
    assert_int_equal(visit.preferred_count, 1);
    assert_int_equal(visit.preferred[0].start_us, DESK_DAY_US + 13 * HOUR_US);
    assert_int_equal(visit.late_us_max, 600 * US_PER_SECOND);
    /* The rules by which it was taken stand in the log: it is the same after a start. */
    uint64_t digest = desk_digest(&desk);
    desk_reopen(&desk, NULL);
    assert_true(desk_digest(&desk) == digest);
    desk_close(&desk);
}

static void append(struct desk *desk, const Callout__FactBody *body, enum fact_kind kind)
{
    ProtobufCBinaryData bytes = message_encode(&body->base, &desk->arena);
    assert_int_equal(store_begin(desk->store), ERR_OK);
    assert_int_equal(store_append_fact(desk->store, desk_seq(desk) + 1, desk->now_us, kind,
                                       bytes.data, bytes.len),
                     ERR_OK);
    assert_int_equal(store_commit(desk->store), ERR_OK);
    desk_reopen(desk, NULL);
}

/* What an older program took, nobody judges again. */
static void a_log_of_before_is_read_as_it_stands(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    Callout__FactBody body;
    callout__fact_body__init(&body);
    Callout__Policy *policy = a_policy(&desk);
    policy->freeze_seconds = 100000; /* more than a day */
    body.body_case = CALLOUT__FACT_BODY__BODY_UPSERT_TERRITORY;
    body.upsert_territory =
        (Callout__UpsertTerritoryRequest *)(uintptr_t)territory_with(&desk, policy);
    append(&desk, &body, FACT_TERRITORY);
    assert_int_equal(core_policy(engine_core(desk.engine), "north")->freeze_us,
                     100000 * US_PER_SECOND);
    policy = a_policy(&desk); /* what was there before went with the start */
    policy->freeze_seconds = 100000;
    refused(&desk, policy, "territory.policy.freeze_seconds", "from 0 to 86400");
    /* Without the mark of the rules, a promise is a window like others. */
    callout__fact_body__init(&body);
    body.service_day = DESK_DAY;
    body.body_case = CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER;
    body.upsert_work_order = promised_order(&desk);
    append(&desk, &body, FACT_WORK_ORDER);
    assert_int_equal(told_of_w9(&desk).window_count, 2);
    /* What today's rules refuse altogether is passed over. */
    Callout__CancelWorkOrderRequest cancel;
    callout__cancel_work_order_request__init(&cancel);
    callout__fact_body__init(&body);
    cancel.work_order_id = words("of another age");
    body.body_case = CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER;
    body.cancel_work_order = &cancel;
    int64_t seq = desk_seq(&desk);
    append(&desk, &body, FACT_CANCEL);
    assert_int_equal(desk_seq(&desk), seq + 1);
    desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, "W10")->base);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_is_refused_by_field_and_range),
        cmocka_unit_test(a_policy_has_versions),
        cmocka_unit_test(a_promise_outdoes_the_other_windows),
        cmocka_unit_test(a_log_of_before_is_read_as_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
