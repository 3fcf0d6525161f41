#include "sim/world/hub.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/log.h"
#include "dispatcher/batches.h"
#include "gateway/gateway.h"
#include "message.h"
#include "sim/world/disk.h"
#include "sim/world/inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    GATEWAY_TICK_US = 1000 * 1000, /* holds and patience end so much later at most; live it is a
                                      tenth */
    HELD_EVERY_US = 1000 * 1000,   /* holds end so much later at most; live it is a quarter */
    FREEZE_MARGIN_US = 500 * 1000, /* as dispatcher/service.c gives a wall clock */
    PEER_SIZE = 48,
    MEASURED_EVERY = 31,
};

const struct hub_costs hub_costs_default = {
    .ipc_us = 150,
    .batch_us = 2500,
    .request_us = 150,
    .repair_us = 1500,
    .rounds_1000_us = 20000,
    .pivots_1000_us = 30000,
    .answer_us = 50000,
    .restart_us = 500 * 1000,
};

/* A reply that the optimizer has not looked at yet. */
struct mail {
    struct mail *next;
    uint64_t cookie;
    enum err err;
    uint8_t *bytes;
    size_t size;
};

struct peer {
    uint32_t generation;
    char name[PEER_SIZE];
};

struct hub {
    struct client_loop *loop;
    struct hub_options options;
    struct inner *inner;
    struct client_timer restart[HUB_PARTS]; /* set while the part is down */
    bool up[HUB_PARTS];
    struct hub_counters counters;
    struct digest digest;
    /* The gateway: */
    struct gateway gateway;
    struct client_timer gateway_tick;
    struct peer *peers; /* by the ticket's slot */
    uint32_t peer_room;
    bool muted; /* it was killed: what it still says is not heard */
    /* The dispatcher: */
    struct disk *disk;
    struct store *store;
    struct engine *engine;
    struct batches *batches;
    struct client_timer batch, held, tick;
    uint64_t pieces;       /* of its work so far */
    bool measures;         /* the one in hand */
    int64_t batch_ends_us; /* until then it is busy, and what it says leaves then */
    /* The optimizer: */
    bool plan_held;
    struct planner *planner;
    struct client_timer plan;
    struct mail *mail, *mail_last;
    struct planner_counters planned; /* when its present piece of work began */
    uint64_t answers;                /* in that piece, of whoever stands in its place */
    int64_t plan_began_us, plan_ends_us;
};

static int64_t now_us(const struct hub *hub)
{
    return client_loop_now_us(hub->loop);
}

static int64_t port_now_us(void *context)
{
    return now_us(context);
}

static int64_t port_wall_us(void *context)
{
    const struct hub *hub = context;
    return client_loop_wall_us(hub->loop);
}

static int64_t cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void set_timer(struct hub *hub, struct client_timer *timer, int64_t at_us)
{
    client_timer_set(hub->loop, timer, at_us);
}

/* --- the gateway --- */

static enum err gateway_ask(void *context, uint64_t cookie, const void *bytes, size_t size,
                            uint32_t deadline_ms)
{
    struct hub *hub = context;
    inner_ask(hub->inner, HUB_GATEWAY, cookie, bytes, size, deadline_ms, now_us(hub));
    return ERR_OK;
}

static void gateway_reply(void *context, unsigned door, struct sp_ticket to, const void *bytes,
                          size_t size)
{
    struct hub *hub = context;
    (void)door;
    if (hub->muted) return;
    hub->counters.replies++;
    digest_u64(&hub->digest, (uint64_t)now_us(hub));
    digest_u64(&hub->digest, to.slot);
    digest_u64(&hub->digest, to.request);
    digest_bytes(&hub->digest, bytes, size);
    hub->options.reply(hub->options.context, to, bytes, size);
}

static bool gateway_alive(void *context, unsigned door, struct sp_ticket ticket)
{
    const struct hub *hub = context;
    (void)door;
    return hub->options.alive == NULL || hub->options.alive(hub->options.context, ticket);
}

