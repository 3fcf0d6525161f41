/* line.h - a caller over tcp:// or ipc://: plain SP, one request at a time, no library beneath.
 */
#ifndef CALLOUT_TESTS_LINE_H
#define CALLOUT_TESTS_LINE_H

#include "caller.h"
#include "pb/wire.pb-c.h"
#include "tests/proto/raw_sp.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

struct line {
    struct caller caller;
    int fd;
    bool ipc; /* a byte 0x01 stands before each message */
    uint32_t id;
    const char *key, *data_dir;
    ProtobufCBinaryData sessions[DEVICES_MAX];
    uint8_t *room; /* of one reply */
};

static inline int line_connect_ipc(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

static inline bool line_open(struct line *line, const char *url)
{
    line->ipc = strncmp(url, "ipc://", 6) == 0;
    line->fd = line->ipc ? line_connect_ipc(url + 6)
                         : raw_connect((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10));
    line->room = malloc(LIMIT_REPLY);
    return line->fd >= 0 && line->room != NULL && raw_greet(line->fd);
}

static inline void line_close(struct line *line)
{
    if (line->fd >= 0) close(line->fd);
    free(line->room);
}

static inline ssize_t line_exchange(struct line *line, ProtobufCBinaryData bytes)
{
    static const uint8_t mark = 1;
    uint8_t their_mark;
    uint32_t id;
    if (line->ipc && !raw_write(line->fd, &mark, 1)) return -1;
    if (!raw_request(line->fd, ++line->id, bytes.data, bytes.len)) return -1;
    if (line->ipc && !raw_read(line->fd, &their_mark, 1)) return -1;
    return raw_reply(line->fd, &id, line->room, LIMIT_REPLY);
}

static inline const Callout__Reply *line_ask(struct caller *caller, int device, const char *method,
                                             const char *request_id, const ProtobufCMessage *body)
{
    struct line *line = (struct line *)(void *)caller; /* its first member */
    Callout__Request request;
    callout__request__init(&request);
    request.proto_major = 1;
    request.method = words(method);
    request.request_id = words(request_id);
    request.body = message_encode(body, &caller->arena);
    if (device == -1)
        request.session_token =
            (ProtobufCBinaryData){strlen(line->key), (uint8_t *)words(line->key)};
    if (device >= 0) request.session_token = line->sessions[device];
    ssize_t size = line_exchange(line, message_encode(&request.base, &caller->arena));
    ProtobufCMessage *reply = NULL;
    struct problem problem;
    if (size < 0) return NULL;
    uint8_t *copy = arena_need(&caller->arena, (size_t)size + 1);
    memcpy(copy, line->room, (size_t)size);
    if (message_decode(&callout__reply__descriptor, copy, (size_t)size, &caller->arena, &reply,
                       &problem) != ERR_OK)
        return NULL;
    return (const Callout__Reply *)reply;
}

static inline void line_hello(struct caller *caller, int device, const Callout__HelloReply *hello)
{
    struct line *line = (struct line *)(void *)caller;
    line->sessions[device] = hello->session_token;
}

#endif
