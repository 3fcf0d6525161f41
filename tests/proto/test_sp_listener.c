/* The listener against peers that break every rule, and against stock nng. */
#include "sp_listener.h"

#include "base/limits.h"

#include <errno.h>
#include <event2/event.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "raw_sp.h"

enum { HELD_MAX = 1024, BIG_REPLY = 256 * 1024 };

/* --- a server in a thread: echoes; "hold" waits for "release"; "big" gets a big reply
 * ---------------- */

struct server {
    struct event_base *base;
    struct sp_listener *listener;
    struct event *stop;
    pthread_t thread;
    int stop_pipe[2];
    struct sp_ticket held[HELD_MAX];
    unsigned held_count;
    struct sp_counters counters; /* as they were at the end */
};

static void on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes, size_t size)
{
    struct server *server = context;
    static uint8_t big[BIG_REPLY];
    if (size == 4 && memcmp(bytes, "hold", 4) == 0) {
        assert_true(server->held_count < HELD_MAX);
        server->held[server->held_count++] = ticket;
        return;
    }
    if (size == 7 && memcmp(bytes, "release", 7) == 0)
        while (server->held_count > 0) /* the last first */
            sp_reply(server->listener, server->held[--server->held_count], "held", 4);
    if (size == 3 && memcmp(bytes, "big", 3) == 0)
        sp_reply(server->listener, ticket, big, sizeof big);
    else
        sp_reply(server->listener, ticket, bytes, size);
}

static void on_oversize(void *context, struct sp_ticket ticket, uint64_t size)
{
    struct server *server = context;
    char text[64];
    int length = snprintf(text, sizeof text, "too large: %llu", (unsigned long long)size);
    sp_reply(server->listener, ticket, text, (size_t)length);
}

static void on_stop(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(context);
}

static void *server_run(void *context)
{
    struct server *server = context;
    event_base_dispatch(server->base);
    return NULL;
}

/* Listens, but accepts nobody before server_run_now. */
static void server_prepare(struct server *server, struct sp_listener_options options)
{
    struct problem problem = {{0}, {0}};
    *server = (struct server){.base = event_base_new()};
    options.on_request = on_request;
    options.on_oversize = on_oversize;
    options.context = server;
    if (sp_listener_open(&server->listener, server->base, &options, &problem) != ERR_OK)
        fail_msg("%s", problem.text);
    assert_int_equal(pipe(server->stop_pipe), 0);
    server->stop = event_new(server->base, server->stop_pipe[0], EV_READ, on_stop, server->base);
    event_add(server->stop, NULL);
}

static void server_run_now(struct server *server)
{
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_start_with(struct server *server, struct sp_listener_options options)
{
    server_prepare(server, options);
    server_run_now(server);
}

static void server_start(struct server *server)
{
    server_start_with(server, (struct sp_listener_options){.url = "tcp://127.0.0.1:0",
                                                           .unlimited_per_address = true});
}

static void server_stop(struct server *server)
{
    assert_int_equal(write(server->stop_pipe[1], "x", 1), 1);
    pthread_join(server->thread, NULL);
    server->counters = *sp_listener_counters(server->listener);
    sp_listener_close(server->listener);
    event_free(server->stop);
    event_base_free(server->base);
    close(server->stop_pipe[0]);
    close(server->stop_pipe[1]);
}

static int connect_greeted(const struct server *server)
{
    int fd = raw_connect(sp_listener_port(server->listener));
    assert_true(fd >= 0 && raw_greet(fd));
    return fd;
}

static void expect_reply(int fd, uint32_t id, const char *text)
{
    uint32_t got_id = 0;
    char body[256];
    ssize_t size = raw_reply(fd, &got_id, body, sizeof body);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(body, text, strlen(text));
    assert_int_equal(got_id, id);
}

/* What every attack is followed by: the next honest client is served. */
static void expect_service(const struct server *server)
{
    int fd = connect_greeted(server);
    assert_true(raw_request(fd, 7, "hello", 5));
    expect_reply(fd, 7, "hello");
    close(fd);
}

/* --- stock nng
 * -------------------------------------------------------------------------------------- */

static void nng_echo(const char *url, const char *ca_file)
{
    nng_socket socket;
    nng_dialer dialer;
    assert_int_equal(nng_req0_open(&socket), 0);
    assert_int_equal(nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, 10000), 0);
    assert_int_equal(nng_dialer_create(&dialer, socket, url), 0);
    if (ca_file != NULL)
        assert_int_equal(nng_dialer_set_string(dialer, NNG_OPT_TLS_CA_FILE, ca_file), 0);
    assert_int_equal(nng_dialer_start(dialer, 0), 0);
    for (size_t size = 0; size < LIMIT_MESSAGE; size = size * 5 + 3) {
        uint8_t *sent = malloc(size + 1);
        void *got;
        size_t got_size;
        memset(sent, (int)size, size);
        assert_int_equal(nng_send(socket, sent, size, 0), 0);
        assert_int_equal(nng_recv(socket, &got, &got_size, NNG_FLAG_ALLOC), 0);
        assert_int_equal(got_size, size);
        assert_memory_equal(got, sent, size);
        nng_free(got, got_size);
        free(sent);
    }
    nng_close(socket);
}

