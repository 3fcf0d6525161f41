/* The outbox keeps what it said it saved, through kill -9, torn ends, a full disk and damage. */
#include "base/check.h"
#include "box.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { KILLS = 40 };

static void append_many(struct outbox *outbox, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(append(outbox), ERR_OK);
}

static void numbers_go_on_after_a_restart(void **state)
{
    struct box box = open_sound(*state);
    assert_int_equal(outbox_last_seq(box.outbox), 0);
    append_many(box.outbox, 5);
    box_close(&box);
    box = open_sound(*state);
    assert_int_equal(outbox_last_seq(box.outbox), 5);
    append_many(box.outbox, 1);
    assert_int_equal(outbox_last_seq(box.outbox), 6);
    box_close(&box);
}

/* --- kills ----------------------------------------------------------------------------------- */

/* Saves without end and reports each seq that counts as saved; now and then old ones go. */
static void child_saves(const struct folder *folder, int report)
{
    struct box box;
    CHECK(box_open(&box, folder, NULL) == ERR_OK);
    for (;;) {
        CHECK(append(box.outbox) == ERR_OK);
        uint64_t seq = outbox_last_seq(box.outbox);
        CHECK(write(report, &seq, sizeof seq) == sizeof seq);
        CHECK(outbox_forget(box.outbox, seq, (int64_t)seq - 3, NULL) == ERR_OK);
    }
}

static uint64_t kill_after_reports(const struct folder *folder, uint32_t reports)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ends[0]);
        child_saves(folder, ends[1]);
    }
    close(ends[1]);
    uint64_t seq = 0, saved = 0;
    for (uint32_t i = 0; i < reports; i++)
        CHECK(read(ends[0], &seq, sizeof seq) == sizeof seq);
    CHECK(kill(child, SIGKILL) == 0);
    while (read(ends[0], &seq, sizeof seq) == sizeof seq)
        saved = seq;
    close(ends[0]);
    CHECK(waitpid(child, NULL, 0) == child);
    return saved > seq ? saved : seq;
}

static void a_killed_writer_loses_nothing_that_was_saved(void **state)
{
    struct folder *folder = *state;
    struct rng rng = {20261123};
    for (int i = 0; i < KILLS; i++) {
        uint64_t saved = kill_after_reports(folder, rng_below(&rng, 30));
        struct box box = open_sound(folder);
        assert_true(outbox_last_seq(box.outbox) >= saved);
        box_close(&box);
    }
}

/* --- damage ---------------------------------------------------------------------------------- */

struct image {
    uint8_t *bytes;
    size_t size; /* 0: there is no such file */
};

static struct image image_load(const char *path)
{
    struct image image = {0};
    FILE *file = fopen(path, "r");
    if (file == NULL) return image;
    image.bytes = malloc(1 << 20);
    CHECK(image.bytes != NULL);
    image.size = fread(image.bytes, 1, 1 << 20, file);
    CHECK(fclose(file) == 0);
    return image;
}

static void image_save(const struct image *image, const char *path)
{
    unlink(path);
    if (image->size == 0) return;
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fwrite(image->bytes, 1, image->size, file) == image->size);
    CHECK(fclose(file) == 0);
}

