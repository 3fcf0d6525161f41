/* Real clients, a network that loses, doubles, delays and breaks, and the whole system behind it
 * whose parts are killed, in virtual time: technicians do what the plan gives them, and everything
 * they said and everybody ordered is in the log, once. */
#include "base/log.h"
#include "base/rng.h"
#include "gateway/client/api.h"
#include "gateway/client/client.h"
#include "pb/fact.pb-c.h"
#include "sim/draw.h"
#include "sim/scratch.h"
#include "sim/world/disk.h"
#include "sim/world/hub.h"
#include "sim/world/link.h"
#include "sim/world/seeded.h"
#include "tests/dispatcher/desk.h"

#include <stdlib.h>

enum { PHONES = 4, ORDERS = 16, SEEDS = 5 };
#define MORNING_US (DESK_DAY_US + 8 * HOUR_US)
#define EVENING_US (DESK_DAY_US + 15 * HOUR_US)

struct phone {
    struct world *world;
    char id[4], folder[SCRATCH_PATH + 16], url[32], token[64];
    struct client *client;
    struct client_timer deed;
    char doing[LIMIT_ID + 1]; /* the appointment; "": none */
    uint32_t said;            /* of its steps */
    uint64_t saved;
};

struct world {
    struct client_loop *loop;
    struct link_net *net;
    struct hub *hub;
    struct api *api;
    struct desk desk; /* its arena only: messages are made there */
    struct phone phones[PHONES];
    struct client_timer trouble, order;
    struct rng chance;
    char scratch[SCRATCH_PATH], key[72];
    uint32_t orders, ordered;
};

/* --- the wires --- */

static void on_request(void *context, struct sp_ticket from, const char *peer, const uint8_t *bytes,
                       size_t size)
{
    struct world *world = context;
    hub_request(world->hub, from, peer, bytes, size);
}

static void on_reply(void *context, struct sp_ticket to, const uint8_t *bytes, size_t size)
{
    struct world *world = context;
    link_reply(world->net, to, bytes, size);
}

static bool on_alive(void *context, struct sp_ticket ticket)
{
    const struct world *world = context;
    return link_alive(world->net, ticket);
}

static void on_gateway_down(void *context, int64_t until_us)
{
    struct world *world = context;
    link_server_down(world->net, until_us);
}

/* --- people --- */

static void soon(struct world *world, struct client_timer *timer, int64_t most_us)
{
    client_timer_set(world->loop, timer,
                     client_loop_now_us(world->loop) + draw_between(&world->chance, 1, most_us));
}

static void say(struct phone *phone, Callout__AppointmentStatus status)
{
    Callout__StatusReport report;
    Callout__Command command;
    uint64_t seq;
    callout__status_report__init(&report);
    callout__command__init(&command);
    report.appointment_id = phone->doing;
    report.status = status;
    command.body_case = CALLOUT__COMMAND__BODY_STATUS;
    command.status = &report;
    assert_int_equal(client_save(phone->client, &command, &seq, NULL), ERR_OK);
    assert_int_equal(seq, ++phone->saved);
}

/* Takes what his phone says is next; false: nothing. */
static bool choose(struct phone *phone)
{
    size_t count;
    const struct replica_visit *visits = client_appointments(phone->client, &count), *next = NULL;
    for (size_t i = 0; i < count; i++) {
        if (visits[i].status >= CALLOUT__APPOINTMENT_STATUS__EN_ROUTE) continue;
        if (next == NULL || visits[i].planned_start_us < next->planned_start_us) next = &visits[i];
    }
    if (next == NULL) return false;
    snprintf(phone->doing, sizeof phone->doing, "%s", next->appointment_id);
    phone->said = 0;
    return true;
}

static void on_deed(void *context)
{
    static const Callout__AppointmentStatus steps[] = {CALLOUT__APPOINTMENT_STATUS__EN_ROUTE,
                                                       CALLOUT__APPOINTMENT_STATUS__ON_SITE,
                                                       CALLOUT__APPOINTMENT_STATUS__COMPLETED};
    struct phone *phone = context;
    if (phone->doing[0] != '\0' || choose(phone)) {
        say(phone, steps[phone->said++]);
        if (phone->said == sizeof steps / sizeof steps[0]) phone->doing[0] = '\0';
    }
    soon(phone->world, &phone->deed, 12 * US_PER_MINUTE);
}

static void on_ordered(void *context, const struct api_answer *answer)
{
    struct world *world = context;
    assert_int_equal(answer->err, ERR_OK);
    world->ordered++;
}

static void on_order(void *context)
{
    struct world *world = context;
    char id[8], request_id[16];
    snprintf(id, sizeof id, "W%u", ++world->orders);
    snprintf(request_id, sizeof request_id, "order-%u", world->orders);
    api_ask(world->api, "UpsertWorkOrder", &desk_order(&world->desk, id)->base, request_id,
            on_ordered, world);
    if (world->orders < ORDERS) soon(world, &world->order, 10 * US_PER_MINUTE);
}

