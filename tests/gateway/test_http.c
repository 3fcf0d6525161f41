/* The gateway's HTTP door: the same operations in JSON, and what strangers try on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "browser.h"

#include "base/clock.h"
#include "base/limits.h"

#include <jansson.h>
#include <zlib.h>

#define KEY "Authorization: Bearer key-1\r\n"

/* --- operations --- */

static void an_operation_is_asked_for_in_json(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    const char *answer = post(stage, "Ping", "", "");
    expect(answer, "200", "\"status\":\"OK\"");
    expect(answer, "200", "\"body\":{}");
    expect(answer, "200", "Content-Type: application/json");
    answer = post(stage, "UpsertWorkOrder", KEY "Idempotency-Key: W1-3\r\n",
                  "{\"workOrder\":{\"workOrderId\":\"T1\",\"priority\":5}}");
    expect(answer, "200", "\"requestId\":\"W1-3\"");
    expect(answer, "200", "\"body\":{\"logSeq\":\"1\"}");
    stage_close(stage);
}

/* The same text in a tenth of the bytes, for whoever takes it; what is short stays as it is. */
static void a_long_answer_is_packed(void **state)
{
    static char plain[REPLY_MAX], unpacked[REPLY_MAX];
    static const char after_nothing[] = "{\"afterSeq\":\"0\"}";
    struct stage *stage = stage_open(NULL);
    (void)state;
    post(stage, "UpsertWorkOrder", KEY, "{\"workOrder\":{\"workOrderId\":\"big\"}}");
    const char *answer = post(stage, "EventFeed", KEY, after_nothing);
    assert_null(strstr(answer, "Content-Encoding"));
    size_t size = strtoul(strstr(answer, "Content-Length: ") + 16, NULL, 10);
    memcpy(plain, strstr(answer, "\r\n\r\n") + 4, size);
    answer = post(stage, "EventFeed", KEY "Accept-Encoding: gzip\r\n", after_nothing);
    expect(answer, "200", "Content-Encoding: gzip");
    expect(answer, "200", "Vary: Accept-Encoding");
    size_t packed = strtoul(strstr(answer, "Content-Length: ") + 16, NULL, 10);
    assert_true(packed * 10 < size);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)(strstr(answer, "\r\n\r\n") + 4),
                       .avail_in = (uInt)packed,
                       .next_out = (Bytef *)unpacked,
                       .avail_out = sizeof unpacked};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, size);
    assert_memory_equal(unpacked, plain, size);
    inflateEnd(&stream);
    answer = post(stage, "Ping", "Accept-Encoding: gzip\r\n", "");
    assert_null(strstr(answer, "Content-Encoding"));
    stage_close(stage);
}

static void an_operation_is_asked_for_in_protobuf(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    const char *answer = raw_ask(stage, "POST /api/UpsertWorkOrder HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                        "Content-Type: application/x-protobuf\r\n" KEY
                                        "Content-Length: 6\r\n\r\n\x0a\x04\x0a\x02T1");
    expect(answer, "200", "Content-Type: application/x-protobuf");
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    ProtobufCMessage *message;
    size_t size = strtoul(strstr(answer, "Content-Length: ") + 16, NULL, 10);
    assert_int_equal(
        message_decode(&callout__reply__descriptor, body, size, &stage->arena, &message, NULL),
        ERR_OK);
    assert_int_equal(((const Callout__Reply *)message)->status, CALLOUT__STATUS__OK);
    assert_int_equal(((const Callout__Reply *)message)->log_epoch, FAKE_EPOCH);
    stage_close(stage);
}

static void what_is_wrong_with_a_request_is_named(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    expect(post(stage, "UpsertWorkOrder", KEY, "{\"workOrder\":{\"windows\":[{\"endUs\":\"x\"}]}}"),
           "400", "\"field\":\"work_order.windows[0].end_us\"");
    expect(post(stage, "UpsertWorkOrder", KEY, "{\"workOrder\":{\"colour\":1}}"), "400",
           "\"field\":\"colour\"");
    expect(post(stage, "UpsertWorkOrder", KEY, "{"), "400", "\"field\":\"line 1, column 1\"");
    expect(post(stage, "Board", "", "{}"), "401", "\"status\":\"UNAUTH\"");
    expect(post(stage, "Board", "Authorization: Bearer guess\r\n", "{}"), "401", "session_token");
    expect(post(stage, "Board", "Authorization: Basic a2V5LTE=\r\n", "{}"), "401", "UNAUTH");
    expect(post(stage, "Nothing", KEY, "{}"), "404", "\"status\":\"NOT_FOUND\"");
    expect(post(stage, "Forward", KEY, "{}"), "404", "\"status\":\"NOT_FOUND\"");
    expect(post(stage, "Ping?x=1", KEY, "{}"), "404", "NOT_FOUND");
    expect(post(stage, "../api/Ping", KEY, "{}"), "404", "NOT_FOUND");
    expect(post(stage, "%50ing", KEY, "{}"), "404", "NOT_FOUND");
    expect(post(stage, "Ping%00", KEY, "{}"), "404", "NOT_FOUND");
    stage_close(stage);
}

