/* http_words.h - what the HTTP door says in HTTP's words, and what it lets through at all. Pure
 * functions of a request; any thread. */
#ifndef CALLOUT_GATEWAY_HTTP_WORDS_H
#define CALLOUT_GATEWAY_HTTP_WORDS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evhttp_request;

struct http_status {
    int code;
    const char *reason;
};

/* The HTTP status that a Status of wire.proto is. */
struct http_status http_status_of(enum err err);

/* A header that decides something may come once only: two of them are read differently by whoever
 * stands between us and the client. Nor may a length and a transfer coding both be given (RFC 9112,
 * 6.3). ERR_INVALID names the header. */
MUST_USE enum err http_check_headers(struct evhttp_request *request, struct problem *problem);

/* Does Host name one of these? A port is left aside. Without a list: localhost and literal
 * addresses, which no page's name can be. */
bool http_host_is_ours(const char *host, const char *const *names, unsigned name_count);

/* X-Forwarded-For: the last address, which is what the proxy next to us has written. False: there
 * is none, or it is no address. */
bool http_forwarded_for(const char *list, char *out, size_t room);

/* Accept-Encoding: may the answer be compressed by gzip? */
bool http_takes_gzip(const char *accepted);
/* Does this If-None-Match name the tag (RFC 9110, 13.1.2)? */
bool http_names_tag(const char *list, const char *tag);

enum http_range { RANGE_ALL, RANGE_PART, RANGE_NOT_HERE };

/* Range: one range of bytes of something that has `size` of them (RFC 9110, 14.2). What is not that
 * asks for all of it. RANGE_PART sets first and last, both included. */
enum http_range http_range(const char *text, uint64_t size, uint64_t *first, uint64_t *last);

enum { HTTP_TOKEN_MAX = 128 };

/* The token of "Bearer TOKEN": an API key's text as it stands, or the 32 bytes of a session that
 * are written in base64. 0: there is none. */
size_t http_bearer(const char *authorization, uint8_t token[HTTP_TOKEN_MAX]);

#endif
