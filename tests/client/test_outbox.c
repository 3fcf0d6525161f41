/* The outbox keeps what it said it saved, through kill -9, torn ends and damage. */
#include "base/check.h"
#include "base/rng.h"
#include "gateway/client/outbox.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { KILLS = 40, COMMAND_MAX = 200 };

struct folder {
    char path[64];
    char file[80];
};

static int folder_make(void **state)
{
    static struct folder folder;
    snprintf(folder.path, sizeof folder.path, "/tmp/callout-outbox-XXXXXX");
    CHECK(mkdtemp(folder.path) != NULL);
    snprintf(folder.file, sizeof folder.file, "%s/outbox", folder.path);
    *state = &folder;
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *folder = *state;
    unlink(folder->file);
    return rmdir(folder->path);
}

/* The command of a seq: its length and bytes follow from it, so that a reader can check it. */
static size_t command_of(uint64_t seq, uint8_t bytes[COMMAND_MAX])
{
    struct rng rng = {seq};
    size_t size = rng_below(&rng, COMMAND_MAX);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)rng_next(&rng);
    return size;
}

static enum err append(struct outbox *outbox)
{
    uint8_t bytes[COMMAND_MAX];
    uint64_t seq = outbox_last_seq(outbox) + 1;
    return outbox_append(outbox, seq, (int64_t)seq, bytes, command_of(seq, bytes), NULL);
}

static void assert_whole(struct outbox *outbox)
{
    for (uint64_t seq = outbox_first_seq(outbox); seq <= outbox_last_seq(outbox); seq++) {
        uint8_t expected[COMMAND_MAX];
        size_t expected_size = command_of(seq, expected), size;
        const uint8_t *bytes;
        assert_int_equal(outbox_read(outbox, seq, &bytes, &size), ERR_OK);
        assert_int_equal(size, expected_size);
        assert_memory_equal(bytes, expected, size);
    }
}

static struct outbox *open_sound(const struct folder *folder)
{
    struct outbox *outbox;
    assert_int_equal(outbox_open(&outbox, folder->file, true, NULL), ERR_OK);
    assert_whole(outbox);
    return outbox;
}

static void numbers_go_on_after_a_restart(void **state)
{
    struct outbox *outbox = open_sound(*state);
    assert_int_equal(outbox_last_seq(outbox), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(append(outbox), ERR_OK);
    outbox_close(outbox);
    outbox = open_sound(*state);
    assert_int_equal(outbox_last_seq(outbox), 5);
    assert_int_equal(append(outbox), ERR_OK);
    assert_int_equal(outbox_last_seq(outbox), 6);
    outbox_close(outbox);
}

/* Saves without end and reports each seq that counts as saved. */
static void child_saves(const char *file, int report)
{
    struct outbox *outbox;
    CHECK(outbox_open(&outbox, file, true, NULL) == ERR_OK);
    for (;;) {
        CHECK(append(outbox) == ERR_OK);
        uint64_t seq = outbox_last_seq(outbox);
        CHECK(write(report, &seq, sizeof seq) == sizeof seq);
    }
}

static uint64_t kill_after_reports(const char *file, uint32_t reports)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ends[0]);
        child_saves(file, ends[1]);
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
        uint64_t saved = kill_after_reports(folder->file, rng_below(&rng, 12));
        struct outbox *outbox = open_sound(folder);
        assert_true(outbox_last_seq(outbox) >= saved);
        outbox_close(outbox);
    }
}

static void every_torn_end_is_cut_off(void **state)
{
    struct folder *folder = *state;
    struct outbox *outbox = open_sound(folder);
    struct stat before, after;
    for (int i = 0; i < 3; i++)
        assert_int_equal(append(outbox), ERR_OK);
    assert_int_equal(stat(folder->file, &before), 0);
    assert_int_equal(append(outbox), ERR_OK);
    assert_int_equal(stat(folder->file, &after), 0);
    outbox_close(outbox);
    off_t whole = after.st_size;
    for (off_t size = whole - 1; size >= before.st_size; size--) {
        assert_int_equal(truncate(folder->file, size), 0);
        outbox = open_sound(folder);
        assert_int_equal(outbox_last_seq(outbox), 3);
        assert_int_equal(stat(folder->file, &after), 0);
        assert_int_equal(after.st_size, before.st_size);
        assert_int_equal(append(outbox), ERR_OK); /* and the number is used anew */
        outbox_close(outbox);
    }
}

