#include "ordeal.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "crew.h"
#include "mishaps.h"
#include "office.h"
#include "plants.h"
#include "sim/draw.h"
#include "sim/scratch.h"
#include "sim/world/disk.h"
#include "sim/world/hub.h"
#include "sim/world/seeded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_US    (INT64_C(20780) * US_PER_DAY) /* Monday 2026-11-23 */
#define HOUR_US     (60 * US_PER_MINUTE)
#define CONVERGE_US (60 * US_PER_SECOND)
/* Often enough that faults meet many of them, and that a start need not replay half a day. */
#define SNAPSHOT_EVERY 500
#define PATIENCE_US    (20 * US_PER_MINUTE) /* for what comes before the day */

struct ordeal {
    const struct ordeal_options *options;
    struct ordeal_result *result;
    struct client_loop *loop;
    struct link_net *net;
    struct hub *hub;
    struct oracle *oracle;
    struct crew *crew;
    struct office *office;
    struct mishaps *mishaps;
    struct plants *plants;
    struct rng chance;
    bool troubled; /* phones die at the door */
    char folder[SCRATCH_PATH], key[128];
};

static int64_t now_us(const struct ordeal *ordeal)
{
    return client_loop_now_us(ordeal->loop);
}

/* --- the door -------------------------------------------------------------------------------- */

enum { CRASH_PERMILLE = 6 };

/* The phone dies with its request at the door, or a moment after. */
static void maybe_crash(struct ordeal *ordeal, const struct passer *passer)
{
    if (!ordeal->troubled || passer->life == NULL || strcmp(passer->method, "Push") != 0) return;
    if (!draw_happens(&ordeal->chance, CRASH_PERMILLE)) return;
    struct phone *phone = crew_find(ordeal->crew, passer->life);
    int64_t after_us = draw_between(&ordeal->chance, 0, 300000);
    if (draw_happens(&ordeal->chance, PERMILLE / 3)) after_us = 0;
    if (phone != NULL)
        phone_crash(phone, after_us, draw_about(&ordeal->chance, 20 * US_PER_SECOND, 900));
}

static void on_request(void *context, struct sp_ticket from, const char *peer, const uint8_t *bytes,
                       size_t size)
{
    struct ordeal *ordeal = context;
    struct passer passer = oracle_request(ordeal->oracle, from, peer, bytes, size);
    maybe_crash(ordeal, &passer);
    if (plants_swallow(ordeal->plants, &passer, from, bytes, size)) return;
    hub_request(ordeal->hub, from, peer, bytes, size);
}

/* Now and then a phone dies just before what it asked for comes back, or just after. */
static void on_reply(void *context, struct sp_ticket to, const uint8_t *bytes, size_t size)
{
    struct ordeal *ordeal = context;
    plants_spoil(ordeal->plants, &bytes, &size);
    struct passer passer = oracle_reply(ordeal->oracle, to, bytes, size, now_us(ordeal));
    plants_note(ordeal->plants, &passer, bytes, size);
    maybe_crash(ordeal, &passer);
    link_reply(ordeal->net, to, bytes, size);
}

static bool is_alive(void *context, struct sp_ticket ticket)
{
    const struct ordeal *ordeal = context;
    return link_alive(ordeal->net, ticket);
}

static void on_gateway_down(void *context, int64_t until_us)
{
    const struct ordeal *ordeal = context;
    link_server_down(ordeal->net, until_us);
}

/* --- a day ----------------------------------------------------------------------------------- */

static void live_until(struct ordeal *ordeal, int64_t until_us)
{
    while (now_us(ordeal) < until_us)
        client_loop_run(ordeal->loop, until_us);
}

/* All that waits for an answer gets it; no fault is on. */
static void wait_for_office(struct ordeal *ordeal)
{
    int64_t until_us = now_us(ordeal) + PATIENCE_US;
    while (office_waits(ordeal->office) && now_us(ordeal) < until_us)
        live_until(ordeal, now_us(ordeal) + US_PER_SECOND);
    if (office_waits(ordeal->office))
        oracle_blame(ordeal->oracle, STUCK, "the office waits for an answer");
}

/* From the log on the disk, also when the dispatcher does not get up any more. */
static void judge(struct ordeal *ordeal)
{
    struct store *store = hub_store(ordeal->hub);
    if (store != NULL) {
        oracle_judge(ordeal->oracle, store, true);
        return;
    }
    store = disk_mount(hub_disk(ordeal->hub));
    oracle_judge(ordeal->oracle, store, true);
    store_close(store);
}

static void converge(struct ordeal *ordeal)
{
    char why[ORDEAL_TEXT];
    int64_t from_us = now_us(ordeal), until_us = from_us + CONVERGE_US;
    while (!crew_agrees(ordeal->crew, why)) {
        if (now_us(ordeal) >= until_us) {
            oracle_blame(ordeal->oracle, STUCK, "%.230s", why);
            return;
        }
        live_until(ordeal, now_us(ordeal) + US_PER_SECOND);
    }
    int64_t took_us = now_us(ordeal) - from_us;
    if (took_us > ordeal->result->converged_us) ordeal->result->converged_us = took_us;
}

/* From then until then, and the judgement. */
static void live_half(struct ordeal *ordeal, int64_t begin_us, int64_t end_us)
{
    live_until(ordeal, begin_us);
    office_to_work(ordeal->office);
    crew_to_work(ordeal->crew);
    mishaps_begin(ordeal->mishaps, end_us);
    ordeal->troubled = true;
    live_until(ordeal, end_us);
    ordeal->troubled = false;
    mishaps_end(ordeal->mishaps);
    office_go_home(ordeal->office);
    crew_come_home(ordeal->crew);
    converge(ordeal);
    wait_for_office(ordeal);
    judge(ordeal);
    ordeal->result->device_half_days += ordeal->options->devices;
}

