/* ordeal.h - a fleet lives through faults in virtual time, and an oracle keeps count.
 *
 * Idea: one seed makes everything: the live gateway, dispatcher and optimizer over the simulated
 * disk and network (sim/world/hub.h, disk.h, link.h), real clients in the technicians' hands, an
 * office that orders, cancels and moves, and mishaps that befall all of them. What is promised is
 * judged by the oracle (oracle.h) from what the clients said and heard, from the bytes that left
 * the gateway, and from the fact log: never by what the system says of itself.
 *
 *   06:50  the day's orders come in
 *   07:00  work, radio on and off, mishaps
 *   12:00  the last fault is over, every device is on: within a minute all must agree
 *   12:30  the same again until 17:00; then night, for everybody
 *
 * Each of the two is a half day; all that was said is judged at its end.
 *
 * A mishap is a step, counted from 1: seed and step say where it was. With `steps_max` no mishap
 * comes after that one, which narrows a failure down.
 *
 * Owner: plain values. Thread: one, and one ordeal at a time in a process (sim/world/seeded.h).
 */
#ifndef CALLOUT_TESTS_ORDEAL_H
#define CALLOUT_TESTS_ORDEAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { ORDEAL_TEXT = 256, ORDEAL_DEVICES_MAX = 1000, ORDEAL_DAYS_MAX = 14 };

/* Bugs that an ordeal can be made with: each must be found, or the oracle proves nothing. */
enum ordeal_plant {
    PLANT_NONE,
    PLANT_HOLLOW_REPLY, /* lost: a Push is answered "applied", and never reaches the gateway */
    PLANT_LOST_ROW,     /* lost: the store drops a result or a position that it said it has */
    PLANT_LYING_DISK,   /* lost: a power cut takes what was committed a while before */
    PLANT_FORGETFUL,   /* twice: the store forgets the last numbers of devices, and their results */
    PLANT_MIXED_UP,    /* leaked: a Pull is answered with somebody else's news */
    PLANT_OPEN_DOOR,   /* leaked: a revoked device goes on being served */
    PLANT_DEAF,        /* stuck: one device's polls are never answered */
    PLANT_LOST_CHANGE, /* stuck: the store drops what Pull reads */
    PLANT_COUNT
};
extern const char *const ordeal_plants[PLANT_COUNT];

struct ordeal_options {
    uint64_t seed;
    uint32_t devices, half_days;
    uint32_t steps_max; /* 0: no end */
    bool restores;      /* the disk is brought back from an older copy */
    enum ordeal_plant plant;
    /* A line for each step and each finding; may be NULL. */
    void (*say)(void *context, const char *line);
    void *context;
};

struct ordeal_result {
    uint64_t device_half_days, saved, acknowledged, facts, orders, shown;
    uint64_t steps, kills[3], cuts, failed_commits, crashes, revoked, restores;
    /* What must be 0: */
    uint64_t lost, twice, leaked, stuck;
    uint32_t step;           /* the last one before the first finding */
    char first[ORDEAL_TEXT]; /* the first finding; "": none */
    int64_t converged_us;    /* the slowest evening */
    uint64_t digest;         /* of every message; the same seed gives the same */
};

/* ERR_IO: no folder for the devices, *problem says why. */
MUST_USE enum err ordeal_run(struct ordeal_result *out, const struct ordeal_options *options,
                             struct problem *problem);

#endif
