/* rig.h - the running system, and what hostile tests want to know of it from outside: its counters,
 * the memory of its processes, and what it answers to any bytes.
 *
 * Only sockets and /proc are used, no client library: nothing stands between a row's bytes and the
 * gateway. Strangers come from addresses of their own (127.0.0.N), so that what one of them uses up
 * of a limit per address is not missed by the next.
 */
#ifndef CALLOUT_TESTS_HOSTILE_RIG_H
#define CALLOUT_TESTS_HOSTILE_RIG_H

#include "base/borrowed.h"
#include "base/clock.h"
#include "base/limits.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/wire.pb-c.h"
#include "sim/system.h"
#include "tests/proto/raw_sp.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { REQUEST_ID = 7, REPLY_ROOM = 2 << 20, PAGE_ROOM = 256 * 1024, HOME = 1 };

static struct rig {
    char folder[64], log[96];
    struct system system;
    uint16_t port, admin_port;
    pid_t gateway, dispatcher;
    uint64_t request_number;
} rig;

/* --- connections --- */

/* From 127.0.0.`host`; -1: refused. */
static inline int connect_from(uint8_t host)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
    const struct timeval patience = {.tv_sec = 30};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(rig.port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    return -1;
}

/* A connection that has greeted. */
static inline int peer_from(uint8_t host)
{
    int fd = connect_from(host);
    assert_true(fd >= 0);
    assert_true(raw_greet(fd));
    return fd;
}

/* --- what came back --- */

struct got {
    bool closed;
    Callout__Status status;
    int outcome;               /* of the only command of a Push */
    char field[97], text[225]; /* of the first error */
    uint32_t retry_after_ms;
    uint64_t log_seq;
    size_t size; /* of the body */
    uint8_t body[REPLY_ROOM];
};

static inline void read_reply(int fd, struct got *got)
{
    static uint8_t bytes[REPLY_ROOM];
    uint32_t id;
    *got = (struct got){.closed = true};
    ssize_t size = raw_reply(fd, &id, bytes, sizeof bytes);
    if (size < 0) return;
    assert_int_equal(id, REQUEST_ID);
    Callout__Reply *reply = callout__reply__unpack(NULL, (size_t)size, bytes);
    assert_non_null(reply);
    got->closed = false;
    got->status = reply->status;
    got->retry_after_ms = reply->retry_after_ms;
    got->log_seq = reply->log_seq;
    snprintf(got->text, sizeof got->text, "%s", reply->text);
    if (reply->n_errors > 0) snprintf(got->field, sizeof got->field, "%s", reply->errors[0]->field);
    got->size = reply->body.len;
    if (got->size > 0) memcpy(got->body, reply->body.data, got->size);
    callout__reply__free_unpacked(reply, NULL);
}

/* Whole requests as they are, on a connection of their own. */
static inline void send_bytes_from(uint8_t host, const void *bytes, size_t size, struct got *got)
{
    int fd = peer_from(host);
    assert_true(raw_request(fd, REQUEST_ID, bytes, size));
    read_reply(fd, got);
    close(fd);
}

/* --- requests --- */

struct bytes {
    size_t size;
    uint8_t at[LIMIT_MESSAGE];
};

static inline void put(struct bytes *to, const void *bytes, size_t size)
{
    assert_true(size <= sizeof to->at - to->size);
    memcpy(to->at + to->size, bytes, size);
    to->size += size;
}

