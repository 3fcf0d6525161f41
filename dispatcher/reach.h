/* reach.h - does somebody answer there? For whoever waits for a process to come up.
 *
 * A plain connection with an SP greeting, or a plain GET: no thread, no library. Each call waits
 * half a second at most.
 */
#ifndef CALLOUT_DISPATCHER_REACH_H
#define CALLOUT_DISPATCHER_REACH_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* ipc://PATH and tcp://HOST:PORT must greet us as SP; of tls+tcp://HOST:PORT a connection is
 * enough. */
bool reach_sp(const char *url);
/* GET /healthz at HOST:PORT is answered with 200. */
bool reach_http(const char *address);

/* Nobody listens at HOST:PORT of this machine. */
bool reach_is_free(const char *address);

/* Check and copy an URL, and HOST:PORT. A port 0 becomes one that the kernel gives to nobody else
 * while this process lives, so that a child finds it free, and comes back at the same port when it
 * is started again. ERR_INVALID, ERR_TOO_LARGE. */
MUST_USE enum err reach_fix_url(const char *url, char *out, size_t size, struct problem *problem);
MUST_USE enum err reach_fix_address(const char *address, char *out, size_t size,
                                    struct problem *problem);

#endif
