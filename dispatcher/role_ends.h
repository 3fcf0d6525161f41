/* role_ends.h - how often the parts of a running system ended: `serve` writes it, whoever tells
 * people how the system is reads it.
 *
 * Idea: serve talks to nobody, so it leaves what it knows in DIR/roles, a line for each role: its
 * word, how often it ended, the last exit code, and when the last ones were, in UTC microseconds. A
 * reader sees all of it or none.
 *
 * Thread: any. A file that cannot be written is logged, and no reason to stop serving.
 */
#ifndef CALLOUT_DISPATCHER_ROLE_ENDS_H
#define CALLOUT_DISPATCHER_ROLE_ENDS_H

#include "dispatcher/children.h"

enum { ROLE_WORD_SIZE = 16 };

struct role_ends {
    char role[ROLE_WORD_SIZE];
    uint32_t ends;
    int exit_code;
    uint32_t kept;
    int64_t ended_us[CHILD_ENDS_KEPT]; /* `kept` of them, newest first */
};

void role_ends_write(const char *folder, const struct child *children, int count);
void role_ends_remove(const char *folder);
/* Returns how many there are, at most `max`; 0: serve did not start this. */
uint32_t role_ends_read(const char *folder, struct role_ends *out, uint32_t max);

#endif
