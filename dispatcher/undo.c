#include "dispatcher/undo.h"

#include "dispatcher/authz.h"
#include "dispatcher/core/answer.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STANDINGS_MAX = LIMIT_VISITS_PER_ROUTE * 8, SHIFTS_MAX = 64 };

/* --- what an edit is about, before --- */

static Callout__Standing *standing_now(struct call *call, const char *appointment_id)
{
    const Callout__FieldAppointment *whole = read_field_appointment(call, appointment_id);
    if (whole == NULL) return NULL;
    const Callout__Appointment *it = whole->appointment;
    Callout__Standing *to = arena_need(call->arena, sizeof *to);
    callout__standing__init(to);
    to->appointment_id = it->appointment_id;
    if (it->assignment != NULL) to->technician_id = it->assignment->technician_id;
    if (it->assignment != NULL) to->start_us = it->planned_start_us;
    to->pin = it->pin;
    to->on_hold = it->on_hold;
    return to;
}

static Callout__EditUndo *new_undo(struct call *call)
{
    Callout__EditUndo *undo = arena_need(call->arena, sizeof *undo);
    Callout__Restored *restored = arena_need(call->arena, sizeof *restored);
    callout__edit_undo__init(undo);
    callout__restored__init(restored);
    restored->standings = arena_need(call->arena, STANDINGS_MAX * sizeof *restored->standings);
    restored->absences = arena_need(call->arena, SHIFTS_MAX * sizeof *restored->absences);
    undo->restored = restored;
    return undo;
}

struct undo_visits {
    struct call *call;
    Callout__Restored *restored;
};

static void add_standing(void *context, const char *appointment_id)
{
    struct undo_visits *visits = context;
    struct core_visit visit;
    if (visits->restored->n_standings == STANDINGS_MAX) return;
    for (size_t i = 0; i < visits->restored->n_standings; i++)
        if (strcmp(visits->restored->standings[i]->appointment_id, appointment_id) == 0) return;
    if (!core_visit(visits->call->engine->core, appointment_id, &visit) ||
        !life_plannable(visit.status))
        return;
    Callout__Standing *standing = standing_now(visits->call, appointment_id);
    if (standing != NULL) visits->restored->standings[visits->restored->n_standings++] = standing;
}

/* The days on which he is to be away, as they are, and all his visits: those that he keeps are left
 * out afterwards. */
static void before_absence(struct call *call, const Callout__Absence *absence,
                           Callout__Restored *to)
{
    const struct core *core = call->engine->core;
    struct undo_visits visits = {call, to};
    struct core_technician technician;
    struct core_shift shift;
    int64_t now_us = call->engine->now_us, start_us = absence->start_us;
    if (start_us == 0) start_us = now_us;
    if (!core_technician(core, absence->technician_id, now_us, &technician)) return;
    int64_t day = zone_service_day(core_territory_zone(core, technician.territory_id), start_us);
    for (int64_t at = day - 1; at < day + SHIFTS_MAX - 1; at++) {
        if (!core_shift(core, absence->technician_id, at, &shift) || shift.end_us < start_us)
            continue;
        if (absence->end_us != 0 && shift.start_us > absence->end_us) break;
        Callout__AbsenceBefore *before = arena_need(call->arena, sizeof *before);
        callout__absence_before__init(before);
        before->technician_id = arena_text(call->arena, absence->technician_id);
        before->service_day = at;
        before->start_us = shift.absent_start_us;
        before->end_us = shift.absent_end_us;
        before->taken_back_us = start_us;
        to->absences[to->n_absences++] = before;
    }
    core_visits_of(core, absence->technician_id, 0, INT64_MAX, add_standing, &visits);
}

static void before_order(struct call *call, const Callout__WorkOrder *order,
                         Callout__EditUndo *undo)
{
    struct undo_visits visits = {call, undo->restored};
    const char *id = order_appointment_id(call->arena, order->work_order_id);
    const Callout__FieldAppointment *before = read_field_appointment(call, id);
    if (before == NULL) {
        undo->cancel_work_order_id = arena_text(call->arena, order->work_order_id);
        return;
    }
    undo->work_order = before->work_order;
    add_standing(&visits, id);
}

