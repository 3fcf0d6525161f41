/* device_clock.h - when something happened that a device tells of later: its clock may be wrong.
 *
 * Idea: a device says by two clocks when each command was made, one that can be set
 * (device_time_us) and one that only runs (mono_us, since boot_id). A Push says what both show now.
 * As long as the device was not started again the second clock gives the age of a command exactly;
 * else the first one is put right by as much as it is wrong now, or was at the last Push or Hello.
 * Device clocks never decide an order: that is the log's.
 *
 * Three times are kept of a report: what the device said, when it happened (put right), and when it
 * was received.
 */
#ifndef CALLOUT_DISPATCHER_DEVICE_CLOCK_H
#define CALLOUT_DISPATCHER_DEVICE_CLOCK_H

#include "dispatcher/core/row.h"
#include "pb/field.pb-c.h"

struct device_clock {
    int64_t now_us; /* of ours */
    double rate;    /* domain seconds per second of the clock that only runs; 0: it says nothing */
    int64_t offset_us;   /* what the device's clock lacks */
    int64_t mono_us;     /* of the device, now; with boot_id */
    const char *boot_id; /* of now; "": not known. Borrowed */
    int64_t small_us;    /* what is less is the network's, not the clock's */
    int64_t doubtful_us; /* what is more makes the time doubtful */
};

/* What a Push tells of its device's clock. What is learnt goes into the row; the caller stores it
 * with what else changes there. */
void device_clock_open(struct device_clock *clock, struct row_device *device,
                       const Callout__PushRequest *push, int64_t now_us, double rate);
/* A device said what its clock shows (0: nothing). */
void device_clock_sample(struct row_device *device, int64_t device_time_us, int64_t now_us);

struct device_time {
    int64_t happened_us; /* never after now; 0: the device did not say */
    bool uncertain;      /* the clock was off by minutes, ahead, or of an earlier start */
};
struct device_time device_clock_read(const struct device_clock *clock,
                                     const Callout__Command *command);
/* The same for another time of that clock, such as a fix's; *corrected: it was moved. */
int64_t device_clock_fix_us(const struct device_clock *clock, int64_t time_us, bool *corrected);

#endif
