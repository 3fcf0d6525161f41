/* kpis.h - the figures of the day as /metrics shows them: asked for in the background, so that no
 * scrape ever waits for the dispatcher.
 *
 * Idea: a scrape is answered at once with the last answer and its age, and says that somebody
 * looks. While somebody does, the dispatcher is asked again every few seconds, one question at a
 * time; when nobody has looked for a while, it is left alone. So the first scrape has no figures
 * yet, and all that follow have some that are a few seconds old.
 *
 * Owner: whoever made it; it holds plain copies. Thread: the gateway's loop. What a figure means:
 * model/kpi.h.
 */
#ifndef CALLOUT_GATEWAY_KPIS_H
#define CALLOUT_GATEWAY_KPIS_H

#include "base/arena.h"
#include "pb/dispatch.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

struct evbuffer;
struct gateway;

struct kpis {
    struct gateway *gateway;
    struct arena arena;                       /* of the last answer */
    const Callout__KpisReply *last;           /* NULL: none yet */
    int64_t answered_us, asked_us, looked_us; /* by the gateway's clock; 0: never */
    bool asked;                               /* a question is out */
    uint64_t failures;
};

void kpis_open(struct kpis *kpis, struct gateway *gateway);
void kpis_close(struct kpis *kpis); /* no answer may be on its way any more */

/* Somebody looks: writes what there is, in the text format of Prometheus. */
void kpis_write(struct kpis *kpis, struct evbuffer *out);
/* Asks again if it is time; to be called several times a second. */
void kpis_tick(struct kpis *kpis);

#endif
