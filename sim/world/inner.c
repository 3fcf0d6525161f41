/* inner.c
 *
 *   WAITING --it is up--> UNDER_WAY --arrives--> ASKED --reply--> ANSWERED --arrives--> gone
 *      ^------ the dispatcher dies, before the answer has left --------'
 */
#include "sim/world/inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum state { WAITING, UNDER_WAY, ASKED, ANSWERED };

struct question {
    struct inner *inner;
    struct question *before, *next;
    enum state state;
    uint32_t asker, number; /* the number is its ticket's */
    uint64_t cookie;
    uint8_t *bytes, *answer; /* answer: NULL before ANSWERED */
    size_t size, answer_size;
    int64_t answer_leaves_us;
    struct client_timer way, deadline;
};

struct inner {
    struct inner_options options;
    struct question *first, *last; /* in the order of asking */
    uint32_t numbers, life;        /* life: of the dispatcher */
    bool up;
    uint64_t questions, resent;
};

static int64_t now_us(const struct inner *inner)
{
    return client_loop_now_us(inner->options.loop);
}

static uint8_t *copy_of(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    CHECK(copy != NULL);
    if (size > 0) memcpy(copy, bytes, size);
    return copy;
}

/* --- questions as a list --- */

static void append(struct inner *inner, struct question *question)
{
    question->before = inner->last;
    if (inner->last != NULL)
        inner->last->next = question;
    else
        inner->first = question;
    inner->last = question;
}

static void drop(struct question *question)
{
    struct inner *inner = question->inner;
    client_timer_cancel(inner->options.loop, &question->way);
    client_timer_cancel(inner->options.loop, &question->deadline);
    if (question->before != NULL)
        question->before->next = question->next;
    else
        inner->first = question->next;
    if (question->next != NULL)
        question->next->before = question->before;
    else
        inner->last = question->before;
    free(question->bytes);
    free(question->answer);
    free(question);
}

static struct question *find(const struct inner *inner, struct sp_ticket ticket)
{
    if (ticket.generation != inner->life) return NULL;
    for (struct question *question = inner->first; question != NULL; question = question->next) {
        if (question->number == ticket.request && question->state == ASKED) return question;
    }
    return NULL;
}

/* --- under way --- */

/* Takes the question out of the list before its asker hears of it: he may ask again at once. */
static void finish(struct question *question, enum err err)
{
    struct inner *inner = question->inner;
    uint8_t *answer = question->answer;
    size_t size = question->answer_size;
    uint32_t asker = question->asker;
    uint64_t cookie = question->cookie;
    question->answer = NULL;
    drop(question);
    inner->options.answered(inner->options.context, asker, cookie, err,
                            err == ERR_OK ? answer : NULL, err == ERR_OK ? size : 0);
    free(answer);
}

static void on_arrived(void *context)
{
    struct question *question = context;
    struct inner *inner = question->inner;
    if (question->state == ANSWERED) {
        finish(question, ERR_OK);
        return;
    }
    CHECK(question->state == UNDER_WAY);
    question->state = ASKED;
    inner->options.asked(inner->options.context,
                         (struct sp_ticket){question->asker, inner->life, question->number},
                         question->bytes, question->size);
}

static void on_deadline(void *context)
{
    finish(context, ERR_RETRY);
}

static void send(struct question *question, int64_t leaves_us)
{
    struct inner *inner = question->inner;
    question->state = UNDER_WAY;
    client_timer_set(inner->options.loop, &question->way, leaves_us + inner->options.way_us);
}

void inner_ask(struct inner *inner, uint32_t asker, uint64_t cookie, const void *bytes, size_t size,
               uint32_t deadline_ms, int64_t leaves_us)
{
    struct question *question = calloc(1, sizeof *question);
    CHECK(question != NULL);
    *question = (struct question){.inner = inner,
                                  .asker = asker,
                                  .number = ++inner->numbers,
                                  .cookie = cookie,
                                  .bytes = copy_of(bytes, size),
                                  .size = size};
    question->way = (struct client_timer){.fire = on_arrived, .context = question};
    question->deadline = (struct client_timer){.fire = on_deadline, .context = question};
    inner->questions++;
    append(inner, question);
    client_timer_set(inner->options.loop, &question->deadline,
                     leaves_us + deadline_ms * INT64_C(1000));
    if (inner->up) send(question, leaves_us);
}

void inner_reply(struct inner *inner, struct sp_ticket to, const void *bytes, size_t size,
                 int64_t leaves_us)
{
    struct question *question = find(inner, to);
    if (question == NULL) return;
    question->answer = copy_of(bytes, size);
    question->answer_size = size;
    question->answer_leaves_us = leaves_us;
    question->state = ANSWERED;
    client_timer_set(inner->options.loop, &question->way, leaves_us + inner->options.way_us);
}

bool inner_alive(const struct inner *inner, struct sp_ticket ticket)
{
    return find(inner, ticket) != NULL;
}

/* --- the dispatcher comes and goes --- */

void inner_dispatcher_down(struct inner *inner)
{
    inner->up = false;
    inner->life++;
    for (struct question *question = inner->first; question != NULL; question = question->next) {
        if (question->state == ANSWERED && question->answer_leaves_us <= now_us(inner)) continue;
        client_timer_cancel(inner->options.loop, &question->way);
        free(question->answer);
        question->answer = NULL;
        question->state = WAITING;
    }
}

void inner_dispatcher_up(struct inner *inner)
{
    inner->up = true;
    for (struct question *question = inner->first; question != NULL; question = question->next) {
        if (question->state != WAITING) continue;
        inner->resent++;
        send(question, now_us(inner));
    }
}

void inner_forget(struct inner *inner, uint32_t asker)
{
    for (struct question *question = inner->first, *next; question != NULL; question = next) {
        next = question->next;
        if (question->asker == asker) drop(question);
    }
}

/* --- life --- */

struct inner *inner_open(const struct inner_options *options)
{
    struct inner *inner = calloc(1, sizeof *inner);
    CHECK(inner != NULL);
    inner->options = *options;
    inner->life = 1;
    inner->up = true;
    return inner;
}

void inner_close(struct inner *inner)
{
    for (struct question *question = inner->first, *next; question != NULL; question = next) {
        next = question->next;
        drop(question);
    }
    free(inner);
}

uint64_t inner_questions(const struct inner *inner)
{
    return inner->questions;
}

uint64_t inner_resent(const struct inner *inner)
{
    return inner->resent;
}
