/* mutations.c - what dispatchers, integrators and tools change: once per request_id, whatever the
 * wire does. The result of a request is stored in the transaction that did it. */
#include "base/clock.h"
#include "dispatcher/proposals.h"
#include "dispatcher/undo.h"
#include "message.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PAYLOAD_HASH = 16, BODIES_MAX = 16 };
static_assert((int)BODIES_MAX >= (int)UNDO_BODIES_MAX, "room for an undo");

static bool request_id_valid(const char *id)
{
    size_t size = strlen(id);
    return size > 0 && size <= LIMIT_ID;
}

static bool body_of(const char *method, const ProtobufCMessage *message, Callout__FactBody *body)
{
    /* The message is only read, but protobuf-c's structs know no const. */
    void *request = (void *)(uintptr_t)message;
    static const struct {
        const char *method;
        Callout__FactBody__BodyCase body_case;
    } cases[] = {
        {"UpsertTerritory", CALLOUT__FACT_BODY__BODY_UPSERT_TERRITORY},
        {"UpsertTechnician", CALLOUT__FACT_BODY__BODY_UPSERT_TECHNICIAN},
        {"UpsertWorkOrder", CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER},
        {"CancelWorkOrder", CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER},
        {"ReportAbsence", CALLOUT__FACT_BODY__BODY_REPORT_ABSENCE},
        {"Assign", CALLOUT__FACT_BODY__BODY_ASSIGN},
        {"Unassign", CALLOUT__FACT_BODY__BODY_UNASSIGN},
        {"SetPin", CALLOUT__FACT_BODY__BODY_SET_PIN},
        {"SetFreezeHorizon", CALLOUT__FACT_BODY__BODY_SET_FREEZE_HORIZON},
        {"SendMessage", CALLOUT__FACT_BODY__BODY_SEND_MESSAGE},
        {"Swap", CALLOUT__FACT_BODY__BODY_SWAP},
        {"HoldWorkOrder", CALLOUT__FACT_BODY__BODY_HOLD},
        {"ReleaseWorkOrder", CALLOUT__FACT_BODY__BODY_RELEASE},
        {"ReportStatus", CALLOUT__FACT_BODY__BODY_REPORT_STATUS},
        {"ResolveConflict", CALLOUT__FACT_BODY__BODY_RESOLVE_CONFLICT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].method, method) != 0) continue;
        body->body_case = cases[i].body_case;
        body->upsert_territory = request; /* all members of the union are pointers */
        return true;
    }
    return false;
}

int64_t order_day(struct call *call, const Callout__WorkOrder *order)
{
    if (order == NULL) return 0;
    const char *zone = core_territory_zone(call->engine->core, order->territory_id);
    int64_t at_us = call->engine->now_us;
    if (order->n_windows > 0)
        at_us = order->windows[0]->start_us;
    else if (order->earliest_start_us > at_us)
        at_us = order->earliest_start_us;
    int64_t today = zone_service_day(zone != NULL ? zone : "", call->engine->now_us);
    const int64_t span_us = 5 * 366 * US_PER_DAY; /* beyond it the order is refused anyway */
    if (at_us < call->engine->now_us - span_us || at_us > call->engine->now_us + span_us)
        return today;
    int64_t day = zone_service_day(zone != NULL ? zone : "", at_us);
    return day > today ? day : today;
}

static Callout__MutationReply *result_answer(struct call *call, uint64_t log_seq, bool duplicate)
{
    Callout__MutationReply *answer = arena_need(call->arena, sizeof *answer);
    callout__mutation_reply__init(answer);
    answer->log_seq = log_seq;
    answer->duplicate = duplicate;
    call->answer = &answer->base;
    return answer;
}

/* Who is refused learns what he would have done, and who was before him. */
static void refuse_edit(struct call *call, const Callout__FactBody *body, Callout__Move *move)
{
    Callout__MutationReply *answer = result_answer(call, 0, false);
    answer->move = move;
    answer->clash = read_clash(call, body);
}

