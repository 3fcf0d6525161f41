/* upstream.h - the dispatcher as the gateway sees it: questions, answers, its clock, its health.
 *
 * Idea: an answer is decoded and reaches whoever asked. Every answer also tells the dispatcher's
 * log position and domain time, which then stand in every reply of the gateway, also in those that
 * it writes itself.
 *
 * Owner: the caller. An answer is borrowed until the callback returns.
 * Thread: the gateway's.
 */
#ifndef CALLOUT_GATEWAY_UPSTREAM_H
#define CALLOUT_GATEWAY_UPSTREAM_H

#include "base/err.h"
#include "pb/inner.pb-c.h"
#include "pb/wire.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

struct gateway_ports;
struct upstream;

enum { UPSTREAM_IN_FLIGHT_MAX = 16384 };

struct upstream_answer {
    enum err err; /* ERR_OK, ERR_RETRY (deadline), ERR_IO: the envelope came, or not */
    const Callout__Reply *reply; /* the dispatcher's envelope; NULL unless err is ERR_OK */
    int64_t took_us;
};

typedef void upstream_done(void *context, const struct upstream_answer *answer);

/* The ports are kept until upstream_close. */
struct upstream *upstream_open(const struct gateway_ports *ports);
void upstream_close(struct upstream *upstream); /* no callback comes any more */

/* Asks `method` of Inner with a packed body. ERR_BUSY: too much is in flight, `done` is not called;
 * otherwise it is called exactly once, never from inside upstream_ask. */
MUST_USE enum err upstream_ask(struct upstream *upstream, const char *method,
                               ProtobufCBinaryData body, uint32_t deadline_ms, upstream_done *done,
                               void *context);
/* What became of the question that went out by ports.ask under this cookie; `reply` is NULL unless
 * err is ERR_OK, and borrowed until return. */
void upstream_answered(struct upstream *upstream, uint64_t cookie, enum err err,
                       const uint8_t *reply, size_t size);
/* Calls every waiting `done` with ERR_RETRY: the process ends. What is answered after that is
 * dropped, and nothing more is asked. */
void upstream_abandon(struct upstream *upstream);

/* Log position and domain time as far as they are known, where `reply` does not have them yet. */
void upstream_stamp(const struct upstream *upstream, Callout__Reply *reply);
uint64_t upstream_log_seq(const struct upstream *upstream);
uint32_t upstream_in_flight(const struct upstream *upstream);

#endif
