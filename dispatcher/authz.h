/* authz.h - who may do what: one table, asked before every operation; what is not in it is refused.
 *
 * Idea: a row says which roles may ask an operation, and which fields of its request name an
 * object. An object lies in a territory, and the territory must be granted to whoever asks: keys
 * and people have a list of them, or all. What lies elsewhere is answered exactly as what does not
 * exist, to the byte. Devices have what is their technician's, and the operations themselves see to
 * that.
 */
#ifndef CALLOUT_DISPATCHER_AUTHZ_H
#define CALLOUT_DISPATCHER_AUTHZ_H

#include "base/err.h"
#include "pb/inner.pb-c.h"

#include <stdbool.h>

struct call;

#define GRANT_ALL "*" /* in place of a list: every territory */
enum { GRANT_SIZE = 2048 };

/* ERR_OK, ERR_UNAUTH (nobody in particular is asking), ERR_GONE (a device that was ended) or
 * ERR_NOT_FOUND (not for this role). */
MUST_USE enum err authorize(const Callout__Principal *who, const char *method);
const char *authorize_text(enum err err);
/* Of a request that was decoded: are its objects granted? ERR_NOT_FOUND names the field. */
MUST_USE enum err authorize_objects(struct call *call);
/* Is this territory granted to whoever asks? */
bool granted(const struct call *call, const char *territory_id);
/* The path of a request's field that names its object number `index`; "": there is none. */
const char *authorize_path(const char *method, int index);

/* Checks what an administrator wants to give to a key or a person of this name. */
MUST_USE enum err check_grant(struct call *call, bool for_key, const char *name, const char *role,
                              const char *territories);

#endif
