/* bus.c - calls, each with an nng context and an aio of its own.
 *
 *      IDLE --bus_ask--> ASKED --nng answers--> IDLE       (the completion is queued)
 *                          \--deadline--> LATE --nng answers--> IDLE   (the answer is thrown away)
 *
 * I1: every call that left IDLE is completed exactly once: by nng or by its deadline.
 * I2: nng has the aio of a call until its callback ended a receive or failed; nothing cancels it in
 *     between. nng sends again after RESEND_MS and on each new connection, so that a late call to a
 *     neighbour that was restarted comes back by itself.
 */
#include "bus.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RECONNECT_MIN_MS = 10, RECONNECT_MAX_MS = 500, RESEND_MS = 60000, CLOSE_PATIENCE_MS = 200 };

enum call_state { IDLE, ASKED, LATE };

struct waiter {
    bool done;
    struct bus_completion completion;
};

struct call {
    struct bus *bus;
    nng_ctx context;
    nng_aio *aio;
    enum call_state state;
    bool receiving; /* the request is out, the aio waits for the reply */
    uint64_t cookie;
    int64_t deadline_us;
    struct waiter *waiter; /* of bus_call; NULL: the completion goes to bus_next */
    struct call *next_idle;
};

struct result {
    struct result *next;
    struct bus_completion completion;
};

struct bus {
    struct bus_options options;
    nng_socket socket;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct call **calls; /* all that were ever made */
    uint32_t call_count;
    struct call *idle;
    struct result *first, **last; /* completions for bus_next, oldest first */
    int64_t next_deadline_us;     /* no asked call has an earlier one */
    bool closing;
};

/* --- completing; with the lock held
 * ---------------------------------------------------------------- */

static void complete(struct call *call, struct bus_completion completion)
{
    struct bus *bus = call->bus;
    completion.cookie = call->cookie;
    if (call->waiter != NULL) {
        *call->waiter = (struct waiter){true, completion};
        call->waiter = NULL;
    } else {
        struct result *result = malloc(sizeof *result);
        CHECK(result != NULL);
        *result = (struct result){NULL, completion};
        *bus->last = result;
        bus->last = &result->next;
    }
    pthread_cond_broadcast(&bus->changed);
}

static void call_rest(struct call *call)
{
    call->state = IDLE;
    call->next_idle = call->bus->idle;
    call->bus->idle = call;
}

static void notice_deadlines(struct bus *bus)
{
    int64_t now = clock_mono_us(), next = INT64_MAX;
    if (now < bus->next_deadline_us) return;
    for (uint32_t i = 0; i < bus->call_count; i++) {
        struct call *call = bus->calls[i];
        if (call->state != ASKED) continue;
        if (call->deadline_us > now) {
            if (call->deadline_us < next) next = call->deadline_us;
            continue;
        }
        call->state = LATE;
        complete(call, (struct bus_completion){.err = ERR_RETRY});
    }
    bus->next_deadline_us = next;
}

/* With the lock held: sleeps until something changes, a deadline passes or `until_us` comes. */
static void sleep_until(struct bus *bus, int64_t until_us)
{
    int64_t us = bus->next_deadline_us < until_us ? bus->next_deadline_us : until_us;
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    pthread_cond_timedwait(&bus->changed, &bus->lock, &time);
}

/* --- nng's side
 * ----------------------------------------------------------------------------------- */

static struct bus_completion take_reply(nng_aio *aio)
{
    nng_msg *message = nng_aio_get_msg(aio);
    struct bus_completion completion = {.err = ERR_OK, .reply_size = nng_msg_len(message)};
    completion.reply = malloc(completion.reply_size + 1);
    CHECK(completion.reply != NULL);
    memcpy(completion.reply, nng_msg_body(message), completion.reply_size);
    nng_msg_free(message);
    return completion;
}

static void on_failed(struct call *call)
{
    if (!call->receiving)
        nng_msg_free(nng_aio_get_msg(call->aio)); /* a failed send leaves it to us */
}

