#include "dispatcher/engine.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "dispatcher/authz.h"
#include "dispatcher/engine_impl.h"
#include "message.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CORE_ARENA_CAP  ((size_t)1 << 30)
#define BATCH_ARENA_CAP ((size_t)256 << 20)

/* --- loading --- */

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

static bool replay_row(void *context, const void *visited)
{
    struct engine *engine = context;
    const struct row_fact *row = visited;
    struct arena arena;
    struct problem problem;
    struct fact fact;
    struct acts acts;
    arena_open(&arena, (size_t)64 << 20);
    Callout__FactBody *body =
        callout__fact_body__unpack(NULL, row->body.size, (const uint8_t *)row->body.bytes);
    enum err err = body == NULL
                       ? ERR_INVALID
                       : fact_from_body(body, row->seq, row->time_us, &arena, &fact, &problem);
    acts_init(&acts, &arena);
    if (err == ERR_OK) err = core_step(engine->core, &fact, &acts, &problem);
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
static enum err rebuild(struct engine *engine)
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

/* The tables must be what the snapshot says, when no fact came after it. With facts after it,
 * `callout verify` is the check. */
static enum err check_tables(struct engine *engine)
{
    uint64_t rows_digest;
    if (engine->since_snapshot > 0 || core_seq(engine->core) == 0) return ERR_OK;
    enum err err = store_digest(engine->store, &rows_digest);
    if (err != ERR_OK || rows_digest == engine->snapshot_rows_digest) return err;
    log_error(
        "the tables are not what the fact log led to: run callout verify, then restore a backup");
    return ERR_INTERNAL;
}

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

static enum err load_meta(struct engine *engine)
{
    bool made = false;
    struct row_meta epoch = {"log_epoch", {&engine->log_epoch, sizeof engine->log_epoch}};
    struct row_meta secret = {"secret", {engine->secret, SECRET_SIZE}};
    enum err err =
        load_value(engine, "log_epoch", &engine->log_epoch, sizeof engine->log_epoch, &made);
    if (err == ERR_OK) err = load_value(engine, "secret", engine->secret, SECRET_SIZE, &made);
    if (err != ERR_OK || !made) return err;
    err = engine_put(engine, ROW_META, &epoch);
    if (err == ERR_OK) err = engine_put(engine, ROW_META, &secret);
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
    return end_own(
        engine, engine_put(engine, ROW_API_KEY, &(struct row_api_key){"local", hash, "admin", 0}));
}

enum err engine_open(struct engine **out, struct store *store, const struct engine_options *options,
                     struct problem *problem)
{
    struct engine *engine = calloc(1, sizeof *engine);
    CHECK(engine != NULL);
    CHECK(sodium_init() >= 0);
    engine->store = store;
    engine->options = *options;
    arena_open(&engine->batch_arena, BATCH_ARENA_CAP);
    arena_open(&engine->reply_arena, BATCH_ARENA_CAP);
    if (options->folder != NULL) engine->suspects = suspects_open(options->folder);
    enum err err = rebuild(engine);
    if (err == ERR_OK) err = check_tables(engine);
    if (err == ERR_OK) err = load_meta(engine);
    if (err == ERR_OK) err = ensure_local_key(engine);
    if (err != ERR_OK) {
        engine->core = NULL;
        engine_close(engine);
        return problem_set(problem, err, "--data",
                           "the state cannot be rebuilt from the fact log: %s", err_name(err));
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
    return err;
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
    enum err err = engine_begin(engine);
    if (err == ERR_OK) err = store_put(engine->store, kind, row);
    return wrote(engine, err);
}

enum err engine_erase(struct engine *engine, enum row_kind kind, const void *key,
                      uint32_t key_columns)
{
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
    if (recent->technician_count == 8) {
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

enum err engine_apply(struct engine *engine, const Callout__FactBody *body, int64_t *seq,
                      struct acts *acts, struct problem *problem)
{
    struct acts own;
    struct fact fact;
    int64_t time_us = engine->now_us;
    if (time_us < core_time_us(engine->core)) time_us = core_time_us(engine->core);
    int64_t next = core_seq(engine->core) + 1;
    if (acts == NULL) acts = &own;
    acts_init(acts, &engine->batch_arena);
    enum err err = fact_from_body(body, next, time_us, &engine->batch_arena, &fact, problem);
    if (err == ERR_OK) err = core_step(engine->core, &fact, acts, problem);
    if (err != ERR_OK) return err;
    ProtobufCBinaryData bytes = message_encode(&body->base, &engine->batch_arena);
    struct recent *recent = recent_slot(engine, next);
    *recent = (struct recent){.seq = next, .cause_seq = body_cause(body)};
    err = engine_begin(engine);
    if (err == ERR_OK)
        err = wrote(engine, store_append_fact(engine->store, next, time_us, fact.kind, bytes.data,
                                              bytes.len));
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

/* --- what need not be kept for ever --- */

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
    old->before_wall_us = clock_wall_us();
    old->arena = &arena;
    enum err err = store_each(engine->store, kind, NULL, 0, false, note_old, old);
    for (uint32_t i = 0; i + keep < old->count && err == ERR_OK; i++)
        err = store_erase(engine->store, kind, &old->keys[i], row_key_count(row_table(kind)));
    arena_close(&arena);
    free(old);
    return err;
}

static enum err put_snapshot(struct engine *engine)
{
    uint64_t rows_digest;
    struct arena arena;
    enum err err = store_digest(engine->store, &rows_digest);
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
    if (err == ERR_OK)
        err = store_commit(engine->store);
    else if (engine->began)
        store_rollback(engine->store);
    engine->began = engine->wrote = false;
    arena_close(&arena);
    if (err == ERR_OK) engine->since_snapshot = 0;
    return err;
}

/* Ends the batch's transaction. Not ERR_OK: nothing of the batch was stored, and the core is as
 * before. */
static enum err finish(struct engine *engine)
{
    enum err err = engine->poisoned;
    int64_t first = core_seq(engine->core);
    if (engine->began) {
        if (err == ERR_OK)
            err = store_commit(engine->store);
        else
            store_rollback(engine->store);
    }
    bool touched = engine->wrote;
    engine->began = engine->wrote = false;
    engine->poisoned = ERR_OK;
    if (err != ERR_OK && touched) {
        enum err again = rebuild(engine);
        if (again != ERR_OK) log_error("the state cannot be rebuilt: %s", err_name(again));
        CHECK(again == ERR_OK);
        return err;
    }
    int64_t mono_us = clock_mono_us();
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
    if (engine->core != NULL && engine->since_snapshot > 0 && put_snapshot(engine) != ERR_OK)
        log_warn("no snapshot was written: the next start replays the log");
    if (engine->suspects != NULL) suspects_close(engine->suspects);
    arena_close(&engine->core_arena);
    arena_close(&engine->batch_arena);
    arena_close(&engine->reply_arena);
    free(engine);
}

/* --- requests --- */

static const struct operation {
    const char *method;
    handler *handle;
} operations[] = {
    {"Enroll", handle_enroll},
    {"Hello", handle_hello},
    {"Push", handle_push},
    {"Pull", handle_pull},
    {"Snapshot", handle_snapshot},
    {"Ping", handle_ping},
    {"UpsertTerritory", handle_mutation},
    {"UpsertTechnician", handle_mutation},
    {"UpsertWorkOrder", handle_mutation},
    {"CancelWorkOrder", handle_mutation},
    {"ReportAbsence", handle_mutation},
    {"Assign", handle_mutation},
    {"Unassign", handle_mutation},
    {"SetPin", handle_mutation},
    {"SetFreezeHorizon", handle_mutation},
    {"AdvanceClock", handle_advance_clock},
    {"Board", handle_board},
    {"EventFeed", handle_event_feed},
    {"ResolveSession", handle_resolve_session},
    {"Follow", handle_follow},
    {"NextProblem", handle_next_problem},
    {"ProposePlan", handle_propose_plan},
    {"Admin", handle_admin},
};

static handler *operation_find(const char *method)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(operations[i].method, method) == 0) return operations[i].handle;
    }
    return NULL;
}

/* Decodes the body and runs the operation. */
static enum err dispatch(struct call *call)
{
    struct method found;
    handler *handle = operation_find(call->method);
    if (handle == NULL || !method_find(call->method, &found))
        return problem_set(&call->problem, ERR_INVALID, "method", "there is no operation \"%.64s\"",
                           call->method);
    enum err err = authorize(call->who, call->method);
    if (err != ERR_OK)
        return problem_set(&call->problem, err, "session_token", "%s", authorize_text(err));
    ProtobufCMessage *message;
    err = message_decode(found.method->input, call->body.data, call->body.len, call->arena,
                         &message, &call->problem);
    if (err != ERR_OK) return err;
    call->message = message;
    return handle(call);
}

static Callout__Reply reply_of(struct call *call, enum err err)
{
    const struct engine *engine = call->engine;
    Callout__Reply reply;
    callout__reply__init(&reply);
    reply.request_id = arena_text(call->arena, call->request_id);
    reply.status = (Callout__Status)err;
    reply.log_epoch = engine->log_epoch;
    reply.log_seq = (uint64_t)core_seq(engine->core);
    reply.server_time_us = engine->now_us;
    reply.clock_rate = engine->options.clock_rate;
    reply.retry_after_ms = call->retry_after_ms;
    if (err == ERR_RETRY && reply.retry_after_ms == 0) reply.retry_after_ms = 100;
    if (err != ERR_OK && err != ERR_CONFLICT && call->text[0] == '\0')
        snprintf(call->text, sizeof call->text, "%s", err_name(err));
    if (err != ERR_OK && call->problem.text[0] != '\0') {
        Callout__FieldError *error = arena_need(call->arena, sizeof *error);
        callout__field_error__init(error);
        error->field = arena_text(call->arena, call->problem.field);
        error->problem = arena_text(call->arena, call->problem.text);
        reply.errors = arena_need(call->arena, sizeof *reply.errors);
        reply.errors[0] = error;
        reply.n_errors = 1;
        snprintf(call->text, sizeof call->text, "%s", call->problem.text);
    }
    reply.text = arena_text(call->arena, call->text); /* the call ends before its reply is packed */
    if (call->answer != NULL && err == ERR_OK)
        reply.body = message_encode(call->answer, call->arena);
    return reply;
}

/* Inner.Forward: a request from outside, with who is asking. */
static enum err forward(struct call *outer, Callout__ForwardReply *out, Callout__Reply *reply)
{
    const Callout__ForwardRequest *request = (const Callout__ForwardRequest *)outer->message;
    struct call call = {.engine = outer->engine,
                        .arena = outer->arena,
                        .who = request->principal,
                        .method = request->method,
                        .request_id = request->request_id,
                        .body = request->body};
    enum err err = ERR_UNAUTH;
    if (call.who == NULL)
        problem_set(&call.problem, err, "principal", "is missing");
    else
        err = dispatch(&call);
    *reply = reply_of(&call, err);
    callout__forward_reply__init(out);
    out->reply = reply;
    out->ended_sessions = call.ended_sessions;
    out->n_ended_sessions = call.ended_session_count;
    return ERR_OK;
}

static const Callout__Principal *inner_principal(void)
{
    static Callout__Principal inner;
    static bool made;
    if (!made) callout__principal__init(&inner);
    made = true;
    inner.role = (char *)(uintptr_t) "inner";
    inner.id = (char *)(uintptr_t) "inner";
    return &inner;
}

static ProtobufCBinaryData answer(struct engine *engine, struct engine_item *item,
                                  struct arena *arena)
{
    struct call call = {.engine = engine,
                        .arena = arena,
                        .item = item,
                        .who = inner_principal(),
                        .method = "",
                        .request_id = ""};
    Callout__ForwardReply forwarded;
    Callout__Reply inner, reply;
    ProtobufCMessage *message = NULL;
    enum err err = item->oversize ? ERR_TOO_LARGE : ERR_OK;
    if (err == ERR_OK)
        err = message_decode(&callout__request__descriptor, item->bytes, item->size, arena,
                             &message, &call.problem);
    if (err == ERR_OK) {
        const Callout__Request *request = (const Callout__Request *)message;
        call.method = request->method;
        call.request_id = request->request_id;
        call.body = request->body;
        if (strcmp(call.method, "Forward") == 0) {
            err = message_decode(&callout__forward_request__descriptor, call.body.data,
                                 call.body.len, arena, &message, &call.problem);
            call.message = message;
            if (err == ERR_OK) err = forward(&call, &forwarded, &inner);
            if (err == ERR_OK) call.answer = &forwarded.base;
        } else {
            err = dispatch(&call);
        }
    }
    if (item->held != HELD_NOT) return (ProtobufCBinaryData){0, NULL};
    reply = reply_of(&call, err);
    return message_encode(&reply.base, arena);
}

static ProtobufCBinaryData retry_answer(struct engine *engine, struct engine_item *item)
{
    struct call call = {
        .engine = engine, .arena = &engine->batch_arena, .method = "", .request_id = ""};
    snprintf(call.text, sizeof call.text, "nothing was stored: send it again");
    Callout__Reply reply = reply_of(&call, ERR_RETRY);
    ProtobufCMessage *message;
    Callout__ForwardReply forwarded;
    callout__forward_reply__init(&forwarded);
    Callout__Reply outer = reply;
    if (message_decode(&callout__request__descriptor, item->bytes, item->size, &engine->batch_arena,
                       &message, NULL) == ERR_OK &&
        strcmp(((const Callout__Request *)message)->method, "Forward") == 0) {
        forwarded.reply = &reply;
        outer.status = CALLOUT__STATUS__OK;
        outer.body = message_encode(&forwarded.base, &engine->batch_arena);
    }
    return message_encode(&outer.base, &engine->batch_arena);
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
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(item->bytes, 1, item->size, file) != item->size)
        log_error("cannot keep a quarantined request in %s: %s", path, strerror(errno));
    if (file != NULL) fclose(file);
    log_error("ALARM: a request was quarantined: %s", path);
}

