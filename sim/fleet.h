/* fleet.h - all technicians of a day as persons, each with a device folder of its own.
 *
 * Which of them fall ill, and when, follows from the seed. Order: the day's time zone is open
 * (day/zone.h), as it is since the day was read.
 */
#ifndef CALLOUT_SIM_FLEET_H
#define CALLOUT_SIM_FLEET_H

#include "sim/person.h"

struct fleet_options {
    const struct day *day; /* kept until fleet_close */
    const char *url, *ca_file;
    bool url_each;               /* each device has its own: `url` with its index behind */
    const char *folder;          /* one folder per device is made in it */
    const char *const *tokens;   /* one per technician of the day, in its order; not needed of
                                    whom the fleet has already */
    const char *boot_id;         /* of the phones; NULL: this machine's */
    const struct habits *habits; /* kept, as are the two below */
    const struct travel *roads;  /* see luck.h; both may be NULL */
    const int32_t *travel_percent;
    uint64_t seed;
    uint32_t ill;                /* so many of them */
    const int64_t *absent_at_us; /* or when each falls ill, 0: he does not; NULL: see ill */
    struct watch *watch;
};

struct fleet_count {
    size_t doing[PERSON_DOING_COUNT];
    size_t live, stopped, without_signal;
    uint64_t saved, acknowledged, unsent, rejected, conflicts, failures, snapshots, pulls;
    uint64_t aside; /* of saved: see person.h */
};

struct fleet;

MUST_USE enum err fleet_open(struct fleet **out, struct client_loop *loop,
                             const struct fleet_options *options, struct problem *problem);
void fleet_close(struct fleet *fleet); /* may be NULL */

size_t fleet_size(const struct fleet *fleet);
struct person *fleet_person(const struct fleet *fleet, size_t index);
struct fleet_count fleet_count(const struct fleet *fleet);
void fleet_end_day(struct fleet *fleet);
/* All phones are off, until the next day of those who work on it. */
void fleet_sleep(struct fleet *fleet);
/* Another day for the technicians of options->day; who is new among them joins the fleet. */
MUST_USE enum err fleet_wake(struct fleet *fleet, struct client_loop *loop,
                             const struct fleet_options *options, struct problem *problem);
/* The index of one who does not fall ill; technician_count: all do. Of options, day, seed and ill
 * are looked at. */
size_t fleet_well(const struct fleet_options *options);
/* His index; fleet_size: he is not of the fleet. */
size_t fleet_find(const struct fleet *fleet, const char *technician_id);

#endif
