/* How long a device keeps what was answered, and what it says of the plan that it was told. */
#include "gateway/client/outbox.h"
#include "gateway/client/plan_ack.h"
#include "stage.h"

#define HOUR_US INT64_C(3600000000)

enum { MANY = 300 }; /* more than are dropped at once */

/* Commands are made, and answered; so much later comes another one. The first that is kept then. */
static uint64_t kept_from(struct stage *stage, uint64_t safe_seq, int64_t later_us)
{
    struct device_file *file;
    struct outbox *outbox;
    stage->gateway.safe_seq = safe_seq;
    stage->volatile_outbox = true;
    device_open(stage, "TOKEN");
    save(stage, MANY);
    live_until(stage, all_acknowledged);
    client_set_clock(stage->client, later_us);
    save(stage, 1);
    live_until(stage, all_acknowledged);
    client_close(stage->client);
    stage->client = NULL;
    assert_int_equal(device_file_open(&file, stage->device, true, NULL), ERR_OK);
    assert_int_equal(outbox_open(&outbox, file, NULL), ERR_OK);
    uint64_t first = outbox_first_seq(outbox);
    outbox_close(outbox);
    device_file_close(file);
    return first;
}

static void what_is_in_a_backup_is_kept_for_72_hours(void **state)
{
    assert_int_equal(kept_from(*state, 290, 71 * HOUR_US), 1);
}

static void and_then_no_more(void **state)
{
    assert_int_equal(kept_from(*state, 290, 73 * HOUR_US), 291);
}

static void what_is_in_no_backup_is_kept(void **state)
{
    assert_int_equal(kept_from(*state, 0, 34 * 24 * HOUR_US), 1);
}

static void but_not_for_ever(void **state)
{
    assert_int_equal(kept_from(*state, 0, 36 * 24 * HOUR_US), MANY + 1);
}

static bool plan_was_acked(struct stage *stage)
{
    pthread_mutex_lock(&stage->gateway.lock);
    bool acked = stage->gateway.plan_acked == client_plan_seq(stage->client);
    pthread_mutex_unlock(&stage->gateway.lock);
    return acked;
}

static bool was_told_42(struct stage *stage)
{
    return client_plan_seq(stage->client) == 42;
}

static void what_was_seen_is_said(void **state)
{
    struct stage *stage = *state;
    uint64_t seq;
    device_open(stage, "TOKEN");
    assert_int_equal(client_ack_plan(stage->client, CALLOUT__ACK_STAGE__ACK_SEEN, &seq, NULL),
                     ERR_NOT_FOUND);
    live_until(stage, is_live_with_visits);
    assert_int_equal(client_plan_seq(stage->client), 41);
    assert_int_equal(client_ack_plan(stage->client, CALLOUT__ACK_STAGE__ACK_SEEN, &seq, NULL),
                     ERR_OK);
    live_until(stage, plan_was_acked);
    assert_int_equal(stage->gateway.plan_stage, CALLOUT__ACK_STAGE__ACK_SEEN);
    change_plan(stage);
    live_until(stage, was_told_42);
    assert_int_equal(client_ack_plan(stage->client, CALLOUT__ACK_STAGE__ACK_ACCEPTED, &seq, NULL),
                     ERR_OK);
    live_until(stage, plan_was_acked);
    assert_int_equal(stage->gateway.plan_acked, 42);
    assert_int_equal(stage->gateway.plan_stage, CALLOUT__ACK_STAGE__ACK_ACCEPTED);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)
    const struct CMUnitTest tests[] = {
        CASE(what_is_in_a_backup_is_kept_for_72_hours),
        CASE(and_then_no_more),
        CASE(what_is_in_no_backup_is_kept),
        CASE(but_not_for_ever),
        CASE(what_was_seen_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
