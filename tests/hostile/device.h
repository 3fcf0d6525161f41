/* device.h - a technician's device, without the client library: it enrols, says hello and pushes.
 */
#ifndef CALLOUT_TESTS_HOSTILE_DEVICE_H
#define CALLOUT_TESTS_HOSTILE_DEVICE_H

#include "gateway/client/identity.h"
#include "order.h"
#include "signed_bytes.h"

struct device {
    uint8_t host; /* its address is 127.0.0.host */
    struct identity identity;
    uint8_t session[64];
    size_t session_size;
    uint64_t seq; /* of its last command */
};

/* --- its requests --- */

static inline void device_ask_bytes(const struct device *device, const char *method,
                                    const void *body, size_t size, struct got *got)
{
    static struct bytes request;
    envelope(&request, method, device->session, device->session_size, body, size);
    send_bytes_from(device->host, request.at, request.size, got);
}

static inline void device_ask(const struct device *device, const char *method,
                              const ProtobufCMessage *message, struct got *got)
{
    static uint8_t body[LIMIT_MESSAGE];
    size_t size = protobuf_c_message_pack(message, body);
    device_ask_bytes(device, method, body, size, got);
}

/* A command as it is; `outcome` is that of its result, or stays when there is none. */
static inline void push_as_is(const struct device *device, Callout__Command *command,
                              struct got *got)
{
    Callout__Command *commands[] = {command};
    Callout__PushRequest request;
    callout__push_request__init(&request);
    request.n_commands = 1;
    request.commands = commands;
    device_ask(device, "Push", &request.base, got);
    if (got->closed || got->status != CALLOUT__STATUS__OK) return;
    Callout__PushReply *reply = callout__push_reply__unpack(NULL, got->size, got->body);
    assert_non_null(reply);
    assert_int_equal(reply->n_results, 1);
    const Callout__CommandResult *result = reply->results[0];
    got->outcome = (int)result->outcome;
    snprintf(got->text, sizeof got->text, "%s", result->text);
    if (result->n_errors > 0)
        snprintf(got->field, sizeof got->field, "%s", result->errors[0]->field);
    callout__push_reply__free_unpacked(reply, NULL);
}

/* The next command of the device. */
static inline void push(struct device *device, Callout__Command *command, struct got *got)
{
    command->seq = ++device->seq;
    push_as_is(device, command, got);
}

static inline void push_status(struct device *device, const char *appointment_id, int status,
                               struct got *got)
{
    Callout__Command command;
    Callout__StatusReport report;
    callout__command__init(&command);
    callout__status_report__init(&report);
    report.appointment_id = borrowed(appointment_id);
    report.status = (Callout__AppointmentStatus)status;
    command.body_case = CALLOUT__COMMAND__BODY_STATUS;
    command.status = &report;
    push(device, &command, got);
}

/* --- who it is --- */

