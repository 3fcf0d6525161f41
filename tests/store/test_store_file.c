/* What a store in a file must survive and refuse: being opened twice, reopened, copied, migrated,
 * damaged, killed, and a disk that is full. A second, plain SQLite connection plays the part of
 * whoever meddles with the file. */
#include "base/rng.h"
#include "dispatcher/store/database.h"
#include "dispatcher/store/schema.h"
#include "dispatcher/store/store.h"
#include "folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define OK(call)                                                                                   \
    do {                                                                                           \
        enum err err_ = (call);                                                                    \
        if (err_ != ERR_OK) fail_msg("%s gave %s", #call, err_name(err_));                         \
    } while (0)

static struct store *open_folder(const char *folder)
{
    struct store *store = NULL;
    struct problem problem = {.text = ""};
    enum err err = store_open_spatialite(&store, folder, &problem);
    if (err != ERR_OK) fail_msg("%s: %s: %s", err_name(err), problem.field, problem.text);
    return store;
}

static void run_sql(const char *folder, const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(folder_file(folder, DATABASE_FILE), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s", message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void put_order(struct store *store, const char *id, const char *note)
{
    struct row_work_order row = {.work_order_id = id, .note = note};
    OK(store_put(store, ROW_WORK_ORDER, &row));
}

static void put_site(struct store *store, const char *id, int64_t lat_e7, int64_t lon_e7)
{
    struct row_site row = {.site_id = id, .lat_e7 = lat_e7, .lon_e7 = lon_e7};
    OK(store_put(store, ROW_SITE, &row));
}

/* One batch: facts up to `seq`, an order and a site. */
static void add_batch(struct store *store, int64_t first_seq, int64_t seq)
{
    char id[32];
    OK(store_begin(store));
    for (int64_t i = first_seq; i <= seq; i++) {
        OK(store_append_fact(store, i, i, 1, &i, sizeof i));
        snprintf(id, sizeof id, "order %lld", (long long)i);
        put_order(store, id, "");
    }
    put_site(store, "depot", 471000000 + seq, 95000000);
    OK(store_commit(store));
}

static uint64_t digest_of(struct store *store)
{
    uint64_t digest = 0;
    OK(store_digest(store, &digest));
    return digest;
}

static uint64_t count_of(struct store *store, enum row_kind kind)
{
    uint64_t count = 0;
    OK(store_row_count(store, kind, &count));
    return count;
}

static int64_t bad_seq_of(struct store *store)
{
    int64_t bad_seq = -1;
    OK(store_verify_chain(store, &bad_seq));
    return bad_seq;
}

/* --- open, reopen, read --------------------------------------------------------------------------
 */

static void reopening_keeps_all(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    add_batch(store, 1, 5);
    uint64_t digest = digest_of(store);
    store_close(store);
    store = open_folder(folder);
    assert_true(digest_of(store) == digest);
    assert_int_equal(count_of(store, ROW_FACT), 5);
    add_batch(store, 6, 7); /* the chain goes on */
    assert_int_equal(bad_seq_of(store), 0);
    assert_true(digest_of(store) != digest);
    OK(store_verify_file(store, NULL));
    store_close(store);
    folder_remove(folder);
}

static void an_open_batch_is_rolled_back_at_close(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    OK(store_begin(store));
    put_order(store, "lost", "");
    store_close(store);
    store = open_folder(folder);
    assert_int_equal(count_of(store, ROW_WORK_ORDER), 0);
    store_close(store);
    folder_remove(folder);
}

static void a_folder_has_one_writer(void **state)
{
    (void)state;
    char *folder = folder_make(), expected[64];
    struct store *store = open_folder(folder), *second = NULL;
    struct problem problem;
    assert_int_equal(store_open_spatialite(&second, folder, &problem), ERR_BUSY);
    snprintf(expected, sizeof expected, "is in use by process %ld", (long)getpid());
    assert_non_null(strstr(problem.text, expected));
    store_close(store);
    store_close(open_folder(folder));
    folder_remove(folder);
}

static void the_files_are_for_their_owner_only(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    add_batch(store, 1, 1);
    const char *const names[] = {DATABASE_FILE, DATABASE_FILE "-wal", DATABASE_FILE "-shm", "lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct stat status;
        assert_int_equal(stat(folder_file(folder, names[i]), &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    store_close(store);
    folder_remove(folder);
}

static void a_reader_sees_one_moment(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder), *reader = NULL;
    struct problem problem = {.text = ""};
    add_batch(store, 1, 3);
    uint64_t digest = digest_of(store);
    if (store_open_reader(&reader, folder, &problem) != ERR_OK) fail_msg("%s", problem.text);
    add_batch(store, 4, 6);
    assert_int_equal(count_of(reader, ROW_FACT), 3);
    assert_true(digest_of(reader) == digest);
    assert_int_equal(bad_seq_of(reader), 0);
    OK(store_verify_file(reader, &problem));
    store_close(reader);
    OK(store_open_reader(&reader, folder, &problem));
    assert_int_equal(count_of(reader, ROW_FACT), 6);
    store_close(store); /* the writer may go first */
    assert_int_equal(count_of(reader, ROW_FACT), 6);
    store_close(reader);
    OK(store_open_reader(&reader, folder, &problem)); /* and nobody writes now */
    assert_int_equal(count_of(reader, ROW_FACT), 6);
    store_close(reader);
    store_close(open_folder(folder));
    folder_remove(folder);
}

static void a_reader_needs_a_store(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *reader = NULL;
    struct problem problem;
    assert_int_equal(store_open_reader(&reader, folder, &problem), ERR_NOT_FOUND);
    assert_null(reader);
    folder_remove(folder);
}

/* --- copies --------------------------------------------------------------------------------------
 */

static struct blob log_epoch_of(struct store *store)
{
    union row row;
    struct row_meta key = {.name = STORE_META_LOG_EPOCH};
    enum err err = store_get(store, ROW_META, &key, &row);
    if (err == ERR_NOT_FOUND) return (struct blob){NULL, 0};
    OK(err);
    return row.meta.value;
}

static void a_backup_is_a_store(void **state)
{
    (void)state;
    char *folder = folder_make(), *copy = folder_make();
    struct store *store = open_folder(folder);
    struct problem problem;
    add_batch(store, 1, 100);
    OK(store_backup(store, copy, &problem));
    uint64_t digest = digest_of(store);
    add_batch(store, 101, 102);
    assert_int_equal(store_backup(store, copy, &problem), ERR_CONFLICT); /* it is not empty now */
    assert_int_equal(access(folder_file(copy, DATABASE_FILE "-wal"), F_OK), -1);

    struct store *reader = NULL;
    OK(store_open_reader(&reader, copy, &problem));
    assert_true(digest_of(reader) == digest);
    store_close(reader);
    struct store *backup = open_folder(copy);
    assert_true(digest_of(backup) == digest);
    assert_int_equal(count_of(backup, ROW_FACT), 100);
    assert_int_equal(bad_seq_of(backup), 0);
    OK(store_verify_file(backup, &problem));
    add_batch(backup, 101, 101);
    store_close(backup);
    store_close(store);
    folder_remove(copy);
    folder_remove(folder);
}

static void a_backup_leaves_an_open_batch_out(void **state)
{
    (void)state;
    char *folder = folder_make(), *copy = folder_make();
    struct store *store = open_folder(folder), *reader = NULL;
    struct problem problem;
    add_batch(store, 1, 2);
    OK(store_begin(store));
    put_order(store, "not yet", "");
    OK(store_backup(store, copy, &problem));
    OK(store_commit(store));
    OK(store_open_reader(&reader, copy, &problem));
    assert_int_equal(count_of(reader, ROW_WORK_ORDER), 2);
    assert_int_equal(count_of(store, ROW_WORK_ORDER), 3);
    store_close(reader);
    store_close(store);
    folder_remove(copy);
    folder_remove(folder);
}

static void a_restored_store_has_a_new_epoch(void **state)
{
    (void)state;
    char *folder = folder_make(), *copy = folder_make(), *restored = folder_make();
    struct store *store = open_folder(folder);
    struct problem problem;
    OK(store_begin(store));
    struct row_meta epoch = {STORE_META_LOG_EPOCH, {"12345678", 8}};
    OK(store_put(store, ROW_META, &epoch));
    OK(store_commit(store));
    add_batch(store, 1, 3);
    OK(store_backup(store, copy, &problem));
    assert_int_equal(store_restore(copy, folder, &problem), ERR_CONFLICT);
    OK(store_restore(copy, restored, &problem));

    struct store *again = open_folder(restored);
    struct blob blob = log_epoch_of(again);
    assert_int_equal(blob.size, 8);
    assert_memory_not_equal(blob.bytes, "12345678", 8);
    assert_true(digest_of(again) == digest_of(store));
    add_batch(again, 4, 5);
    assert_int_equal(bad_seq_of(again), 0);
    store_close(again);
    store_close(store);
    folder_remove(restored);
    folder_remove(copy);
    folder_remove(folder);
}

/* --- versions ------------------------------------------------------------------------------------
 */

static void a_newer_file_is_refused_untouched(void **state)
{
    (void)state;
    char *folder = folder_make(), sql[64];
    struct store *store = open_folder(folder);
    add_batch(store, 1, 2);
    store_close(store);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", schema_newest.version + 1);
    run_sql(folder, sql);
    struct problem problem;
    assert_int_equal(store_open_spatialite(&store, folder, &problem), ERR_VERSION);
    assert_int_equal(store_open_reader(&store, folder, &problem), ERR_VERSION);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", schema_newest.version);
    run_sql(folder, sql);
    store = open_folder(folder);
    assert_int_equal(count_of(store, ROW_FACT), 2);
    store_close(store);
    folder_remove(folder);
}

static void other_tables_of_the_same_version_are_refused(void **state)
{
    (void)state;
    char *folder = folder_make();
    store_close(open_folder(folder));
    run_sql(folder, "ALTER TABLE work_order RENAME COLUMN note TO remark");
    struct store *store = NULL;
    struct problem problem;
    assert_int_equal(store_open_spatialite(&store, folder, &problem), ERR_VERSION);
    assert_string_equal(problem.field, "work_order");
    folder_remove(folder);
}

enum { TODAY_MAX = 64 };

/* Opens the file as a later program would, whose schema has two steps more. */
static enum err migrate(const char *folder, const char *first, const char *second)
{
    static const char *steps[TODAY_MAX + 2];
    assert_true(schema_newest.version <= TODAY_MAX);
    steps[schema_newest.version] = first;
    steps[schema_newest.version + 1] = second;
    struct database database;
    OK(database_open(&database, folder_file(folder, DATABASE_FILE), false, NULL));
    const struct schema schema = {schema_newest.version + 2, steps};
    enum err err = schema_prepare(database.db, folder, &schema, NULL);
    database_close(&database);
    return err;
}

static int64_t number_in(const char *folder, const char *name, const char *sql)
{
    struct database database;
    int64_t number = -1;
    OK(database_open(&database, folder_file(folder, name), false, NULL));
    OK(database_number(database.db, sql, &number, NULL));
    database_close(&database);
    return number;
}

/* What the first version did not have is taken out of a file; it comes back. */
static void a_file_of_the_first_version_gets_todays_tables(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    add_batch(store, 1, 2);
    store_close(store);
    run_sql(folder, "ALTER TABLE appointment DROP COLUMN held; DROP TABLE edit;"
                    "ALTER TABLE appointment DROP COLUMN needs;"
                    "ALTER TABLE plan DROP COLUMN bound_cost;"
                    "ALTER TABLE plan DROP COLUMN bound_lower;"
                    "ALTER TABLE plan DROP COLUMN bound_gap_ppm;"
                    "ALTER TABLE plan DROP COLUMN bound_age;"
                    "ALTER TABLE plan DROP COLUMN day_travel;"
                    "ALTER TABLE plan DROP COLUMN day_cost;"
                    "ALTER TABLE plan DROP COLUMN day_late_s;"
                    "ALTER TABLE plan DROP COLUMN day_unserved;"
                    "ALTER TABLE plan DROP COLUMN gain_late_s;"
                    "ALTER TABLE work_order DROP COLUMN items; DROP INDEX work_order_by_site;"
                    "DROP TABLE work_order_item; DROP TABLE follow_up; DROP TABLE visit_entry;"
                    "DROP TABLE blob_use; DROP TABLE consent;"
                    "DROP TABLE blob; DROP TABLE blob_day;"
                    "DROP TABLE message;"
                    "ALTER TABLE policy DROP COLUMN overtime_tier_us;"
                    "ALTER TABLE policy DROP COLUMN overtime_tier_price_percent;"
                    "ALTER TABLE plan DROP COLUMN gain_travel;"
                    "ALTER TABLE plan DROP COLUMN gain_overtime;"
                    "ALTER TABLE plan DROP COLUMN gain_lateness;"
                    "ALTER TABLE plan DROP COLUMN gain_preferred_window;"
                    "ALTER TABLE plan DROP COLUMN gain_preferred_technician;"
                    "ALTER TABLE plan DROP COLUMN gain_unserved;"
                    "ALTER TABLE plan DROP COLUMN gain_change_technician;"
                    "ALTER TABLE plan DROP COLUMN gain_change_start;"
                    "ALTER TABLE plan DROP COLUMN broken;"
                    "DROP INDEX change_by_appointment;"
                    "DROP TABLE stability_override;"
                    "DROP TABLE carry_over;"
                    "ALTER TABLE device DROP COLUMN acked_us;"
                    "ALTER TABLE device DROP COLUMN seen_seq;"
                    "ALTER TABLE device DROP COLUMN seen_us;"
                    "ALTER TABLE device DROP COLUMN accepted_seq;"
                    "ALTER TABLE device DROP COLUMN accepted_us;"
                    "DROP TABLE conflict; DROP TABLE conflict_resolution;"
                    "DROP TABLE address; DROP TABLE address_number; DROP TABLE address_word;"
                    "DROP TABLE dead_letter; ALTER TABLE device DROP COLUMN mismatches;"
                    "ALTER TABLE policy DROP COLUMN position_moving_s;"
                    "ALTER TABLE policy DROP COLUMN position_resting_s;"
                    "ALTER TABLE check_in DROP COLUMN happened_us;"
                    "ALTER TABLE check_in DROP COLUMN time_flags;"
                    "ALTER TABLE fix DROP COLUMN flags;"
                    "ALTER TABLE position DROP COLUMN doubted_us;"
                    "ALTER TABLE position DROP COLUMN doubted_lat_e7;"
                    "ALTER TABLE position DROP COLUMN doubted_lon_e7;"
                    "ALTER TABLE device DROP COLUMN boot_id;"
                    "ALTER TABLE device DROP COLUMN clock_offset_us;"
                    "ALTER TABLE enrol_token DROP COLUMN device_id;"
                    "ALTER TABLE device DROP COLUMN hello_count;"
                    "ALTER TABLE device DROP COLUMN session_hash;"
                    "ALTER TABLE device DROP COLUMN ended_us;"
                    "ALTER TABLE device DROP COLUMN letters;"
                    "ALTER TABLE device DROP COLUMN safe_seq;"
                    "ALTER TABLE device ADD COLUMN secret_hash BLOB NOT NULL DEFAULT x'';"
                    "INSERT INTO device(device_id, technician_id, epoch, last_seq, key_algorithm,"
                    "  public_key, revoked, name, acked_seq)"
                    "  VALUES('d1', 'T1', 1, 0, 'ed25519', x'0a0b', 1, '', 0),"
                    "  ('d0', 'T1', 2, 7, 'ed25519', x'0c0d', 0, '', 0);"
                    "DROP TABLE person; DROP TABLE person_session;"
                    "ALTER TABLE api_key DROP COLUMN territories;"
                    "DROP TABLE device_key; DROP TABLE device_of; DROP TABLE audit;"
                    "ALTER TABLE session DROP COLUMN ends_wall_us;"
                    "ALTER TABLE policy DROP COLUMN travel_price_percent;"
                    "ALTER TABLE policy DROP COLUMN lateness_price_percent;"
                    "ALTER TABLE policy DROP COLUMN preferred_window_missed_s;"
                    "ALTER TABLE policy DROP COLUMN preferred_technician_missed_s;"
                    "ALTER TABLE policy DROP COLUMN changes_per_technician_day_max;"
                    "ALTER TABLE policy DROP COLUMN changed_visits_percent_max;"
                    "ALTER TABLE technician DROP COLUMN leg_seconds_max;"
                    "ALTER TABLE technician DROP COLUMN travel_seconds_max;"
                    "ALTER TABLE work_order DROP COLUMN late_seconds_max;"
                    "DROP TABLE work_order_choice; DROP TABLE work_order_technician;"
                    "DROP TABLE arrival_window;"
                    "CREATE TABLE arrival_window(work_order_id TEXT NOT NULL,"
                    "  start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,"
                    "  promised INTEGER NOT NULL, PRIMARY KEY(work_order_id, start_us))"
                    "  STRICT, WITHOUT ROWID;"
                    "INSERT INTO arrival_window VALUES('order 1', 5, 9, 1);"
                    "INSERT INTO policy VALUES('north', 1, 0, 0, 0, 150, 3600, 60, 10, 0);"
                    "DROP INDEX work_order_by_customer; DROP INDEX work_order_by_contact;"
                    "DROP INDEX work_order_by_asset; DROP TABLE blob_put;"
                    "PRAGMA user_version = 1");
    store = open_folder(folder);
    union row row;
    OK(store_get(store, ROW_ARRIVAL_WINDOW,
                 &(struct row_arrival_window){.work_order_id = "order 1", .start_us = 5}, &row));
    assert_int_equal(row.arrival_window.end_us, 9);
    assert_int_equal(row.arrival_window.promised, 1);
    OK(store_get(store, ROW_POLICY, &(struct row_policy){.territory_id = "north", .version = 1},
                 &row));
    assert_int_equal(row.policy.travel_price_percent, 100);
    OK(store_get(store, ROW_DEVICE_KEY, &(struct row_device_key){.public_key = "0a0b"}, &row));
    assert_string_equal(row.device_key.device_id, "d1");
    OK(store_get(store, ROW_DEVICE_OF, &(struct row_device_of){.technician_id = "T1"}, &row));
    assert_string_equal(row.device_of.device_id, "d0");
    assert_int_equal(row.device_of.epoch, 2);
    assert_int_equal(count_of(store, ROW_FACT), 2);
    store_close(store);
    folder_remove(folder);
}

static void an_older_file_is_copied_and_migrated(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    add_batch(store, 1, 9);
    store_close(store);
    int today = schema_newest.version;
    char copy[64];
    OK(migrate(folder, "ALTER TABLE work_order ADD COLUMN tone TEXT NOT NULL DEFAULT 'calm'",
               "UPDATE work_order SET tone = 'loud' WHERE work_order_id = 'order 7'"));
    snprintf(copy, sizeof copy, DATABASE_FILE ".v%d", today);
    assert_int_equal(number_in(folder, DATABASE_FILE, "PRAGMA user_version"), today + 2);
    assert_int_equal(
        number_in(folder, DATABASE_FILE, "SELECT count(*) FROM work_order WHERE tone = 'loud'"), 1);
    assert_int_equal(number_in(folder, copy, "PRAGMA user_version"), today);
    assert_int_equal(number_in(folder, copy, "SELECT count(*) FROM fact"), 9);
    folder_remove(folder);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    add_batch(store, 1, 9);
    store_close(store);
    assert_int_not_equal(
        migrate(folder, "ALTER TABLE work_order ADD COLUMN tone TEXT NOT NULL DEFAULT 'calm'",
                "UPDATE work_order SET volume = 11"),
        ERR_OK);
    store = open_folder(folder);
    assert_int_equal(count_of(store, ROW_FACT), 9);
    store_close(store);
    assert_int_equal(number_in(folder, DATABASE_FILE,
                               "SELECT count(*) FROM pragma_table_info('work_order')"
                               " WHERE name = 'tone'"),
                     0);
    folder_remove(folder);
}

/* --- rules and damage ----------------------------------------------------------------------------
 */

static void a_rule_in_the_file_refuses_one_row(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    run_sql(folder, "CREATE TRIGGER magic BEFORE INSERT ON work_order WHEN NEW.note = 'magic'"
                    " BEGIN SELECT RAISE(ABORT, 'no magic'); END");
    struct row_work_order magic = {.work_order_id = "m", .note = "magic"};
    OK(store_begin(store));
    put_order(store, "a", "plain");
    assert_int_equal(store_put(store, ROW_WORK_ORDER, &magic), ERR_CONFLICT);
    assert_non_null(strstr(store_error_text(store), "no magic"));
    store_rollback(store);
    assert_int_equal(count_of(store, ROW_WORK_ORDER), 0);

    OK(store_begin(store)); /* the batch may also go on without it */
    put_order(store, "a", "plain");
    assert_int_equal(store_put(store, ROW_WORK_ORDER, &magic), ERR_CONFLICT);
    put_order(store, "b", "plain");
    OK(store_commit(store));
    assert_int_equal(count_of(store, ROW_WORK_ORDER), 2);
    store_close(store);
    folder_remove(folder);
}

/* Rows that wait for the end of their batch: a device's is kept, a check-in's is on a pile. */
static void a_rule_refuses_what_waited(void **state)
{
    (void)state;
    static const struct row_device device = {.device_id = "d", .name = "magic"};
    static const struct row_check_in check_in = {.appointment_id = "a", .reason = "magic"};
    static const struct {
        enum row_kind kind;
        const void *row;
    } rows[] = {{ROW_DEVICE, &device}, {ROW_CHECK_IN, &check_in}};
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    run_sql(folder, "CREATE TRIGGER one BEFORE INSERT ON device WHEN NEW.name = 'magic'"
                    " BEGIN SELECT RAISE(ABORT, 'no magic'); END;"
                    "CREATE TRIGGER two BEFORE INSERT ON check_in WHEN NEW.reason = 'magic'"
                    " BEGIN SELECT RAISE(ABORT, 'no magic'); END");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OK(store_begin(store));
        put_order(store, "a", "plain");
        OK(store_put(store, rows[i].kind, rows[i].row));
        assert_int_equal(store_commit(store), ERR_CONFLICT);
        assert_int_equal(count_of(store, ROW_WORK_ORDER), 0);
        store_put_at_once(store, true); /* and again, to hear which it was */
        OK(store_begin(store));
        put_order(store, "a", "plain");
        assert_int_equal(store_put(store, rows[i].kind, rows[i].row), ERR_CONFLICT);
        store_rollback(store);
        store_put_at_once(store, false);
        assert_int_equal(count_of(store, rows[i].kind), 0);
    }
    store_close(store);
    folder_remove(folder);
}

static void a_changed_byte_in_the_log_is_found(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    add_batch(store, 1, 50);
    run_sql(folder, "UPDATE fact SET body = x'2a00000000000001' WHERE seq = 42");
    assert_int_equal(bad_seq_of(store), 42);
    store_close(store);
    folder_remove(folder);
}

static void a_damaged_last_fact_is_found_at_open(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    add_batch(store, 1, 3);
    store_close(store);
    run_sql(folder, "UPDATE fact SET chain = x'00' WHERE seq = 3");
    struct problem problem;
    assert_int_equal(store_open_spatialite(&store, folder, &problem), ERR_IO);
    assert_string_equal(problem.field, "fact.chain");
    folder_remove(folder);
}

static void a_moved_point_is_found(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    struct problem problem;
    add_batch(store, 1, 1);
    OK(store_verify_file(store, &problem));
    run_sql(folder, "UPDATE site SET place = zeroblob(60)");
    assert_int_equal(store_verify_file(store, &problem), ERR_INVALID);
    assert_string_equal(problem.field, "site");
    store_close(store);
    folder_remove(folder);
}

static void a_stray_index_is_found(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    struct problem problem;
    add_batch(store, 1, 1);
    run_sql(folder, "UPDATE idx_site_place SET xmin = 9, xmax = 9");
    assert_int_equal(store_verify_file(store, &problem), ERR_INVALID);
    run_sql(folder, "DELETE FROM idx_site_place");
    assert_int_equal(store_verify_file(store, &problem), ERR_INVALID);
    store_close(store);
    folder_remove(folder);
}

static void no_database_is_refused(void **state)
{
    (void)state;
    char *folder = folder_make();
    FILE *file = fopen(folder_file(folder, DATABASE_FILE), "w");
    for (int i = 0; i < 1000; i++) {
        fputs("this is no database\n", file);
    }
    fclose(file);
    struct store *store = NULL;
    struct problem problem;
    assert_int_equal(store_open_spatialite(&store, folder, &problem), ERR_IO);
    assert_int_equal(store_open_reader(&store, folder, &problem), ERR_IO);
    folder_remove(folder);
}

static bool count_visit(void *context, const void *row)
{
    (void)row;
    ++*(int *)context;
    return true;
}

/* SpatiaLite itself must find the places that we encode. */
static void spatialite_reads_our_points(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    int visits = 0;
    OK(store_begin(store));
    put_site(store, "schaan", 471650000, 95100000);
    OK(store_commit(store));
    OK(store_each(store, ROW_SITE, NULL, 0, false, count_visit, &visits));
    assert_int_equal(visits, 1);
    store_close(store);
    assert_int_equal(number_in(folder, DATABASE_FILE,
                               "SELECT GeometryType(place) = 'POINT' AND Srid(place) = 4326"
                               " AND ST_X(place) = 9.51 AND ST_Y(place) = 47.165"
                               " AND CheckSpatialIndex('site', 'place') = 1 FROM site"),
                     1);
    folder_remove(folder);
}

/* --- kill, and a full disk
 * ------------------------------------------------------------------------- */

/* Commits batches and tells of each by its last seq, until it is killed. */
static void commit_for_ever(const char *folder, int acks, uint64_t seed)
{
    struct store *store = open_folder(folder);
    struct rng rng = {seed};
    int64_t seq = (int64_t)count_of(store, ROW_FACT);
    for (;;) {
        int64_t last = seq + 1 + rng_below(&rng, 5);
        add_batch(store, seq + 1, last);
        seq = last;
        if (write(acks, &seq, sizeof seq) != (ssize_t)sizeof seq) _exit(1);
    }
}

/* Lets a child commit until it was killed, at a random time after its first acknowledgement;
 * returns the last seq that it had acknowledged. */
static int64_t run_and_kill(const char *folder, struct rng *rng)
{
    int acks[2];
    int64_t seq = 0, last = 0;
    assert_int_equal(pipe(acks), 0);
    pid_t child = fork();
    if (child == 0) {
        close(acks[0]);
        commit_for_ever(folder, acks[1], rng->state);
    }
    close(acks[1]);
    if (read(acks[0], &last, sizeof last) != (ssize_t)sizeof last) fail_msg("the child ended");
    struct timespec pause = {0, rng_below(rng, 6000000)};
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    while (read(acks[0], &seq, sizeof seq) == (ssize_t)sizeof seq) {
        last = seq;
    }
    close(acks[0]);
    waitpid(child, NULL, 0);
    return last;
}

static void a_kill_loses_no_acknowledged_batch(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct rng rng = {3};
    for (int i = 0; i < 200; i++) {
        int64_t acknowledged = run_and_kill(folder, &rng);
        struct store *store = open_folder(folder);
        assert_true((int64_t)count_of(store, ROW_FACT) >= acknowledged);
        assert_int_equal(count_of(store, ROW_FACT), count_of(store, ROW_WORK_ORDER));
        if (i % 20 == 19) {
            assert_int_equal(bad_seq_of(store), 0);
            OK(store_verify_file(store, NULL));
        }
        store_close(store);
    }
    folder_remove(folder);
}

static char long_note[100000];

static void disk_limit(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    memset(long_note, 'x', sizeof long_note - 1);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static enum err put_long(struct store *store, int64_t number)
{
    struct row_check_in row = {.appointment_id = "a", .seq = number, .reason = long_note};
    return store_put(store, ROW_CHECK_IN, &row);
}

static void a_full_disk_refuses_and_goes_on_afterwards(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    int stored = 0, refused = 0;
    disk_limit(1500000);
    for (int i = 0; i < 40; i++) {
        OK(store_begin(store));
        OK(store_append_fact(store, stored + 1, 0, 1, "", 0));
        OK(put_long(store, i));
        enum err err = store_commit(store);
        assert_true(err == ERR_OK || err == ERR_IO);
        stored += err == ERR_OK;
        refused += err == ERR_IO;
        assert_int_equal(count_of(store, ROW_CHECK_IN), stored);
        if (refused > 5) disk_limit(0);
    }
    assert_int_equal(refused, 6);
    assert_int_equal(bad_seq_of(store), 0);
    OK(store_verify_file(store, NULL));
    store_close(store);
    store = open_folder(folder);
    assert_int_equal(count_of(store, ROW_FACT), stored);
    store_close(store);
    folder_remove(folder);
}

/* A batch that outgrows the page cache meets the full disk before its commit. */
static void a_batch_with_a_failed_put_is_not_committed(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_folder(folder);
    disk_limit(1500000);
    OK(store_begin(store));
    enum err err = ERR_OK;
    for (int i = 0; i < 1000 && err == ERR_OK; i++) {
        err = put_long(store, i);
    }
    assert_int_equal(err, ERR_IO);
    assert_int_equal(store_commit(store), ERR_IO);
    disk_limit(0);
    assert_int_equal(count_of(store, ROW_CHECK_IN), 0);
    add_batch(store, 1, 2);
    OK(store_verify_file(store, NULL));
    store_close(store);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reopening_keeps_all),
        cmocka_unit_test(an_open_batch_is_rolled_back_at_close),
        cmocka_unit_test(a_folder_has_one_writer),
        cmocka_unit_test(the_files_are_for_their_owner_only),
        cmocka_unit_test(a_reader_sees_one_moment),
        cmocka_unit_test(a_reader_needs_a_store),
        cmocka_unit_test(a_backup_is_a_store),
        cmocka_unit_test(a_backup_leaves_an_open_batch_out),
        cmocka_unit_test(a_restored_store_has_a_new_epoch),
        cmocka_unit_test(a_newer_file_is_refused_untouched),
        cmocka_unit_test(other_tables_of_the_same_version_are_refused),
        cmocka_unit_test(a_file_of_the_first_version_gets_todays_tables),
        cmocka_unit_test(an_older_file_is_copied_and_migrated),
        cmocka_unit_test(a_migration_that_fails_changes_nothing),
        cmocka_unit_test(a_rule_in_the_file_refuses_one_row),
        cmocka_unit_test(a_rule_refuses_what_waited),
        cmocka_unit_test(a_changed_byte_in_the_log_is_found),
        cmocka_unit_test(a_damaged_last_fact_is_found_at_open),
        cmocka_unit_test(a_moved_point_is_found),
        cmocka_unit_test(a_stray_index_is_found),
        cmocka_unit_test(no_database_is_refused),
        cmocka_unit_test(spatialite_reads_our_points),
        cmocka_unit_test(a_kill_loses_no_acknowledged_batch),
        cmocka_unit_test(a_full_disk_refuses_and_goes_on_afterwards),
        cmocka_unit_test(a_batch_with_a_failed_put_is_not_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
