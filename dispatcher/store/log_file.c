#include "dispatcher/store/log_file.h"

#include "base/check.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    GATHERED_MAX = 1 << 20, /* bytes */
    GIVEN_MAX = 1 << 16,    /* to SQLite's own VFS, which takes less than 128 KiB at a time */
    HEADER_SIZE = 32,       /* of the log */
};

struct log_file {
    sqlite3_file base;
    sqlite3_file *real; /* lies behind this struct */
    uint8_t *gathered;
    size_t size;      /* of what is gathered, and not with the kernel yet */
    int64_t at;       /* where in the log it belongs */
    int64_t unsynced; /* up to here the log was written since it was synced; 0: it was not */
    /* What follows belongs to both threads. */
    pthread_mutex_t lock;
    pthread_cond_t turned;
    pthread_t thread;
    bool apart;   /* the thread runs */
    bool syncing; /* it has something to do */
    bool ending;
    struct store_progress progress;
    void (*done)(void *context);
    void *context;
};

static struct log_file *log_of(sqlite3_file *file)
{
    return (struct log_file *)(void *)file;
}

/* --- the thread --- */

static void *sync_all(void *context)
{
    struct log_file *log = context;
    pthread_mutex_lock(&log->lock);
    for (;;) {
        while (!log->syncing && !log->ending)
            pthread_cond_wait(&log->turned, &log->lock);
        if (!log->syncing) break;
        pthread_mutex_unlock(&log->lock);
        int result = log->real->pMethods->xSync(log->real, SQLITE_SYNC_NORMAL);
        pthread_mutex_lock(&log->lock);
        log->syncing = false;
        log->progress.failed |= result != SQLITE_OK;
        if (!log->progress.failed) log->progress.on_disk = log->progress.written;
        pthread_cond_broadcast(&log->turned);
        pthread_mutex_unlock(&log->lock);
        log->done(log->context);
        pthread_mutex_lock(&log->lock);
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* Waits for what is on its way (L1, L3). */
static int settle(struct log_file *log)
{
    pthread_mutex_lock(&log->lock);
    while (log->syncing)
        pthread_cond_wait(&log->turned, &log->lock);
    bool failed = log->progress.failed;
    pthread_mutex_unlock(&log->lock);
    return failed ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static void sync_soon(struct log_file *log)
{
    pthread_mutex_lock(&log->lock);
    log->progress.written++;
    log->syncing = true;
    pthread_cond_broadcast(&log->turned);
    pthread_mutex_unlock(&log->lock);
}

static int sync_now(struct log_file *log, int flags)
{
    int result = log->real->pMethods->xSync(log->real, flags);
    pthread_mutex_lock(&log->lock);
    log->progress.failed |= result != SQLITE_OK;
    pthread_mutex_unlock(&log->lock);
    return result;
}

/* --- what SQLite asks for --- */

/* What cannot be written is forgotten: SQLite undoes the commit that it is of. */
static int give(struct log_file *log)
{
    size_t size = log->size;
    if (size == 0) return SQLITE_OK;
    log->size = 0;
    int result = settle(log);
    if (result != SQLITE_OK) return result;
    for (size_t done = 0; done < size && result == SQLITE_OK; done += GIVEN_MAX) {
        size_t some = size - done < GIVEN_MAX ? size - done : GIVEN_MAX;
        result = log->real->pMethods->xWrite(log->real, log->gathered + done, (int)some,
                                             log->at + (int64_t)done);
    }
    return result;
}

static int log_close(sqlite3_file *file)
{
    struct log_file *log = log_of(file);
    int given = give(log);
    pthread_mutex_lock(&log->lock);
    log->ending = true;
    pthread_cond_broadcast(&log->turned);
    pthread_mutex_unlock(&log->lock);
    if (log->apart) pthread_join(log->thread, NULL);
    pthread_mutex_destroy(&log->lock);
    pthread_cond_destroy(&log->turned);
    free(log->gathered);
    int closed = log->real->pMethods->xClose(log->real);
    return given != SQLITE_OK ? given : closed;
}

static int log_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    int result = give(log);
    return result != SQLITE_OK ? result : log->real->pMethods->xRead(log->real, bytes, size, at);
}

static int log_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    size_t more = (size_t)size;
    CHECK(more <= GATHERED_MAX); /* a frame's head, or a page */
    if (log->size > 0 && (at != log->at + (int64_t)log->size || log->size + more > GATHERED_MAX)) {
        int result = give(log);
        if (result != SQLITE_OK) return result;
    }
    if (log->size == 0) log->at = at;
    memcpy(log->gathered + log->size, bytes, more);
    log->size += more;
    if (at + size > log->unsynced) log->unsynced = at + size;
    return SQLITE_OK;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_file *log = log_of(file);
    int result = give(log);
    if (result == SQLITE_OK) result = settle(log);
    return result != SQLITE_OK ? result : log->real->pMethods->xTruncate(log->real, size);
}

/* Only where a commit ends are frames without a sync behind them. A checkpoint may ask for a sync
 * where nothing was written since the last one: it is waited for (L2). */
static int log_sync(sqlite3_file *file, int flags)
{
    struct log_file *log = log_of(file);
    bool commit = log->unsynced > HEADER_SIZE;
    int result = give(log);
    if (result == SQLITE_OK) result = settle(log);
    if (result != SQLITE_OK) return result;
    log->unsynced = 0;
    if (!commit || !log->apart) return sync_now(log, flags);
    sync_soon(log);
    return SQLITE_OK;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct log_file *log = log_of(file);
    int result = give(log);
    return result != SQLITE_OK ? result : log->real->pMethods->xFileSize(log->real, size);
}

/* A log is never locked: its database is. */
static int log_lock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xLock(log_of(file)->real, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xUnlock(log_of(file)->real, level);
}

static int log_reserved(sqlite3_file *file, int *out)
{
    return log_of(file)->real->pMethods->xCheckReservedLock(log_of(file)->real, out);
}

static int log_control(sqlite3_file *file, int code, void *argument)
{
    return log_of(file)->real->pMethods->xFileControl(log_of(file)->real, code, argument);
}

static int log_sector_size(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xSectorSize(log_of(file)->real);
}

static int log_characteristics(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xDeviceCharacteristics(log_of(file)->real);
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, /* no shared memory, no mapping: those are the database's */
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector_size,
    .xDeviceCharacteristics = log_characteristics,
};

/* --- the VFS --- */

static sqlite3_vfs *below;

/* All other files are the VFS's below, as if we were not here. */
static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    if ((flags & SQLITE_OPEN_WAL) == 0) return below->xOpen(below, path, file, flags, out);
    struct log_file *log = log_of(file);
    *log = (struct log_file){.real = (sqlite3_file *)(void *)(log + 1)};
    int result = below->xOpen(below, path, log->real, flags, out);
    if (result != SQLITE_OK) return result;
    log->gathered = malloc(GATHERED_MAX);
    CHECK(log->gathered != NULL);
    CHECK(pthread_mutex_init(&log->lock, NULL) == 0 && pthread_cond_init(&log->turned, NULL) == 0);
    log->base.pMethods = &methods;
    return SQLITE_OK;
}

