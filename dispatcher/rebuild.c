/* rebuild.c - the core from what is stored, and the snapshots that make that quick. */
#include "base/check.h"
#include "base/clock.h"
#include "base/crashpoint.h"
#include "base/log.h"
#include "dispatcher/engine_impl.h"

#include <stdlib.h>
#include <string.h>

struct latest {
    int64_t seq;
};

static bool keep_latest(void *context, const void *row)
{
    struct latest *latest = context;
    const struct row_snapshot *snapshot = row;
    if (snapshot->core_version == CORE_VERSION) latest->seq = snapshot->seq;
    return true;
}

/* The newest snapshot of this core version, if there is one. */
static enum err load_snapshot(struct engine *engine)
{
    struct latest latest = {0};
    enum err err = store_each(engine->store, ROW_SNAPSHOT, NULL, 0, false, keep_latest, &latest);
    if (err != ERR_OK || latest.seq == 0) return err;
    union row row;
    err = store_get(engine->store, ROW_SNAPSHOT, &(struct row_snapshot){.seq = latest.seq}, &row);
    if (err != ERR_OK) return err;
    uint64_t digest = (uint64_t)row.snapshot.digest;
    engine->snapshot_rows_digest = (uint64_t)row.snapshot.rows_digest;
    err = core_load(engine->core, row.snapshot.body);
    if (err == ERR_OK && core_digest(engine->core) == digest) return ERR_OK;
    log_warn("snapshot %lld does not fit its digest: replaying from the first fact",
             (long long)latest.seq);
    arena_close(&engine->core_arena);
    arena_open(&engine->core_arena, CORE_ARENA_CAP);
    engine->core = core_open(&engine->core_arena, &travel_straight);
    return ERR_OK;
}

Callout__FactBody *fact_body(const struct row_fact *row)
{
    return callout__fact_body__unpack(NULL, row->body.size, (const uint8_t *)row->body.bytes);
}

enum err fact_again(struct core *core, const struct row_fact *row, const Callout__FactBody *body,
                    struct arena *arena, struct acts *acts, struct problem *problem)
{
    struct fact fact;
    acts_init(acts, arena);
    if (body == NULL) return problem_set(problem, ERR_INVALID, "", "is no fact");
    enum err err = fact_from_body(body, row->seq, row->time_us, true, arena, &fact, problem);
    if (err == ERR_OK) err = core_step(core, &fact, acts, problem);
    if (err == ERR_OK || body->rules == CORE_VERSION) return err;
    log_warn("fact %lld was taken by the rules of before and is passed over: %s %s",
             (long long)row->seq, problem->field, problem->text);
    fact = (struct fact){
        .seq = row->seq, .time_us = row->time_us, .kind = FACT_QUARANTINED, .technician_id = ""};
    acts_init(acts, arena);
    return core_step(core, &fact, acts, problem);
}

static bool replay_row(void *context, const void *visited)
{
    struct engine *engine = context;
    const struct row_fact *row = visited;
    struct arena arena;
    struct problem problem;
    struct acts acts;
    arena_open(&arena, (size_t)64 << 20);
    Callout__FactBody *body = fact_body(row);
    enum err err = fact_again(engine->core, row, body, &arena, &acts, &problem);
    if (err != ERR_OK) {
        log_error("fact %lld cannot be replayed: %s %s", (long long)row->seq, problem.field,
                  problem.text);
        engine->poisoned = ERR_INTERNAL;
    }
    if (body != NULL) callout__fact_body__free_unpacked(body, NULL);
    arena_close(&arena);
    engine->since_snapshot++;
    return err == ERR_OK;
}

/* Throws the core away and builds it again from what is stored: at start, and after a failed
 * commit. */
enum err engine_rebuild(struct engine *engine)
{
    arena_close(&engine->core_arena);
    arena_open(&engine->core_arena, CORE_ARENA_CAP);
    engine->core = core_open(&engine->core_arena, &travel_straight);
    engine->since_snapshot = 0;
    engine->poisoned = ERR_OK;
    enum err err = load_snapshot(engine);
    if (err != ERR_OK) return err;
    struct row_fact after = {.seq = core_seq(engine->core)};
    err = store_each(engine->store, ROW_FACT, &after, 0, true, replay_row, engine);
    if (err == ERR_OK) err = engine->poisoned;
    engine->poisoned = ERR_OK;
    return err;
}

