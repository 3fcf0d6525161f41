#include "dispatcher/proposals.h"

#include "base/check.h"
#include "base/clock.h"
#include "dispatcher/plan_diffs.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who looks at a plan shall be able to take just that one. */
#define LOOK_US (60 * US_PER_SECOND)

enum { WAIT_S_MAX = 86400, KEY_SIZE = LIMIT_ID + 24 };

struct proposals {
    struct kept {
        char key[KEY_SIZE];
        uint64_t number;        /* 0: nothing waits */
        int64_t made_us;        /* domain time */
        int64_t looked_mono_us; /* when somebody looked at it last; 0: nobody did */
        uint32_t changes;
        uint64_t refused; /* what was turned down last, as a hash of its routes; 0: nothing */
        uint8_t *bytes;   /* the candidate, packed */
        size_t size;
    } days[BOARD_NOTES_MAX];
    uint32_t count, oldest; /* once all are taken, they make room one after the other */
    uint64_t last_number;
};

/* --- how long plans wait: ROW_META "review TERRITORY" --- */

static void review_name(char *name, size_t size, const char *territory_id)
{
    snprintf(name, size, "review %.*s", LIMIT_ID, territory_id);
}

static uint32_t wait_seconds(struct engine *engine, const char *territory_id)
{
    char name[LIMIT_ID + 8];
    union row row;
    uint32_t seconds = 0;
    review_name(name, sizeof name, territory_id);
    const struct row_meta key = {.name = name};
    if (store_get(engine->store, ROW_META, &key, &row) != ERR_OK) return 0;
    if (row.meta.value.size == sizeof seconds)
        memcpy(&seconds, row.meta.value.bytes, sizeof seconds);
    return seconds;
}

/* --- what waits --- */

static bool day_key(char *key, size_t size, const char *territory_id, int64_t service_day)
{
    if (strlen(territory_id) > LIMIT_ID) return false;
    snprintf(key, size, "%s %lld", territory_id, (long long)service_day);
    return true;
}

static struct kept *kept_find(const struct engine *engine, const char *territory_id,
                              int64_t service_day)
{
    char key[KEY_SIZE];
    struct proposals *it = engine->proposals;
    if (it == NULL || !day_key(key, sizeof key, territory_id, service_day)) return NULL;
    for (uint32_t i = 0; i < it->count; i++) {
        if (strcmp(it->days[i].key, key) == 0) return &it->days[i];
    }
    return NULL;
}

static void forget(struct kept *kept)
{
    free(kept->bytes);
    kept->bytes = NULL;
    kept->size = 0;
    kept->number = 0;
    kept->looked_mono_us = 0;
}

static struct kept *kept_need(struct engine *engine, const char *territory_id, int64_t service_day)
{
    struct kept *kept = kept_find(engine, territory_id, service_day);
    if (kept != NULL) return kept;
    if (engine->proposals == NULL) {
        engine->proposals = calloc(1, sizeof *engine->proposals);
        CHECK(engine->proposals != NULL);
    }
    struct proposals *it = engine->proposals;
    uint32_t slot = it->count < BOARD_NOTES_MAX ? it->count++ : it->oldest++ % BOARD_NOTES_MAX;
    kept = &it->days[slot];
    forget(kept);
    *kept = (struct kept){.number = 0};
    CHECK(day_key(kept->key, sizeof kept->key, territory_id, service_day));
    return kept;
}

void proposals_close(struct engine *engine)
{
    if (engine->proposals == NULL) return;
    for (uint32_t i = 0; i < engine->proposals->count; i++)
        forget(&engine->proposals->days[i]);
    free(engine->proposals);
    engine->proposals = NULL;
}

/* What waits still, and since its time is not over; NULL: nothing does. */
static struct kept *waiting(struct engine *engine, const char *territory_id, int64_t service_day)
{
    struct kept *kept = kept_find(engine, territory_id, service_day);
    if (kept == NULL || kept->number == 0) return NULL;
    int64_t wait_us = (int64_t)wait_seconds(engine, territory_id) * US_PER_SECOND;
    if (engine->now_us < kept->made_us + wait_us) return kept;
    forget(kept);
    return NULL;
}

