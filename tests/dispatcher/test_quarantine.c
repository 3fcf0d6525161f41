/* Rows that the store refuses and requests that kill: who brings them is set aside, alone. */
#include "desk.h"
#include "dispatcher/store/store_ops.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A folder of the test's own, left to the system's care of /tmp if a test fails. */
static const char *new_folder(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/callout-engine-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static void remove_folder(const char *folder)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static enum err (*real_put)(struct store *store, enum row_kind kind, const void *row);

static bool is_magic(enum row_kind kind, const void *row)
{
    const char *text = "";
    if (kind == ROW_WORK_ORDER) text = ((const struct row_work_order *)row)->work_order_id;
    if (kind == ROW_CHECK_IN) text = ((const struct row_check_in *)row)->reason;
    return strcmp(text, "MAGIC") == 0;
}

static enum err refusing_put(struct store *store, enum row_kind kind, const void *row)
{
    return is_magic(kind, row) ? ERR_CONFLICT : real_put(store, kind, row);
}

static enum err deadly_put(struct store *store, enum row_kind kind, const void *row)
{
    if (is_magic(kind, row)) raise(SIGABRT);
    return real_put(store, kind, row);
}

static enum err killed_put(struct store *store, enum row_kind kind, const void *row)
{
    if (is_magic(kind, row)) raise(SIGKILL);
    return real_put(store, kind, row);
}

static struct store *with_put(struct store *store,
                              enum err (*put)(struct store *, enum row_kind, const void *))
{
    static struct store_ops ops;
    ops = *store->ops;
    real_put = ops.put;
    ops.put = put;
    store->ops = &ops;
    return store;
}

static bool in_quarantine(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "test \"$(ls %s/quarantine 2>/dev/null | wc -l)\" = 1",
             folder);
    return system(command) == 0;
}

/* W7, MAGIC and W8 in one batch. */
static void batch_with_magic(struct desk *desk, struct engine_item *items)
{
    static const char *const ids[] = {"W7", "MAGIC", "W8"};
    static Callout__Principal shop;
    shop = a_key("shop", "integrator");
    for (int i = 0; i < 3; i++)
        items[i] =
            desk_item(desk, &shop, "UpsertWorkOrder", ids[i], &desk_order(desk, ids[i])->base);
}

static void check_quarantined(struct desk *desk, struct engine_item *items, const char *folder)
{
    const char *technician;
    Callout__Principal shop = a_key("shop", "integrator");
    assert_int_equal(desk_reply(desk, &items[0], true)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_reply(desk, &items[1], true)->status, CALLOUT__STATUS__INTERNAL);
    assert_int_equal(desk_reply(desk, &items[2], true)->status, CALLOUT__STATUS__OK);
    assert_true(in_quarantine(folder));
    const struct core *core = engine_core(desk->engine);
    assert_int_equal(core_appointment(core, "W7.1", &technician), APPOINTMENT_UNSCHEDULED);
    assert_int_equal(core_appointment(core, "W8.1", &technician), APPOINTMENT_UNSCHEDULED);
    assert_int_equal(core_appointment(core, "MAGIC.1", &technician), APPOINTMENT_NONE);
    /* Sent again it gets the same answer, and is not tried again. */
    int64_t seq = desk_seq(desk);
    Callout__Reply *reply =
        desk_ask_as(desk, &shop, "UpsertWorkOrder", "MAGIC", &desk_order(desk, "MAGIC")->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__INTERNAL);
    assert_int_equal(desk_seq(desk), seq);
}

static void a_request_that_the_store_refuses_is_quarantined_alone(void **state)
{
    (void)state;
    struct desk desk;
    struct engine_item items[3];
    const char *folder = new_folder();
    desk_open(&desk, with_put(store_open_mem(), refusing_put), folder);
    desk_furnish(&desk);
    batch_with_magic(&desk, items);
    engine_batch(desk.engine, items, 3, desk.now_us);
    check_quarantined(&desk, items, folder);
    desk_close(&desk);
    remove_folder(folder);
}

/* A device's command of that kind is rejected for good, and its sequence goes on. */
static void a_command_that_the_store_refuses_is_rejected(void **state)
{
    (void)state;
    struct desk desk;
    const char *folder = new_folder(), *technician;
    desk_open(&desk, with_put(store_open_mem(), refusing_put), folder);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__Command *command =
        desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__INCOMPLETE);
    command->status->reason = words("MAGIC");
    Callout__CommandResult *result = desk_push_one(&desk, &device, command);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_true(in_quarantine(folder));
    const struct core *core = engine_core(desk.engine);
    assert_int_equal(core_appointment(core, "W1.1", &technician), APPOINTMENT_SCHEDULED);
    assert_true(desk_push_one(&desk, &device, command)->duplicate);
    result = desk_push_one(&desk, &device,
                           desk_status(&desk, 2, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED));
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__APPLIED);
    assert_int_equal(core_appointment(core, "W1.1", &technician), APPOINTMENT_ACCEPTED);
    desk_close(&desk);
    remove_folder(folder);
}

/* Opens the folder's engine in a child and runs the batch with MAGIC in it; returns how it ended.
 */
static int run_in_child(const char *folder,
                        enum err (*put)(struct store *, enum row_kind, const void *), bool alone)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct desk desk;
        struct store *store;
        struct engine_item items[3];
        if (store_open_spatialite(&store, folder, NULL) != ERR_OK) _exit(9);
        desk_open(&desk, with_put(store, put), folder);
        if (desk_seq(&desk) == 0) desk_furnish(&desk);
        batch_with_magic(&desk, items);
        if (alone)
            engine_batch(desk.engine, &items[1], 1, desk.now_us);
        else
            engine_batch(desk.engine, items, 3, desk.now_us);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void suspected(const char *folder, bool w7, bool magic)
{
    struct desk desk;
    struct store *store;
    struct engine_item items[3];
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    desk_open(&desk, store, folder);
    batch_with_magic(&desk, items);
    assert_int_equal(engine_is_suspect(desk.engine, &items[0]), w7);
    assert_int_equal(engine_is_suspect(desk.engine, &items[1]), magic);
    desk_close(&desk);
}

static void a_request_that_kills_twice_is_quarantined(void **state)
{
    (void)state;
    const char *folder = new_folder();
    struct desk desk;
    struct store *store;
    struct engine_item items[3];
    assert_int_equal(run_in_child(folder, deadly_put, false), SIGABRT);
    suspected(folder, true, true); /* one of them did it: from now on each runs alone */
    assert_int_equal(run_in_child(folder, deadly_put, true), SIGABRT);
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    desk_open(&desk, with_put(store, deadly_put), folder);
    batch_with_magic(&desk, items);
    engine_batch(desk.engine, items, 3, desk.now_us);
    check_quarantined(&desk, items, folder);
    batch_with_magic(&desk, items);
    assert_false(engine_is_suspect(desk.engine, &items[0]));
    desk_close(&desk);
    remove_folder(folder);
}

static void a_kill_from_outside_is_nobodys_fault(void **state)
{
    (void)state;
    const char *folder = new_folder();
    assert_int_equal(run_in_child(folder, killed_put, false), SIGKILL);
    suspected(folder, false, false);
    assert_int_equal(run_in_child(folder, killed_put, true), SIGKILL);
    suspected(folder, false, false);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_that_the_store_refuses_is_quarantined_alone),
        cmocka_unit_test(a_command_that_the_store_refuses_is_rejected),
        cmocka_unit_test(a_request_that_kills_twice_is_quarantined),
        cmocka_unit_test(a_kill_from_outside_is_nobodys_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
