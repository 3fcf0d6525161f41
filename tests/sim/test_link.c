/* Phones and a key against a gateway over a network that loses, doubles, delays and breaks, in
 * virtual time. What must hold for every seed: each saved command and each order of the key has its
 * effect exactly once, in order and unchanged; nothing saved is lost, though phones die; and the
 * same seed gives the same trace. */
#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/rng.h"
#include "gateway/client/api.h"
#include "gateway/client/client.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/wire.pb-c.h"
#include "sim/draw.h"
#include "sim/scratch.h"
#include "sim/world/link.h"
#include "sim/world/seeded.h"
#include "tests/short.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PHONES = 5, COMMANDS = 80, ORDERS = 60, SEEDS = 150, VISITS = 3, HOURS = 4 };

static const int64_t morning_us = INT64_C(1795420800) * US_PER_SECOND; /* 2026-11-23T08:00:00Z */
static const int64_t hour_us = 60 * US_PER_MINUTE;

/* --- the gateway: what a device may rely on, and no more ----------------------------------- */

struct known {
    uint64_t last_seq, version; /* of its commands; of its appointments */
    uint32_t applied[COMMANDS + 1];
    uint32_t session; /* 0: none */
    bool holding;
    struct sp_ticket held;
    uint64_t held_version;
};

struct gateway {
    struct client_loop *loop;
    struct link_net *net;
    struct rng chance;
    struct known devices[PHONES];
    uint32_t sessions;
    uint32_t ordered[ORDERS];
    uint64_t duplicates, refusals;
};

static void answer(struct gateway *gateway, struct sp_ticket ticket, Callout__Status status,
                   const ProtobufCMessage *body)
{
    struct arena arena;
    arena_open(&arena, 4 << 20);
    Callout__Reply reply;
    callout__reply__init(&reply);
    reply.status = status;
    reply.server_time_us = client_loop_now_us(gateway->loop);
    reply.clock_rate = 1;
    if (body != NULL) reply.body = message_encode(body, &arena);
    ProtobufCBinaryData packed = message_encode(&reply.base, &arena);
    link_reply(gateway->net, ticket, packed.data, packed.len);
    arena_close(&arena);
}

/* Appointment i of a device: its start tells the version. */
static void fill(Callout__FieldAppointment *field, Callout__Appointment *appointment, char id[8],
                 int i, uint64_t version)
{
    callout__field_appointment__init(field);
    callout__appointment__init(appointment);
    snprintf(id, 8, "A%d", i);
    appointment->appointment_id = id;
    appointment->status = CALLOUT__APPOINTMENT_STATUS__SCHEDULED;
    appointment->planned_start_us = (int64_t)version * US_PER_MINUTE;
    field->appointment = appointment;
}

static void answer_pull(struct gateway *gateway, struct known *known, struct sp_ticket ticket)
{
    Callout__PullReply reply;
    callout__pull_reply__init(&reply);
    Callout__FieldAppointment fields[VISITS], *list[VISITS];
    Callout__Appointment appointments[VISITS];
    char ids[VISITS][8];
    for (int i = 0; i < VISITS; i++) {
        fill(&fields[i], &appointments[i], ids[i], i, known->version);
        list[i] = &fields[i];
    }
    reply.n_appointments = VISITS;
    reply.appointments = list;
    reply.cursor = (ProtobufCBinaryData){sizeof known->version, (uint8_t *)&known->version};
    answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
}

static void handle_pull(struct gateway *gateway, struct known *known, struct sp_ticket ticket,
                        const Callout__PullRequest *request)
{
    uint64_t since = 0;
    if (request->cursor.len == sizeof since) memcpy(&since, request->cursor.data, sizeof since);
    if (since < known->version) {
        answer_pull(gateway, known, ticket);
        return;
    }
    if (known->holding) answer(gateway, known->held, CALLOUT__STATUS__SUPERSEDED, NULL);
    known->held = ticket;
    known->held_version = since;
    known->holding = true;
}

