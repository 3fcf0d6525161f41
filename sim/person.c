#include "sim/person.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "sim/draw.h"
#include "sim/say.h"
#include "sim/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { E7_PER_METRE = 90, PATH_BYTES = 1024, URL_BYTES = 512 };
#define RADIANS_PER_DEGREE 0.017453292519943295

struct person {
    struct client_loop *loop;
    struct client *client;
    const struct day_technician *row;
    struct luck luck;
    struct watch *watch;
    struct rng rng;
    struct client_timer next;   /* the end of what is being done */
    struct client_timer answer; /* to what was dispatched */
    struct client_timer radio;

    enum person_doing doing;
    bool replaced;       /* another device enrolled as him */
    bool started, ended; /* the clock is known; the day is over */
    bool leaving;        /* somebody is to take his place: whatever is due waits */
    bool rested, told_half;
    int64_t absent_at_us;
    uint64_t aside;
    struct point drift; /* how far off the phone believes to be */

    char forgotten_id[LIMIT_ID + 1]; /* done there, and nobody was told; "": nothing forgotten */
    char visit_id[LIMIT_ID + 1];     /* in progress */
    struct point at, to;
    int64_t began_us, ends_us; /* of the journey or the work, domain time */
    int64_t expected_us;       /* how long it would take on a usual day */

    bool no_signal;
    int64_t in_reach_since_us; /* monotonic; 0: the signal was never lost */
    struct words words;

    char url[URL_BYTES], ca_file[PATH_BYTES], boot_id[40]; /* of his devices; "": none */
    struct client_counters before;                         /* of devices that are closed */
};

static const int64_t look_again_us = 100 * 1000; /* whether he stays; monotonic */
static const int64_t reconnect_us = 250 * 1000;  /* a device that has signal again dials first */
/* before the shift */
static const int64_t wake_least_us = 15 * US_PER_MINUTE, wake_most_us = 30 * US_PER_MINUTE;
static const int64_t late_worth_telling_us = 3 * US_PER_MINUTE;

static void choose(struct person *person);

/* --- chance and time ------------------------------------------------------------------------- */

static int64_t now_us(const struct person *person)
{
    return client_domain_us(person->client);
}

static void set_at(struct person *person, struct client_timer *timer, int64_t domain_us)
{
    client_timer_set(person->loop, timer, client_mono_at(person->client, domain_us));
}

/* How long everyone expects a journey to take. */
static int64_t travel_us(struct point from, struct point to)
{
    return travel_seconds(&travel_straight, from, to) * US_PER_SECOND;
}

/* Where the person is on the way, were it straight. */
static struct point place_now(const struct person *person)
{
    if (person->doing != PERSON_TRAVELS || person->ends_us <= person->began_us) return person->at;
    double part =
        (double)(now_us(person) - person->began_us) / (double)(person->ends_us - person->began_us);
    if (part < 0) part = 0;
    if (part > 1) part = 1;
    struct point from = person->at, to = person->to;
    return (struct point){from.lat_e7 + (int32_t)(part * (to.lat_e7 - from.lat_e7)),
                          from.lon_e7 + (int32_t)(part * (to.lon_e7 - from.lon_e7))};
}

/* --- words ----------------------------------------------------------------------------------- */

/* What a visit's state is to this person: the later of the replica's and his own word. */
static Callout__AppointmentStatus status_of(struct person *person,
                                            const struct replica_visit *visit)
{
    const struct word *word = words_find(&person->words, visit->appointment_id);
    if (word == NULL || word->status < visit->status) return visit->status;
    return word->status;
}

static struct speaker speaker(const struct person *person)
{
    return (struct speaker){person->client, person->row->id};
}

/* Where the phone believes to be. */
static struct point place_shown(const struct person *person)
{
    struct point place = place_now(person);
    return (struct point){place.lat_e7 + person->drift.lat_e7, place.lon_e7 + person->drift.lon_e7};
}

static void report(struct person *person, const char *appointment_id,
                   Callout__AppointmentStatus status, const char *reason)
{
    struct speaker who = speaker(person);
    words_about(&person->words, appointment_id)->status = status;
    struct point place = place_shown(person);
    say_status(&who, appointment_id, status, reason, &place);
}

static void decline(struct person *person, const char *appointment_id, const char *reason)
{
    struct speaker who = speaker(person);
    words_about(&person->words, appointment_id)->declined = true;
    say_decline(&who, appointment_id, reason);
}

