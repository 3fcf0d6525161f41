#define _GNU_SOURCE /* POLLRDHUP, SOCK_NONBLOCK */
#include "sp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/util.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static enum err refuse(struct problem *problem, enum err err, const char *where, const char *what)
{
    return problem_set(problem, err, "url", "%.100s: %s", where, what);
}

/* --- Unix sockets --- */

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

/* Whoever is killed leaves its path behind; only a refused connection proves that nobody is there.
 */
static enum err take_over_path(const char *path, struct problem *problem)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? ERR_OK : refuse(problem, ERR_IO, path, strerror(errno));
    if (!S_ISSOCK(status.st_mode)) return refuse(problem, ERR_CONFLICT, path, "is not a socket");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) return refuse(problem, ERR_IO, path, strerror(errno));
    struct sockaddr_un address = unix_address(path);
    evutil_make_socket_nonblocking(fd);
    int result = connect(fd, (const struct sockaddr *)&address, sizeof address);
    int why = errno;
    close(fd);
    if (result == 0 || why == EAGAIN)
        return refuse(problem, ERR_CONFLICT, path, "another process listens there");
    if (unlink(path) != 0) return refuse(problem, ERR_IO, path, strerror(errno));
    return ERR_OK;
}

static enum err listen_unix(const char *path, int *out, struct problem *problem)
{
    enum err err = take_over_path(path, problem);
    if (err != ERR_OK) return err;
    struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    /* Nobody can connect before listen(), so the mode is in force from the first moment. */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(path, S_IRUSR | S_IWUSR) != 0 || listen(fd, SOMAXCONN) != 0) {
        err = refuse(problem, ERR_IO, path, strerror(errno));
        if (fd >= 0) close(fd);
        return err;
    }
    *out = fd;
    return ERR_OK;
}

/* --- tcp --- */

static int listen_at(const struct addrinfo *info)
{
    int on = 1, fd = socket(info->ai_family, info->ai_socktype, info->ai_protocol);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static enum err listen_tcp(const struct url *url, int *out, struct problem *problem)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    int error = getaddrinfo(url->host, url->port, &hints, &list);
    if (error != 0) return refuse(problem, ERR_INVALID, url->host, gai_strerror(error));
    int fd = -1;
    for (const struct addrinfo *info = list; info != NULL && fd < 0; info = info->ai_next)
        fd = listen_at(info);
    freeaddrinfo(list);
    if (fd < 0)
        return problem_set(problem, ERR_IO, "url", "%.100s:%s: %s", url->host, url->port,
                           strerror(errno));
    *out = fd;
    return ERR_OK;
}

/* --- dialling --- */

static int dial(const struct sockaddr *to, socklen_t size, const struct sockaddr_in *source)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0) return -1;
    /* The port is chosen with the peer in view: each pair of addresses has all of them. */
    bool bound = source == NULL ||
                 (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 &&
                  bind(fd, (const struct sockaddr *)source, sizeof *source) == 0);
    if (bound && (connect(fd, to, size) == 0 || errno == EINPROGRESS)) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static enum err dial_tcp(const struct url *url, const char *source, int *out,
                         struct problem *problem)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    struct sockaddr_in from = {.sin_family = AF_INET};
    if (source != NULL && inet_pton(AF_INET, source, &from.sin_addr) != 1)
        return refuse(problem, ERR_INVALID, source, "is not an IPv4 address");
    int error = getaddrinfo(url->host, url->port, &hints, &list);
    if (error != 0) return refuse(problem, ERR_INVALID, url->host, gai_strerror(error));
    int fd = dial(list->ai_addr, list->ai_addrlen, source == NULL ? NULL : &from);
    freeaddrinfo(list);
    if (fd < 0) return refuse(problem, ERR_IO, url->host, strerror(errno));
    sp_socket_tune(fd);
    *out = fd;
    return ERR_OK;
}

enum err sp_socket_dial(const struct url *url, const char *source, int *fd, struct problem *problem)
{
    if (url->scheme != URL_IPC) return dial_tcp(url, source, fd, problem);
    struct sockaddr_un address = unix_address(url->path);
    int dialled = dial((const struct sockaddr *)&address, sizeof address, NULL);
    if (dialled < 0) return refuse(problem, ERR_IO, url->path, strerror(errno));
    *fd = dialled;
    return ERR_OK;
}

/* --- listening --- */

enum err sp_socket_listen(const struct url *url, int *fd, struct problem *problem)
{
    enum err err =
        url->scheme == URL_IPC ? listen_unix(url->path, fd, problem) : listen_tcp(url, fd, problem);
    if (err != ERR_OK) return err;
    evutil_make_socket_nonblocking(*fd);
    evutil_make_socket_closeonexec(*fd);
    return ERR_OK;
}

uint16_t sp_socket_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) return 0;
    if (address.ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, &address, sizeof in);
        return ntohs(in.sin_port);
    }
    if (address.ss_family != AF_INET6) return 0;
    struct sockaddr_in6 in6;
    memcpy(&in6, &address, sizeof in6);
    return ntohs(in6.sin6_port);
}

void sp_socket_tune(int fd)
{
    int on = 1, idle_s = 30, interval_s = 5, probes = 3;
    unsigned unanswered_ms = 45000; /* the probes rest while bytes of ours are not acknowledged */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
}

bool sp_socket_has_gone(int fd)
{
    struct pollfd peer = {.fd = fd, .events = POLLRDHUP};
    return poll(&peer, 1, 0) == 1;
}
