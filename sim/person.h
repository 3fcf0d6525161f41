/* person.h - a virtual technician: a real client over the wire, and somebody who travels and works.
 *
 * Idea: the person knows only what a phone shows (the replica) and acts in domain time: accepts
 * what is dispatched, leaves in time, drives, rings, works, rests, goes home. Chance (seeded) makes
 * roads slow, work long, customers absent; some days a phone has no signal for a while, or the
 * person is ill. What is done is told through the outbox whether there is signal or not.
 *
 *   OFF --shift--> IDLE --leave--> TRAVELS --arrive--> ON_SITE --begin--> WORKS --end--> IDLE
 *                   |  ^---------- break ----------'        `-- no access --> IDLE
 *                   `--> ABSENT (ill), GONE (home)
 * Thread: the loop's.
 */
#ifndef CALLOUT_SIM_PERSON_H
#define CALLOUT_SIM_PERSON_H

#include "day/day.h"
#include "gateway/client/client.h"
#include "sim/watch.h"

/* How people and roads are; permille of the visits unless said otherwise. */
struct habits {
    uint32_t decline, no_access, incomplete;
    uint32_t travel_min, travel_max; /* percent of the expected travel time */
    uint32_t work_min, work_max;     /* percent of the expected service time */
    uint32_t signal_losses; /* permille of a person's day without signal, each of 5 to 40 min */
    uint32_t positions;     /* journeys that report positions */
};

extern const struct habits habits_default;

enum person_doing {
    PERSON_OFF,
    PERSON_IDLE,
    PERSON_TRAVELS,
    PERSON_ON_SITE,
    PERSON_WORKS,
    PERSON_RESTS,
    PERSON_ABSENT,
    PERSON_GONE,
    PERSON_DOING_COUNT,
};

struct person_options {
    const struct day_technician *row; /* kept until person_close */
    const char *url, *ca_file;
    const char *folder; /* of the device */
    const char *enrol_token;
    const struct habits *habits;
    uint64_t seed;
    int64_t absent_at_us; /* domain time of falling ill; 0: stays well */
    struct watch *watch;  /* may be NULL */
};

struct person;

MUST_USE enum err person_open(struct person **out, struct client_loop *loop,
                              const struct person_options *options, struct problem *problem);
void person_close(struct person *person); /* may be NULL */

enum person_doing person_doing(const struct person *person);
bool person_has_signal(const struct person *person);
/* The day is over: signal on for good, no more deeds; the outbox drains. */
void person_end_day(struct person *person);
struct client *person_client(struct person *person);
const char *person_doing_text(enum person_doing doing);

#endif
