#include "crew.h"

#include "base/check.h"
#include "base/clock.h"
#include "sim/draw.h"
#include "sim/world/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 512, TOKEN_BYTES = 128, VISITS_DONE = 32 };
#define ACT_EVERY_US (14 * US_PER_MINUTE)
#define ON_US        (4 * US_PER_MINUTE)
#define OFF_US       (18 * US_PER_MINUTE)

/* What a technician says of a visit, in this order. */
static const Callout__AppointmentStatus steps[] = {
    CALLOUT__APPOINTMENT_STATUS__EN_ROUTE, CALLOUT__APPOINTMENT_STATUS__ON_SITE,
    CALLOUT__APPOINTMENT_STATUS__WORKING, CALLOUT__APPOINTMENT_STATUS__COMPLETED};
enum { STEPS = sizeof steps / sizeof steps[0] };

/* One phone's life, and its client while it is on. */
struct handset {
    struct handset *next; /* among those that were stolen */
    struct oracle *oracle;
    struct life *life;
    struct client *client; /* NULL: it is off */
    bool useless;          /* it was never enrolled, and will not be */
};

struct phone {
    struct crew *crew;
    uint32_t number, generation; /* of the technician, and of his phones */
    char technician_id[16], url[48], folder[PATH_BYTES], token[TOKEN_BYTES];
    struct handset *handset; /* NULL: he has none yet */
    struct client_timer act, radio, crash, boot;
    struct rng chance;
    bool at_work, online;
    int64_t away_us; /* after the crash that is coming */
    char current[LIMIT_ID + 1];
    uint32_t step; /* of the current visit: said so far */
    char done[VISITS_DONE][LIMIT_ID + 1];
    uint32_t done_count;
    int64_t last_fix_us;
};

struct crew {
    struct crew_options options;
    struct phone *phones;
    struct handset *stolen; /* revoked, and still trying */
    uint64_t crashes;
};

static int64_t now_us(const struct phone *phone)
{
    return client_loop_now_us(phone->crew->options.loop);
}

static void set_timer(struct phone *phone, struct client_timer *timer, int64_t in_us)
{
    client_timer_set(phone->crew->options.loop, timer, now_us(phone) + in_us);
}

static int64_t about(struct phone *phone, int64_t usual_us)
{
    return draw_about(&phone->chance, usual_us, 900);
}

/* --- the phone --- */

static void on_result(void *context, struct client *client, const Callout__CommandResult *result)
{
    const struct handset *handset = context;
    (void)client;
    oracle_heard(handset->oracle, handset->life, result);
}

/* Only a revoked device may be told so; and one that was out of reach until its token was too old,
 * which its technician carries back for another. */
static void on_stopped(void *context, struct client *client, enum err err, const char *text)
{
    struct handset *handset = context;
    handset->useless = err == ERR_UNAUTH && client_technician_id(client)[0] == '\0';
    if (!handset->useless && !life_was_revoked(handset->life))
        oracle_blame(handset->oracle, STUCK, "%s was stopped: %s, %s",
                     life_technician_id(handset->life), err_name(err), text);
}

static void set_online(struct phone *phone, bool online)
{
    struct problem problem;
    struct handset *handset = phone->handset;
    phone->online = online;
    if (handset == NULL || handset->client == NULL) return;
    if (client_set_online(handset->client, online, &problem) != ERR_OK)
        oracle_blame(phone->crew->options.oracle, STUCK, "%s cannot go %s", phone->technician_id,
                     online ? "online" : "offline");
}

static void switch_on(struct phone *phone)
{
    struct problem problem = {{0}, {0}};
    const struct client_options options = {
        .url = phone->url,
        .folder = phone->folder,
        .enrol_token = phone->token,
        .device_name = "ordeal",
        .app_build = "ordeal",
        .volatile_outbox = true,
        .boot_id = "virtual",
        .events = {.on_result = on_result, .on_stopped = on_stopped},
        .context = phone->handset};
    if (client_open(&phone->handset->client, phone->crew->options.loop, &options, &problem) !=
        ERR_OK) {
        phone->handset->client = NULL;
        oracle_blame(phone->crew->options.oracle, LOST, "the phone of %s does not start: %s",
                     phone->technician_id, problem.text);
        return;
    }
    set_online(phone, phone->online);
}

