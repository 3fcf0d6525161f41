#include "sim/watch.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A fact of the feed. */
struct seen {
    uint64_t seq, cause_seq, first_plan; /* of a plan; of an event: the first plan for it */
    int64_t committed_us, time_us;
    int64_t to_device_us;
    uint64_t *technicians; /* of a plan: hashes of those whose assignments it changed */
    size_t technician_count;
    uint32_t changed;
    bool is_event, is_plan, reached;
    char text[WATCH_LINE_BYTES];
};

/* A change that a device received, with one of the facts behind it. */
struct receipt {
    uint64_t cause_seq, technician;
    int64_t committed_us, received_us, in_reach_since_us;
};

struct watch {
    struct seen *seen; /* ascending by seq */
    size_t seen_count, seen_room;
    struct receipt *receipts;
    size_t receipt_count, receipt_room, joined;
    uint64_t *pairs; /* (event, device) that has its latency: a hash set, 0 is empty */
    size_t pair_count, pair_room;
    struct watch_totals totals;
};

static const int64_t join_delay_us = US_PER_SECOND / 2;

struct watch *watch_open(void)
{
    struct watch *watch = calloc(1, sizeof *watch);
    CHECK(watch != NULL);
    watch->pair_room = 1024;
    watch->pairs = calloc(watch->pair_room, sizeof *watch->pairs);
    CHECK(watch->pairs != NULL);
    return watch;
}

void watch_close(struct watch *watch)
{
    for (size_t i = 0; i < watch->seen_count; i++)
        free(watch->seen[i].technicians);
    free(watch->seen);
    free(watch->receipts);
    free(watch->pairs);
    samples_fini(&watch->totals.latency);
    samples_fini(&watch->totals.improvement);
    free(watch);
}

static uint64_t hash_of(const char *text)
{
    struct digest digest = digest_start();
    digest_bytes(&digest, text, strlen(text));
    return digest.state;
}

/* --- the feed -------------------------------------------------------------------------------- */

