/* Rules of a batch, kept here for all stores:
 *   I1  a batch with a failed write (ERR_CONFLICT excepted: that write alone is undone) is never
 *       committed, whatever its owner asks for
 *   I2  after commit or rollback there is no batch, and the chain ends where the stored facts do
 */
#include "dispatcher/store/store_ops.h"

#include "base/check.h"

#include <sodium.h>
#include <string.h>

enum err store_opened(struct store *store, struct problem *problem)
{
    struct row_fact last;
    if (sodium_init() < 0) return problem_set(problem, ERR_IO, "", "libsodium does not start");
    enum err err = store->ops->last_fact(store, &last);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err != ERR_OK) return problem_set(problem, err, "fact", "%s", store->error_text);
    if (last.chain.size != CHAIN_HASH) {
        return problem_set(problem, ERR_IO, "fact.chain", "the last fact, %lld, is damaged",
                           (long long)last.seq);
    }
    chain_follow(&store->chain, &last);
    store->chain_kept = store->chain;
    return ERR_OK;
}

void store_close(struct store *store)
{
    if (store == NULL) return;
    if (store->in_batch) store_rollback(store);
    store->ops->close(store);
}

const char *store_error_text(const struct store *store)
{
    return store->error_text;
}

enum err store_begin(struct store *store)
{
    CHECK(!store->read_only && !store->in_batch && store->visitors == 0);
    enum err err = store->ops->begin(store);
    store->in_batch = err == ERR_OK;
    store->broken = ERR_OK;
    return err;
}

static bool failure_is_planned(struct store *store)
{
    if (store->fail_every == 0) return false;
    store->commits++;
    return store->commits % store->fail_every == 0;
}

enum err store_commit(struct store *store)
{
    CHECK(store->in_batch && store->visitors == 0);
    enum err err = store->broken;
    if (err == ERR_OK) err = failure_is_planned(store) ? ERR_IO : store->ops->commit(store);
    if (err != ERR_OK) {
        store_rollback(store);
        return err;
    }
    store->in_batch = false;
    store->chain_kept = store->chain;
    return ERR_OK;
}

void store_rollback(struct store *store)
{
    CHECK(store->in_batch && store->visitors == 0);
    store->ops->rollback(store);
    store->chain = store->chain_kept;
    store->in_batch = false;
}

void store_sync_apart(struct store *store, void (*done)(void *context), void *context)
{
    CHECK(!store->in_batch && !store->read_only);
    if (store->ops->sync_apart != NULL) store->ops->sync_apart(store, done, context);
}

struct store_progress store_progress(const struct store *store)
{
    if (store->ops->progress == NULL) return (struct store_progress){0, 0, false};
    return store->ops->progress(store);
}

void store_fail_commits(struct store *store, uint32_t every)
{
    store->fail_every = every;
    store->commits = 0;
}

/* Notes what a write came to (I1). */
static enum err written(struct store *store, enum err err)
{
    if (err != ERR_OK && err != ERR_CONFLICT && store->broken == ERR_OK) store->broken = err;
    return err;
}

enum err store_put(struct store *store, enum row_kind kind, const void *row)
{
    CHECK(store->in_batch && store->visitors == 0);
    return written(store, store->ops->put(store, kind, row));
}

void store_put_at_once(struct store *store, bool at_once)
{
    CHECK(!store->in_batch);
    store->at_once = at_once;
}

enum err store_erase(struct store *store, enum row_kind kind, const void *key, uint32_t key_columns)
{
    CHECK(store->in_batch && store->visitors == 0);
    CHECK(key_columns >= 1 && key_columns <= row_key_count(row_table(kind)));
    return written(store, store->ops->erase(store, kind, key, key_columns));
}

static void take_salt(struct store *store, uint8_t salt[CHAIN_SALT])
{
    if (store->salts_left == 0) {
        randombytes_buf(store->salts, sizeof store->salts);
        store->salts_left = sizeof store->salts / sizeof store->salts[0];
    }
    memcpy(salt, store->salts[--store->salts_left], CHAIN_SALT);
}

enum err store_append_fact(struct store *store, int64_t seq, int64_t time_us, int64_t kind,
                           const void *body, size_t size)
{
    struct row_fact row = {.seq = seq, .time_us = time_us, .kind = kind, .body = {body, size}};
    struct chain_seal seal;
    take_salt(store, seal.salt);
    chain_seal(&store->chain, &row, &seal);
    enum err err = store_put(store, ROW_FACT, &row);
    if (err == ERR_OK) chain_follow(&store->chain, &row);
    return err;
}

enum err store_get(struct store *store, enum row_kind kind, const void *key, union row *out)
{
    return store->ops->get(store, kind, key, out);
}

enum err store_each(struct store *store, enum row_kind kind, const void *key, uint32_t key_columns,
                    bool after, store_visit *visit, void *context)
{
    CHECK(key_columns + (after ? 1 : 0) <= row_key_count(row_table(kind)));
    store->visitors++;
    enum err err = store->ops->each(store, kind, key, key_columns, after, visit, context);
    store->visitors--;
    return err;
}

enum err store_changes_of(struct store *store, const char *technician_id, int64_t after_seq,
                          store_visit *visit, void *context)
{
    store->visitors++;
    enum err err = store->ops->changes_of(store, technician_id, after_seq, visit, context);
    store->visitors--;
    return err;
}

enum err store_history_of(struct store *store, const char *appointment_id, store_visit *visit,
                          void *context)
{
    store->visitors++;
    enum err err = store->ops->history_of(store, appointment_id, visit, context);
    store->visitors--;
    return err;
}

enum err store_orders_of(struct store *store, enum order_link link, const char *id,
                         store_visit *visit, void *context)
{
    store->visitors++;
    enum err err = store->ops->orders_of(store, link, id, visit, context);
    store->visitors--;
    return err;
}

enum err store_nearest(struct store *store, int32_t lat_e7, int32_t lon_e7, uint32_t limit,
                       store_visit *visit, void *context)
{
    if (limit == 0) return ERR_OK;
    struct point from = {lat_e7, lon_e7};
    store->visitors++;
    enum err err = store->ops->nearest(store, from, limit, visit, context);
    store->visitors--;
    return err;
}

struct chain_walk {
    struct chain chain;
    int64_t bad_seq; /* 0: none so far */
};

static bool follow_fact(void *context, const void *row)
{
    struct chain_walk *walk = context;
    const struct row_fact *fact = row;
    if (!chain_fits(&walk->chain, fact)) {
        walk->bad_seq = walk->chain.seq + 1;
        return false;
    }
    chain_follow(&walk->chain, fact);
    return true;
}

enum err store_verify_chain(struct store *store, int64_t *bad_seq)
{
    struct chain_walk walk = {.bad_seq = 0};
    enum err err = store_each(store, ROW_FACT, NULL, 0, false, follow_fact, &walk);
    if (err == ERR_OK) *bad_seq = walk.bad_seq;
    return err;
}

enum err store_verify_file(struct store *store, struct problem *problem)
{
    return store->ops->verify_file(store, problem);
}

enum err store_scrub(struct store *store)
{
    CHECK(!store->in_batch && !store->read_only);
    return store->ops->scrub(store);
}

enum err store_digest(struct store *store, uint64_t *out)
{
    return store->ops->digest(store, out);
}

enum err store_row_count(struct store *store, enum row_kind kind, uint64_t *out)
{
    return store->ops->row_count(store, kind, out);
}

enum err store_backup(struct store *store, const char *folder, struct problem *problem)
{
    return store->ops->backup(store, folder, problem);
}