static void handle_snapshot(struct gateway *gateway, const struct known *known,
                            struct sp_ticket ticket)
{
    Callout__SnapshotReply reply;
    callout__snapshot_reply__init(&reply);
    uint64_t version = known->version;
    reply.cursor = (ProtobufCBinaryData){sizeof version, (uint8_t *)&version};
    answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
}

/* What command `seq` of a device says: a doubled or exchanged one would say something else. */
static uint32_t content(size_t device, uint64_t seq)
{
    return (uint32_t)(device * 1000 + seq);
}

static void handle_push(struct gateway *gateway, struct known *known, struct sp_ticket ticket,
                        const Callout__PushRequest *request)
{
    Callout__CommandResult results[LIMIT_BATCH_COMMANDS], *list[LIMIT_BATCH_COMMANDS];
    Callout__PushReply reply;
    callout__push_reply__init(&reply);
    Callout__Status status = CALLOUT__STATUS__OK;
    size_t device = (size_t)(known - gateway->devices);
    for (size_t i = 0; i < request->n_commands; i++) {
        uint64_t seq = request->commands[i]->seq;
        assert_true(seq >= 1 && seq <= COMMANDS);
        if (seq > known->last_seq + 1) {
            status = CALLOUT__STATUS__GAP;
            break;
        }
        callout__command_result__init(&results[i]);
        results[i].seq = seq;
        results[i].outcome = CALLOUT__OUTCOME__APPLIED;
        results[i].duplicate = seq <= known->last_seq;
        gateway->duplicates += seq <= known->last_seq;
        assert_int_equal(request->commands[i]->heartbeat->battery_percent, content(device, seq));
        if (seq == known->last_seq + 1) {
            known->applied[seq]++;
            known->last_seq = seq;
        }
        list[reply.n_results++] = &results[i];
    }
    reply.results = list;
    reply.last_seq = known->last_seq;
    answer(gateway, ticket, status, &reply.base);
}

static void handle_enroll(struct gateway *gateway, struct sp_ticket ticket,
                          const Callout__EnrollRequest *request)
{
    assert_memory_equal(request->enrol_token, "TOKEN-", 6);
    char device[] = "D0", technician[] = "T0", server_name[] = "here";
    device[1] = technician[1] = request->enrol_token[6];
    Callout__EnrollReply reply;
    callout__enroll_reply__init(&reply);
    reply.device_id = device;
    reply.technician_id = technician;
    reply.epoch = 1;
    reply.server_name = server_name;
    answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
}

static void handle_hello(struct gateway *gateway, struct sp_ticket ticket,
                         const Callout__HelloRequest *request)
{
    size_t index = (size_t)(request->device_id[1] - '0');
    CHECK(index < PHONES);
    struct known *known = &gateway->devices[index];
    Callout__HelloReply reply;
    callout__hello_reply__init(&reply);
    if (request->nonce.len == 0) {
        uint8_t nonce[1] = {1};
        reply.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
        answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
        return;
    }
    known->session = ++gateway->sessions;
    uint32_t token[8] = {(uint32_t)index, known->session};
    reply.session_token = (ProtobufCBinaryData){sizeof token, (uint8_t *)token};
    reply.last_seq = known->last_seq;
    answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
}

/* The key's request ids are its orders: "order-N"; each may have its effect once. */
static void handle_order(struct gateway *gateway, struct sp_ticket ticket,
                         const Callout__Request *request)
{
    unsigned long order = strtoul(request->request_id + strlen("order-"), NULL, 10);
    CHECK(order < ORDERS);
    if (gateway->ordered[order] == 0) gateway->ordered[order]++;
    Callout__MutationReply reply;
    callout__mutation_reply__init(&reply);
    reply.log_seq = order;
    answer(gateway, ticket, CALLOUT__STATUS__OK, &reply.base);
}

static struct known *known_of(struct gateway *gateway, ProtobufCBinaryData token)
{
    uint32_t words[8];
    if (token.len != sizeof words) return NULL;
    memcpy(words, token.data, sizeof words);
    CHECK(words[0] < PHONES);
    struct known *known = &gateway->devices[words[0]];
    return known->session == words[1] ? known : NULL;
}

