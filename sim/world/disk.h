/* disk.h - the simulated disk under a dispatcher: a store in memory that outlives whoever uses it,
 * and fails when it is told to.
 *
 * Idea: what is committed stays on the disk; a store on it is mounted, used, and closed, also in
 * the middle of a batch, which then never was. So a process can be killed and the power can fail at
 * every single write, and the next mount finds exactly what a journalled file would hold. A commit
 * that the power fails in is there or not, but never in part: nobody was told of it either way.
 *
 * Owner: one store is mounted at a time, and closed before the disk. Thread: one.
 */
#ifndef CALLOUT_SIM_WORLD_DISK_H
#define CALLOUT_SIM_WORLD_DISK_H

#include "dispatcher/store/store.h"

struct disk;

struct disk *disk_open(void);
void disk_close(struct disk *disk);

struct store *disk_mount(struct disk *disk);

/* The next `count` commits fail, and store nothing. */
void disk_fail_commits(struct disk *disk, uint32_t count);
/* Every write fails, as on a disk that is full or has gone read-only; reads go on. */
void disk_refuse_writes(struct disk *disk, bool refuse);

/* The power fails at the n-th write from now (n >= 1): a put, an erase or a commit. `lands`: when
 * that is a commit, it is on the disk. From then on every write fails until the power is back,
 * which a store that was mounted before must not live to see. */
void disk_cut_power_at(struct disk *disk, uint64_t n, bool lands);
bool disk_has_power(const struct disk *disk);
void disk_power_back(struct disk *disk);

/* A disk that lies, for whoever must be seen to notice: a put of which `drops` says so is not done,
 * though it is said to be. NULL: an honest one. */
typedef bool disk_drops(void *context, enum row_kind kind, const void *row);
void disk_lie(struct disk *disk, disk_drops *drops, void *context);

/* A backup: keeps a copy of all that is committed, in the place of the copy before. */
void disk_keep(struct disk *disk);
/* What was kept is on the disk again: `as_restored` with a new log epoch, as store_restore makes
 * it; else as a disk that only said it had written the rest. Nothing may be mounted. False: nothing
 * was kept. */
bool disk_bring_back(struct disk *disk, bool as_restored);

struct disk_counters {
    uint64_t writes, commits, failed_commits, cuts;
    uint64_t refused; /* writes of any kind, while it refuses all */
    uint64_t brought_back;
};

const struct disk_counters *disk_counters(const struct disk *disk);

#endif
