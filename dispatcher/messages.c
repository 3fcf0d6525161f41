/* messages.c - what dispatchers and technicians wrote to each other, to either of them. */
#include "base/clock.h"
#include "dispatcher/engine_impl.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MAX = 200, PULL_MESSAGES_MAX = 50 };
#define LATELY_US (3 * US_PER_DAY)

static Callout__Message *read_message(struct arena *arena, const struct row_message *row)
{
    Callout__Message *to = arena_need(arena, sizeof *to);
    callout__message__init(to);
    to->seq = (uint64_t)row->seq;
    to->time_us = row->time_us;
    to->technician_id = arena_text(arena, row->technician_id);
    to->from_technician = row->from_technician != 0;
    to->from = arena_text(arena, row->sender);
    to->text = arena_text(arena, row->text);
    to->appointment_id = arena_text(arena, row->appointment_id);
    to->in_reply_to = (uint64_t)row->in_reply_to;
    return to;
}

/* --- to a device --- */

struct post {
    struct arena *arena;
    Callout__PullReply *answer;
    int64_t until_seq;
    bool more;
};

static bool add_post(void *context, const void *visited)
{
    struct post *post = context;
    const struct row_message *row = visited;
    if (row->seq > post->until_seq) return false;
    if (row->from_technician) return true;
    if (post->answer->n_messages == PULL_MESSAGES_MAX) {
        post->more = true;
        post->until_seq = (int64_t)post->answer->messages[PULL_MESSAGES_MAX - 1]->seq;
        return false;
    }
    post->answer->messages[post->answer->n_messages++] = read_message(post->arena, row);
    return true;
}

enum err messages_for(struct call *call, int64_t after_seq, int64_t *until_seq, bool *more,
                      Callout__PullReply *answer)
{
    const struct row_message key = {.technician_id = call->who->technician_id, .seq = after_seq};
    struct post post = {call->arena, answer, *until_seq, false};
    answer->messages = arena_need(call->arena, PULL_MESSAGES_MAX * sizeof *answer->messages);
    enum err err = store_each(call->engine->store, ROW_MESSAGE, &key, 1, true, add_post, &post);
    *until_seq = post.until_seq;
    *more = post.more;
    return err;
}

/* --- what was written lately --- */

struct lately {
    struct arena *arena;
    Callout__SnapshotReply *answer;
    int64_t from_us;
};

static bool add_lately(void *context, const void *visited)
{
    struct lately *lately = context;
    const struct row_message *row = visited;
    Callout__SnapshotReply *answer = lately->answer;
    if (row->time_us < lately->from_us) return true;
    if (answer->n_messages == PULL_MESSAGES_MAX)
        memmove(answer->messages, answer->messages + 1,
                --answer->n_messages * sizeof *answer->messages);
    answer->messages[answer->n_messages++] = read_message(lately->arena, row);
    return true;
}

enum err messages_lately(struct call *call, Callout__SnapshotReply *answer)
{
    const struct row_message key = {.technician_id = call->who->technician_id};
    struct lately lately = {call->arena, answer, call->engine->now_us - LATELY_US};
    answer->messages = arena_need(call->arena, PULL_MESSAGES_MAX * sizeof *answer->messages);
    return store_each(call->engine->store, ROW_MESSAGE, &key, 1, false, add_lately, &lately);
}

/* --- to dispatchers --- */

struct reading {
    struct call *call;
    Callout__MessagesReply *answer;
    uint32_t room, taken; /* of the technician who is read now */
    enum err err;
};

static bool add_message(void *context, const void *visited)
{
    struct reading *reading = context;
    Callout__MessagesReply *answer = reading->answer;
    /* No more than these can be told at once; one more tells that there are more. */
    if (reading->taken++ > MESSAGES_MAX) return false;
    if (answer->n_messages == reading->room) {
        reading->room = reading->room == 0 ? MESSAGES_MAX : 2 * reading->room;
        Callout__Message **grown = arena_need(reading->call->arena, reading->room * sizeof *grown);
        if (answer->n_messages > 0)
            memcpy(grown, answer->messages, answer->n_messages * sizeof *grown);
        answer->messages = grown;
    }
    answer->messages[answer->n_messages++] = read_message(reading->call->arena, visited);
    return true;
}

static bool read_technician(void *context, const char *technician_id)
{
    struct reading *reading = context;
    struct call *call = reading->call;
    const Callout__MessagesRequest *request = (const Callout__MessagesRequest *)call->message;
    const struct row_message key = {.technician_id = technician_id,
                                    .seq = (int64_t)request->after_seq};
    size_t first = reading->answer->n_messages;
    int64_t delivered_seq, seen_seq;
    if (request->technician_id[0] != '\0' && strcmp(request->technician_id, technician_id) != 0)
        return true;
    reading->taken = 0;
    reading->err =
        store_each(call->engine->store, ROW_MESSAGE, &key, 1, true, add_message, reading);
    if (reading->err == ERR_OK)
        reading->err = plan_ack_reach(call, technician_id, &delivered_seq, &seen_seq);
    for (size_t i = first; i < reading->answer->n_messages && reading->err == ERR_OK; i++) {
        Callout__Message *it = reading->answer->messages[i];
        if (it->from_technician) continue;
        it->seen = seen_seq >= (int64_t)it->seq;
        it->delivered = it->seen || delivered_seq >= (int64_t)it->seq;
    }
    return reading->err == ERR_OK;
}

static int by_seq(const void *a, const void *b)
{
    const Callout__Message *const *left = a, *const *right = b;
    uint64_t x = (*left)->seq, y = (*right)->seq;
    return x != y ? (x > y) - (x < y) : strcmp((*left)->technician_id, (*right)->technician_id);
}

/* A page ends between two facts: one fact may have written to everybody. */
static void cut(Callout__MessagesReply *answer)
{
    size_t end = MESSAGES_MAX;
    if (answer->n_messages <= end) return;
    while (end < answer->n_messages && answer->messages[end]->seq == answer->messages[end - 1]->seq)
        end++;
    answer->more = end < answer->n_messages;
    answer->n_messages = end;
}

enum err handle_messages(struct call *call)
{
    const Callout__MessagesRequest *request = (const Callout__MessagesRequest *)call->message;
    const struct core *core = call->engine->core;
    if (core_territory_zone(core, request->territory_id) == NULL)
        return problem_set(&call->problem, ERR_NOT_FOUND, "territory_id",
                           "there is no territory \"%.64s\"", request->territory_id);
    Callout__MessagesReply *answer = arena_need(call->arena, sizeof *answer);
    callout__messages_reply__init(answer);
    struct reading reading = {.call = call, .answer = answer};
    core_technicians_of(core, request->territory_id, read_technician, &reading);
    if (answer->n_messages > 1)
        qsort(answer->messages, answer->n_messages, sizeof answer->messages[0], by_seq);
    cut(answer);
    call->answer = &answer->base;
    return reading.err;
}
