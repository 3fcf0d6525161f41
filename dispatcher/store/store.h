/* store.h - where rows live for good. Behind it SpatiaLite (store_spatialite) or plain memory
 * (store_mem); no SQL and no spatial function leaks above this line.
 *
 * Idea: a batch of facts is one transaction. begin, any number of put/erase/append, commit; nothing
 * that was put may be told to anyone before commit returned ERR_OK. A failed commit has stored
 * nothing: throw the core away and rebuild it (dispatcher/README.md).
 * Owner: the rows given to put and erase are borrowed until return. Rows handed to a visitor are
 * borrowed until it returns. Thread: the one that opened it. There is one writer per folder, by
 * lock. Reads between begin and commit see the batch's own writes.
 */
#ifndef CALLOUT_STORE_H
#define CALLOUT_STORE_H

#include "base/err.h"
#include "dispatcher/core/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* Opens the store of a data folder, which is made and initialised when it is empty; migrates an
 * older one (PRAGMA user_version, one transaction, after a backup), refuses a newer one
 * (ERR_VERSION) and a folder that another process holds (ERR_BUSY). */
MUST_USE enum err store_open_spatialite(struct store **out, const char *folder,
                                        struct problem *problem);
/* The same folder for reading only, while another process may be writing: for verify and replay. */
MUST_USE enum err store_open_reader(struct store **out, const char *folder,
                                    struct problem *problem);
/* A store that is gone when it is closed. Deterministic: rows in key order. */
struct store *store_open_mem(void);
void store_close(struct store *store);

/* What the last call that failed ran into, for the log; borrowed until the next call. */
const char *store_error_text(const struct store *store);

MUST_USE enum err store_begin(struct store *store);
MUST_USE enum err store_commit(struct store *store);
void store_rollback(struct store *store);

/* Commits that were written, and those of them that are on the disk: counted since
 * store_sync_apart. A disk that failed stays so until the store was opened anew. */
struct store_progress {
    uint64_t written, on_disk;
    bool failed;
};

/* From now on a commit returns when it is written, and a thread syncs it while the next batch is
 * worked on; the commit after it waits for that. So nothing that was put may be told before
 * store_progress says that as many as were `written` then are on the disk. `done` is called by that
 * thread when there is progress. A store in memory has nothing to do. Once, and between batches. */
void store_sync_apart(struct store *store, void (*done)(void *context), void *context);
struct store_progress store_progress(const struct store *store);

/* Inserts or replaces the row with the same key. ERR_CONFLICT: a rule in the database refuses this
 * row; only this put is undone, the batch may go on or be rolled back. Any other error of a put or
 * an erase leaves the batch fit for rollback only. A put may wait until the batch ends: then it is
 * the commit that fails, with ERR_CONFLICT in that case. */
MUST_USE enum err store_put(struct store *store, enum row_kind kind, const void *row);
/* From now on no put waits: whoever wants to know which row was refused does his batch again. Not
 * within a batch. */
void store_put_at_once(struct store *store, bool at_once);
/* Erases every row whose first `key_columns` key columns (>= 1) equal those of `key`, a struct of
 * that kind. None is fine. */
MUST_USE enum err store_erase(struct store *store, enum row_kind kind, const void *key,
                              uint32_t key_columns);

/* Reads the row with all of `key`'s key columns into *out; its texts and blobs stay valid until the
 * next call on this store. ERR_NOT_FOUND when there is none. */
MUST_USE enum err store_get(struct store *store, enum row_kind kind, const void *key,
                            union row *out);

typedef bool store_visit(void *context, const void *row); /* false: stop here */

/* Visits rows in key order whose first `key_columns` key columns (0: any) equal those of `key`; if
 * `after` is true the next key column must be greater than in `key`. The visitor may not write. */
MUST_USE enum err store_each(struct store *store, enum row_kind kind, const void *key,
                             uint32_t key_columns, bool after, store_visit *visit, void *context);
/* Visits, in order, the ROW_CHANGE rows after `after_seq` that this technician gained, lost or
 * kept. */
MUST_USE enum err store_changes_of(struct store *store, const char *technician_id,
                                   int64_t after_seq, store_visit *visit, void *context);
/* Visits, newest first, the ROW_CHANGE rows of an appointment. */
MUST_USE enum err store_history_of(struct store *store, const char *appointment_id,
                                   store_visit *visit, void *context);
/* What an order names that other orders may name as well. */
enum order_link { ORDER_SITE, ORDER_CUSTOMER, ORDER_CONTACT, ORDER_ASSET, ORDER_LINKS };
/* Visits the ROW_WORK_ORDER rows that name this one, the greatest id first; id is not "". */
MUST_USE enum err store_orders_of(struct store *store, enum order_link link, const char *id,
                                  store_visit *visit, void *context);
/* The `limit` technicians (ROW_POSITION) nearest to a place, nearest first. */
MUST_USE enum err store_nearest(struct store *store, int32_t lat_e7, int32_t lon_e7, uint32_t limit,
                                store_visit *visit, void *context);

/* Appends the next fact: seq must be the last one + 1. Makes salt, leaf = H(salt, body) and
 * chain = H(chain before, seq, time, kind, leaf), so that a body can be erased and the chain holds.
 */
MUST_USE enum err store_append_fact(struct store *store, int64_t seq, int64_t time_us, int64_t kind,
                                    const void *body, size_t size);
/* Checks the chain over all facts; *bad_seq is the first fact that does not fit, 0: all do. */
MUST_USE enum err store_verify_chain(struct store *store, int64_t *bad_seq);
/* Checks the file's own structure, and that each POINT equals its row. */
MUST_USE enum err store_verify_file(struct store *store, struct problem *problem);

/* What was erased leaves the files too: rows are blanked where they lay, but a write-ahead log
 * keeps pages as they were before until it is written over. ERR_BUSY: somebody reads an older
 * state; try again later. Not within a batch. */
MUST_USE enum err store_scrub(struct store *store);

/* A digest over all rows of class NOUN: equal for equal contents, whichever store holds them. */
MUST_USE enum err store_digest(struct store *store, uint64_t *out);
MUST_USE enum err store_row_count(struct store *store, enum row_kind kind, uint64_t *out);

/* Writes a consistent copy of what is committed into a new or empty folder, also while the store is
 * in use. */
MUST_USE enum err store_backup(struct store *store, const char *folder, struct problem *problem);

/* The row of ROW_META whose value, 8 bytes, least first, is the log epoch (proto/wire.proto). */
#define STORE_META_LOG_EPOCH "log_epoch"

/* Makes a new or empty folder from a backup. The copy has a new log epoch, never 0, so that devices
 * notice that what they were told may be gone, and push it again. */
MUST_USE enum err store_restore(const char *backup, const char *folder, struct problem *problem);

/* Fault injection for tests: the n-th commit from now fails (as a full disk would), then every
 * n-th. 0: none. */
void store_fail_commits(struct store *store, uint32_t every);

#endif
