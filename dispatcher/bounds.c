#include "dispatcher/bounds.h"

#include "base/check.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTES_MAX = 256, PRICES_MAX = 10000, REPORT_MAX = 1 << 20, COUNT_MAX = 500 };

struct bounds {
    struct note {
        char key[LIMIT_ID + 24];
        Callout__PlanBound bound; /* it has no pointers */
        int64_t noted_us;         /* domain time */
        uint8_t *report;          /* packed, with the prices; NULL: none came */
        size_t report_size;
    } notes[NOTES_MAX];
    uint32_t count, oldest; /* once all are taken, they make room one after the other */
};

/* --- notes ----------------------------------------------------------------------------------- */

static struct note *note_find(const struct engine *engine, const char *territory_id,
                              int64_t service_day)
{
    char key[LIMIT_ID + 24];
    if (engine->bounds == NULL || strlen(territory_id) > LIMIT_ID) return NULL;
    snprintf(key, sizeof key, "%s %lld", territory_id, (long long)service_day);
    for (uint32_t i = 0; i < engine->bounds->count; i++) {
        if (strcmp(engine->bounds->notes[i].key, key) == 0) return &engine->bounds->notes[i];
    }
    return NULL;
}

static struct note *note_add(struct engine *engine, const char *territory_id, int64_t service_day)
{
    if (engine->bounds == NULL) {
        engine->bounds = calloc(1, sizeof *engine->bounds);
        CHECK(engine->bounds != NULL);
    }
    struct bounds *bounds = engine->bounds;
    uint32_t slot = bounds->count;
    if (bounds->count == NOTES_MAX)
        slot = bounds->oldest++ % NOTES_MAX;
    else
        bounds->count++;
    struct note *note = &bounds->notes[slot];
    free(note->report);
    *note = (struct note){.report = NULL};
    snprintf(note->key, sizeof note->key, "%s %lld", territory_id, (long long)service_day);
    return note;
}

static struct note *note_bound(struct engine *engine, const char *territory_id, int64_t service_day,
                               const Callout__PlanBound *bound)
{
    if (strlen(territory_id) > LIMIT_ID) return NULL;
    struct note *note = note_find(engine, territory_id, service_day);
    if (note == NULL) note = note_add(engine, territory_id, service_day);
    note->bound = *bound; /* but for fields that we do not know, which are not ours to keep */
    note->bound.base.n_unknown_fields = 0;
    note->bound.base.unknown_fields = NULL;
    note->noted_us = engine->now_us;
    return note;
}

void bounds_note(struct engine *engine, const Callout__PlanCandidate *candidate)
{
    if (candidate->bound == NULL || !candidate->bound->known) return;
    (void)note_bound(engine, candidate->territory_id, candidate->service_day, candidate->bound);
}

void bounds_close(struct engine *engine)
{
    if (engine->bounds == NULL) return;
    for (uint32_t i = 0; i < engine->bounds->count; i++)
        free(engine->bounds->notes[i].report);
    free(engine->bounds);
    engine->bounds = NULL;
}

/* --- ReportBound ----------------------------------------------------------------------------- */

enum err handle_report_bound(struct call *call)
{
    const Callout__BoundReport *report = (const Callout__BoundReport *)call->message;
    Callout__BoundReportReply *answer = arena_need(call->arena, sizeof *answer);
    callout__bound_report_reply__init(answer);
    call->answer = &answer->base;
    if (report->bound == NULL || !report->bound->known)
        return problem_set(&call->problem, ERR_INVALID, "bound", "must be known");
    if (report->n_prices > PRICES_MAX || call->body.len > REPORT_MAX)
        return problem_set(&call->problem, ERR_TOO_LARGE, "prices", "at most %d", PRICES_MAX);
    struct note *note =
        note_bound(call->engine, report->territory_id, report->service_day, report->bound);
    if (note == NULL) return problem_set(&call->problem, ERR_INVALID, "territory_id", "is no id");
    free(note->report);
    note->report_size = call->body.len;
    note->report = malloc(note->report_size + 1);
    CHECK(note->report != NULL);
    if (note->report_size > 0) memcpy(note->report, call->body.data, note->report_size);
    return ERR_OK;
}

/* --- what is known --------------------------------------------------------------------------- */

static Callout__PlanBound *empty_bound(struct arena *arena)
{
    Callout__PlanBound *bound = arena_need(arena, sizeof *bound);
    callout__plan_bound__init(bound);
    return bound;
}

Callout__PlanBound *bound_copy(struct arena *arena, const Callout__PlanBound *bound)
{
    Callout__PlanBound *copy = arena_need(arena, sizeof *copy);
    *copy = *bound;
    copy->base.n_unknown_fields = 0;
    copy->base.unknown_fields = NULL;
    return copy;
}

Callout__PlanBound *bound_of_plan(struct arena *arena, const struct row_plan *plan)
{
    if (plan->bound_cost == 0 && plan->bound_lower == 0) return NULL;
    Callout__PlanBound *bound = empty_bound(arena);
    bound->known = true;
    bound->base_revision = (uint64_t)plan->base_revision;
    bound->cost_seconds = plan->bound_cost;
    bound->lower_bound_seconds = plan->bound_lower;
    bound->gap_seconds = plan->bound_cost - plan->bound_lower;
    bound->gap_ppm = plan->bound_gap_ppm;
    bound->age_seconds = plan->bound_age;
    bound->certified = true;
    return bound;
}