static void live_day(struct ordeal *ordeal, uint32_t day, bool whole)
{
    int64_t begin_us = BEGIN_US + day * US_PER_DAY;
    live_until(ordeal, begin_us + 6 * HOUR_US + 50 * US_PER_MINUTE);
    if (day == 0) office_furnish(ordeal->office);
    wait_for_office(ordeal);
    office_new_day(ordeal->office, day);
    crew_enrol(ordeal->crew);
    wait_for_office(ordeal);
    live_half(ordeal, begin_us + 7 * HOUR_US, begin_us + 12 * HOUR_US);
    if (whole) live_half(ordeal, begin_us + 12 * HOUR_US + HOUR_US / 2, begin_us + 17 * HOUR_US);
    crew_sleep(ordeal->crew);
}

/* --- life ------------------------------------------------------------------------------------ */

static void open_system(struct ordeal *ordeal)
{
    const struct link_options net = {
        .seed = ordeal->options->seed, .conditions = link_good, .server = {ordeal, on_request}};
    struct hub_options hub = hub_options_default();
    ordeal->net = link_open(ordeal->loop, &net);
    hub.planner.rounds = 20;
    hub.planner.more_searches = 0;
    hub.planner.seed = ordeal->options->seed;
    hub.seed = ordeal->options->seed;
    hub.snapshot_every = SNAPSHOT_EVERY;
    hub.context = ordeal;
    hub.reply = on_reply;
    hub.alive = is_alive;
    hub.gateway_down = on_gateway_down;
    ordeal->hub = hub_open(ordeal->loop, &hub);
    ordeal->plants = plants_open(ordeal->options, ordeal->net, hub_disk(ordeal->hub));
}

static void open_people(struct ordeal *ordeal)
{
    const char *const key[] = {"office", "admin"};
    enum err err = hub_admin(ordeal->hub, "key", key, 2, ordeal->key, sizeof ordeal->key);
    CHECK(err == ERR_OK);
    const struct ordeal_options *options = ordeal->options;
    const struct crew_options crew = {.loop = ordeal->loop,
                                      .hub = ordeal->hub,
                                      .oracle = ordeal->oracle,
                                      .folder = ordeal->folder,
                                      .seed = options->seed,
                                      .count = options->devices};
    const struct office_options office = {.loop = ordeal->loop,
                                          .oracle = ordeal->oracle,
                                          .key = ordeal->key,
                                          .seed = options->seed ^ UINT64_C(0x0ff1ce),
                                          .technicians = options->devices,
                                          .days = (options->half_days + 1) / 2,
                                          .begin_us = BEGIN_US};
    ordeal->crew = crew_open(&crew);
    ordeal->office = office_open(&office);
    const struct mishaps_options mishaps = {.loop = ordeal->loop,
                                            .hub = ordeal->hub,
                                            .net = ordeal->net,
                                            .crew = ordeal->crew,
                                            .oracle = ordeal->oracle,
                                            .result = ordeal->result,
                                            .ordeal = options};
    ordeal->mishaps = mishaps_open(&mishaps);
}

static void sum_up(struct ordeal *ordeal)
{
    struct ordeal_result *result = ordeal->result;
    const struct disk_counters *disk = disk_counters(hub_disk(ordeal->hub));
    struct hub_counters hub = hub_counters(ordeal->hub);
    for (int part = 0; part < HUB_PARTS; part++)
        result->kills[part] = hub.kills[part];
    result->cuts = disk->cuts;
    result->failed_commits = disk->failed_commits;
    result->crashes = crew_crashes(ordeal->crew);
    result->digest = hub.digest ^ link_counters(ordeal->net).digest;
}

static void close_all(struct ordeal *ordeal)
{
    mishaps_close(ordeal->mishaps);
    office_close(ordeal->office);
    crew_close(ordeal->crew);
    hub_close(ordeal->hub);
    link_close(ordeal->net);
    plants_close(ordeal->plants);
    oracle_close(ordeal->oracle);
    client_loop_close(ordeal->loop);
}

enum err ordeal_run(struct ordeal_result *out, const struct ordeal_options *options,
                    struct problem *problem)
{
    CHECK(options->devices > 0 && options->devices <= ORDEAL_DEVICES_MAX &&
          options->half_days > 0 && options->half_days <= 2 * ORDEAL_DAYS_MAX);
    struct ordeal ordeal = {.options = options, .result = out, .chance = {options->seed + 1}};
    *out = (struct ordeal_result){.device_half_days = 0};
    enum err err = scratch_make(ordeal.folder, problem);
    if (err == ERR_OK)
        err = client_loop_open_virtual(&ordeal.loop, BEGIN_US + 6 * HOUR_US + 45 * US_PER_MINUTE);
    if (err != ERR_OK) return err;
    log_open("ordeal", LOG_SILENT);
    seeded_begin(options->seed);
    ordeal.oracle = oracle_open(out, options);
    open_system(&ordeal);
    open_people(&ordeal);
    for (uint32_t half = 0; half < options->half_days; half += 2)
        live_day(&ordeal, half / 2, half + 1 < options->half_days);
    sum_up(&ordeal);
    close_all(&ordeal);
    seeded_end();
    scratch_remove(ordeal.folder);
    return ERR_OK;
}
