#include "gateway/client/loop.h"

#include "base/check.h"
#include "base/clock.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The heap of timers: the earliest at place 1, a parent never later than its children. */
struct client_loop {
    bool is_virtual;
    int64_t now_us;       /* of a virtual loop */
    pthread_mutex_t lock; /* guards first, last, stopping */
    struct client_note *first, *last;
    bool stopping;

    struct client_timer **heap; /* heap[0] is not used */
    size_t timer_count, timer_room;
    uint64_t turns; /* timers set so far */
    const struct channel_transport *carried;

    struct event_base *base; /* of a real loop, and what ends its wait: */
    struct event *due;       /* the next timer's time */
    struct event *woken;     /* another thread wrote to wake_fd */
    int wake_fd;
};

static void on_woken(evutil_socket_t fd, short what, void *context)
{
    uint64_t count;
    (void)what;
    (void)context;
    (void)!read(fd, &count, sizeof count);
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

static struct client_loop *loop_new(void)
{
    struct client_loop *loop = calloc(1, sizeof *loop);
    CHECK(loop != NULL);
    CHECK(pthread_mutex_init(&loop->lock, NULL) == 0);
    return loop;
}

enum err client_loop_open(struct client_loop **out)
{
    struct client_loop *loop = loop_new();
    loop->base = event_base_new();
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(loop->base != NULL && loop->wake_fd >= 0);
    loop->due = evtimer_new(loop->base, on_due, loop);
    loop->woken = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_woken, loop);
    CHECK(loop->due != NULL && loop->woken != NULL && event_add(loop->woken, NULL) == 0);
    *out = loop;
    return ERR_OK;
}

enum err client_loop_open_virtual(struct client_loop **out, int64_t start_us)
{
    CHECK(start_us > 0);
    struct client_loop *loop = loop_new();
    loop->is_virtual = true;
    loop->now_us = start_us;
    *out = loop;
    return ERR_OK;
}

void client_loop_close(struct client_loop *loop)
{
    if (loop == NULL) return;
    CHECK(loop->timer_count == 0);
    CHECK(loop->first == NULL);
    if (!loop->is_virtual) {
        event_free(loop->due);
        event_free(loop->woken);
        event_base_free(loop->base);
        close(loop->wake_fd);
    }
    pthread_mutex_destroy(&loop->lock);
    free(loop->heap);
    free(loop);
}

struct event_base *client_loop_base(const struct client_loop *loop)
{
    return loop->base;
}

int64_t client_loop_now_us(const struct client_loop *loop)
{
    return loop->is_virtual ? loop->now_us : clock_mono_us();
}

int64_t client_loop_wall_us(const struct client_loop *loop)
{
    return loop->is_virtual ? loop->now_us : clock_wall_us();
}

void client_loop_carry(struct client_loop *loop, const struct channel_transport *transport)
{
    loop->carried = transport;
}

const struct channel_transport *client_loop_carried(const struct client_loop *loop)
{
    return loop->carried;
}

/* --- timers ---------------------------------------------------------------------------------- */

static bool earlier(const struct client_timer *one, const struct client_timer *other)
{
    if (one->at_us != other->at_us) return one->at_us < other->at_us;
    return one->turn < other->turn;
}

static void heap_put(struct client_loop *loop, size_t place, struct client_timer *timer)
{
    loop->heap[place] = timer;
    timer->place = place;
}

static void heap_up(struct client_loop *loop, size_t place, struct client_timer *timer)
{
    while (place > 1 && earlier(timer, loop->heap[place / 2])) {
        heap_put(loop, place, loop->heap[place / 2]);
        place /= 2;
    }
    heap_put(loop, place, timer);
}

static void heap_down(struct client_loop *loop, size_t place, struct client_timer *timer)
{
    for (;;) {
        size_t child = place * 2;
        if (child > loop->timer_count) break;
        if (child < loop->timer_count && earlier(loop->heap[child + 1], loop->heap[child])) child++;
        if (earlier(timer, loop->heap[child])) break;
        heap_put(loop, place, loop->heap[child]);
        place = child;
    }
    heap_put(loop, place, timer);
}

void client_timer_cancel(struct client_loop *loop, struct client_timer *timer)
{
    size_t place = timer->place;
    if (place == 0) return;
    CHECK(loop->heap[place] == timer);
    timer->place = 0;
    struct client_timer *last = loop->heap[loop->timer_count--];
    if (last == timer) return;
    heap_up(loop, place, last);
    heap_down(loop, last->place, last);
}

