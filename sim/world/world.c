#include "sim/world/world.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "sim/feed.h"
#include "sim/import.h"
#include "sim/peer/peer.h"
#include "sim/scratch.h"
#include "sim/world/seeded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 256, TOKEN_BYTES = 128, TICK_US = 5000000, ANSWER_US = 60000000 };

static const char url_key[] = "sim://key/world", url_phones[] = "sim://phone/";

struct world {
    struct world_options options;
    struct client_loop *loop;
    struct hub *hub;
    struct link_net *net;
    char scratch[SCRATCH_PATH], key[KEY_BYTES];
    char (*tokens)[TOKEN_BYTES];
    int32_t travel_percent;
    struct api *asks, *feeds;
    struct feed feed;
    struct watch *watch;
    struct fleet *fleet;
    struct customers *customers;
    struct customers_count customers_before; /* of the days that are over */
    struct import_result imported;
    struct tally tally;
    struct client_timer tick;
    int64_t begin_us;
    bool over, draining;
};

/* --- the system behind the network ----------------------------------------------------------- */

static void on_request(void *context, struct sp_ticket from, const char *peer, const uint8_t *bytes,
                       size_t size)
{
    const struct world *world = context;
    hub_request(world->hub, from, peer, bytes, size);
}

static void on_reply(void *context, struct sp_ticket to, const uint8_t *bytes, size_t size)
{
    const struct world *world = context;
    link_reply(world->net, to, bytes, size);
}

static bool is_alive(void *context, struct sp_ticket ticket)
{
    const struct world *world = context;
    return link_alive(world->net, ticket);
}

static void on_gateway_down(void *context, int64_t until_us)
{
    const struct world *world = context;
    link_server_down(world->net, until_us);
}

static bool ask_peer(void *context, struct solver *solver)
{
    const struct world *world = context;
    struct problem problem;
    return peer_solve(world->options.peer, solver, &problem) == PEER_ANSWERED;
}

static void on_worked(void *context, const struct hub_work *work)
{
    const struct world *world = context;
    world->options.worked(world->options.worked_context, work);
}

static void open_system(struct world *world)
{
    const struct world_options *options = &world->options;
    struct link_options net = {
        .seed = options->seed, .conditions = options->network, .server = {world, on_request}};
    world->net = link_open(world->loop, &net);
    struct hub_options hub = hub_options_default();
    hub.costs = options->costs;
    hub.planner = options->planner;
    hub.seed = options->seed;
    hub.context = world;
    hub.reply = on_reply;
    hub.alive = is_alive;
    hub.gateway_down = on_gateway_down;
    if (options->peer != NULL) hub.solve = ask_peer;
    if (options->worked != NULL) hub.worked = on_worked;
    world->hub = hub_open(world->loop, &hub);
}

/* --- the day comes in ------------------------------------------------------------------------ */

static enum err open_keys(struct world *world, struct problem *problem)
{
    const char *const key[] = {"world", "admin"};
    if (hub_admin(world->hub, "key", key, 2, world->key, sizeof world->key) != ERR_OK)
        return problem_set(problem, ERR_INTERNAL, "key", "no key could be made");
    struct api_options options = {.url = url_key, .key = world->key, .app_build = "callout sim"};
    enum err err = api_open(&world->asks, world->loop, &options, problem);
    options.held = true;
    if (err == ERR_OK) err = api_open(&world->feeds, world->loop, &options, problem);
    return err;
}

static enum err take_day_in(struct world *world, struct problem *problem)
{
    struct day_errors *errors = calloc(1, sizeof *errors);
    CHECK(errors != NULL);
    struct import_result result;
    struct import_target target = {.url = url_key,
                                   .key = world->key,
                                   .loop = world->loop,
                                   .territory_id = world->options.territory_id,
                                   .policy = world->options.policy,
                                   .known_at_us = world->options.known_at_us};
    hub_hold_optimizer(world->hub, true);
    enum err err = import_day(world->options.day, &target, &result, errors);
    hub_hold_optimizer(world->hub, false);
    if (err != ERR_OK && problem != NULL) *problem = errors->items[0];
    free(errors);
    world->imported.technicians += result.technicians;
    world->imported.orders += result.orders;
    world->imported.left_out += result.left_out;
    world->imported.unservable += result.unservable;
    world->imported.unchanged += result.unchanged;
    return err;
}

/* The board tells the clock and the place in the log. */
static enum err read_tally(struct world *world, struct problem *problem)
{
    int64_t until_us = client_loop_now_us(world->loop) + ANSWER_US;
    world->tally.known = false;
    tally_read(&world->tally);
    while (world->tally.reading && client_loop_now_us(world->loop) < until_us)
        client_loop_run(world->loop, client_loop_now_us(world->loop) + US_PER_SECOND);
    if (world->tally.known) return ERR_OK;
    return problem_set(problem, world->tally.err != ERR_OK ? world->tally.err : ERR_IO, "Board",
                       "%s", world->tally.problem);
}

