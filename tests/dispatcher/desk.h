/* desk.h - an engine at a desk: requests by hand, without sockets or time.
 *
 * Everything decoded lives until desk_close; whoever fails in between leaves it to the process.
 */
#ifndef CALLOUT_TESTS_DESK_H
#define CALLOUT_TESTS_DESK_H

#include "base/clock.h"
#include "dispatcher/engine.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "phone_key.h"
#include "words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DESK_DAY    INT64_C(20780) /* Monday 2026-11-23 */
#define DESK_DAY_US (DESK_DAY * US_PER_DAY)
#define HOUR_US     (60 * US_PER_MINUTE)

struct desk {
    struct store *store;
    struct engine *engine;
    struct arena arena;
    int64_t now_us;
    uint32_t asked; /* for request ids */
};

static inline void desk_open(struct desk *desk, struct store *store, const char *folder)
{
    struct problem problem = {{0}, {0}};
    const struct engine_options options = {.folder = folder, .clock_by_hand = true};
    *desk = (struct desk){.store = store, .now_us = DESK_DAY_US + 6 * HOUR_US};
    arena_open(&desk->arena, (size_t)256 << 20);
    enum err err = engine_open(&desk->engine, store, &options, &problem);
    if (err != ERR_OK) fail_msg("%s: %s", problem.field, problem.text);
}

/* Closes and opens the engine on the same store. */
static inline void desk_reopen(struct desk *desk, const char *folder)
{
    struct desk again;
    engine_close(desk->engine);
    desk_open(&again, desk->store, folder);
    again.now_us = desk->now_us;
    again.asked = desk->asked;
    arena_close(&desk->arena);
    *desk = again;
}

static inline void desk_close(struct desk *desk)
{
    engine_close(desk->engine);
    store_close(desk->store);
    arena_close(&desk->arena);
}

static inline uint64_t desk_digest(const struct desk *desk)
{
    return core_digest(engine_core(desk->engine));
}

static inline int64_t desk_seq(const struct desk *desk)
{
    return core_seq(engine_core(desk->engine));
}

/* --- who asks --- */

static inline Callout__Principal a_key(const char *name, const char *role)
{
    Callout__Principal who;
    callout__principal__init(&who);
    who.kind = CALLOUT__PRINCIPAL_KIND__KEY;
    who.id = words(name);
    who.role = words(role);
    return who;
}

/* --- requests --- */

/* A packed Request; without `who` one of our own processes asks. */
static inline struct engine_item desk_item(struct desk *desk, const Callout__Principal *who,
                                           const char *method, const char *request_id,
                                           const ProtobufCMessage *body)
{
    Callout__Request request;
    callout__request__init(&request);
    Callout__ForwardRequest forward;
    callout__forward_request__init(&forward);
    request.proto_major = 1;
    request.method = words(method);
    request.request_id = words(request_id);
    if (body != NULL) request.body = message_encode(body, &desk->arena);
    if (who != NULL) {
        forward.principal = (Callout__Principal *)(uintptr_t)who;
        forward.method = request.method;
        forward.request_id = request.request_id;
        forward.body = request.body;
        request.method = words("Forward");
        request.body = message_encode(&forward.base, &desk->arena);
    }
    ProtobufCBinaryData bytes = message_encode(&request.base, &desk->arena);
    return (struct engine_item){.bytes = bytes.data, .size = bytes.len};
}

static inline ProtobufCMessage *
desk_decode(struct desk *desk, const ProtobufCMessageDescriptor *type, ProtobufCBinaryData bytes)
{
    ProtobufCMessage *message = NULL;
    struct problem problem = {{0}, {0}};
    uint8_t *copy = arena_need(&desk->arena, bytes.len + 1);
    if (bytes.len > 0) memcpy(copy, bytes.data, bytes.len);
    if (message_decode(type, copy, bytes.len, &desk->arena, &message, &problem) != ERR_OK)
        fail_msg("%s: %s %s", type->short_name, problem.field, problem.text);
    return message;
}

/* The reply to an item; a forwarded one's inner reply. */
static inline Callout__Reply *desk_reply(struct desk *desk, const struct engine_item *item,
                                         bool forwarded)
{
    Callout__Reply *reply =
        (Callout__Reply *)desk_decode(desk, &callout__reply__descriptor, item->reply);
    if (!forwarded || reply->status != CALLOUT__STATUS__OK) return reply;
    Callout__ForwardReply *inner = (Callout__ForwardReply *)desk_decode(
        desk, &callout__forward_reply__descriptor, reply->body);
    assert_non_null(inner->reply);
    return inner->reply;
}

static inline Callout__Reply *desk_ask_as(struct desk *desk, const Callout__Principal *who,
                                          const char *method, const char *request_id,
                                          const ProtobufCMessage *body)
{
    struct engine_item item = desk_item(desk, who, method, request_id, body);
    engine_batch(desk->engine, &item, 1, desk->now_us);
    assert_int_equal(item.held, HELD_NOT);
    return desk_reply(desk, &item, who != NULL);
}

