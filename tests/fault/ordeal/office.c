#include "office.h"

#include "base/check.h"
#include "base/clock.h"
#include "crew.h"
#include "gateway/client/api.h"
#include "pb/dispatch.pb-c.h"
#include "sim/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 24, PER_TERRITORY = 10, PER_TECHNICIAN = 4 };
#define HOUR_US  (60 * US_PER_MINUTE)
#define CALLS_US (10 * HOUR_US) /* in which the late third is called in */

struct errand {
    struct errand *next;
    struct office *office;
    char request_id[ID_BYTES + 16];
};

struct office {
    struct office_options options;
    struct api *api;
    struct errand *errands;
    struct client_timer call;
    struct rng chance;
    uint32_t day, ordered, asked; /* ordered: of the day */
};

static void on_done(void *context, const struct api_answer *answer)
{
    struct errand *errand = context;
    struct office *office = errand->office;
    if (answer->err == ERR_OK) oracle_accepted(office->options.oracle, errand->request_id);
    struct errand **link = &office->errands;
    while (*link != errand)
        link = &(*link)->next;
    *link = errand->next;
    free(errand);
}

static void ask(struct office *office, const char *method, const ProtobufCMessage *message)
{
    struct errand *errand = calloc(1, sizeof *errand);
    CHECK(errand != NULL);
    errand->office = office;
    errand->next = office->errands;
    office->errands = errand;
    snprintf(errand->request_id, sizeof errand->request_id, "%u-%s", ++office->asked, method);
    api_ask(office->api, method, message, errand->request_id, on_done, errand);
}

struct office *office_open(const struct office_options *options)
{
    struct office *office = calloc(1, sizeof *office);
    struct problem problem;
    CHECK(office != NULL && options->days <= ORDEAL_DAYS_MAX);
    office->options = *options;
    office->chance = (struct rng){options->seed};
    const struct api_options api = {
        .url = "sim://key/office", .key = options->key, .app_build = "ordeal"};
    enum err err = api_open(&office->api, options->loop, &api, &problem);
    CHECK(err == ERR_OK);
    return office;
}

void office_close(struct office *office)
{
    client_timer_cancel(office->options.loop, &office->call);
    api_close(office->api);
    for (struct errand *errand = office->errands, *next; errand != NULL; errand = next) {
        next = errand->next;
        free(errand);
    }
    free(office);
}

bool office_waits(const struct office *office)
{
    return office->errands != NULL;
}

/* --- the beginning --- */

static uint32_t territories(const struct office *office)
{
    return (office->options.technicians + PER_TERRITORY - 1) / PER_TERRITORY;
}

static void add_territory(struct office *office, uint32_t number)
{
    char id[ID_BYTES], zone[] = "UTC";
    Callout__UpsertTerritoryRequest request;
    Callout__Territory territory;
    callout__upsert_territory_request__init(&request);
    callout__territory__init(&territory);
    snprintf(id, sizeof id, "north%u", number);
    territory.territory_id = id;
    territory.time_zone = zone;
    request.territory = &territory;
    ask(office, "UpsertTerritory", &request.base);
}

static void add_technician(struct office *office, uint32_t number)
{
    char id[16], territory_id[ID_BYTES];
    Callout__UpsertTechnicianRequest request;
    Callout__Technician technician;
    Callout__Point home;
    Callout__Shift shifts[ORDEAL_DAYS_MAX], *list[ORDEAL_DAYS_MAX];
    callout__upsert_technician_request__init(&request);
    callout__technician__init(&technician);
    callout__point__init(&home);
    crew_name(number, id);
    snprintf(territory_id, sizeof territory_id, "north%u", number / PER_TERRITORY);
    home.lat_e7 = 471000000;
    home.lon_e7 = 95000000;
    for (uint32_t day = 0; day < office->options.days; day++) {
        int64_t begin_us = office->options.begin_us + day * US_PER_DAY;
        callout__shift__init(&shifts[day]);
        shifts[day].service_day = begin_us / US_PER_DAY;
        shifts[day].start_us = begin_us + 7 * HOUR_US;
        shifts[day].end_us = begin_us + 17 * HOUR_US;
        list[day] = &shifts[day];
    }
    technician.technician_id = id;
    technician.territory_id = territory_id;
    technician.home = &home;
    technician.shifts = list;
    technician.n_shifts = office->options.days;
    request.technician = &technician;
    ask(office, "UpsertTechnician", &request.base);
}

