/* The gateway as a process, between raw clients and a dispatcher in miniature. */
#include "gateway/service.h"

#include "base/arena.h"
#include "base/clock.h"
#include "message.h"
#include "pb/dispatch.pb-c.h"
#include "pb/field.pb-c.h"
#include "pb/wire.pb-c.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "stage.h"

/* --- what is wrong gets a reply that says so --- */

static void answers_garbage_by_name(void **state)
{
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage);
    (void)state;
    assert_true(raw_request(fd, 1, "\xde\xad\xbe\xef garbage", 12));
    expect_error(receive(stage, fd, 1), CALLOUT__STATUS__INVALID, "request");
    assert_true(raw_request(fd, 2, "", 0));
    expect_error(receive(stage, fd, 2), CALLOUT__STATUS__INVALID, "proto_major");
    assert_true(raw_request(fd, 3, "\x3a\x02\xc3\x28", 4));
    expect_error(receive(stage, fd, 3), CALLOUT__STATUS__INVALID, "method");
    const Callout__Reply *reply = call(stage, fd, request_of(stage, "Ping", "", NULL));
    assert_int_equal(reply->status, CALLOUT__STATUS__OK);
    assert_string_equal(reply->request_id, "r-1");
    assert_int_equal(reply->log_epoch, FAKE_EPOCH);
    close(fd);
    stage_close(stage);
}

static void answers_ten_megabytes_with_too_large(void **state)
{
    enum { SIZE = 10 * 1000 * 1000 };
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage);
    uint8_t *body = calloc(1, SIZE);
    (void)state;
    assert_true(raw_request(fd, 1, body, SIZE));
    expect_error(receive(stage, fd, 1), CALLOUT__STATUS__TOO_LARGE, "request");
    assert_int_equal(tell(stage, fd, "T1")->status, CALLOUT__STATUS__OK);
    free(body);
    close(fd);
    stage_close(stage);
}

static void refuses_versions_methods_and_strangers(void **state)
{
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage);
    (void)state;
    Callout__Request *request = request_of(stage, "Ping", "", NULL);
    request->proto_major = 2;
    expect_error(call(stage, fd, request), CALLOUT__STATUS__VERSION, "proto_major");
    expect_error(call(stage, fd, request_of(stage, "Pong", "key-1", NULL)),
                 CALLOUT__STATUS__NOT_FOUND, "method");
    expect_error(call(stage, fd, request_of(stage, "ResolveSession", "key-1", NULL)),
                 CALLOUT__STATUS__NOT_FOUND, "method");
    expect_error(call(stage, fd, request_of(stage, "Forward", "key-1", NULL)),
                 CALLOUT__STATUS__NOT_FOUND, "method");
    expect_error(call(stage, fd, request_of(stage, "Board", "", NULL)), CALLOUT__STATUS__UNAUTH,
                 "session_token");
    expect_error(call(stage, fd, request_of(stage, "Board", "a guess", NULL)),
                 CALLOUT__STATUS__UNAUTH, "session_token");
    request = request_of(stage, "UpsertWorkOrder", "key-1", NULL);
    uint8_t windows[] = {0x0a, 0x04, 0x62, 0x02, 0x0a, 0x01}; /* start_us as text */
    request->body = (ProtobufCBinaryData){sizeof windows, windows};
    expect_error(call(stage, fd, request), CALLOUT__STATUS__INVALID,
                 "work_order.windows[0].start_us");
    request = request_of(stage, "Ping", "", NULL);
    char long_id[100];
    memset(long_id, 'x', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    request->request_id = long_id;
    expect_error(call(stage, fd, request), CALLOUT__STATUS__INVALID, "request_id");
    close(fd);
    stage_close(stage);
}

static void forgets_a_session_as_soon_as_it_ends(void **state)
{
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage);
    (void)state;
    const Callout__Request *board = request_of(stage, "Board", "key-2", NULL);
    assert_int_equal(call(stage, fd, board)->status, CALLOUT__STATUS__OK);
    assert_int_equal(tell(stage, fd, "end:key-2")->status, CALLOUT__STATUS__OK);
    expect_error(call(stage, fd, board), CALLOUT__STATUS__UNAUTH, "session_token");
    close(fd);
    stage_close(stage);
}

