/* stability.h - how much of a technician's published day a plan may change: a hard rule, no price.
 *
 * What counts is said in dispatcher/core/stability.c, which refuses what breaks it: a visit that
 * leaves him or comes from somebody else, and a start that moves by more than the tolerance without
 * delay having moved it. An emergency that comes to him lifts the limit.
 */
#ifndef CALLOUT_OPTIMIZER_STABILITY_H
#define CALLOUT_OPTIMIZER_STABILITY_H

#include "optimizer/core/repair.h"

/* The same of the whole day: how many visits may leave who has them, each counted once in the day
 * (node.changed_hands). Nothing counts that leaves a technician whose published route does not hold
 * any more or may not serve it, nor where an emergency comes to him or to who takes it. */
struct stability {
    struct published published;
    uint8_t *excused;   /* by technician: his published route does not hold any more */
    int32_t hands_max;  /* hands_left, or what delay alone takes from technicians */
    int32_t *untouched; /* by visit: its start if nothing changes */
    uint8_t *broken;    /* by technician: delay alone takes more from him than may change */
};

/* Gives the instance its limits, if any technician has one. */
void stability_build(struct instance *in, const struct published *published, struct arena *arena);

/* Does the technician keep his limit, and does nobody have what only a broken day gives up? */
bool stability_holds(const struct plan *plan, uint32_t technician);

/* Does the whole plan keep the day's limit? */
bool stability_holds_hands(const struct plan *plan);

/* Plans anew, by insertion alone, where repair has changed too much. */
void stability_repair(struct plan *plan, struct arena *scratch);

#endif
