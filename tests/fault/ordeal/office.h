/* office.h - who orders, cancels and moves visits, through an API key over the same network.
 *
 * Every request has an id of its own, and the oracle is told which of them were answered with OK.
 * Owner: loop and oracle outlive it. Thread: the loop's.
 */
#ifndef CALLOUT_TESTS_OFFICE_H
#define CALLOUT_TESTS_OFFICE_H

#include "gateway/client/loop.h"
#include "oracle.h"

struct office;

struct office_options {
    struct client_loop *loop;
    struct oracle *oracle;
    const char *key;
    uint64_t seed;
    uint32_t technicians, days;
    int64_t begin_us; /* midnight of the first day */
};

struct office *office_open(const struct office_options *options);
void office_close(struct office *office);

void office_furnish(struct office *office); /* territories, technicians with their shifts */
void office_new_day(struct office *office, uint32_t day); /* two thirds of the day's orders */
void office_to_work(struct office *office); /* the other third, cancels and moves, from now on */
void office_go_home(struct office *office);
bool office_waits(const struct office *office); /* for an answer */

#endif
