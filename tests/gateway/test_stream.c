/* Changes as a stream at the HTTP door: cursors, ends, limits, and readers that do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "browser.h"

#include <poll.h>

#include <fcntl.h>

#define KEY "Authorization: Bearer key-1\r\n"

static void send_get(int fd, const char *path, const char *headers)
{
    char text[HEAD_MAX];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path, headers);
    write_all(fd, text);
}

static int open_stream(struct stage *stage, const char *query, const char *headers)
{
    char path[128];
    int fd = visit(stage);
    snprintf(path, sizeof path, "/api/stream%s", query);
    send_get(fd, path, headers);
    return fd;
}

/* What comes, from here on until `part` is in it; NULL: the line ended first. */
static const char *wait_for(struct stage *stage, int fd, const char *part)
{
    size_t got = 0;
    stage->buffer[0] = '\0';
    while (strstr((const char *)stage->buffer, part) == NULL) {
        ssize_t more = read(fd, stage->buffer + got, REPLY_MAX - 1 - got);
        if (more <= 0) return NULL;
        got += (size_t)more;
        stage->buffer[got] = '\0';
    }
    return (const char *)stage->buffer;
}

static void commit(struct stage *stage, const char *what)
{
    char body[80];
    snprintf(body, sizeof body, "{\"workOrder\":{\"workOrderId\":\"%s\"}}", what);
    expect(post(stage, "UpsertWorkOrder", "Authorization: Bearer key-9\r\n", body), "200", "OK");
}

static void what_changes_is_told(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    int fd = open_stream(stage, "?cursor=7-0", KEY);
    const char *head = wait_for(stage, fd, "\n\n");
    expect(head, "200", "Content-Type: text/event-stream\r\n");
    assert_non_null(strstr(head, "event: changes\nid: 7-0\ndata: {"));
    wait_parked(stage, "1");
    commit(stage, "T1");
    const char *event = wait_for(stage, fd, "\n\n");
    assert_non_null(strstr(event, "event: changes\nid: 7-1\ndata: {"));
    assert_non_null(strstr(event, "\"seq\":\"1\""));
    for (unsigned i = 0; i < 3; i++)
        commit(stage, "T1");
    assert_non_null(wait_for(stage, fd, "id: 7-4\n"));
    close(fd);
    fd = open_stream(stage, "?cursor=7-0", KEY "Last-Event-ID: 7-2\r\n"); /* he comes back */
    assert_non_null(wait_for(stage, fd, "id: 7-4\n"));
    close(fd);
    stage_close(stage);
}

static void a_silent_stream_beats(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    int fd = open_stream(stage, "?cursor=7-0&beat=1", KEY);
    assert_non_null(wait_for(stage, fd, "event: changes\n"));
    const char *beat = wait_for(stage, fd, "event: beat\nid: 7-0\ndata: {");
    assert_non_null(beat);
    assert_non_null(strstr(beat, "\"status\":\"OK\""));
    close(fd);
    stage_close(stage);
}

static void a_stream_is_refused_like_any_question(void **state)
{
    static const struct {
        const char *query, *headers, *status, *part;
    } rows[] = {
        {"", KEY, "400", "cursor"},
        {"?cursor=", KEY, "400", "cursor"},
        {"?cursor=7", KEY, "400", "cursor"},
        {"?cursor=7-1x", KEY, "400", "cursor"},
        {"?cursor=-7-1", KEY, "400", "cursor"},
        {"?cursor=99999999999999999999-1", KEY, "400", "cursor"},
        {"?cursor=7-0&beat=0", KEY, "400", "beat"},
        {"?cursor=7-0&beat=61", KEY, "400", "beat"},
        {"?cursor=7-0", "", "401", "UNAUTH"},
        {"?cursor=7-0", "Authorization: Bearer guess\r\n", "401", "UNAUTH"},
        {"?cursor=8-0", KEY, "410", "RESET"},
        {"?cursor=18446744073709551615-0", KEY, "410", "RESET"},
        {"?cursor=18446744073709551616-0", KEY, "400", "cursor"},
    };
    struct stage *stage = stage_open(NULL);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = open_stream(stage, rows[i].query, rows[i].headers);
        expect(read_one(stage, fd), rows[i].status, rows[i].part);
        send_post(fd, "Ping", "", "{}"); /* the connection goes on */
        expect(read_one(stage, fd), "200", "OK");
        close(fd);
    }
    stage_close(stage);
}

