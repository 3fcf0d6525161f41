/* How far a plan has come to its technician: sent, delivered, seen, accepted. */
#include "desk_views.h"
#include "pb/people.pb-c.h"

static const Callout__PlanAck *ack_of(struct desk *desk, const char *technician_id,
                                      bool unseen_only)
{
    Callout__PlanAcksRequest request;
    callout__plan_acks_request__init(&request);
    request.territory_id = words("north");
    request.unseen_only = unseen_only;
    Callout__PlanAcksReply *reply = desk_body(desk, desk_do(desk, "PlanAcks", &request.base),
                                              &callout__plan_acks_reply__descriptor);
    for (size_t i = 0; i < reply->n_acks; i++)
        if (strcmp(reply->acks[i]->technician_id, technician_id) == 0) return reply->acks[i];
    return NULL;
}

static void say(struct desk *desk, struct desk_device *device, uint64_t log_seq,
                Callout__AckStage stage)
{
    DESK_NEW(desk, Callout__Command, command);
    DESK_NEW(desk, Callout__AckPlan, ack);
    callout__command__init(command);
    callout__ack_plan__init(ack);
    ack->log_seq = log_seq;
    ack->stage = stage;
    command->seq = ++device->seq;
    command->body_case = CALLOUT__COMMAND__BODY_ACK_PLAN;
    command->ack_plan = ack;
    assert_int_equal(desk_push_one(desk, device, command)->outcome, CALLOUT__OUTCOME__APPLIED);
}

static void a_plan_comes_to_its_technician_step_by_step(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    assert_false(ack_of(&desk, "T1", false)->unseen); /* there is nothing to see */
    assert_int_equal(ack_of(&desk, "T1", false)->heard_us, 0);
    ProtobufCBinaryData cursor = desk_snapshot(&desk, &device)->cursor;
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    uint64_t changed = (uint64_t)desk_seq(&desk);
    const Callout__PlanAck *ack = ack_of(&desk, "T1", true);
    assert_int_equal(ack->changed_seq, changed);
    assert_true(ack->unseen);
    assert_true(ack->sent->log_seq < changed);
    assert_null(ack_of(&desk, "T2", true)); /* it does not concern him */
    desk.now_us += US_PER_MINUTE;
    desk_pull(&desk, &device, &cursor);
    ack = ack_of(&desk, "T1", true);
    assert_int_equal(ack->sent->log_seq, changed);
    assert_int_equal(ack->sent->time_us, desk.now_us);
    assert_int_equal(ack->heard_us, desk.now_us);
    assert_true(ack->delivered->log_seq < changed);
    desk.now_us += US_PER_MINUTE;
    desk_pull(&desk, &device, &cursor); /* the cursor came back: it has arrived */
    ack = ack_of(&desk, "T1", true);
    assert_int_equal(ack->delivered->log_seq, changed);
    assert_int_equal(ack->delivered->time_us, desk.now_us);
    say(&desk, &device, changed, CALLOUT__ACK_STAGE__ACK_SEEN);
    assert_null(ack_of(&desk, "T1", true));
    ack = ack_of(&desk, "T1", false);
    assert_int_equal(ack->seen->log_seq, changed);
    assert_int_equal(ack->accepted->log_seq, 0);
    desk.now_us += US_PER_MINUTE;
    say(&desk, &device, changed, CALLOUT__ACK_STAGE__ACK_ACCEPTED);
    /* His own report is no news to him; what a person moves is. */
    Callout__Command *accepts =
        desk_status(&desk, ++device.seq, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED);
    desk_push_one(&desk, &device, accepts);
    assert_null(ack_of(&desk, "T1", true));
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base);
    assert_true(ack_of(&desk, "T1", true)->unseen && ack_of(&desk, "T2", true)->unseen);
    /* What was said outlives a restart; what was sent is said by the next poll. */
    engine_abandon(desk.engine);
    const struct engine_options options = {.clock_by_hand = true};
    assert_int_equal(engine_open(&desk.engine, desk.store, &options, NULL), ERR_OK);
    ack = ack_of(&desk, "T1", false);
    assert_int_equal(ack->accepted->log_seq, changed);
    assert_int_equal(ack->accepted->time_us, desk.now_us);
    assert_null(ack->sent);
    desk_close(&desk);
}

static const Callout__SystemHealthReply *health(struct desk *desk)
{
    Callout__SystemHealthRequest request;
    callout__system_health_request__init(&request);
    return desk_body(desk, desk_do(desk, "SystemHealth", &request.base),
                     &callout__system_health_reply__descriptor);
}

static void who_has_not_fetched_his_changes_is_the_backlog(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    assert_int_equal(health(&desk)->devices, 1);
    assert_int_equal(health(&desk)->devices_behind, 0);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    assert_int_equal(health(&desk)->devices_behind, 1);
    assert_int_equal(health(&desk)->behind_since_us, 0); /* it was never heard of */
    ProtobufCBinaryData cursor = desk_snapshot(&desk, &device)->cursor;
    int64_t heard_us = desk.now_us;
    desk.now_us += US_PER_MINUTE;
    assert_int_equal(health(&desk)->devices_behind, 1);
    assert_int_equal(health(&desk)->behind_since_us, heard_us);
    desk_pull(&desk, &device, &cursor);
    assert_int_equal(health(&desk)->devices_behind, 0);
    desk_close(&desk);
}

static void what_lies_in_the_future_is_not_acknowledged(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    say(&desk, &device, UINT64_MAX, CALLOUT__ACK_STAGE__ACK_ACCEPTED);
    say(&desk, &device, (uint64_t)desk_seq(&desk) + 1, CALLOUT__ACK_STAGE__ACK_SEEN);
    assert_true(ack_of(&desk, "T1", false)->unseen);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_comes_to_its_technician_step_by_step),
        cmocka_unit_test(who_has_not_fetched_his_changes_is_the_backlog),
        cmocka_unit_test(what_lies_in_the_future_is_not_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