static inline void admin_command(const char *verb, const char *of, char out[256])
{
    struct problem problem = {0};
    const char *const arguments[] = {"callout",           "admin", verb, "--data",
                                     rig.system.data_dir, of,      NULL};
    if (system_command(arguments, out, 256, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
    out[strcspn(out, "\r\n")] = '\0';
}

/* A fresh token for a technician's next device. */
static inline void enrol_token(const char *technician_id, char token[256])
{
    char said[256];
    admin_command("enrol", technician_id, said);
    const char *word = strrchr(said, ' ');
    snprintf(token, 256, "%s", word == NULL ? said : word + 1);
}

static inline void device_key(struct device *device, const char *name)
{
    char path[192];
    struct problem problem;
    snprintf(path, sizeof path, "%s/%s", rig.folder, name);
    assert_int_equal(identity_load(&device->identity, path, &problem), ERR_OK);
}

static inline void enroll(struct device *device, char *token, struct got *got)
{
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    Callout__EnrollRequest request;
    callout__enroll_request__init(&request);
    identity_sign(&device->identity, token, strlen(token), signature);
    request.enrol_token = token;
    request.key_algorithm = borrowed("ed25519");
    request.public_key = (ProtobufCBinaryData){IDENTITY_PUBLIC_BYTES, device->identity.public_key};
    request.signature = (ProtobufCBinaryData){sizeof signature, signature};
    device_ask(device, "Enroll", &request.base, got);
    if (got->closed || got->status != CALLOUT__STATUS__OK) return;
    Callout__EnrollReply *reply = callout__enroll_reply__unpack(NULL, got->size, got->body);
    assert_non_null(reply);
    snprintf(device->identity.device_id, sizeof device->identity.device_id, "%s", reply->device_id);
    device->identity.epoch = reply->epoch;
    snprintf(device->identity.server_name, sizeof device->identity.server_name, "%s",
             reply->server_name);
    callout__enroll_reply__free_unpacked(reply, NULL);
}

/* What got->body says, which is freed with free_unpacked; NULL: nothing. */
static inline Callout__HelloReply *hello_reply(const struct got *got)
{
    if (got->closed || got->size == 0) return NULL;
    Callout__HelloReply *reply = callout__hello_reply__unpack(NULL, got->size, got->body);
    assert_non_null(reply);
    return reply;
}

/* The second half of Hello: the nonce that is in `got`, signed. */
static inline void hello_signed(const struct device *device, Callout__HelloRequest *request,
                                struct got *got)
{
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    struct arena arena;
    Callout__HelloReply *challenge = hello_reply(got);
    assert_non_null(challenge);
    arena_open(&arena, 1 << 16);
    request->nonce = challenge->nonce;
    ProtobufCBinaryData text = signed_hello(request, device->identity.server_name, &arena);
    identity_sign(&device->identity, text.data, text.len, signature);
    request->signature = (ProtobufCBinaryData){sizeof signature, signature};
    device_ask(device, "Hello", &request->base, got);
    arena_close(&arena);
    callout__hello_reply__free_unpacked(challenge, NULL);
}

static inline void hello(struct device *device, struct got *got)
{
    Callout__HelloRequest request;
    callout__hello_request__init(&request);
    request.device_id = device->identity.device_id;
    request.epoch = device->identity.epoch;
    device->session_size = 0;
    device_ask(device, "Hello", &request.base, got);
    if (got->closed || got->status != CALLOUT__STATUS__OK) return;
    hello_signed(device, &request, got);
    Callout__HelloReply *reply = hello_reply(got);
    if (reply == NULL) return;
    assert_in_range(reply->session_token.len, 1, sizeof device->session);
    memcpy(device->session, reply->session_token.data, reply->session_token.len);
    device->session_size = reply->session_token.len;
    callout__hello_reply__free_unpacked(reply, NULL);
}

static inline void device_open(struct device *device, const char *technician_id, uint8_t host)
{
    static struct got got;
    char token[256], name[80];
    *device = (struct device){.host = host};
    snprintf(name, sizeof name, "device-%s", technician_id);
    device_key(device, name);
    enrol_token(technician_id, token);
    enroll(device, token, &got);
    if (got.status != CALLOUT__STATUS__OK) fail_msg("Enroll: %s: %s", got.field, got.text);
    hello(device, &got);
    if (got.status != CALLOUT__STATUS__OK) fail_msg("Hello: %s: %s", got.field, got.text);
}

/* --- whom and what they work on --- */

/* On shift since an hour before the clock stood still. */
static inline void add_technician(const char *id)
{
    Callout__Point home;
    Callout__Technician technician;
    Callout__Shift shift, *shifts[] = {&shift};
    Callout__Skill skill, *skills[] = {&skill};
    Callout__UpsertTechnicianRequest request;
    callout__point__init(&home);
    callout__technician__init(&technician);
    callout__shift__init(&shift);
    callout__skill__init(&skill);
    callout__upsert_technician_request__init(&request);
    home.lat_e7 = 471400000;
    home.lon_e7 = 95200000;
    skill.name = skill_name;
    skill.level = 9;
    shift.service_day = at_us(DAY "T00:00:00Z") / US_PER_DAY;
    shift.start_us = at_us(DAY "T05:00:00Z");
    shift.end_us = at_us(DAY "T18:00:00Z");
    technician.technician_id = technician.name = borrowed(id);
    technician.territory_id = territory_id;
    technician.home = &home;
    technician.n_skills = technician.n_shifts = 1;
    technician.skills = skills;
    technician.shifts = shifts;
    request.technician = &technician;
    must("UpsertTechnician", &request.base);
}

/* An order of his, which nobody but a person may take from him. */
static inline void give_order(const char *order, const char *appointment_id,
                              const char *technician_id)
{
    static struct order given;
    Callout__AssignRequest assign;
    order_init(&given);
    given.work_order.work_order_id = borrowed(order);
    given.window.start_us = at_us(DAY "T06:00:00Z");
    given.window.end_us = at_us(DAY "T17:00:00Z");
    char *only[] = {borrowed(technician_id)}; /* so that the optimizer never gives it to others */
    given.work_order.n_required_technician_ids = 1;
    given.work_order.required_technician_ids = only;
    must("UpsertWorkOrder", &given.request.base);
    callout__assign_request__init(&assign);
    assign.appointment_id = borrowed(appointment_id);
    assign.technician_id = borrowed(technician_id);
    must("Assign", &assign.base);
    Callout__Pin pin;
    Callout__SetPinRequest set_pin;
    callout__pin__init(&pin);
    callout__set_pin_request__init(&set_pin);
    pin.technician = true;
    pin.technician_id = assign.technician_id;
    set_pin.appointment_id = assign.appointment_id;
    set_pin.pin = &pin;
    must("SetPin", &set_pin.base);
}

#endif
