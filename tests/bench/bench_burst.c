/* bench_burst.c - events without a pause against a running system: twenty a second by default, of
 * customers (an API key) and of technicians (real devices), all on one day.
 *
 *   bench_burst NAME DATA DAY TOKENS DEVICES SECONDS PER_SECOND SEED
 *
 * DATA: the running system's folder. DAY: the day folder that was imported into territory "main".
 * TOKENS: a file with one enrolment token per technician, in the day's order. DEVICES: a folder for
 * theirs.
 * What happens follows from the seed, to whom also from what the system answered before. Prints
 * figures: what was sent, and the time from the commit of the event behind a plan to the commit of
 * the first plan for it, both on the server's monotonic clock.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "figures.h"
#include "gateway/client/api.h"
#include "gateway/client/client.h"
#include "pb/dispatch.pb-c.h"
#include "sim/day_send.h"
#include "sim/system.h"
#include "sim/tally.h"

#include <string.h>

enum {
    DEVICES_MAX = 256,
    ORDERS_MAX = 65536,
    EVENTS_MAX = 65536,
    FEED_HOLD_MS = 10000,
    READY_S = 60, /* until all devices are live and the first plan is there */
    DRAIN_S = 20,
    ABSENCE_S = 600, /* of the day's time */
};

enum kind { NEW_ORDER, EMERGENCY, CANCEL, ABSENCE, DELAY, CHECK_IN, KINDS };
static const char *const kind_names[KINDS] = {"new_orders", "emergencies", "cancels",
                                              "absences",   "delays",      "check_ins"};
/* Of a thousand. About as many orders come as are cancelled or completed. */
static const uint32_t kind_shares[KINDS] = {350, 10, 300, 10, 90, 240};

struct burst {
    struct client_loop *loop;
    struct system system;
    struct day day;
    struct api *asks, *feeds;
    struct tally tally;
    struct client *devices[DEVICES_MAX];
    char tokens[DEVICES_MAX][128];
    struct rng rng;
    char (*orders)[LIMIT_ID + 1]; /* that may be cancelled */
    size_t order_count, orders_made;
    struct client_timer timer;
    int64_t next_us, until_us, gap_us; /* monotonic */
    uint64_t after_seq;                /* of the feed */
    uint32_t sent[KINDS], refused;

    struct event {
        uint64_t seq;
        int64_t committed_us;
        bool planned;
    } events[EVENTS_MAX]; /* ascending */
    size_t event_count;
    uint32_t untimed; /* plans of which a time of commit is not known */
    struct samples to_plan_ms;
};
static struct burst burst;

static int fail(const char *what)
{
    fprintf(stderr, "bench_burst: %s\n", what);
    return 1;
}

static char *text_of(const char *borrowed)
{
    union {
        const char *borrowed;
        char *text;
    } both = {borrowed}; /* only read when packed */
    return both.text;
}

/* --- the feed ------------------------------------------------------------------------------- */

static void ask_feed(void);

static struct event *event_find(uint64_t seq)
{
    for (size_t i = burst.event_count; i > 0 && burst.events[i - 1].seq >= seq; i--)
        if (burst.events[i - 1].seq == seq) return &burst.events[i - 1];
    return NULL;
}

static void take_feed(const Callout__FeedEvent *fact)
{
    if (fact->is_event && burst.event_count < EVENTS_MAX)
        burst.events[burst.event_count++] =
            (struct event){.seq = fact->seq, .committed_us = fact->committed_mono_us};
    if (strcmp(fact->kind, "plan") != 0) return;
    struct event *cause = event_find(fact->cause_seq);
    if (cause == NULL || cause->planned) return;
    cause->planned = true;
    if (cause->committed_us == 0 || fact->committed_mono_us == 0) {
        burst.untimed++; /* the feed was answered within the batch, before its commit */
        return;
    }
    sample(&burst.to_plan_ms, (double)(fact->committed_mono_us - cause->committed_us) / 1e3);
}

static void on_feed(void *context, const struct api_answer *answer)
{
    (void)context;
    if (answer->err != ERR_OK) {
        log_error("event feed: %s", answer->text);
        return;
    }
    const Callout__EventFeedReply *reply = (const Callout__EventFeedReply *)answer->message;
    for (size_t i = 0; i < reply->n_events; i++)
        take_feed(reply->events[i]);
    if (reply->next_after_seq > burst.after_seq) burst.after_seq = reply->next_after_seq;
    ask_feed();
}

