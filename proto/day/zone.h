/* zone.h - local time to UTC by the machine's tz database.
 *
 * A local time that comes twice (clocks go back) means the first; one that never comes (clocks go
 * forward) means as long after the gap's start as it says, as in RFC 5545: 02:30 becomes 03:30.
 * Thread: zone_open sets the process's TZ, so one zone at a time and from one thread.
 */
#ifndef CALLOUT_DAY_ZONE_H
#define CALLOUT_DAY_ZONE_H

#include "base/err.h"

#include <stdint.h>

/* "Europe/Vaduz", "UTC". ERR_INVALID: no such zone on this machine. */
MUST_USE enum err zone_open(const char *name, struct problem *problem);

/* A local time, as microseconds that the wall clock there would show since its 1970-01-01. */
int64_t zone_local_to_utc_us(int64_t local_us);
int64_t zone_utc_to_local_us(int64_t utc_us);
/* Reads YYYY-MM-DDTHH:MM[:SS] as local time. False: it is not such a time. */
int zone_parse_us(const char *text, int64_t *utc_us);

#endif
