#include "sim/world/disk.h"

#include "base/check.h"
#include "dispatcher/store/store_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct disk {
    struct store *kept; /* in memory, with the life of the disk */
    struct store *copy; /* the backup; NULL: none */
    disk_drops *drops;  /* NULL: it does not lie */
    void *drops_context;
    bool mounted, refuses, has_power, lands;
    uint32_t failures; /* commits that are still to fail */
    uint64_t cut_in;   /* writes until the power fails; 0: it does not */
    struct disk_counters counters;
};

/* What is mounted: the rules of batches are store.c's, over the kept store's own functions. */
struct mount {
    struct store store;
    struct disk *disk;
};

static struct disk *disk_of(struct store *store)
{
    return ((struct mount *)store)->disk;
}

static struct store *kept_of(struct store *store)
{
    return disk_of(store)->kept;
}

/* --- what may fail --- */

static enum err failed(struct store *store, const char *why)
{
    snprintf(store->error_text, sizeof store->error_text, "simulated: %s", why);
    return ERR_IO;
}

/* Counts a write; true: the power fails at this one. */
static bool power_fails(struct disk *disk)
{
    disk->counters.writes++;
    if (disk->cut_in == 0 || --disk->cut_in > 0) return false;
    disk->has_power = false;
    disk->counters.cuts++;
    return true;
}

static enum err write_allowed(struct store *store)
{
    struct disk *disk = disk_of(store);
    if (!disk->has_power || power_fails(disk)) return failed(store, "no power");
    if (!disk->refuses) return ERR_OK;
    disk->counters.refused++;
    return failed(store, "the disk takes no writes");
}

static enum err op_begin(struct store *store)
{
    return kept_of(store)->ops->begin(kept_of(store));
}

static enum err op_put(struct store *store, enum row_kind kind, const void *row)
{
    const struct disk *disk = disk_of(store);
    enum err err = write_allowed(store);
    if (err == ERR_OK && disk->drops != NULL && disk->drops(disk->drops_context, kind, row))
        return ERR_OK;
    return err != ERR_OK ? err : kept_of(store)->ops->put(kept_of(store), kind, row);
}

static enum err op_erase(struct store *store, enum row_kind kind, const void *key,
                         uint32_t key_columns)
{
    enum err err = write_allowed(store);
    return err != ERR_OK ? err : kept_of(store)->ops->erase(kept_of(store), kind, key, key_columns);
}

static enum err op_commit(struct store *store)
{
    struct disk *disk = disk_of(store);
    bool had_power = disk->has_power;
    enum err err = write_allowed(store);
    if (err == ERR_OK && disk->failures > 0) {
        disk->failures--;
        err = failed(store, "the commit failed");
    }
    bool cut_here = had_power && !disk->has_power;
    if (err == ERR_OK || (cut_here && disk->lands)) {
        enum err kept = disk->kept->ops->commit(disk->kept);
        CHECK(kept == ERR_OK);
        disk->counters.commits++;
    }
    if (err != ERR_OK) disk->counters.failed_commits++;
    return err;
}

static void op_rollback(struct store *store)
{
    kept_of(store)->ops->rollback(kept_of(store));
}

static void op_close(struct store *store)
{
    disk_of(store)->mounted = false;
    free(store);
}

/* --- reading --- */

static enum err op_get(struct store *store, enum row_kind kind, const void *key, union row *out)
{
    return kept_of(store)->ops->get(kept_of(store), kind, key, out);
}

static enum err op_last_fact(struct store *store, struct row_fact *out)
{
    return kept_of(store)->ops->last_fact(kept_of(store), out);
}

static enum err op_each(struct store *store, enum row_kind kind, const void *key,
                        uint32_t key_columns, bool after, store_visit *visit, void *context)
{
    return kept_of(store)->ops->each(kept_of(store), kind, key, key_columns, after, visit, context);
}

static enum err op_changes_of(struct store *store, const char *technician_id, int64_t after_seq,
                              store_visit *visit, void *context)
{
    return kept_of(store)->ops->changes_of(kept_of(store), technician_id, after_seq, visit,
                                           context);
}

static enum err op_orders_of(struct store *store, enum order_link link, const char *id,
                             store_visit *visit, void *context)
{
    return kept_of(store)->ops->orders_of(kept_of(store), link, id, visit, context);
}

static enum err op_history_of(struct store *store, const char *appointment_id, store_visit *visit,
                              void *context)
{
    return kept_of(store)->ops->history_of(kept_of(store), appointment_id, visit, context);
}

static enum err op_nearest(struct store *store, struct point from, uint32_t limit,
                           store_visit *visit, void *context)
{
    return kept_of(store)->ops->nearest(kept_of(store), from, limit, visit, context);
}

static enum err op_digest(struct store *store, uint64_t *out)
{
    return kept_of(store)->ops->digest(kept_of(store), out);
}