/* The tables must be what the snapshot says, when no fact came after it. With facts after it, and
 * after one that was written along the way, `callout verify` is the check. */
enum err engine_check_tables(struct engine *engine)
{
    uint64_t rows_digest;
    if (engine->since_snapshot > 0 || engine->snapshot_rows_digest == 0) return ERR_OK;
    enum err err = store_digest(engine->store, &rows_digest);
    if (err != ERR_OK || rows_digest == engine->snapshot_rows_digest) return err;
    log_error(
        "the tables are not what the fact log led to: run callout verify, then restore a backup");
    return ERR_INTERNAL;
}

/* --- snapshots, and what need not be kept for ever --- */

enum { OLD_MAX = 256, SNAPSHOTS_KEPT = 2 };
#define REQUESTS_KEPT_US (30 * US_PER_DAY)

struct old_rows {
    enum row_kind kind;
    int64_t before_wall_us;
    struct arena *arena;
    union row keys[OLD_MAX];
    uint32_t count, seen;
};

static bool note_old(void *context, const void *visited)
{
    struct old_rows *old = context;
    union row *key = &old->keys[old->count];
    if (old->kind == ROW_SESSION) {
        const struct row_session *row = visited;
        if (row->expires_wall_us >= old->before_wall_us) return true;
        key->session = (struct row_session){.token_hash = arena_text(old->arena, row->token_hash)};
    } else if (old->kind == ROW_REQUEST_RESULT) {
        const struct row_request_result *row = visited;
        if (row->wall_us >= old->before_wall_us - REQUESTS_KEPT_US) return true;
        key->request_result =
            (struct row_request_result){.principal = arena_text(old->arena, row->principal),
                                        .request_id = arena_text(old->arena, row->request_id)};
    } else {
        const struct row_snapshot *row = visited;
        key->snapshot = (struct row_snapshot){.seq = row->seq};
    }
    return ++old->count < OLD_MAX;
}

static enum err erase_old(struct engine *engine, enum row_kind kind, uint32_t keep)
{
    struct arena arena;
    struct old_rows *old = calloc(1, sizeof *old);
    CHECK(old != NULL);
    arena_open(&arena, (size_t)1 << 20);
    old->kind = kind;
    old->before_wall_us = engine_wall_us(engine);
    old->arena = &arena;
    enum err err = store_each(engine->store, kind, NULL, 0, false, note_old, old);
    for (uint32_t i = 0; i + keep < old->count && err == ERR_OK; i++)
        err = store_erase(engine->store, kind, &old->keys[i], row_key_count(row_table(kind)));
    arena_close(&arena);
    free(old);
    return err;
}

enum err engine_put_snapshot(struct engine *engine, bool at_end)
{
    uint64_t rows_digest = 0;
    struct arena arena;
    enum err err = at_end ? store_digest(engine->store, &rows_digest) : ERR_OK;
    if (err != ERR_OK) return err;
    arena_open(&arena, CORE_ARENA_CAP);
    int64_t seq = core_seq(engine->core);
    struct row_snapshot row = {seq, CORE_VERSION, (int64_t)core_digest(engine->core),
                               (int64_t)rows_digest, core_save(engine->core, &arena)};
    err = engine_begin(engine);
    if (err == ERR_OK) err = store_put(engine->store, ROW_SNAPSHOT, &row);
    if (err == ERR_OK) err = erase_old(engine, ROW_SNAPSHOT, SNAPSHOTS_KEPT);
    if (err == ERR_OK) err = erase_old(engine, ROW_SESSION, 0);
    if (err == ERR_OK) err = erase_old(engine, ROW_REQUEST_RESULT, 0);
    crash_here(CRASH_SNAPSHOT_WRITTEN);
    if (err == ERR_OK)
        err = store_commit(engine->store);
    else if (engine->began)
        store_rollback(engine->store);
    crash_here(CRASH_SNAPSHOT_COMMITTED);
    engine->began = engine->wrote = false;
    arena_close(&arena);
    if (err != ERR_OK) return err;
    engine->since_snapshot = 0;
    engine->snapshot_rows_digest = rows_digest;
    return ERR_OK;
}
