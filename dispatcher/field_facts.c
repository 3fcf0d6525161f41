/* field_facts.c - the bodies of what technicians write, need and do beside a visit's states. */
#include "dispatcher/facts.h"

#include "base/clock.h"
#include "dispatcher/blobs.h"

#include <sodium.h>
#include <string.h>

static enum err check_some(const char *text, const char *field, const struct fact_reader *reader)
{
    if (text[0] == '\0' && !reader->stored)
        return problem_set(reader->problem, ERR_INVALID, field, "is empty");
    return check_text(text, LIMIT_TEXT, field, reader);
}

static struct fact_entry *new_entry(struct fact *out, enum entry_kind kind, const char *id,
                                    const char *text)
{
    out->kind = FACT_ENTRY;
    out->entry = (struct fact_entry){.appointment_id = id,
                                     .kind = kind,
                                     .text = text,
                                     .item_id = "",
                                     .sha256 = "",
                                     .media_type = ""};
    return &out->entry;
}

static enum err read_answer(const Callout__ChecklistAnswer *it, struct fact *out,
                            const struct fact_reader *reader)
{
    new_entry(out, ENTRY_ANSWER, it->appointment_id, it->value)->item_id = it->item_id;
    if (it->item_id[0] == '\0' && !reader->stored)
        return problem_set(reader->problem, ERR_INVALID, "answer.item_id", "is missing");
    enum err err = check_text(it->item_id, LIMIT_ID, "answer.item_id", reader);
    return err == ERR_OK ? check_text(it->value, LIMIT_TEXT, "answer.value", reader) : err;
}

static enum err read_attachment(const Callout__Attachment *it, struct fact *out,
                                const struct fact_reader *reader)
{
    bool photo = it->kind == CALLOUT__ATTACHMENT_KIND__PHOTO;
    struct fact_entry *to =
        new_entry(out, photo ? ENTRY_PHOTO : ENTRY_SIGNATURE, it->appointment_id, it->name);
    char *hex = arena_need(reader->arena, 2 * BLOB_HASH + 1);
    if (it->sha256.len != BLOB_HASH)
        return problem_set(reader->problem, ERR_INVALID, "attachment.sha256", "must be %d bytes",
                           BLOB_HASH);
    to->sha256 = sodium_bin2hex(hex, 2 * BLOB_HASH + 1, it->sha256.data, BLOB_HASH);
    to->media_type = it->media_type;
    to->size = it->size;
    if (!photo && it->kind != CALLOUT__ATTACHMENT_KIND__SIGNATURE && !reader->stored)
        return problem_set(reader->problem, ERR_INVALID, "attachment.kind",
                           "must be PHOTO or SIGNATURE");
    if (!blob_type_known(it->media_type) && !reader->stored)
        return problem_set(reader->problem, ERR_INVALID, "attachment.media_type",
                           "must be image/jpeg, image/png or image/webp");
    enum err err = check_range(it->size, 1, BLOB_SIZE_MAX, "attachment.size", reader);
    return err == ERR_OK ? check_text(it->name, LIMIT_NAME, "attachment.name", reader) : err;
}

static enum err read_need(const Callout__NeedReport *it, struct fact *out,
                          const struct fact_reader *reader)
{
    out->kind = FACT_NEED;
    out->status = (struct fact_status){
        .appointment_id = it->appointment_id, .reason = it->text, .need = (enum need)it->kind};
    if (it->kind < CALLOUT__NEED_KIND__NEED_HELP || it->kind > CALLOUT__NEED_KIND__NEED_UNSAFE)
        return problem_set(reader->problem, ERR_INVALID, "need.kind",
                           "must be NEED_HELP, NEED_PART or NEED_UNSAFE");
    return check_text(it->text, LIMIT_TEXT, "need.text", reader);
}

static enum err read_late(const Callout__RunningLate *it, struct fact *out,
                          const struct fact_reader *reader)
{
    int64_t delay_s = it->delay_seconds;
    out->kind = FACT_LATE;
    out->status = (struct fact_status){
        .appointment_id = it->appointment_id, .reason = "", .delay_us = delay_s * US_PER_SECOND};
    static const char field[] = "running_late.delay_seconds";
    return delay_s < 0 ? check_range(delay_s, -86400, -60, field, reader)
                       : check_range(delay_s, 60, 86400, field, reader);
}

enum err field_from_command(const Callout__FactBody *body, struct fact *out,
                            const struct fact_reader *reader)
{
    const Callout__Command *it = body->command;
    switch ((int)it->body_case) {
    case CALLOUT__COMMAND__BODY_RUNNING_LATE: return read_late(it->running_late, out, reader);
    case CALLOUT__COMMAND__BODY_ANSWER: return read_answer(it->answer, out, reader);
    case CALLOUT__COMMAND__BODY_NOTE:
        new_entry(out, ENTRY_NOTE, it->note->appointment_id, it->note->text);
        return check_some(it->note->text, "note.text", reader);
    case CALLOUT__COMMAND__BODY_ATTACHMENT: return read_attachment(it->attachment, out, reader);
    case CALLOUT__COMMAND__BODY_NEED: return read_need(it->need, out, reader);
    case CALLOUT__COMMAND__BODY_BREAK_REPORT:
        out->kind = FACT_BREAK;
        out->rest.ended = it->break_report->ended;
        return ERR_OK;
    case CALLOUT__COMMAND__BODY_CONSENT:
        out->kind = FACT_CONSENT;
        out->consent.notice_version = it->consent->notice_version;
        out->consent.granted = it->consent->granted;
        return ERR_OK;
    default: break;
    }
    return problem_set(reader->problem, ERR_INVALID, "command.body",
                       "is missing or of an unknown kind");
}
