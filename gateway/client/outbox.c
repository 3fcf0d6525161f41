#include "gateway/client/outbox.h"

#include "base/check.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORGET_BATCH = 256, WHY_BYTES = 256 };

/* The statements, in the order of their SQL. */
enum { INSERT, READ, SAVED_AT, DROP, SET_FLOOR, KEEP_REFUSED, REPLACE, READ_REFUSED, STATEMENTS };

static const char *const sqls[STATEMENTS] = {
    [INSERT] = "INSERT INTO command VALUES(?1, ?2, ?3, ?4)",
    [READ] = "SELECT saved_us, packed, checksum FROM command WHERE seq = ?1",
    [SAVED_AT] = "SELECT saved_us FROM command WHERE seq = ?1",
    [DROP] = "DELETE FROM command WHERE seq <= ?1",
    [SET_FLOOR] = "UPDATE mark SET floor_seq = ?1, floor_checksum = ?2",
    [KEEP_REFUSED] = "INSERT INTO refused SELECT seq, ?2, packed FROM command WHERE seq = ?1",
    [REPLACE] = "UPDATE command SET packed = ?2, checksum = ?3 WHERE seq = ?1",
    [READ_REFUSED] = "SELECT why, packed FROM refused WHERE seq = ?1",
};

/* Files of the first version have no such table; who does not know it, leaves it alone. */
static const char refused_table[] =
    "CREATE TABLE IF NOT EXISTS refused(seq INTEGER PRIMARY KEY, why TEXT NOT NULL,"
    "  packed BLOB NOT NULL) STRICT";

struct outbox {
    struct device_file *file;
    sqlite3_stmt *statements[STATEMENTS];
    uint64_t floor_seq, last_seq; /* kept are those after the floor, up to the last */
    uint8_t *bytes;               /* of the command that was read last */
    size_t room;
    char why[WHY_BYTES]; /* of the refused one that was read last */
};

static int64_t checksum_of(uint64_t seq, int64_t wall_us, const void *bytes, size_t size)
{
    return device_file_checksum((int64_t)seq, wall_us, bytes, size);
}

/* --- opening --------------------------------------------------------------------------------- */

static enum err load_floor(struct outbox *outbox, struct problem *problem)
{
    sqlite3_stmt *statement;
    enum err err = device_file_prepare(outbox->file, &statement,
                                       "SELECT floor_seq, floor_checksum FROM mark", problem);
    if (err != ERR_OK) return err;
    err = device_file_step(outbox->file, statement, problem);
    if (err == ERR_OK) {
        outbox->floor_seq = outbox->last_seq = (uint64_t)sqlite3_column_int64(statement, 0);
        if (sqlite3_column_int64(statement, 1) != checksum_of(outbox->floor_seq, 0, NULL, 0))
            err = ERR_NOT_FOUND;
    }
    sqlite3_finalize(statement);
    return err == ERR_NOT_FOUND ? device_file_damaged(outbox->file, "its mark", problem) : err;
}

/* Takes the row over as the next one, if that is what it is. */
static bool take_row(struct outbox *outbox, sqlite3_stmt *statement)
{
    uint64_t seq = (uint64_t)sqlite3_column_int64(statement, 0);
    const void *bytes = sqlite3_column_blob(statement, 2);
    int size = sqlite3_column_bytes(statement, 2);
    if (seq != outbox->last_seq + 1 || size > LIMIT_COMMAND ||
        sqlite3_column_int64(statement, 3) !=
            checksum_of(seq, sqlite3_column_int64(statement, 1), bytes, (size_t)size))
        return false;
    outbox->last_seq = seq;
    return true;
}

