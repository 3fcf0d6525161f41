/* customers.h - who calls in during the day: the day's later orders at their time, emergencies made
 * up from the day's addresses, and cancels. All through an API key, as a customer's system would.
 */
#ifndef CALLOUT_SIM_CUSTOMERS_H
#define CALLOUT_SIM_CUSTOMERS_H

#include "day/day.h"
#include "gateway/client/api.h"

struct customers_options {
    const struct day *day;    /* kept until customers_close */
    struct api *api;          /* kept; its clock must be known already */
    const char *territory_id; /* kept */
    int64_t known_at_us;      /* orders received up to then are in the system */
    uint32_t emergencies, cancels;
    uint32_t cancel_permille; /* of the day's orders besides: each has a chance of its own */
    uint64_t seed;
};

struct customers_count {
    size_t ordered, cancelled; /* accepted by the system */
    size_t refused;            /* too late to cancel, for example */
    size_t to_come;
};

struct customers;

struct customers *customers_open(struct client_loop *loop, const struct customers_options *options);
void customers_close(struct customers *customers); /* may be NULL */
struct customers_count customers_count(const struct customers *customers);

#endif
