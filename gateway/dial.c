#include "gateway/dial.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "sp_dialler.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_MIN_MS = 10, AGAIN_MAX_MS = 500, COOKIE_BITS = 16 };
static const uint32_t cookie_mask = (1u << COOKIE_BITS) - 1;
static const uint32_t turn_mask = (1u << (31 - COOKIE_BITS)) - 1;

/* A question that is out. On the wire it is known by its cookie and its turn: a late answer of the
 * cookie's former holder does not fit. */
struct question {
    uint8_t *bytes; /* NULL: free */
    size_t size;
    int64_t deadline_us;
    uint32_t turn;
};

struct dial {
    struct dial_options options;
    struct event_base *base;
    struct event *again;
    struct sp_dialler *dialler; /* NULL: there is no connection now */
    uint32_t wait_ms;           /* before the next attempt */
    int64_t next_deadline_us;   /* no question has an earlier one */
    struct question questions[];
};

static uint32_t request_of(const struct dial *dial, uint32_t cookie)
{
    return 1u << 31 | (dial->questions[cookie].turn & turn_mask) << COOKIE_BITS | cookie;
}

static void answer(struct dial *dial, uint32_t cookie, enum err err, const uint8_t *reply,
                   size_t size)
{
    struct question *question = &dial->questions[cookie];
    free(question->bytes);
    question->bytes = NULL;
    question->turn++;
    dial->options.on_answer(dial->options.context, cookie, err, reply, size);
}

/* --- the connection --- */

static void on_up(void *context)
{
    struct dial *dial = context;
    dial->wait_ms = AGAIN_MIN_MS;
    for (uint32_t i = 0; i < dial->options.cookie_max; i++) {
        const struct question *question = &dial->questions[i];
        if (question->bytes == NULL) continue;
        sp_dialler_ask(dial->dialler, request_of(dial, i), question->bytes, question->size);
    }
}

static void on_reply(void *context, uint32_t request, const uint8_t *bytes, size_t size)
{
    struct dial *dial = context;
    uint32_t cookie = request & cookie_mask;
    if (cookie >= dial->options.cookie_max || dial->questions[cookie].bytes == NULL) return;
    if (request == request_of(dial, cookie)) answer(dial, cookie, ERR_OK, bytes, size);
}

static void try_again_later(struct dial *dial)
{
    struct timeval wait = {.tv_usec = (suseconds_t)dial->wait_ms * 1000};
    dial->wait_ms = dial->wait_ms * 2 < AGAIN_MAX_MS ? dial->wait_ms * 2 : AGAIN_MAX_MS;
    event_add(dial->again, &wait);
}

static void on_end(void *context)
{
    struct dial *dial = context;
    sp_dialler_close(dial->dialler);
    dial->dialler = NULL;
    try_again_later(dial);
}

static enum err connect_now(struct dial *dial, struct problem *problem)
{
    const struct sp_dialler_options options = {.url = dial->options.url,
                                               .message_max = LIMIT_INNER_OUTBOX,
                                               .on_up = on_up,
                                               .on_reply = on_reply,
                                               .on_end = on_end,
                                               .context = dial};
    return sp_dialler_open(&dial->dialler, dial->base, &options, problem);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
    struct dial *dial = context;
    (void)fd;
    (void)what;
    if (connect_now(dial, NULL) != ERR_OK) try_again_later(dial);
}

/* --- asking --- */

void dial_ask(struct dial *dial, uint32_t cookie, const void *bytes, size_t size,
              uint32_t deadline_ms)
{
    CHECK(cookie < dial->options.cookie_max && deadline_ms > 0);
    struct question *question = &dial->questions[cookie];
    CHECK(question->bytes == NULL);
    question->bytes = malloc(size + 1);
    CHECK(question->bytes != NULL);
    memcpy(question->bytes, bytes, size);
    question->size = size;
    question->deadline_us = clock_mono_us() + (int64_t)deadline_ms * 1000;
    if (question->deadline_us < dial->next_deadline_us)
        dial->next_deadline_us = question->deadline_us;
    if (dial->dialler != NULL && sp_dialler_up(dial->dialler))
        sp_dialler_ask(dial->dialler, request_of(dial, cookie), bytes, size);
}

void dial_tick(struct dial *dial)
{
    int64_t now_us = clock_mono_us();
    if (now_us < dial->next_deadline_us) return;
    dial->next_deadline_us = INT64_MAX;
    for (uint32_t i = 0; i < dial->options.cookie_max; i++)
        if (dial->questions[i].bytes != NULL && dial->questions[i].deadline_us <= now_us)
            answer(dial, i, ERR_RETRY, NULL, 0);
    for (uint32_t i = 0; i < dial->options.cookie_max; i++) {
        const struct question *question = &dial->questions[i]; /* some are new: see on_answer */
        if (question->bytes != NULL && question->deadline_us < dial->next_deadline_us)
            dial->next_deadline_us = question->deadline_us;
    }
}

/* --- opening and closing --- */

enum err dial_open(struct dial **out, struct event_base *base, const struct dial_options *options,
                   struct problem *problem)
{
    CHECK(options->cookie_max > 0 && options->cookie_max <= 1u << COOKIE_BITS);
    struct dial *dial = calloc(1, sizeof *dial + options->cookie_max * sizeof(struct question));
    CHECK(dial != NULL);
    dial->options = *options;
    dial->base = base;
    dial->wait_ms = AGAIN_MIN_MS;
    dial->next_deadline_us = INT64_MAX;
    dial->again = evtimer_new(base, on_again, dial);
    CHECK(dial->again != NULL);
    enum err err = connect_now(dial, problem);
    if (err == ERR_INVALID) {
        dial_close(dial);
        return err;
    }
    if (err != ERR_OK) try_again_later(dial);
    *out = dial;
    return ERR_OK;
}

void dial_close(struct dial *dial)
{
    if (dial == NULL) return;
    sp_dialler_close(dial->dialler);
    event_free(dial->again);
    for (uint32_t i = 0; i < dial->options.cookie_max; i++)
        free(dial->questions[i].bytes);
    free(dial);
}