static void dispatch(struct gateway *gateway, struct sp_ticket ticket,
                     const Callout__Request *request, const ProtobufCMessage *body)
{
    struct known *known = known_of(gateway, request->session_token);
    if (strcmp(request->method, "Enroll") == 0)
        handle_enroll(gateway, ticket, (const Callout__EnrollRequest *)body);
    else if (strcmp(request->method, "Hello") == 0)
        handle_hello(gateway, ticket, (const Callout__HelloRequest *)body);
    else if (strcmp(request->method, "CancelWorkOrder") == 0)
        handle_order(gateway, ticket, request);
    else if (known == NULL)
        answer(gateway, ticket, CALLOUT__STATUS__UNAUTH, NULL);
    else if (strcmp(request->method, "Push") == 0)
        handle_push(gateway, known, ticket, (const Callout__PushRequest *)body);
    else if (strcmp(request->method, "Snapshot") == 0)
        handle_snapshot(gateway, known, ticket);
    else
        handle_pull(gateway, known, ticket, (const Callout__PullRequest *)body);
}

/* Some requests are refused for now, before or after they had their effect. */
static void on_request(void *context, struct sp_ticket ticket, const char *peer,
                       const uint8_t *bytes, size_t size)
{
    struct gateway *gateway = context;
    struct arena arena;
    arena_open(&arena, 4 << 20);
    ProtobufCMessage *message, *body;
    struct method method;
    assert_memory_equal(peer, "10.0.0.", 7);
    assert_int_equal(
        message_decode(&callout__request__descriptor, bytes, size, &arena, &message, NULL), ERR_OK);
    const Callout__Request *request = (const Callout__Request *)message;
    assert_true(method_find(request->method, &method));
    assert_int_equal(message_decode(method.method->input, request->body.data, request->body.len,
                                    &arena, &body, NULL),
                     ERR_OK);
    if (draw_happens(&gateway->chance, 30)) {
        gateway->refusals++;
        answer(gateway, ticket, CALLOUT__STATUS__RETRY, NULL);
    } else
        dispatch(gateway, ticket, request, body);
    arena_close(&arena);
}

/* --- a day ------------------------------------------------------------------------------------ */

struct phone {
    struct day *day;
    size_t index;
    char folder[SCRATCH_PATH + 16], url[32], token[16];
    struct client *client; /* NULL: it is off */
    struct client_timer deed;
    uint64_t saved; /* in its whole life */
    bool online;
};

struct day {
    struct client_loop *loop;
    struct gateway gateway;
    struct phone phones[PHONES];
    struct api *api;
    struct client_timer news, trouble, order;
    struct rng chance;
    struct link_conditions conditions;
    char scratch[SCRATCH_PATH];
    size_t orders, answers;
    uint64_t answered[ORDERS];
    char *trace;
    size_t trace_size, trace_room;
};

static void soon(struct day *day, struct client_timer *timer, int64_t most_us)
{
    client_timer_set(day->loop, timer,
                     client_loop_now_us(day->loop) + draw_between(&day->chance, 0, most_us));
}

static void phone_on(struct phone *phone)
{
    struct client_options options = {.url = phone->url,
                                     .folder = phone->folder,
                                     .enrol_token = phone->token,
                                     .device_name = "a phone",
                                     .app_build = "test",
                                     .boot_id = "virtual",
                                     .volatile_outbox = true};
    assert_int_equal(client_open(&phone->client, phone->day->loop, &options, NULL), ERR_OK);
    phone->online = true;
}

static void phone_says(struct phone *phone)
{
    Callout__Heartbeat body;
    callout__heartbeat__init(&body);
    body.battery_percent = content(phone->index, phone->saved + 1);
    Callout__Command command;
    callout__command__init(&command);
    command.body_case = CALLOUT__COMMAND__BODY_HEARTBEAT;
    command.heartbeat = &body;
    uint64_t seq;
    assert_int_equal(client_save(phone->client, &command, &seq, NULL), ERR_OK);
    assert_int_equal(seq, ++phone->saved);
}

