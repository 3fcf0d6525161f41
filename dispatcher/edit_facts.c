/* edit_facts.c - the bodies of what people do by hand with what is there. */
#include "dispatcher/facts.h"

#include "base/clock.h"

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
    case CALLOUT__FACT_BODY__BODY_REPORT_STATUS: return read_told(body->report_status, out, reader);
    default: break;
    }
    return problem_set(reader->problem, ERR_INVALID, "body", "is missing or of an unknown kind");
}