/* --- trouble --- */

static void on_trouble(void *context)
{
    struct world *world = context;
    uint32_t what = rng_below(&world->chance, 6);
    if (what < HUB_PARTS) hub_kill(world->hub, (enum hub_part)what);
    if (what == 3) hub_lose_power(world->hub);
    if (what == 4) disk_fail_commits(hub_disk(world->hub), 1 + rng_below(&world->chance, 3));
    if (what == 5)
        disk_cut_power_at(hub_disk(world->hub), 1 + rng_below(&world->chance, 40),
                          rng_below(&world->chance, 2) == 0);
    soon(world, &world->trouble, 10 * US_PER_MINUTE);
}

/* --- a day --- */

static void ask(struct world *world, const char *method, const ProtobufCMessage *body)
{
    const ProtobufCMessage *reply;
    struct problem problem;
    char id[16];
    snprintf(id, sizeof id, "setup-%u", ++world->desk.asked);
    if (api_call(world->api, method, body, id, 600000, &world->desk.arena, &reply, &problem) !=
        ERR_OK)
        fail_msg("%s: %s", method, problem.text);
}

static void phone_on(struct world *world, uint32_t index)
{
    struct phone *phone = &world->phones[index];
    const char *const who[] = {phone->id};
    snprintf(phone->folder, sizeof phone->folder, "%s/%u", world->scratch, index);
    snprintf(phone->url, sizeof phone->url, "sim://phone/%u", index);
    assert_int_equal(hub_admin(world->hub, "enrol", who, 1, phone->token, sizeof phone->token),
                     ERR_OK);
    struct client_options options = {.url = phone->url,
                                     .folder = phone->folder,
                                     .enrol_token = phone->token,
                                     .device_name = "a phone",
                                     .app_build = "test",
                                     .boot_id = "virtual",
                                     .volatile_outbox = true};
    assert_int_equal(client_open(&phone->client, world->loop, &options, NULL), ERR_OK);
    phone->deed = (struct client_timer){.fire = on_deed, .context = phone};
    soon(world, &phone->deed, 20 * US_PER_MINUTE);
}

static void wire_up(struct world *world, uint64_t seed, const struct link_conditions *conditions)
{
    struct hub_options hub = hub_options_default();
    hub.planner.rounds = 200;
    hub.planner.seed = hub.seed = seed;
    hub.context = world;
    hub.reply = on_reply;
    hub.alive = on_alive;
    hub.gateway_down = on_gateway_down;
    world->hub = hub_open(world->loop, &hub);
    struct link_options link = {
        .seed = seed, .conditions = *conditions, .server = {world, on_request}};
    world->net = link_open(world->loop, &link);
}

static void world_open(struct world *world, uint64_t seed, const struct link_conditions *conditions)
{
    const char *const key[] = {"crm", "admin"};
    *world = (struct world){.chance = {seed}};
    seeded_begin(seed);
    arena_open(&world->desk.arena, (size_t)64 << 20);
    assert_int_equal(client_loop_open_virtual(&world->loop, MORNING_US), ERR_OK);
    assert_int_equal(scratch_make(world->scratch, NULL), ERR_OK);
    wire_up(world, seed, conditions);
    assert_int_equal(hub_admin(world->hub, "key", key, 2, world->key, sizeof world->key), ERR_OK);
    struct api_options api = {.url = "sim://key/crm", .key = world->key, .app_build = "test"};
    assert_int_equal(api_open(&world->api, world->loop, &api, NULL), ERR_OK);
    ask(world, "UpsertTerritory", desk_territory(&world->desk, "UTC"));
    for (uint32_t i = 0; i < PHONES; i++) {
        world->phones[i] = (struct phone){.world = world};
        snprintf(world->phones[i].id, sizeof world->phones[i].id, "T%u", i + 1);
        ask(world, "UpsertTechnician", desk_technician(&world->desk, world->phones[i].id));
        phone_on(world, i);
    }
    world->order = (struct client_timer){.fire = on_order, .context = world};
    world->trouble = (struct client_timer){.fire = on_trouble, .context = world};
    soon(world, &world->order, US_PER_MINUTE);
}

static void world_close(struct world *world)
{
    for (uint32_t i = 0; i < PHONES; i++) {
        client_timer_cancel(world->loop, &world->phones[i].deed);
        client_close(world->phones[i].client);
    }
    client_timer_cancel(world->loop, &world->order);
    client_timer_cancel(world->loop, &world->trouble);
    api_close(world->api);
    link_close(world->net);
    hub_close(world->hub);
    client_loop_close(world->loop);
    arena_close(&world->desk.arena);
    scratch_remove(world->scratch);
    seeded_end();
}

