/* Cuts the power at every write of a day's work, and looks whether all that was acknowledged is
 * still there.
 *
 * Idea: a VFS under SQLite writes down what the store does to its files: writes, truncations,
 * syncs, deletions, and in between the acknowledgements. Afterwards the disk is built anew for
 * every prefix of that record, in three ways (what was synced is always there):
 *   DROPPED  nothing that was not synced reached the disk
 *   KEPT     everything did
 *   TORN     a random half of it did, sector by sector of 512 bytes
 * Each such disk must open, be sound, and hold every acknowledged batch, and no half of one. The
 * controls show that this can fail: with less syncing it must.
 *
 * With CALLOUT_SHORT=1 the record is the same, but only every tenth of its disks, drawn by chance,
 * is built: a sanitizer looks at the code, and other runs at the states.
 */
#include "../store/folder.h"
#include "base/check.h"
#include "base/rng.h"
#include "dispatcher/store/store.h"
#include "tests/short.h"
#include "tests/store/pass_file.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- the record ------------------------------------------------------------------------------ */

enum name { NAME_DB, NAME_WAL, NAMES, NAME_OTHER };

static const char *const file_names[NAMES] = {"callout.db", "callout.db-wal"};

enum op_kind { OP_CREATE, OP_WRITE, OP_TRUNCATE, OP_SYNC, OP_DELETE, OP_ACK };

struct op {
    enum op_kind kind;
    enum name name;
    int64_t at;  /* WRITE: offset; TRUNCATE: size; ACK: the last seq */
    size_t size; /* WRITE */
    unsigned char *bytes;
};

static struct {
    bool on;
    struct op *ops;
    size_t count, room;
    const char *synchronous; /* what the store is made to use instead of FULL; NULL: what it says */
    int syncs_to_failure;    /* 0: none fails */
    sqlite3 *db;             /* the connection that was opened last */
    pthread_mutex_t lock;    /* of ops: a store that syncs apart does so in a thread */
    pthread_t main;
    pthread_mutex_t gate; /* whoever holds it keeps that thread from syncing */
} record = {.lock = PTHREAD_MUTEX_INITIALIZER, .gate = PTHREAD_MUTEX_INITIALIZER};

static void note_locked(struct op op, const void *bytes)
{
    if (record.count == record.room) {
        record.room = record.room == 0 ? 1024 : 2 * record.room;
        record.ops = realloc(record.ops, record.room * sizeof *record.ops);
        CHECK(record.ops != NULL);
    }
    if (op.size > 0) {
        op.bytes = malloc(op.size);
        CHECK(op.bytes != NULL);
        memcpy(op.bytes, bytes, op.size);
    }
    record.ops[record.count++] = op;
}

static void note(struct op op, const void *bytes)
{
    if (!record.on || op.name == NAME_OTHER) return;
    pthread_mutex_lock(&record.lock);
    note_locked(op, bytes);
    pthread_mutex_unlock(&record.lock);
}

static void record_start(const char *synchronous)
{
    record.on = true;
    record.synchronous = synchronous;
}

static void record_stop(void)
{
    record.on = false;
    record.synchronous = NULL;
}

static void record_clear(void)
{
    for (size_t i = 0; i < record.count; i++) {
        free(record.ops[i].bytes);
    }
    free(record.ops);
    record.ops = NULL;
    record.count = record.room = 0;
}

/* --- the VFS --------------------------------------------------------------------------------- */

static sqlite3_vfs *system_vfs;

struct recorded_file {
    struct pass_file pass;
    enum name name;
};

static struct recorded_file *recorded(sqlite3_file *file)
{
    return (struct recorded_file *)file;
}

static enum name name_of(const char *path)
{
    for (enum name name = 0; path != NULL && name < NAMES; name++) {
        size_t length = strlen(path), tail = strlen(file_names[name]);
        if (length > tail && strcmp(path + length - tail, file_names[name]) == 0) return name;
    }
    return NAME_OTHER;
}

enum { WRITTEN_MAX = 3072 };

