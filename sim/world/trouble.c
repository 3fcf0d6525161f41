#include "sim/world/trouble.h"

#include "base/check.h"
#include "base/clock.h"
#include "day/zone.h"
#include "sim/scenario/faults.h"
#include "sim/world/disk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RADIANS_PER_DEGREE 0.017453292519943295

/* A fault event with its timers; `on` between them. */
struct blow {
    struct trouble *trouble;
    struct fault_event event;
    struct client_timer begin, end;
    bool on;
};

struct trouble {
    struct world *world;
    const struct scenario *scenario;
    const struct day *day;
    struct run_result *result;
    struct fault_list list;
    struct blow *blows;
    size_t first_noted; /* of the result's faults, those of this day begin here */
};

/* --- what is written down -------------------------------------------------------------------- */

/* The events of one fault, on several technicians, are one fault of the result. */
static void note(struct trouble *trouble, const struct fault_event *event)
{
    const struct scenario_fault *fault = &trouble->scenario->faults[event->fault];
    struct run_result *result = trouble->result;
    size_t i = trouble->first_noted;
    if (fault->kind == FAULT_STORM) return; /* noted whole */
    while (i < result->fault_count && strcmp(result->faults[i].name, fault->name) != 0)
        i++;
    struct run_fault *it = i < result->fault_count ? &result->faults[i] : run_result_fault(result);
    if (it->name[0] == '\0') {
        snprintf(it->name, sizeof it->name, "%s", fault->name);
        it->kind = event->kind;
        it->begin_us = event->begin_us;
        it->amount = event->amount;
    }
    if (event->end_us > it->end_us) it->end_us = event->end_us;
    it->technicians += event->technician >= 0;
}

/* A storm is orders above all, which are among the day's; its slow roads are an event. */
static void note_storms(struct trouble *trouble, int32_t index)
{
    for (size_t i = 0; i < trouble->scenario->fault_count; i++) {
        const struct scenario_fault *fault = &trouble->scenario->faults[i];
        if (fault->kind != FAULT_STORM || (fault->day != 0 && fault->day != index + 1)) continue;
        struct run_fault *it = run_result_fault(trouble->result);
        int64_t local_us = trouble->day->service_day * US_PER_DAY + fault->at_s * US_PER_SECOND;
        snprintf(it->name, sizeof it->name, "%s", fault->name);
        it->kind = FAULT_STORM;
        it->begin_us = zone_local_to_utc_us(local_us);
        it->end_us = it->begin_us + fault->for_s * US_PER_SECOND;
        it->amount = fault->orders;
    }
}

/* --- what happens ---------------------------------------------------------------------------- */

/* Several causes at once: each takes its share more. */
static void set_roads(struct trouble *trouble)
{
    int64_t percent = PERCENT;
    for (size_t i = 0; i < trouble->list.count; i++) {
        const struct blow *blow = &trouble->blows[i];
        if (blow->on && blow->event.kind == FAULT_TRAVEL)
            percent = percent * blow->event.amount / PERCENT;
    }
    world_set_travel(trouble->world, percent < 1 ? 1 : (int32_t)percent);
}

static const char *id_of(const struct blow *blow)
{
    CHECK(blow->event.technician >= 0);
    return blow->trouble->day->technicians[blow->event.technician].id;
}

static void set_drift(const struct blow *blow, struct person *person)
{
    double angle = blow->event.bearing * RADIANS_PER_DEGREE;
    double metres = blow->on ? blow->event.amount : 0;
    person_drift(person, (int32_t)lround(metres * cos(angle)),
                 (int32_t)lround(metres * sin(angle)));
}

static void kill_part(struct hub *hub, enum fault_part part)
{
    static const enum hub_part parts[FAULT_PART_COUNT] = {
        [FAULT_DISPATCHER] = HUB_DISPATCHER,
        [FAULT_GATEWAY] = HUB_GATEWAY,
        [FAULT_OPTIMIZER] = HUB_OPTIMIZER,
    };
    hub_kill(hub, parts[part]);
}

