/* What a device saved is stored, and has had its effect once.
 *
 *   test_acknowledged                      tests the check itself
 *   test_acknowledged DATA DEVICES         checks a data folder that nobody holds open against the
 *                                          folders of its devices (gateway/client), one below
 * DEVICES for each; 0 good, 3 not
 *
 * Idea: a device's outbox keeps every command it ever saved, so it is a journal that the server did
 * not write. After the devices have drained, each command must have one stored result, and no two
 * facts may come from the same command or the same request.
 */
#include "base/exit_code.h"
#include "dispatcher/store/store.h"
#include "gateway/client/identity.h"
#include "gateway/client/outbox.h"
#include "message.h"
#include "pb/fact.pb-c.h"
#include "tests/store/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PATH_SIZE = 1024, FACTS_MAX = 1000000, NAME_SIZE = 160 };

struct audit {
    struct store *store;
    unsigned devices, commands, facts; /* looked at */
    unsigned lost;                     /* in an outbox, without a stored result */
    unsigned unsent;                   /* in an outbox, never received */
    unsigned twice;                    /* facts of one command or request beyond the first */
    char (*names)[NAME_SIZE];          /* what each fact came from */
};

/* --- devices against results --- */

static int64_t last_seq_of(struct audit *audit, const char *device_id)
{
    const struct row_device key = {.device_id = device_id};
    union row row;
    return store_get(audit->store, ROW_DEVICE, &key, &row) == ERR_OK ? row.device.last_seq : 0;
}

static bool has_result(struct audit *audit, const struct identity *identity, uint64_t seq)
{
    const struct row_command_result key = {
        .device_id = identity->device_id, .epoch = identity->epoch, .seq = (int64_t)seq};
    union row row;
    return store_get(audit->store, ROW_COMMAND_RESULT, &key, &row) == ERR_OK;
}

static void check_outbox(struct audit *audit, const struct identity *identity,
                         const struct outbox *outbox)
{
    int64_t received = last_seq_of(audit, identity->device_id);
    for (uint64_t seq = outbox_first_seq(outbox); seq <= outbox_last_seq(outbox); seq++) {
        audit->commands++;
        if ((int64_t)seq > received) {
            audit->unsent++;
        } else if (!has_result(audit, identity, seq)) {
            audit->lost++;
            print_error("%s: command %u has no result\n", identity->device_id, (unsigned)seq);
        }
    }
}

static void check_device(struct audit *audit, const char *folder)
{
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/identity", folder);
    if (access(path, R_OK) != 0) return;
    struct identity identity;
    struct problem problem = {0};
    if (identity_load(&identity, path, &problem) != ERR_OK) fail_msg("%s", problem.text);
    if (identity.device_id[0] == '\0') return;
    struct device_file *file = NULL;
    struct outbox *outbox = NULL;
    if (device_file_open(&file, folder, false, &problem) != ERR_OK ||
        outbox_open(&outbox, file, &problem) != ERR_OK)
        fail_msg("%s", problem.text);
    audit->devices++;
    check_outbox(audit, &identity, outbox);
    outbox_close(outbox);
    device_file_close(file);
}

static void check_devices(struct audit *audit, const char *devices)
{
    DIR *listing = opendir(devices);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char folder[PATH_SIZE];
        snprintf(folder, sizeof folder, "%s/%s", devices, entry->d_name);
        if (entry->d_name[0] != '.') check_device(audit, folder);
    }
    closedir(listing);
}

/* --- facts against each other --- */

