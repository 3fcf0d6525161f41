/* Where technicians are: only while they work, only what can be believed, and in its own order. */
#include "desk_views.h"
#include "dispatcher/core/row.h"
#include "dispatcher/store/store_ops.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

/* A place that nothing else in a store looks like. */
enum { MARK_LAT = 471234567, MARK_LON = 98765433 };
#define WORK_US (DESK_DAY_US + 10 * HOUR_US) /* within the shift of 8 to 17 */

static Callout__Command *fixes_command(struct desk *desk, struct desk_device *device, size_t count)
{
    DESK_NEW(desk, Callout__Command, command);
    DESK_NEW(desk, Callout__PositionBatch, batch);
    callout__command__init(command);
    callout__position_batch__init(batch);
    command->seq = ++device->seq;
    command->body_case = CALLOUT__COMMAND__BODY_POSITIONS;
    command->positions = batch;
    batch->fixes = arena_need(&desk->arena, count * sizeof *batch->fixes);
    batch->n_fixes = count;
    for (size_t i = 0; i < count; i++) {
        batch->fixes[i] = arena_need(&desk->arena, sizeof **batch->fixes);
        callout__fix__init(batch->fixes[i]);
    }
    return command;
}

static Callout__CommandResult *push_fix(struct desk *desk, struct desk_device *device,
                                        int64_t time_us, int32_t lat_e7, int32_t lon_e7)
{
    Callout__Command *command = fixes_command(desk, device, 1);
    command->positions->fixes[0]->fix_time_us = time_us;
    command->positions->fixes[0]->accuracy_m = 10;
    command->positions->fixes[0]->point = desk_point(desk, lat_e7, lon_e7);
    return desk_push_one(desk, device, command);
}

static struct row_position position_of(struct desk *desk, const char *technician_id)
{
    union row row;
    struct row_position key = {.technician_id = technician_id};
    if (store_get(desk->store, ROW_POSITION, &key, &row) != ERR_OK) return key;
    return row.position;
}

/* The flags of a fix; -1: it is not kept. */
static int64_t flags_at(struct desk *desk, int64_t time_us)
{
    union row row;
    struct row_fix key = {.technician_id = "T1", .fix_time_us = time_us};
    return store_get(desk->store, ROW_FIX, &key, &row) == ERR_OK ? row.fix.flags : -1;
}

static struct desk_device at_work(struct desk *desk)
{
    desk_open(desk, store_open_mem(), NULL);
    desk_furnish(desk);
    desk->now_us = WORK_US;
    return desk_device(desk, "T1");
}

/* --- off shift --- */

struct pattern {
    uint8_t bytes[16];
    size_t size;
    const char *name;
};

static size_t varint(uint32_t value, uint8_t *out)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    return size;
}

/* All the ways in which a coordinate may lie in a file. */
static size_t patterns_of(int32_t e7, struct pattern *out)
{
    double degrees = e7 / 1e7;
    uint32_t raw = (uint32_t)e7;
    out[0] = (struct pattern){.name = "sint32"};
    out[0].size = varint(raw << 1, out[0].bytes);
    out[1] = (struct pattern){.name = "varint"};
    out[1].size = varint(raw, out[1].bytes);
    out[2] = (struct pattern){.name = "little endian", .size = 4};
    out[3] = (struct pattern){.name = "big endian", .size = 4};
    for (int i = 0; i < 4; i++)
        out[2].bytes[i] = out[3].bytes[3 - i] = (uint8_t)(raw >> (8 * i));
    out[4] = (struct pattern){.name = "double", .size = 8};
    memcpy(out[4].bytes, &degrees, 8);
    out[5] = (struct pattern){.name = "double, big endian", .size = 8};
    for (int i = 0; i < 8; i++)
        out[5].bytes[i] = out[4].bytes[7 - i];
    out[6] = (struct pattern){.name = "digits"};
    out[6].size = (size_t)snprintf((char *)out[6].bytes, 16, "%d", e7);
    out[7] = (struct pattern){.name = "decimal"};
    out[7].size = (size_t)snprintf((char *)out[7].bytes, 16, "%.6f", e7 / 1e7) - 1;
    return 8;
}