/* Leaves a folder as a kill leaves it: some commands in the database, `in_log` in the log. */
static void leave_behind(const struct folder *folder, int in_database, int in_log)
{
    struct box box = open_sound(folder);
    append_many(box.outbox, in_database);
    box_close(&box);
    pid_t child = fork();
    if (child == 0) {
        box = open_sound(folder);
        append_many(box.outbox, in_log);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* Each single byte is turned over: it is found, or nothing that was saved is missing. In the log's
 * last transaction nobody can tell it from a tear: that alone may go. */
static void no_damage_goes_unseen(void **state)
{
    enum { IN_DATABASE = 30, IN_LOG = 6, STEP = 7 };
    struct folder *folder = *state;
    leave_behind(folder, IN_DATABASE, IN_LOG);
    struct image images[2] = {image_load(folder->files[DB]), image_load(folder->files[WAL])};
    unsigned refused = 0, looked_at = 0;
    for (int i = DB; i <= WAL; i++) {
        for (size_t at = 0; at < images[i].size; at += STEP) {
            images[i].bytes[at] ^= 0x40;
            image_save(&images[DB], folder->files[DB]);
            image_save(&images[WAL], folder->files[WAL]);
            images[i].bytes[at] ^= 0x40;
            struct box box;
            struct problem problem = {0};
            enum err err = box_open(&box, folder, &problem);
            looked_at++;
            refused += err != ERR_OK;
            if (err != ERR_OK) {
                assert_int_equal(err, ERR_IO);
                assert_non_null(strstr(problem.field, "device.db"));
                continue;
            }
            assert_whole(box.outbox);
            assert_int_equal(outbox_first_seq(box.outbox), 1);
            if (outbox_last_seq(box.outbox) < IN_DATABASE + IN_LOG - (i == WAL))
                fail_msg("%s, byte %zu: only %llu commands", file_names[i], at,
                         (unsigned long long)outbox_last_seq(box.outbox));
            box_close(&box);
        }
        assert_true(refused > 0);
    }
    print_message("%u bytes turned over, %u of them noticed\n", looked_at, refused);
    free(images[DB].bytes);
    free(images[WAL].bytes);
}

static void run_sql(const struct folder *folder, const char *sql)
{
    struct device_file *file;
    sqlite3_stmt *statement;
    assert_int_equal(device_file_open(&file, folder->path, false, NULL), ERR_OK);
    assert_int_equal(device_file_prepare(file, &statement, sql, NULL), ERR_OK);
    assert_int_equal(device_file_run(file, statement, NULL), ERR_OK);
    sqlite3_finalize(statement);
    device_file_close(file);
}

/* Whoever took it away: numbers have no gaps, and what is dropped from the front is on record. */
static void a_missing_command_is_named(void **state)
{
    static const char *const losses[] = {"DELETE FROM command WHERE seq = 3",
                                         "DELETE FROM command WHERE seq = 1",
                                         "UPDATE mark SET floor_seq = 2"};
    struct folder *folder = *state;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        unlink(folder->files[DB]);
        leave_behind(folder, 5, 0);
        run_sql(folder, losses[i]);
        struct box box;
        struct problem problem;
        assert_int_equal(box_open(&box, folder, &problem), ERR_IO);
        assert_non_null(strstr(problem.text, "damaged"));
    }
}

/* Damage where no command lies would be met at the next write only. */
static void damage_anywhere_in_the_structure_is_named(void **state)
{
    enum { ROOT_OF_VISITS = 2 * 4096 }; /* the third page */
    struct folder *folder = *state;
    leave_behind(folder, 2, 0);
    struct image db = image_load(folder->files[DB]);
    assert_true(db.size > ROOT_OF_VISITS + 4);
    db.bytes[ROOT_OF_VISITS + 3] ^= 0x40; /* the count of its rows */
    image_save(&db, folder->files[DB]);
    free(db.bytes);
    struct box box;
    assert_int_equal(box_open(&box, folder, NULL), ERR_IO);
}

static void every_torn_end_is_cut_off(void **state)
{
    enum { IN_LOG = 3 };
    struct folder *folder = *state;
    leave_behind(folder, 2, IN_LOG - 1);
    struct stat stat_of_log;
    CHECK(stat(folder->files[WAL], &stat_of_log) == 0);
    size_t before = (size_t)stat_of_log.st_size;
    unlink(folder->files[WAL]);
    unlink(folder->files[DB]);
    leave_behind(folder, 2, IN_LOG);
    struct image db = image_load(folder->files[DB]), wal = image_load(folder->files[WAL]);
    assert_true(wal.size > before);
    for (wal.size--; wal.size >= before; wal.size -= 13) {
        image_save(&db, folder->files[DB]);
        image_save(&wal, folder->files[WAL]);
        struct box box = open_sound(folder);
        assert_int_equal(outbox_last_seq(box.outbox), 4);
        append_many(box.outbox, 1); /* and the number is used anew */
        box_close(&box);
    }
    free(db.bytes);
    free(wal.bytes);
}

static void what_is_refused_stays_as_it_is(void **state)
{
    struct folder *folder = *state;
    leave_behind(folder, 2, 5);
    struct image wal = image_load(folder->files[WAL]);
    wal.bytes[wal.size / 4] ^= 1;
    image_save(&wal, folder->files[WAL]);
    struct box box;
    struct problem problem;
    assert_int_equal(box_open(&box, folder, &problem), ERR_IO);
    assert_non_null(strstr(problem.text, "damaged"));
    assert_non_null(strstr(problem.text, "empty one"));
    struct image after = image_load(folder->files[WAL]);
    assert_int_equal(after.size, wal.size);
    assert_memory_equal(after.bytes, wal.bytes, wal.size);
    free(wal.bytes);
    free(after.bytes);
}

/* --- room ------------------------------------------------------------------------------------ */

static void old_acknowledged_commands_are_forgotten(void **state)
{
    struct box box = open_sound(*state);
    append_many(box.outbox, 600);
    /* Commands up to 500 are acknowledged, those up to 400 are old enough. */
    assert_int_equal(outbox_forget(box.outbox, 500, 401, NULL), ERR_OK);
    assert_int_equal(outbox_first_seq(box.outbox), 401);
    assert_whole(box.outbox);
    box_close(&box);
    box = open_sound(*state);
    assert_int_equal(outbox_first_seq(box.outbox), 401);
    assert_int_equal(outbox_last_seq(box.outbox), 600);
    append_many(box.outbox, 1);
    const uint8_t *bytes;
    size_t size;
    assert_int_equal(outbox_read(box.outbox, 400, &bytes, &size), ERR_GAP);
    assert_int_equal(outbox_forget(box.outbox, 601, INT64_MAX, NULL), ERR_OK);
    assert_int_equal(outbox_forget(box.outbox, 601, INT64_MAX, NULL), ERR_OK);
    box_close(&box);
    box = open_sound(*state);
    assert_int_equal(outbox_last_seq(box.outbox), 601);
    box_close(&box);
}

static void a_new_file_goes_on_where_the_server_is(void **state)
{
    struct box box = open_sound(*state);
    assert_int_equal(outbox_skip_to(box.outbox, 41, NULL), ERR_OK);
    append_many(box.outbox, 1);
    box_close(&box);
    box = open_sound(*state);
    assert_int_equal(outbox_last_seq(box.outbox), 42);
    box_close(&box);
}

/* The disk has no more room for the child: its save fails, and nothing that was saved is gone. */
static void a_disk_without_room_takes_nothing_away(void **state)
{
    struct folder *folder = *state;
    leave_behind(folder, 5, 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct box box = open_sound(folder);
        CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){40000, 40000}) == 0);
        enum err err = ERR_OK;
        while (err == ERR_OK)
            err = append(box.outbox);
        uint64_t saved = outbox_last_seq(box.outbox);
        CHECK(err == ERR_IO && append(box.outbox) == ERR_IO);
        CHECK(outbox_last_seq(box.outbox) == saved && saved < 100);
        _exit((int)saved);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) > 5);
    struct box box = open_sound(folder);
    assert_int_equal(outbox_last_seq(box.outbox), WEXITSTATUS(status));
    append_many(box.outbox, 1);
    box_close(&box);
}

