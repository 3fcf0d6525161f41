/* link.c - see link.h.
 *
 * A line is a slot of the table for ever; a phone that starts again gets its device's slots back,
 * with their chance and their lingering connections. A ticket is (slot, generation of the
 * connection, number of the request), so that whoever holds an old one can do no harm. What is
 * under way is a flight with a timer of its own; it names its line by slot and generation, never by
 * pointer.
 */
#include "sim/world/link.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "gateway/client/transport.h"
#include "sim/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 64, TRACE_BYTES = 160, HANDSHAKE_WAYS = 3 };

static const char scheme[] = "sim://";

/* All lines of one URL. */
struct device {
    char url[URL_BYTES];
    char peer[16];
    int64_t cut_until_us;
    uint32_t lost; /* permille more than everybody */
};

struct line {
    struct link_net *net;
    struct channel *channel; /* NULL: it is not open */
    uint32_t slot, device;
    struct rng chance;
    struct client_timer dial;   /* the end of a try to connect, or of the wait before one */
    struct client_timer resend; /* of the request that is out */
    int64_t resend_us;

    bool online, connected, dialling;
    uint32_t generation;       /* of the connection; grows with each one */
    int64_t lingering_till_us; /* of the generation before, or of this one once it ended */
    int64_t gone_since_us;     /* when the connection ended, or going online */

    bool out; /* a request waits for its reply */
    uint32_t request;
    uint8_t *bytes;
    size_t size, room;
};

struct flight {
    struct link_net *net;
    struct flight *next, *before;
    struct client_timer arrival;
    struct sp_ticket ticket;
    bool up;
    size_t size;
    uint8_t bytes[];
};

struct link_net {
    struct client_loop *loop;
    struct link_options options;
    struct link_conditions conditions;
    struct channel_transport transport;
    struct line **lines;
    size_t line_count, line_room;
    struct device *devices;
    size_t device_count, device_room;
    struct flight *flights;
    struct rng chance; /* of cuts */
    int64_t down_until_us;
    struct link_counters counters;
    struct digest digest;
};

const struct link_conditions link_good = {.latency_us = 40000,
                                          .latency_spread = 400,
                                          .kbit_per_s = 2000,
                                          .breaking = 1,
                                          .linger_us = 45 * US_PER_SECOND};
const struct link_conditions link_rough = {.latency_us = 300000,
                                           .latency_spread = 800,
                                           .kbit_per_s = 64,
                                           .lost = 50,
                                           .twice = 50,
                                           .late = 50,
                                           .breaking = 50,
                                           .late_us = 30 * US_PER_SECOND,
                                           .linger_us = 45 * US_PER_SECOND};

static void send_request(struct line *line);
static void dial(struct line *line);

/* --- what happens is written down ------------------------------------------------------------ */

static void note(struct link_net *net, const struct line *line, const char *what, uint64_t number,
                 uint64_t size)
{
    digest_u64(&net->digest, (uint64_t)client_loop_now_us(net->loop));
    digest_u64(&net->digest, ((uint64_t)line->slot << 32) | line->generation);
    digest_bytes(&net->digest, what, strlen(what));
    digest_u64(&net->digest, number);
    digest_u64(&net->digest, size);
    if (net->options.trace == NULL) return;
    char text[TRACE_BYTES];
    snprintf(text, sizeof text, "%lld %s %u.%u %s %llu, %llu bytes",
             (long long)client_loop_now_us(net->loop), net->devices[line->device].url, line->slot,
             line->generation, what, (unsigned long long)number, (unsigned long long)size);
    net->options.trace(net->options.trace_context, text);
}

/* --- messages under way ---------------------------------------------------------------------- */

static struct line *line_of(const struct link_net *net, struct sp_ticket ticket)
{
    if (ticket.slot >= net->line_count) return NULL;
    return net->lines[ticket.slot];
}

static bool whole(const struct line *line, struct sp_ticket ticket)
{
    return line->connected && line->generation == ticket.generation;
}

static void flight_end(struct link_net *net, struct flight *flight)
{
    if (flight->before != NULL)
        flight->before->next = flight->next;
    else
        net->flights = flight->next;
    if (flight->next != NULL) flight->next->before = flight->before;
    client_timer_cancel(net->loop, &flight->arrival);
    free(flight);
}

static void flights_clear(struct link_net *net)
{
    for (struct flight *flight = net->flights, *next; flight != NULL; flight = next) {
        next = flight->next;
        client_timer_cancel(net->loop, &flight->arrival);
        free(flight);
    }
    net->flights = NULL;
}

