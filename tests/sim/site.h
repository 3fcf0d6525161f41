/* site.h - a small day by hand through the hub: a key that orders, technicians with a line for
 * commands and a line for polls, who ask until they are answered, as phones do.
 */
#ifndef CALLOUT_TESTS_SITE_H
#define CALLOUT_TESTS_SITE_H

#include "pb/fact.pb-c.h"
#include "sim/world/disk.h"
#include "sim/world/hub.h"
#include "tests/dispatcher/desk.h"

#include <stdlib.h>

enum { SITE_PEOPLE = 2, SITE_LINES = 1 + 2 * SITE_PEOPLE, SITE_ORDERS = 4 };
enum { SITE_KEY_LINE = 0, SITE_SENT_MAX = 256 };
#define SITE_START_US   (DESK_DAY_US + 8 * HOUR_US)
#define SITE_RESEND_US  (2 * US_PER_SECOND)
#define SITE_HELD_MS    20000
#define SITE_PATIENCE_S 120

struct site;

/* One connection with one request at a time; it is sent again when no answer came for a while. */
struct site_line {
    struct site *site;
    struct sp_ticket ticket;
    uint8_t *bytes; /* of the request that is out; NULL: none */
    size_t size;
    int64_t resend_us;
    struct client_timer resend;
    Callout__Reply *reply; /* to the last one; NULL: it is out */
};

struct site {
    struct client_loop *loop;
    struct hub *hub;
    struct desk desk; /* its arena only */
    struct site_line lines[SITE_LINES];
    struct site_line *awaited;
    char key[72];
    struct {
        char id[4];
        ProtobufCBinaryData session, cursor;
        char *device_id;
        uint64_t seq, last_seq; /* of commands: said, and acknowledged */
        size_t told;            /* appointments that came by polls */
    } people[SITE_PEOPLE];
    uint32_t asked, retries;
    int64_t sent_us[SITE_SENT_MAX]; /* when requests went out */
    uint32_t sent_count;
    struct client_timer fault;
    void (*strike)(struct site *site);
    enum hub_part victim;
};

static inline int64_t site_now_us(const struct site *site)
{
    return client_loop_now_us(site->loop);
}

/* --- lines --- */

static inline void site_send(struct site_line *line)
{
    static const char *const peer = "192.0.2.7";
    struct site *site = line->site;
    if (site->sent_count < SITE_SENT_MAX) site->sent_us[site->sent_count++] = site_now_us(site);
    client_timer_set(site->loop, &line->resend, site_now_us(site) + line->resend_us);
    hub_request(site->hub, line->ticket, peer, line->bytes, line->size);
}

static inline void site_resend(void *context)
{
    site_send(context);
}

static inline void site_reply(void *context, struct sp_ticket to, const uint8_t *bytes, size_t size)
{
    struct site *site = context;
    assert_true(to.slot < SITE_LINES);
    struct site_line *line = &site->lines[to.slot];
    bool waits = line->reply == NULL && line->ticket.generation == to.generation &&
                 line->ticket.request == to.request;
    if (!waits) return;
    ProtobufCBinaryData data = {size, (uint8_t *)(uintptr_t)bytes};
    line->reply = (Callout__Reply *)desk_decode(&site->desk, &callout__reply__descriptor, data);
    client_timer_cancel(site->loop, &line->resend);
    if (site->awaited == line) client_loop_stop(site->loop);
}

static inline bool site_alive(void *context, struct sp_ticket ticket)
{
    const struct site *site = context;
    return site->lines[ticket.slot].ticket.generation == ticket.generation;
}

/* Every connection ends; requests go out again by themselves. */
static inline void site_gateway_down(void *context, int64_t until_us)
{
    struct site *site = context;
    for (uint32_t i = 0; i < SITE_LINES; i++) {
        struct site_line *line = &site->lines[i];
        line->ticket.generation++;
        if (line->bytes != NULL && line->reply == NULL)
            client_timer_set(site->loop, &line->resend, until_us + 1000 * i);
    }
}

/* Sends a request without waiting for the answer. */
static inline void site_post(struct site_line *line, ProtobufCBinaryData session,
                             const char *method, const char *request_id,
                             const ProtobufCMessage *body, int64_t resend_us)
{
    struct site *site = line->site;
    Callout__Request request;
    callout__request__init(&request);
    request.proto_major = 1;
    request.method = words(method);
    request.request_id = words(request_id);
    request.session_token = session;
    request.body = message_encode(body, &site->desk.arena);
    ProtobufCBinaryData bytes = message_encode(&request.base, &site->desk.arena);
    line->bytes = bytes.data;
    line->size = bytes.len;
    line->reply = NULL;
    line->resend_us = resend_us;
    line->ticket.request++;
    site_send(line);
}

