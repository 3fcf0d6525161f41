/* facts.h - what the readers of fact bodies share; private to this folder.
 *
 * A value is judged when a fact is taken, never when it is read from the log (facts.c).
 */
#ifndef CALLOUT_DISPATCHER_FACTS_H
#define CALLOUT_DISPATCHER_FACTS_H

#include "dispatcher/engine_impl.h"

struct fact_reader {
    struct arena *arena;
    int64_t now_us; /* time of the fact */
    bool stored;    /* it was taken before: its values are not judged again */
    struct problem *problem;
};

MUST_USE enum err check_text(const char *text, size_t max, const char *field,
                             const struct fact_reader *reader);
MUST_USE enum err check_range(int64_t value, int64_t low, int64_t high, const char *field,
                              const struct fact_reader *reader);
/* What a technician may report of an appointment, himself or by telephone. */
MUST_USE enum err check_report(Callout__AppointmentStatus status, const char *reason,
                               const struct fact_reader *reader);

MUST_USE enum err message_from_device(const Callout__TextMessage *it, struct fact *out,
                                      const struct fact_reader *reader);

/* What technicians write, need and do beside the states of a visit (field_facts.c). */
MUST_USE enum err field_from_command(const Callout__FactBody *body, struct fact *out,
                                     const struct fact_reader *reader);

/* What people do by hand with what is there (edit_facts.c). ERR_INVALID: it is nothing of that. */
MUST_USE enum err edit_from_body(const Callout__FactBody *body, struct fact *out,
                                 const struct fact_reader *reader);

#endif
