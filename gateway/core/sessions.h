/* sessions.h - who a session token belongs to, remembered for a little while.
 *
 * Idea: the dispatcher knows sessions; asking it for each request would double the work, so an
 * answer is kept for at most SESSION_LIFE_US. "Nobody" is remembered too, more briefly: a client
 * with a dead token must not cost an inner request each time. The table has a fixed size; the entry
 * that would end first makes room.
 *
 * Owner: the caller; memory from the arena at init, none later. Pure: time is passed in.
 */
#ifndef CALLOUT_GATEWAY_CORE_SESSIONS_H
#define CALLOUT_GATEWAY_CORE_SESSIONS_H

#include "base/arena.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SESSION_TOKEN_MAX = 128, /* bytes: 32 of a device, or the text of an API key */
    SESSION_LIFE_US = 30 * 1000000,
    SESSION_NOBODY_LIFE_US = 2 * 1000000,
};

enum session_kind { SESSION_NOBODY, SESSION_DEVICE, SESSION_KEY, SESSION_PERSON };

struct session_holder {
    enum session_kind kind;
    char id[LIMIT_ID + 1];            /* device id, name of a key or a person */
    char technician_id[LIMIT_ID + 1]; /* of a device */
    char role[LIMIT_ID + 1];
    uint32_t epoch; /* of a device */
};

struct sessions {
    /* A place is 0 or counts from 1 into the entries, which are used in order: memory is taken as
     * it is needed, not wherever a token's hash falls. */
    uint32_t *places;
    struct session *entries;
    uint32_t used;
    uint32_t set_count; /* a power of two */
    uint64_t seed;
};

/* `seed` must not be known to clients: it spreads tokens over the table. */
void sessions_init(struct sessions *sessions, struct arena *arena, uint32_t capacity,
                   uint64_t seed);
/* NULL: not known here, ask. Borrowed until the next call. */
const struct session_holder *sessions_find(const struct sessions *sessions, const void *token,
                                           size_t size, int64_t now_us);
/* Remembers an answer; a holder of kind SESSION_NOBODY is one, too. */
void sessions_put(struct sessions *sessions, const void *token, size_t size,
                  const struct session_holder *holder, int64_t now_us);
void sessions_forget(struct sessions *sessions, const void *token, size_t size);
/* Whatever tokens this device or key has; id NULL: everybody. */
void sessions_forget_holder(struct sessions *sessions, enum session_kind kind, const char *id);

#endif