static enum err op_row_count(struct store *store, enum row_kind kind, uint64_t *out)
{
    return kept_of(store)->ops->row_count(kept_of(store), kind, out);
}

static enum err op_verify_file(struct store *store, struct problem *problem)
{
    return kept_of(store)->ops->verify_file(kept_of(store), problem);
}

static enum err op_scrub(struct store *store)
{
    return kept_of(store)->ops->scrub(kept_of(store));
}

static enum err op_backup(struct store *store, const char *folder, struct problem *problem)
{
    return kept_of(store)->ops->backup(kept_of(store), folder, problem);
}

static const struct store_ops ops = {
    .close = op_close,
    .begin = op_begin,
    .commit = op_commit,
    .rollback = op_rollback,
    .put = op_put,
    .erase = op_erase,
    .get = op_get,
    .last_fact = op_last_fact,
    .each = op_each,
    .changes_of = op_changes_of,
    .history_of = op_history_of,
    .orders_of = op_orders_of,
    .nearest = op_nearest,
    .digest = op_digest,
    .row_count = op_row_count,
    .verify_file = op_verify_file,
    .scrub = op_scrub,
    .backup = op_backup,
};

/* --- life --- */

struct disk *disk_open(void)
{
    struct disk *disk = calloc(1, sizeof *disk);
    CHECK(disk != NULL);
    disk->kept = store_open_mem();
    disk->has_power = true;
    return disk;
}

void disk_close(struct disk *disk)
{
    CHECK(!disk->mounted);
    store_close(disk->kept);
    store_close(disk->copy);
    free(disk);
}

struct store *disk_mount(struct disk *disk)
{
    CHECK(!disk->mounted);
    struct mount *mount = calloc(1, sizeof *mount);
    CHECK(mount != NULL);
    mount->store.ops = &ops;
    mount->disk = disk;
    disk->mounted = true;
    struct problem problem;
    enum err err = store_opened(&mount->store, &problem);
    CHECK(err == ERR_OK);
    return &mount->store;
}

/* --- backup --- */

struct copying {
    struct store *to;
    enum row_kind kind;
};

static bool copy_row(void *context, const void *row)
{
    const struct copying *copying = context;
    enum err err = store_put(copying->to, copying->kind, row);
    CHECK(err == ERR_OK);
    return true;
}

static struct store *copy_of(struct store *from)
{
    struct copying copying = {.to = store_open_mem()};
    enum err err = store_begin(copying.to);
    for (copying.kind = 0; err == ERR_OK && copying.kind < ROW_KINDS; copying.kind++)
        err = store_each(from, copying.kind, NULL, 0, false, copy_row, &copying);
    if (err == ERR_OK) err = store_commit(copying.to);
    CHECK(err == ERR_OK);
    return copying.to;
}

void disk_keep(struct disk *disk)
{
    store_close(disk->copy);
    disk->copy = copy_of(disk->kept);
}

/* Another number than any before it, and never 0. */
static void renew_log_epoch(struct disk *disk)
{
    const uint64_t step = UINT64_C(0x9e3779b97f4a7c15) * ++disk->counters.brought_back;
    uint64_t epoch = 0;
    union row row;
    struct row_meta meta = {.name = STORE_META_LOG_EPOCH};
    enum err err = store_get(disk->kept, ROW_META, &meta, &row);
    if (err == ERR_OK && row.meta.value.size == sizeof epoch)
        memcpy(&epoch, row.meta.value.bytes, sizeof epoch);
    epoch = (epoch + step) | 1;
    meta.value = (struct blob){&epoch, sizeof epoch};
    err = store_begin(disk->kept);
    if (err == ERR_OK) err = store_put(disk->kept, ROW_META, &meta);
    if (err == ERR_OK) err = store_commit(disk->kept);
    CHECK(err == ERR_OK);
}

bool disk_bring_back(struct disk *disk, bool as_restored)
{
    CHECK(!disk->mounted);
    if (disk->copy == NULL) return false;
    store_close(disk->kept);
    disk->kept = copy_of(disk->copy);
    if (as_restored) renew_log_epoch(disk);
    return true;
}

/* --- faults --- */

void disk_lie(struct disk *disk, disk_drops *drops, void *context)
{
    disk->drops = drops;
    disk->drops_context = context;
}

void disk_fail_commits(struct disk *disk, uint32_t count)
{
    disk->failures = count;
}

void disk_refuse_writes(struct disk *disk, bool refuse)
{
    disk->refuses = refuse;
}

void disk_cut_power_at(struct disk *disk, uint64_t n, bool lands)
{
    CHECK(n >= 1);
    disk->cut_in = n;
    disk->lands = lands;
}

bool disk_has_power(const struct disk *disk)
{
    return disk->has_power;
}

void disk_power_back(struct disk *disk)
{
    CHECK(!disk->mounted);
    disk->has_power = true;
}

const struct disk_counters *disk_counters(const struct disk *disk)
{
    return &disk->counters;
}