static inline void put_varint(struct bytes *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(to, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
    put(to, &(uint8_t){(uint8_t)value}, 1);
}

/* A field of wire type 2. */
static inline void put_sized(struct bytes *to, uint32_t tag, const void *bytes, size_t size)
{
    put_varint(to, (uint64_t)tag << 3 | 2);
    put_varint(to, size);
    put(to, bytes, size);
}

/* The envelope around a body: made by hand, so that bodies may be anything. */
static inline void envelope(struct bytes *to, const char *method, const void *token,
                            size_t token_size, const void *body, size_t size)
{
    char id[32];
    to->size = 0;
    snprintf(id, sizeof id, "hostile-%llu", (unsigned long long)++rig.request_number);
    put(to, "\x08\x01", 2); /* proto_major */
    if (token_size > 0) put_sized(to, 4, token, token_size);
    put_sized(to, 5, id, strlen(id));
    put_sized(to, 7, method, strlen(method));
    if (size > 0) put_sized(to, 8, body, size);
}

/* As the admin whose key lies in the data folder. */
static inline void ask_bytes(const char *method, const void *body, size_t size, struct got *got)
{
    static struct bytes request;
    envelope(&request, method, rig.system.key, strlen(rig.system.key), body, size);
    send_bytes_from(HOME, request.at, request.size, got);
}

static inline void ask(const char *method, const ProtobufCMessage *message, struct got *got)
{
    static uint8_t body[LIMIT_MESSAGE];
    assert_true(protobuf_c_message_get_packed_size(message) <= sizeof body);
    ask_bytes(method, body, protobuf_c_message_pack(message, body), got);
}

static inline void must(const char *method, const ProtobufCMessage *message)
{
    static struct got got;
    ask(method, message, &got);
    if (got.closed || got.status != CALLOUT__STATUS__OK)
        fail_msg("%s: %s: %s", method, got.field, got.text);
}

/* --- the state --- */

static char territory_id[] = "north";

/* The log's last fact, when the optimizer has nothing more to say: the same before and after means
 * that nothing changed. The clock stands still, so that time brings no fact. */
static inline uint64_t settled_seq(void)
{
    static struct got got;
    Callout__BoardRequest request;
    callout__board_request__init(&request);
    request.territory_id = territory_id;
    for (int64_t until_us = clock_mono_us() + 30 * US_PER_SECOND; clock_mono_us() < until_us;) {
        ask("Board", &request.base, &got);
        assert_int_equal(got.status, CALLOUT__STATUS__OK);
        Callout__BoardReply *board = callout__board_reply__unpack(NULL, got.size, got.body);
        assert_non_null(board);
        bool settled = board->settled_revision >= board->revision;
        callout__board_reply__free_unpacked(board, NULL);
        if (settled) return got.log_seq;
    }
    fail_msg("the optimizer does not come to rest");
    return 0;
}

/* --- counters --- */

/* The reply of the admin's port, head and all. */
static inline void http_get(const char *path, char page[PAGE_ROOM])
{
    char request[256];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(rig.admin_port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n",
             path);
    assert_true(raw_write(fd, request, strlen(request)));
    size_t size = 0;
    for (ssize_t got; (got = read(fd, page + size, PAGE_ROOM - 1 - size)) > 0;)
        size += (size_t)got;
    page[size] = '\0';
    close(fd);
}

struct counters {
    uint64_t answered[CALLOUT__STATUS__IO + 1]; /* by status, over all methods */
    uint64_t refused;                           /* connections and messages, for any reason */
    uint64_t polls, superseded;
};

static inline uint64_t sum_of(const char *page, const char *name, const char *label)
{
    uint64_t sum = 0;
    for (const char *at = page; (at = strstr(at, name)) != NULL; at++) {
        const char *end = strchr(at, '\n'), *found = strstr(at, label);
        if ((at > page && at[-1] != '\n') || end == NULL || found == NULL || found > end) continue;
        const char *value = end;
        while (value[-1] != ' ')
            value--;
        sum += strtoull(value, NULL, 10);
    }
    return sum;
}

static inline struct counters counters_read(void)
{
    static char page[PAGE_ROOM];
    struct counters now = {.refused = 0};
    http_get("/metrics", page);
    for (int status = 0; status <= CALLOUT__STATUS__IO; status++) {
        char label[64];
        snprintf(label, sizeof label, "status=\"%s\"", err_name((enum err)status));
        now.answered[status] = sum_of(page, "callout_gateway_requests_total{", label);
    }
    now.refused = sum_of(page, "callout_gateway_refused_total{", "reason");
    now.polls = sum_of(page, "callout_gateway_polls ", "");
    now.superseded = sum_of(page, "callout_gateway_polls_superseded_total ", "");
    return now;
}

/* --- memory --- */

/* A sanitizer keeps what was freed, to watch it: how large a process is says nothing then. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MEMORY_COUNTS = 0 };
#else
enum { MEMORY_COUNTS = 1 };
#endif

static inline size_t resident_bytes(pid_t pid)
{
    char path[64];
    unsigned long all = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("a process of the system is gone");
    assert_int_equal(fscanf(file, "%lu %lu", &all, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* The child of `serve` with this role. */
static inline pid_t child_of_serve(const char *role)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)rig.system.pid,
             (int)rig.system.pid);
    FILE *children = fopen(path, "r");
    assert_non_null(children);
    int pid = 0, found = 0;
    while (found == 0 && fscanf(children, "%d", &pid) == 1) {
        snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
        FILE *file = fopen(path, "r");
        if (file == NULL) continue;
        size_t size = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        text[size] = '\0';
        for (const char *word = text; word < text + size; word += strlen(word) + 1)
            if (strcmp(word, role) == 0) found = pid;
    }
    fclose(children);
    assert_true(found > 0);
    return found;
}

/* --- life --- */

static inline void rig_open(void)
{
    *&rig = (struct rig){.folder = "/tmp/callout-hostile-XXXXXX"};
    assert_non_null(mkdtemp(rig.folder));
    char data[128];
    snprintf(data, sizeof data, "%s/data", rig.folder);
    snprintf(rig.log, sizeof rig.log, "%s/log", rig.folder);
    const char *const more[] = {"--listen", "tcp://127.0.0.1:0",      "--admin", "127.0.0.1:0",
                                "--clock",  "2026-11-23T06:00:00Z,0", "--http",  "none",
                                NULL};
    struct problem problem = {0};
    signal(SIGPIPE, SIG_IGN);
    if (system_start(&rig.system, data, more, rig.log, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
    rig.port = (uint16_t)strtoul(strrchr(rig.system.gateway, ':') + 1, NULL, 10);
    rig.admin_port = (uint16_t)strtoul(strrchr(rig.system.admin, ':') + 1, NULL, 10);
    rig.gateway = child_of_serve("gateway");
    rig.dispatcher = child_of_serve("dispatcher");
}

static inline void rig_close(void)
{
    assert_true(system_stop(&rig.system));
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", rig.folder);
    assert_int_equal(system(command), 0);
}

#endif
