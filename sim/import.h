/* import.h - a day given as two CSV files goes in over the wire, whole or not at all.
 *
 * `callout import --data DIR | --gateway URL --key-file FILE [--ca FILE] [--territory NAME]
 *  [--time-zone ZONE] [--known-at TIME] technicians.csv orders.csv`
 *
 * With --data the running system of that folder is asked; if none runs, one is started for the
 * import and ended again. Both files are checked first; any error, and nothing is sent (exit 5,
 * every error with its file, line and column). A repeated import changes nothing. --known-at leaves
 * out the orders that come in later than that local time.
 */
#ifndef CALLOUT_SIM_IMPORT_H
#define CALLOUT_SIM_IMPORT_H

#include "day/day.h"
#include "sim/system.h"

/* The tool's main; argv[0] is the tool's word. Returns an exit code. */
int import_main(int argc, char **argv);

struct import_target {
    const char *url, *ca_file, *key;
    struct client_loop *loop; /* what the asking lives on; NULL: one of its own */
    const char *territory_id;
    const struct policy *policy; /* of the territory; NULL: as it has it */
    int64_t known_at_us;         /* orders received later are left out; INT64_MAX: none */
};

struct import_result {
    size_t technicians, orders, left_out, unservable;
    size_t unchanged; /* of all rows: the system had them already */
};

/* Sends the day. On ERR_IO nobody answered; otherwise the server refused a row: see errors. */
MUST_USE enum err import_day(const struct day *day, const struct import_target *target,
                             struct import_result *result, struct day_errors *errors);

/* Prints what day_read or import_day listed. */
void import_print_errors(const struct day_errors *errors);

#endif
