/* person.h - a virtual technician: a real client over the wire, and somebody who travels and works.
 *
 * Idea: the person knows only what a phone shows (the replica) and acts in domain time: accepts
 * what is dispatched, leaves in time, drives, rings, works, rests, goes home. Luck (luck.h) makes
 * roads slow, work long, customers absent, mornings late; somebody forgets to check out and says so
 * at the next stop; some days a phone has no signal for a while, or the person is ill. What is done
 * is told through the outbox (say.h) whether there is signal or not.
 *
 *   OFF --shift--> IDLE --leave--> TRAVELS --arrive--> ON_SITE --begin--> WORKS --end--> IDLE
 *                   |  ^---------- break ----------'        `-- no access --> IDLE
 *                   `--> ABSENT (ill), GONE (home)
 *   any --let go, all that was said is acknowledged--> TAKEN --take back--> OFF
 *
 * Somebody else may take his place (TAKEN): his device says what is done, is silent about what is
 * in hand, and is closed. Taken back he has a new device, and goes on from what its first Snapshot
 * says, whoever made it so.
 * Thread: the loop's.
 */
#ifndef CALLOUT_SIM_PERSON_H
#define CALLOUT_SIM_PERSON_H

#include "day/day.h"
#include "gateway/client/client.h"
#include "sim/luck.h"
#include "sim/watch.h"

enum person_doing {
    PERSON_OFF,
    PERSON_IDLE,
    PERSON_TRAVELS,
    PERSON_ON_SITE,
    PERSON_WORKS,
    PERSON_RESTS,
    PERSON_ABSENT,
    PERSON_GONE,
    PERSON_TAKEN,
    PERSON_DOING_COUNT,
};

struct person_options {
    const struct day_technician *row; /* kept until person_close */
    const char *url, *ca_file;
    const char *folder; /* of the device */
    const char *enrol_token;
    const char *boot_id;  /* of the phone; NULL: this machine's */
    struct luck luck;     /* what it points at is kept until person_close */
    uint64_t seed;        /* of his own: when he looks at the phone, where it has no signal */
    int64_t absent_at_us; /* domain time of falling ill; 0: stays well */
    struct watch *watch;  /* may be NULL */
};

struct person;

MUST_USE enum err person_open(struct person **out, struct client_loop *loop,
                              const struct person_options *options, struct problem *problem);
void person_close(struct person *person); /* may be NULL */

/* What may befall him at any time of the day, in domain time. */
void person_falls_ill(struct person *person, int64_t at_us); /* ends the visit in hand first */
void person_drift(struct person *person, int32_t north_m, int32_t east_m); /* 0, 0: no more */
void person_set_clock(struct person *person, int64_t ahead_us);            /* the phone's */
void person_lose_signal(struct person *person, int64_t until_us);

/* Another is to take his place: no more deeds, and the outbox drains. person_give_up closes the
 * device, once person_is_silent; person_stay goes on as if nobody had asked. */
void person_let_go(struct person *person);
bool person_is_silent(const struct person *person);
void person_give_up(struct person *person);
/* Another device enrolled as him while he worked, and ended his: somebody else is he now. What he
 * had not sent by then is with the dispatchers, as what a device says that was ended. */
bool person_is_replaced(const struct person *person);
void person_make_way(struct person *person);
void person_stay(struct person *person);
/* A taken one enrols a device of his own in that folder, and is taken until it has its Snapshot. If
 * it is refused (person_state), this may be tried again. */
MUST_USE enum err person_take_back(struct person *person, const char *folder,
                                   const char *enrol_token, struct problem *problem);

enum person_doing person_doing(const struct person *person);
const char *person_visit(const struct person *person); /* in hand; "": none */
bool person_has_signal(const struct person *person);
/* The day is over: signal on for good, no more deeds; the outbox drains. */
void person_end_day(struct person *person);
/* Then the phone is off, for the night or for a day without a shift. */
void person_sleep(struct person *person);
/* Another day of work, at whose midnight at the earliest: the phone is on again some time before
 * the shift. Of the options, row, luck and absent_at_us count. */
void person_wake(struct person *person, const struct person_options *options);
/* Commands he saved that never become facts: positions. */
uint64_t person_aside(const struct person *person);
/* Of all the devices he had so far. */
struct client_counters person_counters(const struct person *person);
/* Of the one he has; CLIENT_STOPPED and 0: none, he is taken. */
enum client_state person_state(const struct person *person);
uint64_t person_unsent(const struct person *person);
const char *person_doing_text(enum person_doing doing);

#endif