static void keep(struct engine *engine, struct kept *kept, const Callout__PlanCandidate *candidate)
{
    size_t size = callout__plan_candidate__get_packed_size(candidate);
    uint8_t *bytes = malloc(size + 1);
    CHECK(bytes != NULL);
    callout__plan_candidate__pack(candidate, bytes);
    free(kept->bytes);
    kept->bytes = bytes;
    kept->size = size;
    kept->number = ++engine->proposals->last_number;
    kept->made_us = engine->now_us;
}

static Callout__PlanCandidate *kept_candidate(struct call *call, const struct kept *kept)
{
    ProtobufCMessage *message;
    struct problem problem;
    enum err err = message_decode(&callout__plan_candidate__descriptor, kept->bytes, kept->size,
                                  call->arena, &message, &problem);
    CHECK(err == ERR_OK); /* it was packed by us */
    return (Callout__PlanCandidate *)message;
}

/* --- what it would do --- */

/* A copy of the core on which the candidate was published; `err` says whether it could be. */
struct trial {
    struct arena core_arena, arena;
    struct acts acts;
    enum err err;
};

static void trial_begin(struct trial *trial, struct engine *engine,
                        const Callout__PlanCandidate *candidate)
{
    Callout__FactBody body;
    struct problem problem;
    struct fact fact;
    callout__fact_body__init(&body);
    body.body_case = CALLOUT__FACT_BODY__BODY_PLAN;
    body.plan = (Callout__PlanCandidate *)(uintptr_t)candidate;
    arena_open(&trial->core_arena, CORE_ARENA_CAP);
    arena_open(&trial->arena, CORE_ARENA_CAP);
    acts_init(&trial->acts, &trial->arena);
    struct core *core = core_open(&trial->core_arena, &travel_straight);
    trial->err = core_load(core, core_save(engine->core, &trial->arena));
    CHECK(trial->err == ERR_OK);
    int64_t time_us = engine->now_us;
    if (time_us < core_time_us(core)) time_us = core_time_us(core);
    trial->err =
        fact_from_body(&body, core_seq(core) + 1, time_us, false, &trial->arena, &fact, &problem);
    if (trial->err == ERR_OK) trial->err = core_step(core, &fact, &trial->acts, &problem);
}

static void trial_end(struct trial *trial)
{
    arena_close(&trial->core_arena);
    arena_close(&trial->arena);
}

static uint32_t trial_changes(const struct trial *trial)
{
    uint32_t changes = 0;
    for (uint32_t i = 0; i < trial->acts.count; i++)
        changes += trial->acts.items[i].row_kind == ROW_CHANGE;
    return changes;
}

static Callout__PlanDiff *trial_diff(const struct trial *trial, struct call *call)
{
    Callout__PlanDiff *diff = NULL;
    const struct row_plan *plan = NULL;
    for (uint32_t i = 0; i < trial->acts.count && plan == NULL; i++)
        if (trial->acts.items[i].row_kind == ROW_PLAN) plan = &trial->acts.items[i].row.plan;
    if (trial->err != ERR_OK || plan == NULL) return NULL;
    diff = plan_diff_new(call->arena, plan);
    for (uint32_t i = 0; i < trial->acts.count; i++)
        if (trial->acts.items[i].row_kind == ROW_CHANGE)
            plan_diff_add(call->arena, &trial->acts.items[i].row.change, diff);
    plan_diff_figures(call->arena, plan, diff);
    return diff;
}

/* --- does it wait? --- */

static bool has_plan(const struct core *core, const Callout__PlanCandidate *candidate)
{
    struct problem_key key;
    for (uint32_t i = 0; core_problem_key(core, i, &key); i++) {
        if (key.service_day == candidate->service_day &&
            strcmp(key.territory_id, candidate->territory_id) == 0)
            return key.plan_version > 0;
    }
    return false;
}

static bool is_urgent(const struct core *core, const Callout__PlanCandidate *candidate)
{
    struct core_visit visit;
    for (size_t r = 0; r < candidate->n_routes; r++) {
        const Callout__CandidateRoute *route = candidate->routes[r];
        for (size_t i = 0; i < route->n_appointment_ids; i++) {
            if (core_visit(core, route->appointment_ids[i], &visit) && visit.emergency &&
                strcmp(visit.technician_id, route->technician_id) != 0)
                return true;
        }
    }
    return false;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    } while (*text++ != '\0');
    return hash;
}