static void a_poll_is_held_and_woken(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    int fd = visit(stage);
    send_post(fd, "EventFeed", KEY, "{\"holdMs\":20000}");
    wait_parked(stage, "1");
    expect(post(stage, "UpsertWorkOrder", KEY, "{\"workOrder\":{\"workOrderId\":\"T1\"}}"), "200",
           "\"logSeq\":\"1\"");
    expect(read_one(stage, fd), "200", "\"nextAfterSeq\":\"1\"");
    send_post(fd, "Ping", "", "{}"); /* the connection goes on */
    expect(read_one(stage, fd), "200", "\"body\":{}");
    close(fd);
    stage_close(stage);
}

/* Who leaves while his poll is held is nobody's loss. */
static void one_who_leaves_is_forgotten(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        char feed[64];
        int fd = visit(stage);
        snprintf(feed, sizeof feed, "{\"afterSeq\":%u,\"holdMs\":20000}", i);
        send_post(fd, "EventFeed", KEY, feed);
        if (i % 2 == 0) wait_parked(stage, "1");
        close(fd);
        post(stage, "UpsertWorkOrder", KEY, "{\"workOrder\":{\"workOrderId\":\"T1\"}}");
        wait_parked(stage, "0");
    }
    expect(post(stage, "Ping", "", "{}"), "200", "OK");
    stage_close(stage);
}

/* --- what there is --- */

/* Every reference leads somewhere, and what is referred to is counted. */
static unsigned follow_references(const json_t *json, const json_t *schemas)
{
    static const char prefix[] = "#/components/schemas/";
    unsigned count = 0;
    const char *name;
    json_t *value;
    size_t i;
    json_array_foreach(json, i, value) count += follow_references(value, schemas);
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        count += follow_references(value, schemas);
        if (strcmp(name, "$ref") != 0) continue;
        const char *to = json_string_value(value);
        assert_memory_equal(to, prefix, sizeof prefix - 1);
        assert_non_null(json_object_get(schemas, to + sizeof prefix - 1));
        count++;
    }
    return count;
}

static void what_there_is_can_be_read(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    const char *answer =
        raw_ask(stage, "GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(answer, "200", "application/json");
    json_t *all = json_loads(strstr(answer, "\r\n\r\n") + 4, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(all);
    const json_t *paths = json_object_get(all, "paths");
    const json_t *schemas = json_object_get(json_object_get(all, "components"), "schemas");
    for (unsigned i = 0; i < callout__dispatch__descriptor.n_methods; i++) {
        char path[80];
        snprintf(path, sizeof path, "/api/%s", callout__dispatch__descriptor.methods[i].name);
        assert_non_null(json_object_get(json_object_get(paths, path), "post"));
    }
    assert_non_null(json_object_get(paths, "/api/Pull"));
    assert_null(json_object_get(paths, "/api/Forward"));
    const json_t *order = json_object_get(json_object_get(schemas, "WorkOrder"), "properties");
    assert_non_null(json_object_get(order, "serviceSeconds"));
    assert_true(follow_references(all, schemas) > 100);
    json_decref(all);
    stage_close(stage);
}

/* --- strangers --- */

#define LENGTH_AND_CHUNKS                                                                          \
    "Host: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"                   \
    "2\r\n{}\r\n0\r\n\r\n"

static void a_request_that_may_be_read_in_two_ways_is_refused(void **state)
{
    static const char *const heads[] = {
        "Host: localhost\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}",
        "Host: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        LENGTH_AND_CHUNKS,
        "Content-Length: 2\r\n\r\n{}",
        "Host: localhost\r\nContent-Length: -1\r\n\r\n{}",
    };
    struct stage *stage = stage_open(NULL);
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char text[HEAD_MAX];
        snprintf(text, sizeof text,
                 "POST /api/Ping HTTP/1.1\r\nContent-Type: application/json\r\n%s", heads[i]);
        expect(raw_ask(stage, text), "400", "");
    }
    expect(post(stage, "Ping", "", "{}"), "200", "OK");
    stage_close(stage);
}

/* A page of a stranger whose name was pointed at this machine must not reach it. */
static void only_names_of_this_server_are_answered(void **state)
{
    static const struct {
        const char *host, *status;
    } rows[] = {
        {"localhost", "200"},
        {"127.0.0.1:7380", "200"},
        {"[::1]:7380", "200"},
        {"dispatch.example.org", "200"},
        {"Dispatch.Example.org:443", "200"},
        {"evil.example", "421"},
        {"localhost.evil.example", "421"},
        {"127.0.0.1.evil.example", "421"},
        {"dispatch.example.org:x", "421"},
        {"", "421"},
        {"[evil.example]", "421"},
    };
    struct stage *stage = stage_open(NULL);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[HEAD_MAX];
        snprintf(text, sizeof text,
                 "POST /api/Ping HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                 "Content-Length: 2\r\n\r\n{}",
                 rows[i].host);
        expect(raw_ask(stage, text), rows[i].status, "");
    }
    expect(raw_ask(stage, "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n"), "421",
           "Host");
    stage_close(stage);
}

