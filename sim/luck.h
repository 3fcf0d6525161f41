/* luck.h - how long things take and how likely they are in a technician's day.
 *
 * Idea: every question has a stream of its own, from the world's seed and what it is about. How
 * long the work at an appointment takes does not depend on who comes, when, or on what was asked
 * before: two runs with one seed differ only by what was changed between them (common random
 * numbers). Only whole numbers, so that a seed means the same on every machine.
 * Thread: any; nothing here changes.
 */
#ifndef CALLOUT_SIM_LUCK_H
#define CALLOUT_SIM_LUCK_H

#include "base/rng.h"
#include "model/travel.h"

#include <stdbool.h>

enum { LUCK_HOURS = 24, PERCENT = 100 };

/* How a duration spreads: a factor in permille of the usual one. */
struct law {
    int32_t (*factor)(const void *context, struct rng *rng);
    const void *context;
};

/* How people, customers and roads are; permille of the visits unless said otherwise. */
struct habits {
    uint32_t decline, no_access, incomplete;
    uint32_t forget_check_out; /* said with the next arrival, or at the end of the day */
    uint32_t positions;        /* journeys that report positions */
    uint32_t late_start;       /* of a technician's days */
    int64_t late_least_us, late_most_us;
    uint32_t
        signal_losses; /* permille of a day without signal: 1200 is a bit more than one a day */
    int64_t loss_least_us, loss_most_us;
    struct law travel, work;
    uint32_t travel_by_hour[LUCK_HOURS], work_by_hour[LUCK_HOURS]; /* percent, by local hour */
};

extern const struct habits habits_default;

enum luck_question {
    LUCK_DECLINES = 1,
    LUCK_NO_ACCESS,
    LUCK_INCOMPLETE,
    LUCK_FORGETS,
    LUCK_POSITIONS,
    LUCK_LATE_START,
    LUCK_TRAVEL,
    LUCK_WORK,
};

struct luck {
    const struct habits *habits;
    const struct travel *roads;    /* what journeys really take; NULL: as everyone estimates */
    const int32_t *travel_percent; /* of the moment, such as snow; NULL: nothing special */
    uint64_t seed;
    int64_t midnight_us; /* of the service day, local */
};

/* `about` is an appointment's or a technician's id. */
bool luck_says(const struct luck *luck, enum luck_question question, const char *about);
/* 0: he starts in time. */
int64_t luck_late_start_us(const struct luck *luck, const char *technician_id);
int64_t luck_journey_us(const struct luck *luck, const char *appointment_id, struct point from,
                        struct point to, int64_t at_us);
int64_t luck_work_us(const struct luck *luck, const char *appointment_id, int64_t usual_us,
                     int64_t at_us);

#endif
