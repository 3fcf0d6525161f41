/* A line over real sockets against our own listener, both on the line's loop: what is asked is
 * answered, whatever becomes of the connections below it. */
#include "base/check.h"
#include "gateway/client/channel.h"
#include "sp_listener.h"
#include "tests/store/folder.h"
#include "tls_init.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PATIENCE_US = 60 * 1000000, ROUNDS = 500, RESEND_MS = 100, PIECE = 3000 };

static struct scene {
    struct client_loop *loop;
    struct sp_listener *listener;
    struct channel *channel;
    char *folder;
    char url[300];
    uint32_t requests, swallow, replies, wanted;
    struct sp_ticket last;
    bool asks_on, close_at_reply;
} scene;

static void on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes, size_t size)
{
    (void)context;
    scene.requests++;
    scene.last = ticket;
    if (scene.swallow > 0)
        scene.swallow--;
    else
        sp_reply(scene.listener, ticket, bytes, size);
}

static void ask(void)
{
    uint8_t bytes[PIECE];
    memset(bytes, (int)(scene.replies % 256), sizeof bytes);
    channel_ask(scene.channel, bytes, sizeof bytes);
}

static void on_reply(void *context, const uint8_t *bytes, size_t size)
{
    (void)context;
    assert_int_equal(size, PIECE);
    assert_int_equal(bytes[0], scene.replies % 256);
    scene.replies++;
    if (scene.close_at_reply) {
        channel_close(scene.channel);
        scene.channel = NULL;
    } else if (scene.asks_on) {
        ask();
    }
    if (scene.replies >= scene.wanted) client_loop_stop(scene.loop);
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
    assert_int_equal(
        sp_listener_open(&scene.listener, client_loop_base(scene.loop), &options, NULL), ERR_OK);
}

/* A line to the listener by this name of its host; `ca_file` NULL: without TLS. */
static void open_line(const char *host, uint32_t resend_ms, const char *ca_file,
                      const char *tls_name)
{
    snprintf(scene.url, sizeof scene.url, "%s://%s:%u", ca_file == NULL ? "tcp" : "tls+tcp", host,
             sp_listener_port(scene.listener));
    const struct channel_options options = {.url = scene.url,
                                            .ca_file = ca_file,
                                            .tls_name = tls_name,
                                            .resend_ms = resend_ms,
                                            .on_reply = on_reply};
    assert_int_equal(channel_open(&scene.channel, scene.loop, &options, NULL), ERR_OK);
}

static void go(bool online)
{
    assert_int_equal(channel_online(scene.channel, online, NULL), ERR_OK);
}

static void live_until(uint32_t replies)
{
    scene.wanted = replies;
    client_loop_run(scene.loop, client_loop_now_us(scene.loop) + PATIENCE_US);
    assert_true(scene.replies >= replies);
}

static void live_for(int64_t us)
{
    scene.wanted = UINT32_MAX;
    client_loop_run(scene.loop, client_loop_now_us(scene.loop) + us);
}

static int open_scene(void **state)
{
    (void)state;
    memset(&scene, 0, sizeof scene);
    scene.folder = folder_make();
    return (int)client_loop_open(&scene.loop);
}

static int close_scene(void **state)
{
    (void)state;
    channel_close(scene.channel);
    sp_listener_close(scene.listener);
    client_loop_close(scene.loop);
    char *tls = strdup(folder_file(scene.folder, "tls"));
    assert_non_null(tls);
    folder_remove(tls);
    folder_remove(scene.folder);
    return 0;
}

/* --- the tests --- */

static void what_is_asked_offline_goes_out_online(void **state)
{
    (void)state;
    listen_on("tcp://127.0.0.1:0");
    open_line("127.0.0.1", 60000, NULL, NULL);
    ask();
    assert_true(channel_busy(scene.channel));
    go(true);
    live_until(1);
    assert_true(channel_connected(scene.channel));
    assert_false(channel_busy(scene.channel));
}

