#include "sp_send.h"

#include "base/check.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* How many bytes the kernel took. */
static size_t send_now(int fd, const void *head, size_t head_size, const void *body,
                       size_t body_size)
{
    union {
        const void *constant;
        void *bytes;
    } from[] = {{head}, {body}}; /* sending only reads */
    struct iovec parts[] = {{from[0].bytes, head_size}, {from[1].bytes, body_size}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0 : (size_t)sent;
}

void sp_send(struct bufferevent *stream, bool at_once, const void *head, size_t head_size,
             const void *body, size_t body_size)
{
    struct evbuffer *out = bufferevent_get_output(stream);
    size_t sent = 0;
    if (at_once && evbuffer_get_length(out) == 0 && bufferevent_openssl_get_ssl(stream) == NULL)
        sent = send_now(bufferevent_getfd(stream), head, head_size, body, body_size);
    if (sent < head_size)
        CHECK(evbuffer_add(out, (const uint8_t *)head + sent, head_size - sent) == 0);
    size_t of_body = sent > head_size ? sent - head_size : 0;
    if (of_body < body_size)
        CHECK(evbuffer_add(out, (const uint8_t *)body + of_body, body_size - of_body) == 0);
}

/* The stream itself keeps others from writing its buffer out: for this moment it may be. */
void sp_push_out(struct bufferevent *stream)
{
    struct evbuffer *out = bufferevent_get_output(stream);
    if (evbuffer_get_length(out) == 0 || bufferevent_openssl_get_ssl(stream) != NULL) return;
    CHECK(evbuffer_unfreeze(out, 1) == 0);
    evbuffer_write(out, bufferevent_getfd(stream));
    CHECK(evbuffer_freeze(out, 1) == 0);
}
