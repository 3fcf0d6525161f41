#include "sim/load/device.h"

#include "base/check.h"
#include "base/clock.h"
#include "message.h"
#include "pb/field.pb-c.h"
#include "signed_bytes.h"
#include "sp_dialler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BACKOFF_MS_MIN = 1000,
    BACKOFF_DOUBLINGS = 4,
    RESEND_US = (LIMIT_REQUEST_DEADLINE_MS + 2000) * 1000, /* the gateway has given up before */
    NUMBERS_PER_ADDRESS_BYTE = 250,
    HANDSHAKES_MAX = 256, /* over TLS: one processor is all the devices' here */
};
static const uint32_t id_bit = 1u << 31;

static void step(struct device *device);

/* --- asking --- */

static uint32_t send_out(struct device *device, const char *method, const ProtobufCMessage *message)
{
    uint32_t request = id_bit | (++device->turn & (id_bit - 1));
    ProtobufCBinaryData bytes =
        load_pack(device->load, device->session, device->session_size, NULL, method, message);
    sp_dialler_ask(device->dialler, request, bytes.data, bytes.len);
    return request;
}

static void ask(struct device *device, enum device_asked asked, const char *method,
                const ProtobufCMessage *message)
{
    device->asked_us = clock_mono_us();
    if (device->asked != asked || device->first_asked_us == 0)
        device->first_asked_us = device->asked_us;
    device->asked = asked;
    device->asked_request = send_out(device, method, message);
}

static void ask_enroll(struct device *device)
{
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    char algorithm[] = "ed25519", *token = device->load->tokens[device->number];
    Callout__EnrollRequest request;
    callout__enroll_request__init(&request);
    identity_sign(&device->identity, token, strlen(token), signature);
    request.enrol_token = token;
    request.key_algorithm = algorithm;
    request.public_key =
        (ProtobufCBinaryData){sizeof device->identity.public_key, device->identity.public_key};
    request.signature = (ProtobufCBinaryData){sizeof signature, signature};
    ask(device, ASKED_ENROLL, "Enroll", &request.base);
}

static void ask_hello(struct device *device)
{
    const struct identity *identity = &device->identity;
    Callout__HelloRequest request;
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    callout__hello_request__init(&request);
    request.device_id = device->identity.device_id;
    request.epoch = identity->epoch;
    request.device_time_us = load_domain_us(device->load);
    request.nonce = (ProtobufCBinaryData){device->nonce_size, device->nonce};
    if (device->nonce_size > 0) {
        arena_rewind(&device->load->arena);
        ProtobufCBinaryData text =
            signed_hello(&request, identity->server_name, &device->load->arena);
        identity_sign(identity, text.data, text.len, signature);
        request.signature = (ProtobufCBinaryData){sizeof signature, signature};
    }
    device->nonce_size = 0; /* good for once */
    ask(device, ASKED_HELLO, "Hello", &request.base);
}

static void ask_snapshot(struct device *device)
{
    Callout__SnapshotRequest request;
    callout__snapshot_request__init(&request);
    ask(device, ASKED_SNAPSHOT, "Snapshot", &request.base);
}

static void ask_pull(struct device *device)
{
    Callout__PullRequest request;
    callout__pull_request__init(&request);
    request.cursor = device->cursor;
    bool at_once = device->load->storming && !device->pulled;
    request.hold_ms = at_once ? 0 : LIMIT_HOLD_MS;
    device->pull_request = send_out(device, "Pull", &request.base);
}

/* --- check-ins --- */

/* What one command needs besides itself. */
struct words {
    Callout__Command command;
    Callout__StatusReport status;
    Callout__PositionBatch positions;
    Callout__Fix fix, *fixes[1];
    Callout__Point point;
};

static void fill_position(const struct device *device, struct words *words, int64_t now_us)
{
    struct rng chance = {device->number + words->command.seq};
    callout__position_batch__init(&words->positions);
    callout__fix__init(&words->fix);
    callout__point__init(&words->point);
    words->point.lat_e7 = 470000000 + (int32_t)rng_below(&chance, 1800000);
    words->point.lon_e7 = 95000000 + (int32_t)rng_below(&chance, 2600000);
    words->fix.fix_time_us = now_us;
    words->fix.point = &words->point;
    words->fix.accuracy_m = 8;
    words->fixes[0] = &words->fix;
    words->positions.fixes = words->fixes;
    words->positions.n_fixes = 1;
    words->command.body_case = CALLOUT__COMMAND__BODY_POSITIONS;
    words->command.positions = &words->positions;
}

