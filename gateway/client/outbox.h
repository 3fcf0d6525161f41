/* outbox.h - a device's commands, kept in a file until the server has them, and a while longer.
 *
 * Idea: an append-only file of records (size, seq, time, packed Command, checksum). A command
 * counts as saved when outbox_append returned ERR_OK: by then the record and fsync are through, and
 * neither kill -9 nor a power cut takes it away. Its seq follows the one before without a gap,
 * from 1.
 *   O1  a torn record at the end was never acknowledged: it is cut off when the file is opened
 *   O2  a bad record with good ones behind it is damage, not a tear: the file is refused, ERR_IO
 *   O3  after a failed write or fsync nobody knows what the disk holds: no more appends until the
 *       file is opened again
 *   O4  commands that the server has stay for 72 hours, so that a server restored from a backup can
 *       be told again; outbox_forget drops the older ones by writing a new file beside the old
 *
 * Owner: the caller. One process at a time: the file is locked. Thread: one at a time.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_OUTBOX_H
#define CALLOUT_GATEWAY_CLIENT_OUTBOX_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox;

/* `durable` false leaves the fsync out: still safe from kill -9, not from a power cut. */
MUST_USE enum err outbox_open(struct outbox **out, const char *path, bool durable,
                              struct problem *problem);
void outbox_close(struct outbox *outbox); /* may be NULL */

uint64_t outbox_last_seq(const struct outbox *outbox); /* 0: no command yet */
uint64_t
outbox_first_seq(const struct outbox *outbox); /* the oldest kept; last + 1: none is kept */

/* Saves the packed Command whose seq must be outbox_last_seq + 1. At most LIMIT_COMMAND bytes. */
MUST_USE enum err outbox_append(struct outbox *outbox, uint64_t seq, int64_t wall_us,
                                const void *bytes, size_t size, struct problem *problem);

/* Borrowed until the next call. ERR_GAP: `seq` is not kept. */
MUST_USE enum err outbox_read(struct outbox *outbox, uint64_t seq, const uint8_t **bytes,
                              size_t *size);

/* Drops commands up to `acked_seq` that were saved before `before_wall_us`, once this frees enough
 * of the file to be worth the writing. */
MUST_USE enum err outbox_forget(struct outbox *outbox, uint64_t acked_seq, int64_t before_wall_us,
                                struct problem *problem);

/* The server knows commands up to `last_seq` that this file does not: the numbers go on from there.
 * Only when nothing that is kept would be jumped over. */
MUST_USE enum err outbox_skip_to(struct outbox *outbox, uint64_t last_seq, struct problem *problem);

#endif
