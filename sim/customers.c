#include "sim/customers.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/rng.h"
#include "pb/dispatch.pb-c.h"
#include "sim/day_send.h"
#include "sim/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Somebody who calls at a time: with an order, or to cancel one. */
struct call {
    int64_t at_us; /* domain time */
    const struct day_order *order;
    bool cancels, emergency;
};

struct customers {
    struct client_loop *loop;
    struct api *api;
    const char *territory_id;
    struct client_timer timer;
    struct call *calls; /* ascending by time */
    size_t call_count, next;
    struct day_order *emergencies;
    struct customers_count count;
};

/* --- the calls of the day -------------------------------------------------------------------- */

static void add_call(struct customers *customers, struct call call)
{
    customers->calls[customers->call_count++] = call;
}

static int by_time(const void *a, const void *b)
{
    const struct call *x = a, *y = b;
    return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

/* An emergency at the address of one of the day's orders, with the skill that it needs. */
static void make_emergency(struct day_order *out, const struct customers_options *options,
                           struct rng *rng, uint32_t index)
{
    const struct day *day = options->day;
    int64_t first_us = day->start_us + 30 * US_PER_MINUTE;
    int64_t last_us = day->end_us - 150 * US_PER_MINUTE;
    const struct day_order *like = &day->orders[rng_below(rng, (uint32_t)day->order_count)];
    *out = *like;
    snprintf(out->id, sizeof out->id, "E%04u-%04x", index, (unsigned)(options->seed & 0xffff));
    snprintf(out->work_type, sizeof out->work_type, "emergency");
    out->received_us = first_us + (int64_t)(rng_unit(rng) * (double)(last_us - first_us));
    out->service_s = 60 * (int32_t)(15 + rng_below(rng, 4) * 5);
    out->priority = LIMIT_PRIORITY;
    out->window_start_us = out->received_us;
    out->window_end_us = out->received_us + 150 * US_PER_MINUTE;
    out->due_us = out->window_end_us;
    if (out->skill_count > 0 && out->skills[0].level > 2) out->skills[0].level = 2;
}

static void add_emergencies(struct customers *customers, const struct customers_options *options,
                            int64_t now_us)
{
    struct rng rng = {options->seed ^ UINT64_C(0x911)};
    for (uint32_t i = 0; i < options->emergencies; i++) {
        struct day_order *order = &customers->emergencies[i];
        make_emergency(order, options, &rng, i);
        if (order->received_us > now_us)
            add_call(customers, (struct call){order->received_us, order, false, true});
    }
}

/* Cancels come from customers whose window has not begun. */
static void add_cancels(struct customers *customers, const struct customers_options *options,
                        int64_t now_us)
{
    struct rng rng = {options->seed ^ UINT64_C(0xca9ce1)};
    const struct day *day = options->day;
    for (uint32_t i = 0; i < options->cancels; i++) {
        const struct day_order *order = &day->orders[rng_below(&rng, (uint32_t)day->order_count)];
        int64_t first_us = order->received_us > day->start_us ? order->received_us : day->start_us;
        int64_t last_us = order->window_end_us - order->service_s * US_PER_SECOND;
        int64_t at_us = first_us + (int64_t)(rng_unit(&rng) * 0.6 * (double)(last_us - first_us));
        if (at_us > now_us) add_call(customers, (struct call){at_us, order, true, false});
    }
}

/* Whether an order is cancelled, and when, depends on the seed and its id alone. */
static void add_own_cancels(struct customers *customers, const struct customers_options *options,
                            int64_t now_us)
{
    const struct day *day = options->day;
    for (size_t i = 0; i < day->order_count; i++) {
        const struct day_order *order = &day->orders[i];
        struct digest digest = digest_start();
        digest_u64(&digest, options->seed);
        digest_bytes(&digest, order->id, strlen(order->id));
        struct rng rng = {digest.state};
        if (!draw_happens(&rng, options->cancel_permille)) continue;
        int64_t first_us = order->received_us > day->start_us ? order->received_us : day->start_us;
        int64_t last_us = order->window_end_us - order->service_s * US_PER_SECOND;
        int64_t at_us = draw_between(&rng, first_us, last_us > first_us ? last_us : first_us + 1);
        if (at_us > now_us) add_call(customers, (struct call){at_us, order, true, false});
    }
}

/* --- calling --------------------------------------------------------------------------------- */

static void on_answer(void *context, const struct api_answer *answer)
{
    struct customers *customers = context;
    if (answer->err == ERR_OK)
        customers->count.ordered++;
    else {
        customers->count.refused++;
        log_warn("an order was refused: %s: %s %s", err_name(answer->err), answer->text,
                 answer->error_count > 0 ? answer->errors[0]->problem : "");
    }
}

static void on_cancel_answer(void *context, const struct api_answer *answer)
{
    struct customers *customers = context;
    if (answer->err == ERR_OK)
        customers->count.cancelled++;
    else
        customers->count.refused++; /* too late: the technician is there already */
}

static void make_call(struct customers *customers, const struct call *call)
{
    if (!call->cancels) {
        bool emergency = call->emergency || strcmp(call->order->work_type, "emergency") == 0;
        day_send_order(customers->api, customers->territory_id, call->order, emergency, on_answer,
                       customers);
        return;
    }
    char id[LIMIT_ID + 1], reason[] = "not needed any more", request_id[LIMIT_ID + 16];
    snprintf(id, sizeof id, "%s", call->order->id);
    snprintf(request_id, sizeof request_id, "cancel-%s", id);
    Callout__CancelWorkOrderRequest request;
    callout__cancel_work_order_request__init(&request);
    request.work_order_id = id;
    request.reason = reason;
    api_ask(customers->api, "CancelWorkOrder", &request.base, request_id, on_cancel_answer,
            customers);
}

static void on_timer(void *context)
{
    struct customers *customers = context;
    int64_t now_us = api_domain_us(customers->api);
    while (customers->next < customers->call_count &&
           customers->calls[customers->next].at_us <= now_us)
        make_call(customers, &customers->calls[customers->next++]);
    if (customers->next < customers->call_count)
        client_timer_set(customers->loop, &customers->timer,
                         api_mono_at(customers->api, customers->calls[customers->next].at_us));
}

/* --- the door -------------------------------------------------------------------------------- */

struct customers *customers_open(struct client_loop *loop, const struct customers_options *options)
{
    const struct day *day = options->day;
    struct customers *customers = calloc(1, sizeof *customers);
    CHECK(customers != NULL);
    customers->loop = loop;
    customers->api = options->api;
    customers->territory_id = options->territory_id;
    customers->timer = (struct client_timer){.fire = on_timer, .context = customers};
    size_t room = 2 * day->order_count + options->emergencies + options->cancels + 1;
    customers->calls = calloc(room, sizeof *customers->calls);
    customers->emergencies = calloc(options->emergencies + 1, sizeof *customers->emergencies);
    CHECK(customers->calls != NULL && customers->emergencies != NULL);
    int64_t now_us = api_domain_us(options->api);
    for (size_t i = 0; i < day->order_count; i++)
        if (day->orders[i].received_us > options->known_at_us)
            add_call(customers,
                     (struct call){day->orders[i].received_us, &day->orders[i], false, false});
    if (day->order_count > 0) {
        add_emergencies(customers, options, now_us);
        add_cancels(customers, options, now_us);
        if (options->cancel_permille > 0) add_own_cancels(customers, options, now_us);
    }
    qsort(customers->calls, customers->call_count, sizeof *customers->calls, by_time);
    on_timer(customers);
    return customers;
}

void customers_close(struct customers *customers)
{
    if (customers == NULL) return;
    client_timer_cancel(customers->loop, &customers->timer);
    free(customers->calls);
    free(customers->emergencies);
    free(customers);
}

struct customers_count customers_count(const struct customers *customers)
{
    struct customers_count count = customers->count;
    count.to_come = customers->call_count - customers->next;
    return count;
}
