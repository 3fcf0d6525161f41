/* The dialler against our own listener, and against what is no listener of ours, on one loop. */
#include "sp_dialler.h"

#include "sp_listener.h"
#include "tests/store/folder.h"
#include "tls_init.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUESTIONS = 300, PATIENCE_S = 20, MESSAGE_MAX = 4096 };
static const uint32_t id_bit = 1u << 31;

static struct scene {
    struct event_base *base;
    struct sp_listener *listener;
    struct sp_dialler *dialler;
    char *folder;
    char url[300];
    struct sp_trust *trust;
    uint32_t ups, replies, ends;
    uint32_t ask_at_once;
    bool close_at_reply, echo_large;
    uint64_t id_sum;
} scene;

/* The listener answers each question with its own bytes. */
static void on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes, size_t size)
{
    static const uint8_t large[MESSAGE_MAX + 1];
    (void)context;
    if (scene.echo_large)
        sp_reply(scene.listener, ticket, large, sizeof large);
    else
        sp_reply(scene.listener, ticket, bytes, size);
}

static void on_up(void *context)
{
    (void)context;
    scene.ups++;
    for (uint32_t i = 1; i <= scene.ask_at_once; i++)
        sp_dialler_ask(scene.dialler, id_bit | i, &i, sizeof i);
}

static void on_reply(void *context, uint32_t request, const uint8_t *bytes, size_t size)
{
    uint32_t number;
    (void)context;
    assert_int_equal(size, sizeof number);
    memcpy(&number, bytes, sizeof number);
    assert_int_equal(request, id_bit | number);
    scene.id_sum += number;
    scene.replies++;
    if (scene.close_at_reply) {
        sp_dialler_close(scene.dialler);
        scene.dialler = NULL;
    }
    if (scene.close_at_reply || scene.replies == scene.ask_at_once)
        event_base_loopbreak(scene.base);
}

static void on_end(void *context)
{
    (void)context;
    scene.ends++;
    sp_dialler_close(scene.dialler);
    scene.dialler = NULL;
    event_base_loopbreak(scene.base);
}

static void listen_on(const char *url)
{
    char certificate[300], key[300];
    snprintf(certificate, sizeof certificate, "%s/tls/server.pem", scene.folder);
    snprintf(key, sizeof key, "%s/tls/server.key", scene.folder);
    const struct sp_listener_options options = {.url = url,
                                                .certificate_file = certificate,
                                                .key_file = key,
                                                .trusted = true,
                                                .on_request = on_request};
    struct problem problem = {{0}, {0}};
    if (sp_listener_open(&scene.listener, scene.base, &options, &problem) != ERR_OK)
        fail_msg("%s: %s", problem.field, problem.text);
    snprintf(scene.url, sizeof scene.url, "%s", url);
    char *zero = strstr(scene.url, ":0");
    if (zero != NULL) snprintf(zero, 8, ":%u", sp_listener_port(scene.listener));
}

static void dial(const char *source)
{
    const struct sp_dialler_options options = {.url = scene.url,
                                               .trust = scene.trust,
                                               .source = source,
                                               .message_max = MESSAGE_MAX,
                                               .on_up = on_up,
                                               .on_reply = on_reply,
                                               .on_end = on_end};
    assert_int_equal(sp_dialler_open(&scene.dialler, scene.base, &options, NULL), ERR_OK);
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    event_base_loopexit(scene.base, &patience);
    event_base_dispatch(scene.base);
}

/* With what tls_init made in it. */
static void remove_folder(char *folder)
{
    char *tls = strdup(folder_file(folder, "tls"));
    if (access(tls, F_OK) == 0)
        folder_remove(tls);
    else
        free(tls);
    folder_remove(folder);
}

static int begin(void **state)
{
    (void)state;
    scene = (struct scene){.base = event_base_new(), .folder = folder_make()};
    return scene.base == NULL;
}