/* What was sent before the device's side ended may still come through, or not. */
static void arrive_up(const struct flight *flight, struct line *line)
{
    struct link_net *net = flight->net;
    if (!whole(line, flight->ticket) && !draw_happens(&line->chance, PERMILLE / 2)) {
        note(net, line, "ends with its connection: request", flight->ticket.request, flight->size);
        return;
    }
    net->counters.requests_arrived++;
    note(net, line, "request", flight->ticket.request, flight->size);
    digest_bytes(&net->digest, flight->bytes, flight->size);
    net->options.server.request(net->options.server.context, flight->ticket,
                                net->devices[line->device].peer, flight->bytes, flight->size);
}

static void arrive_down(const struct flight *flight, struct line *line)
{
    struct link_net *net = flight->net;
    bool wanted = whole(line, flight->ticket) && line->out && /* L1 */
                  line->request == flight->ticket.request;
    note(net, line, wanted ? "reply" : "nobody waits for reply", flight->ticket.request,
         flight->size);
    if (!wanted) return;
    net->counters.replies_arrived++;
    digest_bytes(&net->digest, flight->bytes, flight->size);
    line->out = false;
    client_timer_cancel(net->loop, &line->resend);
    channel_answer(line->channel, flight->bytes, flight->size);
}

static void on_arrival(void *context)
{
    struct flight *flight = context;
    struct line *line = line_of(flight->net, flight->ticket);
    if (line != NULL && flight->up)
        arrive_up(flight, line);
    else if (line != NULL)
        arrive_down(flight, line);
    flight_end(flight->net, flight);
}

static void launch(struct line *line, bool up, struct sp_ticket ticket, const uint8_t *bytes,
                   size_t size, int64_t longer_us)
{
    struct link_net *net = line->net;
    struct flight *flight = malloc(sizeof *flight + size);
    CHECK(flight != NULL);
    *flight =
        (struct flight){.net = net, .next = net->flights, .ticket = ticket, .up = up, .size = size};
    flight->arrival = (struct client_timer){.fire = on_arrival, .context = flight};
    memcpy(flight->bytes, bytes, size);
    if (net->flights != NULL) net->flights->before = flight;
    net->flights = flight;
    const struct link_conditions *is = &net->conditions;
    int64_t takes_us = draw_about(&line->chance, is->latency_us, is->latency_spread) + longer_us;
    if (is->kbit_per_s > 0) takes_us += (int64_t)size * 8000 / is->kbit_per_s;
    client_timer_set(net->loop, &flight->arrival, client_loop_now_us(net->loop) + takes_us);
}

static void end_connection(struct line *line, const char *why, bool both_sides);

/* One copy on its way, or what becomes of it. */
static void send_copy(struct line *line, bool up, struct sp_ticket ticket, const uint8_t *bytes,
                      size_t size)
{
    struct link_net *net = line->net;
    const struct link_conditions *is = &net->conditions;
    *(up ? &net->counters.bytes_up : &net->counters.bytes_down) += size;
    if (draw_happens(&line->chance, is->lost + net->devices[line->device].lost)) {
        net->counters.lost++;
        note(net, line, up ? "loses request" : "loses reply", ticket.request, size);
        return;
    }
    if (draw_happens(&line->chance, is->twice)) {
        net->counters.twice++;
        launch(line, up, ticket, bytes, size,
               draw_between(&line->chance, 0, is->late_us + US_PER_SECOND));
    }
    int64_t longer_us = 0;
    if (draw_happens(&line->chance, is->late)) {
        net->counters.late++;
        longer_us = draw_between(&line->chance, 0, is->late_us);
    }
    launch(line, up, ticket, bytes, size, longer_us);
    if (draw_happens(&line->chance, is->breaking) && whole(line, ticket))
        end_connection(line, "breaks", false);
}

/* --- connections ----------------------------------------------------------------------------- */

static bool reachable(const struct line *line)
{
    const struct link_net *net = line->net;
    int64_t now_us = client_loop_now_us(net->loop);
    return now_us >= net->down_until_us && now_us >= net->devices[line->device].cut_until_us;
}

static void end_connection(struct line *line, const char *why, bool both_sides)
{
    struct link_net *net = line->net;
    int64_t now_us = client_loop_now_us(net->loop);
    if (!line->connected) return;
    note(net, line, why, 0, 0);
    net->counters.breaks++;
    line->connected = false;
    line->gone_since_us = now_us;
    line->lingering_till_us =
        both_sides ? now_us
                   : now_us + draw_between(&line->chance, 0, net->conditions.linger_us + 1);
    client_timer_cancel(net->loop, &line->resend);
    if (line->online) dial(line);
}

