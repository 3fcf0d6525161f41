#include "sim/world/like.h"

#include "base/check.h"
#include "base/clock.h"
#include "dispatcher/kpi.h"
#include "dispatcher/replay.h"

#include <stdlib.h>

enum {
    FACTORS_MIN = 10, /* fewer say nothing about a spread */
    PERMILLE = 1000,
    FACTOR_MAX = SPREAD_PERCENT_MAX * 10,
};

/* What takes shorter was reckoned too roughly to have a factor. */
static const int64_t planned_min_us = US_PER_MINUTE;

struct factors {
    int32_t *items;
    size_t count, room;
};

struct learnt {
    struct factors travel, work;
};

static void add(struct factors *factors, int64_t planned_us, int64_t actual_us)
{
    if (planned_us < planned_min_us || actual_us <= 0) return;
    if (factors->count == factors->room) {
        factors->room = factors->room == 0 ? 256 : 2 * factors->room;
        factors->items = realloc(factors->items, factors->room * sizeof *factors->items);
        CHECK(factors->items != NULL);
    }
    int64_t factor = actual_us / (planned_us / PERMILLE);
    factors->items[factors->count++] = (int32_t)(factor < FACTOR_MAX ? factor : FACTOR_MAX);
}

static void add_leg(void *context, const struct leg *leg)
{
    struct learnt *learnt = context;
    const struct kpi_leg *times = &leg->times;
    if (times->arrived_us != 0)
        add(&learnt->travel, times->planned_travel_us, times->arrived_us - times->departed_us);
    if (leg->status == APPOINTMENT_COMPLETED && times->ended_us != 0)
        add(&learnt->work, times->planned_service_us, times->worked_us);
}

static void put(struct spread *spread, int32_t by_hour[HOURS], struct factors *factors)
{
    spread_learn(spread, factors->items, factors->count);
    for (int hour = 0; hour < HOURS; hour++)
        by_hour[hour] = 100;
}

enum err like_learn(struct scenario *scenario, struct like_count *count, struct problem *problem)
{
    struct learnt learnt = {0};
    *count = (struct like_count){0};
    if (scenario->like[0] == '\0') return ERR_OK;
    enum err err = replay_legs(scenario->like, add_leg, &learnt, problem);
    *count = (struct like_count){learnt.travel.count, learnt.work.count};
    if (err == ERR_OK && (count->journeys < FACTORS_MIN || count->services < FACTORS_MIN))
        err = problem_set(problem, ERR_INVALID, scenario->like,
                          "it has %zu journeys and %zu completed visits; at least %d of each are "
                          "needed",
                          count->journeys, count->services, FACTORS_MIN);
    if (err == ERR_OK) {
        put(&scenario->roads.travel, scenario->roads.by_hour, &learnt.travel);
        put(&scenario->service.work, scenario->service.by_hour, &learnt.work);
    }
    free(learnt.travel.items);
    free(learnt.work.items);
    return err;
}
