#include "sim/load/gateway_memory.h"

#include "url.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_MAX = 256 * 1024 };

static int connect_to(const char *address)
{
    struct url url;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    const struct timeval second = {.tv_sec = 1};
    if (url_parse_host_port(address, &url, NULL) != ERR_OK ||
        getaddrinfo(url.host, url.port, &hints, &list) != 0)
        return -1;
    int fd = socket(list->ai_family, list->ai_socktype, 0);
    bool connected = fd >= 0 &&
                     setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second) == 0 &&
                     setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second) == 0 &&
                     connect(fd, list->ai_addr, list->ai_addrlen) == 0;
    freeaddrinfo(list);
    if (connected) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

uint64_t gateway_memory(const char *address)
{
    static const char request[] = "GET /metrics/process HTTP/1.0\r\n\r\n";
    static const char name[] = "\nprocess_resident_memory_bytes ";
    static char answer[ANSWER_MAX];
    size_t size = 0;
    int fd = connect_to(address);
    if (fd < 0) return 0;
    ssize_t got = write(fd, request, sizeof request - 1);
    while (got > 0 && size < sizeof answer - 1) {
        got = read(fd, answer + size, sizeof answer - 1 - size);
        if (got > 0) size += (size_t)got;
    }
    close(fd);
    answer[size] = '\0';
    const char *found = strstr(answer, name);
    return found == NULL ? 0 : strtoull(found + sizeof name - 1, NULL, 10);
}
