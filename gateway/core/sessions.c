#include "gateway/core/sessions.h"

#include "base/check.h"
#include "base/digest.h"

#include <string.h>

enum { WAYS = 8 };

struct session {
    uint8_t token[SESSION_TOKEN_MAX];
    uint32_t token_size; /* 0: free */
    int64_t ends_us;
    struct session_holder holder;
};

void sessions_init(struct sessions *sessions, struct arena *arena, uint32_t capacity, uint64_t seed)
{
    sessions->set_count = 1;
    while (sessions->set_count * WAYS < capacity)
        sessions->set_count *= 2;
    sessions->seed = seed;
    sessions->used = 0;
    uint32_t places = sessions->set_count * WAYS;
    sessions->places = arena_need(arena, places * sizeof *sessions->places);
    sessions->entries = arena_need(arena, places * sizeof(struct session));
}

/* The WAYS places among which a token lies. */
static uint32_t *set_of(const struct sessions *sessions, const void *token, size_t size)
{
    struct digest digest = {sessions->seed};
    digest_bytes(&digest, token, size);
    return sessions->places + (digest.state & (sessions->set_count - 1)) * WAYS;
}

/* The entry of a place; NULL: it never had one. */
static struct session *entry_of(const struct sessions *sessions, uint32_t place)
{
    return place == 0 ? NULL : &sessions->entries[place - 1];
}

static struct session *find(const struct sessions *sessions, const void *token, size_t size)
{
    CHECK(size > 0 && size <= SESSION_TOKEN_MAX);
    const uint32_t *set = set_of(sessions, token, size);
    for (unsigned i = 0; i < WAYS; i++) {
        struct session *it = entry_of(sessions, set[i]);
        if (it != NULL && it->token_size == size && memcmp(it->token, token, size) == 0) return it;
    }
    return NULL;
}

const struct session_holder *sessions_find(const struct sessions *sessions, const void *token,
                                           size_t size, int64_t now_us)
{
    const struct session *session = find(sessions, token, size);
    return session != NULL && session->ends_us > now_us ? &session->holder : NULL;
}

static struct session *make_room(struct sessions *sessions, const void *token, size_t size)
{
    uint32_t *set = set_of(sessions, token, size);
    struct session *first_to_end = NULL;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i] == 0) set[i] = ++sessions->used;
        struct session *it = entry_of(sessions, set[i]);
        if (it->token_size == 0) return it;
        if (first_to_end == NULL || it->ends_us < first_to_end->ends_us) first_to_end = it;
    }
    return first_to_end;
}

void sessions_put(struct sessions *sessions, const void *token, size_t size,
                  const struct session_holder *holder, int64_t now_us)
{
    struct session *session = find(sessions, token, size);
    if (session == NULL) session = make_room(sessions, token, size);
    memcpy(session->token, token, size);
    session->token_size = (uint32_t)size;
    session->holder = *holder;
    session->ends_us =
        now_us + (holder->kind == SESSION_NOBODY ? SESSION_NOBODY_LIFE_US : SESSION_LIFE_US);
}

void sessions_forget(struct sessions *sessions, const void *token, size_t size)
{
    struct session *session = find(sessions, token, size);
    if (session != NULL) memset(session, 0, sizeof *session);
}

void sessions_forget_holder(struct sessions *sessions, enum session_kind kind, const char *id)
{
    for (uint32_t i = 0; i < sessions->used; i++) {
        struct session *session = &sessions->entries[i];
        bool his =
            id == NULL || (session->holder.kind == kind && strcmp(session->holder.id, id) == 0);
        if (his) memset(session, 0, sizeof *session);
    }
}
