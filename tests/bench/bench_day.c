/* bench_day.c - a day folder as a day of events: orders become known when they were received, the
 * technicians work as planned, and the plan is made again after each event by the real optimizer,
 * down to its loop, against the real dispatcher over a store of memory. Only the bus between them
 * is another: it calls the engine, and lets time go on when the optimizer has nothing left to do.
 *
 *   bench_day NAME FOLDER [WORD ...]      no overtime; further words go to the optimizer
 *
 * The policy is the default one, but for a limit: one visit in ten may ever change technician.
 * Who has a next visit leaves so that he is there when it is planned to start, and not before:
 * until then the plan may still change. Travel and service take their planned times. What has begun
 * stays. At the end each executed route is held against model/route.h, with the windows as ordered.
 */
#include "base/check.h"
#include "bus.h"
#include "dispatcher/core/state.h"
#include "dispatcher/engine_impl.h"
#include "figures.h"
#include "optimizer/service.h"
#include "tests/dispatcher/desk.h"
#include "tests/scenario/lockstep.h"

#include <signal.h>

#define FREEZE_MARGIN_US INT64_C(500000)

/* Of a day's visits plans may give one in ten to somebody else. */
enum { CHANGED_PERCENT_MAX = 10 };

enum { COMPLETIONS_MAX = 16, STOPS_MAX = LIMIT_VISITS_PER_ROUTE, APPOINTMENTS_MAX = 4096 };

/* What a person has done and does. */
struct person {
    uint32_t index, shift; /* in the core */
    int64_t until_us;      /* the end of the journey, or of the work */
    uint32_t count;
    uint32_t stops[STOPS_MAX]; /* appointments, in the order of service */
    int64_t starts_us[STOPS_MAX];
};

/* Where an appointment was planned. */
struct place {
    uint32_t shift; /* the last that had it; NONE: none yet */
    bool changed;   /* ever */
    int64_t start_us;
};

struct bus {
    struct caller caller;
    struct desk desk;
    struct lockstep lockstep;
    Callout__Principal devices[DEVICES_MAX];
    struct bus_completion done[COMPLETIONS_MAX];
    uint32_t done_count;
    uint8_t *held; /* the optimizer's NextProblem; NULL: none is held */
    size_t held_size;
    uint64_t held_cookie;

    struct day day;
    size_t orders_known;
    struct person persons[DEVICES_MAX];
    struct place places[APPOINTMENTS_MAX];
    uint32_t changes_of[DEVICES_MAX]; /* of the plan, by technician */
    uint32_t events, plans, refused, changes_of_technician, changes_of_start;
    double world_ms; /* CPU that is not the optimizer's */
};

static struct bus world;

static const struct core *the_core(void)
{
    return engine_core(world.desk.engine);
}

/* --- persons -------------------------------------------------------------------------------- */

