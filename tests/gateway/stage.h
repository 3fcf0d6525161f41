/* stage.h - the gateway as a process, a dispatcher in miniature behind it, and raw clients before
 * it. */
#ifndef CALLOUT_TESTS_GATEWAY_STAGE_H
#define CALLOUT_TESTS_GATEWAY_STAGE_H

#include "gateway/service.h"

#include "base/arena.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/wire.pb-c.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "../proto/raw_sp.h"
#include "fake_dispatcher.h"

enum { REPLY_MAX = 1 << 20 };

/* --- a gateway, a dispatcher, and what a client sees --- */

struct stage {
    char folder[32];
    struct fake fake;
    uint16_t port, tls_port, admin_port, http_port; /* 0: no such door */
    pid_t gateway;
    bool ending; /* it was told to end */
    struct arena arena;
    uint8_t *buffer;
};

/* So that its memory is no leak in the gateway's process; volatile, since nobody reads it. */
static struct stage *volatile the_stage;

/* What the gateway has logged so far. */
static inline const char *log_of(struct stage *stage)
{
    char name[64];
    snprintf(name, sizeof name, "%s/log", stage->folder);
    FILE *file = fopen(name, "r");
    size_t size = file == NULL ? 0 : fread(stage->buffer, 1, REPLY_MAX - 1, file);
    if (file != NULL) fclose(file);
    stage->buffer[size] = '\0';
    return (const char *)stage->buffer;
}

/* `extra` has more words for the command line, between spaces; or is NULL. */
static inline void gateway_child(const struct stage *stage, const char *extra)
{
    char url[80], log[64];
    snprintf(url, sizeof url, "%s", stage->fake.url);
    snprintf(log, sizeof log, "%s/log", stage->folder);
    char role[] = "gateway", d[] = "--dispatcher", l[] = "--listen", a[] = "--admin";
    char h[] = "--http", n[] = "--http-name", name[] = "dispatch.example.org", more[512];
    char listen[] = "tcp://127.0.0.1:0", any[] = "127.0.0.1:0";
    char *argv[32] = {role, d, url, l, listen, a, any, h, any, n, name}, *rest = more;
    int count = 11;
    snprintf(more, sizeof more, "%s", extra == NULL ? "" : extra);
    while (count < 31 && (argv[count] = strtok_r(rest, " ", &rest)) != NULL)
        count++;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails or is killed leaves nobody behind */
    if (freopen(log, "w", stderr) == NULL) _exit(99);
    exit(gateway_main(count, argv));
}

/* A folder; nobody runs yet. */
static inline struct stage *stage_begin(void)
{
    struct stage *stage = calloc(1, sizeof *stage);
    the_stage = stage;
    snprintf(stage->folder, sizeof stage->folder, "/tmp/callout-test-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    snprintf(stage->fake.url, sizeof stage->fake.url, "ipc://%s/d.sock", stage->folder);
    stage->buffer = malloc(REPLY_MAX);
    arena_open(&stage->arena, 64 << 20);
    return stage;
}

static inline uint16_t port_in(const char *log, const char *door)
{
    const char *at = strstr(log, door);
    at = at == NULL ? NULL : strstr(at, "(port ");
    return at == NULL ? 0 : (uint16_t)strtoul(at + 6, NULL, 10);
}

/* The kernel has chosen the ports, and the gateway says which when it listens on all of them. */
static inline void learn_ports(struct stage *stage)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    const char *log = log_of(stage);
    for (unsigned i = 0; i < 10000 && strstr(log, ", dispatcher at ") == NULL; i++) {
        nanosleep(&pause, NULL);
        log = log_of(stage);
    }
    stage->port = port_in(log, "listening on tcp:");
    stage->tls_port = port_in(log, "listening on tls+tcp:");
    stage->http_port = port_in(log, "listening on http");
    stage->admin_port = port_in(log, "admin on ");
    if (stage->port == 0) fail_msg("the gateway does not listen: %s", log);
}

static inline void stage_run(struct stage *stage, const char *extra)
{
    stage->gateway = fork(); /* before the dispatcher's thread starts */
    if (stage->gateway == 0) gateway_child(stage, extra);
    assert_true(fake_start(&stage->fake));
    learn_ports(stage);
}

static inline struct stage *stage_open(const char *extra)
{
    struct stage *stage = stage_begin();
    stage_run(stage, extra);
    return stage;
}

/* Once only: a second TERM kills who is about to end. */
static inline void stage_end(struct stage *stage)
{
    if (!stage->ending) kill(stage->gateway, SIGTERM);
    stage->ending = true;
}

/* TERM ends the gateway, cleanly. */
static inline void stage_close(struct stage *stage)
{
    char command[64];
    int status = -1;
    stage_end(stage);
    assert_int_equal(waitpid(stage->gateway, &status, 0), stage->gateway);
    fake_stop(&stage->fake);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        snprintf(command, sizeof command, "cat %s/log", stage->folder);
        if (system(command) != 0) fail();
        fail_msg("the gateway ended with status %d", status);
    }
    snprintf(command, sizeof command, "rm -r %s", stage->folder);
    assert_int_equal(system(command), 0);
    arena_close(&stage->arena);
    free(stage->buffer);
    free(stage);
}