static uint32_t wait_ms(const struct line *line)
{
    int64_t gone_us = client_loop_now_us(line->net->loop) - line->gone_since_us;
    size_t i = TRANSPORT_WAITS - 1;
    while (i > 0 && gone_us < transport_waits[i].gone_us)
        i--;
    return transport_waits[i].wait_ms;
}

/* A try: it takes the ways of a handshake, and only then it shows whether anybody is there. */
static void try_connect(struct line *line)
{
    struct link_net *net = line->net;
    int64_t takes_us = HANDSHAKE_WAYS * draw_about(&line->chance, net->conditions.latency_us,
                                                   net->conditions.latency_spread);
    line->dialling = true;
    client_timer_set(net->loop, &line->dial, client_loop_now_us(net->loop) + takes_us);
}

static void dial(struct line *line)
{
    int64_t wait_us = INT64_C(1000) * rng_below(&line->chance, wait_ms(line) + 1);
    line->dialling = false;
    client_timer_set(line->net->loop, &line->dial, client_loop_now_us(line->net->loop) + wait_us);
}

static void on_dial(void *context)
{
    struct line *line = context;
    if (!line->dialling) {
        try_connect(line);
        return;
    }
    line->dialling = false;
    if (!reachable(line)) {
        dial(line);
        return;
    }
    line->connected = true;
    line->generation++;
    line->net->counters.connects++;
    note(line->net, line, "connects", 0, 0);
    if (line->out) send_request(line);
}

/* --- requests and replies -------------------------------------------------------------------- */

static void send_request(struct line *line)
{
    struct link_net *net = line->net;
    struct sp_ticket ticket = {line->slot, line->generation, line->request};
    net->counters.requests++;
    client_timer_set(net->loop, &line->resend, client_loop_now_us(net->loop) + line->resend_us);
    send_copy(line, true, ticket, line->bytes, line->size);
}

static void on_resend(void *context)
{
    struct line *line = context;
    line->net->counters.resent++;
    send_request(line);
}

bool link_alive(const struct link_net *net, struct sp_ticket ticket)
{
    const struct line *line = line_of(net, ticket);
    if (line == NULL) return false;
    if (whole(line, ticket)) return true;
    uint32_t last_ended = line->connected ? line->generation - 1 : line->generation;
    return ticket.generation == last_ended &&
           client_loop_now_us(net->loop) < line->lingering_till_us; /* L2 */
}

void link_reply(struct link_net *net, struct sp_ticket to, const uint8_t *bytes, size_t size)
{
    struct line *line = line_of(net, to);
    net->counters.replies++;
    if (line != NULL && whole(line, to)) send_copy(line, false, to, bytes, size);
}

/* --- the transport --------------------------------------------------------------------------- */

/* An address of 10.0.0.0/8 per device, since the gateway limits by address. */
static uint32_t device_find(struct link_net *net, const char *url)
{
    for (size_t i = 0; i < net->device_count; i++)
        if (strcmp(net->devices[i].url, url) == 0) return (uint32_t)i;
    if (net->device_count == net->device_room) {
        net->device_room = net->device_room == 0 ? 64 : net->device_room * 2;
        net->devices = realloc(net->devices, net->device_room * sizeof *net->devices);
        CHECK(net->devices != NULL);
    }
    struct device *device = &net->devices[net->device_count];
    *device = (struct device){0};
    memcpy(device->url, url, strlen(url) + 1);
    unsigned number = (unsigned)net->device_count + 1;
    snprintf(device->peer, sizeof device->peer, "10.%u.%u.%u", (number >> 16) & 255,
             (number >> 8) & 255, number & 255);
    return (uint32_t)net->device_count++;
}

static struct line *line_new(struct link_net *net, uint32_t device, uint32_t number)
{
    if (net->line_count == net->line_room) {
        net->line_room = net->line_room == 0 ? 64 : net->line_room * 2;
        net->lines = realloc(net->lines, net->line_room * sizeof *net->lines);
        CHECK(net->lines != NULL);
    }
    struct line *line = calloc(1, sizeof *line);
    CHECK(line != NULL);
    struct digest own = {net->options.seed}; /* L4 */
    digest_bytes(&own, net->devices[device].url, strlen(net->devices[device].url));
    digest_u64(&own, number);
    line->net = net;
    line->device = device;
    line->slot = (uint32_t)net->line_count;
    line->chance = (struct rng){own.state};
    line->dial = (struct client_timer){.fire = on_dial, .context = line};
    line->resend = (struct client_timer){.fire = on_resend, .context = line};
    return net->lines[net->line_count++] = line;
}

