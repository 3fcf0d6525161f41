#include "dispatcher/engine.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/crashpoint.h"
#include "base/log.h"
#include "dispatcher/authz.h"
#include "dispatcher/bounds.h"
#include "dispatcher/engine_impl.h"
#include "dispatcher/positions.h"
#include "dispatcher/proposals.h"
#include "message.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BATCH_ARENA_CAP ((size_t)256 << 20)
/* A batch that has used so much ends early: what is left is enough for any one request. */
#define BATCH_ARENA_FULL (BATCH_ARENA_CAP / 4)

/* --- loading --- */

/* Ends a small transaction of the engine's own. */
static enum err end_own(struct engine *engine, enum err err)
{
    if (err == ERR_OK)
        err = store_commit(engine->store);
    else if (engine->began)
        store_rollback(engine->store);
    engine->began = engine->wrote = false;
    engine->poisoned = ERR_OK;
    return err;
}

/* A value of ROW_META; made by chance, and to be stored, when there is none yet. */
static enum err load_value(struct engine *engine, const char *name, void *value, size_t size,
                           bool *made)
{
    union row row;
    enum err err = store_get(engine->store, ROW_META, &(struct row_meta){.name = name}, &row);
    if (err == ERR_NOT_FOUND) {
        randombytes_buf(value, size);
        *made = true;
        return ERR_OK;
    }
    if (err == ERR_OK && row.meta.value.size != size) err = ERR_INVALID;
    if (err == ERR_OK) memcpy(value, row.meta.value.bytes, size);
    return err;
}

/* Up to where changes are gone; nothing is, in a store of which nothing was. */
static enum err load_compacted(struct engine *engine)
{
    union row row;
    const struct row_meta key = {.name = META_COMPACTED};
    enum err err = store_get(engine->store, ROW_META, &key, &row);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err == ERR_OK && row.meta.value.size != sizeof engine->compacted_seq) err = ERR_INVALID;
    if (err == ERR_OK)
        memcpy(&engine->compacted_seq, row.meta.value.bytes, sizeof engine->compacted_seq);
    return err;
}

static enum err load_meta(struct engine *engine)
{
    bool made = false;
    struct row_meta epoch = {"log_epoch", {&engine->log_epoch, sizeof engine->log_epoch}};
    struct row_meta secret = {"secret", {engine->secret, SECRET_SIZE}};
    uint8_t name[(SERVER_NAME_SIZE - 1) / 2];
    struct row_meta server = {"server_name", {name, sizeof name}};
    enum err err =
        load_value(engine, "log_epoch", &engine->log_epoch, sizeof engine->log_epoch, &made);
    if (err == ERR_OK) err = load_value(engine, "secret", engine->secret, SECRET_SIZE, &made);
    if (err == ERR_OK) err = load_value(engine, "server_name", name, sizeof name, &made);
    if (err == ERR_OK) sodium_bin2hex(engine->server_name, SERVER_NAME_SIZE, name, sizeof name);
    if (err != ERR_OK || !made) return err;
    err = engine_put(engine, ROW_META, &epoch);
    if (err == ERR_OK) err = engine_put(engine, ROW_META, &secret);
    if (err == ERR_OK) err = engine_put(engine, ROW_META, &server);
    return end_own(engine, err);
}

/* The key of whoever may read the data folder: tools on this machine use it. */
static enum err ensure_local_key(struct engine *engine)
{
    char folder[4096], path[4200], key[65], hash[65];
    uint8_t bytes[32];
    union row row;
    if (engine->options.folder == NULL) return ERR_OK;
    snprintf(folder, sizeof folder, "%s/keys", engine->options.folder);
    snprintf(path, sizeof path, "%s/local.key", folder);
    struct stat stat_out;
    bool file_there = stat(path, &stat_out) == 0;
    enum err err =
        store_get(engine->store, ROW_API_KEY, &(struct row_api_key){.name = "local"}, &row);
    if (err == ERR_OK && file_there) return ERR_OK;
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(key, sizeof key, bytes, sizeof bytes);
    hash_hex(key, strlen(key), hash);
    mkdir(folder, 0700);
    remove(path);
    mode_t mask = umask(0077);
    FILE *file = fopen(path, "w");
    umask(mask);
    if (file == NULL) return ERR_IO;
    fprintf(file, "%s\n", key);
    if (fclose(file) != 0) return ERR_IO;
    return end_own(engine, engine_put(engine, ROW_API_KEY,
                                      &(struct row_api_key){"local", hash, "admin", 0, "*"}));
}

