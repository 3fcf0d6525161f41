/* Dies at every named place (base/crashpoint.def) that lies in the dispatcher and its store, and
 * looks at what is left: what was answered is there once, nothing is there twice, and the rest can
 * be said again. The places of gateway and optimizer are crashpoints.sh's.
 */
#include "../dispatcher/desk.h"
#include "../store/folder.h"
#include "base/crashpoint.h"
#include "dispatcher/batches.h"
#include "dispatcher/store/database.h"
#include "dispatcher/store/schema.h"
#include "pb/fact.pb-c.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

enum { ORDERS = 60, PER_BATCH = 2, LIVED = 77 };

static bool reached[CRASH_POINTS];
static int killed;

/* --- the life of a dispatcher --- */

static int acks; /* where replies go: the number of the order, as a byte */

static void on_reply(void *context, struct sp_ticket to, const void *bytes, size_t size)
{
    struct desk *desk = context;
    const uint8_t number = (uint8_t)to.request;
    ProtobufCBinaryData data = {size, (uint8_t *)(uintptr_t)bytes};
    struct engine_item item = {.reply = data};
    const Callout__Reply *reply = desk_reply(desk, &item, true);
    if (reply->status == CALLOUT__STATUS__OK && write(acks, &number, 1) != 1) _exit(9);
}

static bool is_alive(void *context, struct sp_ticket ticket)
{
    (void)context, (void)ticket;
    return true;
}

static int64_t desk_time(void *context)
{
    const struct desk *desk = context;
    return desk->now_us;
}

/* Every order, each with the same request id whenever it is said. */
static void order_all(struct desk *desk)
{
    const struct batches_ports ports = {.context = desk,
                                        .mono_us = desk_time,
                                        .domain_us = desk_time,
                                        .reply = on_reply,
                                        .alive = is_alive};
    struct batches *batches = batches_open(desk->engine, &ports);
    Callout__Principal admin = a_key("admin", "admin");
    for (uint32_t i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "X%u", i);
        const struct engine_item item =
            desk_item(desk, &admin, "UpsertWorkOrder", id, &desk_order(desk, id)->base);
        batches_put(batches, (struct sp_ticket){0, 0, i}, item.bytes, item.size);
        if (i % PER_BATCH == PER_BATCH - 1) batches_run(batches);
    }
    batches_close(batches);
}

/* So much in one commit that a checkpoint is due after it. */
static void put_ballast(struct store *store)
{
    static uint8_t ballast[6 << 20];
    const struct row_meta row = {"ballast", {ballast, sizeof ballast}};
    ballast[0]++;
    if (store_begin(store) != ERR_OK || store_put(store, ROW_META, &row) != ERR_OK ||
        store_commit(store) != ERR_OK)
        _exit(9);
}

static int serve(const char *folder)
{
    struct store *store;
    struct desk desk;
    struct problem problem;
    char backup[300];
    if (store_open_spatialite(&store, folder, &problem) != ERR_OK) return 9;
    desk_open(&desk, store, folder);
    desk_do(&desk, "UpsertTerritory", desk_territory(&desk, "UTC"));
    order_all(&desk);
    put_ballast(store);
    engine_close(desk.engine); /* with a snapshot */
    snprintf(backup, sizeof backup, "%s.backup", folder);
    if (store_backup(store, backup, &problem) != ERR_OK) return 9;
    store_close(store); /* with a checkpoint */
    return LIVED;
}

/* --- the life of a file that grows older --- */

static int migrate(const char *folder)
{
    enum { VERSIONS_MAX = 100 };
    static const char *steps[VERSIONS_MAX];
    struct database database;
    struct problem problem;
    int today = schema_newest.version;
    const struct schema schema = {today + 2, steps};
    memcpy(steps, schema_newest.steps, (size_t)today * sizeof steps[0]);
    steps[today] = "ALTER TABLE work_order ADD COLUMN tone TEXT NOT NULL DEFAULT 'calm'";
    steps[today + 1] = "UPDATE work_order SET tone = 'loud'";
    enum err err = database_open(&database, folder_file(folder, DATABASE_FILE), false, &problem);
    if (err != ERR_OK) return 9;
    err = schema_prepare(database.db, folder, &schema, &problem);
    database_close(&database);
    return err == ERR_OK ? LIVED : 9;
}

/* --- dying --- */

