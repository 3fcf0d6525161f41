/* customers.h - a vehicle routing problem with one depot and one kind of vehicle, as text files of
 * benchmarks give it: onto a solver's workday.
 *
 * Times and travel are in the file's own unit, which stands for a second. The depot is one of the
 * customers: its window is the shift of every vehicle. Everybody is served first, then the travel
 * is least.
 */
#ifndef CALLOUT_OPTIMIZER_CUSTOMERS_H
#define CALLOUT_OPTIMIZER_CUSTOMERS_H

#include "optimizer/solve_input.h"

enum {
    CUSTOMERS_MAX = SOLVE_PLACES_MAX - 2, /* beside the start and the end of all vehicles */
    CUSTOMER_TIME_MAX = HORIZON_DAYS * 86400,
};

struct customer {
    int64_t number;
    int32_t load;
    int32_t open, close; /* start of service, both inclusive */
    int32_t service;
    uint32_t line; /* of the file, for messages */
};

struct customers {
    struct customer *all; /* with the depot */
    uint32_t count, depot;
    uint32_t vehicles;        /* 0: as many as there are customers */
    int32_t capacity;         /* 0: no limit */
    const int32_t *travel;    /* [from * count + to]; borrowed for as long as the input is open */
    const char *number_field; /* what the file calls a customer's number */
};

MUST_USE enum err customers_tell(struct solve_input *input, const struct customers *customers,
                                 struct problem *problem);

#endif
