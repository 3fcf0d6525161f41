/* mutations.c - what dispatchers, integrators and tools change: once per request_id, whatever the
 * wire does. The result of a request is stored in the transaction that did it. */
#include "base/clock.h"
#include "dispatcher/engine_impl.h"
#include "message.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PAYLOAD_HASH = 16 };

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

/* The day on which an order is planned: that of its first window, else of its earliest start, else
 * today. */
static int64_t order_day(struct call *call)
{
    const Callout__UpsertWorkOrderRequest *request =
        (const Callout__UpsertWorkOrderRequest *)call->message;
    const Callout__WorkOrder *order = request->work_order;
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

enum err handle_mutation(struct call *call)
{
    Callout__FactBody body;
    callout__fact_body__init(&body);
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
    if (!body_of(call->method, call->message, &body)) return ERR_INTERNAL;
    err = check_zone(call, &body);
    if (err == ERR_OK && body.body_case == CALLOUT__FACT_BODY__BODY_RESOLVE_CONFLICT)
        err = conflict_check_open(call, (int64_t)body.resolve_conflict->seq);
    if (err != ERR_OK) return err;
    body.actor = (Callout__Principal *)(uintptr_t)call->who;
    body.request_id = arena_text(call->arena, call->request_id);
    if (body.body_case == CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER)
        body.service_day = order_day(call);
    Callout__Quarantined quarantined;
    callout__quarantined__init(&quarantined);
    if (call->engine->quarantine) {
        body.body_case = CALLOUT__FACT_BODY__BODY_QUARANTINED;
        body.quarantined = &quarantined;
    }
    int64_t seq;
    Callout__Move *move = NULL;
    if (body.body_case == CALLOUT__FACT_BODY__BODY_ASSIGN) move = assign_move(call, body.assign);
    err = engine_apply(call->engine, &body, &seq, NULL, &call->problem);
    if (err == ERR_CONFLICT) refuse_edit(call, &body, move);
    if (err != ERR_OK) return err;
    uint64_t *result = arena_need(call->arena, sizeof *result);
    *result = call->engine->quarantine ? 0 : (uint64_t)seq;
    err = store_result(call, &row, hash, result);
    if (err != ERR_OK) return ERR_INTERNAL;
    if (call->engine->quarantine)
        return problem_set(
            &call->problem, ERR_INTERNAL, "",
            "the request could not be done; it was kept in quarantine for us to look at");
    result_answer(call, *result, false)->move = move;
    return ERR_OK;
}
