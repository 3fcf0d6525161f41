#include "sim/world/run.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "day/zone.h"
#include "dispatcher/kpi.h"
#include "sim/draw.h"
#include "sim/habits.h"
#include "sim/scenario/generate.h"
#include "sim/world/audit.h"
#include "sim/world/disk.h"
#include "sim/world/trouble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { FIGURES_ARENA = 512 << 20 };

static const int64_t look_every_us = 15 * US_PER_MINUTE;    /* at the backlog, by the clock */
static const int64_t after_midnight_us = 1 * US_PER_MINUTE; /* the dispatcher has seen it pass */
static const int64_t after_shifts_us = 4 * 60 * US_PER_MINUTE;
static const int64_t patience_us = 2 * 60 * US_PER_MINUTE;

struct run {
    const struct run_options *options;
    const struct scenario *scenario;
    struct town *town;
    struct habits habits;
    struct world *world;
    struct day *days; /* all of them: the world keeps them */
    int32_t index;    /* of the day that is lived */
    struct run_result *out;
    int64_t taken_in_us; /* when the day was */
    struct client_timer look;
    bool stopped;
    struct day_errors *errors;
};

static enum err refuse(struct run *run, const struct problem *problem, enum err err)
{
    run->errors->count = 1;
    run->errors->items[0] = *problem;
    return err;
}

static const struct day *today(const struct run *run)
{
    return &run->days[run->index];
}

static int64_t now_us(const struct run *run)
{
    return client_loop_now_us(world_loop(run->world));
}

/* --- the options of a world ------------------------------------------------------------------ */

static struct link_conditions network_of(const struct scenario_network *it)
{
    struct link_conditions is = link_good;
    is.latency_us = it->latency_ms * INT64_C(1000) + it->jitter_ms * INT64_C(500);
    is.lost = (uint32_t)it->loss_permille;
    is.twice = (uint32_t)it->duplicate_permille;
    is.late = (uint32_t)it->reorder_permille;
    is.late_us = is.late > 0 ? 5 * US_PER_SECOND : 0;
    /* Half of the jitter is about one standard deviation. */
    int64_t spread = is.latency_us > 0 ? it->jitter_ms * INT64_C(500000) / is.latency_us : 0;
    is.latency_spread = (uint32_t)(spread < DRAW_SPREAD_MAX ? spread : DRAW_SPREAD_MAX);
    return is;
}

static struct hub_costs costs_of(const struct scenario_optimizer *it)
{
    struct hub_costs costs = hub_costs_default;
    costs.repair_us = it->repair_us;
    costs.batch_us = it->commit_us;
    costs.rounds_1000_us = it->round_us * INT64_C(1000);
    return costs;
}

static void note_work(void *context, const struct hub_work *work)
{
    const struct run *run = context;
    struct run_result *out = run->out;
    bool search = work->done.rounds > 0 || work->done.pivots > 0;
    struct kpi_lengths *lived = search ? &out->pieces.search : &out->pieces.repair;
    struct kpi_lengths *measured = search ? &out->times.cpu.search : &out->times.cpu.repair;
    kpi_lengths_add(lived, work->virtual_us);
    kpi_lengths_add(measured, work->cpu_us);
    out->system.repairs += work->done.repairs;
    out->system.rounds += work->done.rounds;
    out->system.pivots += work->done.pivots;
}

/* Whether a technician falls ill on this day, and when, depends on the seed, the day and him. The
 * caller frees it. */
static int64_t *choose_ill(const struct run *run)
{
    const struct day *day = today(run);
    int64_t *absent_at_us = calloc(day->technician_count + 1, sizeof *absent_at_us);
    CHECK(absent_at_us != NULL);
    for (size_t i = 0; i < day->technician_count; i++) {
        const struct day_technician *row = &day->technicians[i];
        struct digest who = digest_start();
        digest_bytes(&who, row->id, strlen(row->id));
        struct rng rng =
            chance_of(run->options->seed, CHANCE_HABIT, (uint64_t)run->index, who.state);
        if (!chance_permille(&rng, run->scenario->people.ill_permille)) continue;
        int64_t shift_us = row->shift_end_us - row->shift_start_us;
        absent_at_us[i] = row->shift_start_us + shift_us / PERMILLE * chance_between(&rng, 20, 700);
    }
    return absent_at_us;
}

