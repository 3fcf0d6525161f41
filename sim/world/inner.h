/* inner.h - the questions of gateway and optimizer to the dispatcher, in virtual time.
 *
 * Idea: what proto/bus.h promises over a Unix socket, without one: a question is under way for a
 * moment, is sent again when the dispatcher comes back after it went away, and its asker hears of
 * it once: the answer, or ERR_RETRY at its deadline. An answer that had not left when the
 * dispatcher died is lost, whatever was committed for it.
 *
 * Owner: bytes are copied. Thread: the loop's. Times are the loop's.
 */
#ifndef CALLOUT_SIM_WORLD_INNER_H
#define CALLOUT_SIM_WORLD_INNER_H

#include "base/err.h"
#include "gateway/client/loop.h"
#include "sp_listener.h"

struct inner;

struct inner_options {
    struct client_loop *loop;
    int64_t way_us; /* of one message */
    void *context;  /* of both below; bytes are borrowed */
    /* A question has reached the dispatcher. */
    void (*asked)(void *context, struct sp_ticket from, const uint8_t *bytes, size_t size);
    /* What its asker hears; bytes are NULL unless err is ERR_OK. */
    void (*answered)(void *context, uint32_t asker, uint64_t cookie, enum err err,
                     const uint8_t *bytes, size_t size);
};

struct inner *inner_open(const struct inner_options *options); /* with the dispatcher up */
void inner_close(struct inner *inner);                         /* nobody hears anything more */

/* A question leaves at `leaves_us`, now or later; its deadline counts from then. */
void inner_ask(struct inner *inner, uint32_t asker, uint64_t cookie, const void *bytes, size_t size,
               uint32_t deadline_ms, int64_t leaves_us);
/* So does an answer. Quiet when nobody waits for it any more. */
void inner_reply(struct inner *inner, struct sp_ticket to, const void *bytes, size_t size,
                 int64_t leaves_us);
bool inner_alive(const struct inner *inner, struct sp_ticket ticket);

void inner_dispatcher_down(struct inner *inner);
void inner_dispatcher_up(struct inner *inner);
/* The asker died: its questions die with it. */
void inner_forget(struct inner *inner, uint32_t asker);

uint64_t inner_questions(const struct inner *inner);
uint64_t inner_resent(const struct inner *inner);

#endif
