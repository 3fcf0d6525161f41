#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err refuse(struct problem *problem, const char *text, const char *why)
{
    return problem_set(problem, ERR_INVALID, "url", "\"%.100s\": %s", text, why);
}

static bool port_is_sound(const char *port)
{
    size_t digits = strspn(port, "0123456789");
    return digits > 0 && digits <= 5 && port[digits] == '\0' &&
           strtol(port, NULL, 10) <= UINT16_MAX;
}

enum err url_parse_host_port(const char *text, struct url *out, struct problem *problem)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !port_is_sound(colon + 1))
        return refuse(problem, text, "a port from 0 to 65535 must follow the host, after a colon");
    struct url url = {.scheme = URL_TCP};
    const char *host = text;
    size_t size = (size_t)(colon - text);
    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    } else if (memchr(host, ':', size) != NULL) {
        return refuse(problem, text, "an IPv6 address must stand in brackets");
    }
    if (size == 0 || size >= sizeof url.host) return refuse(problem, text, "the host is missing");
    memcpy(url.host, host, size);
    snprintf(url.port, sizeof url.port, "%s", colon + 1);
    *out = url;
    return ERR_OK;
}

static enum err parse_path(const char *text, const char *path, struct url *out,
                           struct problem *problem)
{
    struct url url = {.scheme = URL_IPC};
    if (path[0] != '/') return refuse(problem, text, "the path of a socket must begin with /");
    if (strlen(path) >= sizeof url.path)
        return refuse(problem, text, "the path of a socket must be shorter than 108 bytes");
    memcpy(url.path, path, strlen(path) + 1);
    *out = url;
    return ERR_OK;
}

enum err url_parse(const char *text, struct url *out, struct problem *problem)
{
    static const char tcp[] = "tcp://", tls[] = "tls+tcp://", ipc[] = "ipc://";
    if (strncmp(text, ipc, sizeof ipc - 1) == 0)
        return parse_path(text, text + sizeof ipc - 1, out, problem);
    if (strncmp(text, tcp, sizeof tcp - 1) == 0)
        return url_parse_host_port(text + sizeof tcp - 1, out, problem);
    if (strncmp(text, tls, sizeof tls - 1) != 0)
        return refuse(problem, text, "it must begin with tcp://, tls+tcp:// or ipc://");
    enum err err = url_parse_host_port(text + sizeof tls - 1, out, problem);
    if (err == ERR_OK) out->scheme = URL_TLS;
    return err;
}

bool url_is_local(const struct url *url)
{
    return url->scheme == URL_IPC || strncmp(url->host, "127.", 4) == 0 ||
           strcmp(url->host, "::1") == 0 || strcmp(url->host, "localhost") == 0;
}
