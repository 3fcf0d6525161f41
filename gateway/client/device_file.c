#include "gateway/client/device_file.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/wal_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, LAYOUT = 1 };

struct device_file {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit; /* NULL until they are needed */
    bool broken;                  /* F3 */
    char path[PATH_BYTES];
};

/* The lock comes first: whoever holds the file alone has the log's index in memory. Small, as a
 * simulation holds hundreds of them: a page cache of 64 KiB, a log of some 256 KiB. */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA mmap_size = 0;"
                               "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON;"
                               "PRAGMA cache_size = 16;"
                               "PRAGMA wal_autocheckpoint = 64;"
                               "PRAGMA journal_size_limit = 262144;";

/* `command` is the outbox, `visit` the replica; `mark` has one row: the outbox keeps what follows
 * floor_seq, and the replica's cursor. The layout is the database's user_version. */
static const char tables[] =
    "CREATE TABLE command(seq INTEGER PRIMARY KEY, saved_us INTEGER NOT NULL,"
    "  packed BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;"
    "CREATE TABLE visit(appointment_id TEXT PRIMARY KEY, packed BLOB NOT NULL,"
    "  checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE mark(one INTEGER PRIMARY KEY CHECK(one = 1), floor_seq INTEGER NOT NULL,"
    "  floor_checksum INTEGER NOT NULL, cursor BLOB NOT NULL, cursor_checksum INTEGER NOT NULL)"
    "  STRICT;"
    "PRAGMA user_version = 1;";

/* --- errors ---------------------------------------------------------------------------------- */

enum err device_file_damaged(const struct device_file *file, const char *what,
                             struct problem *problem)
{
    return problem_set(problem, ERR_IO, file->path,
                       "%s is damaged: keep the folder for what can be read from it, and enrol the "
                       "device again in an empty one",
                       what);
}

static enum err failed(struct device_file *file, int result, struct problem *problem)
{
    result &= 0xff;
    if (result == SQLITE_BUSY)
        return problem_set(problem, ERR_BUSY, file->path, "another process uses this device");
    if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB)
        return device_file_damaged(file, "the database", problem);
    if (result != SQLITE_FULL) file->broken = true;
    return problem_set(problem, ERR_IO, file->path, "%s", sqlite3_errmsg(file->db));
}

static enum err refuse_broken(const struct device_file *file, struct problem *problem)
{
    return problem_set(problem, ERR_IO, file->path, "an earlier write failed; open it again");
}

/* --- opening --------------------------------------------------------------------------------- */

/* SQLite gives its log the rights of the database: so that is made first, for us alone. One that is
 * there is not touched: closing it would let go of the locks that this process has on it. */
static enum err make_private(const char *path, struct problem *problem)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    if (fd >= 0 || errno == EEXIST) return ERR_OK;
    return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
}

