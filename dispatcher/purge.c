/* purge.c - what is not kept for ever goes, in steps so small that nobody waits for one.
 *
 *   positions            60 days (POSITIONS_KEPT_US): where somebody was is nobody's business then
 *   changes              35 days: a cursor that is older has to take a Snapshot
 *   results of commands  400 days; the last number of a device for ever, so that nothing is applied
 *                        twice however late it comes
 *   dead letters         400 days
 *   sessions of people   when they are over
 *   parts of photos      7 days after the last piece; what is whole stays
 *
 * What went leaves the database's files at the end of a round, too (store_scrub). Facts stay. A
 * step looks at one holder (a technician, a device) of one kind and erases at most STEP_ROWS of his
 * rows in a transaction of its own; a round over all of them is begun every ROUND_US.
 */
#include "base/clock.h"
#include "base/log.h"
#include "dispatcher/blobs.h"
#include "dispatcher/engine_impl.h"
#include "dispatcher/positions.h"

#include <stdio.h>
#include <string.h>

enum { STEP_ROWS = 256 };
#define CHANGES_KEPT_US (35 * US_PER_DAY)
#define RESULTS_KEPT_US (400 * US_PER_DAY)
#define ROUND_US        (6 * 60 * US_PER_MINUTE)
#define SCRUB_AGAIN_US  (5 * US_PER_MINUTE)

struct old_rows {
    enum row_kind kind;
    struct engine *engine;
    struct arena *arena;
    int64_t before_us;
    union row keys[STEP_ROWS];
    uint32_t count;
};

/* Rows of a technician's or device's, oldest first: false at the first that is to stay. */
static bool note_old(void *context, const void *visited)
{
    struct old_rows *old = context;
    union row *key = &old->keys[old->count];
    if (old->kind == ROW_FIX) {
        const struct row_fix *row = visited;
        if (row->fix_time_us >= old->before_us) return false;
        key->fix = (struct row_fix){.technician_id = arena_text(old->arena, row->technician_id),
                                    .fix_time_us = row->fix_time_us};
    } else if (old->kind == ROW_COMMAND_RESULT) {
        const struct row_command_result *row = visited;
        if (row->time_us >= old->before_us) return false;
        key->command_result =
            (struct row_command_result){.device_id = arena_text(old->arena, row->device_id),
                                        .epoch = row->epoch,
                                        .seq = row->seq};
    } else if (old->kind == ROW_DEAD_LETTER) {
        const struct row_dead_letter *row = visited;
        if (row->received_us >= old->before_us) return true; /* one came again; others follow */
        key->dead_letter =
            (struct row_dead_letter){.device_id = arena_text(old->arena, row->device_id),
                                     .epoch = row->epoch,
                                     .seq = row->seq,
                                     .outcome = row->outcome};
    } else if (old->kind == ROW_PERSON_SESSION) {
        const struct row_person_session *row = visited;
        bool over = row->expires_wall_us < old->before_us || row->ends_wall_us < old->before_us;
        if (!over) return true;
        key->person_session =
            (struct row_person_session){.token_hash = arena_text(old->arena, row->token_hash)};
    } else {
        const struct row_change *row = visited;
        key->change = (struct row_change){.seq = row->seq, .number = row->number};
    }
    return ++old->count < STEP_ROWS;
}

/* Changes come by fact; whether one is old is its fact's to say. */
static void keep_young_changes(struct old_rows *old)
{
    union row row;
    int64_t seq = 0;
    bool is_old = false;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < old->count; i++) {
        int64_t its = old->keys[i].change.seq;
        if (its != seq) {
            const struct row_fact key = {.seq = its};
            is_old = store_get(old->engine->store, ROW_FACT, &key, &row) == ERR_OK &&
                     row.fact.time_us < old->before_us;
            seq = its;
        }
        if (!is_old) break;
        kept++;
    }
    old->count = kept;
}

/* No cursor may go on from before the last change that is gone. */
static enum err note_compacted(struct engine *engine, int64_t seq)
{
    if (seq <= engine->compacted_seq) return ERR_OK;
    struct row_meta row = {META_COMPACTED, {&seq, sizeof seq}};
    enum err err = store_put(engine->store, ROW_META, &row);
    if (err == ERR_OK) engine->compacted_seq = seq;
    return err;
}

/* There is room for as many others. */
static enum err count_letters(struct engine *engine, uint32_t erased)
{
    union row row;
    const struct row_device key = {.device_id = engine->purge.holder};
    enum err err = store_get(engine->store, ROW_DEVICE, &key, &row);
    if (err != ERR_OK) return err == ERR_NOT_FOUND ? ERR_OK : err;
    row.device.letters -= erased < row.device.letters ? erased : row.device.letters;
    return store_put(engine->store, ROW_DEVICE, &row.device);
}

static enum err erase(struct engine *engine, struct old_rows *old)
{
    int64_t compacted_seq = engine->compacted_seq;
    enum err err = store_begin(engine->store);
    if (err != ERR_OK) return err;
    for (uint32_t i = 0; i < old->count && err == ERR_OK; i++)
        err = store_erase(engine->store, old->kind, &old->keys[i],
                          row_key_count(row_table(old->kind)));
    if (err == ERR_OK && old->kind == ROW_CHANGE)
        err = note_compacted(engine, old->keys[old->count - 1].change.seq);
    if (err == ERR_OK && old->kind == ROW_DEAD_LETTER) err = count_letters(engine, old->count);
    if (err == ERR_OK)
        err = store_commit(engine->store);
    else
        store_rollback(engine->store);
    if (err != ERR_OK) engine->compacted_seq = compacted_seq;
    engine->purge.erased = engine->purge.erased || err == ERR_OK;
    return err;
}

