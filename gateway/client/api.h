/* api.h - an API key's door: whatever an integrator, a customer's system or a tool asks.
 *
 * Idea: requests wait in a line and go out one after the other on one connection; a held request
 * (EventFeed) should have an api of its own. A mutation carries a request_id: with the same one it
 * has its effect once, however often it is sent; RETRY, RATE, BUSY and IO are sent again by
 * themselves, with the waits of client.h.
 *
 * Owner: messages are packed before api_ask returns; what a callback gets is borrowed until then.
 * Thread: the loop's. api_call runs the loop itself until its answer is there, so it is for tools.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_API_H
#define CALLOUT_GATEWAY_CLIENT_API_H

#include "base/arena.h"
#include "gateway/client/loop.h"
#include "pb/wire.pb-c.h"

struct api;

struct api_options {
    const char *url, *ca_file, *tls_name; /* as in client_options */
    const char *key;                      /* the text that `callout admin key` printed */
    const char *app_build;
    bool held; /* for EventFeed: the server may keep a request for LIMIT_HOLD_MS */
};

/* What came back. `message` is of the method's reply type; NULL unless err is ERR_OK. */
struct api_answer {
    enum err err;
    const char *text; /* for people; may be "" */
    size_t error_count;
    Callout__FieldError **errors;
    const ProtobufCMessage *message;
    uint64_t log_seq;
};

typedef void api_done(void *context, const struct api_answer *answer);

MUST_USE enum err api_open(struct api **out, struct client_loop *loop,
                           const struct api_options *options, struct problem *problem);
void api_close(struct api *api); /* may be NULL; what is in the line is dropped without an answer */

/* `request_id` NULL: a fresh one is made (queries carry none). `done` may be NULL. */
void api_ask(struct api *api, const char *method, const ProtobufCMessage *message,
             const char *request_id, api_done *done, void *context);
/* Asks and waits. The answer lives in `arena`. ERR_IO: no answer within timeout_ms. Otherwise the
 * answer's err; then *problem has the first field error or the server's text. */
MUST_USE enum err api_call(struct api *api, const char *method, const ProtobufCMessage *message,
                           const char *request_id, uint32_t timeout_ms, struct arena *arena,
                           const ProtobufCMessage **reply, struct problem *problem);

size_t api_waiting(const struct api *api); /* requests without an answer yet */
bool api_connected(const struct api *api);
int64_t api_domain_us(const struct api *api); /* domain time now; 0: no reply came yet */
int64_t api_mono_at(const struct api *api, int64_t domain_us);
double api_rate(const struct api *api); /* domain seconds per second */

#endif
