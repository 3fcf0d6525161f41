#include "gateway/core/throttle.h"

#include "base/check.h"
#include "base/digest.h"

#include <string.h>

enum { WAYS = 8 };

/* Live use at 120 times the speed of a working day must fit: a technician's hour is then 30
 * seconds. */
static const struct rule {
    int64_t interval_us; /* between two, in the long run */
    uint32_t burst;
} rules[THROTTLE_KINDS] = {
    [THROTTLE_PULL] = {50000, 60},      /* 20 per second */
    [THROTTLE_PUSH] = {50000, 500},     /* 20 per second */
    [THROTTLE_QUEUE] = {5000, 5000},    /* 200 per second */
    [THROTTLE_HELLO] = {5000000, 12},   /* 6 per minute, and each is asked twice */
    [THROTTLE_ENROLL] = {12000000, 5},  /* 5 per minute */
    [THROTTLE_LOGIN] = {6000000, 10},   /* 10 per minute */
    [THROTTLE_KEY] = {10000, 1000},     /* 100 per second */
    [THROTTLE_RESOLVE] = {20000, 1000}, /* 50 per second */
    [THROTTLE_BLOB] = {100000, 40},     /* 10 per second: 1.25 MiB */
};

struct bucket {
    uint64_t key; /* of kind and subject; 0: free */
    int64_t full_us;
};

void throttle_init(struct throttle *throttle, struct arena *arena, uint32_t capacity, uint64_t seed)
{
    throttle->set_count = 1;
    while (throttle->set_count * WAYS < capacity)
        throttle->set_count *= 2;
    throttle->seed = seed;
    throttle->buckets = arena_need(arena, throttle->set_count * WAYS * sizeof(struct bucket));
}

static struct bucket *find_or_take(struct throttle *throttle, uint64_t key)
{
    struct bucket *set = throttle->buckets + (key & (throttle->set_count - 1)) * WAYS;
    struct bucket *fullest = set;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key == key) return &set[i];
        if (set[i].full_us < fullest->full_us) fullest = &set[i];
    }
    *fullest = (struct bucket){.key = key};
    return fullest;
}

bool throttle_take(struct throttle *throttle, enum throttle_kind kind, const char *subject,
                   uint32_t cost, int64_t now_us, uint32_t *retry_after_ms)
{
    CHECK(kind < THROTTLE_KINDS);
    const struct rule *rule = &rules[kind];
    struct digest digest = {throttle->seed};
    digest_u64(&digest, kind);
    digest_bytes(&digest, subject, strlen(subject));
    struct bucket *bucket = find_or_take(throttle, digest.state | 1);
    int64_t from_us = bucket->full_us > now_us ? bucket->full_us : now_us;
    int64_t full_us = from_us + rule->interval_us * (cost < rule->burst ? cost : rule->burst);
    int64_t over_us = full_us - now_us - rule->interval_us * rule->burst;
    if (over_us > 0) {
        *retry_after_ms = (uint32_t)((over_us + 999) / 1000);
        return false;
    }
    bucket->full_us = full_us;
    return true;
}
