/* result.h - what a simulated run came to, in plain numbers: one value for page, sheet, sweep and
 * comparison, and one JSON object that says the same.
 *
 * Idea: all that a report shows is in here, so nobody needs the world after it was closed. What is
 * measured on this machine (CPU time, memory) is in `times` alone: the JSON without its key "times"
 * is equal to the byte for equal scenarios and seeds.
 *
 * Owner: run_result_init, run_result_fini; lists grow by the functions below. Pure values.
 * Units: microseconds, unless the name says otherwise; domain times are UTC.
 */
#ifndef CALLOUT_SIM_WORLD_RESULT_H
#define CALLOUT_SIM_WORLD_RESULT_H

#include "model/kpi.h"
#include "sim/scenario/scenario.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A service day: its figures as they stood when it was over. */
struct run_day {
    int64_t service_day; /* since 1970-01-01, local */
    int64_t begin_us;    /* its local midnight: where kpi.hours begin */
    uint32_t technicians;
    uint32_t orders; /* of the day: known when it was taken in, and called in later */
    uint32_t known, called;
    struct kpi kpi;
};

/* All visits of the day in hand at a time, each in one of these. */
struct run_backlog {
    int64_t time_us;
    uint32_t unserved; /* nobody has it */
    uint32_t open;     /* planned with somebody, not begun */
    uint32_t running, done, cancelled;
};

/* A journey and the work behind it, as planned when he left and as it was; 0: not known. */
struct run_leg {
    int32_t day; /* from 0 */
    char technician_id[LIMIT_ID + 1], appointment_id[LIMIT_ID + 1];
    int64_t departed_us;
    int64_t planned_travel_us, travel_us, planned_service_us, worked_us, late_us;
};

/* A fault that happened. */
struct run_fault {
    char name[SCENARIO_NAME];
    enum fault_kind kind;
    int64_t begin_us, end_us;
    uint32_t technicians; /* whom it befell; 0: everybody, or nobody in person */
    int32_t amount;       /* see sim/scenario/faults.h */
};

/* What was said and what the log has of it: nothing may be lost, nothing may be there twice. */
struct run_commands {
    uint64_t saved, acknowledged; /* in the outboxes of all phones */
    uint64_t rejected, conflicts; /* of those acknowledged */
    uint64_t aside;               /* positions: they never become facts */
    uint64_t facts;               /* of commands, in the log */
    uint64_t orders, order_facts; /* and cancellations that the system said it has; their facts */
    uint64_t lost, doubled;       /* of both: must be 0 */
};

/* Of the network and the system. */
struct run_system {
    uint64_t messages_lost, messages_twice, messages_late, connects, breaks, resent;
    uint64_t bytes_up, bytes_down;
    uint64_t requests, batches, largest_batch, facts, events, plans;
    uint64_t kills, disk_failures;
    uint64_t repairs, rounds, pivots; /* of the optimizer */
};

/* How the calls of an external solver ended (sim/peer/peer.h); all 0: our own optimizer. */
struct run_peer {
    uint64_t answered, hung, died, nonsense;
    uint64_t left_out;      /* visits of its routes that a rule forbids there */
    char last_failure[256]; /* "": none */
};

/* How long the optimizer took for a piece of work, in two currencies. */
struct run_pieces {
    struct kpi_lengths repair; /* an event is taken in and the plan holds again */
    struct kpi_lengths search; /* a chunk of search, or the master's round */
};

/* Measured on this machine: never the same twice. */
struct run_times {
    int64_t cpu_us, wall_us; /* of the whole run */
    int64_t dispatcher_us, optimizer_us;
    int64_t memory_peak_kib; /* of the process so far */
    int64_t events_per_s;    /* of the log's facts, per second of CPU */
    struct run_pieces cpu;
    int64_t peer_us, peer_mean_us, peer_worst_us; /* of the wall clock */
};

struct run_result {
    char scenario[SCENARIO_NAME];
    uint64_t configuration; /* scenario_digest */
    uint64_t seed;
    char time_zone[LIMIT_ID + 1];
    char solver[128]; /* who stood in the optimizer's place; "": our own */
    int64_t begin_us, end_us;
    struct run_day *days;
    size_t day_count;
    struct kpi kpi;           /* over all days */
    struct kpi *untroubled;   /* the same days without their faults; NULL: not lived */
    struct kpi_lengths reach; /* from an event's commit to the phones that it concerns */
    struct run_pieces pieces; /* in virtual time */
    struct run_backlog *backlog;
    size_t backlog_count;
    struct run_leg *legs;
    size_t leg_count;
    struct run_fault *faults; /* in the order in which they began */
    size_t fault_count;
    struct run_commands commands;
    struct run_system system;
    struct run_peer peer;
    uint64_t digest; /* of every message, and of the last state */
    struct run_times times;
};

void run_result_init(struct run_result *result);
void run_result_fini(struct run_result *result);

/* Each adds a zeroed one at the end, borrowed until the next of its kind is added. */
struct run_day *run_result_day(struct run_result *result);
struct run_backlog *run_result_backlog(struct run_result *result);
struct run_leg *run_result_leg(struct run_result *result);
struct run_fault *run_result_fault(struct run_result *result);

/* Lateness, as people group it: arrivals in time, then up to so many minutes late; the last group
 * is all that is later still. */
enum { RUN_LATENESS_GROUPS = 9 };
struct run_lateness {
    int64_t up_to_us; /* 0: in time; INT64_MAX: the last group */
    int64_t arrivals;
};
void run_lateness(const struct kpi *kpi, struct run_lateness groups[RUN_LATENESS_GROUPS]);

/* One object: "kpi" (sums, shares, and of each length count, mean, p50, p95, p99), "cost" (what the
 * faults made worse or better: kpi - untroubled), "days", "hours", "lateness", "backlog", "legs",
 * "faults", "commands", "system", "peer", "latency", "digest", and "times". What is many is an
 * array, so that a study takes the rest as figures. A length of time is a number of microseconds.
 */
json_t *run_result_json(const struct run_result *result);

#endif
