/* http_visitors.h - who is connected to the HTTP door, and for how long he may take.
 *
 * Idea: evhttp's time-outs are for each read, so a byte now and then keeps a request open for ever,
 * and it counts nobody. We make its bufferevents ourselves, keep a reference to each, and look at
 * them ten times a second: a request must be whole LIMIT_FRAME_MS after its first byte (the first
 * one after the connection began, TLS included), and of one address there may be
 * LIMIT_CONNECTIONS_PER_IP, and nobody may send on and on before he has his answer. Whoever breaks
 * that has his socket shut down; evhttp then cleans up as if he had left by himself.
 *
 * Owner: the caller. Thread: the event_base's.
 */
#ifndef CALLOUT_GATEWAY_HTTP_VISITORS_H
#define CALLOUT_GATEWAY_HTTP_VISITORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct evconnlistener;
struct event_base;
struct ssl_ctx_st;
struct visitors;

enum { VISITORS_MAX = 4096 };

struct visitors_options {
    struct event_base *base;
    struct ssl_ctx_st *tls; /* NULL: plain; borrowed */
    bool unlimited_per_address;
};

struct visitors_counters {
    uint64_t open, accepted, refused_limit, timed_out, bytes_in;
};

struct visitors *visitors_open(const struct visitors_options *options);
void visitors_close(struct visitors *visitors); /* when evhttp is gone; may be NULL */
/* Where they come from: it rests while VISITORS_MAX are here, and who comes then waits outside. */
void visitors_listen(struct visitors *visitors, struct evconnlistener *listener);

/* Who comes from now on gets this certificate; borrowed. */
void visitors_renew(struct visitors *visitors, struct ssl_ctx_st *tls);

/* A new connection's bufferevent; its socket comes later. Never NULL. */
struct bufferevent *visitors_accept(struct visitors *visitors);
/* His request is whole: what he sends from now on is the next one, which begins when this one is
 * answered. */
void visitors_asked(struct visitors *visitors, const struct bufferevent *bev);
void visitors_answered(struct visitors *visitors, const struct bufferevent *bev);

/* Bytes that still wait for their readers. */
size_t visitors_unsent(const struct visitors *visitors);

void visitors_tick(struct visitors *visitors, int64_t now_us);
const struct visitors_counters *visitors_counters(const struct visitors *visitors);

#endif