static const char *gateway_peer(void *context, unsigned door, struct sp_ticket ticket)
{
    const struct hub *hub = context;
    (void)door;
    bool known =
        ticket.slot < hub->peer_room && hub->peers[ticket.slot].generation == ticket.generation;
    return known ? hub->peers[ticket.slot].name : "";
}

static void remember_peer(struct hub *hub, struct sp_ticket ticket, const char *name)
{
    while (ticket.slot >= hub->peer_room) {
        uint32_t room = hub->peer_room == 0 ? 64 : 2 * hub->peer_room;
        hub->peers = realloc(hub->peers, room * sizeof *hub->peers);
        CHECK(hub->peers != NULL);
        memset(hub->peers + hub->peer_room, 0, (room - hub->peer_room) * sizeof *hub->peers);
        hub->peer_room = room;
    }
    struct peer *peer = &hub->peers[ticket.slot];
    peer->generation = ticket.generation;
    snprintf(peer->name, sizeof peer->name, "%s", name);
}

static void on_gateway_tick(void *context)
{
    struct hub *hub = context;
    hold_tick(&hub->gateway);
    set_timer(hub, &hub->gateway_tick, now_us(hub) + GATEWAY_TICK_US);
}

static void gateway_start(struct hub *hub)
{
    const struct gateway_options options = {.lab = hub->options.lab};
    const struct gateway_ports ports = {.context = hub,
                                        .now_us = port_now_us,
                                        .ask = gateway_ask,
                                        .reply = gateway_reply,
                                        .alive = gateway_alive,
                                        .peer = gateway_peer};
    gateway_open(&hub->gateway, &options, &ports, hub->options.seed);
    on_gateway_tick(hub);
}

/* What waits in it is answered to nobody, which frees it. */
static void gateway_end(struct hub *hub)
{
    hub->muted = true;
    gateway_stop(&hub->gateway);
    gateway_close(&hub->gateway);
    hub->muted = false;
    inner_forget(hub->inner, HUB_GATEWAY);
    client_timer_cancel(hub->loop, &hub->gateway_tick);
}

void hub_request(struct hub *hub, struct sp_ticket from, const char *peer, const uint8_t *bytes,
                 size_t size)
{
    if (!hub->up[HUB_GATEWAY]) return;
    hub->counters.requests++;
    remember_peer(hub, from, peer);
    if (size > LIMIT_MESSAGE)
        edge_oversize(&hub->gateway, 0, from, size);
    else
        edge_request(&hub->gateway, 0, from, bytes, size);
}

/* --- the dispatcher --- */

static void dispatcher_reply(void *context, struct sp_ticket to, const void *bytes, size_t size)
{
    struct hub *hub = context;
    inner_reply(hub->inner, to, bytes, size, hub->batch_ends_us);
}

static bool dispatcher_alive(void *context, struct sp_ticket ticket)
{
    const struct hub *hub = context;
    return inner_alive(hub->inner, ticket);
}

static void schedule_tick(struct hub *hub)
{
    int64_t wait_us = batches_tick_wait_us(hub->batches, 1);
    client_timer_cancel(hub->loop, &hub->tick);
    if (wait_us == INT64_MAX) return;
    set_timer(hub, &hub->tick, later(now_us(hub) + wait_us, hub->batch_ends_us));
}

/* A piece of its work that ends so much later (H1). Asking for CPU time is a call of the kernel, so
 * one piece in so many is measured and stands for all. */
static void dispatcher_begins(struct hub *hub, int64_t takes_us)
{
    hub->batch_ends_us = later(now_us(hub), hub->batch_ends_us) + takes_us;
    hub->measures = ++hub->pieces % MEASURED_EVERY == 0;
    if (hub->measures) hub->counters.dispatcher_cpu_us -= MEASURED_EVERY * cpu_us();
}

/* False: the power failed in it, and everything is gone. */
static bool dispatcher_ends(struct hub *hub)
{
    if (hub->measures) hub->counters.dispatcher_cpu_us += MEASURED_EVERY * cpu_us();
    if (disk_has_power(hub->disk)) return true;
    hub_lose_power(hub);
    return false;
}