const char *log_file_vfs(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *found = sqlite3_vfs_find(NULL);
    CHECK(found != NULL && found != &vfs);
    if (found == below) return vfs.zName;
    if (below != NULL) sqlite3_vfs_unregister(&vfs);
    below = found;
    vfs = *below;
    vfs.pNext = NULL;
    vfs.zName = "callout";
    vfs.szOsFile += (int)sizeof(struct log_file);
    vfs.xOpen = vfs_open;
    CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
    return vfs.zName;
}

struct log_file *log_file_of(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    int result = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    return result == SQLITE_OK && file != NULL && file->pMethods == &methods ? log_of(file) : NULL;
}

/* --- for the store --- */

/* Signals are for the thread that runs the loop. */
void log_file_sync_apart(struct log_file *log, void (*done)(void *context), void *context)
{
    sigset_t all, before;
    CHECK(!log->apart);
    log->done = done;
    log->context = context;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    CHECK(pthread_create(&log->thread, NULL, sync_all, log) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    log->apart = true;
}

struct store_progress log_file_progress(struct log_file *log)
{
    pthread_mutex_lock(&log->lock);
    struct store_progress progress = log->progress;
    pthread_mutex_unlock(&log->lock);
    return progress;
}

bool log_file_sync_old(struct log_file *log)
{
    return settle(log) == SQLITE_OK && sync_now(log, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}
