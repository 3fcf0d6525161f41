/* stability.h - how much of a technician's published day a plan may change: a hard rule, no price.
 *
 * What counts is said in dispatcher/core/stability.c, which refuses what breaks it: a visit that
 * leaves him or comes from somebody else, and a start that moves by more than the tolerance without
 * delay having moved it. An emergency that comes to him lifts the limit.
 */
#ifndef CALLOUT_OPTIMIZER_STABILITY_H
#define CALLOUT_OPTIMIZER_STABILITY_H

#include "optimizer/core/repair.h"

struct stability {
    struct published published;
    int32_t *untouched; /* by visit: its start if nothing changes */
    uint8_t *broken;    /* by technician: delay alone takes more from him than may change */
};

/* Gives the instance its limits, if any technician has one. */
void stability_build(struct instance *in, const struct published *published, struct arena *arena);

/* Does the technician keep his limit, and does nobody have what only a broken day gives up? */
bool stability_holds(const struct plan *plan, uint32_t technician);

/* Plans anew, by insertion alone, where repair has changed too much. */
void stability_repair(struct plan *plan, struct arena *scratch);

#endif
