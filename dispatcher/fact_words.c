/* fact_words.c - what people read of a fact: whom it is about, who did it and why, in one line. */
#include "dispatcher/engine_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fact_subject(const Callout__FactBody *body)
{
    if (body->command != NULL) {
        const Callout__Command *command = body->command;
        switch (command->body_case) {
        case CALLOUT__COMMAND__BODY_STATUS: return command->status->appointment_id;
        case CALLOUT__COMMAND__BODY_DECLINE: return command->decline->appointment_id;
        case CALLOUT__COMMAND__BODY_RUNNING_LATE: return command->running_late->appointment_id;
        case CALLOUT__COMMAND__BODY_ANSWER: return command->answer->appointment_id;
        case CALLOUT__COMMAND__BODY_NOTE: return command->note->appointment_id;
        case CALLOUT__COMMAND__BODY_NEED: return command->need->appointment_id;
        case CALLOUT__COMMAND__BODY_ATTACHMENT: return command->attachment->appointment_id;
        case CALLOUT__COMMAND__BODY_FOLLOW_UP: return command->follow_up->appointment_id;
        case CALLOUT__COMMAND__BODY_BREAK_REPORT:
        case CALLOUT__COMMAND__BODY_CONSENT:
        case CALLOUT__COMMAND__BODY_ABSENCE:
        case CALLOUT__COMMAND__BODY_MESSAGE:
        case CALLOUT__COMMAND__BODY_ACK_PLAN:
        case CALLOUT__COMMAND__BODY_POSITIONS:
        case CALLOUT__COMMAND__BODY_HEARTBEAT:
        case CALLOUT__COMMAND__BODY__NOT_SET:
        case _CALLOUT__COMMAND__BODY__CASE_IS_INT_SIZE:
        default: return body->actor != NULL ? body->actor->technician_id : "";
        }
    }
    switch (body->body_case) {
    case CALLOUT__FACT_BODY__BODY_UPSERT_TERRITORY:
        return body->upsert_territory->territory->territory_id;
    case CALLOUT__FACT_BODY__BODY_UPSERT_TECHNICIAN:
        return body->upsert_technician->technician->technician_id;
    case CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER:
        return body->upsert_work_order->work_order->work_order_id;
    case CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER: return body->cancel_work_order->work_order_id;
    case CALLOUT__FACT_BODY__BODY_REPORT_ABSENCE:
        return body->report_absence->absence->technician_id;
    case CALLOUT__FACT_BODY__BODY_ASSIGN: return body->assign->appointment_id;
    case CALLOUT__FACT_BODY__BODY_UNASSIGN: return body->unassign->appointment_id;
    case CALLOUT__FACT_BODY__BODY_SET_PIN: return body->set_pin->appointment_id;
    case CALLOUT__FACT_BODY__BODY_SET_FREEZE_HORIZON: return body->set_freeze_horizon->territory_id;
    case CALLOUT__FACT_BODY__BODY_PLAN: return body->plan->territory_id;
    case CALLOUT__FACT_BODY__BODY_TICK: return body->tick->territory_id;
    case CALLOUT__FACT_BODY__BODY_DRIFT: return body->drift->technician_id;
    case CALLOUT__FACT_BODY__BODY_SWAP: return body->swap->appointment_id;
    case CALLOUT__FACT_BODY__BODY_HOLD: return body->hold->work_order_id;
    case CALLOUT__FACT_BODY__BODY_RELEASE: return body->release->work_order_id;
    case CALLOUT__FACT_BODY__BODY_REPORT_STATUS: return body->report_status->appointment_id;
    case CALLOUT__FACT_BODY__BODY_SEND_MESSAGE: return body->send_message->territory_id;
    case CALLOUT__FACT_BODY__BODY_RESTORED:
        return body->restored->n_standings > 0  ? body->restored->standings[0]->appointment_id
               : body->restored->n_absences > 0 ? body->restored->absences[0]->technician_id
                                                : "";
    case CALLOUT__FACT_BODY__BODY_RESOLVE_CONFLICT:
    case CALLOUT__FACT_BODY__BODY_QUARANTINED:
    case CALLOUT__FACT_BODY__BODY__NOT_SET:
    case _CALLOUT__FACT_BODY__BODY__CASE_IS_INT_SIZE:
    default: return "";
    }
}

static bool about_visit(Callout__Command__BodyCase its)
{
    return its == CALLOUT__COMMAND__BODY_STATUS || its == CALLOUT__COMMAND__BODY_DECLINE ||
           its == CALLOUT__COMMAND__BODY_RUNNING_LATE || its == CALLOUT__COMMAND__BODY_ANSWER ||
           its == CALLOUT__COMMAND__BODY_NOTE || its == CALLOUT__COMMAND__BODY_NEED ||
           its == CALLOUT__COMMAND__BODY_ATTACHMENT || its == CALLOUT__COMMAND__BODY_FOLLOW_UP;
}

static const char *need_words(Callout__NeedKind kind)
{
    if (kind == CALLOUT__NEED_KIND__NEED_PART) return "needs a part";
    return kind == CALLOUT__NEED_KIND__NEED_UNSAFE ? "is not safe" : "needs help";
}

