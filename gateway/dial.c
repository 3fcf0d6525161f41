#include "gateway/shell.h"

#include "base/check.h"
#include "bus.h"

#include <event2/event.h>
#include <stdlib.h>

void dial_tick(struct shell *shell)
{
    struct bus_completion done;
    while (bus_next(shell->bus, &done)) {
        upstream_answered(shell->gateway.upstream, done.cookie, done.err, done.reply,
                          done.reply_size);
        free(done.reply);
    }
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    dial_tick(context);
}

/* On a thread of nng's: libevent was told to expect it (evthread). */
static void wake_loop(void *context)
{
    struct shell *shell = context;
    event_active(shell->bus_ready, EV_READ, 0);
}

enum err dial_open(struct shell *shell, struct problem *problem)
{
    shell->bus_ready = event_new(shell->base, -1, EV_PERSIST, on_ready, shell);
    CHECK(shell->bus_ready != NULL);
    struct bus_options options = {.url = shell->gateway.options.dispatcher,
                                  .in_flight_max = UPSTREAM_IN_FLIGHT_MAX,
                                  .on_ready = wake_loop,
                                  .context = shell};
    return bus_open(&shell->bus, &options, problem);
}

void dial_close(struct shell *shell)
{
    if (shell->bus != NULL) bus_close(shell->bus);
    event_free(shell->bus_ready);
}
