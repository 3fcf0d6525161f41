/* database.h - one connection to the SpatiaLite file of a data folder, set up the one way we use
 * it.
 *
 * Rules (dispatcher/store/README.md says why): WAL with synchronous=FULL; no memory mapping; only
 * the writer writes and checkpoints, every other connection is opened read-only; no extension can
 * be loaded, no other file attached, no shadow table written.
 */
#ifndef CALLOUT_STORE_DATABASE_H
#define CALLOUT_STORE_DATABASE_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATABASE_FILE "callout.db"

struct database {
    sqlite3 *db;
    void *spatial; /* SpatiaLite's own state beside the connection */
};

/* Pages in the WAL before they are copied into the file. A batch of 500 check-ins of as many
 * devices changes some thousand pages, most of them again in the next one: copied after each batch,
 * they would be written and synced twice every time. 16384, which are 64 MiB, are read again in a
 * moment after a crash. Tests that shall see one set less. */
extern int database_checkpoint_pages;

enum { DATABASE_PATIENCE_MS = 5000 }; /* with whoever else has the file locked */

/* What a result of SQLite means to us. */
enum err database_err(int sqlite_result);

/* Opens the file; the writer makes it, readable for its owner only, when it does not exist. On
 * failure *database needs no closing. */
MUST_USE enum err database_open(struct database *database, const char *path, bool read_only,
                                struct problem *problem);
/* Shuts the doors that only making and migrating tables needs. */
MUST_USE enum err database_harden(struct database *database, struct problem *problem);
void database_close(struct database *database);

MUST_USE enum err database_run(sqlite3 *db, const char *sql, struct problem *problem);
/* The first column of the first row. */
MUST_USE enum err database_number(sqlite3 *db, const char *sql, int64_t *out,
                                  struct problem *problem);
MUST_USE enum err database_text(sqlite3 *db, const char *sql, char *out, size_t size,
                                struct problem *problem);

/* Writes a consistent copy into a new file, under a passing name until it is whole and on the disk.
 * `amend` (may be NULL) is run on the copy before it gets its name. */
MUST_USE enum err database_copy(sqlite3 *db, const char *folder, const char *name,
                                const char *amend, struct problem *problem);

#endif
