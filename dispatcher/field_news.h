/* field_news.h - what a device is told besides its visits: its technician's own days, and why a
 * visit of his came, moved or went.
 *
 * Owner: what is read lives in the call's arena. Thread: the engine's. */
#ifndef CALLOUT_DISPATCHER_FIELD_NEWS_H
#define CALLOUT_DISPATCHER_FIELD_NEWS_H

#include "dispatcher/engine_impl.h"

/* Another one whenever sampling, he, his shifts, absences or consent changed. */
uint64_t own_version(struct call *call);

struct own_days {
    Callout__Technician *technician; /* with his shifts from yesterday to a week ahead */
    Callout__Absence **absences;     /* that are not over since yesterday */
    size_t absence_count;
    Callout__Consent *consent;
};
MUST_USE enum err own_days_read(struct call *call, struct own_days *out);

/* Why the fact `seq` changed this visit; NULL: that is not known any more. */
Callout__ChangeCause *change_cause(struct call *call, const char *appointment_id, int64_t seq);

#endif
