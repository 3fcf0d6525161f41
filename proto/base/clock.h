/* clock.h - the two clocks of the shells; pure code never reads one.
 *
 * Domain time is UTC microseconds that `--clock` rules (wall, or START,RATE); monotonic time is for
 * deadlines and latency figures and is never scaled.
 */
#ifndef CALLOUT_BASE_CLOCK_H
#define CALLOUT_BASE_CLOCK_H

#include "base/err.h"

#include <stdint.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_DAY    (86400 * US_PER_SECOND)

int64_t clock_mono_us(void);
int64_t clock_wall_us(void);

/* A domain clock: domain = start_us + (mono - mono_start_us) * rate, or wall time. */
struct clock {
    int64_t start_us;
    int64_t mono_start_us;
    double rate; /* domain seconds per monotonic second; 1 and start_us 0 means wall */
    int wall;
};

/* Reads "wall" or "START,RATE" (START as 2026-11-23T06:00:00Z or whole UTC seconds). A third field,
 * the monotonic microseconds at START, lets a restarted process of this machine go on with the same
 * clock. */
MUST_USE enum err clock_parse(const char *text, struct clock *out, struct problem *problem);
/* The text that clock_parse reads back to the same clock, anchor included. */
enum { CLOCK_TEXT_SIZE = 80 };
void clock_print(const struct clock *clock, char buffer[CLOCK_TEXT_SIZE]);
int64_t clock_now_us(const struct clock *clock);

/* RFC 3339 in UTC, e.g. 2026-11-23T06:00:00Z; the buffer must hold 32 bytes. Returns buffer. */
char *clock_format_utc(int64_t time_us, char buffer[32]);
/* Reads YYYY-MM-DDTHH:MM[:SS][Z] as UTC. False if it is not such a time. */
int clock_parse_utc(const char *text, int64_t *out_us);

#endif
