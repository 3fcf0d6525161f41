/* follow.c - "what is new after my cursor?": devices (Pull, Snapshot) and the gateway (Follow).
 *
 * A cursor is opaque to its holder: epoch of the log, seq, version of what is his own, the moment
 * up to which its holder was told what time brings and takes (scope.h), and a keyed hash over these
 * and the device, so that a forged, foreign or future one, and one from before the changes that are
 * kept, is answered RESET. A delta is the state now of whatever changed after the cursor, and of
 * what came into scope or went since that moment: what is not the technician's to see any more is
 * named as having left his scope.
 */
#include "base/clock.h"
#include "base/digest.h"
#include "dispatcher/field_news.h"
#include "dispatcher/page_token.h"
#include "dispatcher/scope.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CURSOR_HEAD = 32,
    CURSOR_MAC = 16,
    CURSOR_SIZE = CURSOR_HEAD + CURSOR_MAC,
    PULL_PAGE = 100,
    PULL_MAX = 256,
    SNAPSHOT_PAGE = 100,
    PAGE_BYTES = LIMIT_REPLY / 2, /* then a page ends; one visit more is far less than the rest */
    CAUSES_MAX = 256
};
/* What time brings and takes is looked for so often: each look goes through days of visits. */
#define SCOPE_STEP_US (10 * US_PER_MINUTE)

struct cursor {
    uint64_t epoch;
    int64_t seq;
    uint64_t own;     /* own_version */
    int64_t scope_us; /* domain time */
};

static void cursor_mac(const struct engine *engine, const char *device_id, const uint8_t *head,
                       uint8_t mac[CURSOR_MAC])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, engine->secret, SECRET_SIZE, CURSOR_MAC);
    crypto_generichash_update(&state, head, CURSOR_HEAD);
    crypto_generichash_update(&state, (const uint8_t *)device_id, strlen(device_id));
    crypto_generichash_final(&state, mac, CURSOR_MAC);
}

static ProtobufCBinaryData cursor_make(struct call *call, int64_t seq, int64_t scope_us)
{
    const struct engine *engine = call->engine;
    struct cursor cursor = {engine->log_epoch, seq, own_version(call), scope_us};
    uint8_t *bytes = arena_need(call->arena, CURSOR_SIZE);
    memcpy(bytes, &cursor, CURSOR_HEAD);
    cursor_mac(engine, call->who->id, bytes, bytes + CURSOR_HEAD);
    return (ProtobufCBinaryData){CURSOR_SIZE, bytes};
}

static enum err cursor_read(struct call *call, ProtobufCBinaryData bytes, struct cursor *cursor)
{
    uint8_t mac[CURSOR_MAC];
    static_assert(sizeof *cursor == CURSOR_HEAD, "a cursor's head is the struct as it lies");
    if (bytes.len == CURSOR_SIZE) {
        cursor_mac(call->engine, call->who->id, bytes.data, mac);
        memcpy(cursor, bytes.data, CURSOR_HEAD);
        if (sodium_memcmp(mac, bytes.data + CURSOR_HEAD, CURSOR_MAC) == 0 &&
            cursor->epoch == call->engine->log_epoch &&
            cursor->seq >= call->engine->compacted_seq &&
            cursor->seq <= core_seq(call->engine->core))
            return ERR_OK;
    }
    return problem_set(&call->problem, ERR_RESET, "cursor", "cannot be continued: take a Snapshot");
}

static Callout__Sampling *new_sampling(struct call *call)
{
    struct core_sampling now = core_sampling(call->engine->core, call->who->technician_id);
    Callout__Sampling *sampling = arena_need(call->arena, sizeof *sampling);
    callout__sampling__init(sampling);
    sampling->moving_seconds = now.moving_s;
    sampling->resting_seconds = now.resting_s;
    return sampling;
}

struct news {
    struct arena *arena;
    const struct core *core;
    const char *technician_id;
    const char *ids[PULL_MAX];
    int64_t id_seqs[PULL_MAX]; /* of its last change; 0: time alone brought it */
    uint32_t count;
    bool full;                         /* more than a delta can say */
    int64_t told_us, scope_us, now_us; /* up to which moment he was told, is now, and now */
    int64_t seqs[CAUSES_MAX];
    uint32_t seq_count;
    int64_t last_seq; /* everything up to here was seen */
    bool more;
};

