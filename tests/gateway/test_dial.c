/* The gateway's connection to its dispatcher: what is asked again, what is given up, what is
 * dropped. */
#include "gateway/dial.h"

#include "sp_listener.h"
#include "tests/store/folder.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { COOKIES = 8, LONG_MS = 20000, TICK_MS = 5 };

static struct scene {
    struct event_base *base;
    struct sp_listener *listener;
    struct dial *dial;
    struct event *ticker;
    char *folder;
    char url[300];
    struct sp_ticket held[64];
    uint32_t held_count;
    bool silent; /* the dispatcher keeps what it is asked */
    uint32_t answers[COOKIES], asked;
    enum err last_err[COOKIES];
    uint8_t last_byte[COOKIES];
    uint32_t stop_at_asked, stop_at_answers;
} scene;

static void stop_if_seen(void)
{
    uint32_t answers = 0;
    for (uint32_t i = 0; i < COOKIES; i++)
        answers += scene.answers[i];
    if (scene.stop_at_asked > 0 && scene.asked >= scene.stop_at_asked)
        event_base_loopbreak(scene.base);
    if (scene.stop_at_answers > 0 && answers >= scene.stop_at_answers)
        event_base_loopbreak(scene.base);
}

static void on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes, size_t size)
{
    (void)context;
    scene.asked++;
    if (scene.silent)
        scene.held[scene.held_count++] = ticket;
    else
        sp_reply(scene.listener, ticket, bytes, size);
    stop_if_seen();
}

static void on_answer(void *context, uint64_t cookie, enum err err, const uint8_t *reply,
                      size_t size)
{
    assert_ptr_equal(context, &scene);
    scene.answers[cookie]++;
    scene.last_err[cookie] = err;
    scene.last_byte[cookie] = err == ERR_OK && size > 0 ? reply[0] : 0;
    stop_if_seen();
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what, (void)context;
    dial_tick(scene.dial);
}

static void dispatcher_starts(void)
{
    const struct sp_listener_options options = {
        .url = scene.url, .trusted = true, .on_request = on_request};
    assert_int_equal(sp_listener_open(&scene.listener, scene.base, &options, NULL), ERR_OK);
}

static void dispatcher_goes(void)
{
    sp_listener_close(scene.listener);
    scene.listener = NULL;
    scene.held_count = 0;
}

/* Runs until so many questions came in at the dispatcher, or so many were answered. */
static void run_until(uint32_t asked, uint32_t answers)
{
    const struct timeval patience = {.tv_sec = LONG_MS / 1000};
    scene.stop_at_asked = asked;
    scene.stop_at_answers = answers;
    event_base_loopexit(scene.base, &patience);
    event_base_dispatch(scene.base);
}

static int begin(void **state)
{
    (void)state;
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};
    scene = (struct scene){.base = event_base_new(), .folder = folder_make()};
    snprintf(scene.url, sizeof scene.url, "ipc://%s/socket", scene.folder);
    const struct dial_options options = {
        .url = scene.url, .cookie_max = COOKIES, .on_answer = on_answer, .context = &scene};
    if (dial_open(&scene.dial, scene.base, &options, NULL) != ERR_OK) return 1;
    scene.ticker = event_new(scene.base, -1, EV_PERSIST, on_tick, NULL);
    return event_add(scene.ticker, &tick);
}

static int finish(void **state)
{
    (void)state;
    dial_close(scene.dial);
    sp_listener_close(scene.listener);
    event_free(scene.ticker);
    event_base_free(scene.base);
    folder_remove(scene.folder);
    return 0;
}

static void what_is_asked_before_the_dispatcher_is_there_is_answered_when_it_comes(void **state)
{
    (void)state;
    dial_ask(scene.dial, 3, "a", 1, LONG_MS);
    dial_ask(scene.dial, 5, "b", 1, LONG_MS);
    dispatcher_starts();
    run_until(0, 2);
    assert_int_equal(scene.last_byte[3], 'a');
    assert_int_equal(scene.last_byte[5], 'b');
}

static void what_a_dispatcher_took_with_it_is_asked_again_of_the_next_one(void **state)
{
    (void)state;
    scene.silent = true;
    dispatcher_starts();
    dial_ask(scene.dial, 1, "x", 1, LONG_MS);
    run_until(1, 0);
    dispatcher_goes();
    scene.silent = false;
    dispatcher_starts();
    run_until(0, 1);
    assert_int_equal(scene.asked, 2);
    assert_int_equal(scene.answers[1], 1);
    assert_int_equal(scene.last_byte[1], 'x');
}

static void a_question_past_its_deadline_is_given_up_once(void **state)
{
    (void)state;
    scene.silent = true;
    dispatcher_starts();
    dial_ask(scene.dial, 2, "x", 1, 1);
    run_until(0, 1);
    assert_int_equal(scene.answers[2], 1);
    assert_int_equal(scene.last_err[2], ERR_RETRY);
}

/* The late answer of the cookie's first holder is not the second one's. */
static void a_late_answer_is_nobodys(void **state)
{
    (void)state;
    dispatcher_starts();
    dial_ask(scene.dial, 7, "up?", 3, LONG_MS);
    run_until(0, 1);
    scene.silent = true;
    dial_ask(scene.dial, 2, "old", 3, 1);
    run_until(0, 2);
    if (scene.held_count == 0) run_until(2, 0);
    dial_ask(scene.dial, 2, "new", 3, LONG_MS);
    run_until(3, 0);
    sp_reply(scene.listener, scene.held[0], "old", 3);
    sp_reply(scene.listener, scene.held[1], "new", 3);
    run_until(0, 3);
    assert_int_equal(scene.answers[2], 2);
    assert_int_equal(scene.last_err[2], ERR_OK);
    assert_int_equal(scene.last_byte[2], 'n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_asked_before_the_dispatcher_is_there_is_answered_when_it_comes, begin, finish),
        cmocka_unit_test_setup_teardown(
            what_a_dispatcher_took_with_it_is_asked_again_of_the_next_one, begin, finish),
        cmocka_unit_test_setup_teardown(a_question_past_its_deadline_is_given_up_once, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(a_late_answer_is_nobodys, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
