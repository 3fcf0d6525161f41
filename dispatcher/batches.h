/* batches.h - what came in becomes batches, what is held is asked again: the engine's day, without
 * its sockets.
 *
 * Idea: while a commit waits for the disk, requests pile up: they are the next batch. That is the
 * group commit; nobody waits for company. Held requests (Follow, NextProblem) are kept as bytes and
 * asked again after each batch, and when their time is up. The live service and the simulator
 * drive it alike: batches_put for what comes in, batches_run as soon as nothing more can be read,
 * batches_answer_held a few times a second, batches_tick when batches_tick_wait_us has passed.
 *
 * Owner: the engine is the caller's and outlives it. Thread: one.
 */
#ifndef CALLOUT_DISPATCHER_BATCHES_H
#define CALLOUT_DISPATCHER_BATCHES_H

#include "dispatcher/engine.h"
#include "sp_listener.h"

struct batches;

/* No port may call back before it returns. */
struct batches_ports {
    void *context;
    int64_t (*mono_us)(void *context);
    int64_t (*domain_us)(void *context);
    /* Sends a packed Reply; the bytes are copied. */
    void (*reply)(void *context, struct sp_ticket to, const void *bytes, size_t size);
    bool (*alive)(void *context, struct sp_ticket ticket);
    /* Has a password checked elsewhere; batches_password_done says when. NULL: it is done here. */
    void (*password)(void *context, uint32_t slot, struct password_work *work);
};

struct batches *batches_open(struct engine *engine, const struct batches_ports *ports);
void batches_close(struct batches *batches); /* may be NULL; what waits is forgotten */

/* Copies a request. Where there is no room for it, what came before is run first. */
void batches_put(struct batches *batches, struct sp_ticket from, const uint8_t *bytes, size_t size);
uint32_t batches_waiting(const struct batches *batches);
/* Does all that waits, and answers: at once, or where the store syncs apart (store.h), when what
 * the answer tells of is on the disk. */
void batches_run(struct batches *batches);
/* Sends the answers that waited for the disk and need not any more; also while a batch runs. False:
 * the disk failed. What still waits is never sent then, and the store must be opened anew. */
bool batches_release(struct batches *batches);
bool batches_release_due(const struct batches *batches); /* is there anything to send? */
/* Answers what is held and has news, or whose time is up. */
void batches_answer_held(struct batches *batches);

/* That piece of work is done; batches_run takes its request on. */
void batches_password_done(struct batches *batches, uint32_t slot);

/* Does what domain time has brought due. */
void batches_tick(struct batches *batches);
/* Monotonic time until there is something to tick, where domain time runs at `rate`; INT64_MAX:
 * never. */
int64_t batches_tick_wait_us(const struct batches *batches, double rate);

#endif