static bool note_fact(void *context, const void *row)
{
    struct audit *audit = context;
    const struct row_fact *fact = row;
    struct arena arena;
    arena_open(&arena, LIMIT_REQUEST_ARENA);
    ProtobufCMessage *message = NULL;
    struct problem problem;
    if (fact->body.size > 0 &&
        message_decode(&callout__fact_body__descriptor, fact->body.bytes, fact->body.size, &arena,
                       &message, &problem) == ERR_OK) {
        const Callout__FactBody *body = (const Callout__FactBody *)message;
        char *name = audit->names[audit->facts];
        const char *id = body->actor == NULL ? "" : body->actor->id;
        if (body->command != NULL)
            snprintf(name, NAME_SIZE, "command %s %u %llu", id, body->actor->epoch,
                     (unsigned long long)body->command->seq);
        else if (body->request_id[0] != '\0')
            snprintf(name, NAME_SIZE, "request %s %s", id, body->request_id);
        if (name[0] != '\0') audit->facts++;
    }
    arena_close(&arena);
    return audit->facts < FACTS_MAX;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void check_facts(struct audit *audit)
{
    audit->names = calloc(FACTS_MAX, NAME_SIZE);
    assert_non_null(audit->names);
    const struct row_fact any = {0};
    assert_int_equal(store_each(audit->store, ROW_FACT, &any, 0, false, note_fact, audit), ERR_OK);
    qsort(audit->names, audit->facts, NAME_SIZE, by_name);
    for (unsigned i = 1; i < audit->facts; i++) {
        if (strcmp(audit->names[i - 1], audit->names[i]) != 0) continue;
        audit->twice++;
        print_error("%s has more than one fact\n", audit->names[i]);
    }
    free(audit->names);
}

static struct audit run_audit(const char *data, const char *devices)
{
    struct audit audit = {0};
    struct problem problem = {0};
    if (store_open_reader(&audit.store, data, &problem) != ERR_OK) fail_msg("%s", problem.text);
    check_devices(&audit, devices);
    check_facts(&audit);
    store_close(audit.store);
    return audit;
}

static int audit_folders(const char *data, const char *devices)
{
    struct audit audit = run_audit(data, devices);
    printf(
        "%u devices, %u commands, %u facts of people and devices: %u lost, %u unsent, %u twice\n",
        audit.devices, audit.commands, audit.facts, audit.lost, audit.unsent, audit.twice);
    bool good = audit.devices > 0 && audit.commands > 0 && audit.facts > 0 && audit.lost == 0 &&
                audit.unsent == 0 && audit.twice == 0;
    return good ? EXIT_DONE : EXIT_VIOLATION;
}

/* --- the check is tested on folders where something is missing --- */

struct world {
    char *data, *devices, device[300];
    struct store *store;
    int64_t facts;
};

static int make_world(void **state)
{
    static struct world world;
    world = (struct world){.data = folder_make(), .devices = folder_make()};
    snprintf(world.device, sizeof world.device, "%s/T001", world.devices);
    assert_int_equal(mkdir(world.device, 0700), 0);
    struct problem problem;
    struct identity identity;
    const char *path = folder_file(world.device, "identity");
    assert_int_equal(identity_load(&identity, path, &problem), ERR_OK);
    snprintf(identity.device_id, sizeof identity.device_id, "D1");
    identity.epoch = 1;
    assert_int_equal(identity_save(&identity, path, &problem), ERR_OK);
    assert_int_equal(store_open_spatialite(&world.store, world.data, &problem), ERR_OK);
    assert_int_equal(store_begin(world.store), ERR_OK);
    *state = &world;
    return 0;
}

static int drop_world(void **state)
{
    struct world *world = *state;
    char *device = strdup(world->device);
    folder_remove(device);
    folder_remove(world->devices);
    folder_remove(world->data);
    return 0;
}

static void device_saved(const struct world *world, uint64_t count)
{
    struct device_file *file = NULL;
    struct outbox *outbox = NULL;
    struct problem problem;
    assert_int_equal(device_file_open(&file, world->device, false, &problem), ERR_OK);
    assert_int_equal(outbox_open(&outbox, file, &problem), ERR_OK);
    for (uint64_t seq = 1; seq <= count; seq++)
        assert_int_equal(outbox_append(outbox, seq, 1, "x", 1, &problem), ERR_OK);
    outbox_close(outbox);
    device_file_close(file);
}

static void store_received(const struct world *world, int64_t last_seq)
{
    const struct row_device row = {.device_id = "D1", .epoch = 1, .last_seq = last_seq};
    assert_int_equal(store_put(world->store, ROW_DEVICE, &row), ERR_OK);
}

/* The result and the fact of one command. */
static void store_applied(struct world *world, uint64_t seq)
{
    const struct row_command_result row = {.device_id = "D1", .epoch = 1, .seq = (int64_t)seq};
    assert_int_equal(store_put(world->store, ROW_COMMAND_RESULT, &row), ERR_OK);
    Callout__Principal actor;
    callout__principal__init(&actor);
    Callout__Command command;
    callout__command__init(&command);
    Callout__FactBody body;
    callout__fact_body__init(&body);
    char id[] = "D1";
    actor.id = id;
    actor.epoch = 1;
    command.seq = seq;
    body.actor = &actor;
    body.command = &command;
    struct arena arena;
    arena_open(&arena, LIMIT_REQUEST_ARENA);
    ProtobufCBinaryData bytes = message_encode(&body.base, &arena);
    assert_int_equal(store_append_fact(world->store, ++world->facts, 1, 1, bytes.data, bytes.len),
                     ERR_OK);
    arena_close(&arena);
}

static struct audit look(const struct world *world)
{
    assert_int_equal(store_commit(world->store), ERR_OK);
    store_close(world->store);
    return run_audit(world->data, world->devices);
}

static void what_is_there_once_is_good(void **state)
{
    struct world *world = *state;
    device_saved(world, 2);
    store_received(world, 2);
    store_applied(world, 1);
    store_applied(world, 2);
    struct audit audit = look(world);
    assert_int_equal(audit.devices, 1);
    assert_int_equal(audit.commands, 2);
    assert_int_equal(audit.facts, 2);
    assert_int_equal(audit.lost + audit.unsent + audit.twice, 0);
}

static void a_missing_result_is_a_lost_command(void **state)
{
    struct world *world = *state;
    device_saved(world, 2);
    store_received(world, 2);
    store_applied(world, 2);
    assert_int_equal(look(world).lost, 1);
}

static void a_command_that_never_came_is_unsent(void **state)
{
    struct world *world = *state;
    device_saved(world, 2);
    store_received(world, 1);
    store_applied(world, 1);
    struct audit audit = look(world);
    assert_int_equal(audit.unsent, 1);
    assert_int_equal(audit.lost, 0);
}

static void two_facts_of_one_command_are_seen(void **state)
{
    struct world *world = *state;
    device_saved(world, 1);
    store_received(world, 1);
    store_applied(world, 1);
    store_applied(world, 1);
    assert_int_equal(look(world).twice, 1);
}

int main(int argc, char **argv)
{
    if (argc == 3) return audit_folders(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_there_once_is_good, make_world, drop_world),
        cmocka_unit_test_setup_teardown(a_missing_result_is_a_lost_command, make_world, drop_world),
        cmocka_unit_test_setup_teardown(a_command_that_never_came_is_unsent, make_world,
                                        drop_world),
        cmocka_unit_test_setup_teardown(two_facts_of_one_command_are_seen, make_world, drop_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