static void serves_nng_over_tcp(void **state)
{
    struct server server;
    char url[64];
    (void)state;
    server_start(&server);
    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", sp_listener_port(server.listener));
    nng_echo(url, NULL);
    server_stop(&server);
}

static void serves_nng_over_a_unix_socket(void **state)
{
    struct server server;
    char folder[] = "/tmp/callout-test-XXXXXX", path[64], url[80];
    struct stat status;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/sp.sock", folder);
    snprintf(url, sizeof url, "ipc://%s", path);
    server_start_with(&server, (struct sp_listener_options){.url = url, .trusted = true});
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    nng_echo(url, NULL);
    server_stop(&server);
    assert_int_not_equal(stat(path, &status), 0);
    rmdir(folder);
}

static void serves_nng_over_tls(void **state)
{
    struct server server;
    char folder[] = "/tmp/callout-test-XXXXXX", command[512], key[64], certificate[64], url[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(key, sizeof key, "%s/key.pem", folder);
    snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
             "-subj /CN=127.0.0.1 -keyout %s -out %s 2>/dev/null",
             key, certificate);
    assert_int_equal(system(command), 0);
    server_start_with(&server, (struct sp_listener_options){.url = "tls+tcp://127.0.0.1:0",
                                                            .certificate_file = certificate,
                                                            .key_file = key});
    snprintf(url, sizeof url, "tls+tcp://127.0.0.1:%u", sp_listener_port(server.listener));
    nng_echo(url, certificate);
    int fd = raw_connect(sp_listener_port(server.listener));
    assert_true(raw_write(fd, raw_greeting, sizeof raw_greeting)); /* no TLS: not for us */
    assert_true(raw_is_closed(fd));
    close(fd);
    server_stop(&server);
    assert_int_equal(server.counters.tls_failed, 1);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* --- broken framing
 * --------------------------------------------------------------------------------- */

static void closes_on_a_wrong_greeting(void **state)
{
    static const char *const wrong[] = {"GET / HTTP/1.1\r\n\r\n", "\0SP\0\0\x31\0\0",
                                        "\0SP\1\0\x30\0\0"};
    struct server server;
    (void)state;
    server_start(&server);
    for (unsigned i = 0; i < 3; i++) {
        int fd = raw_connect(sp_listener_port(server.listener));
        assert_true(raw_write(fd, wrong[i], 8));
        assert_true(raw_is_closed(fd));
        close(fd);
    }
    expect_service(&server);
    server_stop(&server);
    assert_int_equal(server.counters.refused_greeting, 3);
}

static void closes_on_broken_frames(void **state)
{
    static const uint8_t too_short[8] = {0, 0, 0, 0, 0, 0, 0, 3};
    static const uint8_t no_id[12] = {0, 0, 0, 0, 0, 0, 0, 4, 0x7f, 1, 2, 3};
    static const uint8_t tebibyte[8] = {0, 0, 1, 0, 0, 0, 0, 0};
    const struct {
        const uint8_t *bytes;
        size_t size;
    } rows[] = {{too_short, 8}, {no_id, 12}, {tebibyte, 8}};
    struct server server;
    (void)state;
    server_start(&server);
    for (unsigned i = 0; i < 3; i++) {
        int fd = connect_greeted(&server);
        assert_true(raw_write(fd, rows[i].bytes, rows[i].size));
        assert_true(raw_is_closed(fd));
        close(fd);
    }
    expect_service(&server);
    server_stop(&server);
    assert_int_equal(server.counters.refused_frame, 2);
    assert_int_equal(server.counters.refused_size, 1);
    assert_int_equal(server.counters.timed_out, 0); /* at once, not when the deadline came */
}

static void answers_ten_megabytes_without_storing_them(void **state)
{
    enum { SIZE = 10 * 1000 * 1000 };
    struct server server;
    (void)state;
    server_start(&server);
    int fd = connect_greeted(&server);
    uint8_t *body = calloc(1, SIZE);
    assert_true(raw_request(fd, 5, body, SIZE));
    expect_reply(fd, 5, "too large: 10000000");
    assert_true(raw_request(fd, 6, "next", 4)); /* the connection lives on */
    expect_reply(fd, 6, "next");
    free(body);
    close(fd);
    server_stop(&server);
}

static void closes_the_silent_and_the_stalled(void **state)
{
    enum { COUNT = 50 };
    struct server server;
    int silent[COUNT], stalled[COUNT];
    uint8_t head[12];
    (void)state;
    server_start_with(&server, (struct sp_listener_options){.url = "tcp://127.0.0.1:0",
                                                            .unlimited_per_address = true,
                                                            .deadline_ms = 1500});
    int resting = connect_greeted(&server); /* between messages there is no deadline */
    raw_head(head, 1, 100000);
    for (unsigned i = 0; i < COUNT; i++) {
        silent[i] = raw_connect(sp_listener_port(server.listener));
        stalled[i] = connect_greeted(&server);
        assert_true(raw_write(stalled[i], head, sizeof head));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(raw_is_closed(silent[i]));
        assert_true(raw_is_closed(stalled[i]));
        close(silent[i]);
        close(stalled[i]);
    }
    assert_true(raw_request(resting, 9, "awake", 5));
    expect_reply(resting, 9, "awake");
    close(resting);
    server_stop(&server);
    assert_int_equal(server.counters.timed_out, 2 * COUNT);
}

static void reads_frames_that_come_byte_by_byte(void **state)
{
    struct server server;
    uint8_t bytes[8 + 12 + 5];
    (void)state;
    memcpy(bytes, raw_greeting, 8);
    raw_head(bytes + 8, 3, 5);
    memcpy(bytes + 20, "drops", 5);
    server_start(&server);
    int fd = raw_connect(sp_listener_port(server.listener));
    for (unsigned i = 0; i < sizeof bytes; i++)
        assert_true(raw_write(fd, &bytes[i], 1));
    uint8_t theirs[8];
    assert_true(raw_read(fd, theirs, sizeof theirs));
    expect_reply(fd, 3, "drops");
    close(fd);
    server_stop(&server);
}

/* --- connections that go away
 * ------------------------------------------------------------------------ */

static void reset_connection(int fd)
{
    const struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static void survives_400_half_closed_and_reset_connections(void **state)
{
    struct server server;
    (void)state;
    server_start(&server);
    for (unsigned i = 0; i < 400; i++) {
        int fd = raw_connect(sp_listener_port(server.listener));
        assert_true(fd >= 0);
        if (i % 4 == 1) raw_write(fd, raw_greeting, 5);
        if (i % 4 == 2) raw_write(fd, raw_greeting, 8);
        shutdown(fd, SHUT_WR);
        if (i % 4 == 3)
            close(fd);
        else
            reset_connection(fd);
    }
    expect_service(&server);
    server_stop(&server);
    assert_int_equal(server.counters.open, server.counters.accepted - server.counters.closed);
}

static void answers_held_requests_out_of_order(void **state)
{
    struct server server;
    (void)state;
    server_start(&server);
    int fd = connect_greeted(&server);
    assert_true(raw_request(fd, 1, "hold", 4));
    assert_true(raw_request(fd, 2, "hold", 4));
    assert_true(raw_request(fd, 3, "now", 3));
    expect_reply(fd, 3, "now");
    assert_true(raw_request(fd, 4, "release", 7));
    expect_reply(fd, 2, "held");
    expect_reply(fd, 1, "held");
    expect_reply(fd, 4, "release");
    close(fd);
    server_stop(&server);
}

static void forgets_all_who_left_while_their_requests_were_held(void **state)
{
    enum { COUNT = 500 };
    struct server server;
    int peers[COUNT];
    (void)state;
    server_start(&server);
    for (unsigned i = 0; i < COUNT; i++) {
        peers[i] = connect_greeted(&server);
        assert_true(raw_request(peers[i], i, "hold", 4));
        assert_true(raw_request(peers[i], i + 1000, "here", 4));
        expect_reply(peers[i], i + 1000, "here"); /* so the first is held by now */
    }
    for (unsigned i = 0; i < COUNT; i++)
        reset_connection(peers[i]);
    for (unsigned i = 0; i < 10; i++)
        expect_service(&server); /* new holders of the old slots */
    int fd = connect_greeted(&server);
    assert_true(raw_request(fd, 1, "release", 7));
    expect_reply(fd, 1, "release"); /* and nobody else's reply */
    close(fd);
    server_stop(&server);
    assert_int_equal(server.counters.dropped_replies, COUNT);
}

static void closes_a_reader_that_never_reads(void **state)
{
    struct server server;
    int small = 4096;
    (void)state;
    server_start(&server);
    int fd = connect_greeted(&server);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    bool open = true;
    for (unsigned i = 0; i < 400 && open; i++)
        open = raw_request(fd, i, "big", 3);
    expect_service(&server);
    close(fd);
    server_stop(&server);
    assert_true(server.counters.refused_limit >= 1);
}

/* --- limits
 * ------------------------------------------------------------------------------------------- */

static void limits_connections_of_one_address(void **state)
{
    struct server server;
    int peers[LIMIT_CONNECTIONS_PER_IP];
    (void)state;
    server_start_with(&server, (struct sp_listener_options){.url = "tcp://127.0.0.1:0"});
    for (unsigned i = 0; i < LIMIT_CONNECTIONS_PER_IP; i++)
        peers[i] = connect_greeted(&server);
    int fd = raw_connect(sp_listener_port(server.listener));
    assert_true(raw_is_closed(fd));
    close(fd);
    close(peers[0]);
    assert_true(raw_request(peers[1], 1, "alive", 5));
    expect_reply(peers[1], 1, "alive"); /* by now the close of the first was seen, too */
    expect_service(&server);
    for (unsigned i = 1; i < LIMIT_CONNECTIONS_PER_IP; i++)
        close(peers[i]);
    server_stop(&server);
    assert_int_equal(server.counters.refused_limit, 1);
}

/* While the listener was busy elsewhere, more than the limit came, said nothing or half a greeting,
 * and went; the honest one behind them finds room. */
static void makes_room_for_the_one_behind_the_broken(void **state)
{
    struct server server;
    (void)state;
    server_prepare(&server, (struct sp_listener_options){.url = "tcp://127.0.0.1:0"});
    for (unsigned i = 0; i < LIMIT_CONNECTIONS_PER_IP + LIMIT_CONNECTIONS_PER_IP / 2; i++) {
        int fd = raw_connect(sp_listener_port(server.listener));
        assert_int_equal(write(fd, "\0SP\0", 4 * (i % 2)), 4 * (i % 2));
        close(fd);
    }
    int honest = raw_connect(sp_listener_port(server.listener));
    server_run_now(&server);
    assert_true(raw_greet(honest) && raw_request(honest, 7, "hello", 5));
    expect_reply(honest, 7, "hello");
    close(honest);
    server_stop(&server);
    assert_int_equal(server.counters.refused_limit, 0);
}

/* A child connects more often than we have descriptors for; when it is gone, all is well again. */
static void survives_the_end_of_descriptors(void **state)
{
    struct server server;
    struct rlimit limit, low;
    int ready[2];
    char byte;
    (void)state;
    server_start(&server);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        assert_int_equal(read(ready[0], &byte, 1), 1);
        for (unsigned i = 0; i < 60; i++)
            raw_connect(sp_listener_port(server.listener));
        int fd = raw_connect(sp_listener_port(server.listener));
        struct timeval patience = {.tv_usec = 300000};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        _exit(raw_greet(fd) ? 1 : 0); /* nobody had a descriptor left to accept it */
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)dup(ready[0]) + 20;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(write(ready[1], "x", 1), 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    expect_service(&server);
    server_stop(&server);
    close(ready[0]);
    close(ready[1]);
}

static void takes_over_a_dead_socket_but_not_a_living_one(void **state)
{
    char folder[] = "/tmp/callout-test-XXXXXX", url[80];
    struct server server;
    struct problem problem;
    struct sp_listener *second;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(url, sizeof url, "ipc://%s/sp.sock", folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/sp.sock", folder);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, (const struct sockaddr *)&address, sizeof address), 0);
    close(dead); /* as after kill -9: the path stays */
    server_start_with(&server, (struct sp_listener_options){.url = url, .trusted = true});
    struct sp_listener_options options = {.url = url, .on_request = on_request};
    assert_int_equal(sp_listener_open(&second, server.base, &options, &problem), ERR_CONFLICT);
    nng_echo(url, NULL);
    server_stop(&server);
    rmdir(folder);
}

static void refuses_urls_by_reason(void **state)
{
    static const char *const wrong[] = {"http://127.0.0.1:80", "tcp://127.0.0.1",
                                        "tcp://:7310",         "tcp://127.0.0.1:70000",
                                        "tcp://::1:7310",      "ipc://relative"};
    struct event_base *base = event_base_new();
    struct sp_listener *listener;
    struct problem problem;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sp_listener_options options = {.url = wrong[i], .on_request = on_request};
        assert_int_equal(sp_listener_open(&listener, base, &options, &problem), ERR_INVALID);
        assert_string_equal(problem.field, "url");
    }
    struct sp_listener_options tls = {.url = "tls+tcp://127.0.0.1:0",
                                      .certificate_file = "/nowhere/server.pem",
                                      .key_file = "/nowhere/server.key",
                                      .on_request = on_request};
    assert_int_equal(sp_listener_open(&listener, base, &tls, &problem), ERR_INVALID);
    assert_string_equal(problem.field, tls.certificate_file);
    assert_non_null(strstr(problem.text, "No such file"));
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_the_end_of_descriptors), /* forks: before nng has threads */
        cmocka_unit_test(serves_nng_over_tcp),
        cmocka_unit_test(serves_nng_over_a_unix_socket),
        cmocka_unit_test(serves_nng_over_tls),
        cmocka_unit_test(closes_on_a_wrong_greeting),
        cmocka_unit_test(closes_on_broken_frames),
        cmocka_unit_test(answers_ten_megabytes_without_storing_them),
        cmocka_unit_test(closes_the_silent_and_the_stalled),
        cmocka_unit_test(reads_frames_that_come_byte_by_byte),
        cmocka_unit_test(survives_400_half_closed_and_reset_connections),
        cmocka_unit_test(answers_held_requests_out_of_order),
        cmocka_unit_test(forgets_all_who_left_while_their_requests_were_held),
        cmocka_unit_test(closes_a_reader_that_never_reads),
        cmocka_unit_test(limits_connections_of_one_address),
        cmocka_unit_test(makes_room_for_the_one_behind_the_broken),
        cmocka_unit_test(takes_over_a_dead_socket_but_not_a_living_one),
        cmocka_unit_test(refuses_urls_by_reason),
    };
    return cmocka_run_group_tests_name("sp_listener", tests, NULL, NULL);
}