/* Runs [first, first + count); `bad` is set to the item whose rows the store refused, if one did.
 */
static enum err run(struct engine *engine, struct engine_item *items, const bool *quarantined,
                    uint32_t count, uint32_t *bad)
{
    *bad = UINT32_MAX;
    arena_rewind(&engine->batch_arena);
    for (uint32_t i = 0; i < count; i++) {
        items[i].held = HELD_NOT;
        engine->quarantine = quarantined[i];
        items[i].reply = answer(engine, &items[i], &engine->batch_arena);
        engine->quarantine = false;
        if (engine->poisoned == ERR_OK) continue;
        if (engine->poisoned == ERR_CONFLICT) *bad = i;
        break;
    }
    return finish(engine);
}

static void run_until_done(struct engine *engine, struct engine_item *items, bool *quarantined,
                           uint32_t count)
{
    for (;;) {
        uint32_t bad;
        enum err err = run(engine, items, quarantined, count, &bad);
        if (err == ERR_OK) return;
        if (bad != UINT32_MAX && !quarantined[bad]) { /* F2: once more, without its effect */
            char name[64];
            keep_quarantined(engine, &items[bad], name, sizeof name);
            quarantined[bad] = true;
            continue;
        }
        log_error("a commit failed (%s): %u requests are to be sent again", err_name(err), count);
        for (uint32_t i = 0; i < count; i++) {
            items[i].held = HELD_NOT;
            items[i].reply = retry_answer(engine, &items[i]);
        }
        return;
    }
}

