#include "gateway/client/loop.h"

#include "base/check.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* The heap of timers: the earliest at place 1, a parent never later than its children. */
struct client_loop {
    bool is_virtual;
    int64_t now_us;       /* of a virtual loop */
    pthread_mutex_t lock; /* guards first, last, stopping */
    pthread_cond_t woken;
    struct client_note *first, *last;
    bool stopping;

    struct client_timer **heap; /* heap[0] is not used */
    size_t timer_count, timer_room;
    uint64_t turns; /* timers set so far */
    const struct channel_transport *carried;
};

enum err client_loop_open(struct client_loop **out)
{
    struct client_loop *loop = calloc(1, sizeof *loop);
    CHECK(loop != NULL);
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&loop->woken, &attributes) == 0);
    CHECK(pthread_mutex_init(&loop->lock, NULL) == 0);
    pthread_condattr_destroy(&attributes);
    *out = loop;
    return ERR_OK;
}

enum err client_loop_open_virtual(struct client_loop **out, int64_t start_us)
{
    CHECK(start_us > 0);
    enum err err = client_loop_open(out);
    if (err != ERR_OK) return err;
    (*out)->is_virtual = true;
    (*out)->now_us = start_us;
    return ERR_OK;
}

void client_loop_close(struct client_loop *loop)
{
    if (loop == NULL) return;
    CHECK(loop->timer_count == 0);
    CHECK(loop->first == NULL);
    pthread_cond_destroy(&loop->woken);
    pthread_mutex_destroy(&loop->lock);
    free(loop->heap);
    free(loop);
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
        pthread_cond_signal(&loop->woken);
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

/* Takes the oldest note, waiting for one until `until_us` unless the loop is virtual. NULL: none,
 * or the loop shall stop. */
static struct client_note *take_note(struct client_loop *loop, int64_t until_us, bool *stopping)
{
    struct timespec until = {.tv_sec = (time_t)(until_us / US_PER_SECOND),
                             .tv_nsec = (long)(until_us % US_PER_SECOND) * 1000};
    pthread_mutex_lock(&loop->lock);
    while (loop->first == NULL && !loop->stopping && !loop->is_virtual) {
        if (until_us == INT64_MAX)
            pthread_cond_wait(&loop->woken, &loop->lock);
        else if (pthread_cond_timedwait(&loop->woken, &loop->lock, &until) != 0)
            break;
    }
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
        struct client_note *note = take_note(loop, 0, &stopping);
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

void client_loop_run(struct client_loop *loop, int64_t until_us)
{
    if (loop->is_virtual) {
        run_virtual(loop, until_us);
        return;
    }
    for (;;) {
        fire_due(loop);
        int64_t next_us = loop->timer_count > 0 ? loop->heap[1]->at_us : INT64_MAX;
        bool stopping;
        struct client_note *note =
            take_note(loop, next_us < until_us ? next_us : until_us, &stopping);
        if (stopping) return;
        if (note != NULL) note->run(note->context);
        if (until_us != INT64_MAX && clock_mono_us() >= until_us) return;
    }
}

void client_loop_stop(struct client_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    pthread_cond_signal(&loop->woken);
    pthread_mutex_unlock(&loop->lock);
}