/* The place where he was last goes like the others. */
static enum err erase_place(struct engine *engine, int64_t before_us)
{
    union row row;
    const struct row_position key = {.technician_id = engine->purge.holder};
    enum err err = store_get(engine->store, ROW_POSITION, &key, &row);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && row.position.fix_time_us >= before_us))
        return ERR_OK;
    if (err == ERR_OK) err = store_begin(engine->store);
    if (err != ERR_OK) return err;
    err = store_erase(engine->store, ROW_POSITION, &key, 1);
    if (err == ERR_OK) {
        engine->purge.erased = true;
        return store_commit(engine->store);
    }
    store_rollback(engine->store);
    return err;
}

struct next_holder {
    char *id;
    size_t size;
    bool found;
};

static bool take_holder(void *context, const void *visited)
{
    struct next_holder *next = context;
    const char *const *id = visited; /* the first column of both tables */
    snprintf(next->id, next->size, "%s", *id);
    next->found = true;
    return false;
}

/* Goes on to the next holder, or to the next kind of rows; false: the round is over. */
static bool go_on(struct engine *engine)
{
    struct purge *purge = &engine->purge;
    struct next_holder next = {purge->holder, sizeof purge->holder, false};
    if (purge->stage == PURGE_FIXES) {
        const struct row_position after = {.technician_id = purge->holder};
        (void)!store_each(engine->store, ROW_POSITION, &after, 0, true, take_holder, &next);
    } else if (purge->stage == PURGE_RESULTS || purge->stage == PURGE_LETTERS) {
        const struct row_device after = {.device_id = purge->holder};
        (void)!store_each(engine->store, ROW_DEVICE, &after, 0, true, take_holder, &next);
    }
    if (next.found) return true;
    purge->holder[0] = '\0';
    purge->stage = purge->stage == PURGE_SESSIONS ? PURGE_CHANGES : purge->stage + 1;
    return purge->stage != PURGE_CHANGES;
}

static enum err find_old(struct engine *engine, struct old_rows *old)
{
    const struct purge *purge = &engine->purge;
    static const struct {
        enum row_kind kind;
        int64_t kept_us;
    } stages[] = {
        [PURGE_CHANGES] = {ROW_CHANGE, CHANGES_KEPT_US},
        [PURGE_FIXES] = {ROW_FIX, POSITIONS_KEPT_US},
        [PURGE_RESULTS] = {ROW_COMMAND_RESULT, RESULTS_KEPT_US},
        [PURGE_LETTERS] = {ROW_DEAD_LETTER, RESULTS_KEPT_US},
        [PURGE_SESSIONS] = {ROW_PERSON_SESSION, 0},
    };
    const union row keys[] = {
        [PURGE_FIXES] = {.fix = {.technician_id = purge->holder}},
        [PURGE_RESULTS] = {.command_result = {.device_id = purge->holder}},
        [PURGE_LETTERS] = {.dead_letter = {.device_id = purge->holder}},
    };
    old->kind = stages[purge->stage].kind;
    old->before_us = engine->now_us - stages[purge->stage].kept_us;
    if (purge->stage == PURGE_CHANGES) {
        enum err err = store_each(engine->store, ROW_CHANGE, NULL, 0, false, note_old, old);
        keep_young_changes(old);
        return err;
    }
    if (purge->stage == PURGE_SESSIONS) {
        old->before_us = engine_wall_us(engine);
        return store_each(engine->store, ROW_PERSON_SESSION, NULL, 0, false, note_old, old);
    }
    if (purge->holder[0] == '\0') return ERR_OK; /* before the first holder */
    return store_each(engine->store, old->kind, &keys[purge->stage], 1, false, note_old, old);
}

/* Between rounds: what is erased is no byte of any file any more. */
static void scrub(struct engine *engine)
{
    struct purge *purge = &engine->purge;
    if (!purge->erased || engine->now_us < purge->scrub_due_us) return;
    enum err err = store_scrub(engine->store);
    purge->erased = err != ERR_OK;
    purge->scrub_due_us = engine->now_us + SCRUB_AGAIN_US;
    if (err != ERR_OK && err != ERR_BUSY)
        log_warn("what was erased still lies in the write-ahead log (%s)", err_name(err));
}

bool engine_purge(struct engine *engine, int64_t now_us)
{
    struct purge *purge = &engine->purge;
    if (now_us > engine->now_us) engine->now_us = now_us;
    if (engine->now_us < purge->due_us) {
        scrub(engine);
        return false;
    }
    arena_rewind(&engine->reply_arena);
    struct old_rows *old = arena_need(&engine->reply_arena, sizeof *old);
    *old = (struct old_rows){.engine = engine, .arena = &engine->reply_arena};
    enum err err = find_old(engine, old);
    if (err == ERR_OK && old->count > 0) err = erase(engine, old);
    if (err == ERR_OK && purge->stage == PURGE_FIXES && purge->holder[0] != '\0')
        err = erase_place(engine, old->before_us);
    if (err != ERR_OK) log_warn("what is old cannot be erased (%s)", err_name(err));
    bool whole = err == ERR_OK && old->count == STEP_ROWS; /* he may have more */
    if (whole || (err == ERR_OK && go_on(engine))) return true;
    purge->due_us = engine->now_us + ROUND_US;
    blobs_sweep(engine);
    scrub(engine);
    return false;
}