/* Lives in a child that dies at the place; returns how it ended, and the orders it answered. */
static int die_at(int (*life)(const char *folder), const char *folder, const char *place,
                  bool answered[ORDERS])
{
    int pipe_ends[2], status = 0;
    uint8_t number;
    assert_int_equal(pipe(pipe_ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipe_ends[0]);
        acks = pipe_ends[1];
        setenv("CALLOUT_CRASHPOINT", place, 1);
        if (!crash_arm()) _exit(8);
        _exit(life(folder));
    }
    close(pipe_ends[1]);
    while (read(pipe_ends[0], &number, 1) == 1)
        if (number < ORDERS) answered[number] = true;
    close(pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

struct counting {
    struct desk *desk;
    uint32_t facts[ORDERS];
};

static bool count_fact(void *context, const void *visited)
{
    struct counting *counting = context;
    const struct row_fact *row = visited;
    ProtobufCBinaryData bytes = {row->body.size, (uint8_t *)(uintptr_t)row->body.bytes};
    const Callout__FactBody *body = (const Callout__FactBody *)desk_decode(
        counting->desk, &callout__fact_body__descriptor, bytes);
    unsigned number;
    if (sscanf(body->request_id, "X%u", &number) == 1 && number < ORDERS) counting->facts[number]++;
    return true;
}

/* Each answered order is there, none is there twice; the file is sound. */
static void check(const char *folder, const bool answered[ORDERS], const char *place)
{
    struct store *store;
    struct problem problem;
    struct desk desk;
    int64_t bad_seq = -1;
    assert_int_equal(store_open_spatialite(&store, folder, &problem), ERR_OK);
    desk_open(&desk, store, folder); /* which holds the facts against the tables */
    struct counting counting = {.desk = &desk};
    assert_int_equal(store_each(store, ROW_FACT, NULL, 0, false, count_fact, &counting), ERR_OK);
    assert_int_equal(store_verify_chain(store, &bad_seq), ERR_OK);
    assert_int_equal(bad_seq, 0);
    assert_int_equal(store_verify_file(store, NULL), ERR_OK);
    for (uint32_t i = 0; i < ORDERS; i++)
        if (counting.facts[i] > 1 || (answered[i] && counting.facts[i] == 0))
            fail_msg("%s: order %u has %u facts, answered %d", place, i, counting.facts[i],
                     answered[i]);
    engine_abandon(desk.engine);
    store_close(store);
    arena_close(&desk.arena);
}

static void remove_all(char *folder)
{
    char backup[300];
    snprintf(backup, sizeof backup, "%s.backup", folder);
    for (int i = 0; i < 2; i++) {
        char line[400];
        snprintf(line, sizeof line, "%s/" DATABASE_FILE "%s", backup, i == 0 ? "" : ".part");
        unlink(line);
    }
    rmdir(backup);
    folder_remove(folder);
}

/* Dies at the n-th passing, then lives on; false: the place is not passed so often. */
static bool die_serving(enum crash_point point, int passing)
{
    char *folder = folder_make(), place[64];
    bool answered[ORDERS] = {false};
    snprintf(place, sizeof place, "%s:%d", crash_point_name(point), passing);
    int end = die_at(serve, folder, place, answered);
    if (end != SIGKILL) assert_int_equal(end, LIVED);
    check(folder, answered, place);
    if (end == SIGKILL) {
        char backup[300];
        snprintf(backup, sizeof backup, "%s.backup", folder);
        unlink(folder_file(backup, DATABASE_FILE)); /* a backup needs a folder that is empty */
        unlink(folder_file(backup, DATABASE_FILE ".part"));
        assert_int_equal(die_at(serve, folder, "", answered), LIVED);
        for (uint32_t i = 0; i < ORDERS; i++)
            assert_true(answered[i]);
        check(folder, answered, place);
        reached[point] = true;
        killed++;
    }
    remove_all(folder);
    return end == SIGKILL;
}

static void a_dispatcher_may_die_anywhere(void **state)
{
    (void)state;
    static const int passings[] = {1, 4, 23};
    const char *cases = getenv("CALLOUT_CASES"); /* the first so many passings of each */
    long count = cases == NULL ? 3 : strtol(cases, NULL, 10);
    for (enum crash_point point = CRASH_NOWHERE + 1; point <= CRASH_COPY_RENAMED; point++)
        for (int i = 0; i < count && die_serving(point, cases == NULL ? passings[i] : i + 1); i++)
            ;
    print_message("%d deaths\n", killed);
}

static void a_migration_may_die_anywhere(void **state)
{
    (void)state;
    bool answered[ORDERS] = {false};
    for (enum crash_point point = CRASH_COPY_WRITTEN; point <= CRASH_MIGRATION_COMMITTED; point++) {
        char *folder = folder_make();
        struct store *store;
        struct problem problem;
        assert_int_equal(store_open_spatialite(&store, folder, &problem), ERR_OK);
        store_close(store);
        assert_int_equal(die_at(migrate, folder, crash_point_name(point), answered), SIGKILL);
        reached[point] = true;
        assert_int_equal(die_at(migrate, folder, "", answered), LIVED);
        assert_int_equal(store_open_spatialite(&store, folder, &problem), ERR_VERSION);
        folder_remove(folder);
    }
}

static void every_place_was_reached(void **state)
{
    (void)state;
    for (enum crash_point point = CRASH_NOWHERE + 1; point < CRASH_REQUEST_FORWARDED; point++)
        if (!reached[point]) fail_msg("%s was not reached", crash_point_name(point));
}

static void an_unknown_place_is_refused(void **state)
{
    (void)state;
    setenv("CALLOUT_CRASHPOINT", "nowhere-in-particular", 1);
    assert_false(crash_arm());
    setenv("CALLOUT_CRASHPOINT", "batch-begun:0", 1);
    assert_false(crash_arm());
    unsetenv("CALLOUT_CRASHPOINT");
    assert_true(crash_arm());
}

int main(void)
{
    database_checkpoint_pages = 1000; /* one within what a child lives through */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dispatcher_may_die_anywhere),
        cmocka_unit_test(a_migration_may_die_anywhere),
        cmocka_unit_test(every_place_was_reached),
        cmocka_unit_test(an_unknown_place_is_refused),
    };
    setenv("TMPDIR", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
