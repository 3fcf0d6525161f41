/* browser.h - one who speaks HTTP to the gateway, byte by byte. */
#ifndef CALLOUT_TESTS_GATEWAY_BROWSER_H
#define CALLOUT_TESTS_GATEWAY_BROWSER_H

#include "stage.h"

enum { HEAD_MAX = 4096 };

static inline void write_all(int fd, const char *text)
{
    assert_true(raw_write(fd, text, strlen(text)));
}

/* What comes until the other side closes, as text. */
static inline const char *read_all(struct stage *stage, int fd)
{
    size_t got = 0;
    for (ssize_t more; (more = read(fd, stage->buffer + got, REPLY_MAX - 1 - got)) > 0;)
        got += (size_t)more;
    stage->buffer[got] = '\0';
    return (const char *)stage->buffer;
}

/* One whole answer of a connection that stays open. */
static inline const char *read_one(struct stage *stage, int fd)
{
    size_t got = 0, whole = SIZE_MAX;
    while (got < whole) {
        ssize_t more = read(fd, stage->buffer + got, REPLY_MAX - 1 - got);
        if (more <= 0) fail_msg("the connection was closed after %zu bytes", got);
        got += (size_t)more;
        stage->buffer[got] = '\0';
        const char *text = (const char *)stage->buffer, *end = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        if (end == NULL || length == NULL) continue;
        whole = (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10);
    }
    return (const char *)stage->buffer;
}

static inline int visit(const struct stage *stage)
{
    return raw_connect(stage->http_port);
}

static inline const char *raw_ask(struct stage *stage, const char *text)
{
    int fd = visit(stage);
    write_all(fd, text);
    const char *answer = read_one(stage, fd);
    close(fd);
    return answer;
}

static inline void send_post(int fd, const char *method, const char *headers, const char *body)
{
    char head[HEAD_MAX];
    snprintf(head, sizeof head,
             "POST /api/%s HTTP/1.1\r\nHost: localhost:80\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n%s\r\n",
             method, strlen(body), headers);
    write_all(fd, head);
    write_all(fd, body);
}

static inline const char *post(struct stage *stage, const char *method, const char *headers,
                               const char *body)
{
    int fd = visit(stage);
    send_post(fd, method, headers, body);
    const char *answer = read_one(stage, fd);
    close(fd);
    return answer;
}

static inline void expect(const char *answer, const char *status, const char *part)
{
    char line[64];
    snprintf(line, sizeof line, "HTTP/1.1 %s ", status);
    if (strncmp(answer, line, strlen(line)) != 0 || strstr(answer, part) == NULL)
        fail_msg("expected %s and %s in: %s", status, part, answer);
}

#endif