/* Who may have to make room where it goes. */
static void add_route(struct undo_visits *visits, const char *technician_id)
{
    if (technician_id[0] != '\0')
        core_visits_of(visits->call->engine->core, technician_id, 0, INT64_MAX, add_standing,
                       visits);
}

static void before_swap(struct undo_visits *visits, Callout__EditUndo *undo)
{
    undo->main = (uint32_t)undo->restored->n_standings;
    for (uint32_t i = 0; i < undo->main; i++)
        add_route(visits, undo->restored->standings[i]->technician_id);
}

static bool keeps_edits(const struct call *call)
{
    return call->who->kind == CALLOUT__PRINCIPAL_KIND__PERSON ||
           strcmp(call->who->role, "dispatcher") == 0;
}

Callout__EditUndo *undo_before(struct call *call, const Callout__FactBody *body)
{
    if (!keeps_edits(call)) return NULL;
    Callout__EditUndo *undo = new_undo(call);
    struct undo_visits visits = {call, undo->restored};
    const char *order_id = NULL;
    switch ((int)body->body_case) {
    case CALLOUT__FACT_BODY__BODY_ASSIGN:
        add_standing(&visits, body->assign->appointment_id);
        undo->main = (uint32_t)undo->restored->n_standings;
        add_route(&visits, body->assign->technician_id);
        break;
    case CALLOUT__FACT_BODY__BODY_UNASSIGN:
        add_standing(&visits, body->unassign->appointment_id);
        break;
    case CALLOUT__FACT_BODY__BODY_SET_PIN:
        add_standing(&visits, body->set_pin->appointment_id);
        break;
    case CALLOUT__FACT_BODY__BODY_SWAP:
        add_standing(&visits, body->swap->appointment_id);
        add_standing(&visits, body->swap->other_appointment_id);
        before_swap(&visits, undo);
        break;
    case CALLOUT__FACT_BODY__BODY_HOLD: order_id = body->hold->work_order_id; break;
    case CALLOUT__FACT_BODY__BODY_RELEASE: order_id = body->release->work_order_id; break;
    case CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER:
        order_id = body->cancel_work_order->work_order_id;
        break;
    case CALLOUT__FACT_BODY__BODY_REPORT_ABSENCE:
        if (body->report_absence->absence != NULL)
            before_absence(call, body->report_absence->absence, undo->restored);
        break;
    case CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER:
        if (body->upsert_work_order->work_order != NULL)
            before_order(call, body->upsert_work_order->work_order, undo);
        break;
    case CALLOUT__FACT_BODY__BODY_RESTORED:
        for (size_t i = 0; i < body->restored->n_standings; i++)
            add_standing(&visits, body->restored->standings[i]->appointment_id);
        break;
    default: return NULL;
    }
    if (order_id != NULL) add_standing(&visits, order_appointment_id(call->arena, order_id));
    bool nothing = undo->restored->n_standings + undo->restored->n_absences == 0 &&
                   undo->work_order == NULL && undo->cancel_work_order_id[0] == '\0';
    return nothing ? NULL : undo;
}

/* --- what is kept --- */

static bool stands_so(struct call *call, const Callout__Standing *it)
{
    struct core_visit visit;
    return core_visit(call->engine->core, it->appointment_id, &visit) &&
           strcmp(visit.technician_id, it->technician_id) == 0 &&
           (visit.technician_id[0] == '\0' || visit.planned_start_us == it->start_us);
}

/* Of those that were only looked at, they stay that the edit moved. */
static void leave_out_kept(struct call *call, Callout__EditUndo *undo)
{
    Callout__Restored *it = undo->restored;
    bool looked = it->n_absences > 0 || undo->work_order != NULL;
    if (undo->main == 0 && !looked) undo->main = (uint32_t)it->n_standings;
    size_t kept = undo->main;
    for (size_t i = kept; i < it->n_standings; i++)
        if (!stands_so(call, it->standings[i])) it->standings[kept++] = it->standings[i];
    it->n_standings = kept;
    if (looked) undo->main = (uint32_t)kept;
}

