/* suppose.h - what would be if: the state is changed in place, looked at, and put back.
 *
 * Idea: an answer about a move must be what the rules say of the state after it, so the move is
 * made, by the same functions that make it for good, and taken back before anybody else looks.
 * Owner: the supposition holds what has to be put back; nothing is stored and nobody is told.
 * Order: suppose_begin, then suppose_* before each change of a visit or a route, then suppose_end.
 * A digest taken before and after is the same.
 */
#ifndef CALLOUT_CORE_SUPPOSE_H
#define CALLOUT_CORE_SUPPOSE_H

#include "dispatcher/core/state.h"

/* An emergency touches at most three routes besides its own: those of who is displaced, and where
 * they go. */
enum { SUPPOSED_SHIFTS = 6, SUPPOSED_VISITS = SUPPOSED_SHIFTS * LIMIT_VISITS_PER_ROUTE };

/* Where a visit stands: all that a supposition changes of it. */
struct standing {
    uint32_t appointment, shift, pin_to;
    bool pin_technician, late;
    enum appointment_status status;
    int64_t planned_start_us, planned_end_us, pin_start_us;
};

struct supposition {
    struct core *core;
    uint32_t visit_count, shift_count;
    struct standing visits[SUPPOSED_VISITS];
    struct {
        uint32_t shift, count;
        uint32_t route[LIMIT_VISITS_PER_ROUTE];
    } shifts[SUPPOSED_SHIFTS];
};

void suppose_begin(struct supposition *supposition, struct core *core);
/* Puts everything back. */
void suppose_end(struct supposition *supposition);

/* Nobody has it: off its route, with a pin to `technician` (NONE: none) at start_us (0: any). */
void suppose_off(struct supposition *supposition, uint32_t appointment, uint32_t technician,
                 int64_t start_us);
/* The route of a shift, from its first to its last visit, and when each starts. Whoever was on it
 * and is not any more was taken off before. */
void suppose_route(struct supposition *supposition, uint32_t shift, const uint32_t *route,
                   const int64_t *start_us, uint32_t count);

#endif
