/* sp_listener.c - accepting, and the slots by which connections are known.
 *
 * I1: a slot is free or has a connection; its generation grows whenever it is freed, so a ticket of
 *     the former holder never fits the next one.
 * I2: free slots form a list, last freed first; slots are never given back to the system.
 * I3: `arriving` counts the connections that came in this turn and have not greeted yet; it is
 * below
 *     ARRIVING_MAX unless nobody is accepted for now.
 */
#include "sp_listener.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"
#include "sp_connection.h"
#include "sp_peers.h"
#include "sp_socket.h"
#include "sp_tls.h"
#include "url.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NO_SLOT UINT32_MAX

enum {
    SLOTS_AT_FIRST = 64,
    READ_AT_ONCE = 64 * 1024,
    ACCEPT_PAUSE_MS = 100,
    ARRIVING_MAX = 256, /* over TLS */
    TURN_MS = 1000,
};

struct slot {
    struct sp_connection *connection; /* NULL: free */
    uint32_t generation;              /* from 1: a ticket of zeros is nobody's */
    uint32_t next_free;
    uint32_t turn; /* in which it came, while it has not greeted; 0: it has */
    struct sp_address address;
    char peer[48];
};

struct sp_listener {
    struct event_base *base;
    char *name; /* what options.url points to */
    struct sp_listener_options options;
    struct url url;
    SSL_CTX *tls; /* NULL: plain */
    struct evconnlistener *acceptor;
    struct event *resume;    /* accepting again, after the machine had no descriptor left */
    struct event *next_turn; /* waits while nobody is accepted because so many arrive */
    uint32_t turn, arriving; /* I3; turns from 1 */
    struct slot *slots;
    uint32_t slot_count, first_free;
    struct sp_peers peers;
    struct sp_rules rules;
    struct sp_counters counters;
};

/* --- slots --- */

static void slots_grow(struct sp_listener *listener)
{
    uint32_t before = listener->slot_count;
    uint32_t count = before == 0 ? SLOTS_AT_FIRST : before * 2;
    listener->slots = realloc(listener->slots, count * sizeof *listener->slots);
    CHECK(listener->slots != NULL);
    for (uint32_t i = count; i-- > before;) {
        listener->slots[i] = (struct slot){.generation = 1, .next_free = listener->first_free};
        listener->first_free = i;
    }
    listener->slot_count = count;
}

static uint32_t slot_take(struct sp_listener *listener)
{
    if (listener->first_free == NO_SLOT) slots_grow(listener);
    uint32_t slot = listener->first_free;
    listener->first_free = listener->slots[slot].next_free;
    return slot;
}

/* --- arriving ---
 *
 * A TLS handshake costs some thousand times what a request does. Begun all at once, those of a
 * fleet that comes back would each get a slice, and all be late: so only so many are under way, and
 * the next ones wait in the kernel's queue, first come, first served. Who has not greeted after a
 * turn is waited for no longer, so that nobody is kept out by silence. */

static void on_next_turn(evutil_socket_t fd, short what, void *context)
{
    struct sp_listener *listener = context;
    (void)fd;
    (void)what;
    listener->arriving = 0;
    if (++listener->turn == 0) listener->turn = 1;
    evconnlistener_enable(listener->acceptor);
}

static void arrive(struct sp_listener *listener, struct slot *slot)
{
    static const struct timeval turn = {.tv_sec = TURN_MS / 1000, .tv_usec = TURN_MS % 1000 * 1000};
    slot->turn = 0;
    if (listener->tls == NULL) return;
    slot->turn = listener->turn;
    if (++listener->arriving < ARRIVING_MAX) return;
    evconnlistener_disable(listener->acceptor);
    event_add(listener->next_turn, &turn);
}

/* It greeted, or it is gone. */
static void arrived(struct sp_listener *listener, struct slot *slot)
{
    bool counts = slot->turn != 0 && slot->turn == listener->turn;
    slot->turn = 0;
    if (!counts || --listener->arriving >= ARRIVING_MAX / 2) return;
    if (!event_pending(listener->next_turn, EV_TIMEOUT, NULL)) return;
    event_del(listener->next_turn);
    evconnlistener_enable(listener->acceptor);
}

static void slot_free(struct sp_listener *listener, uint32_t index)
{
    struct slot *slot = &listener->slots[index];
    arrived(listener, slot);
    sp_peers_remove(&listener->peers, slot->address);
    slot->connection = NULL;
    slot->peer[0] = '\0';
    if (++slot->generation == 0) slot->generation = 1;
    slot->next_free = listener->first_free;
    listener->first_free = index;
}

static struct slot *slot_of(const struct sp_listener *listener, struct sp_ticket ticket)
{
    if (ticket.slot >= listener->slot_count) return NULL;
    struct slot *slot = &listener->slots[ticket.slot];
    return slot->connection != NULL && slot->generation == ticket.generation ? slot : NULL;
}

static struct sp_ticket ticket_of(const struct sp_listener *listener, uint32_t slot,
                                  uint32_t request)
{
    return (struct sp_ticket){slot, listener->slots[slot].generation, request};
}

