/* engine.h - the dispatcher without its sockets: requests in, replies out, a store beneath.
 *
 * Idea: everything that came in since the last commit is one batch: each request is authorized,
 * looked up among stored results, turned into a fact, stepped through the core and performed on the
 * store; then one commit; then, and only then, the replies may go out. The live service, the tests
 * and the simulator drive this same engine.
 *
 * When it fails
 *   F1  a commit fails: nothing was stored, the core is rebuilt, every request is answered RETRY
 *   F2  the store refuses one request's rows (a constraint): the batch is undone and done again
 * with
 *       that request quarantined: kept in quarantine/, stored as refused, its sequence goes on
 *   F3  the program dies in a batch: the marks of its requests were noted before (suspects.h); they
 * come
 *       back one at a time, and one that kills again is quarantined
 *
 *   F4  from a failed commit on until a small write was stored, requests that write are answered
 *       RETRY before they are stepped: a full disk costs one rebuild, and reads go on meanwhile
 *
 * Owner: the caller owns store and options; the engine owns core and memory. Thread: one.
 */
#ifndef CALLOUT_DISPATCHER_ENGINE_H
#define CALLOUT_DISPATCHER_ENGINE_H

#include "base/arena.h"
#include "base/err.h"
#include "dispatcher/core/core.h"
#include "dispatcher/password.h"
#include "dispatcher/store/store.h"
#include "pb/inner.pb-c.h"
#include "pb/wire.pb-c.h"

struct engine;

struct engine_options {
    const char *folder; /* of the data, for keys, quarantine and suspects; NULL: memory only */
    double clock_rate;  /* told to clients */
    bool clock_by_hand; /* rate 0: AdvanceClock is allowed */
    int64_t freeze_margin_us; /* how far ahead of now the optimizer must plan, beyond the freeze */
    int64_t snapshot_every;   /* facts; 0: 50,000. A day's end has one in any case */
    /* Called between the items of a batch, for what cannot wait for its end: may tell replies of
     * former batches, and nothing of this one. NULL: nothing can. */
    void (*breathe)(void *context);
    void *breathe_context;
    /* Monotonic time of commits, UTC for what expires; NULL: this machine's clocks. */
    int64_t (*mono_us)(void *context);
    int64_t (*wall_us)(void *context);
    void *clock_context;
};

/* Loads the latest snapshot and the facts after it. */
MUST_USE enum err engine_open(struct engine **out, struct store *store,
                              const struct engine_options *options, struct problem *problem);
void engine_close(struct engine *engine); /* writes a snapshot; the store stays open */
/* Frees it, and writes nothing: for the store it is as if the process had been killed. */
void engine_abandon(struct engine *engine);

struct engine_item {
    const uint8_t *bytes; /* a packed Request; borrowed until engine_batch returns */
    size_t size;
    bool oversize; /* the listener refused its size: answer TOO_LARGE */
    /* Results, in memory that lives until the next batch: */
    ProtobufCBinaryData reply; /* a packed Reply; empty when the request is to be held */
    enum { HELD_NOT, HELD_FOLLOW, HELD_PROBLEM, HELD_PASSWORD } held;
    uint32_t hold_ms;
    uint64_t after_seq;         /* HELD_FOLLOW: what the asker knows */
    struct password_work *work; /* HELD_PASSWORD: to be done; then the item comes again with: */
    enum { PASSWORD_UNASKED, PASSWORD_RIGHT, PASSWORD_WRONG } verdict;
    const char *new_hash;
    uint64_t refused_command; /* the one of a Push that the store refused (F2); 0: none known */
};

/* Does the batch at domain time now_us. After it, replies may be sent, as soon as the store has on
 * the disk what is written (engine_progress). Returns how many of the
 * items it took: at least one, fewer than all when their replies take more memory than a batch has;
 * the others belong into the next batch. */
uint32_t engine_batch(struct engine *engine, struct engine_item *items, uint32_t count,
                      int64_t now_us);

/* Must it be in a batch of its own (F3)? */
bool engine_is_suspect(const struct engine *engine, const struct engine_item *item);

/* Does what time has brought due. False: nothing was. */
bool engine_tick(struct engine *engine, int64_t now_us);
/* Domain time of the next tick; INT64_MAX: none. */
int64_t engine_next_wake_us(struct engine *engine, int64_t now_us);

/* Erases some of what is not kept for ever; true: there may be more. To be called now and then,
 * between batches. */
bool engine_purge(struct engine *engine, int64_t now_us);

/* Answers a held request again: ERR_OK and a packed Reply when there is something new (or
 * `expired`), ERR_BUSY to go on waiting. The reply lives until the next batch or answer. */
MUST_USE enum err engine_answer_held(struct engine *engine, const uint8_t *request, size_t size,
                                     bool expired, int64_t now_us, ProtobufCBinaryData *reply);

/* The answer of an item that cannot be taken now: ERR_BUSY. It lives until the next batch. */
ProtobufCBinaryData engine_busy_answer(struct engine *engine, struct engine_item *item);

/* Which commits are written, and which are on the disk (store_sync_apart). */
struct store_progress engine_progress(const struct engine *engine);

const struct core *engine_core(const struct engine *engine);

#endif
