/* ask.h - what the answers share: one appointment, asked about at one moment; private to this
 * folder. */
#ifndef CALLOUT_CORE_ASK_H
#define CALLOUT_CORE_ASK_H

#include "dispatcher/core/answer.h"
#include "dispatcher/core/judge.h"
#include "dispatcher/core/suppose.h"

struct ask {
    struct core *core;
    struct arena *arena;
    const struct policy *policy;
    struct supposition *supposition; /* ended between two moves */
    int64_t now_us, start_before_us;
    uint32_t appointment, home; /* the shift that it stands in; NONE */
    bool was_pinned, was_frozen;
};

MUST_USE enum err ask_open(struct ask *ask, struct core *core, const char *appointment_id,
                           int64_t now_us, struct arena *arena, struct problem *problem);
/* The move to a shift that has room, judged and measured. */
void ask_move(const struct ask *ask, uint32_t shift, int64_t start_us, uint32_t place,
              struct move *out);
/* Does the shift have room for it, and that place? */
MUST_USE enum err check_place(const struct core *core, uint32_t appointment, uint32_t shift,
                              uint32_t place, struct problem *problem);

struct plan_parts plan_parts_less(const struct plan_parts *a, const struct plan_parts *b);
void plan_parts_add(struct plan_parts *to, const struct plan_parts *more);
struct plan_parts route_parts(const struct ask *ask, uint32_t shift);
/* What it costs to tell somebody that a visit that stood there stands here now. */
struct plan_parts change_parts(const struct policy *policy, int64_t now_us,
                               const struct standing *was, uint32_t shift, int64_t start_us);
/* Change prices of all that the supposition moved. */
void add_changes(const struct ask *ask, struct plan_parts *delta);
void tell_judged(const struct ask *ask, const struct judged *judged, struct move *out);
/* How long after the last window, or a person's pin, that start would be. */
/* Adds a shift's route; `broken` (may be NULL) is the first rule of it that gave way. */
void tally_shift(const struct core *core, uint32_t shift, int64_t now_us, enum rule *broken,
                 struct plan_tally *sum);
int64_t late_after_us(const struct core *core, uint32_t appointment, int64_t start_us);
/* --- edits by people (moves.c)
 * ------------------------------------------------------------------ */
/* What somebody has in mind is what there is; the appointment NONE has no version. */
MUST_USE enum err check_version(const struct core *core, uint32_t appointment, uint64_t expected,
                                struct problem *problem);
/* ERR_CONFLICT with what it may become instead. */
enum err refuse_move(enum appointment_status from, enum actor_role role, const char *wish,
                     struct problem *problem);
enum err refuse_held(struct problem *problem);
/* Where a visit was that was taken off its route, to be put somewhere else in the same step. */
struct stood {
    uint32_t appointment, shift; /* NONE: nobody had it */
    const char *owner;
    int64_t start_us;
};
struct stood take_out(struct core *core, uint32_t appointment);
/* Puts it where it was judged to go, pinned to its technician, and makes room. */
void put_in(struct core *core, const struct stood *stood, uint32_t shift, int64_t pin_start_us,
            const struct judged *judged, struct acts *acts);

/* Fewer rules that time cannot mend, then less that gives way, then cost, then by name. */
bool move_better(const struct move *a, const struct move *b);

#endif
