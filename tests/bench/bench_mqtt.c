/* bench_mqtt.c - the like of `callout load` for an MQTT 3.1.1 broker: how many messages of QoS 1 it
 * acknowledges in a second.
 *
 *   bench_mqtt HOST PORT CLIENTS SECONDS WINDOW BYTES
 *
 * Each client has a connection and a topic of its own and publishes messages of BYTES, each the
 * next WINDOW when the last WINDOW were acknowledged. Prints: acknowledged, seconds, p50, p95 and
 * p99 of a window's round trip in milliseconds. The protocol is written out here (OASIS
 * MQTT 3.1.1, 2.2 and 3.3): a library would be what is measured.
 */
#include "base/check.h"
#include "base/clock.h"
#include "sim/samples.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
    CLIENTS_MAX = 20000,
    WINDOW_MAX = 200,
    BYTES_MAX = 100, /* a remaining length of one byte */
    CONNACK_SIZE = 4,
    PUBACK_SIZE = 4,
    CONNECT = 0x10,
    CONNACK = 0x20,
    PUBLISH_QOS_1 = 0x32,
    PUBACK = 0x40,
    PACKET_MAX = 256,
};

struct client {
    struct bufferevent *stream;
    uint32_t number;
    bool connected;
    uint16_t packet_id;
    uint32_t unacknowledged;
    int64_t sent_us;
};

static struct {
    struct event_base *base;
    struct client clients[CLIENTS_MAX];
    uint32_t client_count, connected, window, bytes;
    int64_t from_us, to_us;
    uint64_t acknowledged;
    struct samples round_trip;
} run;

static int fail(const char *what)
{
    fprintf(stderr, "bench_mqtt: %s\n", what);
    exit(1);
}

static size_t put_text(uint8_t *out, const char *text)
{
    size_t size = strlen(text);
    out[0] = (uint8_t)(size >> 8);
    out[1] = (uint8_t)size;
    memcpy(out + 2, text, size);
    return 2 + size;
}

static void send_connect(struct client *client)
{
    static const uint8_t header[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2 /* clean session */, 0, 60};
    uint8_t packet[PACKET_MAX] = {CONNECT};
    char name[32];
    snprintf(name, sizeof name, "load-%05u", client->number);
    memcpy(packet + 2, header, sizeof header);
    size_t size = sizeof header + put_text(packet + 2 + sizeof header, name);
    packet[1] = (uint8_t)size;
    bufferevent_write(client->stream, packet, 2 + size);
}

static void publish_window(struct client *client)
{
    uint8_t packet[PACKET_MAX] = {PUBLISH_QOS_1};
    struct evbuffer *out = bufferevent_get_output(client->stream);
    char topic[16];
    snprintf(topic, sizeof topic, "l/%05u", client->number);
    size_t head = 2 + put_text(packet + 2, topic), size = head + 2 + run.bytes;
    packet[1] = (uint8_t)(size - 2);
    memset(packet + head + 2, 'x', run.bytes);
    for (uint32_t i = 0; i < run.window; i++) {
        if (++client->packet_id == 0) client->packet_id = 1;
        packet[head] = (uint8_t)(client->packet_id >> 8);
        packet[head + 1] = (uint8_t)client->packet_id;
        evbuffer_add(out, packet, size);
    }
    client->unacknowledged = run.window;
    client->sent_us = clock_mono_us();
}

static void begin_all(void)
{
    run.from_us = clock_mono_us();
    for (uint32_t i = 0; i < run.client_count; i++)
        publish_window(&run.clients[i]);
}

static void take_connack(struct client *client, const uint8_t bytes[CONNACK_SIZE])
{
    if (bytes[0] != CONNACK || bytes[3] != 0) fail("the broker refuses a connection");
    client->connected = true;
    if (++run.connected == run.client_count) begin_all();
}

static void take_puback(struct client *client, const uint8_t bytes[PUBACK_SIZE])
{
    if (bytes[0] != PUBACK) fail("the broker says something else than PUBACK");
    int64_t now_us = clock_mono_us();
    if (run.to_us == 0 || now_us < run.to_us) run.acknowledged++;
    if (--client->unacknowledged > 0) return;
    samples_add(&run.round_trip, now_us - client->sent_us);
    publish_window(client);
}

static void on_read(struct bufferevent *stream, void *context)
{
    struct client *client = context;
    struct evbuffer *in = bufferevent_get_input(stream);
    uint8_t bytes[PUBACK_SIZE];
    while (evbuffer_get_length(in) >= sizeof bytes) {
        evbuffer_remove(in, bytes, sizeof bytes);
        if (client->connected)
            take_puback(client, bytes);
        else
            take_connack(client, bytes);
    }
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    (void)context;
    if ((what & BEV_EVENT_CONNECTED) == 0) fail("the broker ended a connection");
}

static void open_client(struct client *client, const struct addrinfo *to)
{
    int fd = socket(to->ai_family, SOCK_STREAM, 0), on = 1;
    if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) != 0) fail("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    evutil_make_socket_nonblocking(fd);
    client->stream = bufferevent_socket_new(run.base, fd, BEV_OPT_CLOSE_ON_FREE);
    CHECK(client->stream != NULL);
    bufferevent_setcb(client->stream, on_read, NULL, on_event, client);
    bufferevent_enable(client->stream, EV_READ | EV_WRITE);
    send_connect(client);
}

/* The seconds count from when all are connected. */
static void on_second(evutil_socket_t fd, short what, void *context)
{
    const int64_t *span_us = context;
    (void)fd;
    (void)what;
    if (run.from_us == 0 || clock_mono_us() < run.from_us + *span_us) return;
    run.to_us = clock_mono_us();
    event_base_loopbreak(run.base);
}

static uint32_t number(const char *text, uint32_t max)
{
    unsigned long value = strtoul(text, NULL, 10);
    if (value < 1 || value > max) fail("usage: HOST PORT CLIENTS SECONDS WINDOW BYTES");
    return (uint32_t)value;
}

int main(int argc, char **argv)
{
    const struct timeval tick = {.tv_usec = 20000};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    struct rlimit limit;
    if (argc != 7) fail("usage: HOST PORT CLIENTS SECONDS WINDOW BYTES");
    if (getaddrinfo(argv[1], argv[2], &hints, &list) != 0) fail("there is no such address");
    run.client_count = number(argv[3], CLIENTS_MAX);
    int64_t span_us = number(argv[4], 3600) * US_PER_SECOND;
    run.window = number(argv[5], WINDOW_MAX);
    run.bytes = number(argv[6], BYTES_MAX);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    run.base = event_base_new();
    CHECK(run.base != NULL);
    for (uint32_t i = 0; i < run.client_count; i++) {
        run.clients[i].number = i;
        open_client(&run.clients[i], list);
    }
    freeaddrinfo(list);
    struct event *ticker = event_new(run.base, -1, EV_PERSIST, on_second, &span_us);
    event_add(ticker, &tick);
    event_base_dispatch(run.base);
    printf("%llu %.3f %.3f %.3f %.3f\n", (unsigned long long)run.acknowledged,
           (double)(run.to_us - run.from_us) / 1e6, samples_percentile_ms(&run.round_trip, 50),
           samples_percentile_ms(&run.round_trip, 95), samples_percentile_ms(&run.round_trip, 99));
    return 0;
}
