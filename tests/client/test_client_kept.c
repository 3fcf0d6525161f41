/* How long a device keeps what was answered, and what it says of the plan that it was told. */
#include "gateway/client/plan_ack.h"
#include "stage.h"

#define HOUR_US INT64_C(3600000000)

enum { MANY = 300 }; /* more than are dropped at once */

/* The server comes back from a backup, and has commands up to here only. */
static void restore(struct stage *stage, uint64_t last_seq)
{
    pthread_mutex_lock(&stage->gateway.lock);
    stage->gateway.last_seq = last_seq;
    stage->gateway.log_epoch++;
    pthread_mutex_unlock(&stage->gateway.lock);
    change_plan(stage); /* the held poll is answered */
}

static bool server_has_302(struct stage *stage)
{
    pthread_mutex_lock(&stage->gateway.lock);
    bool has = stage->gateway.last_seq == MANY + 2;
    pthread_mutex_unlock(&stage->gateway.lock);
    return has && client_unsent(stage->client) == 0;
}

/* So much later comes another command. */
static void later(struct stage *stage, int64_t ahead_us)
{
    client_set_clock(stage->client, ahead_us);
    save(stage, 1);
    live_until(stage, all_acknowledged);
}

static void made_and_answered(struct stage *stage, uint64_t safe_seq)
{
    stage->gateway.safe_seq = safe_seq;
    stage->volatile_outbox = true;
    device_open(stage, "TOKEN");
    save(stage, MANY);
    live_until(stage, all_acknowledged);
}

static void what_is_in_a_backup_is_kept_for_72_hours(void **state)
{
    struct stage *stage = *state;
    made_and_answered(stage, 290);
    later(stage, 71 * HOUR_US);
    later(stage, 71 * HOUR_US);
    restore(stage, 0);
    live_until(stage, server_has_302);
}

static void and_what_is_in_none_longer(void **state)
{
    struct stage *stage = *state;
    made_and_answered(stage, 290);
    later(stage, 73 * HOUR_US);
    later(stage, 73 * HOUR_US);
    restore(stage, 290);
    live_until(stage, server_has_302);
    restore(stage, 289); /* an older one than was said */
    live_until(stage, is_stopped);
}

static void where_there_are_no_backups_35_days(void **state)
{
    struct stage *stage = *state;
    made_and_answered(stage, 0);
    later(stage, 34 * 24 * HOUR_US);
    later(stage, 34 * 24 * HOUR_US);
    restore(stage, 0);
    live_until(stage, server_has_302);
    later(stage, 36 * 24 * HOUR_US);
    restore(stage, 0);
    live_until(stage, is_stopped);
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
        CASE(and_what_is_in_none_longer),
        CASE(where_there_are_no_backups_35_days),
        CASE(what_was_seen_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