static int finish(void **state)
{
    (void)state;
    sp_dialler_close(scene.dialler);
    sp_listener_close(scene.listener);
    sp_trust_close(scene.trust);
    event_base_free(scene.base);
    remove_folder(scene.folder);
    return 0;
}

static void all_questions_are_answered_by_their_ids(void)
{
    scene.ask_at_once = QUESTIONS;
    dial(NULL);
    assert_int_equal(scene.ups, 1);
    assert_int_equal(scene.replies, QUESTIONS);
    assert_int_equal(scene.id_sum, QUESTIONS * (QUESTIONS + 1) / 2);
    assert_int_equal(scene.ends, 0);
}

static void it_asks_over_tcp(void **state)
{
    (void)state;
    listen_on("tcp://127.0.0.1:0");
    all_questions_are_answered_by_their_ids();
}

static void it_asks_over_a_unix_socket(void **state)
{
    char url[300];
    (void)state;
    snprintf(url, sizeof url, "ipc://%s/socket", scene.folder);
    listen_on(url);
    all_questions_are_answered_by_their_ids();
}

static void make_certificates(void)
{
    static const char *const hosts[] = {"127.0.0.1"};
    assert_int_equal(tls_init(scene.folder, hosts, 1, NULL), ERR_OK);
}

static void it_asks_over_tls(void **state)
{
    (void)state;
    make_certificates();
    listen_on("tls+tcp://127.0.0.1:0");
    assert_int_equal(sp_trust_open(&scene.trust, folder_file(scene.folder, "tls/ca.pem"), NULL),
                     ERR_OK);
    all_questions_are_answered_by_their_ids();
}

enum { CROWD = 300 };

static void connect_silently(int crowd[CROWD])
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(sp_listener_port(scene.listener)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(crowd[i], (const struct sockaddr *)&to, sizeof to), 0);
    }
}

/* More than may shake hands at a time come and say nothing, and some of those behind them leave
 * again: the others wait in the kernel's queue, and the one who means well has his turn. */