static inline int client_open(const struct stage *stage)
{
    int fd = raw_connect(stage->port);
    assert_true(raw_greet(fd));
    return fd;
}

static inline char *own(struct stage *stage, const char *text)
{
    return arena_text(&stage->arena, text);
}

static inline Callout__Request *request_of(struct stage *stage, const char *method,
                                           const char *token, const ProtobufCMessage *body)
{
    Callout__Request *request = arena_need(&stage->arena, sizeof *request);
    callout__request__init(request);
    request->proto_major = 1;
    request->request_id = own(stage, "r-1");
    request->method = own(stage, method);
    request->session_token.data = (uint8_t *)own(stage, token);
    request->session_token.len = strlen(token);
    if (body != NULL) request->body = message_encode(body, &stage->arena);
    return request;
}

static inline void send_request(struct stage *stage, int fd, uint32_t id,
                                const Callout__Request *request)
{
    ProtobufCBinaryData bytes = message_encode(&request->base, &stage->arena);
    assert_true(raw_request(fd, id, bytes.data, bytes.len));
}

static inline const Callout__Reply *receive(struct stage *stage, int fd, uint32_t id)
{
    uint32_t got = 0;
    ProtobufCMessage *reply;
    ssize_t size = raw_reply(fd, &got, stage->buffer, REPLY_MAX);
    assert_true(size >= 0);
    assert_int_equal(got, id);
    assert_int_equal(message_decode(&callout__reply__descriptor, stage->buffer, (size_t)size,
                                    &stage->arena, &reply, NULL),
                     ERR_OK);
    return (const Callout__Reply *)reply;
}

static inline const Callout__Reply *call(struct stage *stage, int fd,
                                         const Callout__Request *request)
{
    send_request(stage, fd, 77, request);
    return receive(stage, fd, 77);
}

static inline void expect_error(const Callout__Reply *reply, Callout__Status status,
                                const char *field)
{
    if (reply->status != status) fail_msg("status %d: %s", (int)reply->status, reply->text);
    assert_int_equal(reply->n_errors, 1);
    assert_string_equal(reply->errors[0]->field, field);
}

/* Tells the dispatcher something, by an order with that id. */
static inline const Callout__Reply *tell(struct stage *stage, int fd, const char *what)
{
    Callout__UpsertWorkOrderRequest upsert;
    Callout__WorkOrder order;
    callout__upsert_work_order_request__init(&upsert);
    callout__work_order__init(&order);
    order.work_order_id = own(stage, what);
    upsert.work_order = &order;
    return call(stage, fd, request_of(stage, "UpsertWorkOrder", "key-1", &upsert.base));
}

static inline void send_pull(struct stage *stage, int fd, uint32_t id, const char *token,
                             const char *cursor, uint32_t hold_ms)
{
    Callout__PullRequest pull;
    callout__pull_request__init(&pull);
    pull.cursor.data = (uint8_t *)own(stage, cursor);
    pull.cursor.len = strlen(cursor);
    pull.hold_ms = hold_ms;
    send_request(stage, fd, id, request_of(stage, "Pull", token, &pull.base));
}

static inline const Callout__PullReply *pull_reply(struct stage *stage, const Callout__Reply *reply)
{
    ProtobufCMessage *pull;
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    assert_int_equal(message_decode(&callout__pull_reply__descriptor, reply->body.data,
                                    reply->body.len, &stage->arena, &pull, NULL),
                     ERR_OK);
    return (const Callout__PullReply *)pull;
}

/* The text that the admin address answers to a GET. */
static inline const char *admin_get(struct stage *stage, const char *path)
{
    char ask[64];
    int fd = raw_connect(stage->admin_port);
    int size = snprintf(ask, sizeof ask, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    assert_true(raw_write(fd, ask, (size_t)size));
    size_t got = 0;
    for (ssize_t more; (more = read(fd, stage->buffer + got, REPLY_MAX - 1 - got)) > 0;)
        got += (size_t)more;
    stage->buffer[got] = '\0';
    close(fd);
    return (const char *)stage->buffer;
}

/* Waits until a poll is parked: the metric says so. */
static inline void wait_parked(struct stage *stage, const char *count)
{
    char line[64];
    const struct timespec pause = {.tv_nsec = 5000000};
    snprintf(line, sizeof line, "\ncallout_gateway_polls_parked %s\n", count);
    for (unsigned i = 0; i < 2000; i++) {
        if (strstr(admin_get(stage, "/metrics"), line) != NULL) return;
        nanosleep(&pause, NULL);
    }
    fail_msg("never %s parked", count);
}

#endif