/* --- what connections tell us --- */

static void on_message(void *context, uint32_t slot, uint32_t request, const uint8_t *bytes,
                       size_t size)
{
    struct sp_listener *listener = context;
    listener->counters.bytes_in += size;
    listener->options.on_request(listener->options.context, ticket_of(listener, slot, request),
                                 bytes, size);
}

static void on_oversize(void *context, uint32_t slot, uint32_t request, uint64_t size)
{
    struct sp_listener *listener = context;
    listener->options.on_oversize(listener->options.context, ticket_of(listener, slot, request),
                                  size);
}

static void on_greeting(void *context, uint32_t index)
{
    struct sp_listener *listener = context;
    arrived(listener, &listener->slots[index]);
}

static void on_end(void *context, uint32_t index)
{
    struct sp_listener *listener = context;
    struct sp_connection *connection = listener->slots[index].connection;
    slot_free(listener, index);
    listener->counters.closed++;
    listener->counters.open--;
    sp_connection_close(connection);
}

/* --- accepting --- */

static struct bufferevent *stream_new(struct sp_listener *listener, evutil_socket_t fd)
{
    struct bufferevent *stream;
    if (listener->tls == NULL) {
        stream = bufferevent_socket_new(listener->base, fd, BEV_OPT_CLOSE_ON_FREE);
    } else {
        stream = sp_tls_accept(listener->tls, listener->base, fd);
    }
    CHECK(stream != NULL);
    bufferevent_set_max_single_read(stream, READ_AT_ONCE);
    return stream;
}

static void name_peer(struct slot *slot, const struct sockaddr *address, socklen_t size)
{
    if (getnameinfo(address, size, slot->peer, sizeof slot->peer, NULL, 0, NI_NUMERICHOST) != 0)
        snprintf(slot->peer, sizeof slot->peer, "unknown");
    if (address->sa_family == AF_UNIX) snprintf(slot->peer, sizeof slot->peer, "unix");
}

/* Ends what the peers of this address have closed but we have not read to its end yet. */
static uint32_t end_gone(struct sp_listener *listener, struct sp_address address)
{
    uint32_t ended = 0;
    for (uint32_t i = 0; i < listener->slot_count; i++) {
        const struct slot *slot = &listener->slots[i];
        if (slot->connection == NULL || slot->address.key != address.key) continue;
        if (!sp_socket_has_gone(sp_connection_descriptor(slot->connection))) continue;
        on_end(listener, i);
        ended++;
    }
    return ended;
}

/* A burst of broken connections is accepted before the first of them is read; they must not take
 * the room of the one behind them that means well. */
static bool has_room(struct sp_listener *listener, struct sp_address address)
{
    uint32_t of_address = sp_peers_add(&listener->peers, address);
    bool limited = !listener->options.trusted && !listener->options.unlimited_per_address;
    if (limited && of_address > LIMIT_CONNECTIONS_PER_IP) of_address -= end_gone(listener, address);
    if (listener->counters.open < LIMIT_CONNECTIONS &&
        (!limited || of_address <= LIMIT_CONNECTIONS_PER_IP))
        return true;
    sp_peers_remove(&listener->peers, address);
    listener->counters.refused_limit++;
    return false;
}

static void on_accept(struct evconnlistener *acceptor, evutil_socket_t fd, struct sockaddr *peer,
                      int peer_size, void *context)
{
    struct sp_listener *listener = context;
    struct sp_address address = sp_address_of(peer);
    (void)acceptor;
    bool waits = listener->tls == NULL || !sp_socket_has_gone(fd); /* for a handshake? */
    if (!waits || !has_room(listener, address)) {
        evutil_closesocket(fd);
        return;
    }
    listener->counters.accepted++;
    listener->counters.open++;
    if (listener->url.scheme != URL_IPC) sp_socket_tune(fd);
    uint32_t index = slot_take(listener);
    struct slot *slot = &listener->slots[index];
    slot->address = address;
    name_peer(slot, peer, (socklen_t)peer_size);
    arrive(listener, slot);
    slot->connection = sp_connection_open(&listener->rules, stream_new(listener, fd), index);
}

