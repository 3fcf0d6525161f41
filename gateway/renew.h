/* renew.h - what the gateway reads again while it runs: certificate, and files for browsers.
 *
 * Idea: whoever renews a certificate writes two files, one after the other, and tells nobody. So
 * both are looked at every few seconds; when one has changed they are read, and if they do not fit
 * each other yet the old ones stay and the look is repeated. SIGHUP reads everything at once. Only
 * who connects from then on sees what is new: no connection is dropped.
 *
 * Owner: the shell. Thread: the gateway's loop.
 */
#ifndef CALLOUT_GATEWAY_RENEW_H
#define CALLOUT_GATEWAY_RENEW_H

#include <stdbool.h>
#include <stdint.h>

struct shell;

struct renewal {
    uint64_t seen;   /* a digest of how the files looked when they were read */
    int64_t look_us; /* when to look again; monotonic */
};

void renew_start(struct shell *shell); /* the doors have read the files */
void renew_tick(struct shell *shell);  /* several times a second */
void renew_all(struct shell *shell);   /* SIGHUP */

#endif
