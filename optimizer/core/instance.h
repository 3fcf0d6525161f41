/* instance.h - the dense view of a workday that is solved: flat arrays, in order of id.
 *
 * Idea: visits and technicians get ranks by id, times become whole seconds from midnight UTC of the
 * service day. What only can be earlier is rounded up and what must be reached is rounded down, so
 * that a route which fits here fits to the microsecond in route.h. Ends that delay has stretched
 * are rounded up with the delay.
 *
 * Visits that are pinned to the technician who has them, and frozen ones above all, always fit with
 * nothing in between: where delay has made them late, windows, break and end of the shift are
 * widened to what they come to (as the dispatcher does), and all else is judged by that.
 *
 * Owner: arrays live in the arena given to instance_build; travel is borrowed from the workday,
 * which must not change while the instance is in use. Thread: read-only once built.
 */
#ifndef CALLOUT_OPTIMIZER_INSTANCE_H
#define CALLOUT_OPTIMIZER_INSTANCE_H

#include "optimizer/core/workday.h"

/* Seconds: NEVER is later than every time and NOWAY earlier, both with room for one addition. */
#define NEVER 1000000000
#define NOWAY (-1000000000)

#define NO_VISIT UINT16_MAX

/* More than all loads together: none is over LOAD_MAX. */
#define UNLIMITED INT32_MAX

struct span {
    int32_t open, close; /* the start of service, both inclusive */
};

/* What makes the start of a visit a matter of price: spans that end where lateness begins, and
 * those that are preferred, both in the instance's spans. */
struct wish {
    uint32_t due_at, due_count;
    uint32_t preferred_at, preferred_count;
};

struct node {
    int32_t open, close; /* the first window, with the lateness that is allowed after it */
    int32_t service;
    int32_t load;
    uint16_t place, need;
    uint32_t span_at; /* further windows: span[span_at ..] */
    uint32_t span_count;
    int32_t last_close; /* of the last window */
    uint32_t pinned;    /* technician; NO_INDEX: anyone may serve it; NOBODY: nobody can */
    uint32_t home;      /* technician that has it in the published plan, or NO_INDEX */
    uint32_t position;  /* there */
    int32_t planned;    /* start there */
    int32_t stretched;  /* how much later than by itself the last window closes */
    int32_t price;      /* of leaving it unserved */
    int32_t change_technician, change_start; /* 0: nobody was told */
    bool frozen, emergency;
    bool changed_hands; /* another change of its technician does not count (stability.h) */
    bool left_out;      /* see workday.h */
    bool soft;          /* its start has a price: see its wish */
    uint32_t slot;
    uint64_t hash; /* of the id; a set of visits is the sum of its hashes */
};

#define NOBODY (UINT32_MAX - 1)

/* May those who must stay with a technician change places? */
enum placed_order {
    ORDER_FREE,
    ORDER_IN_TIME, /* if those whose windows delay has stretched are in time then */
    ORDER_FIXED,
};

struct technician {
    int32_t available, latest_end, shift_end;
    int32_t break_earliest, break_latest, break_length; /* length 0 and latest NOWAY: none */
    int32_t leg_max, travel_max;                        /* of one leg, of all */
    uint16_t start, end;
    int32_t capacity;        /* UNLIMITED when there is none */
    int32_t changes_left;    /* UNLIMITED when any number is */
    uint32_t frozen;         /* visits in its frozen prefix */
    enum placed_order order; /* of the visits placed with him; see route_keeps_order */
    /* The first who differs from him in nothing but the name: their routes can be exchanged. He
     * himself if none before him does, and where some visit knows him by name. */
    uint32_t alike;
    uint64_t tried; /* see workday.h */
    uint32_t slot;
    uint64_t hash;
};

/* Bits of `can`. */
enum { CAN_SERVE = 1, CAN_BUT_NOT_PREFERRED = 2 };

struct instance {
    const int32_t *from; /* travel: from[a * stride + b] is a to b */
    const int32_t *into; /* into[b * stride + a] is a to b */
    uint32_t stride, place_count;
    uint32_t route_max; /* visits of one technician */
    uint32_t visit_count, technician_count, need_count;
    struct node *nodes;
    struct wish *wishes; /* by visit; of soft ones */
    struct span *spans;
    struct technician *technicians;
    uint8_t *can;                                 /* can[need * technician_count + technician] */
    uint32_t *visit_of_slot, *technician_of_slot; /* ranks; NO_INDEX: not in this instance */
    int32_t frozen_until;
    int32_t tolerance;           /* of a start that was told */
    int32_t hands_left;          /* UNLIMITED; or how many visits may leave who has them */
    struct stability *stability; /* NULL: nobody's day has a limit of changes */
    struct policy policy;        /* prices */
    bool plain; /* one window each, no breaks, overtime, wishes, limits of travel or prices
                   but of its time, nothing frozen */
};

