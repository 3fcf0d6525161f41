#include "dispatcher/reach.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* --- connecting ----------------------------------------------------------------------------------
 */

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

/* HOST:PORT, [HOST]:PORT or *:PORT to an address; freeaddrinfo when done, NULL when there is none.
 */
static struct addrinfo *resolve(const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof host) return NULL;
    size_t length = (size_t)(colon - address);
    memcpy(host, address, length);
    host[length] = '\0';
    char *name = host;
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        name++;
    }
    if (strcmp(name, "*") == 0 || strcmp(name, "0.0.0.0") == 0)
        snprintf(host, sizeof host, "127.0.0.1");
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    return getaddrinfo(name, colon + 1, &hints, &found) == 0 ? found : NULL;
}

static int connect_tcp(const char *address)
{
    struct addrinfo *found = resolve(address);
    if (found == NULL) return -1;
    int fd = connect_to(found->ai_family, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return fd;
}

/* --- asking --------------------------------------------------------------------------------------
 */

static bool greets(int fd)
{
    static const uint8_t req[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
    static const uint8_t rep[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};
    uint8_t answer[sizeof rep];
    return send(fd, req, sizeof req, MSG_NOSIGNAL) == (ssize_t)sizeof req &&
           recv(fd, answer, sizeof answer, MSG_WAITALL) == (ssize_t)sizeof answer &&
           memcmp(answer, rep, sizeof rep) == 0;
}

bool reach_sp(const char *url)
{
    const char *tls = after(url, "tls+tcp://"), *tcp = after(url, "tcp://");
    const char *path = after(url, "ipc://");
    int fd = path != NULL  ? connect_unix(path)
             : tls != NULL ? connect_tcp(tls)
             : tcp != NULL ? connect_tcp(tcp)
                           : -1;
    if (fd < 0) return false;
    bool good = tls != NULL || greets(fd);
    close(fd);
    return good;
}

bool reach_http(const char *address)
{
    static const char ask[] = "GET /healthz HTTP/1.0\r\n\r\n";
    char answer[16] = {0};
    int fd = connect_tcp(address);
    if (fd < 0) return false;
    bool good = send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) == (ssize_t)sizeof ask - 1 &&
                recv(fd, answer, 12, MSG_WAITALL) == 12 && strcmp(answer + 8, " 200") == 0;
    close(fd);
    return good;
}

/* --- ports ---------------------------------------------------------------------------------------
 */

/* The port that the kernel gives for HOST:0, or 0. */
static uint16_t free_port(const char *address)
{
    struct addrinfo *found = resolve(address);
    if (found == NULL) return 0;
    uint16_t port = 0;
    int fd = open_socket(found->ai_family);
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
        getsockname(fd, (struct sockaddr *)&bound, &size) == 0) {
        /* Both families keep the port at the same place. */
        struct sockaddr_in inet;
        memcpy(&inet, &bound, sizeof inet);
        port = ntohs(inet.sin_port);
    }
    if (fd >= 0) close(fd);
    freeaddrinfo(found);
    return port;
}

enum err reach_fix_port(const char *url, char *out, size_t size, struct problem *problem)
{
    size_t length = strlen(url);
    if (length + 6 > size)
        return problem_set(problem, ERR_TOO_LARGE, url, "this address is too long");
    memcpy(out, url, length + 1);
    if (length < 2 || strcmp(url + length - 2, ":0") != 0) return ERR_OK;
    const char *scheme_end = strstr(url, "://");
    uint16_t port = free_port(scheme_end == NULL ? url : scheme_end + 3);
    if (port == 0) return problem_set(problem, ERR_INVALID, url, "has no port to give here");
    snprintf(out + length - 1, size - length + 1, "%u", port);
    return ERR_OK;
}
