/* shadow.h - what things are worth to a plan, read off the proof of its bound.
 *
 * Idea: the duals of a proof hold for a changed instance, too, once those technicians whom the
 * change concerns are priced again. So the bound falls by no more than their duals do: that is what
 * the change could save at most, in the linear program and, beyond the gap, in plans. A change that
 * is worth nothing here saves nothing.
 *
 * Owner: the list lives in the arena; instance, recall and proof are borrowed. Thread: one.
 */
#ifndef CALLOUT_OPTIMIZER_SHADOW_H
#define CALLOUT_OPTIMIZER_SHADOW_H

#include "optimizer/bound/price.h"

enum shadow_kind {
    SHADOW_VISIT,      /* what serving it costs; without it the bound is lower by just that */
    SHADOW_TECHNICIAN, /* one more like him; not of those who have frozen visits */
    SHADOW_HOUR,       /* an hour more of his shift */
    SHADOW_SKILL_HOUR, /* an hour more of a skill: of whoever has it and saves most */
    SHADOW_WINDOW,     /* any time instead of its windows */
    SHADOW_FREEZE,     /* a frozen visit that may go anywhere */
    SHADOW_KINDS
};

struct shadow_price {
    enum shadow_kind kind;
    uint32_t visit, technician; /* ranks, NO_INDEX where it is of none */
    uint32_t skill;             /* index of the workday's names; NO_INDEX */
    int64_t worth;              /* in 1/PROOF_FINE s, at least 0 but for visits */
};

struct shadow_list {
    struct shadow_price *items;
    uint32_t count;
};

struct shadow_options {
    uint32_t windows_max, freezes_max; /* orders; those whose duals are highest. Each is priced for
                                          all technicians */
    uint32_t labels_max;               /* of one pricing */
};

extern const struct shadow_options shadow_options_default;

/* `proof` is one of `in`, which is of `day`; `recall` is any. By kind, then by rank. */
void shadow_prices(const struct workday *day, const struct instance *in,
                   const struct recall *recall, const struct proof *proof,
                   const struct shadow_options *options, struct arena *arena,
                   struct shadow_list *list);

/* How much an instance that differs from `in` in that technician alone, or in what he may do,
 * could save by him: by how much his cheapest walk is cheaper than the proof says. 0: nothing. */
int64_t shadow_saving(const struct instance *changed, const struct recall *recall,
                      const struct proof *proof, uint32_t technician, uint32_t labels_max,
                      struct desk *desk, struct arena *arena);

/* The same instance, where he works an hour longer; or where a visit has no window, or is frozen no
 * more. The parts that differ are the arena's. */
struct instance shadow_longer(const struct instance *in, uint32_t technician, int32_t seconds,
                              struct arena *arena);
struct instance shadow_any_time(const struct instance *in, uint32_t visit, struct arena *arena);
struct instance shadow_thawed(const struct instance *in, uint32_t visit, struct arena *arena);

/* In whole seconds, rounded up. */
static inline int64_t shadow_seconds(int64_t worth)
{
    return worth / PROOF_FINE + (worth > 0 && worth % PROOF_FINE != 0);
}

#endif