/* Pinned visits are kept before all others: leaving one unserved costs this much more, which is
 * more than any other visit's price. One that stands on its technician's route already must not
 * leave it at all, also not for several pinned ones that have no place yet; both prices are
 * multiples of the first. Prices only lead the search there: no sum of them takes a pinned visit
 * off (plan_keeps_pins). */
#define PINNED_EXTRA_S 10000000
#define PLACED_EXTRA_S (16 * PINNED_EXTRA_S)
_Static_assert(PINNED_EXTRA_S > LIMIT_PRIORITY * POLICY_PRICE_S_MAX, "a pin outweighs a priority");

/* Stands where it is pinned to, in the published plan. */
static inline bool node_placed(const struct node *node)
{
    return node->pinned != NO_INDEX && node->pinned == node->home;
}

/* The order of two visits of one published route. Planned starts say more than positions, which
 * are not told again when a visit before them leaves. */
bool instance_before(const struct instance *in, uint32_t a, uint32_t b);

void instance_build(struct instance *in, const struct workday *day, struct arena *arena);

static inline int32_t instance_travel(const struct instance *in, uint32_t from, uint32_t to)
{
    return in->from[(size_t)from * in->stride + to];
}

/* The same way: good where `to` stays and `from` changes. */
static inline int32_t instance_travel_into(const struct instance *in, uint32_t to, uint32_t from)
{
    return in->into[(size_t)to * in->stride + from];
}

/* May this technician serve it, time aside? */
static inline bool instance_allows(const struct instance *in, uint32_t technician, uint32_t visit)
{
    const struct node *node = &in->nodes[visit];
    if (node->pinned != NO_INDEX && node->pinned != technician) return false;
    return (in->can[node->need * in->technician_count + technician] & CAN_SERVE) != 0 ||
           (node->pinned == technician && node->home == technician);
}

/* The price of serving it by this technician: who is preferred, and who was told. */
static inline int32_t instance_who_price(const struct instance *in, uint32_t technician,
                                         uint32_t visit)
{
    const struct node *node = &in->nodes[visit];
    int32_t price = node->home == technician ? 0 : node->change_technician;
    if (in->policy.preferred_technician_missed_s > 0 &&
        in->can[node->need * in->technician_count + technician] & CAN_BUT_NOT_PREFERRED)
        price += in->policy.preferred_technician_missed_s;
    return price;
}

/* No part of a route's price is more than this, so that their sum is a number. */
#define PART_MAX_S 400000000

static inline int32_t part_price(int64_t seconds)
{
    return seconds < PART_MAX_S ? (int32_t)seconds : PART_MAX_S;
}

static inline int32_t instance_travel_price(const struct instance *in, int32_t travel)
{
    if (in->policy.travel_price_percent == 100) return travel;
    return part_price((int64_t)travel * in->policy.travel_price_percent / 100);
}

/* The price of a soft visit's start: cost.h's lateness and preferred windows. */
int32_t instance_start_price(const struct instance *in, uint32_t visit, int32_t start);

int32_t node_leave_later(const struct instance *in, const struct node *node, int32_t arrival);
int32_t node_latest_later(const struct instance *in, const struct node *node, int32_t start);

/* The earliest departure of one who arrives then; NEVER when the last window is over. */
static inline int32_t node_leave(const struct instance *in, const struct node *node,
                                 int32_t arrival)
{
    if (arrival <= node->close)
        return (arrival > node->open ? arrival : node->open) + node->service;
    return node->span_count == 0 ? NEVER : node_leave_later(in, node, arrival);
}

/* The latest arrival with which one departs by `departure`; NOWAY when there is none. */
static inline int32_t node_latest(const struct instance *in, const struct node *node,
                                  int32_t departure)
{
    int32_t start = departure - node->service;
    if (start < node->open) return NOWAY;
    if (start <= node->close || node->span_count == 0)
        return start < node->close ? start : node->close;
    return node_latest_later(in, node, start);
}

/* The arrival of one who leaves at `left` for `leg` seconds and takes the break on the way or in
 * the wait after it (see I2 in model/route.c). */
static inline int32_t rested(const struct technician *technician, int32_t left, int32_t leg)
{
    if (left > technician->break_latest) return NEVER;
    int32_t reached = left + leg;
    if (reached < technician->break_earliest) reached = technician->break_earliest;
    return reached + technician->break_length;
}

#endif