/* Whoever has no phone yet gets a token for one. */
static enum err enrol(struct world *world, struct problem *problem)
{
    const struct day *day = world->options.day;
    world->tokens = realloc(world->tokens, (day->technician_count + 1) * sizeof *world->tokens);
    CHECK(world->tokens != NULL);
    for (size_t i = 0; i < day->technician_count; i++) {
        const char *const who[] = {day->technicians[i].id};
        world->tokens[i][0] = '\0';
        if (world_person(world, who[0]) != NULL) continue;
        if (hub_admin(world->hub, "enrol", who, 1, world->tokens[i], TOKEN_BYTES) != ERR_OK)
            return problem_set(problem, ERR_INTERNAL, who[0], "cannot be enrolled");
    }
    return ERR_OK;
}

static enum err wake_fleet(struct world *world, struct problem *problem)
{
    const struct world_options *options = &world->options;
    size_t count = options->day->technician_count;
    const char **tokens = calloc(count + 1, sizeof *tokens);
    CHECK(tokens != NULL);
    for (size_t i = 0; i < count; i++)
        tokens[i] = world->tokens[i];
    struct fleet_options fleet = {.day = options->day,
                                  .url = url_phones,
                                  .url_each = true,
                                  .folder = world->scratch,
                                  .tokens = tokens,
                                  .boot_id = "virtual",
                                  .habits = options->habits,
                                  .roads = options->roads,
                                  .travel_percent = &world->travel_percent,
                                  .seed = options->seed,
                                  .ill = options->ill,
                                  .absent_at_us = options->absent_at_us,
                                  .watch = world->watch};
    enum err err = world->fleet == NULL ? fleet_open(&world->fleet, world->loop, &fleet, problem)
                                        : fleet_wake(world->fleet, world->loop, &fleet, problem);
    free(tokens);
    return err;
}

static enum err open_people(struct world *world, struct problem *problem)
{
    const struct world_options *options = &world->options;
    enum err err = wake_fleet(world, problem);
    if (err != ERR_OK) return err;
    struct customers_options customers = {.day = options->day,
                                          .api = world->asks,
                                          .territory_id = options->territory_id,
                                          .known_at_us = options->known_at_us,
                                          .emergencies = options->emergencies,
                                          .cancels = options->cancels,
                                          .cancel_permille = options->cancel_permille,
                                          .seed = options->seed};
    world->customers = customers_open(world->loop, &customers);
    return ERR_OK;
}

/* --- living ---------------------------------------------------------------------------------- */

static bool day_is_over(const struct world *world)
{
    struct fleet_count count = fleet_count(world->fleet);
    size_t at_home = count.doing[PERSON_GONE] + count.doing[PERSON_ABSENT];
    return at_home == fleet_size(world->fleet) && customers_count(world->customers).to_come == 0;
}

static bool drained(const struct world *world)
{
    struct fleet_count count = fleet_count(world->fleet);
    return count.unsent == 0 && count.live == fleet_size(world->fleet) &&
           api_waiting(world->asks) == 0;
}

static void on_tick(void *context)
{
    struct world *world = context;
    int64_t now_us = client_loop_now_us(world->loop);
    watch_join(world->watch, now_us);
    world->over = world->draining ? drained(world) : day_is_over(world);
    if (world->over)
        client_loop_stop(world->loop);
    else
        client_timer_set(world->loop, &world->tick, now_us + TICK_US);
}

static bool live(struct world *world, int64_t until_us)
{
    world->over = false;
    on_tick(world);
    client_loop_run(world->loop, until_us);
    client_timer_cancel(world->loop, &world->tick);
    return world->over;
}

bool world_live(struct world *world, int64_t until_us)
{
    world->draining = false;
    return live(world, until_us);
}

bool world_drain(struct world *world, int64_t patience_us)
{
    world->draining = true;
    fleet_end_day(world->fleet);
    return live(world, client_loop_now_us(world->loop) + patience_us);
}

void world_sleep(struct world *world, int64_t until_us)
{
    fleet_sleep(world->fleet);
    client_loop_run(world->loop, until_us);
}

static struct customers_count all_customers(const struct world *world)
{
    struct customers_count all = customers_count(world->customers);
    all.ordered += world->customers_before.ordered;
    all.cancelled += world->customers_before.cancelled;
    all.refused += world->customers_before.refused;
    return all;
}

enum err world_next_day(struct world *world, const struct day *day, const int64_t *absent_at_us,
                        struct problem *problem)
{
    if (api_waiting(world->asks) > 0)
        return problem_set(problem, ERR_IO, "customers",
                           "calls of the day before are not answered");
    world->customers_before = all_customers(world);
    customers_close(world->customers);
    world->customers = NULL;
    world->options.day = day;
    world->options.absent_at_us = absent_at_us;
    world->options.known_at_us = client_loop_now_us(world->loop);
    world->tally.service_day = day->service_day;
    enum err err = take_day_in(world, problem);
    if (err == ERR_OK) err = enrol(world, problem);
    if (err == ERR_OK) err = open_people(world, problem);
    return err;
}

