/* requests.c - one request through the engine: decoded, authorized, done, answered. */
#include "base/log.h"
#include "dispatcher/authz.h"
#include "dispatcher/engine_impl.h"
#include "message.h"

#include <stdio.h>
#include <string.h>

static const struct operation {
    const char *method;
    handler *handle;
} operations[] = {
    {"Enroll", handle_enroll},
    {"Hello", handle_hello},
    {"Push", handle_push},
    {"Pull", handle_pull},
    {"Snapshot", handle_snapshot},
    {"PutBlob", handle_put_blob},
    {"GetBlob", handle_get_blob},
    {"Ping", handle_ping},
    {"Login", handle_login},
    {"Logout", handle_logout},
    {"WhoAmI", handle_who_am_i},
    {"ChangePassword", handle_change_password},
    {"AuditLog", handle_audit_log},
    {"UpsertTerritory", handle_mutation},
    {"UpsertTechnician", handle_mutation},
    {"UpsertWorkOrder", handle_mutation},
    {"CancelWorkOrder", handle_mutation},
    {"ReportAbsence", handle_mutation},
    {"CancelAbsence", handle_mutation},
    {"Technicians", handle_technicians},
    {"Territories", handle_territories},
    {"CheckImport", handle_check_import},
    {"PutAddresses", handle_put_addresses},
    {"FindAddress", handle_find_address},
    {"Assign", handle_mutation},
    {"Unassign", handle_mutation},
    {"SetPin", handle_mutation},
    {"Swap", handle_mutation},
    {"HoldWorkOrder", handle_mutation},
    {"ReleaseWorkOrder", handle_mutation},
    {"ReportStatus", handle_mutation},
    {"Undo", handle_mutation},
    {"UndoList", handle_undo_list},
    {"PlanDiffs", handle_plan_diffs},
    {"RollBackPlan", handle_mutation},
    {"Proposal", handle_proposal},
    {"AcceptProposal", handle_mutation},
    {"DiscardProposal", handle_discard_proposal},
    {"SetReview", handle_set_review},
    {"SendMessage", handle_mutation},
    {"Messages", handle_messages},
    {"SetFreezeHorizon", handle_mutation},
    {"AdvanceClock", handle_advance_clock},
    {"Board", handle_board},
    {"EventFeed", handle_event_feed},
    {"Candidates", handle_candidates},
    {"WorkOrderDetail", handle_work_order_detail},
    {"CheckMove", handle_check_move},
    {"Explain", handle_explain},
    {"EmergencyOptions", handle_emergency_options},
    {"ShadowPrices", handle_shadow_prices},
    {"Conflicts", handle_conflicts},
    {"ResolveConflict", handle_mutation},
    {"DeadLetters", handle_dead_letters},
    {"PlanAcks", handle_plan_acks},
    {"DismissDeadLetter", handle_dismiss_dead_letter},
    {"PeopleList", handle_people_list},
    {"PutPerson", handle_put_person},
    {"DisablePerson", handle_disable_person},
    {"Devices", handle_devices},
    {"MakeEnrolToken", handle_make_enrol_token},
    {"RevokeDevice", handle_revoke_device},
    {"SystemHealth", handle_system_health},
    {"Kpis", handle_kpis},
    {"ResolveSession", handle_resolve_session},
    {"Follow", handle_follow},
    {"NextProblem", handle_next_problem},
    {"ProposePlan", handle_propose_plan},
    {"ReportBound", handle_report_bound},
    {"Admin", handle_admin},
};

static handler *operation_find(const char *method)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(operations[i].method, method) == 0) return operations[i].handle;
    }
    return NULL;
}

/* What a gateway remembers of a device may be old: its row says what it is now. */
static enum err check_device(struct call *call)
{
    if (call->who->kind != CALLOUT__PRINCIPAL_KIND__DEVICE) return ERR_OK;
    struct row_device *device = arena_need(call->arena, sizeof *device);
    enum err err = device_load(call, call->who->id, device);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && device->epoch != call->who->epoch))
        return problem_set(&call->problem, ERR_UNAUTH, "session_token",
                           "the device has no session");
    if (err != ERR_OK) return err;
    call->device = device;
    if (!device->revoked) return ERR_OK;
    Callout__Principal *gone = arena_need(call->arena, sizeof *gone);
    *gone = *call->who;
    gone->role = arena_text(call->arena, ROLE_GONE);
    call->who = gone;
    return ERR_OK;
}