void client_timer_set(struct client_loop *loop, struct client_timer *timer, int64_t at_us)
{
    client_timer_cancel(loop, timer);
    if (loop->timer_count + 2 > loop->timer_room) {
        loop->timer_room = loop->timer_room == 0 ? 64 : loop->timer_room * 2;
        loop->heap = realloc(loop->heap, loop->timer_room * sizeof(struct client_timer *));
        CHECK(loop->heap != NULL);
    }
    timer->at_us = at_us;
    timer->turn = ++loop->turns;
    heap_up(loop, ++loop->timer_count, timer);
}

static void fire_first(struct client_loop *loop)
{
    struct client_timer *timer = loop->heap[1];
    client_timer_cancel(loop, timer);
    timer->fire(timer->context);
}

static void fire_due(struct client_loop *loop)
{
    int64_t now_us = clock_mono_us();
    while (loop->timer_count > 0 && loop->heap[1]->at_us <= now_us)
        fire_first(loop);
}

/* --- notes ----------------------------------------------------------------------------------- */

static void wake(struct client_loop *loop)
{
    const uint64_t one = 1;
    if (!loop->is_virtual) (void)!write(loop->wake_fd, &one, sizeof one);
}

void client_loop_post(struct client_loop *loop, struct client_note *note)
{
    pthread_mutex_lock(&loop->lock);
    if (!note->queued) {
        note->queued = true;
        note->next = NULL;
        if (loop->last == NULL)
            loop->first = note;
        else
            loop->last->next = note;
        loop->last = note;
        wake(loop);
    }
    pthread_mutex_unlock(&loop->lock);
}

void client_loop_withdraw(struct client_loop *loop, struct client_note *note)
{
    pthread_mutex_lock(&loop->lock);
    struct client_note *before = NULL;
    for (struct client_note *at = loop->first; at != NULL; before = at, at = at->next) {
        if (at != note) continue;
        if (before == NULL)
            loop->first = note->next;
        else
            before->next = note->next;
        if (loop->last == note) loop->last = before;
        break;
    }
    note->queued = false;
    pthread_mutex_unlock(&loop->lock);
}

/* Takes the oldest note. NULL: none, or the loop shall stop. */
static struct client_note *take_note(struct client_loop *loop, bool *stopping)
{
    pthread_mutex_lock(&loop->lock);
    struct client_note *note = loop->stopping ? NULL : loop->first;
    if (note != NULL) {
        loop->first = note->next;
        if (loop->first == NULL) loop->last = NULL;
        note->queued = false;
    }
    *stopping = loop->stopping;
    if (loop->stopping) loop->stopping = false;
    pthread_mutex_unlock(&loop->lock);
    return note;
}

/* What was posted runs first and takes no time; then the next timer's time comes. */
static void run_virtual(struct client_loop *loop, int64_t until_us)
{
    for (;;) {
        bool stopping;
        struct client_note *note = take_note(loop, &stopping);
        if (stopping) return;
        if (note != NULL) {
            note->run(note->context);
            continue;
        }
        bool ends = loop->timer_count == 0 || loop->heap[1]->at_us > until_us;
        int64_t next_us = ends ? until_us : loop->heap[1]->at_us;
        if (next_us != INT64_MAX && next_us > loop->now_us) loop->now_us = next_us;
        if (ends) return;
        fire_first(loop);
    }
}

/* Serves the sockets: waits for one, for a wake or until `until_us`; or, not `waiting`, only those
 * that have something now. */
static void serve_sockets(struct client_loop *loop, bool waiting, int64_t until_us)
{
    int64_t in_us = until_us - clock_mono_us();
    if (waiting && until_us != INT64_MAX) {
        struct timeval wait = {0, 0};
        if (in_us > 0)
            wait = (struct timeval){.tv_sec = (time_t)(in_us / US_PER_SECOND),
                                    .tv_usec = (suseconds_t)(in_us % US_PER_SECOND)};
        evtimer_add(loop->due, &wait);
    }
    event_base_loop(loop->base, waiting ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
    evtimer_del(loop->due);
}

void client_loop_run(struct client_loop *loop, int64_t until_us)
{
    if (loop->is_virtual) {
        run_virtual(loop, until_us);
        return;
    }
    for (;;) {
        fire_due(loop);
        bool stopping;
        struct client_note *note = take_note(loop, &stopping);
        if (stopping) return;
        if (note != NULL) note->run(note->context);
        if (until_us != INT64_MAX && clock_mono_us() >= until_us) return;
        int64_t next_us = loop->timer_count > 0 ? loop->heap[1]->at_us : INT64_MAX;
        serve_sockets(loop, note == NULL, next_us < until_us ? next_us : until_us);
    }
}

void client_loop_stop(struct client_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    wake(loop);
    pthread_mutex_unlock(&loop->lock);
}