static int64_t travel_us(struct point from, struct point to)
{
    return travel_seconds(&travel_straight, from, to) * US_PER_SECOND;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The way to the next visit: he leaves so that he is there when it is planned to start. The break,
 * if it is to lie before that, is taken before he leaves if there is time for it, else on the way.
 */
struct way {
    int64_t leaves_us, leg_us, rest_us; /* rest on the way */
};

static struct way way_of(const struct core *core, const struct person *person)
{
    const struct shift *shift = &core->shifts[person->shift];
    const struct technician *who = &core->technicians[person->index];
    const struct appointment *next = &core->appointments[shift->route[0]];
    bool under_way = who->place_us > 0;
    int64_t free_us = under_way ? who->place_us : shift->start_us;
    struct way way = {.leg_us = travel_us(under_way ? who->place : shift->start, next->point)};
    way.leaves_us = next->planned_start_us - way.leg_us;
    int64_t spare_us = next->planned_start_us - shift->break_us;
    bool rests = shift->break_us > 0 && !shift->break_done && free_us <= shift->break_latest_us &&
                 spare_us >= shift->break_earliest_us && spare_us >= free_us + way.leg_us;
    int64_t rested_us = later(free_us, shift->break_earliest_us) + shift->break_us;
    if (rests && rested_us > way.leaves_us) way.rest_us = shift->break_us;
    way.leaves_us = later(way.leaves_us - way.rest_us, free_us);
    return way;
}

static int64_t arrives_us(const struct core *core, const struct person *person)
{
    struct way way = way_of(core, person);
    int64_t leaves_us = later(way.leaves_us, core->now_us);
    return leaves_us + way.leg_us + way.rest_us;
}

/* Is the next visit dispatched, and not accepted yet? */
static bool offered(const struct core *core, const struct person *person)
{
    const struct shift *shift = &core->shifts[person->shift];
    return shift->route_count > 0 && core->now_us >= shift->start_us &&
           core->appointments[shift->route[0]].status == APPOINTMENT_DISPATCHED;
}

/* When he does something next; INT64_MAX: nothing is left. */
static int64_t due_us(const struct core *core, const struct person *person)
{
    const struct shift *shift = &core->shifts[person->shift];
    if (offered(core, person)) return core->now_us;
    if (core->technicians[person->index].current != NONE) return person->until_us;
    if (shift->route_count == 0) return INT64_MAX;
    return way_of(core, person).leaves_us;
}

static void report(uint32_t device, uint32_t appointment, enum appointment_status status)
{
    Callout__Command command;
    Callout__StatusReport body;
    callout__command__init(&command);
    callout__status_report__init(&body);
    body.appointment_id = words(the_core()->appointments[appointment].id);
    body.status = (Callout__AppointmentStatus)status;
    command.body_case = CALLOUT__COMMAND__BODY_STATUS;
    command.status = &body;
    lockstep_push(&world.lockstep, (int)device, &command);
}

static void begin_work(uint32_t i, uint32_t appointment)
{
    struct person *person = &world.persons[i];
    const struct appointment *it = &the_core()->appointments[appointment];
    CHECK(person->count < STOPS_MAX);
    person->stops[person->count] = appointment;
    person->starts_us[person->count++] = world.lockstep.now_us;
    person->until_us = world.lockstep.now_us + it->service_us;
    report(i, appointment, APPOINTMENT_WORKING);
}

static void act(uint32_t i)
{
    const struct core *core = the_core();
    struct person *person = &world.persons[i];
    uint32_t current = core->technicians[person->index].current;
    if (offered(core, person)) {
        report(i, core->shifts[person->shift].route[0], APPOINTMENT_ACCEPTED);
        return;
    }
    if (current != NONE) {
        if (core->appointments[current].status == APPOINTMENT_WORKING)
            report(i, current, APPOINTMENT_COMPLETED);
        else
            begin_work(i, current);
        return;
    }
    uint32_t next = core->shifts[person->shift].route[0];
    person->until_us = arrives_us(core, person);
    report(i, next, APPOINTMENT_EN_ROUTE);
}

/* --- the plan ------------------------------------------------------------------------------- */

static void note_change(uint32_t shift)
{
    for (uint32_t i = 0; i < world.day.technician_count; i++)
        world.changes_of[i] += world.persons[i].shift == shift;
}

/* What a published plan changes for those who had a visit: the words are the policy's. */
static void note_plan(void)
{
    const struct core *core = the_core();
    CHECK(core->appointment_count <= APPOINTMENTS_MAX);
    for (uint32_t a = 0; a < core->appointment_count; a++) {
        const struct appointment *it = &core->appointments[a];
        struct place *place = &world.places[a];
        if (it->shift == NONE) continue;
        int64_t moved = it->planned_start_us - place->start_us;
        if (place->start_us != 0 && place->shift != it->shift) {
            world.changes_of_technician++;
            place->changed = true;
            note_change(place->shift);
            note_change(it->shift);
        } else if (place->start_us != 0 &&
                   (moved > 15 * US_PER_MINUTE || -moved > 15 * US_PER_MINUTE)) {
            world.changes_of_start++;
            note_change(it->shift);
        }
        place->shift = it->shift;
        place->start_us = it->planned_start_us;
    }
}

static void note_proposal(const struct engine_item *item, const ProtobufCBinaryData *bytes)
{
    struct desk *desk = &world.desk;
    Callout__Request *request =
        (Callout__Request *)desk_decode(desk, &callout__request__descriptor, *bytes);
    if (strcmp(request->method, "ProposePlan") != 0) return;
    Callout__ProposePlanReply *reply =
        desk_body(desk, desk_reply(desk, item, false), &callout__propose_plan_reply__descriptor);
    world.refused += (uint32_t)reply->n_refused;
    if (reply->plan_version == 0) return;
    world.plans++;
    note_plan();
}

/* --- time goes on --------------------------------------------------------------------------- */

static int64_t next_us(void)
{
    const struct core *core = the_core();
    int64_t next = core_next_wake_us(core);
    if (world.orders_known < world.day.order_count) {
        int64_t received = world.day.orders[world.orders_known].received_us;
        if (received < next) next = received;
    }
    for (uint32_t i = 0; i < world.day.technician_count; i++) {
        int64_t due = due_us(core, &world.persons[i]);
        if (due < next) next = due;
    }
    return next;
}

/* All that happens at one moment; false when the day is over. */
static bool step(void)
{
    struct lockstep *lockstep = &world.lockstep;
    int64_t now_us = next_us();
    if (now_us == INT64_MAX) return false;
    lockstep_clock(lockstep, later(now_us, lockstep->now_us));
    while (world.orders_known < world.day.order_count &&
           world.day.orders[world.orders_known].received_us <= now_us)
        lockstep_order(lockstep, &world.day.orders[world.orders_known++], false);
    for (uint32_t i = 0; i < world.day.technician_count; i++) {
        if (due_us(the_core(), &world.persons[i]) <= now_us) act(i);
    }
    world.events++;
    progress("order", (uint32_t)world.orders_known, (uint32_t)world.day.order_count);
    return true;
}

/* --- the bus -------------------------------------------------------------------------------- */

static void complete(uint64_t cookie, ProtobufCBinaryData reply)
{
    CHECK(world.done_count < COMPLETIONS_MAX);
    uint8_t *copy = malloc(reply.len + 1);
    CHECK(copy != NULL);
    memcpy(copy, reply.data, reply.len);
    world.done[world.done_count++] = (struct bus_completion){cookie, ERR_OK, copy, reply.len};
}

/* As the dispatcher's loop does after each batch. */
static void answer_held(void)
{
    ProtobufCBinaryData reply;
    if (world.held == NULL || engine_answer_held(world.desk.engine, world.held, world.held_size,
                                                 false, world.lockstep.now_us, &reply) != ERR_OK)
        return;
    complete(world.held_cookie, reply);
    free(world.held);
    world.held = NULL;
}

static void hold(uint64_t cookie, const void *bytes, size_t size)
{
    CHECK(world.held == NULL);
    world.held = malloc(size + 1);
    CHECK(world.held != NULL);
    memcpy(world.held, bytes, size);
    world.held_size = size;
    world.held_cookie = cookie;
}

enum err bus_open(struct bus **out, const struct bus_options *options, struct problem *problem)
{
    (void)options;
    (void)problem;
    *out = &world;
    return ERR_OK;
}

void bus_close(struct bus *bus)
{
    free(bus->held);
    bus->held = NULL;
    while (bus->done_count > 0)
        free(bus->done[--bus->done_count].reply);
}

enum err bus_ask(struct bus *bus, uint64_t cookie, const void *bytes, size_t size,
                 uint32_t deadline_ms)
{
    (void)deadline_ms;
    double began = cpu_ms();
    struct engine_item item = {.bytes = bytes, .size = size};
    arena_rewind(&bus->desk.arena);
    engine_batch(bus->desk.engine, &item, 1, bus->lockstep.now_us);
    if (item.held == HELD_NOT) {
        ProtobufCBinaryData asked = {size, (uint8_t *)(uintptr_t)bytes};
        note_proposal(&item, &asked);
        complete(cookie, item.reply);
    } else {
        hold(cookie, bytes, size);
    }
    answer_held();
    bus->world_ms += cpu_ms() - began;
    return ERR_OK;
}

bool bus_next(struct bus *bus, struct bus_completion *out)
{
    if (bus->done_count == 0) return false;
    *out = bus->done[0];
    bus->done_count--;
    memmove(&bus->done[0], &bus->done[1], bus->done_count * sizeof bus->done[0]);
    return true;
}

bool bus_wait(struct bus *bus, uint32_t timeout_ms)
{
    if (bus->done_count > 0) return true;
    if (timeout_ms == 0 || bus->held == NULL) return false;
    double began = cpu_ms();
    arena_rewind(&bus->desk.arena);
    arena_rewind(&bus->caller.arena);
    if (!step()) raise(SIGTERM);
    answer_held();
    bus->world_ms += cpu_ms() - began;
    return bus->done_count > 0;
}

enum err bus_call(struct bus *bus, const void *bytes, size_t size, uint32_t deadline_ms,
                  uint8_t **reply, size_t *reply_size)
{
    (void)bus;
    (void)bytes;
    (void)size;
    (void)deadline_ms;
    (void)reply;
    (void)reply_size;
    return ERR_IO;
}

/* --- who asks ------------------------------------------------------------------------------- */

static const Callout__Reply *direct_ask(struct caller *caller, int device, const char *method,
                                        const char *request_id, const ProtobufCMessage *body)
{
    (void)caller;
    static Callout__Principal key;
    key = a_key("local", "admin");
    world.desk.now_us = world.lockstep.now_us;
    const Callout__Principal *who = device == -1   ? &key
                                    : device == -2 ? nobody_yet()
                                                   : &world.devices[device];
    return desk_ask_as(&world.desk, who, method, request_id, body);
}

static const char *direct_token(struct caller *caller, const char *technician_id)
{
    (void)caller;
    return desk_admin(&world.desk, "enrol", technician_id);
}

static char *kept(const char *text)
{
    char *copy = strdup(text);
    CHECK(copy != NULL);
    return copy;
}

static void direct_hello(struct caller *caller, int device, const Callout__HelloReply *hello)
{
    (void)caller;
    Callout__Principal *to = &world.devices[device];
    *to = *desk_resolve(&world.desk, hello->session_token);
    to->id = kept(to->id);
    to->technician_id = kept(to->technician_id);
    to->role = kept(to->role);
}

/* --- before and after ----------------------------------------------------------------------- */

static int by_receipt(const void *a, const void *b)
{
    const struct day_order *left = a, *right = b;
    if (left->received_us != right->received_us)
        return left->received_us < right->received_us ? -1 : 1;
    return strcmp(left->id, right->id);
}

static bool open_day(const char *folder)
{
    static struct day_errors errors;
    char technicians[1024], orders[1024];
    snprintf(technicians, sizeof technicians, "%s/technicians.csv", folder);
    snprintf(orders, sizeof orders, "%s/orders.csv", folder);
    if (day_read(&world.day, technicians, orders, "UTC", &errors) != ERR_OK) {
        fprintf(stderr, "%s: %s\n", errors.items[0].field, errors.items[0].text);
        return false;
    }
    if (world.day.technician_count > DEVICES_MAX || world.day.order_count > APPOINTMENTS_MAX ||
        world.day.order_count == 0) {
        fprintf(stderr, "at most %d technicians and %d orders\n", DEVICES_MAX, APPOINTMENTS_MAX);
        return false;
    }
    for (size_t i = 0; i < world.day.technician_count; i++)
        world.day.technicians[i].overtime_s_max = 0;
    qsort(world.day.orders, world.day.order_count, sizeof *world.day.orders, by_receipt);
    return true;
}

static void open_world(void)
{
    struct problem problem;
    struct lockstep *lockstep = &world.lockstep;
    const struct engine_options options = {.clock_by_hand = true,
                                           .freeze_margin_us = FREEZE_MARGIN_US};
    world.caller = (struct caller){.ask = direct_ask, .token = direct_token, .hello = direct_hello};
    *lockstep = (struct lockstep){.caller = &world.caller, .day = &world.day};
    lockstep->now_us = world.day.orders[0].received_us - US_PER_MINUTE;
    world.desk = (struct desk){.store = store_open_mem(), .now_us = lockstep->now_us};
    arena_open(&world.desk.arena, (size_t)1 << 30);
    arena_open(&world.caller.arena, (size_t)1 << 30);
    if (engine_open(&world.desk.engine, world.desk.store, &options, &problem) != ERR_OK) exit(1);
    lockstep_clock(lockstep, lockstep->now_us);
    lockstep->policy = policy_message(&world.caller.arena, &policy_default);
    lockstep->policy->changed_visits_percent_max = CHANGED_PERCENT_MAX;
    lockstep_territory(lockstep);
    for (uint32_t i = 0; i < world.day.technician_count; i++) {
        lockstep_technician(lockstep, &world.day.technicians[i]);
        lockstep_device(lockstep, (int)i);
        const struct core *core = the_core();
        uint32_t index = id_index_find(&core->technician_ids, world.day.technicians[i].id);
        world.persons[i] =
            (struct person){.index = index, .shift = core->technicians[index].first_shift};
    }
}

/* Travel of an executed route; what it breaks is told. */
static int32_t executed_s(const struct person *person, uint32_t *broken)
{
    const struct core *core = the_core();
    const struct shift *shift = &core->shifts[person->shift];
    struct route_visit visits[STOPS_MAX];
    const struct route_visit *order[STOPS_MAX];
    struct route_stop stops[STOPS_MAX];
    struct route_times times;
    const struct route_day day = {.start = shift->start,
                                  .end = shift->end,
                                  .available_us = shift->start_us,
                                  .shift_end_us = shift->end_us,
                                  .break_earliest_us = shift->break_earliest_us,
                                  .break_latest_us = shift->break_latest_us,
                                  .break_us = shift->break_us};
    for (uint32_t i = 0; i < person->count; i++) {
        const struct appointment *it = &core->appointments[person->stops[i]];
        visits[i] = (struct route_visit){.at = it->point, .service_us = it->service_us};
        visits[i].window_count = it->window_count;
        memcpy(visits[i].windows, it->windows, sizeof visits[i].windows);
        visits[i].not_before_us = person->starts_us[i];
        order[i] = &visits[i];
    }
    bool fits =
        route_time(&travel_straight, &day, order, person->count, stops, &times) == ROUTE_FITS;
    for (uint32_t i = 0; fits && i < person->count; i++)
        fits = stops[i].start_us == person->starts_us[i];
    if (!fits) {
        ++*broken;
        fprintf(stderr, "%s, %u stops, at %u: %s\n", core->technicians[person->index].id,
                person->count, times.rule_index, route_rule_text(times.rule));
    }
    return person->count == 0 ? 0 : times.travel_s;
}

static void report_day(const char *name, double optimizer_ms)
{
    const struct core *core = the_core();
    uint32_t unserved = 0, changed = 0, broken = 0, most = 0;
    int64_t travel_s = 0, priority = 0;
    for (uint32_t i = 0; i < world.day.technician_count; i++) {
        travel_s += executed_s(&world.persons[i], &broken);
        if (world.changes_of[i] > most) most = world.changes_of[i];
    }
    for (uint32_t a = 0; a < core->appointment_count; a++) {
        bool served = core->appointments[a].status == APPOINTMENT_COMPLETED;
        unserved += !served;
        priority += served ? core->appointments[a].priority : 0;
        changed += world.places[a].changed;
    }
    figure(name, "travel", (double)travel_s, "s");
    figure(name, "unserved", unserved, "orders");
    figure(name, "priority_served", (double)priority, "priority");
    figure(name, "changed_technician", changed, "orders");
    figure(name, "changes_of_technician", world.changes_of_technician, "count");
    figure(name, "changes_of_start", world.changes_of_start, "count");
    figure(name, "changes_of_one_technician_most", most, "count");
    figure(name, "broken_routes", broken, "routes");
    figure(name, "events", world.events, "count");
    figure(name, "plans", world.plans, "count");
    figure(name, "refused_routes", world.refused, "routes");
    figure(name, "cpu_per_event", optimizer_ms / world.events, "ms");
}

int main(int argc, char **argv)
{
    char program[] = "optimizer", no_bounds[] = "--no-bounds";
    char dispatcher[] = "--dispatcher", url[] = "direct";
    char *words_of[64] = {program, no_bounds, dispatcher, url};
    if (argc < 3 || argc > 32 || !open_day(argv[2])) {
        fprintf(stderr, "usage: bench_day NAME FOLDER [WORD ...]\n");
        return 2;
    }
    for (int i = 3; i < argc; i++)
        words_of[i + 1] = argv[i];
    open_world();
    double began = cpu_ms();
    world.world_ms = 0;
    if (optimizer_main(argc + 1, words_of) != 0) return 1;
    report_day(argv[1], cpu_ms() - began - world.world_ms);
    desk_close(&world.desk);
    arena_close(&world.caller.arena);
    day_fini(&world.day);
    return 0;
}