static void what_is_too_large_is_refused(void **state)
{
    enum { SIZE = 2 << 20 };
    struct stage *stage = stage_open(NULL);
    (void)state;
    char *body = malloc(SIZE + 1);
    memset(body, ' ', SIZE);
    body[SIZE] = '\0';
    char head[HEAD_MAX];
    snprintf(head, sizeof head,
             "POST /api/Ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             "Content-Length: %d\r\n\r\n",
             SIZE);
    expect(raw_ask(stage, head), "413", "");
    memset(body, '[', 100000);
    body[100000] = '\0';
    expect(post(stage, "Ping", "", body), "413", "TOO_LARGE");
    int fd = visit(stage);
    write_all(fd, "POST /api/Ping HTTP/1.1\r\nHost: localhost\r\nX: ");
    memset(body, 'x', 64 * 1024);
    body[64 * 1024] = '\0';
    (void)!raw_write(fd, body, 64 * 1024);
    assert_null(strstr(read_all(stage, fd), "200 OK"));
    close(fd);
    expect(post(stage, "Ping", "", "{}"), "200", "OK");
    free(body);
    stage_close(stage);
}

static void nothing_is_told_of_what_we_run_on(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    const char *answer = raw_ask(stage, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(answer, "404", "NOT_FOUND");
    assert_null(strstr(answer, "Server:"));
    expect(answer, "404", "Content-Security-Policy: default-src 'none'");
    expect(answer, "404", "X-Content-Type-Options: nosniff");
    stage_close(stage);
}

/* A byte now and then keeps nobody's request open: what he sends so slowly is cut off, while those
 * who wait for an answer are left alone. */
static void a_request_that_drips_in_is_cut_off(void **state)
{
    struct stage *stage = stage_open(NULL);
    const struct timespec pause = {.tv_nsec = 200000000};
    (void)state;
    int drip = visit(stage), held = visit(stage), silent = visit(stage);
    int watch = raw_connect(stage->admin_port);
    bool watching = true;
    write_all(watch, "GET /metrics HTTP/1.1\r\nX-Slow: ");
    send_post(held, "EventFeed", KEY, "{\"holdMs\":25000}");
    write_all(drip, "POST /api/Ping HTTP/1.1\r\nX-Slow: ");
    int64_t begin_us = clock_mono_us();
    while ((raw_write(drip, "x", 1) || watching) &&
           clock_mono_us() - begin_us < 60 * US_PER_SECOND) {
        watching = watching && raw_write(watch, "x", 1);
        nanosleep(&pause, NULL);
    }
    assert_false(watching);
    close(watch);
    assert_true(clock_mono_us() - begin_us >= LIMIT_FRAME_MS * INT64_C(900));
    assert_string_equal(read_all(stage, silent), "");
    wait_parked(stage, "1");
    post(stage, "UpsertWorkOrder", KEY, "{\"workOrder\":{\"workOrderId\":\"T1\"}}");
    expect(read_one(stage, held), "200", "\"nextAfterSeq\":\"1\"");
    close(drip);
    close(held);
    close(silent);
    stage_close(stage);
}

/* Each address has so many connections; who is beyond is closed, and the others are served. */
static void one_address_has_so_many_connections(void **state)
{
    enum { COUNT = LIMIT_CONNECTIONS_PER_IP + 8 };
    struct stage *stage = stage_open(NULL);
    int fds[COUNT], closed = 0;
    (void)state;
    close(visit(stage));
    for (int i = 0; i < COUNT; i++)
        fds[i] = visit(stage);
    for (int i = COUNT - 1; i >= 0 && closed < 4; i--) {
        char byte;
        closed += read(fds[i], &byte, 1) == 0;
    }
    assert_int_equal(closed, 4);
    send_post(fds[0], "Ping", "", "{}");
    expect(read_one(stage, fds[0]), "200", "OK");
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    stage_close(stage);
}

static void who_waits_is_answered_when_the_gateway_ends(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    int fd = visit(stage);
    send_post(fd, "EventFeed", KEY, "{\"holdMs\":20000}");
    wait_parked(stage, "1");
    stage_end(stage);
    expect(read_one(stage, fd), "503", "\"status\":\"RETRY\"");
    close(fd);
    stage_close(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_is_asked_for_in_json),
        cmocka_unit_test(a_long_answer_is_packed),
        cmocka_unit_test(an_operation_is_asked_for_in_protobuf),
        cmocka_unit_test(what_is_wrong_with_a_request_is_named),
        cmocka_unit_test(a_poll_is_held_and_woken),
        cmocka_unit_test(one_who_leaves_is_forgotten),
        cmocka_unit_test(what_there_is_can_be_read),
        cmocka_unit_test(a_request_that_may_be_read_in_two_ways_is_refused),
        cmocka_unit_test(only_names_of_this_server_are_answered),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(nothing_is_told_of_what_we_run_on),
        cmocka_unit_test(a_request_that_drips_in_is_cut_off),
        cmocka_unit_test(one_address_has_so_many_connections),
        cmocka_unit_test(who_waits_is_answered_when_the_gateway_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
