/* clash.c - an edit that came too late: what its sender saw, what there is, and who was before. */
#include "dispatcher/engine_impl.h"

#include <string.h>

enum { CHANGES_MAX = 10 };

/* What an edit is about, and which version of that it expects; 0: any. */
struct meant {
    const char *appointment_id, *technician_id; /* "": it is about the other */
    uint64_t expected;
};

/* Of two the one that is not as expected. */
static struct meant swap_meant(struct call *call, const Callout__SwapRequest *swap)
{
    struct core_visit visit;
    bool first = core_visit(call->engine->core, swap->appointment_id, &visit) &&
                 swap->expected_version != 0 && (uint64_t)visit.version != swap->expected_version;
    return first ? (struct meant){swap->appointment_id, "", swap->expected_version}
                 : (struct meant){swap->other_appointment_id, "", swap->other_expected_version};
}

static struct meant meant_by(struct call *call, const Callout__FactBody *body)
{
    const char *order_id = "";
    struct meant meant = {"", "", 0};
    switch ((int)body->body_case) {
    case CALLOUT__FACT_BODY__BODY_ASSIGN:
        return (struct meant){body->assign->appointment_id, "", body->assign->expected_version};
    case CALLOUT__FACT_BODY__BODY_UNASSIGN:
        return (struct meant){body->unassign->appointment_id, "", body->unassign->expected_version};
    case CALLOUT__FACT_BODY__BODY_SET_PIN:
        return (struct meant){body->set_pin->appointment_id, "", body->set_pin->expected_version};
    case CALLOUT__FACT_BODY__BODY_REPORT_STATUS:
        return (struct meant){body->report_status->appointment_id, "",
                              body->report_status->expected_version};
    case CALLOUT__FACT_BODY__BODY_SWAP: return swap_meant(call, body->swap);
    case CALLOUT__FACT_BODY__BODY_REPORT_ABSENCE:
        return (struct meant){"", body->report_absence->absence->technician_id,
                              body->report_absence->expected_plan_seq};
    case CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER:
        order_id = body->cancel_work_order->work_order_id;
        meant.expected = body->cancel_work_order->expected_version;
        break;
    case CALLOUT__FACT_BODY__BODY_HOLD:
        order_id = body->hold->work_order_id;
        meant.expected = body->hold->expected_version;
        break;
    case CALLOUT__FACT_BODY__BODY_RELEASE:
        order_id = body->release->work_order_id;
        meant.expected = body->release->expected_version;
        break;
    case CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER:
        order_id = body->upsert_work_order->work_order->work_order_id;
        meant.expected = body->upsert_work_order->expected_version;
        break;
    default: return meant;
    }
    meant.appointment_id = order_appointment_id(call->arena, order_id);
    return meant;
}

char *order_appointment_id(struct arena *arena, const char *work_order_id)
{
    size_t size = strlen(work_order_id);
    char *id = arena_need(arena, size + sizeof ".1");
    memcpy(id, work_order_id, size);
    memcpy(id + size, ".1", sizeof ".1");
    return id;
}

Callout__FeedEvent *read_event(struct call *call, int64_t seq, const char **reason)
{
    union row row;
    char text[256];
    const struct row_fact key = {.seq = seq};
    *reason = "";
    if (store_get(call->engine->store, ROW_FACT, &key, &row) != ERR_OK) return NULL;
    Callout__FactBody *body = fact_body(&row.fact);
    if (body == NULL) return NULL;
    Callout__FeedEvent *event = arena_need(call->arena, sizeof *event);
    callout__feed_event__init(event);
    fact_text(body, &row.fact, text, sizeof text);
    event->seq = (uint64_t)seq;
    event->time_us = row.fact.time_us;
    event->kind = arena_text(call->arena, fact_kind_name((enum fact_kind)row.fact.kind));
    event->subject = arena_text(call->arena, fact_subject(body));
    event->actor = arena_text(call->arena, fact_actor(body));
    event->text = arena_text(call->arena, text);
    *reason = arena_text(call->arena, fact_reason(body));
    callout__fact_body__free_unpacked(body, NULL);
    return event;
}

struct since {
    struct arena *arena;
    int64_t expected;
    int64_t seqs[CHANGES_MAX]; /* newest first */
    uint32_t count;
    Callout__PlanDelta *delta;
};

/* Newest first: the first row says where it stands, the last where it stood. */
static bool note_since(void *context, const void *visited)
{
    struct since *since = context;
    const struct row_change *row = visited;
    Callout__PlanDelta *delta = since->delta;
    if (since->count == 0 && delta->technician_after[0] == '\0' && row->seq > since->expected) {
        delta->technician_after = arena_text(since->arena, row->owner_after);
        delta->start_after_us = row->start_after_us;
    }
    bool before = row->seq <= since->expected;
    delta->technician_before =
        arena_text(since->arena, before ? row->owner_after : row->owner_before);
    delta->start_before_us = before ? row->start_after_us : row->start_before_us;
    if (before) return false;
    bool seen = since->count > 0 && since->seqs[since->count - 1] == row->seq;
    if (!seen && since->count < CHANGES_MAX) since->seqs[since->count++] = row->seq;
    return true;
}

static void fill_since(struct call *call, const struct meant *meant, Callout__Clash *clash)
{
    struct since since = {.arena = call->arena, .expected = (int64_t)meant->expected};
    since.delta = arena_need(call->arena, sizeof *since.delta);
    callout__plan_delta__init(since.delta);
    since.delta->appointment_id = arena_text(call->arena, meant->appointment_id);
    if (store_history_of(call->engine->store, meant->appointment_id, note_since, &since) != ERR_OK)
        return;
    clash->since = since.delta;
    clash->changes = arena_need(call->arena, CHANGES_MAX * sizeof *clash->changes);
    for (uint32_t i = 0; i < since.count; i++) {
        const char *reason;
        Callout__FeedEvent *event = read_event(call, since.seqs[i], &reason);
        if (event != NULL) clash->changes[clash->n_changes++] = event;
    }
}

Callout__Clash *read_clash(struct call *call, const Callout__FactBody *body)
{
    static const char field[] = "expected_";
    const char *reason;
    struct core_technician technician;
    if (strncmp(call->problem.field, field, sizeof field - 1) != 0) return NULL;
    struct meant meant = meant_by(call, body);
    Callout__Clash *clash = arena_need(call->arena, sizeof *clash);
    callout__clash__init(clash);
    clash->expected_version = meant.expected;
    if (meant.technician_id[0] != '\0') {
        if (!core_technician(call->engine->core, meant.technician_id, call->engine->now_us,
                             &technician))
            return NULL;
        clash->version = (uint64_t)technician.changed_seq;
        clash->changes = arena_need(call->arena, sizeof *clash->changes);
        clash->changes[0] = read_event(call, technician.changed_seq, &reason);
        clash->n_changes = clash->changes[0] != NULL;
        return clash;
    }
    clash->now = read_feed_appointment(call, meant.appointment_id);
    if (clash->now != NULL) clash->version = clash->now->appointment->version;
    fill_since(call, &meant, clash);
    return clash;
}
