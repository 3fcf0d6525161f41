#include "sim/person_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "sim/draw.h"

#include <stdio.h>

static const int64_t reconnect_us = 250 * 1000; /* a device that has signal again dials first */

/* --- signal ---------------------------------------------------------------------------------- */

/* A day is twelve hours here: losses are spread over it. */
void person_plan_signal_loss(struct person *person)
{
    uint32_t per_day = person->luck.habits->signal_losses;
    if (per_day == 0) return;
    int64_t apart_us = 12 * 60 * US_PER_MINUTE / per_day * PERMILLE;
    person_set_at(person, &person->radio,
                  person_now_us(person) + draw_between(&person->rng, apart_us / 5, 2 * apart_us));
}

void person_set_signal(struct person *person, bool on)
{
    struct problem problem;
    if (person->no_signal == !on || person->client == NULL) return;
    if (client_set_online(person->client, on, &problem) != ERR_OK)
        log_error("%s: %s: %s", person->row->id, problem.field, problem.text);
    person->no_signal = !on;
    person->in_reach_since_us = on ? client_loop_now_us(person->loop) + reconnect_us : INT64_MAX;
}

void person_on_radio(void *context)
{
    struct person *person = context;
    if (person->ended || person_put_off(person, &person->radio)) return;
    person_set_signal(person, person->no_signal);
    if (person->no_signal)
        person_set_at(person, &person->radio,
                      person_now_us(person) + draw_between(&person->rng,
                                                           person->luck.habits->loss_least_us,
                                                           person->luck.habits->loss_most_us + 1));
    else
        person_plan_signal_loss(person);
}

/* --- what the phone brings ------------------------------------------------------------------- */

static bool awaits_answer(struct person *person, const struct replica_visit *visit)
{
    const struct word *word = words_find(&person->words, visit->appointment_id);
    return person_status_of(person, visit) == CALLOUT__APPOINTMENT_STATUS__DISPATCHED &&
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

void person_on_answer_time(void *context)
{
    struct person *person = context;
    if (person_put_off(person, &person->answer) || !at_work(person)) return;
    for (;;) {
        /* Each answer may change the list: look for the first that awaits one, until none does. */
        size_t count, i = 0;
        const struct replica_visit *visits = client_appointments(person->client, &count);
        while (i < count && !awaits_answer(person, &visits[i]))
            i++;
        if (i == count) break;
        if (declines(person, visits[i].appointment_id))
            person_decline(person, visits[i].appointment_id, "not with what I have in the van");
        else
            person_report(person, visits[i].appointment_id, CALLOUT__APPOINTMENT_STATUS__ACCEPTED,
                          "");
    }
    if (person->doing == PERSON_IDLE) person_choose(person);
}

void person_look_at_phone(struct person *person)
{
    size_t count;
    const struct replica_visit *visits = client_appointments(person->client, &count);
    if (!at_work(person)) return;
    person_give_up_journey(person);
    for (size_t i = 0; i < count && person->answer.place == 0; i++)
        if (awaits_answer(person, &visits[i]))
            person_set_at(person, &person->answer,
                          person_now_us(person) +
                              draw_between(&person->rng, 20 * US_PER_SECOND, 2 * US_PER_MINUTE));
    if (person->doing == PERSON_IDLE) person_choose(person);
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
    int64_t now = person_now_us(person), start_us = person->row->shift_start_us;
    find_place(person);
    person->doing = PERSON_OFF;
    if (now > person->row->break_latest_us) person->rested = true;
    person_set_at(person, &person->next, start_us > now ? start_us : now);
    person_plan_signal_loss(person);
}

void person_on_news(void *context, struct client *client, const struct client_news *news)
{
    struct person *person = context;
    (void)client;
    if (person->watch != NULL)
        watch_receipt(person->watch, person->row->id, news, person->in_reach_since_us);
    for (size_t i = 0; i < news->change_count; i++)
        if (news->changes[i].kind == REPLICA_CAME || news->changes[i].kind == REPLICA_LEFT)
            words_forget(&person->words, news->changes[i].appointment_id);
    if (person->doing == PERSON_TAKEN && news->snapshot) come_back(person);
    if (person->started) person_look_at_phone(person);
}
