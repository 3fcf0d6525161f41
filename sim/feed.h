/* feed.h - follows the event feed with held questions, and tells the watch what it says.
 *
 * Owner: the api (opened as `held`) and the watch are kept until the api is closed. Thread: the
 * loop's.
 */
#ifndef CALLOUT_SIM_FEED_H
#define CALLOUT_SIM_FEED_H

#include "gateway/client/api.h"
#include "sim/watch.h"

struct feed {
    struct api *api;
    struct watch *watch;
    uint64_t after_seq; /* what lies before is not told */
};

/* `feed` stays where it is while the api lives. A refusal is logged and ends the following. */
void feed_follow(struct feed *feed);

#endif
