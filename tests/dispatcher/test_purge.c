/* What is not kept for ever goes after its time, in small steps, and nobody goes on from before. */
#include "desk_views.h"

static uint64_t rows(struct desk *desk, enum row_kind kind)
{
    uint64_t count = 0;
    assert_int_equal(store_row_count(desk->store, kind, &count), ERR_OK);
    return count;
}

/* Until the round is over; returns the steps. */
static int purge(struct desk *desk)
{
    int steps = 0;
    while (engine_purge(desk->engine, desk->now_us)) {
        assert_true(++steps < 10000);
    }
    return steps;
}

static void changes_go_after_35_days_and_older_cursors_with_them(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    ProtobufCBinaryData before = desk_snapshot(&desk, &device)->cursor;
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    ProtobufCBinaryData after = desk_snapshot(&desk, &device)->cursor;
    uint64_t old = rows(&desk, ROW_CHANGE);
    assert_true(old > 0);
    desk.now_us += 30 * US_PER_DAY;
    desk_do(&desk, "UpsertTechnician", desk_technician(&desk, "T3")); /* time goes on */
    purge(&desk);
    assert_int_equal(rows(&desk, ROW_CHANGE), old);
    desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, "W3")->base);
    uint64_t both = rows(&desk, ROW_CHANGE);
    desk.now_us += 6 * US_PER_DAY;
    assert_int_equal(desk_pull_from(&desk, &device, before)->status, CALLOUT__STATUS__OK);
    purge(&desk);
    assert_int_equal(rows(&desk, ROW_CHANGE), both - old);
    assert_int_equal(desk_pull_from(&desk, &device, before)->status, CALLOUT__STATUS__RESET);
    /* Whoever has seen the last of them goes on; also after a restart. */
    assert_int_equal(desk_pull_from(&desk, &device, after)->status, CALLOUT__STATUS__OK);
    engine_close(desk.engine);
    const struct engine_options options = {.clock_by_hand = true};
    assert_int_equal(engine_open(&desk.engine, desk.store, &options, NULL), ERR_OK);
    assert_int_equal(desk_pull_from(&desk, &device, before)->status, CALLOUT__STATUS__RESET);
    assert_int_equal(desk_pull_from(&desk, &device, after)->status, CALLOUT__STATUS__OK);
    desk_close(&desk);
}

static void push_fixes(struct desk *desk, struct desk_device *device, int count)
{
    DESK_NEW(desk, Callout__Command, command);
    DESK_NEW(desk, Callout__PositionBatch, batch);
    callout__command__init(command);
    callout__position_batch__init(batch);
    batch->fixes = arena_need(&desk->arena, (size_t)count * sizeof *batch->fixes);
    for (int i = 0; i < count; i++) {
        batch->fixes[i] = arena_need(&desk->arena, sizeof **batch->fixes);
        callout__fix__init(batch->fixes[i]);
        batch->fixes[i]->point = desk_point(desk, 471000000, 95000000);
        batch->fixes[i]->fix_time_us = desk->now_us + i;
    }
    batch->n_fixes = (size_t)count;
    command->seq = ++device->seq;
    command->body_case = CALLOUT__COMMAND__BODY_POSITIONS;
    command->positions = batch;
    assert_int_equal(desk_push_one(desk, device, command)->outcome, CALLOUT__OUTCOME__APPLIED);
}

static void positions_go_after_60_days(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device first = desk_device(&desk, "T1"), second = desk_device(&desk, "T2");
    desk.now_us = DESK_DAY_US + 9 * HOUR_US;
    for (int i = 0; i < 4; i++) {
        push_fixes(&desk, &first, 100);
        desk.now_us += US_PER_MINUTE;
    }
    desk.now_us += US_PER_DAY;
    push_fixes(&desk, &second, 10);
    desk.now_us += 59 * US_PER_DAY + HOUR_US;
    assert_true(purge(&desk) > 2); /* more than a step's worth */
    assert_int_equal(rows(&desk, ROW_FIX), 10);
    assert_int_equal(rows(&desk, ROW_POSITION), 1);
    desk.now_us += HOUR_US;
    assert_int_equal(purge(&desk), 0); /* the next round is not due yet */
    desk.now_us += US_PER_DAY;
    purge(&desk);
    assert_int_equal(rows(&desk, ROW_FIX), 0);
    assert_int_equal(rows(&desk, ROW_POSITION), 0);
    desk_close(&desk);
}

static int64_t letters_of(struct desk *desk, const char *device_id)
{
    union row row;
    const struct row_device key = {.device_id = device_id};
    assert_int_equal(store_get(desk->store, ROW_DEVICE, &key, &row), ERR_OK);
    return row.device.letters;
}

/* Results go; that a number was used is known for ever. */
static void a_command_is_never_applied_twice_however_late_it_comes(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__Command *accepts =
        desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED);
    Callout__Command *never = desk_status(&desk, 2, "W9.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED);
    desk_push_one(&desk, &device, accepts);
    desk_push_one(&desk, &device, never);
    desk.now_us += 399 * US_PER_DAY;
    purge(&desk);
    assert_int_equal(rows(&desk, ROW_COMMAND_RESULT), 2);
    assert_int_equal(rows(&desk, ROW_DEAD_LETTER), 1);
    assert_int_equal(letters_of(&desk, device.who.id), 1);
    desk.now_us += 2 * US_PER_DAY;
    purge(&desk);
    assert_int_equal(rows(&desk, ROW_COMMAND_RESULT), 0);
    assert_int_equal(rows(&desk, ROW_DEAD_LETTER), 0);
    assert_int_equal(letters_of(&desk, device.who.id), 0); /* there is room for others */
    int64_t seq = desk_seq(&desk);
    assert_true(desk_push_one(&desk, &device, accepts)->duplicate);
    assert_true(desk_push_one(&desk, &device, never)->duplicate);
    assert_int_equal(desk_seq(&desk), seq);
    desk_close(&desk);
}

/* A step that cannot be stored is tried again in the next round, and no cursor is lost by it. */
static void a_step_that_fails_erases_nothing(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    ProtobufCBinaryData cursor = desk_snapshot(&desk, &device)->cursor;
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    uint64_t old = rows(&desk, ROW_CHANGE);
    desk.now_us += 40 * US_PER_DAY;
    store_fail_commits(desk.store, 1);
    assert_false(engine_purge(desk.engine, desk.now_us));
    store_fail_commits(desk.store, 0);
    assert_int_equal(rows(&desk, ROW_CHANGE), old);
    assert_int_equal(desk_pull_from(&desk, &device, cursor)->status, CALLOUT__STATUS__OK);
    desk.now_us += US_PER_DAY;
    purge(&desk);
    assert_int_equal(rows(&desk, ROW_CHANGE), 0);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_go_after_35_days_and_older_cursors_with_them),
        cmocka_unit_test(positions_go_after_60_days),
        cmocka_unit_test(a_command_is_never_applied_twice_however_late_it_comes),
        cmocka_unit_test(a_step_that_fails_erases_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
