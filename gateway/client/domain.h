/* domain.h - domain time on a client: replies carry the server's, the monotonic clock carries it
 * on.
 *
 * A reply is under way for a while, so each one says "at least this late"; the latest such word
 * wins. A word more than `domain_jump_mono_us` off means that the server's clock was set anew.
 */
#ifndef CALLOUT_GATEWAY_CLIENT_DOMAIN_H
#define CALLOUT_GATEWAY_CLIENT_DOMAIN_H

#include "base/clock.h"

#include <stdbool.h>

struct domain_clock {
    int64_t domain_us; /* 0: not known yet */
    int64_t mono_us;
    double rate; /* domain seconds per second */
};

static const int64_t domain_jump_mono_us = 2 * US_PER_SECOND;

static inline int64_t domain_at(const struct domain_clock *clock, int64_t mono_us)
{
    if (clock->domain_us == 0) return 0;
    return clock->domain_us + (int64_t)((double)(mono_us - clock->mono_us) * clock->rate);
}

static inline void domain_learn(struct domain_clock *clock, int64_t server_time_us, double rate,
                                int64_t mono_us)
{
    if (server_time_us <= 0) return;
    double known_rate = rate > 0 ? rate : 1;
    int64_t behind_us = domain_at(clock, mono_us) - server_time_us;
    bool steady =
        clock->domain_us != 0 && known_rate - clock->rate < 1e-9 && clock->rate - known_rate < 1e-9;
    if (steady && behind_us >= 0 && (double)behind_us < (double)domain_jump_mono_us * known_rate)
        return;
    *clock = (struct domain_clock){server_time_us, mono_us, known_rate};
}

static inline int64_t domain_mono_at(const struct domain_clock *clock, int64_t domain_us)
{
    return clock->mono_us + (int64_t)((double)(domain_us - clock->domain_us) / clock->rate);
}

#endif
