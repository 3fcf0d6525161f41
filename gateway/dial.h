/* dial.h - the one connection to the dispatcher, and the questions that are out on it.
 *
 * Idea: every question is kept until it is answered or late. When the connection breaks, another is
 * made, and what is not answered is asked again on it: at least once, so every question must be
 * safe to repeat. A question that passes its deadline is answered ERR_RETRY, and what comes for it
 * later is dropped.
 *
 * Owner: bytes are copied. Thread: the loop's.
 */
#ifndef CALLOUT_GATEWAY_DIAL_H
#define CALLOUT_GATEWAY_DIAL_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct dial;
struct event_base;

/* What became of a question; `reply` is NULL unless err is ERR_OK, and borrowed until return. */
typedef void dial_answered(void *context, uint64_t cookie, enum err err, const uint8_t *reply,
                           size_t size);

struct dial_options {
    const char *url;     /* borrowed until dial_close */
    uint32_t cookie_max; /* cookies are below this, and at most 65536 */
    dial_answered *on_answer;
    void *context;
};

MUST_USE enum err dial_open(struct dial **out, struct event_base *base,
                            const struct dial_options *options, struct problem *problem);
void dial_close(struct dial *dial); /* may be NULL; nobody is answered any more */

/* Asks; the cookie must not be out. on_answer is called exactly once, never from inside. */
void dial_ask(struct dial *dial, uint32_t cookie, const void *bytes, size_t size,
              uint32_t deadline_ms);
/* Several times a second: deadlines are noticed here. */
void dial_tick(struct dial *dial);

#endif
