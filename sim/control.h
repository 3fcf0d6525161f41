/* control.h - one line to a running fleet, and its answer: a Unix socket on this machine.
 *
 * Idea: whoever may write into the socket's folder may ask; a caller sends one line and gets one
 * text back, when the fleet has done it. The first line of an answer is "ok" or "no". The fleet
 * looks at its socket when its own pulse comes round, so nothing here waits.
 * Owner: the caller; the socket's file goes with control_close. A file that a dead fleet left is
 * replaced; one that a living fleet serves is ERR_CONFLICT. A path may be of any length.
 * Thread: one.
 */
#ifndef CALLOUT_SIM_CONTROL_H
#define CALLOUT_SIM_CONTROL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTROL_LINE = 512, CONTROL_CALLERS = 8, CONTROL_WAIT_S = 40 };

struct control;

/* Who calls: valid until answered, and harmless afterwards. */
struct control_caller {
    uint32_t index, turn;
};

typedef void control_on_line(void *context, struct control_caller caller, const char *line);

MUST_USE enum err control_open(struct control **out, const char *path, struct problem *problem);
void control_close(struct control *control); /* may be NULL; who still waits gets no answer */

/* Takes what callers sent since, each whole line once, and goes on with long answers. */
void control_serve(struct control *control, control_on_line *on_line, void *context);
void control_answer(struct control *control, struct control_caller caller, bool ok,
                    const char *text);

/* The caller's end: waits for the answer, at most CONTROL_WAIT_S. ERR_NOT_FOUND: no fleet serves
 * this path. ERR_CONFLICT: it said no, see the problem. ERR_IO: it went away, or never answered. */
MUST_USE enum err control_call(const char *path, const char *line, char *answer, size_t size,
                               struct problem *problem);

#endif
