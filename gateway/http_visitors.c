/* I1: each entry holds one reference to its bufferevent, so no pointer here ever dangles; evhttp's
 * own going is seen by the callbacks that it takes away. */
#include "gateway/http_visitors.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "sp_peers.h"
#include "sp_tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { AHEAD_MAX = 64 * 1024 }; /* what may come before the request at hand has its answer */

struct visitor {
    struct bufferevent *bev;
    struct evbuffer_cb_entry *counter;
    struct visitors *visitors;
    struct sp_address address; /* once `known` */
    int64_t since_us;          /* when the request that is coming in began; 0: none is */
    bool known, asked, shut;
};

struct visitors {
    struct visitors_options options;
    struct visitors_counters counters;
    struct evconnlistener *listener; /* enabled while there is room */
    struct sp_peers peers;
    struct visitor *entries[VISITORS_MAX];
    uint32_t count;
};

struct visitors *visitors_open(const struct visitors_options *options)
{
    struct visitors *visitors = calloc(1, sizeof *visitors);
    CHECK(visitors != NULL);
    visitors->options = *options;
    return visitors;
}

void visitors_renew(struct visitors *visitors, struct ssl_ctx_st *tls)
{
    visitors->options.tls = tls;
}

void visitors_listen(struct visitors *visitors, struct evconnlistener *listener)
{
    visitors->listener = listener;
}

static void forget(struct visitors *visitors, uint32_t place)
{
    struct visitor *visitor = visitors->entries[place];
    evbuffer_remove_cb_entry(bufferevent_get_input(visitor->bev), visitor->counter);
    bufferevent_decref(visitor->bev);
    if (visitor->known) sp_peers_remove(&visitors->peers, visitor->address);
    free(visitor);
    visitors->entries[place] = visitors->entries[--visitors->count];
}

void visitors_close(struct visitors *visitors)
{
    if (visitors == NULL) return;
    while (visitors->count > 0)
        forget(visitors, visitors->count - 1);
    free(visitors);
}

/* --- one visitor --- */

static void shut(struct visitor *visitor)
{
    evutil_socket_t fd = bufferevent_getfd(visitor->bev);
    visitor->shut = true;
    if (fd >= 0) shutdown(fd, SHUT_RDWR);
}

/* evhttp reads on while a request has no answer, to notice that its client left: what comes then is
 * the next request, or noise. */
static void on_bytes(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
    struct visitor *visitor = context;
    visitor->visitors->counters.bytes_in += info->n_added;
    if (visitor->asked && evbuffer_get_length(input) > AHEAD_MAX) shut(visitor);
    if (info->n_added > 0 && !visitor->asked && visitor->since_us == 0)
        visitor->since_us = clock_mono_us();
}

struct bufferevent *visitors_accept(struct visitors *visitors)
{
    struct visitor *visitor = calloc(1, sizeof *visitor);
    CHECK(visitor != NULL && visitors->count < VISITORS_MAX);
    visitor->bev = visitors->options.tls != NULL
                       ? sp_tls_accept(visitors->options.tls, visitors->options.base, -1)
                       : bufferevent_socket_new(visitors->options.base, -1, BEV_OPT_CLOSE_ON_FREE);
    CHECK(visitor->bev != NULL);
    visitor->visitors = visitors;
    visitor->since_us = clock_mono_us();
    visitor->counter = evbuffer_add_cb(bufferevent_get_input(visitor->bev), on_bytes, visitor);
    CHECK(visitor->counter != NULL);
    visitors->counters.accepted++;
    bufferevent_incref(visitor->bev);
    visitors->entries[visitors->count++] = visitor;
    visitors->counters.open = visitors->count;
    if (visitors->count == VISITORS_MAX) evconnlistener_disable(visitors->listener);
    return visitor->bev;
}

static struct visitor *find(struct visitors *visitors, const struct bufferevent *bev)
{
    for (uint32_t i = 0; i < visitors->count; i++)
        if (visitors->entries[i]->bev == bev) return visitors->entries[i];
    return NULL;
}

void visitors_asked(struct visitors *visitors, const struct bufferevent *bev)
{
    struct visitor *visitor = find(visitors, bev);
    if (visitor == NULL) return;
    visitor->asked = true;
    visitor->since_us = 0;
}

void visitors_answered(struct visitors *visitors, const struct bufferevent *bev)
{
    struct visitor *visitor = find(visitors, bev);
    if (visitor == NULL) return;
    visitor->asked = false;
    bool begun = evbuffer_get_length(bufferevent_get_input(visitor->bev)) > 0;
    visitor->since_us = begun ? clock_mono_us() : 0;
}

size_t visitors_unsent(const struct visitors *visitors)
{
    size_t unsent = 0;
    for (uint32_t i = 0; i < visitors->count; i++)
        unsent += evbuffer_get_length(bufferevent_get_output(visitors->entries[i]->bev));
    return unsent;
}

/* --- all of them, ten times a second --- */

/* He has a socket by now: may one more come from where he comes from? */
static void look_up(struct visitors *visitors, struct visitor *visitor)
{
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof from;
    evutil_socket_t fd = bufferevent_getfd(visitor->bev);
    if (fd < 0 || getpeername(fd, (struct sockaddr *)&from, &size) != 0) return;
    visitor->address = sp_address_of((const struct sockaddr *)&from);
    visitor->known = true;
    uint32_t count = sp_peers_add(&visitors->peers, visitor->address);
    if (visitors->options.unlimited_per_address || count <= LIMIT_CONNECTIONS_PER_IP) return;
    visitors->counters.refused_limit++;
    shut(visitor);
}

static bool evhttp_left(const struct visitor *visitor)
{
    bufferevent_data_cb on_read, on_write;
    bufferevent_event_cb on_event;
    void *context;
    bufferevent_getcb(visitor->bev, &on_read, &on_write, &on_event, &context);
    return on_read == NULL && on_write == NULL && on_event == NULL;
}

void visitors_tick(struct visitors *visitors, int64_t now_us)
{
    for (uint32_t i = 0; i < visitors->count; i++) /* who came first is let in first */
        if (!visitors->entries[i]->known) look_up(visitors, visitors->entries[i]);
    for (uint32_t i = visitors->count; i-- > 0;) {
        struct visitor *visitor = visitors->entries[i];
        if (evhttp_left(visitor)) {
            forget(visitors, i);
            continue;
        }
        if (visitor->shut || visitor->since_us == 0) continue;
        if (now_us - visitor->since_us < LIMIT_FRAME_MS * INT64_C(1000)) continue;
        visitors->counters.timed_out++;
        shut(visitor);
    }
    visitors->counters.open = visitors->count;
    if (visitors->count < VISITORS_MAX) evconnlistener_enable(visitors->listener);
}

const struct visitors_counters *visitors_counters(const struct visitors *visitors)
{
    return &visitors->counters;
}
