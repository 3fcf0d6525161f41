/* watch.h - what happened, and how long it took to reach the devices.
 *
 * Idea: two streams meet here. The event feed tells every committed fact: events (the optimizer was
 * asked to solve again) and plans (with the event behind them). The devices tell which facts lie
 * behind a change that they just received. For each event and each device whose assignments it
 * changed there is one latency: from the event's commit to the first receipt, both on the
 * loop's monotonic clock. Receipts that only a later plan for the same event brought (the
 * optimizer went on searching) are counted apart, and so are those of a device that had no signal.
 * The streams are joined half a second late, once the feed has come as far, so that either may be
 * the slower. Thread: the loop's.
 */
#ifndef CALLOUT_SIM_WATCH_H
#define CALLOUT_SIM_WATCH_H

#include "gateway/client/client.h"
#include "pb/dispatch.pb-c.h"
#include "sim/samples.h"

enum { WATCH_LINES = 12, WATCH_LINE_BYTES = 160 };

/* One line for people about a recent event. */
struct watch_line {
    uint64_t seq;
    int64_t time_us; /* domain */
    char text[WATCH_LINE_BYTES];
    uint32_t changed;     /* appointments, by the first plan for it */
    int64_t to_device_us; /* the slowest device so far; -1: none yet */
    bool planned;         /* a plan for it was published */
};

struct watch_totals {
    uint64_t facts, events, plans;
    uint64_t events_with_change; /* some device received another assignment because of it */
    uint64_t improvements;       /* receipts of later plans for the same event */
    uint64_t without_signal;     /* receipts by devices that had been out of reach */
    uint64_t last_plan_version;
    uint64_t bounded_plans;            /* that were published with a proof of how good they are */
    int64_t gap_ppm_sum, gap_ppm_last; /* of these, in millionths of their cost */
    struct samples latency;            /* event to device */
    struct samples improvement;        /* the same for later plans */
};

struct watch;

struct watch *watch_open(void);
void watch_close(struct watch *watch);

void watch_feed(struct watch *watch, const Callout__FeedEvent *event);
/* The device has been in reach since that time (0: always); what was committed before does not
 * count. */
void watch_receipt(struct watch *watch, const char *technician_id, const struct client_news *news,
                   int64_t in_reach_since_us);
/* Joins what is ripe at a time of the loop; INT64_MAX: all. */
void watch_join(struct watch *watch, int64_t now_us);

const struct watch_totals *watch_totals(const struct watch *watch);
/* The latest lines, the newest first. */
size_t watch_lines(const struct watch *watch, struct watch_line lines[WATCH_LINES]);

#endif
