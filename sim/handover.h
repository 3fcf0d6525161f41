/* handover.h - real clients in the place of virtual technicians, while the fleet lives.
 *
 * Idea: a technician is one person. Whoever is to take over is told "ok" only when the virtual one
 * is silent: all he said is acknowledged, and his device is closed. So what the system hears of him
 * is first the one's word, then the other's, and never both. Each change of hands is a new device
 * with a token of its own, as when a phone is handed to somebody.
 *
 * What is asked (control.h), its words with a tab between them, and what "ok" says:
 *   list           one line for each technician: id, what he does, the appointment in hand or "-"
 *   take ID        he is free; what he was doing, for people
 *   give ID TOKEN  the virtual one is back: he goes on from what the system knows of the day
 * "no" says why not; then nothing has changed.
 * A device that enrols as him without having asked, as an app does with the demo's link, ends his
 * virtual one: he makes way, too, and may be given back.
 *
 * Owner: the fleet is kept until handover_close. Thread: the loop's.
 */
#ifndef CALLOUT_SIM_HANDOVER_H
#define CALLOUT_SIM_HANDOVER_H

#include "sim/fleet.h"

struct handover_options {
    const char *path; /* of the socket */
    struct fleet *fleet;
    const struct day *day;
    const char *folder; /* new devices of those who come back are made in it; kept */
};

struct handover;

MUST_USE enum err handover_open(struct handover **out, const struct handover_options *options,
                                struct problem *problem);
void handover_close(struct handover *handover); /* may be NULL */

/* To be called often: answers who asked, and looks after those who go and come. */
void handover_serve(struct handover *handover);
/* From now on nobody is taken or given. */
void handover_end(struct handover *handover);

/* So often somebody was taken over. */
uint32_t handover_count(const struct handover *handover);

#endif