/* A phone says something, loses or finds its signal, or dies right after it said something. */
static void on_deed(void *context)
{
    struct phone *phone = context;
    struct day *day = phone->day;
    if (phone->client == NULL)
        phone_on(phone);
    else if (draw_happens(&day->chance, 100)) {
        phone->online = !phone->online;
        assert_int_equal(client_set_online(phone->client, phone->online, NULL), ERR_OK);
    } else {
        phone_says(phone);
        if (draw_happens(&day->chance, 60)) {
            client_close(phone->client);
            phone->client = NULL;
        }
    }
    if (phone->saved < COMMANDS) soon(day, &phone->deed, 2 * HOURS * hour_us / COMMANDS);
}

static void on_order_answer(void *context, const struct api_answer *reply)
{
    struct day *day = context;
    assert_int_equal(reply->err, ERR_OK);
    uint64_t order = ((const Callout__MutationReply *)reply->message)->log_seq;
    assert_int_equal(order, day->answers); /* in the order they were asked */
    day->answered[order]++;
    day->answers++;
}

static void on_order(void *context)
{
    struct day *day = context;
    char request_id[32], id[] = "W1", reason[] = "gone";
    snprintf(request_id, sizeof request_id, "order-%zu", day->orders++);
    Callout__CancelWorkOrderRequest request;
    callout__cancel_work_order_request__init(&request);
    request.work_order_id = id;
    request.reason = reason;
    api_ask(day->api, "CancelWorkOrder", &request.base, request_id, on_order_answer, day);
    if (day->orders < ORDERS) soon(day, &day->order, 2 * HOURS * hour_us / ORDERS);
}

/* The appointments change; held polls whose connection is alive are answered. */
static void on_news(void *context)
{
    struct day *day = context;
    struct gateway *gateway = &day->gateway;
    struct known *known = &gateway->devices[rng_below(&day->chance, PHONES)];
    known->version++;
    if (known->holding && link_alive(gateway->net, known->held)) {
        known->holding = false;
        answer_pull(gateway, known, known->held);
    }
    soon(day, &day->news, 4 * US_PER_MINUTE);
}

/* Half the phones lose the network, or the gateway is started anew and knows no session. */
static void on_trouble(void *context)
{
    struct day *day = context;
    int64_t until_us =
        client_loop_now_us(day->loop) + draw_between(&day->chance, 0, 10 * US_PER_MINUTE);
    if (draw_happens(&day->chance, 500))
        link_cut(day->gateway.net, "phone/", 500, until_us);
    else {
        link_server_down(day->gateway.net, until_us);
        for (size_t i = 0; i < PHONES; i++) {
            day->gateway.devices[i].session = 0;
            day->gateway.devices[i].holding = false;
        }
    }
    soon(day, &day->trouble, hour_us);
}

static void on_trace(void *context, const char *line)
{
    struct day *day = context;
    size_t size = strlen(line);
    if (day->trace_size + size + 2 > day->trace_room) {
        day->trace_room = (day->trace_room + size) * 2 + 4096;
        day->trace = realloc(day->trace, day->trace_room);
        CHECK(day->trace != NULL);
    }
    memcpy(day->trace + day->trace_size, line, size);
    memcpy(day->trace + day->trace_size + size, "\n", 2);
    day->trace_size += size + 1;
}

