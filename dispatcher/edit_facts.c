/* edit_facts.c - the bodies of what people do by hand with what is there. */
#include "dispatcher/facts.h"

#include "base/clock.h"

enum { MESSAGE_TO_MAX = 200 };

static enum err read_swap(const Callout__SwapRequest *it, struct fact *out,
                          const struct fact_reader *reader)
{
    out->kind = FACT_SWAP;
    out->swap = (struct fact_swap){.id = it->appointment_id,
                                   .other_id = it->other_appointment_id,
                                   .reason = it->override_reason,
                                   .expected_version = it->expected_version,
                                   .other_expected_version = it->other_expected_version};
    return check_text(it->override_reason, LIMIT_TEXT, "override_reason", reader);
}

static void read_order_id(enum fact_kind kind, const char *id, uint64_t expected_version,
                          struct fact *out)
{
    out->kind = kind;
    out->subject = (struct fact_subject){
        .id = id, .technician_id = "", .reason = "", .expected_version = expected_version};
}

/* He who told it is the one whose report it is. */
static enum err read_told(const Callout__ReportStatusRequest *it, struct fact *out,
                          const struct fact_reader *reader)
{
    out->kind = FACT_STATUS;
    out->told = true;
    out->technician_id = it->technician_id;
    out->happened_us = it->happened_us;
    out->status = (struct fact_status){.appointment_id = it->appointment_id,
                                       .reason = it->reason,
                                       .status = (enum appointment_status)it->status,
                                       .expected_version = it->expected_version};
    enum err err = check_report(it->status, it->reason, reader);
    if (err == ERR_OK && it->happened_us != 0)
        err = check_range(it->happened_us, reader->now_us - 7 * US_PER_DAY, reader->now_us,
                          "happened_us", reader);
    return err;
}

/* The shell made it from what was true: only its size is judged. */
static enum err read_restored(const Callout__Restored *it, struct fact *out,
                              const struct fact_reader *reader)
{
    struct fact_standing *standings =
        arena_need(reader->arena, (it->n_standings + 1) * sizeof *standings);
    struct fact_absence_before *absences =
        arena_need(reader->arena, (it->n_absences + 1) * sizeof *absences);
    for (size_t i = 0; i < it->n_standings; i++) {
        const Callout__Standing *from = it->standings[i];
        bool pinned = from->pin != NULL && from->pin->technician;
        standings[i] = (struct fact_standing){
            .appointment_id = from->appointment_id,
            .technician_id = from->technician_id,
            .start_us = from->start_us,
            .pin_technician_id = pinned ? from->pin->technician_id : "",
            .pin_start_us = from->pin != NULL ? from->pin->start_us : 0,
            .held = from->on_hold,
        };
    }
    for (size_t i = 0; i < it->n_absences; i++) {
        const Callout__AbsenceBefore *from = it->absences[i];
        absences[i] =
            (struct fact_absence_before){from->technician_id, from->service_day, from->start_us,
                                         from->end_us, from->taken_back_us};
    }
    out->kind = FACT_RESTORE;
    out->restore = (struct fact_restore){standings, (uint32_t)it->n_standings, absences,
                                         (uint32_t)it->n_absences};
    return check_text(it->why, LIMIT_TEXT, "reason", reader);
}

static enum err check_message(const char *text, const struct fact_reader *reader)
{
    if (text[0] == '\0' && !reader->stored)
        return problem_set(reader->problem, ERR_INVALID, "text", "is empty");
    return check_text(text, LIMIT_TEXT, "text", reader);
}

enum err message_from_device(const Callout__TextMessage *it, struct fact *out,
                             const struct fact_reader *reader)
{
    out->kind = FACT_MESSAGE;
    out->message = (struct fact_message){.territory_id = "",
                                         .text = it->text,
                                         .appointment_id = it->appointment_id,
                                         .from = out->technician_id,
                                         .in_reply_to = it->in_reply_to};
    enum err err = check_message(it->text, reader);
    if (err == ERR_OK) err = check_text(it->appointment_id, LIMIT_ID, "appointment_id", reader);
    return err;
}

static enum err read_message(const Callout__FactBody *body, struct fact *out,
                             const struct fact_reader *reader)
{
    const Callout__SendMessageRequest *it = body->send_message;
    out->kind = FACT_MESSAGE;
    out->message = (struct fact_message){.territory_id = it->territory_id,
                                         .technician_ids = (const char *const *)it->technician_ids,
                                         .count = (uint32_t)it->n_technician_ids,
                                         .text = it->text,
                                         .appointment_id = it->appointment_id,
                                         .from = body->actor != NULL ? body->actor->id : "",
                                         .in_reply_to = it->in_reply_to};
    if (it->territory_id[0] == '\0')
        return problem_set(reader->problem, ERR_NOT_FOUND, "territory_id", "is missing");
    if (it->n_technician_ids > MESSAGE_TO_MAX && !reader->stored)
        return problem_set(reader->problem, ERR_TOO_LARGE, "technician_ids", "at most %d",
                           MESSAGE_TO_MAX);
    return check_message(it->text, reader);
}

enum err edit_from_body(const Callout__FactBody *body, struct fact *out,
                        const struct fact_reader *reader)
{
    switch ((int)body->body_case) {
    case CALLOUT__FACT_BODY__BODY_SWAP: return read_swap(body->swap, out, reader);
    case CALLOUT__FACT_BODY__BODY_HOLD:
        read_order_id(FACT_HOLD, body->hold->work_order_id, body->hold->expected_version, out);
        return check_text(body->hold->reason, LIMIT_TEXT, "reason", reader);
    case CALLOUT__FACT_BODY__BODY_RELEASE:
        read_order_id(FACT_RELEASE, body->release->work_order_id, body->release->expected_version,
                      out);
        return ERR_OK;
    case CALLOUT__FACT_BODY__BODY_SEND_MESSAGE: return read_message(body, out, reader);
    case CALLOUT__FACT_BODY__BODY_RESTORED: return read_restored(body->restored, out, reader);
    case CALLOUT__FACT_BODY__BODY_REPORT_STATUS: return read_told(body->report_status, out, reader);
    default: break;
    }
    return problem_set(reader->problem, ERR_INVALID, "body", "is missing or of an unknown kind");
}
