#include "sim/person_impl.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "sim/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { E7_PER_METRE = 90 };
#define RADIANS_PER_DEGREE 0.017453292519943295

/* before the shift */
static const int64_t wake_least_us = 15 * US_PER_MINUTE, wake_most_us = 30 * US_PER_MINUTE;

/* --- the door -------------------------------------------------------------------------------- */

static void on_state(void *context, struct client *client, enum client_state state)
{
    struct person *person = context;
    if (state != CLIENT_LIVE || person->started) return;
    person->started = true;
    (void)client;
    person_set_at(person, &person->next,
                  person->row->shift_start_us + luck_late_start_us(&person->luck, person->row->id));
    person_plan_signal_loss(person);
}

static void on_result(void *context, struct client *client, const Callout__CommandResult *result)
{
    const struct person *person = context;
    (void)client;
    if (result->outcome == CALLOUT__OUTCOME__REJECTED ||
        result->outcome == CALLOUT__OUTCOME__PAYLOAD_MISMATCH)
        log_warn("%s: command %llu was rejected: %s %s", person->row->id,
                 (unsigned long long)result->seq, result->text,
                 result->n_errors > 0 ? result->errors[0]->problem : "");
}

static void on_stopped(void *context, struct client *client, enum err err, const char *text)
{
    struct person *person = context;
    (void)client;
    person->replaced = err == ERR_GONE;
    if (!person->replaced)
        log_error("%s: the device was stopped: %s: %s", person->row->id, err_name(err), text);
}

static enum err keep_text(char *out, size_t size, const char *text, struct problem *problem)
{
    if (snprintf(out, size, "%s", text == NULL ? "" : text) < (int)size) return ERR_OK;
    return problem_set(problem, ERR_TOO_LARGE, text, "is too long");
}

static enum err open_device(struct person *person, const char *folder, const char *enrol_token,
                            struct problem *problem)
{
    const struct client_options options = {
        .url = person->url,
        .ca_file = person->ca_file[0] == '\0' ? NULL : person->ca_file,
        .folder = folder,
        .enrol_token = enrol_token,
        .device_name = person->row->name,
        .app_build = "callout sim",
        .boot_id = person->boot_id[0] == '\0' ? NULL : person->boot_id,
        .volatile_outbox = true,
        .events = {.on_state = on_state,
                   .on_news = person_on_news,
                   .on_result = on_result,
                   .on_stopped = on_stopped},
        .context = person,
    };
    return client_open(&person->client, person->loop, &options, problem);
}

enum err person_open(struct person **out, struct client_loop *loop,
                     const struct person_options *options, struct problem *problem)
{
    struct person *person = calloc(1, sizeof *person);
    CHECK(person != NULL);
    person->loop = loop;
    person->row = options->row;
    person->luck = options->luck;
    person->watch = options->watch;
    person->rng = (struct rng){options->seed};
    person->absent_at_us = options->absent_at_us;
    person->at = options->row->home;
    person->next = (struct client_timer){.fire = person_on_next, .context = person};
    person->answer = (struct client_timer){.fire = person_on_answer_time, .context = person};
    person->radio = (struct client_timer){.fire = person_on_radio, .context = person};
    enum err err = keep_text(person->url, sizeof person->url, options->url, problem);
    if (err == ERR_OK)
        err = keep_text(person->ca_file, sizeof person->ca_file, options->ca_file, problem);
    if (err == ERR_OK)
        err = keep_text(person->boot_id, sizeof person->boot_id, options->boot_id, problem);
    if (err == ERR_OK) err = open_device(person, options->folder, options->enrol_token, problem);
    if (err != ERR_OK) {
        free(person);
        return err;
    }
    *out = person;
    return ERR_OK;
}

static void cancel_timers(struct person *person)
{
    client_timer_cancel(person->loop, &person->next);
    client_timer_cancel(person->loop, &person->answer);
    client_timer_cancel(person->loop, &person->radio);
}

void person_close(struct person *person)
{
    if (person == NULL) return;
    cancel_timers(person);
    client_close(person->client);
    free(person);
}

enum person_doing person_doing(const struct person *person)
{
    return person->doing;
}

bool person_has_signal(const struct person *person)
{
    return !person->no_signal;
}

void person_end_day(struct person *person)
{
    if (person->started) person_remember(person);
    person->ended = true;
    person_set_signal(person, true);
}

void person_sleep(struct person *person)
{
    person->ended = true;
    cancel_timers(person);
    person_set_signal(person, false);
}

