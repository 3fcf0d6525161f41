/* story_tell.h - what a step did, as the lines that stand behind "> " in a story. */
#ifndef CALLOUT_TESTS_STORY_TELL_H
#define CALLOUT_TESTS_STORY_TELL_H

#include "dispatcher/core/core.h"
#include "story_read.h"

#include <stdio.h>

enum { LINES_MAX = 128, LINE_SIZE = 400 };

struct lines {
    char at[LINES_MAX][LINE_SIZE];
    uint32_t count;
};

/* "09:30", with seconds if there are any; a later day's hours go on from 24. */
static const char *clock_text(int64_t time_us, struct arena *arena)
{
    char *text = arena_need(arena, 32);
    int64_t seconds = (time_us - MIDNIGHT_US) / US_PER_SECOND;
    int used = snprintf(text, 32, "%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    if (seconds % 60 != 0) snprintf(text + used, 8, ":%02d", (int)(seconds % 60));
    return text;
}

static const char *holder(const char *owner, int64_t start_us, struct arena *arena)
{
    char *text = arena_need(arena, LIMIT_ID + 16);
    if (owner[0] == '\0') return "nobody";
    snprintf(text, LIMIT_ID + 16, "%s %s", owner, clock_text(start_us, arena));
    return text;
}

#define SAY(lines, ...)                                                                            \
    do {                                                                                           \
        if ((lines)->count < LINES_MAX)                                                            \
            snprintf((lines)->at[(lines)->count++], LINE_SIZE, __VA_ARGS__);                       \
    } while (0)

static void tell_change(const struct row_change *row, struct arena *arena, struct lines *lines)
{
    if (row->owner_before[0] == '\0' && row->owner_after[0] == '\0') return; /* nobody is told */
    SAY(lines, "%s: %s -> %s", row->appointment_id,
        holder(row->owner_before, row->start_before_us, arena),
        holder(row->owner_after, row->start_after_us, arena));
}

static void tell_pin(const struct row_pin *row, struct arena *arena, struct lines *lines)
{
    SAY(lines, "%s pinned%s%s%s%s", row->appointment_id, row->technician_id[0] ? " to " : "",
        row->technician_id, row->start_us != 0 ? " at " : "",
        row->start_us != 0 ? clock_text(row->start_us, arena) : "");
}

static void tell_put(const struct act *act, struct arena *arena, struct lines *lines)
{
    const union row *row = &act->row;
    if (act->row_kind == ROW_APPOINTMENT)
        SAY(lines, "%s %s%s%s%s%s", row->appointment.appointment_id,
            appointment_status_name((enum appointment_status)row->appointment.status),
            row->appointment.late ? ", late" : "",
            row->appointment.needs >> NEED_HELP & 1 ? ", needs help" : "",
            row->appointment.needs >> NEED_PART & 1 ? ", needs a part" : "",
            row->appointment.needs >> NEED_UNSAFE & 1 ? ", is not safe" : "");
    if (act->row_kind == ROW_VISIT_ENTRY && row->visit_entry.kind < ENTRY_NEED)
        SAY(lines, "%s noted by %s: %s", row->visit_entry.appointment_id,
            row->visit_entry.technician_id, row->visit_entry.text);
    if (act->row_kind == ROW_CHANGE) tell_change(&row->change, arena, lines);
    if (act->row_kind == ROW_CHECK_IN)
        SAY(lines, "check-in %s %s by %s%s%s%s", row->check_in.appointment_id,
            appointment_status_name((enum appointment_status)row->check_in.status),
            row->check_in.technician_id, row->check_in.inferred ? ", inferred" : "",
            row->check_in.time_flags & TIME_UNCERTAIN ? ", time uncertain" : "",
            row->check_in.time_flags & TIME_CLAMPED ? ", time clamped" : "");
    if (act->row_kind == ROW_PLAN)
        SAY(lines, "plan version %d, %d changes", (int)row->plan.version, (int)row->plan.changes);
    if (act->row_kind == ROW_STABILITY_OVERRIDE)
        SAY(lines, "%s changed by %d beyond his limit for %s",
            row->stability_override.technician_id, (int)row->stability_override.changes_beyond,
            row->stability_override.appointment_id);
    if (act->row_kind == ROW_CONFLICT)
        SAY(lines, "conflict %d opened: %s by %s, %s with %s", (int)row->conflict.seq,
            row->conflict.appointment_id, row->conflict.technician_id,
            appointment_status_name((enum appointment_status)row->conflict.status),
            row->conflict.other_technician_id[0] != '\0' ? row->conflict.other_technician_id
                                                         : "nobody");
    if (act->row_kind == ROW_CONFLICT_RESOLUTION)
        SAY(lines, "conflict %d resolved by %s", (int)row->conflict_resolution.conflict_seq,
            row->conflict_resolution.actor);
    if (act->row_kind == ROW_PIN) tell_pin(&row->pin, arena, lines);
    if (act->row_kind == ROW_ABSENCE)
        SAY(lines, "absence %s %s-%s", row->absence.technician_id,
            clock_text(row->absence.start_us, arena), clock_text(row->absence.end_us, arena));
}

static void tell_acts(const struct acts *acts, struct arena *arena, struct lines *lines)
{
    for (uint32_t i = 0; i < acts->count; i++) {
        const struct act *act = &acts->items[i];
        if (act->kind == ACT_PUT) tell_put(act, arena, lines);
        if (act->kind == ACT_ERASE && act->row_kind == ROW_PIN)
            SAY(lines, "%s not pinned", act->row.pin.appointment_id);
        if (act->kind == ACT_SOLVE && act->event) SAY(lines, "solve");
    }
    if (acts->conflict) SAY(lines, "conflict: %s", acts->conflict_text);
}

static void tell_refusals(const struct acts *acts, struct lines *lines)
{
    for (uint32_t i = 0; i < acts->refusal_count; i++)
        SAY(lines, "route of %s refused: %s", acts->refusals[i].technician_id,
            acts->refusals[i].reason);
}

static void tell_problem(enum err err, const struct problem *problem, struct lines *lines)
{
    SAY(lines, "refused (%s) %s%s%s", err_name(err), problem->field,
        problem->field[0] != '\0' ? ": " : "", problem->text);
}

#endif
