/* A device is told which of its commands are in a backup: what the copy has, and no more. */
#include "desk.h"

#include "../store/folder.h"

#include <stdlib.h>

static void back_up(struct desk *desk, const char *folder, const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    Callout__AdminRequest request;
    callout__admin_request__init(&request);
    char *arguments[] = {path};
    request.verb = words("backup");
    request.arguments = arguments;
    request.n_arguments = 1;
    Callout__Reply *reply = desk_inner(desk, "Admin", &request.base);
    if (reply->status != CALLOUT__STATUS__OK) fail_msg("%s", reply->text);
}

static uint64_t safe_seq(struct desk *desk, struct desk_device *device)
{
    Callout__HelloReply *hello =
        desk_body(desk, desk_hello(desk, device), &callout__hello_reply__descriptor);
    device->who = *desk_resolve(desk, hello->session_token);
    return hello->safe_seq;
}

static void report(struct desk *desk, const struct desk_device *device, uint64_t seq)
{
    desk_push_one(desk, device,
                  desk_status(desk, seq, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED));
}

static void what_a_backup_has_is_told(void **state)
{
    struct desk desk;
    struct store *store;
    char *folder = folder_make(), line[300];
    (void)state;
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    desk_open(&desk, store, folder);
    desk_furnish(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    struct desk_device device = desk_device(&desk, "T1"), other = desk_device(&desk, "T2");
    report(&desk, &device, 1);
    report(&desk, &device, 2);
    assert_int_equal(safe_seq(&desk, &device), 0);
    back_up(&desk, folder, "first");
    report(&desk, &device, 3);
    assert_int_equal(safe_seq(&desk, &device), 2);
    assert_int_equal(safe_seq(&desk, &other), 0);
    back_up(&desk, folder, "second");
    assert_int_equal(safe_seq(&desk, &device), 3);
    desk_close(&desk);
    snprintf(line, sizeof line, "rm -rf %s", folder);
    assert_int_equal(system(line), 0);
    free(folder);
}

/* In the very batch of the backup, so its commands are not in the copy yet. */
static void what_came_with_the_backup_is_not_in_it(void **state)
{
    struct desk desk;
    struct store *store;
    char *folder = folder_make(), line[300], path[400];
    (void)state;
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    desk_open(&desk, store, folder);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    report(&desk, &device, 1);
    snprintf(path, sizeof path, "%s/copy", folder);
    Callout__AdminRequest request;
    callout__admin_request__init(&request);
    char *arguments[] = {path};
    request.verb = words("backup");
    request.arguments = arguments;
    request.n_arguments = 1;
    Callout__Command *late = desk_status(&desk, 2, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED);
    struct engine_item items[] = {
        desk_item(&desk, &device.who, "Push", "", desk_push(&desk, &late, 1)),
        desk_item(&desk, NULL, "Admin", "backup", &request.base)};
    assert_int_equal(engine_batch(desk.engine, items, 2, desk.now_us), 2);
    Callout__Reply *reply = desk_reply(&desk, &items[1], false);
    if (reply->status != CALLOUT__STATUS__OK) fail_msg("%s", reply->text);
    assert_int_equal(safe_seq(&desk, &device), 1);
    desk_close(&desk);
    snprintf(line, sizeof line, "rm -rf %s", folder);
    assert_int_equal(system(line), 0);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_backup_has_is_told),
        cmocka_unit_test(what_came_with_the_backup_is_not_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