static void limits_how_often_a_device_says_hello(void **state)
{
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage);
    Callout__HelloRequest hello;
    (void)state;
    callout__hello_request__init(&hello);
    hello.device_id = own(stage, "d1");
    const Callout__Request *request = request_of(stage, "Hello", "", &hello.base);
    for (unsigned i = 0; i < 12; i++) /* six: each is asked twice */
        assert_int_equal(call(stage, fd, request)->status, CALLOUT__STATUS__OK);
    const Callout__Reply *reply = call(stage, fd, request);
    assert_int_equal(reply->status, CALLOUT__STATUS__RATE);
    assert_in_range(reply->retry_after_ms, 2000, 5000);
    close(fd);
    stage_close(stage);
}

static void has_no_limits_for_its_own_machine_in_the_lab(void **state)
{
    struct stage *stage = stage_open("--lab");
    int fd = client_open(stage);
    Callout__HelloRequest hello;
    (void)state;
    callout__hello_request__init(&hello);
    hello.device_id = own(stage, "d1");
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(call(stage, fd, request_of(stage, "Hello", "", &hello.base))->status,
                         CALLOUT__STATUS__OK);
    close(fd);
    stage_close(stage);
}

/* --- polls --- */

static void wakes_a_parked_poll_by_a_change(void **state)
{
    struct stage *stage = stage_open(NULL);
    int device = client_open(stage), other = client_open(stage), key = client_open(stage);
    (void)state;
    send_pull(stage, device, 1, "device-T1", "0", 20000);
    send_pull(stage, other, 1, "device-T2", "0", 20000);
    wait_parked(stage, "2");
    assert_int_equal(tell(stage, key, "T1")->status, CALLOUT__STATUS__OK);
    const Callout__PullReply *pull = pull_reply(stage, receive(stage, device, 1));
    assert_int_equal(pull->n_left_scope, 1);
    assert_memory_equal(pull->cursor.data, "1", 1);
    wait_parked(stage, "1"); /* the other one sleeps on */
    close(device);
    close(other);
    close(key);
    stage_close(stage);
}

/* The change is committed after the question was read and told before its answer is here. */
static void loses_no_change_between_asking_and_parking(void **state)
{
    struct stage *stage = stage_open(NULL);
    int device = client_open(stage), key = client_open(stage);
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        char cursor[16];
        snprintf(cursor, sizeof cursor, "%u", i);
        tell(stage, key, "race:T1");
        send_pull(stage, device, i, "device-T1", cursor, 20000);
        assert_int_equal(pull_reply(stage, receive(stage, device, i))->n_left_scope, 1);
    }
    close(device);
    close(key);
    stage_close(stage);
}

static void answers_an_older_poll_superseded(void **state)
{
    struct stage *stage = stage_open(NULL);
    int first = client_open(stage), second = client_open(stage), key = client_open(stage);
    (void)state;
    send_pull(stage, first, 1, "device-T1", "0", 20000);
    wait_parked(stage, "1");
    send_pull(stage, second, 2, "device-T1", "0", 20000);
    assert_int_equal(receive(stage, first, 1)->status, CALLOUT__STATUS__SUPERSEDED);
    send_pull(stage, second, 2, "device-T1", "0", 20000); /* nng sends the same request again */
    wait_parked(stage, "1");
    tell(stage, key, "T1");
    assert_int_equal(pull_reply(stage, receive(stage, second, 2))->n_left_scope, 1);
    assert_int_equal(call(stage, second, request_of(stage, "Ping", "", NULL))->status,
                     CALLOUT__STATUS__OK); /* there was but one reply */
    close(first);
    close(second);
    close(key);
    stage_close(stage);
}