/* --- who may have it ------------------------------------------------------------------------- */

static void two_processes_never_share_a_device(void **state)
{
    struct folder *folder = *state;
    struct box box = open_sound(folder), second;
    pid_t child = fork();
    if (child == 0) _exit(box_open(&second, folder, NULL) == ERR_BUSY ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(box_open(&second, folder, NULL), ERR_BUSY); /* nor does one twice */
    append_many(box.outbox, 1);
    box_close(&box);
}

static void too_large_a_command_is_refused(void **state)
{
    static uint8_t bytes[20000];
    struct box box = open_sound(*state);
    assert_int_equal(outbox_append(box.outbox, 1, 0, bytes, sizeof bytes, NULL), ERR_TOO_LARGE);
    assert_int_equal(outbox_last_seq(box.outbox), 0);
    box_close(&box);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(numbers_go_on_after_a_restart),
        CASE(a_killed_writer_loses_nothing_that_was_saved),
        CASE(no_damage_goes_unseen),
        CASE(a_missing_command_is_named),
        CASE(damage_anywhere_in_the_structure_is_named),
        CASE(every_torn_end_is_cut_off),
        CASE(what_is_refused_stays_as_it_is),
        CASE(old_acknowledged_commands_are_forgotten),
        CASE(a_new_file_goes_on_where_the_server_is),
        CASE(a_disk_without_room_takes_nothing_away),
        CASE(two_processes_never_share_a_device),
        CASE(too_large_a_command_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
