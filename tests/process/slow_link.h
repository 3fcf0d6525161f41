/* slow_link.h - a tcp proxy on a thread of its own: counts bytes, can be cut, can be slow.
 *
 * Idea: two bytes streams per connection, each with a buffer; `poll` moves what the link has room
 * for. A limit is a token bucket per direction, shared by all connections, as a phone's radio is.
 * A turn is counted when the first byte goes down after some went up: what a long round trip costs.
 *
 * Owner: the caller. Thread: its own; the functions may be called from one other.
 */
#ifndef CALLOUT_TESTS_SLOW_LINK_H
#define CALLOUT_TESTS_SLOW_LINK_H

#include "base/check.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINK_PAIRS = 8, LINK_CHUNK = 4096, LINK_BURST_MS = 50 };

struct slow_link_counters {
    int64_t up, down; /* bytes from and to the client */
    int64_t turns;
};

struct link_stream {
    uint8_t bytes[LINK_CHUNK];
    size_t have;
};

struct link_pair {
    int fds[2]; /* the client's and the server's; -1: none */
    struct link_stream streams[2];
    bool went_up;
};

struct slow_link {
    uint16_t port;
    pthread_mutex_t lock; /* guards what follows */
    uint16_t to_port;
    bool cut, ending;
    uint32_t kbit; /* each way; 0: as fast as it goes */
    struct slow_link_counters counters;
    int listener, wake[2];
    int64_t full_us[2]; /* when the bucket of a direction is full again */
    struct link_pair pairs[LINK_PAIRS];
    pthread_t thread;
};

static inline void link_pair_close(struct link_pair *pair)
{
    for (int i = 0; i < 2; i++)
        if (pair->fds[i] >= 0) close(pair->fds[i]);
    *pair = (struct link_pair){.fds = {-1, -1}};
}

