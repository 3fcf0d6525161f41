/* admission.h - who is let in while the dispatcher has more to do than it can do soon.
 *
 * Idea: a queue that everybody may join is late for everybody: ten thousand devices that come back
 * at once wait for seconds, give up, and ask again. So a question is refused at once when those
 * before it would keep it waiting too long, and whoever is refused is told when there is room: each
 * a time of its own, one after the other at the pace at which the dispatcher takes them, with some
 * chance added. Whoever just arrives is refused first, since one who is in will ask several times
 * more: so what was let in is answered within two seconds, and nobody is late for ever.
 *
 *      wait = questions without an answer x what one takes + how long nothing was answered
 *
 * What one takes is learned from how many are answered in a time while many wait; where few do, a
 * question is never refused, however slow the dispatcher is.
 *
 * Owner: the caller; no memory of its own. Pure: time is passed in, chance is its own.
 */
#ifndef CALLOUT_GATEWAY_CORE_ADMISSION_H
#define CALLOUT_GATEWAY_CORE_ADMISSION_H

#include "base/rng.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ADMISSION_FEW = 256, /* questions that may always wait */
    ADMISSION_AWAY_MS_MAX = 30000,
};

enum admission_kind {
    ADMISSION_ARRIVAL, /* the first of several questions: Enroll, a Hello without a nonce */
    ADMISSION_GUEST,   /* one who was let in */
    ADMISSION_KINDS
};

struct admission {
    int64_t question_ns; /* what the dispatcher takes for one */
    int64_t heard_us;    /* when it last answered, or had little to do */
    int64_t given_us;    /* up to here all times to come are given away */
    uint32_t counted;    /* answers since from_us, all the while many waited */
    int64_t from_us;
    struct rng chance;
};

void admission_init(struct admission *admission, uint64_t seed);
/* An answer came; so many still wait for theirs. */
void admission_heard(struct admission *admission, uint32_t waiting, int64_t now_us);
/* May one more join the `waiting`? False: *retry_after_ms is set, at most a quarter above
 * ADMISSION_AWAY_MS_MAX. */
bool admission_ask(struct admission *admission, enum admission_kind kind, uint32_t waiting,
                   int64_t now_us, uint32_t *retry_after_ms);

#endif
