/* What technicians write, need and do at a visit, and what their devices are told of it. */
#include "desk_views.h"

#include "../store/folder.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

/* --- asking --- */

static const Callout__WorkOrderDetailReply *detail(struct desk *desk, const char *appointment_id)
{
    Callout__WorkOrderDetailRequest request;
    callout__work_order_detail_request__init(&request);
    request.appointment_id = words(appointment_id);
    return desk_body(desk, desk_do(desk, "WorkOrderDetail", &request.base),
                     &callout__work_order_detail_reply__descriptor);
}

static uint64_t conflict_count(struct desk *desk, Callout__ConflictKind kind)
{
    Callout__ConflictsRequest request;
    callout__conflicts_request__init(&request);
    const Callout__ConflictsReply *all = desk_body(desk, desk_do(desk, "Conflicts", &request.base),
                                                   &callout__conflicts_reply__descriptor);
    uint64_t count = 0;
    for (size_t i = 0; i < all->n_conflicts; i++)
        count += all->conflicts[i]->kind == kind;
    return count;
}

/* --- saying --- */

static Callout__Command *command(struct desk *desk, struct desk_device *device,
                                 Callout__Command__BodyCase body_case)
{
    DESK_NEW(desk, Callout__Command, it);
    callout__command__init(it);
    it->seq = ++device->seq;
    it->body_case = body_case;
    return it;
}

static Callout__CommandResult *say(struct desk *desk, struct desk_device *device,
                                   const char *appointment_id, Callout__AppointmentStatus status)
{
    return desk_push_one(desk, device, desk_status(desk, ++device->seq, appointment_id, status));
}

static Callout__CommandResult *answer(struct desk *desk, struct desk_device *device,
                                      const char *item_id, const char *value)
{
    Callout__ChecklistAnswer body;
    Callout__Command *it = command(desk, device, CALLOUT__COMMAND__BODY_ANSWER);
    callout__checklist_answer__init(&body);
    body.appointment_id = words("W1.1");
    body.item_id = words(item_id);
    body.value = words(value);
    it->answer = &body;
    return desk_push_one(desk, device, it);
}

static Callout__CommandResult *note(struct desk *desk, struct desk_device *device,
                                    const char *appointment_id, const char *text)
{
    Callout__FieldNote body;
    Callout__Command *it = command(desk, device, CALLOUT__COMMAND__BODY_NOTE);
    callout__field_note__init(&body);
    body.appointment_id = words(appointment_id);
    body.text = words(text);
    it->note = &body;
    return desk_push_one(desk, device, it);
}

static Callout__CommandResult *attach(struct desk *desk, struct desk_device *device, size_t hash,
                                      const char *type, uint32_t size)
{
    static uint8_t bytes[40] = {1, 2, 3};
    Callout__Attachment body;
    Callout__Command *it = command(desk, device, CALLOUT__COMMAND__BODY_ATTACHMENT);
    callout__attachment__init(&body);
    body.appointment_id = words("W1.1");
    body.sha256 = (ProtobufCBinaryData){hash, bytes};
    body.media_type = words(type);
    body.size = size;
    body.kind = CALLOUT__ATTACHMENT_KIND__SIGNATURE;
    body.name = words("Ada");
    it->attachment = &body;
    return desk_push_one(desk, device, it);
}

static Callout__CommandResult *need(struct desk *desk, struct desk_device *device,
                                    const char *appointment_id, Callout__NeedKind kind)
{
    Callout__NeedReport body;
    Callout__Command *it = command(desk, device, CALLOUT__COMMAND__BODY_NEED);
    callout__need_report__init(&body);
    body.appointment_id = words(appointment_id);
    body.kind = kind;
    body.text = words("valve 3/4");
    it->need = &body;
    return desk_push_one(desk, device, it);
}