/* What he did not say when he left a customer. */
static void remember(struct person *person)
{
    if (person->forgotten_id[0] == '\0') return;
    report(person, person->forgotten_id, CALLOUT__APPOINTMENT_STATUS__COMPLETED, "");
    person->forgotten_id[0] = '\0';
}

static void fall_ill(struct person *person)
{
    struct speaker who = speaker(person);
    person->doing = PERSON_ABSENT;
    say_ill(&who);
}

/* --- between visits -------------------------------------------------------------------------- */

/* The accepted visit that is planned first; NULL: none. */
static const struct replica_visit *next_visit(struct person *person)
{
    size_t count;
    const struct replica_visit *visits = client_appointments(person->client, &count), *next = NULL;
    for (size_t i = 0; i < count; i++) {
        if (status_of(person, &visits[i]) != CALLOUT__APPOINTMENT_STATUS__ACCEPTED) continue;
        const struct word *word = words_find(&person->words, visits[i].appointment_id);
        if (word != NULL && word->declined) continue;
        if (next == NULL || visits[i].planned_start_us < next->planned_start_us) next = &visits[i];
    }
    return next;
}

static void go_home(struct person *person)
{
    size_t count;
    const struct replica_visit *visits = client_appointments(person->client, &count);
    person->doing = PERSON_GONE;
    remember(person);
    for (size_t i = 0; i < count; i++) {
        Callout__AppointmentStatus status = status_of(person, &visits[i]);
        if (status == CALLOUT__APPOINTMENT_STATUS__DISPATCHED ||
            status == CALLOUT__APPOINTMENT_STATUS__ACCEPTED)
            decline(person, visits[i].appointment_id, "the shift is over");
    }
}

static void leave_for(struct person *person, const struct replica_visit *visit)
{
    int64_t usual_us = travel_us(person->at, visit->at);
    snprintf(person->visit_id, sizeof person->visit_id, "%s", visit->appointment_id);
    person->to = visit->at;
    person->began_us = now_us(person);
    person->ends_us = person->began_us + luck_journey_us(&person->luck, person->visit_id,
                                                         person->at, person->to, person->began_us);
    person->expected_us = usual_us;
    person->told_half = false;
    report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__EN_ROUTE, "");
    person->doing = PERSON_TRAVELS;
    set_at(person, &person->next, (person->began_us + person->ends_us) / 2);
}

static void rest(struct person *person)
{
    person->rested = true;
    person->doing = PERSON_RESTS;
    set_at(person, &person->next, now_us(person) + person->row->break_s * US_PER_SECOND);
}

/* When the break should begin, if it may be before `depart_us`; INT64_MAX: not now. A break that is
 * overdue is taken as soon as there is a moment. */
static int64_t rest_at_us(const struct person *person, int64_t depart_us)
{
    const struct day_technician *row = person->row;
    int64_t now = now_us(person);
    if (person->rested || row->break_s == 0) return INT64_MAX;
    if (now >= row->break_earliest_us) return now;
    bool fits = row->break_earliest_us + row->break_s * US_PER_SECOND <= depart_us;
    return fits ? row->break_earliest_us : INT64_MAX;
}

/* Idle: what next, and when? Comes here again after any news and at the time that is set. */
static void choose(struct person *person)
{
    const struct day_technician *row = person->row;
    int64_t now = now_us(person);
    int64_t last_us = row->shift_end_us + row->overtime_s_max * US_PER_SECOND;
    const struct replica_visit *visit = next_visit(person);
    if (person->absent_at_us != 0 && now >= person->absent_at_us) {
        fall_ill(person);
        return;
    }
    if (now >= last_us || (now >= row->shift_end_us && visit == NULL)) {
        go_home(person);
        return;
    }
    int64_t wake_us = visit == NULL ? row->shift_end_us : last_us;
    if (person->absent_at_us > now && person->absent_at_us < wake_us)
        wake_us = person->absent_at_us;
    int64_t depart_us = INT64_MAX;
    if (visit != NULL)
        depart_us = visit->planned_start_us - travel_us(person->at, visit->at) - US_PER_MINUTE;
    int64_t rest_us = rest_at_us(person, depart_us);
    if (rest_us <= now) {
        rest(person);
        return;
    }
    if (depart_us <= now) {
        leave_for(person, visit);
        return;
    }
    if (rest_us < wake_us) wake_us = rest_us;
    if (depart_us < wake_us) wake_us = depart_us;
    set_at(person, &person->next, wake_us);
}