struct kept {
    struct arena *arena;
    int64_t seqs[UNDO_DEPTH + 1]; /* the oldest first */
    struct blob undos[UNDO_DEPTH + 1];
    uint32_t count;
};

static bool note_kept(void *context, const void *visited)
{
    struct kept *kept = context;
    const struct row_edit *row = visited;
    void *bytes = arena_need(kept->arena, row->undo.size + 1);
    memcpy(bytes, row->undo.bytes, row->undo.size);
    kept->seqs[kept->count] = row->seq;
    kept->undos[kept->count++] = (struct blob){bytes, row->undo.size};
    return kept->count <= UNDO_DEPTH;
}

static enum err read_kept(struct call *call, struct kept *kept)
{
    const struct row_edit key = {.actor = call->who->id};
    *kept = (struct kept){.arena = call->arena};
    return store_each(call->engine->store, ROW_EDIT, &key, 1, false, note_kept, kept);
}

enum err undo_forget(struct call *call, int64_t seq)
{
    return engine_erase(call->engine, ROW_EDIT,
                        &(struct row_edit){.actor = call->who->id, .seq = seq}, 2);
}

enum err undo_keep(struct call *call, Callout__EditUndo *undo, int64_t seq)
{
    struct kept kept;
    leave_out_kept(call, undo);
    undo->restored->of_seq = (uint64_t)seq;
    ProtobufCBinaryData bytes = message_encode(&undo->base, call->arena);
    enum err err = engine_put(
        call->engine, ROW_EDIT,
        &(struct row_edit){call->who->id, seq, call->engine->now_us, {bytes.data, bytes.len}});
    if (err == ERR_OK) err = read_kept(call, &kept);
    if (err == ERR_OK && kept.count > UNDO_DEPTH) err = undo_forget(call, kept.seqs[0]);
    return err;
}

static Callout__EditUndo *decode_undo(struct call *call, struct blob bytes)
{
    ProtobufCMessage *message;
    if (message_decode(&callout__edit_undo__descriptor, bytes.bytes, bytes.size, call->arena,
                       &message, NULL) != ERR_OK)
        return NULL;
    return (Callout__EditUndo *)message;
}

/* --- does something later depend on it? --- */

struct later {
    struct call *call;
    const char *appointment_id;
    int64_t seq;
    int64_t seqs[64]; /* of changes after it, newest first */
    bool owner_changed[64];
    uint32_t count;
};

static bool note_later(void *context, const void *visited)
{
    struct later *later = context;
    const struct row_change *row = visited;
    if (row->seq <= later->seq || later->count == 64) return false;
    later->owner_changed[later->count] = strcmp(row->owner_before, row->owner_after) != 0;
    later->seqs[later->count++] = row->seq;
    return true;
}

static Callout__FactBody *load_body(struct call *call, int64_t seq, struct row_fact *out)
{
    union row row;
    const struct row_fact key = {.seq = seq};
    if (store_get(call->engine->store, ROW_FACT, &key, &row) != ERR_OK) return NULL;
    *out = row.fact;
    return fact_body(&row.fact);
}

/* What plans and the clock do is done again; what somebody did is not. `skip` has what was taken
 * back since. */
static bool depends(struct later *later, uint32_t at, int64_t *skip, uint32_t *skip_count)
{
    struct row_fact row;
    for (uint32_t i = 0; i < *skip_count; i++) {
        if (skip[i] == later->seqs[at]) return false;
    }
    Callout__FactBody *body = load_body(later->call, later->seqs[at], &row);
    if (body == NULL) return true;
    bool own = row.kind == FACT_PLAN || row.kind == FACT_TICK || row.kind == FACT_DRIFT;
    bool restored = row.kind == FACT_RESTORE;
    if (restored) skip[(*skip_count)++] = (int64_t)body->restored->of_seq;
    bool about_it =
        strcmp(fact_subject(body), later->appointment_id) == 0 || later->owner_changed[at];
    callout__fact_body__free_unpacked(body, NULL);
    return !own && !restored && about_it;
}