static void ask_feed(void)
{
    Callout__EventFeedRequest request;
    callout__event_feed_request__init(&request);
    request.after_seq = burst.after_seq;
    request.hold_ms = FEED_HOLD_MS;
    api_ask(burst.feeds, "EventFeed", &request.base, "", on_feed, NULL);
}

/* --- customers ------------------------------------------------------------------------------ */

static void on_answer(void *context, const struct api_answer *answer)
{
    (void)context;
    burst.refused += answer->err != ERR_OK;
}

static void new_order(bool emergency)
{
    struct day_order order =
        burst.day.orders[rng_below(&burst.rng, (uint32_t)burst.day.order_count)];
    if (burst.order_count == ORDERS_MAX) return;
    snprintf(order.id, sizeof order.id, "B%06zu", burst.orders_made++);
    order.received_us = api_domain_us(burst.asks);
    order.window_start_us = order.received_us;
    order.window_end_us = burst.day.end_us;
    order.due_us = 0;
    if (emergency) order.priority = LIMIT_PRIORITY;
    strcpy(burst.orders[burst.order_count++], order.id);
    day_send_order(burst.asks, "main", &order, emergency, on_answer, NULL);
}

static void cancel(void)
{
    if (burst.order_count == 0) return;
    size_t which = rng_below(&burst.rng, (uint32_t)burst.order_count);
    Callout__CancelWorkOrderRequest request;
    callout__cancel_work_order_request__init(&request);
    request.work_order_id = burst.orders[which];
    request.reason = text_of("it works again");
    api_ask(burst.asks, "CancelWorkOrder", &request.base, NULL, on_answer, NULL);
    memmove(burst.orders[which], burst.orders[--burst.order_count], sizeof burst.orders[which]);
}

static void absence(void)
{
    uint32_t who = rng_below(&burst.rng, (uint32_t)burst.day.technician_count);
    Callout__Absence absence;
    callout__absence__init(&absence);
    absence.technician_id = burst.day.technicians[who].id;
    absence.start_us = api_domain_us(burst.asks);
    absence.end_us = absence.start_us + ABSENCE_S * US_PER_SECOND;
    absence.reason = text_of("the van");
    Callout__ReportAbsenceRequest request;
    callout__report_absence_request__init(&request);
    request.absence = &absence;
    api_ask(burst.asks, "ReportAbsence", &request.base, NULL, on_answer, NULL);
}

/* --- technicians ---------------------------------------------------------------------------- */

static bool under_way(const struct replica_visit *visit)
{
    return visit->status >= CALLOUT__APPOINTMENT_STATUS__EN_ROUTE &&
           visit->status <= CALLOUT__APPOINTMENT_STATUS__PAUSED;
}

/* What comes after it on the way to completion; UNSPECIFIED: nothing that he says. */
static Callout__AppointmentStatus after(Callout__AppointmentStatus status)
{
    switch ((int)status) {
    case CALLOUT__APPOINTMENT_STATUS__DISPATCHED: return CALLOUT__APPOINTMENT_STATUS__ACCEPTED;
    case CALLOUT__APPOINTMENT_STATUS__ACCEPTED: return CALLOUT__APPOINTMENT_STATUS__EN_ROUTE;
    case CALLOUT__APPOINTMENT_STATUS__EN_ROUTE: return CALLOUT__APPOINTMENT_STATUS__ON_SITE;
    case CALLOUT__APPOINTMENT_STATUS__ON_SITE: return CALLOUT__APPOINTMENT_STATUS__WORKING;
    case CALLOUT__APPOINTMENT_STATUS__PAUSED: return CALLOUT__APPOINTMENT_STATUS__WORKING;
    case CALLOUT__APPOINTMENT_STATUS__WORKING: return CALLOUT__APPOINTMENT_STATUS__COMPLETED;
    default: return CALLOUT__APPOINTMENT_STATUS__APPOINTMENT_STATUS_UNSPECIFIED;
    }
}

/* What a device has in hand: the visit under way, else the earliest that was dispatched; NULL:
 * none, or it has not heard yet what became of its last word. */