/* --- during a visit -------------------------------------------------------------------------- */

static void halfway(struct person *person)
{
    person->told_half = true;
    int64_t late_us = person->ends_us - person->began_us - person->expected_us;
    struct speaker who = speaker(person);
    if (late_us >= late_worth_telling_us) say_late(&who, person->visit_id, late_us);
    if (person->doing == PERSON_TRAVELS &&
        luck_says(&person->luck, LUCK_POSITIONS, person->visit_id)) {
        say_position(&who, place_shown(person), now_us(person));
        person->aside++;
    }
    set_at(person, &person->next, person->ends_us);
}

static void arrive(struct person *person)
{
    person->at = person->to;
    person->doing = PERSON_ON_SITE;
    remember(person);
    report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__ON_SITE, "");
    const struct replica_visit *visit = client_appointment(person->client, person->visit_id);
    int64_t begin_us =
        now_us(person) + draw_between(&person->rng, US_PER_MINUTE / 2, 2 * US_PER_MINUTE);
    if (visit != NULL && visit->window_start_us > begin_us) begin_us = visit->window_start_us;
    set_at(person, &person->next, begin_us);
}

static void begin_work(struct person *person)
{
    const struct replica_visit *visit = client_appointment(person->client, person->visit_id);
    if (luck_says(&person->luck, LUCK_NO_ACCESS, person->visit_id)) {
        report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__NO_ACCESS, "nobody opens");
        person->doing = PERSON_IDLE;
        choose(person);
        return;
    }
    int64_t usual_us = (visit == NULL ? 1800 : visit->service_s) * US_PER_SECOND;
    person->began_us = now_us(person);
    person->ends_us = person->began_us +
                      luck_work_us(&person->luck, person->visit_id, usual_us, person->began_us);
    person->expected_us = usual_us;
    person->told_half = false;
    person->doing = PERSON_WORKS;
    report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__WORKING, "");
    set_at(person, &person->next, (person->began_us + person->ends_us) / 2);
}

static void end_work(struct person *person)
{
    if (luck_says(&person->luck, LUCK_INCOMPLETE, person->visit_id))
        report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__INCOMPLETE,
               "a part is missing");
    else if (luck_says(&person->luck, LUCK_FORGETS, person->visit_id)) {
        memcpy(person->forgotten_id, person->visit_id, sizeof person->forgotten_id);
        words_about(&person->words, person->visit_id)->status =
            CALLOUT__APPOINTMENT_STATUS__COMPLETED;
    } else
        report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__COMPLETED, "");
    person->doing = PERSON_IDLE;
    choose(person);
}

/* On the way to a visit that was taken away or cancelled: turn back to idle where the road is. */
static void give_up_journey(struct person *person)
{
    const struct replica_visit *visit = client_appointment(person->client, person->visit_id);
    bool mine = visit != NULL && visit->status != CALLOUT__APPOINTMENT_STATUS__CANCELLED;
    if (person->doing != PERSON_TRAVELS || mine) return;
    person->at = place_now(person);
    person->doing = PERSON_IDLE;
}

/* A fleet that is started again finds visits under way: they go on from where the phone says, with
 * half of the journey or of the work still to do. False: there is none. */
static bool resume(struct person *person)
{
    size_t count, i = 0;
    const struct replica_visit *visits = client_appointments(person->client, &count);
    while (i < count && (visits[i].status < CALLOUT__APPOINTMENT_STATUS__EN_ROUTE ||
                         visits[i].status > CALLOUT__APPOINTMENT_STATUS__PAUSED))
        i++;
    if (i == count) return false;
    const struct replica_visit *visit = &visits[i];
    bool travels = visit->status == CALLOUT__APPOINTMENT_STATUS__EN_ROUTE;
    snprintf(person->visit_id, sizeof person->visit_id, "%s", visit->appointment_id);
    person->to = visit->at;
    person->began_us = now_us(person);
    person->expected_us =
        travels ? travel_us(person->at, visit->at) / 2 : visit->service_s * US_PER_SECOND / 2;
    person->ends_us = person->began_us + person->expected_us;
    person->told_half = true;
    if (!travels) person->at = visit->at;
    person->doing = travels                                                 ? PERSON_TRAVELS
                    : visit->status == CALLOUT__APPOINTMENT_STATUS__ON_SITE ? PERSON_ON_SITE
                                                                            : PERSON_WORKS;
    set_at(person, &person->next, person->ends_us);
    return true;
}