static void on_batch(void *context)
{
    struct hub *hub = context;
    uint32_t count = batches_waiting(hub->batches);
    hub->counters.batches++;
    if (count > hub->counters.largest) hub->counters.largest = count;
    dispatcher_begins(hub, hub->options.costs.batch_us + count * hub->options.costs.request_us);
    batches_run(hub->batches);
    if (dispatcher_ends(hub)) schedule_tick(hub);
}

static void on_held(void *context)
{
    struct hub *hub = context;
    set_timer(hub, &hub->held, now_us(hub) + HELD_EVERY_US);
    if (hub->batch_ends_us > now_us(hub)) return; /* they are asked again when it is done */
    dispatcher_begins(hub, hub->options.costs.request_us);
    batches_answer_held(hub->batches);
    (void)dispatcher_ends(hub);
}

static void on_tick(void *context)
{
    struct hub *hub = context;
    dispatcher_begins(hub, hub->options.costs.batch_us);
    batches_tick(hub->batches);
    if (dispatcher_ends(hub)) schedule_tick(hub);
}

static void on_asked(void *context, struct sp_ticket from, const uint8_t *bytes, size_t size)
{
    struct hub *hub = context;
    if (batches_waiting(hub->batches) == LIMIT_FACTS_PER_COMMIT) on_batch(hub);
    if (!hub->up[HUB_DISPATCHER]) return; /* it comes again */
    batches_put(hub->batches, from, bytes, size);
    if (batches_waiting(hub->batches) == 1)
        set_timer(hub, &hub->batch, later(now_us(hub), hub->batch_ends_us));
}

/* The disk has all that it needs; where that does not do, it is tried again like any restart. */
static bool dispatcher_start(struct hub *hub)
{
    const struct engine_options options = {.clock_rate = 1,
                                           .freeze_margin_us = FREEZE_MARGIN_US,
                                           .snapshot_every = hub->options.snapshot_every,
                                           .mono_us = port_now_us,
                                           .wall_us = port_wall_us,
                                           .clock_context = hub};
    const struct batches_ports ports = {.context = hub,
                                        .mono_us = port_now_us,
                                        .domain_us = port_now_us,
                                        .reply = dispatcher_reply,
                                        .alive = dispatcher_alive};
    struct problem problem;
    hub->store = disk_mount(hub->disk);
    if (engine_open(&hub->engine, hub->store, &options, &problem) != ERR_OK) {
        log_error("simulated dispatcher: %s", problem.text);
        store_close(hub->store);
        hub->engine = NULL;
        if (!disk_has_power(hub->disk)) disk_power_back(hub->disk);
        return false;
    }
    hub->batches = batches_open(hub->engine, &ports);
    hub->batch_ends_us = now_us(hub);
    inner_dispatcher_up(hub->inner);
    set_timer(hub, &hub->held, now_us(hub) + HELD_EVERY_US);
    schedule_tick(hub);
    return true;
}

static void dispatcher_end(struct hub *hub)
{
    batches_close(hub->batches);
    engine_abandon(hub->engine);
    store_close(hub->store);
    hub->engine = NULL;
    inner_dispatcher_down(hub->inner);
    client_timer_cancel(hub->loop, &hub->batch);
    client_timer_cancel(hub->loop, &hub->held);
    client_timer_cancel(hub->loop, &hub->tick);
}

/* --- the optimizer --- */

/* What it did since its present piece of work began costs so much. */
static int64_t plan_cost_us(const struct hub *hub)
{
    const struct planner_counters *now = planner_counters(hub->planner), *was = &hub->planned;
    const struct hub_costs *costs = &hub->options.costs;
    return (int64_t)(now->repairs - was->repairs) * costs->repair_us +
           (int64_t)(now->rounds - was->rounds) * costs->rounds_1000_us / 1000 +
           (int64_t)(now->pivots - was->pivots) * costs->pivots_1000_us / 1000 +
           (int64_t)hub->answers * costs->answer_us;
}

/* Its own time, which is ahead of the loop's by what it is doing. */
static int64_t plan_now_us(void *context)
{
    const struct hub *hub = context;
    return hub->plan_began_us + plan_cost_us(hub);
}

