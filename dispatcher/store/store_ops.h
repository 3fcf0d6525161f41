/* store_ops.h - what a store has to provide, for those who make one; callers include store.h.
 *
 * store.c stands before every implementation: it keeps the rules of batches, the chain and the
 * fault injection, so that these are the same everywhere. An implementation may rely on it: writes
 * come only within a batch, never while a visitor runs, and never to a read-only store. A put may
 * wait for the commit, unless at_once is set; a read that fails is no failed write, so what a read
 * has to write first and cannot is for the commit to fail for.
 */
#ifndef CALLOUT_STORE_OPS_H
#define CALLOUT_STORE_OPS_H

#include "dispatcher/store/chain.h"
#include "dispatcher/store/store.h"
#include "model/geo.h"

struct store_ops {
    void (*close)(struct store *store);
    enum err (*begin)(struct store *store);
    enum err (*commit)(struct store *store); /* on failure rollback is called next */
    void (*rollback)(struct store *store);
    void (*sync_apart)(struct store *store, void (*done)(void *context), void *context); /* NULL */
    struct store_progress (*progress)(const struct store *store);                        /* NULL */
    enum err (*put)(struct store *store, enum row_kind kind, const void *row);
    enum err (*erase)(struct store *store, enum row_kind kind, const void *key,
                      uint32_t key_columns);
    enum err (*get)(struct store *store, enum row_kind kind, const void *key, union row *out);
    enum err (*last_fact)(struct store *store, struct row_fact *out); /* lives as long as get's */
    enum err (*each)(struct store *store, enum row_kind kind, const void *key, uint32_t key_columns,
                     bool after, store_visit *visit, void *context);
    enum err (*changes_of)(struct store *store, const char *technician_id, int64_t after_seq,
                           store_visit *visit, void *context);
    enum err (*history_of)(struct store *store, const char *appointment_id, store_visit *visit,
                           void *context);
    enum err (*orders_of)(struct store *store, enum order_link link, const char *id,
                          store_visit *visit, void *context);
    enum err (*nearest)(struct store *store, struct point from, uint32_t limit, store_visit *visit,
                        void *context);
    enum err (*digest)(struct store *store, uint64_t *out);
    enum err (*row_count)(struct store *store, enum row_kind kind, uint64_t *out);
    enum err (*verify_file)(struct store *store, struct problem *problem);
    enum err (*scrub)(struct store *store);
    enum err (*backup)(struct store *store, const char *folder, struct problem *problem);
};

/* The first member of every implementation's struct. */
struct store {
    const struct store_ops *ops;
    bool read_only;
    bool in_batch;
    enum err broken;               /* what a write of this batch failed of: no commit; ERR_OK */
    bool at_once;                  /* no put may wait for the end of its batch */
    uint32_t visitors;             /* now running */
    uint32_t fail_every;           /* fault injection; 0: none */
    uint32_t commits;              /* since it was set */
    struct chain chain;            /* where the fact log ends, the batch included */
    struct chain chain_kept;       /* where it ends in what is committed */
    uint8_t salts[64][CHAIN_SALT]; /* for facts to come: asking the kernel for each is dear */
    uint32_t salts_left;
    char error_text[224]; /* of the last failure */
};

/* Ends every open: reads where the fact log ends. */
MUST_USE enum err store_opened(struct store *store, struct problem *problem);

#endif
