/* lookup.h - the address of a host's name, asked for without holding up the loop.
 *
 * Idea: a resolver may take half a minute to say that there is no network, so each question has a
 * short thread of its own; what it heard comes back to the loop as a note.
 *
 * Owner: the caller gives each lookup back by lookup_leave, before or after it was answered.
 * Thread: the loop's.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_LOOKUP_H
#define CALLOUT_GATEWAY_CLIENT_LOOKUP_H

#include "gateway/client/loop.h"

struct lookup;

/* `address` is numeric, of IPv4 or IPv6, and borrowed until return; NULL: the name has none now. */
typedef void lookup_found(void *context, const char *address);

/* Whether `host` is an address already, and needs no lookup. */
bool lookup_is_address(const char *host);
/* `found` is called once, later; NULL when no thread is to be had now. `turn`: which of the name's
 * addresses, counted round and round; 0: the one that the resolver likes best. */
struct lookup *lookup_open(struct client_loop *loop, const char *host, uint32_t turn,
                           lookup_found *found, void *context);
void lookup_leave(struct lookup *lookup); /* may be NULL; nothing is called after it */

#endif
