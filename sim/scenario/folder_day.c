#include "sim/scenario/folder_day.h"

#include "base/check.h"
#include "base/clock.h"
#include "day/zone.h"
#include "sim/scenario/chance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERSON_COPIES = 1, ORDER_COPIES = 2 }; /* what the chance of a copy is about */

/* The same local time so many days later. */
static int64_t later_us(int64_t time_us, int32_t days)
{
    if (time_us == 0 || days == 0) return time_us;
    return zone_local_to_utc_us(zone_utc_to_local_us(time_us) + days * US_PER_DAY);
}

/* 120 percent: each once, and one in five, by chance, twice. */
static int32_t copies_of(uint64_t seed, uint64_t what, size_t index, int32_t percent)
{
    struct rng rng = chance_of(seed, CHANCE_COPY, what, index);
    return percent / 100 + ((int32_t)rng_below(&rng, 100) < percent % 100);
}

/* False: the id grows too long. */
static bool mark_id(char *id, size_t room, int32_t day, int32_t copy)
{
    char more[32] = "";
    size_t length = strlen(id);
    if (copy > 0) snprintf(more, sizeof more, "-c%d", copy);
    if (day > 0) snprintf(more + strlen(more), 16, "-d%d", day + 1);
    if (length + strlen(more) > room) return false;
    memcpy(id + length, more, strlen(more) + 1);
    return true;
}

static bool refuse(struct day_errors *errors, const char *id, const char *text)
{
    if (errors->count++ < DAY_ERRORS_MAX)
        (void)problem_set(&errors->items[errors->count - 1], ERR_INVALID, id, "%s", text);
    return false;
}

static void move_technician(struct day_technician *technician, int32_t days)
{
    technician->shift_start_us = later_us(technician->shift_start_us, days);
    technician->shift_end_us = later_us(technician->shift_end_us, days);
    technician->break_earliest_us = later_us(technician->break_earliest_us, days);
    technician->break_latest_us = later_us(technician->break_latest_us, days);
}

static void move_order(struct day_order *order, int32_t days)
{
    order->received_us = later_us(order->received_us, days);
    order->window_start_us = later_us(order->window_start_us, days);
    order->window_end_us = later_us(order->window_end_us, days);
    order->due_us = later_us(order->due_us, days);
    int64_t least_end_us = order->window_start_us + order->service_s * US_PER_SECOND;
    if (order->window_end_us < least_end_us)
        order->window_end_us = least_end_us; /* clocks changed */
}

/* --- technicians and orders of one day -------------------------------------------------------- */

static bool copy_technicians(struct day *out, const struct day *from,
                             const struct scenario *scenario, uint64_t seed, int32_t index,
                             struct day_errors *errors)
{
    int32_t percent = scenario->folder.technicians_percent;
    out->technicians =
        calloc((size_t)(percent / 100 + 1) * from->technician_count + 1, sizeof *out->technicians);
    CHECK(out->technicians != NULL);
    for (size_t i = 0; i < from->technician_count; i++) {
        int32_t copies = copies_of(seed, PERSON_COPIES, i, percent);
        for (int32_t copy = 0; copy < copies || (copy == 0 && i == 0); copy++) {
            struct day_technician *technician = &out->technicians[out->technician_count++];
            *technician = from->technicians[i];
            move_technician(technician, index);
            if (!mark_id(technician->id, LIMIT_ID, 0, copy))
                return refuse(errors, from->technicians[i].id, "too long for a copy's id");
        }
    }
    return out->technician_count <= LIMIT_ROUTES_PER_PLAN ||
           refuse(errors, "folder.technicians_percent", "too many technicians for one day");
}

static bool copy_orders(struct day *out, const struct day *from, const struct scenario *scenario,
                        uint64_t seed, int32_t index, struct day_errors *errors)
{
    int32_t percent = scenario->folder.orders_percent;
    out->orders = calloc((size_t)(percent / 100 + 1) * from->order_count + 1, sizeof *out->orders);
    CHECK(out->orders != NULL);
    for (size_t i = 0; i < from->order_count; i++) {
        int32_t copies = copies_of(seed, ORDER_COPIES + (uint64_t)index, i, percent);
        for (int32_t copy = 0; copy < copies; copy++) {
            struct day_order *order = &out->orders[out->order_count++];
            *order = from->orders[i];
            move_order(order, index);
            if (!mark_id(order->id, LIMIT_WORK_ORDER_ID, index, copy))
                return refuse(errors, from->orders[i].id, "too long for a copy's id");
        }
    }
    bool few = out->order_count <= LIMIT_VISITS_PER_PLAN &&
               out->order_count * (size_t)scenario->days <= LIMIT_APPOINTMENTS;
    return few || refuse(errors, "folder.orders_percent", "too many orders for the days");
}

static int by_received(const void *a, const void *b)
{
    const struct day_order *x = a, *y = b;
    if (x->received_us != y->received_us) return x->received_us < y->received_us ? -1 : 1;
    return strcmp(x->id, y->id);
}

enum err folder_day(struct day *out, const struct scenario *scenario, uint64_t seed, int32_t index,
                    struct day_errors *errors)
{
    char technicians[SCENARIO_PATH + 32], orders[SCENARIO_PATH + 32];
    struct day from, day = {0};
    const struct scenario_folder *folder = &scenario->folder;
    const char *files = folder->files[0] == '\0' ? folder->path : folder->files;
    snprintf(technicians, sizeof technicians, "%s/technicians.csv", files);
    snprintf(orders, sizeof orders, "%s/orders.csv", files);
    enum err err = day_read(&from, technicians, orders, scenario->time_zone, errors);
    if (err != ERR_OK) return err;
    snprintf(day.time_zone, sizeof day.time_zone, "%s", from.time_zone);
    day.service_day = from.service_day + index;
    day.start_us = later_us(from.start_us, index);
    day.end_us = later_us(from.end_us, index);
    bool sound = copy_technicians(&day, &from, scenario, seed, index, errors) &&
                 copy_orders(&day, &from, scenario, seed, index, errors);
    day_fini(&from);
    if (!sound) {
        day_fini(&day);
        return ERR_INVALID;
    }
    qsort(day.orders, day.order_count, sizeof *day.orders, by_received);
    *out = day;
    return ERR_OK;
}