enum err engine_open(struct engine **out, struct store *store, const struct engine_options *options,
                     struct problem *problem)
{
    struct engine *engine = calloc(1, sizeof *engine);
    CHECK(engine != NULL);
    CHECK(sodium_init() >= 0);
    engine->store = store;
    engine->options = *options;
    if (engine->options.snapshot_every == 0) engine->options.snapshot_every = SNAPSHOT_EVERY;
    arena_open(&engine->batch_arena, BATCH_ARENA_CAP);
    arena_open(&engine->fact_arena, BATCH_ARENA_CAP);
    arena_open(&engine->reply_arena, BATCH_ARENA_CAP);
    engine->started_wall_us = engine_wall_us(engine);
    engine->rights_version = engine->rights_first = (uint64_t)engine->started_wall_us;
    if (options->folder != NULL) engine->suspects = suspects_open(options->folder);
    enum err err = engine_rebuild(engine);
    if (err == ERR_OK) err = engine_check_tables(engine);
    if (err == ERR_OK) err = load_meta(engine);
    if (err == ERR_OK) err = load_compacted(engine);
    if (err == ERR_OK) err = ensure_local_key(engine);
    if (err != ERR_OK) {
        engine->core = NULL;
        engine_close(engine);
        return problem_set(problem, err, "--data",
                           "the state cannot be rebuilt from the fact log (%s): callout verify "
                           "says where it is damaged",
                           err_name(err));
    }
    *out = engine;
    return ERR_OK;
}

/* --- writing --- */

enum err engine_begin(struct engine *engine)
{
    if (engine->began) return ERR_OK;
    enum err err = store_begin(engine->store);
    engine->began = err == ERR_OK;
    crash_here(CRASH_BATCH_BEGUN);
    return err;
}

/* F4: while the disk is known to take nothing, a write is refused before anything is done for it,
 * and so there is nothing to undo. */
static enum err refuse_write(struct engine *engine)
{
    if (engine->poisoned == ERR_OK) engine->poisoned = ERR_IO;
    return ERR_IO;
}

/* A write that fails undoes the whole batch; the code says whether this request is to blame. */
static enum err wrote(struct engine *engine, enum err err)
{
    engine->wrote = true;
    if (err != ERR_OK && engine->poisoned == ERR_OK) engine->poisoned = err;
    return err;
}

enum err engine_put(struct engine *engine, enum row_kind kind, const void *row)
{
    if (engine->disk_fails) return refuse_write(engine);
    enum err err = engine_begin(engine);
    if (err == ERR_OK) err = store_put(engine->store, kind, row);
    return wrote(engine, err);
}

enum err engine_erase(struct engine *engine, enum row_kind kind, const void *key,
                      uint32_t key_columns)
{
    if (engine->disk_fails) return refuse_write(engine);
    enum err err = engine_begin(engine);
    if (err == ERR_OK) err = store_erase(engine->store, kind, key, key_columns);
    return wrote(engine, err);
}

static struct recent *recent_slot(struct engine *engine, int64_t seq)
{
    return &engine->recent[seq % RECENT_MAX];
}

const struct recent *engine_recent(const struct engine *engine, int64_t seq)
{
    const struct recent *recent = &engine->recent[seq % RECENT_MAX];
    return seq > 0 && recent->seq == seq ? recent : NULL;
}