/* The aio of a call came back: after a send we wait for the reply, else the call is over. */
static void on_aio(void *context)
{
    struct call *call = context;
    struct bus *bus = call->bus;
    struct bus_completion completion = {.err = ERR_IO};
    bool failed = nng_aio_result(call->aio) != 0;
    if (!failed && !call->receiving) {
        call->receiving = true;
        nng_ctx_recv(call->context, call->aio);
        return;
    }
    if (failed)
        on_failed(call);
    else
        completion = take_reply(call->aio);
    pthread_mutex_lock(&bus->lock);
    bool wanted = call->state == ASKED;
    if (wanted) complete(call, completion);
    call_rest(call);
    pthread_cond_broadcast(&bus->changed);
    if (wanted && !bus->closing && bus->options.on_ready != NULL)
        bus->options.on_ready(bus->options.context); /* it may not call us: the lock is held */
    pthread_mutex_unlock(&bus->lock);
    if (!wanted) free(completion.reply);
}

/* With the lock held: a call at rest, or NULL when there are too many. */
static struct call *call_get(struct bus *bus)
{
    struct call *call = bus->idle;
    if (call != NULL) {
        bus->idle = call->next_idle;
        return call;
    }
    if (bus->call_count == bus->options.in_flight_max) return NULL;
    call = calloc(1, sizeof *call);
    CHECK(call != NULL);
    call->bus = bus;
    if (nng_ctx_open(&call->context, bus->socket) != 0) {
        free(call);
        return NULL;
    }
    CHECK(nng_aio_alloc(&call->aio, on_aio, call) == 0);
    nng_aio_set_timeout(call->aio, NNG_DURATION_INFINITE);
    bus->calls[bus->call_count++] = call;
    return call;
}

static enum err ask(struct bus *bus, uint64_t cookie, struct waiter *waiter, const void *bytes,
                    size_t size, uint32_t deadline_ms)
{
    nng_msg *message;
    CHECK(deadline_ms > 0);
    CHECK(nng_msg_alloc(&message, 0) == 0 && nng_msg_append(message, bytes, size) == 0);
    pthread_mutex_lock(&bus->lock);
    struct call *call = call_get(bus);
    if (call != NULL) {
        call->state = ASKED;
        call->receiving = false;
        call->cookie = cookie;
        call->waiter = waiter;
        call->deadline_us = clock_mono_us() + (int64_t)deadline_ms * 1000;
        if (call->deadline_us < bus->next_deadline_us) bus->next_deadline_us = call->deadline_us;
    }
    pthread_mutex_unlock(&bus->lock);
    if (call == NULL) {
        nng_msg_free(message);
        return ERR_BUSY;
    }
    nng_aio_set_msg(call->aio, message);
    nng_ctx_send(call->context, call->aio);
    return ERR_OK;
}

/* --- opening and closing
 * -------------------------------------------------------------------------- */