static enum err scan(struct outbox *outbox, struct problem *problem)
{
    sqlite3_stmt *statement;
    enum err err = device_file_prepare(
        outbox->file, &statement,
        "SELECT seq, saved_us, packed, checksum FROM command ORDER BY seq", problem);
    if (err != ERR_OK) return err;
    while ((err = device_file_step(outbox->file, statement, problem)) == ERR_OK &&
           take_row(outbox, statement))
        ;
    if (err == ERR_OK) err = device_file_damaged(outbox->file, "a command that it keeps", problem);
    sqlite3_finalize(statement);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err make_refused_table(struct outbox *outbox, struct problem *problem)
{
    sqlite3_stmt *statement;
    enum err err = device_file_prepare(outbox->file, &statement, refused_table, problem);
    if (err == ERR_OK) err = device_file_run(outbox->file, statement, problem);
    sqlite3_finalize(statement);
    return err;
}

static enum err prepare_all(struct outbox *outbox, struct problem *problem)
{
    enum err err = make_refused_table(outbox, problem);
    for (int i = 0; i < STATEMENTS && err == ERR_OK; i++)
        err = device_file_prepare(outbox->file, &outbox->statements[i], sqls[i], problem);
    return err;
}

enum err outbox_open(struct outbox **out, struct device_file *file, struct problem *problem)
{
    struct outbox *outbox = calloc(1, sizeof *outbox);
    CHECK(outbox != NULL);
    outbox->file = file;
    enum err err = load_floor(outbox, problem);
    if (err == ERR_OK) err = scan(outbox, problem);
    if (err == ERR_OK) err = prepare_all(outbox, problem);
    if (err != ERR_OK) {
        outbox_close(outbox);
        return err;
    }
    *out = outbox;
    return ERR_OK;
}

void outbox_close(struct outbox *outbox)
{
    if (outbox == NULL) return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(outbox->statements[i]);
    free(outbox->bytes);
    free(outbox);
}

uint64_t outbox_last_seq(const struct outbox *outbox)
{
    return outbox->last_seq;
}

uint64_t outbox_first_seq(const struct outbox *outbox)
{
    return outbox->floor_seq + 1;
}

/* --- saving and reading ---------------------------------------------------------------------- */

enum err outbox_append(struct outbox *outbox, uint64_t seq, int64_t wall_us, const void *bytes,
                       size_t size, struct problem *problem)
{
    CHECK(seq == outbox->last_seq + 1);
    if (size > LIMIT_COMMAND)
        return problem_set(problem, ERR_TOO_LARGE, "command", "at most %d bytes", LIMIT_COMMAND);
    sqlite3_stmt *insert = outbox->statements[INSERT];
    sqlite3_bind_int64(insert, 1, (sqlite3_int64)seq);
    sqlite3_bind_int64(insert, 2, wall_us);
    sqlite3_bind_blob(insert, 3, size == 0 ? "" : bytes, (int)size, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 4, checksum_of(seq, wall_us, bytes, size));
    enum err err = device_file_run(outbox->file, insert, problem);
    if (err == ERR_OK) outbox->last_seq = seq;
    return err;
}

static void keep_bytes(struct outbox *outbox, const void *bytes, size_t size)
{
    if (size > outbox->room) {
        outbox->room = size + 256;
        outbox->bytes = realloc(outbox->bytes, outbox->room);
        CHECK(outbox->bytes != NULL);
    }
    if (size > 0) memcpy(outbox->bytes, bytes, size);
}

enum err outbox_read(struct outbox *outbox, uint64_t seq, const uint8_t **bytes, size_t *size)
{
    if (seq <= outbox->floor_seq || seq > outbox->last_seq) return ERR_GAP;
    sqlite3_stmt *read = outbox->statements[READ];
    sqlite3_bind_int64(read, 1, (sqlite3_int64)seq);
    enum err err = device_file_step(outbox->file, read, NULL);
    if (err != ERR_OK) return ERR_IO;
    int64_t wall_us = sqlite3_column_int64(read, 0), checksum = sqlite3_column_int64(read, 2);
    const void *packed = sqlite3_column_blob(read, 1);
    *size = (size_t)sqlite3_column_bytes(read, 1);
    if (checksum != checksum_of(seq, wall_us, packed, *size)) err = ERR_IO;
    keep_bytes(outbox, packed, *size);
    sqlite3_reset(read);
    *bytes = outbox->bytes;
    return err;
}

/* --- forgetting ------------------------------------------------------------------------------ */

static enum err end_transaction(struct outbox *outbox, enum err err, struct problem *problem)
{
    if (err == ERR_OK) return device_file_commit(outbox->file, problem);
    device_file_rollback(outbox->file);
    return err;
}

static enum err drop_up_to(struct outbox *outbox, uint64_t seq, struct problem *problem)
{
    enum err err = device_file_begin(outbox->file, problem);
    if (err != ERR_OK) return err;
    sqlite3_stmt *drop = outbox->statements[DROP], *set_floor = outbox->statements[SET_FLOOR];
    sqlite3_bind_int64(drop, 1, (sqlite3_int64)seq);
    err = device_file_run(outbox->file, drop, problem);
    sqlite3_bind_int64(set_floor, 1, (sqlite3_int64)seq);
    sqlite3_bind_int64(set_floor, 2, checksum_of(seq, 0, NULL, 0));
    if (err == ERR_OK) err = device_file_run(outbox->file, set_floor, problem);
    err = end_transaction(outbox, err, problem);
    if (err == ERR_OK) outbox->floor_seq = seq;
    return err;
}

static bool read_time(struct outbox *outbox, uint64_t seq, int64_t *wall_us)
{
    sqlite3_stmt *saved_at = outbox->statements[SAVED_AT];
    sqlite3_bind_int64(saved_at, 1, (sqlite3_int64)seq);
    if (device_file_step(outbox->file, saved_at, NULL) != ERR_OK) return false;
    *wall_us = sqlite3_column_int64(saved_at, 0);
    sqlite3_reset(saved_at);
    return true;
}

static bool saved_before(struct outbox *outbox, uint64_t seq, int64_t before_wall_us)
{
    int64_t wall_us;
    return read_time(outbox, seq, &wall_us) && wall_us < before_wall_us;
}

/* A wall clock may jump: what was saved before, is what lies before the first that was not. */
enum err outbox_forget(struct outbox *outbox, uint64_t acked_seq, int64_t before_wall_us,
                       struct problem *problem)
{
    uint64_t seq = outbox->floor_seq + FORGET_BATCH;
    if (seq > acked_seq || seq > outbox->last_seq || !saved_before(outbox, seq, before_wall_us))
        return ERR_OK;
    seq = outbox->floor_seq;
    while (seq < acked_seq && seq < outbox->last_seq &&
           saved_before(outbox, seq + 1, before_wall_us))
        seq++;
    return seq == outbox->floor_seq ? ERR_OK : drop_up_to(outbox, seq, problem);
}

enum err outbox_skip_to(struct outbox *outbox, uint64_t last_seq, struct problem *problem)
{
    CHECK(last_seq >= outbox->last_seq);
    enum err err = drop_up_to(outbox, last_seq, problem);
    if (err == ERR_OK) outbox->last_seq = last_seq;
    return err;
}

/* --- making way ------------------------------------------------------------------------------ */

enum err outbox_make_way(struct outbox *outbox, uint64_t seq, const char *why, const void *bytes,
                         size_t size, struct problem *problem)
{
    const uint8_t *before;
    const char *reason;
    size_t before_size;
    int64_t wall_us;
    if (outbox_read_refused(outbox, seq, &reason, &before, &before_size) == ERR_OK)
        return ERR_CONFLICT;
    if (!read_time(outbox, seq, &wall_us)) return ERR_GAP;
    enum err err = device_file_begin(outbox->file, problem);
    if (err != ERR_OK) return err;
    sqlite3_stmt *keep = outbox->statements[KEEP_REFUSED], *replace = outbox->statements[REPLACE];
    sqlite3_bind_int64(keep, 1, (sqlite3_int64)seq);
    sqlite3_bind_text(keep, 2, why, -1, SQLITE_STATIC);
    err = device_file_run(outbox->file, keep, problem);
    sqlite3_bind_int64(replace, 1, (sqlite3_int64)seq);
    sqlite3_bind_blob(replace, 2, bytes, (int)size, SQLITE_STATIC);
    sqlite3_bind_int64(replace, 3, checksum_of(seq, wall_us, bytes, size));
    if (err == ERR_OK) err = device_file_run(outbox->file, replace, problem);
    return end_transaction(outbox, err, problem);
}

enum err outbox_read_refused(struct outbox *outbox, uint64_t seq, const char **why,
                             const uint8_t **bytes, size_t *size)
{
    sqlite3_stmt *read = outbox->statements[READ_REFUSED];
    sqlite3_bind_int64(read, 1, (sqlite3_int64)seq);
    enum err err = device_file_step(outbox->file, read, NULL);
    if (err != ERR_OK) return err == ERR_NOT_FOUND ? err : ERR_IO;
    snprintf(outbox->why, sizeof outbox->why, "%s", (const char *)sqlite3_column_text(read, 0));
    *size = (size_t)sqlite3_column_bytes(read, 1);
    keep_bytes(outbox, sqlite3_column_blob(read, 1), *size);
    sqlite3_reset(read);
    *why = outbox->why;
    *bytes = outbox->bytes;
    return ERR_OK;
}

void outbox_erase(struct outbox *outbox)
{
    device_file_erase(outbox->file);
}
