#include "sim/scenario/faults.h"

#include "base/check.h"
#include "base/clock.h"
#include "day/zone.h"
#include "sim/scenario/chance.h"

#include <stdlib.h>

/* A technician and the number that decides whether the fault meets him. */
struct lot {
    uint64_t number;
    int32_t technician;
};

struct maker {
    const struct scenario *scenario;
    const struct day *day;
    int32_t index;
    uint64_t seed;
    struct fault_list *list;
    size_t room;
};

static void add_event(struct maker *maker, struct fault_event event)
{
    struct fault_list *list = maker->list;
    if (list->count == maker->room) {
        maker->room = maker->room == 0 ? 64 : 2 * maker->room;
        list->items = realloc(list->items, maker->room * sizeof *list->items);
        CHECK(list->items != NULL);
    }
    list->items[list->count++] = event;
}

static struct rng chance_for(const struct maker *maker, size_t fault, int32_t technician)
{
    return chance_of(maker->seed, CHANCE_FAULT, (uint64_t)maker->index,
                     (uint64_t)fault << 32 | (uint64_t)(uint32_t)technician);
}

static int by_number(const void *a, const void *b)
{
    const struct lot *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return x->technician - y->technician;
}

static int by_begin(const void *a, const void *b)
{
    const struct fault_event *x = a, *y = b;
    if (x->begin_us != y->begin_us) return x->begin_us < y->begin_us ? -1 : 1;
    if (x->fault != y->fault) return x->fault < y->fault ? -1 : 1;
    return x->technician - y->technician;
}

static int32_t amount_of(const struct scenario_fault *fault)
{
    if (fault->kind == FAULT_GPS_DRIFT) return fault->metres;
    if (fault->kind == FAULT_CLOCK_SKEW) return fault->seconds;
    return fault->percent;
}

/* The fault as it is for one technician: an illness begins at its own time and lasts. */
static struct fault_event one_of(const struct maker *maker, struct fault_event event,
                                 int32_t technician)
{
    struct rng rng = chance_for(maker, event.fault, technician);
    (void)rng_next(&rng); /* that was the lot */
    event.technician = technician;
    event.bearing = chance_between(&rng, 0, 359);
    if (event.kind != FAULT_SICK_WAVE) return event;
    int32_t span_s = maker->scenario->faults[event.fault].for_s;
    event.begin_us += chance_between(&rng, 0, span_s) * US_PER_SECOND;
    event.end_us = event.begin_us;
    return event;
}

static void add_shared(struct maker *maker, struct fault_event event, int32_t share_percent)
{
    size_t count = maker->day->technician_count;
    size_t met = (count * (size_t)share_percent + 99) / 100;
    struct lot *lots = calloc(count + 1, sizeof *lots);
    CHECK(lots != NULL && met <= count);
    for (size_t i = 0; i < count; i++) {
        struct rng rng = chance_for(maker, event.fault, (int32_t)i);
        lots[i] = (struct lot){rng_next(&rng), (int32_t)i};
    }
    qsort(lots, count, sizeof *lots, by_number);
    for (size_t i = 0; i < met; i++)
        add_event(maker, one_of(maker, event, lots[i].technician));
    free(lots);
}

static void add_fault(struct maker *maker, size_t index)
{
    const struct scenario_fault *fault = &maker->scenario->faults[index];
    int64_t local_s = maker->day->service_day * 86400 + fault->at_s;
    int64_t begin_us = zone_local_to_utc_us(local_s * US_PER_SECOND);
    struct fault_event event = {.begin_us = begin_us,
                                .end_us = begin_us + fault->for_s * US_PER_SECOND,
                                .kind = (enum fault_kind)fault->kind,
                                .fault = index,
                                .technician = -1,
                                .amount = amount_of(fault),
                                .part = (enum fault_part)fault->part};
    switch (event.kind) {
    case FAULT_STORM:
        event.kind = FAULT_TRAVEL;
        if (fault->percent >= 10) add_event(maker, event);
        break;
    case FAULT_KILL:
    case FAULT_POWER:
        event.end_us = begin_us;
        add_event(maker, event);
        break;
    case FAULT_TRAVEL:
    case FAULT_DISK: add_event(maker, event); break;
    case FAULT_SICK_WAVE:
    case FAULT_NETWORK_LOSS:
    case FAULT_NETWORK_POOR:
    case FAULT_GPS_DRIFT:
    case FAULT_CLOCK_SKEW: add_shared(maker, event, fault->share_percent); break;
    case FAULT_KIND_COUNT:
    default: CHECK(false);
    }
}

void scenario_faults(const struct scenario *scenario, const struct day *day, int32_t index,
                     uint64_t seed, struct fault_list *out)
{
    *out = (struct fault_list){0};
    struct maker maker = {scenario, day, index, seed, out, 0};
    for (size_t i = 0; i < scenario->fault_count; i++) {
        int32_t when = scenario->faults[i].day;
        if (when == 0 || when == index + 1) add_fault(&maker, i);
    }
    if (out->count > 0) qsort(out->items, out->count, sizeof *out->items, by_begin);
}

void faults_fini(struct fault_list *list)
{
    free(list->items);
    *list = (struct fault_list){0};
}