/* NULL: nothing does. Else a text that names it. */
static const char *depends_on(struct call *call, const char *appointment_id, int64_t seq)
{
    struct later later = {.call = call, .appointment_id = appointment_id, .seq = seq};
    int64_t skip[64];
    uint32_t skip_count = 0;
    const char *reason;
    if (store_history_of(call->engine->store, appointment_id, note_later, &later) != ERR_OK)
        return "its history cannot be read";
    for (uint32_t i = 0; i < later.count; i++) {
        if (!depends(&later, i, skip, &skip_count)) continue;
        char text[300];
        const Callout__FeedEvent *event = read_event(call, later.seqs[i], &reason);
        snprintf(text, sizeof text, "%.64s was changed since by %.64s: %.100s (fact %lld)",
                 appointment_id, event == NULL ? "somebody" : event->actor,
                 event == NULL ? "" : event->text, (long long)later.seqs[i]);
        return arena_text(call->arena, text);
    }
    return NULL;
}

static const char *why_not(struct call *call, const Callout__EditUndo *undo, int64_t seq)
{
    const Callout__Restored *it = undo->restored;
    const char *why = NULL;
    for (size_t i = 0; i < undo->main && i < it->n_standings && why == NULL; i++)
        why = depends_on(call, it->standings[i]->appointment_id, seq);
    const char *order_id = undo->cancel_work_order_id;
    if (undo->work_order != NULL) order_id = undo->work_order->work_order_id;
    if (why == NULL && order_id[0] != '\0')
        why = depends_on(call, order_appointment_id(call->arena, order_id), seq);
    return why;
}

/* What was his then may not be any more. */
static bool still_granted(struct call *call, const Callout__EditUndo *undo)
{
    const Callout__Restored *it = undo->restored;
    const struct core *core = call->engine->core;
    struct appointment_day day;
    struct core_technician technician;
    const char *order_id = undo->cancel_work_order_id;
    for (size_t i = 0; i < it->n_standings; i++)
        if (!core_appointment_day(core, it->standings[i]->appointment_id, &day) ||
            !granted(call, day.territory_id))
            return false;
    for (size_t i = 0; i < it->n_absences; i++)
        if (!core_technician(core, it->absences[i]->technician_id, call->engine->now_us,
                             &technician) ||
            !granted(call, technician.territory_id))
            return false;
    if (undo->work_order != NULL) order_id = undo->work_order->work_order_id;
    if (order_id[0] == '\0') return true;
    return core_appointment_day(core, order_appointment_id(call->arena, order_id), &day) &&
           granted(call, day.territory_id);
}

/* --- Undo --- */

static int by_start(const void *a, const void *b)
{
    const Callout__Standing *const *left = a, *const *right = b;
    int64_t x = (*left)->start_us, y = (*right)->start_us;
    return x != y ? (x > y) - (x < y) : strcmp((*left)->appointment_id, (*right)->appointment_id);
}

/* Who made room goes back, too, unless something has happened to him since; all in their order. */
static void arrange(struct call *call, const Callout__EditUndo *undo, int64_t seq)
{
    Callout__Restored *it = undo->restored;
    size_t kept = undo->main < it->n_standings ? undo->main : it->n_standings;
    for (size_t i = kept; i < it->n_standings; i++) {
        Callout__Standing *standing = it->standings[i];
        struct core_visit visit;
        if (core_visit(call->engine->core, standing->appointment_id, &visit) &&
            life_plannable(visit.status) &&
            strcmp(visit.technician_id, standing->technician_id) == 0 &&
            depends_on(call, standing->appointment_id, seq) == NULL)
            it->standings[kept++] = standing;
    }
    it->n_standings = kept;
    if (kept > 1) qsort(it->standings, kept, sizeof it->standings[0], by_start);
}