static void fill_status(struct words *words, char *appointment_id)
{
    callout__status_report__init(&words->status);
    words->status.appointment_id = appointment_id;
    words->status.status = words->command.seq % 2 == 1 ? CALLOUT__APPOINTMENT_STATUS__WORKING
                                                       : CALLOUT__APPOINTMENT_STATUS__PAUSED;
    words->command.body_case = CALLOUT__COMMAND__BODY_STATUS;
    words->command.status = &words->status;
}

static void ask_push(struct device *device)
{
    static struct words words[LIMIT_BATCH_COMMANDS];
    static Callout__Command *commands[LIMIT_BATCH_COMMANDS];
    const struct load_options *options = &device->load->options;
    char order_id[LOAD_ID], appointment_id[LOAD_ID + 2];
    load_order_id(order_id, device->load, device->number);
    snprintf(appointment_id, sizeof appointment_id, "%s.1", order_id);
    int64_t now_us = load_domain_us(device->load);
    for (uint32_t i = 0; i < options->batch; i++) {
        Callout__Command *command = commands[i] = &words[i].command;
        callout__command__init(command);
        command->seq = device->acked_seq + 1 + i;
        command->device_time_us = now_us;
        if (options->kind == LOAD_STATUS)
            fill_status(&words[i], appointment_id);
        else
            fill_position(device, &words[i], now_us);
    }
    Callout__PushRequest request;
    callout__push_request__init(&request);
    request.commands = commands;
    request.n_commands = device->asked_commands = options->batch;
    ask(device, ASKED_PUSH, "Push", &request.base);
}

/* --- what is next --- */

static bool wants_push(const struct device *device)
{
    const struct load *load = device->load;
    return load->storming ? !device->pushed : load->pushing;
}

static void become_ready(struct device *device)
{
    if (!device->ready) device->load->ready++;
    device->ready = true;
}

static void step(struct device *device)
{
    const struct load *load = device->load;
    bool polls = load->options.hold || load->options.storm;
    if (device->dialler == NULL || !sp_dialler_up(device->dialler) || load->enough) return;
    if (device->again_us != 0 || device->asked_request != 0) return;
    if (device->identity.device_id[0] == '\0') {
        ask_enroll(device);
    } else if (device->session_size == 0) {
        ask_hello(device);
    } else if (polls && device->cursor.len == 0) {
        ask_snapshot(device);
    } else {
        if (polls && device->pull_request == 0) ask_pull(device);
        become_ready(device);
        if (wants_push(device)) ask_push(device);
    }
}

/* Waits what the server said, or longer with each failure. */
static void back_off(struct device *device, uint32_t retry_after_ms)
{
    uint32_t shift = device->failures < BACKOFF_DOUBLINGS ? device->failures : BACKOFF_DOUBLINGS;
    uint32_t ms = retry_after_ms > 0 ? retry_after_ms : (uint32_t)BACKOFF_MS_MIN << shift;
    device->failures++;
    ms += rng_below(&device->load->chance, ms / 2 + 1);
    device->again_us = clock_mono_us() + ms * INT64_C(1000);
}

/* --- answers --- */

static void note_synced(struct device *device, bool *flag)
{
    struct load_storm *storm = &device->load->storm;
    if (!device->load->storming || *flag) return;
    *flag = true;
    if (!device->pushed || !device->pulled) return;
    if (++storm->synced == device->load->options.clients) storm->synced_us = clock_mono_us();
}

static void take_enroll(struct device *device, const Callout__EnrollReply *reply)
{
    struct identity *identity = &device->identity;
    snprintf(identity->device_id, sizeof identity->device_id, "%s", reply->device_id);
    snprintf(identity->server_name, sizeof identity->server_name, "%s", reply->server_name);
    identity->epoch = reply->epoch;
}