static bool plan_ask(void *context, uint64_t cookie, const void *bytes, size_t size,
                     uint32_t deadline_ms)
{
    struct hub *hub = context;
    inner_ask(hub->inner, HUB_OPTIMIZER, cookie, bytes, size, deadline_ms, plan_now_us(hub));
    return true;
}

/* What is to come while it works is not known yet: the master works to its counted end. */
static bool plan_news_waits(void *context)
{
    (void)context;
    return false;
}

static bool plan_solve(void *context, struct solver *solver)
{
    struct hub *hub = context;
    hub->answers++;
    return hub->options.solve(hub->options.context, solver);
}

static void plan_take_mail(struct hub *hub)
{
    struct mail *mail;
    while ((mail = hub->mail) != NULL) {
        hub->mail = mail->next;
        planner_answered(hub->planner, mail->cookie, mail->err, mail->bytes, mail->size);
        free(mail->bytes);
        free(mail);
    }
}

static struct planner_counters difference(const struct planner_counters *now,
                                          const struct planner_counters *was)
{
    return (struct planner_counters){
        .events = now->events - was->events,
        .repairs = now->repairs - was->repairs,
        .rounds = now->rounds - was->rounds,
        .recombinations = now->recombinations - was->recombinations,
        .pivots = now->pivots - was->pivots,
        .nodes = now->nodes - was->nodes,
        .candidates = now->candidates - was->candidates,
    };
}

static void plan_report(struct hub *hub, int64_t took_cpu_us)
{
    hub->counters.optimizer_cpu_us += took_cpu_us;
    struct hub_work work = {.done = difference(planner_counters(hub->planner), &hub->planned),
                            .virtual_us = plan_cost_us(hub),
                            .cpu_us = took_cpu_us};
    if (hub->options.worked != NULL && work.virtual_us > 0)
        hub->options.worked(hub->options.context, &work);
}

/* A search goes on when this much is done; else there is time until something comes. */
static void plan_schedule(struct hub *hub)
{
    int64_t next_us = planner_searching(hub->planner) || hub->mail != NULL
                          ? later(hub->plan_ends_us, now_us(hub) + 1)
                          : later(hub->plan_ends_us, planner_wake_us(hub->planner));
    client_timer_cancel(hub->loop, &hub->plan);
    if (next_us != INT64_MAX) set_timer(hub, &hub->plan, next_us);
}

/* The round of optimizer/service.c. */
static void on_plan(void *context)
{
    struct hub *hub = context;
    if (hub->plan_held) return; /* whoever lets it go sets the timer */
    int64_t cpu_before_us = cpu_us();
    hub->plan_began_us = now_us(hub);
    hub->planned = *planner_counters(hub->planner);
    hub->answers = 0;
    plan_take_mail(hub);
    planner_tick(hub->planner);
    if (planner_searching(hub->planner)) (void)planner_work(hub->planner);
    hub->plan_ends_us = plan_now_us(hub);
    plan_report(hub, cpu_us() - cpu_before_us);
    plan_schedule(hub);
}

static void plan_deliver(struct hub *hub, uint64_t cookie, enum err err, const uint8_t *bytes,
                         size_t size)
{
    struct mail *mail = malloc(sizeof *mail);
    CHECK(mail != NULL);
    *mail = (struct mail){.cookie = cookie, .err = err, .bytes = malloc(size + 1), .size = size};
    CHECK(mail->bytes != NULL);
    if (size > 0) memcpy(mail->bytes, bytes, size);
    if (hub->mail == NULL)
        hub->mail = mail;
    else
        hub->mail_last->next = mail;
    hub->mail_last = mail;
    set_timer(hub, &hub->plan, later(now_us(hub), hub->plan_ends_us));
}

static void plan_start(struct hub *hub)
{
    const struct planner_ports ports = {.context = hub,
                                        .ask = plan_ask,
                                        .now_us = plan_now_us,
                                        .solve = hub->options.solve == NULL ? NULL : plan_solve,
                                        .news_waits = plan_news_waits};
    hub->planner = planner_open(&hub->options.planner, &ports);
    hub->answers = 0;
    hub->plan_ends_us = now_us(hub);
    set_timer(hub, &hub->plan, now_us(hub));
}

