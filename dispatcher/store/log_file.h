/* log_file.h - the write-ahead log as the writer's SQLite sees it: written in large pieces, and,
 * for whoever asks, synced by a thread while the next batch is worked on.
 *
 * Idea: SQLite writes each page of a commit by two small writes, which cost more than the pages do:
 * here they are put together, and given to the kernel when others begin, when the log is read, and
 * when it is to be synced. And it waits for the disk with nothing to do. After log_file_sync_apart
 * the sync that ends a commit returns at once, a thread does it, and progress says when it is done.
 * SQLite believes that it was: nothing of that commit may be told before.
 *
 *   L1  one commit at most is on its way to the disk: nothing is given to the kernel meanwhile. So
 * a
 *       power cut finds what it finds without all this: sound commits, and one that may be torn
 *   L2  the header of a log that begins anew, and whatever a checkpoint syncs, is waited for
 *   L3  a sync that failed is final: every write and sync after it fails, too
 *
 * Owner: SQLite, from its opening of the log to its closing. Thread: the connection's, but for
 * progress, which any may ask, and `done`, which is called by the thread that syncs.
 */
#ifndef CALLOUT_STORE_LOG_FILE_H
#define CALLOUT_STORE_LOG_FILE_H

#include "dispatcher/store/store.h"

#include <sqlite3.h>

struct log_file;

/* The name of the VFS to open a writer's connection with. It stands on the default one. */
const char *log_file_vfs(void);
/* The log of such a connection; NULL: none is open yet. */
struct log_file *log_file_of(sqlite3 *db);

void log_file_sync_apart(struct log_file *log, void (*done)(void *context), void *context);
struct store_progress log_file_progress(struct log_file *log);
/* Syncs what the log had before it was opened: false if that failed. */
bool log_file_sync_old(struct log_file *log);

#endif