/* The backlog stays readable while no descriptor is free: without a pause we would spin on it. */
static void on_accept_error(struct evconnlistener *acceptor, void *context)
{
    struct sp_listener *listener = context;
    const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
    log_warn("cannot accept on %s: %s", listener->options.url, strerror(errno));
    evconnlistener_disable(acceptor);
    event_add(listener->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *context)
{
    struct sp_listener *listener = context;
    (void)fd;
    (void)what;
    evconnlistener_enable(listener->acceptor);
}

/* --- the public side --- */

static void rules_set(struct sp_listener *listener)
{
    const struct sp_listener_options *options = &listener->options;
    listener->rules = (struct sp_rules){
        .unix_framing = listener->url.scheme == URL_IPC,
        .at_once = !options->trusted, /* neighbours ask many things at once, others one each */
        .message_max = options->trusted ? LIMIT_INNER_MESSAGE : LIMIT_MESSAGE,
        .outbox_max = options->trusted ? LIMIT_INNER_OUTBOX : LIMIT_OUTBOX,
        .drain_max = options->on_oversize == NULL ? 0 : LIMIT_DRAIN,
        .greeting_ms = options->deadline_ms > 0 ? options->deadline_ms : LIMIT_GREETING_MS,
        .frame_ms = options->deadline_ms > 0 ? options->deadline_ms : LIMIT_FRAME_MS,
        .counters = &listener->counters,
        .context = listener,
        .on_message = on_message,
        .on_oversize = on_oversize,
        .on_greeting = on_greeting,
        .on_end = on_end,
    };
}

static enum err start(struct sp_listener *listener, struct problem *problem)
{
    const struct sp_listener_options *options = &listener->options;
    int fd = -1;
    enum err err = url_parse(options->url, &listener->url, problem);
    if (err == ERR_OK && listener->url.scheme == URL_TLS)
        err = sp_tls_open(&listener->tls, options->certificate_file, options->key_file, problem);
    if (err == ERR_OK) err = sp_socket_listen(&listener->url, &fd, problem);
    if (err != ERR_OK) return err;
    rules_set(listener);
    unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
    listener->acceptor = evconnlistener_new(listener->base, on_accept, listener, flags, 0, fd);
    listener->resume = evtimer_new(listener->base, on_resume, listener);
    listener->next_turn = evtimer_new(listener->base, on_next_turn, listener);
    CHECK(listener->acceptor != NULL && listener->resume != NULL && listener->next_turn != NULL);
    evconnlistener_set_error_cb(listener->acceptor, on_accept_error);
    return ERR_OK;
}

enum err sp_listener_open(struct sp_listener **out, struct event_base *base,
                          const struct sp_listener_options *options, struct problem *problem)
{
    struct sp_listener *listener = calloc(1, sizeof *listener);
    CHECK(listener != NULL && options->on_request != NULL);
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an answer, not a reason to die */
    listener->base = base;
    listener->options = *options;
    listener->name = strdup(options->url);
    CHECK(listener->name != NULL);
    listener->options.url = listener->name;
    listener->first_free = NO_SLOT;
    listener->turn = 1;
    enum err err = start(listener, problem);
    if (err != ERR_OK) {
        sp_listener_close(listener);
        return err;
    }
    *out = listener;
    return ERR_OK;
}

enum err sp_listener_renew(struct sp_listener *listener, const char *certificate_file,
                           const char *key_file, struct problem *problem)
{
    SSL_CTX *fresh;
    if (listener->tls == NULL) return ERR_OK;
    enum err err = sp_tls_open(&fresh, certificate_file, key_file, problem);
    if (err != ERR_OK) return err;
    sp_tls_close(listener->tls); /* each connection has a hold of its own */
    listener->tls = fresh;
    return ERR_OK;
}

void sp_listener_close(struct sp_listener *listener)
{
    if (listener == NULL) return;
    for (uint32_t i = 0; i < listener->slot_count; i++)
        if (listener->slots[i].connection != NULL) on_end(listener, i);
    if (listener->acceptor != NULL && listener->url.scheme == URL_IPC) unlink(listener->url.path);
    if (listener->acceptor != NULL) evconnlistener_free(listener->acceptor);
    if (listener->resume != NULL) event_free(listener->resume);
    if (listener->next_turn != NULL) event_free(listener->next_turn);
    SSL_CTX_free(listener->tls);
    free(listener->slots);
    free(listener->name);
    free(listener);
}

bool sp_reply(struct sp_listener *listener, struct sp_ticket ticket, const void *bytes, size_t size)
{
    struct slot *slot = slot_of(listener, ticket);
    if (slot == NULL) {
        listener->counters.dropped_replies++;
        return false;
    }
    if (!sp_connection_send(slot->connection, ticket.request, bytes, size)) {
        listener->counters.refused_limit++;
        on_end(listener, ticket.slot);
        return false;
    }
    listener->counters.replies++;
    return true;
}

void sp_listener_push_out(struct sp_listener *listener)
{
    for (uint32_t i = 0; i < listener->slot_count; i++)
        if (listener->slots[i].connection != NULL)
            sp_connection_push_out(listener->slots[i].connection);
}

bool sp_ticket_alive(const struct sp_listener *listener, struct sp_ticket ticket)
{
    return slot_of(listener, ticket) != NULL;
}

const char *sp_peer(const struct sp_listener *listener, struct sp_ticket ticket)
{
    const struct slot *slot = slot_of(listener, ticket);
    return slot == NULL ? "" : slot->peer;
}

uint16_t sp_listener_port(const struct sp_listener *listener)
{
    return sp_socket_port(evconnlistener_get_fd(listener->acceptor));
}

const struct sp_counters *sp_listener_counters(const struct sp_listener *listener)
{
    return &listener->counters;
}

size_t sp_listener_unsent(const struct sp_listener *listener)
{
    size_t unsent = 0;
    for (uint32_t i = 0; i < listener->slot_count; i++)
        if (listener->slots[i].connection != NULL)
            unsent += sp_connection_unsent(listener->slots[i].connection);
    return unsent;
}