static uint64_t hash_routes(const Callout__PlanCandidate *candidate)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t r = 0; r < candidate->n_routes; r++) {
        hash = hash_text(hash, candidate->routes[r]->technician_id);
        for (size_t i = 0; i < candidate->routes[r]->n_appointment_ids; i++)
            hash = hash_text(hash, candidate->routes[r]->appointment_ids[i]);
    }
    return hash == 0 ? 1 : hash;
}

static bool is_looked_at(struct engine *engine, const Callout__PlanCandidate *candidate)
{
    const struct kept *kept = waiting(engine, candidate->territory_id, candidate->service_day);
    return kept != NULL && kept->looked_mono_us != 0 &&
           engine_mono_us(engine) - kept->looked_mono_us < LOOK_US;
}

bool proposal_keep(struct engine *engine, const Callout__PlanCandidate *candidate)
{
    if (candidate->n_routes == 0 || candidate->stage == CALLOUT__CANDIDATE_STAGE__REPAIR)
        return false;
    if (wait_seconds(engine, candidate->territory_id) == 0) return false;
    if (!has_plan(engine->core, candidate) || is_urgent(engine->core, candidate)) return false;
    struct kept *kept = kept_need(engine, candidate->territory_id, candidate->service_day);
    if (kept->refused == hash_routes(candidate) || is_looked_at(engine, candidate)) return true;
    struct trial trial;
    trial_begin(&trial, engine, candidate);
    uint32_t changes = trial.err == ERR_OK ? trial_changes(&trial) : 0;
    trial_end(&trial);
    if (changes == 0) return false; /* whoever sent it is told why by the core */
    keep(engine, kept, candidate);
    kept->changes = changes;
    return true;
}

void proposal_brief(struct engine *engine, const struct problem_key *key, Callout__SolverState *to)
{
    const struct kept *kept = waiting(engine, key->territory_id, key->service_day);
    if (kept == NULL) return;
    to->proposal_number = kept->number;
    to->proposal_changes = kept->changes;
}

/* --- parts: technicians who would exchange visits --- */

struct parts {
    const Callout__PlanCandidate *candidate;
    uint32_t *part; /* of each route, the first route of its part */
};

static void join(struct parts *parts, uint32_t a, uint32_t b)
{
    uint32_t low = parts->part[a] < parts->part[b] ? parts->part[a] : parts->part[b];
    uint32_t high = parts->part[a] < parts->part[b] ? parts->part[b] : parts->part[a];
    for (size_t i = 0; i < parts->candidate->n_routes; i++)
        if (parts->part[i] == high) parts->part[i] = low;
}

static size_t route_of(const Callout__PlanCandidate *candidate, const char *technician_id)
{
    size_t r = 0;
    while (r < candidate->n_routes &&
           strcmp(candidate->routes[r]->technician_id, technician_id) != 0)
        r++;
    return r;
}

static struct parts find_parts(struct call *call, const Callout__PlanCandidate *candidate)
{
    struct core_visit visit;
    struct parts parts = {candidate,
                          arena_need(call->arena, (candidate->n_routes + 1) * sizeof(uint32_t))};
    for (uint32_t r = 0; r < candidate->n_routes; r++)
        parts.part[r] = r;
    for (uint32_t r = 0; r < candidate->n_routes; r++) {
        for (size_t i = 0; i < candidate->routes[r]->n_appointment_ids; i++) {
            if (!core_visit(call->engine->core, candidate->routes[r]->appointment_ids[i], &visit))
                continue;
            size_t from = route_of(candidate, visit.technician_id);
            if (from < candidate->n_routes) join(&parts, r, (uint32_t)from);
        }
    }
    return parts;
}

static bool in_part(const struct parts *parts, uint32_t part, const char *technician_id)
{
    size_t route = route_of(parts->candidate, technician_id);
    return route < parts->candidate->n_routes && parts->part[route] == part;
}

