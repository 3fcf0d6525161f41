/* The bus against a listener of ours: many calls at once, late answers, a neighbour that restarts.
 */
#include "bus.h"

#include "base/check.h"
#include "base/clock.h"
#include "sp_listener.h"

#include <event2/event.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CALLS = 200 };

/* nng now and then loses a message that was on its way when its connection broke. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng";
}

/* --- a neighbour in a thread: echoes, but never answers what begins with '!'
 * ------------------------ */

struct neighbour {
    struct event_base *base;
    struct sp_listener *listener;
    struct event *stop;
    int stop_pipe[2];
    pthread_t thread;
};

static void on_request(void *context, struct sp_ticket ticket, const uint8_t *bytes, size_t size)
{
    struct neighbour *neighbour = context;
    if (size > 0 && bytes[0] == '!') return;
    sp_reply(neighbour->listener, ticket, bytes, size);
}

static void on_stop(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(context);
}

static void *run(void *context)
{
    struct neighbour *neighbour = context;
    event_base_dispatch(neighbour->base);
    return NULL;
}

static void neighbour_start(struct neighbour *neighbour, const char *url)
{
    neighbour->base = event_base_new();
    struct sp_listener_options options = {
        .url = url, .trusted = true, .on_request = on_request, .context = neighbour};
    assert_int_equal(sp_listener_open(&neighbour->listener, neighbour->base, &options, NULL),
                     ERR_OK);
    assert_int_equal(pipe(neighbour->stop_pipe), 0);
    neighbour->stop =
        event_new(neighbour->base, neighbour->stop_pipe[0], EV_READ, on_stop, neighbour->base);
    event_add(neighbour->stop, NULL);
    assert_int_equal(pthread_create(&neighbour->thread, NULL, run, neighbour), 0);
}

static void neighbour_stop(struct neighbour *neighbour)
{
    assert_int_equal(write(neighbour->stop_pipe[1], "x", 1), 1);
    pthread_join(neighbour->thread, NULL);
    sp_listener_close(neighbour->listener);
    event_free(neighbour->stop);
    event_base_free(neighbour->base);
    close(neighbour->stop_pipe[0]);
    close(neighbour->stop_pipe[1]);
}

static char folder[] = "/tmp/callout-bus-XXXXXX";
static char url[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(url, sizeof url, "ipc://%s/sp.sock", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static struct bus *open_bus(uint32_t in_flight_max)
{
    struct bus *bus = NULL;
    struct bus_options options = {.url = url, .in_flight_max = in_flight_max};
    assert_int_equal(bus_open(&bus, &options, NULL), ERR_OK);
    return bus;
}

static void expect_call(struct bus *bus, const char *text)
{
    uint8_t *reply = NULL;
    size_t size = 0;
    assert_int_equal(bus_call(bus, text, strlen(text), 10000, &reply, &size), ERR_OK);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(reply, text, size);
    free(reply);
}

/* --- tests
 * -------------------------------------------------------------------------------------------- */

static void answers_many_calls_each_with_its_own_reply(void **state)
{
    struct neighbour neighbour;
    bool seen[CALLS] = {false};
    (void)state;
    neighbour_start(&neighbour, url);
    struct bus *bus = open_bus(CALLS);
    for (uint64_t i = 0; i < CALLS; i++) {
        uint64_t sent[2] = {0, i}; /* begins with no '!' */
        assert_int_equal(bus_ask(bus, i, sent, sizeof sent, 10000), ERR_OK);
    }
    for (unsigned count = 0; count < CALLS;) {
        struct bus_completion completion;
        assert_true(bus_wait(bus, 10000));
        while (bus_next(bus, &completion)) {
            uint64_t echoed[2];
            assert_int_equal(completion.err, ERR_OK);
            assert_int_equal(completion.reply_size, sizeof echoed);
            memcpy(echoed, completion.reply, sizeof echoed);
            assert_int_equal(echoed[1], completion.cookie);
            assert_false(seen[echoed[1]]);
            seen[echoed[1]] = true;
            free(completion.reply);
            count++;
        }
    }
    bus_close(bus);
    neighbour_stop(&neighbour);
}

static void gives_up_at_the_deadline_and_goes_on(void **state)
{
    struct neighbour neighbour;
    struct bus_completion completion;
    (void)state;
    neighbour_start(&neighbour, url);
    struct bus *bus = open_bus(2);
    assert_int_equal(bus_ask(bus, 1, "!never", 6, 50), ERR_OK);
    expect_call(bus, "a held call does not block the rest");
    assert_true(bus_wait(bus, 10000));
    assert_true(bus_next(bus, &completion));
    assert_int_equal(completion.cookie, 1);
    assert_int_equal(completion.err, ERR_RETRY);
    assert_null(completion.reply);
    assert_false(bus_next(bus, &completion));
    assert_int_equal(bus_ask(bus, 2, "!never", 6, 10000), ERR_OK);
    assert_int_equal(bus_ask(bus, 3, "full", 4, 10000), ERR_BUSY); /* nng still has the late one */
    bus_close(bus);
    neighbour_stop(&neighbour);
}

/* An unanswered call is sent again to whoever listens next: at least once, and no error in between.
 */
static void waits_for_a_neighbour_that_restarts(void **state)
{
    struct neighbour neighbour;
    struct bus_completion completion;
    (void)state;
    struct bus *bus = open_bus(8);
    assert_int_equal(bus_ask(bus, 1, "early", 5, 20000), ERR_OK);
    neighbour_start(&neighbour, url);
    assert_true(bus_wait(bus, 20000));
    assert_true(bus_next(bus, &completion));
    assert_int_equal(completion.err, ERR_OK);
    free(completion.reply);
    neighbour_stop(&neighbour);
    assert_int_equal(bus_ask(bus, 2, "between", 7, 20000), ERR_OK);
    neighbour_start(&neighbour, url);
    assert_true(bus_wait(bus, 20000));
    assert_true(bus_next(bus, &completion));
    assert_int_equal(completion.cookie, 2);
    assert_int_equal(completion.err, ERR_OK);
    free(completion.reply);
    bus_close(bus);
    neighbour_stop(&neighbour);
}

static void closes_with_calls_outstanding(void **state)
{
    struct neighbour neighbour;
    (void)state;
    neighbour_start(&neighbour, url);
    for (unsigned round = 0; round < 10; round++) {
        struct bus *bus = open_bus(32);
        if (round % 2 == 0) expect_call(bus, "connected");
        for (uint64_t i = 0; i < 32; i++)
            assert_int_equal(bus_ask(bus, i, i + round < 10 ? "!" : "x", 1, 10000), ERR_OK);
        bus_close(bus);
    }
    neighbour_stop(&neighbour);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_many_calls_each_with_its_own_reply),
        cmocka_unit_test(gives_up_at_the_deadline_and_goes_on),
        cmocka_unit_test(waits_for_a_neighbour_that_restarts),
        cmocka_unit_test(closes_with_calls_outstanding),
    };
    return cmocka_run_group_tests_name("bus", tests, make_folder, remove_folder);
}
