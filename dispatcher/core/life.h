/* life.h - the life of an appointment as one checked table: from, to, who may.
 *
 *   UNSCHEDULED - SCHEDULED - DISPATCHED - ACCEPTED - EN_ROUTE - ON_SITE - WORKING - COMPLETED,
 *                                                                        \ PAUSED /  INCOMPLETE,
 *                                                                                    NO_ACCESS
 *   Any state that is not final may end CANCELLED (not while WORKING).
 *
 * Two kinds of callers (dispatcher/README.md): a person at a screen is refused with the list of
 * what he may do; a technician's report is a fact and never refused: states that it skipped are
 * inferred.
 */
#ifndef CALLOUT_CORE_LIFE_H
#define CALLOUT_CORE_LIFE_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers are those of entity.proto, AppointmentStatus, and are stored. */
enum appointment_status {
    APPOINTMENT_NONE = 0,
    APPOINTMENT_UNSCHEDULED = 1,
    APPOINTMENT_SCHEDULED = 2,
    APPOINTMENT_DISPATCHED = 3,
    APPOINTMENT_ACCEPTED = 4,
    APPOINTMENT_EN_ROUTE = 5,
    APPOINTMENT_ON_SITE = 6,
    APPOINTMENT_WORKING = 7,
    APPOINTMENT_PAUSED = 8,
    APPOINTMENT_COMPLETED = 9,
    APPOINTMENT_INCOMPLETE = 10,
    APPOINTMENT_NO_ACCESS = 11,
    APPOINTMENT_CANCELLED = 12,
    APPOINTMENT_STATUSES
};

enum actor_role {
    ROLE_NONE = 0,
    ROLE_TECHNICIAN = 1 << 0,
    ROLE_DISPATCHER = 1 << 1,
    ROLE_OPTIMIZER = 1 << 2,
    ROLE_CLOCK = 1 << 3,
    ROLE_CUSTOMER = 1 << 4,
    ROLE_INTEGRATOR = 1 << 5,
};

const char *appointment_status_name(enum appointment_status status);
bool life_allows(enum appointment_status from, enum appointment_status to, enum actor_role role);
/* Writes "accepted, en route, ..." : where this role may go from here. Returns the number of
 * targets. */
uint32_t life_targets(enum appointment_status from, enum actor_role role, char *text,
                      uint32_t text_size);

bool life_final(enum appointment_status status); /* completed, incomplete, no access, cancelled */
bool life_plannable(enum appointment_status status);   /* unscheduled .. accepted: not begun */
bool life_in_progress(enum appointment_status status); /* en route .. paused */

/* The states between `from` and a technician's report of `to` that he must have passed without
 * saying so, in order; `path` has room for APPOINTMENT_STATUSES. Returns how many; 0 if none, or if
 * `to` is not ahead of `from`. */
uint32_t life_inferred(enum appointment_status from, enum appointment_status to,
                       enum appointment_status *path);
/* Is `to` ahead of `from` in a technician's report? A late, out-of-order one is not. */
bool life_ahead(enum appointment_status from, enum appointment_status to);

enum work_order_status {
    WORK_ORDER_OPEN = 1,
    WORK_ORDER_IN_PROGRESS = 2,
    WORK_ORDER_DONE = 3,
    WORK_ORDER_CANCELLED = 4,
};
/* A work order's status is a pure function of its appointments' (A2). */
enum work_order_status life_work_order(const enum appointment_status *statuses, uint32_t count);

#endif