static inline struct sockaddr_in link_address(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static inline void link_accept(struct slow_link *link)
{
    int fd = accept(link->listener, NULL, NULL);
    if (fd < 0) return;
    struct link_pair *pair = NULL;
    for (int i = 0; i < LINK_PAIRS && pair == NULL; i++)
        if (link->pairs[i].fds[0] < 0) pair = &link->pairs[i];
    int up = pair == NULL || link->cut ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = link_address(link->to_port);
    if (up < 0 || connect(up, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (up >= 0) close(up);
        close(fd);
        return;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    pair->fds[0] = fd;
    pair->fds[1] = up;
}

/* How many bytes may pass now. */
static inline size_t link_room(const struct slow_link *link, int direction, size_t bytes)
{
    if (link->kbit == 0) return bytes;
    int64_t room_us = clock_mono_us() + LINK_BURST_MS * 1000 - link->full_us[direction];
    int64_t room = room_us <= 0 ? 0 : room_us * link->kbit / 8000;
    return (int64_t)bytes < room ? bytes : (size_t)room;
}

static inline void link_took(struct slow_link *link, int direction, size_t bytes)
{
    int64_t now_us = clock_mono_us();
    if (link->kbit == 0) return;
    if (link->full_us[direction] < now_us) link->full_us[direction] = now_us;
    link->full_us[direction] += (int64_t)bytes * 8000 / link->kbit;
}

static inline void link_count(struct slow_link *link, struct link_pair *pair, int direction,
                              size_t bytes)
{
    if (direction == 0) {
        link->counters.up += (int64_t)bytes;
        pair->went_up = true;
        return;
    }
    link->counters.down += (int64_t)bytes;
    link->counters.turns += pair->went_up;
    pair->went_up = false;
}

/* Moves what there is from one end to the other; false: the pair is over. */
static inline bool link_move(struct slow_link *link, struct link_pair *pair, int direction)
{
    struct link_stream *stream = &pair->streams[direction];
    if (stream->have < sizeof stream->bytes) {
        ssize_t got = recv(pair->fds[direction], stream->bytes + stream->have,
                           sizeof stream->bytes - stream->have, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
        if (got > 0) stream->have += (size_t)got;
    }
    size_t room = link_room(link, direction, stream->have);
    if (room == 0) return true;
    ssize_t sent = send(pair->fds[!direction], stream->bytes, room, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    link_took(link, direction, (size_t)sent);
    link_count(link, pair, direction, (size_t)sent);
    stream->have -= (size_t)sent;
    memmove(stream->bytes, stream->bytes + sent, stream->have);
    return true;
}

/* What to wait for: bytes, where there is room for them; room, where there are bytes. */
static inline nfds_t link_watch(const struct slow_link *link, struct pollfd *watched, bool *slowed)
{
    nfds_t count = 0;
    watched[count++] = (struct pollfd){link->wake[0], POLLIN, 0};
    watched[count++] = (struct pollfd){link->listener, POLLIN, 0};
    for (int i = 0; i < LINK_PAIRS; i++) {
        const struct link_pair *pair = &link->pairs[i];
        for (int end = 0; end < 2 && pair->fds[0] >= 0; end++) {
            short events = pair->streams[end].have < LINK_CHUNK ? POLLIN : 0;
            if (pair->streams[!end].have > 0 && link->kbit == 0) events |= POLLOUT;
            *slowed = *slowed || (pair->streams[end].have > 0 && link->kbit > 0);
            watched[count++] = (struct pollfd){pair->fds[end], events, 0};
        }
    }
    return count;
}

static inline void *link_run(void *context)
{
    struct slow_link *link = context;
    struct pollfd watched[2 + 2 * LINK_PAIRS];
    char byte;
    pthread_mutex_lock(&link->lock);
    while (!link->ending) {
        bool slowed = false;
        nfds_t count = link_watch(link, watched, &slowed);
        pthread_mutex_unlock(&link->lock);
        poll(watched, count, slowed ? 5 : -1);
        pthread_mutex_lock(&link->lock);
        if (watched[0].revents != 0 && read(link->wake[0], &byte, 1) < 0) break;
        if (watched[1].revents != 0) link_accept(link);
        for (int i = 0; i < LINK_PAIRS; i++) {
            struct link_pair *pair = &link->pairs[i];
            if (pair->fds[0] >= 0 &&
                (link->cut || !link_move(link, pair, 0) || !link_move(link, pair, 1)))
                link_pair_close(pair);
        }
    }
    pthread_mutex_unlock(&link->lock);
    return NULL;
}

static inline void link_wake(struct slow_link *link)
{
    CHECK(write(link->wake[1], "", 1) == 1);
}

static inline void slow_link_open(struct slow_link *link)
{
    struct sockaddr_in address = link_address(0);
    socklen_t size = sizeof address;
    *link = (struct slow_link){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    for (int i = 0; i < LINK_PAIRS; i++)
        link->pairs[i].fds[0] = link->pairs[i].fds[1] = -1;
    CHECK(bind(link->listener, (const struct sockaddr *)&address, size) == 0);
    CHECK(listen(link->listener, LINK_PAIRS) == 0);
    CHECK(getsockname(link->listener, (struct sockaddr *)&address, &size) == 0);
    link->port = ntohs(address.sin_port);
    CHECK(pipe(link->wake) == 0);
    CHECK(pthread_mutex_init(&link->lock, NULL) == 0);
    CHECK(pthread_create(&link->thread, NULL, link_run, link) == 0);
}

static inline void slow_link_close(struct slow_link *link)
{
    pthread_mutex_lock(&link->lock);
    link->ending = true;
    pthread_mutex_unlock(&link->lock);
    link_wake(link);
    pthread_join(link->thread, NULL);
    for (int i = 0; i < LINK_PAIRS; i++)
        link_pair_close(&link->pairs[i]);
    close(link->listener);
    close(link->wake[0]);
    close(link->wake[1]);
    pthread_mutex_destroy(&link->lock);
}

/* Where new connections go on to. */
static inline void slow_link_to(struct slow_link *link, uint16_t port)
{
    pthread_mutex_lock(&link->lock);
    link->to_port = port;
    pthread_mutex_unlock(&link->lock);
}

static inline void slow_link_set_cut(struct slow_link *link, bool cut)
{
    pthread_mutex_lock(&link->lock);
    link->cut = cut;
    pthread_mutex_unlock(&link->lock);
    link_wake(link);
}

/* Ends all connections, and lets no new one through. */
static inline void slow_link_cut(struct slow_link *link)
{
    slow_link_set_cut(link, true);
}

static inline void slow_link_heal(struct slow_link *link)
{
    slow_link_set_cut(link, false);
}

static inline void slow_link_limit(struct slow_link *link, uint32_t kbit)
{
    pthread_mutex_lock(&link->lock);
    link->kbit = kbit;
    pthread_mutex_unlock(&link->lock);
    link_wake(link);
}

/* What passed since the last call. */
static inline struct slow_link_counters slow_link_count(struct slow_link *link)
{
    pthread_mutex_lock(&link->lock);
    struct slow_link_counters counters = link->counters;
    link->counters = (struct slow_link_counters){0};
    pthread_mutex_unlock(&link->lock);
    return counters;
}

#endif