/* The stored result of an earlier delivery, if there is one. */
static enum err stored_result(struct call *call, const struct row_request_result *key,
                              const uint8_t *payload_hash, bool *found)
{
    union row row;
    *found = false;
    enum err err = store_get(call->engine->store, ROW_REQUEST_RESULT, key, &row);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err != ERR_OK) return err;
    const struct row_request_result *stored = &row.request_result;
    if (stored->payload_hash.size != PAYLOAD_HASH ||
        memcmp(stored->payload_hash.bytes, payload_hash, PAYLOAD_HASH) != 0)
        return problem_set(&call->problem, ERR_CONFLICT, "request_id",
                           "was used for another request before");
    uint64_t seq = 0;
    if (stored->result.size == sizeof seq) memcpy(&seq, stored->result.bytes, sizeof seq);
    *found = true;
    if (seq == 0) return problem_set(&call->problem, ERR_INTERNAL, "", "it was quarantined");
    result_answer(call, seq, true);
    return ERR_OK;
}

static enum err store_result(struct call *call, struct row_request_result *row, const uint8_t *hash,
                             const uint64_t *seq)
{
    row->payload_hash = (struct blob){hash, PAYLOAD_HASH};
    row->result = (struct blob){seq, sizeof *seq};
    row->wall_us = engine_wall_us(call->engine);
    return engine_put(call->engine, ROW_REQUEST_RESULT, row);
}

/* Whether a zone is known depends on this machine, so it is asked here: never when a fact is read
 * again. */
static enum err check_zone(struct call *call, const Callout__FactBody *body)
{
    const char *field = "territory.time_zone", *zone = "";
    if (body->body_case == CALLOUT__FACT_BODY__BODY_UPSERT_TERRITORY &&
        body->upsert_territory->territory != NULL) {
        zone = body->upsert_territory->territory->time_zone;
    } else if (body->body_case == CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER &&
               body->upsert_work_order->work_order != NULL &&
               body->upsert_work_order->work_order->site != NULL) {
        field = "work_order.site.time_zone";
        zone = body->upsert_work_order->work_order->site->time_zone;
    }
    if (zone_known(zone)) return ERR_OK;
    return problem_set(&call->problem, ERR_INVALID, field,
                       "\"%.64s\" is no time zone known here; an IANA name such as Europe/Vaduz",
                       zone);
}

static enum err check_taken(struct call *call, const Callout__FactBody *body)
{
    enum err err = check_zone(call, body);
    if (err == ERR_OK && body->body_case == CALLOUT__FACT_BODY__BODY_RESOLVE_CONFLICT)
        err = conflict_check_open(call, (int64_t)body->resolve_conflict->seq);
    return err;
}

/* The facts that a request becomes: one, but for some that take something back, or bring shifts to
 * somebody who is away. */
static enum err make_bodies(struct call *call, Callout__FactBody *bodies, uint32_t *count,
                            int64_t *undone_seq)
{
    enum err err = ERR_OK;
    *count = 1;
    *undone_seq = 0;
    for (uint32_t i = 0; i < BODIES_MAX; i++)
        callout__fact_body__init(&bodies[i]);
    if (strcmp(call->method, "Undo") == 0)
        err = undo_bodies(call, bodies, count, undone_seq);
    else if (strcmp(call->method, "RollBackPlan") == 0)
        err = roll_back_body(call, &bodies[0]);
    else if (strcmp(call->method, "AcceptProposal") == 0)
        err = accept_proposal_body(call, &bodies[0]);
    else if (strcmp(call->method, "CancelAbsence") == 0)
        err = cancel_absence_body(call, &bodies[0]);
    else if (!body_of(call->method, call->message, &bodies[0]))
        err = ERR_INTERNAL;
    if (err == ERR_OK) err = check_taken(call, &bodies[0]);
    if (err == ERR_OK && bodies[0].body_case == CALLOUT__FACT_BODY__BODY_UPSERT_TECHNICIAN)
        *count += absences_again(call, bodies[0].upsert_technician, &bodies[1], BODIES_MAX - 1);
    for (uint32_t i = 0; i < *count && err == ERR_OK; i++) {
        bodies[i].actor = (Callout__Principal *)(uintptr_t)call->who;
        bodies[i].request_id = arena_text(call->arena, call->request_id);
        if (bodies[i].body_case == CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER)
            bodies[i].service_day = order_day(call, bodies[i].upsert_work_order->work_order);
    }
    return err;
}