static inline Callout__Reply *site_await(struct site_line *line)
{
    struct site *site = line->site;
    int64_t until_us = site_now_us(site) + SITE_PATIENCE_S * US_PER_SECOND;
    site->awaited = line;
    while (line->reply == NULL && site_now_us(site) < until_us)
        client_loop_run(site->loop, until_us);
    site->awaited = NULL;
    if (line->reply == NULL) fail_msg("no answer within %d s", SITE_PATIENCE_S);
    return line->reply;
}

static inline void site_pass(struct site *site, int64_t us)
{
    int64_t until_us = site_now_us(site) + us;
    while (site_now_us(site) < until_us)
        client_loop_run(site->loop, until_us);
}

static inline Callout__Reply *site_ask_once(struct site_line *line, ProtobufCBinaryData session,
                                            const char *method, const char *request_id,
                                            const ProtobufCMessage *body)
{
    site_post(line, session, method, request_id, body, SITE_RESEND_US);
    return site_await(line);
}

/* Asks until it is done; NULL: UNAUTH. */
static inline void *site_ask(struct site_line *line, ProtobufCBinaryData session,
                             const char *method, const ProtobufCMessage *body,
                             const ProtobufCMessageDescriptor *type)
{
    struct site *site = line->site;
    char id[24];
    snprintf(id, sizeof id, "ask-%u", ++site->asked);
    for (;;) {
        Callout__Reply *reply = site_ask_once(line, session, method, id, body);
        if (reply->status == CALLOUT__STATUS__OK) return desk_body(&site->desk, reply, type);
        if (reply->status == CALLOUT__STATUS__UNAUTH) return NULL;
        if (reply->status != CALLOUT__STATUS__RETRY && reply->status != CALLOUT__STATUS__BUSY)
            fail_msg("%s: status %d, %s", method, (int)reply->status, reply->text);
        site->retries++;
        site_pass(site, 300000);
    }
}

static inline ProtobufCBinaryData site_key(struct site *site)
{
    return (ProtobufCBinaryData){strlen(site->key), (uint8_t *)site->key};
}

static inline void site_do(struct site *site, const char *method, const ProtobufCMessage *body)
{
    site_ask(&site->lines[SITE_KEY_LINE], site_key(site), method, body,
             &callout__mutation_reply__descriptor);
}

static inline struct site_line *site_push_line(struct site *site, uint32_t person)
{
    return &site->lines[1 + person];
}

static inline struct site_line *site_poll_line(struct site *site, uint32_t person)
{
    return &site->lines[1 + SITE_PEOPLE + person];
}

/* --- life --- */

static inline struct hub_options site_options(struct site *site)
{
    struct hub_options options = hub_options_default();
    options.planner.rounds = 100;
    options.context = site;
    options.reply = site_reply;
    options.alive = site_alive;
    options.gateway_down = site_gateway_down;
    return options;
}

static inline void site_fault(void *context)
{
    struct site *site = context;
    site->strike(site);
}

static inline void site_open_with(struct site *site, const struct hub_options *options)
{
    arena_open(&site->desk.arena, (size_t)256 << 20);
    assert_int_equal(client_loop_open_virtual(&site->loop, SITE_START_US), ERR_OK);
    for (uint32_t i = 0; i < SITE_LINES; i++) {
        site->lines[i] = (struct site_line){.site = site, .ticket = {i, 1, 0}};
        site->lines[i].resend =
            (struct client_timer){.fire = site_resend, .context = &site->lines[i]};
    }
    site->fault = (struct client_timer){.fire = site_fault, .context = site};
    for (uint32_t p = 0; p < SITE_PEOPLE; p++)
        snprintf(site->people[p].id, sizeof site->people[p].id, "T%u", p + 1);
    site->hub = hub_open(site->loop, options);
}

static inline void site_open(struct site *site)
{
    *site = (struct site){.asked = 0};
    struct hub_options options = site_options(site);
    site_open_with(site, &options);
}

static inline void site_close(struct site *site)
{
    hub_close(site->hub);
    for (uint32_t i = 0; i < SITE_LINES; i++)
        client_timer_cancel(site->loop, &site->lines[i].resend);
    client_timer_cancel(site->loop, &site->fault);
    client_loop_close(site->loop);
    arena_close(&site->desk.arena);
}

