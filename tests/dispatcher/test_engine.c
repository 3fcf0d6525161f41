/* The engine over stores that work and stores that do not: what is done once, what is undone whole,
 * who may ask what, and what survives. */
#include "desk.h"
#include "dispatcher/authz.h"
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

static uint64_t log_seq_of(struct desk *desk, const Callout__Reply *reply, bool *duplicate)
{
    Callout__MutationReply *answer = desk_body(desk, reply, &callout__mutation_reply__descriptor);
    *duplicate = answer->duplicate;
    return answer->log_seq;
}

/* --- once --- */

static void a_request_is_done_once_whatever_the_wire_does(void **state)
{
    (void)state;
    struct desk desk;
    bool again;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    Callout__Principal shop = a_key("shop", "integrator"), other = a_key("other", "integrator");
    const ProtobufCMessage *order = &desk_order(&desk, "W7")->base;
    int64_t before = desk_seq(&desk);
    uint64_t seq =
        log_seq_of(&desk, desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", order), &again);
    assert_false(again);
    assert_int_equal(seq, before + 1);
    /* The same again, also within one batch and after a restart: the same answer, no fact. */
    struct engine_item items[2] = {desk_item(&desk, &shop, "UpsertWorkOrder", "a", order),
                                   desk_item(&desk, &shop, "UpsertWorkOrder", "a", order)};
    engine_batch(desk.engine, items, 2, desk.now_us);
    for (int i = 0; i < 2; i++)
        assert_int_equal(log_seq_of(&desk, desk_reply(&desk, &items[i], true), &again), seq);
    assert_true(again);
    desk_reopen(&desk, NULL);
    order = &desk_order(&desk, "W7")->base;
    assert_int_equal(
        log_seq_of(&desk, desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", order), &again), seq);
    assert_int_equal(desk_seq(&desk), before + 1);
    /* The id belongs to its principal, and to that one request. */
    assert_int_equal(
        log_seq_of(&desk, desk_ask_as(&desk, &other, "UpsertWorkOrder", "a", order), &again),
        seq + 1);
    Callout__Reply *reply =
        desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", &desk_order(&desk, "W8")->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__CONFLICT);
    assert_string_equal(reply->errors[0]->field, "request_id");
    desk_close(&desk);
}

static void two_in_one_batch_with_one_id_are_one(void **state)
{
    (void)state;
    struct desk desk;
    bool first, second;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    Callout__Principal shop = a_key("shop", "integrator");
    const ProtobufCMessage *order = &desk_order(&desk, "W7")->base;
    struct engine_item items[2] = {desk_item(&desk, &shop, "UpsertWorkOrder", "a", order),
                                   desk_item(&desk, &shop, "UpsertWorkOrder", "a", order)};
    engine_batch(desk.engine, items, 2, desk.now_us);
    assert_int_equal(log_seq_of(&desk, desk_reply(&desk, &items[0], true), &first),
                     log_seq_of(&desk, desk_reply(&desk, &items[1], true), &second));
    assert_true(!first && second);
    desk_close(&desk);
}

static void what_was_refused_may_be_mended_and_sent_again(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    Callout__Principal shop = a_key("shop", "integrator");
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W7");
    order->work_order->priority = 77;
    uint64_t digest = desk_digest(&desk);
    Callout__Reply *reply = desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", &order->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__INVALID);
    assert_string_equal(reply->errors[0]->field, "work_order.priority");
    assert_true(desk_digest(&desk) == digest);
    order->work_order->priority = 7;
    reply = desk_ask_as(&desk, &shop, "UpsertWorkOrder", "a", &order->base);
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    reply = desk_ask_as(&desk, &shop, "UpsertWorkOrder", "", &order->base);
    assert_string_equal(reply->errors[0]->field, "request_id");
    desk_close(&desk);
}

/* --- devices --- */

static void commands_are_applied_once_and_in_order(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__Command *first = desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED);
    Callout__CommandResult *result = desk_push_one(&desk, &device, first);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__APPLIED);
    uint64_t log_seq = result->log_seq, digest = desk_digest(&desk);
    assert_int_equal(log_seq, desk_seq(&desk));
    /* The answer was lost: it is sent again, and the stored one comes back. */
    result = desk_push_one(&desk, &device, first);
    assert_true(result->duplicate && result->log_seq == log_seq);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__APPLIED);
    /* The same number for something else. */
    result = desk_push_one(&desk, &device,
                           desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__PAYLOAD_MISMATCH);
    /* One is missing before it. */
    result = desk_push_one(&desk, &device,
                           desk_status(&desk, 3, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__OUTCOME_GAP);
    assert_true(desk_digest(&desk) == digest);
    desk_close(&desk);
}

/* What is wrong for good is rejected, and the commands behind it go on. */
static void a_rejected_command_does_not_block_those_behind_it(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__Command *commands[] = {
        desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__SCHEDULED),
        desk_status(&desk, 2, "W9.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE),
        desk_status(&desk, 3, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE),
    };
    Callout__PushReply *answer =
        desk_body(&desk, desk_ask_as(&desk, &device.who, "Push", "", desk_push(&desk, commands, 3)),
                  &callout__push_reply__descriptor);
    assert_int_equal(answer->results[0]->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_string_equal(answer->results[0]->errors[0]->field, "status.status");
    assert_int_equal(answer->results[1]->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_int_equal(answer->results[2]->outcome, CALLOUT__OUTCOME__APPLIED);
    assert_int_equal(answer->last_seq, 3);
    /* The rejection is remembered too. */
    Callout__CommandResult *result = desk_push_one(&desk, &device, commands[1]);
    assert_true(result->duplicate);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__REJECTED);
    desk_close(&desk);
}

/* --- commits that fail --- */

enum { SCRIPT = 60 };

static const char *script_method(struct desk *desk, int i, const ProtobufCMessage **body)
{
    char id[16];
    if (i % 3 == 1) {
        snprintf(id, sizeof id, "W%d.1", i - 1);
        *body = &desk_assign(desk, arena_text(&desk->arena, id), i % 2 == 0 ? "T1" : "T2")->base;
        return "Assign";
    }
    snprintf(id, sizeof id, "W%d", i);
    *body = &desk_order(desk, id)->base;
    return "UpsertWorkOrder";
}

/* Runs the script in batches of two until all is acknowledged; some assignments conflict, which is
 * an answer too. Returns how often RETRY was said. */
static int run_script(struct desk *desk)
{
    Callout__Principal admin = a_key("admin", "admin");
    int retries = 0;
    for (int i = 0; i < SCRIPT; i += 2) {
        struct engine_item items[2];
        for (bool done = false; !done;) {
            for (int k = 0; k < 2; k++) {
                char request_id[16];
                const ProtobufCMessage *body;
                const char *method = script_method(desk, i + k, &body);
                snprintf(request_id, sizeof request_id, "s-%d", i + k);
                items[k] = desk_item(desk, &admin, method, request_id, body);
            }
            engine_batch(desk->engine, items, 2, desk->now_us + i * US_PER_MINUTE);
            const Callout__Reply *a = desk_reply(desk, &items[0], true);
            const Callout__Reply *b = desk_reply(desk, &items[1], true);
            /* All or nothing: one RETRY in a batch is a RETRY for everybody in it. */
            assert_int_equal(a->status == CALLOUT__STATUS__RETRY,
                             b->status == CALLOUT__STATUS__RETRY);
            done = a->status != CALLOUT__STATUS__RETRY;
            retries += !done;
            if (!done) assert_int_equal(a->retry_after_ms, 100);
        }
    }
    return retries;
}

static void commits_that_fail_leave_the_digest_of_a_run_that_never_did(void **state)
{
    (void)state;
    struct desk well, ill;
    uint64_t well_rows, ill_rows;
    desk_open(&well, store_open_mem(), NULL);
    desk_furnish(&well);
    assert_int_equal(run_script(&well), 0);
    assert_int_equal(store_digest(well.store, &well_rows), ERR_OK);
    /* What is tried after a failure counts, too (F4): with every second no batch would ever do. */
    for (uint32_t every = 3; every <= 6; every++) {
        desk_open(&ill, store_open_mem(), NULL);
        desk_furnish(&ill);
        store_fail_commits(ill.store, every);
        assert_true(run_script(&ill) > 3);
        store_fail_commits(ill.store, 0);
        assert_int_equal(store_digest(ill.store, &ill_rows), ERR_OK);
        assert_true(ill_rows == well_rows);
        assert_true(desk_digest(&ill) == desk_digest(&well));
        assert_int_equal(desk_seq(&ill), desk_seq(&well));
        desk_close(&ill);
    }
    desk_close(&well);
}

/* --- rows that the store refuses, requests that kill --- */

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

/* --- what is new after a cursor --- */

static Callout__SnapshotReply *snapshot(struct desk *desk, const struct desk_device *device)
{
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    return desk_body(desk, desk_ask_as(desk, &device->who, "Snapshot", "", &request.base),
                     &callout__snapshot_reply__descriptor);
}

static ProtobufCBinaryData snapshot_cursor(struct desk *desk, const struct desk_device *device)
{
    return snapshot(desk, device)->cursor;
}

static Callout__Reply *pull(struct desk *desk, const struct desk_device *device,
                            ProtobufCBinaryData cursor)
{
    Callout__PullRequest request;
    callout__pull_request__init(&request);
    request.cursor = cursor;
    return desk_ask_as(desk, &device->who, "Pull", "", &request.base);
}

static Callout__PullReply *pulled(struct desk *desk, const struct desk_device *device,
                                  ProtobufCBinaryData cursor)
{
    return desk_body(desk, pull(desk, device, cursor), &callout__pull_reply__descriptor);
}

static void a_cursor_tells_what_came_and_what_left(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
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
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    static const char *const visits[] = {"W1.1", "W2.1"};
    for (uint64_t i = 0; i < 2; i++) {
        desk_do(&desk, "Assign", &desk_assign(&desk, visits[i], "T1")->base);
        desk_push_one(&desk, &device,
                      desk_status(&desk, i + 1, visits[i], CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    }
    assert_int_equal(snapshot(&desk, &device)->n_appointments, 2);
    desk_close(&desk);
}

static void a_cursor_is_good_for_its_device_and_log_only(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device one = desk_device(&desk, "T1"), two = desk_device(&desk, "T2");
    ProtobufCBinaryData cursor = snapshot_cursor(&desk, &one);
    assert_int_equal(pull(&desk, &one, cursor)->status, CALLOUT__STATUS__OK);
    assert_int_equal(pull(&desk, &two, cursor)->status, CALLOUT__STATUS__RESET);
    for (size_t i = 0; i < cursor.len; i++) { /* forged in any byte */
        cursor.data[i] ^= 1;
        assert_int_equal(pull(&desk, &one, cursor)->status, CALLOUT__STATUS__RESET);
        cursor.data[i] ^= 1;
    }
    ProtobufCBinaryData part = {cursor.len - 1, cursor.data}, none = {0, NULL};
    assert_int_equal(pull(&desk, &one, part)->status, CALLOUT__STATUS__RESET);
    assert_int_equal(pull(&desk, &one, none)->status, CALLOUT__STATUS__RESET);
    assert_int_equal(pull(&desk, &one, cursor)->status, CALLOUT__STATUS__OK);
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
        assert_int_equal(pull(&past, &device, cursor)->status, CALLOUT__STATUS__RESET);
        desk_furnish(&past); /* as many facts again: only the other epoch is still a reset */
        assert_int_equal(pull(&past, &device, cursor)->status,
                         twist == 0 ? CALLOUT__STATUS__OK : CALLOUT__STATUS__RESET);
        desk_close(&past);
    }
    desk_close(&now);
}

/* --- who may ask what --- */

/* Another one's appointment and one that does not exist are answered alike. */
static void what_is_not_his_does_not_exist_for_a_technician(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device two = desk_device(&desk, "T2");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    uint64_t digest = desk_digest(&desk);
    Callout__CommandResult *his = desk_push_one(
        &desk, &two, desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    Callout__CommandResult *none = desk_push_one(
        &desk, &two, desk_status(&desk, 2, "W9.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    assert_int_equal(his->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_int_equal(none->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_string_equal(his->text, none->text);
    assert_string_equal(his->errors[0]->field, none->errors[0]->field);
    assert_true(desk_digest(&desk) == digest);
    desk_close(&desk);
}

static void an_enrolment_token_is_for_one_device_and_few_tries(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    const char *token = desk_admin(&desk, "enrol", "T1");
    struct phone_key *key = desk_key(&desk);
    assert_int_equal(desk_enroll_by(&desk, key, token)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_enroll_by(&desk, key, token)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_enroll(&desk, token)->status, CALLOUT__STATUS__UNAUTH);
    assert_int_equal(desk_enroll(&desk, "guess")->status, CALLOUT__STATUS__UNAUTH);
    /* Five wrong signatures, and it is worth nothing. */
    Callout__EnrollRequest request;
    phone_key_enroll(key, desk_admin(&desk, "enrol", "T2"), &request);
    key->signature[5] ^= 1;
    for (int i = 0; i < 5; i++)
        assert_int_equal(desk_ask_as(&desk, nobody_yet(), "Enroll", "", &request.base)->status,
                         CALLOUT__STATUS__INVALID);
    assert_int_equal(desk_enroll(&desk, request.enrol_token)->status, CALLOUT__STATUS__UNAUTH);
    /* Without any signature it is not better. */
    phone_key_enroll(key, desk_admin(&desk, "enrol", "T2"), &request);
    request.signature.len = 0;
    assert_int_equal(desk_ask_as(&desk, nobody_yet(), "Enroll", "", &request.base)->status,
                     CALLOUT__STATUS__INVALID);
    desk_close(&desk);
}

/* A key belongs to one device; only whose enrolment's reply was lost is told again. */
static bool note_token(void *context, const void *visited)
{
    struct row_enrol_token *token = context;
    const struct row_enrol_token *row = visited;
    *token = *row;
    token->token_hash = strdup(row->token_hash);
    token->technician_id = strdup(row->technician_id);
    token->device_id = "";
    return false;
}

static void an_enrolment_token_is_good_for_a_quarter_of_an_hour(void **state)
{
    (void)state;
    struct desk desk;
    struct row_enrol_token row = {.token_hash = NULL};
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    const char *token = desk_admin(&desk, "enrol", "T1");
    assert_int_equal(store_each(desk.store, ROW_ENROL_TOKEN, NULL, 0, false, note_token, &row),
                     ERR_OK);
    assert_in_range(row.expires_wall_us, clock_wall_us() + 14 * US_PER_MINUTE,
                    clock_wall_us() + 15 * US_PER_MINUTE);
    row.expires_wall_us = clock_wall_us() - 1;
    assert_int_equal(store_begin(desk.store), ERR_OK);
    assert_int_equal(store_put(desk.store, ROW_ENROL_TOKEN, &row), ERR_OK);
    assert_int_equal(store_commit(desk.store), ERR_OK);
    assert_int_equal(desk_enroll(&desk, token)->status, CALLOUT__STATUS__UNAUTH);
    free((char *)(uintptr_t)row.token_hash);
    free((char *)(uintptr_t)row.technician_id);
    desk_close(&desk);
}

static void a_key_is_enrolled_once(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    assert_int_equal(desk_enroll_by(&desk, device.key, desk_admin(&desk, "enrol", "T1"))->status,
                     CALLOUT__STATUS__CONFLICT);
    assert_int_equal(desk_enroll_by(&desk, device.key, desk_admin(&desk, "enrol", "T2"))->status,
                     CALLOUT__STATUS__CONFLICT);
    struct phone_key *key = desk_key(&desk);
    Callout__EnrollReply *first =
        desk_body(&desk, desk_enroll_by(&desk, key, desk_admin(&desk, "enrol", "T2")),
                  &callout__enroll_reply__descriptor);
    Callout__EnrollReply *again =
        desk_body(&desk, desk_enroll_by(&desk, key, desk_admin(&desk, "enrol", "T2")),
                  &callout__enroll_reply__descriptor);
    assert_string_equal(first->device_id, again->device_id);
    assert_int_equal(again->epoch, 1);
    desk_close(&desk);
}

static void a_hello_is_for_once(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    const Callout__Principal *nobody = nobody_yet();
    /* The one that was good is not good again. */
    assert_int_equal(desk_ask_as(&desk, nobody, "Hello", "", &device.hello.base)->status,
                     CALLOUT__STATUS__UNAUTH);
    assert_int_equal(desk_hello(&desk, &device)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_ask_as(&desk, nobody, "Hello", "", &device.hello.base)->status,
                     CALLOUT__STATUS__UNAUTH);
    /* Whatever is signed counts: a bit of each, and it is another Hello. */
    uint8_t *bits[] = {device.hello.nonce.data, NULL, device.hello.signature.data};
    for (size_t i = 0; i < 4; i++) {
        device.hello.nonce.len = device.hello.signature.len = 0;
        Callout__HelloReply *challenge =
            desk_body(&desk, desk_ask_as(&desk, nobody, "Hello", "", &device.hello.base),
                      &callout__hello_reply__descriptor);
        if (i == 3) challenge->server_name = words("another");
        phone_key_hello(device.key, challenge, &device.hello);
        bits[0] = device.hello.nonce.data;
        bits[2] = device.hello.signature.data;
        if (i == 1) device.hello.device_time_us++;
        if (i == 0 || i == 2) bits[i][20] ^= 1;
        assert_int_equal(desk_ask_as(&desk, nobody, "Hello", "", &device.hello.base)->status,
                         CALLOUT__STATUS__UNAUTH);
    }
    /* Who has no device gets a nonce all the same, and nothing for it. */
    struct desk_device nowhere = device;
    nowhere.hello.device_id = words("nowhere");
    assert_int_equal(desk_hello(&desk, &nowhere)->status, CALLOUT__STATUS__UNAUTH);
    assert_int_equal(desk_hello(&desk, &device)->status, CALLOUT__STATUS__OK);
    desk_close(&desk);
}

/* Both the one before and the one after the hour are told the truth. */
static void another_device_takes_the_place_of_the_first(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    struct desk_device first = desk_device(&desk, "T1");
    struct desk_device second = desk_device(&desk, "T1");
    assert_int_equal(second.who.epoch, first.who.epoch + 1);
    Callout__SnapshotRequest snapshot;
    callout__snapshot_request__init(&snapshot);
    assert_int_equal(desk_ask_as(&desk, &first.who, "Snapshot", "", &snapshot.base)->status,
                     CALLOUT__STATUS__GONE);
    assert_int_equal(desk_ask_as(&desk, &second.who, "Snapshot", "", &snapshot.base)->status,
                     CALLOUT__STATUS__OK);
    assert_int_equal(desk_resolve(&desk, first.token)->kind, CALLOUT__PRINCIPAL_KIND__ANONYMOUS);
    /* It is told so, and may hand over what it still had: kept, but not applied. */
    Callout__Reply *told = desk_hello(&desk, &first);
    assert_int_equal(told->status, CALLOUT__STATUS__GONE);
    Callout__HelloReply *hello =
        (Callout__HelloReply *)desk_decode(&desk, &callout__hello_reply__descriptor, told->body);
    assert_true(hello->wipe);
    Callout__Principal *gone = desk_resolve(&desk, hello->session_token);
    assert_string_equal(gone->role, "gone");
    uint64_t digest = desk_digest(&desk);
    Callout__CommandResult *result = desk_push_one(
        &desk, &first, desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_string_equal(result->errors[0]->field, "device_id");
    assert_true(desk_digest(&desk) == digest);
    assert_int_equal(desk_ask_as(&desk, gone, "Snapshot", "", &snapshot.base)->status,
                     CALLOUT__STATUS__GONE);
    desk_close(&desk);
}

static void sign(struct desk *desk, struct desk_device *device, Callout__Command *command)
{
    ProtobufCBinaryData text =
        signed_command(command, device->who.id, device->who.epoch, &desk->arena);
    command->signature = phone_key_sign(device->key, text.data, text.len);
}

static void a_signed_command_is_the_devices(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    struct desk_device device = desk_device(&desk, "T1");
    Callout__Command *wrong = desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED);
    sign(&desk, &device, wrong);
    wrong->device_time_us++;
    Callout__CommandResult *refused = desk_push_one(&desk, &device, wrong);
    assert_int_equal(refused->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_string_equal(refused->errors[0]->field, "signature");
    Callout__Command *right = desk_status(&desk, 2, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
    sign(&desk, &device, right);
    assert_int_equal(desk_push_one(&desk, &device, right)->outcome, CALLOUT__OUTCOME__APPLIED);
    desk_close(&desk);
}

/* Each costs as much as a hundred others: so a Push does some, and tells how far it came. */
static void a_push_has_few_signatures_checked(void **state)
{
    (void)state;
    struct desk desk;
    Callout__Command *commands[LIMIT_BATCH_COMMANDS];
    uint8_t signatures[LIMIT_BATCH_COMMANDS][crypto_sign_BYTES];
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    for (uint64_t i = 0; i < LIMIT_BATCH_COMMANDS; i++) {
        commands[i] = desk_status(&desk, i + 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
        sign(&desk, &device, commands[i]);
        memcpy(signatures[i], commands[i]->signature.data, crypto_sign_BYTES);
        commands[i]->signature.data = signatures[i];
    }
    for (uint64_t done = 0; done < LIMIT_BATCH_COMMANDS; done += LIMIT_BATCH_SIGNED) {
        Callout__Reply *reply =
            desk_ask_as(&desk, &device.who, "Push", "",
                        desk_push(&desk, commands, LIMIT_BATCH_COMMANDS)); /* all, every time */
        Callout__PushReply *answer = desk_body(&desk, reply, &callout__push_reply__descriptor);
        assert_int_equal(answer->last_seq, done + LIMIT_BATCH_SIGNED);
        assert_int_equal(answer->n_results, done + LIMIT_BATCH_SIGNED);
        assert_false(answer->results[done]->duplicate);
        assert_string_not_equal(answer->results[done]->errors[0]->field, "signature");
    }
    desk_close(&desk);
}

static void put_session(struct store *store, const char *token_hash, const char *device_id,
                        int64_t epoch, int64_t good_for_us)
{
    struct row_session row = {token_hash, device_id, epoch, clock_wall_us() + good_for_us,
                              clock_wall_us() + US_PER_DAY};
    assert_int_equal(store_begin(store), ERR_OK);
    assert_int_equal(store_put(store, ROW_SESSION, &row), ERR_OK);
    assert_int_equal(store_commit(store), ERR_OK);
}

struct found_session {
    char token_hash[65];
};

static bool note_session(void *context, const void *visited)
{
    struct found_session *found = context;
    snprintf(found->token_hash, sizeof found->token_hash, "%s",
             ((const struct row_session *)visited)->token_hash);
    return false;
}

static void sessions_expire_and_are_revoked(void **state)
{
    (void)state;
    struct desk desk;
    struct found_session found;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    assert_int_equal(store_each(desk.store, ROW_SESSION, NULL, 0, false, note_session, &found),
                     ERR_OK);
    put_session(desk.store, found.token_hash, device.who.id, 1, -1);
    assert_int_equal(desk_resolve(&desk, device.token)->kind, CALLOUT__PRINCIPAL_KIND__ANONYMOUS);
    put_session(desk.store, found.token_hash, device.who.id, 2, US_PER_DAY); /* another enrolment */
    assert_int_equal(desk_resolve(&desk, device.token)->kind, CALLOUT__PRINCIPAL_KIND__ANONYMOUS);
    put_session(desk.store, found.token_hash, device.who.id, 1, US_PER_DAY);
    assert_int_equal(desk_resolve(&desk, device.token)->kind, CALLOUT__PRINCIPAL_KIND__DEVICE);
    /* The device says hello again, and goes on. */
    Callout__HelloReply *hello =
        desk_body(&desk, desk_hello(&desk, &device), &callout__hello_reply__descriptor);
    assert_int_equal(desk_resolve(&desk, hello->session_token)->kind,
                     CALLOUT__PRINCIPAL_KIND__DEVICE);
    /* Revoked, nothing helps, not even what the gateway still remembers. */
    desk_admin(&desk, "revoke", device.who.id);
    assert_int_equal(desk_resolve(&desk, hello->session_token)->kind,
                     CALLOUT__PRINCIPAL_KIND__ANONYMOUS);
    assert_int_equal(desk_hello(&desk, &device)->status, CALLOUT__STATUS__GONE);
    Callout__PullRequest pull;
    callout__pull_request__init(&pull);
    assert_int_equal(desk_ask_as(&desk, &device.who, "Pull", "", &pull.base)->status,
                     CALLOUT__STATUS__GONE);
    desk_close(&desk);
}

/* --- garbage --- */

static void garbage_gets_an_answer_and_harms_nobody(void **state)
{
    (void)state;
    struct desk desk;
    uint8_t noise[] = {0xff, 0x03, 0x80, 0x80, 0x01, 0x7f};
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    Callout__Principal shop = a_key("shop", "integrator");
    struct engine_item items[4] = {
        {.bytes = noise, .size = sizeof noise},
        {.bytes = NULL, .size = 0, .oversize = true},
        desk_item(&desk, &shop, "UpsertWorkOrder", "a", &desk_order(&desk, "W7")->base),
        desk_item(&desk, NULL, "NoSuchThing", "b", NULL),
    };
    int64_t seq = desk_seq(&desk);
    engine_batch(desk.engine, items, 4, desk.now_us);
    assert_int_equal(desk_reply(&desk, &items[0], false)->status, CALLOUT__STATUS__INVALID);
    assert_int_equal(desk_reply(&desk, &items[1], false)->status, CALLOUT__STATUS__TOO_LARGE);
    assert_int_equal(desk_reply(&desk, &items[2], true)->status, CALLOUT__STATUS__OK);
    assert_int_equal(desk_reply(&desk, &items[3], false)->status, CALLOUT__STATUS__INVALID);
    assert_int_equal(desk_seq(&desk), seq + 1);
    desk_close(&desk);
}

/* --- held, time, snapshots --- */

static void a_held_question_is_answered_by_the_next_event(void **state)
{
    (void)state;
    struct desk desk;
    ProtobufCBinaryData bytes;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    Callout__NextProblemRequest request;
    callout__next_problem_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    request.have_revision = (uint64_t)desk_seq(&desk);
    request.hold_ms = 1000;
    struct engine_item item = desk_item(&desk, NULL, "NextProblem", "x", &request.base);
    engine_batch(desk.engine, &item, 1, desk.now_us);
    assert_int_equal(item.held, HELD_PROBLEM);
    assert_int_equal(item.hold_ms, 1000);
    assert_int_equal(
        engine_answer_held(desk.engine, item.bytes, item.size, false, desk.now_us, &bytes),
        ERR_BUSY);
    desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, "W3")->base);
    assert_int_equal(
        engine_answer_held(desk.engine, item.bytes, item.size, false, desk.now_us, &bytes), ERR_OK);
    item.reply = bytes;
    Callout__NextProblemReply *news =
        desk_body(&desk, desk_reply(&desk, &item, false), &callout__next_problem_reply__descriptor);
    assert_int_equal(news->base_revision, request.have_revision);
    assert_int_equal(news->revision, desk_seq(&desk));
    assert_int_equal(news->cause_seq, desk_seq(&desk));
    assert_int_equal(news->n_visits, 1);
    assert_string_equal(news->visits[0]->appointment_id, "W3.1");
    desk_close(&desk);
}

static void time_up_answers_a_held_question_with_nothing(void **state)
{
    (void)state;
    struct desk desk;
    ProtobufCBinaryData bytes;
    desk_open(&desk, store_open_mem(), NULL);
    Callout__NextProblemRequest request;
    callout__next_problem_request__init(&request);
    request.hold_ms = 1000;
    struct engine_item item = desk_item(&desk, NULL, "NextProblem", "x", &request.base);
    assert_int_equal(
        engine_answer_held(desk.engine, item.bytes, item.size, true, desk.now_us, &bytes), ERR_OK);
    item.reply = bytes;
    Callout__NextProblemReply *news =
        desk_body(&desk, desk_reply(&desk, &item, false), &callout__next_problem_reply__descriptor);
    assert_string_equal(news->territory_id, "");
    desk_close(&desk);
}

/* An order whose window moves to another day leaves this day's problem: the day is told anew. */
static void a_day_that_lost_a_visit_is_told_from_the_start(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    Callout__NextProblemRequest request;
    callout__next_problem_request__init(&request);
    request.territory_id = words("north");
    request.service_day = DESK_DAY;
    request.have_revision = (uint64_t)desk_seq(&desk);
    Callout__UpsertWorkOrderRequest *order = desk_order(&desk, "W1");
    Callout__ArrivalWindow window;
    callout__arrival_window__init(&window);
    Callout__ArrivalWindow *windows[] = {&window};
    window.start_us = DESK_DAY_US + US_PER_DAY + 9 * HOUR_US;
    window.end_us = window.start_us + HOUR_US;
    order->work_order->windows = windows;
    order->work_order->n_windows = 1;
    desk_do(&desk, "UpsertWorkOrder", &order->base);
    Callout__NextProblemReply *news =
        desk_body(&desk, desk_inner(&desk, "NextProblem", &request.base),
                  &callout__next_problem_reply__descriptor);
    assert_int_equal(news->base_revision, 0);
    assert_int_equal(news->n_visits, 1);
    assert_string_equal(news->visits[0]->appointment_id, "W2.1");
    desk_close(&desk);
}

static void the_day_begins_where_the_territory_is(void **state)
{
    (void)state;
    struct desk desk;
    struct core_territory territory;
    desk_open(&desk, store_open_mem(), NULL);
    desk_do(&desk, "UpsertTerritory", desk_territory(&desk, "Europe/Vaduz"));
    assert_true(engine_next_wake_us(desk.engine, desk.now_us) <= desk.now_us);
    assert_true(engine_tick(desk.engine, desk.now_us));
    assert_true(core_territory(engine_core(desk.engine), 0, &territory));
    assert_int_equal(territory.today, DESK_DAY);
    /* One hour before midnight in UTC, since it is winter. */
    int64_t wake_us = engine_next_wake_us(desk.engine, desk.now_us);
    assert_int_equal(wake_us, DESK_DAY_US + 23 * HOUR_US);
    assert_false(engine_tick(desk.engine, wake_us - 1));
    assert_true(engine_tick(desk.engine, wake_us));
    assert_true(core_territory(engine_core(desk.engine), 0, &territory));
    assert_int_equal(territory.today, DESK_DAY + 1);
    assert_false(engine_tick(desk.engine, wake_us));
    desk_close(&desk);
}

static Callout__Reply *advance(struct desk *desk, int64_t time_us)
{
    static uint32_t count;
    char id[24];
    Callout__Principal admin = a_key("admin", "admin");
    Callout__AdvanceClockRequest request;
    callout__advance_clock_request__init(&request);
    request.time_us = time_us;
    snprintf(id, sizeof id, "advance-%u", ++count);
    return desk_ask_as(desk, &admin, "AdvanceClock", id, &request.base);
}

static void what_is_due_on_the_way_happens_at_its_time(void **state)
{
    (void)state;
    struct desk desk;
    const char *technician;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    const struct core *core = engine_core(desk.engine);
    assert_int_equal(advance(&desk, DESK_DAY_US + 8 * HOUR_US)->status, CALLOUT__STATUS__OK);
    assert_int_equal(core_appointment(core, "W1.1", &technician), APPOINTMENT_DISPATCHED);
    assert_true(core_time_us(core) < DESK_DAY_US + 8 * HOUR_US);
    assert_int_equal(advance(&desk, DESK_DAY_US + 9 * HOUR_US)->status, CALLOUT__STATUS__OK);
    assert_int_equal(core_appointment(core, "W1.1", &technician), APPOINTMENT_UNSCHEDULED);
    assert_int_equal(core_time_us(core), DESK_DAY_US + 8 * HOUR_US + 20 * US_PER_MINUTE);
    assert_int_equal(advance(&desk, DESK_DAY_US)->status, CALLOUT__STATUS__INVALID);
    desk_close(&desk);
}

static void nothing_is_lost_at_a_stop(void **state)
{
    (void)state;
    struct desk desk;
    uint64_t rows = 0;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    assert_int_equal(run_script(&desk), 0);
    uint64_t digest = desk_digest(&desk);
    int64_t seq = desk_seq(&desk);
    desk_reopen(&desk, NULL);
    assert_true(desk_digest(&desk) == digest && desk_seq(&desk) == seq);
    assert_int_equal(store_row_count(desk.store, ROW_SNAPSHOT, &rows), ERR_OK);
    assert_int_equal(rows, 1);
    desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, "later")->base);
    digest = desk_digest(&desk);
    desk_reopen(&desk, NULL); /* a snapshot, and a fact behind it */
    assert_true(desk_digest(&desk) == digest && desk_seq(&desk) == seq + 1);
    desk_close(&desk);
}

static void a_damaged_snapshot_is_not_believed(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, store_open_mem(), NULL);
    desk_furnish(&desk);
    uint64_t digest = desk_digest(&desk);
    int64_t seq = desk_seq(&desk);
    desk_reopen(&desk, NULL);
    union row row;
    assert_int_equal(store_get(desk.store, ROW_SNAPSHOT, &(struct row_snapshot){.seq = seq}, &row),
                     ERR_OK);
    struct row_snapshot snapshot = row.snapshot;
    uint8_t *body = arena_need(&desk.arena, snapshot.body.size);
    memcpy(body, snapshot.body.bytes, snapshot.body.size);
    snapshot.body.bytes = body;
    for (size_t at = 0; at < snapshot.body.size; at += 97) { /* somewhere, each time elsewhere */
        body[at] ^= 0x10;
        assert_int_equal(store_begin(desk.store), ERR_OK);
        assert_int_equal(store_put(desk.store, ROW_SNAPSHOT, &snapshot), ERR_OK);
        assert_int_equal(store_commit(desk.store), ERR_OK);
        struct desk again;
        desk_open(&again, desk.store, NULL);
        assert_true(desk_digest(&again) == digest && desk_seq(&again) == seq);
        engine_close(again.engine);
        arena_close(&again.arena);
        body[at] ^= 0x10;
    }
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_done_once_whatever_the_wire_does),
        cmocka_unit_test(two_in_one_batch_with_one_id_are_one),
        cmocka_unit_test(what_was_refused_may_be_mended_and_sent_again),
        cmocka_unit_test(commands_are_applied_once_and_in_order),
        cmocka_unit_test(a_rejected_command_does_not_block_those_behind_it),
        cmocka_unit_test(commits_that_fail_leave_the_digest_of_a_run_that_never_did),
        cmocka_unit_test(a_request_that_the_store_refuses_is_quarantined_alone),
        cmocka_unit_test(a_command_that_the_store_refuses_is_rejected),
        cmocka_unit_test(a_request_that_kills_twice_is_quarantined),
        cmocka_unit_test(a_kill_from_outside_is_nobodys_fault),
        cmocka_unit_test(a_cursor_tells_what_came_and_what_left),
        cmocka_unit_test(a_snapshot_has_what_was_left_open_for_another_visit),
        cmocka_unit_test(a_cursor_is_good_for_its_device_and_log_only),
        cmocka_unit_test(a_cursor_from_the_future_or_another_epoch_is_reset),
        cmocka_unit_test(what_is_not_his_does_not_exist_for_a_technician),
        cmocka_unit_test(an_enrolment_token_is_for_one_device_and_few_tries),
        cmocka_unit_test(an_enrolment_token_is_good_for_a_quarter_of_an_hour),
        cmocka_unit_test(a_key_is_enrolled_once),
        cmocka_unit_test(a_hello_is_for_once),
        cmocka_unit_test(another_device_takes_the_place_of_the_first),
        cmocka_unit_test(a_signed_command_is_the_devices),
        cmocka_unit_test(a_push_has_few_signatures_checked),
        cmocka_unit_test(sessions_expire_and_are_revoked),
        cmocka_unit_test(garbage_gets_an_answer_and_harms_nobody),
        cmocka_unit_test(a_held_question_is_answered_by_the_next_event),
        cmocka_unit_test(time_up_answers_a_held_question_with_nothing),
        cmocka_unit_test(a_day_that_lost_a_visit_is_told_from_the_start),
        cmocka_unit_test(the_day_begins_where_the_territory_is),
        cmocka_unit_test(what_is_due_on_the_way_happens_at_its_time),
        cmocka_unit_test(nothing_is_lost_at_a_stop),
        cmocka_unit_test(a_damaged_snapshot_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
