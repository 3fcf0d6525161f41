/* raw_sp.h - the other end of an SP connection, byte by byte: for tests that break the rules.
 *
 * All calls block, reads for at most ten seconds. Sizes and results as in read(2) and write(2).
 */
#ifndef CALLOUT_TESTS_RAW_SP_H
#define CALLOUT_TESTS_RAW_SP_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const uint8_t raw_greeting[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

static inline int raw_connect(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const struct timeval patience = {.tv_sec = 60};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

static inline bool raw_write(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t written = send(fd, at, size, MSG_NOSIGNAL);
        if (written <= 0) return false;
        at += written;
        size -= (size_t)written;
    }
    return true;
}

static inline bool raw_read(int fd, void *bytes, size_t size)
{
    uint8_t *at = bytes;
    while (size > 0) {
        ssize_t got = read(fd, at, size);
        if (got <= 0) return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

/* True when the server closed: what it sent before is thrown away. */
static inline bool raw_is_closed(int fd)
{
    uint8_t bytes[4096];
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        ;
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

static inline bool raw_greet(int fd)
{
    uint8_t theirs[8];
    return raw_write(fd, raw_greeting, sizeof raw_greeting) && raw_read(fd, theirs, sizeof theirs);
}

static inline void raw_put_u64(uint8_t *out, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}

/* The head of a request of `size` body bytes: 12 bytes into out. */
static inline void raw_head(uint8_t out[12], uint32_t id, uint64_t size)
{
    uint32_t word = htonl(id | UINT32_C(0x80000000));
    raw_put_u64(out, size + 4);
    memcpy(out + 8, &word, 4);
}

static inline bool raw_request(int fd, uint32_t id, const void *body, size_t size)
{
    uint8_t head[12];
    raw_head(head, id, size);
    return raw_write(fd, head, sizeof head) && raw_write(fd, body, size);
}

/* Reads one reply; returns its body's size, or -1 when the connection ended. */
static inline ssize_t raw_reply(int fd, uint32_t *id, void *body, size_t room)
{
    uint8_t head[12];
    uint32_t word;
    if (!raw_read(fd, head, sizeof head)) return -1;
    uint64_t size = 0;
    for (int i = 0; i < 8; i++)
        size = size << 8 | head[i];
    memcpy(&word, head + 8, 4);
    *id = ntohl(word) & UINT32_C(0x7fffffff);
    if (size < 4 || size - 4 > room || !raw_read(fd, body, (size_t)size - 4)) return -1;
    return (ssize_t)size - 4;
}

#endif