static struct pattern patterns[16];
static unsigned found_count, file_count;

static bool holds(const uint8_t *bytes, size_t size, const struct pattern *pattern)
{
    for (size_t i = 0; i + pattern->size <= size; i++)
        if (memcmp(bytes + i, pattern->bytes, pattern->size) == 0) return true;
    return false;
}

static int search_file(const char *path, const struct stat *about, int type)
{
    if (type != FTW_F) return 0;
    uint8_t *bytes = malloc((size_t)about->st_size + 1);
    FILE *file = fopen(path, "rb");
    assert_non_null(bytes);
    assert_non_null(file);
    size_t size = fread(bytes, 1, (size_t)about->st_size, file);
    fclose(file);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (!holds(bytes, size, &patterns[i])) continue;
        print_message("%s lies in %s\n", patterns[i].name, path);
        found_count++;
    }
    file_count++;
    free(bytes);
    return 0;
}

/* How many of the ways in which the mark may lie somewhere it does. */
static unsigned marks_in(const char *folder)
{
    size_t count = patterns_of(MARK_LAT, patterns);
    patterns_of(MARK_LON, patterns + count);
    found_count = file_count = 0;
    assert_int_equal(ftw(folder, search_file, 8), 0);
    assert_true(file_count > 2);
    return found_count;
}

static enum err (*real_put)(struct store *store, enum row_kind kind, const void *row);

static void remove_folder(const char *folder)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

/* Everything that can carry a place, before the shift begins. */
static void send_marks(struct desk *desk, struct desk_device *device)
{
    Callout__CommandResult *result = push_fix(desk, device, desk->now_us, MARK_LAT, MARK_LON);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__APPLIED);
    assert_int_equal(result->fixes_refused, 1);
    assert_true(result->text[0] != '\0');
    /* Twice over, as when the reply was lost: the same answer. */
    device->seq--;
    result = push_fix(desk, device, desk->now_us, MARK_LAT, MARK_LON);
    assert_true(result->duplicate && result->fixes_refused == 1);
    Callout__Command *status =
        desk_status(desk, ++device->seq, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED);
    status->status->point = desk_point(desk, MARK_LAT, MARK_LON);
    result = desk_push_one(desk, device, status);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__APPLIED);
    assert_int_equal(result->fixes_refused, 1);
    /* One that is refused as a whole, and one in a batch with what makes it refused. */
    Callout__Command *wrong = fixes_command(desk, device, 2);
    wrong->positions->fixes[0]->point = desk_point(desk, MARK_LAT, MARK_LON);
    wrong->positions->fixes[0]->fix_time_us = desk->now_us;
    assert_int_equal(desk_push_one(desk, device, wrong)->outcome, CALLOUT__OUTCOME__REJECTED);
    status = desk_status(desk, ++device->seq, "NONE.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED);
    status->status->point = desk_point(desk, MARK_LAT, MARK_LON);
    assert_int_equal(desk_push_one(desk, device, status)->outcome, CALLOUT__OUTCOME__REJECTED);
}

static void nothing_of_an_off_shift_place_reaches_the_disk(void **state)
{
    (void)state;
    struct desk desk;
    struct store *store;
    char folder[] = "/tmp/callout-places-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    desk_open(&desk, store, folder);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    send_marks(&desk, &device);
    assert_int_equal(position_of(&desk, "T1").fix_time_us, 0);
    assert_int_equal(marks_in(folder), 0); /* the WAL as it is now */
    desk_reopen(&desk, folder);
    assert_int_equal(marks_in(folder), 0); /* and a snapshot */
    /* The search is not blind: at work the same place is found. */
    desk.now_us = WORK_US;
    device = desk_device(&desk, "T1");
    assert_int_equal(push_fix(&desk, &device, desk.now_us, MARK_LAT, MARK_LON)->fixes_refused, 0);
    assert_true(marks_in(folder) >= 4);
    desk_close(&desk);
    remove_folder(folder);
}