static void note_technician(struct recent *recent, const char *technician_id)
{
    if (technician_id == NULL || technician_id[0] == '\0') return;
    for (uint32_t i = 0; i < recent->technician_count; i++) {
        if (strcmp(recent->technicians[i], technician_id) == 0) return;
    }
    if (recent->technician_count == RECENT_TECHNICIANS_MAX) {
        recent->everyone = true;
        return;
    }
    strcpy(recent->technicians[recent->technician_count++], technician_id);
}

static enum err perform(struct engine *engine, const struct acts *acts, struct recent *recent)
{
    enum err err = ERR_OK;
    for (uint32_t i = 0; i < acts->count && err == ERR_OK; i++) {
        const struct act *act = &acts->items[i];
        if (act->kind == ACT_PUT) err = engine_put(engine, act->row_kind, &act->row);
        if (act->kind == ACT_ERASE)
            err = engine_erase(engine, act->row_kind, &act->row, act->key_columns);
        if (act->kind == ACT_PUT && act->row_kind == ROW_MESSAGE)
            note_technician(recent, act->row.message.technician_id);
        if (act->kind == ACT_PUT && act->row_kind == ROW_SHIFT)
            note_technician(recent, act->row.shift.technician_id);
        if (act->kind == ACT_PUT && act->row_kind == ROW_ABSENCE)
            note_technician(recent, act->row.absence.technician_id);
        if (act->kind == ACT_PUT && act->row_kind == ROW_CHANGE) {
            recent->changes++;
            note_technician(recent, act->row.change.owner_before);
            note_technician(recent, act->row.change.owner_after);
        }
    }
    return err;
}

static int64_t body_cause(const Callout__FactBody *body)
{
    return body->body_case == CALLOUT__FACT_BODY__BODY_PLAN ? (int64_t)body->plan->cause_seq : 0;
}

enum err engine_apply(struct engine *engine, const Callout__FactBody *taken, int64_t *seq,
                      struct acts *acts, struct problem *problem)
{
    Callout__FactBody stamped = *taken, *body = &stamped;
    stamped.rules = CORE_VERSION;
    struct acts own;
    struct fact fact;
    int64_t time_us = engine->now_us;
    if (time_us < core_time_us(engine->core)) time_us = core_time_us(engine->core);
    int64_t next = core_seq(engine->core) + 1;
    if (acts == NULL) acts = &own;
    arena_rewind(&engine->fact_arena);
    acts_init(acts, &engine->fact_arena);
    if (engine->disk_fails)
        return problem_set(problem, refuse_write(engine), "", "the disk takes no writes");
    enum err err = fact_from_body(body, next, time_us, false, &engine->fact_arena, &fact, problem);
    if (err == ERR_OK) err = core_step(engine->core, &fact, acts, problem);
    if (err != ERR_OK) return err;
    ProtobufCBinaryData bytes = message_encode(&body->base, &engine->fact_arena);
    struct recent *recent = recent_slot(engine, next);
    *recent = (struct recent){.seq = next,
                              .cause_seq = body_cause(body),
                              .kind = fact.kind,
                              .device = body->command != NULL};
    err = wrote(engine, engine_begin(engine)); /* the core is ahead already: it must go back */
    if (err == ERR_OK)
        err = wrote(engine, store_append_fact(engine->store, next, time_us, fact.kind, bytes.data,
                                              bytes.len));
    crash_here(CRASH_FACT_APPENDED);
    if (err == ERR_OK) err = perform(engine, acts, recent);
    recent->plan_version = acts->plan_version;
    *seq = next;
    if (err != ERR_OK) {
        snprintf(problem->text, sizeof problem->text, "the store refused it: %s", err_name(err));
        problem->field[0] = '\0';
        return ERR_INTERNAL;
    }
    return ERR_OK;
}

/* F4: a row that is there anyway is taken out and put back, which changes nothing and must reach
 * the disk. Only that this can be stored lets a core step again whose last batch could not. */
