/* live.h - a fleet lives through its day against a running system: virtual technicians, customers,
 * and the watch over both.
 *
 * Everything goes over the wire; the only thing taken from the machine is its monotonic clock,
 * which the system's latencies are measured on, so both run on one machine.
 */
#ifndef CALLOUT_SIM_LIVE_H
#define CALLOUT_SIM_LIVE_H

#include "sim/customers.h"
#include "sim/fleet.h"
#include "sim/system.h"
#include "sim/tally.h"
#include "sim/watch.h"

enum live_show { LIVE_QUIET, LIVE_LINES, LIVE_BOARD };

struct live_options {
    const struct day *day;
    struct system *system; /* its address and key; watched if it is ours */
    const char *ca_file;
    const char *territory_id;
    const char *folder;        /* of the devices */
    const char *control;       /* where the fleet can be spoken to (handover.h); NULL: nowhere */
    const char *const *tokens; /* one per technician */
    const struct habits *habits;
    uint64_t seed;
    uint32_t ill, emergencies, cancels;
    int64_t known_at_us; /* orders received up to then are in the system; 0: up to now */
    int64_t
        until_mono_us; /* ends then, if the day is not over before; INT64_MAX: the day decides */
    enum live_show show;
    const char *hint; /* lines for who looks on; "": none */
};

/* What live_run found; the totals' samples are borrowed until live_close. */
struct live_summary {
    struct fleet_count fleet;
    struct customers_count customers;
    struct tally_count tally;
    const struct watch_totals *totals;
    size_t technicians;
    uint32_t handovers;       /* to somebody else */
    double seconds;           /* of monotonic time */
    int64_t begin_us, end_us; /* domain time */
    double rate;
    bool interrupted; /* by INT or TERM */
    bool day_over;
    bool system_died;
    bool drained; /* every saved command was acknowledged */
};

struct live;

/* From now on INT and TERM end the run that is, or the one that begins next. */
void live_catch_signals(void);

/* Lives until the day is over, the time is, or INT or TERM comes; then lets the outboxes drain.
 * A technician whom somebody else has, counts until his shift ends.
 * ERR_IO: the system did not answer. ERR_CONFLICT: another fleet is served at `control`. */
MUST_USE enum err live_run(struct live **out, const struct live_options *options,
                           struct live_summary *summary, struct problem *problem);
void live_close(struct live *live); /* may be NULL */

#endif
