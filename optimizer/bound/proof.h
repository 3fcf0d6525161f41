/* proof.h - why no plan of an instance can cost less: numbers that anybody can check.
 *
 * Idea: weak duality. A plan serves each visit by one route or pays its price; each technician has
 * one route, which may be one without visits beyond his frozen ones. Let every visit j be worth
 * visit_dual[j], every technician k technician_dual[k], every cut c cut[c].dual, such that
 *
 *   D1  visit_dual[j] <= PROOF_FINE * price of leaving j unserved; of either sign
 *   D2  cut[c].dual <= 0
 *   D3  for each technician k and every route r that he could have, that without visits among them:
 *       PROOF_FINE * cost(r) >= technician_dual[k] + the visit_dual of the visits of r
 *                               + the dual of each cut, as often as r counts in it
 *
 * Then every plan costs at least `bound` / PROOF_FINE, where
 *
 *   bound = sum of visit_dual + sum of technician_dual + sum of cut[].dual
 *
 * for adding D1 of those who are unserved and D3 of each technician's route counts every visit
 * once, every technician once, and each cut at most once (that is what a cut says; its dual is not
 * positive). All three kinds are integers in 1/PROOF_FINE s, so nothing rests on floating point. A
 * plan's cost is a whole number, so it is at least proof_seconds(). There are no other constants:
 * what is fixed is in the routes and prices themselves:
 *
 *   - what has begun or is done is no visit any more; it is in the technician's available time and
 *     start
 *   - each route of a technician begins with his frozen visits (node.frozen), in their order
 *     (instance_before), and these stand in no other one's
 *   - a pinned visit is allowed on its technician's route only (instance_allows) and has a high
 *     price (PINNED_EXTRA_S, PLACED_EXTRA_S) like any other price; nobody can serve one that is
 *     pinned to NOBODY
 *   - prices of changes are in the cost of routes: who is not the home of a visit, and starts
 *   - a technician without visits costs his way to the end place, as route_refresh says
 *   - whom nobody can serve has visit_dual[j] = PROOF_FINE * its price: no route holds it, so D3
 *     does not speak of it. `hopeless` is the sum of these prices: every plan pays them
 *
 * D3 is proved by pricing: technician_dual[k] is the least of PROOF_FINE * cost(r) less all the
 * duals, over a set of routes that has all of k's and some that he could not have. What was widened
 * is in `relaxed`; a wider set gives a lower bound that still holds. Always: a route is a walk that
 * may come back to a visit, unless it remembers it. It remembers each visit that it makes, and
 * forgets it at the first later visit w in whose near list it is not (ng-routes; w itself is
 * remembered at w). Frozen visits are remembered for good. A checker takes these near lists, for a
 * wider set may have a cheaper route than the proof says; it may remember more than they say.
 *
 * A cut counts a walk so: it holds a count, 0 at the start. Each visit that is one of its three
 * adds 1; a count of 2 counts the walk in the cut once more, and goes back to 0. At a visit that is
 * neither one of the three nor in its memory the count goes back to 0. So a route that holds two or
 * three of them counts at most once, one that holds fewer never: of three visits at most one and a
 * half are served by routes that serve two of them or more.
 *
 * Owner: whoever makes one says where its arrays live. Thread: read-only once made.
 */
#ifndef CALLOUT_OPTIMIZER_PROOF_H
#define CALLOUT_OPTIMIZER_PROOF_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PROOF_FINE = 256, /* units of a dual in a second */
    PROOF_CUTS_MAX = 128,
    PROOF_NEAR_MAX = 16,
};

/* Bits of `relaxed`: how the routes that were priced are wider than the rules; all but the first
 * only where the instance has such rules. */
enum proof_relaxed {
    RELAXED_ELEMENTARY = 1, /* visits come back once they are forgotten; see above */
    /* A start may be later than it need be, where a later one has a better price (preferred
     * windows, lateness before a further window, starts that were told). */
    RELAXED_WAITING = 2,
    /* The break is on whichever leg makes the route cheapest, not where it ends earliest. */
    RELAXED_BREAK = 4,
    RELAXED_ORDER = 8,    /* visits placed with a technician may change places */
    RELAXED_CHANGES = 16, /* any number of changes to a technician's day */
    RELAXED_FREEZE = 32,  /* a new visit behind frozen ones may start before the freeze ends */
    RELAXED_COUNT = 64,   /* any number of visits in a route */
    /* A share of a second is not rounded: where travel is not priced at 100 %, a route may cost
     * up to 99/100 s less than it does. */
    RELAXED_ROUNDING = 128,
};

struct proof_cut {
    uint16_t visits[3];    /* ranks, ascending */
    int64_t dual;          /* in 1/PROOF_FINE s, <= 0 */
    const uint8_t *memory; /* bit (rank % 8) of byte rank / 8: the count outlives this visit */
};

struct proof {
    uint32_t visit_count, technician_count, cut_count;
    const int64_t *visit_dual;      /* by rank of the instance, in 1/PROOF_FINE s */
    const int64_t *technician_dual; /* by rank */
    const struct proof_cut *cuts;
    /* near[rank * PROOF_NEAR_MAX ..], near_count[rank] of them: ranks; see above. */
    const uint16_t *near;
    const uint8_t *near_count;
    uint32_t relaxed; /* enum proof_relaxed */
    int64_t bound;    /* in 1/PROOF_FINE s: the sum of all duals */
    int64_t hopeless; /* seconds: prices of those whom nobody can serve */
};

/* No plan costs less than so many seconds. */
static inline int64_t proof_seconds(const struct proof *proof)
{
    int64_t seconds = proof->bound / PROOF_FINE;
    return seconds + (proof->bound > 0 && proof->bound % PROOF_FINE != 0);
}

/* How often a walk counts in a cut, as said above. */
uint32_t proof_cut_counts(const struct proof_cut *cut, const uint16_t *visits, uint32_t count);

/* By how much a route's cost (seconds) exceeds what D3 says of it, in 1/PROOF_FINE s; never below 0
 * for a route that the technician could have, if the proof holds. `visits` are all of it, in order.
 */
int64_t proof_reduced(const struct proof *proof, uint32_t technician, const uint16_t *visits,
                      uint32_t count, int64_t cost);

/* What `bound` must be. */
int64_t proof_sum(const struct proof *proof);

#endif
