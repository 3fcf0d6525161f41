/* polls.h - requests that are held until there is something new: the parking rule.
 *
 * Idea: a poll is registered BEFORE the dispatcher is asked, so that a change which is committed
 * between the asking and the parking still finds it:
 *
 *      polls_add ---> ASKING --answer with news--------------------------> (answered, free)
 *                      ^  | \--empty answer, but a wake came meanwhile---> asked again, ASKING
 *                      |  \----empty answer------------------------------> PARKED
 *                    wake                                                    |
 *                      \-----------------------------------------------------+--hold ends--> (free)
 *
 * One poll per subject (a device, or one connection of a key): a newer one takes the older one's
 * place. Topic: whose changes wake it (a digest of the technician's id), or POLL_ANY_TOPIC.
 *
 * Owner: the caller, who keeps what belongs to a poll (ticket, question) in an array beside this
 * one, by id.slot. Memory from the arena at init, none later. Pure: monotonic time is passed in.
 */
#ifndef CALLOUT_GATEWAY_CORE_POLLS_H
#define CALLOUT_GATEWAY_CORE_POLLS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define POLL_ALL_TOPICS UINT64_C(0) /* for waking only: no poll has it */

/* A poll that is gone is known by its generation: an id never fits the next holder of the slot. */
struct poll_id {
    uint32_t slot, generation; /* generation 0: no poll */
};

enum poll_next {
    POLL_GONE,   /* it was answered, superseded or dropped before: nothing to do */
    POLL_ANSWER, /* send it what you have; its slot is free now */
    POLL_ASK,    /* ask again: something changed while the question was out */
    POLL_STAY,   /* it is parked */
};

struct polls {
    struct poll *slots;
    uint32_t capacity, first_free, count, parked;
    uint32_t high; /* no slot from here on was ever used */
};

void polls_init(struct polls *polls, struct arena *arena, uint32_t capacity);

/* Step 1, before the first question. *superseded is the older poll of the subject (its slot is
 * still its own until polls_drop), or has generation 0. False: all slots are taken. */
bool polls_add(struct polls *polls, uint64_t subject, uint64_t topic, int64_t deadline_us,
               struct poll_id *id, struct poll_id *superseded);
/* Step 3, when the answer is here. */
enum poll_next polls_answered(struct polls *polls, struct poll_id id, bool news, int64_t now_us);
/* Gives the poll up, in any state; false if it was gone. */
bool polls_drop(struct polls *polls, struct poll_id id);

/* Walks over the polls that `topic` wakes (POLL_ALL_TOPICS: all of them) and that have to be asked
 * about again; *from starts at 0. Those whose question is out are marked. False at the end. */
bool polls_wake_next(struct polls *polls, uint64_t topic, uint32_t *from, struct poll_id *id);
/* Walks over the parked polls whose hold has ended; each is to be answered, its slot is free. */
bool polls_expire_next(struct polls *polls, int64_t now_us, uint32_t *from, struct poll_id *id);
/* Walks over the parked polls, which stay parked. */
bool polls_parked_next(const struct polls *polls, uint32_t *from, struct poll_id *id);
/* Walks over all polls, for the end of the process; each slot is free then. */
bool polls_drain_next(struct polls *polls, uint32_t *from, struct poll_id *id);

#endif
