/* price.h - the cheapest walks of one technician for given duals, by labels.
 *
 * Idea: a label is the end of a walk: where, when, whether the break is behind, what it has cost,
 * whom it remembers. Labels are taken in cells of time; one that another one is as good as in every
 * respect goes, and so does one that cannot be finished below the limit (field.h). What is left at
 * the end is the cheapest walk, exactly, and others that are cheaper than the limit.
 *
 * A quick pricing forgets memory when it compares labels: it finds walks in little time, but no
 * bound. Work is counted in labels; when there is no more room, the least that an unfinished label
 * could come to is in `least`, so that it bounds nevertheless.
 *
 * Owner: the walks live at the desk until it is used again. Thread: one per desk; instance, recall
 * and duals are only read.
 */
#ifndef CALLOUT_OPTIMIZER_PRICE_H
#define CALLOUT_OPTIMIZER_PRICE_H

#include "optimizer/bound/field.h"

/* Where prices are made. */
struct desk {
    struct arena arena;        /* rewound by each pricing */
    struct arena labels_arena; /* of labels: only grows */
    struct label *labels;
    uint32_t label_cap;
};

void desk_open(struct desk *desk);
void desk_close(struct desk *desk);

struct price_options {
    int64_t limit; /* only walks that cost less, duals taken off, are of interest */
    uint32_t labels_max;
    uint32_t walks_max;
    bool quick;
    uint32_t places_max; /* quickly: see field_make */
    bool (*stop)(
        void *context); /* asked now and then: true is as if there were no more room. NULL */
    void *context;
};

struct walk {
    int64_t reduced; /* duals taken off, in 1/PROOF_FINE s */
    int64_t cost;    /* as it was priced; no more than what such a route costs */
    uint32_t count;
    const uint16_t *visits; /* ranks, with the frozen ones that it begins with */
};

struct priced {
    int64_t least; /* no route of the technician has a reduced cost below this, or it is `limit` */
    bool closed;   /* `least` is exact, or the limit */
    uint32_t labels;
    uint32_t relaxed; /* of enum proof_relaxed */
    uint32_t count;
    struct walk *walks; /* the cheapest first */
};

/* Seconds: the prices of those whom nobody may serve, time aside. */
int64_t price_hopeless(const struct instance *in);

void price(struct priced *priced, const struct instance *in, const struct recall *recall,
           uint32_t technician, const struct duals *duals, const struct price_options *options,
           struct desk *desk);

#endif