static void day_open(struct day *day, uint64_t seed, const struct link_conditions *conditions)
{
    *day = (struct day){.chance = {seed}, .conditions = *conditions};
    seeded_begin(seed);
    assert_int_equal(client_loop_open_virtual(&day->loop, morning_us), ERR_OK);
    assert_int_equal(scratch_make(day->scratch, NULL), ERR_OK);
    struct gateway *gateway = &day->gateway;
    *gateway = (struct gateway){.loop = day->loop, .chance = {seed + 1}};
    struct link_options options = {.seed = seed,
                                   .conditions = *conditions,
                                   .server = {gateway, on_request},
                                   .trace = on_trace,
                                   .trace_context = day};
    gateway->net = link_open(day->loop, &options);
    for (size_t i = 0; i < PHONES; i++) {
        struct phone *phone = &day->phones[i];
        *phone = (struct phone){.day = day, .index = i};
        gateway->devices[i].version = 1;
        snprintf(phone->folder, sizeof phone->folder, "%s/%zu", day->scratch, i);
        snprintf(phone->url, sizeof phone->url, "sim://phone/%zu", i);
        snprintf(phone->token, sizeof phone->token, "TOKEN-%zu", i);
        phone->deed = (struct client_timer){.fire = on_deed, .context = phone};
        phone_on(phone);
        soon(day, &phone->deed, US_PER_MINUTE);
    }
    struct api_options api = {.url = "sim://key/orders", .key = "a key", .app_build = "test"};
    assert_int_equal(api_open(&day->api, day->loop, &api, NULL), ERR_OK);
    day->news = (struct client_timer){.fire = on_news, .context = day};
    day->trouble = (struct client_timer){.fire = on_trouble, .context = day};
    day->order = (struct client_timer){.fire = on_order, .context = day};
    soon(day, &day->news, US_PER_MINUTE);
    soon(day, &day->order, US_PER_MINUTE);
}

static void day_close(struct day *day)
{
    for (size_t i = 0; i < PHONES; i++) {
        client_timer_cancel(day->loop, &day->phones[i].deed);
        client_close(day->phones[i].client);
    }
    client_timer_cancel(day->loop, &day->news);
    client_timer_cancel(day->loop, &day->trouble);
    client_timer_cancel(day->loop, &day->order);
    api_close(day->api);
    link_close(day->gateway.net);
    client_loop_close(day->loop);
    scratch_remove(day->scratch);
    seeded_end();
    free(day->trace);
}

/* The hours of the day, then what the queues need: the network stays as it is, but nobody makes
 * trouble any more and every phone is on. */
static void day_live(struct day *day)
{
    soon(day, &day->trouble, hour_us);
    client_loop_run(day->loop, morning_us + 3 * HOURS * hour_us);
    client_timer_cancel(day->loop, &day->trouble);
    client_timer_cancel(day->loop, &day->news);
    for (size_t i = 0; i < PHONES; i++) {
        assert_int_equal(day->phones[i].saved, COMMANDS);
        if (day->phones[i].client == NULL) phone_on(&day->phones[i]);
        assert_int_equal(client_set_online(day->phones[i].client, true, NULL), ERR_OK);
    }
    client_loop_run(day->loop, client_loop_now_us(day->loop) + hour_us);
}

/* --- what must hold --------------------------------------------------------------------------- */

static void check_phone(const struct day *day, size_t i)
{
    const struct known *known = &day->gateway.devices[i];
    struct client *client = day->phones[i].client;
    assert_int_equal(client_state(client), CLIENT_LIVE);
    assert_int_equal(client_unsent(client), 0);
    assert_int_equal(known->last_seq, COMMANDS);
    for (uint64_t seq = 1; seq <= COMMANDS; seq++)
        assert_int_equal(known->applied[seq], 1);
    size_t count;
    const struct replica_visit *visits = client_appointments(client, &count);
    if (known->version == 1) return;
    assert_int_equal(count, VISITS);
    for (size_t k = 0; k < count; k++)
        assert_int_equal(visits[k].planned_start_us, (int64_t)known->version * US_PER_MINUTE);
}

static void check_day(const struct day *day)
{
    for (size_t i = 0; i < PHONES; i++)
        check_phone(day, i);
    assert_int_equal(day->answers, ORDERS);
    for (size_t i = 0; i < ORDERS; i++) {
        assert_int_equal(day->gateway.ordered[i], 1);
        assert_int_equal(day->answered[i], 1);
    }
}