static Callout__CommandResult *consent(struct desk *desk, struct desk_device *device, bool granted)
{
    Callout__ConsentReport body;
    Callout__Command *it = command(desk, device, CALLOUT__COMMAND__BODY_CONSENT);
    callout__consent_report__init(&body);
    body.notice_version = 2;
    body.granted = granted;
    it->consent = &body;
    return desk_push_one(desk, device, it);
}

static uint32_t refused_fixes(struct desk *desk, struct desk_device *device)
{
    Callout__PositionBatch body;
    Callout__Fix fix, *fixes[] = {&fix};
    Callout__Command *it = command(desk, device, CALLOUT__COMMAND__BODY_POSITIONS);
    callout__position_batch__init(&body);
    callout__fix__init(&fix);
    fix.fix_time_us = desk->now_us;
    fix.point = desk_point(desk, 471000000, 95000000);
    body.fixes = fixes;
    body.n_fixes = 1;
    it->positions = &body;
    return desk_push_one(desk, device, it)->fixes_refused;
}

/* --- the stage --- */

static Callout__UpsertWorkOrderRequest *order_with_items(struct desk *desk)
{
    Callout__UpsertWorkOrderRequest *request = desk_order(desk, "W1");
    Callout__WorkOrder *order = request->work_order;
    order->checklist = arena_need(&desk->arena, 3 * sizeof *order->checklist);
    for (; order->n_checklist < 3; order->n_checklist++) {
        static const char *const ids[] = {"pressure", "leaks", "cleaned"};
        DESK_NEW(desk, Callout__ChecklistItem, item);
        callout__checklist_item__init(item);
        item->item_id = words(ids[order->n_checklist]);
        item->text = words("to be looked at");
        item->required = order->n_checklist < 2;
        item->kind = CALLOUT__ITEM_KIND__ITEM_TEXT;
        order->checklist[order->n_checklist] = item;
    }
    return request;
}

static struct desk_device at_work(struct desk *desk, struct store *store)
{
    desk_open(desk, store, NULL);
    desk_furnish(desk);
    desk_do(desk, "UpsertWorkOrder", &order_with_items(desk)->base);
    desk->now_us = DESK_DAY_US + 9 * HOUR_US;
    desk_do(desk, "Assign", &desk_assign(desk, "W1.1", "T1")->base);
    desk_do(desk, "Assign", &desk_assign(desk, "W2.1", "T1")->base);
    return desk_device(desk, "T1");
}

static void applied(const Callout__CommandResult *result)
{
    assert_string_equal(result->text, "");
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__APPLIED);
}

static void rejected(const Callout__CommandResult *result, const char *field)
{
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__REJECTED);
    assert_int_equal(result->n_errors, 1);
    assert_string_equal(result->errors[0]->field, field);
}

static const Callout__FieldAppointment *find(const Callout__PullReply *reply, const char *id)
{
    for (size_t i = 0; i < reply->n_appointments; i++)
        if (strcmp(reply->appointments[i]->appointment->appointment_id, id) == 0)
            return reply->appointments[i];
    fail_msg("%s was not told", id);
    return NULL;
}

/* --- stories --- */

