#include "sim/person_impl.h"

#include "base/clock.h"
#include "sim/draw.h"
#include "sim/say.h"

#include <stdio.h>
#include <string.h>

static const int64_t look_again_us = 100 * 1000; /* whether he stays; monotonic */
static const int64_t late_worth_telling_us = 3 * US_PER_MINUTE;

/* --- chance and time ------------------------------------------------------------------------- */

int64_t person_now_us(const struct person *person)
{
    return client_domain_us(person->client);
}

void person_set_at(struct person *person, struct client_timer *timer, int64_t domain_us)
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
    double part = (double)(person_now_us(person) - person->began_us) /
                  (double)(person->ends_us - person->began_us);
    if (part < 0) part = 0;
    if (part > 1) part = 1;
    struct point from = person->at, to = person->to;
    return (struct point){from.lat_e7 + (int32_t)(part * (to.lat_e7 - from.lat_e7)),
                          from.lon_e7 + (int32_t)(part * (to.lon_e7 - from.lon_e7))};
}

/* --- words ----------------------------------------------------------------------------------- */

/* What a visit's state is to this person: the later of the replica's and his own word. */
Callout__AppointmentStatus person_status_of(struct person *person,
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

void person_report(struct person *person, const char *appointment_id,
                   Callout__AppointmentStatus status, const char *reason)
{
    struct speaker who = speaker(person);
    words_about(&person->words, appointment_id)->status = status;
    struct point place = place_shown(person);
    say_status(&who, appointment_id, status, reason, &place);
}

void person_decline(struct person *person, const char *appointment_id, const char *reason)
{
    struct speaker who = speaker(person);
    words_about(&person->words, appointment_id)->declined = true;
    say_decline(&who, appointment_id, reason);
}

/* What he did not say when he left a customer. */
void person_remember(struct person *person)
{
    if (person->forgotten_id[0] == '\0') return;
    person_report(person, person->forgotten_id, CALLOUT__APPOINTMENT_STATUS__COMPLETED, "");
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
        if (person_status_of(person, &visits[i]) != CALLOUT__APPOINTMENT_STATUS__ACCEPTED) continue;
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
    person_remember(person);
    for (size_t i = 0; i < count; i++) {
        Callout__AppointmentStatus status = person_status_of(person, &visits[i]);
        if (status == CALLOUT__APPOINTMENT_STATUS__DISPATCHED ||
            status == CALLOUT__APPOINTMENT_STATUS__ACCEPTED)
            person_decline(person, visits[i].appointment_id, "the shift is over");
    }
}

static void leave_for(struct person *person, const struct replica_visit *visit)
{
    int64_t usual_us = travel_us(person->at, visit->at);
    snprintf(person->visit_id, sizeof person->visit_id, "%s", visit->appointment_id);
    person->to = visit->at;
    person->began_us = person_now_us(person);
    person->ends_us = person->began_us + luck_journey_us(&person->luck, person->visit_id,
                                                         person->at, person->to, person->began_us);
    person->expected_us = usual_us;
    person->told_half = false;
    person_report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__EN_ROUTE, "");
    person->doing = PERSON_TRAVELS;
    person_set_at(person, &person->next, (person->began_us + person->ends_us) / 2);
}

static void rest(struct person *person)
{
    person->rested = true;
    person->doing = PERSON_RESTS;
    person_set_at(person, &person->next,
                  person_now_us(person) + person->row->break_s * US_PER_SECOND);
}

/* When the break should begin, if it may be before `depart_us`; INT64_MAX: not now. A break that is
 * overdue is taken as soon as there is a moment. */
static int64_t rest_at_us(const struct person *person, int64_t depart_us)
{
    const struct day_technician *row = person->row;
    int64_t now = person_now_us(person);
    if (person->rested || row->break_s == 0) return INT64_MAX;
    if (now >= row->break_earliest_us) return now;
    bool fits = row->break_earliest_us + row->break_s * US_PER_SECOND <= depart_us;
    return fits ? row->break_earliest_us : INT64_MAX;
}

