/* The process dies at every single write that the outbox makes, and in the middle of each, or the
 * power fails there: what was said to be saved is there, in order, once, and numbers go on.
 *
 * Idea: a VFS under SQLite counts what changes the files. A child saves commands and tells of each;
 * at the n-th change it is gone, before it, in the middle of it, or right after it. That for every
 * n until a child lives to its end.
 */
#include "box.h"
#include "tests/store/pass_file.h"

#include <sys/wait.h>

enum { SAVES = 12, CHANGES_MAX = 2000 };
enum when { BEFORE, WITHIN, AFTER, NO_POWER, WHENS };

static struct {
    int left; /* changes until death; 0: it lives */
    enum when when;
    bool mortal, durable;
    sqlite3_vfs *system;
} fate;

/* How the files were before what was not synced yet, the oldest first. */
static struct undo {
    sqlite3_file *file; /* NULL: it was synced since */
    unsigned char *bytes;
    int size;
    sqlite3_int64 at, file_size;
} undos[CHANGES_MAX];
static int undo_count;

static bool last_change(void)
{
    return fate.left > 0 && --fate.left == 0;
}

static void note_undo(sqlite3_file *file, int size, sqlite3_int64 at)
{
    if (!fate.mortal) return;
    CHECK(undo_count < CHANGES_MAX);
    struct undo *undo = &undos[undo_count++];
    *undo =
        (struct undo){.file = file, .bytes = calloc(1, (size_t)size + 1), .size = size, .at = at};
    CHECK(undo->bytes != NULL);
    file->pMethods->xFileSize(file, &undo->file_size);
    if (size > 0) (void)file->pMethods->xRead(file, undo->bytes, size, at); /* short at the end */
}

static void note_sync(const sqlite3_file *file)
{
    for (int i = 0; i < undo_count; i++)
        if (undos[i].file == file) undos[i].file = NULL;
}

/* The process is gone; without power, so is what was not synced. */
static void die(void)
{
    for (int i = undo_count; fate.when == NO_POWER && i-- > 0;) {
        sqlite3_file *file = undos[i].file;
        if (file == NULL) continue;
        if (undos[i].size > 0)
            file->pMethods->xWrite(file, undos[i].bytes, undos[i].size, undos[i].at);
        file->pMethods->xTruncate(file, undos[i].file_size);
    }
    _exit(0);
}

/* --- the VFS --------------------------------------------------------------------------------- */

static int file_close(sqlite3_file *file)
{
    note_sync(real_file(file)); /* a journal at its end: nothing of it is needed any more */
    return real_file(file)->pMethods->xClose(real_file(file));
}

static int file_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    bool last = last_change();
    if (last && fate.when == BEFORE) die();
    note_undo(real_file(file), size, at);
    int whole = last && fate.when == WITHIN ? size / 2 : size;
    int result = real_file(file)->pMethods->xWrite(real_file(file), bytes, whole, at);
    if (last) die();
    return result;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    bool last = last_change();
    if (last && fate.when < AFTER) die();
    sqlite3_int64 before = 0;
    real_file(file)->pMethods->xFileSize(real_file(file), &before);
    note_undo(real_file(file), before > size ? (int)(before - size) : 0, size);
    int result = real_file(file)->pMethods->xTruncate(real_file(file), size);
    if (last) die();
    return result;
}

static int file_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (last_change()) die();
    note_sync(real_file(file));
    return SQLITE_OK;
}

/* Version 1: without shared memory. Whoever holds the file alone needs none for its log. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = pass_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = pass_size,
    .xLock = pass_lock,
    .xUnlock = pass_unlock,
    .xCheckReservedLock = pass_reserved,
    .xFileControl = pass_control,
    .xSectorSize = pass_sector_size,
    .xDeviceCharacteristics = pass_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    struct pass_file *opened = (struct pass_file *)file;
    *opened = (struct pass_file){.real = (sqlite3_file *)(void *)(opened + 1)};
    int result = fate.system->xOpen(fate.system, path, opened->real, flags, out);
    if (result == SQLITE_OK) file->pMethods = &methods;
    return result;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    (void)vfs;
    bool last = last_change();
    if (last && fate.when < AFTER) die();
    int result = fate.system->xDelete(fate.system, path, sync_folder);
    if (last) die();
    return result;
}

static void vfs_install(void)
{
    static sqlite3_vfs vfs;
    fate.system = sqlite3_vfs_find(NULL);
    vfs = *fate.system;
    vfs.pNext = NULL;
    vfs.zName = "mortal";
    vfs.szOsFile += (int)sizeof(struct pass_file);
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    CHECK(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
}

/* --- lives ----------------------------------------------------------------------------------- */

/* Saves, forgets, and says how far it came; _exit(1) at its natural end. */
static void live(const struct folder *folder, int report)
{
    struct box box;
    CHECK(box_open_as(&box, folder, fate.durable, NULL) == ERR_OK);
    for (int i = 0; i < SAVES; i++) {
        CHECK(append(box.outbox) == ERR_OK);
        uint64_t seq = outbox_last_seq(box.outbox);
        CHECK(write(report, &seq, sizeof seq) == sizeof seq);
    }
    CHECK(outbox_skip_to(box.outbox, outbox_last_seq(box.outbox) + 3, NULL) == ERR_OK);
    uint64_t seq = outbox_last_seq(box.outbox);
    CHECK(write(report, &seq, sizeof seq) == sizeof seq);
    box_close(&box);
    _exit(1);
}

/* True: it died before its time. *saved is the last that it said was saved. */
static bool live_and_die(const struct folder *folder, int changes, enum when when, uint64_t *saved)
{
    int ends[2], status;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ends[0]);
        fate.mortal = true;
        fate.left = changes;
        fate.when = when;
        live(folder, ends[1]);
    }
    close(ends[1]);
    for (uint64_t seq; read(ends[0], &seq, sizeof seq) == sizeof seq;)
        *saved = seq;
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 0;
}

/* Every death of that kind; returns how many of them lost something. */
static int die_everywhere(const struct folder *folder, enum when when, int *deaths)
{
    int losses = 0;
    bool died = true;
    for (int n = 1; died; n++) {
        assert_true(n < CHANGES_MAX);
        for (int i = 0; i < FILES; i++)
            unlink(folder->files[i]);
        uint64_t saved = 0;
        died = live_and_die(folder, n, when, &saved);
        *deaths += died;
        struct box box;
        if (box_open(&box, folder, NULL) != ERR_OK) {
            losses++;
            continue;
        }
        assert_whole(box.outbox);
        uint64_t last_seq = outbox_last_seq(box.outbox);
        losses += last_seq < saved || last_seq > saved + 3;
        assert_int_equal(append(box.outbox), ERR_OK);
        box_close(&box);
    }
    return losses;
}

static void every_write_may_be_the_last(void **state)
{
    int deaths = 0;
    for (enum when when = BEFORE; when < WHENS; when++) {
        fate.durable = when == NO_POWER;
        assert_int_equal(die_everywhere(*state, when, &deaths), 0);
    }
    print_message("%d deaths\n", deaths);
    assert_true(deaths > WHENS * SAVES);
}

/* The control: if this lost nothing, the test above would prove nothing. */
static void without_syncs_a_power_cut_takes_away(void **state)
{
    int deaths = 0;
    fate.durable = false;
    assert_true(die_everywhere(*state, NO_POWER, &deaths) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_write_may_be_the_last, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(without_syncs_a_power_cut_takes_away, folder_make,
                                        folder_remove),
    };
    vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