static enum err dial(struct bus *bus, struct problem *problem)
{
    const struct bus_options *options = &bus->options;
    nng_dialer dialer;
    int error = nng_dialer_create(&dialer, bus->socket, options->url);
    if (error == 0) error = nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    if (error == 0) error = nng_dialer_set_ms(dialer, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    if (error == 0 && options->ca_file != NULL)
        error = nng_dialer_set_string(dialer, NNG_OPT_TLS_CA_FILE, options->ca_file);
    if (error == 0) error = nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
    if (error == 0) return ERR_OK;
    return problem_set(problem, ERR_INVALID, "url", "%.100s: %s", options->url,
                       nng_strerror(error));
}

static void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(condition, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
}

enum err bus_open(struct bus **out, const struct bus_options *options, struct problem *problem)
{
    struct bus *bus = calloc(1, sizeof *bus);
    CHECK(bus != NULL && options->in_flight_max > 0);
    bus->options = *options;
    bus->last = &bus->first;
    bus->next_deadline_us = INT64_MAX;
    bus->calls = calloc(options->in_flight_max, sizeof(struct call *));
    CHECK(bus->calls != NULL && pthread_mutex_init(&bus->lock, NULL) == 0);
    condition_init(&bus->changed);
    CHECK(nng_req0_open(&bus->socket) == 0);
    nng_socket_set_ms(bus->socket, NNG_OPT_REQ_RESENDTIME, RESEND_MS);
    nng_socket_set_size(bus->socket, NNG_OPT_RECVMAXSZ, LIMIT_INNER_OUTBOX);
    enum err err = dial(bus, problem);
    if (err != ERR_OK) {
        bus_close(bus);
        return err;
    }
    *out = bus;
    return ERR_OK;
}

/* With the lock held: true when nng has no aio of ours any more, after waiting for it a moment. */
static bool comes_to_rest(struct bus *bus)
{
    int64_t until_us = clock_mono_us() + CLOSE_PATIENCE_MS * 1000;
    for (;;) {
        uint32_t resting = 0;
        for (uint32_t i = 0; i < bus->call_count; i++)
            if (bus->calls[i]->state == IDLE) resting++;
        if (resting == bus->call_count) return true;
        if (clock_mono_us() >= until_us) return false;
        sleep_until(bus, until_us);
        notice_deadlines(bus);
    }
}

void bus_close(struct bus *bus)
{
    if (bus == NULL) return;
    pthread_mutex_lock(&bus->lock);
    bus->closing = true;
    bool resting = comes_to_rest(bus);
    pthread_mutex_unlock(&bus->lock);
    struct bus_completion completion;
    while (bus_next(bus, &completion))
        free(completion.reply);
    if (!resting) return; /* nng_close hangs for ever when a request is on its way: see bus.h */
    nng_close(bus->socket);
    for (uint32_t i = 0; i < bus->call_count; i++) {
        nng_aio_wait(bus->calls[i]->aio); /* its callback has ended, too */
        nng_aio_free(bus->calls[i]->aio);
        free(bus->calls[i]);
    }
    pthread_cond_destroy(&bus->changed);
    pthread_mutex_destroy(&bus->lock);
    free(bus->calls);
    free(bus);
}

/* --- asking and taking
 * ---------------------------------------------------------------------------- */

enum err bus_ask(struct bus *bus, uint64_t cookie, const void *bytes, size_t size,
                 uint32_t deadline_ms)
{
    return ask(bus, cookie, NULL, bytes, size, deadline_ms);
}

bool bus_next(struct bus *bus, struct bus_completion *out)
{
    pthread_mutex_lock(&bus->lock);
    notice_deadlines(bus);
    struct result *result = bus->first;
    if (result != NULL) {
        bus->first = result->next;
        if (bus->first == NULL) bus->last = &bus->first;
        *out = result->completion;
    }
    pthread_mutex_unlock(&bus->lock);
    free(result);
    return result != NULL;
}

bool bus_wait(struct bus *bus, uint32_t timeout_ms)
{
    int64_t until_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    pthread_mutex_lock(&bus->lock);
    notice_deadlines(bus);
    while (bus->first == NULL && clock_mono_us() < until_us) {
        sleep_until(bus, until_us);
        notice_deadlines(bus);
    }
    bool ready = bus->first != NULL;
    pthread_mutex_unlock(&bus->lock);
    return ready;
}

enum err bus_call(struct bus *bus, const void *bytes, size_t size, uint32_t deadline_ms,
                  uint8_t **reply, size_t *reply_size)
{
    struct waiter waiter = {.done = false};
    int64_t until_us = clock_mono_us() + (int64_t)deadline_ms * 1000;
    enum err err = ask(bus, 0, &waiter, bytes, size, deadline_ms);
    if (err != ERR_OK) return err;
    pthread_mutex_lock(&bus->lock);
    while (!waiter.done) {
        sleep_until(bus, until_us);
        notice_deadlines(bus);
    }
    pthread_mutex_unlock(&bus->lock);
    if (waiter.completion.err != ERR_OK) return waiter.completion.err;
    *reply = waiter.completion.reply;
    *reply_size = waiter.completion.reply_size;
    return ERR_OK;
}
