#include "dispatcher/field_record.h"

#include "dispatcher/blobs.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* --- the checklist --- */

struct list {
    struct arena *arena;
    Callout__WorkOrder *order;
    size_t room;
};

static bool add_item(void *context, const void *visited)
{
    struct list *list = context;
    const struct row_work_order_item *row = visited;
    if (list->order->n_checklist == list->room) return false;
    Callout__ChecklistItem *item = arena_need(list->arena, sizeof *item);
    callout__checklist_item__init(item);
    item->item_id = arena_text(list->arena, row->item_id);
    item->text = arena_text(list->arena, row->text);
    item->required = row->required != 0;
    item->kind = (Callout__ItemKind)row->kind;
    list->order->checklist[list->order->n_checklist++] = item;
    return true;
}

enum err record_checklist(struct call *call, Callout__WorkOrder *order, int64_t count)
{
    if (count <= 0) return ERR_OK;
    struct list list = {call->arena, order, (size_t)count};
    struct row_work_order_item key = {.work_order_id = order->work_order_id};
    order->checklist = arena_need(call->arena, list.room * sizeof *order->checklist);
    return store_each(call->engine->store, ROW_WORK_ORDER_ITEM, &key, 1, false, add_item, &list);
}

/* --- what was written --- */

struct record {
    struct call *call;
    Callout__FieldAppointment *out;
    uint32_t room; /* of answers: one for each entry at most */
};

static void add_answer(struct record *record, const struct row_visit_entry *row)
{
    struct arena *arena = record->call->arena;
    Callout__FieldAppointment *out = record->out;
    size_t at = 0;
    while (at < out->n_answers && strcmp(out->answers[at]->item_id, row->item_id) != 0)
        at++;
    if (at == record->room) return;
    Callout__ChecklistAnswer *answer = arena_need(arena, sizeof *answer);
    callout__checklist_answer__init(answer);
    answer->appointment_id = out->appointment->appointment_id;
    answer->item_id = arena_text(arena, row->item_id);
    answer->value = arena_text(arena, row->text);
    answer->time_us = row->time_us;
    answer->technician_id = arena_text(arena, row->technician_id);
    out->answers[at] = answer;
    if (at == out->n_answers) out->n_answers++;
}

static void add_note(struct record *record, const struct row_visit_entry *row)
{
    struct arena *arena = record->call->arena;
    Callout__FieldAppointment *out = record->out;
    Callout__FieldNote *note = arena_need(arena, sizeof *note);
    callout__field_note__init(note);
    note->appointment_id = out->appointment->appointment_id;
    note->text = arena_text(arena, row->text);
    note->time_us = row->time_us;
    note->technician_id = arena_text(arena, row->technician_id);
    if (out->n_notes == RECORD_NOTES_MAX)
        memmove(out->notes, out->notes + 1, --out->n_notes * sizeof *out->notes);
    out->notes[out->n_notes++] = note;
}

static void add_attachment(struct record *record, const struct row_visit_entry *row)
{
    struct arena *arena = record->call->arena;
    Callout__FieldAppointment *out = record->out;
    Callout__Attachment *it = arena_need(arena, sizeof *it);
    callout__attachment__init(it);
    it->appointment_id = out->appointment->appointment_id;
    it->sha256.data = arena_need(arena, BLOB_HASH);
    if (sodium_hex2bin(it->sha256.data, BLOB_HASH, row->sha256, strlen(row->sha256), NULL,
                       &it->sha256.len, NULL) != 0)
        return;
    it->media_type = arena_text(arena, row->media_type);
    it->size = (uint32_t)row->size;
    it->kind = row->kind == ENTRY_PHOTO ? CALLOUT__ATTACHMENT_KIND__PHOTO
                                        : CALLOUT__ATTACHMENT_KIND__SIGNATURE;
    it->name = arena_text(arena, row->text);
    it->time_us = row->time_us;
    it->technician_id = arena_text(arena, row->technician_id);
    if (out->n_attachments == RECORD_ATTACHMENTS_MAX)
        memmove(out->attachments, out->attachments + 1,
                --out->n_attachments * sizeof *out->attachments);
    out->attachments[out->n_attachments++] = it;
}

static bool add_entry(void *context, const void *visited)
{
    struct record *record = context;
    const struct row_visit_entry *row = visited;
    if (row->kind == ENTRY_ANSWER) add_answer(record, row);
    if (row->kind == ENTRY_NOTE) add_note(record, row);
    if (row->kind == ENTRY_PHOTO || row->kind == ENTRY_SIGNATURE) add_attachment(record, row);
    return true;
}

static void say_kept(struct call *call, Callout__Attachment *it)
{
    char hash[2 * BLOB_HASH + 1];
    sodium_bin2hex(hash, sizeof hash, it->sha256.data, it->sha256.len);
    it->kept = blob_put_by(call->engine->store, hash, it->technician_id);
}

