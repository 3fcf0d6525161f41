#include "mishaps.h"

#include "base/check.h"
#include "base/clock.h"
#include "sim/draw.h"
#include "sim/world/disk.h"
#include "sim/world/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define EVERY_US (12 * US_PER_MINUTE)
#define NEVER    (UINT64_MAX / 2) /* of writes */

struct mishaps {
    struct mishaps_options options;
    struct client_timer next, weather;
    struct rng chance;
    int64_t until_us;
};

static int64_t now_us(const struct mishaps *mishaps)
{
    return client_loop_now_us(mishaps->options.loop);
}

/* A while from now, but not beyond the end. */
static int64_t a_while(struct mishaps *mishaps, int64_t usual_us)
{
    int64_t until_us = now_us(mishaps) + draw_about(&mishaps->chance, usual_us, 900);
    return until_us < mishaps->until_us ? until_us : mishaps->until_us;
}

static struct phone *some_phone(struct mishaps *mishaps)
{
    struct crew *crew = mishaps->options.crew;
    return crew_phone(crew, rng_below(&mishaps->chance, crew_size(crew)));
}

/* --- one kind each --- */

static void kill_gateway(struct mishaps *mishaps)
{
    hub_kill(mishaps->options.hub, HUB_GATEWAY);
}

static void kill_dispatcher(struct mishaps *mishaps)
{
    hub_kill(mishaps->options.hub, HUB_DISPATCHER);
}

static void kill_optimizer(struct mishaps *mishaps)
{
    hub_kill(mishaps->options.hub, HUB_OPTIMIZER);
}

static void lose_power(struct mishaps *mishaps)
{
    struct hub *hub = mishaps->options.hub;
    if (mishaps->options.ordeal->plant == PLANT_LYING_DISK)
        (void)hub_bring_back(hub, false);
    else
        hub_lose_power(hub);
}

static void lose_power_in_a_write(struct mishaps *mishaps)
{
    uint64_t writes = 1 + rng_below(&mishaps->chance, 60);
    disk_cut_power_at(hub_disk(mishaps->options.hub), writes,
                      draw_happens(&mishaps->chance, PERMILLE / 2));
}

static void fail_commits(struct mishaps *mishaps)
{
    disk_fail_commits(hub_disk(mishaps->options.hub), 1 + rng_below(&mishaps->chance, 4));
}

static void on_weather_over(void *context)
{
    struct mishaps *mishaps = context;
    disk_refuse_writes(hub_disk(mishaps->options.hub), false);
    link_set_conditions(mishaps->options.net, &link_good);
}

static void fill_disk(struct mishaps *mishaps)
{
    disk_refuse_writes(hub_disk(mishaps->options.hub), true);
    client_timer_set(mishaps->options.loop, &mishaps->weather,
                     a_while(mishaps, 20 * US_PER_SECOND));
}

static void roughen_network(struct mishaps *mishaps)
{
    link_set_conditions(mishaps->options.net, &link_rough);
    client_timer_set(mishaps->options.loop, &mishaps->weather,
                     a_while(mishaps, 15 * US_PER_MINUTE));
}

static void cut_region(struct mishaps *mishaps)
{
    link_cut(mishaps->options.net, "phone/", 400, a_while(mishaps, 5 * US_PER_MINUTE));
}

static void crash_phone(struct mishaps *mishaps)
{
    phone_crash(some_phone(mishaps), 0, draw_about(&mishaps->chance, US_PER_MINUTE, 900));
}

static void revoke_phone(struct mishaps *mishaps)
{
    mishaps->options.result->revoked += phone_revoke(some_phone(mishaps));
}

static void copy_disk(struct mishaps *mishaps)
{
    disk_keep(hub_disk(mishaps->options.hub));
}

static void bring_back(struct mishaps *mishaps)
{
    struct hub *hub = mishaps->options.hub;
    if (!mishaps->options.ordeal->restores || hub_store(hub) == NULL) return;
    oracle_judge(mishaps->options.oracle, hub_store(hub), false);
    if (!hub_bring_back(hub, true)) return;
    mishaps->options.result->restores++;
    struct store *store = disk_mount(hub_disk(hub));
    oracle_restored(mishaps->options.oracle, store);
    store_close(store);
}

