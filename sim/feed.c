#include "sim/feed.h"

#include "base/log.h"
#include "pb/dispatch.pb-c.h"

enum { HOLD_MS = 10000 };

static void on_feed(void *context, const struct api_answer *answer)
{
    struct feed *feed = context;
    if (answer->err != ERR_OK) {
        log_error("event feed: %s: %s", err_name(answer->err), answer->text);
        return;
    }
    const Callout__EventFeedReply *reply = (const Callout__EventFeedReply *)answer->message;
    for (size_t i = 0; i < reply->n_events; i++)
        watch_feed(feed->watch, reply->events[i]);
    if (reply->next_after_seq > feed->after_seq) feed->after_seq = reply->next_after_seq;
    feed_follow(feed);
}

void feed_follow(struct feed *feed)
{
    Callout__EventFeedRequest request;
    callout__event_feed_request__init(&request);
    request.after_seq = feed->after_seq;
    request.hold_ms = HOLD_MS;
    api_ask(feed->api, "EventFeed", &request.base, "", on_feed, feed);
}