static void note_news(struct news *news, const char *id, int64_t seq)
{
    for (uint32_t i = 0; i < news->count; i++) {
        if (strcmp(news->ids[i], id) != 0) continue;
        if (seq != 0) news->id_seqs[i] = seq;
        return;
    }
    news->full = news->full || news->count == PULL_MAX;
    if (news->full) return;
    news->id_seqs[news->count] = seq;
    news->ids[news->count++] = arena_text(news->arena, id);
}

static bool note_change(void *context, const void *visited)
{
    struct news *news = context;
    const struct row_change *row = visited;
    if (news->count >= PULL_PAGE && row->seq != news->last_seq) {
        news->more = true;
        return false;
    }
    news->last_seq = row->seq;
    if (news->seq_count == 0 || news->seqs[news->seq_count - 1] != row->seq) {
        if (news->seq_count < CAUSES_MAX) news->seqs[news->seq_count++] = row->seq;
    }
    note_news(news, row->appointment_id, row->seq);
    return !news->full;
}

/* What time alone has brought or taken since he was told. */
static void note_scope(void *context, const char *id)
{
    struct news *news = context;
    enum scope before = scope_at(news->core, news->technician_id, id, news->told_us);
    if (before != scope_at(news->core, news->technician_id, id, news->now_us))
        note_news(news, id, 0);
}

static enum err too_much(struct call *call)
{
    return problem_set(&call->problem, ERR_RESET, "cursor",
                       "too much has changed since: take a Snapshot");
}

static enum err find_news(struct call *call, const struct cursor *cursor, struct news *news)
{
    int64_t told_us = cursor->scope_us, now_us = call->engine->now_us;
    int64_t passed_us = now_us > told_us ? now_us - told_us : told_us - now_us;
    *news = (struct news){.arena = call->arena,
                          .core = call->engine->core,
                          .technician_id = call->who->technician_id,
                          .told_us = told_us,
                          .scope_us = told_us,
                          .now_us = now_us};
    enum err err = store_changes_of(call->engine->store, call->who->technician_id, cursor->seq,
                                    note_change, news);
    if (err != ERR_OK) return err;
    if (!news->more && passed_us >= SCOPE_STEP_US) {
        int64_t from_us = now_us < told_us ? now_us : told_us;
        scope_each(news->core, news->technician_id, from_us, from_us + passed_us, note_scope, news);
        news->scope_us = now_us;
    }
    return news->full ? too_much(call) : ERR_OK;
}

static enum err fill_delta(struct call *call, const struct news *news, Callout__PullReply *answer)
{
    size_t size = 0;
    answer->appointments =
        arena_need(call->arena, (news->count + 1) * sizeof *answer->appointments);
    answer->left_scope = arena_need(call->arena, (news->count + 1) * sizeof *answer->left_scope);
    for (uint32_t i = 0; i < news->count; i++) {
        enum scope scope = scope_at_both(news->core, news->technician_id, news->ids[i],
                                         news->scope_us, news->now_us);
        if (scope == SCOPE_NONE) {
            answer->left_scope[answer->n_left_scope++] = arena_text(call->arena, news->ids[i]);
            continue;
        }
        Callout__FieldAppointment *appointment = scope_read(call, news->ids[i], scope);
        if (appointment == NULL) return ERR_IO;
        answer->appointments[answer->n_appointments++] = appointment;
        size += protobuf_c_message_get_packed_size(&appointment->base);
        if (size > PAGE_BYTES) return too_much(call);
    }
    return ERR_OK;
}

/* The facts behind the changes: a plan's is the event that it answers. */
static void fill_causes(struct call *call, const struct news *news, Callout__PullReply *answer)
{
    answer->cause_seqs =
        arena_need(call->arena, (news->seq_count + 1) * sizeof *answer->cause_seqs);
    answer->cause_committed_mono_us =
        arena_need(call->arena, (news->seq_count + 1) * sizeof *answer->cause_committed_mono_us);
    for (uint32_t i = 0; i < news->seq_count; i++) {
        const struct recent *recent = engine_recent(call->engine, news->seqs[i]);
        int64_t cause =
            recent != NULL && recent->cause_seq != 0 ? recent->cause_seq : news->seqs[i];
        const struct recent *origin = engine_recent(call->engine, cause);
        answer->cause_seqs[i] = (uint64_t)cause;
        answer->cause_committed_mono_us[i] = origin == NULL ? 0 : origin->committed_mono_us;
        answer->n_cause_seqs = answer->n_cause_committed_mono_us = i + 1;
    }
}

