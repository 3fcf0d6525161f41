/* url.h - where a listener stands or a dialler goes: tcp://HOST:PORT, tls+tcp://HOST:PORT,
 * ipc://PATH.
 *
 * A plain value; pure, any thread. An IPv6 host stands in brackets, which `host` does not keep.
 */
#ifndef CALLOUT_URL_H
#define CALLOUT_URL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum url_scheme { URL_TCP, URL_TLS, URL_IPC };

struct url {
    enum url_scheme scheme;
    char host[256]; /* tcp and tls */
    char port[6];   /* decimal, 0 to 65535 */
    char path[108]; /* ipc: what a socket address can hold */
};

/* ERR_INVALID with a problem whose field is "url". */
MUST_USE enum err url_parse(const char *text, struct url *out, struct problem *problem);
/* HOST:PORT alone, as --admin takes it; the scheme is URL_TCP. */
MUST_USE enum err url_parse_host_port(const char *text, struct url *out, struct problem *problem);
/* Only this machine reaches it: a Unix socket, 127.0.0.0/8, ::1 or localhost. */
bool url_is_local(const struct url *url);

#endif