void hub_hold_optimizer(struct hub *hub, bool held)
{
    hub->plan_held = held;
    if (!held && hub->planner != NULL) set_timer(hub, &hub->plan, now_us(hub));
}

static void plan_end(struct hub *hub)
{
    struct mail *mail;
    while ((mail = hub->mail) != NULL) {
        hub->mail = mail->next;
        free(mail->bytes);
        free(mail);
    }
    planner_close(hub->planner);
    hub->planner = NULL;
    inner_forget(hub->inner, HUB_OPTIMIZER);
    client_timer_cancel(hub->loop, &hub->plan);
}

/* --- between them --- */

static void on_answered(void *context, uint32_t asker, uint64_t cookie, enum err err,
                        const uint8_t *bytes, size_t size)
{
    struct hub *hub = context;
    if (asker == HUB_GATEWAY)
        upstream_answered(hub->gateway.upstream, cookie, err, bytes, size);
    else
        plan_deliver(hub, cookie, err, bytes, size);
}

/* --- kills --- */

static void start(struct hub *hub, enum hub_part part)
{
    bool started = true;
    if (part == HUB_GATEWAY) gateway_start(hub);
    if (part == HUB_DISPATCHER) started = dispatcher_start(hub);
    if (part == HUB_OPTIMIZER) plan_start(hub);
    hub->up[part] = started;
    if (!started) set_timer(hub, &hub->restart[part], now_us(hub) + hub->options.costs.restart_us);
}

static void restart_gateway(void *context)
{
    start(context, HUB_GATEWAY);
}

static void restart_dispatcher(void *context)
{
    start(context, HUB_DISPATCHER);
}

static void restart_optimizer(void *context)
{
    start(context, HUB_OPTIMIZER);
}

static void end(struct hub *hub, enum hub_part part)
{
    if (!hub->up[part]) return;
    hub->up[part] = false;
    if (part == HUB_GATEWAY) gateway_end(hub);
    if (part == HUB_DISPATCHER) dispatcher_end(hub);
    if (part == HUB_OPTIMIZER) plan_end(hub);
}

void hub_kill(struct hub *hub, enum hub_part part)
{
    if (!hub->up[part]) return;
    int64_t until_us = now_us(hub) + hub->options.costs.restart_us;
    end(hub, part);
    hub->counters.kills[part]++;
    set_timer(hub, &hub->restart[part], until_us);
    if (part == HUB_GATEWAY && hub->options.gateway_down != NULL)
        hub->options.gateway_down(hub->options.context, until_us);
}

void hub_lose_power(struct hub *hub)
{
    for (enum hub_part part = 0; part < HUB_PARTS; part++)
        hub_kill(hub, part);
    disk_power_back(hub->disk);
}

bool hub_bring_back(struct hub *hub, bool as_restored)
{
    hub_lose_power(hub);
    return disk_bring_back(hub->disk, as_restored);
}

/* --- administration --- */

static ProtobufCBinaryData pack_admin(const char *verb, const char *const *arguments, size_t count,
                                      struct arena *arena)
{
    Callout__Request request;
    Callout__AdminRequest admin;
    char method[] = "Admin";
    callout__request__init(&request);
    callout__admin_request__init(&admin);
    admin.verb = arena_text(arena, verb);
    admin.arguments = arena_need(arena, (count + 1) * sizeof *admin.arguments);
    for (size_t i = 0; i < count; i++)
        admin.arguments[admin.n_arguments++] = arena_text(arena, arguments[i]);
    request.proto_major = 1;
    request.method = method;
    request.body = message_encode(&admin.base, arena);
    return message_encode(&request.base, arena);
}

static enum err read_admin(ProtobufCBinaryData bytes, char *out, size_t room, struct arena *arena)
{
    ProtobufCMessage *message, *body;
    enum err err =
        message_decode(&callout__reply__descriptor, bytes.data, bytes.len, arena, &message, NULL);
    if (err != ERR_OK) return err;
    const Callout__Reply *reply = (const Callout__Reply *)message;
    if (reply->status != CALLOUT__STATUS__OK) return (enum err)reply->status;
    err = message_decode(&callout__admin_reply__descriptor, reply->body.data, reply->body.len,
                         arena, &body, NULL);
    if (err != ERR_OK) return err;
    const Callout__AdminReply *answer = (const Callout__AdminReply *)body;
    snprintf(out, room, "%s", answer->n_values > 0 ? answer->values[0] : "");
    return ERR_OK;
}

