#include "sim/load/setup.h"

#include "base/check.h"
#include "base/clock.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/inner.pb-c.h"
#include "sim/load/asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_AT_ONCE = 500, SERVICE_S = 1800, RUN_HOURS = 12 };

static char *text_of(const char *borrowed)
{
    union {
        const char *borrowed;
        char *text;
    } both = {borrowed}; /* only read when packed */
    return both.text;
}

/* --- the questions; each message lives until the next of its kind is made --- */

static const ProtobufCMessage *make_ping(struct load *load, uint32_t index, char id[LOAD_ID])
{
    static Callout__PingRequest request;
    (void)load, (void)index, (void)id;
    callout__ping_request__init(&request);
    return &request.base;
}

static const ProtobufCMessage *make_territory(struct load *load, uint32_t index, char id[LOAD_ID])
{
    static Callout__UpsertTerritoryRequest request;
    static Callout__Territory territory;
    static char territory_id[LOAD_ID];
    callout__upsert_territory_request__init(&request);
    callout__territory__init(&territory);
    load_territory_id(territory_id, index);
    territory.territory_id = territory.name = territory_id;
    territory.time_zone = text_of("UTC");
    request.territory = &territory;
    snprintf(id, LOAD_ID, "load-%s-t%u", load->run, index);
    return &request.base;
}

/* A town of 20 by 20 kilometres around 47.0 N 9.5 E. */
static Callout__Point place_of(uint32_t number)
{
    Callout__Point point;
    callout__point__init(&point);
    struct rng chance = {number};
    point.lat_e7 = 470000000 + (int32_t)rng_below(&chance, 1800000);
    point.lon_e7 = 95000000 + (int32_t)rng_below(&chance, 2600000);
    return point;
}

static const ProtobufCMessage *make_technician(struct load *load, uint32_t index, char id[LOAD_ID])
{
    static Callout__UpsertTechnicianRequest request;
    static Callout__Technician technician;
    static Callout__Shift shift, *shifts[] = {&shift};
    static Callout__Point home;
    static char technician_id[LOAD_ID], territory_id[LOAD_ID];
    int64_t now_us = load_domain_us(load), day = now_us / US_PER_DAY;
    callout__upsert_technician_request__init(&request);
    callout__technician__init(&technician);
    callout__shift__init(&shift);
    home = place_of(index);
    load_technician_id(technician_id, index);
    load_territory_id(territory_id, index);
    technician.technician_id = technician.name = technician_id;
    technician.territory_id = territory_id;
    technician.home = &home;
    technician.shifts = shifts;
    technician.n_shifts = 1;
    shift.technician_id = technician_id;
    shift.service_day = day;
    shift.start_us = now_us - INT64_C(3600) * US_PER_SECOND;
    shift.end_us = now_us + RUN_HOURS * INT64_C(3600) * US_PER_SECOND;
    request.technician = &technician;
    snprintf(id, LOAD_ID, "load-%s-p%u", load->run, index);
    return &request.base;
}

static const ProtobufCMessage *make_order(struct load *load, uint32_t index, char id[LOAD_ID])
{
    static Callout__UpsertWorkOrderRequest request;
    static Callout__WorkOrder order;
    static Callout__Site site;
    static Callout__Point point;
    static Callout__ArrivalWindow window, *windows[] = {&window};
    static char order_id[LOAD_ID], territory_id[LOAD_ID], technician_id[LOAD_ID], *required[1];
    int64_t now_us = load_domain_us(load);
    callout__upsert_work_order_request__init(&request);
    callout__work_order__init(&order);
    callout__site__init(&site);
    callout__arrival_window__init(&window);
    load_order_id(order_id, load, index);
    load_territory_id(territory_id, index);
    load_technician_id(technician_id, index);
    point = place_of(~index);
    site.site_id = order_id;
    site.point = &point;
    window.start_us = now_us;
    window.end_us = now_us + RUN_HOURS / 2 * INT64_C(3600) * US_PER_SECOND;
    required[0] = technician_id;
    order.work_order_id = order_id;
    order.territory_id = territory_id;
    order.site = &site;
    order.service_seconds = SERVICE_S;
    order.priority = 5;
    order.windows = windows;
    order.n_windows = 1;
    order.required_technician_ids = required;
    order.n_required_technician_ids = 1;
    request.work_order = &order;
    snprintf(id, LOAD_ID, "load-%s-o%u", load->run, index);
    return &request.base;
}