static void a_host_has_a_name(void **state)
{
    (void)state;
    listen_on("tcp://127.0.0.1:0");
    open_line("localhost", 60000, NULL, NULL);
    go(true);
    ask();
    live_until(1);
    go(false);
    ask();
    for (int i = 0; i < 20; i++) { /* left while its name is being looked up */
        go(true);
        go(false);
    }
    go(true);
    live_until(2);
}

/* Each cut may come in the middle of a reply, and the next connection serves as before. */
static void it_goes_on_and_off_line_all_day(void **state)
{
    (void)state;
    listen_on("tcp://127.0.0.1:0");
    open_line("127.0.0.1", 60000, NULL, NULL);
    scene.asks_on = true;
    ask();
    for (int i = 0; i < ROUNDS; i++) {
        go(true);
        live_for(i % 7 * 100);
        go(false);
        assert_false(channel_connected(scene.channel));
    }
    go(true);
    live_until(scene.replies + 5);
    assert_true(sp_listener_counters(scene.listener)->accepted >= ROUNDS / 2);
}

/* The connection looks sound, and nobody answers on it: another is made, and asked there. */
static void who_does_not_answer_is_dialled_anew(void **state)
{
    (void)state;
    listen_on("tcp://127.0.0.1:0");
    open_line("127.0.0.1", RESEND_MS, NULL, NULL);
    scene.swallow = 1;
    go(true);
    ask();
    live_until(1);
    assert_true(scene.requests >= 2);
    assert_true(sp_listener_counters(scene.listener)->accepted >= 2);
}

static void a_reply_to_an_earlier_request_is_dropped(void **state)
{
    (void)state;
    listen_on("tcp://127.0.0.1:0");
    open_line("127.0.0.1", 60000, NULL, NULL);
    go(true);
    ask();
    live_until(1);
    static const uint8_t late[PIECE] = {77};
    scene.swallow = 1;
    struct sp_ticket earlier = scene.last;
    ask();
    while (scene.requests < 2)
        live_for(1000);
    assert_true(sp_reply(scene.listener, earlier, late, sizeof late));
    live_for(20000);
    assert_true(channel_busy(scene.channel));
    uint8_t right[PIECE];
    memset(right, 1, sizeof right);
    assert_true(sp_reply(scene.listener, scene.last, right, sizeof right));
    live_until(2);
}

static void it_may_be_closed_by_its_own_reply(void **state)
{
    (void)state;
    listen_on("tcp://127.0.0.1:0");
    open_line("127.0.0.1", 60000, NULL, NULL);
    scene.close_at_reply = true;
    go(true);
    ask();
    live_until(1);
    assert_null(scene.channel);
}

static void the_certificate_is_for_the_name_that_is_asked_for(void **state)
{
    static const char *const hosts[] = {"dispatch.example.org"};
    (void)state;
    assert_int_equal(tls_init(scene.folder, hosts, 1, NULL), ERR_OK);
    listen_on("tls+tcp://127.0.0.1:0");
    char ca_file[300];
    snprintf(ca_file, sizeof ca_file, "%s/tls/ca.pem", scene.folder);
    open_line("127.0.0.1", 60000, ca_file, "elsewhere.example.org");
    go(true);
    ask();
    while (sp_listener_counters(scene.listener)->tls_failed == 0) {
        live_for(1000);
        assert_int_equal(scene.requests, 0);
    }
    channel_close(scene.channel);
    open_line("127.0.0.1", 60000, ca_file, "dispatch.example.org");
    go(true);
    ask();
    live_until(1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_asked_offline_goes_out_online, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_host_has_a_name, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(it_goes_on_and_off_line_all_day, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(who_does_not_answer_is_dialled_anew, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_reply_to_an_earlier_request_is_dropped, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(it_may_be_closed_by_its_own_reply, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_certificate_is_for_the_name_that_is_asked_for,
                                        open_scene, close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