static void a_session_has_so_many_streams(void **state)
{
    enum { COUNT = 6 };
    struct stage *stage = stage_open(NULL);
    int fds[COUNT];
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        fds[i] = open_stream(stage, "?cursor=7-0", KEY);
        assert_non_null(wait_for(stage, fds[i], "event: changes\n"));
    }
    int fd = open_stream(stage, "?cursor=7-0", KEY);
    expect(read_one(stage, fd), "429", "RATE");
    close(fd);
    fd = open_stream(stage, "?cursor=7-0", "Authorization: Bearer key-2\r\n");
    assert_non_null(wait_for(stage, fd, "event: changes\n"));
    close(fd);
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    stage_close(stage);
}

static void a_stream_ends_with_its_session(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    int fd = open_stream(stage, "?cursor=7-0", "Authorization: Bearer key-2\r\n");
    wait_parked(stage, "1");
    commit(stage, "end:key-2");
    commit(stage, "T1");
    assert_non_null(wait_for(stage, fd, "event: over\n"));
    close(fd);
    stage_close(stage);
}

/* Who leaves is forgotten, whatever his stream was doing. */
static void readers_may_leave(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        int fd = open_stream(stage, "?cursor=7-0", KEY);
        if (i % 2 == 0) assert_non_null(wait_for(stage, fd, "event: changes\n"));
        if (i % 4 == 0) wait_parked(stage, "1");
        close(fd);
        commit(stage, "T1");
    }
    wait_parked(stage, "0");
    expect(post(stage, "Ping", "", "{}"), "200", "OK");
    stage_close(stage);
}

static void who_does_not_read_is_cut_off(void **state)
{
    struct stage *stage = stage_open(NULL);
    const struct timespec pause = {.tv_nsec = 20000000};
    int small = 4096;
    (void)state;
    int fd = open_stream(stage, "?cursor=7-0", KEY);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (unsigned i = 0; i < 500; i++) {
        if (strstr(admin_get(stage, "/metrics"), "streams_dropped_total 1\n") != NULL) break;
        commit(stage, "big");
        nanosleep(&pause, NULL);
    }
    const char *metrics = admin_get(stage, "/metrics");
    assert_non_null(strstr(metrics, "\ncallout_gateway_http_streams_dropped_total 1\n"));
    assert_non_null(strstr(metrics, "\ncallout_gateway_http_streams 0\n"));
    close(fd);
    stage_close(stage);
}

/* What is sent while a stream runs is not kept for him: he is cut off. */
/* Either way of sending says so, or the line's end is there to be read. */
static bool is_cut(int fd, ssize_t sent)
{
    char told[4096];
    if (sent < 0 && errno != EAGAIN) return true;
    ssize_t got;
    while ((got = recv(fd, told, sizeof told, MSG_DONTWAIT)) > 0)
        continue;
    return got == 0 || errno != EAGAIN;
}

static void who_talks_into_a_stream_is_not_listened_to(void **state)
{
    struct stage *stage = stage_open(NULL);
    char noise[16384];
    size_t taken = 0;
    unsigned commits = 0;
    (void)state;
    memset(noise, 'x', sizeof noise);
    int fd = open_stream(stage, "?cursor=7-0", KEY);
    assert_non_null(wait_for(stage, fd, "event: changes\n"));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    bool cut = false;
    while (!cut && taken < 64 << 20 && commits < FAKE_LOG_MAX) {
        ssize_t more = send(fd, noise, sizeof noise, MSG_NOSIGNAL);
        if (more > 0) taken += (size_t)more;
        cut = is_cut(fd, more);
        /* With each event that it writes, evhttp reads again. */
        struct pollfd room = {.fd = fd, .events = POLLOUT};
        if (more >= 0 || cut || poll(&room, 1, 50) != 0) continue;
        post(stage, "UpsertWorkOrder", KEY, "{\"workOrder\":{\"workOrderId\":\"T1\"}}");
        commits++;
    }
    assert_true(cut);
    close(fd);
    expect(post(stage, "Ping", "", "{}"), "200", "OK");
    stage_close(stage);
}

static void streams_end_when_the_gateway_ends(void **state)
{
    struct stage *stage = stage_open(NULL);
    (void)state;
    int fd = open_stream(stage, "?cursor=7-0", KEY);
    wait_parked(stage, "1");
    stage_end(stage);
    assert_non_null(wait_for(stage, fd, "\r\n0\r\n\r\n"));
    close(fd);
    stage_close(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_is_told),
        cmocka_unit_test(a_silent_stream_beats),
        cmocka_unit_test(a_stream_is_refused_like_any_question),
        cmocka_unit_test(a_session_has_so_many_streams),
        cmocka_unit_test(a_stream_ends_with_its_session),
        cmocka_unit_test(readers_may_leave),
        cmocka_unit_test(who_does_not_read_is_cut_off),
        cmocka_unit_test(who_talks_into_a_stream_is_not_listened_to),
        cmocka_unit_test(streams_end_when_the_gateway_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