static const ProtobufCMessage *make_assign(struct load *load, uint32_t index, char id[LOAD_ID])
{
    static Callout__AssignRequest request;
    static char technician_id[LOAD_ID], order_id[LOAD_ID], appointment_id[LOAD_ID + 2];
    callout__assign_request__init(&request);
    load_technician_id(technician_id, index);
    load_order_id(order_id, load, index);
    snprintf(appointment_id, sizeof appointment_id, "%s.1", order_id);
    request.appointment_id = appointment_id;
    request.technician_id = technician_id;
    request.override_reason = text_of("callout load");
    snprintf(id, LOAD_ID, "load-%s-a%u", load->run, index);
    return &request.base;
}

static uint32_t tokens_in(const struct load *load, uint32_t page)
{
    uint32_t left = load->options.clients - page * TOKENS_AT_ONCE;
    return left < TOKENS_AT_ONCE ? left : TOKENS_AT_ONCE;
}

static const ProtobufCMessage *make_tokens(struct load *load, uint32_t page, char id[LOAD_ID])
{
    static Callout__AdminRequest request;
    static char ids[TOKENS_AT_ONCE][LOAD_ID], *arguments[TOKENS_AT_ONCE];
    (void)id;
    callout__admin_request__init(&request);
    request.verb = text_of("enrol");
    request.arguments = arguments;
    request.n_arguments = tokens_in(load, page);
    for (uint32_t i = 0; i < request.n_arguments; i++) {
        load_technician_id(ids[i], page * TOKENS_AT_ONCE + i);
        arguments[i] = ids[i];
    }
    return &request.base;
}

static enum err take_tokens(struct load *load, uint32_t page, ProtobufCBinaryData body)
{
    ProtobufCMessage *message;
    enum err err = message_decode(&callout__admin_reply__descriptor, body.data, body.len,
                                  &load->arena, &message, NULL);
    if (err != ERR_OK) return err;
    const Callout__AdminReply *reply = (const Callout__AdminReply *)message;
    if (reply->n_values != tokens_in(load, page)) return ERR_INVALID;
    for (size_t i = 0; i < reply->n_values; i++) {
        char *token = strdup(reply->values[i]);
        CHECK(token != NULL);
        load->tokens[page * TOKENS_AT_ONCE + i] = token;
    }
    return ERR_OK;
}

/* --- all of it --- */

enum err setup_make(struct load *load, struct problem *problem)
{
    uint32_t clients = load->options.clients;
    uint32_t pages = (clients + TOKENS_AT_ONCE - 1) / TOKENS_AT_ONCE;
    const struct asker_work ping = {"Ping", "clock", 1, make_ping, NULL};
    const struct asker_work works[] = {
        {"UpsertTerritory", "territories", clients < LOAD_TERRITORIES ? clients : LOAD_TERRITORIES,
         make_territory, NULL},
        {"UpsertTechnician", "technicians", clients, make_technician, NULL},
        {"UpsertWorkOrder", "work orders", clients, make_order, NULL},
        {"Assign", "assignments", clients, make_assign, NULL},
    };
    const struct asker_work tokens = {"Admin", "tokens", pages, make_tokens, take_tokens};
    load->tokens = calloc(clients, sizeof *load->tokens);
    CHECK(load->tokens != NULL);
    enum err err = asker_each(load, load->options.gateway, "", &ping, problem);
    for (size_t i = 0; i < sizeof works / sizeof *works && err == ERR_OK; i++)
        err = asker_each(load, load->options.gateway, load->system.key, &works[i], problem);
    if (err == ERR_OK) err = asker_each(load, load->system.dispatcher, "", &tokens, problem);
    return err;
}
