/* audit_impl.h - what the files of this room tell one another. */
#ifndef CALLOUT_OPTIMIZER_AUDIT_IMPL_H
#define CALLOUT_OPTIMIZER_AUDIT_IMPL_H

#include "optimizer/audit/audit.h"

/* --- walk.c: when things happen --- */

int64_t audit_leg_us(const struct audit *audit, struct point from, struct point to);

/* When service starts for one who is there at `at_us`; *missed: no window allows it any more, and
 * then the start is that arrival. */
int64_t audit_start_us(const struct route_visit *visit, int64_t at_us, bool *missed);

/* How long after the end of its window a service starts; 0 within one. */
int64_t audit_late_us(const struct route_visit *visit, int64_t start_us);

/* Walks the route by the rules with the best place for the break, into audit->walk. */
void audit_walk_best(struct audit *audit, uint32_t technician, const uint32_t *visits,
                     uint32_t count);

/* --- stretch.c: what delay has done to the day already --- */

void audit_stretch(struct audit *audit, struct arena *arena);

/* The visits that must stay with the technician, frozen ones first, in their order; returns how
 * many. */
uint32_t audit_stay_with(const struct audit *audit, uint32_t technician, uint32_t *list);

/* --- price.c --- */

void audit_price_route(struct audit *audit, uint32_t technician, const uint32_t *visits,
                       uint32_t count, struct audit_cost *cost);

/* --- rules.c: what is not about a whole plan --- */

/* Who may serve it, and how many may go where. */
void audit_check_people(struct audit *audit, uint32_t technician, const uint32_t *visits,
                        uint32_t count, struct audit_report *report);
/* Times in audit->walk against windows, break, shift and freeze. */
void audit_check_times(struct audit *audit, uint32_t technician, const uint32_t *visits,
                       uint32_t count, struct audit_report *report);
void audit_check_travel(struct audit *audit, uint32_t technician, const uint32_t *visits,
                        uint32_t count, struct audit_report *report);
void audit_check_load(const struct audit *audit, uint32_t technician, const uint32_t *visits,
                      uint32_t count, struct audit_report *report);

/* --- words --- */

struct audit_word {
    char text[32];
};
struct audit_word audit_time(const struct audit *audit, int64_t time_us);

#endif