static int file_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    const unsigned char *from = bytes;
    for (int done = 0; done < size; done += WRITTEN_MAX) { /* the power may fail within a write */
        int some = size - done < WRITTEN_MAX ? size - done : WRITTEN_MAX;
        struct op op = {OP_WRITE, recorded(file)->name, at + done, (size_t)some, NULL};
        note(op, from + done);
    }
    return real_file(file)->pMethods->xWrite(real_file(file), bytes, size, at);
}
static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    note((struct op){.kind = OP_TRUNCATE, .name = recorded(file)->name, .at = size}, NULL);
    return real_file(file)->pMethods->xTruncate(real_file(file), size);
}
/* The record stands for the disk: the machine's own need not be bothered. */
static int file_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (!pthread_equal(pthread_self(), record.main)) {
        pthread_mutex_lock(&record.gate);
        pthread_mutex_unlock(&record.gate);
    }
    if (record.syncs_to_failure > 0 && --record.syncs_to_failure == 0) return SQLITE_IOERR_FSYNC;
    note((struct op){.kind = OP_SYNC, .name = recorded(file)->name}, NULL);
    return SQLITE_OK;
}
/* While a control runs, the store's own PRAGMA synchronous is taken for done. */
static int file_control(sqlite3_file *file, int code, void *argument)
{
    if (code == SQLITE_FCNTL_PRAGMA && record.synchronous != NULL) {
        char **pragma = argument;
        if (strcmp(pragma[1], "synchronous") == 0 && pragma[2] != NULL &&
            strcmp(pragma[2], record.synchronous) != 0) {
            return SQLITE_OK;
        }
    }
    return real_file(file)->pMethods->xFileControl(real_file(file), code, argument);
}
static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_file(file)->pMethods->xShmMap(real_file(file), page, size, extend, out);
}
static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_file(file)->pMethods->xShmLock(real_file(file), offset, count, flags);
}
static void file_shm_barrier(sqlite3_file *file)
{
    real_file(file)->pMethods->xShmBarrier(real_file(file));
}
static int file_shm_unmap(sqlite3_file *file, int remove)
{
    return real_file(file)->pMethods->xShmUnmap(real_file(file), remove);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2, /* no memory mapping: it would pass the record by */
    .xClose = pass_close,
    .xRead = pass_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = pass_size,
    .xLock = pass_lock,
    .xUnlock = pass_unlock,
    .xCheckReservedLock = pass_reserved,
    .xFileControl = file_control,
    .xSectorSize = pass_sector_size,
    .xDeviceCharacteristics = pass_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    struct recorded_file *opened = recorded(file);
    *opened = (struct recorded_file){.name = name_of(path)};
    opened->pass.real = (sqlite3_file *)(void *)(opened + 1);
    CHECK(!record.on || (flags & SQLITE_OPEN_MAIN_JOURNAL) == 0); /* the model has none */
    bool created = opened->name == NAME_WAL && access(path, F_OK) != 0;
    int result = system_vfs->xOpen(system_vfs, path, opened->pass.real, flags, out);
    if (result != SQLITE_OK) return result;
    if (created) note((struct op){.kind = OP_CREATE, .name = opened->name}, NULL);
    file->pMethods = &file_methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    (void)vfs;
    note((struct op){.kind = OP_DELETE, .name = name_of(path)}, NULL);
    return system_vfs->xDelete(system_vfs, path, sync_folder);
}

