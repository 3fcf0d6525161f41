#include "sim/ask_inbox.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "pb/dispatch.pb-c.h"

#include <inttypes.h>
#include <stdio.h>

static const char *conflict_text(Callout__ConflictKind kind)
{
    static const char *const texts[] = {
        [CALLOUT__CONFLICT_KIND__CONFLICT_KIND_UNSPECIFIED] = "is in conflict",
        [CALLOUT__CONFLICT_KIND__DONE_AFTER_CANCEL] = "was finished although cancelled",
        [CALLOUT__CONFLICT_KIND__TAKEN_BACK] = "was begun by whom it had been taken from",
        [CALLOUT__CONFLICT_KIND__BEGUN_BY_TWO] = "was begun by two",
        [CALLOUT__CONFLICT_KIND__ENDED_BEFORE] = "was reported on after it had ended",
        [CALLOUT__CONFLICT_KIND__ANSWERED_LATE] = "was accepted or declined too late",
        [CALLOUT__CONFLICT_KIND__NOT_IN_PROGRESS] = "was late, but not in progress",
    };
    return (unsigned)kind < sizeof texts / sizeof texts[0] ? texts[kind] : texts[0];
}

int ask_print_conflicts(const ProtobufCMessage *message)
{
    const Callout__ConflictsReply *reply = (const Callout__ConflictsReply *)message;
    for (size_t i = 0; i < reply->n_conflicts; i++) {
        const Callout__Conflict *it = reply->conflicts[i];
        char time[32];
        clock_format_utc(it->time_us, time);
        printf("%" PRIu64 "  %s  %s %s: %s reported, %s had it (fact %" PRIu64 ")\n", it->seq, time,
               it->appointment_id, conflict_text(it->kind), it->technician_id,
               it->other_technician_id[0] != '\0' ? it->other_technician_id : "nobody",
               it->other_seq);
    }
    printf("%zu open%s\n", reply->n_conflicts,
           reply->next_page_token[0] != '\0' ? " on this page; there are more" : "");
    return EXIT_DONE;
}

static const char *command_text(const Callout__Command *command)
{
    if (command == NULL) return "positions, or too large";
    switch (command->body_case) {
    case CALLOUT__COMMAND__BODY_STATUS: return command->status->appointment_id;
    case CALLOUT__COMMAND__BODY_DECLINE: return command->decline->appointment_id;
    case CALLOUT__COMMAND__BODY_RUNNING_LATE: return command->running_late->appointment_id;
    case CALLOUT__COMMAND__BODY_ANSWER: return command->answer->appointment_id;
    case CALLOUT__COMMAND__BODY_NOTE: return command->note->appointment_id;
    case CALLOUT__COMMAND__BODY_NEED: return command->need->appointment_id;
    case CALLOUT__COMMAND__BODY_FOLLOW_UP: return command->follow_up->appointment_id;
    case CALLOUT__COMMAND__BODY_ATTACHMENT: return command->attachment->appointment_id;
    case CALLOUT__COMMAND__BODY_ABSENCE: return "absence";
    case CALLOUT__COMMAND__BODY_BREAK_REPORT: return "break";
    case CALLOUT__COMMAND__BODY_CONSENT: return "consent";
    case CALLOUT__COMMAND__BODY_ACK_PLAN:
    case CALLOUT__COMMAND__BODY_POSITIONS:
    case CALLOUT__COMMAND__BODY_HEARTBEAT:
    case CALLOUT__COMMAND__BODY_MESSAGE:
    case CALLOUT__COMMAND__BODY__NOT_SET:
    case _CALLOUT__COMMAND__BODY__CASE_IS_INT_SIZE:
    default: return "of an unknown kind";
    }
}

int ask_print_dead_letters(const ProtobufCMessage *message)
{
    const Callout__DeadLettersReply *reply = (const Callout__DeadLettersReply *)message;
    for (size_t i = 0; i < reply->n_letters; i++) {
        const Callout__DeadLetter *it = reply->letters[i];
        char time[32];
        clock_format_utc(it->received_us, time);
        printf("%s  %s, device %s, number %" PRIu64 ": %s: %s %s\n", time, it->technician_id,
               it->device_id, it->seq, command_text(it->command), it->field, it->problem);
    }
    printf("%zu open%s\n", reply->n_letters,
           reply->next_page_token[0] != '\0' ? " on this page; there are more" : "");
    return EXIT_DONE;
}