static void every_saved_command_has_its_effect_exactly_once(void **state)
{
    (void)state;
    struct link_counters sum = {0};
    uint64_t duplicates = 0, seeds = short_form() ? SEEDS / 5 : SEEDS;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        static struct day day;
        day_open(&day, seed, &link_rough);
        day_live(&day);
        struct link_counters counters = link_counters(day.gateway.net);
        check_day(&day);
        sum.lost += counters.lost;
        sum.twice += counters.twice;
        sum.late += counters.late;
        sum.breaks += counters.breaks;
        sum.resent += counters.resent;
        duplicates += day.gateway.duplicates;
        day_close(&day);
    }
    print_message("%llu seeds: %llu messages lost, %llu twice, %llu late, %llu connections broken, "
                  "%llu requests sent again, %llu commands came twice\n",
                  (unsigned long long)seeds, (unsigned long long)sum.lost,
                  (unsigned long long)sum.twice, (unsigned long long)sum.late,
                  (unsigned long long)sum.breaks, (unsigned long long)sum.resent,
                  (unsigned long long)duplicates);
    /* A network that does no harm would prove nothing. */
    assert_true(sum.lost > seeds && sum.twice > seeds && sum.late > seeds && sum.breaks > seeds);
    assert_true(sum.resent > seeds && duplicates > seeds);
}

static void a_good_network_needs_nothing_twice(void **state)
{
    (void)state;
    static struct day day;
    struct link_conditions calm = link_good;
    calm.breaking = 0;
    day_open(&day, 3, &calm);
    client_timer_cancel(day.loop, &day.trouble);
    client_loop_run(day.loop, morning_us + 3 * HOURS * hour_us);
    struct link_counters counters = link_counters(day.gateway.net);
    assert_int_equal(counters.lost + counters.twice + counters.late, 0);
    assert_int_equal(day.answers, ORDERS);
    day_close(&day);
}

static void the_same_seed_gives_the_same_trace(void **state)
{
    (void)state;
    NOT_IN_SHORT_FORM();
    static struct day first, second, other;
    day_open(&first, 7, &link_rough);
    day_live(&first);
    struct link_counters one = link_counters(first.gateway.net);
    char *trace = first.trace;
    size_t trace_size = first.trace_size;
    first.trace = NULL;
    first.trace_size = first.trace_room = 0;
    day_close(&first);

    day_open(&second, 7, &link_rough);
    day_live(&second);
    struct link_counters two = link_counters(second.gateway.net);
    assert_true(one.digest == two.digest);
    assert_int_equal(trace_size, second.trace_size);
    assert_true(trace_size > 10000);
    assert_memory_equal(trace, second.trace, trace_size);
    day_close(&second);

    day_open(&other, 8, &link_rough);
    day_live(&other);
    assert_true(link_counters(other.gateway.net).digest != one.digest);
    day_close(&other);
    free(trace);
}

/* Whoever was cut off is back within the longest wait between two tries. */
static void a_cut_ends_and_all_is_told(void **state)
{
    (void)state;
    static struct day day;
    day_open(&day, 5, &link_good);
    client_loop_run(day.loop, morning_us + 10 * US_PER_MINUTE);
    for (size_t i = 0; i < PHONES; i++) {
        client_timer_cancel(day.loop, &day.phones[i].deed);
        if (day.phones[i].client == NULL) phone_on(&day.phones[i]);
        assert_int_equal(client_set_online(day.phones[i].client, true, NULL), ERR_OK);
    }
    client_loop_run(day.loop, morning_us + 12 * US_PER_MINUTE);
    int64_t until_us = client_loop_now_us(day.loop) + hour_us / 2;
    link_cut(day.gateway.net, "phone/", PERMILLE, until_us);
    assert_true(api_connected(day.api));
    for (size_t i = 0; i < PHONES; i++) {
        assert_false(client_connected(day.phones[i].client));
        phone_says(&day.phones[i]);
    }
    client_loop_run(day.loop, until_us - 1);
    for (size_t i = 0; i < PHONES; i++)
        assert_true(client_unsent(day.phones[i].client) > 0);
    client_loop_run(day.loop, until_us + 40 * US_PER_SECOND);
    for (size_t i = 0; i < PHONES; i++)
        assert_int_equal(client_unsent(day.phones[i].client), 0);
    day_close(&day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_saved_command_has_its_effect_exactly_once),
        cmocka_unit_test(a_good_network_needs_nothing_twice),
        cmocka_unit_test(the_same_seed_gives_the_same_trace),
        cmocka_unit_test(a_cut_ends_and_all_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