static void try_disk(struct engine *engine)
{
    const struct row_meta row = {"log_epoch", {&engine->log_epoch, sizeof engine->log_epoch}};
    if (!engine->disk_fails) return;
    enum err err = store_begin(engine->store);
    if (err != ERR_OK) return;
    err = store_erase(engine->store, ROW_META, &row, 1);
    if (err == ERR_OK) err = store_put(engine->store, ROW_META, &row);
    if (err == ERR_OK)
        err = store_commit(engine->store);
    else
        store_rollback(engine->store);
    engine->disk_fails = err != ERR_OK;
    if (err == ERR_OK) log_info("the disk takes writes again");
}

/* Ends the batch's transaction. Not ERR_OK: nothing of the batch was stored, and the core is as
 * before. */
static enum err finish(struct engine *engine)
{
    enum err err = engine->poisoned;
    int64_t first = core_seq(engine->core);
    if (engine->began) {
        crash_here(CRASH_BATCH_WRITTEN);
        if (err == ERR_OK)
            err = store_commit(engine->store);
        else
            store_rollback(engine->store);
        crash_here(CRASH_BATCH_COMMITTED);
    }
    bool touched = engine->wrote;
    engine->began = engine->wrote = false;
    engine->poisoned = ERR_OK;
    if (err != ERR_OK && touched) {
        engine->disk_fails = err != ERR_CONFLICT;
        enum err again = engine_rebuild(engine);
        if (again != ERR_OK) log_error("the state cannot be rebuilt: %s", err_name(again));
        CHECK(again == ERR_OK);
        return err;
    }
    int64_t mono_us = engine_mono_us(engine);
    for (int64_t seq = first; seq > 0 && first - seq < RECENT_MAX; seq--) {
        struct recent *recent = recent_slot(engine, seq);
        if (recent->seq != seq || recent->committed_mono_us != 0) break;
        recent->committed_mono_us = mono_us;
        engine->since_snapshot++;
    }
    return err;
}

void engine_close(struct engine *engine)
{
    bool due = engine->core != NULL && core_seq(engine->core) > 0 &&
               (engine->since_snapshot > 0 || engine->snapshot_rows_digest == 0);
    if (due && engine_put_snapshot(engine, true) != ERR_OK)
        log_warn("no snapshot was written: the next start replays the log");
    engine_abandon(engine);
}

void engine_abandon(struct engine *engine)
{
    bounds_close(engine);
    proposals_close(engine);
    if (engine->suspects != NULL) suspects_close(engine->suspects);
    arena_close(&engine->core_arena);
    arena_close(&engine->batch_arena);
    arena_close(&engine->fact_arena);
    arena_close(&engine->reply_arena);
    free(engine);
}

/* --- batches --- */

/* A Push without any place that is told in it: who looks at it has no business with where somebody
 * was off shift. Anything else as it is. */
static ProtobufCBinaryData without_places(const struct engine_item *item, struct arena *arena)
{
    ProtobufCBinaryData whole = {item->size, (uint8_t *)(uintptr_t)item->bytes};
    ProtobufCMessage *request, *forward, *push;
    if (message_decode(&callout__request__descriptor, item->bytes, item->size, arena, &request,
                       NULL) != ERR_OK)
        return whole;
    Callout__Request *outer = (Callout__Request *)request;
    if (strcmp(outer->method, "Forward") != 0 ||
        message_decode(&callout__forward_request__descriptor, outer->body.data, outer->body.len,
                       arena, &forward, NULL) != ERR_OK)
        return whole;
    Callout__ForwardRequest *inner = (Callout__ForwardRequest *)forward;
    if (strcmp(inner->method, "Push") != 0 ||
        message_decode(&callout__push_request__descriptor, inner->body.data, inner->body.len, arena,
                       &push, NULL) != ERR_OK)
        return whole;
    positions_blot((Callout__PushRequest *)push);
    inner->body = message_encode(push, arena);
    outer->body = message_encode(forward, arena);
    return message_encode(request, arena);
}