static void take_hello(struct device *device, const Callout__HelloReply *reply)
{
    CHECK(reply->session_token.len <= sizeof device->session);
    CHECK(reply->nonce.len <= sizeof device->nonce);
    if (reply->session_token.len == 0) { /* the first half: what is to be signed */
        device->nonce_size = reply->nonce.len;
        memcpy(device->nonce, reply->nonce.data, reply->nonce.len);
        return;
    }
    device->session_size = reply->session_token.len;
    memcpy(device->session, reply->session_token.data, device->session_size);
    device->acked_seq = reply->last_seq;
}

static void keep_cursor(struct device *device, ProtobufCBinaryData cursor)
{
    if (cursor.len == 0) return;
    device->cursor.data = realloc(device->cursor.data, cursor.len);
    CHECK(device->cursor.data != NULL);
    memcpy(device->cursor.data, cursor.data, cursor.len);
    device->cursor.len = cursor.len;
}

static void take_push(struct device *device, const Callout__PushReply *reply)
{
    struct load *load = device->load;
    int64_t now_us = clock_mono_us();
    uint64_t before = device->acked_seq;
    device->acked_seq = reply->last_seq;
    for (size_t i = 0; i < reply->n_results; i++) {
        if (reply->results[i]->outcome == CALLOUT__OUTCOME__CONFLICT_RECORDED) load->conflicts++;
        if (reply->results[i]->outcome == CALLOUT__OUTCOME__REJECTED) load->rejected++;
    }
    if (load->storming && !device->pushed) {
        samples_add(&load->storm.latency, now_us - device->asked_us);
        samples_add(&load->storm.whole, now_us - device->first_asked_us);
    }
    note_synced(device, &device->pushed);
    if (now_us < load->count.from_us || now_us >= load->count.to_us) return;
    load->count.acknowledged += device->acked_seq - before;
    load->count.pushes++;
    samples_add(&load->count.latency, now_us - device->first_asked_us);
}

static const ProtobufCMessage *decode(struct device *device, const ProtobufCMessageDescriptor *type,
                                      const Callout__Reply *reply)
{
    ProtobufCMessage *message;
    if (message_decode(type, reply->body.data, reply->body.len, &device->load->arena, &message,
                       NULL) != ERR_OK)
        return NULL;
    return message;
}

static bool take_command(struct device *device, const Callout__Reply *reply)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        [ASKED_ENROLL] = &callout__enroll_reply__descriptor,
        [ASKED_HELLO] = &callout__hello_reply__descriptor,
        [ASKED_SNAPSHOT] = &callout__snapshot_reply__descriptor,
        [ASKED_PUSH] = &callout__push_reply__descriptor,
    };
    const ProtobufCMessage *message = decode(device, types[device->asked], reply);
    if (message == NULL) return false;
    if (device->asked == ASKED_ENROLL) take_enroll(device, (const Callout__EnrollReply *)message);
    if (device->asked == ASKED_HELLO) take_hello(device, (const Callout__HelloReply *)message);
    if (device->asked == ASKED_SNAPSHOT)
        keep_cursor(device, ((const Callout__SnapshotReply *)message)->cursor);
    if (device->asked == ASKED_PUSH) take_push(device, (const Callout__PushReply *)message);
    return true;
}

static void on_command_answer(struct device *device, const Callout__Reply *reply)
{
    device->asked_request = 0;
    if (reply->status == CALLOUT__STATUS__OK && take_command(device, reply)) {
        device->first_asked_us = 0;
        device->failures = 0;
        return;
    }
    if (reply->status == CALLOUT__STATUS__UNAUTH && device->asked != ASKED_HELLO &&
        device->asked != ASKED_ENROLL)
        device->session_size = 0;
    else
        back_off(device, reply->retry_after_ms);
}

