#include "dispatcher/audit.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "dispatcher/engine_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HASH = 32, DETAIL_MAX = 64 };

/* Where the log ends: ROW_META "audit_tip". */
struct tip {
    int64_t number, wall_us;
    uint8_t hash[HASH];
};

static const char tip_name[] = "audit_tip";

static const char *event_name(enum audit_event event)
{
#define AUDIT_NAME(name, text) [name] = text,
    static const char *const names[] = {AUDIT_EVENTS(AUDIT_NAME)};
#undef AUDIT_NAME
    return names[event];
}

/* --- the chain --- */

static void hash_number(crypto_generichash_state *state, int64_t number)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
    crypto_generichash_update(state, bytes, sizeof bytes);
}

/* With the zero at its end, so that no text can flow into the next. */
static void hash_text(crypto_generichash_state *state, const char *text)
{
    crypto_generichash_update(state, (const uint8_t *)text, strlen(text) + 1);
}

static void link_of(const uint8_t before[HASH], const struct row_audit *row, uint8_t out[HASH])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, HASH);
    crypto_generichash_update(&state, before, HASH);
    hash_number(&state, row->number);
    hash_number(&state, row->wall_us);
    hash_text(&state, row->event);
    hash_text(&state, row->actor);
    hash_text(&state, row->peer);
    hash_text(&state, row->subject);
    hash_text(&state, row->detail);
    crypto_generichash_final(&state, out, HASH);
}

static enum err load_tip(struct store *store, struct tip *tip)
{
    union row row;
    *tip = (struct tip){.number = 0};
    enum err err = store_get(store, ROW_META, &(struct row_meta){.name = tip_name}, &row);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err == ERR_OK && row.meta.value.size != sizeof *tip) return ERR_IO;
    if (err == ERR_OK) memcpy(tip, row.meta.value.bytes, sizeof *tip);
    return err;
}

/* --- the heads --- */

/* Not being able to write it stops nobody: the next day's line covers this one's entries, too. */
static void export_head(const struct engine *engine, const struct tip *tip)
{
    char path[4200], hash[2 * HASH + 1], date[16];
    time_t seconds = (time_t)(tip->wall_us / US_PER_SECOND);
    struct tm utc;
    if (engine->options.folder == NULL) return;
    snprintf(path, sizeof path, "%s/" AUDIT_HEADS_FILE, engine->options.folder);
    sodium_bin2hex(hash, sizeof hash, tip->hash, HASH);
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%d", &utc);
    FILE *file = fopen(path, "a");
    bool written =
        file != NULL && fprintf(file, "%s %" PRId64 " %s\n", date, tip->number, hash) > 0;
    if (file != NULL && fclose(file) != 0) written = false;
    if (!written)
        log_warn("the audit log's head cannot be written to %s: %s", path, strerror(errno));
    log_info("head of the audit log on %s: entry %" PRId64 ", %s", date, tip->number, hash);
}

/* --- writing --- */

static enum err append(struct call *call, enum audit_event event, const char *subject,
                       const char *detail)
{
    struct engine *engine = call->engine;
    struct tip tip;
    enum err err = load_tip(engine->store, &tip);
    if (err != ERR_OK) return err;
    int64_t wall_us = engine_wall_us(engine);
    if (tip.number > 0 && wall_us / US_PER_DAY > tip.wall_us / US_PER_DAY)
        export_head(engine, &tip);
    struct row_audit row = {.number = tip.number + 1,
                            .wall_us = wall_us,
                            .event = event_name(event),
                            .actor = call->who->id,
                            .peer = call->peer == NULL ? "" : call->peer,
                            .subject = subject,
                            .detail = detail};
    uint8_t hash[HASH];
    link_of(tip.hash, &row, hash);
    row.chain = (struct blob){hash, HASH};
    tip.number = row.number;
    tip.wall_us = wall_us;
    memcpy(tip.hash, hash, HASH);
    err = engine_put(engine, ROW_AUDIT, &row);
    return err == ERR_OK
               ? engine_put(engine, ROW_META, &(struct row_meta){tip_name, {&tip, sizeof tip}})
               : err;
}

