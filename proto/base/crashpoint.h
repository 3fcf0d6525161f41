/* crashpoint.h - named places at which a process can be made to die, to see what it leaves behind.
 *
 * Idea: CALLOUT_CRASHPOINT=NAME or NAME:N in the environment kills the process, as kill -9 does,
 * when it passes that place for the N-th time (the first, if not said).
 * CALLOUT_CRASHPOINT_MARK=FILE is made right before, and while it exists no place is armed: whoever
 * is started again lives on, and a test sees that the place was reached. Unset, passing a place
 * compares two integers.
 *
 * The places are in crashpoint.def. Order: crash_arm once, at the start of main. Thread: any; a
 * place that several threads pass is counted roughly.
 */
#ifndef CALLOUT_BASE_CRASHPOINT_H
#define CALLOUT_BASE_CRASHPOINT_H

#include <stdbool.h>

enum crash_point {
    CRASH_NOWHERE,
#define CRASH_POINT(POINT, name) CRASH_##POINT,
#include "base/crashpoint.def"
#undef CRASH_POINT
    CRASH_POINTS
};

/* Reads the environment. False: it names a place that there is not. */
bool crash_arm(void);
const char *crash_point_name(enum crash_point point);

extern enum crash_point crash_armed;
void crash_count(void);

static inline void crash_here(enum crash_point point)
{
    if (crash_armed == point) crash_count();
}

#endif