static struct seen *seen_find(struct watch *watch, uint64_t seq)
{
    size_t low = 0, high = watch->seen_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (watch->seen[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < watch->seen_count && watch->seen[low].seq == seq ? &watch->seen[low] : NULL;
}

static void take_plan(struct watch *watch, struct seen *seen, const Callout__FeedEvent *event)
{
    watch->totals.plans++;
    if (event->plan_version > watch->totals.last_plan_version)
        watch->totals.last_plan_version = event->plan_version;
    if (event->bound != NULL && event->bound->known) {
        watch->totals.bounded_plans++;
        watch->totals.gap_ppm_sum += event->bound->gap_ppm;
        watch->totals.gap_ppm_last = event->bound->gap_ppm;
    }
    seen->technician_count = event->n_technician_ids;
    seen->technicians = malloc((event->n_technician_ids + 1) * sizeof *seen->technicians);
    CHECK(seen->technicians != NULL);
    for (size_t i = 0; i < event->n_technician_ids; i++)
        seen->technicians[i] = hash_of(event->technician_ids[i]);
    struct seen *cause = seen_find(watch, event->cause_seq);
    if (cause == NULL || cause->first_plan != 0) return;
    cause->first_plan = event->seq;
    cause->changed = event->changed_appointments;
}

void watch_feed(struct watch *watch, const Callout__FeedEvent *event)
{
    if (watch->seen_count > 0 && event->seq <= watch->seen[watch->seen_count - 1].seq) return;
    if (watch->seen_count == watch->seen_room) {
        watch->seen_room = watch->seen_room == 0 ? 1024 : watch->seen_room * 2;
        watch->seen = realloc(watch->seen, watch->seen_room * sizeof *watch->seen);
        CHECK(watch->seen != NULL);
    }
    struct seen *seen = &watch->seen[watch->seen_count];
    *seen = (struct seen){.seq = event->seq,
                          .cause_seq = event->cause_seq,
                          .committed_us = event->committed_mono_us,
                          .time_us = event->time_us,
                          .to_device_us = -1,
                          .is_event = event->is_event,
                          .is_plan = strcmp(event->kind, "plan") == 0};
    snprintf(seen->text, sizeof seen->text, "%s", event->text);
    if (seen->is_plan) take_plan(watch, seen, event);
    watch->seen_count++;
    watch->totals.facts++;
    if (event->is_event) watch->totals.events++;
}

/* --- the devices ----------------------------------------------------------------------------- */

static bool changes_assignments(const struct client_news *news)
{
    for (size_t i = 0; i < news->change_count; i++)
        if (news->changes[i].kind != REPLICA_STATUS) return true;
    return false;
}

void watch_receipt(struct watch *watch, const char *technician_id, const struct client_news *news,
                   int64_t in_reach_since_us)
{
    if (news->snapshot || !changes_assignments(news)) return;
    for (size_t i = 0; i < news->cause_count; i++) {
        if (watch->receipt_count == watch->receipt_room) {
            watch->receipt_room = watch->receipt_room == 0 ? 1024 : watch->receipt_room * 2;
            watch->receipts =
                realloc(watch->receipts, watch->receipt_room * sizeof *watch->receipts);
            CHECK(watch->receipts != NULL);
        }
        watch->receipts[watch->receipt_count++] =
            (struct receipt){.cause_seq = news->cause_seqs[i],
                             .technician = hash_of(technician_id),
                             .committed_us = news->cause_committed_mono_us[i],
                             .received_us = news->received_mono_us,
                             .in_reach_since_us = in_reach_since_us};
    }
}

/* --- the join -------------------------------------------------------------------------------- */

static bool pairs_place(const struct watch *watch, uint64_t pair, size_t *place)
{
    size_t at = (size_t)pair & (watch->pair_room - 1);
    while (watch->pairs[at] != 0 && watch->pairs[at] != pair)
        at = (at + 1) & (watch->pair_room - 1);
    *place = at;
    return watch->pairs[at] == pair;
}

/* Adds an (event, device); false: it was there. */
static bool pairs_add(struct watch *watch, uint64_t seq, uint64_t technician)
{
    struct digest digest = digest_start();
    digest_u64(&digest, seq);
    digest_u64(&digest, technician);
    uint64_t pair = digest.state | 1;
    size_t place;
    if (pairs_place(watch, pair, &place)) return false;
    watch->pairs[place] = pair;
    if (++watch->pair_count * 2 < watch->pair_room) return true;
    uint64_t *old = watch->pairs;
    size_t old_room = watch->pair_room;
    watch->pair_room *= 2;
    watch->pairs = calloc(watch->pair_room, sizeof *watch->pairs);
    CHECK(watch->pairs != NULL);
    for (size_t i = 0; i < old_room; i++) {
        if (old[i] == 0 || pairs_place(watch, old[i], &place)) continue;
        watch->pairs[place] = old[i];
    }
    free(old);
    return true;
}

/* Did the first plan for the event change this device's assignments? */
static bool in_first_plan(struct watch *watch, const struct seen *event, uint64_t technician)
{
    const struct seen *plan = event->first_plan == 0 ? NULL : seen_find(watch, event->first_plan);
    for (size_t i = 0; plan != NULL && i < plan->technician_count; i++)
        if (plan->technicians[i] == technician) return true;
    return false;
}

static void join_one(struct watch *watch, const struct receipt *receipt)
{
    struct watch_totals *totals = &watch->totals;
    struct seen *fact = seen_find(watch, receipt->cause_seq);
    struct seen *event = fact != NULL && fact->is_plan ? seen_find(watch, fact->cause_seq) : fact;
    if (event == NULL || !event->is_event) return;
    if (!event->reached) totals->events_with_change++;
    event->reached = true;
    int64_t committed_us = event->committed_us != 0 ? event->committed_us : receipt->committed_us;
    if (committed_us == 0) return;
    if (committed_us < receipt->in_reach_since_us) {
        totals->without_signal++;
        return;
    }
    int64_t latency_us = receipt->received_us - committed_us;
    bool first = fact->is_plan ? fact->seq == event->first_plan
                               : in_first_plan(watch, event, receipt->technician);
    if (!pairs_add(watch, event->seq, receipt->technician)) first = false;
    if (first) {
        samples_add(&totals->latency, latency_us);
        if (latency_us > event->to_device_us) event->to_device_us = latency_us;
    } else {
        totals->improvements++;
        samples_add(&totals->improvement, latency_us);
    }
}

void watch_join(struct watch *watch, int64_t now_us)
{
    bool all = now_us == INT64_MAX;
    int64_t until_us = now_us - join_delay_us;
    uint64_t told_seq = watch->seen_count == 0 ? 0 : watch->seen[watch->seen_count - 1].seq;
    for (; watch->joined < watch->receipt_count; watch->joined++) {
        const struct receipt *receipt = &watch->receipts[watch->joined];
        bool ripe = receipt->received_us <= until_us && receipt->cause_seq <= told_seq;
        if (!all && !ripe) return;
        join_one(watch, receipt);
    }
}

const struct watch_totals *watch_totals(const struct watch *watch)
{
    return &watch->totals;
}

size_t watch_lines(const struct watch *watch, struct watch_line lines[WATCH_LINES])
{
    size_t count = 0;
    for (size_t i = watch->seen_count; i > 0 && count < WATCH_LINES; i--) {
        const struct seen *seen = &watch->seen[i - 1];
        if (!seen->is_event) continue;
        struct watch_line *line = &lines[count++];
        *line = (struct watch_line){.seq = seen->seq,
                                    .time_us = seen->time_us,
                                    .changed = seen->changed,
                                    .to_device_us = seen->to_device_us,
                                    .planned = seen->first_plan != 0};
        snprintf(line->text, sizeof line->text, "%s", seen->text);
    }
    return count;
}