static const struct replica_visit *in_hand(const struct client *device, bool only_under_way)
{
    size_t count;
    const struct replica_visit *visits = client_appointments(device, &count), *best = NULL;
    if (client_unsent(device) > 0) return NULL;
    for (size_t i = 0; i < count; i++) {
        if (under_way(&visits[i])) return &visits[i];
        if (only_under_way ||
            after(visits[i].status) == CALLOUT__APPOINTMENT_STATUS__APPOINTMENT_STATUS_UNSPECIFIED)
            continue;
        if (best == NULL || visits[i].planned_start_us < best->planned_start_us) best = &visits[i];
    }
    return best;
}

/* Somebody who has something to say; false: nobody has. */
static bool technician_says(bool delay)
{
    uint32_t count = (uint32_t)burst.day.technician_count, from = rng_below(&burst.rng, count);
    const struct replica_visit *visit = NULL;
    struct client *device = NULL;
    for (uint32_t i = 0; i < count && visit == NULL; i++) {
        device = burst.devices[(from + i) % count];
        visit = in_hand(device, delay);
    }
    if (visit == NULL) return false;
    Callout__Command command;
    Callout__RunningLate late;
    Callout__StatusReport status;
    callout__command__init(&command);
    callout__running_late__init(&late);
    callout__status_report__init(&status);
    late.appointment_id = status.appointment_id = text_of(visit->appointment_id);
    late.delay_seconds = 60 * (5 + (int32_t)rng_below(&burst.rng, 16));
    status.status = after(visit->status);
    command.body_case = delay ? CALLOUT__COMMAND__BODY_RUNNING_LATE : CALLOUT__COMMAND__BODY_STATUS;
    if (delay)
        command.running_late = &late;
    else
        command.status = &status;
    uint64_t seq;
    struct problem problem;
    return client_save(device, &command, &seq, &problem) == ERR_OK;
}

/* --- the burst ------------------------------------------------------------------------------ */

static void happen(void)
{
    uint32_t place = rng_below(&burst.rng, 1000), kind = 0;
    while (place >= kind_shares[kind])
        place -= kind_shares[kind++];
    bool said = true;
    switch ((enum kind)kind) {
    case NEW_ORDER:
    case EMERGENCY: new_order(kind == EMERGENCY); break;
    case CANCEL: cancel(); break;
    case ABSENCE: absence(); break;
    case DELAY:
    case CHECK_IN:
    case KINDS: said = technician_says(kind == DELAY); break;
    }
    if (!said) new_order(false);
    burst.sent[said ? kind : NEW_ORDER]++;
}

static void on_timer(void *context)
{
    (void)context;
    while (burst.next_us <= clock_mono_us() && burst.next_us < burst.until_us) {
        happen();
        burst.next_us += burst.gap_us;
    }
    if (burst.next_us < burst.until_us)
        client_timer_set(burst.loop, &burst.timer, burst.next_us);
    else
        client_loop_stop(burst.loop);
}

/* Runs until the condition holds, or for so long; false: it never did. */
static bool run_until(bool (*holds)(void), int seconds)
{
    int64_t until_us = clock_mono_us() + seconds * US_PER_SECOND;
    while (!holds() && clock_mono_us() < until_us) {
        tally_read(&burst.tally);
        client_loop_run(burst.loop, clock_mono_us() + US_PER_SECOND / 5);
    }
    return holds();
}

static bool ready(void)
{
    for (size_t i = 0; i < burst.day.technician_count; i++)
        if (client_state(burst.devices[i]) != CLIENT_LIVE) return false;
    return burst.tally.known && burst.tally.count.plan_version > 0;
}

static bool quiet(void)
{
    for (size_t i = 0; i < burst.day.technician_count; i++)
        if (client_unsent(burst.devices[i]) > 0) return false;
    return api_waiting(burst.asks) <= 1; /* the tally's own */
}

static bool open_devices(const char *tokens, const char *folder)
{
    FILE *file = fopen(tokens, "r");
    size_t count = burst.day.technician_count;
    for (size_t i = 0; file != NULL && i < count; i++) {
        struct problem problem;
        char path[1024];
        if (fgets(burst.tokens[i], sizeof burst.tokens[i], file) == NULL) return false;
        burst.tokens[i][strcspn(burst.tokens[i], "\r\n")] = '\0';
        snprintf(path, sizeof path, "%s/%zu", folder, i);
        const struct client_options options = {.url = burst.system.gateway,
                                               .folder = path,
                                               .enrol_token = burst.tokens[i],
                                               .device_name = burst.day.technicians[i].id,
                                               .app_build = "callout bench",
                                               .volatile_outbox = true};
        if (client_open(&burst.devices[i], burst.loop, &options, &problem) != ERR_OK) return false;
    }
    return file != NULL && fclose(file) == 0;
}

