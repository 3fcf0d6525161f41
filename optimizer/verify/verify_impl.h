/* verify_impl.h - what the files of this room tell one another. */
#ifndef CALLOUT_OPTIMIZER_VERIFY_IMPL_H
#define CALLOUT_OPTIMIZER_VERIFY_IMPL_H

#include "optimizer/verify/verify.h"

/* --- rules.c: what a visit asks and costs --- */

bool rule_may_serve(const struct certificate *in, uint32_t technician, uint32_t visit);

/* Must it stay with the technician who has it? */
bool rule_stays(const struct certificate *in, uint32_t visit);

/* Is it new with him, so that it may not start before the freeze ends? */
bool rule_frozen_out(const struct certificate *in, uint32_t technician, uint32_t visit);

/* The first moment from `at` on when service may start; CERTIFICATE_UNLIMITED: no more. */
int64_t rule_start(const struct cert_visit *visit, int64_t at);

/* Prices in seconds: of who serves it, and of when it starts. */
int64_t rule_who_price(const struct certificate *in, uint32_t technician, uint32_t visit);
struct start_price {
    int64_t lateness, preferred_window, change_start;
};
struct start_price rule_start_price(const struct certificate *in, uint32_t visit, int64_t start);
int64_t rule_overtime_price(const struct cert_policy *policy, int64_t overtime);
int64_t rule_travel_price(const struct cert_policy *policy, int64_t travel);

/* When one arrives who leaves at `left`, travels for `leg` and rests on the way or there;
 * UNLIMITED: it is too late for that. */
int64_t rule_rested(const struct cert_technician *who, int64_t left, int64_t leg);

/* --- walk.c: a route, stop by stop --- */

struct walk_stop {
    int64_t arrival, start, departure, break_start;
    bool rests;
};

struct walk {
    const char *wrong; /* NULL: it fits; else what does not */
    uint32_t wrong_at; /* at this stop; the count of stops: on the way home */
    struct walk_stop stops[CERTIFICATE_ROUTE_MAX + 1]; /* the last one is home, its arrival */
    int64_t travel, overtime, load;
};

/* Walks the route as early as can be, with the break where it ends soonest. */
void walk_route(const struct certificate *in, uint32_t technician, const struct cert_stop *stops,
                uint32_t count, struct walk *walk);

/* --- remain.c: the least that is still to come --- */

/* Lower bounds of what the rest of a walk costs, by place in `list`, phase and time. */
struct remain {
    int64_t from, width; /* of a bucket, in seconds */
    uint32_t buckets, count;
    int64_t *least; /* [(rested * count + place) * buckets + bucket]; UNLIMITED: none comes home */
};

/* A visit of the list, as far as moves to it ask; `plain`: it has one window, and any start in it
 * costs the same, so that the first one is the only one worth a thought. */
struct spot {
    uint32_t at;
    bool plain;
    int64_t service, open, close;
};

/* What does not change while one technician is priced. */
struct pricing {
    const struct certificate *in;
    const struct cert_technician *who;
    uint32_t technician;
    uint32_t *list;             /* visits that he may serve, frozen ones of his last */
    uint32_t count, open_count; /* of these, those that are not frozen */
    int64_t *who_price;         /* by place in the list, less the dual, in 1/fine s */
    struct spot *spots;         /* by place in the list */
    int64_t *points;            /* by place: later starts that may cost less, ascending */
    uint32_t *points_at;        /* by place, and one more: where its points begin */
    struct remain remain;
};

/* The starts worth a thought for one who arrives then: the first one, and later ones that cost
 * less. Returns how many; prices in 1/fine s. */
enum { STARTS_MAX = 4 * CERTIFICATE_LIST_MAX };
struct start {
    int64_t at, price;
};
uint32_t starts_worth(const struct pricing *pricing, uint32_t place, int64_t arrival,
                      struct start *starts);

/* Travel in 1/fine s, rounded down. */
int64_t fine_travel(const struct certificate *in, int64_t travel);

/* Everything in `pricing` but what its first three say. cheapest.c */
void pricing_prepare(struct pricing *pricing, struct arena *memory);
/* What a walk pays for cuts at this visit; `cuts` becomes its counts after it. */
int64_t cuts_count(const struct certificate *in, uint32_t visit, uint64_t *cuts);

void spots_build(struct pricing *pricing);
void remain_build(struct pricing *pricing, struct arena *memory);
int64_t remain_least(const struct pricing *pricing, uint32_t place, bool rested, int64_t time);

/* --- parts.c: what is proved by splitting plans --- */

/* `bound` is what the duals of all prove; returns what is proved with the parts, in 1/fine s. */
int64_t verify_parts(const struct certificate *in, int64_t bound, struct verify_report *report);
/* The first who is like him: he himself, if nobody before him is. bound.c */
uint32_t verify_first_alike(const struct certificate *in, uint32_t technician);

/* --- words --- */

struct word {
    char text[112];
};
struct word word_visit(const struct certificate *in, uint32_t visit);
struct word word_technician(const struct certificate *in, uint32_t technician);
void verify_find(struct verify_report *report, struct word place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