/* The device's first line that is not open, or one more. */
static struct line *line_find(struct link_net *net, uint32_t device)
{
    uint32_t number = 0;
    for (size_t i = 0; i < net->line_count; i++) {
        if (net->lines[i]->device != device) continue;
        if (net->lines[i]->channel == NULL) return net->lines[i];
        number++;
    }
    return line_new(net, device, number);
}

static enum err line_open(void *network, struct channel *channel,
                          const struct channel_options *options, void **end,
                          struct problem *problem)
{
    struct link_net *net = network;
    if (strncmp(options->url, scheme, strlen(scheme)) != 0 || strlen(options->url) >= URL_BYTES)
        return problem_set(problem, ERR_INVALID, "url", "\"%.60s\" is not sim://KIND/NAME",
                           options->url);
    struct line *line = line_find(net, device_find(net, options->url));
    line->channel = channel;
    line->resend_us = options->resend_ms * INT64_C(1000);
    *end = line;
    return ERR_OK;
}

static void hang_up(struct line *line)
{
    line->online = false;
    client_timer_cancel(line->net->loop, &line->dial);
    end_connection(line, "goes offline", false);
}

static void line_close(void *end)
{
    struct line *line = end;
    hang_up(line);
    line->out = false;
    line->channel = NULL;
}

static enum err line_online(void *end, bool online, struct problem *problem)
{
    struct line *line = end;
    (void)problem;
    if (line->online == online) return ERR_OK;
    if (!online) {
        hang_up(line);
        return ERR_OK;
    }
    line->online = true;
    line->gone_since_us = client_loop_now_us(line->net->loop);
    try_connect(line);
    return ERR_OK;
}

static void line_ask(void *end, const void *bytes, size_t size)
{
    struct line *line = end;
    if (size > line->room) {
        line->room = size * 2;
        line->bytes = realloc(line->bytes, line->room);
        CHECK(line->bytes != NULL);
    }
    memcpy(line->bytes, bytes, size);
    line->size = size;
    line->out = true;
    line->request++;
    if (line->connected) send_request(line);
}

static bool line_connected(const void *end)
{
    const struct line *line = end;
    return line->connected;
}

/* --- the door -------------------------------------------------------------------------------- */

struct link_net *link_open(struct client_loop *loop, const struct link_options *options)
{
    struct link_net *net = calloc(1, sizeof *net);
    CHECK(net != NULL);
    net->loop = loop;
    net->options = *options;
    net->conditions = options->conditions;
    net->chance = (struct rng){options->seed ^ UINT64_C(0xc07)};
    net->digest = digest_start();
    net->transport = (struct channel_transport){.network = net,
                                                .open = line_open,
                                                .close = line_close,
                                                .online = line_online,
                                                .ask = line_ask,
                                                .connected = line_connected};
    client_loop_carry(loop, &net->transport);
    return net;
}

void link_close(struct link_net *net)
{
    if (net == NULL) return;
    flights_clear(net);
    for (size_t i = 0; i < net->line_count; i++) {
        CHECK(net->lines[i]->channel == NULL);
        free(net->lines[i]->bytes);
        free(net->lines[i]);
    }
    client_loop_carry(net->loop, NULL);
    free(net->lines);
    free(net->devices);
    free(net);
}

void link_set_conditions(struct link_net *net, const struct link_conditions *conditions)
{
    net->conditions = *conditions;
}

void link_worsen(struct link_net *net, const char *url, uint32_t lost)
{
    for (size_t i = 0; i < net->device_count; i++)
        if (strcmp(net->devices[i].url, url) == 0) net->devices[i].lost = lost;
}

static void end_connections(struct link_net *net, uint32_t device)
{
    for (size_t i = 0; i < net->line_count; i++)
        if (net->lines[i]->device == device) end_connection(net->lines[i], "is cut off", false);
}

void link_cut(struct link_net *net, const char *kind, uint32_t permille, int64_t until_us)
{
    for (size_t i = 0; i < net->device_count; i++) {
        struct device *device = &net->devices[i];
        if (strncmp(device->url + strlen(scheme), kind, strlen(kind)) != 0) continue;
        if (!draw_happens(&net->chance, permille)) continue;
        if (device->cut_until_us < until_us) device->cut_until_us = until_us;
        end_connections(net, (uint32_t)i);
    }
}

void link_server_down(struct link_net *net, int64_t until_us)
{
    if (net->down_until_us < until_us) net->down_until_us = until_us;
    flights_clear(net);
    for (size_t i = 0; i < net->line_count; i++)
        end_connection(net->lines[i], "loses the gateway", true);
}

struct link_counters link_counters(const struct link_net *net)
{
    struct link_counters counters = net->counters;
    counters.digest = net->digest.state;
    return counters;
}