static bool open_apis(void)
{
    struct problem problem;
    struct api_options options = {
        .url = burst.system.gateway, .key = burst.system.key, .app_build = "callout bench"};
    if (api_open(&burst.asks, burst.loop, &options, &problem) != ERR_OK) return false;
    options.held = true;
    if (api_open(&burst.feeds, burst.loop, &options, &problem) != ERR_OK) return false;
    burst.tally = (struct tally){
        .api = burst.asks, .territory_id = "main", .service_day = burst.day.service_day};
    return true;
}

static bool open_day(const char *folder)
{
    static struct day_errors errors;
    char technicians[1024], orders[1024];
    snprintf(technicians, sizeof technicians, "%s/technicians.csv", folder);
    snprintf(orders, sizeof orders, "%s/orders.csv", folder);
    if (day_read(&burst.day, technicians, orders, "Europe/Vaduz", &errors) != ERR_OK) return false;
    burst.orders = calloc(ORDERS_MAX, sizeof *burst.orders);
    for (size_t i = 0; burst.orders != NULL && i < burst.day.order_count; i++)
        strcpy(burst.orders[burst.order_count++], burst.day.orders[i].id);
    return burst.orders != NULL && burst.day.order_count <= ORDERS_MAX &&
           burst.day.order_count > 0 && burst.day.technician_count <= DEVICES_MAX;
}

static void report(const char *name, double seconds)
{
    for (int i = 0; i < KINDS; i++)
        figure(name, kind_names[i], burst.sent[i], "count");
    figure(name, "requests_refused", burst.refused, "count");
    figure(name, "events", (double)burst.event_count, "count");
    figure(name, "events_per_second", (double)burst.event_count / seconds, "1/s");
    figure(name, "unserved_at_the_end", (double)burst.tally.count.unscheduled, "orders");
    figure(name, "commit_to_plan_count", burst.to_plan_ms.count, "count");
    figure(name, "commit_to_plan_untimed", burst.untimed, "count");
    figure(name, "commit_to_plan_p50", percentile(&burst.to_plan_ms, 50), "ms");
    figure(name, "commit_to_plan_p95", percentile(&burst.to_plan_ms, 95), "ms");
    figure(name, "commit_to_plan_p99", percentile(&burst.to_plan_ms, 99), "ms");
}

static int drive(const char *name, double seconds, double per_second)
{
    if (!run_until(ready, READY_S)) return fail("the devices or the first plan did not come");
    burst.after_seq = burst.tally.count.log_seq;
    ask_feed();
    burst.gap_us = (int64_t)(US_PER_SECOND / per_second);
    burst.next_us = clock_mono_us();
    burst.until_us = burst.next_us + (int64_t)(seconds * US_PER_SECOND);
    burst.timer = (struct client_timer){.fire = on_timer};
    on_timer(NULL);
    client_loop_run(burst.loop, INT64_MAX);
    bool drained = run_until(quiet, DRAIN_S);
    client_loop_run(burst.loop, clock_mono_us() + US_PER_SECOND); /* the feed's last words */
    report(name, seconds);
    return drained ? 0 : fail("some words of devices or customers were never answered");
}

int main(int argc, char **argv)
{
    struct problem problem;
    if (argc != 9) return fail("NAME DATA DAY TOKENS DEVICES SECONDS PER_SECOND SEED");
    double seconds = strtod(argv[6], NULL), per_second = strtod(argv[7], NULL);
    if (!(seconds > 0 && per_second > 0 && per_second <= 1000)) return fail("no such rate");
    log_open("bench", LOG_WARN);
    burst.rng = (struct rng){strtoull(argv[8], NULL, 10)};
    if (!open_day(argv[3])) return fail("the day cannot be read");
    if (system_find(&burst.system, argv[2], &problem) != ERR_OK) return fail(problem.text);
    if (client_loop_open(&burst.loop) != ERR_OK || !open_apis() || !open_devices(argv[4], argv[5]))
        return fail("the system cannot be reached");
    int code = drive(argv[1], seconds, per_second);
    for (size_t i = 0; i < burst.day.technician_count; i++)
        client_close(burst.devices[i]);
    api_close(burst.asks);
    api_close(burst.feeds);
    client_loop_close(burst.loop);
    free(burst.orders);
    day_fini(&burst.day);
    return code;
}