static void all_that_is_written_is_kept(void **state)
{
    struct desk desk;
    (void)state;
    struct desk_device device = at_work(&desk, store_open_mem());
    ProtobufCBinaryData cursor = desk_snapshot(&desk, &device)->cursor;
    applied(answer(&desk, &device, "pressure", "2 bar"));
    applied(answer(&desk, &device, "leaks", "none"));
    applied(answer(&desk, &device, "pressure", "3 bar"));
    applied(note(&desk, &device, "W1.1", "key at the neighbour's"));
    applied(attach(&desk, &device, 32, "image/png", 900));
    const Callout__FieldAppointment *it = find(desk_pull(&desk, &device, &cursor), "W1.1");
    assert_int_equal(it->n_answers, 2); /* the last one counts */
    assert_string_equal(it->answers[0]->value, "3 bar");
    assert_string_equal(it->answers[1]->value, "none");
    assert_int_equal(it->n_notes, 1);
    assert_string_equal(it->notes[0]->technician_id, "T1");
    assert_int_equal(it->n_attachments, 1);
    assert_int_equal(it->attachments[0]->sha256.len, 32);
    assert_int_equal(it->attachments[0]->sha256.data[2], 3);
    assert_string_equal(it->attachments[0]->name, "Ada");
    assert_int_equal(it->work_order->n_checklist, 3);
    assert_true(it->work_order->checklist[1]->required);
    assert_string_equal(it->work_order->checklist[2]->item_id, "cleaned");
    const Callout__WorkOrderDetailReply *seen = detail(&desk, "W1.1");
    assert_int_equal(seen->n_answers, 2);
    assert_int_equal(seen->n_notes, 1);
    assert_int_equal(seen->n_attachments, 1);
    /* An order that changes keeps what was written; the fact log has all of it. */
    uint64_t digest = desk_digest(&desk);
    desk_reopen(&desk, NULL);
    assert_true(digest == desk_digest(&desk));
    assert_int_equal(detail(&desk, "W1.1")->n_notes, 1);
    desk_close(&desk);
}

static void what_makes_no_sense_is_rejected(void **state)
{
    struct desk desk;
    (void)state;
    struct desk_device device = at_work(&desk, store_open_mem());
    rejected(answer(&desk, &device, "", "x"), "answer.item_id");
    rejected(note(&desk, &device, "W1.1", ""), "note.text");
    rejected(note(&desk, &device, "W9.1", "x"), "appointment_id");
    rejected(attach(&desk, &device, 31, "image/png", 9), "attachment.sha256");
    rejected(attach(&desk, &device, 32, "image/svg+xml", 9), "attachment.media_type");
    rejected(attach(&desk, &device, 32, "image/png", (4 << 20) + 1), "attachment.size");
    rejected(need(&desk, &device, "W1.1", CALLOUT__NEED_KIND__NEED_UNSPECIFIED), "need.kind");
    struct desk_device other = desk_device(&desk, "T2");
    rejected(note(&desk, &other, "W1.1", "not mine"), "appointment_id");
    desk_close(&desk);
}