/* An administrator's request, with an id of its own, that is done. */
static inline Callout__Reply *desk_do(struct desk *desk, const char *method,
                                      const ProtobufCMessage *body)
{
    char id[32];
    Callout__Principal admin = a_key("admin", "admin");
    snprintf(id, sizeof id, "request-%u", ++desk->asked);
    Callout__Reply *reply = desk_ask_as(desk, &admin, method, id, body);
    if (reply->status != CALLOUT__STATUS__OK) fail_msg("%s: %s", method, reply->text);
    return reply;
}

/* One of our own processes asks. */
static inline Callout__Reply *desk_inner(struct desk *desk, const char *method,
                                         const ProtobufCMessage *body)
{
    return desk_ask_as(desk, NULL, method, "inner", body);
}

static inline void *desk_body(struct desk *desk, const Callout__Reply *reply,
                              const ProtobufCMessageDescriptor *type)
{
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    return desk_decode(desk, type, reply->body);
}

/* --- messages, in the arena --- */

#define DESK_NEW(desk, type, name) type *name = arena_need(&(desk)->arena, sizeof *name)

static inline Callout__Point *desk_point(struct desk *desk, int32_t lat_e7, int32_t lon_e7)
{
    DESK_NEW(desk, Callout__Point, point);
    callout__point__init(point);
    point->lat_e7 = lat_e7;
    point->lon_e7 = lon_e7;
    return point;
}

static inline const ProtobufCMessage *desk_territory(struct desk *desk, const char *zone)
{
    static const char *const names[] = {"gas"};
    DESK_NEW(desk, Callout__UpsertTerritoryRequest, request);
    DESK_NEW(desk, Callout__Territory, territory);
    callout__upsert_territory_request__init(request);
    callout__territory__init(territory);
    territory->territory_id = words("north");
    territory->time_zone = words(zone);
    request->territory = territory;
    request->n_skill_names = 1;
    request->skill_names = arena_need(&desk->arena, sizeof *request->skill_names);
    request->skill_names[0] = words(names[0]);
    return &request->base;
}

/* At work from 8 to 17 on Monday and Tuesday. */
static inline const ProtobufCMessage *desk_technician(struct desk *desk, const char *id)
{
    DESK_NEW(desk, Callout__UpsertTechnicianRequest, request);
    DESK_NEW(desk, Callout__Technician, technician);
    callout__upsert_technician_request__init(request);
    callout__technician__init(technician);
    technician->technician_id = arena_text(&desk->arena, id);
    technician->territory_id = words("north");
    technician->home = desk_point(desk, 471000000, 95000000);
    technician->shifts = arena_need(&desk->arena, 2 * sizeof *technician->shifts);
    technician->n_shifts = 2;
    for (int64_t i = 0; i < 2; i++) {
        DESK_NEW(desk, Callout__Shift, shift);
        callout__shift__init(shift);
        shift->service_day = DESK_DAY + i;
        shift->start_us = DESK_DAY_US + i * US_PER_DAY + 8 * HOUR_US;
        shift->end_us = DESK_DAY_US + i * US_PER_DAY + 17 * HOUR_US;
        technician->shifts[i] = shift;
    }
    request->technician = technician;
    return &request->base;
}

static inline Callout__UpsertWorkOrderRequest *desk_order(struct desk *desk, const char *id)
{
    DESK_NEW(desk, Callout__UpsertWorkOrderRequest, request);
    DESK_NEW(desk, Callout__WorkOrder, order);
    DESK_NEW(desk, Callout__Site, site);
    callout__upsert_work_order_request__init(request);
    callout__work_order__init(order);
    callout__site__init(site);
    order->work_order_id = arena_text(&desk->arena, id);
    order->territory_id = words("north");
    order->service_seconds = 1800;
    order->priority = 5;
    order->site = site;
    site->point = desk_point(desk, 471100000, 95200000);
    request->work_order = order;
    return request;
}

static inline Callout__AssignRequest *desk_assign(struct desk *desk, const char *appointment_id,
                                                  const char *technician_id)
{
    DESK_NEW(desk, Callout__AssignRequest, request);
    callout__assign_request__init(request);
    request->appointment_id = words(appointment_id);
    request->technician_id = words(technician_id);
    return request;
}

/* A territory, T1 and T2, and the orders W1 and W2. */
static inline void desk_furnish(struct desk *desk)
{
    desk_do(desk, "UpsertTerritory", desk_territory(desk, "UTC"));
    desk_do(desk, "UpsertTechnician", desk_technician(desk, "T1"));
    desk_do(desk, "UpsertTechnician", desk_technician(desk, "T2"));
    desk_do(desk, "UpsertWorkOrder", &desk_order(desk, "W1")->base);
    desk_do(desk, "UpsertWorkOrder", &desk_order(desk, "W2")->base);
}

/* A desk in memory, furnished. */
static inline void desk_open_furnished(struct desk *desk)
{
    desk_open(desk, store_open_mem(), NULL);
    desk_furnish(desk);
}

