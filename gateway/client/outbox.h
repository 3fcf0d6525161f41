/* outbox.h - a device's commands, kept in its database until the server has them, and a while
 * longer.
 *
 * Idea: one row per command (seq, time, packed Command, checksum). A command counts as saved when
 * outbox_append returned ERR_OK: by then it is committed, and neither kill -9 nor a power cut takes
 * it away. Its seq follows the one before without a gap, from 1.
 *   O1  a command whose append was cut short is there or not, but never in part
 *   O2  a missing or damaged row among those that are kept is found at the opening: ERR_IO
 *   O3  after a failed write or sync no more appends until the file is opened again; after a full
 *       disk it may be tried again (device_file.h)
 *   O4  commands that the server has stay until outbox_forget drops them: a server restored from a
 *       backup is told them again
 *
 * Owner: the caller; the file outlives the outbox. One process at a time. Thread: one at a time.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_OUTBOX_H
#define CALLOUT_GATEWAY_CLIENT_OUTBOX_H

#include "gateway/client/device_file.h"

struct outbox;

MUST_USE enum err outbox_open(struct outbox **out, struct device_file *file,
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

/* The server cannot read this command as it is: `bytes` go instead, and what was saved is kept
 * beside it with the reason, for people. ERR_CONFLICT: that was done before. */
MUST_USE enum err outbox_make_way(struct outbox *outbox, uint64_t seq, const char *why,
                                  const void *bytes, size_t size, struct problem *problem);
/* What was saved first under a `seq` that made way, and why it did; borrowed until the next call.
 * ERR_NOT_FOUND: it did not. */
MUST_USE enum err outbox_read_refused(struct outbox *outbox, uint64_t seq, const char **why,
                                      const uint8_t **bytes, size_t *size);

/* Drops the oldest commands, up to `acked_seq`, that were saved before `before_wall_us`; many at
 * once, so that most calls cost nothing. */
MUST_USE enum err outbox_forget(struct outbox *outbox, uint64_t acked_seq, int64_t before_wall_us,
                                struct problem *problem);

/* The server knows commands up to `last_seq` that this file does not: the numbers go on from there.
 * Only when nothing that is kept would be jumped over. */
MUST_USE enum err outbox_skip_to(struct outbox *outbox, uint64_t last_seq, struct problem *problem);

/* The commands and the file that they lie in go for good; only the closes may follow. */
void outbox_erase(struct outbox *outbox);

#endif
