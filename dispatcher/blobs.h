/* blobs.h - the bytes of photos and signatures, by what they are: DIR/blobs/HH/HASH.
 *
 * Idea: an Attachment (a fact) says that there are such bytes, whose and how many; only then may
 * its technician bring them, in pieces that are added to a part file. The last piece makes the part
 * a blob: its hash is checked, it is synced and renamed, and its row is stored with the batch,
 * before anything is answered. So what is acknowledged is there after a loss of power, and a part
 * that is shorter than its device thinks is only gone on with from where it ends. Bytes are never
 * decoded: their first ones must be those of the type that was said, and that is all.
 *
 * Who knows a hash need not have the bytes: an Attachment gives no right to them. They are a
 * technician's when he brought all of them, or when he may look at them at a visit of his anyway;
 * until then they are not kept for him, and nobody reads them for the sake of his Attachment.
 *
 * A blob never changes and has no name but its hash, so a backup may share its file.
 *
 * Thread: the engine's. Owner: what is read lives in the call's arena.
 */
#ifndef CALLOUT_DISPATCHER_BLOBS_H
#define CALLOUT_DISPATCHER_BLOBS_H

#include "base/err.h"
#include "dispatcher/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

enum { BLOB_HASH = 32, BLOB_SIZE_MAX = 4 << 20, BLOB_PIECE_MAX = 128 * 1024 };
/* What one device may begin in a day. */
#define BLOB_DAY_BYTES (INT64_C(256) << 20)

/* Is it a kind of picture that we take? */
bool blob_type_known(const char *media_type);

/* Has the technician shown that he has the bytes of this hash (hexadecimal)? */
bool blob_put_by(struct store *store, const char *hash, const char *technician_id);

/* Parts that nobody went on with for a week go. */
void blobs_sweep(struct engine *engine);
/* Brings all blobs of one data folder into another, which has none or some of them. */
MUST_USE enum err blobs_copy(const char *from_folder, const char *to_folder,
                             struct problem *problem);
/* How many blobs that the store knows are not there as they were: *bad; *hash is one of them. */
MUST_USE enum err blobs_verify(struct store *store, const char *folder, uint64_t *count,
                               uint64_t *bad, char hash[2 * BLOB_HASH + 1]);

#endif