static bool is_on(const struct phone *phone)
{
    return phone->handset != NULL && phone->handset->client != NULL;
}

static void on_crash(void *context)
{
    struct phone *phone = context;
    if (!is_on(phone)) return;
    client_close(phone->handset->client);
    phone->handset->client = NULL;
    phone->crew->crashes++;
    set_timer(phone, &phone->boot, phone->away_us);
}

static void on_boot(void *context)
{
    struct phone *phone = context;
    if (phone->handset != NULL && !is_on(phone)) switch_on(phone);
}

void phone_crash(struct phone *phone, int64_t after_us, int64_t away_us)
{
    phone->away_us = away_us;
    set_timer(phone, &phone->crash, after_us);
}

/* It goes on asking, if it is on. */
static void put_away(struct phone *phone)
{
    phone->handset->next = phone->crew->stolen;
    phone->crew->stolen = phone->handset;
    phone->handset = NULL;
}

static bool needs_phone(const struct phone *phone)
{
    const struct handset *handset = phone->handset;
    return handset == NULL || handset->useless || life_is_unknown(handset->life);
}

/* A new phone, once the dispatcher gives a token for it. */
static bool get_phone(struct phone *phone)
{
    if (phone->handset != NULL) put_away(phone);
    const struct crew_options *options = &phone->crew->options;
    const char *const who[] = {phone->technician_id};
    if (hub_admin(options->hub, "enrol", who, 1, phone->token, sizeof phone->token) != ERR_OK)
        return false;
    phone->generation++;
    snprintf(phone->url, sizeof phone->url, "sim://phone/%s-%u", phone->technician_id,
             phone->generation);
    snprintf(phone->folder, sizeof phone->folder, "%s/%s-%u", options->folder, phone->technician_id,
             phone->generation);
    phone->handset = calloc(1, sizeof *phone->handset);
    CHECK(phone->handset != NULL);
    phone->handset->oracle = options->oracle;
    phone->handset->life = oracle_life(options->oracle, phone->technician_id, phone->token);
    switch_on(phone);
    return true;
}

bool phone_revoke(struct phone *phone)
{
    const struct crew_options *options = &phone->crew->options;
    char text[TOKEN_BYTES];
    struct handset *handset = phone->handset;
    if (handset == NULL || life_device_id(handset->life)[0] == '\0') return false;
    const char *const which[] = {life_device_id(handset->life)};
    if (hub_admin(options->hub, "revoke", which, 1, text, sizeof text) != ERR_OK) return false;
    oracle_revoked(handset->life, now_us(phone));
    put_away(phone);
    client_timer_cancel(options->loop, &phone->boot);
    client_timer_cancel(options->loop, &phone->crash);
    return true;
}

static void on_radio(void *context)
{
    struct phone *phone = context;
    set_online(phone, !phone->online);
    set_timer(phone, &phone->radio, about(phone, phone->online ? ON_US : OFF_US));
}

/* --- the technician --- */

static bool was_done(const struct phone *phone, const char *id)
{
    for (uint32_t i = 0; i < VISITS_DONE; i++)
        if (strcmp(phone->done[i], id) == 0) return true;
    return false;
}

static void finish(struct phone *phone, const char *id)
{
    snprintf(phone->done[phone->done_count++ % VISITS_DONE], LIMIT_ID + 1, "%s", id);
    phone->current[0] = '\0';
}

/* The next visit that his phone shows; false: none. */
static bool choose_visit(struct phone *phone)
{
    size_t count;
    const struct replica_visit *visits = client_appointments(phone->handset->client, &count),
                               *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (visits[i].status >= CALLOUT__APPOINTMENT_STATUS__COMPLETED ||
            was_done(phone, visits[i].appointment_id))
            continue;
        if (best == NULL || visits[i].planned_start_us < best->planned_start_us) best = &visits[i];
    }
    if (best == NULL) return false;
    memcpy(phone->current, best->appointment_id, sizeof phone->current);
    phone->step = 0;
    return true;
}