/* Not only the tables forget it: the pages that were free before, and the write-ahead log. */
static void a_place_that_was_purged_is_in_no_file(void **state)
{
    (void)state;
    struct desk desk;
    struct store *store;
    char folder[] = "/tmp/callout-places-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    desk_open(&desk, store, folder);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    for (int i = 0; i < 60; i++) { /* more than a page of the table */
        desk.now_us = WORK_US + i * US_PER_MINUTE;
        push_fix(&desk, &device, desk.now_us, MARK_LAT, MARK_LON);
    }
    assert_true(marks_in(folder) >= 4);
    desk.now_us += 61 * US_PER_DAY;
    while (engine_purge(desk.engine, desk.now_us))
        ;
    assert_int_equal(position_of(&desk, "T1").fix_time_us, 0);
    assert_int_equal(marks_in(folder), 0);
    desk_close(&desk);
    remove_folder(folder);
}

static enum err refusing_put(struct store *store, enum row_kind kind, const void *row)
{
    if (kind == ROW_CHECK_IN) return ERR_CONFLICT;
    return real_put(store, kind, row);
}

/* A request that the store refuses is kept for people to look at: without places. */
static void quarantine_keeps_no_place(void **state)
{
    (void)state;
    struct desk desk;
    static struct store_ops ops;
    char folder[] = "/tmp/callout-places-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct store *store = store_open_mem();
    ops = *store->ops;
    real_put = ops.put;
    ops.put = refusing_put;
    store->ops = &ops;
    desk_open(&desk, store, folder);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    Callout__Command *commands[] = {
        fixes_command(&desk, &device, 1),
        desk_status(&desk, ++device.seq, "W1.1", CALLOUT__APPOINTMENT_STATUS__ACCEPTED)};
    commands[0]->positions->fixes[0]->point = desk_point(&desk, MARK_LAT, MARK_LON);
    commands[0]->positions->fixes[0]->fix_time_us = desk.now_us;
    commands[1]->status->point = desk_point(&desk, MARK_LAT, MARK_LON);
    Callout__PushReply *answer =
        desk_body(&desk, desk_ask_as(&desk, &device.who, "Push", "", desk_push(&desk, commands, 2)),
                  &callout__push_reply__descriptor);
    assert_int_equal(answer->results[1]->outcome, CALLOUT__OUTCOME__REJECTED);
    char path[96];
    snprintf(path, sizeof path, "%s/quarantine", folder);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(marks_in(folder), 0);
    desk_close(&desk);
    remove_folder(folder);
}

