#include "dispatcher/device_clock.h"

#include "base/clock.h"

#include <string.h>

#define AHEAD_MAX_US  (5 * US_PER_MINUTE) /* what is said to lie further ahead happened now */
#define DOUBTFUL_US   (2 * US_PER_MINUTE)
#define NETWORK_US    (5 * US_PER_SECOND)
#define SAME_US       (2 * US_PER_SECOND) /* samples so close to one another are of one offset */
#define OFFSET_MAX_US (INT64_C(40) * 366 * US_PER_DAY)

/* What a device says may be any number: no sum of two such times overflows. */
static int64_t bounded(int64_t value)
{
    const int64_t most = INT64_MAX / 4;
    if (value > most) return most;
    return value < -most ? -most : value;
}

static int64_t difference(int64_t a, int64_t b)
{
    return bounded(a) - bounded(b);
}

static int64_t size_of(int64_t value)
{
    return value < 0 ? -value : value;
}

/* A sample is late by its way here, so of those that agree the smallest is the best. */
void device_clock_sample(struct row_device *device, int64_t device_time_us, int64_t now_us)
{
    if (device_time_us <= 0) return;
    int64_t offset_us = difference(now_us, device_time_us);
    if (size_of(offset_us) > OFFSET_MAX_US) offset_us = 0; /* it is not of this world */
    int64_t apart_us = size_of(offset_us - device->clock_offset_us);
    if (apart_us > SAME_US || offset_us < device->clock_offset_us)
        device->clock_offset_us = offset_us;
}

void device_clock_open(struct device_clock *clock, struct row_device *device,
                       const Callout__PushRequest *push, int64_t now_us, double rate)
{
    double faster = rate > 1 ? rate : 1;
    device_clock_sample(device, push->device_time_us, now_us);
    *clock = (struct device_clock){
        .now_us = now_us,
        .rate = push->mono_us > 0 && push->boot_id[0] != '\0' ? rate : 0,
        .offset_us = device->clock_offset_us,
        .mono_us = push->mono_us,
        .boot_id = push->boot_id[0] != '\0' ? push->boot_id : device->boot_id,
        .small_us = (int64_t)((double)NETWORK_US * faster),
        .doubtful_us = (int64_t)((double)NETWORK_US * faster),
    };
    if (clock->doubtful_us < DOUBTFUL_US) clock->doubtful_us = DOUBTFUL_US;
    if (clock->boot_id == NULL) clock->boot_id = "";
}

static bool same_start(const struct device_clock *clock, const Callout__Command *command)
{
    return clock->boot_id[0] == '\0' || command->boot_id[0] == '\0' ||
           strcmp(clock->boot_id, command->boot_id) == 0;
}

/* The clock's word, put right if it is wrong by more than the network can explain. */
static int64_t by_offset(const struct device_clock *clock, int64_t time_us, bool *corrected)
{
    *corrected = size_of(clock->offset_us) > clock->small_us;
    if (!*corrected) return time_us;
    return bounded(time_us) + clock->offset_us;
}

int64_t device_clock_fix_us(const struct device_clock *clock, int64_t time_us, bool *corrected)
{
    int64_t at_us = by_offset(clock, time_us, corrected);
    if (difference(at_us, clock->now_us) > AHEAD_MAX_US) {
        *corrected = true;
        at_us = clock->now_us;
    }
    return at_us;
}

/* How old it is by the clock that only runs; negative: that clock cannot say. */
static int64_t age_us(const struct device_clock *clock, const Callout__Command *command)
{
    if (clock->rate <= 0 || command->mono_us <= 0 || command->boot_id[0] == '\0' ||
        !same_start(clock, command))
        return -1;
    double age = (double)difference(clock->mono_us, command->mono_us) * clock->rate;
    return age > (double)OFFSET_MAX_US ? -1 : (int64_t)age;
}

struct device_time device_clock_read(const struct device_clock *clock,
                                     const Callout__Command *command)
{
    int64_t age = age_us(clock, command), said_us = command->device_time_us;
    bool corrected;
    if (said_us <= 0 && age < 0) return (struct device_time){0, false};
    struct device_time out = {by_offset(clock, said_us, &corrected), false};
    if (age >= 0) {
        int64_t exact_us = clock->now_us - age;
        if (said_us <= 0 || size_of(difference(exact_us, out.happened_us)) > clock->small_us)
            out.happened_us = exact_us;
    }
    out.uncertain =
        !same_start(clock, command) ||
        (said_us > 0 && size_of(difference(out.happened_us, said_us)) > clock->doubtful_us) ||
        difference(said_us, clock->now_us) > AHEAD_MAX_US;
    if (out.happened_us > clock->now_us) out.happened_us = clock->now_us;
    return out;
}
