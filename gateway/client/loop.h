/* loop.h - the one thread that all clients of a process live on: timers, sockets, and notes.
 *
 * Idea: whatever happens elsewhere (another thread) only links a note and wakes the loop;
 * everything that thinks, runs here, one thing after the other. Sockets live on its event base.
 *
 * A virtual loop has no clock of its own kind: time stands still while anything runs, and jumps to
 * the next timer when nothing is left to do. What lives on a loop asks the loop for the time and
 * never the machine, so the very same code lives a day in seconds, and twice alike: timers of one
 * time fire in the order in which they were set.
 *
 * Owner: timers and notes are part of their owner's struct; before that goes, cancel the timer and
 * withdraw the note.
 * Thread: client_loop_post and client_loop_stop from any thread, all else from the loop's thread
 * (the one inside client_loop_run) or before it runs. Of a virtual loop everything is called
 * from one thread. Times are client_loop_now_us.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_LOOP_H
#define CALLOUT_GATEWAY_CLIENT_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_loop;
struct channel_transport;
struct event_base;

struct client_timer {
    void (*fire)(void *context);
    void *context;
    int64_t at_us;
    uint64_t turn; /* among those of one time: counted up with each setting */
    size_t place;  /* in the loop's heap, counted from 1; 0: not set */
};

struct client_note {
    void (*run)(void *context);
    void *context;
    struct client_note *next;
    bool queued;
};

MUST_USE enum err client_loop_open(struct client_loop **out);
/* `start_us` is UTC: monotonic time and the wall clock are one in a virtual loop. */
MUST_USE enum err client_loop_open_virtual(struct client_loop **out, int64_t start_us);
void client_loop_close(struct client_loop *loop);

int64_t client_loop_now_us(const struct client_loop *loop);  /* monotonic */
int64_t client_loop_wall_us(const struct client_loop *loop); /* UTC, as the machine believes */

/* libevent's part of it; NULL of a virtual loop, which has no sockets. */
struct event_base *client_loop_base(const struct client_loop *loop);

/* What the loop's channels go over (transport.h), before the first one opens; NULL: sockets. */
void client_loop_carry(struct client_loop *loop, const struct channel_transport *transport);
const struct channel_transport *client_loop_carried(const struct client_loop *loop);

/* Fires once at `at_us` or as soon after as it can; setting it again moves it. */
void client_timer_set(struct client_loop *loop, struct client_timer *timer, int64_t at_us);
void client_timer_cancel(struct client_loop *loop, struct client_timer *timer);

/* Has the note run on the loop's thread; a note that waits already is not queued twice. */
void client_loop_post(struct client_loop *loop, struct client_note *note);
void client_loop_withdraw(struct client_loop *loop, struct client_note *note);

/* Serves until client_loop_stop, or until `until_us` (INT64_MAX: for ever). A stop that came before
 * the run counts for it. A virtual loop ends a run without end when nothing is left to happen. */
void client_loop_run(struct client_loop *loop, int64_t until_us);
void client_loop_stop(struct client_loop *loop);

#endif