/* Another territory, with T9. */
static inline void desk_furnish_south(struct desk *desk)
{
    const ProtobufCMessage *south = desk_territory(desk, "UTC");
    ((const Callout__UpsertTerritoryRequest *)south)->territory->territory_id = words("south");
    desk_do(desk, "UpsertTerritory", south);
    const ProtobufCMessage *technician = desk_technician(desk, "T9");
    ((const Callout__UpsertTechnicianRequest *)technician)->technician->territory_id =
        words("south");
    desk_do(desk, "UpsertTechnician", technician);
}

/* --- devices --- */

struct desk_device {
    Callout__Principal who;
    struct phone_key *key;
    Callout__HelloRequest hello;
    ProtobufCBinaryData token;
    uint64_t seq;
};

static inline const char *desk_admin(struct desk *desk, const char *verb, const char *argument)
{
    Callout__AdminRequest request;
    callout__admin_request__init(&request);
    char *arguments[] = {words(argument)};
    request.verb = words(verb);
    request.arguments = arguments;
    request.n_arguments = 1;
    Callout__AdminReply *answer = desk_body(desk, desk_inner(desk, "Admin", &request.base),
                                            &callout__admin_reply__descriptor);
    return answer->n_values > 0 ? answer->values[0] : "";
}

static inline const Callout__Principal *nobody_yet(void)
{
    static Callout__Principal anonymous;
    callout__principal__init(&anonymous);
    anonymous.kind = CALLOUT__PRINCIPAL_KIND__ANONYMOUS;
    return &anonymous;
}

static inline Callout__Reply *desk_enroll_by(struct desk *desk, struct phone_key *key,
                                             const char *token)
{
    Callout__EnrollRequest request;
    phone_key_enroll(key, token, &request);
    return desk_ask_as(desk, nobody_yet(), "Enroll", "", &request.base);
}

static inline struct phone_key *desk_key(struct desk *desk)
{
    DESK_NEW(desk, struct phone_key, key);
    phone_key_make(key);
    return key;
}

/* With a key of its own. */
static inline Callout__Reply *desk_enroll(struct desk *desk, const char *token)
{
    return desk_enroll_by(desk, desk_key(desk), token);
}

/* Both halves of Hello. */
static inline Callout__Reply *desk_hello(struct desk *desk, struct desk_device *device)
{
    device->hello.nonce.len = device->hello.signature.len = 0;
    Callout__HelloReply *challenge =
        desk_body(desk, desk_ask_as(desk, nobody_yet(), "Hello", "", &device->hello.base),
                  &callout__hello_reply__descriptor);
    phone_key_hello(device->key, challenge, &device->hello);
    return desk_ask_as(desk, nobody_yet(), "Hello", "", &device->hello.base);
}

static inline Callout__Principal *desk_resolve(struct desk *desk, ProtobufCBinaryData token)
{
    Callout__ResolveSessionRequest request;
    callout__resolve_session_request__init(&request);
    request.session_token = token;
    Callout__ResolveSessionReply *answer =
        desk_body(desk, desk_inner(desk, "ResolveSession", &request.base),
                  &callout__resolve_session_reply__descriptor);
    return answer->principal;
}

/* A device that is enrolled and has said hello. */
static inline struct desk_device desk_device(struct desk *desk, const char *technician_id)
{
    struct desk_device device = {.key = desk_key(desk)};
    callout__hello_request__init(&device.hello);
    Callout__EnrollReply *enrolled =
        desk_body(desk, desk_enroll_by(desk, device.key, desk_admin(desk, "enrol", technician_id)),
                  &callout__enroll_reply__descriptor);
    device.hello.device_id = enrolled->device_id;
    device.hello.epoch = enrolled->epoch;
    Callout__HelloReply *hello =
        desk_body(desk, desk_hello(desk, &device), &callout__hello_reply__descriptor);
    device.token = hello->session_token;
    device.who = *desk_resolve(desk, device.token);
    assert_string_equal(device.who.role, "technician");
    return device;
}

static inline Callout__Command *desk_status(struct desk *desk, uint64_t seq,
                                            const char *appointment_id,
                                            Callout__AppointmentStatus status)
{
    DESK_NEW(desk, Callout__Command, command);
    DESK_NEW(desk, Callout__StatusReport, report);
    callout__command__init(command);
    callout__status_report__init(report);
    report->appointment_id = words(appointment_id);
    report->status = status;
    command->seq = seq;
    command->body_case = CALLOUT__COMMAND__BODY_STATUS;
    command->status = report;
    return command;
}

static inline const ProtobufCMessage *desk_push(struct desk *desk,
                                                Callout__Command *const *commands, size_t count)
{
    DESK_NEW(desk, Callout__PushRequest, request);
    callout__push_request__init(request);
    request->commands = arena_need(&desk->arena, (count + 1) * sizeof *request->commands);
    for (size_t i = 0; i < count; i++)
        request->commands[i] = commands[i];
    request->n_commands = count;
    return &request->base;
}

static inline Callout__CommandResult *
desk_push_one(struct desk *desk, const struct desk_device *device, Callout__Command *command)
{
    Callout__PushReply *answer =
        desk_body(desk, desk_ask_as(desk, &device->who, "Push", "", desk_push(desk, &command, 1)),
                  &callout__push_reply__descriptor);
    assert_int_equal(answer->n_results, 1);
    return answer->results[0];
}

#endif