static struct world_options options_of(struct run *run)
{
    const struct scenario *scenario = run->scenario;
    struct world_options options = world_options_default(today(run), run->options->seed);
    options.territory_id = scenario->territory;
    options.habits = &run->habits;
    options.roads = run->town == NULL ? NULL : town_roads(run->town);
    options.network = network_of(&scenario->network);
    options.costs = costs_of(&scenario->optimizer);
    options.planner.rounds = (uint64_t)scenario->optimizer.rounds;
    options.planner.seed = run->options->seed + 1;
    options.policy = &scenario->policy;
    options.cancel_permille = (uint32_t)scenario->customers.cancel_permille;
    options.worked = note_work;
    options.worked_context = run;
    return options;
}

/* --- looking at the day ---------------------------------------------------------------------- */

/* The figures as they stand. False: the dispatcher is down. */
static bool figures_now(const struct run *run, struct arena *arena, struct day_figures *out)
{
    struct store *store = hub_store(world_hub(run->world));
    const struct day *day = today(run);
    const struct kpi_day at = {zone_local_to_utc_us(day->service_day * US_PER_DAY), now_us(run)};
    return store != NULL &&
           day_figures(store, hub_core(world_hub(run->world)), run->scenario->territory,
                       day->service_day, &at, arena, out) == ERR_OK;
}

static void note_backlog(const struct run *run)
{
    struct arena arena;
    struct day_figures figures;
    arena_open(&arena, FIGURES_ARENA);
    if (figures_now(run, &arena, &figures)) {
        const struct kpi *kpi = &figures.kpi;
        struct run_backlog *at = run_result_backlog(run->out);
        at->time_us = now_us(run);
        at->unserved = (uint32_t)kpi->unserved;
        at->open = (uint32_t)kpi->open;
        at->running = (uint32_t)kpi->running;
        at->done = (uint32_t)(kpi->completed + kpi->incomplete + kpi->no_access);
        at->cancelled = (uint32_t)kpi->cancelled;
    }
    arena_close(&arena);
}

/* What part of all days lies behind. */
static int32_t done_permille(const struct run *run)
{
    const struct day *day = today(run);
    int64_t begin_us = day->start_us, length_us = day->end_us + US_PER_DAY / 24 - begin_us;
    int64_t part = (now_us(run) - begin_us) * PERMILLE / length_us;
    part = part < 0 ? 0 : part > PERMILLE ? PERMILLE : part;
    return (int32_t)((run->index * PERMILLE + part) / run->scenario->days);
}

static void on_look(void *context)
{
    struct run *run = context;
    const struct run_options *options = run->options;
    note_backlog(run);
    client_timer_set(world_loop(run->world), &run->look, now_us(run) + look_every_us);
    if (options->progress == NULL || options->progress(options->context, done_permille(run)))
        return;
    run->stopped = true;
    client_loop_stop(world_loop(run->world));
}

/* --- a day's end ----------------------------------------------------------------------------- */

static void add_legs(const struct run *run, const struct day_figures *figures)
{
    for (uint32_t i = 0; i < figures->leg_count; i++) {
        const struct leg *it = &figures->legs[i];
        const struct kpi_leg *times = &it->times;
        struct run_leg *leg = run_result_leg(run->out);
        leg->day = run->index;
        snprintf(leg->technician_id, sizeof leg->technician_id, "%s", it->technician_id);
        snprintf(leg->appointment_id, sizeof leg->appointment_id, "%s", it->appointment_id);
        leg->departed_us = times->departed_us;
        leg->planned_travel_us = times->planned_travel_us;
        leg->travel_us = times->arrived_us > 0 ? times->arrived_us - times->departed_us : 0;
        leg->planned_service_us = times->planned_service_us;
        leg->worked_us = times->worked_us;
        leg->late_us = it->late_us;
    }
}

static enum err end_day(struct run *run)
{
    struct arena arena;
    struct day_figures figures;
    struct problem problem;
    const struct day *day = today(run);
    arena_open(&arena, FIGURES_ARENA);
    bool known = figures_now(run, &arena, &figures);
    if (known) {
        struct run_day *it = run_result_day(run->out);
        it->service_day = day->service_day;
        it->begin_us = zone_local_to_utc_us(day->service_day * US_PER_DAY);
        it->technicians = (uint32_t)day->technician_count;
        it->orders = (uint32_t)day->order_count;
        for (size_t i = 0; i < day->order_count; i++)
            it->known += day->orders[i].received_us <= run->taken_in_us;
        it->called = it->orders - it->known;
        it->kpi = figures.kpi;
        kpi_merge(&run->out->kpi, &figures.kpi);
        add_legs(run, &figures);
    }
    arena_close(&arena);
    if (known) return ERR_OK;
    return refuse(run, &problem,
                  problem_set(&problem, ERR_INTERNAL, "dispatcher", "is down at the day's end"));
}