enum err audit(struct call *call, enum audit_event event, const char *subject)
{
    return append(call, event, subject, "");
}

/* A place that two readings share is the later one's: at worst an entry is there twice. */
enum err audit_read(struct call *call, const char *subject)
{
    struct engine *engine = call->engine;
    struct digest digest = digest_start();
    digest_bytes(&digest, call->who->id, strlen(call->who->id) + 1);
    digest_bytes(&digest, subject, strlen(subject));
    struct audit_reading *last = &engine->readings[digest.state % READINGS_MAX];
    int64_t now_us = engine_mono_us(engine);
    if (last->key == digest.state && now_us < last->until_mono_us) return ERR_OK;
    enum err err = audit(call, AUDIT_READ, subject);
    if (err == ERR_OK) *last = (struct audit_reading){digest.state, now_us + AUDIT_READ_EVERY_US};
    return err;
}

void audit_failure(struct call *call, enum audit_event event, const char *subject)
{
    struct engine *engine = call->engine;
    char detail[DETAIL_MAX] = "";
    int64_t minute = engine_mono_us(engine) / US_PER_MINUTE;
    if (minute != engine->audit_minute) {
        engine->audit_minute = minute;
        engine->audit_failures = 0;
    }
    if (engine->audit_failures >= AUDIT_FAILURES_PER_MINUTE) {
        engine->audit_unsaid++;
        return;
    }
    engine->audit_failures++;
    if (engine->audit_unsaid > 0)
        snprintf(detail, sizeof detail, "%u more since the entry before", engine->audit_unsaid);
    if (append(call, event, subject, detail) == ERR_OK) engine->audit_unsaid = 0;
}

/* --- reading --- */

enum { PAGE = 200 };

struct page {
    struct call *call;
    Callout__AuditLogReply *answer;
    uint32_t room;
};

static bool add_entry(void *context, const void *visited)
{
    struct page *page = context;
    struct arena *arena = page->call->arena;
    const struct row_audit *row = visited;
    if (page->answer->n_entries == page->room) return false;
    Callout__AuditEntry *entry = arena_need(arena, sizeof *entry);
    callout__audit_entry__init(entry);
    entry->number = (uint64_t)row->number;
    entry->wall_us = row->wall_us;
    entry->event = arena_text(arena, row->event);
    entry->actor = arena_text(arena, row->actor);
    entry->peer = arena_text(arena, row->peer);
    entry->subject = arena_text(arena, row->subject);
    entry->detail = arena_text(arena, row->detail);
    entry->chain.data = arena_need(arena, row->chain.size + 1);
    entry->chain.len = row->chain.size;
    memcpy(entry->chain.data, row->chain.bytes, row->chain.size);
    page->answer->entries[page->answer->n_entries++] = entry;
    return true;
}

static enum err read_page(struct call *call, uint64_t after, uint32_t room,
                          Callout__AuditLogReply *answer)
{
    struct page page = {call, answer, room};
    struct row_audit key = {.number = after > INT64_MAX ? INT64_MAX : (int64_t)after};
    callout__audit_log_reply__init(answer);
    answer->entries = arena_need(call->arena, room * sizeof *answer->entries);
    return store_each(call->engine->store, ROW_AUDIT, &key, 0, true, add_entry, &page);
}

enum err handle_audit_log(struct call *call)
{
    const Callout__AuditLogRequest *request = (const Callout__AuditLogRequest *)call->message;
    Callout__AuditLogReply *answer = arena_need(call->arena, sizeof *answer);
    uint32_t room = request->count == 0 || request->count > PAGE ? PAGE : request->count;
    enum err err = read_page(call, request->after_number, room, answer);
    call->answer = &answer->base;
    return err;
}