/* Domain time of this batch: never before the last fact's, nor before where it was moved by hand.
 */
static void set_now(struct engine *engine, int64_t now_us)
{
    if (now_us < core_time_us(engine->core)) now_us = core_time_us(engine->core);
    engine->now_us = now_us > engine->hand_us ? now_us : engine->hand_us;
}

void engine_batch(struct engine *engine, struct engine_item *items, uint32_t count, int64_t now_us)
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
    run_until_done(engine, items, quarantined, count);
    if (engine->suspects != NULL) suspects_end(engine->suspects);
    if (engine->since_snapshot >= SNAPSHOT_EVERY && put_snapshot(engine) != ERR_OK)
        log_warn("no snapshot was written; it is tried again after the next batch");
}

bool engine_is_suspect(const struct engine *engine, const struct engine_item *item)
{
    return engine->suspects != NULL &&
           suspects_alone(engine->suspects, suspect_mark(item->bytes, item->size));
}

/* --- time --- */

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
        engine->since_snapshot = SNAPSHOT_EVERY; /* a day ends with a snapshot */
    }
    if (core_next_wake_us(engine->core) <= engine->now_us) did |= apply_tick(engine, "", 0);
    return did;
}

bool engine_tick(struct engine *engine, int64_t now_us)
{
    set_now(engine, now_us);
    arena_rewind(&engine->batch_arena);
    bool did = engine_tick_in_batch(engine);
    return finish(engine) == ERR_OK && did;
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
    *reply = answer(engine, &item, &engine->reply_arena);
    return item.held == HELD_NOT ? ERR_OK : ERR_BUSY;
}

const struct core *engine_core(const struct engine *engine)
{
    return engine->core;
}

struct store *engine_store(struct engine *engine)
{
    return engine->store;
}