static void answers_with_the_cursor_when_the_hold_ends(void **state)
{
    struct stage *stage = stage_open(NULL);
    int device = client_open(stage), key = client_open(stage);
    (void)state;
    tell(stage, key, "T2");
    send_pull(stage, device, 1, "device-T1", "0", 200);
    const Callout__PullReply *pull = pull_reply(stage, receive(stage, device, 1));
    assert_int_equal(pull->n_left_scope, 0);
    assert_memory_equal(pull->cursor.data, "1", 1);
    close(device);
    close(key);
    stage_close(stage);
}

static void feeds_each_connection_of_a_key(void **state)
{
    struct stage *stage = stage_open(NULL);
    int feeds[2] = {client_open(stage), client_open(stage)}, key = client_open(stage);
    Callout__EventFeedRequest feed;
    (void)state;
    callout__event_feed_request__init(&feed);
    feed.hold_ms = 20000;
    for (unsigned i = 0; i < 2; i++)
        send_request(stage, feeds[i], i, request_of(stage, "EventFeed", "key-1", &feed.base));
    wait_parked(stage, "2");
    tell(stage, key, "T9");
    for (unsigned i = 0; i < 2; i++) {
        ProtobufCMessage *message;
        const Callout__Reply *reply = receive(stage, feeds[i], i);
        assert_int_equal(message_decode(&callout__event_feed_reply__descriptor, reply->body.data,
                                        reply->body.len, &stage->arena, &message, NULL),
                         ERR_OK);
        assert_int_equal(((const Callout__EventFeedReply *)message)->n_events, 1);
        close(feeds[i]);
    }
    close(key);
    stage_close(stage);
}

/* --- a dispatcher that is away --- */

static void polls_outlive_a_restart_of_the_dispatcher(void **state)
{
    struct stage *stage = stage_open(NULL);
    int device = client_open(stage);
    (void)state;
    send_pull(stage, device, 1, "device-T1", "0", 20000);
    wait_parked(stage, "1");
    fake_stop(&stage->fake);
    fake_commit(&stage->fake, "T1"); /* in the store, told to nobody */
    assert_true(fake_start(&stage->fake));
    assert_int_equal(pull_reply(stage, receive(stage, device, 1))->n_left_scope, 1);
    close(device);
    stage_close(stage);
}

static void requests_wait_for_a_dispatcher_that_restarts(void **state)
{
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage);
    (void)state;
    assert_int_equal(call(stage, fd, request_of(stage, "Ping", "", NULL))->status,
                     CALLOUT__STATUS__OK);
    fake_stop(&stage->fake);
    send_request(stage, fd, 5, request_of(stage, "Ping", "", NULL));
    assert_true(fake_start(&stage->fake));
    assert_int_equal(receive(stage, fd, 5)->status, CALLOUT__STATUS__OK);
    close(fd);
    stage_close(stage);
}

/* From here on the dispatcher says nothing; returns what is answered to who told it so. */
static const Callout__Reply *let_hang(struct stage *stage, int fd)
{
    Callout__UpsertWorkOrderRequest upsert;
    Callout__WorkOrder order;
    callout__upsert_work_order_request__init(&upsert);
    callout__work_order__init(&order);
    order.work_order_id = own(stage, "hang");
    upsert.work_order = &order;
    Callout__Request *request = request_of(stage, "UpsertWorkOrder", "key-1", &upsert.base);
    request->deadline_ms = 300;
    return call(stage, fd, request);
}

static void says_busy_when_the_dispatcher_hangs(void **state)
{
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage), other = client_open(stage);
    (void)state;
    const Callout__Reply *reply = let_hang(stage, fd);
    assert_int_equal(reply->status, CALLOUT__STATUS__BUSY);
    assert_true(reply->retry_after_ms > 0);
    assert_int_equal(reply->log_epoch, FAKE_EPOCH); /* as of the last answer */
    assert_true(reply->server_time_us >= INT64_C(1790000000000000));
    expect_error(call(stage, other, request_of(stage, "Nothing", "", NULL)),
                 CALLOUT__STATUS__NOT_FOUND, "method"); /* what needs no dispatcher goes on */
    const struct timespec pause = {.tv_nsec = 50000000};
    for (unsigned i = 0; i < 200 && strstr(admin_get(stage, "/healthz"), "503") == NULL; i++)
        nanosleep(&pause, NULL);
    assert_non_null(strstr(admin_get(stage, "/healthz"), "503"));
    close(fd);
    close(other);
    stage_close(stage);
}

