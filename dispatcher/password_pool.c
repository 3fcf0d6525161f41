#include "dispatcher/password_pool.h"

#include "base/check.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* A thread lives as long as its piece of work: logins are rare, and 64 MiB are given back. */
struct slot {
    struct password_pool *pool;
    pthread_t thread;
    bool running;
    struct password_work *work;
};

struct password_pool {
    struct slot slots[PASSWORDS_AT_ONCE];
    struct event *event;
    int pipe[2]; /* a byte per piece of work that is done: its slot */
    void (*done)(void *context, uint32_t slot);
    void *context;
};

static void *run(void *context)
{
    struct slot *slot = context;
    uint8_t index = (uint8_t)(slot - slot->pool->slots);
    password_do(slot->work);
    CHECK(write(slot->pool->pipe[1], &index, 1) == 1);
    return NULL;
}

static void on_done(evutil_socket_t fd, short what, void *context)
{
    struct password_pool *pool = context;
    uint8_t index;
    (void)what;
    if (read(fd, &index, 1) != 1) return;
    CHECK(index < PASSWORDS_AT_ONCE && pool->slots[index].running);
    pthread_join(pool->slots[index].thread, NULL);
    pool->slots[index].running = false;
    pool->done(pool->context, index);
}

struct password_pool *password_pool_open(struct event_base *base,
                                         void (*done)(void *context, uint32_t slot), void *context)
{
    struct password_pool *pool = calloc(1, sizeof *pool);
    CHECK(pool != NULL);
    CHECK(pipe(pool->pipe) == 0);
    pool->done = done;
    pool->context = context;
    pool->event = event_new(base, pool->pipe[0], EV_READ | EV_PERSIST, on_done, pool);
    CHECK(pool->event != NULL);
    event_add(pool->event, NULL);
    return pool;
}

void password_pool_close(struct password_pool *pool)
{
    if (pool == NULL) return;
    for (uint32_t i = 0; i < PASSWORDS_AT_ONCE; i++)
        if (pool->slots[i].running) pthread_join(pool->slots[i].thread, NULL);
    event_free(pool->event);
    close(pool->pipe[0]);
    close(pool->pipe[1]);
    free(pool);
}

void password_pool_start(struct password_pool *pool, uint32_t slot, struct password_work *work)
{
    struct slot *it = &pool->slots[slot];
    CHECK(slot < PASSWORDS_AT_ONCE && !it->running);
    *it = (struct slot){.pool = pool, .running = true, .work = work};
    CHECK(pthread_create(&it->thread, NULL, run, it) == 0);
}