void office_furnish(struct office *office)
{
    for (uint32_t i = 0; i < territories(office); i++)
        add_territory(office, i);
    for (uint32_t i = 0; i < office->options.technicians; i++)
        add_technician(office, i);
}

/* --- a day --- */

static uint32_t orders_a_day(const struct office *office)
{
    return office->options.technicians * PER_TECHNICIAN;
}

static void order_id(const struct office *office, uint32_t number, char out[ID_BYTES])
{
    snprintf(out, ID_BYTES, "W%u-%u", office->day, number);
}

static void add_order(struct office *office)
{
    char id[ID_BYTES], territory_id[ID_BYTES];
    Callout__UpsertWorkOrderRequest request;
    Callout__WorkOrder order;
    Callout__Site site;
    Callout__Point point;
    callout__upsert_work_order_request__init(&request);
    callout__work_order__init(&order);
    callout__site__init(&site);
    callout__point__init(&point);
    order_id(office, office->ordered, id);
    snprintf(territory_id, sizeof territory_id, "north%u", office->ordered % territories(office));
    point.lat_e7 = 471000000 + (int32_t)rng_below(&office->chance, 500000);
    point.lon_e7 = 95000000 + (int32_t)rng_below(&office->chance, 500000);
    site.point = &point;
    order.work_order_id = id;
    order.territory_id = territory_id;
    order.service_seconds = 1200;
    order.priority = 1 + rng_below(&office->chance, 9);
    order.site = &site;
    request.work_order = &order;
    office->ordered++;
    ask(office, "UpsertWorkOrder", &request.base);
}

static void cancel_order(struct office *office)
{
    char id[ID_BYTES], reason[] = "not wanted any more";
    Callout__CancelWorkOrderRequest request;
    callout__cancel_work_order_request__init(&request);
    order_id(office, rng_below(&office->chance, office->ordered), id);
    request.work_order_id = id;
    request.reason = reason;
    ask(office, "CancelWorkOrder", &request.base);
}

static void move_visit(struct office *office)
{
    char id[ID_BYTES + 2], technician_id[16], reason[] = "the customer asked for him";
    Callout__AssignRequest request;
    uint32_t order = rng_below(&office->chance, office->ordered);
    uint32_t who = order % territories(office) * PER_TERRITORY;
    callout__assign_request__init(&request);
    order_id(office, order, id);
    strcat(id, ".1");
    crew_name(who + rng_below(&office->chance, who + PER_TERRITORY > office->options.technicians
                                                   ? office->options.technicians - who
                                                   : PER_TERRITORY),
              technician_id);
    request.appointment_id = id;
    request.technician_id = technician_id;
    request.override_reason = reason;
    ask(office, "Assign", &request.base);
}

static void on_call(void *context)
{
    struct office *office = context;
    uint32_t what = rng_below(&office->chance, 10);
    if (what < 6 && office->ordered < orders_a_day(office))
        add_order(office);
    else if (what < 8)
        move_visit(office);
    else
        cancel_order(office);
    int64_t gap_us = CALLS_US / orders_a_day(office);
    client_timer_set(office->options.loop, &office->call,
                     client_loop_now_us(office->options.loop) +
                         draw_about(&office->chance, 2 * gap_us, 600));
}

void office_new_day(struct office *office, uint32_t day)
{
    office->day = day;
    office->ordered = 0;
    while (office->ordered < orders_a_day(office) * 2 / 3)
        add_order(office);
}

void office_to_work(struct office *office)
{
    office->call = (struct client_timer){.fire = on_call, .context = office};
    client_timer_set(office->options.loop, &office->call,
                     client_loop_now_us(office->options.loop) + US_PER_MINUTE);
}

void office_go_home(struct office *office)
{
    client_timer_cancel(office->options.loop, &office->call);
}
