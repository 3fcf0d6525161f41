/* Flips bytes of a data folder's database, cuts it off, and blanks whole pages: `callout verify`
 * must find it, unless nothing that matters reads differently. And each byte of a row of the logs
 * that is changed in good order, as by somebody with SQLite in his hands, is named with its fact.
 */
#include "../dispatcher/desk.h"
#include "../store/folder.h"
#include "base/digest.h"
#include "base/exit_code.h"
#include "base/rng.h"
#include "dispatcher/replay.h"
#include "dispatcher/store/database.h"

#include <getopt.h>
#include <sqlite3.h>
#include <sys/wait.h>

enum { FLIPS = 60, CUTS = 6, PAGES = 12, PAGE = 4096 };

static char *folder; /* of the damaged copy */
static uint8_t *original;
static size_t original_size;

static void write_file(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(folder_file(folder, DATABASE_FILE), "wb");
    assert_non_null(file);
    assert_true(fwrite(bytes, 1, size, file) == size);
    fclose(file);
    unlink(folder_file(folder, DATABASE_FILE "-wal"));
    unlink(folder_file(folder, DATABASE_FILE "-shm"));
}

/* A day with orders, assignments and a device that reported. */
static int make_original(void **state)
{
    (void)state;
    struct store *store;
    struct desk desk;
    folder = folder_make();
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    desk_open(&desk, store, folder);
    desk_furnish(&desk);
    struct desk_device device = desk_device(&desk, "T1");
    for (uint32_t i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof id, "X%u", i);
        desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, id)->base);
    }
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T1")->base);
    desk_push_one(&desk, &device,
                  desk_status(&desk, 1, "W1.1", CALLOUT__APPOINTMENT_STATUS__EN_ROUTE));
    desk_close(&desk);
    FILE *file = fopen(folder_file(folder, DATABASE_FILE), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    original_size = (size_t)ftell(file);
    rewind(file);
    original = malloc(original_size);
    assert_true(original != NULL && fread(original, 1, original_size, file) == original_size);
    fclose(file);
    return 0;
}

static int remove_original(void **state)
{
    (void)state;
    free(original);
    folder_remove(folder);
    return 0;
}

/* --- what is read from the file --- */

struct reading {
    enum row_kind kind;
    struct digest digest;
};

static bool read_row(void *context, const void *row)
{
    struct reading *reading = context;
    const struct row_table *table = row_table(reading->kind);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct row_column *column = &table->columns[i];
        const char *at = (const char *)row + column->offset;
        if (column->type == COLUMN_INT) {
            digest_u64(&reading->digest, (uint64_t)row_int(row, column));
        } else if (column->type == COLUMN_TEXT) {
            const char *text = row_text(row, column);
            digest_bytes(&reading->digest, text, strlen(text));
        } else {
            struct blob blob;
            memcpy(&blob, at, sizeof blob);
            digest_bytes(&reading->digest, blob.bytes, blob.size);
        }
    }
    return true;
}

/* Of the tables that facts lead to, and of the logs; false: it cannot be read. */
static bool read_all(uint64_t *contents)
{
    struct store *store;
    struct problem problem;
    if (store_open_reader(&store, folder, &problem) != ERR_OK) return false;
    struct reading reading = {.digest = digest_start()};
    enum err err = ERR_OK;
    for (reading.kind = 0; reading.kind < ROW_KINDS && err == ERR_OK; reading.kind++) {
        enum row_class class = row_table(reading.kind)->class;
        if ((class == ROW_NOUN || class == ROW_LOG) && reading.kind != ROW_SNAPSHOT)
            err = store_each(store, reading.kind, NULL, 0, false, read_row, &reading);
    }
    *contents = reading.digest.state;
    store_close(store);
    return err == ERR_OK;
}

static int verify(void)
{
    char word[] = "verify", path[300], *words[] = {word, path, NULL};
    snprintf(path, sizeof path, "%s", folder);
    optind = 1;
    return verify_main(2, words);
}

enum verdict { HARMLESS, FOUND, SILENT, CRASHED };

/* In a child, so that whatever a damaged file does to it is a verdict too. */
static enum verdict judge(uint64_t expected, char *said, size_t room)
{
    int status;
    FILE *output = tmpfile();
    assert_non_null(output);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint64_t contents;
        dup2(fileno(output), STDOUT_FILENO);
        dup2(fileno(output), STDERR_FILENO);
        int code = verify();
        fflush(stdout);
        if (code != EXIT_DONE) _exit(FOUND);
        _exit(read_all(&contents) && contents == expected ? HARMLESS : SILENT);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    rewind(output);
    size_t size = fread(said, 1, room - 1, output);
    said[size] = '\0';
    fclose(output);
    return WIFEXITED(status) ? (enum verdict)WEXITSTATUS(status) : CRASHED;
}

static uint32_t tally[CRASHED + 1];

static void expect_found_or_harmless(uint64_t expected, const char *what, size_t at)
{
    char said[4096];
    enum verdict verdict = judge(expected, said, sizeof said);
    tally[verdict]++;
    if (verdict == SILENT || verdict == CRASHED)
        fail_msg("%s at %zu: %s\n%s", what, at, verdict == SILENT ? "silent" : "crashed", said);
}

