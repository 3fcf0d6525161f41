/* authz.h - who may do what: one table, asked before every operation; what is not in it is refused.
 *
 * An object that the asker may not know of is answered NOT_FOUND by the operations themselves.
 */
#ifndef CALLOUT_DISPATCHER_AUTHZ_H
#define CALLOUT_DISPATCHER_AUTHZ_H

#include "base/err.h"
#include "pb/inner.pb-c.h"

/* ERR_OK, ERR_UNAUTH (nobody in particular is asking), ERR_GONE (a device that was ended) or
 * ERR_NOT_FOUND (not for this role). */
MUST_USE enum err authorize(const Callout__Principal *who, const char *method);
const char *authorize_text(enum err err);

/* Is it a role that a key may have? */
int role_known(const char *role);

#endif
