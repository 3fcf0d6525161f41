#include "optimizer/bound/crowd.h"

#include "base/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { FOUND_MAX = 1 << 28 };

void crowd_open(struct crowd *crowd, uint32_t threads, uint32_t technicians_max,
                struct arena *arena)
{
    *crowd = (struct crowd){.threads = threads};
    if (threads < 1) crowd->threads = 1;
    if (threads > CROWD_THREADS_MAX) crowd->threads = CROWD_THREADS_MAX;
    for (uint32_t i = 0; i < crowd->threads; i++) {
        desk_open(&crowd->desks[i]);
        arena_open(&crowd->found[i], FOUND_MAX);
    }
    crowd->priced = arena_need(arena, sizeof *crowd->priced * (technicians_max + 1));
}

void crowd_close(struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->threads; i++) {
        desk_close(&crowd->desks[i]);
        arena_close(&crowd->found[i]);
    }
}

struct share {
    struct crowd *crowd;
    const struct crowd_order *order;
    atomic_uint *next;
    atomic_bool *stopped;
    uint32_t thread;
};

/* The walks leave the desk. */
static void keep(struct priced *priced, struct arena *arena)
{
    struct walk *walks = arena_need(arena, sizeof *walks * (priced->count + 1));
    for (uint32_t i = 0; i < priced->count; i++) {
        uint16_t *visits = arena_need(arena, sizeof *visits * (priced->walks[i].count + 1));
        memcpy(visits, priced->walks[i].visits, sizeof *visits * priced->walks[i].count);
        walks[i] = priced->walks[i];
        walks[i].visits = visits;
    }
    priced->walks = walks;
}

static void *work(void *context)
{
    const struct share *share = context;
    const struct crowd_order *order = share->order;
    struct price_options options = order->options;
    for (;;) {
        uint32_t i = atomic_fetch_add(share->next, 1);
        if (i >= order->count || atomic_load(share->stopped)) return NULL;
        if (options.stop != NULL && options.stop(options.context)) {
            atomic_store(share->stopped, true);
            return NULL;
        }
        struct priced *priced = &share->crowd->priced[i];
        options.limit = order->limits[i];
        price(priced, order->in, order->recall, order->technicians[i], order->duals, &options,
              &share->crowd->desks[share->thread]);
        keep(priced, &share->crowd->found[share->thread]);
    }
}

bool crowd_price(struct crowd *crowd, const struct crowd_order *order)
{
    struct share shares[CROWD_THREADS_MAX];
    pthread_t threads[CROWD_THREADS_MAX];
    atomic_uint next = 0;
    atomic_bool stopped = false;
    uint32_t count = crowd->threads < order->count ? crowd->threads : order->count;
    for (uint32_t i = 0; i < count; i++) {
        arena_rewind(&crowd->found[i]);
        shares[i] = (struct share){crowd, order, &next, &stopped, i};
        if (i > 0) CHECK(pthread_create(&threads[i], NULL, work, &shares[i]) == 0);
    }
    if (count > 0) (void)work(&shares[0]);
    for (uint32_t i = 1; i < count; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return !atomic_load(&stopped);
}
