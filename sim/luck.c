#include "sim/luck.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "sim/draw.h"

#include <string.h>

/* With this median and spread (sim/draw.h), both in permille. */
struct lognormal {
    uint32_t median, spread;
};

static int32_t law_lognormal(const void *lognormal, struct rng *rng)
{
    const struct lognormal *law = lognormal;
    return (int32_t)draw_about(rng, law->median, law->spread);
}

static const struct lognormal usual_travel = {.median = 1000, .spread = 130};
static const struct lognormal usual_work = {.median = 950, .spread = 200};

/* Journeys take longest when everybody drives; an order takes as long at any hour. */
const struct habits habits_default = {
    .decline = 20,
    .no_access = 30,
    .incomplete = 15,
    .forget_check_out = 10,
    .positions = 300,
    .late_start = 30,
    .late_least_us = 5 * US_PER_MINUTE,
    .late_most_us = 40 * US_PER_MINUTE,
    .signal_losses = 1200,
    .loss_least_us = 5 * US_PER_MINUTE,
    .loss_most_us = 40 * US_PER_MINUTE,
    .travel = {law_lognormal, &usual_travel},
    .work = {law_lognormal, &usual_work},
    .travel_by_hour = {85,  85,  85,  85,  85,  90,  100, 120, 115, 105, 100, 100,
                       105, 100, 100, 105, 115, 120, 105, 95,  90,  90,  85,  85},
    .work_by_hour = {100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100,
                     100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100},
};

static struct rng stream(const struct luck *luck, enum luck_question question, const char *about)
{
    struct digest digest = digest_start();
    digest_u64(&digest, luck->seed);
    digest_u64(&digest, question);
    digest_bytes(&digest, about, strlen(about));
    return (struct rng){digest.state};
}

static uint32_t permille_of(const struct habits *habits, enum luck_question question)
{
    switch (question) {
    case LUCK_DECLINES: return habits->decline;
    case LUCK_NO_ACCESS: return habits->no_access;
    case LUCK_INCOMPLETE: return habits->incomplete;
    case LUCK_FORGETS: return habits->forget_check_out;
    case LUCK_POSITIONS: return habits->positions;
    case LUCK_LATE_START: return habits->late_start;
    case LUCK_TRAVEL:
    case LUCK_WORK: break;
    }
    CHECK(false); /* a question of how long, not of whether */
    return 0;
}

bool luck_says(const struct luck *luck, enum luck_question question, const char *about)
{
    struct rng rng = stream(luck, question, about);
    return draw_happens(&rng, permille_of(luck->habits, question));
}

int64_t luck_late_start_us(const struct luck *luck, const char *technician_id)
{
    struct rng rng = stream(luck, LUCK_LATE_START, technician_id);
    rng.state ^= (uint64_t)luck->midnight_us; /* each of his days has its own */
    if (!draw_happens(&rng, luck->habits->late_start)) return 0;
    return draw_between(&rng, luck->habits->late_least_us, luck->habits->late_most_us + 1);
}

/* The local hour; a day on which clocks are set is off by that hour. */
static size_t hour_of(const struct luck *luck, int64_t at_us)
{
    int64_t since_us = (at_us - luck->midnight_us) % US_PER_DAY;
    if (since_us < 0) since_us += US_PER_DAY;
    return (size_t)(since_us / (US_PER_DAY / LUCK_HOURS));
}

static int64_t scale(const struct law *law, struct rng rng, int64_t usual_us, uint32_t hour_percent)
{
    int64_t factor = law->factor(law->context, &rng);
    return usual_us * factor / PERMILLE * hour_percent / PERCENT;
}

int64_t luck_journey_us(const struct luck *luck, const char *appointment_id, struct point from,
                        struct point to, int64_t at_us)
{
    const struct habits *habits = luck->habits;
    const struct travel *roads = luck->roads != NULL ? luck->roads : &travel_straight;
    int64_t usual_us = travel_seconds(roads, from, to) * US_PER_SECOND;
    if (luck->travel_percent != NULL) usual_us = usual_us * *luck->travel_percent / PERCENT;
    return scale(&habits->travel, stream(luck, LUCK_TRAVEL, appointment_id), usual_us,
                 habits->travel_by_hour[hour_of(luck, at_us)]);
}

int64_t luck_work_us(const struct luck *luck, const char *appointment_id, int64_t usual_us,
                     int64_t at_us)
{
    const struct habits *habits = luck->habits;
    return scale(&habits->work, stream(luck, LUCK_WORK, appointment_id), usual_us,
                 habits->work_by_hour[hour_of(luck, at_us)]);
}