static void fill_reasons(struct call *call, const struct news *news, Callout__PullReply *answer)
{
    answer->causes = arena_need(call->arena, (news->count + 1) * sizeof *answer->causes);
    for (uint32_t i = 0; i < news->count; i++) {
        if (news->id_seqs[i] == 0) continue;
        Callout__ChangeCause *cause = change_cause(call, news->ids[i], news->id_seqs[i]);
        if (cause != NULL) answer->causes[answer->n_causes++] = cause;
    }
}

static enum err fill_own(struct call *call, Callout__PullReply *answer)
{
    struct own_days days;
    enum err err = own_days_read(call, &days);
    if (err != ERR_OK) return err;
    answer->sampling = new_sampling(call);
    answer->technician = days.technician;
    answer->absences = days.absences;
    answer->n_absences = days.absence_count;
    answer->consent = days.consent;
    return ERR_OK;
}

enum err handle_pull(struct call *call)
{
    const Callout__PullRequest *request = (const Callout__PullRequest *)call->message;
    struct cursor cursor = {0};
    enum err err = cursor_read(call, request->cursor, &cursor);
    if (err != ERR_OK) return err;
    int64_t tip = core_seq(call->engine->core);
    struct news *news = arena_need(call->arena, sizeof *news);
    err = find_news(call, &cursor, news);
    if (err != ERR_OK) return err;
    Callout__PullReply *answer = arena_need(call->arena, sizeof *answer);
    callout__pull_reply__init(answer);
    err = fill_delta(call, news, answer);
    if (err != ERR_OK) return err;
    fill_causes(call, news, answer);
    fill_reasons(call, news, answer);
    answer->more = news->more;
    if (cursor.own != own_version(call)) err = fill_own(call, answer);
    if (err != ERR_OK) return err;
    int64_t sent_seq = news->more ? news->last_seq : tip;
    bool more_messages = false;
    err = messages_for(call, cursor.seq, &sent_seq, &more_messages, answer);
    if (err != ERR_OK) return err;
    answer->more |= more_messages;
    answer->cursor = cursor_make(call, sent_seq, news->scope_us);
    plan_ack_pulled(call->engine, call->who->id, cursor.seq, sent_seq);
    call->answer = &answer->base;
    return ERR_OK;
}

/* --- Snapshot --- */

struct own {
    const struct core *core;
    const char *technician_id;
    int64_t scope_us, now_us; /* of the first page, and now */
    struct visible {
        const char *id;
        enum scope scope;
    } visits[LIMIT_VISITS_PER_ROUTE * 16];
    uint32_t count;
};

static void note_own(void *context, const char *id)
{
    struct own *own = context;
    enum scope scope = scope_at_both(own->core, own->technician_id, id, own->scope_us, own->now_us);
    if (scope != SCOPE_NONE && own->count < sizeof own->visits / sizeof own->visits[0])
        own->visits[own->count++] = (struct visible){id, scope};
}

struct skills_of {
    struct arena *arena;
    Callout__Technician *technician;
};

static bool add_skill(void *context, const void *visited)
{
    struct skills_of *it = context;
    const struct row_technician_skill *row = visited;
    if (it->technician->n_skills == LIMIT_SKILLS_PER_ENTITY) return false;
    Callout__Skill *skill = arena_need(it->arena, sizeof *skill);
    callout__skill__init(skill);
    skill->name = arena_text(it->arena, row->skill);
    skill->level = (uint32_t)row->level;
    skill->valid_from_us = row->valid_from_us;
    skill->valid_to_us = row->valid_to_us;
    it->technician->skills[it->technician->n_skills++] = skill;
    return true;
}