static void flip_byte(const char *file, off_t offset)
{
    int fd = open(file, O_RDWR);
    uint8_t byte;
    CHECK(fd >= 0 && pread(fd, &byte, 1, offset) == 1);
    byte ^= 0x40;
    CHECK(pwrite(fd, &byte, 1, offset) == 1 && close(fd) == 0);
}

static void damage_in_the_middle_is_refused(void **state)
{
    struct folder *folder = *state;
    struct outbox *outbox = open_sound(folder);
    struct stat stat_of_one;
    assert_int_equal(append(outbox), ERR_OK);
    assert_int_equal(stat(folder->file, &stat_of_one), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(append(outbox), ERR_OK);
    outbox_close(outbox);
    flip_byte(folder->file, stat_of_one.st_size + 9);
    struct problem problem;
    assert_int_equal(outbox_open(&outbox, folder->file, true, &problem), ERR_IO);
    assert_non_null(strstr(problem.text, "damaged"));
}

static void old_acknowledged_commands_are_forgotten(void **state)
{
    struct outbox *outbox = open_sound(*state);
    while (outbox_last_seq(outbox) < 6000)
        assert_int_equal(append(outbox), ERR_OK);
    /* Commands up to 5000 are acknowledged, those up to 4000 are old enough. */
    assert_int_equal(outbox_forget(outbox, 5000, 4001, NULL), ERR_OK);
    assert_int_equal(outbox_first_seq(outbox), 4001);
    assert_whole(outbox);
    outbox_close(outbox);
    outbox = open_sound(*state);
    assert_int_equal(outbox_first_seq(outbox), 4001);
    assert_int_equal(outbox_last_seq(outbox), 6000);
    assert_int_equal(append(outbox), ERR_OK);
    const uint8_t *bytes;
    size_t size;
    assert_int_equal(outbox_read(outbox, 4000, &bytes, &size), ERR_GAP);
    outbox_close(outbox);
}

static void a_new_file_goes_on_where_the_server_is(void **state)
{
    struct outbox *outbox = open_sound(*state);
    assert_int_equal(outbox_skip_to(outbox, 41, NULL), ERR_OK);
    assert_int_equal(append(outbox), ERR_OK);
    outbox_close(outbox);
    outbox = open_sound(*state);
    assert_int_equal(outbox_last_seq(outbox), 42);
    outbox_close(outbox);
}

static void two_processes_never_share_a_device(void **state)
{
    struct folder *folder = *state;
    struct outbox *outbox = open_sound(folder);
    pid_t child = fork();
    if (child == 0) {
        struct outbox *second;
        _exit(outbox_open(&second, folder->file, true, NULL) == ERR_BUSY ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    outbox_close(outbox);
}

static void too_large_a_command_is_refused(void **state)
{
    static uint8_t bytes[20000];
    struct outbox *outbox = open_sound(*state);
    assert_int_equal(outbox_append(outbox, 1, 0, bytes, sizeof bytes, NULL), ERR_TOO_LARGE);
    assert_int_equal(outbox_last_seq(outbox), 0);
    outbox_close(outbox);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(numbers_go_on_after_a_restart),
        CASE(a_killed_writer_loses_nothing_that_was_saved),
        CASE(every_torn_end_is_cut_off),
        CASE(damage_in_the_middle_is_refused),
        CASE(old_acknowledged_commands_are_forgotten),
        CASE(a_new_file_goes_on_where_the_server_is),
        CASE(two_processes_never_share_a_device),
        CASE(too_large_a_command_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
