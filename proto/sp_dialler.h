/* sp_dialler.h - the asking end of SP on libevent: one connection to a listener (sp_listener.h).
 *
 * Idea: anybody may dial with stock nng. Where one process asks a hundred thousand questions a
 * second over one connection (the gateway its dispatcher), or holds ten thousand connections
 * (`callout load`), nng's context, aio and thread hop for each question cost more than the question
 * itself, and where connections come and go all day (gateway/client) nng 1.5.2 may hang; this
 * speaks the same wire on the loop that is there anyway. Any number of
 * questions may be out at once; what is asked in one turn of the loop leaves in one write, unless
 * `at_once` is set (sp_send.h).
 *
 *      sp_dialler_open --greeting--> on_up --answers--> on_reply ... --broken or closed--> on_end
 *
 * A connection that has ended does not come back: whoever wants it opens another, and asks again
 * what was not answered.
 *
 * Owner: the caller owns the base and closes the dialler, also after on_end. Callbacks may close
 * it. Thread: the base's. SIGPIPE is ignored process-wide from the first dialler on.
 */
#ifndef CALLOUT_SP_DIALLER_H
#define CALLOUT_SP_DIALLER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct sp_dialler;
struct sp_trust;

struct sp_dialler_options {
    const char *url;              /* tcp://HOST:PORT, tls+tcp://HOST:PORT, ipc://PATH */
    const struct sp_trust *trust; /* for tls+tcp; borrowed until the dialler is closed */
    const char *tls_name;         /* whose certificate the peer must show; NULL: the URL's host */
    const char *source;           /* the address to dial from (tcp); NULL: any */
    size_t message_max;           /* a longer answer ends the connection */
    bool at_once;                 /* for one question at a time over each of many connections */
    void (*on_up)(void *context);
    /* `bytes` is borrowed until return. */
    void (*on_reply)(void *context, uint32_t request, const uint8_t *bytes, size_t size);
    void (*on_end)(void *context); /* also when it never came up; at most once */
    void *context;
};

/* Begins to connect; ERR_INVALID, ERR_IO: it cannot even be tried. */
MUST_USE enum err sp_dialler_open(struct sp_dialler **out, struct event_base *base,
                                  const struct sp_dialler_options *options,
                                  struct problem *problem);
void sp_dialler_close(struct sp_dialler *dialler); /* may be NULL; no callback comes after it */

bool sp_dialler_up(const struct sp_dialler *dialler);
/* Sends a question; it must be up. `request` is what on_reply says again; its top bit is set. The
 * bytes are copied. */
void sp_dialler_ask(struct sp_dialler *dialler, uint32_t request, const void *bytes, size_t size);

/* Whom tls+tcp connections believe: the certificate authorities of a PEM file. */
MUST_USE enum err sp_trust_open(struct sp_trust **out, const char *ca_file,
                                struct problem *problem);
void sp_trust_close(struct sp_trust *trust); /* may be NULL */

#endif