/* Facts are not refused; people hear that something is missing. */
static void done_without_the_checklist_is_a_conflict(void **state)
{
    struct desk desk;
    (void)state;
    struct desk_device device = at_work(&desk, store_open_mem());
    applied(answer(&desk, &device, "pressure", "3 bar"));
    applied(answer(&desk, &device, "leaks", "none"));
    applied(answer(&desk, &device, "leaks", "")); /* taken back */
    const Callout__CommandResult *result =
        say(&desk, &device, "W1.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED);
    assert_int_equal(result->outcome, CALLOUT__OUTCOME__CONFLICT_RECORDED);
    assert_int_equal(conflict_count(&desk, CALLOUT__CONFLICT_KIND__CHECKLIST_OPEN), 1);
    applied(say(&desk, &device, "W2.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED));
    desk_close(&desk);
    device = at_work(&desk, store_open_mem());
    applied(answer(&desk, &device, "pressure", "3 bar"));
    applied(answer(&desk, &device, "leaks", "none"));
    applied(say(&desk, &device, "W1.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED));
    assert_int_equal(conflict_count(&desk, CALLOUT__CONFLICT_KIND__CHECKLIST_OPEN), 0);
    desk_close(&desk);
}

static void a_missing_part_takes_the_order_away(void **state)
{
    struct desk desk;
    (void)state;
    struct desk_device device = at_work(&desk, store_open_mem());
    ProtobufCBinaryData cursor = desk_snapshot(&desk, &device)->cursor;
    applied(need(&desk, &device, "W2.1", CALLOUT__NEED_KIND__NEED_PART));
    const Callout__PullReply *reply = desk_pull(&desk, &device, &cursor);
    assert_int_equal(reply->n_left_scope, 1);
    assert_string_equal(reply->left_scope[0], "W2.1");
    assert_int_equal(reply->n_causes, 1);
    assert_int_equal(reply->causes[0]->reason, CALLOUT__CHANGE_REASON__CHANGE_OWN_REPORT);
    const Callout__BoardReply *seen = desk_board(&desk);
    for (size_t i = 0; i < seen->n_appointments; i++) {
        const Callout__FeedAppointment *it = seen->appointments[i];
        bool his = strcmp(it->appointment->appointment_id, "W2.1") == 0;
        assert_int_equal(it->appointment->on_hold, his);
        assert_int_equal(it->n_needs, his);
        if (his) assert_int_equal(it->needs[0], CALLOUT__NEED_KIND__NEED_PART);
    }
    desk_close(&desk);
}

static void what_is_left_becomes_an_order(void **state)
{
    struct desk desk;
    Callout__FollowUp body;
    (void)state;
    struct desk_device device = at_work(&desk, store_open_mem());
    Callout__Command *it = command(&desk, &device, CALLOUT__COMMAND__BODY_FOLLOW_UP);
    callout__follow_up__init(&body);
    body.appointment_id = words("W1.1");
    body.service_seconds = 5400;
    body.note = words("second valve");
    it->follow_up = &body;
    const Callout__CommandResult *result = desk_push_one(&desk, &device, it);
    applied(result);
    char id[40];
    snprintf(id, sizeof id, "W1-f%llu.1", (unsigned long long)result->log_seq);
    const Callout__WorkOrderDetailReply *made = detail(&desk, id);
    assert_int_equal(made->work_order->service_seconds, 5400);
    assert_string_equal(made->work_order->note, "second valve");
    assert_string_equal(made->work_order->follow_up_of, "W1");
    assert_int_equal(made->work_order->n_checklist, 3);
    assert_int_equal(made->appointment->status, CALLOUT__APPOINTMENT_STATUS__UNSCHEDULED);
    assert_true(desk_push_one(&desk, &device, it)->duplicate); /* however often it comes */
    struct desk_device other = desk_device(&desk, "T2");
    it->seq = ++other.seq;
    rejected(desk_push_one(&desk, &other, it), "appointment_id");
    uint64_t digest = desk_digest(&desk);
    desk_reopen(&desk, NULL);
    assert_true(digest == desk_digest(&desk));
    desk_close(&desk);
}

static void who_refuses_is_not_seen(void **state)
{
    struct desk desk;
    (void)state;
    struct desk_device device = at_work(&desk, store_open_mem());
    const Callout__SnapshotReply *before = desk_snapshot(&desk, &device);
    ProtobufCBinaryData cursor = before->cursor;
    assert_int_equal(before->consent->notice_version, 0);
    assert_int_equal(refused_fixes(&desk, &device), 0);
    applied(consent(&desk, &device, false));
    assert_int_equal(refused_fixes(&desk, &device), 1);
    const Callout__PullReply *reply = desk_pull(&desk, &device, &cursor);
    assert_int_equal(reply->consent->notice_version, 2);
    assert_false(reply->consent->granted);
    applied(consent(&desk, &device, true));
    assert_int_equal(refused_fixes(&desk, &device), 0);
    desk_close(&desk);
}

/* A device knows its technician's days, and hears when they change, and why a visit goes. */
static void his_days_and_why_they_change(void **state)
{
    struct desk desk;
    Callout__ReportAbsenceRequest request;
    Callout__Absence absence;
    (void)state;
    struct desk_device device = at_work(&desk, store_open_mem());
    const Callout__SnapshotReply *before = desk_snapshot(&desk, &device);
    ProtobufCBinaryData cursor = before->cursor;
    assert_int_equal(before->technician->n_shifts, 2);
    assert_int_equal(before->technician->shifts[0]->start_us, DESK_DAY_US + 8 * HOUR_US);
    assert_int_equal(before->n_absences, 0);
    assert_null(desk_pull(&desk, &device, &cursor)->technician);
    callout__report_absence_request__init(&request);
    callout__absence__init(&absence);
    absence.technician_id = words("T1");
    absence.reason = words("dentist");
    absence.start_us = desk.now_us;
    absence.end_us = desk.now_us + 8 * HOUR_US;
    request.absence = &absence;
    desk_do(&desk, "ReportAbsence", &request.base);
    const Callout__PullReply *reply = desk_pull(&desk, &device, &cursor);
    assert_int_equal(reply->n_absences, 1);
    assert_string_equal(reply->absences[0]->reason, "dentist");
    assert_int_equal(reply->technician->n_shifts, 2);
    assert_int_equal(reply->n_left_scope, 2);
    assert_int_equal(reply->n_causes, 2);
    assert_int_equal(reply->causes[0]->reason, CALLOUT__CHANGE_REASON__CHANGE_ABSENCE);
    assert_false(reply->causes[0]->by_plan);
    struct desk_device other = desk_device(&desk, "T2");
    cursor = desk_snapshot(&desk, &other)->cursor;
    desk_do(&desk, "Assign", &desk_assign(&desk, "W1.1", "T2")->base);
    reply = desk_pull(&desk, &other, &cursor);
    assert_int_equal(reply->causes[0]->reason, CALLOUT__CHANGE_REASON__CHANGE_BY_DISPATCHER);
    assert_string_equal(reply->causes[0]->actor, "admin");
    assert_string_equal(reply->causes[0]->appointment_id, "W1.1");
    assert_null(reply->technician);
    desk_close(&desk);
}

/* What was done there before, by whomever, newest first; a cancelled visit is none. */
static void sites_have_a_past(void **state)
{
    struct desk desk;
    char *folder = folder_make();
    struct store *store;
    (void)state;
    assert_int_equal(store_open_spatialite(&store, folder, NULL), ERR_OK);
    struct desk_device device = at_work(&desk, store);
    static const char *const ids[] = {"W1", "W2", "W3"};
    for (size_t i = 0; i < 3; i++) {
        Callout__UpsertWorkOrderRequest *request = desk_order(&desk, ids[i]);
        request->work_order->site->site_id = words("mill");
        request->work_order->work_type = words(ids[i]);
        desk_do(&desk, "UpsertWorkOrder", &request->base);
    }
    desk_do(&desk, "Assign", &desk_assign(&desk, "W3.1", "T1")->base);
    ProtobufCBinaryData cursor = desk_snapshot(&desk, &device)->cursor;
    applied(say(&desk, &device, "W1.1", CALLOUT__APPOINTMENT_STATUS__COMPLETED));
    applied(note(&desk, &device, "W1.1", "main valve replaced"));
    desk.now_us += HOUR_US;
    Callout__Command *left =
        desk_status(&desk, ++device.seq, "W2.1", CALLOUT__APPOINTMENT_STATUS__INCOMPLETE);
    left->status->reason = words("no key");
    applied(desk_push_one(&desk, &device, left));
    applied(note(&desk, &device, "W3.1", "here"));
    const Callout__FieldAppointment *it = find(desk_pull(&desk, &device, &cursor), "W3.1");
    assert_int_equal(it->n_history, 2);
    assert_string_equal(it->history[0]->appointment_id, "W2.1");
    assert_string_equal(it->history[0]->text, "no key");
    assert_string_equal(it->history[1]->work_type, "W1");
    assert_string_equal(it->history[1]->text, "main valve replaced");
    assert_int_equal(it->history[1]->status, CALLOUT__APPOINTMENT_STATUS__COMPLETED);
    desk_close(&desk);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_written_is_kept),
        cmocka_unit_test(what_makes_no_sense_is_rejected),
        cmocka_unit_test(done_without_the_checklist_is_a_conflict),
        cmocka_unit_test(a_missing_part_takes_the_order_away),
        cmocka_unit_test(what_is_left_becomes_an_order),
        cmocka_unit_test(who_refuses_is_not_seen),
        cmocka_unit_test(his_days_and_why_they_change),
        cmocka_unit_test(sites_have_a_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