/* Nothing has happened since, but that a plan was published which came of that very state. */
static bool is_of_now(const struct problem_key *key, const struct row_plan *plan,
                      uint64_t base_revision)
{
    if (base_revision >= key->revision) return true;
    return plan != NULL && (uint64_t)plan->seq == key->revision &&
           base_revision >= (uint64_t)plan->base_revision;
}

Callout__PlanBound *bound_newest(struct call *call, const struct problem_key *key,
                                 const struct row_plan *plan)
{
    const struct note *note = note_find(call->engine, key->territory_id, key->service_day);
    Callout__PlanBound *bound = plan == NULL ? NULL : bound_of_plan(call->arena, plan);
    bool newer =
        note != NULL && (bound == NULL || note->bound.base_revision >= bound->base_revision);
    if (newer) {
        bound = bound_copy(call->arena, &note->bound);
        bound->age_seconds += (call->engine->now_us - note->noted_us) / 1000000;
    }
    if (bound == NULL) return empty_bound(call->arena);
    bound->certified = is_of_now(key, plan, bound->base_revision);
    return bound;
}

/* --- ShadowPrices ---------------------------------------------------------------------------- */

static int by_kind_and_seconds(const void *a, const void *b)
{
    const Callout__ShadowPrice *left = *(Callout__ShadowPrice *const *)a;
    const Callout__ShadowPrice *right = *(Callout__ShadowPrice *const *)b;
    if (left->kind != right->kind) return left->kind < right->kind ? -1 : 1;
    if (left->seconds != right->seconds) return left->seconds > right->seconds ? -1 : 1;
    int order = strcmp(left->appointment_id, right->appointment_id);
    if (order == 0) order = strcmp(left->technician_id, right->technician_id);
    return order != 0 ? order : strcmp(left->skill, right->skill);
}

/* The dearest of each kind; the report is decoded into the call's arena. */
static void fill_prices(struct call *call, const struct note *note,
                        const Callout__ShadowPricesRequest *request,
                        Callout__ShadowPricesReply *answer)
{
    struct problem problem;
    ProtobufCMessage *decoded = NULL;
    const ProtobufCBinaryData bytes = {note->report_size, note->report};
    if (message_decode(&callout__bound_report__descriptor, bytes.data, bytes.len, call->arena,
                       &decoded, &problem) != ERR_OK)
        return;
    const Callout__BoundReport *report = (const Callout__BoundReport *)decoded;
    uint32_t count = request->count == 0 ? 20 : request->count, of_kind = 0;
    qsort(report->prices, report->n_prices, sizeof *report->prices, by_kind_and_seconds);
    answer->prices = arena_need(call->arena, sizeof *answer->prices * (report->n_prices + 1));
    for (size_t i = 0; i < report->n_prices; i++) {
        Callout__ShadowPrice *price = report->prices[i];
        bool wanted = request->appointment_id[0] == '\0' ||
                      strcmp(price->appointment_id, request->appointment_id) == 0;
        bool same =
            answer->n_prices > 0 && answer->prices[answer->n_prices - 1]->kind == price->kind;
        if (!wanted) continue;
        of_kind = same ? of_kind + 1 : 1;
        if (of_kind <= count) answer->prices[answer->n_prices++] = price;
    }
}

static bool key_of(struct call *call, const char *territory_id, int64_t service_day,
                   struct problem_key *key)
{
    const struct core *core = call->engine->core;
    for (uint32_t i = 0; core_problem_key(core, i, key); i++) {
        if (strcmp(key->territory_id, territory_id) == 0 && key->service_day == service_day)
            return true;
    }
    return false;
}

enum err handle_shadow_prices(struct call *call)
{
    const Callout__ShadowPricesRequest *request =
        (const Callout__ShadowPricesRequest *)call->message;
    const char *zone = core_territory_zone(call->engine->core, request->territory_id);
    if (zone == NULL)
        return problem_set(&call->problem, ERR_NOT_FOUND, "territory_id",
                           "there is no territory \"%.64s\"", request->territory_id);
    if (request->count > COUNT_MAX)
        return problem_set(&call->problem, ERR_INVALID, "count", "is at most %d", COUNT_MAX);
    int64_t day = request->service_day != 0 ? request->service_day
                                            : zone_service_day(zone, call->engine->now_us);
    Callout__ShadowPricesReply *answer = arena_need(call->arena, sizeof *answer);
    callout__shadow_prices_reply__init(answer);
    answer->basis = arena_need(call->arena, sizeof *answer->basis);
    callout__answer_basis__init(answer->basis);
    answer->basis->log_seq = (uint64_t)core_seq(call->engine->core);
    answer->basis->now_us = call->engine->now_us;
    call->answer = &answer->base;
    struct problem_key key;
    const struct note *note = note_find(call->engine, request->territory_id, day);
    answer->bound = empty_bound(call->arena);
    if (!key_of(call, request->territory_id, day, &key)) return ERR_OK;
    answer->basis->plan_version = key.plan_version;
    answer->basis->settled =
        (uint64_t)settled_revision(call->engine, key.territory_id, day) >= key.revision;
    union row row;
    const struct row_plan plan_key = {
        .territory_id = key.territory_id, .service_day = day, .version = (int64_t)key.plan_version};
    bool has_plan = store_get(call->engine->store, ROW_PLAN, &plan_key, &row) == ERR_OK;
    answer->bound = bound_newest(call, &key, has_plan ? &row.plan : NULL);
    if (note != NULL && note->report != NULL) fill_prices(call, note, request, answer);
    return ERR_OK;
}