static void a_shift_an_absence_and_a_visit_say_when_he_is_at_work(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    int64_t eight_us = DESK_DAY_US + 8 * HOUR_US, five_us = DESK_DAY_US + 17 * HOUR_US;
    assert_int_equal(push_fix(&desk, &device, eight_us - 1, 471000000, 95000000)->fixes_refused, 1);
    assert_int_equal(push_fix(&desk, &device, eight_us, 471000000, 95000000)->fixes_refused, 0);
    desk.now_us = five_us - US_PER_MINUTE;
    Callout__Command *leaves =
        desk_status(&desk, ++device.seq, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE);
    assert_int_equal(desk_push_one(&desk, &device, leaves)->outcome, CALLOUT__OUTCOME__APPLIED);
    desk.now_us = five_us + HOUR_US; /* still on his way */
    assert_int_equal(push_fix(&desk, &device, desk.now_us, 471000000, 95000000)->fixes_refused, 0);
    Callout__Command *done =
        desk_status(&desk, ++device.seq, "W1.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED);
    assert_int_equal(desk_push_one(&desk, &device, done)->outcome, CALLOUT__OUTCOME__APPLIED);
    assert_int_equal(push_fix(&desk, &device, desk.now_us, 471000000, 95000000)->fixes_refused, 1);
    /* Days later what was taken at work is still told, what is older than it is kept is not. */
    desk.now_us = DESK_DAY_US + 50 * US_PER_DAY;
    assert_int_equal(push_fix(&desk, &device, eight_us + 7, 471000000, 95000000)->fixes_refused, 0);
    desk.now_us = DESK_DAY_US + 61 * US_PER_DAY;
    assert_int_equal(push_fix(&desk, &device, eight_us + 9, 471000000, 95000000)->fixes_refused, 1);
    desk_close(&desk);
}

/* --- what is believed --- */

static void late_fixes_keep_their_order_and_never_move_anybody_back(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    const int minutes[] = {0, -30, -10, -20, -40};
    for (int i = 0; i < 5; i++) {
        int64_t time_us = WORK_US + minutes[i] * US_PER_MINUTE;
        push_fix(&desk, &device, time_us, 471000000 + minutes[i], 95000000);
        assert_int_equal(flags_at(&desk, time_us), 0);
        assert_int_equal(position_of(&desk, "T1").fix_time_us, WORK_US);
        assert_int_equal(position_of(&desk, "T1").lat_e7, 471000000);
    }
    desk_close(&desk);
}

static void what_nobody_can_believe_is_kept_and_not_used(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    int64_t t = WORK_US - 40 * US_PER_MINUTE;
    push_fix(&desk, &device, t, 471000000, 95000000);
    push_fix(&desk, &device, t + 1, 0, 0);
    assert_int_equal(flags_at(&desk, t + 1), CALLOUT__FIX_FLAG__FIX_NULL_ISLAND);
    /* 50 km in a minute: 3,000 km/h. */
    int64_t far_us = t + US_PER_MINUTE;
    push_fix(&desk, &device, far_us, 475500000, 95000000);
    assert_int_equal(flags_at(&desk, far_us), CALLOUT__FIX_FLAG__FIX_TOO_FAST);
    assert_int_equal(position_of(&desk, "T1").fix_time_us, t);
    /* A good one behind it is used. */
    push_fix(&desk, &device, far_us + 1000, 471010000, 95000000);
    assert_int_equal(flags_at(&desk, far_us + 1000), 0);
    assert_int_equal(position_of(&desk, "T1").fix_time_us, far_us + 1000);
    desk_close(&desk);
}

/* It was the first fix that was wrong: those that follow outvote it. */
static void fixes_that_agree_outvote_a_wrong_one(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    int64_t t = WORK_US - 40 * US_PER_MINUTE;
    push_fix(&desk, &device, t, 400000000, 95000000); /* 800 km away */
    for (int i = 1; i <= 3; i++) {
        int64_t at_us = t + i * 30 * US_PER_SECOND;
        push_fix(&desk, &device, at_us, 471000000 + i, 95000000);
        assert_int_equal(flags_at(&desk, at_us) != 0, i < 3);
    }
    assert_int_equal(position_of(&desk, "T1").lat_e7, 471000003);
    desk_close(&desk);
}

static void an_accuracy_that_says_nothing_is_the_least(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    const int32_t accuracies[] = {-1, 1000000000, INT32_MIN};
    for (int i = 0; i < 3; i++) {
        Callout__Command *command = fixes_command(&desk, &device, 1);
        command->positions->fixes[0]->fix_time_us = WORK_US + i - 10;
        command->positions->fixes[0]->accuracy_m = accuracies[i];
        command->positions->fixes[0]->point = desk_point(&desk, 471000000, 95000000);
        desk_push_one(&desk, &device, command);
        assert_int_equal(flags_at(&desk, WORK_US + i - 10),
                         CALLOUT__FIX_FLAG__FIX_ACCURACY_CLAMPED);
        assert_int_equal(position_of(&desk, "T1").accuracy_m, 10000);
    }
    desk_close(&desk);
}

static void a_wrong_clock_does_not_make_a_fix_the_newest_for_ever(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    push_fix(&desk, &device, INT64_MAX, 471000000, 95000000);
    assert_int_equal(flags_at(&desk, WORK_US), CALLOUT__FIX_FLAG__FIX_CLOCK_CORRECTED);
    assert_int_equal(position_of(&desk, "T1").fix_time_us, WORK_US);
    desk.now_us += US_PER_MINUTE;
    push_fix(&desk, &device, desk.now_us, 471000000, 95000000);
    assert_int_equal(position_of(&desk, "T1").fix_time_us, desk.now_us);
    assert_int_equal(push_fix(&desk, &device, INT64_MIN, 471000000, 95000000)->fixes_refused, 1);
    desk_close(&desk);
}

/* One wrong fix, and nothing of its batch is stored. */
static void a_batch_is_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    Callout__Command *command = fixes_command(&desk, &device, 2);
    command->positions->fixes[0]->fix_time_us = WORK_US - 5;
    command->positions->fixes[0]->point = desk_point(&desk, 471000000, 95000000);
    command->positions->fixes[1]->point = desk_point(&desk, 910000000, 95000000);
    assert_int_equal(desk_push_one(&desk, &device, command)->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_int_equal(flags_at(&desk, WORK_US - 5), -1);
    desk_close(&desk);
}

/* --- how often, and who sees it --- */

static void devices_are_told_how_often(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    Callout__SnapshotReply *snapshot = desk_snapshot(&desk, &device);
    ProtobufCBinaryData cursor = snapshot->cursor;
    assert_int_equal(snapshot->sampling->moving_seconds, 30);
    assert_int_equal(snapshot->sampling->resting_seconds, 300);
    Callout__PullReply *reply = desk_pull(&desk, &device, &cursor);
    assert_null(reply->sampling);
    Callout__Policy policy;
    callout__policy__init(&policy);
    policy.accept_timeout_seconds = 600;
    policy.overtime_price_percent = 150;
    policy.unserved_seconds_per_priority = 3600;
    policy.position_moving_seconds = 10;
    Callout__UpsertTerritoryRequest *territory =
        (Callout__UpsertTerritoryRequest *)(uintptr_t)desk_territory(&desk, "UTC");
    territory->territory->policy = &policy;
    desk_do(&desk, "UpsertTerritory", &territory->base);
    reply = desk_pull(&desk, &device, &cursor);
    assert_int_equal(reply->sampling->moving_seconds, 10);
    assert_int_equal(reply->sampling->resting_seconds, 300);
    assert_null(desk_pull(&desk, &device, &cursor)->sampling);
    desk_close(&desk);
}

static const Callout__Fix *seen_on_board(struct desk *desk)
{
    const Callout__BoardReply *board = desk_board(desk);
    for (size_t i = 0; i < board->n_technicians; i++)
        if (strcmp(board->technicians[i]->technician->technician_id, "T1") == 0)
            return board->technicians[i]->last_fix;
    return NULL;
}

static void the_board_shows_places_of_people_at_work(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    push_fix(&desk, &device, WORK_US, 471000000, 95000000);
    assert_non_null(seen_on_board(&desk));
    desk.now_us = DESK_DAY_US + 17 * HOUR_US + US_PER_MINUTE;
    assert_null(seen_on_board(&desk));
    desk_close(&desk);
}

static void what_was_refused_is_counted(void **state)
{
    (void)state;
    struct desk desk;
    struct desk_device device = at_work(&desk);
    push_fix(&desk, &device, DESK_DAY_US, 471000000, 95000000);
    push_fix(&desk, &device, WORK_US, 0, 0);
    Callout__KpisRequest request;
    callout__kpis_request__init(&request);
    Callout__KpisReply *reply =
        desk_body(&desk, desk_do(&desk, "Kpis", &request.base), &callout__kpis_reply__descriptor);
    assert_int_equal(reply->counts->fixes_refused, 1);
    assert_int_equal(reply->counts->fixes_flagged, 1);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_an_off_shift_place_reaches_the_disk),
        cmocka_unit_test(a_place_that_was_purged_is_in_no_file),
        cmocka_unit_test(quarantine_keeps_no_place),
        cmocka_unit_test(a_shift_an_absence_and_a_visit_say_when_he_is_at_work),
        cmocka_unit_test(late_fixes_keep_their_order_and_never_move_anybody_back),
        cmocka_unit_test(what_nobody_can_believe_is_kept_and_not_used),
        cmocka_unit_test(fixes_that_agree_outvote_a_wrong_one),
        cmocka_unit_test(an_accuracy_that_says_nothing_is_the_least),
        cmocka_unit_test(a_wrong_clock_does_not_make_a_fix_the_newest_for_ever),
        cmocka_unit_test(a_batch_is_taken_whole_or_not_at_all),
        cmocka_unit_test(devices_are_told_how_often),
        cmocka_unit_test(the_board_shows_places_of_people_at_work),
        cmocka_unit_test(what_was_refused_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