/* F2, F3: keeps the bytes of a request that must not be done, for a person to look at. */
static void keep_quarantined(struct engine *engine, const struct engine_item *item, char *name,
                             size_t size)
{
    snprintf(name, size, "%016llx.request",
             (unsigned long long)suspect_mark(item->bytes, item->size));
    if (engine->options.folder == NULL) return;
    char path[4200];
    snprintf(path, sizeof path, "%s/quarantine", engine->options.folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/quarantine/%s", engine->options.folder, name);
    struct arena arena;
    arena_open(&arena, 8 * LIMIT_INNER_MESSAGE);
    ProtobufCBinaryData kept = without_places(item, &arena);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(kept.data, 1, kept.len, file) != kept.len)
        log_error("cannot keep a quarantined request in %s: %s", path, strerror(errno));
    if (file != NULL) fclose(file);
    arena_close(&arena);
    log_error("ALARM: a request was quarantined: %s", path);
}

/* Runs [first, first + count); `bad` is set to the item whose rows the store refused, if one did.
 */
static enum err run(struct engine *engine, struct engine_item *items, const bool *quarantined,
                    uint32_t *count, uint32_t *bad)
{
    *bad = UINT32_MAX;
    arena_rewind(&engine->batch_arena);
    for (uint32_t i = 0; i < *count; i++) {
        if (i > 0 && engine->batch_arena.used > BATCH_ARENA_FULL) {
            *count = i;
            break;
        }
        if (engine->options.breathe != NULL)
            engine->options.breathe(engine->options.breathe_context);
        items[i].held = HELD_NOT;
        engine->quarantine = quarantined[i];
        engine->refused_command = items[i].refused_command;
        items[i].reply = engine_answer(engine, &items[i], &engine->batch_arena);
        engine->quarantine = false;
        if (engine->poisoned == ERR_OK) continue;
        if (engine->poisoned == ERR_CONFLICT) {
            *bad = i;
            items[i].refused_command = engine->refused_command;
        }
        break;
    }
    return finish(engine);
}

static uint32_t run_until_done(struct engine *engine, struct engine_item *items, bool *quarantined,
                               uint32_t count)
{
    for (bool at_once = false;; at_once = true) {
        uint32_t bad, done = count;
        store_put_at_once(engine->store, at_once);
        enum err err = run(engine, items, quarantined, &done, &bad);
        store_put_at_once(engine->store, false);
        if (err == ERR_OK) return done;
        if (err == ERR_CONFLICT && bad == UINT32_MAX && !at_once) continue; /* whose row is it? */
        if (bad != UINT32_MAX && !quarantined[bad]) { /* F2: once more, without its effect */
            char name[64];
            keep_quarantined(engine, &items[bad], name, sizeof name);
            quarantined[bad] = true;
            continue;
        }
        log_error("a commit failed (%s): %u requests are to be sent again", err_name(err), count);
        arena_rewind(&engine->batch_arena); /* no reply of this batch leaves */
        for (uint32_t i = 0; i < count; i++) {
            items[i].held = HELD_NOT;
            items[i].reply = engine_retry_answer(engine, &items[i]);
        }
        return count;
    }
}

/* Domain time of this batch: never before the last fact's, nor before where it was moved by hand.
 */
static void set_now(struct engine *engine, int64_t now_us)
{
    if (now_us < core_time_us(engine->core)) now_us = core_time_us(engine->core);
    engine->now_us = now_us > engine->hand_us ? now_us : engine->hand_us;
}

uint32_t engine_batch(struct engine *engine, struct engine_item *items, uint32_t count,
                      int64_t now_us)
{
    CHECK(count <= LIMIT_FACTS_PER_COMMIT);
    set_now(engine, now_us);
    bool quarantined[LIMIT_FACTS_PER_COMMIT] = {false};
    uint64_t marks[LIMIT_FACTS_PER_COMMIT];
    for (uint32_t i = 0; i < count; i++) {
        marks[i] = suspect_mark(items[i].bytes, items[i].size);
        if (engine->suspects == NULL || !suspects_poison(engine->suspects, marks[i])) continue;
        char name[64];
        keep_quarantined(engine, &items[i], name, sizeof name);
        quarantined[i] = true;
    }
    if (engine->suspects != NULL) suspects_begin(engine->suspects, marks, count);
    try_disk(engine);
    uint32_t done = run_until_done(engine, items, quarantined, count);
    if (engine->suspects != NULL) suspects_end(engine->suspects);
    if (engine->since_snapshot >= engine->options.snapshot_every &&
        engine_put_snapshot(engine, false) != ERR_OK)
        log_warn("no snapshot was written; it is tried again after the next batch");
    return done;
}

