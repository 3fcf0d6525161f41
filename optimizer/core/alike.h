/* alike.h - technicians who differ in nothing but their name.
 *
 * Idea: an empty route of one is as good as that of another, so only the first empty one of each
 * kind is ever looked at.
 *
 * Owner: arrays live in the arena given to alike_open. Thread: one at a time.
 */
#ifndef CALLOUT_OPTIMIZER_ALIKE_H
#define CALLOUT_OPTIMIZER_ALIKE_H

#include "optimizer/core/plan.h"

struct alike {
    uint32_t *kind_of;     /* by technician */
    uint32_t *next;        /* of the same kind, by rank; NO_INDEX: the last */
    uint32_t *first;       /* by kind */
    uint32_t *first_empty; /* by kind; NO_INDEX: none */
    uint8_t *empty;        /* by technician */
    uint32_t kind_count;
};

void alike_open(struct alike *alike, const struct instance *in, struct arena *arena);

/* Takes notice of the whole plan, or of one route that has changed. */
void alike_look(struct alike *alike, const struct plan *plan);
void alike_changed(struct alike *alike, const struct plan *plan, uint32_t technician);

/* Is this an empty route while another one like it comes before it? */
static inline bool alike_spare(const struct alike *alike, uint32_t technician)
{
    return alike->empty[technician] && alike->first_empty[alike->kind_of[technician]] != technician;
}

#endif