/* The day, then half an hour without trouble and deeds, in which all queues must empty. */
static void world_live(struct world *world)
{
    client_loop_run(world->loop, EVENING_US);
    client_timer_cancel(world->loop, &world->trouble);
    for (uint32_t i = 0; i < PHONES; i++)
        client_timer_cancel(world->loop, &world->phones[i].deed);
    client_loop_run(world->loop, EVENING_US + HOUR_US / 2);
}

/* --- what must hold --- */

struct count {
    struct world *world;
    uint32_t orders[ORDERS + 1], plans;
    uint64_t seq[PHONES];
};

static bool count_fact(void *context, const void *visited)
{
    struct count *count = context;
    const struct row_fact *row = visited;
    const Callout__FactBody *body = (const Callout__FactBody *)desk_decode(
        &count->world->desk, &callout__fact_body__descriptor,
        (ProtobufCBinaryData){row->body.size, (uint8_t *)(uintptr_t)row->body.bytes});
    if (body->body_case == CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER)
        count->orders[strtoul(body->upsert_work_order->work_order->work_order_id + 1, NULL, 10)]++;
    count->plans += body->body_case == CALLOUT__FACT_BODY__BODY_PLAN;
    if (body->command == NULL) return true;
    uint64_t *seq = &count->seq[strtoul(body->actor->technician_id + 1, NULL, 10) - 1];
    assert_int_equal(body->command->seq, *seq + 1); /* no gap, nothing twice */
    *seq = body->command->seq;
    return true;
}

static uint64_t check_world(struct world *world)
{
    struct count count = {.world = world};
    uint64_t commands = 0;
    assert_true(hub_is_up(world->hub, HUB_DISPATCHER));
    assert_int_equal(
        store_each(hub_store(world->hub), ROW_FACT, NULL, 0, false, count_fact, &count), ERR_OK);
    assert_int_equal(world->ordered, ORDERS);
    for (uint32_t order = 1; order <= ORDERS; order++)
        assert_int_equal(count.orders[order], 1);
    for (uint32_t i = 0; i < PHONES; i++) {
        assert_int_equal(client_unsent(world->phones[i].client), 0);
        assert_int_equal(count.seq[i], world->phones[i].saved);
        commands += count.seq[i];
    }
    assert_true(count.plans > 0);
    return commands;
}

static void on_a_good_day_every_order_is_done(void **state)
{
    (void)state;
    static struct world world;
    world_open(&world, 1, &link_good);
    world_live(&world);
    assert_int_equal(check_world(&world), 3 * ORDERS);
    for (uint32_t order = 1; order <= ORDERS; order++) {
        char id[16];
        const char *owner;
        snprintf(id, sizeof id, "W%u.1", order);
        assert_int_equal(core_appointment(hub_core(world.hub), id, &owner), APPOINTMENT_COMPLETED);
    }
    world_close(&world);
}

static void in_all_trouble_nothing_is_lost_or_done_twice(void **state)
{
    (void)state;
    uint64_t kills = 0, cuts = 0, commands = 0, lost = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct world world;
        world_open(&world, seed, &link_rough);
        soon(&world, &world.trouble, US_PER_MINUTE);
        world_live(&world);
        commands += check_world(&world);
        struct hub_counters counters = hub_counters(world.hub);
        for (uint32_t part = 0; part < HUB_PARTS; part++)
            kills += counters.kills[part];
        cuts += disk_counters(hub_disk(world.hub))->cuts;
        lost += link_counters(world.net).lost;
        world_close(&world);
    }
    print_message("%d seeds: %llu commands, %llu kills, %llu power cuts in a write, %llu messages "
                  "lost\n",
                  SEEDS, (unsigned long long)commands, (unsigned long long)kills,
                  (unsigned long long)cuts, (unsigned long long)lost);
    assert_true(kills > 50 * SEEDS && cuts > 2 * SEEDS && lost > 5 * SEEDS);
    assert_true(commands > 2 * ORDERS * SEEDS);
}

static void live_once(uint64_t seed, uint64_t digests[3])
{
    static struct world world;
    world_open(&world, seed, &link_rough);
    soon(&world, &world.trouble, US_PER_MINUTE);
    world_live(&world);
    digests[0] = hub_counters(world.hub).digest;
    digests[1] = link_counters(world.net).digest;
    digests[2] = core_digest(hub_core(world.hub));
    world_close(&world);
}

static void the_same_seed_is_the_same_day(void **state)
{
    (void)state;
    uint64_t one[3], two[3], other[3];
    live_once(3, one);
    live_once(3, two);
    live_once(4, other);
    assert_memory_equal(one, two, sizeof one);
    assert_true(one[0] != other[0]);
}

static int quiet(void **state)
{
    (void)state;
    log_open("test_clients", LOG_SILENT);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_good_day_every_order_is_done),
        cmocka_unit_test(in_all_trouble_nothing_is_lost_or_done_twice),
        cmocka_unit_test(the_same_seed_is_the_same_day),
    };
    return cmocka_run_group_tests(tests, quiet, NULL);
}
