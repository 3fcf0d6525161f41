/* hands.h - a technician of a living fleet changes hands: what a tool asks for it (handover.h).
 *
 * `callout sim take-over TECHNICIAN --data DIR | --control FILE`
 *   the virtual technician steps back where he stands. Prints an enrolment token for the device of
 *   whoever goes on (with --data), and tells on standard error what he was doing.
 * `callout sim take-over --data DIR | --control FILE`
 *   lists the fleet: id, what he does, the appointment in hand, with tabs between them.
 * `callout sim give-back TECHNICIAN --data DIR | --control FILE --token TOKEN`
 *   the virtual one goes on, from what the system knows by then.
 * Exit code 4: no fleet lives there.
 */
#ifndef CALLOUT_SIM_HANDS_H
#define CALLOUT_SIM_HANDS_H

#include "base/err.h"

#include <stddef.h>

enum { HANDS_PATH = 1024, HANDS_ANSWER = 1 << 20 };

/* Where a fleet that serves this data folder's system can be spoken to. */
void hands_path(const char *data_dir, char path[HANDS_PATH]);

/* See control_call for errors. `was` gets what he was doing; `token` comes from system_enrol. */
MUST_USE enum err hands_take(const char *path, const char *technician_id, char *was, size_t size,
                             struct problem *problem);
MUST_USE enum err hands_give(const char *path, const char *technician_id, const char *token,
                             struct problem *problem);

/* The verbs' main; argv[0] is the verb. Returns an exit code. */
int hands_main(int argc, char **argv);

#endif
