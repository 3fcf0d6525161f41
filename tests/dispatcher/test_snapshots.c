/* Snapshots along the way cost what the core costs, not what the tables do; the last one says what
 * the tables were. */
#include "desk.h"

struct newest {
    int64_t seq, rows_digest;
};

static bool keep_newest(void *context, const void *visited)
{
    struct newest *newest = context;
    const struct row_snapshot *row = visited;
    *newest = (struct newest){row->seq, row->rows_digest};
    return true;
}

static struct newest newest_snapshot(const struct desk *desk)
{
    struct newest newest = {0, 0};
    assert_int_equal(store_each(desk->store, ROW_SNAPSHOT, NULL, 0, false, keep_newest, &newest),
                     ERR_OK);
    return newest;
}

/* With a snapshot after each batch. */
static void start(struct desk *desk, struct store *store)
{
    const struct engine_options options = {.clock_by_hand = true, .snapshot_every = 1};
    desk_open(desk, store, NULL);
    engine_abandon(desk->engine);
    assert_int_equal(engine_open(&desk->engine, store, &options, NULL), ERR_OK);
}

static void only_the_last_one_says_what_the_tables_were(void **state)
{
    struct desk desk;
    uint64_t rows;
    (void)state;
    start(&desk, store_open_mem());
    desk_furnish(&desk);
    struct newest newest = newest_snapshot(&desk);
    assert_int_equal(newest.seq, desk_seq(&desk));
    assert_int_equal(newest.rows_digest, 0);
    engine_abandon(desk.engine);
    arena_close(&desk.arena);
    start(&desk, desk.store); /* killed right behind a snapshot: it starts all the same */
    assert_int_equal(newest_snapshot(&desk).seq, desk_seq(&desk));
    engine_close(desk.engine);
    assert_int_equal(store_digest(desk.store, &rows), ERR_OK);
    assert_true((uint64_t)newest_snapshot(&desk).rows_digest == rows);
    arena_close(&desk.arena);
    start(&desk, desk.store);
    desk_close(&desk);
}

static void tables_that_are_not_what_it_says_are_refused(void **state)
{
    struct desk desk;
    struct problem problem;
    const struct engine_options options = {.clock_by_hand = true};
    (void)state;
    start(&desk, store_open_mem());
    desk_furnish(&desk);
    engine_close(desk.engine);
    assert_int_equal(store_begin(desk.store), ERR_OK);
    assert_int_equal(store_put(desk.store, ROW_SKILL, &(struct row_skill){"made up"}), ERR_OK);
    assert_int_equal(store_commit(desk.store), ERR_OK);
    assert_int_equal(engine_open(&desk.engine, desk.store, &options, &problem), ERR_INTERNAL);
    store_close(desk.store);
    arena_close(&desk.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_last_one_says_what_the_tables_were),
        cmocka_unit_test(tables_that_are_not_what_it_says_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