static const struct {
    const char *name;
    uint32_t weight;
    void (*strike)(struct mishaps *mishaps);
} kinds[] = {
    {"kills the gateway", 12, kill_gateway},
    {"kills the dispatcher", 16, kill_dispatcher},
    {"kills the optimizer", 8, kill_optimizer},
    {"cuts the power", 6, lose_power},
    {"cuts the power in a write to come", 10, lose_power_in_a_write},
    {"fails commits", 10, fail_commits},
    {"fills the disk", 4, fill_disk},
    {"roughens the network", 8, roughen_network},
    {"cuts a region off", 6, cut_region},
    {"crashes a phone", 14, crash_phone},
    {"revokes a phone", 5, revoke_phone},
    {"copies the disk", 3, copy_disk},
    {"brings an old disk back", 1, bring_back},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* --- one after the other --- */

static size_t choose(struct mishaps *mishaps)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < KINDS; i++)
        sum += kinds[i].weight;
    uint32_t draw = rng_below(&mishaps->chance, sum);
    size_t i = 0;
    for (; draw >= kinds[i].weight; i++)
        draw -= kinds[i].weight;
    return i;
}

static void tell(const struct mishaps *mishaps, const char *what)
{
    const struct ordeal_options *ordeal = mishaps->options.ordeal;
    char line[ORDEAL_TEXT];
    int64_t at_s = now_us(mishaps) % US_PER_DAY / US_PER_SECOND;
    if (ordeal->say == NULL) return;
    snprintf(line, sizeof line, "step %llu, %02lld:%02lld:%02lld: %s",
             (unsigned long long)mishaps->options.result->steps, (long long)at_s / 3600,
             (long long)at_s / 60 % 60, (long long)at_s % 60, what);
    ordeal->say(ordeal->context, line);
}

static void on_next(void *context)
{
    struct mishaps *mishaps = context;
    struct ordeal_result *result = mishaps->options.result;
    uint32_t steps_max = mishaps->options.ordeal->steps_max;
    if (steps_max != 0 && result->steps == steps_max) return;
    result->steps++;
    size_t kind = choose(mishaps);
    tell(mishaps, kinds[kind].name);
    kinds[kind].strike(mishaps);
    client_timer_set(mishaps->options.loop, &mishaps->next,
                     now_us(mishaps) + draw_about(&mishaps->chance, EVERY_US, 1200));
}

struct mishaps *mishaps_open(const struct mishaps_options *options)
{
    struct mishaps *mishaps = calloc(1, sizeof *mishaps);
    CHECK(mishaps != NULL);
    mishaps->options = *options;
    mishaps->chance = (struct rng){options->ordeal->seed ^ UINT64_C(0x5bad)};
    mishaps->next = (struct client_timer){.fire = on_next, .context = mishaps};
    mishaps->weather = (struct client_timer){.fire = on_weather_over, .context = mishaps};
    return mishaps;
}

void mishaps_close(struct mishaps *mishaps)
{
    client_timer_cancel(mishaps->options.loop, &mishaps->next);
    client_timer_cancel(mishaps->options.loop, &mishaps->weather);
    free(mishaps);
}

void mishaps_begin(struct mishaps *mishaps, int64_t until_us)
{
    mishaps->until_us = until_us;
    client_timer_set(mishaps->options.loop, &mishaps->next,
                     now_us(mishaps) + draw_between(&mishaps->chance, 0, EVERY_US));
}

void mishaps_end(struct mishaps *mishaps)
{
    struct disk *disk = hub_disk(mishaps->options.hub);
    client_timer_cancel(mishaps->options.loop, &mishaps->next);
    client_timer_cancel(mishaps->options.loop, &mishaps->weather);
    on_weather_over(mishaps);
    disk_fail_commits(disk, 0);
    disk_cut_power_at(disk, NEVER, false);
}
