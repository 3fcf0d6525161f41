/* throttle.h - how often somebody may do something: token buckets, one number each.
 *
 * Idea: a bucket of size `burst` that refills at `rate` is known by the time at which it will be
 * full again (the "theoretical arrival time" of the generic cell rate algorithm, ITU-T I.371). A
 * full bucket needs no memory, so the table forgets the fullest one when it needs room.
 *
 * Owner: the caller; memory from the arena at init, none later. Pure: time is passed in.
 */
#ifndef CALLOUT_GATEWAY_CORE_THROTTLE_H
#define CALLOUT_GATEWAY_CORE_THROTTLE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum throttle_kind {
    THROTTLE_PULL,    /* per device */
    THROTTLE_PUSH,    /* per device: commands that come one by one */
    THROTTLE_QUEUE,   /* per device, counted in commands: batches of what was queued offline */
    THROTTLE_HELLO,   /* per device and address */
    THROTTLE_ENROLL,  /* per address */
    THROTTLE_LOGIN,   /* per address */
    THROTTLE_KEY,     /* per API key or person, any request */
    THROTTLE_RESOLVE, /* per address: tokens that we have to ask about */
    THROTTLE_BLOB,    /* per device: pieces of photos */
    THROTTLE_KINDS
};

struct throttle {
    struct bucket *buckets;
    uint32_t set_count; /* a power of two */
    uint64_t seed;
};

void throttle_init(struct throttle *throttle, struct arena *arena, uint32_t capacity,
                   uint64_t seed);
/* Takes `cost` from the bucket of `subject`. False: it has not that much; *retry_after_ms is set
 * and nothing is taken. A cost above the bucket's size counts as its size. */
bool throttle_take(struct throttle *throttle, enum throttle_kind kind, const char *subject,
                   uint32_t cost, int64_t now_us, uint32_t *retry_after_ms);

#endif
