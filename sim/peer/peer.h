/* peer.h - an external solver in the optimizer's place: any program that reads a problem in VROOM's
 * JSON on standard input and writes a solution in VROOM's words on standard output.
 *
 * Idea: at an event the program gets what is open and says who serves what, in which order; when
 * things happen, and whether they may, is worked out here by the same rules as for our own plans.
 * What of its routes breaks a rule is left out of them and counted. It is run once per event, by
 * `/bin/sh -c`, in a process group of its own, and killed when it takes too long.
 *
 * What it is told, and what it is not
 *   vehicle   a technician: skills, one time_window to the end of the overtime allowed, the break
 *             if it is still ahead, start_index where the frozen part of the route ends (or where
 *             he is), end_index
 *   job       a visit that is not frozen: service, time_windows of the start of service with the
 *             lateness allowed, skills that stand for everything that decides who may serve it,
 *             priority as its price between 1 and 100
 *   matrices  durations under "car" in whole seconds
 * Limits of a leg or of a day's travel, prices of lateness, of preferences and of changes have no
 * word in that format. Time 0 is when the first technician can leave.
 *
 * Owner: peer_close frees all and has no process left behind. Thread: one.
 */
#ifndef CALLOUT_SIM_PEER_PEER_H
#define CALLOUT_SIM_PEER_PEER_H

#include "optimizer/solve.h"

enum peer_end {
    PEER_ANSWERED,
    PEER_HUNG,     /* no end of its answer in time */
    PEER_DIED,     /* by a signal, with an exit code, or it could not be started */
    PEER_NONSENSE, /* not a solution: the problem names the place in it */
    PEER_END_COUNT
};

struct peer_options {
    const char *command; /* copied */
    double seconds_max;  /* of the wall clock, per event */
};

struct peer_report {
    uint64_t ends[PEER_END_COUNT];
    uint64_t left_out; /* visits that its routes had but a rule forbids there */
    double seconds, seconds_worst;
    char last_failure[sizeof(struct problem) + 2]; /* "": none */
};

struct peer;

struct peer *peer_open(const struct peer_options *options);
void peer_close(struct peer *peer); /* may be NULL */

/* Puts the program's plan into solver->plan, which holds every rule before and after (after
 * solver_begin). Anything but PEER_ANSWERED leaves the plan as it was, and *problem says why. */
enum peer_end peer_solve(struct peer *peer, struct solver *solver, struct problem *problem);

const struct peer_report *peer_report(const struct peer *peer); /* of all calls so far */

#endif
