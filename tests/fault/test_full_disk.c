/* A disk that takes nothing for a while (engine.h, F4): reads go on, writes are to be sent again,
 * and the state is built again once, not once for everybody who asks.
 */
#include "../dispatcher/desk.h"
#include "dispatcher/store/store_ops.h"

static struct store_ops real, failing;
static bool full;
static unsigned readings, refused; /* of the fact log; of writes */

static enum err full_put(struct store *store, enum row_kind kind, const void *row)
{
    refused += full;
    return full ? ERR_IO : real.put(store, kind, row);
}

static enum err full_erase(struct store *store, enum row_kind kind, const void *key, uint32_t count)
{
    refused += full;
    return full ? ERR_IO : real.erase(store, kind, key, count);
}

static enum err counting_each(struct store *store, enum row_kind kind, const void *key,
                              uint32_t count, bool after, store_visit *visit, void *context)
{
    readings += kind == ROW_FACT;
    return real.each(store, kind, key, count, after, visit, context);
}

static struct store *on_a_small_disk(struct store *store)
{
    failing = real = *store->ops;
    failing.put = full_put;
    failing.erase = full_erase;
    failing.each = counting_each;
    store->ops = &failing;
    full = false;
    return store;
}

static Callout__Status order(struct desk *desk, const char *request_id)
{
    Callout__Principal shop = a_key("shop", "integrator");
    return desk_ask_as(desk, &shop, "UpsertWorkOrder", request_id, &desk_order(desk, "X1")->base)
        ->status;
}

static void a_full_disk_costs_one_rebuild_and_hinders_no_reader(void **state)
{
    (void)state;
    struct desk desk;
    Callout__BoardRequest board;
    callout__board_request__init(&board);
    board.territory_id = words("north");
    board.service_day = DESK_DAY;
    desk_open(&desk, on_a_small_disk(store_open_mem()), NULL);
    desk_furnish(&desk);
    uint64_t digest = desk_digest(&desk);
    full = true;
    readings = refused = 0;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(order(&desk, "r1"), CALLOUT__STATUS__RETRY);
        assert_int_equal(desk_do(&desk, "Board", &board.base)->status, CALLOUT__STATUS__OK);
    }
    (void)engine_tick(desk.engine, desk.now_us + US_PER_DAY); /* a day's end is due, and waits */
    assert_int_equal(readings, 1);
    assert_true(refused >= 20); /* each batch tries again */
    assert_true(desk_digest(&desk) == digest);
    full = false;
    assert_int_equal(order(&desk, "r1"), CALLOUT__STATUS__OK);
    assert_true(engine_tick(desk.engine, desk.now_us + US_PER_DAY));
    desk_reopen(&desk, NULL);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_costs_one_rebuild_and_hinders_no_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
