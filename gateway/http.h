/* http.h - the other door: HTTP onto the same operations, as JSON or protobuf.
 *
 *      POST /api/METHOD   body: that method's request message, as JSON (message_json.h) or packed
 *                         (Content-Type: application/x-protobuf)
 *      GET /api/openapi.json           what there is, as OpenAPI 3.1 (openapi.h)
 *      GET /api/stream?cursor=EPOCH-SEQ[&beat=SECONDS]
 *                                      what changes from there on, as text/event-stream: events
 *                                      "changes" (an answer of EventFeed), "beat" (after so many
 *                                      seconds of silence, or 15), and at the end "reset" (read
 *                                      all again) or "over"; each has its cursor as id
 *      GET /authority/ca.crt, /authority/fingerprint
 *                                      the authority behind this door's own certificate, as DER
 *                                      and its SHA-256; 404 and nothing where it has none
 *      GET /PATH                       files of --web (web_tree.h), and --basemap
 *      Authorization: Bearer TOKEN     an API key's text, or a session token in base64; browsers
 *                                      have a cookie instead (http_sessions.h)
 *      Idempotency-Key: ID             the envelope's request_id
 *
 * The answer is the Reply of wire.proto in the form that was asked in; in JSON its body is the
 * method's reply message. Its status is also the HTTP status (http_words.h). A poll is held as on
 * any door.
 *
 * Idea: a request becomes an envelope and goes through edge_request like all others: sessions,
 * limits and polls exist once. The asker is a ticket here too, since he may be gone when his answer
 * comes. What evhttp leaves to us is in http_visitors.h: deadlines that are absolute, and how many
 * connections there may be.
 *
 * Behind a proxy (--behind-proxy) the last address of X-Forwarded-For is the client's, and
 * X-Forwarded-Proto says whether he came by TLS; without that option neither is looked at.
 *
 * Plain HTTP beyond this machine is refused like plain tcp. Host must name this server
 * (RFC 9110, 7.2): a page of a stranger whose name was pointed here gets 421.
 *
 * Thread: the gateway's loop.
 */
#ifndef CALLOUT_GATEWAY_HTTP_H
#define CALLOUT_GATEWAY_HTTP_H

#include "base/err.h"
#include "gateway/options.h"
#include "sp_listener.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The peer of a request whose proxy did not say who asks. */
#define HTTP_PEER_UNKNOWN "proxy"

/* Its number among the doors, behind those of --listen. */
enum { HTTP_DOOR = GATEWAY_DOORS_MAX };

struct http;
struct shell;

struct http_counters {
    uint64_t open, accepted, requests, bytes_in, bytes_out;
    uint64_t streams, streams_dropped;
    uint64_t refused, refused_limit, timed_out; /* refused: no request that we could ask for */
};

MUST_USE enum err http_open(struct http **out, struct shell *shell, struct problem *problem);
void http_close(struct http *http);          /* may be NULL */
unsigned http_port(const struct http *http); /* where it listens; who asked for 0 got another */

/* Reads the certificate anew, and the files too where `files`. Connections that there are keep what
 * they have; an error leaves what there was. */
MUST_USE enum err http_renew(struct http *http, bool files, struct problem *problem);

/* The gateway's ports, for this door. */
void http_reply(struct http *http, struct sp_ticket to, const void *bytes, size_t size);
bool http_alive(const struct http *http, struct sp_ticket ticket);
const char *http_peer(const struct http *http, struct sp_ticket ticket);

void http_tick(struct http *http); /* ten times a second: deadlines */
/* Requests without an answer and bytes of answers on their way: who stops cleanly waits for 0. */
size_t http_unanswered(const struct http *http);
const struct http_counters *http_counters(const struct http *http);

#endif