static enum err run(struct device_file *file, const char *sql, struct problem *problem)
{
    int result = sqlite3_exec(file->db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? ERR_OK : failed(file, result, problem);
}

/* The first column of a query's only row: as text, or as a number where `text` is NULL. */
static enum err ask(struct device_file *file, const char *sql, char *text, size_t size,
                    int64_t *number, struct problem *problem)
{
    sqlite3_stmt *statement;
    enum err err = device_file_prepare(file, &statement, sql, problem);
    if (err != ERR_OK) return err;
    err = device_file_step(file, statement, problem);
    if (err == ERR_OK && text != NULL)
        snprintf(text, size, "%s", (const char *)sqlite3_column_text(statement, 0));
    else if (err == ERR_OK)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return err;
}

/* The structure; the rows have checksums of their own, for whoever reads them. */
static enum err check_structure(struct device_file *file, struct problem *problem)
{
    char answer[80], log[PATH_BYTES + 8];
    snprintf(log, sizeof log, "%s-wal", file->path);
    if (wal_damaged(log)) return device_file_damaged(file, "its log", problem);
    enum err err = ask(file, "PRAGMA quick_check(1)", answer, sizeof answer, NULL, problem);
    if (err == ERR_OK && strcmp(answer, "ok") != 0)
        err = device_file_damaged(file, "the database", problem);
    return err;
}

static enum err make_tables(struct device_file *file, struct problem *problem)
{
    char sql[200];
    enum err err = device_file_begin(file, problem);
    if (err != ERR_OK) return err;
    snprintf(sql, sizeof sql, "INSERT INTO mark VALUES(1, 0, %lld, x'', %lld)",
             (long long)device_file_checksum(0, 0, NULL, 0),
             (long long)device_file_checksum(0, 0, NULL, 0));
    err = run(file, tables, problem);
    if (err == ERR_OK) err = run(file, sql, problem);
    if (err == ERR_OK) return device_file_commit(file, problem);
    device_file_rollback(file);
    return err;
}

/* A file without a layout was never committed to: nothing was ever saved in it. */
static enum err check_layout(struct device_file *file, struct problem *problem)
{
    int64_t layout = 0, count = 0;
    enum err err = ask(file, "PRAGMA user_version", NULL, 0, &layout, problem);
    if (err == ERR_OK)
        err = ask(file, "SELECT count(*) FROM sqlite_schema", NULL, 0, &count, problem);
    if (err != ERR_OK || layout == LAYOUT) return err;
    if (layout == 0 && count == 0) return make_tables(file, problem);
    return problem_set(problem, ERR_IO, file->path, "has layout %lld, of another version",
                       (long long)layout);
}

/* A log that is refused must still be there for whoever looks into it: so the close takes it over
 * into the database only once all was found sound. */
static enum err open_database(struct device_file *file, bool durable, struct problem *problem)
{
    enum err err = make_private(file->path, problem);
    if (err != ERR_OK) return err;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int result = sqlite3_open_v2(file->path, &file->db, flags, NULL);
    CHECK(file->db != NULL); /* out of memory */
    if (result != SQLITE_OK) return failed(file, result, problem);
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0, 0);
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    err = run(file, settings, problem);
    if (err == ERR_OK)
        err =
            run(file, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF", problem);
    if (err == ERR_OK) err = run(file, "PRAGMA journal_mode = WAL", problem);
    if (err == ERR_OK) err = run(file, "BEGIN IMMEDIATE; ROLLBACK", problem); /* takes the lock */
    if (err == ERR_OK) err = check_structure(file, problem);
    if (err == ERR_OK) err = check_layout(file, problem);
    if (err == ERR_OK) sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return err;
}

enum err device_file_open(struct device_file **out, const char *folder, bool durable,
                          struct problem *problem)
{
    struct device_file *file = calloc(1, sizeof *file);
    CHECK(file != NULL);
    CHECK((size_t)snprintf(file->path, sizeof file->path, "%s/device.db", folder) <
          sizeof file->path);
    enum err err = open_database(file, durable, problem);
    if (err != ERR_OK) {
        device_file_close(file);
        return err;
    }
    *out = file;
    return ERR_OK;
}

void device_file_close(struct device_file *file)
{
    if (file == NULL) return;
    sqlite3_finalize(file->begin);
    sqlite3_finalize(file->commit);
    int result = sqlite3_close(file->db);
    CHECK(result == SQLITE_OK); /* a statement was left open */
    free(file);
}

/* --- statements ------------------------------------------------------------------------------ */

enum err device_file_prepare(struct device_file *file, sqlite3_stmt **out, const char *sql,
                             struct problem *problem)
{
    int result = sqlite3_prepare_v3(file->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return result == SQLITE_OK ? ERR_OK : failed(file, result, problem);
}

enum err device_file_step(struct device_file *file, sqlite3_stmt *statement,
                          struct problem *problem)
{
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) return ERR_OK;
    enum err err = result == SQLITE_DONE ? ERR_NOT_FOUND : failed(file, result, problem);
    sqlite3_reset(statement);
    return err;
}

enum err device_file_run(struct device_file *file, sqlite3_stmt *statement, struct problem *problem)
{
    enum err err =
        file->broken ? refuse_broken(file, problem) : device_file_step(file, statement, problem);
    CHECK(err != ERR_OK); /* a row */
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* One that every transaction needs is read by SQLite once. */
static enum err run_kept(struct device_file *file, sqlite3_stmt **statement, const char *sql,
                         struct problem *problem)
{
    enum err err = ERR_OK;
    if (*statement == NULL) err = device_file_prepare(file, statement, sql, problem);
    if (err != ERR_OK) return err;
    err = device_file_step(file, *statement, problem);
    sqlite3_reset(*statement);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err device_file_begin(struct device_file *file, struct problem *problem)
{
    return file->broken ? refuse_broken(file, problem)
                        : run_kept(file, &file->begin, "BEGIN IMMEDIATE", problem);
}

enum err device_file_commit(struct device_file *file, struct problem *problem)
{
    enum err err = run_kept(file, &file->commit, "COMMIT", problem);
    if (err != ERR_OK) device_file_rollback(file);
    return err;
}

void device_file_rollback(struct device_file *file)
{
    if (!sqlite3_get_autocommit(file->db)) (void)run(file, "ROLLBACK", NULL);
}

/* --- leaving nothing behind ------------------------------------------------------------------ */

enum err device_file_clean(struct device_file *file, struct problem *problem)
{
    return run(file, "PRAGMA wal_checkpoint(TRUNCATE)", problem);
}

void device_file_erase(struct device_file *file)
{
    char log[PATH_BYTES + 8];
    snprintf(log, sizeof log, "%s-wal", file->path);
    file->broken = true;
    unlink(file->path);
    unlink(log);
}

int64_t device_file_checksum(int64_t number, int64_t other, const void *bytes, size_t size)
{
    struct digest digest = digest_start();
    digest_u64(&digest, (uint64_t)number);
    digest_u64(&digest, (uint64_t)other);
    if (size > 0) digest_bytes(&digest, bytes, size);
    int64_t sum;
    memcpy(&sum, &digest.state, sizeof sum);
    return sum;
}