/* Has the fault strike then. */
static inline void site_strike_at(struct site *site, int64_t at_us,
                                  void (*strike)(struct site *site))
{
    site->strike = strike;
    client_timer_set(site->loop, &site->fault, at_us);
}

static inline void site_admin(struct site *site, const char *verb, const char *const *arguments,
                              size_t count, char *out, size_t room)
{
    while (hub_admin(site->hub, verb, arguments, count, out, room) != ERR_OK)
        site_pass(site, 100000);
}

/* --- the day --- */

static inline void site_furnish(struct site *site)
{
    const char *const key[] = {"crm", "admin"};
    site_admin(site, "key", key, 2, site->key, sizeof site->key);
    site_do(site, "UpsertTerritory", desk_territory(&site->desk, "UTC"));
    for (uint32_t p = 0; p < SITE_PEOPLE; p++)
        site_do(site, "UpsertTechnician", desk_technician(&site->desk, site->people[p].id));
}

static inline const Callout__EnrollReply *site_enrol_once(struct site *site, uint32_t person,
                                                          struct phone_key *key)
{
    const char *const who[] = {site->people[person].id};
    char token[64];
    site_admin(site, "enrol", who, 1, token, sizeof token);
    Callout__EnrollRequest enroll;
    phone_key_make(key);
    phone_key_enroll(key, token, &enroll);
    return site_ask(site_push_line(site, person), (ProtobufCBinaryData){0, NULL}, "Enroll",
                    &enroll.base, &callout__enroll_reply__descriptor);
}

static inline void site_enrol(struct site *site, uint32_t person)
{
    const Callout__EnrollReply *enrolled;
    struct phone_key key;
    while ((enrolled = site_enrol_once(site, person, &key)) == NULL)
        ; /* the token became too old */
    Callout__HelloRequest hello;
    callout__hello_request__init(&hello);
    hello.device_id = site->people[person].device_id = enrolled->device_id;
    hello.epoch = enrolled->epoch;
    const Callout__HelloReply *greeted = NULL;
    while (greeted == NULL) { /* a nonce is used up by a request whose answer was lost */
        hello.nonce.len = hello.signature.len = 0;
        const Callout__HelloReply *challenge =
            site_ask(site_push_line(site, person), (ProtobufCBinaryData){0, NULL}, "Hello",
                     &hello.base, &callout__hello_reply__descriptor);
        phone_key_hello(&key, challenge, &hello);
        greeted = site_ask(site_push_line(site, person), (ProtobufCBinaryData){0, NULL}, "Hello",
                           &hello.base, &callout__hello_reply__descriptor);
    }
    site->people[person].session = greeted->session_token;
}

static inline void site_snapshot(struct site *site, uint32_t person)
{
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    const Callout__SnapshotReply *answer =
        site_ask(site_push_line(site, person), site->people[person].session, "Snapshot",
                 &request.base, &callout__snapshot_reply__descriptor);
    site->people[person].cursor = answer->cursor;
}

/* A poll that is held; site_polled takes its answer. */
static inline void site_poll(struct site *site, uint32_t person)
{
    Callout__PullRequest request;
    callout__pull_request__init(&request);
    request.cursor = site->people[person].cursor;
    request.hold_ms = SITE_HELD_MS;
    site_post(site_poll_line(site, person), site->people[person].session, "Pull", "poll",
              &request.base, 30 * US_PER_SECOND);
}

static inline size_t site_polled(struct site *site, uint32_t person)
{
    Callout__Reply *reply = site_await(site_poll_line(site, person));
    if (reply->status != CALLOUT__STATUS__OK) {
        site->retries++;
        return 0;
    }
    const Callout__PullReply *pull =
        desk_body(&site->desk, reply, &callout__pull_reply__descriptor);
    site->people[person].cursor = pull->cursor;
    site->people[person].told += pull->n_appointments;
    return pull->n_appointments;
}

static inline void site_order(struct site *site, uint32_t number)
{
    char id[8];
    snprintf(id, sizeof id, "W%u", number);
    site_do(site, "UpsertWorkOrder", &desk_order(&site->desk, id)->base);
}

/* One command: a status of this appointment. */
static inline const Callout__CommandResult *site_push(struct site *site, uint32_t person,
                                                      const char *appointment_id,
                                                      Callout__AppointmentStatus status)
{
    Callout__Command *command =
        desk_status(&site->desk, ++site->people[person].seq, appointment_id, status);
    const Callout__PushReply *answer =
        site_ask(site_push_line(site, person), site->people[person].session, "Push",
                 desk_push(&site->desk, &command, 1), &callout__push_reply__descriptor);
    assert_int_equal(answer->n_results, 1);
    site->people[person].last_seq = answer->last_seq;
    return answer->results[0];
}