static Callout__Request *hello_request(struct stage *stage, unsigned device)
{
    Callout__HelloRequest hello;
    char id[16];
    callout__hello_request__init(&hello);
    snprintf(id, sizeof id, "d%u", device);
    hello.device_id = own(stage, id);
    return request_of(stage, "Hello", "", &hello.base);
}

/* Long before their deadlines: those who wait keep their places. */
static void refuses_arrivals_while_many_wait(void **state)
{
    enum { MANY = 256, TRIES = 100 };
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage), other = client_open(stage);
    const Callout__Reply *reply = NULL;
    bool refused = false;
    (void)state;
    let_hang(stage, fd);
    for (unsigned i = 0; i < MANY; i++)
        send_request(stage, fd, 1000 + i, hello_request(stage, i));
    for (unsigned i = 0; i < TRIES && !refused; i++) {
        Callout__Request *request = hello_request(stage, MANY + i);
        request->deadline_ms = 50; /* let in, it is told so soon */
        reply = call(stage, other, request);
        assert_int_equal(reply->status, CALLOUT__STATUS__BUSY);
        refused = strstr(reply->text, "too many ask at once") != NULL;
    }
    assert_true(refused);
    assert_true(reply->retry_after_ms >= 100);
    close(fd);
    close(other);
    stage_close(stage);
}

/* --- watching, ending, starting --- */

