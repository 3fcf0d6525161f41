/* bus.h - how a part of ours asks its neighbour: many requests at once over one nng REQ socket.
 *
 * Idea: each request rides on an nng context of its own, so that a held one does not block the
 * rest. nng reconnects by itself and sends what was unanswered again (at least once: every request
 * of ours is safe to repeat). A request that passes its deadline is completed with ERR_RETRY while
 * its context stays out until nng is done with it: cancelling a receive in nng 1.5.2 can crash.
 *
 * Owner: bus_ask copies the bytes; a completion's reply belongs to whoever took it from bus_next.
 * Thread: any thread may call any function; `on_ready` is called on an nng thread with a lock held
 * and may only wake somebody (event_active, eventfd).
 */
#ifndef CALLOUT_BUS_H
#define CALLOUT_BUS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus;

struct bus_options {
    const char *url;                 /* ipc://PATH, tcp://HOST:PORT, tls+tcp://HOST:PORT */
    const char *ca_file;             /* trusted CA for tls+tcp; NULL: not used */
    uint32_t in_flight_max;          /* more get ERR_BUSY; contexts are made as needed */
    void (*on_ready)(void *context); /* a completion waits in bus_next; may be NULL */
    void *context;
};

struct bus_completion {
    uint64_t cookie; /* as given to bus_ask */
    enum err err;    /* ERR_OK, ERR_RETRY (deadline), ERR_IO */
    uint8_t *reply;  /* malloc'ed; the taker frees it with free(); NULL unless ERR_OK */
    size_t reply_size;
};

MUST_USE enum err bus_open(struct bus **out, const struct bus_options *options,
                           struct problem *problem);
/* Drops what was not taken. Requests still outstanding after a moment are left, with the memory of
 * the bus, to the end of the process: nng 1.5.2 can hang for ever when it closes with one on its
 * way. */
void bus_close(struct bus *bus);

/* Sends a packed Request (wire.proto). deadline_ms > 0. */
MUST_USE enum err bus_ask(struct bus *bus, uint64_t cookie, const void *bytes, size_t size,
                          uint32_t deadline_ms);
/* Takes one completion; false if there is none now. Deadlines are noticed here and in bus_wait. */
bool bus_next(struct bus *bus, struct bus_completion *out);
/* Waits until bus_next would return something, at most timeout_ms; false on time-out. */
bool bus_wait(struct bus *bus, uint32_t timeout_ms);

/* Asks and waits: for tools. Same ownership as a completion. */
MUST_USE enum err bus_call(struct bus *bus, const void *bytes, size_t size, uint32_t deadline_ms,
                           uint8_t **reply, size_t *reply_size);

#endif