/* Whose it is by the plan; NULL: nobody's yet. */
static inline const char *site_owner(struct site *site, uint32_t order)
{
    char id[16];
    const char *owner = "";
    snprintf(id, sizeof id, "W%u.1", order);
    if (hub_core(site->hub) == NULL) return NULL;
    core_appointment(hub_core(site->hub), id, &owner);
    return owner[0] == '\0' ? NULL : owner;
}

static inline void site_wait_for_plan(struct site *site, uint32_t order)
{
    int64_t until_us = site_now_us(site) + SITE_PATIENCE_S * US_PER_SECOND;
    while (site_owner(site, order) == NULL) {
        if (site_now_us(site) > until_us) fail_msg("nobody was planned for W%u", order);
        site_pass(site, 50000);
    }
}

/* Whoever has the order does it, from the way there to the end. */
static inline void site_visit(struct site *site, uint32_t order)
{
    static const Callout__AppointmentStatus steps[] = {CALLOUT__APPOINTMENT_STATUS__EN_ROUTE,
                                                       CALLOUT__APPOINTMENT_STATUS__ON_SITE,
                                                       CALLOUT__APPOINTMENT_STATUS__COMPLETED};
    char id[16];
    snprintf(id, sizeof id, "W%u.1", order);
    site_wait_for_plan(site, order);
    uint32_t person = strcmp(site_owner(site, order), "T2") == 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        site_push(site, person, id, steps[i]);
        site_pass(site, 700000);
    }
}

/* The whole of it; a fault that was set strikes wherever it does. */
static inline void site_live(struct site *site)
{
    site_furnish(site);
    for (uint32_t p = 0; p < SITE_PEOPLE; p++)
        site_enrol(site, p);
    for (uint32_t order = 1; order <= SITE_ORDERS; order++)
        site_order(site, order);
    for (uint32_t order = 1; order <= SITE_ORDERS; order++)
        site_visit(site, order);
}

/* --- what must be true of the log --- */

struct site_count {
    struct site *site;
    uint32_t orders[SITE_ORDERS + 1], commands[SITE_PEOPLE], facts;
    uint64_t last_seq[SITE_PEOPLE];
};

static inline bool site_count_fact(void *context, const void *visited)
{
    struct site_count *count = context;
    struct site *site = count->site;
    const struct row_fact *row = visited;
    Callout__FactBody *body = (Callout__FactBody *)desk_decode(
        &site->desk, &callout__fact_body__descriptor,
        (ProtobufCBinaryData){row->body.size, (uint8_t *)(uintptr_t)row->body.bytes});
    count->facts++;
    if (body->body_case == CALLOUT__FACT_BODY__BODY_UPSERT_WORK_ORDER)
        count->orders[strtoul(body->upsert_work_order->work_order->work_order_id + 1, NULL, 10)]++;
    if (body->command == NULL) return true;
    for (uint32_t p = 0; p < SITE_PEOPLE; p++) {
        if (strcmp(body->actor->id, site->people[p].device_id) != 0) continue;
        assert_int_equal(body->command->seq, count->last_seq[p] + 1); /* no gap, nothing twice */
        count->last_seq[p] = body->command->seq;
        count->commands[p]++;
    }
    return true;
}

/* Every order and every command is in the log, once, and the log is whole. */
static inline void site_check_log(struct site *site)
{
    struct site_count count = {.site = site};
    int64_t bad_seq = -1;
    while (!hub_is_up(site->hub, HUB_DISPATCHER))
        site_pass(site, 100000);
    assert_int_equal(
        store_each(hub_store(site->hub), ROW_FACT, NULL, 0, false, site_count_fact, &count),
        ERR_OK);
    for (uint32_t order = 1; order <= SITE_ORDERS; order++)
        assert_int_equal(count.orders[order], 1);
    for (uint32_t p = 0; p < SITE_PEOPLE; p++) {
        assert_int_equal(count.commands[p], site->people[p].seq);
        assert_int_equal(site->people[p].last_seq, site->people[p].seq);
    }
    assert_int_equal(store_verify_chain(hub_store(site->hub), &bad_seq), ERR_OK);
    assert_int_equal(bad_seq, 0);
    assert_int_equal(count.facts, core_seq(hub_core(site->hub)));
}

#endif
