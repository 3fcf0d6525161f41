/* console.h - somebody may look on at the console: an account for the run, and where to log in.
 *
 * The password is made anew for each run and told once, on the terminal of whoever started it. */
#ifndef CALLOUT_SIM_CONSOLE_H
#define CALLOUT_SIM_CONSOLE_H

#include "base/err.h"
#include "sim/system.h"

enum { CONSOLE_TEXT = 256 };

/* The --http of a system to start: NULL says nothing, which is the usual port where that is free;
 * else any free one. */
const char *console_address(void);

/* Makes a dispatcher of the territory on a system that runs on its folder; one of an earlier run
 * gets a new password. `text` says where and as whom to log in, in one line. What goes wrong is
 * also in the file at `log_path`. ERR_NOT_FOUND: the system has no door for browsers. */
MUST_USE enum err console_open(const struct system *system, const char *territory_id,
                               const char *log_path, char text[CONSOLE_TEXT],
                               struct problem *problem);

/* The link with which the technicians' app becomes the device of one of them, in one line. */
MUST_USE enum err console_app_link(const struct system *system, const char *technician_id,
                                   char text[CONSOLE_TEXT], struct problem *problem);

#endif