void person_wake(struct person *person, const struct person_options *options)
{
    person->row = options->row;
    person->luck = options->luck;
    person->absent_at_us = options->absent_at_us;
    person->doing = PERSON_OFF;
    person->ended = person->rested = false;
    person->forgotten_id[0] = person->visit_id[0] = '\0';
    person->at = person->row->home;
    if (!person->started) { /* his phone never had a word yet: on_state begins the day */
        person_set_signal(person, true);
        return;
    }
    person_set_at(person, &person->radio,
                  person->row->shift_start_us -
                      draw_between(&person->rng, wake_least_us, wake_most_us + 1));
    person_set_at(person, &person->next,
                  person->row->shift_start_us + luck_late_start_us(&person->luck, person->row->id));
}

uint64_t person_aside(const struct person *person)
{
    return person->aside;
}

void person_falls_ill(struct person *person, int64_t at_us)
{
    if (person->absent_at_us == 0 || at_us < person->absent_at_us) person->absent_at_us = at_us;
    if (person->started && person->doing == PERSON_IDLE) person_choose(person);
}

void person_drift(struct person *person, int32_t north_m, int32_t east_m)
{
    double shrink = cos(person->row->home.lat_e7 / (double)GEO_E7 * RADIANS_PER_DEGREE);
    person->drift.lat_e7 = north_m * E7_PER_METRE;
    person->drift.lon_e7 = (int32_t)(east_m * E7_PER_METRE / (shrink < 0.1 ? 0.1 : shrink));
}

void person_set_clock(struct person *person, int64_t ahead_us)
{
    if (person->client != NULL) client_set_clock(person->client, ahead_us);
}

void person_lose_signal(struct person *person, int64_t until_us)
{
    if (person->ended || !person->started) return;
    person_set_signal(person, false);
    person_set_at(person, &person->radio, until_us);
}

struct client_counters person_counters(const struct person *person)
{
    struct client_counters sum = person->before;
    if (person->client == NULL) return sum;
    const struct client_counters *now = client_counters(person->client);
    sum.saved += now->saved;
    sum.acknowledged += now->acknowledged;
    sum.rejected += now->rejected;
    sum.conflicts += now->conflicts;
    sum.pulls += now->pulls;
    sum.snapshots += now->snapshots;
    sum.hellos += now->hellos;
    sum.failures += now->failures;
    return sum;
}

enum client_state person_state(const struct person *person)
{
    return person->client == NULL ? CLIENT_STOPPED : client_state(person->client);
}

uint64_t person_unsent(const struct person *person)
{
    return person->client == NULL ? 0 : client_unsent(person->client);
}

const char *person_visit(const struct person *person)
{
    bool in_hand = person->doing == PERSON_TRAVELS || person->doing == PERSON_ON_SITE ||
                   person->doing == PERSON_WORKS;
    return in_hand ? person->visit_id : "";
}

/* --- somebody else in his place -------------------------------------------------------------- */

static void close_device(struct person *person)
{
    person->before = person_counters(person);
    client_close(person->client);
    person->client = NULL;
}

void person_let_go(struct person *person)
{
    if (person->started) person_remember(person);
    person->leaving = true;
    person_set_signal(person, true);
}

bool person_is_silent(const struct person *person)
{
    return client_state(person->client) == CLIENT_LIVE && client_unsent(person->client) == 0;
}

void person_give_up(struct person *person)
{
    CHECK(person->leaving);
    cancel_timers(person);
    close_device(person);
    person->leaving = false;
    person->doing = PERSON_TAKEN;
    person->visit_id[0] = '\0';
    person->words = (struct words){0};
}

bool person_is_replaced(const struct person *person)
{
    return person->replaced && person->client != NULL && !person->leaving &&
           client_state(person->client) == CLIENT_STOPPED;
}

void person_make_way(struct person *person)
{
    CHECK(person_is_replaced(person));
    person->leaving = true;
    person_give_up(person);
    person->replaced = false;
}

void person_stay(struct person *person)
{
    person->leaving = false;
    if (person->started) person_look_at_phone(person);
}

enum err person_take_back(struct person *person, const char *folder, const char *enrol_token,
                          struct problem *problem)
{
    CHECK(person->doing == PERSON_TAKEN);
    close_device(person); /* one that was refused, if any */
    person->no_signal = false;
    return open_device(person, folder, enrol_token, problem);
}

const char *person_doing_text(enum person_doing doing)
{
    static const char *const texts[PERSON_DOING_COUNT] = {
        "off", "waits", "drives", "on site", "works", "rests", "ill", "home", "taken"};
    CHECK(doing < PERSON_DOING_COUNT);
    return texts[doing];
}