enum err hub_admin(struct hub *hub, const char *verb, const char *const *arguments, size_t count,
                   char *out, size_t room)
{
    struct arena arena;
    if (!hub->up[HUB_DISPATCHER]) return ERR_RETRY;
    arena_open(&arena, 1 << 20);
    ProtobufCBinaryData bytes = pack_admin(verb, arguments, count, &arena);
    struct engine_item item = {.bytes = bytes.data, .size = bytes.len};
    dispatcher_begins(hub, hub->options.costs.batch_us);
    (void)engine_batch(hub->engine, &item, 1, now_us(hub));
    enum err err = read_admin(item.reply, out, room, &arena);
    arena_close(&arena);
    return dispatcher_ends(hub) ? err : ERR_RETRY;
}

/* --- life --- */

struct hub_options hub_options_default(void)
{
    return (struct hub_options){
        .costs = hub_costs_default,
        .planner = {.rounds = PLANNER_ROUNDS, .seed = 1, .more_searches = PLANNER_MORE_SEARCHES},
        .seed = 1,
    };
}

static void timers_init(struct hub *hub)
{
    hub->gateway_tick = (struct client_timer){.fire = on_gateway_tick, .context = hub};
    hub->batch = (struct client_timer){.fire = on_batch, .context = hub};
    hub->held = (struct client_timer){.fire = on_held, .context = hub};
    hub->tick = (struct client_timer){.fire = on_tick, .context = hub};
    hub->plan = (struct client_timer){.fire = on_plan, .context = hub};
    void (*const restarts[HUB_PARTS])(void *) = {
        [HUB_GATEWAY] = restart_gateway,
        [HUB_DISPATCHER] = restart_dispatcher,
        [HUB_OPTIMIZER] = restart_optimizer,
    };
    for (enum hub_part part = 0; part < HUB_PARTS; part++)
        hub->restart[part] = (struct client_timer){.fire = restarts[part], .context = hub};
}

struct hub *hub_open(struct client_loop *loop, const struct hub_options *options)
{
    struct hub *hub = calloc(1, sizeof *hub);
    CHECK(hub != NULL);
    hub->loop = loop;
    hub->options = *options;
    hub->digest = digest_start();
    hub->disk = disk_open();
    timers_init(hub);
    const struct inner_options inner = {.loop = loop,
                                        .way_us = options->costs.ipc_us,
                                        .context = hub,
                                        .asked = on_asked,
                                        .answered = on_answered};
    hub->inner = inner_open(&inner);
    start(hub, HUB_DISPATCHER);
    start(hub, HUB_GATEWAY);
    start(hub, HUB_OPTIMIZER);
    return hub;
}

void hub_close(struct hub *hub)
{
    for (enum hub_part part = 0; part < HUB_PARTS; part++) {
        end(hub, part);
        client_timer_cancel(hub->loop, &hub->restart[part]);
    }
    inner_close(hub->inner);
    disk_close(hub->disk);
    planner_leave();
    free(hub->peers);
    free(hub);
}

/* --- to look at --- */

bool hub_is_up(const struct hub *hub, enum hub_part part)
{
    return hub->up[part];
}

struct disk *hub_disk(struct hub *hub)
{
    return hub->disk;
}

struct hub_counters hub_counters(const struct hub *hub)
{
    struct hub_counters counters = hub->counters;
    counters.questions = inner_questions(hub->inner);
    counters.resent = inner_resent(hub->inner);
    counters.digest = hub->digest.state;
    return counters;
}

struct store *hub_store(struct hub *hub)
{
    return hub->engine == NULL ? NULL : hub->store;
}

const struct core *hub_core(const struct hub *hub)
{
    return hub->engine == NULL ? NULL : engine_core(hub->engine);
}