static void cancel_body(struct call *call, const Callout__EditUndo *undo, Callout__FactBody *body)
{
    Callout__CancelWorkOrderRequest *cancel = arena_need(call->arena, sizeof *cancel);
    callout__cancel_work_order_request__init(cancel);
    cancel->work_order_id = undo->cancel_work_order_id;
    cancel->reason = arena_text(call->arena, "taken back");
    body->body_case = CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER;
    body->cancel_work_order = cancel;
}

static void order_body(struct call *call, const Callout__EditUndo *undo, Callout__FactBody *body)
{
    Callout__UpsertWorkOrderRequest *upsert = arena_need(call->arena, sizeof *upsert);
    callout__upsert_work_order_request__init(upsert);
    upsert->work_order = undo->work_order;
    body->body_case = CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER;
    body->upsert_work_order = upsert;
    body->service_day = order_day(call, undo->work_order);
}

enum err undo_bodies(struct call *call, Callout__FactBody *bodies, uint32_t *count,
                     int64_t *done_seq)
{
    const Callout__UndoRequest *request = (const Callout__UndoRequest *)call->message;
    struct kept kept;
    enum err err = read_kept(call, &kept);
    if (err != ERR_OK) return err;
    uint32_t at = kept.count;
    while (at > 0 && request->seq != 0 && kept.seqs[at - 1] != (int64_t)request->seq)
        at--;
    if (at == 0)
        return problem_set(&call->problem, ERR_NOT_FOUND, "seq",
                           "there is no such edit of yours to take back");
    int64_t seq = kept.seqs[at - 1];
    Callout__EditUndo *undo = decode_undo(call, kept.undos[at - 1]);
    if (undo == NULL || undo->restored == NULL) return ERR_INTERNAL;
    const char *why = why_not(call, undo, seq);
    if (!still_granted(call, undo))
        return problem_set(&call->problem, ERR_NOT_FOUND, "seq",
                           "there is no such edit of yours to take back");
    if (why != NULL) return problem_set(&call->problem, ERR_CONFLICT, "seq", "%s", why);
    *count = 0;
    *done_seq = seq;
    arrange(call, undo, seq);
    if (undo->work_order != NULL) order_body(call, undo, &bodies[(*count)++]);
    if (undo->cancel_work_order_id[0] != '\0') cancel_body(call, undo, &bodies[(*count)++]);
    if (undo->restored->n_standings + undo->restored->n_absences > 0) {
        bodies[*count].body_case = CALLOUT__FACT_BODY__BODY_RESTORED;
        bodies[(*count)++].restored = undo->restored;
    }
    return ERR_OK;
}

enum err handle_undo_list(struct call *call)
{
    struct kept kept;
    const char *reason;
    Callout__UndoListReply *answer = arena_need(call->arena, sizeof *answer);
    callout__undo_list_reply__init(answer);
    answer->items = arena_need(call->arena, (UNDO_DEPTH + 1) * sizeof *answer->items);
    enum err err = read_kept(call, &kept);
    for (uint32_t i = kept.count; i > 0 && err == ERR_OK; i--) {
        const Callout__EditUndo *undo = decode_undo(call, kept.undos[i - 1]);
        const Callout__FeedEvent *event = read_event(call, kept.seqs[i - 1], &reason);
        if (undo == NULL || undo->restored == NULL || event == NULL) continue;
        Callout__UndoItem *item = arena_need(call->arena, sizeof *item);
        callout__undo_item__init(item);
        item->seq = event->seq;
        item->time_us = event->time_us;
        item->kind = event->kind;
        item->text = event->text;
        size_t standings = undo->restored->n_standings;
        item->appointment_ids =
            arena_need(call->arena, (standings + 1) * sizeof *item->appointment_ids);
        for (size_t s = 0; s < standings; s++)
            item->appointment_ids[item->n_appointment_ids++] =
                undo->restored->standings[s]->appointment_id;
        const char *why = why_not(call, undo, kept.seqs[i - 1]);
        item->possible = why == NULL;
        item->why_not = arena_text(call->arena, why == NULL ? "" : why);
        answer->items[answer->n_items++] = item;
    }
    call->answer = &answer->base;
    return err;
}