/* Idle: what next, and when? Comes here again after any news and at the time that is set. */
void person_choose(struct person *person)
{
    const struct day_technician *row = person->row;
    int64_t now = person_now_us(person);
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
    person_set_at(person, &person->next, wake_us);
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
        say_position(&who, place_shown(person), person_now_us(person));
        person->aside++;
    }
    person_set_at(person, &person->next, person->ends_us);
}

static void arrive(struct person *person)
{
    person->at = person->to;
    person->doing = PERSON_ON_SITE;
    person_remember(person);
    person_report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__ON_SITE, "");
    const struct replica_visit *visit = client_appointment(person->client, person->visit_id);
    int64_t begin_us =
        person_now_us(person) + draw_between(&person->rng, US_PER_MINUTE / 2, 2 * US_PER_MINUTE);
    if (visit != NULL && visit->window_start_us > begin_us) begin_us = visit->window_start_us;
    person_set_at(person, &person->next, begin_us);
}

static void begin_work(struct person *person)
{
    const struct replica_visit *visit = client_appointment(person->client, person->visit_id);
    if (luck_says(&person->luck, LUCK_NO_ACCESS, person->visit_id)) {
        person_report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__NO_ACCESS,
                      "nobody opens");
        person->doing = PERSON_IDLE;
        person_choose(person);
        return;
    }
    int64_t usual_us = (visit == NULL ? 1800 : visit->service_s) * US_PER_SECOND;
    person->began_us = person_now_us(person);
    person->ends_us = person->began_us +
                      luck_work_us(&person->luck, person->visit_id, usual_us, person->began_us);
    person->expected_us = usual_us;
    person->told_half = false;
    person->doing = PERSON_WORKS;
    person_report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__WORKING, "");
    person_set_at(person, &person->next, (person->began_us + person->ends_us) / 2);
}

static void end_work(struct person *person)
{
    if (luck_says(&person->luck, LUCK_INCOMPLETE, person->visit_id))
        person_report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__INCOMPLETE,
                      "a part is missing");
    else if (luck_says(&person->luck, LUCK_FORGETS, person->visit_id)) {
        memcpy(person->forgotten_id, person->visit_id, sizeof person->forgotten_id);
        words_about(&person->words, person->visit_id)->status =
            CALLOUT__APPOINTMENT_STATUS__COMPLETED;
    } else
        person_report(person, person->visit_id, CALLOUT__APPOINTMENT_STATUS__COMPLETED, "");
    person->doing = PERSON_IDLE;
    person_choose(person);
}

/* On the way to a visit that was taken away or cancelled: turn back to idle where the road is. */
void person_give_up_journey(struct person *person)
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
    person->began_us = person_now_us(person);
    person->expected_us =
        travels ? travel_us(person->at, visit->at) / 2 : visit->service_s * US_PER_SECOND / 2;
    person->ends_us = person->began_us + person->expected_us;
    person->told_half = true;
    if (!travels) person->at = visit->at;
    person->doing = travels                                                 ? PERSON_TRAVELS
                    : visit->status == CALLOUT__APPOINTMENT_STATUS__ON_SITE ? PERSON_ON_SITE
                                                                            : PERSON_WORKS;
    person_set_at(person, &person->next, person->ends_us);
    return true;
}

/* What comes due while it is not known whether he stays, waits. */
bool person_put_off(struct person *person, struct client_timer *timer)
{
    if (person->leaving)
        client_timer_set(person->loop, timer, client_loop_now_us(person->loop) + look_again_us);
    return person->leaving;
}

void person_on_next(void *context)
{
    struct person *person = context;
    if (person->ended || person_put_off(person, &person->next)) return;
    switch (person->doing) {
    case PERSON_OFF:
        if (resume(person)) break;
        person->doing = PERSON_IDLE;
        person_choose(person);
        break;
    case PERSON_RESTS:
        person->doing = PERSON_IDLE;
        person_choose(person);
        break;
    case PERSON_IDLE: person_choose(person); break;
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