/* Is told of every new connection, the store's among them. */
static int on_connect(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
    (void)message, (void)api;
    char sql[64];
    record.db = db;
    if (record.synchronous == NULL) return SQLITE_OK;
    snprintf(sql, sizeof sql, "PRAGMA synchronous=%s", record.synchronous);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static void vfs_install(void)
{
    static sqlite3_vfs vfs;
    system_vfs = sqlite3_vfs_find(NULL);
    vfs = *system_vfs;
    vfs.pNext = NULL;
    vfs.zName = "recorded";
    vfs.szOsFile += (int)sizeof(struct recorded_file);
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    CHECK(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
}

/* Opens a store that checkpoints often, so that a short record holds many checkpoints. (SpatiaLite
 * forgets all automatic extensions when a connection of its own is closed: so it is told anew.) */
static struct store *open_recorded(const char *folder)
{
    enum { WAL_PAGES = 24 };
    struct store *store = NULL;
    CHECK(sqlite3_auto_extension((void (*)(void))on_connect) == SQLITE_OK);
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    sqlite3_wal_autocheckpoint(record.db, WAL_PAGES);
    return store;
}

/* --- the disk as it may be found ------------------------------------------------------------- */

enum way { DROPPED, KEPT, TORN, WAYS };

struct image {
    unsigned char *bytes;
    size_t size, room;
};

/* A file, whatever its name is now: what surely lies on the disk, and what was done to it since. */
struct inode {
    struct image synced;
    const struct op **pending;
    size_t pending_count, pending_room;
};

enum { INODES = 16, NONE = -1, SECTOR = 512 };

struct disk {
    struct inode inodes[INODES];
    int inode_count;
    int now[NAMES];    /* the inode that has the name */
    int synced[NAMES]; /* the one that has it for sure on the disk */
    int64_t acknowledged;
};

static void image_resize(struct image *image, size_t size)
{
    if (size > image->room) {
        image->room = size + size / 2;
        image->bytes = realloc(image->bytes, image->room);
        CHECK(image->bytes != NULL);
    }
    if (size > image->size) memset(image->bytes + image->size, 0, size - image->size);
    image->size = size;
}

static void image_write(struct image *image, size_t at, const unsigned char *bytes, size_t size)
{
    if (at + size > image->size) image_resize(image, at + size);
    memcpy(image->bytes + at, bytes, size);
}

static void image_copy(struct image *to, const struct image *from)
{
    image_resize(to, from->size);
    if (from->size > 0) memcpy(to->bytes, from->bytes, from->size);
}

/* Writes the sectors of a write of which the way says that they reached the disk. */
static void apply_write(struct image *image, const struct op *op, enum way way, struct rng *rng)
{
    size_t at = (size_t)op->at, done = 0;
    while (done < op->size) {
        size_t step = SECTOR - (at + done) % SECTOR;
        if (step > op->size - done) step = op->size - done;
        if (way == KEPT || rng_below(rng, 2) == 0) {
            image_write(image, at + done, op->bytes + done, step);
        }
        done += step;
    }
}

static void apply_pending(struct image *image, const struct inode *inode, enum way way,
                          struct rng *rng)
{
    for (size_t i = 0; way != DROPPED && i < inode->pending_count; i++) {
        const struct op *op = inode->pending[i];
        if (op->kind == OP_WRITE) {
            apply_write(image, op, way, rng);
        } else if (way == KEPT || rng_below(rng, 2) == 0) {
            image_resize(image, (size_t)op->at);
        }
    }
}

static int inode_add(struct disk *disk)
{
    CHECK(disk->inode_count < INODES);
    return disk->inode_count++;
}

static void pending_add(struct inode *inode, const struct op *op)
{
    if (inode->pending_count == inode->pending_room) {
        inode->pending_room = inode->pending_room == 0 ? 64 : 2 * inode->pending_room;
        inode->pending = realloc(inode->pending, inode->pending_room * sizeof *inode->pending);
        CHECK(inode->pending != NULL);
    }
    inode->pending[inode->pending_count++] = op;
}

/* SQLite syncs the folder with the first sync of a WAL: its name is on the disk from then on. */
static void disk_sync(struct disk *disk, enum name name)
{
    struct inode *inode = &disk->inodes[disk->now[name]];
    struct rng unused = {0};
    apply_pending(&inode->synced, inode, KEPT, &unused);
    inode->pending_count = 0;
    disk->synced[name] = disk->now[name];
}

static void disk_apply(struct disk *disk, const struct op *op)
{
    switch (op->kind) {
    case OP_CREATE: disk->now[op->name] = inode_add(disk); break;
    case OP_WRITE:
    case OP_TRUNCATE: pending_add(&disk->inodes[disk->now[op->name]], op); break;
    case OP_SYNC: disk_sync(disk, op->name); break;
    case OP_DELETE: disk->now[op->name] = NONE; break;
    case OP_ACK: disk->acknowledged = op->at; break;
    }
}

static void disk_init(struct disk *disk, const struct image *db)
{
    *disk = (struct disk){.now = {0, NONE}, .synced = {0, NONE}};
    image_copy(&disk->inodes[inode_add(disk)].synced, db);
}

static void disk_fini(struct disk *disk)
{
    for (int i = 0; i < disk->inode_count; i++) {
        free(disk->inodes[i].synced.bytes);
        free(disk->inodes[i].pending);
    }
}

static void image_save(const struct image *image, const char *path)
{
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK(fwrite(image->bytes, 1, image->size, file) == image->size);
    fclose(file);
}

static void image_load(struct image *image, const char *path)
{
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    fseek(file, 0, SEEK_END);
    image_resize(image, (size_t)ftell(file));
    rewind(file);
    CHECK(fread(image->bytes, 1, image->size, file) == image->size);
    fclose(file);
}

/* Writes the disk into a folder as it may be found after a power loss. */
static void disk_save(const struct disk *disk, enum way way, struct rng *rng, const char *folder)
{
    static struct image image;
    unlink(folder_file(folder, "callout.db-shm"));
    for (enum name name = 0; name < NAMES; name++) {
        const char *path = folder_file(folder, file_names[name]);
        bool newest = way == KEPT || (way == TORN && rng_below(rng, 2) == 0);
        int at = newest ? disk->now[name] : disk->synced[name];
        unlink(path);
        if (at == NONE) continue;
        image_copy(&image, &disk->inodes[at].synced);
        apply_pending(&image, &disk->inodes[at], way, rng);
        image_save(&image, path);
    }
}

/* --- what must hold -------------------------------------------------------------------------- */

/* One number from a query; -1 when there is none, or the file is broken. */
static int64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return number;
}

/* Whether the folder's file is sound and holds whole batches, all acknowledged ones among them. */
static bool holds(const char *folder, int64_t acknowledged)
{
    sqlite3 *db = NULL;
    const char *path = folder_file(folder, file_names[NAME_DB]);
    int result = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, system_vfs->zName);
    CHECK(result == SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int64_t facts = ask(db, "SELECT count(*) FROM fact");
    bool good = facts >= acknowledged && ask(db, "SELECT max(seq) FROM fact") == facts &&
                ask(db, "SELECT count(*) FROM work_order") == facts &&
                ask(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check(1)") == 1;
    sqlite3_close(db);
    return good;
}

/* The same asked of the store itself, with all that verify looks at: slower. */
static bool verifies(const char *folder, int64_t acknowledged)
{
    struct store *store = NULL;
    int64_t bad_seq = -1;
    uint64_t facts = 0;
    if (store_open_spatialite(&store, folder, NULL) != ERR_OK) return false;
    bool good = store_row_count(store, ROW_FACT, &facts) == ERR_OK &&
                (int64_t)facts >= acknowledged && store_verify_chain(store, &bad_seq) == ERR_OK &&
                bad_seq == 0 && store_verify_file(store, NULL) == ERR_OK;
    store_close(store);
    return good;
}

/* Another one is another work, and other tears: for the long sum. */
static uint64_t case_number(void)
{
    const char *text = getenv("CALLOUT_CASE");
    return text == NULL ? 0 : strtoull(text, NULL, 10) * 1000;
}

/* Of so many disks one is looked at. */
static uint32_t share(void)
{
    return short_form() ? 10 : 1;
}

struct tally {
    int states, lost, verified;
};

/* A write that was dropped leaves the disk that the prefix before it has shown. */
static bool shows_news(const struct op *op, enum way way)
{
    return way != DROPPED || (op->kind != OP_WRITE && op->kind != OP_TRUNCATE);
}

/* Builds one in `of` of the disks of all prefixes and ways; stops at the first loss if told so. */
static struct tally try_all(const struct image *db, uint32_t of, bool stop_at_loss)
{
    enum { VERIFY_EVERY = 150 };
    char *folder = folder_make();
    struct disk disk;
    struct tally tally = {0, 0, 0};
    struct rng rng = {7 + case_number()}, draw = {17 + case_number()};
    disk_init(&disk, db);
    for (size_t i = 0; i < record.count && !(stop_at_loss && tally.lost > 0); i++) {
        disk_apply(&disk, &record.ops[i]);
        for (enum way way = 0; way < WAYS; way++) {
            if (!shows_news(&record.ops[i], way) || rng_below(&draw, of) != 0) continue;
            disk_save(&disk, way, &rng, folder);
            bool good = holds(folder, disk.acknowledged);
            if (good && tally.states % VERIFY_EVERY == 0) {
                good = verifies(folder, disk.acknowledged);
                tally.verified++;
            }
            tally.lost += !good;
            tally.states++;
        }
    }
    disk_fini(&disk);
    folder_remove(folder);
    return tally;
}

/* --- the work -------------------------------------------------------------------------------- */

static bool add_rows(struct store *store, int64_t *seq, struct rng *rng)
{
    char id[32], note_text[600];
    if (store_begin(store) != ERR_OK) return false;
    int64_t last = *seq;
    for (uint32_t facts = 1 + rng_below(rng, 4); facts > 0; facts--) {
        last++;
        snprintf(id, sizeof id, "%08x", (unsigned)rng_next(rng));
        memset(note_text, 'n', sizeof note_text);
        note_text[rng_below(rng, sizeof note_text)] = '\0';
        struct row_work_order order = {.work_order_id = id, .note = note_text};
        struct row_position position = {.technician_id = "t", .lat_e7 = last, .lon_e7 = last};
        enum err err = store_append_fact(store, last, last, 1, &last, sizeof last);
        if (err == ERR_OK) err = store_put(store, ROW_WORK_ORDER, &order);
        if (err == ERR_OK) err = store_put(store, ROW_POSITION, &position);
        CHECK(err == ERR_OK);
    }
    if (store_commit(store) != ERR_OK) return false;
    *seq = last;
    return true;
}

static bool add_batch(struct store *store, int64_t *seq, struct rng *rng)
{
    if (!add_rows(store, seq, rng)) return false;
    note((struct op){.kind = OP_ACK, .at = *seq}, NULL);
    return true;
}

static void nothing(void *context)
{
    (void)context;
}

/* The same with a store that syncs apart: every other batch is waited for, and the next one is
 * begun before the one before it is on the disk. */
static void add_apart(struct store *store, int64_t *seq, struct rng *rng, bool wait)
{
    int64_t before = *seq;
    assert_true(add_rows(store, seq, rng));
    struct store_progress progress = store_progress(store);
    assert_true(progress.on_disk + 1 >= progress.written);
    while (wait && progress.on_disk < progress.written) {
        sched_yield();
        progress = store_progress(store);
    }
    note((struct op){.kind = OP_ACK, .at = wait ? *seq : before}, NULL);
}

/* What may not be: it is told of before it is on the disk. */
static void add_too_early(struct store *store, int64_t *seq, struct rng *rng)
{
    pthread_mutex_lock(&record.gate);
    assert_true(add_batch(store, seq, rng));
    pthread_mutex_unlock(&record.gate);
    while (store_progress(store).on_disk < store_progress(store).written)
        sched_yield();
}

/* Records three openings of the store with some batches each; in the second one it syncs apart. */
static void record_work(const char *folder, const char *synchronous, int batches, bool too_early)
{
    struct rng rng = {11 + case_number()};
    int64_t seq = 0;
    record_start(synchronous);
    for (int opening = 0; opening < 3; opening++) {
        struct store *store = open_recorded(folder);
        bool apart = opening == 1;
        if (apart) store_sync_apart(store, nothing, NULL);
        if (apart && too_early) sqlite3_wal_autocheckpoint(record.db, 0); /* it syncs, too */
        for (int i = 0; i < batches; i++) {
            if (apart && too_early)
                add_too_early(store, &seq, &rng);
            else if (apart)
                add_apart(store, &seq, &rng, i % 2 == 1);
            else
                assert_true(add_batch(store, &seq, &rng));
        }
        store_close(store);
    }
    record_stop();
}

/* Makes a store, works on it, and cuts the power everywhere. */
static struct tally work_and_cut(const char *synchronous, bool too_early, int batches, uint32_t of,
                                 bool stop_at_loss)
{
    char *folder = folder_make();
    struct image db = {NULL, 0, 0};
    store_close(open_recorded(folder));
    image_load(&db, folder_file(folder, file_names[NAME_DB]));
    record_work(folder, synchronous, batches, too_early);
    struct tally tally = try_all(&db, of, stop_at_loss);
    record_clear();
    free(db.bytes);
    folder_remove(folder);
    return tally;
}

static void no_acknowledged_batch_is_lost(void **state)
{
    (void)state;
    struct tally tally = work_and_cut(NULL, false, 46, share(), false);
    print_message("%d disks, %d lost or corrupt; %d of them verified in full\n", tally.states,
                  tally.lost, tally.verified);
    assert_int_equal(tally.lost, 0);
    assert_true(tally.states >= (share() == 1 ? 7000 : 600));
}

/* The control: if these lost nothing, the test above would prove nothing. */
static void less_syncing_loses_batches(void **state)
{
    (void)state;
    assert_int_not_equal(work_and_cut("OFF", false, 5, 1, true).lost, 0);
    assert_int_not_equal(work_and_cut("NORMAL", false, 5, 1, true).lost, 0);
}

/* The control of syncing apart. */
static void telling_before_the_sync_loses_batches(void **state)
{
    (void)state;
    assert_int_not_equal(work_and_cut(NULL, true, 5, 1, true).lost, 0);
}

static void after_a_failed_sync_nothing_begins(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct store *store = open_recorded(folder);
    struct rng rng = {13};
    int64_t seq = 0;
    assert_true(add_batch(store, &seq, &rng));
    record.syncs_to_failure = 1;
    assert_false(add_batch(store, &seq, &rng));
    assert_int_equal(store_begin(store), ERR_IO);
    uint64_t facts = 0;
    assert_int_equal(store_row_count(store, ROW_FACT, &facts), ERR_OK); /* it can still be read */
    assert_int_equal(facts, seq);
    store_close(store);
    store = open_recorded(folder);
    assert_int_equal(store_row_count(store, ROW_FACT, &facts), ERR_OK);
    seq = (int64_t)facts;
    assert_true(add_batch(store, &seq, &rng));
    store_close(store);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_acknowledged_batch_is_lost),
        cmocka_unit_test(less_syncing_loses_batches),
        cmocka_unit_test(telling_before_the_sync_loses_batches),
        cmocka_unit_test(after_a_failed_sync_nothing_begins),
    };
    record.main = pthread_self();
    vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