Callout__Technician *read_technician_message(struct call *call, const char *technician_id)
{
    union row row;
    if (store_get(call->engine->store, ROW_TECHNICIAN,
                  &(struct row_technician){.technician_id = technician_id}, &row) != ERR_OK)
        return NULL;
    Callout__Technician *out = arena_need(call->arena, sizeof *out);
    callout__technician__init(out);
    out->technician_id = arena_text(call->arena, row.technician.technician_id);
    out->territory_id = arena_text(call->arena, row.technician.territory_id);
    out->name = arena_text(call->arena, row.technician.name);
    out->leg_seconds_max = (int32_t)row.technician.leg_seconds_max;
    out->travel_seconds_max = (int32_t)row.technician.travel_seconds_max;
    out->home = arena_need(call->arena, sizeof *out->home);
    callout__point__init(out->home);
    out->home->lat_e7 = (int32_t)row.technician.lat_e7;
    out->home->lon_e7 = (int32_t)row.technician.lon_e7;
    out->skills = arena_need(call->arena, LIMIT_SKILLS_PER_ENTITY * sizeof *out->skills);
    struct skills_of skills = {call->arena, out};
    struct row_technician_skill key = {.technician_id = out->technician_id};
    if (store_each(call->engine->store, ROW_TECHNICIAN_SKILL, &key, 1, false, add_skill, &skills) !=
        ERR_OK)
        return NULL;
    return out;
}

static Callout__Territory *read_territory_message(struct call *call, const char *territory_id)
{
    union row row;
    if (store_get(call->engine->store, ROW_TERRITORY,
                  &(struct row_territory){.territory_id = territory_id}, &row) != ERR_OK)
        return NULL;
    Callout__Territory *out = arena_need(call->arena, sizeof *out);
    callout__territory__init(out);
    out->territory_id = arena_text(call->arena, row.territory.territory_id);
    out->name = arena_text(call->arena, row.territory.name);
    out->time_zone = arena_text(call->arena, row.territory.time_zone);
    return out;
}

static int by_id(const void *a, const void *b)
{
    const struct visible *left = a, *right = b;
    return strcmp(left->id, right->id);
}

/* What a page token says: fact and moment that the first page saw, and the last id that was told.
 * Pages go by id, so that an appointment which comes or goes between two of them hides no other;
 * the cursor of the last page is the first one's, so that the delta after it brings what changed
 * meanwhile. */
struct place {
    int64_t seq, scope_us;
    const char *after;
};

static enum err read_place(struct call *call, const char *token, struct place *place)
{
    const char *text;
    char *end;
    *place = (struct place){core_seq(call->engine->core), call->engine->now_us, ""};
    enum err err = page_token_read(call, token, &text);
    if (err != ERR_OK || text[0] == '\0') return err;
    place->seq = strtoll(text, &end, 10);
    place->scope_us = strtoll(end, &end, 10);
    place->after = *end == ' ' ? end + 1 : end;
    return ERR_OK;
}

static char *write_place(struct call *call, const struct place *place, const char *last)
{
    char text[LIMIT_ID + 64];
    snprintf(text, sizeof text, "%lld %lld %s", (long long)place->seq, (long long)place->scope_us,
             last);
    return page_token_make(call, text);
}

static enum err fill_snapshot(struct call *call, struct own *own, const struct place *place,
                              Callout__SnapshotReply *answer)
{
    qsort(own->visits, own->count, sizeof own->visits[0], by_id);
    answer->appointments = arena_need(call->arena, SNAPSHOT_PAGE * sizeof *answer->appointments);
    const char *last = "";
    size_t size = 0;
    for (uint32_t i = 0; i < own->count; i++) {
        const struct visible *visit = &own->visits[i];
        if (strcmp(visit->id, place->after) <= 0) continue;
        if (answer->n_appointments == SNAPSHOT_PAGE || size > PAGE_BYTES) {
            answer->next_page_token = write_place(call, place, last);
            return ERR_OK;
        }
        Callout__FieldAppointment *appointment = scope_read(call, visit->id, visit->scope);
        if (appointment == NULL) return ERR_IO;
        answer->appointments[answer->n_appointments++] = appointment;
        size += protobuf_c_message_get_packed_size(&appointment->base);
        last = visit->id;
    }
    answer->cursor = cursor_make(call, place->seq, place->scope_us);
    plan_ack_pulled(call->engine, call->who->id, 0, place->seq);
    return ERR_OK;
}