/* What comes due while it is not known whether he stays, waits. */
static bool put_off(struct person *person, struct client_timer *timer)
{
    if (person->leaving)
        client_timer_set(person->loop, timer, client_loop_now_us(person->loop) + look_again_us);
    return person->leaving;
}

static void on_next(void *context)
{
    struct person *person = context;
    if (person->ended || put_off(person, &person->next)) return;
    switch (person->doing) {
    case PERSON_OFF:
        if (resume(person)) break;
        person->doing = PERSON_IDLE;
        choose(person);
        break;
    case PERSON_RESTS:
        person->doing = PERSON_IDLE;
        choose(person);
        break;
    case PERSON_IDLE: choose(person); break;
    case PERSON_TRAVELS:
        if (person->told_half)
            arrive(person);
        else
            halfway(person);
        break;
    case PERSON_ON_SITE: begin_work(person); break;
    case PERSON_WORKS:
        if (person->told_half)
            end_work(person);
        else
            halfway(person);
        break;
    case PERSON_ABSENT:
    case PERSON_GONE:
    case PERSON_TAKEN:
    case PERSON_DOING_COUNT: break;
    }
}

/* --- signal ---------------------------------------------------------------------------------- */

/* A day is twelve hours here: losses are spread over it. */
static void plan_signal_loss(struct person *person)
{
    uint32_t per_day = person->luck.habits->signal_losses;
    if (per_day == 0) return;
    int64_t apart_us = 12 * 60 * US_PER_MINUTE / per_day * PERMILLE;
    set_at(person, &person->radio,
           now_us(person) + draw_between(&person->rng, apart_us / 5, 2 * apart_us));
}

static void set_signal(struct person *person, bool on)
{
    struct problem problem;
    if (person->no_signal == !on || person->client == NULL) return;
    if (client_set_online(person->client, on, &problem) != ERR_OK)
        log_error("%s: %s: %s", person->row->id, problem.field, problem.text);
    person->no_signal = !on;
    person->in_reach_since_us = on ? client_loop_now_us(person->loop) + reconnect_us : INT64_MAX;
}

static void on_radio(void *context)
{
    struct person *person = context;
    if (person->ended || put_off(person, &person->radio)) return;
    set_signal(person, person->no_signal);
    if (person->no_signal)
        set_at(person, &person->radio,
               now_us(person) + draw_between(&person->rng, person->luck.habits->loss_least_us,
                                             person->luck.habits->loss_most_us + 1));
    else
        plan_signal_loss(person);
}

/* --- what the phone brings ------------------------------------------------------------------- */

static bool awaits_answer(struct person *person, const struct replica_visit *visit)
{
    const struct word *word = words_find(&person->words, visit->appointment_id);
    return status_of(person, visit) == CALLOUT__APPOINTMENT_STATUS__DISPATCHED &&
           (word == NULL || !word->declined);
}

static bool at_work(const struct person *person)
{
    return person->doing != PERSON_ABSENT && person->doing != PERSON_GONE &&
           person->doing != PERSON_TAKEN && !person->ended && !person->leaving;
}

/* Another technician may well take what this one declines. */
static bool declines(const struct person *person, const char *appointment_id)
{
    char about[2 * LIMIT_ID + 2];
    snprintf(about, sizeof about, "%s %s", person->row->id, appointment_id);
    return luck_says(&person->luck, LUCK_DECLINES, about);
}

static void on_answer_time(void *context)
{
    struct person *person = context;
    if (put_off(person, &person->answer) || !at_work(person)) return;
    for (;;) {
        /* Each answer may change the list: look for the first that awaits one, until none does. */
        size_t count, i = 0;
        const struct replica_visit *visits = client_appointments(person->client, &count);
        while (i < count && !awaits_answer(person, &visits[i]))
            i++;
        if (i == count) break;
        if (declines(person, visits[i].appointment_id))
            decline(person, visits[i].appointment_id, "not with what I have in the van");
        else
            report(person, visits[i].appointment_id, CALLOUT__APPOINTMENT_STATUS__ACCEPTED, "");
    }
    if (person->doing == PERSON_IDLE) choose(person);
}