bool engine_is_suspect(const struct engine *engine, const struct engine_item *item)
{
    return engine->suspects != NULL && suspects_any(engine->suspects) &&
           suspects_alone(engine->suspects, suspect_mark(item->bytes, item->size));
}

/* --- time --- */

int64_t engine_mono_us(const struct engine *engine)
{
    const struct engine_options *options = &engine->options;
    return options->mono_us == NULL ? clock_mono_us() : options->mono_us(options->clock_context);
}

int64_t engine_wall_us(const struct engine *engine)
{
    const struct engine_options *options = &engine->options;
    return options->wall_us == NULL ? clock_wall_us() : options->wall_us(options->clock_context);
}

static bool apply_tick(struct engine *engine, const char *territory_id, int64_t service_day)
{
    Callout__FactBody body;
    callout__fact_body__init(&body);
    Callout__ClockTick tick;
    callout__clock_tick__init(&tick);
    struct problem problem;
    int64_t seq;
    tick.territory_id = arena_text(&engine->batch_arena, territory_id);
    tick.service_day = service_day;
    body.body_case = CALLOUT__FACT_BODY__BODY_TICK;
    body.tick = &tick;
    return engine_apply(engine, &body, &seq, NULL, &problem) == ERR_OK;
}

bool engine_tick_in_batch(struct engine *engine)
{
    bool did = false;
    struct core_territory territory;
    for (uint32_t i = 0; core_territory(engine->core, i, &territory); i++) {
        int64_t day = zone_service_day(territory.time_zone, engine->now_us);
        if (day <= territory.today) continue;
        did |= apply_tick(engine, territory.territory_id, day);
        engine->since_snapshot = engine->options.snapshot_every; /* a day ends with a snapshot */
    }
    if (core_next_wake_us(engine->core) <= engine->now_us) did |= apply_tick(engine, "", 0);
    return did;
}

bool engine_tick(struct engine *engine, int64_t now_us)
{
    set_now(engine, now_us);
    arena_rewind(&engine->batch_arena);
    try_disk(engine);
    bool did = engine_tick_in_batch(engine);
    enum err err = finish(engine);
    if (err != ERR_OK) log_error("what is due cannot be stored (%s)", err_name(err));
    return err == ERR_OK && did;
}

int64_t engine_next_wake_us(struct engine *engine, int64_t now_us)
{
    int64_t wake_us = core_next_wake_us(engine->core);
    struct core_territory territory;
    for (uint32_t i = 0; core_territory(engine->core, i, &territory); i++) {
        int64_t day = zone_service_day(territory.time_zone, now_us);
        int64_t due =
            day > territory.today ? now_us : zone_next_day_us(territory.time_zone, now_us);
        if (due < wake_us) wake_us = due;
    }
    return wake_us;
}

enum err engine_answer_held(struct engine *engine, const uint8_t *request, size_t size,
                            bool expired, int64_t now_us, ProtobufCBinaryData *reply)
{
    struct engine_item item = {.bytes = request, .size = size};
    set_now(engine, now_us);
    arena_rewind(&engine->reply_arena);
    item.hold_ms =
        expired ? UINT32_MAX : 0; /* the handlers answer an expired hold with what there is */
    *reply = engine_answer(engine, &item, &engine->reply_arena);
    return item.held == HELD_NOT ? ERR_OK : ERR_BUSY;
}

struct store_progress engine_progress(const struct engine *engine)
{
    return store_progress(engine->store);
}

const struct core *engine_core(const struct engine *engine)
{
    return engine->core;
}
