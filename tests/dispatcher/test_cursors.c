/* What is new after a cursor, and which cursors are believed. */
#include "desk_views.h"

static ProtobufCBinaryData snapshot_cursor(struct desk *desk, const struct desk_device *device)
{
    return desk_snapshot(desk, device)->cursor;
}

static Callout__PullReply *pulled(struct desk *desk, const struct desk_device *device,
                                  ProtobufCBinaryData cursor)
{
    return desk_body(desk, desk_pull_from(desk, device, cursor), &callout__pull_reply__descriptor);
}

static void a_cursor_tells_what_came_and_what_left(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device one = desk_device(&desk, "T1"), two = desk_device(&desk, "T2");
    ProtobufCBinaryData first = snapshot_cursor(&desk, &one), second = snapshot_cursor(&desk, &two);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__PullReply *news = pulled(&desk, &one, first);
    assert_int_equal(news->n_appointments, 1);
    assert_string_equal(news->appointments[0]->appointment->appointment_id, "W1.1");
    assert_int_equal(pulled(&desk, &two, second)->n_appointments, 0);
    /* It goes over to the other: the first is told that it left, and both go on from there. */
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base);
    news = pulled(&desk, &one, news->cursor);
    assert_int_equal(news->n_appointments, 0);
    assert_int_equal(news->n_left_scope, 1);
    assert_string_equal(news->left_scope[0], "W1.1");
    assert_int_equal(pulled(&desk, &two, second)->n_appointments, 1);
    news = pulled(&desk, &one, news->cursor);
    assert_int_equal(news->n_appointments + news->n_left_scope, 0);
    desk_close(&desk);
}

/* A delta told the device of both, and a Snapshot must not take one away. */
static void a_snapshot_has_what_was_left_open_for_another_visit(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    static const char *const visits[] = {"W1.1", "W2.1"};
    for (uint64_t i = 0; i < 2; i++) {
        desk_do(&desk, "Assign", &desk_assign(&desk, visits[i], "T1")->base);
        desk_push_one(&desk, &device,
                      desk_status(&desk, i + 1, visits[i], CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    }
    assert_int_equal(desk_snapshot(&desk, &device)->n_appointments, 2);
    desk_close(&desk);
}

static void a_cursor_is_good_for_its_device_and_log_only(void **state)
{
    (void)state;
    struct desk desk;
    desk_open_furnished(&desk);
    struct desk_device one = desk_device(&desk, "T1"), two = desk_device(&desk, "T2");
    ProtobufCBinaryData cursor = snapshot_cursor(&desk, &one);
    assert_int_equal(desk_pull_from(&desk, &one, cursor)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_pull_from(&desk, &two, cursor)->status, CALLOUT__STATUS__RESET);
    for (size_t i = 0; i < cursor.len; i++) { /* forged in any byte */
        cursor.data[i] ^= 1;
        assert_int_equal(desk_pull_from(&desk, &one, cursor)->status, CALLOUT__STATUS__RESET);
        cursor.data[i] ^= 1;
    }
    ProtobufCBinaryData part = {cursor.len - 1, cursor.data}, none = {0, NULL};
    assert_int_equal(desk_pull_from(&desk, &one, part)->status, CALLOUT__STATUS__RESET);
    assert_int_equal(desk_pull_from(&desk, &one, none)->status, CALLOUT__STATUS__RESET);
    assert_int_equal(desk_pull_from(&desk, &one, cursor)->status, CALLOUT__STATUS__OK);
    desk_close(&desk);
}

static void copy_meta(struct store *from, struct store *to, const char *name, uint64_t twist)
{
    union row row;
    uint8_t value[32];
    assert_int_equal(store_get(from, ROW_META, &(struct row_meta){.name = name}, &row), ERR_OK);
    size_t size = row.meta.value.size;
    memcpy(value, row.meta.value.bytes, size);
    value[0] ^= (uint8_t)twist;
    assert_int_equal(store_begin(to), ERR_OK);
    assert_int_equal(store_put(to, ROW_META, &(struct row_meta){name, {value, size}}), ERR_OK);
    assert_int_equal(store_commit(to), ERR_OK);
}

static void copy_device(struct store *from, struct store *to, const char *id)
{
    union row row;
    assert_int_equal(store_get(from, ROW_DEVICE, &(struct row_device){.device_id = id}, &row),
                     ERR_OK);
    assert_int_equal(store_begin(to), ERR_OK);
    assert_int_equal(store_put(to, ROW_DEVICE, &row.device), ERR_OK);
    assert_int_equal(store_commit(to), ERR_OK);
}

/* A store that was set back knows less than a device has seen; a restored one has a new epoch. */
static void a_cursor_from_the_future_or_another_epoch_is_reset(void **state)
{
    (void)state;
    struct desk now, past;
    desk_open(&now, store_open_mem(), NULL);
    desk_furnish(&now);
    struct desk_device device = desk_device(&now, "T1");
    ProtobufCBinaryData cursor = snapshot_cursor(&now, &device);
    for (uint64_t twist = 0; twist < 2; twist++) {
        struct store *store = store_open_mem();
        copy_meta(now.store, store, "secret", 0);
        copy_meta(now.store, store, "log_epoch", twist);
        copy_device(now.store, store, device.who.id);
        desk_open(&past, store, NULL);
        assert_int_equal(desk_pull_from(&past, &device, cursor)->status, CALLOUT__STATUS__RESET);
        desk_furnish(&past); /* as many facts again: only the other epoch is still a reset */
        assert_int_equal(desk_pull_from(&past, &device, cursor)->status,
                         twist == 0 ? CALLOUT__STATUS__OK : CALLOUT__STATUS__RESET);
        desk_close(&past);
    }
    desk_close(&now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_tells_what_came_and_what_left),
        cmocka_unit_test(a_snapshot_has_what_was_left_open_for_another_visit),
        cmocka_unit_test(a_cursor_is_good_for_its_device_and_log_only),
        cmocka_unit_test(a_cursor_from_the_future_or_another_epoch_is_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
