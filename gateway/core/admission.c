#include "gateway/core/admission.h"

#include "base/check.h"

#define AWAY_US_MAX (ADMISSION_AWAY_MS_MAX * INT64_C(1000))

enum {
    QUESTION_NS = 100000, /* before anything was learned */
    QUESTION_NS_MIN = 10000,
    QUESTION_NS_MAX = 4000000,
    SAMPLE = 1024,         /* answers, of which each counts for a quarter of what is known */
    ARRIVAL_QUESTIONS = 6, /* what one who arrives will ask: two Hellos, a Push, Pulls */
    SOONEST_MS = 100,
};

/* How long a question of each kind may have to wait. */
static const int64_t patience_us[ADMISSION_KINDS] = {
    [ADMISSION_ARRIVAL] = 250000,
    [ADMISSION_GUEST] = 1000000,
};

void admission_init(struct admission *admission, uint64_t seed)
{
    *admission = (struct admission){.question_ns = QUESTION_NS, .chance = {seed}};
}

void admission_heard(struct admission *admission, uint32_t waiting, int64_t now_us)
{
    admission->heard_us = now_us;
    if (waiting < ADMISSION_FEW) admission->counted = 0;
    if (admission->counted == 0) admission->from_us = now_us;
    if (waiting < ADMISSION_FEW || ++admission->counted <= SAMPLE) return;
    int64_t ns = (now_us - admission->from_us) * 1000 / SAMPLE;
    if (ns < QUESTION_NS_MIN) ns = QUESTION_NS_MIN;
    if (ns > QUESTION_NS_MAX) ns = QUESTION_NS_MAX;
    admission->question_ns += (ns - admission->question_ns) / 4;
    admission->counted = 0;
}

/* The next time that nobody else has; when too many wait for theirs, any in the farther half. */
static int64_t next_time_us(struct admission *admission, int64_t wait_us, int64_t now_us)
{
    int64_t from_us = now_us + wait_us;
    if (admission->given_us > from_us) from_us = admission->given_us;
    if (from_us > now_us + AWAY_US_MAX)
        return now_us + AWAY_US_MAX / 2 + rng_below(&admission->chance, AWAY_US_MAX / 2);
    admission->given_us = from_us + ARRIVAL_QUESTIONS * admission->question_ns / 1000;
    return from_us;
}

bool admission_ask(struct admission *admission, enum admission_kind kind, uint32_t waiting,
                   int64_t now_us, uint32_t *retry_after_ms)
{
    CHECK(kind < ADMISSION_KINDS);
    if (waiting < ADMISSION_FEW) {
        admission->heard_us = now_us;
        return true;
    }
    int64_t wait_us = waiting * admission->question_ns / 1000 + now_us - admission->heard_us;
    if (wait_us <= patience_us[kind]) return true;
    if (wait_us > AWAY_US_MAX) wait_us = AWAY_US_MAX;
    int64_t at_us = now_us + wait_us;
    if (kind == ADMISSION_ARRIVAL) at_us = next_time_us(admission, wait_us, now_us);
    uint32_t ms = (uint32_t)((at_us - now_us) / 1000);
    if (ms < SOONEST_MS) ms = SOONEST_MS;
    *retry_after_ms = ms + rng_below(&admission->chance, ms / 4);
    return false;
}
