/* http_sessions.h - a session in a browser: the cookie that scripts cannot read, and what proves
 * that a request comes from a page of ours.
 *
 *      POST /session/login   {"name", "password"}: sets the cookie; the answer is Login's without
 *                            its token, and has "csrf" beside "body"
 *      GET /session          WhoAmI, and "csrf" again: for a page that was loaded anew
 *      POST /session/logout  {}: ends this session; {"everywhere": true}: all of the account
 *
 * Idea: the cookie is the session token itself, HttpOnly and SameSite=Strict, "__Host-callout" with
 * TLS and "callout_PORT" without. "csrf" is a hash of the token: no table is kept, it is new with
 * each login, and who knows it does not know the token. A request with a cookie instead of a Bearer
 * must carry it as X-Callout-Csrf unless it is a GET, and must come from our origin by what the
 * browser says of it. A Bearer needs none of that: no browser adds it by itself.
 *
 * Pure functions of a request; any thread.
 */
#ifndef CALLOUT_GATEWAY_HTTP_SESSIONS_H
#define CALLOUT_GATEWAY_HTTP_SESSIONS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evhttp_request;

enum { HTTP_SESSION_BYTES = 32, HTTP_CSRF_SIZE = 48, HTTP_COOKIE_SIZE = 160 };

/* How browsers reach this door. */
struct http_origin {
    bool secure;      /* by TLS, our own or that of a proxy in front of us */
    const char *host; /* of the request, its port included */
    unsigned port;    /* that we listen on */
};

/* What Set-Cookie has to say for this session; token NULL: that there is none any more. */
void http_cookie_write(const struct http_origin *origin, const uint8_t *token,
                       char out[HTTP_COOKIE_SIZE]);
/* The session of a Cookie header. ERR_NOT_FOUND: it has none that could be ours. ERR_INVALID: it
 * has two, of which one may be a stranger's. */
MUST_USE enum err http_cookie_read(const struct http_origin *origin, const char *header,
                                   uint8_t token[HTTP_SESSION_BYTES]);

void http_csrf_write(const uint8_t token[HTTP_SESSION_BYTES], char out[HTTP_CSRF_SIZE]);
bool http_csrf_is(const uint8_t token[HTTP_SESSION_BYTES], const char *given);

/* May a request that the browser says this about use the cookie? ERR_UNAUTH: *problem names the
 * header. `said`: one of the two headers must be there. */
MUST_USE enum err http_origin_check(const struct http_origin *origin, const char *origin_header,
                                    const char *fetch_site, bool said, struct problem *problem);

#endif