static Callout__ProposalPart *part_message(struct call *call, const struct parts *parts,
                                           uint32_t part, const Callout__PlanDiff *diff)
{
    Callout__ProposalPart *to = arena_need(call->arena, sizeof *to);
    callout__proposal_part__init(to);
    size_t routes = parts->candidate->n_routes, changes = diff->plan->n_changes;
    to->technician_ids = arena_need(call->arena, (routes + 1) * sizeof *to->technician_ids);
    to->appointment_ids = arena_need(call->arena, (changes + 1) * sizeof *to->appointment_ids);
    for (size_t r = 0; r < routes; r++)
        if (parts->part[r] == part)
            to->technician_ids[to->n_technician_ids++] = parts->candidate->routes[r]->technician_id;
    for (size_t i = 0; i < changes; i++) {
        const Callout__PlanDelta *delta = diff->plan->changes[i];
        if (in_part(parts, part, delta->technician_after) ||
            in_part(parts, part, delta->technician_before))
            to->appointment_ids[to->n_appointment_ids++] = delta->appointment_id;
    }
    return to;
}

/* Those that would change something now. */
static void fill_parts(struct call *call, const Callout__PlanCandidate *candidate,
                       Callout__ProposalReply *answer)
{
    struct parts parts = find_parts(call, candidate);
    answer->parts = arena_need(call->arena, (candidate->n_routes + 1) * sizeof *answer->parts);
    for (uint32_t r = 0; r < candidate->n_routes; r++) {
        if (parts.part[r] != r) continue;
        Callout__ProposalPart *part = part_message(call, &parts, r, answer->diff);
        if (part->n_appointment_ids > 0) answer->parts[answer->n_parts++] = part;
    }
}

/* --- the operations --- */

static enum err need_territory(struct call *call, const char *territory_id)
{
    if (core_territory_zone(call->engine->core, territory_id) != NULL) return ERR_OK;
    return problem_set(&call->problem, ERR_NOT_FOUND, "territory_id",
                       "there is no territory \"%.64s\"", territory_id);
}

enum err handle_proposal(struct call *call)
{
    const Callout__ProposalRequest *request = (const Callout__ProposalRequest *)call->message;
    struct engine *engine = call->engine;
    enum err err = need_territory(call, request->territory_id);
    if (err != ERR_OK) return err;
    Callout__ProposalReply *answer = arena_need(call->arena, sizeof *answer);
    callout__proposal_reply__init(answer);
    call->answer = &answer->base;
    answer->wait_seconds = wait_seconds(engine, request->territory_id);
    int64_t day = plan_day(call, request->territory_id, request->service_day);
    struct kept *kept = waiting(engine, request->territory_id, day);
    if (kept == NULL) return ERR_OK;
    Callout__PlanCandidate *candidate = kept_candidate(call, kept);
    struct trial trial;
    trial_begin(&trial, engine, candidate);
    answer->diff = trial_diff(&trial, call);
    trial_end(&trial);
    if (answer->diff == NULL) {
        forget(kept); /* facts have overtaken all of it */
        return ERR_OK;
    }
    kept->looked_mono_us = engine_mono_us(engine);
    fill_parts(call, candidate, answer);
    answer->number = kept->number;
    answer->made_us = kept->made_us;
    answer->until_us = kept->made_us + (int64_t)answer->wait_seconds * US_PER_SECOND;
    return ERR_OK;
}

static enum err find_waiting(struct call *call, const char *territory_id, int64_t service_day,
                             uint64_t number, struct kept **out)
{
    enum err err = need_territory(call, territory_id);
    if (err != ERR_OK) return err;
    *out = waiting(call->engine, territory_id, plan_day(call, territory_id, service_day));
    if (*out != NULL && (*out)->number == number) return ERR_OK;
    return problem_set(&call->problem, ERR_CONFLICT, "number",
                       *out == NULL ? "no plan waits any more" : "another plan waits by now");
}