static char *entry_line(struct arena *arena, const Callout__AuditEntry *entry)
{
    char time[32], line[512];
    time_t seconds = (time_t)(entry->wall_us / US_PER_SECOND);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &utc);
    snprintf(line, sizeof line, "%" PRIu64 " %s %s%s%s%s%s%s%s%s%s", entry->number, time,
             entry->event, entry->subject[0] != '\0' ? ": " : "", entry->subject,
             entry->actor[0] != '\0' ? ", by " : "", entry->actor,
             entry->peer[0] != '\0' ? " from " : "", entry->peer,
             entry->detail[0] != '\0' ? "; " : "", entry->detail);
    return arena_text(arena, line);
}

enum err admin_audit(struct call *call, const Callout__AdminRequest *request,
                     Callout__AdminReply *answer)
{
    Callout__AuditLogReply page;
    uint64_t after = request->n_arguments > 0 ? strtoull(request->arguments[0], NULL, 10) : 0;
    enum err err = read_page(call, after, ADMIN_LINES_MAX, &page);
    answer->values = arena_need(call->arena, ADMIN_LINES_MAX * sizeof *answer->values);
    for (size_t i = 0; i < page.n_entries && err == ERR_OK; i++)
        answer->values[answer->n_values++] = entry_line(call->arena, page.entries[i]);
    return err;
}

/* --- verifying --- */

struct walk {
    struct store *store;
    FILE *heads; /* NULL: none */
    struct tip at;
    int64_t head_number; /* of the next head to be compared; 0: no more */
    char head_hash[2 * HASH + 1];
    int64_t bad;
};

static void next_head(struct walk *walk)
{
    char line[128], date[16];
    walk->head_number = 0;
    if (walk->heads == NULL || fgets(line, sizeof line, walk->heads) == NULL) return;
    if (sscanf(line, "%15s %" SCNd64 " %64s", date, &walk->head_number, walk->head_hash) != 3)
        walk->bad = walk->at.number + 1;
}

static bool head_fits(struct walk *walk, const uint8_t hash[HASH])
{
    char text[2 * HASH + 1];
    sodium_bin2hex(text, sizeof text, hash, HASH);
    while (walk->head_number == walk->at.number && walk->bad == 0) {
        if (strcmp(text, walk->head_hash) != 0) return false;
        next_head(walk);
    }
    return true;
}

static bool check_entry(void *context, const void *visited)
{
    struct walk *walk = context;
    const struct row_audit *row = visited;
    uint8_t hash[HASH];
    link_of(walk->at.hash, row, hash);
    if (row->number != walk->at.number + 1 || row->chain.size != HASH ||
        memcmp(row->chain.bytes, hash, HASH) != 0) {
        walk->bad = walk->at.number + 1;
        return false;
    }
    walk->at.number = row->number;
    memcpy(walk->at.hash, hash, HASH);
    if (!head_fits(walk, hash)) walk->bad = row->number;
    return walk->bad == 0;
}

enum err audit_verify(struct store *store, const char *folder, int64_t *bad, int64_t *count)
{
    char path[4200];
    struct walk walk = {.store = store};
    struct tip tip;
    snprintf(path, sizeof path, "%s/" AUDIT_HEADS_FILE, folder == NULL ? "" : folder);
    if (folder != NULL) walk.heads = fopen(path, "r");
    next_head(&walk);
    enum err err = load_tip(store, &tip);
    if (err == ERR_OK) err = store_each(store, ROW_AUDIT, NULL, 0, false, check_entry, &walk);
    bool cut_off = walk.at.number != tip.number || memcmp(walk.at.hash, tip.hash, HASH) != 0 ||
                   walk.head_number > walk.at.number;
    if (err == ERR_OK && walk.bad == 0 && cut_off) walk.bad = walk.at.number + 1;
    if (walk.heads != NULL) fclose(walk.heads);
    *bad = walk.bad;
    *count = walk.at.number;
    return err;
}
