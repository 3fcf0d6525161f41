#include "dispatcher/reach.h"

#include "url.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* --- connecting --- */

static int open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    const struct timeval limit = {0, 500000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return fd;
}

static int connect_to(int family, const struct sockaddr *address, socklen_t size)
{
    int fd = open_socket(family);
    if (fd < 0 || connect(fd, address, size) == 0) return fd;
    close(fd);
    return -1;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -1;
    memcpy(address.sun_path, path, strlen(path));
    return connect_to(AF_UNIX, (const struct sockaddr *)&address, sizeof address);
}

/* The address of a tcp or tls URL; freeaddrinfo when done, NULL when there is none. */
static struct addrinfo *resolve(const struct url *url)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    return getaddrinfo(url->host, url->port, &hints, &found) == 0 ? found : NULL;
}

/* Linux connects to the wildcard address as to this machine. */
static int connect_url(const struct url *url)
{
    if (url->scheme == URL_IPC) return connect_unix(url->path);
    struct addrinfo *found = resolve(url);
    if (found == NULL) return -1;
    int fd = connect_to(found->ai_family, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return fd;
}

/* --- asking --- */

static bool greets(int fd)
{
    static const uint8_t req[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
    static const uint8_t rep[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};
    uint8_t answer[sizeof rep];
    return send(fd, req, sizeof req, MSG_NOSIGNAL) == (ssize_t)sizeof req &&
           recv(fd, answer, sizeof answer, MSG_WAITALL) == (ssize_t)sizeof answer &&
           memcmp(answer, rep, sizeof rep) == 0;
}

bool reach_sp(const char *text)
{
    struct url url;
    int fd = url_parse(text, &url, NULL) == ERR_OK ? connect_url(&url) : -1;
    if (fd < 0) return false;
    bool good = url.scheme == URL_TLS || greets(fd);
    close(fd);
    return good;
}

bool reach_http(const char *address)
{
    static const char ask[] = "GET /healthz HTTP/1.0\r\n\r\n";
    char answer[16] = {0};
    struct url url;
    int fd = url_parse_host_port(address, &url, NULL) == ERR_OK ? connect_url(&url) : -1;
    if (fd < 0) return false;
    bool good = send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) == (ssize_t)sizeof ask - 1 &&
                recv(fd, answer, 12, MSG_WAITALL) == 12 && strcmp(answer + 8, " 200") == 0;
    close(fd);
    return good;
}

/* --- ports --- */

/* A socket that is bound there, and may share its place with a listener; -1 when it cannot be. */
static int open_bound(const struct addrinfo *at)
{
    const int yes = 1;
    int fd = open_socket(at->ai_family);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && bind(fd, at->ai_addr, at->ai_addrlen) == 0)
        return fd;
    if (fd >= 0) close(fd);
    return -1;
}

/* The port that the kernel gives for port 0 of this host, or 0. Its socket is left open: the kernel
 * gives a port that somebody is bound to neither to another listener nor to a dialler, and whoever
 * sets SO_REUSEADDR can listen there as long as this one does not. */
static uint16_t hold_port(const struct url *url)
{
    struct addrinfo *found = resolve(url);
    if (found == NULL) return 0;
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    uint16_t port = 0;
    int fd = open_bound(found);
    if (fd >= 0 && getsockname(fd, (struct sockaddr *)&bound, &size) == 0) {
        /* Both families keep the port at the same place. */
        struct sockaddr_in inet;
        memcpy(&inet, &bound, sizeof inet);
        port = ntohs(inet.sin_port);
    }
    if (fd >= 0 && port == 0) close(fd);
    freeaddrinfo(found);
    return port;
}

bool reach_is_free(const char *address)
{
    struct url url;
    struct addrinfo *found = NULL;
    if (url_parse_host_port(address, &url, NULL) == ERR_OK) found = resolve(&url);
    if (found == NULL) return false;
    int fd = open_bound(found); /* what only waits for its last packets is no hindrance */
    bool is_free = fd >= 0 && listen(fd, 1) == 0;
    if (fd >= 0) close(fd);
    freeaddrinfo(found);
    return is_free;
}

/* Copies the text of `url`; a port 0 at its end becomes one of ours. */
static enum err copy_with_port(const char *text, const struct url *url, char *out, size_t size,
                               struct problem *problem)
{
    size_t length = strlen(text);
    if (length + sizeof url->port > size)
        return problem_set(problem, ERR_TOO_LARGE, text, "this address is too long");
    memcpy(out, text, length + 1);
    if (url->scheme == URL_IPC || strcmp(url->port, "0") != 0) return ERR_OK;
    uint16_t port = hold_port(url);
    if (port == 0) return problem_set(problem, ERR_INVALID, text, "has no port to give here");
    snprintf(out + length - 1, size - length + 1, "%u", port);
    return ERR_OK;
}

enum err reach_fix_url(const char *text, char *out, size_t size, struct problem *problem)
{
    struct url url;
    enum err err = url_parse(text, &url, problem);
    return err == ERR_OK ? copy_with_port(text, &url, out, size, problem) : err;
}

enum err reach_fix_address(const char *text, char *out, size_t size, struct problem *problem)
{
    struct url url;
    enum err err = url_parse_host_port(text, &url, problem);
    return err == ERR_OK ? copy_with_port(text, &url, out, size, problem) : err;
}
