/* carry.h - the duals of the last proof, carried over an event: a proof of the new state at once.
 *
 * Idea: duals stay good for every route that there was before and is no cheaper now. So
 *
 *   - a visit that is gone takes its dual with it; a new one begins with 0
 *   - what became tighter or dearer changes nothing; a technician who is away takes his dual along
 *   - a start that was told anew may be cheaper by what moving it cost: its visit's dual falls by
 *     that
 *   - a visit that became wider (other windows, a shorter service) begins anew with 0
 *   - a technician who became wider (earlier, later, elsewhere, with another skill or another
 *     break, thawed, or new) is priced again: his dual is the least that his walks come to
 *
 * A visit of dual 0 needs nobody to be priced where travel obeys the triangle: without it a route
 * is no dearer, and no later. Where that does not hold, and for whoever has a limit of legs, all
 * who may serve it are priced. Of a cut with a visit gone the other two are left; what is new is
 * remembered by all cuts.
 *
 * How much may be priced at once is counted: the first few exactly, the others by what no walk can
 * be cheaper than, with few labels.
 *
 * Owner: carry_open .. carry_close; proofs that it makes live in it until the next call. Thread:
 * one at a time.
 */
#ifndef CALLOUT_OPTIMIZER_CARRY_H
#define CALLOUT_OPTIMIZER_CARRY_H

#include "optimizer/bound/price.h"

struct carry_options {
    bool metric;         /* travel obeys the triangle */
    uint32_t exact_max;  /* technicians who are priced with all the labels */
    uint32_t labels_max; /* of one of those */
    uint32_t few_labels; /* of one of the others */
};

extern const struct carry_options carry_options_default;

struct carry {
    struct carry_options options;
    struct arena memory[2]; /* what is known lives in one of them, what comes in the other */
    uint32_t turn;
    struct desk desk;
    struct known *known; /* NULL: nothing yet */
    struct proof proof;  /* of the last instance that was given */
    uint32_t repriced;   /* technicians, by the last event */
};

void carry_open(struct carry *carry, const struct carry_options *options);
void carry_close(struct carry *carry);
void carry_forget(struct carry *carry);

/* What was proved of this instance. */
void carry_keep(struct carry *carry, const struct workday *day, const struct instance *in,
                const struct proof *proof);

/* The day has changed to `in`; `plan` is one of it. False: nothing is known. Otherwise carry->proof
 * is a proof of it, and known from now on. */
bool carry_over(struct carry *carry, const struct workday *day, const struct instance *in,
                const struct plan *plan);

#endif