/* What befalls one technician; `on` is set already, either way. */
static void strike_person(const struct blow *blow)
{
    struct world *world = blow->trouble->world;
    struct person *person = world_person(world, id_of(blow));
    int64_t now_us = client_loop_now_us(world_loop(world));
    const struct fault_event *event = &blow->event;
    CHECK(person != NULL);
    if (event->kind == FAULT_SICK_WAVE && blow->on) person_falls_ill(person, now_us);
    if (event->kind == FAULT_NETWORK_LOSS && blow->on) person_lose_signal(person, event->end_us);
    if (event->kind == FAULT_NETWORK_POOR)
        world_set_loss(world, id_of(blow), blow->on ? (uint32_t)event->amount * 10 : 0);
    if (event->kind == FAULT_GPS_DRIFT) set_drift(blow, person);
    if (event->kind == FAULT_CLOCK_SKEW)
        person_set_clock(person, blow->on ? event->amount * US_PER_SECOND : 0);
}

static void strike(struct blow *blow, bool on)
{
    struct hub *hub = world_hub(blow->trouble->world);
    if (blow->on == on) return;
    blow->on = on;
    switch (blow->event.kind) {
    case FAULT_TRAVEL:
    case FAULT_STORM: set_roads(blow->trouble); break;
    case FAULT_KILL:
        if (on) kill_part(hub, blow->event.part);
        break;
    case FAULT_POWER:
        if (on) hub_lose_power(hub);
        break;
    case FAULT_DISK: disk_refuse_writes(hub_disk(hub), on); break;
    case FAULT_SICK_WAVE:
    case FAULT_NETWORK_LOSS:
    case FAULT_NETWORK_POOR:
    case FAULT_GPS_DRIFT:
    case FAULT_CLOCK_SKEW: strike_person(blow); break;
    case FAULT_KIND_COUNT:
    default: CHECK(false);
    }
}

static void on_begin(void *context)
{
    struct blow *blow = context;
    note(blow->trouble, &blow->event);
    strike(blow, true);
}

static void on_end(void *context)
{
    strike(context, false);
}

/* --- the door -------------------------------------------------------------------------------- */

static void arm(struct trouble *trouble, size_t index)
{
    struct client_loop *loop = world_loop(trouble->world);
    struct blow *blow = &trouble->blows[index];
    *blow = (struct blow){.trouble = trouble,
                          .event = trouble->list.items[index],
                          .begin = {.fire = on_begin, .context = blow},
                          .end = {.fire = on_end, .context = blow}};
    if (blow->event.begin_us < client_loop_now_us(loop)) return; /* it lies behind */
    client_timer_set(loop, &blow->begin, blow->event.begin_us);
    if (blow->event.end_us > blow->event.begin_us)
        client_timer_set(loop, &blow->end, blow->event.end_us);
}

struct trouble *trouble_begin(struct world *world, const struct scenario *scenario,
                              const struct day *day, int32_t index, uint64_t seed,
                              struct run_result *result)
{
    struct trouble *trouble = calloc(1, sizeof *trouble);
    CHECK(trouble != NULL);
    *trouble = (struct trouble){.world = world,
                                .scenario = scenario,
                                .day = day,
                                .result = result,
                                .first_noted = result->fault_count};
    scenario_faults(scenario, day, index, seed, &trouble->list);
    trouble->blows = calloc(trouble->list.count + 1, sizeof *trouble->blows);
    CHECK(trouble->blows != NULL);
    note_storms(trouble, index);
    for (size_t i = 0; i < trouble->list.count; i++)
        arm(trouble, i);
    return trouble;
}

void trouble_end(struct trouble *trouble)
{
    if (trouble == NULL) return;
    struct client_loop *loop = world_loop(trouble->world);
    for (size_t i = 0; i < trouble->list.count; i++) {
        client_timer_cancel(loop, &trouble->blows[i].begin);
        client_timer_cancel(loop, &trouble->blows[i].end);
        strike(&trouble->blows[i], false);
    }
    faults_fini(&trouble->list);
    free(trouble->blows);
    free(trouble);
}
