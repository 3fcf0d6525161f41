/* person_impl.h - what the files behind person.h share: the person, and what he does at a word from
 * his phone. Nobody else includes it.
 *
 *   person.c        the door: his device, what befalls him, somebody else in his place
 *   person_day.c    what he does with his time, and what he says of it
 *   person_phone.c  what his phone brings, and where it has no signal
 */
#ifndef CALLOUT_SIM_PERSON_IMPL_H
#define CALLOUT_SIM_PERSON_IMPL_H

#include "base/rng.h"
#include "sim/person.h"
#include "sim/words.h"

enum { PATH_BYTES = 1024, URL_BYTES = 512 };

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

/* --- person_day.c ---------------------------------------------------------------------------- */

int64_t person_now_us(const struct person *person); /* domain time */
void person_set_at(struct person *person, struct client_timer *timer, int64_t domain_us);

/* What a visit's state is to him: the later of the replica's and his own word. */
Callout__AppointmentStatus person_status_of(struct person *person,
                                            const struct replica_visit *visit);
void person_report(struct person *person, const char *appointment_id,
                   Callout__AppointmentStatus status, const char *reason);
void person_decline(struct person *person, const char *appointment_id, const char *reason);
void person_remember(struct person *person); /* says what he forgot to say at a customer's */

/* Idle: what next, and when? Comes here again after any news and at the time that is set. */
void person_choose(struct person *person);
/* On the way to a visit that was taken away or cancelled: turns back to idle where the road is. */
void person_give_up_journey(struct person *person);
/* What comes due while it is not known whether he stays, waits: true. */
bool person_put_off(struct person *person, struct client_timer *timer);
void person_on_next(void *person); /* fires `next` */

/* --- person_phone.c -------------------------------------------------------------------------- */

void person_plan_signal_loss(struct person *person);
void person_set_signal(struct person *person, bool on);
void person_look_at_phone(struct person *person);
void person_on_radio(void *person);       /* fires `radio` */
void person_on_answer_time(void *person); /* fires `answer` */
void person_on_news(void *person, struct client *client, const struct client_news *news);

#endif