enum err handle_snapshot(struct call *call)
{
    const Callout__SnapshotRequest *request = (const Callout__SnapshotRequest *)call->message;
    const struct engine *engine = call->engine;
    struct place place;
    enum err err = read_place(call, request->page_token, &place);
    if (err != ERR_OK) return err;
    Callout__SnapshotReply *answer = arena_need(call->arena, sizeof *answer);
    callout__snapshot_reply__init(answer);
    struct own *own = arena_need(call->arena, sizeof *own);
    *own = (struct own){.core = engine->core,
                        .technician_id = call->who->technician_id,
                        .scope_us = place.scope_us,
                        .now_us = engine->now_us};
    scope_each(engine->core, own->technician_id, engine->now_us, engine->now_us, note_own, own);
    err = fill_snapshot(call, own, &place, answer);
    if (err != ERR_OK) return err;
    struct own_days days;
    err = own_days_read(call, &days);
    if (err != ERR_OK) return err;
    answer->technician = days.technician;
    answer->absences = days.absences;
    answer->n_absences = days.absence_count;
    answer->consent = days.consent;
    if (answer->next_page_token[0] == '\0') err = messages_lately(call, answer);
    if (err != ERR_OK) return err;
    if (answer->technician != NULL)
        answer->territory = read_territory_message(call, answer->technician->territory_id);
    answer->sampling = new_sampling(call);
    call->answer = &answer->base;
    return ERR_OK;
}

/* --- Follow --- */

/* Ids of the engine's ring outlive the packing of the answer, which only reads them. */
static char *text_of(const char *id)
{
    union {
        const char *constant;
        char *text;
    } both = {id};
    return both.text;
}

/* Ids told so far: a table with room for twice as many. */
struct told {
    const char **slots;
    uint32_t size; /* a power of two */
};

static bool told_before(struct told *told, const char *id)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, id, strlen(id));
    uint32_t at = (uint32_t)digest.state & (told->size - 1);
    for (; told->slots[at] != NULL; at = (at + 1) & (told->size - 1))
        if (strcmp(told->slots[at], id) == 0) return true;
    told->slots[at] = id;
    return false;
}

static void add_follower(Callout__FollowReply *answer, struct told *told, const char *id,
                         uint32_t max)
{
    if (told_before(told, id)) return;
    if (answer->n_technician_ids == max)
        answer->all = true;
    else
        answer->technician_ids[answer->n_technician_ids++] = text_of(id);
}

static void fill_follow(struct call *call, int64_t after, Callout__FollowReply *answer)
{
    const struct engine *engine = call->engine;
    int64_t tip = core_seq(engine->core), facts = tip - after;
    if (facts > RECENT_MAX) facts = RECENT_MAX;
    uint32_t max = (uint32_t)facts * RECENT_TECHNICIANS_MAX;
    if (max > LIMIT_TECHNICIANS) max = LIMIT_TECHNICIANS;
    struct told told = {.size = 1};
    while (told.size < 2 * (max + 1))
        told.size *= 2;
    told.slots = arena_need(call->arena, told.size * sizeof *told.slots);
    answer->technician_ids = arena_need(call->arena, (max + 1) * sizeof *answer->technician_ids);
    for (int64_t seq = after + 1; seq <= tip && !answer->all; seq++) {
        const struct recent *recent = engine_recent(engine, seq);
        if (recent == NULL || recent->everyone) {
            answer->all = true;
            break;
        }
        for (uint32_t i = 0; i < recent->technician_count; i++)
            add_follower(answer, &told, recent->technicians[i], max);
    }
    if (answer->all) answer->n_technician_ids = 0;
}

enum err handle_follow(struct call *call)
{
    const Callout__FollowRequest *request = (const Callout__FollowRequest *)call->message;
    int64_t tip = core_seq(call->engine->core);
    bool known =
        request->log_epoch == call->engine->log_epoch && (int64_t)request->after_seq <= tip;
    bool news = !known || (int64_t)request->after_seq < tip ||
                request->rights_version != call->engine->rights_version;
    bool expired = call->item != NULL && call->item->hold_ms == UINT32_MAX;
    if (!news && !expired && request->hold_ms > 0 && call->item != NULL) {
        call->item->held = HELD_FOLLOW;
        call->item->hold_ms = request->hold_ms;
        call->item->after_seq = request->after_seq;
        return ERR_OK;
    }
    Callout__FollowReply *answer = arena_need(call->arena, sizeof *answer);
    callout__follow_reply__init(answer);
    answer->tip_seq = (uint64_t)tip;
    answer->all = !known;
    fill_follow(call, known ? (int64_t)request->after_seq : tip, answer);
    rights_tell(call, request->rights_version, answer);
    call->answer = &answer->base;
    return ERR_OK;
}
