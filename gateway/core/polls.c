#include "gateway/core/polls.h"

#include "base/check.h"

#define NO_SLOT UINT32_MAX

enum state { FREE, ASKING, PARKED };

struct poll {
    enum state state;
    bool news; /* ASKING: a wake came while the question was out */
    uint32_t generation;
    uint32_t next_free;
    uint64_t subject, topic;
    int64_t deadline_us;
};

void polls_init(struct polls *polls, struct arena *arena, uint32_t capacity)
{
    *polls = (struct polls){.capacity = capacity, .first_free = NO_SLOT};
    polls->slots = arena_need(arena, capacity * sizeof(struct poll));
}

static struct poll_id id_of(const struct polls *polls, uint32_t slot)
{
    return (struct poll_id){slot, polls->slots[slot].generation};
}

static struct poll *poll_of(const struct polls *polls, struct poll_id id)
{
    if (id.slot >= polls->high) return NULL;
    struct poll *poll = &polls->slots[id.slot];
    return poll->state != FREE && poll->generation == id.generation ? poll : NULL;
}

static uint32_t slot_take(struct polls *polls)
{
    uint32_t slot = polls->first_free;
    if (slot == NO_SLOT) return polls->high < polls->capacity ? polls->high++ : NO_SLOT;
    polls->first_free = polls->slots[slot].next_free;
    return slot;
}

static void set_state(struct polls *polls, struct poll *poll, enum state state)
{
    if (poll->state == PARKED) polls->parked--;
    if (state == PARKED) polls->parked++;
    poll->state = state;
    poll->news = false;
}

static void slot_free(struct polls *polls, struct poll *poll)
{
    CHECK(poll->state != FREE && polls->count > 0);
    set_state(polls, poll, FREE);
    poll->next_free = polls->first_free;
    polls->first_free = (uint32_t)(poll - polls->slots);
    polls->count--;
}

static struct poll_id find_subject(const struct polls *polls, uint64_t subject)
{
    for (uint32_t i = 0; i < polls->high; i++)
        if (polls->slots[i].state != FREE && polls->slots[i].subject == subject)
            return id_of(polls, i);
    return (struct poll_id){0, 0};
}

bool polls_add(struct polls *polls, uint64_t subject, uint64_t topic, int64_t deadline_us,
               struct poll_id *id, struct poll_id *superseded)
{
    struct poll_id older = find_subject(polls, subject);
    uint32_t slot = slot_take(polls);
    if (slot == NO_SLOT) return false;
    struct poll *poll = &polls->slots[slot];
    uint32_t generation = poll->generation + 1 == 0 ? 1 : poll->generation + 1;
    *poll = (struct poll){ASKING, false, generation, NO_SLOT, subject, topic, deadline_us};
    polls->count++;
    *id = id_of(polls, slot);
    *superseded = older;
    return true;
}

enum poll_next polls_answered(struct polls *polls, struct poll_id id, bool news, int64_t now_us)
{
    struct poll *poll = poll_of(polls, id);
    if (poll == NULL) return POLL_GONE;
    CHECK(poll->state == ASKING);
    if (news || now_us >= poll->deadline_us) {
        slot_free(polls, poll);
        return POLL_ANSWER;
    }
    if (poll->news) {
        poll->news = false;
        return POLL_ASK;
    }
    set_state(polls, poll, PARKED);
    return POLL_STAY;
}

bool polls_drop(struct polls *polls, struct poll_id id)
{
    struct poll *poll = poll_of(polls, id);
    if (poll != NULL) slot_free(polls, poll);
    return poll != NULL;
}

bool polls_wake_next(struct polls *polls, uint64_t topic, uint32_t *from, struct poll_id *id)
{
    while (*from < polls->high) {
        struct poll *poll = &polls->slots[(*from)++];
        bool meant = topic == POLL_ALL_TOPICS || poll->topic == topic;
        if (poll->state == FREE || !meant) continue;
        if (poll->state == ASKING) {
            poll->news = true;
            continue;
        }
        set_state(polls, poll, ASKING);
        *id = id_of(polls, *from - 1);
        return true;
    }
    return false;
}

bool polls_expire_next(struct polls *polls, int64_t now_us, uint32_t *from, struct poll_id *id)
{
    while (*from < polls->high) {
        struct poll *poll = &polls->slots[(*from)++];
        if (poll->state != PARKED || poll->deadline_us > now_us) continue;
        *id = id_of(polls, *from - 1);
        slot_free(polls, poll);
        return true;
    }
    return false;
}

bool polls_parked_next(const struct polls *polls, uint32_t *from, struct poll_id *id)
{
    while (*from < polls->high) {
        uint32_t slot = (*from)++;
        if (polls->slots[slot].state != PARKED) continue;
        *id = id_of(polls, slot);
        return true;
    }
    return false;
}

bool polls_drain_next(struct polls *polls, uint32_t *from, struct poll_id *id)
{
    while (*from < polls->high) {
        struct poll *poll = &polls->slots[(*from)++];
        if (poll->state == FREE) continue;
        *id = id_of(polls, *from - 1);
        slot_free(polls, poll);
        return true;
    }
    return false;
}