static void say(struct phone *phone, Callout__Command *command)
{
    struct problem problem;
    uint64_t seq;
    struct oracle *oracle = phone->crew->options.oracle;
    if (client_save(phone->handset->client, command, &seq, &problem) != ERR_OK)
        oracle_blame(oracle, LOST, "%s cannot save: %s", phone->technician_id, problem.text);
    else
        oracle_saved(oracle, phone->handset->life, command);
    if (draw_happens(&phone->chance, 15)) phone_crash(phone, 0, about(phone, US_PER_MINUTE));
}

static void say_position(struct phone *phone, Callout__Command *command)
{
    Callout__PositionBatch batch;
    Callout__Fix fix, *fixes[] = {&fix};
    Callout__Point point;
    callout__position_batch__init(&batch);
    callout__fix__init(&fix);
    callout__point__init(&point);
    point.lat_e7 = 471000000 + (int32_t)rng_below(&phone->chance, 500000);
    point.lon_e7 = 95000000 + (int32_t)rng_below(&phone->chance, 500000);
    fix.point = &point;
    fix.accuracy_m = 10;
    fix.fix_time_us = now_us(phone);
    batch.fixes = fixes;
    batch.n_fixes = 1;
    command->body_case = CALLOUT__COMMAND__BODY_POSITIONS;
    command->positions = &batch;
    say(phone, command);
}

static void say_status(struct phone *phone, Callout__Command *command)
{
    Callout__StatusReport report;
    callout__status_report__init(&report);
    report.appointment_id = phone->current;
    report.status = steps[phone->step++];
    command->body_case = CALLOUT__COMMAND__BODY_STATUS;
    command->status = &report;
    say(phone, command);
    if (phone->step == STEPS) finish(phone, phone->current);
}

static void say_decline(struct phone *phone, Callout__Command *command)
{
    Callout__Decline decline;
    char reason[] = "no ladder";
    callout__decline__init(&decline);
    decline.appointment_id = phone->current;
    decline.reason = reason;
    command->body_case = CALLOUT__COMMAND__BODY_DECLINE;
    command->decline = &decline;
    say(phone, command);
    finish(phone, phone->current);
}

static void say_late(struct phone *phone, Callout__Command *command)
{
    Callout__RunningLate late;
    callout__running_late__init(&late);
    late.appointment_id = phone->current;
    late.delay_seconds = 60 + (int32_t)rng_below(&phone->chance, 1800);
    command->body_case = CALLOUT__COMMAND__BODY_RUNNING_LATE;
    command->running_late = &late;
    say(phone, command);
}

static void say_ill(struct phone *phone, Callout__Command *command)
{
    Callout__AbsenceReport absence;
    char reason[] = "ill";
    callout__absence_report__init(&absence);
    absence.reason = reason;
    command->body_case = CALLOUT__COMMAND__BODY_ABSENCE;
    command->absence = &absence;
    say(phone, command);
}

static void act(struct phone *phone)
{
    Callout__Command command;
    callout__command__init(&command);
    if (draw_happens(&phone->chance, 200)) {
        say_position(phone, &command);
    } else if (draw_happens(&phone->chance, 3)) {
        say_ill(phone, &command);
    } else if (phone->current[0] != '\0' || choose_visit(phone)) {
        if (phone->step == 0 && draw_happens(&phone->chance, 40))
            say_decline(phone, &command);
        else if (phone->step == 3 && draw_happens(&phone->chance, 100))
            say_late(phone, &command);
        else
            say_status(phone, &command);
    }
}

/* Without a phone he asks for one. */
static void on_act(void *context)
{
    struct phone *phone = context;
    if (needs_phone(phone))
        (void)get_phone(phone);
    else if (is_on(phone))
        act(phone);
    set_timer(phone, &phone->act, about(phone, ACT_EVERY_US));
}

/* --- the crew --- */

void crew_name(uint32_t number, char out[16])
{
    snprintf(out, 16, "T%03u", number);
}

