/* shell.h - the live gateway: the parts that are sockets, shared by the files that open them.
 *
 *      service.c  the process: signals, the tick, the parting
 *      doors.c    listeners for devices and keys
 *      http.c     the door for HTTP
 *      dial.c     the connection to the dispatcher
 *      admin.c    /healthz and /metrics
 *      kpis.c     the figures of the day on /metrics
 *      renew.c    certificate and files, read again
 *
 * Thread: one event loop. Nothing here outlives gateway_main.
 */
#ifndef CALLOUT_GATEWAY_SHELL_H
#define CALLOUT_GATEWAY_SHELL_H

#include "gateway/dial.h"
#include "gateway/gateway.h"
#include "gateway/http.h"
#include "gateway/kpis.h"
#include "gateway/renew.h"
#include "sp_listener.h"

struct admin;
struct event_base;
struct shell;

/* One --listen address. */
struct door {
    struct shell *shell;
    struct sp_listener *listener;
};

struct shell {
    struct gateway gateway;
    struct event_base *base;
    struct dial *dial;
    struct door doors[GATEWAY_DOORS_MAX];
    unsigned door_count;
    struct http *http; /* NULL: no such door */
    struct admin *admin;
    struct kpis kpis;
    struct renewal renewal;
    uint64_t trimmed_turnover; /* when memory was last given back */
    int64_t trimmed_us;
};

MUST_USE enum err doors_open(struct shell *shell, struct problem *problem);
size_t doors_unsent(const struct shell *shell);     /* bytes of replies */
uint64_t doors_turnover(const struct shell *shell); /* connections that came, and that went */
void doors_close(struct shell *shell);

MUST_USE enum err admin_open(struct admin **out, struct shell *shell, struct problem *problem);
void admin_tick(struct admin *admin);  /* ten times a second: deadlines */
void admin_close(struct admin *admin); /* may be NULL */
unsigned admin_port(const struct admin *admin);

#endif
