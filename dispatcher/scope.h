/* scope.h - what a technician's device may see of his visits, and when.
 *
 * Idea: time alone brings a visit to him and takes it away again, seen from its planned start, and
 * from its end, which is the real one once it is done:
 *   SCOPE_VISIT    from 7 days before until 2 days after: the visit, its order, where it is
 *   SCOPE_CONTACT  from 24 hours before until 24 hours after: also whom to ring up there
 * What he has set out for and not ended is his to see in full, however long it takes. What is
 * another's, or nobody's, is out of scope at any time. Whom else an order wants or does not want,
 * and what a customer is called in other systems, is never a device's business.
 *
 * Scope is a function of the core and a moment, so nothing is stored: a cursor says up to which
 * moment its holder was told, and what differs between then and now is told with the next Pull.
 * Source: the window of the rights of technicians; a phone in the field holds as little as will do.
 *
 * Owner: what is read lives in the call's arena. Thread: the engine's.
 */
#ifndef CALLOUT_DISPATCHER_SCOPE_H
#define CALLOUT_DISPATCHER_SCOPE_H

#include "dispatcher/engine_impl.h"

enum scope { SCOPE_NONE, SCOPE_VISIT, SCOPE_CONTACT };

enum scope scope_at(const struct core *core, const char *technician_id, const char *appointment_id,
                    int64_t at_us);
/* What he may see at both moments: whoever was told up to one of them must not be told more, or it
 * would not be taken from him when its time is over. */
enum scope scope_at_both(const struct core *core, const char *technician_id,
                         const char *appointment_id, int64_t a_us, int64_t b_us);
/* Visits all of his visits that can be in scope between two moments. */
void scope_each(const struct core *core, const char *technician_id, int64_t from_us, int64_t to_us,
                core_visit_id *visit, void *context);
/* The visit as far as that scope goes; NULL: it cannot be read. Not for SCOPE_NONE. */
Callout__FieldAppointment *scope_read(struct call *call, const char *appointment_id,
                                      enum scope scope);

#endif
