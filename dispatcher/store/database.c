#include "dispatcher/store/database.h"

#include "base/check.h"
#include "base/crashpoint.h"
#include "base/wal_scan.h"
#include "dispatcher/store/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spatialite.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum err database_err(int sqlite_result)
{
    switch (sqlite_result & 0xff) {
    case SQLITE_OK: return ERR_OK;
    case SQLITE_CONSTRAINT: return ERR_CONFLICT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_BUSY;
    case SQLITE_TOOBIG: return ERR_TOO_LARGE;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ERR_IO;
    default: return ERR_INTERNAL;
    }
}

static enum err failed(sqlite3 *db, const char *doing, struct problem *problem)
{
    enum err err = database_err(sqlite3_errcode(db));
    return problem_set(problem, err, doing, "%s", sqlite3_errmsg(db));
}

enum err database_run(sqlite3 *db, const char *sql, struct problem *problem)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK) return ERR_OK;
    return failed(db, sql, problem);
}

/* Steps to the first row and hands it to the caller, who finalizes it. */
static enum err first_row(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (result == SQLITE_OK) result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *out = statement;
        return ERR_OK;
    }
    enum err err = failed(db, sql, problem);
    sqlite3_finalize(statement);
    if (result == SQLITE_DONE) return problem_set(problem, ERR_INTERNAL, sql, "it gave no row");
    return err;
}

enum err database_number(sqlite3 *db, const char *sql, int64_t *out, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    enum err err = first_row(db, sql, &statement, problem);
    if (err != ERR_OK) return err;
    *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return ERR_OK;
}

enum err database_text(sqlite3 *db, const char *sql, char *out, size_t size,
                       struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    enum err err = first_row(db, sql, &statement, problem);
    if (err != ERR_OK) return err;
    const unsigned char *text = sqlite3_column_text(statement, 0);
    snprintf(out, size, "%s", text == NULL ? "" : (const char *)text);
    sqlite3_finalize(statement);
    return ERR_OK;
}

/* SQLite gives its side files the rights of the database file: so it is made first, for us alone.
 */
static enum err make_private(const char *path, struct problem *problem)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    close(file);
    return ERR_OK;
}

/* Counting every allocation of SQLite's takes a lock for each; nobody asks for the sum. Said
 * after the first connection of the process, it is refused without harm. */