/* Only its first fact may be refused: what else goes with it is done as far as it can be. */
static enum err apply_bodies(struct call *call, const Callout__FactBody *bodies, uint32_t count,
                             int64_t *seq)
{
    struct problem ignored;
    enum err err = engine_apply(call->engine, &bodies[0], seq, NULL, &call->problem);
    for (uint32_t i = 1; i < count && err == ERR_OK; i++) {
        err = engine_apply(call->engine, &bodies[i], seq, NULL, &ignored);
        if (err != ERR_INTERNAL) err = ERR_OK;
    }
    return err;
}

/* An edit that was done can be taken back; one that was taken back cannot be so again. */
static enum err note_edit(struct call *call, Callout__EditUndo *undo, int64_t seq,
                          int64_t undone_seq)
{
    if (undone_seq != 0) return undo_forget(call, undone_seq);
    return undo == NULL ? ERR_OK : undo_keep(call, undo, seq);
}

static enum err apply_edit(struct call *call, struct row_request_result *row, const uint8_t *hash)
{
    Callout__FactBody bodies[BODIES_MAX];
    uint32_t count;
    int64_t seq, undone_seq;
    Callout__Move *move = NULL;
    enum err err = make_bodies(call, bodies, &count, &undone_seq);
    if (err != ERR_OK) return err;
    if (bodies[0].body_case == CALLOUT__FACT_BODY__BODY_ASSIGN)
        move = assign_move(call, bodies[0].assign);
    Callout__EditUndo *undo = undone_seq == 0 ? undo_before(call, &bodies[0]) : NULL;
    err = apply_bodies(call, bodies, count, &seq);
    if (err == ERR_CONFLICT) refuse_edit(call, &bodies[0], move);
    if (err != ERR_OK) return err;
    if (bodies[0].body_case == CALLOUT__FACT_BODY__BODY_PLAN)
        proposal_accepted(call, bodies[0].plan);
    uint64_t *result = arena_need(call->arena, sizeof *result);
    *result = (uint64_t)seq;
    err = note_edit(call, undo, seq, undone_seq);
    if (err == ERR_OK) err = store_result(call, row, hash, result);
    if (err != ERR_OK) return ERR_INTERNAL;
    result_answer(call, *result, false)->move = move;
    return ERR_OK;
}

/* It crashed the core before: only that it was asked is a fact. */
static enum err apply_quarantined(struct call *call, struct row_request_result *row,
                                  const uint8_t *hash)
{
    static const uint64_t nothing = 0;
    Callout__FactBody body;
    Callout__Quarantined quarantined;
    int64_t seq;
    callout__fact_body__init(&body);
    callout__quarantined__init(&quarantined);
    body.actor = (Callout__Principal *)(uintptr_t)call->who;
    body.request_id = arena_text(call->arena, call->request_id);
    body.body_case = CALLOUT__FACT_BODY__BODY_QUARANTINED;
    body.quarantined = &quarantined;
    enum err err = engine_apply(call->engine, &body, &seq, NULL, &call->problem);
    if (err != ERR_OK) return err;
    if (store_result(call, row, hash, &nothing) != ERR_OK) return ERR_INTERNAL;
    return problem_set(
        &call->problem, ERR_INTERNAL, "",
        "the request could not be done; it was kept in quarantine for us to look at");
}

enum err handle_mutation(struct call *call)
{
    uint8_t hash[PAYLOAD_HASH];
    struct row_request_result row = {.principal = call->who->id, .request_id = call->request_id};
    bool found;
    if (!request_id_valid(call->request_id))
        return problem_set(&call->problem, ERR_INVALID, "request_id",
                           "must be 1 to %d bytes, unique for each change", LIMIT_ID);
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)call->method, strlen(call->method));
    crypto_generichash_update(&state, call->body.data, call->body.len);
    crypto_generichash_final(&state, hash, sizeof hash);
    enum err err = stored_result(call, &row, hash, &found);
    if (err != ERR_OK || found) return err;
    return call->engine->quarantine ? apply_quarantined(call, &row, hash)
                                    : apply_edit(call, &row, hash);
}
