/* mishaps.h - what befalls system, network and phones, one step after the other, from a seed.
 *
 * Owner: all that it is given outlives it. Thread: the loop's.
 */
#ifndef CALLOUT_TESTS_MISHAPS_H
#define CALLOUT_TESTS_MISHAPS_H

#include "crew.h"
#include "sim/world/link.h"

struct mishaps;

struct mishaps_options {
    struct client_loop *loop;
    struct hub *hub;
    struct link_net *net;
    struct crew *crew;
    struct oracle *oracle;
    struct ordeal_result *result;
    const struct ordeal_options *ordeal;
};

struct mishaps *mishaps_open(const struct mishaps_options *options);
void mishaps_close(struct mishaps *mishaps);

/* From now on; none of them lasts beyond until_us. */
void mishaps_begin(struct mishaps *mishaps, int64_t until_us);
void mishaps_end(struct mishaps *mishaps); /* all that goes on is over now */

#endif