static void on_pull_answer(struct device *device, const Callout__Reply *reply)
{
    device->pull_request = 0;
    if (reply->status == CALLOUT__STATUS__UNAUTH) {
        device->session_size = 0;
        return;
    }
    if (reply->status == CALLOUT__STATUS__RESET) {
        free(device->cursor.data);
        device->cursor = (ProtobufCBinaryData){0, NULL};
        return;
    }
    const ProtobufCMessage *message = reply->status == CALLOUT__STATUS__OK
                                          ? decode(device, &callout__pull_reply__descriptor, reply)
                                          : NULL;
    if (message == NULL) {
        back_off(device, reply->retry_after_ms);
        return;
    }
    keep_cursor(device, ((const Callout__PullReply *)message)->cursor);
    note_synced(device, &device->pulled);
}

static void on_reply(void *context, uint32_t request, const uint8_t *bytes, size_t size)
{
    struct device *device = context;
    struct load *load = device->load;
    bool command = request == device->asked_request, pull = request == device->pull_request;
    if (!command && !pull) return; /* of a question that was asked again since */
    const Callout__Reply *reply = load_unpack(load, bytes, size);
    if (reply == NULL) return;
    load_learn(load, reply);
    load->statuses[(unsigned)reply->status < LOAD_STATUSES ? reply->status : 0]++;
    if (command)
        on_command_answer(device, reply);
    else
        on_pull_answer(device, reply);
    step(device);
}

/* --- the connection --- */

/* Its connection is there, or will not be. */
static void connected(struct device *device)
{
    if (device->connecting) device->load->connecting--;
    device->connecting = false;
}

static void on_up(void *context)
{
    struct device *device = context;
    struct load *load = device->load;
    connected(device);
    if (load->storming) load->storm.connected_us = clock_mono_us();
    step(device);
}

static void hang_up(struct device *device)
{
    connected(device);
    sp_dialler_close(device->dialler);
    device->dialler = NULL;
    device->asked_request = device->pull_request = 0;
    if (device->ready) device->load->ready--;
    device->ready = false;
}

static void on_end(void *context)
{
    struct device *device = context;
    device->load->connections_lost++;
    hang_up(device);
    back_off(device, 0);
}

/* 127.1.0.1 and on: the gateway sees as many addresses as there are devices. */
static const char *source_of(const struct device *device, char out[32])
{
    uint32_t n = device->number;
    if (device->load->options.one_address) return NULL;
    snprintf(out, 32, "127.%u.%u.%u", 1 + n / (NUMBERS_PER_ADDRESS_BYTE * NUMBERS_PER_ADDRESS_BYTE),
             n / NUMBERS_PER_ADDRESS_BYTE % NUMBERS_PER_ADDRESS_BYTE,
             1 + n % NUMBERS_PER_ADDRESS_BYTE);
    return out;
}

/* Where too many shake hands already, a later tick dials. */
static void dial(struct device *device)
{
    char source[32];
    if (device->load->trust != NULL && device->load->connecting >= HANDSHAKES_MAX) return;
    const struct sp_dialler_options options = {.url = device->load->options.gateway,
                                               .trust = device->load->trust,
                                               .source = source_of(device, source),
                                               .message_max = LIMIT_OUTBOX,
                                               .at_once = true,
                                               .on_up = on_up,
                                               .on_reply = on_reply,
                                               .on_end = on_end,
                                               .context = device};
    if (sp_dialler_open(&device->dialler, device->load->base, &options, NULL) != ERR_OK) {
        back_off(device, 0);
        return;
    }
    device->connecting = true;
    device->load->connecting++;
}

void device_tick(struct device *device, int64_t now_us)
{
    if (device->again_us != 0) {
        if (now_us < device->again_us) return;
        device->again_us = 0;
    }
    if (device->dialler == NULL) {
        if (device->dialling) dial(device);
        return;
    }
    if (device->asked_request != 0 && now_us - device->asked_us > RESEND_US)
        device->asked_request = 0;
    step(device);
}

void device_cut(struct device *device)
{
    hang_up(device);
    device->session_size = device->nonce_size = 0;
    device->again_us = 0;
    device->failures = 0;
    device->first_asked_us = 0;
    device->pushed = device->pulled = false;
    dial(device);
}

void device_open(struct device *device, struct load *load, uint32_t number)
{
    *device = (struct device){.load = load, .number = number};
    identity_fresh(&device->identity);
}

void device_close(struct device *device)
{
    sp_dialler_close(device->dialler);
    free(device->cursor.data);
}