/* --- what it came to ------------------------------------------------------------------------- */

static uint64_t digest_of(const struct world_sum *sum)
{
    struct digest digest = digest_start();
    digest_u64(&digest, sum->network.digest);
    digest_u64(&digest, sum->system.digest);
    digest_u64(&digest, sum->tally.log_seq);
    digest_u64(&digest, sum->tally.plan_version);
    digest_u64(&digest, (uint64_t)sum->tally.cost_s);
    digest_u64(&digest, sum->tally.done);
    digest_u64(&digest, sum->fleet.acknowledged);
    digest_u64(&digest, (uint64_t)sum->now_us);
    return digest.state;
}

enum err world_sum(struct world *world, struct world_sum *out, struct problem *problem)
{
    enum err err = read_tally(world, problem);
    if (err != ERR_OK) return err;
    watch_join(world->watch, INT64_MAX);
    *out = (struct world_sum){.fleet = fleet_count(world->fleet),
                              .customers = all_customers(world),
                              .imported = world->imported,
                              .tally = world->tally.count,
                              .network = link_counters(world->net),
                              .system = hub_counters(world->hub),
                              .totals = watch_totals(world->watch),
                              .begin_us = world->begin_us,
                              .now_us = client_loop_now_us(world->loop)};
    out->digest = digest_of(out);
    return ERR_OK;
}

/* --- the door -------------------------------------------------------------------------------- */

struct world_options world_options_default(const struct day *day, uint64_t seed)
{
    struct hub_options hub = hub_options_default();
    return (struct world_options){.day = day,
                                  .territory_id = "main",
                                  .seed = seed,
                                  .habits = &habits_default,
                                  .network = link_good,
                                  .costs = hub.costs,
                                  .planner = hub.planner,
                                  .before_us = 30 * US_PER_MINUTE};
}

static enum err open_all(struct world *world, struct problem *problem)
{
    enum err err = client_loop_open_virtual(&world->loop, world->begin_us);
    if (err == ERR_OK) err = scratch_make(world->scratch, problem);
    if (err != ERR_OK) return err;
    open_system(world);
    err = open_keys(world, problem);
    if (err == ERR_OK) err = take_day_in(world, problem);
    world->tally.api = world->asks;
    if (err == ERR_OK) err = read_tally(world, problem);
    if (err == ERR_OK) err = enrol(world, problem);
    if (err != ERR_OK) return err;
    world->feed = (struct feed){world->feeds, world->watch, world->tally.count.log_seq};
    feed_follow(&world->feed);
    return open_people(world, problem);
}

enum err world_open(struct world **out, const struct world_options *options,
                    struct problem *problem)
{
    struct world *world = calloc(1, sizeof *world);
    CHECK(world != NULL);
    seeded_begin(options->seed);
    world->options = *options;
    world->begin_us = options->day->start_us - options->before_us;
    if (options->known_at_us == 0) world->options.known_at_us = world->begin_us;
    world->travel_percent = PERCENT;
    world->tally = (struct tally){.territory_id = options->territory_id,
                                  .service_day = options->day->service_day};
    world->tick = (struct client_timer){.fire = on_tick, .context = world};
    world->watch = watch_open();
    enum err err = open_all(world, problem);
    if (err == ERR_OK)
        *out = world;
    else
        world_close(world);
    return err;
}

void world_close(struct world *world)
{
    if (world == NULL) return;
    customers_close(world->customers);
    fleet_close(world->fleet);
    api_close(world->asks);
    api_close(world->feeds);
    if (world->hub != NULL) hub_close(world->hub);
    link_close(world->net);
    client_loop_close(world->loop);
    watch_close(world->watch);
    scratch_remove(world->scratch);
    seeded_end();
    free(world->tokens);
    free(world);
}

struct client_loop *world_loop(struct world *world)
{
    return world->loop;
}

struct person *world_person(struct world *world, const char *technician_id)
{
    if (world->fleet == NULL) return NULL;
    size_t index = fleet_find(world->fleet, technician_id);
    return index == fleet_size(world->fleet) ? NULL : fleet_person(world->fleet, index);
}

void world_set_loss(struct world *world, const char *technician_id, uint32_t permille)
{
    char url[sizeof url_phones + 24];
    size_t index = fleet_find(world->fleet, technician_id);
    if (index == fleet_size(world->fleet)) return;
    snprintf(url, sizeof url, "%s%zu", url_phones, index);
    link_worsen(world->net, url, permille);
}

struct fleet *world_fleet(struct world *world)
{
    return world->fleet;
}

struct link_net *world_net(struct world *world)
{
    return world->net;
}

struct hub *world_hub(struct world *world)
{
    return world->hub;
}

void world_set_travel(struct world *world, int32_t percent)
{
    CHECK(percent > 0);
    world->travel_percent = percent;
}