struct crew *crew_open(const struct crew_options *options)
{
    struct crew *crew = calloc(1, sizeof *crew);
    CHECK(crew != NULL);
    crew->options = *options;
    crew->phones = calloc(options->count, sizeof *crew->phones);
    CHECK(crew->phones != NULL);
    for (uint32_t i = 0; i < options->count; i++) {
        struct phone *phone = &crew->phones[i];
        *phone = (struct phone){.crew = crew, .number = i, .chance = {options->seed + i * 1013}};
        crew_name(i, phone->technician_id);
        phone->act = (struct client_timer){.fire = on_act, .context = phone};
        phone->radio = (struct client_timer){.fire = on_radio, .context = phone};
        phone->crash = (struct client_timer){.fire = on_crash, .context = phone};
        phone->boot = (struct client_timer){.fire = on_boot, .context = phone};
    }
    return crew;
}

static void cancel_timers(struct phone *phone)
{
    struct client_loop *loop = phone->crew->options.loop;
    client_timer_cancel(loop, &phone->act);
    client_timer_cancel(loop, &phone->radio);
    client_timer_cancel(loop, &phone->crash);
    client_timer_cancel(loop, &phone->boot);
}

static void handset_end(struct handset *handset)
{
    if (handset == NULL) return;
    oracle_ended(handset->life);
    client_close(handset->client);
    free(handset);
}

static void end_stolen(struct crew *crew)
{
    for (struct handset *handset = crew->stolen, *next; handset != NULL; handset = next) {
        next = handset->next;
        handset_end(handset);
    }
    crew->stolen = NULL;
}

void crew_close(struct crew *crew)
{
    end_stolen(crew);
    for (uint32_t i = 0; i < crew->options.count; i++) {
        cancel_timers(&crew->phones[i]);
        handset_end(crew->phones[i].handset);
    }
    free(crew->phones);
    free(crew);
}

void crew_enrol(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->options.count; i++) {
        struct phone *phone = &crew->phones[i];
        phone->online = true;
        if (needs_phone(phone)) (void)get_phone(phone);
    }
}

void crew_to_work(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->options.count; i++) {
        struct phone *phone = &crew->phones[i];
        phone->at_work = true;
        set_timer(phone, &phone->act, draw_between(&phone->chance, 0, ACT_EVERY_US));
        set_timer(phone, &phone->radio, draw_between(&phone->chance, 0, OFF_US));
    }
}

void crew_come_home(struct crew *crew)
{
    end_stolen(crew);
    for (uint32_t i = 0; i < crew->options.count; i++) {
        struct phone *phone = &crew->phones[i];
        cancel_timers(phone);
        phone->at_work = false;
        phone->online = true;
        if (needs_phone(phone))
            (void)get_phone(phone);
        else if (!is_on(phone))
            switch_on(phone);
        else
            set_online(phone, true);
    }
}

void crew_sleep(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->options.count; i++)
        set_online(&crew->phones[i], false);
}

bool crew_agrees(struct crew *crew, char why[ORDEAL_TEXT])
{
    char what[ORDEAL_TEXT];
    for (uint32_t i = 0; i < crew->options.count; i++) {
        struct phone *phone = &crew->phones[i];
        if (needs_phone(phone)) (void)get_phone(phone);
        if (is_on(phone) &&
            oracle_agrees(phone->handset->client, crew->options.hub, phone->technician_id, what))
            continue;
        if (!is_on(phone)) snprintf(what, sizeof what, "has no phone");
        snprintf(why, ORDEAL_TEXT, "%s: %.200s", phone->technician_id, what);
        return false;
    }
    return true;
}

uint64_t crew_crashes(const struct crew *crew)
{
    return crew->crashes;
}

uint32_t crew_size(const struct crew *crew)
{
    return crew->options.count;
}

struct phone *crew_phone(struct crew *crew, uint32_t number)
{
    return &crew->phones[number];
}

struct phone *crew_find(struct crew *crew, const struct life *life)
{
    for (uint32_t i = 0; i < crew->options.count; i++)
        if (crew->phones[i].handset != NULL && crew->phones[i].handset->life == life)
            return &crew->phones[i];
    return NULL;
}