static enum err read_entries(struct call *call, uint32_t count, Callout__FieldAppointment *out)
{
    struct record record = {call, out, count < LIMIT_ANSWERS ? count : LIMIT_ANSWERS};
    struct row_visit_entry key = {.appointment_id = out->appointment->appointment_id};
    if (count == 0) return ERR_OK;
    out->answers = arena_need(call->arena, record.room * sizeof *out->answers);
    out->notes = arena_need(call->arena, RECORD_NOTES_MAX * sizeof *out->notes);
    out->attachments = arena_need(call->arena, RECORD_ATTACHMENTS_MAX * sizeof *out->attachments);
    enum err err =
        store_each(call->engine->store, ROW_VISIT_ENTRY, &key, 1, false, add_entry, &record);
    for (size_t i = 0; i < out->n_attachments && err == ERR_OK; i++)
        say_kept(call, out->attachments[i]);
    return err;
}

/* --- what was done at its site before --- */

enum { PAST_MAX = 5, PAST_LOOKED_AT = 64 };

struct past {
    struct call *call;
    const char *work_order_id; /* that asks */
    uint32_t seen, count;
    struct past_visit {
        const char *work_type;
        struct core_visit visit;
    } visits[PAST_MAX]; /* newest first */
};

static bool note_past(void *context, const void *visited)
{
    struct past *past = context;
    const struct row_work_order *row = visited;
    struct arena *arena = past->call->arena;
    struct core_visit visit;
    const char *id = order_appointment_id(arena, row->work_order_id);
    if (strcmp(row->work_order_id, past->work_order_id) == 0 ||
        !core_visit(past->call->engine->core, id, &visit) || !life_final(visit.status) ||
        visit.status == APPOINTMENT_CANCELLED)
        return ++past->seen < PAST_LOOKED_AT;
    uint32_t at = past->count < PAST_MAX ? past->count++ : PAST_MAX;
    while (at > 0 && past->visits[at - 1].visit.end_us < visit.end_us) {
        if (at < PAST_MAX) past->visits[at] = past->visits[at - 1];
        at--;
    }
    if (at < PAST_MAX)
        past->visits[at] = (struct past_visit){arena_text(arena, row->work_type), visit};
    return ++past->seen < PAST_LOOKED_AT;
}

struct last_word {
    struct arena *arena;
    const char *text;
};

static bool note_reason(void *context, const void *visited)
{
    struct last_word *word = context;
    const struct row_check_in *row = visited;
    if (row->reason[0] != '\0') word->text = arena_text(word->arena, row->reason);
    return true;
}

static bool note_note(void *context, const void *visited)
{
    struct last_word *word = context;
    const struct row_visit_entry *row = visited;
    if (row->kind == ENTRY_NOTE) word->text = arena_text(word->arena, row->text);
    return true;
}

/* The reason that was given, or else the last note. */
static enum err read_last_word(struct call *call, const struct core_visit *visit, char **out)
{
    struct last_word word = {call->arena, ""};
    const struct row_check_in reports = {.appointment_id = visit->appointment_id};
    const struct row_visit_entry entries = {.appointment_id = visit->appointment_id};
    enum err err =
        store_each(call->engine->store, ROW_CHECK_IN, &reports, 1, false, note_reason, &word);
    if (err == ERR_OK && word.text[0] == '\0' && visit->entries > 0)
        err =
            store_each(call->engine->store, ROW_VISIT_ENTRY, &entries, 1, false, note_note, &word);
    *out = arena_text(call->arena, word.text);
    return err;
}

static enum err tell_past(struct call *call, const struct past_visit *it,
                          Callout__FieldAppointment *out)
{
    union row row;
    const struct row_technician key = {.technician_id = it->visit.technician_id};
    Callout__PastVisit *past = arena_need(call->arena, sizeof *past);
    callout__past_visit__init(past);
    past->appointment_id = arena_text(call->arena, it->visit.appointment_id);
    past->end_us = it->visit.end_us;
    past->work_type = arena_text(call->arena, it->work_type);
    past->status = (Callout__AppointmentStatus)it->visit.status;
    if (store_get(call->engine->store, ROW_TECHNICIAN, &key, &row) == ERR_OK)
        past->technician_name = arena_text(call->arena, row.technician.name);
    out->history[out->n_history++] = past;
    return read_last_word(call, &it->visit, &past->text);
}