/* Takes out the routes of parts in which nobody is named. */
static enum err choose_parts(struct call *call, const Callout__AcceptProposalRequest *request,
                             Callout__PlanCandidate *candidate)
{
    struct parts parts = find_parts(call, candidate);
    bool *wanted = arena_need(call->arena, (candidate->n_routes + 1) * sizeof *wanted);
    memset(wanted, 0, (candidate->n_routes + 1) * sizeof *wanted);
    for (size_t i = 0; i < request->n_technician_ids; i++) {
        size_t route = route_of(candidate, request->technician_ids[i]);
        if (route == candidate->n_routes)
            return problem_set(&call->problem, ERR_INVALID, "technician_ids",
                               "names one whose day the plan does not change");
        wanted[parts.part[route]] = true;
    }
    size_t kept = 0;
    for (size_t r = 0; r < candidate->n_routes; r++)
        if (wanted[parts.part[r]]) candidate->routes[kept++] = candidate->routes[r];
    candidate->n_routes = kept;
    return ERR_OK;
}

enum err accept_proposal_body(struct call *call, Callout__FactBody *body)
{
    const Callout__AcceptProposalRequest *request =
        (const Callout__AcceptProposalRequest *)call->message;
    struct kept *kept;
    enum err err =
        find_waiting(call, request->territory_id, request->service_day, request->number, &kept);
    if (err != ERR_OK) return err;
    Callout__PlanCandidate *candidate = kept_candidate(call, kept);
    if (request->n_technician_ids > 0) {
        err = choose_parts(call, request, candidate);
        if (err != ERR_OK) return err;
        candidate->bound = NULL; /* it was of all of it */
        candidate->settled = false;
    }
    body->body_case = CALLOUT__FACT_BODY__BODY_PLAN;
    body->plan = candidate;
    return ERR_OK;
}

void proposal_accepted(struct call *call, const Callout__PlanCandidate *accepted)
{
    struct kept *kept = kept_find(call->engine, accepted->territory_id, accepted->service_day);
    if (kept == NULL || kept->number == 0) return;
    Callout__PlanCandidate *rest = kept_candidate(call, kept);
    size_t left = 0;
    for (size_t r = 0; r < rest->n_routes; r++) {
        if (route_of(accepted, rest->routes[r]->technician_id) == accepted->n_routes)
            rest->routes[left++] = rest->routes[r];
    }
    rest->n_routes = left;
    rest->bound = NULL;
    rest->settled = false;
    int64_t made_us = kept->made_us;
    forget(kept);
    struct trial trial;
    if (left == 0) return;
    trial_begin(&trial, call->engine, rest);
    uint32_t changes = trial.err == ERR_OK ? trial_changes(&trial) : 0;
    trial_end(&trial);
    if (changes == 0) return;
    keep(call->engine, kept, rest);
    kept->made_us = made_us;
    kept->changes = changes;
}

enum err handle_discard_proposal(struct call *call)
{
    const Callout__DiscardProposalRequest *request =
        (const Callout__DiscardProposalRequest *)call->message;
    struct kept *kept;
    enum err err =
        find_waiting(call, request->territory_id, request->service_day, request->number, &kept);
    if (err != ERR_OK) return err;
    kept->refused = hash_routes(kept_candidate(call, kept));
    forget(kept);
    Callout__DiscardProposalReply *answer = arena_need(call->arena, sizeof *answer);
    callout__discard_proposal_reply__init(answer);
    call->answer = &answer->base;
    return ERR_OK;
}

enum err handle_set_review(struct call *call)
{
    const Callout__SetReviewRequest *request = (const Callout__SetReviewRequest *)call->message;
    char name[LIMIT_ID + 8];
    enum err err = need_territory(call, request->territory_id);
    if (err != ERR_OK) return err;
    if (request->wait_seconds > WAIT_S_MAX)
        return problem_set(&call->problem, ERR_INVALID, "wait_seconds", "is at most %d",
                           WAIT_S_MAX);
    Callout__SetReviewReply *answer = arena_need(call->arena, sizeof *answer);
    callout__set_review_reply__init(answer);
    call->answer = &answer->base;
    review_name(name, sizeof name, request->territory_id);
    uint32_t *seconds = arena_need(call->arena, sizeof *seconds);
    *seconds = request->wait_seconds;
    return engine_put(call->engine, ROW_META, &(struct row_meta){name, {seconds, sizeof *seconds}});
}