/* Until everybody is at home, all is said, and its midnight has passed. */
static enum err live_day(struct run *run)
{
    const struct day *day = today(run);
    struct client_loop *loop = world_loop(run->world);
    int64_t midnight_us = zone_local_to_utc_us((day->service_day + 1) * US_PER_DAY);
    int64_t until_us = midnight_us + after_midnight_us;
    if (until_us < day->end_us + after_shifts_us) until_us = day->end_us + after_shifts_us;
    struct trouble *trouble =
        trouble_begin(run->world, run->scenario, day, run->index, run->options->seed, run->out);
    on_look(run);
    if (!run->stopped) (void)world_live(run->world, until_us);
    client_timer_cancel(loop, &run->look);
    trouble_end(trouble);
    if (run->stopped) return ERR_RETRY;
    note_backlog(run);
    (void)world_drain(run->world, patience_us);
    if (now_us(run) < midnight_us + after_midnight_us)
        world_sleep(run->world, midnight_us + after_midnight_us);
    else
        world_sleep(run->world, now_us(run) + US_PER_SECOND);
    return end_day(run);
}

static enum err next_day(struct run *run)
{
    struct problem problem;
    run->index++;
    int64_t *absent_at_us = choose_ill(run);
    run->taken_in_us = now_us(run);
    enum err err = world_next_day(run->world, today(run), absent_at_us, &problem);
    free(absent_at_us);
    return err == ERR_OK ? err : refuse(run, &problem, err);
}

/* --- the whole ------------------------------------------------------------------------------- */

static enum err make_days(struct run *run)
{
    enum err err = ERR_OK;
    if (run->scenario->folder.path[0] == '\0')
        run->town = town_open(&run->scenario->town, run->options->seed);
    run->days = calloc((size_t)run->scenario->days, sizeof *run->days);
    CHECK(run->days != NULL);
    for (int32_t i = 0; i < run->scenario->days && err == ERR_OK; i++)
        err = scenario_day(&run->days[i], run->scenario, run->town, run->options->seed, i,
                           run->errors);
    return err;
}

static enum err open_world(struct run *run)
{
    struct problem problem;
    struct world_options options = options_of(run);
    int64_t *absent_at_us = choose_ill(run);
    options.absent_at_us = absent_at_us;
    if (run->options->adjust != NULL) run->options->adjust(run->options->context, &options);
    run->taken_in_us = today(run)->start_us - options.before_us;
    enum err err = world_open(&run->world, &options, &problem);
    free(absent_at_us);
    return err == ERR_OK ? err : refuse(run, &problem, err);
}

static void take_commands(struct run *run, const struct world_sum *sum,
                          const struct log_audit *audit)
{
    struct run_commands *it = &run->out->commands;
    const struct fleet_count *fleet = &sum->fleet;
    it->saved = fleet->saved;
    it->acknowledged = fleet->acknowledged;
    it->rejected = fleet->rejected;
    it->conflicts = fleet->conflicts;
    it->aside = fleet->aside;
    it->facts = audit->commands + audit->doubled;
    uint64_t due = fleet->saved - fleet->aside - fleet->rejected;
    it->lost = due > audit->commands ? due - audit->commands : 0;
    it->orders = sum->imported.orders + sum->customers.ordered + sum->customers.cancelled;
    it->order_facts = audit->requests + audit->requests_doubled;
    if (it->orders > audit->requests) it->lost += it->orders - audit->requests;
    it->doubled = audit->doubled + audit->requests_doubled;
}