struct fact_about fact_about(const Callout__FactBody *body)
{
    const char *id = fact_subject(body);
    if (body->command != NULL) {
        bool visit = about_visit(body->command->body_case);
        return (struct fact_about){visit ? ABOUT_APPOINTMENT : ABOUT_TECHNICIAN, id};
    }
    switch (body->body_case) {
    case CALLOUT__FACT_BODY__BODY_UPSERT_TECHNICIAN:
    case CALLOUT__FACT_BODY__BODY_REPORT_ABSENCE:
    case CALLOUT__FACT_BODY__BODY_DRIFT: return (struct fact_about){ABOUT_TECHNICIAN, id};
    case CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER:
    case CALLOUT__FACT_BODY__BODY_HOLD:
    case CALLOUT__FACT_BODY__BODY_RELEASE:
    case CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER:
        return (struct fact_about){ABOUT_WORK_ORDER, id};
    case CALLOUT__FACT_BODY__BODY_ASSIGN:
    case CALLOUT__FACT_BODY__BODY_UNASSIGN:
    case CALLOUT__FACT_BODY__BODY_SWAP:
    case CALLOUT__FACT_BODY__BODY_REPORT_STATUS:
    case CALLOUT__FACT_BODY__BODY_SET_PIN: return (struct fact_about){ABOUT_APPOINTMENT, id};
    case CALLOUT__FACT_BODY__BODY_RESTORED:
        return (struct fact_about){
            body->restored->n_standings > 0 ? ABOUT_APPOINTMENT : ABOUT_TECHNICIAN, id};
    case CALLOUT__FACT_BODY__BODY_RESOLVE_CONFLICT:
    case CALLOUT__FACT_BODY__BODY_SEND_MESSAGE:
    case CALLOUT__FACT_BODY__BODY_UPSERT_TERRITORY:
    case CALLOUT__FACT_BODY__BODY_SET_FREEZE_HORIZON:
    case CALLOUT__FACT_BODY__BODY_PLAN:
    case CALLOUT__FACT_BODY__BODY_TICK:
    case CALLOUT__FACT_BODY__BODY_QUARANTINED:
    case CALLOUT__FACT_BODY__BODY__NOT_SET:
    case _CALLOUT__FACT_BODY__BODY__CASE_IS_INT_SIZE:
    default: return (struct fact_about){ABOUT_TERRITORY, id};
    }
}

void fact_text(const Callout__FactBody *body, const struct row_fact *row, char *text, size_t size)
{
    const char *kind = fact_kind_name((enum fact_kind)row->kind);
    if (body->body_case == CALLOUT__FACT_BODY__BODY_REPORT_STATUS)
        snprintf(text, size, "%s is %s, as %s told", body->report_status->appointment_id,
                 appointment_status_name((enum appointment_status)body->report_status->status),
                 body->report_status->technician_id);
    else if (body->body_case == CALLOUT__FACT_BODY__BODY_RESTORED)
        snprintf(text, size, "fact %llu taken back: %s%s",
                 (unsigned long long)body->restored->of_seq, fact_subject(body),
                 body->restored->n_standings > 1 ? " and others" : "");
    else if (body->body_case == CALLOUT__FACT_BODY__BODY_SWAP)
        snprintf(text, size, "%s and %s swapped", body->swap->appointment_id,
                 body->swap->other_appointment_id);
    else if (row->kind == FACT_STATUS && body->command != NULL)
        snprintf(text, size, "%s is %s", body->command->status->appointment_id,
                 appointment_status_name((enum appointment_status)body->command->status->status));
    else if (row->kind == FACT_LATE)
        snprintf(text, size, "%s takes %d min %s", body->command->running_late->appointment_id,
                 abs(body->command->running_late->delay_seconds / 60),
                 body->command->running_late->delay_seconds < 0 ? "less" : "longer");
    else if (row->kind == FACT_NEED && body->command != NULL)
        snprintf(text, size, "%s %s: %.160s", body->command->need->appointment_id,
                 need_words(body->command->need->kind), body->command->need->text);
    else if (row->kind == FACT_RESOLVE)
        snprintf(text, size, "conflict %llu resolved: %.200s",
                 (unsigned long long)body->resolve_conflict->seq, body->resolve_conflict->note);
    else
        snprintf(text, size, "%s %s", kind, fact_subject(body));
}

const char *fact_actor(const Callout__FactBody *body)
{
    bool is_plan = body->body_case == CALLOUT__FACT_BODY__BODY_PLAN;
    if (body->actor == NULL) return is_plan ? "optimizer" : "clock"; /* else a person accepted it */
    return body->actor->technician_id[0] != '\0' ? body->actor->technician_id : body->actor->id;
}

const char *fact_reason(const Callout__FactBody *body)
{
    const Callout__Command *command = body->command;
    if (command != NULL && command->body_case == CALLOUT__COMMAND__BODY_STATUS)
        return command->status->reason;
    if (command != NULL && command->body_case == CALLOUT__COMMAND__BODY_DECLINE)
        return command->decline->reason;
    if (command != NULL && command->body_case == CALLOUT__COMMAND__BODY_NEED)
        return command->need->text;
    if (command != NULL) return "";
    if (body->body_case == CALLOUT__FACT_BODY__BODY_ASSIGN) return body->assign->override_reason;
    if (body->body_case == CALLOUT__FACT_BODY__BODY_UNASSIGN) return body->unassign->reason;
    if (body->body_case == CALLOUT__FACT_BODY__BODY_CANCEL_WORK_ORDER)
        return body->cancel_work_order->reason;
    if (body->body_case == CALLOUT__FACT_BODY__BODY_REPORT_ABSENCE)
        return body->report_absence->absence->reason;
    if (body->body_case == CALLOUT__FACT_BODY__BODY_SWAP) return body->swap->override_reason;
    if (body->body_case == CALLOUT__FACT_BODY__BODY_RESTORED) return body->restored->why;
    if (body->body_case == CALLOUT__FACT_BODY__BODY_HOLD) return body->hold->reason;
    if (body->body_case == CALLOUT__FACT_BODY__BODY_REPORT_STATUS)
        return body->report_status->reason;
    return "";
}

const char *plan_stage_name(int64_t stage)
{
    static const char *const stages[] = {"", "repair", "search", "master"};
    return stages[stage > 0 && stage < 4 ? stage : 0];
}
