/* audit.h - the fact log held against what was said: each command and each order has one fact.
 *
 * Owner: a plain value. Thread: the store's; reads only.
 */
#ifndef CALLOUT_SIM_WORLD_AUDIT_H
#define CALLOUT_SIM_WORLD_AUDIT_H

#include "base/err.h"
#include "dispatcher/store/store.h"

#include <stdint.h>

struct log_audit {
    uint64_t facts;             /* all */
    uint64_t commands, doubled; /* commands of devices with a fact; facts beyond the first of one */
    uint64_t requests,
        requests_doubled; /* the same of orders and of cancellations, by request id */
    uint64_t unreadable;
};

MUST_USE enum err log_audit(struct store *store, struct log_audit *out);

#endif