static void take_system(struct run *run, const struct world_sum *sum)
{
    struct run_system *it = &run->out->system;
    it->messages_lost = sum->network.lost;
    it->messages_twice = sum->network.twice;
    it->messages_late = sum->network.late;
    it->connects = sum->network.connects;
    it->breaks = sum->network.breaks;
    it->resent = sum->network.resent;
    it->bytes_up = sum->network.bytes_up;
    it->bytes_down = sum->network.bytes_down;
    it->requests = sum->system.requests;
    it->batches = sum->system.batches;
    it->largest_batch = sum->system.largest;
    it->events = sum->totals->events;
    it->plans = sum->totals->plans;
    for (enum hub_part part = 0; part < HUB_PARTS; part++)
        it->kills += sum->system.kills[part];
    const struct disk_counters *disk = disk_counters(hub_disk(world_hub(run->world)));
    it->disk_failures = disk->failed_commits + disk->refused;
    run->out->times.dispatcher_us = sum->system.dispatcher_cpu_us;
    run->out->times.optimizer_us = sum->system.optimizer_cpu_us;
    for (size_t i = 0; i < sum->totals->latency.count; i++)
        kpi_lengths_add(&run->out->reach, sum->totals->latency.us[i]);
}

static enum err take_sum(struct run *run)
{
    struct world_sum sum;
    struct log_audit audit;
    struct problem problem = {0};
    enum err err = world_sum(run->world, &sum, &problem);
    if (err == ERR_OK) {
        err = log_audit(hub_store(world_hub(run->world)), &audit);
        if (err != ERR_OK) (void)problem_set(&problem, err, "log", "cannot be read");
    }
    if (err != ERR_OK) return refuse(run, &problem, err);
    take_commands(run, &sum, &audit);
    take_system(run, &sum);
    run->out->system.facts = audit.facts;
    run->out->begin_us = sum.begin_us;
    run->out->end_us = sum.now_us;
    run->out->digest = sum.digest;
    return ERR_OK;
}

static enum err live(struct run *run)
{
    enum err err = make_days(run);
    if (err == ERR_OK) err = open_world(run);
    if (err != ERR_OK) return err;
    run->look = (struct client_timer){.fire = on_look, .context = run};
    for (;;) {
        err = live_day(run);
        if (err != ERR_OK) return err;
        if (run->index + 1 == run->scenario->days) return take_sum(run);
        err = next_day(run);
        if (err != ERR_OK) return err;
    }
}

static int64_t clock_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

static void take_times(struct run_times *times, int64_t cpu_before_us, int64_t mono_before_us,
                       uint64_t facts)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    times->cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_before_us;
    times->wall_us = clock_mono_us() - mono_before_us;
    times->memory_peak_kib = usage.ru_maxrss;
    times->events_per_s = (int64_t)facts * US_PER_SECOND / (times->cpu_us + 1);
}

static void take_name(struct run_result *out, const struct run_options *options)
{
    const struct scenario *scenario = options->scenario;
    snprintf(out->scenario, sizeof out->scenario, "%s", scenario->name);
    snprintf(out->time_zone, sizeof out->time_zone, "%s", scenario->time_zone);
    out->configuration = scenario_digest(scenario);
    out->seed = options->seed;
}

static void run_close(struct run *run)
{
    world_close(run->world);
    for (int32_t i = 0; run->days != NULL && i < run->scenario->days; i++)
        day_fini(&run->days[i]);
    free(run->days);
    town_close(run->town);
}

enum err run_scenario(struct run_result *out, const struct run_options *options,
                      struct day_errors *errors)
{
    struct scenario *scenario = malloc(sizeof *scenario);
    CHECK(scenario != NULL);
    *scenario = *options->scenario;
    if (options->untroubled) scenario->fault_count = 0;
    struct run run = {.options = options, .scenario = scenario, .out = out, .errors = errors};
    int64_t cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID), mono_us = clock_mono_us();
    run_result_init(out);
    run.habits = habits_of(scenario);
    take_name(out, options);
    enum err err = live(&run);
    take_times(&out->times, cpu_us, mono_us, out->system.facts);
    run_close(&run);
    free(scenario);
    if (err != ERR_OK) run_result_fini(out);
    return err;
}

enum err run_with_cost(struct run_result *out, const struct run_options *options,
                       struct day_errors *errors)
{
    struct run_options without = *options;
    struct run_result untroubled;
    without.untroubled = true;
    if (options->scenario->fault_count == 0) return run_scenario(out, options, errors);
    enum err err = run_scenario(&untroubled, &without, errors);
    if (err != ERR_OK) return err;
    err = run_scenario(out, options, errors);
    if (err == ERR_OK) {
        out->untroubled = malloc(sizeof *out->untroubled);
        CHECK(out->untroubled != NULL);
        *out->untroubled = untroubled.kpi;
    }
    run_result_fini(&untroubled);
    return err;
}