static enum err not_any_more(struct call *call)
{
    return problem_set(&call->problem, ERR_UNAUTH, "session_token", "is unknown or has ended");
}

/* The same for keys and people: what is granted to them is in their row. */
static enum err check_account(struct call *call)
{
    union row row;
    struct row_person person;
    enum err err = ERR_NOT_FOUND;
    call->territories = GRANT_ALL;
    if (call->who->kind == CALLOUT__PRINCIPAL_KIND__PERSON) {
        err = person_load(call, call->who->id, &person);
        if (err == ERR_NOT_FOUND || (err == ERR_OK && person.disabled)) return not_any_more(call);
        if (err == ERR_OK) call->territories = person.territories;
    } else if (call->who->kind == CALLOUT__PRINCIPAL_KIND__KEY) {
        err = store_get(call->engine->store, ROW_API_KEY,
                        &(struct row_api_key){.name = call->who->id}, &row);
        if (err == ERR_OK && row.api_key.revoked) return not_any_more(call);
        if (err == ERR_OK) call->territories = arena_text(call->arena, row.api_key.territories);
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Decodes the body and runs the operation. */
static enum err dispatch(struct call *call)
{
    struct method found;
    handler *handle = operation_find(call->method);
    if (handle == NULL || !method_find(call->method, &found))
        return problem_set(&call->problem, ERR_INVALID, "method", "there is no operation \"%.64s\"",
                           call->method);
    enum err err = check_device(call);
    if (err == ERR_OK) err = check_account(call);
    if (err != ERR_OK) return err;
    err = authorize(call->who, call->method);
    if (err != ERR_OK)
        return problem_set(&call->problem, err, "session_token", "%s", authorize_text(err));
    ProtobufCMessage *message;
    err = message_decode(found.method->input, call->body.data, call->body.len, call->arena,
                         &message, &call->problem);
    if (err != ERR_OK) return err;
    call->message = message;
    err = authorize_objects(call);
    return err == ERR_OK ? handle(call) : err;
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
    bool clash = err == ERR_CONFLICT && call->answer != NULL &&
                 call->answer->descriptor == &callout__mutation_reply__descriptor;
    if (call->answer != NULL && (err == ERR_OK || err == ERR_GONE || clash))
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
                        .peer = request->peer,
                        .session = request->session_token,
                        .forwarded = outer->item,
                        .body = request->body};
    enum err err = ERR_UNAUTH;
    if (call.who == NULL)
        problem_set(&call.problem, err, "principal", "is missing");
    else
        err = dispatch(&call);
    *reply = reply_of(&call, err);
    callout__forward_reply__init(out);
    out->reply = reply;
    if (err != ERR_OK || request->session_token.len == 0) return ERR_OK;
    out->ended_sessions = arena_need(outer->arena, sizeof *out->ended_sessions);
    out->ended_sessions[0] = request->session_token;
    out->n_ended_sessions = 1;
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

ProtobufCBinaryData engine_answer(struct engine *engine, struct engine_item *item,
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

/* The answer of a request that was not done. */
static ProtobufCBinaryData undone_answer(struct engine *engine, struct engine_item *item,
                                         enum err err, const char *text)
{
    struct call call = {
        .engine = engine, .arena = &engine->batch_arena, .method = "", .request_id = ""};
    snprintf(call.text, sizeof call.text, "%s", text);
    if (err == ERR_BUSY) call.retry_after_ms = 500;
    Callout__Reply reply = reply_of(&call, err);
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

ProtobufCBinaryData engine_retry_answer(struct engine *engine, struct engine_item *item)
{
    return undone_answer(engine, item, ERR_RETRY, "nothing was stored: send it again");
}

ProtobufCBinaryData engine_busy_answer(struct engine *engine, struct engine_item *item)
{
    return undone_answer(engine, item, ERR_BUSY, "too many passwords are being checked");
}