static void count_no_memory(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum err open_plain(sqlite3 **out, const char *path, int flags, const char *vfs,
                           struct problem *problem)
{
    count_no_memory();
    sqlite3 *db = NULL;
    int result = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, vfs);
    if (result == SQLITE_OK) {
        sqlite3_extended_result_codes(db, 1);
        sqlite3_busy_timeout(db, DATABASE_PATIENCE_MS);
        *out = db;
        return ERR_OK;
    }
    enum err err = problem_set(problem, database_err(result), path, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    return err;
}

int database_checkpoint_pages = 16384;

/* What SQLite does by itself at 1000 pages, at ours, between two places to die at. */
static int on_wal(void *context, sqlite3 *db, const char *schema, int pages)
{
    (void)context;
    if (pages < database_checkpoint_pages) return SQLITE_OK;
    crash_here(CRASH_CHECKPOINT_DUE);
    sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    crash_here(CRASH_CHECKPOINT_DONE);
    return SQLITE_OK;
}

/* SQLite takes a log up to the first frame that is not sound, which is right after a power cut, and
 * says nothing of commits that stand behind damage. A reader may look at a log while its writer
 * begins it anew, and so looks twice. */
static enum err check_log(const char *path, bool read_only, struct problem *problem)
{
    char log[PATH_MAX + 8];
    snprintf(log, sizeof log, "%s-wal", path);
    if (!wal_damaged(log) || (read_only && !wal_damaged(log))) return ERR_OK;
    return problem_set(problem, ERR_IO, log,
                       "is damaged: commits behind that place would be lost. Keep the folder, and "
                       "restore a backup");
}

/* Whatever SQLite finds first, it is this file that it is about. */
static enum err settle(struct database *database, const char *path, struct problem *problem)
{
    struct problem found;
    enum err err = database_run(database->db,
                                "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;"
                                "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;",
                                &found);
    if (err == ERR_OK) return ERR_OK;
    return problem_set(problem, err, path, "%s: keep the folder, and restore a backup", found.text);
}

enum err database_open(struct database *database, const char *path, bool read_only,
                       struct problem *problem)
{
    *database = (struct database){.db = NULL};
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    enum err err = read_only ? ERR_OK : make_private(path, problem);
    if (err == ERR_OK) err = check_log(path, read_only, problem);
    const char *vfs = read_only ? NULL : log_file_vfs();
    if (err == ERR_OK) err = open_plain(&database->db, path, flags, vfs, problem);
    if (err != ERR_OK) return err;
    database->spatial = spatialite_alloc_connection();
    CHECK(database->spatial != NULL);
    spatialite_init_ex(database->db, database->spatial, 0);
    err = settle(database, path, problem);
    if (err == ERR_OK && !read_only) sqlite3_wal_hook(database->db, on_wal, NULL);
    if (err != ERR_OK) database_close(database);
    return err;
}

/* The order matters to SpatiaLite: its state outlives the connection. */
void database_close(struct database *database)
{
    if (database->db == NULL) return;
    int result = sqlite3_close(database->db);
    CHECK(result == SQLITE_OK); /* a statement was left open */
    spatialite_cleanup_ex(database->spatial);
    *database = (struct database){.db = NULL};
}

static int refuse_attach(void *context, int action, const char *first, const char *second,
                         const char *database, const char *trigger)
{
    (void)context, (void)first, (void)second, (void)database, (void)trigger;
    return action == SQLITE_ATTACH || action == SQLITE_DETACH ? SQLITE_DENY : SQLITE_OK;
}

/* The schema stays trusted: this SQLite takes an R*Tree for unsafe in a trigger otherwise. */
enum err database_harden(struct database *database, struct problem *problem)
{
    static const struct {
        int option, value;
    } settings[] = {
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        int result = sqlite3_db_config(database->db, settings[i].option, settings[i].value, NULL);
        if (result != SQLITE_OK) return failed(database->db, "sqlite3_db_config", problem);
    }
    sqlite3_set_authorizer(database->db, refuse_attach, NULL);
    return ERR_OK;
}

/* --- copies ---------------------------------------------------------------------------------- */

static enum err sync_path(const char *path, struct problem *problem)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool synced = file >= 0 && fsync(file) == 0;
    int error = errno;
    if (file >= 0) close(file);
    return synced ? ERR_OK : problem_set(problem, ERR_IO, path, "%s", strerror(error));
}

static enum err copy_pages(sqlite3 *from, sqlite3 *to, struct problem *problem)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL) return failed(to, "backup", problem);
    int result = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (result == SQLITE_DONE) return ERR_OK;
    return problem_set(problem, result == SQLITE_OK ? ERR_BUSY : database_err(result), "backup",
                       "%s", sqlite3_errstr(result));
}

static enum err write_copy(sqlite3 *db, const char *path, const char *amend,
                           struct problem *problem)
{
    sqlite3 *copy = NULL;
    enum err err = make_private(path, problem);
    if (err == ERR_OK) err = open_plain(&copy, path, SQLITE_OPEN_READWRITE, NULL, problem);
    if (err == ERR_OK) err = copy_pages(db, copy, problem);
    if (err == ERR_OK && amend != NULL) err = database_run(copy, amend, problem);
    if (sqlite3_close(copy) != SQLITE_OK && err == ERR_OK) err = ERR_INTERNAL;
    if (err == ERR_OK) err = sync_path(path, problem);
    return err;
}

enum err database_copy(sqlite3 *db, const char *folder, const char *name, const char *amend,
                       struct problem *problem)
{
    char path[PATH_MAX], part[PATH_MAX + 8];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return problem_set(problem, ERR_INVALID, "folder", "the path is too long");
    }
    snprintf(part, sizeof part, "%s.part", path);
    unlink(part); /* of an attempt that broke off */
    enum err err = write_copy(db, part, amend, problem);
    crash_here(CRASH_COPY_WRITTEN);
    if (err == ERR_OK && rename(part, path) != 0) {
        err = problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    }
    crash_here(CRASH_COPY_RENAMED);
    if (err == ERR_OK) err = sync_path(folder, problem);
    if (err != ERR_OK) unlink(part);
    return err;
}