static void a_silent_crowd_keeps_nobody_out(void **state)
{
    (void)state;
    int crowd[CROWD];
    make_certificates();
    listen_on("tls+tcp://127.0.0.1:0");
    assert_int_equal(sp_trust_open(&scene.trust, folder_file(scene.folder, "tls/ca.pem"), NULL),
                     ERR_OK);
    connect_silently(crowd);
    /* Once only: on a slow machine the next turn would come in the same call. */
    event_base_loop(scene.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    const struct sp_counters *counters = sp_listener_counters(scene.listener);
    assert_in_range(counters->accepted, 1, CROWD - 20);
    for (int i = CROWD - 10; i < CROWD; i++)
        close(crowd[i]);
    all_questions_are_answered_by_their_ids();
    assert_int_equal(counters->accepted, CROWD - 10 + 1);
    for (int i = 0; i < CROWD - 10; i++)
        close(crowd[i]);
}

static void a_certificate_of_somebody_else_is_not_believed(void **state)
{
    (void)state;
    make_certificates();
    listen_on("tls+tcp://127.0.0.1:0");
    scene.trust = NULL;
    char *other = folder_make();
    static const char *const hosts[] = {"127.0.0.1"};
    assert_int_equal(tls_init(other, hosts, 1, NULL), ERR_OK);
    assert_int_equal(sp_trust_open(&scene.trust, folder_file(other, "tls/ca.pem"), NULL), ERR_OK);
    dial(NULL);
    remove_folder(other);
    assert_int_equal(scene.ups, 0);
    assert_int_equal(scene.ends, 1);
}

static void a_certificate_for_another_host_is_not_believed(void **state)
{
    static const char *const hosts[] = {"dispatch.example.org"};
    (void)state;
    assert_int_equal(tls_init(scene.folder, hosts, 1, NULL), ERR_OK);
    listen_on("tls+tcp://127.0.0.2:0");
    assert_int_equal(sp_trust_open(&scene.trust, folder_file(scene.folder, "tls/ca.pem"), NULL),
                     ERR_OK);
    dial(NULL);
    assert_int_equal(scene.ups, 0);
    assert_int_equal(scene.ends, 1);
}

static char peer_seen[48];

static void note_peer(void *context, struct sp_ticket ticket, const uint8_t *bytes, size_t size)
{
    (void)context;
    snprintf(peer_seen, sizeof peer_seen, "%s", sp_peer(scene.listener, ticket));
    sp_reply(scene.listener, ticket, bytes, size);
}

static void it_dials_from_the_address_it_is_told(void **state)
{
    const struct sp_listener_options options = {.url = "tcp://127.0.0.1:0",
                                                .on_request = note_peer};
    (void)state;
    assert_int_equal(sp_listener_open(&scene.listener, scene.base, &options, NULL), ERR_OK);
    snprintf(scene.url, sizeof scene.url, "tcp://127.0.0.1:%u", sp_listener_port(scene.listener));
    scene.ask_at_once = 1;
    dial("127.3.2.1");
    assert_string_equal(peer_seen, "127.3.2.1");
}

static void it_may_be_closed_from_inside_a_reply(void **state)
{
    (void)state;
    listen_on("tcp://127.0.0.1:0");
    scene.ask_at_once = QUESTIONS;
    scene.close_at_reply = true;
    dial(NULL);
    assert_int_equal(scene.replies, 1);
    assert_int_equal(scene.ends, 0);
}

static void an_answer_that_is_too_large_ends_it(void **state)
{
    (void)state;
    listen_on("tcp://127.0.0.1:0");
    scene.ask_at_once = 1;
    scene.echo_large = true;
    dial(NULL);
    assert_int_equal(scene.replies, 0);
    assert_int_equal(scene.ends, 1);
}

/* A listening socket that says something else than SP, or nothing but goodbye. */
static void dial_a_stranger(const char *greeting, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&address, &length);
    snprintf(scene.url, sizeof scene.url, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
    const struct sp_dialler_options options = {.url = scene.url,
                                               .message_max = MESSAGE_MAX,
                                               .on_up = on_up,
                                               .on_reply = on_reply,
                                               .on_end = on_end};
    assert_int_equal(sp_dialler_open(&scene.dialler, scene.base, &options, NULL), ERR_OK);
    int peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(write(peer, greeting, size), (ssize_t)size);
    shutdown(peer, SHUT_WR);
    event_base_dispatch(scene.base);
    close(peer);
    close(listener);
}

static void a_stranger_never_comes_up(void **state)
{
    (void)state;
    dial_a_stranger("HTTP/1.1", 8);
    assert_int_equal(scene.ups, 0);
    assert_int_equal(scene.ends, 1);
}

static void a_frame_without_a_request_id_ends_it(void **state)
{
    static const char bytes[] = "\0SP\0\0\x31\0\0" /* a sound greeting */
                                "\0\0\0\0\0\0\0\3";
    (void)state;
    dial_a_stranger(bytes, sizeof bytes - 1);
    assert_int_equal(scene.ups, 1);
    assert_int_equal(scene.ends, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_asks_over_tcp, begin, finish),
        cmocka_unit_test_setup_teardown(it_asks_over_a_unix_socket, begin, finish),
        cmocka_unit_test_setup_teardown(it_asks_over_tls, begin, finish),
        cmocka_unit_test_setup_teardown(a_silent_crowd_keeps_nobody_out, begin, finish),
        cmocka_unit_test_setup_teardown(a_certificate_of_somebody_else_is_not_believed, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(a_certificate_for_another_host_is_not_believed, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(it_dials_from_the_address_it_is_told, begin, finish),
        cmocka_unit_test_setup_teardown(it_may_be_closed_from_inside_a_reply, begin, finish),
        cmocka_unit_test_setup_teardown(an_answer_that_is_too_large_ends_it, begin, finish),
        cmocka_unit_test_setup_teardown(a_stranger_never_comes_up, begin, finish),
        cmocka_unit_test_setup_teardown(a_frame_without_a_request_id_ends_it, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
