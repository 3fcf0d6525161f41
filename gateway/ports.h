/* ports.h - what the gateway needs from the world around it: a clock, its clients, the dispatcher.
 *
 * Idea: the gateway itself knows no socket, so the very same sessions, limits and polls run live
 * (shell.h) and in virtual time (sim/world/hub.h). A door is one address to listen on, counted from
 * 0; clients are known by tickets, which may be dead by the time they are used.
 *
 * Thread: the gateway's. No port may call back into the gateway before it returns.
 */
#ifndef CALLOUT_GATEWAY_PORTS_H
#define CALLOUT_GATEWAY_PORTS_H

#include "base/err.h"
#include "sp_listener.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gateway_ports {
    void *context;
    int64_t (*now_us)(void *context); /* monotonic */
    /* Sends a packed Request of Inner; upstream_answered is told its reply, or that none came
     * within deadline_ms, exactly once. Not ERR_OK: it was not sent, and nothing will be told. */
    enum err (*ask)(void *context, uint64_t cookie, const void *bytes, size_t size,
                    uint32_t deadline_ms);
    /* Sends a packed Reply; the bytes are copied. Quiet when the client is gone. */
    void (*reply)(void *context, unsigned door, struct sp_ticket to, const void *bytes,
                  size_t size);
    bool (*alive)(void *context, unsigned door, struct sp_ticket ticket);
    /* The client's address, "" when he is gone; valid until the next call. */
    const char *(*peer)(void *context, unsigned door, struct sp_ticket ticket);
};

#endif