static void damage_is_found_or_changes_nothing(void **state)
{
    (void)state;
    uint64_t expected;
    struct rng rng = {5};
    uint8_t *bytes = malloc(original_size);
    assert_non_null(bytes);
    write_file(original, original_size);
    assert_true(read_all(&expected));
    for (uint32_t i = 0; i < FLIPS + PAGES; i++) {
        size_t at = rng_next(&rng) % original_size;
        memcpy(bytes, original, original_size);
        if (i < FLIPS)
            bytes[at] ^= (uint8_t)(1 << rng_below(&rng, 8));
        else
            memset(bytes + at / PAGE * PAGE, 0, PAGE);
        write_file(bytes, original_size);
        expect_found_or_harmless(expected, i < FLIPS ? "a flipped bit" : "a blank page", at);
    }
    for (uint32_t i = 0; i < CUTS; i++) {
        size_t at = rng_next(&rng) % original_size;
        write_file(original, at);
        expect_found_or_harmless(expected, "a cut", at);
    }
    print_message("%u found, %u harmless\n", tally[FOUND], tally[HARMLESS]);
    assert_true(tally[FOUND] > 5);
    free(bytes);
}

/* --- the write-ahead log --- */

struct image {
    uint8_t *bytes;
    size_t size;
};

static struct image read_image(const char *path)
{
    struct image image;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    image.size = (size_t)ftell(file);
    rewind(file);
    image.bytes = malloc(image.size);
    assert_non_null(image.bytes);
    assert_true(fread(image.bytes, 1, image.size, file) == image.size);
    fclose(file);
    return image;
}

static void write_log(const struct image *log)
{
    FILE *file = fopen(folder_file(folder, DATABASE_FILE "-wal"), "wb");
    assert_non_null(file);
    assert_true(fwrite(log->bytes, 1, log->size, file) == log->size);
    fclose(file);
}

/* SQLite takes what stands before the damage and says nothing: what was committed behind it would
 * be gone. Only what hits the last commit looks like a power cut in it. */
static void a_flip_in_the_log_of_writes_is_found(void **state)
{
    (void)state;
    struct store *store;
    struct desk desk;
    struct rng rng = {7};
    uint64_t expected;
    char *live = folder_make();
    assert_int_equal(store_open_spatialite(&store, live, NULL), ERR_OK);
    desk_open(&desk, store, live);
    desk_furnish(&desk);
    for (uint32_t i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "X%u", i);
        desk_do(&desk, "UpsertWorkOrder", &desk_order(&desk, id)->base);
    }
    struct image database = read_image(folder_file(live, DATABASE_FILE));
    struct image log = read_image(folder_file(live, DATABASE_FILE "-wal"));
    desk_close(&desk);
    folder_remove(live);
    write_file(database.bytes, database.size);
    write_log(&log);
    assert_true(read_all(&expected));
    tally[FOUND] = 0;
    for (uint32_t i = 0; i < FLIPS / 2; i++) {
        size_t at = rng_next(&rng) % (log.size / 2);
        uint8_t bit = (uint8_t)(1 << rng_below(&rng, 8));
        log.bytes[at] ^= bit;
        write_file(database.bytes, database.size);
        write_log(&log);
        expect_found_or_harmless(expected, "a bit of the log", at);
        log.bytes[at] ^= bit;
    }
    assert_true(tally[FOUND] > FLIPS / 4);
    free(database.bytes);
    free(log.bytes);
}

/* --- the logs, row by row --- */

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(folder_file(folder, DATABASE_FILE), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void expect_named(const char *sql, const char *name)
{
    char said[4096];
    write_file(original, original_size);
    run_sql(sql);
    enum verdict verdict = judge(0, said, sizeof said);
    if (verdict != FOUND || strstr(said, name) == NULL)
        fail_msg("%s: \"%s\" is not named\n%s", sql, name, said);
}

static void each_column_of_a_fact_is_sealed(void **state)
{
    (void)state;
    static const char *const columns[] = {"time_us = time_us + 1", "kind = kind + 1",
                                          "salt = zeroblob(16)",   "body = zeroblob(8)",
                                          "leaf = zeroblob(32)",   "chain = zeroblob(32)"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        char sql[120];
        snprintf(sql, sizeof sql, "UPDATE fact SET %s WHERE seq = 17", columns[i]);
        expect_named(sql, "fact 17");
    }
    expect_named("DELETE FROM fact WHERE seq = 17", "fact 17");
}

static void each_column_of_a_change_is_held_against_its_fact(void **state)
{
    (void)state;
    static const char *const columns[] = {
        "territory_id = 'south'", "appointment_id = 'W2.1'",   "owner_before = 'T2'",
        "owner_after = 'T2'",     "start_before_us = 1 + seq", "start_after_us = 1 + seq",
        "number = number + 7",
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        char sql[240];
        snprintf(sql, sizeof sql,
                 "UPDATE change SET %s WHERE seq = (SELECT max(seq) FROM change) "
                 "AND number = (SELECT max(number) FROM change WHERE seq = "
                 "(SELECT max(seq) FROM change))",
                 columns[i]);
        expect_named(sql, "the changes of fact");
    }
    expect_named("DELETE FROM change WHERE seq = (SELECT max(seq) FROM change)",
                 "the changes of fact");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_found_or_changes_nothing),
        cmocka_unit_test(a_flip_in_the_log_of_writes_is_found),
        cmocka_unit_test(each_column_of_a_fact_is_sealed),
        cmocka_unit_test(each_column_of_a_change_is_held_against_its_fact),
    };
    setenv("TMPDIR", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", 0);
    return cmocka_run_group_tests(tests, make_original, remove_original);
}