static void look_at_phone(struct person *person)
{
    size_t count;
    const struct replica_visit *visits = client_appointments(person->client, &count);
    if (!at_work(person)) return;
    give_up_journey(person);
    for (size_t i = 0; i < count && person->answer.place == 0; i++)
        if (awaits_answer(person, &visits[i]))
            set_at(person, &person->answer,
                   now_us(person) +
                       draw_between(&person->rng, 20 * US_PER_SECOND, 2 * US_PER_MINUTE));
    if (person->doing == PERSON_IDLE) choose(person);
}

/* Where a day that somebody else made stands: at the last visit that is over. */
static void find_place(struct person *person)
{
    size_t count;
    const struct replica_visit *visits = client_appointments(person->client, &count), *last = NULL;
    for (size_t i = 0; i < count; i++)
        if (visits[i].status > CALLOUT__APPOINTMENT_STATUS__PAUSED &&
            visits[i].status != CALLOUT__APPOINTMENT_STATUS__CANCELLED &&
            (last == NULL || visits[i].planned_start_us > last->planned_start_us))
            last = &visits[i];
    if (last != NULL) person->at = last->at;
}

/* His new device knows how the day stands. Whoever had it rested if the time for that is over. */
static void come_back(struct person *person)
{
    int64_t now = now_us(person), start_us = person->row->shift_start_us;
    find_place(person);
    person->doing = PERSON_OFF;
    if (now > person->row->break_latest_us) person->rested = true;
    set_at(person, &person->next, start_us > now ? start_us : now);
    plan_signal_loss(person);
}

static void on_news(void *context, struct client *client, const struct client_news *news)
{
    struct person *person = context;
    (void)client;
    if (person->watch != NULL)
        watch_receipt(person->watch, person->row->id, news, person->in_reach_since_us);
    for (size_t i = 0; i < news->change_count; i++)
        if (news->changes[i].kind == REPLICA_CAME || news->changes[i].kind == REPLICA_LEFT)
            words_forget(&person->words, news->changes[i].appointment_id);
    if (person->doing == PERSON_TAKEN && news->snapshot) come_back(person);
    if (person->started) look_at_phone(person);
}

/* --- the door -------------------------------------------------------------------------------- */

static void on_state(void *context, struct client *client, enum client_state state)
{
    struct person *person = context;
    if (state != CLIENT_LIVE || person->started) return;
    person->started = true;
    (void)client;
    set_at(person, &person->next,
           person->row->shift_start_us + luck_late_start_us(&person->luck, person->row->id));
    plan_signal_loss(person);
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
                   .on_news = on_news,
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
    person->next = (struct client_timer){.fire = on_next, .context = person};
    person->answer = (struct client_timer){.fire = on_answer_time, .context = person};
    person->radio = (struct client_timer){.fire = on_radio, .context = person};
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

void person_close(struct person *person)
{
    if (person == NULL) return;
    client_timer_cancel(person->loop, &person->next);
    client_timer_cancel(person->loop, &person->answer);
    client_timer_cancel(person->loop, &person->radio);
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
    if (person->started) remember(person);
    person->ended = true;
    set_signal(person, true);
}

void person_sleep(struct person *person)
{
    person->ended = true;
    client_timer_cancel(person->loop, &person->next);
    client_timer_cancel(person->loop, &person->answer);
    client_timer_cancel(person->loop, &person->radio);
    set_signal(person, false);
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
        set_signal(person, true);
        return;
    }
    set_at(person, &person->radio,
           person->row->shift_start_us -
               draw_between(&person->rng, wake_least_us, wake_most_us + 1));
    set_at(person, &person->next,
           person->row->shift_start_us + luck_late_start_us(&person->luck, person->row->id));
}

uint64_t person_aside(const struct person *person)
{
    return person->aside;
}

void person_falls_ill(struct person *person, int64_t at_us)
{
    if (person->absent_at_us == 0 || at_us < person->absent_at_us) person->absent_at_us = at_us;
    if (person->started && person->doing == PERSON_IDLE) choose(person);
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
    set_signal(person, false);
    set_at(person, &person->radio, until_us);
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
    if (person->started) remember(person);
    person->leaving = true;
    set_signal(person, true);
}

bool person_is_silent(const struct person *person)
{
    return client_state(person->client) == CLIENT_LIVE && client_unsent(person->client) == 0;
}

void person_give_up(struct person *person)
{
    CHECK(person->leaving);
    client_timer_cancel(person->loop, &person->next);
    client_timer_cancel(person->loop, &person->answer);
    client_timer_cancel(person->loop, &person->radio);
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
    if (person->started) look_at_phone(person);
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
