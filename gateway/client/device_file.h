/* device_file.h - the one database of a device's folder: what the outbox and the replica lie in.
 *
 * Idea: SQLite with a write-ahead log that is synced at each commit, on one connection that holds
 * the file for itself. So a transaction that was committed is on the disk, whole; one that was not,
 * never was; and a second process is turned away.
 *   F1  kill -9 takes no commit away; with `durable`, a power cut takes none away either
 *   F2  damage is found when the file is opened (its structure here, its rows by their checksums
 *       where they are read), and nothing is written over it: ERR_IO names the file and the way out
 *   F3  after a write or sync that failed nobody knows what the disk holds: no transaction begins
 *       until the file is opened again. A full disk alone is not such a failure: it may be tried
 *       again
 *
 * What SQLite takes for a torn end of its log, it cuts off without a word. Here that is looked at
 * first: a tear can only lie in the last transaction, as all before it were synced; a bad frame
 * with whole transactions behind it is damage.
 *
 * Errors: ERR_BUSY another process has the folder; ERR_IO.
 * Owner: the caller, and whoever prepared statements finalizes them before the close.
 * Thread: one at a time.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_DEVICE_FILE_H
#define CALLOUT_GATEWAY_CLIENT_DEVICE_FILE_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device_file;

/* Makes FOLDER/device.db where there is none; the folder must exist. `durable` false leaves the
 * syncs out. */
MUST_USE enum err device_file_open(struct device_file **out, const char *folder, bool durable,
                                   struct problem *problem);
void device_file_close(struct device_file *file); /* may be NULL */

/* The statement is the caller's; the SQL is ours and cannot fail but for a failing disk. */
MUST_USE enum err device_file_prepare(struct device_file *file, sqlite3_stmt **out, const char *sql,
                                      struct problem *problem);
/* ERR_OK: the statement stands on a row. ERR_NOT_FOUND: there is no more; it is reset. ERR_IO: it
 * failed, and is reset. */
MUST_USE enum err device_file_step(struct device_file *file, sqlite3_stmt *statement,
                                   struct problem *problem);
/* Runs a statement that gives no rows; its parameters are let go. */
MUST_USE enum err device_file_run(struct device_file *file, sqlite3_stmt *statement,
                                  struct problem *problem);

/* What runs between these two is one transaction. A failed commit has undone it. */
MUST_USE enum err device_file_begin(struct device_file *file, struct problem *problem);
MUST_USE enum err device_file_commit(struct device_file *file, struct problem *problem);
void device_file_rollback(struct device_file *file);

/* Has what was deleted leave the log and the database's pages, too. */
MUST_USE enum err device_file_clean(struct device_file *file, struct problem *problem);
/* The file goes for good, with all that is in it; only the close may follow. */
void device_file_erase(struct device_file *file);

/* ERR_IO with the words of F2: `what` is damaged. */
enum err device_file_damaged(const struct device_file *file, const char *what,
                             struct problem *problem);
/* Of a row: its number and its bytes. */
int64_t device_file_checksum(int64_t number, int64_t other, const void *bytes, size_t size);

#endif