static void tells_its_health_and_its_counts(void **state)
{
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage);
    (void)state;
    assert_int_equal(call(stage, fd, request_of(stage, "Ping", "", NULL))->status,
                     CALLOUT__STATUS__OK);
    const struct timespec pause = {.tv_nsec = 5000000};
    for (unsigned i = 0; i < 1000 && strstr(admin_get(stage, "/healthz"), "200 OK") == NULL; i++)
        nanosleep(&pause, NULL);
    assert_non_null(strstr(admin_get(stage, "/healthz"), "200 OK"));
    const char *text = admin_get(stage, "/metrics");
    assert_non_null(
        strstr(text, "\ncallout_gateway_requests_total{method=\"Ping\",status=\"ok\"} 1\n"));
    assert_non_null(strstr(text, "\ncallout_gateway_dispatcher_up 1\n"));
    assert_non_null(strstr(text, "callout_gateway_forward_seconds_count 1\n"));
    assert_non_null(strstr(admin_get(stage, "/elsewhere"), "404"));
    int post = raw_connect(stage->admin_port);
    assert_true(raw_write(post, "POST /healthz HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 46));
    char status[16] = {0};
    assert_true(raw_read(post, status, 12));
    assert_string_not_equal(status, "HTTP/1.1 200");
    close(post);
    close(fd);
    stage_close(stage);
}

/* A dispatcher that says nothing any more changes nothing about that: the figures only get old. */
static void a_scrape_gets_the_last_figures_and_waits_for_none(void **state)
{
    struct stage *stage = stage_open(NULL);
    int fd = client_open(stage);
    (void)state;
    const struct timespec pause = {.tv_nsec = 5000000};
    const char *text = admin_get(stage, "/metrics");
    assert_null(strstr(text, "callout_kpi_on_time_ratio")); /* nobody has looked before */
    for (unsigned i = 0; i < 2000 && strstr(text, "callout_kpi_age_seconds") == NULL; i++) {
        nanosleep(&pause, NULL);
        text = admin_get(stage, "/metrics");
    }
    assert_non_null(
        strstr(text, "\ncallout_kpi_on_time_ratio{territory=\"no\\\"r\\\\th\"} 0.875\n"));
    assert_null(strstr(text, "callout_kpi_on_time_ratio{territory=\"south\"}"));
    assert_non_null(strstr(text, "\ncallout_kpi_moves{territory=\"south\",kind=\"start\"} 0\n"));
    assert_non_null(strstr(
        text, "\ncallout_kpi_paid_seconds{territory=\"no\\\"r\\\\th\",part=\"travel\"} 90.5\n"));
    assert_non_null(strstr(
        text,
        "\ncallout_kpi_solve_seconds{territory=\"no\\\"r\\\\th\",quantile=\"0.95\"} 0.0125\n"));
    assert_non_null(strstr(text, "\ncallout_kpi_service_day{territory=\"south\"} 20780\n"));
    assert_int_equal(let_hang(stage, fd)->status, CALLOUT__STATUS__BUSY);
    for (unsigned i = 0; i < 200; i++) { /* long enough for the next question to go out */
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        assert_non_null(strstr(admin_get(stage, "/metrics"), "\ncallout_kpi_age_seconds "));
    }
    close(fd);
    stage_close(stage);
}

static void answers_parked_polls_before_it_ends(void **state)
{
    struct stage *stage = stage_open(NULL);
    int device = client_open(stage);
    (void)state;
    send_pull(stage, device, 1, "device-T1", "0", 20000);
    wait_parked(stage, "1");
    stage_end(stage);
    assert_int_equal(receive(stage, device, 1)->status, CALLOUT__STATUS__RETRY);
    close(device);
    stage_close(stage);
}

static int run_gateway(char *argument, char *value)
{
    char role[] = "gateway", d[] = "--dispatcher", url[] = "ipc:///tmp/callout-none.sock";
    char *argv[] = {role, d, url, argument, value, NULL};
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL) _exit(99);
        exit(gateway_main(value == NULL ? 4 : 5, argv));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void refuses_to_start_in_the_open(void **state)
{
    char listen[] = "--listen", open_to_all[] = "tcp://0.0.0.0:0", wrong[] = "tcp://nowhere";
    char tls[] = "tls+tcp://127.0.0.1:0", unknown[] = "--unknown";
    char http[] = "--http", everybody[] = "0.0.0.0:0", https[] = "https://127.0.0.1:0";
    char nowhere[] = "localhost";
    (void)state;
    assert_int_equal(run_gateway(listen, open_to_all), 5);
    assert_int_equal(run_gateway(listen, wrong), 5);
    assert_int_equal(run_gateway(listen, tls), 5); /* without a certificate */
    assert_int_equal(run_gateway(http, everybody), 5);
    assert_int_equal(run_gateway(http, https), 5); /* without a certificate */
    assert_int_equal(run_gateway(http, nowhere), 5);
    assert_int_equal(run_gateway(unknown, NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_garbage_by_name),
        cmocka_unit_test(answers_ten_megabytes_with_too_large),
        cmocka_unit_test(refuses_versions_methods_and_strangers),
        cmocka_unit_test(forgets_a_session_as_soon_as_it_ends),
        cmocka_unit_test(limits_how_often_a_device_says_hello),
        cmocka_unit_test(has_no_limits_for_its_own_machine_in_the_lab),
        cmocka_unit_test(wakes_a_parked_poll_by_a_change),
        cmocka_unit_test(loses_no_change_between_asking_and_parking),
        cmocka_unit_test(answers_an_older_poll_superseded),
        cmocka_unit_test(answers_with_the_cursor_when_the_hold_ends),
        cmocka_unit_test(feeds_each_connection_of_a_key),
        cmocka_unit_test(polls_outlive_a_restart_of_the_dispatcher),
        cmocka_unit_test(requests_wait_for_a_dispatcher_that_restarts),
        cmocka_unit_test(says_busy_when_the_dispatcher_hangs),
        cmocka_unit_test(refuses_arrivals_while_many_wait),
        cmocka_unit_test(tells_its_health_and_its_counts),
        cmocka_unit_test(a_scrape_gets_the_last_figures_and_waits_for_none),
        cmocka_unit_test(answers_parked_polls_before_it_ends),
        cmocka_unit_test(refuses_to_start_in_the_open),
    };
    return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