/* A site without a name of its own belongs to its order alone. */
static enum err read_history(struct call *call, Callout__FieldAppointment *out)
{
    const Callout__WorkOrder *order = out->work_order;
    if (order == NULL || order->site == NULL || order->site->site_id[0] == '\0' ||
        strcmp(order->site->site_id, order->work_order_id) == 0)
        return ERR_OK;
    struct past past = {.call = call, .work_order_id = order->work_order_id};
    enum err err =
        store_orders_of(call->engine->store, ORDER_SITE, order->site->site_id, note_past, &past);
    out->history = arena_need(call->arena, PAST_MAX * sizeof *out->history);
    for (uint32_t i = 0; i < past.count && err == ERR_OK; i++)
        err = tell_past(call, &past.visits[i], out);
    return err;
}

enum err record_read_for_device(struct call *call, Callout__FieldAppointment *out)
{
    enum err err = record_read(call, out);
    return err == ERR_OK ? read_history(call, out) : err;
}

enum err record_read(struct call *call, Callout__FieldAppointment *out)
{
    struct core_visit visit;
    if (!core_visit(call->engine->core, out->appointment->appointment_id, &visit)) return ERR_OK;
    if (out->appointment->assignment != NULL)
        out->appointment->assignment->accept_by_us = visit.accept_by_us;
    out->needs = arena_need(call->arena, (NEED_UNSAFE + 1) * sizeof *out->needs);
    for (int need = NEED_HELP; need <= (int)NEED_UNSAFE; need++)
        if (visit.needs >> need & 1) out->needs[out->n_needs++] = (Callout__NeedKind)need;
    return read_entries(call, visit.entries, out);
}

/* --- what is left open --- */

uint32_t record_items_open(struct call *call, const char *appointment_id)
{
    struct core_visit visit;
    union row row;
    if (!core_visit(call->engine->core, appointment_id, &visit) ||
        store_get(call->engine->store, ROW_WORK_ORDER,
                  &(struct row_work_order){.work_order_id = visit.work_order_id}, &row) != ERR_OK ||
        row.work_order.items == 0)
        return 0;
    Callout__FieldAppointment *it = read_field_appointment(call, appointment_id);
    uint32_t open = 0;
    if (it == NULL || it->work_order == NULL || record_read(call, it) != ERR_OK) return 0;
    for (size_t i = 0; i < it->work_order->n_checklist; i++) {
        const Callout__ChecklistItem *item = it->work_order->checklist[i];
        bool answered = !item->required;
        for (size_t k = 0; k < it->n_answers && !answered; k++)
            answered = strcmp(it->answers[k]->item_id, item->item_id) == 0 &&
                       it->answers[k]->value[0] != '\0';
        open += !answered;
    }
    return open;
}

/* One for each command, whatever its order was called. */
static char *follow_up_id(struct call *call, const char *work_order_id, uint64_t number)
{
    char text[LIMIT_WORK_ORDER_ID + 32], end[24];
    int size = snprintf(end, sizeof end, "-f%llu", (unsigned long long)number);
    int room = LIMIT_WORK_ORDER_ID - size;
    while (room > 0 && ((unsigned char)work_order_id[room] & 0xc0) == 0x80)
        room--; /* never within a letter */
    snprintf(text, sizeof text, "%.*s%s", room, work_order_id, end);
    return arena_text(call->arena, text);
}

static void as_asked(Callout__WorkOrder *order, const Callout__FollowUp *asked)
{
    if (asked->service_seconds > 0) order->service_seconds = asked->service_seconds;
    if (asked->work_type[0] != '\0') order->work_type = asked->work_type;
    order->note = asked->note;
    order->earliest_start_us = asked->earliest_start_us;
    order->due_us = 0;
    order->n_windows = 0;
    order->emergency = false;
}

enum err record_follow_up(struct call *call, const char *technician_id,
                          const Callout__Command *command, Callout__FactBody *body,
                          struct problem *problem)
{
    const Callout__FollowUp *asked = command->follow_up;
    const struct core *core = call->engine->core;
    Callout__FieldAppointment *it = NULL;
    if (core_was_his(core, technician_id, asked->appointment_id))
        it = read_field_appointment(call, asked->appointment_id);
    if (it == NULL || it->work_order == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "appointment_id",
                           "there is no appointment \"%.64s\"", asked->appointment_id);
    Callout__UpsertWorkOrderRequest *request = arena_need(call->arena, sizeof *request);
    callout__upsert_work_order_request__init(request);
    request->work_order = it->work_order;
    request->work_order->follow_up_of = it->work_order->work_order_id;
    request->work_order->work_order_id =
        follow_up_id(call, it->work_order->work_order_id, (uint64_t)core_seq(core) + 1);
    request->work_order->external_id = arena_text(call->arena, "");
    as_asked(request->work_order, asked);
    body->body_case = CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER;
    body->upsert_work_order = request;
    body->service_day = order_day(call, request->work_order);
    return ERR_OK;
}
